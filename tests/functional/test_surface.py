"""What a caller may hold of a system: nothing that reads or changes the state later, past the journal. A restart sees what the live run saw."""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import functools
import gc
import inspect
import itertools
import threading
import types
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import pytest

from coopy import control, init_system, readonly, unlocked
from coopy.error import NotSerializableError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

T = TypeVar("T")
both = pytest.mark.parametrize("durability", ["sync", "buffered"])


def unnamed(function: Any) -> Any:
    """A decorator that does not care about names."""

    def wrapper(self: Any, *args: Any) -> Any:
        return function(self, *args)

    return wrapper


class Word:
    """Gives out, in as many ways as there are, what leads back to it."""

    def __init__(self, text: str = "") -> None:
        self.text = text

    def add(self, letter: str) -> str:
        self.text += letter
        return self.text

    @unnamed
    def double(self) -> None:
        self.text *= 2

    def _hide(self, *letters: str) -> str:
        self.text += "".join(letters).upper()
        return self.text

    async def _later(self) -> None:
        self.text += "!"

    def give(self, what: str) -> Any:
        self.text += "."
        return getattr(self, f"_give_{what}")()

    @readonly
    def look(self, what: str) -> Any:
        return getattr(self, f"_give_{what}")()

    def _give_me(self) -> Any:
        return self

    def _give_public(self) -> Any:
        return self.add

    def _give_misnamed(self) -> Any:
        return self.double

    def _give_private(self) -> Any:
        return self._hide

    def _give_made(self) -> Any:
        return types.MethodType(lambda self, letter: self._hide(letter), self)

    def _give_partial(self) -> Any:
        return functools.partial(self._hide, "a")

    def _give_nested_partial(self) -> Any:
        return functools.partial(functools.partial(print, self._hide), "a")

    def _give_coroutine(self) -> Any:
        return self._later()

    def _give_endless(self) -> Any:
        return itertools.cycle(self.text)

    def _give_accumulated(self) -> Any:
        return itertools.accumulate(self.text, self._hide)

    def _give_compressed(self) -> Any:
        return itertools.compress(self.text, [1, 0, 1])

    def _give_pairs(self) -> Any:
        return itertools.pairwise(self.text)

    def _give_groups(self) -> Any:
        return itertools.groupby(self.text)

    def _give_called(self) -> Any:
        return iter(lambda: self._hide("z")[4:], "ZZZ")


