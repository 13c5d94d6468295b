"""Classes, modules and methods get other names, and what is stored under the old ones is found."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Any

import pytest

from coopy import control, init_system, once, verify
from coopy.cluster.local import free_ports
from coopy.disk import RealDisk
from coopy.engine.check import check_directory
from coopy.engine.mend import rebuild_manifest
from coopy.engine.opening import Place
from coopy.error import ClosedError, CoopyError, DivergenceError, PrevalentError, ReplicaError, UpgradeError, UsageError
from coopy.manifest import read_manifest
from tests.functional.test_replication import wait_until
from tests.program import program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.program import Program

__all__ = ["program"]

FIRST = """
    from coopy import readonly
    from enum import Enum

    class Colour(Enum):
        RED = "red"
        BLUE = "blue"

    class TooMany(Exception):
        pass

    class Book:
        class Page:
            def __init__(self, text):
                self.text = text

        def __init__(self, title, colour=Colour.RED):
            self.title = title
            self.pages = [Book.Page(title)]
            self.colour = colour

    class Shelf:
        def __init__(self):
            self.books = []
            self._label = ""

        def add(self, title):
            self.books.append(Book(title))
            return len(self.books)

        def put(self, book):
            self.books.append(book)

        def refuse(self):
            raise TooMany("full")

        @property
        def label(self):
            return self._label

        @label.setter
        def label(self, text):
            self._label = text

        def __setitem__(self, index, book):
            self.books[index] = book

        @readonly
        def titles(self):
            return [(book.title, book.pages[0].text) for book in self.books]
