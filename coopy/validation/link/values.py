"""What an expression may be, without running it: abstract values, and the sets of them that every variable, attribute and result holds.

A set of values only grows, and only finitely many values exist: one object per class and mode, one container per place and mode. That is
what makes the interpreter end. Values are compared by identity: the pool (`pool.py`) makes each once, and numbers it, so that sets of them are gone over in
the same order wherever they lie in memory: where precision is bounded, what comes first decides.

Modes say on whose behalf code runs, and with it to whom belongs what it makes:

    ACTION   reached from a journaled method: what it makes becomes state
    QUERY    reached from a @readonly method: what it makes is thrown away; state it must not touch
    IMPORT   run when a module is imported: what it makes is in no snapshot
    TYPES    run only to learn types: nothing of it is reported
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from coopy.validation.link.machine import Context
    from coopy.validation.link.scopes import ClassInfo, FunctionInfo, ModuleInfo

ACTION, QUERY, IMPORT, TYPES = "action", "query", "import", "types"

ANY, MADE = "any", "made"  # how open an object or class is: known from an annotation; or standing for more classes than are told apart

MAX_PARTIALS = 3  # partials of partials, and partials or tuples in their arguments

Place: TypeAlias = "tuple[ModuleInfo, int]"


class Value:
    """One abstract value. `number`: in the order in which they were made."""

    __slots__ = ("number",)

    number: int

    def __hash__(self) -> int:
        return self.number


Values: TypeAlias = frozenset[Value]
EMPTY: Values = frozenset()


class Unknown(Value):
    """Anything; `state` if it was read from the domain's state."""

    __slots__ = ("state",)

    def __init__(self, state: bool) -> None:  # noqa: FBT001 - two instances
        self.state = state


class Constant(Value):
    """None, True or False."""

    __slots__ = ("truth", "type")

    def __init__(self, kind: str, truth: bool) -> None:  # noqa: FBT001 - three instances
        self.type, self.truth = kind, truth


class Text(Value):
    """A string that is written in the program."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Foreign(Value):
    """A dotted name outside the program. `place`: where it was taken, if it was kept rather than called at once."""

    __slots__ = ("name", "place")

    def __init__(self, name: str, place: Place | None) -> None:
        self.name, self.place = name, place


class Thing(Value):
    """An instance of a type outside the program. `note`: a datetime is known to be naive or aware, or given by a caller who may know."""

    __slots__ = ("mode", "note", "type")

    def __init__(self, kind: str, note: str, mode: str) -> None:
        self.type, self.note, self.mode = kind, note, mode


class ModuleValue(Value):
    """A module of the program."""

    __slots__ = ("module",)

    def __init__(self, module: ModuleInfo) -> None:
        self.module = module


class ClassValue(Value):
    """A class of the program. `open`: or one that derives from it; what may be one, as of an object."""

    __slots__ = ("cls", "open")

    def __init__(self, cls: ClassInfo, open_: str) -> None:
        self.cls, self.open = cls, open_


class Object(Value):
    """Any instance of a class of the program made in a mode. `open`: it may be of a subclass, of ANY or of one that is MADE somewhere."""

    __slots__ = ("cls", "mode", "open")

    def __init__(self, cls: ClassInfo, mode: str, open_: str) -> None:
        self.cls, self.mode, self.open = cls, mode, open_


class FunctionValue(Value):
    """A function of the program; `parent` is the call in which it was defined, whose variables it sees."""

    __slots__ = ("info", "parent")

    def __init__(self, info: FunctionInfo, parent: Context | None) -> None:
        self.info, self.parent = info, parent


class Method(Value):
    """A callable with its first argument."""

    __slots__ = ("function", "receiver")

    def __init__(self, function: Value, receiver: Value) -> None:
        self.function, self.receiver = function, receiver


class Virtual(Value):
    """Whichever method of a family has a name; `special`: looked up as Python looks up special methods."""

    __slots__ = ("name", "receiver", "special")

    def __init__(self, receiver: Object | ClassValue, name: str, special: bool) -> None:  # noqa: FBT001 - made by the pool only
        self.receiver, self.name, self.special = receiver, name, special


class Bound(Value):
    """A method, by name, of something whose class is outside the program."""

    __slots__ = ("name", "receiver")

    def __init__(self, receiver: Value, name: str) -> None:
        self.receiver, self.name = receiver, name


class Descriptor(Value):
    """A property, static method or class method; `parts` are getter, setter and deleter, or the one function."""

    __slots__ = ("kind", "parts")

    def __init__(self, kind: str, parts: tuple[Values, ...]) -> None:
        self.kind, self.parts = kind, parts


class Partial(Value):
    """functools.partial; `depth` counts partials of partials. A `bounded` one stands for many: its arguments are not known."""

    __slots__ = ("args", "bounded", "depth", "function", "keywords")

    depth: int

    def __init__(self, function: Values, args: tuple[Values, ...], keywords: tuple[tuple[str, Values], ...], bounded: bool) -> None:  # noqa: FBT001
        self.function, self.args, self.keywords, self.bounded = function, args, keywords, bounded
        self.depth = depth_of(function, args, keywords)


def depth_of(function: Values, args: tuple[Values, ...], keywords: tuple[tuple[str, Values], ...]) -> int:
    """How deep a partial would be nested, in its arguments too."""
    inside = (function, *args, *(values for _, values in keywords))
    return 1 + max((one.depth for values in inside for one in values if isinstance(one, (Partial, Pack))), default=0)


def ends(functions: Values) -> Values:
    """The functions that partials call in the end."""
    found: set[Value] = set()
    left, seen = list(functions), set[Value]()
    while left:
        if (one := left.pop()) in seen:
            continue
        seen.add(one)
        if isinstance(one, Partial):
            left += one.function
        else:
            found.add(one)
    return frozenset(found)


class Super(Value):
    """super(): lookup starts behind `cls` in the order of the receiver's classes."""

    __slots__ = ("cls", "receiver")

    def __init__(self, cls: ClassInfo, receiver: Value) -> None:
        self.cls, self.receiver = cls, receiver


