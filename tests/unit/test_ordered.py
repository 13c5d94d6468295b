"""An engine whose actions come in an order that somebody else decides: here a list, without any server."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from coopy.disk import RealDisk
from coopy.engine.commit import Entry
from coopy.engine.founding import first_snapshot, install, new_identity
from coopy.engine.opened import open_system
from coopy.engine.opening import Place
from coopy.engine.ordered import Message, OrderedEngine
from coopy.engine.system import Origin, Settings, System
from coopy.error import ClosedError, ClusterError, CoopyError, UsageError
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from coopy.clock import Moment

NODE, OTHER = b"n" * 16, b"o" * 16


class Order:
    """Entries that were offered, as messages; each is told to every node that follows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.messages = [Message(2, NODE, 0, 0, 0, 0, ()), Message(3, OTHER, 0, 0, 0, 0, ())]
        self.counters = dict.fromkeys((NODE, OTHER), 0)
        self.snapshot: bytes | None = None
        self.open: list[System] = []

    def follow(self, name: str, *, take: bool = True) -> System:
        """A node in a directory of this name, which has taken what there is."""
        place = Place(RealDisk(), str(self.folder / name), b"", "tests.words:Word")
        system = open_system(
            place, lambda: Word("s"), _as_it_is, ("tests",), Settings(sync_interval=1000), Origin(self._fetch, stream="order")
        )
        self.open.append(system)
        if take:
            self.catch_up(system)
        return system

    def _fetch(self, place: Place, initial: Callable[[object], bytes]) -> None:
        path = f"{place.directory}/snapshot-00000000000000000000.snap.12345678.tmp"
        if self.snapshot is None:
            written = first_snapshot(place, new_identity(place), initial)
            self.snapshot = Path(written).read_bytes()
            Path(written).unlink()
        Path(path).write_bytes(self.snapshot)
        install(place, "order", path)

    def put(self, *calls: tuple[Any, ...], node: bytes = NODE, time_us: int = 1_000_000) -> Message:
        """One message behind the last."""
        self.counters[node] += 1
        made = [self.encode(method, *args) for method, *args in calls]
        message = Message(len(self.messages) + 2, node, self.counters[node], 0, time_us, 60, made)
        self.messages.append(message)
        return message

    def encode(self, method: str, *args: Any) -> tuple[bytes, bytes]:
        """A call as a message has it."""
        entry = engine_of(self.open[0])._entry(method, args, {})
        return entry.word, entry.payload

    def catch_up(self, system: System) -> None:
        """Have a node take what it has not yet."""
        engine = engine_of(system)
        last = engine.progress.last
        following = last.sequence if engine.progress.missing(engine.journal.lsn) else last.sequence + 1
        engine.take(self.messages[following - 2 :])


def engine_of(system: System) -> OrderedEngine:
    """That of a node."""
    assert isinstance(system.engine, OrderedEngine)
    return system.engine


def text(system: System) -> str:
    """What a node shows."""
    found: str = system.engine.read(lambda: system.root.text)  # type: ignore[attr-defined]
    return found


@pytest.fixture
def order(tmp_path: Path) -> Iterator[Order]:
    """One order, and its nodes, which are closed in the end."""
    made = Order(tmp_path)
    yield made
    for one in made.open:
        one.close()


def test_nodes_that_take_the_same_order_are_alike(order: Order) -> None:
    """In state, LSN, times and random numbers, however the messages come to them."""
    one = order.follow("one")
    order.put(("add", "a"), ("stamp",), ("add_and_raise", "b"))
    order.put(("add_or_abort", "c", True), ("add", "d"), node=OTHER, time_us=5)
    order.catch_up(one)
    order.put(("stamp",))
    order.catch_up(one)
    two = order.follow("two")
    assert text(one) == text(two) == "sabd"
    assert (one.digest(), one.engine.executed, one.engine.journal.time_us) == (
        two.digest(),
        two.engine.executed,
        two.engine.journal.time_us,
    )
    assert [*one.history().changes(0)] == [*two.history().changes(0)]


def test_a_message_that_comes_again_is_passed_over(order: Order) -> None:
    """And one of a writer that never began."""
    one = order.follow("one")
    message = order.put(("add", "a"))
    for again in (NODE, b"x" * 16):
        order.messages.append(Message(len(order.messages) + 2, again, message.counter, 0, 9, 0, message.calls))
    order.put(("add", "b"))
    order.catch_up(one)
    assert (text(one), one.engine.executed, engine_of(one).progress.last.sequence) == ("sab", 2, 7)


def test_a_message_that_does_not_follow_is_refused_and_named(order: Order) -> None:
    """Nothing of it is taken."""
    one = order.follow("one")
    order.put(("add", "a"))
    order.put(("add", "b"))
    with pytest.raises(ClusterError, match="Message 5 of the shared journal came behind 3") as caught:
        engine_of(one).take(order.messages[3:])
    assert (caught.value.sequence, text(one)) == (4, "s")  # type: ignore[attr-defined]


