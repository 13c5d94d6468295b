"""The options of `init_system`: each with its type, and what cannot be is an error."""

from __future__ import annotations

import ssl
from os import PathLike
from pathlib import Path

from coopy import init_persistent_system, init_system


class Wiki:
    title = ""


class Place(PathLike[str]):
    def __fspath__(self) -> str:
        return "directory"


def progress(lsn: int, last_lsn: int) -> None:
    print(lsn, last_lsn)


def progress_of_text(lsn: str, last_lsn: str) -> None:
    print(lsn, last_lsn)


init_system(Wiki(), "directory", 60, False, False, 5466, "127.0.0.1", "copynet")
init_system(Wiki(), Path("directory"), 0.5)
init_system(Wiki(), basedir=Place())
init_system(Wiki(), basedir=None, snapshot_time=60, master=True, port=1, host="a", password="b")
init_system(Wiki, durability="buffered", sync_interval=0.1, validation="warn", keep_snapshots=3, auto_prune=True)
init_system(Wiki, segment_bytes=1 << 20, compression="zstd", signing_key=b"key", on_divergence="warn", on_progress=progress)
init_system(Wiki, compression=None, signing_key=None, on_progress=None, tls=None, cluster=None, name=None)
init_system(Wiki, allow=("decimal:Decimal",), on_progress=print)
init_system(Wiki, allow=["decimal:Decimal"], on_progress=lambda lsn, last: lsn + last)
init_system(Wiki, allow={"decimal:Decimal"})
init_system(Wiki, replication=True, tls=ssl.create_default_context(), min_acks=1)
init_system(Wiki, cluster="nats://a", name="wiki", assume_durable=True)
init_persistent_system(Wiki, snapshot_time=60)

init_system()  # error
init_system(basedir="directory")  # error
init_system(Wiki, b"directory")  # error
init_system(Wiki, 3)  # error
init_system(Wiki, "directory", "60")  # error
init_system(Wiki, snapshot_time="60")  # error
init_system(Wiki, snapshot_time=None)  # error
init_system(Wiki, master="yes")  # error
init_system(Wiki, replication=None)  # error
init_system(Wiki, port="5466")  # error
init_system(Wiki, host=None)  # error
init_system(Wiki, password=b"secret")  # error
init_system(Wiki, "directory", 60, False, False, 5466, "a", "b", "sync")  # error
init_system(Wiki, durability="x")  # error
init_system(Wiki, durability=None)  # error
init_system(Wiki, sync_interval="1")  # error
init_system(Wiki, validation=False)  # error
init_system(Wiki, validation="never")  # error
init_system(Wiki, keep_snapshots=1.5)  # error
init_system(Wiki, auto_prune="no")  # error
init_system(Wiki, segment_bytes="64M")  # error
init_system(Wiki, compression="gzip")  # error
init_system(Wiki, compression=True)  # error
init_system(Wiki, signing_key="key")  # error
init_system(Wiki, allow=3)  # error
init_system(Wiki, allow=[Wiki])  # error
init_system(Wiki, on_divergence="ignore")  # error
init_system(Wiki, on_progress=3)  # error
init_system(Wiki, on_progress=progress_of_text)  # error
init_system(Wiki, on_progress=lambda lsn: lsn)  # error
init_system(Wiki, tls=True)  # error
init_system(Wiki, min_acks="1")  # error
init_system(Wiki, cluster=["nats://a"])  # error
init_system(Wiki, name=3)  # error
init_system(Wiki, assume_durable=None)  # error
init_system(Wiki, directory="directory")  # error
init_persistent_system(Wiki, snapshot_time="60")  # error
init_persistent_system(Wiki, durability="x")  # error
init_persistent_system()  # error
