"""When a primary looks for what is new: now and then where only a replica waits for it, at once where somebody does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coopy.replication.wire import MANY
from tests.simulation.session import CLOCK, Session, make_machine
from tests.simulation.test_found import act, follow, make_primary

if TYPE_CHECKING:
    from tests.simulation.machine import Machine


def follow_closely(leader: Machine) -> Session:
    """A replica that has everything, and the primary has looked just now."""
    act(leader, 0)
    session = follow(make_machine(1), leader)
    CLOCK.now += 1
    act(leader, 1)
    session.run_on()
    assert session.replica.lsn == 2
    return session


@pytest.mark.parametrize(("min_acks", "pieces"), [(0, 1), (1, 20)])
def test_what_comes_within_a_moment_is_one_piece_unless_callers_wait_for_replicas(min_acks: int, pieces: int) -> None:
    """Each piece costs the replica a sync, on a disk that may be the primary's. That the one before is acknowledged begins no other."""
    leader = make_primary()
    session = follow_closely(leader)
    shipper = leader.shipper
    assert shipper is not None
    shipper.min_acks = min_acks
    shipped, found = session.shipping.shipped, 0
    for number in range(20):
        CLOCK.now += 0.001
        act(leader, number)
        session.run_on()
        found, shipped = found + (session.shipping.shipped > shipped), session.shipping.shipped
    assert 0 < session.shipping.wait(0) <= 0.025
    CLOCK.now += session.shipping.wait(0)
    session.run_on()
    found += session.shipping.shipped > shipped
    assert (found, session.replica.lsn) == (pieces, leader.lsn)
    session.close()


def test_what_somebody_waits_for_on_the_replica_comes_at_once() -> None:
    """It says again what it has, which asks for more."""
    leader = make_primary()
    session = follow_closely(leader)
    act(leader, 2)
    session.run_on()
    assert session.replica.lsn == 2
    session.taking.ask()
    session.run_on()
    assert session.replica.lsn == 3
    session.close()


def test_a_replica_that_is_far_behind_gets_piece_after_piece() -> None:
    """The clock stands still, and everything comes: actions small and large, of several segments."""
    leader = make_primary()
    session = follow_closely(leader)
    for number in range(2000):
        leader.running.engine.call("keep", ("x" * 300 if number % 100 else "x" * 2 * MANY,), {})
    session.taking.ask()
    session.run_on()
    assert session.replica.lsn == leader.lsn
    session.close()
