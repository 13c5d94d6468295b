"""Where something is done: what is there at this moment, by its type, by what the name was given, and by the method around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mypy.nodes import (
    CallExpr,
    Expression,
    FuncDef,
    FuncItem,
    IndexExpr,
    MemberExpr,
    MypyFile,
    NameExpr,
    Node,
    OperatorAssignmentStmt,
    OpExpr,
    Var,
)
from mypy.types import Instance, ProperType, TupleType, Type, TypedDictType, UnionType, get_proper_type

from coopy.mypy_plugin import facts
from coopy.mypy_plugin.marks import mark_of
from coopy.mypy_plugin.origins import Origins
from coopy.mypy_plugin.sites import Sites

if TYPE_CHECKING:
    from mypy.nodes import Context, TypeInfo

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
        if len(found) != 1 or self.expr is None:
            return None
        if isinstance(self.expr, NameExpr) and isinstance(self.expr.node, Var):
            return SELF if self._is_self(self.expr.node) else self._given(self.expr.node, found[0])
        return self._either(self.expr, found[0]) if isinstance(self.expr, OpExpr) and self.expr.op == "or" else None

    def _either(self, expr: OpExpr, typ: Instance) -> str | None:
        """The mark of `a or b`, if both have one: mypy loses it with the question whether `a` is true."""
        sides = [self.api.lookup_type(one) for one in (expr.left, expr.right) if self.api.has_type(one)]
        marks = [mark_of(one) for one in sides]
        same = all(any(one.type is typ.type for one in instances(side, typ.type.fullname)) for side in sides)
        return marks[0] if len(marks) == len((expr.left, expr.right)) and all(marks) and same and self.still_holds(expr) else None

    def _is_self(self, var: Var) -> bool:
        """Whether this is `self` in a @readonly method, by this or another name, or in a function within one."""
        query = next((one for one in self.api.scope.stack if isinstance(one, FuncItem) and one.info and one.arguments), None)
        if query is None or not facts.is_readonly(query.info, query.name):
            return False
        own = query.arguments[0].variable
        if var is own:
            return True
        given = self.sites.bound(var)
        return len(given) == 1 and isinstance(given[0].source, NameExpr) and given[0].source.node is own

    def _given(self, var: Var, typ: Instance) -> str | None:
        """The mark of what a variable was given, where mypy does not have it.

        With an annotation, `page: Page = wiki.get_page("x")`, it is no other page for it; `assert page` and `isinstance(page, Draft)` lose it.
        """
        if not self.modules.has_marks(self.api.tree):
            return None
        for one in _items(var.type):
            if isinstance(one, Instance) and mark_of(one) and typ.type.has_base(one.type.fullname):
                return mark_of(one) if self.expr is not None and self.still_holds(self.expr) else None
        given = self.sites.bound(var)
        source = given[0].source if len(given) == 1 and given[0].whole and not var.is_inferred else None
        value = get_proper_type(self.api.lookup_type(source)) if source is not None and self.api.has_type(source) else None
        return mark_of(value) if isinstance(value, Instance) and value.type is typ.type else None

    def still_holds(self, expr: Expression) -> bool:
        """Whether a value is what its type was marked for."""
        return not Origins(self.api, self.sites, self._is_self).is_plain(expr, self._scope())

    def _scope(self) -> Node:
        """The function around, or the module."""
        return next((one for one in reversed(self.api.scope.stack) if isinstance(one, FuncDef | MypyFile)), self.api.tree)

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
    return isinstance(typ, Instance) and typ.extra_attrs is None and not isinstance(_receiver(context), NameExpr | OpExpr)


def _items(typ: Type | None) -> list[ProperType]:
    """The types that a value of this type may have."""
    proper = get_proper_type(typ)
    if isinstance(proper, UnionType):
        return [get_proper_type(item) for item in proper.items]
    return [] if proper is None else [proper]


def instances(typ: Type, owner: str) -> list[Instance]:
    """The objects that a value of this type may be and that have the class `owner`, a full name, among their bases."""
    proper = get_proper_type(typ)
    if isinstance(proper, Instance):
        return [proper]
    found = []
    for item in _items(proper):
        one = item.fallback if isinstance(item, TypedDictType) else item.partial_fallback if isinstance(item, TupleType) else item
        if isinstance(one, Instance) and any(base.fullname == owner for base in one.type.mro):
            found.append(one)
    return found
