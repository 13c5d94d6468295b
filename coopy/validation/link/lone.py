"""Sets of one element: `{name}`, `frozenset((name,))`. They have one order, whatever the hash, as long as nothing is added to them.

A box that was made of one element has a cell `more`, which holds something once the box may have grown: whoever has taken it for a set of
one runs again then. A box without such a cell may have any number of elements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.validation import summary as s
from coopy.validation.link.values import TRUE, Pack

if TYPE_CHECKING:
    from coopy.validation.link.hazards import Args
    from coopy.validation.link.machine import Machine
    from coopy.validation.link.values import Box, Place

GROWING = frozenset(("add", "update", "symmetric_difference_update"))  # methods; `|=` and `^=` do the same


def hash_order(machine: Machine, box: Box) -> Place | None:
    """Where a container got the order of a hash table, if it has elements enough to show it."""
    return box.hashed if box.more is None or machine.read(box.more) else None


def grown(machine: Machine, box: Box) -> None:
    """A container may have more elements than it was made of."""
    if box.more is not None:
        machine.write(box.more, frozenset((TRUE,)))


def made_of_one(args: Args) -> bool:
    """Whether a call is given one tuple or list, of one element."""
    if len(args.positional) != 1 or args.open:
        return False
    node, values = args.node(0, ""), args.positional[0]
    if isinstance(node, s.Display):
        return node.kind in ("list", "tuple", "set") and one_item(node)
    return bool(values) and all(isinstance(one, Pack) and not one.names and len(one.items) == 1 for one in values)


def one_item(node: s.Display) -> bool:
    """Whether a display has one element, which stands for itself."""
    return len(node.items) == 1 and not isinstance(node.items[0], s.Star)
