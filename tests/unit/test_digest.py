"""Equal states have equal digests in any process, unequal ones do not."""

from __future__ import annotations

import array
import collections
import copy
import datetime
import decimal
import fractions
import os
import pathlib
import pickle
import re
import subprocess
import sys
import threading
import types
import uuid
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopy.clock import Clock
from coopy.digest import digest
from coopy.error import NotSerializableError
from coopy.random import Random
from tests.effort import effort
from tests.unit.things import (
    Bare,
    ByArguments,
    ByKeywords,
    Colour,
    Commit,
    Frozen,
    Guarded,
    Kept,
    Ledger,
    Letters,
    Loose,
    Many,
    Node,
    Page,
    Pair,
    Right,
    Route,
    Slotful,
    Slotted,
    Stamp,
    Stop,
    Table,
    Tally,
    Text,
    Whole,
    Wiki,
    Zone,
    bare,
    circular,
    web,
    with_note,
    with_slot,
)  # fmt: skip

LETTERS = [*"abcdefghijklmnop"]
LETTERS_BACK = LETTERS[::-1]


def everything() -> list[Any]:
    """A state of every kind, made anew, with sets in the order of this process."""
    shared = ["shared"]
    circle: list[Any] = []
    circle.append(circle)
    return [
        None, True, 1, -1, 10**5000, 1.5, -0.0, float("nan"), float("inf"), 1j, "a", "\ud800", b"b", (1, (2,)), [1], {"b": 1, "a": 2}, range(3), slice(1, 2),
        set(LETTERS), frozenset(LETTERS), Letters(LETTERS), Frozen(LETTERS), {frozenset({"a", "b"}), frozenset({"c", "d"})}, {1: set(LETTERS)},
        {Route(frozenset({Stop("a"), Stop("b")})), Route(frozenset({Stop("a"), Stop("c")})), Route(frozenset({Stop("d"), Stop("c")}))},
        collections.Counter("abab"), collections.OrderedDict(b=1, a=2), collections.defaultdict(list, a=[1]), collections.deque([1, 2], 3), bytearray(b"x"),
        collections.ChainMap({"a": 1}), collections.UserDict({"a": 1}), array.array("i", [1]), types.SimpleNamespace(b=1, a=2), Many([1]), Table(a=1), Text("t"),
        datetime.datetime(2020, 1, 2, 3, 4, 5, 6), datetime.datetime(2020, 7, 2, tzinfo=ZoneInfo("Europe/Berlin"), fold=1), datetime.time(1, tzinfo=datetime.UTC),
        datetime.datetime(2020, 1, 2, tzinfo=Zone(3)), datetime.date(2020, 1, 2), datetime.timedelta(1, 2, 3), ZoneInfo("Asia/Tokyo"), Zone(1),
        decimal.Decimal("1.10"), decimal.Decimal("sNaN"), fractions.Fraction(1, 3), uuid.UUID(int=1), pathlib.PurePosixPath("/a"), re.compile("a", re.IGNORECASE),
        Colour.RED, Colour.BLUE, Right.READ, Right.READ | Right.WRITE, Right(0), Right(8), Slotted(1), Stop("a"), Page("a", ["b"]), Pair(1, [2]), Kept(1), Page,
        Ledger({"a": 1}, {}), Tally({"a": 1}, {}), Guarded(1), shared, [shared, shared], circle, web("abcdefgh"), ValueError("a", 1), KeyError(),
    ]  # fmt: skip


