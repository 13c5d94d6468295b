"""Verify: a journal is replayed by fresh processes, and whatever is wrong with the directory, the class or the moment is said."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

import coopy
from coopy import control, init_system
from coopy.disk import RealDisk
from coopy.error import AuthenticationError, CorruptionError, DivergenceError, NotSerializableError, UsageError
from coopy.wiring import elsewhere
from coopy.wiring.helper import Helper
from tests.words import Word

KEY = b"k" * 32


@dataclasses.dataclass(slots=True)
class Page:
    """A domain class with slots: it has no room for a clock of its own."""

    title: str = ""
    lines: list[str] = dataclasses.field(default_factory=list)

    def write(self, line: str) -> None:
        self.title = self.title or line
        self.lines.append(f"{coopy.clock.now()} {line} {coopy.random.random()}")


class Killing(Word):
    """An action that ends a process which replays it."""

    def act(self) -> None:
        if Path("/proc/self/cmdline").read_bytes().count(b"coopy.fresh"):
            print("no more", flush=True)
            os._exit(9)
        self.text += "!"


class Local(Word):
    """It keeps something that no snapshot can hold."""

    def define(self) -> None:
        class Inside:
            pass

        self.kept.append(Inside())


class Verifying(Word):
    """An action that verifies, where it may not."""

    def act(self, directory: str) -> None:
        try:
            coopy.verify(directory)
        except UsageError as error:
            self.text += f"{error}"


class Label:
    """An object, though nothing ever changes it."""


class Labelling(Word):
    """All that it keeps begins with the one label of the class."""

    default = Label()

    def act(self) -> None:
        self.kept.append(self.default)


class Twice(Word):
    """What it did first shows only when it raises later."""

    def choose(self) -> None:
        self.kept.append(os.getpid())

    def judge(self) -> None:
        if self.kept[0] != os.getpid():
            raise ValueError(self.text)


def grown(directory: Path, letters: str, **options: Any) -> Path:
    """A closed system whose word grew by these letters; a "|" is a snapshot."""
    with control(init_system(Word, directory, **options)) as word:
        for letter in letters:
            if letter == "|":
                control(word).take_snapshot()
            else:
                word.add(letter)
                word.stamp()
    return directory


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}


def children() -> set[int]:
    """The processes that this one has started and that are alive."""
    listed = Path("/proc/self/task").glob("*/children")
    return {int(pid) for file in listed for pid in file.read_text().split()}


# --- what is fine ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("letters", ["", "a", "|", "abc", "ab|cd", "|a|bc|", "a|b|c|d"])
def test_a_deterministic_journal_is_the_same_everywhere(tmp_path: Path, letters: str) -> None:
    """Whatever snapshots there are; no file changes."""
    directory = grown(tmp_path / "w", letters)
    before = contents(directory)
    verified = coopy.verify(directory)
    assert verified.lsn == 2 * len(letters.replace("|", ""))
    assert verified.compared[-1] == verified.lsn
    with control(init_system(Word, tmp_path / "copy")) as word:
        assert (control(word).digest() == verified.digest) == (letters in ("", "|"))
    assert contents(directory) == before


@pytest.mark.parametrize(
    "options", [{"signing_key": KEY}, {"compression": "zstd"}, {"segment_bytes": 4096}, {"durability": "buffered"}], ids=str
)
def test_every_kind_of_directory_is_verified(tmp_path: Path, options: dict[str, Any]) -> None:
    """Signed, compressed, in many segments, buffered."""
    directory = grown(tmp_path / "w", "abcdefghij|klmnop" * 3, **options)
    assert coopy.verify(directory, signing_key=options.get("signing_key")).lsn == 96


def test_slots_are_verified(tmp_path: Path) -> None:
    """And dataclasses."""
    with control(init_system(Page, tmp_path / "p")) as page:
        page.write("a")
        page.write("b")
        assert control(page).verify().digest == control(page).digest()


def test_foreign_classes_are_let_through_as_they_were(tmp_path: Path) -> None:
    """By `allow=`, which a running system knows."""
    with control(init_system(Word, tmp_path / "w", allow=("click",))) as word:
        word.keep(click.FloatRange(1.0, 2.0))
        assert control(word).verify().lsn == 1
    assert coopy.verify(tmp_path / "w", allow=("click",)).lsn == 1
    with pytest.raises(CorruptionError, match="click"):
        coopy.verify(tmp_path / "w")
    with pytest.raises(UsageError, match="allow="):
        coopy.verify(tmp_path / "w", allow="click")


def test_of_very_many_digests_some_are_compared(tmp_path: Path) -> None:
    """The digest of a large state takes longer than its replay."""
    with control(init_system(Word, tmp_path / "w")) as word:
        for _ in range(200):
            word.add("a")
            control(word).digest()
    assert 20 < len(coopy.verify(tmp_path / "w").compared) < 50


def test_a_state_that_no_snapshot_can_hold_is_verified(tmp_path: Path) -> None:
    """There is none in the middle then."""
    with control(init_system(Local, tmp_path / "d")) as local:
        for _ in range(4):
            local.define()
        with pytest.raises(NotSerializableError, match="'kept'"):
            control(local).take_snapshot()
    assert coopy.verify(tmp_path / "d").lsn == 4


def test_a_running_system_is_verified_up_to_where_it_was(tmp_path: Path) -> None:
    """Calls go on, and what was found is in the journal: the next one compares with it."""
    with control(init_system(Word, tmp_path / "w")) as word:
        word.add("a")
        first = control(word).verify()
        word.add("b")
        second = control(word).verify()
        word.add("c")
    assert (first.lsn, second.lsn) == (1, 2)
    assert {1, 2} <= set(coopy.verify(tmp_path / "w").compared)


WRITER = """
import sys
from coopy import control, init_system
from tests.words import Word
with control(init_system(Word, sys.argv[1], segment_bytes=4096, auto_prune=True, keep_snapshots=2)) as word:
    word.add("a")
    print("open", flush=True)
    for number in range(1000000):
        word.add("b")
        if number % 50 == 0:
            word.take_snapshot()
        if number == 400:
            print("much", flush=True)
