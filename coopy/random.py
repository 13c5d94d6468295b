"""What domain code may ask for chance. Inside an action: numbers that a replay draws again; elsewhere the system's own randomness.

An action's generator is seeded by BLAKE2b(secret, LSN, time), so that nothing is stored for a draw and nothing can be guessed from
outside. It is made when the action draws first.
"""

from __future__ import annotations

import hashlib
import random as _random
import struct
import sys
import uuid
from typing import TYPE_CHECKING, Any

from coopy.clock import running

if TYPE_CHECKING:
    from coopy.clock import Moment

__all__ = [
    "Random", "betavariate", "choice", "choices", "expovariate", "gammavariate", "gauss", "getrandbits", "lognormvariate", "normalvariate",
    "paretovariate", "randbytes", "randint", "random", "randrange", "sample", "shuffle", "token_bytes", "token_hex", "triangular", "uniform",
    "uuid4", "vonmisesvariate", "weibullvariate",
]  # fmt: skip

DEFAULT_BYTES = 32


def _seeded(now: Moment) -> _random.Random:
    seed = hashlib.blake2b(struct.pack("<QQ", now.lsn, now.time_us), digest_size=32, key=now.secret).digest()
    return _random.Random(seed)  # noqa: S311 - it must give the same numbers again; the seed cannot be guessed


class Random(_random.SystemRandom):
    """`random.Random` for domain code, and `uuid4`, `token_hex`, `token_bytes`. It has no state: `seed` and `getstate` mean nothing here."""

    def random(self) -> float:
        """A number from 0 to below 1."""
        now = running()
        return super().random() if now is None else _generator(now).random()

    def getrandbits(self, k: int, /) -> int:
        """An integer of `k` random bits."""
        now = running()
        return super().getrandbits(k) if now is None else _generator(now).getrandbits(k)

    def randbytes(self, n: int) -> bytes:
        """`n` random bytes."""
        return self.getrandbits(n * 8).to_bytes(n, "little")

    def gauss(self, mu: float = 0.0, sigma: float = 1.0) -> float:
        """A number of the normal distribution; unlike the standard library's it keeps no second value for the next call."""
        return self.normalvariate(mu, sigma)

    def uuid4(self) -> uuid.UUID:
        """A random UUID, version 4 (RFC 9562)."""
        return uuid.UUID(bytes=self.randbytes(16), version=4)

    def token_bytes(self, nbytes: int = DEFAULT_BYTES) -> bytes:
        """Random bytes, as `secrets.token_bytes`."""
        return self.randbytes(nbytes)

    def token_hex(self, nbytes: int = DEFAULT_BYTES) -> str:
        """Random bytes as hexadecimal text, as `secrets.token_hex`."""
        return self.randbytes(nbytes).hex()

    def __copy__(self) -> Random:
        return self

    def __deepcopy__(self, _memo: object) -> Random:
        """The same, as of a clock."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """By its class alone: it has no state."""
        return Random, ()


def _generator(now: Moment) -> _random.Random:
    if now.generator is None or now.generator_lsn != now.lsn:
        now.generator, now.generator_lsn = _seeded(now), now.lsn
    return now.generator


_default = Random()
random, getrandbits, randbytes, uniform = _default.random, _default.getrandbits, _default.randbytes, _default.uniform
randint, randrange, triangular = _default.randint, _default.randrange, _default.triangular
betavariate, expovariate, gauss, normalvariate = _default.betavariate, _default.expovariate, _default.gauss, _default.normalvariate
gammavariate, lognormvariate, paretovariate = _default.gammavariate, _default.lognormvariate, _default.paretovariate
vonmisesvariate, weibullvariate = _default.vonmisesvariate, _default.weibullvariate
choice, choices, sample, shuffle = _default.choice, _default.choices, _default.sample, _default.shuffle
uuid4, token_bytes, token_hex = _default.uuid4, _default.token_bytes, _default.token_hex


if sys.version_info >= (3, 12):
    binomialvariate = _default.binomialvariate
    __all__ += ["binomialvariate"]
