"""Bad input gets an error that says what happened; nothing is created, changed or lost."""

from __future__ import annotations

import json.decoder  # noqa: F401 - so that it is loaded
import math
import os
import pickle
import sys
import threading
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from coopy import control, init_system, random
from coopy.codec import PICKLE
from coopy.error import CorruptionError, DivergenceError, NotSerializableError, UsageError
from coopy.journal.frame import stored
from coopy.wiring.systems import _systems
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

join = os.path.join  # a function that this module has, as a domain's module might


class Needy:
    def __init__(self, what: str) -> None:
        self.what = what


class Maker:
    """Its instances are of another class."""

    def __new__(cls) -> Any:
        return Word()


class Readable(Protocol):
    """No class to make objects of."""

    def read(self) -> str: ...


class Holder:
    def __init__(self) -> None:
        self.me = self  # in which is all of it, and so what is to blame
        self.held = threading.Lock()

    def act(self) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    "options",
    [
        {"snapshot_time": -1}, {"durability": "often"}, {"keep_snapshots": 0}, {"compression": "zip"}, {"signing_key": b""}, {"allow": ("a b",)},
        {"on_divergence": "?"}, {"master": 1}, {"replication": 1}, {"cluster": "nats://:"}, {"min_acks": 1}, {"port": 1}, {"segment_bytes": 1},
        {"snapshot_time": math.inf}, {"snapshot_time": math.nan}, {"snapshot_time": 1e10}, {"snapshot_time": None}, {"sync_interval": math.inf},
        {"keep_snapshots": 2.0}, {"keep_snapshots": 2.5}, {"keep_snapshots": True}, {"segment_bytes": 1e6}, {"segment_bytes": 1 << 38}, {"allow": "dom:Box"},
        {"allow": 5}, {"allow": b"dom"}, {"allow": (5,)}, {"on_progress": 5}, {"auto_prune": "no"}, {"auto_prune": 1}, {"signing_key": bytearray(b"x")},
        {"durability": ["sync"]},
    ],
)  # fmt: skip
def test_a_wrong_option_is_named(tmp_path: Path, options: dict[str, Any]) -> None:
    """And nothing is created."""
    with pytest.raises(UsageError, match=next(iter(options))):
        init_system(Word(), tmp_path / "w", **options)
    assert not (tmp_path / "w").exists()


