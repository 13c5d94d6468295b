"""What extraction knows of one file: plain frozen values, written to the cache as msgpack arrays and read by the linker.

    Module     a file: what is needed of every file at once, and its statements, still encoded
    Function   its body stays encoded until the linker reaches it
    at         an offset in the decoded text: of the bracket of a list, set or dictionary, of the word lambda, else of the first name or
               string of the construct; `lines` turns it into line and column

Statements and expressions are Python's, lowered: parentheses, comments and spelling are gone, names and order are not. Knows neither
LibCST nor the linker. FORMAT changes with every change of these classes, so that a cache of another shape is never read.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Union

import msgspec

FORMAT = 9
FIELD = "\0"  # no source has it


class Node(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Anything with a place in the text."""

    at: int


class Name(Node, frozen=True, array_like=True, gc=False, tag=1):
    """A name that is read."""

    name: str


class Const(Node, frozen=True, array_like=True, gc=False, tag=2):
    """A literal: `kind` is its type's name ("str", "int", "NoneType", "bool", ...), `text` the value of a string, else how it is written."""

    kind: str
    text: str


class Attribute(Node, frozen=True, array_like=True, gc=False, tag=3):
    """`value.name`."""

    value: Expr
    name: str


class Call(Node, frozen=True, array_like=True, gc=False, tag=4):
    """A call; a keyword without a name is `**`."""

    func: Expr
    args: list[Expr]
    keywords: list[tuple[str, Expr]]


class Subscript(Node, frozen=True, array_like=True, gc=False, tag=5):
    """`value[index]`."""

    value: Expr
    index: Expr


class Slice(Node, frozen=True, array_like=True, gc=False, tag=6):
    """`a:b:c`, what is written of it."""

    parts: list[Expr]


class Display(Node, frozen=True, array_like=True, gc=False, tag=7):
    """A list, tuple or set as written."""

    kind: str
    items: list[Expr]


class DictDisplay(Node, frozen=True, array_like=True, gc=False, tag=8):
    """A dictionary as written; a value without a key is `**`."""

    items: list[tuple[Expr | None, Expr]]


class Binary(Node, frozen=True, array_like=True, gc=False, tag=9):
    """An arithmetic operator; `op` is the name of its special method without underscores (add, or, sub, ...)."""

    op: str
    left: Expr
    right: Expr


class Boolean(Node, frozen=True, array_like=True, gc=False, tag=10):
    """`and`, `or`."""

    op: str
    values: list[Expr]


class Unary(Node, frozen=True, array_like=True, gc=False, tag=11):
    """`not`, or the special method of a sign."""

    op: str
    value: Expr


class Compare(Node, frozen=True, array_like=True, gc=False, tag=12):
    """A chain of comparisons; `ops` are eq, ne, lt, le, gt, ge, in, notin, is, isnot."""

    left: Expr
    ops: list[str]
    rights: list[Expr]


class Choice(Node, frozen=True, array_like=True, gc=False, tag=13):
    """`body if test else orelse`."""

    test: Expr
    body: Expr
    orelse: Expr


class Closure(Node, frozen=True, array_like=True, gc=False, tag=14):
    """A lambda."""

    function: Function


class Comprehension(Node, frozen=True, array_like=True, gc=False, tag=15):
    """`kind` is list, set, dict or generator; `key` is there for a dict."""

    kind: str
    key: Expr | None
    value: Expr
    loops: list[tuple[Expr, Expr, list[Expr]]]


class Walrus(Node, frozen=True, array_like=True, gc=False, tag=16):
    """`name := value`."""

    name: str
    value: Expr


class Yield(Node, frozen=True, array_like=True, gc=False, tag=17):
    """`yield value`; `whole` for `yield from`."""

    value: Expr | None
    whole: bool


class Await(Node, frozen=True, array_like=True, gc=False, tag=18):
    """`await value`."""

    value: Expr


class Format(Node, frozen=True, array_like=True, gc=False, tag=19):
    """An f-string: its literal text, with a FIELD in the place of each field, and the fields with conversion and literal format.

    A field in the format of another comes before it, and has no place in the text.
    """

    text: str
    fields: list[tuple[Expr, str, str]]


class Star(Node, frozen=True, array_like=True, gc=False, tag=20):
    """`*value` in a call, a display or a target."""

    value: Expr


Expr = Union[
    "Name", "Const", "Attribute", "Call", "Subscript", "Slice", "Display", "DictDisplay", "Binary", "Boolean", "Unary", "Compare", "Choice",
    "Closure", "Comprehension", "Walrus", "Yield", "Await", "Format", "Star",
]  # fmt: skip


