"""Processes that call until they are killed, and say which calls returned. `python -m tests.crash.shot_at role ...`: nothing is loaded that they do not need."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from coopy import control, init_system
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Callable


def alone(directory: str, durability: Any, threads: str, snapshot_time: str) -> None:
    """Call until killed; each acknowledged call goes to the parent as "thread number" before the next."""
    word = init_system(Word, directory, durability=durability, segment_bytes=4096, snapshot_time=float(snapshot_time))
    start = len(word.kept)

    def work(thread: int) -> None:
        for number in range(1_000_000):
            word.keep((start, thread, number))
            os.write(1, b"%d %d\n" % (thread, number))

    for thread in range(int(threads)):
        threading.Thread(target=work, args=(thread,)).start()


def primary(directory: str, port: str, options: str) -> None:
    """Say the port, then call until killed; each call that returned is said before the next. The first waits for whoever is to confirm it."""
    word = init_system(Word, directory, master=True, port=int(port), segment_bytes=16384, **eval(options))  # noqa: S307 - our own text
    control(word)._primary().confirm_within = 60.0
    os.write(1, b"port %d\n" % control(word).address[1])
    for number in range(len(word.kept), 1_000_000):
        word.keep(number)
        os.write(1, b"%d\n" % number)


def replica(directory: str, port: str, options: str) -> None:
    """Say the LSN whenever it has grown, until killed."""
    word = init_system(Word, directory, replication=True, port=int(port), **eval(options))  # noqa: S307 - our own text
    said = -1
    while True:
        lsn = control(word).lsn
        if lsn > said:
            said = lsn
            os.write(1, b"%d\n" % lsn)
        time.sleep(0.0005)


ROLES: dict[str, Callable[..., None]] = {"alone": alone, "primary": primary, "replica": replica}

if __name__ == "__main__":
    ROLES[sys.argv[1]](*sys.argv[2:])
