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

import contextlib
import functools
import io
import pickle
import types
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from coopy.classes import Classes
from coopy.clock import Reading, moment
from coopy.error import CorruptionError, NotSerializableError, UpgradeError, UsageError
from coopy.older import MARKS, Mark, OldUnpickler
from coopy.pickler import CALLED, OURS, OWN, DeepPickler, Pickler, Reducers, dumps
from coopy.renames import NO_NAMES
from coopy.shapes import OlderError
from coopy.signalled import from_outside
from coopy.unpickler import Behind, ChangedError, StateUnpickler, Unpickler, read_again

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from coopy.renames import Names
    from coopy.unpickler import Seen

    Dump = Callable[[Callable[[bytes], object]], object]

__all__ = ["ENDLESS", "MSGPACK", "NO_KEYWORDS", "PICKLE", "Codec", "unpack", "why"]

T = TypeVar("T")
MSGPACK, PICKLE = 1, 2
ATOMS = frozenset((str, int, bool, type(None), bytes))
_NAMES = frozenset((str,))

NO_KEYWORDS: dict[str, Any] = {}  # never changed
ENDLESS = (
    "its __getattr__ asks for an attribute of an object that has none yet, and so for itself, without an end. "
    "Have it raise AttributeError for names that begin with two underscores."
)

globals().update({mark.__qualname__: mark for mark in (*CALLED, *OURS)})  # pickles call the marks by this module

_encode = msgspec.msgpack.Encoder().encode
unpack = msgspec.msgpack.Decoder(list[Any]).decode


