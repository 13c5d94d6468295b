import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Frozen:
    n: int
    at: float = field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "at", time.time())


class App:
    def __init__(self):
        self.out = []

    def go(self):
        self.out.append(Frozen(1))
