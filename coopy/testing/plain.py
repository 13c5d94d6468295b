"""A domain object beside its system: it gets the same calls at the same times, and has neither journal nor restarts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coopy.action import Outcome
from coopy.difference import difference
from coopy.digest import digest
from coopy.engine.execute import Executor
from coopy.testing.call import Told, raised, told
from coopy.testing.looks import loaded
from coopy.wiring.opening import adopt
from coopy.wiring.systems import system_of

if TYPE_CHECKING:
    from coopy.testing.call import Call

__all__ = ["Plain"]


class Plain:
    """A copy of what a system holds now."""

    def __init__(self, proxy: object) -> None:
        system = system_of(proxy)
        self._codec, self._secret, self._kind = system.engine.codec, system.archive.identity.secret, type(system.root)
        self._executor = self._made(self._codec.dump_state(system.root))

    @property
    def digest(self) -> str:
        """Its digest."""
        return digest(self._executor.root)

    def differences(self, root: object) -> list[str]:
        """Where another object differs from it."""
        return [str(one) for one in difference(self._executor.root, root, 5)]

    def call(self, call: Call, proxy: object) -> Told:
        """Make a call that the system has just made, at its time and with its chance. Gives what it is answered."""
        engine = system_of(proxy).engine
        moment, before = engine.executor.moment, self._codec.dump_state(self._executor.root)
        _, _, args, kwargs = self._codec.encode(call.method, call.args, call.kwargs)
        result = self._executor.execute(call.method, args, kwargs, engine.executed, moment.time_us, moment.utc_offset)
        if isinstance(result, Outcome):
            if result.undo:
                self._executor = self._made(before)
            return raised(result.error) if isinstance(result.error, Exception) else Told(repr(result.error), repr(result.error))
        return Told("the system", "the system") if result is self._executor.root else told(result)

    def _made(self, state: bytes) -> Executor:
        root: Any = loaded(self._codec, state)
        executor = Executor(root, self._secret)
        adopt(root, self._kind, executor.moment)
        return executor
