"""The connection to the servers: a thread with an event loop owns the client, and nothing else of coopy runs there but what is short.

    ask       a question to JetStream's interface, with its answer; what it refuses is RefusedError, no answer LostError
    run       have something done on that thread, and wait for it
    soon      the same, without waiting

The client finds another server when one is lost, for as long as that takes. It keeps nothing back that could be sent late: what becomes of a message is
the publisher's to know.
"""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any

from coopy.error import AuthenticationError, ClusterError, UsageError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Coroutine

    from nats.aio.client import Client
    from nats.aio.msg import Msg

    from coopy.cluster.addresses import Addresses

__all__ = ["Link", "LostError", "RefusedError"]

CONNECT = 10.0  # seconds to find a server at the beginning
ANSWER = 5.0  # seconds to answer a question
AGAIN = 0.2  # seconds between two attempts to find a server
PING = 2  # seconds between two signs of life
SILENT = 2  # signs of life that may stay away
BUFFER = 512 << 20  # bytes that may have come and wait here; flow control keeps them far below


class LostError(ClusterError):
    """Nobody answered: whether what was asked was done is not known."""


class RefusedError(ClusterError):
    """JetStream said no. `code`: its number for why."""

    code: int


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
        self._refused: asyncio.Future[None] | None = None
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
            import nats.aio.client
        except ImportError as error:
            raise UsageError('A node of a cluster needs nats-py: `pip install "coopy[cluster]"`.', option="cluster") from error
        self._thread.start()
        self._client = nats.aio.client.Client()
        try:
            self.run(self._connect(), None)
        except BaseException:
            self.close()
            raise

    async def _connect(self) -> None:
        self._refused = asyncio.get_running_loop().create_future()
        given: dict[str, Any] = {"tls": self._tls} if self._tls is not None else {}
        if self.addresses.credentials:
            given["user_credentials"] = self.addresses.credentials
        attempt = asyncio.ensure_future(self.client.connect(
            [one.url for one in self.addresses.servers], error_cb=self._hear, disconnected_cb=self._lost, reconnected_cb=self._found,
            max_reconnect_attempts=-1, reconnect_time_wait=AGAIN, connect_timeout=2, ping_interval=PING, max_outstanding_pings=SILENT,
            pending_size=0, name="coopy", **given,
        ))  # fmt: skip
        await asyncio.wait([attempt, self._refused], timeout=CONNECT, return_when=asyncio.FIRST_COMPLETED)
        if not attempt.done():
            attempt.cancel()
            await asyncio.gather(attempt, return_exceptions=True)
            raise self._no_server()
        error = attempt.exception()
        if error is not None:
            self._note(error)
            raise self._no_server() from None  # its text may hold a password
        self.problem = ""

    def _no_server(self) -> ClusterError | AuthenticationError:
        where = f"the cluster at {self.addresses}"
        if self._refused is not None and self._refused.done():
            return AuthenticationError(f"No server of {where} accepts the user, password or certificate: {self.problem}. Nothing was changed.")
        return ClusterError(
            f"No server of {where} answers: {self.problem}. Nothing was changed. Start them, or check the addresses and tls=."
        )

    def _note(self, error: BaseException) -> None:
        self.problem = self.addresses.hide(error)

    async def _hear(self, error: BaseException) -> None:
        self._note(error)
        if "authorization" in str(error).lower() and self._refused is not None and not self._refused.done():
            self._refused.set_result(None)

    async def _lost(self) -> None:
        self.problem = "the connection was lost"

    async def _found(self) -> None:
        self.problem = ""
        self.reconnects += 1
        for one in self.reconnected:
            await one()

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
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None and not self._client.is_closed:
            self.problem = "it was closed"
            await self._client.close()
        rest = [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]
        for one in rest:
            one.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        await asyncio.get_running_loop().shutdown_default_executor()

    def _live(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    # --- on its own thread -----------------------------------------------------------------------------------------------

    async def ask(self, subject: str, question: object = None, timeout: float = ANSWER) -> dict[str, Any]:
        """A question to JetStream, "$JS.API." before it. Raises RefusedError, LostError."""
        data = b"" if question is None else json.dumps(question).encode()
        message = await self.request(f"$JS.API.{subject}", data, timeout=timeout)
        return self.answer(message.data)

    async def request(self, subject: str, data: bytes, headers: dict[str, str] | None = None, timeout: float = ANSWER) -> Msg:
        """A message that is answered. Raises LostError."""
        import nats.errors

        try:
            return await self.client.request(subject, data, timeout=timeout, headers=headers)
        except (nats.errors.Error, TimeoutError, OSError) as error:
            raise LostError(f"The cluster at {self.addresses} does not answer: {self.addresses.hide(error)}.") from None

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
