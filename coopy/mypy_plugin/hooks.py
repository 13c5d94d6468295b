"""What the hooks do: ask the other plugins first, then look at marks, report, and mark the result.

mypy takes the first hook that is not None, its own built-in ones included. Attributes and methods of any class may carry a mark, so ours answer
for all names and hand each on to whoever would have been asked without them. An error in here is reported once, as a note, and changes nothing.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mypy import errorcodes
from mypy.nodes import Context, Expression, FuncDef, NameExpr, SliceExpr, TypeAlias, TypeInfo
from mypy.typeops import bind_self
from mypy.types import (
    AnyType,
    CallableType,
    FunctionLike,
    Instance,
    PlaceholderType,
    Type,
    TypedDictType,
    TypeOfAny,
    UnboundType,
    UnionType,
    get_proper_type,
)  # fmt: skip

from coopy.mypy_plugin import codes, facts
from coopy.mypy_plugin.calls import (
    Finding,
    argument_findings,
    attribute_finding,
    call_finding,
    private_finding,
    reached,
    set_by_name,
)
from coopy.mypy_plugin.domain import Definitions
from coopy.mypy_plugin.marks import PROXIES, PROXY, REPLICA, VIEW, cleared, mark_of, marked, spread
from coopy.mypy_plugin.places import Modules, Place, instances, is_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy.nodes import SymbolTableNode
    from mypy.options import Options
    from mypy.plugin import AnalyzeTypeContext, AttributeContext, ClassDefContext, FunctionContext, MethodContext, MethodSigContext, Plugin

    Ours = Callable[[str, Any, Any], Any]

__all__ = ["Hooks"]

ALIASES = {"coopy.marks.System": PROXY, "coopy.marks.Replica": REPLICA, "coopy.marks.View": VIEW}
OPERATIONS = ("take_snapshot", "close", "basedir_abspath")
CONTROL = "coopy.wiring.operations.Control"
_BUILDING = frozenset(f"__{one}__" for one in ("add", "radd", "mul", "rmul", "or", "ror", "and", "rand", "sub", "rsub", "xor", "rxor"))
_DEFAULT = {"get_attribute_hook": "default_attr_type", "get_method_signature_hook": "default_signature"}


class Hooks:
    """The hooks of one plugin. `domains`: full names of further domain classes; `find` looks a full name up."""

    def __init__(self, plugin: Plugin, options: Options, domains: tuple[str, ...], find: Callable[[str], SymbolTableNode | None]) -> None:
        self._plugin, self._options, self._find = plugin, options, find
        self._definitions = Definitions(domains)
        self._checked = Modules()
        self._failed = False
        self._others: dict[str, list[Callable[[str], Any]]] = {}  # by hook: how the other plugins are asked for it

    # others first, and no error of ours in anybody's way

    def after(self, hook: str, fullname: str, ours: Ours, ctx: Any) -> Any:
        """What the other plugins make of it, then ours of that."""
        default = getattr(ctx, _DEFAULT.get(hook, "default_return_type"))
        if hook not in self._others:
            plugins = getattr(ctx.api.plugin, "_plugins", ())
            self._others[hook] = [getattr(other, hook) for other in plugins if other is not self._plugin]
        for ask in self._others[hook]:
            if (theirs := ask(fullname)) is not None:
                default = theirs(ctx)
                break
        try:
            return ours(fullname, ctx, default)
        except Exception as error:  # noqa: BLE001 - whatever it is, the types of the program must not suffer
            self._note_failure(error, ctx)
            return default

    def define(self, ctx: ClassDefContext) -> None:
        """A class is defined."""
        try:
            self._definitions.define(ctx)
        except Exception as error:  # noqa: BLE001 - as above
            self._note_failure(error, ctx)

    def _note_failure(self, error: Exception, ctx: Any) -> None:
        """Say so once, in a file of which mypy shows anything."""
        errors = _errors_of(ctx.api)
        if self._failed or errors.file in errors.ignored_files:
            return
        self._failed = True
        place: Context = ctx.cls if hasattr(ctx, "cls") else ctx.context
        with _past_attempts(errors):
            ctx.api.note(codes.INTERNAL.format(error=f"{type(error).__name__}: {error}"), place, code=codes.PARENT)

    # types

    def annotated(self, fullname: str, ctx: AnalyzeTypeContext) -> Type:
        """`System[T]` and the like."""
        typ = self._argument(ctx)
        try:
            return self._mark_all(typ, ALIASES[fullname])
        except Exception as error:  # noqa: BLE001 - as above
            self._note_failure(error, ctx)
            return typ

    def alias(self, fullname: str) -> Type | None:
        """What a name stands for, if somebody gave a marked type this name: older versions of mypy lose the mark of it."""
        symbol = self._find(fullname)
        if symbol is None or not isinstance(symbol.node, TypeAlias) or symbol.node.alias_tvars:
            return None
        return symbol.node.target if mark_of(symbol.node.target) else None

    def _argument(self, ctx: AnalyzeTypeContext) -> Type:
        """The T of `System[T]`; a wrong number of them is said as mypy says it."""
        typ = ctx.type
        assert isinstance(typ, UnboundType)
        if len(typ.args) == 1:
            return ctx.api.analyze_type(typ.args[0])
        if typ.args or self._options.disallow_any_generics:
            given = f"{len(typ.args)} given" if typ.args else "none given"
            ctx.api.fail(f'"{typ.name}" expects 1 type argument, but {given}', ctx.context, code=errorcodes.TYPE_ARG)
        return AnyType(TypeOfAny.from_omitted_generics)

    def _mark_all(self, typ: Type, mark: str) -> Type:
        """The type with this mark on the object itself, or on each of a union."""
        if isinstance(typ, PlaceholderType) or getattr(typ, "alias", typ) is None:
            return typ
        proper = get_proper_type(typ)
        if isinstance(proper, UnionType):
            return UnionType.make_union([self._mark_all(item, mark) for item in proper.items])
        if not isinstance(proper, Instance):
            return typ
        return marked(proper, mark, self._operations(proper, mark) if mark in PROXIES else None)

    def _operations(self, typ: Instance, mark: str) -> dict[str, Type]:
        """What a proxy has beside its domain, where that lacks the name: found only if the class has no such member."""
        symbol = self._find(CONTROL)
        function = self._find("builtins.function")
        control = symbol.node if symbol is not None else None
        if not isinstance(control, TypeInfo) or function is None or not isinstance(function.node, TypeInfo):
            return {}
        found: dict[str, Type] = {}
        for name in (*OPERATIONS, "__exit__"):
            method = control.get_method(name)
            if isinstance(method, FuncDef) and isinstance(method.type, FunctionLike):
                found[name] = bind_self(method.type)
        inner = marked(typ, mark, found)
        found["__enter__"] = CallableType([], [], [], inner, Instance(function.node, []), name="__enter__")
        return found

    def opened(self, _fullname: str, ctx: FunctionContext, default: Type) -> Type:
        """`init_system(...)`."""
        return self._mark_all(default, REPLICA if _is_literally_true(ctx, "replication") else PROXY)

    def looked_back(self, _fullname: str, _ctx: MethodContext, default: Type) -> Type:
        """`control(...).at(...)`."""
        return self._mark_all(default, REPLICA)

    def copied(self, fullname: str, _ctx: FunctionContext, default: Type) -> Type:
        """A function that gives a copy of what it is given."""
        return cleared(default, deep=fullname == "copy.deepcopy")

    # uses

    def _report(self, ctx: Any, finding: Finding | None, place: Context | None = None) -> None:
        if finding is not None:
            with _past_attempts(ctx.api.msg.errors):
                ctx.api.fail(finding.text, place or ctx.context, code=finding.code)

    def attribute(self, fullname: str, ctx: AttributeContext, default: Type) -> Type:
        """An attribute is read, assigned or deleted."""
        owner, _, name = fullname.rpartition(".")
        if is_plain(ctx.type, ctx.context) or name.startswith("__"):
            return default
        found = instances(ctx.type, owner)
        place = Place(ctx.api, self._checked, ctx.context)
        mark = place.mark(found)
        if mark is None:
            return default
        info = found[0].type
        place.rely_on(info)
        context: Any = ctx.context
        if ctx.is_lvalue or context in place.sites.deleted:
            self._report(ctx, attribute_finding(mark, info, name))
            return default
        if context not in place.sites.augmented:
            self._report(ctx, private_finding(mark, name))
        if isinstance(get_proper_type(default), FunctionLike) or facts.is_fresh(info, name):
            return default
        return self._item_set(ctx, place, spread(default, reached(mark)))

    def called(self, fullname: str, ctx: MethodSigContext, default: FunctionLike) -> FunctionLike:
        """A method is called."""
        if (at := self._on_call(ctx)) is not None:
            info, mark, place = at
            name = fullname.rpartition(".")[2]
            if name == "__getitem__" and ctx.context in place.sites.deleted:
                name = "__delitem__"  # of several targets of one `del`, mypy only reads
            self._report(ctx, call_finding(mark, info, name, ctx.context))
        return default

    def returned(self, fullname: str, ctx: MethodContext, default: Type) -> Type:
        """A method was called, with arguments of known types."""
        at = self._on_call(ctx)
        if at is None:
            return default
        info, mark, place = at
        name = fullname.rpartition(".")[2]
        if mark in PROXIES:
            for finding, argument in argument_findings(place, info, name, ctx):
                self._report(ctx, finding, argument)
        if facts.is_fresh(info, name) or (not facts.is_own(info, name) and _builds(name, ctx)):
            return cleared(default, deep=False) if mark_of(default) == mark else default  # Self keeps the mark of its object
        return self._item_set(ctx, place, spread(default, reached(mark)) if facts.known(info) else default)

    def _item_set(self, ctx: Any, place: Place, typ: Type) -> Type:
        """Of a TypedDict no hook sees an item that is assigned: it is seen where the TypedDict is read for it."""
        if ctx.context in place.sites.item_targets and isinstance(get_proper_type(typ), TypedDictType):
            mark = mark_of(typ)
            if mark is not None:
                for one in instances(typ, "typing._TypedDict"):
                    self._report(ctx, call_finding(mark, one.type, "__setitem__", ctx.context))
        return typ

    def _on_call(self, ctx: Any) -> tuple[TypeInfo, str, Place] | None:
        typ = ctx.type.fallback if isinstance(ctx.type, TypedDictType) else ctx.type
        if not isinstance(typ, Instance) or is_plain(typ, ctx.context):
            return None
        place = Place(ctx.api, self._checked, ctx.context)
        mark = place.mark([typ])
        if mark is None:
            return None
        place.rely_on(typ.type)
        return typ.type, mark, place

    def set_by_name(self, _fullname: str, ctx: FunctionContext, default: Type) -> Type:
        """`setattr(...)` and `delattr(...)`."""
        for types, exprs in zip(ctx.arg_types[:1], ctx.args[:1], strict=True):
            for typ, expr in zip(types, exprs, strict=True):
                proper = get_proper_type(typ)
                mark = mark_of(proper)
                if isinstance(proper, Instance) and mark is not None:
                    self._report(ctx, set_by_name(mark, proper.type), expr)
        return default


def _builds(name: str, ctx: MethodContext) -> bool:
    """Whether this operation of a container gives a new one: a sum, a slice."""
    return name in _BUILDING or (name == "__getitem__" and bool(ctx.args) and bool(ctx.args[0]) and isinstance(ctx.args[0][0], SliceExpr))


def _errors_of(api: Any) -> Any:
    """The collection of errors of a checker, a semantic analyzer or an analyzer of types."""
    return api.errors if hasattr(api, "errors") else api.api.errors


@contextmanager
def _past_attempts(errors: Any) -> Iterator[None]:
    """What is reported in here counts for nobody who tries: in an attempt at a variant of an overload, it would make that attempt fail."""
    watchers, errors._watchers = errors._watchers, []  # noqa: SLF001 - the only way past them
    try:
        yield
    finally:
        errors._watchers = watchers  # noqa: SLF001


def _is_literally_true(ctx: FunctionContext, name: str) -> bool:
    if name not in ctx.callee_arg_names:
        return False
    given: list[Expression] = ctx.args[ctx.callee_arg_names.index(name)]
    return bool(given) and isinstance(given[0], NameExpr) and given[0].fullname == "builtins.True"
