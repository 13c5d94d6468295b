"""What the fault schedules call: registers and queues, of which each call that happened leaves its mark."""

from __future__ import annotations

from coopy import abort_exception, readonly

__all__ = ["Desk"]


class Desk:
    """`happened`: the marks of all actions, in their order."""

    def __init__(self) -> None:
        self.registers: dict[str, str] = {}
        self.queues: dict[str, list[str]] = {}
        self.happened: list[str] = []

    def write(self, mark: str, name: str) -> None:
        """The mark is the value."""
        self.happened.append(mark)
        self.registers[name] = mark

    def swap(self, mark: str, name: str) -> str | None:
        """Gives the value before."""
        self.happened.append(mark)
        before = self.registers.get(name)
        self.registers[name] = mark
        return before

    @readonly
    def look(self, name: str) -> str | None:
        """The value."""
        return self.registers.get(name)

    def put(self, mark: str, name: str) -> None:
        """The mark is what is put in."""
        self.happened.append(mark)
        self.queues.setdefault(name, []).append(mark)

    def take(self, mark: str, name: str) -> str | None:
        """The first; None where there is none."""
        self.happened.append(mark)
        queue = self.queues.get(name)
        return queue.pop(0) if queue else None

    @readonly
    def peek(self, name: str) -> str | None:
        """The first, which stays."""
        queue = self.queues.get(name)
        return queue[0] if queue else None

    def refuse(self, mark: str) -> None:
        """Raises, and what it did stays."""
        self.happened.append(mark)
        raise ValueError(mark)

    @abort_exception
    def undo(self, mark: str) -> None:
        """Raises, and is undone."""
        self.happened.append(mark)
        raise ValueError(mark)
