"""The labelled cases: every line that asks for a report has it, and no other line, on the newest mypy and on the oldest, cold and from the cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.typing.checked import with_oldest

LABELLED = Path(__file__).with_name("labelled")
OWN = Path(__file__).with_name("own")


@pytest.mark.parametrize("folder", [LABELLED, OWN], ids=lambda folder: str(folder.name))
@pytest.mark.parametrize("how", ["cold", "warm"])
@pytest.mark.parametrize("which", ["newest", "oldest"])
def test_reports_what_the_comments_ask_for_and_nothing_else(folder: Path, how: str, which: str) -> None:
    """Cold, the bodies of all classes are there; warm, only what the plugin kept of them."""
    command = [sys.executable, str(LABELLED / "score.py"), str(folder), *(["--warm"] if how == "warm" else [])]
    env = with_oldest() if which == "oldest" else dict(os.environ)
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
