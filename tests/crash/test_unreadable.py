"""A disk that does not give what it holds: the error says where, what is intact and what to do, and nothing is changed."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from coopy import control, init_system
from coopy.error import CorruptionError
from coopy.journal.segment import segment_name
from coopy.snapshot import snapshot_name
from tests.functional.test_command import run
from tests.words import Word

if TYPE_CHECKING:
    from pathlib import Path

read = os.pread


def bad_sector(monkeypatch: pytest.MonkeyPatch, path: Path, offset: int, stop: int = 1 << 40) -> None:
    """Reads of this file give what is before the sector, then fail up to `stop`, as on Linux. A file that takes its name lies elsewhere."""
    bad = path.stat().st_ino
    os.link(path, path.parent.parent / f"bad {path.name}")  # so that no other file gets its place

    def pread(fd: int, size: int, at: int) -> bytes:
        if os.fstat(fd).st_ino != bad or at + size <= offset or at >= stop:
            return read(fd, size, at)
        if at < offset:
            return read(fd, offset - at, at)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "pread", pread)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Two snapshots and forty letters after the second."""
    with control(init_system(Word, tmp_path / "w")) as word:
        word.add("a")
        control(word).take_snapshot()
        for _ in range(40):
            word.add("b")
    return tmp_path / "w"


def text(directory: Path) -> str:
    with control(init_system(Word, directory)) as word:
        return str(word.text)


@pytest.mark.parametrize(("offset", "lsn"), [(0, 2), (512, 2), (1024, 10), (2048, 26)])
def test_a_bad_sector_in_the_journal_is_named(directory: Path, monkeypatch: pytest.MonkeyPatch, offset: int, lsn: int) -> None:
    """File, offset and LSN; and once the disk gives its bytes again, everything is there."""
    with monkeypatch.context() as patch:
        bad_sector(patch, directory / segment_name(2), offset)
        with pytest.raises(
            CorruptionError, match=f"cannot be read at offset {offset}: Input/output error. .* up to LSN {lsn - 1} is intact"
        ) as caught:
            text(directory)
        assert (caught.value.path, caught.value.offset, caught.value.lsn) == (str(directory / segment_name(2)), offset, lsn)
        assert f"at offset {offset}, after LSN {lsn - 1}" in run("check", directory, code=1)
    assert text(directory) == "a" + "b" * 40


def test_a_bad_sector_in_the_newest_snapshot_leaves_the_one_before(
    directory: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As any other damage of it; loudly."""
    bad_sector(monkeypatch, directory / snapshot_name(1), 0)
    assert text(directory) == "a" + "b" * 40
    said = f"{directory / snapshot_name(1)} cannot be read at offset 0: Input/output error."
    assert f"{said} The snapshot before it is tried." in caplog.text
    for command in ("check", "status"):
        assert said in run(command, directory, code=1)
    run("repair", "--manifest", "--yes", directory)
    assert run("repair", directory) == "All is whole: there is nothing to repair.\n"


def test_a_bad_sector_in_the_only_snapshot_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing else to begin with."""
    init_system(Word, tmp_path / "w").close()
    bad_sector(monkeypatch, tmp_path / "w" / snapshot_name(0), 512)
    with pytest.raises(CorruptionError, match="cannot be read at offset 512") as caught:
        text(tmp_path / "w")
    assert caught.value.path == str(tmp_path / "w" / snapshot_name(0))


# --- what an operator may do about it --------------------------------------------------------------------------------

PAGE = 4096


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Hundred words behind a snapshot, in a segment of more than two pages."""
    with control(init_system(Word, tmp_path / "w")) as word:
        word.add("a")
        control(word).take_snapshot()
        for _ in range(100):
            word.add("b" * 20)
    return tmp_path / "w"


def test_what_cannot_be_read_of_the_newest_segment_can_be_given_up(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what is behind it. All that the disk gives is kept, also of that; what it does not give is zeros there, and how much that is, is said."""
    path = large / segment_name(2)
    was = path.read_bytes()
    assert len(was) > 2 * PAGE
    bad_sector(monkeypatch, path, PAGE, 2 * PAGE)
    with pytest.raises(CorruptionError, match="`coopy repair`") as caught:
        text(large)
    assert "--drop-tail" in run("repair", large, code=1)
    said = run("repair", "--drop-tail", "--yes", large)
    assert (
        f"The disk does not give {PAGE:,} bytes of the file: they are zeros there. The journal ends at LSN {caught.value.lsn - 1} then"
        in said
    )
    [kept] = (large / "quarantine").iterdir()
    assert int(kept.suffix[1:]) < PAGE
    whole = path.read_bytes() + kept.read_bytes()
    assert whole == was[:PAGE] + bytes(PAGE) + was[2 * PAGE :]
    assert run("repair", large) == "All is whole: there is nothing to repair.\n"
    assert text(large) == "a" + "b" * 20 * (caught.value.lsn - 2)


def test_a_header_that_cannot_be_read_is_damaged_like_any_other(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it said is known from elsewhere; no record shares its page here."""
    bad_sector(monkeypatch, large / segment_name(2), 0, 1)
    said = run("repair", "--drop-tail", "--yes", large)
    assert "The disk does not give 4,096 bytes of the file" in said
    assert "an empty segment takes its place" in said
    assert text(large) == "a"


def test_what_cannot_be_read_behind_the_last_record_costs_nothing(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room was reserved there, and nothing written."""
    path = large / segment_name(2)
    end = path.stat().st_size
    path.write_bytes(path.read_bytes() + bytes(3 * PAGE))
    bad_sector(monkeypatch, path, end + PAGE, end + 2 * PAGE)
    said = run("repair", "--drop-tail", "--yes", large)
    assert f"There is nothing in {path} from offset {end} on. The disk does not give" in said
    assert "The journal ends at LSN 101. There was nothing to keep." in said
    assert text(large) == "a" + "b" * 2000


@pytest.mark.parametrize("name", ["MANIFEST", "HWM"])
def test_a_manifest_or_mark_that_cannot_be_read_is_written_anew(directory: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """As where it is lost: named by file and offset before."""
    bad_sector(monkeypatch, directory / name, 0)
    with pytest.raises(CorruptionError, match="`coopy repair`") as caught:
        text(directory)
    assert (caught.value.path, caught.value.offset) == (str(directory / name), 0)
    assert f"DAMAGED {name} at offset 0  {directory / name} cannot be read at offset 0" in run("check", directory, code=1)
    assert "  --manifest  " in run("repair", directory, code=1)
    run("repair", "--manifest", "--yes", directory)
    assert run("repair", directory) == "All is whole: there is nothing to repair.\n"
    assert text(directory) == "a" + "b" * 40
