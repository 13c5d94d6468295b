"""A snapshot that a fresh process writes, from what is sealed of the journal: whether that is possible, and how it begins.

What it does there is in written.py. It takes nothing from the running system but the time of another processor, at any size, and proves
the replay on the way. What must never happen here: that a script is run again, or that source which this process has not loaded decides
what a state is.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from coopy.forked import began
from coopy.fresh import Fresh, Surroundings, pack
from coopy.snapshot import SnapshotHeader
from coopy.wiring.subject import Subject

if TYPE_CHECKING:
    from types import ModuleType

    from coopy.engine.drafts import Plan
    from coopy.engine.system import Settings
    from coopy.renames import Names

__all__ = ["Helper", "Task"]

NICENESS = 5
LOADED = time.time()  # coopy's own modules are loaded before those of a domain, or with them


class Task(msgspec.Struct, frozen=True):
    """What it takes to read the directory there, and what is to be written."""

    subject: Subject
    on_divergence: str
    about: SnapshotHeader
    temporary: str


class Helper:
    """As engine.drafts.Helper, for one system. `packages`: its own; `names`: as for its Codec."""

    def __init__(self, packages: tuple[str, ...], names: Names, settings: Settings) -> None:
        self._packages, self._names, self._allow, self._on_divergence = packages, names, settings.allow, settings.on_divergence

    def why_not(self) -> str:
        """Why a fresh process could not stand for this one; empty if it can."""
        packages = {*self._packages, *(name.partition(":")[0].partition(".")[0] for name in self._allow)}
        if "__main__" in packages:
            return "its class is of the script that runs, which would have to be run again"
        if not sys.executable:
            return "this Python does not know its own executable"
        beginning = min(LOADED, began())
        modules = [(name, module) for name, module in list(sys.modules.items()) if name.partition(".")[0] in packages]
        changed = [name for name, module in modules if not _is_older(module, beginning)]
        return f"the source of {min(changed)} may have changed since it was loaded" if changed else ""

    def start(self, plan: Plan) -> Fresh:
        """Begin it: it ends without an error once the snapshot is whole, synced and read back under its temporary name."""
        archive = plan.archive
        subject = Subject(archive.directory, archive.domain, archive.key, self._allow, self._names)
        task = Task(subject, self._on_divergence, plan.about, plan.temporary)
        return Fresh("coopy.wiring.written:write_there", pack(task), Surroundings(nice=NICENESS))


def _is_older(module: ModuleType, moment: float) -> bool:
    """Whether nobody touched its source since then, by the change time, which no tool sets back. A package without a file has no source."""
    path = getattr(module, "__file__", None)
    if path is None:
        return hasattr(module, "__path__")
    try:
        about = Path(path).stat()
    except OSError:
        return False
    return max(about.st_ctime, about.st_mtime) < moment
