"""`_clock` and `_random`: where a class defines such a name itself, and whether that is visibly something else than coopy's own.

Visible is an annotation, a literal, a class, a function, and a call of which the type is declared. What is not visible is not a clash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mypy.nodes import (
    AssignmentStmt,
    BytesExpr,
    CallExpr,
    ClassDef,
    Decorator,
    DictExpr,
    FloatExpr,
    FuncDef,
    IntExpr,
    LambdaExpr,
    ListExpr,
    NameExpr,
    OverloadedFuncDef,
    SetExpr,
    Statement,
    StrExpr,
    TupleExpr,
    TypeInfo,
)  # fmt: skip
from mypy.types import CallableType, Instance, Type, UnboundType, get_proper_type

from coopy.kinds import INJECTED
from coopy.mypy_plugin.facts import methods_of
from coopy.mypy_plugin.tree import class_members, own_attributes, path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy.nodes import Argument, Expression

    Find = Callable[[str], Any]  # a dotted name as it stands there -> the node of what it means

__all__ = ["definitions", "is_other", "place_of"]

_PLAIN_VALUES = (IntExpr, StrExpr, FloatExpr, BytesExpr, ListExpr, DictExpr, SetExpr, TupleExpr, LambdaExpr)


def place_of(one: Statement) -> Statement:
    """Where a definition is reported: below its decorators."""
    first = one.items[0] if isinstance(one, OverloadedFuncDef) else one
    return first.func if isinstance(first, Decorator) else first


def definitions(cls: ClassDef, name: str) -> Iterator[tuple[Statement, FuncDef | None]]:
    """Where a class body, or a method by `self`, defines this name; with the method, if it is one."""
    for one in class_members(cls):
        if isinstance(one, AssignmentStmt):
            if any(isinstance(place, NameExpr) and place.name == name for place in one.lvalues):
                yield one, None
        elif isinstance(one, FuncDef | Decorator | OverloadedFuncDef | ClassDef) and one.name == name:
            yield one, None
    for function, _ in methods_of(cls):
        yield from ((one, function) for one, place in own_attributes(function) if place.name == name)


def is_other(one: Statement, function: FuncDef | None, name: str, find: Find) -> bool:
    """Whether a definition is visibly not a Clock or a Random."""
    wanted = INJECTED[name]
    if not isinstance(one, AssignmentStmt):
        return _is_other_member(one, wanted, find)
    if one.unanalyzed_type is not None:
        return _names_other(one.unanalyzed_type, wanted, find)
    if isinstance(one.rvalue, _PLAIN_VALUES):
        return True
    if isinstance(one.rvalue, CallExpr):
        return _gives_other(find(".".join(path_of(one.rvalue.callee))), wanted)
    path = path_of(one.rvalue)
    given = _argument(function, path)
    if given is not None:
        return given.type_annotation is not None and _names_other(given.type_annotation, wanted, find)
    return path in (("None",), ("True",), ("False",)) or isinstance(find(".".join(path)), FuncDef | TypeInfo)


def _is_other_member(one: Statement, wanted: str, find: Find) -> bool:
    getter = one.items[0] if isinstance(one, OverloadedFuncDef) else one
    if not isinstance(getter, Decorator) or not _is_property(getter):
        return True
    declared = getter.func.unanalyzed_type
    return isinstance(declared, CallableType) and _names_other(declared.ret_type, wanted, find)


def _is_property(one: Decorator) -> bool:
    decorators: list[Expression] = one.original_decorators or one.decorators
    return any("property" in "".join(path_of(each)[-1:]) for each in decorators)


def _argument(function: FuncDef | None, path: tuple[str, ...]) -> Argument | None:
    if function is None or len(path) != 1:
        return None
    return next((one for one in function.arguments if one.variable.name == path[0]), None)


def _names_other(typ: Type, wanted: str, find: Find) -> bool:
    node = find(typ.name) if isinstance(typ, UnboundType) else None
    return isinstance(node, TypeInfo) and not node.has_base(wanted)


def _gives_other(node: Any, wanted: str) -> bool:
    if isinstance(node, TypeInfo):
        return not node.has_base(wanted)
    typ = node.type if isinstance(node, FuncDef) else None
    given = get_proper_type(typ.ret_type) if isinstance(typ, CallableType) else None
    return isinstance(given, Instance) and not given.type.has_base(wanted)
