"""The part of a world that is its network: replicas connect, bytes pass, connections end in all the ways there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.error import AuthenticationError, ReplicaError
from coopy.replication.auth import Prover
from coopy.replication.follower import Follower, Newcomer
from coopy.replication.handshake import AHEAD, DIVERGED, FENCED, GENERATION
from coopy.replication.shipping import Shipping
from coopy.replication.taking import RefusedError, Taking
from coopy.replication.wire import PATIENCE, LostError, PeerError
from tests.simulation.network import Line
from tests.simulation.scene import PASSWORD, Scene

if TYPE_CHECKING:
    from tests.simulation.machine import Machine


class Lines(Scene):
    """Sessions between machines, a turn at a time."""

    def connect(self) -> None:
        """A replica without a session begins one."""
        busy = {line.replica for line in self.lines if line.taking is not None}
        replica = self.some([one for one in self.machines if one.home is not None and one not in busy])
        if replica is not None:
            self.connect_it(replica, self.address())

    def connect_again(self) -> None:
        """A replica lets go of its session, which its primary does not hear of yet, and begins another."""
        lines = [line for line in self.lines if line.taking is not None]
        if lines:
            line = self.dice.choice(lines)
            self.let_go(line, at_once=False)
            line.up.silent = self.dice.random() < 0.7
            self.connect_it(line.replica, self.address())

    def address(self) -> Machine | None:
        """Whom replicas take for the primary."""
        return self.leader if self.careful or self.dice.random() < 0.5 else self.some([one for one in self.machines if one.leads])

    def connect_it(self, replica: Machine, primary: Machine | None) -> None:
        if primary is not None and primary.shipper is not None and primary is not replica and replica.home is not None:
            self.at(replica, lambda: self.begin(replica, primary))

    def begin(self, replica: Machine, primary: Machine) -> None:
        assert replica.home is not None
        assert primary.shipper is not None
        taking = Taking(replica.home, replica.home.hello(), "a primary", Prover(PASSWORD, b""), self.clock)
        shipping = Shipping(primary.shipper, repr(replica), b"", self.clock.now + PATIENCE)
        self.lines.append(Line(self.dice, replica, taking, primary, shipping))

    def break_line(self) -> None:
        """In one of the ways there are."""
        if not self.lines:
            return
        line = self.dice.choice(self.lines)
        pipe = self.dice.choice((line.up, line.down))
        how = self.dice.choice(("within", "silent", "both", "reset", "damage"))
        if how == "within":
            pipe.left = self.dice.choice((0, 1, 5, 60, self.dice.randrange(3000)))
        elif how == "silent":
            pipe.silent = True
        elif how == "damage":
            pipe.damage = True
        else:
            line.up.end(at_once=how == "reset")
            line.down.end(at_once=how == "reset")

    def turn(self) -> None:
        """Some sides of some connections say and hear what there is."""
        live = [one for one in self.lines if one.taking is not None]
        lines = live if self.dice.random() < 0.8 else self.lines
        for line in self.dice.sample(lines, min(len(lines), 3)):
            for side in self.dice.sample((self.turn_primary, self.turn_replica), self.dice.choice((1, 2))):
                side(line)
        self.lines = [one for one in self.lines if not one.is_over()]

    def turn_primary(self, line: Line) -> None:
        shipping, primary = line.shipping, line.primary
        if shipping is None:
            return
        try:
            if not self.at(primary, lambda: self.ship(line, shipping)):
                return
        except (LostError, PeerError, ReplicaError):
            self.drop(line)
            return
        if shipping.ended:
            self.drop(line)
        if self.min_acks:
            self.confirm(primary)

    def ship(self, line: Line, shipping: Shipping) -> None:
        for _ in range(2):
            line.down.put(shipping.next(line.down.waiting), self.clock.now)
        assert shipping._tail.lsn <= line.primary.running.engine.journal.durable, f"{line.primary} ships what is not synced"
        shipping.receive(line.up.get(self.clock.now))
        if shipping.ended:
            line.down.put(shipping.next(0), self.clock.now)

    def drop(self, line: Line) -> None:
        """The primary ends it."""
        if line.shipping is not None:
            line.shipping.close()
            line.shipping = None
            line.down.end(at_once=False)
            line.up.silent = True

    def let_go(self, line: Line, *, at_once: bool) -> None:
        """The replica ends it."""
        taking, line.taking = line.taking, None
        if taking is not None:
            self.at(line.replica, taking.close)
            line.up.end(at_once=at_once)
            line.down.silent = True

    def turn_replica(self, line: Line) -> None:
        taking, replica = line.taking, line.replica
        if taking is None:
            return
        try:
            self.at(replica, lambda: self.take(line, taking))
        except RefusedError as error:
            self.say(f"{replica}: {error}")
            self.check_refusal(line, str(vars(error).get("code")))
            self.let_go(line, at_once=False)
        except (LostError, PeerError, ReplicaError, AuthenticationError) as error:
            assert isinstance(error, LostError) or line.up.damaged or line.down.damaged, f"{replica}: {error}"
            self.let_go(line, at_once=False)

    def take(self, line: Line, taking: Taking) -> None:
        line.up.put(taking.next(), self.clock.now)
        taking.receive(line.down.get(self.clock.now))
        if not taking.is_streaming:
            return
        if isinstance(line.replica.home, Newcomer):  # it is filled
            self.fill(line)
            return
        home = line.replica.home
        assert isinstance(home, Follower)
        if not line.follows:
            self.say(f"{line.replica} follows {line.primary} from LSN {line.replica.lsn} on")
            self.check_followed(line)
        taking.acknowledge(home.take(taking.frames))
        line.up.put(taking.next(), self.clock.now)

    def fill(self, line: Line) -> None:
        """A newcomer's directory has a state now."""
        self.let_go(line, at_once=False)
        line.replica.home = None
        line.replica.start_following()
        assert line.replica.system is not None

    def check_followed(self, line: Line) -> None:
        """Nobody follows an older primary than one that it knew."""
        line.follows = True
        primary, replica = line.primary, line.replica
        if primary.system is not None and primary.boots == line.boots[1]:
            assert replica.generation <= primary.own_generation, f"{replica} knows generation {replica.generation} and follows {primary}"
        if primary is self.leader:
            replica.stale = False

    def check_refusal(self, line: Line, code: str) -> None:
        primary, replica = line.primary, line.replica
        if primary.system is None or primary.boots != line.boots[1]:
            return
        assert replica.home is not None
        newer = replica.home.hello().known // GENERATION > primary.own_generation
        assert newer == (code == FENCED), f"{replica} was refused as {code}"
        if newer:
            assert primary.running.engine.final is not None, f"{primary} goes on, though {replica} knows a newer one"
            assert not self.careful or primary is not self.leader, "the careful operator's primary was fenced"
        elif code in {AHEAD, DIVERGED}:
            assert not self.careful, f"{replica} was refused as {code}"
            replica.rejected = True
