"""The digest on random states: equal ones, however they came to be, have one digest; one changed part gives another, and difference() finds it."""

from __future__ import annotations

import io
import os
import pickle
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopy.codec import Codec
from coopy.difference import difference
from coopy.digest import digest
from tests.unit.plain_digest import plain_digest
from tests.unit.random_states import built, changed, recipe
from tests.unit.things import Node, Slotted

SEEDS = st.integers(0, 2**40)
MANY = settings(max_examples=400, deadline=None, derandomize=True)


@MANY
@given(SEEDS, SEEDS)
def test_how_a_state_came_to_be_does_not_count(seed: int, other: int) -> None:
    """Addresses, the order in which sets were filled, and whether equal atoms are one object; also what went through a pickle."""
    nodes = recipe(random.Random(seed))
    state = built(nodes, random.Random(seed))
    again = built(nodes, random.Random(other))
    assert digest(state) == digest(again) == digest(pickle.loads(pickle.dumps(again)))
    assert difference(state, again) == []


@MANY
@given(SEEDS, SEEDS)
def test_one_changed_part_counts(seed: int, other: int) -> None:
    """Wherever the root leads to, also through sets."""
    dice = random.Random(other)
    nodes = recipe(random.Random(seed))
    one, another = built(nodes, dice), built(changed(nodes, dice), dice)
    assert digest(one) != digest(another)
    assert difference(one, another)
    assert difference(another, one)


@MANY
@given(SEEDS, SEEDS)
def test_no_difference_means_one_digest(seed: int, other: int) -> None:
    """And the other way round, between any two states."""
    one, another = built(recipe(random.Random(seed)), random.Random(0)), built(recipe(random.Random(other)), random.Random(0))
    assert (digest(one) == digest(another)) is (difference(one, another) == [])


@MANY
@given(SEEDS)
def test_a_snapshot_keeps_the_digest(seed: int) -> None:
    """Written and read by coopy's own codec."""
    state = Slotted(built(recipe(random.Random(seed)), random.Random(seed)))
    codec = Codec(("tests",))
    data = codec.dump_state(state)
    assert digest(codec.load_state(io.BytesIO(data))[0]) == digest(state)


def digests() -> list[str]:
    """Of two hundred states, in this process."""
    return [digest(built(recipe(random.Random(seed)), random.Random())) for seed in range(200)]


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_another_process_gives_the_same_digests(seed: str) -> None:
    """Under another hash seed and time zone, and with objects at other addresses."""
    command = [sys.executable, "-c", f"from {__name__} import digests; print(*digests())"]
    environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Kolkata"}
    done = subprocess.run(command, env=environment, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert done.stdout.split() == digests()


@MANY
@given(SEEDS)
def test_a_web_of_objects_that_are_all_alike_has_one_digest(seed: int) -> None:
    """Only sets hold them, and nothing but who knows whom tells them apart: trees, rings of any length, crowds."""
    dice = random.Random(seed)
    size = dice.randint(2, 7)
    edges = [(one, other) for one in range(size) for other in range(size) if dice.random() < dice.choice((0.1, 0.3, 0.6))]
    if dice.random() < 0.5:
        length = dice.choice((2, 3))
        edges = [ring(number, size, length) for number in range(size)]
    assert len({digest(known(edges, size, dice)) for _ in range(4)}) == 1


@settings(MANY, max_examples=150)
@given(SEEDS)
def test_the_page_defines_the_digest(seed: int) -> None:
    """What is written after docs/format.md alone, without a thought for speed, gives the same."""
    dice = random.Random(seed)
    state = built(recipe(dice), dice)
    assert plain_digest(state) == digest(state)
    size = dice.randint(2, 7)
    web = known([(one, other) for one in range(size) for other in range(size) if dice.random() < 0.3], size, dice)
    assert plain_digest(web) == digest(web)


def ring(number: int, size: int, length: int) -> tuple[int, int]:
    """One edge of rings of this length, the last of which may be a shorter one."""
    start = number // length * length
    return (number, number + 1 if number + 1 < min(start + length, size) else start)


def known(edges: list[tuple[int, int]], size: int, dice: random.Random) -> list[set[Node]]:
    """A set of nodes of one name that know each other so, at any addresses."""
    nodes = [Node("same") for _ in range(size)]
    dice.shuffle(nodes)
    for one, other in edges:
        nodes[one].others.add(nodes[other])
    return [set(nodes)]
