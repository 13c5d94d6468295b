"""Where something is done: what is there at this moment, by its type, by what the name was given, and by the method around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mypy.literals import literal_hash
from mypy.nodes import GDEF, CallExpr, Expression, FuncItem, IndexExpr, MemberExpr, NameExpr, OperatorAssignmentStmt, Var
from mypy.types import Instance, NoneType, ProperType, TupleType, Type, TypedDictType, UnionType, get_proper_type

from coopy.mypy_plugin import facts
from coopy.mypy_plugin.marks import mark_of
from coopy.mypy_plugin.tree import Sites

if TYPE_CHECKING:
    from mypy.nodes import Context, MypyFile, TypeInfo

    from coopy.mypy_plugin.tree import Binding

__all__ = ["SELF", "Modules", "Place", "instances", "is_plain"]

SELF = "coopy self"  # `self` in a @readonly method: no type carries it, the place says so


class Modules:
    """The module that is being checked: its sites, found out when they are first asked for, and whether it was seen to hold anything marked."""

    def __init__(self) -> None:
        self._sites: Sites | None = None
        self._marked: Any = None

    def sites(self, tree: MypyFile) -> Sites:
        """The sites of a module as it is now: the daemon gives the same module new statements."""
        if self._sites is None or self._sites.defs is not tree.defs:
            self._sites = Sites(tree)
        return self._sites

    def has_marks(self, tree: MypyFile) -> bool:
        """Whether something marked was met in it so far."""
        return self._marked is tree.defs

    def met_mark(self, tree: MypyFile) -> None:
        """Something marked was met."""
        self._marked = tree.defs


class Place:
    """Where something is done: the checker, the module, the expression it is done on."""

    def __init__(self, api: Any, modules: Modules, context: Context) -> None:
        self.api, self.modules, self.context = api, modules, context
        self.expr = _receiver(context)

    @property
    def sites(self) -> Sites:
        """What is known of the module's expressions and variables."""
        return self.modules.sites(self.api.tree)

    def mark(self, found: list[Instance]) -> str | None:
        """The mark of what is there at this moment, of several if all have one. Quick for the many objects that are nothing to coopy."""
        marks = [mark_of(one) for one in found]
        if marks and all(marks):
            self.modules.met_mark(self.api.tree)
            return marks[0] if self.expr is None or self.still_holds(self.expr) else None
        if len(found) != 1 or not isinstance(self.expr, NameExpr) or not isinstance(self.expr.node, Var):
            return None
        return SELF if self._is_self(self.expr.node) else self._given(self.expr.node, found[0])

    def _is_self(self, var: Var) -> bool:
        """Whether this is `self` in a @readonly method, by this or another name, or in a function within one."""
        query = next((one for one in self.api.scope.stack if isinstance(one, FuncItem) and one.info and one.arguments), None)
        if query is None or not facts.is_readonly(query.info, query.name):
            return False
        own = query.arguments[0].variable
        if var is own:
            return True
        given = self.sites.bound(var)
        return len(given) == 1 and isinstance(given[0].value, NameExpr) and given[0].value.node is own

    def _given(self, var: Var, typ: Instance) -> str | None:
        """The mark of what a variable with an annotation was given: `page: Page = wiki.get_page("x")` is no other page for it."""
        if var.is_inferred or not self.modules.has_marks(self.api.tree):
            return None
        given = self.sites.bound(var)
        value = self._type_of(given[0]) if len(given) == 1 else None
        return mark_of(value) if isinstance(value, Instance) and value.type is typ.type else None

    def still_holds(self, expr: Expression) -> bool:
        """Whether a name or attribute holds what its type was marked for: mypy keeps the mark of the first value for all later ones.

        What it was given last decides, where that is known; else all that it is ever given.
        """
        if isinstance(expr, MemberExpr) and self.api.has_type(expr.expr) and mark_of(self.api.lookup_type(expr.expr)):
            return True  # an attribute of a proxy: giving it something else is what is reported
        given = self._given_last(expr)
        if given is not None:
            return mark_of(given) is not None
        if not isinstance(expr, NameExpr) or not isinstance(expr.node, Var):
            return not self._is_declared_plain(expr)
        return self._always_marked(expr, expr.node)

    def _always_marked(self, expr: NameExpr, var: Var) -> bool:
        """Whether a variable is only given marked values, as far as the program has come; of one of another function, ever."""
        if not var.is_inferred and mark_of(var.type) is not None:
            return True
        own = var.is_self or expr.kind != GDEF or self.api.scope.top_level_function() is None
        given = self.sites.bound(var, expr.line if own else None)
        if len(given) <= 1:
            first = given[0].value if given else None
            return not isinstance(first, NameExpr) or self.still_holds(first)
        types = [self._type_of(one) for one in given]
        return all(mark_of(one) is not None for one in types if not isinstance(one, NoneType))

    def _given_last(self, expr: Expression) -> Type | None:
        """What a name was given last, as far as mypy keeps it. A condition that narrowed it since says nothing about that."""
        key = literal_hash(expr)
        if key is None:
            return None
        entries = (frame.types[key] for frame in reversed(self.api.binder.frames) if key in frame.types)
        return next((one.type for one in entries if one.from_assignment), None)

    def _type_of(self, one: Binding) -> ProperType | None:
        """The type of what a variable is given somewhere; None if it is not known."""
        return get_proper_type(self.api.lookup_type(one.value)) if one.value is not None and self.api.has_type(one.value) else None

    def _is_declared_plain(self, expr: Expression) -> bool:
        """Whether an attribute has an annotation that says a plain type."""
        if not isinstance(expr, MemberExpr) or not self.api.has_type(expr.expr):
            return False
        owner = get_proper_type(self.api.lookup_type(expr.expr))
        node = owner.type.get(expr.name) if isinstance(owner, Instance) else None
        var = node.node if node is not None else None
        return isinstance(var, Var) and not var.is_inferred and not var.is_property and mark_of(var.type) is None

    def rely_on(self, info: TypeInfo) -> None:
        """Have mypy's daemon check this place again when the facts of a class change."""
        function = self.api.scope.top_level_function()
        target = str(function.fullname if function is not None else self.api.tree.fullname)
        for base in info.mro:
            if facts.known(base):
                self.api.tree.plugin_deps.setdefault(f"<{base.module_name}.{facts.published(base)}>", set()).add(target)


def _receiver(context: Context) -> Expression | None:
    if isinstance(context, CallExpr):
        context = context.callee
    if isinstance(context, MemberExpr):
        return context.expr
    if isinstance(context, IndexExpr):
        return context.base
    return context.lvalue if isinstance(context, OperatorAssignmentStmt) else None


def is_plain(typ: Type, context: Context) -> bool:
    """Whether this is certainly nothing to coopy: no mark, and not a name that may be `self` or have an annotation. Most things are."""
    return isinstance(typ, Instance) and typ.extra_attrs is None and not isinstance(_receiver(context), NameExpr)


def instances(typ: Type, owner: str) -> list[Instance]:
    """The objects that a value of this type may be and that have the class `owner`, a full name, among their bases."""
    proper = get_proper_type(typ)
    if isinstance(proper, Instance):
        return [proper]
    items = proper.items if isinstance(proper, UnionType) else [proper]
    found = []
    for item in items:
        one = get_proper_type(item)
        if isinstance(one, TypedDictType):
            one = one.fallback
        elif isinstance(one, TupleType):
            one = one.partial_fallback
        if isinstance(one, Instance) and any(base.fullname == owner for base in one.type.mro):
            found.append(one)
    return found
