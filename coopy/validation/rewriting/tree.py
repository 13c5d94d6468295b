"""A file with calls to replace -> its new text. Only what is named changes; every other character stays, spaces and comments too.

    time.time()      in a method of a domain object    self._clock.time()
                     anywhere else                     clock.time(), and one `from coopy import clock` with the imports of the file

A call is replaced only where imports say what it is (`names`) and where the new name is free. An import that nothing uses any more goes.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import libcst as cst
import msgspec
from libcst.metadata import MetadataWrapper

from coopy.validation.deep import room_for
from coopy.validation.rewriting.collect import Collector, Site
from coopy.validation.rewriting.imports import add_import
from coopy.validation.rewriting.names import Names
from coopy.validation.rewriting.table import TARGETS, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RECURSION = 20_000
_REFLECTION = frozenset(("globals", "locals", "vars", "eval", "exec", "__import__", "import_module"))
Place: TypeAlias = "tuple[int, int]"
Node = TypeVar("Node", cst.Import, cst.ImportFrom)


class Wanted(msgspec.Struct, frozen=True):
    """What the linker says of a call: the full name of what is called, and whether the method's first parameter has a clock."""

    name: str
    own: bool


class Rewritten(msgspec.Struct, frozen=True):
    """The new text, which places were rewritten, and why the others were left."""

    text: str
    done: list[Place]
    left: dict[Place, str]


class _Edit(msgspec.Struct, frozen=True):
    """One call and what replaces the name in front of its arguments. `adds`: the tool that has to be imported for it."""

    site: Site
    func: str
    adds: str


def rewrite(text: str, wanted: Mapping[Place, Wanted], used_elsewhere: Callable[[str], bool]) -> Rewritten:
    """Replace the calls at these places. `used_elsewhere`: whether other files use a name of this one."""
    try:
        with room_for(RECURSION):
            return _File(text, used_elsewhere).rewrite(wanted)
    except (SyntaxError, RecursionError) as error:  # newer than the Python that runs this, or too deep for it
        return Rewritten(text, [], dict.fromkeys(wanted, f"the file cannot be rewritten here: {error}"))


class _File:
    """One file and what may be done with it."""

    def __init__(self, text: str, used_elsewhere: Callable[[str], bool]) -> None:
        self.text, self.used_elsewhere = text, used_elsewhere
        wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
        self.module = wrapper.module
        self.seen = Collector()
        wrapper.visit(self.seen)
        self.names = Names(text.replace("\r\n", "\n").replace("\r", "\n"), self.seen.imports)

    def rewrite(self, wanted: Mapping[Place, Wanted]) -> Rewritten:
        edits: dict[Place, _Edit] = {}
        left: dict[Place, str] = {}
        for place, one in wanted.items():
            found = self._edit(place, one)
            if isinstance(found, str):
                left[place] = found
            else:
                edits[place] = found
        gone = self._unused(edits)
        for tool in sorted({one.adds for one in edits.values() if one.adds}):
            if not self._is_free(tool, gone):
                for place in [place for place, one in edits.items() if one.adds == tool]:
                    left[place] = f"the name {tool} is taken in this file"
                    del edits[place]
                gone = self._unused(edits)
        if not edits:
            return Rewritten(self.text, [], left)
        tools = {one.adds for one in edits.values() if one.adds}
        changed = self.module.visit(_Rewriter({one.site.node: one.func for one in edits.values()}, gone))
        new = add_import(changed, sorted(tools)).code if tools else _without_blank_start(self.module, changed).code
        ast.parse(new)  # what was valid stays valid, or nothing is written
        return Rewritten(new, sorted(edits), left)

    def _edit(self, place: Place, wanted: Wanted) -> _Edit | str:
        """What replaces a call, or why it is left."""
        site, target = self.seen.sites.get(place), TARGETS.get(wanted.name)
        if site is None or target is None:
            return "it is not written as a plain call"
        doubts = (
            (not site.scope or site.scope[-1][0] != "function", "it runs when the module is imported"),
            (self.names.resolve(site.scope, site.dotted) != wanted.name, f"{site.dotted} may be something else there"),
            (not target.takes(site.arguments), "its arguments would mean something else"),
            (site.shown, "its text is shown too"),
        )
        return next((why for doubt, why in doubts if doubt), None) or self._with(site, target, own=wanted.own)

    def _with(self, site: Site, target: Target, *, own: bool) -> _Edit | str:
        if own and site.parameter and self.names.keeps_parameter(site.scope, site.parameter):
            return _Edit(site, f"{site.parameter}._{target.tool}.{target.name}", "")
        for name, bound in self.seen.imports.get((), ()):
            known = {f"coopy.{target.tool}": name, "coopy": f"{name}.{target.tool}"}.get(bound)
            if known and self.names.resolve(site.scope, known) == f"coopy.{target.tool}":
                return _Edit(site, f"{known}.{target.name}", "")
        if self.names.is_shadowed(site.scope, target.tool):
            return f"{target.tool} is another name there"
        return _Edit(site, f"{target.tool}.{target.name}", target.tool)

    def _unused(self, edits: Mapping[Place, _Edit]) -> set[cst.ImportAlias]:
        """Imports that the edits leave without a use, and that certainly nobody else needs."""
        freed: dict[str, int] = {}
        for one in edits.values():
            first = one.site.dotted.partition(".")[0]
            freed[first] = freed.get(first, 0) + 1
        names = {
            name
            for name, count in freed.items()
            if self.seen.uses[name] == count
            and name not in self.seen.words
            and not _REFLECTION & set(self.seen.uses)
            and not self.used_elsewhere(name)
        }
        return {one.alias for one in self.seen.bindings if one.name in names and one.removable}

    def _is_free(self, tool: str, gone: set[cst.ImportAlias]) -> bool:
        """Whether the module can import a tool under its own name, once some imports are gone."""
        bound = [one for one in self.seen.bindings if one.name == tool]
        return self.names.is_free(tool) or (bool(bound) and all(one.alias in gone for one in bound))


