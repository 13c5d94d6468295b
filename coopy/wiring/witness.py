"""What a fresh process does for verify: it replays a part of a journal, and tells what the state was.

It reads the directory beside whoever writes it, at low priority, and changes nothing. What it should know is in its Task; elsewhere.py
starts it.
"""

from __future__ import annotations

import gc
import locale
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from coopy.difference import difference
from coopy.digest import digest
from coopy.engine.archive import high_water_of
from coopy.engine.opening import prove_end
from coopy.engine.reading import ReadingRestorer, unpruned
from coopy.engine.recorded import existing
from coopy.engine.replaying import method_in
from coopy.engine.restore import Bounds, Replayed, Restorer
from coopy.engine.restored import former_until, otherwise_until
from coopy.engine.uninterrupted import Worker
from coopy.engine.verify import Replay, Report
from coopy.error import UsageError
from coopy.fingerprint import fingerprint
from coopy.fresh import pack, unpack
from coopy.wiring.opening import adopt, names_of
from coopy.wiring.subject import Subject
from coopy.wiring.unlike import become_unlike

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.codec import Codec, Dump
    from coopy.engine.archive import Archive
    from coopy.engine.once import Keys

__all__ = ["Task", "class_of", "named", "replay_there"]

MOST = 32  # digests of a large state cost more than its replay
SHOWN = 5  # places that differ


class Task(msgspec.Struct, frozen=True):
    """A replay, what it is of, and the recursion limit here."""

    subject: Subject
    replay: Replay
    recursion_limit: int


def replay_there(task: bytes, tell: Callable[[bytes], object]) -> None:
    """Do a Task, and tell its Report."""
    work = unpack(task, Task)
    subject = work.subject
    existing(subject.place, "verify")  # before the class is looked for: what is wrong with the directory is said first
    kind = class_of(subject)
    subject = named(subject, kind)
    codec = subject.codec
    become_unlike(work.replay.around, work.recursion_limit)
    tell(pack(unpruned(subject.directory, lambda: _replay(subject, codec, kind, work.replay))))


def class_of(subject: Subject) -> type:
    """The domain's class, imported. Raises UsageError."""
    try:
        kind: type = subject.codec.classes.find_any(*subject.domain.split(":"))
    except Exception as error:
        reason = error.__cause__ or error
        what = f"The class {subject.domain}, of which {subject.directory} holds one, cannot be imported"
        why = f"{type(reason).__name__}: {str(reason).rstrip('.')}"
        where = " Start this in the folder of its module, or with that on PYTHONPATH." if isinstance(reason, ModuleNotFoundError) else ""
        raise UsageError(f"{what}: {why}. Nothing was changed.{where}", path=subject.directory) from error
    return kind


def named(subject: Subject, kind: type) -> Subject:
    """The same with where former names lead, as the class says."""
    if subject.names is not None:
        return subject
    return msgspec.structs.replace(subject, names=names_of(kind, None, subject.codec.classes))


def _replay(subject: Subject, codec: Codec, kind: type, wanted: Replay) -> Report:
    archive = existing(subject.place, "verify")
    archive.source = fingerprint(kind, codec.classes.passes)
    proven = high_water_of(archive)  # before the segments are read, to which somebody may be adding
    if wanted.base not in archive.manifest.snapshots:
        raise UsageError(f"The snapshot at LSN {wanted.base} of {subject.directory} was pruned meanwhile. Try it again.")
    restorer = ReadingRestorer(archive, codec, lambda root, moment: adopt(root, kind, moment))
    if wanted.state:
        restorer.instead = Path(wanted.state)
    report = Report(wanted.last, locale=locale.setlocale(locale.LC_COLLATE))
    restorer.visit = lambda lsn, root: _look(lsn, root, _keys(restorer), wanted, report)
    replayed = _restored(restorer, Bounds(wanted.last, base=wanted.base, after=wanted.after, marks=_marks(archive, wanted, report)))
    assert replayed.found is not None
    assert replayed.segment is not None
    assert restorer.executor is not None
    if replayed.segment.about.first_lsn == archive.manifest.segments[-1].first_lsn:
        prove_end(archive, replayed.segment, replayed.found, proven)
        report.last = min(wanted.last, replayed.found.head.lsn)
    root = restorer.executor.root
    if report.last not in report.saw:
        report.saw[report.last], report.keys[report.last] = digest(root), _keys(restorer).digest()
    if wanted.everywhere:
        report.otherwise = otherwise_until(archive.manifest.code, archive.source)
        report.former = former_until(archive, codec.classes)
    else:
        report.method = method_in(archive, codec, replayed.segment, report.last) if report.last > wanted.base else ""
    if wanted.against:
        report.differs = _differences(root, codec, wanted.against)
    return report


def _marks(archive: Archive, wanted: Replay, report: Report) -> tuple[int, ...]:
    marks = {*wanted.marks, *wanted.keep}
    if wanted.everywhere:
        report.recorded = _recorded(archive)
        marks |= {wanted.begin, wanted.last, *report.recorded, *archive.manifest.snapshots}
    return tuple(sorted(lsn for lsn in marks if wanted.begin <= lsn <= wanted.last))


def _recorded(archive: Archive) -> dict[int, str]:
    """The digests in the journal, of very many some. The replay checks the records."""
    found = archive.digests(archive.manifest.segments)
    step = max(1, len(found) // MOST)
    return {lsn: found[lsn] for lsn in sorted(found, reverse=True)[::step]}


def _restored(restorer: Restorer, bounds: Bounds) -> Replayed:
    def restore() -> Replayed:
        threading.current_thread().name = f"replay-{os.getpid()}"
        return restorer.restore(bounds)

    replayed: Replayed = Worker().run(restore)
    return replayed


def _keys(restorer: Restorer) -> Keys:
    assert restorer.executor is not None
    return restorer.executor.keys


def _look(lsn: int, root: object, keys: Keys, wanted: Replay, report: Report) -> None:
    """On one side, what nobody refers to is gone before: a restore has the collector off."""
    if wanted.around % 2:
        gc.collect()
    report.saw[lsn], report.keys[lsn] = digest(root), keys.digest()
    if lsn in wanted.keep:
        keys.codec.store_state(root, keys.values(), lambda dump: _into_file(wanted.kept(lsn), dump))


def _into_file(path: str, dump: Dump) -> None:
    with Path(path).open("wb") as file:
        dump(file.write)


def _differences(root: object, codec: Codec, against: str) -> tuple[str, ...]:
    with Path(against).open("rb") as file:
        other, _ = codec.load_state(file)
    return tuple(map(str, difference(other, root, SHOWN)))
