"""Exactly once: a key is for one action, and says for as long as it is remembered how that action ended."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import pytest

from coopy import abort_exception, clock, control, init_system, once, random, readonly, unlocked
from coopy.engine.beside import WAKE
from coopy.error import ClosedError, DivergenceError, NotSerializableError, UsageError
from coopy.wiring import fix_wall
from coopy.wiring.systems import system_of
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType

pytestmark = pytest.mark.parametrize("durability", ["sync", "buffered"])


class OverdrawnError(Exception):
    """Its arguments are not those of its class."""

    def __init__(self, owner: str, missing: int) -> None:
        super().__init__(f"{owner} lacks {missing}")
        self.owner, self.missing = owner, missing


class NamelessError(Exception):
    """Cannot be read back."""

    def __reduce__(self) -> Any:
        raise TypeError("no way")


class Account:
    """Counts what is done with it."""

    def __init__(self) -> None:
        self.calls = 0
        self.lines: list[list[str]] = []
        self._limit = 0

    def pay(self, owner: str, amount: int, *, note: str = "") -> int:
        self.calls += 1
        if amount > 100:
            raise OverdrawnError(owner, amount - 100)
        self.lines.append([owner, note])
        return self.calls

    def last(self) -> list[str]:
        self.calls += 1
        return self.lines[-1]

    def each(self) -> Iterator[str]:
        self.calls += 1
        return (owner for owner, _ in self.lines)

    def each_fails(self) -> Iterator[float]:
        self.calls += 1
        return (1 / (number - number) for number in range(1, 3))

    def whole(self) -> list[Any]:
        self.calls += 1
        return [self]

    def fail_nameless(self) -> None:
        self.calls += 1
        raise NamelessError("lost")

    @abort_exception
    def pay_or_nothing(self, owner: str, amount: int) -> int:
        self.calls += 1
        if amount > 100:
            raise OverdrawnError(owner, amount - 100)
        return self.calls

    def draw(self) -> tuple[datetime, str]:
        return clock.now(), random.token_hex()

    def set_all(self, names: set[str]) -> int:
        self.calls += len(names)
        return self.calls

    @unlocked
    def pay_beside(self) -> None:
        self.calls += 1

    @property
    def limit(self) -> int:
        return self._limit

    @limit.setter
    def limit(self, value: int) -> None:
        self.calls += 1
        self._limit = value

    def __iadd__(self, amount: int) -> Self:
        self.calls += amount
        return self

    def __setitem__(self, owner: str, note: str) -> None:
        self.lines.append([owner, note])

    @readonly
    def seen(self) -> tuple[int, datetime]:
        return self.calls, clock.now()


class Bank:
    """An account that is opened again and again."""

    def __init__(self, directory: Path, durability: Any) -> None:
        self.directory, self.durability = directory, durability
        self.account = self.open()

    def open(self) -> Any:
        return init_system(Account, self.directory, durability=self.durability, validation="off")

    def restart(self, *, snapshot: bool = False) -> Any:
        """Close and open. The proxy from before stands for what is closed."""
        if snapshot:
            control(self.account).take_snapshot()
        control(self.account).close()
        self.account = self.open()
        return self.account

    def lives(self, *, snapshot: bool = False) -> Iterator[Any]:
        """The account as it is, and after each of two restarts."""
        yield self.account
        yield self.restart(snapshot=snapshot)
        yield self.restart()

    @property
    def lsn(self) -> int:
        return control(self.account).lsn


@pytest.fixture
def bank(tmp_path: Path, durability: Any) -> Iterator[Bank]:
    one = Bank(tmp_path / "account", durability)
    yield one
    control(one.account).close()


# --- what a key does -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("snapshot", [False, True])
def test_the_same_key_again_gives_what_was_given_and_runs_nothing(bank: Bank, snapshot: bool) -> None:
    """Within the run and after restarts, from the journal or from a snapshot; and the journal does not grow."""
    with once("a"):
        assert bank.account.pay("ann", 1, note="x") == 1
    bank.account.pay("bob", 2)
    for account in bank.lives(snapshot=snapshot):
        with once("a"):
            assert account.pay("ann", 1, note="x") == 1
        assert (account.calls, bank.lsn, control(account).stats().keys) == (2, 2, 1)


@pytest.mark.parametrize("snapshot", [False, True])
def test_an_exception_is_remembered_as_what_it_was(bank: Bank, snapshot: bool) -> None:
    """With its class, its text and its attributes, though its class takes other arguments; each time another object."""
    raised = []
    for account in bank.lives(snapshot=snapshot):
        with once("a"), pytest.raises(OverdrawnError, match="ann lacks 7") as caught:
            account.pay("ann", 107)
        assert (caught.value.owner, caught.value.missing) == ("ann", 7)
        assert caught.value.__context__ is None
        raised.append(caught.value)
        assert (account.calls, bank.lsn) == (1, 1)
    assert len({id(one) for one in raised}) == 3


def test_what_was_given_is_remembered_by_value(bank: Bank) -> None:
    """Neither a later action nor a caller who changes what he got changes it."""
    bank.account.pay("ann", 1)
    with once("a"):
        assert bank.account.last() == ["ann", ""]
    system_of(bank.account).root.lines[0].append("changed")  # type: ignore[attr-defined]
    for _ in range(2):
        with once("a"):
            got = bank.account.last()
        assert got == ["ann", ""]
        got.clear()


def test_a_key_with_another_method_or_other_arguments_is_refused(bank: Bank) -> None:
    """The error names both, and nothing is recorded; the key stays what it was."""
    with once("a"):
        bank.account.pay("ann", 1)
    for call in ("pay_or_nothing", "pay"):
        with once("a"), pytest.raises(UsageError, match=rf"'a' was used for pay\(\) at LSN 1, and .*({call}|other arguments)") as caught:
            getattr(bank.account, call)("ann", 2)
        assert vars(caught.value) == {"key": "a", "method": call, "lsn": 1}
    for account in bank.lives():
        with once("a"), pytest.raises(UsageError, match="other arguments"):
            account.pay("ann", True)
        assert (account.calls, bank.lsn) == (1, 1)


def test_equal_arguments_are_the_same_whatever_they_are_made_of(bank: Bank) -> None:
    """A set in another order, a word by another object, keywords in another order: the same call."""
    many = [f"name {number}" for number in range(50)]
    with once("a"):
        bank.account.set_all(set(many))
    with once("b"):
        bank.account.pay(owner="ann", amount=1, note="x")
    account = bank.restart()
    with once("a"):
        assert account.set_all({"".join(list(one)) for one in reversed(many)}) == 50
    with once("b"):
        assert account.pay(note="x", amount=1, owner="ann") == 51
    assert bank.lsn == 2


def test_a_second_action_in_a_block_is_refused(bank: Bank) -> None:
    """Also the same one again: its caller means two."""
    with once("a"):
        bank.account.pay("ann", 1)
        with pytest.raises(UsageError, match=r"last\(\) is the second action in the block of once\('a'\), after pay\(\)"):
            bank.account.last()
        with pytest.raises(UsageError, match="second action"):
            bank.account.pay("ann", 1)
    assert bank.lsn == 1


def test_what_was_refused_may_be_called_again_in_the_same_block(bank: Bank) -> None:
    """It did not happen, so the key is free. The error is that of the call as it was written."""
    with once("a"):
        for wrong in (threading.Lock(), threading.Barrier, lambda: None):
            with pytest.raises(NotSerializableError, match=r"pay\(\): argument 2 cannot be recorded"):
                bank.account.pay("ann", wrong)
        assert bank.account.pay("ann", 1) == 1


def test_queries_in_a_block_are_as_they_are_anywhere(bank: Bank) -> None:
    """Before and after its action; what they ask the clock for is the present."""
    with once("a"):
        before = bank.account.seen()
        bank.account.pay("ann", 1)
        assert (before[0], bank.account.seen()[0], bank.account.calls) == (0, 1, 1)
        assert bank.account.seen()[1] > before[1]
        control(bank.account).take_snapshot()
        first, second = clock.monotonic(), clock.monotonic()
    assert first <= second < 1e9
    assert bank.lsn == 1


def test_a_call_without_a_key_is_not_remembered(bank: Bank) -> None:
    """Behind the block as before it."""
    with once("a"):
        bank.account.pay("ann", 1)
    assert [bank.account.pay("ann", 1), bank.account.pay("ann", 1)] == [2, 3]
    assert control(bank.account).stats().keys == 1


def test_setters_operators_and_items_may_have_a_key(bank: Bank) -> None:
    """Each happens once; an in-place operator leaves the proxy in the variable."""
    for account in bank.lives():
        same = account
        with once("a"):
            account.limit = 5
        with once("b"):
            same += 10
        with once("c"):
            same["ann"] = "x"
        assert same is account
        assert (account.calls, account.limit, len(account.lines), bank.lsn) == (11, 5, 1, 3)


def test_clock_and_chance_are_remembered_too(bank: Bank) -> None:
    """They are what the first call got, also where a restart computes it anew."""
    with once("a"):
        seen = bank.account.draw()
    for account in bank.lives():
        with once("a"):
            assert account.draw() == seen


# --- what cannot be remembered ---------------------------------------------------------------------------------------


def test_an_aborted_action_does_not_use_up_its_key(bank: Bank) -> None:
    """It did not happen: the next one with the key runs. Alike after a restart."""
    for account in bank.lives():
        with once("a"), pytest.raises(OverdrawnError):
            account.pay_or_nothing("ann", 101)
        assert (account.calls, control(account).stats().keys) == (0, 0)
    with once("a"):
        assert bank.account.pay_or_nothing("ann", 1) == 1
    with once("a"):
        assert bank.restart().pay_or_nothing("ann", 1) == 1
    assert bank.account.calls == 1


@pytest.mark.parametrize(("name", "why"), [("each", "a list of what it gives is kept"), ("whole", "leads to the domain object itself")])
def test_a_result_that_cannot_be_kept_is_given_once(bank: Bank, name: str, why: str) -> None:
    """The next one with the key hears that the action was executed, and why there is nothing to give; also after a restart."""
    with once("a"):
        getattr(bank.account, name)()
    for account in bank.lives(snapshot=True):
        with once("a"), pytest.raises(NotSerializableError, match=rf"{name}\(\) with the key 'a' was executed once, at LSN 1.*({why})"):
            getattr(account, name)()
        assert (account.calls, bank.lsn) == (1, 1)


def test_an_iterator_that_raises_is_an_action_that_raised(bank: Bank) -> None:
    """What it gives is computed within the action, so its exception is what the key remembers."""
    for account in bank.lives(snapshot=True):
        with once("a"), pytest.raises(ZeroDivisionError):
            account.each_fails()
        assert (account.calls, bank.lsn) == (1, 1)


def test_an_exception_that_cannot_be_kept_is_described(bank: Bank) -> None:
    """By what it is and says."""
    with once("a"), pytest.raises(NamelessError):
        bank.account.fail_nameless()
    with once("a"), pytest.raises(NotSerializableError, match="NamelessError: lost: no way"):
        bank.restart().fail_nameless()
    assert bank.account.calls == 1


def test_an_unlocked_action_takes_no_key(bank: Bank) -> None:
    """Of two at once, neither would know the other's outcome."""
    with once("a"), pytest.raises(UsageError, match=r"pay_beside\(\) is @unlocked"):
        bank.account.pay_beside()
    assert bank.lsn == 0


