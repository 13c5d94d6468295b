"""Snapshots between nodes: files in an object store at the servers, each under a name that is used once, and known by its SHA-256.

The store is not the shared journal: a message of that says which file is meant, and what it must be. So whatever happens to the store, a wrong file is not
taken. All of this is asked on the link's thread.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import secrets
from threading import Lock
from typing import TYPE_CHECKING, Any

import msgspec

from coopy.cluster.link import PATIENCE, Hurry, LostError, NoStreamError, cancel_all
from coopy.cluster.stream import REPLICAS
from coopy.error import ClusterError
from coopy.logs import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from coopy.cluster.stream import Stream
    from coopy.disk import Disk, File

__all__ = ["GoneError", "Store", "Stored"]


log = logger("cluster")
ANSWER = 3.0  # seconds for one piece
SOON = 0.5  # seconds to say whether it has a leader, at first
STALLED = 10.0  # seconds without a piece: what is dropped while it is read simply ends to come
API = ("STREAM.CREATE.", "STREAM.INFO.", "STREAM.PURGE.", "STREAM.MSG.GET.", "CONSUMER.CREATE.", "DIRECT.GET.")  # what is asked of it


class GoneError(ClusterError):
    """There is no such snapshot (any more)."""


class Stored(msgspec.Struct, frozen=True):
    """Which file it is, and what it must be."""

    name: str
    digest: bytes
    size: int


class Store:
    """The object store of one cluster."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._hurry = Hurry(stream.link, SOON)
        self._concerns = {f"{one}OBJ_{stream.bucket}": f"$JS.API.{one}OBJ_{stream.bucket}" for one in API}
        self._concerns[f"$O.{stream.bucket}."] = f"$O.{stream.bucket}.>"

    async def put(self, disk: Disk, path: str) -> Stored:
        """Send a file, under a name of its own. Raises ClusterError where that fails for long; what is there of it then is nobody's."""
        return await self._stream.link.again(lambda: self._put(disk, path), PATIENCE)

    async def _put(self, disk: Disk, path: str) -> Stored:
        bucket, name = await self._bucket(), secrets.token_hex(16)
        try:
            file = disk.open_read(path)
        except FileNotFoundError:
            what = f"{path} was to be sent to the cluster, and is not there any more: newer snapshots took its place here"
            raise ClusterError(f"{what}. Nothing is lost by that; call it again.") from None
        try:
            source = _Source(file)
            await self._kept(lambda: bucket.put(name, source), f"The snapshot {name} could not be sent to")
        finally:
            file.close()
        return Stored(name, source.digest, source.size)

    async def verify(self, stored: Stored) -> None:
        """Read it again, as a new node would. Raises ClusterError where it is not what it must be, GoneError where there is none."""
        await self._stream.link.again(lambda: self._read(stored, _Sink(None, stored.size)), PATIENCE)

    async def get(self, stored: Stored, disk: Disk, path: str) -> None:
        """Have a file here, on stable storage, under a path that is new. Raises ClusterError where it cannot be had as it must be.

        GoneError where there is none; OSError of the disk.
        """
        await self._stream.link.again(lambda: self._get(stored, disk, path), PATIENCE)

    async def _get(self, stored: Stored, disk: Disk, path: str) -> None:
        file = disk.create(path)
        sink = _Sink(file, stored.size)
        try:
            await self._read(stored, sink)
            file.sync()
        except BaseException:
            sink.end()
            file.close()
            disk.unlink(path)
            raise
        file.close()

    async def _read(self, stored: Stored, sink: _Sink) -> None:
        from nats.js.errors import ObjectNotFoundError

        bucket = await self._bucket()
        try:
            await self._kept(
                lambda: _while_it_comes(bucket.get(stored.name, sink), sink), f"The snapshot {stored.name} could not be had from"
            )
        except LostError as error:
            if sink.trouble is not None:  # of this disk, and not of the cluster
                raise sink.trouble from error
            if isinstance(error.__cause__, ObjectNotFoundError):
                raise GoneError(str(error)) from None
            raise
        if (sink.digest, sink.size) != (stored.digest, stored.size):
            what = f"The snapshot {stored.name} at the cluster at {self._stream.link.addresses} is not what the stream says that it is"
            raise ClusterError(f"{what}: {sink.size:,} bytes of {stored.size:,}. It was not taken, and nothing was changed.")

    async def drop(self, name: str) -> None:
        """It is nobody's any more. Where that fails for long it stays."""
        try:
            await self._stream.link.again(lambda: self._drop(name), PATIENCE)
        except ClusterError as error:
            log.warning("The snapshot %s stays in %s, and is nobody's: %s", name, self._stream.bucket, error)

    async def _drop(self, name: str) -> None:
        from nats.js.errors import ObjectNotFoundError

        bucket = await self._bucket()
        try:
            await self._kept(lambda: bucket.delete(name), f"The snapshot {name} could not be removed from")
        except LostError as error:
            if not isinstance(error.__cause__, ObjectNotFoundError):  # it was dropped before
                raise

    async def _bucket(self) -> Any:
        from nats.js.api import StorageType

        context = self._stream.link.client.jetstream(timeout=ANSWER)
        about = await self._stream.look()
        replicas = about.replicas if about is not None else REPLICAS
        bucket = await self._kept(
            lambda: context.create_object_store(self._stream.bucket, storage=StorageType.FILE, replicas=replicas),
            "There is no place for snapshots at",
        )
        await self._check_leader()
        return bucket

    async def _check_leader(self) -> None:
        """Raises LostError where it has none, as when another node has made it a moment ago: what it is asked then is never answered.

        Not every server has heard then that it is there.
        """
        link, name = self._stream.link, f"OBJ_{self._stream.bucket}"
        try:
            cluster = (await self._hurry.ask(f"STREAM.INFO.{name}")).get("cluster")
        except NoStreamError:
            raise LostError(f"The object store {name} at the cluster at {link.addresses} is not there yet.") from None
        if cluster is not None and not cluster.get("leader"):
            raise LostError(f"The object store {name} at the cluster at {link.addresses} has no leader yet.")

    async def _kept(self, work: Callable[[], Any], what: str) -> Any:
        import nats.errors

        try:
            return await self._stream.link.unless_denied(work, self._concerns)
        except (nats.errors.Error, TimeoutError, OSError, EOFError) as error:
            addresses = self._stream.link.addresses
            why = addresses.hide(getattr(error, "description", None) or error)
            raise LostError(f"{what} the cluster at {addresses}: {why}. Nothing was changed; try it again.") from error


