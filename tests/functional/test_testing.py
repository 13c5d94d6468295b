"""`assert_replayable` and `assert_survives_crashes`: planted mistakes are caught and named, good domains pass."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from coopy import abort_exception, control, readonly
from coopy.testing import Call, CrashAssertionError, ReplayAssertionError, assert_replayable, assert_survives_crashes
from tests import mistaken, sound

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from coopy.testing import Opening

# --- does it replay --------------------------------------------------------------------------------------------------

MISTAKES: tuple[tuple[type, list[Call], str], ...] = (
    (mistaken.Draw, [Call("draw")], "draw.winners[0]"),
    (mistaken.Diary, [Call("note")], "diary.days[0]"),
    (mistaken.Log, [Call("note")], "log.times[0]"),
    (mistaken.Guests, [Call("invite", name) for name in "abcdefgh"], "guests.seats["),
    (mistaken.Shards, [Call("store", "a key")], "shards.places['a key']"),
    (mistaken.Nodes, [Call("add"), Call("add")], "nodes.nodes["),
    (mistaken.Trains, [Call("depart", 1e9)], "trains.departures[0]"),
    (mistaken.Prints, [Call("store", "a.pdf")], "prints.paths[0]"),
    (mistaken.Workers, [Call("own")], "workers.owners[0]"),
    (mistaken.Invoices, [Call("issue")] * 3, "invoices.issued["),
    (mistaken.Tickets, [Call("sell")] * 3, "tickets.sold["),
    (mistaken.Basket, [Call("put", "egg")] * 3, "basket.sizes["),
    (mistaken.Visits, [Call("write", "x"), Call("look"), Call("write", "y")], "visits.read"),
    (mistaken.Season, [Call("play")] * 3, "season.round"),
)


@pytest.mark.parametrize(("domain", "made", "path"), MISTAKES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_mistake_is_named_by_call_and_path(domain: type, made: list[Call], path: str) -> None:
    """The error is of pytest's kind, and says after which call what differs."""
    with pytest.raises(ReplayAssertionError) as found:
        assert_replayable(domain, made)
    assert found.value.paths[0].startswith(path), found.value
    assert 1 <= found.value.lsn <= len(made)
    text = str(found.value)
    assert text.startswith(f"{domain.__name__} does not replay: ")
    assert path in text
    assert repr(made[found.value.lsn - 1]) in text


def test_a_state_that_cannot_be_read_back_is_named_by_call() -> None:
    """It would be seen at the next snapshot only."""
    with pytest.raises(ReplayAssertionError, match=r"after LSN 1, write\('a'\), cannot be stored and read back.*no seal"):
        assert_replayable(mistaken.Sealed, [Call("write", "a")])


def test_what_no_snapshot_can_hold_is_named_by_its_place() -> None:
    """Whichever assertion meets it."""

    def scenario(open: Opening) -> None:  # noqa: A002 - as the documentation names it
        open(mistaken.Door).cut()

    with pytest.raises(ReplayAssertionError, match=r"Door does not replay: .*door\.keys\[0\]"):
        assert_replayable(mistaken.Door, [Call("cut")])
    with pytest.raises(CrashAssertionError, match=r"Door: after cut\(\) -> None: .*door\.keys\[0\]"):
        assert_survives_crashes(scenario)


@pytest.mark.parametrize("one", sound.SOUND, ids=lambda one: one.domain.__name__)
def test_a_good_domain_replays(one: sound.Sound) -> None:
    """Whatever it does that looks suspicious."""
    assert_replayable(one.domain, one.calls)


def test_calls_may_be_a_function_of_the_system() -> None:
    """With what calls give it goes on; what it raises passes through."""

    def act(raffle: sound.Raffle) -> None:
        assert isinstance(raffle, sound.Raffle)
        raffle.sell("ada")
        assert raffle.draw() == "ada"

    def fail(raffle: sound.Raffle) -> None:
        raise LookupError(raffle.tickets)

    assert_replayable(sound.Raffle, act)
    with pytest.raises(LookupError):
        assert_replayable(sound.Raffle, fail)


