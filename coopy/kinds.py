"""What is known of kinds of values: what changes a container, what never changes, what neither journal nor snapshot can hold.

Data that the validator and the mypy plugin share. Names only: nothing that they speak of is imported.
"""

from __future__ import annotations

__all__ = ["ACTION_SPECIALS", "ATOMS", "CHANGES", "CHANGING", "COPYING", "INJECTED", "IN_PLACE", "STAND_IN", "UNPICKLABLE"]

_LIST = ("append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort")
_DICT = ("clear", "pop", "popitem", "setdefault", "update")
_SET = (
    "add", "clear", "difference_update", "discard", "intersection_update", "pop", "remove", "symmetric_difference_update", "update",
)  # fmt: skip
_DEQUE = ("append", "appendleft", "clear", "extend", "extendleft", "insert", "pop", "popleft", "remove", "reverse", "rotate")

CHANGES: dict[str, frozenset[str]] = {
    "builtins.list": frozenset(_LIST),
    "builtins.dict": frozenset(_DICT),
    "builtins.set": frozenset(_SET),
    "builtins.bytearray": frozenset((*_LIST, "take_bytes")) - {"sort"},
    "collections.deque": frozenset(_DEQUE),
    "collections.OrderedDict": frozenset(("move_to_end",)),
    "collections.Counter": frozenset(("subtract",)),
    "collections.UserDict": frozenset(_DICT),
    "typing._TypedDict": frozenset(("pop", "setdefault", "update")),
    "collections.UserList": frozenset(_LIST),
    "array.array": frozenset((*_LIST, "byteswap", "frombytes", "fromlist", "fromunicode")) - {"clear", "sort"},
}
"""By container: its methods that change it. Its item assignments, item deletions and in-place operators do so too."""

CHANGING = frozenset(name for kind in ("list", "dict", "set") for name in CHANGES[f"builtins.{kind}"]) | CHANGES["collections.deque"]
"""The methods of the everyday containers that change them, whichever they belong to."""

IN_PLACE = frozenset(
    f"__i{one}__" for one in ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow", "lshift", "rshift", "and", "xor", "or")
)
"""The in-place operators."""

ACTION_SPECIALS = IN_PLACE | {"__setitem__", "__delitem__", "__call__", "__next__", "__enter__", "__exit__"}
"""The special methods that are actions unless they are `@readonly`."""

COPYING = frozenset((
    "builtins.sum", "copy.copy", "copy.deepcopy", "copy.replace", "dataclasses.replace", "attr.evolve", "attrs.evolve", "attr.assoc", "msgspec.structs.replace",
))  # fmt: skip
"""Functions that give a new object made from what they are given."""

ATOMS = frozenset((
    *(f"builtins.{one}" for one in ("str", "int", "float", "complex", "bytes", "bool", "range", "slice", "type", "function", "ellipsis")),
    *(f"datetime.{one}" for one in ("date", "time", "timedelta", "tzinfo")),
    *("decimal.Decimal", "fractions.Fraction", "uuid.UUID", "enum.Enum", "pathlib.PurePath", "re.Pattern", "types.ModuleType"),
    *("ipaddress.IPv4Address", "ipaddress.IPv6Address", "ipaddress.IPv4Network", "ipaddress.IPv6Network"),
))  # fmt: skip
"""Types whose values never change, subclasses included."""

UNPICKLABLE = frozenset((
    *(f"threading.{one}" for one in ("Lock", "RLock", "Condition", "Event", "Semaphore", "BoundedSemaphore", "Barrier", "Thread", "Timer", "local")),
    *(f"io.{one}" for one in ("TextIOWrapper", "BufferedReader", "BufferedWriter", "BufferedRandom", "FileIO")),
    *(f"queue.{one}" for one in ("Queue", "LifoQueue", "PriorityQueue", "SimpleQueue")),
    *("socket.socket", "ssl.SSLSocket", "subprocess.Popen", "sqlite3.Connection", "sqlite3.Cursor", "mmap.mmap", "weakref.ref", "weakref.WeakSet"),
    *("weakref.WeakKeyDictionary", "weakref.WeakValueDictionary", "concurrent.futures.ThreadPoolExecutor", "concurrent.futures.ProcessPoolExecutor"),
    *("select.epoll", "select.poll", "selectors.DefaultSelector", "contextvars.ContextVar", "contextvars.Context"),
))  # fmt: skip
"""Types whose values can be written neither into a journal nor into a snapshot, beside generators, coroutines, modules and lambdas."""

INJECTED = {"_clock": "coopy.clock.Clock", "_random": "coopy.random.Random"}
"""The names that a system gives its domain object, and what they are."""

RECORDED = ("coopy.clock.", "coopy.random.")
"""How the names of what has recorded values in an action begin."""

WHILE_READ = "while a state is read"
"""When those have none."""

STAND_IN = "__coopy_main__"
"""What the script that is the program is called in a process beside it, which only needs its classes."""
