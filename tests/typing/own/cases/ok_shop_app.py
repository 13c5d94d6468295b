from __future__ import annotations

import collections
import dataclasses
import functools
import logging
import operator
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Iterable, Optional

import coopy as c
from coopy import System
from coopy import init_system as start

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Price:
    amount: Decimal
    currency: str = "EUR"


@dataclass
class Product:
    sku: str
    price: Price
    stock: int = 0
    tags: set[str] = field(default_factory=set)


@dataclass
class Line:
    product: Product
    count: int


class Shop:
    """Products and orders."""

    def __init__(self) -> None:
        self.products: dict[str, Product] = {}
        self.orders: dict[int, list[Line]] = {}
        self.next_order = 1

    def add_product(self, sku: str, amount: str, tags: Iterable[str] = ()) -> str:
        self.products[sku] = Product(sku, Price(Decimal(amount)), tags=set(tags))
        return sku

    def restock(self, sku: str, count: int) -> int:
        product = self.products[sku]
        product.stock += count
        return product.stock

    def order(self, counts: dict[str, int]) -> int:
        number = self.next_order
        self.next_order += 1
        self.orders[number] = [Line(self.products[sku], n) for sku, n in counts.items()]
        return number

    @c.readonly
    def total(self, number: int) -> Decimal:
        total = Decimal(0)
        for line in self.orders[number]:
            total += line.product.price.amount * line.count
        return total

    @c.readonly
    def by_tag(self) -> dict[str, list[str]]:
        result: dict[str, list[str]] = collections.defaultdict(list)
        for product in self.products.values():
            for tag in product.tags:
                result[tag].append(product.sku)
        return result

    @c.readonly
    def cheapest(self) -> Optional[Product]:
        best = None
        for product in self.products.values():
            if best is None or product.price.amount < best.price.amount:
                best = product
        return best


class Basket:
    def __init__(self, shop: System[Shop]) -> None:
        self._shop = shop
        self.counts: dict[str, int] = {}
        self._lock = threading.Lock()
        self.last: Product | None = None

    def put(self, sku: str, count: int = 1) -> None:
        with self._lock:
            self.counts[sku] = self.counts.get(sku, 0) + count
            self.last = self._shop.products.get(sku)

    def forget(self) -> None:
        self.last = None
        del self.counts["x"]

    def buy(self) -> int:
        number = self._shop.order(self.counts)
        self.counts.clear()
        return number

    def shown(self) -> list[str]:
        rows = []
        for sku, count in sorted(self.counts.items(), key=operator.itemgetter(1)):
            product = self._shop.products[sku]
            rows.append(f"{product.sku} x {count}")
            tags = sorted(product.tags)
            tags.insert(0, "tags")
            rows.extend(tags)
            row: dict[str, Any] = {"sku": product.sku, "price": product.price}
            row["count"] = count
            row.update(stock=product.stock)
            rows.append(str(row))
        return rows


def report(shop: System[Shop]) -> dict[str, int]:
    stocks = {}
    for product in shop.products.values():
        stocks[product.sku] = product.stock
        stocks.setdefault(product.sku, 0)
    groups = shop.by_tag()
    groups["all"] = list(shop.products)
    groups.pop("x", None)
    numbers = [n for n in shop.orders]
    numbers.reverse()
    lines = [line for lines in shop.orders.values() for line in lines]
    lines.clear()
    lines += [Line(Product("x", Price(Decimal(1))), 1)]
    totals = list(map(shop.total, numbers))
    totals.append(Decimal(0))
    stocks |= {"x": 1}
    count = collections.Counter(p.price.currency for p in shop.products.values())
    count["EUR"] = 0
    log.info("%s", totals)
    return stocks


shop = start(Shop(), "data/shop")
shop.add_product("tea", "1.50", ["drink"])
shop.add_product("cup", "3", tags=shop.products["tea"].tags.copy())
shop.add_product("cup", "3", frozenset(shop.products["tea"].tags))
shop.order({"tea": 1})
shop.order(dict.fromkeys(shop.products, 1))
with ThreadPoolExecutor() as pool:
    futures = [pool.submit(shop.restock, sku, 1) for sku in shop.products]
    done = [future.result() for future in futures]
    done.sort()
timer = threading.Timer(1.0, shop.restock, args=["tea", 3])
timer.daemon = True
thread = threading.Thread(target=shop.order, kwargs={"counts": {"tea": 1}})
thread.name = "order"
buy = functools.partial(shop.restock, "tea")
print(buy(3), report(shop), dataclasses.asdict(shop.products["tea"]))
cheapest = shop.cheapest()
reveal_type(cheapest)  # R: Product | None
reveal_type(buy(3))  # R: int
reveal_type(shop.by_tag())  # R: dict[str, list[str]]
price = dataclasses.replace(shop.products["tea"].price, currency="USD")
basket = Basket(shop)
basket.counts["tea"] = 1
basket.last = Product("x", price)
basket.last.stock = 3
