"""Classes: bases, order of classes, members, and what an annotation says about a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.validation import summary as s
from coopy.validation.link.names import Names
from coopy.validation.link.scopes import AT_END, ClassInfo
from coopy.validation.link.values import ANY, EMPTY, NONE, ClassValue, Foreign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coopy.validation.link.machine import Frame
    from coopy.validation.link.scopes import Binding, ModuleInfo
    from coopy.validation.link.values import Value, Values

_DATACLASSES = frozenset((
    "dataclasses.dataclass", "attr.s", "attr.attrs", "attr.define", "attr.frozen", "attr.mutable", "attr.dataclass", "attrs.define",
    "attrs.frozen", "attrs.mutable", "pydantic.dataclasses.dataclass",
))  # fmt: skip
RECORDS = frozenset(
    ("typing.NamedTuple", "pydantic.BaseModel", "msgspec.Struct", "typing.TypedDict")
)  # bases that make fields of annotations
_CONTAINERS = {
    "builtins.list": "list", "builtins.set": "set", "builtins.frozenset": "frozenset", "builtins.dict": "dict", "builtins.tuple": "tuple",
    "typing.List": "list", "typing.Set": "set", "typing.FrozenSet": "frozenset", "typing.Dict": "dict", "typing.Tuple": "tuple",
    "collections.deque": "deque", "typing.Deque": "deque", "collections.defaultdict": "dict", "typing.DefaultDict": "dict",
    "collections.OrderedDict": "dict", "typing.OrderedDict": "dict", "collections.Counter": "dict", "typing.Counter": "dict",
    **{f"{where}.{name}": kind for where in ("typing", "collections.abc") for name, kind in {
        "Sequence": "list", "MutableSequence": "list", "Iterable": "list", "Iterator": "iterator", "Collection": "list",
        "Mapping": "dict", "MutableMapping": "dict", "AbstractSet": "set", "Set": "set", "MutableSet": "set", "Generator": "iterator",
    }.items()},
}  # fmt: skip
_TRANSPARENT = frozenset(("Optional", "Union", "Annotated", "ClassVar", "Final", "Required", "NotRequired", "ReadOnly", "InitVar"))
PLAIN = frozenset(("builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol"))  # bases that bring nothing
_ABSTRACT = frozenset(("typing.Any", "builtins.object", "typing.Self", "typing_extensions.Self"))


class Classes(Names):
    """Classes and annotations."""

    def bases(self, cls: ClassInfo) -> list[ClassInfo | str | None]:
        """The bases of a class: classes of the program, names of others, None for what is not known."""
        if cls.bases is None:
            cls.bases = []  # a class among its own bases, in a broken program
            frame = self.scratch(cls.module, None, cls.parent, cls.node.at)
            for one in cls.node.bases:
                base = one.value if isinstance(one, s.Subscript) else one
                cls.bases += [self._base(value) for value in self.eval(frame, base)] or [None]
            self._order(cls)
        return cls.bases

    def _base(self, value: Value) -> ClassInfo | str | None:
        if isinstance(value, ClassValue):
            return value.cls
        if isinstance(value, Foreign):
            return value.name
        return None

    def order(self, cls: ClassInfo) -> list[ClassInfo | str]:
        """The order in which its members are looked up."""
        if cls.bases is None:
            self.bases(cls)
        return cls.mro

    def _order(self, cls: ClassInfo) -> None:
        bases = cls.bases or []
        cls.known = all(one is not None and (isinstance(one, str) or (self.order(one) and one.known)) for one in bases)
        plain = [one for one in bases if one is not None]
        lines: list[list[ClassInfo | str]] = [list(self.order(one)) if isinstance(one, ClassInfo) else [one] for one in plain]
        lines.append(list(plain))
        cls.mro = [cls]
        while lines := [line for line in lines if line]:
            heads = (line[0] for line in lines)
            first = next((one for one in heads if not any(one in line[1:] for line in lines)), lines[0][0])
            cls.mro.append(first)
            lines = [[one for one in line if one is not first] for line in lines]

    def member(self, cls: ClassInfo, name: str, after: ClassInfo | None = None) -> tuple[ClassInfo, list[Binding]] | str | None:
        """Who defines a member and the statements that do, or the base outside the program that may, or None."""
        if after is None:
            try:
                return cls.lookups[name]
            except KeyError:
                pass
        order = self.order(cls)
        start = order.index(after) + 1 if after in order else 0
        found: tuple[ClassInfo, list[Binding]] | str | None = None
        for one in order[start:]:
            if isinstance(one, str):
                if one not in PLAIN:
                    found = one
                    break
            elif bindings := one.scope.reaching(name):
                found = (one, bindings)
                break
        if after is None:
            cls.lookups[name] = found
        return found

    def member_values(self, frame: Frame, cls: ClassInfo, name: str, at: int, after: ClassInfo | None = None) -> Values:
        """The values of a member as the class body leaves them."""
        found = self.member(cls, name, after)
        if found is None or isinstance(found, str):
            return EMPTY
        owner, bindings = found
        self.touch_class(owner)
        return self.bound_values(frame, owner.module, owner, bindings, name, at)

    def touch_class(self, cls: ClassInfo) -> None:
        """Run, once, the statements of a class body that may register something: those that bind nothing, and decorated ones."""
        if cls not in self.touched_classes:
            self.touched_classes.add(cls)
            for one in cls.scope.effects:
                if isinstance(one, s.Function) and not any(map(_registers, one.decorators)):
                    continue
                if not (isinstance(one, s.Evaluate) and isinstance(one.value, s.Const)):
                    self.demand(self.statement(cls.module, cls, one))

    def metaclasses(self, cls: ClassInfo) -> list[ClassInfo]:
        """Its metaclasses that the program has, its own before those of its bases."""
        self.order(cls)
        found: dict[ClassInfo, None] = {}
        for one in cls.own():
            for name, node in one.node.keywords:
                if name == "metaclass":
                    values = self.eval(self.scratch(one.module, None, one.parent, one.node.at), node)
                    found.update(dict.fromkeys(value.cls for value in values if isinstance(value, ClassValue)))
        return list(found)

    def is_subclass(self, cls: ClassInfo, other: ClassInfo) -> bool:
        """Whether a class is another or derives from it."""
        return other in self.order(cls)

    def is_dataclass(self, cls: ClassInfo) -> bool:
        """Whether its constructor is made of its annotated names."""
        if cls.dataclass is None:
            cls.dataclass = self._is_dataclass(cls)
        return cls.dataclass

    def _is_dataclass(self, cls: ClassInfo) -> bool:
        for one in cls.node.decorators:
            frame = self.scratch(cls.module, None, cls.parent, cls.node.at)
            values = self.eval(frame, one.func if isinstance(one, s.Call) else one)
            if any(isinstance(value, Foreign) and value.name in _DATACLASSES for value in values):
                return True
        return any(base in RECORDS for base in self.order(cls) if isinstance(base, str))

    def fields(self, cls: ClassInfo) -> list[tuple[str, ClassInfo, Binding | None, s.Expr | None]]:
        """Fields of a dataclass in order: name, class, the statement with its default, annotation."""
        if cls.fields is None:
            fields: dict[str, tuple[str, ClassInfo, Binding | None, s.Expr | None]] = {}
            for one in reversed([base for base in self.order(cls) if isinstance(base, ClassInfo)]):
                if self.is_dataclass(one):
                    for name, annotation in self._field_names(one):
                        if annotation is None or not self._is_no_field(annotation):
                            fields[name] = (name, one, next(iter(one.scope.reaching(name)), None), annotation)
            cls.fields = list(fields.values())
        return cls.fields

    def _field_names(self, cls: ClassInfo) -> Iterator[tuple[str, s.Expr | None]]:
        """Annotated names, and those that are assigned an attr.ib()."""
        yield from cls.scope.annotations.items()
        for name, bindings in cls.scope.bindings.items():
            value = bindings[-1].statement.value if isinstance(bindings[-1].statement, s.Assign) else None
            if name not in cls.scope.annotations and isinstance(value, s.Call) and getattr(value.func, "name", "") in ("ib", "attrib"):
                yield name, None

    def _is_no_field(self, node: s.Expr) -> bool:
        head = node.value if isinstance(node, s.Subscript) else node
        return isinstance(head, (s.Name, s.Attribute)) and head.name in ("ClassVar", "KW_ONLY")

    def record(self, module: ModuleInfo, at: int, name: str, fields: list[str]) -> ClassInfo:
        """A class with these fields, which no class statement has made."""
        found = module.records.get(at)
        if found is None:
            body: list[s.Stmt] = [s.Assign(at, [s.Name(at, one)], None, s.Const(at, "", "")) for one in fields]
            found = module.records[at] = ClassInfo(module, s.Class(at, name, [], [], [], body), None)
            found.bases = ["typing.NamedTuple"]
            self._order(found)
        return found

    # annotations

    def annotated(self, frame: Frame, node: s.Expr, depth: int = 0) -> Values:
        """What a value with this annotation may be; empty if that says nothing."""
        if depth > 6:  # noqa: PLR2004 - an alias that names itself
            return EMPTY
        if isinstance(node, (s.Name, s.Attribute)):
            return self._named(frame, node, depth)
        if isinstance(node, s.Subscript):
            return self._subscripted(frame, node, depth)
        if isinstance(node, s.Binary) and node.op == "or":
            return self.annotated(frame, node.left, depth + 1) | self.annotated(frame, node.right, depth + 1)
        if isinstance(node, s.Const) and node.kind == "NoneType":
            return NONE
        return EMPTY

    def _named(self, frame: Frame, node: s.Name | s.Attribute, depth: int) -> Values:
        if isinstance(node, s.Name) and (alias := self._alias(frame, node.name)) is not None:
            return self.annotated(frame, alias, depth + 1)
        values = EMPTY
        for one in self.eval(frame, node):
            if isinstance(one, ClassValue):
                values |= {self.pool.object(one.cls, frame.mode, ANY)}
            elif isinstance(one, Foreign) and one.name not in _ABSTRACT:
                values |= self._foreign_type(frame, one.name, node.at)
        return values

    def _foreign_type(self, frame: Frame, name: str, at: int) -> Values:
        if kind := _CONTAINERS.get(name):
            box = self.pool.box(kind, (frame.module, at), frame.mode)
            box.typed = True
            return frozenset((box,))
        if name.startswith(("typing.", "collections.abc.")):
            return EMPTY
        canonical = self.catalogue.canonical(name)
        note = "given" if canonical in ("datetime.datetime", "datetime.time") else ""
        return frozenset((self.pool.thing(canonical, frame.mode, note),))

    def _alias(self, frame: Frame, name: str) -> s.Expr | None:
        """The type that a name of the module stands for."""
        if name in frame.binds:
            return None
        found = frame.module.scope.reaching(name, AT_END)
        if len(found) == 1 and isinstance(found[0].statement, s.Assign):
            value = found[0].statement.value
            return value if isinstance(value, (s.Subscript, s.Binary, s.Attribute, s.Name)) else None
        return None

    def _subscripted(self, frame: Frame, node: s.Subscript, depth: int) -> Values:
        parts = node.index.items if isinstance(node.index, s.Display) and node.index.kind == "tuple" else [node.index]
        values = EMPTY
        for head in self.eval(frame, node.value):
            name = head.name if isinstance(head, Foreign) else ""
            last = name.rpartition(".")[2]
            if isinstance(head, ClassValue):
                values |= {self.pool.object(head.cls, frame.mode, ANY)}
            elif last in _TRANSPARENT:
                for one in parts if last == "Union" else parts[:1]:
                    values |= self.annotated(frame, one, depth + 1)
                values |= NONE if last == "Optional" else EMPTY
            elif name in ("builtins.type", "typing.Type"):
                values |= {one for one in self.eval(frame, parts[0]) if isinstance(one, (ClassValue, Foreign))}
            elif kind := _CONTAINERS.get(name):
                values |= self._container(frame, kind, node, parts, depth)
        return values

    def _container(self, frame: Frame, kind: str, node: s.Subscript, parts: list[s.Expr], depth: int) -> Values:
        inner = [self.annotated(frame, one, depth + 1) for one in parts]
        fixed = kind == "tuple" and not any(isinstance(one, s.Const) and not one.text for one in parts)
        if fixed and all(inner):
            return frozenset((self.pool.pack(tuple(inner)),))
        box = self.pool.box(kind, (frame.module, node.at), frame.mode)
        box.typed = True
        if kind == "dict":
            self.write(box.keys, inner[0])
            self.write(box.hint, inner[1] if len(inner) > 1 else EMPTY)
        else:
            for one in inner if kind == "tuple" else inner[:1]:
                self.write(box.hint, one)
        return frozenset((box,))


def _registers(decorator: s.Expr) -> bool:
    """`@f.register`, `@f.register(T)`."""
    named = decorator.func if isinstance(decorator, s.Call) else decorator
    return isinstance(named, s.Attribute) and named.name == "register"
