"""How values are pickled: protocol 5, with reducers of our own for what would pickle as a function, and with marks.

The marks are what a pickle says of coopy's own: this is the domain object, a member of an enumeration, an object of a class with versions.
Pickles call them by the module `coopy.codec`, which is part of the format. What reads them is in `unpickler.py` and `older.py`.
"""

from __future__ import annotations

import array
import contextlib
import copyreg
import functools
import io
import pickle
import re
import types
from copyreg import __newobj__ as newobj  # type: ignore[attr-defined]
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic

from msgspec import Struct

from coopy.classes import TOOLS, resolve
from coopy.deep import PROTOCOL, DeepPickler
from coopy.error import UpgradeError
from coopy.older import MARKS
from coopy.shapes import INTACT

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.classes import Classes
    from coopy.shapes import Shape

    Reduce = Callable[[Any], Any]

__all__ = ["CALLED", "OURS", "OWN", "DeepPickler", "Pickler", "Reducers", "dumps", "is_structure"]

BY_FUNCTION = "If an object pickles by it, as numpy's arrays do: keep it in one of your own, whose __getstate__ gives and whose __setstate__ takes plain values."
OWN = ("coopy.clock", "coopy.random")  # whose objects coopy puts into a domain object, and takes out again
PARAMETERS = "__orig_class__"


# --- marks -----------------------------------------------------------------------------------------------------------


class _Pattern:
    """A compiled regular expression as a pickle carries it: `re.Pattern` itself pickles as a function."""

    __module__ = MARKS

    def __new__(cls, pattern: str | bytes, flags: int) -> re.Pattern[Any]:  # type: ignore[misc]
        return re.compile(pattern, flags)


class _Named:
    """A value that there is once, as a pickle carries it: by name, it would pickle as a global that is no class."""

    __module__ = MARKS

    def __new__(cls, name: str) -> Any:
        return {"Ellipsis": ..., "NotImplemented": NotImplemented}[name]


class _Member:
    """A member of an enumeration as a pickle carries it, so that one that is gone can be told."""

    __module__ = MARKS

    def __new__(cls, kind: Any, value: Any) -> Any:
        if not (isinstance(kind, type) and issubclass(kind, Enum)):
            raise TypeError(f"{kind!r} is no enumeration.")
        try:
            return kind(value)
        except (ValueError, KeyError) as error:
            name = f"{kind.__module__}:{kind.__qualname__}"
            what = f"{value!r} is stored as a member of {name}, which has no such value today. {INTACT}"
            ways = "Keep the member, or say in `_missing_` of the class which one took its place; or open with the code that wrote it."
            raise UpgradeError(f"{what} {ways}", name=name, version=0, lsn=0) from error


class _Fields:
    """A structure of msgspec whose fields are given by name (`kw_only=True`), as a pickle carries it: it pickles as a function itself."""

    __module__ = MARKS

    def __new__(cls, kind: Any, fields: dict[str, Any]) -> Any:
        if not (isinstance(kind, type) and issubclass(kind, Struct)):
            raise TypeError(f"{kind!r} is no structure.")
        return kind(**fields)


class _Raised:
    """An exception as a copy carries it: by its class, arguments and attributes. Its own `__init__` may take something else, and is not called."""

    __module__ = MARKS

    def __new__(cls, kind: type[BaseException], args: tuple[Any, ...], state: dict[str, Any]) -> BaseException:  # type: ignore[misc]
        error = kind.__new__(kind, *args)
        error.args = args
        vars(error).update(state)
        return error


class _Root:
    """Marks the domain object itself in a state, so that a state can be loaded into the object that there is."""

    __module__ = MARKS


class _Dated:
    """Stands in a pickle for a class whose objects carry versions; makes one when it is read. `Reducers` says how."""

    __module__ = MARKS

    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    def __call__(self) -> None:
        """What makes an object must be callable."""


class _Class:
    """Marks such a class where it is a value itself."""

    __module__ = MARKS


CALLED: tuple[type, ...] = (_Pattern, _Named, _Member, _Fields, _Raised)  # those that make a value when they are called
OURS: tuple[type, ...] = (_Root, _Dated, _Class)  # all others


# --- pickling --------------------------------------------------------------------------------------------------------


class Pickler(pickle.Pickler):
    """CPython's. Raises RecursionError for what is nested too deeply for it, which DeepPickler writes. `reduce`: one of `Reducers`."""

    def __init__(self, out: Any, reduce: Reduce) -> None:
        super().__init__(out, PROTOCOL)
        self.reducer_override = reduce  # type: ignore[method-assign]


