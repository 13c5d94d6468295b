"""Statements: the interpreter proper. Branches are run both ways unless a test can only come out one way; loops twice; then it is joined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coopy.validation import summary as s
from coopy.validation.link.assign import Assigning
from coopy.validation.link.builtin import combines
from coopy.validation.link.calls import MANAGED
from coopy.validation.link.evaluate import path_of
from coopy.validation.link.hazards import Args, type_name
from coopy.validation.link.lone import grown
from coopy.validation.link.machine import Context, Frame
from coopy.validation.link.models import _FUNCTIONS
from coopy.validation.link.order import ANYHOW, CALM, HELD, gathers
from coopy.validation.link.scopes import imports_tried
from coopy.validation.link.values import (
    ANY,
    ANYTHING,
    EMPTY,
    Bound,
    Box,
    Foreign,
    FunctionValue,
    Object,
    Pack,
    Text,
    Thing,
    Unknown,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.validation.link.values import Value, Values


class Interpreter(Assigning):
    """Statements."""

    def run_statement(self, context: Context, statement: s.Stmt) -> None:
        """Run one statement of a module or class body; what it binds is kept in the context's variables."""
        frame = Frame(context)
        self.run_body(frame, [statement])
        for name, values in (frame.env or {}).items():
            if "." not in name:
                self.write(context.variable(name), self.kept(values))

    def run_body(self, frame: Frame, body: list[s.Stmt]) -> None:
        """Run statements until one leaves."""
        for one in body:
            if frame.env is None:
                return
            _EXECUTE[type(one)](self, frame, one)

    # simple statements

    def _evaluate(self, frame: Frame, node: s.Evaluate) -> None:
        self.eval(frame, node.value, HELD)

    def _assign(self, frame: Frame, node: s.Assign) -> None:
        if node.value is None:
            return
        held = frame.context.info is not None or all(isinstance(one, s.Name) for one in node.targets)
        values = self.eval(frame, node.value, HELD if held else ANYHOW)
        if node.annotation is not None:
            values = self._annotate(frame, values, node.annotation)
        for target in node.targets:
            self.assign(frame, target, values, node.value)
            if frame.loops and isinstance(target, s.Name) and gathers(target.name, node.value) and _has_ends(values):
                self._put_at_end(frame, node.value)

    def _put_at_end(self, frame: Frame, node: s.Expr) -> None:
        """`text = text + part`: order shows if the part depends on it."""
        if isinstance(node, s.Binary) and node.op == "add" and self.depends(frame, node):
            for loop in frame.loops:
                self.escapes(frame, loop.place)

    def _assign_statement(self, frame: Frame, node: s.Assign) -> None:
        self._assign(frame, node)
        for target in node.targets if node.value is not None else ():
            self._declared(frame, target)

    def _augment(self, frame: Frame, node: s.Augment) -> None:
        held = node.op == "add" and frame.context.info is not None
        left, right = self.peek(frame, node.target), self.eval(frame, node.value, HELD if held else CALM)
        self._declared(frame, node.target)
        ends = _has_ends(left | right) or any(type_name(one) == "builtins.float" for one in left | right)
        if ends and node.op == "add" and self.depends(frame, node.value):
            for loop in frame.loops:
                self.escapes(frame, loop.place)
        out = EMPTY
        frame.calm = ANYHOW
        for one in left:
            out |= self._augment_one(frame, node, one, right)
        if not any(isinstance(one, Box) for one in left):
            self.used(frame, right)
        if isinstance(node.target, s.Subscript):
            for one in self.receiver(frame, node.target.value):
                if isinstance(one, Box) and self.read(one.factory):
                    self.keyed_effect(frame, one, node.target.index)
                self.store_item(frame, node.at, one, self.peek(frame, node.target.index), out)
        else:
            self.assign(frame, node.target, out or ANYTHING, None)

    def _augment_one(self, frame: Frame, node: s.Augment, left: Value, right: Values) -> Values:
        if isinstance(left, Box) and left.kind in ("list", "set", "dict", "deque") and combines(left, node.op):
            self.mutated(frame, node.at, left, f"{node.op}=")
            if left.kind == "dict":
                self.merge(frame, node.at, left, right)
            elif node.op in ("add", "or", "xor"):
                grown(self, left)
                self.write(left.items, self.elements(frame, node.at, right))
            if node.op == "add":
                if (place := self.shown_at(frame, node.at, right)) is not None:
                    self.made_of_hashed(frame, node.at, left, place)
                self.pass_on(frame, right, left)
                self.ordered_effect(frame, left)
            return frozenset((left,))
        if self.has_special(left, f"__i{node.op}__"):
            return self.call_special(frame, node.at, left, f"__i{node.op}__", Args([right]))
        return self.operate(frame, node.at, node.op, frozenset((left,)), right)

    def _return(self, frame: Frame, node: s.Return) -> None:
        values = frozenset((self.nothing,)) if node.value is None else self._returned_values(frame, node.value)
        if self.depends(frame, node.value):
            for loop in frame.loops:
                self.escapes(frame, loop.place)
        self.write(frame.context.returned, values)
        frame.context.returns[node.at] = values
        frame.env = None

    def _returned_values(self, frame: Frame, node: s.Expr) -> Values:
        """What is returned, and what of it waits to be put into an order, each of several values for itself."""
        for one in node.items if isinstance(node, s.Display) and node.kind == "tuple" else ():
            if isinstance(one, s.Name):
                self.leave_with(frame, (frame.env or {}).get(one.name, EMPTY))
        values = self.eval(frame, node, HELD)
        self.leave_with(frame, values)
        return values

    def _raise(self, frame: Frame, node: s.Raise) -> None:
        for one in node.values:
            values = self.eval(frame, one)
            if self.depends(frame, one):
                for loop in frame.loops:
                    self.escapes(frame, loop.place)
            if isinstance(one, (s.Name, s.Attribute)):
                self.call_all(frame, node.at, frozenset(v for v in values if type(v).__name__ == "ClassValue"), Args())
        frame.env = None

    def _delete(self, frame: Frame, node: s.Delete) -> None:
        for target in node.targets:
            if isinstance(target, s.Name) and frame.env is not None:
                frame.env.pop(target.name, None)
            elif isinstance(target, s.Attribute):
                for one in self.receiver(frame, target.value):
                    self.delete_attribute(frame, target.at, one, target.name)
            elif isinstance(target, s.Subscript):
                index = self.peek(frame, target.index)
                for one in self.receiver(frame, target.value):
                    if self.has_special(one, "__delitem__"):
                        self.call_special(frame, target.at, one, "__delitem__", Args([index]))
                    else:
                        self.mutated(frame, target.at, one, "del")

    def _import(self, frame: Frame, node: s.Import) -> None:
        for dotted, alias in node.names:
            name = alias or dotted.partition(".")[0]
            self.set_name(frame, name, self.imported(frame, frame.module, node, name))

    def _import_from(self, frame: Frame, node: s.ImportFrom) -> None:
        for _, alias in node.names:
            self.set_name(frame, alias, self.imported_from(frame, frame.module, node, alias, node.at))

    # definitions

    def _function(self, frame: Frame, node: s.Function) -> None:
        context = frame.context
        inside = context.info is not None
        owner = None if inside else context.cls
        prefix = f"{context.qualname}." if inside else ""
        info = frame.module.function(node, owner, prefix)
        values: Values = frozenset((self.pool.function(info, context if inside else context.parent),))
        self.set_name(frame, node.name, self._decorated(frame, node.decorators, values))

    def _class(self, frame: Frame, node: s.Class) -> None:
        parent = frame.context if frame.context.info is not None else frame.context.parent
        cls = frame.module.cls(node, parent)
        values: Values = frozenset((self.pool.cls(cls),))
        self.created(frame, node.at, cls)
        self.set_name(frame, node.name, self._decorated(frame, node.decorators, values))

    def _decorated(self, frame: Frame, decorators: list[s.Expr], values: Values) -> Values:
        """What decorators make of a function or class; one of which nothing is known is taken to keep it."""
        for one in reversed(decorators):
            made = EMPTY
            for decorator in self._callee(frame, one):
                if (isinstance(decorator, Foreign) and self.catalogue.canonical(decorator.name) not in _FUNCTIONS) or isinstance(
                    decorator, Unknown
                ):
                    if isinstance(decorator, Foreign):
                        self.flag_call(frame, one.at, decorator, Args([values]))
                    made |= values
                elif isinstance(decorator, Bound) and isinstance(decorator.receiver, (Unknown, Thing)):
                    made |= values
                elif managers := self._managers(frame, one, decorator):
                    for function in values:
                        if isinstance(function, FunctionValue):
                            self.write(self.variable_of(function, MANAGED), managers)
                    made |= values
                else:
                    made |= self.call(frame, one.at, decorator, Args([values]))
            values = frozenset(value for value in made if not isinstance(value, Unknown)) or values
        return values

    def _managers(self, frame: Frame, node: s.Expr, decorator: Value) -> Values:
        """The context managers that a decorator makes each call enter: an object, or what calling a function with `yield` gives."""
        if isinstance(decorator, Object) and not self.has_special(decorator, "__call__"):
            decorates = any(one.startswith("contextlib.") and one.endswith("ContextDecorator") for one in decorator.cls.foreign())
            return frozenset((decorator,)) if decorates else EMPTY
        if isinstance(decorator, Box) and decorator.kind == "generator" and isinstance(node, s.Call):
            args = self.arguments(frame, node, ANYHOW)
            keywords = tuple(sorted(args.keywords.items()))
            return frozenset((self.pool.partial(self.receiver(frame, node.func), tuple(args.positional), keywords),))
        return EMPTY

    # blocks

    def _if(self, frame: Frame, node: s.If) -> None:
        if node.loop:
            self._while(frame, node)
            return
        values = self.peek(frame, node.test)
        self.truth_of(frame, node.at, values)
        decided = self.outcome(frame, node.test, values)
        before, after = dict(frame.env or {}), []
        for truth, body in ((True, node.body), (False, node.orelse)):
            if decided is None or decided is truth:
                frame.env = dict(before)
                self.narrow(frame, node.test, truth=truth)
                self.run_body(frame, body)
                after.append(frame.env)
        frame.env = merged(*after)

    def _while(self, frame: Frame, node: s.If) -> None:
        breaks, continues = frame.breaks, frame.continues
        frame.breaks, frame.continues = [], []
        out: dict[str, Values] | None = None
        for _ in range(2):
            self.truth_of(frame, node.at, self.peek(frame, node.test))
            decided = self.decide(frame, node.test)
            entry = dict(frame.env or {})
            if decided is not True:
                out = merged(out, entry)
            if decided is False:
                break
            self.narrow(frame, node.test, truth=True)
            loops = self.taken_from(frame, node.body)
            frame.loops += loops
            self.run_body(frame, node.body)
            frame.loops = [one for one in frame.loops if one not in loops]
            frame.env = merged(entry, frame.env, *frame.continues)
            if frame.env == entry and not (frame.pending and not loops):
                break
        self._leave(frame, out if out is not None else None, node.orelse, breaks, continues)

    def _leave(
        self, frame: Frame, after: dict[str, Values] | None, orelse: list[s.Stmt], breaks: list[Any], continues: list[Any]
    ) -> None:  # fmt: skip
        left = frame.breaks
        frame.breaks, frame.continues, frame.env = breaks, continues, after
        if frame.env is not None:
            self.run_body(frame, orelse)
        frame.env = merged(frame.env, *left)

    def _for(self, frame: Frame, node: s.For) -> None:
        iterated = self.peek(frame, node.iter)
        elements = self.elements(frame, node.iter.at, iterated)
        for one in iterated:
            if self.is_iterator(one):
                self.mutated(frame, node.iter.at, one, "next")
        breaks, continues = frame.breaks, frame.continues
        frame.breaks, frame.continues = [], []
        loop = self.enter_loop(frame, node.iter.at, iterated, node.target, node.body)
        entry = dict(frame.env or {})
        for _ in range(2):
            self.assign(frame, node.target, elements, None)
            self.run_body(frame, node.body)
            frame.env = merged(entry, frame.env, *frame.continues)
            if frame.env == entry:  # the next turn would see nothing new
                break
            entry = dict(frame.env or {})
        if loop is not None:
            self._leave_hashed(frame, loop, node.body)
        self._leave(frame, frame.env, node.orelse, breaks, continues)

    def _leave_hashed(self, frame: Frame, loop: Any, body: list[s.Stmt]) -> None:
        self.leave_loop(frame, loop, body)
        after = frame.env
        for index, env in enumerate(frame.breaks):
            frame.env = env
            frame.loops.append(loop)
            self.leave_loop(frame, loop, body)
            frame.breaks[index] = frame.env
        frame.env = after

    def _with(self, frame: Frame, node: s.With) -> None:
        for manager, target in node.items:
            values = self.entered(frame, manager.at, self.eval(frame, manager))
            if target is not None:
                self.assign(frame, target, values, None)
        self.run_body(frame, node.body)

    def _try(self, frame: Frame, node: s.Try) -> None:
        before = dict(frame.env or {})
        self.run_body(frame, node.body)
        done = frame.env
        raised = merged(before, done)
        after = []
        if done is not None:
            self.run_body(frame, node.orelse)
            after.append(frame.env)
        tried = imports_tried(node)
        for kind, name, body in () if tried and self.succeeds(frame.module, tried) else node.handlers:
            frame.env = dict(raised or {})
            caught = self.peek(frame, kind) if kind is not None else EMPTY
            if name:
                self.set_name(frame, name, self._caught(frame, caught))
            self.run_body(frame, body)
            after.append(frame.env)
        frame.env = merged(*after)
        if node.final:
            alive = frame.env is not None
            frame.env = frame.env if alive else dict(raised or {})
            self.run_body(frame, node.final)
            if not alive:
                frame.env = None

    def _caught(self, frame: Frame, kinds: Values) -> Values:
        out = EMPTY
        for one in self._kinds(kinds):
            if type(one).__name__ == "ClassValue":
                out |= {self.pool.object(one.cls, frame.mode, ANY)}  # type: ignore[attr-defined]
            else:
                out |= {self.pool.thing(one.name, frame.mode)} if isinstance(one, Foreign) else ANYTHING
        return out or ANYTHING

    def _jump(self, frame: Frame, node: s.Jump) -> None:
        if frame.env is not None:
            (frame.breaks if node.word == "break" else frame.continues).append(frame.env)
        frame.env = None

    def _match(self, frame: Frame, node: s.Match) -> None:
        subject = self.eval(frame, node.subject)
        before, after, open_ = dict(frame.env or {}), [], True
        for case in node.cases:
            frame.env = dict(before)
            self.match_pattern(frame, node.at, case.pattern, subject, path_of(node.subject))
            if case.guard is not None:
                self.peek(frame, case.guard)
                self.narrow(frame, case.guard, truth=True)
            self.run_body(frame, case.body)
            after.append(frame.env)
            if case.pattern.kind == "capture" and not case.pattern.parts and case.guard is None:
                open_ = False
        frame.env = merged(*after, *([before] if open_ else []))


