"""What entry points reach, nearest first, and of what it is in doubt whether any of them does.

In a program that is not VAST calls are told apart, and what is reached is reached. In one that is, many calls share a run of a function, and
a way through such runs may be one that no call takes: it is put together of the beginning of one and the end of another. So each step of a
way stands for a number of ways, of which it is one:

    a call of whichever of several functions      as many as there are functions
    a call of a function that many calls share    as many as there are kinds of arguments with which it is called
    a call behind a test that says what something is of which nothing was known     two for each test

A context is in doubt if even the best way to it is one of more than MAX_WAYS: what is seen there is no error, it is a warning.
"""

from __future__ import annotations

import heapq
from collections import deque
from math import log2
from typing import TYPE_CHECKING

from coopy.validation.verdict import Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from coopy.validation.link.machine import Context

MAX_WAYS = 32
Way = tuple[Step, ...]


class Reach:
    """What is reached from some contexts. `doubtful`: contexts to which no way leads that is one of few."""

    def __init__(self, starts: Iterable[Context], *, vast: bool) -> None:
        self.starts = list(starts)
        self.doubtful = _doubtful(self.starts) if vast else frozenset[object]()

    def ways(self) -> Iterator[tuple[Context, Context, Way]]:
        """Every context, the start from which it is reached and the steps, nearest first; what is in doubt comes last."""
        seen: set[Context] = set()
        near: deque[tuple[Context, Context, Way]] = deque((one, one, ()) for one in self.starts)
        far: deque[tuple[Context, Context, Way]] = deque()
        while near or far:
            context, start, steps = (near or far).popleft()
            if context in seen:
                continue
            seen.add(context)
            yield context, start, steps
            for callee, at in context.calls:
                if callee not in seen:
                    step = () if context is start or context.hub else (_step(context, at),)
                    (far if callee in self.doubtful else near).append((callee, start, (*steps, *step)))


def _step(context: Context, at: int) -> Step:
    module = context.module
    return Step(module.path, module.summary.place(at)[0], context.qualname)


def _doubtful(starts: list[Context]) -> frozenset[object]:
    """The contexts of which the best way is one of too many: Dijkstra's algorithm, the logarithm of the number of ways being the distance."""
    best: dict[Context, float] = {}
    heap = [(0.0, index, one) for index, one in enumerate(starts)]
    count = len(heap)
    while heap:
        ways, _, context = heapq.heappop(heap)
        if context in best:
            continue
        best[context] = ways
        alternatives = _alternatives(context)
        for (callee, at), guesses in context.calls.items():
            if callee not in best:
                more = log2(alternatives[at, _is_code(callee)] * max(1, len(callee.kinds))) + guesses
                heapq.heappush(heap, (ways + more, count, callee))
                count += 1
    return frozenset(one for one, ways in best.items() if ways > log2(MAX_WAYS))


def _alternatives(context: Context) -> dict[tuple[int, bool], int]:
    """How many functions each place of a context may call; and of how many classes and modules it may read what is bound there."""
    found: dict[tuple[int, bool], set[object]] = {}
    for callee, at in context.calls:
        code = _is_code(callee)
        what = (callee.info or callee) if code else (callee.module, callee.cls)
        found.setdefault((at, code), set()).add(what)
    return {key: len(several) for key, several in found.items()}


def _is_code(context: Context) -> bool:
    """Whether this is a function or a hub, not a statement of a module or class."""
    return context.info is not None or context.hub
