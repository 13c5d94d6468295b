"""An exception is an outcome like any other, where it comes each time."""


class Account:
    def __init__(self):
        self.balance = 0

    def move(self, amount):
        self.balance += amount
        if self.balance < 0:
            raise ValueError({"left", "right", "none"})
        return {"balance": self.balance}[("balance", "other")[amount == 13]]


DOMAIN = Account
CALLS = (("move", 50), ("move", -80), ("move", 13), ("move", 100), ("move", 13))