def _has_ends(values: Values) -> bool:
    """Whether any is a string or tuple, to which something is added at the end."""
    return any(isinstance(one, (Text, Pack)) or (isinstance(one, Thing) and one.type == "builtins.str") for one in values)


def merged(*envs: dict[str, Values] | None) -> dict[str, Values] | None:
    """What holds behind several ways; None if none of them gets here. Attributes are known only where all ways know them."""
    alive = [one for one in envs if one is not None]
    if len(alive) < 2:  # noqa: PLR2004 - nothing to join
        return dict(alive[0]) if alive else None
    out = dict(alive[0])
    for env in alive[1:]:
        for name, values in env.items():
            known = out.get(name)
            if known is None:
                if "." not in name:
                    out[name] = values
            elif known is not values:
                out[name] = known | values
        for name in [name for name in out if "." in name and name not in env]:
            del out[name]
    return out


_EXECUTE: dict[type, Callable[[Interpreter, Frame, Any], None]] = {
    s.Evaluate: Interpreter._evaluate,
    s.Assign: Interpreter._assign_statement,
    s.Augment: Interpreter._augment,
    s.Return: Interpreter._return,
    s.Raise: Interpreter._raise,
    s.Delete: Interpreter._delete,
    s.Import: Interpreter._import,
    s.ImportFrom: Interpreter._import_from,
    s.Function: Interpreter._function,
    s.Class: Interpreter._class,
    s.If: Interpreter._if,
    s.For: Interpreter._for,
    s.With: Interpreter._with,
    s.Try: Interpreter._try,
    s.Jump: Interpreter._jump,
    s.Match: Interpreter._match,
}
