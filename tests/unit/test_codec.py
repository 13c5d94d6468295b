"""What goes out as bytes comes back as it was, or is refused before it goes; what comes in is let through by name, or not at all."""

from __future__ import annotations

import array
import collections
import copyreg
import datetime
import decimal
import enum
import fractions
import io
import ipaddress
import math
import os
import pathlib
import pickle
import random
import re
import struct
import sys
import threading
import types
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopy import upgrade
from coopy.codec import MSGPACK, PICKLE, Codec
from coopy.digest import digest
from coopy.error import CorruptionError, NotSerializableError, UpgradeError, UsageError
from coopy.older import MARKS
from coopy.shapes import OlderError
from coopy.unpickler import Unpickler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = __name__
codec = Codec((HERE.partition(".")[0],))
join = os.path.join  # a function that this module has, as a domain's might


class Colour(enum.Enum):
    RED = "r"
    BLUE = ("b", 2)


class Right(enum.Flag):
    READ = 1
    WRITE = 2


@dataclass
class Page:
    title: str
    links: list[Page] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int


class Pair(NamedTuple):
    left: Any
    right: Any


class Letters(list[str]):
    pass


class Dated:
    @upgrade(from_=1)
    @staticmethod
    def _more(state: dict[str, Any]) -> dict[str, Any]:
        return state


class Outer:
    class Inner:
        """A class in a class."""


class Word:
    def __init__(self) -> None:
        self.text = "a"


class Raiser:
    def __reduce__(self) -> Any:
        raise KeyError("no")


class Shell:
    def __reduce__(self) -> Any:
        return os.system, ("true",)


class ByFunction:
    def __reduce__(self) -> Any:
        return make, ()


def make() -> ByFunction:
    return ByFunction()


class Unready:
    def __setstate__(self, state: object) -> None:
        raise ValueError("not ready")

    def __getstate__(self) -> object:
        return {"a": 1}


# --- there and back --------------------------------------------------------------------------------------------------

atoms = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False), st.binary(), st.text(st.characters(exclude_categories=["Cs"]))
)  # fmt: skip
zones = st.sampled_from([None, datetime.UTC, ZoneInfo("Europe/Berlin"), datetime.timezone(datetime.timedelta(minutes=-90), "odd")])
leaves = st.one_of(
    atoms, st.integers(), st.text(), st.floats(), st.complex_numbers(), st.binary().map(bytearray), st.decimals(allow_nan=False), st.fractions(), st.uuids(),
    st.datetimes(timezones=zones), st.times(timezones=zones), st.dates(), st.timedeltas(), st.ip_addresses(), st.ip_addresses().map(ipaddress.ip_interface),
    st.sampled_from([*Colour, *Right, Right(0), Right.READ | Right.WRITE, uuid.SafeUUID.safe, Page, int, Outer.Inner]),
    st.builds(Point, st.integers(), st.integers()), st.builds(range, st.integers(-9, 9), st.integers(-9, 9)), st.builds(slice, st.integers(), st.none()),
    st.lists(st.integers(-(2**31), 2**31 - 1)).map(lambda numbers: array.array("q", numbers)),
    st.text("ab/.").map(pathlib.PurePosixPath), st.text("ab\\").map(pathlib.PureWindowsPath), st.text("ab/").map(pathlib.Path),
    st.sampled_from([re.compile("a+"), re.compile(b"(?i)a", re.MULTILINE), ZoneInfo("America/New_York"), datetime.UTC, ipaddress.ip_network("10.0.0.0/8")]),
    st.builds(collections.UserString, st.text()),
)  # fmt: skip
keys = st.one_of(st.text(), st.integers(), st.tuples(st.integers(), st.text()))
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner), st.lists(inner).map(tuple), st.dictionaries(keys, inner), st.sets(keys), st.frozensets(keys),
        st.lists(inner).map(collections.deque), st.lists(inner, max_size=2).map(lambda many: collections.deque(many, 2)),
        st.dictionaries(keys, inner).map(collections.OrderedDict), st.dictionaries(keys, inner).map(lambda one: collections.defaultdict(list, one)),
        st.lists(keys).map(collections.Counter), st.dictionaries(keys, inner).map(collections.UserDict), st.lists(inner).map(collections.UserList),
        st.dictionaries(keys, inner).map(collections.ChainMap), st.dictionaries(st.text("abc", min_size=1), inner).map(lambda one: types.SimpleNamespace(**one)),
        st.builds(Pair, inner, inner), st.builds(Page, st.text(), st.lists(st.builds(Page, st.text()))), st.lists(st.text()).map(Letters),
        st.lists(inner).map(lambda many: ValueError(*many)),
    ),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(atoms).map(tuple), st.dictionaries(st.text("ab", min_size=1), atoms))
