"""What a pickle says, read as data: no class is imported, nothing is called, and a hostile one costs no more than its own size and `steps`.

    read_call    a recorded call  -> method, arguments, keyword arguments
    read_value   any pickle       -> the value

Values of plain types come back as such. What only a class could make is a stand-in: a `Thing` says of which class it is ("module:Name") and what
the pickle gives it; `Table` and `Bag` are dictionaries and sets, whose keys and elements may be stand-ins, which nobody hashes.

Only what coopy's own pickler writes (protocol 5, no buffers) is understood. Depth does not matter here: nothing recurses. Who walks the values
has to mind depth, cycles, and things that are in many places.
"""

from __future__ import annotations

import pickletools
import struct
from typing import TYPE_CHECKING, Any

import msgspec

from coopy.codec import MSGPACK, unpack
from coopy.error import CorruptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Bag", "Named", "Table", "Thing", "Unfinished", "read_call", "read_value"]

ALL = 1 << 62
# What coopy's pickler writes in the place of a class (coopy/pickler.py): its first argument is the class, or its first two name it.
FIRST_IS_CLASS = frozenset(("coopy.codec:_Root", "coopy.codec:_Member", "coopy.codec:_Fields", "copyreg:__newobj__"))
NAMES_CLASS = frozenset(("coopy.codec:_Dated", "coopy.codec:_Class"))
PAIR = 2


class Named(msgspec.Struct, frozen=True):
    """A class, by its name."""

    name: str


class Thing(msgspec.Struct):
    """An instance: its class, what it is made of, its attributes, its state where that is no dictionary, and what was put into it."""

    name: str
    args: tuple[Any, ...] = ()
    attributes: dict[str, Any] = {}
    state: Any = None
    items: list[Any] = []
    pairs: list[tuple[Any, Any]] = []


class Table(msgspec.Struct):
    """A dictionary, in its order."""

    pairs: list[tuple[Any, Any]] = []


class Bag(msgspec.Struct):
    """A set or a frozenset, in the order of the pickle."""

    items: list[Any] = []
    frozen: bool = False


class Unfinished(msgspec.Struct, frozen=True):
    """What stands at the place of what was not read: `why` in a few words."""

    why: str


class _StopError(Exception):
    """The limit is reached, or it is no pickle of coopy's."""


def read_call(kind: int, payload: bytes, steps: int = ALL) -> tuple[str, Sequence[Any], dict[str, Any]]:
    """A recorded call. Of one that takes more than `steps` to read, as much as that gives, and an `Unfinished` last.

    Raises CorruptionError for what is no call.
    """
    if kind == MSGPACK:
        return _plain(payload)
    machine = _Machine(payload)
    try:
        value = machine.run(steps)
    except _StopError as stop:
        return _part(machine, str(stop))
    if type(value) is tuple and len(value) == 3 and type(value[0]) is str and type(value[1]) is tuple:  # noqa: PLR2004 - a call
        named = _names(value[2])
        if named is not None:
            return value[0], value[1], named
    raise CorruptionError("A recorded call cannot be read: it is no call. Nothing of it was executed.")


def method_of(kind: int, payload: bytes) -> str:
    """The method of a recorded call, with as little reading as that takes."""
    return read_call(kind, payload, 4)[0] if kind != MSGPACK else _plain(payload)[0]


def read_value(data: bytes) -> tuple[Any, int]:
    """The value of a pickle, which other bytes may follow, and how many steps it took. Raises CorruptionError."""
    machine = _Machine(data)
    try:
        return machine.run(ALL), machine.steps
    except _StopError as stop:
        raise CorruptionError(f"The stored state cannot be read: {stop}. No file was changed.") from stop


