"""A snapshot beside the calls: what it holds, who waits for it, and that its failure harms nothing."""

from __future__ import annotations

import errno
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from coopy import control, forked, init_system, readonly, unlocked
from coopy.cluster.local import free_ports
from coopy.codec import Codec
from coopy.digest import digest as digest_of
from coopy.disk import RealDisk
from coopy.disk.fake import FakeDisk
from coopy.engine import snapshots
from coopy.engine.beside import wait_for
from coopy.engine.commit import SharedEngine
from coopy.engine.drafts import Beside, Elsewhere
from coopy.engine.system import Settings
from coopy.error import ClosedError, DiskFullError, DivergenceError, DurabilityError, NotSerializableError, UsageError
from coopy.manifest import Listed
from coopy.renames import NO_NAMES
from coopy.snapshot import open_snapshot, parse_snapshot_name
from coopy.wiring import Options, open_proxy
from coopy.wiring.helper import Helper
from coopy.wiring.systems import system_of
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

both = pytest.mark.parametrize("durability", ["sync", "buffered"])
GATE = "COOPY_TESTS_GATE"


class Held(Word):
    """Cannot be written before somebody opens the gate, a FIFO, once for each time. A child tells the other FIFO its process id before.

    A fresh process has its gate from the environment.
    """

    gate = os.environ.get(GATE, "")

    def __getstate__(self) -> Any:
        if Held.gate:
            Path(f"{Held.gate}.told").write_text(f"{os.getpid()}\n")
            Path(Held.gate).read_bytes()
        return dict(vars(self))


class Gate:
    """The test's side of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        os.mkfifo(f"{path}.told")

    def hold(self, word: Any) -> int:
        """Begin a snapshot of which the child stands before the gate now, and no other will. Gives the child's process id."""
        self.shut(word)
        return self.wait()

    def shut(self, word: Any) -> None:
        """Begin a snapshot of which the child comes no further than the gate, and no other is kept there."""
        Held.gate = str(self.path)
        word.take_snapshot(background=True)
        Held.gate = ""

    def wait(self) -> int:
        """Until a child stands before it."""
        return int(Path(f"{self.path}.told").read_text())

    def open(self) -> None:
        self.path.write_bytes(b"")


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path / "gate")


@pytest.fixture
def held(tmp_path: Path) -> Any:
    """A system whose snapshots may be held."""
    word = init_system(Held(), tmp_path / "w", validation="off")
    word.add("a")
    return word


class Twice:
    """Two numbers that are the same but in the middle of an action."""

    def __init__(self) -> None:
        self.one = self.two = 0

    def count(self) -> None:
        self.one += 1
        self.two += 1


class Unlockable(Word):
    """An `@unlocked` action that ends when the test says so."""

    started, may_end = threading.Event(), threading.Event()
    told = False

    @unlocked
    def add_slowly(self, letter: str) -> None:
        self.text += letter
        Unlockable.started.set()
        Unlockable.told = Unlockable.may_end.wait(60)


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.name.startswith("snapshot-"))