def test_a_call_of_atoms_is_plain_data(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """MessagePack carries it, the method gets the caller's own values, and replay gets equal ones of the same types."""
    kind, payload, given_args, given_kwargs = codec.encode("keep", args, kwargs)
    assert (kind, given_args is args, given_kwargs is kwargs) == (MSGPACK, True, True)
    method, back, named = codec.decode(kind, payload)
    assert (method, list(map(exact, back)), exact(named)) == ("keep", list(map(exact, args)), exact(kwargs))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(values, values)
def test_any_value_comes_back_as_it_was(first: Any, second: Any) -> None:
    """Types, order and signs of zero included: the method's copy and what replay decodes are alike, down to the digest."""
    kind, payload, args, kwargs = codec.encode("keep", (first,), {"other": second})
    _, back, named = codec.decode(kind, payload)
    assert digest([first, second]) == digest([args[0], kwargs["other"]]) == digest([back[0], named["other"]])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(values)
def test_a_state_comes_back_as_it_was(value: Any) -> None:
    """Made anew, or into the object that there is."""
    word, there = Page("a"), Page("z", [Page("y")])
    word.links.append(value)
    assert digest(state_and_back(word)) == digest(word)
    assert state_and_back(word, there) is there
    assert digest(there) == digest(word)


def exact(value: Any) -> Any:
    if type(value) is dict:
        return {name: exact(one) for name, one in value.items()}
    return (type(value), math.copysign(1, value), value) if type(value) is float else (type(value), value)


def state_and_back(root: object, into: object = None) -> object:
    return codec.load_state(io.BytesIO(codec.dump_state(root)), into)[0]


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, "\ud800", math.nan, 10**5000], ids=type)
def test_atoms_beyond_messagepack_are_pickled(value: Any) -> None:
    """Large integers, lone surrogates and NaN come back all the same."""
    kind, payload, _, _ = codec.encode("keep", (value,), {})
    assert kind == PICKLE
    assert digest(codec.decode(kind, payload)[1][0]) == digest(value)


def test_sharing_and_cycles_within_a_call_stay() -> None:
    """The same list twice is one list, and a page that links to itself does so."""
    page, shared = Page("a"), ["b"]
    page.links.append(page)
    _, _, args, kwargs = codec.encode("keep", (page, shared), {"again": shared})
    assert args[0].links[0] is args[0] is not page
    assert args[1] is kwargs["again"] is not shared


# --- refused where it goes out ---------------------------------------------------------------------------------------


class Local:
    """Stands for a class that is another one by now: its name leads to what was defined later."""


Old = Local


class Local:  # type: ignore[no-redef]
    pass


Renamed = type("Renamed", (), {})
Renamed.__qualname__ = "Somebody"
Foreign = type("Foreign", (), {"__module__": "json"})


class Name(str):
    __slots__ = ()


def test_the_names_of_keywords_come_back_as_they_were() -> None:
    """Also those of a class derived from str, which msgpack would make plain."""
    for name, expected in (("a", MSGPACK), (Name("a"), PICKLE)):
        kind, payload, _, kwargs = codec.encode("keep", (), {name: 1})
        assert kind == expected
        for found in (kwargs, codec.decode(kind, payload)[2]):
            assert [*map(type, found)] == [type(name)]


@pytest.mark.parametrize("value", [..., NotImplemented])
def test_values_that_there_are_once_come_back_as_themselves(value: Any) -> None:
    """By a name of their own, and no other comes through that door."""
    kind, payload, args, _ = codec.encode("keep", (value,), {})
    assert args[0] is value
    assert codec.decode(kind, payload)[1][0] is value
    with pytest.raises(CorruptionError):
        codec.decode(PICKLE, payload.replace(repr(value).encode(), b"x" * len(repr(value))))


REFUSED: list[Any] = [
    lambda: 0, len, os.system, join, os, threading.Lock(), (one for one in (1, 2)), io.StringIO(), sys.stdout, state_and_back, [].append, Page.__init__,
    collections.abc.Mapping, struct.Struct("I"), random.SystemRandom(), memoryview(b"a"), type(None), property(len),
    Raiser(), Shell(), ByFunction(), Unready(), Old(), Old, Renamed(), Foreign(), collections.defaultdict(lambda: 0), Codec, codec, ZoneInfo.no_cache,
]  # fmt: skip


