"""What every simulation leaves: nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.simulation.machine import RUNNING, end

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _nothing_goes_on() -> Iterator[None]:
    """The threads of a system would be there for whichever test comes next."""
    yield
    while RUNNING:
        end(RUNNING.pop())