# --- equal -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seed", "zone"), [("0", "UTC"), ("1", "America/New_York"), ("77", "Asia/Kolkata")])
def test_the_digest_is_the_same_in_any_process(seed: str, zone: str) -> None:
    """Whatever the order of its sets, its addresses and its time zone."""
    command = [sys.executable, "-c", f"import {__name__} as t; print(t.digest(t.everything()), *map(t.digest, t.everything()))"]
    environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone}
    done = subprocess.run(command, env=environment, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [digest(everything()), *map(digest, everything())]


def test_a_copy_has_the_digest_of_the_original() -> None:
    """Also one that went through a pickle."""
    state = everything()
    assert digest(state) == digest(copy.deepcopy(state)) == digest(pickle.loads(pickle.dumps(state)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (set(LETTERS), set(LETTERS_BACK)), (Letters(LETTERS), Letters(LETTERS_BACK)), ({8, 0, 16}, {16, 8, 0}), (float("nan"), -float("nan")),
        (["a" * 9, "a" * 9], ["a" * 9, "".join(["a"] * 9)]), ([(1, 2)] * 2, [(1, 2), (1, int("2"))]), (Colour.RED, Colour.CRIMSON),
        ({Stop("b"), Stop("a")}, {Stop("a"), Stop("b")}), (web("abc"), web("cba")), (Kept(1), Kept(1)),
        (types.SimpleNamespace(a=1, b=2), types.SimpleNamespace(b=2, a=1)), (Zone(2), Zone(2)),
        (datetime.time(1, tzinfo=Zone(2)), datetime.time(1, tzinfo=Zone(2))),
    ],
)  # fmt: skip
def test_what_does_not_matter_does_not_count(one: Any, other: Any) -> None:
    """The order of sets and of attributes, and whether equal immutable values are one object."""
    assert digest(one) == digest(other)


def test_coopys_own_objects_do_not_count() -> None:
    """A clock and a source of chance, wherever they are kept; and the order in which attributes were set does not."""
    one, other = Node("a"), Node("a")
    vars(one).update(_clock=Clock(), _random=Random(), later=1)
    del one.name
    one.name = "a"
    vars(other).update(later=1)
    assert digest(one) == digest(other)


def test_coopys_own_objects_do_not_count_in_a_state_of_the_classes_own_making() -> None:
    """A domain class may give its attributes and something else."""
    plain, given = Ledger({}, {}), Ledger({}, {})
    given.debit = {"_clock": Clock(), "_random": Random()}  # type: ignore[dict-item]
    assert digest(plain) == digest(given)


def test_a_set_may_hold_what_refers_back_to_it() -> None:
    """Children that know their parent, and a crowd where everybody knows everybody."""
    assert digest(family("abc")) == digest(family("cab")) != digest(family("abd"))
    crowd = "".join(map(chr, range(200, 240)))
    assert digest(web(crowd)) == digest(web(crowd[::-1]))


def family(names: str) -> Node:
    parent = Node("parent")
    for name in names:
        child = Node(name)
        child.others.add(parent)
        parent.others.add(child)
    return parent


# --- unequal ---------------------------------------------------------------------------------------------------------


def test_no_two_different_values_have_one_digest() -> None:
    """Of every kind: no two of these are alike."""
    digests = [digest(one) for one in everything()]
    assert len(set(digests)) == len(digests)


def shared(first: list[int], second: list[int]) -> list[list[int]]:
    return [first, second]


LIST: list[int] = []
BOOK: dict[str, int] = {}
LOCK: Any = threading.Lock()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True), (1, 1.0), (0.0, -0.0), ("a", b"a"), ([], ()), (set(), frozenset()), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), ([1, [2]], [[1], 2]),
        (["ab", "c"], ["a", "bc"]), (decimal.Decimal("1.0"), decimal.Decimal("1.00")), (Letters("a"), {"a"}), (Many([1]), [1]), (Text("a"), "a"),
        (Stop("a"), Stop("b")), (Pair(1, 2), (1, 2)), (Colour.RED, 1), (Colour.RED, Colour.BLUE), (Right(8), Right(16)), (Right(0), Right(8)),
        (datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 1, fold=1)), (Kept(1), Kept(2)), (Slotted(1), Slotted(2)),
        (datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), datetime.datetime(2020, 1, 1, tzinfo=ZoneInfo("UTC"))),
        (datetime.time(1, tzinfo=Zone(1)), datetime.time(1, tzinfo=Zone(2))), (range(3), range(0, 3, 2)), (re.compile("a"), re.compile("a", re.MULTILINE)),
        (collections.deque([1], 2), collections.deque([1], 3)), (collections.defaultdict(list), collections.defaultdict(set)), (web("abc"), web("abd")),
        (shared(LIST, LIST), shared([], [])), (collections.OrderedDict(a=1, b=2), collections.OrderedDict(b=2, a=1)), (Page, Pair),
        ({Stop("a"), Stop("b")}, {Stop("a"), Stop("c")}), (None, "None"), ("1", 1), (2**64, 2**64 + 1), (2**64, "0x10000000000000000"),
        ("\ud800", b"\xed\xa0\x80"),
        ((2**64,), (2**64 + 1,)), ((float("nan"),), (1.0,)), (((1,), 2), ((1, 2),)), ([(1,)], [[1]]), ({(1, "a")}, {(1, "b")}), ({1}, {True}),
        ({1: 1}, {True: 1}),
        (Bare(), bare(a=None)), (Loose(a=1, z=2), Loose(a=2, z=1)), (Whole(1), 1), (Whole(1), with_note(Whole(1))), (Many([1]), with_note(Many([1]))),
        (Ledger({"a": 1}, {"a": 2}), Ledger({"a": 9}, {"a": 2})), (Ledger({}, {"a": 1}), Ledger({"a": 1}, {})), (Tally({}, {}), Tally({"a": 1}, {})),
        ([BOOK, Ledger(BOOK, {})], [BOOK, Ledger({}, {})]),
        (with_slot("t", None), Slotful("t")), (Table(a=1), {"a": 1}), (Table(a=1), with_note(Table(a=1))), (Letters("a"), with_note(Letters("a"))),
        (collections.defaultdict(list), {}), (collections.OrderedDict(), {}), (collections.Counter("a"), {"a": 1}),
        (collections.Counter("ab"), collections.Counter("ba")),
        (collections.ChainMap({"a": 1}, {}), collections.ChainMap({}, {"a": 1})), (array.array("i", [1]), array.array("l", [1])),
        (array.array("i"), array.array("i", [1])),
        (bytearray(b"a"), b"a"), (bytearray(b"a"), bytearray(b"b")), (types.SimpleNamespace(a=1), types.SimpleNamespace(b=1)), (Stamp(1), Stamp(2)),
        (Stamp(1), Stop("1")),
        (ZoneInfo("Europe/Berlin"), ZoneInfo("Europe/Paris")), (datetime.UTC, datetime.timezone(datetime.timedelta(0), "UTC")), (Whole, int), (Right.READ, 1),
        (datetime.datetime(2020, 1, 1, 12, tzinfo=datetime.UTC), datetime.datetime(2020, 1, 1, 13, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))),
        (datetime.time(1), datetime.time(1, fold=1)), (datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1)), (decimal.Decimal(0), decimal.Decimal("-0")),
        (decimal.Decimal("nan"), decimal.Decimal("snan")), (decimal.Decimal(1), 1), (fractions.Fraction(1), 1), (Path("a"), "a"),
        (Path("a"), pathlib.PurePosixPath("a")),
        (re.compile("a"), re.compile(b"a")), (IPv4Address(1), IPv4Address(2)), (ValueError("a"), TypeError("a")), (ValueError("a"), with_note(ValueError("a"))),
        (ByArguments(1), ByArguments(2)), (ByKeywords(a=1), ByKeywords(a=2)), (circular(()), circular((1,))),
        (Guarded(1), Guarded(2)), (1j, 2j), (complex(0, -0.0), 0j), (..., None),
    ],
)  # fmt: skip
def test_what_matters_counts(one: Any, other: Any) -> None:
    """Types, signs of zero, the order of dictionaries, which references lead to one object."""
    assert digest(one) != digest(other)


