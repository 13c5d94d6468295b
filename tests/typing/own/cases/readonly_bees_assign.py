from __future__ import annotations

import contextlib
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from coopy import abort_exception, readonly, unlocked


@dataclass
class Frame:
    number: int
    honey: float = 0
    marks: set[str] = field(default_factory=set)


@dataclass
class Hive:
    name: str = ""
    frames: list[Frame] = field(default_factory=list)
    queen: Frame | None = None
    log: deque[str] = field(default_factory=deque)
    by_mark: defaultdict[str, list[Frame]] = field(default_factory=lambda: defaultdict(list))
    total: ClassVar[int] = 0

    def add(self, frame: Frame) -> None:
        self.frames.append(frame)

    @readonly
    def heavy(self, limit: float) -> list[Frame]:
        heavy = []
        for frame in self.frames:
            frame.honey += 0.1  # E: coopy-readonly
            if frame.honey > limit:
                heavy.append(frame)
        first = self.frames[0]
        first.marks.add("heavy")  # E: coopy-readonly
        heavy.sort(key=lambda frame: frame.honey)
        self.frames.sort(key=lambda frame: frame.honey)  # E: coopy-readonly
        return heavy

    @readonly
    def royal(self) -> Frame | None:
        queen = self.queen
        if queen is not None:
            queen.honey = 0  # E: coopy-readonly
        if (found := self.queen) is None:
            found = Frame(0)
            found.honey = 3
        for self.name in ("a", "b"):  # E: coopy-readonly
            pass
        return found

    @unlocked
    @readonly
    def marks(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for mark, frames in self.by_mark.items():
            counts[mark] = len(frames)
            frames.reverse()  # E: coopy-readonly
        by_mark = dict(self.by_mark)
        by_mark["x"] = []
        by_mark.pop("y", None)
        self.by_mark["z"].clear()  # E: coopy-readonly
        return counts

    @property
    @readonly
    def weight(self) -> float:
        self.log.appendleft("weight")  # E: coopy-readonly
        return sum(frame.honey for frame in self.frames)

    @readonly
    def text(self) -> str:
        def line(frame: Frame) -> str:
            lines.append(str(frame.number))
            self.log.append("line")  # E: coopy-readonly
            return lines[-1]

        lines: list[str] = []
        return "".join(line(frame) for frame in self.frames)

    @readonly
    def copies(self) -> list[Frame]:
        frames = [Frame(frame.number, frame.honey) for frame in self.frames]
        for frame in frames:
            frame.honey = 0
            frame.marks.add("copy")
        kept, *rest = frames
        kept.number = len(rest)
        frames = self.frames[:]
        frames.append(kept)
        return frames

    @readonly
    def compare(self, other: Hive) -> bool:
        name, self_name = other.name, self.name
        name += self_name
        hive = Hive(name)
        hive.frames = list(self.frames)
        hive.queen = Frame(3)
        hive.queen.honey = 3
        hive.log.extend(self.log)
        with contextlib.suppress(IndexError):
            hive.log.popleft()
        return hive == other

    @readonly
    def walk(self) -> Iterator[Frame]:
        for index, frame in enumerate(self.frames):
            frame.number = index  # E: coopy-readonly
            yield frame

    @readonly
    def __contains__(self, frame: Frame) -> bool:
        self.total_seen = 3  # E: coopy-readonly
        return frame in self.frames

    @cached_property
    def size(self) -> int:
        return len(self.frames)

    @abort_exception
    def empty(self) -> None:
        self.frames.clear()
        self.queen = None
        self.log.append("empty")
