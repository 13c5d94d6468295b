"""What most commands take: the directory, the key that it is signed with, classes that may be unpickled."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from coopy.disk import RealDisk
from coopy.engine.opening import Place
from coopy.error import UsageError
from coopy.header import derive_key

__all__ = ["allow", "as_json", "directory", "find_classes_here", "key", "on_divergence", "place_of", "signing_key", "yes"]

directory = click.argument("directory", type=click.Path(exists=True, file_okay=False))
key = click.option(
    "--signing-key-file",
    type=click.Path(exists=True, dir_okay=False),
    help="The file whose bytes are the signing key of a directory that is signed.",
)
allow = click.option(
    "--allow", multiple=True, metavar="NAME", help='As allow= of init_system: "module:Name" or "package" (may be repeated).'
)
as_json = click.option("--json", "as_json", is_flag=True, help="For programs.")
on_divergence = click.option(
    "--on-divergence", type=click.Choice(("stop", "warn")), default="stop", help="What to do where an action ends otherwise than it did."
)
yes = click.option("--yes", is_flag=True, help="Do not ask.")


def signing_key(file: str | None) -> bytes | None:
    """What `signing_key=` of init_system is. Raises UsageError for an empty file."""
    if file is None:
        return None
    found = Path(file).read_bytes()
    if not found:
        raise UsageError(f"{file} is empty: a signing key has at least one byte.", path=file)
    return found


def place_of(where: str, key_file: str | None) -> Place:
    """The directory, for any class."""
    return Place(RealDisk(), str(Path(where).absolute()), derive_key(signing_key(key_file)), "")


def find_classes_here() -> None:
    """Have modules be found in the working directory, as `python -m` does: a program of that name is started from anywhere."""
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path and not os.environ.get("PYTHONSAFEPATH"):
        sys.path.insert(0, here)
