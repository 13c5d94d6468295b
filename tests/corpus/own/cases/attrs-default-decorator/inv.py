from attrs import define, field
from datetime import date


@define
class Invoice:
    total: int
    due: date = field()

    @due.default
    def _due(self):
        return date.today()

    def __attrs_post_init__(self):
        self.total = round(self.total, 2)


class Ledger:
    def __init__(self):
        self.items = []

    def bill(self, total):
        self.items.append(Invoice(total))