class Lazy(Word):
    """Answers any name with a way to itself."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._hide


def opened(domain: Any, directory: Path, durability: Any = "sync") -> Any:
    return init_system(domain, directory, durability=durability, validation="off")  # these do on purpose what it refuses


def assert_restarts(proxy: Any, domain: type, directory: Path) -> None:
    """A restart gives the state that there is."""
    before = control(proxy).digest()
    control(proxy).close()
    with control(opened(domain, directory)) as again:
        assert control(again).digest() == before


WITHHELD = ["private", "made", "partial", "nested_partial", "coroutine", "endless"]


@both
@pytest.mark.parametrize("what", WITHHELD)
def test_a_way_around_the_system_is_withheld(tmp_path: Path, what: str, durability: str) -> None:
    """The action counts; what it gives refuses when it is used, and says why."""
    word = opened(Word("ab"), tmp_path / "w", durability)
    for given in (word.give(what), word.look(what)):
        assert "withheld" in repr(given)
        for use in (given, lambda given=given: next(given), lambda given=given: asyncio.run(awaited(given))):
            with pytest.raises(UsageError, match="was the result of a call"):
                use()
    assert word.text == "ab."
    gc.collect()  # a coroutine that nobody awaited would warn
    assert_restarts(word, Word, tmp_path / "w")


async def awaited(one: Any) -> Any:
    return await one


@both
def test_a_method_that_the_proxy_has_is_the_proxys(tmp_path: Path, durability: str) -> None:
    """Also where its function is called otherwise; the object itself is the proxy."""
    word = opened(Word("ab"), tmp_path / "w", durability)
    assert word.give("me") is word
    assert word.look("me") is word
    assert word.give("public")("c") == "ab..c"
    word.look("misnamed")()
    assert word.text == "ab..cab..c"
    assert control(word).lsn == 4
    assert_restarts(word, Word, tmp_path / "w")


def test_a_domain_that_answers_every_name_gives_no_way_to_itself(tmp_path: Path) -> None:
    """Neither does it ask itself without end."""
    word = opened(Lazy("ab"), tmp_path / "w")
    for given in (word.anything, word.give("private"), word.look("made")):
        with pytest.raises(UsageError, match="leads to the domain object"):
            given("x")
    assert word.text == "ab."
    assert_restarts(word, Lazy, tmp_path / "w")


class Other(Word):
    def more(self) -> Any:
        return self.more


class Changing(Word):
    """Becomes another class."""

    def change(self) -> Any:
        self.__class__ = Other  # type: ignore[assignment]
        return self.more  # type: ignore[attr-defined]


@both
def test_a_domain_object_that_changes_its_class_goes_on_and_has_no_snapshot(tmp_path: Path, durability: str) -> None:
    """Nobody could open it: the error says so, and the journal leads there again."""
    word = opened(Changing("a"), tmp_path / "w", durability)
    word.add("b")
    assert control(word).take_snapshot() == 1
    with pytest.raises(UsageError, match="leads to the domain object"):
        word.change()()
    with pytest.raises(UsageError, match=r"Other by now.*belongs to a .*Changing.*No snapshot was written"):
        control(word).take_snapshot()
    assert word.add("c") == "abc"
    assert_restarts(word, Changing, tmp_path / "w")
    assert len(list((tmp_path / "w").glob("snapshot-*"))) == 2


class Letters(list[str]):
    def method(self, name: str) -> Any:
        return getattr(self, name)

    @readonly
    def look(self, name: str) -> Any:
        return getattr(self, name)


def test_builtin_methods_of_a_domain_object_are_no_way_around(tmp_path: Path) -> None:
    """`append` of a list subclass, given as a value."""
    letters = opened(Letters("ab"), tmp_path / "w")
    for given in (letters.look("append"), letters.method("append"), letters.look("__setitem__")):
        with pytest.raises(UsageError, match="leads to the domain object"):
            given("x")
    letters.append("c")
    assert list(letters) == ["a", "b", "c"]
    assert_restarts(letters, Letters, tmp_path / "w")


# --- iterators -------------------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    ("what", "given"),
    [
        ("accumulated", ["a", "abcAB", "abcABABCABC"]), ("compressed", ["a", "c"]), ("pairs", [("a", "b"), ("b", "c")]), ("called", ["Z", "ZZ"]),
    ],
)  # fmt: skip
def test_iterators_have_run_when_they_are_handed_out(tmp_path: Path, what: str, given: list[Any], durability: str) -> None:
    """What they do counts as the action's, and nothing runs when the caller goes on."""
    word = opened(Word("abc"), tmp_path / "w", durability)
    iterator = word.give(what)
    state = word.text
    assert control(word).lsn == 1
    assert len(list(iterator)) >= len(given)
    assert word.text == state
    assert_restarts(word, Word, tmp_path / "w")


def test_groups_are_lists_too(tmp_path: Path) -> None:
    """Each of them."""
    word = opened(Word("aab"), tmp_path / "w")
    groups = word.look("groups")
    word.add("c")
    assert [(key, list(group)) for key, group in groups] == [("a", ["a", "a"]), ("b", ["b"])]
    control(word).close()


class Walk:
    """An iterator of a domain's own class, which reads the state as it goes."""

    def __init__(self, shelf: Shelf, step: int) -> None:
        self.shelf, self.at, self.step = shelf, -1 if step > 0 else len(shelf.letters), step

    def __iter__(self) -> Walk:
        return self

    def __next__(self) -> str:
        self.at += self.step
        if not 0 <= self.at < len(self.shelf.letters):
            raise StopIteration
        return self.shelf.letters[self.at]


class Shelf:
    def __init__(self) -> None:
        self.letters = ["a", "b"]

    def __iter__(self) -> Any:
        return Walk(self, 1)

    def __reversed__(self) -> Any:
        return Walk(self, -1)

    def put(self, letter: str) -> None:
        self.letters.append(letter)

    @readonly
    def each(self) -> Iterator[str]:
        yield from self.letters


class Endless(Shelf):
    def __iter__(self) -> Any:
        return itertools.cycle(self.letters)


def test_an_iteration_sees_one_moment(tmp_path: Path) -> None:
    """Whatever iterates: it was made a list under the lock, and holds nothing of the domain."""
    shelf = opened(Shelf(), tmp_path / "w")
    iterators: list[Any] = [iter(shelf), reversed(shelf), shelf.each()]
    shelf.put("c")
    assert [list(one) for one in iterators] == [["a", "b"], ["b", "a"], ["a", "b"]]
    assert not any(isinstance(one, Walk) for one in iterators)
    control(shelf).close()
    endless = opened(Endless(), tmp_path / "e")
    with pytest.raises(UsageError, match="endless"):
        iter(endless)
    control(endless).close()


# --- what a query must not leave -------------------------------------------------------------------------------------


