"""A newest segment that cannot be read is given up only when asked, only as far as it is lost, and what is left can be opened."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from coopy import control, init_system
from coopy.cli import main
from coopy.error import CorruptionError
from coopy.journal.segment import segment_name
from coopy.snapshot import snapshot_name
from tests.functional.test_command import DAMAGE, FIRST, NEW, SECOND, filled, flip, good, run, swap
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["filled", "good"]
WHOLE = "All is whole: there is nothing to repair.\n"


def opened(directory: Path) -> tuple[int, str]:
    """The last LSN and the state; and it goes on, over another restart."""
    with control(init_system(Word, directory)) as word:
        lsn, text = control(word).lsn, word.text
        word.add("!")
    with control(init_system(Word, directory)) as word:
        assert word.text == text + "!"
    return lsn, text


def empty(directory: Path) -> None:
    """A segment of no byte."""
    (directory / SECOND).write_bytes(b"")


def cut_header(directory: Path) -> None:
    """A segment that ends within its header."""
    (directory / SECOND).write_bytes((directory / SECOND).read_bytes()[:100])


def zeros(directory: Path) -> None:
    """A segment as long as it was, of nothing."""
    (directory / SECOND).write_bytes(bytes((directory / SECOND).stat().st_size))


def gone(directory: Path) -> None:
    """No segment."""
    (directory / SECOND).unlink()


def anothers(directory: Path) -> None:
    """The segment of another system."""
    swap(directory, SECOND)


LOST: list[Callable[[Path], None]] = [empty, cut_header, zeros, gone, anothers]


@pytest.mark.parametrize("lose", LOST)
def test_a_newest_segment_that_is_lost_is_given_up_when_asked(good: Path, lose: Callable[[Path], None]) -> None:
    """All up to the one before can be opened then, and what there was of it is kept. How much is lost is said before."""
    lose(good)
    was = (good / SECOND).read_bytes() if lose is not gone else b""
    with pytest.raises(
        CorruptionError, match=rf"{SECOND}.*nothing was changed\. .*`coopy repair`|{SECOND} is missing.*`coopy repair`"
    ) as caught:
        init_system(Word, good)
    assert lose is gone or ("up to LSN 4 is in other files" in str(caught.value) and caught.value.lsn == 5)
    assert "--drop-tail" in run("repair", good, code=1)
    refused = run("repair", "--drop-tail", good, code=2)
    assert f"{good / SECOND}" in refused
    assert "The journal ends at LSN 4 then; up to LSN 7 it was on stable storage once" in refused
    assert was == ((good / SECOND).read_bytes() if lose is not gone else b"")
    said = run("repair", "--drop-tail", "--yes", good)
    assert f"The journal ends at LSN 4. {'What was cut off is in' if was else 'There was nothing to keep.'}" in said
    kept = list((good / "quarantine").iterdir()) if was else []
    assert [one.read_bytes() for one in kept] == ([was] if was else [])
    assert run("repair", good) == WHOLE
    assert "Nothing had to be cut off" in run("repair", "--drop-tail", "--yes", good)
    assert opened(good) == (4, "abc")


@pytest.mark.parametrize("at", [3, 30, 50, 100])
def test_of_a_newest_segment_only_the_header_is_written_anew_where_only_that_is_damaged(good: Path, at: int) -> None:
    """Its records say themselves that they are whole, and nothing is lost."""
    flip(good, SECOND, at)
    was = (good / SECOND).read_bytes()
    with pytest.raises(CorruptionError, match=SECOND):
        init_system(Word, good)
    said = run("repair", "--drop-tail", "--yes", good)
    assert "all its records are whole" in said
    assert "The journal ends at LSN 7." in said
    assert [one.read_bytes() for one in (good / "quarantine").iterdir()] == [was]
    assert run("repair", good) == WHOLE
    assert opened(good) == (7, "abcd-ef")


@pytest.mark.parametrize("lose", [*LOST[:4], lambda where: flip(where, SECOND, 50)])
def test_a_lost_manifest_and_a_lost_newest_segment_are_two_steps(good: Path, lose: Callable[[Path], None]) -> None:
    """The manifest is rebuilt from what can be read, and that it is not enough is said, by the exit status, too."""
    lose(good)
    (good / "MANIFEST").unlink()
    said = run("repair", "--manifest", "--yes", good, code=1)
    assert f"repair --drop-tail {good}" in said
    assert "snapshots at LSN 0, 4" in said
    run("check", good, code=1)
    said = run("repair", "--drop-tail", "--yes", good)
    assert run("repair", good) == WHOLE
    assert opened(good) in {(4, "abc"), (7, "abcd-ef")}


def test_both_steps_can_be_asked_for_at_once(good: Path) -> None:
    """First the manifest, then the tail."""
    gone(good)
    (good / "MANIFEST").unlink()
    run("repair", "--manifest", "--drop-tail", "--yes", good)
    assert opened(good) == (4, "abc")


def test_the_only_segment_can_be_given_up(good: Path) -> None:
    """Where the journal was pruned a snapshot is all there is before it."""
    run("prune", "--keep", 1, "--yes", good)
    assert not (good / FIRST).exists()
    empty(good)
    run("repair", "--drop-tail", "--yes", good)
    assert opened(good) == (4, "abc")


@pytest.mark.parametrize("mend", ["--manifest --drop-tail", "--manifest"])
def test_the_only_segments_header_and_the_manifest_can_be_lost_at_once(good: Path, mend: str) -> None:
    """The snapshot before says what both said, and the records are whole."""
    run("prune", "--keep", 1, "--yes", good)
    flip(good, "MANIFEST", 60)
    flip(good, SECOND, 50)
    assert "--manifest  MANIFEST is written anew, as no replica's: 1 segments up to LSN 7, snapshots at LSN 4." in run(
        "repair", good, code=1
    )
    said = run("repair", *mend.split(), "--yes", good, code=int(mend == "--manifest"))
    if mend == "--manifest":
        assert "It cannot be opened yet. Next: coopy repair --drop-tail" in said
        run("repair", "--drop-tail", "--yes", good)
    assert run("repair", good) == WHOLE
    assert opened(good) == (7, "abcd-ef")


def test_what_no_file_says_is_not_guessed(good: Path) -> None:
    """Without manifest, header and snapshot there is nothing to begin with; one of them is enough."""
    run("prune", "--keep", 1, "--yes", good)
    flip(good, "MANIFEST", 60)
    flip(good, SECOND, 50)
    flip(good, NEW, -60)
    assert "nothing else  can be done" in run("repair", good, code=1)
    said = run("repair", "--manifest", "--yes", good, code=1)
    assert SECOND in said
    assert "no snapshot at LSN 4 says what the header said. Nothing was changed. Restore one of the three from a backup." in said
    flip(good, NEW, -60)
    run("repair", "--manifest", "--drop-tail", "--yes", good)
    assert opened(good) == (7, "abcd-ef")


def test_whose_a_directory_is_has_to_be_told_only_where_no_manifest_says_so(good: Path) -> None:
    """What is known is not asked for."""
    flip(good, NEW, -60)
    assert "no replica's\n" in run("repair", "--manifest", "--yes", good)
    flip(good, "MANIFEST", 60)
    assert "no replica's: if it is, repeat this with --replica" in run("repair", "--manifest", "--yes", good)


def test_an_action_is_not_left_out_because_one_that_was_cut_off_had_its_lsn(good: Path) -> None:
    """What `--skip` said was about that one."""
    run("repair", "--skip", 7, "--yes", good)
    empty(good)
    run("repair", "--drop-tail", "--yes", good)
    with control(init_system(Word, good)) as word:
        word.add_many("x", "y", "z")
        word.add("1")
        word.add("2")
        assert control(word).lsn == 7
    with control(init_system(Word, good)) as word:
        assert word.text == "abcxyz12"


def test_a_manifest_that_is_rebuilt_says_what_it_said_of_actions_to_leave_out(good: Path) -> None:
    """No other file says that; a snapshot that is left out does not bring the action back."""
    run("repair", "--skip", 7, "--yes", good)
    flip(good, NEW, -60)
    run("repair", "--manifest", "--yes", good)
    assert opened(good) == (7, "abcd-e")


def test_a_manifest_that_is_rebuilt_says_whose_it_is_as_before(good: Path, tmp_path: Path) -> None:
    """A replica's stays a replica's without being told."""
    where = tmp_path / "replica"
    shutil.copytree(good, where)
    run("repair", "--manifest", "--replica", "--yes", where)
    flip(where, NEW, -60)
    assert "as a replica's" in run("repair", where, code=1)
    run("repair", "--manifest", "--yes", where)
    assert "it is a replica's" in run("status", where)


# --- what is advised works -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DAMAGE)
def test_each_way_that_is_advised_can_be_gone(good: Path, name: str) -> None:
    """One after another, each time the first, until the directory is whole and can be opened."""
    DAMAGE[name](good)
    for _ in range(3):
        ways = re.findall(r"^  (--[a-z-]+|coopy prune --keep \d+)  ", run("repair", good, code=1), re.MULTILINE)
        command = ["repair", ways[0]] if ways[0].startswith("--") else ways[0].split()[1:]
        ran = CliRunner().invoke(main, [*command, "--yes", str(good)])
        assert ran.exit_code in {0, 1}, ran.output
        if CliRunner().invoke(main, ["check", str(good)]).exit_code == 0:
            opened(good)
            return
    pytest.fail("it was not whole after three steps")


def test_where_nothing_can_be_done_that_is_said(good: Path) -> None:
    """Without any snapshot, and with damage that no pruning makes superfluous."""
    flip(good, NEW, -60)
    flip(good, snapshot_name(0), -60)
    assert "nothing else  can be done" in run("repair", good, code=1)


def test_a_segment_in_the_middle_is_not_given_up(good: Path) -> None:
    """All behind it would be lost for good: it needs another copy."""
    (good / FIRST).write_bytes(b"")
    assert "--drop-tail" not in run("repair", good, code=1)


# --- segments that no manifest lists ---------------------------------------------------------------------------------


@pytest.mark.parametrize("lsn", [8, 9])
@pytest.mark.parametrize("content", [lambda where: (where / SECOND).read_bytes(), lambda _: b"", lambda _: b"mine"])
def test_what_an_opening_stops_at_is_told_before(good: Path, content: Callable[[Path], bytes], lsn: int) -> None:
    """A segment that nobody knows, behind the newest: the file is named, and what to do. Once that is done it can be opened."""
    stray = good / segment_name(lsn)
    stray.write_bytes(content(good))
    with pytest.raises(CorruptionError, match=stray.name):
        init_system(Word, good)
    for command in (["check", good], ["repair", good], ["rehearse", good, "tests.words:Word"]):
        said = run(*command, code=1)
        assert str(stray) in said
        assert "Move the file out of the directory." in said
    stray.rename(good.parent / stray.name)
    for command in (["check", good], ["repair", good], ["rehearse", good, "tests.words:Word"]):
        run(*command)
    assert opened(good) == (7, "abcd-ef")


def test_segments_that_an_older_manifest_does_not_list_are_told_as_they_will_be_opened(good: Path) -> None:
    """The journal goes on in them, and what is wrong with them stops the opening."""
    manifest = (good / "MANIFEST").read_bytes()
    with control(init_system(Word, good, keep_snapshots=9)) as word:
        control(word).take_snapshot()
        word.add("g")
    (good / "MANIFEST").write_bytes(manifest)
    assert "LSN 8 to 8" in run("check", good)
    assert "Replayed 4 actions" in run("rehearse", good, "tests.words:Word")
    flip(good, segment_name(8), -70)
    assert segment_name(8) in run("check", good, code=1)
    assert segment_name(8) in run("rehearse", good, "tests.words:Word", code=1)
    run("repair", "--drop-tail", "--yes", good)
    assert opened(good) == (7, "abcd-ef")
