"""The command on a good, an open, a damaged, a foreign and an empty directory: no traceback, the promised exit status, the place named."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
import threading
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from coopy import control, init_system
from coopy.cli import main
from coopy.disk import RealDisk
from coopy.engine.check import check_directory
from coopy.engine.opening import Place
from coopy.journal.segment import segment_name
from coopy.snapshot import snapshot_name
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
FIRST, SECOND = segment_name(1), segment_name(5)
OLD, NEW = snapshot_name(0), snapshot_name(4)


def run(*arguments: Any, code: int = 0, stdin: str = "") -> str:
    """What a command writes on both outputs. It ends with this status, and without a traceback."""
    ran = CliRunner().invoke(main, [str(one) for one in arguments], input=stdin)
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.output
    assert ran.exit_code == code, ran.output
    return ran.output


def begin(word: Any) -> None:
    """LSN 1 to 4, of which one raised."""
    word.add("a")
    word.keep({"a": (1, b"x")})
    with pytest.raises(ValueError, match="b"):
        word.add_and_raise("b")
    word.add("c")


def go_on(word: Any) -> None:
    """LSN 5 to 7, of which one was undone."""
    with pytest.raises(ValueError, match="x"):
        word.add_or_abort("x", True)
    word.add_many("d", "e", sep="-")
    word.add("f")


def fill(directory: Path) -> None:
    """Two snapshots, two segments, one action that raised and one that was undone; closed."""
    with control(init_system(Word, directory)) as word:
        begin(word)
        control(word).take_snapshot()
        go_on(word)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests of a file, to be copied."""
    directory = tmp_path_factory.mktemp("command") / "good"
    fill(directory)
    return directory


@pytest.fixture
def good(filled: Path, tmp_path: Path) -> Path:
    """A directory of a system that was closed."""
    shutil.copytree(filled, tmp_path / "w")
    return tmp_path / "w"


# --- damage ----------------------------------------------------------------------------------------------------------


def flip(directory: Path, name: str, at: int) -> str:
    """Another bit in a file; counted from its end if negative."""
    data = bytearray((directory / name).read_bytes())
    data[at] ^= 4
    (directory / name).write_bytes(data)
    return name


def cut(directory: Path, name: str, by: int) -> str:
    """A file that lost its end."""
    data = (directory / name).read_bytes()
    (directory / name).write_bytes(data[:-by])
    return name


def remove(directory: Path, name: str) -> str:
    """A file that is gone."""
    (directory / name).unlink()
    return name


def blank(directory: Path, name: str) -> str:
    """A sector of zeros, in the middle."""
    data = bytearray((directory / name).read_bytes())
    data[512:1024] = bytes(len(data[512:1024]))
    (directory / name).write_bytes(data)
    return name


def swap(directory: Path, name: str) -> str:
    """The file of another system."""
    other = directory.parent / f"other of {directory.name}"
    fill(other)
    shutil.copy(other / name, directory / name)
    return name


