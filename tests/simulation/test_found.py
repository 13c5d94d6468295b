"""What seeds have found, each told as a short story of its own: a seed goes another way when its world changes, these do not."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from coopy import control
from coopy.disk.fake import FakeDisk, PowerCut
from coopy.error import CorruptionError, ReplicaError, UsageError
from coopy.journal.frame import HEADER_SIZE
from coopy.manifest import read_manifest
from coopy.replication.follower import Follower
from coopy.replication.handshake import GENERATION
from coopy.replication.taking import RefusedError
from coopy.replication.token import check_token, make_token
from coopy.replication.wire import LostError, PeerError
from coopy.wiring import Options, open_proxy
from tests.simulation.machine import DIRECTORY, Machine
from tests.simulation.session import Session, make_machine, shown
from tests.simulation.test_one_session import flipped
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_CALLS = 400


def make_primary(number: int = 0, min_acks: int = 0) -> Machine:
    machine = make_machine(number)
    machine.start_leading(min_acks)
    return machine


def act(machine: Machine, *numbers: int) -> None:
    for number in numbers:
        machine.running.engine.call("keep", (number,), {})


def act_and_abort(machine: Machine) -> None:
    """An action that is undone. Nobody else hears that it was, before the next action."""
    with pytest.raises(ValueError, match="x"):
        machine.running.engine.call("add_or_abort", ("x", True), {})


def follow(replica: Machine, leader: Machine) -> Session:
    """One session until nothing comes any more, and another where the first has filled the directory. It stays open."""
    session = Session(replica, leader, Session.deliver)
    session.run_on()
    if session.is_filled():
        session.close()
        return follow(replica, leader)
    return session


def level(replica: Machine, leader: Machine) -> None:
    follow(replica, leader).close()
    assert replica.lsn == leader.lsn
    assert shown(replica) == shown(leader)


def kill(machine: Machine) -> None:
    machine.stop(lambda disk: disk.kill())


def restart(replica: Machine) -> None:
    kill(replica)
    replica.start_following()


def cut_at(machine: Machine, nth: int, work: Callable[[], object]) -> bool:
    """The process ends at the nth call of the disk from now. Gives whether it came so far."""
    machine.disk.crash_at(len(machine.disk.calls) + nth)
    try:
        work()
    except PowerCut:
        kill(machine)
        return True
    machine.disk.crash_at(0)
    return False


def test_a_replica_that_is_connected_twice_confirms_once() -> None:
    """Its former connection may not be known to be lost: that is no second machine that has it."""
    leader, replica = make_primary(min_acks=2), make_machine(1)
    act(leader, 1, 2)
    sessions = [follow(replica, leader) for _ in range(2)]
    assert leader.shipper is not None
    assert leader.shipper.confirmed() == 0
    sessions.append(follow(make_machine(2), leader))
    assert leader.shipper.confirmed() == 2
    for session in sessions:
        session.close()


def test_what_a_replicas_snapshot_leaves_unsaid_is_said_after_its_promotion() -> None:
    """An undone action was the last in it. No record of the primary said so yet, and a restart begins behind it."""
    leader, first, second = make_primary(), make_machine(1), make_machine(2)
    act(leader, 1)
    level(second, leader)
    act_and_abort(leader)
    level(first, leader)
    first.running.snapshots.take()
    restart(first)
    first.promote(0, 0)
    act(first, 2)
    level(second, first)


def test_a_restore_knows_what_a_segment_behind_a_replicas_break_says() -> None:
    """The snapshot that the journal was broken for is lost, so that the replay goes through the break."""
    leader, replica = make_primary(), make_machine(1)
    act(leader, 1)
    act_and_abort(leader)
    level(replica, leader)
    for nth in range(1, MOST_CALLS):
        if not cut_at(replica, nth, replica.running.snapshots.take):
            break
        replica.start_following()
        act(leader, nth + 1)
        level(replica, leader)
        act_and_abort(leader)
        level(replica, leader)
        replica.running.sync()
        replica.running.rebuild(replica.lsn - 1, run_last=False)
        restart(replica)
        level(replica, leader)
    else:
        pytest.fail("the snapshot never came to its end")


def test_a_replacement_that_is_cut_off_anywhere_loses_nothing_and_is_gone_on_with() -> None:
    """What a former primary never shared is in quarantine, whenever it was killed, and nothing new begins in its directory meanwhile."""
    former, leader, refused = make_primary(), make_machine(1), 0
    act(former, 1, 2)
    level(leader, former)
    act(former, 3, 4)
    kill(former)
    leader.promote(0, 0)
    act(leader, 5)
    for nth in range(1, MOST_CALLS):
        again = make_machine(2)
        again.disk = former.disk.kill()
        again.start_following()
        if not cut_at(again, nth, lambda again=again: follow(again, leader).close()):  # type: ignore[misc]
            break
        refused += begins_nothing(again)
        again.start_following()
        level(again, leader)
        again.pay()
        assert "journal-00000000000000000001.log" in again.disk.entries(f"{DIRECTORY}/quarantine")
        restart(again)
        assert shown(again) == shown(leader)
    else:
        pytest.fail("the replacement never came to its end")
    assert refused > 10


def begins_nothing(replica: Machine) -> bool:
    """Whether nothing is left in its directory that could be opened; as a primary it would be an empty system then, where a replica was."""
    manifest = read_manifest(replica.disk, DIRECTORY, b"")
    assert manifest is not None
    if not manifest.follows:  # the new primary had not accepted it yet
        return False
    with pytest.raises(UsageError, match="directory of a replica") as refused:
        replica.start_leading(0)
    return "being replaced" in str(refused.value)


def test_who_began_to_follow_a_newer_primary_never_follows_an_older_one() -> None:
    """Though the snapshot that it got is of the older one's time; and the older one takes no more actions when it hears of it."""
    former, leader, third = make_primary(), make_machine(1), make_machine(2)
    act(former, 1)
    level(leader, former)
    act(former, 2)
    level(third, former)
    leader.promote(0, 0)
    with pytest.raises(EnoughError):
        Session(third, leader, until_replaced).run_on()
    assert third.lsn == 0
    assert third.running.engine.journal.epoch < GENERATION
    with pytest.raises(RefusedError, match="knows a newer primary"):
        Session(third, former, Session.deliver).run_on()
    with pytest.raises(ReplicaError, match="newer one has taken over"):
        act(former, 3)
    restart(third)
    level(third, leader)


