"""Where something is done: what is there at this moment, by its type, by what the name was given, and by the method around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mypy.literals import literal_hash
from mypy.nodes import CallExpr, Expression, FuncItem, IndexExpr, MemberExpr, NameExpr, OperatorAssignmentStmt, Var
from mypy.types import Instance, Type, TypedDictType, UnionType, get_proper_type

from coopy.mypy_plugin import facts
from coopy.mypy_plugin.domain import published
from coopy.mypy_plugin.marks import mark_of
from coopy.mypy_plugin.tree import Sites

if TYPE_CHECKING:
    from mypy.nodes import Context, MypyFile, TypeInfo

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
        """Whether this is `self` in a @readonly method, or in a function within one."""
        if not var.is_self:
            return False
        for one in self.api.scope.stack:
            if isinstance(one, FuncItem) and one.arguments and one.arguments[0].variable is var:
                return bool(one.info) and facts.is_readonly(one.info, one.name)
        return False

    def _given(self, var: Var, typ: Instance) -> str | None:
        """The mark of what a variable with an annotation was given: `page: Page = wiki.get_page("x")` is no other page for it."""
        if var.is_inferred or not self.modules.has_marks(self.api.tree):
            return None
        given = self.sites.bound(var)
        if len(given) != 1 or given[0] is None or not self.api.has_type(given[0]):
            return None
        value = get_proper_type(self.api.lookup_type(given[0]))
        return mark_of(value) if isinstance(value, Instance) and value.type is typ.type else None

    def still_holds(self, expr: Expression) -> bool:
        """Whether the name holds what its type was marked for: mypy keeps the mark of a name's first value for all later ones."""
        if isinstance(expr, NameExpr):
            given = self.sites.bound(expr.node) if isinstance(expr.node, Var) else []
            if len(given) <= 1:
                return not given or not isinstance(given[0], NameExpr) or self._all_marked(given[0])
        elif isinstance(expr, MemberExpr) and self.api.has_type(expr.expr) and mark_of(self.api.lookup_type(expr.expr)):
            return True  # an attribute of a proxy: giving it something else is what is reported
        key = literal_hash(expr)
        entry = next((frame.types[key] for frame in reversed(self.api.binder.frames) if key in frame.types), None) if key else None
        if entry is not None:
            return not entry.from_assignment or mark_of(entry.type) is not None
        if isinstance(expr, NameExpr):
            return self._all_marked(expr)
        return not self._is_declared_plain(expr)

    def _all_marked(self, name: NameExpr) -> bool:
        """Whether a name was given nothing but marked values, as far as their types are known by now."""
        given = self.sites.bound(name.node) if isinstance(name.node, Var) else []
        if len(given) <= 1:
            return True
        known = [self.api.lookup_type(one) for one in given if one is not None and self.api.has_type(one)]
        return all(mark_of(one) is not None for one in known)

    def _is_declared_plain(self, expr: Expression) -> bool:
        """Whether an attribute has an annotation that says a plain type."""
        if not isinstance(expr, MemberExpr) or not self.api.has_type(expr.expr):
            return False
        owner = get_proper_type(self.api.lookup_type(expr.expr))
        node = owner.type.get(expr.name) if isinstance(owner, Instance) else None
        var = node.node if node is not None else None
        return isinstance(var, Var) and not var.is_inferred and not var.is_property and mark_of(var.type) is None and mark_of(owner) is None

    def rely_on(self, info: TypeInfo) -> None:
        """Have mypy's daemon check this place again when the facts of a class change."""
        function = self.api.scope.top_level_function()
        target = str(function.fullname if function is not None else self.api.tree.fullname)
        for base in info.mro:
            if facts.known(base):
                self.api.tree.plugin_deps.setdefault(f"<{base.module_name}.{published(base)}>", set()).add(target)


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
        if isinstance(one, Instance) and any(base.fullname == owner for base in one.type.mro):
            found.append(one)
    return found
