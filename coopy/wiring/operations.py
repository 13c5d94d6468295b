"""What can be done with a system beside calling it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

from coopy.clock import moment
from coopy.engine.opening import told
from coopy.error import UsageError
from coopy.wiring.options import check_number
from coopy.wiring.past import PastOperations, past_proxy
from coopy.wiring.peers import listen, place_to_listen
from coopy.wiring.systems import past_of, system_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from types import TracebackType

    from coopy.action import Action
    from coopy.cluster.node import Node
    from coopy.cluster.tally import Compared
    from coopy.engine.past import Past
    from coopy.engine.restored import Restored
    from coopy.engine.stats import Role, Stats
    from coopy.engine.system import System
    from coopy.engine.verify import Verified
    from coopy.marks import Replica
    from coopy.replication.primary import Primary
    from coopy.replication.replica import Replica as Follower

__all__ = ["Control", "Operations", "control"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Operations:
    """What a proxy offers beside the domain's own names."""

    def __init__(self, system: System) -> None:
        self._behind = system

    @property
    def _system(self) -> System:
        """The system. Inside of an action nobody may ask it for anything: a restart has none to ask. Raises UsageError, and undoes the action."""
        if moment.get() is not None:
            self._behind.engine.refuse_nested("An operation of a system")
        return self._behind

    def take_snapshot(self, *, background: bool = False) -> int:
        """Write the state as it is after all calls so far, and read it back; gives its LSN. Calls wait while it is written.

        With `background` they go on, and so does the caller: the LSN is that of the snapshot to come, which `control(x).wait_snapshot()` waits for.
        If one is on its way already, no other is begun, and the LSN is that one's.
        """
        return self._system.snapshots.begin() if background else self._system.snapshots.take()

    def close(self) -> None:
        """Finish what runs and close. A second time it does nothing."""
        self._system.close()

    def basedir_abspath(self) -> list[str]:
        """The absolute path of the directory, in a list."""
        return [self._system.archive.directory]


