import time

from coopy import init_system
from shop import Shop

shop = init_system(Shop(time.time), "data/shop")
