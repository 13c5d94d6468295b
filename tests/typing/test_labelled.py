"""The labelled cases: every line that asks for a report has it, and no other line, on the newest mypy and on the oldest, cold and from the cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.typing.checked import with_oldest

if TYPE_CHECKING:
    from collections.abc import Callable

LABELLED = Path(__file__).with_name("labelled")
OWN = Path(__file__).with_name("own")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """One for both folders: what their cases import is read once. A case is in one of them only, so each begins cold."""
    assert {path.stem for path in (LABELLED / "cases").iterdir()}.isdisjoint(path.stem for path in (OWN / "cases").iterdir())
    folder = tmp_path_factory.mktemp("mypy-cache")
    return lambda which: folder / which


@pytest.mark.parametrize("folder", [LABELLED, OWN], ids=lambda folder: str(folder.name))
@pytest.mark.parametrize("which", ["newest", "oldest"])
def test_reports_what_the_comments_ask_for_and_nothing_else(folder: Path, which: str, cache: Callable[[str], Path]) -> None:
    """Cold, the bodies of all classes are there; warm, which is asked after it, only what the plugin kept of them."""
    command = [sys.executable, str(LABELLED / "score.py"), str(folder), "--warm", "--cache", str(cache(which))]
    env = with_oldest() if which == "oldest" else dict(os.environ)
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
