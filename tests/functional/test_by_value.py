"""Case by case: the restarted state equals the live one, seen from another process with another hash seed and zone, or the call is refused and nothing changed."""

from __future__ import annotations

import contextlib
import decimal
import enum
import gc
import os
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

import coopy.random
from coopy import clock, control, init_system, once, readonly
from coopy.error import ClosedError, NotSerializableError, UsageError
from coopy.wiring import fix_wall
from tests.program import program
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.program import Program

__all__ = ["program"]

ELSEWHERE = """
import os, sys, traceback
from coopy import control, init_system
from tests.functional.test_by_value import Cases
for line in sys.stdin:
    if os.fork():
        os.wait()
        continue
    try:
        with control(init_system(Cases, line.strip())) as cases:
            print(control(cases).digest(), flush=True)
    except BaseException:
        print(repr(traceback.format_exc()), flush=True)
    os._exit(0)
"""


class Colour(enum.Enum):
    RED = 1


class Name(str):
    """A str with more to it."""

    __slots__ = ()


class Count(int):
    """An int with more to it."""


class Label(msgspec.Struct, kw_only=True):
    name: str
    inner: Label | None = None


class Noted(msgspec.Struct, dict=True):
    name: str


class NotedByName(msgspec.Struct, kw_only=True, dict=True):
    name: str


def rebuilt() -> ByFunction:
    return ByFunction()


class ByFunction:
    def __reduce__(self) -> Any:
        return rebuilt, ()


class Page:
    def __init__(self, title: str) -> None:
        self.title = title


class Leftover:
    """Garbage as soon as it is made. Its finalizer asks for the time, and does without."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        with contextlib.suppress(UsageError):
            clock.now()


class Collecting:
    def __setstate__(self, state: dict[str, Any]) -> None:
        gc.collect()
        vars(self).update(state)


class Cases(Word):
    """The word, and one method for each case."""

    outside: Any = None  # what a method finds outside of its system: a proxy, or a control

    def __init__(self) -> None:
        super().__init__()
        self.lock, self.obj, self.lsn = 1, 2, 3
        self.pages = {"home": Page("home")}

    def take_apart(self, things: list[int]) -> int:
        total = 0
        while things:
            total += things.pop()
        self.kept.append(total)
        return total

    def keep_two(self, first: Any, second: Any) -> bool:
        self.kept += [first, second]
        return first is second

    def keep_page(self, page: Page) -> None:
        page.title += "!"
        self.pages[page.title] = page

    @readonly
    def page(self, title: str) -> Page:
        return self.pages[title]

    def leave(self) -> None:
        self.text += "x"
        raise SystemExit(3)

    def sink(self, depth: int) -> int:
        self.text += "s"
        return self.sink(depth - 1) if depth else 0

    def divide(self, a: int, b: int) -> decimal.Decimal:
        quotient = decimal.Decimal(a) / decimal.Decimal(b)
        self.kept.append(quotient)
        return quotient

    def set_precision(self, digits: int) -> None:
        decimal.getcontext().prec = digits  # coopy: ignore[process-state] that coopy holds this apart is what is tested

    def use_proxy(self) -> None:
        self.text += "p"
        try:
            self.outside.add("q")
        except UsageError:
            self.text += "swallowed"

    def use_control(self, operation: str) -> None:
        self.text += "p"
        try:
            found = getattr(self.outside, operation)
            if callable(found):
                found()
        except UsageError:
            self.text += "swallowed"

    def note(self, what: str) -> list[str]:
        for one in self.kept:
            one.notes = [*getattr(one, "notes", ()), what]
        return [note for one in self.kept for note in one.notes]

    def drop_last(self) -> None:
        self.kept.clear()

    def me(self) -> Any:
        return self

    def letters(self) -> Any:
        return iter(self.text)

    def adder(self) -> Any:
        return self.add


@pytest.fixture(scope="module")
def digest_elsewhere() -> Iterator[Callable[[Path], str]]:
    """What another process comes to, with another hash seed and zone. It has imported all that is needed, and forks one for each directory."""
    environment = {**os.environ, "PYTHONHASHSEED": "77", "TZ": "Asia/Kathmandu"}
    command = [sys.executable, "-c", ELSEWHERE]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=Path(__file__).parents[2]
    ) as process:
        asked, told = process.stdin, process.stdout
        assert asked is not None
        assert told is not None

        def ask(directory: Path) -> str:
            print(directory, file=asked, flush=True)
            return told.readline().strip()

        yield ask


@pytest.fixture(params=["sync", "buffered"])
def cases(tmp_path: Path, request: pytest.FixtureRequest, digest_elsewhere: Callable[[Path], str]) -> Iterator[Cases]:
    """A system; after the test another process must come to the same state."""
    system = init_system(Cases, tmp_path / "c", durability=request.param)
    yield system
    digest = control(system).digest()
    control(system).close()
    assert digest_elsewhere(tmp_path / "c") == digest


def test_a_method_works_on_its_own_copy(cases: Cases) -> None:
    """Mutating an argument, the same list twice, and an alias kept by the caller."""
    mine = [1, 2, 3]
    assert cases.take_apart(mine) == 6
    assert mine == [1, 2, 3]
    assert cases.keep_two(mine, mine) is True
    mine.append(4)
    assert cases.kept[1] == [1, 2, 3]


def test_an_object_from_a_query_comes_back_by_value(cases: Cases) -> None:
    """The page passed back is a copy: what the method changes is the state's."""
    page = cases.page("home")
    cases.keep_page(page)
    assert page.title == "home"
    assert cases.page("home!").title == "home!"


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        Colour.RED,
        Name("n"),
        Count(5),
        1 << 70,
        "\ud800",
        -0.0,
        (1, (2,)),
        {"a": {1, 2}},
        b"\0" * 600,
        True,
        Label(name="a", inner=Label(name="b")),
    ],
)
def test_any_value_is_kept_as_it_is(cases: Cases, value: Any) -> None:
    """Types included."""
    cases.keep(value)
    assert type(cases.kept[0]) is type(value)
    assert repr(cases.kept[0]) == repr(value)


