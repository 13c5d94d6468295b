"""Systems used from asyncio, through the door that users take: what is awaited, what a cancelled task may assume, who waits for whom."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import pytest

from coopy import Control, aio, control, init_system, once, readonly, unlocked
from coopy.aio import call, read
from coopy.error import ClosedError, LockedError, NotSerializableError, UnconfirmedError, UsageError
from coopy.replication import primary as primary_room
from coopy.tests.utils import TestSystemMixin
from coopy.wiring.systems import _systems
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from pathlib import Path

both = pytest.mark.parametrize("durability", ["sync", "buffered"])
REACHED, GO_ON = threading.Event(), threading.Event()  # how tests stop an action in the middle, and let it go on
LEAVING: list[bool] = []  # whether an action raises what is no ordinary exception
WHO: contextvars.ContextVar[str] = contextvars.ContextVar("WHO", default="nobody")
AT_ONCE = threading.Barrier(40)


class Held(Word):
    """A word with methods that wait, and such as say where they run."""

    def add_slowly(self, letter: str) -> str:
        REACHED.set()
        assert GO_ON.wait(60)
        self.text += letter
        return self.text

    @readonly
    def where(self) -> tuple[int, str]:
        return threading.get_ident(), WHO.get()

    def acts_where(self) -> int:
        return threading.get_ident()

    def who_acts(self) -> str:
        return WHO.get()

    @unlocked
    def meet(self) -> int:
        AT_ONCE.wait(60)
        return threading.get_ident()

    @unlocked
    @readonly
    def wait_and_read(self) -> str:
        REACHED.set()
        assert GO_ON.wait(60)
        return self.text

    def stop_iterating(self) -> None:
        self.text += "s"
        raise StopIteration(self.text)

    def leave(self) -> None:
        self.text += "l"
        raise SystemExit(self.text)

    def leave_once(self) -> str:
        self.text += "o"
        if LEAVING:
            LEAVING.clear()
            raise SystemExit(self.text)
        return self.text

    def me(self) -> Self:
        return self

    def my_add(self) -> Callable[[str], str]:
        return self.add


class Shelf:
    """A domain with everything that is no plain method."""

    size = 3

    def __init__(self) -> None:
        self.books: dict[str, int] = {}
        self._label = ""

    def __setitem__(self, name: str, count: int) -> None:
        self.books[name] = count

    def __getitem__(self, name: str) -> int:
        return self.books[name]

    def __delitem__(self, name: str) -> None:
        del self.books[name]

    def __contains__(self, name: str) -> bool:
        return name in self.books

    def __iter__(self) -> Iterator[str]:
        return iter(self.books)

    def __len__(self) -> int:
        return len(self.books)

    def __iadd__(self, name: str) -> Self:
        self.books[name] = 1
        return self

    def __call__(self, name: str) -> str:
        self.books[name] = 0
        return name

    def __lt__(self, other: int) -> bool:
        return len(self.books) < other

    @property
    def label(self) -> str:
        return self._label

    @label.setter
    def label(self, label: str) -> None:
        self._label = label

    @staticmethod
    def double(number: int) -> int:
        return 2 * number


class Row:
    """Has `in` by its `__iter__` alone."""

    def __iter__(self) -> Iterator[int]:
        return iter([1, 2, 3])


class Indexed:
    def __getitem__(self, index: int) -> int:
        return index


@pytest.fixture(autouse=True)
def _held() -> None:
    REACHED.clear()
    GO_ON.clear()


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """In a loop of its own; it comes to its end."""

    async def within() -> None:
        async with asyncio.timeout(60):
            await story()

    asyncio.run(within())


async def reached() -> None:
    """The action has come to where it waits; the loop goes on meanwhile."""
    assert await asyncio.to_thread(REACHED.wait, 60)


# --- calls -----------------------------------------------------------------------------------------------------------


@both
def test_each_kind_of_method_is_awaited(tmp_path: Path, durability: Any) -> None:
    """And a restart finds what was done."""

    async def story() -> None:
        async with aio.open(Word, tmp_path / "w", durability=durability) as word:
            assert await word.add("a") == "a"
            assert await word.add(letter="b") == "ab"
            assert await word.add_many("c", "d", sep="-", upper=True) == "abC-D"
            assert await word.add_unlocked("e") == "abC-De"
            assert await word.read() == await word.text == "abC-De"
            with pytest.raises(ValueError, match="f"):
                await word.add_and_raise("f")
            with pytest.raises(ValueError, match="g"):
                await word.add_or_abort("g", True)
            assert await word.add_or_abort("h", False) == "abC-Defh"

    run(story)
    with control(init_system(Word, tmp_path / "w")) as word:
        assert word.text == "abC-Defh"


@both
def test_an_action_with_a_key_happens_once(tmp_path: Path, durability: Any) -> None:
    """Asked for again with the same key it gives what it gave; two tasks have a key each."""

    async def add_once(word: Any, key: str, letter: str) -> str:
        with once(key):
            added: str = await word.add(letter)
        return added

    async def main() -> None:
        async with aio.open(Word, tmp_path / "w", durability=durability) as word:
            assert await add_once(word, "one", "a") == await add_once(word, "one", "a") == "a"
            await asyncio.gather(*(add_once(word, f"key {number % 5}", "b") for number in range(20)))
            assert await word.read() == "abbbbb"

    asyncio.run(main())


@both
def test_what_is_no_plain_method_has_its_way_too(tmp_path: Path, durability: Any) -> None:
    """Python awaits `[]`, calls and `async for`; all else goes by `call` and `read`."""

    async def story() -> None:
        async with aio.open(Shelf(), tmp_path / "s", durability=durability) as shelf:
            await call(shelf, Shelf.__setitem__, "a", 1)
            assert await shelf["a"] == 1
            assert await shelf("b") == "b"
            it: object = await call(shelf, Shelf.__iadd__, "c")
            assert it is shelf
            await call(shelf, Shelf.__delitem__, "b")
            assert [name async for name in shelf] == ["a", "c"]
            assert await read(shelf, lambda shelf: (len(shelf), "c" in shelf, shelf < 3, list(shelf))) == (2, True, True, ["a", "c"])
            await call(shelf, Shelf.label.fset, "x")  # type: ignore[attr-defined]
            assert await shelf.label == "x"
            assert (await shelf.size, await shelf.double(2)) == (3, 4)

    run(story)


@pytest.mark.parametrize(
    ("use", "instead"),
    [
        (len, r"read\(it, len\)"),
        (lambda it: "a" in it, r"read\(it, lambda it: x in it\)"),
        (list, r"async for one in it"),
        (lambda it: it < 3, r"read\(it, lambda it: ...\)"),
        (lambda it: it.__setitem__("a", 1), r"call\(it, Shelf.__setitem__, ...\)"),
        (lambda it: it.__iadd__("a"), r"call\(it, Shelf.__iadd__, ...\)"),
        (lambda it: setattr(it, "label", "a"), r"call\(it, Shelf.label.fset, value\)"),
        (lambda it: setattr(it, "books", "a"), r"Write a method"),
        (lambda it: delattr(it, "label"), r"Write a method"),
        (lambda it: it.__enter__(), r"async with"),
        (lambda it: it.__reduce__(), r"cannot be copied or pickled"),
    ],
)
def test_what_cannot_be_awaited_says_what_to_write(tmp_path: Path, use: Callable[[Any], Any], instead: str) -> None:
    """And does nothing."""

    async def story() -> None:
        async with aio.open(Shelf, tmp_path / "s") as shelf:
            with pytest.raises(UsageError, match=instead):
                use(shelf)
            assert aio.control(shelf).lsn == 0

    run(story)


def test_in_of_what_can_only_be_iterated_over(tmp_path: Path) -> None:
    """Python would look at one after the other: it is refused like the iteration, and says what to write."""

    async def story() -> None:
        async with aio.open(Row, tmp_path / "r") as row:
            with pytest.raises(UsageError, match=r"read\(it, lambda it: x in it\)"):
                3 in row  # type: ignore[misc]  # noqa: B015 - what a user would try
            assert await read(row, lambda it: 3 in it)

    run(story)


def test_what_python_would_iterate_over_by_index(tmp_path: Path) -> None:
    """Is no iterable and no container: it would never end."""

    async def story() -> None:
        async with aio.open(Indexed, tmp_path / "i") as indexed:
            for name in ("__iter__", "__contains__", "__reversed__"):
                assert getattr(type(indexed), name) is None
            assert await indexed[3] == 3

    run(story)


def test_names_that_are_not_there(tmp_path: Path) -> None:
    """Are missed at once, private ones too, so that `hasattr` is right."""

    async def story() -> None:
        async with aio.open(Word, tmp_path / "w") as word:
            assert not hasattr(word, "nothing")
            assert not hasattr(word, "_clock")
            assert {"add", "text", "read"} <= set(dir(word))
            assert repr(word) == f"<coopy.aio proxy of Word in {tmp_path / 'w'}>"
            wrong: list[Any] = [Shelf.double, len, [].append, {}.__len__, Word.__init__, 3]
            for one in wrong:
                with pytest.raises(UsageError, match="no public method of Word"):
                    await call(word, one)
            with pytest.raises(UsageError, match=r"not a proxy of coopy\.aio"):
                await read(Word(), len)  # type: ignore[arg-type]

    run(story)


def test_a_method_that_a_subclass_overrides_is_the_subclass_s(tmp_path: Path) -> None:
    """Also where `call` names the base."""

    async def story() -> None:
        async with aio.open(Held, tmp_path / "w", validation="off") as word:
            assert await call(word, Word.add, "a") == "a"
            assert await call(word, Held.who_acts) == "nobody"

    run(story)


@both
def test_what_is_wrong_with_a_call_is_said_before_anything_happens(tmp_path: Path, durability: Any) -> None:
    """A wrong signature at the call, as for any coroutine function; what cannot be recorded when it is awaited."""

    async def story() -> None:
        async with aio.open(Word, tmp_path / "w", durability=durability) as word:
            with pytest.raises(TypeError, match="missing 1 required"):
                await word.add()
            with pytest.raises(NotSerializableError):
                await word.keep(threading.Lock())
            assert aio.control(word).lsn == 0
            with pytest.raises(UsageError, match="inside of its system"):
                await read(word, lambda word: word.add("a"))
            assert (aio.control(word).lsn, await word.text) == (0, "")

    run(story)


@pytest.mark.filterwarnings("ignore:coroutine 'Word.add' was never awaited")
def test_a_call_that_is_not_awaited_does_not_happen(tmp_path: Path) -> None:
    """Python warns of it by the method's name."""

    async def story() -> None:
        async with aio.open(Word, tmp_path / "w") as word:
            made = word.add("a")
            assert made.__qualname__ == "Word.add"  # type: ignore[attr-defined]
            del made
            assert aio.control(word).lsn == 0

    run(story)