def test_a_call_that_this_program_does_not_know_is_not_taken(order: Order) -> None:
    """Nor is what came with it; what was before is there, also after a restart."""
    one = order.follow("one")
    order.put(("add", "a"))
    order.put(("add", "b"), ("vanish", 1))
    with pytest.raises(ClusterError, match=r"cannot run: Word has no action 'vanish'.*Bring the program here"):
        order.catch_up(one)
    assert text(one) == "sa"
    one.close()
    assert text(order.follow("one", take=False)) == "sa"


@pytest.mark.parametrize("cut", range(1, 6))
def test_what_a_power_loss_cuts_off_in_a_message_comes_again(order: Order, cut: int) -> None:
    """From the middle of a message on, none of its calls twice."""
    one = order.follow("one")
    order.put(("add", "a"))
    message = order.put(*(("add", letter) for letter in "bcdef"))
    order.catch_up(one)
    expected = one.digest()
    lose_power(order.folder / "one", order.folder / "again", cut)
    order.put(("add", "g"))
    back = order.follow("again", take=False)
    assert text(back) == "sabcdef"[: 7 - cut]
    assert engine_of(back).progress.missing(back.engine.executed) == cut
    engine_of(back).take([message])
    assert (text(back), back.digest()) == ("sabcdef", expected)
    order.catch_up(back)
    assert text(back) == "sabcdefg"


def lose_power(directory: Path, copy: Path, cut: int) -> None:
    """What is there, without the last calls of the journal and all behind them."""
    copy_of(directory, copy)
    segment = copy / "journal-00000000000000000001.log"
    data = segment.read_bytes()
    calls = [at for at in range(len(data)) if data[at : at + 4] == b"cp\x01\0"]
    segment.write_bytes(data[: calls[-cut]])


def test_behind_a_seal_the_messages_of_the_next_stream_follow(order: Order) -> None:
    """From its first one on, and from no other; that it is so is on stable storage at once. LSN, time and numbers of the writers go on."""
    one = order.follow("one")
    message = order.put(("add", "a"))
    order.catch_up(one)
    engine_of(one).go_on_behind_seal(2)
    copy_of(order.folder / "one", order.folder / "again")
    again = order.follow("again", take=False)
    place = Message(2, NODE, 2, 1, 1, 0, [order.encode("add", "b")], generation=2)
    for system in (one, again):
        assert engine_of(system).progress.last.place == (2, 1)
        for wrong in (
            order.put(("add", "x"), node=OTHER),
            Message(3, NODE, 3, 0, 1, 0, (), generation=2),
            Message(2, NODE, 3, 0, 1, 0, (), generation=3),
        ):
            with pytest.raises(ClusterError, match="what is between is missing"):
                engine_of(system).take([wrong])
        engine_of(system).take([Message(2, NODE, message.counter, 0, 1, 0, message.calls, generation=2)])
        engine_of(system).take([Message(3, *msgspec.structs.astuple(place)[1:])])
        assert (text(system), system.engine.executed) == ("sab", 2)
    assert one.digest() == again.digest()


def copy_of(directory: Path, copy: Path) -> None:
    """What a kill leaves."""
    copy.mkdir(mode=0o700)
    for file in directory.iterdir():
        if file.is_file() and file.name != "LOCK":
            (copy / file.name).write_bytes(file.read_bytes())


def test_a_caller_waits_for_its_place_in_the_order(order: Order) -> None:
    """What others do before it, it sees."""
    one, offered = order.follow("one"), list[Entry]()
    engine, there, told = engine_of(one), threading.Event(), list[Any]()

    def offer(entry: Entry) -> None:
        offered.append(entry)
        there.set()

    engine.offer = offer
    caller = threading.Thread(target=lambda: told.append(engine.call("add", ("b",), {})))
    caller.start()
    there.wait(60)
    order.put(("add", "a"), node=OTHER)
    order.catch_up(one)
    assert not told
    order.counters[NODE] += 1
    entry = offered[0]
    engine.take([Message(len(order.messages) + 2, NODE, 1, 0, 2_000_000, 0, [(entry.word, entry.payload)], offered)])
    caller.join(60)
    assert told == ["sab"]


def test_a_node_that_was_stopped_answers_queries_and_says_why(order: Order) -> None:
    """For good."""
    one = order.follow("one")
    order.put(("add", "a"))
    order.catch_up(one)
    engine_of(one).stop_for(ClusterError("it is over", sequence=9))
    assert text(one) == "sa"
    for call in (lambda: one.engine.call("add", ("b",), {}), lambda: engine_of(one).take([order.put(("add", "b"))])):
        with pytest.raises(CoopyError, match="it is over"):
            call()
    one.close()
    with pytest.raises(ClosedError):
        one.engine.call("add", ("b",), {})


def test_a_nodes_directory_is_no_system_of_its_own(order: Order) -> None:
    """And no other cluster's."""
    one = order.follow("one")
    one.close()
    for origin in (None, Origin(order._fetch, stream="another"), Origin(order._fetch, primary="a:1")):
        with pytest.raises(UsageError, match="is a node's directory"):
            open_system(Place(RealDisk(), one.archive.directory, b"", ""), Word, _as_it_is, ("tests",), Settings(), origin)


def _as_it_is(root: object, moment: Moment) -> None:
    """Nothing is to be completed."""
