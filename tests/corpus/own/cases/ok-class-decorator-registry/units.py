from dataclasses import dataclass
from registry import unit


@unit("elf")
@dataclass
class Elf:
    hp: int = 7
