"""Recorded calls and states are read as data: nothing is imported, nothing is called, and a hostile pickle costs no more than its size."""

from __future__ import annotations

import datetime
import decimal
import enum
import json
import pickle
import subprocess
import sys
import tracemalloc
import uuid
from collections import Counter, OrderedDict, defaultdict, deque
from pathlib import Path
from typing import Any

import pytest

from coopy.cli.plain import plain, valued
from coopy.cli.text import call_text, value_text
from coopy.codec import PICKLE, Codec
from coopy.error import CorruptionError
from coopy.inert import Thing, Unfinished, method_of, read_call, read_value


class Colour(enum.Enum):
    """Pickles by its value."""

    RED = "red"


class Page:
    """Attributes, one of them itself."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.me: Any = None


class Slotted:
    """No dictionary."""

    __slots__ = ("a", "b")

    def __init__(self) -> None:
        self.a, self.b = 1, "two"


class Names(list[str]):
    """A list with an attribute."""

    owner = ""


CODEC = Codec(("tests",))
NAMES = Names(["x", "y"])
NAMES.owner = "me"
CYCLE = Page("round")
CYCLE.me = CYCLE


def recorded(*args: Any, **kwargs: Any) -> bytes:
    """A call as coopy pickles it."""
    kind, payload, _, _ = CODEC.encode("add", args, kwargs)
    return payload if kind == PICKLE else pickle.dumps(("add", args, kwargs), 5)


def shown(value: Any, room: int = 200) -> str:
    """How a recorded argument is shown."""
    return value_text(read_call(PICKLE, recorded(value))[1][0], room)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (True, "True"),
        (-7, "-7"),
        (1 << 70, str(1 << 70)),
        (1.5, "1.5"),
        ("a'b", '"a\'b"'),
        (b"\0", "b'\\x00'"),
        (bytearray(b"x"), "bytearray(b'x')"),
        ([1, [2]], "[1, [2]]"),
        ((), "()"),
        ((1,), "(1,)"),
        ((1, 2, 3, 4), "(1, 2, 3, 4)"),
        ({"a": {1: ()}}, "{'a': {1: ()}}"),
        ({1}, "{1}"),
        (frozenset([1]), "frozenset({1})"),
        (Page("t"), "Page(title='t', me=None)"),
        (Slotted(), "Slotted(a=1, b='two')"),
        (NAMES, "Names(owner='me', ['x', 'y'])"),
        (Colour.RED, "Colour('red')"),
        (datetime.date(2026, 1, 31), "datetime.date(2026, 1, 31)"),
        (decimal.Decimal("1.50"), "Decimal('1.50')"),
        (uuid.UUID(int=5), f"UUID('{uuid.UUID(int=5)}')"),
        (datetime.datetime(2026, 1, 31, tzinfo=datetime.UTC), "datetime.datetime(2026, 1, 31, 0, 0, tzinfo=datetime.timezone.utc)"),
        (datetime.timedelta(1, 2), "datetime.timedelta(days=1, seconds=2)"),
        (OrderedDict(a=1), "OrderedDict({'a': 1})"),
        (deque([1]), "deque([1])"),
        (defaultdict(list, a=[1]), "defaultdict(list, {'a': [1]})"),
        (Counter("a"), "Counter({'a': 1})"),
        (..., "Ellipsis"),
        (Page, "Page"),
        ("\x1b[31m", "'\\x1b[31m'"),
    ],
)
def test_a_value_is_shown_as_it_is_written(value: Any, text: str) -> None:
    """Of an instance its class and attributes."""
    assert shown(value) == text


def test_what_refers_to_itself_is_cut() -> None:
    """At some depth, or where the line is full."""
    assert shown(CYCLE).startswith("Page(title='round', me=Page(title='round', me=")
    assert "$cut" in json.dumps(plain(read_call(PICKLE, recorded(CYCLE))[1][0], 1000))


def test_a_line_is_no_longer_than_there_is_room() -> None:
    """But for the brackets that close it."""
    for room in range(1, 60):
        for value in (list(range(100)), "x" * 1000, {"key": ["y" * 90] * 9}, Page("t" * 99)):
            text = call_text("add", [*read_call(PICKLE, recorded(value))[1]], {}, room)
            assert text.startswith("add(")
            assert text.endswith("…)")
            assert len(text) <= len("add(") + room + len("…)")


class Planted:
    """Would leave a trace if anything were imported or called."""

    def __reduce__(self) -> Any:
        return (exec, ("open('trace', 'w').close()",))


def test_nothing_that_a_pickle_says_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is shown instead."""
    monkeypatch.chdir(tmp_path)
    payload = pickle.dumps(("add", (Planted(),), {}), 5)
    assert call_text(*read_call(PICKLE, payload), 200) == "add(exec(\"open('trace', 'w').close()\"))"
    assert not (tmp_path / "trace").exists()


def test_reading_imports_no_class() -> None:
    """In a process that has nothing but the reader."""
    payload = recorded(Page("t"), Colour.RED)
    script = f"import sys; from coopy.inert import read_call; read_call(2, {payload!r}); print('tests.unit.test_inert' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


