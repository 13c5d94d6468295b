"""A crowd at a primary's door. `make faults ARGS=crowd` has ten thousand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.crowd import come_in_crowds


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not tell what a process uses")
def test_a_crowd_costs_little_and_keeps_nobody_out(tmp_path: Path) -> None:
    """A thousand connections from four addresses, which hold them."""
    found = come_in_crowds(tmp_path, 1000, 4)
    assert found.connections == 1000
    assert found.grown < 20_000_000
    assert found.threads <= 16 + 10
