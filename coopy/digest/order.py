"""The order of what only sets lead to: objects that nothing numbers, because a set has no order.

They are told apart by what they are, by what they refer to and by what refers to them. A number that several share is that of the first of
them; the objects that share one are a cell.

    1. A vertex's cell is found by its record, in which references to vertices are all alike: cells are in the order of the records' hashes.
    2. In rounds, each cell is divided by the signatures of its vertices, which say the numbers of what each refers to and is referred to by.
    3. When a round divides nothing, the cells are divided once by what lies around their vertices, as far as SURROUNDINGS; again rounds.
    4. When a round divides nothing, any vertex of the first cell that has several becomes a cell of its own, before the others; again rounds.

Where vertices of a cell are interchangeable, as they are but in large and most regular webs, it does not matter which of them step 4 takes.

Only vertices next to one that left its cell are looked at again, and of a cell's parts the largest counts as the one that stayed: so each
vertex is looked at a logarithmic number of times for each of its neighbours.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Vertex", "in_order"]

SURROUNDINGS = 100  # vertices around one that are looked at

_Part: TypeAlias = tuple[list[int], bool]  # vertices of a cell, and whether those of it that nobody asked about go with them


class Vertex:
    """An object without a number. `key`: the hash of its record but for references to other vertices. `refers`: those, in order.

    `referred`: which vertices refer to it, and by which of their references (0 for all of a set's). `sets`: numbers of the numbered sets that hold it.
    """

    __slots__ = ("index", "is_set", "key", "referred", "refers", "sets", "value")

    def __init__(self, value: Any, index: int) -> None:
        self.value, self.index = value, index
        self.is_set = False
        self.key = b""
        self.refers: list[int] = []
        self.referred: list[tuple[int, int]] = []
        self.sets: tuple[int, ...] = ()

    def refer_to(self, other: Vertex) -> None:
        """The next reference of this one."""
        other.referred.append((self.index, 0 if self.is_set else len(self.refers)))
        self.refers.append(other.index)


def in_order(vertices: list[Vertex], base: int) -> list[int]:
    """Their indexes in the order of their numbers, the first of which is `base`."""
    cells = _Cells(vertices, base)
    cells.divide(range(len(vertices)))
    cells.divide(cells.divide_by_surroundings())
    at = 0
    while at < len(vertices):
        if len(cells.members[cells.at[at]]) > 1:
            cells.divide(cells.near([cells.take_one(at)]))
        at += 1
    return [cells.members[cells.at[at]][0] for at in range(len(vertices))]


class _Cells:
    """The vertices by cells, in order. A cell's start is how many vertices stand before it.

    Who leaves a cell gives its place to the last one: nothing that is done to a vertex takes longer where there are many.
    """

    def __init__(self, vertices: list[Vertex], base: int) -> None:
        self.vertices, self.base = vertices, base
        self.members: list[list[int]] = []
        self.starts: list[int] = []
        self.cell_of, self.places = [0] * len(vertices), [0] * len(vertices)
        self.at: dict[int, int] = {}  # start -> cell
        self.beside = [{*vertex.refers, *[other for other, _ in vertex.referred]} for vertex in vertices]  # what is one reference away
        self.ranks: list[int] = []  # of all vertices, while nothing is divided
        groups = defaultdict(list)
        for vertex in vertices:
            groups[vertex.key].append(vertex.index)
        start = 0
        for key in sorted(groups):
            self._make(groups[key], start)
            start += len(groups[key])

    def _make(self, members: list[int], start: int) -> None:
        cell = len(self.members)
        self.members.append(members)
        self.starts.append(start)
        self.at[start] = cell
        for place, one in enumerate(members):
            self.cell_of[one], self.places[one] = cell, place

    def _leave(self, cell: int, one: int) -> None:
        last, place = self.members[cell].pop(), self.places[one]
        if last != one:
            self.members[cell][place] = last
            self.places[last] = place

    def take_one(self, start: int) -> int:
        """Any vertex of the cell that starts there, which gets a cell of its own before the others."""
        cell = self.at[start]
        one = self.members[cell].pop()
        self.starts[cell] = start + 1
        self.at[start + 1] = cell
        self._make([one], start)
        return one

    def near(self, changed: Iterable[int]) -> set[int]:
        """What refers to these, and what these refer to."""
        return set[int]().union(*[self.beside[one] for one in changed])

    def divide(self, doubtful: Iterable[int]) -> None:
        """Rounds until no cell is divided. All vertices that are not doubtful have the signature of their cell's others."""
        while doubtful:
            doubtful = self.divide_once(doubtful, self._signature)

    def divide_by_surroundings(self) -> set[int]:
        """The round that looks farther. Gives the vertices that are doubtful then."""
        self.ranks = [self.starts[cell] for cell in self.cell_of]
        return self.divide_once(range(len(self.vertices)), self._surroundings)

    def divide_once(self, doubtful: Iterable[int], sign: Callable[[int], Any]) -> set[int]:
        """One round. Gives the vertices that are doubtful then."""
        by_cell = defaultdict(list)
        for one in doubtful:
            if len(self.members[self.cell_of[one]]) > 1:
                by_cell[self.cell_of[one]].append(one)
        parts = [(cell, self._parts(cell, found, sign)) for cell, found in by_cell.items()]
        return self.near([one for cell, found in parts if len(found) > 1 for one in self._split(cell, found)])

    def _parts(self, cell: int, doubtful: list[int], sign: Callable[[int], Any]) -> list[_Part]:
        """The doubtful ones of a cell by signature, in order; with which of them the others of the cell go is marked."""
        groups = defaultdict(list)
        for one in doubtful:
            groups[sign(one)].append(one)
        others = None
        if len(doubtful) < len(self.members[cell]):
            known = set(doubtful)
            others = sign(next(one for one in self.members[cell] if one not in known))
            groups.setdefault(others, [])
        return [(groups[signature], signature == others) for signature in sorted(groups)]

    def _split(self, cell: int, parts: list[_Part]) -> list[int]:
        """Make cells of the parts. Gives the vertices that left: all but the largest part."""
        rest = len(self.members[cell]) - sum(len(found) for found, _ in parts)
        sizes = [len(found) + rest * with_others for found, with_others in parts]
        stays = sizes.index(max(sizes))
        start, left = self.starts[cell], list[int]()
        for number, (size, (found, with_others)) in enumerate(zip(sizes, parts, strict=True)):
            if number == stays:
                self.starts[cell] = start
                self.at[start] = cell
            else:
                members = [*found, *self._others(cell, parts)] if with_others and rest else found
                for one in members:
                    self._leave(cell, one)
                self._make(members, start)
                left += members
            start += size
        return left

    def _others(self, cell: int, parts: list[_Part]) -> list[int]:
        doubtful = {one for found, _ in parts for one in found}
        return [one for one in self.members[cell] if one not in doubtful]

    def _signature(self, one: int) -> Any:
        """What it refers to and what refers to it."""
        vertex, starts, cell_of = self.vertices[one], self.starts, self.cell_of
        refers = [starts[cell_of[other]] for other in vertex.refers]
        if vertex.is_set:
            refers.sort()
        referred = [(self.base + starts[cell_of[other]], which) for other, which in vertex.referred]
        referred += [(number, 0) for number in vertex.sets]
        return tuple(refers), tuple(sorted(referred))

    def _surroundings(self, one: int) -> Any:
        """The cells of the vertices that are one reference away, two, and so on: rounds cannot tell a ring of three from one of four."""
        layers, seen, layer, ranks = [], {one}, {one}, self.ranks
        while layer and len(seen) < SURROUNDINGS:
            layers.append(sorted([ranks[other] for other in layer]))
            layer = self.near(layer)
            layer -= seen
            seen |= layer
        return tuple(map(tuple, layers))