trees = st.recursive(
    st.integers() | st.text() | st.booleans() | st.none() | st.binary(),
    lambda inner: st.lists(inner, min_size=1) | st.dictionaries(st.text(), inner, min_size=1) | st.builds(Pair, inner, inner) | st.builds(Slotted, inner),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150, deadline=None, derandomize=True)
@given(trees, st.randoms(use_true_random=False))
def test_one_changed_leaf_changes_the_digest(tree: Any, dice: Any) -> None:
    """Wherever in the state it is."""
    assert digest(changed(tree, dice)) != digest(tree) == digest(copy.deepcopy(tree))


def changed(tree: Any, dice: Any) -> Any:
    """The same with another leaf somewhere."""
    if isinstance(tree, Pair):
        return tree._replace(left=changed(tree.left, dice)) if dice.random() < 0.5 else tree._replace(right=changed(tree.right, dice))
    if isinstance(tree, list):
        at = dice.randrange(len(tree))
        return [*tree[:at], changed(tree[at], dice), *tree[at + 1 :]]
    if isinstance(tree, dict):
        name = dice.choice(list(tree))
        return {**tree, name: changed(tree[name], dice)}
    return Slotted(changed(tree.a, dice)) if isinstance(tree, Slotted) else ["another", tree]


# --- neither ---------------------------------------------------------------------------------------------------------


