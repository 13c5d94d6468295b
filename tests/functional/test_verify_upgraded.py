"""Digests that were recorded before classes had today's names and shapes: what they can be compared with, and what they cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import coopy
from coopy import control, init_system, rehearse
from coopy.disk import RealDisk
from coopy.error import DivergenceError
from coopy.wiring.helper import Helper
from tests.program import program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.program import Program

__all__ = ["program"]

FIRST = """
import os

class Book:
    def __init__(self, title):
        self.title = title

class Shelf:
    def __init__(self):
        self.books = []

    def add(self, title):
        self.books.append(Book(title))

    def add_whose(self):
        self.books.append(Book(os.environ.get("WHOSE", "nobody's")))
"""
SHAPED = FIRST.replace(
    "class Book:",
    "from coopy import upgrade\n\nclass Book:\n    @upgrade(from_=1)\n    @staticmethod\n    def _(state): return {**state, 'year': 0}\n",
).replace("self.title = title", "self.title, self.year = title, 0")
RENAMED = FIRST.replace("class Book:", "from coopy import was\n\n@was('Book')\nclass Tome:").replace("Book(", "Tome(")
CHANGED = FIRST.replace("self.title = title", "self.title = title.upper()")
NESTED = FIRST.replace("class Shelf:", "class Cover:\n    @was('Back')\n    class Front: ...\n\nclass Shelf:").replace(
    "import os", "import os\nfrom coopy import was"
)


def digested(shelf: Any, directory: Path, *titles: str, snapshot: bool = False) -> None:
    """A digest after each title, and a snapshot before the last one."""
    with control(init_system(shelf.Shelf, directory, validation="off")) as one:
        for title in titles:
            if snapshot and title == titles[-1]:
                control(one).take_snapshot()
            one.add(title)
            control(one).digest()


@pytest.mark.parametrize("snapshot", [False, True])
@pytest.mark.parametrize("text", [SHAPED, RENAMED])
def test_digests_of_former_shapes_and_names_are_no_difference(program: Program, tmp_path: Path, text: str, *, snapshot: bool) -> None:
    """Replays are compared there with each other; the report says what could not be. Digests of today are compared as ever."""
    digested(program.become(FIRST), tmp_path / "w", "a", "b", snapshot=snapshot)
    assert coopy.verify(tmp_path / "w").former == ()
    program.become(text)
    found = coopy.verify(tmp_path / "w")
    assert (found.former, found.compared) == ((1, 2), (0, 1, 2))
    assert "The digests recorded at LSN 1, 2 are of former names or shapes of its classes" in str(found)
    assert "compared at LSN 0 to 2." in str(found)
    digested(program.become(text), tmp_path / "w", "c")
    found = coopy.verify(tmp_path / "w")
    assert (found.former, found.compared) == ((1, 2), (0, 1, 2, 3))


def test_a_digest_of_todays_shapes_is_compared(program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the shapes were before."""
    digested(program.become(FIRST), tmp_path / "w", "a")
    shelf = program.become(SHAPED)
    monkeypatch.setenv("WHOSE", "mine")
    with control(init_system(shelf.Shelf, tmp_path / "w", validation="off")) as one:
        one.add_whose()
        control(one).digest()
    monkeypatch.delenv("WHOSE")
    with pytest.raises(DivergenceError, match="not with the digest in the journal") as caught:
        coopy.verify(tmp_path / "w")
    assert caught.value.lsn == 2
    found = rehearse(tmp_path / "w", "shelf:Shelf", validation="off")
    assert (found.differs, found.translated, found.safe) == (2, False, False)


def test_code_that_changed_without_a_word_about_it_is_named_as_the_likely_reason(program: Program, tmp_path: Path) -> None:
    """It may just as well do otherwise than it did."""
    digested(program.become(FIRST), tmp_path / "w", "a")
    program.become(CHANGED)
    with pytest.raises(DivergenceError, match=r"not with the digest in the journal.* Its code was changed since"):
        coopy.verify(tmp_path / "w")


def test_a_rehearsal_of_new_shapes_is_safe_where_only_replayed_actions_make_objects_of_them(program: Program, tmp_path: Path) -> None:
    """No object of the former shape need have been read: the snapshot may hold none."""
    digested(program.become(FIRST), tmp_path / "w", "a")
    for text, safe in ((FIRST, True), (SHAPED, True), (RENAMED, True), (CHANGED, False)):
        program.become(text)
        found = rehearse(tmp_path / "w", "shelf:Shelf", validation="off")
        assert (found.safe, found.differs) == (safe, 0 if text is FIRST else 1)
    program.become(NESTED.replace("self.title = title", "self.title = title.upper()"))
    assert rehearse(tmp_path / "w", "shelf:Shelf", validation="off").translated


def test_a_snapshot_by_another_process_takes_former_digests_for_what_they_are(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It replays them, too."""
    digested(program.become(FIRST), tmp_path / "w", "a")
    shelf = program.become(SHAPED)
    monkeypatch.setattr(Helper, "why_not", lambda _self: "")
    monkeypatch.setattr(RealDisk, "can_fork", lambda _self: False)
    with control(init_system(shelf.Shelf, tmp_path / "w", validation="off")) as one:
        one.add("b")
        one.take_snapshot(background=True)
        assert control(one).wait_snapshot() == 2
