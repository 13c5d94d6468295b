"""Classes made by a call: `type("Point", (Base,), {"x": 1})`, as the class statement that says the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.validation import summary as s

if TYPE_CHECKING:
    from coopy.validation.link.hazards import Args

PARTS = 3  # name, bases, namespace


def class_statement(at: int, args: Args) -> s.Class | None:
    """The statement for a call of `type` at a place; None if its parts are not all written there."""
    if len(args.positional) != PARTS or len(args.nodes) != PARTS:
        return None
    name, bases, body = args.nodes
    if not (isinstance(bases, s.Display) and isinstance(body, s.DictDisplay)):
        return None
    assigned: list[s.Stmt] = []
    for key, value in body.items:
        if not (isinstance(key, s.Const) and key.kind == "str"):
            return None
        assigned.append(s.Assign(key.at, [s.Name(key.at, key.text)], value, None))
    return s.Class(at, _name(name), bases.items, [], [], assigned)


def bare_statement(at: int, args: Args) -> s.Class:
    """The statement for a call whose parts are not all written there: a name alone."""
    return s.Class(at, _name(args.node(0, "name")), [], [], [], [])


def _name(node: s.Expr | None) -> str:
    return node.text if isinstance(node, s.Const) else "type"