def test_depth_does_not_matter() -> None:
    """A list of 100,000 lists, each in the one before, and a chain of as many objects."""
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    head = node = Slotted(0)
    for _ in range(100_000):
        node.a = node = Slotted(0)
    assert digest(deep) != digest(head)


@pytest.mark.parametrize(
    "value", [threading.Lock(), lambda: 0, len, sys, (one for one in LETTERS), memoryview(b"a"), open], ids=lambda one: type(one).__name__
)
def test_what_is_no_value_has_no_digest(value: Any) -> None:
    """The error names its class and its place, also deep in a state."""
    with pytest.raises(NotSerializableError, match="cannot be part of a state") as caught:
        digest({"a": [value]})
    kind = type(value)
    assert (caught.value.where, caught.value.kind) == ("state['a'][0]", f"{kind.__module__}.{kind.__qualname__}")
    assert str(caught.value).startswith(f"state['a'][0] is of {kind.__module__}.{kind.__qualname__}, which")


@pytest.mark.parametrize(
    ("kept", "where"),
    [
        (LOCK, "wiki.kept"), ({"Home": with_note(Wiki(LOCK))}, "wiki.kept['Home'].kept"), ([0, (1, (2, LOCK))], "wiki.kept[1][1][1]"),
        ({LOCK: 1}, "wiki.kept<key lock(...)>"), (Pair(1, LOCK), "wiki.kept.right"), (Stop(LOCK), "wiki.kept.name"), (Stamp(LOCK), "wiki.kept.at"),
        (Slotted(LOCK), "wiki.kept.a"), ({Stop("a"), Pair("p", LOCK)}, "wiki.kept{Pair of 2}.right"), (frozenset((LOCK,)), "wiki.kept{lock(...)}"),
        (ValueError(1, LOCK), "wiki.kept.args[1]"),
        (collections.deque([LOCK]), "wiki.kept[0]"), (collections.OrderedDict(a=LOCK), "wiki.kept['a']"),
        (collections.defaultdict(lambda: 0), "wiki.kept.default_factory"),
        (collections.Counter(a=LOCK), "wiki.kept['a']"), (types.SimpleNamespace(x=LOCK), "wiki.kept.x"), (Letters([LOCK]), "wiki.kept{lock(...)}"),
        (datetime.datetime(2020, 1, 1, tzinfo=Zone(LOCK)), "wiki.kept"), (ByArguments(LOCK), "wiki.kept<argument 0>"),
    ],
)  # fmt: skip
def test_the_way_to_what_is_no_value_is_named(kept: Any, where: str) -> None:
    """From the root, by attributes, keys, places and fields."""
    with pytest.raises(NotSerializableError, match=r"is of _thread\.lock, which cannot|is of builtins\.function, which cannot") as caught:
        digest(Wiki(kept))
    assert caught.value.where == where


