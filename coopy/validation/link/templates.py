"""Methods of the standard library that call what a class of the program puts in their place: `encode` asks `default`, `visit` asks `visit_Name`.

A name that ends in a star stands for every method that begins so. What they are given is not known. Loggers are not here: what a handler or
formatter makes of a record is a log, not state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.validation.link.hazards import Args
from coopy.validation.link.values import ClassValue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coopy.validation.link.attributes import Attributes
    from coopy.validation.link.machine import Frame
    from coopy.validation.link.scopes import ClassInfo
    from coopy.validation.link.values import Object

_VISITED = ("visit_*", "generic_visit")
_HANDLED = ("handle_*", "unknown_decl")
_FORMATTED = ("parse", "get_field", "get_value", "convert_field", "format_field", "check_unused_args")
_COMMANDS = ("precmd", "do_*", "default", "emptyline", "postcmd")
_TEMPLATES: dict[str, dict[str, tuple[str, ...]]] = {
    "json.JSONEncoder": dict.fromkeys(("encode", "iterencode"), ("default",)),
    "ast.NodeVisitor": dict.fromkeys(("visit", "generic_visit"), _VISITED),
    "ast.NodeTransformer": dict.fromkeys(("visit", "generic_visit"), _VISITED),
    "html.parser.HTMLParser": dict.fromkeys(("feed", "close"), _HANDLED),
    "string.Formatter": dict.fromkeys(("format", "vformat"), _FORMATTED),
    "cmd.Cmd": dict.fromkeys(("onecmd", "cmdloop"), _COMMANDS),
    "collections.UserDict": {
        "update": ("__setitem__",), "setdefault": ("__getitem__", "__setitem__"), "pop": ("__getitem__", "__delitem__"), "get": ("__getitem__",),
        "popitem": ("__getitem__", "__delitem__"), "clear": ("__delitem__",), "values": ("__getitem__",), "items": ("__getitem__",),
    },
}  # fmt: skip
ENCODING = frozenset(("json.dumps", "json.dump"))


def call_in_place(linker: Attributes, frame: Frame, at: int, receiver: Object, name: str) -> None:
    """A method from outside the program is called on an object: so is what the object's class has for it."""
    linker.order(receiver.cls)  # which finds the bases
    for base in receiver.cls.foreign():
        for pattern in _TEMPLATES.get(base, {}).get(name, ()):
            for one in _names(receiver.cls, pattern):
                linker.call_all(frame, at, linker.attribute(frame, at, receiver, one), Args(open_=True))


def encode_with(linker: Attributes, frame: Frame, at: int, args: Args) -> None:
    """`json.dumps(x, cls=Encoder)`."""
    for one in args.keywords.get("cls", ()):
        if isinstance(one, ClassValue):
            call_in_place(linker, frame, at, linker.pool.object(one.cls, frame.mode, one.open), "encode")


def _names(cls: ClassInfo, pattern: str) -> Iterator[str]:
    """The members of its own that a pattern stands for, each once."""
    found = (name for one in cls.own() for name in one.scope.bindings)
    yield from dict.fromkeys(name for name in found if name == pattern or (pattern[-1] == "*" and name.startswith(pattern[:-1])))
