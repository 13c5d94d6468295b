"""One domain class -> what its entry points reach: the facts, each with the shortest way from an entry point to it.

ACTION entry points    public methods, setters, `__init__`, special methods that change, what `@was` and `@upgrade` mark: nothing may differ
RESTORE entry points   of other classes that actions make objects of: `__setstate__`, what `@upgrade` marks. They run when a snapshot is read
QUERY entry points     @readonly methods, getters, special methods that read: they may look at the clock, and must not change state
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from coopy.validation import summary as s
from coopy.validation.link.hazards import Args
from coopy.validation.link.interpret import Interpreter
from coopy.validation.link.machine import Context, Fact, Frame
from coopy.validation.link.reach import Reach
from coopy.validation.link.scopes import AT_END, ClassInfo
from coopy.validation.link.transfer import Transfer
from coopy.validation.link.values import (
    ACTION,
    ANYTHING,
    QUERY,
    TYPES,
    Box,
    ClassValue,
    Descriptor,
    Foreign,
    FunctionValue,
    Method,
    Object,
    Partial,
)
from coopy.validation.verdict import Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from coopy.catalogue import Catalogue
    from coopy.validation.link.scopes import Program
    from coopy.validation.link.values import Place, Value, Values

_READING = frozenset(f"__{one}__" for one in (
    *("len", "contains", "getitem", "iter", "reversed", "bool", "eq", "ne", "lt", "le", "gt", "ge", "hash", "str", "repr", "format", "bytes"),
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "divmod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift"),
    *("radd", "rsub", "rmul", "rtruediv", "rfloordiv", "rmod", "rdivmod", "rpow", "rmatmul", "rand", "ror", "rxor", "rlshift", "rrshift"),
    *("neg", "pos", "invert", "abs", "int", "float", "complex", "index", "round", "trunc", "floor", "ceil"),
    *("dir", "sizeof", "getattr", "getattribute", "missing", "length_hint", "next", "aiter", "anext"),
))  # fmt: skip
_SKIPPED = frozenset((
    "__init__", "__new__", "__slots__", "__doc__", "__module__", "__qualname__", "__init_subclass__", "__class_getitem__", "__subclasshook__",
    "__annotations__", "__match_args__", "__del__", "__post_init__", "__set_name__", "__dict__", "__weakref__",
))  # fmt: skip
_READONLY = frozenset(("coopy.readonly", "coopy.decorators.readonly"))
_UPGRADE = frozenset(("coopy.upgrade", "coopy.decorators.upgrade"))
_AT_RESTORE = _UPGRADE | {"coopy.was", "coopy.decorators.was"}  # what private methods run in every restore


class Reached(msgspec.Struct, frozen=True):
    """A fact and how it is reached. `also`: another place whose line speaks for it, where a stored function is called.

    `doubtful`: the way may be one that no call takes (see `reach.py`), so it is not certain either.
    `own`: whenever this runs, it runs in a method of a domain object that has its `_clock` and `_random`.
    """

    kind: str
    path: str
    line: int
    column: int
    name: str
    certain: bool
    severity: str
    use: str
    note: str
    domain: str
    entry_point: str
    steps: tuple[Step, ...]
    also: tuple[str, int] | None
    own: bool = False
    doubtful: bool = False


class Statistics(msgspec.Struct, frozen=True):
    """How much of the program was seen from one domain."""

    contexts: int
    resolved: int
    unresolved: int
    bounded: int


class Entry:
    """An entry point. `owner`: the class whose member it is; `restoring`: whether it runs when a state is read."""

    __slots__ = ("context", "mode", "name", "owner", "restoring", "value")

    def __init__(self, owner: ClassInfo, name: str, value: Value, mode: str, context: Context, *, restoring: bool = False) -> None:
        self.owner, self.name, self.value, self.mode, self.context, self.restoring = owner, name, value, mode, context, restoring


class Analysis(Interpreter):
    """The analysis of one domain class. `made_with`: the arguments with which the program makes it, as a discovery has seen them."""

    def __init__(self, program: Program, catalogue: Catalogue, domain: ClassInfo, made_with: Sequence[Args] = ()) -> None:
        super().__init__(program, catalogue)
        self.domain = self.given_to = domain
        self.made_with = made_with
        self.entries: list[Entry] = []
        self.nested = False  # the program makes objects of the domain class itself, and nobody gives those a clock
        self.twin = self._twin_of(domain)

    def run(self) -> list[Reached]:
        """Run everything from every entry point until nothing changes, and collect the facts."""
        self._construct()
        for name, value, mode in list(self._members()):
            self._enter(self.domain, name, value, mode)
        self.settle()
        self._restore()
        self.judge_kept(self.domain)
        self.judge_loops()
        self.judge_construction(self.entries[0].context)
        self.judge_restores([one.context for one in self.entries if one.restoring])
        for one in self.entries:
            if one.mode == ACTION:
                self._judge_shape(one)
        return list(self._facts())

    def statistics(self) -> Statistics:
        """What was seen."""
        contexts = sum(len(one) for one in self.contexts.values())
        return Statistics(contexts, len(self.resolved), len(self.unresolved - self.resolved), self.bounded)

    # entry points

    def _construct(self) -> None:
        cls = self.domain
        context = Context(cls.module, ACTION, cls.node.at, lambda one: self._run_entry(one, self.pool.cls(cls)))
        context.cls = cls
        self.entries.append(Entry(cls, "__init__", self.pool.cls(cls), ACTION, context))
        self.execute(context)

    def _members(self) -> Iterator[tuple[str, Value, str]]:
        """Public members of the domain class, inherited ones too, and on whose behalf each runs."""
        self.order(self.domain)
        names = dict.fromkeys(name for one in self.domain.own() for name in one.scope.bindings)
        for name in names:
            special = name.startswith("__") and name.endswith("__")
            if name in _SKIPPED or (name.startswith("_") and not special and not self._is_marked(self.domain, name, _AT_RESTORE)):
                continue
            query = name in _READING or self._is_marked(self.domain, name, _READONLY)
            yield from self._callables(self.domain, name, QUERY if query else ACTION)

    def _restore(self) -> None:
        """What a restore calls of all classes that actions make objects of; it may make some of others."""
        known = {self.domain}
        while new := [cls for cls in self.pool.classes(ACTION) if cls not in known]:
            known.update(new)
            for cls in new:
                self.order(cls)
                names = dict.fromkeys(name for one in cls.own() for name in one.scope.bindings if self._is_restoring(cls, name))
                for one, value, mode in [found for name in names for found in self._callables(cls, name, ACTION)]:
                    self._enter(cls, one, value, mode)
            self.settle()

    def _is_restoring(self, cls: ClassInfo, name: str) -> bool:
        """Whether reading a state calls this member. Of decorators, only those that say `from_=` are looked at."""
        if name == "__setstate__":
            return True
        decorators = (
            one
            for owner in cls.own()
            for binding in owner.scope.bindings.get(name, ())
            for one in getattr(binding.statement, "decorators", ())
        )
        steps = any(isinstance(one, s.Call) and any(keyword == "from_" for keyword, _ in one.keywords) for one in decorators)
        return steps and self._is_marked(cls, name, _UPGRADE)

    def _callables(self, cls: ClassInfo, name: str, mode: str) -> Iterator[tuple[str, Value, str]]:
        """A member of a class as it is called on an object."""
        frame = self.scratch(cls.module, cls, cls.parent, AT_END)
        for value in self.member_values(frame, cls, name, cls.node.at):
            yield from self._callable(cls, name, value, mode)

    def _callable(self, cls: ClassInfo, name: str, value: Value, mode: str) -> Iterator[tuple[str, Value, str]]:
        own = self.pool.object(cls, ACTION)
        if isinstance(value, FunctionValue):
            yield name, self.pool.method(value, own), mode
        elif isinstance(value, (Foreign, Partial, Method)):
            yield name, value, mode
        elif isinstance(value, Object):
            yield from self._of_descriptor(cls, name, value, mode)
        elif isinstance(value, Descriptor) and value.kind == "property":
            for index, part in enumerate(value.parts[:2]):  # a deleter is followed where the program deletes
                for one in part:
                    yield name, self.pool.method(one, own), ACTION if index else QUERY
        elif isinstance(value, Descriptor) and value.kind == "partial":
            for one in self._of_partial_method(value, own):
                yield name, one, mode
        elif isinstance(value, Descriptor):
            for one in value.parts[0]:
                yield name, one if value.kind == "static" else self.pool.method(one, self.pool.cls(cls)), mode

    def _of_descriptor(self, cls: ClassInfo, name: str, value: Object, mode: str) -> Iterator[tuple[str, Value, str]]:
        """An object in the class body: it may be called as a method, or answer for an attribute."""
        own = self.pool.object(cls, ACTION)
        if self.has_special(value, "__get__"):
            frame = self.scratch(cls.module, cls, cls.parent, AT_END)
            given = self.call_special(frame, 0, value, "__get__", Args([frozenset((own,)), frozenset((self.pool.cls(cls),))]))
            called = any(isinstance(one, (FunctionValue, Method, Partial)) or self.has_special(one, "__call__") for one in given)
            yield name, value, mode if called else QUERY
        elif self.has_special(value, "__call__"):
            yield name, value, mode
        if self.has_special(value, "__set__"):
            for one in self._special_member(self.scratch(self.domain.module, None, None, AT_END), 0, value, "__set__"):
                yield name, self.pool.partial(frozenset((one,)), (frozenset((own,)), ANYTHING), ()), ACTION

    def marked(self, mark: str) -> bool:
        """Whether any method of the domain has a decorator of this name."""
        functions = (one.statement for cls in self.domain.own() for bindings in cls.scope.bindings.values() for one in bindings)
        return any(getattr(node, "name", "") == mark for one in functions for node in getattr(one, "decorators", ()))

    def _is_marked(self, cls: ClassInfo, name: str, marks: frozenset[str]) -> bool:
        found = self.member(cls, name)
        if not isinstance(found, tuple):
            return False
        owner, bindings = found
        frame = self.scratch(owner.module, owner, owner.parent, AT_END)
        decorators = [
            one.func if isinstance(one, s.Call) else one for binding in bindings for one in getattr(binding.statement, "decorators", ())
        ]
        return any(isinstance(one, Foreign) and one.name in marks for node in decorators for one in self.receiver(frame, node))

    def _enter(self, cls: ClassInfo, name: str, value: Value, mode: str) -> None:
        context = Context(cls.module, mode, cls.node.at, lambda one: self._run_entry(one, value))
        context.cls = cls
        self.entries.append(Entry(cls, name, value, mode, context, restoring=self._is_restoring(cls, name)))
        self.execute(context)

    def _run_entry(self, context: Context, value: Value) -> None:
        frame = Frame(context)
        if isinstance(value, Object) and self.has_special(value, "__get__"):
            owner = frozenset((self.pool.object(self.domain, ACTION),)), frozenset((self.pool.cls(self.domain),))
            for one in self.call_special(frame, context.at, value, "__get__", Args(owner)):
                if isinstance(one, (FunctionValue, Method, Partial)) or self.has_special(one, "__call__"):
                    self.call(frame, context.at, one, Args(open_=True))
            return
        if isinstance(value, ClassValue):
            for args in self.made_with:
                self.call(frame, context.at, value, Transfer(self, frame).args(args))
        self.write(context.returned, self.call(frame, context.at, value, Args(open_=True)))

    # the shape of public methods

    def _judge_shape(self, entry: Entry) -> None:
        """Generators and coroutines run after the action has ended."""
        for context, _ in entry.context.calls:
            info = context.info
            if info is None or entry.name == "__init__" or context.mode != ACTION:
                continue
            if info.node.is_generator:
                self._shape(context, "generator", info.node.at, info.qualname)
            elif info.node.is_async:
                self._shape(context, "async", info.node.at, info.qualname)
            for at, values in context.returns.items():
                if any(isinstance(one, Box) and one.kind == "generator" for one in values):
                    self._shape(context, "generator", at, info.qualname)

    def _shape(self, context: Context, kind: str, at: int, name: str) -> None:
        context.facts[kind, (context.module, at), name] = Fact(kind, (context.module, at), name)

    def construct(self, frame: Frame, at: int, cls: ClassInfo, args: Args) -> Values:
        """As every object; one of the domain class that is not the domain is of its twin: what it keeps is not yet state."""
        if cls is self.domain and frame.context is not self.entries[0].context:
            self.nested, cls = True, self.twin
        return super().construct(frame, at, cls, args)

    def _twin_of(self, domain: ClassInfo) -> ClassInfo:
        """A class that derives from the domain class and adds nothing."""
        node = domain.node
        twin = ClassInfo(domain.module, s.Class(node.at + 1, node.name, [], node.keywords, [], []), domain.parent)  # a place of its own
        twin.bases, twin.mro = [domain], [*self.order(domain)]
        twin.mro.insert(0, twin)
        twin.known, twin.real = domain.known, domain
        return twin

    # facts

    def _facts(self) -> Iterator[Reached]:
        seen: set[tuple[str, int, int, str]] = set()
        reaches = {mode: Reach((one.context for one in self.entries if one.mode == mode), vast=self.vast) for mode in (ACTION, QUERY)}
        ways = {mode: [one for one in reach.ways() if one[0].facts] for mode, reach in reaches.items()}
        shared = self._shared(context for several in ways.values() for context, _, _ in several)
        starts = {one.context: one for one in self.entries}
        for mode, reach in reaches.items():
            for context, start, steps in ways[mode]:
                for fact in context.facts.values():
                    if (fact.kind == "readonly-mutation") is not (mode == QUERY) or context.mode == TYPES:
                        continue
                    one = self._reached(fact, starts[start], steps, context, own=fact.place not in shared)
                    if context in reach.doubtful:
                        one = msgspec.structs.replace(one, certain=False, doubtful=True)
                    key = (one.path, one.line, one.column, one.kind)
                    if key not in seen:
                        seen.add(key)
                        yield one

    def _shared(self, seen_in: Iterable[Context]) -> set[Place]:
        """The places of facts that are not, or not always, in a method of a domain object with a clock; `seen_in`: the contexts that have any."""
        names = ("_clock", "_random", "__slots__")
        cells = [self.attribute_cell(self.domain, ACTION, name) for name in names]
        free = self.nested or any(one.values for one in cells) or any(isinstance(self.member(self.domain, name), tuple) for name in names)
        early: set[Context] = set()  # what runs before a clock is there
        left = [self.entries[0].context]
        while left:
            if (context := left.pop()) not in early:
                early.add(context)
                left += [callee for callee, _ in context.calls]
        return {
            one.place
            for context in (*early, *seen_in)
            if free or context in early or not self._is_own(context)
            for one in context.facts.values()
        }

    def _is_own(self, context: Context) -> bool:
        """Whether this is a method that runs on nothing but domain objects."""
        info = context.info
        params = info.node.params if info is not None and info.owner is self.domain and context.parent is None else []
        if not params or params[0].kind not in ("p", "a"):
            return False
        name = params[0].name
        values = context.args.get(name) if context.joined is None else (cell.values if (cell := context.joined.get(name)) else None)
        return bool(values) and all(isinstance(one, Object) and one.cls is self.domain for one in values or ())

    def _reached(self, fact: Fact, entry: Entry, steps: tuple[Step, ...], context: Context, *, own: bool) -> Reached:
        module, at = fact.place
        line, column = module.summary.place(at)
        also = None
        if fact.also is not None and fact.also != fact.place:
            also = (fact.also[0].path, fact.also[0].summary.place(fact.also[1])[0])
        known = fact.entry
        last = Step(module.path, line, context.qualname if context is not entry.context else f"{entry.owner.qualname}.{entry.name}")
        return Reached(
            fact.kind, module.path, line, column, fact.name, fact.certain, known.severity if known else "", known.use if known else "",
            known.note if known else "", self.domain.full, f"{entry.owner.full}.{entry.name}", (*steps, last), also, own,
        )  # fmt: skip
