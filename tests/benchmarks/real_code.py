"""The validator on programs that nobody here wrote: whether it comes to an end, sees every file, and what it finds. Not part of the suite.

    python tests/benchmarks/real_code.py [NAME ...]      a table on standard output, the findings as JSON in build/real-code/

Seconds are those of processors, of all processes together: what else the machine does counts little. The packages are installed, without
what they depend on, into a folder of their own, and are only read there, never imported.
"""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / "build" / "real-code"
PROJECTS = (  # requirement, folder, a class of it taken for a domain
    ("schedule==1.2.2", "schedule", "schedule:Scheduler"),
    ("tinydb==4.9.0", "tinydb", "tinydb.database:TinyDB"),
    ("transitions==0.9.3", "transitions", "transitions.core:Machine"),
    ("huey==3.5.4", "huey", "huey.api:Huey"),
    ("icalendar==7.3.2", "icalendar", "icalendar.cal.calendar:Calendar"),
    ("networkx==3.6.1", "networkx", "networkx.classes.graph:Graph"),
    ("Faker==40.63.0", "faker", "faker.providers.date_time:Provider"),
    ("sympy==1.14.0", "sympy", "sympy.combinatorics.perm_groups:PermutationGroup"),
)
PATIENCE = 1800  # seconds


def main() -> int:
    """Measure each; 1 if one crashed or left a file out without naming it."""
    wanted = sys.argv[1:] or [folder for _, folder, _ in PROJECTS]
    chosen = [one for one in PROJECTS if one[1] in wanted]
    packages = HOME / "packages"
    options = ("--disable-pip-version-check", "--quiet", "--no-deps", "--upgrade", "--target", str(packages))
    subprocess.run([sys.executable, "-m", "pip", "install", *options, *(requirement for requirement, _, _ in chosen)], check=True)
    print("| project | domain | files | lines | cold, CPU s | warm, CPU s | findings |\n|---|---|---|---|---|---|---|")
    whole = [measure(*one, packages) for one in chosen]
    return int(not all(whole))


def measure(requirement: str, folder: str, domain: str, packages: Path) -> bool:
    """One row of the table."""
    cache = str(HOME / f"cache-{time.time_ns()}")
    cold, comments, report = validate(packages, folder, domain, "--cache-dir", cache)
    warm, _, again = validate(packages, folder, domain, "--cache-dir", cache)
    if not report or report != again:
        print(f"| {requirement} | {domain} | did not come to an end: {comments.strip().rpartition(chr(10))[2]} |", flush=True)
        return False
    (HOME / f"{folder}.json").write_text(report)
    data = json.loads(report)
    files = [path for path in (packages / folder).rglob("*.py") if "__pycache__" not in path.parts]
    lines = sum(path.read_bytes().count(b"\n") for path in files)
    counts = Counter(one["category"] for one in data["findings"])
    words = ", ".join(f"{count} {name}" for name, count in counts.most_common(5)) + (", ..." if len(counts) > 5 else "")
    print(
        f"| {requirement} | `{domain}` | {len(files)} | {lines:,} | {cold:.1f} | {warm:.1f} | {sum(counts.values())}: {words} |", flush=True
    )
    seen = re.search(r"(\d+) files", comments)
    return seen is None or int(seen[1]) == len(files)


def validate(packages: Path, folder: str, domain: str, *more: str) -> tuple[float, str, str]:
    """Seconds of processors, comments, and the report; an empty one after a crash or when patience ends."""
    command = [sys.executable, "-m", "coopy.validate", folder, "--domain", domain, "--format", "json", *more]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        done = subprocess.run(command, cwd=packages, capture_output=True, text=True, check=False, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return PATIENCE, f"stopped after {PATIENCE} s", ""
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, done.stderr, done.stdout if done.returncode in (0, 1, 2) and done.stdout else ""


if __name__ == "__main__":
    sys.exit(main())
