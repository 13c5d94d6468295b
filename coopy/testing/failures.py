"""What the assertions raise. They are AssertionErrors: a test that fails, not one that is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CrashAssertionError", "ReplayAssertionError", "listed"]


class ReplayAssertionError(AssertionError):
    """A domain does not replay. `lsn`, `method`: after which call (0, "" where it is about none); `paths`: what differs."""

    def __init__(self, message: str, *, lsn: int = 0, method: str = "", paths: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.lsn, self.method, self.paths = lsn, method, tuple(paths)


class CrashAssertionError(AssertionError):
    """After a crash something is otherwise than callers were told. `lsn`: the last call that is there; `paths`: what differs; `point`: the crash."""

    def __init__(self, message: str, *, lsn: int = 0, paths: Sequence[str] = (), point: int = 0) -> None:
        super().__init__(message)
        self.lsn, self.paths, self.point = lsn, tuple(paths), point


def listed(title: str, lines: Sequence[str]) -> str:
    """Lines under a title, as pytest users read them; empty without lines."""
    return "".join(("\n", title, *(f"\n    {line}" for line in lines))) if lines else ""
