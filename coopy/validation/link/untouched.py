"""Which `@abort_exception` methods change nothing before they raise, so that nothing need be put back. A wrong answer loses data, a missing one time.

The claim, of a method: whatever ordinary exception leaves it, no state was changed before. Proved by one walk over its statements that keeps
whether anything may have been changed yet ("dirty"), and gives up (`UncertainError`) at whatever it does not know:

    clean    anything may raise, as long as evaluating it changes nothing: see `pure.py`
    change   one step at most, which raises before it changes or not at all: `self.x = ...`, `self.d[k] = ...`, `self.l.append(...)`, ...
    dirty    only what cannot raise: constants, locals and attributes that were just assigned, displays of these, `self.x = ` such, return

A loop or a `try` that changes anything is given up, and so are `with`, `match`, `global`, imports, closures and whatever is not listed.
Arguments count as plain atoms and attributes as exact built-in containers: the executor looks at both at the raise. Operators on other
values change nothing, for those that the program writes itself are walked, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.kinds import INJECTED
from coopy.validation import summary as s
from coopy.validation.link.pure import ATOM, ELEMENT, FRESH, PAIRS, SELF, Pure, UncertainError, joined
from coopy.validation.link.scopes import FunctionInfo, Scope
from coopy.validation.link.values import ACTION
from coopy.validation.verdict import Free

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coopy.validation.link.analysis import Analysis

_MARKS = frozenset(("abort_exception", "readonly", "unlocked"))
_ATOMIC = frozenset(
    ("append", "add", "discard", "remove", "pop", "popitem", "insert", "clear", "appendleft", "popleft", "setdefault", "reverse")
)
_BASES = frozenset(("builtins.object", "typing.Generic", "typing.Protocol", "abc.ABC"))
_OPERATORS = frozenset(f"__{one}__" for one in (
    *("len", "contains", "getitem", "iter", "bool", "eq", "ne", "lt", "le", "gt", "ge", "hash", "str", "repr", "format", "index", "int", "float"),
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "divmod", "pow", "neg", "pos", "abs", "round", "and", "or", "xor"),
    *("radd", "rsub", "rmul", "rtruediv", "rfloordiv", "rmod", "rand", "ror", "rxor"),
))  # fmt: skip
_NEVER = frozenset((
    "__getattr__", "__getattribute__", "__setattr__", "__delattr__", "__iadd__", "__isub__", "__imul__", "__itruediv__", "__ior__", "__iand__", "__ixor__",
    "__next__", "__instancecheck__", "__del__",
))  # fmt: skip
MAX_CALLS = 8  # of methods that call methods


class Untouched:
    """The proofs for one domain class."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis, self.domain = analysis, analysis.domain
        modules = [one for one in analysis.program.modules.values() if one is not None]
        self.classes = [(module, Scope(node.body)) for module in modules for node in _classes(module.body)]
        self.named = {
            name
            for _, scope in self.classes
            for name, bindings in scope.bindings.items()
            if not all(_is_value(one.statement) for one in bindings)
        }
        order = analysis.order(self.domain)
        self.plain = (
            self.domain.known
            and all(not isinstance(one, str) or one in _BASES for one in order)
            and not self.named & _NEVER
            and not any("__slots__" in one.scope.bindings or (one, "class") in analysis.attributes for one in self.domain.own())
            and not any(name in self.named or self._assigned(name) for name in INJECTED)
        )
        self.operators = False
        self.operators = self._operators_are_pure()

    def free(self) -> list[Free]:
        """All methods of which the claim is proved."""
        found = []
        for name in dict.fromkeys(name for one in self.domain.own() for name in one.scope.bindings) if self.plain else ():
            info = self.method(name)
            if info is not None and not name.startswith("_") and any(_decorator(one) == "abort_exception" for one in info.node.decorators):
                walk = Walk(self, info, name, Free(name, {}, (), (), {}))
                try:
                    walk.function([SELF])
                except (UncertainError, RecursionError):
                    continue
                found.append(walk.proof())
        return found

    def method(self, name: str) -> FunctionInfo | None:
        """The one function that a method of the domain is, if nothing wraps it and no attribute hides it."""
        member = self.analysis.member(self.domain, name)
        if not isinstance(member, tuple) or len(member[1]) != 1 or self._assigned(name):
            return None
        owner, (binding,) = member
        statement = binding.statement
        if not isinstance(statement, s.Function) or not all(_decorator(one) in _MARKS for one in statement.decorators):
            return None
        return owner.module.function(statement, owner)

    def _assigned(self, name: str) -> bool:
        """Whether an attribute of the domain is assigned anywhere."""
        return bool(self.analysis.attribute_cell(self.domain, ACTION, name).values)

    def _operators_are_pure(self) -> bool:
        """Whether operators that the program writes by hand change nothing."""
        self.operators = True  # assumed inside of them
        for module, scope in self.classes:
            for name in _OPERATORS & scope.bindings.keys():
                for binding in scope.bindings[name]:
                    if not isinstance(binding.statement, s.Function) or self._changes(FunctionInfo(module, binding.statement, None, name)):
                        return False
        return True

    def _changes(self, operator: FunctionInfo) -> bool:
        walk = Walk(self, operator, "", Free("", {}, (), (), {}))
        try:
            walk.function([])
        except (UncertainError, RecursionError):
            return True
        return bool(walk.changes)


