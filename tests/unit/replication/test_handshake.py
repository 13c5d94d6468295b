"""What a primary answers, as a table: what the replica has against what the primary has."""

from __future__ import annotations

import msgspec
import pytest

from coopy.header import Identity
from coopy.replication.handshake import AHEAD, DIVERGED, FENCED, GENERATION, OTHER, answer, next_generation
from coopy.replication.wire import Hello

OURS = Identity(b"a system's id 16", bytes(32), "tests.words:Word")
HELLO = Hello(OURS.system, OURS.domain, GENERATION + 3, 7, b"tag 7")


class History:
    """A journal of LSN 5 to 9, whose tags say their LSN; a control record stands behind 7."""

    identity, epoch = OURS, GENERATION + 3

    def last(self) -> int:
        return 9

    def first(self) -> int:
        return 5

    def holds(self, lsn: int, tag: bytes) -> bool:
        return tag in {b"tag %d" % lsn, b"control %d" % lsn}


@pytest.mark.parametrize(
    ("said", "code", "snapshot"),
    [
        ({}, "", False), ({"tag": b"control 7"}, "", False), ({"lsn": 9, "tag": b"tag 9"}, "", False), ({"lsn": 4, "tag": b"tag 4"}, "", False),
        ({"system": b"", "lsn": 0, "epoch": 0, "tag": b""}, "", True), ({"lsn": 3, "tag": b"tag 3"}, "", True), ({"lsn": 3, "tag": b"?"}, "", True),
        ({"lsn": 4, "tag": b"?"}, "", True), ({"tag": b"?"}, DIVERGED, False), ({"lsn": 9, "tag": b"tag 8"}, DIVERGED, False),
        ({"lsn": 10, "tag": b"tag 10"}, AHEAD, False), ({"epoch": 2 * GENERATION}, FENCED, False), ({"epoch": GENERATION + 40}, "", False),
        ({"epoch": 40}, "", False), ({"epoch": 40, "tag": b"closed", "action_tag": b"tag 7"}, "", False), ({"tag": b"?", "action_tag": b"!"}, DIVERGED, False),
        ({"epoch": 40, "tag": b"?"}, "", True), ({"epoch": 40, "lsn": 10}, "", True),
        ({"system": b"another's id  16"}, OTHER, False), ({"domain": "former:Name"}, "", False), ({"system": b"", "domain": "other:Class"}, OTHER, False),
    ],
)  # fmt: skip
def test_each_case_has_its_answer(said: dict[str, object], code: str, snapshot: bool) -> None:
    """Equal goes on, pruned gets a snapshot, another history is refused."""
    given = answer(msgspec.structs.replace(HELLO, **said), History())
    assert (given.code, given.snapshot) == (code, snapshot)
    assert bool(given.text) == bool(code)


def test_a_promotion_is_above_any_number_of_openings_of_the_former_primary() -> None:
    """Up to 65,535 of them."""
    assert next_generation(1) == next_generation(GENERATION - 1) == GENERATION
    assert next_generation(GENERATION) == 2 * GENERATION
