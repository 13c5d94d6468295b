"""The only place that runs actions of the domain: live, in replay and in a rebuild, so that an outcome means the same in all of them.

It knows the domain object, its methods and the moment they see; nothing of files, locks or callers. `except Exception` around domain
code is here and nowhere else.

An action runs in a `contextvars.Context` that is the system's own and as empty as on the first day, or a decimal context or a variable
that one call sets would change another's result. What it returns is settled before anybody else enters: an iterator over the state
becomes one over a list. An exception keeps nothing of what the executing thread happened to be handling.
"""

from __future__ import annotations

import sys
from bdb import BdbQuit
from collections import deque
from contextvars import Context
from typing import TYPE_CHECKING, Any

import msgspec

from coopy.action import Outcome
from coopy.clock import Moment, moment, running
from coopy.codec import ATOMS, MSGPACK, NO_KEYWORDS, unpack
from coopy.decorators import marks_of
from coopy.engine.once import ONCE, Kept, Keys, action_of
from coopy.engine.results import UNSETTLED, settled
from coopy.engine.tools import CHANCE, CLOCK, equip
from coopy.error import CoopyError, UsageError
from coopy.kinds import ACTION_SPECIALS, INJECTED
from coopy.signalled import from_outside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    Record = tuple[int, int, int, int, bytes]  # LSN, time in us, UTC offset in minutes, kind, payload
    Decode = Callable[[int, bytes], tuple[str, Sequence[object], dict[str, object]]]

__all__ = ["IN_DOUBT", "PLAIN", "Executor", "UnknownMethodError", "setter_name"]

# What is no outcome of an action, wherever it runs: it says what the machine had left, or that somebody left a debugger.
NO_OUTCOME = (MemoryError, BdbQuit)
IN_DOUBT = (*NO_OUTCOME, RecursionError)  # the end of this thread's stack is none either; that of a fresh one is
PLAIN = frozenset((str, int, float, bool, type(None), bytes, list, dict, tuple, set, frozenset))
ABSENT: Any = type("Absent", (), {})()
ALL_ATOMS = ATOMS | {float}
HOLDS = {"atom": ALL_ATOMS, "plain": PLAIN | {deque}, "absent": frozenset((type(ABSENT),))}


class UnknownMethodError(CoopyError):
    """The journal names a method that the class does not have (any more)."""


def setter_name(name: str) -> str:
    """How a record names the setter of a property: no method can be called so."""
    return f"{name}="


class _Methods(dict[str, "Callable[..., object]"]):
    """Bound methods by name, each looked up once."""

    def __init__(self, resolve: Callable[[str], Callable[..., object]]) -> None:
        super().__init__()
        self._resolve = resolve

    def __missing__(self, name: str) -> Callable[..., object]:
        self[name] = function = self._resolve(name)
        return function


