"""A primary and its replicas over real sockets, through the public door."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from coopy import abort_exception, control, init_system, readonly
from coopy.cluster.local import free_ports
from coopy.error import (
    AuthenticationError,
    ClosedError,
    CorruptionError,
    ReplicaError,
    UnconfirmedError,
    UsageError,
)
from coopy.replication import primary as primary_room
from coopy.replication import replica as replica_room
from coopy.replication import shipping as shipping_room
from coopy.replication import taking as taking_room
from coopy.replication import transport as transport_room
from coopy.replication.primary import Primary, Session
from coopy.wiring.systems import system_of
from tests.asked import primary_stats, replica_stats
from tests.unit.replication.test_transport import asking_for_certificates, certificate, make_certificate, serving, trusting
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["certificate"]
PASSWORD = "open sesame"


class Shelf:
    """A domain with everything that is no plain method."""

    def __init__(self) -> None:
        self.books: dict[str, int] = {}
        self._label = ""

    def __setitem__(self, name: str, count: int) -> None:
        self.books[name] = count

    def __getitem__(self, name: str) -> int:
        return self.books[name]

    def __delitem__(self, name: str) -> None:
        del self.books[name]

    def __iadd__(self, name: str) -> Self:
        self.books[name] = 1
        return self

    @property
    def label(self) -> str:
        return self._label

    @label.setter
    def label(self, text: str) -> None:
        self._label = text

    @abort_exception
    def take_two(self, first: str, second: str) -> None:
        self.books[first] -= 1
        self.books[second] -= 1

    @readonly
    def count(self) -> int:
        return sum(self.books.values())


class Fickle:
    """It knows where it runs, which no domain may."""

    def __init__(self) -> None:
        self.calls = 0

    def act(self) -> None:
        self.calls += 1
        if threading.current_thread().name == "coopy replica":
            raise ValueError("not here")

    def rest(self) -> None:
        """Nothing."""


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A call that waits for replicas has as long as they take to come; where none does, the test says how long."""
    monkeypatch.setattr(primary_room, "CONFIRM", 60.0)
    with House() as one:
        yield one


class House(ExitStack):
    """Systems that are closed at the end, the last one first."""

    def primary(self, directory: Path, kind: Any = Word, **options: Any) -> Any:
        """At a port that is still free when it is opened there again."""
        (port,) = free_ports(1)
        return self.enter_context(control(init_system(kind, directory, master=True, **{"port": port, **options})))

    def replica(self, primary: Any, directory: Path, kind: Any = Word, **options: Any) -> Any:
        port = options.pop("port", None) or control(primary).address[1]
        return self.enter_context(control(init_system(kind, directory, replication=True, port=port, **options)))


def level(replica: Any, primary: Any) -> None:
    """Wait until the replica shows what the primary shows, and compare."""
    control(replica).wait_for(control(primary).token, 60)
    assert control(replica).digest() == control(primary).digest()


def wait_until(holds: Any) -> None:
    """For what nobody tells: look again, for 60 seconds at most."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, "it never holds"
        time.sleep(0.005)


def ends(work: Callable[[], object]) -> None:
    """Do it beside: it has 60 seconds, whatever it would wait for."""
    working = threading.Thread(target=work, daemon=True)
    working.start()
    working.join(60)
    assert not working.is_alive(), "it does not end"


def be_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is given up before the test is: whoever waits so long is found out."""
    for room in (primary_room, replica_room, shipping_room, taking_room, transport_room):
        monkeypatch.setattr(room, "PATIENCE", 600.0)


def session_of(word: Any) -> Session:
    """A primary's only one, once that is so: the connection by which a replica got its first state may end a moment later."""
    primary = system_of(word).peers
    assert isinstance(primary, Primary)
    wait_until(lambda: len(primary._sessions) == 1)
    return primary._sessions[0]


def fingerprint(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name != "LOCK"
    }


# --- the main job ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("durability", ["sync", "buffered"])
def test_a_replica_gets_the_state_and_then_every_action(house: House, tmp_path: Path, durability: str) -> None:
    """Given a word of two letters, when a replica comes and two more are added, then it has four."""
    word = house.primary(tmp_path / "p", durability=durability)
    word.add("a")
    word.add("b")
    replica = house.replica(word, tmp_path / "r")
    word.add("c")
    word.add("d")
    level(replica, word)
    assert replica.read() == replica.text == "abcd"
    assert len(replica) == 4
    assert (control(word).role, control(replica).role) == ("primary", "replica")


