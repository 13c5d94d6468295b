"""An order book: who buys meets who sells, the best price first, and the earliest at the same price. Amounts are whole cents.

    >>> from coopy import control, init_system
    >>> book = init_system(OrderBook, "data/orders")
    >>> book.deposit("ann", shares=10)
    >>> book.deposit("bob", cash=1_000)
    >>> number = book.sell("ann", price=101, quantity=5)
    >>> number = book.buy("bob", price=103, quantity=2)
    >>> book.last_trade(), book.cash["bob"]
    ((101, 2), 798)

What breaks the rules is refused, and nothing of it stays. Of a basket all orders are placed, or none:

    >>> book.place_all("bob", [("buy", 101, 1), ("sell", 102, 4)])
    Traceback (most recent call last):
    examples.orders.Rejected: bob has only 3 shares and sells 4.
    >>> book.cash["bob"]
    798

All of it is there again after a restart, also after one that nobody meant:

    >>> control(book).close()
    >>> book = init_system(OrderBook, "data/orders")
    >>> book.quote(), book.shares
    ((None, 101), {'ann': 5, 'bob': 2})
    >>> control(book).close()

Of coopy it shows what to do about calls that raise. `buy`, `sell` and `cancel` check first and change afterwards: nothing has to be put back, and no mark is
needed. `place_all` may raise in the middle: `@abort_exception` has memory put back, as if the call had never been, which takes as long as a restart. `withdraw` is
marked, too, and a refusal is free all the same: it checks, then changes one thing, and coopy's validator proves that. Numbers of orders come from `coopy.random`: a
replay draws the same again.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from typing import Literal

from coopy import abort_exception, random, readonly

__all__ = ["Order", "OrderBook", "Rejected"]


Side = Literal["buy", "sell"]


class Rejected(Exception):  # noqa: N818 - what a trader hears
    """The order breaks a rule. Nothing has changed."""


@dataclass
class Order:
    """What somebody wants, as far as it is open. What it may cost is set aside."""

    number: str
    trader: str
    price: int
    left: int


class OrderBook:
    """Cash and shares by trader, open orders with the best first, and trades as price and quantity."""

    def __init__(self) -> None:
        self.cash: dict[str, int] = {}
        self.shares: dict[str, int] = {}
        self.bids: list[Order] = []
        self.asks: list[Order] = []
        self.trades: list[tuple[int, int]] = []

    def deposit(self, trader: str, cash: int = 0, shares: int = 0) -> None:
        """Give a trader something to trade with."""
        self.cash[trader] = self.cash.get(trader, 0) + cash
        self.shares[trader] = self.shares.get(trader, 0) + shares

    @abort_exception
    def withdraw(self, trader: str, cash: int) -> None:
        """Pay out what is not set aside. Raises Rejected for more than there is."""
        if not 0 < cash <= self.cash.get(trader, 0):
            raise Rejected(f"{trader} has {self.cash.get(trader, 0)}, which is all that can be paid out.")
        self.cash[trader] -= cash

    def buy(self, trader: str, price: int, quantity: int) -> str:
        """Buy at this price or below, now or later; gives the order's number. Raises Rejected for what the trader cannot pay."""
        check(price, quantity)
        if self.cash.get(trader, 0) < price * quantity:
            raise Rejected(f"{trader} has only {self.cash.get(trader, 0)} and needs {price * quantity}.")
        self.cash[trader] -= price * quantity
        order = Order(random.token_hex(8), trader, price, quantity)
        while order.left and self.asks and self.asks[0].price <= price:
            self._trade(order, self.asks[0], self.asks[0].price)
        if order.left:
            insort(self.bids, order, key=lambda other: -other.price)  # behind those of the same price
        return order.number

    def sell(self, trader: str, price: int, quantity: int) -> str:
        """Sell at this price or above, now or later; gives the order's number. Raises Rejected for what the trader does not have."""
        check(price, quantity)
        if self.shares.get(trader, 0) < quantity:
            raise Rejected(f"{trader} has only {self.shares.get(trader, 0)} shares and sells {quantity}.")
        self.shares[trader] -= quantity
        order = Order(random.token_hex(8), trader, price, quantity)
        while order.left and self.bids and self.bids[0].price >= price:
            self._trade(self.bids[0], order, self.bids[0].price)
        if order.left:
            insort(self.asks, order, key=lambda other: other.price)
        return order.number

    @abort_exception
    def place_all(self, trader: str, orders: list[tuple[Side, int, int]]) -> list[str]:
        """Place orders, as side, price and quantity, one after the other; gives their numbers. Raises Rejected, and none is placed, if one is refused."""
        return [(self.buy if side == "buy" else self.sell)(trader, price, quantity) for side, price, quantity in orders]

    def cancel(self, number: str) -> None:
        """Take back what is open of an order, and what was set aside for it. Raises Rejected if there is nothing."""
        for order in self.bids:
            if order.number == number:
                self.bids.remove(order)
                self.cash[order.trader] += order.price * order.left
                return
        for order in self.asks:
            if order.number == number:
                self.asks.remove(order)
                self.shares[order.trader] += order.left
                return
        raise Rejected(f"There is no open order {number}.")

    @readonly
    def quote(self) -> tuple[int | None, int | None]:
        """The best prices to sell and to buy at."""
        return self.bids[0].price if self.bids else None, self.asks[0].price if self.asks else None

    @readonly
    def last_trade(self) -> tuple[int, int] | None:
        """Price and quantity."""
        return self.trades[-1] if self.trades else None

    def _trade(self, bid: Order, ask: Order, price: int) -> None:
        """Both get what they want, at the price of who was there first, and who is done leaves the book. What was set aside too much is given back."""
        quantity = min(bid.left, ask.left)
        bid.left -= quantity
        ask.left -= quantity
        self.shares[bid.trader] = self.shares.get(bid.trader, 0) + quantity
        self.cash[bid.trader] += (bid.price - price) * quantity
        self.cash[ask.trader] = self.cash.get(ask.trader, 0) + price * quantity
        self.bids[:1] = [order for order in self.bids[:1] if order.left]
        self.asks[:1] = [order for order in self.asks[:1] if order.left]
        self.trades.append((price, quantity))


def check(price: int, quantity: int) -> None:
    """Raises Rejected for what is no order."""
    if price <= 0 or quantity <= 0:
        raise Rejected("Price and quantity must be above zero.")
