"""A node of the board, and people who pin notes there: python -m examples.cluster.node DIRECTORY ADDRESSES NAME.

A thread each; of each note that was pinned, its number and text are printed when the call has returned. It ends when its input does.
"""

from __future__ import annotations

import os
import sys
import threading

from coopy import control, init_system
from examples.cluster.board import Board

PEOPLE = 8


def pin_on(board: Board, author: str, over: threading.Event) -> None:
    """One note after the other."""
    count = 0
    while not over.is_set():
        count += 1
        text = f"{author}'s note {count}"
        number = board.pin(text, author)
        os.write(sys.stdout.fileno(), f"{number}\t{text}\n".encode())  # one short write into a pipe is never mixed with another


def main(directory: str, addresses: str, name: str) -> None:
    """Open the node, and have it used until the input ends."""
    over = threading.Event()
    with control(init_system(Board, directory, cluster=addresses)) as board:
        people = [threading.Thread(target=pin_on, args=(board, f"{name}-{person}", over)) for person in range(PEOPLE)]
        for one in people:
            one.start()
        sys.stdin.read()
        over.set()
        for one in people:
            one.join()


if __name__ == "__main__":
    main(*sys.argv[1:4])