def test_everything_an_action_can_be_is_the_same_on_a_replica(house: House, tmp_path: Path) -> None:
    """Times and random numbers, raises, aborts, `@unlocked`, keywords, pickled and large arguments."""
    word = house.primary(tmp_path / "p", segment_bytes=8192)
    replica, other = house.replica(word, tmp_path / "r"), house.replica(word, tmp_path / "o")
    for number in range(60):
        word.add("a")
        word.stamp()
        word.add_many("b", "c", sep="-", upper=True)
        word.keep({"number": number, "list": [1, (2.5, None)], "zeros": bytes(600)})
        word.add_unlocked("u")
        with pytest.raises(ValueError, match="r"):
            word.add_and_raise("r")
        with pytest.raises(ValueError, match="x"):
            word.add_or_abort("x", True)
        word.add_or_abort("y", False)
    word.keep("z" * 3_000_000)
    word.keep([bytes(range(256)) * 5000])
    for one in (replica, other):
        level(one, word)
        assert control(one).stats().divergences == 0


def test_what_changes_the_state_is_refused_and_the_error_names_the_primary(house: House, tmp_path: Path) -> None:
    """A method, an operator, the setter of a property, an attribute that is set or deleted. Nothing is recorded."""
    shelf = house.primary(tmp_path / "p", Shelf)
    shelf["a"] = 1
    replica = house.replica(shelf, tmp_path / "r", Shelf)
    level(replica, shelf)
    where = f"127.0.0.1:{control(shelf).address[1]}"

    def add_in_place() -> None:
        mine = replica
        mine += "b"

    attempts: list[Callable[[], object]] = [
        lambda: replica.take_two("a", "a"), lambda: replica.__setitem__("a", 2), lambda: replica.__delitem__("a"), add_in_place,
        lambda: setattr(replica, "label", "x"), lambda: setattr(replica, "books", {}), lambda: delattr(replica, "books"), lambda: delattr(replica, "label"),
    ]  # fmt: skip
    for attempt in attempts:
        with pytest.raises(ReplicaError, match=where) as raised:
            attempt()
        assert raised.value.primary == where
    assert (replica["a"], replica.label, replica.count(), replica.books) == (1, "", 1, {"a": 1})
    assert control(replica).lsn == 1


def test_an_aborted_action_leaves_no_trace_on_a_replica(house: House, tmp_path: Path) -> None:
    """Also where it changed something before it raised."""
    shelf = house.primary(tmp_path / "p", Shelf)
    replica = house.replica(shelf, tmp_path / "r", Shelf)
    shelf["a"] = 5
    with pytest.raises(KeyError):
        shelf.take_two("a", "nothing")
    level(replica, shelf)
    assert replica["a"] == 5
    shelf["b"] = 1
    shelf.take_two("a", "b")
    level(replica, shelf)
    assert control(replica).stats().divergences == 0


def test_a_replica_that_joins_late_gets_a_snapshot_and_what_follows(house: House, tmp_path: Path) -> None:
    """The journal before the snapshot is gone."""
    word = house.primary(tmp_path / "p", keep_snapshots=1)
    for letter in "abc":
        word.add(letter)
    control(word).take_snapshot()
    assert control(word).prune()
    word.add("d")
    replica = house.replica(word, tmp_path / "r")
    level(replica, word)
    assert replica.text == "abcd"


def test_a_replica_that_restarts_resumes_where_it_was(house: House, tmp_path: Path) -> None:
    """Nothing that it has is sent again."""
    word = house.primary(tmp_path / "p")
    word.keep("long" * 100_000)
    replica = house.replica(word, tmp_path / "r")
    level(replica, word)
    control(replica).close()
    word.add("a")
    replica = house.replica(word, tmp_path / "r")
    level(replica, word)
    assert replica_stats(replica).received_bytes < 1000


@pytest.mark.parametrize("durability", ["sync", "buffered"])
def test_a_replica_comes_again_when_the_primary_does(house: House, tmp_path: Path, durability: str) -> None:
    """It answers meanwhile, says what is wrong, and goes on by itself, over two more openings of the primary."""
    word = house.primary(tmp_path / "p", durability=durability)
    port = control(word).address[1]
    replica = house.replica(word, tmp_path / "r")
    for letter in "bc":
        word.add(letter)
        level(replica, word)
        control(word).close()
        wait_until(lambda: control(replica).problem)
        assert replica.text == word_of(letter)
        word = house.primary(tmp_path / "p", port=port, durability=durability)
    word.add("d")
    level(replica, word)
    assert control(replica).problem == ""
    assert control(replica).staleness < 20
    assert control(replica).lag == 0


