"""A part of the domain asks coopy for the time."""

from dataclasses import dataclass, field

from coopy import clock


@dataclass
class Order:
    article: str
    placed: object = field(default_factory=clock.now)
    day: object = field(default_factory=clock.today)


class Orders:
    def __init__(self):
        self.orders = []

    def place(self, article):
        self.orders.append(Order(article))


DOMAIN = Orders
CALLS = (("place", "tea"), ("place", "rice"))