async def _while_it_comes(work: Coroutine[Any, Any, Any], sink: _Sink) -> None:
    """Do it as long as there is something new in the sink. Raises what it raises, and TimeoutError."""
    task, size = asyncio.ensure_future(work), -1
    try:
        while not task.done():
            if sink.size == size and not sink.busy:
                raise TimeoutError(f"for {STALLED:g} seconds nothing of it came")
            size = sink.size
            await asyncio.wait((task,), timeout=STALLED)
        task.result()
    finally:
        await cancel_all({task})


class _Source(io.RawIOBase):
    """A file as the client reads it."""

    def __init__(self, file: File) -> None:
        super().__init__()
        self._file, self._hasher, self.size = file, hashlib.sha256(), 0

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(self.size, len(buffer))
        buffer[: len(data)] = data
        self._hasher.update(data)
        self.size += len(data)
        return len(data)

    @property
    def digest(self) -> bytes:
        """Of what was read so far."""
        return self._hasher.digest()


class _Sink(io.RawIOBase):
    """A file as the client writes it, and no more than it is to be; None: it is only looked at. `trouble`: why the disk did not take it; `busy`: it does now."""

    def __init__(self, file: File | None, most: int) -> None:
        super().__init__()
        self.trouble: OSError | None = None
        self.busy = False
        self._guard, self._over = Lock(), False
        self._file, self._hasher, self._most, self.size = file, hashlib.sha256(), most, 0

    def write(self, data: Any) -> int:
        if self.size + len(data) > self._most:
            raise EOFError(f"it is larger than {self._most:,} bytes")
        with self._guard:
            if self._over:
                raise EOFError("nobody wants it any more")
            self.busy = True
            self._keep(data)
            self.busy = False
        self._hasher.update(data)
        self.size += len(data)
        return len(data)

    def _keep(self, data: Any) -> None:
        if self._file is not None:
            try:
                self._file.write(self.size, data)
            except OSError as error:
                self.trouble = error
                raise

    def end(self) -> None:
        """The file is about to be closed: a thread that still writes has done so, and none does any more."""
        with self._guard:
            self._over = True

    @property
    def digest(self) -> bytes:
        """Of what was written so far."""
        return self._hasher.digest()