def state_in(path: Path) -> Any:
    _, stream = open_snapshot(RealDisk(), str(path), b"", None)
    with stream:
        return Codec(("tests",)).load_state(stream)[0]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(holds: Any) -> None:
    """For what nobody tells: look again, for 60 seconds at most."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, "it never holds"
        time.sleep(0.005)


def is_inside(thread: threading.Thread, code: Any) -> bool:
    """Whether a thread is in a call of this function."""
    assert thread.ident is not None
    frame = sys._current_frames().get(thread.ident)
    while frame is not None and frame.f_code is not code:
        frame = frame.f_back
    return frame is not None


# --- what it holds ---------------------------------------------------------------------------------------------------


@both
def test_it_holds_the_state_of_its_lsn(tmp_path: Path, durability: Any) -> None:
    """Which is given at once; the next opening begins with it."""
    with control(init_system(Word(), tmp_path / "w", durability=durability)) as word:
        word.add("a")
        word.add("b")
        assert word.take_snapshot(background=True) == 2
        word.add("c")
        assert control(word).wait_snapshot() == 2
        assert control(word).stats().snapshots.count == 1
    assert state_in(tmp_path / "w" / "snapshot-00000000000000000002.snap").text == "ab"
    with control(init_system(Word, tmp_path / "w")) as word:
        assert word.text == "abc"


class Callers:
    """Four threads that count without end: a number of calls as fast as they can for each snapshot, and slowly what comes until the next.

    At full speed all the time they would be ahead of a fresh process, which replays what they called, by more and more.
    """

    def __init__(self, twice: Any) -> None:
        self._twice, self._ended, self._fast = twice, threading.Event(), threading.Semaphore(0)
        self._threads = [threading.Thread(target=self._call) for _ in range(4)]
        for thread in self._threads:
            thread.start()

    def _call(self) -> None:
        while not self._ended.is_set():
            self._fast.acquire(timeout=0.001)
            self._twice.count()

    def hurry(self) -> None:
        self._fast.release(5000)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.parametrize(("way", "rounds"), [(Beside, 10), (Elsewhere, 4)], ids=["forked", "fresh"])
@both
def test_each_one_is_of_one_moment_while_many_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durability: Any, way: Any, rounds: int
) -> None:
    """Whatever the callers do meanwhile: the n-th LSN has counted to n, and the end is the same after a restart."""
    monkeypatch.setattr(snapshots, "SMALL", sys.maxsize if way is Beside else 0)
    monkeypatch.setattr(snapshots, "BEARABLE", -1.0)
    twice = init_system(Twice(), tmp_path / "w", durability=durability, keep_snapshots=1000)
    with Callers(twice) as callers:
        for _ in range(rounds):
            callers.hurry()
            lsn = control(twice).take_snapshot(background=True)
            assert control(twice).wait_snapshot() == lsn
    assert isinstance(draft_of(twice), way)
    digest = control(twice).digest()
    control(twice).close()
    found = {parse_snapshot_name(name): vars(state_in(tmp_path / "w" / name)) for name in files(tmp_path / "w")}
    assert all(state == {"one": lsn, "two": lsn} for lsn, state in found.items())
    assert len(found) > rounds / 2
    with control(init_system(Twice, tmp_path / "w")) as again:
        assert control(again).digest() == digest


def test_nothing_new_is_no_snapshot(tmp_path: Path) -> None:
    """The LSN is that of the one there is."""
    with control(init_system(Word(), tmp_path / "w")) as word:
        word.add("a")
        assert (word.take_snapshot(), word.take_snapshot(background=True), control(word).wait_snapshot()) == (1, 1, 1)
        assert control(word).stats().snapshots.count == 1


def test_it_waits_for_unlocked_actions_and_others_do_not(tmp_path: Path) -> None:
    """Calls go on while it waits for them to end."""
    Unlockable.started.clear()
    Unlockable.may_end.clear()
    word: Any = init_system(Unlockable(), tmp_path / "w", validation="off")
    flying = threading.Thread(target=word.add_slowly, args=("a",))
    flying.start()
    assert Unlockable.started.wait(60)
    taken: list[int] = []
    taking = threading.Thread(target=lambda: taken.append(word.take_snapshot(background=True)))
    taking.start()
    wait_until(lambda: is_inside(taking, wait_for.__code__))
    for letter in "bcd":
        word.add(letter)
    Unlockable.may_end.set()
    flying.join()
    taking.join()
    assert Unlockable.told, "the calls waited for it, too"
    assert control(word).wait_snapshot() == taken[0]
    control(word).close()
    assert state_in(tmp_path / "w" / files(tmp_path / "w")[-1]).text == "abcd"[: taken[0]]


def test_a_class_of_the_running_script_can_be_taken(tmp_path: Path) -> None:
    """Nobody needs to import it."""
    code = (
        "import sys\nfrom coopy import control, init_system\n"
        "class Here:\n    def __init__(self) -> None:\n        self.text = ''\n    def add(self, letter: str) -> None:\n        self.text += letter\n"
        "with control(init_system(Here(), sys.argv[1], validation='off')) as word:\n"
        "    word.add('a')\n    word.take_snapshot(background=True)\n    print(control(word).wait_snapshot())\n"
    )
    ran = subprocess.run([sys.executable, "-W", "error", "-c", code, str(tmp_path / "w")], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("1\n", "")


# --- who waits -------------------------------------------------------------------------------------------------------


def test_calls_go_on_while_it_is_written(held: Any, gate: Gate) -> None:
    """Also queries, and whoever asks for another one joins it."""
    gate.hold(held)
    held.add("b")
    assert (held.read(), held.take_snapshot(background=True)) == ("ab", 1)
    gate.open()
    assert control(held).wait_snapshot() == 1
    control(held).close()


def test_one_in_the_foreground_waits_for_it_and_takes_its_own(held: Any, gate: Gate) -> None:
    """So that it holds all calls before it."""
    gate.hold(held)
    held.add("b")
    taken: list[int] = []
    taking = threading.Thread(target=lambda: taken.append(held.take_snapshot()))
    taking.start()
    gate.open()
    taking.join()
    assert taken == [2]
    assert control(held).stats().snapshots.count == 2
    control(held).close()


def test_closing_cancels_it(held: Any, gate: Gate, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """At once, without a trace: the child is gone, nothing is left over, nothing failed."""
    child = gate.hold(held)
    control(held).close()
    assert not is_alive(child)
    assert files(tmp_path / "w") == ["snapshot-00000000000000000000.snap"]
    with pytest.raises(ClosedError, match="given up"):
        control(held).wait_snapshot()
    assert (control(held).stats().snapshots_failed, control(held).snapshot_problem, caplog.messages) == (0, "", [])
    with control(init_system(Held, tmp_path / "w", validation="off")) as again:
        assert again.text == "a"


def test_pruning_goes_on_meanwhile(held: Any, gate: Gate) -> None:
    """What it needs stays."""
    held.take_snapshot()
    held.add("b")
    gate.hold(held)
    held.add("c")
    control(held).prune()
    gate.open()
    assert control(held).wait_snapshot() == 2
    control(held).close()


class Nested(Word):
    """Asks its own system for snapshots."""

    itself: Any = None

    def take(self) -> None:
        control(Nested.itself).take_snapshot(background=True)

    def wait(self) -> None:
        control(Nested.itself).wait_snapshot()


def test_an_action_can_neither_take_nor_wait_for_one(tmp_path: Path) -> None:
    """It would wait for itself."""
    word = Nested.itself = init_system(Nested(), tmp_path / "w", validation="off")
    for method in (word.take, word.wait):
        with pytest.raises(UsageError):
            method()
    control(word).close()


def test_a_forked_child_of_the_users_takes_none_and_waits_for_none(held: Any, gate: Gate) -> None:
    """The one on its way is its parent's."""
    gate.hold(held)
    child = os.fork()
    if child == 0:
        refused = 0
        for act in (control(held).wait_snapshot, held.take_snapshot, lambda: held.take_snapshot(background=True)):
            try:
                act()
            except ClosedError:
                refused += 1
        os._exit(refused)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    gate.open()
    assert control(held).wait_snapshot() == 1
    control(held).close()


