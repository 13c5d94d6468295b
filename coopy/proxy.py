"""What the user holds: Python's surface (calls, attributes, operators) of the domain's class, leading to the engine.

For each class one proxy class is made, with a generated function for each method: the exact signature, no `*args` to repack, and a
record that holds what the caller passed, not the defaults. What is an action and what a query is decided here, once, when it is made:

    public methods; `[]=`, `del []`, in-place operators, calling, `next`, setters of properties    actions, unless @readonly
    properties, attributes, all other special methods                                             queries
    static and class methods                                                                      called as they are

The proxy keeps no state and never hands out the domain object: a result that is the domain object becomes the proxy.
"""

from __future__ import annotations

import functools
import inspect
import keyword
import weakref
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Protocol

from coopy.clock import moment
from coopy.decorators import marks_of
from coopy.engine.common import common_lines
from coopy.engine.engine import BUSY, OPEN
from coopy.engine.execute import ACTION_SPECIALS, PLAIN, setter_name
from coopy.error import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.engine.engine import Engine

__all__ = ["INJECTED", "Operations", "check_class", "make_proxy", "member_of"]

BINARY = ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow", "lshift", "rshift", "and", "xor", "or")
QUERY_SPECIALS = (
    "__len__", "__length_hint__", "__contains__", "__getitem__", "__iter__", "__reversed__", "__bool__", "__lt__", "__le__", "__gt__", "__ge__",
    "__neg__", "__pos__", "__abs__", "__invert__", "__int__", "__float__", "__complex__", "__index__", "__round__", "__trunc__", "__floor__",
    "__ceil__", "__bytes__", "__fspath__", *(f"__{name}__" for name in BINARY), *(f"__r{name}__" for name in BINARY),
)  # fmt: skip
ALWAYS = ("__repr__", "__str__", "__format__", "__eq__", "__ne__", "__hash__")
INJECTED = ("_clock", "_random")
PLACED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
SYSTEM_NAMES = ("take_snapshot", "close", "basedir_abspath")


class Operations(Protocol):
    """What a proxy offers beside the domain's own names."""

    def take_snapshot(self) -> int: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102
    def basedir_abspath(self) -> list[str]: ...  # noqa: D102


class _Missing:
    """An argument that was not passed."""

    def __repr__(self) -> str:
        return "..."


MISSING = _Missing()
NONE: dict[str, object] = {}  # no keyword arguments; never changed


def make_proxy(engine: Engine, operations: Operations) -> Any:
    """The proxy of a running system. Raises UsageError for a class with methods that cannot be actions."""
    root = engine.executor.root
    kind = type(root)
    names: dict[str, Any] = {
        "__slots__": ("__weakref__",),
        "__doc__": kind.__doc__,
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
    }
    names["__class__"] = property(lambda _self: kind)
    names |= _attributes(engine, root, operations) | _refusals() | _context_manager(operations)
    names |= _methods(engine, root, kind) | _specials(engine, root, kind)
    proxy = type(kind.__name__, (), names)()
    engine.executor.expose = _exposer(weakref.ref(proxy), root)
    return proxy


def check_class(kind: type) -> None:
    """Raises UsageError for a class with a method that cannot be an action: generators and coroutines do not run in one piece."""
    for name in dir(kind):
        member = member_of(kind, name)
        function = inspect.unwrap(getattr(member, "__func__", member)) if callable(member) else None
        if (
            function is None
            or isinstance(member, staticmethod | classmethod | type)
            or (name.startswith("_") and name not in ACTION_SPECIALS)
        ):
            continue
        marks = marks_of(member)
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            what = f"{kind.__qualname__}.{name} is `async`: an action runs in one piece, so that it can be replayed."
            raise UsageError(f"{what} Make it a plain method and await outside of the domain.", method=name)
        if inspect.isgeneratorfunction(function) and "readonly" not in marks:
            what = f"{kind.__qualname__}.{name} is a generator: what it does would depend on how far its caller goes."
            raise UsageError(f"{what} Return a list, or mark it @readonly if it only reads.", method=name)


def member_of(kind: type, name: str) -> Any:
    """The member of a class or one of its bases, unbound; None if none has it. Its metaclass is not asked."""
    return next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)


# --- methods ---------------------------------------------------------------------------------------------------------


