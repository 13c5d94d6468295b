"""How long each step took is kept with its result."""

from time import perf_counter


class Batch:
    def __init__(self):
        self.results = []
        self.seconds = []

    def work(self, *numbers):
        for number in numbers:
            begin = perf_counter()
            self.results.append(sum(range(number)))
            self.seconds.append(perf_counter() - begin)


DOMAIN = Batch
CALLS = (("work",), ("work", *range(1000, 1040)), ("work", 1))
EXPECTED = 2, "work", r"seconds\[\d+\]"
