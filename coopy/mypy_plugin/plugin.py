"""When mypy has to ask: never, where no module imports coopy; at once, for what only coopy has; else for every attribute and method.

What the hooks do is in hooks.py, loaded with the first of them: a run over a warm cache that changes nothing needs none.
"""

from __future__ import annotations

import hashlib
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mypy import version
from mypy.nodes import TypeInfo
from mypy.plugin import Plugin

from coopy.kinds import CHANGES, COPYING
from coopy.mypy_plugin import codes  # noqa: F401 - mypy has to know the codes before it reads which of them are disabled
from coopy.mypy_plugin.settings import domains

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy.nodes import MypyFile
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
    from mypy.types import FunctionLike, Type

    from coopy.mypy_plugin.hooks import Hooks

__all__ = ["CoopyPlugin"]

LOSES_ALIASES = version.__version__.startswith("1.")  # `Board = System[Wiki]`: the mark of such a name
ALIASES = frozenset(("coopy.marks.System", "coopy.marks.Replica", "coopy.marks.View"))
PAST = "coopy.wiring.operations.Control.at"
DOORS = frozenset(("coopy.base.init_system", "coopy.base.init_persistent_system"))
NEEDED = ("coopy", "coopy.clock", "coopy.random", "coopy.wiring.operations")
_SETTERS = ("builtins.setattr", "builtins.delattr")
_UNMARKED = tuple(f"builtins.{one}." for one in ("str", "int", "float", "bool", "bytes", "object", "type", "function", "BaseException"))


class CoopyPlugin(Plugin):
    """The plugin. mypy makes one for a run, the daemon one for its life."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._domains = domains(options.config_file)
        self._key = _digest_of_code()
        self._used = False
        self._library: dict[str, bool] = {}  # by full name of a class: whether its methods need no hook

    @cached_property
    def _hooks(self) -> Hooks:
        from coopy.mypy_plugin.hooks import Hooks

        return Hooks(self, self.options, self._domains, self.lookup_fully_qualified)

    def _in_use(self) -> bool:
        """Whether any module of this run imports coopy: otherwise nothing can be marked."""
        self._used = self._used or (self._modules is not None and "coopy.marks" in self._modules)
        return self._used

    def _is_of_the_library(self, fullname: str) -> bool:
        """Whether this is a method of a class of the standard library that is no container: what it changes is not known, what it gives unmarked."""
        owner = fullname.rpartition(".")[0]
        if owner not in self._library:
            symbol = self.lookup_fully_qualified(owner)
            info = symbol.node if symbol is not None else None
            if not isinstance(info, TypeInfo) or self._modules is None:
                return False
            module = self._modules.get(info.module_name)
            contains = any(base.fullname in CHANGES or base.fullname == "typing.Iterable" for base in info.mro)
            self._library[owner] = module is not None and module.is_typeshed_file(self.options) and not contains
        return self._library[owner]

    # what mypy asks about modules

    def report_config_data(self, ctx: ReportConfigContext) -> Any:
        """Part of each module's key in mypy's cache: another plugin would have kept other facts, and so would this one with other domains in it.

        Of the domains of other modules it learns by what it imports, as of any other change there.
        """
        return [self._key, *(one for one in self._domains if one.startswith(f"{ctx.id}."))]

    def get_additional_deps(self, file: MypyFile) -> list[tuple[int, str, int]]:
        """A module that imports any part of coopy, or has a domain, needs the types of what is injected and of the proxy's operations."""
        from coopy.mypy_plugin.tree import imports_coopy

        named = any(one.rpartition(".")[0] == file.fullname for one in self._domains)
        if file.fullname.partition(".")[0] == "coopy" or not (named or imports_coopy(file)):
            return []
        return [(10, module, -1) for module in NEEDED]

    # hooks

    def get_customize_class_mro_hook(self, fullname: str) -> Callable[[ClassDefContext], None] | None:
        """Each class, while it is defined: what its body tells is kept, used or not, for runs in which it comes from the cache."""
        return None if fullname.startswith(("builtins.", "typing.", "coopy.")) else self._hooks.define

    def get_type_analyze_hook(self, fullname: str) -> Callable[[AnalyzeTypeContext], Type] | None:
        """System[T], Replica[T], View[T], and names that users give them."""
        if fullname in ALIASES:
            return partial(self._hooks.annotated, fullname)
        if not LOSES_ALIASES or not self._in_use() or fullname.startswith("builtins."):
            return None
        target = self._hooks.alias(fullname)
        return None if target is None else lambda _ctx: target

    def get_function_hook(self, fullname: str) -> Callable[[FunctionContext], Type] | None:
        """What gives a proxy, what gives a copy, what sets an attribute by its name."""
        hook = "get_function_hook"
        if fullname in DOORS:
            return partial(self._hooks.after, hook, fullname, self._hooks.opened)
        if fullname in COPYING and self._in_use():
            return partial(self._hooks.after, hook, fullname, self._hooks.copied)
        if fullname in _SETTERS and self._in_use():
            return partial(self._hooks.after, hook, fullname, self._hooks.set_by_name)
        return None

    def get_attribute_hook(self, fullname: str) -> Callable[[AttributeContext], Type] | None:
        """Any attribute that is not a plain method."""
        if not self._in_use() or fullname.startswith(_UNMARKED):
            return None
        return partial(self._hooks.after, "get_attribute_hook", fullname, self._hooks.attribute)

    def get_method_signature_hook(self, fullname: str) -> Callable[[MethodSigContext], FunctionLike] | None:
        """Any call of a method, before its arguments are known."""
        if not self._in_use() or fullname.startswith(_UNMARKED) or self._is_of_the_library(fullname):
            return None
        return partial(self._hooks.after, "get_method_signature_hook", fullname, self._hooks.called)

    def get_method_hook(self, fullname: str) -> Callable[[MethodContext], Type] | None:
        """Any call of a method, after its arguments are known."""
        if fullname == PAST:
            return partial(self._hooks.after, "get_method_hook", fullname, self._hooks.looked_back)
        if not self._in_use() or fullname.startswith(_UNMARKED) or self._is_of_the_library(fullname):
            return None
        return partial(self._hooks.after, "get_method_hook", fullname, self._hooks.returned)


def _digest_of_code() -> str:
    """A digest of this package and its tables."""
    folder = Path(__file__).parent
    texts = [path.read_bytes() for path in sorted((*folder.glob("*.py"), folder.parent / "kinds.py"))]
    return hashlib.blake2b(b"\0".join(texts), digest_size=16).hexdigest()
