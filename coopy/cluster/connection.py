"""A connection to one of the servers, and the search for one that can be used: each is tried in turn, and why one cannot is kept for who asks.

Each connection is a client that is new: nothing is kept back that could be sent late. Whoever listens at an address may be anything, and say what no client
expects; what comes of that is said like all that is wrong with a server.
"""

from __future__ import annotations

import asyncio
import random
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from coopy.cluster.credentials import read_credentials
from coopy.cluster.message import LARGEST
from coopy.error import CoopyError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from typing import TypeAlias

    from coopy.cluster.addresses import Addresses, Server

    Minds: TypeAlias = Callable[["Connection", BaseException], None]

__all__ = ["Connection", "Search"]

ATTEMPT = 2  # seconds for one server
PING = 2  # seconds between two signs of life
SILENT = 2  # signs of life that may stay away
LOOK = 0.5  # seconds between two looks whether the client has closed itself
REFUSED = re.compile("authorization violation|authentication (expired|revoked)", re.IGNORECASE)


class Connection:
    """To one server. `gone`: set when it was lost, or is to be given up; `minds`: hears what server or client say is wrong."""

    def __init__(self, server: Server, minds: Minds) -> None:
        from nats.aio.client import Client

        self.server, self.minds = server, minds
        self.client, self.gone = Client(), asyncio.Event()

    async def open(self, given: dict[str, Any]) -> None:
        """Connect. Raises whatever the client makes of what it hears."""
        async with asyncio.timeout(ATTEMPT):
            await self.client.connect(
                [self.server.url], error_cb=self._hear, closed_cb=self._lose, allow_reconnect=False, max_reconnect_attempts=1, reconnect_time_wait=0,
                connect_timeout=ATTEMPT, ping_interval=PING, max_outstanding_pings=SILENT, pending_size=0, name="coopy", **given,
            )  # fmt: skip

    async def _hear(self, error: BaseException) -> None:
        self.minds(self, error)

    async def _lose(self) -> None:
        self.gone.set()

    @property
    def has_jetstream(self) -> bool:
        """Whether the server says that it has JetStream."""
        return bool(self.client._server_info.get("jetstream"))  # noqa: SLF001 - there is no other way to it

    async def wait_lost(self) -> None:
        """Return when it is. The client does not always say so: where it fails while it closes itself, nobody hears that it did."""
        while not self.gone.is_set() and not self.client.is_closed:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.gone.wait(), LOOK)
        self.gone.set()  # for who waits for an answer

    async def close(self) -> None:
        """Give it back, whatever state it is in: one that was never made whole is not closed by the client itself."""
        from nats.errors import Error

        transport = self.client._transport  # noqa: SLF001 - there is no other way to it
        try:
            async with asyncio.timeout(ATTEMPT):
                await self.client.close()
        except (Error, OSError, TimeoutError, AssertionError):  # it is gone, or never was
            pass
        finally:
            if transport is not None:
                transport.close()  # type: ignore[no-untyped-call]


class Search:
    """Among all servers. `problem`: why none can be used, empty while one can; `refused`: whether one did not let this node in."""

    def __init__(self, addresses: Addresses, tls: ssl.SSLContext | None) -> None:
        self._addresses, self._tls = addresses, tls
        self._said = dict[str, str]()
        self._order = [*addresses.servers]
        random.shuffle(self._order)  # so that nodes spread over the servers

    @property
    def problem(self) -> str:
        """What is wrong with each, as last seen."""
        return "; ".join(f"{server}: {said}" for server, said in self._said.items())

    @property
    def refused(self) -> bool:
        """Whether one does not let this node in."""
        return any(map(REFUSED.search, self._said.values()))

    async def find(self, minds: Minds) -> Connection | None:
        """A connection to one of the servers, each tried once. `minds`: hears then what is wrong."""
        self._said = {}
        for _ in self._order:
            server = self._order[0]
            self._order.append(self._order.pop(0))
            found = Connection(server, self._note)
            if await self._open(found):
                found.minds = minds
                return found
        return None

    async def _open(self, one: Connection) -> bool:
        """Whether it can be used."""
        try:
            await one.open(self._login(one.server))
        except Exception as error:  # noqa: BLE001 - who listens there may be anything
            if str(one.server) not in self._said:  # what was heard before says more
                self._note(one, error)
        except asyncio.CancelledError:  # it was closed meanwhile
            await one.close()
            raise
        else:
            largest = one.client.max_payload
            if largest >= LARGEST:
                return True
            self._said[str(one.server)] = f"it takes messages of {largest:,} bytes, and {LARGEST:,} are needed (`max_payload: 1MB`)"
        await one.close()
        return False

    def _login(self, server: Server) -> dict[str, Any]:
        """What lets a client in. What stands in a file is read again each time, for it may have been renewed. Raises UsageError where it cannot be."""
        given: dict[str, Any] = {**server.login}
        if self._tls is not None:
            given["tls"] = self._tls
        if self._addresses.credentials:
            given |= read_credentials(self._addresses.credentials).options()
        return given

    def _note(self, one: Connection, error: BaseException) -> None:
        """Why this one cannot be used. That it was cut off says less than that nobody was let in."""
        if not REFUSED.search(self._said.get(str(one.server), "")):
            self._said[str(one.server)] = self._shown(error)

    def _shown(self, error: BaseException) -> str:
        from nats.errors import Error

        if isinstance(error, TimeoutError) and not str(error):
            return f"nothing was heard in {ATTEMPT} seconds"
        said = self._addresses.hide(error)
        known = isinstance(error, Error | OSError | CoopyError)
        return said if known else f"what listens there is no NATS server ({type(error).__name__}: {said})"
