"""`coopy export` and `coopy import`: everything as JSON lines, and back."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import pytest

from coopy import clock, control, init_system, once, random
from tests.functional.test_command import DAMAGE, fill, run
from tests.words import Word

if TYPE_CHECKING:
    from pathlib import Path


class Diary:
    """Keeps when something was written, and in which order."""

    def __init__(self) -> None:
        self.pages: list[Any] = []

    def write(self, text: str) -> None:
        self.pages.append((clock.now(), text))

    def draw(self) -> None:
        if random.random() < 2:
            self.pages.append(random.random())

    def leave(self) -> None:
        self.pages.append("left")
        raise SystemExit(3)

    def refuse(self, word: str = "no") -> None:
        raise KeyError(word)


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """A file with all of a system."""
    fill(tmp_path / "w")
    run("export", tmp_path / "w", "--output", tmp_path / "w.jsonl")
    return tmp_path / "w.jsonl"


def digest_of(directory: Path, kind: Any = Word) -> str:
    """Of the state."""
    with control(init_system(kind, directory)) as system:
        return control(system).digest()


def changed(file: Path, number: int, **fields: Any) -> None:
    """Other fields in a line."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    lines[number] |= fields
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_what_leaves_can_arrive(tmp_path: Path, exported: Path) -> None:
    """The same state, calls, times and outcomes; what was undone is left out."""
    assert "is made, up to LSN 6" in run("import", exported, tmp_path / "new")
    assert digest_of(tmp_path / "new") == digest_of(tmp_path / "w")
    old, new = ([json.loads(line) for line in run("log", "--json", tmp_path / name).splitlines()] for name in ("w", "new"))
    happened = [one for one in old if one["outcome"] != "skipped"]
    assert [{**one, "lsn": 0} for one in new] == [{**one, "lsn": 0} for one in happened]
    assert stat.S_IMODE(exported.stat().st_mode) == 0o600
    run("check", tmp_path / "new")


def test_an_action_arrives_with_its_time_and_its_key(tmp_path: Path) -> None:
    """So what it made of its time is the same, and it happens once there too. Chance is drawn anew."""
    with control(init_system(Diary, tmp_path / "d")) as diary:
        diary.write("a")
        with once("k"):
            diary.write("b")
        with pytest.raises(KeyError):
            diary.refuse()
    run("export", tmp_path / "d", "--output", tmp_path / "d.jsonl")
    run("import", tmp_path / "d.jsonl", tmp_path / "new")
    assert digest_of(tmp_path / "new", Diary) == digest_of(tmp_path / "d", Diary)
    with control(init_system(Diary, tmp_path / "new")) as diary:
        with once("k"):
            diary.write("b")
        assert len(diary.pages) == 2


def test_an_action_that_ends_by_what_ends_programs_arrives_like_any_other(tmp_path: Path) -> None:
    """SystemExit, KeyboardInterrupt: it is how that action ends, and does not end the import."""
    with control(init_system(Diary, tmp_path / "d")) as diary:
        for _ in range(2):
            with pytest.raises(SystemExit):
                diary.leave()
    run("export", tmp_path / "d", "--output", tmp_path / "d.jsonl")
    assert "is made, up to LSN 2" in run("import", tmp_path / "d.jsonl", tmp_path / "new")
    assert digest_of(tmp_path / "new", Diary) == digest_of(tmp_path / "d", Diary)
    assert run("log", tmp_path / "new").count("raised    leave()") == 2


def test_a_pruned_journal_arrives_from_its_state_on(tmp_path: Path) -> None:
    """Where the journal reaches further back than the oldest state, what is before that is history only."""
    fill(tmp_path / "w")
    with control(init_system(Word, tmp_path / "w", keep_snapshots=1)) as word:
        control(word).take_snapshot()
        word.add("g")
    run("export", tmp_path / "w", "--output", tmp_path / "a.jsonl")
    kinds = [next(iter(json.loads(line))) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert kinds == ["coopy", *["lsn"] * 7, "state", "lsn", "end"]
    run("prune", "--yes", tmp_path / "w")
    run("export", tmp_path / "w", "--output", tmp_path / "b.jsonl")
    for name in ("a", "b"):
        assert "up to LSN 1" in run("import", tmp_path / f"{name}.jsonl", tmp_path / name)
        assert digest_of(tmp_path / name) == digest_of(tmp_path / "w")


def test_people_may_arrive_with_lines_of_their_own(tmp_path: Path) -> None:
    """Methods and arguments are enough."""
    lines = [
        {"coopy": 1, "domain": "tests.words:Word"},
        {"method": "add", "args": ["a"]},
        {"method": "keep", "args": [{"$tuple": [1, {"$date": "2026-01-31"}]}]},
        {"end": 2},
    ]
    (tmp_path / "own.jsonl").write_text("\n".join(map(json.dumps, lines)))
    run("import", tmp_path / "own.jsonl", tmp_path / "w")
    assert run("log", tmp_path / "w").splitlines()[1].endswith("keep((1, datetime.date(2026, 1, 31)))")


@pytest.mark.parametrize("method", ["nothing", "_private", "read", "__init__", "text"])
def test_what_is_no_action_does_not_arrive(tmp_path: Path, method: str) -> None:
    """And nothing is there then."""
    lines = [{"coopy": 1, "domain": "tests.words:Word"}, {"method": method}, {"end": 1}]
    (tmp_path / "own.jsonl").write_text("\n".join(map(json.dumps, lines)))
    run("import", tmp_path / "own.jsonl", tmp_path / "w", code=2)
    assert [path.name for path in tmp_path.iterdir()] == ["own.jsonl"]


def test_an_action_that_ends_otherwise_stops_the_import(tmp_path: Path, exported: Path) -> None:
    """Nothing is there then; with --on-divergence warn it is told, and all is there."""
    changed(exported, 2, outcome="raised", error="builtins.KeyError")
    said = run("import", exported, tmp_path / "new", code=1)
    assert "LSN 1 (add) was expected to raise builtins.KeyError, here it would return" in said
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "new.importing").exists()
    said = run("import", exported, tmp_path / "new", "--on-divergence", "warn", code=1)
    assert "1 actions ended otherwise" in said
    assert digest_of(tmp_path / "new") == digest_of(tmp_path / "w")


