"""What every Disk does, the real one, the one of tests and the fake alike: each test runs on all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coopy.disk import RealDisk, write_whole
from coopy.disk.fake import FakeDisk
from coopy.error import LockedError, UsageError
from coopy.testing.unsynced import UnsyncedDisk

if TYPE_CHECKING:
    from pathlib import Path

    from coopy.disk import Disk, File


class Place:
    """A disk and a directory on it."""

    def __init__(self, disk: Disk, directory: str) -> None:
        self.disk, self.directory = disk, directory

    def path(self, name: str) -> str:
        return f"{self.directory}/{name}"

    def make(self, name: str, content: bytes) -> File:
        file = self.disk.create(self.path(name))
        file.write(0, content)
        return file


@pytest.fixture(params=["real", "unsynced", "fake"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param != "fake":
        return Place(RealDisk() if request.param == "real" else UnsyncedDisk(), str(tmp_path))
    disk = FakeDisk()
    disk.make_directories("/data")
    return Place(disk, "/data")


def test_a_file_gives_back_what_was_written(place: Place) -> None:
    """Writes go where they are told, a read beyond the end gives what there is, a gap reads as zeros."""
    file = place.make("word", b"abc")
    file.write(5, memoryview(b"fg"))
    file.write(1, b"B")
    assert (file.read(0, 100), file.read(1, 2), file.read(7, 1), file.size()) == (b"aBc\0\0fg", b"Bc", b"", 7)
    assert place.disk.read(place.path("word")) == b"aBc\0\0fg"


def test_a_synced_file_can_be_opened_again(place: Place) -> None:
    """`open` reads and writes what `create` made; `close` may be repeated."""
    file = place.make("word", b"ab")
    file.sync()
    file.close()
    file.close()
    again = place.disk.open(place.path("word"))
    again.write(2, b"c")
    assert again.read(0, 9) == b"abc"
    assert again.path == place.path("word")


def test_a_closed_file_is_closed(place: Place) -> None:
    """Nothing can be written to or read from a closed file."""
    file = place.make("word", b"ab")
    file.close()
    for use in (lambda: file.write(0, b"x"), lambda: file.read(0, 1), file.sync, lambda: file.truncate(0)):
        with pytest.raises(OSError, match="Bad file descriptor"):
            use()


def test_create_never_takes_what_is_there(place: Place) -> None:
    """A second `create` of one name fails, and leaves the first as it was."""
    place.make("word", b"ab").close()
    with pytest.raises(FileExistsError):
        place.disk.create(place.path("word"))
    assert place.disk.read(place.path("word")) == b"ab"


def test_a_missing_file_is_missing(place: Place) -> None:
    """Opening, reading, renaming and removing what is not there fails."""
    missing, disk = place.path("missing"), place.disk
    for use in (disk.open, disk.open_read, disk.read, disk.unlink, lambda path: disk.replace(path, place.path("x"))):
        with pytest.raises(FileNotFoundError):
            use(missing)
    assert not disk.exists(missing)


def test_what_is_opened_for_reading_cannot_be_written(place: Place) -> None:
    """`open_read` gives a file that only reads."""
    place.make("word", b"ab").close()
    file = place.disk.open_read(place.path("word"))
    assert file.read(0, 2) == b"ab"
    with pytest.raises(OSError, match="Bad file descriptor"):
        file.write(0, b"x")
    file.close()


def test_a_directory_is_not_a_file(place: Place) -> None:
    """Only regular files are opened; the error names what else is there."""
    place.disk.make_directories(place.path("folder"))
    for use in (place.disk.open, place.disk.open_read, place.disk.read):
        with pytest.raises(UsageError, match="folder is not a regular file"):
            use(place.path("folder"))


def test_reserved_space_is_zeros_behind_the_end(place: Place) -> None:
    """`reserve` makes the file longer and changes nothing that is in it; space is given back by `truncate`."""
    file = place.make("word", b"abc")
    assert file.reserve(3, 4096)
    assert (file.size(), file.read(0, 5), file.read(4090, 100)) == (4099, b"abc\0\0", bytes(9))
    assert file.reserve(0, 10)
    assert file.size() == 4099
    file.truncate(2)
    assert (file.size(), file.read(0, 9)) == (2, b"ab")
    file.truncate(3)
    assert file.read(0, 9) == b"ab\0"


def test_what_is_stored_in_a_window_is_written(place: Place) -> None:
    """A window and the file are one: each sees what the other wrote; nothing can be stored after it is closed."""
    file = place.make("word", b"abcdef")
    window = file.window(6)
    assert window is not None
    window[1:3] = b"BC"
    window[0] = ord("A")
    file.write(5, b"F")
    assert file.read(0, 9) == b"ABCdeF"
    with pytest.raises((IndexError, ValueError)):
        window[4:8] = b"xxxx"
    window.close()
    file.sync()
    with pytest.raises(ValueError, match="closed"):
        window[0] = 1


def test_a_window_is_never_larger_than_its_file(place: Place) -> None:
    """None, rather than memory whose use would kill the process."""
    file = place.make("word", b"ab")
    assert file.window(3) is None
    assert file.window(0) is None


def test_a_directory_lists_its_names(place: Place) -> None:
    """`entries` are sorted; `replace` takes the place of what was there; `unlink` removes."""
    for name in ("b", "a", "c"):
        place.make(name, name.encode()).close()
    place.disk.replace(place.path("a"), place.path("c"))
    place.disk.unlink(place.path("b"))
    place.disk.sync_directory(place.directory)
    assert place.disk.entries(place.directory) == ["c"]
    assert place.disk.read(place.path("c")) == b"a"


def test_a_file_moves_to_another_directory(place: Place) -> None:
    """In place of what has its name there."""
    place.disk.make_directories(place.path("below"))
    place.make("word", b"ab").close()
    place.make("below/word", b"xy").close()
    place.disk.replace(place.path("word"), place.path("below/word"))
    assert "word" not in place.disk.entries(place.directory)
    assert place.disk.read(place.path("below/word")) == b"ab"


def test_an_open_file_outlives_its_name(place: Place) -> None:
    """Who has a file open goes on with it when its name is removed or given to another."""
    file = place.make("word", b"ab")
    place.make("other", b"xy").close()
    place.disk.replace(place.path("other"), place.path("word"))
    file.write(2, b"c")
    assert file.read(0, 9) == b"abc"
    assert place.disk.read(place.path("word")) == b"xy"


def test_directories_are_made_with_all_above_them(place: Place) -> None:
    """Making one that is there changes nothing; one below a file cannot be made."""
    deep = place.path("a/b/c")
    place.disk.make_directories(deep)
    place.disk.make_directories(deep)
    assert place.disk.entries(place.path("a/b")) == ["c"]
    place.make("word", b"").close()
    with pytest.raises(OSError, match=r"Not a directory|File exists"):
        place.disk.make_directories(place.path("word/x"))


def test_one_holds_a_directory_at_a_time(place: Place) -> None:
    """A second lock is refused, whatever the path is spelled like, until the first is released, which may be repeated."""
    lock = place.disk.lock(place.directory)
    with pytest.raises(LockedError, match="open for writing by") as refused:
        place.disk.lock(place.directory + "/.")
    assert refused.value.holder
    lock.release()
    lock.release()
    place.disk.lock(place.directory).release()


def test_the_cells_of_a_lock_stay(place: Place) -> None:
    """Eight numbers, zero at first, are found again by the next holder."""
    lock = place.disk.lock(place.directory)
    assert list(lock.cells) == [0] * 8
    lock.cells[0], lock.cells[7] = 3, 2**64 - 1
    lock.release()
    again = place.disk.lock(place.directory)
    assert list(again.cells) == [3, 0, 0, 0, 0, 0, 0, 2**64 - 1]
    again.release()
    with pytest.raises(ValueError, match="released"):
        again.cells[0] = 1


def test_a_file_cannot_hold_a_system(place: Place) -> None:
    """`check_directory` accepts a directory of ours and refuses a file."""
    place.disk.check_directory(place.directory)
    place.make("word", b"").close()
    with pytest.raises(UsageError, match="it is a file"):
        place.disk.check_directory(place.path("word"))


def test_write_whole_leaves_no_traces(place: Place) -> None:
    """A file is created, then replaced; what an earlier attempt left is gone."""
    place.make("word.tmp", b"left over").close()
    write_whole(place.disk, place.directory, "word", b"one")
    write_whole(place.disk, place.directory, "word", b"two")
    assert place.disk.entries(place.directory) == ["word"]
    assert place.disk.read(place.path("word")) == b"two"
