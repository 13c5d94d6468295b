"""What was: the recorded actions as values, and how far back the state can be made again. Read beside a running system, without its lock.

A history is what a system said of itself at one moment: its list of files, its last action, and the outcomes that no file says yet. What is
read then is in the files and stays as it is, but for a prune, which is told.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Literal

import msgspec

from coopy.action import Action
from coopy.codec import Codec
from coopy.disk import UnreadableError
from coopy.engine.archive import Archive, Segment
from coopy.engine.once import unwrapped
from coopy.engine.opening import told, unreadable
from coopy.engine.restore import check_sealed
from coopy.error import CorruptionError, UsageError
from coopy.journal.segment import Outcomes, Scan, is_silent, known_by, last_frame, records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coopy.engine.execute import Record
    from coopy.manifest import Listed

    Ending = Literal["returned", "raised", "skipped", "unknown"]
    Told = tuple[Record, Ending, str]  # an action, how it ended, and what it raised or why it was undone

__all__ = ["History", "outcome_of"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TAIL = 1 << 20  # bytes in which the last record is looked for


class History(msgspec.Struct, frozen=True):
    """Up to the action `last`, in an archive whose manifest does not change any more. `said`: outcomes that may not be in the files yet."""

    archive: Archive
    codec: Codec
    last: int
    said: Outcomes

    def until(self, lsn: int) -> History:
        """The part up to an action."""
        return msgspec.structs.replace(self, last=lsn)

    # --- states ----------------------------------------------------------------------------------------------------------

    def check_state(self, lsn: int) -> None:
        """Raises UsageError unless the state behind this action can be made from what is kept."""
        if type(lsn) is not int or lsn < 0:
            raise UsageError(f"at({lsn!r}) is not possible: it is the LSN of an action, or 0 for the state before the first.", option="lsn")
        first = self.archive.manifest.snapshots[0]
        if not first <= lsn <= self.last:
            what = f"at({lsn}): there is no such state. What is kept goes from LSN {first} (the oldest snapshot) to {self.last} (the last action)."
            raise UsageError(f"{what} keep_snapshots= says how many snapshots stay.", option="lsn", first=first, last=self.last)

    # --- actions ---------------------------------------------------------------------------------------------------------

    def changes(self, since: int) -> Iterator[Action]:
        """The actions behind an LSN, in order, read as they are asked for. Raises UsageError for an LSN that is not kept, or not there yet."""
        return (self._action(*one) for one in self.told(since))

    def told(self, since: int) -> Iterator[Told]:
        """The same as records: nothing of them is decoded."""
        first = self.archive.manifest.segments[0].first_lsn
        if type(since) is not int or since < 0:
            raise UsageError(f"changes(since={since!r}) is not possible: it is the LSN of an action, or 0 for all.", option="since")
        if since < first - 1:
            raise _pruned(f"changes(since={since})", first)
        if since > self.last:
            what = f"changes(since={since}): there is no such action, the last one is {self.last}."
            raise UsageError(
                f"{what} Was that LSN seen in another system, or before a backup was put back?", option="since", last=self.last
            )
        return self._read(since)

    def _read(self, since: int) -> Iterator[Told]:
        listed = self.archive.manifest.segments
        wanted = [
            one for one, following in zip(listed, [*listed[1:], None], strict=True) if following is None or following.first_lsn > since + 1
        ]
        segment = self._segment(wanted[0])
        for one, behind in zip(wanted, [*wanted[1:], None], strict=True):
            if one.first_lsn > self.last:
                return
            following = None if behind is None else self._segment(behind)
            yield from self._actions(one, behind, segment, self._said(segment, following), since)
            if following is not None:
                segment = following

    def _segment(self, listed: Listed) -> Segment:
        with told(self.archive.directory, done="read", again="ask again"):
            try:
                return self.archive.segment(listed)
            except UnreadableError as error:
                raise unreadable(self.archive, error) from error
            except FileNotFoundError as error:
                raise _pruned("The journal was pruned while it was read", listed.first_lsn + 1) from error

    def _said(self, *segments: Segment | None) -> Outcomes:
        """What these segments and the system say. What a replica was told behind a snapshot of its own stands in the next segment."""
        every = [self.said, *(self._word(one) for one in segments if one is not None)]
        raised = {lsn: name for said in every for lsn, name in said.raised.items()}
        skipped = {lsn: name for said in every for lsn, name in said.skipped.items()}
        return Outcomes(raised, dict.fromkeys(self.archive.manifest.skips, "") | skipped, known=max(said.known for said in every))

    def _word(self, segment: Segment) -> Outcomes:
        """What a segment says. Where everything in it returned, which a glance shows, its last record says that."""
        framer, tail = self.archive.framer, segment.data[-TAIL:]
        if is_silent(segment.data, segment.start) and (at := last_frame(tail, framer)) >= 0:
            frame = framer.header(tail, at)
            assert frame is not None
            return Outcomes(known=known_by(frame))
        return self.archive.foretell(segment)[0]

    def _actions(self, listed: Listed, behind: Listed | None, segment: Segment, said: Outcomes, since: int) -> Iterator[Told]:
        found = Scan(segment.before, segment.start, self.archive.known(listed, segment))
        for record in records(segment.data, self.archive.framer, found, segment.path):
            if record[0] > self.last:
                return
            if record[0] > since:
                yield (record, *outcome_of(record[0], said))
        if behind is not None:
            check_sealed(segment, found, behind)
        else:
            self._check_end(segment, found)

    def _check_end(self, segment: Segment, found: Scan) -> None:
        """Raises CorruptionError where the last segment ends too early."""
        if found.head.lsn < self.last:
            what = f"{segment.path} is damaged at offset {found.end} (LSN {found.head.lsn + 1}): {found.problem}. Nothing was changed."
            raise CorruptionError(f"{what} See `coopy check`.", path=segment.path, offset=found.end, lsn=found.head.lsn + 1)

    def _action(self, record: Record, outcome: Ending, error: str) -> Action:
        lsn, time_us, utc_offset, kind, payload = record
        key, method, args, kwargs = unwrapped(*self.codec.decode(kind, payload))
        time = (EPOCH + timedelta(microseconds=time_us)).astimezone(timezone(timedelta(minutes=utc_offset)))
        return Action(lsn=lsn, time=time, method=method, args=tuple(args), kwargs=kwargs, key=key, outcome=outcome, error=error)


def outcome_of(lsn: int, said: Outcomes) -> tuple[Ending, str]:
    """How an action ended, and what it raised or why it was undone, as far as control records say."""
    if lsn in said.skipped:
        return "skipped", said.skipped[lsn]
    if lsn in said.raised:
        return "raised", said.raised[lsn]
    return ("returned" if lsn <= said.known else "unknown"), ""


def _pruned(what: str, first: int) -> UsageError:
    ways = f"Ask for changes(since={first - 1}), or have prune() come later."
    return UsageError(f"{what}: the actions before LSN {first} are not kept any more. {ways}", option="since", first=first)