@both
def test_results_are_no_way_to_the_blocking_proxy(tmp_path: Path, durability: Any) -> None:
    """The domain object is the proxy, its methods are the proxy's."""

    async def story() -> None:
        async with aio.open(Held, tmp_path / "w", durability=durability, validation="off") as word:
            assert await word.me() is word
            assert await read(word, lambda word: word) is word
            add = await word.my_add()
            assert await add("a") == "a"

    run(story)


@both
def test_exceptions_that_no_coroutine_can_raise(tmp_path: Path, durability: Any) -> None:
    """StopIteration is the cause of a RuntimeError, as Python has it; what is no ordinary exception is what it is."""

    async def story() -> None:
        async with aio.open(Held, tmp_path / "w", durability=durability, validation="off") as word:
            with pytest.raises(RuntimeError) as caught:
                await word.stop_iterating()
            assert repr(caught.value.__cause__) == "StopIteration('s')"
            with pytest.raises(SystemExit, match="sl"):
                await word.leave()
            assert await word.add("a") == "sla"
            LEAVING.append(True)
            with pytest.raises(SystemExit, match="slao"):
                await word.leave_once()
            assert await word.text == "slao"

    run(story)


# --- where things run -------------------------------------------------------------------------------------------------


@both
def test_queries_run_on_the_loop_s_thread_in_its_context_and_actions_in_the_system_s(tmp_path: Path, durability: Any) -> None:
    """No hop while nobody has the lock."""

    async def story() -> None:
        WHO.set("task")
        async with aio.open(Held, tmp_path / "w", durability=durability, validation="off") as word:
            assert await word.where() == (threading.get_ident(), "task")
            assert await word.who_acts() == "nobody"
            assert (await word.acts_where() == threading.get_ident()) == (durability == "buffered")

    run(story)


