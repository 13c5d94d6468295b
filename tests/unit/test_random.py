"""Chance inside of an action is drawn again by a replay, and cannot be guessed; elsewhere it is the system's own."""

from __future__ import annotations

import contextlib
import copy
import pickle
import random as standard
from typing import TYPE_CHECKING, Any

import pytest

from coopy import random
from coopy.clock import Moment, moment, running
from coopy.random import Random

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECRET = b"s" * 32
WITHOUT_STATE = {"seed", "getstate", "setstate", "VERSION"}


def shuffled(one: Any) -> list[int]:
    numbers = list(range(30))
    one.shuffle(numbers)
    return numbers


DRAWS: dict[str, Callable[[Any], Any]] = {
    "betavariate": lambda one: one.betavariate(1, 2),
    "choice": lambda one: one.choice(range(10**9)),
    "choices": lambda one: one.choices(range(10**9), k=3),
    "expovariate": lambda one: one.expovariate(1.5),
    "gammavariate": lambda one: one.gammavariate(1, 2),
    "gauss": lambda one: one.gauss(),
    "getrandbits": lambda one: one.getrandbits(70),
    "lognormvariate": lambda one: one.lognormvariate(0, 1),
    "normalvariate": lambda one: one.normalvariate(),
    "paretovariate": lambda one: one.paretovariate(2),
    "randbytes": lambda one: one.randbytes(9),
    "randint": lambda one: one.randint(1, 10**9),
    "random": lambda one: one.random(),
    "randrange": lambda one: one.randrange(0, 10**9, 7),
    "sample": lambda one: one.sample(range(10**9), 3),
    "shuffle": shuffled,
    "triangular": lambda one: one.triangular(),
    "uniform": lambda one: one.uniform(1, 2),
    "vonmisesvariate": lambda one: one.vonmisesvariate(1, 2),
    "weibullvariate": lambda one: one.weibullvariate(1, 2),
    "uuid4": lambda one: one.uuid4(),
    "token_bytes": lambda one: one.token_bytes(),
    "token_hex": lambda one: one.token_hex(),
    "binomialvariate": lambda one: one.binomialvariate(10**6),
}


@contextlib.contextmanager
def inside(lsn: int, time_us: int = 5, secret: bytes = SECRET) -> Iterator[None]:
    """As in an action with this stamp."""
    now = Moment(secret)
    now.lsn, now.time_us = lsn, time_us
    token = moment.set(now)
    try:
        yield
    finally:
        moment.reset(token)


def draw(count: int, lsn: int = 1, time_us: int = 5, secret: bytes = SECRET) -> list[float]:
    with inside(lsn, time_us, secret):
        return [random.random() for _ in range(count)]


def test_every_method_of_the_standard_library_is_there() -> None:
    """In the module and on the object, but for those that are about a state; and `uuid4`, `token_hex`, `token_bytes`."""
    public = {name for name in dir(standard.Random) if not name.startswith("_")} - WITHOUT_STATE
    assert (
        public | {"uuid4", "token_hex", "token_bytes"} == set(random.__all__) - {"Random"} == {one for one in DRAWS if hasattr(Random, one)}
    )
    assert all(hasattr(Random, name) and hasattr(random, name) for name in public)


@pytest.mark.parametrize("name", [name for name in DRAWS if hasattr(Random, name)])
@pytest.mark.parametrize("source", [random, Random()], ids=["module", "object"])
def test_a_replay_draws_the_same(name: str, source: Any) -> None:
    """Each method, twice in one action: the two draws differ, those of the replay do not. Outside of actions nothing is alike."""
    with inside(7):
        first = [DRAWS[name](source) for _ in range(2)]
    with inside(7):
        assert [DRAWS[name](source) for _ in range(2)] == first
    with inside(8):
        assert DRAWS[name](source) != first[0] != first[1]
    outside = [DRAWS[name](source) for _ in range(8)]
    assert any(one not in first for one in outside)


def test_module_and_object_draw_from_one_source() -> None:
    """Whichever an action asks, the draws are one sequence."""
    with inside(1):
        mixed = [random.random(), Random().random(), random.random()]
    assert mixed == draw(3)


def test_nothing_can_be_guessed_without_the_secret() -> None:
    """LSN and time do not tell the numbers; and each of the three changes them all."""
    base = draw(4)
    for other in (draw(4, secret=b"t" * 32), draw(4, lsn=2), draw(4, time_us=6), draw(4, lsn=5, time_us=1)):
        assert not set(base) & set(other)
    for seed in (1, 5, b"", "1", 1 << 64 | 5):
        guess = standard.Random(seed)
        assert not set(base) & {guess.random() for _ in range(100)}


def test_the_numbers_of_an_action_are_fixed_for_ever() -> None:
    """A journal of today is replayed by any later coopy: the same secret, LSN and time give these."""
    with inside(1):
        assert random.getrandbits(64) == 14_757_477_403_444_386_420
        assert random.uuid4().version == 4


def test_a_moment_that_goes_on_to_the_next_action_draws_anew() -> None:
    """The executor keeps one moment for all actions."""
    now = Moment(SECRET)
    now.time_us = 5
    token = moment.set(now)
    try:
        drawn = []
        for lsn in (1, 2, 1):
            now.lsn = lsn
            drawn.append(random.random())
    finally:
        moment.reset(token)
    assert drawn == [*draw(1, lsn=1), *draw(1, lsn=2), *draw(1, lsn=1)]


def test_a_generator_is_made_only_for_who_draws() -> None:
    """Most actions never do."""
    with inside(1):
        now = running()
        assert now is not None
        assert now.generator is None
        random.random()
        assert now.generator is not None


def test_sizes_are_what_was_asked_for() -> None:
    """Bytes, digits and bits; zero too; less is refused as by the standard library."""
    with inside(1):
        for source in (random, Random()):
            assert [len(source.token_bytes(n)) for n in (0, 1, 33)] == [len(source.token_hex(n)) // 2 for n in (0, 1, 33)] == [0, 1, 33]
            assert (source.randbytes(0), source.getrandbits(0), len(source.token_bytes())) == (b"", 0, 32)
            with pytest.raises(ValueError, match="bits"):
                source.randbytes(-1)


def test_there_is_no_state_to_keep() -> None:
    """Neither to seed nor to read; a pickle of it is its class, a copy itself."""
    with inside(1):
        Random().seed(7)
        assert [Random().random()] == draw(1)
    with pytest.raises(NotImplementedError):
        Random().getstate()
    one = Random()
    assert type(pickle.loads(pickle.dumps(one))) is Random
    assert copy.copy(one) is copy.deepcopy(one) is one