"""


def test_a_directory_that_somebody_writes_and_prunes_is_verified(tmp_path: Path) -> None:
    """Or it says that what it wanted is gone; never that something is damaged."""
    path = os.pathsep.join(sys.path)
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, tmp_path / "w"], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    )
    assert writer.stdout is not None
    try:
        assert writer.stdout.readline() == b"open\n"
        assert writer.stdout.readline() == b"much\n"
        for _ in range(2):
            try:
                coopy.verify(tmp_path / "w")
            except UsageError as error:
                assert "pruned" in str(error)
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()
    assert coopy.verify(tmp_path / "w").lsn > 400


def test_what_verify_reads_is_kept_as_long_as_it_reads(tmp_path: Path) -> None:
    """A running system that takes snapshots and prunes all the time is verified, and drops again what need not stay when that is over."""
    with (
        control(init_system(Word, tmp_path / "w", segment_bytes=4096, auto_prune=True, keep_snapshots=2)) as word,
        ThreadPoolExecutor() as beside,
    ):
        word.add("a")
        verified = beside.submit(control(word).verify)
        while not verified.done():
            word.add("a")
            control(word).take_snapshot()
        assert verified.result().lsn > 0
        word.add("a")
        control(word).take_snapshot()
        assert len(control(word).stats().snapshot_lsns) == 2


def test_a_replica_is_verified(tmp_path: Path) -> None:
    """Running and closed; nothing is written into the journal that is its primary's."""
    primary = init_system(Word, tmp_path / "p", master=True, port=0)
    port = control(primary).address[1]
    primary.add("a")
    replica = init_system(Word, tmp_path / "r", replication=True, port=port)
    primary.add("b")
    control(replica).wait_for(control(primary).token, 60)
    assert control(replica).verify().lsn == 2
    assert control(primary).verify().digest == control(replica).digest()
    control(replica).close()
    control(primary).close()
    assert coopy.verify(tmp_path / "r").lsn == 2


def test_two_at_once(tmp_path: Path) -> None:
    """Each has its own processes."""
    directory = grown(tmp_path / "w", "ab|c")
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(coopy.verify, [directory, directory])
    assert one == other


