"""`coopy log` and `coopy show`: what was done, and what the state was, told without running what need not run."""

from __future__ import annotations

import datetime
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from coopy import control, init_system, once
from coopy.disk import RealDisk
from coopy.disk.fake import FakeDisk
from coopy.engine.opening import Place, read_archive
from coopy.engine.recorded import recorded
from coopy.error import CorruptionError
from coopy.journal.frame import Kind, word_of
from coopy.wiring import fix_wall
from tests.functional.test_command import ROOT, fill, run
from tests.words import Word


def lines(*arguments: Any) -> list[Any]:
    """What `log --json` tells."""
    return [json.loads(line) for line in run("log", "--json", *arguments).splitlines()]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A system that was closed."""
    fill(tmp_path / "w")
    return tmp_path / "w"


def test_each_action_is_a_line(directory: Path) -> None:
    """LSN, local time, how it ended, call."""
    told = run("log", directory).splitlines()
    calls = [line[54:].strip() for line in told]
    assert calls == [
        "add('a')",
        "keep({'a': (1, b'x')})",
        "add_and_raise('b')  builtins.ValueError",
        "add('c')",
        "add_or_abort('x', True)  builtins.ValueError",
        "add_many('d', 'e', sep='-')",
        "add('f')",
    ]
    assert [line[:9].strip() for line in told] == list("1234567")
    assert [line[45:54].strip() for line in told] == ["returned", "returned", "raised", "returned", "skipped", "returned", "returned"]
    assert datetime.datetime.fromisoformat(told[0][11:43].strip()).utcoffset() is not None


def test_log_and_changes_tell_the_same(directory: Path) -> None:
    """The one as text of data, the other as values."""
    with control(init_system(Word, directory)) as word:
        with once("k"):
            word.add("k")
        word.keep({"nested": [1, "two"]})
        actions = list(control(word).changes())
    told = lines(directory)
    assert [(one["lsn"], one["method"], one["outcome"], one["error"], one["key"]) for one in told] == [
        (one.lsn, one.method, one.outcome, one.error, one.key) for one in actions
    ]
    assert [datetime.datetime.fromisoformat(one["time"]) for one in told] == [one.time for one in actions]
    assert told[-1]["args"] == [{"nested": [1, "two"]}]
    assert told[5]["kwargs"] == {"sep": "-"}


def test_log_is_narrowed_down(directory: Path) -> None:
    """By LSN, time, method, and number."""
    every = lines(directory)
    assert lines(directory, "--since", 5) == every[5:]
    assert lines(directory, "--since", 0) == every
    assert lines(directory, "--since", 7) == []
    assert lines(directory, "--since", every[3]["time"]) == every[3:]
    assert lines(directory, "--since", every[3]["time"], "--last", 2) == every[-2:]
    assert lines(directory, "--since", "2000-01-01") == every
    assert lines(directory, "--since", "2200-01-01T00:00:00+01:00") == []
    assert lines(directory, "--method", "add") == [every[0], every[3], every[6]]
    assert lines(directory, "--method", "keep") == [every[1]]
    assert lines(directory, "--method", "add", "--last", 2) == [every[3], every[6]]
    assert lines(directory, "--last", 3) == every[-3:]
    assert lines(directory, "--last", 99) == every
    assert lines(directory, "--method", "nothing") == []


@pytest.mark.parametrize("since", ["8", "99999999999999999999", "yesterday", "", "-1"])
def test_a_place_that_is_none_is_refused(directory: Path, since: str) -> None:
    """By its text."""
    assert since in run("log", directory, f"--since={since}", code=2)


def test_calls_are_shown_without_their_classes(tmp_path: Path) -> None:
    """In a process that cannot import them: what they are made of is told all the same."""
    script = """
        import coopy
        class Page:
            def __init__(self, title): self.title = title
        class Wiki:
            def __init__(self): self.pages = []
            def keep(self, page): self.pages.append(page)
        wiki = coopy.init_system(Wiki, "w")
        wiki.keep(Page("Home"))
        coopy.control(wiki).close()
    """
    (tmp_path / "wiki.py").write_text("\n".join(line[8:] for line in script.splitlines()))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", "import wiki"], cwd=tmp_path, env=environment, check=True)
    (tmp_path / "wiki.py").unlink()
    shutil.rmtree(tmp_path / "__pycache__", ignore_errors=True)
    assert run("log", tmp_path / "w").endswith("keep(Page(title='Home'))\n")
    assert lines(tmp_path / "w")[0]["args"] == [{"$object": "wiki:Page", "attributes": {"title": "Home"}}]
    said = run("show", tmp_path / "w", code=2)
    assert "The class wiki:Wiki" in said
    assert (
        "cannot be imported: ModuleNotFoundError: No module named 'wiki'. Nothing was changed. Start this in the folder of its module"
        in said
    )
    assert run("show", tmp_path / "w", "--at", 0) == "Wiki at LSN 0:\n  pages = []\n"  # the snapshot there needs no class


def test_show_finds_a_class_in_the_working_directory(tmp_path: Path) -> None:
    """Wherever the command itself is."""
    (tmp_path / "shop.py").write_text(
        "class Shop:\n    def __init__(self):\n        self.sold = []\n    def sell(self, what):\n        self.sold.append(what)\n"
    )
    script = "import coopy, shop; s = coopy.init_system(shop.Shop, 'w'); s.sell('tea'); coopy.control(s).close()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "coopy").write_text("from coopy.cli import main; main()")
    ran = subprocess.run(
        [sys.executable, "bin/coopy", "show", "w"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (ran.stdout, ran.stderr) == ("Shop at LSN 1:\n  sold = ['tea']\n", "")


HOSTILE = {
    "code": (b"\x80\x05\x8c\x02os\x8c\x06system\x93\x8c\x0ctouch hacked\x85R.", "? "),
    "code as an argument": (
        pickle.dumps("add", 5)[:-1] + b"(\x8c\x02os\x8c\x06system\x93\x8c\x0ctouch hacked\x85Rt}\x87.",
        "add(system('touch hacked'))",
    ),
    "depth": (b"\x80\x05\x8c\x03add" + b"]" * 1_000_000 + b"a" * 999_999 + b"\x85}\x87.", "add("),
    "a lie": (b"\x80\x05\x8c\x03add\x8e\xff\xff\xff\xff\xff\xff\xff\x7f", "add(…)"),
    "a terminal's commands": (pickle.dumps(("\x1b]0;x\x07", ("\x1b[2J",), {}), 5), "'\\x1b]0;x\\x07'('\\x1b[2J')"),
    "no pickle": (b"nonsense", "? "),
}


@pytest.mark.parametrize(("payload", "text"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_record_is_a_line_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, payload: bytes, text: str) -> None:
    """Given a journal whose tags are right, by somebody who can write it: nothing of it is done, and the lines around are told."""
    monkeypatch.chdir(tmp_path)
    with control(init_system(Word, tmp_path / "w")) as word:
        word.add("a")
    plant(tmp_path / "w", payload)
    shown = run("log", tmp_path / "w").splitlines()
    assert "add('a')" in shown[0]
    assert shown[1][54:].strip().startswith(text)
    assert len(lines(tmp_path / "w")) == 2
    assert "\x1b" not in "".join(shown)
    run("export", tmp_path / "w")
    assert not (tmp_path / "hacked").exists()


def plant(directory: Path, payload: bytes) -> None:
    """Add a record with a good tag."""
    archive = read_archive(Place(RealDisk(), str(directory), b"", ""))
    assert archive is not None
    listed = archive.manifest.segments[-1]
    segment = archive.segment(listed)
    head = archive.scan(segment, segment.before).head
    frame, _ = archive.framer.frame(word_of(Kind.PICKLE, 0), payload, head.lsn + 1, head.epoch, 1, 0, 1, head.time_us + 1, head.tag)
    path = Path(segment.path)
    path.write_bytes(segment.data.rstrip(b"\0") + frame)


class Follower:
    """`coopy log --follow` in a process of its own."""

    def __init__(self, directory: Path, *options: Any) -> None:
        command = [sys.executable, "-m", "coopy", "log", "--json", "--follow", str(directory), *map(str, options)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def read(self) -> tuple[int, str]:
        """LSN and outcome in the next line."""
        assert self._process.stdout is not None
        told = json.loads(self._process.stdout.readline())
        return told["lsn"], told["outcome"]

    def stop(self) -> None:
        """By Ctrl-C, which is how it ends."""
        self._process.send_signal(signal.SIGINT)
        said, wrong = self._process.communicate(timeout=60)
        assert (self._process.returncode, said, wrong) == (0, "", "")


def test_log_follows_a_running_system(tmp_path: Path) -> None:
    """Each action as it is written, through a new segment; and of those that did not return, how they ended, once that is written."""
    with control(init_system(Word, tmp_path / "w")) as word:
        with pytest.raises(ValueError, match="a"):
            word.add_and_raise("a")
        follower = Follower(tmp_path / "w")
        assert follower.read() == (1, "unknown")
        word.add("b")
        assert sorted([follower.read(), follower.read()]) == [(1, "raised"), (2, "unknown")]
        control(word).take_snapshot()
        word.add("c")
        assert follower.read() == (3, "unknown")
        with pytest.raises(ValueError, match="d"):
            word.add_and_raise("d")
        assert follower.read() == (4, "unknown")
        word.add("e")
        assert sorted([follower.read(), follower.read()]) == [(4, "raised"), (5, "unknown")]
        follower.stop()


def test_log_follows_what_was_asked_for(tmp_path: Path) -> None:
    """A method, or from a time on: what was before is not told by the way."""
    with control(init_system(Word, tmp_path / "w")) as word:
        word.add("a")
        word.keep(1)
        by_method, by_time = Follower(tmp_path / "w", "--method", "keep"), Follower(tmp_path / "w", "--since", "2200-01-01")
        assert by_method.read() == (2, "unknown")
        word.add("b")
        word.keep(2)
        assert by_method.read()[0] == 4
        fix_wall(word, datetime.datetime(2200, 1, 2))
        word.add("c")
        assert by_time.read()[0] == 5
        by_method.stop()
        by_time.stop()


def test_reading_beside_a_prune_sees_one_list_or_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a manifest that is replaced between the look at the names and its own reading, nothing is missing."""
    from coopy.wiring import Options, open_proxy

    disk = FakeDisk()
    word = open_proxy(Word, "/data/w", Options(keep_snapshots=1), disk)
    word.add("a")
    control(word).take_snapshot()
    word.add("b")
    names, done = FakeDisk.entries, list[bool]()

    def entries(self: FakeDisk, path: str) -> list[str]:
        found = names(self, path)
        if path == "/data/w" and not done:
            done.append(True)
            control(word).take_snapshot()
            control(word).prune()
        return found

    monkeypatch.setattr(FakeDisk, "entries", entries)
    archive = read_archive(Place(disk, "/data/w", b"", ""))
    assert archive is not None
    assert archive.manifest.snapshots == (2,)
    control(word).close()


