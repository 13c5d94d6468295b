"""Where a value comes from, as the syntax has it: whether it is plain, although its type carries a mark.

mypy gives a variable the type of its first value, with its mark; what it is given later, and all that is made from it, seem to carry that mark
too. So a mark is believed only if nothing that the value is made from is visibly plain. Doubt is no reason to disbelieve it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mypy.nodes import (
    AssignmentExpr,
    AwaitExpr,
    CallExpr,
    ConditionalExpr,
    DictExpr,
    DictionaryComprehension,
    Expression,
    GeneratorExpr,
    IndexExpr,
    ListComprehension,
    ListExpr,
    MemberExpr,
    NameExpr,
    Node,
    OpExpr,
    SetComprehension,
    SetExpr,
    StarExpr,
    TupleExpr,
    Var,
)  # fmt: skip
from mypy.types import Instance, NoneType, ProperType, get_proper_type

from coopy.mypy_plugin.marks import has_marks, mark_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.mypy_plugin.sites import Binding, Sites

__all__ = ["Origins"]

_DEEP = 12


class Origins:
    """The question for one module. `is_own`: whether a variable is `self` in a query, of which no type says that all below is state."""

    def __init__(self, api: Any, sites: Sites, is_own: Callable[[Var], bool]) -> None:
        self._api, self._sites, self._is_own = api, sites, is_own

    def is_plain(self, expr: Expression, scope: Node, *, own: bool = True, depth: int = 0) -> bool:
        """Whether what an expression gives is visibly nothing to coopy.

        `own`: the mark in question is that of the value itself, not of what is in it. `scope`: the function, or the module, around it.
        """
        if depth > _DEEP:
            return False
        if isinstance(expr, NameExpr):
            given = self._sites.reaching(expr.node, expr, scope) if isinstance(expr.node, Var) else []
            return any(self._is_plain_binding(one, own, depth) for one in given)
        if isinstance(expr, MemberExpr):
            return self._is_plain_attribute(expr, scope, own, depth)
        if isinstance(expr, _MADE) and own:
            return True
        same = isinstance(expr, _SAME)
        parts = [one for one in _parts(expr) if one is not None and not self._is_unmarked(one)]
        if not parts:
            return isinstance(expr, _MADE)  # of nothing that is marked; a call of something declared so gives what it declares
        return all(self.is_plain(one, scope, own=own if same else mark_of(self._type(one)) is not None, depth=depth + 1) for one in parts)

    def _type(self, expr: Expression) -> ProperType | None:
        return get_proper_type(self._api.lookup_type(expr)) if self._api.has_type(expr) else None

    def _is_unmarked(self, expr: Expression) -> bool:
        """Whether the type of an expression is known and has no mark anywhere."""
        typ = self._type(expr)
        return typ is not None and not has_marks(typ) and not self._is_state(expr)

    def _is_state(self, expr: Expression) -> bool:
        """Whether this is `self` in a query, or an attribute of that."""
        if isinstance(expr, MemberExpr):
            return self._is_state(expr.expr)
        return isinstance(expr, NameExpr) and isinstance(expr.node, Var) and self._is_own(expr.node)

    def _is_plain_binding(self, one: Binding, own: bool, depth: int) -> bool:  # noqa: FBT001 - as is_plain has it
        if one.source is None or isinstance(self._type(one.source), NoneType):
            return False
        own = own and one.whole
        typ = self._type(one.source)
        if typ is not None and not self._is_state(one.source) and (mark_of(typ) is None if own else not has_marks(typ)):
            return True
        return self.is_plain(one.source, one.scope, own=own, depth=depth + 1)

    def _is_plain_attribute(self, expr: MemberExpr, scope: Node, own: bool, depth: int) -> bool:  # noqa: FBT001 - as above
        """Of something marked as that is; else by its annotation, or by what its class gives it in this module."""
        owner = self._type(expr.expr)
        if mark_of(owner) is not None:
            return self.is_plain(expr.expr, scope, depth=depth + 1)
        if not isinstance(owner, Instance) or self._is_state(expr.expr):
            return False
        symbol = owner.type.get(expr.name)
        var = symbol.node if symbol is not None else None
        if not isinstance(var, Var) or var.is_property:
            return False
        if not var.is_inferred:
            return not has_marks(var.type)
        given = self._sites.attributes.get((var.info.fullname, expr.name), [])
        here = self._sites.in_force(given, expr, scope)
        if here:
            return any(self._is_plain_binding(one, own, depth) for one in here)
        return bool(given) and all(self._is_plain_binding(one, own, depth) for one in given)


_SAME = (OpExpr, ConditionalExpr, AssignmentExpr, AwaitExpr, StarExpr)
_MADE = (ListExpr, SetExpr, TupleExpr, DictExpr, ListComprehension, SetComprehension, DictionaryComprehension, GeneratorExpr)


# What the value of an expression is made from, by kind of expression.
_PARTS: dict[type, Callable[[Any], list[Expression | None]]] = {
    CallExpr: lambda expr: [expr.callee.expr if isinstance(expr.callee, MemberExpr) else None, *expr.args],
    IndexExpr: lambda expr: [expr.base],
    ListExpr: lambda expr: expr.items,
    SetExpr: lambda expr: expr.items,
    TupleExpr: lambda expr: expr.items,
    DictExpr: lambda expr: [value for _, value in expr.items],
    ListComprehension: lambda expr: [expr.generator.left_expr],
    SetComprehension: lambda expr: [expr.generator.left_expr],
    GeneratorExpr: lambda expr: [expr.left_expr],
    DictionaryComprehension: lambda expr: [expr.value],
    OpExpr: lambda expr: [expr.left, expr.right],
    ConditionalExpr: lambda expr: [expr.if_expr, expr.else_expr],
    AssignmentExpr: lambda expr: [expr.value],
    AwaitExpr: lambda expr: [expr.expr],
    StarExpr: lambda expr: [expr.expr],
}


def _parts(expr: Expression) -> list[Expression | None]:
    find = _PARTS.get(type(expr))
    return find(expr) if find is not None else []
