from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypedDict, TypeVar, runtime_checkable

from coopy import Replica, System, control, init_system, readonly

Item = TypeVar("Item")
Item_contra = TypeVar("Item_contra", contravariant=True)


class Row(TypedDict):
    name: str
    tags: list[str]


@dataclass
class Ship:
    name: str
    cargo: list[str] = field(default_factory=list)


@runtime_checkable
class HasShips(Protocol):
    ships: dict[str, Ship]


class Keeps(Protocol[Item_contra]):
    def keep(self, item: Item_contra) -> None: ...


class Source(Protocol):
    @property
    def count(self) -> int: ...

    @abstractmethod
    def names(self) -> Sequence[str]: ...


class Yard:
    def __init__(self) -> None:
        self.ships: dict[str, Ship] = {}

    def keep(self, item: Ship) -> None:
        self.ships[item.name] = item

    @property
    def count(self) -> int:
        return len(self.ships)

    @readonly
    def names(self) -> list[str]:
        return [ship.name for ship in self.ships.values()]

    @readonly
    def rows(self) -> list[Row]:
        return [{"name": ship.name, "tags": list(ship.cargo)} for ship in self.ships.values()]


class Cache(Generic[Item]):
    def __init__(self, make: Callable[[str], Item]) -> None:
        self._made: dict[str, Item] = {}
        self._make = make

    def get(self, name: str) -> Item:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]


class Worker:
    def __init__(self, yard: System[Yard], mirror: Replica[Yard]) -> None:
        self._yard, self._mirror = yard, mirror
        self._done: list[str] = []
        self._event = asyncio.Event()
        self.ships: dict[str, Ship] = {}

    async def one(self, name: str) -> str:
        async with asyncio.timeout(3):
            await self._event.wait()
        ship = Ship(name)
        ship.cargo.append("coal")
        self._yard.keep(ship)
        ship.cargo.clear()
        self._done.append(name)
        self.ships[name] = ship
        self.ships[name].cargo.append("wood")
        return name

    async def all(self, names: list[str]) -> list[str]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.one(name)) for name in names]
        results = [task.result() for task in tasks]
        results.sort()
        return results + self._mirror.names()

    async def stream(self) -> AsyncIterator[Ship]:
        for name in self._mirror.names():
            ship = Ship(name)
            yield ship
            ship.cargo.append("sent")


def use(has: HasShips, keeps: Keeps[Ship], source: Source) -> int:
    has.ships["x"] = Ship("x")
    has.ships = {}
    keeps.keep(Ship("y"))
    names = list(source.names())
    names.append("z")
    return source.count + len(names)


@asynccontextmanager
async def running() -> AsyncIterator[Worker]:
    yard = init_system(Yard(), "data/yard")
    yield Worker(yard, init_system(Yard, "data/yard", replication=True))
    control(yard).close()


async def main(jobs: list[Callable[[Yard], Awaitable[None]]]) -> None:
    async with AsyncExitStack() as stack:
        worker = await stack.enter_async_context(running())
        async for ship in worker.stream():
            ship.name = ship.name.upper()
            ship.cargo.append("x")
        sent = [ship async for ship in worker.stream()]
        sent[0].cargo.append("y")
        coroutines: list[Coroutine[Any, Any, str]] = [worker.one(name) for name in ("a", "b")]
        names = await asyncio.gather(*coroutines)
        names.append("c")
        yard = init_system(Yard(), "other")
        for job in jobs:
            await job(yard)
        rows = yard.rows()
        rows.append({"name": "x", "tags": []})
        rows[0]["tags"].append("own")
        cache = Cache(Ship)
        cache.get("x").cargo.append("y")
        loop = asyncio.get_running_loop()
        loop.call_later(3, yard.keep, Ship("later"))
        await asyncio.to_thread(yard.keep, Ship("thread"))
        use(yard, yard, yard)


if __name__ == "__main__":
    asyncio.run(main([]))