class Forking(Held):
    """Forks in the middle of a query."""

    @readonly
    def fork(self) -> int:
        return os.fork()


def ends_well(child: int, act: Callable[[], None]) -> None:
    """A forked child does this, and comes to its end; its parent waits for it."""
    if child == 0:
        signal.alarm(60)
        code = 1
        try:
            act()
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@both
def test_a_child_that_was_forked_while_a_call_ran_waits_for_none_either(gate: Gate, tmp_path: Path, durability: Any) -> None:
    """It closes what it believes to be its own, as any program does; it says that it is a child, not that something is broken."""
    word = init_system(Forking(), tmp_path / "w", validation="off", durability=durability)
    word.add("a")
    gate.hold(word)
    child = word.fork()

    def act() -> None:
        with pytest.raises(ClosedError, match="forked from the one that owns the system while a call ran"):
            word.add("b")
        with pytest.raises(ClosedError, match="forked"):
            control(word).wait_snapshot()
        assert control(word).stats().state == "forked"
        control(word).close()

    ends_well(child, act)
    gate.open()
    assert control(word).wait_snapshot() == 1
    control(word).close()


@both
def test_a_forked_child_does_not_wait_for_an_action_that_runs_on_a_thread_of_its_parent(tmp_path: Path, durability: Any) -> None:
    """Snapshots wait for `@unlocked` actions in flight; in the child that thread is not there."""
    Unlockable.started.clear()
    Unlockable.may_end.clear()
    word = init_system(Unlockable(), tmp_path / "w", validation="off", durability=durability)
    flying = threading.Thread(target=word.add_slowly, args=("a",), daemon=True)
    flying.start()
    assert Unlockable.started.wait(60)

    def act() -> None:
        for background in (False, True):
            with pytest.raises(ClosedError, match="forked"):
                control(word).take_snapshot(background=background)

    ends_well(os.fork(), act)
    Unlockable.may_end.set()
    flying.join(60)
    assert word.text == "a"
    control(word).close()


