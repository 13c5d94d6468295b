"""What a signal handler raises into a call, as one for a time-out does, is no outcome of the action, no fault of the disk and no argument's.

Nor is what a debugger raises there when somebody leaves it.
"""

from __future__ import annotations

import ctypes
import functools
import io
import json
import os
import pdb  # noqa: T100 - what somebody who looks for a fault does to an action is tried here
import signal
import sys
import threading
from bdb import BdbQuit
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

import pytest
from pydantic import TypeAdapter, ValidationError

from coopy import abort_exception, control, init_system, unlocked
from coopy.disk import files
from coopy.error import ClosedError, NotSerializableError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

pytestmark = pytest.mark.parametrize("durability", ["sync", "buffered"])

armed: list[str] = []  # where the signal is to come


def come(where: str) -> None:
    """The signal comes here, once."""
    if where in armed:
        armed.remove(where)
        signal.raise_signal(signal.SIGALRM)
    if f"{where}, a debugger" in armed:
        armed.remove(f"{where}, a debugger")
        pdb.Pdb(stdin=io.StringIO("quit\n"), stdout=io.StringIO(), nosigint=True).set_trace()


def late(_number: int, _frame: object) -> None:
    """A handler."""
    raise TimeoutError("late")


class Handler:
    """More of them."""

    def late(self, _number: int, _frame: object) -> None:
        raise TimeoutError("late")

    __call__ = late


class Letter:
    """An argument that takes its time."""

    def __init__(self, letter: str) -> None:
        self.letter = letter

    def __getstate__(self) -> dict[str, str]:
        come("argument")
        return {"letter": self.letter}


class Word:
    def __init__(self) -> None:
        self.text = ""

    def add(self, letter: str) -> str:
        self.text += letter
        come("action")
        self.text += letter
        return self.text

    @abort_exception
    def abort(self, letter: str) -> str:
        return self.add(letter)

    def reword(self, letter: str) -> str:
        try:
            return self.add(letter)
        except TimeoutError as error:
            raise TimeoutError(f"{error}, it says") from error

    @unlocked
    def add_beside(self, letter: str) -> str:
        return self.add(letter)

    def put(self, letter: Letter) -> str:
        return self.add(letter.letter)

    def add_late(self, letter: str) -> None:
        self.text += letter
        raise TimeoutError("its own")


@pytest.fixture(params=[late, Handler().late, Handler(), functools.partial(late)], ids=["function", "method", "object", "partial"])
def handled(request: pytest.FixtureRequest) -> Iterator[None]:
    """A handler is installed, of each kind."""
    before = signal.signal(signal.SIGALRM, request.param)
    yield
    signal.signal(signal.SIGALRM, before)
    armed.clear()


@pytest.fixture
def word(tmp_path: Path, durability: Any) -> Iterator[Any]:
    """A word in a system, which a restart gives again as it was left."""
    with control(init_system(Word, tmp_path / "w", durability=durability, validation="off")) as word:
        yield word
        left = word.text
    with control(init_system(Word, tmp_path / "w", durability=durability, validation="off")) as word:
        assert word.text == left


@pytest.mark.parametrize("method", ["add", "abort", "add_beside", "reword"])
@pytest.mark.usefixtures("handled")
def test_an_action_that_a_handler_interrupts_happens_once_as_a_whole(word: Any, method: str) -> None:
    """The journal decides, as after an interrupt from the keyboard; its caller hears what the handler raised."""
    word.add("a")
    armed.append("action")
    with pytest.raises(TimeoutError, match="late"):
        getattr(word, method)("b")
    assert word.text == "aabb"
    assert word.add("c") == "aabbcc"


@pytest.mark.usefixtures("handled")
def test_the_same_raised_by_an_action_itself_is_its_outcome(word: Any) -> None:
    """Nothing is made anew."""
    with pytest.raises(TimeoutError, match="its own"):
        word.add_late("a")
    assert word.text == "a"
    assert control(word).stats().rebuilds.count == 0


