"""What a replica's directory knows of how actions ended, by values alone."""

from __future__ import annotations

import pytest

from coopy.engine.restore import Replayed
from coopy.engine.unsaid import contradicted, told
from coopy.header import Identity
from coopy.journal.frame import Kind
from coopy.journal.segment import Outcomes
from coopy.manifest import RETURNED, Manifest
from coopy.renames import NO_NAMES
from coopy.snapshot import SnapshotHeader

IDENTITY = Identity(b"s" * 16, b"k" * 32, "m:C")
NOTED = ((Kind.RAISED, 4, "a.E"), (RETURNED, 5, ""), (Kind.SKIP, 6, "a.E"))


def manifest(noted: tuple[tuple[int, int, str], ...] = NOTED, skips: tuple[int, ...] = ()) -> Manifest:
    return Manifest(IDENTITY, 1, noted=noted, skips=skips)


@pytest.mark.parametrize(
    ("noted", "known", "expected"), [(NOTED, 0, 3), (NOTED, 4, 4), (NOTED, 5, 5), (NOTED, 7, 7), ((), 0, 6), ((), 9, 9)]
)
def test_up_to_where_the_primary_has_told(noted: tuple[tuple[int, int, str], ...], known: int, expected: int) -> None:
    """Behind a snapshot at LSN 6 the journal says it, or the manifest says what was not said; else everything was."""
    about = SnapshotHeader(IDENTITY, 6, 0, 1, b"", "3", "")
    assert told(manifest(noted), Replayed(about, said=Outcomes(known=known))) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (Outcomes(), []),
        (Outcomes({4: "a.E"}, {6: "a.E"}, known=7), []),
        (Outcomes(known=5), [(4, None, (Kind.RAISED, "a.E"))]),
        (Outcomes({4: "a.F"}), [(4, (Kind.RAISED, "a.F"), (Kind.RAISED, "a.E"))]),
        (Outcomes({5: "a.E"}), [(5, (Kind.RAISED, "a.E"), None)]),
        (Outcomes(skipped={5: "a.E"}), [(5, (Kind.SKIP, "a.E"), None)]),
    ],
)
def test_what_was_said_otherwise_is_found(said: Outcomes, expected: list[object]) -> None:
    """As far as anything was said, and as the snapshot holds it."""
    assert list(contradicted(manifest(), NO_NAMES, 6, said)) == expected
    assert not list(contradicted(manifest(), NO_NAMES, 3, said))
    assert not list(contradicted(manifest(skips=(4, 5)), NO_NAMES, 6, said))
