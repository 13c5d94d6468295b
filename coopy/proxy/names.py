"""Which names mean what on a proxy, as tables, and how a name of a class is looked up."""

from __future__ import annotations

from typing import Any

__all__ = ["ALWAYS", "BINARY", "COMPARISONS", "ITERATIONS", "QUERY_SPECIALS", "SYSTEM_NAMES", "has", "member_of", "own_names"]

BINARY = (
    *(f"__{side}{name}__" for side in ("", "r") for name in (
        "add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow", "lshift", "rshift", "and", "xor", "or",
    )),
)  # fmt: skip
COMPARISONS = ("__lt__", "__le__", "__gt__", "__ge__", "__eq__", "__ne__")
ITERATIONS = ("__iter__", "__reversed__")
QUERY_SPECIALS = (
    "__len__", "__length_hint__", "__contains__", "__getitem__", "__iter__", "__reversed__", "__bool__", "__lt__", "__le__", "__gt__", "__ge__",
    "__neg__", "__pos__", "__abs__", "__invert__", "__int__", "__float__", "__complex__", "__index__", "__round__", "__trunc__", "__floor__",
    "__ceil__", "__bytes__", "__fspath__", *BINARY,
)  # fmt: skip
ALWAYS = ("__repr__", "__str__", "__format__", "__eq__", "__ne__", "__hash__")
SYSTEM_NAMES = ("take_snapshot", "close", "basedir_abspath")


def has(kind: type, name: str) -> bool:
    """Whether a class or one of its bases has this name, be it None."""
    return any(name in vars(base) for base in kind.__mro__)


def member_of(kind: type, name: str) -> Any:
    """The member of a class or one of its bases, unbound; None if none has it. Its metaclass is not asked."""
    for base in kind.__mro__:
        if name in base.__dict__:
            return base.__dict__[name]
    return None


def own_names(kind: type) -> list[str]:
    """What `dir` lists of a class, but for what it has as every object has it."""
    return [name for name in dir(kind) if member_of(kind, name) is not vars(object).get(name)]
