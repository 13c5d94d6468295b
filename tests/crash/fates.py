"""Schedules of what can befall a cluster: nodes in processes of their own call a desk through a network, and a seed says what is done to them.

    befall     each fault in turn: it happens; calls go on, or their callers are told; it is mended; all nodes get on again by themselves
    judge      in the end all nodes are equal; what was acknowledged happened, once; what did not happen left no mark; and the answers are those that one
               desk, asked one call after another, could have given

Nothing waits for time to pass: a fault lasts until so many calls have been answered meanwhile.
"""

from __future__ import annotations

import math
import random
import signal
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from coopy.cluster.local import LocalServers
from coopy.disk import RealDisk
from coopy.engine.archive import HIGH_WATER
from coopy.error import CoopyError
from coopy.header import SECTOR
from coopy.journal.frame import HEADER_SIZE, MAGIC, Framer, salt_of
from coopy.journal.high_water import HighWater
from coopy.journal.segment import parse_segment_name
from coopy.manifest import read_manifest
from tests.crash import linear
from tests.crash.linear import NOT_KNOWN, Call
from tests.crash.load import READS
from tests.crash.net import Net

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from typing import TypeAlias

    from coopy.cluster.local import LocalServer

    Fate: TypeAlias = Callable[["Trial"], AbstractContextManager[None]]

__all__ = ["FATES", "Told", "drawn", "run"]

ROOT = Path(__file__).parents[2]
NODES = 3
LONG = 120.0  # seconds in which whatever is waited for has happened, or never will
CALLS = 10  # of each node that a fault lasts, and that show that all goes on
TOLD = 4  # where callers are told after a while: two for most threads


class Told(NamedTuple):
    """What a trial came to."""

    acknowledged: int
    raised: int
    unknown: int
    never: int