def test_a_key_is_for_a_call_from_outside(bank: Bank) -> None:
    """Inside of an action it means nothing; and a closed system says that it is closed."""
    with (
        control(init_system(Inside, bank.directory.with_name("inside"), validation="off")) as inside,
        pytest.raises(UsageError, match="inside of an action"),
    ):
        inside.act()
    control(bank.account).close()
    with once("a"), pytest.raises(ClosedError):
        bank.account.pay("ann", 1)


class Inside:
    """A domain that uses a key itself."""

    def act(self) -> None:
        with once("a"):
            pass


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": ""},
        {"key": 7},
        {"within": 5},
        {"within": timedelta(0)},
        {"within": timedelta(-1)},
        {"within": timedelta.max},
        {"most": 0},
        {"most": 1.5},
    ],
)
def test_what_cannot_be_a_key_is_refused(durability: Any, wrong: dict[str, Any]) -> None:
    """Before the block begins. (Whatever the durability.)"""
    with pytest.raises(UsageError) as caught:
        once(**{"key": "a", **wrong})
    assert caught.value.option == next(iter(wrong))  # type: ignore[attr-defined]


# --- how long ----------------------------------------------------------------------------------------------------------


def test_a_key_is_forgotten_after_its_time(bank: Bank) -> None:
    """By the time of the actions, and not before; a restart forgets no other keys."""
    day = datetime(2030, 1, 1)
    fix_wall(bank.account, day)
    for name, days in (("a", 1), ("b", 3), ("c", None)):
        with once(name, within=timedelta(days) if days else None):
            bank.account.pay(name, 1)
    fix_wall(bank.account, day + timedelta(hours=23))
    with once("a"):
        assert bank.account.pay("a", 1) == 1
    fix_wall(bank.account, day + timedelta(days=1, seconds=1))
    with once("a", within=timedelta(1)):
        assert bank.account.pay("a", 2) == 4
    assert control(bank.account).stats().keys == 3
    account = bank.restart()
    fix_wall(account, day + timedelta(days=4000))
    with once("c"):
        assert account.pay("c", 1) == 3
    with once("d"):
        account.pay("d", 1)
    assert control(account).stats().keys == 2


