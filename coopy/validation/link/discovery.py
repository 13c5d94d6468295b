"""Finds the domains of a program: what it passes to init_system, and with which arguments it makes objects of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.validation import summary as s
from coopy.validation.link.hazards import Args
from coopy.validation.link.interpret import Interpreter
from coopy.validation.link.machine import Context, Frame
from coopy.validation.link.scopes import AT_END, ClassInfo
from coopy.validation.link.values import TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coopy.catalogue import Catalogue
    from coopy.validation.link.scopes import ModuleInfo, Program
    from coopy.validation.link.values import Values


class Discovery(Interpreter):
    """Finds the classes that a program passes to init_system, by running, for their types only, the functions that mention it.

    `built`: the arguments with which these functions make objects, by class.
    """

    def __init__(self, program: Program, catalogue: Catalogue) -> None:
        super().__init__(program, catalogue)
        self.built: dict[ClassInfo, list[Args]] = {}

    def construct(self, frame: Frame, at: int, cls: ClassInfo, args: Args) -> Values:
        """As every object, and its arguments are noted."""
        self.built.setdefault(cls, []).append(args)
        return super().construct(frame, at, cls, args)

    def domains(self, module: ModuleInfo) -> list[ClassInfo]:
        """The classes that a module passes."""
        before = set(self.wrapped)
        context = Context(module, TYPES, 0, lambda _: None)
        context.before = AT_END
        names = _spellings(module.body)
        self._run(Frame(context), module.body, names)
        for function, owner in list(_functions(module.body, module, names)):
            info = module.function(function, owner)
            frame = self.scratch(module, owner, None, AT_END)
            values: Values = frozenset((self.pool.function(info, None),))
            if owner is not None:
                values = frozenset(self.pool.method(one, self.pool.object(owner, TYPES)) for one in values)
            self.call_all(frame, function.at, values, Args(open_=True))
        self.settle()
        return [one for one in self.wrapped if one not in before]

    def _run(self, frame: Frame, body: list[s.Stmt], names: list[bytes]) -> None:
        """The statements of a module, its main guard too."""
        for one in body:
            if isinstance(one, s.If):
                self._run(frame, one.body, names)
                self._run(frame, one.orelse, names)
            elif isinstance(one, (s.Try, s.With, s.For)):
                self._run(frame, one.body, names)
            elif isinstance(one, (s.Evaluate, s.Assign, s.Augment)) and _mentions(one, names):
                frame.env = {}
                self._environment(frame, body, names)
                self.run_body(frame, [one])

    def _environment(self, frame: Frame, body: list[s.Stmt], names: list[bytes]) -> None:
        """Names that the statements around bind, for a main guard binds what the module does not."""
        for one in body:
            if isinstance(one, (s.Assign, s.Import, s.ImportFrom)) and not (isinstance(one, s.Assign) and _mentions(one, names)):
                self.run_body(frame, [one])


def _functions(
    body: list[s.Stmt], module: ModuleInfo, names: list[bytes], owner: ClassInfo | None = None
) -> Iterator[tuple[s.Function, ClassInfo | None]]:
    """Functions whose bodies mention init_system, with the class they stand in."""
    for one in body:
        if isinstance(one, s.Function):
            encoded = bytes(one.body)
            if any(name in encoded for name in names):
                yield one, owner
        elif isinstance(one, s.Class):
            yield from _functions(one.body, module, names, module.cls(one, None))
        elif isinstance(one, (s.If, s.Try, s.With, s.For)):
            yield from _functions(one.body, module, names, owner)
            yield from _functions(getattr(one, "orelse", []), module, names, owner)


def _spellings(body: list[s.Stmt]) -> list[bytes]:
    """What init_system, or that of coopy.aio, is called in a module."""
    names = {"init_system", "init_persistent_system", "aio"}
    for one in body:
        if isinstance(one, s.ImportFrom):
            names |= {alias for name, alias in one.names if name == "open" and one.module == "coopy.aio"}
            names |= {alias for name, alias in one.names if name in names}
    return [name.encode() for name in sorted(names)]


def _mentions(one: s.Stmt, names: list[bytes]) -> bool:
    data = s.encode(one)
    return any(name in data for name in names)
