"""One file -> its summary: LibCST parses, one walk over the fields of the nodes lowers. Independent of every other file; nothing is executed.

The walk visits names and strings in the order of the text, because the cursor (`reader.py`) follows it. A field that is not visited in
order would shift all later positions, so every node that holds a name is lowered here, annotations and type parameters too.
Knows neither the linker nor the rules. No metadata wrapper, no matchers, no visitors: they cost nine times this walk.
"""

from __future__ import annotations

import ast
import re
import threading
from contextlib import contextmanager
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import libcst as cst
import msgspec

from coopy.validation import summary as s
from coopy.validation.expressions import OPERATORS, Expressions
from coopy.validation.pragma import read_pragmas
from coopy.validation.text import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_WRAPS = re.compile(r"\binit_(?:persistent_)?system\b|\bcoopy\b.*\baio\b").search  # `open` of coopy.aio wraps, too


def extract(text: str) -> s.Module:
    """The summary of a file's text, whose lines end in newlines only. Raises UnreadableError for a text that is not Python."""
    try:
        with _unchecked():
            tree = cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        raise _unreadable(text, error) from None
    walk = _Statements(text)
    body = s.encode(s.Block(walk.block(tree.body)))
    return s.Module(_starts(text), read_pragmas(text), _WRAPS(text) is not None, msgspec.Raw(body), walk.derives())


@contextmanager
def _unchecked() -> Iterator[None]:
    """LibCST looks at each node that is made, a fifth of its time; what its own parser makes is sound. Other threads may make others."""
    check = getattr(cst.CSTNode, "__post_init__", None)
    if check is None or threading.active_count() > 1:
        yield
        return
    cst.CSTNode.__post_init__ = _sound  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        cst.CSTNode.__post_init__ = check  # type: ignore[method-assign]


def _sound(_node: cst.CSTNode) -> None:
    """Nothing to look at."""


