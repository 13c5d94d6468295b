"""Objects of the program's classes made: metaclass, `__new__`, `__init__`, and the constructors that dataclasses and their like are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coopy.validation import summary as s
from coopy.validation.link.contexts import Contexts
from coopy.validation.link.enums import enum_members, is_enum
from coopy.validation.link.hazards import Args
from coopy.validation.link.machine import Frame
from coopy.validation.link.values import ANYTHING, EMPTY, UNKNOWNS, Box, ClassValue, Descriptor, Foreign, Object

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coopy.validation.link.scopes import ClassInfo
    from coopy.validation.link.values import Values

_AFTER_FIELDS = ("__post_init__", "__attrs_post_init__", "model_post_init")
_VALIDATORS = frozenset(("field_validator", "model_validator", "validator", "root_validator"))  # of pydantic


class Constructing(Contexts):
    """Constructors. `named`: the classes that a metaclass makes, by its own name and theirs."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.named: dict[tuple[ClassInfo, str], ClassInfo] = {}

    def _construct_any(self, frame: Frame, at: int, value: ClassValue, args: Args) -> Values:
        """An object of a class of a family."""
        classes = dict.fromkeys(
            (value.cls, *(one for name in ("__new__", "__init__") for one in self.overriders(value.cls, name, value.open)))
        )
        others = (one for cls in classes for one in self.construct(frame, at, cls, args))
        inside = frozenset(one for one in others if not (isinstance(one, Object) and value.cls in self.order(one.cls)))
        return inside | {self.pool.object(value.cls, frame.mode, value.open)}

    def construct(self, frame: Frame, at: int, cls: ClassInfo, args: Args) -> Values:
        """An object of a class of the program."""
        self.pool.object(cls, frame.mode)
        self.attribute_cell(cls, frame.mode, "__init__")
        if result := self._metaclass(frame, at, cls, args):
            return result
        if not isinstance(self.member(cls, "__init__"), tuple) or not self._is_conditional(cls):
            self.flag_bases(frame, at, cls, args)
        if is_enum(self, cls) and args.positional:
            self.call_all(frame, at, self.member_bound(frame, at, cls, "_missing_"), Args(args.positional))
            return enum_members(self, frame, at, cls)
        return self.make(frame, at, cls, args)

    def _is_conditional(self, cls: ClassInfo) -> bool:
        """Whether it depends on what a base outside the program is given: the constructor of the program says."""
        return any(entry.when for base in cls.foreign() for entry in self.catalogue.decide(base) or ())

    def flag_bases(self, frame: Frame, at: int, cls: ClassInfo, args: Args) -> None:
        """An object of a class that derives from such as the catalogue knows is given these arguments."""
        for base in cls.foreign() if self.order(cls) else ():
            for entry in self.catalogue.decide(base) or ():
                if entry.kind == "class":
                    self._flag(frame, (frame.module, at), at, base, entry, args, None)

    def created(self, frame: Frame, at: int, cls: ClassInfo) -> None:
        """A class statement has run: its metaclass and the `__init_subclass__` of a base hear of it."""
        made: Values = frozenset((self.pool.cls(cls),))
        name: Values = frozenset((self.pool.text(cls.node.name),))
        given = {word: self.eval(frame, node) for word, node in cls.node.keywords if word not in ("", "metaclass")}
        for one in self.metaclasses(cls):
            for special, first in (("__new__", frozenset((self.pool.cls(one),))), ("__init__", made)):
                if isinstance(self.member(one, special), tuple):
                    self.named[one, cls.node.name] = cls
                    args = Args([first, name, ANYTHING, ANYTHING], given)
                    self.call_all(frame, at, self.member_values(frame, one, special, at), args)
        if isinstance(self.member(cls, "__init_subclass__", cls), tuple):
            for function in self.member_values(frame, cls, "__init_subclass__", at, cls):
                functions = function.parts[0] if isinstance(function, Descriptor) else frozenset((function,))
                self.call_all(frame, at, functions, Args([made], given))

    def callbacks(self, frame: Frame, at: int, args: Args) -> None:
        """Functions that are handed to something that will call them."""
        raise NotImplementedError

    def elements(self, frame: Frame, at: int, values: Values) -> Values:
        """What iteration gives, in no order."""
        raise NotImplementedError

    def callbacks_of_base(self, frame: Frame, at: int, cls: ClassInfo, args: Args) -> None:
        """A constructor outside the program gets functions."""
        if cls.foreign():
            self.callbacks(frame, at, args)

    def _metaclass(self, frame: Frame, at: int, cls: ClassInfo, args: Args) -> Values:
        """What the `__call__` of its metaclass makes, if the program has one."""
        for one in self.metaclasses(cls):
            if isinstance(self.member(one, "__call__"), tuple):
                values = self.member_values(frame, one, "__call__", at)
                return self.call_all(frame, at, values, self._for_class(cls, args))
        return EMPTY

    def _for_class(self, cls: ClassInfo, args: Args) -> Args:
        return Args([frozenset((self.pool.cls(cls),)), *args.positional], args.keywords, star=args.star, open_=args.open)

    def make(self, frame: Frame, at: int, cls: ClassInfo, args: Args) -> Values:
        """What `type.__call__` does: `__new__` and `__init__`."""
        value = self.pool.object(cls, frame.mode)
        made = self._new(frame, at, cls, args)
        if isinstance(self.member(cls, "__init__"), tuple):
            self.call_special(frame, at, value, "__init__", args)
        elif any(self.is_dataclass(one) for one in cls.own()):
            self._fill(frame, at, value, self.fields(cls), args)
        else:
            self.callbacks_of_base(frame, at, cls, args)
        if isinstance(self.member(cls, "__del__"), tuple) and cls.real is not self.given_to:
            self.call_special(frame, at, value, "__del__", Args())  # whenever nothing leads to it any more
        return made or frozenset((value,))

    def _new(self, frame: Frame, at: int, cls: ClassInfo, args: Args) -> Values:
        """__new__, if the program has one; only its results of other classes count."""
        found = self.member(cls, "__new__")
        if not isinstance(found, tuple):
            return EMPTY
        made = Args([frozenset((self.pool.made_class(cls),)), *args.positional], args.keywords, star=args.star, open_=args.open)
        return self.call_all(frame, at, self.member_values(frame, cls, "__new__", at), made) - UNKNOWNS

    def _fill(self, frame: Frame, at: int, value: Object, fields: list[Any], args: Args) -> None:
        """The constructor of a dataclass."""
        positional = list(args.positional)
        for name, owner, binding, annotation in fields:
            how = self._passed(owner, name, binding)
            given = positional.pop(0) if positional and how == "any" else args.keywords.get(name.lstrip("_"), args.keywords.get(name))
            given = None if how == "never" else given
            scratch = self.scratch(owner.module, None, owner.parent, owner.node.at)
            scratch.mode = value.mode
            known = self.annotated(scratch, annotation) if annotation is not None else EMPTY
            if given is None or (args.open and how != "never"):
                default = self._field_default(frame, at, owner, binding, name) if binding is not None else EMPTY
                given = (given or EMPTY) | default
            if binding is not None:
                given = self._converted(frame, at, owner, binding, given) or given
            if not given or not given.isdisjoint(UNKNOWNS):
                given = (given - UNKNOWNS) | (known or ANYTHING)
            self.write(self.attribute_cell(value.cls, value.mode, name), given)
        self._run_hooks(frame, at, value)
        for name in _AFTER_FIELDS:
            if isinstance(self.member(value.cls, name), tuple):
                self.call_special(frame, at, value, name, Args(open_=True))

    def _passed(self, owner: ClassInfo, name: str, binding: Any) -> str:
        """How the constructor takes a field: "any" way, as "keyword" only, or "never"."""
        node = binding.statement.value if binding is not None and isinstance(binding.statement, s.Assign) else None
        options = {word: one.text for word, one in node.keywords if isinstance(one, s.Const)} if isinstance(node, s.Call) else {}
        if options.get("init") == "False":
            return "never"
        for one in owner.node.decorators:
            words = one.keywords if isinstance(one, s.Call) else []
            options = {word: value.text for word, value in words if isinstance(value, s.Const)} | options
        names = list(owner.scope.annotations)
        marks = [index for index, one in enumerate(names) if _is_mark(owner.scope.annotations[one])]
        behind = name in names and bool(marks) and names.index(name) > marks[0]
        return "keyword" if behind or options.get("kw_only") == "True" else "any"

    def _converted(self, frame: Frame, at: int, owner: ClassInfo, binding: Any, given: Values) -> Values:
        """What `field(converter=f, validator=g)` of attrs makes of a value."""
        node = binding.statement.value if isinstance(binding.statement, s.Assign) else None
        hooks = dict(node.keywords) if isinstance(node, s.Call) else {}
        out = EMPTY
        for word in ("validator", "converter"):
            if word in hooks:
                functions = self.eval(Frame(self.statement(owner.module, owner, binding.statement)), hooks[word])
                args = Args([given]) if word == "converter" else Args([frozenset((self.pool.object(owner, frame.mode),)), ANYTHING, given])
                out = self.call_all(frame, at, functions | self.elements(frame, at, _lists(functions)), args)
        return out if "converter" in hooks else EMPTY

    def _run_hooks(self, frame: Frame, at: int, value: Object) -> None:
        """Methods that a decorator makes a part of the constructor: `@x.default`, `@x.validator`, `@field_validator("x")`."""
        for cls in value.cls.own():
            for name, word in self._hooks(cls):
                for one in self.member_values(frame, cls, name, at):
                    functions = one.parts[0] if isinstance(one, Descriptor) else frozenset((one,))
                    made = self.call_all(frame, at, functions, Args([frozenset((value,))], open_=True))
                    if word.endswith(".default"):
                        self.write(self.attribute_cell(value.cls, value.mode, word.partition(".")[0]), made)

    def _hooks(self, cls: ClassInfo) -> Iterator[tuple[str, str]]:
        for name, bindings in cls.scope.bindings.items():
            for decorator in getattr(bindings[-1].statement, "decorators", ()):
                head = decorator.func if isinstance(decorator, s.Call) else decorator
                if isinstance(head, s.Attribute) and isinstance(head.value, s.Name) and head.name in ("default", "validator"):
                    yield name, f"{head.value.name}.{head.name}"
                elif isinstance(head, (s.Name, s.Attribute)) and head.name in _VALIDATORS:
                    yield name, head.name

    def _field_default(self, frame: Frame, at: int, owner: ClassInfo, binding: Any, name: str) -> Values:
        node = binding.statement.value if isinstance(binding.statement, s.Assign) else None
        if isinstance(node, s.Call):
            scratch = self.scratch(owner.module, owner, owner.parent, binding.at)
            head = self.eval(scratch, node.func)
            if any(
                isinstance(one, Foreign) and one.name.rpartition(".")[2] in ("field", "ib", "attrib", "Factory", "Field") for one in head
            ):
                return self._factory(frame, at, owner, binding, node)
        return self.bound_values(frame, owner.module, owner, [binding], name, at)

    def _factory(self, frame: Frame, at: int, owner: ClassInfo, binding: Any, node: s.Call) -> Values:
        """`field(default_factory=f)`: f is called with nothing, for every object."""
        context = self.statement(owner.module, owner, binding.statement)
        inner = Frame(context)
        keywords = dict(node.keywords)
        if (default := keywords.get("default")) is not None:
            values = self.eval(inner, default)
            if isinstance(default, s.Call) and any(
                isinstance(one, Foreign) and one.name.endswith("Factory") for one in self.eval(inner, default.func)
            ):
                return self.call_all(frame, at, self.eval(inner, default.args[0]), Args()) if default.args else EMPTY
            return values
        factory = keywords.get("default_factory", keywords.get("factory"))
        if factory is None and node.args:
            factory = node.args[0]
        if factory is None:
            return EMPTY
        return self.call_all(frame, at, self.eval(inner, factory), Args())


def _is_mark(annotation: s.Expr) -> bool:
    """`_: KW_ONLY`."""
    return isinstance(annotation, (s.Name, s.Attribute)) and annotation.name == "KW_ONLY"


def _lists(values: Values) -> Values:
    return frozenset(one for one in values if isinstance(one, Box))
