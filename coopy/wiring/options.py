"""What `init_system` takes beside the domain and its directory, and what of it cannot be."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import msgspec

from coopy.error import UsageError
from coopy.snapshot import zstd

__all__ = ["Options", "check_number", "check_options"]


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
    renames: Mapping[str, str] | None = None


OF_A_NODE = ("name", "assume_durable")  # what means something with cluster= only
NOT_A_NODE = ("master", "replication", "port", "host", "password", "min_acks", "durability")  # what means nothing with it
TOGETHER = (
    "port",
    "host",
    "password",
    "tls",
    "min_acks",
)  # what means something with master=True or replication=True only; tls= with cluster=, too
ONE_OF = {
    "durability": ("sync", "buffered"), "compression": (None, "zstd"), "on_divergence": ("stop", "warn"), "validation": ("strict", "warn", "off"),
}  # fmt: skip
FLAGS = ("master", "replication", "auto_prune", "assume_durable")
NUMBERS: dict[str, tuple[tuple[type, ...], float, float]] = {  # types, at least, at most
    "snapshot_time": ((int, float), 0, threading.TIMEOUT_MAX), "sync_interval": ((int, float), 0.001, threading.TIMEOUT_MAX),
    "keep_snapshots": ((int,), 1, sys.maxsize), "segment_bytes": ((int,), 4096, 1 << 37),
    "port": ((int,), 0, 65535), "min_acks": ((int,), 0, 1000), "timeout": ((int, float), 0, threading.TIMEOUT_MAX),
    "after": ((int,), 0, (1 << 32) - (1 << 17)),  # an epoch has 32 bits, and others follow
}  # fmt: skip


def check_options(options: Options) -> tuple[str, ...]:
    """Gives what `allow` names. Raises UsageError for what cannot be."""
    for name in FLAGS:
        if type(getattr(options, name)) is not bool:
            raise UsageError(f"{name}={getattr(options, name)!r} is neither True nor False.", option=name)
    for name, values in ONE_OF.items():
        if getattr(options, name) not in values:
            raise UsageError(f"{name}={getattr(options, name)!r} is unknown: choose one of {', '.join(map(repr, values))}.", option=name)
    for name in NUMBERS.keys() & Options.__struct_fields__:
        check_number(name, getattr(options, name))
    _check_together(options)
    key = options.signing_key
    if key is not None and (type(key) is not bytes or not key):
        raise UsageError("signing_key is bytes, and not empty. `secrets.token_bytes(32)` makes a good one.", option="signing_key")
    if options.on_progress is not None and not callable(options.on_progress):
        raise UsageError(f"on_progress={options.on_progress!r} cannot be called.", option="on_progress")
    if options.compression == "zstd":
        zstd()
    return allowed(options.allow)


def check_number(name: str, value: Any) -> None:
    """Raises UsageError for a number that this option cannot be."""
    kinds, least, most = NUMBERS[name]
    if type(value) not in kinds or not least <= value <= most:
        what = " or ".join(kind.__name__ for kind in kinds)
        raise UsageError(f"{name}={value!r} is not possible: it is {what}, from {least} to {most}.", option=name)


def _check_together(options: Options) -> None:
    """What has to do with other systems."""
    _check_cluster(options)
    if options.cluster is None:
        _check_replication(options)


def _check_cluster(options: Options) -> None:
    if options.cluster is not None:
        for name in NOT_A_NODE:
            if getattr(options, name) != getattr(DEFAULTS, name):
                raise UsageError(
                    f"{name}= means nothing with cluster=, whose stream orders actions and makes them durable. Leave it out.", option=name
                )
        return
    for name in OF_A_NODE:
        if getattr(options, name) != getattr(DEFAULTS, name):
            raise UsageError(f"{name}= means nothing without cluster=. Leave it out.", option=name)


def _check_replication(options: Options) -> None:
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
    if options.replication and options.durability != "sync":
        what = f"durability={options.durability!r} is for who takes actions: a replica has on stable storage what it acknowledges"
        raise UsageError(f"{what}. Leave it out.", option="durability")
    if options.replication and not options.port and not options.host.startswith("unix:"):
        raise UsageError("port=0 is not possible for a replica: it is the primary's port.", option="port")


def allowed(allow: Any) -> tuple[str, ...]:
    """What `allow=` names. Raises UsageError for what names nothing."""
    names = tuple(allow) if isinstance(allow, Iterable) and not isinstance(allow, str | bytes) else (None,)
    if not all(isinstance(name, str) for name in names):
        raise UsageError(f'allow={allow!r} is not possible: it is a tuple of "module:Name" or "package".', option="allow")
    return names


DEFAULTS = Options()
