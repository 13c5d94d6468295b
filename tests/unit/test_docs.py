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


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/tutorial.md",
        "docs/once.md",
        "docs/history.md",
        "docs/replication.md",
        "docs/verify.md",
        "docs/client-server.md",
        "docs/asyncio.md",
        "docs/monitoring.md",
    ],
)
def test_the_examples_of_a_page_run(page: str, tmp_path: Path) -> None:
    """In a fresh directory, and once more on what is stored then."""
    for _ in range(2):
        run(tmp_path, program(page))


def test_the_examples_about_changing_classes_run(tmp_path: Path) -> None:
    """Each by itself, on the directory of a former version of the program."""
    page = (ROOT / "docs/upgrade.md").read_text()
    wiki = tmp_path / "wiki"
    wiki.mkdir()
    (wiki / "__init__.py").write_text("")
    (wiki / "models.py").write_text("class Wiki:\n def create_page(self, title): self.title = title")
    make = "from coopy import control, init_system; from wiki.models import Wiki; control(init_system(Wiki, 'data/wiki')).close()"
    run(tmp_path, make)
    (tmp_path / "pyproject.toml").write_text("".join(re.findall(r"```toml\n(.*?)```", page, re.DOTALL)))
    (wiki / "models.py").unlink()
    (wiki / "domain.py").write_text("from wiki import pages\nclass Wiki:\n def add_page(self, title): self.title = title")
    (wiki / "pages.py").write_text("class Page: ...")
    before = "from coopy import init_system, upgrade, was\nfrom wiki.domain import Wiki\n"
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 5
    for block in blocks:
        run(tmp_path, before + block)


def run(folder: Path, text: str) -> None:
    """Run a program in a folder; it says nothing on standard error."""
    (folder / "program.py").write_text(text)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "program.py"], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_importing_coopy_loads_nothing_heavy() -> None:
    """Neither what only the command line needs, nor what waits for an option."""
    heavy = "libcst mypy asyncio ssl socket scramp click rich zstandard subprocess tempfile"
    check = f"import sys; from coopy import init_system; print(*[name for name in '{heavy}'.split() if name in sys.modules])"
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}  # that loads some of them itself
    ran = subprocess.run([sys.executable, "-c", check], cwd=ROOT, env=unmeasured, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
