"""Built-in functions that look into modules, classes and objects by name, and ask and make types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coopy.validation import summary as s
from coopy.validation.link.built import PARTS, bare_statement, class_statement
from coopy.validation.link.copying import Copying
from coopy.validation.link.hazards import Args
from coopy.validation.link.order import names_in
from coopy.validation.link.values import (
    ANYTHING,
    EMPTY,
    NONE,
    STATE,
    Box,
    ClassValue,
    ModuleValue,
    Object,
    Pack,
    Text,
    Thing,
)  # fmt: skip

if TYPE_CHECKING:
    from coopy.validation.link.machine import Frame
    from coopy.validation.link.values import Value, Values

MAX_NAMES = 12  # that getattr is followed for; more are no dispatch


class Reflecting(Copying):
    """Names and types."""

    def _globals(self, frame: Frame, _at: int, _name: str, _args: Args) -> Values:
        """The names of a module are as good as the module."""
        return frozenset((self.pool.module(frame.module),))

    def _vars(self, frame: Frame, at: int, _name: str, args: Args) -> Values:
        """The members of a class or module by their names, or what an object holds."""
        out = EMPTY
        for one in args.positional[0] if args.positional else EMPTY:
            if isinstance(one, (ClassValue, ModuleValue, Object)):
                out |= self.attribute(frame, at, one, "__dict__")
        return out or ANYTHING

    def class_names(self, frame: Frame, at: int, value: ClassValue) -> Values:
        """The members of a class by their names."""
        box = self.new_box(frame, at, "dict")
        for name in value.cls.scope.bindings:
            self.write(self.slot(box, name), self.member_values(frame, value.cls, name, at))
        return frozenset((box,))

    def _import_module(self, frame: Frame, _at: int, name: str, args: Args) -> Values:
        """importlib.import_module of a name that is written in the program, from the package that is written or else the module's own."""
        texts = [one.text for one in args.get(0, "name") or EMPTY if isinstance(one, Text)]
        packages = [
            one.text for one in (args.get(1, "package") if name == "importlib.import_module" else None) or EMPTY if isinstance(one, Text)
        ]
        names = []
        for one in texts:
            dots, rest = len(one) - len(one.lstrip(".")), one.lstrip(".")
            names += [_relative(package, dots, rest) for package in packages] if dots and packages else [frame.module.absolute(dots, rest)]
        return frozenset().union(*(self.module_named(one, frame.module) for one in names)) or ANYTHING

    def modules_named(self, frame: Frame, names: Values) -> Values:
        """Modules of the program by their full names."""
        found = (one for name in names if isinstance(name, Text) for one in self.module_named(name.text, frame.module))
        return frozenset(one for one in found if isinstance(one, ModuleValue))

    def _namespace(self, frame: Frame, at: int, _name: str, args: Args) -> Values:
        """An object whose attributes are the arguments."""
        box = self.new_box(frame, at, "namespace")
        for key, values in args.keywords.items():
            self.write(self.slot(box, key), values)
        return frozenset((box,))

    def _record(self, frame: Frame, at: int, _name: str, args: Args) -> Values:
        """`namedtuple("Point", "x y")`: a class."""
        names = [one.text.replace(",", " ").split() for one in args.get(1, "field_names") or EMPTY if isinstance(one, Text)]
        for values in args.positional[1:2]:
            for one in values:
                inside = [first for pair in self._elements_of(frame, at, one) if isinstance(pair, Pack) for first in pair.items[0]]
                names.append([text.text for text in (*inside, *self._elements_of(frame, at, one)) if isinstance(text, Text)])
        fields = max(names, key=len, default=[])
        title = next((one.text for one in args.get(0, "typename") or EMPTY if isinstance(one, Text)), "")
        return frozenset((self.pool.cls(self.record(frame.module, at, title, fields)),)) if fields else ANYTHING

    # objects, attributes, types

    def _getattr(self, frame: Frame, at: int, _name: str, args: Args) -> Values:
        out = args.get(2, "default") or EMPTY
        names = [one.text for one in args.get(1, "name") or EMPTY if isinstance(one, Text)]
        for one in args.positional[0] if args.positional else EMPTY:
            for name in (names if len(names) <= MAX_NAMES else ()) or self._candidates(one, args.node(1, "name")):
                out |= self.attribute_taken(frame, at, one, name)
            if not names and isinstance(one, Object):
                out |= self.call_special(frame, at, one, "__getattr__", Args([args.get(1, "name") or ANYTHING]))
        return out or ANYTHING

    def attribute_taken(self, frame: Frame, at: int, value: Value, name: str) -> Values:
        """An attribute that is kept: where it was taken is noted (see `expressions.py`)."""
        raise NotImplementedError

    def _candidates(self, value: Value, node: s.Expr | None) -> list[str]:
        """Methods whose names begin as the name that is put together does."""
        head = node.left if isinstance(node, s.Binary) else node
        prefix = head.text.partition(s.FIELD)[0] if isinstance(head, (s.Format, s.Const)) else ""
        if not prefix or not isinstance(value, Object):
            return []
        found = {name: None for one in self.order(value.cls) if not isinstance(one, str) for name in one.scope.bindings}
        return [name for name in found if name.startswith(prefix)]

    def _setattr(self, frame: Frame, at: int, _name: str, args: Args) -> Values:
        for one in args.positional[0] if args.positional else EMPTY:
            for text in args.get(1, "name") or EMPTY:
                if isinstance(text, Text):
                    self.assign_attribute(frame, at, one, text.text, args.get(2, "value") or EMPTY)
                else:
                    self.give(frame, STATE, [args.get(2, "value") or EMPTY])
                    self.mutated(frame, at, one, "setattr")
        return NONE

    def _type(self, frame: Frame, at: int, _name: str, args: Args) -> Values:
        """type(x), or a class made of its parts."""
        if len(args.positional) == PARTS:
            return self._built(frame, at, args)
        out: Values = EMPTY
        for one in args.positional[0] if len(args.positional) == 1 else EMPTY:
            if isinstance(one, Object):
                out |= {self.pool.cls(one.cls, one.open)}
            elif isinstance(one, Thing) and one.type.startswith("datetime."):
                out |= {self.pool.foreign(one.type)}
        return out or frozenset((self.pool.thing("builtins.type", frame.mode),))

    def _built(self, frame: Frame, at: int, args: Args) -> Values:
        """A class statement that says the same, whose names are those of the call; what is not written there is put into the class."""
        written = class_statement(at, args)
        parent = frame.context if frame.context.info is not None else frame.context.parent
        cls = frame.module.cls(written or bare_statement(at, args), parent)
        if frame.context.info is not None:
            for name in dict.fromkeys(names_in(cls.node)):
                self.write(frame.context.variable(name), (frame.env or {}).get(name, EMPTY))
        if written is None:
            if cls.bases is None:
                cls.bases = [
                    one.cls if isinstance(one, ClassValue) else getattr(one, "name", None)
                    for one in self.elements(frame, at, args.positional[1])
                ]
                self._order(cls)
            for one in args.positional[2]:
                for name, cell in list(one.slots.items()) if isinstance(one, Box) else ():
                    self.write(self.attribute_cell(cls, "class", name), self.read(cell))
        self.created(frame, at, cls)
        return frozenset((self.pool.cls(cls),))

    def _super(self, frame: Frame, _at: int, _name: str, args: Args) -> Values:
        if len(args.positional) > 1:
            classes = [one.cls for one in args.positional[0] if isinstance(one, ClassValue)]
            return frozenset(self.pool.super(cls, one) for cls in classes for one in args.positional[1])
        context: Any = frame.context
        while context is not None and (context.info is None or context.info.owner is None):
            context = context.parent
        if context is None:
            return ANYTHING
        params = context.info.node.params
        receivers = self.read(context.variable(params[0].name)) if context is not frame.context and params else EMPTY
        if context is frame.context and params and frame.env is not None:
            receivers = context.args.get(params[0].name) or frame.env.get(params[0].name, EMPTY)
        return frozenset(self.pool.super(context.info.owner, one) for one in receivers)


def _relative(package: str, dots: int, name: str) -> str:
    """The absolute name of `.name`, seen from a package."""
    parts = package.split(".")
    return ".".join((*parts[: len(parts) - dots + 1], *([name] if name else [])))
