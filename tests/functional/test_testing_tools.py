"""Restarts, crashes and the clock of `coopy.testing`, its pytest plugin, and what it does with Hypothesis."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from coopy import clock, control, init_system, readonly
from coopy.disk import files
from coopy.error import ClosedError, UsageError
from coopy.testing import Call, MovableClock, Systems, assert_replayable, assert_survives_crashes, calls, crash, machine, restart
from tests import mistaken, sound
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coopy.testing import Opening

ROOT = Path(__file__).parents[2]
FEW = settings(
    max_examples=5, stateful_step_count=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


@pytest.fixture
def systems(tmp_path: Path) -> Iterator[Systems]:
    with Systems(tmp_path) as one:
        yield one


# --- restarts --------------------------------------------------------------------------------------------------------


def test_a_restarted_system_is_the_same(systems: Systems) -> None:
    """The old proxy is closed, the new one goes on where it was."""
    word = systems(Word)
    word.add("a")
    again = systems.restart(word)
    assert again.add("b") == "ab"
    with pytest.raises(ClosedError):
        word.add("c")


def test_a_crashed_copy_holds_every_call_that_returned(systems: Systems) -> None:
    """And the system that it was copied from goes on."""
    for durability in ("sync", "buffered"):
        word = systems(Word, durability, durability=durability)
        for letter in "abc":
            word.add(letter)
        left = systems.crash(word)
        assert control(left).digest() == control(word).digest()
        assert (left.add("d"), word.add("e")) == ("abcd", "abce")
        assert systems.crash(word).text == "abce"


def test_any_system_can_be_restarted_and_crashed(tmp_path: Path) -> None:
    """By the options that it was opened with."""
    word = init_system(Word, tmp_path / "w", signing_key=b"key", durability="buffered", segment_bytes=4096)
    word.add("a")
    word = restart(word)
    left = crash(word, tmp_path / "copy")
    assert (word.text, left.text) == ("a", "a")
    with pytest.raises(UsageError, match="copy exists already"):
        crash(word, tmp_path / "copy")
    for one in (word, left):
        control(one).close()


def test_systems_of_a_test_never_wait_for_the_device(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever they do and however they were opened; a copy and the next start read what was written."""

    def refuse(_descriptor: int) -> None:
        raise AssertionError("somebody waits for the device")

    for owner, name in ((os, "fsync"), (os, "fdatasync"), (files, "_force")):
        monkeypatch.setattr(owner, name, refuse, raising=False)
    word = systems(Word, durability="sync")
    word.add("a")
    control(word).take_snapshot()
    word.add("b")
    assert systems.crash(word).text == systems.restart(word).text == "ab"
    assert_replayable(Word, [Call("add", "a")])


def test_systems_are_closed_and_their_directory_goes() -> None:
    """Where no directory was given."""
    with Systems() as systems:
        word = systems(Word("a"), "other")
        assert control(word).basedir_abspath() == [str(systems.directory / "other")]
    with pytest.raises(ClosedError):
        word.add("b")
    assert not systems.directory.exists()


# --- the clock -------------------------------------------------------------------------------------------------------


class Alarm:
    """Rings after an hour."""

    def __init__(self) -> None:
        self.set_at = clock.now()

    def wind(self) -> datetime:
        self.set_at = clock.now()
        return self.set_at

    @readonly
    def rings(self) -> bool:
        return clock.now() - self.set_at >= timedelta(hours=1)


def test_time_stands_still_until_it_is_moved(systems: Systems) -> None:
    """Actions have the time that it was moved to, queries ask for it, too, and a restart changes nothing."""
    with MovableClock() as now:
        alarm = systems(Alarm)
        now.set(datetime(2030, 1, 1, 12))
        assert alarm.wind() == datetime(2030, 1, 1, 12)
        assert not alarm.rings()
        now.move(timedelta(hours=1))
        assert alarm.rings()
        alarm = systems.restart(alarm)
        assert alarm.rings()
        assert clock.now() == now.now() == datetime(2030, 1, 1, 13)
    systems.close()
    assert abs(clock.now() - datetime.now()) < timedelta(hours=1)


