"""Calls: arguments to parameters, classes to objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.validation.link.construct import Constructing
from coopy.validation.link.hazards import Args, of_state
from coopy.validation.link.machine import MAX_VALUES, Context, Frame
from coopy.validation.link.values import (
    ANYTHING,
    EMPTY,
    IMPORT,
    MAX_PARTIALS,
    UNKNOWNS,
    Bound,
    Box,
    ClassValue,
    Constant,
    Descriptor,
    Foreign,
    FunctionValue,
    Method,
    Object,
    Partial,
    Virtual,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.validation import summary as s
    from coopy.validation.link.scopes import FunctionInfo
    from coopy.validation.link.values import Value, Values

REGISTERED = "<registered>"  # the bodies of a single dispatch function
MANAGED = "<managed>"  # the context managers that decorate a function, and are entered by each call


class Calls(Constructing):
    """Calls of the program's own functions and classes."""

    def call(self, frame: Frame, at: int, callee: Value, args: Args) -> Values:
        """The result of calling a value."""
        self.steps += 1
        call = _CALL.get(type(callee))
        if call is not None:
            self.resolved.add((frame.module, at))
            return call(self, frame, at, callee, args)
        if isinstance(callee, Object) and self.has_special(callee, "__call__"):
            self.resolved.add((frame.module, at))
            return self.call_special(frame, at, callee, "__call__", args)
        if isinstance(callee, Descriptor):
            return self.call_all(frame, at, callee.parts[0], args)
        return self.call_unknown(frame, at, callee, args)

    def _call_method(self, frame: Frame, at: int, callee: Method, args: Args) -> Values:
        received = Args([frozenset((callee.receiver,)), *args.positional], args.keywords, star=args.star, open_=args.open)
        return self.call(frame, at, callee.function, received)

    def _call_class(self, frame: Frame, at: int, callee: ClassValue, args: Args) -> Values:
        return self._construct_any(frame, at, callee, args) if callee.open else self.construct(frame, at, callee.cls, args)

    def call_unknown(self, frame: Frame, at: int, callee: Value, args: Args) -> Values:
        """Nothing is known of the callee: it may call whatever it is given."""
        self.unresolved.add((frame.module, at))
        frame.context.changes = True  # for all that is known
        if not isinstance(callee, Constant):  # calling None raises
            self.give(frame, callee, [*args.positional, *args.keywords.values()])
        self.callbacks(frame, at, args)
        return frozenset((of_state(callee),))

    def call_foreign(self, frame: Frame, at: int, callee: Foreign, args: Args) -> Values:
        """A call of something outside the program."""
        raise NotImplementedError

    def call_bound(self, frame: Frame, at: int, callee: Bound, args: Args) -> Values:
        """A call of a method outside the program."""
        raise NotImplementedError

    def callbacks(self, frame: Frame, at: int, args: Args) -> None:
        """Functions that are handed to something that will call them."""
        for values in args.all():
            for one in values:
                if isinstance(one, (FunctionValue, Method, Partial, Virtual)) or (isinstance(one, Foreign) and one.place):
                    self.call(frame, at, one, Args(open_=True))

    def _call_partial(self, frame: Frame, at: int, callee: Partial, args: Args) -> Values:
        if callee.bounded:
            args = Args(open_=True)
        else:
            args = Args([*callee.args, *args.positional], {**dict(callee.keywords), **args.keywords}, star=args.star, open_=args.open)
        return self.call_all(frame, at, callee.function, args)

    # functions

    def call_function(self, frame: Frame, at: int, callee: FunctionValue, args: Args) -> Values:
        """A call of one of the program's functions."""
        info = callee.info
        mode = frame.mode
        bound = self._bind(frame, at, callee, args, mode)
        site = (frame.module, at) if self.is_little(callee, mode) else None
        context = self.context_of(callee, bound, mode, site)
        self.called(frame, context, at)
        self.demand(context)
        if (info, "attributes") in self.statements:
            self.call_all(frame, at, self.read(self.variable_of(callee, REGISTERED)) - {callee}, args)
        if context.orders and context is not frame.context:
            self.called_in_loop(frame, context)
        if context.disordered or frame.direct:
            self.come_with(frame, context)
        if info.node.is_generator:
            box = self.pool.box("generator", (info.module, info.node.at), mode)
            self.write(box.items, self.read(context.yielded))
            return frozenset((box,))
        return self._returned(callee, context)

    def entered(self, frame: Frame, at: int, managers: Values) -> Values:
        """`with manager as value`: enter and leave."""
        raise NotImplementedError

    def _returned(self, callee: FunctionValue, context: Context) -> Values:
        """What a call returns; where nothing is known of it, what the function's annotation says."""
        values = self.read(context.returned)
        node = callee.info.node
        if node.returns is None or (values and values.isdisjoint(UNKNOWNS)):
            return values
        frame = self.scratch(callee.info.module, callee.info.owner, callee.parent, node.at)
        frame.mode = context.mode
        known = self.annotated(frame, node.returns)
        return (values - UNKNOWNS) | known if known else values

    def run_function(self, context: Context) -> None:
        frame = Frame(context)
        given = context.args if context.joined is None else {name: self.read(cell) for name, cell in context.joined.items()}
        assert frame.env is not None
        for name, values in given.items():
            self.set_name(frame, name, values)
        assert context.info is not None
        if (context.info, "attributes") in self.statements:
            self._manage(frame, context)
        self.run_body(frame, context.info.body)
        if frame.env is not None:
            self.write(context.returned, frozenset((self.nothing,)))

    def _manage(self, frame: Frame, context: Context) -> None:
        """Enter the context managers that decorate a function."""
        assert context.function is not None
        for one in self.read(self.variable_of(context.function, MANAGED)):
            self.entered(frame, context.at, self.call(frame, context.at, one, Args()) if isinstance(one, Partial) else frozenset((one,)))

    def set_name(self, frame: Frame, name: str, values: Values) -> None:
        """Assign a local variable."""
        raise NotImplementedError

    def run_body(self, frame: Frame, body: list[s.Stmt]) -> None:
        """Run statements."""
        raise NotImplementedError

    @property
    def nothing(self) -> Value:
        """The value None."""
        from coopy.validation.link.values import NOTHING

        return NOTHING

    # arguments

    def _bind(self, frame: Frame, at: int, callee: FunctionValue, args: Args, mode: str) -> dict[str, Values]:
        info = callee.info
        positional, keywords, bound = list(args.positional), dict(args.keywords), {}
        for param in info.node.params:
            name = param.name
            if param.kind == "v":
                bound[name] = frozenset((self._rest(info, name, positional, args, mode),))
                positional = []
            elif param.kind == "w":
                names = tuple(sorted(keywords))
                bound[name] = frozenset((self.pool.pack(tuple(keywords[one] for one in names), names),))
            elif param.kind in ("p", "a") and positional:
                bound[name] = self._typed(callee, param, positional.pop(0), mode)
            elif param.kind != "p" and name in keywords:
                bound[name] = self._typed(callee, param, keywords.pop(name), mode)
            else:
                bound[name] = self._missing(frame, at, callee, param, args, mode)
        for name, values in bound.items():
            if len(values) > MAX_VALUES:
                bound[name] = self.widened(values)
        return bound

    def _rest(self, info: FunctionInfo, name: str, positional: list[Values], args: Args, mode: str) -> Value:
        if args.star is None and not args.open:
            pack = self.pool.pack(tuple(positional))
            if pack.depth <= MAX_PARTIALS:
                return pack
        box = self.pool.box("tuple", (info.module, info.node.at + len(name)), mode)
        for one in (*positional, args.star or ANYTHING):
            self.write(box.items, one)
        return box

    def _typed(self, callee: FunctionValue, param: s.Param, values: Values, mode: str) -> Values:
        """An argument; where nothing is known of it, what the parameter's annotation says."""
        if param.annotation is None or (values and values.isdisjoint(UNKNOWNS)):
            return values
        known = self.annotation_of(callee, param, mode)
        return (values - UNKNOWNS) | known if known else values

    def annotation_of(self, callee: FunctionValue, param: s.Param, mode: str) -> Values:
        """What a parameter's annotation says."""
        if param.annotation is None:
            return EMPTY
        info = callee.info
        frame = self.scratch(info.module, info.owner, callee.parent, info.node.at)
        frame.mode = mode
        return self.annotated(frame, param.annotation)

    def _missing(
        self, frame: Frame, at: int, callee: FunctionValue, param: s.Param, args: Args, mode: str
    ) -> Values:  # fmt: skip
        values = self.default(frame, at, callee, param) if param.default is not None else EMPTY
        if args.open or param.default is None:
            values |= args.star or (self.annotation_of(callee, param, mode) or ANYTHING)
        return values

    def default(self, frame: Frame, at: int, callee: FunctionValue, param: s.Param) -> Values:
        """The default of a parameter, evaluated once where the function is defined."""
        info = callee.info
        key = (info, callee.parent, param.name, "default")
        context = self.statements.get(key)
        if context is None:
            node = param.default

            def run(context: Context) -> None:
                assert node is not None
                values = self.eval(Frame(context), node)
                for one in values:
                    if isinstance(one, Box) and one.mode == IMPORT and one.place[1] >= node.at and one.place[0] is info.module:
                        one.default = True
                self.write(context.returned, values)

            context = Context(info.module, IMPORT, info.node.at, run)
            context.parent, context.cls, context.before = callee.parent, info.owner, info.node.at
            self.statements[key] = context
        self.demand(context)
        self.called(frame, context, at)
        return self.read(context.returned)


_CALL: dict[type, Callable[..., Values]] = {
    FunctionValue: Calls.call_function,
    Method: Calls._call_method,
    ClassValue: Calls._call_class,
    Partial: Calls._call_partial,
    Foreign: lambda self, frame, at, callee, args: self.call_foreign(frame, at, callee, args),
    Bound: lambda self, frame, at, callee, args: self.call_bound(frame, at, callee, args),
    Virtual: Calls.call_virtual,
}
