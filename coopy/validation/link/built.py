"""Classes made by a call: `type("Point", (Base,), {"x": 1})`, as the class statement that says the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.validation import summary as s

if TYPE_CHECKING:
    from coopy.validation.link.hazards import Args

_PARTS = 3  # name, bases, namespace


def class_statement(at: int, args: Args) -> s.Class | None:
    """The statement for a call of `type` at a place; None if its parts are not all written there."""
    if len(args.positional) != _PARTS or len(args.nodes) != _PARTS:
        return None
    name, bases, body = args.nodes
    if not (isinstance(name, s.Const) and isinstance(bases, s.Display) and isinstance(body, s.DictDisplay)):
        return None
    assigned: list[s.Stmt] = []
    for key, value in body.items:
        if not (isinstance(key, s.Const) and key.kind == "str"):
            return None
        assigned.append(s.Assign(key.at, [s.Name(key.at, key.text)], value, None))
    return s.Class(at, name.text, bases.items, [], [], assigned)
