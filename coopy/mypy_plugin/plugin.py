"""mypy's hooks: each asks the other plugins first, then looks at marks, reports, and marks the result.

mypy takes the first hook that is not None, its own built-in ones included. Attributes and methods of any class may carry a mark, so the hooks
here answer for all names and hand each on to whoever would have been asked without them. An error in here is reported once, as a note.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from mypy import errorcodes
from mypy.nodes import Context, Expression, FuncDef, MypyFile, NameExpr, TypeAlias, TypeInfo
from mypy.plugin import Plugin
from mypy.typeops import bind_self
from mypy.types import (
    AnyType,
    CallableType,
    FunctionLike,
    Instance,
    PlaceholderType,
    Type,
    TypeOfAny,
    UnboundType,
    UnionType,
    get_proper_type,
)

from coopy.kinds import COPYING
from coopy.mypy_plugin import codes, facts
from coopy.mypy_plugin.calls import Finding, argument_findings, attribute_finding, call_finding, private_finding, reached, set_by_name
from coopy.mypy_plugin.domain import DOORS, Definitions
from coopy.mypy_plugin.marks import PROXIES, PROXY, REPLICA, VIEW, cleared, mark_of, marked, spread
from coopy.mypy_plugin.places import Modules, Place, instances
from coopy.mypy_plugin.settings import domains
from coopy.mypy_plugin.tree import imports_coopy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy.options import Options
    from mypy.plugin import (
        AnalyzeTypeContext,
        AttributeContext,
        ClassDefContext,
        FunctionContext,
        MethodContext,
        MethodSigContext,
        ReportConfigContext,
    )  # fmt: skip

__all__ = ["CoopyPlugin"]

C = TypeVar("C")
R = TypeVar("R")
VERSION = 1  # what is kept in mypy's cache; a change of facts or marks changes it
ALIASES = {"coopy.marks.System": PROXY, "coopy.marks.Replica": REPLICA, "coopy.marks.View": VIEW}
OPERATIONS = ("take_snapshot", "close", "basedir_abspath")
CONTROL = "coopy.wiring.Control"
NEEDED = ("coopy", "coopy.clock", "coopy.random", "coopy.wiring")
_BUILDING = frozenset(f"__{one}__" for one in ("add", "radd", "mul", "rmul", "or", "ror", "and", "rand", "sub", "rsub", "xor", "rxor"))
_UNMARKED = tuple(f"builtins.{one}." for one in ("str", "int", "float", "bool", "bytes", "object", "type", "function", "BaseException"))


class CoopyPlugin(Plugin):
    """The plugin. mypy makes one for a run, the daemon one for its life."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._domains = domains(options.config_file)
        self._definitions = Definitions(self._domains)
        self._checked = Modules()
        self._failed = False

    # what mypy asks about modules

    def report_config_data(self, ctx: ReportConfigContext) -> Any:  # noqa: ARG002 - the same for all modules
        """Part of each module's key in the cache."""
        return {"coopy": VERSION, "domains": list(self._domains)}

    def get_additional_deps(self, file: MypyFile) -> list[tuple[int, str, int]]:
        """A module that imports any part of coopy, or has a domain, needs the types of what is injected and of the proxy's operations."""
        named = any(one.rpartition(".")[0] == file.fullname for one in self._domains)
        if file.fullname.partition(".")[0] == "coopy" or not (named or imports_coopy(file)):
            return []
        return [(10, module, -1) for module in NEEDED]

    def _in_use(self) -> bool:
        """Whether any module of this run imports coopy: otherwise nothing can be marked, and no hook is needed."""
        return self._modules is not None and "coopy.marks" in self._modules

    # hooks

    def get_type_analyze_hook(self, fullname: str) -> Callable[[AnalyzeTypeContext], Type] | None:
        """System[T], Replica[T], View[T], and names that users give them."""
        if fullname in ALIASES:
            return partial(self._guarded, self._annotated, ALIASES[fullname])
        if not self._in_use() or fullname.startswith("builtins."):
            return None
        symbol = self.lookup_fully_qualified(fullname)
        if symbol is None or not isinstance(symbol.node, TypeAlias) or symbol.node.alias_tvars:
            return None
        target = symbol.node.target
        return (lambda _ctx: target) if mark_of(target) else None

    def get_customize_class_mro_hook(self, fullname: str) -> Callable[[ClassDefContext], None] | None:
        """Each class, while it is defined."""
        return None if fullname.startswith(("builtins.", "typing.")) else self._define

    def get_function_hook(self, fullname: str) -> Callable[[FunctionContext], Type] | None:
        """What gives a proxy, and what gives a copy."""
        if fullname in DOORS:
            return partial(self._guarded, self._opened, None)
        if self._in_use():
            if fullname in COPYING:
                return partial(self._after, "get_function_hook", fullname, self._copied)
            if fullname in ("builtins.setattr", "builtins.delattr"):
                return partial(self._after, "get_function_hook", fullname, self._set_by_name)
        return None

    def get_attribute_hook(self, fullname: str) -> Callable[[AttributeContext], Type] | None:
        """Any attribute that is not a plain method."""
        if not self._in_use() or fullname.startswith(_UNMARKED):
            return None
        return partial(self._after, "get_attribute_hook", fullname, self._attribute)

    def get_method_signature_hook(self, fullname: str) -> Callable[[MethodSigContext], FunctionLike] | None:
        """Any call of a method, before its arguments are known."""
        if not self._in_use() or fullname.startswith(_UNMARKED):
            return None
        return partial(self._after, "get_method_signature_hook", fullname, self._called)

    def get_method_hook(self, fullname: str) -> Callable[[MethodContext], Type] | None:
        """Any call of a method, after its arguments are known."""
        if not self._in_use() or fullname.startswith(_UNMARKED):
            return None
        return partial(self._after, "get_method_hook", fullname, self._returned)

    # others first, and no error of ours in anybody's way

    def _after(self, hook: str, fullname: str, ours: Callable[[str, Any, Any], Any], ctx: Any) -> Any:
        """What the other plugins make of it, then ours of that."""
        default = (
            ctx.default_attr_type
            if hook == "get_attribute_hook"
            else ctx.default_signature
            if hook == "get_method_signature_hook"
            else ctx.default_return_type
        )
        for other in getattr(ctx.api.plugin, "_plugins", ()):
            if other is not self and (theirs := getattr(other, hook)(fullname)) is not None:
                default = theirs(ctx)
                break
        try:
            return ours(fullname, ctx, default)
        except Exception as error:  # noqa: BLE001 - whatever it is, the types of the program must not suffer
            self._note_failure(error, ctx)
            return default

    def _guarded(self, ours: Callable[[Any, Any], Type], what: Any, ctx: Any) -> Type:
        try:
            return ours(what, ctx)
        except Exception as error:  # noqa: BLE001 - as above
            self._note_failure(error, ctx)
            return ctx.default_return_type if hasattr(ctx, "default_return_type") else AnyType(TypeOfAny.from_error)

    def _define(self, ctx: ClassDefContext) -> None:
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

    def _annotated(self, mark: str, ctx: AnalyzeTypeContext) -> Type:
        typ = ctx.type
        assert isinstance(typ, UnboundType)
        if len(typ.args) != 1:
            wrong = "expects 1 type argument, but " + (f"{len(typ.args)} given" if typ.args else "none given")
            if typ.args or self.options.disallow_any_generics:
                ctx.api.fail(f'"{typ.name}" {wrong}', ctx.context, code=errorcodes.TYPE_ARG)
            return AnyType(TypeOfAny.from_omitted_generics)
        return self._mark_all(ctx.api.analyze_type(typ.args[0]), mark)

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
        symbol = self.lookup_fully_qualified(CONTROL)
        function = self.lookup_fully_qualified("builtins.function")
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

    def _opened(self, _what: None, ctx: FunctionContext) -> Type:
        mark = REPLICA if _is_literally_true(ctx, "replication") else PROXY
        return self._mark_all(ctx.default_return_type, mark)

    def _copied(self, fullname: str, _ctx: FunctionContext, default: Type) -> Type:
        return cleared(default, deep=fullname == "copy.deepcopy")

    # uses

    def _report(self, ctx: Any, finding: Finding | None, place: Context | None = None) -> None:
        if finding is not None:
            with _past_attempts(ctx.api.msg.errors):
                ctx.api.fail(finding.text, place or ctx.context, code=finding.code)

    def _attribute(self, fullname: str, ctx: AttributeContext, default: Type) -> Type:
        owner, _, name = fullname.rpartition(".")
        if name.startswith("__"):
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
        return spread(default, reached(mark))

    def _called(self, fullname: str, ctx: MethodSigContext, default: FunctionLike) -> FunctionLike:
        if (at := self._on_call(ctx)) is not None:
            info, mark, _ = at
            self._report(ctx, call_finding(mark, info, fullname.rpartition(".")[2], ctx.context))
        return default

    def _returned(self, fullname: str, ctx: MethodContext, default: Type) -> Type:
        at = self._on_call(ctx)
        if at is None:
            return default
        info, mark, place = at
        name = fullname.rpartition(".")[2]
        if mark in PROXIES:
            for finding, argument in argument_findings(place, info, name, ctx):
                self._report(ctx, finding, argument)
        if facts.is_fresh(info, name) or (name in _BUILDING and not facts.known(info)):
            return cleared(default, deep=False) if mark_of(default) == mark else default  # Self keeps the mark of its object
        return spread(default, reached(mark)) if facts.known(info) else default

    def _on_call(self, ctx: Any) -> tuple[TypeInfo, str, Place] | None:
        typ = get_proper_type(ctx.type)
        if not isinstance(typ, Instance):
            return None
        place = Place(ctx.api, self._checked, ctx.context)
        mark = place.mark([typ])
        if mark is None:
            return None
        place.rely_on(typ.type)
        return typ.type, mark, place

    def _set_by_name(self, _fullname: str, ctx: FunctionContext, default: Type) -> Type:
        for types, exprs in zip(ctx.arg_types[:1], ctx.args[:1], strict=True):
            for typ, expr in zip(types, exprs, strict=True):
                proper = get_proper_type(typ)
                mark = mark_of(proper)
                if isinstance(proper, Instance) and mark is not None:
                    self._report(ctx, set_by_name(mark, proper.type), expr)
        return default


def _errors_of(api: Any) -> Any:
    """mypy's collection of errors, of a checker, a semantic analyzer or an analyzer of types."""
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
