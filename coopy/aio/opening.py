"""From a class, or an instance of it, and a directory to a proxy for tasks."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any, Generic, Literal, TypedDict, TypeVar, Unpack, overload

from coopy.aio.door import make_door, on_own_thread
from coopy.aio.proxy import Inside, Proxy, close, make_aio_proxy
from coopy.wiring import Options, control, engine_of, open_proxy
from coopy.wiring.systems import register_awaited

if TYPE_CHECKING:
    import os
    import ssl
    from collections.abc import Callable, Generator, Iterable, Mapping
    from types import TracebackType

__all__ = ["Keywords", "Opening", "beside", "open"]

T = TypeVar("T")


class Keywords(TypedDict, total=False):
    """What `open` takes beside the domain and its directory: as `init_system` does."""

    snapshot_time: float
    master: bool
    replication: bool
    port: int
    host: str
    password: str
    durability: Literal["sync", "buffered"]
    sync_interval: float
    validation: Literal["strict", "warn", "off"]
    keep_snapshots: int
    auto_prune: bool
    segment_bytes: int
    compression: Literal["zstd"] | None
    signing_key: bytes | None
    allow: Iterable[str]
    on_divergence: Literal["stop", "warn"]
    on_progress: Callable[[int, int], object] | None
    tls: ssl.SSLContext | None
    min_acks: int
    cluster: str | None
    name: str | None
    assume_durable: bool
    renames: Mapping[str, str] | None


class Opening(Generic[T]):
    """A system that is opened when it is awaited, or entered by `async with`, which closes it at the end."""

    def __init__(self, start: Callable[[], T]) -> None:
        self._start = start
        self._proxy: Proxy[T] | None = None

    def __await__(self) -> Generator[Any, Any, Proxy[T]]:
        return self._open().__await__()

    async def __aenter__(self) -> Proxy[T]:
        self._proxy = await self._open()
        return self._proxy

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._proxy is not None:
            await close(self._proxy)

    async def _open(self) -> Proxy[T]:
        opened: list[Any] = []
        try:
            await on_own_thread(lambda: opened.append(self._start()))
        except asyncio.CancelledError:
            for blocking in opened:
                await on_own_thread(control(blocking).close)
            raise
        return beside(opened[0])


def beside(blocking: T) -> Proxy[T]:
    """The proxy for tasks of a system whose proxy for threads is there. Both may be used at once."""
    engine = engine_of(blocking)
    engine.opener = "coopy.aio.open"
    proxy: Proxy[T] = make_aio_proxy(Inside(engine, make_door(engine, blocking), control(blocking)))
    register_awaited(proxy)
    return proxy


@overload
def open(obj: type[T], basedir: str | os.PathLike[str] | None = None, **options: Unpack[Keywords]) -> Opening[T]: ...  # noqa: A001
@overload
def open(obj: T, basedir: str | os.PathLike[str] | None = None, **options: Unpack[Keywords]) -> Opening[T]: ...  # noqa: A001
def open(obj: Any, basedir: str | os.PathLike[str] | None = None, **options: Unpack[Keywords]) -> Opening[Any]:  # noqa: A001 - `aio.open`
    """Make a domain object durable, and use it from tasks: `async with coopy.aio.open(Wiki, "dir") as wiki`, or `wiki = await coopy.aio.open(...)`.

    Takes what `init_system` takes, and raises what that raises, when it is awaited. The opening runs on a thread of its own, `on_progress` there, too;
    a task that is cancelled meanwhile waits for it, and what was opened is closed again.
    """
    return Opening(functools.partial(open_proxy, obj, basedir, Options(**options)))
