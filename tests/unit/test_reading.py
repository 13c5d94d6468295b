"""Reading beside a prune: the list is read anew where a file of it has gone, and that has an end."""

from __future__ import annotations

import errno

import pytest

from coopy.engine.reading import TRIES, unpruned
from coopy.error import UsageError


def gone(path: str) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, "No such file or directory", path)


def test_a_file_that_went_has_it_read_again() -> None:
    """As often as it takes, within reason."""
    troubles = [gone("/w/journal-1.log")] * (TRIES - 1)

    def read() -> str:
        if troubles:
            raise troubles.pop()
        return "read"

    assert unpruned("/w", read) == "read"


def test_a_directory_that_is_pruned_all_the_time_is_told() -> None:
    """As something to try again, not as the disk's error."""

    def read() -> None:
        raise gone("/w/journal-1.log")

    with pytest.raises(UsageError, match=r"What was wanted of /w had been pruned .* Try it again"):
        unpruned("/w", read)


def test_another_file_that_is_missing_is_nobodys_prune() -> None:
    """It is told at once."""
    asked = []

    def read() -> None:
        asked.append(1)
        raise gone("/elsewhere/module.py")

    with pytest.raises(FileNotFoundError):
        unpruned("/w", read)
    assert asked == [1]
