"""Expressions: what each kind may be, and what evaluating it calls, reads and changes.

`frame.calm` tells the expression at hand how its value is used: not at all in an order (CALM), kept in a local variable (HELD), or anyhow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coopy.validation import summary as s
from coopy.validation.link.hazards import Args
from coopy.validation.link.lone import one_item
from coopy.validation.link.order import ANYHOW, CALM, Loop
from coopy.validation.link.subscripts import Subscripts
from coopy.validation.link.unasked import as_keys
from coopy.validation.link.values import (
    ANYTHING,
    EMPTY,
    FALSE,
    NONE,
    TRUE,
    Bound,
    Box,
    Foreign,
    FunctionValue,
    Method,
    Pack,
    Picked,
    Unknown,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.validation.link.machine import Frame
    from coopy.validation.link.values import Value, Values


def path_of(node: s.Expr) -> str:
    """A chain of attributes of a name as text, else ""."""
    if isinstance(node, s.Name):
        return node.name
    if isinstance(node, s.Attribute) and (head := path_of(node.value)):
        return f"{head}.{node.name}"
    return ""


class Evaluator(Subscripts):
    """Expressions."""

    def eval(self, frame: Frame, node: s.Expr, calm: int = ANYHOW) -> Values:
        """The values of an expression."""
        frame.calm = calm
        return _EVALUATE[type(node)](self, frame, node)

    # names and attributes

    def _name(self, frame: Frame, node: s.Name) -> Values:
        calm = frame.calm
        values = self.lookup(frame, node.name, node.at)
        for one in values:
            if type(one) in _NOTED:
                break
        else:
            return values
        values = self.taken(frame, node.at, self.picked(frame, values))
        if not calm:
            self.used(frame, values)
        return values

    def taken(self, frame: Frame, at: int, values: Values) -> Values:
        """A name that is kept: note where a function outside the program was taken, and what reading alone means."""
        for one in values:
            if type(one) is Foreign:
                break
        else:
            return values
        out = []
        for one in values:
            if type(one) is Foreign and one.place is None and (entries := self.catalogue.decide(one.name)):
                if entries[0].kind == "attribute":
                    self.flag_read(frame, at, one.name)
                out.append(self.pool.foreign(one.name, (frame.module, at)))
            else:
                out.append(one)  # type: ignore[arg-type]
        return frozenset(out)

    def attribute_taken(self, frame: Frame, at: int, value: Value, name: str) -> Values:
        """An attribute that is kept."""
        return self.taken(frame, at, self.attribute(frame, at, value, name))

    def _attribute(self, frame: Frame, node: s.Attribute) -> Values:
        calm = frame.calm
        values = self.taken(frame, node.at, _plain(self.attribute_values(frame, node)))
        if not calm:
            self.used(frame, values)
        return values

    def attribute_values(self, frame: Frame, node: s.Attribute) -> Values:
        if frame.env is not None and (known := frame.env.get(path_of(node))) is not None:
            return known
        values = EMPTY
        for one in self.receiver(frame, node.value):
            found = self.attribute(frame, node.at, one, node.name)
            values = values | found if values else found
        return values

    def _callee(self, frame: Frame, node: s.Expr) -> Values:
        """What is called: of an unknown object too, the name of its method is kept."""
        if isinstance(node, s.Attribute):
            return self._read(frame, node.at, self.attribute_values(frame, node))
        return self.receiver(frame, node)

    def receiver(self, frame: Frame, node: s.Expr) -> Values:
        """What an attribute is read from or a method called on: nothing is taken yet."""
        if isinstance(node, s.Name):
            return self._read(frame, node.at, self.picked(frame, self.lookup(frame, node.name, node.at)))
        if isinstance(node, s.Attribute):
            return self._read(frame, node.at, _plain(self.attribute_values(frame, node)))
        return self.peek(frame, node)

    def _read(self, frame: Frame, at: int, values: Values) -> Values:
        for one in values:
            if (
                type(one) is Foreign
                and one.place is None
                and (entries := self.catalogue.decide(one.name))
                and entries[0].kind == "attribute"
            ):
                self.flag_read(frame, at, one.name)
        return values

    # calls

    def _call(self, frame: Frame, node: s.Call) -> Values:
        calm = frame.calm
        callees = self._callee(frame, node.func)
        if frame.loops and isinstance(node.func, s.Attribute):
            self.fill(frame, node.func)
        passed = bool(callees)
        for one in callees:
            if not _is_own(one):
                passed = False
                break
        args = self.arguments(frame, node, CALM if passed else self.calm_of(frame, callees))
        if passed:
            self.passes(frame, args)
        frame.calm = calm
        values = EMPTY
        for one in callees:
            frame.direct = _is_own(one)
            found = self.call(frame, node.at, one, args)
            values = values | found if values else found
        if not callees:
            self.unresolved.add((frame.module, node.at))
        frame.forget_attributes()
        return values

    def arguments(self, frame: Frame, node: s.Call, calm: int) -> Args:
        """The arguments of a call, `*` and `**` opened where their length is known."""
        args = Args()
        for one in node.args:
            if isinstance(one, s.Star):
                self._open_star(frame, one, args)
            else:
                args.positional.append(self.eval(frame, one, calm))
                args.nodes.append(one)
        for name, value in node.keywords:
            values = self.eval(frame, value, calm)
            if name:
                args.keywords[name] = values
                args.keyword_nodes[name] = value
            else:
                self._spread(frame, node.at, values, args)
        return args

    def _open_star(self, frame: Frame, node: s.Star, args: Args) -> None:
        values = self.eval(frame, node.value)
        if (place := self.shown_at(frame, node.at, values)) is not None:
            self.escapes(frame, place)
        if len(values) == 1 and isinstance(pack := next(iter(values)), Pack) and not pack.names:
            args.positional += pack.items
            args.nodes += [node] * len(pack.items)
        else:
            args.star = (args.star or EMPTY) | (self.elements(frame, node.at, values) or ANYTHING)
            args.open = True

    def _spread(self, frame: Frame, at: int, values: Values, args: Args) -> None:
        for one in values:
            if isinstance(one, Pack) and one.names:
                args.keywords.update(zip(one.names, one.items, strict=True))
            elif isinstance(one, Box) and one.kind == "dict" and one.slots:
                args.keywords.update({key: self.read(cell) for key, cell in list(one.slots.items())})
                args.open = args.open or bool(self.read(one.items))
            else:
                args.open = True
                self.elements(frame, at, frozenset((one,)))

    # literals and displays

    def _const(self, frame: Frame, node: s.Const) -> Values:
        if node.kind == "str":
            return frozenset((self.pool.text(node.text),))
        if node.kind == "NoneType":
            return NONE
        if node.kind == "bool":
            return frozenset((TRUE if node.text == "True" else FALSE,))
        return frozenset((self.pool.thing(f"builtins.{node.kind}", frame.mode),))

    def _display(self, frame: Frame, node: s.Display) -> Values:
        calm = frame.calm
        plain = [one for one in node.items if not isinstance(one, s.Star)]
        if node.kind == "tuple" and len(plain) == len(node.items):
            pack = self.pool.pack(tuple(self.eval(frame, one) for one in plain))
            if pack.depth <= 3:  # noqa: PLR2004 - tuples of tuples of tuples
                return frozenset((pack,))
        lone = node.kind == "set" and one_item(node)
        box = self.lone_box(frame, node.at, node.kind) if lone else self.new_box(frame, node.at, node.kind)
        self.starts_empty(frame, node.items)
        for one in node.items:
            if isinstance(one, s.Star):
                values = self.eval(frame, one.value, CALM if node.kind == "set" else calm)
                self.write(box.items, self.elements(frame, one.at, values))
                if node.kind != "set" and (self.hashed(frame, one.at, values) or self.waiting(frame, values)):
                    frame.calm = calm
                    self.made_of_hashed(frame, node.at, box, (frame.module, one.at))
            else:
                values = self.eval(frame, one)
                if node.kind == "set":
                    as_keys(self, frame, one.at, values)
                self.write(box.items, values)
                self.holds(frame, one.at, box, values)
        return frozenset((box,))

    def _dict_display(self, frame: Frame, node: s.DictDisplay) -> Values:
        box = self.new_box(frame, node.at, "dict")
        self.starts_empty(frame, node.items)
        for key, value in node.items:
            values = self.eval(frame, value)
            if key is None:
                self.merge(frame, node.at, box, values)
            else:
                keys = self.eval(frame, key)
                as_keys(self, frame, key.at, keys)
                self.store_pair(box, keys, values)
                self.holds(frame, value.at, box, values)
        return frozenset((box,))

    def _format(self, frame: Frame, node: s.Format) -> Values:
        parts = []
        for value, conversion, spec in node.fields:
            values = self.eval(frame, value, CALM)
            self.text_of(frame, value.at, values, conversion)
            if spec:
                self.timed_format(frame, value.at, values, spec)
            parts.append(EMPTY if conversion or spec else values)
        return self.interpolated(node.text, parts) or frozenset((self.pool.thing("builtins.str", frame.mode),))

    def _boolean(self, frame: Frame, node: s.Boolean) -> Values:
        calm, before = frame.calm, dict(frame.env or {})
        out = EMPTY
        for index, one in enumerate(node.values):
            values = self.eval(frame, one, calm)
            decided = self.outcome(frame, one, values)
            last = index == len(node.values) - 1
            stops = decided is (node.op == "or")
            if last or stops:
                out |= values
            elif decided is None:
                out |= values - NONE if node.op == "or" else values
            if stops and decided is not None:
                break
            self.narrow(frame, one, truth=node.op == "and")
        frame.env = before
        return out

    def _choice(self, frame: Frame, node: s.Choice) -> Values:
        calm = frame.calm
        values = self.peek(frame, node.test)
        self.truth_of(frame, node.at, values)
        decided = self.outcome(frame, node.test, values)
        before, out = dict(frame.env or {}), EMPTY
        for truth, branch in ((True, node.body), (False, node.orelse)):
            if decided is None or decided is truth:
                frame.env = dict(before)
                self.narrow(frame, node.test, truth=truth)
                out |= self.eval(frame, branch, calm)
        frame.env = before
        return out

    # the rest

    def _closure(self, frame: Frame, node: s.Closure) -> Values:
        info = frame.module.function(node.function, None, f"{frame.context.qualname}." if frame.context.qualname else "")
        parent = frame.context if frame.context.info is not None else frame.context.parent
        return frozenset((self.pool.function(info, parent),))

    def _comprehension(self, frame: Frame, node: s.Comprehension) -> Values:
        calm, before = frame.calm, dict(frame.env or {})
        frame.env = dict(before)
        opened: list[Loop] = []
        for target, iterated, tests in node.loops:
            values = self.peek(frame, iterated)
            if (place := self.hashed(frame, iterated.at, values) or self.waiting(frame, values)) is not None:
                opened.append(Loop(iterated.at, place, set()))
                opened[-1].place = (frame.module, node.at)
            self.assign(frame, target, self.elements(frame, iterated.at, values), None)
            for test in tests:
                self.peek(frame, test)
                self.narrow(frame, test, truth=True)
        if node.kind in ("list", "generator") and not calm:
            frame.loops += opened
        key = self.eval(frame, node.key) if node.key is not None else EMPTY
        items = self.eval(frame, node.value)
        frame.loops = [one for one in frame.loops if one not in opened]
        frame.env = before
        return self._comprehended(frame, node, calm, opened, (key, items))

    def _comprehended(self, frame: Frame, node: s.Comprehension, calm: int, opened: list[Loop], made: tuple[Values, Values]) -> Values:
        box = self.new_box(frame, node.at, node.kind)
        if node.kind in ("dict", "set"):
            as_keys(self, frame, node.at, made[node.kind == "set"])
        if node.kind == "dict":
            self.store_pair(box, *made)
        else:
            self.write(box.items, made[1])
        if opened and node.kind == "generator":
            box.hashed = (frame.module, node.at)
        elif opened and node.kind in ("list", "dict"):
            frame.calm = calm
            self.made_of_hashed(frame, node.at, box)
        return frozenset((box,))

    def _walrus(self, frame: Frame, node: s.Walrus) -> Values:
        values = self.eval(frame, node.value)
        self.set_name(frame, node.name, values)
        return values

    def _yield(self, frame: Frame, node: s.Yield) -> Values:
        values = EMPTY if node.value is None else self.eval(frame, node.value)
        hashed = self.hashed(frame, node.at, values) if node.whole else None
        if node.whole:
            values = self.elements(frame, node.at, values)
        self.write(frame.context.yielded, values)
        if (frame.loops or hashed) and frame.context.info is not None:
            place = frame.loops[0].place if frame.loops else (frame.module, node.at)
            box = self.pool.box("generator", (frame.module, frame.context.info.node.at), frame.mode)
            box.hashed, box.looped = place, True
        return ANYTHING

    def _await(self, frame: Frame, node: s.Await) -> Values:
        values = self.eval(frame, node.value)
        out = EMPTY
        for one in values:
            out |= self.call_special(frame, node.at, one, "__await__", Args()) or {one}
        return out

    def _star(self, frame: Frame, node: s.Star) -> Values:
        return self.elements(frame, node.at, self.eval(frame, node.value))

    # provided by the statements

    def assign(self, frame: Frame, target: s.Expr, values: Values, node: s.Expr | None) -> None:
        """Assign to a target."""
        raise NotImplementedError

    def narrow(self, frame: Frame, test: s.Expr, *, truth: bool) -> None:
        """What is known behind a test."""
        raise NotImplementedError

    def decide(self, frame: Frame, test: s.Expr) -> bool | None:
        """Whether a test can only come out one way."""
        raise NotImplementedError

    def outcome(self, frame: Frame, test: s.Expr, values: Values) -> bool | None:
        """The same, of a test of which the values are known."""
        raise NotImplementedError


def _is_own(value: Value) -> bool:
    """Whether this is a function or method of the program."""
    return isinstance(value.function if isinstance(value, Method) else value, FunctionValue)


def _plain(values: Values) -> Values:
    """An attribute of something unknown that is not called at once is unknown."""
    for one in values:
        if type(one) is Bound and type(one.receiver) is Unknown:
            break
    else:
        return values
    return frozenset(one.receiver if isinstance(one, Bound) and isinstance(one.receiver, Unknown) else one for one in values)


_NOTED = frozenset((Picked, Foreign, Box))  # values of which it is noted that a name which holds them is read
_EVALUATE: dict[type, Callable[[Evaluator, Frame, Any], Values]] = {
    s.Name: Evaluator._name,
    s.Const: Evaluator._const,
    s.Attribute: Evaluator._attribute,
    s.Call: Evaluator._call,
    s.Subscript: Evaluator.subscript,
    s.Slice: Evaluator.slice,
    s.Display: Evaluator._display,
    s.DictDisplay: Evaluator._dict_display,
    s.Binary: Evaluator._binary,
    s.Boolean: Evaluator._boolean,
    s.Unary: Evaluator._unary,
    s.Compare: Evaluator._compare,
    s.Choice: Evaluator._choice,
    s.Closure: Evaluator._closure,
    s.Comprehension: Evaluator._comprehension,
    s.Walrus: Evaluator._walrus,
    s.Yield: Evaluator._yield,
    s.Await: Evaluator._await,
    s.Format: Evaluator._format,
    s.Star: Evaluator._star,
}
