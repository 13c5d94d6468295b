"""What the user holds: Python's surface (calls, attributes, operators) of the domain's class, leading to the engine.

For each system one proxy class is made. What is an action and what a query is decided here, once, when it is made:

    public methods; `[]=`, `del []`, in-place operators, calling, `next`, setters of properties    actions, unless @readonly
    properties, attributes, all other special methods                                             queries
    static and class methods                                                                      called as they are

The proxy keeps no state and never hands out the domain object: a result that is the domain object becomes the proxy.
"""

from __future__ import annotations

import functools
import inspect
import weakref
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Protocol

from coopy.decorators import marks_of
from coopy.engine.execute import ACTION_SPECIALS, setter_name
from coopy.error import UsageError
from coopy.proxy.function import NO_KEYWORDS, make_method

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.engine.engine import Engine

__all__ = ["INJECTED", "Operations", "check_class", "make_proxy", "member_of"]

BINARY = ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow", "lshift", "rshift", "and", "xor", "or")
QUERY_SPECIALS = (
    "__len__", "__length_hint__", "__contains__", "__getitem__", "__iter__", "__reversed__", "__bool__", "__lt__", "__le__", "__gt__", "__ge__",
    "__neg__", "__pos__", "__abs__", "__invert__", "__int__", "__float__", "__complex__", "__index__", "__round__", "__trunc__", "__floor__",
    "__ceil__", "__bytes__", "__fspath__", *(f"__{name}__" for name in BINARY), *(f"__r{name}__" for name in BINARY),
)  # fmt: skip
ALWAYS = ("__repr__", "__str__", "__format__", "__eq__", "__ne__", "__hash__")
INJECTED = ("_clock", "_random")
SYSTEM_NAMES = ("take_snapshot", "close", "basedir_abspath")


class Operations(Protocol):
    """What a proxy offers beside the domain's own names."""

    def take_snapshot(self) -> int: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102
    def basedir_abspath(self) -> list[str]: ...  # noqa: D102


def make_proxy(engine: Engine, operations: Operations) -> Any:
    """The proxy of a running system. Raises UsageError for a class with methods that cannot be actions."""
    root = engine.executor.root
    kind = type(root)
    names: dict[str, Any] = {
        "__slots__": ("__weakref__",),
        "__doc__": kind.__doc__,
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
    }
    names["__class__"] = property(lambda _self: kind)
    attributes = Attributes(engine, root, operations)
    names |= attributes.specials() | _refusals() | _context_manager(operations)
    names |= _methods(engine, root, kind) | _specials(engine, root, kind)
    names |= {name: attributes.shown(name) for name in (*SYSTEM_NAMES, *attributes.existing()) if name not in names}
    surface = type(kind.__name__, (), names)
    proxy = surface()
    executor = engine.executor
    executor.expose = _exposer(weakref.ref(proxy), root)
    executor.names.update(names)
    executor.show = lambda name: setattr(surface, name, attributes.shown(name))
    return proxy


def check_class(kind: type) -> None:
    """Raises UsageError for a class with a method that cannot be an action: generators and coroutines do not run in one piece."""
    for name in dir(kind):
        member = member_of(kind, name)
        function = inspect.unwrap(getattr(member, "__func__", member)) if callable(member) else None
        if (
            function is None
            or isinstance(member, staticmethod | classmethod | type)
            or (name.startswith("_") and name not in ACTION_SPECIALS)
        ):
            continue
        marks = marks_of(member)
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            what = f"{kind.__qualname__}.{name} is `async`: an action runs in one piece, so that it can be replayed."
            raise UsageError(f"{what} Make it a plain method and await outside of the domain.", method=name)
        if inspect.isgeneratorfunction(function) and "readonly" not in marks:
            what = f"{kind.__qualname__}.{name} is a generator: what it does would depend on how far its caller goes."
            raise UsageError(f"{what} Return a list, or mark it @readonly if it only reads.", method=name)


def member_of(kind: type, name: str) -> Any:
    """The member of a class or one of its bases, unbound; None if none has it. Its metaclass is not asked."""
    return next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)


# --- methods ---------------------------------------------------------------------------------------------------------


def _methods(engine: Engine, root: object, kind: type) -> dict[str, Any]:
    """Public methods and properties."""
    found: dict[str, Any] = {}
    for name in dir(kind):
        member = member_of(kind, name)
        if name.startswith("_"):
            continue
        if isinstance(member, staticmethod | classmethod):
            found[name] = staticmethod(getattr(kind, name))
        elif isinstance(member, property):
            found[name] = _property(engine, root, name, member)
        elif _is_method(kind, name, member):
            found[name] = make_method(engine, root, name, member)
    return found


