"""Options -> rooms -> proxy and Control: the only file that knows every room."""

from __future__ import annotations

import inspect
import logging
import os
import sys
import threading
import time
import typing
import weakref
from _thread import LockType, allocate_lock, start_new_thread
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import msgspec

from coopy.clock import Clock
from coopy.disk import RealDisk
from coopy.engine.confirmed import ConfirmedEngine
from coopy.engine.following import FollowingEngine
from coopy.engine.opening import Place, domain_name
from coopy.engine.system import Origin, Settings, System, open_system
from coopy.error import CoopyError, UsageError
from coopy.header import derive_key
from coopy.kinds import INJECTED
from coopy.proxy import check_class, make_proxy, member_of
from coopy.random import Random
from coopy.snapshot import zstd

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType

    from coopy.clock import Moment
    from coopy.disk import Disk
    from coopy.replication.primary import Primary
    from coopy.replication.replica import Replica
    from coopy.replication.transport import Address

__all__ = ["Control", "Options", "control", "fix_wall", "is_proxy", "open_proxy"]

log = logging.getLogger("coopy")
MOST_AFTER = (1 << 32) - (1 << 17)  # an epoch has 32 bits, and others follow
PATIENCE = 1.0  # seconds that a finalizer waits for the closing; a thread that still runs in the system may keep it for longer
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Everything `init_system` takes beside the domain and its directory, as it was passed."""

    snapshot_time: float = 0
    master: bool = False
    replication: bool = False
    port: int = 5466
    host: str = "127.0.0.1"
    password: str = "copynet"  # noqa: S105 - the original's default; only ever accepted on loopback
    durability: Literal["sync", "buffered"] = "sync"
    sync_interval: float = 1.0
    validation: str = "strict"
    keep_snapshots: int = 2
    auto_prune: bool = False
    segment_bytes: int = 64 << 20
    compression: str | None = None
    signing_key: bytes | None = None
    allow: Iterable[str] = ()
    on_divergence: str = "stop"
    on_progress: Callable[[int, int], object] | None = None
    tls: Any = None
    min_acks: int = 0
    cluster: str | None = None
    name: str | None = None
    assume_durable: bool = False


LATER = {"cluster": "the cluster", "name": "the cluster", "assume_durable": "the cluster"}  # parts that are not built yet, by option
TOGETHER = ("port", "host", "password", "tls", "min_acks")  # what means something with master=True or replication=True only
ONE_OF = {
    "durability": ("sync", "buffered"), "compression": (None, "zstd"), "on_divergence": ("stop", "warn"), "validation": ("strict", "warn", "off"),
}  # fmt: skip
FLAGS = ("master", "replication", "auto_prune", "assume_durable")
NUMBERS: dict[str, tuple[tuple[type, ...], float, float]] = {  # types, at least, at most
    "snapshot_time": ((int, float), 0, threading.TIMEOUT_MAX), "sync_interval": ((int, float), 0.001, threading.TIMEOUT_MAX),
    "keep_snapshots": ((int,), 1, sys.maxsize), "segment_bytes": ((int,), 4096, 1 << 37),
    "port": ((int,), 0, 65535), "min_acks": ((int,), 0, 1000),
}  # fmt: skip


def check_options(options: Options) -> tuple[str, ...]:
    """Gives what `allow` names. Raises UsageError for what cannot be, and for what is not built yet."""
    for name in FLAGS:
        if type(getattr(options, name)) is not bool:
            raise UsageError(f"{name}={getattr(options, name)!r} is neither True nor False.", option=name)
    for name, part in LATER.items():
        if getattr(options, name) != getattr(DEFAULTS, name):
            raise UsageError(
                f"{name}={getattr(options, name)!r} needs {part}, which this version does not have yet. Leave it out.", option=name
            )
    for name, values in ONE_OF.items():
        if getattr(options, name) not in values:
            raise UsageError(f"{name}={getattr(options, name)!r} is unknown: choose one of {', '.join(map(repr, values))}.", option=name)
    for name, (kinds, least, most) in NUMBERS.items():
        value = getattr(options, name)
        if type(value) not in kinds or not least <= value <= most:
            what = " or ".join(kind.__name__ for kind in kinds)
            raise UsageError(f"{name}={value!r} is not possible: it is {what}, from {least} to {most}.", option=name)
    _check_together(options)
    key = options.signing_key
    if key is not None and (type(key) is not bytes or not key):
        raise UsageError("signing_key is bytes, and not empty. `secrets.token_bytes(32)` makes a good one.", option="signing_key")
    if options.on_progress is not None and not callable(options.on_progress):
        raise UsageError(f"on_progress={options.on_progress!r} cannot be called.", option="on_progress")
    if options.compression == "zstd":
        zstd()
    return _allowed(options.allow)


def _check_together(options: Options) -> None:
    """What has to do with other systems."""
    if options.master and options.replication:
        raise UsageError("master=True and replication=True: a system is a primary or a replica, not both.", option="replication")
    if not options.master and not options.replication:
        for name in TOGETHER:
            if getattr(options, name) != getattr(DEFAULTS, name):
                raise UsageError(f"{name}= means nothing without master=True or replication=True. Leave it out.", option=name)
        return
    for name in ("host", "password"):
        if not isinstance(getattr(options, name), str):
            raise UsageError(f"{name}= is a string.", option=name)
    if options.min_acks and options.durability != "sync":
        raise UsageError("min_acks= has replicas confirm what is on stable storage here: it needs durability='sync'.", option="min_acks")
    if options.min_acks and options.replication:
        raise UsageError(
            "min_acks= is for a primary. A replica gets it when it is promoted: promote(port=..., min_acks=...).", option="min_acks"
        )
    if options.replication and not options.port:
        raise UsageError("port=0 is not possible for a replica: it is the primary's port.", option="port")


def _allowed(allow: Any) -> tuple[str, ...]:
    names = tuple(allow) if isinstance(allow, Iterable) and not isinstance(allow, str | bytes) else (None,)
    if not all(isinstance(name, str) for name in names):
        raise UsageError(f'allow={allow!r} is not possible: it is a tuple of "module:Name" or "package".', option="allow")
    return names


DEFAULTS = Options()


# --- open ------------------------------------------------------------------------------------------------------------

_systems: weakref.WeakKeyDictionary[type, System] = (
    weakref.WeakKeyDictionary()
)  # by the proxy's own class, of which there is one for each system


def open_proxy(obj: Any, basedir: str | os.PathLike[str] | None, options: Options, disk: Disk | None = None) -> Any:
    """Open or create the system of a class or an instance in a directory, and give its proxy. Raises as `init_system` says."""
    allow = check_options(options)
    obj = _without_parameters(obj)
    kind = _class_of(obj)
    check_class(kind)
    directory = _directory(basedir if basedir is not None else kind.__name__.lower() + ("-replica" if options.replication else ""))
    replica = _replica_of(options, kind)
    free = _validate(kind, options)
    settings = Settings(
        durability=options.durability, sync_interval=options.sync_interval, snapshot_time=options.snapshot_time,
        keep_snapshots=options.keep_snapshots, auto_prune=options.auto_prune, segment_bytes=options.segment_bytes,
        compression=options.compression or "", allow=allow, on_divergence=options.on_divergence, on_progress=options.on_progress,
        free=free, confirmed=options.min_acks > 0,
    )  # fmt: skip
    place = Place(disk or RealDisk(), directory, derive_key(options.signing_key), domain_name(kind))
    system = open_system(
        place, lambda: _initial(obj), lambda root, moment: _adopt(root, kind, moment), (kind.__module__.partition(".")[0],), settings,
        Origin(str(replica.address), replica.fetch) if replica is not None else None,
    )  # fmt: skip
    _join(system, options, replica)
    proxy = make_proxy(system.engine, _Operations(system))
    _systems[type(proxy)] = system
    weakref.finalize(proxy, _let_go, system)
    return proxy


def _replica_of(options: Options, kind: type) -> Replica | None:
    """What follows a primary, if that is asked for. Raises UsageError for a place that is not safe, before anything is opened or created."""
    if not options.master and not options.replication:
        return None
    from coopy.replication.auth import scram
    from coopy.replication.transport import LostError, check_place

    scram()
    try:
        check_place(options.host, options.password, options.tls, serving=options.master)
    except LostError as error:
        if options.master:
            raise UsageError(str(error), option="host") from error
    if options.master:
        return None
    from coopy.replication.replica import Replica

    return Replica(_address(options), domain_name(kind))


def _address(options: Options) -> Address:
    from coopy.replication.transport import Address

    return Address(options.host, options.port, options.password, options.tls)


def _join(system: System, options: Options, replica: Replica | None) -> None:
    """Listen, or follow, if that is asked for. Where it is not possible the system is closed again."""
    try:
        if options.master:
            _listen(system, _address(options), options.min_acks)
        elif replica is not None:
            system.peers = replica
            replica.follow(system)
    except BaseException:
        system.close()
        raise


def _listen(system: System, address: Address, min_acks: int) -> None:
    from coopy.replication.primary import Primary

    primary = system.peers = Primary(system, address, min_acks)
    if min_acks and isinstance(system.engine, ConfirmedEngine):
        system.engine.confirm = primary.confirm


def _directory(basedir: Any) -> str:
    if not isinstance(basedir, str | os.PathLike) or not isinstance(os.fspath(basedir), str):
        raise UsageError(f"basedir={basedir!r} is not possible: it is a string or a path.", option="basedir")
    if "\0" in os.fspath(basedir):
        raise UsageError(f"basedir={basedir!r} is not possible: no path holds a NUL. Nothing was changed.", option="basedir")
    try:
        return str(Path(basedir).expanduser().absolute())
    except RuntimeError as error:  # of a user who has none
        raise UsageError(f"basedir={basedir!r} is not possible: {error} Nothing was changed.", option="basedir") from error


def _without_parameters(obj: Any) -> Any:
    """The class itself, where it was written as `Box[int]`."""
    return typing.get_origin(obj) or obj


def _class_of(obj: Any) -> type:
    if is_proxy(obj):
        raise UsageError(
            "init_system was given a proxy: it stands for a system that is open already. Use it as it is, or close it and open its directory."
        )
    kind: type = obj if isinstance(obj, type) else type(obj)
    if kind.__module__ == "builtins" or kind.__flags__ & 1 << 9 == 0:
        raise UsageError(f"init_system takes a class of your own or an instance of one, not {obj!r}.")
    return kind


def _validate(kind: type, options: Options) -> dict[str, dict[str, str]]:
    """Have the validator look at a class before anything is opened or created; what it proved for the executor. Raises PrevalentError."""
    if options.validation == "off":
        return {}
    from coopy.validation.wrap import check

    return check(kind, options.validation, options.allow, level=5)


def _initial(obj: Any) -> object:
    if not isinstance(obj, type):
        return obj
    try:
        inspect.signature(obj).bind()
    except TypeError as error:
        raise UsageError(
            f"{obj.__qualname__} cannot be made without arguments ({error}): pass an instance, init_system({obj.__name__}(...))."
        ) from error
    except ValueError:
        pass  # no signature to ask
    if inspect.isabstract(obj):
        raise UsageError(f"{obj.__qualname__} is abstract: pass a class that can be instantiated, or an instance.")
    return obj()


def _adopt(root: object, kind: type, moment: Moment) -> None:
    """Give a loaded domain object its clock and random numbers, unless its class has no room for them or defines them itself."""
    if type(root) is not kind:
        what = f"The directory holds a {type(root).__module__}.{type(root).__qualname__}, not a {kind.__module__}.{kind.__qualname__}. Nothing was changed."
        raise UsageError(f"{what} Open it with that class, or choose another directory.")
    room = getattr(root, "__dict__", None)
    for name, tool in zip(INJECTED, (Clock(moment), Random()), strict=True):
        if room is not None and name not in room and member_of(kind, name) is None:
            room[name] = tool


def _let_go(system: System) -> None:
    """Nobody holds the proxy any more, or the interpreter ends: close.

    On a thread of its own: a finalizer may run anywhere, also inside of an action of another system, or while this thread leads a batch.
    """
    ended = allocate_lock()
    ended.acquire()
    try:
        start_new_thread(_close, (system, ended))
    except RuntimeError:  # the interpreter ends: no new threads
        _close(system, ended)
    ended.acquire(timeout=PATIENCE)


def _close(system: System, ended: LockType) -> None:
    try:
        system.close()
    except CoopyError as error:
        log.warning("%s was not closed: %s", system.archive.directory, error)
    finally:
        ended.release()


# --- control ---------------------------------------------------------------------------------------------------------


class _Operations:
    """What a proxy offers beside the domain's own names."""

    def __init__(self, system: System) -> None:
        self._system = system

    def take_snapshot(self, *, background: bool = False) -> int:
        """Write the state as a snapshot; gives its LSN. `background`: beside the calls. Not built yet: raises UsageError."""
        if background:
            raise UsageError("take_snapshot(background=True) is not part of this version yet. Leave it out: calls wait for the snapshot.")
        return self._system.take_snapshot()

    def close(self) -> None:
        """Finish what runs and close. A second time it does nothing."""
        self._system.close()

    def basedir_abspath(self) -> list[str]:
        """The absolute path of the directory, in a list."""
        return [self._system.archive.directory]