def test_a_finalizer_that_asks_for_the_time_while_an_argument_is_read_is_not_taken_for_the_argument(cases: Cases) -> None:
    """The collector may come at any moment."""
    given: Any = Collecting()
    given.name = "a"
    Leftover()
    assert cases.keep(given) == 1
    assert cases.kept[0].name == "a"


def test_what_a_structure_has_beside_its_fields_is_kept(cases: Cases) -> None:
    """Where its class lets it have more (`dict=True`), in a call as in a snapshot; another state has another digest."""
    mine: Any = Noted("a")
    mine.notes = ["m"]
    cases.keep_two(mine, NotedByName(name="b"))
    before = control(cases).digest()
    assert cases.note("n") == ["m", "n", "n"]
    assert control(cases).digest() != before
    control(cases).take_snapshot()


@pytest.mark.parametrize("value", [lambda: 0, threading.Lock(), iter(range(3)), sys, print])
def test_what_cannot_come_back_is_refused(cases: Cases, value: Any) -> None:
    """Alone, and beside 300 kB that could; the error names the argument and memory is untouched."""
    with pytest.raises(NotSerializableError, match="argument 1"):
        cases.keep(value)
    with pytest.raises(NotSerializableError, match="argument 2"):
        cases.keep_two("x" * 300_000, value)
    assert cases.kept == []
    assert control(cases).lsn == 0


def test_what_pickles_by_a_function_is_refused_with_a_way_out(cases: Cases) -> None:
    """As arrays of numpy do: what is to be done is said."""
    with pytest.raises(
        NotSerializableError, match=r"argument 1 .*\.rebuilt is a function: .* keep it in one of your own, whose __getstate__"
    ):
        cases.keep(ByFunction())
    assert control(cases).lsn == 0


