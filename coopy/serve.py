"""What other processes may reach of a system: its face, for the server of Pyro5 or of the standard library's xmlrpc.

    with control(init_system(Wiki, "data/wiki")) as wiki, Daemon(port=7766) as daemon:
        daemon.register(for_pyro(wiki), "wiki")
        daemon.requestLoop()

A face is an object of a class made for one proxy. It has the domain's public methods, for Pyro also its properties and what `len`, `[]` and `for`
ask for; and nothing else: no attribute, no private name, none of the system's own operations but those that the server names.

What a method gives goes onto the wire after the call, while others change the state: a face gives a copy, made under the system's lock.
"""

from __future__ import annotations

import functools
import pickle
import re
from collections.abc import Iterator
from types import FunctionType, MemberDescriptorType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from xmlrpc.client import Fault

from coopy import error as errors
from coopy.codec import ATOMS
from coopy.decorators import marks_of
from coopy.error import UsageError
from coopy.proxy.names import SYSTEM_NAMES, member_of
from coopy.wiring.systems import system_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

__all__ = ["for_pyro", "for_xmlrpc", "receive_exceptions"]

P = ParamSpec("P")
R = TypeVar("R")
READS = ("__len__", "__getitem__", "__iter__")
SPECIALS = (*READS, "__setitem__", "__delitem__")  # what a client's proxy of Pyro passes on
FAULT = 1  # what the standard library's server says of any exception
NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # a client's parser stops there, and shows nothing at all


def for_pyro(proxy: object, *, operations: Iterable[str] = ()) -> object:
    """What `Pyro5.api.Daemon.register` takes: a face with methods, properties, and `len`, `[]` and iteration where the domain has them.

    `operations`: which of the system's own clients may call too ("take_snapshot", "close", "basedir_abspath"). Exceptions arrive as what they are
    where Pyro knows the class, or the client called `receive_exceptions`. A method that returns the domain object itself gives a proxy of the face.
    Any number of threads may use it. Raises UsageError without Pyro5, for what is no proxy of coopy, and for an operation that there is not.
    """
    expose = _pyro().expose
    every = (*_methods(proxy, SPECIALS), *_named(operations))
    names: dict[str, object] = {name: expose(_telling(_method(proxy, name, _itself))) for name in every}
    return _face(proxy, names | {name: expose(_property(proxy, name)) for name in _properties(proxy)})


def for_xmlrpc(proxy: object, *, operations: Iterable[str] = ()) -> object:
    """What `SimpleXMLRPCServer.register_instance` takes: a face with methods.

    The server has to be made with `allow_none=True`, or a method that gives None runs and its client gets a Fault. Exceptions arrive as a Fault
    that begins with their class ("ValueError: ...", "shop.SoldOut: ..."); characters that XML has not are escaped as in Python's source. A method
    that returns the domain object itself gives None.
    `operations`, threads and UsageError: as in `for_pyro`.
    """
    every = (*_methods(proxy, ()), *_named(operations))
    return _face(proxy, {name: _faulting(_method(proxy, name, _nothing)) for name in every})


def receive_exceptions(*kinds: type[BaseException]) -> None:
    """In a client of Pyro: have these exceptions, and coopy's own, arrive as what they are, with their attributes.

    Without it, only Python's own and Pyro's do; any other arrives as Pyro5.errors.SerializeError, which names the class. What its `__slots__` hold
    arrives as well; its `__init__` and `__new__` are not called. Raises UsageError without Pyro5.
    """
    register = _pyro().register_dict_to_class
    for kind in (*kinds, *(getattr(errors, name) for name in errors.__all__)):
        register(f"{kind.__module__}.{kind.__name__}", functools.partial(_received, kind))


def _received(kind: type[BaseException], _name: str, data: dict[str, Any]) -> BaseException:
    error = _made(kind, data["args"])
    slots = _slots(kind)
    for name, value in data.get("attributes", {}).items():
        if name in slots:
            slots[name].__set__(error, value)
        else:
            vars(error)[name] = value
    return error


def _made(kind: type[BaseException], args: Iterable[object]) -> BaseException:
    """An exception that says this, by Python's own `__new__`: the class's own may ask for other arguments."""
    maker: Any = kind
    while isinstance(maker.__new__, FunctionType):
        maker = maker.__base__
    error: BaseException = maker.__new__(kind, *args)
    return error


def _slots(kind: type) -> dict[str, MemberDescriptorType]:
    """What a class keeps in `__slots__`, its own and inherited ones."""
    every = [member for base in reversed(kind.__mro__) if "__slots__" in vars(base) for member in vars(base).items()]
    return {name: member for name, member in every if isinstance(member, MemberDescriptorType)}


def _pyro() -> ModuleType:
    try:
        import Pyro5.api
    except ImportError as error:
        raise UsageError('Serving by Pyro needs Pyro5: `pip install "coopy[pyro]"`.') from error
    return Pyro5.api


# --- which names -----------------------------------------------------------------------------------------------------


