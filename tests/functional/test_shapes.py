"""Classes keep other attributes than before, and what is stored in the old shape becomes the new one."""

from __future__ import annotations

import copy
import pickle
import random
import re
from typing import TYPE_CHECKING, Any

import pytest

from coopy import control, init_system, upgrade
from coopy.error import CorruptionError, PrevalentError, UpgradeError, UsageError
from tests.program import program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.program import Program

__all__ = ["program"]

DOMAIN = """
class Shelf:
    def __init__(self):
        self.books = []

    def add(self, title):
        self.books.append(Book(title))

    def put(self, book):
        self.books.append(book)

    def share(self):
        self.books.append(self.books[0])
"""
PLAIN = f"""
class Book:
    def __init__(self, title):
        self.title = title

    def __repr__(self):
        return f"{{self.title}}"
{DOMAIN}"""
WITH_AUTHOR = (
    PLAIN.replace(
        "    def __repr__",
        """
    @upgrade(from_=1)
    @staticmethod
    def _with_author(state):
        title, _, state["author"] = state["title"].partition(" by ")
        return {**state, "title": title}

    def __repr__""",
    )
    .replace("{self.title}", "{self.title}/{self.author}")
    .replace("self.title = title", "self.title, _, self.author = title.partition(' by ')")
)
WITH_YEAR = (
    WITH_AUTHOR.replace(
        "    def __repr__",
        """
    @upgrade(from_=2)
    @classmethod
    def _with_year(cls, state):
        return {**state, "year": 1900 + len(state["author"])}

    def __repr__""",
    )
    .replace("{self.author}", "{self.author}/{self.year}")
    .replace("title.partition(' by ')", "title.partition(' by '); self.year = 2000")
)


def marked(text: str) -> str:
    """A version that uses the mark."""
    return f"from coopy import upgrade\n{text}"


def filled(shelf: Any, directory: Path, *titles: str) -> None:
    """Books in a snapshot, in the journal as an argument, and made by replay; one of them twice."""
    with control(init_system(shelf.Shelf, directory)) as one:
        for title in titles:
            one.add(title)
        one.share()
        control(one).take_snapshot()
        one.put(shelf.Book(titles[0]))


def shown(shelf: Any, directory: Path, *, snapshot: bool = False) -> list[str]:
    """The books there are; the first one is there twice."""
    with control(init_system(shelf.Shelf, directory)) as one:
        if snapshot:
            control(one).take_snapshot()
        places = [index for index, book in enumerate(one.books) if book is one.books[0]]
        assert len(places) == 2
        return [repr(book) for book in one.books]


def test_a_step_makes_todays_state_of_the_old_one(program: Program, tmp_path: Path) -> None:
    """In a snapshot and in the argument of a recorded call; an object that is referred to twice stays one."""
    filled(program.become(PLAIN), tmp_path / "w", "a by x", "b")
    today = program.become(marked(WITH_AUTHOR))
    expected = ["a/x", "b/", "a/x", "a/x"]
    assert shown(today, tmp_path / "w") == expected
    assert shown(today, tmp_path / "w", snapshot=True) == expected
    assert shown(today, tmp_path / "w") == expected


def test_steps_follow_one_another(program: Program, tmp_path: Path) -> None:
    """Objects of the first version take both steps, those of the second take one, those of the third none, all in one directory."""
    filled(program.become(PLAIN), tmp_path / "w", "a by x")
    second = program.become(marked(WITH_AUTHOR))
    with control(init_system(second.Shelf, tmp_path / "w")) as one:
        one.put(second.Book("b by yy"))
    third = program.become(marked(WITH_YEAR))
    expected = ["a/x/1901", "a/x/1901", "a/x/1901", "b/yy/1902"]
    assert shown(third, tmp_path / "w") == expected
    with control(init_system(third.Shelf, tmp_path / "w")) as one:
        one.put(third.Book("c by z"))
    expected.append("c/z/2000")
    assert shown(third, tmp_path / "w", snapshot=True) == expected


