"""In a fresh process: the snapshot that helper.py asks for.

restored    from the snapshot before, by the journal up to the LSN, compared with what is recorded of outcomes and digests
written     dumped, synced, read back, under the temporary name; whoever asked for it puts it in place
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from coopy.digest import digest
from coopy.engine.drafts import Plan, incomplete
from coopy.engine.opening import read_archive
from coopy.engine.reading import ReadingRestorer
from coopy.engine.restore import Bounds
from coopy.engine.restored import former_until
from coopy.engine.uninterrupted import Worker
from coopy.error import DivergenceError, UsageError
from coopy.fingerprint import fingerprint
from coopy.forked import go_first
from coopy.fresh import unpack
from coopy.wiring.helper import Task
from coopy.wiring.opening import adopt

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.codec import Codec
    from coopy.engine.archive import Archive
    from coopy.engine.execute import Executor

__all__ = ["write_there"]


def write_there(task: bytes, _tell: Callable[[bytes], object]) -> None:
    """Do a task."""
    gc.disable()  # the process ends with its work
    go_first()
    work = unpack(task, Task)
    archive, codec = read_archive(work.subject.place), work.subject.codec
    if archive is None:
        raise UsageError(f"{work.subject.directory} holds no system any more.", path=work.subject.directory)
    plan = Plan(archive, codec, work.about, work.temporary)
    try:
        plan.dump(_restored(archive, codec, work), _nothing)()
    except (OSError, MemoryError) as error:
        raise incomplete(archive, work.about.lsn, error) from error


def _restored(archive: Archive, codec: Codec, work: Task) -> Executor:
    """The domain object, in its executor, as the journal says that it is."""
    kind, last = codec.classes.find_any(*work.subject.domain.split(":")), work.about.lsn
    restorer = ReadingRestorer(archive, codec, lambda root, moment: adopt(root, kind, moment), work.on_divergence)
    archive.source = fingerprint(kind, codec.classes.passes)
    recorded = _recorded(archive, last)
    restorer.visit = lambda lsn, root: _compare(lsn, recorded[lsn], root, former_until(archive, codec.classes))
    Worker().run(lambda: restorer.restore(Bounds(last, marks=tuple(sorted(recorded)))))
    assert restorer.executor is not None
    return restorer.executor


def _recorded(archive: Archive, last: int) -> dict[int, str]:
    """The digests that the journal holds, behind the snapshot that the replay begins with."""
    base = max(lsn for lsn in archive.manifest.snapshots if lsn <= last)
    return {lsn: one for lsn, one in archive.digests(archive.from_snapshot(base)).items() if base < lsn <= last}


def _compare(lsn: int, recorded: str, root: object, former: int) -> None:
    here = digest(root)
    if here != recorded and lsn > former:
        what = f"A replay up to LSN {lsn} gives another state than the one whose digest was recorded there. No file was changed."
        raise DivergenceError(
            f"{what} `control(x).verify()` finds the action.", lsn=lsn, method="", expected=f"give {recorded}", got=f"gave {here}"
        )


def _nothing() -> None:
    """Nobody watches it: it is ended with the process that wants it."""
