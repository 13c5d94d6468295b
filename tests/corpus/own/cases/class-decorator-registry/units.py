import random
from dataclasses import dataclass, field
from registry import unit


@unit("orc")
@dataclass
class Orc:
    hp: int = field(default_factory=lambda: random.randint(1, 10**9))


@unit("elf")
@dataclass
class Elf:
    hp: int = 7
