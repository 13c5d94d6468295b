"""`coopy export` and `coopy import`: JSON lines, for people who leave or arrive.

    {"coopy": 1, "domain": "wiki:Wiki", ...}       first: whose it is
    {"lsn": 1, "time": ..., "method": ..., "args": [...], "kwargs": {...}, "outcome": ..., "error": ..., "key": ...}
    {"state": {...}, "lsn": 0, "pickle": ...}      once, where the oldest snapshot stands: the state there. Actions before it are history only
    {"end": 1}                                     last: how many actions there were, so that a file that was cut off is told

Values are as coopy/cli/plain.py says. What JSON cannot say exactly has beside it what was recorded, as "pickle" (or "msgpack", of a call with a
key); an import reads that by the restricted unpickler, as an opening does. Written by hand, an action needs `method` and `args` only.
"""

from __future__ import annotations

import binascii
import json
import sys
from base64 import b64decode, b64encode
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coopy.cli.group import DAMAGE, FINE
from coopy.cli.place import allow, directory, find_classes_here, key, on_divergence, place_of, signing_key
from coopy.cli.plain import plain, valued
from coopy.cli.record import as_dict
from coopy.cli.terminal import progress
from coopy.codec import MSGPACK, PICKLE
from coopy.engine.execute import UnknownMethodError
from coopy.engine.recorded import recorded
from coopy.error import CoopyError, UsageError
from coopy.header import derive_key
from coopy.inert import read_value
from coopy.wiring.arriving import Call, arrive, check_action, free_place, load_root, prepared
from coopy.wiring.earlier import snapshot_state
from coopy.wiring.opening import directory_of
from coopy.wiring.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from coopy.codec import Codec
    from coopy.engine.recorded import Recorded

__all__ = ["export", "import_"]

VERSION = 1
STEPS = 10_000_000  # of a call that are read
ENDINGS: dict[str, str | None] = {"returned": "", "unknown": None}


@click.command()
@directory
@key
@click.option("--output", type=click.Path(dir_okay=False), metavar="FILE", help="A new file, instead of standard output.")
def export(directory: str, signing_key_file: str | None, output: str | None) -> int:
    """Everything in DIRECTORY as JSON lines: the kept journal, and the state of the oldest snapshot. No class is imported and nothing runs.

    It holds all that was passed to actions, in the clear.
    """
    journal = recorded(place_of(directory, signing_key_file), "export")
    with _target(output) as file, progress("Exporting") as move:
        for line in _lines(journal, move):
            file.write(json.dumps(line) + "\n")
    return FINE


