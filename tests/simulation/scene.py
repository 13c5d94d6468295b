"""What all parts of a world share: its machines and connections, what was seen, and what must hold at any time."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from coopy.disk.fake import PowerCut
from coopy.replication.auth import Verifiers
from tests.simulation.machine import Clock, Machine

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.network import Line

PASSWORD = "a password"
VERIFIERS = Verifiers(PASSWORD, 4096)


class Scene:
    """`careful`: which operator; `leader`: whom that one takes for the primary; `log`: what happened, for people."""

    def __init__(self, seed: int) -> None:
        self.seed, self.dice, self.clock = seed, random.Random(seed), Clock()
        self.machines = [Machine(number, self.clock, VERIFIERS, self.dice) for number in range(4)]
        self.lines: list[Line] = []
        self.states: dict[tuple[int, bytes], str] = {}
        self.digests: dict[tuple[int, bytes], str] = {}
        self.careful = seed % 2 == 0
        self.min_acks = self.dice.choice((0, 0, 1, 1, 2))
        self.buffered = self.min_acks == 0 and self.dice.random() < 0.6
        self.leader = self.machines[0]
        self.last = self.promoted = 0
        self.waiting: dict[int, tuple[int, Machine, int]] = {}  # calls that have not returned: LSN, machine and its boots
        self.acked: set[int] = set()
        self.holders: dict[int, set[tuple[Machine, int]]] = {}  # who confirmed
        self.forgone: set[int] = set()  # acknowledged, and lost as the operator may lose it
        self.log: list[str] = []
        for machine in self.machines:
            machine.buffered = self.buffered
            machine.cut_in_replacement = self.dice.choice((0, 0.3))

    def say(self, what: str) -> None:
        self.log.append(f"{self.clock.now:8.3f} {what}")

    def at(self, machine: Machine, work: Callable[[], object]) -> bool:
        """Do it on a machine. False where its power went meanwhile."""
        try:
            work()
        except PowerCut as cut:
            self.say(f"{machine}: power cut at {cut}")
            self.lose_power(machine)
            return False
        if machine.system is not None:
            self.look(machine)
        return True

    def some(self, machines: list[Machine]) -> Machine | None:
        return self.dice.choice(machines) if machines else None

    # --- what must hold ------------------------------------------------------------------------------------------------------

    def look(self, machine: Machine) -> None:
        """The state is what it is everywhere at this place of this history; the epoch has not gone back."""
        system = machine.running
        journal = system.engine.journal
        place, root = (machine.lsn, journal.action_tag or journal.tag), system.root
        shows = repr((root.text, root.kept))  # type: ignore[attr-defined]
        assert self.states.setdefault(place, shows) == shows, f"{machine}: another state at LSN {machine.lsn} of the same history"
        if self.dice.random() < 0.05:
            digest = system.digest()
            assert self.digests.setdefault(place, digest) == digest, f"{machine}: another digest at LSN {machine.lsn}"
        machine.seen = machine.lsn, machine.kept[:]
        epoch = machine.known_epoch()
        assert epoch >= machine.epoch, f"{machine}: epoch {epoch} after {machine.epoch}"
        machine.epoch = epoch

    def confirm(self, primary: Machine) -> None:
        """Which calls return by now."""
        assert primary.shipper is not None
        confirmed = primary.shipper.confirmed()
        for number, (lsn, machine, boots) in list(self.waiting.items()):
            if machine is primary and boots == primary.boots and lsn <= confirmed:
                del self.waiting[number]
                self.acked.add(number)
                others = {one: one.held() for one in self.machines if one is not primary}
                self.holders[number] = {(one, one.replacements) for one, kept in others.items() if kept is None or number in kept}
                had = {one for one in others if number in one.aside and not self.careful}  # it followed another in the meantime
                have = len(had | {one for one, _ in self.holders[number]})
                self.say(f"{primary}: {number} is acknowledged, LSN {lsn}")
                assert have >= self.min_acks, f"{number} (LSN {lsn}) is acknowledged, min_acks={self.min_acks}, and {have} others have it"

    # --- a process goes -------------------------------------------------------------------------------------------------------

    def lose_power(self, machine: Machine) -> None:
        machine.cut = True
        if self.dice.random() < 0.7:
            machine.stop(lambda disk: disk.crash(self.dice))
        else:
            machine.cut = False  # it was only the process
            machine.stop(lambda disk: disk.kill())
        self.hang_up(machine)

    def hang_up(self, machine: Machine) -> None:
        """The process has gone: its peers hear of it, or not."""
        for line in self.lines:
            silent = self.dice.random() < 0.3
            if line.replica is machine and line.taking is not None:
                line.taking = None
                line.up.silent, line.down.silent = line.up.silent or silent, True
                line.up.end(at_once=False)
            if line.primary is machine and line.shipping is not None:
                line.shipping = None
                line.down.silent, line.up.silent = line.down.silent or silent, True
                line.down.end(at_once=self.dice.random() < 0.5)
