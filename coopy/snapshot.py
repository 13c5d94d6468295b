"""A snapshot: a file `snapshot-<LSN, 20 digits>.snap` that holds the whole state after that action.

    header      coopy/header.py with: identity, LSN, time, epoch, tag of the last record up to there, Python version, compression
    blocks      each: length (4 bytes), SHA-256 (32) of the digest before, the length and the data, keyed (HMAC) when signed; data, at most 1 MiB
    end         a block of length 0: its digest covers all before it

The first block's "digest before" is the SHA-256 of the header. The data of all blocks is one pickle (coopy/codec.py), compressed as a
whole if the header says so. Every block is checked before a byte of it is decoded; a snapshot counts only after it was read back, from
the disk and not from the operating system's cache, where that can be asked for.
"""

from __future__ import annotations

import hashlib
import io
import struct
import sys
from typing import TYPE_CHECKING, Any

import msgspec

from coopy import header
from coopy.error import CorruptionError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.codec import Dump
    from coopy.disk import Disk, File

    Check = Callable[[str], object]
    Pulse = Callable[[], object]

__all__ = [
    "SnapshotHeader",
    "begin_snapshot",
    "finish_snapshot",
    "open_snapshot",
    "parse_snapshot_name",
    "place_snapshot",
    "put_snapshot",
    "python_version",
    "read_through",
    "snapshot_name",
    "temporary_path",
    "zstd",
]

BLOCK = 1 << 20
LENGTH = struct.Struct("<I")
DIGEST_SIZE = 32


def _nothing() -> None:
    """Nobody wants to hear of a block."""


class SnapshotHeader(msgspec.Struct, frozen=True, array_like=True):
    """Which state of which system, and what it takes to go on from there. `tag`: of the last record up to `lsn`; `time_us`: of its last action."""

    identity: header.Identity
    lsn: int
    time_us: int
    epoch: int
    tag: bytes
    python: str
    compression: str


def snapshot_name(lsn: int) -> str:
    """The file name of the snapshot after this action."""
    return f"snapshot-{lsn:020d}.snap"


def parse_snapshot_name(name: str) -> int | None:
    """The LSN in a snapshot's file name; None for any other name."""
    digits = name[len("snapshot-") :][:20]
    return int(digits) if digits.isdecimal() and snapshot_name(int(digits)) == name else None


def put_snapshot(disk: Disk, directory: str, about: SnapshotHeader, dump: Dump, key: bytes, check: Check | None = None) -> None:
    """Write a snapshot and put it in place; it is on stable storage under its name when this returns. Where anything fails, no trace is left."""
    temporary = temporary_path(directory, about.lsn)
    finish_snapshot(disk, begin_snapshot(disk, temporary, about, dump, key), check)
    place_snapshot(disk, temporary, directory, about.lsn)


def temporary_path(directory: str, lsn: int) -> str:
    """Where a snapshot is until it is whole: nowhere where another one could be, be it of a process that still ends."""
    import secrets

    return f"{directory}/{snapshot_name(lsn)}.{secrets.token_hex(4)}.tmp"


def begin_snapshot(disk: Disk, temporary: str, about: SnapshotHeader, dump: Dump, key: bytes, on_block: Pulse = _nothing) -> File:
    """Write the state into a new file of this path. It is not synced. Where that fails, no trace is left.

    `dump` is called once with where to write the state's bytes; `on_block()` after each block, and what it raises ends the work.
    """
    file = disk.create(temporary)
    try:
        _write(file, about, dump, key, on_block)
    except BaseException:
        file.close()
        disk.unlink(temporary)
        raise
    return file


def finish_snapshot(disk: Disk, file: File, check: Check | None = None) -> None:
    """Sync what `begin_snapshot` gave, and close it. Where that fails, no trace is left.

    `check(path)` reads it back and raises if it does not hold the state; the cache is dropped before, so that it reads what the disk holds.
    """
    try:
        try:
            file.sync()
            file.drop_cache()
        finally:
            file.close()
        if check is not None:
            check(file.path)
    except BaseException:
        disk.unlink(file.path)
        raise


def place_snapshot(disk: Disk, temporary: str, directory: str, lsn: int) -> None:
    """Give a whole snapshot its name; it is on stable storage under it when this returns."""
    disk.replace(temporary, f"{directory}/{snapshot_name(lsn)}")
    disk.sync_directory(directory)


def _write(file: File, about: SnapshotHeader, dump: Dump, key: bytes, on_block: Pulse) -> None:
    front = header.pack(header.SNAPSHOT, about, key)
    file.write(0, front)
    blocks = _BlockWriter(file, len(front), hashlib.sha256(front).digest(), key, on_block)
    if about.compression == "zstd":
        with zstd().ZstdCompressor().stream_writer(blocks, closefd=False) as stream:
            dump(stream.write)
    else:
        dump(blocks.write)
    blocks.finish()


