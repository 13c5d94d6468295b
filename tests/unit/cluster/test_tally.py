"""What follows from what nodes say of their states: nothing too early, and the same for all who hear it."""

from __future__ import annotations

import itertools

import pytest

from coopy.cluster.message import Digest, Due
from coopy.cluster.tally import Compared, Tally

MARK = b"m" * 16


def node(name: str) -> bytes:
    """A node's id."""
    return name.encode() * 16


def say(name: str, state: str, former: str = "") -> Digest:
    """What a node says."""
    return Digest(node(name), MARK, 7, state.encode() * 32, former.encode())


def verdicts(asked: str, *said: Digest) -> dict[str, bool]:
    """Which nodes stop, after all of this was heard, in any order; those that have not spoken cannot."""
    found: list[dict[str, bool]] = []
    for order in itertools.permutations(said):
        tally = Tally(Due(MARK, [node(name) for name in asked]))
        for one in order:
            tally.hear(one)
        found.append({chr(one.node[0]): tally.otherwise(one) is not None for one in said})
    assert all(one == found[0] for one in found)
    return found[0]


@pytest.mark.parametrize(
    ("asked", "said", "stop"),
    [
        ("a", ["a1"], ""), ("abc", ["a1", "b1", "c1"], ""), ("abc", ["a1", "b2", "c1"], "b"), ("ab", ["a1", "b2"], "ab"), ("abc", ["a1", "b2", "c3"], "abc"),
        ("abcd", ["a1", "b1", "c2", "d2"], "abcd"), ("abcd", ["a1", "b1", "c2", "d3"], "abcd"), ("abcd", ["a1", "b1", "c1", "d3"], "d"),
        ("abc", ["a1", "b2"], ""), ("abc", ["a1", "b1"], ""), ("abcde", ["a1", "b1", "c1", "d2"], "d"), ("abcde", ["a1", "b1", "c2", "d2"], ""),
        ("abcde", ["a1", "b1", "c2"], ""),
        ("abc", ["a1", "b1", "c1", "x2"], "x"), ("ab", ["a1", "b2", "x2"], "abx"),
    ],
)  # fmt: skip
def test_who_has_not_what_most_have_stops(asked: str, said: list[str], stop: str) -> None:
    """More than half of those asked decide; where all have spoken and no state has so many, all stop. Who was not asked only hears."""
    found = verdicts(asked, *(say(*one) for one in said))
    assert "".join(sorted(name for name, stops in found.items() if stops)) == stop


def test_states_are_another_at_another_lsn() -> None:
    """Even with one digest."""
    ahead = Digest(node("c"), MARK, 8, b"1" * 32, b"")
    assert verdicts("abc", say("a", "1"), say("b", "1"), ahead) == {"a": False, "b": False, "c": True}


def test_programs_whose_classes_had_other_names_are_compared_with_their_like_only() -> None:
    """Names stand in a digest."""
    assert not any(verdicts("abc", say("a", "1"), say("b", "1"), say("c", "2", "new")).values())
    assert verdicts("abcd", say("a", "1", "new"), say("b", "2", "new"), say("c", "2", "new"), say("d", "3")) == {
        "a": True, "b": False, "c": False, "d": False,
    }  # fmt: skip
    tally = Tally(Due(MARK, [node("a"), node("b"), node("c")]))
    for one in (say("a", "1"), say("b", "1"), say("c", "2", "new")):
        tally.hear(one)
    assert (tally.unlike(say("a", "1")), tally.missing) == (1, 0)
    assert tally.compared(say("a", "1")) == Compared(7, (b"1" * 32).hex(), 2)


def test_only_a_nodes_first_word_counts() -> None:
    """Whatever it says later."""
    tally = Tally(Due(MARK, [node("a"), node("b")]))
    for one in (say("a", "1"), say("a", "2"), say("b", "1")):
        tally.hear(one)
    assert tally.own(node("a")) == say("a", "1")
    assert tally.agreed(say("b", "1"))
    assert tally.differing(say("b", "1")) is None