def _methods(engine: Engine, root: object, kind: type) -> dict[str, Any]:
    """Public methods and properties."""
    found: dict[str, Any] = {}
    for name in dir(kind):
        member = member_of(kind, name)
        if name.startswith("_"):
            continue
        if isinstance(member, staticmethod | classmethod):
            found[name] = staticmethod(getattr(kind, name))
        elif isinstance(member, property):
            found[name] = _property(engine, root, name, member)
        elif _is_method(kind, name, member):
            found[name] = _method(engine, root, name, member)
    return found


def _is_method(kind: type, name: str, member: object) -> bool:
    if isinstance(member, FunctionType | functools.partialmethod | functools.singledispatchmethod):
        return True
    return (
        not isinstance(member, type)
        and hasattr(type(member), "__get__")
        and not hasattr(type(member), "__set__")
        and callable(getattr(kind, name, None))
    )


def _property(engine: Engine, root: object, name: str, member: property) -> property:
    def get(_self: object) -> object:
        return engine.read(getattr, root, name)

    def put(_self: object, value: object) -> None:
        engine.call(setter_name(name), (value,), NONE)

    def drop(_self: object) -> None:
        raise _no_attributes(name)

    return property(get, put if member.fset else None, drop if member.fdel else None, member.__doc__)


def _method(engine: Engine, root: object, name: str, member: object) -> FunctionType:
    """A function with the signature of the domain's, that records a call or reads."""
    bound = getattr(root, name)
    marks = marks_of(member)
    signature = _signature(bound)
    lines: tuple[str, ...]
    space: dict[str, Any] = {"_coopy_bound": bound}
    if {"readonly", "unlocked"} <= marks:
        lines, space["_coopy_read"] = _QUERY_BESIDE, functools.partial(_read_unlocked, engine)
    elif "readonly" in marks:
        lines, space = _QUERY, space | _query_names(engine)
    else:
        lines, space["_coopy_call"] = _ACTION, engine.call_beside if "unlocked" in marks else engine.call
        if engine.common is not None and "unlocked" not in marks and all(one.kind in PLACED for one in signature.parameters.values()):
            lines, space = _COMMON, space | engine.common
    function = _generate(name, signature, lines, space)
    return _dressed(function, bound, signature)


def _read_unlocked(engine: Engine, function: Callable[..., object], *args: object, **kwargs: object) -> object:
    """A query that does its own locking: coopy takes none."""
    if not engine.gate.readable:
        engine.read(_nothing)
    result = function(*args, **kwargs)
    return engine.executor.settle(result)


def _nothing() -> None:
    """Read nothing: only pass the gate."""


def _signature(bound: Callable[..., object]) -> inspect.Signature:
    try:
        return inspect.signature(bound)
    except (TypeError, ValueError):  # written in C without a text signature
        anything = inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL), inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)
        return inspect.Signature(anything)


def _dressed(function: FunctionType, bound: Any, signature: inspect.Signature) -> FunctionType:
    for name in ("__name__", "__qualname__", "__doc__", "__module__", "__annotations__"):
        value = getattr(bound, name, None)
        if value is not None:
            setattr(function, name, value)
    me = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    taken = any(one.name == "self" for one in signature.parameters.values())
    if not taken:
        front = [
            me
            if any(one.kind is one.POSITIONAL_ONLY for one in signature.parameters.values())
            else me.replace(kind=me.POSITIONAL_OR_KEYWORD)
        ]
        signature = signature.replace(parameters=[*front, *signature.parameters.values()])
    else:
        signature = signature.replace(parameters=[me.replace(name="_self"), *signature.parameters.values()])
    function.__signature__ = signature  # type: ignore[attr-defined]
    return function


# --- generated functions ---------------------------------------------------------------------------------------------

_ACTION: tuple[str, ...] = ("return _coopy_call({name!r}, ({arguments}), {keywords})",)
_COMMON: tuple[str, ...] = ("",)  # stands for what common_lines writes
_QUERY_BESIDE = ("return _coopy_read(_coopy_bound, {arguments}**{keywords})",)
_QUERY = (  # Engine.read without its frame; whatever is unusual is left to it
    "if _coopy_moment() is None:",
    "    with _coopy_lock:",
    "        if _coopy_engine.gate is _coopy_open:",
    "            _coopy_engine.gate = _coopy_busy",
    "            try:",
    "                _coopy_result = _coopy_bound({arguments}**{keywords})",
    "                return _coopy_result if type(_coopy_result) in _coopy_plain else _coopy_settle(_coopy_result)",
    "            finally:",
    "                _coopy_engine.gate = _coopy_open",
    "return _coopy_read(_coopy_bound, {arguments}**{keywords})",
)


