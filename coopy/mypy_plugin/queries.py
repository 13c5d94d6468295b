"""What a query changes that no hook sees when the program is checked: judged by syntax, while its class is defined.

A call of super() reaches no hook, nor does the first assignment of an attribute, which defines it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy.nodes import CallExpr, ClassDef, Decorator, FuncDef, NameExpr, OverloadedFuncDef, SuperExpr

from coopy.kinds import CHANGES, INJECTED
from coopy.mypy_plugin import facts
from coopy.mypy_plugin.tree import assigned, class_members, nodes_below, own_attributes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy.nodes import Context, TypeInfo

__all__ = ["changes_unseen"]

_FORGOTTEN = "a query is not recorded, the next restart forgets its changes; make it an action"


def changes_unseen(cls: ClassDef, readonly: frozenset[str]) -> Iterator[tuple[Context, str]]:
    """Each such place in a class with what to say. `readonly`: the names of its queries."""
    functions = [function for function, _ in facts.methods_of(cls)]
    queries = [one for one in functions if one.name in readonly]
    for query in queries:
        yield from _super_calls(query, cls.info)
    if queries:
        yield from _new_attributes(cls, functions, queries)


def _super_calls(query: FuncDef, info: TypeInfo) -> Iterator[tuple[Context, str]]:
    for node in nodes_below(query.body):
        if isinstance(node, CallExpr) and isinstance(node.callee, SuperExpr):
            name = node.callee.name
            above = next((base for base in info.mro[1:] if name in base.names), None)
            if above is not None and (facts.is_action(above, name) if facts.known(above) else _changes_container(name, info)):
                yield node, f"A @readonly method calls super().{name}(), which changes the state: {_FORGOTTEN}"


def _changes_container(name: str, info: TypeInfo) -> bool:
    """Whether the class is a container that this method, not overridden, changes."""
    return any(name in CHANGES.get(base.fullname, ()) for base in info.mro)


def _new_attributes(cls: ClassDef, functions: list[FuncDef], queries: list[FuncDef]) -> Iterator[tuple[Context, str]]:
    """A query gives the object an attribute that nothing else does."""
    known = {*INJECTED, *(name for base in cls.info.mro[1:] for name in base.names)}
    for one in class_members(cls):
        if isinstance(one, FuncDef | Decorator | OverloadedFuncDef | ClassDef):
            known.add(one.name)
        known.update(place.name for place in assigned(one) if isinstance(place, NameExpr))
    for function in functions:
        if function not in queries:
            known.update(place.name for _, place in own_attributes(function))
    for query in queries:
        for _, place in own_attributes(query):
            if place.name not in known:
                known.add(place.name)
                yield place, f'A @readonly method sets "{place.name}": {_FORGOTTEN}'
