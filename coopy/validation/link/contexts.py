"""Which calls of a function share a run of it: a context for each set of arguments, until there are many.

So a helper that takes a callback is judged by the callback it was given. After ten sets the rest is joined. Always told apart are
constructors, by the class that they make objects of; what runs when a module is imported, by the function or class that it is given, for that
is a decorator; both also by whether they are given None; and, in a program that is not large, little functions by the place that calls
them, with the containers that they make.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from coopy.validation.link.dispatch import Dispatch
from coopy.validation.link.hazards import type_name
from coopy.validation.link.machine import HUGE, LARGE, MAX_CONTEXTS, VAST, Context
from coopy.validation.link.values import IMPORT, NOTHING, TYPES, Cell, ClassValue, FunctionValue, Object

if TYPE_CHECKING:
    from coopy.validation.link.scopes import FunctionInfo
    from coopy.validation.link.values import Place, Value, Values


class Contexts(Dispatch):
    """Contexts of functions."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._argument_kinds: dict[Values, frozenset[object]] = {}

    def is_little(self, callee: FunctionValue, mode: str) -> bool:
        """Whether a function is told apart by the places that call it: a little one that may wrap or make containers."""
        return callee.info.little and self.made < LARGE and mode != TYPES and callee.parent is None

    def context_of(self, callee: FunctionValue, bound: dict[str, Values], mode: str, site: Place | None) -> Context:
        contexts = self.contexts.get(callee.info)
        if contexts is None:
            contexts = self.contexts[callee.info] = {}
        if not self.vast and len(self.contexts) > VAST:
            self.grow_vast()
        key = (callee.number, mode, site, *bound.values())
        found = contexts.get(key)
        if found is not None:
            return found
        apart = _apart(callee, bound, mode)
        general = (callee.number, mode, site, apart, "any")
        if general not in contexts and (told := self.told.get((callee.info, mode, site, apart), 0)) < self.precision(mode):
            self.told[callee.info, mode, site, apart] = told + 1
            self.made += 1
            contexts[key] = self._new_context(callee, bound, mode)
            contexts[key].site = site
            return contexts[key]
        shared = contexts.get(general)
        if shared is None:
            shared = contexts[general] = self._new_context(callee, {}, mode)
            shared.site = site
            shared.joined = {name: Cell() for name in bound}
        for name, values in bound.items():
            assert shared.joined is not None
            self.write(shared.joined.setdefault(name, Cell()), values)
        if self.vast:
            shared.kinds.add(tuple(map(self.kind_of, bound.values())))
        return shared

    def kind_of(self, values: Values) -> frozenset[object]:
        """What an argument is, as far as functions do something else with one of another kind."""
        found = self._argument_kinds.get(values)
        if found is None:
            found = self._argument_kinds[values] = frozenset(map(_kind, values))
        return found

    def precision(self, mode: str) -> int:
        """How many sets of arguments a function is run for: fewer, the larger the program that is reached."""
        if self.made >= LARGE and mode == TYPES:
            return 0
        return 0 if self.vast else MAX_CONTEXTS if self.made < LARGE else 3 if self.made < HUGE else 1

    def _new_context(self, callee: FunctionValue, bound: dict[str, Values], mode: str) -> Context:
        info = callee.info
        context = Context(info.module, mode, info.node.at, self.run_function)
        context.info, context.function, context.parent, context.cls, context.args = info, callee, callee.parent, info.owner, bound
        return context

    def run_function(self, context: Context) -> None:
        """Run the body of a function."""
        raise NotImplementedError


def _apart(callee: FunctionValue, bound: dict[str, Values], mode: str) -> tuple[Value | None, ...]:
    """What the calls of a function are always told apart by, of its first two arguments."""
    node = callee.info.node
    makes = callee.info.owner is not None and node.name in ("__new__", "__init__")
    decorates = mode == IMPORT or (node.nests and not makes)
    return tuple([_telling(values, callee, decorates, makes and not index) for index, values in enumerate(islice(bound.values(), 2))])


def _telling(values: Values, callee: FunctionValue, decorates: bool, makes: bool) -> Value | None:  # noqa: FBT001 - what the function is
    """An argument that is one value by which a decorator or constructor does something else than with another."""
    if len(values) != 1:
        return None
    (one,) = values
    if makes or one is NOTHING:
        return one
    return one if decorates and isinstance(one, (FunctionValue, ClassValue)) and not _is_inside(one, callee.info) else None


def _kind(one: Value) -> object:
    if isinstance(one, (Object, ClassValue)):
        return one.cls
    return one.info if isinstance(one, FunctionValue) else type_name(one) or type(one)


def _is_inside(one: FunctionValue | ClassValue, info: FunctionInfo) -> bool:
    """Whether a function or class was made by a call of another function."""
    parent = one.parent if isinstance(one, FunctionValue) else one.cls.parent
    while parent is not None:
        if parent.info is info:
            return True
        parent = parent.parent
    return False
