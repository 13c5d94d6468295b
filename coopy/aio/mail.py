"""How an outcome gets from any thread to the task that waits for it: one wake-up of its loop for all that came since the last.

    waiting     one call and its task
    mailbox     what is on its way to one loop

What must never happen here: raising on the thread that tells. It leads a batch, and others wait for it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from coopy.action import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Mailbox", "Mailboxes", "Waiting", "answer"]

UNTOLD, TAKEN = object(), object()


class Waiting:
    """One call whose task waits. `tell` may be called on any thread, and again: the first counts; all else belongs to the task's loop.

    `dropped`: nobody wants to know any more.
    """

    __slots__ = ("_heard", "_mailbox", "dropped", "future", "outcome")

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self.future: asyncio.Future[None] = mailbox.loop.create_future()
        self._heard = self.dropped = False
        self.outcome: object = UNTOLD

    def tell(self, outcome: object) -> None:
        """It is over: this is what it gave, or an Outcome of what it raised."""
        self.leave(outcome)()

    def leave(self, outcome: object) -> Callable[[], None]:
        """As `tell`, where others of the same loop are told, too: what this gives is called once, after all of them, and wakes the loop."""
        if self.outcome is UNTOLD:
            self.outcome = outcome
        self._mailbox.put(self)  # in any case: the first time may have been interrupted before
        return self._mailbox.call

    def hear(self) -> None:
        """The mailbox brings it."""
        self._heard = True
        if not self.future.done():
            self.future.set_result(None)

    def take(self) -> object:
        """The outcome, which is gone from here then: an error refers to the frames that it passes, and they to this."""
        outcome, self.outcome = self.outcome, TAKEN
        return outcome

    async def over(self) -> object:
        """Wait until it is over, and give the outcome. Where the task is cancelled meanwhile, CancelledError is raised after that."""
        try:
            await self.future
        except asyncio.CancelledError:
            await self.seen_out()
            raise
        return self.take()

    async def given(self) -> object:
        """Wait for the outcome. A task that is cancelled does not wait."""
        try:
            await self.future
        finally:
            self.dropped = True
        return self.take()

    async def seen_out(self) -> None:
        """The task was cancelled: wait until it is over all the same."""
        while not self._heard:
            self.future = self._mailbox.loop.create_future()
            try:
                await self.future
            except asyncio.CancelledError:  # once more: the first is raised when it is over
                continue


def answer(outcome: object) -> Any:
    """What it gives; raises what it raised. StopIteration comes as a RuntimeError that it caused: no coroutine can raise it."""
    if type(outcome) is Outcome:
        try:
            raise outcome.error
        finally:
            del outcome  # as in Engine.call
    return outcome


class Mailbox:
    """What is on its way to one loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._letters: deque[Waiting] = deque()
        self._called = False

    def put(self, waiting: Waiting) -> None:
        """Its outcome is to be brought, at the next call. On any thread."""
        self._letters.append(waiting)

    def call(self) -> None:
        """Have all brought. On any thread. If the loop is closed nobody waits there any more."""
        if not self._called:
            try:
                self._called = True
                self.loop.call_soon_threadsafe(self._deliver)
            except RuntimeError:
                self._letters.clear()
                self._called = False
            except BaseException:  # an interrupt of this thread: better called twice than never
                self._called = False
                raise

    def _deliver(self) -> None:
        self._called = False  # before it looks: whoever puts one in later calls again
        try:
            self._bring()
        except BaseException:  # an interrupt: what is left is brought when the loop goes on
            self.loop.call_soon(self._deliver)
            raise

    def _bring(self) -> None:
        while self._letters:
            self._letters[0].hear()  # may be repeated
            self._letters.popleft()


class Mailboxes:
    """The mailbox of each loop that calls this system."""

    def __init__(self) -> None:
        self._by_loop: dict[asyncio.AbstractEventLoop, Mailbox] = {}

    def here(self) -> Mailbox:
        """That of the loop that runs on this thread."""
        loop = asyncio.get_running_loop()
        mailbox = self._by_loop.get(loop)
        if mailbox is None:
            mailbox = Mailbox(loop)
            self._by_loop = {one: box for one, box in [*self._by_loop.items()] if not one.is_closed()} | {loop: mailbox}
        return mailbox
