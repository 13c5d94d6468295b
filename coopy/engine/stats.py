"""What a running system says of itself in numbers, as one value: `coopy.control(x).stats()`.

They are kept where things happen and put together here, without a lock: a system that hangs or failed can still be asked. So one number may be of
a moment after the one before it.

What a system is to others is a part of its own: a class here, which its Peers give, and a field of Stats that is None where it is no such thing.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from coopy.engine.gate import BROKEN, CLOSED, FAILED, FORKED, TORN
from coopy.engine.restored import Restored
from coopy.error import UsageError
from coopy.journal.segment import segment_name
from coopy.measured import Timing, Trouble
from coopy.snapshot import snapshot_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coopy.engine.archive import Archive
    from coopy.engine.system import System

__all__ = ["Errors", "NodeStats", "PrimaryStats", "ReplicaStats", "Role", "Stats", "stats_of"]

Role = Literal["alone", "primary", "replica", "node"]
State = Literal["open", "failed", "broken", "closed", "forked"]
STATES: dict[object, State] = {FAILED: "failed", BROKEN: "broken", CLOSED: "closed", FORKED: "forked", TORN: "forked"}


class PrimaryStats(msgspec.Struct, frozen=True, tag_field="role", tag="primary"):
    """Of a primary, since it listens.

    `replicas`: how many are connected now; `acked`: the LSN up to which all of these have everything, 0 where there is none; `shipped_bytes`: of
    frames and snapshots; `refused`: how often a peer was turned away.
    """

    replicas: int
    acked: int
    shipped_bytes: int
    refused: int


class ReplicaStats(msgspec.Struct, frozen=True, tag_field="role", tag="replica"):
    """Of a replica, since it was opened.

    `connected`: whether it follows now, else `problem` says why not; `lag`: how many actions the primary is known to have that were not executed here;
    `staleness`: how old its answers may be at most, in seconds, infinite where it was never level; `sessions`: how often it began to follow;
    `received_bytes`: of frames and snapshots; `trouble`: what kept it from following last, also where it does again.
    """

    connected: bool
    problem: str
    lag: int
    staleness: float
    sessions: int
    received_bytes: int
    trouble: Trouble | None


class NodeStats(msgspec.Struct, frozen=True, tag_field="role", tag="node"):
    """Of a node of a cluster, since it was opened.

    `connected`: whether it takes and sends now, else `problem` says why not; `generation`: of the stream that it takes from; `former`: how many streams
    before that were last seen to be there; `sequence`: of the last message of the stream that was taken; `lag`: how many
    have come and were not taken yet; `waiting`: calls that were not sent yet; `under_way`: messages of which it is not known yet what became of them.
    How many messages were `taken`, `published`, `republished` and `refused`; how often another server (`reconnects`) or another consumer at it
    (`consumers`, the first one too) had to be found. `compared`: the LSN at which most nodes were last seen to have this one's state, 0 if never.
    """

    connected: bool
    problem: str
    generation: int = 0
    sequence: int = 0
    lag: int = 0
    waiting: int = 0
    under_way: int = 0
    taken: int = 0
    published: int = 0
    republished: int = 0
    refused: int = 0
    reconnects: int = 0
    consumers: int = 0
    compared: int = 0
    former: int = 0


class Errors(msgspec.Struct, frozen=True):
    """What went wrong last, since the system was opened; None where nothing did. It may be over.

    `journal`: a write or sync that failed, or was refused for want of room; `memory`: it could not be made anew; `snapshot`: one that was not
    completed; `ended`: why the system takes no more actions, which is not over.
    """

    journal: Trouble | None
    memory: Trouble | None
    snapshot: Trouble | None
    ended: Trouble | None


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """A system in numbers, since it was opened. Times in seconds, sizes in bytes.

    Which: `directory`; `system` (its identity, as `coopy status` shows it); `domain` ("module:Class"); `role`; `durability`; `opened` (when, UTC);
    `restored` (what the opening found, and how long it took); `state` ("open", or why it takes no actions: "failed" for the disk or a fence,
    "broken" for memory that could not be made anew, "closed", "forked").

    Where it stands: `lsn` (of the last action executed); `durable` (the LSN up to which all is on stable storage); `epoch`; `first_lsn` (of the
    oldest action that is kept).

    Actions: `actions` (executed; queries are not counted, that would cost more than they do); `raised` (of these; `undone`: of those); `queued` (calls that
    wait for a batch, "sync" only); `unlocked` (that run at this moment).

    How long it took: `syncs` (forcing the journal to stable storage); `batches` (from framing to the last result, "sync" only); `snapshots` (from the
    call to the listed file); `rebuilds` (memory made anew); `snapshot_pause` (for how long calls had to wait for the last snapshot).

    What is kept: `segments`, `journal_bytes`; `snapshot_lsns`, `snapshot_bytes`; `keys` (of `once`, remembered in memory).

    What went wrong: `snapshots_failed`; `divergences` (outcomes that differed from the recorded ones, and were only warned of); `damaged_snapshots`
    (passed over when the state was made last); `errors`.

    With others: `replication`; None where the system is alone.
    """

    directory: str
    system: str
    domain: str
    role: Role
    durability: Literal["sync", "buffered"]
    opened: datetime
    restored: Restored
    state: State

    lsn: int
    durable: int
    epoch: int
    first_lsn: int

    actions: int
    raised: int
    undone: int
    queued: int
    unlocked: int

    syncs: Timing
    batches: Timing
    snapshots: Timing
    rebuilds: Timing
    snapshot_pause: float

    segments: int
    journal_bytes: int
    snapshot_lsns: tuple[int, ...]
    snapshot_bytes: int
    keys: int

    snapshots_failed: int
    divergences: int
    damaged_snapshots: int
    errors: Errors

    replication: PrimaryStats | ReplicaStats | NodeStats | None


def stats_of(system: System) -> Stats:
    """Everything, now."""
    engine, journal, archive, snapshots = system.engine, system.engine.journal, system.archive, system.snapshots
    manifest, (durable, lsn) = archive.manifest, (journal.durable, engine.executed)
    return Stats(
        directory=archive.directory, system=archive.identity.system.hex(), domain=archive.domain, role=system.role,
        durability=system.settings.durability, opened=system.opened, restored=system.restored, state=STATES.get(engine.final, "open"),
        lsn=lsn, durable=durable, epoch=journal.epoch, first_lsn=manifest.segments[0].first_lsn,
        actions=lsn - engine.before, raised=engine.raised, undone=engine.undone, queued=engine.queued, unlocked=len(engine.beside.flights),
        syncs=journal.syncs.reading(), batches=engine.batches.reading(), snapshots=snapshots.times.reading(), rebuilds=engine.rebuilds.reading(),
        snapshot_pause=snapshots.pause,
        segments=len(manifest.segments), journal_bytes=journal.end + _bytes(archive, (segment_name(one.first_lsn) for one in manifest.segments[:-1])),
        snapshot_lsns=manifest.snapshots, snapshot_bytes=_bytes(archive, map(snapshot_name, manifest.snapshots)),
        keys=len(engine.executor.keys),
        snapshots_failed=snapshots.failed, divergences=system.restorer.divergences, damaged_snapshots=len(system.restorer.passed_over),
        errors=Errors(journal.trouble, engine.trouble, snapshots.trouble, engine.ended),
        replication=system.peers.stats() if system.peers is not None else None,
    )  # fmt: skip


def _bytes(archive: Archive, names: Iterable[str]) -> int:
    return sum(_size(archive, name) for name in names)


def _size(archive: Archive, name: str) -> int:
    """Of a file; 0 where it was pruned a moment ago, or the directory is not there any more."""
    try:
        file = archive.disk.open_read(archive.path(name))
    except (OSError, UsageError):
        return 0
    try:
        return file.size()
    finally:
        file.close()