class Sums:
    """Caches."""

    def __init__(self) -> None:
        self.items = [1]
        self.seen: list[int] = []

    @functools.cached_property
    def total(self) -> int:
        return sum(self.items)

    @property
    def twice(self) -> int:
        return 2 * self.total

    @readonly
    def thrice(self) -> int:
        return 3 * self.total

    @readonly
    def each(self) -> Iterator[int]:
        yield self.total

    def __len__(self) -> int:
        return self.total

    def add(self, item: int) -> None:
        self.items.append(item)

    def note(self) -> None:
        self.seen.append(self.total)


@both
def test_a_query_caches_nothing_in_the_state(tmp_path: Path, durability: str) -> None:
    """What an action has cached is given; what a query computes is not kept, or a restart would see another value."""
    sums = opened(Sums(), tmp_path / "w", durability)
    assert [sums.total, sums.twice, sums.thrice(), len(sums), *sums.each()] == [1, 2, 3, 1, 1]
    sums.add(2)
    assert (sums.total, sums.thrice()) == (3, 9)
    sums.note()
    sums.add(3)
    assert (sums.total, sums.twice, sums.seen) == (3, 6, [3])
    assert_restarts(sums, Sums, tmp_path / "w")


# --- calls -----------------------------------------------------------------------------------------------------------


def with_user(function: Any) -> Any:
    """Takes an argument that the method below it does not know."""

    @functools.wraps(function)
    def around(self: Any, *args: Any, user: str = "anon", **kwargs: Any) -> Any:
        self.user = user
        return function(self, *args, **kwargs)

    return around


def with_place(function: Any) -> Any:
    """Passes an argument that its caller does not."""

    @functools.wraps(function)
    def around(self: Any, *args: Any) -> Any:
        return function(self, "here", *args)

    return around


class Odd:
    """Methods with unusual signatures and names."""

    def __init__(self) -> None:
        self.said: list[Any] = []
        self.user = ""

    @with_user
    def edit(self, text: str) -> None:
        self.said.append((self.user, text))

    @with_place
    def put(self, place: str, text: str) -> None:
        self.said.append((place, text))

    @functools.singledispatchmethod
    def sort(self, thing: Any) -> str:
        self.said.append(("any", thing))
        return "any"

    @sort.register
    def _(self, thing: int) -> str:
        self.said.append(("int", thing))
        return "int"

    def prefixed(self, _coopy_lock: int, _coopy_now: int = 2) -> tuple[int, int]:
        self.said.append((_coopy_lock, _coopy_now))
        return _coopy_lock, _coopy_now

    @readonly
    def prefixed_query(self, _coopy_bound: int, *, _coopy_self: int = 1) -> tuple[int, int]:
        return _coopy_bound, _coopy_self

    @readonly
    @unlocked
    def beside(self, **kwargs: int) -> dict[str, int]:
        return kwargs

    def lying(self, letter: str) -> str:
        self.said.append(letter)
        return letter


Odd.lying.__signature__ = inspect.Signature([inspect.Parameter("x", inspect.Parameter.KEYWORD_ONLY)])  # type: ignore[attr-defined]
setattr(Odd, "a$now", lambda self, step=1: self.said.append(step))
setattr(Odd, "{braces}", lambda self: self.said.append("{}"))


@both
def test_calls_reach_the_method_as_they_would_without_coopy(tmp_path: Path, durability: str) -> None:
    """Through decorators that add or inject arguments, single dispatch, and names that generated code might use itself."""
    odd, plain = opened(Odd(), tmp_path / "w", durability), Odd()
    for one in (odd, plain):
        one.edit("a", user="bob")
        one.edit("b")
        one.put("c")
        assert (one.sort(3), one.sort("s")) == ("int", "any")
        assert (one.prefixed(1), one.prefixed(1, _coopy_now=3)) == ((1, 2), (1, 3))
        assert (one.prefixed_query(1), one.prefixed_query(_coopy_bound=1, _coopy_self=2)) == ((1, 1), (1, 2))
        assert one.beside(engine=1, function=2) == {"engine": 1, "function": 2}
        assert one.lying("l") == "l"
        getattr(one, "a$now")()
        getattr(one, "a$now")(2)
        getattr(one, "{braces}")()
    assert odd.said == plain.said
    for name in ("edit", "put", "sort", "prefixed"):
        assert inspect.signature(getattr(odd, name)) == inspect.signature(getattr(plain, name))
    assert_restarts(odd, Odd, tmp_path / "w")


