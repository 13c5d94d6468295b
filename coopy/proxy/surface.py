"""What the user holds: Python's surface (calls, attributes, operators) of the domain's class, leading to the engine.

For each system one proxy class is made. What is an action and what a query is decided here, once, when it is made:

    public methods; `[]=`, `del []`, in-place operators, calling, `next`, setters of properties    actions, unless @readonly
    properties, attributes, all other special methods                                             queries
    static and class methods                                                                      called as they are

The proxy keeps no state and never hands out the domain object: a result that is the domain object becomes the proxy.
"""

from __future__ import annotations

import functools
import weakref
from contextlib import suppress
from itertools import chain
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from coopy.action import described
from coopy.codec import ATOMS
from coopy.decorators import marks_of
from coopy.engine.execute import setter_name
from coopy.engine.results import listed, withheld
from coopy.error import NotSerializableError, UsageError
from coopy.kinds import ACTION_SPECIALS, INJECTED
from coopy.proxy.function import NO_KEYWORDS, make_method
from coopy.proxy.names import ALWAYS, BINARY, COMPARISONS, ITERATIONS, QUERY_SPECIALS, SYSTEM_NAMES, has, member_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.proxy.function import Door

    Reading: TypeAlias = Callable[[Callable[..., object]], Callable[..., object]]  # what a query runs -> what runs under the lock

__all__ = ["Operations", "in_full", "is_method", "make_proxy", "without_storing"]

OPERATORS = frozenset((*BINARY, *COMPARISONS))
FOREIGN = "__coopy_system__"  # on every proxy's own class


class Operations(Protocol):
    """What a proxy offers beside the domain's own names."""

    def take_snapshot(self) -> int: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102
    def basedir_abspath(self) -> list[str]: ...  # noqa: D102


def make_proxy(engine: Door, operations: Operations) -> Any:
    """The proxy of a running system, whose class `check_class` has let through.

    A node or a replica has begun to take actions by then: nothing changes while it is looked at what there is, and from then on what is new is shown.
    """
    with engine.lock:
        return _make_proxy(engine, operations)


def _make_proxy(engine: Door, operations: Operations) -> Any:
    root = engine.executor.root
    kind = type(root)
    names: dict[str, Any] = {
        "__slots__": ("__weakref__",),
        "__doc__": kind.__doc__,
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        FOREIGN: True,
        **{name: member_of(kind, name) for name in ("__dataclass_fields__", "__dataclass_params__") if has(kind, name)},
    }
    names["__class__"] = property(lambda _self: kind)
    attributes = Attributes(engine, root, operations)
    names |= attributes.specials() | _refusals() | _context_manager(operations)
    names |= _methods(engine, root, attributes.reading) | _specials(engine, root, attributes.reading)
    names |= {name: attributes.shown(name) for name in (*SYSTEM_NAMES, *attributes.existing()) if name not in names}
    surface = type(kind.__name__, (), names)
    proxy = surface()
    executor = engine.executor
    executor.expose = _exposer(weakref.ref(proxy), root, _public_methods(root, names))
    executor.names.clear()  # of what came and went before, too
    executor.names.update(names)
    executor.show = functools.partial(_show, weakref.ref(surface), attributes)
    executor.ask = functools.partial(_ask, weakref.ref(surface), attributes)
    return proxy


# --- methods ---------------------------------------------------------------------------------------------------------


def _methods(engine: Door, root: object, reading: Reading) -> dict[str, Any]:
    """Public methods and properties."""
    kind = type(root)
    found: dict[str, Any] = {}
    for name in dir(kind):
        member = member_of(kind, name)
        if name.startswith("_"):
            continue
        if isinstance(member, staticmethod | classmethod):
            found[name] = staticmethod(getattr(kind, name))
        elif isinstance(member, property):
            found[name] = _property(engine, root, name, reading(getattr))
        elif is_method(kind, name, member):
            found[name] = make_method(engine, root, name, member, reading)
    return found


def is_method(kind: type, name: str, member: object) -> bool:
    """Whether this member of a class is called on its objects."""
    if isinstance(member, FunctionType | functools.partialmethod | functools.singledispatchmethod):
        return True
    return (
        not isinstance(member, type)
        and hasattr(type(member), "__get__")
        and not hasattr(type(member), "__set__")
        and callable(getattr(kind, name, None))
    )


def _property(engine: Door, root: object, name: str, read: Callable[..., object]) -> property:
    member = member_of(type(root), name)

    def get(_self: object) -> object:
        return engine.read(read, root, name)

    def put(_self: object, value: object) -> None:
        engine.call(setter_name(name), (value,), NO_KEYWORDS)

    def drop(_self: object) -> None:
        engine.check_writable(f"Deleting {name!r}")
        raise _no_attributes(name)

    return property(get, put if member.fset else None, drop if member.fdel else None, member.__doc__)