def word_of(last: str) -> str:
    return "bcd"[: "bcd".index(last) + 1]


def test_a_replica_starts_without_its_primary_once_it_has_a_state(house: House, tmp_path: Path) -> None:
    """It answers from what it has."""
    word = house.primary(tmp_path / "p")
    port = control(word).address[1]
    replica = house.replica(word, tmp_path / "r")
    word.add("a")
    level(replica, word)
    control(replica).close()
    control(word).close()
    replica = house.replica(word, tmp_path / "r", port=port)
    assert replica.text == "a"
    assert "cannot be reached" in control(replica).problem


def test_a_replica_takes_snapshots_and_prunes_by_itself(house: House, tmp_path: Path) -> None:
    """And restarts from them, wherever the primary begins new segments."""
    word = house.primary(tmp_path / "p", segment_bytes=4096)
    replica = house.replica(word, tmp_path / "r", keep_snapshots=1)
    for number in range(40):
        word.keep("abc" * 50)
        with pytest.raises(ValueError, match="r"):
            word.keep_and_raise("r")
        if number % 7 == 3:
            level(replica, word)
            assert control(replica).take_snapshot(background=number % 2 == 0) == control(replica).lsn
            control(replica).wait_snapshot()
            control(replica).prune()
        if number % 14 == 3:
            control(word).take_snapshot()  # a SEAL right behind the replica's own break
        if number % 10 == 5:
            control(replica).close()
            replica = house.replica(word, tmp_path / "r", keep_snapshots=1)
    level(replica, word)
    digest = control(replica).digest()
    control(replica).close()
    replica = house.replica(word, tmp_path / "r")
    assert control(replica).digest() == digest
    assert control(replica).stats().divergences == 0


def test_a_replica_whose_place_was_pruned_gets_a_snapshot_instead(house: House, tmp_path: Path) -> None:
    """While it was away; what it had is in quarantine, and its proxy shows the new state."""
    word = house.primary(tmp_path / "p", keep_snapshots=1)
    port = control(word).address[1]
    replica = house.replica(word, tmp_path / "r")
    word.add("a")
    level(replica, word)
    for running in (True, False):
        if running:
            control(word).close()
            word = house.primary(tmp_path / "p", keep_snapshots=1, port=0)  # elsewhere: the replica does not find it
        else:
            control(replica).close()
        for letter in "bc":
            word.add(letter)
            control(word).take_snapshot()
        control(word).prune()
        if running:
            control(word).close()
            word = house.primary(tmp_path / "p", keep_snapshots=1, port=port)
        else:
            replica = house.replica(word, tmp_path / "r")
        word.add("d")
        level(replica, word)
    assert replica.text == "abcdbcd"
    assert len(list((tmp_path / "r" / "quarantine").glob("journal-*"))) >= 2
    control(replica).take_snapshot()
    control(replica).close()
    replica = house.replica(word, tmp_path / "r")
    level(replica, word)


def test_replicas_are_many_and_a_slow_one_costs_nobody_anything(house: House, tmp_path: Path) -> None:
    """Five of them, of which one sleeps in mid-stream."""
    word = house.primary(tmp_path / "p", Patient, validation="off")
    replicas = [house.replica(word, tmp_path / str(number), Patient, validation="off") for number in range(5)]
    slow = house.enter_context(Held(replicas[0]))
    for _ in range(200):
        word.keep("x" * 5000)
    for replica in replicas[1:]:
        level(replica, word)
    assert control(replicas[0]).lsn < 200
    slow.close()
    level(replicas[0], word)


class Patient(Word):
    """It has a query that takes as long as a test wants."""

    @readonly
    def wait(self, began: threading.Event, end: threading.Event) -> None:
        began.set()
        end.wait(60)


class Held(ExitStack):
    """A replica that executes nothing meanwhile: a query is under way."""

    def __init__(self, replica: Any) -> None:
        super().__init__()
        began, end = threading.Event(), threading.Event()
        asking = threading.Thread(target=replica.wait, args=(began, end))
        asking.start()
        self.callback(asking.join, 60)
        self.callback(end.set)
        assert began.wait(60)


def test_a_signed_journal_is_shipped_signed(house: House, tmp_path: Path) -> None:
    """Who has not the key reads nothing; who has follows."""
    word = house.primary(tmp_path / "p", signing_key=b"key")
    word.keep({"a": 1})
    replica = house.replica(word, tmp_path / "r", signing_key=b"key")
    level(replica, word)
    for key in (None, b"another"):
        with pytest.raises(AuthenticationError, match="signing_key"):
            house.replica(word, tmp_path / f"other {key!r}", signing_key=key)