def test_a_machine_without_locales_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What depends on one is the same on both sides then; where there are two, nothing is said."""
    with control(init_system(Word, tmp_path / "w")) as word:
        word.add("a")
    monkeypatch.setattr(elsewhere, "LOCALES", ("C",))
    found = coopy.verify(tmp_path / "w")
    assert found.locales == ("C",)
    said = " This machine has no locale but C: what depends on one would not have shown."
    assert str(found).endswith(said)
    assert said not in str(msgspec.structs.replace(found, locales=("C", "de_DE.UTF-8")))


def test_a_torn_end_is_no_difference(tmp_path: Path) -> None:
    """It was never acknowledged; it stays for the next opening to cut it off."""
    directory = tmp_path / "w"
    child = f"from tests.functional.test_verify import *\nword = init_system(Word, {str(directory)!r}); word.add('a'); word.add('b'); os._exit(0)"
    subprocess.run([sys.executable, "-c", child], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, check=True)
    assert coopy.verify(directory).lsn == 2
    [segment] = directory.glob("journal-*")
    segment.write_bytes(segment.read_bytes().rstrip(b"\0")[:-3])
    before = contents(directory)
    assert coopy.verify(directory).lsn == 1
    assert contents(directory) == before
    with control(init_system(Word, directory)) as word:
        assert word.text == "a"


# --- scripts ---------------------------------------------------------------------------------------------------------

SCRIPT = """
import os, sys
import coopy
from coopy import control, init_system

class Wiki:
    class Page:
        def __init__(self, text): self.text = text
    def __init__(self): self.pages = {}
    def write(self, name, text): self.pages[name] = Wiki.Page(text)

GUARD
    wiki = init_system(Wiki, sys.argv[-1] + "/w", validation="off")
    wiki.write("a", "b")
    wiki.write("c", "d")
    print(control(wiki).verify().lsn)
    wiki.close()
    print(coopy.verify(sys.argv[-1] + "/w").lsn)
"""


def script(folder: Path, guard: str, *command: str) -> subprocess.CompletedProcess[str]:
    (folder / "package").mkdir()
    (folder / "package/program.py").write_text(SCRIPT.replace("GUARD", guard))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
    return subprocess.run(
        [sys.executable, *command, folder], capture_output=True, text=True, check=False, env=environment, cwd=folder, timeout=60
    )


@pytest.mark.parametrize("command", [("package/program.py",), ("-m", "package.program")], ids=["path", "module"])
def test_the_class_of_a_script_is_found(tmp_path: Path, command: tuple[str, ...]) -> None:
    """By running it again under another name."""
    done = script(tmp_path, 'if __name__ == "__main__":', *command)
    assert (done.stdout, done.stderr) == ("2\n2\n", "")


def test_a_script_that_does_its_work_whoever_runs_it_is_told_so(tmp_path: Path) -> None:
    """It opens nothing a second time."""
    done = script(tmp_path, "if True:", "package/program.py")
    assert 'under `if __name__ == "__main__":` only' in done.stderr.splitlines()[-1]
    assert done.stdout == ""


def test_a_script_that_verifies_whoever_runs_it_is_told_so(tmp_path: Path) -> None:
    """Or each process that looks for its class would start others that do."""
    done = script(tmp_path, 'if __name__ == "__main__":', "package/program.py")
    assert done.returncode == 0
    program = tmp_path / "package/program.py"
    program.write_text(SCRIPT.partition("GUARD")[0] + f"coopy.verify({str(tmp_path / 'w')!r})")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False, env=environment, cwd=tmp_path, timeout=60)
    assert 'under `if __name__ == "__main__":` only' in told.stderr.splitlines()[-1]


APP = """
from coopy import init_system
class Wiki:
    def __init__(self): self.text = ""
    def write(self, text): self.text += text
wiki = init_system(Wiki, DIRECTORY, validation="off")
"""


def module(folder: Path, name: str, text: str, patch: pytest.MonkeyPatch) -> None:
    (folder / f"{name}.py").write_text(text)
    patch.syspath_prepend(folder)
    patch.setattr(sys, "dont_write_bytecode", True)


def test_a_module_that_opens_its_system_is_told_to_keep_the_class_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not opened by the process that only looks for the class."""
    module(tmp_path, "verify_app", APP.replace("DIRECTORY", repr(str(tmp_path / "w"))), monkeypatch)
    import verify_app  # type: ignore[import-not-found]

    verify_app.wiki.write("a")
    control(verify_app.wiki).close()
    before = contents(tmp_path / "w")
    with pytest.raises(UsageError, match="open no system while a module is imported"):
        coopy.verify(tmp_path / "w")
    assert contents(tmp_path / "w") == before


def made(folder: Path, name: str, text: str, patch: pytest.MonkeyPatch) -> Path:
    """A closed system of a class in a module whose text can be changed then."""
    module(folder, name, text, patch)
    kind = __import__(name).Wiki
    with control(init_system(kind, folder / "w", validation="off")) as wiki:
        wiki.write("a")
        wiki.write("b")
    return folder / "w"


