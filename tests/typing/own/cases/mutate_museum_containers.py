from __future__ import annotations

from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from collections.abc import Mapping, MutableMapping, MutableSequence, MutableSet, Sequence

from coopy import init_system, readonly


class Names(list[str]):
    def first(self) -> str:
        return self[0]


class Museum:
    def __init__(self) -> None:
        self.rooms: OrderedDict[str, list[int]] = OrderedDict()
        self.visits: Counter[str] = Counter()
        self.queue: deque[tuple[str, int]] = deque(maxlen=3)
        self.index: dict[str, dict[int, set[str]]] = {}
        self.names = Names()
        self.grid: list[list[int]] = [[0] * 3 for _ in range(3)]
        self.blob = bytearray(b"x")
        self.read: Mapping[str, list[int]] = {}
        self.seq: Sequence[list[int]] = ()
        self.triple: tuple[list[str], dict[str, int], int] = ([], {}, 0)

    def visit(self, name: str) -> None:
        self.visits[name] += 1
        self.index.setdefault(name, {}).setdefault(3, set()).add(name)

    @readonly
    def room(self, name: str) -> list[int]:
        return self.rooms[name]

    @readonly
    def busy(self) -> list[tuple[str, int]]:
        return self.visits.most_common(3)


museum = init_system(Museum(), "data/museum")
museum.rooms.move_to_end("a")  # E: coopy-mutate
museum.rooms.popitem(last=False)  # E: coopy-mutate
museum.visits["a"] += 1  # E: coopy-mutate
museum.visits.subtract({"a": 1})  # E: coopy-mutate
museum.queue.rotate(1)  # E: coopy-mutate
museum.queue.extendleft([("a", 1)])  # E: coopy-mutate
museum.index["a"][3].add("b")  # E: coopy-mutate
museum.index["a"][4] = {"b"}  # E: coopy-mutate
del museum.index["a"][4]  # E: coopy-mutate
museum.names.append("x")  # E: coopy-mutate
museum.names.reverse()  # E: coopy-mutate
museum.names[0], museum.grid[0][1] = "a", 3  # E: coopy-mutate
museum.grid[1][2] = 5  # E: coopy-mutate
museum.grid[0] += [3]  # E: coopy-mutate
museum.blob += b"y"  # E: coopy-set | coopy-mutate
museum.blob.reverse()  # E: coopy-mutate
museum.read["a"].append(3)  # E: coopy-mutate
museum.seq[0].append(3)  # E: coopy-mutate
museum.triple[0].append("a")  # E: coopy-mutate
museum.triple[1]["a"] = museum.triple[2]  # E: coopy-mutate
museum.room("a").insert(0, 3)  # E: coopy-mutate
museum.room("a")[:] = []  # E: coopy-mutate

visits = museum.visits.copy()
visits["b"] += 3
visits.update(["c"])
both = museum.visits + Counter("ab")
both["z"] = 1
rows = [list(row) for row in museum.grid]
rows[0][0] = 3
flat = [cell for row in museum.grid for cell in row]
flat.sort()
total: defaultdict[str, int] = defaultdict(int)
for name, visited in museum.visits.items():
    total[name] += visited
    visited += 1
chain = ChainMap({"own": [1]}, {})
chain["other"] = [2]
upper = {name.upper(): len(numbers) for name, numbers in museum.rooms.items()}
upper.pop("A", None)
last = museum.queue[-1]
name, number = last
number += 1
first = museum.names.first()
first += "x"
names = museum.names[1:]
names.append("y")
names = museum.names * 2
names.append("z")
union = museum.index["a"][3] | {"x"}
union.add("y")
union |= {"z"}
missing = museum.index["a"][3].difference({"x"})
missing.clear()
held = set(museum.rooms) - {"a"}
held.discard("b")
print(museum.busy(), museum.blob[0], museum.read["a"][0], museum.seq[0].count(3), museum.grid[0][0])
reveal_type(museum.index["a"][3])  # R: set[str]
reveal_type(museum.triple[1])  # R: dict[str, int]


def fill(one: MutableMapping[str, int], two: MutableSequence[str], three: MutableSet[str]) -> None:
    one["x"] = 1
    two.append("x")
    three.add("x")


fill(dict(museum.visits), list(museum.names), set(museum.rooms))