class Executor:
    """Runs the actions of one domain object. Its caller holds the state's lock.

    `expose` turns a result that is the domain object itself, or a way to it, into what a caller may hold, and never raises. `show` hears of each attribute
    of the domain object that is not among `names` yet; `ask` has the proxy look for any, as long as memory is in doubt and ever after. `free`:
    `@abort_exception` methods that change nothing before they raise, as long as their arguments are atoms and attributes hold what the
    validator's proof took for granted ("atom", "plain": a built-in container or atom, "absent"). `old`: by former name, the methods that run
    recorded calls (renames.py). `keys`: which were used, by whoever loads the state.
    """

    __slots__ = ("aborts", "ask", "context", "expose", "free", "holder", "keys", "methods", "moment", "names", "old", "root", "run", "show")

    keys: Keys

    def __init__(
        self, root: object, secret: bytes, free: Mapping[str, Mapping[str, str]] | None = None, old: Mapping[str, str] | None = None
    ) -> None:
        self.root, self.free, self.old = root, free or {}, old or {}
        self.moment = Moment(secret)
        self.expose: Callable[[object], object] = _as_it_is
        self.holder: Any = root if hasattr(root, "__dict__") else _NoAttributes()
        self.names: set[str] = set(INJECTED)
        self.show: Callable[[str], object] = _as_it_is
        self.ask: Callable[[], object] = _nothing
        self.methods = _Methods(self.resolve)
        self.aborts: set[str] = set()
        self._renew_context()

    def execute(self, method: str, args: Sequence[object], kwargs: dict[str, object], lsn: int, time_us: int, utc_offset: int) -> object:
        """Run one action. Gives its result, or an Outcome if it raised.

        Whatever is not an ordinary exception (KeyboardInterrupt, SystemExit, MemoryError, RecursionError) passes through: memory is in doubt.
        So does what a signal handler or another thread raised, and the end of a debugger's session.
        """
        now = self.moment
        now.lsn, now.time_us, now.utc_offset = lsn, time_us, utc_offset
        try:
            result = self.run(self.methods[method], *args, **kwargs) if kwargs else self.run(self.methods[method], *args)
            if type(result) not in PLAIN:
                result = self.run(self.settle, result)
        except IN_DOUBT:
            raise
        except Exception as error:
            caught = error
        else:
            held = self.holder.__dict__
            if not now.tainted and len(self.context) == 1 and self.names.issuperset(held) and CLOCK in held and CHANCE in held:
                return result
            return self.ended(action_of(method, args), result, None)
        plain = ALL_ATOMS.issuperset(map(type, args)) and ALL_ATOMS.issuperset(map(type, kwargs.values()))
        try:
            return self.ended(action_of(method, args), None, caught, plain=plain)
        finally:
            del caught  # its traceback refers to this frame

    def execute_again(
        self, method: str, args: Sequence[object], kwargs: dict[str, object], lsn: int, time_us: int, utc_offset: int
    ) -> object:
        """Run an action that was interrupted, on a fresh thread and on memory put back: now whatever it raises is its own doing."""
        try:
            return self.execute(method, args, kwargs, lsn, time_us, utc_offset)
        except NO_OUTCOME:
            raise
        except BaseException as error:
            return self.ended(action_of(method, args), None, error, plain=False, fresh=True)

    def beside(self) -> Executor:
        """Another one for the same domain object, with a context and a moment of its own: for what runs beside others."""
        other = Executor(self.root, self.moment.secret, self.free, self.old)
        other.expose, other.methods, other.aborts, other.names, other.show = self.expose, self.methods, self.aborts, self.names, self.show
        return other

    def replay(self, records: Iterable[Record], decode: Decode, mark: memoryview, raised: Callable[[int, str, Outcome], None]) -> None:
        """Run recorded actions. `raised(lsn, method, outcome)` hears of each that did not return; `mark[0]` holds the LSN that runs.

        Call it on a fresh thread: no signal comes there, so that what is not an ordinary exception is the action's own doing and an
        outcome like any other. MemoryError passes through, and so does BdbQuit.
        """
        self.moment.tainted = False  # by an action that was interrupted: it runs again
        rest = iter(records)
        while self.run(self._replay_in_context, rest, decode, mark, raised):
            self._renew_context()

    def _replay_in_context(
        self, records: Iterator[Record], decode: Decode, mark: memoryview, raised: Callable[[int, str, Outcome], None]
    ) -> bool:
        """As far as the context stays as it was; gives whether something may be left. Entering it for each action would cost a fifth."""
        now, methods, context, settle, holder = self.moment, self.methods, self.context, self.settle, self.holder
        for lsn, now.time_us, now.utc_offset, kind, payload in records:
            mark[0] = now.lsn = lsn
            if kind == MSGPACK:  # what `decode` does, without its frame
                try:
                    call = unpack(payload)
                    method, kwargs = call.pop(0), NO_KEYWORDS
                    if call and type(call[-1]) is dict:
                        kwargs = call.pop()
                    args: Sequence[object] = call
                except (msgspec.DecodeError, IndexError):
                    decode(kind, payload)  # says what is wrong
                    raise
            else:
                method, args, kwargs = decode(kind, payload)
            try:
                result = methods[method](*args, **kwargs) if kwargs else methods[method](*args)
                if type(result) not in PLAIN:
                    settle(result)
            except NO_OUTCOME:
                raise
            except BaseException as error:
                method = action_of(method, args)
                raised(lsn, method, self._outcome(method, error))
            else:
                if now.tainted:
                    method = action_of(method, args)
                    raised(lsn, method, self._outcome(method, None))
            held = holder.__dict__
            if CLOCK not in held or CHANCE not in held:
                equip(self.root, now)
            if len(context) != 1:
                return True
        return False

    def ended(self, method: str, result: object, error: BaseException | None, *, plain: bool = True, fresh: bool = False) -> object:
        """The unusual ends: it raised, it used a proxy, it left something in the context, or the domain object has a new attribute or lost coopy's.

        `plain`: its arguments were atoms. `fresh`: it ran on a thread that nobody knows, so that whatever it raised is its own doing.
        """
        if len(self.context) != 1:
            self._renew_context()
        equip(self.root, self.moment)
        self.show_new()
        if error is not None and not fresh and any(map(from_outside, _up_to(error, sys.exc_info()[1]))):
            raise error
        if error is None and not self.moment.tainted:
            return result
        if error is not None:
            _forget_context(error, sys.exc_info()[1])
        return self._outcome(method, error, untouched=plain and self.is_untouched(method))

    def show_new(self) -> None:
        """Have all attributes of the domain object shown."""
        for name in self.holder.__dict__.keys() - self.names:
            if type(name) is str and not name.startswith("__"):
                self.show(name)
            self.names.add(name)

    def is_untouched(self, method: str) -> bool:
        """Whether what the proof of a method took for granted is so; nothing was changed since."""
        needs = self.free.get(method)
        if needs is None:
            return False
        held, kind = self.holder.__dict__, type(self.root)
        for name, what in needs.items():
            value = held.get(name, ABSENT)
            if value is ABSENT and what != "absent":
                value = getattr(kind, name, ABSENT)
            if type(value) not in HOLDS[what]:
                return False
        return True

    def _outcome(self, method: str, error: BaseException | None, *, untouched: bool = False) -> Outcome:
        if self.moment.tainted:
            self.moment.tainted = False
            return Outcome(_tainted(method), undo=True)
        assert error is not None
        return Outcome(error, undo=method in self.aborts, untouched=untouched)

    def resolve(self, method: str) -> Callable[..., object]:
        """The bound method of this name. Raises UnknownMethodError where the class has none that is an action."""
        if method == ONCE:
            return self._once
        kind, former = type(self.root), self.old.get(method)
        is_there = getattr(kind, method.removesuffix("="), None) is not None
        if former is not None:
            before = self._bound(former, method)
            return _either(self._bound(method, method), before) if is_there else before
        if not is_there or (method.startswith("_") and method not in ACTION_SPECIALS):
            raise UnknownMethodError(f"{kind.__qualname__} has no action {method!r}, and no method is marked @was({method!r})")
        return self._bound(method, method)

    def live(self, method: str) -> Callable[..., object]:
        """The same for calls of today."""
        return self._bound(method, method) if method in self.old else self.methods[method]

    def as_recorded(self, recorded: str, method: str) -> str:
        """What a record calls a method, if `recorded` is a former name of it."""
        return recorded if self.old.get(recorded) == method else method

    def _bound(self, name: str, recorded: str) -> Callable[..., object]:
        """A method of the domain object; `recorded`: what the journal calls it."""
        declared = getattr(type(self.root), name.removesuffix("="))
        if "abort_exception" in marks_of(getattr(declared, "fset", declared)):
            self.aborts.add(recorded)
        bound: Callable[..., object] = declared.fset.__get__(self.root) if name.endswith("=") else getattr(self.root, name)
        return bound

    def _once(self, key: str, within: int | None, most: int | None, print_: str, method: str, /, *args: object, **kwargs: object) -> object:
        """Run an action with a key, unless the key is known: then give what it gave. What raises and is to be undone is not remembered."""
        now, keys, root = running(), self.keys, self.root
        assert now is not None
        known = keys.find(key, now.time_us)
        if known is not None:
            known.check(self.as_recorded(known.method, method), print_)
            return keys.give(known, root)
        function = self.methods[method]
        result, caught = None, None
        try:
            result = function(*args, **kwargs)
            if type(result) in UNSETTLED:
                result = self.settle(result)
            how, value = keys.returned(result, root)
        except NO_OUTCOME:
            raise
        except BaseException as error:
            if method in self.aborts:
                raise
            caught, (how, value) = error, keys.raised(error, root)
        expires = 0 if within is None else now.time_us + within
        keys.remember(Kept(key, now.lsn, expires, print_, method, how, value), now.time_us, most)
        if caught is not None:
            raise caught
        return result

    def settle(self, result: object) -> object:
        """What may be handed out: no iterator that would read the state later, and nothing that is a way around the system."""
        if type(result) in UNSETTLED or result is self.root:
            return settled(result, self.root, self.expose)
        return result

    def _renew_context(self) -> None:
        self.context = Context()
        self.context.run(moment.set, self.moment)
        self.run = self.context.run


