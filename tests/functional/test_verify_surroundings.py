"""Verify: no two replays have the same surroundings, and what differs is shown whichever snapshots they began with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coopy import control, init_system
from coopy.error import DivergenceError
from tests import mistaken

if TYPE_CHECKING:
    from pathlib import Path


def test_two_replays_of_one_snapshot_have_other_time_zones(tmp_path: Path) -> None:
    """Also where no digest was recorded that could tell."""
    trains = init_system(mistaken.Trains, tmp_path / "t", validation="off")
    trains.depart(1e9)
    with pytest.raises(DivergenceError) as found, control(trains):
        control(trains).verify()
    assert (found.value.lsn, found.value.method) == (1, "depart")
    assert vars(found.value)["paths"][0].startswith("trains.departures[0]: ")


def test_replays_from_two_snapshots_that_differ_are_shown(tmp_path: Path) -> None:
    """What is kept in the module is not in the later one: replaying twice from the earlier would show nothing."""
    mistaken._numbers[0] = 0  # as in a process that has issued none
    invoices = init_system(mistaken.Invoices, tmp_path / "i", validation="off")
    invoices.issue()
    control(invoices).take_snapshot()
    invoices.issue()
    with pytest.raises(DivergenceError, match="Replays from the snapshots at LSN 0 and LSN 1 differ") as found, control(invoices):
        control(invoices).verify()
    assert vars(found.value)["paths"] == ("invoices.issued[1]: 2 != 1",)
