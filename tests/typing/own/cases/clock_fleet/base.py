from coopy import readonly


class Vehicle:
    def __init__(self) -> None:
        self.log: list[float] = []

    def move(self) -> float:
        self.log.append(self._clock.time())  # P: attr-defined
        return self.log[-1]

    @readonly
    def moves(self) -> int:
        return len(self.log)


class Engine:
    def start(self) -> float:
        return float(self._clock.time())  # E: attr-defined
