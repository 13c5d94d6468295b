"""The connection to the servers: a thread with an event loop owns the client, and nothing else of coopy runs there but what is short.

    ask       a question to JetStream's interface, with its answer; what it refuses is RefusedError, no answer LostError, what the servers do not let
              this user do DeniedError, at once
    run       have something done on that thread, and wait for it
    soon      the same, without waiting

Where a server is lost another is found (connection.py), for as long as that takes. What becomes of a message is the publisher's to know.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from coopy.cluster.connection import Connection, Search
from coopy.cluster.credentials import read_credentials
from coopy.error import AuthenticationError, ClosedError, ClusterError, UsageError
from coopy.logs import logger

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Coroutine, Mapping
    from collections.abc import Set as AbstractSet

    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

    from coopy.cluster.addresses import Addresses

__all__ = [
    "ANSWER",
    "ASK_ADMIN",
    "PATIENCE",
    "PAUSE",
    "DeniedError",
    "Hurry",
    "Link",
    "LostError",
    "NoStreamError",
    "NobodyError",
    "RefusedError",
    "cancel_all",
]

T = TypeVar("T")

log = logger("cluster")
CONNECT = 5.0  # seconds to find a server at the beginning
ANSWER = 5.0  # seconds to answer a question
AGAIN = 0.2  # seconds between two attempts to find a server
NO_STREAM = 10059
NOT_NOW = {10008, 10009, 10118, 10119}  # nothing was done: it is unavailable for a while, not led here, or offline
PAUSE = 0.3  # seconds before something that nobody answered is asked again
PATIENCE = 30.0  # seconds that a caller waits for a cluster that does not answer
RENEW = 2.0  # seconds after which a connection that lost a subscription is given up for another
LOOK_AT = (
    "See to what stands in the addresses, or in the file that they name, and to tls=; only an administrator of the servers can say more"
)
ASK_ADMIN = "Have an administrator of the servers see to that: docs/cluster.md shows all that a node does there"


class LostError(ClusterError):
    """Nobody answered: whether what was asked was done is not known."""


class NobodyError(LostError):
    """There is nobody to answer: what was asked was not done."""


class RefusedError(ClusterError):
    """JetStream said no. `code`: its number for why; `why`: its own words."""

    code: int
    why: str


class NoStreamError(RefusedError):
    """The stream that it is about is not there (any more)."""


class DeniedError(ClusterError):
    """The servers do not let this user do it. What was asked was not done."""


class Link:
    """One client. `reconnected`: what to do each time a server was found again, on the link's thread; `problem`: what is wrong, until a server answers."""

    def __init__(self, addresses: Addresses, tls: ssl.SSLContext | None) -> None:
        self.addresses = addresses
        self.reconnected: list[Callable[[], Awaitable[None]]] = []
        self.problem = "nothing was answered yet"
        self.reconnects = 0
        self._loop = asyncio.new_event_loop()
        self._helpers = ThreadPoolExecutor(thread_name_prefix="coopy cluster help")
        self._loop.set_default_executor(self._helpers)
        self._thread = threading.Thread(target=self._live, name="coopy cluster link", daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()
        self._search = Search(addresses, tls)
        self._connection: Connection | None = None
        self._begun = self._closed = False
        self._door, self._end_once = threading.Lock(), threading.Lock()

    @property
    def used(self) -> Connection:
        """The connection, once there is one; another one where it was lost."""
        assert self._connection is not None
        return self._connection

    @property
    def client(self) -> Client:
        """The client, once it is open."""
        return self.used.client

    @property
    def has_jetstream(self) -> bool:
        """Whether the server says that it has JetStream."""
        return self.used.has_jetstream

    @property
    def connected(self) -> bool:
        """Whether there is a server now, as far as is known."""
        return self._connection is not None and self._connection.client.is_connected

    def open(self) -> None:
        """Connect. Raises ClusterError where no server answers, AuthenticationError where one refuses, UsageError without the library."""
        if self.addresses.credentials:
            read_credentials(self.addresses.credentials)
        self._thread.start()
        try:
            self.run(self._begin(), None)
        except BaseException:
            self.close()
            raise

    async def _begin(self) -> None:
        try:  # on this thread, which no signal reaches: imported by halves, it could not be imported any more
            import nats.aio.client  # noqa: F401 - whether it is there
        except ImportError as error:
            raise UsageError('A node of a cluster needs nats-py: `pip install "coopy[cluster]"`.', option="cluster") from error
        deadline = time.monotonic() + CONNECT
        while not await self._find():
            if self._search.hopeless or time.monotonic() > deadline:
                raise self._no_server()
            await asyncio.sleep(AGAIN)
        self.start(self._keep())

    async def _keep(self) -> None:
        """Find a server again, whenever one is lost."""
        while True:
            lost = self.used
            await lost.wait_lost()
            self.problem = self.problem or f"the connection to {lost.server} was lost"
            await lost.close()
            while not await self._find():  # noqa: ASYNC110 - what is waited for is another program's
                await asyncio.sleep(AGAIN)
            self.reconnects += 1
            for one in [*self.reconnected]:  # some of it may end meanwhile
                await one()

    async def _find(self) -> bool:
        """Connect to one of the servers, each tried once. Whether there is one."""
        found = await self._search.find(self._mind)
        if found is None:
            self.problem = self._search.problem
            return False
        self._connection = found
        return True

    def _no_server(self) -> ClusterError | AuthenticationError:
        where = f"the cluster at {self.addresses}"
        if self._search.refused:
            return AuthenticationError(
                f"No server of {where} accepts the user, password or certificate: {self.problem}. Nothing was changed. {LOOK_AT}."
            )
        ways = "Start them, or set right what is said of them; check the addresses and tls="
        return ClusterError(f"No server of {where} answers as it should: {self.problem}. Nothing was changed. {ways}.")

    def _mind(self, used: Connection, error: BaseException) -> None:
        """What is wrong though there is a connection. A subscription that the server ended, or never began, comes only with another one."""
        self.problem = f"{used.server}: {self.addresses.hide(error)}"
        if used.denials.deaf:
            self._loop.call_later(RENEW, used.gone.set)

    def leave(self, why: str) -> None:
        """Find another server, if there is one: this one is no use."""
        self.problem = f"{self.used.server}: {why}"
        self.used.gone.set()

    def heard(self, subject: str) -> None:
        """What was sent there was answered: what the servers minded before is over."""
        if self.connected:
            self.used.denials.permit(subject)
            if not self.used.denials.deaf:  # answers that were on their way come yet
                self.problem = ""

    def denies(self, subject: str) -> bool:
        """Whether the servers said, on this connection, that this user may not publish there."""
        return self.connected and self.used.denials.denies(subject)

    # --- from other threads ----------------------------------------------------------------------------------------------

    def run(self, work: Coroutine[Any, Any, Any], timeout: float | None = 60.0) -> Any:
        """Do it on the link's thread; gives what it gives. Raises what it raises, LostError where it takes longer, and ClosedError."""
        with self._door:  # what comes behind that would not be ended with all else, and be waited for for ever
            if self._closed:
                work.close()
                raise self._was_closed()
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout)
        except CancelledError:
            raise self._was_closed() from None
        except TimeoutError:
            future.cancel()
            raise LostError(f"The cluster at {self.addresses} did not do in {timeout:g} seconds what was asked.") from None
        except BaseException:
            future.cancel()
            raise

    def _was_closed(self) -> ClosedError:
        what = f"The connection to the cluster at {self.addresses} was closed, and what was asked may have been done or not"
        return ClosedError(f"{what}. What this node has is intact in its directory. Open it again.")

    def soon(self, work: Callable[[], object]) -> None:
        """Call something on the link's thread. Raises RuntimeError when it was closed."""
        self._loop.call_soon_threadsafe(work)

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin something on the link's thread, which must call this."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.problem = f"{type(error).__name__}: {self.addresses.hide(error)}"
            log.error("Something that a node does for the cluster at %s ended.", self.addresses, exc_info=error)

    def close(self) -> None:
        """Give the connection back, and end the thread. May be repeated."""
        with self._door:
            self._closed = True
            if not self._begun:
                self._loop.close()
        with self._end_once:
            if self._loop.is_closed():
                return
            if self._thread.is_alive():
                asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._thread.join()
            # Not by the loop: it would begin a thread for that, which an interpreter that ends refuses.
            self._helpers.shutdown(cancel_futures=True)
            self._loop.close()

    def abandon(self) -> None:
        """In a forked child: all of it is the parent's."""
        self._connection = None
        self.problem = "this process was forked from the one that has the connection"

    async def _end(self) -> None:
        await cancel_all(self._tasks)
        self.problem = "it was closed"
        if self._connection is not None:
            await self._connection.close()
        await cancel_all({one for one in asyncio.all_tasks() if one is not asyncio.current_task()})
        await asyncio.sleep(0)  # what was closed a moment ago is so when the loop has come round

    def _live(self) -> None:
        with self._door:  # an interrupt may have come before the thread had begun
            if self._closed:
                return
            self._begun = True
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    # --- on its own thread -----------------------------------------------------------------------------------------------

    async def ask(self, subject: str, question: object = None, patience: float | None = None) -> dict[str, Any]:
        """A question to JetStream, "$JS.API." before it. Raises RefusedError, LostError, DeniedError."""
        data = b"" if question is None else json.dumps(question).encode()
        message = await self.request(f"$JS.API.{subject}", data, patience=patience)
        return self.answer(message.data, subject)

    async def reaches_jetstream(self, subject: str) -> bool:
        """Whether anybody listens to questions of JetStream's on this subject: this server, or another one. What does not answer may do so yet."""
        try:
            await self.ask(subject)
        except NobodyError:
            return False
        except (LostError, RefusedError, DeniedError):
            return True
        return True

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

    async def request(self, subject: str, data: bytes, headers: dict[str, str] | None = None, patience: float | None = None) -> Msg:
        """A message that is answered, in so many seconds. Raises LostError and DeniedError, as `unless_denied`."""
        from nats.errors import Error, NoRespondersError

        seconds = ANSWER if patience is None else patience
        try:
            message = await self.unless_denied(
                lambda: self.client.request(subject, data, timeout=seconds, headers=headers), {subject: subject}
            )
        except NoRespondersError:
            self.heard(subject)
            what = f"The cluster at {self.addresses} has no JetStream, or nobody leads it now: nothing was done"
            raise NobodyError(f"{what}. Set `jetstream {{ store_dir: ... }}` at its servers, or try it again in a while.") from None
        except (Error, TimeoutError, OSError) as error:
            said = f" ({self.problem})" if self.problem else ""  # what the server minds it says apart
            raise LostError(f"The cluster at {self.addresses} does not answer: {self.addresses.hide(error)}{said}.") from None
        self.heard(subject)
        return message

    async def unless_denied(self, work: Callable[[], Awaitable[T]], concerns: Mapping[str, str]) -> T:
        """What it gives. Raises what it raises, LostError as soon as the connection is lost, and DeniedError as soon as what it `concerns` is denied.

        `concerns`: as Denials.watch.
        """
        used = self.used
        with used.denials.watch(concerns) as denied:
            done, gone = asyncio.ensure_future(work()), asyncio.ensure_future(used.gone.wait())
            try:
                await asyncio.wait((done, gone, denied), return_when=asyncio.FIRST_COMPLETED)
                if done.done():
                    return done.result()
                if denied.done():
                    what = f"The cluster at {self.addresses} does not let this user {denied.result()}"
                    raise DeniedError(f"{what}. It was not done. {ASK_ADMIN}.")
            finally:
                gone.cancel()
                await cancel_all({done})
        raise LostError(f"The cluster at {self.addresses} did not answer before the connection was lost.")

    async def subscribe(self, subject: str, hear: Callable[[Msg], Awaitable[None]], **given: Any) -> Subscription:
        """Hear what goes to a subject, on this connection. Raises LostError."""
        from nats.errors import Error

        try:
            return await self.client.subscribe(subject, cb=hear, **given)
        except (Error, OSError) as error:
            raise LostError(f"The connection to the cluster at {self.addresses} was lost: {self.addresses.hide(error)}.") from None

    def answer(self, data: bytes, asked: str) -> dict[str, Any]:
        """What JetStream said to something. Raises RefusedError, LostError."""
        try:
            answer = json.loads(data)
        except ValueError as error:
            raise LostError(f"The cluster at {self.addresses} gave an answer that cannot be read: {error}.") from None
        if not isinstance(answer, dict):
            raise LostError(f"The cluster at {self.addresses} gave an answer that cannot be read.")
        problem = answer.get("error")
        if problem and problem.get("err_code") in NOT_NOW:
            raise LostError(f"The cluster at {self.addresses} cannot do it now: {self.addresses.hide(problem.get('description'))}.")
        if problem:
            why = self.addresses.hide(problem.get("description", "it did not say why"))
            what = f"The cluster at {self.addresses} refused {asked}: {why}. Nothing was changed. {ASK_ADMIN}."
            refusal = NoStreamError if problem.get("err_code") == NO_STREAM else RefusedError
            raise refusal(what, code=problem.get("err_code", 0), why=why)
        return answer


class Hurry:
    """Asks what is answered soon, or by nobody, as one that has no leader.

    So many seconds are waited at `first`, and twice as long each time that nobody answers: servers may also be slow, or far away.
    """

    def __init__(self, link: Link, first: float) -> None:
        self._link, self._first, self._patience = link, first, first

    async def ask(self, subject: str, question: object = None) -> dict[str, Any]:
        """As Link.ask."""
        try:
            answer = await self._link.ask(subject, question, self._patience)
        except LostError:
            self._patience = min(2 * self._patience, ANSWER)
            raise
        self._patience = self._first
        return answer


async def cancel_all(tasks: AbstractSet[asyncio.Task[Any]]) -> None:
    """End these. Who is told while what it waits for comes may not hear of it, and is told again."""
    while waiting := {one for one in tasks if not one.done()}:
        for one in waiting:
            one.cancel()
        await asyncio.wait(waiting, timeout=AGAIN)
    for one in tasks:
        if not one.cancelled():
            one.exception()  # what it ended with instead: nobody waits for that any more, and asyncio would complain