def test_whatever_is_no_ordinary_exception_leaves_what_the_journal_says(cases: Cases) -> None:
    """SystemExit reaches the caller, a recursion too deep as well; the action counts, once."""
    with pytest.raises(SystemExit):
        cases.leave()
    assert cases.text == "x"
    with pytest.raises(RecursionError):
        cases.sink(100_000)
    with pytest.raises(ValueError, match="y"):
        cases.add_and_raise("y")
    with pytest.raises(ValueError, match="z"):
        cases.add_or_abort("z", fail=True)
    assert cases.add("e").endswith("ye")


def test_a_proxy_inside_an_action_undoes_it(cases: Cases) -> None:
    """Even if the method swallows the error."""
    Cases.outside = cases
    try:
        with pytest.raises(UsageError, match="proxy"):
            cases.use_proxy()
    finally:
        Cases.outside = None
    assert cases.text == ""
    assert cases.add("a") == "a"


@pytest.mark.parametrize("operation", ["lsn", "stats", "basedir_abspath", "wait_durable", "token", "close", "digest", "changes"])
def test_an_operation_inside_an_action_undoes_it(cases: Cases, operation: str) -> None:
    """What it gives is of this run: a restart has no system to ask, and would wait for the lock that its own replay is under."""
    Cases.outside = control(cases)
    try:
        with pytest.raises(UsageError, match=r"use_control\(\) used a coopy proxy"):
            cases.use_control(operation)
    finally:
        Cases.outside = None
    assert cases.text == ""
    assert cases.add("a") == "a"


def test_a_finalizer_that_calls_the_proxy_is_refused_or_recorded(cases: Cases, recwarn: pytest.WarningsRecorder) -> None:
    """Whenever the interpreter runs it, replay gives the same."""

    class Fin:
        def __del__(self) -> None:
            with contextlib.suppress(UsageError):
                cases.add("f")

    one = Fin()
    cases.add("a")
    del one
    assert cases.text == "af"
    assert not recwarn


def test_one_callers_decimal_context_changes_nothing(cases: Cases) -> None:
    """Neither the caller's own nor what an action sets."""
    with decimal.localcontext() as context:
        context.prec = 3
        assert len(str(cases.divide(1, 7))) > 20
    cases.set_precision(4)
    assert len(str(cases.divide(1, 7))) > 20


def test_time_never_goes_back(cases: Cases) -> None:
    """The wall clock steps back a year; stamps still grow."""
    first = cases.stamp()[0]
    fix_wall(cases, datetime(2020, 1, 1))
    second = cases.stamp()[0]
    fix_wall(cases, None)
    assert first < second < cases.stamp()[0]


def test_nothing_of_the_raw_object_leaks(cases: Cases) -> None:
    """Itself, its methods, iterators over it."""
    assert cases.me() is cases
    cases.adder()("a")
    assert control(cases).lsn == 3
    assert list(cases.letters()) == ["a"]
    assert (cases.lock, cases.obj, cases.lsn) == (1, 2, 3)
    assert len(cases) == 1


def test_attributes_cannot_be_set(cases: Cases) -> None:
    """The error says to write a method."""
    with pytest.raises(UsageError, match="method"):
        cases.text = "z"
    with pytest.raises(AttributeError):
        _ = cases._private  # type: ignore[attr-defined]
    assert cases.text == ""


def test_threads_share_batches(cases: Cases) -> None:
    """Each thread's calls are there once, in its order."""

    def work(number: int) -> None:
        for count in range(50):
            cases.keep((number, count))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(8):
        assert [count for one, count in cases.kept if one == number] == list(range(50))


class Forking(Word):
    @readonly
    def fork(self) -> int:
        return os.fork()


@pytest.mark.parametrize("durability", ["sync", "buffered"])
def test_a_child_forked_inside_a_query_leaves_the_journal_to_its_parent(tmp_path: Path, durability: Any) -> None:
    """It ends as any program does, closing what it believes to be its own; the parent goes on."""
    word = init_system(Forking(), tmp_path / "w", durability=durability, validation="off")
    word.add("a")
    child = word.fork()
    if child == 0:
        try:
            with pytest.raises(ClosedError):
                word.add("x")
            control(word).close()
        finally:
            os._exit(0)
    word.add("b")
    os.waitpid(child, 0)
    word.add("c")
    control(word).close()
    with control(init_system(Forking, tmp_path / "w", validation="off")) as again:
        assert again.text == "abc"


