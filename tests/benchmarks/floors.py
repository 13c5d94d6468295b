"""What no journal in Python gets below on this machine: the sync itself, and the work on bytes that the format asks for.

Measured in the run's own process with what coopy uses: a preallocated file written in place, msgpack by msgspec, BLAKE2b chained.
"""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["measure_floors"]

CALL = ("deposit", "account123", 45678)
HEADER = bytes(40)


def measure_floors(directory: Path, scale: float) -> dict[str, float]:
    """Times a second: fdatasync of a small write, encode of a small call, its tag, decode."""
    encode, decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder().decode
    payload, content = encode(CALL), HEADER + encode(CALL)
    count = int(200_000 * scale)
    return {
        "fdatasync": sync_rate(directory / "floor", int(2000 * scale)),
        "encode": rate(count, lambda: encode(CALL)),
        "decode": rate(count, lambda: decode(payload)),
        "tag": rate(count, lambda: hashlib.blake2b(content, digest_size=16).digest()),
    }


def rate(count: int, operation: Callable[[], object]) -> float:
    """How often a second the operation runs, net of calling it."""
    return count / (seconds(count, operation) - seconds(count, lambda: None))


def seconds(count: int, operation: Callable[[], object]) -> float:
    """How long so many take."""
    begin = time.perf_counter()
    for _ in range(count):
        operation()
    return time.perf_counter() - begin


def sync_rate(path: Path, count: int) -> float:
    """How often a second 80 bytes reach the disk, one after the other, by one thread."""
    file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_TRUNC)
    try:
        os.posix_fallocate(file, 0, 80 * count)
        begin = time.perf_counter()
        for number in range(count):
            os.pwrite(file, bytes(80), 80 * number)
            os.fdatasync(file)
        return count / (time.perf_counter() - begin)
    finally:
        os.close(file)
        path.unlink()
