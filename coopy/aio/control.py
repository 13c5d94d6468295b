"""What can be done with a system beside calling it, awaited."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Generic, Literal, TypeVar, cast

from coopy.aio.proxy import Proxy, close, inside_of
from coopy.wiring.linear import linearizable as linear

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from coopy.cluster.tally import Compared
    from coopy.engine.restored import Restored
    from coopy.engine.settled import Block
    from coopy.engine.stats import Stats
    from coopy.engine.verify import Verified

__all__ = ["Control", "control", "linearizable"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Control(Generic[T_co]):
    """As `coopy.Control`; what waits for a disk, a lock or another system is awaited. `async with` gives the proxy and closes the system.

    `changes` and `at` are those of `coopy.control(coopy.aio.control(x).blocking)`: they read the journal, so call them on a thread.

    A cancelled `take_snapshot`, `prune`, `promote` or `close` is over before CancelledError is raised; the others are left to themselves.
    """

    def __init__(self, proxy: Proxy[T_co]) -> None:
        self._proxy, self._inside = proxy, inside_of(proxy)
        self._blocking, self._door = self._inside.control, self._inside.door

    async def __aenter__(self) -> Proxy[T_co]:
        return self._proxy

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        await self.close()

    @property
    def proxy(self) -> Proxy[T_co]:
        """What `open` gave."""
        return self._proxy

    @property
    def blocking(self) -> T_co:
        """What `init_system` would have given: for threads of this process, not for tasks, whose loop it would hold up."""
        blocking: T_co = self._door.blocking
        return blocking

    # --- what can be seen at once ------------------------------------------------------------------------------------

    @property
    def lsn(self) -> int:
        """The LSN of the last action."""
        return self._blocking.lsn

    @property
    def restored(self) -> Restored:
        """As `coopy.Control.restored`."""
        return self._blocking.restored

    @property
    def snapshot_problem(self) -> str:
        """As `coopy.Control.snapshot_problem`."""
        return self._blocking.snapshot_problem

    @property
    def role(self) -> Literal["alone", "primary", "replica", "node"]:
        """What this system is among others."""
        return self._blocking.role

    @property
    def address(self) -> tuple[str, int]:
        """Host and port: where a primary listens, or where a replica's primary does. Raises UsageError where there is neither."""
        return self._blocking.address

    @property
    def lag(self) -> int:
        """Of a replica: how many actions the primary is known to have that were not executed here."""
        return self._blocking.lag

    @property
    def staleness(self) -> float:
        """Of a replica: how old its answers may be at most, in seconds; infinite where it was never level with the primary in this run."""
        return self._blocking.staleness

    @property
    def problem(self) -> str:
        """Of a replica or a node: why it does not follow at the moment; empty while it does."""
        return self._blocking.problem

    def basedir_abspath(self) -> list[str]:
        """The absolute path of the directory, in a list."""
        return self._blocking.basedir_abspath()

    # --- what is awaited ---------------------------------------------------------------------------------------------

    async def take_snapshot(self, *, background: bool = False) -> int:
        """Write the state as a snapshot; gives its LSN. Calls wait meanwhile, the loop does not; with `background` neither does."""
        return cast("int", await self._door.alone(functools.partial(self._blocking.take_snapshot, background=background)))

    async def wait_snapshot(self) -> int:
        """As `coopy.Control.wait_snapshot`. A cancelled caller leaves it to itself."""
        return cast("int", await self._door.look(self._blocking.wait_snapshot))

    async def prune(self) -> list[str]:
        """Drop the part of the journal that no kept snapshot needs; gives the names of the files that went."""
        return cast("list[str]", await self._door.alone(self._blocking.prune))

    async def close(self) -> None:
        """Finish what runs and close. A second time it does nothing. Tasks that wait for an action hear how it ended."""
        await close(self._proxy)

    async def digest(self) -> str:
        """The digest of the state: equal states give equal digests in any process. Recorded, so that `verify` can compare with it."""
        return cast("str", await self._door.look(self._blocking.digest))

    async def verify(self) -> Verified:
        """As `coopy.Control.verify`. A cancelled caller leaves it to run to its end."""
        return cast("Verified", await self._door.look(self._blocking.verify))

    async def stats(self) -> Stats:
        """As `coopy.Control.stats`."""
        return cast("Stats", await self._door.briefly(self._blocking.stats))

    async def wait_durable(self) -> int:
        """Return when all calls so far are on stable storage; gives the LSN up to which they are. Raises DurabilityError."""
        return cast("int", await self._door.look(self._blocking.wait_durable))

    async def token(self) -> str:
        """What this system shows now, for `wait_for` on a replica of it, or on another node."""
        return cast("str", await self._door.briefly(lambda: self._blocking.token))

    async def wait_for(self, token: str, timeout: float = 5.0) -> int:  # noqa: ASYNC109 - as coopy.Control's: how long the replica may take
        """As `coopy.Control.wait_for`. A thread waits for up to `timeout` seconds, also when its caller was cancelled."""
        return cast("int", await self._door.look(functools.partial(self._blocking.wait_for, token, timeout)))

    async def barrier(self, timeout: float | None = None) -> int:  # noqa: ASYNC109 - as coopy.Control's: how long the cluster may take
        """As `coopy.Control.barrier`. A cancelled caller leaves it to itself."""
        return cast("int", await self._door.look(functools.partial(self._blocking.barrier, timeout)))

    async def share_snapshot(self) -> int:
        """As `coopy.Control.share_snapshot`."""
        return cast("int", await self._door.alone(self._blocking.share_snapshot))

    async def prune_cluster(self, timeout: float = 60.0) -> list[str]:  # noqa: ASYNC109 - as coopy.Control's: how long the nodes may take
        """As `coopy.Control.prune_cluster`."""
        return cast("list[str]", await self._door.alone(functools.partial(self._blocking.prune_cluster, timeout)))

    async def compare(self, timeout: float = 60.0) -> Compared:  # noqa: ASYNC109 - as coopy.Control's: how long the nodes may take
        """As `coopy.Control.compare`. A cancelled caller leaves it to itself."""
        return cast("Compared", await self._door.look(functools.partial(self._blocking.compare, timeout)))

    async def promote(
        self, host: str = "127.0.0.1", port: int | None = None, *, min_acks: int = 0, tls: ssl.SSLContext | None = None, after: int = 0
    ) -> int:
        """As `coopy.Control.promote`."""
        promote = functools.partial(self._blocking.promote, host, port, min_acks=min_acks, tls=tls, after=after)
        return cast("int", await self._door.alone(promote))


def linearizable(proxy: Proxy[T]) -> Block:
    """As `coopy.linearizable`, for the queries that are awaited in the block: `with coopy.aio.linearizable(wiki): await wiki.read()`."""
    return linear(inside_of(proxy).door.blocking)


def control(proxy: Proxy[T]) -> Control[T]:
    """The operations of the system behind a proxy for tasks. Raises UsageError for anything else."""
    return Control(proxy)
