"""Whether a proof about source holds for the code that was loaded: every function in it must be the one that was read.

A file may have changed since it was loaded, a method may be wrapped or replaced, a name of a module may mean something else by now. Then
there is no fact, and coopy does what it does without one. Loaded by a warm `init_system` where a class has such facts.
"""

from __future__ import annotations

import builtins
import hashlib
from types import BuiltinFunctionType, CodeType, FunctionType, WrapperDescriptorType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coopy.validation.verdict import Free

__all__ = ["digest_of", "digests_in", "holding"]


def digest_of(code: CodeType) -> str:
    """A digest of what a function does: not of where it stands."""
    return hashlib.blake2b(repr(_shape(code)).encode("utf-8", "replace"), digest_size=16).hexdigest()


def _shape(value: Any) -> Any:
    if isinstance(value, CodeType):
        names = value.co_names, value.co_varnames, value.co_freevars, value.co_cellvars
        counts = value.co_argcount, value.co_posonlyargcount, value.co_kwonlyargcount, value.co_flags
        return value.co_code, names, counts, [_shape(one) for one in value.co_consts], value.co_exceptiontable
    if isinstance(value, frozenset):
        return "frozenset", sorted(repr(_shape(one)) for one in value)
    if isinstance(value, tuple):
        return tuple(_shape(one) for one in value)
    return type(value).__name__, repr(value)


def digests_in(text: bytes, path: str) -> dict[str, str]:
    """Qualified name -> digest of every function of a file; those whose name comes twice are left out."""
    found: dict[str, str] = {}
    stack, twice = [compile(text, path, "exec", dont_inherit=True)], set()
    while stack:
        code = stack.pop()
        if code.co_qualname in found:
            twice.add(code.co_qualname)
        found[code.co_qualname] = digest_of(code)
        stack += [one for one in code.co_consts if isinstance(one, CodeType)]
    return {name: digest for name, digest in found.items() if name not in twice}


def holding(cls: type, facts: Iterable[Free]) -> dict[str, dict[str, str]]:
    """By method, what attributes must hold at the raise: of all facts that hold for a class as it is loaded."""
    return {one.method: one.attributes for one in facts if _holds(cls, one)}


def _holds(cls: type, fact: Free) -> bool:
    functions = {way: _function(cls, way) for way in fact.functions}
    if any(one is None or digest_of(one.__code__) != fact.functions[way] for way, one in functions.items()):
        return False
    spaces = {way: one.__globals__ for way, one in functions.items() if one is not None}
    if any(name in spaces[way] or not hasattr(builtins, name) for way, name in fact.builtins):
        return False
    return all(_is_plain_error(spaces[way].get(name)) for way, name in fact.errors)


def _function(cls: type, way: str) -> FunctionType | None:
    """The function at the end of a way: a method, and then names of globals."""
    first, *rest = way.split("/")
    found: Any = next((vars(one)[first] for one in cls.__mro__ if first in vars(one)), None)
    for name in rest:
        found = found.__globals__.get(name) if isinstance(found, FunctionType) else None
    if not isinstance(found, FunctionType) or hasattr(found, "__wrapped__") or set(found.__code__.co_freevars) - {"__class__"}:
        return None
    return found


def _is_plain_error(found: object) -> bool:
    """Whether making such an exception runs no code of the program."""
    return (
        type(found) is type
        and issubclass(found, BaseException)
        and isinstance(found.__init__, WrapperDescriptorType)
        and isinstance(found.__new__, BuiltinFunctionType)
    )
