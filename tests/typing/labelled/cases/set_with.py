import contextlib

from coopy import System, init_system


class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.level = 1

    def write(self, line: str) -> int:
        self.lines.append(line)
        return len(self.lines)


with init_system(Log(), "data/log") as log:  # P: attr-defined
    log.write("a")
    log.level = 2  # E: coopy-set


def nested(first: System[Log]) -> None:
    with first as one, init_system(Log) as two:  # P: attr-defined
        one.write("x")
        two.write("y")
        one.level = 1  # E: coopy-set
        two.level = 1  # E: coopy-set


def closing() -> int:
    with contextlib.ExitStack() as stack:
        log = init_system(Log())
        stack.callback(print, "closed")
        return log.write("z")
