"""One real server with a configuration that a test writes, and writes again: started, stopped, told to read it, or followed by one of another configuration."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self
from urllib.request import urlopen

from coopy import control, init_system
from coopy.cluster.local import free_ports, server_program
from coopy.wiring.systems import system_of
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

PATIENCE = 30.0
FRAME = """\
server_name: lone
listen: "127.0.0.1:{port}"
http: "127.0.0.1:{monitor}"
pid_file: "{folder}/pid"
jetstream {{ store_dir: "{folder}/kept", sync_interval: always }}
{more}
"""


def until_stopped(pid: int) -> None:
    """Return when this child of ours stands still: one that was told to may go on for a moment."""
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)


class Lone:
    """It runs as long as the block. `more`: what its configuration says beside where it listens and what it keeps."""

    def __init__(self, folder: Path, more: str = "") -> None:
        self.folder = folder
        self.port, self.monitor = free_ports(2)
        self.configure(more)
        self._process: subprocess.Popen[bytes] | None = None
        self._nodes: list[Any] = []

    def configure(self, more: str) -> None:
        """What it reads when it is started, or told to."""
        text = FRAME.format(port=self.port, monitor=self.monitor, folder=self.folder, more=more)
        (self.folder / "server.conf").write_text(text)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        for one in self._nodes:
            control(one).close()
        self.stop()

    def start(self) -> None:
        """It runs, and is ready for clients."""
        self._process = subprocess.Popen(
            [server_program(), "-c", self.folder / "server.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + PATIENCE
        while not self.listens():
            assert self._process.poll() is None
            assert time.monotonic() < deadline

    def stop(self) -> None:
        """It has ended in good order."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def restart(self, more: str) -> None:
        """It comes back with another configuration."""
        self.stop()
        self.configure(more)
        self.start()

    def reload(self, more: str) -> None:
        """It goes on with another configuration."""
        before = self.ask("varz")["config_load_time"]
        self.configure(more)
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + PATIENCE
        while self.ask("varz")["config_load_time"] == before:
            assert time.monotonic() < deadline

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It stands still, as a virtual machine whose processors are taken away: what is said to it waits."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        until_stopped(self._process.pid)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def listens(self) -> bool:
        """Whether it answers a client."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                return connection.recv(1) != b""
        except OSError:
            return False

    def ask(self, question: str) -> dict[str, Any]:
        """What it says of itself."""
        with urlopen(f"http://127.0.0.1:{self.monitor}/{question}", timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def node(self, login: str = "", more: str = "", number: int = 1, **options: Any) -> Any:
        """Open one, that is closed in the end. `login`: what lets it in, "user:password@"; `more`: what else stands in the address, behind a question mark."""
        address = f"{login}127.0.0.1:{self.port}?monitor={self.monitor}{more}"
        given = {"cluster": f"nats://{address}", "assume_durable": True, "validation": "off", **options}
        one = init_system(Word, self.folder / f"node{number}", **given)
        self._nodes.append(one)
        return one


def peers_of(node: Any) -> Any:
    """What makes a system a node."""
    return system_of(node).peers


def problem_of(node: Any) -> str:
    """What it says of itself."""
    found: str = peers_of(node).problem
    return found