def test_a_replica_over_tls(house: House, tmp_path: Path, certificate: Path) -> None:
    """With a certificate that verifies, and a proof that is bound to it."""
    word = house.primary(tmp_path / "p", tls=serving(certificate), password=PASSWORD)
    word.add("a")
    replica = house.replica(word, tmp_path / "r", tls=trusting(certificate), host="localhost", password=PASSWORD)
    word.keep("x" * 1_000_000)
    level(replica, word)
    with pytest.raises(ReplicaError, match="tls="):
        house.replica(word, tmp_path / "plain", password=PASSWORD)


def test_a_primary_may_ask_for_certificates_too(house: House, tmp_path: Path, certificate: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever has none, or one of another authority, is told so on both sides, and nothing is created; the right one follows."""
    for name in ("known", "unknown"):
        (tmp_path / name).mkdir()
        make_certificate(tmp_path / name, name)
    word = house.primary(tmp_path / "p", tls=asking_for_certificates(certificate, tmp_path / "known"), password=PASSWORD)
    word.add("a")
    for shown, says in (("", "asks for a certificate"), ("unknown", "does not accept the certificate"), ("known", "")):
        tls = trusting(certificate)
        if shown:
            tls.load_cert_chain(tmp_path / shown / "crt", tmp_path / shown / "key")
        options = {"tls": tls, "host": "localhost", "password": PASSWORD}
        if not says:
            level(house.replica(word, tmp_path / "r", **options), word)
            break
        with pytest.raises(AuthenticationError, match=says):
            house.replica(word, tmp_path / "r", **options)
        assert not list(tmp_path.glob("r/*.snap"))
    wait_until(lambda: "shows no certificate" in caplog.text and "does not verify" in caplog.text)
    assert primary_stats(word).refused == 2


def test_the_two_lines_of_the_original_in_two_processes(tmp_path: Path) -> None:
    """With default arguments: port, host, password and directories; and a third that joins late, after a snapshot and a prune."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", 5466))
        except OSError:
            pytest.skip("somebody has port 5466")
    front = "import sys\nfrom coopy import control\nfrom coopy.base import init_system\nfrom tests.words import Word\n"
    up = "print('up', flush=True)\nfor line in sys.stdin:\n"
    adds = "    print(word.add(line[0]), flush=True)\n    control(word).take_snapshot()\n    control(word).prune()\n"
    shows = "    while len(word) < len(line) - 1: pass\n    print(word.text, flush=True)\n"
    first = f"{front}word = init_system(Word, master=True)\n{up}{adds}"
    second = f"{front}word = init_system(Word, replication=True)\n{up}{shows}"
    third = second.replace("replication=True", "'third', replication=True")
    with ExitStack() as stack:
        primary, replica = (stack.enter_context(program(text, tmp_path)) for text in (first, second))
        assert [ask(primary, letter) for letter in "abc"] == ["a", "ab", "abc"]
        assert ask(replica, "abc") == "abc"
        late = stack.enter_context(program(third, tmp_path))
        assert ask(primary, "d") == "abcd"
        assert ask(late, "abcd") == ask(replica, "abcd") == "abcd"
    assert {path.name for path in tmp_path.iterdir()} == {"word", "word-replica", "third"}


@contextmanager
def program(text: str, directory: Path) -> Iterator[subprocess.Popen[str]]:
    """Running, and ready."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", text], cwd=directory, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        try:
            yield process
        finally:
            process.communicate("", 60)


def ask(process: subprocess.Popen[str], line: str) -> str:
    """Say a line; gives its answer."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


# --- who is refused ----------------------------------------------------------------------------------------------------


def test_another_history_is_refused_and_the_replicas_data_stay_as_they_are(house: House, tmp_path: Path) -> None:
    """Whether it has less, as much or more than the primary."""
    word = house.primary(tmp_path / "p")
    port = control(word).address[1]
    replica = house.replica(word, tmp_path / "r")
    word.add("a")
    level(replica, word)
    control(word).close()
    control(replica).promote()
    for letter in "bc":
        replica.add(letter)
    control(replica).close()
    for calls in (1, 2, 3):
        shutil.copytree(tmp_path / "p", tmp_path / str(calls))
        word = house.primary(tmp_path / str(calls), port=port)
        for _ in range(calls):
            word.add("x")
        before = fingerprint(tmp_path / "r")
        with pytest.raises(ReplicaError, match="newer primary"):
            house.replica(word, tmp_path / "r", port=port)
        after = fingerprint(tmp_path / "r")
        assert {name: after[name] for name in before if name.startswith(("journal", "snapshot"))} == {
            name: before[name] for name in before if name.startswith(("journal", "snapshot"))
        }
        control(word).close()


