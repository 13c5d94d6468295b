"""The journal of a replica: the primary's frames, byte for byte, in files of its own. It decides nothing; it is what it was told.

Only "durable back" is this copy's own (frame.py): what the primary had on stable storage says nothing about this disk. It is outside of the
tag, so the chain of tags is the primary's. Segments end where the primary's do, and where a snapshot is taken here: then without a SEAL,
which would be a record that the primary does not have; the next segment's header proves the end.

While it is silent, notes are kept and not written: how actions ended here. The primary's own records are to say the same. When it is promoted
it is a journal like any other, and they are written.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import msgspec

from coopy.disk import write_whole
from coopy.journal.frame import HEADER_SIZE, MAGIC, MAX_PAYLOAD, Framer, Kind
from coopy.journal.journal import Journal, create_segment
from coopy.journal.segment import Head, Scan, SegmentHeader, read_header, records, scan, segment_name
from coopy.manifest import RETURNED

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from coopy.disk import File
    from coopy.journal.high_water import HighWater
    from coopy.journal.segment import Record

__all__ = ["CopiedJournal", "checked", "eras_in", "whole"]

HOP = struct.Struct("<HBx4xI").unpack_from  # magic, kind, length
MAGIC_NUMBER = int.from_bytes(MAGIC, "little")
ERA = struct.Struct("<HBx4xIIQ").unpack_from  # magic, kind, length, epoch, LSN
PLACED = struct.Struct("<I4xI4xQ").unpack_from  # word, length, LSN
NUMBER = struct.Struct("<I").pack_into
MAX_BACK = 0xFFFFFFFF


def whole(data: bytes | bytearray, framer: Framer) -> tuple[int, bool]:
    """Where the last frame ends that is complete, or the first SEAL begins; and whether it is one.

    What is no frame counts as one, so that `checked` says what is wrong with it.
    """
    offset, size = 0, len(data)
    while offset + HEADER_SIZE <= size:
        magic, kind, length = HOP(data, offset)
        if magic != MAGIC_NUMBER or length > MAX_PAYLOAD:
            return size, False
        if offset + HEADER_SIZE + length > size:
            known = framer.header(bytes(data[offset : offset + HEADER_SIZE]), 0)  # a damaged length would be waited for in vain
            return (offset, False) if known else (size, False)
        if kind == Kind.SEAL:
            return (offset, True) if offset else (HEADER_SIZE + length, True)
        offset += HEADER_SIZE + length
    return offset, False


def checked(data: bytes, framer: Framer, found: Scan, path: str) -> list[Record]:
    """The actions in whole frames that follow `found.head`. What is wrong with the first that does not, `found.problem` says."""
    actions = list(records(data, framer, found, path))
    if not found.problem and found.end != len(data):
        found.problem = "it ends inside of a record"
    return actions


def eras_in(data: bytes, epoch: int) -> list[tuple[int, int]]:
    """Where, in frames that were checked, an epoch after this one begins: the LSN behind which records are of it, and which it is."""
    found: list[tuple[int, int]] = []
    offset = 0
    while offset < len(data):
        _, kind, length, this, lsn = ERA(data, offset)
        if this > epoch:
            found.append((lsn - 1 if kind in Kind.CALLS else lsn, this))
            epoch = this
        offset += HEADER_SIZE + length
    return found


class CopiedJournal(Journal):
    """A journal that copies another until it is promoted. `silent`: it has no records of its own; `told`: up to where the other has said how actions ended."""

    __slots__ = ("silent", "told")

    silent: bool
    told: int

    def copy(self, data: bytes, after: Head) -> None:
        """Have these frames on stable storage behind the last; `after` is where the journal stands then. The caller has checked them.

        Raises DiskFullError (nothing changed) or DurabilityError. Where it stands changes at the end, by plain stores.
        """
        local = self._local(data)
        self._reserve(len(local))
        if self.dirty:
            self._clear()
        end = self.dirty = self.end + len(local)
        self._put(self.end, local)
        self._force(self.file)
        self.epoch, self.time_us, self.tag, self.action_tag = after.epoch, after.time_us, after.tag, after.action_tag or self.action_tag
        self.lsn, self.durable, self.end, self.dirty = after.lsn, after.lsn, end, 0

    def _local(self, data: bytes) -> bytes:
        """The frames with this copy's own "durable back", as if written by a journal here."""
        out, durable, offset, size = bytearray(data), self.durable, 0, len(data)
        crcs, crc32 = self.framer.crcs_as_read, self.framer.crc32
        while offset < size:
            word, length, lsn = PLACED(data, offset)
            body, back = offset + HEADER_SIZE, lsn - durable
            NUMBER(out, offset + 24, back if back < MAX_BACK else MAX_BACK)  # noqa: FURB136 - a call of min() for each record costs 2 %
            NUMBER(out, offset + 4, crc32(out[offset + 8 : body], crcs[word]))
            offset = body + length
        return bytes(out)

    def copy_seal(self, data: bytes, after: Head, enlist: Callable[[int, bytes], None]) -> None:
        """Copy the frame of a SEAL and go on in a new segment. The next one is there before this one says so, as in `rotate`.

        A segment without an action, begun by a snapshot here, goes on: the SEAL sealed what is before it.
        """
        if self.lsn < self.first_lsn:
            self.copy(data, after)
            return
        about = SegmentHeader(self._identity, self.lsn + 1, after.tag)
        file = create_segment(self._disk, self._directory, about, self.framer.key)
        try:
            self.copy(data, after)
            self._go_on(about, file, enlist)
        except OSError as error:
            raise self._failed(error) from error

    def rotate(self, enlist: Callable[[int, bytes], None]) -> None:
        """As Journal.rotate. While it follows: without a SEAL."""
        if not self.silent:
            super().rotate(enlist)
            return
        about = SegmentHeader(self._identity, self.lsn + 1, self.tag)
        try:
            file = create_segment(self._disk, self._directory, about, self.framer.key)
            self._go_on(about, file, enlist)
        except OSError as error:
            raise self.not_made(error) from error

    def _go_on(self, about: SegmentHeader, file: File, enlist: Callable[[int, bytes], None]) -> None:
        try:
            self.finish()
            enlist(about.first_lsn, about.previous_tag)
        except BaseException:
            file.close()
            raise
        self.stand(file, about.first_lsn)

    # --- what is noted ---------------------------------------------------------------------------------------------------

    def noted(self) -> dict[int, tuple[int, str]]:
        """As Journal.noted: as far as the primary has not said so yet."""
        if not self.silent:
            return super().noted()
        found: dict[int, tuple[int, str]] = {}
        for kind, payload in self.controls:
            lsn, name = msgspec.msgpack.decode(payload, type=tuple[int, str])
            found[lsn] = kind, name
        return found

    def unsaid(self) -> tuple[tuple[int, int, str], ...]:
        """As Journal.unsaid: as far as the primary has not said so yet."""
        if not self.silent:
            return super().unsaid()
        found = dict.fromkeys(range(self.told + 1, self.lsn + 1), (RETURNED, "")) | self.noted()
        return tuple((kind, lsn, name) for lsn, (kind, name) in sorted(found.items()))

    def forget_noted(self, lsns: AbstractSet[int]) -> None:
        """The primary has said it."""
        self.controls = [
            (kind, payload) for kind, payload in self.controls if msgspec.msgpack.decode(payload, type=tuple[int, str])[0] not in lsns
        ]

    # --- segments --------------------------------------------------------------------------------------------------------

    def stand(self, file: File, first_lsn: int) -> None:
        """Go on at the end of this file."""
        with self._sync_guard:
            self.file.close()
            self.file, self.first_lsn, self.end, self.capacity, self.dirty = file, first_lsn, file.size(), file.size(), 0
            self.epoch_before = self.epoch

    def cut_back(self, tag: bytes, put_aside: Callable[[str, bytes], object], keep: Callable[[], object]) -> None:
        """Go on behind the record with this tag: the last action, or none in this segment. What is behind is put aside.

        What that says of how actions ended is noted, and `keep` is called to have it kept, before it goes.
        """
        name, before, epoch = segment_name(self.first_lsn), self.epoch_before, self.epoch_before
        data = self.file.read(0, self.end)
        _, end = read_header(data, self.framer.key, f"{self._directory}/{name}", self._identity)
        stop = end
        while stop < len(data):
            _, kind, length, of, _ = ERA(data, stop)
            stop += HEADER_SIZE + length
            if kind in Kind.CALLS:
                end, epoch = stop, of
        put_aside(f"{name}.{end}", data[end:])
        said = scan(data[end:], self.framer, Scan(Head(self.lsn, self.time_us, 0, tag, tag), 0), name).said
        for kind, endings in ((Kind.RAISED, said.raised), (Kind.SKIP, said.skipped)):
            for lsn, how in endings.items():
                self.note(kind, (lsn, how))
        keep()
        write_whole(self._disk, self._directory, name, data[:end])
        self.stand(self._disk.open(f"{self._directory}/{name}"), self.first_lsn)
        self.tag, self.epoch, self.epoch_before = tag, epoch, before

    def begin_behind(self, file: File, high_water: HighWater, head: Head) -> None:
        """Go on in an empty segment behind a snapshot: it takes the place of all that was here, also of what is above it."""
        self.high_water.close()
        self.high_water = high_water
        self.epoch = head.epoch
        self.stand(file, head.lsn + 1)
        self.controls, self.time_us, self.tag, self.action_tag = [], head.time_us, head.tag, head.action_tag
        self.lsn = self.durable = self.known = self.told = head.lsn
        high_water.write(head.lsn, head.tag, sync=True)

    def close(self) -> None:
        """As Journal.close. While it follows: without a CLOSE."""
        if not self.silent:
            super().close()
            return
        self.finish()
        self.release()

    def flush(self) -> None:
        """As Journal.flush. While it follows there is nothing of its own to write."""
        if not self.silent:
            super().flush()
