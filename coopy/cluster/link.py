"""The connection to the servers: a thread with an event loop owns the client, and nothing else of coopy runs there but what is short.

    ask       a question to JetStream's interface, with its answer; what it refuses is RefusedError, no answer LostError, what the servers do not let
              this user do DeniedError, at once
    run       have something done on that thread, and wait for it
    soon      the same, without waiting

Where a server is lost another is found, for as long as that takes, by a client that is new: nothing is kept back that could be sent late. What becomes of a
message is the publisher's to know.
"""

from __future__ import annotations

import asyncio
import json
import random
import ssl
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from coopy.cluster.denials import Denials
from coopy.error import AuthenticationError, ClusterError, UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping
    from collections.abc import Set as AbstractSet

    from nats.aio.client import Client
    from nats.aio.msg import Msg

    from coopy.cluster.addresses import Addresses, Server

__all__ = ["PATIENCE", "PAUSE", "DeniedError", "Link", "LostError", "RefusedError"]

T = TypeVar("T")

CONNECT = 5.0  # seconds to find a server at the beginning
ATTEMPT = 2  # seconds for one server
ANSWER = 5.0  # seconds to answer a question
PUT_DOWN = 0.1  # seconds to give back a connection that was never made whole
AGAIN = 0.2  # seconds between two attempts to find a server
PAUSE = 0.3  # seconds before something that nobody answered is asked again
PATIENCE = 30.0  # seconds that a caller waits for a cluster that does not answer
PING = 2  # seconds between two signs of life
SILENT = 2  # signs of life that may stay away
WAYS = "Have an administrator permit it: docs/cluster.md shows all that a node does at the servers."


class LostError(ClusterError):
    """Nobody answered: whether what was asked was done is not known."""


class RefusedError(ClusterError):
    """JetStream said no. `code`: its number for why."""

    code: int


class DeniedError(ClusterError):
    """The servers do not let this user do it. What was asked was not done."""


