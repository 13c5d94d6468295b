"""`control(x).stats()`: one typed value that says how a running system is."""

from __future__ import annotations

import contextlib
import errno
import shutil
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from coopy import Stats, control, init_system, once, readonly
from coopy.disk.fake import FakeDisk
from coopy.error import ClosedError, DiskFullError, DurabilityError
from coopy.measured import LIMITS, Stopwatch
from coopy.replication.replica import Replica
from coopy.replication.shipping import Shipper, Shipping
from coopy.wiring import Options, open_proxy
from coopy.wiring.systems import system_of
from tests.asked import primary_stats, replica_stats
from tests.functional.test_replication import House, house, level, wait_until
from tests.words import Word

__all__ = ["house"]
ROOT = Path(__file__).resolve().parents[2]


class Held(Word):
    """Its query takes as long as somebody wants."""

    entered, let_go = threading.Event(), threading.Event()

    @readonly
    def linger(self) -> None:
        Held.entered.set()
        Held.let_go.wait(60)


@pytest.fixture(autouse=True)
def _held() -> None:
    Held.entered.clear()
    Held.let_go.clear()


@pytest.mark.parametrize("durability", ["sync", "buffered"])
def test_actions_are_counted_by_how_they_ended(tmp_path: Path, durability: Any) -> None:
    """Since the opening; queries are not."""
    with control(init_system(Word(), tmp_path / "w", durability=durability)) as word:
        word.add("a")
    with control(init_system(Word, tmp_path / "w", durability=durability)) as word:
        for letter in "bc":
            word.add(letter)
            word.read()
        with contextlib.suppress(ValueError):
            word.add_and_raise("d")
        with contextlib.suppress(ValueError):
            word.add_or_abort("e", fail=True)
        with once("k"):
            word.add("f")
        found = control(word).stats()
    assert (found.lsn, found.actions, found.raised, found.undone, found.queued, found.unlocked, found.keys) == (6, 5, 2, 1, 0, 0, 1)
    assert (found.durability, found.role, found.state, found.replication) == (durability, "alone", "open", None)
    assert (found.restored.base, found.restored.lsn) == (0, 1)
    assert timedelta() <= datetime.now(UTC) - found.opened < timedelta(minutes=1)
    assert found.directory == str(tmp_path / "w")
    assert found.domain == "tests.words:Word"


def test_a_sync_system_says_how_long_syncs_and_batches_took(tmp_path: Path) -> None:
    """Each call of a lone thread is a batch with a sync; a batch takes longer than its sync."""
    with control(init_system(Word(), tmp_path / "w")) as word:
        before = control(word).stats()
        for _ in range(10):
            word.add("a")
        found = control(word).stats()
    assert found.batches.count == 10
    assert found.syncs.count - before.syncs.count == 10
    assert found.batches.total > found.syncs.total - before.syncs.total > 0
    for timing in (found.syncs, found.batches):
        assert 0 < timing.mean <= timing.longest <= timing.total
        assert len(timing.counts) == len(LIMITS) + 1


def test_a_buffered_system_syncs_now_and_then(tmp_path: Path) -> None:
    """Its calls are no batches."""
    with control(init_system(Word(), tmp_path / "w", durability="buffered", sync_interval=3600)) as word:
        before = control(word).stats()
        word.add("a")
        assert control(word).stats().syncs == before.syncs
        control(word).wait_durable()
        found = control(word).stats()
    assert (found.syncs.count - before.syncs.count, found.batches.count, found.batches.mean, found.durable) == (1, 0, 0, 1)


def test_sizes_are_those_of_the_files(tmp_path: Path) -> None:
    """Of all that is listed, when it is closed."""
    directory = tmp_path / "w"
    with control(init_system(Word(), directory, segment_bytes=4096, keep_snapshots=2)) as word:
        for _ in range(100):
            word.add("a")
        control(word).take_snapshot()
        control(word).prune()
        handle = control(word)
    found = handle.stats()
    assert found.journal_bytes == sum(path.stat().st_size for path in directory.glob("journal-*"))
    assert found.snapshot_bytes == sum(path.stat().st_size for path in directory.glob("snapshot-*"))
    assert (found.segments, found.snapshot_lsns, found.first_lsn) == (len(list(directory.glob("journal-*"))), (0, 100), 1)
    assert (found.snapshots.count, found.snapshots_failed, found.state, found.errors.ended) == (1, 0, "closed", None)
    assert 0 < found.snapshot_pause <= found.snapshots.total
    shutil.rmtree(directory)
    assert handle.stats().snapshot_bytes == 0


