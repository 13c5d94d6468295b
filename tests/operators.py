"""An operator of servers, an account and its user, each with a key, and what one says of the other in a JWT: as the program `nsc` makes them, by hand."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from typing import Any

import pytest

nkeys = pytest.importorskip("nkeys")
UNLIMITED = ("subs", "data", "payload", "imports", "exports", "conn", "leaf", "mem_storage", "disk_storage", "streams", "consumer")
CREDENTIALS = """\
-----BEGIN NATS USER JWT-----
{jwt}
------END NATS USER JWT------

************************* IMPORTANT *************************
NKEY Seed printed below can be used to sign and prove identity.

-----BEGIN USER NKEY SEED-----
{seed}
------END USER NKEY SEED------
"""


def make_key(whose: str) -> Any:
    """A key of "operator", "account" or "user"."""
    prefix = getattr(nkeys, f"PREFIX_BYTE_{whose.upper()}")
    return nkeys.from_seed(bytearray(nkeys.encode_seed(os.urandom(32), prefix)))


def seed_of(key: Any) -> str:
    """What stands in a file of it."""
    found: str = key.seed.decode()
    return found


class Operator:
    """Of a server that keeps one account, and one for itself."""

    def __init__(self) -> None:
        self._key, self._account, self._system, self._user = (make_key(whose) for whose in ("operator", "account", "account", "user"))

    def configuration(self, *, revoked: bool = False) -> str:
        """What a server is to be told. `revoked`: of all that the user was given up to now."""
        every = dict.fromkeys(UNLIMITED, -1) | {"wildcards": True}
        none = every | dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), 0)
        gone = {"revocations": {_name(self._user): int(time.time()) + 60}} if revoked else {}
        operator = _says(self._key, self._key, {"type": "operator", "system_account": _name(self._system)})
        account = _says(self._key, self._account, {"type": "account", "limits": every, **gone})
        system = _says(self._key, self._system, {"type": "account", "limits": none})
        preload = f"{_name(self._account)}: {account}, {_name(self._system)}: {system}"
        return f"operator: {operator}\nsystem_account: {_name(self._system)}\nresolver: MEMORY\nresolver_preload: {{ {preload} }}"

    def credentials(self, ends: float = 0.0) -> str:
        """A user's file. `ends`: when, in seconds since 1970; 0: never."""
        says = _says(self._account, self._user, {"type": "user", "subs": -1, "data": -1, "payload": -1}, ends)
        return CREDENTIALS.format(jwt=says, seed=seed_of(self._user))


def _name(key: Any) -> str:
    found: str = key.public_key.decode()
    return found


def _says(issuer: Any, subject: Any, what: dict[str, Any], ends: float = 0.0) -> str:
    claims = {"iat": int(time.time()), "iss": _name(issuer), "sub": _name(subject), "name": "a", "nats": what | {"version": 2}}
    if ends:
        claims["exp"] = int(ends)
    claims["jti"] = base64.b32encode(hashlib.sha256(json.dumps(claims).encode()).digest()).decode().rstrip("=")
    said = f"{_part({'typ': 'JWT', 'alg': 'ed25519-nkey'})}.{_part(claims)}"
    return f"{said}.{_encoded(issuer.sign(said.encode()))}"


def _part(value: dict[str, Any]) -> str:
    return _encoded(json.dumps(value).encode())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