def dumps(value: object, reduce: Reduce) -> bytes:
    """A value as a pickle."""
    out = io.BytesIO()
    try:
        Pickler(out, reduce).dump(value)
    except RecursionError:
        out = io.BytesIO()
        DeepPickler(out, reduce).dump(value)
    return out.getvalue()


class Reducers:
    """How objects are pickled, by class, looked up once. `classes`: who passes. None where they do it themselves.

    `reduce` and what the other two give are a pickler's `reducer_override`.
    """

    def __init__(self, classes: Classes) -> None:
        self.classes = classes
        self._known: dict[type, Reduce | None] = dict(_REDUCERS)

    def reduce(self, obj: Any) -> Any:
        """Of a value."""
        kind = type(obj)
        reduce = self._known[kind] if kind in self._known else self._find(obj)
        return NotImplemented if reduce is None else reduce(obj)

    def of_state(self, root: object) -> Reduce:
        """Of the domain object, which has a mark, and all that it leads to."""
        return lambda obj: self._reduced_root(obj) if obj is root else self.reduce(obj)

    def of_value(self, root: object) -> Reduce:
        """Of a copy of a part of a state, or of an exception, which does not lead to the domain object."""

        def reduce(obj: Any) -> Any:
            if obj is root:
                raise pickle.PicklingError("it leads to the domain object itself, and a copy of that is one of the whole state.")
            if isinstance(obj, BaseException) and type(obj).__reduce__ is BaseException.__reduce__:
                return _Raised, (type(obj), obj.args, dict(vars(obj)))
            return self.reduce(obj)

        return reduce

    def _find(self, obj: Any) -> Reduce | None:
        """How objects of this one's class are pickled. Raises PicklingError for what would not come back."""
        kind = type(obj)
        shape = self.classes.shape(kind)
        reduce: Reduce | None
        if issubclass(kind, Enum):
            reduce = _reduced_member
        elif (kind.__module__, kind.__qualname__) == ("zoneinfo", "ZoneInfo"):
            reduce = _reduced_zone
        elif issubclass(kind, _GLOBAL):
            reduce = self._reduced_global
        elif shape is not None:
            reduce = functools.partial(_reduced_dated, _Dated(shape))
        elif is_structure(kind):
            reduce = _reduced_struct
        else:
            reduce = _without_parameters if issubclass(kind, Generic) else None
        if not issubclass(kind, Enum | type):
            _check_kept(obj)
        self._known[kind] = reduce
        return reduce

    def _reduced_root(self, root: Any) -> Any:
        """As the object pickles itself, but made by a mark, and without what coopy put in."""
        _check_kept(root)
        reduced = root.__reduce_ex__(PROTOCOL)
        if not isinstance(reduced, tuple) or reduced[0] is not newobj:
            raise pickle.PicklingError(_own_reduce(type(root)))
        _, args, state, *items = (*reduced, None, None, None)[:5]
        state = _kept(state, OWN)
        if state == {} and getattr(type(root), "__getstate__", None) is getattr(object, "__getstate__", None):
            state = None  # as an object without attributes pickles itself
        shape = self.classes.shape(type(root))
        return (_Root, args if shape is None else (_Dated(shape), *args[1:]), state, *items)

    def _reduced_global(self, obj: Any) -> Any:
        """What pickles by name passes only if it could come back by that name, as itself. A method does not: it is of an object."""
        if any(obj is one for one in OURS):
            return NotImplemented
        module, name = obj.__module__, obj.__qualname__
        if not isinstance(obj, type):
            where = f"{module}." if module else ""  # a built-in method has none
            raise pickle.PicklingError(f"{where}{name} is a function: functions are never let through. {BY_FUNCTION}")
        if (module, name) in copyreg._extension_registry:  # type: ignore[attr-defined]  # noqa: SLF001 - there is no other door to it
            raise pickle.PicklingError(f"{module}.{name} has an extension code (copyreg), which another process may not know.")
        try:
            found = resolve(module, name) if (module, name) in TOOLS else self.classes.find_any(module, name)
        except UpgradeError as error:
            raise pickle.PicklingError(f"there is no class {module}.{name} by that name.") from error
        if found is not obj:
            raise pickle.PicklingError(f"{module}.{name} is another class by now.")
        return NotImplemented if self.classes.shape(obj) is None else (_Class, (module, name))


# --- reducers --------------------------------------------------------------------------------------------------------