DAMAGE: dict[str, Callable[[Path], str]] = {
    "a bit in an old record": lambda where: flip(where, FIRST, 600),
    "a bit in a new record": lambda where: flip(where, SECOND, 700),
    "a bit in the last record": lambda where: flip(where, SECOND, -20),
    "an old segment cut off": lambda where: cut(where, FIRST, 70),
    "the newest segment cut off": lambda where: cut(where, SECOND, 150),
    "zeros in a segment": lambda where: blank(where, FIRST),
    "an old segment gone": lambda where: remove(where, FIRST),
    "the newest segment gone": lambda where: remove(where, SECOND),
    "another system's segment": lambda where: swap(where, FIRST),
    "a bit in a segment's header": lambda where: flip(where, SECOND, 50),
    "a bit in the check of a segment's header": lambda where: flip(where, SECOND, 30),
    "a bit in the newest snapshot": lambda where: flip(where, NEW, -60),
    "a snapshot cut off": lambda where: cut(where, OLD, 10),
    "a snapshot gone": lambda where: remove(where, NEW),
    "the manifest gone": lambda where: remove(where, "MANIFEST"),
    "a bit in the manifest": lambda where: flip(where, "MANIFEST", 60),
    "a bit in the manifest's check": lambda where: flip(where, "MANIFEST", 30),
    "the manifest cut off": lambda where: cut(where, "MANIFEST", 500),
    "the high-water mark gone": lambda where: remove(where, "HWM"),
}
# Of each damage: the commands that can do nothing about it, beside `check` and `repair`, which always tell.
EVERY = {"status", "log", "show", "export", "prune"}
STOPPED: dict[str, set[str]] = {
    "a bit in an old record": {"log", "export"},
    "a bit in a new record": {"log", "show", "export"},
    "a bit in the last record": {"log", "show", "export"},
    "an old segment cut off": {"log", "export"},
    "the newest segment cut off": {"log", "show", "export"},
    "zeros in a segment": {"log", "export"},
    "an old segment gone": EVERY,
    "the newest segment gone": EVERY,
    "another system's segment": {"log", "export"},
    "a bit in a segment's header": {"status", "log", "show", "export"},
    "a bit in the check of a segment's header": {"status", "log", "show", "export"},
    "a bit in the newest snapshot": {"prune"},
    "a snapshot cut off": {"export"},
    "a snapshot gone": EVERY,
    "the manifest gone": EVERY,
    "a bit in the manifest": EVERY,
    "a bit in the manifest's check": EVERY,
    "the manifest cut off": EVERY,
    "the high-water mark gone": EVERY,
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found_and_named(good: Path, name: str) -> None:
    """Ten kinds and more: file and offset, by exit status 1; and nothing is changed."""
    damaged = DAMAGE[name](good)
    before = {path.name: path.read_bytes() for path in good.iterdir() if path.is_file() and path.name != "LOCK"}
    for full in ([], ["--full"]):
        [told] = [one for one in map(json.loads, run("check", "--json", *full, good, code=1).splitlines()) if not one["ok"]]
        assert told["file"] == damaged
        assert isinstance(told["offset"], int)
        assert damaged in run("check", *full, good, code=1)
    assert damaged in run("repair", good, code=1)
    for command in sorted(EVERY - {"prune"}):
        said = run(command, good, code=int(command in STOPPED[name]))
        assert command not in STOPPED[name] or damaged in said
    assert damaged in run("verify", good, code=1)
    rehearsed = run("rehearse", good, "tests.words:Word", code=int("show" in STOPPED[name]))
    assert "show" not in STOPPED[name] or damaged in rehearsed
    assert damaged in run("prune", "--keep", 1, good, code=1) if "prune" in STOPPED[name] else run("prune", "--keep", 1, good, code=2)
    assert before == {path.name: path.read_bytes() for path in good.iterdir() if path.is_file() and path.name != "LOCK"}


def test_a_damaged_end_can_be_dropped(good: Path) -> None:
    """After it said what it would do; what was there is kept."""
    DAMAGE["a bit in a new record"](good)
    assert "Nobody can be asked" in run("repair", "--drop-tail", good, code=2)
    said = run("repair", "--drop-tail", "--yes", good)
    assert f"bytes of {good / SECOND}" in said
    assert "LSN 7 it was on stable storage" in said
    assert "The journal ends at LSN 5." in said
    assert list((good / "quarantine").iterdir())
    run("check", good)
    assert "Nothing had to be cut off" in run("repair", "--drop-tail", good)


@pytest.mark.parametrize("name", ["a bit in the newest snapshot", "a snapshot cut off", "a snapshot gone"])
def test_a_damaged_snapshot_is_left_out_as_repair_says(good: Path, name: str) -> None:
    """What is wrong may be in any of its blocks. All is whole afterwards, and the state as it was."""
    DAMAGE[name](good)
    said = run("repair", good, code=1)
    assert "--manifest  MANIFEST is written anew" in said
    assert "is left out." in said
    run("repair", "--manifest", "--yes", good)
    assert run("repair", good) == "All is whole: there is nothing to repair.\n"
    assert json.loads(run("show", "--json", "--path", "text", good))["value"] == "abcd-ef"


def test_one_half_of_the_high_water_mark_is_enough(good: Path) -> None:
    """A crash may tear the other, at any byte of it: its check, too."""
    for offset in (5, 30, 60):
        flip(good, "HWM", offset)
        run("check", good)
        control(init_system(Word, good)).close()


def test_a_damaged_manifest_is_rebuilt_and_kept(good: Path) -> None:
    """As is the manifest before an action is left out."""
    DAMAGE["a bit in the manifest"](good)
    damaged = (good / "MANIFEST").read_bytes()
    run("repair", "--manifest", "--yes", good)
    assert (good / "quarantine" / "MANIFEST").read_bytes() == damaged
    run("check", good)
    run("repair", "--skip", 7, "--yes", good)
    assert len(list((good / "quarantine").glob("MANIFEST*"))) == 2
    assert json.loads(run("log", "--json", "--since", 6, good))["outcome"] == "skipped"
    assert "left out  LSN 7" in run("status", good)


def test_an_old_damaged_segment_goes_with_what_is_pruned(good: Path) -> None:
    """As `repair` says."""
    DAMAGE["a bit in an old record"](good)
    assert "coopy prune" in run("repair", good, code=1)
    assert FIRST in run("prune", "--keep", 1, "--yes", good)
    assert not (good / FIRST).exists()
    assert not (good / OLD).exists()
    run("check", good)
    assert json.loads(run("show", "--json", "--path", "text", good))["value"] == "abcd-ef"
    assert "not kept any more" in run("log", "--since", 2, good, code=2)


@pytest.mark.parametrize(
    ("answer", "code", "said"), [(b"n\n", 2, "Nothing was changed."), (b"y\n", 0, "is left out from now on"), (b"\x04", 130, "Stopped")]
)
def test_what_changes_something_asks_first(good: Path, answer: bytes, code: int, said: str) -> None:
    """In a terminal; what is not agreed is not done."""
    ours, theirs = pty.openpty()
    before = (good / "MANIFEST").read_bytes()
    try:
        os.write(ours, answer)
        ran = program("repair", "--skip", 7, good, stdin=theirs)
    finally:
        os.close(ours)
        os.close(theirs)
    assert ran.returncode == code
    assert "The action with LSN 7 is left out of every restore" in ran.stderr
    assert said in ran.stdout + ran.stderr
    assert (before == (good / "MANIFEST").read_bytes()) is bool(code)


def test_a_copy_made_in_the_order_of_the_page_is_a_backup(tmp_path: Path) -> None:
    """Beside a system that goes on writing, through new segments: whole and with all that was acknowledged before, or `check` says that it is not."""
    data, backup, good = tmp_path / "data", tmp_path / "backup", 0
    page = (ROOT / "docs" / "operations.md").read_text().partition("## Backup")[2].partition("```console\n")[2].partition("```")[0]
    script = "\n".join(re.findall(r"^\$ (.*)", page.rpartition("$ coopy check")[0], re.MULTILINE))
    with control(init_system(Word, data, durability="buffered", segment_bytes=400_000)) as word:
        done = threading.Event()

        def write() -> None:
            while not done.is_set():
                word.add("a")

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for _ in range(100):
                acknowledged = control(word).lsn
                subprocess.run(["bash", "-ec", script], cwd=tmp_path, check=True)
                if CliRunner().invoke(main, ["check", str(backup)]).exit_code == 0:
                    good += 1
                    with control(init_system(Word, backup)) as copy:
                        assert len(copy) >= acknowledged
                shutil.rmtree(backup)
                if good > 1:
                    break
        finally:
            done.set()
            writer.join()
    assert good > 1


# --- directories of every kind ---------------------------------------------------------------------------------------

READING: list[list[Any]] = [["status"], ["check"], ["log"], ["show"], ["export"]]
WRITING: list[list[Any]] = [
    ["repair", "--drop-tail", "--yes"],
    ["repair", "--skip", 7, "--yes"],
    ["repair", "--manifest", "--yes"],
    ["prune", "--keep", 1, "--yes"],
]
CLASSES: list[list[Any]] = [["verify"], ["rehearse", "tests.words:Word"]]


def on(command: list[Any], directory: Path) -> list[Any]:
    """The command for a directory."""
    return [command[0], directory, *command[1:]]


@pytest.mark.parametrize("command", [*READING, ["repair"], *CLASSES], ids=str)
def test_a_good_directory_is_read(good: Path, command: list[Any]) -> None:
    """And what is read is as it was."""
    before = {path.name: path.read_bytes() for path in good.iterdir()}
    assert run(*on(command, good))
    assert before == {path.name: path.read_bytes() for path in good.iterdir()}


@pytest.mark.parametrize("command", [*READING, *CLASSES], ids=str)
def test_an_open_directory_is_read(good: Path, command: list[Any]) -> None:
    """Beside the system, which goes on."""
    with control(init_system(Word, good)) as word:
        word.add("g")
        assert run(*on(command, good))
        assert word.add("h") == "abcd-efgh"


@pytest.mark.parametrize("command", WRITING, ids=str)
def test_an_open_directory_is_not_changed(good: Path, command: list[Any]) -> None:
    """The error names who has it."""
    with control(init_system(Word, good)) as word:
        assert f"process {os.getpid()}" in run(*on(command, good), code=2)
        assert word.add("g") == "abcd-efg"


@pytest.mark.parametrize("command", [*READING[1:], ["repair"], *WRITING, *CLASSES], ids=str)
def test_an_empty_directory_is_told(tmp_path: Path, command: list[Any]) -> None:
    """There is nothing to do anything with."""
    said = run(*on(command, tmp_path), code=2)
    assert "holds no system yet" in said or "holds no segment" in said
    assert str(tmp_path) in said


@pytest.mark.parametrize("command", [*READING, ["repair"], *WRITING, *CLASSES], ids=str)
@pytest.mark.parametrize(("name", "why"), [("notes.txt", "which is not coopy's"), ("coopy.json", "0.4 to 0.7"), (None, "does not exist")])
def test_a_foreign_directory_is_told(tmp_path: Path, command: list[Any], name: str | None, why: str) -> None:
    """Somebody's files, those of an older coopy, and none at all."""
    if name is None:
        assert why in run(*on(command, tmp_path / "nothing"), code=2)
        return
    (tmp_path / name).write_text("mine")
    said = run(*on(command, tmp_path), code=2)
    assert name in said or (command[1:2] == ["--manifest"] and "holds no segment" in said)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {name: "mine"}


def test_status_of_an_empty_directory_is_that_there_is_nothing(tmp_path: Path) -> None:
    """It was asked what there is."""
    assert run("status", tmp_path) == f"{tmp_path}: no system yet\n"


def test_a_newer_format_is_no_damage(good: Path) -> None:
    """It is only not to be read by this version."""
    data = bytearray((good / "MANIFEST").read_bytes())
    data[8] = 2
    length = int.from_bytes(data[16:20], "little")
    data[20:24] = zlib.crc32(bytes(data[:20]) + bytes(data[40 : 40 + length])).to_bytes(4, "little")
    (good / "MANIFEST").write_bytes(data)
    for command in (*READING, ["repair"], *WRITING[:2], *CLASSES):
        assert "2.0" in run(*on(command, good), code=2)


# --- status ----------------------------------------------------------------------------------------------------------


def test_status_says_who_has_it_open(good: Path) -> None:
    """And that it was closed, or that its process ended before."""
    with control(init_system(Word, good)) as word:
        word.add("g")
        about = json.loads(run("status", "--json", good))
        assert about["open_by"].startswith(f"process {os.getpid()} on ")
        assert (about["closed"], about["last_lsn"], about["replica"], about["signed"]) == (None, 8, False, False)
        assert about["open_by"] in run("status", good)
        assert word.add("h") == "abcd-efgh"
    about = json.loads(run("status", "--json", good))
    assert (about["open_by"], about["closed"], about["first_lsn"], about["last_lsn"], about["durable_lsn"]) == ("", 9, 1, 9, 9)
    assert [(one["lsn"], one["bytes"]) for one in about["snapshots"]] == [
        (0, (good / OLD).stat().st_size),
        (4, (good / NEW).stat().st_size),
    ]
    assert about["journal_bytes"] == sum(path.stat().st_size for path in good.glob("journal-*"))
    script = f"import os, coopy; from tests.words import Word; word = coopy.init_system(Word, {str(good)!r}); word.add('i'); os._exit(0)"
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)
    assert "no: its process ended without closing it" in run("status", good)