def _unreadable(text: str, error: cst.ParserSyntaxError) -> UnreadableError:
    """What is wrong, in Python's words if it does not accept the text either: they are better, and its place is."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as own:
        if isinstance(own, SyntaxError):
            return UnreadableError(own.lineno or 1, own.offset or 1, f"a syntax error: {own.msg}")
    place = re.search(r"(\d+):(\d+)", error.message)
    line, column = (int(place[1]), int(place[2])) if place else (1, 1)
    return UnreadableError(line, column, error.message.strip())


def _starts(text: str) -> list[int]:
    """The offsets of the lines, and the end of the text; other characters at which `str.splitlines` splits are within a line."""
    *lines, last = text.split("\n")
    starts = [0, *accumulate(len(one) + 1 for one in lines)]
    return [*starts, len(text)] if last else starts


def _last_names(base: s.Expr) -> list[str]:
    """The classes that an expression names: `C`, `module.C`, `C[int]`, `mixed(C, D)`."""
    if isinstance(base, (s.Name, s.Attribute)):
        return [base.name]
    if isinstance(base, s.Subscript):
        return _last_names(base.value)
    return [name for one in base.args for name in _last_names(one)] if isinstance(base, s.Call) else []


class _Scope:
    """The names of a function while it is walked."""

    __slots__ = ("binds", "generator", "nests", "outer")

    def __init__(self) -> None:
        self.binds: dict[str, None] = {}
        self.outer: dict[str, str] = {}
        self.generator = self.nests = False


class _Statements(Expressions):
    """Statements. Every method lowers one kind of node; the table at the end says which."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.scopes: list[_Scope] = [_Scope()]
        self.aliases: dict[str, str] = {}  # what names were imported as, or are assigned
        self.classes: list[tuple[str, list[str]]] = []  # each with the last names of its bases

    def derives(self) -> dict[str, list[str]]:
        """The classes by the last names of their bases, and by what an alias stands for."""
        out: dict[str, list[str]] = {}
        for name, bases in self.classes:
            for base in dict.fromkeys(word for one in bases for word in (one, self.aliases.get(one)) if word):
                out.setdefault(base, []).append(name)
        return out

    def bind(self, name: str) -> None:
        self.scopes[-1].binds[name] = None

    def yields(self) -> None:
        self.scopes[-1].generator = True

    def block(self, nodes: Iterable[Any]) -> list[s.Stmt]:
        """Statements of a body, in which one line may hold several."""
        out: list[s.Stmt] = []
        for node in nodes:
            if type(node) is cst.SimpleStatementLine:
                for small in node.body:
                    if lower := _SMALL.get(type(small)):
                        out.append(lower(self, small))
                    elif type(small) is not cst.Pass:
                        self.other(small, out)
            elif lower := _COMPOUND.get(type(node)):
                out.append(lower(self, node))
            else:
                self.other(node, out)
        return out

    def suite(self, body: Any) -> list[s.Stmt]:
        """The statements behind a colon, indented or on its line."""
        if type(body) is cst.IndentedBlock:
            return self.block(body.body)
        return self.block([cst.SimpleStatementLine(body.body)])

    def other(self, node: Any, out: list[s.Stmt]) -> None:
        """Statements that leave nothing of their own behind, or more than one."""
        if isinstance(node, (cst.Global, cst.Nonlocal)):
            word = "global" if isinstance(node, cst.Global) else "nonlocal"
            for item in node.names:
                self.name(item.name)
                self.scopes[-1].outer[item.name.value] = word
        elif isinstance(node, cst.Assert):
            out.append(s.Evaluate(self.reader.peek(), self.expr(node.test)))
            if node.msg is not None:
                out.append(s.Evaluate(self.reader.peek(), self.expr(node.msg)))
        elif isinstance(node, cst.TypeAlias):
            self.reader.leaf("type")
            target = self.target(node.name)
            self.type_parameters(node.type_parameters)
            out.append(s.Assign(target.at, [target], self.expr(node.value), None))

    # simple statements

    def evaluate(self, node: cst.Expr) -> s.Stmt:
        value = self.expr(node.value)
        return s.Evaluate(value.at, value)

    def assign(self, node: cst.Assign) -> s.Stmt:
        targets = [self.target(one.target) for one in node.targets]
        value = self.expr(node.value)
        if isinstance(value, (s.Name, s.Attribute)) and isinstance(targets[0], s.Name):
            self.aliases[targets[0].name] = value.name
        return s.Assign(targets[0].at, targets, value, None)

    def annotated(self, node: cst.AnnAssign) -> s.Stmt:
        target = self.target(node.target)
        annotation = self.annotation(node.annotation)
        return s.Assign(target.at, [target], None if node.value is None else self.expr(node.value), annotation)

    def augment(self, node: cst.AugAssign) -> s.Stmt:
        target = self.target(node.target)
        return s.Augment(target.at, target, OPERATORS[type(node.operator)], self.expr(node.value))

    def returned(self, node: cst.Return) -> s.Stmt:
        at = self.reader.peek()
        return s.Return(at, None if node.value is None else self.expr(node.value))

    def raised(self, node: cst.Raise) -> s.Stmt:
        at = self.reader.peek()
        values = [] if node.exc is None else [self.expr(node.exc)]
        if node.cause is not None:
            values.append(self.expr(node.cause.item))
        return s.Raise(at, values)

    def deleted(self, node: cst.Del) -> s.Stmt:
        target = self.target(node.target)
        return s.Delete(target.at, target.items if isinstance(target, s.Display) else [target])

    def jump(self, node: cst.Break | cst.Continue) -> s.Stmt:
        return s.Jump(self.reader.peek(), "break" if isinstance(node, cst.Break) else "continue")

    def imported(self, node: cst.Import) -> s.Stmt:
        at, names = self.reader.peek(), []
        for alias in node.names:
            dotted = self.dotted(alias.name)
            asname = self.name(alias.asname.name).name if alias.asname else ""  # type: ignore[arg-type]
            self.bind(asname or dotted.partition(".")[0])
            names.append((dotted, asname))
        return s.Import(at, names)

    def imported_from(self, node: cst.ImportFrom) -> s.Stmt:
        at = self.reader.peek()
        module = "" if node.module is None else self.dotted(node.module)
        names: list[tuple[str, str]] = [("*", "*")]
        if not isinstance(node.names, cst.ImportStar):
            names = [(self.dotted(one.name), self.name(one.asname.name).name if one.asname else "") for one in node.names]  # type: ignore[arg-type]
            names = [(name, asname or name) for name, asname in names]
            for name, bound in names:
                self.bind(bound)
                if name != bound:
                    self.aliases[bound] = name
        return s.ImportFrom(at, len(node.relative), module, names)

    def dotted(self, node: cst.BaseExpression) -> str:
        """A dotted name as text."""
        if isinstance(node, cst.Attribute):
            return f"{self.dotted(node.value)}.{self.name(node.attr).name}"
        return self.name(node).name  # type: ignore[arg-type]

    # compound statements

    def function(self, node: cst.FunctionDef) -> s.Stmt:
        decorators = [self.expr(one.decorator) for one in node.decorators]
        at = self.name(node.name).at
        self.bind(node.name.value)
        self.type_parameters(node.type_parameters)
        params = self.parameters(node.params)
        returns = None if node.returns is None else self.annotation(node.returns)
        scope = self.enter(params)
        body = s.encode(s.Block(self.suite(node.body)))
        self.scopes.pop()
        is_async = node.asynchronous is not None
        binds = [name for name in scope.binds if name not in scope.outer]
        return s.Function(
            at, node.name.value, params, returns, decorators, msgspec.Raw(body), is_async, scope.generator, binds, scope.outer,
            scope.nests,
        )  # fmt: skip

    def enter(self, params: Sequence[s.Param]) -> _Scope:
        self.scopes[-1].nests = True
        scope = _Scope()
        scope.binds = dict.fromkeys(one.name for one in params)
        self.scopes.append(scope)
        return scope

    def closure(self, node: cst.Lambda) -> s.Expr:
        at = self.reader.mark("lambda")
        params = self.parameters(node.params)
        scope = self.enter(params)
        value = self.expr(node.body)
        self.scopes.pop()
        body = msgspec.Raw(s.encode(s.Block([s.Return(value.at, value)])))
        function = s.Function(at, "<lambda>", params, None, [], body, False, scope.generator, list(scope.binds), {}, scope.nests)  # noqa: FBT003
        return s.Closure(at, function)

    def class_(self, node: cst.ClassDef) -> s.Stmt:
        decorators = [self.expr(one.decorator) for one in node.decorators]
        at = self.name(node.name).at
        self.bind(node.name.value)
        self.type_parameters(node.type_parameters)
        bases = [self.expr(one.value) for one in node.bases]
        self.classes.append((node.name.value, [name for one in bases for name in _last_names(one)]))
        keywords = [self.keyword(one) for one in node.keywords]
        self.scopes[-1].nests = True
        self.scopes.append(_Scope())
        body = self.suite(node.body)
        self.scopes.pop()
        return s.Class(at, node.name.value, bases, keywords, decorators, body)

    def if_(self, node: cst.If | cst.While) -> s.Stmt:
        test = self.expr(node.test)
        body = self.suite(node.body)
        orelse: list[s.Stmt] = []
        if isinstance(node.orelse, cst.If):
            orelse = [self.if_(node.orelse)]
        elif node.orelse is not None:
            orelse = self.suite(node.orelse.body)
        return s.If(test.at, test, body, orelse, isinstance(node, cst.While))

    def for_(self, node: cst.For) -> s.Stmt:
        target = self.target(node.target)
        iterated = self.expr(node.iter)
        body = self.suite(node.body)
        return s.For(target.at, target, iterated, body, [] if node.orelse is None else self.suite(node.orelse.body))

    def with_(self, node: cst.With) -> s.Stmt:
        at = self.reader.peek()
        items = [(self.expr(one.item), None if one.asname is None else self.target(one.asname.name)) for one in node.items]
        return s.With(at, items, self.suite(node.body))

    def try_(self, node: cst.Try | cst.TryStar) -> s.Stmt:
        at = self.reader.peek()
        body = self.suite(node.body)
        handlers = [self.handler(one) for one in node.handlers]
        orelse = [] if node.orelse is None else self.suite(node.orelse.body)
        return s.Try(at, body, handlers, orelse, [] if node.finalbody is None else self.suite(node.finalbody.body))

    def handler(self, node: cst.ExceptHandler | cst.ExceptStarHandler) -> tuple[s.Expr | None, str, list[s.Stmt]]:
        kind = None if node.type is None else self.expr(node.type)
        name = ""
        if node.name is not None:
            target = self.target(node.name.name)
            name = target.name if isinstance(target, s.Name) else ""
        return kind, name, self.suite(node.body)

    def match(self, node: cst.Match) -> s.Stmt:
        at = self.reader.leaf("match")
        subject = self.expr(node.subject)
        return s.Match(at, subject, [self.case(one) for one in node.cases])

    def case(self, node: cst.MatchCase) -> s.Case:
        self.reader.leaf("case")
        pattern = self.pattern(node.pattern)
        guard = None if node.guard is None else self.expr(node.guard)
        return s.Case(pattern, guard, self.suite(node.body))


_SMALL: dict[type, Callable[[_Statements, Any], s.Stmt]] = {
    cst.Expr: _Statements.evaluate,
    cst.Assign: _Statements.assign,
    cst.AnnAssign: _Statements.annotated,
    cst.AugAssign: _Statements.augment,
    cst.Return: _Statements.returned,
    cst.Raise: _Statements.raised,
    cst.Del: _Statements.deleted,
    cst.Break: _Statements.jump,
    cst.Continue: _Statements.jump,
    cst.Import: _Statements.imported,
    cst.ImportFrom: _Statements.imported_from,
}
_COMPOUND: dict[type, Callable[[_Statements, Any], s.Stmt]] = {
    cst.FunctionDef: _Statements.function,
    cst.ClassDef: _Statements.class_,
    cst.If: _Statements.if_,
    cst.While: _Statements.if_,
    cst.For: _Statements.for_,
    cst.With: _Statements.with_,
    cst.Try: _Statements.try_,
    cst.TryStar: _Statements.try_,
    cst.Match: _Statements.match,
}
