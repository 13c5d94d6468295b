"""Expressions whose evaluation changes no state, whatever they raise; everything else is given up. See `untouched.py`.

What a value is known to be:

    ATOM      str, int, float, bool, None, bytes          FRESH   a container made here, or a view of one
    ELEMENT   anything                                    PAIRS   FRESH, of tuples of two
    SELF      the domain object                           .name   what an attribute of it holds: looked at when it counts (`need`)
    LAZY      an iterator made here (LAZY_PAIRS: of pairs), which may raise long after: it is used up where it is written, or given up
"""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

import msgspec

from coopy.kinds import INJECTED
from coopy.validation import summary as s

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from coopy.validation.link.scopes import FunctionInfo

ATOM, FRESH, ELEMENT, PAIRS, SELF, TOOL = "atom", "fresh", "element", "pairs", "self", "tool"
LAZY, LAZY_PAIRS = "lazy", "lazy pairs"
_READERS = frozenset((
    "get", "keys", "values", "items", "copy", "index", "count", "startswith", "endswith", "isdigit", "isalpha", "isalnum", "isspace", "strip", "lstrip",
    "rstrip", "lower", "upper", "title", "casefold", "split", "splitlines", "find", "rfind", "replace", "encode", "decode", "hex",
    "isdisjoint", "issubset", "issuperset",
))  # fmt: skip
_TO_ATOM = frozenset(
    ("strip", "lstrip", "rstrip", "lower", "upper", "title", "casefold", "startswith", "endswith", "replace", "encode", "isdigit")
)
_TOOLS = frozenset((
    "now", "utcnow", "today", "time", "time_ns", "monotonic", "random", "randint", "randrange", "uniform", "uuid4", "token_hex", "token_bytes",
))  # fmt: skip
_OF_VALUES = {  # built-in functions of values -> what they give
    "len": ATOM, "bool": ATOM, "isinstance": ATOM, "ord": ATOM, "chr": ATOM, "str": ELEMENT, "repr": ELEMENT, "int": ELEMENT, "float": ELEMENT, "abs": ELEMENT,
    "round": ELEMENT, "hash": ELEMENT, "divmod": ELEMENT, "type": ELEMENT, "range": FRESH, "format": ELEMENT, "issubclass": ATOM,
}  # fmt: skip
_OF_ITERABLES = {  # of one iterable
    "list": FRESH, "tuple": FRESH, "set": FRESH, "frozenset": FRESH, "sorted": FRESH, "reversed": LAZY, "enumerate": LAZY_PAIRS, "zip": LAZY_PAIRS,
    "sum": ELEMENT, "min": ELEMENT, "max": ELEMENT, "any": ATOM, "all": ATOM, "dict": FRESH,
}  # fmt: skip


class UncertainError(Exception):
    """No proof."""