@both
def test_a_query_behind_a_long_action_waits_and_the_loop_goes_on(tmp_path: Path, durability: Any) -> None:
    """On another thread, in the task's context."""

    async def story() -> None:
        WHO.set("task")
        async with aio.open(Held, tmp_path / "w", durability=durability, validation="off") as word:
            acting = asyncio.create_task(asyncio.to_thread(aio.control(word).blocking.add_slowly, "a"))
            await reached()
            query, second = asyncio.create_task(word.where()), asyncio.create_task(word.text)
            left = asyncio.create_task(word.read())
            more = asyncio.create_task(word.add("b"))
            await asyncio.sleep(0)
            left.cancel()
            with pytest.raises(asyncio.CancelledError):
                await left
            assert not query.done()
            GO_ON.set()
            ident, who = await query
            assert (ident != threading.get_ident(), who) == (True, "task")
            assert await acting == "a"
            assert await second in {"a", "ab"}
            assert await more == "ab"

    run(story)


@both
def test_unlocked_actions_have_a_thread_each(tmp_path: Path, durability: Any) -> None:
    """Forty that wait for one another come to their end."""

    async def story() -> None:
        async with aio.open(Held, tmp_path / "w", durability=durability, validation="off") as word:
            idents = await asyncio.gather(*(word.meet() for _ in range(40)))
            assert len(set(idents)) == 40
            look = asyncio.create_task(word.wait_and_read())
            await reached()
            assert await word.add("a") == "a"
            GO_ON.set()
            assert await look == "a"

    run(story)


