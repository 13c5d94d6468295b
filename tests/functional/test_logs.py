"""What is said by the standard loggers: nothing until somebody listens, then what nobody hears from a call."""

from __future__ import annotations

import errno
import logging
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from coopy import control, init_system
from coopy.disk.fake import FakeDisk
from coopy.engine import telling
from coopy.wiring import Options, open_proxy
from coopy.wiring.systems import system_of
from tests.words import Word

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).resolve().parents[2]
OPEN = """
import sys
from coopy import control, init_system
from tests.words import Word
control(init_system(Word, sys.argv[1])).close()
print("logging" in sys.modules)
"""


class Slow(Word):
    """Its replay waits until the log has said how far it is."""

    heard: pytest.LogCaptureFixture | None = None

    def take_time(self) -> None:
        self.text += "."
        end = time.monotonic() + 60
        while Slow.heard is not None and "at LSN 3 of 4" not in Slow.heard.text:
            assert time.monotonic() < end, "nothing is said"
            time.sleep(0.001)


def torn(directory: Path) -> Path:
    """A directory whose last record a crash cut off."""
    word = init_system(Word(), directory, durability="buffered")
    word.add("a")
    control(word).close()
    path = next(directory.glob("journal-*"))
    path.write_bytes(path.read_bytes() + b"\0" * 10 + b"torn" + b"\0" * 600)
    return directory


def test_it_is_silent_until_somebody_listens(tmp_path: Path) -> None:
    """A warning goes to whom a program sets up to hear it, and nowhere else."""
    run = [sys.executable, "-c", f"import logging\n{OPEN}", str(torn(tmp_path / "w"))]
    assert subprocess.run(run, check=True, capture_output=True, cwd=ROOT).stderr == b""
    torn_again = [sys.executable, "-c", f"import logging; logging.basicConfig()\n{OPEN}", str(torn(tmp_path / "v"))]
    said = subprocess.run(torn_again, check=True, capture_output=True, cwd=ROOT, text=True).stderr
    assert said.startswith("WARNING:coopy.journal:")
    assert "never acknowledged" in said


def test_who_has_not_loaded_logging_does_not_have_it_loaded(tmp_path: Path) -> None:
    """Nobody could hear what is said. Whoever loads it behind coopy, and sets it up, hears all that follows."""
    silent = subprocess.run([sys.executable, "-c", OPEN, str(torn(tmp_path / "w"))], check=True, capture_output=True, cwd=ROOT, text=True)
    assert (silent.stdout, silent.stderr) == ("False\n", "")
    late = OPEN.replace("control(init", "import logging\nlogging.basicConfig()\ncontrol(init", 1)
    heard = subprocess.run([sys.executable, "-c", late, str(torn(tmp_path / "v"))], check=True, capture_output=True, cwd=ROOT, text=True)
    assert heard.stderr.startswith("WARNING:coopy.journal:")


def test_the_command_shows_warnings(tmp_path: Path) -> None:
    """Whoever called it is there to see them."""
    with control(init_system(Word(), tmp_path / "w")) as word:
        word.add("a")
        control(word).take_snapshot()
        word.add("b")
    path = max((tmp_path / "w").glob("snapshot-*"))
    path.write_bytes(path.read_bytes()[:-1])
    show = subprocess.run(
        [sys.executable, "-m", "coopy", "show", "--at", "2", str(tmp_path / "w")], check=True, capture_output=True, cwd=ROOT, text=True
    )
    assert "The snapshot before it is tried." in show.stderr
    assert "'ab'" in show.stdout


