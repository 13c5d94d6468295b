"""The client, where what lets it in must not be said in the clear.

Whether a connection is to be encrypted a server says itself, in the clear: one that was put in its place, or stands between, says that it need not be, and
nats-py goes by that whatever it was given. So before it says who it is, it is seen to that the connection is encrypted. This is the only file that
imports nats-py at once: whoever needs no cluster does not load it.
"""

from __future__ import annotations

from nats.aio.client import Client

from coopy.error import ClusterError

__all__ = ["Client", "PrivateClient", "UnencryptedError"]


introduce = Client._connect_command  # noqa: SLF001 - a client that has none says who it is elsewhere: then this fails, and nobody connects


class UnencryptedError(ClusterError):
    """A server offers no TLS, and is to. Nobody was named to it."""


class PrivateClient(Client):
    """Says nothing of a user over a connection that is not encrypted."""

    def _connect_command(self) -> bytes:
        if not self._is_encrypted():
            what = "it offers no TLS, which tls:// or tls= asks for"
            raise UnencryptedError(f"{what}; no user, password or token was sent there")
        return introduce(self)

    def _is_encrypted(self) -> bool:
        writer = getattr(self._transport, "_io_writer", None)
        return writer is not None and writer.get_extra_info("ssl_object") is not None