def test_a_signed_directory_takes_its_key(tmp_path: Path) -> None:
    """Every command; without it, or with another, nothing is read."""
    with control(init_system(Word, tmp_path / "w", signing_key=b"secret")) as word:
        word.add("a")
    (tmp_path / "key").write_bytes(b"secret")
    (tmp_path / "other").write_bytes(b"other")
    (tmp_path / "empty").write_bytes(b"")
    for command in (*READING, ["repair"], *CLASSES):
        for key, code in (("key", 0), ("other", 2), ("empty", 2)):
            run(*on(command, tmp_path / "w"), "--signing-key-file", tmp_path / key, code=code)
        assert "is signed" in run(*on(command, tmp_path / "w"), code=2)
    assert ", signed" in run("status", tmp_path / "w", "--signing-key-file", tmp_path / "key")


# --- check -----------------------------------------------------------------------------------------------------------


def ways(directory: Path, *options: str) -> list[str]:
    """How each file was checked."""
    return [json.loads(line)["how"] for line in run("check", "--json", directory, *options).splitlines()]


@pytest.fixture
def vouched(tmp_path: Path) -> Path:
    """A directory of several segments, opened twice: what the first run wrote was checked record by record by the second."""
    with control(init_system(Word, tmp_path / "v", segment_bytes=4096)) as word:
        for _ in range(60):
            word.add_many("a", "b" * 60)
    control(init_system(Word, tmp_path / "v")).close()
    return tmp_path / "v"


