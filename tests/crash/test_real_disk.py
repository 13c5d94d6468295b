"""The operating system itself, where the fake disk stands elsewhere: full, limited, forbidden, gone; and how a process ends.

What needs root is skipped without it. Each play that ends a process or limits it runs in a child: `python -m tests.crash.test_real_disk play directory durability`.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coopy import control, init_system, rehearse
from coopy.error import ClosedError, CoopyError, DiskFullError, DurabilityError, UsageError
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOBODY = 65534
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
needs_root = pytest.mark.skipif(not ROOT, reason="only root may mount a file system or become another user")
both = pytest.mark.parametrize("durability", ["sync", "buffered"])


def opened(directory: Path, durability: Any = "sync", segment_bytes: int = 8192) -> Any:
    return init_system(Word, directory, durability=durability, segment_bytes=segment_bytes)


def kept_in(directory: Path) -> list[Any]:
    with control(opened(directory)) as word:
        return list(word.kept)


def fill(word: Any, size: int) -> list[bytes]:
    """Call until one is refused for want of room; gives what was acknowledged. The refused call changed nothing."""
    done, refused = [*word.kept], None
    while refused is None:
        one = len(done).to_bytes(4, "big") + bytes([1 + len(done) % 255]) * size
        try:
            word.keep(one)
            done.append(one)
        except DiskFullError as error:
            refused = error
        assert len(done) < 10_000, "it never got full"
    assert "Make room" in str(refused)
    assert word.kept == done
    return done


# --- full ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def small_disk(kilobytes: int) -> Iterator[Path]:
    """A file system of this size; gone afterwards whatever happens."""
    point = Path(tempfile.mkdtemp(prefix="coopy-small-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=700", "tmpfs", str(point)], check=True)
    try:
        yield point
    finally:
        subprocess.run(["umount", "-l", str(point)], check=True)
        point.rmdir()


@needs_root
@both
@pytest.mark.parametrize("kilobytes", [64, 96, 160, 256, 512])
def test_a_full_disk_refuses_calls_and_goes_on_when_there_is_room(kilobytes: int, durability: str) -> None:
    """Each acknowledged call is there after the next start, each refused one is not; a refused snapshot costs nothing either."""
    with small_disk(kilobytes) as disk:
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(24 * 1024))
        word = opened(disk / "w", durability)
        done = fill(word, size=kilobytes % 7 * 100 + 50)
        fill(word, size=20)  # what is smaller may still fit, until that does not either
        done = list(word.kept)
        with contextlib.suppress(DiskFullError):  # where it finds room after all it is as good
            control(word).take_snapshot()
        ballast.unlink()
        assert word.keep("more") == len(done) + 1
        control(word).close()
        assert kept_in(disk / "w") == [*done, "more"]


@needs_root
@both
def test_a_system_closes_on_a_full_disk(durability: str) -> None:
    """With a warning: the next start finds every call."""
    with small_disk(256) as disk:
        play("close_when_full", disk / "w", durability)
        (disk / "ballast").unlink()
        assert kept_in(disk / "w") == list(range(20))


def play_close_when_full(directory: Path, durability: str) -> None:
    word = opened(directory, durability)
    for number in range(20):
        word.keep(number)
    with contextlib.suppress(OSError), (directory.parent / "ballast").open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(512))
    control(word).close()


@needs_root
def test_a_system_is_not_begun_on_a_full_disk() -> None:
    """The error says that room is wanted, as that of a call does; with room it begins."""
    with small_disk(64) as disk:
        (disk / "ballast").write_bytes(bytes(52 * 1024))
        with pytest.raises(DiskFullError):
            opened(disk / "w")
        (disk / "ballast").unlink()
        assert kept_in(disk / "w") == []


@needs_root
def test_a_system_is_not_opened_on_a_full_disk() -> None:
    """Nothing is lost by the attempt."""
    with small_disk(64) as disk:
        with control(opened(disk / "w")) as word:
            word.keep("a")
        with contextlib.suppress(OSError), (disk / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(512))
        with pytest.raises(DiskFullError, match="Make room"):
            opened(disk / "w")
        (disk / "ballast").unlink()
        assert kept_in(disk / "w") == ["a"]


def play_limited(directory: Path, durability: str) -> None:
    """A limit of file sizes, and room again when it is lifted."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    word = opened(directory, durability, segment_bytes=1 << 26)
    done = fill(word, 300)
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    word.keep("more")
    control(word).close()
    assert kept_in(directory) == [*done, "more"]


