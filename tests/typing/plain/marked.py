"""`System[T]`, `Replica[T]` and `View[T]` are the domain's own type wherever a type can stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, NamedTuple, Protocol, TypeVar, assert_type

import coopy
from coopy import Replica, System, View, init_system
from coopy.decorators import readonly

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

T = TypeVar("T")


class Page:
    text = ""


class Wiki:
    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}

    def add(self, name: str) -> Page:
        return self.pages.setdefault(name, Page())

    @readonly
    def find(self, name: str) -> Page | None:
        return self.pages.get(name)


class Shelf(Generic[T]):
    def __init__(self) -> None:
        self.things: list[T] = []


class Finds(Protocol):
    def find(self, name: str) -> Page | None: ...


WikiSystem = System[Wiki]
AnySystem = System[Wiki] | Replica[Wiki]

wiki = init_system(Wiki)
annotated: System[Wiki] = wiki
qualified: coopy.System[Wiki] = wiki
plain: Wiki = annotated
finds: Finds = annotated
aliased: WikiSystem = wiki
shelf: System[Shelf[int]] = init_system(Shelf[int])
annotated = Wiki()
annotated = Page()  # error
shelf = init_system(Shelf[str])  # error
shelf = init_system(Wiki)  # error

assert_type(annotated, Wiki)
assert_type(qualified, Wiki)
assert_type(aliased, Wiki)
assert_type(shelf.things, list[int])
annotated.nothing()  # error


# Parameters and results


def serve(system: System[Wiki], copy: Replica[Wiki], page: View[Page], *more: System[Wiki], either: AnySystem) -> System[Wiki]:
    assert_type(system, Wiki)
    assert_type(copy, Wiki)
    assert_type(page, Page)
    assert_type(more, tuple[Wiki, ...])
    assert_type(either, Wiki)
    assert_type(system.add("a"), Page)
    assert_type(copy.find("a"), Page | None)
    system.add(b"a")  # error
    page.title  # error
    return system


def first(systems: Sequence[System[T]]) -> System[T]:
    return systems[0]


def swap(system: System[Shelf[T]], thing: T) -> T:
    system.things.append(thing)
    return system.things[0]


async def later(coming: Awaitable[System[Wiki]]) -> Replica[Wiki]:
    return await coming


def every(systems: Mapping[str, System[Wiki]]) -> Iterator[System[Wiki]]:
    yield from systems.values()


assert_type(serve(wiki, wiki, Page(), wiki, either=wiki), Wiki)
assert_type(serve(Wiki(), wiki, Page(), either=wiki), Wiki)
assert_type(first([wiki, wiki]), Wiki)
assert_type(swap(shelf, 1), int)
assert_type(list(every({"a": wiki})), list[Wiki])
serve(Page(), wiki, Page(), either=wiki)  # error
serve(wiki, wiki, wiki, either=wiki)  # error
swap(shelf, "a")  # error
first([wiki]).nothing()  # error
act: Callable[[System[Wiki]], object] = Wiki.add  # error
run: Callable[[System[Wiki], str], View[Page]] = Wiki.add


# Class bodies and attributes


class App:
    """An attribute is declared in the class body, or has an alias's name, or none: pyright takes no `self.x: System[T]` inside of a method."""

    declared: System[Wiki]
    maybe: System[Wiki] | None = None
    by_name: dict[str, System[Wiki]]
    shared: ClassVar[System[Wiki] | None] = None

    def __init__(self, system: System[Wiki]) -> None:
        self.declared = system
        self.by_name = {"a": system}
        self.inferred = system
        self.aliased: WikiSystem = system
        self.refused: System[Wiki] = system  # error in pyright
        local: System[Wiki] = system
        assert_type(local, Wiki)

    def use(self) -> View[Page]:
        assert_type(self.declared, Wiki)
        assert_type(self.maybe, Wiki | None)
        assert_type(self.by_name, dict[str, Wiki])
        assert_type(self.shared, Wiki | None)
        assert_type(self.inferred, Wiki)
        assert_type(self.aliased, Wiki)
        self.maybe.add("a")  # error
        if self.maybe is not None:
            assert_type(self.maybe, Wiki)
        self.declared = Page()  # error
        return self.declared.add("a")

    @property
    def system(self) -> System[Wiki]:
        return self.declared


@dataclass
class Service:
    system: System[Wiki]
    replicas: list[Replica[Wiki]]


class Pair(NamedTuple):
    system: System[Wiki]
    number: int


class Holder(Generic[T]):
    held: System[T]

    def __init__(self, system: System[T]) -> None:
        self.held = system


app = App(wiki)
service = Service(wiki, [wiki])
assert_type(app.system, Wiki)
assert_type(app.use().text, str)
assert_type(service.system, Wiki)
assert_type(service.replicas, list[Wiki])
assert_type(Pair(wiki, 1).system, Wiki)
assert_type(Holder(wiki), Holder[Wiki])
assert_type(Holder(shelf).held, Shelf[int])
Service(Page(), [])  # error
App(None)  # error
Pair(1, wiki)  # error

# Containers

systems: list[System[Wiki]] = [wiki, Wiki()]
pairs: dict[str, tuple[System[Wiki], Replica[Wiki]]] = {"a": (wiki, wiki)}
assert_type(systems, list[Wiki])
assert_type(systems[0].pages, dict[str, Page])
assert_type(pairs["a"][1], Wiki)
systems.append(Page())  # error
for system in systems:
    assert_type(system, Wiki)
