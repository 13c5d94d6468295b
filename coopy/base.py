"""The front door, in the original's words: `init_system`, and its other name `init_persistent_system`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from coopy.wiring import Options, open_proxy

if TYPE_CHECKING:
    import os
    import ssl
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["init_persistent_system", "init_system"]

T = TypeVar("T")


@overload
def init_system(
    obj: type[T],
    basedir: str | os.PathLike[str] | None = None,
    snapshot_time: float = 0,
    master: bool = False,
    replication: bool = False,
    port: int = 5466,
    host: str = "127.0.0.1",
    password: str = "copynet",
    *,
    durability: Literal["sync", "buffered"] = "sync",
    sync_interval: float = 1.0,
    validation: Literal["strict", "warn", "off"] = "strict",
    keep_snapshots: int = 2,
    auto_prune: bool = False,
    segment_bytes: int = 64 << 20,
    compression: Literal["zstd"] | None = None,
    signing_key: bytes | None = None,
    allow: Iterable[str] = (),
    on_divergence: Literal["stop", "warn"] = "stop",
    on_progress: Callable[[int, int], object] | None = None,
    tls: ssl.SSLContext | None = None,
    min_acks: int = 0,
    cluster: str | None = None,
    name: str | None = None,
    assume_durable: bool = False,
    renames: Mapping[str, str] | None = None,
) -> T: ...
@overload
def init_system(
    obj: T,
    basedir: str | os.PathLike[str] | None = None,
    snapshot_time: float = 0,
    master: bool = False,
    replication: bool = False,
    port: int = 5466,
    host: str = "127.0.0.1",
    password: str = "copynet",
    *,
    durability: Literal["sync", "buffered"] = "sync",
    sync_interval: float = 1.0,
    validation: Literal["strict", "warn", "off"] = "strict",
    keep_snapshots: int = 2,
    auto_prune: bool = False,
    segment_bytes: int = 64 << 20,
    compression: Literal["zstd"] | None = None,
    signing_key: bytes | None = None,
    allow: Iterable[str] = (),
    on_divergence: Literal["stop", "warn"] = "stop",
    on_progress: Callable[[int, int], object] | None = None,
    tls: ssl.SSLContext | None = None,
    min_acks: int = 0,
    cluster: str | None = None,
    name: str | None = None,
    assume_durable: bool = False,
    renames: Mapping[str, str] | None = None,
) -> T: ...
def init_system(
    obj: Any,
    basedir: str | os.PathLike[str] | None = None,
    snapshot_time: float = 0,
    master: bool = False,
    replication: bool = False,
    port: int = 5466,
    host: str = "127.0.0.1",
    password: str = "copynet",
    *,
    durability: Literal["sync", "buffered"] = "sync",
    sync_interval: float = 1.0,
    validation: Literal["strict", "warn", "off"] = "strict",
    keep_snapshots: int = 2,
    auto_prune: bool = False,
    segment_bytes: int = 64 << 20,
    compression: Literal["zstd"] | None = None,
    signing_key: bytes | None = None,
    allow: Iterable[str] = (),
    on_divergence: Literal["stop", "warn"] = "stop",
    on_progress: Callable[[int, int], object] | None = None,
    tls: ssl.SSLContext | None = None,
    min_acks: int = 0,
    cluster: str | None = None,
    name: str | None = None,
    assume_durable: bool = False,
    renames: Mapping[str, str] | None = None,
) -> Any:
    """Make a domain object durable: open its directory, or create it, and give a proxy that is used exactly as the object.

    The domain and its directory:

    - `obj`: a class (called without arguments, only when nothing is stored yet) or an instance (used by value, only when nothing is stored yet).
    - `basedir`: the system's own directory, `~` for home; by default the class name in lower case, in the working directory.
    - `validation`: "strict" has the class, and what it reaches in its own top-level packages, analysed before anything is opened, and refuses one that a
      replay could not repeat; "warn" shows the same as a RuntimeWarning and goes on; "off" does not look. A class without source is warned of.
    - `renames`: what became of names that the directory holds and the code has no more, {"old.module:Old": "new.module:New"},
      {"old.module": "new.module"} or, of an action, {"module:Class.old": "new"}; beside those of `@was` and of `[tool.coopy.renames]` in the
      project's pyproject.toml.
    - `allow`: "module:Name" or a whole "package" of your own that may be unpickled beside the domain's own package and the standard value types.
    - `signing_key`: any bytes; everything written is authenticated by it, and nothing unsigned is ever unpickled.

    How it is kept:

    - `durability`: "sync" has each call on stable storage before it runs; "buffered" hands it to the operating system before it runs (it survives
      the death of the process) and syncs at least every `sync_interval` seconds.
    - `snapshot_time`: seconds between automatic snapshots, 0 for none. `keep_snapshots`: how many stay; the journal stays until `prune()`, or after
      each snapshot with `auto_prune`, which has a node of a cluster delete streams that nobody needs, too. `compression`: of snapshots.
    - `segment_bytes`: size of a journal file.
    - `on_divergence`: whether a replay that differs from the recorded run stops the opening. `on_progress(lsn, last_lsn)`: called while it replays.

    Beside others:

    - `master`: ship the journal to replicas, listening at `host` and `port` (0: any, see `control(proxy).address`), or at `host="unix:/path"`, a file
      that this user's processes alone can connect to.
    - `replication`: follow the primary that listens there, in a directory of its own (by default the class name with "-replica" behind it), and answer
      queries only.
    - `password`: the same on both sides. `tls`: an ssl.SSLContext, needed off loopback.
    - `min_acks`: a primary's calls return when so many replicas have them on stable storage.
    - `cluster`: be a node of the cluster that these NATS servers keep ("nats://a,nats://b,nats://c"), with a directory of its own. `name`: tells the
      clusters of several systems on the same servers apart; by default the class name in lower case. `assume_durable`: go on where the servers do not
      prove that they sync every write.

    Raises PrevalentError (`findings` says what a replay could not repeat), UsageError (wrong class, option or directory),
    NotSerializableError (initial state), LockedError (open elsewhere), CorruptionError and FormatError (damaged, newer or old files),
    AuthenticationError (signing key, password or certificate), ReplicaError (the primary cannot be reached by a new replica, or refuses it),
    ClusterError (the servers cannot be reached, or do not prove that they keep what they acknowledge),
    DivergenceError (the code no longer does what was recorded), UpgradeError (what is stored does not fit today's classes), DiskFullError and DurabilityError.
    """
    options = Options(
        snapshot_time=snapshot_time,
        master=master,
        replication=replication,
        port=port,
        host=host,
        password=password,
        durability=durability,
        sync_interval=sync_interval,
        validation=validation,
        keep_snapshots=keep_snapshots,
        auto_prune=auto_prune,
        segment_bytes=segment_bytes,
        compression=compression,
        signing_key=signing_key,
        on_divergence=on_divergence,
        on_progress=on_progress,
        tls=tls,
        min_acks=min_acks,
        cluster=cluster,
        name=name,
        assume_durable=assume_durable,
        renames=renames,
        allow=allow,
    )
    return open_proxy(obj, basedir, options)


init_persistent_system = init_system
