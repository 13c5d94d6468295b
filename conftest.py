"""Tests keep what the validator remembers in a folder of their own, their child processes too; those of one file run on one worker.

The examples of README.md and docs/ are tests as well: tests/page.py says how they are run.
"""

from __future__ import annotations

import compileall
import os
import re
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from coopy.cluster import local
from tests.page import examples

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_collect_file = examples.pytest()

ONE_OF = {  # by file: what no two workers may use at once
    "docs/replication.md": "the default port",
    "tests/functional/test_replication.py": "the default port",
    "tests/typing/test_pages.py": "the default port",
}
AS_GIVEN = re.compile(r"/tests/(corpus|typing|verify|pages)/")  # programs that tests read; nobody imports them by that name


def pytest_configure(config: pytest.Config) -> None:
    """A shell that starts this in the background has it ignore what tests send to their child processes, which inherit that.

    And those, of which there are hundreds, are to find coopy compiled, also where PYTHONDONTWRITEBYTECODE is set: it is half of what one costs.
    So is pytest the tests themselves the next time: to rewrite them all is half of what each worker does before its first test.
    """
    sys.dont_write_bytecode = False
    if not hasattr(config, "workerinput"):
        for folder in ("coopy", "tests"):
            compileall.compile_dir(config.rootpath / folder, quiet=2, rx=AS_GIVEN)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """No package of the tests has its modules among its names, into which the import of each has put it: nobody asks for them there.

    A domain class of the tests would reach all of them by the package that it lies in. To look through 300 modules took most of an opening's time.
    """
    for package in [one for name, one in sys.modules.items() if name.partition(".")[0] == "tests" and hasattr(one, "__path__")]:
        for name in [name for name in vars(package) if f"{package.__name__}.{name}" in sys.modules]:
            delattr(package, name)


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


@pytest.fixture(autouse=True, scope="session")
def ports_of_the_worker() -> None:
    """Each has its own: what one finds free may be that of a server of another's which is away for a moment."""
    number, count = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"), os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")
    local.PORTS = local.PORTS[int(number) :: int(count)]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file's tests stay together, in their order: a page's examples follow one another. So do files that need the same, of which there is one.

    And files come in theirs, crash tests first: a few of those last longest, and whoever begins with the files that have most tests ends waiting for them.
    """
    config.option.loadscopereorder = False
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

    class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.partition("::")[0]
            return ONE_OF.get(path, path)

    return ByFile(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: many tests wait, for a disk, a server, another process."""
    return (os.cpu_count() or 1) + 1


def pytest_sessionfinish() -> None:
    """`make coverage`: a worker's data is written before xdist ends it, which gives a worker ten seconds."""
    if "COVERAGE_PROCESS_CONFIG" in os.environ:
        import coverage

        measured = coverage.Coverage.current()
        if measured is not None:
            measured.save()
