"""The replay of one segment, and what a restore learns from it that it had to know from the start.

Each record runs as soon as it is checked, in one loop. What later control records say of it is foretold by a look at the frames that checks
nothing; when the checked ones say otherwise, behind a record that does not hold, the restore starts over with what they say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from coopy.action import Outcome, type_name
from coopy.engine.execute import UnknownMethodError
from coopy.engine.once import action_of
from coopy.engine.uninterrupted import Worker
from coopy.error import CorruptionError
from coopy.journal.segment import Outcomes, Scan, is_silent, records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from coopy.codec import Codec
    from coopy.engine.archive import Archive, Segment
    from coopy.engine.execute import Executor, Record
    from coopy.engine.restore import Bounds, Replayed, Restorer

__all__ = ["Again", "Attempt", "Learned", "Run", "method_in"]

STEP = 4096  # actions between two reports of progress


class Again(BaseException):
    """Start over, with what was learned. No error: domain code must not catch it."""


class Learned(msgspec.Struct):
    """What a restore finds out on its way and has to know from the start.

    `undone`: actions to leave out, and how they ended; `alone`: those that ran out of stack, to be run on a thread whose stack is as deep,
    live and in any replay, as nothing else decides; `said`: by first LSN, the outcomes in a segment that were foretold wrongly; `unfit`: snapshots,
    and why.
    """

    undone: dict[int, Outcome]
    alone: set[int]
    said: dict[int, Outcomes]
    unfit: dict[int, CorruptionError] = {}


class Attempt(NamedTuple):
    """One go at a restore, which Again ends: whose it is, what it fills, how far it goes, and what the goes before it have learned."""

    restorer: Restorer
    executor: Executor
    bounds: Bounds
    learned: Learned


class Run:
    """The replay of one segment. `found` fills while it runs; `later`: what segments behind it say of its actions."""

    def __init__(self, attempt: Attempt, segment: Segment, found: Scan, later: Outcomes) -> None:
        restorer, bounds, learned = attempt.restorer, attempt.bounds, attempt.learned
        self.restorer, self.executor, self.learned = restorer, attempt.executor, learned
        self.segment, self.found = segment, found
        self.first, self.last, self.after = segment.about.first_lsn, bounds.last, bounds.after
        self.said = learned.said.get(self.first)
        if self.said is None and not is_silent(segment.data, segment.start):
            self.said = self._foretell()
        said = self.said or Outcomes()
        self.skips = {*said.skipped, *later.skipped, *bounds.skips, *restorer.archive.manifest.skips}
        if bounds.run_last:
            self.skips.discard(bounds.last)  # it was to be undone when it was interrupted: how it ended is found out again
        self.skips |= learned.undone.keys()
        self.known = max(bounds.known, later.known)
        self.expected = {**bounds.raised, **later.raised, **said.raised}
        self.outcomes: dict[int, Outcome] = {}
        self.results: dict[int, object] = {}
        self.due = sorted((lsn for lsn in self.expected if lsn >= max(self.first, self.after + 1)), reverse=True)  # the next is the last
        self.seen: set[int] = set()

    def replay(self) -> Scan:
        """Run it; gives what was found. Raises Again."""
        checked = records(self.segment.data, self.restorer.archive.framer, self.found, self.segment.path)
        self.executor.replay(self._chosen(checked), self.restorer.codec.decode, self.restorer.mark, self.raised)
        self._visit(self.found.head.lsn if self.last is None else min(self.last, self.found.head.lsn))
        if self.said is not None and self.found.said != self.said:
            self.learned.said[self.first] = self.found.said
            raise Again
        if self.last is None or self.last > self.found.head.lsn:
            self.last = self.found.head.lsn
        self._miss_none(self.last)
        return self.found

    def report(self, replayed: Replayed) -> None:
        """Add to what came out."""
        assert self.last is not None
        replayed.outcomes.update(self.outcomes)
        replayed.result = self.results.get(self.last)

    def _chosen(self, checked: Iterator[Record]) -> Iterable[Record]:
        """The records to run. Nothing stands between the file and the loop where nothing has to."""
        if self.restorer.on_progress is not None:
            checked = self._reported(checked)
        if self.after:
            after = self.after
            checked = (record for record in checked if record[0] > after)
        if self.restorer.marks:
            checked = self._visited(checked)
        if self.restorer.poison:
            checked = self._without_poison(checked)
        if self.last is not None:
            last = self.last
            checked = (record for record in checked if record[0] <= last)
        if self.skips:
            checked = (record for record in checked if record[0] not in self.skips)
        if self.learned.alone:
            checked = self._without_alone(checked)
        return checked

    def _without_alone(self, records: Iterator[Record]) -> Iterator[Record]:
        """Those that run alone do so here, when it is their turn."""
        for record in records:
            if record[0] in self.learned.alone:
                self._run_alone(record)
            else:
                yield record

    def _run_alone(self, record: Record) -> None:
        lsn, time_us, utc_offset, kind, payload = record
        method, args, kwargs = self.restorer.codec.decode(kind, payload)
        now, executor = self.executor.moment, self.executor.beside()
        self.restorer.mark[0] = now.lsn = lsn
        now.time_us, now.utc_offset = time_us, utc_offset
        result = self.results[lsn] = Worker().run(lambda: executor.execute_again(method, args, kwargs, lsn, time_us, utc_offset))
        if isinstance(result, Outcome):
            self.raised(lsn, method, result)

    def _reported(self, records: Iterator[Record]) -> Iterator[Record]:
        report, total = self.restorer.on_progress, self.restorer.last_lsn
        assert report is not None
        for count, record in enumerate(records):
            if count % STEP == 0:
                report(record[0], total)
            yield record

    def _visited(self, records: Iterator[Record]) -> Iterator[Record]:
        """Whoever asks for the next record has run all before it."""
        for record in records:
            self._visit(record[0] - 1)
            yield record

    def _visit(self, lsn: int) -> None:
        """Show the state at the marks up to here."""
        marks = self.restorer.marks
        while marks and marks[-1] <= lsn:
            self.restorer.visit(marks.pop(), self.executor.root)

    def _without_poison(self, records: Iterator[Record]) -> Iterator[Record]:
        for record in records:
            if record[0] == self.restorer.poison and record[0] not in self.skips:
                self.restorer.refuse_poison(record[0], named(self.restorer.codec, record))
            yield record

    def raised(self, lsn: int, method: str, outcome: Outcome) -> None:
        """An action did not return: as recorded, or as nobody knew yet, or otherwise than recorded."""
        got = type_name(outcome.error)
        self._miss_none(lsn - 1)
        if isinstance(outcome.error, RecursionError) and lsn not in self.learned.alone:
            self.learned.alone.add(lsn)
            raise Again
        if isinstance(outcome.error, UnknownMethodError):
            self.restorer.diverged(lsn, method, self.expected.get(lsn, "exist"), f"is not there any more: {outcome.error}")
        elif lsn > self._known():
            if outcome.undo:
                self.learned.undone[lsn] = outcome
                raise Again
            self.outcomes[lsn] = outcome
        elif not self.restorer.codec.names.same_error(self.expected.get(lsn), got):
            self._prove()
            self.restorer.diverged(lsn, method, _raising(self.expected.get(lsn)), f"raised {got}: {outcome.error}")
        self.seen.add(lsn)

    def _known(self) -> int:
        """Up to where outcomes are known. Foretold only where an action raises: a look at all frames costs a tenth of the replay."""
        self.said = self.said or self._foretell()
        return max(self.known, self.said.known)

    def _prove(self) -> None:
        """Before the code is blamed: is what was foretold what the checked records say? Raises Again if not."""
        if self.first in self.learned.said:
            return
        said = self.learned.said[self.first] = self.restorer.archive.scan(self.segment, self.segment.before).said
        if said != self.said:
            raise Again

    def _foretell(self) -> Outcomes:
        return self.restorer.archive.foretell(self.segment)[0]

    def _miss_none(self, last: int) -> None:
        """What raised once must have raised again."""
        while self.due and self.due[-1] <= last:
            lsn = self.due.pop()
            if lsn not in self.seen and lsn not in self.skips:
                self._prove()
                self.restorer.diverged(
                    lsn, method_in(self.restorer.archive, self.restorer.codec, self.segment, lsn), _raising(self.expected[lsn]), "returned"
                )


def method_in(archive: Archive, codec: Codec, segment: Segment, lsn: int) -> str:
    """The method that this action of a segment runs."""
    checked = records(segment.data, archive.framer, Scan(segment.before, segment.start), segment.path)
    return next(named(codec, record) for record in checked if record[0] == lsn)


def named(codec: Codec, record: Record) -> str:
    """The method that a recorded action runs."""
    method, args, _ = codec.decode(record[3], record[4])
    return action_of(method, args)


def _raising(name: str | None) -> str:
    return f"raise {name}" if name else "return"