def play_without_descriptors(directory: Path, durability: str) -> None:
    """No file can be opened any more: at a rotation, at a snapshot, where the past is asked for, and at an opening."""
    word = opened(directory, durability)
    done: list[int] = []
    for what in ("rotation", "snapshot"):
        with no_descriptors(), pytest.raises(DiskFullError, match="Too many open files"):
            work(word, done, what)
        word.keep(len(done))
        done.append(len(done))
        assert word.kept == done
    control(word).take_snapshot()
    asked: list[tuple[str, Callable[[], object]]] = [
        ("read", lambda: control(word).at(control(word).lsn)),
        ("read", lambda: [*control(word).changes()]),
        ("verified", control(word).verify),
        ("pruned", control(word).prune),
    ]
    for what, ask in asked:
        with no_descriptors(), pytest.raises(DurabilityError, match=f"{directory} could not be {what}: .* raise the limit of open files"):
            ask()
    with no_descriptors(), pytest.raises(UsageError, match=r"could not be started.* Nothing was changed"):
        rehearse(directory, Word)
    control(word).close()
    with no_descriptors(), pytest.raises(DurabilityError, match="raise the limit of open files"):
        opened(directory, durability)
    assert opened(directory, durability).kept == done


def work(word: Any, done: list[int], what: str) -> None:
    """What opens a file, sooner or later."""
    if what == "snapshot":
        control(word).take_snapshot()
    for number in range(len(done), 1000):
        word.keep(number)
        done.append(number)


@contextlib.contextmanager
def no_descriptors() -> Iterator[None]:
    """All that this process may have are taken."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    with contextlib.ExitStack() as taken:
        with contextlib.suppress(OSError):
            while True:
                taken.callback(os.close, os.open("/dev/null", os.O_RDONLY))
        yield


# --- forbidden -------------------------------------------------------------------------------------------------------


@needs_root
def test_a_directory_that_may_only_be_read_is_refused_and_stays_as_it_is() -> None:
    """Another user cannot open it, nor begin one there."""
    with tempfile.TemporaryDirectory() as top:
        Path(top).chmod(0o755)
        for name in ("w", "empty"):
            (Path(top) / name).mkdir(mode=0o755)
        with control(opened(Path(top) / "w")) as word:
            word.keep(1)
        for one in (Path(top) / "w").iterdir():
            one.chmod(0o644)
        before = {one.name: one.read_bytes() for one in (Path(top) / "w").iterdir()}
        play("as_nobody", Path(top))
        assert {one.name: one.read_bytes() for one in (Path(top) / "w").iterdir()} == before
        assert not list((Path(top) / "empty").iterdir())


def play_as_nobody(top: Path, durability: str) -> None:
    own = Path(tempfile.mkdtemp())
    control(opened(own / "w")).close()  # has everything imported that is imported late
    shutil.rmtree(own)
    os.setgroups([])
    os.setegid(NOBODY)
    os.seteuid(NOBODY)  # and no more than that: what measures coverage writes its file in the end
    for name in ("w", "empty", "new"):
        try:
            opened(top / name)
        except UsageError as error:
            assert ("cannot be written to" if name != "new" else "Give this user the right to") in str(error), error
        else:
            raise AssertionError("it was opened")
    os.seteuid(0)


def test_a_file_stands_where_a_directory_should(tmp_path: Path) -> None:
    """It is refused by name and stays as it is."""
    (tmp_path / "w").write_bytes(b"mine")
    with pytest.raises(UsageError, match="it is a file"):
        opened(tmp_path / "w")
    assert (tmp_path / "w").read_bytes() == b"mine"


def test_a_file_stands_above_where_the_directory_should_be(tmp_path: Path) -> None:
    """It is refused by name."""
    (tmp_path / "w").write_bytes(b"mine")
    with pytest.raises(UsageError, match="w"):
        opened(tmp_path / "w" / "deeper")


# --- gone ------------------------------------------------------------------------------------------------------------


def vanish(directory: Path) -> None:
    shutil.rmtree(directory)


def move(directory: Path) -> None:
    directory.rename(directory.with_name("moved"))


def link(directory: Path) -> None:
    move(directory)
    directory.symlink_to(directory.with_name("moved"))


LOSSES: dict[str, Callable[[Path], None]] = {"vanish": vanish, "move": move, "link": link}


def play_gone(directory: Path, durability: str, *, loss: str, end: str, calls: str) -> None:
    """Calls go on, or fail as coopy's errors; so does closing, or leaving without."""
    word = opened(directory, durability)
    word.keep("before")
    LOSSES[loss](directory)
    done = ["before"]
    try:
        for number in range(int(calls)):
            word.keep(number)
            done.append(number)  # type: ignore[arg-type]
    except CoopyError as error:
        print(type(error).__name__)
    print(len(done), flush=True)
    assert word.kept[: len(done)] == done
    if end == "snapshot":
        with contextlib.suppress(DurabilityError, ClosedError):
            control(word).take_snapshot()
    if end == "close":
        try:
            control(word).close()
        except CoopyError as error:
            print(type(error).__name__)


