"""Work on threads, put together in the order in which it was given."""

from concurrent.futures import ThreadPoolExecutor


class Jobs:
    def __init__(self):
        self.done = []

    def finish(self, *numbers):
        with ThreadPoolExecutor(3) as pool:
            self.done.extend(pool.map(abs, numbers))


DOMAIN = Jobs
CALLS = (("finish", *range(-9, 9)),)
