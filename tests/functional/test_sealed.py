"""What was sealed in a run is read again beside the calls, or at the end, so that the manifest vouches for it and `coopy check` need only hash it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from coopy import control, init_system
from coopy.disk import RealDisk
from coopy.engine.check import check_directory
from coopy.engine.opening import Place
from coopy.journal.frame import HEADER_SIZE
from coopy.journal.segment import segment_name
from coopy.manifest import read_manifest
from coopy.wiring.systems import system_of
from tests.functional.test_operations import wait_until
from tests.words import Word

if TYPE_CHECKING:
    from pathlib import Path

    from coopy.manifest import Listed

OPTIONS: dict[str, Any] = {"segment_bytes": 4096, "durability": "buffered", "sync_interval": 3600}


def fill(word: Word, actions: int = 200) -> None:
    for number in range(actions):
        word.add("abc"[number % 3])


def how(directory: Path) -> list[str]:
    """How each segment is found whole."""
    return [one.how for one in check_directory(Place(RealDisk(), str(directory), b"", "")) if "journal-" in one.path and not one.problem]


def listed(directory: Path) -> tuple[Listed, ...]:
    """The segments as the manifest has them now."""
    manifest = read_manifest(RealDisk(), str(directory), b"")
    assert manifest is not None
    return manifest.segments


def vouched(directory: Path, one: Listed) -> bool:
    """Whether the manifest vouches for all of a segment."""
    return one.size == (directory / segment_name(one.first_lsn)).stat().st_size


@pytest.mark.parametrize("durability", ["sync", "buffered"])
def test_a_closed_directory_is_checked_by_digests_alone(tmp_path: Path, durability: str) -> None:
    """Also what was sealed in the very run that closed it."""
    with control(init_system(Word(), tmp_path / "w", **{**OPTIONS, "durability": durability})) as word:
        fill(word)
    assert how(tmp_path / "w") == ["digest"] * len(listed(tmp_path / "w"))
    assert len(listed(tmp_path / "w")) > 3
    with control(init_system(Word, tmp_path / "w")) as word:
        assert len(word.text) == 200


def test_it_is_read_beside_the_calls(tmp_path: Path) -> None:
    """Given a system that goes on, then its manifest vouches for what was sealed before the last segment."""
    with control(init_system(Word(), tmp_path / "w", **{**OPTIONS, "sync_interval": 0.01})) as word:
        fill(word)
        archive = system_of(word).archive
        wait_until(lambda: not archive.unread and not archive.is_vouched)
        fill(word)
        assert vouched(tmp_path / "w", listed(tmp_path / "w")[0])


def test_a_record_larger_than_a_piece_is_read_too(tmp_path: Path) -> None:
    """It is read in more."""
    with control(init_system(Word(), tmp_path / "w", **OPTIONS)) as word:
        word.add("x" * 300_000)
        fill(word)
    assert set(how(tmp_path / "w")) == {"digest"}


def test_what_was_damaged_since_it_was_written_is_not_vouched_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is told where, the others are vouched for, and check says the same."""
    directory = tmp_path / "w"
    with control(init_system(Word(), directory, **OPTIONS)) as word:
        fill(word)
        path = directory / segment_name(listed(directory)[1].first_lsn)
        data = bytearray(path.read_bytes())
        data[2000] ^= 1
        path.write_bytes(data)
    assert f"A segment that was sealed is not vouched for: {path} is damaged at offset 19" in caplog.text
    assert [vouched(directory, one) for one in listed(directory)] == [True, False, *[True] * (len(listed(directory)) - 2)]
    damaged = [one for one in check_directory(Place(RealDisk(), str(directory), b"", "")) if one.problem]
    assert [(one.path, one.how) for one in damaged] == [(str(path), "records")]


def test_a_segment_that_is_not_whole_behind_its_last_piece_is_not_vouched_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Bytes behind the SEAL, and a segment cut off at the end of a record, are told."""
    directory = tmp_path / "w"
    with control(init_system(Word(), directory, **OPTIONS)) as word:
        fill(word)
        longer, shorter = (directory / segment_name(one.first_lsn) for one in listed(directory)[1:3])
        longer.write_bytes(longer.read_bytes() + b"\0")
        seal = HEADER_SIZE + len(msgspec.msgpack.encode(listed(directory)[3].first_lsn))
        shorter.write_bytes(shorter.read_bytes()[:-seal])
    assert [vouched(directory, one) for one in listed(directory)[:4]] == [True, False, False, True]
    assert "the file ends inside the record's header" in caplog.messages[0]
    assert "it does not end where the next segment begins" in caplog.messages[1]


def test_what_was_pruned_before_it_was_read_is_nobodys_trouble(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It went, and with it what would be said of it."""
    with control(init_system(Word(), tmp_path / "w", **OPTIONS, keep_snapshots=1)) as word:
        fill(word)
        control(word).take_snapshot()
        control(word).prune()
    assert how(tmp_path / "w") == ["digest"]
    assert caplog.text == ""


def test_without_a_thread_it_is_read_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none is to be had, what goes by the clock goes on."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with control(init_system(Word(), tmp_path / "w", **OPTIONS)) as word:
        fill(word)
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            system_of(word)._turn()
        assert control(word).stats().durable == 200
    assert set(how(tmp_path / "w")) == {"digest"}


def test_a_replicas_segments_are_vouched_for(tmp_path: Path) -> None:
    """Those that end where its primary's do, and one that ends where it took a snapshot."""
    primary = init_system(Word(), tmp_path / "p", master=True, port=0, **OPTIONS)
    replica = init_system(Word, tmp_path / "r", replication=True, port=control(primary).address[1], segment_bytes=4096, sync_interval=3600)
    fill(primary, 60)
    control(replica).wait_for(control(primary).token, 60)
    control(replica).take_snapshot()
    fill(primary, 60)
    control(replica).wait_for(control(primary).token, 60)
    control(replica).close()
    control(primary).close()
    assert set(how(tmp_path / "r")) == {"digest"}
    assert len(listed(tmp_path / "r")) > 2