def test_check_takes_the_manifests_word_for_what_was_checked_before(vouched: Path) -> None:
    """By a digest of the very bytes; what nobody vouches for, record by record, and with --full everything."""
    count = len(list(vouched.glob("journal-*")))
    assert count > 2
    assert ways(vouched) == ["header", "blocks", *["digest"] * count]
    assert ways(vouched, "--full") == ["header", "blocks", *["records"] * count]
    with control(init_system(Word, vouched)) as word:
        word.add("g")
        assert ways(vouched)[-2:] == ["digest", "both"]
        told = run("check", vouched)
        assert "(by its digest)" in told
        assert "to 61 (by its digest, then each record)" in told
    assert ways(vouched)[-1] == "digest"


def test_check_by_digest_and_by_record_find_the_same(vouched: Path) -> None:
    """A bit in every so many bytes, in the first, a middle and the last segment."""
    names = sorted(path.name for path in vouched.glob("journal-*"))
    found = 0
    for name in (names[0], names[1], names[-1]):
        data = (vouched / name).read_bytes()
        for at in range(3, len(data), 97):
            flip(vouched, name, at)
            quick, full = (CliRunner().invoke(main, ["check", "--json", str(vouched), *more]) for more in ([], ["--full"]))
            assert quick.exit_code == full.exit_code, (name, at)
            problems = [[json.loads(line)["problem"] for line in one.output.splitlines()] for one in (quick, full)]
            assert problems[0] == problems[1]
            found += full.exit_code
            (vouched / name).write_bytes(data)
    assert found > 50