"""

TODAY = {
    "class Colour": "@was('Colour')\n    class Tint", "Colour.": "Tint.", "class TooMany": "@was('TooMany')\n    class Full", "TooMany(": "Full(",
    "class Book:": "@was('Book')\n    class Volume:", "class Page": "@was('Page')\n        class Leaf", "Book.Page": "Volume.Leaf", "Book(title)": "Volume(title)",
    "class Shelf": "@was('Shelf')\n    class Case", "def add": "@was('add')\n        def create", "def put": "@was('put')\n        def place",
    "def refuse": "@was('refuse')\n        def reject", "@label.setter\n        def label": "@name.setter\n        @was('label')\n        def name",
    "def label": "def name", "def __setitem__": "@was('__setitem__')\n        def exchange", "from enum": "from coopy import was\n    from enum",
}  # fmt: skip
SECOND = functools.reduce(lambda text, pair: text.replace(*pair), TODAY.items(), FIRST)
KEPT = [("a", "a"), ("b", "b"), ("d", "d")]


def fill(shelf: Any, directory: Path, *, snapshot: bool = False) -> None:
    """Every kind of name, in a snapshot and in the journal behind it."""
    with control(init_system(shelf.Shelf(), directory)) as one:
        one.add("a")
        one.put(shelf.Book("b", shelf.Colour.BLUE))
        if snapshot:
            control(one).take_snapshot()
        one.put(shelf.Book("c"))
        one[2] = shelf.Book("d")
        one.label = "novels"
        with pytest.raises(shelf.TooMany):
            one.refuse()


def opened(kind: Any, directory: Path, **options: Any) -> Any:
    """What the system in a directory holds."""
    with control(init_system(kind, directory, **options)) as one:
        return one.titles()


@pytest.mark.parametrize("snapshot", [False, True])
def test_marked_names_lead_to_what_they_are_today(program: Program, tmp_path: Path, snapshot: bool) -> None:
    """The domain class, classes in states and in arguments, nested ones, enumerations, exceptions, methods, setters, special methods."""
    fill(program.become(FIRST), tmp_path / "w", snapshot=snapshot)
    shelf = program.become(SECOND)
    with control(init_system(shelf.Case, tmp_path / "w")) as case:
        assert case.titles() == KEPT
        assert case.name == "novels"
        assert {type(book) for book in case.books} == {shelf.Volume}
        assert {type(page) for book in case.books for page in book.pages} == {shelf.Volume.Leaf}
        assert case.books[1].colour is shelf.Tint.BLUE
        case.create("e")
    assert opened(shelf.Case, tmp_path / "w") == [*KEPT, ("e", "e")]


def test_the_directory_takes_the_new_name_from_then_on(program: Program, tmp_path: Path) -> None:
    """Once the old names are in no file any more, the marks can go. The older files are of the same system, so every command takes them."""
    fill(program.become(FIRST), tmp_path / "w")
    shelf = program.become(SECOND)
    with control(init_system(shelf.Case, tmp_path / "w", segment_bytes=4096)) as case:
        manifest = read_manifest(RealDisk(), str(tmp_path / "w"), b"")
        assert manifest is not None
        assert manifest.identity.domain == "shelf:Case"
        for _ in range(3):
            for _ in range(30):
                case.create("x" * 100)
            control(case).take_snapshot()
        assert not any(one.problem for one in check_directory(Place(RealDisk(), str(tmp_path / "w"), b"", "")))
        control(case).prune()
        before = case.titles()
    bare = program.become(SECOND.replace("@was", "#"))
    assert opened(bare.Case, tmp_path / "w") == before
    (tmp_path / "w" / "MANIFEST").unlink()
    assert rebuild_manifest(Place(RealDisk(), str(tmp_path / "w"), b"", ""), print, follows=False).manifest.identity.domain == "shelf:Case"


def test_a_journal_of_former_names_is_verified(program: Program, tmp_path: Path) -> None:
    """Another process finds what they lead to, from a running system and from a directory."""
    fill(program.become(FIRST), tmp_path / "w", snapshot=True)
    shelf = program.become(SECOND)
    with control(init_system(shelf.Case, tmp_path / "w")) as case:
        assert control(case).verify().lsn == 6
    assert verify(tmp_path / "w").lsn == 6
    fill(program.become(FIRST), tmp_path / "v")
    shelf = program.become("import shelf.case", **moved())
    with control(init_system(shelf.case.Shelf, tmp_path / "v", renames=MOVED)) as one:
        assert control(one).verify().lsn == 6


def test_keys_and_the_past_know_former_names(program: Program, tmp_path: Path) -> None:
    """A key that was used under a method's former name is known under today's; the state as it was is of today's classes."""
    first = program.become(FIRST)
    with control(init_system(first.Shelf(), tmp_path / "w")) as shelf:
        with once("key"):
            assert shelf.add("a") == 1
        shelf.put(first.Book("b"))
    second = program.become(SECOND)
    for snapshot in (False, True):
        with control(init_system(second.Case, tmp_path / "w")) as case:
            with once("key"):
                assert case.create("a") == 1
            assert len(case.titles()) == 2
            with once("key"), pytest.raises(UsageError, match="was used for add"):
                case.place(second.Volume("c"))
            past = control(case).at(2)
            assert past.titles() == [("a", "a"), ("b", "b")]
            if not snapshot:
                control(case).take_snapshot()


def test_old_code_goes_on_where_it_is_told_the_new_name(program: Program, tmp_path: Path) -> None:
    """`renames=` leads back as well, as long as only names have changed."""
    fill(program.become(FIRST), tmp_path / "w")
    opened(program.become(SECOND).Case, tmp_path / "w")
    old = program.become(FIRST)
    with pytest.raises(UsageError, match="holds a shelf:Case, not a shelf:Shelf"):
        init_system(old.Shelf, tmp_path / "w")
    assert opened(old.Shelf, tmp_path / "w", renames={"shelf:Case": "shelf:Shelf"}) == KEPT


# --- renames= and the project ----------------------------------------------------------------------------------------

MOVED = {"shelf:Shelf": "shelf.case:Shelf", "shelf": "shelf.books", "shelf:Shelf.add": "create"}


def moved(text: str = FIRST) -> dict[str, str]:
    """The same classes in modules of their own, and one method with another name."""
    books, shelf = text.split("class Shelf:")
    return {
        "books": books,
        "case": f"    from coopy import readonly\n    from shelf.books import Book, TooMany\n\n    class Shelf:{shelf}".replace(
            "def add", "def create"
        ),
    }