@pytest.mark.parametrize("value", REFUSED, ids=lambda one: type(one).__name__)
def test_what_cannot_come_back_does_not_go_out(value: Any) -> None:
    """Alone, within others, and as a part of a state; the error names the argument or the attribute."""
    for args, kwargs, where in (((1, value), {}, "argument 2"), (("a",), {"one": [{"b": value}]}, "argument 'one'")):
        with pytest.raises(NotSerializableError) as caught:
            codec.encode("keep", args, kwargs)
        assert (caught.value.method, caught.value.where) == ("keep", where)
    word = Word()
    word.text = value
    try:
        data = codec.dump_state(word)
    except NotSerializableError as error:
        assert error.where == "attribute 'text'"
    else:
        with pytest.raises(CorruptionError):
            codec.load_state(io.BytesIO(data))


def test_a_domain_class_with_a_reduce_of_its_own_is_refused() -> None:
    """A state is attributes."""
    with pytest.raises(NotSerializableError, match="__reduce__"):
        codec.dump_state(ByFunction())


def test_what_writing_a_state_fails_with_passes_through() -> None:
    """A full disk is not the state's fault."""

    def fail(data: bytes) -> None:
        raise OSError(28, "full")

    with pytest.raises(OSError, match="full"):
        codec.store_state(Word(), None, lambda dump: dump(fail))


@pytest.fixture
def extension() -> Iterator[Callable[[str, str], None]]:
    """Registers extension codes, and takes them back."""
    codes: list[tuple[str, str, int]] = []

    def register(module: str, name: str) -> None:
        codes.append((module, name, 240 + len(codes)))
        copyreg.add_extension(*codes[-1])

    yield register
    for one in codes:
        copyreg.remove_extension(*one)


def test_extension_codes_are_no_way_in_and_no_way_out(extension: Callable[[str, str], None]) -> None:
    """Neither for a function, which nothing lets through, nor for a class, which another process may know by no code."""
    extension("os", "system")
    extension(HERE, "Word")
    pickle.loads(b"\x80\x02\x82\xf0.")  # a pickle of somebody else's has filled copyreg's cache
    with pytest.raises(CorruptionError, match="not let through"):
        codec.decode(PICKLE, call(b"\x82\xf0"))
    with pytest.raises(NotSerializableError, match="extension code"):
        codec.encode("keep", (Word(),), {})


def test_a_reducer_registered_with_copyreg_is_no_way_around(monkeypatch: pytest.MonkeyPatch) -> None:
    """A class that pickles by a function is refused, whoever registered it."""
    monkeypatch.setitem(copyreg.dispatch_table, Word, lambda one: (make, ()))
    with pytest.raises(NotSerializableError, match="function"):
        codec.encode("keep", (Word(),), {})


# --- refused where it comes in ---------------------------------------------------------------------------------------


def call(argument: bytes) -> bytes:
    """A pickled call keep(argument), by hand."""
    return b"\x80\x05(X\x04\x00\x00\x00keep" + argument + b"\x85}t."


def named(module: str, name: str) -> bytes:
    """The opcodes of a global, spelled as an attacker may."""
    return b"\x8c" + bytes([len(module)]) + module.encode() + b"\x8c" + bytes([len(name)]) + name.encode() + b"\x93"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"), ("posix", "system"), ("builtins", "eval"), ("builtins", "getattr"), ("builtins", "type"), ("builtins", "__import__"),
        ("collections", "_sys.modules"), ("collections", "_sys.modules.__getitem__"), ("collections", "OrderedDict.fromkeys"), ("uuid", "os.system"),
        ("functools", "partial"), ("operator", "attrgetter"), ("subprocess", "Popen"), ("pickle", "loads"), ("types", "FunctionType"),
        ("coopy.codec", "_Root"), ("coopy.codec", "Codec"), ("coopy.disk", "RealDisk"), ("__main__", "Word"), ("sys", "modules"), ("", "x"),
        (HERE, "join"), (HERE, "make"), (HERE, "os.system"), (HERE, "os"), (HERE, "Page.__init__"), (HERE, "Page.__class__"), (HERE, "Word.__init__.__globals__"),
        (HERE, "codec"), (HERE, "pathlib"), (HERE, "pathlib.Path"), (HERE, "ZoneInfo"), (HERE, "Codec"), (HERE, "Colour.RED"), (HERE, "__missing__"),
        (HERE, ""), (HERE, "."), (HERE, "Outer..Inner"), (HERE + "\0", "Word"), ("tests..x", "y"), ("tests.unit.__main__", "y"),
    ],
)  # fmt: skip
def test_only_classes_by_their_own_names_are_let_through(module: str, name: str) -> None:
    """No function, no module, no value, no name that leads through one; in calls and in states alike."""
    with pytest.raises(CorruptionError):
        codec.decode(PICKLE, call(named(module, name)))
    if (module, name) != ("coopy.codec", "_Root"):
        with pytest.raises(CorruptionError):
            codec.load_state(io.BytesIO(b"\x80\x05" + named(module, name) + b"."))


