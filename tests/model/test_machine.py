"""A system against a plain object: after any sequence of calls, failures, snapshots, restarts, prunes and clock steps both hold the same."""

from __future__ import annotations

import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from coopy import control, once
from coopy.engine.gate import CLOSED
from coopy.error import UsageError
from coopy.testing.unsynced import UnsyncedDisk
from coopy.wiring import Options, fix_wall, open_proxy
from coopy.wiring.systems import _systems
from tests.words import Word

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | st.binary(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3) | st.tuples(inner, inner),
    max_leaves=6,
)
KEYS = st.sampled_from(["k", "l", "m", "n"])
LETTERS = st.sampled_from("abcdef")


class Machine(RuleBasedStateMachine):
    """`word` is the proxy, `plain` what it must equal."""

    durability: Any = "sync"

    @initialize()
    def begin(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="coopy-model-"))
        self.plain, self.last_time = Word(), datetime.min
        self.keys: dict[str, tuple[str, str, object]] = {}
        self.past: dict[int, tuple[str, list[Any]]] = {}
        self.open()

    def open(self) -> None:
        options = Options(durability=self.durability, segment_bytes=4096, sync_interval=3600)
        self.word = open_proxy(Word, self.directory / "w", options, UnsyncedDisk())

    def abandon(self) -> None:
        """As if the process died: nothing is closed, the lock goes."""
        system = _systems[type(self.word)]
        for timer in system._timers:
            timer.stop()
        system.engine.end(CLOSED)
        system._release()

    @rule(letter=LETTERS)
    def add(self, letter: str) -> None:
        assert self.word.add(letter) == self.plain.add(letter)

    @rule(
        first=LETTERS, rest=st.lists(LETTERS, max_size=3), more=st.fixed_dictionaries({}, optional={"sep": LETTERS, "upper": st.booleans()})
    )
    def add_many(self, first: str, rest: list[str], more: dict[str, Any]) -> None:
        assert self.word.add_many(first, *rest, **more) == self.plain.add_many(first, *rest, **more)

    @rule(value=VALUES)
    def keep(self, value: Any) -> None:
        assert self.word.keep(value) == self.plain.keep(value)

    @rule(letter=LETTERS)
    def add_and_raise(self, letter: str) -> None:
        for one in (self.word, self.plain):
            with pytest.raises(ValueError, match=letter):
                one.add_and_raise(letter)

    @rule(letter=LETTERS)
    def abort(self, letter: str) -> None:
        with pytest.raises(ValueError, match=letter):
            self.word.add_or_abort(letter, fail=True)

    @rule(letter=LETTERS)
    def add_unlocked(self, letter: str) -> None:
        assert self.word.add_unlocked(letter) == self.plain.add_unlocked(letter)

    @rule(key=KEYS, letter=LETTERS, most=st.none() | st.integers(1, 3))
    def add_once(self, key: str, letter: str, most: int | None) -> None:
        """A letter, or an exception for one that is late in the alphabet; what was kept is given again."""
        method, call = ("add", self.word.add) if letter < "e" else ("add_and_raise", self.word.add_and_raise)
        before = control(self.word).lsn
        with once(key, within=None, most=most):
            if key not in self.keys:
                self.keys[key] = (method, letter, self.outcome(getattr(self.plain, method), letter))
                assert self.outcome(call, letter) == self.keys[key][2]
                while most is not None and len(self.keys) > most:
                    del self.keys[next(iter(self.keys))]
            elif self.keys[key][:2] == (method, letter):
                assert self.outcome(call, letter) == self.keys[key][2]
                assert control(self.word).lsn == before
            else:
                with pytest.raises(UsageError, match="was used for"):
                    call(letter)

    @staticmethod
    def outcome(call: Callable[[str], object], letter: str) -> object:
        try:
            return call(letter)
        except ValueError as error:
            return error.args

    @rule(key=KEYS, letter=LETTERS)
    def abort_once(self, key: str, letter: str) -> None:
        with once(key), pytest.raises(UsageError if key in self.keys else ValueError):
            self.word.add_or_abort(letter, fail=True)

    @rule()
    def stamp(self) -> None:
        seen = self.word.stamp()
        self.plain.kept.append(seen)
        assert seen[1] > self.last_time
        self.last_time = seen[1]

    @rule(days=st.integers(-4000, 4000))
    def step_clock(self, days: int) -> None:
        fix_wall(self.word, datetime(2030, 1, 1) + timedelta(days=days))

    @rule(choice=st.randoms(use_true_random=False))
    def look_back(self, choice: random.Random) -> None:
        """Any state that ever was, unless no kept snapshot leads there."""
        lsn = choice.choice(sorted(self.past))
        try:
            past = control(self.word).at(lsn)
        except UsageError as error:
            assert lsn < error.first  # type: ignore[attr-defined]
        else:
            assert (past.text, past.kept) == self.past[lsn]

    @rule(choice=st.randoms(use_true_random=False))
    def read_history(self, choice: random.Random) -> None:
        """Without a gap, in the order of time, and how each ended is known."""
        last = control(self.word).lsn
        since = choice.randint(0, last)
        try:
            told = list(control(self.word).changes(since))
        except UsageError as error:
            assert since < error.first - 1  # type: ignore[attr-defined]
            return
        assert [one.lsn for one in told] == list(range(since + 1, last + 1))
        assert sorted(one.time for one in told) == [one.time for one in told]
        assert all(one.outcome != "unknown" for one in told)

    @rule()
    def snapshot(self) -> None:
        control(self.word).take_snapshot()

    @rule()
    def prune(self) -> None:
        control(self.word).prune()

    @rule()
    def restart(self) -> None:
        before, keys = control(self.word).digest(), _systems[type(self.word)].engine.executor.keys.values()
        control(self.word).close()
        self.open()
        assert control(self.word).digest() == before
        assert _systems[type(self.word)].engine.executor.keys.values() == keys

    @rule()
    def die(self) -> None:
        self.abandon()
        self.open()

    @invariant()
    def same(self) -> None:
        assert self.word.text == self.plain.text
        assert self.word.kept == self.plain.kept
        assert len(self.word) == len(self.plain)
        assert control(self.word).stats().keys == len(self.keys)
        self.past[control(self.word).lsn] = (self.plain.text, list(self.plain.kept))

    def teardown(self) -> None:
        if hasattr(self, "word"):
            control(self.word).close()
            shutil.rmtree(self.directory)


@pytest.mark.parametrize("durability", ["sync", "buffered"])
def test_a_system_is_its_plain_object(durability: str) -> None:
    """Whatever happens to it."""
    machine = type("Machine", (Machine,), {"durability": durability})
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    run_state_machine_as_test(
        machine, settings=settings(max_examples=40, stateful_step_count=30, deadline=None, print_blob=True, suppress_health_check=slow)
    )