class Codec:
    """Encodes and decodes for one domain.

    `packages`: names of the domain's own top-level packages. `allow`: "module:Name" or "package", each also let through; UsageError otherwise.
    `names`: where old names lead.
    """

    def __init__(self, packages: tuple[str, ...], allow: Iterable[str] = (), names: Names = NO_NAMES) -> None:
        marks: dict[tuple[str, str], Any] = {(MARKS, one.__qualname__): one for one in CALLED}
        marks |= {(MARKS, "_Dated"): Mark(self._make_dated), (MARKS, "_Class"): Mark(self._find_class)}
        self.classes = Classes(packages, allow, names, marks)
        self.names, self.find = names, self.classes.find
        self._seen: Seen = {}
        self._reducers = Reducers(self.classes)

    # --- calls -------------------------------------------------------------------------------------------------------

    def encode(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[int, bytes, tuple[Any, ...], dict[str, Any]]:
        """Kind, payload, and what the method is to run on. Raises NotSerializableError (`method`, `where`) for what could not come back."""
        if (ATOMS.issuperset(map(type, args)) or _all_atoms(args)) and (not kwargs or _plain_keywords(kwargs)):
            try:
                return MSGPACK, _encode((method, *args, kwargs) if kwargs else (method, *args)), args, kwargs
            except (ValueError, OverflowError, TypeError):
                pass  # surrogates and integers beyond 64 bits are pickled
        try:
            payload = dumps((method, args, kwargs), self._reducers.reduce)
            _, args, kwargs = _call(*self._loads_apart(payload))
        except Exception as error:
            if from_outside(error):
                raise
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
            raise CorruptionError(f"A recorded call cannot be decoded: {why(error)} Nothing of it was executed.") from error
        return method, positional, named

    def _loads(self, payload: bytes, *, state: bool = False) -> Any:
        source = io.BytesIO(payload)
        try:
            value = Unpickler(source, self.classes.find_stored if state else self.find, self._seen).load()
        except (OlderError, ChangedError) as error:
            source.seek(0)
            with read_again(error):
                value = OldUnpickler(source, self.classes, state=state).load()
        if source.read(1):
            raise pickle.UnpicklingError("bytes follow the end.")
        return value

    def _loads_apart(self, payload: bytes) -> Any:
        """As the arguments that a restart will read, where they may ask for nothing that is another then. An interrupt leaves nothing of that behind."""
        for _ in range(2):  # a finalizer may come just then, and be the one who asks
            reading = Reading()
            value = copy_context().run(self._loads_marked, reading, payload)
            if not reading.asked:
                return value
        raise Reading.refusal()  # and it swallowed the answer

    def _loads_marked(self, reading: Reading, payload: bytes) -> Any:
        moment.set(reading)
        return self._loads(payload)

    def _refused(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception) -> NotSerializableError:
        """Name the argument that is the reason."""
        where = "the arguments together"
        for name, value in [
            *((f"argument {number}", value) for number, value in enumerate(args, 1)),
            *((f"argument {name!r}", kwargs[name]) for name in kwargs),
        ]:
            try:
                self._loads_apart(dumps(value, self._reducers.reduce))
            except Exception as reason:  # noqa: BLE001 - a class of the caller's may raise anything
                where, error = name, reason
                break
        what = f"{method}(): {where} cannot be recorded: {why(error)} The call was refused, nothing changed."
        return NotSerializableError(what, method=method, where=where)

    # --- states ------------------------------------------------------------------------------------------------------

    def dump_state(self, root: object, beside: object = None) -> bytes:
        """The domain object, without coopy's own objects in it, and behind it plain values that the system keeps beside it, unless None.

        Raises NotSerializableError (`where`: the attribute).
        """
        out = self.store_state(root, beside, _into_memory)
        return out.getvalue()

    def store_state(self, root: object, beside: object, store: Callable[[Dump], T]) -> T:
        """The same, into what `store(dump)` gives: `dump(write)` writes it. `store` is called once more, to begin again, where it is nested deeply."""
        with contextlib.suppress(RecursionError):
            return store(lambda write: self._write_state(root, beside, write, Pickler))
        return store(lambda write: self._write_state(root, beside, write, DeepPickler))

    def _write_state(self, root: object, beside: object, write: Callable[[bytes], object], kind: type[Pickler | DeepPickler]) -> None:
        sink = _Sink(write)
        try:
            kind(sink, self._reducers.of_state(root)).dump(root)
            if beside is not None:
                kind(sink, self._reducers.reduce).dump(beside)
        except MemoryError:
            raise
        except Exception as error:
            if error is sink.failure or (isinstance(error, RecursionError) and kind is Pickler):
                raise
            where = self._bad_attribute(root)
            what = f"The state of {type(root).__qualname__} cannot be stored: {where}: {why(error)} Nothing was changed."
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
            raise CorruptionError(f"The stored state cannot be read: {why(error)} No file was changed.") from error
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
        if isinstance(root, dict):
            dict.clear(root)
        elif isinstance(root, list):  # other containers pickle in their own way, as no domain object does
            list.clear(root)

    def _load_root(self, source: Any, into: Any) -> object:
        if into is not None:
            self.empty(into)
        value: object
        try:
            value = StateUnpickler(source, self.classes.find_stored, self._seen, into).load()
        except (OlderError, ChangedError) as error:
            source.seek(0)
            if into is not None:
                self.empty(into)
            with read_again(error):
                value = OldUnpickler(source, self.classes, into, state=True).load()
        return value

    def _bad_attribute(self, root: object) -> str:
        for name, value in getattr(root, "__dict__", {}).items():
            if value is not root and type(value).__module__ not in OWN:
                try:
                    self._loads(dumps(value, self._reducers.reduce), state=True)
                except Exception:  # noqa: BLE001 - as above
                    return f"attribute {name!r}"
        return "the object itself"

    # --- values ------------------------------------------------------------------------------------------------------

    def dump_value(self, value: object, root: object) -> bytes:
        """A copy of what an action gave, as bytes. Raises NotSerializableError, which says why, for what could not be read back.

        So it does for what leads to `root`: a copy of that is a copy of the whole state.
        """
        try:
            data = dumps(value, self._reducers.of_value(root))
            copy = self._loads(data)
            if type(copy) is not type(value):
                raise pickle.UnpicklingError(f"a {type(value).__qualname__} comes back as a {type(copy).__qualname__}.")
        except MemoryError:
            raise
        except Exception as error:
            raise NotSerializableError(why(error), method="", where="the outcome") from error
        return data

    def load_value(self, data: bytes) -> object:
        """The copy. Raises CorruptionError where the classes in it are not what they were."""
        try:
            value: object = self._loads(data)
        except Exception as error:
            raise CorruptionError(why(error)) from error
        return value

    # --- classes whose objects carry versions ------------------------------------------------------------------------

    def _find_class(self, module: str, name: str) -> Any:
        return self.classes.find_any(module, name)

    def _make_dated(self, module: str, name: str, stored: tuple[tuple[str, int], ...]) -> Any:
        kind = self.classes.find_any(module, name)
        if not self.classes.check_versions(kind, stored):
            raise OlderError
        return functools.partial(kind.__new__, kind)


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


def _in_getattr(error: BaseException) -> bool:
    """Whether it was raised while an object that had no attributes yet was asked for one."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return last is not None and last.tb_frame.f_code.co_name in {"__getattr__", "__getattribute__"}


def why(error: BaseException) -> str:
    """A sentence that says why something cannot be written or read."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply." if not _in_getattr(error) else ENDLESS
    text = str(error) or type(error).__name__
    return text if text.endswith(".") or isinstance(error, NotSerializableError) else f"{text}."


def _into_memory(dump: Dump) -> io.BytesIO:
    out = io.BytesIO()
    dump(out.write)
    return out


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
