from __future__ import annotations

import bisect
import contextlib
import copy
import csv
import dataclasses
import functools
import heapq
import io
import json
import itertools
from collections import ChainMap, Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypedDict

from coopy import readonly, unlocked


class Point(NamedTuple):
    x: int
    y: int


class Row(TypedDict):
    name: str
    values: list[int]


@dataclass
class Cell:
    point: Point
    value: int = 0
    links: list[Cell] = field(default_factory=list)

    def shown(self) -> str:
        return str(self.value)

    def copy(self) -> Cell:
        return Cell(self.point, self.value, list(self.links))


class Builder:
    def __init__(self) -> None:
        self.parts: list[str] = []
        self.state: dict[str, Any] = {}

    def add(self, part: str) -> Builder:
        self.parts.append(part)
        return self

    def build(self) -> str:
        return "".join(self.parts)


class Sheet:
    width = 3

    def __init__(self) -> None:
        self.cells: dict[Point, Cell] = {}
        self.rows: list[Row] = []
        self.order: list[int] = []
        self.title = ""
        self.blob = bytearray()

    def put(self, x: int, y: int, value: int) -> None:
        self.cells[Point(x, y)] = Cell(Point(x, y), value)

    def merge(self, other: Sheet) -> None:
        self.cells.update(other.cells)

    def clear(self) -> None:
        self.cells.clear()

    @property
    def total(self) -> int:
        return sum(c.value for c in self.cells.values())

    def _helper(self, found: list[str]) -> list[str]:
        found.append("x")
        return found

    def _key(self, cell: Cell) -> int:
        return cell.value

    @staticmethod
    def parse(text: str) -> list[int]:
        result = []
        result.append(int(text))
        return result

    @classmethod
    def empty(cls) -> Sheet:
        sheet = cls()
        sheet.title = "empty"
        return sheet

    def __len__(self) -> int:
        return len(self.cells)

    def __contains__(self, point: object) -> bool:
        return point in self.cells

    def __iter__(self) -> Iterator[Cell]:
        return iter(self.cells.values())

    def __getitem__(self, point: Point) -> Cell:
        return self.cells[point]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sheet) and other.cells == self.cells

    @readonly
    def text(self) -> str:
        out = io.StringIO()
        writer = csv.writer(out)
        for cell in self.cells.values():
            writer.writerow([cell.value])
        builder = Builder()
        builder.add("x").add("y")
        builder.state["x"] = self.title
        builder.parts.append("z")
        return out.getvalue() + builder.build()

    @readonly
    def sorted_cells(self) -> list[Cell]:
        cells = list(self.cells.values())
        cells.sort(key=self._key)
        cells.reverse()
        cells.insert(0, cells.pop())
        return cells

    @readonly
    def what_if(self, value: int) -> int:
        copied = copy.deepcopy(self)
        copied.put(0, 0, value)
        copied.title = "what if"
        copied.cells.clear()
        return copied.total

    @readonly
    def merged(self, other: Sheet) -> Sheet:
        result = Sheet()
        result.merge(self)
        result.merge(other)
        other.title = "changed"
        other.put(1, 2, 3)
        other.cells.clear()
        return result

    @readonly
    def neighbours(self, point: Point) -> list[Cell]:
        found: list[Cell] = []
        for dx, dy in itertools.product((-1, 0, 1), repeat=2):
            with contextlib.suppress(KeyError):
                found.append(self.cells[Point(point.x + dx, point.y + dy)])
        return found

    @readonly
    def shortest(self, start: Point) -> dict[Point, int]:
        distances = {start: 0}
        heap = [(0, start)]
        while heap:
            d, point = heapq.heappop(heap)
            for cell in self.cells[point].links:
                if cell.point not in distances:
                    distances[cell.point] = d + 1
                    heapq.heappush(heap, (d + 1, cell.point))
        return distances

    @readonly
    def grouped(self) -> dict[int, list[Cell]]:
        groups: defaultdict[int, list[Cell]] = defaultdict(list)
        for cell in self.cells.values():
            groups[cell.value].append(cell)
            groups[0] += [cell]
        for group in groups.values():
            group.sort(key=lambda c: c.point)
        return dict(groups)

    @readonly
    def table(self) -> list[list[int]]:
        table = [[0] * self.width for _ in range(3)]
        for point, cell in self.cells.items():
            table[point.x][point.y] = cell.value
            table[0][0] += 1
        table[0].append(1)
        return table

    @readonly
    def window(self) -> deque[int]:
        window: deque[int] = deque(maxlen=self.width)
        for number in self.order:
            window.append(number)
        window.rotate(1)
        return window

    @readonly
    def counted(self) -> Counter[str]:
        counter = Counter(row["name"] for row in self.rows)
        counter.update(r["name"] for r in self.rows)
        counter.subtract({"x": 1})
        return counter

    @readonly
    def layers(self) -> ChainMap[str, int]:
        return ChainMap({"x": 1}, {row["name"]: 1 for row in self.rows})

    @readonly
    def row_copy(self, i: int) -> Row:
        row = self.rows[i].copy()
        row["name"] = "copy"
        return row

    @readonly
    def closure(self) -> Callable[[], int]:
        total = 0
        seen: set[int] = set()

        def add(number: int) -> int:
            nonlocal total
            total += number
            seen.add(number)
            return total

        for number in self.order:
            add(number)
        return lambda: total

    @readonly
    def generator(self) -> Iterator[int]:
        stack = list(self.order)
        while stack:
            yield stack.pop()

    @readonly
    def replaced(self, point: Point) -> Cell:
        cell = dataclasses.replace(self.cells[point])
        cell.value = 3
        cell = self.cells[point].copy()
        cell.value = 4
        cell.links.append(Cell(point))
        cell = copy.copy(self.cells[point])
        cell.value = 5
        return cell

    @readonly
    def helpers(self) -> list[str]:
        names = self._helper([])
        names.append("x")  # O: coopy-readonly
        return self._helper(names)

    @readonly
    def statics(self) -> int:
        numbers = self.parse("3")
        numbers.append(1)
        sheet = self.empty()
        sheet.title = "x"
        sheet.put(1, 2, 3)
        type(self).empty().clear()
        Sheet.empty().clear()
        return len(numbers) + len(self) + self.total + sum(c.value for c in self)

    @readonly
    def strings(self) -> str:
        title = self.title
        title += "x"
        title = title.replace("x", "y")
        width = self.width
        width += 1
        first, *rest = self.order
        rest.append(first)
        order = self.order[:]
        order.append(1)
        order = self.order + [1]
        order.sort()
        order = [*self.order]
        order.pop()
        del order[0]
        bisect.insort(order, 3)
        parts = title.split()
        parts.append("x")
        encoded = bytearray(title.encode())
        encoded.extend(b"x")
        blob = self.blob[:2]
        blob.append(1)
        return json.dumps({"a": order})

    @readonly
    def rebinding(self) -> list[int]:
        order = self.order
        order = sorted(order)
        order.append(1)
        cells = self.cells
        cells = {p: c for p, c in cells.items() if c.value}
        cells.pop(Point(0, 0), None)
        del cells[Point(1, 1)]
        for cell in self.cells.values():
            print(cell)
        for cell in [Cell(Point(0, 0))]:
            cell.value = 3
            cell.links.append(cell)
        return order

    @readonly
    def fill(self, target: list[int], into: dict[str, int], cell: Cell) -> None:
        target.extend(self.order)
        into["x"] = 1
        into.update(y=2)
        cell.value = 3
        cell.links.clear()

    @unlocked
    @readonly
    def cached(self) -> dict[str, int]:
        @functools.lru_cache
        def fib(n: int) -> int:
            return n if n < 2 else fib(n - 1) + fib(n - 2)

        result: dict[str, int] = {}
        result |= {"x": fib(3)}
        result.setdefault("y", fib(4))
        try:
            del result["z"]
        except KeyError as error:
            error.args = ("x",)
            error.add_note("z")
        return result

    @readonly
    def matched(self, thing: object) -> int:
        match thing:
            case Sheet(title=title) as sheet:
                sheet.title = title + "x"
                return len(title)
            case [first, *rest]:
                rest.append(first)
                return len(rest)
            case {"x": x, **others}:
                others["y"] = x
                return 1
        return 0

    @readonly
    def nested_class(self) -> object:
        class Local:
            def __init__(self, title: str) -> None:
                self.title = title
                self.items: list[str] = []

            def add(self, item: str) -> Local:
                self.title = item
                self.items.append(item)
                self.add("x")
                return self

        return Local(self.title).add("x")

    @readonly
    def union(self, extra: Iterable[int]) -> set[int]:
        found = set(self.order)
        found |= set(extra)
        found.update(extra)
        found ^= {1}
        return found

    @readonly
    def total_with(self, *sheets: Sheet) -> int:
        total = 0
        for sheet in sheets:
            sheet.clear()
            total += sheet.total
        for sheet in (self, *sheets):
            total += sheet.total
        return total
