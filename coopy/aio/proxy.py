"""What a task holds: the domain's methods as coroutine functions, and the two spellings of a call that type checkers see through.

    await wiki.create_page("Home", "Welcome")              no checker knows what it takes and gives; each knows that it is awaited
    await call(wiki, Wiki.create_page, "Home", "Welcome")  arguments and result are those of the method
    await read(wiki, lambda wiki: len(wiki.pages))         the result is that of the function

Nothing of the domain is looked at without `await`: what Python's syntax gives no awaitable for (`len`, `in`, `[]=`, `+=`) is refused, and the
error says what to write.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Coroutine, Hashable
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, TypeVar

from coopy.engine.execute import setter_name
from coopy.error import UsageError
from coopy.kinds import ACTION_SPECIALS
from coopy.proxy import SYSTEM_NAMES, awaited_methods, awaited_specials, member_of
from coopy.wiring import Control as BlockingControl

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from types import TracebackType

    from coopy.aio.door import Door
    from coopy.engine.engine import Engine

__all__ = ["Inside", "Member", "Proxy", "call", "inside_of", "make_aio_proxy", "read"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

AWAITED = frozenset(("__call__", "__getitem__"))  # what Python's syntax gives an awaitable for
AS_ANY = frozenset(("__repr__", "__str__", "__format__", "__eq__", "__ne__", "__hash__"))  # a proxy's own, whatever the domain's are
HINTS = {
    "__len__": "len", "__bool__": "bool", "__iter__": "list", "__reversed__": "lambda it: list(reversed(it))", "__contains__": "lambda it: x in it",
    "__int__": "int", "__float__": "float", "__complex__": "complex", "__abs__": "abs", "__bytes__": "bytes",
}  # fmt: skip


class Member(Coroutine[Any, Any, Any]):
    """A method, property or attribute of the domain, as far as types go: call it or not, and await it. Nothing is ever made of it."""

    @abstractmethod
    def __call__(self, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]: ...  # noqa: D102


class Inside:
    """What is behind one proxy. `names`: the functions of the domain's class, and what records call them."""

    def __init__(self, engine: Engine, door: Door, control: BlockingControl[Any]) -> None:
        self.engine, self.door, self.control = engine, door, control
        self.root = engine.executor.root
        self.kind = type(self.root)
        self.methods, self.specials = awaited_methods(door, engine), awaited_specials(door, engine)
        every = [one for base in reversed(self.kind.__mro__) for one in vars(base).items()]
        self.names: dict[Any, str] = {member: name for name, member in every if callable(member) and isinstance(member, Hashable)}
        self.names |= {member.fset: setter_name(name) for name, member in every if isinstance(member, property) and member.fset}

    def name_of(self, method: object) -> str:
        """What records call a function of the domain's class; empty for any other."""
        try:
            return self.names.get(method, "")
        except TypeError:  # it cannot be hashed
            return ""

    def has(self, name: str) -> bool:
        """Whether the domain object may have an attribute of this name."""
        if name in getattr(self.root, "__dict__", ()) or member_of(self.kind, name) is not None:
            return True
        return member_of(self.kind, "__getattr__") is not None or member_of(self.kind, "__getattribute__") is not object.__getattribute__


class Proxy(Generic[T_co]):
    """A running system, for tasks: every public name of the domain is awaited. Made by `open`, never by its class.

    It may be used from any event loop. `async with` closes the system, as `await control(wiki).close()` does.
    """

    __slots__ = ("__weakref__", "_coopy")
    _coopy: Inside
    __iter__: None = None  # Python would ask `[]` for 0, 1, 2 ... without end, where the domain has that
    __contains__: None = None
    __reversed__: None = None

    if TYPE_CHECKING:
        __enter__: None  # mypy takes what `__getattr__` gives for these
        __exit__: None
        __setitem__: None
        __delitem__: None

        def __getattr__(self, name: str) -> Member: ...
        def __call__(self, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]: ...  # noqa: D102
        def __getitem__(self, key: Any) -> Coroutine[Any, Any, Any]: ...

    else:

        def __getattr__(self, name):  # noqa: ANN001, ANN204 - the checkers' is above
            inside = inside_of(self)
            if name.startswith("_"):
                what = f"{name!r} is private to {inside.kind.__qualname__}: a proxy shows public names only."
                raise AttributeError(what, name=name, obj=None)
            if not inside.has(name):
                raise AttributeError(f"{inside.kind.__qualname__!r} object has no attribute {name!r}", name=name, obj=None)
            return inside.door.read(getattr, inside.root, name)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        await close(self)

    def __aiter__(self) -> AsyncIterator[Any]:
        return _items(inside_of(self))

    def __setattr__(self, name: str, value: object) -> None:
        inside = inside_of(self)
        member = member_of(inside.kind, name)
        if isinstance(member, property) and member.fset is not None and not name.startswith("_"):
            kind = inside.kind.__name__
            what = f"Setting {name!r} cannot be awaited. Nothing was changed. Write `await coopy.aio.call(it, {kind}.{name}.fset, value)`"
            raise UsageError(f"{what}, or a method that sets it.", name=name)
        raise _no_attributes(name)

    def __delattr__(self, name: str) -> None:
        raise _no_attributes(name)

    def __dir__(self) -> list[str]:
        inside = inside_of(self)
        names = {*dir(type(self)), *dir(inside.kind), *getattr(inside.root, "__dict__", ())}
        return sorted(name for name in names if not name.startswith("_") or name in {"__aenter__", "__aexit__"})

    def __repr__(self) -> str:
        inside = inside_of(self)
        [directory] = inside.control.basedir_abspath()
        return f"<coopy.aio proxy of {inside.kind.__qualname__} in {directory}>"

    def __reduce__(self) -> Any:
        raise UsageError("A proxy cannot be copied or pickled: it stands for a running system. Take a snapshot, or compare digests.")

    __copy__ = __deepcopy__ = __reduce_ex__ = lambda self, *_args: self.__reduce__()