def _methods(proxy: object, specials: Iterable[str]) -> list[str]:
    """The domain's public methods, and these special ones as far as it has them."""
    system_of(proxy)
    surface = vars(type(proxy))
    return [
        name
        for name, member in surface.items()
        if isinstance(member, FunctionType | staticmethod) and (name in specials or not name.startswith("_"))
    ]


def _properties(proxy: object) -> list[str]:
    """The domain's public properties."""
    kind = proxy.__class__
    return [
        name
        for name in vars(type(proxy))
        if not name.startswith("_") and isinstance(member_of(kind, name), property | functools.cached_property)
    ]


def _named(operations: Iterable[str]) -> tuple[str, ...]:
    """Operations of the system that the server lets clients call."""
    names = tuple(operations)
    for name in names:
        if name not in SYSTEM_NAMES:
            raise UsageError(f"operations={name!r}: there are {', '.join(SYSTEM_NAMES)}. Nothing is served yet.", option="operations")
    return names


# --- what they do ----------------------------------------------------------------------------------------------------


def _face(proxy: object, names: dict[str, object]) -> object:
    kind = proxy.__class__
    return type(kind.__name__, (), {"__doc__": kind.__doc__, "__module__": kind.__module__, **names})()


def _method(proxy: object, name: str, chained: Callable[[object], object]) -> Callable[..., object]:
    """The face's method of this name. `chained`: what the face gives where the domain gives itself."""
    target, engine = getattr(proxy, name), system_of(proxy).engine
    marks = marks_of(member_of(proxy.__class__, name))
    at_once = "unlocked" not in marks and ("readonly" in marks or name in READS)  # a query and its copy show one moment

    @functools.wraps(target)
    def call(self: object, /, *args: object, **kwargs: object) -> object:
        if at_once:
            result = engine.read(lambda: _taken(target(*args, **kwargs), proxy, name))
        else:
            result = target(*args, **kwargs)
            if type(result) not in ATOMS:
                result = engine.read(_taken, result, proxy, name)
        return chained(self) if result is proxy else _given(result)

    call.__name__ = name  # Pyro asks whether it is private; a method may be another's alias
    return call


def _property(proxy: object, name: str) -> property:
    engine, member = system_of(proxy).engine, member_of(proxy.__class__, name)

    def get(_self: object) -> object:
        return _given(engine.read(lambda: _taken(getattr(proxy, name), proxy, name)))

    def put(_self: object, value: object) -> None:
        setattr(proxy, name, value)

    get.__name__ = name  # as above
    return property(_telling(get), _telling(put) if getattr(member, "fset", None) else None, None, member.__doc__)


def _telling(method: Callable[P, R]) -> Callable[P, R]:
    """The same method, which raises what Pyro may have for itself: it sends what `vars` has, and writes the traceback there.

    What the domain raised may be in its state as well, where nobody but an action changes anything.
    """

    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - another of its kind is raised
            told = _told(error)
        raise told

    return call


def _told(error: Exception) -> BaseException:
    """Another exception of the same kind that says the same, with all that it knows in its `vars`."""
    kind = type(error)
    args = OSError.__reduce__(error)[1] if isinstance(error, OSError) else error.args  # an OSError has its file's name apart
    told = kind(*args) if kind.__module__ == "builtins" else _made(kind, args)
    vars(told).update(vars(error), **{name: getattr(error, name) for name in _slots(kind) if hasattr(error, name)})
    told.__cause__, told.__context__, told.__suppress_context__ = error.__cause__, error.__context__, error.__suppress_context__
    return told.with_traceback(error.__traceback__)


def _faulting(method: Callable[..., object]) -> Callable[..., object]:
    """The same method, which says in a Fault what went wrong."""

    @functools.wraps(method)
    def call(self: object, /, *args: object) -> object:
        try:
            return method(self, *args)
        except Exception as error:
            kind = type(error)
            name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
            raise Fault(FAULT, NOT_XML.sub(_escaped, f"{name}: {error}")) from error

    return call


def _escaped(character: re.Match[str]) -> str:
    """As Python's source has it."""
    return character[0].encode("unicode_escape").decode()


def _itself(face: object) -> object:
    return face


def _nothing(_face: object) -> None:
    """XML-RPC knows no objects that stay where they are."""


# --- by value --------------------------------------------------------------------------------------------------------


class _Pickled(bytes):
    """A result on its way out of the lock."""


def _taken(result: object, proxy: object, name: str) -> object:
    """Under the lock: what no action can change any more. Raises UsageError for what cannot be copied; the call has happened then."""
    if type(result) in ATOMS or result is proxy:
        return result
    try:
        return _Pickled(pickle.dumps(list(result) if isinstance(result, Iterator) else result))
    except Exception as error:
        what = f"{name}() was called, and what it did stays; but what it gave cannot be sent to another process: {error}"
        raise UsageError(f"{what} Have it return plain values.", method=name) from error


def _given(result: object) -> object:
    """After the lock: the copy, made in this process a moment ago."""
    return pickle.loads(result) if type(result) is _Pickled else result