def test_an_instance_is_where_it_begins() -> None:
    """By value: it stays as it is."""
    shelf = mistaken.Shelf()
    shelf.books = ["first"]

    def act(system: mistaken.Shelf) -> None:
        system.put("second")
        assert system.books == ["first", "second"]

    assert_replayable(shelf, act)
    assert shelf.books == ["first"]


class Here:
    """A domain class in a test module, as pytest imported it."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def give(self, name: str) -> None:
        if not name:
            raise ValueError(name)
        self.given.append(name)

    @abort_exception
    def take(self, name: str) -> None:
        self.given.clear()
        raise LookupError(name)

    @readonly
    def find(self, name: str) -> int:
        if not isinstance(name, str):
            raise TypeError(name)
        return self.given.index(name)

    @readonly
    def count(self) -> int:
        return len(self.given)


class Aside:
    """Keeps something outside of the object for one action only, so that only a replay that begins between both shows it."""

    held: list[int] = []  # noqa: RUF012 - the mistake

    def __init__(self) -> None:
        self.steps = 0

    def step(self, hold: bool) -> None:
        self.steps += 1 + 100 * len(Aside.held)
        Aside.held.clear()
        if hold:
            Aside.held.append(self.steps)


def test_a_class_of_a_test_module_is_found() -> None:
    """Also in pytest's importlib mode, where no other process finds the module by its name."""
    assert_replayable(Here, [Call("give", "x")])


def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    """The fresh process would run it, and start another, which runs it..."""
    script = tmp_path / "script.py"
    script.write_text(
        "from coopy.testing import Call, assert_replayable\n"
        "class Word:\n    def add(self): self.text = 'a'\n"
        "assert_replayable(Word, [Call('add')])\n"
    )
    ran = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 1
    assert ran.stderr.endswith('put what it does under `if __name__ == "__main__":`.\n')


def test_a_class_inside_of_a_function_is_refused() -> None:
    """No restart could find it."""
    from coopy.error import UsageError

    class Local:
        pass

    with pytest.raises(UsageError, match=r"Local is defined inside of a function \(test_a_class.*at the top of its module"):
        assert_replayable(Local, [])
    with pytest.raises(UsageError, match="defined inside of a function"):
        assert_survives_crashes(lambda open: open(Local))  # noqa: A006 - as the documentation names it


def test_what_is_no_call_is_refused() -> None:
    from coopy.error import UsageError

    with pytest.raises(UsageError, match="Shelf has no method 'putt'"):
        assert_replayable(mistaken.Shelf, [Call("putt", "x")])
    not_a_call: Any = ("put", "x")
    with pytest.raises(UsageError, match=r'is no call: write Call\("method"'):
        assert_replayable(mistaken.Shelf, [not_a_call])


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (Call("give", lambda: 1), r"call 2, give\(<function.*>\), was refused and not recorded"),
        (Call("give"), r"call 2, give\(\), was refused .*TypeError: .*missing.*'name'"),
        (Call("give", name="x", more="y"), "call 2, give.* was refused .*TypeError"),
        (Call("count", "too much"), "call 2, count.* was refused .*TypeError"),
    ],
)
def test_a_call_that_is_refused_shows_nothing_and_is_told(made: Call, said: str) -> None:
    """Not recorded, so not replayed, even beside calls that are."""
    with pytest.raises(ReplayAssertionError, match=said) as caught:
        assert_replayable(Here, [Call("give", "x"), made])
    assert (caught.value.lsn, caught.value.method) == (1, made.method)


def test_what_the_domain_itself_raises_is_an_answer() -> None:
    """Of an action, of one that is undone, and of a query: all three refuse by exceptions of their own."""
    assert_replayable(Here, [Call("give", "x"), Call("give", ""), Call("take", "y"), Call("find", "y"), Call("find", 5)])


def test_a_function_that_has_nothing_recorded_shows_nothing_and_is_told() -> None:
    """Whichever assertion it is."""
    with pytest.raises(ReplayAssertionError, match="Here was not tested: no action was recorded"):
        assert_replayable(Here, lambda system: system.count())
    with pytest.raises(CrashAssertionError, match="Here was not tested: the scenario recorded no action"):
        assert_survives_crashes(lambda open: open(Here).count())  # noqa: A006 - as the documentation names it


