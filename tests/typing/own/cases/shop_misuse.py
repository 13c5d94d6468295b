from __future__ import annotations

from collections import ChainMap, OrderedDict
from dataclasses import dataclass, field
from typing import Optional, TypeAlias

import coopy
from coopy import System
from coopy import init_system as start


@dataclass
class Product:
    sku: str
    stock: int = 0
    tags: set[str] = field(default_factory=set)
    parts: list[Product] = field(default_factory=list)


class Shop:
    version = 1

    def __init__(self) -> None:
        self.products: dict[str, Product] = {}
        self.recent: OrderedDict[str, Product] = OrderedDict()
        self.matrix: list[list[int]] = []
        self.best: Optional[Product] = None

    def add(self, sku: str) -> Product:
        self.products[sku] = product = Product(sku)
        return product

    @coopy.readonly
    def get(self, sku: str) -> Product:
        return self.products[sku]

    @coopy.readonly
    def maybe(self, sku: str) -> Optional[Product]:
        return self.products.get(sku)

    @coopy.readonly
    def everything(self) -> dict[str, Product]:
        return self.products

    @coopy.readonly
    def pair(self) -> tuple[Product, int]:
        return self.products["a"], 3


ShopSystem: TypeAlias = System[Shop]
Maybe = Optional[System[Shop]]
Many = dict[str, System[Shop]]

shop = start(Shop)
other = coopy.init_system(Shop(), "other")
third = coopy.base.init_system(Shop())
third.version = 2  # E: coopy-set
shop.version = 3  # E: coopy-set
other.best = None  # E: coopy-set
for shop.version in range(3):  # E: coopy-set
    pass
[shop.version, *rest] = [1, 2, 3]  # E: coopy-set
(shop.version, (other.version, x)) = 1, (2, 3)  # E: coopy-set
shop.version: int = 4  # E: coopy-set  # O: misc
with open("x") as f, start(Shop()) as inner:  # P: attr-defined
    inner.version = 1  # E: coopy-set
shop.matrix[0][1] = 3  # E: coopy-mutate
shop.matrix[0].append(3)  # E: coopy-mutate
shop.matrix += [[1]]  # E: coopy-set  # O: coopy-mutate
shop.matrix[0] += [1]  # E: coopy-mutate
shop.recent.move_to_end("x")  # E: coopy-mutate
shop.recent.popitem(last=False)  # E: coopy-mutate
shop.get("x").tags |= {"t"}  # E: coopy-mutate
shop.get("x").parts[0].parts[0].stock = 1  # E: coopy-mutate
shop.everything()["x"].stock = 1  # E: coopy-mutate
shop.everything().clear()  # E: coopy-mutate
shop.everything()["x"] = Product("x")  # E: coopy-mutate
first, n = shop.pair()
first.stock = n  # E: coopy-mutate
shop.pair()[0].stock = 1  # E: coopy-mutate
if (product := shop.maybe("x")) is not None:
    product.stock = 3  # E: coopy-mutate
if product := shop.maybe("y"):
    product.tags.add("z")  # E: coopy-mutate
if shop.best is not None:
    shop.best.stock -= 1  # E: coopy-mutate
match shop.maybe("x"):
    case Product() as found:
        found.stock = 1  # O: coopy-mutate
    case None:
        pass
del shop.get("x").stock  # E: coopy-mutate
del shop.products["x"], shop.products["y"]  # E: coopy-mutate
shop.products |= {}  # E: coopy-set  # O: coopy-mutate
table = shop.products
table["x"] = Product("x")  # E: coopy-mutate
table |= {"y": Product("y")}  # E: coopy-mutate
values = shop.products.values()
for value in values:
    value.tags.clear()  # E: coopy-mutate


def operate(one: ShopSystem, two: Maybe, many: Many, *more: ShopSystem) -> None:
    one.version = 1  # E: coopy-set
    if two:
        two.version = 2  # E: coopy-set
    assert two is not None
    two.version = 3  # E: coopy-set
    many["x"].version = 3  # E: coopy-set
    for key, system in many.items():
        system.version = len(key)  # E: coopy-set
    more[0].version = 1  # E: coopy-set
    for system in more:
        system.version = 3  # E: coopy-set
    one.get("x").stock = 3  # E: coopy-mutate
    first = next(iter(many.values()))
    first.version = 3  # E: coopy-set
    try:
        one.version = 3  # E: coopy-set
    except ValueError:
        one.version = 4  # E: coopy-set
    finally:
        one.version = 5  # E: coopy-set
    while True:
        one.version = 6  # E: coopy-set
        break
    else:
        one.version = 7


async def later(one: System[Shop]) -> None:
    one.version = 1  # E: coopy-set
    one.get("x").stock = 2  # E: coopy-mutate


class Holder:
    shop: System[Shop]

    def __init__(self) -> None:
        self.first, self.second = start(Shop()), Shop()
        self.shops = [start(Shop())]

    @property
    def current(self) -> System[Shop]:
        return self.shop

    def work(self) -> None:
        self.first.version = 1  # E: coopy-set
        self.second.version = 1
        self.shops[0].version = 1  # E: coopy-set
        self.current.version = 1  # E: coopy-set
        self.current.get("x").stock = 2  # E: coopy-mutate
        for shop in self.shops:
            shop.version = 3  # E: coopy-set
        found = [s for s in self.shops if s.version]
        found[0].version = 3  # E: coopy-set