def test_it_waits_for_nobody(tmp_path: Path) -> None:
    """Given a query that keeps the system, when somebody asks how it is, then he hears it at once."""
    with control(init_system(Held(), tmp_path / "w")) as held:
        reader = threading.Thread(target=held.linger)
        reader.start()
        assert Held.entered.wait(60)
        caller = threading.Thread(target=held.add, args=("a",))
        caller.start()
        assert control(held).stats().lsn == 0
        assert reader.is_alive()
        Held.let_go.set()
        reader.join()
        caller.join()
        assert control(held).stats().lsn == 1


def test_calls_that_wait_for_a_batch_are_counted(tmp_path: Path) -> None:
    """The one that leads waits for the query's end, and those behind it for that one."""
    with control(init_system(Held(), tmp_path / "w")) as held:
        threads = [threading.Thread(target=held.linger), *(threading.Thread(target=held.add, args=("a",)) for _ in range(3))]
        threads[0].start()
        assert Held.entered.wait(60)
        for thread in threads[1:]:
            thread.start()
        end = datetime.now(UTC) + timedelta(seconds=60)
        while control(held).stats().queued < 3:
            assert datetime.now(UTC) < end
        Held.let_go.set()
        for thread in threads:
            thread.join()
        assert (control(held).stats().queued, held.text) == (0, "aaa")


def test_a_call_that_was_refused_for_want_of_room_is_told(tmp_path: Path) -> None:
    """The system goes on, and the last of these is remembered."""
    disk = FakeDisk()
    word = open_proxy(Word, "/w", Options(durability="buffered", sync_interval=3600), disk)
    assert control(word).stats().errors.journal is None
    disk.capacity = 0
    with pytest.raises(DiskFullError) as raised:
        word.add("x" * 1_000_000)
    disk.capacity = None
    word.add("a")
    found = control(word).stats()
    assert found.errors.journal is not None
    assert (found.errors.journal.error, found.errors.journal.message) == ("DiskFullError", str(raised.value))
    assert found.opened <= found.errors.journal.when <= datetime.now(UTC)
    assert (found.state, found.errors.ended, found.lsn) == ("open", None, 1)
    control(word).close()


def test_a_system_that_ended_itself_says_why(caplog: pytest.LogCaptureFixture) -> None:
    """To whoever asks, to the log as an error, and also after it was closed."""
    disk = FakeDisk()
    word = open_proxy(Word, "/w", Options(sync_interval=3600), disk)
    word.add("a")
    disk.fail(len(disk.calls) + 3, errno.EIO)  # the sync, behind two writes
    with pytest.raises(DurabilityError) as raised:
        word.add("b")
    found = control(word).stats()
    assert found.state == "failed"
    assert found.errors.ended is not None
    assert found.errors.ended.message == str(raised.value)
    assert [(one.name, one.levelname) for one in caplog.records] == [("coopy", "ERROR")]
    assert caplog.messages == [f"/w takes no more actions: {raised.value}"]
    with pytest.raises(ClosedError):
        word.add("c")
    control(word).close()
    assert (control(word).stats().state, control(word).stats().errors.ended) == ("closed", found.errors.ended)


def test_a_snapshot_that_failed_is_told() -> None:
    """What is remembered of it stays when the next one works."""
    disk = FakeDisk()
    word = open_proxy(Word, "/w", Options(sync_interval=3600), disk)
    word.add("a")
    disk.capacity = 0
    with pytest.raises(DiskFullError):
        control(word).take_snapshot()
    disk.capacity = None
    control(word).take_snapshot()
    found = control(word).stats()
    assert (found.snapshots.count, found.snapshots_failed) == (1, 1)
    assert found.errors.snapshot is not None
    assert found.errors.snapshot.error == "DiskFullError"
    assert found.errors.memory is None
    control(word).close()


