"""Expressions, targets and patterns of one file, lowered in the order of the text (see `extract.py`, whose lower half this is).

Knows LibCST's nodes and the cursor. A node that is not in the tables holds no name, and is a literal to everyone else.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import libcst as cst

from coopy.validation import summary as s
from coopy.validation.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ARITHMETIC = {
    "Add": "add", "Subtract": "sub", "Multiply": "mul", "Divide": "truediv", "FloorDivide": "floordiv", "Modulo": "mod", "Power": "pow",
    "MatrixMultiply": "matmul", "BitAnd": "and", "BitOr": "or", "BitXor": "xor", "LeftShift": "lshift", "RightShift": "rshift",
}  # fmt: skip
_REST = {
    "And": "and", "Or": "or", "Not": "not", "Minus": "neg", "Plus": "pos", "BitInvert": "invert", "Equal": "eq", "NotEqual": "ne",
    "LessThan": "lt", "LessThanEqual": "le", "GreaterThan": "gt", "GreaterThanEqual": "ge", "In": "in", "NotIn": "notin", "Is": "is",
    "IsNot": "isnot",
}  # fmt: skip
OPERATORS: dict[type, str] = {getattr(cst, name): op for name, op in (_ARITHMETIC | _REST).items()} | {
    getattr(cst, f"{name}Assign"): op for name, op in _ARITHMETIC.items()
}
_BRACKETS = {"list": "[", "set": "{"}
_CONSTANTS = {"None": "NoneType", "True": "bool", "False": "bool"}
_RENDER = cst.Module([]).code_for_node


class Expressions:
    """Expressions. Every method lowers one kind of node; the table at the end says which."""

    def __init__(self, text: str) -> None:
        self.reader = Reader(text)
        self.annotating = False

    def bind(self, name: str) -> None:
        """A name is assigned in the scope at hand."""
        raise NotImplementedError

    def yields(self) -> None:
        """The scope at hand is a generator."""
        raise NotImplementedError

    def closure(self, node: cst.Lambda) -> s.Expr:
        """A lambda, whose scope the statements own."""
        raise NotImplementedError

    def expr(self, node: Any) -> s.Expr:
        """Any expression."""
        lower = _EXPRESSIONS.get(type(node))
        if lower is None:
            return s.Const(self.reader.at, "int", "")
        return lower(self, node)

    def name(self, node: cst.Name) -> s.Name:
        """A name that is no constant."""
        return s.Name(self.reader.leaf(node.value), node.value)

    def name_or_constant(self, node: cst.Name) -> s.Expr:
        value = node.value
        at = self.reader.leaf(value)
        kind = _CONSTANTS.get(value)
        return s.Name(at, value) if kind is None else s.Const(at, kind, value)

    def target(self, node: Any) -> s.Expr:
        """An expression that is assigned to: its names are bound."""
        kind = type(node)
        if kind is cst.Name:
            self.bind(node.value)
            return self.name(node)
        if kind in (cst.Tuple, cst.List):
            at = self.reader.peek()
            return s.Display(at, "tuple", [self.target(one) for one in node.elements])
        if kind is cst.Element:
            return self.target(node.value)
        if kind is cst.StarredElement:
            inner = self.target(node.value)
            return s.Star(inner.at, inner)
        return self.expr(node)

    def attribute(self, node: cst.Attribute) -> s.Expr:
        value = self.expr(node.value)
        attr = node.attr.value
        place = self.reader.leaf(attr)
        return s.Attribute(value.at if not isinstance(value, s.Const) else place, value, attr)

    def number(self, node: Any) -> s.Expr:
        return s.Const(self.reader.at, {"Integer": "int", "Float": "float"}.get(type(node).__name__, "complex"), node.value)

    def string(self, node: cst.SimpleString) -> s.Expr:
        value = node.value
        at = self.reader.leaf(value)
        if self.annotating:
            return self.forward(at, value)
        if value[0] in "\"'" and "\\" not in value:
            quotes = 3 if value[:3] in ('"""', "'''") and len(value) > 5 else 1  # noqa: PLR2004 - two times three quotes
            return s.Const(at, "str", value[quotes:-quotes])
        literal = _literal(value)
        return s.Const(at, "bytes", "") if isinstance(literal, bytes) else s.Const(at, "str", literal)

    def annotation(self, node: cst.Annotation) -> s.Expr:
        """A type: a string in it is parsed, its names stand where the string stands."""
        self.annotating = True
        value = self.expr(node.annotation)
        self.annotating = False
        return value

    def forward(self, at: int, value: str) -> s.Expr:
        """A type that is written as a string: parsed, and its names found where they stand in the string."""
        reader, text = self.reader, value.strip("\"'")
        reader.at, self.annotating = at + 1, False
        try:
            return self.expr(cst.parse_expression(text.strip()))
        except (cst.ParserSyntaxError, AssertionError):  # Literal["what is no type"]
            return s.Const(at, "str", text)
        finally:
            reader.at, self.annotating = at + len(value), True

    def strings(self, node: cst.ConcatenatedString) -> s.Expr:
        left, right = self.expr(node.left), self.expr(node.right)
        fields = [*getattr(left, "fields", []), *getattr(right, "fields", [])]
        text = getattr(left, "text", "") + getattr(right, "text", "")
        if fields or isinstance(left, s.Format) or isinstance(right, s.Format):
            return s.Format(left.at, text, fields)
        return s.Const(left.at, getattr(left, "kind", "str"), text)

    def formatted(self, node: cst.FormattedString) -> s.Expr:
        at = self.reader.leaf(node.start)
        texts, fields = self.parts(node.parts)
        self.reader.skip(len(node.end))
        return s.Format(at, "".join(texts), fields)

    def parts(self, parts: Sequence[Any]) -> tuple[list[str], list[tuple[s.Expr, str, str]]]:
        """Text and fields of an f-string, or of a format in one."""
        texts: list[str] = []
        fields: list[tuple[s.Expr, str, str]] = []
        for part in parts:
            if isinstance(part, (cst.FormattedStringText, cst.TemplatedStringText)):
                texts.append(part.value)
                self.reader.skip(len(part.value))
            else:
                self.field(part, fields)
                texts.append(s.FIELD)
        return texts, fields

    def field(self, node: Any, fields: list[tuple[s.Expr, str, str]]) -> None:
        reader, start = self.reader, self.reader.at
        reader.at = start + 1
        value = self.expr(node.expression)
        if not node.format_spec and reader.field_ends(start):
            fields.append((value, node.conversion or "", ""))
            return
        end, spec = start + len(_RENDER(node)), ""
        if node.format_spec:
            width = sum(len(_RENDER(part)) for part in node.format_spec)
            reader.at = end - 1 - width
            texts, inner = self.parts(node.format_spec)
            fields += inner
            spec = "".join(texts).replace(s.FIELD, "")
        fields.append((value, node.conversion or "", spec))
        reader.at = end

    def call(self, node: cst.Call) -> s.Expr:
        func = self.expr(node.func)
        args: list[s.Expr] = []
        keywords: list[tuple[str, s.Expr]] = []
        for arg in node.args:
            if arg.keyword is not None or arg.star == "**":
                keywords.append(self.keyword(arg))
            elif arg.star:
                value = self.expr(arg.value)
                args.append(s.Star(value.at, value))
            else:
                args.append(self.expr(arg.value))
        return s.Call(func.at, func, args, keywords)

    def keyword(self, node: cst.Arg) -> tuple[str, s.Expr]:
        """A keyword argument."""
        name = "" if node.keyword is None else self.name(node.keyword).name
        return name, self.expr(node.value)

    def subscript(self, node: cst.Subscript) -> s.Expr:
        value = self.expr(node.value)
        indexes = [self.index(one.slice) for one in node.slice]
        index = indexes[0] if len(indexes) == 1 else s.Display(value.at, "tuple", indexes)
        return s.Subscript(value.at, value, index)

    def index(self, node: Any) -> s.Expr:
        if isinstance(node, cst.Index):
            return self.expr(node.value)
        parts = [self.expr(one) for one in (node.lower, node.upper, node.step) if one is not None]
        return s.Slice(self.reader.at, parts)

    def elements(self, nodes: Sequence[Any]) -> list[s.Expr]:
        out: list[s.Expr] = []
        for node in nodes:
            value = self.expr(node.value)
            out.append(s.Star(value.at, value) if isinstance(node, cst.StarredElement) else value)
        return out

    def display(self, node: Any) -> s.Expr:
        kind = type(node).__name__.lower()
        at = self.reader.peek() if kind == "tuple" else self.reader.mark(_BRACKETS[kind])
        return s.Display(at, kind, self.elements(node.elements))

    def dictionary(self, node: cst.Dict) -> s.Expr:
        at = self.reader.mark("{")
        items: list[tuple[s.Expr | None, s.Expr]] = []
        for one in node.elements:
            key = self.expr(one.key) if isinstance(one, cst.DictElement) else None
            items.append((key, self.expr(one.value)))
        return s.DictDisplay(at, items)

    def binary(self, node: cst.BinaryOperation) -> s.Expr:
        spine, left = [], node.left
        while isinstance(left, cst.BinaryOperation):  # long sums lean to the left: no recursion there
            spine.append(left)
            left = left.left
        value = self.expr(left)
        for one in (*reversed(spine), node):
            value = s.Binary(value.at, OPERATORS[type(one.operator)], value, self.expr(one.right))
        return value

    def boolean(self, node: cst.BooleanOperation) -> s.Expr:
        op, spine = type(node.operator), [node]
        while isinstance(left := spine[-1].left, cst.BooleanOperation) and type(left.operator) is op:
            spine.append(left)
        values = [self.expr(spine[-1].left), *(self.expr(one.right) for one in reversed(spine))]
        return s.Boolean(values[0].at, OPERATORS[op], values)

    def unary(self, node: cst.UnaryOperation) -> s.Expr:
        value = self.expr(node.expression)
        return s.Unary(value.at, OPERATORS[type(node.operator)], value)

    def compare(self, node: cst.Comparison) -> s.Expr:
        left = self.expr(node.left)
        ops = [OPERATORS[type(one.operator)] for one in node.comparisons]
        return s.Compare(left.at, left, ops, [self.expr(one.comparator) for one in node.comparisons])

    def choice(self, node: cst.IfExp) -> s.Expr:
        body, test, orelse = self.expr(node.body), self.expr(node.test), self.expr(node.orelse)
        return s.Choice(body.at, test, body, orelse)

    def comprehension(self, node: Any) -> s.Expr:
        at = self.reader.peek()
        key = None
        if isinstance(node, cst.DictComp):
            key = self.expr(node.key)
            value = self.expr(node.value)
        else:
            value = self.expr(getattr(node, "elt", None) or node.value)
        loops, loop = [], node.for_in
        while loop is not None:
            target, iterated = self.loop_target(loop.target), self.expr(loop.iter)
            loops.append((target, iterated, [self.expr(one.test) for one in loop.ifs]))
            loop = loop.inner_for_in
        return s.Comprehension(at, _COMPREHENSIONS[type(node)], key, value, loops)

    def loop_target(self, node: Any) -> s.Expr:
        """Names of a comprehension belong to it alone: nothing is bound in the scope."""
        return self.expr(node)

    def walrus(self, node: cst.NamedExpr) -> s.Expr:
        target = self.target(node.target)
        return s.Walrus(target.at, target.name if isinstance(target, s.Name) else "", self.expr(node.value))

    def yielded(self, node: cst.Yield) -> s.Expr:
        at = self.reader.peek()
        self.yields()
        whole = isinstance(node.value, cst.From)
        value = node.value.item if isinstance(node.value, cst.From) else node.value
        return s.Yield(at, None if value is None else self.expr(value), whole)

    def awaited(self, node: cst.Await) -> s.Expr:
        value = self.expr(node.expression)
        return s.Await(value.at, value)

    def starred(self, node: cst.StarredElement) -> s.Expr:
        value = self.expr(node.value)
        return s.Star(value.at, value)

    # parameters, type parameters and patterns

    def parameters(self, node: cst.Parameters) -> list[s.Param]:
        """Parameters in the order of the text."""
        out = [self.parameter(one, "p") for one in node.posonly_params]
        out += [self.parameter(one, "a") for one in node.params]
        if isinstance(node.star_arg, cst.Param):
            out.append(self.parameter(node.star_arg, "v"))
        out += [self.parameter(one, "k") for one in node.kwonly_params]
        if node.star_kwarg is not None:
            out.append(self.parameter(node.star_kwarg, "w"))
        return out

    def parameter(self, node: cst.Param, kind: str) -> s.Param:
        self.name(node.name)
        annotation = None if node.annotation is None else self.annotation(node.annotation)
        return s.Param(node.name.value, kind, annotation, None if node.default is None else self.expr(node.default))

    def type_parameters(self, node: cst.TypeParameters | None) -> None:
        """Walked for the cursor; what they bound is of no interest to replay."""
        for one in () if node is None else node.params:
            self.name(one.param.name)
            if isinstance(one.param, cst.TypeVar) and one.param.bound is not None:
                self.expr(one.param.bound)
            if getattr(one, "default", None) is not None:
                self.expr(one.default)

    def pattern(self, node: Any) -> s.Pattern:
        """Any pattern; its names are bound."""
        lower = _PATTERNS.get(type(node))
        if lower is None:
            return s.Pattern("value", self.expr(node.value))
        return lower(self, node)

    def capture(self, node: cst.MatchAs | cst.MatchStar) -> s.Pattern:
        inner = getattr(node, "pattern", None)
        parts = [] if inner is None else [self.pattern(inner)]
        if node.name is None:
            self.reader.leaf("_")
            return s.Pattern("capture", None, "", parts)
        self.bind(node.name.value)
        self.name(node.name)
        return s.Pattern("star" if isinstance(node, cst.MatchStar) else "capture", None, node.name.value, parts)

    def either(self, node: cst.MatchOr) -> s.Pattern:
        return s.Pattern("or", parts=[self.pattern(one.pattern) for one in node.patterns])

    def sequence(self, node: Any) -> s.Pattern:
        parts = [self.pattern(one if isinstance(one, cst.MatchStar) else one.value) for one in node.patterns]
        return s.Pattern("sequence", parts=parts)

    def mapping(self, node: cst.MatchMapping) -> s.Pattern:
        parts = []
        for one in node.elements:
            self.expr(one.key)
            parts.append(self.pattern(one.pattern))
        if node.rest is None:
            return s.Pattern("mapping", parts=parts)
        self.bind(node.rest.value)
        self.name(node.rest)
        return s.Pattern("mapping", None, node.rest.value, parts)

    def class_pattern(self, node: cst.MatchClass) -> s.Pattern:
        value = self.expr(node.cls)
        parts = [self.pattern(one.value) for one in node.patterns]
        names = []
        for one in node.kwds:
            names.append(self.name(one.key).name)
            parts.append(self.pattern(one.pattern))
        return s.Pattern("class", value, "", parts, names)


