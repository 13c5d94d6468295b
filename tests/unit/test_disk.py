"""What the real disk does about errors, links, forks and bad directories; and what the fake one forgets."""

from __future__ import annotations

import errno
import gc
import multiprocessing
import os
import random
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coopy.disk import RealDisk, after_fork_in_child, files, is_full, write_whole
from coopy.disk.fake import FakeDisk, PowerCut
from coopy.error import LockedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.disk import File

DESCRIPTORS = Path("/proc/self/fd")


# --- files -----------------------------------------------------------------------------------------------------------


def test_a_short_write_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operating system may take fewer bytes than asked: the rest follows."""
    write = os.pwrite
    file = RealDisk().create(str(tmp_path / "word"))
    monkeypatch.setattr(os, "pwrite", lambda fd, data, offset: write(fd, bytes(data)[: max(1, len(data) // 2)], offset))
    file.write(3, b"abcdefgh")
    assert file.read(0, 99) == b"\0\0\0abcdefgh"


def test_a_write_that_writes_nothing_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would otherwise be tried for ever."""
    file = RealDisk().create(str(tmp_path / "word"))
    monkeypatch.setattr(os, "pwrite", lambda *_: 0)
    with pytest.raises(OSError, match="wrote nothing"):
        file.write(0, b"ab")


def test_a_short_read_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operating system may give fewer bytes than asked: the rest is fetched, up to the end."""
    read = os.pread
    file = RealDisk().create(str(tmp_path / "word"))
    file.write(0, b"abcdefgh")
    monkeypatch.setattr(os, "pread", lambda fd, size, offset: read(fd, min(size, 3), offset))
    assert (file.read(0, 8), file.read(2, 99), file.read(0, 2)) == (b"abcdefgh", b"cdefgh", b"ab")


def test_after_a_failed_sync_nothing_of_the_file_succeeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux reports a lost write once: a second sync that succeeds would prove nothing. So there is none."""
    file = RealDisk().create(str(tmp_path / "word"))
    with monkeypatch.context() as patch:
        patch.setattr(files, "_force", _fail(errno.EIO))
        with pytest.raises(OSError, match="Input/output"):
            file.sync()
    for use in (file.sync, lambda: file.write(0, b"a"), lambda: file.truncate(0)):
        with pytest.raises(OSError, match="earlier sync of this file failed") as again:
            use()
        assert again.value.errno == errno.EIO


def test_an_interrupted_sync_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """KeyboardInterrupt is no failure of the disk."""
    file = RealDisk().create(str(tmp_path / "word"))
    with monkeypatch.context() as patch:
        patch.setattr(files, "_force", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            file.sync()
    file.sync()


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS])
def test_what_cannot_reserve_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """A file system without reserving is not an error, only slower."""
    file = RealDisk().create(str(tmp_path / "word"))
    monkeypatch.setattr(os, "posix_fallocate", _fail(number))
    assert not file.reserve(0, 4096)


def test_a_full_disk_shows_when_space_is_reserved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No room is not the same as no support."""
    file = RealDisk().create(str(tmp_path / "word"))
    monkeypatch.setattr(os, "posix_fallocate", _fail(errno.ENOSPC))
    with pytest.raises(OSError, match="No space left") as refused:
        file.reserve(0, 4096)
    assert is_full(refused.value)
    assert not is_full(OSError(errno.EIO, "x"))


def test_reserved_space_is_written_in_pieces_that_end_at_their_own_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the end of the file on, so that nothing which is there is touched."""
    file = RealDisk().create(str(tmp_path / "word"))
    file.write(0, b"x" * 1000)
    written: list[tuple[int, int]] = []

    def pwrite(_fd: int, data: bytes, offset: int) -> int:
        written.append((offset, offset + len(data)))
        return len(data)

    monkeypatch.setattr(os, "pwrite", pwrite)
    assert file.reserve(1000, 150_000)
    assert written == [(1000, 65536), (65536, 131072), (131072, 151000)]
    assert file.reserve(0, 500)
    assert len(written) == 3


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    """A link, a FIFO and a socket are refused by name, at once: a FIFO would else wait for a writer."""
    (tmp_path / "target").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as peer:
        peer.bind(os.path.relpath(tmp_path / "socket"))
    disk = RealDisk()
    for name in ("link", "dangling", "fifo", "socket"):
        for use in (disk.open, disk.open_read, disk.read):
            with pytest.raises(UsageError, match=f"{name} is not a regular file"):
                use(str(tmp_path / name))
    with pytest.raises(FileExistsError):
        disk.create(str(tmp_path / "dangling"))
    assert disk.exists(str(tmp_path / "dangling"))


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    """Files 0600, directories 0700."""
    disk = RealDisk()
    disk.make_directories(str(tmp_path / "a" / "b"))
    disk.create(str(tmp_path / "a" / "word")).close()
    disk.lock(str(tmp_path / "a")).release()
    modes = {name: (tmp_path / "a" / name).stat().st_mode & 0o777 for name in ("b", "word", "LOCK", ".")}
    assert modes == {"b": 0o700, "word": 0o600, "LOCK": 0o600, ".": 0o700}


