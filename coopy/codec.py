"""Calls and states <-> bytes, and the restricted unpickler that stands before everything that comes back.

    MSGPACK   [method, *arguments] or [method, *arguments, {keyword arguments}]: a call of plain atoms only; data, nothing to execute
    PICKLE    (method, arguments, keyword arguments), protocol 5: every other call
    a state   the domain object as a pickle; behind it what the system keeps beside it as another one, if it keeps anything
    a value   as a pickle: a copy of what an action gave

A method runs on what a restart will read: atoms as they are, anything else as the decoded copy. What would be refused when it comes
back is refused when it goes out, by the same unpickler (classes.py says who passes).

An object of a class with `@upgrade` is written with its version: made by a mark that says it, instead of by its class. A pickle in which
all such objects are of today's version is read by CPython's fast reader; one with older objects, or with some from before there were
versions, is read once more by the one written in Python, which can be asked to stop where an object gets its state.
"""

from __future__ import annotations

import array
import collections
import copyreg
import functools
import io
import pickle
import re
import types
from copyreg import __newobj__ as newobj  # type: ignore[attr-defined]
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic
from zoneinfo import ZoneInfo

import msgspec

from coopy.classes import Classes
from coopy.error import CorruptionError, NotSerializableError, UpgradeError, UsageError
from coopy.older import Mark, OldUnpickler
from coopy.renames import NO_NAMES
from coopy.shapes import INTACT, OlderError
from coopy.unpickler import Behind, ChangedError, StateUnpickler, Unpickler, read_again

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from coopy.renames import Names
    from coopy.shapes import Shape
    from coopy.unpickler import Seen

__all__ = ["MSGPACK", "NO_KEYWORDS", "PICKLE", "Codec", "unpack"]

MSGPACK, PICKLE = 1, 2
PROTOCOL = 5
ATOMS = frozenset((str, int, bool, type(None), bytes))
_NAMES = frozenset((str,))
OWN = ("coopy.clock", "coopy.random")  # whose objects coopy puts into a domain object, and takes out again
PARAMETERS = "__orig_class__"

NO_KEYWORDS: dict[str, Any] = {}  # never changed

_encode = msgspec.msgpack.Encoder().encode
unpack = msgspec.msgpack.Decoder(list[Any]).decode


class _Pattern:
    """A compiled regular expression as a pickle carries it: `re.Pattern` itself pickles as a function."""

    def __new__(cls, pattern: str | bytes, flags: int) -> re.Pattern[Any]:  # type: ignore[misc]
        return re.compile(pattern, flags)


class _Named:
    """A value that there is once, as a pickle carries it: by name, it would pickle as a global that is no class."""

    def __new__(cls, name: str) -> Any:
        return {"Ellipsis": ..., "NotImplemented": NotImplemented}[name]


class _Member:
    """A member of an enumeration as a pickle carries it, so that one that is gone can be told."""

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


class _Raised:
    """An exception as a copy carries it: by its class, arguments and attributes. Its own `__init__` may take something else, and is not called."""

    def __new__(cls, kind: type[BaseException], args: tuple[Any, ...], state: dict[str, Any]) -> BaseException:  # type: ignore[misc]
        error = kind.__new__(kind, *args)
        error.args = args
        vars(error).update(state)
        return error


class _Root:
    """Marks the domain object itself in a state, so that a state can be loaded into the object that there is."""


