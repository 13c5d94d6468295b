from __future__ import annotations

import package_zoo.wiring as w
from package_zoo.animals import Animal, Keeper
from package_zoo.wiring import Wiring, main as zoo_system
from package_zoo.wiring import zoo

__all__ = ["zoo_system", "page"]


def page(name: str) -> str:
    animal = zoo().get(name)
    animal.name = "x"  # E: coopy-mutate
    zoo().day = 3  # E: coopy-set
    zoo_system.day += 1  # E: coopy-set
    w.main.cages.pop(name)  # E: coopy-mutate
    w.zoo()._count()  # E: coopy-private
    Wiring.zoo.day = 3  # E: coopy-set
    Wiring().zoo.day = 3  # E: coopy-set
    Wiring().plain().day = 3
    w.main.add(animal)  # E: coopy-alias
    w.main.add(Animal(animal.title()))
    if animal.keeper is not None:
        animal.keeper.name = "x"  # E: coopy-mutate
    hungry = zoo_system.hungry()
    hungry.append(name)
    fed = zoo_system.feed(name, "hay")
    fed.meals.clear()  # E: coopy-mutate
    fed = Animal("own", keeper=Keeper("me"))
    fed.meals.append("x")
    fed.eat("y")
    return ", ".join(hungry)