class Control(Operations, Generic[T_co]):
    """Everything that can be done with a running system beside calling it; `with` gives the proxy and closes the system."""

    def __init__(self, proxy: T_co, system: System) -> None:
        super().__init__(system)
        self._proxy = proxy

    def __enter__(self) -> T_co:
        return self._proxy

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    @property
    def proxy(self) -> T_co:
        """What `init_system` gave."""
        return self._proxy

    @property
    def lsn(self) -> int:
        """The LSN of the last action."""
        return self._system.engine.executed

    @property
    def restored(self) -> Restored:
        """What the opening found: which snapshot, how much was replayed, what was put aside, and whether the code has changed since the last one."""
        return self._system.restored

    def digest(self) -> str:
        """The digest of the state: equal states give equal digests in any process. Recorded, so that `verify` can compare with it."""
        return self._system.digest()

    def stats(self) -> Stats:
        """The system in numbers since it was opened: counts, how long things took, sizes, what went wrong last. `coopy.Stats` says what each is.

        It waits for no call and no lock, and works on a system that failed or was closed, too.
        """
        return self._system.stats()

    def verify(self) -> Verified:
        """Replay what is kept so far in fresh processes, under other surroundings, and compare the states. Calls go on meanwhile, and what it reads is kept.

        Raises DivergenceError where states differ (`lsn`, `method`, `paths`) or a replay does otherwise than what was recorded, UsageError where the
        class cannot be found by another process. What was found good is recorded: later runs compare with it.
        """
        archive, names = self._system.archive, self._system.engine.codec.names
        with told(archive.directory, done="verified", again="verify it again"), self._system.held():
            from coopy.wiring.elsewhere import verify_subject
            from coopy.wiring.subject import Subject

            verified = verify_subject(Subject(archive.directory, archive.domain, archive.key, self._system.settings.allow, names))
        self._system.vouch(verified.lsn, verified.digest)
        return verified

    def wait_durable(self) -> int:
        """Return when all calls so far are on stable storage; gives the LSN up to which they are. Raises DurabilityError."""
        return self._system.wait_durable()

    def wait_snapshot(self) -> int:
        """Return when no snapshot is on its way; gives the LSN of the newest there is. Raises what kept the last one from being completed."""
        return self._system.snapshots.wait()

    @property
    def snapshot_problem(self) -> str:
        """Why the last snapshot was not completed; empty if it was. It harmed nothing, and the next may be."""
        return self._system.snapshots.problem

    def prune(self) -> list[str]:
        """Drop the part of the journal that no kept snapshot needs; gives the names of the files that went."""
        return self._system.prune()

    def changes(self, since: int = 0) -> Iterator[Action]:
        """The recorded actions behind an LSN, in order, as values: up to the last one that has been executed now. Calls go on meanwhile.

        They are read from the journal as they are asked for, a segment at a time. Raises UsageError at once for an LSN before what is kept
        (`prune()` drops what no snapshot needs) or beyond the last, and later where what is wanted was pruned meanwhile; CorruptionError
        where a file is damaged.
        """
        return self._system.history().changes(since)

    def at(self, lsn: int) -> Replica[T_co]:
        """The state as it was behind an action (0: before the first), as a proxy that answers queries; the system goes on meanwhile.

        It is made from the newest snapshot before and the journal, in memory of its own, and takes as long as such a restart; `control(...)` of
        it has `lsn`, `digest()`, `changes()` and `at()`, and `close()`, which lets the memory go. The clock gives the time of that action.
        Actions, and setting attributes, raise UsageError. So does `at` for an LSN before what is kept (`keep_snapshots`) or beyond the last.
        """
        system, restorer = self._system, self._system.restorer
        proxy: Replica[T_co] = past_proxy(system.archive.directory, system.history, lsn, restorer.adopt, restorer.on_divergence)
        return proxy

    # --- primary and replicas ----------------------------------------------------------------------------------------

    @property
    def role(self) -> Role:
        """What this system is among others."""
        return self._system.role

    @property
    def address(self) -> tuple[str, int]:
        """Host and port: where a primary listens, or where a replica's primary does; "unix:" with a full path has port 0.

        Raises UsageError where there is neither.
        """
        if self.role == "replica":
            return self._replica().address.host, self._replica().address.port
        return self._primary().address

    @property
    def token(self) -> str:
        """What this system shows now, for `wait_for` on a replica of it, or on another node."""
        from coopy.replication.token import make_token

        engine, system = self._system.engine, self._system.archive.identity.system
        with engine.lock:
            epoch = 0 if engine.ordered else engine.journal.epoch  # a node's epochs are its own
            return make_token(system, epoch, engine.executed)

    @property
    def lag(self) -> int:
        """Of a replica: how many actions the primary is known to have that were not executed here."""
        return self._replica().lag

    @property
    def staleness(self) -> float:
        """Of a replica: how old its answers may be at most, in seconds; infinite where it was never level with the primary in this run."""
        return self._replica().staleness

    @property
    def problem(self) -> str:
        """Of a replica or a node: why it does not follow at the moment; empty while it does."""
        return self._node().problem if self.role == "node" else self._replica().problem

    def wait_for(self, token: str, timeout: float = 5.0) -> int:
        """Of a replica or a node: return when it shows what the token's owner saw; gives the LSN that it shows.

        Raises UnconfirmedError after `timeout` seconds. For a token of another system, or of a history that was cut off, a replica raises
        ReplicaError, a node UsageError.
        """
        check_number("timeout", timeout)
        if self.role != "node":
            return self._replica().wait_for(token, timeout)
        from coopy.replication.token import read_token

        found = read_token(token)
        if found is None or found[0] != self._system.archive.identity.system:
            raise UsageError(f"{token!r} is no token of this cluster: control(...).token of one of its nodes gives one.", option="token")
        return self._node().wait_for(found[2], timeout)

    def barrier(self, timeout: float | None = None) -> int:
        """Of a node: return when all that was acknowledged anywhere before this call is executed here; gives the LSN that it shows then.

        Calls of this node that ended in UnconfirmedError have happened by then, or never will. It takes as long as an action. Raises
        UnconfirmedError after `timeout` seconds, and where the cluster did not answer; ClusterError.
        """
        if timeout is not None:
            check_number("timeout", timeout)
        return self._node().barrier(timeout)

    def share_snapshot(self) -> int:
        """Of a node: take a snapshot beside the calls, and send it to the cluster, where new nodes begin with it. Gives its LSN when that is done.

        One node's is enough: nothing is sent where the cluster has one as new. Raises what a snapshot raises, and ClusterError.
        """
        node = self._node()
        self._system.snapshots.begin()
        lsn = self._system.snapshots.wait()
        node.share(lsn)
        return lsn

    def prune_cluster(self, timeout: float = 60.0) -> list[str]:
        """Of a node: have the shared journal go on in a new stream, and delete those before it. Gives the names of the streams that went.

        Where streams before the current one are there already, no other is begun. Two snapshots of the current one must be there, which this node sends,
        and all nodes that are there must have gone on, for which they have half a minute. Calls go on meanwhile, on all nodes. Raises ClusterError, also
        where the servers do not let this user delete a stream: then `coopy cluster prune` does so; UnconfirmedError where it has not come so far in so
        many seconds. Nothing is lost by that. What `prune()` drops is of this node's directory only.
        """
        check_number("timeout", timeout)
        return self._node().prune(timeout, self.share_snapshot)

    def compare(self, timeout: float = 60.0) -> Compared:
        """Of a node: have all nodes that are there take the digest of their states at one place of the order, beside the calls, and compare them.

        Gives that LSN, the digest, and how many nodes have it. Raises DivergenceError where they differ (`lsn`, `got` here, `expected` there): whoever
        has not what most have stops, and all do where no majority has the same. Raises UnconfirmedError where not all have answered in so many seconds,
        ClusterError. Nodes do so by themselves every ten minutes of the actions' time.
        """
        check_number("timeout", timeout)
        return self._node().compare(timeout)

    def promote(
        self, host: str = "127.0.0.1", port: int | None = None, *, min_acks: int = 0, tls: ssl.SSLContext | None = None, after: int = 0
    ) -> int:
        """Of a replica: follow no more, and take actions; with a `port`, or a Unix socket as `host`, listen there. Gives the new epoch, which is on stable storage.

        `tls`: as a primary's; needed off loopback. What is wrong with the arguments, or a port that is taken, is a UsageError before anything
        has changed. Make sure before that the former primary is gone: nobody else decides who leads. `after`: what the promotion before this one
        gave, where this replica may not have heard of it; else both may get the same epoch, and the one that returns is refused, or fences this one.
        """
        check_number("after", after)
        replica = self._replica()
        address = place_to_listen(replica.address, host, port, min_acks, tls)
        with told(self._system.archive.directory):
            epoch = replica.promote(after)
        self._system.peers = None
        if address is not None:
            listen(self._system, address, min_acks)
        return epoch

    def _replica(self) -> Follower:
        from coopy.replication.replica import Replica as Follower

        peers = self._system.peers
        if not isinstance(peers, Follower):
            if self._system.engine.replica:
                raise UsageError("This system is not a replica any more: it was promoted, and follows nobody.")
            raise UsageError("This system is not a replica: only one that was opened with replication=True follows a primary.")
        return peers

    def _node(self) -> Node:
        from coopy.cluster.node import Node

        peers = self._system.peers
        if not isinstance(peers, Node):
            raise UsageError("This system is not a node: only one that was opened with cluster=... is.")
        return peers

    def _primary(self) -> Primary:
        from coopy.replication.primary import Primary

        peers = self._system.peers
        if not isinstance(peers, Primary):
            if self._system.engine.replica:
                what = "This system was promoted without a port, so nobody can follow it"
                raise UsageError(f"{what}. To have replicas, close it and open it with master=True; it loses nothing by that.")
            raise UsageError("This system is not a primary: only one that was opened with master=True listens.")
        return peers