def _literal(text: str) -> str | bytes:
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError):  # an escape that this Python does not know
        return text
    if isinstance(value, bytes):
        return value
    whole = isinstance(value, str) and not any(
        "\ud800" <= one <= "\udfff" for one in value
    )  # half a surrogate pair is no text that can be kept
    return str(value) if whole else text


_COMPREHENSIONS: dict[type, str] = {
    cst.ListComp: "list",
    cst.SetComp: "set",
    cst.DictComp: "dict",
    cst.GeneratorExp: "generator",
}
_EXPRESSIONS: dict[type, Callable[[Expressions, Any], s.Expr]] = {
    cst.Name: Expressions.name_or_constant,
    cst.Attribute: Expressions.attribute,
    cst.Call: Expressions.call,
    cst.Integer: Expressions.number,
    cst.Float: Expressions.number,
    cst.Imaginary: Expressions.number,
    cst.SimpleString: Expressions.string,
    cst.ConcatenatedString: Expressions.strings,
    cst.FormattedString: Expressions.formatted,
    cst.Subscript: Expressions.subscript,
    cst.Tuple: Expressions.display,
    cst.List: Expressions.display,
    cst.Set: Expressions.display,
    cst.Dict: Expressions.dictionary,
    cst.BinaryOperation: Expressions.binary,
    cst.BooleanOperation: Expressions.boolean,
    cst.UnaryOperation: Expressions.unary,
    cst.Comparison: Expressions.compare,
    cst.IfExp: Expressions.choice,
    cst.Lambda: lambda self, node: self.closure(node),
    cst.ListComp: Expressions.comprehension,
    cst.SetComp: Expressions.comprehension,
    cst.DictComp: Expressions.comprehension,
    cst.GeneratorExp: Expressions.comprehension,
    cst.NamedExpr: Expressions.walrus,
    cst.Yield: Expressions.yielded,
    cst.Await: Expressions.awaited,
    cst.StarredElement: Expressions.starred,
    cst.Element: lambda self, node: self.expr(node.value),
}
_PATTERNS: dict[type, Callable[[Expressions, Any], s.Pattern]] = {
    cst.MatchAs: Expressions.capture,
    cst.MatchStar: Expressions.capture,
    cst.MatchOr: Expressions.either,
    cst.MatchList: Expressions.sequence,
    cst.MatchTuple: Expressions.sequence,
    cst.MatchMapping: Expressions.mapping,
    cst.MatchClass: Expressions.class_pattern,
}
for _name in ("TemplatedString",):  # t-strings came to LibCST later than our oldest supported version
    if hasattr(cst, _name):
        _EXPRESSIONS[getattr(cst, _name)] = Expressions.formatted
