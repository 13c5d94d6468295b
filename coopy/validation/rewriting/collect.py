"""One walk over a file: calls by place, imports by scope, how often each name is used, and which import lines may go. Changes nothing."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import libcst as cst
import msgspec
from libcst.metadata import PositionProvider

from coopy.validation.rewriting.names import Scope
from coopy.validation.rewriting.table import Argument

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WORD = re.compile(r"\w+")


class Site(msgspec.Struct, frozen=True):
    """A call of a dotted name. `scope`: the definition it is evaluated in. `parameter`: the first of that function, "" if there is none."""

    node: cst.Call
    dotted: str
    scope: Scope
    parameter: str
    arguments: list[Argument]
    shown: bool  # as text too, by f"{...=}"


class Binding(msgspec.Struct, frozen=True):
    """A name that an import statement binds. `removable`: nothing else is on its line."""

    alias: cst.ImportAlias
    name: str
    scope: Scope
    removable: bool


class Collector(cst.CSTVisitor):
    """What the walk found."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.sites: dict[tuple[int, int], Site] = {}
        self.imports: dict[Scope, list[tuple[str, str]]] = {}
        self.bindings: list[Binding] = []
        self.uses: Counter[str] = Counter()
        self.words: set[str] = set()
        self._scope: Scope = ()
        self._parameters: list[str] = [""]
        self._shown = 0
        self._simple: set[cst.BaseStatement] = set()
        self._line: cst.SimpleStatementLine | None = None

    # scopes: decorators, defaults and annotations are evaluated outside of what they belong to

    def visit_Module(self, node: cst.Module) -> None:
        self._allow(node.body)

    def visit_FunctionDef_body(self, node: cst.FunctionDef) -> None:
        params = [*node.params.posonly_params, *node.params.params]
        self._enter("function", node, params[0].name.value if params else "")
        if isinstance(node.body, cst.IndentedBlock) and not all(is_import(one) for one in node.body.body):
            self._allow(node.body.body)

    def leave_FunctionDef_body(self, node: cst.FunctionDef) -> None:  # noqa: ARG002 - LibCST's signature
        self._leave()

    def visit_ClassDef_body(self, node: cst.ClassDef) -> None:
        self._enter("class", node, "")

    def leave_ClassDef_body(self, node: cst.ClassDef) -> None:  # noqa: ARG002 - the same
        self._leave()

    def _enter(self, kind: str, node: cst.FunctionDef | cst.ClassDef, parameter: str) -> None:
        line = self.get_metadata(PositionProvider, node).start.line
        self._scope = (*self._scope, (kind, node.name.value, line))
        self._parameters.append(parameter)

    def _leave(self) -> None:
        self._scope = self._scope[:-1]
        self._parameters.pop()

    def _allow(self, body: Iterable[cst.BaseStatement]) -> None:
        """Import lines that can go without changing what is around them."""
        for one in body:
            if isinstance(one, cst.SimpleStatementLine) and len(one.body) == 1 and not _commented(one):
                self._simple.add(one)

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> None:
        self._line = node

    # import statements bind names

    def visit_Import(self, node: cst.Import) -> bool:
        for one in node.names:
            dotted = dotted_name(one.name)
            name = _asname(one) or dotted.partition(".")[0]
            self._bind(one, name, dotted if one.asname else name)
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        module = "." * len(node.relative) + (dotted_name(node.module) if node.module else "")
        if isinstance(node.names, cst.ImportStar):
            self.imports.setdefault(self._scope, []).append(("*", module))
            return False
        for one in node.names:
            name = dotted_name(one.name)
            self._bind(one, _asname(one) or name, f"{module}.{name}")
        return False

    def _bind(self, alias: cst.ImportAlias, name: str, target: str) -> None:
        self.imports.setdefault(self._scope, []).append((name, target))
        comma = alias.comma
        commented = isinstance(comma, cst.Comma) and _has_comment(comma.whitespace_after)
        self.bindings.append(Binding(alias, name, self._scope, self._line in self._simple and not commented))

    # what is read

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        node.value.visit(self)
        return False

    def visit_Arg(self, node: cst.Arg) -> bool:
        node.value.visit(self)
        return False

    def visit_Name(self, node: cst.Name) -> None:
        self.uses[node.value] += 1

    def visit_Expr(self, node: cst.Expr) -> bool:
        return not isinstance(node.value, cst.SimpleString | cst.ConcatenatedString)

    def visit_SimpleString(self, node: cst.SimpleString) -> None:
        self.words.update(_WORD.findall(node.value))

    def visit_FormattedStringText(self, node: cst.FormattedStringText) -> None:
        self.words.update(_WORD.findall(node.value))

    def visit_FormattedStringExpression(self, node: cst.FormattedStringExpression) -> None:
        self._shown += node.equal is not None

    def leave_FormattedStringExpression(self, original_node: cst.FormattedStringExpression) -> None:
        self._shown -= original_node.equal is not None

    def visit_Call(self, node: cst.Call) -> None:
        dotted = dotted_name(node.func)
        if dotted:
            start = self.get_metadata(PositionProvider, node.func).start
            arguments = [
                Argument(one.star, one.keyword.value if one.keyword else "", isinstance(one.value, cst.Integer)) for one in node.args
            ]
            place = (start.line, start.column + 1)
            self.sites[place] = Site(node, dotted, self._scope, self._parameters[-1], arguments, shown=self._shown > 0)


def dotted_name(node: cst.CSTNode) -> str:
    """A dotted name that is written without spaces, comments or parentheses; "" for anything else."""
    if isinstance(node, cst.Name):
        return "" if node.lpar else node.value
    if isinstance(node, cst.Attribute) and not node.lpar:
        dot = node.dot
        plain = all(isinstance(one, cst.SimpleWhitespace) and not one.value for one in (dot.whitespace_before, dot.whitespace_after))
        value = dotted_name(node.value) if plain else ""
        return f"{value}.{node.attr.value}" if value else ""
    return ""


def is_import(one: cst.BaseStatement | cst.BaseSmallStatement) -> bool:
    """Whether a line holds imports only."""
    return isinstance(one, cst.SimpleStatementLine) and all(isinstance(part, cst.Import | cst.ImportFrom) for part in one.body)


def _asname(alias: cst.ImportAlias) -> str:
    return alias.asname.name.value if alias.asname and isinstance(alias.asname.name, cst.Name) else ""


def _commented(line: cst.SimpleStatementLine) -> bool:
    small = line.body[0]
    inner = [small.lpar.whitespace_after] if isinstance(small, cst.ImportFrom) and small.lpar else []
    comments: Sequence[cst.Comment | None] = [line.trailing_whitespace.comment, *(one.comment for one in line.leading_lines)]
    return any(comments) or any(_has_comment(one) for one in inner)


def _has_comment(space: cst.BaseParenthesizableWhitespace) -> bool:
    if not isinstance(space, cst.ParenthesizedWhitespace):
        return False
    return space.first_line.comment is not None or any(one.comment for one in space.empty_lines)