def test_renames_moves_modules_classes_and_methods(program: Program, tmp_path: Path) -> None:
    """A whole module, one class of it to elsewhere, a method."""
    fill(program.become(FIRST), tmp_path / "w", snapshot=True)
    shelf = program.become("import shelf.case", **moved())
    with control(init_system(shelf.case.Shelf, tmp_path / "w", renames=MOVED)) as one:
        assert one.titles() == KEPT
        one.create("e")
        assert type(one.books[0]) is shelf.books.Book
    with control(init_system(shelf.case.Shelf, tmp_path / "w", renames=MOVED)) as one:
        assert one.titles() == [*KEPT, ("e", "e")]


def test_the_project_may_say_it(program: Program, tmp_path: Path) -> None:
    """[tool.coopy.renames] of the pyproject.toml above the domain's module. What is about other domains there is not looked at."""
    fill(program.become(FIRST), tmp_path / "w", snapshot=True)
    shelf = program.become("import shelf.case", **moved())
    renames = {**MOVED, "other:Shop": "other.shop:Shop", "other:Shop.sell": "offer", "zoo": "menagerie"}
    lines = "\n".join(f'"{old}" = "{new}"' for old, new in renames.items())
    (program.path / "pyproject.toml").write_text(f"[tool.coopy.renames]\n{lines}\n")
    assert opened(shelf.case.Shelf, tmp_path / "w") == KEPT


def test_a_chain_of_names_leads_to_its_end(program: Program, tmp_path: Path) -> None:
    """Renamed, and renamed again, also by different means."""
    fill(program.become(FIRST), tmp_path / "w")
    text = FIRST.replace("class Shelf", "@was('Rack')\n    class Case").replace(
        "class Book:", "@was('Tome')\n    @was('Volume')\n    class Opus:"
    )
    text = f"    from coopy import was\n{text.replace('Book', 'Opus')}".replace("was('Opus')", "was('Book')")
    shelf = program.become(text)
    assert opened(shelf.Case, tmp_path / "w", renames={"shelf:Shelf": "shelf:Rack", "shelf:Book": "shelf:Volume"}) == KEPT


def test_renames_may_follow_one_another(program: Program, tmp_path: Path) -> None:
    """As a project's list does that only grows."""
    fill(program.become(FIRST), tmp_path / "w", snapshot=True)
    shelf = program.become("import shelf.case", **{name: text.replace("Book", "Tome") for name, text in moved().items()})
    renames = {
        "shelf": "shelf.things", "shelf.things": "shelf.books", "shelf:Shelf": "shelf:Rack", "shelf:Rack": "shelf.case:Shelf",
        "shelf.books:Book": "shelf.books:Volume", "shelf.books:Volume": "shelf.books:Tome", "shelf:Rack.add": "create",
    }  # fmt: skip
    assert opened(shelf.case.Shelf, tmp_path / "w", renames=renames) == KEPT


@pytest.mark.parametrize(
    ("renames", "what"),
    [
        ("shelf:Book", "it maps old names"),
        ({"shelf:Book": 3}, "is not possible"), ({3: "shelf:Book"}, "is not possible"), ({"": "shelf:Book"}, "is not possible"),
        ({"shelf:": "shelf:Book"}, "is not possible"), ({"shelf:Old": "shelf:Book:x"}, "is not possible"), ({"shelf:Book": "shelf:Book"}, "is not possible"),
        ({"shelf:Old": "shelf:Nothing"}, "there is no shelf:Nothing"), ({"shelf:A": "shelf:B", "shelf:B": "shelf:A"}, "there is no shelf:"),
        ({"shelf.a": "shelf.b", "shelf.b": "shelf.a"}, r"there is no shelf\.[ab]"), ({"shelf:Old": "shelf:print"}, "there is no"),
        ({"old": "shelf.nothing"}, r"there is no shelf\.nothing"),
        ({"shelf:Old": "os:system"}, "is not let through"), ({"shelf:Old": "coopy.codec:Codec"}, "is not let through"),
        ({"old": "subprocess"}, "is not let through"), ({"shelf:Book": "shelf:Shelf"}, "shelf:Book is still a class"),
        ({"shelf:Shelf.old": "nothing"}, "has no nothing"), ({"shelf:Other.old": "add"}, "neither shelf:Shelf nor a former name"),
        ({"shelf:Shelf.add": "put"}, "has a method add today"), ({"old": "shelf:Book"}, "one is a class and the other a module"),
        ({"shelf:Old": "shelf"}, "one is a class and the other a module"), ({"shelf:Old": "a.b"}, "one is a class and the other a module"),
    ],
)  # fmt: skip
def test_wrong_renames_are_refused_before_anything_is_opened(program: Program, tmp_path: Path, renames: Any, what: str) -> None:
    """The error shows the pair and what is wrong with it."""
    shelf = program.become(FIRST)
    with pytest.raises(UsageError, match=what) as caught:
        init_system(shelf.Shelf, tmp_path / "w", renames=renames)
    assert "renames" in str(caught.value) or "said to have been" in str(caught.value)
    assert not (tmp_path / "w").exists()


