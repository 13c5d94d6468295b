"""What the documentation shows, runs: each page's examples together are a program."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def program(page: str) -> str:
    """The Python examples of a page, those that define something first."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    return "\n".join(sorted(blocks, key=lambda block: "class " not in block))


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial.md", "docs/replication.md", "docs/asyncio.md"])
def test_the_examples_of_a_page_run(page: str, tmp_path: Path) -> None:
    """In a fresh directory, and once more on what is stored then."""
    (tmp_path / "program.py").write_text(program(page))
    for _ in range(2):
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        ran = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        assert ran.stderr == ""


def test_importing_coopy_loads_nothing_heavy() -> None:
    """Neither what only the command line needs, nor what waits for an option."""
    heavy = "libcst mypy asyncio ssl socket scramp click rich zstandard"
    check = f"import sys; from coopy import init_system; print(*[name for name in '{heavy}'.split() if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