# --- the typed spellings ---------------------------------------------------------------------------------------------


async def call(proxy: Proxy[T], method: Callable[Concatenate[T, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a method of the domain, written as its class has it, so that type checkers see what it takes and gives.

    `await call(wiki, Wiki.create_page, "Home", "Welcome")`. Special methods (`Wiki.__setitem__`) and setters (`Wiki.title.fset`) too. A method that a
    subclass overrides is the subclass's. Raises UsageError for what is not a method of the domain.
    """
    inside = inside_of(proxy)
    name = inside.name_of(method)
    result: Any
    if name.endswith("="):
        result = await inside.door.call(name, args, kwargs)
    elif name in inside.specials:
        result = await inside.specials[name](proxy, *args, **kwargs)
    elif name in inside.methods:
        result = await inside.methods[name](proxy, *args, **kwargs)
    else:
        kind = inside.kind.__qualname__
        raise UsageError(f"{method!r} is no public method of {kind}: pass one as its class has it, call(it, {kind}.method, ...).")
    answer: R = result
    return answer


async def read(proxy: Proxy[T], look: Callable[[T], R], /) -> R:
    """What a function gives that looks at the domain, so that type checkers see what that is.

    `await read(wiki, lambda wiki: (len(wiki.pages), wiki.title))`. All that it reads is of one moment. It runs under the system's lock, mostly on the
    loop's thread: make it short. It is given the system's blocking proxy, of which it may call queries; an action in it raises UsageError.
    """
    door = inside_of(proxy).door
    result: R = await door.read(look, door.blocking)
    return result


# --- how it is made --------------------------------------------------------------------------------------------------


def make_aio_proxy(inside: Inside) -> Any:
    """The proxy for tasks, of a class of its own."""
    kind, door = inside.kind, inside.door
    names: dict[str, Any] = {"__slots__": (), "__doc__": kind.__doc__, "__module__": kind.__module__, "__qualname__": kind.__qualname__}
    names |= {name: _operation(name) for name in SYSTEM_NAMES if not inside.has(name)}
    names |= inside.methods
    for name, function in inside.specials.items():
        if name not in AS_ANY:
            names[name] = function if name in AWAITED else _refused(name, kind)
    if "__iter__" in inside.specials and "__contains__" not in inside.specials:
        names["__contains__"] = _refused("__contains__", kind)  # Python would iterate; else None, as Proxy says
    names["__enter__"], names["__exit__"] = _refuse_with, _refuse_with
    proxy = type(kind.__name__, (Proxy,), names)()
    object.__setattr__(proxy, "_coopy", inside)
    door.show = lambda result: proxy if result is door.blocking else getattr(proxy, result.__name__)  # type: ignore[attr-defined]
    return proxy


def inside_of(proxy: object) -> Inside:
    """What is behind a proxy for tasks. Raises UsageError for anything else."""
    if isinstance(proxy, Proxy):
        inside: Inside = object.__getattribute__(proxy, "_coopy")
        return inside
    raise UsageError(f"{type(proxy).__qualname__} is not a proxy of coopy.aio: pass what coopy.aio.open gave.")


async def close(proxy: Proxy[Any]) -> None:
    """Finish what runs and close. A second time it does nothing."""
    inside = inside_of(proxy)
    try:
        await inside.door.alone(inside.control.close)
    finally:
        inside.door.end()


def _operation(name: str) -> Callable[..., Any]:
    async def operate(self: Proxy[Any], *args: Any, **kwargs: Any) -> Any:
        if name == "close":
            return await close(self)
        inside = inside_of(self)
        return await inside.door.alone(lambda: getattr(inside.control, name)(*args, **kwargs))

    operate.__name__, operate.__qualname__ = name, f"Proxy.{name}"
    operate.__doc__ = getattr(BlockingControl, name).__doc__
    return operate


async def _items(inside: Inside) -> AsyncIterator[Any]:
    """What an iteration gives, as a list made in one moment."""
    if "__iter__" not in inside.specials:
        raise UsageError(f"{inside.kind.__qualname__} has no __iter__: it cannot be iterated over.")
    for one in await inside.specials["__iter__"](None):
        yield one


def _refused(name: str, kind: type) -> Callable[..., Any]:
    if name in ACTION_SPECIALS:
        instead = f"await coopy.aio.call(it, {kind.__name__}.{name}, ...)"
    else:
        instead = f"await coopy.aio.read(it, {HINTS.get(name, 'lambda it: ...')})"
    if name == "__iter__":
        instead += "` or `async for one in it"

    def refuse(_self: object, *_args: object) -> Any:
        raise UsageError(
            f"{kind.__qualname__}.{name} cannot be awaited as it is written here. Nothing was done. Write `{instead}`.", name=name
        )

    return refuse


def _refuse_with(_self: object, *_error: object) -> Any:
    raise UsageError("A proxy of coopy.aio is closed by `async with`, not by `with`.")


def _no_attributes(name: str) -> Exception:
    what = f"{name!r} cannot be set or deleted on a proxy: the change would not be recorded. Nothing was changed."
    if name.startswith("_"):
        return AttributeError(what)
    return UsageError(f"{what} Write a method of the domain that does it, and call that.", name=name)