class Caller:
    """A node's process. `answers`: how its calls ended, so far; `lines`: all that it said."""

    def __init__(self, trial: Trial, number: int, mark: str) -> None:
        self.number, self.mark = number, mark
        self.lines: list[list[Any]] = []
        self.answers = Counter[str]()
        self.frozen = self.ended = False
        self._said: dict[str, Any] = {}
        self._more = threading.Condition()
        self._errors = trial.folder / f"{mark}.txt"
        command = ["tests.crash.load", str(trial.directory(number)), trial.net.addresses(number), "desk", mark, str(trial.seed)]
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith(b"\n"):
                self._hear(msgspec.json.decode(line))
        with self._more:
            self.ended = True
            self._more.notify_all()

    def _hear(self, line: list[Any]) -> None:
        with self._more:
            if line[0] == "said":
                self._said[line[1]] = line[2]
            else:
                self.lines.append(line)
                if line[0] in {"ended", "again"}:
                    self.answers[line[3]] += 1
            self._more.notify_all()

    def wait_for(self, told: Callable[[], bool], what: str) -> None:
        """Until it is so."""
        with self._more:
            good = self._more.wait_for(lambda: told() or self.ended, LONG) and told()
        assert good, f"node {self.mark} {what}: {dict(self.answers)}\n{self.lines[-6:]}\n{self._errors.read_text()[-3000:]}"

    def heard(self, what: str) -> Any:
        """What it says when it was told this, or by itself."""
        self.wait_for(lambda: what in self._said, f"does not say {what!r}")
        return self._said.pop(what)

    def tell(self, what: str) -> None:
        """Have it do something."""
        assert self._process.stdin is not None
        self._process.stdin.write(what.encode() + b"\n")
        self._process.stdin.flush()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self.frozen = number == signal.SIGSTOP
        self._process.send_signal(number)

    def kill(self) -> None:
        """In the middle of whatever it does."""
        self.signal(signal.SIGKILL)
        self._end()

    def close(self) -> None:
        """In good order."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._end()
        assert self._process.returncode == 0, self._errors.read_text()[-3000:]

    def _end(self) -> None:
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None and not pipe.closed:
                pipe.close()


class Trial:
    """Servers, the network, and nodes that call.

    `ended`: those that were killed, whose calls count all the same; `alone`: what befalls it now is one fault, and no other lasts; `gone`: nodes that
    were killed, and begin again when the servers are ready.
    """

    def __init__(self, folder: Path, seed: int, stack: ExitStack) -> None:
        self.folder, self.seed, self.dice = folder, seed, random.Random(seed)
        self.servers = LocalServers(folder / "servers")
        self.net = stack.enter_context(Net(self.servers, NODES))
        stack.enter_context(self.servers)
        self.nodes = [Caller(self, number, f"{number}-0") for number in range(NODES)]
        stack.callback(self._end)
        self.ended: list[Caller] = []
        self.gone: list[Caller] = []
        self.alone = True
        for one in self.nodes:
            one.heard("open")

    def _end(self) -> None:
        for one in self.nodes:
            if not one.ended:
                one.kill()

    def directory(self, number: int) -> Path:
        """Of a node."""
        return self.folder / f"node{number}"

    # --- what a fault is made of -----------------------------------------------------------------------------------------

    def some_node(self) -> Caller:
        """One that lives."""
        return self.dice.choice([one for one in self.nodes if not one.ended and not one.frozen])

    def some_server(self) -> LocalServer:
        """Any."""
        return self.dice.choice(self.servers.servers)

    def leader(self) -> LocalServer:
        """The server that leads the stream; any where none does now."""
        return self.servers.leader("desk") or self.some_server()

    def start_servers(self) -> None:
        """Those that were killed. They are not waited for: another fault may still last that keeps them from being ready."""
        for one in self.servers.servers:
            one.start()

    def restart(self, node: Caller) -> None:
        """Begin a node again that was killed, with what its directory holds now."""
        self.ended.append(node)
        again = Caller(self, node.number, f"{node.number}-{len(self.ended)}")
        self.nodes[node.number] = again
        again.heard("open")

    def hold(self, counted: set[str], count: int) -> None:
        """Until each node that lives has so many more answers of these kinds."""
        for one in [one for one in self.nodes if not one.ended and not one.frozen]:
            wanted = sum(one.answers[kind] for kind in counted) + count
            one.wait_for(lambda one=one, wanted=wanted: sum(one.answers[kind] for kind in counted) >= wanted, "does not get on")  # type: ignore[misc]

    # --- the end ---------------------------------------------------------------------------------------------------------

    def stop(self) -> tuple[list[str], dict[str, str], dict[str, list[str]]]:
        """No more calls, and all nodes equal; gives what they hold."""
        self.ask("stop")
        said = self.ask("level")
        assert all(one == said[0] for one in said), f"the nodes differ: {said}"
        state = self.ask("state")[0]
        for one in self.nodes:
            one.close()
        return state[0], state[1], state[2]

    def ask(self, what: str) -> list[Any]:
        """All nodes at once."""
        for one in self.nodes:
            one.tell(what)
        return [one.heard(what) for one in self.nodes]


# --- what befalls it -----------------------------------------------------------------------------------------------------


@contextmanager
def node_killed(trial: Trial) -> Iterator[None]:
    """As by kill -9."""
    node = trial.some_node()
    node.kill()
    trial.gone.append(node)
    yield


@contextmanager
def node_without_power(trial: Trial) -> Iterator[None]:
    """What was not synced there is lost, or a part of it."""
    node = trial.some_node()
    node.kill()
    lose_unsynced(trial.directory(node.number), trial.dice)
    trial.gone.append(node)
    yield


@contextmanager
def node_burnt(trial: Trial) -> Iterator[None]:
    """With its directory; others may have shared a snapshot."""
    sharing = trial.some_node()
    sharing.tell("share")
    node = trial.some_node()
    if node is not sharing:
        said = sharing.heard("share")
        assert isinstance(said, int) or not trial.alone, said  # beside another fault the servers may not take it
    node.kill()
    for file in sorted(trial.directory(node.number).rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    trial.gone.append(node)
    yield


@contextmanager
def node_frozen(trial: Trial) -> Iterator[None]:
    """As a virtual machine that is moved."""
    node = trial.some_node()
    node.signal(signal.SIGSTOP)
    yield
    node.signal(signal.SIGCONT)


@contextmanager
def node_cut_off(trial: Trial) -> Iterator[None]:
    """From all servers."""
    ways = trial.net.nodes[trial.some_node().number]
    for way in ways:
        way.cut()
    yield
    for way in ways:
        way.mend()


@contextmanager
def node_unheard(trial: Trial) -> Iterator[None]:
    """One direction, or both, swallow everything."""
    ways, how = trial.net.nodes[trial.some_node().number], trial.dice.choice([(True, False), (False, True), (True, True)])
    for way in ways:
        way.deaf, way.mute = how
    yield
    for way in ways:
        way.cut()  # what was swallowed cannot be put back
        way.mend()


@contextmanager
def answers_cut_off(trial: Trial) -> Iterator[None]:
    """Each connection ends when a message has passed, and its acknowledgement has not."""
    for ways in trial.net.nodes:
        for way in ways:
            way.cut_at = b"PUB coopy."
    yield


@contextmanager
def server_killed(trial: Trial) -> Iterator[None]:
    """Any."""
    server = trial.some_server()
    server.kill()
    yield
    server.start()


@contextmanager
def leader_killed(trial: Trial) -> Iterator[None]:
    """The one that leads the stream."""
    server = trial.leader()
    server.kill()
    yield
    server.start()


@contextmanager
def leader_frozen(trial: Trial) -> Iterator[None]:
    """It wakes up, and still believes that it leads."""
    server = trial.leader()
    server.signal(signal.SIGSTOP)
    yield
    server.signal(signal.SIGCONT)


@contextmanager
def leader_cut_off(trial: Trial) -> Iterator[None]:
    """From the other servers, and not from the nodes."""
    ways = trial.net.routes_of(trial.leader().name)
    for way in ways:
        way.cut()
    yield
    for way in ways:
        way.mend()


@contextmanager
def leader_unheard(trial: Trial) -> Iterator[None]:
    """What it and the other servers say to each other is swallowed."""
    ways = trial.net.routes_of(trial.leader().name)
    for way in ways:
        way.deaf = way.mute = True
    yield
    for way in ways:
        way.cut()
        way.mend()


@contextmanager
def no_majority(trial: Trial) -> Iterator[None]:
    """Two of three servers are gone."""
    for one in trial.dice.sample(trial.servers.servers, 2):
        one.kill()
    yield
    trial.start_servers()


@contextmanager
def all_killed(trial: Trial) -> Iterator[None]:
    """All servers at once, as where they share their power."""
    for one in trial.servers.servers:
        one.signal(signal.SIGKILL)
    for one in trial.servers.servers:
        one.wait()
    yield
    trial.start_servers()


@contextmanager
def each_restarted(trial: Trial) -> Iterator[None]:
    """One server after the other, as for an upgrade."""
    for one in [one for one in trial.servers.servers if one.running]:
        one.stop()
        one.start()
        if trial.alone:  # beside another fault it may not get so far
            trial.servers.wait_ready()
    yield


@contextmanager
def snapshots_taken(trial: Trial) -> Iterator[None]:
    """By a node of its own, so that it begins there when it is restarted."""
    node = trial.some_node()
    node.tell("snapshot")
    yield


@contextmanager
def stream_followed(trial: Trial) -> Iterator[None]:
    """The stream is sealed, and another follows on it."""
    trial.some_node().tell("follow")
    yield


@contextmanager
def streams_pruned(trial: Trial) -> Iterator[None]:
    """The same, and those before it go when all nodes that are there have gone on."""
    trial.some_node().tell("prune")
    yield


KEPT = {"ok", "raised"}  # the majority is there: calls return
ANY = {"ok", "raised", "unknown", "never"}
FATES: dict[Fate, set[str]] = {
    node_killed: KEPT, node_without_power: KEPT, node_burnt: KEPT, node_frozen: KEPT, node_cut_off: ANY, node_unheard: ANY, answers_cut_off: KEPT,
    server_killed: KEPT, leader_killed: KEPT, leader_frozen: KEPT, leader_cut_off: ANY, leader_unheard: ANY, no_majority: ANY, all_killed: ANY,
    each_restarted: KEPT, snapshots_taken: KEPT, stream_followed: KEPT, streams_pruned: KEPT,
}  # fmt: skip
AWAY: set[Fate] = {node_frozen, node_cut_off, node_unheard}  # for so long that what a node needs may go: then it stops, and says so


def lose_unsynced(directory: Path, dice: random.Random) -> None:
    """What a power loss may do to the journal: of what is not known to be on stable storage, some sectors were never written, and nothing from some record on."""
    disk = RealDisk()
    manifest = read_manifest(disk, str(directory), b"")
    assert manifest is not None
    path = max(
        (one for one in directory.iterdir() if parse_segment_name(one.name) is not None), key=lambda one: parse_segment_name(one.name) or 0
    )
    mark = disk.open_read(str(directory / HIGH_WATER))
    durable = HighWater(mark, manifest.identity.system, b"").mark.lsn
    mark.close()
    data = bytearray(path.read_bytes())
    framer, frames, offset = Framer(salt_of(manifest.identity.system), b""), list[tuple[int, int]](), 0
    while (offset := data.find(MAGIC, offset)) >= 0:
        frame = framer.header(bytes(data[offset : offset + HEADER_SIZE]), 0)
        if frame is not None:
            durable = max(durable, frame.lsn - frame.durable_back)
            frames.append((frame.lsn, offset + HEADER_SIZE + frame.length))
        offset += 1
    kept = max((end for lsn, end in frames if lsn <= durable), default=SECTOR)
    end = max((end for _, end in frames), default=kept)
    sectors = [*range(-(-kept // SECTOR) * SECTOR, end, SECTOR)]
    for start in sectors if dice.random() < 0.5 else ():
        if dice.random() < 0.3:
            data[start : start + SECTOR] = bytes(SECTOR)
    cut = dice.choice([kept, *sectors, *(end for _, end in frames if end > kept)])
    data[cut:] = bytes(len(data) - cut)
    path.write_bytes(data)


# --- the whole -----------------------------------------------------------------------------------------------------------


def run(folder: Path, seed: int, fates: list[list[Fate]]) -> Told:
    """A trial: those of a group overlap. Raises AssertionError, with the seed in it, and with what the servers could not do, too."""
    try:
        with ExitStack() as stack:
            trial = Trial(folder, seed, stack)
            trial.hold(KEPT, CALLS)
            for group in fates:
                befall(trial, group)
            state = trial.stop()
        return judge([*trial.ended, *trial.nodes], *state)
    except (AssertionError, CoopyError) as error:
        names = [[one.__name__ for one in group] for group in fates]
        raise AssertionError(f"seed {seed}, {names}: {error}") from error


def befall(trial: Trial, group: list[Fate]) -> None:
    """They happen together, and are mended in the opposite order; then the servers are ready, nodes begin again, and all gets on by itself."""
    trial.alone = len(group) == 1
    goes_on = trial.alone and FATES[group[0]] == KEPT  # two together may well take the majority
    with ExitStack() as stack:
        for one in group:
            stack.enter_context(one(trial))
        trial.hold(KEPT if goes_on else ANY, CALLS if goes_on else TOLD)
    trial.servers.wait_ready(LONG)
    while trial.gone:
        trial.restart(trial.gone.pop())
    trial.hold(KEPT, CALLS)


def drawn(seed: int, count: int) -> list[list[Fate]]:
    """So many groups for a seed: mostly of one, some of two."""
    dice = random.Random(seed)
    groups = [dice.sample([*FATES], 2 if dice.random() < 0.3 else 1) for _ in range(count)]
    return [[one for one in group if one is not streams_pruned or not AWAY & {*group}] for group in groups]


class Ended(NamedTuple):
    """When and how a call ended."""

    at: float
    outcome: str
    answer: Any


def judge(callers: list[Caller], happened: list[str], registers: dict[str, str], queues: dict[str, list[str]]) -> Told:
    """Hold what was told against what is there. Raises AssertionError."""
    begun = {mark: rest for one in callers for kind, mark, *rest in one.lines if kind == "begun"}
    ended = {mark: Ended(*rest) for one in callers for kind, mark, *rest in one.lines if kind == "ended"}
    times = Counter(happened)
    assert not [mark for mark, count in times.items() if count > 1], "a call happened twice"
    assert times.keys() <= begun.keys(), "what nobody called has happened"
    acting = {mark: method for mark, (_, _, method) in begun.items() if method not in READS}
    for mark, end in ended.items():
        if mark in acting:
            meant = end.outcome == "ok" or (end.outcome == "raised" and acting[mark] == "refuse")
            assert not meant or mark in times, f"{mark} was acknowledged, and is lost: {end}"
            assert meant or end.outcome == "unknown" or mark not in times, f"{mark} did not happen, it was said, and has happened: {end}"
            assert end.outcome != "unknown" or acting[mark] != "undo" or mark not in times, f"{mark} was undone, and has happened"
    check_answers(begun, ended, happened, registers, queues)
    outcomes = Counter(end.outcome for end in ended.values())
    return Told(outcomes["ok"], outcomes["raised"], outcomes["unknown"], outcomes["never"])


def check_answers(
    begun: dict[str, list[Any]], ended: dict[str, Ended], happened: list[str], registers: dict[str, str], queues: dict[str, list[str]]
) -> None:
    """Object by object, with what is there in the end as the last that anybody was answered. That they `happened` in this order is the judge's first guess."""
    ranks = {mark: place for place, mark in enumerate(happened)}
    histories = defaultdict[str, list[Call]](list)
    for mark, (at, name, method) in begun.items():
        end = ended.get(mark, Ended(math.inf, "unknown", None))
        if name and end.outcome == "ok":
            argument = mark if method in {"write", "swap", "put"} else None
            histories[name].append(
                Call(mark, at, end.at, method, argument, end.answer, ranks.get(mark, -1))
            )  # a read where its answer is right
        elif name and method not in READS and mark in ranks:
            histories[name].append(Call(mark, at, math.inf, method, mark if method != "take" else None, NOT_KNOWN, ranks[mark]))
    last = max(end.at for end in ended.values()) + 1
    for name, calls in histories.items():
        if name.startswith("register"):
            found = linear.problem(
                [*calls, Call("end", last, last + 1, "look", None, registers.get(name), len(ranks))], None, linear.register
            )
        else:
            left = [*queues.get(name, ()), None]
            takes = [Call("end", last + 2 * place, last + 2 * place + 1, "take", None, one, len(ranks)) for place, one in enumerate(left)]
            found = linear.problem([*calls, *takes], (), linear.queue)
        assert not found, f"{name}: {found}"
