"""The referee of histories: it finds what cannot be, and lets pass what can."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from tests.crash import linear
from tests.crash.linear import NOT_KNOWN, Call, problem, queue, register


def call(begun: float, ended: float, method: str, argument: Any, answer: Any) -> Call:
    return Call(f"{begun}", begun, ended, method, argument, answer)


def unknown(begun: float, method: str, argument: Any) -> Call:
    return call(begun, math.inf, method, argument, NOT_KNOWN)


def test_calls_that_overlap_may_have_happened_in_any_order() -> None:
    """Those that do not overlap may not."""
    write = call(0, 3, "write", 1, None)
    assert problem([write, call(1, 2, "look", None, None)], None, register) == ""
    assert problem([write, call(1, 2, "look", None, 1)], None, register) == ""
    assert "no order explains" in problem([write, call(4, 5, "look", None, None)], None, register)
    assert problem([], None, register) == ""


def test_what_was_seen_once_stays_seen() -> None:
    """A read that goes back behind another one is found, though each alone could be."""
    write = call(0, 9, "write", 1, None)
    assert "no order" in problem([write, call(1, 2, "look", None, 1), call(3, 4, "look", None, None)], None, register)


def test_a_call_of_unknown_outcome_happens_late_or_never_but_not_twice() -> None:
    """And not before it began."""
    seen = [call(2, 3, "look", None, None), call(4, 5, "look", None, 1)]
    assert problem([unknown(0, "write", 1), *seen], None, register) == ""
    assert problem([unknown(0, "write", 1), seen[0]], None, register) == ""
    assert "no order" in problem([unknown(6, "write", 1), *seen], None, register)
    taken = [call(1, 2, "take", None, "a"), call(3, 4, "take", None, "a")]
    assert "no order" in problem([unknown(0, "put", "a"), *taken], (), queue)


def test_a_queue_gives_each_once_and_in_order() -> None:
    """Lost, doubled and turned round are found."""
    put = [call(0, 1, "put", "a", None), call(2, 3, "put", "b", None)]
    assert problem([*put, call(4, 5, "take", None, "a"), call(6, 7, "take", None, "b")], (), queue) == ""
    assert "no order" in problem([*put, call(4, 5, "take", None, "b")], (), queue)
    assert "no order" in problem([*put, call(4, 5, "take", None, "a"), call(6, 7, "take", None, "a")], (), queue)
    assert "no order" in problem([*put, call(4, 5, "take", None, "a"), call(6, 7, "take", None, None)], (), queue)


def history(seed: int, size: int) -> list[Call]:
    """What an object answered that was asked by about six at once; some answers are forgotten."""
    dice, state, calls = random.Random(seed), (), list[Call]()
    for number in range(size):
        method = dice.choice(["put", "take", "peek"])
        argument = number if method == "put" else None
        state, answer = queue(state, method, argument)  # type: ignore[assignment]
        begun, ended = number - dice.random() * 3, number + dice.random() * 3
        forgotten = method != "peek" and dice.random() < 2 / size
        calls.append(unknown(begun, method, argument) if forgotten else call(begun, ended, method, argument, answer))
    return calls


@pytest.mark.parametrize("seed", range(3))
def test_long_histories_are_judged_and_one_wrong_answer_in_them_is_found(seed: int) -> None:
    """Whichever it is."""
    calls = history(seed, 200)
    assert problem(calls, (), queue) == ""
    taken = [number for number, one in enumerate(calls) if one.method == "take" and one.answer not in {None, NOT_KNOWN}]
    first, second = taken[len(taken) // 2], taken[len(taken) // 2 + 4]
    for one, other in ((first, second), (second, first)):
        wrong = [*calls]
        wrong[one] = calls[one]._replace(answer=calls[other].answer)
        assert "no order" in problem(wrong, (), queue)


def test_many_calls_of_unknown_outcome_are_judged_by_their_rank_or_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rank is a guess: one that is wrong changes no judgement."""
    lost = [unknown(0, "put", number) for number in range(12)]
    seen = [call(number, number + 0.5, "take", None, number) for number in range(12)]
    good = [one._replace(rank=number * 2) for number, one in enumerate(lost)] + [
        one._replace(rank=number * 2 + 1) for number, one in enumerate(seen)
    ]
    monkeypatch.setattr(linear, "MOST", 30)
    assert problem(good, (), queue) == ""
    assert "no order of 24 calls was found at 30 places; there may be one" in problem([*good[1:], good[0]._replace(argument=-1)], (), queue)
    wrong = [one._replace(rank=-one.rank) for one in (*lost[:2], *seen[:2])]
    assert problem(wrong, (), queue) == ""


def test_what_was_put_and_taken_by_calls_of_unknown_outcome_is_in_the_order_by_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody was ever answered it: to leave it out would have its taker take another one's."""
    put = [one for number in range(9) for one in (unknown(0, "put", f"lost {number}"), call(0, 99, "put", number, None))]
    taken = [one for number in range(9) for one in (unknown(0, "take", None), call(0, 99, "take", None, number))]
    monkeypatch.setattr(linear, "MOST", 30)
    assert problem([one._replace(rank=rank) for rank, one in enumerate([*put, *taken])], (), queue) == ""