@pytest.mark.parametrize("compression", [None, "zstd"])
def test_old_objects_are_found_wherever_a_snapshot_holds_them(program: Program, tmp_path: Path, compression: Any) -> None:
    """It is read once more from its beginning, however much of it was read, compressed or not."""
    first = program.become(PLAIN.replace("self.books = []", "self.noise, self.books = NOISE, []"))
    first.NOISE = [random.randbytes(1000) for _ in range(3000)]
    with control(init_system(first.Shelf, tmp_path / "w", compression=compression, validation="off")) as one:
        one.add("a by x")
        one.share()
        control(one).take_snapshot()
    assert shown(program.become(marked(WITH_YEAR)), tmp_path / "w") == ["a/x/1901"] * 2


def test_the_domain_class_itself_takes_steps(program: Program, tmp_path: Path) -> None:
    """At every opening from an older snapshot, and when memory is made anew."""
    first = program.become("class Shelf:\n def __init__(self): self.books = []\n def add(self, title): self.books.append(title)")
    with control(init_system(first.Shelf, tmp_path / "w")) as one:
        one.add("a")
        control(one).take_snapshot()
        one.add("b")
    text = """
    from coopy import abort_exception, upgrade

    class Shelf:
        def __init__(self):
            self.titles = {}

        @upgrade(from_=1)
        @staticmethod
        def _by_title(state):
            return {"titles": dict.fromkeys(state["books"], 1)}

        def add(self, title):
            self.titles[title] = self.titles.get(title, 0) + 1

        @abort_exception
        def fail(self):
            self.titles.clear()
            raise ValueError("x")
    """
    shelf = program.become(text)
    for snapshot in (False, True, False):
        with control(init_system(shelf.Shelf, tmp_path / "w")) as one:
            assert one.titles == {"a": 1, "b": 1}
            with pytest.raises(ValueError, match="x"):
                one.fail()
            assert one.titles == {"a": 1, "b": 1}
            if snapshot:
                control(one).take_snapshot()


SHAPES = {
    "slots": ('__slots__ = ("title", "size")', "self.title, self.size = title, len(title)", ""),
    "slots and attributes": ('__slots__ = ("title", "__dict__")', "self.title = title; self.size = len(title)", ""),
    "attributes": ("", "self.title = title; self.size = len(title)", ""),
    "private slots": ('__slots__ = ("title", "__size")', "self.title, self.__size = title, len(title)", ""),
}


@pytest.mark.parametrize("old", SHAPES)
@pytest.mark.parametrize("new", SHAPES)
def test_a_state_is_a_dictionary_in_whatever_it_was_kept(program: Program, tmp_path: Path, old: str, new: str) -> None:
    """From slots to attributes and back: the step sees names."""
    text = "class Book:\n    {}\n    def __init__(self, title):\n        {}\n{}" + DOMAIN
    filled(program.become(text.format(*SHAPES[old])), tmp_path / "w", "a", "bb")
    before, after = ("_Book__size" if name == "private slots" else "size" for name in (old, new))
    step = f"    @upgrade(from_=1)\n    @staticmethod\n    def _more(state):\n        return {{'title': state['title'] * 2, {after!r}: state[{before!r}] + 1}}"
    shelf = program.become(marked(text.format(*SHAPES[new][:2], step)))
    for _ in range(2):
        with control(init_system(shelf.Shelf, tmp_path / "w")) as one:
            assert [(book.title, getattr(book, after)) for book in one.books] == [("aa", 2), ("bbbb", 3), ("aa", 2), ("aa", 2)]
            control(one).take_snapshot()