class EnoughError(Exception):
    """The test has what it wants."""


def until_replaced(session: Session, way: str, data: bytes) -> None:
    """Byte by byte, so that no frame comes with the end of the snapshot."""
    for byte in data:
        if session.taking.is_streaming:
            raise EnoughError
        session.deliver(way, bytes((byte,)))


def test_nor_does_who_lost_its_state_on_the_way_to_the_newer_primary() -> None:
    """Killed while its state was being replaced: what it knew of primaries is still in its directory."""
    former, leader, third, told = make_primary(), make_machine(1), make_machine(2), 0
    act(former, 1)
    level(leader, former)
    act(former, 2)
    level(third, former)
    leader.promote(0, 0)
    for nth in range(1, MOST_CALLS):
        again = make_machine(3)
        again.disk = third.disk.kill()
        again.start_following()
        if not cut_at(again, nth, lambda again=again: follow(again, leader).close()):  # type: ignore[misc]
            break
        again.start_following()
        if again.system is None:
            with pytest.raises(RefusedError, match="knows a newer primary"):
                follow(again, former)
            told += 1
    assert told > 10
    assert former.running.engine.final is not None


def test_a_snapshot_that_is_damaged_on_its_way_is_had_again() -> None:
    """What the replica has stays as it is, and it goes on: it was the network, not the disk."""
    former, leader = make_primary(), make_machine(1)
    act(former, 1)
    level(leader, former)
    act(former, 2)
    leader.promote(0, 0)
    kill(former)
    former.start_following()
    dice, refused = random.Random(1), 0

    def damage(session: Session, way: str, data: bytes) -> None:
        session.deliver(way, flipped(data, dice.randrange(200, len(data) - 1)) if way == "down" and len(data) > 600 else data)

    for _ in range(20):
        with suppress(PeerError, ReplicaError):
            Session(former, leader, damage).run_on()
            continue
        refused += 1
        assert former.lsn == 2
        assert former.running.engine.final is None
    assert refused > 10
    level(former, leader)