class Pure:
    """Expressions of one function. `certain`: locals, and attributes as ".name", that were assigned on every way to here."""

    def __init__(self, info: FunctionInfo, way: str, operators: bool, named: set[str]) -> None:  # noqa: FBT001 - a fact of the program
        self.info, self.way, self.operators, self.named = info, way, operators, named
        self.env: dict[str, str] = {}
        self.certain: set[str] = set()
        self.loose: set[str] = set()
        self.builtins: set[tuple[str, str]] = set()
        self.errors: set[tuple[str, str]] = set()
        self.attributes: dict[str, str] = {}

    def is_self(self, node: s.Expr) -> bool:
        """Whether an expression is the domain object."""
        return isinstance(node, s.Name) and self.env.get(node.name) == SELF

    def need(self, kind: str, what: str) -> None:
        """What `.name` holds must be an exact built-in container or atom ("plain"), or an atom."""
        if kind[:1] != ".":
            raise UncertainError
        name = kind[1:]
        if self.attributes.get(name) == "absent":
            raise UncertainError
        if self.attributes.get(name) != "atom":
            self.attributes[name] = what

    def operate(self, *kinds: str) -> None:
        """An operator is applied: of other things than atoms it may be the program's own."""
        if not self.operators and any(one != ATOM for one in kinds):
            raise UncertainError

    def safe(self, node: s.Expr) -> str:
        """An expression that cannot raise."""
        if isinstance(node, s.Const):
            return ATOM
        if isinstance(node, s.Name) and node.name in self.certain:
            return self.env[node.name]
        if isinstance(node, s.Attribute) and self.is_self(node.value) and f".{node.name}" in self.certain:
            return f".{node.name}"
        if isinstance(node, s.Display) and node.kind in ("tuple", "list"):
            for one in node.items:
                self.safe(one)
            return FRESH
        raise UncertainError

    def kind(self, node: s.Expr) -> str:
        """Walk an expression; what it gives. Raises UncertainError where it might change something."""
        walk: Callable[[Pure, Any], str] | None = _KINDS.get(type(node))
        if walk is None:
            raise UncertainError
        return walk(self, node)

    def truth(self, node: s.Expr) -> None:
        """A test."""
        self.operate(self.kind(node))

    def _const(self, _node: s.Const) -> str:
        return ATOM

    def _name(self, node: s.Name) -> str:
        return self.env.get(node.name, ELEMENT)

    def _attribute(self, node: s.Attribute) -> str:
        receiver = self.kind(node.value)
        if receiver == SELF:
            if node.name in INJECTED:
                return TOOL
            if node.name in self.named or node.name.startswith("__"):
                raise UncertainError
            return f".{node.name}"
        if receiver == ATOM:
            return ELEMENT
        if receiver == TOOL or node.name in self.named or node.name.startswith("__"):
            raise UncertainError
        return ELEMENT

    def _subscript(self, node: s.Subscript) -> str:
        receiver, index = self.kind(node.value), self.kind(node.index)
        self.operate(index)
        if receiver[:1] == ".":
            self.need(receiver, "plain")
        elif receiver not in (ATOM, FRESH, PAIRS):
            raise UncertainError
        return FRESH if isinstance(node.index, s.Slice) else ELEMENT

    def _parts(self, node: Any) -> str:
        """Of a slice, a display of items or pairs."""
        for one in node.parts if isinstance(node, s.Slice) else node.items:
            for part in one if isinstance(one, tuple) else (one,):
                if part is None:
                    raise UncertainError
                if isinstance(part, s.Star):
                    self.iterable(self.kind(part.value))
                else:
                    self.operate(self.lasting(self.kind(part)))
        return FRESH

    def _operator(self, node: Any) -> str:
        """Arithmetic."""
        kinds = [self.kind(one) for one in ((node.left, node.right) if isinstance(node, s.Binary) else (node.value,))]
        self.operate(*kinds)
        return ATOM if all(one == ATOM for one in kinds) else ELEMENT

    def _boolean(self, node: s.Boolean) -> str:
        kinds = [self.lasting(self.kind(one)) for one in node.values]
        self.operate(*kinds)
        return ATOM if all(one == ATOM for one in kinds) else ELEMENT

    def _choice(self, node: s.Choice) -> str:
        self.truth(node.test)
        kinds = {self.lasting(self.kind(node.body)), self.lasting(self.kind(node.orelse))}
        return kinds.pop() if len(kinds) == 1 else ELEMENT

    def _compare(self, node: s.Compare) -> str:
        kinds = [self.kind(one) for one in (node.left, *node.rights)]
        for op, kind in zip(node.ops, kinds[1:], strict=True):
            if op in ("in", "notin"):
                self.iterable(kind)
        self.operate(*kinds)
        return ELEMENT

    def _format(self, node: s.Format) -> str:
        for value, _, _ in node.fields:
            self.operate(self.kind(value))
        return ATOM

    def _walrus(self, node: s.Walrus) -> str:
        kind = self.lasting(self.kind(node.value))
        self.env[node.name] = ELEMENT
        return kind if kind == ATOM else ELEMENT

    def _comprehension(self, node: s.Comprehension) -> str:
        before, certain = dict(self.env), set(self.certain)
        if any(self.bound_in([node.key, node.value, *(test for _, _, tests in node.loops for test in tests)])):
            raise UncertainError  # a name of the function is bound in it
        for target, iterated, tests in node.loops:
            self.iterated(iterated, target)
            for test in tests:
                self.truth(test)
        for one in (node.key, node.value):
            if one is not None:
                self.operate(self.kind(one))
        self.env, self.certain = before, certain
        return LAZY if node.kind == "generator" else FRESH

    # iteration

    def iterable(self, kind: str) -> None:
        """Going over a value: of an unknown one that may take something out of it."""
        if kind[:1] == ".":
            self.need(kind, "plain")
        elif kind not in (ATOM, FRESH, PAIRS, LAZY, LAZY_PAIRS):
            raise UncertainError

    def lasting(self, kind: str) -> str:
        """A value that is kept, passed on or returned: no iterator."""
        if kind in (LAZY, LAZY_PAIRS):
            raise UncertainError
        return kind

    def iterated(self, node: s.Expr, target: s.Expr) -> None:
        """`for target in node`."""
        kind = self.kind(node)
        self.iterable(kind)
        names = target.items if isinstance(target, s.Display) and kind in (PAIRS, LAZY_PAIRS) else [target]
        for one in names:
            if not isinstance(one, s.Name):
                raise UncertainError
            self.env[one.name] = ELEMENT
            self.certain.discard(one.name)

    # calls

    def _call(self, node: s.Call) -> str:
        if any(isinstance(one, s.Star) for one in node.args) or any(not name for name, _ in node.keywords):
            raise UncertainError
        if isinstance(node.func, s.Name):
            return self._call_name(node, node.func.name)
        if isinstance(node.func, s.Attribute):
            return self._call_method(node, node.func)
        raise UncertainError

    def _call_name(self, node: s.Call, name: str) -> str:
        scope = self.info.module.scope
        if name in self.env or name in self.info.binds or scope.stars:
            raise UncertainError
        bindings = scope.bindings.get(name)
        if bindings is None:
            return self._call_builtin(node, name)
        if len(bindings) == 1 and isinstance(statement := bindings[0].statement, s.Function):
            return self.global_function(node, name, statement)
        return self._make_error(node, name)

    def _make_error(self, node: s.Call, name: str) -> str:
        """A name of the module that must turn out to be an exception class."""
        if node.keywords:
            raise UncertainError
        for one in node.args:
            self.kind(one)
        if not self.way:
            raise UncertainError
        self.errors.add((self.way, name))
        return ELEMENT

    def raised(self, node: s.Expr) -> None:
        """What stands behind `raise`."""
        if isinstance(node, s.Name) and node.name not in self.env and node.name not in self.info.binds:
            node = s.Call(node.at, node, [], [])
        if isinstance(node, s.Const):
            return
        if not isinstance(node, s.Call):
            raise UncertainError
        self.kind(node)

    def _call_builtin(self, node: s.Call, name: str) -> str:
        kinds = [self.kind(one) for one in node.args]
        found = getattr(builtins, name, None)
        if node.keywords or found is None:
            raise UncertainError
        self.builtins.add((self.way, name))
        if isinstance(found, type) and issubclass(found, BaseException):
            return ELEMENT
        if name in _OF_VALUES or (name in ("min", "max") and len(kinds) > 1):
            self.operate(*kinds)
            kind = _OF_VALUES.get(name, ELEMENT)
            return ATOM if kind == ELEMENT and name not in ("type", "divmod") and all(one == ATOM for one in kinds) else kind
        if name not in _OF_ITERABLES:
            raise UncertainError
        for kind in kinds:
            self.iterable(kind)
            self.operate(kind)
        return _OF_ITERABLES[name]

    def _call_method(self, node: s.Call, function: s.Attribute) -> str:
        name = function.name
        tool = isinstance(function.value, s.Name) and self._is_tool(function.value.name)
        receiver = TOOL if tool else self.kind(function.value)
        if receiver == SELF:
            return self.own_method(node, name)
        kinds = [self.kind(one) if name == "join" else self.lasting(self.kind(one)) for one in node.args]
        if node.keywords or (receiver == TOOL and name not in _TOOLS):
            raise UncertainError
        self.operate(*kinds)
        if receiver == TOOL:
            return ELEMENT
        if receiver == ATOM and name in (*_READERS, "join"):
            for kind in kinds if name == "join" else ():
                self.iterable(kind)
            return ATOM if name in _TO_ATOM or name == "join" else FRESH
        if receiver == FRESH and name in ("append", "add", *_READERS):
            return ELEMENT
        if receiver[:1] == "." and name in _READERS:
            self.need(receiver, "plain")
            return PAIRS if name == "items" else FRESH if name in ("keys", "values") else ELEMENT
        raise UncertainError

    def _is_tool(self, name: str) -> bool:
        """Whether a name is coopy's clock or random numbers."""
        bindings = self.info.module.scope.bindings.get(name, [])
        return name not in self.env and len(bindings) == 1 and any(
            isinstance(one.statement, s.ImportFrom) and one.statement.module == "coopy" and (name, name) in one.statement.names for one in bindings
        ) and name in ("clock", "random")  # fmt: skip

    def own_method(self, node: s.Call, name: str) -> str:
        """A method of the domain is called inside of an expression."""
        raise NotImplementedError

    def global_function(self, node: s.Call, name: str, statement: s.Function) -> str:
        """A function of the same module is called."""
        raise NotImplementedError

    def bound_in(self, body: list[Any]) -> Iterator[str]:
        """Every name that statements may bind, at any depth."""
        stack: list[Any] = list(body)
        while stack:
            one = stack.pop()
            if isinstance(one, s.Assign):
                stack.extend(("bind", target) for target in one.targets)
            if isinstance(one, (s.For, s.Augment)):
                stack.append(("bind", one.target))
            if isinstance(one, s.Walrus):
                yield one.name
            if isinstance(one, tuple) and one[:1] == ("bind",):
                yield from _names(one[1])
            elif isinstance(one, msgspec.Struct) and not isinstance(one, s.Function):
                stack.extend(getattr(one, field) for field in one.__struct_fields__)
            elif isinstance(one, (list, tuple)):
                stack.extend(one)