def test_a_rename_lets_nothing_pass_that_would_be_refused(program: Program, tmp_path: Path) -> None:
    """Not by the project's settings either: what is not let through stays so."""
    shelf = program.become(FIRST)
    fill(shelf, tmp_path / "w")
    text = FIRST.replace("class Book:", "class Tome:").replace("Book", "Tome")
    shelf = program.become(text)
    (program.path / "pyproject.toml").write_text('[tool.coopy]\nrenames = {"shelf:Book" = "subprocess:Popen"}\n')
    with pytest.raises(UpgradeError, match=r"class shelf\.Book is stored") as caught:
        init_system(shelf.Shelf, tmp_path / "w")
    assert (caught.value.name, caught.value.lsn) == ("shelf:Book", 2)


def test_settings_that_are_no_table_are_refused(program: Program, tmp_path: Path) -> None:
    """Also where the file is broken."""
    shelf = program.become(FIRST)
    for text in ('[tool.coopy]\nrenames = "shelf"\n', "[tool.coopy\n"):
        (program.path / "pyproject.toml").write_text(text)
        with pytest.raises(UsageError):
            init_system(shelf.Shelf, tmp_path / "w", validation="off")


# --- contradictions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@was('Old')\nclass A: ...\n@was('Old')\nclass B: ...", r"shelf:Old: shelf:A and shelf:B"),
        ("class Old: ...\n@was('Old')\nclass B: ...", r"shelf:Old: shelf:Old and shelf:B"),
        ("@was('elsewhere:Old')\nclass A: ...\nclass B:\n @was('elsewhere:Old')\n class C: ...", r"elsewhere:Old: shelf:A and shelf:B\.C"),
    ],
)
def test_two_classes_that_claim_one_name_are_refused(program: Program, tmp_path: Path, text: str, names: str) -> None:
    """Both are named, and nothing is opened or created."""
    shelf = program.become(f"from coopy import was\n{text}\nclass Shelf:\n def add(self): ...")
    with pytest.raises(UsageError, match=f"Two classes claim the name {names}"):
        init_system(shelf.Shelf, tmp_path / "w")
    assert not (tmp_path / "w").exists()


def test_a_mark_and_renames_that_disagree_are_refused(program: Program, tmp_path: Path) -> None:
    """They may say the same."""
    shelf = program.become("from coopy import was\n@was('Old')\nclass A: ...\nclass B: ...\nclass Shelf:\n def add(self): ...")
    with pytest.raises(UsageError, match="shelf:B and shelf:A"):
        init_system(shelf.Shelf, tmp_path / "w", renames={"shelf:Old": "shelf:B"})
    control(init_system(shelf.Shelf, tmp_path / "w", renames={"shelf:Old": "shelf:A"})).close()


