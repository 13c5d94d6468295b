from .base import Vehicle


class Truck(Vehicle):
    def __init__(self) -> None:
        super().__init__()
        self.cargo: dict[str, int] = {}

    def load(self, name: str) -> int:
        number = self._random.randint(1, 6)  # P: attr-defined
        self.cargo[name] = number
        return self.cargo[name]