def test_a_restore_that_takes_time_says_what_it_does(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From which snapshot, how much there is, now and then how far it is, and in the end how fast it was."""
    monkeypatch.setattr(telling, "PATIENCE", 0.01)
    monkeypatch.setattr(telling, "EVERY", 0.01)
    with control(init_system(Slow(), tmp_path / "w", validation="off")) as slow:
        slow.add("a")
        control(slow).take_snapshot()
        slow.add("b")
        slow.take_time()
        slow.add("c")
    monkeypatch.setattr(Slow, "heard", caplog)
    with caplog.at_level(logging.INFO, "coopy.restore"):
        control(init_system(Slow, tmp_path / "w", validation="off")).close()
    said = [one.removeprefix(f"{tmp_path / 'w'}: ") for one in caplog.messages if "being loaded" not in one]
    assert said[0] == "restoring from the snapshot at LSN 1; 3 actions or more are to be replayed, up to LSN 4."
    how_far = re.compile(r"at LSN [0-4] of 4, \d+ actions/s\.")
    assert all(how_far.fullmatch(one) for one in said[1:-1]), said  # on a slow machine it is said of other actions, too
    assert re.fullmatch(r"replayed 3 actions, up to LSN 4, in \d+\.\d s: \d+/s\. All together it took \d+\.\d s\.", said[-1])
    assert {one.levelname for one in caplog.records} == {"INFO"}


def test_without_a_thread_a_restore_is_silent(tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """And goes on."""
    monkeypatch.setattr(telling, "PATIENCE", 0.0)
    with control(init_system(Word(), tmp_path / "w")) as word:
        word.add("a")
    archive, mark = system_of(word).archive, memoryview(bytearray(24)).cast("Q")

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with caplog.at_level(logging.INFO), telling.Telling(archive, mark, 0) as told:
        told.replaying(0)
        told.ended(1)
    assert caplog.messages == []


def test_how_fast_it_was_is_the_last_that_a_restore_says(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it stands still behind that: nobody is left who would say how far it is."""
    monkeypatch.setattr(telling, "PATIENCE", 0.0)
    with control(init_system(Word(), tmp_path / "w")) as word:
        archive, mark = system_of(word).archive, memoryview(bytearray(24)).cast("Q")
    with caplog.at_level(logging.INFO), telling.Telling(archive, mark, 0) as told:
        told.replaying(0)
        told.ended(1)
        assert "coopy restore" not in {one.name for one in threading.enumerate()}
    assert "replayed 1 actions, up to LSN 1" in caplog.messages[-1]


def test_a_high_water_mark_that_cannot_be_raised_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever waits for stable storage has it: the mark only protects the journal from others."""
    disk = FakeDisk()
    word = open_proxy(Word, "/w", Options(durability="buffered", sync_interval=3600), disk)
    word.add("a")
    disk.fail(len(disk.calls) + 2, errno.EIO)  # behind the sync
    assert control(word).wait_durable() == 1
    assert [one.levelname for one in caplog.records] == ["WARNING"]
    assert caplog.messages[0].startswith("The high-water mark of /w could not be raised ([Errno 5]")
    control(word).close()


def test_a_quick_restore_says_its_line(tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing of its progress."""
    monkeypatch.setattr(telling, "PATIENCE", 3600.0)  # it is quick, however long this process stands still
    with control(init_system(Word(), tmp_path / "w")) as word:
        word.add("a")
    with caplog.at_level(logging.INFO):
        control(init_system(Word, tmp_path / "w")).close()
    assert [(one.name, one.levelname) for one in caplog.records] == [("coopy", "INFO")] * 2
    assert "restored LSN 1" in caplog.messages[0]
    assert caplog.messages[1] == f"{tmp_path / 'w'}: closed at LSN 1."


def test_each_logger_is_on_the_page() -> None:
    """The table names all there are, and no other."""
    areas = {area for path in (ROOT / "coopy").rglob("*.py") for area in re.findall(r'logger\("(\w+)"\)', path.read_text())}
    table = set(re.findall(r"^\| `coopy\.(\w+)` \|", (ROOT / "docs/monitoring.md").read_text(), re.MULTILINE))
    assert table == areas


def test_a_forked_child_that_writes_a_snapshot_says_of_no_system_that_it_ended(tmp_path: Path) -> None:
    """It shares what the program has set up to hear of errors, and it is not the system."""
    heard, listener = tmp_path / "heard.txt", logging.getLogger("coopy")
    handler = logging.FileHandler(heard)
    listener.addHandler(handler)
    try:
        with control(init_system(Word, tmp_path / "w", validation="off")) as word:
            word.add("a")
            control(word).take_snapshot(background=True)
            control(word).wait_snapshot()
    finally:
        listener.removeHandler(handler)
        handler.close()
    assert heard.read_text() == ""