class Nothing:
    """Says that it cannot do what Python would try otherwise."""

    __iter__ = None
    __contains__ = None
    __reversed__ = None
    __add__ = None

    def __init__(self) -> None:
        self.letters = ["a"]

    def __len__(self) -> int:
        return len(self.letters)

    def __getitem__(self, at: int) -> str:
        return self.letters[at]


ATTEMPTS: list[Callable[[Any], object]] = [iter, reversed, lambda one: "a" in one, lambda one: one + 1]


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_what_a_domain_rules_out_its_proxy_rules_out(tmp_path: Path, attempt: Callable[[Any], object]) -> None:
    """A special method that is None."""
    with control(opened(Nothing(), tmp_path / "w")) as nothing, pytest.raises(TypeError):
        attempt(nothing)


# --- kinds of classes ------------------------------------------------------------------------------------------------


class Box(Generic[T]):
    def __init__(self) -> None:
        self.things: list[Any] = []

    def put(self, thing: T) -> None:
        self.things.append(thing)

    def nest(self) -> None:
        self.things.append(Box[str]())


@pytest.mark.parametrize("made", [Box, Box[int], Box(), Box[int](), Box[Any]()])
def test_a_generic_class_is_durable(tmp_path: Path, made: Any) -> None:
    """With or without its parameters, also within a state."""
    box = opened(made, tmp_path / "w")
    box.put({1, 2})
    box.put(Box[str]())
    box.nest()
    assert isinstance(box, Box)
    control(box).take_snapshot()
    assert_restarts(box, Box, tmp_path / "w")


class Named:
    def __new__(cls, name: str) -> Self:
        return super().__new__(cls)

    def __init__(self, name: str) -> None:
        self.name = name


class Bag(set[int]): ...


class Row(collections.deque[int]): ...


class Count(collections.Counter[str]): ...


class Order(collections.OrderedDict[str, int]): ...


class Single:
    it: Any = None

    def __new__(cls) -> Self:
        cls.it = cls.it or super().__new__(cls)
        return cls.it  # type: ignore[no-any-return]


