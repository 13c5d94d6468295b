"""One session of some 8 kB, cut at every byte and flipped at every byte, in both directions: an equal state or a clean error, never another state."""

from __future__ import annotations

import copy
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from coopy.error import AuthenticationError, ReplicaError
from coopy.replication.wire import LostError, PeerError
from tests.simulation.session import CLOCK, Session, make_machine, shown, take

if TYPE_CHECKING:
    from coopy.replication.shipping import Shipping
    from coopy.replication.taking import Taking
    from tests.simulation.machine import Machine

CLEAN = (PeerError, LostError, AuthenticationError, ReplicaError)


class Leader:
    """A primary with a snapshot, and records of every kind behind it. `states`: what it showed, by LSN."""

    def __init__(self) -> None:
        self.machine, self.states = make_machine(0), dict[int, str]()
        self.machine.start_leading(1)
        self.machine.running.engine.wall = CLOCK.wall
        self._call("keep", 0)
        self.machine.running.snapshots.take()
        self._see()
        for number in range(1, 24):
            self._call("keep", number if number % 3 else [number] * 40)
            self._call("keep_and_raise", "x" * number)
            self._call("add_or_abort", "y", True)
            self._call("stamp")

    def _call(self, method: str, *arguments: object) -> None:
        with suppress(ValueError):
            self.machine.running.engine.call(method, arguments, {})
        self._see()

    def _see(self) -> None:
        self.states[self.machine.lsn] = shown(self.machine)


def twin_of_taking(taking: Taking) -> Taking:
    """Another that stands where this one stands, for the same directory."""
    twin = copy.copy(taking)
    twin._connection, twin._prover = copy.deepcopy(taking._connection), copy.deepcopy(taking._prover)
    twin._out, twin.frames = [*taking._out], bytearray(taking.frames)
    return twin


def twin_of_shipping(shipping: Shipping) -> Shipping:
    """The same for the primary's side."""
    twin = copy.copy(shipping)
    twin._connection, twin._verifier, twin._tail = (
        copy.deepcopy(shipping._connection),
        copy.deepcopy(shipping._verifier),
        copy.copy(shipping._tail),
    )
    twin._out = [*shipping._out]
    return twin


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes((data[place] ^ (1 << place % 8),)) + data[place + 1 :]


def flip_each(states: dict[int, str], session: Session, way: str, data: bytes) -> None:
    """Each byte of it, for a twin of whom it is for; then as it stands."""
    leader, replica = session.primary, session.replica
    for place in reversed(range(len(data))):  # a shorter length may leave whole records: then they are taken, and the session ends
        before = replica.lsn if replica.system is not None else -1
        with suppress(*CLEAN):
            if way == "up":
                twin = twin_of_shipping(session.shipping)
                twin.receive(flipped(data, place))
                assert twin.acked <= max(before, 0), f"{way} {place}: LSN {twin.acked} counts as confirmed, and only {before} is there"
                assert not twin.ended, f"{way} {place}: {twin.ended}"
            else:
                take(twin_of_taking(session.taking), replica, flipped(data, place))
        assert leader.running.engine.final is None, f"{way} {place}: the primary was fenced"
        check(states, session, f"{way} {place}")
        if replica.system is not None and replica.lsn > before:
            raise LostError("It has more than the session knows of.")
    session.deliver(way, data)


def check(states: dict[int, str], session: Session, where: str) -> None:
    """What the replica shows is what its primary showed; where nothing was there nothing is."""
    replica, leader = session.replica, session.primary
    if replica.system is None:
        assert not replica.disk.exists("/d/MANIFEST"), f"{where}: a directory was made of damaged bytes"
        return
    assert replica.running.engine.final is None, f"{where}: the replica ended: {replica.running.engine.reason}"
    assert shown(replica) == states[replica.lsn], f"{where}: another state at LSN {replica.lsn}"
    manifest, wanted = replica.running.archive.manifest, leader.running.archive.manifest
    assert (manifest.epoch, manifest.skips, manifest.identity) == (wanted.epoch, wanted.skips, wanted.identity), where


def test_a_session_whose_bytes_are_flipped_shows_no_other_state() -> None:
    """One bit of every byte, both ways: whoever gets it says what is wrong, and what is there stays as it was."""
    leader, replica, passed, sessions = Leader(), make_machine(1), 0, 0
    while sessions < 2 or replica.lsn < leader.machine.lsn:
        session, sessions = (
            Session(replica, leader.machine, partial(flip_each, leader.states)),
            sessions + 1,
        )  # the first fills the directory
        with suppress(LostError):
            session.run()
        passed += session.passed
    assert shown(replica) == shown(leader.machine)
    assert passed > 8000
    assert sessions < 8


def byte_by_byte(session: Session, way: str, data: bytes) -> None:
    """The connection may end behind any byte: what is there then is what a later session goes on from."""
    for byte in data:
        session.deliver(way, bytes((byte,)))
        replica = session.replica
        place = replica.disk.entries("/d"), replica.lsn if replica.system is not None else -1
        if way == "down" and place != session.__dict__.setdefault("place", place):
            session.__dict__["place"] = place
            assert goes_on(replica, session.primary)


def goes_on(replica: Machine, leader: Machine) -> bool:
    """Whether what a killed replica leaves becomes like the leader."""
    another = make_machine(2)
    another.disk = replica.disk.kill()
    sessions = 0
    while another.system is None or another.lsn < leader.lsn:
        sessions += 1
        Session(another, leader, Session.deliver).run()
        if another.home is None:
            another.start_following()
        assert sessions < 4
    return shown(another) == shown(leader)


def test_a_session_that_ends_behind_any_byte_is_gone_on_with() -> None:
    """Whatever had come: a snapshot in part, some records, a part of one."""
    leader, replica, passed = Leader(), make_machine(1), 0
    for _ in range(2):
        passed += Session(replica, leader.machine, byte_by_byte).run()
        if replica.home is None:
            replica.start_following()
            assert goes_on(replica, leader.machine)
    assert shown(replica) == shown(leader.machine)
    assert passed > 8000
