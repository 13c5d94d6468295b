"""What built-in types do not have: an attribute or operator of which the use raises, so that nothing comes of it."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any

from coopy.validation.link.hazards import type_name
from coopy.validation.link.values import Box, Pack

if TYPE_CHECKING:
    from coopy.validation.link.values import Value

_DICTS: tuple[Any, ...] = (
    dict,
    collections.Counter,
    collections.OrderedDict,
    collections.defaultdict,
    collections.ChainMap,
    collections.UserDict({}),
)
_BUILT_IN: dict[str, tuple[Any, ...]] = {  # by the name of a type or the kind of a container: what may stand behind it
    **{f"builtins.{one.__name__}": (one,) for one in (str, bytes, int, float, complex, bool, type(None))},
    "list": (list, collections.UserList()),
    "dict": _DICTS,
    "set": (set,),
    "frozenset": (frozenset,),
}
_SETS = frozenset(("or", "and", "sub", "xor"))
_LISTS = frozenset(("add", "mul"))
COMBINING = {  # by kind of container: the operators that it has
    **dict.fromkeys(("list", "tuple", "deque"), _LISTS), **dict.fromkeys(("set", "frozenset", "iterator"), _SETS), "generator": frozenset(),
    "dict": frozenset(("or", "add", "sub", "and")),  # the last three for a Counter
}  # fmt: skip


def lacks(value: Value, name: str) -> bool:
    """Whether a value of a built-in type certainly has no such attribute: reading it raises AttributeError."""
    if isinstance(value, Box):
        kinds = () if value.typed else _BUILT_IN.get(value.kind, ())  # an annotation may mean any sequence, any mapping
    elif isinstance(value, Pack):
        kinds = _DICTS if value.names else (tuple,) if value.items else (tuple, *_DICTS)  # `**keywords` of none
    else:
        kinds = _BUILT_IN.get(type_name(value), ())
    return bool(kinds) and not any(hasattr(one, name) for one in kinds)


def combines(left: Box, op: str) -> bool:
    """Whether a container has an operator: otherwise using it raises TypeError. An annotation may stand for one that has others."""
    return left.typed or op in COMBINING.get(left.kind, ())