def _query_names(engine: Engine) -> dict[str, Any]:
    return {
        "_coopy_engine": engine, "_coopy_lock": engine.lock, "_coopy_open": OPEN, "_coopy_busy": BUSY, "_coopy_moment": moment.get,
        "_coopy_plain": PLAIN, "_coopy_settle": engine.executor.settle, "_coopy_read": engine.read,
    }  # fmt: skip


def _generate(name: str, signature: inspect.Signature, lines: tuple[str, ...], space: dict[str, Any]) -> FunctionType:
    """Compile the function. All names in it but the parameters begin with `_coopy`, out of the domain's way."""
    recorded = lines is _ACTION or lines is _COMMON
    every = signature.parameters.values()
    space |= {"_coopy_missing": MISSING, "_coopy_none": NONE, "_coopy_sort": _sort}
    space |= {f"_coopy_default_{one.name}": MISSING if recorded else one.default for one in every if one.default is not one.empty}
    called = "method" if keyword.iskeyword(name) or not name.isidentifier() else name
    body = _recorded_body(lines, name, signature) if recorded else _written(lines, name, *_passed(signature))
    source = "\n".join((f"def {called}({_declared(signature)}):", *(f"    {line}" for line in body)))
    exec(compile(source, f"<proxy method {name}>", "exec"), space)  # noqa: S102 - made of parameter names only
    function = space[called]
    assert isinstance(function, FunctionType)
    return function


def _declared(signature: inspect.Signature) -> str:
    """The parameters as `def` lists them; `_coopy_self` can never be passed by name."""
    parts, positional_only, star = ["_coopy_self"], True, False
    for one in signature.parameters.values():
        if positional_only and one.kind is not one.POSITIONAL_ONLY:
            parts.append("/")
            positional_only = False
        if one.kind is one.KEYWORD_ONLY and not star:
            parts.append("*")
        star = star or one.kind in {one.KEYWORD_ONLY, one.VAR_POSITIONAL}
        prefix = "*" if one.kind is one.VAR_POSITIONAL else "**" if one.kind is one.VAR_KEYWORD else ""
        parts.append(f"{prefix}{one.name}" + ("" if one.default is one.empty else f"=_coopy_default_{one.name}"))
    return ", ".join([*parts, "/"] if positional_only else parts)


def _passed(signature: inspect.Signature) -> tuple[list[str], list[str]]:
    """How all parameters are passed on: arguments, and items of a dictionary of keyword arguments."""
    every = signature.parameters.values()
    placed = [one.name for one in every if one.kind in {one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD}]
    star = [f"*{one.name}" for one in every if one.kind is one.VAR_POSITIONAL]
    named = [_item(one) for one in every if one.kind is one.KEYWORD_ONLY]
    return placed + star, named + [f"**{one.name}" for one in every if one.kind is one.VAR_KEYWORD]


def _written(lines: tuple[str, ...], name: str, arguments: list[str], items: list[str]) -> list[str]:
    """The lines of a template for these arguments."""
    if lines is _COMMON:
        return common_lines(name, arguments)
    keywords = f"{{{', '.join(items)}}}" if items else "_coopy_none"
    if not items:
        lines = tuple(line.replace("**{keywords}", "") for line in lines)
    return [line.format(name=name, arguments="".join(f"{one}, " for one in arguments), keywords=keywords) for line in lines]


def _recorded_body(lines: tuple[str, ...], name: str, signature: inspect.Signature) -> list[str]:
    """The shortest code that records what was passed, and no default: one path if all of it was, one if the least was, one for the rest."""
    arguments, items = _passed(signature)
    everything = _written(lines, name, arguments, items)
    every = list(signature.parameters.values())
    optional = [one for one in every if one.default is not one.empty]
    if not optional:
        return everything
    names = {one.name for one in optional}
    required = [one for one in arguments if one not in names]
    least = _written(lines, name, required, [one for one in items if one not in {_item(parameter) for parameter in optional}])
    optionals = "".join(f"({one.name!r}, {one.name}), " for one in optional if one.kind is not one.KEYWORD_ONLY)
    placed, star = [one for one in required if not one.startswith("*")], [one for one in required if one.startswith("*")]
    return [
        f"if {' and '.join(f'{one.name} is _coopy_missing' for one in optional)}:",
        *(f"    {line}" for line in least),
        f"if {' and '.join(f'{one.name} is not _coopy_missing' for one in optional)}:",
        *(f"    {line}" for line in everything),
        f"_coopy_args, _coopy_kwargs = _coopy_sort(({''.join(f'{one}, ' for one in placed)}), ({optionals}), {{{', '.join(items)}}})",
        *_written(_ACTION, name, ["*_coopy_args", *star], ["**_coopy_kwargs"]),
    ]


