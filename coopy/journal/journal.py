"""The journal being written: append and draft records, sync, rotate, close. Where their bytes go is in open_segment.py.

One owner at a time: whoever holds the engine's guard for appending (the state's lock when buffered, the lead when synced). Nothing here
calls back. What is published is one run of plain stores at the end of a method, for CPython looks for signals at calls and backward
jumps only: an interrupt before it leaves the journal as it was, and what it may have written beyond the end is zeroed by the next owner.

    append   one record, written but not synced: for "buffered"
    append_all   several at once, by a thread that no signal reaches: for a node of a cluster
    draft    several records become one batch, bytes at an offset; `commit` writes and syncs it, again if interrupted: for "sync"
    note     a control record, to be framed in front of the next record
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

import msgspec

from coopy import header
from coopy.disk import write_whole
from coopy.error import DiskFullError
from coopy.journal.frame import HEADER_SIZE, Framer, Kind, word_of
from coopy.journal.open_segment import OpenSegment
from coopy.journal.segment import Head, SegmentHeader, segment_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from coopy.disk import Disk, File
    from coopy.journal.high_water import HighWater

__all__ = ["Batch", "Draft", "Journal", "create_segment"]

MAX_DURABLE_BACK = 0xFFFFFFFF
MAX_EXECUTED_BACK = 0xFFFF


class Draft(Protocol):
    """An action that waits to be framed: `word` and `payload` as `stored` gave them, the time of its stamp and the zone's offset."""

    word: bytes
    payload: bytes
    time_us: int
    utc_offset: int


class Batch(msgspec.Struct, frozen=True):
    """Framed records and where they go; `before` and `controls` take it back if there is no room for it."""

    offset: int
    data: bytes
    last_lsn: int
    before: Head
    controls: list[tuple[int, bytes]]


def create_segment(disk: Disk, directory: str, about: SegmentHeader, key: bytes) -> File:
    """A new segment with its header, on stable storage under its name. The caller lists it before a record in it is acknowledged."""
    name = segment_name(about.first_lsn)
    write_whole(disk, directory, name, header.pack(header.SEGMENT, about, key))
    return disk.open(f"{directory}/{name}")


