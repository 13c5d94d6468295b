"""Methods of lists, dictionaries, sets, iterators and generators: what they give, put in and change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coopy.kinds import CHANGING
from coopy.validation.link.containers import Containers
from coopy.validation.link.hazards import Args
from coopy.validation.link.lone import GROWING, grown, hash_order
from coopy.validation.link.unasked import as_keys, compare
from coopy.validation.link.values import ANYTHING, EMPTY, HASHED, NONE, Bound, Box, Pack, Text, Thing

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.validation.link.machine import Frame
    from coopy.validation.link.values import Value, Values

_SET_MAKERS = frozenset(("union", "intersection", "difference", "symmetric_difference", "copy"))
_SET_CHANGERS = frozenset(("update", "intersection_update", "difference_update", "symmetric_difference_update"))
_ITERATOR_KINDS = frozenset(("iterator", "generator"))


class Boxes(Containers):
    """Methods of containers."""

    def call_box(self, frame: Frame, at: int, box: Box, name: str, args: Args) -> Values:
        """A method of a container."""
        if name in CHANGING:
            self.mutated(frame, at, box, name)
        if name in GROWING:
            grown(self, box)
        model = _METHODS.get(name)
        if box.kind in HASHED and (name in _SET_MAKERS or name in _SET_CHANGERS):
            model = Boxes._set_combined
        if model is not None:
            return model(self, frame, at, box, name, args)
        return ANYTHING

    def _append(self, frame: Frame, at: int, box: Box, name: str, args: Args) -> Values:
        for one in args.positional[-1:]:
            if name == "add":
                as_keys(self, frame, at, one)
            self.write(box.items, one)
            self.puts(frame, at, box, one)
        if name != "add":
            self.ordered_effect(frame, box)
        return NONE

    def _extend(self, frame: Frame, at: int, box: Box, _name: str, args: Args) -> Values:
        for one in args.positional[:1]:
            self.write(box.items, self.elements(frame, at, one))
            if (place := self.shown_at(frame, at, one)) is not None:
                self.made_of_hashed(frame, at, box, place)
            self.pass_on(frame, one, box)
        self.ordered_effect(frame, box)
        return NONE

    def _update(self, frame: Frame, at: int, box: Box, _name: str, args: Args) -> Values:
        """dict.update, or the update of an unknown kind."""
        for values in args.positional:
            self.merge(frame, at, box, values)
        for key, values in args.keywords.items():
            self.write(self.slot(box, key), values)
        return NONE

    def merge(self, frame: Frame, at: int, box: Box, values: Values) -> None:
        """Put the entries of mappings, or of iterables of pairs, into a dictionary."""
        for one in values:
            if isinstance(one, Box) and one.kind == "dict":
                if one.hashed:
                    self.made_of_hashed(frame, at, box)
                self.write(box.items, self.read(one.items) | self.read(one.hint))
                self.write(box.keys, self.read(one.keys))
                for key, cell in list(one.slots.items()):
                    self.write(self.slot(box, key), self.read(cell))
            elif isinstance(one, Pack) and one.names:
                for key, item in zip(one.names, one.items, strict=True):
                    self.write(self.slot(box, key), item)
            else:
                self._merge_pairs(frame, at, box, one)

    def _merge_pairs(self, frame: Frame, at: int, box: Box, value: Value) -> None:
        if isinstance(value, Box) and hash_order(self, value):
            self.made_of_hashed(frame, at, box)
        for pair in self._elements_of(frame, at, value):
            if isinstance(pair, Pack) and len(pair.items) == 2:  # noqa: PLR2004 - a pair
                self.store_pair(box, pair.items[0], pair.items[1])
            else:
                self.write(box.items, self._elements_of(frame, at, pair))
                self.write(box.keys, ANYTHING)

    def store_pair(self, box: Box, key: Values, item: Values) -> None:
        """One entry of a dictionary."""
        if key and all(isinstance(one, Text) for one in key):
            for one in key:
                self.write(self.slot(box, one.text), item)  # type: ignore[attr-defined]
        else:
            self.write(box.items, item)
            self.write(box.keys, key)

    def _set_combined(self, frame: Frame, at: int, box: Box, name: str, args: Args) -> Values:
        items = self.everything(box)
        if name in ("union", "update", "symmetric_difference", "symmetric_difference_update"):
            for one in args.positional:
                items |= self.elements(frame, at, one)
        as_keys(self, frame, at, items)
        if name in _SET_CHANGERS:
            self.write(box.items, items)
            return NONE
        return frozenset((self.new_box(frame, at, box.kind, items),))

    def _get(self, frame: Frame, at: int, box: Box, name: str, args: Args) -> Values:
        """get, pop, setdefault: of a dictionary by key, of a list any."""
        if box.kind in ("list", "deque", "iterator"):
            return self.everything(box)
        if box.kind in HASHED:
            if hash_order(self, box):
                self.flag_method(frame, at, box, "builtins.set", name, args)
            return self.everything(box)
        index = args.get(0, "key") or ANYTHING
        default = args.get(1, "default")
        if name == "setdefault" and default is not None:
            self.keyed_effect(frame, box, args.node(0, "key"))
            self.store_pair(box, index, default)
        return self._box_item(frame, at, box, index, None) | (default if default is not None else NONE if name == "get" else EMPTY)

    def _copy(self, frame: Frame, at: int, box: Box, _name: str, _args: Args) -> Values:
        return frozenset((self.copied(frame, at, box),))

    def copied(self, frame: Frame, at: int, box: Box) -> Box:
        """A shallow copy."""
        copy = self.new_box(frame, at, box.kind, self.read(box.items) | self.read(box.hint))
        if box.kind not in HASHED and (box.hashed or self.waiting(frame, frozenset((box,)))):
            self.made_of_hashed(frame, at, copy)
        self.write(copy.keys, self.read(box.keys))
        for key, cell in list(box.slots.items()):
            self.write(self.slot(copy, key), self.read(cell))
        return copy

    def _view(self, frame: Frame, at: int, box: Box, name: str, _args: Args) -> Values:
        keys = self._elements_of(frame, at, box)
        inside = {"keys": keys, "values": self.everything(box)}.get(name)
        if inside is None:
            inside = frozenset((self.pool.pack((keys or ANYTHING, self.everything(box))),))
        view = self.new_box(frame, at, "iterator", inside)
        view.hashed = view.hashed or hash_order(self, box) or self.waiting(frame, frozenset((box,)))
        return frozenset((view,))

    def _ranked(self, frame: Frame, at: int, box: Box, _name: str, _args: Args) -> Values:
        """Counter.most_common: those of one number stay in the order in which they came."""
        made = self.new_box(frame, at, "list", frozenset((self.pool.pack((self._elements_of(frame, at, box), self.everything(box))),)))
        if hash_order(self, box) or self.waiting(frame, frozenset((box,))):
            self.made_of_hashed(frame, at, made)
        return frozenset((made,))

    def _popitem(self, frame: Frame, at: int, box: Box, _name: str, _args: Args) -> Values:
        return frozenset((self.pool.pack((self._elements_of(frame, at, box), self.everything(box))),))

    def _sort(self, frame: Frame, at: int, box: Box, _name: str, args: Args) -> Values:
        self.sorted_in_place(frame, box)
        self.compared(frame, at, self.everything(box), args)
        return NONE

    def compared(self, frame: Frame, at: int, elements: Values, args: Args) -> None:
        """Elements are ordered by a key, or by their own comparison."""
        key = args.keywords.get("key")
        if key is not None and key != NONE:
            self.call_all(frame, at, key, Args([elements]))
            return
        for one in elements:
            for name in ("__lt__", "__gt__"):
                if self.has_special(one, name):
                    self.call_special(frame, at, one, name, Args([elements]))
        if any(isinstance(one, Pack) for one in elements):
            compare(self, frame, at, "lt", elements, elements)

    def _next(self, frame: Frame, at: int, box: Box, _name: str, _args: Args) -> Values:
        self.mutated(frame, at, box, "next")
        if (place := self.shown_at(frame, at, frozenset((box,)))) is not None:
            self.escapes(frame, place)
        return self.everything(box)

    def _none(self, *_: Any) -> Values:
        return NONE

    def _searched(self, frame: Frame, at: int, box: Box, name: str, args: Args) -> Values:
        """index, count, remove, discard: elements are compared with what is looked for."""
        for one in args.positional[:1]:
            if box.kind in HASHED:
                as_keys(self, frame, at, one)
            else:
                compare(self, frame, at, "eq", self.everything(box), one)
        return NONE if name in ("remove", "discard") else frozenset((self.pool.thing("builtins.int", frame.mode),))

    def _fromkeys(self, frame: Frame, at: int, _box: Box, _name: str, args: Args) -> Values:
        made = self.new_box(frame, at, "dict", args.get(1, "value") or NONE)
        if args.positional:
            if self.hashed(frame, at, args.positional[0]) or self.waiting(frame, args.positional[0]):
                self.made_of_hashed(frame, at, made)
            keys = self.elements(frame, at, args.positional[0])
            as_keys(self, frame, at, keys)
            self.write(made.keys, keys)
        return frozenset((made,))

    def is_iterator(self, value: Value) -> bool:
        """Whether a value is consumed by being iterated."""
        return (isinstance(value, Box) and value.kind in _ITERATOR_KINDS) or (
            isinstance(value, Thing) and value.type.startswith("itertools.")
        )

    def call_bound(self, frame: Frame, at: int, callee: Bound, args: Args) -> Values:
        """A method of something outside the program (strings and other types in `models.py`)."""
        raise NotImplementedError


_METHODS: dict[str, Callable[..., Values]] = {
    "append": Boxes._append,
    "appendleft": Boxes._append,
    "add": Boxes._append,
    "insert": Boxes._append,
    "extend": Boxes._extend,
    "extendleft": Boxes._extend,
    "update": Boxes._update,
    "get": Boxes._get,
    "pop": Boxes._get,
    "popleft": Boxes._get,
    "setdefault": Boxes._get,
    "__getitem__": Boxes._get,
    "copy": Boxes._copy,
    "__copy__": Boxes._copy,
    "keys": Boxes._view,
    "values": Boxes._view,
    "items": Boxes._view,
    "most_common": Boxes._ranked,
    "popitem": Boxes._popitem,
    "sort": Boxes._sort,
    "__next__": Boxes._next,
    "send": Boxes._next,
    "fromkeys": Boxes._fromkeys,
    **dict.fromkeys(("index", "count", "remove", "discard"), Boxes._searched),
    **dict.fromkeys(("clear", "reverse", "rotate", "close"), Boxes._none),
}
