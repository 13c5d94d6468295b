"""Primaries and replicas on a bad day: wrong directories, full disks, signal handlers, damaged files, slow actions, no descriptors."""

from __future__ import annotations

import errno
import itertools
import os
import resource
import signal
import socket
import threading
import time
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from coopy import control, init_system, readonly
from coopy.cli import main
from coopy.disk.fake import FakeDisk
from coopy.error import (
    AuthenticationError,
    ClosedError,
    CoopyError,
    CorruptionError,
    NotSerializableError,
    ReplicaError,
    UnconfirmedError,
    UsageError,
)
from coopy.replication import primary as primary_room
from coopy.replication import replica as replica_room
from coopy.replication import taking as taking_room
from coopy.replication import transport as transport_room
from coopy.wiring import Options, open_proxy
from coopy.wiring.systems import system_of
from tests.asked import primary_stats, replica_stats
from tests.functional.test_replication import PASSWORD, Held, House, Patient, be_patient, ends, house, level, session_of, wait_until
from tests.unit.replication.test_transport import certificate, serving, trusting
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result

__all__ = ["certificate", "house"]

IN_QUERY: Callable[[], object] = list  # what `Quiz.ask` does meanwhile


class Quiz(Word):
    """A query of which a test decides what happens meanwhile."""

    @readonly
    def ask(self) -> str:
        IN_QUERY()
        return self.text


# --- the wrong directory -------------------------------------------------------------------------------------------------


def test_a_directory_that_a_primary_refused_is_still_its_owners(house: House, tmp_path: Path) -> None:
    """Given a system of one's own, when it is opened as a replica of another by mistake, then it can be opened as before."""
    with control(init_system(Word, tmp_path / "mine")) as mine:
        mine.add("a")
    other = house.primary(tmp_path / "other", password="one")
    for password, expected in (("one", ReplicaError), ("another", AuthenticationError)):
        with pytest.raises(expected, match="Nothing was changed"):
            house.replica(other, tmp_path / "mine", password=password)
        with control(init_system(Word, tmp_path / "mine")) as mine:
            assert mine.text == "a"


def test_a_directory_that_follows_is_a_replicas_from_then_on(house: House, tmp_path: Path) -> None:
    """Also one that was a primary's before."""
    word = house.primary(tmp_path / "p")
    control(house.replica(word, tmp_path / "r")).close()
    control(word).close()
    with control(init_system(Word, tmp_path / "r", replication=True, port=1)) as replica:
        control(replica).promote(port=0)
        control(house.replica(replica, tmp_path / "p")).close()
    with pytest.raises(UsageError, match="directory of a replica"):
        init_system(Word, tmp_path / "p")


def test_a_lost_manifest_of_a_replica_is_rebuilt_as_one(house: House, tmp_path: Path) -> None:
    """The operator says that it is a replica's, for nothing else does; `status` tells."""
    word = house.primary(tmp_path / "p")
    word.add("a")
    replica = house.replica(word, tmp_path / "r")
    level(replica, word)
    control(replica).close()
    (tmp_path / "r" / "MANIFEST").unlink()
    with pytest.raises(CorruptionError, match="--replica"):
        house.replica(word, tmp_path / "r")
    assert run_coopy("repair", "--replica", tmp_path / "r").exit_code == 2
    assert "--replica before anybody opens it" in run_coopy("repair", "--yes", "--manifest", tmp_path / "r").output
    assert run_coopy("repair", "--yes", "--manifest", "--replica", tmp_path / "r").exit_code == 0
    assert "a replica's" in run_coopy("status", tmp_path / "r").output
    with pytest.raises(UsageError, match="directory of a replica"):
        init_system(Word, tmp_path / "r")
    level(house.replica(word, tmp_path / "r"), word)
    assert "a replica's" not in run_coopy("status", tmp_path / "p").output