@pytest.mark.parametrize("step", ["write", "sync", "replace"])
def test_write_whole_cleans_up_after_an_error(step: str) -> None:
    """The old content stays, no temporary file is left, and the caller hears what failed first."""
    disk = FakeDisk()
    write_whole(disk, "/", "word", b"old")
    steps = {"write": 2, "sync": 3, "replace": 4}
    disk.fail(len(disk.calls) + steps[step], errno.EIO)
    with pytest.raises(OSError, match="Input/output"):
        write_whole(disk, "/", "word", b"new")
    assert disk.entries("/") == ["word"]
    assert disk.read("/word") == b"old"


# --- directories -----------------------------------------------------------------------------------------------------


def test_a_directory_that_everyone_may_write_is_refused(tmp_path: Path) -> None:
    """Anyone could put a pickle there."""
    tmp_path.chmod(0o777)
    with pytest.raises(UsageError, match="chmod o-w"):
        RealDisk().check_directory(str(tmp_path))


def test_a_directory_of_someone_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner could put a pickle there. Root's is accepted: root can do so anywhere."""
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    owner = tmp_path.stat().st_uid
    if owner:
        with pytest.raises(UsageError, match=f"belongs to user {owner}"):
            RealDisk().check_directory(str(tmp_path))
    else:
        RealDisk().check_directory(str(tmp_path))


def test_a_directory_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said at once, not at the first action."""
    monkeypatch.setattr(os, "access", _denied := lambda *_, **__: False)
    monkeypatch.setattr(os, "supports_effective_ids", {_denied})
    with pytest.raises(UsageError, match="cannot be written"):
        RealDisk().check_directory(str(tmp_path))


@pytest.mark.parametrize(
    ("kind", "allowed"), [("ext4", True), ("xfs", True), ("fuse", True), ("nfs4", False), ("cifs", False), ("fuse.sshfs", False)]
)
def test_a_network_file_system_is_refused(tmp_path: Path, kind: str, allowed: bool) -> None:
    """Locks and syncs prove nothing there. The mount point that counts is the innermost, its name may hold blanks."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    mounts = tmp_path / "mounts"
    point = str(folder).replace(" ", "\\040")
    mounts.write_text(
        f"1 0 8:1 / / rw - nfs4 host:/ rw\n2 1 8:2 / {point} rw shared:1 - {kind} x rw\n3 1 8:3 / {tmp_path}/a rw - nfs x rw\n"
    )
    disk = RealDisk(str(mounts))
    if allowed:
        disk.check_directory(str(folder))
    else:
        with pytest.raises(UsageError, match=f"network file system \\({kind}\\)"):
            disk.check_directory(str(folder))


