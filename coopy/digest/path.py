"""Names places in a state, and shows values in a few words. Asked only when something is to be said about a state, never for a digest.

Runs no code of the domain but what a pickle runs: a `__repr__` may show addresses, take long, or raise.
"""

from __future__ import annotations

import collections
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from coopy.digest.shape import ATOMS, DICT, FROZENSET, HOW, LIST, REDUCED, SET, TUPLE, class_name, shape_of
from coopy.error import NotSerializableError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Sections", "in_words", "labelled", "located", "name_of", "sections", "short"]

SHORT = 60  # characters of a value that are shown
FEW = 3  # parts of an object that are shown


def located(root: object, error: NotSerializableError) -> NotSerializableError:
    """The error with the path from the root to what it is about. The state is walked for that once more."""
    seen: set[int] = set()
    ways: list[tuple[Any, str, int]] = [(root, name_of(root), 0)]  # value, label, who led there: all kept, or an id could come again
    for at, (value, _, _) in enumerate(ways):  # grows meanwhile
        if type(value) in ATOMS or id(value) in seen:
            continue
        seen.add(id(value))
        try:
            ways += [(child, label, at) for label, child in labelled(value)]
        except NotSerializableError as found:
            return _told(_path(ways, at), found)
    return _told(name_of(root), error)


def _path(ways: list[tuple[Any, str, int]], at: int) -> str:
    labels = []
    while at:
        labels.append(ways[at][1])
        at = ways[at][2]
    return "".join([ways[0][1], *reversed(labels)])


def _told(path: str, error: NotSerializableError) -> NotSerializableError:
    what = f"{path} is of {error.kind}, which cannot be part of a state: {error}. Nothing was changed. Keep it elsewhere, or leave it out by __getstate__."
    return NotSerializableError(what, method="", where=path, kind=error.kind)


def name_of(root: object) -> str:
    """What a path begins with: the name of the domain class, as users name its object."""
    kind = type(root)
    return "state" if kind.__module__ == "builtins" or HOW[kind].text is not None else kind.__name__.lower()


def labelled(value: Any) -> Iterator[tuple[str, Any]]:
    """The values in a value, each with what a path says for the step to it."""
    how = HOW[type(value)]
    if how.text is not None:
        how.text(value)
        return iter(())
    head, values = shape_of(value)
    return zip(_labels(value, head, values), values, strict=True)


def _labels(value: Any, head: tuple[Any, ...], values: Any) -> Iterator[str]:
    if head is SET or head is FROZENSET:
        yield from (f"{{{short(one)}}}" for one in values)
        return
    parts = sections(value, head, values)
    yield from parts.named
    yield from map("[{}]".format, range(len(parts.items)))
    names = [short(key) for key, _ in parts.pairs]
    yield from map("<key {}>".format, names)
    yield from map("[{}]".format, names)


class Sections(Struct, frozen=True):
    """What a value consists of: by name (a label is one), by place, by key. Of a set, all is `loose`."""

    named: dict[str, Any]
    items: Sequence[Any]
    pairs: Sequence[tuple[Any, Any]]
    loose: Sequence[Any]


def sections(value: Any, head: tuple[Any, ...], values: Any) -> Sections:
    """A shape, taken apart."""
    if head is LIST or head is TUPLE:
        return Sections({}, values, (), ())
    if head is SET or head is FROZENSET:
        return Sections({}, (), (), values)
    if head is DICT:
        return Sections({}, (), _paired(values), ())
    if head[0] != REDUCED:
        return Sections(dict(zip(map(".{}".format, head[1]), values, strict=True)), (), (), ())
    _, _, _, arguments, names, items = head
    states = ["<state>"] if names is None else [f".{name}" for name in names]
    labels = [*_arguments(value, values[:arguments]), *states]
    rest = len(labels) + items
    return Sections(dict(zip(labels, values, strict=False)), values[len(labels) : rest], _paired(values[rest:]), ())


def _paired(values: Any) -> list[tuple[Any, Any]]:
    half = len(values) // 2
    return list(zip(values[:half], values[half:], strict=True))


def _arguments(value: Any, arguments: Any) -> Iterator[str]:
    """What an object is made with, by the names of its fields if it has some. No label comes twice."""
    kind = type(value)
    fields: Any = _FIELDS.get(kind) or getattr(kind, "_fields", None) or getattr(kind, "__struct_fields__", ())
    for at, one in enumerate(arguments):
        if len(fields) == len(arguments):
            yield f".{fields[at]}"
        elif isinstance(value, BaseException):
            yield f".args[{at}]"
        elif at == 0 and isinstance(value, set | frozenset | dict) and isinstance(one, frozenset | dict):
            yield ""  # it is made with its own contents
        else:
            yield f"<argument {at}>"


def short(value: Any) -> str:
    """A value in a few words, with nothing in them that another process would show otherwise."""
    words = in_words(value)
    return words if len(words) <= SHORT else f"{words[: SHORT * 2 // 3]} ... {words[-SHORT // 4 :]}"


def in_words(value: Any) -> str:
    """The same, but an atom at its whole length."""
    kind = type(value)
    if kind is int and value.bit_length() > 1000:  # noqa: PLR2004 - Python refuses to show long ones
        return f"{value:#x}"
    if class_name(kind) in _SHOWN and _is_standard(getattr(value, "tzinfo", None)):
        return repr(value)
    if HOW[kind].text is not None:
        return bytes(HOW[kind].text(value).data).decode("utf-8", "replace")
    if kind is tuple and ATOMS.issuperset(map(type, value)):
        return f"({', '.join(map(short, value[:FEW]))}{', ...' if len(value) > FEW else ',' if len(value) == 1 else ''})"
    base = next((one for one in _BASES if issubclass(kind, one)), None)
    if base is None:
        return f"{kind.__name__}({', '.join(_few_parts(value))})"
    return f"{kind.__name__}({base.__repr__(value)})" if base in ATOMS else f"{kind.__name__} of {base.__len__(value)}"


def _is_standard(zone: Any) -> bool:
    return zone is None or class_name(type(zone)) in {"datetime.timezone", "zoneinfo.ZoneInfo"}


def _few_parts(value: Any) -> list[str]:
    """The first of an object's atoms."""
    try:
        parts = [(label, one) for label, one in labelled(value) if type(one) in ATOMS]
    except NotSerializableError:
        return ["..."]
    return [f"{label.removeprefix('.')}={short(one)}" for label, one in parts[:FEW]]


_FIELDS: dict[type, tuple[str, ...]] = {collections.deque: ("", "maxlen"), collections.defaultdict: ("default_factory",)}
_BASES: tuple[Any, ...] = (list, dict, set, frozenset, tuple, collections.deque, str, int, float, bytes)
_SHOWN = frozenset((
    *map(class_name, (*ATOMS, complex, range)),
    *(f"datetime.{one}" for one in ("datetime", "date", "time", "timedelta", "timezone")),
    *("decimal.Decimal", "fractions.Fraction", "uuid.UUID"),
))  # fmt: skip
