from typing import Protocol, TypedDict, runtime_checkable
import secrets


class Receipt(TypedDict):
    id: str
    amount: int


@runtime_checkable
class Gateway(Protocol):
    def charge(self, amount: int) -> Receipt: ...


class Stripe:
    def charge(self, amount: int) -> Receipt:
        return Receipt(id=secrets.token_hex(4), amount=amount)


class Cash:
    def charge(self, amount: int) -> Receipt:
        return {"id": "cash", "amount": amount}


def gateway(kind: str) -> Gateway:
    match kind:
        case "stripe":
            return Stripe()
        case _:
            return Cash()


class Pay:
    def __init__(self):
        self.receipts: list[Receipt] = []

    def pay(self, kind: str, amount: int):
        gw = gateway(kind)
        if isinstance(gw, Gateway):
            self.receipts.append(gw.charge(amount))
