"""The plugin beside everything else: caches, the daemon, other plugins, its own failures, and code that does not use coopy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.typing.checked import Project, libraries, with_oldest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["libraries"]

DOMAIN = """\
from __future__ import annotations

from coopy.decorators import readonly


class Page:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tags: list[str] = []

    def shown(self) -> str:
        return self.text


class Wiki:
    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}

    def create(self, name: str, text: str) -> None:
        self.pages[name] = Page(text)

    @readonly
    def get(self, name: str) -> Page:
        return self.pages[name]

    def names(self) -> list[str]:
        return sorted(self.pages)

    def count(self) -> int:
        return len(self.pages)
"""
SYSTEMS = """\
from coopy import init_system

from domain import Wiki

wiki = init_system(Wiki(), "data/wiki")
follower = init_system(Wiki, replication=True)
"""
APP = """\
from systems import follower, wiki


def handle(name: str) -> int:
    page = wiki.get(name)
    page.text = "x"
    names = wiki.names()
    names.append("y")
    print(page.shown())
    return follower.count()
"""
FILES = {"domain.py": DOMAIN, "systems.py": SYSTEMS, "app.py": APP}

PAGE, NAMES, SHOWN, WIPED = (("app.py", line, "coopy-mutate") for line in (6, 8, 9, 10))
EDITS = [  # file, what stands there, what will, and what is reported then
    ("domain.py", "    def count", "    @readonly\n    def count", [PAGE]),  # an action becomes a query: the replica may answer it
    (  # what is given is the state itself now
        "domain.py",
        "return sorted(self.pages)",
        "return self.order",
        [PAGE, NAMES, ("domain.py", 27, "attr-defined"), ("domain.py", 27, "no-any-return")],
    ),
    (
        "domain.py",
        "        self.pages: dict[str, Page] = {}",
        "        self.pages: dict[str, Page] = {}\n        self.order: list[str] = []",
        [PAGE, NAMES],
    ),
    ("domain.py", "return self.pages[name]", "return Page(self.pages[name].text)", [NAMES]),  # and here a copy
    ("domain.py", "        return self.text\n", "        self.text += '!'\n        return self.text\n", [NAMES]),  # changes its object
    ("domain.py", "return Page(self.pages[name].text)", "return self.pages[name]", [PAGE, NAMES, SHOWN]),
    ("systems.py", 'init_system(Wiki(), "data/wiki")', "Wiki()", []),  # no proxy any more
    ("systems.py", "wiki = Wiki()", "wiki: Wiki = init_system(Wiki())", []),
    ("systems.py", "replication=True", "replication=False", []),
    ("app.py", "    return follower.count()", "    return follower.count(", [("app.py", 11, "syntax")]),
    ("app.py", "    return follower.count(", "    follower.pages.clear()\n    return follower.count()", [WIPED]),
    (  # a query that changes
        "domain.py",
        "        return len(self.pages)",
        "        self.pages.clear()\n        return len(self.pages)",
        [WIPED, ("domain.py", 33, "coopy-readonly")],
    ),
]


@pytest.fixture
def project(tmp_path: Path, libraries: Path) -> Iterator[Project]:
    made = Project(tmp_path, FILES)
    made.begin_with(libraries)
    yield made
    made.stop_daemon()


def test_caches_and_the_daemon_say_after_every_edit_what_is_so(project: Project, libraries: Path) -> None:
    """Facts of a class are kept with it, and a change of them has those checked again who relied on them. A cold run says the same in the end."""
    cold = project.cold()
    assert cold.codes() == [PAGE, ("app.py", 10, "coopy-replica")]
    cached = project.cached()
    for run in (project.fresh(libraries), cached, project.daemon()):
        assert sorted(run.lines) == sorted(cold.lines)
    for name, old, new, reports in EDITS:
        project.edit(name, old, new)
        cached = project.cached()
        assert cached.codes() == reports, f"from the cache, after {new}"
        assert sorted(project.daemon().lines) == sorted(cached.lines), f"by the daemon, after {new}"
    assert sorted(project.fresh(libraries).lines) == sorted(cached.lines)


def test_another_plugin_works_beside_it_in_either_order(tmp_path: Path) -> None:
    """The plugin of pydantic checks the constructor of a model that is also part of a system."""
    text = """\
from pydantic import BaseModel

from coopy import init_system
from coopy.decorators import readonly


class Page(BaseModel):
    title: str
    views: int = 0


class Wiki:
    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}

    def add(self, page: Page) -> None:
        self.pages[page.title] = page

    @readonly
    def get(self, title: str) -> Page:
        return self.pages[title]


wiki = init_system(Wiki())
wiki.add(Page(title="x", views="3"))
Page(titel="x")
wiki.get("x").views = 4
wiki.get("x").model_copy().views = 4
"""
    settings = "[pydantic-mypy]\ninit_forbid_extra = True\ninit_typed = True\n"
    for order in ["coopy.mypy_plugin, pydantic.mypy", "pydantic.mypy, coopy.mypy_plugin"]:
        changed = f"{text}# {order}\n"  # what comes from the cache is pydantic's own
        reports = Project(tmp_path, {"shop.py": changed}, plugins=order, settings=settings).cached().codes()
        assert reports == [("shop.py", 25, "arg-type"), ("shop.py", 26, "call-arg"), ("shop.py", 27, "coopy-mutate")], order


BROKEN = """\
from typing import Any

