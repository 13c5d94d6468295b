"""Names of the catalogue, called or read: whether the conditions of their entries hold here, and what a call returns.

A condition that cannot be decided holds, but the fact is not certain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.kinds import UNPICKLABLE
from coopy.validation import summary as s
from coopy.validation.link.families import Families
from coopy.validation.link.machine import Fact
from coopy.validation.link.values import (
    ANYTHING,
    EMPTY,
    FALSE,
    IMPORT,
    NOTHING,
    STATE,
    UNKNOWN,
    Box,
    Constant,
    Foreign,
    Object,
    Pack,
    Text,
    Thing,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coopy.catalogue import Entry
    from coopy.validation.link.machine import Frame
    from coopy.validation.link.values import Place, Value, Values

MADE = "made:"
_NAIVE = frozenset(("utcnow", "today", "utcfromtimestamp", "fromordinal", "fromisocalendar"))
_ZONE = {"datetime": ("tzinfo", 7), "time": ("tzinfo", 4), "now": ("tz", 0), "fromtimestamp": ("tz", 1), "combine": ("tzinfo", 2)}
_TYPES = frozenset((
    "datetime.datetime", "datetime.date", "datetime.time", "datetime.timedelta", "datetime.timezone", "builtins.int", "builtins.float",
    "builtins.str", "builtins.bytes", "builtins.bool", "builtins.complex", "builtins.bytearray", "builtins.object", "builtins.range",
    "builtins.slice", "builtins.memoryview", "array.array", "itertools.count", "itertools.cycle", "threading.local",
))  # fmt: skip
_RESULTS = {
    "builtins.len": "builtins.int", "builtins.abs": "", "builtins.repr": "builtins.str", "builtins.chr": "builtins.str",
    "builtins.ord": "builtins.int", "builtins.hash": "builtins.int", "builtins.id": "builtins.int", "builtins.input": "builtins.str",
    "builtins.format": "builtins.str", "builtins.ascii": "builtins.str", "builtins.bin": "builtins.str", "builtins.hex": "builtins.str",
    "time.time": "builtins.float", "time.monotonic": "builtins.float", "time.time_ns": "builtins.int", "uuid.uuid4": "uuid.UUID",
    "uuid.uuid5": "uuid.UUID", "uuid.uuid1": "uuid.UUID", "uuid.uuid3": "uuid.UUID", "coopy.clock.time": "builtins.float",
    "coopy.clock.time_ns": "builtins.int", "coopy.clock.monotonic": "builtins.float", "coopy.clock.today": "datetime.date",
    "coopy.clock.now": "datetime.datetime", "coopy.clock.utcnow": "datetime.datetime", "coopy.random.uuid4": "uuid.UUID",
}  # fmt: skip


class Args:
    """Arguments of a call. `star`: what is passed by `*` or is not known; `open`: there may be more than is seen."""

    __slots__ = ("keyword_nodes", "keywords", "nodes", "open", "positional", "star")

    def __init__(
        self, positional: Sequence[Values] = (), keywords: dict[str, Values] | None = None, nodes: Sequence[s.Expr] = (),
        keyword_nodes: dict[str, s.Expr] | None = None, star: Values | None = None, *, open_: bool = False,
    ) -> None:  # fmt: skip
        self.positional, self.keywords, self.nodes = list(positional), keywords or {}, list(nodes) if nodes else []
        self.keyword_nodes, self.star, self.open = keyword_nodes or {}, star, open_ or star is not None

    def get(self, position: int, name: str) -> Values | None:
        """An argument by position or name."""
        if name in self.keywords:
            return self.keywords[name]
        if 0 <= position < len(self.positional):
            return self.positional[position]
        return None

    def node(self, position: int, name: str) -> s.Expr | None:
        """How an argument is written, if it is."""
        if name in self.keyword_nodes:
            return self.keyword_nodes[name]
        return self.nodes[position] if 0 <= position < len(self.nodes) else None

    def all(self) -> list[Values]:
        """Every argument."""
        return [*self.positional, *self.keywords.values(), *([self.star] if self.star else [])]

    def shifted(self) -> Args:
        """The arguments without the first."""
        return Args(self.positional[1:], self.keywords, self.nodes[1:], self.keyword_nodes, self.star, open_=self.open)


class Hazards(Families):
    """Uses of catalogued names."""

    def flag_read(self, frame: Frame, at: int, name: str) -> None:
        """A name is read, not called."""
        for entry in self.catalogue.decide(name) or ():
            if entry.kind == "attribute" and self._holds(frame, entry, Args(open_=True), None):
                self.fact(frame, Fact(entry.category, (frame.module, at), name, entry))

    def flag_call(self, frame: Frame, at: int, callee: Foreign, args: Args) -> bool:
        """A name is called; whether anything is known of it."""
        name, place = callee.name, callee.place or (frame.module, at)
        entries = self.catalogue.decide(name)
        for entry in entries or ():
            if entry.kind in ("call", "class"):
                self._flag(frame, place, at, name, entry, args, None)
            elif entry.kind == "method":
                receiver = next(iter(args.positional[0]), None) if args.positional else None
                self._flag(frame, place, at, name, entry, args.shifted(), receiver)
        return entries is not None

    def flag_method(self, frame: Frame, at: int, receiver: Value, kind: str, name: str, args: Args) -> bool:
        """A method of a type outside the program is called; whether anything is known of it."""
        full = f"{kind}.{name}"
        entries = self.catalogue.decide(full)
        made = receiver.note if isinstance(receiver, Thing) else ""
        for entry in entries or ():
            if entry.kind in ("method", "call") and made != f"{MADE}{entry.category}":
                self._flag(frame, (frame.module, at), at, full, entry, args, receiver)
        return entries is not None

    def _flag(  # noqa: PLR0913 - a use, and how it is written
        self, frame: Frame, place: Place, at: int, name: str, entry: Entry, args: Args, receiver: Value | None
    ) -> None:  # fmt: skip
        certain = self._holds(frame, entry, args, receiver)
        harmless = (entry.category == "filesystem" and _is_in_memory(args)) or (
            (entry.category in ("concurrency", "process-state") or name == "random.seed")
            and frame.mode == IMPORT  # of what a module makes, the use counts
        )
        if certain is not False and not harmless:
            self.fact(frame, Fact(entry.category, place, name, entry, (frame.module, at), certain=certain is True))

    def _holds(self, frame: Frame, entry: Entry, args: Args, receiver: Value | None) -> bool | None:
        """Whether all conditions hold; None if that is not known."""
        result: bool | None = True
        for condition in entry.when:
            states = [self._condition(frame, one, args, receiver) for one in condition.split(" or ")]
            state = True if True in states else None if None in states else False
            if state is False:
                return False
            result = None if state is None else result
        return result

    def _condition(self, frame: Frame, condition: str, args: Args, receiver: Value | None) -> bool | None:
        kind, _, rest = condition.partition(":")
        if kind == "noargs":
            return None if args.open else not args.positional and not args.keywords
        if kind == "not-in":
            return frame.context.qualname.rpartition(".")[2] not in rest.split("|")
        if kind == "self-naive":
            note = receiver.note if isinstance(receiver, Thing) else ""
            return {"naive": True, "aware": False, "given": False}.get(note)
        parameter, _, values = rest.partition("=")
        name, _, position = parameter.partition("@")
        where = int(position) if position else -1
        if name == "self" and not position:
            given: Values | None = EMPTY if receiver is None else frozenset((receiver,))
        else:
            given = args.get(where, name)
        return _argument(kind, given, args.node(where, name), values.split("|"), args)

    def given_text(self, text: str) -> Args:
        """The arguments of a call with one string."""
        return Args([frozenset((self.pool.text(text),))])

    # results

    def returned(self, frame: Frame, name: str, args: Args, receiver: Value | None = None) -> Values:
        """What a call of something outside the program returns."""
        canonical = self.catalogue.canonical(name)
        kind = _RESULTS.get(canonical) or self.catalogue.returned(canonical)
        if kind == "self":
            return frozenset((receiver,)) if receiver is not None else ANYTHING
        if kind is None and (canonical in _TYPES or self._is_type(canonical)):
            kind = canonical
        if not kind:
            return ANYTHING
        note = self._note(canonical, args, receiver) if kind in ("datetime.datetime", "datetime.time") else self._made_by(canonical)
        return frozenset((self.pool.thing(kind, frame.mode, note),))

    def _made_by(self, name: str) -> str:
        """A file or connection that a flagged call gives: what is done with it at once is no second finding."""
        entries = self.catalogue.decide(name)
        return f"{MADE}{entries[0].category}" if entries else ""

    def kept(self, values: Values) -> Values:
        """Values that are stored: a file or connection taken from there is used on its own account."""
        if not any(isinstance(one, Thing) and one.note.startswith(MADE) for one in values):
            return values
        return frozenset(self.pool.thing(v.type, v.mode) if isinstance(v, Thing) and v.note.startswith(MADE) else v for v in values)

    def _is_type(self, name: str) -> bool:
        last = name.rpartition(".")[2]
        return (last[:1].isupper() and not last.isupper()) or name in UNPICKLABLE

    def _note(self, name: str, args: Args, receiver: Value | None) -> str:
        last = name.rpartition(".")[2]
        if last in _NAIVE:
            return "naive"
        if last == "astimezone":
            return "aware"
        if last == "replace":
            zone = args.get(-1, "tzinfo")
            if zone is not None:
                return "naive" if zone == frozenset((NOTHING,)) else "aware"
            return receiver.note if isinstance(receiver, Thing) else ""
        if last in ("strptime", "fromisoformat"):
            return _parsed(args.get(1, "format") if last == "strptime" else args.get(0, "date_string"), last)
        if last not in _ZONE:
            return ""
        parameter, position = _ZONE[last]
        zone = args.get(position, parameter)
        if zone is None and last == "combine":
            zone = args.get(1, "time")
            return next((one.note for one in zone or () if isinstance(one, Thing)), "")
        if zone is None:
            return "" if args.open else "naive"
        return "naive" if zone == frozenset((NOTHING,)) else "aware"


def _is_in_memory(args: Args) -> bool:
    """Whether what would be a file is a stream that lies in memory: the functions that open files by name take either."""
    given = args.keywords.get("fileobj") or (args.positional[0] if args.positional else EMPTY)
    return bool(given) and all(isinstance(one, Thing) and one.type in ("io.StringIO", "io.BytesIO") for one in given)


def _parsed(text: Values | None, how: str) -> str:
    """Whether a time read from a text has a zone."""
    if not text or not all(isinstance(one, Text) for one in text):
        return ""
    texts = [one.text for one in text if isinstance(one, Text)]
    zoned = [("%z" in one or "%Z" in one) if how == "strptime" else one[10:].rstrip("Z") != one[10:] or "+" in one[10:] for one in texts]
    return "aware" if all(zoned) else "" if any(zoned) else "naive"


def _argument(kind: str, given: Values | None, node: s.Expr | None, values: list[str], args: Args) -> bool | None:
    """A condition on one argument."""
    if kind in ("unset", "given"):
        if given is None:
            return None if args.open else kind == "unset"
        empty = {NOTHING} if kind == "unset" else {NOTHING, FALSE}
        absent = bool(given) and given <= empty
        return absent if kind == "unset" else not absent
    if kind == "literal":
        return any(isinstance(one, Text) and one.text in values for one in given or ())
    if kind == "contains":
        texts = [one.text for one in given or () if isinstance(one, Text)]
        texts += [node.text] if isinstance(node, s.Format) else []
        return any(value in text for value in values for text in texts)
    if kind == "nonliteral":
        return given is not None and not isinstance(node, s.Const) and not (given and all(isinstance(one, Text) for one in given))
    if kind == "nottype":
        return given is not None and (not given or any(not _is_of_type(one, _short(values)) for one in given))
    raise AssertionError(f"the catalogue has a condition of an unknown kind: {kind}")


def _is_of_type(value: Value, names: list[str]) -> bool:
    """Whether a value is of one of these types, or a tuple of nothing else."""
    if isinstance(value, Pack):
        return bool(value.items) and all(item and all(_is_of_type(one, names) for one in item) for item in value.items)
    return type_name(value) in names


def _short(values: list[str]) -> list[str]:
    return [*values, *(f"builtins.{one}" for one in values if "." not in one)]


def type_name(value: Value) -> str:
    """The dotted name of a value's type, "" if it is not known or the program's own."""
    if isinstance(value, Text):
        return "builtins.str"
    if isinstance(value, Constant):
        return f"builtins.{value.type}"
    if isinstance(value, Thing):
        return value.type
    if isinstance(value, Pack):
        return "builtins.tuple"
    if isinstance(value, Box):
        return {"deque": "collections.deque"}.get(value.kind, f"builtins.{value.kind}")
    return ""


def of_state(value: Value) -> Value:
    """What an unknown part of this value is: unknown state if the value is state."""
    if value is STATE or (isinstance(value, (Object, Box)) and value.mode in ("action", "types")):
        return STATE
    return UNKNOWN
