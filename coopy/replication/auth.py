"""The password, proven in both directions without being sent: SCRAM-SHA-256 (RFC 5802, 7677), by scramp.

Where the connection is encrypted the proof covers the server's certificate (tls-server-end-point, RFC 5929; always by SHA-256): a proof made
for one server is of no use to another. Which of the two it is follows from the connection alone, so that nobody can talk it down.

The primary keeps salt and derived keys, never the password. No text here holds a password, and no error says which part was wrong.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any

from coopy.error import AuthenticationError, UsageError

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["MOST_ROUNDS", "ROUNDS", "Prover", "Verifier", "Verifiers", "binding_of", "scram"]

USER = "coopy"  # there is one password, so there is one name
ROUNDS = 15_000
MOST_ROUNDS = 1_000_000  # a server that asks for more wants the replica's time
END_POINT = "tls-server-end-point"


def scram() -> ModuleType:
    """The library. Raises UsageError that says how to install it where it is missing."""
    try:
        import scramp
    except ImportError as error:
        raise UsageError('Replication needs scramp: `pip install "coopy[replication]"`.', option="password") from error
    return scramp


def binding_of(certificate: bytes) -> bytes:
    """What a proof over TLS is bound to, given the server's certificate (DER)."""
    return hashlib.sha256(certificate).digest()


def _mechanism(binding: bytes) -> tuple[str, tuple[str, bytes] | None]:
    return ("SCRAM-SHA-256-PLUS", (END_POINT, binding)) if binding else ("SCRAM-SHA-256", None)


class Verifiers:
    """What a primary keeps of the password."""

    def __init__(self, password: str, rounds: int = ROUNDS) -> None:
        library = scram()
        try:
            self._known = library.ScramMechanism("SCRAM-SHA-256").make_auth_info(password, rounds, secrets.token_bytes(16))
        except library.ScramException:
            raise _not_a_password() from None

    def begin(self, binding: bytes) -> Verifier:
        """For one session; `binding` as `binding_of` gives it, empty where the connection is not encrypted."""
        return Verifier(self._known, binding)


class Verifier:
    """The primary's side of one session."""

    def __init__(self, known: tuple[Any, ...], binding: bytes) -> None:
        name, channel = _mechanism(binding)
        self._error = scram().ScramException
        self._server = scram().ScramMechanism(name).make_server(lambda user: known if user == USER else None, channel)

    def challenge(self, first: str) -> str:
        """The answer to client-first. Raises AuthenticationError."""
        return self._checked(lambda: (self._server.set_client_first(first), self._server.get_server_first())[1])

    def verify(self, proof: str) -> str:
        """The answer to client-final, if the proof holds. Raises AuthenticationError."""
        return self._checked(lambda: (self._server.set_client_final(proof), self._server.get_server_final())[1])

    def _checked(self, step: Any) -> str:
        try:
            text: str = step()
        except (self._error, ValueError, IndexError, KeyError):
            raise AuthenticationError("The replica did not prove the password.") from None
        return text


class Prover:
    """The replica's side of one session."""

    def __init__(self, password: str, binding: bytes) -> None:
        library = scram()
        self._error = library.ScramException
        name, channel = _mechanism(binding)
        try:
            self._client = library.ScramClient([name], USER, password, channel_binding=channel)
            self.first: str = self._client.get_client_first()
        except library.ScramException:
            raise _not_a_password() from None

    def prove(self, challenge: str) -> str:
        """Client-final, given the challenge. Raises AuthenticationError where the server asks for what no honest one asks for."""
        try:
            self._client.set_server_first(challenge)
            rounds = int(dict(part.split("=", 1) for part in challenge.split(",")).get("i", "0"))
            if rounds > MOST_ROUNDS:
                raise AuthenticationError(f"The server asks for {rounds:,} rounds of hashing, more than {MOST_ROUNDS:,}: not a primary.")
            text: str = self._client.get_client_final()
        except (self._error, ValueError, IndexError, KeyError):
            raise AuthenticationError("The server's challenge is not one of SCRAM-SHA-256: it is not a primary, or not this one.") from None
        return text

    def check(self, verified: str) -> None:
        """Raises AuthenticationError unless the server has proven that it knows the password. Nothing it sends counts before."""
        try:
            self._client.set_server_final(verified)
        except (self._error, ValueError, IndexError, KeyError):
            raise AuthenticationError(
                "The server did not prove that it knows the password: it is not the primary. Nothing was read from it."
            ) from None


def _not_a_password() -> UsageError:
    return UsageError("password has characters that no password may have (RFC 4013), or is empty. Choose another.", option="password")