# --- special methods -------------------------------------------------------------------------------------------------


def _specials(engine: Door, root: object, reading: Reading) -> dict[str, Any]:
    """Operators: those that change are actions, all others queries."""
    kind = type(root)
    found: dict[str, Any] = {}
    defined = {*chain.from_iterable(map(vars, kind.__mro__))}
    for name in (*QUERY_SPECIALS, *ALWAYS, *sorted(ACTION_SPECIALS)):
        if name not in defined:
            continue
        member = member_of(kind, name)
        if member is None:
            found[name] = None  # as in the domain: Python refuses what is None by name
        elif isinstance(member, staticmethod | classmethod):
            continue
        elif name in ACTION_SPECIALS and "readonly" not in marks_of(member):
            found[name] = _exit(engine) if name == "__exit__" else make_method(engine, root, name, member, reading)
        else:
            found[name] = _query(engine, root, name, reading)
    return found


def _query(engine: Door, root: object, name: str, reading: Reading) -> Callable[..., object]:
    function = getattr(type(root), name)
    read = reading(in_full(function, root) if name in ITERATIONS else function)
    write = _operator if name in OPERATORS else _plain_query
    query = write(engine, root, read)
    query.__name__ = name
    return query


def _plain_query(engine: Door, root: object, function: Callable[..., object]) -> Callable[..., object]:
    def query(self: object, *args: object) -> object:
        return engine.read(function, root, *(root if one is self else one for one in args))

    return query


def _operator(engine: Door, root: object, function: Callable[..., object]) -> Callable[..., object]:
    def query(self: object, *args: object) -> object:
        if any(one is not self and hasattr(type(one), FOREIGN) for one in args):
            return NotImplemented  # two systems that ask each other hold both locks, in either order
        return engine.read(function, root, *(root if one is self else one for one in args))

    return query


def in_full(function: Callable[..., object], root: object) -> Callable[..., object]:
    """What it iterates over, as a list made under the lock, be it an iterator of the domain's own class."""
    return lambda *args: listed(function(*args), root)


def without_storing(engine: Door, root: object) -> Reading:
    """What a query runs, made so that no `functools.cached_property` of the domain object keeps what it computed meanwhile: only actions may."""
    cached = [name for name in dir(type(root)) if isinstance(member_of(type(root), name), functools.cached_property)]
    if not cached or not hasattr(root, "__dict__"):
        return lambda function: function

    def made(function: Callable[..., object]) -> Callable[..., object]:
        @functools.wraps(function)
        def query(*args: object, **kwargs: object) -> object:
            kept = root.__dict__
            absent = [name for name in cached if name not in kept]
            try:
                return engine.executor.settle(function(*args, **kwargs))
            finally:
                for name in absent:
                    kept.pop(name, None)

        return query

    return made


def _exit(engine: Door) -> Callable[..., object]:
    def __exit__(_self: object, kind: type | None, error: BaseException | None, _traceback: object) -> object:  # noqa: N807 - it becomes one
        """The domain's, as an action: an exception is passed on by value, its traceback cannot be."""
        try:
            return engine.call("__exit__", (kind, error, None), NO_KEYWORDS)
        except NotSerializableError:
            if error is None:
                raise
            stand_in = Exception(described(error))
        return engine.call("__exit__", (Exception, stand_in, None), NO_KEYWORDS)

    return __exit__


def _context_manager(operations: Operations) -> dict[str, Any]:
    """`with` closes the system, where the domain is no context manager itself."""
    return {"__enter__": lambda self: self, "__exit__": lambda _self, *_error: operations.close()}


# --- attributes ------------------------------------------------------------------------------------------------------


def _ask(surface: weakref.ref[type], attributes: Attributes) -> None:
    """An action that was interrupted may leave a name that nobody was told of: from now on whoever misses one asks the domain object."""
    kind = surface()
    if kind is not None and "__getattr__" not in vars(kind):
        kind.__getattr__ = lambda _self, name: attributes.read(name)  # type: ignore[attr-defined]


def _show(surface: weakref.ref[type], attributes: Attributes, name: str) -> None:
    """Nothing of the system may hold the proxy or its class, or a proxy that nobody holds would never be let go."""
    kind = surface()
    if kind is not None:
        setattr(kind, name, attributes.shown(name))