def test_a_missing_extra_is_named_before_anything_is_created(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(UsageError, match=r"pip install .coopy\[zstd\]"):
        init_system(Word(), tmp_path / "w", compression="zstd")
    assert not (tmp_path / "w").exists()


def test_names_to_let_through_may_come_from_anywhere(tmp_path: Path) -> None:
    """Whatever can be iterated."""
    with control(init_system(Word(), tmp_path / "w", allow=(name for name in ["json"]))) as word:
        assert word.add("a") == "a"


PLACES: list[Any] = [
    "", "file", "file/deeper", "file/deeper/still", "dangling", "dangling/deeper", "circle", "x" * 300, "a\0b", b"bytes", 5, os.fsencode, object(),
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES, ids=lambda one: repr(one)[:20])
def test_a_place_that_cannot_be_is_refused(tmp_path: Path, place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By an error of coopy's that names it; nothing is left there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "circle").symlink_to("circle")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UsageError) as caught:
        init_system(Word(), place)
    assert (repr(place) if type(place) is not str or "\0" in place else place) in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before


def test_an_error_of_the_domains_own_passes_the_creation(tmp_path: Path) -> None:
    """Also one that looks like the operating system's."""

    class Reader:
        def __init__(self) -> None:
            raise FileNotFoundError("settings")

    with pytest.raises(FileNotFoundError, match="settings"):
        init_system(Reader, tmp_path / "w")
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize("obj", [3, None, [], "Word", len, lambda: 0])
def test_only_own_classes_can_be_domains(tmp_path: Path, obj: Any) -> None:
    """Neither values nor functions."""
    with pytest.raises(UsageError):
        init_system(obj, tmp_path / "w")


def test_a_class_that_needs_arguments_is_refused(tmp_path: Path) -> None:
    """The error says to pass an instance."""
    with pytest.raises(UsageError, match="instance"):
        init_system(Needy, tmp_path / "w")
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize(("kind", "why"), [(Maker, r"Maker\(\) makes a tests.words.Word"), (Readable, "Readable is abstract")])
def test_a_class_that_does_not_make_its_own_objects_is_refused(tmp_path: Path, kind: Any, why: str) -> None:
    """A directory of its name would hold an object of another class, and nobody could open it again."""
    with pytest.raises(UsageError, match=why):
        init_system(kind, tmp_path / "w", validation="off")
    assert not (tmp_path / "w").exists()


def test_a_working_directory_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path leads nowhere then; a whole one is as good as ever."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(UsageError, match=r"basedir='w' leads from the working directory, which was deleted"):
        init_system(Word(), "w")
    with control(init_system(Word(), tmp_path / "w")) as word:
        assert word.add("a") == "a"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("jsonn:Decoder", "there is no module jsonn."),
        ("json", ""),
        ("json.decoder:JSONDecoder", ""),
        ("xml.zork:Zork", ""),  # what is not imported yet is not imported to look
        ("json.decoder:Zork", "there is no class Zork in json.decoder."),
        ("json:dumps", "json.dumps is not a class"),
        ("json:JSONDecoder", "json.JSONDecoder is really json.decoder.JSONDecoder"),
    ],
)
def test_a_name_that_lets_nothing_through_is_told(tmp_path: Path, name: str, why: str, caplog: pytest.LogCaptureFixture) -> None:
    """It is misspelt, most of all, and the class that was meant is refused when it comes."""
    assert "json.decoder" in sys.modules
    with control(init_system(Word(), tmp_path / "w", allow=(name,))) as word:
        assert word.add("a") == "a"
    assert [f"allow={name!r} lets nothing through: {why}" in text for text in caplog.messages] == [True] * bool(why)


def test_a_proxy_is_no_domain_and_no_argument(tmp_path: Path) -> None:
    """It stands for a system that is open already."""
    with control(init_system(Word(), tmp_path / "w")) as word:
        with pytest.raises(UsageError, match="proxy"):
            init_system(word, tmp_path / "v")
        with pytest.raises(UsageError, match="proxy"):
            word.keep(word)  # type: ignore[coopy-pickle]
        with pytest.raises(UsageError, match="proxy"):
            pickle.dumps(word)
        with pytest.raises(NotSerializableError, match=r"argument 1 cannot be recorded: \S+\.add is a function"):
            word.keep(word.add)
        with pytest.raises(NotSerializableError, match=r"argument 1 cannot be recorded: list\.append is a function"):
            word.keep([].append)
        assert word.kept == []


@pytest.mark.parametrize(("given", "named"), [(Word, "The class Word"), (Word(), "Word"), (None, "NoneType")])
def test_what_is_no_proxy_is_told_as_what_it_is(given: Any, named: str) -> None:
    """The class instead of the system, most of all."""
    with pytest.raises(UsageError, match=f"^{named} is not a proxy of coopy: pass what init_system gave"):
        control(given)


def test_an_initial_state_that_cannot_be_stored_is_refused(tmp_path: Path) -> None:
    """The error names the attribute, and nothing is created."""
    with pytest.raises(NotSerializableError, match="held"):
        init_system(Holder(), tmp_path / "w")
    assert not (tmp_path / "w").exists()


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    """It stays as it is."""
    (tmp_path / "w").write_text("mine")
    with pytest.raises(UsageError, match="w"):
        init_system(Word(), tmp_path / "w")
    assert (tmp_path / "w").read_text() == "mine"


