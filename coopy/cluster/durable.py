"""Whether what the servers acknowledge is on stable storage: they are asked, for by default they sync every two minutes only, and a power loss takes that.

Each says at its monitoring port which version it is and when it syncs. All are asked at once; one that is silent is waited for only while it may be one that
keeps the stream. What is not proven when a node is opened is refused, unless that was asked for; what a server says otherwise later is for watching.py. One whose
JetStream does not run, as it is about to begin or end, or has no room, acknowledges nothing: it proves nothing, and is not wrong. All of this is asked on the
link's thread.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from coopy.cluster.addresses import bracketed
from coopy.error import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from coopy.cluster.addresses import Addresses, Server

__all__ = ["OLDEST", "AwayError", "Judged", "judge", "named", "prove"]

OLDEST = (2, 14)
PATIENCE = 5.0  # seconds for one answer
LARGEST = 1 << 20
GREETING = 1.0  # seconds in which a server says who it is; and that one has left, of whom it is known that nothing depends on it
QUESTION = "GET /{what} HTTP/1.0\r\nHost: {host}\r\n\r\n"
WAYS = (
    'Have each server listen for questions where nodes reach it (`http: "0.0.0.0:8222"`) and name its port in the address (nats://host:4222?monitor=8222);'
    " assume_durable=True goes on without a proof."
)


class AwayError(ClusterError):
    """Some server is not there: the others will know that in a while, and then it is not one that must be asked."""


class Judged(msgspec.Struct, frozen=True):
    """What the servers say. `named`: those that do, by name; by address `wrong`: what is wrong with one, `silent`: why it says nothing; `away`: which are gone."""

    named: frozenset[str]
    wrong: dict[str, str]
    silent: dict[str, str]
    away: frozenset[str]


class _About(NamedTuple):
    """What a server says of itself. `wrong`: what is wrong with it, empty where nothing is."""

    name: str
    wrong: str


class _Silent(NamedTuple):
    """A server that proves nothing. `away`: it is not there for clients either, or has no JetStream now."""

    why: object
    away: bool


async def judge(addresses: Addresses, peers: frozenset[str] | None = None) -> Judged:
    """Ask all, beside each other. Once all `peers` have spoken, the others have little time left; None: each has all its time."""
    said = [*zip(addresses.servers, await _ask_all(addresses.servers, peers), strict=True)]
    spoken = [(server, one) for server, one in said if isinstance(one, _About)]
    silent = [(server, one) for server, one in said if isinstance(one, _Silent)]
    return Judged(
        frozenset(one.name for _, one in spoken),
        {str(server): one.wrong for server, one in spoken if one.wrong},
        {str(server): addresses.hide(one.why) for server, one in silent},
        frozenset(str(server) for server, one in silent if one.away),
    )


def named(wrong: Mapping[str, str]) -> str:
    """What is wrong with each, in one text."""
    return "; ".join(f"{server}: {what}" for server, what in wrong.items())


async def prove(addresses: Addresses, peers: Iterable[str] | None) -> None:
    """Raises ClusterError unless each of these servers, by name, is new enough and syncs every write; None: all that there are.

    AwayError where one of them seems to be gone.
    """
    judged = await judge(addresses, None if peers is None else frozenset(peers))
    if judged.wrong:
        what = f"What the cluster acknowledges may be lost: {named(judged.wrong)}. The node was not opened."
        raise ClusterError(f"{what} Set that right, and restart that server; assume_durable=True goes on regardless.")
    unknown = sorted(set(peers or ()) - judged.named)
    if unknown or (peers is None and judged.silent):
        which = f"its stream is kept by {', '.join(unknown)}, too" if unknown else "not all of them said so"
        silent = "; ".join(f"{server} ({why})" for server, why in judged.silent.items())
        asked = f", and no proof came from {silent}" if silent else ""
        raise (AwayError if judged.away else ClusterError)(
            f"It is not proven that every server of the cluster at {addresses} syncs what it acknowledges: {which}{asked}. The node was not opened. {WAYS}"
        )


async def _ask_all(servers: Sequence[Server], peers: frozenset[str] | None) -> list[_About | _Silent]:
    """What each says, in their order, as `judge` waits for it."""
    ends = time.monotonic() + GREETING
    asked = [asyncio.create_task(_ask(one)) for one in servers]
    waiting = set(asked)
    try:
        while waiting:
            left = None if peers is None or peers - _names(asked) else max(ends - time.monotonic(), 0)
            came, waiting = await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if not came:
                break
        return [one.result() if one.done() else _Silent("it was not waited for", away=False) for one in asked]
    finally:
        for one in waiting:
            one.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


def _names(asked: Iterable[asyncio.Task[_About | _Silent]]) -> set[str]:
    """Of those that have spoken."""
    said = [one.result() for one in asked if one.done()]
    return {one.name for one in said if isinstance(one, _About)}


async def _ask(server: Server) -> _About | _Silent:
    try:
        return await _about(server)
    except (OSError, EOFError, ValueError) as error:  # only then: over TLS a server complains of who connects, and leaves
        return _Silent(error, away=not await _greets(server))


async def _greets(server: Server) -> bool:
    """Whether it is there for clients: without being asked, a server says what it is."""
    try:
        async with asyncio.timeout(GREETING):
            reader, writer = await asyncio.open_connection(server.host, server.port)
            try:
                return await reader.read(1) != b""
            finally:
                writer.close()
    except OSError:
        return False


async def _about(server: Server) -> _About | _Silent:
    """Raises OSError, EOFError and ValueError where it does not say.

    Its first answer, of all about it, holds for ever what was known of JetStream when somebody asked for the first time: of that it is asked apart.
    """
    where = f"http://{bracketed(server.host)}:{server.monitor}/varz"
    try:
        async with asyncio.timeout(PATIENCE):
            about, jetstream = await _answer(server, "varz"), await _answer(server, "jsz")
        version = tuple(int(part) for part in about["version"].partition("-")[0].split("."))
        name, runs, syncs = str(about["server_name"]), not jetstream.get("disabled"), jetstream.get("config", {}).get("sync_always") is True
    except TimeoutError:
        raise OSError(f"{where}: nothing in {PATIENCE:g} seconds") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{where} is no server's") from error
    if not runs:
        return _Silent("its JetStream does not run (`jetstream { store_dir: ..., sync_interval: always }`)", away=True)
    if version < OLDEST:
        return _About(name, f"it is version {about['version']}, and {'.'.join(map(str, OLDEST))} or newer is needed")
    return _About(name, "" if syncs else "it does not sync every write (`jetstream { sync_interval: always }`)")


async def _answer(server: Server, what: str) -> Any:
    """All that it says at its monitoring port, up to a limit. Raises ValueError where it is no JSON."""
    reader, writer = await asyncio.open_connection(server.host, server.monitor)
    try:
        writer.write(QUESTION.format(what=what, host=server.host).encode())
        answer = b""
        while len(answer) < LARGEST and (piece := await reader.read(1 << 16)):
            answer += piece
        return json.loads(answer.partition(b"\r\n\r\n")[2])
    finally:
        writer.close()