def test_what_is_pruned_while_it_is_checked_is_no_damage(good: Path) -> None:
    """And what goes without the manifest's knowledge is."""
    place = Place(RealDisk(), str(good), b"", "")
    with control(init_system(Word, good, keep_snapshots=1)) as word:
        found = check_directory(place)
        told = [next(found)]
        control(word).take_snapshot()
        control(word).prune()
        told += found
        assert [(one.problem, one.found) for one in told if "pruned" in one.found] == [("", "pruned meanwhile")] * 4
        assert not any(one.problem for one in told)
        found = check_directory(place)
        next(found)
        remove(good, next(path.name for path in good.glob("snapshot-*")))
        assert "the manifest lists it" in next(found).problem


def test_a_torn_tail_is_no_damage(good: Path) -> None:
    """Check says how large it is, and log ends before it."""
    with control(init_system(Word, good)) as word:
        word.add("g")
        whole = (good / SECOND).read_bytes().rstrip(b"\0")
        manifest, mark = (good / "MANIFEST").read_bytes(), (good / "HWM").read_bytes()
        word.add("h")
        torn = (good / SECOND).read_bytes()[len(whole) :].rstrip(b"\0")
    (good / "MANIFEST").write_bytes(manifest)
    (good / "HWM").write_bytes(mark)
    (good / SECOND).write_bytes(whole + torn[:-3])
    assert "bytes of a torn tail" in run("check", good)
    assert json.loads(run("log", "--json", "--last", 1, good).splitlines()[-1])["args"] == ["g"]
    assert json.loads(run("show", "--json", "--path", "text", good))["value"] == "abcd-efg"


# --- the command as a program ------------------------------------------------------------------------------------------


