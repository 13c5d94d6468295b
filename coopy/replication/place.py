"""Where a primary may be, and what it takes to be let in there. Judged before anything is opened, and again whenever a name is looked up.

"127.0.0.1"         this machine alone: plain TCP, and the default password, are good enough
"wiki.example"      anywhere else: TLS, and a password of one's own, or whoever reads the wire reads the state
"unix:wiki.sock"    a file on this machine, for one user: no port, no TLS
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Any, TypeAlias

from coopy.error import UsageError
from coopy.replication.certificate import check_context
from coopy.replication.unix import absolute, check_path, is_unix, path_of
from coopy.replication.wire import LostError

if TYPE_CHECKING:
    import ssl

__all__ = ["DEFAULT_PASSWORD", "Address", "check_place", "resolved", "safe_places", "shown"]

DEFAULT_PASSWORD = "copynet"  # noqa: S105 - the original's, known to everybody, and therefore accepted on loopback only
LONGEST_PASSWORD = 1024
Places: TypeAlias = list[tuple[int, Any]]  # families and addresses


class Address:
    """Where a primary listens, and what it takes to be let in. Shown without the password."""

    __slots__ = ("host", "password", "port", "tls")

    def __init__(self, host: str, port: int, password: str, tls: ssl.SSLContext | None = None) -> None:
        self.host, self.port, self.password, self.tls = absolute(host), port, password, tls

    def __repr__(self) -> str:
        return shown(self.host, self.port)


def shown(host: str, port: int) -> str:
    """A place, for people."""
    if is_unix(host):
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def check_place(host: str, password: str, tls: ssl.SSLContext | None, *, serving: bool) -> None:
    """Raises UsageError for what is not safe or not possible, LostError for a host that nobody knows now. Opens no connection."""
    safe_places(host, 0, password, tls, serving=serving)


def safe_places(host: str, port: int, password: str, tls: ssl.SSLContext | None, *, serving: bool) -> Places:
    """Where that is, each judged by `check_place`: whoever asks for a name again may be told another place."""
    _check_password(password)
    if is_unix(host):
        check_path(host, tls)
        return [(socket.AF_UNIX, path_of(host))]
    if tls is not None:
        check_context(tls, serving=serving)
    places = resolved(host, port)
    elsewhere = [address for _, address in places if not ipaddress.ip_address(address[0].split("%")[0]).is_loopback]
    if elsewhere and tls is None:
        what = f"host={host!r} is not this machine alone, and without TLS everybody on the way reads the state and can change it"
        raise UsageError(f"{what}. Pass tls= (an ssl.SSLContext), or use 127.0.0.1.", option="tls")
    if elsewhere and password == DEFAULT_PASSWORD:
        what = f"host={host!r} is not this machine alone, and the default password is known to everybody"
        raise UsageError(f"{what}. Pass a password= of your own on both sides.", option="password")
    return places


def _check_password(password: str) -> None:
    if not password:
        raise UsageError("password is empty: everybody would know it. Choose one.", option="password")
    if len(password) > LONGEST_PASSWORD:
        what = f"password has {len(password):,} characters, and every connection would cost so much time"
        raise UsageError(f"{what}. Choose one of at most {LONGEST_PASSWORD:,}.", option="password")


def resolved(host: str, port: int) -> Places:
    """The families and addresses of a host. Raises LostError where nobody knows it, UsageError where nobody ever could."""
    if "/" in host:
        raise UsageError(f"host={host!r} is no name of a host. A Unix socket is host={'unix:' + host!r}.", option="host")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM) if host else []
    except (UnicodeError, ValueError) as error:
        raise UsageError(f"host={host!r} is no name of a host.", option="host") from error
    except OSError as error:
        raise LostError(f"host={host!r} is not known here: {error.strerror}. Check the name, or the network.", option="host") from error
    if not found:
        raise UsageError(f"host={host!r} is no name of a host.", option="host")
    return [(family, (str(address[0]), *address[1:])) for family, _, _, _, address in found]
