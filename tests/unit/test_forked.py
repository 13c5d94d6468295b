"""A copy of this process does its work, says how that went, and is nobody else's meanwhile."""

from __future__ import annotations

import mmap
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from coopy import forked
from coopy.forked import fork, resident

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def answer(work: Callable[[Callable[[], None]], bytes]) -> bytes:
    return fork(work).wait()


def how_it_ended(work: Callable[[Callable[[], None]], Any]) -> str:
    with pytest.raises(ChildProcessError) as caught:
        answer(work)
    return str(caught.value)


@pytest.mark.parametrize("size", [0, 1, 1 << 20])
def test_the_answer_comes_back_whole(size: int) -> None:
    """However many pulses come before it, and whatever is in it."""

    def work(pulse: Callable[[], None]) -> bytes:
        for _ in range(100):
            pulse()
        return b"." * size

    assert answer(work) == b"." * size


def test_any_thread_may_fork(tmp_path: Path) -> None:
    """The copy has that thread only."""
    answers: list[bytes] = []
    thread = threading.Thread(target=lambda: answers.append(answer(lambda _pulse: str(threading.active_count()).encode())))
    thread.start()
    thread.join()
    assert answers == [b"1"]


def test_how_it_ended_is_said() -> None:
    """By a signal, by an error of the work, in silence."""

    def fail(_pulse: Callable[[], None]) -> bytes:
        raise ValueError

    assert how_it_ended(lambda _pulse: os.kill(os.getpid(), signal.SIGKILL)).endswith("ended by SIGKILL")
    assert how_it_ended(lambda _pulse: os._exit(7)).endswith("ended with status 7")
    assert how_it_ended(fail).endswith("ended with status 1")


def test_one_that_gets_no_further_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody gives back a lock that another thread held; but whoever gets on may take long."""
    monkeypatch.setattr(forked, "PATIENCE", 0.2)
    lock = threading.Lock()
    lock.acquire()
    assert "got no further" in how_it_ended(lambda _pulse: lock.acquire())

    def work(pulse: Callable[[], None]) -> bytes:
        signal.setitimer(signal.ITIMER_REAL, 60)  # half of its time is over
        pulse()
        return b"all" if signal.getitimer(signal.ITIMER_REAL)[0] > 60 else b"half"

    monkeypatch.undo()
    assert answer(work) == b"all"


def test_a_killed_one_has_ended_when_the_wait_is_over() -> None:
    """It may be killed again."""
    child = fork(lambda _pulse: signal.pause())  # type: ignore[arg-type,return-value]
    child.kill()
    with pytest.raises(ChildProcessError, match="SIGKILL"):
        child.wait()
    child.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)


def test_signals_for_the_parent_are_not_acted_upon() -> None:
    """The parent's handlers do not run there: Ctrl-C does nothing, a polite request ends it."""
    heard: list[int] = []
    before = {number: signal.signal(number, lambda number, _frame: heard.append(number)) for number in (signal.SIGINT, signal.SIGTERM)}

    def work(_pulse: Callable[[], None]) -> bytes:
        os.kill(os.getpid(), signal.SIGINT)
        if heard:
            return b"heard"
        os.kill(os.getpid(), signal.SIGTERM)
        return b"lives"

    try:
        assert how_it_ended(work).endswith("ended by SIGTERM")
        os.kill(os.getpid(), signal.SIGTERM)
        assert heard == [signal.SIGTERM]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_descriptors_lead_nowhere_there(tmp_path: Path) -> None:
    """What somebody writes by an old number reaches neither the parent's files nor the new file."""
    old, reader_and_writer = os.open(tmp_path / "old", os.O_RDWR | os.O_CREAT), os.pipe()

    def work(_pulse: Callable[[], None]) -> bytes:
        with (tmp_path / "new").open("wb") as file:
            file.write(b"new")
            for number in (old, reader_and_writer[1], 2):
                os.write(number, b"old")
        return b""

    assert answer(work) == b""
    os.close(reader_and_writer[1])
    assert (os.read(reader_and_writer[0], 9), (tmp_path / "old").read_bytes(), (tmp_path / "new").read_bytes()) == (b"", b"", b"new")
    os.close(reader_and_writer[0])
    os.close(old)


def test_somebody_else_who_has_the_pipe_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a process that another thread forked at the wrong moment."""
    monkeypatch.setattr(forked, "LOOK", 0.05)

    def leave_one_behind(pulse: Callable[[], None]) -> None:
        if os.fork() == 0:
            signal.setitimer(signal.ITIMER_REAL, 2)
            signal.pause()
        os._exit(3)

    def work(pulse: Callable[[], None]) -> bytes:
        heir = os.fork()
        if heir == 0:
            signal.setitimer(signal.ITIMER_REAL, 20)
            signal.pause()
        return str(heir).encode()

    os.kill(int(answer(work)), signal.SIGKILL)
    assert how_it_ended(leave_one_behind).endswith("status 3")


def test_somebody_else_may_have_waited_for_it() -> None:
    """Its answer counts all the same."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert answer(lambda _pulse: b"done") == b"done"
        assert how_it_ended(lambda _pulse: os._exit(7)) == "the process that wrote it ended"
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_what_python_warns_of_is_meant_so() -> None:
    """Of this fork, and of no other."""
    code = (
        "import threading, os\nfrom coopy.forked import fork\n"
        "stop = threading.Event(); thread = threading.Thread(target=stop.wait); thread.start()\n"
        "print(fork(lambda pulse: b'done').wait())\nstop.set(); thread.join()\n"
    )
    ran = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("b'done'\n", "")


def test_what_this_process_holds_is_known() -> None:
    """On Linux."""
    before = resident()
    with mmap.mmap(-1, 64 << 20) as more:  # what is freed and used again would not show
        more.write(b"a" * (64 << 20))
        assert resident() - before > 32 << 20
