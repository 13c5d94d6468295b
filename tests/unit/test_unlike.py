"""Two replays are unlike each other in what a deterministic domain does not look at."""

from __future__ import annotations

import json
import os
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

from coopy.fresh import Fresh, Surroundings
from coopy.wiring.unlike import become_unlike

if TYPE_CHECKING:
    from collections.abc import Callable


class Thing:
    """An object as a domain makes them."""

    def __init__(self, number: int) -> None:
        self.number = number


def look(task: bytes, tell: Callable[[bytes], object]) -> None:
    become_unlike(int(task), 700)
    things = [Thing(number) for number in range(200)]
    up = sum(id(one) < id(other) for one, other in pairwise(things))
    tell(json.dumps([up, sys.argv, sys.getrecursionlimit(), sorted(os.environ)]).encode())


def test_objects_lie_in_no_order() -> None:
    """About half of them behind the one that was made before, which else nearly all do."""
    [said] = Fresh(f"{__name__}:look", b"0", Surroundings())
    assert 60 < json.loads(said)[0] < 140


def test_one_side_has_neither_the_environment_nor_the_limit_of_the_other() -> None:
    """What an interpreter needs stays."""
    [one], [other] = Fresh(f"{__name__}:look", b"0", Surroundings()), Fresh(f"{__name__}:look", b"1", Surroundings())
    (_, argv, limit, names), (_, other_argv, other_limit, other_names) = json.loads(one), json.loads(other)
    assert argv != other_argv
    assert (limit, limit < other_limit) == (700, True)
    assert {"COOPY_CACHE", "PATH"} <= set(other_names) < set(names)
