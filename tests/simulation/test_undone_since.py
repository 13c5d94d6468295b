"""An action returned on a replica, and its primary says afterwards that it was undone: a snapshot of the replica's that holds it is no place to begin at."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from coopy import control
from coopy.disk.fake import FakeDisk
from coopy.engine.drafts import Here
from coopy.error import CoopyError, CorruptionError, DivergenceError, UsageError
from coopy.wiring import Options, open_proxy
from tests.simulation.session import make_machine, shown
from tests.simulation.test_found import act, act_and_abort, follow, level, level_but_for, make_primary, restart
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.machine import Machine


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Machine, Machine]]:
    """A primary and its replica, whose process has no such proxy as the last action has used. It has not heard yet that this was undone."""
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
    yield leader, replica
    control(neighbour).close()


def hear(replica: Machine, leader: Machine) -> None:
    """The primary's word comes with its next action. What the replica shows is wrong, and it shows no more."""
    act(leader, 2)
    with pytest.raises(DivergenceError, match="LSN 2: an action was expected to be undone"):
        follow(replica, leader)


def snapshots(replica: Machine) -> tuple[int, ...]:
    return replica.running.archive.manifest.snapshots


def test_a_snapshot_on_its_way_is_not_listed(pair: tuple[Machine, Machine], monkeypatch: pytest.MonkeyPatch) -> None:
    """The word comes while it is written. A restart begins at the one before."""
    leader, replica = pair
    finish = Here.finish

    def hear_first(draft: Here) -> None:
        hear(replica, leader)
        finish(draft)

    with monkeypatch.context() as patch:
        patch.setattr(Here, "finish", hear_first)
        with pytest.raises(CoopyError, match="expected to be undone"):
            replica.running.snapshots.take()
    assert snapshots(replica) == (0,)
    restart(replica)
    level(replica, leader)


@pytest.mark.parametrize("restarts", [False, True])
def test_one_that_is_listed_is_passed_over(pair: tuple[Machine, Machine], restarts: bool) -> None:
    """Also where the replica is restarted before it hears the word, so that nothing but its directory knows how the action had ended there."""
    leader, replica = pair
    replica.running.snapshots.take()
    assert snapshots(replica) == (0, 2)
    if restarts:
        restart(replica)
        restart(replica)
    hear(replica, leader)
    restart(replica)
    assert snapshots(replica) == (0,)
    assert "undone" in replica.running.restorer.passed_over[0]
    level(replica, leader)
    replica.running.snapshots.take()
    restart(replica)
    assert snapshots(replica) == (0, 3)
    assert not replica.running.restorer.passed_over
    level(replica, leader)


def test_where_there_is_none_before_it_the_opening_says_so(pair: tuple[Machine, Machine]) -> None:
    """A wrong state would be worse than none."""
    leader, replica = pair
    replica.running.snapshots.take()
    replica.running.archive.change(snapshots=(2,))
    hear(replica, leader)
    with pytest.raises(CorruptionError, match="LSN 2, of which the primary has said since that it was undone"):
        restart(replica)
    replica.wipe()
    level(replica, leader)


def test_an_action_that_raised_here_and_returned_there_is_named_behind_a_snapshot_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """At every opening: the state is not the primary's, and no older snapshot leads to it."""
    leader, replica = make_primary(), make_machine(1)
    act(leader, 1)

    def add(self: Word, letter: str) -> None:
        self.text += letter
        raise ValueError(letter)

    level(replica, leader)
    with monkeypatch.context() as patch:
        leader.running.engine.call("add", ("a",), {})
        patch.setattr(Word, "add", add)
        level(replica, leader)
    replica.running.snapshots.take()
    act(leader, 3)
    with pytest.raises(DivergenceError, match="LSN 2: an action was expected to return, but it raised"):
        follow(replica, leader)
    for _ in range(2):
        with pytest.raises(DivergenceError, match="LSN 2: an action was expected to return, but it raised"):
            restart(replica)


@pytest.mark.parametrize("said", [False, True])
def test_what_ended_alike_is_no_reason(said: bool) -> None:
    """An action that was undone on both sides, and one that returned; the snapshot is where a restart begins, whether the primary has said so or not."""
    leader, replica = make_primary(), make_machine(1)
    act(leader, 1)
    act_and_abort(leader)
    level(replica, leader)
    replica.running.snapshots.take()
    if said:
        act(leader, 2)
        level(replica, leader)
    restart(replica)
    assert not replica.running.restorer.passed_over
    assert snapshots(replica) == (0, 2)
    act(leader, 3)
    level(replica, leader)
    restart(replica)
    assert shown(replica) == shown(leader)
