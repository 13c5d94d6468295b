"""The command `coopy` (also `python -m coopy`): operations on a data directory, without its program.

    status DIR    what it holds            check DIR    is everything whole?            repair DIR    what an operator may decide

Exit status: 0 fine, 1 damage was found, 2 it could not be done.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from coopy.disk import RealDisk
from coopy.engine.check import check_directory
from coopy.engine.mend import drop_tail, rebuild_manifest, skip_action
from coopy.engine.opening import Place
from coopy.error import CoopyError
from coopy.header import derive_key
from coopy.manifest import read_manifest

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["main"]

T = TypeVar("T")
_directory = click.argument("directory", type=click.Path(exists=True, file_okay=False))
_key = click.option(
    "--signing-key-file", type=click.Path(exists=True, dir_okay=False), help="A file that holds the bytes of the signing key."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="coopy")
def main() -> None:
    """Look after the data directory of a coopy system."""


@main.command()
@_directory
@_key
def status(directory: str, signing_key_file: str | None) -> None:
    """What the directory holds, as its manifest says."""
    place = _place(directory, signing_key_file)
    manifest = _or_exit(lambda: read_manifest(place.disk, place.directory, place.key))
    if manifest is None or not manifest.snapshots:
        begun = manifest is not None and manifest.follows
        click.echo(f"{place.directory}: {'a replica without a state: open it with replication=True' if begun else 'no system yet'}")
        return
    click.echo(f"{place.directory}: {manifest.identity.domain}")
    click.echo(f"  system     {manifest.identity.system.hex()}, epoch {manifest.epoch}")
    click.echo(f"  snapshots  at LSN {', '.join(map(str, manifest.snapshots))}")
    click.echo(f"  journal    {len(manifest.segments)} segments from LSN {manifest.segments[0].first_lsn} on")
    click.echo(
        f"  closed     {'at LSN ' + str(manifest.closed) if manifest.closed >= 0 else 'no: it is open, or its process ended without closing it'}"
    )
    if manifest.follows:
        click.echo("  follows    a primary: it is a replica's, or of a primary that was fenced")
    if manifest.skips:
        click.echo(f"  left out   LSN {', '.join(map(str, manifest.skips))}")


@main.command()
@_directory
@_key
def check(directory: str, signing_key_file: str | None) -> None:
    """Read and verify every snapshot and record; change nothing, run nothing."""
    damaged = False
    for one in check_directory(_place(directory, signing_key_file)):
        damaged = damaged or bool(one.problem)
        click.echo(f"{'DAMAGED' if one.problem else 'ok':8}{Path(one.path).name}  {one.problem or one.found}")
    sys.exit(1 if damaged else 0)


@main.command()
@_directory
@_key
@click.option("--drop-tail", "tail", is_flag=True, help="Move what does not hold at the journal's end to quarantine.")
@click.option("--skip", type=click.IntRange(1), help="Leave the action with this LSN out of every restore.")
@click.option("--manifest", is_flag=True, help="Rebuild MANIFEST from the headers of segments and snapshots.")
@click.option("--replica", is_flag=True, help="With --manifest: the directory is a replica's, or of a primary that was fenced.")
def repair(
    directory: str,
    signing_key_file: str | None,
    tail: bool,  # noqa: FBT001 - click passes them by name
    skip: int | None,
    manifest: bool,  # noqa: FBT001
    replica: bool,  # noqa: FBT001
) -> None:
    """What coopy never decides by itself. Make a copy of the directory first."""
    place = _place(directory, signing_key_file)
    if replica and not manifest:
        raise click.UsageError("--replica means nothing without --manifest.")
    if manifest:
        made = _or_exit(lambda: rebuild_manifest(place, follows=replica))
        click.echo(f"MANIFEST rebuilt: {len(made.segments)} segments, snapshots at LSN {', '.join(map(str, made.snapshots))}")
        click.echo("  a replica's" if replica else "  no replica's: if it is, repeat this with --replica before anybody opens it")
    if tail:
        lsn, kept = _or_exit(lambda: drop_tail(place))
        click.echo(f"The journal ends at LSN {lsn} now. {'What was cut off is in ' + kept if kept else 'Nothing had to be cut off.'}")
    if skip:
        _or_exit(lambda: skip_action(place, skip))
        click.echo(f"LSN {skip} is left out from now on.")
    if not (tail or skip or manifest):
        raise click.UsageError("Say what to do: --drop-tail, --skip LSN or --manifest. `coopy check` says what is wrong.")


def _place(directory: str, key_file: str | None) -> Place:
    key = Path(key_file).read_bytes() if key_file else None
    return Place(RealDisk(), str(Path(directory).absolute()), derive_key(key), "")


def _or_exit(work: Callable[[], T]) -> T:
    try:
        return work()
    except CoopyError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
