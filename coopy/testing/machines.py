"""A Hypothesis state machine for any domain: the same calls on a system and on a plain object, with restarts in between, must come to the same."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from coopy.digest import digest
from coopy.disk.fake import FakeDisk
from coopy.error import NotSerializableError
from coopy.testing.call import kind_of, outcome_of
from coopy.testing.clock import MovableClock, wall
from coopy.testing.looks import look
from coopy.testing.plain import Plain
from coopy.testing.strategies import need_hypothesis, one_call
from coopy.wiring import Options, control, open_proxy
from coopy.wiring.systems import opened_again, system_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hypothesis.stateful import RuleBasedStateMachine
    from hypothesis.strategies import SearchStrategy

    from coopy.testing.call import Call

__all__ = ["Pair", "machine"]

DAYS = 400
MANY = 8  # looks, so that hardly any answer is the same by chance


def machine(
    domain: Any,
    *,
    arguments: Mapping[str, SearchStrategy[Any]] | None = None,
    only: Iterable[str] | None = None,
    allow: Iterable[str] = (),
) -> type[RuleBasedStateMachine]:
    """A state machine that calls a domain's actions on a system and on a plain object, and compares answers and digests. Needs Hypothesis.

    In between the system is closed and opened, killed and opened, snapshotted and pruned, and time passes. `domain`: a class, or an instance to begin with.
    `arguments`, `only`: as for `calls`. `TestWiki = machine(Wiki).TestCase` makes it a test; derive from it for rules and invariants of your own:
    `self.pair.system` is the proxy.
    """
    need_hypothesis()
    from hypothesis import strategies as st
    from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

    kind = kind_of(domain)
    strategy = one_call(kind, arguments=arguments, only=only)
    allowed = tuple(allow)

    class DomainMachine(RuleBasedStateMachine):
        """Rules for what may happen to a system."""

        def __init__(self) -> None:
            super().__init__()
            self.pair = Pair(domain, allowed)

        @rule(call=strategy)
        def call(self, call: Call) -> None:
            self.pair.call(call)

        @rule()
        def restart(self) -> None:
            self.pair.restart()

        @rule()
        def restart_from_snapshot(self) -> None:
            control(self.pair.system).take_snapshot()
            self.pair.restart()

        @rule()
        def kill(self) -> None:
            self.pair.kill()

        @rule()
        def take_snapshot(self) -> None:
            control(self.pair.system).take_snapshot()

        @rule()
        def prune(self) -> None:
            control(self.pair.system).prune()

        @rule(days=st.integers(-DAYS, DAYS))
        def move_clock(self, days: int) -> None:
            self.pair.clock.move(timedelta(days=days))

        @invariant()
        def same(self) -> None:
            self.pair.compare()

        def teardown(self) -> None:
            self.pair.close()

    DomainMachine.__name__ = DomainMachine.__qualname__ = f"{kind.__name__}Machine"
    return DomainMachine


class Pair:
    """A system on a disk in memory, and a plain object that must equal it."""

    def __init__(self, domain: Any, allow: tuple[str, ...] = ()) -> None:
        self.clock = MovableClock().__enter__()
        try:
            self._disk = FakeDisk()
            options = Options(validation="off", allow=allow, segment_bytes=1 << 16, sync_interval=3600)
            self.system: Any = self._timed(open_proxy(domain, "/system", options, self._disk))
            self.plain = Plain(self.system)
        except BaseException:
            self.clock.__exit__()
            raise

    def call(self, call: Call) -> None:
        """Make a call on both. Raises AssertionError where the answers differ."""
        refused: list[NotSerializableError] = []

        def act() -> object:
            try:
                return call.on(self.system)
            except NotSerializableError as error:
                refused.append(error)
                raise

        answer = outcome_of(act)
        if refused:  # nothing was recorded
            return
        expected = self.plain.call(call, self.system)
        assert answer.token == expected.token, f"{call}: the system's answer is {answer.words}, the plain object's {expected.words}"

    def restart(self) -> None:
        """Close it and open it again. Raises AssertionError where it answers otherwise than before."""
        self._again(close=True)

    def kill(self) -> None:
        """The same after a kill."""
        self._again(close=False)

    def _again(self, *, close: bool) -> None:
        before = look(self.system, MANY)
        disk = self._disk if close else self._disk.kill()
        control(self.system).close()
        self.system, self._disk = self._timed(opened_again(self.system, "/system", disk)), disk
        after = look(self.system)
        for name, answer in before.seen.items():
            now = after.seen.get(name)
            if now is not None:
                assert now.token == answer.token, f"{name} gave {answer.words} before the restart, and gives {now.words} after it"

    def compare(self) -> None:
        """Raises AssertionError where the states differ."""
        system = system_of(self.system)
        if system.engine.read(digest, system.root) != self.plain.digest:
            paths = "; ".join(self.plain.differences(system.root))
            raise AssertionError(f"The plain object and the system differ (the one, the other): {paths}")

    def close(self) -> None:
        """End both."""
        self.clock.__exit__()
        control(self.system).close()

    @staticmethod
    def _timed(proxy: Any) -> Any:
        system_of(proxy).engine.wall = wall
        return proxy
