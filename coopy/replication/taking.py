"""The replica's side of the protocol: what came goes in, what is to be sent comes out. No sockets, no threads, no waiting; time is asked for.

    receive    a message changes where the session stands: one method each, `_HEAR` below; wire.py says which may come when
    frames     what has come of the journal and was not taken yet: whoever drives it has it taken, and says so to `acknowledge`
    next       what is to be sent now
    wait       how long there is nothing to do unless something comes
    lent       around what may take long; meanwhile another thread may ask `pulse` for a sign of life

Where what comes belongs, and what is there already, is the `Home`'s to know.
"""

from __future__ import annotations

import math
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from coopy.error import AuthenticationError, ReplicaError
from coopy.replication.handshake import AUTHENTICATION, CLOSING
from coopy.replication.wire import (
    BEAT,
    PATIENCE,
    Ack,
    Beat,
    Challenge,
    Chunk,
    Connection,
    First,
    Frames,
    Hello,
    LostError,
    Proof,
    Refused,
    Side,
    Verified,
    Welcome,
)
from coopy.snapshot import snapshot_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from coopy.disk import File
    from coopy.engine.archive import Archive
    from coopy.engine.opening import Place
    from coopy.replication.auth import Prover
    from coopy.replication.wire import Message

__all__ = ["Home", "RefusedError", "Taking"]


class RefusedError(ReplicaError):
    """The primary will not have this replica, and why. It passes only if somebody does something."""


class Home(Protocol):
    """What a session asks of whoever follows. `place`: where a snapshot file comes to; `received`: bytes of frames, of all sessions."""

    place: Place | Archive
    received: int

    def hello(self) -> Hello:
        """What is here. It may have to wait for a snapshot that is taken here, so it is asked before the primary waits."""

    def accept(self, welcome: Welcome) -> None:
        """Check who it is, before anything is taken from it, and stand where its frames begin. Raises ReplicaError, PeerError."""

    def replace(self, welcome: Welcome, temporary: str) -> None:
        """A snapshot file has come whole and is on stable storage: it takes the place of all that is here."""

    def beat(self, lsn: int) -> None:
        """The primary has everything up to this LSN."""


class Taking:
    """A session with a primary. `hello`: what the home has. `is_streaming`: frames come, into `frames`.

    One thread uses it, but for `pulse`.
    """

    def __init__(self, home: Home, hello: Hello, primary: str, prover: Prover, now: Callable[[], float]) -> None:
        self._home, self._hello, self._primary, self._prover, self._now = home, hello, primary, prover, now
        self.lent: Callable[[], AbstractContextManager[None]] = nullcontext
        self.frames = bytearray()
        self.is_streaming = False
        self._connection = Connection(Side.REPLICA)
        self._out = [self._connection.send(First(self._prover.first))]
        self._deadline, self._next_beat = now() + PATIENCE, math.inf
        self._acked, self._said = 0, -1
        self._welcome: Welcome | None = None
        self._file: File | None = None  # the snapshot, while it comes
        self._path, self._offset = "", 0

    # --- in and out --------------------------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """What came, empty where nothing did. Raises what is wrong with it: the session is of no use then. LostError: nothing comes any more."""
        now = self._now()
        if data and self._welcome is not None:
            self._deadline = now + PATIENCE
        if now >= self._deadline:
            raise LostError(f"The primary at {self._primary} has said nothing for too long.")
        for message in self._connection.receive(data):
            self._HEAR[type(message)](self, message)

    def next(self) -> bytes:
        """What is to be sent now; empty: nothing."""
        if self._now() >= self._next_beat:
            self._say_acked()
        out, self._out = b"".join(self._out), []
        return out

    def wait(self) -> float:
        """Seconds until `next` is to be asked again though nothing came."""
        return max(min(self._deadline, self._next_beat) - self._now(), 0)

    def acknowledge(self, lsn: int) -> None:
        """Everything up to this LSN is on stable storage here."""
        self._acked = lsn
        if lsn > self._said:
            self._said = lsn
            self._say_acked()

    def ask(self) -> None:
        """Have the primary look whether there is more by now: somebody waits for it here."""
        self._say_acked()

    def pulse(self, lsn: int) -> bytes:
        """As `next`, if a sign of life is due. From another thread, within `lent` only. Everything up to this LSN is on stable storage by then."""
        if self._now() < self._next_beat:
            return b""
        self._acked = max(self._acked, lsn)
        return self.next()

    def close(self) -> None:
        """Give back what is open; a snapshot that did not come whole goes. May be repeated."""
        file, self._file = self._file, None
        if file is not None:
            file.close()
        if self._path and self._home.place.disk.exists(self._path):
            with suppress(OSError):  # what ended the session is what its owner must hear; the next session begins the file anew
                self._home.place.disk.unlink(self._path)

    def _say(self, message: Message) -> None:
        self._out.append(self._connection.send(message))

    def _say_acked(self) -> None:
        self._next_beat = self._now() + BEAT
        self._say(Ack(self._acked))

    # --- who is it ---------------------------------------------------------------------------------------------------------

    def _challenge(self, message: Challenge) -> None:
        self._say(Proof(self._prover.prove(message.text)))

    def _verified(self, message: Verified) -> None:
        self._prover.check(message.text)
        self._say(self._hello)
        self._deadline = self._now() + 4 * PATIENCE  # it may have to look for our place in a long journal

    def _refused(self, message: Refused) -> None:
        text = "".join(one for one in message.text if one.isprintable())
        if message.code == AUTHENTICATION:
            what = f"The primary at {self._primary} does not accept the password"
            raise AuthenticationError(f"{what}: pass the password= that it was started with. Nothing was changed here.")
        if message.code == CLOSING:
            raise LostError(f"The primary at {self._primary} said: {text}.")
        what = f"The primary at {self._primary} refused this replica: {text}"
        raise RefusedError(f"{what}. Nothing was changed here.", primary=self._primary, code=message.code)

    # --- what comes --------------------------------------------------------------------------------------------------------

    def _welcomed(self, message: Welcome) -> None:
        self._welcome = message
        now = self._now()
        self._deadline, self._next_beat = now + PATIENCE, now + BEAT
        self._acked = 0 if message.snapshot else message.lsn
        with self.lent():
            self._home.accept(message)
        if message.snapshot:
            self._begin_snapshot(message)
        else:
            self.is_streaming = True

    def _begin_snapshot(self, welcome: Welcome) -> None:
        """The file comes under a temporary name."""
        disk = self._home.place.disk
        self._path, self._offset = self._home.place.path(snapshot_name(welcome.lsn)) + ".tmp", 0
        if disk.exists(self._path):
            disk.unlink(self._path)
        self._file = disk.create(self._path)

    def _chunk(self, message: Chunk) -> None:
        file, welcome = self._file, self._welcome
        assert file is not None
        assert welcome is not None
        file.write(self._offset, message.data)
        self._offset += len(message.data)
        if self._offset == welcome.snapshot:
            file.sync()
            file.close()
            self._file = None
            with self.lent():
                self._home.replace(welcome, self._path)
            self.is_streaming = True

    def _frames(self, message: Frames) -> None:
        self.frames += message.data
        self._home.received += len(message.data)

    def _beat(self, message: Beat) -> None:
        self._home.beat(message.lsn)

    _HEAR: ClassVar[dict[type[Message], Callable[[Taking, Any], None]]] = {
        Challenge: _challenge, Verified: _verified, Welcome: _welcomed, Chunk: _chunk, Frames: _frames, Beat: _beat, Refused: _refused,
    }  # fmt: skip
