"""The machine that runs function bodies on abstract values until nothing changes: cells, contexts, and the list of those that must run again.

A context is one function with one set of arguments on behalf of one mode. It runs when it is first called and again when a cell that it
has read grows. What it reports and whom it calls are those of its last run. Knows nothing of Python's meaning: the classes built on it do.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from coopy.validation.link.pool import Pool
from coopy.validation.link.values import EMPTY, TYPES, UNKNOWN, Bound, Box, Cell, Descriptor, Foreign, Pack, Partial, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from coopy.catalogue import Catalogue, Entry
    from coopy.validation import summary as s
    from coopy.validation.link.scopes import ClassInfo, FunctionInfo, ModuleInfo, Program
    from coopy.validation.link.values import FunctionValue, Place, Value, Values

MAX_CONTEXTS = 10  # of one function in one mode; further calls share one whose arguments are joined
RUNS = ((150_000, 20), (400_000, 6), (800_000, 2), (4_000_000, 1))  # while there were no more calls of all, so many runs of one context
VAST = 1000  # functions, from which on objects without a common base are told apart no longer
LARGE, HUGE = 600, 1500  # contexts, from which on calls are told apart less
MAX_VALUES = 24  # of one variable, before strings and tuples are no longer told apart
GUESSED = ".?"  # how the mark of a test begins: with a dot, as the names of what only counts where every way knows it
_FLAT = frozenset((Text, Pack, Bound, Descriptor))  # what is told apart no longer then
MAX_DEPTH = 60  # of calls that are run at once; deeper ones wait in the list


class Fact:
    """Something that replay may not repeat, seen in a context. `entry`: of the catalogue, if it names it. `certain`: no condition is in doubt."""

    __slots__ = ("also", "certain", "entry", "kind", "name", "place")

    def __init__(
        self, kind: str, place: Place, name: str, entry: Entry | None = None, also: Place | None = None, *, certain: bool = True
    ) -> None:
        self.kind, self.place, self.name, self.entry, self.also, self.certain = kind, place, name, entry, also, certain


class Context:
    """One function with one set of arguments in one mode, or one statement of a module or class body."""

    __slots__ = (
        "args", "at", "before", "calls", "changes", "cls", "disordered", "facts", "function", "hub", "info", "joined", "kinds", "mode", "module", "orders",
        "parent", "returned", "returns", "run", "running", "runs", "site", "variables", "waits", "yielded",
    )  # fmt: skip

    def __init__(self, module: ModuleInfo, mode: str, at: int, run: Callable[[Context], None]) -> None:
        self.module, self.mode, self.at, self.run = module, mode, at, run
        self.info: FunctionInfo | None = None
        self.function: FunctionValue | None = None
        self.parent: Context | None = None
        self.cls: ClassInfo | None = None
        self.site: Place | None = None
        self.before = 0
        self.args: dict[str, Values] = {}
        self.joined: dict[str, Cell] | None = None
        self.kinds: set[tuple[Any, ...]] = set()  # of arguments with which it is called, where many calls share it in a VAST program
        self.returned, self.yielded = Cell(), Cell()
        self.variables: dict[str, Cell] = {}
        self.facts: dict[tuple[Any, ...], Fact] = {}
        self.calls: dict[tuple[Context, int], int] = {}
        self.orders: dict[Box, bool] = {}
        self.waits: dict[Place, dict[Box, None]] = {}
        self.disordered: dict[Box, tuple[Context, Place]] = {}
        self.returns: dict[int, Values] = {}
        self.runs = 0
        self.running = self.changes = self.hub = False

    @property
    def qualname(self) -> str:
        """The name of its function, or of the class whose body it is of."""
        if self.info is not None:
            return self.info.qualname
        return self.cls.qualname if self.cls else ""

    def variable(self, name: str) -> Cell:
        """What a name may ever hold, for the functions that are defined in it."""
        found = self.variables.get(name)
        if found is None:
            found = self.variables[name] = Cell()
        return found


class Frame:
    """A run of a context: what its names hold at the statement at hand. `env` is None behind a return, raise, break or continue.

    `guessing`: a test has told what something is of which nothing was known; where that holds, the environment has a mark of the test.
    """

    __slots__ = (
        "binds", "breaks", "calm", "cls", "context", "continues", "direct", "env", "guessing", "lent", "loops", "mode", "module", "nests", "outer", "pending",
    )  # fmt: skip

    def __init__(self, context: Context) -> None:
        self.context, self.module, self.mode, self.cls = context, context.module, context.mode, context.cls
        info = context.info
        self.binds: frozenset[str] = info.binds if info else frozenset()
        self.outer: dict[str, str] = info.node.outer if info else {}
        self.nests = info.node.nests if info else False
        self.env: dict[str, Values] | None = {}
        self.breaks: list[dict[str, Values]] = []
        self.continues: list[dict[str, Values]] = []
        self.loops: list[Any] = []
        self.pending: dict[Box, Place] = {}
        self.lent: dict[Box, tuple[Context, Place]] = {}
        self.direct = self.guessing = False
        self.calm = 0

    def forget_attributes(self) -> None:
        """A call may have changed whatever was known of them."""
        env = self.env or {}
        for name in [name for name in env if "." in name and not name.startswith(GUESSED)]:
            del env[name]

    def guess(self, at: int) -> None:
        """From here on, as long as a test came out like this, something is taken to be what the test asks for."""
        if self.env is not None:
            self.guessing = True
            self.env[f"{GUESSED}{at}"] = EMPTY

    def guesses(self) -> int:
        """How many such tests there were on every way to here."""
        return sum(name.startswith(GUESSED) for name in self.env) if self.guessing and self.env is not None else 0


class Machine:
    """Cells, contexts and the work that is left. `unresolved` counts calls of which nothing is known, `resolved` all others."""

    def __init__(self, program: Program, catalogue: Catalogue) -> None:
        self.program, self.catalogue, self.pool = program, catalogue, Pool()
        self.current: Context | None = None
        self.depth = 0
        self.queue: deque[Context] = deque()
        self.queued: set[Context] = set()
        self.statements: dict[tuple[Any, ...], Context] = {}
        self.hubs: dict[tuple[Any, ...], Context] = {}
        self.poured: list[tuple[Box, Box]] = []
        self.wrapped: dict[ClassInfo, Place] = {}
        self.resolved: set[Place] = set()
        self.unresolved: set[Place] = set()
        self.vast = False
        self.steps = 0  # calls of whatever value at whatever place
        self.bounded = self.runs = self.made = 0
        self.growths = 0  # of cells: as long as it stays the same, so does all that was read
        self.touched: dict[ModuleInfo, None] = {}
        self.touched_classes: set[ClassInfo] = set()
        self.told: dict[tuple[Any, ...], int] = {}  # sets of arguments that a function is run for in a mode, at a place
        self.contexts: dict[FunctionInfo, dict[tuple[Any, ...], Context]] = {}

    # cells

    def read(self, cell: Cell) -> Values:
        """The values of a cell; the current context runs again when they grow."""
        if self.current is not None:
            cell.readers[self.current] = None
        return cell.values

    def write(self, cell: Cell, values: Values) -> None:
        """Add values to a cell."""
        if values is cell.values or values <= cell.values:
            return
        values |= cell.values
        if cell.wide or len(values) > MAX_VALUES:
            cell.wide = True
            values = self.widened(values)
            if values <= cell.values:
                return
        cell.values = values
        self.growths += 1
        self.wake(cell.readers)
        for one in cell.above:
            self.write(one, values)
        if self.poured:
            self.pour()

    def wake(self, readers: Iterable[Context]) -> None:
        """What they have read has grown: they wait to run again."""
        for one in readers:
            if one not in self.queued:
                self.queued.add(one)
                self.queue.append(one)

    def limited(self, values: Values) -> Values:
        """The same values, or what stands for them if they are many."""
        return values if len(values) <= MAX_VALUES else self.widened(values)

    def pour(self) -> None:
        """Containers that became one get the same cells (see `families.py`)."""
        raise NotImplementedError

    def widened(self, values: Values) -> Values:
        """So many values are no dispatch table: strings, tuples and harmless names outside the program become unknown."""
        out = {one for one in values if type(one) not in _FLAT and not (type(one) is Foreign and one.place is None)}
        if len(out) < len(values):
            out.add(UNKNOWN)
        partials = [one for one in out if type(one) is Partial]
        if len(partials) > 1:
            out = out.difference(partials) | {self.pool.partial_of(frozenset(partials))}
        return frozenset(out)

    # contexts

    def demand(self, context: Context) -> None:
        """See to it that a context has run at least once."""
        if context.runs or context.running:
            return
        if self.depth >= MAX_DEPTH:
            if context not in self.queued:
                self.queued.add(context)
                self.queue.append(context)
            return
        self.execute(context)

    def execute(self, context: Context) -> None:
        """One run."""
        self.runs += 1
        if context.runs >= next((runs for steps, runs in RUNS if self.steps < steps), 0):
            self.bounded += 1
            return
        before, self.current = self.current, context
        self.depth += 1
        context.running, context.runs = True, context.runs + 1
        context.facts, context.calls, context.waits, context.changes = {}, {}, {}, False
        context.run(context)
        context.running = False
        self.depth -= 1
        self.current = before

    def settle(self) -> None:
        """Run what waits until nothing does."""
        while self.queue:
            context = self.queue.popleft()
            self.queued.discard(context)
            self.execute(context)

    def called(self, caller: Frame, callee: Context, at: int) -> None:
        """Note that one context calls another, and behind how many guesses at least."""
        if callee.mode != TYPES or caller.mode == TYPES:
            calls, guesses = caller.context.calls, caller.guesses()
            calls[callee, at] = min(guesses, calls.get((callee, at), guesses))

    def fact(self, frame: Frame, fact: Fact) -> None:
        """Note what was seen in the context at hand."""
        key = (fact.kind, fact.place, fact.name)
        known = frame.context.facts.get(key)
        if known is None or (fact.certain and not known.certain):
            frame.context.facts[key] = fact

    # what the classes built on it provide

    def eval(self, frame: Frame, node: s.Expr) -> Values:
        """The values of an expression."""
        raise NotImplementedError

    def call(self, frame: Frame, at: int, callee: Value, args: Any) -> Values:
        """The result of a call."""
        raise NotImplementedError

    def run_statement(self, context: Context, statement: s.Stmt) -> None:
        """Run one statement of a module or class body."""
        raise NotImplementedError


def joined(*many: Values) -> Values:
    """The union of several sets, the common case first."""
    out = EMPTY
    for one in many:
        out = one if not out else out | one
    return out