class _Dated:
    """Stands in a pickle for a class whose objects carry versions; makes one when it is read. `_Codec.dated` says how."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    def __call__(self) -> None:
        """What makes an object must be callable."""


class _Class:
    """Marks such a class where it is a value itself."""


MARKS: tuple[type, ...] = (_Pattern, _Named, _Member, _Raised)


class Codec:
    """Encodes and decodes for one domain.

    `packages`: names of the domain's own top-level packages. `allow`: "module:Name" or "package", each also let through; UsageError otherwise.
    `names`: where old names lead.
    """

    def __init__(self, packages: tuple[str, ...], allow: Iterable[str] = (), names: Names = NO_NAMES) -> None:
        marks: dict[tuple[str, str], Any] = {(__name__, one.__qualname__): one for one in MARKS}
        marks |= {(__name__, "_Dated"): Mark(self._make_dated), (__name__, "_Class"): Mark(self._find_class)}
        self.classes = Classes(packages, allow, names, marks)
        self.names, self.find = names, self.classes.find
        self._seen: Seen = {}
        self.reducers: dict[type, Callable[[Any], Any] | None] = dict(_REDUCERS)

    # --- calls -------------------------------------------------------------------------------------------------------

    def encode(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[int, bytes, tuple[Any, ...], dict[str, Any]]:
        """Kind, payload, and what the method is to run on. Raises NotSerializableError (`method`, `where`) for what could not come back."""
        if (ATOMS.issuperset(map(type, args)) or _all_atoms(args)) and (not kwargs or _plain_keywords(kwargs)):
            try:
                return MSGPACK, _encode((method, *args, kwargs) if kwargs else (method, *args)), args, kwargs
            except (ValueError, OverflowError, TypeError):
                pass  # surrogates and integers beyond 64 bits are pickled
        try:
            payload = self._dumps((method, args, kwargs))
            _, args, kwargs = _call(*self._loads(payload))
        except Exception as error:
            raise self._refused(method, args, kwargs, error) from error
        return PICKLE, payload, args, kwargs

    def decode(self, kind: int, payload: bytes) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Method, arguments, keyword arguments. Raises CorruptionError for bytes that are no call."""
        try:
            if kind == MSGPACK:
                method, *args = unpack(payload)
                if type(method) is str:
                    return (method, args[:-1], args[-1]) if args and type(args[-1]) is dict else (method, args, NO_KEYWORDS)
                raise TypeError("it names no method.")
            method, positional, named = _call(*self._loads(payload))
        except (UpgradeError, UsageError):
            raise
        except Exception as error:
            raise CorruptionError(f"A recorded call cannot be decoded: {_why(error)} Nothing of it was executed.") from error
        return method, positional, named

    def _dumps(self, value: object) -> bytes:
        out = io.BytesIO()
        _Pickler(out, self, None).dump(value)
        return out.getvalue()

    def _loads(self, payload: bytes) -> Any:
        source = io.BytesIO(payload)
        try:
            value = Unpickler(source, self.find, self._seen).load()
        except (OlderError, ChangedError) as error:
            source.seek(0)
            with read_again(error):
                value = OldUnpickler(source, self.classes, state=False).load()
        if source.read(1):
            raise pickle.UnpicklingError("bytes follow the end.")
        return value

    def _refused(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception) -> NotSerializableError:
        """Name the argument that is the reason."""
        where = "the arguments together"
        for name, value in [
            *((f"argument {number}", value) for number, value in enumerate(args, 1)),
            *((f"argument {name!r}", kwargs[name]) for name in kwargs),
        ]:
            try:
                self._loads(self._dumps(value))
            except Exception as reason:  # noqa: BLE001 - a class of the caller's may raise anything
                where, error = name, reason
                break
        what = f"{method}(): {where} cannot be recorded: {_why(error)} The call was refused, nothing changed."
        return NotSerializableError(what, method=method, where=where)

    # --- states ------------------------------------------------------------------------------------------------------

    def dump_state(self, root: object, write: Callable[[bytes], object], beside: object) -> None:
        """Write the domain object, without coopy's own objects in it, and behind it plain values that the system keeps beside it, unless None.

        Raises NotSerializableError (`where`: the attribute).
        """
        sink = _Sink(write)
        try:
            _Pickler(sink, self, root).dump(root)
            if beside is not None:
                _Pickler(sink, self, None).dump(beside)
        except MemoryError:
            raise
        except Exception as error:
            if error is sink.failure:
                raise
            where = self._bad_attribute(root)
            what = f"The state of {type(root).__qualname__} cannot be stored: {where}: {_why(error)} Nothing was changed."
            raise NotSerializableError(what, method="", where=where) from error

    def load_state(self, source: Any, into: Any = None) -> tuple[object, object]:
        """The domain object, with `into` that object, its contents replaced; and what is kept beside it, or None.

        `source` can be wound back to where it begins: old shapes are read twice. Raises CorruptionError for what is not let through, UpgradeError
        for what does not fit today's classes. After an error `into` is in doubt.
        """
        beside = None
        try:
            value = self._load_root(source, into)
            more = source.read(1)
            if more:
                beside = Unpickler(Behind(more, source), self.find, self._seen).load()
        except (CorruptionError, UpgradeError, UsageError, MemoryError, OSError):
            raise
        except Exception as error:
            raise CorruptionError(f"The stored state cannot be read: {_why(error)} No file was changed.") from error
        if source.read(1):
            raise CorruptionError("The stored state goes on after its end. No file was changed.")
        return value, beside

    @staticmethod
    def empty(root: Any) -> None:
        """Take everything out of an object that is to be filled again, or let go."""
        if hasattr(root, "__dict__"):
            root.__dict__.clear()
        for kind in type(root).__mro__:
            for member in vars(kind).values() if "__slots__" in vars(kind) else ():
                if isinstance(member, types.MemberDescriptorType) and hasattr(root, member.__name__):
                    member.__delete__(root)
        if isinstance(root, dict | list | set | bytearray | collections.deque):
            type(root).__mro__[
                [hasattr(one, "clear") and one.__module__ in {"builtins", "collections"} for one in type(root).__mro__].index(True)
            ].clear(root)  # type: ignore[attr-defined]

    def _load_root(self, source: Any, into: Any) -> object:
        if into is not None:
            self.empty(into)
        value: object
        try:
            value = StateUnpickler(source, self.find, self._seen, into).load()
        except (OlderError, ChangedError) as error:
            source.seek(0)
            if into is not None:
                self.empty(into)
            with read_again(error):
                value = OldUnpickler(source, self.classes, into, state=True).load()
        return value

    def _bad_attribute(self, root: object) -> str:
        for name, value in getattr(root, "__dict__", {}).items():
            if type(value).__module__ not in OWN:
                try:
                    self._loads(self._dumps(value))
                except Exception:  # noqa: BLE001 - as above
                    return f"attribute {name!r}"
        return "the object itself"

    # --- values ------------------------------------------------------------------------------------------------------

    def dump_value(self, value: object, root: object) -> bytes:
        """A copy of what an action gave, as bytes. Raises NotSerializableError, which says why, for what could not be read back.

        So it does for what leads to `root`: a copy of that is a copy of the whole state.
        """
        out = io.BytesIO()
        try:
            _ValuePickler(out, self, root).dump(value)
            copy = self._loads(out.getvalue())
            if type(copy) is not type(value):
                raise pickle.UnpicklingError(f"a {type(value).__qualname__} comes back as a {type(copy).__qualname__}.")
        except MemoryError:
            raise
        except Exception as error:
            raise NotSerializableError(_why(error), method="", where="the outcome") from error
        return out.getvalue()

    def load_value(self, data: bytes) -> object:
        """The copy. Raises CorruptionError where the classes in it are not what they were."""
        try:
            value: object = self._loads(data)
        except Exception as error:
            raise CorruptionError(_why(error)) from error
        return value

    # --- classes whose objects carry versions ------------------------------------------------------------------------

    def reducer(self, kind: type) -> Callable[[Any], Any] | None:
        """How objects of a class are pickled, if not as they do it themselves."""
        shape = self.classes.shape(kind)
        if issubclass(kind, Enum):
            reduce: Callable[[Any], Any] | None = _reduced_member
        elif issubclass(kind, _GLOBAL):
            reduce = self._reduced_global
        elif shape is not None:
            reduce = functools.partial(_reduced_dated, _Dated(shape))
        else:
            reduce = _without_parameters if issubclass(kind, Generic) else None
        self.reducers[kind] = reduce
        return reduce

    def _find_class(self, module: str, name: str) -> Any:
        return self.classes.find_any(module, name)

    def _make_dated(self, module: str, name: str, stored: tuple[tuple[str, int], ...]) -> Any:
        kind = self.classes.find_any(module, name)
        if not self.classes.check_versions(kind, stored):
            raise OlderError
        return functools.partial(kind.__new__, kind)

    def _reduced_global(self, obj: Any) -> Any:
        """What pickles by name passes only if it could come back by that name, as itself."""
        if any(obj is one for one in _OURS):
            return NotImplemented
        module, name = obj.__module__, obj.__qualname__
        if not isinstance(obj, type):
            raise pickle.PicklingError(f"{module}.{name} is a function: functions are never let through.")
        if (module, name) in copyreg._extension_registry:  # type: ignore[attr-defined]  # noqa: SLF001 - there is no other door to it
            raise pickle.PicklingError(f"{module}.{name} has an extension code (copyreg), which another process may not know.")
        try:
            found = self.classes.find_any(module, name)
        except UpgradeError as error:
            raise pickle.PicklingError(f"there is no class {module}.{name} by that name.") from error
        if found is not obj:
            raise pickle.PicklingError(f"{module}.{name} is another class by now.")
        return NotImplemented if self.classes.shape(obj) is None else (_Class, (module, name))