def test_the_oldest_keys_are_forgotten_beyond_a_number(bank: Bank) -> None:
    """Alike after a restart."""
    for number in range(10):
        with once(str(number), most=3):
            bank.account.pay("ann", number)
    for account in bank.lives():
        assert control(account).stats().keys == 3
        with once("7"):
            assert account.pay("ann", 7) == 8
    with once("6", most=3):
        assert bank.account.pay("ann", 6) == 11


def test_what_is_forgotten_takes_no_room(bank: Bank) -> None:
    """Also where the number forgets what the time would have."""
    for number in range(500):
        with once(str(number), most=2):
            bank.account.pay("ann", 1)
    assert len(system_of(bank.account).engine.executor.keys._expiring) <= 70


# --- who has it --------------------------------------------------------------------------------------------------------


def test_callers_at_the_same_time_get_one_outcome(bank: Bank) -> None:
    """Many threads with one key: the action happens once, and all hear the same."""
    start, got = threading.Barrier(8), []

    def pay() -> None:
        start.wait()
        for number in range(20):
            with once(f"key {number}"):
                got.append((number, bank.account.pay("ann", number)))

    threads = [threading.Thread(target=pay) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(got)) == 20
    for account in bank.lives():
        assert account.calls == 20
        with once("key 7"):
            assert (7, account.pay("ann", 7)) in got


