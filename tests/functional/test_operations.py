"""What runs by itself or by order: automatic snapshots, compression, pruning, progress, poison, the command."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from coopy import control, init_system
from coopy.cli import main
from coopy.error import DivergenceError, DurabilityError
from tests.words import Word

DEADLY_CHILD = """
import sys
from coopy import init_system
from tests.functional.test_operations import Deadly
Deadly.deadly = True
init_system(Deadly, sys.argv[1])
"""


SMALL_CHILD = """
import resource, sys
from pathlib import Path
from coopy import control, init_system
from tests.words import Word
control(init_system(Word, sys.argv[2], validation="off")).close()
pages = int(Path("/proc/self/statm").read_text().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 20_000_000, -1))
try:
    init_system(Word, sys.argv[1], validation="off")
except MemoryError as error:
    print(error)
"""


class Deadly(Word):
    """An action that ends the process when it is replayed."""

    deadly = hungry = False

    def act(self) -> None:
        if Deadly.deadly:
            os._exit(9)
        if Deadly.hungry:
            raise MemoryError
        self.text += "!"


def wait_until(holds: Any) -> None:
    """For what nobody tells: look again, for 60 seconds at most."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, "it never holds"
        time.sleep(0.005)


def test_snapshots_are_taken_by_the_clock(tmp_path: Path) -> None:
    """And the newest ones are kept."""
    with control(init_system(Word(), tmp_path / "w", snapshot_time=0.05, keep_snapshots=1)) as word:
        for count, letter in enumerate("abc", 1):
            word.add(letter)
            wait_until(lambda count=count: control(word).stats().snapshots.count == count)
    assert [path.name for path in (tmp_path / "w").glob("snapshot-*")] == ["snapshot-00000000000000000003.snap"]
    with control(init_system(Word, tmp_path / "w")) as word:
        assert word.text == "abc"


def test_snapshots_may_be_compressed(tmp_path: Path) -> None:
    """And are smaller then."""
    pytest.importorskip("zstandard")
    sizes = []
    for name in (None, "zstd"):
        directory = tmp_path / str(name)
        compression: Any = name
        with control(init_system(Word("a" * 100_000), directory, compression=compression)) as word:
            word.add("b")
        with control(init_system(Word, directory)) as word:
            assert word.text == "a" * 100_000 + "b"
        sizes.append(next(directory.glob("snapshot-*")).stat().st_size)
    assert sizes[1] < sizes[0] / 10


def test_the_journal_is_pruned_after_each_snapshot_if_asked_for(tmp_path: Path) -> None:
    """Only what the kept snapshots need stays."""
    with control(init_system(Word(), tmp_path / "w", auto_prune=True, keep_snapshots=1)) as word:
        for letter in "abc":
            word.add(letter)
            control(word).take_snapshot()
        assert control(word).stats().segments == 1
    assert len(list((tmp_path / "w").glob("journal-*"))) == 1


def test_a_control_keeps_its_proxy(tmp_path: Path) -> None:
    """It can be read, and not be set."""
    with control(init_system(Word("a"), tmp_path / "w")) as word:
        handle = control(word)
        assert handle.proxy is word
        with pytest.raises(AttributeError):
            handle.proxy = word  # type: ignore[misc]


def test_progress_is_reported_up_to_the_end(tmp_path: Path) -> None:
    """In LSNs."""
    with control(init_system(Word(), tmp_path / "w", durability="buffered")) as word:
        for _ in range(5000):
            word.add("a")
    seen: list[tuple[int, int]] = []
    with control(init_system(Word, tmp_path / "w", on_progress=lambda lsn, last: seen.append((lsn, last)))):
        assert seen[0] == (1, 5000)
        assert seen[-1] == (5000, 5000)


def test_an_action_that_kills_every_restart_is_not_tried_a_third_time(tmp_path: Path) -> None:
    """The error names it; `coopy repair --skip` leaves it out."""
    with control(init_system(Deadly(), tmp_path / "w")) as word:
        word.add("a")
        word.act()
        word.add("b")
    for _ in range(2):
        ran = subprocess.run([sys.executable, "-c", DEADLY_CHILD, str(tmp_path / "w")], check=False, cwd=Path(__file__).parents[2])
        assert ran.returncode == 9
    with pytest.raises(DivergenceError, match="LSN 2") as caught:
        init_system(Deadly, tmp_path / "w")
    assert caught.value.method == "act"
    assert CliRunner().invoke(main, ["repair", "--yes", "--skip", "2", str(tmp_path / "w")]).exit_code == 0
    with control(init_system(Deadly, tmp_path / "w")) as word:
        assert word.text == "ab"


