"""The order of a hash table and how it escapes: into a list, a text, a dictionary, a variable that is read later, an effect on state.

A set that is iterated is no fact yet. A loop over it is one if its body does something whose result depends on the turn; a list made of it
is one when the list is used for more than its elements' presence. What `sorted`, `len`, `sum` and the like make of it is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from coopy.validation import summary as s
from coopy.validation.link.hazards import Args
from coopy.validation.link.lasting import kept
from coopy.validation.link.lone import hash_order
from coopy.validation.link.machine import Fact
from coopy.validation.link.setting import Setting
from coopy.validation.link.values import Box, Object, Pack, Picked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from coopy.catalogue import Catalogue
    from coopy.validation.link.machine import Context, Frame
    from coopy.validation.link.scopes import Program
    from coopy.validation.link.values import Place, Value, Values

ANYHOW, CALM, HELD = 0, 1, 2  # how the value of an expression is used
_TESTS = frozenset(("isinstance", "any", "all", "bool", "startswith", "endswith", "hasattr", "callable", "issubclass"))
_MADE = frozenset(("list", "tuple", "deque", "dict"))
_PLACED = frozenset(("list", "tuple", "deque", "iterator", "generator"))
_ORDERINGS = frozenset(("lt", "le", "gt", "ge"))


class Loop:
    """A loop over a hash table that is being run. `names` depend on the element."""

    __slots__ = ("at", "names", "place")

    def __init__(self, at: int, place: Place, names: set[str]) -> None:
        self.at, self.place, self.names = at, place, names


class Order(Setting):
    """Hash order. `shown`: where a context has made what shows it elsewhere, or once all is known."""

    def __init__(self, program: Program, catalogue: Catalogue) -> None:
        super().__init__(program, catalogue)
        self.shown: dict[tuple[Context, Place], None] = {}

    def escapes(self, frame: Frame, place: Place) -> None:
        """The order is visible in what the action leaves or answers."""
        self.fact(frame, Fact("set-order", place, "iteration"))

    def hashed(self, frame: Frame, at: int, values: Values) -> Place | None:
        """Whether any of these values, gone over here, has the order of a hash table."""
        for one in self.gone_over(frame, at, values):
            if isinstance(one, Box) and (place := hash_order(self, one)):
                return place
        return None

    def gone_over(self, frame: Frame, at: int, values: Values) -> Values:
        """The containers and iterators that a loop would see: those of an object are its own, or what its `__iter__` gives."""
        objects = [one for one in values if isinstance(one, Object)]
        out = values
        for one in objects:
            if self.has_special(one, "__iter__"):
                out |= self.call_special(frame, at, one, "__iter__", Args())
            elif (box := self.box_of(one)) is not None:
                out |= {box}
        return out - frozenset(objects)

    def shown_at(self, frame: Frame, at: int, values: Values) -> Place | None:
        """Where hash order shows if these values are gone over here: a list that has it got it where it was made."""
        found: Place | None = None
        for one in self.gone_over(frame, at, values):
            if isinstance(one, Box) and (place := hash_order(self, one)):
                found = place if one.kind in _MADE or one.looped else (frame.module, at)
        return found

    def ordered_by_hash(self, values: Values) -> bool:
        """Whether any of these has places for its elements, which a hash table has given out."""
        return any(isinstance(one, Box) and one.hashed and one.kind in _PLACED for one in values)

    def waiting(self, frame: Frame, values: Values) -> Place | None:
        """Whether any of these is a list of the running function that was filled in hash order."""
        if frame.pending:
            for one in values:
                if isinstance(one, Box) and one in frame.pending:
                    return frame.pending[one]
        return None

    def used(self, frame: Frame, values: Values) -> None:
        """Values are used in a way that shows their order, if they have one that was not shown before."""
        for one in values:
            if isinstance(one, Box):
                if one in frame.pending:
                    place = frame.pending.pop(one)
                    if one in frame.lent:
                        self.shown[frame.lent.pop(one)] = None
                    else:
                        self.escapes(frame, place)
                elif one.hashed and one.kind in _MADE:
                    self.escapes(frame, one.hashed)

    def passes(self, frame: Frame, args: Args) -> None:
        """Lists in hash order are passed to a function of the program, which may do with them what shows no order."""
        for values in args.all() if frame.pending else ():
            for one in values:
                if isinstance(one, Box) and one in frame.pending and not one.sorted:
                    one.hashed = frame.pending[one]

    def sorted_in_place(self, frame: Frame, box: Box) -> None:
        """list.sort()."""
        frame.pending.pop(box, None)
        frame.lent.pop(box, None)
        box.hashed, box.sorted = None, True

    def pass_on(self, frame: Frame, values: Values, box: Box) -> None:
        """What waits is put behind what another container holds: if that is the running function's own, it waits now, too."""
        if self._local(frame, box):
            for one in values:
                if isinstance(one, Box) and one in frame.pending:
                    frame.pending[box] = frame.pending[one]
                    if one in frame.lent:
                        frame.lent[box] = frame.lent[one]
        else:
            self.used(frame, values)

    def leave_with(self, frame: Frame, values: Values) -> None:
        """Lists in hash order are returned: whether that shows is for the caller to say."""
        if frame.pending:
            for one in values:
                if isinstance(one, Pack):
                    for item in one.items:
                        self.leave_with(frame, item)
                elif isinstance(one, Box) and one in frame.pending:
                    place = frame.pending.pop(one)
                    if one not in frame.context.disordered:
                        self.wake(frame.context.returned.readers)
                    frame.context.disordered[one] = frame.lent.pop(one, (frame.context, place))

    def come_with(self, frame: Frame, callee: Context) -> None:
        """A call has returned such lists: they wait in a variable of the caller, or their order shows."""
        direct, frame.direct = frame.direct, False
        for box, origin in callee.disordered.items():
            if direct and frame.calm == HELD and frame.context.info is not None:
                frame.pending[box], frame.lent[box] = origin[1], origin
            elif not direct or frame.calm != CALM:
                self.shown[origin] = None

    def enter_loop(self, frame: Frame, at: int, iterated: Values, target: s.Expr, body: Iterable[s.Stmt]) -> Loop | None:
        """Begin a loop; None if what it goes over has an order."""
        place = self.waiting(frame, iterated) or self.shown_at(frame, at, iterated)
        if place is None:
            return None
        loop = Loop(at, place, dependent(target, list(body)))
        frame.loops.append(loop)
        return loop

    def made_of_hashed(self, frame: Frame, at: int, box: Box, source: Place | None = None) -> None:
        """A container gets the order of a hash table, which a generator may have shown before, at `source`.

        One that is made here and only passed on carries it to whoever takes it.
        """
        here = (frame.module, at)
        place = source or here
        if box.place != here:
            if self._local(frame, box):
                frame.pending[box] = place
            else:
                self.escapes(frame, place)
        elif frame.calm == HELD and frame.context.info is not None:
            frame.pending[box] = place
        elif frame.calm == ANYHOW:
            self.escapes(frame, place)
        elif not box.sorted:
            box.hashed = place

    def taken_from(self, frame: Frame, body: list[s.Stmt]) -> list[Loop]:
        """`while queue: one = queue.popleft()`, where the queue was filled in hash order: as a loop over it."""
        out = []
        for target, value, _ in _assignments(body) if frame.pending else ():
            taken = isinstance(value, s.Call) and isinstance(value.func, s.Attribute) and value.func.name in ("pop", "popleft")
            if taken and isinstance(value.func.value, s.Name) and frame.env is not None:  # type: ignore[union-attr]
                place = self.waiting(frame, frame.env.get(value.func.value.name, frozenset()))  # type: ignore[union-attr]
                if place is not None:
                    out.append(Loop(target.at, place, dependent(target, body)))
        return out

    def ordered_effect(self, frame: Frame, box: Box | None) -> None:
        """Something is added to the end of a container, or done that cannot be exchanged with the same for another element."""
        if box is not None:
            frame.context.orders[box] = False
        for loop in frame.loops:
            if box is not None and box.place[0] is frame.module and box.place[1] > loop.at and self._local(frame, box):
                continue
            self.put_in_hash_order(frame, box, loop.place)

    def put_in_hash_order(self, frame: Frame, box: Box | None, place: Place) -> None:
        """The order of a hash table is now that of a container, which waits if it is the running function's own."""
        if box is not None and self._local(frame, box):
            frame.pending[box] = place
        else:
            self.escapes(frame, place)

    def keyed_effect(self, frame: Frame, value: Value, key: s.Expr | None) -> None:
        """An entry with such a key is put into a mapping: a new one goes to the end."""
        info = frame.context.info
        if frame.loops and self.depends(frame, key):
            self.ordered_effect(frame, value if isinstance(value, Box) else None)
        elif isinstance(value, Box) and info is not None and any(one.name in names_in(key) for one in info.node.params):
            frame.context.orders[value] = False

    def _local(self, frame: Frame, box: Box) -> bool:
        """Whether a container was made by the running function."""
        info = frame.context.info
        return info is not None and self.makers.get(box.place) is info and box.mode == frame.mode and self._held(frame, box)

    def _held(self, frame: Frame, box: Box) -> bool:
        return frame.env is not None and any(box in values for values in frame.env.values())

    def called_in_loop(self, frame: Frame, callee: Context) -> None:
        """A call has put something in order into containers: such as it has made itself matter only if they outlive it."""
        orders = {box: own or self.makers.get(box.place) is callee.info is not None for box, own in callee.orders.items()}
        for box, own in orders.items():
            frame.context.orders[box] = own and frame.context.orders.get(box, True)
        if frame.loops:
            others = {}
            for box, own in orders.items():
                if self._local(frame, box):
                    self.ordered_effect(frame, box)
                else:
                    others[box] = own
            if not all(others.values()):
                self.ordered_effect(frame, None)
            for loop in frame.loops:
                frame.context.waits.setdefault(loop.place, {}).update(dict.fromkeys(others))

    def judge_loops(self) -> None:
        """When all is known: loops whose calls put something in order into containers that outlive them."""
        running = [one for several in self.contexts.values() for one in several.values()]
        waiting = [one for one in (*running, *self.statements.values()) if one.waits]
        if waiting:
            variables = (cell for one in self.statements.values() for cell in (one.returned, *one.variables.values()))
            lasting = kept(self, (*self.globals.values(), *variables))
            for context in waiting:
                for place, boxes in context.waits.items():
                    if not lasting.isdisjoint(boxes):
                        self.shown[context, place] = None
        for context, place in self.shown:
            context.facts["set-order", place, "iteration"] = Fact("set-order", place, "iteration")

    def depends(self, frame: Frame, node: s.Expr | None) -> bool:
        """Whether an expression depends on the element of a loop over a hash table."""
        return node is not None and any(not loop.names.isdisjoint(names_in(node)) for loop in frame.loops)

    def stored_in_loop(self, frame: Frame, key: s.Expr | None, value: s.Expr | None) -> None:
        """`x.name = value` or `x[key] = value` in such a loop: what does not depend on the element keeps the last value."""
        if frame.loops and not self.depends(frame, key) and self.depends(frame, value):
            for loop in frame.loops:
                self.escapes(frame, loop.place)

    def picked(self, frame: Frame, values: Values) -> Values:
        """A variable is read: if it holds whichever element came last, that shows."""
        for one in values:
            if type(one) is Picked:
                break
        else:
            return values
        marks = [one for one in values if isinstance(one, Picked)]
        if not frame.loops:
            for one in marks:
                self.escapes(frame, one.place)
        return values - frozenset(marks)

    def leave_loop(self, frame: Frame, loop: Loop, body: list[s.Stmt]) -> None:
        """End a loop: variables that keep an element are marked."""
        frame.loops.remove(loop)
        if frame.env is None:
            return
        for name in last_ones(body, loop.names):
            if name in frame.env:
                frame.env[name] |= {self.pool.picked(loop.place)}


