"""Where the servers are, as `cluster=` says: "nats://user:password@host:4222?monitor=8222,nats://...". Passwords never leave here as text to be shown."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from coopy.error import UsageError

__all__ = ["Addresses", "Server", "read_addresses"]

SCHEMES = ("nats", "tls")
PORT, MONITOR = 4222, 8222
HIDDEN = "***"


class Server(msgspec.Struct, frozen=True):
    """One server. `url`: what the client takes, credentials and all; `monitor`: where it answers questions about itself."""

    url: str
    host: str
    port: int
    monitor: int

    def __str__(self) -> str:
        return f"{_bracketed(self.host)}:{self.port}"

    @property
    def varz(self) -> str:
        """Where it says what it is."""
        return f"http://{_bracketed(self.host)}:{self.monitor}/varz"


class Addresses(msgspec.Struct, frozen=True):
    """All servers. `secrets`: what must not be shown; `credentials`: a file with a user's key, empty without one."""

    servers: tuple[Server, ...]
    secrets: tuple[str, ...]
    credentials: str = ""

    def __str__(self) -> str:
        return ", ".join(map(str, self.servers))

    def hide(self, text: object) -> str:
        """A text in which somebody else may have put a password."""
        shown = str(text) or type(text).__name__
        for secret in self.secrets:
            shown = shown.replace(secret, HIDDEN)
        return shown


def read_addresses(cluster: Any) -> Addresses:
    """What `cluster=` names. Raises UsageError, without any password in it."""
    if not isinstance(cluster, str) or not cluster.strip():
        raise UsageError('cluster= is a string of addresses: "nats://one:4222,nats://two:4222,nats://three:4222".', option="cluster")
    servers, secrets, credentials = [], set[str](), ""
    for number, text in enumerate(cluster.split(","), 1):
        server, hidden, file = _read(text.strip(), number)
        servers.append(server)
        secrets |= hidden
        credentials = file or credentials
    return Addresses(tuple(servers), tuple(sorted(secrets, key=len, reverse=True)), credentials)


def _read(text: str, number: int) -> tuple[Server, set[str], str]:
    wrong = UsageError(
        f"cluster= has an address that cannot be: number {number}. It is like nats://host:4222 or nats://user:password@host:4222.",
        option="cluster",
    )
    try:
        parts = urlsplit(text if "://" in text else f"nats://{text}")
        host, port = parts.hostname, parts.port or PORT
        options = {key: values[-1] for key, values in parse_qs(parts.query, strict_parsing=bool(parts.query)).items()}
        monitor = int(options.pop("monitor", MONITOR))
    except ValueError:
        raise wrong from None
    credentials = options.pop("credentials", "")
    if parts.scheme not in SCHEMES or not host or parts.path.strip("/") or parts.fragment or options or not 0 < monitor < 1 << 16:
        raise wrong
    user = parts.netloc.rpartition("@")[0]
    url = f"{parts.scheme}://{f'{user}@' if user else ''}{_bracketed(host)}:{port}"
    hidden = {one for one in (parts.password, parts.username if parts.password is None else None) if one}
    return Server(url, host, port, monitor), hidden, credentials


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
