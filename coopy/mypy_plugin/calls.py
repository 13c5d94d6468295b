"""What a call, an attribute and an assignment mean, by the mark of what they are made on. Decides; the hooks ask and report.

on a proxy       private names, attributes that are set; what an action is given
on a replica     the same, and actions
on a view        whatever changes it
in a query       the same on `self` and on what was reached through it
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mypy.literals import literal_hash
from mypy.nodes import (
    ARG_STAR,
    ARG_STAR2,
    CallExpr,
    Decorator,
    DictExpr,
    Expression,
    FuncItem,
    IndexExpr,
    LambdaExpr,
    ListExpr,
    MemberExpr,
    NameExpr,
    OperatorAssignmentStmt,
    OverloadedFuncDef,
    SetExpr,
    TupleExpr,
    TypeInfo,
    Var,
)  # fmt: skip
from mypy.types import Instance, Type, TypedDictType, UnionType, get_proper_type

from coopy.kinds import CHANGES, UNPICKLABLE
from coopy.mypy_plugin import codes, facts
from coopy.mypy_plugin.domain import is_action, published
from coopy.mypy_plugin.marks import OWN, PROXIES, PROXY, REPLICA, VIEW, is_changeable, mark_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy.errorcodes import ErrorCode
    from mypy.nodes import Context

    from coopy.mypy_plugin.tree import Sites

__all__ = [
    "SELF",
    "Finding",
    "Place",
    "argument_findings",
    "attribute_finding",
    "call_finding",
    "private_finding",
    "reached",
    "set_by_name",
]

SELF = "coopy self"  # `self` in a @readonly method: no type carries it, the place says so
_SPECIAL_ACTIONS = frozenset((
    "__setitem__", "__delitem__", "__call__",
    *(f"__i{one}__" for one in ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow", "lshift", "rshift", "and", "or", "xor")),
))  # fmt: skip
_ITEM_CHANGES = ("__setitem__", "__delitem__")
_IN_PLACE = _SPECIAL_ACTIONS - {*_ITEM_CHANGES, "__call__"}
_NEVER_PICKLED = UNPICKLABLE | frozenset((
    "_thread.lock", "_thread.LockType", "_thread.RLock", "threading._RLock", "_queue.SimpleQueue", "_socket.socket", "_contextvars.ContextVar",
    *(f"_io.{one}" for one in ("TextIOWrapper", "BufferedReader", "BufferedWriter", "BufferedRandom", "FileIO")),
    *("typing.Generator", "typing.AsyncGenerator", "typing.Coroutine", "types.GeneratorType", "types.CoroutineType", "types.AsyncGeneratorType"),
    *("types.ModuleType", "types.FrameType", "types.TracebackType", "asyncio.futures.Future", "_asyncio.Future", "asyncio.tasks.Task"),
    *("concurrent.futures._base.Executor", "concurrent.futures.thread.ThreadPoolExecutor", "concurrent.futures.process.ProcessPoolExecutor"),
))  # fmt: skip


class Finding(NamedTuple):
    """What to say, and under which code."""

    code: ErrorCode
    text: str


class Place:
    """Where something is done: the checker, the expression it is done on, and the module's sites."""

    def __init__(self, api: Any, sites: Sites, context: Context) -> None:
        self.api, self.sites, self.context = api, sites, context
        self.expr = _receiver(context)

    def mark(self, typ: Type) -> str | None:
        """The mark of what is there at this moment: its type's, unless the name was given something plain since; SELF in a query."""
        found = mark_of(typ)
        if found is None:
            return SELF if self._is_self() else None
        return found if self.expr is None or self.still_holds(self.expr) else None

    def _is_self(self) -> bool:
        if not isinstance(self.expr, NameExpr) or not isinstance(self.expr.node, Var) or not self.expr.node.is_self:
            return False
        for one in self.api.scope.stack:
            if isinstance(one, FuncItem) and one.arguments and one.arguments[0].variable is self.expr.node:
                return bool(one.info) and facts.is_readonly(one.info, one.name)
        return False

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


def _receiver(context: Context) -> Expression | None:
    if isinstance(context, CallExpr):
        context = context.callee
    if isinstance(context, MemberExpr):
        return context.expr
    if isinstance(context, IndexExpr):
        return context.base
    return context.lvalue if isinstance(context, OperatorAssignmentStmt) else None


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
        return _on_replica(info, name) if is_property else _set(info, name)
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


