"""`control` and `Control`: the operations of a running system, and its own type in `with`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Generic, TypeVar, assert_type

import coopy
from coopy import Action, Control, Stats, System, control, init_system, once

if TYPE_CHECKING:
    from collections.abc import Generator

T = TypeVar("T")


class Wiki:
    def __init__(self) -> None:
        self.pages: dict[str, str] = {}

    def lsn(self) -> str:
        return "its own"

    def close(self, reason: str) -> str:
        return reason


class Sub(Wiki):
    pass


class Shelf(Generic[T]):
    def __init__(self) -> None:
        self.things: list[T] = []


wiki = init_system(Wiki())
handle = control(wiki)

assert_type(handle, Control[Wiki])
assert_type(coopy.control(wiki), Control[Wiki])
assert_type(control(init_system(Shelf[int])), Control[Shelf[int]])
assert_type(handle.proxy, Wiki)
assert_type(handle.lsn, int)
assert_type(handle.digest(), str)
assert_type(handle.stats(), Stats)
assert_type(handle.stats().syncs.count, int)
assert_type(handle.stats().snapshot_pause, float)
assert_type(handle.take_snapshot(), int)
assert_type(handle.take_snapshot(background=True), int)
assert_type(handle.wait_durable(), int)
assert_type(handle.prune(), list[str])
assert_type(handle.basedir_abspath(), list[str])
assert_type(handle.at(3), Wiki)
assert_type(control(handle.at(3)).at(2).pages, dict[str, str])
assert_type(handle.changes(), Iterator[Action])
assert_type([one.method for one in handle.changes(since=3)], list[str])
assert_type([(one.lsn, one.key) for one in handle.changes(3)], list[tuple[int, str | None]])
handle.verify()
handle.close()
with once("request"):
    wiki.close("done")
with once("request", within=timedelta(days=1), most=3), once("other", within=None, most=None):
    pass

handle.lsn()  # error
handle.lsn = 3  # error
handle.proxy = wiki  # error
handle.open()  # error
handle.at("a")  # error
handle.at()  # error
handle.changes("a")  # error
next(handle.changes()).lsn = 3  # error
once(3)  # error
once("a", within=3)  # error
once("a", timedelta(days=1))  # error
handle.pages  # error
handle.digest("a")  # error
handle.take_snapshot(background="yes")  # error
handle.take_snapshot("wiki.snap")  # error
text: str = handle.lsn  # error
control()  # error
control(wiki, wiki)  # error

# The domain's own names stay its own; what it lacks is on the control

assert_type(wiki.lsn(), str)
assert_type(wiki.close("done"), str)
wiki.close()  # error
wiki.take_snapshot()  # error
wiki.basedir_abspath()  # error

# with

with control(init_system(Wiki())) as opened:
    assert_type(opened, Wiki)
    assert_type(opened.pages, dict[str, str])
with control(wiki) as opened, control(init_system(Shelf[str])) as shelf:
    assert_type(opened, Wiki)
    assert_type(shelf.things, list[str])
with control(init_system(Wiki())) as opened:
    opened.nothing()  # error
with ExitStack() as stack:
    assert_type(stack.enter_context(control(init_system(Sub))), Sub)


def close_twice() -> str:
    with control(init_system(Wiki())) as inner:
        return inner.close("done")


@contextmanager
def opened_wiki() -> Generator[System[Wiki]]:
    with control(init_system(Wiki, "directory")) as inner:
        yield inner


with opened_wiki() as opened:
    assert_type(opened, Wiki)


# In signatures


def operate(system: System[Wiki], given: Control[Wiki]) -> int:
    assert_type(given.proxy, Wiki)
    return control(system).lsn + given.lsn


def digest_of(given: Control[object]) -> str:
    return given.digest()


def proxy_of(given: Control[T]) -> T:
    with given as inner:
        assert_type(inner, T)
    return given.proxy


operate(wiki, handle)
operate(wiki, control(init_system(Sub())))
operate(wiki, control(init_system(Shelf[int]())))  # error
operate(wiki, wiki)  # error
digest_of(handle)
assert_type(proxy_of(handle), Wiki)