def interrupted(place: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the operating system during which the signal comes."""

    def function(*args: Any) -> Any:
        come(place)
        return call(*args)

    return function


@pytest.mark.usefixtures("handled")
def test_a_write_or_sync_that_a_handler_interrupts_is_no_failure_of_the_disk(
    word: Any, durability: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TimeoutError is an OSError, but not the operating system's."""
    monkeypatch.setattr(os, "pwrite", interrupted("write", os.pwrite))
    monkeypatch.setattr(files, "_force", interrupted("sync", files._force))
    for place in ("write", "sync") if durability == "sync" else ("write",):
        armed.append(place)
        with pytest.raises(TimeoutError, match="late"):
            word.put(Letter("b" * 5_000_000))  # more than is reserved
        assert not armed
    assert word.add("c").endswith("cc")


@pytest.mark.usefixtures("handled")
def test_an_opening_that_a_handler_interrupts_is_no_failure_of_the_disk(
    tmp_path: Path, durability: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can be opened again at once."""
    monkeypatch.setattr(os, "pwrite", interrupted("write", os.pwrite))
    armed.append("write")
    with pytest.raises(TimeoutError, match="late"):
        init_system(Word, tmp_path / "w", durability=durability, validation="off")
    with control(init_system(Word, tmp_path / "w", durability=durability, validation="off")) as word:
        assert word.add("a") == "aa"


@pytest.mark.usefixtures("handled")
def test_arguments_that_a_handler_interrupts_are_not_to_blame(word: Any) -> None:
    """Nothing has happened then."""
    armed.append("argument")
    with pytest.raises(TimeoutError, match="late"):
        word.put(Letter("a"))
    assert word.put(Letter("b")) == "bb"
    with pytest.raises(NotSerializableError, match="argument 1"):
        word.add(lambda: None)


@pytest.fixture
def traced() -> Iterator[None]:
    """Whoever traces this process, as a debugger or a measure of coverage does, goes on behind the test."""
    before = sys.gettrace()
    yield
    sys.settrace(before)
    armed.clear()


@pytest.mark.parametrize("method", ["add", "abort", "add_beside"])
@pytest.mark.usefixtures("traced")
def test_an_action_in_which_a_debugger_is_left_happens_once_as_a_whole(word: Any, method: str) -> None:
    """Else a restart would wait for somebody to leave a debugger there."""
    word.add("a")
    armed.append("action, a debugger")
    with pytest.raises(BdbQuit):
        getattr(word, method)("b")
    assert word.text == "aabb"
    assert word.add("c") == "aabbcc"


@pytest.mark.usefixtures("traced")
def test_a_debugger_that_is_left_while_memory_is_made_anew_loses_nothing(tmp_path: Path, durability: Any) -> None:
    """The system ends itself, and says so; what was recorded happens when it is opened again."""
    with control(init_system(Word, tmp_path / "w", durability=durability, validation="off")) as word:
        armed.extend(["action, a debugger"] * 2)
        with pytest.raises(BdbQuit):
            word.add("a")
        with pytest.raises((BdbQuit, ClosedError), match=r"^$|closed itself: BdbQuit\. Open it again"):
            word.add("b")
    armed.append("action, a debugger")
    with pytest.raises(BdbQuit):
        init_system(Word, tmp_path / "w", durability=durability, validation="off")
    with control(init_system(Word, tmp_path / "w", durability=durability, validation="off")) as word:
        assert word.text == "aa"


class OutOfTimeError(Exception):
    """What a library raises into a thread whose time is over."""


class Slow(Word):
    """Its actions go on until somebody has raised into them. A replay does not wait for that."""

    begun, raised = threading.Event(), False

    def spin(self, letter: str) -> None:
        self.text += letter
        self.begun.set()
        while not Slow.raised:
            pass
        self.text += letter

    def call(self, letter: str) -> None:
        self.text += letter
        self.begun.set()
        while not Slow.raised:
            sum(range(10_000))
        self.text += letter

    def enter(self, letter: str) -> None:
        self.text += letter
        self.begun.set()
        while not Slow.raised:
            self.rest()
        self.text += letter

    def rest(self) -> None:
        """Nothing."""

    @abort_exception
    def undo(self, letter: str) -> None:
        self.spin(letter)

    def decode(self, text: str) -> None:
        json.loads(text, object_hook=refused)

    def fail(self) -> None:
        self.text += "f"
        next(map(int, ["no"]))

    def throw(self) -> None:
        letters = each(self.text)
        next(letters)
        letters.throw(KeyError("t"))

    def parse(self) -> None:
        parser = expat.ParserCreate()
        parser.CharacterDataHandler = int
        parser.Parse("<a>no</a>", True)

    def validate(self) -> None:
        TypeAdapter(int).validate_python("no")


def each(text: str) -> Generator[str, None, None]:
    yield from text


def refused(_found: object) -> None:
    raise OutOfTimeError


@pytest.mark.parametrize("method", ["spin", "call", "enter", "undo"])
def test_an_action_into_which_another_thread_raises_happens_once_as_a_whole(tmp_path: Path, durability: Any, method: str) -> None:
    """An ordinary exception, too, wherever it comes: its caller hears it, and a restart does not wait for it."""
    raises = ctypes.pythonapi.PyThreadState_SetAsyncExc
    with control(init_system(Slow, tmp_path / "w", durability=durability, validation="off")) as word:
        Slow.begun.clear()
        Slow.raised = False
        heard = list[str]()

        def call() -> None:
            try:
                getattr(word, method)("a")
            except OutOfTimeError:
                heard.append("it")

        thread = threading.Thread(target=call)
        thread.start()
        assert Slow.begun.wait(60)
        assert raises(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(OutOfTimeError)) == 1
        Slow.raised = True
        thread.join()
        assert (word.text, heard, control(word).stats().rebuilds.count) == ("aa", ["it"], 1)
        word.add("b")
        now = control(word).digest()
    with control(init_system(Slow, tmp_path / "w", durability=durability, validation="off")) as word:
        assert control(word).digest() == now


def test_what_an_action_raises_by_what_it_calls_is_its_outcome(tmp_path: Path, durability: Any) -> None:
    """Written in C as well, with or without a frame of its own in the traceback, and without arguments; or thrown into a generator."""
    with control(init_system(Slow, tmp_path / "w", durability=durability, validation="off")) as word:
        with pytest.raises(ValueError, match="no"):
            word.fail()
        with pytest.raises(KeyError, match="t"):
            word.throw()
        with pytest.raises(ValueError, match="no"):
            word.parse()
        with pytest.raises(ValidationError, match="unable to parse string"):
            word.validate()
        with pytest.raises(json.JSONDecodeError):
            word.decode("{")
        with pytest.raises(OutOfTimeError):
            word.decode("{}")
        assert (word.text, control(word).stats().rebuilds.count) == ("f", 0)
