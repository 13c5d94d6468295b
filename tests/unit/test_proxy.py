"""The proxy of every kind of class: slots, dataclasses, generics, metaclasses, ABCs, descriptors, operators."""

from __future__ import annotations

import abc
import functools
import gc
import inspect
import pydoc
import sys
import threading
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pytest

from coopy import control, init_system, readonly
from coopy.error import UsageError
from coopy.proxy import make_proxy
from coopy.wiring.operations import Operations
from coopy.wiring.systems import _systems, system_of
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")


class Slotted:
    __slots__ = ("letters",)

    def __init__(self) -> None:
        self.letters = ""

    def add(self, letter: str) -> str:
        self.letters += letter
        return self.letters


class Lazy:
    """Answers for names it does not have."""

    def __init__(self) -> None:
        self.known = {"colour": "red"}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "known":
            raise AttributeError(name)
        return self.known[name]

    def learn(self, name: str, value: str) -> None:
        self.known[name] = value


@dataclass
class Point:
    x: int = 0
    seen: list[int] = field(default_factory=list)

    def move(self, by: int) -> int:
        self.seen.append(self.x)
        self.x += by
        return self.x


class Box(Generic[T]):
    def __init__(self) -> None:
        self.things: list[T] = []

    def put(self, thing: T) -> None:
        self.things.append(thing)


class Meta(type):
    def shout(cls) -> str:
        return cls.__name__.upper()


class Made(metaclass=Meta):
    def __init__(self) -> None:
        self.count = 0

    def more(self) -> int:
        self.count += 1
        return self.count


class Base(abc.ABC):
    @abc.abstractmethod
    def act(self, step: int = 1) -> int: ...

    def inherited(self) -> int:
        return self.act() + self.act(2)


class Concrete(Base):
    """Acts."""

    kind = "class attribute"

    def __init__(self) -> None:
        self.total = 0
        self.items: dict[str, int] = {}
        self.name_ = ""

    def act(self, step: int = 1) -> int:
        self.total += step
        return self.total

    @staticmethod
    def double(number: int) -> int:
        return 2 * number

    @classmethod
    def called(cls) -> str:
        return cls.__name__

    @property
    def name(self) -> str:
        """What it is called."""
        return self.name_

    @name.setter
    def name(self, value: str) -> None:
        self.name_ = value

    act_by_ten = functools.partialmethod(act, 10)

    def every(self, a: int, /, b: int, c: int = 3, *rest: int, d: int, e: int = 5, **more: int) -> tuple[Any, ...]:
        self.last = (a, b, c, rest, d, e, more)
        return self.last

    def odd_names(self, lock: int, call: int = 1, *, args: int = 2, kwargs: int = 3) -> int:
        return lock + call + args + kwargs

    @readonly
    def numbers(self) -> Any:
        yield from range(self.total)

    @readonly
    def above(self, least: int = 0, *, most: int = 99) -> bool:
        return least < self.total < most

    def __getitem__(self, key: str) -> int:
        return self.items[key]

    def __setitem__(self, key: str, value: int) -> None:
        self.items[key] = value

    def __delitem__(self, key: str) -> None:
        del self.items[key]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Any:
        return iter(self.items)

    def __contains__(self, key: str) -> bool:
        return key in self.items

    def __iadd__(self, step: int) -> Any:
        self.total += step
        return self

    def __add__(self, other: int) -> int:
        return self.total + other

    def __lt__(self, other: int) -> bool:
        return self.total < other

    def __call__(self, step: int) -> int:
        self.total += step
        return self.total

    def __str__(self) -> str:
        return f"total {self.total}"

    def close(self) -> str:
        return "the domain's own"


def restarted(directory: Path, make: Callable[[], Any], act: Callable[[Any], object]) -> Any:
    """Act on a new system, restart it, compare; gives the proxy after the restart."""
    proxy = init_system(make(), directory)
    act(proxy)
    before = control(proxy).digest()
    control(proxy).close()
    again = init_system(make(), directory)
    assert control(again).digest() == before
    return again