def test_a_duplicate_in_the_journal_runs_nothing(bank: Bank) -> None:
    """Given two calls that both looked before either ran, when they run, then the second gets the first one's outcome; so does a replay."""
    engine, args = system_of(bank.account).engine, ("a", None, None, "same", "pay", "ann", 1)
    assert [engine.call("once:", args, {}), engine.call("once:", args, {})] == [1, 1]
    with pytest.raises(UsageError, match="'a' was used for pay"):
        engine.call("once:", ("a", None, None, "other", "pay", "ann", 2), {})
    bad = ("b", None, None, "same", "pay", "ann", 101)
    for _ in range(2):
        with pytest.raises(OverdrawnError):
            engine.call("once:", bad, {})
    assert (bank.account.calls, bank.lsn) == (2, 5)
    before = control(bank.account).digest()
    assert control(bank.restart()).digest() == before
    assert control(bank.account).stats().keys == 2


def test_each_task_and_each_thread_has_its_own_block(bank: Bank) -> None:
    """A task made inside has the block's; a thread made there has none; one that outlives the block is refused."""
    got: list[Any] = []

    async def in_a_thread(key: str, amount: int) -> None:
        with once(key):
            await asyncio.sleep(0)
            got.append(await asyncio.to_thread(bank.account.pay, "ann", amount))

    async def begin() -> None:
        await asyncio.gather(in_a_thread("a", 1), in_a_thread("b", 2), in_a_thread("a", 1))
        leave = asyncio.Event()
        with once("c"):
            late = asyncio.create_task(later(leave))
            await asyncio.sleep(0)
        leave.set()
        with pytest.raises(UsageError, match=r"began in the block of once\('c'\), which has ended"):
            await late

    async def later(leave: asyncio.Event) -> None:
        await leave.wait()
        bank.account.pay("late", 1)

    asyncio.run(begin())
    assert sorted(set(got)) == [1, 2]
    with once("d"):
        thread = threading.Thread(target=bank.account.pay, args=("ann", 9))
        thread.start()
        thread.join(1 / WAKE)
    assert (bank.account.calls, control(bank.account).stats().keys) == (3, 2)


def test_one_block_object_serves_many_threads(bank: Bank) -> None:
    """Each entry has its own key, whichever leaves first."""
    shared, inside, leave, got = once("a"), threading.Barrier(2), threading.Barrier(2), []

    def first() -> None:
        with shared:
            inside.wait()
            leave.wait()
            got.append(bank.account.pay("ann", 1))
        got.append(bank.account.pay("bob", 2))

    thread = threading.Thread(target=first)
    thread.start()
    with shared:
        inside.wait()
    leave.wait()
    thread.join()
    assert (got, control(bank.account).stats().keys) == ([1, 2], 1)


