"""Extraction leaves LibCST as it was found: others in the process may use it."""

from __future__ import annotations

import gc

import libcst as cst
import pytest

from coopy.validation.cache import analyse
from coopy.validation.extract import extract
from coopy.validation.text import UnreadableError


def test_libcst_still_checks_the_nodes_that_others_make() -> None:
    """A file was read, and one that is no Python: a name without a letter is refused as before."""
    extract("x = 1\n")
    with pytest.raises(UnreadableError):
        extract("x = (\n")

    with pytest.raises(cst.CSTValidationError):
        cst.Name("")


@pytest.mark.parametrize("text", [b"x = 1\n", b"x = (\n"])
@pytest.mark.parametrize("collecting", [True, False])
def test_the_collector_is_left_as_it_was(text: bytes, collecting: bool) -> None:
    """Whether it was on or off, and whether the file could be read."""
    before = gc.isenabled()
    (gc.enable if collecting else gc.disable)()
    try:
        analyse("x.py", text)
        assert gc.isenabled() is collecting
    finally:
        (gc.enable if before else gc.disable)()
