"""The one door to the operating system: files, directories, the lock of a data directory, a copy of this process; and what differs between systems.

    door     the protocols that the other rooms speak: Disk, File, Window, Lock, Child
    real     RealDisk: the operating system; files and lock are its parts
    fake     FakeDisk: one in memory that forgets what was not synced, for tests; its platters are a part of it

It knows errors and the standard library, nothing of journals.
"""

from coopy.disk.door import CELLS, Child, Disk, File, Lock, UnreadableError, Window, is_full, is_refused, write_whole
from coopy.disk.lock import after_fork_in_child, held_by
from coopy.disk.real import RealDisk

__all__ = [
    "CELLS",
    "Child",
    "Disk",
    "File",
    "Lock",
    "RealDisk",
    "UnreadableError",
    "Window",
    "after_fork_in_child",
    "held_by",
    "is_full",
    "is_refused",
    "write_whole",
]