_GLOBAL = (type, types.FunctionType, types.BuiltinFunctionType, types.MethodType)
_REDUCERS: dict[type, Callable[[Any], Any]] = {
    re.Pattern: lambda one: (_Pattern, (one.pattern, one.flags & ~int(re.DEBUG))),
    array.array: lambda one: (array.array, (one.typecode, one.tolist())),
    type(...): lambda _one: (_Named, ("Ellipsis",)),
    type(NotImplemented): lambda _one: (_Named, ("NotImplemented",)),
    _Dated: lambda one: (_Dated, (one.shape.kind.__module__, one.shape.kind.__qualname__, one.shape.versions)),
}


def _reduced_zone(zone: Any) -> Any:
    return type(zone), (zone.key,)


def _reduced_member(member: Any) -> Any:
    return _Member, (type(member), member._value_)


def is_structure(kind: type) -> bool:
    """Whether its objects are structures of msgspec that pickle as such: without what stands in their `__dict__`."""
    return issubclass(kind, Struct) and kind.__reduce__ is Struct.__reduce__


def _reduced_struct(struct: Struct) -> Any:
    """As it pickles itself, but what it would give a function it gives a mark, and what stands in its `__dict__` (`dict=True`) goes with it."""
    reduced: Any = struct.__reduce__()
    maker, args = reduced
    state = _kept(getattr(struct, "__dict__", None), ())
    return maker if isinstance(maker, type) else _Fields, args, state or None


def _reduced_dated(dated: _Dated, obj: Any) -> Any:
    """As the object pickles itself, but made by a mark that says its versions."""
    reduced = _as_itself(obj) if PARAMETERS in getattr(obj, "__dict__", ()) else obj.__reduce_ex__(PROTOCOL)
    if not isinstance(reduced, tuple) or reduced[0] is not newobj:
        raise pickle.PicklingError(
            f"{type(obj).__qualname__} has @upgrade and pickles in its own way: it must be stored by its attributes."
        )
    return (dated, reduced[1][1:], *reduced[2:])


def _without_parameters(obj: Any) -> Any:
    """As the object pickles itself, but for the attribute that `Box[int]()` leaves on it: how it was made is not what it is."""
    return _as_itself(obj) if PARAMETERS in getattr(obj, "__dict__", ()) else NotImplemented


def _as_itself(obj: Any) -> Any:
    reduced = obj.__reduce_ex__(PROTOCOL)
    if not isinstance(reduced, tuple):
        return reduced
    maker, args, state, *items = (*reduced, None, None)[:5]
    return (maker, args, _kept(state, ()), *items)


def _kept(state: Any, dropped: tuple[str, ...]) -> Any:
    """A state without what is not the domain's; `dropped`: modules whose objects are not."""
    if isinstance(state, dict):
        return {name: value for name, value in state.items() if name != PARAMETERS and type(value).__module__ not in dropped}
    if isinstance(state, tuple) and len(state) == 2 and isinstance(state[0], dict):  # noqa: PLR2004 - (attributes, slots)
        return (_kept(state[0], dropped), state[1])
    return state


def _own_reduce(kind: type) -> str:
    """Why a class cannot be a domain: which class of its bases pickles in its own way."""
    base = next((one for one in kind.__mro__[:-1] if "__reduce__" in vars(one) or "__reduce_ex__" in vars(one)), kind)
    remedy = "Take it away." if base is kind else "Keep one in an attribute."
    what = "defines its own __reduce__" if base is kind else f"is based on {base.__qualname__}, which defines its own __reduce__"
    return f"{kind.__qualname__} {what}: a domain class is stored by its attributes (__getstate__ is fine). {remedy}"


def _check_kept(obj: Any) -> None:
    """Python gives a state to whatever answers for `__setstate__`: a `__getattr__` that answers for everything takes it, and it is lost."""
    default: Any = object
    kind = type(obj)
    if kind.__getattribute__ is default.__getattribute__ and not hasattr(kind, "__getattr__"):
        return
    as_usual = kind.__reduce_ex__ is default.__reduce_ex__ and kind.__reduce__ is default.__reduce__ and kind not in copyreg.dispatch_table
    if not as_usual or any("__setstate__" in vars(base) for base in kind.__mro__):
        return
    answer = None
    with contextlib.suppress(Exception):  # what it raises here it raises when it is read, too, where it is told
        answer = getattr(obj, "__setstate__", None)
    if answer is not None:
        what = f"{kind.__qualname__} answers for __setstate__ by its __getattr__, so that all that is stored of it would be lost."
        raise pickle.PicklingError(f"{what} Have it raise AttributeError for names that begin with two underscores.")
