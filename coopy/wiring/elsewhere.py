"""Replays in fresh processes: how they are started here, and what they do there.

Each runs under surroundings of its own: another hash seed, time zone, locale and working directory than this process and than each other. They
read the directory beside whoever writes it, at low priority, and change nothing.
"""

from __future__ import annotations

import contextlib
import itertools
import secrets
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from coopy.codec import Codec
from coopy.difference import difference
from coopy.digest import digest
from coopy.disk import RealDisk
from coopy.engine.execute import Executor
from coopy.engine.opening import Place, high_water_of, prove_end, read_archive
from coopy.engine.restore import Bounds, Restorer, method_in
from coopy.engine.uninterrupted import Worker
from coopy.engine.verify import Journal, Replay, Report, Verified, verified
from coopy.error import CorruptionError, UsageError
from coopy.fresh import Fresh, Surroundings
from coopy.header import derive_key
from coopy.journal.segment import foretell
from coopy.wiring.opening import adopt, directory_of

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from coopy.engine.archive import Archive

__all__ = ["Subject", "Task", "replay_there", "surroundings", "verify", "verify_subject"]

AT_ONCE = 2  # processes
SHOWN = 5  # places that differ
ZONES = ("<+1245>-12:45", "<-0930>9:30", "<+0545>-5:45")
LOCALES = ("de_DE.UTF-8", "fr_FR.UTF-8", "tr_TR.UTF-8", "C")
TRIES = 5  # what is read may be pruned meanwhile


class Subject(msgspec.Struct, frozen=True):
    """Which directory, and what it takes to read it. `domain`: its class, "module:Name"."""

    directory: str
    domain: str
    key: bytes = b""
    allow: tuple[str, ...] = ()

    @property
    def place(self) -> Place:
        """Where it is."""
        return Place(RealDisk(), self.directory, self.key, self.domain)

    @property
    def codec(self) -> Codec:
        """What its calls and states are decoded by."""
        return Codec((self.domain.partition(":")[0].partition(".")[0],), self.allow)

    @property
    def in_script(self) -> bool:
        """Whether it takes classes of the script that is the program."""
        return any(name.partition(":")[0] == "__main__" for name in (self.domain, *self.allow))


class Task(msgspec.Struct, frozen=True):
    """A replay and what it is of."""

    subject: Subject
    replay: Replay


# --- here ------------------------------------------------------------------------------------------------------------


def verify(directory: str | os.PathLike[str], *, signing_key: bytes | None = None, allow: Iterable[str] = ()) -> Verified:
    """Replay a journal in fresh processes, from each snapshot on and under other surroundings, and compare the states. Changes nothing.

    `directory`: of a system that is closed, or open in any process. `signing_key`, `allow`: as for `init_system`. Its class is imported there as
    it would be here; that of a script that runs is found by running its file again, under another `__name__`.

    Raises DivergenceError where states differ (`lsn`, `method`, `paths`), or a replay does otherwise than what was recorded; UsageError for a directory
    that holds no system, or whose class cannot be found; CorruptionError, FormatError and AuthenticationError as `init_system` does.
    """
    place = Place(RealDisk(), directory_of(directory), derive_key(signing_key), "")
    archive = _existing(place)
    return verify_subject(Subject(place.directory, archive.identity.domain, place.key, tuple(allow)))


def verify_subject(subject: Subject) -> Verified:
    """The same for a directory that is known."""
    archive = _existing(subject.place)
    snapshots = tuple(lsn for lsn in archive.manifest.snapshots if archive.from_snapshot(lsn))
    if not snapshots:
        what = f"{subject.directory} has no snapshot that its journal reaches back to: there is nothing to replay. Nothing was changed."
        raise CorruptionError(f"{what} See `coopy check`.", path=subject.directory)
    numbers = itertools.count()
    with tempfile.TemporaryDirectory(prefix="coopy-") as folder:
        return verified(
            Journal(subject.directory, subject.domain, snapshots, lambda replays: _run(subject, replays, numbers), f"{folder}/state")
        )