from coopy.mypy_plugin import CoopyPlugin
from coopy.mypy_plugin.hooks import Hooks


def broken(*_: Any) -> Any:
    raise ZeroDivisionError("on purpose")


setattr(Hooks, "attribute", broken)


def plugin(version: str) -> type[CoopyPlugin]:
    return CoopyPlugin
"""


def test_an_error_inside_is_noted_once_and_changes_nothing(tmp_path: Path) -> None:
    """Every attribute makes it fail here; the program's own errors and types are as without it."""
    text = """\
from coopy import init_system


class Box:
    size = 1
    name = "x"


box = init_system(Box())
reveal_type(box.size)
print(box.name.upper(), box.nme, box.size)
"""
    plain = Project(tmp_path / "plain", {"box.py": text}, plugins="").cold().lines
    project = Project(tmp_path / "broken", {"box.py": text, "broken_plugin.py": BROKEN}, plugins="broken_plugin.py")
    lines = project.cold().lines
    noted = [line for line in lines if "ZeroDivisionError: on purpose" in line]
    assert len(noted) == 1
    assert ": note: " in noted[0]
    assert [line for line in lines if line.startswith("box.py") and line not in noted] == plain


def test_domains_named_in_pyproject_know_the_injected_names_and_a_change_of_them_is_noticed(tmp_path: Path, libraries: Path) -> None:
    """A domain module in which nothing says that it is one is checked before the application that does. Who uses it is checked again, too."""
    dice = """\
class Dice:
    def __init__(self) -> None:
        self.rolls: list[int] = []

    def roll(self) -> int:
        self.rolls.append(self._random.randint(1, 6))
        return self.rolls[-1]
"""
    game = "from dice import Dice\n\nDice()._random.random()\n"
    project = Project(tmp_path, {"dice.py": dice, "game.py": game, "pyproject.toml": '[tool.coopy]\ndomains = ["dice:Dice"]\n'})
    project.begin_with(libraries)
    assert project.cached().lines == []
    project.write({"pyproject.toml": "[tool.coopy]\ndomains = []\n"})
    assert project.cached().codes() == [("dice.py", 6, "attr-defined"), ("game.py", 3, "attr-defined")]
    project.write({"pyproject.toml": '[tool.coopy]\ndomains = ["dice:Dice"]\n'})
    assert project.cached().lines == []


PLAIN = """\
from __future__ import annotations

import dataclasses
import enum
import typing


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0

    def moved(self, by: int) -> Point:
        return dataclasses.replace(self, x=self.x + by)


class Shape(typing.Protocol):
    def area(self) -> float: ...


class Square:
    def __init__(self, side: float) -> None:
        self.side, self._clock = side, 3

    def area(self) -> float:
        return self.side**2

    def wrong(self) -> str:
        return self.sied


shapes: list[Shape] = [Square(2), Square(3)]
reveal_type([Colour(1).value, Point(1).moved(2).x, max(shapes, key=lambda one: one.area())])
"""


@pytest.mark.parametrize("which", ["newest", "oldest"])
def test_code_that_does_not_use_coopy_is_checked_as_without_the_plugin(tmp_path: Path, which: str) -> None:
    env = with_oldest() if which == "oldest" else None
    plain = Project(tmp_path / "plain", {"shapes.py": PLAIN}, plugins="").cold(env=env).lines
    assert Project(tmp_path / "with", {"shapes.py": PLAIN}).cold(env=env).lines == plain
    assert any("sied" in line for line in plain)


def test_what_is_reported_can_be_silenced_by_either_code(tmp_path: Path, libraries: Path) -> None:
    """By the narrow code, by the parent of all, for a line, a file or the project."""
    text = """\
from coopy import init_system


class Box:
    size = 1


box = init_system(Box())
box.size = 2
box.sizes
"""
    files = {
        "box.py": text,
        "line.py": text.replace("box.size = 2", "box.size = 2  # type: ignore[coopy-set]"),
        "narrow.py": f"{text}# mypy: disable-error-code=coopy-set\n",
        "parent.py": f"{text}# mypy: disable-error-code=coopy\n",
    }
    others = [(name, 10, "attr-defined") for name in files]
    assert Project(tmp_path / "files", files).fresh(libraries).codes() == [("box.py", 9, "coopy-set"), *others]
    alone = {"box.py": text}
    assert Project(tmp_path / "parent", alone).cold("--disable-error-code", "coopy").codes() == others[:1]
    assert Project(tmp_path / "narrow", alone, settings="disable_error_code = coopy-set\n").cold().codes() == others[:1]


def test_reports_are_machine_readable_with_their_codes(tmp_path: Path, libraries: Path) -> None:
    found = [json.loads(line)["code"] for line in Project(tmp_path, FILES).fresh(libraries, "-O", "json").lines]
    assert sorted(found) == ["coopy-mutate", "coopy-replica"]