def test_classes_of_every_kind_are_durable(tmp_path: Path) -> None:
    """Slots, `__getattr__`, dataclasses, generics, metaclasses."""
    assert restarted(tmp_path / "1", Slotted, lambda one: one.add("a")).letters == "a"
    assert restarted(tmp_path / "2", Lazy, lambda one: one.learn("size", "big")).size == "big"
    point = restarted(tmp_path / "3", Point, lambda one: one.move(2))
    assert point == Point(2, [0])
    assert (point.x, point.seen) == (2, [0])
    assert restarted(tmp_path / "4", Box, lambda one: one.put((1, 2))).things == [(1, 2)]
    assert restarted(tmp_path / "5", Made, lambda one: one.more()).count == 1
    for one in (1, 2, 3, 4, 5):
        assert (tmp_path / str(one) / "MANIFEST").exists()


@pytest.fixture
def one(tmp_path: Path) -> Any:
    proxy = init_system(Concrete(), tmp_path / "c")
    yield proxy
    before = control(proxy).digest()
    control(proxy).close()
    with control(init_system(Concrete, tmp_path / "c")) as again:
        assert control(again).digest() == before


def test_methods(one: Any) -> None:
    """Inherited, overridden, static, of the class, partial, with every kind of parameter."""
    assert one.inherited() == 4
    assert (one.double(4), one.called(), one.kind) == (8, "Concrete", "class attribute")
    assert control(one).lsn == 1
    assert one.act_by_ten() == 13
    assert one.every(1, 2, d=4) == (1, 2, 3, (), 4, 5, {})
    assert one.every(1, b=2, d=4, c=9) == (1, 2, 9, (), 4, 5, {})
    assert one.every(1, 2, 3, 7, 8, d=4, e=6, a=0) == (1, 2, 3, (7, 8), 4, 6, {"a": 0})
    assert one.odd_names(1, kwargs=9) == 13
    assert one.above(1) is True
    assert one.above(most=2) is False
    assert list(one.numbers()) == list(range(13))


def test_the_surface_is_the_domains(one: Any) -> None:
    """isinstance, signatures, help, dir, str."""
    assert isinstance(one, Concrete)
    assert isinstance(one, Base)
    assert one.__class__ is Concrete
    for name in ("every", "act", "above", "odd_names"):
        assert inspect.signature(getattr(one, name)) == inspect.signature(getattr(Concrete(), name))
    assert "Acts." in pydoc.render_doc(one)
    assert str(one) == "total 0"
    assert "Concrete" in repr(one)
    assert one.close() == "the domain's own"


def test_operators(one: Any) -> None:
    """Those that change are recorded, those that read are not; nothing leaks the raw object."""
    one["a"] = 1
    one["b"] = 2
    del one["a"]
    assert (one["b"], len(one), list(one), "b" in one, "a" in one) == (2, 1, ["b"], True, False)
    before = one
    one += 5
    assert one is before
    assert (one + 1, one < 6, one(4)) == (6, True, 9)
    assert control(one).lsn == 5
    one.name = "n"
    assert (one.name, control(one).lsn) == ("n", 6)
    with pytest.raises(UsageError):
        del one.name
    with pytest.raises(KeyError):
        del one["zz"]


def test_two_proxies_of_one_class_are_strangers(tmp_path: Path) -> None:
    """Each has its own system."""
    first, second = init_system(Point(), tmp_path / "1"), init_system(Point(), tmp_path / "2")
    first.move(1)
    assert (first.x, second.x) == (1, 0)
    assert control(first).lsn == 1
    assert control(second).lsn == 0
    control(first).close()
    assert second.move(3) == 3
    control(second).close()


