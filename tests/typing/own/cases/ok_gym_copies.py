from __future__ import annotations

import array
import bisect
import copy
import dataclasses
import heapq
import random
from collections import ChainMap, OrderedDict, defaultdict, deque
from copy import deepcopy
from itertools import chain, groupby
from operator import attrgetter

from coopy import Replica, System, View, init_system, readonly


@dataclasses.dataclass
class Lift:
    name: str
    kilos: int
    sets: list[int] = dataclasses.field(default_factory=list)


class Gym:
    def __init__(self) -> None:
        self.lifts: dict[str, Lift] = {}
        self.order: list[str] = []
        self.days: dict[str, list[int]] = {}
        self.tags: set[str] = set()
        self.recent: deque[int] = deque()
        self.raw = bytearray(b"abc")
        self.numbers = array.array("i", [1, 2])

    def lift(self, lift: Lift) -> None:
        self.lifts[lift.name] = lift

    @readonly
    def get(self, name: str) -> Lift:
        return self.lifts[name]


def copies(gym: System[Gym], mirror: Replica[Gym], seen: View[Lift]) -> list[str]:
    order = list(mirror.order)
    order.sort()
    order = [*gym.order]
    order.insert(0, "x")
    order = gym.order[::-1]
    order.pop()
    order = gym.order + mirror.order
    order.extend("yz")
    order = sorted(gym.lifts, key=len)
    order[0] = "first"
    order = list(gym.lifts.keys())
    del order[0]
    order = list(map(str.upper, gym.order))
    order.clear()
    order = [name for name in gym.order if name]
    order += ["z"]
    order = list(chain(gym.order, mirror.order))
    random.shuffle(order)
    heapq.heapify(order)
    bisect.insort(order, "m")
    order *= 2
    order = list(reversed(gym.order))
    order.append("end")
    tags = gym.tags | mirror.tags
    tags.add("x")
    tags = gym.tags - {"y"}
    tags |= {"z"}
    tags = gym.tags.symmetric_difference(mirror.tags)
    tags.remove("q")
    tags = set(gym.tags)
    tags.update("ab")
    tags = gym.tags.copy()
    tags.pop()
    days = {day: list(kilos) for day, kilos in gym.days.items()}
    days["x"].append(3)
    days["y"] = []
    days = deepcopy(gym.days)
    days["x"].append(4)
    days = gym.days | {"own": [1]}
    days["z"] = [3]
    days = {**gym.days}
    days.pop("x")
    days = dict(gym.days, extra=[1])
    days.setdefault("own", [])
    days = dict(gym.days.items())
    days.clear()
    kilos = {name: lift.kilos for name, lift in gym.lifts.items()}
    kilos["x"] = 3
    kilos = dict(zip(gym.order, [1, 2]))
    kilos["y"] = 4
    counts: defaultdict[str, int] = defaultdict(int, kilos)
    counts["z"] += 1
    ordered = OrderedDict(gym.lifts)
    ordered.move_to_end("x")
    front = ChainMap[str, Lift]({}, ordered)
    front["new"] = Lift("new", 3)
    recent = deque(gym.recent, 3)
    recent.append(3)
    recent = gym.recent.copy()
    recent.rotate()
    recent = copy.copy(mirror.recent)
    recent.clear()
    raw = bytearray(gym.raw)
    raw[0] = 3
    raw = gym.raw[1:]
    raw.append(3)
    raw = gym.raw.replace(b"a", b"b")
    raw.extend(b"x")
    raw = gym.raw.upper()
    raw += b"y"
    lift = dataclasses.replace(seen, name="own")
    lift.name = "x"
    lift = copy.copy(gym.get("x"))
    lift.kilos = 3
    lift = deepcopy(seen)
    lift.sets.append(3)
    lift = Lift(seen.name, seen.kilos, list(seen.sets))
    lift.sets.append(4)
    gym.lift(lift)
    sets = tuple(seen.sets) + (3,)
    sets += (4,)
    grouped = {key: [one.name for one in group] for key, group in groupby(gym.lifts.values(), attrgetter("kilos"))}
    grouped[3] = ["x"]
    nested = [list(one.sets) for one in gym.lifts.values()]
    nested[0].append(3)
    pairs = list(enumerate(gym.order))
    pairs.append((3, "x"))
    names, *others = sorted(gym.tags)
    others.append(names)
    return order


gym = init_system(Gym(), "data")
copies(gym, gym, Lift("own", 3))