def open_snapshot(
    disk: Disk, path: str, key: bytes, identity: header.Identity | None, on_block: Pulse = _nothing
) -> tuple[SnapshotHeader, io.BufferedReader]:
    """The header and the state's bytes as a stream that checks every block before it hands it out.

    Reading raises CorruptionError at the first damage, naming file and offset. `on_block()` is called before each block. The stream can be wound back
    to its beginning. Close it.
    """
    file = disk.open_read(path)
    try:
        front = file.read(0, 128 * header.SECTOR)
        about, start = header.unpack(front, header.SNAPSHOT, SnapshotHeader, key, path)
        if identity is not None and about.identity.system != identity.system:
            what = f"{path} is a snapshot of another system: move it out of this directory. Nothing was changed."
            raise CorruptionError(what, path=path, offset=0, lsn=about.lsn)
        digest, inflate = hashlib.sha256(front[:start]).digest(), about.compression == "zstd"

        def begin() -> io.RawIOBase:
            return _inflated(_BlockReader(file, start, digest, key, on_block), inflate=inflate)

        return about, io.BufferedReader(_State(file, begin), BLOCK)
    except BaseException:
        file.close()
        raise


def read_through(disk: Disk, path: str, key: bytes, identity: header.Identity | None) -> tuple[SnapshotHeader, int]:
    """Check every block, decode none; the header, and how many bytes the state has. Raises as `open_snapshot` and reading from it."""
    about, stream = open_snapshot(disk, path, key, identity)
    size = 0
    with stream:
        while data := stream.read(BLOCK):
            size += len(data)
    return about, size


def _link(previous: bytes, data: bytes, key: bytes) -> bytes:
    """The digest of a block. HMAC-SHA-256 (RFC 2104) when signed."""
    content = previous + LENGTH.pack(len(data)) + data
    if not key:
        return hashlib.sha256(content).digest()
    import hmac

    return hmac.digest(key, content, "sha256")


def zstd() -> Any:
    """The library that compresses. Raises UsageError that says how to install it where it is missing."""
    try:
        import zstandard
    except ImportError as error:
        raise UsageError(
            'A snapshot that is compressed by zstd needs zstandard: `pip install "coopy[zstd]"`.', option="compression"
        ) from error
    return zstandard


def _inflated(blocks: io.RawIOBase, *, inflate: bool) -> io.RawIOBase:
    if not inflate:
        return blocks
    stream: io.RawIOBase = zstd().ZstdDecompressor().stream_reader(io.BufferedReader(blocks, BLOCK))
    return stream


class _BlockWriter(io.RawIOBase):
    """Cuts a stream of bytes into linked blocks."""

    def __init__(self, file: File, offset: int, digest: bytes, key: bytes, on_block: Pulse) -> None:
        self._file, self._offset, self._digest, self._key, self._on_block = file, offset, digest, key, on_block
        self._pending = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        self._pending += data
        while len(self._pending) >= BLOCK:
            self._put(bytes(self._pending[:BLOCK]))
            del self._pending[:BLOCK]
        return len(data)

    def finish(self) -> None:
        if self._pending:
            self._put(bytes(self._pending))
        self._put(b"")

    def _put(self, data: bytes) -> None:
        self._digest = _link(self._digest, data, self._key)
        self._file.write(self._offset, LENGTH.pack(len(data)) + self._digest + data)
        self._offset += LENGTH.size + DIGEST_SIZE + len(data)
        self._on_block()


class _BlockReader(io.RawIOBase):
    """Gives the data of linked blocks, each after its check."""

    def __init__(self, file: File, offset: int, digest: bytes, key: bytes, on_block: Pulse) -> None:
        self._file, self._offset, self._digest, self._key, self._on_block = file, offset, digest, key, on_block
        self._data, self._ended = memoryview(b""), False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer, /) -> int:  # type: ignore[no-untyped-def]  # noqa: ANN001 - io's own signature
        if not self._data and not self._ended:
            self._data = memoryview(self._next())
        count = min(len(buffer), len(self._data))
        buffer[:count], self._data = self._data[:count], self._data[count:]
        return count

    def _next(self) -> bytes:
        self._on_block()
        front = self._file.read(self._offset, LENGTH.size + DIGEST_SIZE)
        length = LENGTH.unpack_from(front)[0] if len(front) == LENGTH.size + DIGEST_SIZE else BLOCK + 1
        data = self._file.read(self._offset + len(front), length) if length <= BLOCK else b""
        if length > BLOCK or len(data) != length or _link(self._digest, data, self._key) != front[LENGTH.size :]:
            what = f"{self._file.path} is damaged in the block at offset {self._offset}: its digest does not match."
            raise CorruptionError(what, path=self._file.path, offset=self._offset)
        self._digest, self._offset = front[LENGTH.size :], self._offset + len(front) + length
        if not data:
            self._finish()
        return data

    def _finish(self) -> None:
        self._ended = True
        if self._file.size() != self._offset:
            what = f"{self._file.path} goes on after its end, at offset {self._offset}."
            raise CorruptionError(what, path=self._file.path, offset=self._offset)


class _State(io.RawIOBase):
    """A state's bytes, from the beginning and from there on. `begin` gives them as a stream."""

    def __init__(self, file: File, begin: Callable[[], Any]) -> None:
        self._file, self._begin, self._at, self._inner = file, begin, 0, begin()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer, /) -> int:  # type: ignore[no-untyped-def]  # noqa: ANN001 - io's own signature
        count: int = self._inner.readinto(buffer)
        self._at += count
        return count

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if (offset, whence) != (0, io.SEEK_SET):
            raise io.UnsupportedOperation("a state is read from its beginning on.")
        self._at, self._inner = 0, self._begin()
        return 0

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def python_version() -> str:
    """What the header says about who wrote it."""
    return "{}.{}.{}".format(*sys.version_info[:3])