def _item(parameter: inspect.Parameter) -> str:
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


# --- special methods -------------------------------------------------------------------------------------------------


def _specials(engine: Engine, root: object, kind: type) -> dict[str, Any]:
    """Operators: those that change are actions, all others queries."""
    found: dict[str, Any] = {}
    for name in (*QUERY_SPECIALS, *ALWAYS, *sorted(ACTION_SPECIALS)):
        member = member_of(kind, name)
        if name == "__hash__" and member is None:
            found[name] = None
        elif member is None or isinstance(member, staticmethod | classmethod):
            continue
        elif name in ACTION_SPECIALS and "readonly" not in marks_of(member):
            found[name] = _exit(engine) if name == "__exit__" else _method(engine, root, name, member)
        else:
            found[name] = _query(engine, root, getattr(kind, name), name)
    return found


def _query(engine: Engine, root: object, function: Callable[..., object], name: str) -> Callable[..., object]:
    def query(self: object, *args: object) -> object:
        return engine.read(function, root, *(root if one is self else one for one in args))

    query.__name__ = name
    return query


def _exit(engine: Engine) -> Callable[..., object]:
    def __exit__(_self: object, kind: object, error: object, _traceback: object) -> object:  # noqa: N807 - it becomes one
        """The domain's, as an action: an exception is passed on by value, its traceback cannot be."""
        return engine.call("__exit__", (kind, error, None), NONE)

    return __exit__


def _context_manager(operations: Operations) -> dict[str, Any]:
    """`with` closes the system, where the domain is no context manager itself."""
    return {"__enter__": lambda self: self, "__exit__": lambda _self, *_error: operations.close()}


# --- attributes ------------------------------------------------------------------------------------------------------


def _attributes(engine: Engine, root: object, operations: Operations) -> dict[str, Any]:
    kind = type(root)

    def read(_self: object, name: str) -> object:
        if name in SYSTEM_NAMES and not _defines(root, kind, name):
            return getattr(operations, name)
        if name.startswith("_"):
            raise AttributeError(f"{name!r} is private to {kind.__qualname__}: a proxy shows public names only.", name=name, obj=None)
        return engine.read(getattr, root, name)

    def write(_self: object, name: str, value: object) -> None:
        member = member_of(kind, name)
        if not isinstance(member, property) or member.fset is None or name.startswith("_"):
            raise _no_attributes(name)
        engine.call(setter_name(name), (value,), NONE)

    def drop(_self: object, name: str) -> None:
        raise _no_attributes(name)

    def names(_self: object) -> list[str]:
        listed: list[str] = engine.read(dir, root)
        return [name for name in listed if name not in INJECTED]

    return {"__getattr__": read, "__setattr__": write, "__delattr__": drop, "__dir__": names}


def _defines(root: object, kind: type, name: str) -> bool:
    return name in getattr(root, "__dict__", ()) or member_of(kind, name) is not None


def _no_attributes(name: str) -> Exception:
    what = f"{name!r} cannot be set or deleted on a proxy: the change would not be recorded. Nothing was changed."
    if name.startswith("_"):
        return AttributeError(what)
    return UsageError(f"{what} Write a method of the domain that does it, and call that.", name=name)


def _refusals() -> dict[str, Any]:
    """A proxy is of this process: neither copies nor pickles of it mean anything."""

    def refuse(_self: object, *_args: object) -> object:
        raise UsageError("A proxy cannot be copied or pickled: it stands for a running system. Take a snapshot, or compare digests.")

    return {"__copy__": refuse, "__deepcopy__": refuse, "__reduce__": refuse, "__reduce_ex__": refuse, "__getstate__": refuse}


# --- results ---------------------------------------------------------------------------------------------------------


def _exposer(proxy: weakref.ref[Any], root: object) -> Callable[[object], object]:
    """The domain object becomes the proxy, a method of it the proxy's method of that name."""

    def expose(result: object) -> object:
        if result is root:
            return proxy()
        assert isinstance(result, MethodType)
        return getattr(proxy(), result.__name__)

    return expose