@pytest.mark.parametrize("how", ["", "frozen=True", "slots=True", "frozen=True, slots=True"])
def test_dataclasses_take_steps(program: Program, tmp_path: Path, how: str) -> None:
    """One that is frozen and has slots pickles as a list of its fields; a step takes and gives that."""
    text = "from dataclasses import dataclass\n@dataclass({})\nclass Book:\n    title: str\n{}" + DOMAIN
    filled(program.become(text.format(how, "")), tmp_path / "w", "a", "b")
    more = "[*state, 3]" if how.count("True") == 2 else "{**state, 'size': 3}"
    step = f"    size: int = 2\n    @upgrade(from_=1)\n    @staticmethod\n    def _more(state):\n        return {more}"
    shelf = program.become(marked(text.format(how, step)))
    for _ in range(2):
        with control(init_system(shelf.Shelf, tmp_path / "w")) as one:
            assert [(book.title, book.size) for book in one.books] == [("a", 3), ("b", 3), ("a", 3), ("a", 3)]
            control(one).take_snapshot()


def test_an_object_without_attributes_takes_steps(program: Program, tmp_path: Path) -> None:
    """It is stored without a state."""
    text = "class Book:\n    def __init__(self, title): pass\n{}" + DOMAIN
    filled(program.become(text.format("")), tmp_path / "w", "a")
    shelf = program.become(
        marked(text.format("    @upgrade(from_=1)\n    @staticmethod\n    def _more(state): return {**state, 'size': 3}"))
    )
    with control(init_system(shelf.Shelf, tmp_path / "w")) as one:
        assert [book.size for book in one.books] == [3, 3, 3]
        one.add("b")
        control(one).take_snapshot()
    with control(init_system(shelf.Shelf, tmp_path / "w")) as one:
        assert [vars(book) for book in one.books] == [{"size": 3}] * 3 + [{}]


def test_a_setstate_of_the_class_goes_on_working(program: Program, tmp_path: Path) -> None:
    """It gets what the steps made; and where `__getstate__` is the class's own, the steps get what that gave."""
    own = (
        "    def __getstate__(self): return (self.title,)\n    def __setstate__(self, state): self.title, *rest = state; self.rest = rest\n"
    )
    text = "class Book:\n    def __init__(self, title): self.title = title\n" + own + "{}" + DOMAIN
    filled(program.become(text.format("")), tmp_path / "w", "a")
    shelf = program.become(marked(text.format("    @upgrade(from_=1)\n    @staticmethod\n    def _more(state): return (*state, 3)")))
    with control(init_system(shelf.Shelf, tmp_path / "w")) as one:
        assert [(book.title, book.rest) for book in one.books] == [("a", [3])] * 3


def test_base_classes_take_their_steps_first(program: Program, tmp_path: Path) -> None:
    """Each class has a version of its own, and they may come later."""
    text = "class Base:\n    {}\n\nclass Book(Base):\n    def __init__(self, title): self.way = [title]\n    {}\n" + DOMAIN
    step = "@upgrade(from_={})\n    @staticmethod\n    def _from_{}(state): return {{'way': [*state['way'], {!r}]}}\n    "
    filled(program.become(text.format("pass", "")), tmp_path / "w", "a")
    shelf = program.become(marked(text.format("pass", step.format(1, 1, "book 1"))))
    shown(shelf, tmp_path / "w", snapshot=True)
    both = step.format(1, 1, "book 1") + step.format(2, 2, "book 2")
    shelf = program.become(marked(text.format(step.format(1, 1, "base 1"), both)))
    filled(program.become(text.format("pass", "")), tmp_path / "v", "a")
    shelf = program.become(marked(text.format(step.format(1, 1, "base 1"), both)))
    with control(init_system(shelf.Shelf, tmp_path / "v")) as one:
        assert [book.way for book in one.books] == [["a", "base 1", "book 1", "book 2"]] * 3
    with control(init_system(shelf.Shelf, tmp_path / "w")) as one:
        assert [book.way for book in one.books] == [["a", "book 1", "base 1", "book 2"]] * 3