SAME, NEXT = 3, 400  # calls: the open segment has room for them, or it must be followed by another
GONE = [
    *((SAME, loss, end, "sync") for loss in LOSSES for end in ("close", "snapshot", "leave")),
    *((SAME, loss, "close", "buffered") for loss in LOSSES),
    *((NEXT, loss, end, durability) for loss in LOSSES for end, durability in (("close", "sync"), ("leave", "buffered"))),
]


@pytest.mark.parametrize(("calls", "loss", "end", "durability"), GONE)
def test_a_directory_that_goes_away_while_it_is_open_is_a_clear_error(
    tmp_path: Path, calls: int, loss: str, end: str, durability: str
) -> None:
    """Nothing is printed but coopy's own warning, and where the files are still somewhere every acknowledged call is in them."""
    said = play(f"gone loss={loss} end={end} calls={calls}", tmp_path / "w", durability).split()
    acknowledged = int(next(one for one in said if one.isdigit()))
    assert acknowledged >= 1
    if loss != "vanish":
        kept = kept_in(tmp_path / "moved")
        assert kept[:acknowledged] == ["before", *range(acknowledged - 1)]
        assert len(kept) <= acknowledged + 1
    if loss == "link" or calls == SAME:
        assert acknowledged == calls + 1


def play_call(directory: Path, durability: str) -> None:
    with control(opened(directory, durability)) as word:
        word.keep("theirs")


def test_a_system_writes_nothing_into_another_ones_directory(tmp_path: Path) -> None:
    """Its own was moved away, and another was begun under the old name: closing the first leaves the second as it is."""
    word = opened(tmp_path / "w")
    move(tmp_path / "w")
    play("call", tmp_path / "w")
    with contextlib.suppress(CoopyError):
        control(word).close()
    assert kept_in(tmp_path / "w") == ["theirs"]


# --- the end of a process --------------------------------------------------------------------------------------------


def play_until_terminated(directory: Path, durability: str) -> None:
    word = opened(directory, durability)
    for number in range(1_000_000):
        word.keep(number)
        os.write(1, b"%d\n" % number)


@both
def test_sigterm_loses_no_acknowledged_call(tmp_path: Path, durability: str) -> None:
    """The process ends at once and says nothing."""
    with start("until_terminated", tmp_path / "w", durability) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        lines = [child.stdout.readline() for _ in range(50)]
        child.send_signal(signal.SIGTERM)
        lines += [line for line in child.stdout if line.endswith("\n")]
        said = child.stderr.read()
    assert (child.returncode, said) == (-signal.SIGTERM, "")
    kept = kept_in(tmp_path / "w")
    assert kept == list(range(len(kept)))
    assert len(kept) >= len(lines)