def names_in(node: Any) -> Iterator[str]:
    """Every name that is read in an expression or statement."""
    stack = [node]
    while stack:
        one = stack.pop()
        if isinstance(one, s.Name):
            yield one.name
        elif isinstance(one, s.Function):
            stack.append(s.decode_block(one.body).body)
        elif isinstance(one, msgspec.Struct):
            stack.extend(getattr(one, field) for field in one.__struct_fields__)
        elif isinstance(one, (list, tuple)):
            stack.extend(one)


def _assignments(body: list[s.Stmt]) -> Iterator[tuple[s.Expr, s.Expr, bool]]:
    """Targets and values assigned in the statements, and whether a comparison of order guards them."""
    stack: list[tuple[s.Stmt, bool]] = [(one, False) for one in body]
    while stack:
        one, guarded = stack.pop()
        if isinstance(one, s.Assign) and one.value is not None:
            for target in one.targets:
                yield target, one.value, guarded
        elif isinstance(one, s.If):
            inside = guarded or _compares(one.test)
            stack.extend((inner, inside) for inner in (*one.body, *one.orelse))
        elif isinstance(one, s.For):
            yield one.target, one.iter, guarded
            stack.extend((inner, guarded) for inner in one.body)
        elif isinstance(one, (s.With, s.Try)):
            stack.extend((inner, guarded) for inner in one.body)


