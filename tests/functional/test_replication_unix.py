"""Primary and replicas by a Unix socket: a file for one user, without a port and without TLS."""

from __future__ import annotations

import os
import signal
import socket
import stat
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coopy import control, init_system
from coopy.error import AuthenticationError, ReplicaError, UsageError
from coopy.replication.transport import Listener
from tests.functional.test_replication import House, ask, house, level, program, wait_until
from tests.unit.replication.test_transport import certificate, serving
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["certificate", "house"]

NOBODY = 65534


@pytest.fixture
def place() -> Iterator[Path]:
    """The path of a file, short enough for any system."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "wiki.sock"


def meet(house: House, word: Any, directory: Path) -> Any:
    """A replica by the primary's address; it has everything."""
    replica = house.replica(word, directory, host=control(word).address[0])
    level(replica, word)
    return replica


def test_a_replica_follows_by_a_unix_socket(house: House, tmp_path: Path, place: Path) -> None:
    """The file is one user's, and goes with the primary; a port means nothing."""
    word = house.primary(tmp_path / "p", host=f"unix:{place}", port=5466)
    assert control(word).address == (f"unix:{place}", 0)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    replica = meet(house, word, tmp_path / "r")
    word.keep("x" * 1_000_000)
    level(replica, word)
    with pytest.raises(ReplicaError) as caught:
        replica.add("a")
    assert caught.value.primary == f"unix:{place}"
    control(word).close()
    assert not place.exists()
    wait_until(lambda: str(place) in control(replica).problem)


def test_a_promoted_replica_listens_at_a_unix_socket_and_needs_no_port(house: House, tmp_path: Path, place: Path) -> None:
    """The former primary's own, too, once that one is closed."""
    word = house.primary(tmp_path / "p", host=f"unix:{place}")
    replica = meet(house, word, tmp_path / "r")
    with pytest.raises(UsageError, match="another process listens there"):
        control(replica).promote(host=f"unix:{place}")
    control(word).close()
    control(replica).promote(host=f"unix:{place}")
    replica.add("a")
    meet(house, replica, tmp_path / "other")


