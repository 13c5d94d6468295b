"""A method of a proxy: a function with the exact signature of the domain's, generated, so that no `*args` is packed and unpacked again.

A record holds what the caller passed, not the defaults. All names in the generated code but the parameters begin with `_coopy_`; a
method with such a parameter is generated with `*args` and `**kwargs`. The lines are made of parameter names only, never of values.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import keyword
from inspect import Parameter
from types import CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import msgspec

from coopy.decorators import marks_of
from coopy.engine.common import common_call, common_query

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from coopy.engine.execute import Executor

    Reading: TypeAlias = Callable[[Callable[..., object]], Callable[..., object]]  # what a query runs -> what runs under the lock
    Writer: TypeAlias = Callable[[str, list[str], list[str]], list[str]]  # method, arguments, items of the keyword dictionary -> lines
    Way: TypeAlias = tuple[Writer, dict[str, Any]]  # what writes the lines, and the names in them

__all__ = ["NO_KEYWORDS", "Door", "Ways", "make_awaited", "make_method"]

PLACED = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
SIGNED = frozenset(("__wrapped__", "__signature__"))  # what makes `inspect` look elsewhere for a signature
ANYTHING = inspect.Signature((Parameter("args", Parameter.VAR_POSITIONAL), Parameter("kwargs", Parameter.VAR_KEYWORD)))
NO_KEYWORDS: dict[str, object] = {}  # never changed


class Ways(Protocol):
    """How calls get to the engine where they are awaited: what the engine's own methods of these names do."""

    async def call(self, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Any: ...  # noqa: D102
    async def call_beside(self, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> Any: ...  # noqa: D102
    async def read(self, function: Callable[..., object], /, *args: object, **kwargs: object) -> Any: ...  # noqa: D102
    async def read_beside(self, function: Callable[..., object], /, *args: object, **kwargs: object) -> Any: ...  # noqa: D102


class _Missing:
    """An argument that was not passed."""

    def __repr__(self) -> str:
        return "..."


MISSING = _Missing()


class Door(Protocol):
    """What a proxy leads to. `lock`: held while the domain object changes; `common`: the names in the lines of the short ways, empty where there are none.

    `short_way`: whether calls have one, too.
    """

    @property
    def lock(self) -> AbstractContextManager[object]: ...  # noqa: D102
    @property
    def executor(self) -> Executor: ...  # noqa: D102
    @property
    def common(self) -> dict[str, Any]: ...  # noqa: D102
    @property
    def short_way(self) -> bool: ...  # noqa: D102

    def call(self, method: str, args: tuple[object, ...], kwargs: dict[str, object], /) -> Any:
        """An action."""

    def call_beside(self, method: str, args: tuple[object, ...], kwargs: dict[str, object], /) -> Any:
        """An `@unlocked` action."""

    def read(self, function: Callable[..., object], /, *args: object, **kwargs: object) -> Any:
        """A query."""

    def read_beside(self, function: Callable[..., object], /, *args: object, **kwargs: object) -> Any:
        """An `@unlocked` query."""

    def check_writable(self, what: str) -> None:
        """Raises what an action would raise here at any time."""

    def make_anew(self) -> None:
        """Have memory say what the journal says, and nothing else."""


def make_method(engine: Door, root: object, name: str, member: object, reading: Reading) -> FunctionType:
    """The function of this name: it records a call, or reads; `reading` makes of a bound method what a query under the lock runs."""
    marks = marks_of(member)
    bound = getattr(root, name) if "readonly" in marks else engine.executor.live(name)
    signature = _signature(bound)
    write, names = _way_of(engine, marks, bound, signature, reading)
    return _made(name, bound, signature, write, names)


def make_awaited(ways: Ways, engine: Door, name: str, member: object, reading: Reading) -> FunctionType:
    """The same as a coroutine function, whose calls go these ways."""
    marks = marks_of(member)
    bound = getattr(engine.executor.root, name) if "readonly" in marks else engine.executor.live(name)
    write, names = _awaited_way_of(ways, marks, bound, reading)
    return _made(name, bound, _signature(bound), write, names)


def _way_of(engine: Door, marks: frozenset[str], bound: Any, signature: inspect.Signature, reading: Reading) -> Way:
    if {"readonly", "unlocked"} <= marks:
        return _query_beside, {"_coopy_read": engine.read_beside, "_coopy_bound": bound}
    if "readonly" in marks and engine.common:
        return _query, engine.common | {"_coopy_bound": reading(bound)}
    if "readonly" in marks:
        return _query_beside, {"_coopy_read": engine.read, "_coopy_bound": reading(bound)}
    if "unlocked" in marks:
        return _action, {"_coopy_call": engine.call_beside}
    if engine.short_way and all(one.kind in PLACED for one in signature.parameters.values()):
        return _common_action, engine.common | {"_coopy_bound": bound}
    return _action, {"_coopy_call": engine.call}


def _awaited_way_of(ways: Ways, marks: frozenset[str], bound: Any, reading: Reading) -> Way:
    if {"readonly", "unlocked"} <= marks:
        return _awaited_query, {"_coopy_read": ways.read_beside, "_coopy_bound": bound}
    if "readonly" in marks:
        return _awaited_query, {"_coopy_read": ways.read, "_coopy_bound": reading(bound)}
    return _awaited_action, {"_coopy_call": ways.call_beside if "unlocked" in marks else ways.call}


def _made(name: str, bound: Any, signature: inspect.Signature, write: Writer, names: dict[str, Any]) -> FunctionType:
    every = {"_coopy_none": NO_KEYWORDS, "_coopy_missing": MISSING, "_coopy_sort": _sort, **names}
    return _dressed(_generate(name, signature, write, every), bound, _shown_signature(bound, signature))


def _signature(bound: Any) -> inspect.Signature:
    """The parameters as the function itself takes them, whatever it wraps or says of itself; any, where that is not known."""
    if getattr(bound, "__signature__", None) is None:
        with contextlib.suppress(TypeError, ValueError):  # written in C without a text signature
            signature = inspect.signature(bound, follow_wrapped=False)
            if not any(name.startswith("_coopy_") for name in signature.parameters):
                return signature
    return ANYTHING


def _shown_signature(bound: Any, signature: inspect.Signature) -> inspect.Signature:
    """What `inspect.signature` shows of it. Of a plain function that wraps none and says nothing of itself, as most are, that is known by now."""
    plain = type(bound) is MethodType and type(bound.__func__) is FunctionType and not bound.__func__.__dict__.keys() & SIGNED
    if plain and signature is not ANYTHING:
        return signature
    with contextlib.suppress(TypeError, ValueError):
        return inspect.signature(bound)
    return signature


def _dressed(function: FunctionType, bound: Any, signature: inspect.Signature) -> FunctionType:
    """Give the function the name, documentation and signature of the domain's, `self` in front."""
    for name in ("__name__", "__qualname__", "__doc__", "__module__", "__annotations__"):
        value = getattr(bound, name, None)
        if value is not None:
            setattr(function, name, value)
    every = signature.parameters.values()
    me = Parameter("self", Parameter.POSITIONAL_ONLY)
    if any(one.name == "self" for one in every):
        me = me.replace(name="_self")
    elif not any(one.kind is one.POSITIONAL_ONLY for one in every):
        me = me.replace(kind=me.POSITIONAL_OR_KEYWORD)
    function.__signature__ = signature.replace(parameters=[me, *every])  # type: ignore[attr-defined]
    return function


# --- lines -----------------------------------------------------------------------------------------------------------


def _action(name: str, arguments: list[str], items: list[str]) -> list[str]:
    return [f"return _coopy_call({name!r}, ({_listed(arguments)}), {_dictionary(items)})"]


def _common_action(name: str, arguments: list[str], _items: list[str]) -> list[str]:
    return common_call(name, arguments)


def _query(_name: str, arguments: list[str], items: list[str]) -> list[str]:
    return common_query(_passed_on(arguments, items))


def _query_beside(_name: str, arguments: list[str], items: list[str]) -> list[str]:
    return [f"return _coopy_read(_coopy_bound, {_passed_on(arguments, items)})"]


def _awaited_action(name: str, arguments: list[str], items: list[str]) -> list[str]:
    return [f"return await _coopy_call({name!r}, ({_listed(arguments)}), {_dictionary(items)})"]


def _awaited_query(_name: str, arguments: list[str], items: list[str]) -> list[str]:
    return [f"return await _coopy_read(_coopy_bound, {_passed_on(arguments, items)})"]


def _listed(arguments: list[str]) -> str:
    return "".join(f"{one}, " for one in arguments)


def _dictionary(items: list[str]) -> str:
    return f"{{{', '.join(items)}}}" if items else "_coopy_none"


def _passed_on(arguments: list[str], items: list[str]) -> str:
    return _listed(arguments) + (f"**{_dictionary(items)}" if items else "")


RECORDING = frozenset((_action, _common_action, _awaited_action))


# --- generated functions ---------------------------------------------------------------------------------------------


class _Taken(msgspec.Struct, frozen=True):
    """A parameter, as far as the lines depend on it."""

    name: str
    kind: inspect._ParameterKind
    optional: bool


def _generate(name: str, signature: inspect.Signature, write: Writer, names: dict[str, Any]) -> FunctionType:
    """Make the function, with `names` as its globals."""
    every = signature.parameters.values()
    records = write in RECORDING
    names |= {f"_coopy_default_{one.name}": MISSING if records else one.default for one in every if one.default is not one.empty}
    taken = tuple(_Taken(one.name, one.kind, one.default is not one.empty) for one in every)
    exec(_own(_compiled(name, taken, write)), names)  # noqa: S102 - made of parameter names only
    function = names[_called(name)]
    assert isinstance(function, FunctionType)
    return function


def _called(name: str) -> str:
    return "method" if keyword.iskeyword(name) or not name.isidentifier() else name


def _own(code: CodeType) -> CodeType:
    """A copy that no other system has: with a code object they would share what the interpreter learns of one of them."""
    return code.replace(co_consts=tuple(one.replace() if isinstance(one, CodeType) else one for one in code.co_consts))


@functools.lru_cache(maxsize=1024)
def _compiled(name: str, every: tuple[_Taken, ...], write: Writer) -> CodeType:
    """A class that is opened again, as in every test of a program, has the same lines again."""
    define = "async def" if write in {_awaited_action, _awaited_query} else "def"
    body = _recorded_body(write, name, every) if write in RECORDING else write(name, *_passed(every))
    source = "\n".join((f"{define} {_called(name)}({_declared(every)}):", *(f"    {line}" for line in body)))
    code: CodeType = compile(source, f"<proxy method {name}>", "exec")
    return code


def _declared(every: tuple[_Taken, ...]) -> str:
    """The parameters as `def` lists them; `_coopy_self` can never be passed by name."""
    parts, positional_only, star = ["_coopy_self"], True, False
    for one in every:
        kind = one.kind
        if positional_only and kind is not Parameter.POSITIONAL_ONLY:
            parts.append("/")
            positional_only = False
        if kind is Parameter.KEYWORD_ONLY and not star:
            parts.append("*")
        star = star or kind in {Parameter.KEYWORD_ONLY, Parameter.VAR_POSITIONAL}
        prefix = "*" if kind is Parameter.VAR_POSITIONAL else "**" if kind is Parameter.VAR_KEYWORD else ""
        parts.append(f"{prefix}{one.name}" + (f"=_coopy_default_{one.name}" if one.optional else ""))
    return ", ".join([*parts, "/"] if positional_only else parts)


def _passed(every: tuple[_Taken, ...]) -> tuple[list[str], list[str]]:
    """How all parameters are passed on: arguments, and items of a dictionary of keyword arguments."""
    placed = [one.name for one in every if one.kind in PLACED]
    star = [f"*{one.name}" for one in every if one.kind is Parameter.VAR_POSITIONAL]
    named = [_item(one) for one in every if one.kind is Parameter.KEYWORD_ONLY]
    return placed + star, named + [f"**{one.name}" for one in every if one.kind is Parameter.VAR_KEYWORD]


def _recorded_body(write: Writer, name: str, every: tuple[_Taken, ...]) -> list[str]:
    """The shortest code that records what was passed, and no default: one path if all of it was, one if the least was, one for the rest."""
    arguments, items = _passed(every)
    everything = write(name, arguments, items)
    optional = [one for one in every if one.optional]
    if not optional:
        return everything
    names = {one.name for one in optional}
    required = [one for one in arguments if one not in names]
    least = write(name, required, [one for one in items if one not in {_item(parameter) for parameter in optional}])
    optionals = "".join(f"({one.name!r}, {one.name}), " for one in optional if one.kind is not Parameter.KEYWORD_ONLY)
    placed, star = [one for one in required if not one.startswith("*")], [one for one in required if one.startswith("*")]
    return [
        f"if {' and '.join(f'{one.name} is _coopy_missing' for one in optional)}:",
        *(f"    {line}" for line in least),
        f"if {' and '.join(f'{one.name} is not _coopy_missing' for one in optional)}:",
        *(f"    {line}" for line in everything),
        f"_coopy_args, _coopy_kwargs = _coopy_sort(({_listed(placed)}), ({optionals}), {{{', '.join(items)}}})",
        *(_awaited_action if write is _awaited_action else _action)(name, ["*_coopy_args", *star], ["**_coopy_kwargs"]),
    ]


def _item(parameter: _Taken) -> str:
    return f"{parameter.name!r}: {parameter.name}"


def _sort(
    args: tuple[object, ...], optionals: tuple[tuple[str, object], ...], kwargs: dict[str, object]
) -> tuple[tuple[object, ...], dict[str, object]]:
    """Some optional arguments were passed: by place as long as none is left out before, then by name."""
    kwargs = {name: value for name, value in kwargs.items() if value is not MISSING}
    gap = False
    for name, value in optionals:
        if value is MISSING:
            gap = True
        elif gap:
            kwargs[name] = value
        else:
            args = (*args, value)
    return args, kwargs