def test_an_action_that_finds_no_memory_at_a_restart_is_not_to_be_left_out_for_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says first that more memory is the way; with more, it is all there."""
    with control(init_system(Deadly(), tmp_path / "w")) as word:
        word.act()
    monkeypatch.setattr(Deadly, "hungry", True)
    with pytest.raises(
        DivergenceError, match=r"LSN 1 ran out of memory.* nothing is lost: give the process more memory, and open it again\. Only where"
    ):
        init_system(Deadly, tmp_path / "w")
    monkeypatch.setattr(Deadly, "hungry", False)
    with control(init_system(Deadly, tmp_path / "w")) as word:
        assert word.text == "!"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit a process's memory so")
def test_too_little_memory_to_read_the_journal_is_no_actions_fault(tmp_path: Path) -> None:
    """Nobody is told to leave one out: with more memory nothing is wrong."""
    with control(init_system(Word, tmp_path / "w", validation="off")) as word:
        word.keep("a" * 60_000_000)
    ran = subprocess.run(
        [sys.executable, "-c", SMALL_CHILD, tmp_path / "w", tmp_path / "v"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert ran.stdout == f"There is no memory to read the journal in {tmp_path / 'w'}. No file was changed. Give the process more.\n", (
        ran.stderr
    )
    with control(init_system(Word, tmp_path / "w", validation="off")) as word:
        assert len(word.kept) == 1


@pytest.mark.parametrize(
    ("lsn", "why"), [(1, "already in the snapshot at LSN 2"), (2, "already in the snapshot"), (4, "ends at LSN 3"), (99, "ends at LSN 3")]
)
def test_an_action_that_no_restart_would_run_is_not_left_out(tmp_path: Path, lsn: int, why: str) -> None:
    """A later one would be lost when it comes; one that is in a snapshot would stay."""
    with control(init_system(Word(), tmp_path / "w")) as word:
        word.add("a")
        word.add("b")
        control(word).take_snapshot()
        word.add("c")
    said = CliRunner().invoke(main, ["repair", "--yes", "--skip", str(lsn), str(tmp_path / "w")])
    assert said.exit_code == 2
    assert why in said.output
    with control(init_system(Word, tmp_path / "w")) as word:
        assert word.add("d") == "abcd"
    with control(init_system(Word, tmp_path / "w")) as word:
        assert word.text == "abcd"


def test_wait_durable_syncs_what_is_only_buffered(tmp_path: Path) -> None:
    """Up to the last call."""
    with control(init_system(Word(), tmp_path / "w", durability="buffered", sync_interval=3600)) as word:
        word.add("a")
        assert control(word).stats().durable == 0
        assert control(word).wait_durable() == 1


def test_the_proxy_shows_the_domains_surface(tmp_path: Path) -> None:
    """Signatures, names, documentation."""
    with control(init_system(Word(), tmp_path / "w")) as word:
        assert isinstance(word, Word)
        assert inspect.signature(word.add_many) == inspect.signature(Word().add_many)
        assert type(word).__name__ == "Word"
        assert type(word).__doc__ == Word.__doc__
        assert {"add", "text", "read"} <= set(dir(word))
        assert "_clock" not in dir(word)
        with pytest.raises(TypeError):
            word.add()  # type: ignore[call-arg]
        with pytest.raises(TypeError):
            word.add("a", letter="b")  # type: ignore[misc]
        assert control(word).lsn == 0


@pytest.mark.parametrize("durability", ["sync", "buffered"])
def test_a_system_closes_also_where_memory_is_in_doubt_and_the_files_are_out_of_reach(tmp_path: Path, durability: Any) -> None:
    """Nobody needs the memory any more: the journal is made durable, the directory is free, and the next opening restores."""
    word = init_system(Word(), tmp_path / "w", durability=durability)
    word.add("a")
    (tmp_path / "w").rename(tmp_path / "moved")
    with pytest.raises(DurabilityError, match="cannot be read"):
        word.add_or_abort("x", True)
    control(word).close()
    control(word).close()
    with control(init_system(Word, tmp_path / "moved")) as again:
        assert again.text == "a"