@pytest.mark.parametrize(
    ("module", "name"), [(HERE, "Missing"), (HERE, "Page.Missing"), ("tests.missing", "Page"), ("tests.missing.more", "Page")]
)
def test_a_class_that_is_gone_is_no_damage(module: str, name: str) -> None:
    """The bytes are good: it is the program that is to say what became of it."""
    with pytest.raises(UpgradeError, match="there is no such class any more"):
        codec.decode(PICKLE, call(named(module, name)))
    with pytest.raises(UpgradeError) as caught:
        codec.load_state(io.BytesIO(b"\x80\x05" + named(module, name) + b"."))
    assert caught.value.name == f"{module}:{name}"


def test_a_nested_class_is_let_through() -> None:
    """Dotted, but through classes only."""
    assert codec.decode(PICKLE, call(named(HERE, "Outer.Inner")))[1] == (Outer.Inner,)


HOSTILE = {
    "persistent id": call(b"Px\n"),
    "persistent id on the stack": call(b"X\x01\x00\x00\x00xQ"),
    "EXT1": call(b"\x82\x01"),
    "EXT4": call(b"\x84\xff\xff\xff\x7f"),
    "protocol 99": b"\x80\x63.",
    "os.system": pickle.dumps(("keep", (Shell(),), {})),
    "INST": call(b"(S'true'\nios\nsystem\n"),
    "a memo that asks for gigabytes": call(b"]r\xff\xff\xff\x7f"),
    "bytes that ask for an exabyte": call(b"\x8e" + struct.pack("<Q", 1 << 60)),
    "bytes that ask for a gigabyte": call(b"\x8e" + struct.pack("<Q", 1 << 30)),
    "a bytearray that asks for gigabytes": call(b"\x96" + struct.pack("<Q", 8 << 30)),
    "a text that asks for gigabytes": call(b"\x8d" + struct.pack("<Q", 8 << 30)),
    "a frame that asks for gigabytes": b"\x80\x05\x95" + struct.pack("<Q", 8 << 30) + b".",
    "a long that asks for gigabytes": call(b"\x8b\xff\xff\xff\x7f"),
    "deep": b"\x80\x05" + b"]" * 10**6 + b".",
    "deep and whole": b"\x80\x05" + b"]" * 10**6 + b"a" * (10**6 - 1) + b".",
    "stack underflow": b"\x80\x05t.",
    "a buffer from elsewhere": call(b"\x97"),
    "bytes behind the end": call(b"N") + b"N",
    "cut off": call(b"N")[:-1],
    "empty": b"",
    "no call": pickle.dumps(17),
    "a method that is no text": pickle.dumps((b"keep", (), {})),
    "a list of arguments": pickle.dumps(("keep", [], {})),
    "keywords that are no text": pickle.dumps(("keep", (), {1: 2})),
    "four parts": pickle.dumps(("keep", (), {}, 1)),
}


@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_pickle_is_corruption(payload: bytes) -> None:
    """Whatever it tries; nothing is executed."""
    with pytest.raises(CorruptionError, match="Nothing of it was executed"):
        codec.decode(PICKLE, payload)


@pytest.mark.parametrize(
    "payload",
    [b"", b"\xc0", b"\x90", b"\x91\x05", b"\x92\xa4keep", b"\x92\xa4keep\xdd\xff\xff\xff\xff", b"\x92\xa4keep\xc6\xff\xff\xff\xff", b"\x91" * 10**6,
     b"\x91\xa4keep\x00", b"\x91\xa4k\xff\xfe\xfd"],
)  # fmt: skip
def test_messagepack_that_is_no_call_is_corruption(payload: bytes) -> None:
    """Short, long, deep, or with another first part than a name."""
    with pytest.raises(CorruptionError):
        codec.decode(MSGPACK, payload)


