from attrs import define
import os


@define
class Invoice:
    total: int
    host: str = ""

    def __attrs_post_init__(self):
        self.host = os.uname().nodename


class Ledger:
    def __init__(self):
        self.items = []

    def bill(self, total):
        self.items.append(Invoice(total))
