"""A way to the servers that can be cut: clients connect here, and what they and the servers say goes through until it is told not to."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

PIECE = 1 << 16


class Way:
    """To one port. `deaf`: what the server says is swallowed; `mute`: what the client says; `cut()` ends all connections and lets none begin until `mend()`.

    `delay`: seconds that all takes, either way.

    `cut_at`: once a client has said this, it is passed on, what the server says to it is swallowed, and the connection is cut: the client cannot know
    what became of it. It happens once.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self.deaf = self.mute = False
        self.delay = 0.0
        self.cut_at = b""
        self.cuts = 0
        self._open = True
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.cut()
        self._listener.close()

    def cut(self) -> None:
        """No way any more."""
        self._open = False
        self._hang_up()

    def mend(self) -> None:
        """A way again, for new connections."""
        self._open, self.deaf, self.mute = True, False, False

    def _hang_up(self) -> None:
        ends, self._ends = self._ends, []
        for one in ends:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if not self._open:
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            self._hold(client, server)
            threading.Thread(target=self._pass_on, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pass_on, args=(server, client, False), daemon=True).start()

    def _hold(self, *ends: socket.socket) -> None:
        """Until it is cut; perhaps that was meanwhile."""
        self._ends += ends
        if not self._open:
            self._hang_up()

    def _pass_on(self, source: socket.socket, target: socket.socket, from_client: bool) -> None:
        with suppress(OSError):
            while data := source.recv(PIECE):
                time.sleep(self.delay)
                found = from_client and self.cut_at and self.cut_at in data
                if found:
                    self.deaf, self.cut_at = True, b""
                if not (self.mute if from_client else self.deaf):
                    target.sendall(data)
                if found:
                    self.cuts += 1
                    threading.Timer(0.05, self._forget).start()
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)  # to close it ends nothing while the other thread reads from it
            one.close()

    def _forget(self) -> None:
        """The server has had time to store it; the client hears nothing of that."""
        self._hang_up()
        self.deaf = False
