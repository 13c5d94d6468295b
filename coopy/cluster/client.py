"""The client, where what lets it in must not be said in the clear.

Whether a connection is to be encrypted a server says itself, in the clear: one that was put in its place, or stands between, says that it need not be, and
nats-py goes by that whatever it was given. So before it says who it is, it is seen to that the connection is encrypted. This is the only file that
imports nats-py at once: whoever needs no cluster does not load it.
"""

from __future__ import annotations

from typing import Any

from nats.aio.client import Client

from coopy.error import ClusterError

__all__ = ["Client", "PrivateClient", "UnencryptedError"]


introduce = Client._connect_command  # noqa: SLF001 - a client that has none says who it is elsewhere: then this fails, and nobody connects


class UnencryptedError(ClusterError):
    """A server offers no TLS, and is to. Nobody was named to it."""


class PrivateClient(Client):
    """Says nothing of a user over a connection that is not encrypted."""

    def _connect_command(self) -> bytes:
        writer = getattr(self._transport, "_io_writer", None)
        if writer is None or writer.get_extra_info("ssl_object") is None:
            what = "it offers no TLS, which tls:// or tls= asks for"
            raise UnencryptedError(f"{what}; no user, password or token was sent there")
        _close_as_tls_does(writer.transport.get_protocol())
        return introduce(self)


def _close_as_tls_does(protocol: Any) -> None:
    """The client makes it as one of a connection in the clear, which stays half open where the other end closes. Over TLS asyncio complains of that."""
    hear_the_end = protocol.eof_received

    def eof_received() -> bool:
        hear_the_end()
        return False

    protocol.eof_received = eof_received
