"""Texts made of values: by their own methods, by those that print an address or a hash order, by templates that look into what they are given."""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING

from coopy.validation import summary as s
from coopy.validation.link.hazards import Args
from coopy.validation.link.mixins import Mixins
from coopy.validation.link.values import ANYTHING, EMPTY, Box, FunctionValue, Object, Pack, Text, Thing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coopy.validation.link.machine import Frame
    from coopy.validation.link.scopes import ClassInfo
    from coopy.validation.link.values import Value, Values

_KINDS = {"encode": "builtins.bytes", "startswith": "builtins.bool", "endswith": "builtins.bool", "find": "builtins.int"}
_PARTS = frozenset(("split", "splitlines", "rsplit", "partition", "rpartition"))
_NAMED = re.compile(r"%\((\w+)\)")  # in the template of a `%`
_STEPS = re.compile(r"\.(\w+)|\[([^\]]+)\]")  # in a field of a template: `{page.title}`, `{row[price]}`
_REPR = ("__repr__",)
SPARED = 2  # calls, of a method and its function, that count towards RUNS as if they were made: precision was chosen with them
LONGEST = 60  # characters of a name that is put together
_NESTED = 2  # a list of tuples, an object in an object


class Texts(Mixins):
    """Texts."""

    def text_of(self, frame: Frame, at: int, values: Values, conversion: str) -> None:
        """Values are made text."""
        self._text_of(frame, at, values, _REPR if conversion in ("r", "a") else ("__format__", "__str__", *_REPR), {})

    def _text_of(self, frame: Frame, at: int, values: Values, names: tuple[str, ...], said: dict[Object, int], depth: int = 0) -> None:
        """`said`: the objects inside that were made text here, and how deep inside, for many containers hold the same."""
        self.used(frame, values)
        for one in values:
            if isinstance(one, Object):
                if depth and said.get(one, _NESTED + 1) <= depth:
                    self.steps += SPARED
                    continue
                if depth:
                    said[one] = depth
                self._text_of_object(frame, at, one, names, said, depth)
            elif isinstance(one, (Box, Pack)) and depth < _NESTED:
                if (place := self.shown_at(frame, at, frozenset((one,)))) is not None:
                    self.escapes(frame, place)
                self._text_of(frame, at, self._elements_of(frame, at, one), _REPR, said, depth + 1)
        if values and all(isinstance(one, FunctionValue) for one in values):
            self.flag_method(frame, at, next(iter(values)), "builtins.object", "__repr__", Args())

    def _text_of_object(self, frame: Frame, at: int, value: Object, names: tuple[str, ...], said: dict[Object, int], depth: int) -> None:
        if self.is_anything(value.cls):
            for name in names:
                self.call_special(frame, at, value, name, Args([EMPTY]) if name == "__format__" else Args())
        found = None
        for name in names:
            found = self.member(value.cls, name)
            if isinstance(found, tuple):
                self.call_special(frame, at, value, name, Args([EMPTY]) if name == "__format__" else Args())
                return
            if isinstance(found, str) or self.is_anything(value.cls):
                break
        if fields := self.fields(value.cls):
            shown = (name for name, owner, binding, _ in fields if _is_shown(owner, binding))
            for name in shown if depth < _NESTED else ():
                self._text_of(frame, at, self.held(value, name), _REPR, said, depth + 1)
        elif value.cls.known and found is None and not self.is_anything(value.cls):
            self.flag_method(frame, at, value, "builtins.object", names[-1], Args())

    def text_method(self, frame: Frame, at: int, receiver: Value, name: str, args: Args) -> Values:
        """A method of a string."""
        self.flag_method(frame, at, receiver, "builtins.str", name, args)
        if name == "join":
            for one in args.positional[:1]:
                if (place := self.shown_at(frame, at, one)) is not None:
                    self.escapes(frame, place)
                self.used(frame, one)
                self.elements(frame, at, one)
        elif name in ("format", "format_map"):
            self._formatted(frame, at, receiver, name, args)
        if name in _PARTS:
            return frozenset((self.new_box(frame, at, "list", frozenset((self.pool.thing("builtins.str", frame.mode),))),))
        return frozenset((self.pool.thing(_KINDS.get(name, "builtins.str"), frame.mode),))

    def _formatted(self, frame: Frame, at: int, receiver: Value, name: str, args: Args) -> None:
        fields = list(_fields(receiver.text)) if isinstance(receiver, Text) else []
        if not fields or args.star is not None:
            for one in args.all() if name == "format" else ():
                self.text_of(frame, at, one, "")
        for head, rest, spec, conversion in fields:
            key: Values = frozenset((self.pool.text(head),))
            if name == "format":
                values = args.get(int(head) if head.isdigit() else -1, head) or EMPTY
            else:
                values = (
                    frozenset().union(*(self.item(frame, at, one, key, None) for one in args.positional[0])) if args.positional else EMPTY
                )
            for attribute, index in _STEPS.findall(rest):
                values = self._step(frame, at, values, attribute, index)
            self.text_of(frame, at, values, conversion)
            self.timed_format(frame, at, values, spec)

    def _step(self, frame: Frame, at: int, values: Values, attribute: str, index: str) -> Values:
        if attribute:
            return frozenset().union(*(self.attribute(frame, at, one, attribute) for one in values))
        key: Values = frozenset((self.pool.text(index),))
        return frozenset().union(*(self.item(frame, at, one, key, None) for one in values))

    def filled(self, frame: Frame, at: int, templates: Values, given: Values) -> None:
        """`template % given`."""
        texts = [one.text for one in templates if isinstance(one, Text)]
        shown = "r" if any("%r" in one for one in texts) else ""
        names = [name for one in texts for name in _NAMED.findall(one)]
        for one in given:
            inside = frozenset().union(*one.items) if isinstance(one, Pack) else frozenset((one,))
            for name in names:
                inside = self.item(frame, at, one, frozenset((self.pool.text(name),)), None)
                self.text_of(frame, at, inside, shown)
            if not names:
                self.text_of(frame, at, inside, shown)

    def substituted(self, frame: Frame, at: int, args: Args) -> None:
        """`template.substitute(mapping, name=value)`: of which names is not known."""
        for values in args.positional[:1]:
            for one in values:
                self.text_of(frame, at, self.item(frame, at, one, ANYTHING, None), "")
        for values in args.keywords.values():
            self.text_of(frame, at, values, "")

    def joined(self, *parts: Values) -> Values:
        """The string that is made of strings written in the program, if there is one of each and they are short; else nothing."""
        texts = [next(iter(one)) for one in parts if len(one) == 1]
        written = [one.text for one in texts if isinstance(one, Text)]
        if len(written) < len(parts) or sum(map(len, written)) > LONGEST:
            return EMPTY
        return frozenset((self.pool.text("".join(written)),))

    def interpolated(self, text: str, fields: list[Values]) -> Values:
        """The same of an f-string."""
        if not all(len(one) == 1 and type(next(iter(one))) is Text for one in fields):
            return EMPTY
        literals = text.split(s.FIELD)
        if len(literals) != len(fields) + 1:
            return EMPTY
        written: list[Values] = [frozenset((self.pool.text(one),)) for one in literals]
        return self.joined(written[0], *(one for pair in zip(fields, written[1:], strict=True) for one in pair))

    def timed_format(self, frame: Frame, at: int, values: Values, spec: str) -> None:
        """`f"{moment:%s}"` is strftime."""
        for one in values:
            if isinstance(one, Thing) and one.type.startswith("datetime."):
                self.flag_method(frame, at, one, one.type, "strftime", Args([frozenset((self.pool.text(spec),))]))


def _fields(template: str) -> Iterator[tuple[str, str, str, str]]:
    """Fields of a template: which argument, the way from there, how it is formatted and converted."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError:  # no template: using it raises, too
        return
    numbered = 0
    for _, field, spec, conversion in parts:
        if field is None:
            continue
        head = re.split(r"[.\[]", field, maxsplit=1)[0]
        rest = field[len(head) :]
        if not head:
            head, numbered = str(numbered), numbered + 1
        yield head, rest, spec or "", conversion or ""


def _is_shown(owner: ClassInfo, binding: object) -> bool:
    """Whether a field stands in the text of its object."""
    value = getattr(getattr(binding, "statement", None), "value", None)
    calls = [value, *owner.node.decorators]
    return not any(
        word == "repr" and isinstance(node, s.Const) and node.text == "False"
        for one in calls
        if isinstance(one, s.Call)
        for word, node in one.keywords
    )
