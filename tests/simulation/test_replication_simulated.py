"""A primary and three replicas on a seeded network and on disks that forget: world.py says what happens there and what must hold.

More seeds: `make faults ARGS=replication SEEDS=5000`. What a seed has found is told again in test_found.py.
"""

from __future__ import annotations

import logging

import pytest

from tests.simulation.world import World, run_seed

SEEDS = 100


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Torn tails, refusals and promotions are what is looked for."""
    caplog.set_level(logging.ERROR, "coopy")


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_happens_nothing_confirmed_is_lost_and_all_end_alike(seed: int) -> None:
    """No state differs at an equal place of history, no epoch goes back, nothing synced is lost."""
    run_seed(seed)


def test_a_seed_always_does_the_same() -> None:
    """Or it would not repeat what it found."""
    assert World(7).run().log == World(7).run().log


def test_a_seed_that_fails_says_how_to_repeat_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what happened last."""
    monkeypatch.setattr(World, "restart_all", lambda _world: pytest.fail("as an example"))
    with pytest.raises(AssertionError, match=r"(?s)seed 3.*run_seed\(3\).*healing"):
        run_seed(3)