def _existing(place: Place) -> Archive:
    archive = read_archive(place) if place.disk.exists(place.directory) else None
    if archive is None:
        raise UsageError(f"{place.directory} holds no system yet, so there is nothing to verify.", path=place.directory)
    return archive


def _run(subject: Subject, replays: Sequence[Replay], numbers: Iterator[int]) -> list[Report]:
    """Some at once, each in surroundings that none before had. Where one fails, or the caller is interrupted, the others are ended."""
    processes: list[Fresh] = []

    def one(replay: Replay, surroundings: Surroundings) -> Report:
        task = msgspec.msgpack.encode(Task(subject, replay))
        process = Fresh(f"{__name__}:replay_there", task, surroundings, script=subject.in_script)
        processes.append(process)
        [answer] = process
        return msgspec.msgpack.decode(answer, type=Report)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            return list(pool.map(one, replays, map(surroundings, numbers)))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.cancel()
            raise


def surroundings(number: int) -> Surroundings:
    """Those of one process; the next number's are others."""
    seed, turned = str(1 + secrets.randbelow(1 << 32 - 1)), LOCALES[number % 2 :] + LOCALES[: number % 2]
    return Surroundings(seed, ZONES[number % len(ZONES)], turned, ("/", tempfile.gettempdir())[number % 2], nice=10)


# --- there -----------------------------------------------------------------------------------------------------------


def replay_there(task: bytes, tell: Callable[[bytes], object]) -> None:
    """Do a Task, and tell its Report."""
    work = msgspec.msgpack.decode(task, type=Task)
    for _ in range(TRIES):
        with contextlib.suppress(FileNotFoundError):  # it was pruned while it was read
            tell(msgspec.msgpack.encode(_replay(work.subject, work.replay)))
            return
    raise UsageError(f"{work.subject.directory} is pruned all the time: what is to be replayed is gone before it was read. Try it again.")


def _replay(subject: Subject, wanted: Replay) -> Report:
    place, codec = subject.place, subject.codec
    archive = _existing(place)
    proven = high_water_of(archive)  # before the segments are read, to which somebody may be adding
    if wanted.base not in archive.manifest.snapshots:
        raise UsageError(f"The snapshot at LSN {wanted.base} of {subject.directory} was pruned meanwhile. Try it again.")
    kind = codec.find(*subject.domain.split(":"))
    secret = archive.identity.secret
    restorer = Restorer(archive, codec, memoryview(bytearray(24)).cast("Q"), lambda root: Executor(root, secret), "stop")
    restorer.adopt = lambda root, moment: adopt(root, kind, moment)
    report = _foretold(archive, wanted)
    marks = set(wanted.marks)
    if wanted.everywhere:
        marks = {report.last, *report.recorded, *archive.manifest.snapshots}
    restorer.visit = lambda lsn, root: report.saw.update({lsn: digest(root)})
    replayed = Worker().run(lambda: restorer.restore(Bounds(wanted.last, base=wanted.base, marks=tuple(sorted(marks)))))
    assert replayed.found is not None
    assert restorer.executor is not None
    if wanted.last is None:
        prove_end(archive, replayed.segment, replayed.found, proven)
        report.last = replayed.found.head.lsn
    if wanted.everywhere and report.last not in report.saw:
        report.saw[report.last] = digest(restorer.executor.root)
    if wanted.keep:
        report.method = method_in(archive, codec, replayed.segment, report.last) if report.last > wanted.base else ""
        with Path(wanted.keep).open("wb") as file:
            codec.dump_state(restorer.executor.root, file.write)
    if wanted.against:
        with Path(wanted.against).open("rb") as file:
            report.differs = tuple(map(str, difference(codec.load_state(file), restorer.executor.root, SHOWN)))
    return report


def _foretold(archive: Archive, wanted: Replay) -> Report:
    """Where it ends, and which digests are recorded in between: looked up, not checked, as the replay does that."""
    report = Report(wanted.base)
    for listed in archive.from_snapshot(wanted.base):
        segment = archive.segment(listed)
        said, last = foretell(segment.data, segment.start, archive.framer)
        report.recorded.update(said.digests)
        report.last = last or report.last
    report.last = report.last if wanted.last is None else wanted.last
    return report
