"""What a name stands for at a place, if imports say so and nothing else binds it: Python's own symbol table decides which scope a name is of.

A name is known only where every binding of it in its scope is an import of the same thing. Anything that might rebind it (an assignment, a
parameter, `global` anywhere, a star import) makes it unknown, and then nothing is rewritten.
"""

from __future__ import annotations

import symtable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Scope: TypeAlias = "tuple[tuple[str, str, int], ...]"  # ("function" or "class", name, line of def or class), from the outside in
_DEFINITIONS = ("function", "class")


class Names:
    """The names of one file. `imports` says what import statements of each scope bind: name -> what it stands for."""

    def __init__(self, text: str, imports: dict[Scope, list[tuple[str, str]]]) -> None:
        self.tables: dict[Scope, symtable.SymbolTable] = {}
        self.imports = imports
        self.starred = any(name == "*" for bound in imports.values() for name, _ in bound)
        self._everywhere: list[symtable.SymbolTable] = []
        self._collect(symtable.symtable(text, "<fix>", "exec"), ())

    def _collect(self, table: symtable.SymbolTable, scope: Scope) -> None:
        self._everywhere.append(table)
        if scope not in self.tables:
            self.tables[scope] = table
        for child in table.get_children():
            inner = _key(child)
            self._collect(child, scope if inner is None else (*scope, inner))

    def resolve(self, scope: Scope, dotted: str) -> str:
        """The full dotted name, "" if it is not certain."""
        first, dot, rest = dotted.partition(".")
        if self.starred or any(_declared(one, first) for one in self._everywhere):
            return ""
        for length in range(len(scope), -1, -1):
            at = scope[:length]
            if at and at[-1][0] == "class" and length < len(scope):
                continue
            table = self.tables.get(at)
            if table is None:
                return ""
            if self._assigned(table, first):
                return ""
            targets = {target for name, target in self.imports.get(at, ()) if name == first}
            if targets:
                return f"{targets.pop()}{dot}{rest}" if len(targets) == 1 else ""
        return ""

    def _assigned(self, table: symtable.SymbolTable, name: str) -> bool:
        """Whether something other than an import binds a name in a scope, or in a comprehension or lambda of it."""
        return any(_binds(one, name) for one in _with_expressions(table))

    def is_free(self, name: str) -> bool:
        """Whether the module can bind a new name: nothing binds it there or reads it from there."""
        return not self.starred and not any(_reads_global(one, name) for one in self._everywhere)

    def is_shadowed(self, scope: Scope, name: str) -> bool:
        """Whether a name of the module is another thing in a function."""
        tables = [self.tables.get(scope[:length]) for length in range(1, len(scope) + 1)]
        return any(
            table is None or any(name in one.get_identifiers() and one.lookup(name).is_local() for one in _with_expressions(table))
            for table in tables
        )

    def keeps_parameter(self, scope: Scope, name: str) -> bool:
        """Whether a parameter of a function is what the function was given, wherever it is read in it."""
        table = self.tables.get(scope)
        if table is None or name not in table.get_identifiers():
            return False
        inner = [one for one in _with_expressions(table) if one is not table]
        return not table.lookup(name).is_assigned() and not any(_binds(one, name) for one in inner)


def _key(table: symtable.SymbolTable) -> tuple[str, str, int] | None:
    """What tells a definition from its neighbours; None for a comprehension, a lambda, or type parameters."""
    kind = str(table.get_type()).rpartition(".")[2].lower()
    name = table.get_name()
    if kind not in _DEFINITIONS or name in ("lambda", "listcomp", "setcomp", "dictcomp", "genexpr"):
        return None
    return kind, name, table.get_lineno()


def _with_expressions(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    """A scope, and the comprehensions and lambdas in it."""
    yield table
    for child in table.get_children():
        if _key(child) is None:
            yield from _with_expressions(child)


def _symbols(table: symtable.SymbolTable, name: str) -> Iterable[symtable.Symbol]:
    return [table.lookup(name)] if name in table.get_identifiers() else []


def _binds(table: symtable.SymbolTable, name: str) -> bool:
    return any(one.is_assigned() or one.is_parameter() for one in _symbols(table, name))


def _declared(table: symtable.SymbolTable, name: str) -> bool:
    return any(one.is_declared_global() or one.is_nonlocal() for one in _symbols(table, name))


def _reads_global(table: symtable.SymbolTable, name: str) -> bool:
    module = table.get_type() == "module"
    return any(module or one.is_global() for one in _symbols(table, name))