class Pack(Value):
    """A tuple of known length, or the `**keywords` of a call if it has names."""

    __slots__ = ("depth", "items", "names")

    depth: int

    def __init__(self, items: tuple[Values, ...], names: tuple[str, ...]) -> None:
        self.items, self.names = items, names
        self.depth = 1 + max((one.depth for item in items for one in item if isinstance(one, (Pack, Partial))), default=0)


class Picked(Value):
    """Marks a variable that holds whichever element of a hash table came last or first."""

    __slots__ = ("place",)

    def __init__(self, place: Place) -> None:
        self.place = place


class Cell:
    """A set of values that grows, and the calls that have read it and run again when it does.

    `wide`: it has held so many that they are told apart no longer. `above`: what holds at least the same.
    """

    __slots__ = ("above", "readers", "values", "wide")

    def __init__(self) -> None:
        self.values: Values = EMPTY
        self.readers: dict[Context, None] = {}
        self.wide = False
        self.above: tuple[Cell, ...] = ()


class Box(Value):
    """Any container made at a place in a mode. `kind` is list, tuple, set, frozenset, dict, deque, iterator or generator.

    `slots` hold what is stored under a key or index that is written in the program, `items` all else, `keys` the keys; `hint` is what an
    annotation says of the items. `hashed`: its order is that of a hash table, unless it is `sorted` somewhere; a generator has it from a loop
    in its body if it is `looped`. `default`: it is a default argument. `filling`: reading a key that it lacks puts one in.
    `into`: the one that it has become, where too many containers were
    in one variable; then it is `loose`: nothing has a slot.
    """

    __slots__ = (
        "default", "factory", "filling",
        "hashed", "hint", "into", "items", "keys", "kind", "looped", "loose", "maker", "mode", "more", "place", "slots", "sorted", "typed",
    )  # fmt: skip

    def __init__(self, kind: str, place: Place, mode: str, maker: Context | None) -> None:
        self.kind, self.place, self.mode, self.maker = kind, place, mode, maker
        self.items, self.keys, self.hint, self.factory = Cell(), Cell(), Cell(), Cell()
        self.slots: dict[str, Cell] = {}
        self.hashed: Place | None = place if kind in HASHED else None
        self.more: Cell | None = None  # see `lone.py`
        self.default = self.filling = self.typed = self.loose = self.looped = self.sorted = False
        self.into: Box | None = None


HASHED = frozenset(("set", "frozenset"))

UNKNOWN, STATE = Unknown(False), Unknown(True)  # noqa: FBT003 - the two there are
NOTHING, TRUE, FALSE = Constant("NoneType", False), Constant("bool", True), Constant("bool", False)  # noqa: FBT003
ALWAYS: tuple[Value, ...] = (UNKNOWN, STATE, NOTHING, TRUE, FALSE)  # the values that every analysis has
for _number, _one in enumerate(ALWAYS, 1):
    _one.number = _number
ANYTHING: Values = frozenset((UNKNOWN,))
NONE: Values = frozenset((NOTHING,))
BOOL: Values = frozenset((TRUE, FALSE))
UNKNOWNS: Values = frozenset((UNKNOWN, STATE))