def _names(target: s.Expr) -> Iterator[str]:
    if isinstance(target, s.Name):
        yield target.name
    elif isinstance(target, s.Display):
        for one in target.items:
            yield from _names(one)


def joined(one: dict[str, str], other: dict[str, str]) -> dict[str, str]:
    """What holds behind two branches: of a name that both know differently, or one alone, nothing. The domain object is never mixed up."""
    out: dict[str, str] = {}
    for name in one.keys() | other.keys():
        kinds = {one.get(name, ELEMENT), other.get(name, ELEMENT)}
        if len(kinds) > 1 and any(kind in (SELF, TOOL) or kind[:1] == "." for kind in kinds):
            raise UncertainError
        out[name] = kinds.pop() if len(kinds) == 1 else ELEMENT
    return out


_KINDS: dict[type, Any] = {
    s.Const: Pure._const,
    s.Name: Pure._name,
    s.Attribute: Pure._attribute,
    s.Subscript: Pure._subscript,
    s.Slice: Pure._parts,
    s.Display: Pure._parts,
    s.DictDisplay: Pure._parts,
    s.Binary: Pure._operator,
    s.Unary: Pure._operator,
    s.Boolean: Pure._boolean,
    s.Choice: Pure._choice,
    s.Compare: Pure._compare,
    s.Format: Pure._format,
    s.Walrus: Pure._walrus,
    s.Comprehension: Pure._comprehension,
    s.Call: Pure._call,
}
