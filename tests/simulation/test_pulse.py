"""A replica that is busy with what came says that it lives, and what it has, from where it is lent."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from coopy.replication.wire import BEAT
from tests.simulation.session import CLOCK, Session, make_machine
from tests.simulation.test_found import act, kill, level, make_primary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.machine import Machine


def follow_slowly(replica: Machine, leader: Machine) -> list[int]:
    """One session in which whatever may take long takes longer than a beat. Gives what the primary was told meanwhile."""
    session, told = Session(replica, leader, Session.deliver), list[int]()

    @contextmanager
    def lent() -> Iterator[None]:
        assert not session.taking.pulse(0)
        CLOCK.now += BEAT
        session.shipping.receive(session.taking.pulse(0))
        told.append(session.shipping.acked)
        yield

    session.taking.lent = lent
    session.run()
    return told


def test_a_replica_that_takes_long_to_accept_its_primary_says_what_it_has() -> None:
    """The primary would end the session if it confirmed less than it said that it has."""
    leader, replica = make_primary(), make_machine(1)
    act(leader, 1)
    level(replica, leader)
    act(leader, 2)
    assert follow_slowly(replica, leader) == [1]
    assert replica.lsn == 2


@pytest.mark.parametrize("was", ["empty", "a former primary"])
def test_a_replica_that_takes_long_to_replace_what_it_has_confirms_nothing_meanwhile(was: str) -> None:
    """What it had counts no more, and what takes its place is not there yet."""
    leader, replica = make_primary(), make_machine(1)
    act(leader, 1)
    if was != "empty":
        level(replica, leader)
        act(leader, 2)
        replica.promote(0, 0)
        leader, replica = replica, leader
        kill(replica)
    leader.running.snapshots.take()
    assert follow_slowly(replica, leader) == [0, 0]
    level(replica, leader)