def test_claims_of_other_programs_do_not_matter(program: Program, tmp_path: Path) -> None:
    """Nor does a class of the same name that was loaded before and has no such mark any more."""
    program.become("from coopy import was\n@was('Old')\nclass A: ...\n")
    shelf = program.become("from coopy import was\nclass A: ...\n@was('Old')\nclass B: ...\nclass Shelf:\n def add(self): ...")
    control(init_system(shelf.Shelf, tmp_path / "w")).close()


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("@was('old')\n def a(self): ...\n @was('old')\n def b(self): ...", r"Shelf\.a and Shelf\.b"),
        ("def old(self): ...\n @was('old')\n def b(self): ...", "has a method old today"),
        ("@was('a')\n def a(self): ...", "which it is"),
        ("def a(self): ...\n @was('a')\n @abort_exception\n def _b(self): ...", "both are @abort_exception, or neither"),
    ],
)
def test_methods_that_claim_one_name_are_refused(program: Program, tmp_path: Path, body: str, what: str) -> None:
    """A recorded call can be of one method only."""
    shelf = program.become(f"from coopy import abort_exception, was\nclass Shelf:\n {body}")
    with pytest.raises(UsageError, match=what):
        init_system(shelf.Shelf, tmp_path / "w")
    assert not (tmp_path / "w").exists()


# --- calls that are not what they were -------------------------------------------------------------------------------


def test_a_private_method_runs_the_calls_that_are_none_any_more(program: Program, tmp_path: Path) -> None:
    """A removed method, and a removed and a new parameter: what today's signature does not take goes to the old one."""
    first = program.become(
        "class Shelf:\n def __init__(self): self.said = []\n def add(self, title, size): self.said.append(title)\n def sort(self): self.said.sort()"
    )
    with control(init_system(first.Shelf(), tmp_path / "w")) as shelf:
        shelf.add("b", 3)
        shelf.add("a", size=4)
        shelf.sort()
    text = """
    from coopy import was

    class Shelf:
        def __init__(self):
            self.said = []

        def add(self, title):
            self.said.append(title.upper())

        @was("add")
        def _add_with_size(self, title, size):
            self.said.append((title, size))

        @was("sort")
        def _sort(self):
            self.said.sort()
    """
    second = program.become(text)
    for more in ([], ["C"]):
        with control(init_system(second.Shelf, tmp_path / "w")) as shelf:
            assert shelf.said == [("a", 4), ("b", 3), *more]
            if not more:
                shelf.add("c")
                with pytest.raises(TypeError):
                    shelf.add("c", 3)
                assert not hasattr(shelf, "sort")


def test_an_old_call_is_undone_like_a_new_one(program: Program, tmp_path: Path) -> None:
    """`@abort_exception` on both: what the validator proved of the one says nothing of the other."""
    first = program.become("class Shelf:\n def __init__(self): self.said = []\n def add(self, title, size):\n  self.said.append(title)")
    with control(init_system(first.Shelf(), tmp_path / "w")) as shelf:
        shelf.add("a", 3)
    text = """
    from coopy import abort_exception, was

    class Shelf:
        def __init__(self):
            self.said = []

        @abort_exception
        def add(self, title):
            if title == "x":
                raise ValueError(title)
            self.said.append(title)

        @was("add")
        @abort_exception
        def _add_with_size(self, title, size):
            self.said.append(size)
            raise ValueError(size)
    """
    with control(init_system(program.become(text).Shelf, tmp_path / "w", on_divergence="warn")) as shelf:
        assert control(shelf).stats().divergences == 1
        with pytest.raises(ValueError, match="x"):
            shelf.add("x")


def test_a_mark_holds_for_a_method_that_a_subclass_overrides(program: Program, tmp_path: Path) -> None:
    """It is about the name."""
    first = program.become("class Shelf:\n def __init__(self): self.said = []\n def add(self, title): self.said.append(title)")
    with control(init_system(first.Shelf(), tmp_path / "w")) as shelf:
        shelf.add("a")
    base = "class Base:\n def __init__(self): self.said = []\n @was('add')\n def put(self, title): ...\n"
    second = program.become(f"from coopy import was\n{base}class Shelf(Base):\n def put(self, title): self.said.append(title * 2)")
    with control(init_system(second.Shelf, tmp_path / "w")) as shelf:
        assert shelf.said == ["aa"]


def test_parameters_with_defaults_may_be_added(program: Program, tmp_path: Path) -> None:
    """The record holds what the caller passed, not the defaults."""
    first = program.become("class Shelf:\n def __init__(self): self.said = []\n def add(self, title): self.said.append(title)")
    with control(init_system(first.Shelf(), tmp_path / "w")) as shelf:
        shelf.add("a")
    second = program.become(
        "class Shelf:\n def __init__(self): self.said = []\n def add(self, title, size=3): self.said.append((title, size))"
    )
    with control(init_system(second.Shelf, tmp_path / "w")) as shelf:
        assert shelf.said == [("a", 3)]


