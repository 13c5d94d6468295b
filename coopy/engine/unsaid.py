"""How actions ended on a replica of which its primary has not said so yet: compared when it does, also behind a restart from a snapshot that holds them.

An ending is the kind of record that says so, and what raised; None where the action returned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from coopy.action import type_name
from coopy.error import CorruptionError
from coopy.journal.frame import Kind
from coopy.manifest import RETURNED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coopy.engine.archive import Archive
    from coopy.engine.restore import Replayed
    from coopy.journal.journal import Journal
    from coopy.journal.segment import Outcomes
    from coopy.manifest import Manifest
    from coopy.renames import Names

__all__ = ["Ending", "alike", "contradicted", "due", "ended", "endings", "note_outcomes", "told", "undone_since"]

Ending: TypeAlias = tuple[int, str] | None


def endings(said: Outcomes) -> dict[int, tuple[int, str]]:
    """By LSN how actions ended that did not return."""
    raised = {lsn: (Kind.RAISED, name) for lsn, name in said.raised.items()}
    return raised | {lsn: (Kind.SKIP, name) for lsn, name in said.skipped.items()}


def alike(names: Names, recorded: Ending, found: Ending) -> bool:
    """Whether an action ended as recorded; its exception may have another name by now."""
    if recorded is None or found is None:
        return recorded is found
    return recorded[0] == found[0] and names.same_error(recorded[1], found[1])


def due(how: Ending) -> str:
    """What was expected, for people."""
    if how is None:
        return "return"
    return f"be undone ({how[1]})" if how[0] == Kind.SKIP else f"raise {how[1]}"


def ended(how: Ending) -> str:
    """What came, for people."""
    if how is None:
        return "returned"
    return f"was undone ({how[1]})" if how[0] == Kind.SKIP else f"raised {how[1]}"


# --- in the manifest -------------------------------------------------------------------------------------------------


def note_outcomes(journal: Journal, archive: Archive, replayed: Replayed) -> None:
    """What the journal does not say yet of how actions ended: those that were replayed, and those that a replica's snapshot held before it was said."""
    for kind, lsn, name in archive.manifest.noted:
        if kind != RETURNED and lsn <= replayed.base.lsn and lsn not in replayed.said.raised.keys() | replayed.said.skipped.keys():
            journal.note(kind, (lsn, name))
    for lsn, outcome in replayed.outcomes.items():
        journal.note(Kind.SKIP if outcome.undo else Kind.RAISED, (lsn, type_name(outcome.error)))


def told(manifest: Manifest, replayed: Replayed) -> int:
    """Up to where a replica's primary has said how actions ended, as its directory shows."""
    known, base = replayed.said.known, replayed.base.lsn
    unsaid = [lsn for _, lsn, _ in manifest.noted if known < lsn <= base]
    return min(unsaid) - 1 if unsaid else max(known, base)


def contradicted(manifest: Manifest, names: Names, base: int, said: Outcomes) -> Iterator[tuple[int, Ending, Ending]]:
    """Of the actions that a snapshot holds, those that ended otherwise here than was said behind it: LSN, what was said, and how it was here."""
    recorded = endings(said)
    for kind, lsn, name in manifest.noted:
        here = None if kind == RETURNED else (kind, name)
        is_said = lsn in recorded or lsn <= said.known
        if lsn <= base and lsn not in manifest.skips and is_said and not alike(names, recorded.get(lsn), here):
            yield lsn, recorded.get(lsn), here


def undone_since(path: str, base: int, lsn: int) -> CorruptionError:
    """Why a snapshot is no place to begin at."""
    return CorruptionError(
        f"{path} holds the action of LSN {lsn}, of which the primary has said since that it was undone.", path=path, offset=0, lsn=base
    )
