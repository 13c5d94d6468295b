"""Tasks on a disk that forgets, fails or takes its time, and in a process that is shot at: nobody waits for ever, and what was heard is kept."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coopy import aio, control, init_system
from coopy.aio.mail import Mailbox, Waiting
from coopy.aio.opening import beside
from coopy.disk.fake import FakeDisk, PowerCut
from coopy.engine.commit import SharedEngine
from coopy.engine.gate import CLOSED
from coopy.error import ClosedError, CoopyError, DiskFullError, DurabilityError
from coopy.wiring import Options, engine_of, open_proxy
from coopy.wiring.systems import _systems
from tests.crash.test_every_call import interrupted_at
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

both = pytest.mark.parametrize("durability", ["sync", "buffered"])
TASKS, EACH = 6, 3


class Leaving(Word):
    """Has a method that is no ordinary end of an action."""

    def leave(self) -> None:
        self.text += "l"
        raise SystemExit(self.text)


class SlowDisk(FakeDisk):
    """Once `hold` is set, a sync waits until it may go on. While it is `unreadable` no file can be opened."""

    unreadable = False

    def __init__(self) -> None:
        super().__init__()
        self.hold, self.reached, self.go_on = threading.Event(), threading.Event(), threading.Event()

    def begin(self, what: str) -> BaseException | None:
        if what.startswith("sync /") and self.hold.is_set():
            self.reached.set()
            assert self.go_on.wait(60)
        return super().begin(what)

    def ask(self, what: str) -> None:
        if self.unreadable and what.startswith("open "):
            raise OSError(errno.EIO, "Input/output error")
        super().ask(what)

    def syncs(self) -> int:
        return sum(one.startswith("sync /") for one in self.calls)


def opened(disk: FakeDisk, durability: Any = "sync", kind: type[Word] = Word) -> Word:
    return open_proxy(kind, "/w", Options(durability=durability, segment_bytes=4096, sync_interval=3600, validation="off"), disk)  # type: ignore[no-any-return]


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """In a loop of its own; it comes to its end."""

    async def within() -> None:
        async with asyncio.timeout(60):
            await story()

    asyncio.run(within())


def abandon(blocking: Any) -> None:
    """Let go of the system as a power cut does: nothing is written any more."""
    system = _systems[type(blocking)]
    for timer in system._timers:
        timer.stop()
    system.engine.end(CLOSED)


# --- a disk that takes its time ------------------------------------------------------------------------------------------


def test_a_thousand_tasks_share_a_sync() -> None:
    """What queues up while one is synced is one batch."""
    disk = SlowDisk()

    async def story() -> None:
        async with beside(opened(disk)) as word:
            disk.hold.set()
            before = disk.syncs()
            first = asyncio.create_task(word.keep(0))
            assert await asyncio.to_thread(disk.reached.wait, 60)
            others = [asyncio.create_task(word.keep(number)) for number in range(1, 1000)]
            await asyncio.sleep(0)
            disk.go_on.set()
            assert sorted(await asyncio.gather(first, *others)) == list(range(1, 1001))
            assert await word.kept == list(range(1000))
            assert disk.syncs() - before == 2

    run(story)


def test_cancelled_while_its_record_is_synced() -> None:
    """It is over, and there, when its task hears of it; a loop that goes on meanwhile answers queries."""
    disk = SlowDisk()

    async def story() -> None:
        async with beside(opened(disk)) as word:
            disk.hold.set()
            first, second = asyncio.create_task(word.add("a")), asyncio.create_task(word.add("b"))
            assert await asyncio.to_thread(disk.reached.wait, 60)
            first.cancel()
            second.cancel()
            await asyncio.sleep(0)
            assert await word.text == ""
            assert not first.done()
            assert not second.done()
            disk.go_on.set()
            ended = await asyncio.gather(first, second, return_exceptions=True)
            assert {type(one) for one in ended} == {asyncio.CancelledError}
            assert await word.text == "ab"

    run(story)


def test_a_loop_that_is_closed_takes_nobody_of_its_batch_with_it() -> None:
    """Those of other loops, behind it in the batch, hear how it ended."""
    disk, elsewhere = SlowDisk(), asyncio.new_event_loop()

    async def story() -> None:
        async with beside(opened(disk)) as word:
            disk.hold.set()
            first = asyncio.create_task(word.add("a"))
            assert await asyncio.to_thread(disk.reached.wait, 60)
            second = asyncio.create_task(word.add("b"))
            await asyncio.sleep(0)
            gone = word.add("c")
            await asyncio.to_thread(begin, elsewhere, gone)
            third = asyncio.create_task(word.add("d"))
            await asyncio.sleep(0)
            elsewhere.close()
            disk.go_on.set()
            assert list(await asyncio.gather(first, second, third)) == ["a", "ab", "abcd"]
            gone.close()

    run(story)


def begin(loop: asyncio.AbstractEventLoop, call: Coroutine[Any, Any, Any]) -> None:
    """Have a call begin on a loop that runs no further then."""
    task = loop.create_task(call)
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    loop.call_soon(loop.stop)
    loop.run_forever()


# --- a disk that fails ---------------------------------------------------------------------------------------------------


class Told:
    """Tasks that add to a word, and what they heard."""

    def __init__(self) -> None:
        self.kept: list[tuple[int, int]] = []

    async def all_add(self, word: aio.Proxy[Word]) -> None:
        async with asyncio.TaskGroup() as group:
            for task in range(TASKS):
                group.create_task(self._add(word, task))

    async def _add(self, word: aio.Proxy[Word], task: int) -> None:
        with contextlib.suppress(CoopyError, PowerCut, SystemExit):
            for number in range(EACH):
                await word.keep((task, number))
                self.kept.append((task, number))
                if task == number == 1:
                    await word.leave()


@both
def test_the_power_goes_at_every_call_of_the_disk(durability: Any) -> None:
    """Whatever a task heard of is there afterwards ("sync"), and nothing that nobody asked for."""
    nth, disk = 0, FakeDisk()
    while nth == 0 or disk._off:
        nth += 1
        disk, told = FakeDisk(nth), Told()
        blocking = opened(disk, durability, Leaving)
        disk.crash_at(len(disk.calls) + nth)

        async def story(told: Told = told, blocking: Word = blocking) -> None:
            await told.all_add(beside(blocking))

        run(story)
        abandon(blocking)
        with control(opened(disk.crash(random.Random(nth)), durability, Leaving)) as word:
            found = word.kept
        assert len(set(found)) == len(found)
        if durability == "sync":
            assert set(told.kept) <= set(found), f"cut at call {nth}"
    assert nth > TASKS


@both
@pytest.mark.parametrize("how", [errno.EIO, errno.ENOSPC])
def test_each_call_of_the_disk_fails_once(durability: Any, how: int) -> None:
    """Nobody hangs; what was heard is kept, and what was refused does not happen."""
    nth, count = 0, 1
    while nth < count:
        nth += 1
        disk, told = FakeDisk(nth), Told()
        blocking = opened(disk, durability, Leaving)
        before = len(disk.calls)
        disk.fail(before + nth, how)

        async def story(told: Told = told, blocking: Word = blocking) -> None:
            await told.all_add(beside(blocking))

        run(story)
        count = len(disk.calls) - before
        with contextlib.suppress(CoopyError):
            control(blocking).close()
        abandon(blocking)
        with control(opened(disk.kill(), durability, Leaving)) as word:
            assert set(told.kept) <= set(word.kept), f"call {nth} failed"


def test_a_full_disk_refuses_all_and_goes_on_with_room() -> None:
    """Each task hears it; none of the calls happened."""
    disk = FakeDisk()

    async def story() -> None:
        async with beside(opened(disk)) as word:
            disk.capacity = 0
            ended = await asyncio.gather(*(word.keep("x" * 5000) for _ in range(20)), return_exceptions=True)
            assert {type(one) for one in ended} == {DiskFullError}
            assert await word.kept == []
            disk.capacity = None
            assert await word.keep("y") == 1

    run(story)


def test_a_sync_that_fails_is_the_end_for_all() -> None:
    """Queries go on."""
    disk = SlowDisk()

    async def story() -> None:
        word = beside(opened(disk))
        await word.add("a")
        disk.hold.set()
        first = asyncio.create_task(word.add("b"))
        assert await asyncio.to_thread(disk.reached.wait, 60)
        others = [asyncio.create_task(word.add("c")) for _ in range(20)]
        await asyncio.sleep(0)
        disk.fail(len(disk.calls) + 1, errno.EIO)
        disk.go_on.set()
        ended = await asyncio.gather(first, *others, return_exceptions=True)
        assert {type(one) for one in ended} == {DurabilityError}
        with pytest.raises(ClosedError):
            await word.add("d")
        assert await word.text == "a"
        await word.close()

    run(story)


def test_memory_that_cannot_be_made_anew_is_told_and_tried_again() -> None:
    """The action happens; whoever waits hears why not yet. One that comes meanwhile is refused."""
    disk = SlowDisk()

    async def story() -> None:
        async with beside(opened(disk, kind=Leaving)) as word:
            await word.add("a")
            disk.unreadable = True
            for _ in range(2):
                with pytest.raises(DurabilityError, match="what was recorded happens"):
                    await word.leave()
            disk.unreadable = False
            assert await word.add("b") == "alb"

    run(story)


# --- a process that is shot at ------------------------------------------------------------------------------------------


def storm(directory: str, durability: Any, enough: int) -> dict[str, int]:  # noqa: C901 - one story
    """So many loops on the main thread, one after the other, each ended by a SIGINT, beside a loop and a blocking caller on threads of their own."""
    blocking = init_system(Word, directory, durability=durability)
    word, stop, armed, heard = beside(blocking), threading.Event(), threading.Event(), [list[str]() for _ in range(3)]

    async def keep_on(who: int, task: int) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            name = f"{who}/{task}/{len(heard[who])}/{number}/{time.perf_counter_ns()}"
            await word.keep(name)
            heard[who].append(name)

    async def all_keep_on(who: int) -> None:
        async with asyncio.TaskGroup() as group:
            for task in range(20):
                group.create_task(keep_on(who, task))

    def block() -> None:
        while not stop.is_set():
            name = f"2/{len(heard[2])}"
            blocking.keep(name)
            heard[2].append(name)

    def shoot() -> None:
        dice = random.Random(1)
        while not stop.is_set():
            if armed.wait(0.1):
                armed.clear()
                stop.wait(dice.random() / 50)
                os.kill(os.getpid(), signal.SIGINT)

    threads = [threading.Thread(target=work, daemon=True) for work in (block, lambda: asyncio.run(all_keep_on(1)), shoot)]
    for thread in threads:
        thread.start()
    shots = 0
    while shots < enough or sum(map(len, heard)) < enough:
        try:
            armed.set()
            asyncio.run(all_keep_on(0))
        except KeyboardInterrupt:
            shots += 1
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop.set()
    for thread in threads:
        thread.join(30)
    kept = set(blocking.kept)
    control(blocking).close()
    return {
        "hanging": sum(thread.is_alive() for thread in threads),
        "shots": shots,
        "heard": sum(map(len, heard)),
        "lost": len([one for names in heard for one in names if one not in kept]),
    }


def test_tasks_hear_how_it_ended_though_who_led_was_interrupted(tmp_path: Path) -> None:
    """At every point of leading: a thread that is shot at may tell nobody of those whose actions it executed."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    point, through = 0, False
    with control(init_system(Word, tmp_path / "w")) as blocking:
        word, engine = beside(blocking), engine_of(blocking)
        assert isinstance(engine, SharedEngine)
        while not through:
            point += 1
            with engine.lead:
                futures = [asyncio.run_coroutine_threadsafe(word.keep(one), loop) for one in range(3)]
                asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(60)  # they have queued up
                through = not interrupted_at(point, engine._drain)
            assert sorted(future.result(60) for future in futures) == [3 * point - 2, 3 * point - 1, 3 * point]
    loop.call_soon_threadsafe(loop.stop)
    thread.join(60)
    loop.close()


