from coopy import init_system

from .trucks import Truck

truck = init_system(Truck(), "data/trucks")
truck.load("sand")
truck.move()
truck.cargo["x"] = 1  # E: coopy-mutate
truck.log.append(3.0)  # E: coopy-mutate
print(truck.moves(), dict(truck.cargo))
reveal_type(truck.load("x"))  # R: int
