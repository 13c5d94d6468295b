from __future__ import annotations

import contextlib
import enum
import functools
import logging
import queue
import re
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import KW_ONLY, InitVar, dataclass, field
from types import TracebackType
from typing import Any, ClassVar, Generic, Literal, ParamSpec, Self, TypeVar, assert_never, overload

from coopy import Control, Replica, System, View, clock, control, init_system, random, readonly

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="Film")
log = logging.getLogger(__name__)


class Rating(enum.Flag):
    CHILD = enum.auto()
    ADULT = enum.auto()


@dataclass(frozen=True, slots=True)
class Seat:
    row: int
    place: int


@dataclass(slots=True)
class Film:
    title: str
    _: KW_ONLY
    minutes: int = 90
    rating: Rating = Rating.CHILD
    shows: list[str] = field(default_factory=list, repr=False)
    extra: InitVar[int] = 0

    def __post_init__(self, extra: int) -> None:
        self.minutes += extra
        self.shows.sort()

    @classmethod
    def parse(cls, text: str) -> Self:
        film = cls(text)
        film.shows = text.split()
        return film


class Cinema:
    open: ClassVar[list[str]] = []

    def __init__(self) -> None:
        self.films: dict[str, Film] = {}
        self.sold: dict[str, set[Seat]] = {}
        self.listeners: list[str] = []

    @overload
    def book(self, title: str) -> Seat: ...
    @overload
    def book(self, title: str, count: int) -> list[Seat]: ...
    def book(self, title: str, count: int | None = None) -> Seat | list[Seat]:
        seats = [Seat(random.randint(1, 9), n) for n in range(count or 1)]
        self.sold.setdefault(title, set()).update(seats)
        return seats if count else seats[0]

    def add(self, film: Film) -> Self:
        self.films[film.title] = film
        return self

    @readonly
    def films_for(self, rating: Rating) -> Iterator[Film]:
        return (film for film in self.films.values() if film.rating & rating)

    @readonly
    def free(self, title: str) -> bool:
        return title not in self.sold

    @readonly
    @contextlib.contextmanager
    def browsing(self) -> Iterator[list[Film]]:
        yield list(self.films.values())


def logged(function: Callable[P, R]) -> Callable[P, R]:
    @functools.wraps(function)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        log.info("%s", function.__name__)
        return function(*args, **kwargs)

    return inner


class Session:
    count: int = 0

    def __init__(self, cinema: System[Cinema]) -> None:
        self._cinema = cinema
        self._lock = threading.Lock()
        self._jobs: queue.Queue[Callable[[], Any]] = queue.Queue()
        self._cache: dict[str, Film] = {}

    def __enter__(self) -> Self:
        self._lock.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._lock.release()

    @logged
    def book(self, title: str) -> Seat:
        self.count += 1
        type(self).count += 1
        self._jobs.put(lambda: self._cinema.book(title, 3))
        self._cache[title] = Film(title)
        self._cache[title].minutes = 3
        self._cache[title].shows.append("20:00")
        return self._cinema.book(title)

    def sell(self, mode: Literal["one", "many"]) -> int:
        if mode == "one":
            return self._cinema.book("x").row
        elif mode == "many":
            seats = self._cinema.book("x", 3)
            return len(seats)
        assert_never(mode)


def same(film: S) -> S:
    film.minutes += 1
    return film


def generator(cinema: System[Cinema]) -> Generator[str, Film, int]:
    total = 0
    while total < 3:
        film = yield "next"
        film.minutes = 3
        film.shows.append("x")
        cinema.add(film)
        total += 1
    return total


cinema = init_system(Cinema(), "data/cinema")
cinema.add(Film("A", minutes=3)).add(Film.parse("B 18:00"))
with Session(cinema) as session:
    session.book("A")
    session.count = 0
with ThreadPoolExecutor() as pool:
    futures: list[Future[Seat]] = [pool.submit(cinema.book, "A") for _ in range(3)]
    futures.append(pool.submit(cinema.book, "B"))
    seats = {future.result() for future in futures}
    seats.add(Seat(0, 0))
titles = [*map(str.title, cinema.films), *(film.title for film in cinema.films_for(Rating.ADULT))]
titles.append(f"{clock.now():%H:%M}")
titles[0] = re.sub("a", "b", titles[0])
longest = max((film.minutes for film in cinema.films.values()), default=0)
longest += 1
table: dict[str, Callable[..., object]] = {"book": cinema.book, "free": cinema.free}
table["add"] = cinema.add
own = same(Film("C", rating=Rating.CHILD | Rating.ADULT))
own.shows = ["1"]
reveal_type(cinema.book("x", 3))  # R: list[Seat]
reveal_type(session.book("x"))  # R: Seat
reveal_type(control(cinema))  # R: Control[Cinema]