def test_another_system_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no flock and no directory sync, coopy does not begin."""
    monkeypatch.setattr(os, "name", "nt")
    with pytest.raises(UsageError, match="needs Linux or macOS"):
        RealDisk()


# --- the lock --------------------------------------------------------------------------------------------------------

HOLD = """
import sys
from coopy.disk import RealDisk
lock = RealDisk().lock(sys.argv[1])
lock.cells[2] = 7
print("held", flush=True)
sys.stdin.read()
"""
KEEP = """
import os, subprocess, sys
from coopy.disk import RealDisk
lock = RealDisk().lock(sys.argv[1])
kept = [int(fd) for fd in os.listdir("/proc/self/fd") if int(fd) > 2]
subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], pass_fds=[fd for fd in kept if os.path.exists(f"/proc/self/fd/{fd}")])
print("held", flush=True)
sys.stdin.read()
"""


def test_another_process_holds_the_directory(tmp_path: Path) -> None:
    """The error names the process. One that was killed holds nothing, but what it put into the cells stays."""
    with _holding(tmp_path) as child:
        with pytest.raises(LockedError, match=f"process {child.pid} on") as refused:
            RealDisk().lock(str(tmp_path))
        assert refused.value.path == str(tmp_path)
        child.kill()
        child.wait()
        lock = RealDisk().lock(str(tmp_path))
        assert lock.cells[2] == 7
        lock.release()


def test_deleting_the_lock_file_lets_nobody_in(tmp_path: Path) -> None:
    """The directory itself is locked too."""
    lock = RealDisk().lock(str(tmp_path))
    (tmp_path / "LOCK").unlink()
    with _holding(tmp_path) as child:
        child.wait()
        assert child.returncode != 0
    lock.release()


def test_a_forked_child_does_not_free_its_parents_lock(tmp_path: Path) -> None:
    """The child closes what it inherited: the parent still holds the directory, and the child's life does not prolong that."""
    lock = RealDisk().lock(str(tmp_path))
    assert _in_child(lambda: _is_refused(tmp_path))
    with pytest.raises(LockedError):
        RealDisk().lock(str(tmp_path))
    lock.release()
    assert not _in_child(lambda: _is_refused(tmp_path))


def test_a_forked_child_that_lives_on_does_not_hold_the_directory(tmp_path: Path) -> None:
    """Neither by a descriptor nor by the mapping of LOCK: once the parent lets go, anybody may have it."""
    lock = RealDisk().lock(str(tmp_path))
    waits, ends = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ends)
        os.read(waits, 1)
        os._exit(0)
    os.close(waits)
    lock.release()
    refused = _in_another_process(tmp_path)
    os.close(ends)
    os.waitpid(child, 0)
    assert not refused


def test_a_lock_that_nobody_refers_to_is_given_back(tmp_path: Path) -> None:
    """As an opening leaves it that is interrupted, and once more while it is undone."""
    lock = RealDisk().lock(str(tmp_path))
    assert _in_another_process(tmp_path)
    del lock
    gc.collect()
    assert not _in_another_process(tmp_path)
    RealDisk().lock(str(tmp_path)).release()


@pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="there is no list of the descriptors")
def test_a_lock_is_given_back_though_a_child_has_not_closed_its_copies_yet(tmp_path: Path) -> None:
    """Any other thread may fork in the moment in which the lock is given back: the next one to open is not refused for that."""
    lock = RealDisk().lock(str(tmp_path))
    inherited = [int(link.name) for link in DESCRIPTORS.iterdir() if _is_within(tmp_path, link)]
    copies = [os.dup(one) for one in inherited]
    lock.release()
    refused = _in_another_process(tmp_path)
    for one in copies:
        os.close(one)
    assert len(copies) == 3  # the directory, LOCK, and its mapping
    assert not refused


def test_what_a_killed_process_started_may_hold_its_lock_a_moment_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens the directory then waits for it, though it stand still for seconds: the process that LOCK names is no more."""
    with _holding(tmp_path, KEEP) as killed:
        killed.kill()
        killed.wait()
        pipes = killed.stdin, killed.stdout  # which the other one has, too

        left = [5.0]

        def sleep(seconds: float) -> None:
            assert pipes[0] is not None
            assert pipes[1] is not None
            left[0] -= seconds
            if left[0] < 0:
                pipes[0].close()
                pipes[1].read()

        monkeypatch.setattr("coopy.disk.lock.sleep", sleep)
        RealDisk().lock(str(tmp_path)).release()


def test_a_lock_whose_holder_lives_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is one of a process that this machine does not know."""

    def sleep(_: float) -> None:
        pytest.fail("waited")

    with _holding(tmp_path) as child:
        monkeypatch.setattr("coopy.disk.lock.sleep", sleep)
        assert _is_refused(tmp_path)
        (tmp_path / "LOCK").write_text(f"process {child.pid} on another machine, boot 1\n")
        assert _is_refused(tmp_path)
        child.kill()


