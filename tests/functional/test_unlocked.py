"""`@unlocked` actions beside everything else."""

from __future__ import annotations

import contextlib
import functools
import shutil
import threading
from typing import TYPE_CHECKING, Any

import pytest

from coopy import abort_exception, control, init_system, readonly, unlocked
from coopy.engine.commit import SharedEngine
from coopy.error import UsageError
from coopy.wiring.systems import _systems
from tests.crash.test_every_call import Holder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

both = pytest.mark.parametrize("durability", ["sync", "buffered"])
ITSELF: list[Any] = []  # where a method finds the proxy of its own system


class Tally:
    """Counts, with a lock of its own where coopy takes none."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.total = 0

    @unlocked
    def count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1  # each thread its own name

    def add(self, amount: int) -> None:
        self.total += amount

    @abort_exception
    def add_or_abort(self, amount: int) -> None:
        self.total += amount
        raise ValueError(amount)

    @unlocked
    def count_and_ask(self, name: str) -> None:
        self.counts[name] = 1
        for proxy in ITSELF:
            proxy.total  # noqa: B018 - it is refused

    @unlocked
    def count_and_stop(self, name: str) -> None:
        self.counts[name] = 1
        if ITSELF:
            ITSELF.clear()  # coopy: ignore[live-global] the test's own switch: a restart runs the rest
            raise KeyboardInterrupt
        self.counts[name] = 2


class Stopped(Tally):
    """Its actions stop in the middle the first time."""

    @unlocked
    def count_and_fail(self, name: str) -> None:
        self.counts[name] = 1
        for halfway, go_on in ITSELF[:1]:
            halfway.set()
            go_on.wait(60)
            ITSELF.clear()
            raise KeyboardInterrupt
        raise ValueError(name)

    def ask_and_stop(self, amount: int) -> None:
        self.total += amount
        if ITSELF:
            with contextlib.suppress(UsageError):
                ITSELF.pop().total  # noqa: B018 - it is refused
            raise KeyboardInterrupt

    @readonly
    @unlocked
    def look(self) -> int:
        return self.total

    def ask_beside(self, amount: int) -> None:
        self.total += amount
        for proxy in ITSELF:
            proxy.look()

    def look_meanwhile(self, amount: int) -> None:
        self.total += amount
        for look in ITSELF:
            look()

    def add_and_stop(self, amount: int) -> None:
        self.total += amount
        if ITSELF[1:]:
            del ITSELF[1:]
            raise KeyboardInterrupt


def run_all(*works: Callable[[], object]) -> None:
    """Each on a thread of its own; all come to their end."""
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "it hangs"


@both
def test_their_end_is_taken_note_of_without_making_memory_anew(tmp_path: Path, durability: Any) -> None:
    """Given actions of many threads that all end as they should, beside others in the same batch, then nothing is executed twice."""
    tally = init_system(Tally(), str(tmp_path), durability=durability, validation="off")

    def act(name: str) -> None:
        for _ in range(50):
            tally.count(name)
            tally.add(1)

    run_all(*(functools.partial(act, name) for name in "abcd"))
    assert (tally.total, tally.counts) == (200, dict.fromkeys("abcd", 50))
    assert control(tally).stats().rebuilds.count == 0


@both
def test_they_hold_up_neither_snapshots_nor_what_is_put_back(tmp_path: Path, durability: Any) -> None:
    """Who waits for them to end never keeps them from ending."""
    tally = init_system(Tally(), tmp_path / "t", durability=durability)

    def repeat(times: int, work: Callable[..., object], *args: object) -> Callable[[], None]:
        def do() -> None:
            for _ in range(times):
                work(*args)

        return do

    def abort() -> None:
        with pytest.raises(ValueError, match="5"):
            tally.add_or_abort(5)

    run_all(
        *(repeat(60, tally.count, name) for name in "abc"),
        repeat(60, tally.add, 1),
        repeat(10, control(tally).take_snapshot),
        repeat(10, abort),
    )
    assert (tally.total, tally.counts) == (60, {"a": 60, "b": 60, "c": 60})
    digest = control(tally).digest()
    control(tally).close()
    with control(init_system(Tally, tmp_path / "t")) as again:
        assert control(again).digest() == digest


@both
def test_one_that_uses_a_proxy_is_undone_before_its_caller_hears_of_it(tmp_path: Path, durability: Any) -> None:
    """Also on the disk: a restart of what is there at that moment does not have it."""
    tally = init_system(Tally(), tmp_path / "t", durability=durability)
    ITSELF[:] = [tally]
    with pytest.raises(UsageError, match="undone"):
        tally.count_and_ask("a")
    shutil.copytree(tmp_path / "t", tmp_path / "copy")
    assert tally.counts == {}
    control(tally).close()
    ITSELF.clear()  # a restart has no proxy: only what the journal says undoes it there
    with control(init_system(Tally, tmp_path / "copy")) as again:
        assert again.counts == {}


@both
def test_one_that_is_interrupted_is_whole_for_whoever_looks_next(tmp_path: Path, durability: Any) -> None:
    """The journal decides that it happens: the next query already sees all of it."""
    tally = init_system(Tally(), tmp_path / "t", durability=durability)
    ITSELF[:] = [tally]
    with pytest.raises(KeyboardInterrupt):
        tally.count_and_stop("a")
    assert tally.counts == {"a": 2}
    assert control(tally).stats().rebuilds.count == 1
    control(tally).close()
    with control(init_system(Tally, tmp_path / "t")) as again:
        assert again.counts == {"a": 2}


def test_one_that_raises_and_one_under_the_lock_are_interrupted_together(tmp_path: Path) -> None:
    """How the first ends is found out when memory is made anew for the second: until then nobody may say that it returned."""
    tally = init_system(Stopped(), tmp_path / "t", durability="buffered", validation="off")
    halfway, go_on = threading.Event(), threading.Event()
    ITSELF[:] = [(halfway, go_on), "once"]

    def fly() -> None:
        with pytest.raises(KeyboardInterrupt):
            tally.count_and_fail("a")

    def be_interrupted() -> None:
        halfway.wait(60)
        with pytest.raises(KeyboardInterrupt):
            tally.add_and_stop(1)
        go_on.set()

    run_all(fly, be_interrupted)
    assert (tally.total, tally.counts) == (1, {"a": 1})
    control(tally).close()
    with control(init_system(Stopped, tmp_path / "t", validation="off")) as again:
        assert (again.total, again.counts) == (1, {"a": 1})


def test_an_interrupt_behind_a_use_of_a_proxy_is_not_laid_at_the_door_of_others(tmp_path: Path) -> None:
    """The interrupted action runs once more, without its mark; those before it are replayed, and are as they were."""
    tally = init_system(Stopped(), tmp_path / "t", durability="buffered", validation="off")
    tally.add(1)
    ITSELF[:] = [tally]
    with pytest.raises(KeyboardInterrupt):
        tally.ask_and_stop(2)
    assert tally.total == 3
    tally.add(4)
    assert (tally.total, control(tally).stats().undone) == (7, 0)
    control(tally).close()
    with control(init_system(Stopped, tmp_path / "t", validation="off")) as again:
        assert again.total == 7


@both
def test_a_query_that_takes_no_lock_is_refused_inside_of_an_action_too(tmp_path: Path, durability: Any) -> None:
    """A restart has no proxy to ask: the action is undone."""
    tally = init_system(Stopped(), tmp_path / "t", durability=durability, validation="off")
    ITSELF[:] = [tally]
    with pytest.raises(UsageError, match=r"ask_beside\(\) used a coopy proxy"):
        tally.ask_beside(1)
    ITSELF.clear()
    assert tally.look() == tally.total == 0


@both
def test_a_query_that_takes_no_lock_does_not_begin_while_memory_is_made_anew(tmp_path: Path, durability: Any) -> None:
    """It would see the replay halfway, or an object without attributes."""
    tally = init_system(Stopped(), tmp_path / "t", durability=durability, validation="off")
    tally.look_meanwhile(1)
    tally.add(1)
    seen: list[int] = []
    looking = threading.Thread(target=lambda: seen.append(tally.look()), daemon=True)

    def look() -> None:
        ITSELF.clear()
        looking.start()
        looking.join(0.1)

    ITSELF[:] = [look]
    with pytest.raises(ValueError, match="5"):
        tally.add_or_abort(5)
    assert not ITSELF, "nothing was replayed"
    looking.join(60)
    assert seen == [2]


def test_one_that_stands_before_what_is_put_back_does_not_wait_for_itself(tmp_path: Path) -> None:
    """Given both have queued up for one batch, when whoever of them leads it, then both come to their end."""
    tally = init_system(Tally(), tmp_path / "t")
    engine = _systems[type(tally)].engine
    assert isinstance(engine, SharedEngine)

    def abort() -> None:
        with pytest.raises(ValueError, match="5"):
            tally.add_or_abort(5)

    for _ in range(20):
        holder = Holder(engine)
        threads = [threading.Thread(target=tally.count, args=("a",), daemon=True), threading.Thread(target=abort, daemon=True)]
        for waiting, thread in enumerate(threads, 1):
            thread.start()
            holder.wait_for(waiting)
        for thread in threads:
            thread.join(60)
        holder.end()
        assert not any(thread.is_alive() for thread in threads), "it hangs"
    assert (tally.total, tally.counts) == (0, {"a": 20})
    control(tally).close()
