from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial, reduce, singledispatch
from typing import Final, NamedTuple, TypeAlias

TOKEN: Final = re.compile(r"\s*(?:(?P<num>\d+(?:\.\d+)?)|(?P<ref>[A-Z]+\d+)|(?P<name>[a-z]+)|(?P<op>.))")


class Token(NamedTuple):
    kind: str
    text: str


@dataclass(frozen=True)
class Num:
    value: float


@dataclass(frozen=True)
class Ref:
    name: str


@dataclass(frozen=True)
class Call:
    name: str
    args: tuple[Node, ...]


Node: TypeAlias = Num | Ref | Call
FUNCTIONS: dict[str, Callable[..., float]] = {
    "sum": lambda *xs: sum(xs),
    "max": max,
    "min": min,
    "product": lambda *xs: reduce(operator.mul, xs, 1.0),
    "round": round,
    "twice": partial(operator.mul, 2),
}


def tokens(text: str) -> Iterator[Token]:
    for m in TOKEN.finditer(text):
        kind = m.lastgroup
        assert kind is not None
        yield Token(kind, m[kind])


class Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(tokens(text))
        self._at = 0

    def peek(self) -> str:
        return self._tokens[self._at].text if self._at < len(self._tokens) else ""

    def next(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def expression(self) -> Node:
        left = self.term()
        while self.peek() in {"+", "-"}:
            op = self.next().text
            left = Call(op, (left, self.term()))
        return left

    def term(self) -> Node:
        token = self.next()
        match token:
            case Token("num", text):
                return Num(float(text))
            case Token(kind="ref", text=text):
                return Ref(text)
            case Token("name", name):
                self.next()
                args = []
                while self.peek() not in ("", ")"):
                    if self.peek() == ",":
                        self.next()
                        continue
                    args.append(self.expression())
                self.next()
                return Call(name, tuple(args))
        raise SyntaxError(f"unexpected {token.text!r} in {[t.text for t in self._tokens]}")


@singledispatch
def refs(node) -> set[str]:
    return set()


@refs.register
def _(node: Ref) -> set[str]:
    return {node.name}


@refs.register
def _(node: Call) -> set[str]:
    return set().union(*(refs(a) for a in node.args))


class Sheet:
    def __init__(self):
        self.cells: dict[str, Node] = {}
        self.values: dict[str, float] = {}

    def set(self, name: str, text: str) -> float:
        self.cells[name] = Parser(text).expression()
        return self.recalculate()[name]

    def recalculate(self):
        self.values = {}
        for name in sorted(self.cells):
            self.values[name] = self._value(name, frozenset())
        return self.values

    def _value(self, name: str, seen: frozenset[str]) -> float:
        if name in seen:
            raise RecursionError(" -> ".join(sorted(seen)))
        return self._eval(self.cells.get(name, Num(0.0)), seen | {name})

    def _eval(self, node: Node, seen: frozenset[str]) -> float:
        match node:
            case Num(value):
                return value
            case Ref(name):
                return self._value(name, seen)
            case Call("+", (a, b)):
                return self._eval(a, seen) + self._eval(b, seen)
            case Call("-", (a, b)):
                return self._eval(a, seen) - self._eval(b, seen)
            case Call(name, args):
                return FUNCTIONS[name](*(self._eval(a, seen) for a in args))

    def dependents(self, name: str) -> list[str]:
        return sorted(other for other, node in self.cells.items() if name in refs(node))
