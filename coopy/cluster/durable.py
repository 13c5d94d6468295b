"""Whether what the servers acknowledge is on stable storage: they are asked, for by default they sync every two minutes only, and a power loss takes that.

Each says at its monitoring port which version it is and when it syncs. What is not proven when a node is opened is refused, unless that was asked for;
what a server says otherwise later is for watching.py. All of this is asked on the link's thread.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import msgspec

from coopy.cluster.addresses import bracketed
from coopy.error import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coopy.cluster.addresses import Addresses, Server

__all__ = ["OLDEST", "AwayError", "Judged", "judge", "prove"]

OLDEST = (2, 14)
PATIENCE = 5.0  # seconds for one answer
LARGEST = 1 << 20
GREETING = 1.0  # seconds in which a server says who it is
QUESTION = "GET /varz HTTP/1.0\r\nHost: {host}\r\n\r\n"
WAYS = (
    'Have each server listen for questions (`http: "127.0.0.1:8222"`) and name its port in the address (nats://host:4222?monitor=8222);'
    " assume_durable=True goes on without a proof."
)


class AwayError(ClusterError):
    """Some server is not there: the others will know that in a while, and then it is not one that must be asked."""


class Judged(msgspec.Struct, frozen=True):
    """What the servers say. `named`: those that do, by name; `wrong`: what is wrong with them; `silent`: which do not answer, and why; `away`: is one gone?"""

    named: frozenset[str]
    wrong: tuple[str, ...]
    silent: tuple[str, ...]
    away: bool


async def judge(addresses: Addresses) -> Judged:
    """Ask all, beside each other."""
    names, wrong, silent, away = set[str](), list[str](), list[str](), False
    said = await asyncio.gather(*map(_judged, addresses.servers), return_exceptions=True)
    for server, found in zip(addresses.servers, said, strict=True):
        if isinstance(found, OSError | EOFError | ValueError):
            silent.append(f"{server} ({addresses.hide(found)})")
            away = away or not await _greets(server)
        elif isinstance(found, BaseException):
            raise found
        else:
            names.add(found[0])
            wrong += [f"{server}: {found[1]}"] if found[1] else []
    return Judged(frozenset(names), tuple(wrong), tuple(silent), away)


async def prove(addresses: Addresses, peers: Iterable[str] | None) -> None:
    """Raises ClusterError unless each of these servers, by name, is new enough and syncs every write; None: all that there are.

    AwayError where one of them seems to be gone.
    """
    judged = await judge(addresses)
    if judged.wrong:
        what = f"What the cluster acknowledges may be lost: {'; '.join(judged.wrong)}. Nothing was changed."
        raise ClusterError(f"{what} Set that right, and restart that server; assume_durable=True goes on regardless.")
    unknown = sorted(set(peers or ()) - judged.named)
    if unknown or (peers is None and judged.silent):
        which = f"its stream is kept by {', '.join(unknown)}, too" if unknown else "not all of them said so"
        asked = f", and no answer came from {'; '.join(judged.silent)}" if judged.silent else ""
        raise (AwayError if judged.away else ClusterError)(
            f"It is not proven that every server of the cluster at {addresses} syncs what it acknowledges: {which}{asked}. Nothing was changed. {WAYS}"
        )


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


async def _judged(server: Server) -> tuple[str, str]:
    """Its name, and what is wrong with it, if anything is. Raises OSError, EOFError and ValueError where it does not say."""
    where = f"http://{bracketed(server.host)}:{server.monitor}/varz"
    try:
        async with asyncio.timeout(PATIENCE):
            answer = await _answer(server)
    except TimeoutError:
        raise OSError(f"{where}: nothing in {PATIENCE:g} seconds") from None
    try:
        about = json.loads(answer.partition(b"\r\n\r\n")[2])
        version = tuple(int(part) for part in about["version"].partition("-")[0].split("."))
        name, config = str(about["server_name"]), about.get("jetstream", {}).get("config")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{where} is no server's") from error
    if version < OLDEST:
        return name, f"it is version {about['version']}, and {'.'.join(map(str, OLDEST))} or newer is needed"
    if not config:
        return name, "it has no JetStream (`jetstream { store_dir: ..., sync_interval: always }`)"
    return name, "" if config.get("sync_always") is True else "it does not sync every write (`jetstream { sync_interval: always }`)"


async def _answer(server: Server) -> bytes:
    """All that it says at its monitoring port, up to a limit."""
    reader, writer = await asyncio.open_connection(server.host, server.monitor)
    try:
        writer.write(QUESTION.format(host=server.host).encode())
        answer = b""
        while len(answer) < LARGEST and (piece := await reader.read(1 << 16)):
            answer += piece
        return answer
    finally:
        writer.close()
