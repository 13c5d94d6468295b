"""Values as people read them: one line, never longer than there is room. Nothing of what is shown reaches a terminal as a command to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coopy.cli.standard import made
from coopy.inert import Bag, Named, Table, Thing, Unfinished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["call_text", "name_text", "short_name", "value_text"]

DEEPEST = 8
MORE = "…"
LONG_INT = 256  # bits
WRAPPED = {"coopy.codec:_Named": "{0}", "coopy.codec:_Pattern": "re.compile({0})", "coopy.codec:_Raised": "{0}"}
PLAIN = frozenset((str, int, bool, type(None), float))


def call_text(method: str, args: Sequence[Any], kwargs: Mapping[str, Any], room: int) -> str:
    """A call as it was written, about: `add('a', times=2)`; its arguments in at most about `room` characters."""
    if not kwargs and PLAIN.issuperset(map(type, args)):  # most calls, and the only ones that have to be fast
        text = ", ".join(map(repr, args)) if _small(args) else MORE * (room + 1)
        if len(text) <= room:
            return f"{name_text(method)}({text})"
    out = _Line(room)
    out.parts.append(f"{name_text(method)}(")
    out.parts_of(_arguments(args, kwargs), 0)
    out.end(")")
    return out.text()


def _small(args: Sequence[Any]) -> bool:
    return all(one.bit_length() <= LONG_INT if type(one) is int else type(one) is not str or len(one) <= LONG_INT for one in args)


def value_text(value: Any, room: int) -> str:
    """A value: a constructor where it is an instance."""
    out = _Line(room)
    out.value(value, 0)
    return out.text()


def name_text(name: str) -> str:
    """A name from a file: as it is if it can be one, else quoted."""
    return name if name.isprintable() and " " not in name else repr(name)


def short_name(name: str) -> str:
    """The class alone, of "module:Name"."""
    return name_text(name.rpartition(":")[2])


def _arguments(args: Iterable[Any], kwargs: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [*(("", one) for one in args), *((f"{name_text(name)}=", one) for name, one in kwargs.items())]


class _Full(Exception):  # noqa: N818 - no error: the line is done
    """There is no room left."""


class _Line:
    """A line that fills up. `room`: what is left of it, in characters."""

    def __init__(self, room: int) -> None:
        self.room, self.parts = room, list[str]()
        self.full = False

    def text(self) -> str:
        """What fits, and whether that is all."""
        return "".join(self.parts) + (MORE if self.full else "")

    def add(self, text: str) -> None:
        """Raises _Full behind the last character that fits."""
        if len(text) > self.room:
            self.parts.append(text[: self.room])
            self.room = 0
            raise _Full
        self.parts.append(text)
        self.room -= len(text)

    def end(self, closing: str) -> None:
        """The last of it, which there is room for."""
        self.parts.append(MORE + closing if self.full else closing)
        self.full = False

    def value(self, value: Any, depth: int) -> None:
        """As much of a value as there is room for."""
        try:
            self._value(value, depth)
        except _Full:
            self.full = True

    def parts_of(self, parts: Sequence[tuple[str, Any]], depth: int) -> None:
        """The same for arguments: each behind what stands before it."""
        try:
            self._list(parts, depth)
        except _Full:
            self.full = True

    def _list(self, parts: Iterable[tuple[str, Any]], depth: int) -> None:
        for number, (before, value) in enumerate(parts):
            self.add(f", {before}" if number else before)
            self._value(value, depth)

    def _value(self, value: Any, depth: int) -> None:
        if depth > DEEPEST:
            self.add(MORE)
            return
        show = SHOWN.get(type(value))
        if show is None:
            self.add(repr(value))
        else:
            show(self, value, depth + 1)

    # --- one for each kind -----------------------------------------------------------------------------------------------

    def _string(self, value: Any, _depth: int) -> None:
        self.add(repr(value[: self.room + 1]))

    def _integer(self, value: int, _depth: int) -> None:
        self.add(repr(value) if value.bit_length() <= LONG_INT else f"<an integer of {value.bit_length():,} bits>")

    def _sequence(self, value: Sequence[Any], depth: int) -> None:
        left, right = "[]" if type(value) is list else "()"
        self.add(left)
        self._list((("", one) for one in value), depth)
        self.add("," + right if type(value) is tuple and len(value) == 1 else right)

    def _table(self, value: Table, depth: int) -> None:
        self.add("{")
        for number, (key, one) in enumerate(value.pairs):
            self.add(", " if number else "")
            self._value(key, depth)
            self.add(": ")
            self._value(one, depth)
        self.add("}")

    def _plain_table(self, value: Mapping[Any, Any], depth: int) -> None:
        self._table(Table(list(value.items())), depth)

    def _bag(self, value: Bag, depth: int) -> None:
        self.add("frozenset({" if value.frozen else "{")
        self._list((("", one) for one in value.items), depth)
        self.add("})" if value.frozen else "}")

    def _named(self, value: Named, _depth: int) -> None:
        self.add(short_name(value.name))

    def _unfinished(self, _value: Unfinished, _depth: int) -> None:
        self.add(MORE)

    def _thing(self, value: Thing, depth: int) -> None:
        known = made(value)
        if known is not None:
            self.add(repr(known))
            return
        if value.name in WRAPPED and value.args:
            before, after = WRAPPED[value.name].split("{0}")
            self.add(before)
            inner = value.args[0]
            if type(inner) is str and not before:
                self.add(name_text(inner))
            else:
                self._value(inner, depth)
            self.add(after)
            return
        self.add(f"{short_name(value.name)}(")
        parts = _arguments(value.args, value.attributes)
        if value.state is not None:
            parts.append(("state=", value.state))
        if value.items:
            parts.append(("", value.items))
        if value.pairs:
            parts.append(("", Table(value.pairs)))
        self._list(parts, depth)
        self.add(")")


SHOWN: dict[type, Callable[[_Line, Any, int], None]] = {
    str: _Line._string, bytes: _Line._string, bytearray: _Line._string, int: _Line._integer, list: _Line._sequence, tuple: _Line._sequence,  # noqa: SLF001 - its own table
    Table: _Line._table, dict: _Line._plain_table, Bag: _Line._bag, Named: _Line._named, Thing: _Line._thing, Unfinished: _Line._unfinished,  # noqa: SLF001
}  # fmt: skip