def _on_replica(info: TypeInfo, name: str) -> Finding:
    what = f'"{name}" is an action, a replica only answers queries: call it on the primary, or mark {info.name}.{name} as @readonly if it changes nothing'
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
        acts = is_action(info, name) or name in _ITEM_CHANGES
        return _on_replica(info, name) if mark == REPLICA and acts and _is_own(info, name) else None
    if mark == SELF:
        if is_action(info, name) or name in _ITEM_CHANGES:
            return _in_query(f'calls "{name}", an action')
        return _in_query(f'calls "{name}", which changes the state') if facts.changes(info, name) else None
    if not _is_changing(info, name) or (
        name in _IN_PLACE and isinstance(context, OperatorAssignmentStmt) and isinstance(context.lvalue, MemberExpr)
    ):
        return None
    return _changed(f'"{name}" is called', info) if mark == VIEW else _in_query(f'calls "{name}" on the state')


def _is_own(info: TypeInfo, name: str) -> bool:
    """Whether the method is the program's own: what a class of the library does is not known here."""
    symbol = info.get(name)
    owner = getattr(symbol.node, "info", None) if symbol is not None else None
    return isinstance(owner, TypeInfo) and facts.known(owner)


def _is_changing(info: TypeInfo, name: str) -> bool:
    """Whether a method changes its object."""
    if facts.changes(info, name) or name in _ITEM_CHANGES:
        return True
    kinds = [base.fullname for base in info.mro if base.fullname in CHANGES]
    if not kinds or _is_own(info, name):
        return False
    return name in _IN_PLACE or any(name in CHANGES[kind] for kind in kinds)


def argument_findings(place: Place, info: TypeInfo, name: str, ctx: Any) -> Iterator[tuple[Finding, Context]]:
    """What an action is given that it cannot be given."""
    if not (is_action(info, name) or name in _SPECIAL_ACTIONS) or facts.is_readonly(info, name):
        return
    for types, exprs, kinds in zip(ctx.arg_types, ctx.args, ctx.arg_kinds, strict=True):
        for typ, expr, kind in zip(types, exprs, kinds, strict=True):
            if kind in (ARG_STAR, ARG_STAR2):
                continue
            if (what := _unpicklable(typ, expr)) is not None:
                text = f"An argument of {name}() is {what}: it cannot be recorded, the call is refused; pass what it is made from"
                yield Finding(codes.PICKLE, text), expr
            elif _is_live(place, typ, expr):
                text = f"An argument of {name}() is a live part of a system: the action gets a copy of it, as a restart will"
                text += "; pass its name or key, or build a new object"
                yield Finding(codes.ALIAS, text), expr


def _unpicklable(typ: Type, expr: Expression) -> str | None:
    """What it is, if no value of this type can ever be recorded."""
    if isinstance(expr, LambdaExpr):
        return "a lambda"
    proper = get_proper_type(typ)
    if isinstance(proper, UnionType):
        found = [_unpicklable(item, expr) for item in proper.items]
        return found[0] if all(found) else None
    if isinstance(proper, Instance):
        return next((f"a {base.name}" for base in proper.type.mro if base.fullname in _NEVER_PICKLED), None)
    return None


def _is_live(place: Place, typ: Type, expr: Expression) -> bool:
    """Whether this is itself an object reached through a proxy, or visibly a new container of such."""
    if isinstance(expr, ListExpr | SetExpr | TupleExpr):
        return any(_is_live(place, place.api.lookup_type(one), one) for one in expr.items if place.api.has_type(one))
    if isinstance(expr, DictExpr):
        return any(_is_live(place, place.api.lookup_type(one), one) for _, one in expr.items if place.api.has_type(one))
    return mark_of(typ) in (VIEW, PROXY, REPLICA) and is_changeable(typ) and place.still_holds(expr)


def instances(typ: Type, owner: str) -> list[Instance]:
    """The objects that a value of this type may be and that have the class `owner`, a full name, among their bases."""
    proper = get_proper_type(typ)
    items = proper.items if isinstance(proper, UnionType) else [proper]
    found = []
    for item in items:
        one = get_proper_type(item)
        if isinstance(one, TypedDictType):
            one = one.fallback
        if isinstance(one, Instance) and any(base.fullname == owner for base in one.type.mro):
            found.append(one)
    return found


def rely_on(api: Any, info: TypeInfo) -> None:
    """Have mypy's daemon check this place again when the facts of a class change."""
    for base in info.mro:
        if facts.known(base):
            api.tree.plugin_deps.setdefault(f"<{base.module_name}.{published(base)}>", set()).add(_target(api))


def _target(api: Any) -> str:
    function = api.scope.top_level_function()
    return str(function.fullname if function is not None else api.tree.fullname)
