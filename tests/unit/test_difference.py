"""Where two states differ: each place by its path, with what stands there in both."""

from __future__ import annotations

import collections
import datetime
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from coopy.difference import Difference, difference
from coopy.digest import digest
from tests.unit.things import Node, Pair, Slotted, Stop, Text, Wiki

if TYPE_CHECKING:
    from collections.abc import Callable


def wiki() -> Any:
    """Pages by name, an index that holds them once more in sets, visitors that only a set holds, and a few other things."""
    one: Any = Wiki({})
    one.pages = {name: Slotted(f"text of {name}") for name in "ABC"}
    one.index = {"even": {one.pages["B"]}, "odd": {one.pages["A"], one.pages["C"]}}
    one.tags = {"x", "y"}
    one.visitors = {Node(f"visitor {number}") for number in range(20)}
    one.first = one.pages["A"]
    one.queue = collections.deque([1, 2], 5)
    one.counts = collections.Counter("aab")
    one.pairs = [Pair(1, [2]), Pair(3, 4)]
    return one


def visitor(one: Any, name: str) -> Any:
    return next(some for some in one.visitors if some.name == name)


def replace_first(one: Any) -> None:
    one.first = pickle.loads(pickle.dumps(one.first))


def move_to_end(one: Any) -> None:
    one.pages["B"] = one.pages.pop("B")


def both_ways(path: str, element: str) -> list[str]:
    """An element of a set is not the other's."""
    return [f"{path}{{{element}}}: {element} != nothing", f"{path}{{{element}}}: nothing != {element}"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda one: setattr(one.pages["B"], "a", "new"), ["wiki.pages['B'].a: 'text of B' != 'new'"]),
        (lambda one: one.pages.update(D=1), ["wiki.pages['D']: nothing != 1"]),
        (lambda one: one.pages.pop("C"), ["wiki.pages['C']: Slotted(a='text of C') != nothing"]),
        (move_to_end, ["wiki.pages: 'B' as key 1 of those in both != 'C' as key 1 of those in both"]),
        (lambda one: delattr(one, "first"), ["wiki.first: Slotted(a='text of A') != nothing"]),
        (lambda one: setattr(one, "later", None), ["wiki.later: nothing != None"]),
        (replace_first, ["wiki.pages['A']: the one at wiki.first != Slotted(a='text of A'), met nowhere before",
            *both_ways("wiki.index['odd']", "Slotted(a='text of A')")]),
        (lambda one: one.tags.add("z"), ["wiki.tags{'z'}: nothing != 'z'"]),
        (lambda one: one.tags.add(None), ["wiki.tags{None}: nothing != None"]),
        (lambda one: one.tags.discard("x"), ["wiki.tags{'x'}: 'x' != nothing"]),
        (lambda one: one.index["odd"].discard(one.pages["C"]), ["wiki.index['odd']{Slotted(a='text of C')}: Slotted(a='text of C') != nothing"]),
        (lambda one: one.index["even"].add(one.pages["C"]), ["wiki.index['even']{Slotted(a='text of C')}: nothing != Slotted(a='text of C')"]),
        (lambda one: setattr(visitor(one, "visitor 7"), "seen", 1), ["wiki.visitors{Node(name='visitor 7')}.seen: nothing != 1"]),
        (lambda one: setattr(visitor(one, "visitor 7"), "name", "8"), ["wiki.visitors{Node(name='visitor 7')}.name: 'visitor 7' != '8'"]),
        (lambda one: one.visitors.discard(visitor(one, "visitor 7")), ["wiki.visitors{Node(name='visitor 7')}: Node(name='visitor 7') != nothing"]),
        (lambda one: one.visitors.add(Node("late")), ["wiki.visitors{Node(name='late')}: nothing != Node(name='late')"]),
        (lambda one: visitor(one, "visitor 7").others.add(Stop("a")), ["wiki.visitors{Node(name='visitor 7')}.others{Stop(name='a')}: nothing != Stop(name='a')"]),
        (lambda one: one.queue.append(3), ["wiki.queue: deque of 2 != deque of 3"]),
        (lambda one: setattr(one, "queue", collections.deque([1, 2], 6)), ["wiki.queue.maxlen: 5 != 6"]),
        (lambda one: one.counts.update("b"), ["wiki.counts['b']: 1 != 2"]),
        (lambda one: setattr(one, "counts", dict(one.counts)), ["wiki.counts: Counter of 2 != dict of 2"]),
        (lambda one: one.pairs[0].right.append(3), ["wiki.pairs[0].right: list of 1 != list of 2"]),
        (lambda one: one.pairs.pop(), ["wiki.pairs: list of 2 != list of 1"]),
        (lambda one: one.pairs.insert(0, one.pairs.pop()), ["wiki.pairs[0].left: 1 != 3", "wiki.pairs[0].right: list of 1 != 4",
        "wiki.pairs[1].left: 3 != 1", "wiki.pairs[1].right: 4 != list of 1"]),
    ],
)  # fmt: skip
def test_a_place_is_named_with_what_stands_there(change: Callable[[Any], object], expected: list[str]) -> None:
    """Nothing else is reported."""
    one, other = wiki(), wiki()
    assert difference(one, other) == []
    change(other)
    assert list(map(str, difference(one, other))) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1, True, "state: 1 != True"), (1, 1.0, "state: 1 != 1.0"), (0.0, -0.0, "state: 0.0 != -0.0"), (Text("a"), "a",
        "text: Text('a') != 'a'"),
        ("x" * 99 + "a" + "y" * 99, "x" * 99 + "b" + "y" * 99,
            "state: ...xxxxxxxxxxxxxxxxxxxxayyyyyyyyyyyyyyyyyyy... != ...xxxxxxxxxxxxxxxxxxxxbyyyyyyyyyyyyyyyyyyy..."),
        (datetime.time(1), datetime.time(1, fold=1), "state: datetime.time(1, 0) != datetime.time(1, 0, fold=1)"),
        (Stop("a"), Stop("b"), "stop.name: 'a' != 'b'"), ([], (), "state: list of 0 != ()"), ({1: 2}, {True: 2}, "state[1]: 2 != nothing"),
        (2**1001, 2**1001 + 1, "state: "), (frozenset(("a", "b")), frozenset(("a", "c")), "state{'b'}: 'b' != nothing"), (((1, [2]),),
        ((1, [3]),), "state[0][1][0]: 2 != 3"),
    ],
)  # fmt: skip
def test_both_are_shown_so_that_they_are_not_the_same(one: Any, other: Any, expected: str) -> None:
    """By their classes, or the place in a text, if nothing else tells them apart."""
    found = difference(one, other)[0]
    assert str(found).startswith(expected)
    assert found.left != found.right


