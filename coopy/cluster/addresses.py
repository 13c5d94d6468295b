"""Where the servers are, as `cluster=` says: "nats://user:password@host:4222?monitor=8222,nats://...". Passwords never leave here as text to be shown."""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import msgspec

from coopy.error import UsageError

__all__ = ["Addresses", "Server", "bracketed", "read_addresses"]

SCHEMES = ("nats", "tls")
PORT, MONITOR = 4222, 8222
HIDDEN = "***"


class Server(msgspec.Struct, frozen=True):
    """One server. `url`: without a password; `login`: what lets one in, as the client takes it; `monitor`: where it answers questions about itself."""

    url: str
    host: str
    port: int
    monitor: int
    login: dict[str, str]

    def __str__(self) -> str:
        return f"{bracketed(self.host)}:{self.port}"

    @property
    def private(self) -> bool:
        """Whether a connection to it must be encrypted."""
        return self.url.startswith("tls:")


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
        f"cluster= has an address that cannot be: number {number}. It is like nats://host:4222 or nats://user:password@host:4222;"
        " in a password , / ? # % are %2C %2F %3F %23 %25.",
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
    hidden = {one for one in (parts.password, parts.username if parts.password is None else None) if one}
    url = f"{parts.scheme}://{bracketed(host)}:{port}"
    return Server(url, host, port, monitor, _login(parts)), hidden | {unquote(one) for one in hidden}, credentials


def _login(parts: SplitResult) -> dict[str, str]:
    """A user and a password, or a token, which stands alone."""
    if parts.password is not None:
        return {"user": unquote(parts.username or ""), "password": unquote(parts.password)}
    return {"token": unquote(parts.username)} if parts.username else {}


def bracketed(host: str) -> str:
    """A host as an address has it, also where it is a number of IPv6."""
    return f"[{host}]" if ":" in host else host
