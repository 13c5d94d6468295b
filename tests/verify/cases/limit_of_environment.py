"""It raises here, and there it does not."""

import os


class Account:
    def __init__(self):
        self.balance = 0

    def deposit(self, amount):
        self.balance += amount

    def withdraw(self, amount):
        if self.balance - amount < -int(os.environ.get("COOPYTEST_CREDIT", "0")):
            raise ValueError("not enough")
        self.balance -= amount


DOMAIN = Account
CALLS = (("deposit", 50), ("withdraw", 30), ("withdraw", 500), ("deposit", 1))
EXPECTED = 3, "withdraw", None
