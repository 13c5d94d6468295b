"""A disk that does not give what it holds: the error says where, what is intact and what to do, and nothing is changed."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from coopy import control, init_system
from coopy.cli import main
from coopy.error import CorruptionError
from coopy.journal.segment import segment_name
from coopy.snapshot import snapshot_name
from tests.words import Word

read = os.pread


def bad_sector(monkeypatch: pytest.MonkeyPatch, name: str, offset: int) -> None:
    """Reads of this file give what is before the sector, then fail, as Linux does."""

    def pread(fd: int, size: int, at: int) -> bytes:
        if Path(f"/proc/self/fd/{fd}").resolve().name != name or at + size <= offset:
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
        bad_sector(patch, segment_name(2), offset)
        with pytest.raises(
            CorruptionError, match=f"cannot be read at offset {offset}: Input/output error. .* up to LSN {lsn - 1} is intact"
        ) as caught:
            text(directory)
        assert (caught.value.path, caught.value.offset, caught.value.lsn) == (str(directory / segment_name(2)), offset, lsn)
        shown = CliRunner().invoke(main, ["check", str(directory)])
        assert shown.exit_code == 1
        assert f"at offset {offset}, after LSN {lsn - 1}" in shown.output
    assert text(directory) == "a" + "b" * 40


def test_a_bad_sector_in_the_newest_snapshot_leaves_the_one_before(
    directory: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As any other damage of it; loudly."""
    bad_sector(monkeypatch, snapshot_name(1), 512)
    assert text(directory) == "a" + "b" * 40
    assert snapshot_name(1) in caplog.text
    assert "DAMAGED" in CliRunner().invoke(main, ["check", str(directory)]).output


def test_a_bad_sector_in_the_only_snapshot_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing else to begin with."""
    init_system(Word, tmp_path / "w").close()
    bad_sector(monkeypatch, snapshot_name(0), 512)
    with pytest.raises(CorruptionError, match="cannot be read at offset 512") as caught:
        text(tmp_path / "w")
    assert caught.value.path == str(tmp_path / "w" / snapshot_name(0))
