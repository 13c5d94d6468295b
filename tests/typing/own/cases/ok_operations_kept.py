from __future__ import annotations

from coopy import Replica, System, init_system


class Game:
    turn = 0

    def __init__(self) -> None:
        self.sub: Game | None = None


primary = init_system(Game(), master=True)
replica = init_system(Game, replication=True)
for each in (primary, replica):
    print(each.turn)
primary.close()  # P: attr-defined
replica.close()  # P: attr-defined
primary.turn = 3  # E: coopy-set


def chosen(flag: bool) -> None:
    one = init_system(Game())
    two = init_system(Game, replication=True)
    x = one if flag else two
    print(x.turn)
    one.close()  # P: attr-defined
    two.close()  # P: attr-defined
    one.turn = 3  # E: coopy-set


def or_plain(flag: bool) -> None:
    one = init_system(Game())
    plain = Game()
    x = one if flag else plain
    print(x)
    one.close()  # O: attr-defined
    one.turn = 3  # O: coopy-set


def plain_loop() -> None:
    one = init_system(Game())
    for z in (one, Game()):
        print(z)
    one.close()  # O: attr-defined
    one.turn = 3  # O: coopy-set


def params(one: System[Game], two: Replica[Game]) -> None:
    both = [one, two]
    print(both)
    one.close()  # P: attr-defined
    two.close()  # P: attr-defined
    with one as o, two as t:  # P: attr-defined
        print(o, t)
    one.turn = 3  # E: coopy-set


def fallback(one: System[Game], given: System[Game] | None) -> None:
    u = one.sub or one
    print(u)
    one.close()  # P: attr-defined
    one.turn = 3  # E: coopy-set
    game = given if given is not None else Game()
    print(game.turn)
    if given is not None:
        given.close()  # O: attr-defined


class App:
    def __init__(self) -> None:
        self.primary = init_system(Game())
        self.replica = init_system(Game, replication=True)

    def stop(self) -> None:
        for s in (self.primary, self.replica):
            print(s.turn)
        self.primary.close()  # P: attr-defined
        self.replica.close()  # P: attr-defined
        self.primary.turn = 3  # E: coopy-set