@pytest.mark.parametrize("calls", [[], [Call("count")]], ids=["none", "a query"])
def test_calls_that_a_strategy_draws_may_record_nothing(calls: list[Call]) -> None:
    """How it begins is compared."""
    assert_replayable(Here, calls)


@pytest.mark.parametrize("number", [3, 5, 23, 31])
def test_after_each_action_of_a_short_run_a_replay_begins(number: int) -> None:
    """What a snapshot loses of any one state is found: here of that after this action alone."""
    made = [Call("step", at == number) for at in range(1, 33)]
    with pytest.raises(ReplayAssertionError):
        assert_replayable(Aside, made)


# --- does it survive -------------------------------------------------------------------------------------------------


def making(domain: type, made: tuple[Call, ...]) -> Callable[[Opening], None]:
    """A scenario of these calls, with a snapshot, a close and a restart in between."""

    def scenario(open: Opening) -> None:  # noqa: A002 - as the documentation names it
        system: Any = open(domain)
        for number, one in enumerate(made):
            with contextlib.suppress(ValueError, KeyError, RecursionError, SystemExit):
                one.on(system)
            if number == 1:
                control(system).take_snapshot()

    return scenario


def rename(open: Opening) -> None:  # noqa: A002 - as the documentation names it
    handles = open(mistaken.Handles)
    handles.rename(handles.add("a"), "b")


def change_from_outside(open: Opening) -> None:  # noqa: A002 - as the documentation names it
    shelf = open(mistaken.Shelf)
    shelf.put("a")
    shelf.books.append("b")
    shelf.put("c")


CRASHES: tuple[tuple[Callable[[Opening], None], str], ...] = (
    (making(mistaken.Notes, (Call("keep", "a", "x"), Call("keep", "b", "y"))), "texts: ['x'] != raises KeyError"),
    (making(mistaken.Invoices, (Call("issue"),) * 3), "issue()"),
    (making(mistaken.Tickets, (Call("sell"),) * 3), "sell()"),
    (making(mistaken.Basket, (Call("put", "egg"),) * 3), "put('egg')"),
    (making(mistaken.Prices, (Call("price", "egg", 30), Call("price", "ham", 70))), "price('ham', 70) gave 100 then, and 70 after"),
    (making(mistaken.Index, (Call("add", "a"), Call("add", "b"))), "known: 1 != 0"),
    (making(mistaken.Season, (Call("play"),) * 2), "season.round: 1 != 0"),
    (making(mistaken.Draw, (Call("draw"),)), "draw.winners[0]"),
    (making(mistaken.Log, (Call("note"),)), "log.times[0]"),
    (making(mistaken.Visits, (Call("write", "a"), Call("look"), Call("write", "b"))), "look() only reads, but it changes the state"),
    (making(mistaken.Shards, (Call("store", "a key"),)), "shards.places['a key']"),
    (making(mistaken.Sealed, (Call("write", "a"), Call("write", "b"))), "no seal"),
    (rename, "add('a') gave "),
    (change_from_outside, "shelf.books"),
)


@pytest.mark.parametrize(("scenario", "said"), CRASHES, ids=[said for _, said in CRASHES])
def test_what_a_crash_shows_is_named(scenario: Callable[[Opening], None], said: str) -> None:
    """By what callers were told, and what is there after a restart."""
    with pytest.raises(CrashAssertionError) as found:
        assert_survives_crashes(scenario)
    assert said in str(found.value), found.value


def test_what_is_kept_in_a_file_is_named(tmp_path: Path) -> None:
    """A replay writes it once more."""

    def scenario(open: Opening) -> None:  # noqa: A002 - as the documentation names it
        register = open(mistaken.Register(str(tmp_path / "register")))
        register.enter("a")
        register.enter("b")

    with pytest.raises(CrashAssertionError, match=r"enter\('a'\) gave 1 then, and 3 after"):
        assert_survives_crashes(scenario)


@pytest.mark.parametrize("one", sound.SOUND, ids=lambda one: one.domain.__name__)
def test_a_good_domain_survives(one: sound.Sound) -> None:
    """At each of its writes."""
    assert_survives_crashes(making(one.domain, one.calls), points=16)
