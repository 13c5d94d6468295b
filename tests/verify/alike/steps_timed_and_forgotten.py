"""How long it took is told to somebody and not kept."""

import logging
from time import perf_counter

log = logging.getLogger("coopytest")


class Batch:
    def __init__(self):
        self.results = []

    def work(self, *numbers):
        begin = perf_counter()
        self.results += [sum(range(number)) for number in numbers]
        log.debug("took %s", perf_counter() - begin)


DOMAIN = Batch
CALLS = (("work", 1, 2, 3), ("work", *range(50)))
