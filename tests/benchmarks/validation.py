"""The validator's speed: lines a second cold on one core and on two, warm, memory, and whether cost grows linearly; beside ruff and flake8.

    python tests/benchmarks/validation.py [LINES ...]      two tables on standard output; by default of 10,000, 100,000 and 500,000 lines
    make bench                                             the same for 10,000 lines, after everything else

The second table has the processor time, user and system, of all processes of a run, beside that of LibCST's bare parse of the same files: the
ratio holds on a machine that is shared.

    shop     generated: modules that call each other in chains, one in twenty functions reading a clock; every function is reached
    library  what nobody wrote for this: the modules of the running Python's own library, those in folders aside, with a class of it as
             the domain; a small part is reached

ruff (DTZ), flake8-datetimez and semgrep (with one rule, for that clock) look at the same files, from environments of their own; they judge
lines, not what is reached.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
HOME = ROOT / "build" / "peers"
SEMGREP = ROOT / "build" / "semgrep"  # which pins what others need otherwise
PEERS = ("ruff==0.14.6", "flake8==7.3.0", "flake8-datetimez==20.10.0")
RULE = """rules:
  - {id: clock-read, languages: [python], severity: ERROR, message: a clock is read, pattern: datetime.datetime.now()}
"""
BARE = "import pathlib, sys, libcst\nfor one in sorted(pathlib.Path(sys.argv[1]).iterdir()): libcst.parse_module(one.read_bytes())"
MODULE = '''"""Orders of kind {number}."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

{link}

@dataclass
class Order{number}:
    """One order; prices are in cents."""

    name: str
    lines: list[tuple[str, int]] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)

    def total(self) -> int:
        """What is to be paid."""
        return sum(price for _, price in self.lines)

    def add(self, what: str, price: int) -> None:
        """Take one more line, if it is any good."""
        if price < 0 or not what:
            raise ValueError(f"{{what!r}} cannot cost {{price}}")
        self.lines.append((what, price))
        self.notes.setdefault(what, f"{{len(self.lines)}} lines, {{self.total()}} cents")


def place{number}(orders: dict[str, object], name: str, depth: int = 0) -> int:
    """Place an order here and in the next module."""
    order = Order{number}(name)
    for index, part in enumerate(name.split(",")):
        order.add(part.strip() or "none", index * 100)
    orders[f"{{name}}-{number}"] = order
    stamp = {stamp}
    return order.total() + {following}