@pytest.mark.parametrize("base", ["list", "dict", "Generic[T]", "list[T], Generic[T]"])
def test_containers_and_generic_classes_take_steps(program: Program, tmp_path: Path, base: str) -> None:
    """With what they hold; how a generic one was made is not kept."""
    fill = {"dict": "self.update(k=1)", "Generic[T]": "self.k = 1"}.get(base, "self.append(1)")
    made = "Book[str](title)" if "T" in base else "Book(title)"
    head = "from typing import Generic, TypeVar\nT = TypeVar('T')\n"
    text = f"{head}class Book({base}):\n    def __init__(self, title):\n        self.title = title\n        {fill}\n{{}}{DOMAIN}"
    text = text.replace("Book(title))", f"{made})")
    filled(program.become(text.format("")), tmp_path / "w", "a")
    shelf = program.become(
        marked(text.format("    @upgrade(from_=1)\n    @staticmethod\n    def _more(state): return {**state, 'size': 3}\n"))
    )
    for _ in range(2):
        with control(init_system(shelf.Shelf, tmp_path / "w")) as one:
            kept = {"dict": {"k": 1}, "Generic[T]": None}.get(base, [1])
            state = {"title": "a", "size": 3, **({"k": 1} if kept is None else {})}
            for book in one.books:
                assert vars(book) == state
                assert kept is None or book == kept
            control(one).take_snapshot()


def test_a_class_with_versions_may_get_another_name(program: Program, tmp_path: Path) -> None:
    """Its objects carry their version under the old one."""
    filled(program.become(PLAIN), tmp_path / "w", "a by x")
    shown(program.become(marked(WITH_AUTHOR)), tmp_path / "w", snapshot=True)
    text = (
        marked(WITH_YEAR)
        .replace("class Book", "@was('Book')\nclass Volume")
        .replace("Book(", "Volume(")
        .replace("import upgrade", "import upgrade, was")
    )
    assert shown(program.become(text), tmp_path / "w", snapshot=True) == ["a/x/1901"] * 3


def test_only_what_is_read_from_files_takes_steps(program: Program, tmp_path: Path) -> None:
    """Copies and pickles of the program's own are of today; a class with versions may be a value itself."""
    shelf = program.become(marked(WITH_YEAR))
    book = shelf.Book("a by x")
    for one in (copy.copy(book), copy.deepcopy(book), pickle.loads(pickle.dumps(book))):
        assert vars(one) == vars(book)
    with control(init_system(shelf.Shelf, tmp_path / "w")) as one:
        one.put(shelf.Book)
        one.put([shelf.Book("b"), shelf.Book])
        control(one).take_snapshot()
    with control(init_system(shelf.Shelf, tmp_path / "w")) as one:
        assert one.books[0] is shelf.Book
        assert one.books[1][1] is shelf.Book


# --- what is wrong ---------------------------------------------------------------------------------------------------


def files(directory: Path) -> dict[str, bytes]:
    """What a directory holds."""
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file() and path.name != "LOCK"}


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("raise KeyError('author')", r"@upgrade\(from_=1\) of shelf:Book raised KeyError: 'author', for the state of a shelf:Book"),
        ("return None", r"@upgrade\(from_=1\) of shelf:Book gave a NoneType, not a dictionary"),
    ],
)
def test_a_step_that_fails_changes_nothing(program: Program, tmp_path: Path, body: str, what: str) -> None:
    """The error names class and version, and where the object is stored. No older snapshot is tried, the files are as they were."""
    filled(program.become(PLAIN), tmp_path / "w", "a")
    before = files(tmp_path / "w")
    step = f"    @upgrade(from_=1)\n    @staticmethod\n    def _more(state): {body}\n    def __repr__"
    shelf = program.become(marked(PLAIN.replace("    def __repr__", step)))
    with pytest.raises(UpgradeError, match=f"snapshot-0*2.snap: {what}") as caught:
        init_system(shelf.Shelf, tmp_path / "w")
    assert (caught.value.name, caught.value.version, caught.value.lsn) == ("shelf:Book", 1, 0)
    assert files(tmp_path / "w") == before
    assert shown(program.become(PLAIN), tmp_path / "w") == ["a"] * 3