@both
def test_tasks_and_threads_share_a_system(tmp_path: Path, durability: Any) -> None:
    """Whoever leads, everybody hears."""

    async def story() -> None:
        async with aio.open(Word, tmp_path / "w", durability=durability) as word:
            blocking = aio.control(word).blocking

            def add_many() -> None:
                for _ in range(100):
                    blocking.keep("thread")

            async def add() -> None:
                for _ in range(10):
                    await word.keep("task")

            await asyncio.gather(*(add() for _ in range(50)), *(asyncio.to_thread(add_many) for _ in range(3)))
            kept = await word.kept
            assert (kept.count("task"), kept.count("thread")) == (500, 300)

    run(story)


def test_several_loops_share_a_system(tmp_path: Path) -> None:
    """Each hears on its own thread."""

    async def story() -> None:
        async with aio.open(Word, tmp_path / "w") as word:

            async def add() -> None:
                here = threading.get_ident()
                for _ in range(20):
                    await word.keep(1)
                    assert threading.get_ident() == here

            async def add_all() -> None:
                await asyncio.gather(*(add() for _ in range(10)))

            await asyncio.gather(add_all(), *(asyncio.to_thread(asyncio.run, add_all()) for _ in range(2)))
            assert await read(word, lambda word: len(word.kept)) == 600

    run(story)


# --- cancelled tasks ----------------------------------------------------------------------------------------------------


@both
def test_a_task_that_is_cancelled_before_it_runs_does_nothing(tmp_path: Path, durability: Any) -> None:
    """There is no record."""

    async def story() -> None:
        async with aio.open(Word, tmp_path / "w", durability=durability) as word:
            task = asyncio.create_task(word.add("a"))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert aio.control(word).lsn == 0

    run(story)


