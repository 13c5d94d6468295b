"""What the callers of a message are told where it did not come back: what is known of it, and what to do.

Either it did not happen (ClusterError, and it may be called again), or nobody knows yet (UnconfirmedError): nothing in between, and nothing guessed.
`cluster`: its addresses; `why`: in brackets, what may be the cause, or nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coopy.error import ClusterError, NotSerializableError, UnconfirmedError

if TYPE_CHECKING:
    from coopy.cluster.addresses import Addresses
    from coopy.error import CoopyError

__all__ = ["denied", "gone_back", "not_here", "not_known", "not_sent", "refused", "stopped", "too_large", "too_many"]

ROOM = {10002, 10077, 10047, 10023, 10028, 10025}  # error codes of JetStream: want of memory, storage, or of what an account may have


def too_large(method: str, size: int, limit: int) -> NotSerializableError:
    """One call that no message can hold."""
    what = f"{method}(): the call takes {size:,} bytes, a message of the cluster holds at most {limit:,}"
    return NotSerializableError(f"{what}: pass less at once. Nothing was recorded.", method=method, size=size, limit=limit)


def too_many(cluster: Addresses, waiting: int, why: str) -> ClusterError:
    """A call that nobody may wait for any more."""
    what = f"{waiting:,} calls wait already to be sent to the cluster at {cluster}{why}"
    return ClusterError(f"{what}. This one was not recorded. Call it again later.")


def refused(cluster: Addresses, error: dict[str, Any]) -> ClusterError:
    """Each time that it was sent the stream's leader said that it did not store it."""
    code = error.get("err_code", 0)
    what = f"The cluster at {cluster} refused the call: {cluster.hide(error.get('description'))}. It did not happen"
    way = "Make room there" if code in ROOM else "Have an administrator look at the stream"
    return ClusterError(f"{what}. {way}, and call it again.", code=code)


def denied(cluster: Addresses, subject: str, way: str) -> ClusterError:
    """Each time that it was sent the server said that this user may not."""
    what = f"The cluster at {cluster} does not let this user publish to {subject}. The call was not taken, and did not happen"
    return ClusterError(f"{what}. {way}, and call it again.")


def not_sent(cluster: Addresses, patience: float, why: str) -> ClusterError:
    """It waited for too long, and never went out."""
    what = f"The call was not sent: for {patience:g} seconds the cluster at {cluster} took nothing{why}"
    return ClusterError(f"{what}. It did not happen. Call it again when the cluster answers.")


def not_known(cluster: Addresses, patience: float, why: str) -> UnconfirmedError:
    """It went out, and nothing was heard of it."""
    what = f"The call was sent to the cluster at {cluster}, and for {patience:g} seconds nobody said that it has it{why}"
    ways = "It may happen yet, at most once. control(...).barrier() returns when the cluster answers: then look at the state; or call with coopy.once"
    return UnconfirmedError(f"{what}. {ways}, and again with the same key.", lsn=0)


def not_here(cluster: Addresses, patience: float, why: str) -> UnconfirmedError:
    """The stream has it, and this node has not taken it yet. It may not know yet that the stream was sealed before."""
    what = f"The cluster at {cluster} has the call, and for {patience:g} seconds it was not executed here{why}"
    ways = "It happens, once, unless it came behind the seal of its stream and cannot be sent again. control(...).barrier() returns when that is known"
    return UnconfirmedError(f"{what}. {ways}: then look at the state.", lsn=0)


def stopped(error: CoopyError) -> UnconfirmedError:
    """It went out, and the node ended before anything was heard of it."""
    what = f"The node stopped before it was known what became of the call, which was sent: {error}"
    return UnconfirmedError(f"{what} It may have happened, at most once.", lsn=0)


def gone_back(stream: str, sequence: int, taken: int) -> ClusterError:
    """A new message got a sequence that an older one had: the node has to stop."""
    what = f"The stream {stream} gave a new message the sequence {sequence}, and this node has taken {taken} already"
    return ClusterError(
        f"{what}: it lost what it had acknowledged, or is another one. The node stopped; what it has is intact in its directory.",
        sequence=sequence,
    )