'''


def main() -> int:
    """Generate, measure, print."""
    install(HOME, "flake8", PEERS)
    install(SEMGREP, "semgrep", ("semgrep==1.185.0",))
    print(f"\nThe validator beside others; load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors\n")
    print("| program | lines | cold, 1 process | cold, 2 | warm | memory, MB | findings | ruff DTZ | flake8-datetimez | semgrep |")
    print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
    rows = []
    for wanted in map(int, sys.argv[1:] or ["10000", "100000", "500000"]):
        with tempfile.TemporaryDirectory() as folder:
            lines = generate(Path(folder), wanted)
            rows.append(measure(Path(folder), "shop", "shop.app:Shop", lines))
    with tempfile.TemporaryDirectory() as folder:
        lines = library(Path(folder))
        rows.append(measure(Path(folder), "library", "mailbox:Maildir", lines))
    print(
        "\nProcessor time, in seconds:\n\n| program | lines | bare parse | cold, 1 process | of the bare parse | cold, 2 | warm | memory, MB |"
    )
    print("|---|---|---|---|---|---|---|---|")
    print("\n".join(rows))
    return 0


def install(home: Path, program: str, requirements: tuple[str, ...]) -> None:
    """An environment with a program of others, if there is none yet."""
    if not (home / "bin" / program).exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        subprocess.run(
            [home / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet", "install", *requirements], check=True
        )


def generate(folder: Path, lines: int) -> int:
    """A program of about so many lines, in chains of ten modules; how many it has."""
    count = max(lines // (MODULE.count("\n") + 3), 1)
    for number in range(count):
        last = number % 10 == 9 or number == count - 1
        link = "" if last else f"from shop.part{number + 1} import place{number + 1}\n"
        stamp = "datetime.datetime.now()" if number % 20 == 19 else "len(orders)"
        following = "0" if last else f"place{number + 1}(orders, name, depth + 1)"
        path = folder / "shop" / f"part{number}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(MODULE.format(number=number, link=link, stamp=stamp, following=following))
    heads = range(0, count, 10)
    calls = "\n".join(f"        from shop.part{one} import place{one}\n        place{one}(self.orders, name)" for one in heads)
    (folder / "shop" / "__init__.py").write_text("")
    (folder / "shop" / "app.py").write_text(
        f"class Shop:\n    def __init__(self):\n        self.orders = {{}}\n\n    def order(self, name: str):\n{calls}\n"
    )
    return sum(path.read_text().count("\n") for path in (folder / "shop").iterdir())


def library(folder: Path) -> int:
    """The modules of the running Python's library; how many lines they have."""
    files = sorted(Path(os.__file__).parent.glob("*.py"))
    (folder / "library").mkdir()
    for path in files:
        shutil.copy(path, folder / "library")
    return sum(path.read_bytes().count(b"\n") for path in files)


class Run(NamedTuple):
    """What a command cost and found. `processor`: seconds of all its processes; `memory`: the peak of the largest, in MB."""

    seconds: float
    processor: float
    memory: int
    findings: int


def measure(folder: Path, program: str, domain: str, lines: int) -> str:
    """Print one row of the first table; the row of the second."""
    command = [sys.executable, "-m", "coopy.validate", program, "--domain", domain, "--format", "github"]
    bare = run([sys.executable, "-c", BARE, program], folder)
    one = run([*command, "--jobs", "1", "--no-cache"], folder)
    two = run([*command, "--jobs", "2", "--no-cache"], folder)
    run([*command, "--jobs", "2", "--cache-dir", "cache"], folder)
    warm = run([*command, "--cache-dir", "cache"], folder)
    assert one.findings == two.findings == warm.findings, (one, two, warm)
    ruff = run(
        [HOME / "bin" / "ruff", "check", "--isolated", "--no-cache", "--select", "DTZ", "--output-format", "concise", program], folder
    )
    flake8 = run([HOME / "bin" / "flake8", "--isolated", "--select", "DTZ", "--jobs", "2", program], folder)
    (folder / "rule.yml").write_text(RULE)
    options = (
        "--config",
        "rule.yml",
        "--metrics",
        "off",
        "--disable-version-check",
        "--quiet",
        "--emacs",
        "--jobs",
        "2",
        "--no-git-ignore",
    )
    semgrep = run([SEMGREP / "bin" / "semgrep", "scan", *options, program], folder)
    speeds = [f"{one.seconds:.1f} s, {lines / one.seconds:,.0f} lines/s" for one in (one, two, warm)]
    peers = [f"{one.seconds:.1f} s, {one.findings} findings" for one in (ruff, flake8, semgrep)]
    print(f"| {program} | {lines:,} | {' | '.join(speeds)} | {one.memory} | {one.findings} | {' | '.join(peers)} |", flush=True)
    times = f"{one.processor:.1f} | {bare.processor / one.processor:.2f} | {two.processor:.1f} | {warm.processor:.2f} | {one.memory}"
    return f"| {program} | {lines:,} | {bare.processor:.1f} | {times} |"


def run(command: list[str | Path], folder: Path) -> Run:
    """Run a command to its end."""
    others = str(Path(command[0]).parent)  # a program of others may look for its parts
    environment = {**os.environ, "PATH": f"{others}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.DEVNULL)
        _, _, usage = os.wait4(child.pid, 0)
        child.returncode = 0
        seconds = time.perf_counter() - start
        output.seek(0)
        found = sum(b"DTZ" in line or b"clock-read" in line or line.startswith(b"::") for line in output.read().splitlines())
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024, found)


if __name__ == "__main__":
    sys.exit(main())