def test_what_old_calls_run_is_validated(program: Program, tmp_path: Path) -> None:
    """It runs in every restore, so it must do the same in each."""
    shelf = program.become("import time\nfrom coopy import was\nclass Shelf:\n @was('old')\n def _old(self): self.at = time.time()")
    with pytest.raises(PrevalentError, match=r"time\.time"):
        init_system(shelf.Shelf, tmp_path / "w")


# --- what a fix removes ----------------------------------------------------------------------------------------------

RAISES = "class Shelf:\n def __init__(self): self.said = []\n def add(self, title):\n  if not title: raise ValueError(title)\n  self.said.append(title)"
FIXED = "class Shelf:\n def __init__(self): self.said = []\n def add(self, title):\n  self.said.append(title or '?')"


def tried(shelf: Any, directory: Path) -> None:
    """A call that raises between two that do not."""
    with control(init_system(shelf.Shelf(), directory)) as one:
        one.add("a")
        with pytest.raises(ValueError, match=r"^$"):
            one.add("")
        one.add("b")


def test_an_exception_that_a_fix_removes_stops_the_opening(program: Program, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The caller was told that it failed. on_divergence="warn" takes what the new code does."""
    tried(program.become(RAISES), tmp_path / "w")
    fixed = program.become(FIXED)
    with pytest.raises(DivergenceError, match="take a snapshot") as caught:
        init_system(fixed.Shelf, tmp_path / "w")
    assert (caught.value.lsn, caught.value.expected, caught.value.got) == (2, "raise builtins.ValueError", "returned")
    with caplog.at_level(logging.WARNING), control(init_system(fixed.Shelf, tmp_path / "w", on_divergence="warn")) as one:
        assert one.said == ["a", "?", "b"]
        assert control(one).stats().divergences == 1
        control(one).take_snapshot()
    assert "LSN 2" in caplog.text
    with control(init_system(fixed.Shelf, tmp_path / "w")) as one:
        assert one.said == ["a", "?", "b"]


def test_a_snapshot_with_the_old_code_keeps_what_was(program: Program, tmp_path: Path) -> None:
    """The way that the error names, in processes of their own: nothing is left for the new code to replay."""
    tried(program.become(RAISES), tmp_path / "w")
    program.run("from coopy import control, init_system; from shelf import Shelf; control(init_system(Shelf, 'w')).take_snapshot()")
    program.write(FIXED)
    seen = program.run(
        "from coopy import control, init_system; from shelf import Shelf; one = init_system(Shelf, 'w'); one.add(''); print(one.said)"
    )
    assert seen.stdout.strip() == "['a', 'b', '?']"


def test_a_method_that_is_gone_is_named(program: Program, tmp_path: Path) -> None:
    """And what to do about it."""
    fill(program.become(FIRST), tmp_path / "w")
    shelf = program.become(FIRST.replace("def add", "def create"))
    with pytest.raises(DivergenceError, match=r"Shelf has no action 'add'.*@was") as caught:
        init_system(shelf.Shelf, tmp_path / "w")
    assert caught.value.lsn == 1


def test_a_member_of_an_enumeration_that_is_gone_is_named(program: Program, tmp_path: Path) -> None:
    """Until the class says which one took its place. A member may change its name, what is stored is its value."""
    fill(program.become(FIRST), tmp_path / "w")
    gone = FIRST.replace('BLUE = "blue"', 'GREEN = "green"')
    with pytest.raises(UpgradeError, match=r"LSN 2: 'blue' is stored as a member of shelf:Colour.*_missing_") as caught:
        init_system(program.become(gone).Shelf, tmp_path / "w")
    assert (caught.value.name, caught.value.lsn) == ("shelf:Colour", 2)
    told = gone.replace(
        '"green"\n',
        '"green"\n\n        @classmethod\n        def _missing_(cls, value):\n            return cls.GREEN if value == "blue" else None\n',
    )
    assert opened(program.become(told).Shelf, tmp_path / "w") == KEPT
    assert opened(program.become(FIRST.replace("BLUE", "AZURE")).Shelf, tmp_path / "w") == KEPT


# --- replicas --------------------------------------------------------------------------------------------------------


def test_a_replica_gets_the_new_code_first_and_the_primary_after_it(program: Program, tmp_path: Path) -> None:
    """It knows the primary's names by their marks, and takes the new ones when they come. The other way round it is refused."""
    first = program.become(FIRST)
    (port,) = free_ports(1)
    primary = init_system(first.Shelf(), tmp_path / "p", master=True, port=port)
    primary.add("a")
    control(init_system(first.Shelf, tmp_path / "r", replication=True, port=port)).close()
    primary.put(first.Book("b"))
    with pytest.raises(first.TooMany):
        primary.refuse()
    second = program.become(SECOND)
    replica = init_system(second.Case, tmp_path / "r", replication=True, port=port)
    control(replica).wait_for(control(primary).token, timeout=60)
    assert replica.titles() == [("a", "a"), ("b", "b")]
    control(replica).take_snapshot()
    control(primary).close()
    with control(init_system(second.Case, tmp_path / "p", master=True, port=port)) as primary:
        primary.create("c")
        control(replica).wait_for(control(primary).token, timeout=60)
        assert replica.titles() == [("a", "a"), ("b", "b"), ("c", "c")]
        control(replica).promote()
        replica.create("d")
        control(replica).close()
        manifest = read_manifest(RealDisk(), str(tmp_path / "r"), b"")
        assert manifest is not None
        assert manifest.identity.domain == "shelf:Case"
        old = program.become(FIRST)
        with pytest.raises(UsageError, match="holds a shelf:Case"):
            init_system(old.Shelf, tmp_path / "r", replication=True, port=port)


def test_a_new_replica_gets_a_snapshot_of_the_time_before_its_class_had_another_name(program: Program, tmp_path: Path) -> None:
    """The primary announces itself by today's name, and its newest snapshot has the one of its day."""
    first = program.become(FIRST)
    with control(init_system(first.Shelf(), tmp_path / "p")) as primary:
        primary.add("a")
    second = program.become(SECOND)
    with control(init_system(second.Case, tmp_path / "p", master=True, port=0)) as primary:
        port = control(primary).address[1]
        with control(init_system(second.Case, tmp_path / "r", replication=True, port=port)) as replica:
            control(replica).wait_for(control(primary).token, timeout=60)
            assert replica.titles() == [("a", "a")]


def test_a_replica_that_is_promoted_takes_the_new_name(program: Program, tmp_path: Path) -> None:
    """Its primary never had it."""
    first = program.become(FIRST)
    primary = init_system(first.Shelf(), tmp_path / "p", master=True, port=0)
    port = control(primary).address[1]
    control(init_system(first.Shelf, tmp_path / "r", replication=True, port=port)).close()
    second = program.become(SECOND)
    with control(init_system(second.Case, tmp_path / "r", replication=True, port=port)) as replica:
        control(primary).close()
        control(replica).promote()
        replica.create("a")
    manifest = read_manifest(RealDisk(), str(tmp_path / "r"), b"")
    assert manifest is not None
    assert manifest.identity.domain == "shelf:Case"
    assert opened(second.Case, tmp_path / "r") == [("a", "a")]


UNDONE = """
    from coopy import abort_exception, readonly, was

    class Shelf:
        def __init__(self):
            self.said = []

        @readonly
        def all(self):
            return list(self.said)

        @abort_exception
        def add(self, title, size):
            self.said.append(title)
            if size:
                raise ValueError(title)

        @abort_exception
        def drop(self):
            self.said.clear()
            raise ValueError("drop")
"""
NEW_ADD = """
        @abort_exception
        def add(self, title):
            if not title:
                raise ValueError(title)
            self.said.append(title)
"""
CHANGES = {"drop": "clear", "add": "_add"}
UNDONE_TODAY = UNDONE + NEW_ADD
for old, new in CHANGES.items():
    UNDONE_TODAY = UNDONE_TODAY.replace(
        f"@abort_exception\n        def {old}", f"@was('{old}')\n        @abort_exception\n        def {new}", 1
    )


@pytest.mark.parametrize("call", [("add", "b", 1), ("drop",)])
def test_a_replica_undoes_an_old_call(program: Program, tmp_path: Path, call: tuple[Any, ...]) -> None:
    """By its old name, and whatever was proved of the new method: that one changes nothing before it raises, the one for old calls does."""
    first = program.become(UNDONE)
    primary = init_system(first.Shelf(), tmp_path / "p", master=True, port=0)
    port = control(primary).address[1]
    control(init_system(first.Shelf, tmp_path / "r", replication=True, port=port)).close()
    primary.add("a", 0)
    with pytest.raises(ValueError, match=[*call, ""][1] or "drop"):
        getattr(primary, call[0])(*call[1:])
    second = program.become(UNDONE_TODAY)
    with control(init_system(second.Shelf, tmp_path / "r", replication=True, port=port)) as replica:
        control(replica).wait_for(control(primary).token, timeout=60)
        assert replica.all() == ["a"]
        assert control(replica).stats().rebuilds.count == 1
    control(primary).close()


def test_a_replica_whose_classes_do_not_fit_says_so(program: Program, tmp_path: Path) -> None:
    """It executes nothing of that record, and no later one."""
    first = program.become(FIRST)
    primary = init_system(first.Shelf(), tmp_path / "p", master=True, port=0)
    port = control(primary).address[1]
    control(init_system(first.Shelf, tmp_path / "r", replication=True, port=port)).close()
    primary.add("a")
    primary.put(first.Book("b"))
    second = program.become(FIRST.replace("class Book:", "class Tome:").replace("Book", "Tome"))
    replica = init_system(second.Shelf, tmp_path / "r", replication=True, port=port)
    with pytest.raises(CoopyError):
        control(replica).wait_for(control(primary).token, timeout=60)
    wait_until(lambda: "Something of class shelf.Book is stored" in control(replica).problem)  # its thread says it a moment later
    with pytest.raises(ClosedError, match=r"shelf\.Book"):
        replica.titles()
    control(replica).close()
    control(primary).close()


def test_a_replica_with_old_code_is_refused_by_name(program: Program, tmp_path: Path) -> None:
    """Its directory stays as it was."""
    first = program.become(FIRST)
    (port,) = free_ports(1)
    primary = init_system(first.Shelf(), tmp_path / "p", master=True, port=port)
    control(init_system(first.Shelf, tmp_path / "r", replication=True, port=port)).close()
    control(primary).close()
    second = program.become(SECOND)
    with control(init_system(second.Case, tmp_path / "p", master=True, port=port)):
        old = program.become(FIRST)
        with pytest.raises(ReplicaError, match=r"has a shelf:Case by now.*knows it as shelf:Shelf.*Start the replica with"):
            init_system(old.Shelf, tmp_path / "r", replication=True, port=port)
    assert opened_replica(old, tmp_path / "r", port) == []


def opened_replica(shelf: Any, directory: Path, port: int) -> Any:
    """What a replica shows whose primary is not there."""
    with control(init_system(shelf.Shelf, directory, replication=True, port=port)) as replica:
        return replica.titles()


SCRIPT = """
    import sys
    from coopy import control, init_system

    class Page:
        pass

    class Book:
        def __init__(self):
            self.pages = []

        def add(self):
            self.pages.append(Page())

    with control(init_system(Book, "book", validation="off")) as book:
        book.add()
        book.take_snapshot()
"""


def test_a_class_of_a_script_that_is_gone_is_named_and_its_snapshots_are_good(program: Program, tmp_path: Path) -> None:
    """Its module has a name that begins with two underscores, as no class has."""
    program.write("")
    program.run(SCRIPT)
    ran = program.run(SCRIPT.replace("Page", "Sheet"), check=False)
    assert "UpgradeError" in ran.stderr
    assert (
        "Something of class __main__.Page is stored, and there is no such class any more. Nothing was changed, the files are good."
        in ran.stderr
    )
    assert "is tried" not in ran.stderr