class Answering:
    """Has everything that it is asked for."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: name


class Asking:
    """Looks for attributes in one that an object has not before it has its state."""

    def __init__(self) -> None:
        self.known = {"word": "a"}

    def __getattr__(self, name: str) -> str:
        if name in self.known:
            return self.known[name]
        raise AttributeError(name)


def local() -> Any:
    class Local: ...

    return Local()


@pytest.mark.parametrize(
    ("domain", "why"),
    [
        (Answering(), "answers for __setstate__ by its __getattr__"), (Asking(), "its __getattr__ asks for an attribute"),
        (local(), "defined inside of a function"), (Bag([1]), "based on set, which"), (Row([1]), "based on deque, which"), (Count("a"), "based on Counter, which"),
        (Order(a=1), "based on OrderedDict, which"), (Named("a"), "could not be read back"), (Single(), "same object again"), (Single, "same object again"),
    ],
    ids=lambda one: getattr(one, "__qualname__", one if isinstance(one, str) else type(one).__qualname__),
)  # fmt: skip
def test_a_class_that_cannot_be_stored_is_refused_for_the_true_reason(tmp_path: Path, domain: Any, why: str) -> None:
    """And nothing is created."""
    with pytest.raises(UsageError, match=why):
        opened(domain, tmp_path / "w")
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize(
    ("argument", "why"),
    [(Answering(), "answers for __setstate__"), (Asking(), "its __getattr__ asks for an attribute"), (local(), "inside of a function")],
)
def test_an_argument_whose_attributes_would_be_lost_is_refused(tmp_path: Path, argument: Any, why: str) -> None:
    """The very object would come to the method without them."""
    with control(opened(Box[Any](), tmp_path / "w")) as box:
        with pytest.raises(NotSerializableError, match=f"argument 1 cannot be recorded.*{why}"):
            box.put(argument)
        assert control(box).lsn == 0


@dataclasses.dataclass
class Point:
    x: int = 0
    y: list[int] = dataclasses.field(default_factory=list)


def test_the_functions_of_dataclasses_take_a_proxy(tmp_path: Path) -> None:
    """What they give is a plain object."""
    with control(opened(Point(3, [1]), tmp_path / "w")) as point:
        assert [one.name for one in dataclasses.fields(point)] == ["x", "y"]
        assert dataclasses.asdict(point) == {"x": 3, "y": [1]}
        assert dataclasses.replace(point, x=1) == Point(1, [1])


# --- others' exceptions and systems ----------------------------------------------------------------------------------


class UnpicklableError(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(one)


class SilentError(Exception):
    """Not even its text can be had."""

    def __init__(self, one: int) -> None:
        super().__init__()

    def __str__(self) -> str:
        raise ValueError("no")


class Session:
    def __init__(self) -> None:
        self.log: list[str] = []

    def __enter__(self) -> Any:
        self.log.append("in")
        return self

    def __exit__(self, kind: Any, error: object, traceback: object) -> None:  # noqa: PYI036 - it needs a name
        self.log.append(f"{kind.__name__}({error})")


@both
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (KeyError("k"), "KeyError('k')"), (UnpicklableError(1, 2), f"Exception({__name__}.UnpicklableError: 1)"),
        (SilentError(1), f"Exception({__name__}.SilentError)"), (threading.BrokenBarrierError("b"), "Exception(threading.BrokenBarrierError: b)"),
    ],
    ids=lambda one: type(one).__name__,
)  # fmt: skip
def test_the_callers_exception_passes_a_domain_that_is_a_context_manager(
    tmp_path: Path, error: Exception, told: str, durability: str
) -> None:
    """Whether it can be recorded or not: the domain is told by value what there was."""
    session = opened(Session(), tmp_path / "w", durability)
    with pytest.raises(type(error)) as caught, session:
        raise error
    assert caught.value is error
    assert session.log == ["in", told]
    assert_restarts(session, Session, tmp_path / "w")


class Equal:
    """Compares slowly, under the lock of its own system."""

    meeting: Any = None

    def __init__(self) -> None:
        self.value = 1

    def __eq__(self, other: object) -> bool:
        self.meeting.wait(60)
        return isinstance(other, Equal) and self.value == other.value

    def __lt__(self, other: Any) -> bool:
        return bool(self.value < other.value)

    def __hash__(self) -> int:
        return 1

    def __add__(self, other: Any) -> int:
        return int(self.value + other.value)


def test_two_systems_that_are_compared_do_not_wait_for_each_other(tmp_path: Path) -> None:
    """Another system's proxy is no operand: each would hold its lock and want the other's."""
    Equal.meeting = threading.Barrier(1)
    one, two = opened(Equal(), tmp_path / "1"), opened(Equal(), tmp_path / "2")
    assert one == Equal()
    assert one == one  # noqa: PLR0124 - the domain's own comparison
    assert one != two
    operations: list[Callable[[], object]] = [lambda: one < two, lambda: one + two]
    for operation in operations:
        with pytest.raises(TypeError):
            operation()
    Equal.meeting = threading.Barrier(2)
    threads = [threading.Thread(target=lambda pair=pair: pair[0] == pair[1], daemon=True) for pair in ((one, two), (two, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    for proxy in (one, two):
        control(proxy).close()


class Lists:
    __slots__ = ("__dict__", "slot")

    def __init__(self) -> None:
        self.tags = ["a"]
        self.slot = ["a"]
        self.size = 1

    def tag(self, name: str) -> list[str]:
        self.tags.append(name)
        return self.tags

    @property
    def shown(self) -> list[str]:
        return self.tags


@both
@pytest.mark.parametrize("name", ["tags", "slot", "shown"])
def test_what_an_operator_changed_in_place_is_put_back(tmp_path: Path, durability: str, name: str) -> None:
    """Python changes the list first, and then sets the attribute to the list that is there already."""
    with control(opened(Lists, tmp_path / "w", durability)) as lists:
        lists.tag("b")
        before = control(lists).digest()
        found = getattr(lists, name)  # the three steps of `lists.tags += ["c"]`
        found += ["c"]
        with pytest.raises(UsageError, match=f"'{name}' was changed in place.*memory was made anew"):
            setattr(lists, name, found)
        assert (lists.tags, lists.slot, control(lists).digest()) == (["a", "b"], ["a"], before)
        with pytest.raises(UsageError, match=r"'size' cannot be set.*Nothing was changed"):
            lists.size += 1
        with pytest.raises(UsageError, match=r"'tags' cannot be set.*Nothing was changed"):
            lists.tags = ["z"]
        assert control(lists).stats().rebuilds.count == 1
        assert lists.tag("c") == ["a", "b", "c"]
        last = control(lists).digest()
    assert control(opened(Lists, tmp_path / "w", durability)).digest() == last


def test_dots_are_an_argument(tmp_path: Path) -> None:
    """Python's two values that are global names come back as themselves."""
    with control(opened(Box(), tmp_path / "w")) as box:
        box.put(...)
        box.put([NotImplemented])
        assert box.things == [..., [NotImplemented]]
        with pytest.raises(NotSerializableError):
            box.put(len)
        before = control(box).digest()
    with control(opened(Box, tmp_path / "w")) as box:
        assert box.things[0] is ...
        assert control(box).digest() == before