def test_hooks_run_in_a_forked_child(tmp_path: Path) -> None:
    """A method given to `after_fork_in_child` runs there as long as its object lives."""

    class Living:
        forked = False

        def mark(self) -> None:
            self.forked = True

    living, dead = Living(), Living()
    after_fork_in_child(living.mark)
    after_fork_in_child(dead.mark)
    del dead
    assert _in_child(lambda: living.forked)
    assert not living.forked


# --- what the fake forgets -------------------------------------------------------------------------------------------


def found_after(disk: FakeDisk, path: str, tries: int = 60) -> set[bytes | None]:
    """What a file may hold after a power cut; None where it is not there."""
    disks = [disk.crash(random.Random(seed)) for seed in range(tries)]
    return {one.read(path) if one.exists(path) else None for one in disks}


def test_what_was_synced_stays() -> None:
    """A crash loses nothing of a synced file in a synced directory."""
    disk = FakeDisk()
    write_whole(disk, "/", "word", b"abc")
    assert found_after(disk, "/word") == {b"abc"}


def test_a_name_may_be_lost_without_a_directory_sync() -> None:
    """Syncing the file is not enough."""
    disk = FakeDisk()
    file = disk.create("/word")
    file.write(0, b"abc")
    file.sync()
    assert found_after(disk, "/word") == {None, b"abc"}


def test_a_rename_is_whole_or_not_at_all() -> None:
    """Without a directory sync the old content or the new is found."""
    disk = FakeDisk()
    write_whole(disk, "/", "word", b"old")
    disk.fail(len(disk.calls) + 5, errno.EIO)
    with pytest.raises(OSError, match="Input"):
        write_whole(disk, "/", "word", b"new")
    assert found_after(disk, "/word") == {b"old", b"new"}


def test_sectors_reach_the_disk_in_any_order() -> None:
    """Two unsynced sectors: both, either or none is found, also as an earlier write left it; and any size."""
    disk = FakeDisk()
    write_whole(disk, "/", "word", b"")
    file = disk.open("/word")
    assert file.reserve(0, 1024)
    file.sync()
    file.write(0, b"a" * 1024)
    file.write(0, b"b")
    first, second = b"a" * 512, b"b" + b"a" * 511
    halves = {(data[:512], data[512:]) for data in found_after(disk, "/word", 200) if data is not None}
    assert halves == {(one, two) for one in (bytes(512), first, second) for two in (bytes(512), first)}
    file.sync()
    assert found_after(disk, "/word") == {b"b" + b"a" * 1023}


def test_what_was_cut_off_stays_cut_off() -> None:
    """No crash shows old bytes behind a size that was cut and grew again."""
    disk = FakeDisk()
    write_whole(disk, "/", "word", b"abcdef")
    file = disk.open("/word")
    file.truncate(2)
    file.truncate(4)
    assert found_after(disk, "/word") == {b"abcdef", b"ab", b"ab\0\0"}


def in_doubt() -> tuple[FakeDisk, File]:
    """A disk that failed to sync `word`, which was "old", and "new" since; and the file that failed."""
    disk = FakeDisk()
    write_whole(disk, "/", "word", b"old")
    file = disk.open("/word")
    file.write(0, b"new")
    disk.fail(len(disk.calls) + 1, errno.EIO)
    with pytest.raises(OSError, match="Input"):
        file.sync()
    return disk, file


def test_a_failed_sync_forgets_what_it_should_have_written() -> None:
    """The file that failed stays failed; one opened anew syncs with success, and a crash may still lose the bytes."""
    disk, file = in_doubt()
    with pytest.raises(OSError, match="Input"):
        file.sync()
    again = disk.open("/word")
    again.sync()
    assert again.read(0, 3) == b"new"
    assert found_after(disk, "/word") == {b"old", b"new"}
    again.write(0, b"two")
    again.sync()
    assert found_after(disk, "/word") == {b"two"}


