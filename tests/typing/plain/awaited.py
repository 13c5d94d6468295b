"""`coopy.aio`: what is awaited, and the two spellings that checkers see through."""

from __future__ import annotations

from asyncio import TaskGroup, gather
from typing import Any, Generic, TypeVar, assert_type, overload

import coopy.aio
from coopy import Stats, abort_exception, aio, readonly, unlocked
from coopy.aio import Control, Proxy, call, control, read

T = TypeVar("T")


class Wiki:
    title = ""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}

    def create_page(self, name: str, text: str = "", *, author: str = "") -> int:
        self.pages[name] = text + author
        return len(self.pages)

    @readonly
    def get_page(self, name: str) -> str:
        return self.pages[name]

    @unlocked
    def count(self, *names: str) -> int:
        return len(names)

    @abort_exception
    def drop(self, name: str) -> None:
        del self.pages[name]

    @overload
    def find(self, what: str) -> list[str]: ...
    @overload
    def find(self, what: int) -> str: ...
    def find(self, what: str | int) -> list[str] | str:
        return [str(what)] if isinstance(what, str) else str(what)

    def __setitem__(self, name: str, text: str) -> None:
        self.pages[name] = text

    def __len__(self) -> int:
        return len(self.pages)

    def __contains__(self, name: str) -> bool:
        return name in self.pages

    @property
    def first(self) -> str:
        return min(self.pages)

    @first.setter
    def first(self, name: str) -> None:
        self.pages[name] = ""


class Sub(Wiki):
    def own(self) -> bytes:
        return b""


class Shelf(Generic[T]):
    def __init__(self) -> None:
        self.things: list[T] = []

    def put(self, thing: T) -> T:
        self.things.append(thing)
        return thing


# Opening


async def opened(wiki: Wiki) -> None:
    async with coopy.aio.open(Wiki, "directory") as one, aio.open(wiki, durability="buffered") as two:
        assert_type(one, Proxy[Wiki])
        assert_type(two, Proxy[Wiki])
    assert_type(await aio.open(Wiki), Proxy[Wiki])
    assert_type(await aio.open(Shelf[int]), Proxy[Shelf[int]])
    assert_type(await aio.open(Shelf[int]()), Proxy[Shelf[int]])
    async with await aio.open(Sub, snapshot_time=60, master=True) as sub:
        assert_type(sub, Proxy[Sub])
    with aio.open(Wiki):  # error
        pass
    aio.open(Wiki, 3)  # error
    aio.open(Wiki, durability="x")  # error
    aio.open(Wiki, nothing=3)  # error in mypy, pyright, pyrefly
    aio.open()  # error


# Calls: arguments are not looked at, but that they are awaited is


async def called(wiki: Proxy[Wiki]) -> None:
    assert_type(await wiki.create_page("a", "b"), Any)
    assert_type(await wiki.title, Any)
    assert_type(await wiki["a"], Any)
    async for one in wiki:
        assert_type(one, Any)
    await gather(wiki.create_page("a"), wiki.get_page("a"))
    async with TaskGroup() as group:
        group.create_task(wiki.create_page("a"))
    number: int = wiki.create_page("a")  # error
    page: str = wiki.title  # error
    print(number, page)
    blocking: Wiki = wiki  # error
    print(blocking)
    print(len(wiki))  # error
    wiki["a"] = "b"  # error
    with wiki:  # error
        pass


# The spellings that are seen through


async def seen_through(wiki: Proxy[Wiki], sub: Proxy[Sub], shelf: Proxy[Shelf[int]]) -> None:
    assert_type(await call(wiki, Wiki.create_page, "a", "b", author="c"), int)
    assert_type(await call(wiki, Wiki.get_page, "a"), str)
    assert_type(await call(wiki, Wiki.count, "a", "b"), int)
    await call(wiki, Wiki.drop, "a")
    await call(wiki, Wiki.__setitem__, "a", "b")
    assert_type(await call(sub, Wiki.create_page, "a"), int)
    assert_type(await call(sub, Sub.own), bytes)
    assert_type(await call(shelf, Shelf[int].put, 3), int)
    await call(wiki, Wiki.create_page)  # error
    await call(wiki, Wiki.create_page, 3)  # error
    await call(wiki, Wiki.create_page, "a", writer="c")  # error
    await call(wiki, Sub.own)  # error
    await call(wiki, Shelf[int].put, 3)  # error
    await call(Wiki(), Wiki.get_page, "a")  # error
    text: str = await call(wiki, Wiki.create_page, "a")  # error
    print(text)
    assert_type(await read(wiki, len), int)
    assert_type(await read(wiki, lambda wiki: (len(wiki), wiki.first, "a" in wiki)), tuple[int, str, bool])
    assert_type(await read(wiki, lambda wiki: wiki.get_page("a")), str)
    assert_type(await read(wiki, lambda wiki: wiki.pages), dict[str, str])
    assert_type(await read(sub, lambda sub: sub.own()), bytes)
    assert_type(await read(shelf, lambda shelf: shelf.things), list[int])
    await read(wiki, lambda wiki: wiki.nothing)  # error
    await read(wiki, lambda wiki: wiki.get_page(3))  # error


# A proxy of a subclass is one of its base


async def of_any(wiki: Proxy[Wiki]) -> int:
    return await call(wiki, Wiki.create_page, "a")


async def passed(sub: Proxy[Sub], shelf: Proxy[Shelf[int]]) -> None:
    await of_any(sub)
    await of_any(shelf)  # error


# Operations


async def operated(wiki: Proxy[Wiki]) -> None:
    handle = control(wiki)
    assert_type(handle, Control[Wiki])
    assert_type(handle.proxy, Proxy[Wiki])
    assert_type(handle.blocking, Wiki)
    assert_type(handle.lsn, int)
    assert_type(await handle.digest(), str)
    assert_type(await handle.take_snapshot(), int)
    assert_type(await handle.stats(), Stats)
    assert_type(await handle.wait_for(await handle.token()), int)
    async with handle as inner:
        assert_type(inner, Proxy[Wiki])
    digest: str = handle.digest()  # error
    print(digest)
    control(Wiki())  # error


# What checkers see differently


async def differently(wiki: Proxy[Wiki], shelf: Proxy[Shelf[int]]) -> None:
    assert_type(await call(wiki, Wiki.find, "a"), list[str])  # error in ty
    assert_type(await call(wiki, Wiki.find, 3), str)  # error in pyrefly, ty
    assert_type(await call(shelf, Shelf.put, 3), int)  # error in pyright, ty
    await call(shelf, Shelf.put, "a")  # error in mypy, pyright, pyrefly
    wiki.create_page("a")  # error in mypy, pyright, pyrefly
    print("a" in wiki)  # error
