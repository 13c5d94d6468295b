"""A load generator for the service: so many clients vote, each as fast as it is answered.

    python examples/service/load.py [PORT] [CLIENTS] [VOTES]      by default 8000, 100 clients, 50 votes each

Says how many votes were answered in a second and how long an answer took, and checks that every one was counted.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

HOST = "127.0.0.1"


class Client:
    """One connection that stays open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def connected(cls, port: int) -> Client:
        """To the service on this machine."""
        return cls(*await asyncio.open_connection(HOST, port))

    async def ask(self, method: str, path: str) -> tuple[int, bytes]:
        """One request. Gives the status and the body of the answer."""
        self._writer.write(f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 0\r\n\r\n".encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        _, _, length = head.partition("content-length:")
        body = await self._reader.readexactly(int(length.split("\r\n")[0])) if length else b""
        return int(head.split()[1]), body

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        await self._writer.wait_closed()


async def vote(port: int, votes: int, took: list[float]) -> None:
    """Vote so many times; how many seconds each answer took."""
    client = await Client.connected(port)
    for _ in range(votes):
        begin = time.perf_counter()
        status, _ = await client.ask("POST", "/choices/tea/votes")
        if status != 200:  # noqa: PLR2004 - OK
            raise SystemExit(f"A vote was answered with {status}.")
        took.append(time.perf_counter() - begin)
    await client.close()


async def votes_for_tea(client: Client) -> int:
    """As the service has them."""
    _, body = await client.ask("GET", "/choices")
    votes: int = json.loads(body)["tea"]
    return votes


async def load(port: int, clients: int, votes: int) -> None:
    """All of it, and what came of it."""
    looking = await Client.connected(port)
    await looking.ask("PUT", "/choices/tea")
    before, took, begin = await votes_for_tea(looking), list[float](), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(vote(port, votes, took))
    seconds = time.perf_counter() - begin
    counted = await votes_for_tea(looking) - before
    await looking.close()
    took.sort()
    print(f"{clients} clients: {len(took) / seconds:,.0f} votes a second, half of them within {took[len(took) // 2] * 1000:.1f} ms,")
    print(f"99 of 100 within {took[len(took) * 99 // 100] * 1000:.1f} ms. {len(took)} were answered, {counted} counted.")
    if counted != len(took):
        raise SystemExit("That is not the same.")


def main(port: str = "8000", clients: str = "100", votes: str = "50") -> None:
    """As the command line says."""
    lost: tuple[object, ...] = ()
    try:
        asyncio.run(load(int(port), max(int(clients), 1), max(int(votes), 1)))
    except* (OSError, EOFError) as errors:
        lost = errors.exceptions
    if lost:
        raise SystemExit(f"The service at port {port} does not answer, or not any more: {lost[0]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