class PastControl(Control[T_co]):
    """What can be done with a past state. Everything else raises UsageError."""

    def __init__(self, proxy: T_co, past: Past) -> None:
        self._proxy, self._past = proxy, past

    @property
    def _system(self) -> NoReturn:  # whatever asks for a running system is refused
        PastOperations(self._past).refuse()

    @property
    def lsn(self) -> int:
        """Of the last action in it."""
        return self._past.history.last

    def digest(self) -> str:
        """The digest of the state as it was."""
        return self._past.digest()

    def changes(self, since: int = 0) -> Iterator[Action]:
        """The actions up to this one."""
        return self._past.history.changes(since)

    def at(self, lsn: int) -> Replica[T_co]:
        """The state as it was behind an earlier action."""
        past, history = self._past, self._past.history
        proxy: Replica[T_co] = past_proxy(history.archive.directory, lambda: history, lsn, past.adopt, past.on_divergence)
        return proxy

    def close(self) -> None:
        """Let its memory go. A second time it does nothing."""
        self._past.close()

    def basedir_abspath(self) -> list[str]:
        """The absolute path of the system's directory, in a list."""
        return PastOperations(self._past).basedir_abspath()


def control(proxy: T) -> Control[T]:
    """The operations of the system, or of the past state, behind a proxy. Raises UsageError for anything else."""
    past = past_of(proxy)
    return Control(proxy, system_of(proxy)) if past is None else PastControl(proxy, past)