def test_a_step_that_fails_for_an_argument_names_the_record(program: Program, tmp_path: Path) -> None:
    """By its LSN."""
    first = program.become(PLAIN)
    with control(init_system(first.Shelf, tmp_path / "w")) as one:
        one.add("a")
        one.put(first.Book("b"))
    step = "    @upgrade(from_=1)\n    @staticmethod\n    def _more(state): raise ValueError('no')\n    def __repr__"
    shelf = program.become(marked(PLAIN.replace("    def __repr__", step)))
    with pytest.raises(UpgradeError, match=r"The record of LSN 2: .*raised ValueError: no") as caught:
        init_system(shelf.Shelf, tmp_path / "w")
    assert caught.value.lsn == 2


def test_an_object_of_a_newer_version_is_refused(program: Program, tmp_path: Path) -> None:
    """Also by code that knows no versions at all, in snapshots and in arguments."""
    newest = program.become(marked(WITH_YEAR))
    filled(newest, tmp_path / "w", "a")
    with control(init_system(newest.Shelf, tmp_path / "v")) as one:
        one.put(newest.Book("a"))
    for text, version in ((marked(WITH_AUTHOR), 2), (PLAIN, 1)):
        shelf = program.become(text)
        for name in "wv":
            with pytest.raises(UpgradeError, match=f"stored in version 3, and this program's class is of version {version}") as caught:
                init_system(shelf.Shelf, tmp_path / name)
            assert caught.value.version == 3


def test_a_step_that_was_dropped_too_early_is_named(program: Program, tmp_path: Path) -> None:
    """The older ones may go once nothing is stored in their version; the last one stays."""
    filled(program.become(PLAIN), tmp_path / "w", "a by x")
    start, _, rest = marked(WITH_YEAR).partition("    @upgrade(from_=1)")
    later = start + rest[rest.index("    @upgrade(from_=2)") :]
    with pytest.raises(UpgradeError, match=r"in version 1, and there is no @upgrade\(from_=1\)"):
        init_system(program.become(later).Shelf, tmp_path / "w")
    shown(program.become(marked(WITH_AUTHOR)), tmp_path / "w", snapshot=True)
    with control(init_system(program.become(marked(WITH_YEAR)).Shelf, tmp_path / "w")) as one:
        one.share()
        control(one).take_snapshot()
    with control(init_system(program.become(later).Shelf, tmp_path / "w")) as one:
        assert [repr(book) for book in one.books] == ["a/x/1901"] * 4


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (
            "@upgrade(from_=1)\n @staticmethod\n def a(state): ...\n @upgrade(from_=1)\n @staticmethod\n def b(state): ...",
            r"\.a and \.b are both @upgrade\(from_=1\)",
        ),
        (
            "@upgrade(from_=1)\n @staticmethod\n def a(state): ...\n @upgrade(from_=3)\n @staticmethod\n def b(state): ...",
            r"no @upgrade\(from_=2\)",
        ),
        ("@upgrade(from_=1)\n def a(self): ...", "make it a @staticmethod"),
        ("@staticmethod\n @upgrade(from_=0)\n def a(state): ...", "versions are 1, 2, 3"),
    ],
)
def test_steps_that_cannot_be_are_refused_before_anything_is_opened(program: Program, tmp_path: Path, body: str, what: str) -> None:
    """Two for one version, none for one in between, one that sees an object."""
    with pytest.raises(UsageError, match=what):
        init_system(program.become(marked(f"class Shelf:\n {body}\n def add(self): ...")).Shelf, tmp_path / "w")
    assert not (tmp_path / "w").exists()


