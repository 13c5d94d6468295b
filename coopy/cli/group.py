"""Which commands there are, and how each ends: its exit status, what is said of an error, and what happens when nobody reads on.

A command is a function in a file of this folder that gives its exit status, None for 0. Its file is imported when it is called, so that `coopy --help` is quick.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coopy.error import CoopyError, CorruptionError, DivergenceError, FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["DAMAGE", "FINE", "NOT_DONE", "main"]

FINE, DAMAGE, NOT_DONE, INTERRUPTED = 0, 1, 2, 130
COMMANDS = {
    "status": ("looking", "What it holds, and who has it open."),
    "check": ("looking", "Is everything whole? Reads all of it."),
    "log": ("past", "The recorded actions."),
    "show": ("past", "The state as it was behind an action."),
    "verify": ("proving", "Is the state the same wherever the journal is replayed?"),
    "rehearse": ("proving", "Would the code as it is today open it?"),
    "repair": ("mending", "What coopy never decides by itself."),
    "prune": ("mending", "Drop what no kept snapshot needs."),
    "export": ("moving", "Everything as JSON lines, for who leaves."),
    "import": ("moving", "A new directory from JSON lines, for who arrives."),
    "cluster": ("servers", "Servers of a cluster on this machine, and streams that may go."),
    "validate": ("proving", "Is a domain replayable? As python -m coopy.validate."),
}


class _Commands(click.Group):
    """The commands of the table above."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own signature
        """In the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's own signature
        """The command, from its file."""
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = getattr(import_module(f"coopy.cli.{COMMANDS[cmd_name][0]}"), cmd_name.replace("import", "import_"))
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's own signature
        """From the table: nothing is imported for it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """As click.Group.invoke. A reader that has gone, as `head` does, has read enough: that is no failure."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains when it flushes at its end
            return FINE
        return result

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> Any:  # type: ignore[override]
        """Run the command that the arguments name, and exit with its status."""
        extra["standalone_mode"] = False
        sys.exit(_ended(lambda: super(_Commands, self).main(args, prog_name, **extra)))


def _ended(run: Any) -> int:
    """The exit status."""
    _open_what_was_closed()
    _escape_what_cannot_be_written()
    try:
        with _warnings_shown():
            status = run()
    except click.ClickException as error:
        error.show()
        return NOT_DONE
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped. Nothing that was not said to be done was done.", err=True)
        return INTERRUPTED
    except CoopyError as error:
        click.echo(str(error), err=True)
        damage = isinstance(error, CorruptionError | DivergenceError) and not isinstance(error, FormatError)
        return DAMAGE if damage else NOT_DONE
    except OSError as error:
        return _refused(error)
    return status if isinstance(status, int) else FINE


@contextmanager
def _warnings_shown() -> Iterator[None]:
    """What the library only logs, such as a snapshot that was passed over, is for whoever called the command to see."""
    import logging

    log, shown = logging.getLogger("coopy"), logging.lastResort
    assert shown is not None
    log.addHandler(shown)
    try:
        yield
    finally:
        log.removeHandler(shown)


def _refused(error: OSError) -> int:
    """What the operating system does not let be done. Exit status 1 where it is a disk that does not give what it holds."""
    offset = getattr(error, "offset", None)
    where = f" at offset {offset}" if offset is not None else ""
    click.echo(f"{error.filename or 'It'} cannot be used{where}: {error.strerror}. Nothing was changed.", err=True)
    return NOT_DONE if offset is None else DAMAGE


def _open_what_was_closed() -> None:
    """A program that was started without one of the standard streams has None in its place: what it says goes nowhere then, and nobody can be asked."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - as long as the program


def _escape_what_cannot_be_written() -> None:
    """What the terminal's encoding has not is written as an escape, and is no reason to stop."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="coopy")
def main() -> None:
    """Look after the data directory of a coopy system.

    Exit status: 0 fine, 1 damage or a difference was found, 2 it could not be done.
    """