class Written(RealDisk):
    """A disk on which somebody finishes a record between two looks at a file."""

    def __init__(self, path: str, before: bytes) -> None:
        super().__init__()
        self._path, self._before = path, [before]

    def read(self, path: str) -> bytes:
        """As it was once, then as it is."""
        return self._before.pop() if path == self._path and self._before else super().read(path)


def test_a_record_that_is_just_being_written_is_no_damage(directory: Path) -> None:
    """Given a record of which the middle is not there yet, it is damage only if that is still so at the second look."""
    path = max(directory.glob("journal-*"))
    whole = path.read_bytes()
    place = Place(Written(str(path), whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:]), str(directory), b"", "")
    assert [record[0] for record, _, _ in recorded(place, "log").told(4)] == [5, 6, 7]
    place = Place(RealDisk(), str(directory), b"", "")
    path.write_bytes(whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:])
    with pytest.raises(CorruptionError, match="damaged"):
        list(recorded(place, "log").told(4))


# --- show ------------------------------------------------------------------------------------------------------------


def shown(directory: Path, *options: Any) -> Any:
    """What `show --json` gives."""
    return json.loads(run("show", "--json", directory, *options))["value"]


def test_show_gives_the_state_behind_each_action(directory: Path) -> None:
    """Where a snapshot stands, and where none does; of what was undone nothing."""
    texts = ["", "a", "a", "ab", "abc", "abc", "abcd-e", "abcd-ef"]
    assert [shown(directory, "--at", lsn, "--path", "text") for lsn in range(8)] == texts
    assert shown(directory, "--path", "text") == texts[-1]
    assert run("show", directory, "--at", 2) == "Word at LSN 2:\n  text = 'a'\n  kept = [{'a': (1, b'x')}]\n"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("kept[0]['a']", {"$tuple": [1, {"$bytes": "eA=="}]}),
        ("kept[0]['a'][1]", {"$bytes": "eA=="}),
        ("word.text", "abcd-ef"),
        (".text", "abcd-ef"),
        ("kept[0]", {"a": {"$tuple": [1, {"$bytes": "eA=="}]}}),
    ],
)
def test_show_takes_a_path(directory: Path, path: str, value: Any) -> None:
    """As differences name it."""
    assert shown(directory, "--path", path) == value
    assert run("show", directory, "--path", path).startswith(f"{path} at LSN 7:")


@pytest.mark.parametrize("path", ["nothing", "kept[7]", "kept['a']", "kept[", "kept[x]", "text.upper()", "kept[0][__import__('os')]"])
def test_a_path_to_nothing_is_refused(directory: Path, path: str) -> None:
    """It says what there is; and nothing in it is evaluated."""
    assert repr(path)[1:-1] in run("show", directory, "--path", path, code=2)


@pytest.mark.parametrize("lsn", [8, 1000])
def test_a_state_that_is_not_there_is_refused(directory: Path, lsn: int) -> None:
    """The error says what is."""
    assert f"There is no state at LSN {lsn}: the journal ends at LSN 7" in run("show", directory, "--at", lsn, code=2)
    run("prune", "--keep", 1, "--yes", directory)
    assert "goes back to LSN 4" in run("show", directory, "--at", 3, code=2)