def _is_method(kind: type, name: str, member: object) -> bool:
    if isinstance(member, FunctionType | functools.partialmethod | functools.singledispatchmethod):
        return True
    return (
        not isinstance(member, type)
        and hasattr(type(member), "__get__")
        and not hasattr(type(member), "__set__")
        and callable(getattr(kind, name, None))
    )


def _property(engine: Engine, root: object, name: str, member: property) -> property:
    def get(_self: object) -> object:
        return engine.read(getattr, root, name)

    def put(_self: object, value: object) -> None:
        engine.call(setter_name(name), (value,), NO_KEYWORDS)

    def drop(_self: object) -> None:
        raise _no_attributes(name)

    return property(get, put if member.fset else None, drop if member.fdel else None, member.__doc__)


# --- special methods -------------------------------------------------------------------------------------------------


def _specials(engine: Engine, root: object, kind: type) -> dict[str, Any]:
    """Operators: those that change are actions, all others queries."""
    found: dict[str, Any] = {}
    for name in (*QUERY_SPECIALS, *ALWAYS, *sorted(ACTION_SPECIALS)):
        member = member_of(kind, name)
        if name == "__hash__" and member is None:
            found[name] = None
        elif member is None or isinstance(member, staticmethod | classmethod):
            continue
        elif name in ACTION_SPECIALS and "readonly" not in marks_of(member):
            found[name] = _exit(engine) if name == "__exit__" else make_method(engine, root, name, member)
        else:
            found[name] = _query(engine, root, getattr(kind, name), name)
    return found


def _query(engine: Engine, root: object, function: Callable[..., object], name: str) -> Callable[..., object]:
    def query(self: object, *args: object) -> object:
        return engine.read(function, root, *(root if one is self else one for one in args))

    query.__name__ = name
    return query


def _exit(engine: Engine) -> Callable[..., object]:
    def __exit__(_self: object, kind: object, error: object, _traceback: object) -> object:  # noqa: N807 - it becomes one
        """The domain's, as an action: an exception is passed on by value, its traceback cannot be."""
        return engine.call("__exit__", (kind, error, None), NO_KEYWORDS)

    return __exit__


def _context_manager(operations: Operations) -> dict[str, Any]:
    """`with` closes the system, where the domain is no context manager itself."""
    return {"__enter__": lambda self: self, "__exit__": lambda _self, *_error: operations.close()}


# --- attributes ------------------------------------------------------------------------------------------------------


class Attributes:
    """The attributes of the domain object, as properties of the proxy's class, where Python finds them, and methods, without being told how.

    A `__getattr__` would do, but with one CPython 3.11 looks every method up the long way (0.05 us a call). So each name is a property, and
    after an action the executor says which are new. Only a domain that has a `__getattr__` of its own gets one here.
    """

    def __init__(self, engine: Engine, root: object, operations: Operations) -> None:
        self.engine, self.root, self.kind, self.operations = engine, root, type(root), operations

    def existing(self) -> list[str]:
        """All names that there are now, but for special ones."""
        return [name for name in object.__dir__(self.root) if not name.startswith("__")]

    def shown(self, name: str) -> property:
        """The property of this name."""
        return property(lambda _self: self.read(name))

    def read(self, name: str) -> object:
        """What a name gives. Raises AttributeError for a private one."""
        if name in SYSTEM_NAMES and not self.defines(name):
            return getattr(self.operations, name)
        if name.startswith("_"):
            raise AttributeError(f"{name!r} is private to {self.kind.__qualname__}: a proxy shows public names only.", name=name, obj=None)
        return self.engine.read(getattr, self.root, name)

    def defines(self, name: str) -> bool:
        """Whether the domain has this name itself."""
        return name in getattr(self.root, "__dict__", ()) or member_of(self.kind, name) is not None

    def write(self, name: str, value: object) -> None:
        """Set a property that has a setter, as an action. Raises UsageError for anything else."""
        member = member_of(self.kind, name)
        if not isinstance(member, property) or member.fset is None or name.startswith("_"):
            raise _no_attributes(name)
        self.engine.call(setter_name(name), (value,), NO_KEYWORDS)

    def listed(self) -> list[str]:
        """What `dir` shows."""
        names: list[str] = self.engine.read(dir, self.root)
        return [name for name in names if name not in INJECTED]

    def specials(self) -> dict[str, Any]:
        """The special methods behind `.`, `dir`, `setattr` and `delattr`."""

        def drop(_self: object, name: str) -> None:
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


def _exposer(proxy: weakref.ref[Any], root: object) -> Callable[[object], object]:
    """The domain object becomes the proxy, a method of it the proxy's method of that name."""

    def expose(result: object) -> object:
        if result is root:
            return proxy()
        assert isinstance(result, MethodType)
        return getattr(proxy(), result.__name__)

    return expose
