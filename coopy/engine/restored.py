"""What an opening found: how the state was made anew, and whether the code is that of the last time."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec

from coopy.fingerprint import differences, whole
from coopy.manifest import Code

if TYPE_CHECKING:
    from coopy.classes import Classes
    from coopy.engine.archive import Archive
    from coopy.engine.restore import Replayed, Restorer

__all__ = ["Restored", "changed_code", "code_from_now", "former_until", "otherwise_until", "restored"]

KEPT = 16  # changes of code that a manifest remembers


class Restored(msgspec.Struct, frozen=True):
    """How a system came to its state. `str()` says it in a line.

    `base`: the LSN of the snapshot it began with; `lsn`: the last action; `seconds`: how long loading and replaying took; `torn`: bytes of a record
    that was never acknowledged, now in quarantine; `passed_over`: what was wrong with newer snapshots; `divergences`: outcomes that differ from the
    recorded ones, and were only warned of; `changed`: the domain's own modules whose source is not that of the last opening, None if
    that is not known.
    """

    base: int
    lsn: int
    seconds: float
    torn: int = 0
    passed_over: tuple[str, ...] = ()
    divergences: int = 0
    changed: tuple[str, ...] | None = None

    @property
    def actions(self) -> int:
        """How many actions were replayed."""
        return self.lsn - self.base

    def __str__(self) -> str:
        parts = [f"restored LSN {self.lsn} in {self.seconds:.2f} s: the snapshot at LSN {self.base} and {self.actions} actions"]
        if self.passed_over:
            parts.append(f"{len(self.passed_over)} damaged snapshots passed over")
        if self.torn:
            parts.append(f"a torn tail of {self.torn} bytes put aside")
        if self.divergences:
            parts.append(f"{self.divergences} outcomes differ from the recorded ones")
        if self.changed:
            parts.append(f"the code has changed: {', '.join(self.changed)}")
        return "; ".join(parts)


def restored(archive: Archive, restorer: Restorer, replayed: Replayed, seconds: float) -> Restored:
    """What a restore came to, before the manifest takes today's code."""
    assert replayed.found is not None
    return Restored(
        replayed.base.lsn, replayed.found.head.lsn, seconds, 0, tuple(restorer.passed_over), restorer.divergences,
        changed_code(archive.manifest.code, archive.source),
    )  # fmt: skip


def changed_code(kept: tuple[Code, ...], source: dict[str, bytes]) -> tuple[str, ...] | None:
    """The modules that changed since the manifest was written; None if it does not know them, or there is no source now."""
    return differences(kept[-1].modules, source) if kept and source else None


def otherwise_until(kept: tuple[Code, ...], source: dict[str, bytes]) -> int:
    """Up to which LSN a journal may be of other source than today's: all of it where that is not known; -1 if it is of today's from the beginning."""
    if not (kept and source) or kept[-1].digest != whole(source):
        return sys.maxsize
    return kept[-1].lsn if kept[-1].epoch > 1 else -1


def former_until(archive: Archive, classes: Classes) -> int:
    """Up to which LSN recorded digests may be of classes' former names and shapes, which no replay gives; -1 if none is."""
    return otherwise_until(archive.manifest.code, archive.source) if classes.has_former(archive.source) else -1


def code_from_now(kept: tuple[Code, ...], source: dict[str, bytes], epoch: int, lsn: int) -> tuple[Code, ...]:
    """What the manifest says about code, from this epoch on. Only of the last one it knows each module."""
    if not source or (kept and kept[-1].digest == whole(source)):
        return kept
    before = tuple(msgspec.structs.replace(one, modules={}) for one in kept[1 - KEPT :])
    return (*before, Code(epoch, lsn, whole(source), source))
