from __future__ import annotations

from dataclasses import dataclass, field

from . import deps
from .deps import query


@dataclass
class Message:
    author: str
    text: str
    likes: set[str] = field(default_factory=set)


class Room:
    topic = ""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.reads = 0

    def post(self, author: str, text: str) -> Message:
        message = Message(author, f"{self._clock.now()}: {text}")  # P: attr-defined
        self.messages.append(message)
        return message

    @query
    def last(self) -> Message | None:
        self.reads += 1  # E: coopy-readonly
        return self.messages[-1] if self.messages else None

    @deps.query
    def texts(self) -> list[str]:
        self.messages.clear()  # E: coopy-readonly
        return [m.text for m in self.messages]

    @query
    def roll(self) -> int:
        return self._random.randint(1, 6)  # P: attr-defined, no-any-return