def test_time_that_goes_back_still_grows_for_actions(systems: Systems) -> None:
    """As it does when a machine's clock is set."""
    with MovableClock(datetime(2030, 1, 1, tzinfo=UTC)) as now:
        alarm = systems(Alarm)
        first = alarm.wind()
        now.move(timedelta(days=-1))
        assert alarm.wind() == first + timedelta(microseconds=1)


def test_the_clock_serves_a_plain_object() -> None:
    """As the one that coopy gives to a domain object."""
    now = MovableClock(datetime(2030, 1, 1))
    now.move(timedelta(minutes=1))
    assert now.now() == datetime(2030, 1, 1, 0, 1)
    assert now.today() == datetime(2030, 1, 1).date()


# --- pytest ----------------------------------------------------------------------------------------------------------

USING = """
from datetime import datetime, timedelta
from coopy import control
from tests.words import Word

class Here:
    def __init__(self):
        self.given = []
    def give(self, name):
        self.given.append(name)

def test_it(coopy_system, coopy_clock):
    coopy_clock.set(datetime(2030, 1, 1))
    word = coopy_system(Word)
    assert word.stamp()[0] == datetime(2030, 1, 1)
    word = coopy_system.restart(word)
    assert coopy_system.crash(word).kept == word.kept

def test_here(coopy_system):
    from coopy.testing import Call, assert_replayable
    assert_replayable(Here, [Call("give", "x")])
    assert coopy_system(Here, validation="off").given == []

def test_fails():
    from coopy.testing import Call, assert_replayable
    from tests.mistaken import Draw
    assert_replayable(Draw, [Call("draw")])
"""


