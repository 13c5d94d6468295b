"""A call as a value, and what came of it in a form that two processes can compare."""

from __future__ import annotations

import copy
import inspect
import re
import typing
from typing import TYPE_CHECKING, Any

import msgspec

from coopy.digest import digest
from coopy.digest.path import short
from coopy.error import CoopyError, NotSerializableError, UsageError
from coopy.wiring import control, is_proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from coopy.codec import Codec

__all__ = ["Call", "Told", "check_calls", "decoded", "kind_of", "outcome_of", "raised", "refusal", "told"]

ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")  # in what an exception says of an object
WORDS = re.compile(r"\w+|[^\w\s]")
SHOWN_AS_IT_IS = frozenset((str, int, float, bool, type(None), bytes))
SHOWN = 70  # characters of an argument
DEEPEST = 8  # lists in lists of an answer, behind which order counts: it may hold itself
ITERATORS: frozenset[type] = frozenset((type(iter([])), type(iter(()))))


class Call:
    """One call of a public method: `Call("deposit", "ada", amount=10)`. `Call("title=", "x")` sets a property; special methods are named in full."""

    __slots__ = ("args", "kwargs", "method")

    def __init__(self, method: str, /, *args: Any, **kwargs: Any) -> None:
        self.method, self.args, self.kwargs = method, args, kwargs

    def on(self, target: Any) -> Any:
        """Do it."""
        if self.method.endswith("="):
            setattr(target, self.method[:-1], *self.args)
            return None
        return getattr(target, self.method)(*self.args, **self.kwargs)

    def __repr__(self) -> str:
        arguments = (*map(_shown, self.args), *(f"{name}={_shown(value)}" for name, value in self.kwargs.items()))
        return f"{self.method}({', '.join(arguments)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Call) and (self.method, self.args, self.kwargs) == (other.method, other.args, other.kwargs)

    __hash__ = None  # type: ignore[assignment]  # arguments may be lists


class Told(msgspec.Struct, frozen=True):
    """What a caller was told: `token` is equal where the value is, in any process; `words` are for people.

    The order of elements in lists and dictionaries, or of a text's words, does not count: it may be that of a set, which is another one in each process.
    """

    token: str
    words: str


def told(value: object) -> Told:
    """A result."""
    if is_proxy(value):
        return Told("the system", "the system")
    try:
        return Told(digest(_without_order(value)), _in_words(value))
    except NotSerializableError:
        return Told(f"a {type(value).__qualname__}", short(value))


def _in_words(value: object) -> str:
    """A list of plain values as it is, anything else shortly: other values may show an address."""
    if type(value) in {list, tuple, set, frozenset} and all(type(one) in SHOWN_AS_IT_IS for one in value):  # type: ignore[attr-defined]
        return _shown(value)
    return short(value)


def _without_order(value: object, depth: int = 0) -> object:
    """In what is in it, too, and in what an iterator still gives, which is not taken from whoever holds it."""
    if depth == DEEPEST:
        return value
    if type(value) in ITERATORS:
        value = list(copy.copy(value))  # type: ignore[call-overload]  # of iterators
    if isinstance(value, list | tuple):
        return sorted(digest(_without_order(one, depth + 1)) for one in value), type(value).__name__
    if isinstance(value, dict):
        pairs = ([digest(_without_order(one, depth + 1)) for one in pair] for pair in value.items())
        return sorted(pairs), type(value).__name__
    return (sorted(WORDS.findall(value)), "text") if type(value) is str else value


def raised(error: BaseException) -> Told:
    """An exception."""
    words = f"{type(error).__qualname__}({_shown(ADDRESS.sub('0x...', str(error)))})"
    return Told(f"raised {type(error).__module__}.{words}", f"raises {words}")


def outcome_of(function: Callable[[], object]) -> Told:
    """Run it; what it returned or raised."""
    try:
        value = function()
    except MemoryError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - an exception is an answer of the domain's
        return raised(error)
    return told(value)


def refusal(call: Call, system: Any) -> str:
    """Make a call, and why it was refused before it was recorded: empty where it ran. What the domain raises is an answer, also of a query."""
    before = control(system).lsn
    try:
        call.on(system)
    except MemoryError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
        if control(system).lsn == before and (isinstance(error, CoopyError) or not _fits(call, system)):
            return f"{type(error).__name__}: {error}"
    return ""


def _fits(call: Call, system: Any) -> bool:
    """Whether there is something to call so, as far as signatures say."""
    if call.method.endswith("="):
        return (len(call.args), len(call.kwargs)) == (1, 0)
    try:
        inspect.signature(getattr(system, call.method)).bind(*call.args, **call.kwargs)
    except (TypeError, AttributeError):
        return False
    except ValueError:  # it has none
        return True
    return True


def kind_of(domain: Any) -> type:
    """The class of a domain that is given as `init_system` takes it: a class, `Box[int]`, or an instance."""
    domain = typing.get_origin(domain) or domain
    return domain if isinstance(domain, type) else type(domain)


def check_calls(kind: type, calls: Iterable[object]) -> list[Call]:
    """The calls as a list. Raises UsageError for what is no call of this class."""
    found: list[Call] = []
    for one in calls:
        if not isinstance(one, Call):
            raise UsageError(f'{one!r} is no call: write Call("method", argument, ...), or pass a function of the system.')
        if not hasattr(kind, one.method.removesuffix("=")):
            raise UsageError(f"{kind.__qualname__} has no method {one.method!r}.", method=one.method)
        found.append(one)
    return found


def decoded(codec: Codec, kind: int, payload: bytes) -> Call:
    """A recorded call."""
    method, args, kwargs = codec.decode(kind, payload)
    return Call(method, *args, **kwargs)


def _shown(value: object) -> str:
    words = repr(value)
    return words if len(words) <= SHOWN else f"{words[:SHOWN]}..."