def test_a_forked_child_may_read_and_not_write(cases: Cases) -> None:
    """The parent goes on."""
    cases.add("a")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            assert cases.text == "a"
            try:
                cases.add("b")
            except ClosedError:
                code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert cases.add("c") == "ac"


def refused(make: Callable[[], Any], tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        init_system(make(), tmp_path / "r")
    assert not (tmp_path / "r").exists()


class Generating:
    def numbers(self) -> Any:
        yield 1


class Awaiting:
    async def wait(self) -> None:
        """Nothing."""


def test_generators_and_coroutines_are_refused_when_the_system_is_made(tmp_path: Path) -> None:
    """They do not run in one piece."""
    refused(Generating, tmp_path)
    refused(Awaiting, tmp_path)


class Loaded:
    """Made from its pickle it asks for something. `swallow`: and does not care for what it is told."""

    def __init__(self, asks: str, swallow: bool) -> None:
        self.asks, self.swallow = asks, swallow

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        with contextlib.suppress(Exception) if self.swallow else contextlib.nullcontext():
            self.found = ASKED[self.asks]()


ASKED: dict[str, Callable[[], object]] = {
    "action": lambda: Cases.outside.add("x"),
    "query": lambda: Cases.outside.page("home"),
    "control": lambda: control(Cases.outside).lsn,
    "clock": clock.now,
    "random": coopy.random.random,
    "once": lambda: once("key").__enter__(),
}


@pytest.mark.parametrize("asks", [*ASKED])
@pytest.mark.parametrize("swallow", [False, True])
@pytest.mark.parametrize("key", [False, True])
def test_an_argument_may_ask_for_nothing_that_a_restart_answers_otherwise(
    cases: Cases, monkeypatch: pytest.MonkeyPatch, asks: str, swallow: bool, key: bool
) -> None:
    """Its __setstate__ runs when it is passed, and at each restart again: at another time, with no proxy there."""
    monkeypatch.setattr(Cases, "outside", cases)
    before = control(cases).lsn
    with once("of the call") if key else contextlib.nullcontext():
        with pytest.raises(
            NotSerializableError, match=r"keep_two\(\): argument 2 cannot be recorded: .*__setstate__.*would find others at a restart"
        ):
            cases.keep_two(1, Loaded(asks, swallow))
        assert control(cases).lsn == before
        assert cases.keep_two(1, 2) is False  # and the next call is as any
    clock.now()  # as it was for this thread
    coopy.random.random()


HOLD = """
from shelf import Shelf
from coopy import control, init_system
{}
with control(init_system(Shelf, "data")) as shelf:
    {}
    print(control(shelf).digest(), shelf.shown())
"""
VALUES = "Fraction(1, 3), ZoneInfo('Europe/Berlin'), ip_interface('10.0.0.1/8'), ip_network('::/64')"


def test_a_restart_reads_standard_values_that_nobody_has_loaded_the_modules_of(program: Program) -> None:
    """Neither coopy nor the domain imports them: what is stored names them. From the journal, then from a snapshot."""
    program.write("""
        from coopy import readonly
        class Shelf:
            def __init__(self):
                self.held = []
            def hold(self, *values):
                self.held += [*values, {value: type(value) for value in values}]
            @readonly
            def shown(self):
                return [repr(one) for one in self.held]
    """)
    imports = "from fractions import Fraction\nfrom ipaddress import ip_interface, ip_network\nfrom zoneinfo import ZoneInfo"
    written = program.run(HOLD.format(imports, f"shelf.hold({VALUES})")).stdout
    unloaded = "import sys\nassert not {'fractions', 'zoneinfo'} & sys.modules.keys()"
    assert "Fraction(1, 3)" in written
    assert program.run(HOLD.format(unloaded, "shelf.take_snapshot()")).stdout == written
    assert program.run(HOLD.format(unloaded, "pass")).stdout == written