def test_what_the_interpreter_learns_of_one_systems_calls_no_other_has(tmp_path: Path) -> None:
    """Given two systems of a class, then their functions have the same lines, and each its own code."""
    with control(init_system(Word, tmp_path / "one")) as one, control(init_system(Word, tmp_path / "other")) as other:
        ours, theirs = (type(word).__dict__["add"].__code__ for word in (one, other))
        assert ours == theirs
        assert ours is not theirs


def test_a_closed_system_leaves_nothing_behind(tmp_path: Path) -> None:
    """Neither the proxy's class nor the domain object is held by anything of coopy's."""
    word = init_system(Word(), tmp_path / "w")
    word.keep([1])
    left = weakref.ref(type(word)), weakref.ref(_systems[type(word)].root)
    control(word).close()
    del word
    gc.collect()
    gc.collect()  # what the class of the proxy held
    assert [one() for one in left] == [None, None]


class Growing:
    """Gets attributes in every way there is."""

    def set(self, name: str) -> None:
        setattr(self, name, name)

    def replace(self, name: str) -> None:
        self.__dict__ = {name: name}

    def swap(self, old: str, new: str) -> None:
        delattr(self, old)
        setattr(self, new, new)

    def number(self) -> None:
        self.__dict__[5] = 5  # type: ignore[index]

    def interrupted(self, name: str) -> None:
        if not hasattr(self, name):
            setattr(self, name, name)
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt


@pytest.mark.parametrize("durability", ["sync", "buffered"])
def test_an_attribute_is_there_when_the_action_that_made_it_is_done(tmp_path: Path, durability: Any) -> None:
    """However it was made, also where one goes and one comes, and where the action was interrupted."""
    thing: Any = init_system(Growing(), tmp_path / "g", durability=durability, validation="off")
    thing.set("one")
    assert thing.one == "one"
    thing.swap("one", "two")
    assert (thing.two, hasattr(thing, "one")) == ("two", False)
    thing.replace("three")
    assert (thing.three, hasattr(thing, "two")) == ("three", False)
    thing.set("__name__")
    thing.number()
    with pytest.raises(KeyboardInterrupt):
        thing.interrupted("four")
    assert thing.four == "four"
    digest = control(thing).digest()
    control(thing).close()
    again: Any = init_system(Growing, tmp_path / "g", validation="off")
    with again:
        assert (again.four, control(again).digest()) == ("four", digest)


def test_a_proxy_that_is_made_while_memory_is_made_anew_shows_all_that_is_there(tmp_path: Path) -> None:
    """A node and a replica take actions before they have a proxy; one that is undone leaves the domain object without its attributes for a moment."""
    with control(init_system(Word, tmp_path, validation="off")) as word:
        word.add("a")
        system, made = system_of(word), list[Any]()
        engine, held = system.engine, vars(system.engine.executor.root)
        other = threading.Thread(target=lambda: made.append(make_proxy(engine, Operations(system))))
        with engine.lock:
            before = dict(held)
            held.clear()
            other.start()
            looks = 0
            while other.is_alive() and looks < 2:
                other.join(0.01)
                looks += code_of(other) is make_proxy.__code__
            held.update(before)
        other.join()
        assert made[0].text == "a"


def code_of(thread: threading.Thread) -> object:
    """What it runs now: where it waits for a lock, who wants that."""
    frame = sys._current_frames().get(thread.ident or 0)
    return frame.f_code if frame is not None else None


class Changing:
    """An attribute that comes and goes."""

    def put(self) -> None:
        """It comes."""
        self.here = 1

    def drop(self) -> None:
        """It goes."""
        del self.here


def test_an_attribute_that_came_and_went_before_there_was_a_proxy_is_shown_when_it_comes_again(tmp_path: Path) -> None:
    """Whoever takes actions before there is a proxy, as a node does, has nobody to tell of it."""
    with control(init_system(Changing, tmp_path, validation="off")) as changing:
        system = system_of(changing)
        changing.put()
        changing.drop()
        other = make_proxy(system.engine, Operations(system))
        other.put()
        assert other.here == 1