def test_the_death_of_a_process_loses_nothing_written() -> None:
    """`kill` gives what was written, synced or not, and a later power cut may still lose that."""
    disk = FakeDisk()
    file = disk.create("/word")
    file.write(0, b"abc")
    killed = disk.kill()
    assert killed.read("/word") == b"abc"
    assert found_after(killed, "/word") == {None, b"", b"\0\0\0", b"abc"}


def test_the_death_of_a_process_settles_nothing() -> None:
    """What a failed sync left in doubt stays so on the disk that is found; what a lock's cells hold is there. Neither disk hears of the other any more."""
    disk, _ = in_doubt()
    disk.lock("/").cells[0] = 7
    killed = disk.kill()
    assert killed.lock("/").cells[0] == 7
    assert found_after(killed, "/word") == {b"old", b"new"}
    again = killed.open("/word")
    again.write(0, b"two")
    again.sync()
    assert found_after(killed, "/word") == {b"two"}
    assert found_after(disk, "/word") == {b"old", b"new"}


def test_a_power_cut_ends_every_call() -> None:
    """From the call on that it strikes, nothing works; only `crash` and `kill` do."""
    disk = FakeDisk()
    disk.crash_at(2)
    file = disk.create("/word")
    with pytest.raises(PowerCut):
        file.write(0, b"abc")
    for use in (file.sync, lambda: disk.entries("/"), lambda: disk.create("/x")):
        with pytest.raises(PowerCut):
            use()
    assert disk.calls == ["create /word", "write /word 0+3"]
    assert b"abc".startswith(disk.kill().read("/word"))


def test_a_full_fake_disk_takes_what_fits() -> None:
    """A write beyond the capacity is partly done; overwriting needs no room; what is removed gives it back."""
    disk = FakeDisk(capacity=10)
    file = disk.create("/word")
    with pytest.raises(OSError, match="No space left"):
        file.write(0, b"a" * 12)
    assert file.size() == 10
    file.write(0, b"b" * 10)
    other = disk.create("/other")
    with pytest.raises(OSError, match="No space left"):
        other.reserve(0, 1)
    disk.unlink("/word")
    assert other.reserve(0, 10)


# --- verbs -----------------------------------------------------------------------------------------------------------


def _fail(number: int) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def _interrupt(_: int) -> None:
    raise KeyboardInterrupt


def _holding(directory: Path, code: str = HOLD) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(directory)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert child.stdout is not None
    child.stdout.readline()
    return child


def _is_refused(directory: Path) -> bool:
    try:
        RealDisk().lock(str(directory)).release()
    except LockedError:
        return True
    return False


def _in_another_process(directory: Path) -> bool:
    """Whether a process that inherited nothing is refused."""
    code = "import sys; from coopy.disk import RealDisk; RealDisk().lock(sys.argv[1]).release()"
    return subprocess.run([sys.executable, "-c", code, str(directory)], capture_output=True, check=False).returncode != 0


def _is_within(folder: Path, link: Path) -> bool:
    """Whether that descriptor is of the folder or of a file in it."""
    try:
        return link.readlink().is_relative_to(folder)
    except OSError:
        return False  # the one that listed them


def _in_child(question: Callable[[], bool]) -> bool:
    """What a forked child answers."""
    child = multiprocessing.get_context("fork").Process(target=lambda: sys.exit(10 if question() else 0))
    child.start()
    child.join()
    assert child.exitcode in {0, 10}
    return child.exitcode == 10


@pytest.mark.parametrize("synced", ["", "/d", "/d/below"])
def test_a_file_that_moved_to_another_directory_is_in_one_of_both_after_a_crash(synced: str) -> None:
    """Certainly in the second once either was synced: a rename is one change."""
    disk = FakeDisk()
    disk.make_directories("/d/below")
    write_whole(disk, "/d", "a", b"a")
    disk.replace("/d/a", "/d/below/a")
    if synced:
        disk.sync_directory(synced)
    seen = set()
    for seed in range(60):
        found = disk.crash(random.Random(seed))
        seen.add(tuple(path for path in ("/d/a", "/d/below/a") if found.exists(path)))
    assert seen == ({("/d/below/a",)} if synced else {("/d/a",), ("/d/below/a",)})