def _plain(payload: bytes) -> tuple[str, Sequence[Any], dict[str, Any]]:
    try:
        method, *args = unpack(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise CorruptionError(f"A recorded call cannot be read: {error}. Nothing of it was executed.") from error
    if type(method) is not str:
        raise CorruptionError("A recorded call cannot be read: it names no method. Nothing of it was executed.")
    if args and type(args[-1]) is dict:
        return method, args[:-1], args[-1]
    return method, args, {}


def _names(value: Any) -> dict[str, Any] | None:
    """Keyword arguments; None where they are none."""
    if type(value) is not Table or not all(type(name) is str for name, _ in value.pairs):
        return None
    return dict(value.pairs)


def _part(machine: _Machine, why: str) -> tuple[str, Sequence[Any], dict[str, Any]]:
    """Of a call that was read in part: its method, and the arguments that were begun."""
    levels = [*machine.below, machine.stack]
    bottom = levels[0]
    if not bottom or type(bottom[0]) is not str:
        raise CorruptionError(f"A recorded call cannot be read: {why}. Nothing of it was executed.")
    done: Sequence[Any] = levels[1] if len(levels) > 1 else []  # more than three arguments stand above a mark of their own
    if len(bottom) > 1:
        done = bottom[1] if type(bottom[1]) is tuple else bottom[1:]
    return bottom[0], (*done, Unfinished(why)), {}


class _Machine:
    """The stack machine that a pickle is a program for. `below`: the stacks under open marks."""

    __slots__ = ("at", "below", "data", "memo", "stack", "steps")

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memo: list[Any] = []
        self.steps = 0

    def run(self, steps: int) -> Any:
        """Read up to the end. Raises _StopError."""
        data, table = self.data, OPERATIONS
        try:
            for done in range(steps):
                self.steps = done
                code = data[self.at]
                if code == STOP:
                    return self.stack[-1]
                self.at += 1
                table[code](self)
        except KeyError as error:
            raise _StopError(f"an operation in it ({error}) is none that coopy writes") from error
        except (IndexError, TypeError, ValueError, AttributeError, struct.error) as error:
            raise _StopError(f"it is no pickle ({type(error).__name__})") from error
        raise _StopError("it goes on")

    def take(self, size: int) -> bytes:
        """So many bytes. Never asks for more than there are: a length may be a lie."""
        at = self.at
        self.at = end = at + size
        if end > len(self.data):
            raise _StopError("it ends too early")
        return self.data[at:end]

    def sized(self, width: int) -> bytes:
        """Bytes behind a length of so many bytes."""
        return self.take(int.from_bytes(self.take(width), "little"))

    def since_mark(self) -> list[Any]:
        """What was pushed behind the last mark, which goes."""
        pushed, self.stack = self.stack, self.below.pop()
        return pushed

    # --- instances -------------------------------------------------------------------------------------------------------

    def put(self, items: list[Any]) -> None:
        """Elements into what is on the stack."""
        into = self.stack[-1]
        if type(into) is list:
            into.extend(items)
        elif type(into) is Bag or type(into) is Thing:
            into.items.extend(items)
        else:
            raise TypeError

    def put_pairs(self, flat: list[Any]) -> None:
        """Keys and values into what is on the stack."""
        into = self.stack[-1]
        if type(into) is not Table and type(into) is not Thing:
            raise TypeError
        into.pairs.extend(zip(flat[::2], flat[1::2], strict=True))

    def find(self) -> None:
        """A class by its name."""
        name, module = self.stack.pop(), self.stack.pop()
        if type(name) is not str or type(module) is not str:
            raise TypeError
        self.stack.append(Named(f"{module}:{name}"))

    def make(self, *, named: bool = False) -> None:
        """An instance of a class."""
        keywords = self.stack.pop() if named else None
        args, kind = self.stack.pop(), self.stack.pop()
        if type(args) is not tuple:
            raise TypeError
        if type(kind) is Named and kind.name in FIRST_IS_CLASS and args:
            kind, args = args[0], args[1:]
        if type(kind) is not Named:
            raise TypeError
        if kind.name in NAMES_CLASS and len(args) >= PAIR:
            self.stack.append(Named(f"{args[0]}:{args[1]}"))
            return
        one = Thing(kind.name, args)
        if keywords is not None:
            one.attributes = _names(keywords) or {}
        self.stack.append(one)

    def build(self) -> None:
        """The state of an instance."""
        state, one = self.stack.pop(), self.stack[-1]
        if type(one) is not Thing:
            raise TypeError
        parts = state if type(state) is tuple and len(state) == PAIR else (state,)
        attributes = [{} if part is None else _names(part) for part in parts]
        if all(part is not None for part in attributes):
            for part in attributes:
                one.attributes = {**one.attributes, **(part or {})}
        else:
            one.state = state


def _push(value: Callable[[_Machine], Any]) -> Callable[[_Machine], None]:
    def operation(machine: _Machine) -> None:
        pushed = value(machine)  # which may put another stack in the place of this one
        machine.stack.append(pushed)

    return operation


def _last(count: int) -> Callable[[_Machine], None]:
    """A tuple of the last values."""

    def operation(machine: _Machine) -> None:
        stack = machine.stack
        if len(stack) < count:
            raise IndexError
        stack[-count:] = [tuple(stack[-count:])]

    return operation


def _mark(machine: _Machine) -> None:
    machine.below.append(machine.stack)
    machine.stack = []


def _pop(machine: _Machine) -> None:
    if machine.stack:
        machine.stack.pop()
    else:
        machine.since_mark()


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


_BY_NAME: dict[str, Callable[[_Machine], object]] = {
    "PROTO": lambda m: m.take(1), "FRAME": lambda m: m.take(8), "MARK": _mark, "POP": _pop, "POP_MARK": lambda m: m.since_mark(),
    "NONE": _push(lambda _: None), "NEWTRUE": _push(lambda _: True), "NEWFALSE": _push(lambda _: False),
    "BININT": _push(lambda m: int.from_bytes(m.take(4), "little", signed=True)), "BININT1": _push(lambda m: m.take(1)[0]),
    "BININT2": _push(lambda m: int.from_bytes(m.take(2), "little")),
    "LONG1": _push(lambda m: int.from_bytes(m.sized(1), "little", signed=True)),
    "LONG4": _push(lambda m: int.from_bytes(m.sized(4), "little", signed=True)),
    "BINFLOAT": _push(lambda m: struct.unpack(">d", m.take(8))[0]),
    "SHORT_BINUNICODE": _push(lambda m: _text(m.sized(1))), "BINUNICODE": _push(lambda m: _text(m.sized(4))),
    "BINUNICODE8": _push(lambda m: _text(m.sized(8))), "SHORT_BINBYTES": _push(lambda m: m.sized(1)), "BINBYTES": _push(lambda m: m.sized(4)),
    "BINBYTES8": _push(lambda m: m.sized(8)), "BYTEARRAY8": _push(lambda m: bytearray(m.sized(8))),
    "EMPTY_LIST": _push(lambda _: []), "EMPTY_DICT": _push(lambda _: Table()), "EMPTY_SET": _push(lambda _: Bag()),
    "EMPTY_TUPLE": _push(lambda _: ()), "TUPLE1": _last(1), "TUPLE2": _last(2), "TUPLE3": _last(3),
    "TUPLE": _push(lambda m: tuple(m.since_mark())), "FROZENSET": _push(lambda m: Bag(m.since_mark(), frozen=True)),
    "APPEND": lambda m: m.put([m.stack.pop()]), "APPENDS": lambda m: m.put(m.since_mark()), "ADDITEMS": lambda m: m.put(m.since_mark()),
    "SETITEM": lambda m: m.put_pairs([m.stack.pop(), m.stack.pop()][::-1]), "SETITEMS": lambda m: m.put_pairs(m.since_mark()),
    "MEMOIZE": lambda m: m.memo.append(m.stack[-1]), "BINGET": _push(lambda m: m.memo[m.take(1)[0]]),
    "LONG_BINGET": _push(lambda m: m.memo[int.from_bytes(m.take(4), "little")]),
    "STACK_GLOBAL": lambda m: m.find(), "REDUCE": lambda m: m.make(), "NEWOBJ": lambda m: m.make(), "NEWOBJ_EX": lambda m: m.make(named=True),
    "BUILD": lambda m: m.build(),
}  # fmt: skip
STOP = ord(next(one.code for one in pickletools.opcodes if one.name == "STOP"))
OPERATIONS = {ord(one.code): _BY_NAME[one.name] for one in pickletools.opcodes if one.name in _BY_NAME}
