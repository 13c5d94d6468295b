"""An interrupt after every call that a thread makes inside of coopy, one after the other: the points where CPython looks for signals.

A profile function stands for the signal: it raises KeyboardInterrupt when a function written in C has returned or one written in Python
begins, at the n-th such point of a scenario, for n = 1, 2, 3, ... until the scenario gets through.
"""

from __future__ import annotations

import functools
import inspect
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from coopy import abort_exception, control, init_system, once, readonly, unlocked
from coopy.engine import commit
from coopy.engine.commit import SharedEngine
from coopy.error import ClosedError, UsageError
from coopy.wiring.systems import _systems
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import FrameType


# An interrupt may hit a callback of a weak reference, as one of the collector's: Python says so and goes on.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class Numbers:
    """Keeps numbers, in each of the ways that a call can go."""

    def __init__(self) -> None:
        self.kept: list[int] = []

    def keep(self, number: int) -> int:
        self.kept.append(number)
        return number

    def keep_boxed(self, number: int, _box: list[int]) -> None:
        self.kept.append(number)

    def keep_and_raise(self, number: int) -> None:
        self.kept.append(number)
        raise LookupError(number)

    @abort_exception
    def keep_or_abort(self, number: int) -> None:
        self.kept.append(number)
        raise ValueError(number)

    @unlocked
    def keep_unlocked(self, number: int) -> None:
        self.kept.append(number)

    @readonly
    def count(self) -> int:
        return len(self.kept)


class Caller:
    """Numbers the calls of one system, and knows which were acknowledged."""

    def __init__(self, proxy: Any) -> None:
        self.proxy, self.last, self.acknowledged = proxy, 0, list[int]()

    def call(self, name: str, *rest: object) -> None:
        """One call with the next number."""
        self.last += 1
        number = self.last
        try:
            getattr(self.proxy, name)(number, *rest)
        except ValueError:
            return  # put back
        except LookupError:
            pass
        self.acknowledged.append(number)

    def snapshot(self) -> None:
        """A call, and a snapshot of the state after it."""
        self.call("keep")
        self.proxy.take_snapshot()