HEAD = b"\x80\x05\x8c\x03add"
HOSTILE = {
    "nothing": b"",
    "no pickle": b"hello",
    "cut off": recorded([1, 2, 3])[:-4],
    "underflow": b"\x80\x05RRRR.",
    "no call": pickle.dumps(5, 5),
    "a mark that is not there": HEAD + b"ttt.",
    "a length that is a lie": HEAD + b"\x8d\xff\xff\xff\xff\xff\xff\xff\x7f",
    "a long lie": HEAD + b"\x8b\xff\xff\xff\x7f",
    "a memo far away": HEAD + b"r\xff\xff\xff\x7f.",
    "a memo that is not there": HEAD + b"j\xff\xff\xff\x7f.",
    "an extension": HEAD + b"\x82\x01.",
    "a persistent id": HEAD + b"Pid\n.",
    "a global by text": HEAD + b"cos\nsystem\n.",
    "a wrong protocol": b"\x80\x63K\x01.",
    "append to a number": HEAD + b"K\x01K\x02a.",
    "a pair too few": HEAD + b"}(K\x01u.",
    "no utf-8": b"\x80\x05\x8c\x02\xff\xfe.",
    "build on a list": HEAD + b"]}b.",
    "a class of a number": HEAD + b"K\x01K\x02\x93.",
    "deep": HEAD + b"(" * 100_000,
    "a call whose method is a number": pickle.dumps((5, (), {}), 5),
    "keywords that are no text": pickle.dumps(("add", (), {5: 5}), 5),
}


@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_pickle_is_no_call_or_is_shown_in_part(payload: bytes) -> None:
    """There is no other end, and none takes memory that it does not have itself."""
    tracemalloc.start()
    try:
        method, args, _ = read_call(PICKLE, payload)
    except CorruptionError as error:
        assert "Nothing of it was executed" in str(error)
    else:
        assert (method, type(args[-1])) == ("add", Unfinished)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 20_000_000


def nested(depth: int) -> bytes:
    """A list in a list, and so on."""
    return HEAD + b"]" * depth + b"a" * (depth - 1) + b"\x85}\x87."


def exploding(levels: int) -> bytes:
    """A list with the same list ten times in it, and so on: small as a pickle, huge as a text."""
    level = b"".join(b"(" + b"h" + bytes([number]) + (b"h" + bytes([number])) * 9 + b"t\x940" for number in range(levels))
    return HEAD + b"\x8c\x01x\x94" + b"0" + level + b"h" + bytes([levels]) + b"\x85}\x87."


def test_depth_and_repetition_cost_nothing() -> None:
    """A million lists in each other, and ten to the twentieth words, are cut like any other long line."""
    call = read_call(PICKLE, nested(1_000_000))
    assert call_text(*call, 100) == "add([[[[[[[[[…]]]]]]]]])"
    assert "$cut" in json.dumps(plain(call[1], 1000))
    method, args, kwargs = read_call(PICKLE, exploding(20))
    assert len(call_text(method, args, kwargs, 100)) < 110
    assert len(json.dumps(plain(args, 1000))) < 50_000


def test_a_call_is_read_no_further_than_a_line_takes() -> None:
    """Method and first arguments are there, whatever follows."""
    payload = recorded("first", list(range(100_000)))
    method, args, _ = read_call(PICKLE, payload, 2000)
    assert (method, args[0], type(args[-1])) == ("add", "first", Unfinished)
    assert method_of(PICKLE, payload) == "add"
    for count in (1, 2, 3, 4, 9):
        assert call_text(*read_call(PICKLE, recorded(*["x"] * count, {"a": 1}), 6), 100).startswith("add('x'" if count > 1 else "add(")


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        "\ud800",
        7,
        1 << 5000,
        1.5,
        float("inf"),
        b"\0\xff",
        bytearray(b"x"),
        [1, (2, {3}), frozenset([4])],
        {"a": {"$b": 1}},
        {1: 2, (3,): []},
        {},
        datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC),
        datetime.date(2026, 1, 31),
        datetime.time(1, 2),
        datetime.timedelta(5),
        decimal.Decimal("1.50"),
        uuid.UUID(int=7),
    ],
)
def test_json_gives_a_value_again_that_needs_no_class(value: Any) -> None:
    """Also what JSON has no word for."""
    assert valued(json.loads(json.dumps(plain(read_call(PICKLE, recorded(value))[1][0], 10_000)))) == value


@pytest.mark.parametrize(
    "value",
    [
        {"$object": "a:B"},
        {"$cut": "x"},
        {"$bytes": 5},
        {"$bytes": "*"},
        {"$dict": [[1]]},
        {"$date": "x"},
        {"$set": [[1]]},
        {"$x": 1, "y": 2},
    ],
)
def test_json_that_gives_no_value_is_refused(value: Any) -> None:
    """By ValueError, which the import says of its line."""
    with pytest.raises(ValueError, match=r"."):
        valued(value)


def test_a_state_is_read_whole_and_what_is_behind_it_is_not() -> None:
    """As a snapshot holds it: the domain object, and what the system keeps beside it."""
    data = CODEC.dump_state(Page("t"), ["beside"])
    root, _ = read_value(data)
    assert root == Thing("tests.unit.test_inert:Page", attributes={"title": "t", "me": None})
    with pytest.raises(CorruptionError, match="cannot be read"):
        read_value(data[:20])
