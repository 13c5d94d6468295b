"""The password is proven in both directions, bound to the channel, and found in nothing that is sent or said."""

from __future__ import annotations

import base64
import sys

import pytest

from coopy.error import AuthenticationError, UsageError
from coopy.replication import auth
from coopy.replication.auth import Prover, Verifiers, binding_of

SECRET = "open sesame"
VERIFIERS = Verifiers(SECRET, 4096)
HERE, ELSEWHERE = binding_of(b"this certificate"), binding_of(b"another one")


def prove(password: str, ours: bytes = b"", theirs: bytes = b"", verifiers: Verifiers = VERIFIERS) -> list[str]:
    """All that travels in one exchange. Raises AuthenticationError on the side that refuses."""
    prover, verifier = Prover(password, ours), verifiers.begin(theirs)
    challenge = verifier.challenge(prover.first)
    proof = prover.prove(challenge)
    verified = verifier.verify(proof)
    prover.check(verified)
    return [prover.first, challenge, proof, verified]


@pytest.mark.parametrize("binding", [b"", HERE])
def test_the_right_password_is_proven_without_being_sent(binding: bytes) -> None:
    """Neither plain nor in base64."""
    travelled = " ".join(prove(SECRET, binding, binding))
    assert SECRET not in travelled
    assert base64.b64encode(SECRET.encode()).decode().rstrip("=") not in travelled


@pytest.mark.parametrize(
    ("password", "ours", "theirs"),
    [
        ("open sesamf", b"", b""), (SECRET + " ", b"", b""), (SECRET, HERE, ELSEWHERE), (SECRET, b"", HERE), (SECRET, HERE, b""),
    ],
)  # fmt: skip
def test_a_wrong_password_or_channel_is_refused_by_the_primary(password: str, ours: bytes, theirs: bytes) -> None:
    """The error says neither what was sent nor what was expected."""
    with pytest.raises(AuthenticationError, match="did not prove") as raised:
        prove(password, ours, theirs)
    assert "sesam" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_server_that_does_not_know_the_password_is_found_out() -> None:
    """Its signature is checked before anything it sends counts."""
    prover = Prover(SECRET, b"")
    rogue = VERIFIERS.begin(b"")
    prover.prove(rogue.challenge(prover.first))
    with pytest.raises(AuthenticationError, match="not the primary"):
        prover.check("v=" + base64.b64encode(bytes(32)).decode())


def test_a_proof_is_worth_nothing_in_another_session() -> None:
    """Each has nonces of its own."""
    *_, proof, _ = prove(SECRET)
    verifier = VERIFIERS.begin(b"")
    verifier.challenge(Prover(SECRET, b"").first)
    with pytest.raises(AuthenticationError):
        verifier.verify(proof)


@pytest.mark.parametrize(
    "change",
    [
        ("i=4096", "i=1"),
        ("i=4096", "i=2147483648"),
        ("i=4096", "i=2000000"),
        ("i=4096", "i=x"),
        ("s=", "x="),
        ("r=", "r=other"),
        ("r=", ""),
    ],
)
def test_a_challenge_that_no_honest_server_sends_is_refused_at_once(change: tuple[str, str]) -> None:
    """Too few rounds, so many that they cost minutes, a nonce that is not an answer to ours."""
    prover = Prover(SECRET, b"")
    with pytest.raises(AuthenticationError):
        prover.prove(VERIFIERS.begin(b"").challenge(prover.first).replace(*change))


@pytest.mark.parametrize(
    "first", ["", "n,,", "n,,n=coopy", "n,,n=coopy,r=", "n,,n=other,r=abc", "n,,m=x,n=coopy,r=a", "é,,n=coopy,r=a", ",,,,"]
)
def test_a_first_message_that_no_honest_replica_sends_is_refused(first: str) -> None:
    """Also another user: there is one."""
    with pytest.raises(AuthenticationError, match="did not prove"):
        VERIFIERS.begin(b"").challenge(first)


@pytest.mark.parametrize("flag", ["n,,", "y,,", "p=tls-unique,,"])
def test_nobody_talks_the_binding_down(flag: str) -> None:
    """Over TLS, a first message without this binding is refused."""
    with pytest.raises(AuthenticationError, match="did not prove"):
        VERIFIERS.begin(HERE).challenge(f"{flag}n=coopy,r=abc")


@pytest.mark.parametrize("proof", ["", "c=biws", "c=biws,r=a,p=!", "c=biws,r=a,p=", "p=a"])
def test_a_proof_that_is_none_is_refused(proof: str) -> None:
    """Whatever is missing in it."""
    verifier = VERIFIERS.begin(b"")
    verifier.challenge(Prover(SECRET, b"").first)
    with pytest.raises(AuthenticationError, match="did not prove"):
        verifier.verify(proof)


@pytest.mark.parametrize("password", ["\0", "a\x07"])
def test_what_cannot_be_a_password_is_named(password: str) -> None:
    """On both sides, without showing it."""
    for make in (Verifiers, lambda text: Prover(text, b"")):
        with pytest.raises(UsageError, match="password"):
            make(password)


def test_the_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    monkeypatch.setitem(sys.modules, "scramp", None)
    with pytest.raises(UsageError, match=r"pip install .coopy\[replication\]"):
        auth.scram()