# --- where it fails --------------------------------------------------------------------------------------------------


def fails(word: Any, match: str) -> None:
    """The one on its way fails for this reason, all hear of it, and the next one does not."""
    with pytest.raises(DurabilityError, match=match):
        control(word).wait_snapshot()
    assert control(word).stats().snapshots_failed == 1
    assert match in control(word).snapshot_problem
    word.add("b")
    assert control(word).take_snapshot() == 2
    assert (control(word).wait_snapshot(), control(word).snapshot_problem) == (2, "")
    control(word).close()


def test_a_killed_child_harms_nothing(held: Any, gate: Gate, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As one that ran out of memory: it is logged and counted, and the next snapshot is taken."""
    os.kill(gate.hold(held), signal.SIGKILL)
    fails(held, "ended by SIGKILL")
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert files(tmp_path / "w") == ["snapshot-00000000000000000000.snap", "snapshot-00000000000000000002.snap"]


def test_a_child_that_gets_no_further_is_ended(held: Any, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may wait for a lock that a thread of its parent held. How far it comes before it is ended is nobody's to know."""
    monkeypatch.setattr(forked, "PATIENCE", 0.2)
    gate.shut(held)
    fails(held, "got no further")


def test_a_fork_that_is_refused_harms_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There are too many processes, or there is no memory."""

    def refuse() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    word: Any = init_system(Word(), tmp_path / "w")
    word.add("a")
    monkeypatch.setattr(os, "fork", refuse)
    system_of(word).snapshots.helper = None
    with pytest.raises(DurabilityError, match="could be forked"):
        word.take_snapshot(background=True)
    assert files(tmp_path / "w") == ["snapshot-00000000000000000000.snap"]
    assert control(word).stats().snapshots_failed == 1
    assert word.take_snapshot() == 1
    control(word).close()


def test_a_full_disk_refuses_it_and_nothing_else(tmp_path: Path) -> None:
    """Calls go on, and with room so do snapshots."""
    disk = FakeDisk()
    word = open_proxy(Word, "/data/w", Options(sync_interval=3600), disk)
    word.add("a" * 3_000_000)
    control(word).take_snapshot()
    word.add("b")
    disk.capacity = 1 << 40
    disk.capacity -= disk.room(1 << 40) - 1_500_000  # room for a segment, not for the state
    assert control(word).take_snapshot(background=True) == 2
    for take in (control(word).wait_snapshot, control(word).take_snapshot):
        with pytest.raises(DiskFullError, match="not completed"):
            take()
    assert control(word).stats().snapshots_failed == 2
    assert word.add("c")[-3:] == "abc"
    disk.capacity = None
    assert control(word).take_snapshot(background=True) == control(word).wait_snapshot() == 3
    control(word).close()


@pytest.mark.parametrize("background", [False, True])
def test_a_disk_that_was_full_before_anything_was_known_to_be_on_it_refuses_it_alike(tmp_path: Path, *, background: bool) -> None:
    """The high-water mark was never written in this run, and needs no room when it is. What is on stable storage is known to be there."""
    disk = FakeDisk()
    word = open_proxy(Word, "/data/w", Options(sync_interval=3600), disk)
    word.add("a")
    disk.capacity = sum(map(len, disk.contents().values()))
    assert control(word).wait_durable() == 1
    with pytest.raises(DiskFullError):
        control(word).take_snapshot(background=background)
    assert control(word).stats().snapshots_failed == 1
    assert word.add("b")[-2:] == "ab"
    control(word).close()


@pytest.mark.parametrize("how", [errno.ENOSPC, errno.EIO])
def test_a_mark_that_cannot_be_raised_is_logged_once_and_in_nobodys_way(tmp_path: Path, caplog: pytest.LogCaptureFixture, how: int) -> None:
    """It says what is on stable storage: to leave it where it is is never wrong."""
    disk = FakeDisk()
    word = open_proxy(Word, "/data/w", Options(sync_interval=3600), disk)
    for letter, fails, logged in (("a", True, 1), ("b", True, 1), ("c", False, 1), ("d", True, 2)):
        word.add(letter)
        if fails:
            disk.fail(len(disk.calls) + 1, how)
        system_of(word).sync()
        assert len(caplog.records) == logged
    assert word.add("e")[-5:] == "abcde"
    control(word).close()


class Spoilt(Word):
    """Keeps what no snapshot can hold."""

    def spoil(self) -> None:
        self.text = lambda: None  # type: ignore[assignment]


def test_a_state_that_no_snapshot_can_hold_is_named(tmp_path: Path) -> None:
    """By the same error as in the foreground, with the attribute."""
    word: Any = init_system(Spoilt(), tmp_path / "w", validation="off")
    word.spoil()
    word.take_snapshot(background=True)
    for wait in (control(word).wait_snapshot, word.take_snapshot):
        with pytest.raises(NotSerializableError, match="attribute 'text'") as caught:
            wait()
        assert caught.value.where == "attribute 'text'"
    control(word).close()


class Torn:
    """What pickle writes, and cannot make again."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Torn, ("too", "many")


class Tearing(Word):
    """Makes one."""

    def tear(self) -> None:
        self.text = Torn()  # type: ignore[assignment]


def test_a_state_that_cannot_be_read_back_is_no_damage(tmp_path: Path) -> None:
    """No snapshot is kept of it, and the system goes on."""
    word: Any = init_system(Tearing(), tmp_path / "w", validation="off")
    word.tear()
    word.take_snapshot(background=True)
    for wait in (control(word).wait_snapshot, word.take_snapshot):
        with pytest.raises(NotSerializableError, match=r"LSN 1 could not be read back.*the system goes on"):
            wait()
    assert files(tmp_path / "w") == ["snapshot-00000000000000000000.snap"]
    assert control(word).stats().state == "open"
    control(word).close()


# --- processes that end ----------------------------------------------------------------------------------------------

PARENT = """
import sys
from coopy import control, init_system
from tests.functional.test_background_snapshots import Held
word = init_system(Held(), sys.argv[1], validation="off", master=True, port=int(sys.argv[3]))
word.add("a")
Held.gate = sys.argv[2]
word.take_snapshot(background=True)
sys.stdin.read()
"""


def test_a_child_whose_parent_was_killed_holds_nothing_and_ends(gate: Gate, tmp_path: Path) -> None:
    """Neither the directory nor the port, while it lives; and its file is no snapshot."""
    pytest.importorskip("scramp")
    (port,) = free_ports(1)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "w"), str(gate.path), str(port)], stdin=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    child = gate.wait()
    parent.kill()
    parent.wait()
    with control(init_system(Held, tmp_path / "w", validation="off", master=True, port=port)) as word:
        assert word.add("b") == "ab"
        assert is_alive(child)
        gate.open()
        wait_until(lambda: not is_alive(child))
        assert control(word).take_snapshot() == 2
    assert files(tmp_path / "w") == ["snapshot-00000000000000000000.snap", "snapshot-00000000000000000002.snap"]
    assert parent.stdin is not None
    parent.stdin.close()


