"""Primary and replica in processes of their own, killed and stopped in mid-stream: nothing that was acknowledged is lost, and both end alike."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coopy import control, init_system
from coopy.cluster.local import free_ports
from coopy.replication import taking, transport
from coopy.replication.wire import MANY
from tests.asked import primary_stats
from tests.functional.test_replication import be_patient, ends, session_of, wait_until
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Iterator

KILLS = 6
ROOT = Path(__file__).parents[2]
LONG = 60.0


@contextmanager
def child(role: str, directory: Path, port: int, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is killed in the end."""
    command = [sys.executable, "-m", "tests.crash.shot_at", role, str(directory), str(port), repr(options)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()
            assert process.stdout is not None
            process.stdout.close()


def said(process: subprocess.Popen[bytes], count: int) -> list[bytes]:
    """So many lines of what it says, and after a kill whatever is left."""
    assert process.stdout is not None
    lines = [line for _, line in zip(range(count), process.stdout, strict=False)]
    assert lines, "the child died before it said anything"
    return lines


def killed(process: subprocess.Popen[bytes]) -> list[bytes]:
    process.send_signal(signal.SIGKILL)
    assert process.stdout is not None
    return [line for line in process.stdout if line.endswith(b"\n")]


def level(replica: Any, primary: Any) -> None:
    control(replica).wait_for(control(primary).token, LONG)
    assert control(replica).digest() == control(primary).digest()


@contextmanager
def calling(word: Any) -> Iterator[None]:
    """Calls on another thread all the time, no faster than the disk."""
    go_on = True

    def call() -> None:
        number = 0
        while go_on:
            number += 1
            word.keep(number)
            if number % 50 == 0:
                control(word).wait_durable()

    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield
    finally:
        go_on = False
        thread.join(LONG)


@pytest.mark.parametrize("durability", ["sync", "buffered"])
def test_a_replica_that_is_killed_resumes_and_ends_like_its_primary(tmp_path: Path, durability: Any) -> None:
    """While the primary goes on, rotates, and takes snapshots."""
    dice = random.Random(1)
    with control(init_system(Word, tmp_path / "p", master=True, port=0, durability=durability, segment_bytes=65536)) as word:
        port = control(word).address[1]
        for number in range(KILLS):
            with calling(word), child("replica", tmp_path / "r", port) as process:
                said(process, dice.randint(1, 60))
                if number % 2:
                    control(word).take_snapshot()
                killed(process)
        with control(init_system(Word, tmp_path / "r", replication=True, port=port)) as replica:
            assert control(replica).lsn > 0
            level(replica, word)


def test_a_replica_is_killed_while_it_gets_its_first_state(tmp_path: Path) -> None:
    """At any moment of it; the next start begins again or goes on."""
    with control(init_system(Word, tmp_path / "p", master=True, port=0)) as word:
        word.keep(os.urandom(4_000_000))
        control(word).take_snapshot()
        port = control(word).address[1]
        for step in range(7):
            before = primary_stats(word).shipped_bytes
            with child("replica", tmp_path / str(step), port) as process:
                end = time.monotonic() + LONG
                while primary_stats(word).shipped_bytes < before + 650_000 * step and time.monotonic() < end:
                    time.sleep(0.0002)
                killed(process)
            with control(init_system(Word, tmp_path / str(step), replication=True, port=port)) as replica:
                level(replica, word)


@pytest.mark.parametrize("durability", ["sync", "buffered"])
def test_a_primary_that_is_killed_comes_back_to_its_replica(tmp_path: Path, durability: Any) -> None:
    """What it had acknowledged is there on both; the replica is never ahead of the primary's disk, and goes on by itself."""
    dice, last = random.Random(2), -1
    with ExitStack() as stack:
        replica: Any = None
        (port,) = free_ports(1)  # the replica asks there while nobody has it
        for _ in range(KILLS):
            with child("primary", tmp_path / "p", port, durability=durability) as process:
                said(process, 1)
                if replica is None:
                    replica = stack.enter_context(control(init_system(Word, tmp_path / "r", replication=True, port=port)))
                last = int([*said(process, dice.randint(20, 200)), *killed(process)][-1])
        with control(init_system(Word, tmp_path / "p", master=True, port=port)) as word:
            assert word.kept == list(range(len(word.kept)))
            assert len(word.kept) > last
            level(replica, word)


def test_what_a_replica_confirmed_survives_its_primary(tmp_path: Path) -> None:
    """With min_acks=1, the replica that is promoted has every call that returned; the former primary follows it, its own tail in quarantine."""
    with ExitStack() as stack:
        with child("primary", tmp_path / "p", 0, min_acks=1) as process:
            port = int(said(process, 1)[0].split()[1])
            replica: Any = stack.enter_context(control(init_system(Word, tmp_path / "r", replication=True, port=port)))
            last = int([*said(process, 150), *killed(process)][-1])
        assert control(replica).promote(port=0) >= 1 << 16
        assert len(replica.kept) > last
        assert replica.kept == list(range(len(replica.kept)))
        replica.keep("from now on here")
        with control(init_system(Word, tmp_path / "p")) as word:
            for _ in range(5):
                word.keep("of no future")
        with control(init_system(Word, tmp_path / "p", replication=True, port=control(replica).address[1])) as former:
            level(former, replica)
            assert "of no future" not in former.kept
        assert b"of no future" in b"".join(path.read_bytes() for path in (tmp_path / "p" / "quarantine").iterdir())
        with control(init_system(Word, tmp_path / "r2", replication=True, port=control(replica).address[1])) as other:
            level(other, replica)


def test_a_stopped_replica_is_dropped_and_slows_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGSTOP: the connection stands and nothing is taken. Whoever calls does not wait for it. What it missed it gets when it goes on."""
    be_patient(monkeypatch)
    with control(init_system(Word, tmp_path / "p", master=True, port=0, segment_bytes=1 << 20)) as word:
        port = control(word).address[1]
        with child("replica", tmp_path / "r", port) as process:
            word.keep(0)
            assert said(process, 1)
            link = session_of(word).link
            process.send_signal(signal.SIGSTOP)
            while link.waiting < MANY:
                ends(lambda: word.keep("x" * 100_000))
            assert primary_stats(word).replicas == 1
            with monkeypatch.context() as impatient:
                impatient.setattr(transport, "PATIENCE", 0.1)
                wait_until(lambda: not primary_stats(word).replicas)
            process.send_signal(signal.SIGCONT)
            lsn = control(word).lsn
            assert process.stdout is not None
            assert any(int(line) >= lsn for line in process.stdout)


def test_a_stopped_primary_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The replica says so, answers meanwhile, and goes on when the primary does."""
    with child("primary", tmp_path / "p", 0) as process:
        port = int(said(process, 1)[0].split()[1])
        with control(init_system(Word, tmp_path / "r", replication=True, port=port)) as replica:
            monkeypatch.setattr(taking, "PATIENCE", 2.0)
            said(process, 50)
            process.send_signal(signal.SIGSTOP)
            end = time.monotonic() + LONG
            while not control(replica).problem:
                kept = [*replica.kept]  # it may still execute what had come
                assert kept == list(range(len(kept)))
                assert time.monotonic() < end
                time.sleep(0.01)
            assert control(replica).staleness > 1.5
            before = control(replica).lsn
            process.send_signal(signal.SIGCONT)
            while control(replica).lsn == before or control(replica).problem:
                said(process, 1)
                assert time.monotonic() < end
