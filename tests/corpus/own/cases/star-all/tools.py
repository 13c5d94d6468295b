import time

__all__ = ["shown", "_hidden"]


def _hidden():
    return time.time()


def shown():
    return 1


def other():
    return time.time()
