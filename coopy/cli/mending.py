"""`coopy repair` and `coopy prune`: what changes a directory that nobody has open. Each says first what it would do, and asks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from coopy.cli.group import DAMAGE, FINE
from coopy.cli.place import directory, key, place_of, yes
from coopy.cli.terminal import agree
from coopy.engine.advice import copies, ways_out
from coopy.engine.check import check_directory
from coopy.engine.cut import plan_cut
from coopy.engine.mend import drop_tail, rebuild_manifest, skip_action
from coopy.engine.prune import prune_closed
from coopy.engine.recorded import existing

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.engine.mend import Rebuilt
    from coopy.engine.opening import Place

__all__ = ["prune", "repair"]


@click.command()
@directory
@key
@click.option("--drop-tail", "tail", is_flag=True, help="Move what does not hold at the journal's end to quarantine.")
@click.option("--skip", type=click.IntRange(1), metavar="LSN", help="Leave the action with this LSN out of every restore.")
@click.option("--manifest", is_flag=True, help="Rebuild MANIFEST from the headers of segments and snapshots.")
@click.option("--replica", is_flag=True, help="With --manifest: the directory is a replica's, or of a primary that was fenced.")
@click.option("--node", "name", metavar="NAME", help="With --manifest: the directory is a node's, of the cluster with this name (`name=`).")
@yes
def repair(  # noqa: PLR0913 - click passes each option by name
    directory: str,
    signing_key_file: str | None,
    tail: bool,  # noqa: FBT001
    skip: int | None,
    manifest: bool,  # noqa: FBT001
    replica: bool,  # noqa: FBT001
    name: str | None,
    yes: bool,  # noqa: FBT001
) -> int:
    """What coopy never decides by itself. Without an option: what is wrong with DIRECTORY, and what could be done.

    Each option says what it would do, and asks. What it cuts off or replaces is kept in quarantine/; a copy of the whole directory is better still.
    """
    place = place_of(directory, signing_key_file)
    if replica and not manifest:
        raise click.UsageError("--replica means nothing without --manifest.")
    if name is not None and (replica or not manifest):
        raise click.UsageError("--node means nothing without --manifest, and with --replica.")
    if not (tail or skip or manifest):
        return _advise(place)
    if manifest:
        rebuilt = rebuild_manifest(place, _asking(yes=yes), follows=replica, stream=_stream(name))
        made = rebuilt.manifest
        click.echo(f"MANIFEST rebuilt: {len(made.segments)} segments, snapshots at LSN {', '.join(map(str, made.snapshots))}")
        click.echo(_whose(rebuilt))
        if not tail and (words := plan_cut(place).words):
            click.echo(f"It cannot be opened yet. Next: coopy repair --drop-tail {place.directory}\n  {words}")
            return DAMAGE
    if tail:
        lsn, kept = drop_tail(place, _asking(yes=yes))
        nothing = "Nothing had to be cut off." if kept is None else "There was nothing to keep."
        click.echo(f"The journal ends at LSN {lsn}. {f'What was cut off is in {kept}' if kept else nothing}")
    if skip:
        kept = skip_action(place, skip, _asking(yes=yes))
        click.echo(f"LSN {skip} is left out from now on. The manifest as it was is in {kept}")
    return FINE


def _stream(name: str | None) -> str:
    """The stream of the cluster with this name; empty without one."""
    if name is None:
        return ""
    from coopy.cluster.stream import check_name, stream_name

    return stream_name(check_name(name))


def _whose(rebuilt: Rebuilt) -> str:
    if rebuilt.manifest.stream:
        return f"  a node's, of the cluster whose stream is {rebuilt.manifest.stream}"
    if rebuilt.manifest.follows:
        return "  a replica's"
    return f"  no replica's{'' if rebuilt.known else ': if it is, repeat this with --replica before anybody opens it'}"


def _asking(*, yes: bool) -> Callable[[str], None]:
    return lambda what: agree(what, yes=yes)


def _advise(place: Place) -> int:
    """What is wrong, and what could be done about it."""
    found = [one for one in check_directory(place) if one.problem]
    if not found:
        existing(place, "repair")
        click.echo("All is whole: there is nothing to repair.")
        return FINE
    for one in found:
        click.echo(one.problem)
    names = [Path(one.path).name for one in found]
    for way in copies(place, names):
        click.echo(f"  {way.command}  {way.words}")
    ways = list(ways_out(place, names))
    for way in ways:
        click.echo(f"  {way.command}  {way.words}")
    if not ways:
        click.echo("  nothing else  can be done about it here")
    return DAMAGE


@click.command()
@directory
@key
@click.option("--keep", type=click.IntRange(1), metavar="N", help="Keep the newest N snapshots. By default all of them.")
@yes
def prune(directory: str, signing_key_file: str | None, keep: int | None, yes: bool) -> int:  # noqa: FBT001 - click passes it by name
    """Drop the part of the journal that no kept snapshot of DIRECTORY needs. What goes is gone: make a backup of what you may want to look back at.

    For a directory that nobody has open; a running system has `control(...).prune()` and auto_prune=True.
    """
    place = place_of(directory, signing_key_file)
    existing(place, "prune")  # as above
    went = prune_closed(place, keep, lambda names: agree(f"These go for good: {', '.join(names)}", yes=yes))
    click.echo(f"{len(went)} files went: {', '.join(went)}" if went else "Nothing had to go: the snapshots need all that is kept.")
    return FINE