class Param(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A parameter; `kind` is p (positional only), a (any), v (`*args`), k (keyword only) or w (`**kwargs`)."""

    name: str
    kind: str
    annotation: Expr | None
    default: Expr | None


class Function(Node, frozen=True, array_like=True, gc=False, tag=40):
    """A function; `body` is a Block, encoded.

    `binds` are its local names, those of `outer` it declares global or nonlocal. `nests`: functions or classes are defined in it, which may
    read its names later.
    """

    name: str
    params: list[Param]
    returns: Expr | None
    decorators: list[Expr]
    body: msgspec.Raw
    is_async: bool
    is_generator: bool
    binds: list[str]
    outer: dict[str, str]
    nests: bool


class Class(Node, frozen=True, array_like=True, gc=False, tag=41):
    """A class. `binds` are the names of its body."""

    name: str
    bases: list[Expr]
    keywords: list[tuple[str, Expr]]
    decorators: list[Expr]
    body: list[Stmt]


class Evaluate(Node, frozen=True, array_like=True, gc=False, tag=42):
    """An expression as a statement."""

    value: Expr


class Assign(Node, frozen=True, array_like=True, gc=False, tag=43):
    """`targets = value`; with an annotation, perhaps without a value."""

    targets: list[Expr]
    value: Expr | None
    annotation: Expr | None


class Augment(Node, frozen=True, array_like=True, gc=False, tag=44):
    """`target op= value`; `op` as in Binary."""

    target: Expr
    op: str
    value: Expr


class Return(Node, frozen=True, array_like=True, gc=False, tag=45):
    """`return value`."""

    value: Expr | None


class If(Node, frozen=True, array_like=True, gc=False, tag=46):
    """`if`, and `while` with `loop`."""

    test: Expr
    body: list[Stmt]
    orelse: list[Stmt]
    loop: bool


class For(Node, frozen=True, array_like=True, gc=False, tag=47):
    """`for target in iter`."""

    target: Expr
    iter: Expr
    body: list[Stmt]
    orelse: list[Stmt]


class With(Node, frozen=True, array_like=True, gc=False, tag=48):
    """`with` one or more managers."""

    items: list[tuple[Expr, Expr | None]]
    body: list[Stmt]


class Try(Node, frozen=True, array_like=True, gc=False, tag=49):
    """`try`; a handler is (type, name, body)."""

    body: list[Stmt]
    handlers: list[tuple[Expr | None, str, list[Stmt]]]
    orelse: list[Stmt]
    final: list[Stmt]


class Raise(Node, frozen=True, array_like=True, gc=False, tag=50):
    """`raise` with what is written behind it."""

    values: list[Expr]


class Delete(Node, frozen=True, array_like=True, gc=False, tag=51):
    """`del targets`."""

    targets: list[Expr]


class Import(Node, frozen=True, array_like=True, gc=False, tag=52):
    """`import names` as (dotted name, alias or "")."""

    names: list[tuple[str, str]]


class ImportFrom(Node, frozen=True, array_like=True, gc=False, tag=53):
    """`from module import names` as (name, name bound here); `*` is the name of all."""

    level: int
    module: str
    names: list[tuple[str, str]]


class Jump(Node, frozen=True, array_like=True, gc=False, tag=54):
    """`break`, `continue`."""

    word: str


class Case(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One `case`."""

    pattern: Pattern
    guard: Expr | None
    body: list[Stmt]


class Match(Node, frozen=True, array_like=True, gc=False, tag=55):
    """`match`."""

    subject: Expr
    cases: list[Case]


class Pattern(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A pattern: `kind` is value, capture, class, sequence, mapping, star or or; `names` are keywords of a class pattern."""

    kind: str
    value: Expr | None = None
    name: str = ""
    parts: list[Pattern] = []
    names: list[str] = []


Stmt = Union[
    "Function", "Class", "Evaluate", "Assign", "Augment", "Return", "If", "For", "With", "Try", "Raise", "Delete", "Import", "ImportFrom",
    "Jump", "Match",
]  # fmt: skip


class Pragma(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`# coopy: ignore[categories] reason` on a line."""

    line: int
    categories: list[str]
    reason: str


class Module(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One file. `body` is a Block, encoded; `wraps`: the text mentions init_system or coopy.aio.

    `derives`: the names of its classes that have a base, by the last name of that base.
    """

    lines: list[int]
    pragmas: list[Pragma]
    wraps: bool
    body: msgspec.Raw
    derives: dict[str, list[str]]

    def place(self, at: int) -> tuple[int, int]:
        """Line and column, both from 1, of an offset."""
        line = bisect_right(self.lines, at)
        return line, at - self.lines[line - 1] + 1


class Problem(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Why a file could not be analysed."""

    path: str
    line: int
    column: int
    message: str


class Block(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The statements of a body."""

    body: list[Stmt]


encode = msgspec.msgpack.Encoder().encode
decode_block = msgspec.msgpack.Decoder(Block).decode


def encode_result(result: Module | Problem) -> bytes:
    """A summary, or why there is none, for another process."""
    return (b"m" if isinstance(result, Module) else b"p") + encode(result)


def decode_result(data: bytes) -> Module | Problem:
    """What `encode_result` has encoded."""
    return decode_module(data[1:]) if data[:1] == b"m" else _decode_problem(data[1:])


_decode_problem = msgspec.msgpack.Decoder(Problem).decode
decode_module = msgspec.msgpack.Decoder(Module).decode
