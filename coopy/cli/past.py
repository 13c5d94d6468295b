"""`coopy log` and `coopy show`: what was done, and what the state was. Both beside a running system, without its lock."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections import deque
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

import click
import msgspec

from coopy.cli.group import FINE
from coopy.cli.place import allow, as_json, directory, find_classes_here, key, on_divergence, place_of
from coopy.cli.plain import plain
from coopy.cli.record import HEADING, of_method, text_lines
from coopy.cli.record import as_json as json_lines
from coopy.cli.select import parts_of, selected
from coopy.cli.terminal import progress
from coopy.cli.text import short_name, value_text
from coopy.engine.reading import unpruned
from coopy.engine.recorded import Follower, newest_lsn, recorded, since_time
from coopy.error import UsageError
from coopy.inert import read_value
from coopy.wiring.earlier import state_at
from coopy.wiring.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from coopy.engine.execute import Record
    from coopy.engine.history import Told
    from coopy.engine.opening import Place
    from coopy.engine.recorded import Recorded

__all__ = ["log", "show"]

ROOM = 100  # characters of a call where nobody's terminal is narrower
BEFORE_CALL = len(HEADING) - len("CALL")
AT_A_TIME = 1000
POLL = 0.2  # seconds
SHOWN = 100  # parts of a value that are shown


@click.command()
@directory
@key
@as_json
@click.option(
    "--since",
    metavar="LSN|TIME",
    help="Those behind this LSN, or from this time on (2026-01-31, 2026-01-31T12:00; local if no zone is said).",
)
@click.option("--method", metavar="NAME", help="Those of this method.")
@click.option("--last", type=click.IntRange(1), metavar="N", help="The last N of them.")
@click.option("--follow", is_flag=True, help="Go on with what is written from now on, until Ctrl-C.")
def log(  # noqa: PLR0913 - click passes each option by name
    directory: str,
    signing_key_file: str | None,
    as_json: bool,  # noqa: FBT001
    since: str | None,
    method: str | None,
    last: int | None,
    follow: bool,  # noqa: FBT001
) -> int:
    """The recorded actions of DIRECTORY, oldest first, with what they were passed and how they ended.

    Calls are read as data: no class is imported and nothing runs. Beside a running system, the newest lines may not be on stable storage yet.
    """
    place = place_of(directory, signing_key_file)
    journal, wanted = unpruned(place.directory, lambda: _asked_for(place, since, method, last))
    seen = _Seen(wanted.begin)
    chosen = wanted.of(seen.through(journal.told(wanted.begin)))
    render: Callable[[Iterable[Told]], Iterator[str]] = json_lines if as_json else _text
    if not as_json and sys.stdout.isatty():
        click.echo(HEADING)
    _write(render(chosen if last is None else deque(chosen, maxlen=last)))
    if follow:
        _follow(Follower(place, seen.lsn, seen.open), lambda told: render(wanted.of(told)))
    return FINE


class _Wanted(msgspec.Struct, frozen=True):
    """Which actions: those behind an LSN, from a time on, of a method; None for all methods."""

    begin: int
    time_us: int
    method: str | None

    def of(self, told: Iterable[Told]) -> Iterable[Told]:
        """Those of them, but for the LSN."""
        if self.time_us:
            told = (one for one in told if one[0][1] >= self.time_us)
        return told if self.method is None else of_method(told, self.method)


class _Seen:
    """Which action was the last, and of which it was not known how they ended."""

    def __init__(self, lsn: int) -> None:
        self.lsn = lsn
        self.open: dict[int, Record] = {}

    def through(self, told: Iterable[Told]) -> Iterator[Told]:
        """The same, noted."""
        for one in told:
            self.lsn = one[0][0]
            if one[1] == "unknown":
                self.open[self.lsn] = one[0]
            yield one


def _asked_for(place: Place, since: str | None, method: str | None, last: int | None) -> tuple[Recorded, _Wanted]:
    journal = recorded(place, "log")
    return journal, _wanted(journal, since, method, last)


def _wanted(journal: Recorded, since: str | None, method: str | None, last: int | None) -> _Wanted:
    """What was asked for. Raises UsageError for an LSN that is not kept, or not there yet."""
    archive = journal.archive
    oldest = archive.manifest.segments[0].first_lsn - 1
    if since is not None and not since.isdecimal():
        time_us = _parse_time(since)
        return _Wanted(since_time(archive, time_us), time_us, method)
    begin = oldest if since is None else _check_lsn(int(since), oldest, newest_lsn(archive))
    if last is not None and method is None:  # what is before those need not be read
        begin = max(begin, newest_lsn(archive) - last)
    return _Wanted(begin, 0, method)


def _check_lsn(since: int, oldest: int, newest: int) -> int:
    if since < oldest:
        raise UsageError(
            f"--since {since}: the actions up to LSN {oldest} are not kept any more. Use --since {oldest}, or leave it out.", lsn=since
        )
    if since > newest:
        raise UsageError(f"--since {since}: there is no such action, the last one is {newest}.", lsn=since)
    return since


def _parse_time(text: str) -> int:
    """Microseconds since 1970."""
    try:
        return round(datetime.fromisoformat(text).astimezone().timestamp() * 1_000_000)
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(f"--since {text!r} is neither an LSN nor a time like 2026-01-31T12:00: {error}.", option="since") from error


def _text(told: Iterable[Told]) -> Iterator[str]:
    room = max(20, shutil.get_terminal_size().columns - BEFORE_CALL - 2) if sys.stdout.isatty() else ROOM
    return text_lines(told, room)


def _write(lines: Iterator[str]) -> None:
    """The first at once, the others many at a time."""
    size = 1
    while some := list(islice(lines, size)):
        sys.stdout.write("\n".join(some) + "\n")
        sys.stdout.flush()
        size = AT_A_TIME


def _follow(follower: Follower, render: Callable[[Iterable[Told]], Iterator[str]]) -> None:
    try:
        while True:
            told = follower.read()
            _write(render(told))
            if not told:
                time.sleep(POLL)
    except KeyboardInterrupt:  # that is how it ends
        return


# --- show ------------------------------------------------------------------------------------------------------------


@click.command()
@directory
@key
@allow
@as_json
@click.option("--at", "lsn", type=click.IntRange(0), metavar="LSN", help="Behind this action; 0: before the first. By default the newest.")
@on_divergence
@click.option("--path", default="", metavar="PATH", help="Only what is there: pages['Home'].title")
def show(  # noqa: PLR0913 - click passes each option by name
    directory: str,
    signing_key_file: str | None,
    allow: tuple[str, ...],
    as_json: bool,  # noqa: FBT001
    lsn: int | None,
    on_divergence: str,
    path: str,
) -> int:
    """The state in DIRECTORY as it was behind an action.

    At the LSN of a snapshot it is read as data. Anywhere else the actions behind the snapshot before are replayed, for which the domain's class is
    imported, from the working directory too; DIRECTORY itself is not changed, and whoever has it open goes on.
    """
    find_classes_here()
    place = place_of(directory, signing_key_file)
    journal = recorded(place, "show")
    subject = Subject(place.directory, journal.archive.identity.domain, place.key, allow)
    with progress("Replaying") as move:
        lsn, data = state_at(subject, lsn, on_divergence, move)
    root, steps = read_value(data)
    value = selected(root, path)
    if as_json:
        click.echo(json.dumps({"lsn": lsn, "path": path, "value": plain(value, 1000 + 16 * steps)}))
    else:
        click.echo("\n".join(_shown(value, f"{path or short_name(subject.domain)} at LSN {lsn}")))
    return FINE


def _shown(value: object, title: str) -> list[str]:
    parts = parts_of(value)
    if not parts:
        return [f"{title}: {value_text(value, ROOM * SHOWN)}"]
    lines = [f"{title}:", *(f"  {label} = {value_text(part, ROOM)}" for label, part in parts[:SHOWN])]
    return [*lines, *([f"  … and {len(parts) - SHOWN:,} more: --path and --json show them"] if len(parts) > SHOWN else [])]
