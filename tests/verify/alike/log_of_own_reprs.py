"""A dataclass shows its fields."""

from dataclasses import dataclass


@dataclass
class Order:
    article: str
    count: int = 1


class Shop:
    def __init__(self):
        self.log = []

    def order(self, *articles):
        self.log += [f"{Order(article)}" for article in articles]


DOMAIN = Shop
CALLS = (("order", "tea", "rice"), ("order", "salt"))
