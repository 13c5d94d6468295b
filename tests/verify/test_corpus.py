"""Domains that are subtly nondeterministic, and others that look like them: verify names the place in the first, and finds nothing in the second.

All run in this process, without the validator; then their journals are verified, two at a time.
"""

from __future__ import annotations

import contextlib
import decimal
import locale
import re
import shutil
import subprocess
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import coopy
from coopy import control, init_system
from coopy.error import DivergenceError
from coopy.wiring.unlike import LOCALES
from tests.verify.fleet import Fleet, cases

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

CASES, ALIKE, UNSEEN = cases("cases"), cases("alike"), cases("unseen")
ALONE = {**CASES, **{name: case for name, case in (ALIKE | UNSEEN).items() if hasattr(case, "ROOT")}}


def run(case: ModuleType, directory: Path) -> None:
    """As its program does: some calls raise."""
    with control(init_system(case.DOMAIN, directory, validation="off")) as system:
        for method, *args in case.CALLS:
            with contextlib.suppress(Exception):
                getattr(system, method)(*args)


def run_fleet(folder: str, directory: Path) -> None:
    """The first call of each, then the second of each, and so on."""
    fleet = Fleet(folder)
    lanes = [[(name, *call) for call in case.CALLS] for name, case in cases(folder).items() if name in fleet.members]
    with control(init_system(fleet, directory, validation="off")) as system:
        for calls in zip_longest(*lanes):
            for call in filter(None, calls):
                with contextlib.suppress(Exception):
                    system.call(*call)


def verdict(directory: Path) -> DivergenceError | None:
    try:
        coopy.verify(directory)
    except DivergenceError as error:
        return error
    return None


@pytest.fixture(scope="module")
def verdicts(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[dict[str, Future[DivergenceError | None]]]:
    """By case, for those that were chosen. The surroundings are such as a program may have."""
    chosen = {item.name.partition("[")[2].rstrip("]") for item in request.session.items} & {*ALONE, "alike", "unseen"}
    folder = tmp_path_factory.mktemp("journals")
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setenv("COOPYTEST_REGION", "eu")
        patch.setenv("COOPYTEST_CREDIT", "1000")
        patch.setattr(decimal.DefaultContext, "prec", 40)
        patch.chdir(tmp_path_factory.mktemp("program"))
        Path("banner.txt").write_text("welcome", "ascii")
        for name in chosen:
            if name in ALONE:
                run(ALONE[name], folder / name)
            else:
                run_fleet(name, folder / name)
        another_locale(tmp_path_factory.mktemp("locales"), patch)
        yield {name: pool.submit(verdict, folder / name) for name in sorted(chosen)}


def another_locale(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Made here, if the machine has none and can make one."""
    if not has_locale() and shutil.which("localedef"):
        subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", folder / "de_DE.UTF-8"], capture_output=True, check=False)
        patch.setenv("LOCPATH", str(folder))


def has_locale() -> bool:
    """Whether verify can choose one that is not C."""
    before = locale.setlocale(locale.LC_ALL)
    try:
        for one in LOCALES:
            with contextlib.suppress(locale.Error):
                return bool(locale.setlocale(locale.LC_ALL, one) != "C")
    finally:
        locale.setlocale(locale.LC_ALL, before)
    return False


@pytest.mark.parametrize("name", CASES)
def test_what_is_nondeterministic_is_named(name: str, verdicts: dict[str, Future[Any]]) -> None:
    """By LSN, method and path."""
    if hasattr(CASES[name], "LOCALE") and not has_locale():
        pytest.skip("this machine has no locale but C, and cannot make one")
    error = verdicts[name].result()
    assert error is not None
    lsn, method, path = CASES[name].EXPECTED
    assert (error.lsn, error.method) == (lsn, method), str(error)
    if path is not None:
        assert error.after == lsn - 1
        assert any(re.search(path, one) for one in error.paths), error.paths


@pytest.mark.parametrize("name", [*sorted(ALIKE.keys() & ALONE), "alike"])
def test_what_only_looks_alike_is_not(name: str, verdicts: dict[str, Future[Any]]) -> None:
    """`alike`: all those that need not be the domain object itself."""
    assert verdicts[name].result() is None


@pytest.mark.parametrize("name", [*sorted(UNSEEN.keys() & ALONE), "unseen"])
def test_what_is_alike_in_all_processes_of_one_machine_is_not_seen(name: str, verdicts: dict[str, Future[Any]]) -> None:
    """docs/limits.md says so."""
    assert verdicts[name].result() is None


def test_there_are_forty_of_each() -> None:
    """Or more."""
    assert len(CASES) >= 40 <= len(ALIKE)
