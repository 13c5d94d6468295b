"""What can go wrong, as a tree: a class exists only where a caller would act differently.

    CoopyError
    ├── PrevalentError        the domain is not replayable: change its code (`findings` says where)
    ├── UsageError            the call or an option is wrong: change it
    │   └── NotSerializableError   this argument or state cannot be stored: change it
    ├── ClosedError           this system is closed: open it again
    ├── LockedError           someone else has the directory: wait for them, or close there
    ├── ReplicaError          this is a replica: ask the primary
    ├── DiskFullError         the call was refused and nothing changed: make room, call again
    ├── DurabilityError       the disk failed and the system closed itself: check the disk, open again
    ├── CorruptionError       bytes on disk are wrong: another copy, a backup, or `coopy repair`
    │   └── FormatError       the files are of a newer or another program: open them with that one
    ├── DivergenceError       replay differs from what was recorded: open with the old code
    ├── UpgradeError          what is stored does not fit today's classes: say what became of them, or open with the old code
    ├── AuthenticationError   the password, key or certificate is not accepted
    ├── UnconfirmedError      durable here, not confirmed there; of a cluster: sent, and nobody said that it has it
    └── ClusterError          the cluster does not answer, or cannot be used as it is: the call did not happen

A message says what happened, where, what is intact and what to do; the values in it are attributes too. Exceptions of the domain
pass through coopy untouched, and none of these derives from ValueError and the like: a domain's own `except` must not swallow them.
"""

from __future__ import annotations

__all__ = [
    "AuthenticationError",
    "ClosedError",
    "ClusterError",
    "CoopyError",
    "CorruptionError",
    "DiskFullError",
    "DivergenceError",
    "DurabilityError",
    "FormatError",
    "LockedError",
    "NotSerializableError",
    "PrevalentError",
    "ReplicaError",
    "UnconfirmedError",
    "UpgradeError",
    "UsageError",
]


class CoopyError(Exception):
    """Any error of coopy's own. Every keyword becomes an attribute of the error (`path`, `offset`, `lsn`, ...)."""

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        vars(self).update(values)


class PrevalentError(CoopyError):
    """The domain is not replayable. `findings`: what the validator reports."""

    findings: tuple[object, ...]


class UsageError(CoopyError):
    """A call or an option is wrong; nothing was recorded and nothing changed."""


class NotSerializableError(UsageError):
    """An argument or a state cannot be stored, or not be read back. `method`, `where`: which call, which part of it.

    Of a state, `where` is the way from the root (`wiki.pages['Home'].lock`), `kind` the class of what stands there.
    """

    method: str
    where: str
    kind: str


class ClosedError(CoopyError):
    """The system is closed, or belongs to the process that forked this one."""


class LockedError(CoopyError):
    """The directory is open for writing elsewhere. `path`, `holder`: where, and by whom."""

    path: str
    holder: str


class ReplicaError(CoopyError):
    """A replica only answers queries. `primary`: who takes actions."""

    primary: str


class DiskFullError(CoopyError):
    """There is no room for the record: the call was refused, memory and journal are as before. `path`, `needed` (bytes; 0 where not known)."""

    path: str
    needed: int


class DurabilityError(CoopyError):
    """The disk did not do what was asked: the system closed itself. Reads go on; opening it again recovers what is on disk."""


class CorruptionError(CoopyError):
    """Bytes on disk are wrong. `path`, `offset` (bytes), `lsn`: where reading stopped. Nothing was changed."""

    path: str
    offset: int
    lsn: int


class FormatError(CorruptionError):
    """The files are of a newer version of coopy, or of another program. `path`, `version`."""

    version: str


class DivergenceError(CoopyError):
    """Replay behaves otherwise than the recorded run, or than another replay. `lsn`, `method`, `expected`, `got`.

    `after`: the last LSN at which states were seen to be the same; `paths`: what differs in them. Both only where states were compared, and then
    `expected` and `got` are digests, and `method` is empty if the place lies somewhere between `after` and `lsn`.
    """

    lsn: int
    method: str
    expected: str
    got: str
    after: int
    paths: tuple[str, ...]


class UpgradeError(CoopyError):
    """What is stored cannot become an object of today's classes; the files are good, and nothing was changed. `name`: the class, "module:Name".

    `version`: that of the stored state, 0 where it is not about one. `lsn`: of the action whose record holds it, 0 for a snapshot.
    """

    name: str
    version: int
    lsn: int


class AuthenticationError(CoopyError):
    """A password, key or certificate is missing or not accepted."""


class UnconfirmedError(CoopyError):
    """Durable here, not confirmed there: this is not an undo. `lsn`.

    Of a cluster: the call was sent, and whether it happens, or has, is not known; at most once. `lsn` is 0 then.
    """

    lsn: int


class ClusterError(CoopyError):
    """The cluster does not answer, refuses, or its shared journal is damaged or not kept as it must be. The call did not happen.

    `sequence`: of the message in the shared journal that it is about, if it is about one.
    """
