"""Whether what the servers acknowledge is on stable storage: they are asked, for by default they sync every two minutes only, and a power loss takes that.

Each says at its monitoring port which version it is and when it syncs. What is not proven is refused, unless that was asked for.
"""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

from coopy.error import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coopy.cluster.addresses import Addresses, Server

__all__ = ["OLDEST", "AwayError", "prove"]

OLDEST = (2, 14)
PATIENCE = 5.0  # seconds for one answer
LARGEST = 1 << 20
GREETING = 1.0  # seconds in which a server says who it is
WAYS = (
    'Have each server listen for questions (`http: "127.0.0.1:8222"`) and name its port in the address (nats://host:4222?monitor=8222);'
    " assume_durable=True goes on without a proof."
)


class AwayError(ClusterError):
    """Some server is not there: the others will know that in a while, and then it is not one that must be asked."""


def prove(addresses: Addresses, peers: Iterable[str] | None) -> None:
    """Raises ClusterError unless each of these servers, by name, is new enough and syncs every write; None: all that there are. It blocks.

    AwayError where one of them seems to be gone.
    """
    found, silent, away = {}, [], False
    for server in addresses.servers:
        try:
            name, why = _judged(server)
        except (OSError, ValueError) as error:
            silent.append(f"{server} ({addresses.hide(error)})")
            away = away or not _greets(server)
        else:
            found[name] = f"{server}: {why}" if why else ""
    wrong = [why for why in found.values() if why]
    if wrong:
        what = f"What the cluster acknowledges may be lost: {'; '.join(wrong)}. Nothing was changed."
        raise ClusterError(
            f"{what} Set `jetstream {{ sync_interval: always }}` and restart that server; assume_durable=True goes on regardless."
        )
    unknown = sorted(set(peers or ()) - found.keys())
    if unknown or (peers is None and silent):
        which = f"its stream is kept by {', '.join(unknown)}, too" if unknown else "not all of them said so"
        asked = f", and no answer came from {'; '.join(silent)}" if silent else ""
        raise (AwayError if away else ClusterError)(
            f"It is not proven that every server of the cluster at {addresses} syncs what it acknowledges: {which}{asked}. Nothing was changed. {WAYS}"
        )


def _greets(server: Server) -> bool:
    """Whether it is there for clients: without being asked, a server says what it is."""
    try:
        with socket.create_connection((server.host, server.port), GREETING) as connection:
            return connection.recv(1) != b""
    except OSError:
        return False


def _judged(server: Server) -> tuple[str, str]:
    """Its name, and what is wrong with it, if anything is. Raises OSError and ValueError where it does not say."""
    try:
        with urlopen(server.varz, timeout=PATIENCE) as answer:  # noqa: S310 - http only, see Server
            about = json.loads(answer.read(LARGEST))
        version = tuple(int(part) for part in about["version"].partition("-")[0].split("."))
        name, config = str(about["server_name"]), about.get("jetstream", {}).get("config")
    except URLError as error:
        raise OSError(f"{server.varz}: {error.reason}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{server.varz} is no server's") from error
    if version < OLDEST:
        return name, f"it is version {about['version']}, and {'.'.join(map(str, OLDEST))} or newer is needed"
    if not config:
        return name, "it has no JetStream"
    return name, "" if config.get("sync_always") is True else "it does not sync every write"