def test_a_primary_and_its_replica_say_how_they_follow(tmp_path: Path) -> None:
    """Each its own part, both typed."""
    with control(init_system(Word(), tmp_path / "p", master=True, port=0)) as word:
        port = control(word).address[1]
        with control(init_system(Word, tmp_path / "r", replication=True, port=port)) as replica:
            word.add("a")
            control(replica).wait_for(control(word).token, 60)
            control(replica).take_snapshot()
            wait_until(lambda: primary_stats(word).replicas == 1)  # no more the connection by which the first state came
            one, other = primary_stats(word), replica_stats(replica)
            assert one.refused == 0
            assert one.shipped_bytes > 0
            assert (other.connected, other.problem, other.lag, other.sessions, other.trouble) == (True, "", 0, 1, None)
            assert other.received_bytes > 0
            assert 0 <= other.staleness < 60
            assert (control(word).stats().role, control(replica).stats().role) == ("primary", "replica")
            assert (control(replica).stats().actions, control(replica).stats().lsn) == (1, 1)
            control(word).close()
            wait_until(lambda: not replica_stats(replica).connected)
            lost = replica_stats(replica)
            assert lost.trouble is not None
            assert lost.problem == lost.trouble.message


def test_what_a_replica_took_is_counted_once_also_in_the_moment_in_which_it_goes(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given one that goes while the primary counts, then its bytes are not those of a connection and those of a former one."""
    word = house.primary(tmp_path / "p")
    replica = house.replica(word, tmp_path / "r")
    word.keep("x" * 10_000)
    level(replica, word)
    wait_until(lambda: primary_stats(word).replicas == 1)
    known, before = Shipper.sessions, primary_stats(word).shipped_bytes

    def sessions(shipper: Shipper) -> list[Shipping]:
        found = known(shipper)
        control(replica).close()
        wait_until(lambda: not known(shipper))
        return found

    monkeypatch.setattr(Shipper, "sessions", sessions)
    assert primary_stats(word).shipped_bytes == before > 10_000


def test_what_a_replica_says_of_its_trouble_is_of_one_moment(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given that it tries again while it is asked, then it does not tell that failure with the text of the one before; what it got it has got."""
    word = house.primary(tmp_path / "p")
    replica = house.replica(word, tmp_path / "r")
    word.add("a")
    level(replica, word)
    got = replica_stats(replica).received_bytes
    control(word).close()
    wait_until(lambda: replica_stats(replica).problem)
    peers: Any = system_of(replica).peers

    def lag(_replica: Replica) -> int:
        peers._trouble(OSError("another"))
        return 0

    monkeypatch.setattr(Replica, "lag", property(lag))
    found = replica_stats(replica)
    assert found.trouble is not None
    assert (found.problem, found.received_bytes) == (found.trouble.message, got)


def test_it_is_one_value_for_programs_too(tmp_path: Path) -> None:
    """Frozen, and plain data where that is wanted."""
    with control(init_system(Word(), tmp_path / "w")) as word:
        found = control(word).stats()
    with pytest.raises(AttributeError):
        found.lsn = 7  # type: ignore[misc]
    assert msgspec.convert(msgspec.to_builtins(found), Stats) == found


def test_each_number_is_explained() -> None:
    """Where it is declared, and on the page."""
    page = (ROOT / "docs/monitoring.md").read_text()
    names = [field.name for field in msgspec.structs.fields(Stats)]
    assert [name for name in names if f"`{name}`" not in (Stats.__doc__ or "")] == []
    assert [name for name in names if f"`{name}`" not in page] == []


def test_a_stopwatch_sorts_by_how_long_it_took() -> None:
    """A limit belongs to what is below it; what is above all is counted last."""
    watch = Stopwatch()
    for seconds in (0.0, LIMITS[0], 0.0003, 61, 100):
        watch.add(seconds)
    found = watch.reading()
    assert (found.counts[0], found.counts[1], found.counts[2], found.counts[-1], found.count) == (2, 0, 1, 2, 5)
    assert (found.longest, round(found.total, 4), round(found.mean, 4)) == (100, 161.0004, 32.2001)
    for _ in range(5000):
        watch.add(1)
    again = watch.reading()
    assert (again.count, round(again.total), again.longest) == (5005, 5161, 100)