async def let_go_on_after(task: asyncio.Task[str]) -> str:
    """Wait for an action, which is let go on when this is cancelled."""
    asyncio.get_running_loop().call_later(0.02, GO_ON.set)
    return await task


def test_a_cancelled_action_is_over_before_its_task_hears_of_it(tmp_path: Path) -> None:
    """However often it is cancelled; a time-out too."""

    async def story() -> None:
        async with aio.open(Held, tmp_path / "w", validation="off") as word:
            task = asyncio.create_task(word.add_slowly("a"))
            await reached()
            for _ in range(3):
                task.cancel()
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                assert not task.done()
            GO_ON.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await word.text == "a"
            REACHED.clear()
            GO_ON.clear()
            task = asyncio.create_task(word.add_slowly("b"))
            await reached()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(let_go_on_after(task), 0.001)
            assert await word.text == "ab"

    run(story)


def test_who_cannot_wait_shields_the_action(tmp_path: Path) -> None:
    """It goes on, and its end can still be awaited."""

    async def story() -> None:
        async with aio.open(Held, tmp_path / "w", validation="off") as word:
            action = asyncio.ensure_future(word.add_slowly("a"))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(action), 0.001)
            GO_ON.set()
            assert await action == "a"

    run(story)


@both
def test_cancelled_at_every_step_an_action_is_whole_or_not_there(tmp_path: Path, durability: Any) -> None:
    """And what is seen after CancelledError is what a restart sees."""
    seen: list[tuple[int, list[Any]]] = []

    async def cancelled_at(step: int, word: aio.Proxy[Word]) -> bool:
        async def act() -> None:
            await word.keep([step, 1])
            await word.keep([step, 2])
            await word.add_unlocked(".")

        task = asyncio.create_task(act())
        for _ in range(step):
            await asyncio.sleep(0)
        through = not task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        seen.append((aio.control(word).lsn, await word.kept))
        return through

    async def story() -> None:
        async with aio.open(Word, tmp_path / "w", durability=durability) as word:
            step = 0
            while not await cancelled_at(step, word):
                step += 1 + step // 8
            before = aio.control(word).lsn
            await word.add("a")
            assert aio.control(word).lsn == before + 1

    run(story)
    with control(init_system(Word, tmp_path / "w")) as word:
        assert word.kept == seen[-1][1]
        assert word.kept == [one for one in word.kept if type(one) is list and len(one) == 2]


def test_a_cancelled_opening_leaves_nothing_open(tmp_path: Path) -> None:
    """Another can open the directory."""

    async def story() -> None:
        went_on = threading.Event()

        def progress(_lsn: int, _last: int) -> None:
            REACHED.set()
            went_on.wait(60)

        opening = asyncio.ensure_future(aio.open(Word, tmp_path / "w", on_progress=progress)._open())
        await reached()
        opening.cancel()
        await asyncio.sleep(0)
        assert not opening.done()
        went_on.set()
        with pytest.raises(asyncio.CancelledError):
            await opening
        async with aio.open(Word, tmp_path / "w") as word:
            assert await word.text == "a" * 300

    with control(init_system(Word, tmp_path / "w")) as word:
        for _ in range(300):
            word.add("a")
    run(story)


# --- the end ------------------------------------------------------------------------------------------------------------


@both
def test_closing_with_calls_under_way(tmp_path: Path, durability: Any) -> None:
    """Each hears its result or that the system is closed, and a restart has those that heard a result."""
    heard: list[int] = []

    async def story() -> None:
        word, enough = await aio.open(Word, tmp_path / "w", durability=durability), asyncio.Event()

        async def keep(number: int) -> None:
            with contextlib.suppress(ClosedError):
                while True:
                    await word.keep(number)
                    heard.append(number)
                    if len(heard) > 50:
                        enough.set()
                    await asyncio.sleep(0)

        tasks = [asyncio.create_task(keep(number)) for number in range(20)]
        await enough.wait()
        await word.close()
        await asyncio.gather(*tasks)
        await word.close()
        with pytest.raises(ClosedError, match=r"open it again with coopy\.aio\.open"):
            await word.add("a")
        with pytest.raises(ClosedError, match=r"open it again with coopy\.aio\.open"):
            await word.read()

    run(story)
    with control(init_system(Word, tmp_path / "w")) as word:
        assert sorted(word.kept) == sorted(heard)


