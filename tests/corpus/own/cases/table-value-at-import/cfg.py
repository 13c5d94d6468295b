import socket
import time

SETTINGS = {"limit": 3}
SETTINGS["host"] = socket.gethostname()
SEEDS = []
SEEDS.append(time.time())
OTHER = {}
OTHER["t"] = time.time()


class Cfg:
    def __init__(self):
        self.out = []

    def note(self, x):
        self.out.append((x, SETTINGS["host"], SEEDS[0]))
