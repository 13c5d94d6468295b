"""Objects that refer to each other, however many one behind the other: snapshots, restarts and arguments hold them as any others."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

import coopy
from coopy import abort_exception, control, init_system, readonly
from coopy.error import NotSerializableError

if TYPE_CHECKING:
    from pathlib import Path

MANY = 3000


class User:
    def __init__(self, name: int) -> None:
        self.name, self.friends = name, list[User]()


@dataclass(frozen=True)
class Badge:
    """A value: what finds it in a dictionary is what it holds."""

    name: str
    before: Badge | None = None


class Circle:
    """Its state is made of its members, who have theirs by then."""

    def __init__(self, members: list[User]) -> None:
        self.members = members
        self.names = sorted(one.name for one in members)

    def __getstate__(self) -> dict[str, Any]:
        return {"members": self.members}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["members"])  # type: ignore[misc]


class Society:
    def __init__(self) -> None:
        self.users: dict[int, User] = {}
        self.circles: list[Circle] = []
        self.badges: dict[Badge, int] = {}
        self.kept: Any = None

    def fill(self, count: int) -> None:
        self.users = {name: User(name) for name in range(count)}

    def befriend(self, one: int, other: int) -> None:
        self.users[one].friends.append(self.users[other])
        self.users[other].friends.append(self.users[one])

    def gather(self, names: list[int]) -> None:
        self.circles.append(Circle([self.users[name] for name in names]))

    def award(self, count: int) -> None:
        badge: Badge | None = None
        for number in range(count):
            badge = Badge(str(number), badge)
            self.badges[badge] = number

    def keep(self, value: Any) -> Any:
        self.kept = value
        return value

    @abort_exception
    def disband(self) -> None:
        self.users.clear()
        raise ValueError("no")

    @readonly
    def depth(self) -> int:
        return _depth(self.kept)


class Endless:
    """It pickles as another one, without an end."""

    def __reduce__(self) -> Any:
        return Endless, (Endless(),)


def _depth(chain: Any) -> int:
    found = 0
    while chain:
        chain, found = chain[0], found + 1
    return found


def society() -> Society:
    """Everybody is reached from anybody, and by a way through most of the others."""
    made, dice = Society(), random.Random(1)
    made.fill(MANY)
    for _ in range(3 * MANY):
        made.befriend(dice.randrange(MANY), dice.randrange(MANY))
    return made


def chain(links: int) -> list[Any]:
    made: list[Any] = []
    for _ in range(links):
        made = [made]
    return made


@pytest.mark.parametrize("background", [False, True])
def test_a_web_of_objects_is_in_a_snapshot(tmp_path: Path, background: bool) -> None:
    """In the first one, and in one with what was added since."""
    with control(init_system(society(), tmp_path / "s")) as people:
        people.gather([5, 3, 4])
        people.award(50)
        assert control(people).take_snapshot(background=background) == 2
        people.befriend(1, 2)
        with pytest.raises(ValueError, match="no"):
            people.disband()
        assert len(people.users) == MANY
        now = control(people).digest()
    with control(init_system(Society, tmp_path / "s")) as people:
        assert control(people).digest() == now
        assert people.circles[0].names == [3, 4, 5]
        assert control(people).at(2).badges == people.badges


def test_other_processes_come_to_the_same_web(tmp_path: Path) -> None:
    """Replayed, and written and read."""
    with control(init_system(society(), tmp_path / "s")) as people:
        people.gather([5, 3, 4])
        now = control(people).digest()
    report = coopy.verify(tmp_path / "s")
    assert (report.lsn, report.digest, report.compared) == (1, now, (0, 1))


def test_a_deep_argument_is_recorded(tmp_path: Path) -> None:
    """By value, and the outcome that is kept of it is the same thing."""
    deep = chain(20_000)
    with control(init_system(Society, tmp_path / "s")) as people:
        with coopy.once("a"):
            given = people.keep(deep)
        deep.clear()
        assert (_depth(given), people.depth()) == (20_000, 20_000)
        now = control(people).digest()
    with control(init_system(Society, tmp_path / "s")) as people:
        assert (control(people).digest(), people.depth()) == (now, 20_000)
        with coopy.once("a"):
            assert _depth(people.keep(chain(20_000))) == 20_000


def test_what_never_ends_is_refused(tmp_path: Path) -> None:
    """As an argument and in a state; nothing changed."""
    with control(init_system(Society, tmp_path / "s")) as people:
        with pytest.raises(NotSerializableError, match=r"keep\(\): argument 1 cannot be recorded: it never ends"):
            people.keep(Endless())
        assert (people.kept, control(people).lsn) == (None, 0)
    endless = Society()
    endless.kept = Endless()
    with pytest.raises(NotSerializableError, match="'kept': it never ends"):
        init_system(endless, tmp_path / "t")
    assert not [*(tmp_path / "t").glob("*.snap")]