def _without_blank_start(before: cst.Module, after: cst.Module) -> cst.Module:
    """Where the first statements went, the file does not begin with the blank lines behind them."""
    if after.header or not after.body or len(after.body) == len(before.body) or before.body[0].deep_equals(after.body[0]):
        return after
    first = after.body[0]
    lines = list(getattr(first, "leading_lines", ()))
    while lines and lines[0].comment is None:
        del lines[0]
    return after.with_changes(body=[first.with_changes(leading_lines=lines), *after.body[1:]]) if hasattr(first, "leading_lines") else after


class _Rewriter(cst.CSTTransformer):
    """Replaces what is called, and removes imports."""

    def __init__(self, calls: Mapping[cst.Call, str], gone: set[cst.ImportAlias]) -> None:
        super().__init__()
        self.calls, self.gone = calls, gone

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        func = self.calls.get(original_node)
        return updated_node if func is None else updated_node.with_changes(func=cst.parse_expression(func))

    def leave_Import(self, original_node: cst.Import, updated_node: cst.Import) -> cst.Import | cst.RemovalSentinel:
        return updated_node if (names := self._kept(original_node.names)) is None else _with_names(updated_node, names)

    def leave_ImportFrom(self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom) -> cst.ImportFrom | cst.RemovalSentinel:
        if isinstance(original_node.names, cst.ImportStar) or (names := self._kept(original_node.names)) is None:
            return updated_node
        return _with_names(updated_node, names)

    def _kept(self, names: object) -> list[cst.ImportAlias] | None:
        """The names that stay, the last with the comma that the last had; None if all do."""
        before = [one for one in names if isinstance(one, cst.ImportAlias)] if isinstance(names, tuple | list) else []
        after = [one for one in before if one not in self.gone]
        if len(after) == len(before):
            return None
        if after and after[-1] is not before[-1]:
            after[-1] = after[-1].with_changes(comma=before[-1].comma)
        return after

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine | cst.RemovalSentinel:
        return updated_node if updated_node.body or not original_node.body else cst.RemoveFromParent()


def _with_names(node: Node, names: list[cst.ImportAlias]) -> Node | cst.RemovalSentinel:
    return node.with_changes(names=names) if names else cst.RemoveFromParent()