def program(*arguments: Any, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run it as it is started from a shell."""
    command = [sys.executable, "-m", "coopy", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, **more)


def test_a_reader_that_goes_is_no_failure(tmp_path: Path) -> None:
    """`coopy log DIR | head -1`: nothing is said, and the status is 0."""
    with control(init_system(Word, tmp_path / "w", durability="buffered")) as word:
        for _ in range(3000):
            word.add("a")
    script = f"set -o pipefail; {sys.executable} -m coopy log {tmp_path / 'w'} | head -1"
    ran = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.endswith("add('a')\n")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_standard_streams_may_be_closed(good: Path, closed: str) -> None:
    """As for a program that is started by a clock: the status is the answer."""
    for command, status in (("status", 0), ("log", 0), ("prune --keep 1", 2)):
        script = f"exec {sys.executable} -m coopy {command} {good} {closed}"
        ran = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
        assert (ran.returncode, "Traceback" in ran.stderr) == (status, False)


def test_output_is_the_same_without_a_terminal(good: Path) -> None:
    """No colour, no bar, no heading, whatever the width; names that the encoding has not are escaped."""
    with control(init_system(Word, good)) as word:
        word.add("ü€")
    plain = program("log", good)
    assert plain.stdout == run("log", good)
    assert "\x1b" not in plain.stdout
    assert plain.stderr == ""
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "20"}
    assert program("log", good, env=ascii_only).stdout == plain.stdout.replace("ü", "\\xfc").replace("€", "\\u20ac")


def test_colours_are_for_a_terminal_only(good: Path) -> None:
    """And not where NO_COLOR is set."""
    script = "import pty, sys; sys.exit(pty.spawn([sys.executable, '-m', 'coopy', 'log', sys.argv[1]]) >> 8)"

    def seen(**more: str) -> str:
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200", **more}
        environment = {name: value for name, value in environment.items() if name != "NO_COLOR" or "NO_COLOR" in more}
        ran = subprocess.run(
            [sys.executable, "-c", script, str(good)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
        return ran.stdout

    assert "\x1b[33mraised" in seen()
    assert "OUTCOME" in seen()
    assert "\x1b" not in seen(NO_COLOR="1")


def test_bars_are_for_a_terminal_only() -> None:
    """On standard error, for what takes a while; nothing of them stays."""
    script = """
from coopy.cli import terminal
terminal.PATIENCE = 60
with terminal.progress("Too quick") as move:
    move(1, 2)
terminal.PATIENCE = 0
with terminal.progress("Checking") as move:
    for done in range(4):
        move(done, 3)
with terminal.waiting("Comparing"):
    pass
"""
    ours, theirs = pty.openpty()
    try:
        seen = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, stderr=theirs, stdout=subprocess.PIPE, env={**os.environ, "TERM": "xterm"}, check=True
        )
        said = os.read(ours, 1 << 16).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert "Checking" in said
    assert "Comparing" in said
    assert "Too quick" not in said
    assert said.rstrip().endswith("\x1b[2K")
    plain = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True)
    assert (seen.stdout, plain.stdout, plain.stderr) == (b"", b"", b"")


def test_what_the_operating_system_refuses_is_told(good: Path) -> None:
    """With the file, and as something that could not be done."""
    where = good / "nowhere" / "file"
    assert run("export", good, "--output", where, code=2) == f"{where} cannot be used: No such file or directory. Nothing was changed.\n"


def test_help_and_completion_load_no_command() -> None:
    """They are quick: nothing that reads a directory is imported."""
    script = """
import sys
from coopy.cli import main
try:
    main(["--help"])
except SystemExit:
    print(*(name in sys.modules for name in ("coopy.engine.check", "rich", "libcst")))
"""
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "False False False"
    environment = {**os.environ, "_COOPY_COMPLETE": "bash_complete", "COMP_WORDS": "coopy re", "COMP_CWORD": "1"}
    script = "from coopy.cli import main; main(prog_name='coopy')"
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ran.stdout.split() == ["plain,rehearse", "plain,repair"]


@pytest.mark.parametrize("name", ["status", "check", "log", "show", "verify", "rehearse", "repair", "prune", "export", "import"])
def test_each_command_explains_itself(name: str) -> None:
    """And tells of an option that it has not."""
    assert f"coopy {name}" in program(name, "--help").stdout if name == "log" else run(name, "--help")
    assert "No such option" in run(name, "--nothing", code=2)


def test_validate_is_the_validator(tmp_path: Path) -> None:
    """With its options and its exit status."""
    (tmp_path / "shop.py").write_text(
        "import time\nfrom coopy import init_system\nclass Shop:\n    def sell(self):\n        self.at = time.time()\ninit_system(Shop)\n"
    )
    assert program("validate", tmp_path / "shop.py").returncode == 1
    found = program("validate", "--format", "json", tmp_path / "shop.py")
    assert json.loads(found.stdout)
    assert "--explain" in program("validate", "--help").stdout
    assert program("validate", "--nothing").returncode == 2