def test_what_a_crash_left_over_is_swept_at_the_next_opening(tmp_path: Path) -> None:
    """Whatever coopy was writing or throwing away; nothing else."""
    control(init_system(Word(), tmp_path / "w")).close()
    before = {path.name for path in (tmp_path / "w").iterdir()}
    mine = (tmp_path / "w" / ".mine.tmp").name
    for name in ("snapshot-00000000000000000007.snap.0123abcd.tmp", "journal-00000000000000000001.log.tmp", "MANIFEST.tmp", mine):
        (tmp_path / "w" / name).write_bytes(b"?")
    control(init_system(Word, tmp_path / "w")).close()
    assert {path.name for path in (tmp_path / "w").iterdir()} == {*before, mine}


def test_a_child_is_written_by_the_real_disk_and_listed(tmp_path: Path) -> None:
    """The means that this machine has is a forked child."""
    with control(init_system(Word(), tmp_path / "w")) as word:
        word.add("a")
        word.take_snapshot(background=True)
        control(word).wait_snapshot()
        assert isinstance(draft_of(word), Beside)


# --- by a fresh process ----------------------------------------------------------------------------------------------


@pytest.fixture
def helped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any fork takes too long."""
    monkeypatch.setattr(snapshots, "SMALL", 0)
    monkeypatch.setattr(snapshots, "BEARABLE", -1.0)


def draft_of(word: Any) -> Any:
    """How the last snapshot was written."""
    job = system_of(word).snapshots._job
    assert job is not None
    return job.draft


@pytest.mark.usefixtures("helped")
@both
def test_a_fresh_process_writes_what_the_journal_says(tmp_path: Path, durability: Any) -> None:
    """While calls go on; actions that raised or were undone count as they did here."""
    with control(init_system(Word(), tmp_path / "w", durability=durability, validation="off")) as word:
        word.add("a")
        control(word).take_snapshot()
        word.stamp()
        with pytest.raises(ValueError, match="b"):
            word.add_and_raise("b")
        with pytest.raises(ValueError, match="c"):
            word.add_or_abort("c", fail=True)
        digest = control(word).digest()
        lsn = word.take_snapshot(background=True)
        word.add("d")
        assert control(word).wait_snapshot() == lsn == 4
        assert isinstance(draft_of(word), Elsewhere)
        assert control(word).stats().snapshot_pause < 60
    taken = state_in(tmp_path / "w" / "snapshot-00000000000000000004.snap")
    assert (taken.text, digest_of(taken)) == ("ab", digest)


def test_a_fork_that_is_refused_is_made_up_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a fresh process, where one can do it."""

    def refuse() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    with control(init_system(Word(), tmp_path / "w")) as word:
        word.add("a")
        word.take_snapshot(background=True)
        assert control(word).wait_snapshot() == 1
        assert isinstance(draft_of(word), Elsewhere)