class Link:
    """One client. `reconnected`: what to do each time a server was found again, on the link's thread; `problem`: why there is none, empty while there is."""

    def __init__(self, addresses: Addresses, tls: ssl.SSLContext | None) -> None:
        self.addresses, self._tls = addresses, tls
        self.reconnected: list[Callable[[], Awaitable[None]]] = []
        self.problem = "it has not connected yet"
        self.reconnects = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._live, name="coopy cluster link", daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()
        self._final: dict[Server, type[AuthenticationError | ClusterError]] = {}  # those that would say no again, and what that is
        self._order = [*addresses.servers]
        random.shuffle(self._order)  # so that nodes spread over the servers
        self._gone, self._denials = asyncio.Event(), Denials()
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        """The client, once it is open."""
        assert self._client is not None
        return self._client

    @property
    def connected(self) -> bool:
        """Whether there is a server now, as far as is known."""
        return self._client is not None and self._client.is_connected

    def open(self) -> None:
        """Connect. Raises ClusterError where no server answers, AuthenticationError where one refuses, UsageError without the library."""
        try:
            import nats.aio.client  # noqa: F401 - whether it is there
        except ImportError as error:
            raise UsageError('A node of a cluster needs nats-py: `pip install "coopy[cluster]"`.', option="cluster") from error
        if self.addresses.credentials:
            _check_credentials(self.addresses.credentials)
        self._thread.start()
        try:
            self.run(self._begin(), None)
        except BaseException:
            self.close()
            raise

    async def _begin(self) -> None:
        deadline = time.monotonic() + CONNECT
        while not await self._find():
            if len(self._final) == len(self._order) or time.monotonic() > deadline:
                raise self._no_server()
            await asyncio.sleep(AGAIN)
        self.start(self._keep())

    async def _keep(self) -> None:
        """Find a server again, whenever one is lost."""
        while True:
            await self._gone.wait()
            if self._client is not None:
                await _put_down(self._client)
            while not await self._find():  # noqa: ASYNC110 - what is waited for is another program's
                await asyncio.sleep(AGAIN)
            self.reconnects += 1
            for one in self.reconnected:
                await one()

    async def _find(self) -> bool:
        """Connect to one of the servers, each tried once. Whether there is one."""
        for _ in self._order:
            server = self._order[0]
            self._order.append(self._order.pop(0))
            client = await self._connect(server)
            if client is not None:
                self._client, self.problem = client, ""
                return True
        return False

    async def _connect(self, server: Server) -> Client | None:
        from nats.aio.client import Client
        from nats.errors import Error

        client, gone, denials, heard = Client(), asyncio.Event(), Denials(), list[BaseException]()
        given: dict[str, Any] = {"tls": self._tls} if self._tls is not None else {}
        if self.addresses.credentials:
            given["user_credentials"] = self.addresses.credentials

        async def hear(error: BaseException) -> None:
            heard.append(error)
            if not denials.hear(str(error)) and self._client is client:
                self._note(server, error)

        async def lost() -> None:
            self.problem = self.problem or f"the connection to {server} was lost"
            gone.set()

        try:
            async with asyncio.timeout(ATTEMPT):
                await client.connect(
                    [server.url], error_cb=hear, closed_cb=lost, allow_reconnect=False, max_reconnect_attempts=1, reconnect_time_wait=0,
                    connect_timeout=ATTEMPT, ping_interval=PING, max_outstanding_pings=SILENT, pending_size=0, name="coopy", **given,
                )  # fmt: skip
        except (Error, OSError, TimeoutError) as error:
            said = [*heard]  # it says more than what is raised in the end
            self._note(server, next((one for one in said if _final(one) is not None), said[-1] if said else error))
            await _put_down(client, PUT_DOWN)
            return None
        except asyncio.CancelledError:  # it was closed meanwhile
            await _put_down(client)
            raise
        self._gone, self._denials = gone, denials
        self._final.pop(server, None)
        return client

    def _no_server(self) -> ClusterError | AuthenticationError:
        where = f"the cluster at {self.addresses}"
        if AuthenticationError in self._final.values():
            return AuthenticationError(
                f"No server of {where} accepts the user, password or certificate: {self.problem}. Nothing was changed."
            )
        return ClusterError(
            f"No server of {where} answers: {self.problem}. Nothing was changed. Start them, or check the addresses and tls=."
        )

    def _note(self, server: Server, error: BaseException) -> None:
        self.problem = self.addresses.hide(error)
        final = _final(error)
        if final is None:
            self._final.pop(server, None)
        else:
            self._final[server] = final

    # --- from other threads ----------------------------------------------------------------------------------------------

    def run(self, work: Coroutine[Any, Any, Any], timeout: float | None = 60.0) -> Any:
        """Do it on the link's thread; gives what it gives. Raises what it raises, and LostError where it takes longer."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout)
        except TimeoutError:
            future.cancel()
            raise LostError(f"The cluster at {self.addresses} did not do in {timeout:g} seconds what was asked.") from None
        except BaseException:
            future.cancel()
            raise

    def soon(self, work: Callable[[], object]) -> None:
        """Call something on the link's thread. Raises RuntimeError when it was closed."""
        self._loop.call_soon_threadsafe(work)

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin something on the link's thread, which must call this."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def close(self) -> None:
        """Give the connection back, and end the thread. May be repeated."""
        if self._loop.is_closed():
            return
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    def abandon(self) -> None:
        """In a forked child: all of it is the parent's."""
        self._client = None
        self.problem = "this process was forked from the one that has the connection"

    async def _end(self) -> None:
        await _cancel(self._tasks)
        self.problem = "it was closed"
        if self._client is not None:
            await _put_down(self._client)
        await _cancel({one for one in asyncio.all_tasks() if one is not asyncio.current_task()})
        await asyncio.get_running_loop().shutdown_default_executor()
        await asyncio.sleep(0)  # what was closed a moment ago is so when the loop has come round

    def _live(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    # --- on its own thread -----------------------------------------------------------------------------------------------

    async def ask(self, subject: str, question: object = None, patience: float = ANSWER) -> dict[str, Any]:
        """A question to JetStream, "$JS.API." before it. Raises RefusedError, LostError."""
        data = b"" if question is None else json.dumps(question).encode()
        message = await self.request(f"$JS.API.{subject}", data, patience=patience)
        return self.answer(message.data)

    async def again(self, work: Callable[[], Awaitable[T]], patience: float) -> T:
        """Do it until it is done: what was just made, or has lost its leader, has none for a while. Raises LostError after so many seconds."""
        deadline = time.monotonic() + patience
        while True:
            try:
                return await work()
            except LostError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(PAUSE)

    async def request(self, subject: str, data: bytes, headers: dict[str, str] | None = None, patience: float = ANSWER) -> Msg:
        """A message that is answered. Raises LostError: also as soon as the connection is lost."""
        from nats.errors import Error

        try:
            return await self.unless_denied(
                lambda: self.client.request(subject, data, timeout=patience, headers=headers), {subject: subject}
            )
        except (Error, TimeoutError, OSError) as error:
            said = f" ({self.problem})" if self.problem else ""  # what the server minds it says apart
            raise LostError(f"The cluster at {self.addresses} does not answer: {self.addresses.hide(error)}{said}.") from None

    async def unless_denied(self, work: Callable[[], Awaitable[T]], concerns: Mapping[str, str]) -> T:
        """What it gives. Raises what it raises, LostError as soon as the connection is lost, and DeniedError as soon as what it `concerns` is denied.

        `concerns`: as Denials.watch.
        """
        with self._denials.watch(concerns) as denied:
            done, gone = asyncio.ensure_future(work()), asyncio.ensure_future(self._gone.wait())
            try:
                await asyncio.wait((done, gone, denied), return_when=asyncio.FIRST_COMPLETED)
                if done.done():
                    return done.result()
                if denied.done():
                    raise DeniedError(f"The cluster at {self.addresses} does not let this user {denied.result()}. It was not done. {WAYS}")
            finally:
                gone.cancel()
                await _cancel({done})
        raise LostError(f"The cluster at {self.addresses} did not answer before the connection was lost.")

    def denies(self, subject: str) -> bool:
        """Whether the servers said, on this connection, that this user may not publish there."""
        return self._denials.denies(subject)

    def answer(self, data: bytes) -> dict[str, Any]:
        """What JetStream said. Raises RefusedError, LostError."""
        try:
            answer = json.loads(data)
        except ValueError as error:
            raise LostError(f"The cluster at {self.addresses} gave an answer that cannot be read: {error}.") from None
        if not isinstance(answer, dict):
            raise LostError(f"The cluster at {self.addresses} gave an answer that cannot be read.")
        problem = answer.get("error")
        if problem:
            raise RefusedError(self.addresses.hide(problem.get("description", "it was refused")), code=problem.get("err_code", 0))
        return answer


def _final(error: BaseException) -> type[AuthenticationError | ClusterError] | None:
    """What would be the same the next time: a user, password or certificate that a server does not take, or a server's that this one does not trust."""
    if "authorization" in str(error).lower():
        return AuthenticationError
    if not isinstance(error, ssl.SSLError) or isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError):
        return None
    return AuthenticationError if "ALERT" in (error.reason or "") else ClusterError


def _check_credentials(path: str) -> None:
    """Raises UsageError where the file cannot be used, before any server is asked."""
    if find_spec("nkeys") is None:
        raise UsageError('A credentials file needs the package nkeys: `pip install "nats-py[nkeys]"`.', option="cluster")
    try:
        Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"The credentials file {path} cannot be read: {error.strerror}. Nothing was changed.", option="cluster") from error


async def _put_down(client: Client, patience: float = ATTEMPT) -> None:
    """Give a connection back, whatever state it is in: one that was never made whole is not closed by the client itself, which may wait for that for ever."""
    from nats.errors import Error

    transport = client._transport  # noqa: SLF001 - there is no other way to it
    try:
        async with asyncio.timeout(patience):
            await client.close()
    except (Error, OSError, TimeoutError, AssertionError):  # it is gone, or never was
        pass
    finally:
        if transport is not None:
            transport.close()  # type: ignore[no-untyped-call]


async def _cancel(tasks: AbstractSet[asyncio.Task[Any]]) -> None:
    """End these. Who is told while what it waits for comes may not hear of it, and is told again."""
    while waiting := {one for one in tasks if not one.done()}:
        for one in waiting:
            one.cancel()
        await asyncio.wait(waiting, timeout=AGAIN)
