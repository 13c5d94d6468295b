"""While a class is defined: its facts are noted, and a domain class gets `_clock` and `_random`.

A domain class is one that its module passes to init_system or names in System[...] or Replica[...], or that has or inherits a method with
one of coopy's decorators. What it defines under the injected names itself is a clash. Calls of super() are judged here: no hook sees them later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mypy.nodes import (
    GDEF,
    MDEF,
    AssignmentStmt,
    CallExpr,
    Expression,
    FuncDef,
    IndexExpr,
    MypyFile,
    NameExpr,
    PlaceholderNode,
    SymbolTableNode,
    Var,
)  # fmt: skip
from mypy.types import CallableType, LiteralType, Type, UnboundType, UnionType

from coopy.kinds import INJECTED
from coopy.mypy_plugin import codes, facts
from coopy.mypy_plugin.injected import definitions, is_other, place_of
from coopy.mypy_plugin.queries import changes_unseen
from coopy.mypy_plugin.tree import class_members, imports_coopy, nodes_below, path_of, statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy.errorcodes import ErrorCode
    from mypy.nodes import Context
    from mypy.plugin import ClassDefContext

__all__ = ["Definitions"]

USERS = frozenset((
    "coopy.base.init_system", "coopy.base.init_persistent_system", "coopy.aio.opening.open", "coopy.marks.System", "coopy.marks.Replica",
))  # fmt: skip


class Definitions:
    """The classes of one run of mypy as they are defined. `domains`: full names of further domain classes."""

    def __init__(self, domains: tuple[str, ...]) -> None:
        self._domains = domains
        self._uses: tuple[Any, Uses] | None = None

    def define(self, ctx: ClassDefContext) -> None:
        """Look at one class. mypy may ask several times for the same one."""
        if ctx.api.is_stub_file:
            return
        _Definition(ctx, self._uses_in(ctx)).look(named=ctx.cls.fullname in self._domains)

    def _uses_in(self, ctx: ClassDefContext) -> Uses:
        tree = ctx.api.modules[ctx.api.cur_mod_id]
        if self._uses is None or self._uses[0] is not tree.defs:
            self._uses = (tree.defs, Uses(tree))
        return self._uses[1]


class Uses:
    """What a module says of its classes outside of them: (what it is passed to or named in, the class), both as dotted names in the source."""

    def __init__(self, tree: MypyFile) -> None:
        self.found: set[tuple[str, str]] = set()
        self.functions = {one.name: one for one in statements(tree.defs) if isinstance(one, FuncDef)}
        if not imports_coopy(tree):
            return
        made: dict[str, set[str]] = {}
        passed: list[tuple[str, Expression]] = []
        for node in nodes_below(tree):
            if isinstance(node, CallExpr):
                callee = ".".join(path_of(node.callee))
                if callee and (node.args or node.arg_names):
                    passed.append((callee, node.args[0]))
            elif isinstance(node, AssignmentStmt):
                self._annotated(node.unanalyzed_type)
                if isinstance(node.rvalue, CallExpr | IndexExpr):
                    for place in node.lvalues:
                        if isinstance(place, NameExpr):
                            made.setdefault(place.name, set()).add(_class_in(node.rvalue))
                    self._alias(node.rvalue)
            elif isinstance(node, FuncDef):
                self._annotated(node.unanalyzed_type)
        for callee, argument in passed:
            name = _class_in(argument)
            self.found.update((callee, one) for one in (name, *made.get(name, ())) if one)

    def of(self, name: str) -> Iterator[str]:
        """What a class of this name is passed to or named in."""
        return (user for user, used in self.found if used.rpartition(".")[2] == name)

    def _alias(self, value: Expression) -> None:
        """`Board = System[Wiki]`."""
        if isinstance(value, IndexExpr) and (user := ".".join(path_of(value.base))):
            self.found.add((user, _class_in(value.index)))

    def _annotated(self, typ: Type | None) -> None:
        stack: list[Any] = [typ]
        while stack:
            one = stack.pop()
            if isinstance(one, UnboundType):
                for arg in one.args:
                    if isinstance(arg, UnboundType):
                        self.found.add((one.name, arg.name))
                stack.extend(one.args)
            elif isinstance(one, CallableType):
                stack.extend((*one.arg_types, one.ret_type))
            elif isinstance(one, UnionType):
                stack.extend(one.items)


def _class_in(expr: Expression) -> str:
    """The dotted name of C in C, C() and C[int]()."""
    if isinstance(expr, CallExpr):
        expr = expr.callee
    if isinstance(expr, IndexExpr):
        expr = expr.base
    return ".".join(path_of(expr))


class _Definition:
    """One class while it is defined."""

    def __init__(self, ctx: ClassDefContext, uses: Uses) -> None:
        self.cls, self.api, self.uses, self.info = ctx.cls, ctx.api, uses, ctx.cls.info

    def look(self, *, named: bool) -> None:
        """Note its facts; if it is a domain class (`named`: by the settings), give it the injected names; judge its calls of super()."""
        found = facts.read(self.cls, self._resolve, self.uses.functions, lambda name: facts.is_fresh(self.info, name, inherited=True))
        self.info.metadata[facts.NAME] = found
        self._publish(repr(found))
        if named or facts.is_marked(self.info) or any(self._resolve(user) in USERS for user in self.uses.of(self.cls.name)):
            for name, kind in INJECTED.items():
                self._inject(name, kind)
        for place, what in changes_unseen(self.cls, frozenset(found["readonly"])):
            self._report(what, place, codes.READONLY)

    def _report(self, what: str, place: Context, code: ErrorCode) -> None:
        self.api.fail(what, place, code=code)

    # names

    def _resolve(self, name: str) -> str | None:
        """The full name of what a dotted name means here."""
        return getattr(self._node(name), "fullname", None)

    def _node(self, name: str) -> Any:
        if not name or "[]" in name:
            return None
        symbol = self.api.lookup_qualified(name, self.cls, suppress_errors=True)
        node = None if symbol is None else symbol.node
        return None if isinstance(node, PlaceholderNode) else node

    # what others may know

    def _publish(self, text: str) -> None:
        """A variable of the module whose type is the facts: mypy's daemon compares it, and checks again who relied on them."""
        text_type = self.api.named_type_or_none("builtins.str", [])
        if text_type is not None:
            name = facts.published(self.info)
            var = Var(name, LiteralType(text, text_type))
            var._fullname = f"{self.api.cur_mod_id}.{name}"  # noqa: SLF001 - as mypy's own plugins do
            self.api.modules[self.api.cur_mod_id].names[name] = SymbolTableNode(GDEF, var, module_public=False, plugin_generated=True)

    def _inject(self, name: str, kind: str) -> None:
        places = list(definitions(self.cls, name))
        for place, function in places:
            if is_other(place, function, name, self._node):
                what = f'"{name}" is what coopy injects; a domain class that defines it itself gets no recorded {name[1:]}: choose another name'
                self._report(what, place_of(place), codes.CLASH)
        if places or self._has_slots() or any(name in base.names or any(definitions(base.defn, name)) for base in self.info.mro[1:]):
            return
        typ = self.api.named_type_or_none(kind, [])
        if typ is not None:
            var = Var(name, typ)
            var.info, var._fullname = self.info, f"{self.info.fullname}.{name}"  # noqa: SLF001 - as mypy's own plugins do
            self.info.names[name] = SymbolTableNode(MDEF, var, plugin_generated=True)

    def _has_slots(self) -> bool:
        return any(
            isinstance(one, AssignmentStmt) and any(isinstance(place, NameExpr) and place.name == "__slots__" for place in one.lvalues)
            for one in class_members(self.cls)
        )
