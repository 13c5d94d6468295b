"""What `log` and `show` say of values that pickle in their own ways, and of calls that have a key: as data, with no class imported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from coopy import control, init_system, once
from tests.functional.test_command import run
from tests.functional.test_command_log import lines, plant
from tests.words import Word

if TYPE_CHECKING:
    from pathlib import Path


class Shelf(list[str]):
    """A list with a name."""

    def __init__(self, name: str, *books: str) -> None:
        super().__init__(books)
        self.name = name


class Index(dict[str, int]):
    """A dictionary of its own class."""


class Packed:
    """Its state is a number."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __getstate__(self) -> Any:
        return (self.number,)

    def __setstate__(self, state: tuple[int]) -> None:
        (self.number,) = state


VALUES: dict[str, tuple[object, str, dict[str, Any]]] = {
    "a list of its own class": (
        Shelf("new", "a", "b"),
        "Shelf(name='new', ['a', 'b'])",
        {"$object": "tests.functional.test_command_values:Shelf", "attributes": {"name": "new"}, "items": ["a", "b"]},
    ),
    "a dictionary of its own class": (
        Index({"a": 1}),
        "Index({'a': 1})",
        {"$object": "tests.functional.test_command_values:Index", "pairs": [["a", 1]]},
    ),
    "a state that is no dictionary": (
        Packed(7),
        "Packed(state=(7,))",
        {"$object": "tests.functional.test_command_values:Packed", "state": {"$tuple": [7]}},
    ),
}


@pytest.mark.parametrize(("value", "text", "plain"), VALUES.values(), ids=VALUES.keys())
def test_a_value_of_the_domain_is_shown_by_what_it_holds(tmp_path: Path, value: object, text: str, plain: dict[str, Any]) -> None:
    """In a line, as JSON, and in the state."""
    with control(init_system(Word, tmp_path / "w")) as word:
        word.keep(value)
    assert f"keep({text})" in run("log", tmp_path / "w")
    assert lines(tmp_path / "w")[0]["args"] == [plain]
    assert f"[0] = {text}" in run("show", tmp_path / "w", "--path", "kept")
    assert json.loads(run("show", "--json", "--path", "kept[0]", tmp_path / "w"))["value"] == plain


def test_a_call_with_a_key_is_found_by_its_method(tmp_path: Path) -> None:
    """Its line has the key; what is no call is passed over."""
    with control(init_system(Word, tmp_path / "w")) as word:
        with once("k-1"):
            word.add("a")
        word.keep({"b"})
        with once("k-2"):
            word.keep({"c"})
    plant(tmp_path / "w", b"nonsense")
    assert run("log", tmp_path / "w", "--method", "add").rstrip().endswith("add('a')  key='k-1'")
    kept = run("log", tmp_path / "w", "--method", "keep").splitlines()
    assert [line.partition("keep(")[2] for line in kept] == ["{'b'})", "{'c'})  key='k-2'"]
    assert [one["key"] for one in lines(tmp_path / "w")[:3]] == ["k-1", None, "k-2"]
