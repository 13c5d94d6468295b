"""Processes that parse while another one follows the calls: what is found never depends on them, and they never outlive a run."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from coopy.validation.ahead import in_order
from coopy.validation.cache import Cache
from coopy.validation.run import DomainError, Options, Outcome, run
from coopy.validation.source import Sources

if TYPE_CHECKING:
    from collections.abc import Callable

FILLER = "".join(f"def f{number}(a, b):\n    return [a for a in range(b) if a > {number}]\n" for number in range(40)) + "# much\n" * 2000
SHOP = """import time
from base import Order
from coopy import init_system

class Shop:
    def place(self, order: Order):
        order.fill()

class Unused:
    def act(self):
        self.at = time.time()

shop = init_system(Shop(), 'shop')
"""
BASE = "class Order:\n    def fill(self):\n        pass\n"
LATE = "import time\nfrom base import Order\n\nclass Late(Order):\n    def fill(self):\n        self.at = time.time()\n"
NESTED = "x = " + "(" * 190 + ")" * 190 + "\n"


def program(folder: Path, **files: str) -> Path:
    """A program that is worth more than one process: a domain, what derives from its classes, and much that it does not need."""
    parts = {f"part{number:02}": FILLER for number in range(24)}
    for name, text in {"shop": SHOP, "base": BASE, "later": LATE, **parts, **files}.items():
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text(text)
    return folder


def outcome(folder: Path, jobs: int, progress: Callable[[int, int], None] = lambda done, all_: None) -> Outcome:
    """What is found by so many processes."""
    return run(Sources([str(folder)], Cache(None)), Options(jobs=jobs, progress=progress))


def without_notes(one: Outcome) -> Outcome:
    """What is to be the same."""
    return msgspec.structs.replace(one, notes=[])


@pytest.mark.parametrize("jobs", [2, 3])
def test_all_that_is_said_is_the_same_whoever_parses(jobs: int, tmp_path: Path) -> None:
    """Also of a class that nothing imports, and of files that are no Python, one of which Python's own parser would take."""
    folder = program(tmp_path / "shop", broken="def (:\n", deep="x = " + "1 + " * 1200 + "1\nclass Deep(Order):\n    pass\n")
    alone = outcome(folder, 1)
    assert [(Path(one.path).name, one.line) for one in alone.findings] == [("later.py", 6)]
    assert [Path(one.path).name for one in alone.problems] == ["broken.py", "deep.py"]
    assert without_notes(outcome(folder, jobs)) == without_notes(alone)


def test_files_come_in_the_order_in_which_the_program_imports_them(tmp_path: Path) -> None:
    """From what wraps a domain, or is named, and depth first; and then the others, each once."""
    texts = {
        "app": "from coopy import init_system\nimport late, other as some\nfrom pack import (\n    inner,\n)\n",
        "late": "import app, base\n",
        "pack__inner": "from ..pack import near\nfrom . import near\n",
    }
    for name in ("a", "app", "base", "late", "other", "pack____init__", "pack__inner", "pack__near", "z"):
        path = tmp_path / f"{name.replace('__', '/', 1)}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(texts.get(name, ""))
    sources = Sources([str(tmp_path)], Cache(None))
    order = [Path(path).relative_to(tmp_path).as_posix() for path in in_order(sources, sources.files, ("z:Z",))]
    assert order == ["z.py", "app.py", "late.py", "base.py", "other.py", "pack/__init__.py", "pack/inner.py", "pack/near.py", "a.py"]


@pytest.mark.parametrize("asked", ["", "import nested\n"])
def test_a_file_that_ends_its_worker_is_named_and_all_else_is_found(asked: str, tmp_path: Path) -> None:
    """Whether or not the linker waits for it. The parser of a process that has little stack cannot take such brackets."""
    folder = program(tmp_path / "shop", nested=NESTED, shop=asked + SHOP)
    code = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_STACK, (1 << 20, resource.getrlimit(resource.RLIMIT_STACK)[1]))\n"
        "from coopy.validate import main\n"
        f"sys.exit(main([{str(folder)!r}, '--jobs', '2', '--no-cache', '--format', 'github']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "nested.py,line=1" in done.stdout
    assert "it ended the process that parsed it" in done.stdout
    assert "later.py,line=6" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_workers_that_are_killed_are_replaced_and_interrupts_are_not_theirs(
    number: signal.Signals, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Once, while they parse: nothing is missing, no file is blamed, and nothing is said."""
    folder = program(tmp_path / "shop")
    sent: list[int] = []

    def send(done: int, all_: int) -> None:
        if not sent:
            for one in multiprocessing.active_children():
                assert one.pid is not None
                sent.append(one.pid)
                os.kill(one.pid, number)

    found = outcome(folder, 2, send)
    assert len(sent) == 2
    assert capfd.readouterr().err == ""
    assert without_notes(found) == without_notes(outcome(folder, 1))


def test_an_interrupt_while_files_are_awaited_ends_all_workers(tmp_path: Path) -> None:
    """The whole group of processes gets it, and one of them says so."""
    folder = program(tmp_path / "shop")
    code = (
        "import os, signal\n"
        "from coopy.validation.cache import Cache\n"
        "from coopy.validation.run import Options, run\n"
        "from coopy.validation.source import Sources\n"
        "sent = []\n"
        "def interrupt(done, all_):\n"
        "    if not sent:\n"
        "        sent.append(done)\n"
        "        os.killpg(0, signal.SIGINT)\n"
        f"run(Sources([{str(folder)!r}], Cache(None)), Options(jobs=2, progress=interrupt))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, start_new_session=True)
    assert done.stderr.count("Traceback") == 1, done.stderr
    assert done.stderr.rstrip().endswith("KeyboardInterrupt")


def test_a_run_that_comes_to_nothing_leaves_no_worker(tmp_path: Path) -> None:
    """No domain is found, which is told once all has been read; and the bar is at its end."""
    folder = program(tmp_path / "shop", shop="")
    steps: list[tuple[int, int]] = []
    with pytest.raises(DomainError, match="no domain class was found"):
        outcome(folder, 2, lambda done, all_: steps.append((done, all_)))
    assert multiprocessing.active_children() == []
    assert steps == sorted(steps)
    assert steps[-1] == (27, 27)
