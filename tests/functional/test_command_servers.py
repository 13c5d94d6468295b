"""`coopy cluster up`: servers that run until they are interrupted, and give the same again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coopy import control, init_system
from coopy.cluster.local import LocalServers
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
UP = [sys.executable, "-m", "coopy", "cluster", "up"]


@contextmanager
def up(directory: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """One server, which is enough for a trial, as from a shell; and what `cluster=` takes."""
    command = [*UP, str(directory), "--servers", "1"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def test_servers_run_until_they_are_interrupted(tmp_path: Path) -> None:
    """What is printed is what `cluster=` takes; what they hold stays, and is there again. The directory may have any name."""
    directory = tmp_path / 'of "all" {kinds} \\of #signs $'
    for text, number in (("a", signal.SIGINT), ("aa", signal.SIGTERM)):
        with up(directory) as (process, urls):
            word = init_system(Word, tmp_path / text, cluster=urls, name="word", validation="off", assume_durable=True)
            with control(word):
                assert word.add("a") == text
            process.send_signal(number)
            _, said = process.communicate()
        assert process.returncode == 0
        assert f"1 server in {directory}. Ctrl-C ends them; what they hold stays.\n" in said


def test_a_server_that_ends_ends_all_and_is_named(tmp_path: Path) -> None:
    """With the file that says why, and as what could not be done."""
    with up(tmp_path / "servers") as (process, _):
        [pid] = (tmp_path / "servers").glob("*.pid")
        os.kill(int(pid.read_text()), signal.SIGKILL)
        _, said = process.communicate()
    assert process.returncode == 2
    assert f"{pid.stem} ended: {tmp_path / 'servers' / pid.stem}.log says why. The others are stopped." in said
    assert (tmp_path / "servers" / f"{pid.stem}.log").exists()


def test_who_interrupts_servers_that_do_not_get_ready_does_not_wait_for_them(tmp_path: Path) -> None:
    """None of them runs then; here one does not come to write who it is, and another is frozen."""
    directory = tmp_path / "servers"
    LocalServers(directory)
    os.mkfifo(directory / "server1.pid")  # which nobody reads
    with subprocess.Popen([*UP, str(directory)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        written = directory / "server2.pid"
        deadline = time.monotonic() + 50
        while not written.exists() or not written.read_text():
            assert time.monotonic() < deadline
        pid = int(written.read_text())
        os.kill(pid, signal.SIGSTOP)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate()
    assert (process.returncode, said) == (130, b"")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
