from __future__ import annotations

from functools import lru_cache

from coopy import Replica, System, init_system

from . import animals
from .animals import Zoo as Park

main = init_system(animals.Zoo(), "data/zoo")


@lru_cache(maxsize=None)
def mirror() -> Replica[Park]:
    return init_system(Park, "data/mirror", replication=True)


def zoo() -> System[Park]:
    return main


class Wiring:
    zoo: System[Park] = main

    def plain(self) -> Park:
        return self.zoo
