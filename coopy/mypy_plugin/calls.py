"""What a call, an attribute and an assignment mean, by the mark of what they are made on. Decides; the hooks ask and report.

on a proxy       private names, attributes that are set; what an action is given
on a replica     the same, and actions
on a view        whatever changes it
in a query       the same on `self` and on what was reached through it
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mypy.nodes import (
    ARG_STAR,
    ARG_STAR2,
    Decorator,
    DictExpr,
    Expression,
    LambdaExpr,
    ListExpr,
    MemberExpr,
    OperatorAssignmentStmt,
    OverloadedFuncDef,
    SetExpr,
    TupleExpr,
    TypeInfo,
    Var,
)  # fmt: skip
from mypy.types import Instance, Type, UnionType, get_proper_type

from coopy.kinds import ACTION_SPECIALS, IN_PLACE, UNPICKLABLE
from coopy.mypy_plugin import codes, facts
from coopy.mypy_plugin.marks import OWN, PROXIES, PROXY, REPLICA, VIEW, is_changeable, mark_of
from coopy.mypy_plugin.places import SELF

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy.errorcodes import ErrorCode
    from mypy.nodes import Context

    from coopy.mypy_plugin.places import Place

__all__ = ["Finding", "argument_findings", "attribute_finding", "call_finding", "private_finding", "reached", "set_by_name"]

_HAPPENS = {"__setitem__": "An item is set", "__delitem__": "An item is deleted"}
_DOES = {"__setitem__": "sets an item of the state", "__delitem__": "deletes an item of the state"}
_NEVER_PICKLED = UNPICKLABLE | frozenset((
    "_thread.lock", "_thread.LockType", "_thread.RLock", "threading._RLock", "_queue.SimpleQueue", "_socket.socket", "_contextvars.ContextVar",
    "_contextvars.Context", "_thread._local", "_threading_local.local", "weakref.ReferenceType", "_weakref.ReferenceType", "_weakrefset.WeakSet",
    *(f"_io.{one}" for one in ("TextIOWrapper", "BufferedReader", "BufferedWriter", "BufferedRandom", "FileIO")),
    *("typing.Generator", "typing.AsyncGenerator", "typing.Coroutine", "types.GeneratorType", "types.CoroutineType", "types.AsyncGeneratorType"),
    *("types.ModuleType", "types.FrameType", "types.TracebackType", "asyncio.futures.Future", "_asyncio.Future", "asyncio.tasks.Task"),
    *("concurrent.futures._base.Executor", "concurrent.futures.thread.ThreadPoolExecutor", "concurrent.futures.process.ProcessPoolExecutor"),
))  # fmt: skip


class Finding(NamedTuple):
    """What to say, and under which code."""

    code: ErrorCode
    text: str


def reached(mark: str) -> str:
    """The mark of what is reached through something that has this one."""
    return OWN if mark in (SELF, OWN) else VIEW


# --- attributes ------------------------------------------------------------------------------------------------------


def attribute_finding(mark: str, info: TypeInfo, name: str) -> Finding | None:
    """An attribute is assigned or deleted."""
    is_property, settable = _property(info, name)
    if is_property and not settable:
        return None  # mypy says that already
    if mark == PROXY:
        return None if is_property else _set(info, name)
    if mark == REPLICA:
        return _on_replica(name) if is_property else _set(info, name)
    if mark == VIEW:
        return _changed(f'"{name}" is set', info)
    return _in_query(f'sets "{name}"')


def private_finding(mark: str, name: str) -> Finding | None:
    """A name is taken from a proxy."""
    if mark not in PROXIES or not name.startswith("_") or name.startswith("__"):
        return None
    what = f'"{name}" is private: a proxy gives only public names, and what private ones do is not recorded; write a public method'
    return Finding(codes.PRIVATE, what)


def set_by_name(mark: str, info: TypeInfo) -> Finding | None:
    """setattr() and delattr()."""
    return attribute_finding(mark, info, "")


def _property(info: TypeInfo, name: str) -> tuple[bool, bool]:
    symbol = info.get(name)
    node = symbol.node if symbol is not None else None
    if isinstance(node, OverloadedFuncDef) and node.is_property:
        node = node.items[0]
    if isinstance(node, Decorator):
        return node.var.is_property, node.var.is_settable_property
    return (node.is_property, node.is_settable_property) if isinstance(node, Var) else (False, False)


def _set(info: TypeInfo, name: str) -> Finding:
    called = f'"{name}"' if name else "An attribute"
    what = f"{called} of a proxy is set from outside: no journal has that, and the proxy refuses it; write a method of {info.name} that sets it"
    return Finding(codes.SET, what)


def _on_replica(name: str) -> Finding:
    what = f'"{name}" is an action, a replica or a past state only answers queries: call it on the primary, or mark it as @readonly if it changes nothing'
    return Finding(codes.REPLICA, what)


def _changed(how: str, info: TypeInfo) -> Finding:
    what = f"{how} on a {info.name} that is part of a system: no journal has that, the next restart forgets it"
    what += "; change it in a method of the domain, or change a copy"
    return Finding(codes.MUTATE, what)


def _in_query(what: str) -> Finding:
    return Finding(
        codes.READONLY, f"A @readonly method {what}: a query is not recorded, the next restart forgets its changes; make it an action"
    )


# --- calls -----------------------------------------------------------------------------------------------------------


def call_finding(mark: str, info: TypeInfo, name: str, context: Context) -> Finding | None:
    """A method is called on something marked, whatever its arguments."""
    if mark in PROXIES:
        if (private := private_finding(mark, name)) is not None:
            return private
        acts = facts.is_action(info, name) or name in facts.ITEM_CHANGES
        return _on_replica(name) if mark == REPLICA and acts and facts.is_own(info, name) else None
    if mark == SELF:
        acts = (facts.is_action(info, name) and facts.is_own(info, name)) or facts.is_changing(info, name)
        return _in_query(f'calls "{name}", which changes the state') if acts else None
    if not facts.is_changing(info, name) or (
        name in IN_PLACE and isinstance(context, OperatorAssignmentStmt) and isinstance(context.lvalue, MemberExpr)
    ):
        return None
    if mark == VIEW:
        return _changed(_HAPPENS.get(name, f'"{name}" is called'), info)
    return _in_query(_DOES.get(name, f'calls "{name}" on the state'))


def argument_findings(place: Place, info: TypeInfo, name: str, ctx: Any) -> Iterator[tuple[Finding, Context]]:
    """What an action is given that it cannot be given."""
    if not (facts.is_action(info, name) or name in ACTION_SPECIALS) or facts.is_readonly(info, name):
        return
    for types, exprs, kinds in zip(ctx.arg_types, ctx.args, ctx.arg_kinds, strict=True):
        for typ, expr, kind in zip(types, exprs, kinds, strict=True):
            if kind in (ARG_STAR, ARG_STAR2):
                continue
            if (what := _unpicklable(place, typ, expr)) is not None:
                text = f"An argument of {name}() is {what}: it cannot be recorded, the call is refused; pass what it is made from"
                yield Finding(codes.PICKLE, text), expr
            elif _is_live(place, typ, expr):
                text = f"An argument of {name}() is a live part of a system: the action gets a copy of it, as a restart will"
                text += "; pass its name or key, or build a new object"
                yield Finding(codes.ALIAS, text), expr


def _unpicklable(place: Place, typ: Type, expr: Expression) -> str | None:
    """What it is, if no value of this type can ever be recorded."""
    if isinstance(expr, LambdaExpr):
        return "a lambda"
    proper = get_proper_type(typ)
    if mark_of(proper) in PROXIES and place.still_holds(expr):
        return "the proxy of a system"
    if isinstance(proper, UnionType):
        found = [_unpicklable(place, item, expr) for item in proper.items]
        return found[0] if all(found) else None
    if isinstance(proper, Instance):
        return next((f"a {base.name}" for base in proper.type.mro if base.fullname in _NEVER_PICKLED), None)
    return None


def _is_live(place: Place, typ: Type, expr: Expression) -> bool:
    """Whether this is itself an object reached through a proxy, or visibly a new container of such."""
    if isinstance(expr, ListExpr | SetExpr | TupleExpr):
        return any(_is_live(place, place.api.lookup_type(one), one) for one in expr.items if place.api.has_type(one))
    if isinstance(expr, DictExpr):
        values = (one for key, one in expr.items if key is not None)  # what ** unpacks is copied
        return any(_is_live(place, place.api.lookup_type(one), one) for one in values if place.api.has_type(one))
    return mark_of(typ) == VIEW and is_changeable(typ) and place.still_holds(expr)