def test_a_loop_that_is_closed_meanwhile_takes_nobody_with_it(tmp_path: Path) -> None:
    """Its action happens; other loops and threads go on."""
    blocking = init_system(Held, tmp_path / "w", validation="off")
    word = aio.opening.beside(blocking)
    loop = asyncio.new_event_loop()
    task = loop.create_task(word.add_slowly("a"))
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert REACHED.wait(60)
    loop.close()
    GO_ON.set()
    assert blocking.add("b") == "ab"

    async def story() -> None:
        assert await word.add("c") == "abc"
        await word.close()

    run(story)
    task.get_coro().close()
    task._log_destroy_pending = False  # type: ignore[attr-defined]


def test_a_directory_that_is_open_elsewhere(tmp_path: Path) -> None:
    """Is refused as by `init_system`, and so are options that cannot be."""

    async def story() -> None:
        async with aio.open(Word, tmp_path / "w"):
            with pytest.raises(LockedError):
                await aio.open(Word, tmp_path / "w")
        with pytest.raises(UsageError, match="port"):
            await aio.open(Word, tmp_path / "v", port=3)
        with pytest.raises(TypeError, match="nothing"):
            aio.open(Word, tmp_path / "v", nothing=3)  # type: ignore[call-overload]

    run(story)


def test_a_proxy_is_no_domain(tmp_path: Path) -> None:
    """Neither door takes what it gave, and a test's clock says which proxy it means."""

    async def story() -> None:
        async with aio.open(Word, tmp_path / "w") as word:
            with pytest.raises(UsageError, match="init_system was given a proxy"):
                init_system(word, tmp_path / "other")
            with pytest.raises(UsageError, match="init_system was given a proxy"):
                await aio.open(word, tmp_path / "other")
            with pytest.raises(UsageError, match=r"coopy\.aio\.control, whose `blocking` is such a proxy"):
                TestSystemMixin().mock_clock(word, datetime(2026, 7, 13, tzinfo=UTC))
        assert not (tmp_path / "other").exists()

    run(story)


@both
def test_the_operations_are_awaited(tmp_path: Path, durability: Any) -> None:
    """And give what `coopy.control` gives."""

    async def story() -> None:
        async with aio.control(await aio.open(Word, tmp_path / "w", durability=durability)) as word:
            ctl = aio.control(word)
            await word.add("a")
            assert (await word.take_snapshot(), await ctl.take_snapshot(), ctl.lsn, await ctl.wait_durable()) == (1, 1, 1, 1)
            assert (await ctl.stats()).snapshots.count == 1
            assert await ctl.digest() == control(ctl.blocking).digest()
            assert await ctl.prune() == []
            assert (ctl.role, ctl.basedir_abspath(), await word.basedir_abspath()) == (
                "alone",
                [str(tmp_path / "w")],
                [str(tmp_path / "w")],
            )
            for name in ("address", "lag", "staleness", "problem"):
                with pytest.raises(UsageError):
                    getattr(ctl, name)
            assert ctl.proxy is word

    run(story)


def test_the_control_of_threads_names_that_of_tasks(tmp_path: Path) -> None:
    """Both are called control, and the wrong one is soon imported."""

    async def story() -> None:
        async with aio.open(Word, tmp_path / "w") as word:
            with pytest.raises(UsageError, match=r"coopy\.aio\.control"):
                control(word)

    run(story)


# --- primary and replicas -----------------------------------------------------------------------------------------------


