"""Who follows: an empty directory, or a system. What a session with a primary means for what is here; no sockets, no threads.

Newcomer    an empty directory gets the primary's newest snapshot
Follower    a system's engine takes what comes: stable storage, then executed, and then it may be acknowledged

What is here is never thrown away: where it is replaced by a snapshot it goes to quarantine/.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

from coopy.engine.following import install_snapshot, read_arrived
from coopy.error import CorruptionError
from coopy.logs import logger
from coopy.manifest import read_manifest
from coopy.replication.handshake import FENCED, GENERATION, next_generation
from coopy.replication.taking import RefusedError
from coopy.replication.wire import Hello, LostError, PeerError, Welcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.engine.archive import Archive
    from coopy.engine.following import FollowingEngine
    from coopy.engine.opening import Place
    from coopy.manifest import Manifest
    from coopy.snapshot import SnapshotHeader

__all__ = ["Follower", "Newcomer"]

log = logger("replication")
MOST_DUE = 1000


class Newcomer:
    """As taking.Home says, of a directory in which nothing is, or nothing any more: a replacement may have been cut off."""

    def __init__(self, place: Place, domain: str) -> None:
        self.place: Place | Archive = place
        self.received = 0
        self._empty, self._domain = place, domain

    def hello(self) -> Hello:
        """Nothing; of what was there, whose it was and which primary was known."""
        left = self._left()
        return (
            Hello(left.identity.system, self._domain, 0, 0, b"", known=left.epoch)
            if left is not None
            else Hello(b"", self._domain, 0, 0, b"")
        )

    def accept(self, welcome: Welcome) -> None:
        """Anybody who sends a state, but for an older primary than was known."""
        left = self._left()
        if left is not None and left.identity.system == welcome.identity.system:
            _refuse_older(welcome, left.epoch, "the primary")
        if not welcome.snapshot:
            raise PeerError("The primary sends no snapshot, though there is nothing here.")

    def replace(self, welcome: Welcome, temporary: str) -> None:
        """Make a directory of it."""
        about = _read_through(self._empty, welcome, temporary)
        install_snapshot(self._empty, about, welcome.epoch, welcome.skips, temporary)

    def beat(self, lsn: int) -> None:
        """Of no use here."""

    def _left(self) -> Manifest | None:
        place = self._empty
        manifest = read_manifest(place.disk, place.directory, place.key)
        return manifest if manifest is not None and manifest.follows else None


class Follower:
    """As taking.Home says, of a system. `primary_lsn`: what the primary is known to have."""

    def __init__(self, engine: FollowingEngine, primary: str, now: Callable[[], float]) -> None:
        self.engine, self._primary, self._now = engine, primary, now
        self.place: Place | Archive = engine.archive
        self.received = 0
        self.primary_lsn = 0
        self._level_at = -math.inf
        self._boundary = b""  # as it was told
        self._due: deque[tuple[float, int]] = (
            deque()
        )  # beats that are ahead of what is executed, but for those that came when there were many

    # --- a session begins ------------------------------------------------------------------------------------------------------

    def hello(self) -> Hello:
        """The end of the journal."""
        engine = self.engine
        with engine.lead:
            head, identity = engine.journal.head(), engine.archive.identity
            manifest, boundary = engine.archive.manifest, engine.boundary
        self._boundary = boundary
        known = max(head.epoch, manifest.epoch)
        return Hello(identity.system, identity.domain, head.epoch, head.lsn, head.tag, boundary, known, manifest.replica)

    def accept(self, welcome: Welcome) -> None:
        """A primary of this system that is not older than the one we know, and leaves out no action that was executed here.

        From now on the directory is a replica's. What only it says behind its last action, of a time when it was a primary, is put aside where
        the primary's records go on from that.
        """
        self._check(welcome)
        self.engine.accepted(welcome.identity, welcome.skips)
        if not welcome.snapshot:
            self._stand_at(welcome.tag)
        self.primary_lsn = self.engine.executed
        self._due.clear()

    def _check(self, welcome: Welcome) -> None:
        archive, executed = self.engine.archive, self.engine.executed
        theirs = welcome.identity
        if (theirs.system, theirs.secret) != (archive.identity.system, archive.identity.secret):
            raise RefusedError(f"The primary at {self._primary} is of another system. Nothing was changed here.", primary=self._primary)
        if not self.engine.codec.names.lead(theirs.domain, archive.domain):
            what = f"The primary at {self._primary} has a {theirs.domain} by now, and this replica's program knows it as {archive.domain}"
            raise RefusedError(f"{what}. Start the replica with the primary's program. Nothing was changed here.", primary=self._primary)
        _refuse_older(welcome, max(self.engine.journal.epoch, archive.manifest.epoch), self._primary)
        new = set(welcome.skips) - set(archive.manifest.skips)
        if any(lsn <= executed for lsn in new) and not welcome.snapshot:
            what = f"The primary leaves out LSN {min(new)} since it was repaired, and it was executed here"
            raise RefusedError(f"{what}. Repair this directory in the same way, or make the replica anew.", primary=self._primary)

    def _stand_at(self, tag: bytes) -> None:
        engine = self.engine
        if tag not in {engine.journal.tag, engine.boundary}:
            if tag == self._boundary:  # it was there, and a snapshot that was taken here meanwhile has closed its segment
                raise LostError("A snapshot was taken here meanwhile: the session begins anew.")
            raise PeerError(f"The primary at {self._primary} goes on from a record that is not here. Nothing was changed.")
        if tag != engine.journal.tag:
            engine.exclusively(engine.cut_back)

    def replace(self, welcome: Welcome, temporary: str) -> None:
        """What is here is too old to go on from, or of a history that a promotion cut off. A snapshot takes its place."""
        engine, directory = self.engine, self.engine.archive.directory
        about = _read_through(engine.archive, welcome, temporary)
        what = "the primary has pruned what followed it, or was promoted without it"
        log.warning("%s: LSN %d is no place to go on from: %s.", directory, engine.executed, what)
        engine.exclusively(lambda: engine.start_over(about, welcome.epoch, temporary))
        self.primary_lsn = engine.executed
        log.warning("%s: it goes on from the snapshot at LSN %d, what was there is in quarantine/.", directory, welcome.lsn)

    # --- what comes ------------------------------------------------------------------------------------------------------------

    def take(self, frames: bytearray) -> int:
        """Take what is complete, and remove it. Gives the LSN up to which everything is on stable storage here and executed.

        Raises as FollowingEngine.take.
        """
        executed = self.engine.take(frames)
        self.primary_lsn = max(self.primary_lsn, executed)
        while self._due and self._due[0][1] <= executed:
            self._level_at = self._due.popleft()[0]
        return executed

    def beat(self, lsn: int) -> None:
        """The primary had so much at this moment."""
        self.primary_lsn = max(self.primary_lsn, lsn)
        if len(self._due) < MOST_DUE:  # the oldest are reached next
            self._due.append((self._now(), lsn))

    # --- what can be asked -------------------------------------------------------------------------------------------------------

    @property
    def lag(self) -> int:
        """How many actions the primary is known to have that were not executed here."""
        return max(self.primary_lsn - self.engine.executed, 0)

    @property
    def staleness(self) -> float:
        """How old, in seconds, what is here may be at most; infinite as long as it was never level with the primary."""
        return self._now() - self._level_at

    # --- the end -------------------------------------------------------------------------------------------------------------------

    def promote(self, after: int) -> int:
        """Take actions from now on, in an epoch above `after` and any that is known here. Gives it; it is on stable storage when this returns.

        Raises UsageError where it takes actions already.
        """
        engine = self.engine
        engine.check_following()
        epoch = next_generation(max(engine.journal.epoch, engine.archive.manifest.epoch, after))
        engine.exclusively(lambda: engine.lead_on(epoch))
        log.warning("%s was promoted: epoch %d, from LSN %d on.", engine.archive.directory, epoch, engine.executed)
        return epoch


def _refuse_older(welcome: Welcome, known: int, primary: str) -> None:
    if welcome.epoch // GENERATION < known // GENERATION:
        what = f"The primary at {primary} is of epoch {welcome.epoch}, and this replica knows a newer one ({known})"
        raise RefusedError(f"{what}. Follow that one. Nothing was changed here.", primary=primary, code=FENCED)


def _read_through(place: Place | Archive, welcome: Welcome, path: str) -> SnapshotHeader:
    """Check a snapshot file that came, before anything is done with it. A damaged one is to be had again."""
    try:
        about = read_arrived(place.disk, path, place.key, welcome.identity)
    except CorruptionError as error:
        what = f"The snapshot that the primary sent is damaged ({error}). Nothing was changed here"
        raise PeerError(
            f"{what}. It is asked for again; if it stays so, check the primary's directory, and take a snapshot there."
        ) from error
    if (about.lsn, about.tag) != (welcome.lsn, welcome.tag):
        raise PeerError(f"The snapshot that the primary sent is not the one it announced: it is of LSN {about.lsn}.")
    return about
