"""A proxy whose calls are watched: a second one of the same system, with somebody between it and the engine who hears of each action."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from coopy.error import NotSerializableError
from coopy.proxy import make_proxy
from coopy.testing.call import Call, Told, raised, told
from coopy.wiring.operations import Operations
from coopy.wiring.systems import opened_again, register, system_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.engine.engine import Engine

__all__ = ["Watcher", "watched"]

T = TypeVar("T")


class Watcher(Protocol):
    """Who hears of each action."""

    def before(self) -> None:
        """One is about to be recorded."""

    def after(self, call: Call, kind: int, payload: bytes, told: Told) -> None:
        """It was recorded (as `kind` and `payload`) and has run."""


def watched(proxy: T, watcher: Watcher) -> T:
    """Another proxy of the same system, whose actions `watcher` hears of. Keep the first one, too: the system is closed with it."""
    system = system_of(proxy)
    other: T = make_proxy(cast("Engine", _Watched(system.engine, watcher)), Operations(system))
    register(other, system, lambda directory, disk: opened_again(proxy, directory, disk))
    return other


class _Watched:
    """Stands before an engine."""

    short_way = False

    def __init__(self, engine: Engine, watcher: Watcher) -> None:
        self._engine, self._watcher = engine, watcher

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def call(self, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Any:
        """As the engine's."""
        return self._watch(self._engine.call, method, args, kwargs)

    def call_beside(self, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Any:
        """As the engine's."""
        return self._watch(self._engine.call_beside, method, args, kwargs)

    def _watch(self, do: Callable[..., object], method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> object:
        self._watcher.before()
        try:
            kind, payload, _, _ = self._engine.codec.encode(method, args, kwargs)
        except NotSerializableError:
            return do(method, args, kwargs)  # refuses it
        call, before = Call(method, *args, **kwargs), self._engine.executed
        try:
            result = do(method, args, kwargs)
        except BaseException as error:
            if self._has_run(before):
                self._watcher.after(call, kind, payload, raised(error))
            raise
        if self._engine.executed > before:
            self._watcher.after(call, kind, payload, told(result))
        return result

    def _has_run(self, before: int) -> bool:
        """Whether an action has, after an exception. One that was left in doubt (RecursionError, SystemExit) runs again when somebody enters next."""
        return self._engine.final is None and self._engine.read(lambda: self._engine.executed) > before
