"""A snapshot counts when it was read back from the disk; nothing of it is decoded before its block was checked."""

from __future__ import annotations

import ctypes
import errno
import io
import mmap
import os
import random
from typing import TYPE_CHECKING, Any

import pytest

from coopy.codec import Codec
from coopy.disk import RealDisk
from coopy.disk.fake import FakeDisk, PowerCut
from coopy.error import AuthenticationError, CoopyError, CorruptionError, FormatError
from coopy.header import Identity, derive_key
from coopy.manifest import is_leftover
from coopy.snapshot import BLOCK, SnapshotHeader, open_snapshot, parse_snapshot_name, put_snapshot, python_version, snapshot_name
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from coopy.disk import Disk

WHO = Identity(b"i" * 16, b"s" * 32, "tests.words:Word")
NAME = "/w/" + snapshot_name(7)
KEYS = [b"", derive_key(b"k")]
FORMS = ["", "zstd"]


def about(compression: str = "") -> SnapshotHeader:
    return SnapshotHeader(WHO, 7, 5, 1, b"t" * 16, python_version(), compression)


def fresh() -> FakeDisk:
    disk = FakeDisk()
    disk.make_directories("/w")
    return disk


def put(disk: Disk, data: bytes, key: bytes = b"", compression: str = "", check: Callable[[str], object] | None = None) -> None:
    """Write it in pieces of uneven size."""

    def dump(write: Callable[[bytes], object]) -> None:
        for at in range(0, len(data), 99_991):
            write(data[at : at + 99_991])

    put_snapshot(disk, "/w", about(compression), dump, key, check)


def whole(data: bytes) -> Callable[[Callable[[bytes], object]], None]:
    """Writes it at once."""

    def dump(write: Callable[[bytes], object]) -> None:
        write(data)

    return dump


def content(disk: Disk, key: bytes = b"", path: str = NAME) -> bytes:
    _, stream = open_snapshot(disk, path, key, WHO)
    with stream:
        return stream.read()


def holding(data: bytes) -> FakeDisk:
    """A disk on which these bytes are the snapshot."""
    disk = fresh()
    disk.create(NAME).write(0, data)
    return disk


@pytest.mark.parametrize("compression", FORMS)
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_a_state_of_any_size_comes_back(size: int, key: bytes, compression: str) -> None:
    """With what the header says of it, and nothing left beside it."""
    disk, data = fresh(), random.Random(size).randbytes(size)
    put(disk, data, key, compression)
    found, stream = open_snapshot(disk, NAME, key, WHO)
    with stream:
        assert (found, stream.read()) == (about(compression), data)
    assert disk.entries("/w") == [snapshot_name(7)]


def test_a_codec_reads_what_it_wrote() -> None:
    """Straight from the file."""
    disk, codec, word = fresh(), Codec(("tests",)), Word("a" * 3_000_000)
    put_snapshot(disk, "/w", about(), lambda write: write(codec.dump_state(word)), b"")
    _, stream = open_snapshot(disk, NAME, b"", WHO)
    with stream:
        assert vars(codec.load_state(stream)[0]) == vars(word)


@pytest.mark.parametrize("compression", FORMS)
@pytest.mark.parametrize("key", KEYS)
def test_damage_anywhere_is_named(key: bytes, compression: str) -> None:
    """A flipped bit, a cut, a block left out, doubled or moved, and bytes behind the end; never is other data given out."""
    disk, data, dice = fresh(), random.Random(1).randbytes(2 * BLOCK + 5), random.Random(2)
    put(disk, data, key, compression)
    file, start, step = disk.read(NAME), len(disk.read(NAME)) - 2 * 36 - 5 - 2 * (BLOCK + 36), BLOCK + 36
    damaged = [file + b"\0", file + file[-36:], file[:-36], file[:-1], file[:start], b""]
    if not compression:
        one, two, rest = file[start : start + step], file[start + step : start + 2 * step], file[start + 2 * step :]
        damaged += [
            file[:start] + two + one + rest,
            file[:start] + one + rest,
            file[:start] + one + one + two + rest,
            file[:start] + rest,
        ]
    for _ in range(40):
        at = dice.choice(
            [dice.randrange(120), start + dice.randrange(40), dice.randrange(start, len(file)), len(file) - 1 - dice.randrange(80)]
        )
        damaged.append(file[:at] + bytes([file[at] ^ 1 << dice.randrange(8)]) + file[at + 1 :])
    for bad in damaged:
        with pytest.raises(CoopyError) as caught:
            content(holding(bad), key)
        assert isinstance(caught.value, CorruptionError | AuthenticationError | FormatError)
        assert NAME in str(caught.value)


def test_blocks_of_another_snapshot_do_not_fit() -> None:
    """Each digest covers all before it, from the header on: the same state at another LSN has others."""
    one, two = fresh(), fresh()
    put(one, b"a" * 100)
    put_snapshot(two, "/w", SnapshotHeader(WHO, 8, 5, 1, b"t" * 16, python_version(), ""), whole(b"a" * 100), b"")
    mixed = one.read(NAME)[:512] + two.read("/w/" + snapshot_name(8))[512:]
    with pytest.raises(CorruptionError, match="offset 512"):
        content(holding(mixed))


def test_a_snapshot_of_another_system_is_refused() -> None:
    """It says to move it out."""
    disk = fresh()
    put(disk, b"a")
    with pytest.raises(CorruptionError, match="another system"):
        open_snapshot(disk, NAME, b"", Identity(b"j" * 16, b"s" * 32, "tests.words:Word"))
    found, stream = open_snapshot(disk, NAME, b"", None)
    stream.close()
    assert found.identity == WHO