class Control(_Operations, Generic[T_co]):
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

    def digest(self) -> str:
        """The digest of the state: equal states give equal digests in any process."""
        return self._system.digest()

    def stats(self) -> dict[str, int]:
        """Numbers about this run: LSNs, rebuilds, snapshots, divergences."""
        return self._system.stats()

    def verify(self) -> None:
        """Replay the journal in a fresh process and compare digests. Not built yet: raises UsageError."""
        raise UsageError("verify() is not part of this version yet.")

    def wait_durable(self) -> int:
        """Return when all calls so far are on stable storage; gives the LSN up to which they are. Raises DurabilityError."""
        return self._system.wait_durable()

    def prune(self) -> list[str]:
        """Drop the part of the journal that no kept snapshot needs; gives the names of the files that went."""
        return self._system.prune()

    # --- primary and replicas ----------------------------------------------------------------------------------------

    @property
    def role(self) -> Literal["alone", "primary", "replica"]:
        """What this system is among others."""
        if self._system.peers is None:
            return "alone"
        return "replica" if isinstance(self._system.engine, FollowingEngine) and self._system.engine.primary else "primary"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port: where a primary listens, or where a replica's primary does. Raises UsageError where there is neither."""
        if self.role == "replica":
            return self._replica().address.host, self._replica().address.port
        return self._primary().address

    @property
    def token(self) -> str:
        """What this system shows now, for `wait_for` on a replica of it."""
        from coopy.replication.token import make_token

        engine, system = self._system.engine, self._system.archive.identity.system
        with engine.lock:
            return make_token(system, engine.journal.epoch, engine.executed)

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
        """Of a replica: why it does not follow at the moment; empty while it does."""
        return self._replica().problem

    def wait_for(self, token: str, timeout: float = 5.0) -> int:
        """Of a replica: return when it shows what the token's owner saw; gives the LSN that it shows.

        Raises ReplicaError for a token of another system or of a history that was cut off, and UnconfirmedError after `timeout` seconds.
        """
        return self._replica().wait_for(token, timeout)

    def promote(self, host: str = "127.0.0.1", port: int | None = None, *, min_acks: int = 0, after: int = 0) -> int:
        """Of a replica: follow no more, and take actions; with a `port`, listen there for replicas. Gives the new epoch, which is on stable storage.

        Make sure before that the former primary is gone: nobody else decides who leads. `after`: what the promotion before this one gave, where
        this replica may not have heard of it; else both may get the same epoch, and the one that returns is refused, or fences this one.
        """
        if type(after) is not int or not 0 <= after <= MOST_AFTER:
            raise UsageError(f"after={after!r} is not possible: it is an epoch, as promote() and stats() give it.", option="after")
        replica = self._replica()
        epoch = replica.promote(after)
        self._system.peers = None
        if port is not None:
            from coopy.replication.transport import Address

            _listen(self._system, Address(host, port, replica.address.password, replica.address.tls), min_acks)
        return epoch

    def _replica(self) -> Replica:
        from coopy.replication.replica import Replica

        peers = self._system.peers
        if not isinstance(peers, Replica):
            raise UsageError("This system is not a replica: only one that was opened with replication=True follows a primary.")
        return peers

    def _primary(self) -> Primary:
        from coopy.replication.primary import Primary

        peers = self._system.peers
        if not isinstance(peers, Primary):
            raise UsageError("This system is not a primary: only one that was opened with master=True listens.")
        return peers


def control(proxy: T) -> Control[T]:
    """The operations of the system behind a proxy. Raises UsageError for anything else."""
    return Control(proxy, _system_of(proxy))


def is_proxy(obj: object) -> bool:
    """Whether this is what `init_system` gave."""
    return type(obj) in _systems


def fix_wall(proxy: object, date: datetime | None) -> None:
    """For tests: have the system's stamps take this time (naive: local) until None sets the real one again."""
    system = _system_of(proxy)
    fixed = None if date is None else round(date.timestamp() * 1_000_000) * 1000
    with system.engine.lock:
        system.engine.wall = time.time_ns if fixed is None else lambda: fixed


def _system_of(proxy: object) -> System:
    system = _systems.get(type(proxy))
    if system is None:
        raise UsageError(f"{type(proxy).__qualname__} is not a proxy of coopy: pass what init_system gave.")
    return system
