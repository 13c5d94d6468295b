"""Keys on a primary and its replicas: the same on all, and they outlive the primary."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from coopy import control, once
from coopy.error import ReplicaError, UnconfirmedError, UsageError
from tests.functional.test_replication import House, house, level

if TYPE_CHECKING:
    from pathlib import Path

    from tests.words import Word

__all__ = ["house"]


def keep_each(word: Word, keys: str) -> None:
    for key in keys:
        with once(key):
            word.add(key)
    with once("raised"), pytest.raises(ValueError, match="r"):
        word.add_and_raise("r")
    with once("aborted"), pytest.raises(ValueError, match="x"):
        word.add_or_abort("x", fail=True)


def test_a_promoted_replica_knows_the_keys_of_its_primary(house: House, tmp_path: Path) -> None:
    """Given a caller that heard nothing before the primary went, when it asks the new one with its key, then nothing happens twice."""
    word = house.primary(tmp_path / "p")
    replica = house.replica(word, tmp_path / "r")
    keep_each(word, "abc")
    level(replica, word)
    late = house.replica(word, tmp_path / "l")
    level(late, word)
    for one in (replica, late):
        with once("a"), pytest.raises(ReplicaError):
            one.add("a")
        assert control(one).stats().keys == 4
    control(word).close()
    for one in (replica, late):
        control(one).promote()
        with once("b"):
            assert one.add("b") == "ab"
        with once("raised"), pytest.raises(ValueError, match="r"):
            one.add_and_raise("r")
        with once("b"), pytest.raises(UsageError, match="other arguments"):
            one.add("z")
        assert one.text == "abcr"
        with once("aborted"):
            assert one.add_or_abort("x", fail=False) == "abcrx"


def test_a_replica_that_begins_with_a_snapshot_knows_the_keys_in_it(house: House, tmp_path: Path) -> None:
    """They came with the state."""
    word = house.primary(tmp_path / "p", keep_snapshots=1)
    keep_each(word, "abc")
    control(word).take_snapshot()
    control(word).prune()
    replica = house.replica(word, tmp_path / "r")
    level(replica, word)
    assert control(replica).stats().keys == 4
    control(replica).promote()
    with once("c"):
        assert replica.add("c") == "abc"


def test_who_was_not_confirmed_asks_again_with_the_key(house: House, tmp_path: Path) -> None:
    """Also in the same block. The answer comes when enough replicas have the action, which ran once."""
    word = house.primary(tmp_path / "p", min_acks=1)
    control(word)._primary().confirm_within = 0.02
    with once("a"):
        for _ in range(2):
            with pytest.raises(UnconfirmedError, match="not an undo"):
                word.add("a")
    assert word.text == "a"
    replica = house.replica(word, tmp_path / "r")
    control(word)._primary().confirm_within = 60.0
    with once("a"):
        assert word.add("a") == "a"
    assert replica.text == "a"
    assert control(word).lsn == 1


def test_callers_at_once_hear_the_same_with_confirmation(house: House, tmp_path: Path) -> None:
    """Duplicates in one batch run nothing, there as here."""
    word = house.primary(tmp_path / "p", min_acks=1)
    replica = house.replica(word, tmp_path / "r")
    start, heard = threading.Barrier(6), []

    def add() -> None:
        start.wait()
        for key in "abcdef":
            with once(key):
                heard.append((key, word.add(key)))

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(set(heard)) == [(key, "abcdef"[: number + 1]) for number, key in enumerate("abcdef")]
    level(replica, word)
    assert word.text == replica.text == "abcdef"
