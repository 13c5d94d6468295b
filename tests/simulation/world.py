"""A primary and three replicas on a seeded network: one process, no threads of the protocol, no sockets, no time but the world's own.

    machines    processes come, go and are killed, the power is cut at any call of the disk; what was not synced is lost then
    lines       bytes take their time, connections end, break within a message, or say nothing any more
    operator    one of two: the careful one sees that the former primary is gone and promotes the most advanced of all others, after the last;
                the careless one promotes any replica at any moment, also beside a primary that goes on
    clients     call whoever leads; an action counts as acknowledged when its call would have returned

What must hold, always: equal (LSN, tag) means an equal state; no epoch goes back in a directory; what was on stable storage is there after
any end of a process; nobody follows an older primary than one it knew; whoever meets a newer primary takes no more actions. With
`min_acks`: that many other machines have what was acknowledged, and the careful operator loses nothing that any whom it may promote has
confirmed. In the end all are alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.error import ClosedError, CoopyError, ReplicaError
from coopy.replication.follower import Follower
from coopy.replication.handshake import next_generation
from coopy.replication.wire import PATIENCE
from tests.simulation.lines import Lines

if TYPE_CHECKING:
    from tests.simulation.machine import Machine

STEPS = 400


class World(Lines):
    """What one seed does."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.cut_off: Machine | None = None  # who was to be promoted when its power went
        self.rates = {
            self.turn: 70, self.call: 20, self.connect: 10, self.start: 6,
            self.break_line: self.dice.choice((0, 1, 3)), self.connect_again: self.dice.choice((0, 1, 2)) if self.careful else 3,
            self.kill: self.dice.choice((0, 0.3, 1)), self.arm_power_cut: self.dice.choice((0, 0.5, 2)),
            self.snapshot: self.dice.choice((0.3, 2)), self.prune: self.dice.choice((0, 0.5, 2)), self.sync: 3 if self.buffered else 0,
            self.promote: self.dice.choice((0, 0.5, 2)), self.close: self.dice.choice((0, 0.3)), self.wait: 0.3,
        }  # fmt: skip

    # --- the story ----------------------------------------------------------------------------------------------------------

    def run(self, steps: int = STEPS) -> World:
        """From an empty primary on, until all are alike."""
        self.leader.start_leading(self.min_acks)
        for machine in self.machines[1 : self.dice.choice((1, 3, 4, 4))]:
            machine.start_following()
        works, weights = list(self.rates), list(self.rates.values())
        for _ in range(steps):
            self.clock.now += self.dice.choice((0.0, 0.001, 0.005, 0.02))
            self.dice.choices(works, weights)[0]()
        self.heal()
        self.restart_all()
        return self

    # --- machines ------------------------------------------------------------------------------------------------------------

    def kill(self) -> None:
        machine = self.some([one for one in self.machines if one.is_up])
        if machine is not None:
            self.kill_it(machine)

    def kill_it(self, machine: Machine) -> None:
        self.say(f"{machine}: killed")
        machine.cut = False
        machine.stop(lambda disk: disk.kill())
        self.hang_up(machine)

    def arm_power_cut(self) -> None:
        machine = self.some([one for one in self.machines if one.is_up])
        if machine is not None:
            machine.disk.crash_at(len(machine.disk.calls) + self.dice.choice((1, 2, 3, 5, 10, 30)))

    def close(self) -> None:
        machine = self.some([one for one in self.machines if one.system is not None and one.running.engine.final is None])
        if machine is not None:
            self.say(f"{machine}: closed")
            if self.at(machine, machine.close):
                self.hang_up(machine)

    def start(self) -> None:
        machine = self.some([one for one in self.machines if not one.is_up])
        if machine is not None:
            self.start_it(machine)

    def start_it(self, machine: Machine) -> None:
        self.say(f"{machine}: starts")
        if machine is self.leader or (not self.careful and machine.stale and self.dice.random() < 0.5):
            self.at(machine, lambda: self.start_leader(machine))
        else:
            self.at(machine, machine.start_following)

    def start_leader(self, machine: Machine) -> None:
        """A promotion that was cut off is made again."""
        try:
            if machine is self.cut_off:
                self.promote_again(machine)
            else:
                machine.start_leading(self.min_acks)
                self.promoted = max(self.promoted, machine.known_epoch())
        except CoopyError as error:
            if "directory of a replica" not in str(error):
                raise
            self.promote_again(machine)
        if machine is self.leader and machine.leads:
            self.forgo(machine)

    def promote_again(self, machine: Machine) -> None:
        machine.start_following()
        if isinstance(machine.home, Follower):  # else its state was being replaced: it has to follow first
            self.promote_it(machine)

    def snapshot(self) -> None:
        machine = self.some([one for one in self.machines if one.system is not None and one.running.engine.final is None])
        if machine is not None:
            self.at(machine, machine.running.snapshots.take)

    def prune(self) -> None:
        machine = self.some([one for one in self.machines if one.system is not None and one.running.engine.final is None])
        if machine is not None:
            self.at(machine, machine.running.prune)

    def sync(self) -> None:
        machine = self.some([one for one in self.machines if one.leads and one.running.engine.final is None])
        if machine is not None:
            self.at(machine, machine.running.wait_durable)

    def wait(self) -> None:
        """A while in which nothing happens."""
        self.clock.now += self.dice.choice((0.3, 1, PATIENCE + 1))

    # --- clients -------------------------------------------------------------------------------------------------------------

    def call(self) -> None:
        primary = self.some([one for one in self.machines if one.leads])
        if primary is not None:
            self.at(primary, lambda: self.call_at(primary))

    def call_at(self, primary: Machine) -> None:
        """One action of some kind. Where it returns, or raises what it is to raise, it is acknowledged, or waits for replicas."""
        self.last += 1
        number, engine = self.last, primary.running.engine
        method, args = self.dice.choice([("keep", (number,))] * 4 + [("keep", ([number],)), ("keep_and_raise", (number,)), ("stamp", ())])
        if self.dice.random() < 0.1:
            method, args = "add_or_abort", ("x", True)
        try:
            engine.call(method, args, {})
        except ValueError:
            pass
        except (ReplicaError, ClosedError):
            assert engine.final is not None
            return
        if method.startswith("keep") and args == (number,):
            if self.min_acks:
                self.waiting[number] = primary.lsn, primary, primary.boots
            else:
                self.acked.add(number)

    # --- the operator ----------------------------------------------------------------------------------------------------------

    def promote(self) -> None:
        if self.careful:
            self.fail_over()
        else:
            replica = self.some([one for one in self.machines if isinstance(one.home, Follower)])
            if replica is not None:
                self.lead_with(replica)

    def fail_over(self) -> None:
        """The primary is gone. The most advanced of all others leads from now on."""
        if not any(one.was_filled for one in self.machines if one is not self.leader):
            return
        if self.leader.is_up:
            self.kill_it(self.leader)
        others = [one for one in self.machines if one is not self.leader]
        for machine in others:
            if not machine.is_up:
                self.start_it(machine)
        candidates = [one for one in others if isinstance(one.home, Follower)]
        if len(candidates) < len([one for one in others if one.was_filled]) or not candidates:
            return  # one of them had no luck: later
        best = max(candidates, key=lambda one: (one.running.engine.journal.epoch, one.lsn))
        for number in self.acked - best.numbers:
            assert not self.holders.get(number, set()) & {(one, one.replacements) for one in candidates}, (
                f"{number} was confirmed, and {best} does not have it"
            )
        self.lead_with(best)

    def lead_with(self, replica: Machine) -> None:
        self.say(f"{replica}: promoted at LSN {replica.lsn}")
        for line in self.lines:
            if line.replica is replica or self.careful:
                self.let_go(line, at_once=False)
        self.leader = self.cut_off = replica
        if self.at(replica, lambda: self.promote_it(replica)):
            self.forgo(replica)

    def promote_it(self, replica: Machine) -> None:
        """The careful operator keeps in mind what the last promotion gave."""
        after = self.promoted if self.careful else 0
        self.promoted = next_generation(max(self.promoted, replica.epoch))  # also where it is cut off
        self.promoted = max(self.promoted, replica.promote(self.min_acks, after))
        self.cut_off = None

    def forgo(self, primary: Machine) -> None:
        """What was acknowledged and is not there is lost: by a careless operator, or with as many machines as there were to confirm it."""
        lost = self.acked - primary.numbers
        self.acked -= lost
        self.forgone |= lost

    # --- the end ---------------------------------------------------------------------------------------------------------------

    def heal(self) -> None:
        """No more faults: one leads, the others follow, and all are alike."""
        self.say("healing")
        for machine in self.machines:
            machine.cut_in_replacement = 0
            machine.disk.crash_at(0)
        for line in self.lines:
            self.drop(line)
        self.lines = []
        self.settle_leader()
        for machine in self.machines:
            if machine is not self.leader:
                if machine.leads:
                    self.kill_it(machine)
                if not machine.is_up:
                    machine.start_following()
        for _ in range(300):
            self.clock.now += 0.05
            self.round()
            if all(self.is_level(one) for one in self.machines):
                break
        digest = self.leader.running.digest()
        for machine in self.machines:
            assert self.is_level(machine), f"{machine} does not become like {self.leader}"
            assert machine.running.digest() == digest, f"{machine} is another than {self.leader}"
            machine.pay()
        missing = self.acked - self.leader.numbers
        assert not missing, f"{sorted(missing)} were acknowledged and are lost"

    def settle_leader(self) -> None:
        """The careless operator takes the one that knows the newest."""
        for machine in self.machines:
            if not self.careful and not machine.is_up:
                self.start_it(machine)
        if not self.careful:
            self.leader = max((one for one in self.machines if one.system is not None), key=lambda one: (one.generation, one.lsn))
        if isinstance(self.leader.home, Follower):
            self.lead_with(self.leader)
        if not self.leader.leads or self.leader.running.engine.final is not None:
            if self.leader.is_up:
                self.kill_it(self.leader)
            self.start_it(self.leader)
        self.forgo(self.leader)
        self.call_at(self.leader)

    def round(self) -> None:
        """Everybody does what there is to do."""
        self.leader.running.wait_durable()
        busy = {line.replica for line in self.lines if line.taking is not None}
        for machine in self.machines:
            if machine is not self.leader and machine not in busy:
                self.join(machine)
        for line in list(self.lines):
            self.turn_primary(line)
            self.turn_replica(line)
        self.lines = [one for one in self.lines if not one.is_over()]

    def join(self, replica: Machine) -> None:
        """A replica that was refused for good is made anew."""
        if replica.rejected:
            self.kill_it(replica)
            for line in self.lines:
                if line.replica is replica:
                    self.drop(line)
            replica.wipe()
            replica.start_following()
        self.connect_it(replica, self.leader)

    def is_level(self, machine: Machine) -> bool:
        return machine.system is not None and machine.seen == (self.leader.lsn, self.leader.kept)

    def restart_all(self) -> None:
        """Closed and opened again they are as before."""
        digest = self.leader.running.digest()
        for machine in self.machines:
            leads = machine is self.leader
            machine.close()
            (machine.start_leading(0) if leads else machine.start_following())
            assert machine.running.digest() == digest, f"{machine} is another after a restart"
            machine.close()


def run_seed(seed: int) -> World:
    """The world of a seed, to its end. Raises AssertionError that says how to repeat what was found."""
    world = World(seed)
    try:
        return world.run()
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        how = f"seed {seed}: from tests.simulation.world import run_seed; run_seed({seed})"
        last = "\n".join(world.log[-30:])
        raise AssertionError(f"{how}\n{type(error).__name__}: {error}\nWhat happened last:\n{last}") from error
