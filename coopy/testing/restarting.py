"""A restart in a fresh process, on a disk as a crash left it: what is found there, and how it goes on."""

from __future__ import annotations

import msgspec

from coopy.clock import fix_time
from coopy.codec import Codec
from coopy.disk.fake import FakeDisk
from coopy.fresh import pack, unpack
from coopy.testing.call import Told, decoded, outcome_of
from coopy.testing.looks import Look, look
from coopy.wiring import Options, control, open_proxy
from coopy.wiring.systems import system_of

__all__ = ["Again", "Kept", "Restart", "Restarted", "restart"]

FOREVER = 1 << 62


class Kept(msgspec.Struct, frozen=True):
    """Which system, and how it is opened."""

    directory: str
    domain: str
    allow: tuple[str, ...] = ()
    signing_key: bytes | None = None
    segment_bytes: int = 64 << 20


class Again(msgspec.Struct, frozen=True):
    """A call that is to be made again, at the same time."""

    kind: int
    payload: bytes
    time_us: int
    utc_offset: int


class Restart(msgspec.Struct, frozen=True):
    """What to do: open it on these files, go on with `rest`, look so many `times`, close it with a snapshot.

    `walls`: by LSN, what the time was by the clock after that action, in microseconds.
    """

    kept: Kept
    files: dict[str, bytes]
    walls: tuple[int, ...]
    rest: tuple[Again, ...] = ()
    snapshot: bool = False
    times: int = 1


class Restarted(msgspec.Struct, frozen=True):
    """What came of it. `found`: at the beginning; `outcomes`: of the rest; `end`: after it; `files`: after the snapshot."""

    found: Look
    outcomes: tuple[Told, ...]
    end: Look
    files: dict[str, bytes]


def restart(task: bytes) -> bytes:
    """Do a Restart, give a Restarted."""
    work = unpack(task, Restart)
    kept, disk = work.kept, FakeDisk()
    disk.put(work.files)
    module, _, name = kept.domain.partition(":")
    codec = Codec((module.partition(".")[0],), kept.allow)
    options = Options(
        validation="off",
        durability="buffered",
        sync_interval=3600,
        allow=kept.allow,
        signing_key=kept.signing_key,
        segment_bytes=kept.segment_bytes,
    )
    proxy = open_proxy(codec.find(module, name), kept.directory, options, disk)
    found = _look(proxy, work)
    outcomes = tuple(_once_more(proxy, codec, one) for one in work.rest)
    end = _look(proxy, work) if work.rest else found
    if work.snapshot:  # else the process ends with the system open, and its disk with it
        control(proxy).take_snapshot()
        control(proxy).close()
    return pack(Restarted(found, outcomes, end, disk.contents() if work.snapshot else {}))


def _look(proxy: object, work: Restart) -> Look:
    """Look, at the time when the scenario looked."""
    lsn = min(control(proxy).lsn, len(work.walls) - 1)
    fix_time(lambda: work.walls[lsn] * 1000)
    return look(proxy, work.times)


def _once_more(proxy: object, codec: Codec, one: Again) -> Told:
    engine = system_of(proxy).engine
    engine.wall = lambda: one.time_us * 1000
    engine.utc_offset, engine.zone_ends = one.utc_offset, FOREVER
    call = decoded(codec, one.kind, one.payload)
    return outcome_of(lambda: call.on(proxy))