def test_the_innermost_block_counts(bank: Bank) -> None:
    """And the outer one is still there behind it."""
    with once("a"):
        with once("b"):
            bank.account.pay("ann", 1)
        assert bank.account.pay("ann", 2) == 2
    with once("a"):
        assert bank.account.pay("ann", 2) == 2
    assert bank.lsn == 2


def test_two_systems_have_keys_of_their_own(bank: Bank, tmp_path: Path, durability: Any) -> None:
    """The same key is another one in another system."""
    with once("a"):
        bank.account.pay("ann", 1)
    with control(init_system(Word, tmp_path / "w", durability=durability)) as word, once("a"):
        assert word.add("a") == "a"


@pytest.mark.parametrize("edge", ["__enter__", "_leave"])
def test_an_interrupt_at_the_edge_of_a_block_leaves_no_key_behind(tmp_path: Path, durability: Any, edge: str) -> None:
    """Also where somebody keeps the error, and with it the block: the next call has no key, and the key is free for its own."""
    word = init_system(Word(), tmp_path / "w", durability=durability, validation="off")

    def interrupt(frame: FrameType, event: str, called: object) -> None:
        if event == "c_return" and frame.f_code.co_name == edge and getattr(called, "__name__", "") == "set":
            sys.setprofile(None)
            raise KeyboardInterrupt

    def call() -> None:
        with once("k"):
            word.add("a")

    sys.setprofile(interrupt)
    with pytest.raises(KeyboardInterrupt) as kept:
        call()
    word.add("b")
    call()
    assert sorted(word.text) == ["a", "b"]
    assert kept.value.__traceback__ is not None
    control(word).close()


def test_an_interrupted_action_is_remembered_as_it_ended(bank: Bank, tmp_path: Path, durability: Any) -> None:
    """Given an action that an interrupt met, when memory is put back and it runs again, then the key knows its outcome."""
    with control(init_system(Interrupted, tmp_path / "w", durability=durability, validation="off")) as one:
        Interrupted.now = True
        with once("a"), pytest.raises(KeyboardInterrupt):
            one.act()
        with once("a"):
            assert one.act() == 1
        assert (one.calls, control(one).lsn, control(one).stats().rebuilds.count) == (1, 1, 1)
        with once("b"), pytest.raises(RecursionError):
            one.dive()
        with once("b"), pytest.raises(RecursionError):
            one.dive()
        assert control(one).lsn == 2
    with control(init_system(Interrupted, tmp_path / "w", durability=durability, validation="off")) as one:
        with once("a"):
            assert one.act() == 1
        with once("b"), pytest.raises(RecursionError):
            one.dive()
        assert (one.calls, one.dives, control(one).lsn) == (1, 1, 2)


class Interrupted:
    """Its first call is interrupted from outside."""

    now = False

    def __init__(self) -> None:
        self.calls = self.dives = 0

    def act(self) -> int:
        self.calls += 1
        if Interrupted.now:
            Interrupted.now = False
            raise KeyboardInterrupt
        return self.calls

    def dive(self) -> None:
        self.dives += 1
        self.dive_deeper()

    def dive_deeper(self) -> None:
        self.dive_deeper()


def test_verify_compares_what_keys_remember(tmp_path: Path, durability: Any) -> None:
    """Given a method that gives what no replay gives, and leaves the same state, when it was called with a key, then verify names it."""
    with control(init_system(Elsewhere, tmp_path / "w", durability=durability, validation="off")) as one:
        with once("a"):
            one.count()
        one.where()
        assert control(one).verify().lsn == 2
        for _ in range(3):
            one.count()
        with once("b"):
            one.where()
        one.count()
        with pytest.raises(DivergenceError, match=r"LSN 6 \(where\): what keys of once remember") as raised:
            control(one).verify()
        assert (raised.value.lsn, raised.value.method) == (6, "where")


class Elsewhere:
    """Knows in which process it is."""

    def __init__(self) -> None:
        self.calls = 0

    def count(self) -> int:
        self.calls += 1
        return self.calls

    def where(self) -> int:
        self.calls += 1
        return os.getpid()