@pytest.mark.parametrize(("calls", "says"), [(1, "lost its tail"), (2, "not this primary's"), (5, "not this primary's")])
def test_a_copy_that_went_its_own_way_is_refused_and_nothing_is_changed(house: House, tmp_path: Path, calls: int, says: str) -> None:
    """A backup of the primary that was opened beside it: with less, as much or more than the replica has."""
    control(init_system(Word, tmp_path / "p")).close()
    shutil.copytree(tmp_path / "p", tmp_path / "q")
    word = house.primary(tmp_path / "p")
    replica = house.replica(word, tmp_path / "r")
    for letter in "ab":
        word.add(letter)
    level(replica, word)
    control(replica).close()
    other = house.primary(tmp_path / "q")
    for _ in range(calls):
        other.add("x")
    before = fingerprint(tmp_path / "r")
    with pytest.raises(ReplicaError, match=says):
        house.replica(other, tmp_path / "r")
    after = fingerprint(tmp_path / "r")
    assert {name: text for name, text in after.items() if name != "MANIFEST"} == {
        name: text for name, text in before.items() if name != "MANIFEST"
    }
    replica = house.replica(word, tmp_path / "r")
    level(replica, word)


def test_a_former_primary_follows_the_new_one_and_keeps_its_own_tail_in_quarantine(house: House, tmp_path: Path) -> None:
    """Its proxy never shows what the new one does not have, also after a restart."""
    word = house.primary(tmp_path / "p")
    replica = house.replica(word, tmp_path / "r")
    word.add("a")
    level(replica, word)
    control(replica).promote(port=0)
    for letter in "xyz":
        word.add(letter)
    control(word).close()
    replica.add("b")
    for _ in range(2):
        former = house.replica(replica, tmp_path / "p")
        assert "x" not in former.text
        level(former, replica)
        assert former.text == "ab"
        control(former).close()
    kept = list((tmp_path / "p" / "quarantine").glob("journal-*"))
    assert len(kept) == 1
    assert all(letter in kept[0].read_bytes() for letter in (b"\xa1x", b"\xa1y", b"\xa1z"))


