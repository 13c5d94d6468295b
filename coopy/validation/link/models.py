"""Functions outside the program whose meaning matters: they call what they are given, or make, read and pass on containers.

All others are looked up in the catalogue, and may call any function that they are given. The tables at the end are the list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coopy.kinds import RECORDED
from coopy.validation import summary as s
from coopy.validation.link.built import class_statement
from coopy.validation.link.copying import Copying
from coopy.validation.link.hazards import Args
from coopy.validation.link.instances import is_instance
from coopy.validation.link.templates import ENCODING, encode_with
from coopy.validation.link.values import (
    ANYTHING,
    BOOL,
    EMPTY,
    FALSE,
    NONE,
    STATE,
    TRUE,
    Box,
    ClassValue,
    Descriptor,
    Foreign,
    FunctionValue,
    Method,
    Object,
    Pack,
    Text,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.validation.link.machine import Frame
    from coopy.validation.link.values import Value, Values

WRAPPERS = frozenset((
    "coopy.init_system", "coopy.base.init_system", "coopy.base.init_persistent_system", "coopy.wiring.init_system", "coopy.aio.open", "coopy.aio.opening.open",
))  # fmt: skip
# what these make of a hash table does not depend on its order, or is watched itself
CALM = frozenset(f"builtins.{one}" for one in (
    "sorted", "len", "sum", "min", "max", "any", "all", "set", "frozenset", "bool", "isinstance", "id", "type", "print", "filter", "map",
    "iter", "enumerate", "zip", "reversed", "list", "tuple",
)) | {"collections.deque", "math.fsum", "statistics.mean", "statistics.median", "collections.Counter", "copy.copy", "copy.deepcopy", "typing.cast"}  # fmt: skip
CHANGERS = frozenset((  # they change their first argument
    "random.shuffle", "coopy.random.shuffle", "heapq.heapify", "operator.setitem", "operator.delitem", "operator.iadd", "operator.ior",
))  # fmt: skip
_LOOKING = ("inspect.", "typing.", "dis.", "asyncio.iscoroutinefunction")  # they look at a function, and do not call it
MAX_NAMES = 12  # that getattr is followed for; more are no dispatch


class Models(Copying):
    """Functions outside the program."""

    def call_foreign(self, frame: Frame, at: int, callee: Foreign, args: Args) -> Values:
        """A call of a dotted name."""
        name = self.catalogue.canonical(callee.name)
        if name in WRAPPERS:
            return self._wrap(frame, at, args)
        if name.startswith(RECORDED):
            self.recorded_calls.setdefault(frame.context, {})[frame.module, at] = name
        known = self.flag_call(frame, at, callee, args)
        if name in CHANGERS:
            self.changes_first(frame, at, name, args)
        if name.endswith(".__new__") and args.positional:
            return self._allocated(frame, args)
        if name in ENCODING:
            encode_with(self, frame, at, args)
        model = _FUNCTIONS.get(name)
        if model is not None:
            return model(self, frame, at, name, args)
        if name.startswith("builtins.") and name.count(".") > 1 and (args.positional or args.star):
            return self._unbound(frame, at, name.rpartition(".")[2], args)
        if name.startswith("itertools."):
            return self._iterators(frame, at, name, args)
        if not known and not name.startswith(("coopy.", "builtins.")):
            self.unresolved.add((frame.module, at))
            frame.context.changes = True  # for all that is known
            self.give(frame, STATE, args.all())  # what it makes of them may be kept
        if not self.runs_elsewhere(name) and not name.startswith(_LOOKING):
            self.callbacks(frame, at, args)
        return self.returned(frame, name, args)

    def _unbound(self, frame: Frame, at: int, name: str, args: Args) -> Values:
        """`set.union(a, b)`, `str.join(", ", names)`, `object.__setattr__(self, "x", 1)`: a method called on its first argument."""
        first = args.positional[0] if args.positional else args.star or EMPTY
        if name == "__new__":
            return frozenset(self.pool.object(one.cls, frame.mode) for one in first if isinstance(one, ClassValue)) or ANYTHING
        out = EMPTY
        for one in first:
            out |= self.call_bound(frame, at, self.pool.bound(one, name), args.shifted())
        return out

    def _wrap(self, frame: Frame, at: int, args: Args) -> Values:
        """init_system: what is passed is a domain."""
        for one in args.get(0, "obj") or EMPTY:
            if isinstance(one, (Object, ClassValue)):
                self.wrapped.setdefault(one.cls, (frame.module, at))
        return ANYTHING

    def _allocated(self, frame: Frame, args: Args) -> Values:
        """`object.__new__(cls)` and the like of other bases outside the program."""
        made = frozenset(self.pool.object(one.cls, frame.mode, one.open) for one in args.positional[0] if isinstance(one, ClassValue))
        return made or ANYTHING

    def _globals(self, frame: Frame, _at: int, _name: str, _args: Args) -> Values:
        """The names of a module are as good as the module."""
        return frozenset((self.pool.module(frame.module),))

    def _vars(self, frame: Frame, at: int, _name: str, args: Args) -> Values:
        """The members of a class by their names, or what an object holds."""
        out = EMPTY
        for one in args.positional[0] if args.positional else EMPTY:
            if isinstance(one, ClassValue):
                box = self.new_box(frame, at, "dict")
                for name in one.cls.scope.bindings:
                    self.write(self.slot(box, name), self.member_values(frame, one.cls, name, at))
                out |= {box}
            elif isinstance(one, Object):
                out |= self.attribute(frame, at, one, "__dict__")
        return out or ANYTHING

    def _import_module(self, frame: Frame, _at: int, _name: str, args: Args) -> Values:
        """importlib.import_module of a name that is written in the program."""
        texts = [one.text for one in args.get(0, "name") or EMPTY if isinstance(one, Text)]
        relative = [frame.module.absolute(len(one) - len(one.lstrip(".")), one.lstrip(".")) for one in texts]
        return frozenset().union(*(self.module_named(one, frame.module) for one in relative)) or ANYTHING

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
        prefix = head.text if isinstance(head, (s.Format, s.Const)) else ""
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
        if frame.context.info is None and (node := class_statement(at, args)) is not None:
            cls = frame.module.cls(node, frame.context.parent)
            self.created(frame, at, cls)
            return frozenset((self.pool.cls(cls),))
        out: Values = EMPTY
        for one in args.positional[0] if len(args.positional) == 1 else EMPTY:
            if isinstance(one, Object):
                out |= {self.pool.cls(one.cls, one.open)}
        return out or frozenset((self.pool.thing("builtins.type", frame.mode),))

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

    def _text(self, frame: Frame, at: int, name: str, args: Args) -> Values:
        if args.positional:
            self.text_of(frame, at, args.positional[0], "r" if name == "builtins.repr" else "")
        return frozenset((self.pool.thing("builtins.str", frame.mode),))

    def _special(self, frame: Frame, at: int, name: str, args: Args) -> Values:
        """len, abs, hash, int, ...: the special method of that name."""
        special = f"__{name.rpartition('.')[2]}__"
        out = EMPTY
        for one in args.positional[0] if args.positional else EMPTY:
            out |= self.call_special(frame, at, one, special, Args(args.positional[1:]))
            if isinstance(one, Box) and name in ("builtins.any", "builtins.all"):
                self._elements_of(frame, at, one)
        kind = name if name in ("builtins.int", "builtins.float", "builtins.bool") else "builtins.int"
        return out or frozenset((self.pool.thing(kind, frame.mode),))

    def _indexed(self, frame: Frame, at: int, name: str, args: Args) -> Values:
        """What takes whole numbers asks an object for one."""
        for values in args.positional:
            for one in values:
                self.call_special(frame, at, one, "__index__", Args())
        return self.returned(frame, name, args)

    def _truth(self, *_: Any) -> Values:
        return BOOL

    def _is_instance(self, _frame: Frame, _at: int, _name: str, args: Args) -> Values:
        """isinstance, where the classes of the program alone decide it."""
        known = is_instance(self, args.positional[0], args.positional[1]) if len(args.positional) > 1 else None
        return BOOL if known is None else frozenset((TRUE if known else FALSE,))

    def _nothing(self, *_: Any) -> Values:
        return NONE

    def _partial(self, _frame: Frame, _at: int, _name: str, args: Args) -> Values:
        if not args.positional:
            return ANYTHING
        return frozenset((self.pool.partial(args.positional[0], tuple(args.positional[1:]), tuple(sorted(args.keywords.items()))),))

    def _partial_method(self, frame: Frame, at: int, name: str, args: Args) -> Values:
        """functools.partialmethod: a partial that gets its object where it is read."""
        return frozenset((self.pool.descriptor("partial", self._partial(frame, at, name, args)),))

    def _getter(self, _frame: Frame, _at: int, name: str, args: Args) -> Values:
        """operator.attrgetter, methodcaller and itemgetter."""
        return frozenset((self.pool.partial(frozenset((self.pool.foreign(f"{name}.called"),)), tuple(args.positional), ()),))

    def _got(self, frame: Frame, at: int, name: str, args: Args) -> Values:
        texts = [one.text for values in args.positional[:-1] for one in values if isinstance(one, Text)]
        out = EMPTY
        for value in args.positional[-1] if args.positional else EMPTY:
            for text in texts[:1] if "methodcaller" in name else texts:
                found = frozenset((value,))
                for part in text.split("."):
                    found = frozenset().union(*(self.attribute(frame, at, one, part) for one in found))
                out |= self.call_all(frame, at, found, Args(args.positional[1:-1])) if "methodcaller" in name else found
        return out or ANYTHING

    def _first(self, _frame: Frame, _at: int, _name: str, args: Args) -> Values:
        """Decorators and copies that stand for what they are given."""
        return args.positional[0] if args.positional else self._identity(args)

    def _second(self, _frame: Frame, _at: int, _name: str, args: Args) -> Values:
        return args.positional[1] if len(args.positional) > 1 else ANYTHING

    def _identity(self, _args: Args) -> Values:
        return frozenset((self.pool.foreign("coopy.validation.identity"),))

    def _maker(self, _frame: Frame, _at: int, _name: str, args: Args) -> Values:
        """A decorator that is called first: `@wraps(f)`, `@lru_cache(maxsize=None)`, `@dataclass(slots=True)`."""
        given = args.positional[0] if args.positional else EMPTY
        if given and _name != "functools.wraps" and all(isinstance(one, (FunctionValue, ClassValue, Method, Descriptor)) for one in given):
            return given
        return self._identity(args)

    def _descriptor(self, _frame: Frame, _at: int, name: str, args: Args) -> Values:
        kind = {"builtins.staticmethod": "static", "builtins.classmethod": "class"}.get(name, "property")
        getter, setter = (*args.positional, EMPTY, EMPTY)[:2]
        getter, setter = getter or args.keywords.get("fget", EMPTY), setter or args.keywords.get("fset", EMPTY)
        return frozenset((self.pool.descriptor(kind, getter, setter) if kind == "property" else self.pool.descriptor(kind, getter),))

    def _pushed(self, frame: Frame, at: int, _name: str, args: Args) -> Values:
        """heapq.heappush, bisect.insort: an append to the first argument."""
        for one in args.positional[0] if args.positional else EMPTY:
            if isinstance(one, Box):
                self.call_box(frame, at, one, "add", Args(args.positional[1:2]))
            else:
                self.mutated(frame, at, one, "add")
        self.compared(frame, at, args.get(1, "item") or EMPTY, args)
        return NONE

    def _popped(self, frame: Frame, at: int, _name: str, args: Args) -> Values:
        for one in args.positional[0] if args.positional else EMPTY:
            self.mutated(frame, at, one, "pop")
        return self._iterable(frame, at, args)

    def _closing(self, frame: Frame, at: int, _name: str, args: Args) -> Values:
        for one in args.positional[0] if args.positional else EMPTY:
            self.call_all(frame, at, self.attribute(frame, at, one, "close"), Args())
        return args.positional[0] if args.positional else ANYTHING

    def _operated(self, frame: Frame, at: int, name: str, args: Args) -> Values:
        """operator.add and its like: the special method of the first argument."""
        out = EMPTY
        for one in args.positional[0] if args.positional else EMPTY:
            out |= self.call_special(frame, at, one, f"__{name.rpartition('.')[2].strip('_')}__", Args(args.positional[1:]))
        return out or ANYTHING

    def _called(self, frame: Frame, at: int, _name: str, args: Args) -> Values:
        """operator.call."""
        return self.call_all(frame, at, args.positional[0], args.shifted()) if args.positional else ANYTHING


def _table(model: Callable[..., Values], module: str, names: str) -> dict[str, Callable[..., Values]]:
    return dict.fromkeys((f"{module}.{name}" for name in names.split()), model)


_FUNCTIONS: dict[str, Callable[..., Values]] = {
    **_table(Models._sorted, "builtins", "sorted"),
    **_table(Models._extreme, "builtins", "min max"),
    **_table(Models._collect, "builtins", "list tuple"),
    **_table(Models._collect, "collections", "deque UserList"),
    **_table(Models._set, "builtins", "set frozenset"),
    **_table(Models._dict, "builtins", "dict"),
    **_table(Models._from_keys, "builtins", "dict.fromkeys"),
    **_table(Models._from_keys, "collections", "OrderedDict.fromkeys defaultdict.fromkeys"),
    **_table(Models._dict, "collections", "defaultdict Counter OrderedDict ChainMap UserDict"),
    **_table(Models._mapped, "builtins", "map"),
    **_table(Models._filtered, "builtins", "filter"),
    **_table(Models._iter, "builtins", "iter reversed"),
    **_table(Models._enumerate, "builtins", "enumerate"),
    **_table(Models._zip, "builtins", "zip"),
    **_table(Models._next_of, "builtins", "next"),
    **_table(Models._sum, "builtins", "sum"),
    **_table(Models._getattr, "builtins", "getattr"),
    **_table(Models._setattr, "builtins", "setattr"),
    **_table(Models._globals, "builtins", "globals"),
    **_table(Models._vars, "builtins", "vars"),
    **_table(Models._import_module, "importlib", "import_module"),
    **_table(Models._import_module, "builtins", "__import__"),
    **_table(Models._type, "builtins", "type"),
    **_table(Models._super, "builtins", "super"),
    **_table(Models._text, "builtins", "str repr ascii format"),
    **_table(Models._special, "builtins", "len abs hash int float bool round divmod any all"),
    **_table(Models._indexed, "builtins", "range hex bin oct"),
    **_table(Models._is_instance, "builtins", "isinstance"),
    **_table(Models._truth, "builtins", "issubclass callable hasattr"),
    **_table(Models._nothing, "builtins", "print"),
    **_table(Models._descriptor, "builtins", "property staticmethod classmethod"),
    **_table(Models._descriptor, "functools", "cached_property"),
    **_table(Models._descriptor, "abc", "abstractproperty"),
    **_table(Models._partial, "functools", "partial"),
    **_table(Models._partial_method, "functools", "partialmethod"),
    **_table(Models._reduce, "functools", "reduce"),
    **_table(Models._maker, "functools", "wraps lru_cache cache total_ordering singledispatch singledispatchmethod cmp_to_key"),
    **_table(Models._maker, "contextlib", "contextmanager asynccontextmanager"),
    **_table(Models._maker, "dataclasses", "dataclass"),
    **_table(Models._maker, "attrs", "define frozen mutable"),
    **_table(Models._maker, "attr", "s attrs define frozen mutable"),
    **_table(Models._maker, "coopy.decorators", "readonly unlocked abort_exception was upgrade"),
    **_table(Models._maker, "coopy", "readonly unlocked abort_exception was upgrade"),
    **_table(Models._maker, "abc", "abstractmethod"),
    **_table(Models._maker, "typing", "final overload override runtime_checkable no_type_check"),
    **_table(Models._maker, "enum", "unique"),
    **_table(Models._first, "coopy.validation", "identity"),
    **_table(Models._first, "functools", "update_wrapper"),
    **_table(Models._first, "types", "MappingProxyType"),
    **_table(Models._namespace, "types", "SimpleNamespace"),
    **_table(Models._namespace, "argparse", "Namespace"),
    **_table(Models._record, "collections", "namedtuple"),
    **_table(Models._record, "typing", "NamedTuple"),
    **_table(Models._second, "typing", "cast"),
    **_table(Models._replaced, "dataclasses", "replace"),
    **_table(Models._replaced, "attrs", "evolve"),
    **_table(Models._replaced, "copy", "replace"),
    **_table(Models._copied, "copy", "copy deepcopy"),
    **_table(Models._getter, "operator", "attrgetter methodcaller"),
    **_table(Models._got, "operator", "attrgetter.called methodcaller.called"),
    **_table(Models._called, "operator", "call"),
    **_table(
        Models._operated, "operator", "add sub mul truediv floordiv mod pow and_ or_ xor neg pos invert lt le gt ge eq ne contains getitem"
    ),
    **_table(Models._pushed, "heapq", "heappush heappushpop heapreplace"),
    **_table(Models._popped, "heapq", "heappop"),
    **_table(Models._pushed, "bisect", "insort insort_left insort_right"),
    **_table(Models._closing, "contextlib", "closing"),
}