WIKI = """
class Wiki:
    def __init__(self): self.text = ""
    def write(self, text): self.text += text
"""


def test_a_class_that_is_gone_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a module that is."""
    directory = made(tmp_path, "verify_gone", WIKI, monkeypatch)
    (tmp_path / "verify_gone.py").write_text("class Other: ...\n")
    with pytest.raises(UsageError, match="verify_gone:Wiki"):
        coopy.verify(directory)
    (tmp_path / "verify_gone.py").unlink()
    with pytest.raises(UsageError, match="ModuleNotFoundError"):
        coopy.verify(directory)


def test_what_an_import_prints_is_in_nobodys_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even if it is more than a pipe holds, on either output."""
    loud = "import os, sys\nprint('x' * 300_000)\nos.write(1, b'y' * 100)\nprint('z' * 300_000, file=sys.stderr)\n"
    directory = made(tmp_path, "verify_loud", WIKI, monkeypatch)
    (tmp_path / "verify_loud.py").write_text(loud + WIKI)
    assert coopy.verify(directory).lsn == 2


def test_whoever_asks_for_input_gets_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of waiting for somebody to type."""
    directory = made(tmp_path, "verify_asking", WIKI, monkeypatch)
    (tmp_path / "verify_asking.py").write_text("input()\n" + WIKI)
    with pytest.raises(UsageError, match="EOFError"):
        coopy.verify(directory)


def test_a_file_that_a_module_misses_is_not_taken_for_one_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named."""
    directory = made(tmp_path, "verify_lacking", WIKI, monkeypatch)
    (tmp_path / "verify_lacking.py").write_text("open('settings.ini')\n" + WIKI)
    with pytest.raises(UsageError, match=r"settings\.ini"):
        coopy.verify(directory)


def test_code_that_was_changed_is_found_by_what_was_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replays agree with each other, and not with the snapshot."""
    directory = made(tmp_path, "verify_changed", WIKI, monkeypatch)
    with control(init_system(__import__("verify_changed").Wiki, directory, validation="off")) as wiki:
        control(wiki).take_snapshot()
        wiki.write("c")
    (tmp_path / "verify_changed.py").write_text(WIKI.replace("+= text", "+= text.upper()"))
    with pytest.raises(DivergenceError, match="not with the snapshot at LSN 2") as caught:
        coopy.verify(directory)
    assert (caught.value.after, caught.value.lsn, caught.value.method) == (0, 2, "")


SETTINGS = """
    def __setstate__(self, state):
        vars(self).update(state)
        open("/nowhere/settings.ini")
"""


def test_a_file_that_a_state_misses_is_not_taken_for_one_of_ours_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When it is loaded."""
    directory = made(tmp_path, "verify_reading", WIKI, monkeypatch)
    (tmp_path / "verify_reading.py").write_text(WIKI + SETTINGS)
    with pytest.raises(UsageError, match=r"settings\.ini"):
        coopy.verify(directory)


# --- what is wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [lambda _: None, Path.mkdir], ids=["missing", "empty"])
def test_a_directory_without_history_is_said_to_be_one(tmp_path: Path, make: Any) -> None:
    """And is not made."""
    make(tmp_path / "w")
    with pytest.raises(UsageError, match="holds no system yet"):
        coopy.verify(tmp_path / "w")


def test_the_wrong_key_is_no_difference(tmp_path: Path) -> None:
    """Nor is none."""
    directory = grown(tmp_path / "w", "ab", signing_key=KEY)
    for key in (None, b"x" * 32):
        with pytest.raises(AuthenticationError):
            coopy.verify(directory, signing_key=key)


@pytest.mark.parametrize(
    "name",
    [
        "journal-00000000000000000001.log",
        "journal-00000000000000000005.log",
        "snapshot-00000000000000000000.snap",
        "snapshot-00000000000000000004.snap",
    ],
)
def test_damage_is_named_by_its_file(tmp_path: Path, name: str) -> None:
    """It is never taken for a difference."""
    directory = grown(tmp_path / "w", "ab|cd")
    data = bytearray((directory / name).read_bytes())
    data[len(data.rstrip(b"\0")) - 60] ^= 1
    (directory / name).write_bytes(data)
    with pytest.raises(CorruptionError, match=name):
        coopy.verify(directory)


