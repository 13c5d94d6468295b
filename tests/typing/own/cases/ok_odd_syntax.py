from __future__ import annotations

import asyncio
import contextlib
import functools
import operator
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Annotated, Any, Concatenate, NewType, Optional, ParamSpec, Self, TypeGuard, TypeVar, Union

from coopy import Clock, Replica, System, View, control, init_system, readonly, unlocked

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="Base")
Name = NewType("Name", str)


@dataclass
class Item:
    name: Name
    count: int = 0
    tags: list[str] = field(default_factory=list)

    def __iadd__(self, n: int) -> Self:
        self.count += n
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        return None


class Base:
    version = 1

    def itself(self) -> Self:
        return self

    def chain(self, n: int) -> Self:
        self.version = n
        return self

    @classmethod
    def make(cls) -> Self:
        return cls()


class Stock(Base):
    def __init__(self) -> None:
        self.items: dict[Name, Item] = {}
        self.listeners: list[str] = []

    def add(self, name: Name, count: int = 1) -> Item:
        return self.items.setdefault(name, Item(name, count))

    async def aget(self) -> int:
        return 1

    @readonly
    def get(self, name: Name) -> Item:
        return self.items[name]

    @readonly
    def optional(self, name: Name) -> Optional[Item]:
        return self.items.get(name)

    @readonly
    def each(self) -> Iterator[Item]:
        yield from list(self.items.values())


def retry(times: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            for _ in range(times):
                with contextlib.suppress(OSError):
                    return function(*args, **kwargs)
            return function(*args, **kwargs)

        return wrapper

    return decorate


def with_stock(function: Callable[Concatenate[System[Stock], P], R]) -> Callable[P, R]:
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        return function(init_system(Stock()), *args, **kwargs)

    return wrapper


@with_stock
def add_one(stock: System[Stock], name: Name) -> int:
    stock.version = 2  # E: coopy-set
    return stock.add(name).count


@retry(3)
def opened(path: str) -> System[Stock]:
    return init_system(Stock(), path)


@functools.lru_cache
def single() -> System[Stock]:
    return init_system(Stock())


@contextmanager
def plain() -> Iterator[Stock]:
    yield Stock()


@contextmanager
def proxied() -> Iterator[System[Stock]]:
    yield init_system(Stock())


@asynccontextmanager
async def aproxied() -> AsyncIterator[System[Stock]]:
    yield init_system(Stock())


def is_stock(thing: object) -> TypeGuard[Stock]:
    return isinstance(thing, Stock)


def fluent(base: S) -> S:
    base.version = 4
    return base


add_one(Name("x"))
opened("x").version = 3  # O: coopy-set
single().version = 3  # O: coopy-set
with plain() as one:
    one.version = 1
    one.items["x"] = Item(Name("x"))  # E: index
    one.items[Name("x")] = Item(Name("x"))
with proxied() as two:
    two.version = 1  # O: coopy-set
    two.add(Name("x"))
with nullcontext(Stock()) as three:
    three.version = 1
with plain() as four, proxied() as five, contextlib.ExitStack() as stack:
    four.version = 1
    five.add(Name("x"))
    six = stack.enter_context(plain())
    six.version = 3
with Item(Name("x")) as item:
    item.count = 3
    item += 1
    item.tags += ["x"]
things: list[Any] = [init_system(Stock()), 3]
things[0].version = 3
objects: list[object] = [init_system(Stock())]
objects.append(3)
if is_stock(objects[0]):
    objects[0].version = 3
if isinstance(objects[0], Stock):
    objects[0].version = 3
stocks: list[Stock] = [Stock(), Stock()]
stocks.append(init_system(Stock()))
stocks[0].version = 3
for each in stocks:
    each.version = 3
made = Stock.make()
made.version = 3
made.chain(3).chain(4).version = 5
made.itself().items.clear()
plain_fluent = fluent(Stock())
plain_fluent.version = 3
proxy_fluent = fluent(init_system(Stock()))
proxy_fluent.version = 3  # O: coopy-set
stock = init_system(Stock())
stock.chain(3)
stock.itself().version = 3  # O: coopy-set, coopy-mutate
stock.chain(3).add(Name("x"))  # O: coopy-mutate
mapping: dict[str, Callable[..., object]] = {"add": stock.add, "get": stock.get}
mapping["more"] = lambda: stock.add(Name("y"))
operator.methodcaller("add", "x")(stock)
getter = operator.attrgetter("version")
print(getter(stock), vars(stock), dir(stock), type(stock).__name__, id(stock), hash(stock), stock is stock, stock == stock)
print(type(stock)._x if hasattr(type(stock), "_x") else 3, stock.__dict__, stock.__module__)  # O: attr-defined, coopy-private
first = min(stock.items.values(), key=lambda i: i.count, default=None)
names = [*stock.items]
names += ["x"]  # E: list-item
names += [Name("x")]
counts = {**{n: i.count for n, i in stock.items.items()}}
counts[Name("x")] = 3
(a, b), *c = [(1, 2), (3, 4)]
a = stock.version
a += 1
b = a = stock.version
b -= 1
text = f"{stock.get(Name('x')).name!r:>10}"
text += "x"
assert stock.optional(Name("x")) is None, "x"
lst: list[Item] = []
lst[:] = stock.items.values()
lst[0:1] = []
lst.extend(i for i in stock.items.values())
lst.append(stock.get(Name("x")))
lst.clear()
dct: dict[str, Item] = {}
for k, v in stock.items.items():
    dct[k] = v
dct.clear()
dct["x"], dct["y"] = Item(Name("x")), Item(Name("y"))
num, dct["z"] = 3, Item(Name("z"))
del dct["z"], num


async def amain(stock: System[Stock], queue: asyncio.Queue[Item]) -> None:
    async with aproxied() as one, asyncio.timeout(3):
        one.add(Name("x"))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(asyncio.to_thread(stock.add, Name("x")))
        group.create_task(asyncio.sleep(1))
    print(task.result().name)
    async for thing in athings():
        thing.count = 3
    item = await queue.get()
    item.count = 3
    found = [i async for i in athings() if i.count]
    found[0].count = 4
    item = stock.get(Name("x"))
    print(item.count)
    item = await queue.get()
    item.count = 5
    item.tags.append("x")
    lock = asyncio.Lock()
    async with lock:
        stock.add(Name("x"))
    done, pending = await asyncio.wait([asyncio.create_task(asyncio.sleep(1))])
    pending.clear()
    done.clear()
    event = threading.Event()
    event.set()
    thread = threading.Thread(target=stock.add, args=(Name("x"),), daemon=True)
    thread.daemon = False


async def athings() -> AsyncIterator[Item]:
    yield Item(Name("x"))


def unioned(thing: Union[Stock, System[Stock]], other: Stock | Item | None, clock: Clock) -> None:
    thing.version = 3  # O: coopy-set
    thing.add(Name("x"))
    if isinstance(other, Stock):
        other.version = 3
        other.items.clear()
    elif other is not None:
        other.count = 3
        other.tags.append("x")
    clock.now()


def annotated(thing: Annotated[Stock, "x"], view: Annotated[int, 3]) -> None:
    thing.version = 3
    thing.items.clear()
    view += 1
