"""Two replicas that were promoted apart, of which neither had heard of the other: one epoch, and two histories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from coopy import control
from coopy.error import ReplicaError
from tests.functional.test_replication import House, fingerprint, house, level

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["house"]


@pytest.fixture
def apart(house: House, tmp_path: Path) -> tuple[Any, Any]:
    """Both have taken an action of their own since; a third follows the first of them, in the directory `third`."""
    word = house.primary(tmp_path / "p")
    word.add("a")
    first, second = (house.replica(word, tmp_path / name) for name in ("first", "second"))
    for one in (first, second):
        level(one, word)
    control(word).close()
    assert control(first).promote(port=0) == control(second).promote(port=0)
    first.add("b")
    second.add("c")
    third = house.replica(first, tmp_path / "third")
    level(third, first)
    control(third).close()
    return first, second


@pytest.mark.parametrize(("ours", "theirs"), [(0, 0), (2, 0), (0, 2)])
def test_who_followed_one_is_refused_by_the_other_and_nothing_is_changed(
    house: House, tmp_path: Path, apart: tuple[Any, Any], ours: int, theirs: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever has more actions; the error and the other's log say what has happened, and what to do."""
    first, second = apart
    for one, count in ((first, ours), (second, theirs)):
        for _ in range(count):
            one.add("x")
    level(third := house.replica(first, tmp_path / "third"), first)
    control(third).close()
    before = fingerprint(tmp_path / "third")
    with pytest.raises(ReplicaError, match="two replicas were promoted apart") as caught:
        house.replica(second, tmp_path / "third")
    assert "Nothing was changed here" in str(caught.value)
    assert "promoted apart" in caplog.text
    assert fingerprint(tmp_path / "third") == before
    assert (first.add("y")[:2], second.add("y")[:2]) == ("ab", "ac")
    level(house.replica(first, tmp_path / "third"), first)


def test_so_is_one_of_the_two_and_the_way_out_is_to_make_it_anew(house: House, tmp_path: Path, apart: tuple[Any, Any]) -> None:
    """Its directory is put away; the one that takes its place follows."""
    first, second = apart
    control(second).close()
    with pytest.raises(ReplicaError, match="put the other's directories away"):
        house.replica(first, tmp_path / "second")
    (tmp_path / "second").rename(tmp_path / "put away")
    level(house.replica(first, tmp_path / "second"), first)


def test_a_promotion_that_is_told_of_the_other_ends_it(house: House, tmp_path: Path, apart: tuple[Any, Any]) -> None:
    """A third promotion, above both: each of them follows it, and what it had of its own is in quarantine."""
    first, second = apart
    third = house.replica(first, tmp_path / "third")
    epoch = control(third).promote(port=0, after=control(second).stats().epoch)
    assert epoch > control(second).stats().epoch
    third.add("z")
    for one, name in ((first, "first"), (second, "second")):
        control(one).close()
        level(house.replica(third, tmp_path / name), third)
    assert list(tmp_path.glob("second/quarantine/*"))
