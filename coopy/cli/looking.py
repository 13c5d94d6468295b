"""`coopy status` and `coopy check`: what a directory holds, and whether all of it is whole. Both read only, also beside a running system."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from coopy.cli.group import DAMAGE, FINE
from coopy.cli.place import as_json, directory, key, place_of
from coopy.cli.terminal import coloured, progress
from coopy.disk import UnreadableError, held_by
from coopy.engine.archive import high_water_of, snapshot_path
from coopy.engine.check import check_directory
from coopy.engine.opening import nothing_there, read_archive
from coopy.engine.reading import unpruned
from coopy.engine.recorded import newest_lsn
from coopy.error import CorruptionError
from coopy.manifest import read_manifest
from coopy.snapshot import open_snapshot

if TYPE_CHECKING:
    from coopy.engine.archive import Archive
    from coopy.engine.check import Checked
    from coopy.engine.opening import Place

__all__ = ["check", "status"]

HOW = {
    "digest": "by its digest",
    "records": "each record",
    "both": "by its digest, then each record",
    "blocks": "each block",
    "header": "its header",
}


class Status(msgspec.Struct):
    """What `status` says. Sizes in bytes; `last_lsn`: as far as frames tell without being checked; `closed`: the LSN it was closed at, None if it was not."""

    directory: str
    state: str
    domain: str = ""
    system: str = ""
    epoch: int = 0
    signed: bool = False
    replica: bool = False
    stream: str = ""
    open_by: str = ""
    closed: int | None = None
    first_lsn: int = 0
    last_lsn: int = 0
    durable_lsn: int = 0
    segments: int = 0
    journal_bytes: int = 0
    snapshots: list[dict[str, Any]] = []
    left_out: list[int] = []
    quarantine_files: int = 0
    quarantine_bytes: int = 0


@click.command()
@directory
@key
@as_json
def status(directory: str, signing_key_file: str | None, as_json: bool) -> int:  # noqa: FBT001 - click passes it by name
    """What DIRECTORY holds, and who has it open.

    Reads headers and looks at the frames of the newest segment; `coopy check` reads and proves everything.
    """
    place = place_of(directory, signing_key_file)
    found = unpruned(place.directory, lambda: _status(place))
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(found)))
    else:
        click.echo("\n".join(_lines(found)))
    return DAMAGE if any("problem" in one for one in found.snapshots) else FINE


def _status(place: Place) -> Status:
    archive = read_archive(place)
    holder = held_by(place.directory)
    kept = [one.stat().st_size for one in (Path(place.directory) / "quarantine").glob("*") if one.is_file()]
    about = Status(place.directory, "a system", open_by=holder, quarantine_files=len(kept), quarantine_bytes=sum(kept))
    if archive is None:
        manifest = read_manifest(place.disk, place.directory, place.key)
        begun = manifest is not None and manifest.follows
        about.state = "a replica without a state: open it with replication=True" if begun else "no system yet"
        return about
    _fill(about, archive)
    return about


def _fill(about: Status, archive: Archive) -> None:
    manifest = archive.manifest
    about.domain, about.system, about.epoch = archive.identity.domain, archive.identity.system.hex(), manifest.epoch
    about.signed, about.replica, about.stream = bool(archive.key), manifest.follows, manifest.stream
    about.closed = manifest.closed if manifest.closed >= 0 else None
    about.first_lsn, about.last_lsn, about.durable_lsn = manifest.segments[0].first_lsn, newest_lsn(archive), high_water_of(archive)
    about.segments, about.left_out = len(manifest.segments), list(manifest.skips)
    about.journal_bytes = sum(one.stat().st_size for one in Path(archive.directory).glob("journal-*.log"))
    about.snapshots = [_snapshot(archive, lsn) for lsn in manifest.snapshots]


def _snapshot(archive: Archive, lsn: int) -> dict[str, Any]:
    path = snapshot_path(archive, lsn)
    try:
        header, stream = open_snapshot(archive.disk, path, archive.key, archive.identity)
    except (CorruptionError, UnreadableError) as error:
        return {"lsn": lsn, "problem": str(error)}
    stream.close()
    about = Path(path).stat()
    return {
        "lsn": lsn, "taken": datetime.fromtimestamp(about.st_mtime, UTC).astimezone().isoformat(timespec="seconds"), "bytes": about.st_size,
        "python": header.python, "compression": header.compression or None,
    }  # fmt: skip


def _lines(about: Status) -> list[str]:
    """For people."""
    opened = f"open      by {about.open_by}" if about.open_by else "open      by nobody"
    kept = f"  aside     {about.quarantine_files} files in quarantine/, {about.quarantine_bytes:,} bytes"
    aside = [kept] if about.quarantine_files else []
    if not about.domain:
        return [f"{about.directory}: {about.state}", *([f"  {opened}"] if about.open_by else []), *aside]
    lines = [
        f"{about.directory}: {about.domain}",
        f"  system    {about.system}, epoch {about.epoch}, {'signed' if about.signed else 'not signed'}",
        f"  {opened}",
        f"  journal   LSN {about.first_lsn} to {about.last_lsn}, {about.segments} segments, {about.journal_bytes:,} bytes",
        f"  synced    up to LSN {about.durable_lsn} at least",
    ]
    if about.last_lsn < about.first_lsn:
        lines[3] = f"  journal   no action from LSN {about.first_lsn} on, {about.segments} segments, {about.journal_bytes:,} bytes"
    lines += [f"  snapshot  at LSN {one['lsn']}, {_words(one)}" for one in about.snapshots]
    if about.closed is not None:
        lines.append(f"  closed    at LSN {about.closed}")
    elif not about.open_by:
        lines.append("  closed    no: its process ended without closing it")
    if about.stream:
        lines.append(f"  node      of the cluster whose stream is {about.stream}")
    if about.replica:
        lines.append("  follows   a primary: it is a replica's, or of a primary that was fenced")
    if about.left_out:
        lines.append(f"  left out  LSN {', '.join(map(str, about.left_out))}")
    return [*lines, *aside]


def _words(snapshot: dict[str, Any]) -> str:
    return snapshot.get("problem") or "{taken}, {bytes:,} bytes, Python {python}".format_map(snapshot)


# --- check -----------------------------------------------------------------------------------------------------------


@click.command()
@directory
@key
@as_json
@click.option("--full", is_flag=True, help="Check each record, also those whose bytes the manifest's digests vouch for.")
def check(directory: str, signing_key_file: str | None, as_json: bool, full: bool) -> int:  # noqa: FBT001 - click passes them by name
    """Read DIRECTORY whole: every tag, link and snapshot. Changes nothing, runs nothing.

    Exit status: 0 all is whole, 1 damage was found, 2 it could not be read, or holds no system.
    """
    place = place_of(directory, signing_key_file)
    damaged, count = False, 0
    total = sum(name.startswith(("journal-", "snapshot-")) for name in place.disk.entries(place.directory)) + 1
    with progress("Checking") as move:
        for count, one in enumerate(check_directory(place, full=full), 1):
            damaged = damaged or bool(one.problem)
            click.echo(_as_json(one) if as_json else _line(one))
            move(count, total)
    if not count:
        raise nothing_there(place.directory, "check")
    return DAMAGE if damaged else FINE


def _line(one: Checked) -> str:
    name = Path(one.path).name
    if one.problem:
        where = f" at offset {one.offset}" if one.offset is not None else ""
        return f"{coloured('DAMAGED', 8)}{name}{where}  {one.problem}"
    return f"{'ok':8}{name}  {one.found} ({HOW[one.how]})"


def _as_json(one: Checked) -> str:
    return json.dumps({"file": Path(one.path).name, "ok": not one.problem, **msgspec.to_builtins(one)})
