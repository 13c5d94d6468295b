"""What a call leaves in memory: nothing that waits for the garbage collector, which a program may have turned off."""

from __future__ import annotations

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from coopy import aio, init_system, readonly, unlocked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MANY = 50
THREADS = 4
FEW = MANY // 2
both = pytest.mark.parametrize("durability", ["sync", "buffered"])


class Tray:
    """Takes what it is given, or not."""

    def __init__(self) -> None:
        self.taken = 0

    def take(self, what: list[bytes]) -> None:
        self.taken += len(what)

    def refuse(self, what: list[bytes]) -> None:
        raise ValueError(len(what))

    @unlocked
    def weigh(self, what: list[bytes]) -> int:
        return len(what)

    @readonly
    def fits(self, what: list[bytes]) -> bool:
        return len(what) > self.taken

    @readonly
    def look_up(self, what: list[bytes]) -> int:
        raise ValueError(len(what))


CALLS = [name for name in vars(Tray) if not name.startswith("_")]


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """It does not come by itself meanwhile, and looks at nothing that was there before."""
    gc.disable()
    gc.freeze()
    yield
    gc.unfreeze()
    gc.enable()


def left_by(work: Callable[[], object]) -> int:
    """How many objects only the collector would free. The least of some times: what is not of each call comes now and then."""
    return min(_left_once(work) for _ in range(3))


def _left_once(work: Callable[[], object]) -> int:
    gc.collect()
    work()
    return gc.collect()


@both
@pytest.mark.parametrize("name", CALLS)
def test_calls_of_threads_leave_nothing(tmp_path: Path, durability: Any, name: str) -> None:
    """Of all threads, alone or in one batch; also those that raise, whose traceback refers to where they were."""
    tray = init_system(Tray(), str(tmp_path), durability=durability, validation="off")

    def act() -> None:
        for _ in range(MANY):
            with suppress(ValueError):
                getattr(tray, name)([b"a"])

    def act_together() -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            for _ in range(THREADS):
                pool.submit(act)

    assert left_by(act) < FEW
    assert left_by(act_together) < FEW


@both
@pytest.mark.parametrize("name", CALLS)
def test_calls_of_tasks_leave_nothing(tmp_path: Path, durability: Any, name: str) -> None:
    """The same, awaited."""

    async def act(tray: Any) -> None:
        for _ in range(MANY):
            with suppress(ValueError):
                await getattr(tray, name)([b"a"])

    async def opened() -> Any:
        return await aio.open(Tray(), str(tmp_path), durability=durability, validation="off")

    async def act_together(tray: Any) -> None:
        await asyncio.gather(*(act(tray) for _ in range(THREADS)))

    with asyncio.Runner() as runner:
        tray = runner.run(opened())
        assert left_by(lambda: runner.run(act_together(tray))) < FEW
        runner.run(aio.control(tray).close())
