"""What coopy's mypy plugin costs, and that it says nothing about code that does not use coopy. Not part of the suite.

    python tests/benchmarks/typing_cost.py [ROUNDS]      three typed packages, and the typing cases, which are nothing but coopy

Each is checked with the plugin and without it in turn, cold and over a warm cache; the middle one of the rounds' ratios is shown. For the
packages the output must be the same.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / "build" / "typing"
PACKAGES = ("rich==14.1.0", "starlette==0.48.0", "httpx==0.28.1")
BESIDE = ("markdown-it-py", "pygments", "anyio", "certifi", "httpcore", "idna", "sniffio", "h11")
LABELLED = ROOT / "tests" / "typing" / "labelled" / "cases"


def main() -> int:
    """Measure each; 1 if the plugin changed what mypy says of a package."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    packages = HOME / "packages"
    options = ("--disable-pip-version-check", "--quiet", "--no-deps", "--upgrade", "--target", str(packages))
    subprocess.run([sys.executable, "-m", "pip", "install", *options, *PACKAGES, *BESIDE], check=True)
    print("| code | lines | plain, s | with the plugin | warm | output |\n|---|---:|---:|---:|---:|---|")
    same = [measure(one.partition("=")[0], packages / one.partition("=")[0], packages, rounds) for one in PACKAGES]
    measure("the typing cases", LABELLED, LABELLED, rounds)
    return int(not all(same))


def measure(name: str, folder: Path, path: Path, rounds: int) -> bool:
    """One row of the table."""
    cold, warm, plain = [], [], []
    outputs: dict[bool, str] = {}
    for number in range(rounds):
        seconds: dict[tuple[bool, str], float] = {}
        for plugin in (False, True) if number % 2 else (True, False):
            cache = HOME / f"cache-{plugin}"
            shutil.rmtree(cache, ignore_errors=True)
            seconds[plugin, "cold"], outputs[plugin] = check(folder, path, cache, plugin=plugin)
            seconds[plugin, "warm"], _ = check(folder, path, cache, plugin=plugin)
        cold.append(seconds[True, "cold"] / seconds[False, "cold"])
        warm.append(seconds[True, "warm"] / seconds[False, "warm"])
        plain.append(seconds[False, "cold"])
    same = outputs[True] == outputs[False]
    lines = sum(one.read_bytes().count(b"\n") for one in folder.rglob("*.py"))
    times = f"{statistics.median(plain):.2f} | {statistics.median(cold) - 1:+.0%} | {statistics.median(warm) - 1:+.0%}"
    print(f"| {name} | {lines:,} | {times} | {'the same' if same else 'differs'} |", flush=True)
    return same


def check(folder: Path, path: Path, cache: Path, *, plugin: bool) -> tuple[float, str]:
    """Seconds of processor time, which other work on the machine changes least, and what mypy printed."""
    config = HOME / f"mypy-{plugin}.ini"
    plugins = "plugins = coopy.mypy_plugin\n" if plugin else ""
    config.write_text(f"[mypy]\nstrict = True\nexplicit_package_bases = True\nmypy_path = {path}\ncache_dir = {cache}\n{plugins}")
    before = os.times()
    # Without the plugin, some versions of mypy do not survive a file that disables a code of it.
    command = [sys.executable, "-m", "mypy", "--config-file", str(config), "--exclude", "set_disabled", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=HOME, check=False)
    after = os.times()
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return after.children_user + after.children_system - before.children_user - before.children_system, done.stdout


if __name__ == "__main__":
    sys.exit(main())
