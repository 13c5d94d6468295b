"""How many branches the tests reach, of the whole and of each room; exit status 1 where that is less than was promised.

    python -m tests.branches FILE 90      FILE: what `coverage json` wrote

coverage.py's own limit is of lines and branches together, and lines are the easier half.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

__all__ = ["main", "shares"]


def shares(files: dict[str, dict[str, dict[str, int]]]) -> dict[str, float]:
    """By room, the share of branches reached, in per cent; "all" is the last."""
    there, reached = Counter[str](), Counter[str]()
    for name, about in sorted(files.items()):
        room = Path(name).parts[1] if len(Path(name).parts) > 2 else "coopy"
        for one in (room, "all"):
            there[one] += about["summary"]["num_branches"]
            reached[one] += about["summary"]["covered_branches"]
    rooms = sorted(there, key=lambda room: (room == "all", room))
    return {room: 100 * reached[room] / there[room] for room in rooms if there[room]}


def main(file: str, least: str) -> int:
    """The table, and whether it is enough."""
    found = shares(json.loads(Path(file).read_text())["files"])
    print(*(f"{room:14} {share:5.1f} %" for room, share in found.items()), sep="\n")
    if found["all"] < float(least):
        print(f"Fewer than {least} % of the branches are reached.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