def test_every_cut_of_a_state_is_corruption() -> None:
    """And so is one that goes on after its end."""
    data = codec.dump_state(Page("a", [Page("b")]))
    for size in range(len(data)):
        with pytest.raises(CorruptionError):
            codec.load_state(io.BytesIO(data[:size]))
    with pytest.raises(CorruptionError):
        codec.load_state(io.BytesIO(data + b"N"))
    with pytest.raises(CorruptionError, match="after its end"):
        codec.load_state(io.BytesIO(data + b"N.N"))


def test_what_is_kept_beside_a_state_comes_back_behind_it() -> None:
    """It is plain values: a class that is not let through is refused there, too. Nothing beside it leaves no byte."""
    alone = codec.dump_state(Page("a", []))
    both = codec.dump_state(Page("a", []), [("key", 1, b"x", 1.5)])
    assert both.startswith(alone)
    root, beside = codec.load_state(io.BytesIO(both))
    assert (cast("Page", root).title, beside) == ("a", [("key", 1, b"x", 1.5)])
    assert codec.load_state(io.BytesIO(alone))[1] is None
    for size in range(len(alone) + 1, len(both)):
        with pytest.raises(CorruptionError):
            codec.load_state(io.BytesIO(both[:size]))
    with pytest.raises(CorruptionError, match=r"os\.system"):
        codec.load_state(io.BytesIO(alone + b"\x80\x05" + named("os", "system") + b"."))


class Odd(Exception):  # noqa: N818 - a word of the domain
    """Made of other arguments than those it passes on."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first} and {second}")
        self.both = first, second


def test_a_copy_of_an_exception_is_made_without_its_init() -> None:
    """Its class may take other arguments than those that it keeps. An error of the operating system keeps what it has beside them."""
    error = Odd(1, 2)
    error.add_note("x")
    copy = cast("Odd", codec.load_value(codec.dump_value(error, None)))
    assert (type(copy), copy.args, copy.both, copy.__notes__) == (Odd, ("1 and 2",), (1, 2), ["x"])
    missing = cast("OSError", codec.load_value(codec.dump_value(FileNotFoundError(2, "gone", "a.txt"), None)))
    assert (type(missing), missing.errno, missing.filename) == (FileNotFoundError, 2, "a.txt")


def test_a_copy_of_a_part_does_not_take_the_whole_along() -> None:
    """A part that refers back to the root is refused, and says why."""
    root = Page("a", [])
    with pytest.raises(NotSerializableError, match="leads to the domain object itself"):
        codec.dump_value({"page": [root]}, root)
    with pytest.raises(NotSerializableError, match="function"):
        codec.dump_value(len, root)


def test_a_class_that_was_removed_or_replaced_is_not_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names it. One that was let through stays what it was as long as the system runs."""
    word = Word
    fresh, kept = Codec((HERE.partition(".")[0],)), codec.encode("keep", (Word(),), {})[1]
    monkeypatch.setattr(sys.modules[HERE], "Word", Page)
    with pytest.raises(CorruptionError, match=r"really .*Page"):
        fresh.decode(PICKLE, kept)
    monkeypatch.delattr(sys.modules[HERE], "Word")
    with pytest.raises(UpgradeError, match="no such class any more"):
        fresh.decode(PICKLE, kept)
    assert type(codec.decode(PICKLE, kept)[1][0]) is word


@pytest.mark.parametrize("mark", ["_Dated", "_Class"])
def test_a_mark_is_not_changed_by_a_pickle(mark: str) -> None:
    """It would be another one for all that is read later."""
    for state in (b"}X\x01\x00\x00\x00aNs", b"N}X\x05\x00\x00\x00_workNs\x86"):
        with pytest.raises(CorruptionError, match="has no state"):
            codec.decode(PICKLE, call(named("coopy.codec", mark) + state + b"b"))


BY_SLOTS = b"N}X\x07\x00\x00\x00plantedX\x01\x00\x00\x00xs\x86"  # (None, {"planted": "x"})
BY_NAME = b"}X\x07\x00\x00\x00plantedX\x01\x00\x00\x00xs"


