"""Restoring for whoever only reads: into memory of its own, beside whoever writes, without a lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from coopy.engine.execute import Executor
from coopy.engine.restore import Restorer
from coopy.error import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.clock import Moment
    from coopy.codec import Codec
    from coopy.engine.archive import Archive

__all__ = ["ReadingRestorer", "unpruned"]

TRIES = 5
T = TypeVar("T")


class ReadingRestorer(Restorer):
    """Restores into a domain object of its own. What the validator has proved of today's methods is of no use to it."""

    def __init__(self, archive: Archive, codec: Codec, adopt: Callable[[object, Moment], None], on_divergence: str = "stop") -> None:
        secret, former, mark = archive.identity.secret, codec.names.methods, memoryview(bytearray(24)).cast("Q")
        super().__init__(archive, codec, mark, lambda root: Executor(root, secret, {}, former), on_divergence)
        self.adopt = adopt


def unpruned(directory: str, read: Callable[[], T]) -> T:
    """What `read` gives; once more where a file of the directory went between the list and the reading: it was pruned.

    `read` looks at the list anew each time. Raises UsageError where that happens all the time.
    """
    for _ in range(TRIES):
        try:
            return read()
        except FileNotFoundError as error:
            if not str(error.filename).startswith(directory):
                raise
    what = f"What was wanted of {directory} had been pruned when it was to be read, {TRIES} times in a row. Nothing was changed."
    raise UsageError(f"{what} Try it again, or prune less often.", path=directory)