def test_what_a_mailbox_holds_is_brought_though_the_loop_was_interrupted() -> None:
    """At every point of bringing it; before it has begun, the loop itself may lose it."""

    async def story() -> None:
        point, through = 1, False
        mailbox = Mailbox(asyncio.get_running_loop())
        while not through:
            point += 1
            waiting = [Waiting(mailbox) for _ in range(3)]
            mailbox._called = True  # it is brought by hand here
            for one in waiting:
                one.tell(point)
            through = not interrupted_at(point, mailbox._deliver)
            assert [await one.over() for one in waiting] == [point] * 3

    run(story)


@both
def test_a_storm_of_interrupts(tmp_path: Path, durability: Any) -> None:
    """Nobody hangs, nothing that a task heard is lost."""
    root = Path(__file__).parents[2]
    code = (
        f"import sys, json; sys.path.insert(0, {str(root)!r}); from tests.crash.test_aio_crash import storm;"
        f" print(json.dumps(storm({str(tmp_path / 'w')!r}, {durability!r}, 30)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False, cwd=root)
    assert ran.returncode == 0, ran.stderr[-3000:]
    found = json.loads(ran.stdout.splitlines()[-1])
    assert (found["hanging"], found["lost"]) == (0, 0), ran.stderr[-3000:]
    assert found["shots"] >= 30
    with control(init_system(Word, tmp_path / "w")) as word:
        assert len(word.kept) >= found["heard"]