@pytest.mark.parametrize("which", [min, max])
def test_a_damaged_snapshot_beside_others_is_said_to_be_one(tmp_path: Path, which: Any) -> None:
    """Not that none can be read: an opening takes another."""
    directory = grown(tmp_path / "w", "ab|cd")
    path = which(directory.glob("snapshot-*"))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptionError, match=r"An opening takes another snapshot") as caught:
        coopy.verify(directory)
    assert str(caught.value).startswith(str(path))
    assert caught.value.path == str(path)


def test_a_directory_whose_name_is_no_utf_8_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And rehearsed, and a fresh process writes its snapshots, and what is wrong with it is said."""
    monkeypatch.setattr(Helper, "why_not", lambda _self: "")
    monkeypatch.setattr(RealDisk, "can_fork", lambda _self: False)
    directory = tmp_path / os.fsdecode(b"w\xff")
    with control(init_system(Word, directory)) as word:
        word.add("a")
        assert control(word).verify().directory == str(directory)
        assert control(word).take_snapshot(background=True) == control(word).wait_snapshot() == 1
    found = coopy.rehearse(directory, Word)
    assert (found.directory, found.safe) == (str(directory), True)
    journal = min(directory.glob("journal-*"))
    journal.write_bytes(journal.read_bytes()[:100])
    with pytest.raises(CorruptionError) as caught:
        coopy.verify(directory)
    assert caught.value.path == str(journal)


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    """It is told apart from one that is not there."""
    (tmp_path / "w").write_text("")
    with pytest.raises(UsageError, match="it is a file"):
        coopy.verify(tmp_path / "w")


def test_an_action_that_ends_the_process_is_said_to(tmp_path: Path) -> None:
    """With its last words."""
    with control(init_system(Killing, tmp_path / "k", validation="off")) as word:
        word.add("a")
        word.act()
    with pytest.raises(UsageError, match=r"\(9\).*no more"):
        coopy.verify(tmp_path / "k")


def test_what_raises_later_is_traced_to_where_states_differ(tmp_path: Path) -> None:
    """The first difference is named, not the first that a caller would have seen."""
    with control(init_system(Twice, tmp_path / "t", validation="off")) as word:
        word.add("a")
        word.choose()
        word.add("b")
        word.judge()
    with pytest.raises(DivergenceError) as caught:
        coopy.verify(tmp_path / "t")
    assert (caught.value.lsn, caught.value.method) == (2, "choose")


def test_an_object_that_a_class_gives_to_many_is_told_for_what_it_is(tmp_path: Path) -> None:
    """A snapshot parts those before it from those behind it: that is no order of a set."""
    with control(init_system(Labelling, tmp_path / "l")) as word:
        word.act()
        control(word).take_snapshot()
        word.act()
        with pytest.raises(
            DivergenceError, match=r"kept\[1\].* What is one object there is several here: .*as a default is.*a factory.*frozen dataclass"
        ):
            control(word).verify()


# --- when ------------------------------------------------------------------------------------------------------------


def test_a_closed_system_is_verified_by_its_directory(tmp_path: Path) -> None:
    """The control of a closed one verifies too, and records nothing."""
    word = init_system(Word, tmp_path / "w")
    word.add("a")
    word.close()
    before = contents(tmp_path / "w")
    assert control(word).verify().lsn == 1
    assert contents(tmp_path / "w") == before


def test_it_is_refused_inside_of_an_action(tmp_path: Path) -> None:
    """It would replay that action, too, which would verify."""
    with control(init_system(Verifying, tmp_path / "v", validation="off")) as word:
        word.act(str(tmp_path / "v"))
        assert "inside of an action" in word.text
        assert control(word).verify().lsn == 1


HANGING = """
import os, pathlib, sys, threading
if "coopy.fresh" in " ".join(sys.orig_argv):
    with open(FIFO, "wb", buffering=0) as fifo:
        fifo.write(b"1")
        threading.Event().wait()
"""


def test_an_interrupt_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here of an import that never ends."""
    directory = made(tmp_path, "verify_hanging", WIKI, monkeypatch)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    (tmp_path / "verify_hanging.py").write_text(HANGING.replace("FIFO", repr(str(fifo))) + WIKI)
    before = children()

    def interrupt() -> None:
        with fifo.open("rb", buffering=0) as heard:
            assert heard.read(1) == b"1"
            assert children() > before
            os.kill(os.getpid(), signal.SIGINT)
            while heard.read(1):  # until no process holds the other end
                pass

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        coopy.verify(directory)
    thread.join()
    assert children() == before
