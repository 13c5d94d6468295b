"""Pickles what is nested too deeply for CPython's own pickler, which follows references by recursion: the same bytes' meaning, without recursion.

Objects that refer to each other are followed from one to the next, so a web of some hundred of them (friends, neighbours, a chain) is as deep as it has
objects. CPython's pickler ends such a thing with RecursionError. This one is pickle's own, written in Python: what it leaves to the stack of the
interpreter there is a list here, of generators, each of which gives the next part of one value. It writes the parts in the same order, so objects are
made and get their states in the same order when it is read; and it is slow (some 20 us an object), for what the fast one gave up. The bytes are the
same, but at the end of a container of a thousand elements, or more: CPython's puts an empty batch there, or one of a single element.

Source of the opcodes and of what each value is made of: `pickle.py` of CPython and PEP 3154, protocol 5 (PEP 574).
"""

from __future__ import annotations

import copyreg
import gc
import pickle
from collections.abc import Iterator
from itertools import chain, islice
from types import FunctionType
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable

    Parts = Iterator[Any]

__all__ = ["PROTOCOL", "DeepPickler"]

PROTOCOL = 5
BATCH = 1000  # elements at a time, as pickle has it
DEEP, STEP = 10_000, 1_000  # values inside of each other, from which on it is asked whether they were there before, and then again
EACH = 4  # values that an object is made of when it is asked, each in the one before: a state, a pair, a list, a dictionary
SMALL = {1: pickle.TUPLE1, 2: pickle.TUPLE2, 3: pickle.TUPLE3}