def test_answers_of_a_replica_are_states_that_the_primary_had_and_as_new_as_asked_for(house: House, tmp_path: Path) -> None:
    """Under constant writes, read by many: one LSN after another, no half of an action, nothing older than the token."""
    shelf = house.primary(tmp_path / "p", Ledger)
    replica = house.replica(shelf, tmp_path / "r", Ledger)
    wrong: list[object] = []

    def write() -> None:
        for number in range(600):
            shelf.move(number % 7, (number + 3) % 7, number)

    def read() -> None:
        last = 0
        while last < 590:
            token = control(shelf).token
            seen = control(replica).wait_for(token, 60)
            count, total = replica.look()
            if total != 0 or count < last or count < int(token.rpartition(".")[2]) or count < seen:
                wrong.append((count, total, last, token, seen))
            last = count

    threads = [threading.Thread(target=work) for work in (write, read, read, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    level(replica, shelf)


class Ledger:
    """Whatever moves, the sum is zero; it counts its actions."""

    def __init__(self) -> None:
        self.accounts = [0] * 7
        self.count = 0

    def move(self, one: int, other: int, amount: int) -> None:
        self.accounts[one] -= amount
        self.count += 1
        self.accounts[other] += amount

    @readonly
    def look(self) -> tuple[int, int]:
        return self.count, sum(self.accounts)


def test_another_class_and_another_system_are_refused(house: House, tmp_path: Path) -> None:
    """On a replica without a state, and on one that has one."""
    word, other = house.primary(tmp_path / "p"), house.primary(tmp_path / "q")
    replica = house.replica(word, tmp_path / "r")
    control(replica).close()
    with pytest.raises(ReplicaError, match=r"tests.words:Word, the replica wants a .*:Shelf"):
        house.replica(word, tmp_path / "s", Shelf)
    with pytest.raises(ReplicaError, match="another system"):
        house.replica(other, tmp_path / "r")
    replica = house.replica(word, tmp_path / "r")
    assert control(replica).problem == ""


@pytest.mark.parametrize("has_state", [False, True])
def test_a_wrong_password_is_refused_without_being_shown(
    house: House, tmp_path: Path, has_state: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in the error nor in a log."""
    word = house.primary(tmp_path / "p", password=PASSWORD)
    if has_state:
        control(house.replica(word, tmp_path / "r", password=PASSWORD)).close()
    with caplog.at_level("DEBUG"), pytest.raises(AuthenticationError, match="does not accept the password") as raised:
        house.replica(word, tmp_path / "r", password="open barley")
    wait_until(lambda: "did not prove" in caplog.text)
    for text in (str(raised.value), caplog.text, repr(vars(raised.value))):
        assert "sesame" not in text
        assert "barley" not in text
    assert primary_stats(word).refused == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"password": ""}, "empty"), ({"password": "x" * 1025}, "1,025 characters"),
        ({"host": "0.0.0.0", "password": PASSWORD}, "tls="), ({"host": "192.0.2.1", "password": PASSWORD}, "tls="), ({"port": -1}, "port"),
        ({"port": 70000}, "port"), ({"port": "5466"}, "port"), ({"host": 5}, "host"), ({"password": b"x"}, "password"), ({"tls": "yes"}, "tls="),
        ({"host": "a" * 300}, "host"), ({"master": True, "replication": True}, "not both"), ({"min_acks": -1}, "min_acks"),
        ({"min_acks": 1, "durability": "buffered"}, "min_acks"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("role", ["master", "replication"])
def test_what_is_not_safe_or_not_possible_is_named_before_anything_is_created(
    tmp_path: Path, role: str, options: dict[str, Any], says: str
) -> None:
    """On both sides."""
    with pytest.raises(UsageError, match=says):
        init_system(Word, tmp_path / "w", **{role: True, **options})
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize("name", ["port", "host", "password", "tls", "min_acks"])
def test_an_option_of_replication_means_nothing_alone(tmp_path: Path, name: str) -> None:
    """And is named."""
    options: dict[str, Any] = {"port": 1, "host": "localhost", "password": "x", "tls": "x", "min_acks": 1}
    with pytest.raises(UsageError, match=name):
        init_system(Word, tmp_path / "w", **{name: options[name]})


def test_a_port_that_is_taken_and_a_primary_that_is_not_there(house: House, tmp_path: Path) -> None:
    """The directory can be opened right afterwards."""
    word = house.primary(tmp_path / "p")
    port = control(word).address[1]
    with pytest.raises(UsageError, match="another port"):
        house.primary(tmp_path / "q", port=port)
    control(init_system(Word, tmp_path / "q")).close()
    control(word).close()
    with pytest.raises(ReplicaError, match="cannot be reached"):
        house.replica(word, tmp_path / "r", port=port)
    word = house.primary(tmp_path / "p", port=port)
    house.replica(word, tmp_path / "r")


def test_a_replicas_directory_is_not_opened_as_an_ordinary_one(house: House, tmp_path: Path) -> None:
    """Or its history would silently become another."""
    word = house.primary(tmp_path / "p")
    control(house.replica(word, tmp_path / "r")).close()
    either: list[dict[str, Any]] = [{}, {"master": True, "port": 0}]
    for options in either:
        with pytest.raises(UsageError, match="directory of a replica"):
            init_system(Word, tmp_path / "r", **options)


def test_asking_for_what_is_not_there(house: House, tmp_path: Path) -> None:
    """Of a system alone, of a primary, of a replica."""
    alone = house.enter_context(control(init_system(Word, tmp_path / "a")))
    word = house.primary(tmp_path / "p")
    for one in (alone, word):
        for ask in ("lag", "staleness", "problem"):
            with pytest.raises(UsageError, match="not a replica"):
                getattr(control(one), ask)
        with pytest.raises(UsageError, match="not a replica"):
            control(one).promote()
    with pytest.raises(UsageError, match="not a primary"):
        _ = control(alone).address
    assert control(alone).role == "alone"


def test_asking_a_promoted_replica_for_what_it_is_not_says_what_it_is(house: House, tmp_path: Path) -> None:
    """It follows nobody, and without a port nobody follows it: opened as a primary it listens."""
    word = house.primary(tmp_path / "p")
    replica = house.replica(word, tmp_path / "r")
    control(replica).promote()
    with pytest.raises(UsageError, match="was promoted, and follows nobody"):
        control(replica).promote(port=0)
    with pytest.raises(UsageError, match="close it and open it with master=True"):
        _ = control(replica).address
    control(replica).close()
    primary = house.primary(tmp_path / "r")
    level(house.replica(primary, tmp_path / "o"), primary)


# --- tokens, acknowledgements, promotion ---------------------------------------------------------------------------------


def test_a_token_is_waited_for_or_refused(house: House, tmp_path: Path) -> None:
    """Refused at once where it cannot come: of another system, or none at all."""
    word, other = house.primary(tmp_path / "p"), house.primary(tmp_path / "q")
    replica = house.replica(word, tmp_path / "r")
    word.add("a")
    assert control(replica).wait_for(control(word).token, 60) == 1
    for token in (control(other).token, "", "x", control(word).token + "0" * 30):
        with pytest.raises(ReplicaError, match="token"):
            control(replica).wait_for(token)
    system, epoch, _ = control(word).token.split(".")
    with pytest.raises(UnconfirmedError, match="not yet LSN 99"):
        control(replica).wait_for(f"{system}.{epoch}.99", 0.01)


def test_a_token_of_a_history_that_was_cut_off_is_refused_at_once(house: House, tmp_path: Path) -> None:
    """Its action never reached the replica that was promoted."""
    word = house.primary(tmp_path / "p")
    replica, other = house.replica(word, tmp_path / "r"), house.replica(word, tmp_path / "o")
    word.add("a")
    kept = control(word).token
    level(replica, word)
    level(other, word)
    control(other).close()
    control(replica).close()
    word.add("b")
    lost, port = control(word).token, control(word).address[1]
    control(word).close()
    replica = house.replica(word, tmp_path / "r", port=port)
    control(replica).promote(port=port)
    replica.add("c")
    replica.add("d")
    other = house.replica(replica, tmp_path / "o")
    level(other, replica)
    assert control(other).wait_for(kept) == 3
    with pytest.raises(ReplicaError, match="cut off"):
        control(other).wait_for(lost)


def test_a_call_waits_for_as_many_replicas_as_asked_for(house: House, tmp_path: Path) -> None:
    """When it returns, they have it on stable storage."""
    word = house.primary(tmp_path / "p", min_acks=2)
    replicas = [house.replica(word, tmp_path / str(number)) for number in range(2)]
    for letter in "abc":
        word.add(letter)
        assert [control(one).stats().durable for one in replicas] == [control(word).lsn] * 2
    word.add_unlocked("u")
    assert [control(one).stats().durable for one in replicas] == [control(word).lsn] * 2
    with pytest.raises(ValueError, match="r"):
        word.add_and_raise("r")
    threads = [threading.Thread(target=word.add, args=("t",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for one in replicas:
        level(one, word)


def test_a_call_that_nobody_confirms_says_so_and_is_not_undone(house: House, tmp_path: Path) -> None:
    """It is durable here, and replicas get it when they come."""
    word = house.primary(tmp_path / "p", min_acks=1)
    control(word)._primary().confirm_within = 0.02
    with pytest.raises(UnconfirmedError, match="not an undo") as raised:
        word.add("a")
    assert raised.value.lsn == 1
    assert word.text == "a"
    replica = house.replica(word, tmp_path / "r")
    control(word)._primary().confirm_within = 60.0
    assert word.add("b") == "ab"
    level(replica, word)


def test_a_promoted_replica_takes_actions_and_replicas(house: House, tmp_path: Path) -> None:
    """In an epoch above any that the former primary reaches; what it could not say while it followed it says now."""
    word = house.primary(tmp_path / "p")
    replica, other = house.replica(word, tmp_path / "r"), house.replica(word, tmp_path / "o")
    word.add("a")
    with pytest.raises(ValueError, match="r"):
        word.add_and_raise("r")
    level(replica, word)
    level(other, word)
    port = control(word).address[1]
    control(word).close()
    before = control(word).stats().epoch
    assert control(replica).promote(port=port, min_acks=1) >= 1 << 16 > before
    assert control(replica).role == "primary"
    assert replica.add("b") == "arb"
    level(other, replica)
    with pytest.raises(UsageError, match="not a replica"):
        control(replica).promote()
    control(replica).close()
    again = house.primary(tmp_path / "r", port=port)
    assert again.add("c") == "arbc"
    level(other, again)


def test_a_primary_that_meets_a_newer_one_is_fenced(house: House, tmp_path: Path) -> None:
    """It answers queries, and refuses actions from then on, also when it is opened again; promoted, it leads in a newer epoch than the other."""
    word = house.primary(tmp_path / "p")
    replica = house.replica(word, tmp_path / "r")
    word.add("a")
    level(replica, word)
    newer = control(replica).promote()
    replica.add("b")
    control(replica).close()
    with pytest.raises(ReplicaError, match="newer primary"):
        house.replica(word, tmp_path / "r")
    with pytest.raises(ReplicaError, match="newer one has taken over"):
        word.add("x")
    assert word.text == "a"
    control(word).close()
    for options in (dict[str, Any](), {"master": True, "port": 0}):
        with pytest.raises(UsageError, match="fenced"):
            init_system(Word, tmp_path / "p", **options)
    word = house.replica(None, tmp_path / "p", port=1)
    assert control(word).promote() > newer
    assert word.add("y") == "ay"


# --- what goes wrong on a replica ----------------------------------------------------------------------------------------


def test_a_replica_that_behaves_otherwise_says_so_and_stops(house: House, tmp_path: Path) -> None:
    """It would give wrong answers: it gives none."""
    fickle = house.primary(tmp_path / "p", Fickle, validation="off")
    replica = house.replica(fickle, tmp_path / "r", Fickle, validation="off")
    fickle.act()
    fickle.rest()
    fickle.rest()
    wait_until(lambda: "differs" in control(replica).problem)
    with pytest.raises(ClosedError, match=r"LSN 1: an action was expected to return, but it raised builtins\.ValueError"):
        _ = replica.calls


def test_a_replica_follows_when_its_opening_has_returned(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first session has begun by then, however late its thread comes to that; where it is closed before, it ends."""
    run, go_on = replica_room.Replica._run, threading.Event()

    def run_late(self: replica_room.Replica, begun: Any) -> None:
        go_on.wait(60)
        run(self, begun)

    monkeypatch.setattr(replica_room.Replica, "_run", run_late)
    word = house.primary(tmp_path / "p")
    replica = house.replica(word, tmp_path / "r")
    assert control(replica).problem == ""
    closing = threading.Thread(target=control(replica).close)
    closing.start()
    wait_until(lambda: system_of(replica).peers._stopping)  # type: ignore[union-attr]
    go_on.set()
    closing.join(60)
    wait_until(lambda: primary_stats(word).replicas == 0)


def test_closing_waits_for_nobody_on_both_sides(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connected or not, and twice does nothing."""
    be_patient(monkeypatch)
    before = set(threading.enumerate())
    word = house.primary(tmp_path / "p")
    replica = house.replica(word, tmp_path / "r")
    for one in (word, replica, word, replica):
        ends(control(one).close)
    assert not [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("coopy")]


def test_several_may_close_at_once(house: House, tmp_path: Path) -> None:
    """Whoever is not the first waits, or finds it done; one that promotes meanwhile has done so or is told that it is closed."""
    word = house.primary(tmp_path / "p")
    replica = house.replica(word, tmp_path / "r")
    raised: list[Exception] = []

    def end(work: Any) -> None:
        gate.wait()
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whatever it is
            raised.append(error)

    works = [control(replica).promote, *[control(one).close for one in (replica, word) for _ in range(4)]]
    gate = threading.Barrier(len(works))
    threads = [threading.Thread(target=end, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert all(isinstance(error, ClosedError) for error in raised), raised


def test_damage_in_a_replicas_journal_is_named_at_its_next_opening(house: House, tmp_path: Path) -> None:
    """As in any directory."""
    word = house.primary(tmp_path / "p")
    replica = house.replica(word, tmp_path / "r")
    for letter in "abc":
        word.add(letter)
    level(replica, word)
    control(replica).close()
    path = next((tmp_path / "r").glob("journal-*"))
    data = bytearray(path.read_bytes())
    data[600] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptionError, match="journal-"):
        house.replica(word, tmp_path / "r")


def test_an_outcome_that_is_said_behind_a_snapshot_of_the_replicas_own_is_known(house: House, tmp_path: Path) -> None:
    """Given a raise, a snapshot here, and only then its record: a restart from before it does not take it for news."""
    word = house.primary(tmp_path / "p")
    replica = house.replica(word, tmp_path / "r")
    with pytest.raises(ValueError, match="r"):
        word.add_and_raise("r")
    level(replica, word)
    newest = control(replica).take_snapshot()
    word.add("b")
    level(replica, word)
    control(replica).close()
    path = tmp_path / "r" / f"snapshot-{newest:020d}.snap"
    path.write_bytes(path.read_bytes()[:-1])
    replica = house.replica(word, tmp_path / "r")
    assert control(replica).stats().damaged_snapshots == 1
    word.add("c")
    level(replica, word)


def test_a_promotion_is_told_of_the_one_before_it(house: House, tmp_path: Path) -> None:
    """The new epoch is above it, though this replica never followed that primary."""
    word = house.primary(tmp_path / "p")
    replica = house.replica(word, tmp_path / "r")
    with pytest.raises(UsageError, match="after=-1"):
        control(replica).promote(after=-1)
    assert control(replica).promote(after=5 * 65536) == 6 * 65536
    assert replica.add("a") == "a"