def test_steps_of_another_class_that_cannot_be_are_no_damage(program: Program, tmp_path: Path) -> None:
    """They are met when an object of it is read: no older snapshot is tried, and nothing is changed."""
    filled(program.become(PLAIN), tmp_path / "w", "a")
    before = files(tmp_path / "w")
    shelf = program.become(marked(WITH_YEAR.replace("from_=2", "from_=1")))
    with pytest.raises(UsageError, match=r"are both @upgrade\(from_=1\)"):
        init_system(shelf.Shelf, tmp_path / "w")
    assert files(tmp_path / "w") == before


@pytest.mark.parametrize("version", [True, "1", -1, 1.0, None])
def test_what_is_no_version_is_refused(version: Any) -> None:
    """Where it is written."""
    with pytest.raises(UsageError, match="is not possible: versions are 1, 2, 3"):
        upgrade(from_=version)(lambda state: state)


@pytest.mark.parametrize("thing", [dict, 3, property(lambda _self: 3)])
def test_what_is_no_function_is_no_step(thing: Any) -> None:
    """A class or a property."""
    with pytest.raises(UsageError, match="@upgrade marks a static or class method"):
        upgrade(from_=1)(thing)


def test_a_class_that_pickles_in_its_own_way_takes_no_steps(program: Program, tmp_path: Path) -> None:
    """There is no state to take them: such an object is refused when it is passed."""
    text = "class Book:\n    def __reduce__(self): return (Book, ())\n    @upgrade(from_=1)\n    @staticmethod\n    def _more(state): return state\n"
    shelf = program.become(marked(text + DOMAIN.replace("Book(title)", "Book()")))
    with (
        control(init_system(shelf.Shelf, tmp_path / "w")) as one,
        pytest.raises(UsageError, match="Book has @upgrade and pickles in its own way"),
    ):
        one.put(shelf.Book())


def test_memory_that_is_made_anew_holds_nothing_twice(program: Program, tmp_path: Path) -> None:
    """A domain object that is a list is filled while it is read, and an old object may come late."""
    text = """
    from coopy import abort_exception, upgrade

    class Book:
        def __init__(self, title):
            self.title = title

    class Shelf(list):
        def fill(self):
            self.extend(range(2500))
            self.append(Book("a"))

        @abort_exception
        def fail(self):
            self.clear()
            raise ValueError("x")
    """
    with control(init_system(program.become(text).Shelf, tmp_path / "w")) as one:
        one.fill()
        control(one).take_snapshot()
    step = "def __init__\n        @upgrade(from_=1)\n        @staticmethod\n        def _more(state): return {**state, 'size': 3}\n\n        def __init__"
    shelf = program.become(text.replace("def __init__", step.partition("\n        ")[2]))
    with control(init_system(shelf.Shelf, tmp_path / "w")) as one:
        with pytest.raises(ValueError, match="x"):
            one.fail()
        assert len(one) == 2501
        assert one[-1].size == 3


def test_steps_of_the_domain_class_are_validated(program: Program, tmp_path: Path) -> None:
    """They run in every restore, private ones as well."""
    text = "import time\nclass Shelf:\n    @upgrade(from_=1)\n    @staticmethod\n    def _more(state): return {'at': time.time()}\n    def add(self): ..."
    with pytest.raises(PrevalentError, match=r"time\.time"):
        init_system(program.become(marked(text)).Shelf, tmp_path / "w")


NESTED = """
import time
from coopy import clock
class Base:
    pass
class Book(Base):
    def __init__(self, title):
        self.title = title
class Shelf:
    def __init__(self):
        self.books = []
    def add(self, title):
        self.books.append(Book(title))
class Case:
    def __init__(self):
        self.books = []
    def put(self, books: list[Book]):
        self.books.extend(books)
"""
STEP = "    @upgrade(from_=1)\n    @staticmethod\n    def _more(state): return {**state, 'at': time.time()}\n"
SETSTATE = "    def __setstate__(self, state): vars(self).update(state, at=time.time())\n"
OF_COOPYS_CLOCK = SETSTATE.replace("time.time()", "clock.now()")


