"""The state of a directory as it was behind an action, as bytes: restored here, beside whoever has it open. Nothing is locked, and nothing written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.disk import UnreadableError
from coopy.engine.archive import high_water_of, snapshot_path
from coopy.engine.opening import unreadable
from coopy.engine.reading import ReadingRestorer, unpruned
from coopy.engine.recorded import existing, proven_end
from coopy.engine.restore import Bounds
from coopy.engine.uninterrupted import Worker
from coopy.error import UsageError
from coopy.snapshot import open_snapshot
from coopy.wiring.opening import adopt
from coopy.wiring.witness import class_of, named

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.engine.archive import Archive
    from coopy.engine.restore import Replayed, Restorer
    from coopy.wiring.subject import Subject

__all__ = ["snapshot_state", "state_at"]


def state_at(subject: Subject, lsn: int | None, on_divergence: str, on_progress: Callable[[int, int], object]) -> tuple[int, bytes]:
    """The LSN and the pickled state behind that action; behind the last one for None. What no snapshot has is replayed, for which the class is imported.

    `on_divergence`, `on_progress`: as for `init_system`.

    Raises UsageError for an LSN that is not kept, or where the class cannot be imported; and what a restore raises.
    """
    return unpruned(subject.directory, lambda: _state_at(subject, lsn, on_divergence, on_progress))


def _state_at(subject: Subject, lsn: int | None, on_divergence: str, on_progress: Callable[[int, int], object]) -> tuple[int, bytes]:
    archive = existing(subject.place, "show")
    first = archive.manifest.snapshots[0]
    if lsn is not None and lsn < first:
        raise _missing(lsn, f"what is kept goes back to LSN {first} (the oldest snapshot)")
    if lsn in archive.manifest.snapshots:
        return lsn, snapshot_state(archive, lsn)
    proven = high_water_of(archive)
    restorer = _restorer(subject, archive, on_divergence)
    restorer.on_progress = on_progress
    try:
        replayed: Replayed = Worker().run(lambda: restorer.restore(Bounds(lsn)), restorer.cancel)
    except UnreadableError as error:
        raise unreadable(archive, error) from error
    last = _last(archive, replayed, proven, lsn)
    if lsn is not None and lsn > last:
        raise _missing(lsn, f"the journal ends at LSN {last}")
    assert restorer.executor is not None
    return last if lsn is None else lsn, restorer.codec.dump_state(restorer.executor.root)


def snapshot_state(archive: Archive, lsn: int) -> bytes:
    """The pickled state in a snapshot, and what stands behind it. Raises CorruptionError."""
    _, stream = open_snapshot(archive.disk, snapshot_path(archive, lsn), archive.key, archive.identity)
    with stream:
        return stream.read()


def _restorer(subject: Subject, archive: Archive, on_divergence: str) -> Restorer:
    kind = class_of(subject)
    codec = named(subject, kind).codec
    return ReadingRestorer(archive, codec, lambda root, moment: adopt(root, kind, moment), on_divergence)


def _last(archive: Archive, replayed: Replayed, proven: int, wanted: int | None) -> int:
    """Up to where records hold. Raises CorruptionError where that is not far enough, and not the journal's end either."""
    found, segment = replayed.found, replayed.segment
    if found is None or segment is None:
        return replayed.base.lsn
    if wanted is None or wanted > found.head.lsn:
        proven_end(archive, segment, found, proven)
    return found.head.lsn


def _missing(lsn: int, why: str) -> UsageError:
    return UsageError(f"There is no state at LSN {lsn}: {why}. Nothing was changed.", lsn=lsn)
