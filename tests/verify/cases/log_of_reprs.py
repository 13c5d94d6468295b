"""The default repr() of an object shows its address."""


class Order:
    def __init__(self, article):
        self.article = article


class Shop:
    def __init__(self):
        self.orders = []
        self.log = []

    def order(self, *articles):
        self.orders += [Order(article) for article in articles]

    def ship(self):
        self.log += [f"shipped {order}" for order in self.orders]
        self.orders.clear()


DOMAIN = Shop
CALLS = (("order", *"abcdef"), ("order", *"ghijkl"), ("ship",), ("order", "z"))
EXPECTED = 3, "ship", r"log\[\d+\]"
