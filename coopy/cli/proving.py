"""`coopy verify`, `coopy rehearse` and `coopy validate`: is what was recorded, what the code makes of it, and the code itself as it should be?"""

from __future__ import annotations

import json
import sys

import click
import msgspec

from coopy.cli.group import DAMAGE, FINE
from coopy.cli.place import allow, as_json, directory, find_classes_here, key, signing_key
from coopy.cli.terminal import waiting
from coopy.error import DivergenceError

__all__ = ["rehearse", "validate", "verify"]


@click.command()
@directory
@key
@allow
@as_json
def verify(directory: str, signing_key_file: str | None, allow: tuple[str, ...], as_json: bool) -> int:  # noqa: FBT001 - click passes it by name
    """Replay the journal of DIRECTORY twice in fresh processes, under other surroundings, and compare the states.

    The class is found from the working directory, too. What actions do outside of the state (files, messages) is done again.
    """
    from coopy.wiring.elsewhere import verify as verified

    find_classes_here()
    try:
        with waiting("Replaying twice"):
            found = verified(directory, signing_key=signing_key(signing_key_file), allow=allow)
    except DivergenceError as error:
        if not as_json:
            raise
        click.echo(
            json.dumps({"same": False, "problem": str(error), **{name: getattr(error, name, None) for name in ("lsn", "method", "paths")}})
        )
        return DAMAGE
    click.echo(json.dumps({"same": True, **msgspec.to_builtins(found)}) if as_json else str(found))
    return FINE


@click.command()
@directory
@click.argument("domain", metavar="MODULE:CLASS")
@key
@allow
@as_json
def rehearse(directory: str, domain: str, signing_key_file: str | None, allow: tuple[str, ...], as_json: bool) -> int:  # noqa: FBT001 - click passes it by name
    """Try to open DIRECTORY with the code as it is today, in a process of its own; write nothing.

    The class is found from the working directory, too. Exit status: 0 an opening would give what was recorded, 1 it would not.
    """
    from coopy.wiring.rehearsal import rehearse as rehearsed

    find_classes_here()
    with waiting("Replaying"):
        found = rehearsed(directory, domain, allow=allow, signing_key=signing_key(signing_key_file))
    click.echo(json.dumps({"safe": found.safe, **msgspec.to_builtins(found)}) if as_json else str(found))
    return FINE if found.safe else DAMAGE


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def validate(arguments: tuple[str, ...]) -> int:
    """As `python -m coopy.validate`, with its options and its exit status."""
    from coopy.validate import command as run

    try:
        return run(list(arguments))
    except SystemExit as ended:  # --help, or options that cannot be
        return ended.code if isinstance(ended.code, int) else 2
    finally:
        sys.stdout.flush()
