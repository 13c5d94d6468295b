"""Whether what the servers acknowledge is on stable storage: they are asked, for by default they sync every two minutes only, and a power loss takes that.

Each says at its monitoring port which version it is and when it syncs. All are asked at once; one that is silent is waited for only while it may be one that
keeps the stream. What is not proven is refused, unless that was asked for.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

from coopy.error import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from coopy.cluster.addresses import Addresses, Server

__all__ = ["OLDEST", "AwayError", "prove"]

OLDEST = (2, 14)
PATIENCE = 5.0  # seconds for one answer
LARGEST = 1 << 20
GREETING = 1.0  # seconds in which a server says who it is; and that one has, of whom it is known that nothing depends on it
WAYS = (
    'Have each server listen for questions (`http: "127.0.0.1:8222"`) and name its port in the address (nats://host:4222?monitor=8222);'
    " assume_durable=True goes on without a proof."
)


class AwayError(ClusterError):
    """Some server is not there: the others will know that in a while, and then it is not one that must be asked."""


def prove(addresses: Addresses, peers: Iterable[str] | None) -> None:
    """Raises ClusterError unless each of these servers, by name, is new enough and syncs every write; None: all that there are. It blocks.

    AwayError where one of them seems to be gone.
    """
    said = _ask_all(addresses.servers, None if peers is None else set(peers))
    found = {one.name: f"{server}: {one.wrong}" if one.wrong else "" for server, one in said.items() if isinstance(one, _About)}
    silent = {server: one for server, one in said.items() if isinstance(one, _Silent)}
    wrong = [why for why in found.values() if why]
    if wrong:
        what = f"What the cluster acknowledges may be lost: {'; '.join(wrong)}. Nothing was changed."
        raise ClusterError(
            f"{what} Set `jetstream {{ sync_interval: always }}` and restart that server; assume_durable=True goes on regardless."
        )
    unknown = sorted(set(peers or ()) - found.keys())
    if unknown or (peers is None and silent):
        which = f"its stream is kept by {', '.join(unknown)}, too" if unknown else "not all of them said so"
        asked = "; ".join(f"{server} ({addresses.hide(one.why)})" for server, one in silent.items())
        asked = f", and no answer came from {asked}" if asked else ""
        raise (AwayError if any(one.away for one in silent.values()) else ClusterError)(
            f"It is not proven that every server of the cluster at {addresses} syncs what it acknowledges: {which}{asked}. Nothing was changed. {WAYS}"
        )


class _About(NamedTuple):
    """What a server says of itself. `wrong`: what is wrong with it, empty where nothing is."""

    name: str
    wrong: str


class _Silent(NamedTuple):
    """A server that says nothing of itself. `away`: it is not there for clients either."""

    why: object
    away: bool


def _ask_all(servers: Sequence[Server], peers: set[str] | None) -> dict[Server, _About | _Silent]:
    """What each says, in their order. Once all `peers` have spoken, the others have little time left."""
    begun = time.monotonic()
    came: SimpleQueue[tuple[Server, _About | _Silent]] = SimpleQueue()
    said: dict[Server, _About | _Silent] = {one: _Silent("it was not waited for", away=False) for one in servers}
    for one in servers:
        threading.Thread(target=lambda one=one: came.put((one, _ask(one))), name="coopy cluster proof", daemon=True).start()
    for _ in servers:
        spoken = {one.name for one in said.values() if isinstance(one, _About)}
        try:
            if peers is None or peers - spoken:
                server, what = came.get()
            else:
                server, what = came.get(timeout=max(begun + GREETING - time.monotonic(), 0))
        except Empty:
            break
        said[server] = what
    return said


def _ask(server: Server) -> _About | _Silent:
    """One that is not there for clients is not waited for as long."""
    there = _greets(server)
    try:
        return _about(server, PATIENCE if there else GREETING)
    except (OSError, ValueError) as error:
        return _Silent(error, away=not there)


def _greets(server: Server) -> bool:
    """Whether it is there for clients: without being asked, a server says what it is."""
    try:
        with socket.create_connection((server.host, server.port), GREETING) as connection:
            return connection.recv(1) != b""
    except OSError:
        return False


def _about(server: Server, patience: float) -> _About:
    """Raises OSError and ValueError where it does not say."""
    try:
        with urlopen(server.varz, timeout=patience) as answer:  # noqa: S310 - http only, see Server
            about = json.loads(answer.read(LARGEST))
        version = tuple(int(part) for part in about["version"].partition("-")[0].split("."))
        name, config = str(about["server_name"]), about.get("jetstream", {}).get("config")
    except URLError as error:
        raise OSError(f"{server.varz}: {error.reason}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{server.varz} is no server's") from error
    if version < OLDEST:
        return _About(name, f"it is version {about['version']}, and {'.'.join(map(str, OLDEST))} or newer is needed")
    if not config:
        return _About(name, "it has no JetStream")
    return _About(name, "" if config.get("sync_always") is True else "it does not sync every write")
