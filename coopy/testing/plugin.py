"""The pytest plugin. It is loaded in every pytest run where coopy is installed, so it imports nothing of coopy's before a fixture is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coopy.testing import MovableClock, Systems

__all__ = ["coopy_clock", "coopy_system"]


@pytest.fixture
def coopy_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Systems]:
    """Opens systems in a temporary directory, and closes them at the end: `coopy_system(Wiki)`, `.restart(wiki)`, `.crash(wiki)`."""
    from coopy.testing.restarts import Systems

    with Systems(tmp_path_factory.mktemp("coopy")) as systems:
        yield systems


@pytest.fixture
def coopy_clock() -> Iterator[MovableClock]:
    """The time of the systems that `coopy_system` opens: it stands still until `coopy_clock.move(timedelta(...))` or `.set(datetime(...))`."""
    from coopy.testing.clock import MovableClock

    with MovableClock() as clock:
        yield clock