@pytest.mark.parametrize(("module", "name"), [("fractions", "Fraction"), (HERE, "Page"), (HERE, "Dated"), ("uuid", "UUID")])
@pytest.mark.parametrize("rest", [b"b", b"b0]", b"bc"])
def test_no_pickle_changes_a_class(module: str, name: str, rest: bytes) -> None:
    """It is as it was, whatever comes behind: another value, or nothing that can be read."""
    kind = getattr(sys.modules[module], name)
    before = dict(vars(kind))
    with pytest.raises(CorruptionError):
        codec.decode(PICKLE, call(named(module, name) + BY_SLOTS + rest))
    assert vars(kind) == before


def test_no_pickle_changes_a_method_of_a_class() -> None:
    """What is there already is there again."""
    state = b"N}X\x11\x00\x00\x00limit_denominator" + named("builtins", "str") + b"s\x86b"
    method = fractions.Fraction.limit_denominator
    with pytest.raises(CorruptionError, match="given a state"):
        codec.decode(PICKLE, call(named("fractions", "Fraction") + state))
    assert fractions.Fraction.limit_denominator is method


def test_no_pickle_changes_a_member_of_an_enumeration() -> None:
    """There is one of each, for everybody."""
    for state in (BY_NAME, BY_SLOTS):
        payload = call(named("uuid", "SafeUUID") + b"K\x00\x85R" + state + b"b")
        with pytest.raises(CorruptionError, match="given a state"):
            codec.decode(PICKLE, payload)
    assert not hasattr(uuid.SafeUUID.safe, "planted")


def test_no_state_changes_a_class() -> None:
    """The same for what a snapshot holds."""
    with pytest.raises(CorruptionError):
        codec.load_state(io.BytesIO(b"\x80\x05" + named("fractions", "Fraction") + BY_SLOTS + b"b."))
    assert not hasattr(fractions.Fraction, "planted")


@pytest.mark.parametrize("stored", [((1, 2),), ((f"{HERE}:Dated", "y"),), 3, (("a:b", 1, 2),), [[]], ((f"{HERE}:Dated", 9),)])
def test_versions_that_cannot_be_are_refused(stored: Any) -> None:
    """Whatever stands there, it is an error of coopy's."""
    for kind in ("Dated", "Page"):
        payload = call(named(MARKS, "_Dated") + pickle.dumps((HERE, kind, stored), 2)[2:-1] + b"R)R")
        with pytest.raises((CorruptionError, UpgradeError)):
            codec.decode(PICKLE, payload)


def test_what_is_written_today_is_read_by_the_fast_reader() -> None:
    """Objects of a class with versions, and the class as a value; only older ones need the slow one."""
    for value in (Dated(), [Dated, Dated()], {Dated: 1}):
        payload = codec.encode("keep", (value,), {})[1]
        method, args, _ = Unpickler(io.BytesIO(payload), codec.find, {}).load()
        assert (method, type(args[0])) == ("keep", type(value))
    with pytest.raises(OlderError):
        Unpickler(io.BytesIO(pickle.dumps(Dated())), codec.find, {}).load()


# --- allow -----------------------------------------------------------------------------------------------------------


def test_allow_names_a_class_or_a_whole_package() -> None:
    """And nothing beside it; functions are not let through by any name."""
    for allow in (("json.decoder:JSONDecodeError",), ("json",)):
        wider = Codec((), allow)
        assert wider.find("json.decoder", "JSONDecodeError").__name__ == "JSONDecodeError"
    with pytest.raises(pickle.UnpicklingError, match="allow="):
        Codec((), ("json.decoder:JSONDecodeError",)).find("json.decoder", "JSONDecoder")
    for module, name in (("json", "loads"), ("json", "decoder"), ("json", "JSONDecoder")):
        with pytest.raises(pickle.UnpicklingError, match=r"not a class|own name only"):
            Codec((), ("json", "json:loads")).find(module, name)
    with pytest.raises(pickle.UnpicklingError, match="not a class"):
        Codec((), ("os:system",)).find("os", "system")


@pytest.mark.parametrize("name", ["", "a b", "a:b:c", ":a", "a:", "a..b", ".a", "a-b", "1a", "*"])
def test_a_wrong_allow_is_named(name: str) -> None:
    """When the codec is made."""
    with pytest.raises(UsageError, match="allow"):
        Codec((), (name,))


def test_decimals_and_fractions_are_let_through() -> None:
    """Standard values need no allow, whatever the domain."""
    for value in (decimal.Decimal("1.10"), fractions.Fraction(1, 3), uuid.UUID(int=7)):
        assert Codec(()).encode("keep", (value,), {})[2] == (value,)