def test_only_the_first_are_looked_for() -> None:
    """As many as are asked for."""
    one, other = list(range(100)), list(range(100, 200))
    assert difference(one, other, limit=2) == [Difference("state[0]", "0", "100"), Difference("state[1]", "1", "101")]
    assert len(difference(one, other)) == 10


def test_depth_does_not_matter() -> None:
    """Nor that the chain ends in itself."""

    def chain(end: str) -> Any:
        head = node = Slotted(0)
        for _ in range(20_000):
            node.a = node = Slotted(0)
        node.a = (head, end)
        return head

    found = difference(chain("x"), chain("y"))
    assert [(one.left, one.right) for one in found] == [("'x'", "'y'")]
    assert found[0].path == "slotted" + ".a" * 20_001 + "[1]"


def test_states_may_share_objects() -> None:
    """As one and a changed copy of it do."""
    kept = wiki()
    assert difference([kept, 1], [kept, 2]) == [Difference("state[1]", "1", "2")]
    assert difference([kept, kept], [kept, wiki()])[0].path == "state[1]"


def test_what_the_digest_does_not_see_is_no_difference() -> None:
    """The order of sets and attributes."""
    one, other = wiki(), wiki()
    vars(other).update({name: vars(other).pop(name) for name in sorted(vars(other), reverse=True)})
    assert difference(one, other) == []
    assert digest(one) == digest(other)
