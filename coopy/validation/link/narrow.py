"""Tests: which way they can come out, and what is known of a variable or attribute behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.validation import summary as s
from coopy.validation.link.builtin import lacks
from coopy.validation.link.classes import PLAIN, RECORDS
from coopy.validation.link.evaluate import Evaluator, path_of
from coopy.validation.link.hazards import type_name
from coopy.validation.link.operators import truth
from coopy.validation.link.scopes import version_test
from coopy.validation.link.values import (
    ACTION,
    ANY,
    EMPTY,
    FALSE,
    NONE,
    NOTHING,
    STATE,
    TRUE,
    Box,
    ClassValue,
    Foreign,
    FunctionValue,
    Method,
    Object,
    Pack,
    Partial,
    Text,
    Thing,
    Unknown,
)  # fmt: skip

if TYPE_CHECKING:
    from coopy.validation.link.machine import Frame
    from coopy.validation.link.values import Value, Values


_DATA = frozenset(f"builtins.{one}" for one in (
    "bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "memoryview", "range", "set", "slice", "str", "tuple",
))  # fmt: skip
_SCALARS = _DATA - {"builtins.dict", "builtins.tuple"}  # of which no record is one
_ASKING = frozenset(("isinstance", "issubclass", "hasattr"))
_VIRTUAL = ("collections.", "typing.", "numbers.", "abc.", "os.", "contextlib.")  # that others are instances of without deriving from them


class Narrowing(Evaluator):
    """Tests."""

    def decide(self, frame: Frame, test: s.Expr) -> bool | None:
        """Whether a test can only come out one way."""
        if isinstance(test, s.Const):
            return {"True": True, "False": False, "None": False}.get(test.text) if test.kind in ("bool", "NoneType") else None
        if isinstance(test, s.Unary) and test.op == "not":
            inner = self.decide(frame, test.value)
            return None if inner is None else not inner
        if isinstance(test, s.Boolean):
            return self._decide_boolean(frame, test)
        if isinstance(test, s.Compare) and len(test.ops) == 1:
            return self._decide_compare(frame, test)
        if isinstance(test, (s.Name, s.Attribute)):
            if test.name == "TYPE_CHECKING":
                return False
            return self._truth_known(self._known(frame, test))
        return None

    def _truth_known(self, values: Values) -> bool | None:
        """Whether values can only be true, or only false: a function is true, and so is an object that does not say otherwise."""
        known = truth(values)
        return True if known is None and values and all(map(self._is_true, values)) else known

    def _is_true(self, value: Value) -> bool:
        if isinstance(value, Object):
            plain = not value.open and self.member(value.cls, "__bool__") is None and self.member(value.cls, "__len__") is None
            return plain and value.cls.known
        return isinstance(value, (FunctionValue, Method, Partial))

    def outcome(self, frame: Frame, test: s.Expr, values: Values) -> bool | None:
        """The same, of a test of which the values are known. In a VAST program what is called may give more than is known."""
        decided = self.decide(frame, test)
        asked = isinstance(test, (s.Call, s.Unary, s.Boolean)) and decided is None and not self.vast
        return truth(values) if asked else decided

    def _decide_boolean(self, frame: Frame, test: s.Boolean) -> bool | None:
        parts = [self.decide(frame, one) for one in test.values]
        absorbing = test.op == "or"
        if absorbing in parts:
            return absorbing
        return None if None in parts else not absorbing

    def _decide_compare(self, frame: Frame, test: s.Compare) -> bool | None:
        if (certain := version_test(test)) is not None:
            return certain
        op, right = test.ops[0], test.rights[0]
        if op in ("is", "isnot", "eq", "ne") and isinstance(right, s.Const) and right.kind == "NoneType":
            values = self._known(frame, test.left)
            if values == NONE:
                return op in ("is", "eq")
            if values and not any(isinstance(one, Unknown) or one is NOTHING for one in values):
                return op in ("isnot", "ne")
            return None
        if op in ("eq", "ne") and isinstance(right, s.Const) and right.kind == "str":
            values = self._known(frame, test.left)
            if values and all(isinstance(one, Text) for one in values):
                same = [isinstance(one, Text) and one.text == right.text for one in values]
                return None if any(same) and not all(same) else all(same) is (op == "eq")
        return None

    def _known(self, frame: Frame, node: s.Expr) -> Values:
        """The values of a name or attribute, without counting it as a use."""
        return self.peek(frame, node) if isinstance(node, (s.Name, s.Attribute, s.Subscript)) else EMPTY

    def narrow(self, frame: Frame, test: s.Expr, *, truth: bool) -> None:
        """What is known behind a test that came out so."""
        if frame.env is None:
            return
        if truth or not _is_offset(test):  # that of UTC is zero
            self._narrow_zone(frame, test, aware=truth)
        if isinstance(test, s.Unary) and test.op == "not":
            self.narrow(frame, test.value, truth=not truth)
        elif isinstance(test, s.Boolean):
            if (test.op == "and") is truth:
                for one in test.values:
                    self.narrow(frame, one, truth=truth)
        elif isinstance(test, s.Compare):
            self._narrow_compare(frame, test, truth=truth)
        elif isinstance(test, s.Walrus):
            self.narrow(frame, s.Name(test.at, test.name), truth=truth)
        elif isinstance(test, s.Call):
            self._narrow_call(frame, test, truth=truth)
        elif path := path_of(test):
            values = self._known(frame, test)
            frame.env[path] = (values - {NOTHING, FALSE}) if truth else values - {TRUE}

    def _narrow_compare(self, frame: Frame, test: s.Compare, *, truth: bool) -> None:
        path, right = path_of(test.left), test.rights[0]
        if isinstance(right, s.Const) and right.kind == "NoneType" and test.ops[0] in ("is", "isnot", "eq", "ne"):
            self._narrow_zone(frame, test.left, aware=(test.ops[0] in ("isnot", "ne")) is truth)
        if not path or len(test.ops) != 1 or frame.env is None:
            return
        if isinstance(right, s.Const) and right.kind == "NoneType" and test.ops[0] in ("is", "isnot", "eq", "ne"):
            values = self._known(frame, test.left)
            is_none = (test.ops[0] in ("is", "eq")) is truth
            if is_none:
                frame.env[path] = NONE if NOTHING in values or not values else values
            else:
                frame.env[path] = values - NONE

    def _narrow_zone(self, frame: Frame, test: s.Expr, *, aware: bool) -> None:
        """Behind `x.tzinfo`, `x.utcoffset()` or `getattr(x, "tzinfo", None)` that is something, x is aware; behind one that is nothing, naive."""
        path = path_of(owner) if (owner := _zone_owner(test)) is not None else ""
        if path and owner is not None and frame.env is not None:
            values = self._known(frame, owner)
            times = frozenset(one for one in values if isinstance(one, Thing) and one.type in ("datetime.datetime", "datetime.time"))
            note, other = ("aware", "naive") if aware else ("naive", "aware")
            left = frozenset(self.pool.thing(one.type, one.mode, note) for one in times if one.note != other)
            if times:
                frame.env[path] = (values - times) | left

    def _narrow_call(self, frame: Frame, test: s.Call, *, truth: bool) -> None:
        """isinstance(x, T) and hasattr(x, "name")."""
        if not (isinstance(test.func, s.Name) and test.func.name in _ASKING and len(test.args) == 2):  # noqa: PLR2004
            return
        path = path_of(test.args[0])
        if not path or frame.env is None:
            return
        if test.func.name == "hasattr":
            values = self._known(frame, test.args[0])
            frame.env[path] = frozenset(one for one in values if self._may_have(one, test.args[1]) is not (not truth))
            return
        kinds = self._kinds(self.peek(frame, test.args[1]))
        values = self._known(frame, test.args[0])
        if not truth:
            frame.env[path] = self._not_of_kinds(values, kinds)
            return
        frame.env[path] = known = self.of_kinds(frame, test.at, values, kinds)
        if known and known.isdisjoint(values):
            frame.guess(test.at)

    def _may_have(self, value: Value, name: s.Expr) -> bool | None:
        """Whether a value has an attribute of a name; None if that is not known."""
        if not isinstance(name, s.Const) or name.kind != "str":
            return None
        if isinstance(value, Object) and isinstance(self.member(value.cls, name.text), tuple):
            return True
        return False if lacks(value, name.text) else None

    def _kinds(self, values: Values) -> list[Value]:
        out: list[Value] = []
        for one in values:
            if isinstance(one, Pack):
                out += [kind for item in one.items for kind in item]
            else:
                out.append(self.pool.foreign(self.catalogue.canonical(one.name)) if isinstance(one, Foreign) else one)
        return out

    def of_kinds(self, frame: Frame, at: int, values: Values, kinds: list[Value]) -> Values:
        """Those of the values that are instances; what is unknown becomes one, a container one of this test."""
        out = EMPTY
        for one in values:
            for kind in kinds:
                out |= self._of_kind(frame, at, one, kind)
        return out

    def _of_kind(self, frame: Frame, at: int, value: Value, kind: Value) -> Values:
        if isinstance(kind, ClassValue):
            if isinstance(value, Object):
                if self.is_subclass(value.cls, kind.cls) or "typing.Protocol" in self.order(kind.cls):
                    return frozenset((value,))
                return (
                    frozenset((self.pool.object(kind.cls, value.mode, value.open),))
                    if self.covers(value.cls, kind.cls) and value.open
                    else EMPTY
                )
            if isinstance(value, Unknown):
                mode = ACTION if value is STATE else frame.mode
                return frozenset((self.pool.object(kind.cls, mode, ANY),))
            return EMPTY
        if isinstance(kind, Foreign):
            return self._of_foreign_kind(frame, at, value, kind)
        return frozenset((value,))

    def _of_foreign_kind(self, frame: Frame, at: int, value: Value, kind: Foreign) -> Values:
        if isinstance(value, Unknown):
            place = 0 if self.vast else at  # in a vast program, one for all tests of a module
            return self._foreign_type(frame, kind.name, place) if not kind.name.startswith("collections.abc") else frozenset((value,))
        known = type_name(value)
        if isinstance(value, (Thing, Text, Box, Pack)) and known and kind.name.startswith("builtins.") and known.startswith("builtins."):
            return frozenset((value,)) if known == kind.name or {known, kind.name} == {"builtins.bool", "builtins.int"} else EMPTY
        if kind.name in _DATA and isinstance(value, FunctionValue | Method | Partial | ClassValue):
            return EMPTY
        if isinstance(value, Object) and kind.name not in PLAIN and not kind.name.startswith(_VIRTUAL) and self._is_plain(value, kind.name):
            return EMPTY
        return frozenset((value,))

    def _is_plain(self, value: Object, kind: str) -> bool:
        """Whether this is an object of a class that has no bases outside the program that could be of this kind."""
        plain = PLAIN | RECORDS if kind in _SCALARS else PLAIN
        classes = (value.cls, *(self.derived(value.cls, value.open) if value.open else ()))
        return all(one in plain if isinstance(one, str) else one.known for cls in classes for one in self.order(cls))

    def _not_of_kinds(self, values: Values, kinds: list[Value]) -> Values:
        out = set(values)
        for one in values:
            for kind in kinds:
                if (isinstance(kind, ClassValue) and isinstance(one, Object) and self.is_subclass(one.cls, kind.cls)) or (
                    isinstance(kind, Foreign) and type_name(one) == kind.name
                ):
                    out.discard(one)
        return frozenset(out)


def _is_offset(test: s.Expr) -> bool:
    """Whether a test asks for a difference from UTC, which may be none."""
    return isinstance(test, s.Call) and isinstance(test.func, s.Attribute)


def _zone_owner(node: s.Expr) -> s.Expr | None:
    """What an expression asks for its time zone."""
    if isinstance(node, s.Attribute) and node.name == "tzinfo":
        return node.value
    if isinstance(node, s.Call) and isinstance(node.func, s.Attribute) and node.func.name == "utcoffset":
        return node.func.value
    if isinstance(node, s.Call) and isinstance(node.func, s.Name) and node.func.name == "getattr" and len(node.args) > 1:
        name = node.args[1]
        return node.args[0] if isinstance(name, s.Const) and name.text == "tzinfo" else None
    return None
