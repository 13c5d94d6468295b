"""Functions outside the program that go over containers, make them, or call what they are given with the elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.validation import summary as s
from coopy.validation.link.hazards import Args, type_name
from coopy.validation.link.lone import made_of_one
from coopy.validation.link.methods import Methods
from coopy.validation.link.unasked import as_keys
from coopy.validation.link.values import (
    EMPTY,
    NONE,
    NOTHING,
    Box,
    Foreign,
    Pack,
    Text,
    Thing,
    Unknown,
)  # fmt: skip

if TYPE_CHECKING:
    from coopy.validation.link.machine import Frame
    from coopy.validation.link.values import Values

_TUPLES = frozenset(("combinations", "permutations", "combinations_with_replacement", "pairwise", "batched"))


class Collecting(Methods):
    """Functions over containers."""

    def _iterable(self, frame: Frame, at: int, args: Args, position: int = 0) -> Values:
        given = args.get(position, "iterable") if position < len(args.positional) or "iterable" in args.keywords else args.star
        return self.elements(frame, at, given) if given else EMPTY

    def _sorted(self, frame: Frame, at: int, _name: str, args: Args) -> Values:
        elements = self._iterable(frame, at, args)
        self._ties(frame, at, args)
        self.compared(frame, at, elements, args)
        return frozenset((self.new_box(frame, at, "list", elements),))

    def _ties(self, frame: Frame, at: int, args: Args) -> None:
        """`sorted(tags, key=len)`, `max(tags, key=votes.count)`: elements of one rank stay as they came."""
        node = args.keyword_nodes.get("key")
        ranked = (isinstance(node, s.Attribute) and node.name == "count") or (
            isinstance(node, s.Name) and any(isinstance(one, Foreign) and one.name == "builtins.len" for one in args.keywords["key"])
        )
        if ranked and len(args.positional) == 1 and (place := self.shown_at(frame, at, args.positional[0])) is not None:
            self.escapes(frame, place)

    def _extreme(self, frame: Frame, at: int, _name: str, args: Args) -> Values:
        elements = self._iterable(frame, at, args) if len(args.positional) < 2 else frozenset().union(*args.positional)  # noqa: PLR2004
        self._ties(frame, at, args)
        self.compared(frame, at, elements, args)
        return elements | args.keywords.get("default", EMPTY)

    def _collect(self, frame: Frame, at: int, name: str, args: Args) -> Values:
        """list, tuple, deque of something: its order is kept."""
        kind = {"builtins.tuple": "tuple", "collections.deque": "deque"}.get(name, "list")
        box = self.new_box(frame, at, kind, self._iterable(frame, at, args))
        self.starts_empty(frame, args.all())
        if args.positional and (self.hashed(frame, at, args.positional[0]) or self.waiting(frame, args.positional[0])):
            self.made_of_hashed(frame, at, box, self.shown_at(frame, at, args.positional[0]))
        return frozenset((box,))

    def _set(self, frame: Frame, at: int, name: str, args: Args) -> Values:
        kind, items = name.rpartition(".")[2], self._iterable(frame, at, args)
        as_keys(self, frame, at, items)
        return frozenset((self.lone_box(frame, at, kind, items) if made_of_one(args) else self.new_box(frame, at, kind, items),))

    def _dict(self, frame: Frame, at: int, name: str, args: Args) -> Values:
        box = self.new_box(frame, at, "dict")
        positional = args.positional
        self.starts_empty(frame, [*(positional if name != "collections.defaultdict" else ()), *args.keywords])
        if name == "collections.defaultdict":
            self.write(box.factory, self.call_all(frame, at, positional[0], Args()) if positional else EMPTY)
            self.holds(frame, at, box, positional[0] if positional else EMPTY)
            box.filling = bool(positional)
            positional = positional[1:]
        if name == "collections.Counter":
            number: Values = frozenset((self.pool.thing("builtins.int", frame.mode),))
            self.write(box.items, number)
            self.write(box.factory, number)
            self.write(box.keys, self._iterable(frame, at, args))
            if args.positional and (self.hashed(frame, at, args.positional[0]) or self.waiting(frame, args.positional[0])):
                self.made_of_hashed(frame, at, box, self.shown_at(frame, at, args.positional[0]))
            return frozenset((box,))
        for one in positional:
            self.merge(frame, at, box, one)
        for key, values in args.keywords.items():
            self.write(self.slot(box, key), values)
        return frozenset((box,))

    def _from_keys(self, frame: Frame, at: int, _name: str, args: Args) -> Values:
        return self.call_box(frame, at, self.new_box(frame, at, "dict"), "fromkeys", args)

    def _mapped(self, frame: Frame, at: int, _name: str, args: Args) -> Values:
        """map, filter, starmap and what else calls its first argument with elements."""
        function, rest = (args.positional[0] if args.positional else EMPTY), args.positional[1:]
        given = [self.elements(frame, at, one) for one in rest]
        result = self.call_all(frame, at, function - NONE, Args(given))
        return self._iterator(frame, at, result, rest)

    def _filtered(self, frame: Frame, at: int, name: str, args: Args) -> Values:
        self._mapped(frame, at, name, args)
        items = self._iterable(frame, at, args, 1)
        if args.positional and NOTHING in args.positional[0]:
            self.truth_of(frame, at, items)
        return self._iterator(frame, at, items, args.positional[1:])

    def truth_of(self, frame: Frame, at: int, values: Values) -> None:
        """Values are tested (see `operators.py`)."""
        raise NotImplementedError

    def _iterator(self, frame: Frame, at: int, items: Values, sources: list[Values]) -> Values:
        box = self.new_box(frame, at, "iterator", items)
        for one in sources:
            if box.hashed is None:
                box.hashed = self.hashed(frame, at, one) or self.waiting(frame, one)
        return frozenset((box,))

    def _iter(self, frame: Frame, at: int, _name: str, args: Args) -> Values:
        if len(args.positional) > 1:
            return self._iterator(frame, at, self.call_all(frame, at, args.positional[0], Args()), [])
        if args.positional and args.positional[0] and all(self.is_iterator(one) for one in args.positional[0]):
            return args.positional[0]
        return self._iterator(frame, at, self._iterable(frame, at, args), args.positional)

    def _reversed(self, frame: Frame, at: int, name: str, args: Args) -> Values:
        objects = frozenset(one for one in (args.positional or [EMPTY])[0] if self.has_special(one, "__reversed__"))
        if not objects:
            return self._iter(frame, at, name, args)
        out = EMPTY
        for one in objects:
            out |= self.call_special(frame, at, one, "__reversed__", Args())
        return out

    def _enumerate(self, frame: Frame, at: int, _name: str, args: Args) -> Values:
        number = frozenset((self.pool.thing("builtins.int", frame.mode),))
        pair = self.pool.pack((number, self._iterable(frame, at, args)))
        return self._iterator(frame, at, frozenset((pair,)), args.positional)

    def _zip(self, frame: Frame, at: int, _name: str, args: Args) -> Values:
        pack = self.pool.pack(tuple(self.elements(frame, at, one) for one in args.positional))
        return self._iterator(frame, at, frozenset((pack,)), args.positional)

    def _next_of(self, frame: Frame, at: int, _name: str, args: Args) -> Values:
        values = args.positional[0] if args.positional else EMPTY
        out = args.get(1, "default") or EMPTY
        if (place := self.shown_at(frame, at, values)) is not None:
            self.escapes(frame, place)
        for one in values:
            if self.has_special(one, "__next__"):
                out |= self.call_special(frame, at, one, "__next__", Args())
            else:
                out |= self._elements_of(frame, at, one)
                if self.is_iterator(one):
                    self.mutated(frame, at, one, "next")
        return out

    def _reduce(self, frame: Frame, at: int, _name: str, args: Args) -> Values:
        items, function = self._iterable(frame, at, args, 1), (args.positional[0] if args.positional else EMPTY)
        if (
            len(args.positional) > 1
            and self.hashed(frame, at, args.positional[1])
            and any(not isinstance(one, Foreign) for one in function)
        ):
            self.escapes(frame, (frame.module, at))
        total = args.get(2, "initial") or items
        for _ in range(2):
            total |= self.call_all(frame, at, function, Args([total, items]))
        return total

    def _sum(self, frame: Frame, at: int, _name: str, args: Args) -> Values:
        elements = self._iterable(frame, at, args)
        place = self.shown_at(frame, at, args.positional[0]) if args.positional else None
        if place is not None and any(isinstance(one, (Box, Pack)) or type_name(one) == "builtins.float" for one in elements):
            self.escapes(frame, place)
        out = EMPTY
        for one in elements:
            out |= self.call_special(frame, at, one, "__add__", Args([elements]))
            out |= self.call_special(frame, at, one, "__radd__", Args([elements]))
        return out or frozenset((self.pool.thing("builtins.int", frame.mode),))

    def _iterators(self, frame: Frame, at: int, name: str, args: Args) -> Values:
        """The rest of itertools: elements of all arguments, whose functions are called with them."""
        if name == "itertools.count":
            return frozenset((self.pool.thing(name, frame.mode),))
        if (made := self._grouped(frame, at, name.rpartition(".")[2], args)) is not None:
            return self._iterator(frame, at, made, args.all())
        functions = frozenset(one for values in args.all() for one in values if not isinstance(one, (Box, Pack, Thing, Unknown, Text)))
        elements, sources = EMPTY, args.all()
        for values in args.all():
            elements |= self.elements(frame, at, values - functions)
        if name.endswith("from_iterable"):
            sources.append(elements)
            elements = self.elements(frame, at, elements)
        two = name.endswith(("accumulate", "starmap"))
        result = self.call_all(frame, at, functions - NONE, Args([elements, elements] if two else [elements]))
        return self._iterator(frame, at, elements | result, sources)

    def _grouped(self, frame: Frame, at: int, name: str, args: Args) -> Values | None:
        """Those that give tuples of elements."""
        if name in ("product", "zip_longest"):
            fill = args.keywords.get("fillvalue", NONE) if name == "zip_longest" else EMPTY
            return frozenset((self.pool.pack(tuple(self.elements(frame, at, one) | fill for one in args.positional)),))
        if name in _TUPLES and args.positional:
            return frozenset((self.new_box(frame, at, "tuple", self._iterable(frame, at, args)),))
        if name == "groupby" and args.positional:
            elements = self._iterable(frame, at, args)
            key = args.get(1, "key") or NONE
            keys = elements if key == NONE else self.call_all(frame, at, key, Args([elements]))
            return frozenset((self.pool.pack((keys, frozenset((self.new_box(frame, at, "iterator", elements),)))),))
        return None
