"""What the page takes for granted: a program of the reader's."""

import time


def age():
    return time.time()
