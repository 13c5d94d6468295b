"""A fresh process does what it is told, says what went wrong there, and ends with whoever started it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopy.error import CorruptionError, UsageError
from coopy.fresh import Fresh, Surroundings, pack, unpack

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Surroundings()


# --- what runs there -------------------------------------------------------------------------------------------------


def echo(task: bytes, tell: Callable[[bytes], object]) -> None:
    print("not a message")
    for number in range(3):
        tell(task * number)


def surroundings(_task: bytes, tell: Callable[[bytes], object]) -> None:
    said = (hash("coopy"), os.environ.get("TZ"), Path.cwd(), os.environ.get("PYTHONHASHSEED"))
    tell(repr(said).encode())


def manner(_task: bytes, tell: Callable[[bytes], object]) -> None:
    tell(repr(how_it_runs()).encode())


def how_it_runs() -> tuple[object, ...]:
    flags = sys.flags
    return flags.optimize, flags.bytes_warning, flags.utf8_mode, sys.get_int_max_str_digits(), sys.warnoptions, flags.isolated


def damaged(_task: bytes, _tell: Callable[[bytes], object]) -> None:
    raise CorruptionError("file x is damaged.", path="x", offset=7, lsn=3)


def mistaken(_task: bytes, _tell: Callable[[bytes], object]) -> None:
    raise ZeroDivisionError("nothing by nothing")


def killed(_task: bytes, tell: Callable[[bytes], object]) -> None:
    tell(b"before")
    print("last words")
    sys.stdout.flush()
    os._exit(7)


def endless(_task: bytes, tell: Callable[[bytes], object]) -> None:
    tell(str(os.getpid()).encode())
    threading.Event().wait()


def main_class(_task: bytes, tell: Callable[[bytes], object]) -> None:
    kind = vars(sys.modules["__main__"])["Wiki"]
    tell(f"{kind.__module__} {kind.__qualname__} {kind.Page.__module__}".encode())


# --- what is heard here ----------------------------------------------------------------------------------------------


def run(function: str, task: bytes = b"", around: Surroundings = HERE) -> list[bytes]:
    return list(Fresh(f"{__name__}:{function}", task, around))


def test_messages_come_back_in_order() -> None:
    """And what is printed there does not come between them."""
    assert run("echo", b"ab") == [b"", b"ab", b"abab"]


def test_a_large_task_and_a_large_message_pass() -> None:
    """More than a pipe holds."""
    assert run("echo", b"x" * 1_000_000)[2] == b"x" * 2_000_000


def test_surroundings_are_others() -> None:
    """Hash seed, zone and directory, each as asked for."""
    one, two = (
        run("surroundings", around=Surroundings("1", "<+0545>-5:45", (), "/"))[0],
        run("surroundings", around=Surroundings("2", "", (), "/tmp"))[0],
    )
    assert b"'<+0545>-5:45', PosixPath('/'), '1'" in one
    assert one.split(b",")[0] != two.split(b",")[0]


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["-O"],
        ["-OO", "-bb"],
        ["-W", "error::UserWarning", "-W", "ignore::BytesWarning"],
        ["-X", "utf8"],
        ["-X", "utf8=0", "-X", "int_max_str_digits=0"],
    ],
)
def test_python_runs_there_as_it_runs_here(options: list[str]) -> None:
    """Whether asserts are outcomes, which warnings are errors, how files are read: a domain does there what it does here."""
    script = "import tests.unit.test_fresh as t; print(t.how_it_runs()); print(t.run('manner')[0].decode())"
    done = subprocess.run(
        [sys.executable, *options, "-c", script], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    here, there = done.stdout.splitlines()
    assert here == there


def test_a_number_of_digits_that_was_set_later_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """As what the program was started with does."""
    before = sys.get_int_max_str_digits()
    monkeypatch.setattr(sys, "warnoptions", [])
    sys.set_int_max_str_digits(5000)
    try:
        assert b", 5000, []" in run("manner")[0]
    finally:
        sys.set_int_max_str_digits(before)


leaves = st.none() | st.text(st.characters()) | st.integers(0, 9) | st.binary()


@settings(deadline=None, derandomize=True)
@given(st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_whatever_text_is_handed_over_comes_back(value: object) -> None:
    """Also one that UTF-8 cannot express."""
    assert unpack(pack(value), object) == value
    assert unpack(pack(("\udcff", value)), object) == ["\udcff", value]


def test_an_error_of_coopys_is_the_same_here() -> None:
    """Class, text and values."""
    with pytest.raises(CorruptionError, match="file x is damaged") as caught:
        run("damaged")
    assert (caught.value.path, caught.value.offset, caught.value.lsn) == ("x", 7, 3)


def test_any_other_error_says_what_it_was() -> None:
    """By its class and text."""
    with pytest.raises(UsageError, match="ZeroDivisionError: nothing by nothing"):
        run("mistaken")


def test_a_process_that_dies_is_named_with_its_last_words() -> None:
    """After the messages that it had sent."""
    process = Fresh(f"{__name__}:killed", b"", HERE)
    messages = iter(process)
    assert next(messages) == b"before"
    with pytest.raises(UsageError, match=r"\(7\): last words"):
        next(messages)


def test_cancelling_ends_it() -> None:
    """From another thread too; its messages just end."""
    process = Fresh(f"{__name__}:endless", b"", HERE)
    messages = iter(process)
    pid = int(next(messages))
    threading.Thread(target=process.cancel).start()
    assert list(messages) == []
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_it_ends_with_whoever_started_it(tmp_path: Path) -> None:
    """Killed, so that it cannot say good-bye."""
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    code = f"""
import os
from coopy.fresh import Fresh, Surroundings
next(iter(Fresh("{__name__}:hold", {str(fifo)!r}.encode(), Surroundings())))
os.kill(os.getpid(), 9)
"""
    parent = subprocess.Popen([sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}\n{code}"])
    with fifo.open("rb") as held:  # until both ends are open
        assert held.read() == b""  # until whoever holds the other end is gone
    assert parent.wait() == -9


def hold(task: bytes, tell: Callable[[bytes], object]) -> None:
    with Path(task.decode()).open("wb"):
        tell(b"")
        threading.Event().wait()


SCRIPT = """
import sys
from coopy.fresh import Fresh, Surroundings

class Wiki:
    class Page:
        pass

if __name__ == "__main__":
    print(*Fresh("tests.unit.test_fresh:main_class", b"", Surroundings(), script=True))
"""


def test_classes_of_the_script_are_found_there(tmp_path: Path) -> None:
    """By running it again under another name; they say that they are of `__main__`, as here."""
    script = tmp_path / "program.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, env=environment).stdout
    assert said == "b'__main__ Wiki __main__'\n"


def test_classes_that_were_typed_in_cannot_be_found() -> None:
    """There is no file to find them in."""
    code = "from coopy.fresh import Fresh, Surroundings\nFresh('a:b', b'', Surroundings(), script=True)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "typed into an interactive Python" in done.stderr
