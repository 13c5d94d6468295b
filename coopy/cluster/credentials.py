"""A user's key in a file: as `nsc` writes it, with the servers' word for it (a JWT), or the key's seed alone.

The file is read whenever a connection is made, so what was renewed there counts from then on. It is read here, and not by the client, which waits for
ever where it does not find what it looks for. Neither key nor token is ever shown.
"""

from __future__ import annotations

import base64
import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from coopy.error import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Credentials", "read_credentials"]

LARGEST = 1 << 20
_JWT = re.compile(rb"-----BEGIN NATS USER JWT-----\s+([\w.-]+)\s+-----")
_SEED = re.compile(rb"(?:-----BEGIN USER NKEY SEED-----\s+|\A\s*)(SU[A-Z2-7]{56})(?:\s+-----|\s*\Z)")


class Credentials(msgspec.Struct, frozen=True):
    """`seed`: of the user's key; `jwt`: what the servers' operator says of it, empty where the servers know the key itself."""

    seed: str
    jwt: str = ""

    def options(self) -> dict[str, Any]:
        """As the client takes them."""
        if not self.jwt:
            return {"nkeys_seed_str": self.seed}
        return {"user_jwt_cb": lambda: bytearray(self.jwt.encode()), "signature_cb": self._sign}

    def _sign(self, nonce: str) -> bytes:
        signed: bytes = base64.b64encode(_key_of(self.seed).sign(nonce.encode()))
        return signed


def read_credentials(path: str) -> Credentials:
    """What the file says. Raises UsageError where it cannot be used, without anything of what stands in it."""
    try:
        with Path(path).open("rb") as file:
            text = file.read(LARGEST)
    except OSError as error:
        raise UsageError(f"The credentials file {path} cannot be read: {error.strerror}. Nothing was changed.", option="cluster") from error
    seed, jwt = _SEED.search(text), _JWT.search(text)
    if seed is None or (jwt is None and b"JWT" in text):
        raise _unusable(path)
    found = Credentials(seed[1].decode(), jwt[1].decode() if jwt is not None else "")
    try:
        _key_of(found.seed)
    except _nkeys().NkeysError:
        raise _unusable(path) from None
    return found


def _unusable(path: str) -> UsageError:
    what = f"The credentials file {path} holds no user's key: neither what nsc writes (a user's JWT and its seed) nor a seed alone (SU...)"
    return UsageError(f"{what}. Nothing was changed. Have an administrator of the servers make another.", option="cluster")


def _key_of(seed: str) -> Any:
    from_seed: Callable[[bytearray], Any] = _nkeys().from_seed
    return from_seed(bytearray(seed.encode()))


def _nkeys() -> Any:
    try:
        return import_module("nkeys")
    except ImportError as error:
        raise UsageError('A credentials file needs the package nkeys: `pip install "nats-py[nkeys]"`.', option="cluster") from error