def pytest_run(folder: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Another pytest, with the plugin as an installation has it."""
    (folder / "test_it.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "coopy.testing.plugin", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_fixtures_work_where_pytest_imports_by_path(tmp_path: Path) -> None:
    """A failed assertion reads as one."""
    ran = pytest_run(tmp_path, USING, "--import-mode=prepend")
    assert "1 failed, 2 passed" in ran.stdout, ran.stdout
    assert "Draw does not replay: in a fresh process after LSN 1, draw(), it is another one." in ran.stdout
    assert "draw.winners[0]: " in ran.stdout


def test_a_class_of_a_test_module_is_found_that_nobody_can_import(tmp_path: Path) -> None:
    """In the mode importlib, a test module's name leads nowhere in another process."""
    ran = pytest_run(tmp_path, USING, "--import-mode=importlib", "-k", "here")
    assert "1 passed" in ran.stdout, ran.stdout


def test_who_does_not_use_the_plugin_does_not_load_coopy() -> None:
    """It is in every pytest run of an environment."""
    code = "import sys, coopy.testing.plugin; print(*sorted(name for name in sys.modules if name.startswith(('coopy', 'msgspec', 'hypothesis'))))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["coopy", "coopy.testing", "coopy.testing.plugin"]


def test_coopy_loads_neither_pytest_nor_hypothesis() -> None:
    """Before somebody asks for what needs them."""
    code = "import sys, coopy.testing.crashes, coopy.testing.machines, coopy.testing.strategies; print(*{'pytest', 'hypothesis'} & sys.modules.keys())"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []


def test_an_installation_registers_the_plugin() -> None:
    """As pyproject.toml says."""
    import tomllib

    names = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    assert names == {"coopy": "coopy.testing.plugin"}


SCRIPT = """
from coopy import control
from coopy.testing import Call, assert_replayable, assert_survives_crashes

class Here:
    def __init__(self):
        self.given = []
    def give(self, name):
        self.given.append(name)

def scenario(open):
    here = open(Here)
    here.give("a")
    here.give("b")

if __name__ == "__main__":
    assert_replayable(Here, [Call("give", "x")])
    assert_survives_crashes(scenario)
    print("fine")
"""


def test_a_script_may_test_its_own_classes(tmp_path: Path) -> None:
    """Without pytest: they are of `__main__`, and found by running its file once more under another name."""
    (tmp_path / "script.py").write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("fine\n", "")


def test_where_there_is_no_locale_but_c_that_is_said(tmp_path: Path) -> None:
    """Once, to whoever hears the log: what depends on a locale would have passed."""
    script = SCRIPT.replace("    assert_replayable", "    assert_replayable(Here, [])\n    assert_replayable")
    start = "import logging\nfrom coopy.wiring import elsewhere\nelsewhere.LOCALES = ('C',)\nlogging.basicConfig(format='%(name)s: %(message)s')\n"
    (tmp_path / "script.py").write_text(start + script)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    told = "coopy.testing: assert_replayable: This machine has no locale but C: what depends on one would not have shown.\n"
    assert (ran.stdout, ran.stderr) == ("fine\n", told)


# --- Hypothesis ------------------------------------------------------------------------------------------------------


class Bank:
    """Annotated."""

    def __init__(self) -> None:
        self.accounts: dict[str, int] = {}
        self._motto = ""

    def open(self, name: str, /, cents: int = 0) -> None:
        self.accounts[name] = cents

    def pay(self, name: str, *, cents: int) -> int:
        self.accounts[name] += cents
        return self.accounts[name]

    @property
    def motto(self) -> str:
        return self._motto

    @motto.setter
    def motto(self, motto: str) -> None:
        self._motto = motto

    @readonly
    def total(self) -> int:
        return sum(self.accounts.values())

    @staticmethod
    def helper(thing: object) -> None:
        raise AssertionError


NAMES = st.sampled_from("abc")


def test_calls_are_made_by_annotations() -> None:
    """Actions and setters, nothing else; what is said of an argument is taken."""
    met: set[str] = set()

    @FEW
    @given(calls(Bank, arguments={"name": NAMES, "pay.cents": st.just(7)}, min_size=20, max_size=20))
    def collect(made: list[Call]) -> None:
        met.update(one.method for one in made)
        for one in made:
            assert one.method == "motto=" or one.args[0] in {"a", "b", "c"}
            assert one.method != "pay" or one.kwargs == {"cents": 7}
            assert one.method != "open" or one.kwargs == {} or type(one.kwargs["cents"]) is int
            assert eval(f"Call({one.method!r}, *{one.args!r}, **{one.kwargs!r})") == one  # noqa: S307 - what it shows is what it is

    collect()
    assert met == {"open", "pay", "motto="}


@settings(FEW, max_examples=3)
@given(calls(Bank, arguments={"name": NAMES}, min_size=1, max_size=6))
def test_any_calls_replay(made: list[Call]) -> None:
    """Hypothesis and `assert_replayable` together."""
    assert_replayable(Bank, made)


def test_an_argument_that_is_not_known_is_named() -> None:
    """With what to write."""

    class Vague:
        def take(self, thing) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - that is it
            pass

        def keep(self, value: Any, note="") -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - the same
            pass

    with pytest.raises(UsageError, match=r"Vague.take: parameter 'thing' has no annotation.*arguments=\{\"thing\":"):
        calls(Vague, only=["take"])
    with pytest.raises(UsageError, match="parameter 'value' may be anything"):
        calls(Vague, only=["keep"])
    calls(Vague, only=["keep"], arguments={"value": st.none()})
    with pytest.raises(UsageError, match="names 'valu', but no action"):
        calls(Vague, arguments={"thing": st.none(), "value": st.none(), "valu": st.none()})
    with pytest.raises(UsageError, match=r"has no action 'helper'\. It has motto=, open, pay"):
        calls(Bank, only=["helper"])
    with pytest.raises(UsageError, match=r"Bare.*has no actions"):
        calls(type("Bare", (), {}))


def test_without_hypothesis_an_error_says_what_to_install() -> None:
    code = "import sys; sys.modules['hypothesis'] = None\nfrom coopy.testing import calls\nfrom tests.sound import Meter\ncalls(Meter)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert ran.stderr.rstrip().endswith("UsageError: This part of coopy.testing needs Hypothesis: pip install hypothesis.")


LETTERS = st.sampled_from("abc")


@pytest.mark.parametrize(
    "made",
    [
        machine(Bank, arguments={"name": NAMES}),
        machine(sound.Wiki, arguments={"name": NAMES}),
        machine(sound.Raffle, arguments={"name": NAMES}),
        machine(sound.Ledger, arguments={"name": NAMES, "source": NAMES, "target": NAMES, "amount": st.decimals(-9, 9, places=2)}),
        machine(sound.Lookup, arguments={"word": NAMES}),
        machine(sound.Drawer, arguments={"name": NAMES, "thing": st.integers()}),
    ],
    ids=lambda made: made.__name__,
)
def test_a_good_domain_equals_a_plain_object(made: Any) -> None:
    """Over restarts, kills, snapshots and steps of the clock."""
    run_state_machine_as_test(made, settings=FEW)


@pytest.mark.parametrize(
    ("domain", "said"),
    [
        (mistaken.Season, "round gave . before the restart, and gives 0"),
        (mistaken.Index, "known"),
        (mistaken.Draw, "differ"),
        (mistaken.Notes, None),
        (mistaken.Handles, "answer"),
    ],
)
def test_a_machine_finds_mistakes(domain: type, said: str | None) -> None:
    """What is kept in the module is not lost in one process: that is for the assertions."""
    strategies = {"name": NAMES, "word": NAMES, "text": NAMES, "handle": st.just(0)}
    used = {one: strategies[one] for one in strategies if one in {"name", "word", "text", "handle"} & _parameters(domain)}
    made = machine(domain, arguments=used)
    many = settings(FEW, max_examples=100, phases=[Phase.generate], report_multiple_bugs=False)
    if said is None:
        run_state_machine_as_test(made, settings=FEW)
        return
    with pytest.raises(AssertionError, match=said):
        run_state_machine_as_test(made, settings=many)


def _parameters(domain: type) -> set[str]:
    return {name for one in vars(domain).values() for name in getattr(getattr(one, "__code__", None), "co_varnames", ())}


# --- crashes ---------------------------------------------------------------------------------------------------------


def test_a_check_is_asked_of_each_restarted_system() -> None:
    """What it says is the failure."""
    asked: list[str] = []

    def scenario(open: Opening) -> None:  # noqa: A002 - as the documentation names it
        word = open(Word)
        for letter in "ab":
            word.add(letter)

    def check(word: Word) -> None:
        asked.append(word.text)
        assert word.text != "ab", "no ab, please"

    with pytest.raises(AssertionError, match=r"(?s)the check says: AssertionError: no ab, please.*\n.*1\. add\('a'\) -> 'a'\n.*2\."):
        assert_survives_crashes(scenario, check=check)
    assert {"", "a", "ab"} == set(asked)


@pytest.mark.parametrize("durability", ["sync", "buffered"])
def test_a_scenario_may_have_several_systems_that_close_and_open(durability: str) -> None:
    """Each is compared with its own history. Of more crashes than wanted some are chosen."""

    def scenario(open: Opening) -> None:  # noqa: A002 - as the documentation names it
        one, two = open(Word, "one", durability=durability), open(Word("x"), "two", durability=durability)
        for letter in "ab":
            one.add(two.add(letter))
        control(one).close()
        one = open(Word, "one", durability=durability)
        control(one).prune()
        one.add("c")

    assert_survives_crashes(scenario, points=30, seed=3)


@pytest.mark.parametrize("durability", ["sync", "buffered"])
def test_time_may_pass_in_a_scenario(durability: str) -> None:
    """Queries that ask for the time are compared as of the time when they were asked."""

    def scenario(open: Opening) -> None:  # noqa: A002 - as the documentation names it
        with MovableClock() as now:
            alarm = open(Alarm, durability=durability)
            alarm.wind()
            now.move(timedelta(days=1))
            assert alarm.rings()
            alarm.wind()
            now.move(timedelta(minutes=1))
            alarm.wind()

    assert_survives_crashes(scenario, points=40)


def test_what_a_scenario_raises_passes_through() -> None:
    def scenario(open: Opening) -> None:  # noqa: A002 - as the documentation names it
        open(Word).add_and_raise("a")

    with pytest.raises(ValueError, match="a"):
        assert_survives_crashes(scenario)
    with pytest.raises(UsageError, match="opened no system"):
        assert_survives_crashes(lambda _open: None)
    with pytest.raises(UsageError, match="master= is not for a scenario"):
        assert_survives_crashes(lambda open: open(Word, master=True))  # noqa: A006 - as the documentation names it
