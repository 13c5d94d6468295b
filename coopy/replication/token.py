"""Read your own writes: a token says what a caller has seen of a primary, and a replica waits until it shows as much.

A token is text, "system.epoch.LSN" with the system's id in hexadecimal: it may travel in a cookie or a header. It holds nothing secret. A
failover may cut off the history that a token speaks of; that is told at once, instead of waiting for what never comes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from coopy.error import ReplicaError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["check_token", "make_token", "read_token"]

_FORM = re.compile(r"([0-9a-f]{32})\.([0-9]{1,10})\.([0-9]{1,19})", re.ASCII)


def make_token(system: bytes, epoch: int, lsn: int) -> str:
    """What `check_token` and `read_token` read."""
    return f"{system.hex()}.{epoch}.{lsn}"


def read_token(token: str) -> tuple[bytes, int, int] | None:
    """System, epoch and LSN of a token; None for what is none."""
    match = _FORM.fullmatch(str(token))
    return (bytes.fromhex(match[1]), int(match[2]), int(match[3])) if match is not None else None


def check_token(token: str, system: bytes, eras: Iterable[tuple[int, int]], primary: str) -> int:
    """The LSN to wait for. `eras`: (LSN, epoch), records behind this LSN are of this epoch or a later one.

    Raises ReplicaError for a token of another system, one that is none, and one whose history was cut off.
    """
    found = read_token(token)
    if found is None:
        raise ReplicaError(f"{token!r} is no token: control(primary).token gives one.", primary=primary)
    whose, epoch, lsn = found
    if whose != system:
        what = "The token is of another system, so nothing here will ever show what its caller saw"
        raise ReplicaError(f"{what}. Take it from the primary at {primary}.", primary=primary)
    for since, newer in eras:
        if newer > epoch and since < lsn:
            what = f"The token is of epoch {epoch}, LSN {lsn}, but history went on in epoch {newer} from LSN {since}: what its caller saw was cut off"
            raise ReplicaError(f"{what}. Read anew, and take a token from the primary at {primary}.", primary=primary, lsn=lsn)
    return lsn
