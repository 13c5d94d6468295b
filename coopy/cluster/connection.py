"""A connection to one of the servers, and the search for one that can be used: each is tried in turn, and why one cannot is kept for who asks.

Each connection is a client that is new: nothing is kept back that could be sent late. Whoever listens at an address may be anything, and say what no client
expects; what comes of that is said like all that is wrong with a server. What would be the same the next time is final: it need not be tried again.
"""

from __future__ import annotations

import asyncio
import random
import re
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from coopy.cluster.credentials import read_credentials
from coopy.cluster.denials import Denials
from coopy.cluster.message import LARGEST
from coopy.error import AuthenticationError, ClusterError, CoopyError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from coopy.cluster.addresses import Addresses, Server

    Minds: TypeAlias = Callable[["Connection", BaseException], None]

__all__ = ["Connection", "Search", "check_context"]

ATTEMPT = 2  # seconds for one server
PUT_DOWN = 0.1  # seconds to give back a connection that was never made whole
PING = 2  # seconds between two signs of life
SILENT = 2  # signs of life that may stay away
LOOK = 0.5  # seconds between two looks whether the client has closed itself
REFUSED = re.compile("authorization (violation|failed)|authentication (expired|revoked)", re.IGNORECASE)


def check_context(tls: Any) -> None:
    """Raises UsageError for what is no context, or one that verifies nothing."""
    if not isinstance(tls, ssl.SSLContext):
        raise UsageError(f"tls={tls!r} is not possible: it is an ssl.SSLContext.", option="tls")
    if tls.verify_mode is not ssl.CERT_REQUIRED or not tls.check_hostname:
        what = "tls= does not verify the servers' certificates and names, so anybody could be one of them, and be told the password"
        raise UsageError(f"{what}. Nothing was changed. Use ssl.create_default_context(cafile=...).", option="tls")


class Connection:
    """To one server. `gone`: set when it was lost, or is to be given up; `denials`: what the server does not let this user do.

    `minds`: hears what server or client say is wrong. `private`: it is to be encrypted.
    """

    def __init__(self, server: Server, minds: Minds, *, private: bool) -> None:
        from coopy.cluster.client import Client, PrivateClient

        self.server, self.minds = server, minds
        self.client, self.gone, self.denials = PrivateClient() if private else Client(), asyncio.Event(), Denials()

    async def open(self, given: dict[str, Any]) -> None:
        """Connect. Raises whatever the client makes of what it hears."""
        async with asyncio.timeout(ATTEMPT):
            await self.client.connect(
                [self.server.url], error_cb=self._hear, closed_cb=self._lose, allow_reconnect=False, max_reconnect_attempts=1, reconnect_time_wait=0,
                connect_timeout=ATTEMPT, ping_interval=PING, max_outstanding_pings=SILENT, pending_size=0, name="coopy", **given,
            )  # fmt: skip

    async def _hear(self, error: BaseException) -> None:
        self.denials.hear(str(error))
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

    async def close(self, patience: float = ATTEMPT) -> None:
        """Give it back, whatever state it is in: one that was never made whole is not closed by the client itself, which may wait for that for ever."""
        from nats.errors import Error

        transport = self.client._transport  # noqa: SLF001 - there is no other way to it
        try:
            async with asyncio.timeout(patience):
                await self.client.close()
        except (Error, OSError, TimeoutError, AssertionError):  # it is gone, or never was
            pass
        finally:
            if transport is not None:
                transport.close()  # type: ignore[no-untyped-call]


class _Said(NamedTuple):
    """Why a server cannot be used. `final`: what that is where it would be the same the next time, None where it may not be."""

    why: str
    final: type[AuthenticationError | ClusterError] | None


class Search:
    """Among all servers. What it knows of them is of the last time that each was tried."""

    def __init__(self, addresses: Addresses, tls: ssl.SSLContext | None) -> None:
        self._addresses, self._tls = addresses, tls
        self._said = dict[str, _Said]()  # by address
        self._order = [*addresses.servers]
        random.shuffle(self._order)  # so that nodes spread over the servers

    @property
    def problem(self) -> str:
        """What is wrong with each."""
        return "; ".join(f"{server}: {said.why}" for server, said in self._said.items())

    @property
    def refused(self) -> bool:
        """Whether one does not let this node in."""
        return any(said.final is AuthenticationError for said in self._said.values())

    @property
    def hopeless(self) -> bool:
        """Whether each would say the same again."""
        return {str(one) for one in self._order} == {server for server, said in self._said.items() if said.final is not None}

    async def find(self, minds: Minds) -> Connection | None:
        """A connection to one of the servers, each tried once. `minds`: hears then what is wrong."""
        self._said = {}
        for _ in self._order:
            server = self._order[0]
            self._order.append(self._order.pop(0))
            found = Connection(server, self._note, private=server.private or self._tls is not None)
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
            await one.close(PUT_DOWN)
            return False
        except asyncio.CancelledError:  # it was closed meanwhile
            await one.close()
            raise
        else:
            largest = one.client.max_payload
            if largest >= LARGEST:
                return True
            why = f"it takes messages of {largest:,} bytes, and {LARGEST:,} are needed (`max_payload: 1MB`)"
            self._said[str(one.server)] = _Said(why, ClusterError)
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
        """Why this one cannot be used. That it was cut off says less than what is final."""
        before = self._said.get(str(one.server))
        if before is None or before.final is None:
            self._said[str(one.server)] = _Said(self._shown(error), _final(error))

    def _shown(self, error: BaseException) -> str:
        from nats.errors import Error

        if isinstance(error, TimeoutError) and not str(error):
            return f"nothing was heard in {ATTEMPT} seconds"
        said = self._addresses.hide(error)
        known = isinstance(error, Error | OSError | CoopyError)
        return said if known else f"what listens there is no NATS server ({type(error).__name__}: {said})"


def _final(error: BaseException) -> type[AuthenticationError | ClusterError] | None:
    """What would be the same the next time: a user, password or certificate that a server does not take, or a server that this one does not trust."""
    from coopy.cluster.client import UnencryptedError

    if isinstance(error, UnencryptedError):
        return ClusterError
    if REFUSED.search(str(error)):
        return AuthenticationError
    if not isinstance(error, ssl.SSLError) or isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError):
        return None
    return AuthenticationError if "ALERT" in (error.reason or "") else ClusterError