def _call(method: Any, args: Any, kwargs: Any) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    """What a pickled call must be made of."""
    if type(method) is str and type(args) is tuple and type(kwargs) is dict and all(isinstance(name, str) for name in kwargs):
        return method, args, kwargs
    raise TypeError("it is no call.")


def _all_atoms(values: Iterable[Any]) -> bool:
    return all(type(one) in ATOMS or (type(one) is float and one == one) for one in values)  # noqa: PLR0124 - NaN does not equal itself


def _plain_keywords(kwargs: dict[str, Any]) -> bool:
    """Whether they come back as they are: a name of a class derived from str would not."""
    return _NAMES.issuperset(map(type, kwargs)) and _all_atoms(kwargs.values())


def _why(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply."
    text = str(error) or type(error).__name__
    return text if text.endswith(".") or isinstance(error, NotSerializableError) else f"{text}."


class _Sink:
    """What a Pickler writes to."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self.failure: Exception | None = None  # of the writing itself: not the state's fault

    def write(self, data: bytes) -> object:
        try:
            return self._write(data)
        except Exception as error:
            self.failure = error
            raise


class _Pickler(pickle.Pickler):
    """Protocol 5 with reducers of our own for values that would pickle as functions, and a mark on the root."""

    def __init__(self, out: Any, codec: Codec, root: object) -> None:
        super().__init__(out, PROTOCOL)
        self._codec, self._root = codec, root
        self._known = codec.reducers

    def reducer_override(self, obj: Any) -> Any:
        """As pickle.Pickler.reducer_override."""
        if obj is self._root and obj is not None:
            return _reduced_root(obj, self._codec)
        kind = type(obj)
        reduce = self._known[kind] if kind in self._known else self._codec.reducer(kind)
        return NotImplemented if reduce is None else reduce(obj)


class _ValuePickler(_Pickler):
    """For a copy of a part of a state, or of an exception."""

    def __init__(self, out: Any, codec: Codec, whole: object) -> None:
        super().__init__(out, codec, None)
        self._whole = whole

    def reducer_override(self, obj: Any) -> Any:
        """As pickle.Pickler.reducer_override."""
        if obj is self._whole:
            raise pickle.PicklingError("it leads to the domain object itself, and a copy of that is one of the whole state.")
        if isinstance(obj, BaseException) and type(obj).__reduce__ is BaseException.__reduce__:
            return _Raised, (type(obj), obj.args, dict(vars(obj)))
        return super().reducer_override(obj)


_GLOBAL = (type, types.FunctionType, types.BuiltinFunctionType)
_REDUCERS: dict[type, Callable[[Any], Any]] = {
    re.Pattern: lambda one: (_Pattern, (one.pattern, one.flags & ~int(re.DEBUG))),
    ZoneInfo: lambda one: (ZoneInfo, (one.key,)),
    array.array: lambda one: (array.array, (one.typecode, one.tolist())),
    type(...): lambda _one: (_Named, ("Ellipsis",)),
    type(NotImplemented): lambda _one: (_Named, ("NotImplemented",)),
    _Dated: lambda one: (_Dated, (one.shape.kind.__module__, one.shape.kind.__qualname__, one.shape.versions)),
}
_OURS = (_Root, _Dated, _Class)


def _reduced_member(member: Any) -> Any:
    return _Member, (type(member), member._value_)


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


def _reduced_root(root: Any, codec: Codec) -> Any:
    """As the object pickles itself, but made by a mark, and without what coopy put in."""
    reduced = root.__reduce_ex__(PROTOCOL)
    if not isinstance(reduced, tuple) or reduced[0] is not newobj:
        raise pickle.PicklingError(_own_reduce(type(root)))
    _, args, state, *items = (*reduced, None, None, None)[:5]
    state = _kept(state, OWN)
    if state == {} and getattr(type(root), "__getstate__", None) is getattr(object, "__getstate__", None):
        state = None  # as an object without attributes pickles itself
    shape = codec.classes.shape(type(root))
    return (_Root, args if shape is None else (_Dated(shape), *args[1:]), state, *items)


def _own_reduce(kind: type) -> str:
    """Why a class cannot be a domain: which class of its bases pickles in its own way."""
    base = next((one for one in kind.__mro__[:-1] if "__reduce__" in vars(one) or "__reduce_ex__" in vars(one)), kind)
    remedy = "Take it away." if base is kind else "Keep one in an attribute."
    what = "defines its own __reduce__" if base is kind else f"is based on {base.__qualname__}, which defines its own __reduce__"
    return f"{kind.__qualname__} {what}: a domain class is stored by its attributes (__getstate__ is fine). {remedy}"
