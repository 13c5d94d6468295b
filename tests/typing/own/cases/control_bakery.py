from __future__ import annotations

from coopy import Control, Replica, System, control, init_system, readonly


class Bakery:
    def __init__(self) -> None:
        self.loaves: list[str] = []
        self.lsn = 3

    def bake(self, name: str) -> int:
        self.loaves.append(name)
        return len(self.loaves)

    def verify(self, name: str) -> bool:
        return name in self.loaves

    @readonly
    def digest(self) -> list[str]:
        return sorted(self.loaves)


class Shop:
    def __init__(self, bakery: System[Bakery]) -> None:
        self.bakery = bakery
        self.handle = control(bakery)

    def stop(self) -> None:
        self.handle.take_snapshot()
        self.handle.close()

    def lines(self) -> list[str]:
        lines = self.bakery.digest()
        lines.append(str(self.handle.lsn))
        return lines


bakery = init_system(Bakery(), "data")
shop = Shop(bakery)
reveal_type(shop.handle)  # R: Control[Bakery]
reveal_type(bakery.verify("x"))  # R: bool
reveal_type(bakery.lsn)  # R: int
reveal_type(control(shop.bakery).lsn)  # R: int
reveal_type(control(shop.bakery).digest())  # R: str
with control(init_system(Bakery())) as opened:
    opened.bake("rye")
    opened.lsn = 3  # E: coopy-set
    opened.loaves.append("x")  # E: coopy-mutate
    reveal_type(opened)  # R: Bakery
bakery.lsn += 1  # E: coopy-set
bakery.digest().append("own")
handles: dict[str, Control[Bakery]] = {"a": control(bakery)}
for name, handle in handles.items():
    handle.close()
    print(name, handle.lsn)


def mirror(replica: Replica[Bakery], handle: Control[Bakery] | None = None) -> int:
    control(replica).close()
    replica.close()  # P: attr-defined
    replica.take_snapshot()  # P: attr-defined
    replica.verify("x")  # E: coopy-replica
    if handle is not None:
        handle.take_snapshot(background=False)
    print(replica.digest(), replica.lsn)
    return control(replica).lsn
