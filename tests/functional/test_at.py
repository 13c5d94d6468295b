"""Time travel: the state as it was behind any action that is kept, beside the system that goes on."""

from __future__ import annotations

import copy
import gc
import threading
import time
import weakref
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

import pytest

from coopy import abort_exception, clock, control, init_system, once, random, readonly, unlocked
from coopy.engine.past import look_back
from coopy.error import ClosedError, DivergenceError, UsageError
from coopy.wiring import fix_wall, is_proxy
from coopy.wiring.systems import system_of
from tests.functional.test_replication import House, house, level
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from coopy.engine.history import History

__all__ = ["house"]
both = pytest.mark.parametrize("durability", ["sync", "buffered"])


class Page:
    """A part of a state."""

    def __init__(self, text: str) -> None:
        self.text, self.changed = text, clock.now()


class Wiki:
    """Queries of every kind, and whatever changes something."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self._title = "empty"

    def write(self, name: str, text: str) -> Page:
        self.pages[name] = Page(text)
        return self.pages[name]

    @abort_exception
    def forget(self, name: str) -> None:
        self._title = "forgotten"
        del self.pages[name]

    @unlocked
    def write_beside(self, name: str) -> None:
        self.pages[name] = Page("beside")

    @readonly
    def page(self, name: str) -> Page:
        return self.pages[name]

    @readonly
    def me(self) -> Self:
        return self

    @unlocked
    @readonly
    def times(self) -> tuple[datetime, datetime, float]:
        return clock.now(), self._clock.now(), random.random()

    @readonly
    def each(self) -> Iterator[str]:
        yield from self.pages

    @property
    def title(self) -> str:
        return self._title

    @title.setter
    def title(self, text: str) -> None:
        self._title = text

    def __getitem__(self, name: str) -> Page:
        return self.pages[name]

    def __setitem__(self, name: str, text: str) -> None:
        self.pages[name] = Page(text)

    def __delitem__(self, name: str) -> None:
        del self.pages[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.pages)

    def __len__(self) -> int:
        return len(self.pages)

    def __iadd__(self, name: str) -> Self:
        self.pages[name] = Page("")
        return self


def steps() -> list[Callable[[Any], object]]:
    """What may become of a word, a snapshot or an action at a time."""

    def fail(call: Callable[[Any], object]) -> Callable[[Any], object]:
        def attempt(word: Any) -> None:
            with pytest.raises((ValueError, RecursionError)):
                call(word)

        return attempt

    def keyed(word: Any) -> None:
        with once("key"):
            word.add("k")

    return [
        lambda word: word.add("a"), lambda word: word.keep([1, {"a": {2}}]), fail(lambda word: word.add_and_raise("r")),
        fail(lambda word: word.add_or_abort("x", fail=True)), lambda word: word.add_or_abort("y", fail=False), keyed, keyed,
        lambda word: control(word).take_snapshot(), lambda word: word.stamp(), lambda word: word.add_unlocked("u"), lambda word: word.add("b"),
        lambda word: word.add_many("c", "d", upper=True), fail(lambda word: word.add_or_abort("z", fail=True)), lambda word: word.stamp(),
    ]  # fmt: skip


@both
def test_each_state_that_ever_was_is_there_again(tmp_path: Path, durability: Any) -> None:
    """With its digest, whatever the actions were, in this run and in the next, though the system goes on."""
    digests: dict[int, str] = {}

    def note(word: Any) -> None:
        digests[control(word).lsn] = control(word).digest()

    def compare(word: Any) -> None:
        for lsn, expected in digests.items():
            past = control(word).at(lsn)
            assert (control(past).lsn, control(past).digest()) == (lsn, expected)
            control(past).close()
        note(word)
        assert control(word).digest() == digests[max(digests)]

    with control(init_system(Word, tmp_path / "w", durability=durability, segment_bytes=4096, keep_snapshots=99)) as word:
        note(word)
        for step in steps():
            step(word)
            note(word)
        compare(word)
    with control(init_system(Word, tmp_path / "w", durability=durability, segment_bytes=4096, keep_snapshots=99)) as word:
        for step in steps():
            step(word)
            note(word)
        compare(word)


@pytest.fixture
def wiki(tmp_path: Path) -> Iterator[Any]:
    """Two pages, the first changed since."""
    with control(init_system(Wiki, tmp_path / "wiki", durability="buffered", validation="off")) as one:
        one.write("home", "first")
        one.write("home", "second")
        one.write("news", "")
        yield one


def test_it_answers_queries_of_every_kind(wiki: Any) -> None:
    """As the proxy of a running system does: a result that is the domain object is the proxy."""
    then = control(wiki).at(1)
    assert isinstance(then, Wiki)
    assert is_proxy(then)
    assert (then.page("home").text, then["home"].text, len(then), list(then), list(then.each())) == (
        "first",
        "first",
        1,
        ["home"],
        ["home"],
    )
    assert (then.title, list(then.pages), "home" in then, "news" in then) == ("empty", ["home"], True, False)
    assert then.me() is then
    assert "write" in dir(then)
    assert control(then).basedir_abspath() == then.basedir_abspath() == wiki.basedir_abspath()  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        then._title  # noqa: B018
    with pytest.raises(AttributeError):
        then.unknown  # type: ignore[attr-defined]  # noqa: B018


def test_what_changes_it_is_refused(wiki: Any) -> None:
    """With an error that says where the past is, and where to call it. Nothing is recorded, nothing changes."""
    then = control(wiki).at(2)
    before = control(then).digest()

    def add_in_place() -> None:
        mine = then
        mine += "b"

    for attempt in (
        lambda: then.write("a", "b"), lambda: then.forget("home"), lambda: then.write_beside("a"), lambda: setattr(then, "title", "x"),
        lambda: setattr(then, "pages", {}), lambda: delattr(then, "pages"), lambda: delattr(then, "title"), lambda: then.__setitem__("a", "b"),
        lambda: then.__delitem__("home"), add_in_place,
    ):  # fmt: skip
        with pytest.raises(UsageError, match=r"as it was at LSN 2: nothing was recorded\. Call it on the system itself") as raised:
            attempt()
        assert raised.value.lsn == 2  # type: ignore[attr-defined]
    with once("a"), pytest.raises(UsageError, match="as it was at LSN 2"):
        then.write("a", "b")
    assert control(then).digest() == before
    assert control(wiki).lsn == 3


def test_it_is_no_running_system(wiki: Any, tmp_path: Path) -> None:
    """What only that has is refused, and so is making one of it."""
    then = control(wiki).at(2)
    handle = control(then)
    for attempt in (
        handle.take_snapshot, handle.stats, handle.prune, handle.wait_durable, handle.promote, then.take_snapshot,
        lambda: handle.role, lambda: handle.token, lambda: handle.lag, lambda: handle.wait_for("x"), lambda: copy.copy(then),
        lambda: init_system(then, tmp_path / "x"),
    ):  # fmt: skip
        with pytest.raises(UsageError):
            attempt()
    with pytest.raises(UsageError, match="not a running system: it has lsn, digest"):
        handle.prune()


def test_its_clock_stands_at_the_time_of_the_action(wiki: Any) -> None:
    """In queries, by either way to ask; outside of it nothing has changed. Random numbers are the same each time it is asked for."""
    fix_wall(wiki, datetime(2040, 1, 1, 12))
    written = wiki.write("late", "").changed
    wiki.write("later", "")
    then = control(wiki).at(4)
    first, second, drawn = then.times()
    assert first == second == written == datetime(2040, 1, 1, 12)
    assert control(wiki).at(4).times() == (first, second, drawn)
    assert clock.now() > written
    wiki.take_snapshot()
    assert control(wiki).at(5).times()[0] == wiki.page("later").changed


def test_its_clock_is_local_behind_a_snapshot_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot says no zone: it is this machine's then."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        with control(init_system(Wiki, tmp_path / "w", validation="off")) as one:
            written = one.write("home", "").changed
            one.take_snapshot()
            assert control(one).at(1).times()[:2] == (written, written)
    finally:
        monkeypatch.undo()
        time.tzset()


@both
def test_it_is_there_at_once_however_the_action_ended(tmp_path: Path, durability: Any) -> None:
    """Also where no file says yet that it raised, or was undone."""
    with control(init_system(Word, tmp_path / "w", durability=durability)) as word:
        with pytest.raises(ValueError, match="a"):
            word.add_and_raise("a")
        assert control(word).at(1).text == "a"
        with pytest.raises(ValueError, match="x"):
            word.add_or_abort("x", fail=True)
        assert control(word).at(2).text == "a"


def test_its_memory_is_its_own(wiki: Any) -> None:
    """Neither does a later action change it, nor a reader who changes what he got change the system."""
    then, same = control(wiki).at(2), control(wiki).at(2)
    then.page("home").text = "changed"
    wiki.write("home", "third")
    assert (then.page("home").text, same.page("home").text, wiki.page("home").text) == ("changed", "second", "third")


def test_the_memory_goes_when_it_is_closed(wiki: Any) -> None:
    """Though somebody still holds the proxy; closing it again does nothing, and the system goes on."""
    then = control(wiki).at(2)
    page = weakref.ref(then.page("home"))
    control(then).close()
    then.close()
    gc.collect()
    assert page() is None
    for attempt in (lambda: then.page("home"), lambda: then.title, lambda: len(then), lambda: control(then).digest()):
        with pytest.raises(ClosedError, match=r"at\(2\)"):
            attempt()
    assert wiki.write("home", "x").text == "x"


def test_who_lets_go_of_the_proxy_lets_go_of_the_memory(wiki: Any) -> None:
    """Without closing it. Its class is in a circle, and what that leads to is in another."""
    then = control(wiki).at(2)
    page = weakref.ref(then.page("home"))
    del then
    for _ in range(2):
        gc.collect()
    assert page() is None


def test_it_outlives_the_system(wiki: Any) -> None:
    """It is in memory; what it reads of files it reads as long as they are there."""
    then = control(wiki).at(2)
    control(wiki).close()
    assert then.page("home").text == "second"
    assert [one.lsn for one in control(then).changes()] == [1, 2]
    assert control(then).at(1).page("home").text == "first"
    with pytest.raises(UsageError, match=r"from LSN 0 .* to 2"):
        control(then).at(3)


@pytest.mark.parametrize("lsn", [-1, True, "2", None, 1.0])
def test_what_is_no_lsn_is_refused(wiki: Any, lsn: Any) -> None:
    with pytest.raises(UsageError, match="not possible"):
        control(wiki).at(lsn)


def test_what_is_not_kept_is_refused_and_what_is_kept_is_named(wiki: Any) -> None:
    """Before the oldest snapshot, beyond the last action."""
    with pytest.raises(UsageError, match=r"from LSN 0 .* to 3"):
        control(wiki).at(4)
    for _ in range(2):
        wiki.take_snapshot()
        wiki.write("a", "b")
    wiki.take_snapshot()
    with pytest.raises(UsageError, match=r"from LSN 4 \(the oldest snapshot\) to 5") as raised:
        control(wiki).at(3)
    assert (raised.value.first, raised.value.last) == (4, 5)  # type: ignore[attr-defined]
    assert [len(control(wiki).at(lsn)) for lsn in (4, 5)] == [3, 3]


def test_it_is_found_while_others_call_take_snapshots_and_prune(tmp_path: Path) -> None:
    """A file that goes away between being listed and being read is no error, as long as the state can be made from others."""
    with control(init_system(Word, tmp_path / "w", durability="buffered", segment_bytes=4096, keep_snapshots=1, auto_prune=True)) as word:
        stop = threading.Event()

        def work() -> None:
            while not stop.is_set():
                for _ in range(30):
                    word.add("a")
                control(word).take_snapshot()

        thread = threading.Thread(target=work)
        thread.start()
        found = 0
        try:
            while found < 60:
                lsn = control(word).lsn
                try:
                    assert len(control(word).at(lsn)) == lsn
                    found += 1
                except UsageError as error:
                    assert error.first > lsn  # type: ignore[attr-defined]
        finally:
            stop.set()
            thread.join()


def test_a_file_that_was_pruned_between_has_the_system_asked_again(tmp_path: Path) -> None:
    """Given a list of files that a prune has outdated, when the state is looked for, then what is kept now decides."""
    with control(init_system(Word, tmp_path / "w", keep_snapshots=1)) as word:
        word.add("a")
        system, asked = system_of(word), []

        def ask() -> History:
            asked.append(system.history())
            word.add("b")
            control(word).take_snapshot()
            control(word).prune()
            return asked[-1]

        control(word).take_snapshot()
        with pytest.raises(UsageError, match="from LSN 2 "):
            look_back(system.archive.directory, ask, 1, system.restorer.adopt, "stop")
        assert len(asked) == 2


def test_a_past_state_whose_own_past_was_pruned_says_so(tmp_path: Path) -> None:
    """Its list of files is of its own moment: what went since is told as that, not as a file that is missing."""
    with control(init_system(Word, tmp_path / "w", keep_snapshots=1)) as word:
        word.add("a")
        word.add("b")
        then = control(word).at(2)
        control(word).take_snapshot()
        control(word).prune()
        with pytest.raises(UsageError, match=r"had been pruned when it was to be read"):
            control(then).at(1)
        assert then.text == "ab"


def test_an_action_that_uses_it_is_undone(tmp_path: Path, wiki: Any) -> None:
    """A restart would have no past state to use, also where the action swallows the error."""
    Curious.past = control(wiki).at(1)
    with control(init_system(Curious, tmp_path / "c", validation="off")) as curious:
        with pytest.raises(UsageError, match="used a coopy proxy"):
            curious.look()
        assert curious.looked == 0
        assert curious.ask() == "first"


class Curious:
    """Looks where no action may."""

    past: Any = None

    def __init__(self) -> None:
        self.looked = 0

    def look(self) -> None:
        self.looked += 1
        try:
            Curious.past.page("home")
        except UsageError:
            self.looked += 1

    @readonly
    def ask(self) -> str:
        return str(Curious.past.page("home").text)


def test_what_the_code_would_do_otherwise_today_is_no_past_state(tmp_path: Path) -> None:
    """A divergence stops it, as it stops a restart; the system goes on."""
    with control(init_system(Fickle, tmp_path / "f", validation="off")) as fickle:
        fickle.act()
        Fickle.fails = True
        try:
            with pytest.raises(DivergenceError, match="LSN 1"):
                control(fickle).at(1)
        finally:
            Fickle.fails = False
        assert control(fickle).at(1).calls == 1
        assert fickle.act() == 2


class Fickle:
    """Does what a test wants."""

    fails = False

    def __init__(self) -> None:
        self.calls = 0

    def act(self) -> int:
        if Fickle.fails:
            raise ValueError
        self.calls += 1
        return self.calls


def test_a_replica_has_the_past_that_its_primary_has(house: House, tmp_path: Path) -> None:
    """From its own files."""
    word = house.primary(tmp_path / "p")
    for letter in "ab":
        word.add(letter)
    replica = house.replica(word, tmp_path / "r")
    word.add("c")
    with pytest.raises(ValueError, match="x"):
        word.add_or_abort("x", fail=True)
    word.add("d")
    level(replica, word)
    for lsn in range(2, 6):
        assert control(control(replica).at(lsn)).digest() == control(control(word).at(lsn)).digest()
    assert control(replica).at(4).text == "abc"


def test_the_mark_of_a_replay_that_kills_is_not_touched(wiki: Any) -> None:
    """Looking back counts for no opening: the lock file says nothing of it."""
    cells = system_of(wiki)._lock.cells
    before = list(cells)
    control(wiki).at(2)
    assert list(cells) == before