def test_a_world_writable_directory_is_refused(tmp_path: Path) -> None:
    """Anybody could plant a record."""
    (tmp_path / "w").mkdir()
    (tmp_path / "w").chmod(0o777)
    with pytest.raises(UsageError, match="w"):
        init_system(Word(), tmp_path / "w")


def planted(directory: Path, payload: bytes) -> None:
    """A record that is framed and tagged as it should be, with a payload that no call of ours makes."""
    word = init_system(Word(), directory, durability="buffered")
    journal = _systems[type(word)].engine.journal
    journal.append(*stored(PICKLE, payload), journal.time_us + 1, 0)
    control(word).close()


class Shell:
    def __reduce__(self) -> Any:
        return os.system, ("true > planted",)


@pytest.mark.parametrize(
    "payload",
    [
        pickle.dumps(("keep", (Shell(),), {})),
        pickle.dumps(("keep", (join,), {})),
        b"\x80\x05ctests.functional.test_bad_input\njoin\n.",
        b"\x80\x05ctests.functional.test_bad_input\nos.system\n.",
        b"\x80\x05cbuiltins\neval\n.",
        b"\x80\x05Pxx\n.",
        b"\x80\x05\x82\x01.",
        b"\x80\x05\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"\x80\x05r\xff\xff\xff\x7f.",
        b"\x80\x05" + b"]" * 1000,
        b"\x80\x63.",
        b"",
    ],
)
def test_a_planted_pickle_opens_nothing_and_runs_nothing(tmp_path: Path, payload: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a call of os.system nor a function that the domain's own module imports."""
    planted(tmp_path / "w", payload)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CorruptionError):
        init_system(Word, tmp_path / "w")
    assert not (tmp_path / "planted").exists()


class Unsteady(Word):
    """A domain whose code changes between two starts."""

    broken = False

    def act(self) -> None:
        if Unsteady.broken:
            raise KeyError("changed")


def test_code_that_no_longer_does_what_was_recorded_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names LSN and method, and the old code still opens the directory."""
    with control(init_system(Unsteady(), tmp_path / "w")) as word:
        word.add("a")
        word.act()
    monkeypatch.setattr(Unsteady, "broken", True)
    with pytest.raises(DivergenceError, match="LSN 2") as caught:
        init_system(Unsteady, tmp_path / "w")
    assert (caught.value.lsn, caught.value.method) == (2, "act")
    with control(init_system(Unsteady, tmp_path / "w", on_divergence="warn")) as word:
        assert control(word).stats().divergences == 1
    monkeypatch.setattr(Unsteady, "broken", False)
    monkeypatch.delattr(Unsteady, "act")
    with pytest.raises(DivergenceError, match="act"):
        init_system(Unsteady, tmp_path / "w")


@pytest.mark.parametrize(("words", "said"), [((), r"builtins\.OSError\. Nothing"), (("Gone.",), r"builtins\.OSError: Gone\. Nothing")])
def test_what_differs_is_told_in_whole_sentences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    """Also where the exception says nothing, or ends with a full stop itself."""
    with control(init_system(Unsteady(), tmp_path / "w", validation="off")) as word:
        word.act()

    def act(_self: Unsteady) -> None:
        raise OSError(*words)

    monkeypatch.setattr(Unsteady, "act", act)
    with pytest.raises(DivergenceError, match=said):
        init_system(Unsteady, tmp_path / "w", validation="off")


def test_outside_of_actions_chance_is_the_systems_own() -> None:
    """Two draws differ, and nothing is recorded."""
    draw: Callable[[], str] = random.token_hex
    assert draw() != draw()


def test_a_tilde_is_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a shell; of a user who has none, an error says so."""
    monkeypatch.setenv("HOME", str(tmp_path))
    with control(init_system(Word, "~/w")) as word:
        assert control(word).basedir_abspath() == [str(tmp_path / "w")]
    with pytest.raises(UsageError, match="home directory"):
        init_system(Word, "~nobody-of-this-name/w")