class DeepPickler(pickle._Pickler):  # noqa: SLF001 - pickle's own writer in Python: the same, and slow
    """As pickle.Pickler, protocol 5, with `reduce` for its `reducer_override`."""

    # What typeshed does not tell of pickle's own.
    write: Callable[[bytes], object]
    framer: Any
    memo: dict[int, tuple[int, Any]]
    memoize: Callable[[Any], None]
    get: Callable[[int], bytes]
    save_global: Callable[..., None]
    save_type: Callable[[Any], None]

    def __init__(self, out: Any, reduce: Callable[[Any], Any]) -> None:
        super().__init__(out, PROTOCOL)
        self._reduce = reduce
        self._deepest, self._before = DEEP, set[int]()

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:  # noqa: ARG002, FBT001, FBT002 - pickle's own signature
        """Write a value. Raises PicklingError for what never ends."""
        memo, whole, write, get, commit_frame = self.memo, self._whole, self.write, self.get, self.framer.commit_frame
        path: list[tuple[Parts, Any]] = []
        parts: Parts = iter((obj,))
        while True:
            for part in parts:
                commit_frame()
                known = memo.get(id(part))
                if known is not None:
                    write(get(known[0]))
                elif type(part) in whole:
                    whole[type(part)](self, part)
                else:
                    path.append((parts, part))
                    parts = self._parts_of(part)
                    break
            else:
                if not path:
                    return
                parts, _ = path.pop()
            if len(path) > self._deepest:
                self._check_depth([one for _, one in path[-STEP : -STEP // 2]], len(path))

    def _check_depth(self, last: list[Any], depth: int) -> None:
        """What is deep was there before: hundreds of values that were not, each in the one before, are made as they are asked for, without an end.

        The garbage collector knows what was: all but tuples of atoms, which it does not track, and what is frozen. Not the last of all
        are looked at: they may be such a tuple, be it one that an endless object has for its arguments.
        """
        if not self._before:
            self._before.update(map(id, gc.get_objects()))
        elif all(gc.is_tracked(one) and id(one) not in self._before for one in last) and depth > EACH * gc.get_freeze_count():
            raise pickle.PicklingError(
                "it never ends: its __reduce__ or __getstate__, or that of something in it, gives a new object each time."
            )
        self._deepest = depth + STEP

    def _parts_of(self, obj: Any) -> Parts:
        """What is to be written, one after the other, as it comes."""
        kind = type(obj)
        if kind in self._containers:
            return self._containers[kind](self, obj)
        reduced = self._reduce(obj)
        if reduced is NotImplemented:
            if kind is type or kind is FunctionType:
                return self._global(obj)
            registered = copyreg.dispatch_table.get(kind)
            if registered is None and issubclass(kind, type):
                return self._global(obj)
            reduced = obj.__reduce_ex__(PROTOCOL) if registered is None else registered(obj)
        return self._global(obj, reduced) if isinstance(reduced, str) else self._object(obj, reduced)

    def _global(self, obj: Any, name: str | None = None) -> Parts:
        """What is found by its name."""
        if type(obj) is type:
            self.save_type(obj)
        else:
            self.save_global(obj, name)
        yield from ()

    # --- the parts of values ---------------------------------------------------------------------------------------------

    def _tuple(self, obj: tuple[Any, ...]) -> Parts:
        count = len(obj)
        if count == 0:
            self.write(pickle.EMPTY_TUPLE)
            return
        if count not in SMALL:
            self.write(pickle.MARK)
        yield from obj
        if id(obj) in self.memo:  # it is in itself: its parts brought it
            self.write(pickle.POP * count if count in SMALL else pickle.POP_MARK)
            self.write(self.get(self.memo[id(obj)][0]))
        else:
            self.write(SMALL.get(count, pickle.TUPLE))
            self.memoize(obj)

    def _list(self, obj: list[Any]) -> Parts:
        self.write(pickle.EMPTY_LIST)
        self.memoize(obj)
        yield from self._elements(iter(obj))

    def _elements(self, items: Iterator[Any]) -> Parts:
        return self._batches(zip(items), pickle.APPEND, pickle.APPENDS)

    def _pairs(self, items: Iterator[tuple[Any, Any]]) -> Parts:
        return self._batches(map(_pair, items), pickle.SETITEM, pickle.SETITEMS)

    def _batches(self, items: Iterator[tuple[Any, ...]], one: bytes, many: bytes) -> Parts:
        """Each is asked for when its turn comes, so that a dictionary which changes meanwhile says so."""
        for first in items:
            second = next(items, None)
            if second is None:
                yield from first
                self.write(one)
                return
            self.write(pickle.MARK)
            for item in chain((first, second), islice(items, BATCH - 2)):
                yield from item
            self.write(many)

    def _dict(self, obj: dict[Any, Any]) -> Parts:
        self.write(pickle.EMPTY_DICT)
        self.memoize(obj)
        yield from self._pairs(iter(obj.items()))

    def _set(self, obj: set[Any]) -> Parts:
        self.write(pickle.EMPTY_SET)
        self.memoize(obj)
        items = iter(obj)
        for first in items:
            self.write(pickle.MARK)
            yield first
            yield from islice(items, BATCH - 1)
            self.write(pickle.ADDITEMS)

    def _frozenset(self, obj: frozenset[Any]) -> Parts:
        self.write(pickle.MARK)
        yield from obj
        if id(obj) in self.memo:
            self.write(pickle.POP_MARK + self.get(self.memo[id(obj)][0]))
        else:
            self.write(pickle.FROZENSET)
            self.memoize(obj)

    def _object(self, obj: Any, reduced: Any) -> Parts:
        """As its class says that it is made: by a call, a state, elements and pairs."""
        if not _is_answer(reduced):
            what = f"__reduce__ of {type(obj).__qualname__} must return a string or a tuple of two to six elements"
            raise pickle.PicklingError(f"{what}: what to call, a tuple of its arguments, a state, two iterators, what gives it its state.")
        maker, args, state, elements, pairs, setter = (*reduced, None, None, None, None)[:6]
        yield from self._made(obj, maker, args)
        if id(obj) in self.memo:
            self.write(pickle.POP + self.get(self.memo[id(obj)][0]))
        else:
            self.memoize(obj)
        if elements is not None:
            yield from self._elements(elements)
        if pairs is not None:
            yield from self._pairs(pairs)
        if state is not None and setter is None:
            yield state
            self.write(pickle.BUILD)
        elif state is not None:
            yield from (setter, obj, state)
            self.write(pickle.TUPLE2 + pickle.REDUCE + pickle.POP)

    def _made(self, obj: Any, maker: Any, args: Any) -> Parts:
        name = getattr(maker, "__name__", "")
        if name == "__newobj__":
            if not args or args[0] is not obj.__class__:
                raise pickle.PicklingError(f"__reduce__ of {type(obj).__qualname__} makes an object of another class.")
            yield args[0]
            yield args[1:]
            self.write(pickle.NEWOBJ)
        elif name == "__newobj_ex__":
            yield from args
            self.write(pickle.NEWOBJ_EX)
        else:
            yield maker
            yield args
            self.write(pickle.REDUCE)

    _containers: ClassVar[dict[type, Callable[[Any, Any], Parts]]] = {
        tuple: _tuple,
        list: _list,
        dict: _dict,
        set: _set,
        frozenset: _frozenset,
    }
    _whole: ClassVar[dict[type, Any]] = {
        kind: save
        for kind, save in pickle._Pickler.dispatch.items()  # noqa: SLF001 - as above
        if kind in {type(None), bool, int, float, bytes, bytearray, str}
    }


def _is_answer(reduced: Any) -> bool:
    """Whether it says how an object is made, as far as CPython's pickler looks."""
    if not isinstance(reduced, tuple) or not 2 <= len(reduced) <= 6:  # noqa: PLR2004 - as object.__reduce__ is documented
        return False
    maker, args, _, elements, pairs, setter = (*reduced, None, None, None, None)[:6]
    iterators = all(one is None or isinstance(one, Iterator) for one in (elements, pairs))
    if not (callable(maker) and isinstance(args, tuple) and iterators and (setter is None or callable(setter))):
        return False
    if getattr(maker, "__name__", "") == "__newobj_ex__":
        return len(args) == 3 and isinstance(args[1], tuple) and isinstance(args[2], dict)  # noqa: PLR2004 - class, arguments, keywords
    return True


def _pair(pair: Any) -> tuple[Any, Any]:
    if type(pair) is tuple and len(pair) == 2:  # noqa: PLR2004 - a key and a value
        return pair
    raise pickle.PicklingError(f"__reduce__ must give pairs, of which {pair!r:.100} is none.")