def test_a_path_is_told_by_its_full_name(house: House, tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that works elsewhere finds it by that."""
    monkeypatch.chdir(place.parent)
    word = house.primary(tmp_path / "p", host="unix:wiki.sock")
    replica = house.replica(word, tmp_path / "r", host="unix:wiki.sock")
    assert control(word).address == control(replica).address == (f"unix:{place}", 0)
    monkeypatch.chdir(tmp_path)
    control(replica).close()
    meet(house, word, tmp_path / "r")


def test_the_file_of_a_process_that_was_killed_is_taken_over(house: House, tmp_path: Path, place: Path) -> None:
    """And its replica comes again."""
    text = f"""
import sys
from coopy import init_system
from tests.words import Word
word = init_system(Word, "p", master=True, host="unix:{place}")
print("up", flush=True)
for line in sys.stdin: print(word.add(line[0]), flush=True)
"""
    with program(text, tmp_path) as process:
        assert ask(process, "a") == "a"
        replica = house.enter_context(control(init_system(Word, tmp_path / "r", replication=True, host=f"unix:{place}")))
        process.send_signal(signal.SIGKILL)
    assert place.exists()
    word = house.primary(tmp_path / "p", host=f"unix:{place}")
    word.add("b")
    level(replica, word)


def test_what_is_not_a_dead_ones_file_stays_as_it_is(house: House, tmp_path: Path, place: Path) -> None:
    """A primary that is alive goes on, a file keeps its bytes; nothing is created."""
    word = house.primary(tmp_path / "p", host=f"unix:{place}")
    with pytest.raises(UsageError, match="another process listens there"):
        house.primary(tmp_path / "q", host=f"unix:{place}")
    meet(house, word, tmp_path / "r")
    file = place.with_name("file")
    file.write_text("precious")
    with pytest.raises(UsageError, match="no socket"):
        house.primary(tmp_path / "q", host=f"unix:{file}")
    assert file.read_text() == "precious"
    with pytest.raises(UsageError, match="No such file"):
        house.primary(tmp_path / "q", host=f"unix:{place.parent / 'nowhere' / 'x'}")


def test_a_file_that_took_the_place_of_its_own_is_left_where_it_is(tmp_path: Path, place: Path) -> None:
    """Somebody removed the first one's; both end in whatever order."""
    first = Listener(f"unix:{place}", 0, time.monotonic)
    place.unlink()
    second = Listener(f"unix:{place}", 0, time.monotonic)
    first.close()
    assert place.exists()
    second.close()
    assert not place.exists()


@pytest.mark.parametrize(
    ("host", "says"),
    [("unix:", "no path"), ("unix:a\0b", "no path"), ("unix:/" + "x" * 107, "too long"), ("/run/wiki.sock", "unix:/run/wiki.sock")],
)
@pytest.mark.parametrize("side", ["master", "replication"])
def test_what_cannot_be_a_unix_socket_is_named_before_anything_is_created(tmp_path: Path, host: str, says: str, side: str) -> None:
    """On both sides alike."""
    with pytest.raises(UsageError, match=says):
        init_system(Word, tmp_path / "p", host=host, **{side: True})  # type: ignore[call-overload]
    assert not list(tmp_path.iterdir())


def test_tls_and_a_system_without_credentials_are_named(
    tmp_path: Path, place: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither would be what it promises."""
    with pytest.raises(UsageError, match="Leave it out"):
        init_system(Word, tmp_path / "p", master=True, host=f"unix:{place}", tls=serving(certificate))
    monkeypatch.delattr(socket, "SO_PEERCRED")
    with pytest.raises(UsageError, match=r"Use 127\.0\.0\.1"):
        init_system(Word, tmp_path / "p", master=True, host=f"unix:{place}")


def test_a_forked_child_takes_nothing_with_it(house: House, tmp_path: Path, place: Path) -> None:
    """It ends, and the primary is where it was."""
    text = f"""
import os, sys
from coopy import control, init_system
from tests.words import Word
word = init_system(Word, "p", master=True, host="unix:{place}")
child = os.fork()
if child == 0:
    control(word).close()
    sys.exit()
os.waitpid(child, 0)
print("up", flush=True)
for line in sys.stdin: print(word.add(line[0]), flush=True)
"""
    with program(text, tmp_path) as process:
        replica = house.enter_context(control(init_system(Word, tmp_path / "r", replication=True, host=f"unix:{place}")))
        assert ask(process, "a") == "a"
        wait_until(lambda: replica.text == "a")


# --- another user ------------------------------------------------------------------------------------------------------

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


@needs_root
def test_another_user_is_not_let_in_whatever_the_file_says(
    house: House, tmp_path: Path, place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told nothing, and the log says who it was."""
    word = house.primary(tmp_path / "p", host=f"unix:{place}")
    place.parent.chmod(0o777)
    place.chmod(0o666)
    connect = f"import os, socket\nos.setuid({NOBODY})\none = socket.socket(socket.AF_UNIX)\none.connect({str(place)!r})\n"
    text = f"{connect}print('up', flush=True)\ninput()\ntry:\n    print(one.recv(100), flush=True)\nexcept OSError as error: print(error, flush=True)\n"
    with program(text, place.parent) as process:
        assert ask(process, "") in {"b''", "[Errno 104] Connection reset by peer"}
    wait_until(lambda: f"of user {NOBODY}" in caplog.text)
    meet(house, word, tmp_path / "r")


@needs_root
def test_a_primary_of_another_user_is_not_spoken_to(tmp_path: Path, place: Path) -> None:
    """Though it listens where it should."""
    place.parent.chmod(0o777)
    listen = f"import os, socket\nos.setuid({NOBODY})\none = socket.socket(socket.AF_UNIX)\none.bind({str(place)!r})\none.listen()\n"
    text = f"{listen}print('up', flush=True)\ninput()\nprint(one.accept()[0].recv(100), flush=True)\n"
    with program(text, place.parent) as process:
        with pytest.raises(AuthenticationError, match=f"of user {NOBODY}"):
            init_system(Word, tmp_path / "r", replication=True, host=f"unix:{place}")
        assert ask(process, "") == "b''"


@needs_root
def test_another_users_file_is_not_taken_over(house: House, tmp_path: Path, place: Path) -> None:
    """Though nobody listens there."""
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(place))
    dead.close()
    os.chown(place, NOBODY, NOBODY)
    with pytest.raises(UsageError, match=f"belongs to user {NOBODY}"):
        house.primary(tmp_path / "p", host=f"unix:{place}")
    assert place.exists()
    os.chown(place, 0, 0)
    meet(house, house.primary(tmp_path / "p", host=f"unix:{place}"), tmp_path / "r")
