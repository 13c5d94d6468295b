"""How old a replica's answers may be, as it says itself, by a clock of the test's own."""

from __future__ import annotations

from collections import deque

from coopy.replication.follower import Follower
from tests.simulation.session import CLOCK, Session, make_machine
from tests.simulation.test_found import act, level, make_primary


def test_under_constant_load_a_replica_knows_that_it_is_level() -> None:
    """An action every 10 ms: its answers are never said to be older than 100 ms."""
    leader, replica = make_primary(), make_machine(1)
    level(replica, leader)
    session = Session(replica, leader, Session.deliver)
    session.run_on()
    assert isinstance(replica.home, Follower)
    for number in range(300):
        CLOCK.now += 0.01
        act(leader, number)
        session.run_on()
        assert number < 10 or replica.home.staleness < 0.1
    session.close()


def test_after_a_burst_a_replica_soon_knows_that_it_is_level() -> None:
    """It need not wait for the second that lies between two words of an idle primary."""
    leader, replica = make_primary(), make_machine(1)
    level(replica, leader)
    session = Session(replica, leader, Session.deliver)
    session.run_on()
    assert isinstance(replica.home, Follower)
    CLOCK.now += 0.5
    act(leader, 1, 2, 3)
    session.run_on()
    CLOCK.now += 0.06
    session.run_on()
    assert replica.home.staleness == 0
    session.close()


def test_a_replica_that_is_always_two_seconds_behind_says_so() -> None:
    """However often its primary says how far it is, what was said first is what is reached first."""
    leader, replica = make_primary(), make_machine(1)
    level(replica, leader)
    under_way: deque[tuple[float, bytes]] = deque()

    def delay(session: Session, way: str, data: bytes) -> None:
        if way == "up":
            session.deliver(way, data)
        else:
            under_way.append((CLOCK.now + 2, data))

    session = Session(replica, leader, Session.deliver)
    session.run_on()
    session.arrive = delay
    assert isinstance(replica.home, Follower)
    for number in range(200):
        CLOCK.now += 0.05
        act(leader, number)
        replica.home.beat(leader.lsn)
        session.run_on()
        while under_way and under_way[0][0] <= CLOCK.now:
            session.deliver("down", under_way.popleft()[1])
        assert number < 50 or 1.9 < replica.home.staleness < 2.2
    session.close()