def test_a_primary_and_its_replica(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `min_acks` a call returns when a replica has it; the replica takes no action until it is promoted."""
    monkeypatch.setattr(primary_room, "CONFIRM", 60.0)

    async def story() -> None:
        async with aio.open(Word, tmp_path / "p", master=True, port=0, min_acks=1) as word:
            port = aio.control(word).address[1]
            async with aio.open(Word, tmp_path / "r", replication=True, port=port) as replica:
                assert max(await asyncio.gather(*(word.add("a") for _ in range(20))), key=len) == "a" * 20
                with pytest.raises(ValueError, match="b"):
                    await word.add_and_raise("b")
                assert await aio.control(replica).wait_for(await aio.control(word).token(), 60) == 21
                assert await replica.text == "a" * 20 + "b"
                with pytest.raises(Exception, match="this is a replica"):
                    await replica.add("c")
                await word.close()
                await aio.control(replica).promote()
                assert await replica.add("c") == "a" * 20 + "bc"

    run(story)


def confirm_within(word: aio.Proxy[Word], seconds: float) -> None:
    """How long a primary waits for its replicas."""
    peers: Any = _systems[type(aio.control(word).blocking)].peers
    peers.confirm_within = seconds


def test_what_no_replica_confirms(tmp_path: Path) -> None:
    """Each hears so, in the time that one takes; who is cancelled meanwhile does not wait."""

    async def story() -> None:
        async with aio.open(Word, tmp_path / "p", master=True, port=0, min_acks=1) as word:
            confirm_within(word, 0.1)
            results = await asyncio.gather(*(word.add("a") for _ in range(20)), return_exceptions=True)
            assert {type(one) for one in results} == {UnconfirmedError}
            assert sorted(one.lsn for one in results if isinstance(one, UnconfirmedError)) == list(range(1, 21))
            confirm_within(word, 1000)
            task = asyncio.create_task(word.add("b"))
            while aio.control(word).lsn < 21:  # noqa: ASYNC110 - another thread executes it
                await asyncio.sleep(0.001)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await word.text == "a" * 20 + "b"

    run(story)


def test_an_operation_takes_the_same_awaited_or_not() -> None:
    """Name by name: what one learns, the other is not to lack. What was is asked for by `coopy.control` of the blocking proxy."""
    ours, theirs = ({name for name in dir(kind) if not name.startswith("_")} for kind in (aio.Control, Control))
    assert (theirs - ours, ours - theirs) == ({"at", "changes"}, {"blocking"})
    for name in (one for one in ours & theirs if callable(getattr(Control, one))):
        takes, as_awaited = (list(inspect.signature(getattr(kind, name)).parameters) for kind in (Control, aio.Control))
        assert takes == as_awaited, name


def test_opening_takes_the_same_awaited_or_not() -> None:
    """As type checkers see it, too."""
    blocking = set(inspect.signature(init_system).parameters)
    assert set(aio.opening.Keywords.__annotations__) | {"obj", "basedir"} == blocking


def test_a_snapshot_beside_the_calls_of_tasks(tmp_path: Path) -> None:
    """Nobody waits for it but who asks how it went."""

    async def story() -> None:
        async with aio.open(Word, tmp_path / "w") as word:
            ctl = aio.control(word)
            assert str(ctl.restored) == str(control(ctl.blocking).restored)
            await word.add("a")
            begun = await ctl.take_snapshot(background=True)
            await word.add("b")
            assert (begun, await ctl.wait_snapshot(), ctl.snapshot_problem) == (1, 1, "")

    run(story)


def test_what_was_is_asked_for_on_a_thread(tmp_path: Path) -> None:
    """By the operations of the blocking proxy."""

    async def story() -> None:
        async with aio.open(Word, tmp_path / "w") as word:
            await asyncio.gather(word.add("a"), word.add("b"))
            past = control(aio.control(word).blocking)
            then = await asyncio.to_thread(past.at, 1)
            assert (then.text, [one.args for one in past.changes()]) == ("a", [("a",), ("b",)])
            await asyncio.to_thread(control(then).close)

    run(story)
