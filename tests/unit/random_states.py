"""Random states as recipes, from which an equal state can be built again in another way: what two builds share is only what counts.

A recipe is a list of nodes, the first of which is the root: (kind, contents). What a node contains is a leaf, a reference to a node by its
number, or a tuple, frozenset or frozen dataclass of such.
"""

from __future__ import annotations

import collections
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.unit.things import Node, Page, Slotted

if TYPE_CHECKING:
    import random

KINDS = ("list", "dict", "set", "node", "page", "slotted", "deque", "default", "ordered", "shelf")
HASHABLE = ("node", "slotted")  # what may be in a set
LEAVES = (
    None,
    True,
    False,
    1,
    0,
    -1,
    2**64,
    10**30,
    1.0,
    -0.0,
    0.5,
    float("nan"),
    "a",
    "b",
    "\ud800",
    b"a",
    b"",
    "",
    (),
    (1, "a"),
    (1.0,),
    1j,
)
WORDS = ("a", "b", "", b"a", "\ud800", "long " * 5, ("a", "b"), ("b",), frozenset(("a", "b")))


@dataclass(frozen=True)
class Frame:
    inside: Any


class Shelf:
    """Objects in sets only."""

    def __init__(self) -> None:
        self.first, self.second = set[Any](), set[Any]()


def recipe(dice: random.Random) -> list[Any]:
    """Of 1 to 9 nodes."""
    kinds = [dice.choice(KINDS) for _ in range(dice.randint(1, 9))]
    names = dice.choice((("same",), ("same", "other"), tuple(map(str, range(9)))))
    return [(kind, [_content(kinds, kind, dice, names) for _ in range(dice.randint(0, 4))]) for kind in kinds]


def _content(kinds: list[str], kind: str, dice: random.Random, names: tuple[str, ...]) -> Any:
    if kind in {"set", "shelf"}:
        return _element(kinds, dice)
    if kind == "node" and dice.random() < 0.5:
        return ("leaf", dice.choice(names))
    return _part(kinds, dice, 0)


def _part(kinds: list[str], dice: random.Random, depth: int) -> Any:
    which = dice.random()
    if which < 0.4:
        return ("leaf", dice.choice(LEAVES))
    if which < 0.75 or depth > 2:
        return ("node", dice.randrange(len(kinds)))
    if which < 0.85:
        return ("tuple", [_part(kinds, dice, depth + 1) for _ in range(dice.randint(0, 3))])
    if which < 0.92:
        return ("frame", [_part(kinds, dice, depth + 1)])
    return ("frozenset", [_element(kinds, dice) for _ in range(dice.randint(0, 3))])


def _element(kinds: list[str], dice: random.Random) -> Any:
    hashable = [number for number, kind in enumerate(kinds) if kind in HASHABLE]
    if hashable and dice.random() < 0.7:
        found = ("node", dice.choice(hashable))
        return ("tuple", [found, ("leaf", "a")]) if dice.random() < 0.2 else found
    return ("leaf", dice.choice(WORDS))


def changed(nodes: list[Any], dice: random.Random) -> list[Any]:
    """The same with one more or another part in a node that the root leads to."""
    number = dice.choice(sorted(reachable(nodes)))
    kind, contents = nodes[number]
    new = ("leaf", "a new leaf")
    replaces = contents and kind not in {"set", "shelf", "dict", "default", "ordered"} and dice.random() < 0.5
    at = dice.randrange(len(contents)) if replaces else len(contents)
    return [*nodes[:number], (kind, [*contents[:at], new, *contents[at + 1 :]]), *nodes[number + 1 :]]


def reachable(nodes: list[Any]) -> set[int]:
    """Numbers of nodes that the root leads to."""
    found = set[int]()
    todo: list[tuple[str, Any]] = [("node", 0)]
    while todo:
        kind, what = todo.pop()
        if kind != "leaf" and (kind != "node" or what not in found):
            if kind == "node":
                found.add(what)
            todo += nodes[what][1] if kind == "node" else what
    return found


def built(nodes: list[Any], dice: random.Random) -> Any:
    """The state: objects made in any order at any addresses, sets filled in any order, each atom made anew or shared."""
    order = list(range(len(nodes)))
    dice.shuffle(order)
    objects, junk = {}, []
    for number in order:
        junk.append([object() for _ in range(dice.randrange(5))])
        objects[number] = _empty(nodes[number][0])
    for number in order:
        _fill(objects[number], nodes[number], objects, dice)
    return objects[0]


def _empty(kind: str) -> Any:
    makers: dict[str, Any] = {
        "list": list, "dict": dict, "set": set, "node": Node, "page": lambda: Page(""), "slotted": lambda: Slotted(None), "deque": collections.deque,
        "default": lambda: collections.defaultdict(list), "ordered": collections.OrderedDict, "shelf": Shelf,
    }  # fmt: skip
    return makers[kind]()


def _fill(one: Any, node: Any, objects: dict[int, Any], dice: random.Random) -> None:
    kind, contents = node
    parts = [_made(part, objects, dice) for part in contents]
    if kind == "set":
        dice.shuffle(parts)
        one.update(parts)
    elif kind == "shelf":
        half = len(parts) // 2
        for place, some in ((one.first, parts[:half]), (one.second, parts[half:])):
            dice.shuffle(some)
            place.update(some)
    elif kind in {"dict", "default", "ordered"}:
        one.update((_copied(f"key {at}", dice), part) for at, part in enumerate(parts))
    elif kind in {"list", "deque"}:
        one.extend(parts)
    elif kind == "node":
        named = [(f"part{at}", part) for at, part in enumerate(parts)]
        dice.shuffle(named)
        vars(one).update(named)
    elif parts and kind == "slotted":
        one.a = parts[0]
        one.b = parts[1:]
    elif kind == "page":
        one.words.extend(parts)


def _made(part: Any, objects: dict[int, Any], dice: random.Random) -> Any:
    kind, what = part
    if kind == "leaf":
        return _copied(what, dice)
    if kind == "node":
        return objects[what]
    parts = [_made(one, objects, dice) for one in what]
    if kind == "frozenset":
        dice.shuffle(parts)
        return frozenset(parts)
    return Frame(parts[0]) if kind == "frame" else tuple(parts)


def _copied(value: Any, dice: random.Random) -> Any:
    """The same value, perhaps another object."""
    if dice.random() < 0.5:
        return value
    if isinstance(value, str):
        return "".join(list(value))
    if isinstance(value, bytes):
        return bytes(bytearray(value))
    if isinstance(value, tuple):
        return tuple([_copied(one, dice) for one in value])
    if isinstance(value, frozenset):
        return frozenset(_copied(one, dice) for one in sorted(value, reverse=True))
    return value if value is None or isinstance(value, bool) else type(value)(str(value))
