"""Functions outside the program whose meaning matters: they call what they are given, or make, read and pass on containers.

All others are looked up in the catalogue, and may call any function that they are given. The tables at the end are the list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coopy.kinds import RECORDED
from coopy.validation.link.hazards import Args
from coopy.validation.link.instances import is_instance
from coopy.validation.link.reflecting import Reflecting
from coopy.validation.link.templates import ENCODING, encode_with
from coopy.validation.link.unasked import ask_classes, hashed_by_itself
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
    Constant,
    Descriptor,
    Foreign,
    FunctionValue,
    Method,
    Object,
    Partial,
    Text,
    Virtual,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.validation.link.machine import Frame
    from coopy.validation.link.values import Values

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


_CALLABLE = (FunctionValue, ClassValue, Method, Partial, Virtual)


class Models(Reflecting):
    """Functions outside the program."""

    def call_foreign(self, frame: Frame, at: int, callee: Foreign, args: Args) -> Values:
        """A call of a dotted name."""
        name = self.catalogue.canonical(callee.name)
        if name in WRAPPERS:
            return self._wrap(frame, at, args)
        if name.startswith(RECORDED):
            self.recorded_calls.setdefault(frame.context, {})[frame.module, at] = name
        followed = name == "builtins.hash" and hashed_by_itself(self, args.get(0, "obj") or EMPTY)
        known = followed or self.flag_call(frame, at, callee, args)
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
        kind = name if name in ("builtins.int", "builtins.float", "builtins.bool") else "builtins.int"
        return out or frozenset((self.pool.thing(kind, frame.mode),))

    def _tested(self, frame: Frame, at: int, name: str, args: Args) -> Values:
        """any, all: of elements; bool."""
        for values in args.positional[:1]:
            self.truth_of(frame, at, values if name == "builtins.bool" else self.elements(frame, at, values))
        return BOOL

    def _indexed(self, frame: Frame, at: int, name: str, args: Args) -> Values:
        """What takes whole numbers asks an object for one."""
        for values in args.positional:
            for one in values:
                self.call_special(frame, at, one, "__index__", Args())
        return self.returned(frame, name, args)

    def _is_subclass(self, frame: Frame, at: int, _name: str, args: Args) -> Values:
        if len(args.positional) > 1:
            ask_classes(self, frame, at, args.positional[1], "__subclasscheck__", args.positional[0])
        return BOOL

    def _truth(self, *_: Any) -> Values:
        return BOOL

    def _is_callable(self, _frame: Frame, _at: int, _name: str, args: Args) -> Values:
        given = args.positional[0] if args.positional else EMPTY
        if given and all(isinstance(one, _CALLABLE) or self.has_special(one, "__call__") for one in given):
            return frozenset((TRUE,))
        return frozenset((FALSE,)) if given and all(isinstance(one, (Text, Constant)) for one in given) else BOOL

    def _is_instance(self, frame: Frame, at: int, _name: str, args: Args) -> Values:
        """isinstance, where the classes of the program alone decide it."""
        if len(args.positional) > 1:
            ask_classes(self, frame, at, args.positional[1], "__instancecheck__", args.positional[0])
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
    **_table(Models._iter, "builtins", "iter"),
    **_table(Models._reversed, "builtins", "reversed"),
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
    **_table(Models._special, "builtins", "len abs hash int float complex bytes round divmod"),
    **_table(Models._tested, "builtins", "any all bool"),
    **_table(Models._indexed, "builtins", "range hex bin oct"),
    **_table(Models._is_instance, "builtins", "isinstance"),
    **_table(Models._is_subclass, "builtins", "issubclass"),
    **_table(Models._is_callable, "builtins", "callable"),
    **_table(Models._truth, "builtins", "hasattr"),
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