class Journal(OpenSegment):
    """The last segment, open for appending. `lsn`, `time_us`: of the last action; `known`: up to where outcomes are known.

    `epoch_before`: of the last record before this segment; `durable`: the highest LSN on stable storage.
    """

    __slots__ = (
        "_disk",
        "_frame",
        "_identity",
        "_next",
        "_sealed",
        "action_tag",
        "batch",
        "controls",
        "durable",
        "epoch",
        "epoch_before",
        "first_lsn",
        "framer",
        "high_water",
        "known",
        "lsn",
        "pack_into",
        "tag",
        "time_us",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913 - what it takes to write: where, whose, how, from where on
        self, disk: Disk, directory: str, identity: header.Identity, framer: Framer, file: File, head: Head, high_water: HighWater
    ) -> None:
        super().__init__(directory, file)
        self._disk, self._identity, self.framer, self.high_water = disk, identity, framer, high_water
        self.lsn, self.time_us, self.epoch, self.tag, self.action_tag = head.lsn, head.time_us, head.epoch, head.tag, head.action_tag
        self.durable = self.known = head.lsn
        self.epoch_before = head.epoch
        self.first_lsn = head.lsn + 1
        self.controls: list[tuple[int, bytes]] = []
        self.batch: Batch | None = None
        self.pack_into = disk.pack_into
        self._frame = framer.frame
        self._next: tuple[SegmentHeader, File] | None = None
        self._sealed = False

    # --- records -----------------------------------------------------------------------------------------------------

    def append(self, word: bytes, payload: bytes, time_us: int, utc_offset: int) -> int:
        """Write one action behind the last and give its LSN. The operating system has it when this returns.

        `word` and `payload` as `stored` gives them. Raises DiskFullError (nothing changed) or DurabilityError.
        """
        start, lsn = self.end, self.lsn + 1
        end = start + HEADER_SIZE + len(payload)
        if end > self.capacity or self.controls or self.dirty:
            self._make_ready(HEADER_SIZE + len(payload))
            start, end = self.end, self.end + HEADER_SIZE + len(payload)
        back, known = lsn - self.durable, lsn - self.known
        if back > MAX_EXECUTED_BACK:  # the smaller of both limits
            back, known = min(back, MAX_DURABLE_BACK), min(known, MAX_EXECUTED_BACK)
        frame, tag = self._frame(word, payload, lsn, self.epoch, back, utc_offset, known, time_us, self.tag)
        self.dirty = end
        self._put(start, frame)
        # Stores only from here on, the LSN first: it says that this action happens.
        self.lsn = lsn
        self.tag = self.action_tag = tag
        self.time_us, self.end, self.dirty = time_us, end, 0
        return lsn

    def draft(self, drafts: Sequence[Draft]) -> None:
        """Frame pending control records and these actions as one batch behind the last. It is `self.batch` from here on: `commit` it.

        Raises DiskFullError where space is reserved ahead and there is none (nothing changed).
        """
        before, controls = self.head(), self.controls
        out, tag = self._framed_controls() if controls else ([], self.tag)
        lsn, time_us, action_tag = self.lsn, self.time_us, self.action_tag
        durable, outcomes, epoch, frame_of = self.durable, self.known, self.epoch, self._frame
        for draft in drafts:
            lsn, time_us = lsn + 1, draft.time_us
            back, known = lsn - durable, lsn - outcomes
            if back > MAX_EXECUTED_BACK:  # the smaller of both limits
                back, known = min(back, MAX_DURABLE_BACK), min(known, MAX_EXECUTED_BACK)
            frame, tag = frame_of(draft.word, draft.payload, lsn, epoch, back, draft.utc_offset, known, time_us, tag)
            action_tag = tag
            out.append(frame)
        data = b"".join(out)
        batch, end = Batch(self.end, data, lsn, before, controls), self.end + len(data)
        if end > self.capacity:
            self._reserve(len(data))
        if self.dirty:
            self._clear()
        none: list[tuple[int, bytes]] = []
        # Stores only from here on, the batch first.
        self.batch = batch
        self.lsn, self.time_us = lsn, time_us
        self.tag, self.action_tag = tag, action_tag
        self.end, self.controls = end, none

    def commit(self) -> None:
        """Write the batch and force it to stable storage: then `durable` is its last LSN, and there is no batch any more.

        May be repeated after an interrupt. Raises DiskFullError (the bytes are cut off again: `take_back` the batch), or DurabilityError.
        """
        batch = self.batch
        if batch is None:
            return
        lsn = self.lsn
        self._put(batch.offset, batch.data)
        self._force(self.file)
        self.durable, self.batch = lsn, None

    def append_all(self, drafts: Sequence[Draft]) -> None:
        """Write pending control records and these actions behind the last, as one piece. The operating system has them when this returns.

        Only on a thread that no signal reaches. Raises DiskFullError (nothing changed) or DurabilityError.
        """
        self.draft(drafts)
        batch = self.batch
        assert batch is not None
        try:
            self._put(batch.offset, batch.data)
        except DiskFullError:
            self.take_back()
            raise
        self.batch = None

    def take_back(self) -> None:
        """As if the batch had never been drafted, but for control records that came after it."""
        batch = self.batch
        if batch is not None:
            head, controls = batch.before, batch.controls + self.controls
            self.batch, self.lsn, self.time_us, self.tag, self.action_tag, self.end, self.controls = (
                None, head.lsn, head.time_us, head.tag, head.action_tag, batch.offset, controls,
            )  # fmt: skip

    def note(self, kind: int, content: object) -> None:
        """Keep a control record for the next append. `content` is its payload before MessagePack."""
        self.controls.append((kind, msgspec.msgpack.encode(content)))
        self.room = 0

    def unwritten(self, kind: int) -> dict[int, str]:
        """By LSN what the control records of this kind will say that may not be in the file yet."""
        waiting = self.controls if self.batch is None else self.batch.controls + self.controls
        return dict(msgspec.msgpack.decode(payload, type=tuple[int, str]) for one, payload in waiting if one == kind)

    def noted(self) -> dict[int, tuple[int, str]]:
        """By LSN how actions ended that did not return, where the journal is kept from saying so: kind of record, and what raised."""
        return {}

    def unsaid(self) -> tuple[tuple[int, int, str], ...]:
        """The same, and what returned: kind of record, LSN, what raised."""
        return ()

    def flush(self) -> None:
        """Write the pending control records. The owner calls it when an outcome must be on disk before someone hears of it."""
        if self.controls or self.dirty:
            self._make_ready(0)

    def head(self) -> Head:
        """Where the journal ends."""
        return Head(self.lsn, self.time_us, self.epoch, self.tag, self.action_tag)

    # --- stable storage ----------------------------------------------------------------------------------------------

    def sync(self) -> None:
        """Force what is written to stable storage: it is durable then. Raises DurabilityError, for good."""
        lsn = self.lsn
        self._force(self.file)
        self.durable = lsn

    def rotate(self, enlist: Callable[[int, bytes], None]) -> None:
        """Seal this segment and go on in a new one. `enlist(first LSN, previous tag)` lists it in the manifest.

        All outcomes are known. May be repeated after DiskFullError: it goes on where it stopped. Interrupts must be kept away.
        """
        try:
            if not self._sealed:
                self.flush()
                self._force(self.file)  # or the next segment could be found behind records that are not there
                self._create_next()
                self._append_control(Kind.SEAL, self.lsn + 1)
                self._sealed = True
            self.finish()
            assert self._next is not None
            about, file = self._next
            enlist(about.first_lsn, about.previous_tag)
        except OSError as error:
            raise self.not_made(error) from error
        with self._sync_guard:
            self._close_window()
            self.file.close()
            self.file, self.first_lsn, self.end, self.capacity = file, about.first_lsn, file.size(), file.size()
            self._next, self._sealed, self.epoch_before = None, False, self.epoch
        self.limit = self.segment_bytes

    def close(self) -> None:
        """Write CLOSE, sync, give reserved space back, raise the high-water mark. The journal cannot be used afterwards."""
        if not self._sealed:
            self.flush()
            self._append_control(Kind.CLOSE, self.lsn)
        self.finish()
        self.release()

    def finish(self) -> None:
        """Sync the segment, give back what is reserved behind its end and raise the high-water mark."""
        self._close_window()
        self.file.truncate(self.end)
        self._force(self.file)
        self.capacity, self.durable = self.end, self.lsn
        self.high_water.write(self.lsn, self.action_tag, sync=True)

    def abandon(self) -> None:
        """In a forked child: close what is the parent's, whoever held a guard when it was forked. The files stay as they are."""
        self._sync_guard = threading.Lock()
        self.release()

    def release(self) -> None:
        """Close the files, whatever state they are in. May be repeated."""
        with self._sync_guard:
            self._released = True
            self._close_window()
            self.file.close()
            self.high_water.close()
            if self._next is not None:
                self._next[1].close()

    # --- control records ---------------------------------------------------------------------------------------------

    def _make_ready(self, size: int) -> None:
        """Zero what an interrupt left beyond the end, write pending control records, have room for `size` bytes more."""
        pending = sum(HEADER_SIZE + len(payload) for _, payload in self.controls)
        self._reserve(size + pending)
        if self.dirty:
            self._clear()
        if self.controls:
            out, tag = self._framed_controls()
            data = b"".join(out)
            none: list[tuple[int, bytes]] = []
            end = self.dirty = self.end + len(data)
            self._put(self.end, data)
            self.tag, self.end, self.controls, self.dirty = tag, end, none, 0
            self.room = self._room()

    def _framed_controls(self) -> tuple[list[bytes], bytes]:
        """A crash may leave the first of them: none says that an outcome is known of which one behind it has yet to speak."""
        known, knowns = self.known, list[int]()
        for kind, payload in reversed(self.controls):
            knowns.append(known)
            if kind in (Kind.RAISED, Kind.SKIP):
                known = min(known, msgspec.msgpack.decode(payload, type=tuple[int, str])[0] - 1)
        out, tag = [], self.tag
        for (kind, payload), known in zip(self.controls, reversed(knowns), strict=True):
            frame, tag = self._control(kind, payload, tag, known)
            out.append(frame)
        return out, tag

    def _control(self, kind: int, payload: bytes, previous: bytes, outcomes: int) -> tuple[bytes, bytes]:
        back, known = min(self.lsn - self.durable, MAX_DURABLE_BACK), min(self.lsn - outcomes, MAX_EXECUTED_BACK)
        return self.framer.frame(word_of(kind, 0), payload, self.lsn, self.epoch, back, 0, known, self.time_us, previous)

    def _append_control(self, kind: int, content: object) -> None:
        payload = msgspec.msgpack.encode(content)
        self._make_ready(HEADER_SIZE + len(payload))
        frame, tag = self._control(kind, payload, self.tag, self.known)
        end = self.dirty = self.end + len(frame)
        self._put(self.end, frame)
        self.tag, self.end, self.dirty = tag, end, 0

    def _room(self) -> int:
        return 0 if self.controls else super()._room()

    # --- rotation ----------------------------------------------------------------------------------------------------

    def _create_next(self) -> None:
        """Create the next segment. Its header names the tag of the SEAL that is yet to be written, whose space is reserved."""
        if self._next is not None:
            self._next[1].close()
        self._reserve(HEADER_SIZE + 16)
        _, tag = self._control(Kind.SEAL, msgspec.msgpack.encode(self.lsn + 1), self.tag, self.known)
        about = SegmentHeader(self._identity, self.lsn + 1, tag)
        self.limit = self.room = 0  # once it has its name nothing may be appended here any more: whoever wants to rotates first
        try:
            self._next = about, create_segment(self._disk, self._directory, about, self.framer.key)
        except OSError:
            if not self._disk.exists(f"{self._directory}/{segment_name(about.first_lsn)}"):
                self.limit = self.segment_bytes
                self.room = self._room()
            raise
