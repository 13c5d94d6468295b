"""What the fake disk keeps: what programs see, what was synced, and what a crash may make of the difference.

What must never happen here: a crash that keeps less than what was synced (it would blame the innocent), or one that can only keep all or
nothing (it would find nothing).

    file        since its last sync, each 512-byte sector may be as any of the writes left it, or as before them; and the size as any
                change left it. What a size cut off stays cut off as long as that size counts.
    directory   each name made, moved or removed since its last sync may be so or not; a rename is one such change, also where it leads to
                another directory: it is certain once either of both was synced
    failed sync says so once, and takes what was written for clean (as Linux does): a later sync has nothing to write, a crash loses it
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from coopy.disk.door import CELLS

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

__all__ = ["Content", "Fate", "Names", "Node", "files", "total"]

SECTOR = 512


class Content:
    """A file's bytes: `data` as programs see them, `durable` as they were at the last sync, and what happened between."""

    def __init__(self) -> None:
        self.data, self.durable, self.cells = bytearray(), bytearray(), bytearray(8 * CELLS)
        self.sizes = [0]  # the durable size, and every one since
        self.versions: dict[int, list[tuple[int, bytes]]] = {}  # by sector: what it held since, and how many sizes there were then
        self.doubtful: dict[int, list[tuple[int, bytes]]] = {}  # the same, that a failed sync took for clean

    def __deepcopy__(self, _memo: object) -> Content:
        """Another that is as this one is now. What it consists of is known, so that nothing has to be looked through: tests of crashes do little else."""
        other = Content()
        other.data, other.durable, other.cells = self.data[:], self.durable[:], self.cells[:]
        other.sizes = [*self.sizes]
        other.versions = {sector: [*versions] for sector, versions in self.versions.items()}
        other.doubtful = {sector: [*versions] for sector, versions in self.doubtful.items()}
        return other

    def put(self, offset: int, data: bytes) -> None:
        """A write: programs see it, and it is one more version of each sector."""
        if len(self.data) < offset + len(data):
            self.resize(offset + len(data))
        self.data[offset : offset + len(data)] = data
        for sector in range(offset // SECTOR, -(-(offset + len(data)) // SECTOR)):
            content = bytes(self.data[sector * SECTOR : (sector + 1) * SECTOR])
            self.versions.setdefault(sector, []).append((len(self.sizes), content))

    def resize(self, size: int) -> None:
        """Cut or extend."""
        if size < len(self.data):
            del self.data[size:]
            for sector in [sector for sector in self.doubtful if sector * SECTOR >= size]:
                del self.doubtful[sector]
        self.data.extend(bytes(size - len(self.data)))
        self.sizes.append(size)

    def sync(self) -> None:
        """All that programs see is certain."""
        _follow(self.durable, self.sizes)
        self.doubtful = {sector: [(1, content) for _, content in versions] for sector, versions in self.doubtful.items()}
        for sector in self.versions:
            self.durable[sector * SECTOR : (sector + 1) * SECTOR] = self.data[sector * SECTOR : (sector + 1) * SECTOR]
            self.doubtful.pop(sector, None)
        self.sizes, self.versions = [len(self.data)], {}

    def fail_sync(self) -> None:
        """What was written counts as clean from here on, and may be lost."""
        for sector, versions in self.versions.items():
            self.doubtful.setdefault(sector, []).extend(versions)
        self.versions = {}

    def after_crash(self, rng: random.Random, _fates: dict[int, bool]) -> Content:
        """What is found: the sizes up to some point, each sector in some version."""
        keep = rng.choice((0.0, 0.5, 0.5, 0.9, 1.0))
        count = len(self.sizes) if keep == 1 else rng.randint(1, len(self.sizes))
        found = bytearray(self.durable)
        _follow(found, self.sizes[:count])
        for sector in self.versions.keys() | self.doubtful.keys():
            candidates = self.doubtful.get(sector, []) + self.versions.get(sector, [])
            if rng.random() < keep:
                when, content = candidates[-1] if rng.random() < keep else rng.choice(candidates)
                self._settle(found, sector, content, self.sizes[when:count])
        after = Content()
        after.data, after.durable, after.sizes = found, bytearray(found), [len(found)]
        if rng.random() < keep:
            after.cells[:] = self.cells
        return after

    def _settle(self, found: bytearray, sector: int, content: bytes, later: list[int]) -> None:
        start = sector * SECTOR
        cut = min(later, default=start + SECTOR) - start
        stop = min(start + len(content), len(found))
        if cut > 0 and stop > start:
            found[start:stop] = content[:cut].ljust(SECTOR, b"\0")[: stop - start]


def _follow(data: bytearray, sizes: list[int]) -> None:
    for size in sizes:
        del data[size:]
        data.extend(bytes(size - len(data)))


class Names:
    """A directory: `now` as programs see it; `changes` since the first that is not certain, each with whether it is."""

    def __init__(self) -> None:
        self.now: dict[str, Node] = {}
        self.durable: dict[str, Node] = {}
        self.changes: list[tuple[dict[str, Node | None], Fate]] = []

    def change(self, names: dict[str, Node | None], fate: Fate) -> None:
        """Names come, go or move, in one step."""
        _apply(self.now, names)
        self.changes.append((names, fate))

    def sync(self) -> None:
        """All changes are certain."""
        for _, fate in self.changes:
            fate.settle("certain")
        while self.changes and self.changes[0][1].state == "certain":
            _apply(self.durable, self.changes.pop(0)[0])

    def fail_sync(self) -> None:
        """Those that were not certain may be lost, whatever is synced later."""
        for _, fate in self.changes:
            fate.settle("doubtful")

    def after_crash(self, rng: random.Random, fates: dict[int, bool]) -> Names:
        """What is found: each change, or not. `fates`: as was decided for one that concerns two directories."""
        keep, names = rng.choice((0.0, 0.5, 0.5, 1.0)), dict(self.durable)
        for change, fate in self.changes:
            if fates.setdefault(id(fate), fate.state == "certain" or rng.random() < keep):
                _apply(names, change)
        after = Names()
        after.durable = {name: node.after_crash(rng, fates) for name, node in names.items()}
        after.now = dict(after.durable)
        return after


class Fate:
    """Whether a change of names survives a crash: "open", "certain", or "doubtful" after a failed sync. A move to another directory has one for both."""

    def __init__(self) -> None:
        self.state = "open"

    def settle(self, state: str) -> None:
        """What was certain or doubtful stays so."""
        if self.state == "open":
            self.state = state


Node: TypeAlias = Content | Names


def _apply(names: dict[str, Node], change: dict[str, Node | None]) -> None:
    for name, node in change.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


def files(names: Names, above: str) -> Iterator[tuple[str, bytes]]:
    """The bytes of every file by its path."""
    for name, node in names.now.items():
        if isinstance(node, Names):
            yield from files(node, f"{above}/{name}")
        else:
            yield f"{above}/{name}", bytes(node.data)


def total(names: Names) -> int:
    """Bytes in all files."""
    return sum(total(node) if isinstance(node, Names) else len(node.data) for node in names.now.values())
