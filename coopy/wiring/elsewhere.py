"""Verify: the processes that replay a journal are started here; what they do is in witness.py.

Those of one side run under other surroundings than those of the other: hash seed, time zone, locale, working directory, and what unlike.py
changes there. Nothing is changed here, and no lock is taken.
"""

from __future__ import annotations

import secrets
import sys
import tempfile
import threading
from collections import defaultdict
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING

from coopy.clock import moment
from coopy.disk import RealDisk
from coopy.engine.archive import snapshot_path
from coopy.engine.opening import Place, told
from coopy.engine.recorded import existing
from coopy.engine.verify import Journal, Replay, Report, Verified, verified
from coopy.error import CorruptionError, UsageError
from coopy.fresh import Fresh, Surroundings, pack, unpack
from coopy.header import derive_key
from coopy.wiring.opening import directory_of
from coopy.wiring.options import allowed
from coopy.wiring.subject import Subject
from coopy.wiring.unlike import LOCALES, ZONES
from coopy.wiring.witness import Task

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from coopy.engine.archive import Archive

__all__ = ["random_seed", "surroundings", "verify", "verify_subject"]

FEW, SMALL = 64, 1 << 16  # actions and bytes: digests of each state in between cost less than finding the place later


def verify(directory: str | os.PathLike[str], *, signing_key: bytes | None = None, allow: Iterable[str] = ()) -> Verified:
    """Replay a journal twice in fresh processes, under other surroundings, and compare the states with each other and with what was kept.

    Changes nothing, and needs two cores and about twice the time of a restart, or somewhat more. What the actions do outside of the state is done again.
    What it cannot see is in docs/limits.md.

    `directory`: of a system that is closed, or open in any process. `signing_key`, `allow`: as for `init_system`. Its class is imported there as
    it would be here; that of a script that runs is found by running its file again, under another `__name__`. No system may be opened by that.

    Raises DivergenceError where states differ (`lsn`, `method`, `paths`), or a replay does otherwise than what was recorded; UsageError for a directory
    that holds no system, or whose class cannot be found, and inside of an action; CorruptionError, FormatError and AuthenticationError as `init_system` does.
    """
    place = Place(RealDisk(), directory_of(directory), derive_key(signing_key), "")
    with told(place.directory, done="verified", again="verify it again"):
        archive = existing(place, "verify")
        return verify_subject(Subject(place.directory, archive.identity.domain, place.key, allowed(allow)))


def verify_subject(subject: Subject) -> Verified:
    """The same for a directory that is known."""
    if moment.get() is not None:
        raise UsageError("verify was called inside of an action, which it would have to replay. Call it outside.")
    archive = existing(subject.place, "verify")
    snapshots = tuple(lsn for lsn in archive.manifest.snapshots if archive.from_snapshot(lsn))
    if not snapshots:
        what = f"{subject.directory} has no snapshot that its journal reaches back to: there is nothing to replay. Nothing was changed."
        raise CorruptionError(f"{what} See `coopy check`.", path=subject.directory)
    last, dense = _extent(archive, snapshots[0])
    with tempfile.TemporaryDirectory(prefix="coopy-") as one, tempfile.TemporaryDirectory(prefix="coopy-") as other:
        return verified(Journal(subject.directory, subject.domain, snapshots, last, dense, _Company(subject).run, (one, other)))


def _extent(archive: Archive, oldest: int) -> tuple[int, bool]:
    """The last LSN, as far as a look at the frames tells, and whether all there is is small."""
    newest = archive.segment(archive.manifest.segments[-1])
    _, last = archive.foretell(newest)
    size = Path(snapshot_path(archive, oldest)).stat().st_size + len(newest.data.rstrip(b"\0"))
    return last, last - oldest <= FEW and size <= SMALL


class _Company:
    """The processes of one verify. Where one fails, or the caller is interrupted, the others are ended."""

    def __init__(self, subject: Subject) -> None:
        self._subject, self._seeds = subject, defaultdict[int, str](random_seed)

    def run(self, lanes: Sequence[Sequence[Replay]]) -> list[list[Report]]:
        """The lanes at once, and in each one replay after another."""
        lock, processes, ended = threading.Lock(), list[Fresh](), threading.Event()

        def start(replay: Replay) -> Fresh:
            with lock:
                if ended.is_set():
                    raise CancelledError
                processes.append(self._start(replay))
                return processes[-1]

        def follow(lane: Sequence[Replay]) -> list[Report]:
            return [unpack(answer, Report) for replay in lane for answer in start(replay)]

        with ThreadPoolExecutor(len(lanes)) as pool:
            try:
                followed = [pool.submit(follow, lane) for lane in lanes]
                for one in as_completed(followed):
                    one.result()
            finally:
                ended.set()
                with lock:
                    for process in processes:
                        process.cancel()
        return [one.result() for one in followed]

    def _start(self, replay: Replay) -> Fresh:
        task = pack(Task(self._subject, replay, sys.getrecursionlimit()))
        around = surroundings(replay.around, self._seeds[replay.around])
        return Fresh("coopy.wiring.witness:replay_there", task, around, script=self._subject.in_script)


def random_seed() -> str:
    """A hash seed."""
    return str(1 + secrets.randbelow((1 << 32) - 1))


def surroundings(around: int, hash_seed: str) -> Surroundings:
    """Those of one side, or of the other if the number is odd."""
    odd = around % 2
    return Surroundings(hash_seed, ZONES[odd], LOCALES if odd else (), ("/", tempfile.gettempdir())[odd], nice=10)