def _either(today: Callable[..., object], before: Callable[..., object]) -> Callable[..., object]:
    """A method, and for calls that its parameters do not take any more the one for these."""
    import inspect

    signature = inspect.signature(today)

    def either(*args: object, **kwargs: object) -> object:
        try:
            signature.bind(*args, **kwargs)
        except TypeError:
            return before(*args, **kwargs)
        return today(*args, **kwargs)

    return either


class _NoAttributes:
    """Stands for a domain object that has only slots, and misses nothing."""

    def __init__(self) -> None:
        vars(self).update(INJECTED)


def _nothing() -> None:
    """There is no proxy yet."""


def _as_it_is(result: object) -> object:
    return result


def _tainted(method: str) -> UsageError:
    what = f"{method}() used a coopy proxy while it ran as an action, or a finalizer or signal handler did in the middle of it"
    return UsageError(
        f"{what}: on a restart there is no proxy to call. The action was undone. Inside of the domain, call methods on self.", method=method
    )


def _up_to(error: BaseException, handled: BaseException | None) -> Iterator[BaseException]:
    """It, and what was handled when it was raised, and so on, but for what the executing thread was handling."""
    link: BaseException | None = error
    while link is not None and link is not handled:
        yield link
        link = link.__context__


def _forget_context(error: BaseException, handled: BaseException | None) -> None:
    """Cut off what the executing thread was handling: it may be another caller's. Raising the error again adds the right one."""
    link: BaseException | None = error
    while link is not None and handled is not None:
        if link.__context__ is handled:
            link.__context__ = None
        link = link.__context__