def _classes(body: list[s.Stmt]) -> Iterator[s.Class]:
    """Every class in statements, in functions too."""
    for one in body:
        if isinstance(one, s.Class):
            yield one
            yield from _classes(one.body)
        elif isinstance(one, s.Function):
            if one.nests:
                yield from _classes(s.decode_block(one.body).body)
        elif isinstance(one, (s.If, s.For, s.With, s.Try)):
            yield from _classes([*one.body, *getattr(one, "orelse", ()), *getattr(one, "final", ())])
            for _, _, handler in getattr(one, "handlers", ()):
                yield from _classes(handler)


def _is_value(statement: s.Stmt) -> bool:
    """Whether a class body only gives a name a default."""
    return isinstance(statement, s.Assign) and (
        statement.value is None or isinstance(statement.value, (s.Const, s.Display, s.DictDisplay, s.Unary))
    )


def _decorator(node: s.Expr) -> str:
    return node.name if isinstance(node, (s.Name, s.Attribute)) else ""


class Walk(Pure):
    """The walk over one function. `changes`: how many steps have changed something."""

    def __init__(self, proofs: Untouched, info: FunctionInfo, way: str, proof: Free, depth: int = 0) -> None:
        super().__init__(info, way, proofs.operators, proofs.named)
        self.proofs, self.depth = proofs, depth
        self.functions, self.attributes = proof.functions, proof.attributes  # shared with those that call it
        self.changes = 0
        if way:
            self.functions[way] = f"{info.module.path}\n{info.qualname}"

    def proof(self) -> Free:
        """What must hold where the method runs."""
        return Free(self.way, self.functions, tuple(sorted(self.builtins)), tuple(sorted(self.errors)), self.attributes)

    def function(self, given: list[str]) -> None:
        """The whole function; parameters of which nothing is `given` are atoms in a method of the domain, and anything in an operator."""
        node = self.info.node
        if node.is_async or node.is_generator or node.outer or node.nests:
            raise UncertainError
        for index, param in enumerate(node.params):
            plain = param.default is None or isinstance(param.default, s.Const)
            kind = (
                given[index] if index < len(given) and param.kind in "pa" else (ATOM if plain and self.way and self.depth == 0 else ELEMENT)
            )
            self.env[param.name] = FRESH if param.kind in "vw" else kind
        self.certain.update(self.env)
        self.block(self.info.body, dirty=False)

    # statements: each gives whether state may have been changed behind it, None if nothing is behind it

    def block(self, body: list[s.Stmt], *, dirty: bool) -> bool | None:
        """Statements one after the other."""
        now: bool | None = dirty
        for one in body:
            if now is None:
                return None
            now = self.statement(one, dirty=now)
        return now

    def statement(self, node: s.Stmt, *, dirty: bool) -> bool | None:
        """One statement."""
        if isinstance(node, (s.Return, s.Jump)):
            if isinstance(node, s.Return) and node.value is not None:
                self.lasting(self.stepped(node.value, dirty=dirty)[0])
            return None
        if isinstance(node, s.Assign):
            return self._assign(node, dirty=dirty)
        if isinstance(node, s.Evaluate) and isinstance(node.value, s.Const) and node.value.kind == "str":
            return dirty
        if dirty:
            raise UncertainError
        return self._clean(node)

    def _clean(self, node: s.Stmt) -> bool | None:
        """A statement before which nothing was changed."""
        if isinstance(node, s.Evaluate):
            return self.stepped(node.value, dirty=False)[1]
        if isinstance(node, s.Augment):
            return self._augment(node)
        if isinstance(node, s.If):
            return self._while(node) if node.loop else self._if(node)
        if isinstance(node, (s.For, s.Try)):
            return self._unchanged(node)
        if isinstance(node, s.Delete) and len(node.targets) == 1 and isinstance(target := node.targets[0], s.Subscript):
            self._element_of_attribute(target)
            return self._change()
        if isinstance(node, s.Raise):
            for one in node.values:
                self.raised(one)
            return None
        raise UncertainError

    def _change(self) -> bool:
        self.changes += 1
        return True

    def stepped(self, node: s.Expr, *, dirty: bool) -> tuple[str, bool]:
        """An expression that may be one step that changes something: a container's method, or a method of self. Gives its kind, and dirty."""
        if dirty:
            return self.safe(node), True
        if isinstance(node, s.Call) and isinstance(node.func, s.Attribute):
            receiver = self.kind(node.func.value)
            if receiver == SELF:
                return self._own_method(node, node.func.name)
            if receiver[:1] == "." and node.func.name in _ATOMIC and not node.keywords:
                self.need(receiver, "plain")
                for one in node.args:
                    self.operate(self.lasting(self.kind(one)))
                return ELEMENT, self._change()
        return self.kind(node), False

    def own_method(self, node: s.Call, name: str) -> str:
        """As `Pure.own_method`: inside of an expression it must change nothing."""
        kind, dirty = self._own_method(node, name)
        if dirty:
            raise UncertainError
        return kind

    def _own_method(self, node: s.Call, name: str) -> tuple[str, bool]:
        info = self.proofs.method(name)
        if info is None or node.keywords or self.depth >= MAX_CALLS:
            raise UncertainError
        self.attributes[name] = "absent"
        return self._called(info, name, [SELF, *(self.lasting(self.kind(one)) for one in node.args)])

    def global_function(self, node: s.Call, name: str, statement: s.Function) -> str:
        """As `Pure.global_function`: a function of the same module, which must change nothing."""
        if node.keywords or statement.decorators or not self.way or self.depth >= MAX_CALLS:
            raise UncertainError
        kind, dirty = self._called(
            self.info.module.function(statement, None), f"{self.way}/{name}", [self.lasting(self.kind(one)) for one in node.args]
        )
        if dirty:
            raise UncertainError
        return kind

    def _called(self, info: FunctionInfo, way: str, given: list[str]) -> tuple[str, bool]:
        walk = Walk(self.proofs, info, way, Free(way, self.functions, (), (), self.attributes), self.depth + 1)
        walk.builtins, walk.errors = self.builtins, self.errors
        walk.function(given)
        if walk.changes:
            self.changes += 1
        return ELEMENT, bool(walk.changes)

    # assignments

    def _assign(self, node: s.Assign, *, dirty: bool) -> bool:
        if node.value is None:
            return dirty
        if len(node.targets) == 1 and isinstance(display := node.targets[0], s.Display) and isinstance(node.value, s.Display):
            return self._assign_each(display, node.value, dirty=dirty)
        kind, dirty = self.stepped(node.value, dirty=dirty)
        self.lasting(kind)
        for target in node.targets:
            dirty = self._store(target, kind, dirty=dirty)
        return dirty

    def _assign_each(self, target: s.Display, value: s.Display, *, dirty: bool) -> bool:
        if len(target.items) != len(value.items) or any(isinstance(one, s.Star) for one in (*target.items, *value.items)):
            raise UncertainError
        kinds = [self.safe(one) if dirty else self.lasting(self.kind(one)) for one in value.items]
        for one, kind in zip(target.items, kinds, strict=True):
            dirty = self._store(one, kind, dirty=dirty)
        return dirty

    def _store(self, target: s.Expr, kind: str, *, dirty: bool) -> bool:
        if isinstance(target, s.Name):
            self.bind(target.name, kind)
            return dirty
        if isinstance(target, s.Attribute) and self.is_self(target.value):
            self._plain_attribute(target.name)
            self.certain.add(f".{target.name}")
            return self._change()
        if dirty:
            raise UncertainError
        if isinstance(target, s.Attribute) and self.kind(target.value) == ELEMENT and target.name not in self.named:
            return self._change()
        if isinstance(target, s.Subscript) and self.kind(target.value) != FRESH:
            self._element_of_attribute(target)
            return self._change()
        if isinstance(target, s.Subscript):
            self.kind(target.index)
            return dirty
        raise UncertainError

    def _plain_attribute(self, name: str) -> None:
        """That assigning an attribute of self runs no code."""
        if name in INJECTED or name in self.named or name.startswith("__"):
            raise UncertainError

    def _element_of_attribute(self, target: s.Subscript) -> None:
        self.need(self.kind(target.value), "plain")
        self.kind(target.index)

    def _augment(self, node: s.Augment) -> bool:
        operand, target = self.kind(node.value), node.target
        if isinstance(target, s.Name):
            if self.kind(target) not in (ATOM, FRESH) or (operand != ATOM and self.kind(target) != ATOM):
                raise UncertainError
            self.operate(operand)
            self.bind(target.name, ATOM if operand == ATOM and self.kind(target) == ATOM else ELEMENT)
            return False
        self.operate(operand)
        if isinstance(target, s.Attribute) and self.is_self(target.value):
            self._plain_attribute(target.name)
            self.need(f".{target.name}", "atom")
            self.certain.add(f".{target.name}")
        elif operand != ATOM:
            raise UncertainError
        elif isinstance(target, s.Subscript):
            self._element_of_attribute(target)
        elif not isinstance(target, s.Attribute) or self.kind(target.value) != ELEMENT or target.name in self.named:
            raise UncertainError
        return self._change()

    # blocks

    def _if(self, node: s.If) -> bool | None:
        self.truth(node.test)
        env, certain = dict(self.env), set(self.certain)
        first = self.block(node.body, dirty=False)
        ended = self.env, self.certain
        self.env, self.certain = dict(env), set(certain)
        second = self.block(node.orelse, dirty=False)
        if first is None or second is None:
            if second is None:
                self.env, self.certain = ended
            return second if first is None else first
        self.env = joined(ended[0], self.env)
        self.certain &= ended[1]
        return first or second

    def _while(self, node: s.If) -> bool:
        self.loosen(node.body)
        self.truth(node.test)
        self._aside(node.body, node.orelse)
        return False

    def _unchanged(self, node: s.For | s.Try) -> bool:
        """A loop or a `try`, in which nothing may be changed."""
        if isinstance(node, s.For):
            self.loosen([node])
            self.iterated(node.iter, node.target)
            self._aside(node.body, node.orelse)
            return False
        self.loosen([node])
        for kind, name, _ in node.handlers:
            if kind is not None:
                self.kind(kind)
            self.env[name] = ELEMENT
            self.certain.discard(name)
        self._aside(node.body, *(body for _, _, body in node.handlers), node.orelse, node.final)
        return False

    def _aside(self, *bodies: list[s.Stmt]) -> None:
        """Blocks that may run or not."""
        before, certain = self.changes, set(self.certain)
        for body in bodies:
            self.block(body, dirty=False)
            self.certain = set(certain)
        if self.changes != before:
            raise UncertainError

    def loosen(self, body: list[s.Stmt]) -> None:
        """Names that a block may bind again hold anything inside of it and behind it."""
        for name in self.bound_in(body):
            self.env[name] = ELEMENT
            self.certain.discard(name)
            self.loose.add(name)

    def bind(self, name: str, kind: str) -> None:
        """Assign a local variable."""
        if name in self.loose and kind not in (ELEMENT, ATOM, FRESH, PAIRS):
            raise UncertainError
        self.env[name] = ELEMENT if name in self.loose else kind
        self.certain.add(name)