def interrupted_at(point: int, scenario: Callable[[], object]) -> bool:
    """Run it, with an interrupt at this point. Gives whether it came so far."""
    left = point

    def count(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal left
        if event == "c_return" or (event == "call" and not frame.f_code.co_flags & inspect.CO_GENERATOR):  # one may be about to be dropped
            left -= 1
            if left == 0:
                raise KeyboardInterrupt

    sys.setprofile(count)
    try:
        scenario()
    except KeyboardInterrupt:
        pass
    finally:
        sys.setprofile(None)
    return left <= 0


def within(seconds: float, work: Callable[[], object]) -> None:
    """Do it on another thread, which must come to its end."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - it is raised below
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "it hangs"
    if failures:
        raise failures[0]


SCENARIOS: dict[str, Callable[[Caller], object]] = {
    "call": lambda caller: caller.call("keep"),
    "pickled call": lambda caller: caller.call("keep_boxed", [1]),
    "call that raises": lambda caller: caller.call("keep_and_raise"),
    "call that is put back": lambda caller: caller.call("keep_or_abort"),
    "call beside others": lambda caller: caller.call("keep_unlocked"),
    "query": lambda caller: caller.proxy.count(),
    "attribute": lambda caller: caller.proxy.kept,
    "snapshot": lambda caller: caller.snapshot(),
}


@pytest.mark.parametrize("durability", ["sync", "buffered"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_an_interrupt_at_any_point_leaves_a_system_that_goes_on_and_restores(tmp_path: Path, name: str, durability: Any) -> None:
    """The next call and query work, on any thread; what was acknowledged is there, once; a restart gives the same state."""
    proxy = init_system(Numbers(), tmp_path / "n", durability=durability)
    caller, point = Caller(proxy), 0
    caller.call("keep")
    while interrupted_at(point := point + 1, lambda: SCENARIOS[name](caller)):
        within(60, proxy.count)
        if point % 2:
            within(60, lambda: caller.call("keep"))
        else:
            caller.call("keep")
        assert proxy.kept[-1] == caller.last, point
        if point % 40 == 0:
            proxy.take_snapshot()  # what memory is made anew from stays short
    assert point > 3, "nothing was interrupted"
    kept = proxy.kept
    assert len(set(kept)) == len(kept)
    assert set(caller.acknowledged) <= set(kept) <= set(range(1, caller.last + 1))
    digest = control(proxy).digest()
    control(proxy).close()
    with control(init_system(Numbers, tmp_path / "n")) as again:
        assert control(again).digest() == digest


@pytest.mark.parametrize("durability", ["sync", "buffered"])
def test_a_call_with_a_key_that_is_interrupted_and_asked_again_happens_once(tmp_path: Path, durability: Any) -> None:
    """Also where the interrupt hits the beginning or the end of the block: the thread has no key then."""
    proxy, point = init_system(Numbers(), tmp_path / "n", durability=durability), 0

    def keep_once() -> None:
        with once(f"key {point}"):
            proxy.keep(point)

    while interrupted_at(point := point + 1, keep_once):
        within(60, proxy.count)
        proxy.keep(-point)
        keep_once()
        assert (proxy.kept.count(point), proxy.kept.count(-point)) == (1, 1), point
        assert control(proxy).stats().keys == point
    assert point > 50
    digest = control(proxy).digest()
    control(proxy).close()
    with control(init_system(Numbers, tmp_path / "n")) as again:
        assert control(again).digest() == digest
        assert control(again).stats().keys == point


@pytest.mark.parametrize("durability", ["sync", "buffered"])
def test_an_interrupted_close_is_no_close_or_a_whole_one(tmp_path: Path, durability: Any) -> None:
    """Either the system goes on, or it is closed for good and the directory free."""
    point, proxy = 0, init_system(Numbers(), tmp_path / "n", durability=durability)
    kept = []
    while interrupted_at(point := point + 1, control(proxy).close):
        try:
            within(60, functools.partial(proxy.keep, point))
            kept.append(point)
        except ClosedError:
            proxy = init_system(Numbers, tmp_path / "n", durability=durability)
        assert proxy.kept == kept, point
    with control(init_system(Numbers, tmp_path / "n")) as again:
        assert again.kept == kept


@pytest.mark.parametrize("durability", ["sync", "buffered"])
def test_a_call_from_within_a_call_is_refused_and_changes_nothing(tmp_path: Path, durability: Any) -> None:
    """As a signal handler or a finalizer makes it, wherever it hits: the outer call is as if nothing had been."""
    word = init_system(Word(), tmp_path / "w", durability=durability)
    engine = _systems[type(word)].engine
    wall, refused = engine.wall, []

    def nested() -> int:
        with pytest.raises(UsageError, match="inside of its system"):
            word.add("x")
        refused.append(1)
        return wall()

    word.add("a")
    engine.wall = nested
    assert word.add("b") == "ab"
    word.keep([1])
    engine.wall = wall
    assert word.add("c") == "abc"
    assert refused
    control(word).close()
    with control(init_system(Word, tmp_path / "w")) as again:
        assert again.text == "abc"


class Holder:
    """Leads without doing anything, on a thread of its own, until two calls have queued up or it is told to stop."""

    def __init__(self, engine: SharedEngine) -> None:
        self.engine, self.leads, self.stop = engine, threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        self.leads.wait()

    def run(self) -> None:
        with self.engine.lead:
            self.leads.set()
            self.wait_for(2)

    def wait_for(self, calls: int) -> None:
        while len(self.engine.queue) < calls and not self.stop.wait(0.0005):
            pass

    def end(self) -> None:
        self.stop.set()
        self.thread.join()


def put_back(proxy: Any, heard: list[str]) -> None:
    try:
        proxy.keep_or_abort(-1)
        heard.append("returned")
    except ValueError:
        heard.append("raised")


def test_an_interrupted_leader_takes_nobodys_outcome_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread's call, which the leader puts back, is heard of as such, wherever the leader is interrupted."""
    proxy = init_system(Numbers(), tmp_path / "n")
    engine, caller, point, through = _systems[type(proxy)].engine, Caller(proxy), 0, False
    assert isinstance(engine, SharedEngine)
    wall, leaders = engine.wall, list[int]()

    def noted() -> int:
        leaders.append(threading.get_ident())
        return wall()

    engine.wall = noted
    while not through:
        point += 1
        heard: list[str] = []
        leaders.clear()
        holder = Holder(engine)
        monkeypatch.setattr(commit, "WAKE", 0.3)  # the other sleeps until it is called; an interrupt may lose the call
        other = threading.Thread(target=put_back, args=(proxy, heard), daemon=True)
        other.start()
        holder.wait_for(1)
        monkeypatch.setattr(commit, "WAKE", 0.0005)  # so this one leads
        interrupted = interrupted_at(point, lambda: caller.call("keep"))
        through = not interrupted and leaders[0] == threading.get_ident()  # the other leads where this one stood still for so long
        holder.end()
        caller.call("keep")
        other.join(60)
        assert heard == ["raised"], point
        if point % 40 == 0:
            proxy.take_snapshot()
    assert point > 100
    assert set(caller.acknowledged) <= set(proxy.kept)
    assert -1 not in proxy.kept
    control(proxy).close()
