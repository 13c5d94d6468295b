"""The segment that is written: bytes at an offset, room reserved ahead of them, stable storage, and what a full or a failing disk means.

    put       bytes behind the end, through a mapping of the file where there is one
    force     what was put to stable storage
    reserve   room behind the end: whole steps of it, or what one record needs where the disk has no more

A call that finds no room is refused, its bytes are cut off again, and the next one may find some. After any other error, and after any of a
sync, nobody knows what the disk holds: the segment has failed, for good, and what it holds is read anew by who opens the directory.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from coopy import header
from coopy.disk import is_full, is_refused
from coopy.error import DiskFullError, DurabilityError
from coopy.measured import Stopwatch, Trouble, perf_counter
from coopy.signalled import from_signal

if TYPE_CHECKING:
    from coopy.disk import File, Window

__all__ = ["OpenSegment"]

STEPS = 256 << 10, 4 << 20  # bytes reserved at a time: as many as there are, but so many at least and at most
PIECE, MAPPED_PIECE = 4 << 10, 64 << 10  # written at a time: small where a sync writes little, large where pages are stored to


class OpenSegment:
    """`end`: where the records end; `capacity`: up to where room is reserved; `dirty`: up to where a write that was interrupted may have come, or 0.

    Where `end` has reached `limit`, rotate before the next append. What ends before `room` and finds nothing `dirty` may be stored in the
    window at once. `syncs`: how long they took; `trouble`: the last write or sync that failed, or was refused; `failure`: why it takes no more.
    """

    __slots__ = (
        "_directory",
        "_released",
        "_sync_guard",
        "capacity",
        "dirty",
        "end",
        "failure",
        "file",
        "limit",
        "mapped",
        "room",
        "segment_bytes",
        "syncs",
        "trouble",
        "window",
    )  # fmt: skip

    def __init__(self, directory: str, file: File) -> None:
        self._directory, self.file = directory, file
        self.end, self.capacity, self.dirty = file.size(), file.size(), 0
        self.segment_bytes, self.limit, self.mapped = 64 << 20, 64 << 20, False
        self.window: Window | None = None
        self.room = 0
        self.failure: DurabilityError | None = None
        self.trouble: Trouble | None = None
        self.syncs = Stopwatch()
        self._sync_guard = threading.Lock()
        self._released = False

    # --- bytes -------------------------------------------------------------------------------------------------------

    def _put(self, offset: int, data: bytes) -> None:
        """As File.publish."""
        window = self.window
        if window is not None:
            window[offset + 1 : offset + len(data)] = data[1:]
            window[offset] = data[0]
            return
        try:
            self.file.publish(offset, data)
        except OSError as error:  # what lies behind is new: it is cut off again where there is no room for all of it
            if from_signal(error):
                raise
            self._withdraw(offset, error)
            raise self._disk_full(len(data), error) from error

    def _clear(self) -> None:
        """Zero what an interrupt left beyond the end. Synced: else a crash could leave parts of it within the record that comes there."""
        self._put(self.end, bytes(self.dirty - self.end))
        self._force(self.file)
        self.dirty = 0

    # --- stable storage ----------------------------------------------------------------------------------------------

    def sync_beside(self, file: File) -> bool:
        """Sync while others append: `file` is what `self.file` was under the guard. False if it was sealed or closed since, so synced already."""
        with self._sync_guard:
            if file is not self.file or self._released:
                return False
            self._force(file)
            return True

    def _force(self, file: File) -> None:
        begun = perf_counter()
        try:
            file.sync()
        except OSError as error:  # also for want of room: a second sync that succeeds would prove nothing
            if from_signal(error):
                raise
            raise self._failed(error) from error
        self.syncs.add(perf_counter() - begun)

    # --- room --------------------------------------------------------------------------------------------------------

    def _reserve(self, size: int) -> None:
        missing = self.end + size - self.capacity
        if missing <= 0:
            return
        least, most = STEPS
        step = min(max(self.capacity, least), most, self.segment_bytes)
        reserved = self._ask_for(max(step, missing), missing)
        self._close_window()
        self.capacity += reserved or missing
        if reserved and self.mapped:
            self.window = self.file.window(self.capacity)
        self.room = self._room()

    def _ask_for(self, step: int, missing: int) -> int:
        """The bytes reserved behind the present capacity: a whole step, or what is missing where a step is too much; 0 where nothing can be."""
        try:
            return step if self.file.reserve(self.capacity, step, MAPPED_PIECE if self.mapped else PIECE) else 0
        except OSError as error:
            if from_signal(error):
                raise
            if not is_full(error) or step == missing:
                self._withdraw(self.end, error)
                raise self._disk_full(missing, error) from error
        return self._ask_for(missing, missing)

    def _room(self) -> int:
        return 0 if self.window is None else min(self.capacity, self.limit)

    def _close_window(self) -> None:
        self.room = 0
        window, self.window = self.window, None
        if window is not None:
            window.close()

    def _withdraw(self, offset: int, error: OSError) -> None:
        """Cut off what a refused write may have left. Where even that fails, or it was not for want of room, the disk has failed."""
        if not is_full(error):
            raise self._failed(error) from error
        try:
            self._close_window()
            self.file.truncate(offset)
        except OSError as second:
            if from_signal(second):
                raise
            raise self._failed(second) from second
        self._force(self.file)
        self.capacity, self.dirty = offset, 0

    # --- a full or a failing disk ------------------------------------------------------------------------------------

    def not_made(self, error: OSError) -> DiskFullError | DurabilityError:
        """The next segment: where no file can be made, those that are there go on."""
        if is_full(error) or not is_refused(error):
            return self._disk_full(header.SECTOR, error)
        what = f"The next segment could not be made in {self._directory}: {error.strerror}. The call was refused, nothing changed."
        return self._refused(DiskFullError(f"{what} Make that possible and call again.", path=self._directory, needed=header.SECTOR))

    def _disk_full(self, needed: int, error: OSError) -> DiskFullError | DurabilityError:
        if not is_full(error):
            return self._failed(error)
        what = f"There is no room for {needed:,} bytes in {self._directory}: {error.strerror}. The call was refused, nothing changed."
        return self._refused(DiskFullError(f"{what} Make room and call again.", path=self.file.path, needed=needed))

    def _refused(self, error: DiskFullError) -> DiskFullError:
        self.trouble = Trouble.now(error)
        return error

    def _failed(self, error: OSError) -> DurabilityError:
        what = f"Writing {self.file.path} failed: {error}. Whether the last calls are on disk is unknown, so the system takes no more."
        self.failure = DurabilityError(f"{what} Check the disk, then open the directory again.", path=self.file.path)
        self.trouble = Trouble.now(self.failure)
        return self.failure