def test_two_promotions_that_do_not_know_of_each_other_are_told_apart_by_after() -> None:
    """The first was heard of by nobody. Without `after` both get one epoch, and its return is refused; with it, it follows."""
    for told in (False, True):
        former, first, second = make_primary(), make_machine(1), make_machine(2)
        act(former, 1)
        level(first, former)
        level(second, former)
        epoch = first.promote(0, 0)
        act(first, 2)
        kill(first)
        assert (second.promote(0, epoch if told else 0) > epoch) is told
        act(second, 3)
        first.start_following()
        if told:
            level(first, second)
        else:
            with pytest.raises(RefusedError, match="each took actions"):
                follow(first, second)


def test_who_was_opened_more_often_than_its_rival_is_no_prefix_of_it() -> None:
    """It has an epoch that the other never had. Though the other has pruned what could be compared, it is refused."""
    former, first, second = make_primary(), make_machine(1), make_machine(2)
    act(former, 1)
    level(first, former)
    level(second, former)
    first.promote(0, 0)
    kill(first)
    first.start_leading(0)
    act(first, 2)
    second.promote(0, 0)
    act(second, 3, 4)
    for _ in range(2):
        second.running.snapshots.take()
        act(second, 5)
    second.running.snapshots.take()
    second.running.prune()
    kill(first)
    first.start_following()
    assert isinstance(first.home, Follower)
    with pytest.raises(RefusedError, match="each took actions"):
        follow(first, second)


def test_a_directory_goes_on_after_a_snapshot_that_was_cut_off_and_taken_again() -> None:
    """A segment without an action may hold records of several openings: the snapshot before it is of none of them."""
    for nth in range(1, MOST_CALLS):
        word = make_primary()
        act(word, 1, 2)
        if not cut_at(word, nth, word.running.snapshots.take):
            break
        for _ in range(2):
            word.start_leading(0)
            kill(word)
        word.start_leading(0)
        word.running.snapshots.take()
        kill(word)
        try:
            word.start_leading(0)
        except CorruptionError as error:
            pytest.fail(f"cut at call {nth}: {error}")
        assert word.kept == [1, 2]
    else:
        pytest.fail("the snapshot never came to its end")


def test_what_was_undone_on_the_primary_only_is_undone_on_the_replica_when_it_hears_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """An action used a proxy that the replica's process does not have: there it returned, and the primary's word comes with the next action."""
    neighbour = open_proxy(Word, "/n", Options(validation="off"), FakeDisk())
    leader, replica = make_primary(), make_machine(1)
    act(leader, 1)

    def add(self: Word, letter: str) -> str:
        with suppress(UsageError):
            neighbour.read()
        self.text += letter
        return self.text

    with monkeypatch.context() as patch:
        patch.setattr(Word, "add", add)
        with pytest.raises(UsageError, match="used a coopy proxy"):
            leader.running.engine.call("add", ("a",), {})
    level_but_for(replica, leader, "a")
    act(leader, 2)
    level(replica, leader)
    restart(replica)
    assert shown(replica) == shown(leader)
    control(neighbour).close()


def level_but_for(replica: Machine, leader: Machine, text: str) -> None:
    """It has what the primary has, and this text too many."""
    follow(replica, leader).close()
    root, wanted = replica.running.root, leader.running.root
    assert isinstance(root, Word)
    assert isinstance(wanted, Word)
    assert (replica.lsn, root.text) == (leader.lsn, wanted.text + text)


