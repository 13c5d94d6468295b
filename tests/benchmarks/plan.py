"""What is measured, of whom, how often, and what DESIGN asks for: tables, no code that runs anything.

Counts are chosen so that each measurement takes some tenths of a second.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MEASURES", "TARGETS", "Measure", "Target"]


@dataclass(frozen=True)
class Measure:
    """One row: what the child does, at which durability, with how many threads, and how many times for each subject."""

    title: str
    does: str
    durability: str
    threads: int
    counts: dict[str, int]


BUFFERED = {"coopy": 200_000, "coopy 0.7.0": 200_000, "SQLite": 20_000, "SQLite unsynced": 20_000, "ZODB": 4_000, "direct": 500_000}
SYNC = {"coopy": 2_000, "coopy 0.7.0": 1_000, "SQLite": 1_000, "ZODB": 500}
SYNC_32 = {"coopy": 16_000, "coopy 0.7.0": 1_600, "coopy 0.7.0 grouped": 4_800, "SQLite": 1_600, "ZODB": 800}
QUERIES = {"coopy": 300_000, "coopy 0.7.0": 20_000, "SQLite": 50_000, "ZODB": 200_000, "direct": 1_000_000}
RESTORED = {subject: BUFFERED[subject] for subject in ("coopy", "coopy 0.7.0")}

MEASURES = {
    measure.title: measure
    for measure in (
        Measure("buffered actions, 1 thread", "actions", "buffered", 1, BUFFERED),
        Measure("restore", "restore", "buffered", 1, RESTORED),  # of what the row above wrote
        Measure("queries, 1 thread", "queries", "buffered", 1, QUERIES),
        Measure("sync actions, 1 thread", "actions", "sync", 1, SYNC),
        Measure("sync actions, 32 threads", "actions", "sync", 32, SYNC_32),
    )
}


@dataclass(frozen=True)
class Target:
    """A number of DESIGN 8: this measure of coopy against coopy 0.7.0, at least so many times as good."""

    measure: str
    factor: float


TARGETS = (
    Target("buffered actions, 1 thread", 9),
    Target("sync actions, 1 thread", 1.6),
    Target("sync actions, 32 threads", 7),
    Target("queries, 1 thread", 35),
    Target("restore", 5),
    Target("journal bytes per action", 1),
)
IMPORT_LIMIT = 0.060  # seconds, net of the interpreter
NEVER_IMPORTED = ("libcst", "mypy", "asyncio", "ssl", "click")