BROKEN: dict[str, tuple[int, Any, str]] = {
    "no JSON": (4, "{", "no JSON"),
    "half a line": (4, '{"lsn": 3, "meth', "no JSON"),
    "no object": (4, "[]", "no JSON object"),
    "nothing": (4, "", "no JSON"),
    "too deep": (4, "[" * 100_000, "no JSON"),
    "no action": (4, "{}", "neither an action"),
    "no action of the class": (4, '{"method": "gone", "args": []}', "has no action 'gone'"),
    "an argument that is none": (4, '{"method": "add", "args": [{"$bytes": 1}]}', "$bytes: "),
    "a line too few": (4, None, "ends behind 6 actions"),
    "no end": (9, None, "ends behind 7 actions"),
    "something behind the end": (10, "{}", "follows the last line"),
    "a second state": (4, '{"state": 1, "pickle": ""}', "second state"),
    "a state that is none": (1, '{"state": 1}', "'pickle' is missing"),
    "no base64": (1, '{"state": 1, "pickle": "*"}', "no base64"),
    "another version": (0, '{"coopy": 2}', "not the first line"),
    "no first line": (0, '{"end": 0}', "not the first line"),
    "a domain that is none": (0, '{"coopy": 1, "domain": "x"}', "not the first line"),
    "an object without a pickle": (4, '{"method": "add", "args": [{"$object": "a:B"}]}', "$object"),
    "arguments that are none": (4, '{"method": "add", "args": 5}', "it is no call"),
    "a method that is none": (4, '{"method": 5}', "it is no call"),
    "a time that is none": (4, '{"method": "add", "time": "noon"}', "noon"),
    "a time without a zone": (4, '{"method": "add", "time": "2026-01-31"}', "no zone"),
    "an LSN that is none": (4, '{"method": "add", "lsn": "x"}', "LSN"),
    "a pickle that is none": (4, '{"method": "add", "pickle": "AAAA"}', "cannot be decoded"),
    "a hostile pickle": (4, '{"method": "add", "pickle": "Y29zCnN5c3RlbQooUyd0b3VjaCBoYWNrZWQnCnRSLg=="}', "not let through"),
}


@pytest.mark.parametrize(("number", "line", "why"), BROKEN.values(), ids=BROKEN.keys())
def test_a_file_with_a_broken_line_creates_nothing(tmp_path: Path, exported: Path, number: int, line: Any, why: str) -> None:
    """The line is named."""
    lines = exported.read_text().splitlines()
    lines[number : number + 1] = [] if line is None else [line]
    exported.write_text("\n".join(lines))
    said = run("import", exported, tmp_path / "new", code=2)
    assert why in said
    assert f"{exported}, line " in said
    assert "Nothing was created" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w", "w.jsonl"]


def test_nothing_is_written_over(tmp_path: Path, exported: Path) -> None:
    """Neither a directory, nor a file, nor what an import that was cut off has left."""
    assert "is there already" in run("import", exported, tmp_path / "w", code=2)
    assert "is there already" in run("export", tmp_path / "w", "--output", exported, code=2)
    (tmp_path / "new.importing").mkdir()
    assert "left over from an import" in run("import", exported, tmp_path / "new", code=2)
    (tmp_path / "empty").mkdir()
    assert "is made" in run("import", exported, tmp_path / "empty")


def test_an_export_that_meets_damage_leaves_no_file(tmp_path: Path) -> None:
    """On standard output it ends without the line that says that it is whole."""
    fill(tmp_path / "w")
    DAMAGE["a bit in a new record"](tmp_path / "w")
    run("export", tmp_path / "w", "--output", tmp_path / "w.jsonl", code=1)
    assert not (tmp_path / "w.jsonl").exists()
    assert '{"end"' not in run("export", tmp_path / "w", code=1)


def test_a_class_that_is_not_there_cannot_arrive(tmp_path: Path, exported: Path) -> None:
    """It is named."""
    changed(exported, 0, domain="nowhere:Word")
    assert "The class nowhere:Word" in run("import", exported, tmp_path / "new", code=2)
    assert not (tmp_path / "new").exists()
