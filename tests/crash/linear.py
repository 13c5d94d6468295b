"""Is a history of calls one that a single object, asked one call after another, could have given? The search of Wing and Gong, with Lowe's memory.

It is a black box's referee: it knows when each call began and ended, what was asked and answered, and a model of the object; nothing of LSNs or nodes. A
call of which it is not known what became may take effect at any time after it began, or never.

How many orders there are grows fast with the calls of which it is not known. So each call may have a rank, and the order by rank is tried first: a guess,
which is no part of the judgement.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator
    from typing import TypeAlias

    Model: TypeAlias = Callable[[Hashable, str, Any], tuple[Hashable, Any]]

__all__ = ["MOST", "NOT_KNOWN", "Call", "problem", "queue", "register"]

NOT_KNOWN = object()
MOST = 300_000  # places that are looked at before the search is given up: about a gigabyte


class Call(NamedTuple):
    """One call, and what came of it: `answer` is NOT_KNOWN, and `ended` math.inf, where nobody knows whether it happened. `rank`: its place, at a guess."""

    mark: str
    begun: float
    ended: float
    method: str
    argument: Any
    answer: Any
    rank: int = 0


def register(state: Hashable, method: str, argument: Any) -> tuple[Hashable, Any]:
    """A value that is written, exchanged and read."""
    if method == "write":
        return argument, None
    return (argument, state) if method == "swap" else (state, state)


def queue(state: Hashable, method: str, argument: Any) -> tuple[Hashable, Any]:
    """What is put first is taken first, and None from an empty one. The state is a tuple."""
    assert isinstance(state, tuple)
    if method == "put":
        return (*state, argument), None
    first = state[0] if state else None
    return (state[1:] if method == "take" else state), first


def problem(calls: list[Call], start: Hashable, model: Model) -> str:
    """Why no order of the calls explains what was answered; empty where one does."""
    if _Search(calls, model, guess=True).succeeds(start, 2 * len(calls)):
        return ""
    search = _Search(calls, model)
    if search.succeeds(start, MOST):
        return ""
    if search.given_up:
        what = (
            f"no order of {len(calls)} calls was found at {MOST:,} places; there may be one. The one by rank fails at the middle of these"
        )
        return f"{what}:\n{search.near(search.stuck)}"
    return f"no order explains the answers of {len(calls)} calls; all orders fail at or before the middle of these:\n{search.near(search.furthest)}"


class _Place(NamedTuple):
    """How far an order has come. `first`: all known calls before it are placed; `beyond`: which of those from there on, bit by bit; `odd`: of the others."""

    first: int
    beyond: int
    odd: int
    state: Hashable


class _Search:
    """`known` are the calls that happened, by their beginning; `odd` those of which nobody knows.

    One of these that brought what nobody was ever answered is left out: whatever is explained with it is explained without it. Not for a `guess` by rank:
    there what it brought is taken by another of these.
    """

    def __init__(self, calls: list[Call], model: Model, *, guess: bool = False) -> None:
        calls = sorted(calls, key=lambda call: call.begun)
        self.known = [call for call in calls if call.answer is not NOT_KNOWN]
        seen = {call.answer for call in self.known}
        self.odd = [call for call in calls if call.answer is NOT_KNOWN and (guess or call.argument is None or call.argument in seen)]
        self.furthest, self.stuck, self.given_up = 0, -1, False
        self._model = model

    def near(self, number: int) -> str:
        """The known calls around one of them."""
        return "\n".join(map(str, self.known[max(number - 5, 0) : number + 6]))

    def succeeds(self, start: Hashable, most: int) -> bool:
        """Whether there is an order of all known calls, and some of the others, that is found at so many places."""
        begin = _Place(0, 0, 0, start)
        seen, open_places = {begin}, [self._next(begin)]
        while open_places:
            place = next(open_places[-1], None)
            if place is None:
                self.stuck = self.furthest if self.stuck < 0 else self.stuck
                open_places.pop()
            elif place not in seen:
                if len(seen) == most:
                    self.given_up = True
                    return False
                if place.first == len(self.known):
                    return True
                self.furthest = max(self.furthest, place.first)
                seen.add(place)
                open_places.append(self._next(place))
        return not self.known

    def _next(self, place: _Place) -> Iterator[_Place]:
        """All places that one more call leads to: one that began before any that is not placed had ended."""
        numbers, until = self._window(place)
        known = [(self.known[number].rank, self.known[number].ended, number) for number in numbers]
        odd = [
            (call.rank, call.ended, ~number) for number, call in enumerate(self.odd) if not place.odd >> number & 1 and call.begun < until
        ]
        for _, _, number in sorted(known + odd):
            call = self.known[number] if number >= 0 else self.odd[~number]
            state, answer = self._model(place.state, call.method, call.argument)
            if number < 0:
                yield place._replace(odd=place.odd | 1 << ~number, state=state)
            elif answer == call.answer:
                yield self._placed(place, number, state)

    def _window(self, place: _Place) -> tuple[list[int], float]:
        """Which known calls may be next, and until when whatever is next has begun."""
        numbers, until = list[int](), math.inf
        for number in range(place.first, len(self.known)):
            call = self.known[number]
            if call.begun >= until:
                break
            if not place.beyond >> (number - place.first) & 1:
                numbers.append(number)
                until = min(until, call.ended)
        return numbers, until

    def _placed(self, place: _Place, number: int, state: Hashable) -> _Place:
        first, beyond = place.first, place.beyond | 1 << (number - place.first)
        while beyond & 1:
            first, beyond = first + 1, beyond >> 1
        return _Place(first, beyond, place.odd, state)