class Attributes:
    """The attributes of the domain object, as properties of the proxy's class, where Python finds them, and methods, without being told how.

    A `__getattr__` would do, but with one CPython 3.11 looks every method up the long way (0.05 us a call). So each name is a property, and
    after an action the executor says which are new. Only a domain that has a `__getattr__` of its own gets one here.
    """

    def __init__(self, engine: Door, root: object, operations: Operations) -> None:
        self.engine, self.root, self.kind, self.operations = engine, root, type(root), operations
        self.reading = without_storing(engine, root)
        self.get = self.reading(getattr)

    def existing(self) -> list[str]:
        """All names that there are now, but for special ones."""
        return [name for name in object.__dir__(self.root) if type(name) is str and not name.startswith("__")]

    def shown(self, name: str) -> property:
        """The property of this name."""
        return property(lambda _self: self.read(name))

    def read(self, name: str) -> object:
        """What a name gives. Raises AttributeError for a private one."""
        if name in SYSTEM_NAMES and not self.defines(name):
            return getattr(self.operations, name)
        if name.startswith("_"):
            raise AttributeError(f"{name!r} is private to {self.kind.__qualname__}: a proxy shows public names only.", name=name, obj=None)
        return self.engine.read(self.get, self.root, name)

    def defines(self, name: str) -> bool:
        """Whether the domain has this name itself."""
        return name in getattr(self.root, "__dict__", ()) or member_of(self.kind, name) is not None

    def write(self, name: str, value: object) -> None:
        """Set a property that has a setter, as an action. Raises UsageError for anything else."""
        self.engine.check_writable(f"Setting {name!r}")
        member = member_of(self.kind, name)
        if not isinstance(member, property) or member.fset is None or name.startswith("_"):
            self._put_back(name, value)
            raise _no_attributes(name)
        self.engine.call(setter_name(name), (value,), NO_KEYWORDS)

    def _put_back(self, name: str, value: object) -> None:
        """`wiki.tags += [...]` changes the list in place before it comes here to set what is there already. Raises UsageError, and undoes that."""
        if name.startswith("_") or type(value) in ATOMS:
            return
        with suppress(AttributeError):
            if self.read(name) is value:
                self.engine.make_anew()
                what = f"{name!r} was changed in place, by `+=` or its kin, and no journal would know of it: memory was made anew from what is recorded."
                raise UsageError(
                    f"{what} Objects that were taken from it before are stale. Write a method of the domain that does it.", name=name
                )

    def listed(self) -> list[str]:
        """What `dir` shows."""
        names: list[str] = self.engine.read(dir, self.root)
        return [name for name in names if name not in INJECTED]

    def specials(self) -> dict[str, Any]:
        """The special methods behind `.`, `dir`, `setattr` and `delattr`."""

        def drop(_self: object, name: str) -> None:
            self.engine.check_writable(f"Deleting {name!r}")
            raise _no_attributes(name)

        found: dict[str, Any] = {
            "__setattr__": lambda _self, name, value: self.write(name, value),
            "__delattr__": drop,
            "__dir__": lambda _self: self.listed(),
        }
        if member_of(self.kind, "__getattr__") or member_of(self.kind, "__getattribute__") is not object.__getattribute__:
            found["__getattr__"] = lambda _self, name: self.read(name)
        return found


def _no_attributes(name: str) -> Exception:
    what = f"{name!r} cannot be set or deleted on a proxy: the change would not be recorded. Nothing was changed."
    if name.startswith("_"):
        return AttributeError(what)
    return UsageError(f"{what} Write a method of the domain that does it, and call that.", name=name)


def _refusals() -> dict[str, Any]:
    """A proxy is of this process: neither copies nor pickles of it mean anything."""

    def refuse(_self: object, *_args: object) -> object:
        raise UsageError("A proxy cannot be copied or pickled: it stands for a running system. Take a snapshot, or compare digests.")

    return {"__copy__": refuse, "__deepcopy__": refuse, "__reduce__": refuse, "__reduce_ex__": refuse, "__getstate__": refuse}


# --- results ---------------------------------------------------------------------------------------------------------


def _public_methods(root: object, names: dict[str, Any]) -> dict[int, tuple[object, FunctionType]]:
    """The proxy's methods by the identity of the function that the domain object's method of that name is made of."""
    found: dict[int, tuple[object, FunctionType]] = {}
    for name, ours in names.items():
        theirs = getattr(root, name, None) if isinstance(ours, FunctionType) and not name.startswith("_") else None
        if type(theirs) is MethodType and theirs.__self__ is root:
            found[id(theirs.__func__)] = theirs.__func__, ours
    return found


def _exposer(proxy: weakref.ref[Any], root: object, methods: dict[int, tuple[object, FunctionType]]) -> Callable[[object], object]:
    """The domain object becomes the proxy, a public method of it the proxy's, and any other way to it is withheld."""

    def expose(result: object) -> object:
        if result is root:
            return proxy()
        _, ours = methods.get(id(result.__func__), (None, None)) if type(result) is MethodType else (None, None)
        me = proxy()
        return withheld(result) if ours is None or me is None else MethodType(ours, me)

    return expose