@pytest.mark.parametrize(("written", "given"), [(b"", KEYS[1]), (KEYS[1], b""), (KEYS[1], derive_key(b"l"))])
def test_only_the_right_key_reads(written: bytes, given: bytes) -> None:
    """Nothing of the state is looked at."""
    disk = fresh()
    put(disk, b"a", written)
    with pytest.raises(AuthenticationError):
        open_snapshot(disk, NAME, given, WHO)


def test_a_header_length_that_cannot_be_asks_for_no_memory() -> None:
    """A block is at most 1 MiB."""
    disk = fresh()
    put(disk, b"a")
    file = disk.read(NAME)
    with pytest.raises(CorruptionError, match="offset 512"):
        content(holding(file[:512] + b"\xff\xff\xff\xff" + file[516:]))


def test_a_snapshot_that_does_not_read_back_leaves_no_trace() -> None:
    """Neither does one whose state cannot be dumped, nor one that met a full disk; one that was there stays."""
    disk = fresh()
    put(disk, b"old")

    def refuse(path: str) -> None:
        assert content(disk, path=path) == b"new"
        raise CorruptionError("it is not what it should be")

    def fail(write: Callable[[bytes], object]) -> None:
        write(b"half")
        raise KeyError("state")

    with pytest.raises(CorruptionError):
        put(disk, b"new", check=refuse)
    with pytest.raises(KeyError):
        put_snapshot(disk, "/w", about(), fail, b"")
    disk.capacity = 4000
    with pytest.raises(OSError, match="No space") as caught:
        put(disk, b"new" * 4000)
    assert caught.value.errno == errno.ENOSPC
    assert (disk.entries("/w"), content(disk)) == ([snapshot_name(7)], b"old")


def test_a_crash_at_any_call_leaves_the_old_one_or_the_new_one_whole() -> None:
    """And what is left of the attempt is not in the way of the next."""
    calls = 0
    for nth in range(1, 100):
        disk = fresh()
        put(disk, b"old")
        disk.crash_at(len(disk.calls) + nth)
        try:
            put(disk, b"new", check=lambda path, disk=disk: content(disk, path=path))  # type: ignore[misc]
        except PowerCut:
            calls += 1
        for seed in range(10):
            found = disk.crash(random.Random(seed))
            assert content(found) in ([b"new"] if calls < nth else [b"old", b"new"])
            put(found, b"newer")
            kept = [name for name in found.entries("/w") if not is_leftover(name)]  # the next opening sweeps those
            assert (kept, content(found)) == ([snapshot_name(7)], b"newer")
        if calls < nth:
            break
    assert calls > 5


class Watched(RealDisk):
    """The real disk, that notes how much of a file is in the cache when it is opened for reading."""

    def __init__(self) -> None:
        super().__init__()
        self.cached: list[int] = []

    def open_read(self, path: str) -> Any:
        self.cached.append(pages_in_cache(path))
        return super().open_read(path)


def pages_in_cache(path: str) -> int:
    """mincore(2)."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:  # noqa: PTH123 - a descriptor is needed
        held = (ctypes.c_ubyte * (-(-len(mapped) // mmap.PAGESIZE)))()
        first = ctypes.c_char.from_buffer(mapped)
        failed = libc.mincore(ctypes.c_void_p(ctypes.addressof(first)), ctypes.c_size_t(len(mapped)), held)
        del first
        assert not failed, os.strerror(ctypes.get_errno())
        return sum(page & 1 for page in held)


def test_a_snapshot_is_read_back_from_the_disk_not_from_the_cache(tmp_path: Path) -> None:
    """The pages that were written have been dropped when it is opened again."""
    disk, directory, data = Watched(), str(tmp_path), bytes(range(256)) * 4096
    trial = disk.create(f"{directory}/trial")
    trial.write(0, data)
    trial.sync()
    trial.drop_cache()
    trial.close()
    if pages_in_cache(f"{directory}/trial"):
        pytest.skip(f"the file system of {directory} does not drop its cache when it is asked to")
    put_snapshot(disk, directory, about(), whole(data), b"", lambda path: content(disk, path=path))
    assert disk.cached == [0]
    assert pages_in_cache(f"{directory}/{snapshot_name(7)}") > 200


@pytest.mark.parametrize("kind", [RealDisk, FakeDisk])
def test_dropping_the_cache_loses_nothing(kind: Any, tmp_path: Path) -> None:
    """Synced or not; it is advice."""
    disk, directory = kind(), str(tmp_path)
    disk.make_directories(directory)
    file = disk.create(f"{directory}/word")
    for letter in (b"a", b"b"):
        file.write(file.size(), letter)
        file.drop_cache()
        file.sync()
        file.drop_cache()
    assert (file.read(0, 9), disk.read(f"{directory}/word")) == (b"ab", b"ab")
    file.close()


def test_only_exact_names_are_snapshots() -> None:
    """Twenty ASCII digits; no sign, no other digits, nothing behind."""
    assert parse_snapshot_name(snapshot_name(17)) == 17
    for name in (
        "snapshot-17.snap",
        snapshot_name(1) + "x",
        snapshot_name(1) + ".tmp",
        snapshot_name(1).replace("1", "\u0661"),
        "snapshot--" + "1" * 19 + ".snap",
    ):
        assert parse_snapshot_name(name) is None


def test_the_state_is_handed_out_as_it_is_asked_for() -> None:
    """A stream like any other: byte by byte, line by line, closed once and for all."""
    disk = fresh()
    put(disk, b"ab\ncd")
    _, stream = open_snapshot(disk, NAME, b"", WHO)
    assert (stream.read(1), stream.readline(), stream.read(), stream.read(1)) == (b"a", b"b\n", b"cd", b"")
    stream.close()
    stream.close()
    with pytest.raises(ValueError, match="closed"):
        stream.read()
    assert isinstance(stream, io.BufferedReader)