MODULE = """
from coopy import unlocked
class Note:
    def __init__(self) -> None:
        self.text = ""
    def add(self, letter: str) -> None:
        self.text += letter
"""


@pytest.fixture
def note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A class whose source is younger than this process."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "own_note.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path / "lib")
    import own_note  # type: ignore[import-not-found]

    yield own_note.Note
    del sys.modules["own_note"]


@pytest.mark.usefixtures("helped")
def test_source_that_may_have_changed_is_not_relied_upon(note: Any, tmp_path: Path) -> None:
    """Then it is a forked child, whatever that takes."""
    with control(init_system(note(), tmp_path / "w", validation="off")) as one:
        one.add("a")
        one.take_snapshot(background=True)
        assert control(one).wait_snapshot() == 1
        assert isinstance(draft_of(one), Beside)


@pytest.mark.usefixtures("helped")
def test_a_replay_that_differs_is_heard_of_and_harms_nothing(
    note: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A divergence found early: it is logged and counted, and the next snapshot takes what memory says."""
    monkeypatch.setattr(Helper, "why_not", lambda _self: "")
    one: Any = init_system(note(), tmp_path / "w", validation="off")
    one.add("a")
    (tmp_path / "lib" / "own_note.py").write_text(MODULE.replace("self.text += letter", "raise ValueError(letter)"))
    one.take_snapshot(background=True)
    with pytest.raises(DivergenceError, match=r"LSN 1: add\(\)"):
        control(one).wait_snapshot()
    assert ("LSN 1: add()" in control(one).snapshot_problem, len(caplog.messages)) == (True, 1)
    assert files(tmp_path / "w") == ["snapshot-00000000000000000000.snap"]
    one.take_snapshot(background=True)
    assert control(one).wait_snapshot() == 1
    assert isinstance(draft_of(one), Beside)
    control(one).close()


@pytest.mark.usefixtures("helped")
def test_closing_ends_the_fresh_process(gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it does at that moment: it begins, or is in the middle of the state. Nothing is left over."""
    monkeypatch.setenv(GATE, str(gate.path))
    for begins in (True, True, False):
        with control(init_system(Held(), tmp_path / "w", validation="off")) as word:
            word.add("a")
            word.take_snapshot(background=True)
            child = 0 if begins else gate.wait()
        assert begins or not is_alive(child)
        assert all(not name.endswith(".tmp") for name in files(tmp_path / "w"))
        with pytest.raises(ClosedError):
            control(word).wait_snapshot()


def test_a_script_is_never_run_again(tmp_path: Path) -> None:
    """Its classes are known to itself only."""
    assert "script" in Helper(("__main__",), NO_NAMES, Settings(allow=(), on_divergence="stop")).why_not()
    assert "script" in Helper(("tests",), NO_NAMES, Settings(allow=("__main__:Word",), on_divergence="stop")).why_not()
    assert Helper(("tests",), NO_NAMES, Settings(allow=(), on_divergence="stop")).why_not() == ""


class Factor(Word):
    """What it does depends on something that no snapshot holds."""

    letter = "a"

    def add_own(self) -> None:
        self.text += Factor.letter


@pytest.mark.usefixtures("helped")
def test_a_recorded_digest_that_the_replay_does_not_give_is_a_divergence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where every action ends alike."""
    word: Any = init_system(Factor(), tmp_path / "w", validation="off")
    monkeypatch.setattr(Factor, "letter", "b")
    word.add_own()
    control(word).digest()
    word.add("c")
    word.take_snapshot(background=True)
    with pytest.raises(DivergenceError, match="up to LSN 1 gives another state"):
        control(word).wait_snapshot()
    control(word).close()


def test_a_history_that_was_replaced_meanwhile_gets_no_snapshot_of_the_former(held: Any, gate: Gate, tmp_path: Path) -> None:
    """As on a replica that had to begin anew from its primary's."""
    gate.hold(held)
    system = system_of(held)
    former = system.archive.manifest.segments
    system.engine.exclusively(lambda: system.archive.change(segments=(*former[:-1], Listed(2, b"another history.", 0))))
    gate.open()
    with pytest.raises(DurabilityError, match="replaced"):
        control(held).wait_snapshot()
    assert files(tmp_path / "w") == ["snapshot-00000000000000000000.snap"]
    system.engine.exclusively(lambda: system.archive.change(segments=former))
    control(held).close()


def test_who_needs_the_system_alone_does_not_wait_for_a_moment_without_calls(tmp_path: Path) -> None:
    """Callers who come back as soon as they have their answer are answered after it."""
    with control(init_system(Word(), tmp_path / "w")) as word:
        engine = system_of(word).engine
        assert isinstance(engine, SharedEngine)
        waiting = [engine._entry("add", ("a",), {}) for _ in range(100)]

        def come() -> None:
            if waiting:
                entry = waiting.pop()
                entry.hear = come
                engine.queue.append(entry)

        come()
        control(word).take_snapshot()
        assert len(waiting) > 90
        waiting.clear()
        word.add("b")
