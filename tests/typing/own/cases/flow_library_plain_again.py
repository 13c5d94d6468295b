from __future__ import annotations

import copy
from dataclasses import dataclass, field

from coopy import System, init_system, readonly


@dataclass
class Book:
    title: str
    loans: list[str] = field(default_factory=list)
    twin: Book | None = None


class Library:
    def __init__(self) -> None:
        self.books: dict[str, Book] = {}
        self.open = True

    def add(self, book: Book) -> None:
        self.books[book.title] = book

    @readonly
    def book(self, title: str) -> Book:
        return self.books[title]


def swapped(library: System[Library]) -> None:
    one = library.book("a")
    two = Book("b")
    one.title = "x"  # E: coopy-mutate
    two.title = "y"
    one, two = two, one
    one.title = "mine"
    two.title = "theirs"  # E: coopy-mutate


def stepwise(library: System[Library]) -> None:
    book: Book = library.book("a")
    print(book.title)
    book = Book("c")
    book.loans.append("ann")
    book = library.book("b")
    book.loans.append("bob")  # E: coopy-mutate
    book = copy.deepcopy(book)
    book.loans.append("cem")
    library = init_system(Library, "other")
    library.open = False  # E: coopy-set


def deleted(library: System[Library]) -> None:
    book = library.book("a")
    del book
    book = Book("again")
    book.title = "own"


def while_loop(library: System[Library]) -> int:
    steps = 0
    current: Book | None = library.book("a")
    while current is not None:
        steps += 1
        current = current.twin
    current = Book("end")
    current.loans.append("x")
    current.twin = Book("deep")
    current.twin.title = "deeper"
    return steps


def context(library: System[Library]) -> None:
    with open("titles.txt") as file:
        for title in file:
            book = Book(title.strip())
            book.loans.append("import")
            library.add(book)
            book.title = ""
    book = library.book("a")
    book.title = ""  # E: coopy-mutate


def exceptions(library: System[Library]) -> Book:
    try:
        found = library.book("a")
        print(found.title)
    except KeyError:
        found = Book("default")
        found.loans.append("new")
    return found


def walrus(library: System[Library], titles: list[str]) -> None:
    if (book := library.book("a")).loans:
        book.loans.pop()  # E: coopy-mutate
    if (book := Book("x")) and book.title:
        book.loans.append("y")
    while titles and (title := titles.pop()):
        book = Book(title)
        book.title = title.upper()


def unpacked(library: System[Library]) -> None:
    book, open_ = library.book("a"), library.open
    book.title = str(open_)  # E: coopy-mutate
    book, number = Book("fresh"), 3
    book.title = str(number)
    (book, *others) = [Book("1"), Book("2")]
    book.title = "z"
    for other in others:
        other.loans.clear()


def augmented(library: System[Library]) -> None:
    loans = library.book("a").loans
    loans = loans + ["x"]
    loans += ["y"]
    loans.sort()
    loans = library.book("a").loans
    loans += ["z"]  # E: coopy-mutate
