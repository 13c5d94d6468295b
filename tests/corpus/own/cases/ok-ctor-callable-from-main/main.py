import time

from coopy import init_system
from shop import Shop


def fixed():
    return 3.0


if __name__ == "__main__":
    started = time.time()
    shop = init_system(Shop(fixed), "data/shop")
    shop.sell("x")
    print(time.time() - started)
