"""The pickler that does not recurse writes what CPython's does, byte for byte but for how batches end, and what that one cannot."""

from __future__ import annotations

import collections
import copyreg
import datetime
import decimal
import gc
import io
import pickle
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopy.deep import DeepPickler
from coopy.digest import digest
from coopy.pickler import Pickler
from tests.unit.random_states import built, recipe
from tests.unit.things import (
    ByArguments,
    ByKeywords,
    Colour,
    Guarded,
    Ledger,
    Loose,
    Many,
    Node,
    Page,
    Pair,
    Right,
    Table,
    circular,
    web,
    with_note,
    with_slot,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def as_it_is(_obj: Any) -> Any:
    """Nothing is pickled otherwise than pickle does."""
    return NotImplemented


def by(kind: type[Pickler | DeepPickler], value: object, reduce: Any = as_it_is) -> bytes:
    """What such a pickler writes."""
    out = io.BytesIO()
    kind(out, reduce).dump(value)
    return out.getvalue()


class Sealed:
    """It is given its state by a function."""

    def __reduce__(self) -> Any:
        return Sealed, (), {"a": 1}, None, None, give


def give(sealed: Sealed, state: dict[str, int]) -> None:
    vars(sealed).update(state)


class Within:
    """It is in its own arguments."""

    def __init__(self, inside: list[Within]) -> None:
        self.inside = inside

    def __reduce__(self) -> Any:
        return Within, (self.inside,)


class Endless:
    """It gives another one each time that it is asked what it is."""

    def __reduce__(self) -> Any:
        return Endless.made, (Endless(),)

    @staticmethod
    def made(_other: Endless) -> Endless:
        return Endless()


class EndlessList(list[Any]):
    """It holds another one each time. Its arguments are an empty tuple, which nobody made for it."""

    def __reduce__(self) -> Any:
        return EndlessList, (), None, iter([EndlessList()])


class Growing:
    """It changes the dictionary that it is in."""

    def __init__(self, into: dict[Any, Any]) -> None:
        self.into = into

    def __reduce__(self) -> Any:
        self.into[len(self.into)] = None
        return int, ()


class Kind(type):
    """Whose classes are pickled as a registered function says."""


class OfKind(metaclass=Kind):
    """One of them."""


copyreg.pickle(Kind, lambda _kind: (int, (5,)))  # type: ignore[arg-type,return-value]


class Liar:
    """It says that it is a class."""

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type

    def __reduce__(self) -> Any:
        return int, (1,)


class Wrong:
    """It says what a test says of how it is made."""

    def __init__(self, reduced: Any) -> None:
        self.reduced = reduced

    def __reduce__(self) -> Any:
        return self.reduced


def within() -> Within:
    one = Within([])
    one.inside.append(one)
    return one


VALUES = [
    None, True, 0, 255, 256, 70_000, -1, 1 << 70, 1 << 3000, 0.5, "", "a", "\ud800", "x" * 300, b"", b"a" * 300, bytearray(b"a"),
    (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [], [1], [1, [2]], {}, {"a": 1}, {"a": {"b": 2}}, set(), {1}, frozenset(), frozenset({1, 2}),
    [*range(2500)], dict.fromkeys(range(2002)), {*range(1001)}, [*range(1000)], int, type(None), type(...), type(NotImplemented), Colour, len, give,
    Colour.RED, Right.READ | Right.WRITE, decimal.Decimal("1.50"), datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC), Node("a"), Page("t", ["w"]),
    ByArguments([1]), ByKeywords(a=1), Guarded(1), Ledger({"a": 1}, {"b": 2}), Loose(a=1, b=2), Pair([1], 2), Many([1, 2]), Table(a=1),
    with_note(Many([1])), with_slot("a", [1]), circular(()), circular((1,)), circular((1, 2, 3)), web("abcde"), Sealed(), within(), ValueError("a", 1),
    collections.deque([1, 2], 5), collections.defaultdict(list, a=[1]), collections.OrderedDict(a=1), collections.Counter("aab"),
    OfKind, Liar(),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_it_writes_each_kind_of_value_as_cpythons_does(value: Any) -> None:
    """Alone, and twice in something else."""
    for one in (value, [value, (value, "x"), "x"]):
        assert by(DeepPickler, one) == by(Pickler, one)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(0, 2**40))
def test_it_writes_any_state_as_cpythons_does(seed: int) -> None:
    """Whatever is shared, in itself, or in sets."""
    state = built(recipe(random.Random(seed)), random.Random(seed))
    assert by(DeepPickler, state) == by(Pickler, state)


def test_what_does_not_fit_into_one_frame_is_written_in_several() -> None:
    """Large texts and bytes stand between them."""
    for value in (
        [["word " * 10, number, b"a" * number, "b" * number] for number in range(0, 100_000, 997)],
        tuple(map(str, range(100_000))),
    ):
        written = by(DeepPickler, value)
        assert written == by(Pickler, value)
        assert written.count(pickle.FRAME) > 5


def test_it_asks_how_each_object_is_pickled_as_cpythons_does() -> None:
    """Of classes and functions, too; not of atoms and containers."""

    def noting(asked: list[Any]) -> Any:
        def reduce(obj: Any) -> Any:
            asked.append(obj)
            return (list, (["instead"],)) if isinstance(obj, Node) else NotImplemented

        return reduce

    value = [Node("a"), Colour.RED, Colour, len, give, {"a": (1, {2})}, ValueError("a")]
    asked: dict[Any, list[Any]] = {Pickler: [], DeepPickler: []}
    assert by(DeepPickler, value, noting(asked[DeepPickler])) == by(Pickler, value, noting(asked[Pickler]))
    assert asked[DeepPickler] == asked[Pickler]
    assert pickle.loads(by(DeepPickler, value, noting([])))[0] == ["instead"]


LINKS: dict[str, Callable[[Any], Any]] = {
    "lists": lambda chain: [chain],
    "tuples": lambda chain: (chain,),
    "objects": ByArguments,
    "all kinds": lambda chain: [{0: ByArguments((chain,))}],
}


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("kind", LINKS)
def test_a_chain_is_written_however_long_it_is(kind: str, frozen: bool) -> None:
    """Whatever its links are, and whatever the garbage collector knows of them."""
    made: list[Any] = [None]
    gc.disable()  # it lets go of tuples in the order in which they were made, unless it has moved them meanwhile
    try:
        for _ in range(12_000):
            made.append(LINKS[kind](made[-1]))
    finally:
        gc.enable()
    gc.collect()
    assert gc.is_tracked(made[-1]) is (kind != "tuples")
    if frozen:
        gc.freeze()
    try:
        written = by(DeepPickler, made[-1])
    finally:
        gc.unfreeze()
    assert digest(pickle.loads(written)) == digest(made[-1])


@pytest.mark.parametrize("endless", [Endless, EndlessList])
def test_what_never_ends_is_refused(endless: Callable[[], Any]) -> None:
    """A structure that there is cannot be deeper than there are objects."""
    with pytest.raises(pickle.PicklingError, match="never ends: its __reduce__ or __getstate__"):
        by(DeepPickler, endless())


@pytest.mark.parametrize("kind", [Pickler, DeepPickler])
def test_a_dictionary_that_changes_meanwhile_is_refused(kind: Any) -> None:
    """What is written would be neither what was there nor what is."""
    changing: dict[Any, Any] = {"b": 2}
    changing["a"] = Growing(changing)
    with pytest.raises(RuntimeError, match="changed size"):
        by(kind, changing)


@pytest.mark.parametrize(
    ("reduced", "said"),
    [
        ((int,), "a tuple of two to six elements"),
        ([int, ()], "a tuple of two to six elements"),
        ((int, ()) + (None,) * 5, "a tuple of two to six elements"),
        ((int, []), "what to call, a tuple of its arguments"),
        ((1, ()), "what to call, a tuple of its arguments"),
        ((list, (), None, [1]), "two iterators"),
        ((dict, (), None, None, [(1, 2)]), "two iterators"),
        ((list, (), {}, None, None, 3), "what gives it its state"),
        ((copyreg.__newobj_ex__, (int, ())), "a tuple of its arguments"),  # type: ignore[attr-defined]
        ((copyreg.__newobj__, ()), "makes an object of another class"),  # type: ignore[attr-defined]
        ((copyreg.__newobj__, (int,)), "makes an object of another class"),  # type: ignore[attr-defined]
    ],
)
def test_what_is_no_answer_to_how_it_is_made_is_refused(reduced: Any, said: str) -> None:
    """The error names the class. CPython's refuses it as well."""
    with pytest.raises(pickle.PicklingError):
        by(Pickler, Wrong(reduced))
    with pytest.raises(pickle.PicklingError, match=f"__reduce__ of Wrong .*{said}"):
        by(DeepPickler, Wrong(reduced))


@pytest.mark.parametrize("pairs", [[(1, 2, 3), (4,)], [(1, 2), [3, 4]], [(1,)]])
def test_what_gives_no_pairs_is_refused(pairs: list[Any]) -> None:
    """Else a value would be the next one's key."""
    with pytest.raises(TypeError):
        by(Pickler, Wrong((dict, (), None, None, iter(pairs))))
    with pytest.raises(pickle.PicklingError, match=r"must give pairs, of which [(\[].* is none"):
        by(DeepPickler, Wrong((dict, (), None, None, iter(pairs))))