def test_the_nearest_of_several_is_named() -> None:
    """And a state in a circle is no trap."""
    state = Wiki({"far": [[LOCK]], "near": LOCK})
    state.kept["self"] = state
    with pytest.raises(NotSerializableError) as caught:
        digest(state)
    assert caught.value.where == "wiki.kept['near']"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Pair(1, (2,)), lambda: Text("t"), lambda: Whole(3), lambda: Stop("a"), lambda: Commit(Commit(None)), lambda: slice(1, 2), lambda: IPv4Address(1),
        lambda: Frozen("ab"), lambda: Stamp(1), lambda: Pair(Commit(Pair(1, 2)), Stop("a")),
    ],
)  # fmt: skip
def test_whether_equal_values_are_one_object_does_not_count(make: Any) -> None:
    """A constant of the class is one object until a snapshot makes it several."""
    one = make()
    assert digest([one, [one], {1: one}, (one,)]) == digest([make(), [make()], {1: make()}, (make(),)])
    assert digest([one, Page("a", [one])]) != digest([one, Page("a", [one, one])])


def test_what_holds_an_object_is_one() -> None:
    """Two tuples that hold one list differ from two that hold equal ones, and from one that stands twice."""
    one, other = ["a"], ["a"]
    twice = Pair(1, one)
    assert digest([twice, twice]) == digest(pickle.loads(pickle.dumps([twice, twice])))
    assert len({digest([twice, twice]), digest([Pair(1, one), Pair(1, one)]), digest([Pair(1, one), Pair(1, other)])}) == 3
    assert digest([Pair(1, one), one]) != digest([Pair(1, one), other])
    assert digest([Pair(1, ["a"])]) != digest([Pair(1, ["b"])])
    named = Whole(3)
    named.note = "mine"  # type: ignore[attr-defined]
    assert digest([named, named]) != digest([named, copy.copy(named)])


def test_a_long_history_of_values_is_walked_once() -> None:
    """Each holds the one before it, and a list holds them all."""
    history: list[Any] = [None]
    for _ in range(20_000):
        history.append(Commit(history[-1], ["f"]))
    doubled: Any = None
    for _ in range(200):
        doubled = Commit(doubled, doubled)
    assert digest([history, doubled]) == digest(copy.deepcopy([history, doubled]))


def test_values_in_a_circle_have_a_digest() -> None:
    """Frozen objects that were made to refer to themselves."""

    def circle(size: int) -> Any:
        ring = [Commit(None) for _ in range(size)]
        for number, one in enumerate(ring):
            object.__setattr__(one, "parent", ring[number - 1])
        return ring[0]

    assert digest([circle(3)]) == digest([circle(3)])
    assert digest([circle(3)]) != digest([circle(2)])


def test_elements_that_are_alike_are_told_apart_by_who_else_refers_to_them() -> None:
    """Whichever of them it is, and whether the set or the other reference comes first."""

    def shelf(which: int) -> Any:
        nodes = sorted((Node("same") for _ in range(5)), key=id)
        return [set(nodes), nodes[which], {"z": {"in a set": {nodes[which]}}}]

    assert len({digest(shelf(which)) for which in range(5)}) == 1


# --- what it costs -----------------------------------------------------------------------------------------------------


def together(count: int) -> Any:
    """All sets hold one object, which is met nowhere else."""
    crowd, middle = [Node("a") for _ in range(count)], Node("b")
    for one in crowd:
        one.others.add(middle)
    return crowd


def test_an_object_that_many_sets_hold_costs_the_same_for_each_of_them() -> None:
    """Sixteen times as many cost sixteen times as much, in lines that run and in memory that is asked for and given back."""
    few, many = (effort(partial(digest, together(count)), "coopy.digest") for count in (200, 3_200))
    assert many.lines < 20 * few.lines
    assert many.bytes < 20 * few.bytes
