"""TLS 1.3: whose certificate counts, and what is said where one does not.

The primary shows one, always, and it is verified. Where the primary's context asks for it (`verify_mode = ssl.CERT_REQUIRED`) the replica shows one,
too. In TLS 1.3 a replica whose certificate is refused learns it only when it reads on: the handshake itself has ended well for it by then.
"""

from __future__ import annotations

import ssl
from contextlib import suppress

from coopy.error import AuthenticationError, CoopyError, UsageError
from coopy.replication.wire import LostError

__all__ = ["check_context", "own_certificate", "why_broken", "why_no_handshake"]


def check_context(tls: ssl.SSLContext, *, serving: bool) -> None:
    """Raises UsageError for a context that verifies nothing, or has nothing to show."""
    if not isinstance(tls, ssl.SSLContext):
        raise UsageError(f"tls={tls!r} is not possible: it is an ssl.SSLContext.", option="tls")
    if serving:
        own_certificate(tls)
    elif tls.verify_mode is not ssl.CERT_REQUIRED or not tls.check_hostname:
        what = "tls= does not verify the primary's certificate and name, so anybody could be the primary"
        raise UsageError(f"{what}. Use ssl.create_default_context(cafile=...).", option="tls")


def own_certificate(tls: ssl.SSLContext) -> bytes:
    """The certificate that a context presents (DER). There is no way to ask it: so a handshake is made with it, in memory."""
    asking = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    asking.check_hostname, asking.verify_mode = False, ssl.CERT_NONE
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = asking.wrap_bio(back, there)
    try:
        server = tls.wrap_bio(there, back, server_side=True)
        for side in (client, server, client):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
        certificate = client.getpeercert(binary_form=True)
    except (ssl.SSLError, ValueError) as error:
        what = f"tls= cannot be used by a primary ({error})"
        raise UsageError(
            f"{what}. Use ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) and load_cert_chain(...).", option="tls"
        ) from error
    if not certificate:
        raise UsageError("tls= has no certificate: load_cert_chain(...) gives a primary one.", option="tls")
    return certificate


def why_no_handshake(error: Exception, peer: str, *, serving: bool) -> CoopyError:
    """What to raise where a handshake failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        what = f"The certificate of {peer} does not verify: {error.verify_message}"
        if serving:
            return AuthenticationError(f"{what}. It was not let in: check its certificate and the authorities that tls= trusts.")
        return AuthenticationError(f"{what}. Nothing was sent to it. Check host=, the certificate and the authorities that tls= trusts.")
    if _reason(error) == "PEER_DID_NOT_RETURN_A_CERTIFICATE":
        return AuthenticationError(f"{peer} shows no certificate, and tls= asks for one. It was not let in: give its tls= one.")
    refused = _refused(error, peer)
    if refused is not None:
        return refused
    what = f"TLS with {peer} failed: {error}. It may speak plain TCP, or not accept tls="
    return LostError(f"{what}. Pass `tls=` on both sides, or on none.")


def why_broken(error: OSError, peer: str) -> CoopyError:
    """What to raise where a connection broke."""
    return _refused(error, peer) or LostError(f"The connection to {peer} broke: {error.strerror or error}.")


def _refused(error: Exception, peer: str) -> AuthenticationError | None:
    """The other side does not accept what it was shown, if it is that. OpenSSL names the alert that came."""
    reason = _reason(error)
    if reason.endswith("ALERT_CERTIFICATE_REQUIRED"):
        return AuthenticationError(f"{peer} asks for a certificate, and tls= has none to show. Give it one: load_cert_chain(...).")
    if "_ALERT_" in reason and ("CERTIFICATE" in reason or reason.endswith(("UNKNOWN_CA", "ACCESS_DENIED"))):
        why = reason.partition("_ALERT_")[2].replace("_", " ").lower()
        what = f"{peer} does not accept the certificate that it was shown ({why})"
        return AuthenticationError(f"{what}. Check the certificate of tls= here, and the authorities that tls= trusts there.")
    return None


def _reason(error: Exception) -> str:
    return (error.reason or "") if isinstance(error, ssl.SSLError) else ""
