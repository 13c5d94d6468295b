"""How a task's call gets to the engine and back without blocking its loop.

    action, "sync"        queued up for the shared batch; the task waits, the loop goes on
    action, "buffered"    on the loop's thread: it takes microseconds. What may take longer (memory made anew, a new segment) on another
    query                 on the loop's thread while nobody has the state's lock; if somebody has it, on another
    `@unlocked`, system   on a thread of its own

A task that is cancelled: what changes something is over, as a whole, before CancelledError is raised; what only reads or waits is left.
"""

from __future__ import annotations

import asyncio
import functools
from _thread import start_new_thread
from contextvars import copy_context
from types import MethodType
from typing import TYPE_CHECKING, Any

from coopy.aio.courier import Confirmer, Courier, Desk, Posted, done
from coopy.aio.mail import Mailboxes, Waiting, answer
from coopy.clock import moment
from coopy.engine.commit import SharedEngine
from coopy.engine.confirmed import ConfirmedEngine
from coopy.engine.gate import OPEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.engine.engine import Engine

__all__ = ["BufferedDoor", "Door", "SharedDoor", "make_door", "on_own_thread", "peek"]

NOT_NOW = object()


class Door:
    """The ways to one engine, as proxy.function.Ways says. `blocking`: the system's proxy for threads."""

    def __init__(self, engine: Engine, blocking: Any) -> None:
        self.blocking = blocking
        self.show: Callable[[object], object] = _as_it_is  # what a task may hold instead of the blocking proxy and its methods
        self._engine = engine
        self._mailboxes = Mailboxes()
        self._desk = Desk()

    # --- calls -------------------------------------------------------------------------------------------------------

    async def call(self, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Any:
        """As Engine.call, awaited."""
        raise NotImplementedError

    async def call_marked(self, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Any:
        """A call that has a key (`coopy.once`), or stands in an action, which the engine refuses: on a thread of its own."""
        return self._shown(await self.alone(functools.partial(self._engine.call, method, args, kwargs)))

    async def call_beside(self, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Any:
        """As Engine.call_beside, on a thread of its own."""
        return self._shown(await self.alone(functools.partial(self._engine.call_beside, method, args, kwargs)))

    async def read(self, function: Callable[..., object], /, *args: object, **kwargs: object) -> Any:
        """As Engine.read; in the caller's context on whichever thread."""
        if moment.get() is not None and self._engine.must_settle():
            await self.look(self._engine.settle)
        return self._shown(await self.briefly(functools.partial(self._engine.read_now, function, *args, **kwargs)))

    async def read_beside(self, function: Callable[..., object], /, *args: object, **kwargs: object) -> Any:
        """As Engine.read_beside, on a thread of its own."""
        return self._shown(await self.look(functools.partial(self._engine.read_beside, function, *args, **kwargs)))

    # --- where things are done -----------------------------------------------------------------------------------------

    async def briefly(self, work: Callable[[], Any]) -> Any:
        """What reads under the lock: here and now if nobody has it, else after them on another thread."""
        result = peek(self._engine, work)
        if result is not NOT_NOW:
            return result
        waiting = Waiting(self._mailboxes.here())
        self._desk.put(functools.partial(copy_context().run, work), waiting)
        return answer(await waiting.given())

    async def alone(self, work: Callable[[], Any]) -> Any:
        """What changes something, on a thread of its own."""
        return answer(await self._start(work).over())

    async def look(self, work: Callable[[], Any]) -> Any:
        """What changes nothing, on a thread of its own, which a cancelled task leaves to itself."""
        return answer(await self._start(work).given())

    def end(self) -> None:
        """The system is closed: no thread waits for more. Calls go on to say so."""
        self._desk.end()

    def _start(self, work: Callable[[], Any]) -> Waiting:
        waiting = Waiting(self._mailboxes.here())
        start_thread(work, waiting)
        return waiting

    def _shown(self, result: Any) -> Any:
        if result is self.blocking or (type(result) is MethodType and result.__self__ is self.blocking):
            return self.show(result)
        return result


class BufferedDoor(Door):
    """The ways to an engine that hands records to the operating system and goes on."""

    async def call(self, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Any:
        """As Engine.call: here if it is a matter of microseconds."""
        if moment.get() is not None:
            return await self.call_marked(method, args, kwargs)
        engine, work = self._engine, functools.partial(self._engine.call, method, args, kwargs)
        executor, journal = engine.executor, engine.journal
        makes_anew = method in executor.aborts and method not in executor.free  # where it raises, memory is restored
        result = NOT_NOW if makes_anew or journal.end >= journal.limit else peek(engine, work)
        if result is NOT_NOW:
            waiting = Waiting(self._mailboxes.here())
            self._desk.put(work, waiting)
            result = answer(await waiting.over())
        return self._shown(result)


class SharedDoor(Door):
    """The ways to an engine whose calls share a sync."""

    def __init__(self, engine: SharedEngine, blocking: Any) -> None:
        super().__init__(engine, blocking)
        self._courier = Courier(engine)
        self._confirmed = engine if isinstance(engine, ConfirmedEngine) else None
        self._confirmer = Confirmer(self._confirmed) if self._confirmed is not None else None

    async def call(self, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Any:
        """As SharedEngine.call, in the batch of whoever queues up now."""
        if moment.get() is not None:
            return await self.call_marked(method, args, kwargs)
        posted = Posted(self._mailboxes.here(), self._courier)
        self._courier.post(method, args, kwargs, posted)
        try:  # as `over` does, without its frame
            await posted.future
        except asyncio.CancelledError:
            await posted.seen_out()
            raise
        if self._confirmed is not None:
            await self._wait_for_others(self._confirmed, posted)
        return self._shown(answer(posted.take()))

    async def _wait_for_others(self, engine: ConfirmedEngine, posted: Posted) -> None:
        """What happened is told when others have it. It is over here: a task that is cancelled does not wait for them."""
        entry = posted.entry
        if self._confirmer is not None and entry is not None and engine.is_to_confirm(entry):
            asked = Waiting(self._mailboxes.here())
            self._confirmer.ask(entry.lsn, asked)
            answer(await asked.given())

    def end(self) -> None:
        """As Door.end."""
        super().end()
        self._courier.end()
        if self._confirmer is not None:
            self._confirmer.end()


def make_door(engine: Engine, blocking: Any) -> Door:
    """The door that this engine needs."""
    return SharedDoor(engine, blocking) if isinstance(engine, SharedEngine) else BufferedDoor(engine, blocking)


def peek(engine: Engine, work: Callable[[], Any]) -> Any:
    """Do what needs the lock, if nobody has it and nothing is left over that takes time; else NOT_NOW. Raises what `work` raises.

    `acquire` is the first call inside of the `try`, `release` the first of its handler: engine/common.py says why.
    """
    taken, result = False, NOT_NOW
    try:
        taken = engine.lock.acquire(blocking=False)
        if taken and (engine.gate is OPEN or engine.final is not None):
            result = work()
    except BaseException:
        try:  # noqa: SIM105 - suppress() would be a call before it
            engine.lock.release()
        except RuntimeError:
            pass
        raise
    if taken:
        engine.lock.release()
    return result


async def on_own_thread(work: Callable[[], Any]) -> Any:
    """What changes something, before there is a door. A task that is cancelled meanwhile waits until it is over."""
    waiting = Waiting(Mailboxes().here())
    start_thread(work, waiting)
    return answer(await waiting.over())


def start_thread(work: Callable[[], Any], waiting: Waiting) -> None:
    """Not `threading.Thread`, whose start waits for the thread to run."""
    in_context = functools.partial(copy_context().run, work)
    start_new_thread(lambda: waiting.tell(done(in_context)), ())


def _as_it_is(result: object) -> object:
    return result
