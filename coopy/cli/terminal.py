"""What depends on whether somebody is looking: a bar for long work, colours, questions. Standard output is the same for all."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from coopy.error import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["agree", "coloured", "progress", "waiting"]

PATIENCE = 0.5  # seconds before anything is shown
COLOURS = {"DAMAGED": "red", "raised": "yellow", "skipped": "yellow", "unknown": "cyan"}


def coloured(word: str, width: int = 0) -> str:
    """A word in its colour, filled up with spaces; without one where nobody looks, or NO_COLOR is set."""
    text = word.ljust(width)
    colour = COLOURS.get(word)
    if colour is None or os.environ.get("NO_COLOR") or not sys.stdout.isatty():
        return text
    return click.style(text, fg=colour)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, moved by calls with what is done and what there is; only in a terminal, and only for what takes a while."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    bar = _Bar(what)
    try:
        yield bar.move
    finally:
        bar.end()


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """The same for what does not tell how far it is."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


class _Bar:
    """A bar of rich, which is loaded when it is needed."""

    def __init__(self, what: str) -> None:
        self._what, self._from = what, time.monotonic() + PATIENCE
        self._bar: Any = None

    def move(self, done: int, total: int) -> None:
        if self._bar is None:
            if time.monotonic() < self._from:
                return
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task(self._what, total=total)
            self._bar.start()
        self._bar.update(self._task, completed=done, total=total)

    def end(self) -> None:
        if self._bar is not None:
            self._bar.stop()


def agree(what: str, *, yes: bool) -> None:
    """Say what will be done, and go on if that is agreed. Raises UsageError where it is not, or there is nobody to ask."""
    click.echo(what, err=True)
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("Nobody can be asked here, so nothing was changed. Pass --yes to have it done.")
    if not click.confirm("Do it?", err=True):
        raise UsageError("Nothing was changed.")
