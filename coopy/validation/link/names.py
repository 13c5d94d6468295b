"""Names: what a name, an import or an attribute of a module means where it is read.

A function sees its own variables, those of the functions around it, the module's and the builtins. A class body is seen by its own
statements only. Module and class bodies are asked for the statements that reach the reader (`scopes.py`).
"""

from __future__ import annotations

import builtins
import sys
from typing import TYPE_CHECKING, Any

from coopy.validation import summary as s
from coopy.validation.link.machine import Context, Fact, Frame, Machine
from coopy.validation.link.scopes import AT_END
from coopy.validation.link.values import ANYTHING, EMPTY, IMPORT, TYPES, Cell, Foreign

if TYPE_CHECKING:
    from collections.abc import Iterator, Sized

    from coopy.validation.link.scopes import Binding, ClassInfo, ModuleInfo
    from coopy.validation.link.values import Values

MAX_FOLLOWED = 60  # modules that a program imports, above which none is run only for what it may fill
_BUILTINS = frozenset(dir(builtins))
_MODULE_NAMES = frozenset(("__name__", "__package__", "__file__", "__doc__"))


class Names(Machine):
    """Names and imports. `given_to`: the class that coopy gives its clock; None while domains are looked for."""

    given_to: ClassInfo | None = None

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.globals: dict[tuple[ModuleInfo, str], Cell] = {}
        self._looking: set[tuple[ModuleInfo, str]] = set()
        self.whole = False  # what the program imports was run, not only what is asked for

    def lookup(self, frame: Frame, name: str, at: int) -> Values:
        """The values of a name that is read."""
        env = frame.env
        if env is not None and name in env:
            return env[name]
        declared = frame.outer.get(name)
        if declared is None and name in frame.binds:
            return EMPTY
        context = frame.context
        if context.info is None and context.cls is not None:
            found = context.cls.scope.reaching(name, context.before)
            if found:
                return self.bound_values(frame, context.module, context.cls, found, name, at)
        if declared != "global" and (enclosing := self._enclosing(context, name)) is not None:
            return self.read(enclosing)
        before = context.before if context.info is None and context.parent is None else AT_END
        return self.module_name(frame, context.module, name, at, before)

    def _enclosing(self, context: Context, name: str) -> Cell | None:
        """The variable of a function around the one at hand."""
        owner = self.owner_of(context, name)
        return None if owner is None else owner.variable(name)

    def owner_of(self, context: Context, name: str) -> Context | None:
        """The call around the one at hand whose variable a name is."""
        parent = context.parent
        while parent is not None and not (parent.info is not None and name in parent.info.binds):
            parent = parent.parent
        return parent

    def module_name(self, frame: Frame, module: ModuleInfo, name: str, at: int, before: int = AT_END) -> Values:
        """What a name of a module holds."""
        if module not in self.touched:
            self.touch(module)
        assigned = self.globals.get((module, name))
        values = EMPTY if assigned is None else self.read(assigned)
        found = module.scope.reaching(name, before)
        if module.scope.stars:
            last = found[-1].at if found else -1
            if starred := self._starred(frame, module, name, at, last, before):
                return values | starred
            if found:
                values |= self._starred(frame, module, name, at, found[0].at if found[0].always else -1, last)
        if found:
            bound = self.bound_values(frame, module, None, found, name, at)
            return values | bound if values else bound
        if values:
            return values
        if name in _MODULE_NAMES:
            return self._of_module_name(frame, name)
        return frozenset((self.pool.foreign(f"builtins.{name}"),)) if name in _BUILTINS else EMPTY

    def _of_module_name(self, frame: Frame, name: str) -> Values:
        if name == "__name__":
            return frozenset((self.pool.text(frame.module.name),))
        if name == "__package__":
            return frozenset((self.pool.text(frame.module.absolute(1, "")),))
        return frozenset((self.pool.thing("builtins.str", frame.mode),))

    def _starred(self, frame: Frame, module: ModuleInfo, name: str, at: int, after: int, before: int) -> Values:
        """What star imports between two places of a module make of a name: the last that has it."""
        stars = [one for one in module.scope.stars if after < one.at < before]
        if not stars or (module, name) in self._looking:
            return EMPTY
        self._looking.add((module, name))
        values = EMPTY
        for star in reversed(stars):
            values |= self._of_star(frame, module, star.statement, name, at)
            if values and star.always:
                break
        self._looking.discard((module, name))
        return values

    def _of_star(self, frame: Frame, module: ModuleInfo, star: Any, name: str, at: int) -> Values:
        full = module.absolute(star.level, star.module)
        own = self.program.find(full, module)
        if own is not None:
            return self.module_member(frame, own, name, at) if self._is_public(own, name) else EMPTY
        listed = f"{full}.{name}" in self.catalogue.decisions and not name.startswith("_")
        return frozenset((self.pool.foreign(f"{full}.{name}"),)) if listed else EMPTY

    def _is_public(self, module: ModuleInfo, name: str) -> bool:
        """Whether a star import takes a name: one of `__all__`, or one without underscore where there is none."""
        public = module.scope.reaching("__all__")
        values = [getattr(one.statement, "value", None) for one in public]
        lists = [one for one in values if isinstance(one, s.Display)]
        if not lists or len(lists) < len(public) or "__all__" in module.scope.fills:
            return bool(public) or not name.startswith("_")
        items = [item for one in lists for item in one.items]
        return any(not isinstance(item, s.Const) or item.text == name for item in items)

    def module_member(self, frame: Frame, module: ModuleInfo, name: str, at: int) -> Values:
        """`module.name`: what the module binds, or a module in its folder."""
        if name in module.scope.bindings or module.scope.stars or (module, name) in self.globals:
            found = self.module_name(frame, module, name, at)
            if any(not (isinstance(one, Foreign) and one.name == f"builtins.{name}") for one in found):
                return found
        inner = self.program.find(f"{module.name}.{name}", module) if module.package else None
        if inner is not None:
            return frozenset((self.pool.module(inner),))
        return self._computed(frame, module, name, at)

    def _computed(self, frame: Frame, module: ModuleInfo, name: str, at: int) -> Values:
        """What the `__getattr__` of a module gives."""
        if name.startswith("__") or "__getattr__" not in module.scope.bindings:
            return EMPTY
        values = EMPTY
        for one in self.module_name(frame, module, "__getattr__", at):
            values |= self.call(frame, at, one, self.given_text(name))
        return values

    def given_text(self, text: str) -> Any:
        """The arguments of a call with one string."""
        raise NotImplementedError

    def touch(self, module: ModuleInfo) -> None:
        """Run, once, the statements of a module that bind nothing: they may fill its tables."""
        if module in self.touched:
            return
        self.touched[module] = None
        for one in module.scope.effects:
            if not (isinstance(one, s.Evaluate) and isinstance(one.value, s.Const)):
                self.demand(self.statement(module, None, one))

    def starts_empty(self, frame: Frame, items: Sized) -> None:
        """A container is made; one of a module or class without anything in it is a table that others fill."""
        if not items and frame.mode == IMPORT and frame.context.info is None:
            self.import_all()

    def import_all(self) -> None:
        """A table starts empty: whatever may fill it, in a module that the program imports, is run; of a large program nothing is."""
        if self.whole or self.given_to is None:
            return
        self.whole = True
        modules = self._imported_from(self.given_to.module)
        for module in modules if len(modules) <= MAX_FOLLOWED else ():
            self.touch(module)
            for bindings in list(module.scope.bindings.values()):
                for one in bindings:
                    if isinstance(one.statement, s.Class) and (one.statement.bases or one.statement.keywords) and not one.typing:
                        self.demand(self.statement(module, None, one.statement))

    def _imported_from(self, start: ModuleInfo) -> list[ModuleInfo]:
        """A module and all that it imports, nearest first; of more than are followed, some."""
        found = {start: None}
        for module in (left := [start]):
            names = [name for node in module.scope.imports for name in _modules_named(module, node)]
            for own in (self.program.find(name, module) for name in names):
                if own is not None and own not in found and len(found) <= MAX_FOLLOWED:
                    found[own] = None
                    left.append(own)
        return left

    def statement(self, module: ModuleInfo, cls: ClassInfo | None, statement: s.Stmt) -> Context:
        """The context of a statement of a module or class body."""
        key = (module, cls, statement.at, type(statement))
        found = self.statements.get(key)
        if found is None:
            found = Context(module, IMPORT, statement.at, lambda context: self.run_statement(context, statement))
            found.cls, found.before = cls, statement.at
            found.parent = cls.parent if cls else None
            self.statements[key] = found
        return found

    def bound_values(
        self, frame: Frame, module: ModuleInfo, cls: ClassInfo | None, found: list[Binding], name: str, at: int
    ) -> Values:  # fmt: skip
        """What a name holds behind the statements that bind it."""
        values = EMPTY
        for fill in (cls or module).scope.fills.get(name, ()):
            self.called(frame, self.statement(module, cls, fill), at)
        for one in found:
            statement = one.statement
            if one.unless and self.succeeds(module, one.unless):
                continue
            parent = cls.parent if cls else None
            if isinstance(statement, s.Function) and not statement.decorators:
                values |= {self.pool.function(module.function(statement, cls), parent)}
            elif isinstance(statement, s.Class) and not (
                statement.decorators or any(word != "metaclass" for word, _ in statement.keywords)
            ):
                values |= {self.pool.cls(module.cls(statement, parent))}
            elif isinstance(statement, s.Import):
                values |= self.imported(frame, module, statement, name)
            elif isinstance(statement, s.ImportFrom):
                values |= self.imported_from(frame, module, statement, name, at)
            else:
                values |= self._evaluated(frame, self.statement(module, cls, statement), name, at)
        return values

    def _evaluated(self, frame: Frame, context: Context, name: str, at: int) -> Values:
        self.demand(context)
        if context is not frame.context:
            self.called(frame, context, at)
        return self.read(context.variable(name))

    # what imports bind

    def imported(self, frame: Frame, module: ModuleInfo, node: s.Import, name: str) -> Values:
        """What `import a.b` or `import a.b as name` binds."""
        values = EMPTY
        for dotted, alias in node.names:
            self._flag_import(frame, module, node.at, dotted)
            if alias == name:
                values |= self.module_named(dotted, module)
            elif not alias and dotted.partition(".")[0] == name:
                values |= self.module_named(name, module)
        return values

    def _flag_import(self, frame: Frame, module: ModuleInfo, at: int, dotted: str) -> None:
        for entry in self.catalogue.decide(dotted) or ():
            if entry.kind == "import":
                self.fact(frame, Fact(entry.category, (module, at), dotted, entry))

    def succeeds(self, module: ModuleInfo, imports: tuple[s.Stmt, ...]) -> bool:
        """Whether imports cannot fail: of the program's own modules, or of the standard library, as far as it is loaded here."""
        for one in imports:
            names = [(name, "") for name, _ in one.names] if isinstance(one, s.Import) else []
            if isinstance(one, s.ImportFrom):
                names = [(module.absolute(one.level, one.module), name) for name, _ in one.names]
            if not all(self._exists(module, full, member) for full, member in names):
                return False
        return True

    def _exists(self, module: ModuleInfo, full: str, member: str) -> bool:
        if self.program.find(full, module) is not None:
            return True
        if full.partition(".")[0] not in sys.stdlib_module_names:
            return False
        loaded = sys.modules.get(full)
        return loaded is None or member in ("", "*") or hasattr(loaded, member)

    def module_named(self, dotted: str, importer: ModuleInfo) -> Values:
        """A module by its full name."""
        own = self.program.find(dotted, importer)
        return frozenset((self.pool.foreign(dotted) if own is None else self.pool.module(own),))

    def imported_from(self, frame: Frame, module: ModuleInfo, node: s.ImportFrom, name: str, at: int) -> Values:
        """What `from a import b as name` binds."""
        key = (module, f"{node.at} {name}")
        if key in self._looking:  # a package that imports its own module from itself, or two that import from each other
            return EMPTY
        self._looking.add(key)
        full = module.absolute(node.level, node.module)
        values = EMPTY
        for original, alias in node.names:
            if alias == name:
                self._flag_import(frame, module, node.at, full)
                values |= self.member_named(frame, full, original, module, at)
        self._looking.discard(key)
        return values

    def member_named(self, frame: Frame, full: str, name: str, importer: ModuleInfo, at: int) -> Values:
        """A name of a module, own or not, or a module in a package."""
        own = self.program.find(full, importer)
        if own is not None:
            return self.module_member(frame, own, name, at) or ANYTHING
        inner = self.program.find(f"{full}.{name}", importer)
        if inner is not None:
            return frozenset((self.pool.module(inner),))
        return frozenset((self.pool.foreign(f"{full}.{name}"),))

    def scratch(self, module: ModuleInfo, cls: ClassInfo | None, parent: Context | None, before: int) -> Frame:
        """A frame to evaluate annotations and bases in: what it notes is thrown away."""
        context = Context(module, TYPES, before, lambda _: None)
        context.cls, context.parent, context.before = cls, parent, before
        return Frame(context)


def _modules_named(module: ModuleInfo, node: s.Import | s.ImportFrom) -> Iterator[str]:
    """The modules that an import may run, the packages around them first."""
    for dotted, _ in node.names if isinstance(node, s.Import) else ():
        parts = dotted.split(".")
        yield from (".".join(parts[: index + 1]) for index in range(len(parts)))
    if isinstance(node, s.ImportFrom):
        full = module.absolute(node.level, node.module)
        parts = full.split(".")
        yield from (".".join(parts[: index + 1]) for index in range(len(parts)))
        yield from (f"{full}.{name}" for name, _ in node.names if name != "*")