def _compares(test: s.Expr) -> bool:
    if isinstance(test, s.Boolean):
        return any(_compares(one) for one in test.values)
    return isinstance(test, s.Compare) and not _ORDERINGS.isdisjoint(test.ops)


def dependent(target: s.Expr, body: list[s.Stmt]) -> set[str]:
    """The names that depend on the element of a loop."""
    names = set(names_in(target))
    size = -1
    while size != len(names):
        size = len(names)
        for to, value, _ in _assignments(body):
            if isinstance(to, (s.Name, s.Display)) and not names.isdisjoint(names_in(value)):
                names.update(names_in(to))
    return names


def last_ones(body: list[s.Stmt], names: set[str]) -> set[str]:
    """Variables that hold, behind the loop, whichever element came last."""
    found: set[str] = set()
    guarded_names: set[str] = set()
    for to, value, guarded in _assignments(body):
        if isinstance(to, s.Name) and not names.isdisjoint(names_in(value)):
            (guarded_names if guarded or gathers(to.name, value) else found).add(to.name)
    return found - guarded_names


def gathers(name: str, value: s.Expr) -> bool:
    """`best = max(best, x)`, `total = total + x`: what it holds in the end does not depend on the order, if it is a number or set."""
    if isinstance(value, s.Call) and isinstance(value.func, s.Name) and value.func.name in ("max", "min"):
        return any(isinstance(one, s.Name) and one.name == name for one in value.args)
    if isinstance(value, s.Binary) and value.op in ("add", "mul", "or", "and", "xor", "sub"):
        return any(isinstance(one, s.Name) and one.name == name for one in (value.left, value.right))
    if isinstance(value, s.Choice):  # found = x if found is None else found & x
        return name in names_in(value.test) and (gathers(name, value.body) or gathers(name, value.orelse))
    return isinstance(value, s.Boolean) and all(_is_test(one) or (isinstance(one, s.Name) and one.name == name) for one in value.values)


def _is_test(node: s.Expr) -> bool:
    """Whether an expression can only be true or false."""
    if isinstance(node, s.Call):
        head = node.func
        return isinstance(head, (s.Name, s.Attribute)) and (head.name in _TESTS or head.name.startswith("is"))
    return isinstance(node, s.Compare) or (isinstance(node, s.Unary) and node.op == "not")
