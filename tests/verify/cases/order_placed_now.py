"""The domain object gets a clock of coopy's; a part of it asks the machine."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class Order:
    article: str
    placed: datetime = field(default_factory=datetime.now)


class Orders:
    def __init__(self):
        self.orders = []
        self.changed = None

    def touch(self):
        self.changed = self._clock.now()

    def place(self, article):
        self.orders.append(Order(article))
        self.touch()


DOMAIN = Orders
CALLS = (("touch",), ("take_snapshot",), ("touch",), ("place", "tea"), ("place", "rice"))
EXPECTED = 3, "place", r"orders\[0\]\.placed"
