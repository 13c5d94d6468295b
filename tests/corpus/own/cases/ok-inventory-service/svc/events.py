from dataclasses import dataclass
from typing import Any, Callable


@dataclass(frozen=True)
class Event:
    name: str
    data: tuple


class Bus:
    def __init__(self):
        self._subscribers: dict[str, list[Callable[[Event], Any]]] = {}

    def on(self, name, fn):
        self._subscribers.setdefault(name, []).append(fn)
        return self

    def publish(self, name, *data):
        return [fn(Event(name, data)) for fn in self._subscribers.get(name, [])]