def test_a_new_replica_of_a_repaired_primary_follows_it(house: House, tmp_path: Path) -> None:
    """What was left out there is left out here, though the snapshot is of a later time."""
    with control(init_system(Word, tmp_path / "p")) as word:
        word.add("a")
        word.add("b")
    assert run_coopy("repair", "--yes", "--skip", 2, tmp_path / "p").exit_code == 0
    word = house.primary(tmp_path / "p")
    word.add("c")
    control(word).take_snapshot()
    word.add("d")
    replica = house.replica(word, tmp_path / "r")
    level(replica, word)
    assert replica.text == "acd"
    control(replica).close()
    assert house.replica(word, tmp_path / "r").text == "acd"


def run_coopy(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


def test_a_replica_cannot_be_buffered(house: House, tmp_path: Path) -> None:
    """It would not be: what it acknowledges is on stable storage."""
    word = house.primary(tmp_path / "p", durability="buffered")
    with pytest.raises(UsageError, match="durability="):
        house.replica(word, tmp_path / "r", durability="buffered")
    assert not (tmp_path / "r").exists()


# --- inside of the system -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["close", "promote"])
def test_what_a_signal_handler_does_inside_of_a_query_is_refused(
    house: House, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that follows waits for the query to end: waiting for that thread would be for ever. It goes on following."""
    word = house.primary(tmp_path / "p", Quiz, validation="off")
    replica = house.replica(word, tmp_path / "r", Quiz, validation="off")

    def handle(_number: int, _frame: object) -> None:
        getattr(control(replica), how)()

    def meanwhile() -> None:
        word.add("a")
        wait_until(lambda: primary_stats(word).shipped_bytes > shipped)
        signal.raise_signal(signal.SIGUSR1)

    monkeypatch.setitem(globals(), "IN_QUERY", meanwhile)
    shipped = primary_stats(word).shipped_bytes
    before = signal.signal(signal.SIGUSR1, handle)
    try:
        with pytest.raises(UsageError, match="inside of its system"):
            replica.ask()
    finally:
        signal.signal(signal.SIGUSR1, before)
    word.add("b")
    level(replica, word)
    assert control(replica).problem == ""


# --- snapshots that do not come whole ---------------------------------------------------------------------------------------


def test_a_snapshot_that_the_primary_sends_damaged_changes_nothing(house: House, tmp_path: Path) -> None:
    """A replica with a state goes on answering from it, and follows as soon as there is a good one. A new one is told."""
    word = house.primary(tmp_path / "p", keep_snapshots=1)
    port = control(word).address[1]
    word.add("a")
    replica = house.replica(word, tmp_path / "r")
    level(replica, word)
    control(replica).close()
    word.add("b")
    control(word).take_snapshot()
    control(word).prune()
    path = next((tmp_path / "p").glob("snapshot-*"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ReplicaError, match="damaged"):
        house.replica(word, tmp_path / "new")
    replica = house.replica(None, tmp_path / "r", port=port)
    assert replica.text == "a"
    assert "damaged" in control(replica).problem
    word.add("c")
    control(word).take_snapshot()
    level(replica, word)
    level(house.replica(word, tmp_path / "new"), word)


def test_a_former_primary_that_is_stopped_while_a_snapshot_replaces_its_history_loses_nothing(house: House, tmp_path: Path) -> None:
    """Its own tail is in quarantine in the end, not written over; nobody begins another system upon it; and it opens as often as one likes."""
    word = house.primary(tmp_path / "p", segment_bytes=4096)
    port = control(word).address[1]
    replica = house.replica(word, tmp_path / "r")
    word.add("a")
    level(replica, word)
    control(replica).close()
    for number in range(60):
        word.keep(f"{number} of no future".ljust(200))
    control(word).close()
    replica = house.replica(None, tmp_path / "r", port=port)
    control(replica).promote(port=0)
    (tmp_path / "p" / "quarantine").touch()  # a file where the directory should be: it stops at the first that is to be moved there
    with pytest.raises(UsageError, match="quarantine"):
        house.replica(replica, tmp_path / "p")
    (tmp_path / "p" / "quarantine").unlink()
    for options in (dict[str, Any](), {"master": True, "port": 0}):
        with pytest.raises(UsageError, match="directory of a replica"):
            init_system(Word, tmp_path / "p", **options)
    for letter in "bc":
        replica.add(letter)
        former = house.replica(replica, tmp_path / "p")
        level(former, replica)
        control(former).close()
    kept = b"".join(path.read_bytes() for path in (tmp_path / "p" / "quarantine").iterdir())
    assert all(b"%d of no future" % number in kept for number in range(60))


def test_a_name_that_means_another_host_from_one_moment_to_the_next_is_asked_for_once(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a name server that says loopback first and elsewhere then, a replica without TLS connects to what was found safe."""
    word = house.primary(tmp_path / "p")
    port = control(word).address[1]
    known, answers = socket.getaddrinfo, itertools.cycle(["127.0.0.1", "192.0.2.1"])

    def resolve(host: str, *rest: Any, **more: Any) -> Any:
        return known(next(answers) if host == "fickle" else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(transport_room, "PATIENCE", 0.5)
    connected = transport_room.connect("fickle", port, None, "copynet", time.monotonic)
    connected.close()
    assert connected.host == "127.0.0.1"


# --- nothing left ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("left", [0, 1, 2])
def test_a_primary_without_descriptors_lets_replicas_in_as_soon_as_there_are_some(
    house: House, tmp_path: Path, left: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Whether there is none for the connection or none for what belongs to it. It does not try all the time."""
    word = house.primary(tmp_path / "p")
    with socket.socket() as caller, used_up(left):
        caller.connect(control(word).address)
        wait_until(lambda: "could not be let in" in caplog.text)
    word.add("a")
    level(house.replica(word, tmp_path / "r"), word)
    assert caplog.text.count("could not be let in") < 5


@contextmanager
def used_up(left: int) -> Iterator[None]:
    """This process can open so many files more, and none beyond."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(int(path.name) for path in Path("/proc/self/fd").iterdir()) + 8, hard))
    held: list[int] = []
    try:
        with suppress(OSError):
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        for _ in range(left):
            os.close(held.pop())
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for one in held:
            os.close(one)


def test_a_replica_whose_disk_is_full_asks_less_and_less_often(house: House, tmp_path: Path) -> None:
    """Each time it would be sent all again. With room it goes on by itself."""
    word = house.primary(tmp_path / "p")
    disk = FakeDisk()
    replica = house.enter_context(control(open_proxy(Word, "/r", Options(replication=True, port=control(word).address[1]), disk)))
    disk.capacity = 10_000
    start = time.monotonic()
    word.keep(os.urandom(20_000))
    wait_until(lambda: replica_stats(replica).sessions >= 5)
    assert time.monotonic() - start > 0.05 * (1 + 2 + 4 + 8)
    assert "There is no room" in control(replica).problem or not control(replica).problem
    disk.capacity = None
    level(replica, word)


def test_a_primary_that_is_not_there_is_asked_less_and_less_often(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After 0.1 seconds, then 0.2, 0.4 and so on, with jitter; from the first pause on again, once it was there.

    That one is none the second time: doubled however often, it is none, and what had come after 0.8 seconds would be minutes.
    """
    word = house.primary(tmp_path / "p")
    port = control(word).address[1]
    replica = house.replica(word, tmp_path / "r")
    word.add("a")
    level(replica, word)
    control(word).close()
    with socket.create_server(("127.0.0.1", port)) as server:
        times = [met(server) for _ in range(4)]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert all(gap >= least for gap, least in zip(gaps, (0.1, 0.2, 0.4), strict=True)), gaps
    word = house.primary(tmp_path / "p", port=port)
    word.add("b")
    level(replica, word)
    monkeypatch.setattr(replica_room, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(replica_room, "LONGEST_PAUSE", 3600.0)
    control(word).close()
    with socket.create_server(("127.0.0.1", port)) as server:
        for _ in range(10):
            met(server)
    level(replica, house.primary(tmp_path / "p", port=port))


def met(server: socket.socket) -> float:
    """Somebody comes, and is sent away; gives when it had come, which is before its next pause begins."""
    server.settimeout(60)
    connection, _ = server.accept()
    came = time.monotonic()
    connection.close()
    return came


# --- slow ones ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2_000_000])
def test_a_replica_that_is_busy_for_long_is_not_dropped(house: House, tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a query that takes its time, then its primary hears again and again that the replica is there, also where it could not read meanwhile."""
    for other in (replica_room, taking_room):
        monkeypatch.setattr(other, "BEAT", 0.05)
    word = house.primary(tmp_path / "p", Quiz, validation="off")
    replica = house.replica(word, tmp_path / "r", Quiz, validation="off")
    level(replica, word)
    link = session_of(word).link

    def meanwhile() -> None:
        for _ in range(10):
            word.keep("x" * size)
        for _ in range(5):
            before = link._heard
            wait_until(lambda before=before: link._heard != before)

    monkeypatch.setitem(globals(), "IN_QUERY", meanwhile)
    replica.ask()
    level(replica, word)
    assert replica_stats(replica).sessions == 1


def test_waiting_for_a_token_ends_in_time_also_while_a_replica_is_busy(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a query that keeps everybody out, then who waits hears after the time that was asked for. What is no time is told."""
    word = house.primary(tmp_path / "p", Quiz, validation="off")
    replica = house.replica(word, tmp_path / "r", Quiz, validation="off")
    began, end = threading.Event(), threading.Event()

    def meanwhile() -> None:
        began.set()
        end.wait(100)

    monkeypatch.setitem(globals(), "IN_QUERY", meanwhile)
    asking = threading.Thread(target=replica.ask)
    asking.start()
    began.wait(60)
    word.add("a")
    with pytest.raises(UnconfirmedError):
        control(replica).wait_for(control(word).token, 0.1)
    assert asking.is_alive()
    end.set()
    asking.join()
    level(replica, word)
    for timeout in (None, "1", -1, float("nan")):
        with pytest.raises(UsageError, match="timeout="):
            control(replica).wait_for(control(word).token, timeout)  # type: ignore[arg-type]


def test_closing_does_not_wait_for_a_primary_that_says_nothing(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a replica that has connected to something silent, when it is closed, then at once."""
    be_patient(monkeypatch)
    word = house.primary(tmp_path / "p")
    port = control(word).address[1]
    replica = house.replica(word, tmp_path / "r")
    control(word).close()
    with socket.create_server(("127.0.0.1", port)) as silent:
        accepted, _ = silent.accept()
        with accepted:
            ends(control(replica).close)


# --- who waits for replicas -----------------------------------------------------------------------------------------------------


def test_a_replica_that_cannot_execute_yet_confirms_what_it_has(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a long query there, when an action comes, then it is on stable storage and the primary's caller hears so; it is executed later."""
    word = house.primary(tmp_path / "p", Quiz, validation="off", min_acks=1)
    replica = house.replica(word, tmp_path / "r", Quiz, validation="off")
    before: list[float] = []

    def meanwhile() -> None:
        word.add("a")
        before.append(primary_stats(word).acked)

    monkeypatch.setitem(globals(), "IN_QUERY", meanwhile)
    assert replica.ask() == ""
    assert before == [1]
    level(replica, word)


def test_a_call_that_waits_when_its_primary_is_closed_is_told_why(house: House, tmp_path: Path) -> None:
    """And hears at once."""
    word = house.primary(tmp_path / "p", min_acks=1)
    told: list[BaseException] = []

    def call() -> None:
        try:
            word.add("a")
        except UnconfirmedError as error:
            told.append(error)

    calling = threading.Thread(target=call)
    calling.start()
    wait_until(lambda: control(word).lsn == 1)
    control(word).close()
    calling.join(60)
    assert "before it was closed" in str(told[0])


def test_a_buffered_primary_whose_disk_failed_says_so_once(house: House, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And not fifty times a second: it syncs for its replicas so often."""
    disk = FakeDisk()
    word = house.enter_context(
        control(open_proxy(Word, "/p", Options(master=True, port=0, durability="buffered", sync_interval=3600), disk))
    )
    level(house.replica(word, tmp_path / "r"), word)
    for nth in range(1, 50):
        disk.fail(len(disk.calls) + nth, errno.EIO)
    with suppress(CoopyError):
        word.add("a")
    wait_until(lambda: "replication sync failed" in caplog.text)
    peers: Any = system_of(word).peers
    for _ in range(50):  # turns of its timer, which logs what they raise
        peers._sync()
    assert caplog.text.count("replication sync failed") < 5


def test_an_unlocked_action_that_is_refused_is_told_as_that(house: House, tmp_path: Path) -> None:
    """It did not happen: nobody waits for replicas, and nobody hears that it is durable. Given one before, and no replica any more."""
    word = house.primary(tmp_path / "p", min_acks=1)
    replica = house.replica(word, tmp_path / "r")
    word.add("a")
    control(replica).close()
    wait_until(lambda: primary_stats(word).replicas == 0)
    with pytest.raises(NotSerializableError):
        word.add_unlocked(print)
    control(word).close()
    with pytest.raises(ClosedError):
        word.add_unlocked("b")


# --- promotion ---------------------------------------------------------------------------------------------------------------


def test_a_promotion_that_cannot_be_as_asked_for_changes_nothing(house: House, tmp_path: Path, certificate: Path) -> None:
    """Arguments, a port that is taken, TLS that is a client's: the error comes first, and the replica goes on following."""
    word = house.primary(tmp_path / "p", tls=serving(certificate), password=PASSWORD)
    replica = house.replica(word, tmp_path / "r", tls=trusting(certificate), host="localhost", password=PASSWORD)
    wrong: list[dict[str, Any]] = [
        {"port": "abc"}, {"port": -1}, {"port": 65536}, {"port": True}, {"min_acks": 1}, {"tls": serving(certificate)}, {"port": 0},
        {"port": 0, "min_acks": -1}, {"port": 0, "host": 5}, {"port": 0, "host": ""}, {"port": 0, "host": "nobody.invalid"},
        {"port": control(word).address[1], "tls": serving(certificate)},
    ]  # fmt: skip
    for options in wrong:
        with pytest.raises(UsageError):
            control(replica).promote(**options)
    word.add("a")
    level(replica, word)
    assert (control(replica).role, control(replica).problem) == ("replica", "")
    control(replica).promote(port=0, tls=serving(certificate))
    other = house.replica(replica, tmp_path / "o", tls=trusting(certificate), host="localhost", password=PASSWORD)
    replica.add("b")
    level(other, replica)
    assert other.text == "ab"


@pytest.mark.parametrize("how", [errno.ENOSPC, errno.EIO])
def test_a_promotion_that_the_disk_refuses_can_be_tried_again(house: House, tmp_path: Path, how: int) -> None:
    """Whichever of its steps: it is told, nothing is lost, and it leads in the end, by a second promotion or after a restart."""
    word = house.primary(tmp_path / "p")
    word.add("a")
    with pytest.raises(ValueError, match="r"):
        word.add_and_raise("r")
    options = Options(replication=True, port=control(word).address[1], sync_interval=3600)
    for nth in range(1, steps_of_a_promotion(word, options) + 1):
        disk = FakeDisk()
        replica = house.enter_context(control(open_proxy(Word, "/r", options, disk)))
        level(replica, word)
        disk.fail(len(disk.calls) + nth, how)
        assert not is_promoted(replica)
        if is_promoted(replica):
            assert replica.add("b") == "arb"
        control(replica).close()
        try:
            replica = house.enter_context(control(open_proxy(Word, "/r", Options(), disk)))
        except UsageError:  # it is a replica's as before
            replica = house.enter_context(control(open_proxy(Word, "/r", options, disk)))
            assert is_promoted(replica)
        assert replica.add("c") in {"arc", "arbc"}
        assert control(replica).stats().epoch >= 1 << 16
        control(replica).close()


def steps_of_a_promotion(word: Any, options: Options) -> int:
    disk = FakeDisk()
    with control(open_proxy(Word, "/r", options, disk)) as replica:
        level(replica, word)
        before = len(disk.calls)
        assert is_promoted(replica)
        return len(disk.calls) - before


def is_promoted(replica: Any) -> bool:
    try:
        control(replica).promote()
    except CoopyError:
        return False
    return True


def test_of_two_who_promote_at_once_one_does(house: House, tmp_path: Path) -> None:
    """The other is told, and the epoch is raised once."""
    word = house.primary(tmp_path / "p")
    replica = house.replica(word, tmp_path / "r")
    told: list[object] = []

    def promote() -> None:
        try:
            told.append(control(replica).promote(port=0))
        except UsageError:
            told.append(UsageError)

    threads = [threading.Thread(target=promote) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, told)) == sorted(map(str, [1 << 16, UsageError, UsageError, UsageError]))
    level(house.replica(replica, tmp_path / "o"), replica)


# --- the planned change ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("durability", ["sync", "buffered"])
@pytest.mark.parametrize("snapshot", [False, True])
def test_a_primary_that_was_closed_follows_its_successor_without_getting_everything_again(
    house: House, tmp_path: Path, durability: str, snapshot: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To and fro: what each says of its own at its end (that it was closed, how its last action ended) is put aside, and nothing else.

    Whoever is closed ships the rest first: the last actions, and the end of a segment that a snapshot has closed. It waits until they are there.
    """
    monkeypatch.setattr(primary_room, "LAST", 60.0)
    names = ["a", "b"]
    word = house.primary(tmp_path / "a", durability=durability)
    word.keep(os.urandom(1_000_000))
    replica = house.replica(word, tmp_path / "b")
    for turn in range(4):
        with pytest.raises(ValueError, match="x"):
            word.add_or_abort("x", True)
        with pytest.raises(ValueError, match="r"):
            word.add_and_raise("r")
        word.add("b")
        if snapshot:
            control(word).take_snapshot()
        last = control(word).lsn
        control(word).close()
        assert control(replica).lsn == last
        if turn % 2:
            with control(init_system(Word, tmp_path / names[turn % 2])):
                pass  # opened and closed once more
        control(replica).promote(port=0)
        word, replica = replica, house.replica(replica, tmp_path / names[turn % 2])
        word.add("a")
        level(replica, word)
        assert primary_stats(word).shipped_bytes < 2000
        assert control(replica).stats().divergences == 0
    control(replica).close()
    level(house.replica(word, tmp_path / names[1]), word)
    assert not list(tmp_path.glob("*/quarantine/snapshot-*"))


def test_closing_a_primary_waits_for_a_replica_that_is_about_to_have_everything(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it may be promoted when `close()` has returned. Here a query keeps it from executing meanwhile."""
    monkeypatch.setattr(primary_room, "LAST", 60.0)
    word = house.primary(tmp_path / "p", kind=Patient)
    replica = house.replica(word, tmp_path / "r", kind=Patient)
    level(replica, word)
    closing = threading.Thread(target=control(word).close)
    with Held(replica):
        word.add("a")
        closing.start()
        closing.join(0.5)
        assert closing.is_alive()
    closing.join()
    assert control(replica).lsn == 1