def play_leave_with_threads(directory: Path, durability: str, *, daemon: str) -> None:
    """The main thread leaves while four others call."""
    word = opened(directory, durability)
    begun = threading.Barrier(5)

    def work(thread: int) -> None:
        for number in range(100_000 if daemon == "1" else 200):
            try:
                word.keep((thread, number))
            except ClosedError:
                return
            os.write(1, b"%d %d\n" % (thread, number))
            if number == 20:
                begun.wait()

    for thread in range(4):
        threading.Thread(target=work, args=(thread,), daemon=daemon == "1").start()
    begun.wait()


@both
@pytest.mark.parametrize("daemon", [0, 1])
def test_leaving_without_closing_loses_no_acknowledged_call(tmp_path: Path, durability: str, daemon: int) -> None:
    """Threads that the interpreter waits for, and threads that it does not; no traceback, and nothing hangs."""
    said = play(f"leave_with_threads daemon={daemon}", tmp_path / "w", durability)
    last = {int(thread): int(number) for thread, number in (line.split() for line in said.splitlines())}
    kept = kept_in(tmp_path / "w")
    for thread in range(4):
        numbers = [number for one, number in kept if one == thread]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) > last[thread] >= (20 if daemon else 199)


class Farewell:
    """Calls when it is collected, which may be when the interpreter is half gone."""

    def __init__(self, word: Any) -> None:
        self.word = word

    def __del__(self) -> None:
        say(self.word, "deleted")


def say(word: Any, letter: str) -> None:
    try:
        word.keep(letter)
    except CoopyError as error:
        print(type(error).__name__, flush=True)
    else:
        print(letter, flush=True)


def play_last_words(directory: Path, durability: str) -> None:
    """Calls from atexit, before coopy has closed and after, and from finalizers."""
    holder: list[Any] = []
    atexit.register(lambda: say(holder[0], "late"))
    word = opened(directory, durability)
    holder.append(word)
    atexit.register(lambda: say(word, "early"))
    say(word, "first")
    sys.modules["farewell"] = Farewell(word)  # type: ignore[assignment]


@both
def test_last_words_are_recorded_or_refused(tmp_path: Path, durability: str) -> None:
    """As long as the system is open they count; afterwards it says that it is closed."""
    said = play("last_words", tmp_path / "w", durability).split()
    assert said[:2] == ["first", "early"]
    assert "ClosedError" in said[2:]
    assert kept_in(tmp_path / "w") == [one for one in said if one != "ClosedError"]


# --- children --------------------------------------------------------------------------------------------------------


def start(what: str, directory: Path, durability: str = "sync") -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-m", "tests.crash.test_real_disk", what, str(directory), durability]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


WARNINGS = ("was closed without saying so", "was moved, replaced or deleted while its system was open")


def play(what: str, directory: Path, durability: str = "sync") -> str:
    """Run a play to its end; it succeeds and says nothing unexpected. Gives what it printed."""
    with start(what, directory, durability) as child:
        try:
            said, errors = child.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            child.kill()
            raise
    unexpected = [line for line in errors.splitlines() if not any(warning in line for warning in WARNINGS)]
    assert (child.returncode, unexpected) == (0, []), errors
    return said


@both
@pytest.mark.parametrize("what", ["limited", "without_descriptors"])
def test_a_limit_of_the_process_is_met_with_a_clear_error(tmp_path: Path, what: str, durability: str) -> None:
    """The size of files: calls are refused and go on later. The number of open ones: the same."""
    play(what, tmp_path / "w", durability)


if __name__ == "__main__":
    name, *options = sys.argv[1].split()
    globals()[f"play_{name}"](Path(sys.argv[2]), sys.argv[3], **dict(one.split("=") for one in options))