@pytest.mark.parametrize("domain", ["Shelf", "Case"])
@pytest.mark.parametrize("owner", ["Base:", "Book(Base):"], ids=["inherited", "own"])
@pytest.mark.parametrize(
    ("text", "what"), [(STEP, "time.time reads a clock"), (SETSTATE, "time.time reads a clock"), (OF_COOPYS_CLOCK, "coopy.clock.now while a state is read")],
    ids=["step", "setstate", "clock"],
)  # fmt: skip
def test_what_reading_other_classes_states_runs_is_validated(
    program: Program, tmp_path: Path, domain: str, owner: str, text: str, what: str
) -> None:
    """Of those that actions make, and of those that they are given; inherited ones as well."""
    shelf = program.become(marked(NESTED.replace(f"class {owner}\n", f"class {owner}\n{text}")))
    with pytest.raises(PrevalentError, match=re.escape(what)):
        init_system(getattr(shelf, domain), tmp_path / "w")
    assert not (tmp_path / "w").exists()


def test_what_is_read_the_same_each_time_is_let_through(program: Program, tmp_path: Path) -> None:
    """And so is what a class does that no action makes objects of."""
    text = NESTED.replace("class Base:\n", f"class Other:\n{SETSTATE}class Base:\n{STEP.replace('time.time()', 'sorted(state)')}")
    shelf = program.become(marked(text.replace("class Book(Base):\n", "class Book(Base):\n" + SETSTATE.replace("time.time()", "0"))))
    with control(init_system(shelf.Shelf, tmp_path / "w")) as one:
        one.add("a")


@pytest.mark.parametrize("where", ["state", "argument"])
def test_what_todays_class_does_not_take_is_named_with_the_way_out(program: Program, tmp_path: Path, where: str) -> None:
    """A class that got slots: the error names the snapshot or the record and what to do, and with that it opens."""
    module = program.become(PLAIN)
    with control(init_system(module.Shelf, tmp_path / "s", keep_snapshots=1)) as shelf:
        if where == "state":
            shelf.add("Emma")
            control(shelf).take_snapshot()
        else:
            shelf.put(module.Book("Emma"))
    slots = PLAIN.replace("    def __init__(self, title)", "    __slots__ = ('title',)\n\n    def __init__(self, title)")
    named = r"snapshot-0*1\.snap" if where == "state" else "The record of LSN 1"
    module = program.become(slots)
    with pytest.raises(CorruptionError, match=f"{named}: .*no attribute '__dict__'.*Was a class changed since.*@upgrade"):
        init_system(module.Shelf, tmp_path / "s")
    step = "    @upgrade(from_=1)\n    @staticmethod\n    def _as_it_was(state):\n        return state\n\n    def __repr__"
    module = program.become(marked(slots.replace("    def __repr__", step)))
    with control(init_system(module.Shelf, tmp_path / "s")) as shelf:
        assert str(shelf.books) == "[Emma]"


def test_what_is_not_let_through_any_more_names_the_record(program: Program, tmp_path: Path) -> None:
    """As a class that moved, and is imported where it was."""
    module = program.become(PLAIN)
    with control(init_system(module.Shelf, tmp_path / "s")) as shelf:
        shelf.put(module.Book("Emma"))
    module = program.become(f"from shelf.books import Book\n{DOMAIN}", books=PLAIN)
    with pytest.raises(CorruptionError, match=r"The record of LSN 1: .* is really shelf\.books\.Book") as caught:
        init_system(module.Shelf, tmp_path / "s")
    assert (caught.value.lsn, caught.value.path) == (1, str(tmp_path / "s"))
