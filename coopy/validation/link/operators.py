"""Operators: special methods of the program's objects, and what containers, texts and times give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.validation.link.builtin import COMBINING, combines
from coopy.validation.link.hazards import Args, of_state
from coopy.validation.link.models import CALM as CALM_FUNCTIONS
from coopy.validation.link.models import Models
from coopy.validation.link.order import ANYHOW, CALM, HELD
from coopy.validation.link.scopes import version_test
from coopy.validation.link.unasked import as_keys, compare
from coopy.validation.link.values import BOOL, EMPTY, FALSE, HASHED, NOTHING, TRUE, Bound, Box, Foreign, Object, Pack, Text, Thing, Unknown

if TYPE_CHECKING:
    from coopy.validation import summary as s
    from coopy.validation.link.machine import Frame
    from coopy.validation.link.values import Value, Values

_COMPARISONS = frozenset(("eq", "ne", "lt", "le", "gt", "ge"))


class Operators(Models):
    """Operators."""

    def eval(self, frame: Frame, node: s.Expr, calm: int = ANYHOW) -> Values:
        """The values of an expression."""
        raise NotImplementedError

    def peek(self, frame: Frame, node: s.Expr) -> Values:
        """The values of an expression of which no order is seen."""
        return self.eval(frame, node, CALM)

    def calm_of(self, frame: Frame, callees: Values) -> int:
        """How arguments are used: a list that is put behind another waits with that."""
        if callees and all(self._is_calm(one) for one in callees):
            return CALM
        extended = callees and all(isinstance(one, Bound) and isinstance(one.receiver, Box) and one.name == "extend" for one in callees)
        return HELD if extended and frame.context.info is not None else ANYHOW

    def _is_calm(self, value: Value) -> bool:
        if isinstance(value, Foreign):
            return value.name in CALM_FUNCTIONS
        return isinstance(value, Bound) and isinstance(value.receiver, Box) and value.receiver.kind in ("set", "frozenset")

    def _binary(self, frame: Frame, node: s.Binary) -> Values:
        calm = frame.calm
        left, right = self.peek(frame, node.left), self.peek(frame, node.right)
        frame.calm = calm
        if node.op == "add" and (text := self.joined(left, right)):
            return text
        if node.op == "mod" and any(isinstance(one, Text) for one in left):
            self.filled(frame, node.at, left, right)
        if node.op == "add":
            self.used(frame, left | right)
        return self.operate(frame, node.at, node.op, left, right)

    def operate(self, frame: Frame, at: int, op: str, left: Values, right: Values) -> Values:
        """The result of an arithmetic operator."""
        out = EMPTY
        left, right = self.limited(left), self.limited(right)
        inside: Values | None = None
        for one in left:
            if isinstance(one, Box) and inside is None and one.kind != "dict" and op in ("or", "xor", "add"):
                inside = self.elements(frame, at, right)
            out |= self._operate_one(frame, at, op, one, right, inside or EMPTY)
        for one in right:
            if self.has_special(one, f"__r{op}__"):
                out |= self.call_special(frame, at, one, f"__r{op}__", Args([left]))
        return out

    def _operate_one(self, frame: Frame, at: int, op: str, left: Value, right: Values, inside: Values) -> Values:
        if isinstance(left, Object):
            return self.call_special(frame, at, left, f"__{op}__", Args([right])) or frozenset((of_state(left),))
        if isinstance(left, Box):
            return self._combine(frame, at, op, left, right, inside) if combines(left, op) else EMPTY
        if isinstance(left, Pack):
            return self._concatenate(frame, at, op, left, right) if op in COMBINING["tuple"] else EMPTY
        if isinstance(left, Text):
            return frozenset((self.pool.thing("builtins.str", frame.mode),))
        if isinstance(left, Thing):
            return self._thing_operate(frame, at, op, left, right)
        return frozenset((of_state(left),)) if isinstance(left, Unknown) else EMPTY

    def _combine(self, frame: Frame, at: int, op: str, left: Box, right: Values, inside: Values) -> Values:
        kind = "set" if left.kind == "iterator" else left.kind
        if left.kind == "dict" and op == "or":
            copy = self.copied(frame, at, left)
            self.merge(frame, at, copy, right)
            return frozenset((copy,))
        made = self.new_box(frame, at, kind, self.everything(left) | inside)
        if kind != "set" and self.ordered_by_hash(right | {left}):
            self.made_of_hashed(frame, at, made)
        return frozenset((made,))

    def _concatenate(self, frame: Frame, at: int, op: str, left: Pack, right: Values) -> Values:
        out: set[Value] = set()
        for one in right if op == "add" else ():
            if isinstance(one, Pack) and len(left.items) + len(one.items) < 8:  # noqa: PLR2004 - short tuples only, or loops would never end
                out.add(self.pool.pack(left.items + one.items))
            else:
                out.add(self.new_box(frame, at, "tuple", self._elements_of(frame, at, left) | self._elements_of(frame, at, one)))
        return frozenset(out) or frozenset((self.new_box(frame, at, "tuple", self._elements_of(frame, at, left)),))

    def _thing_operate(self, frame: Frame, at: int, op: str, left: Thing, right: Values) -> Values:
        if left.type in ("datetime.datetime", "datetime.date"):
            if op == "sub" and any(isinstance(one, Thing) and one.type.startswith("datetime.date") for one in right):
                return frozenset((self.pool.thing("datetime.timedelta", frame.mode),))
            return frozenset((left,))
        if left.type == "datetime.timedelta" and op == "add":
            return frozenset(one for one in right if isinstance(one, Thing)) or frozenset((left,))
        self.flag_method(frame, at, left, left.type, f"__{op}__", Args([right]))
        if left.type.startswith("builtins.") and any(isinstance(one, Thing) and one.type == "builtins.float" for one in right):
            return frozenset((self.pool.thing("builtins.float", frame.mode),))
        return frozenset((left,))

    def _unary(self, frame: Frame, node: s.Unary) -> Values:
        values = self.peek(frame, node.value)
        if node.op == "not":
            self.truth_of(frame, node.at, values)
            known = truth(values)
            return BOOL if known is None else frozenset((FALSE if known else TRUE,))
        out = EMPTY
        for one in values:
            out |= self.call_special(frame, node.at, one, f"__{node.op}__", Args()) or {one}
        return out

    def truth_of(self, frame: Frame, at: int, values: Values) -> None:
        """Values are tested: __bool__ or __len__ run."""
        for one in values:
            if isinstance(one, Object):
                for name in ("__bool__", "__len__"):
                    if self.has_special(one, name):
                        self.call_special(frame, at, one, name, Args())
                        break

    def contains(self, frame: Frame, at: int, value: Value, wanted: Values) -> None:
        """`wanted in value`."""
        if isinstance(value, Object):
            if self.has_special(value, "__contains__"):
                self.call_special(frame, at, value, "__contains__", Args([wanted]))
            elif (box := self.box_of(value)) is not None and not self.has_special(value, "__iter__"):
                self.contains(frame, at, box, wanted)
            else:
                self._elements_of(frame, at, value)
        elif isinstance(value, (Box, Pack)) and any(isinstance(one, (Object, Pack)) for one in wanted):
            if isinstance(value, Box) and value.kind in ("dict", *HASHED):
                as_keys(self, frame, at, wanted)
            compare(self, frame, at, "eq", self._elements_of(frame, at, value), wanted)

    def _compare(self, frame: Frame, node: s.Compare) -> Values:
        if version_test(node) is not None:
            return BOOL
        left = self.peek(frame, node.left)
        for op, right_node in zip(node.ops, node.rights, strict=True):
            right = self.peek(frame, right_node)
            if op in _COMPARISONS:
                compare(self, frame, node.at, op, left, right)
            elif op in ("in", "notin"):
                for one in right:
                    self.contains(frame, node.at, one, left)
            left = right
        return BOOL


def truth(values: Values) -> bool | None:
    """Whether a test of these values can only come out one way."""
    if not values:
        return None
    if values <= {NOTHING, FALSE}:
        return False
    return True if values == {TRUE} else None