def test_a_promotion_of_which_a_power_cut_leaves_the_first_record_can_be_made_again() -> None:
    """The new epoch does not say how the last actions ended: the records behind it do, and they are lost. Nothing was executed otherwise."""
    leader, replica = make_primary(), make_machine(1)
    for number in (1, 2):
        with pytest.raises(ValueError, match=str(number)):
            leader.running.engine.call("keep_and_raise", (number,), {})
    level(replica, leader)
    journal = replica.running.engine.journal
    end, path = journal.end, journal.file.path
    replica.promote(0, 0)
    first = end + HEADER_SIZE + int.from_bytes(replica.disk.read(path)[end + 8 : end + 12], "little")
    replica.disk.open(path).write(first, bytes(journal.end - first))
    kill(replica)
    replica.start_following()
    assert isinstance(replica.home, Follower)
    replica.promote(0, 0)
    act(replica, 3)
    assert replica.kept == [1, 2, 3]


def test_what_a_directory_knows_of_epochs_is_kept_when_its_state_is_replaced() -> None:
    """Its own opening may have been cut off behind that mark, and be above the primary's."""
    former, leader, third = make_primary(), make_machine(1), make_machine(2)
    act(former, 1)
    level(leader, former)
    act(former, 2)
    level(third, former)
    leader.promote(0, 0)
    act(leader, 3)
    third.running.archive.change(epoch=GENERATION + 7)
    level(third, leader)
    assert third.known_epoch() == GENERATION + 7


def test_of_two_rivals_without_actions_of_their_own_one_follows_the_other() -> None:
    """Though it was opened more often: the records that it is sent are of a lower epoch than what it puts aside. Tokens of the other are good here."""
    former, first, second = make_primary(), make_machine(1), make_machine(2)
    act(former, 1)
    level(first, former)
    level(second, former)
    first.promote(0, 0)
    kill(first)
    first.start_leading(0)
    kill(first)
    epoch = second.promote(0, 0)
    act(second, 2)
    first.start_following()
    level(first, second)
    assert first.known_epoch() > epoch
    assert isinstance(first.home, Follower)
    system = first.running.archive.identity.system
    assert check_token(make_token(system, epoch, 2), system, first.home.engine.eras, "a primary") == 2


def test_what_is_put_aside_of_how_actions_ended_is_said_by_whoever_leads_next() -> None:
    """A snapshot holds the action, so that no replay finds it out again."""
    leader, first, second, third = make_primary(), make_machine(1), make_machine(2), make_machine(3)
    act(leader, 1)
    act_and_abort(leader)
    for machine in (first, second, third):
        level(machine, leader)
    first.running.snapshots.take()
    restart(first)
    epoch = first.promote(0, 0)
    kill(first)
    epoch = second.promote(0, epoch)
    first.start_following()
    level(first, second)
    restart(first)
    first.promote(0, epoch)
    act(first, 3)
    level(third, first)


def test_a_segment_whose_end_was_only_in_the_cache_when_a_restart_went_on_behind_it_is_whole_after_a_power_cut() -> None:
    """The process is killed within a rotation, opened again, and then the power goes."""
    for nth in range(1, MOST_CALLS):
        word = make_primary()
        act(word, 1, 2)
        if not cut_at(word, nth, word.running.snapshots.take):
            break
        for luck in range(8):
            again = make_machine(1)
            again.disk = word.disk.kill()
            again.start_leading(0)
            again.stop(lambda disk, luck=luck: disk.crash(random.Random(luck)))  # type: ignore[misc]
            try:
                again.start_leading(0)
            except CorruptionError as error:
                pytest.fail(f"killed at call {nth}, luck {luck}: {error}")
            assert again.kept == [1, 2]
    else:
        pytest.fail("the snapshot never came to its end")


def test_a_former_primary_that_takes_a_snapshot_while_it_is_welcomed_begins_the_session_anew() -> None:
    """What only it says is in a segment that is closed then. It gets a snapshot instead, and nobody is said to have broken the protocol."""
    former, leader = make_primary(), make_machine(1)
    act(former, 1)
    level(leader, former)
    former.close()
    leader.promote(0, 0)
    former.start_following()
    session = Session(former, leader, Session.deliver)
    former.running.snapshots.take()
    with pytest.raises(LostError, match="snapshot was taken here meanwhile"):
        session.run()
    level(former, leader)
