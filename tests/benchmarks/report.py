"""Results as tables: targets, everyone beside everyone, floors. A table is data; a screen and a page render it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table as RichTable

from tests.benchmarks.plan import IMPORT_LIMIT, MEASURES, TARGETS
from tests.benchmarks.run import BYTES, IMPORT

if TYPE_CHECKING:
    from tests.benchmarks.plan import Target
    from tests.benchmarks.run import Results

__all__ = ["Table", "tables", "to_markdown", "to_rich"]

PEERS = ("coopy", "coopy 0.7.0", "ZODB")  # whose journals keep every action
COOPY, OLD = PEERS[:2]


@dataclass(frozen=True)
class Table:
    """A title, the heads of the columns, and rows of text."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(results: Results) -> tuple[Table, ...]:
    """All that is worth reading."""
    return against_targets(results), beside_others(results), above_floors(results)


def against_targets(results: Results) -> Table:
    """What DESIGN asks for beside what was seen."""
    rows = [row_of_target(results, target) for target in TARGETS]
    seconds, loaded = results.median(IMPORT, COOPY) or 0.0, ", ".join(sorted(results.imported)) or "none"
    old = results.median(IMPORT, OLD) or 0.0
    rows.append(
        ("import, net", milliseconds(seconds), milliseconds(old), "", f"< {milliseconds(IMPORT_LIMIT)}", judged(seconds < IMPORT_LIMIT))
    )
    rows.append(("heavy modules it loads", loaded, "", "", "none", judged(not results.imported)))
    return Table("Targets", ("what", "coopy", "coopy 0.7.0", "ratio", "to reach", ""), tuple(rows))


def row_of_target(results: Results, target: Target) -> tuple[str, ...]:
    """One ratio against coopy 0.7.0. Of bytes fewer are better."""
    ratio = results.ratio(target.measure, COOPY, OLD)
    reached, wanted = ratio >= target.factor, f"{target.factor:g} x"
    if target.measure == BYTES:
        reached, wanted = ratio <= target.factor, "not more"
    figures = (count(results.median(target.measure, subject)) for subject in (COOPY, OLD))
    return target.measure, *figures, f"{ratio:.2f}", wanted, judged(reached)


def beside_others(results: Results) -> Table:
    """Everyone, per second, and how many times as fast coopy is; at the end what a record takes on disk."""
    rows = [row_of_peer(results, title, subject) for title, measure in MEASURES.items() for subject in measure.counts]
    rows += [(BYTES, subject, count(size), "") for subject in PEERS if (size := results.median(BYTES, subject))]
    named = [("" if number and row[0] == rows[number - 1][0] else row[0], *row[1:]) for number, row in enumerate(rows)]
    return Table("Beside others", ("what", "who", "per second", "coopy / it"), tuple(named))


def row_of_peer(results: Results, measure: str, subject: str) -> tuple[str, ...]:
    """One subject's rate beside coopy's."""
    ratio = "" if subject == COOPY else f"{results.ratio(measure, COOPY, subject):.2g}"
    return measure, subject, count(results.median(measure, subject)), ratio


def above_floors(results: Results) -> Table:
    """How near coopy is to what nobody gets below: time per action, of which the floor."""
    parts = {name: 1 / (results.median(name, "floor") or 1.0) for name in ("fdatasync", "encode", "decode", "tag")}
    compared = (
        ("sync actions, 1 thread", "fdatasync", parts["fdatasync"]),
        ("sync actions, 32 threads", "fdatasync / 32, encode, tag", parts["fdatasync"] / 32 + parts["encode"] + parts["tag"]),
        ("buffered actions, 1 thread", "encode and tag", parts["encode"] + parts["tag"]),
        ("restore", "tag and decode", parts["tag"] + parts["decode"]),
    )
    rows = [row_above_floor(results, *what) for what in compared]
    direct = 1 / (results.median("queries, 1 thread", "direct") or 1.0)
    rows.append(row_above_floor(results, "queries, 1 thread", "a direct call", direct))
    return Table("Floors", ("what", "takes", "floor", "is", "coopy / floor"), tuple(rows))


def row_above_floor(results: Results, measure: str, name: str, floor: float) -> tuple[str, ...]:
    """One measure beside its floor, in microseconds."""
    takes = 1 / (results.median(measure, COOPY) or 1.0)
    return measure, microseconds(takes), name, microseconds(floor), f"{takes / floor:.1f}"


def judged(reached: bool) -> str:
    """The word for it."""
    return "reached" if reached else "missed"


def count(figure: float | None) -> str:
    """A rate or a size, with three figures that count; rates from 10,000 on in thousands."""
    if figure is None:
        return ""
    rounded = float(f"{figure:.3g}")
    return f"{rounded / 1000:,.0f}k" if figure >= 10_000 else f"{rounded:,.0f}"


def milliseconds(seconds: float) -> str:
    """A time."""
    return f"{seconds * 1e3:.0f} ms"


def microseconds(seconds: float) -> str:
    """A short time."""
    return f"{seconds * 1e6:.2f} us"


def to_rich(table: Table) -> RichTable:
    """For a screen."""
    rich = RichTable(title=table.title, title_justify="left")
    for number, head in enumerate(table.heads):
        rich.add_column(head, justify="right" if number else "left", overflow="fold", no_wrap=not number)
    for row in table.rows:
        rich.add_row(*row)
    return rich


def to_markdown(table: Table) -> str:
    """For the page."""
    lines = [f"**{table.title}**", "", "| " + " | ".join(table.heads) + " |", "|---|" + "---:|" * (len(table.heads) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in table.rows)])