@contextmanager
def _target(output: str | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    try:
        Path(output).touch(0o600, exist_ok=False)
    except FileExistsError as error:
        raise UsageError(f"{output} is there already. Nothing was changed. Choose another name.", path=output) from error
    try:
        with Path(output).open("w", encoding="ascii") as file:
            yield file
    except BaseException:
        Path(output).unlink()
        raise


def _lines(journal: Recorded, move: Callable[[int, int], None]) -> Iterator[dict[str, Any]]:
    archive = journal.archive
    segments, base = archive.manifest.segments, archive.manifest.snapshots[0]
    yield {
        "coopy": VERSION,
        "domain": archive.identity.domain,
        "system": archive.identity.system.hex(),
        "first": segments[0].first_lsn,
        "base": base,
    }
    count, stated = 0, False
    for one in journal.told(segments[0].first_lsn - 1):
        lsn = one[0][0]
        if lsn > base and not stated:
            yield _state(journal, base)
            stated = True
        yield as_dict(one, STEPS, exact=True)
        count += 1
        move(sum(listed.first_lsn <= lsn for listed in segments), len(segments) + 1)
    if not stated:
        yield _state(journal, base)
    yield {"end": count}


def _state(journal: Recorded, lsn: int) -> dict[str, Any]:
    data = snapshot_state(journal.archive, lsn)
    root, steps = read_value(data)
    return {"state": plain(root, 1000 + 16 * steps), "lsn": lsn, "pickle": b64encode(data).decode("ascii")}


# --- import ----------------------------------------------------------------------------------------------------------


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.argument("directory", type=click.Path())
@key
@allow
@on_divergence
def import_(file: str, directory: str, signing_key_file: str | None, allow: tuple[str, ...], on_divergence: str) -> int:
    """Make DIRECTORY from FILE: its actions are called on a fresh domain object, at the times that they had.

    The class is found from the working directory, too. A file with anything wrong in it creates nothing. What coopy.random gives is drawn anew, LSNs are
    counted anew, and actions that were undone are left out. The file's pickles are read by the restricted unpickler: they can load the domain's own classes.
    """
    find_classes_here()
    where, secret = directory_of(directory), signing_key(signing_key_file)
    free_place(where)
    source = _Source(file)
    subject, kind = prepared(Subject(where, source.domain(), derive_key(secret), allow))
    state = source.check(subject.codec, kind)
    obj: object = kind
    if state is not None:
        obj, keys = load_root(subject, state)
        if keys:
            click.echo("Keys of once that were used before the state in the file are not remembered in the new directory.", err=True)
    differ = 0

    def tell(error: CoopyError) -> None:
        nonlocal differ
        differ += 1
        click.echo(str(error), err=True)

    with source.naming_lines(), progress("Importing") as move:
        lsn = arrive(subject, obj, source.calls(subject.codec, move), secret, tell if on_divergence == "warn" else None)
    click.echo(f"{where} is made, up to LSN {lsn}.{f' {differ} actions ended otherwise than they did.' if differ else ''}")
    return DAMAGE if differ else FINE


class _Source:
    """A file of JSON lines, which is read twice: whether all of it is good, and then for good."""

    def __init__(self, path: str) -> None:
        self._path, self._base, self._line = path, 0, 0

    def domain(self) -> str:
        """Whose it is, as its first line says."""
        number, first = next(self._parsed(), (1, {}))
        if first.get("coopy") != VERSION or not isinstance(first.get("domain"), str) or first["domain"].count(":") != 1:
            raise self._wrong(number, f'it is not the first line of an export: {{"coopy": {VERSION}, "domain": "module:Class"}}')
        domain: str = first["domain"]
        return domain

    def check(self, codec: Codec, kind: type) -> bytes | None:
        """Read all of it. Gives the state in it, None if there is none. Raises UsageError that names the line."""
        state, count, number, last = None, 0, 0, None
        for number, line in self._parsed():
            if last is not None:
                raise self._wrong(number, "it follows the last line")
            if "state" in line:
                if state is not None:
                    raise self._wrong(number, "it is a second state")
                state, self._base = self._bytes(number, line, "pickle"), number
            elif "method" in line:
                self._check(number, self._call(number, line, codec), kind)
                count += 1
            elif "end" in line:
                last = line["end"]
            elif number > 1:
                raise self._wrong(number, "it is neither an action, nor the state, nor the end")
        if last != count:
            raise self._wrong(
                number, f"the file ends behind {count} actions, without the line that says so: it was cut off, or lines are missing"
            )
        return state

    def calls(self, codec: Codec, move: Callable[[int, int], None]) -> Iterator[Call]:
        """Those behind the state that happened."""
        for number, line in self._parsed(move):
            if number > self._base and "method" in line and line.get("outcome") != "skipped":
                self._line = number
                yield self._call(number, line, codec)

    @contextmanager
    def naming_lines(self) -> Iterator[None]:
        """What is wrong with a call is only seen when it is made: its line is named all the same."""
        try:
            yield
        except (UsageError, UnknownMethodError) as error:
            if not self._line or hasattr(error, "line"):
                raise
            raise self._wrong(self._line, str(error).rstrip(".")) from error

    # --- lines -----------------------------------------------------------------------------------------------------------

    def _parsed(self, move: Callable[[int, int], None] | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
        size = Path(self._path).stat().st_size
        with Path(self._path).open("rb") as file:
            for number, text in enumerate(file, 1):
                try:
                    line = json.loads(text)
                except (ValueError, RecursionError) as error:
                    raise self._wrong(number, f"it is no JSON: {error}") from error
                if not isinstance(line, dict):
                    raise self._wrong(number, "it is no JSON object")
                yield number, line
                if move is not None:
                    move(file.tell(), size)

    def _check(self, number: int, call: Call, kind: type) -> None:
        try:
            check_action(kind, call)
        except UsageError as error:
            raise self._wrong(number, str(error).rstrip(".")) from error

    def _call(self, number: int, line: dict[str, Any], codec: Codec) -> Call:
        try:
            method, args, kwargs = self._recorded(number, line, codec)
            time_us, utc_offset = _stamp(line.get("time"))
            lsn = line.get("lsn", number)
            if type(lsn) is not int:
                raise ValueError("its LSN is no number")
            ending = line.get("outcome", "unknown")
            raised = ENDINGS[ending] if ending in ENDINGS else str(line.get("error", ""))
            return Call(lsn, method, args, kwargs, time_us, utc_offset, raised)
        except (ValueError, OverflowError, RecursionError, CoopyError) as error:
            if isinstance(error, UsageError):
                raise
            raise self._wrong(number, str(error)) from error

    def _recorded(self, number: int, line: dict[str, Any], codec: Codec) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        for name, kind in (("pickle", PICKLE), ("msgpack", MSGPACK)):
            if name in line:
                method, args, kwargs = codec.decode(kind, self._bytes(number, line, name))
                return method, tuple(args), dict(kwargs)
        method, args, kwargs = line["method"], line.get("args", []), line.get("kwargs", {})
        if type(method) is not str or type(args) is not list or type(kwargs) is not dict:
            raise ValueError("it is no call: method is a string, args a list, kwargs an object")
        return method, tuple(valued(args)), {name: valued(value) for name, value in kwargs.items()}

    def _bytes(self, number: int, line: dict[str, Any], name: str) -> bytes:
        try:
            return b64decode(line[name], validate=True)
        except (KeyError, TypeError, binascii.Error, ValueError) as error:
            raise self._wrong(number, f"its {name!r} is missing, or no base64") from error

    def _wrong(self, number: int, why: str) -> UsageError:
        return UsageError(f"{self._path}, line {number}: {why}. Nothing was created.", path=self._path, line=number)


def _stamp(text: Any) -> tuple[int | None, int]:
    """Microseconds since 1970 and the UTC offset in minutes. None for an action that says no time."""
    if text is None:
        return None, 0
    if type(text) is not str:
        raise ValueError("its time is no text")
    time = datetime.fromisoformat(text)
    offset = time.utcoffset()
    if offset is None:
        raise ValueError("its time says no zone: it is like 2026-01-31T12:00:00+01:00")
    epoch = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    return (time - epoch) // timedelta(microseconds=1), offset // timedelta(minutes=1)
