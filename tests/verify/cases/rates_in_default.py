"""A cache in a default argument remembers what has changed since."""


class Money:
    def __init__(self):
        self.rates = {}
        self.paid = []

    def set_rate(self, currency, rate):
        self.rates[currency] = rate

    def pay(self, amount, currency, known={}):
        rate = known.setdefault(currency, self.rates[currency])
        self.paid.append(amount * rate)


DOMAIN = Money
CALLS = (("set_rate", "usd", 2), ("pay", 10, "usd"), ("set_rate", "usd", 3), ("pay", 10, "usd"))
EXPECTED = 4, "pay", r"paid\[1\]"
