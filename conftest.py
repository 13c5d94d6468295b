"""Tests keep what the validator remembers in a folder of their own, their child processes too; those of one file run on one worker.

The examples of README.md and docs/ are tests as well: tests/page.py says how they are run.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.page import examples

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_collect_file = examples.pytest()


@pytest.fixture(autouse=True, scope="session")
def cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """And the user's own is neither read nor written."""
    before = os.environ.get("COOPY_CACHE")
    os.environ["COOPY_CACHE"] = str(tmp_path_factory.mktemp("validator-cache"))
    yield
    if before is None:
        del os.environ["COOPY_CACHE"]
    else:
        os.environ["COOPY_CACHE"] = before


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests stay together, in their order, unless a mark says with which others they must: of a fixed port there is one."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(str(item.path)))


def pytest_sessionfinish() -> None:
    """`make coverage`: a worker's data is written before xdist ends it, which gives a worker ten seconds."""
    if "COVERAGE_PROCESS_CONFIG" in os.environ:
        import coverage

        measured = coverage.Coverage.current()
        if measured is not None:
            measured.save()
