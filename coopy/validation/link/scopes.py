"""The program's modules, classes and functions, and which statements bind their names.

    Scope.reaching(name, before)   the statements that may have bound a name when the text at an offset runs

A module or class body is not run from top to bottom: a name that is read asks for the statements that bind it, so what nobody reaches is
never looked at. Knows summaries; values and contexts only as what it carries for the interpreter.
"""

from __future__ import annotations

import operator
import sys
from typing import TYPE_CHECKING

from coopy.validation import summary as s

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from coopy.validation.link.machine import Context
    from coopy.validation.source import Sources

AT_END = sys.maxsize
LITTLE = 600  # bytes of a function's body
_BUILT_IN = frozenset((*sys.builtin_module_names, "coopy"))  # the latter is known by name, wherever it lies
_ORDERS = {"lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge}


class Binding:
    """A statement of a module or class body that binds a name.

    `always`: it runs whenever the body does. `typing`: for type checkers only. `unless`: imports in whose failure alone it runs.
    """

    __slots__ = ("always", "at", "statement", "typing", "unless")

    def __init__(self, statement: s.Stmt, always: bool, typing: bool, unless: tuple[s.Stmt, ...]) -> None:  # noqa: FBT001 - made in one place
        self.statement, self.always, self.typing, self.at = statement, always, typing, statement.at
        self.unless = unless


_NEVER: list[Binding] = []  # what binds a name that nothing binds


class Scope:
    """The body of a module or class.

    `effects`: statements that may fill what others have bound; `fills`: those of them that name what they fill, by that name. `imports`: all
    imports that a program runs.
    """

    def __init__(self, body: list[s.Stmt]) -> None:
        self.bindings: dict[str, list[Binding]] = {}
        self.stars: list[Binding] = []
        self.imports: list[s.Import | s.ImportFrom] = []
        self.effects: list[s.Stmt] = []
        self.fills: dict[str, list[s.Stmt]] = {}
        self.annotations: dict[str, s.Expr] = {}
        self._unless: tuple[s.Stmt, ...] = ()
        self._in_the_end: dict[str, list[Binding]] = {}
        self._index(body, always=True, typing=False)

    def _index(self, body: list[s.Stmt], *, always: bool, typing: bool) -> None:
        for one in body:
            if isinstance(one, s.If):
                self._branch(one, always=always, typing=typing)
            elif isinstance(one, s.Try):
                self._try(one, always=always, typing=typing)
            elif isinstance(one, s.With):
                self._index(one.body, always=always, typing=typing)
                self._bind(one, [name for _, target in one.items if target for name in targets(target)], always=always, typing=typing)
            else:
                self._leaf(one, always=always, typing=typing)

    def _try(self, one: s.Try, *, always: bool, typing: bool) -> None:
        for part in (one.body, one.orelse):
            self._index(part, always=False, typing=typing)
        before, self._unless = self._unless, imports_tried(one) or self._unless
        for _, _, body in one.handlers:
            self._index(body, always=False, typing=typing)
        self._unless = before
        self._index(one.final, always=always, typing=typing)

    def _branch(self, one: s.If, *, always: bool, typing: bool) -> None:
        if is_main(one.test):
            return
        if (certain := version_test(one.test)) is not None:
            self._index(one.body if certain else one.orelse, always=always, typing=typing)
            return
        for_checkers = _is_typing(one.test)
        self._index(one.body, always=False, typing=typing or for_checkers)
        self._index(one.orelse, always=always and for_checkers, typing=typing)

    def _leaf(self, one: s.Stmt, *, always: bool, typing: bool) -> None:
        if isinstance(one, (s.Import, s.ImportFrom)) and not typing:
            self.imports.append(one)
        if isinstance(one, s.ImportFrom) and one.names[0][0] == "*":
            self.stars.append(Binding(one, always, typing, self._unless))
            return
        names = list(bound(one))
        self._bind(one, names, always=always, typing=typing)
        if isinstance(one, s.Assign) and one.annotation is not None:
            self.annotations.update(dict.fromkeys(names, one.annotation))
        if typing:
            return
        if not names or isinstance(one, s.For) or (isinstance(one, (s.Function, s.Class)) and one.decorators):
            self.effects.append(one)
            for name in dict.fromkeys(filled(one)):
                self.fills.setdefault(name, []).append(one)

    def _bind(self, one: s.Stmt, names: Iterable[str], *, always: bool, typing: bool) -> None:
        if isinstance(one, s.Assign) and one.value is None:
            return
        always = always and not isinstance(one, (s.For, s.If))
        for name in names:
            self.bindings.setdefault(name, []).append(Binding(one, always, typing, self._unless))

    def reaching(self, name: str, before: int = AT_END) -> list[Binding]:
        """The bindings that the text at `before` may see; those for type checkers only where there is no other."""
        if name not in self.bindings:
            return _NEVER
        if before != AT_END:
            return self._reaching(name, before)
        found = self._in_the_end.get(name)
        if found is None:
            found = self._in_the_end[name] = self._reaching(name, AT_END)
        return found

    def _reaching(self, name: str, before: int) -> list[Binding]:
        out: list[Binding] = []
        for one in self.bindings[name]:
            if one.at >= before:
                break
            if one.always:
                out = [one]
            else:
                out.append(one)
        return [one for one in out if not one.typing] or out


def imports_tried(one: s.Try) -> tuple[s.Stmt, ...]:
    """The imports of a `try` that is there for nothing but their failure."""
    kinds = [handler[0] for handler in one.handlers]
    names = {kind.name for kind in kinds if isinstance(kind, s.Name)}
    if one.body and len(names) == len(kinds) and names <= {"ImportError", "ModuleNotFoundError"}:
        return tuple(one.body) if all(isinstance(part, (s.Import, s.ImportFrom)) for part in one.body) else ()
    return ()


def is_main(test: s.Expr) -> bool:
    """`__name__ == "__main__"`: never true where a domain is imported."""
    return isinstance(test, s.Compare) and isinstance(test.left, s.Name) and test.left.name == "__name__"


def version_test(test: s.Expr) -> bool | None:
    """How `sys.version_info >= (3, 12)` comes out where this runs; None if it is another test."""
    if not (isinstance(test, s.Compare) and len(test.ops) == 1 and isinstance(test.left, (s.Attribute, s.Name))):
        return None
    right, compare = test.rights[0], _ORDERS.get(test.ops[0])
    if test.left.name != "version_info" or compare is None or not isinstance(right, s.Display):
        return None
    numbers = [int(one.text) for one in right.items if isinstance(one, s.Const) and one.text.isdigit()]
    return bool(compare(sys.version_info, tuple(numbers))) if len(numbers) == len(right.items) else None


def _is_typing(test: s.Expr) -> bool:
    return (isinstance(test, s.Name) and test.name == "TYPE_CHECKING") or (isinstance(test, s.Attribute) and test.name == "TYPE_CHECKING")


def targets(target: s.Expr) -> Iterator[str]:
    """The names that an assignment to a target binds."""
    if isinstance(target, s.Name):
        yield target.name
    elif isinstance(target, s.Display):
        for one in target.items:
            yield from targets(one)
    elif isinstance(target, s.Star):
        yield from targets(target.value)


def bound(one: s.Stmt) -> Iterator[str]:
    """The names that a statement binds, those in its blocks included."""
    if isinstance(one, (s.Function, s.Class)):
        yield one.name
    elif isinstance(one, s.Import):
        yield from (alias or name.partition(".")[0] for name, alias in one.names)
    elif isinstance(one, s.ImportFrom):
        yield from (alias for _, alias in one.names)
    elif isinstance(one, s.Assign):
        for target in one.targets:
            yield from targets(target)
    elif isinstance(one, s.Augment):
        yield from targets(one.target)
    elif isinstance(one, s.For):
        yield from targets(one.target)
        for inner in (*one.body, *one.orelse):
            yield from bound(inner)
    elif isinstance(one, s.If):
        for inner in (*one.body, *one.orelse):
            yield from bound(inner)


def filled(one: s.Stmt) -> Iterator[str]:
    """The names whose values a statement adds something to: `NAME[key] = value`, `NAME.append(value)`, also in a loop."""
    if isinstance(one, (s.For, s.If)):
        for inner in (*one.body, *one.orelse):
            yield from filled(inner)
    elif isinstance(one, s.Assign):
        yield from (_root(target) for target in one.targets if not isinstance(target, s.Name))
    elif isinstance(one, s.Augment) and not isinstance(one.target, s.Name):
        yield _root(one.target)
    elif isinstance(one, s.Evaluate) and isinstance(one.value, s.Call) and isinstance(one.value.func, s.Attribute):
        yield _root(one.value.func)


def _root(node: s.Expr) -> str:
    while isinstance(node, (s.Attribute, s.Subscript)):
        node = node.value
    return node.name if isinstance(node, s.Name) else ""


class ModuleInfo:
    """A module of the program, decoded when it is first needed."""

    def __init__(self, name: str, path: str, summary: s.Module, *, package: bool) -> None:
        self.name, self.path, self.summary, self.package = name, path, summary, package
        self.body = s.decode_block(summary.body).body
        self.scope = Scope(self.body)
        self.functions: dict[int, FunctionInfo] = {}
        self.classes: dict[tuple[int, Context | None], ClassInfo] = {}
        self.records: dict[int, ClassInfo] = {}

    def absolute(self, level: int, module: str) -> str:
        """The module that a relative import names."""
        if not level:
            return module
        parts = self.name.split(".")
        parts = parts[: len(parts) - level + self.package]
        return ".".join([*parts, module] if module else parts)

    def function(self, node: s.Function, owner: ClassInfo | None, prefix: str = "") -> FunctionInfo:
        """The function of a node."""
        found = self.functions.get(node.at)
        if found is None:
            name = f"{owner.qualname}.{node.name}" if owner else f"{prefix}{node.name}"
            found = self.functions[node.at] = FunctionInfo(self, node, owner, name)
        return found

    def cls(self, node: s.Class, parent: Context | None) -> ClassInfo:
        """The class of a node, as defined in a call."""
        found = self.classes.get((node.at, parent))
        if found is None:
            found = self.classes[node.at, parent] = ClassInfo(self, node, parent)
        return found


class FunctionInfo:
    """A function of the program. `owner`: the class whose body it stands in. `little`: a short one of a module."""

    def __init__(self, module: ModuleInfo, node: s.Function, owner: ClassInfo | None, qualname: str) -> None:
        self.module, self.node, self.owner, self.qualname = module, node, owner, qualname
        self.binds = frozenset(node.binds)
        self.little = owner is None and not node.is_generator and len(memoryview(node.body)) < LITTLE
        self._body: list[s.Stmt] | None = None
        self._assigned: set[str] | None = None

    @property
    def body(self) -> list[s.Stmt]:
        """Its statements, decoded now if they were not."""
        if self._body is None:
            self._body = s.decode_block(self.node.body).body
        return self._body

    @property
    def assigned(self) -> set[str]:
        """Attributes of self that it assigns whatever happens."""
        if self._assigned is None:
            self._assigned = assigned(self.body)
        return self._assigned


class ClassInfo:
    """A class of the program. Bases and order of classes are found by the interpreter, once. `real`: what its objects say their class is."""

    def __init__(self, module: ModuleInfo, node: s.Class, parent: Context | None) -> None:
        self.module, self.node, self.parent = module, node, parent
        inside = f"{parent.qualname}.<locals>." if parent and parent.qualname else ""
        self.qualname = f"{inside}{node.name}"
        self.scope = Scope(node.body)
        self.bases: list[ClassInfo | str | None] | None = None  # None in it: a base that is not known
        self.mro: list[ClassInfo | str] = []
        self.real = self
        self.known = True
        self.fields: list[tuple[str, ClassInfo, Binding | None, s.Expr | None]] | None = None
        self.dataclass: bool | None = None
        self.lookups: dict[str, tuple[ClassInfo, list[Binding]] | str | None] = {}

    @property
    def full(self) -> str:
        """module:qualname."""
        return f"{self.module.name}:{self.qualname}"

    def own(self) -> list[ClassInfo]:
        """The classes of the program in its order of classes."""
        return [one for one in self.mro if isinstance(one, ClassInfo)]

    def foreign(self) -> list[str]:
        """Base classes from outside the program."""
        return [one for one in self.mro if isinstance(one, str)]


def assigned(body: list[s.Stmt]) -> set[str]:
    """Attributes of self that a body assigns whatever happens."""
    out: set[str] = set()
    for one in body:
        if isinstance(one, s.Assign) and one.value is not None:
            for target in one.targets:
                for part in target.items if isinstance(target, s.Display) else [target]:
                    if isinstance(part, s.Attribute) and isinstance(part.value, s.Name):
                        out.add(part.name)
        elif isinstance(one, (s.With, s.Try)):
            out |= assigned(one.body)
        elif isinstance(one, s.If):
            out |= assigned(one.body) & assigned(one.orelse)
    return out


class Program:
    """All modules that can be found, loaded when first imported."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.modules: dict[str, ModuleInfo | None] = {}
        self._found: dict[tuple[str, ModuleInfo], ModuleInfo | None] = {}
        self._deriving: dict[str, list[str]] = {}
        self._derived: dict[str, dict[str, None]] = {}  # names of classes by the name of a base
        self._indexed: set[str] = set()
        self._classes = 0
        self._counted: dict[tuple[int, str], bool] = {}
        self._known = (0, 0)  # how many files and modules there were then

    def at_path(self, path: str) -> ModuleInfo | None:
        """The module of a file; None if the file could not be analysed."""
        if path not in self.modules:
            summary = self.sources.summary(path)
            name, package = self.sources.module_name(path)
            self.modules[path] = None if summary is None else ModuleInfo(name, path, summary, package=package)
        return self.modules[path]

    def deriving(self, name: str) -> list[str]:
        """The files that have classes with a base of this name, among those that were named or read."""
        self._index()
        return self._deriving.get(name, [])

    def has_more_than(self, count: int, name: str) -> bool:
        """Whether more classes than that derive from one of this name, in whatever steps, by the names of bases alone."""
        self._index()
        known = self._counted.get((count, name))
        if known is None:
            found, left = {name}, [name]
            while left and len(found) <= count + 1:
                new = self._derived.get(left.pop(), {}).keys() - found
                found |= new
                left += new
            known = self._counted[count, name] = len(found) > count + 1
        return known

    def classes(self) -> int:
        """How many names there are of classes that have a base."""
        self._index()
        return self._classes

    def _index(self) -> None:
        """Look through the classes of files that were read since this was last asked."""
        known = len(self.sources.files), len(self.modules)
        if known == self._known:
            return
        self._known = known
        self._counted.clear()
        for path in (*self.sources.files, *self.modules):
            if path not in self._indexed:
                self._indexed.add(path)
                for base, names in self.sources.derives(path).items():
                    self._deriving.setdefault(base, []).append(path)
                    self._derived.setdefault(base, {}).update(dict.fromkeys(names))
        self._classes = len({name for names in self._derived.values() for name in names})

    def find(self, name: str, importer: ModuleInfo) -> ModuleInfo | None:
        """The module of the program that this name means where it is imported; None if it is not one of the program's."""
        try:
            return self._found[name, importer]
        except KeyError:
            known = name in _BUILT_IN or name.startswith("coopy.")
            path = None if known else self.sources.find(name, importer.path)
            found = self._found[name, importer] = None if path is None else self.at_path(path)
            return found
