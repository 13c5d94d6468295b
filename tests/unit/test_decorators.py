"""A mark changes nothing about a method but what coopy reads from it, and marks that contradict are refused where they are written."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from coopy.decorators import abort_exception, claims_of, marks_of, readonly, unlocked, was
from coopy.error import UsageError

MARKS: list[Any] = [readonly, unlocked, abort_exception]


def act(self: object, letter: str = "a") -> str:
    """Says a letter."""
    return letter


def fresh() -> Any:
    """A function of its own, with act's signature."""

    def act(self: object, letter: str = "a") -> str:
        return letter

    return act


def wrapped(function: Any) -> Any:
    @functools.wraps(function)
    def around(*args: Any) -> Any:
        return function(*args)

    return around


@pytest.mark.parametrize("mark", MARKS)
def test_a_marked_function_is_the_same_function(mark: Any) -> None:
    """It is given back, callable as before; a second time changes nothing."""
    function = fresh()
    assert mark(mark(function)) is function
    assert function(None) == "a"
    assert marks_of(function) == {mark.__name__}


@pytest.mark.parametrize("order", [1, -1])
def test_a_query_may_do_its_own_locking(order: int) -> None:
    """`@readonly` and `@unlocked` go together, in any order, and over the wrappers of others."""
    first, second = [readonly, unlocked][::order]
    assert marks_of(second(first(fresh()))) == marks_of(second(wrapped(first(fresh())))) == {"readonly", "unlocked"}


@pytest.mark.parametrize("pair", [(readonly, abort_exception), (unlocked, abort_exception)])
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("between", [lambda one: one, wrapped], ids=["bare", "wrapped"])
def test_marks_that_contradict_are_refused(pair: Any, order: int, between: Any) -> None:
    """In any order, also over another's wrapper; the error names the method and says why, and leaves it as it was."""
    first, second = pair[::order]
    function = between(first(fresh()))
    with pytest.raises(UsageError, match=r"act cannot be both @abort_exception and @(readonly|unlocked): (a query|what runs)"):
        second(function)
    assert marks_of(function) == {first.__name__}


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize(
    ("member", "why"),
    [
        (staticmethod(act), "static or class method"), (classmethod(act), "static or class method"), (property(act), "below @property"),
        (int, "marks a method"), (None, "without parentheses"), ("act", "without parentheses"), (3, "marks a method"),
        (len, "cannot be marked"), ("".join, "cannot be marked"), ([].append, "cannot be marked"), (act.__get__(3), "cannot be marked"),
    ],
)  # fmt: skip
def test_what_is_no_method_of_a_class_is_refused(mark: Any, member: Any, why: str) -> None:
    """The error says which mark, and what to do."""
    with pytest.raises(UsageError, match=f"@{mark.__name__} .*{why}"):
        mark(member)


def test_parentheses_are_refused() -> None:
    """`@readonly()` is no way to write it."""
    with pytest.raises(TypeError):
        readonly()  # type: ignore[call-arg]


def test_marks_are_found_through_everything_a_class_may_put_around() -> None:
    """Properties, wrappers, partial and cached ones, static methods, and several of them."""
    marked = readonly(fresh())
    around: list[Any] = [
        property(marked), wrapped(wrapped(marked)), functools.partialmethod(marked, "b"), functools.partial(marked, None), functools.cached_property(marked),
        staticmethod(marked), classmethod(marked), property(wrapped(marked)),
    ]  # fmt: skip
    for one in around:
        assert marks_of(one) == {"readonly"}
    around.append(functools.partialmethod(fresh(), "b"))
    assert readonly(around[-1]) is around[-1]
    assert marks_of(around[-1]) == {"readonly"}
    assert marks_of(fresh()) == marks_of(None) == marks_of(3) == frozenset()


def test_the_function_below_a_wrapper_keeps_its_own_marks() -> None:
    """A mark above is not one below."""
    inner = readonly(fresh())
    outer = unlocked(wrapped(inner))
    assert marks_of(inner) == {"readonly"}
    assert marks_of(outer) == {"readonly", "unlocked"}


def test_a_circle_of_wrappers_ends() -> None:
    """It has the marks that are in it."""
    function = fresh()
    readonly(function)
    function.__wrapped__ = function
    assert marks_of(function) == {"readonly"}


# --- former names ----------------------------------------------------------------------------------------------------


def test_former_names_are_read_through_wrappers() -> None:
    """As often as they were given."""
    assert claims_of(wrapped(was("a")(was("b=")(fresh())))) == ("b=", "a")
    assert claims_of(fresh()) == ()


@pytest.mark.parametrize("old", ["", "1", "a b", "_private", "__init__", "a.b", "module:a", 3, None, act])
def test_what_no_action_was_ever_called_is_refused(old: Any) -> None:
    """Where it is written."""
    with pytest.raises(UsageError, match="no action had that name"):
        was(old)(fresh())


@pytest.mark.parametrize("old", ["", "1", ":A", "a:", "a:b:c", "a b:C", 3, None])
def test_what_no_class_was_ever_called_is_refused(old: Any) -> None:
    """Where it is written."""
    with pytest.raises(UsageError, match='it takes "Name" or "module:Name"'):
        was(old)(type("Page", (), {}))


def test_a_class_was_never_called_what_it_is_called() -> None:
    """Bare or in full."""
    for old in ("Page", f"{__name__}:Page"):
        with pytest.raises(UsageError, match="the name that it has"):
            was(old)(type("Page", (), {"__module__": __name__}))


@pytest.mark.parametrize("member", [staticmethod(act), classmethod(act), property(act), 3])
def test_only_methods_and_classes_have_former_names(member: Any) -> None:
    """What sees no state was never recorded."""
    with pytest.raises(UsageError, match="@was"):
        was("old")(member)


def test_a_bare_name_is_meant_at_the_same_place() -> None:
    """Of a nested class: beside it."""
    inner = was("other:Leaf")(was("Page")(type("Sheet", (), {"__module__": "wiki", "__qualname__": "Book.Sheet"})))
    assert vars(inner)["__coopy_was__"] == ("wiki:Book.Page", "other:Leaf")
