"""What can be seen of a system: its digest, and what it tells whoever asks without arguments. That is how two of them are compared."""

from __future__ import annotations

import inspect
import io
from typing import TYPE_CHECKING, Any

import msgspec

from coopy.decorators import marks_of
from coopy.difference import difference
from coopy.digest import digest
from coopy.proxy.names import member_of
from coopy.testing.call import Told, outcome_of
from coopy.wiring.systems import system_of

if TYPE_CHECKING:
    from coopy.codec import Codec
    from coopy.engine.system import System

__all__ = ["Look", "changing", "loaded", "look", "lost_in_storing", "questions"]

SHOWN = 5
SPECIALS = ("__len__", "__iter__", "__str__", "__repr__", "__bool__", "__hash__")


class Look(msgspec.Struct, frozen=True):
    """What was seen. `state`: as a snapshot holds it; `seen`: the answers by question."""

    lsn: int
    digest: str
    state: bytes
    seen: dict[str, Told]


def look(proxy: object, times: int = 2) -> Look:
    """Look at a system, so many times. What is answered otherwise at another time (by chance, say) is left out."""
    system = system_of(proxy)
    engine = system.engine
    seen = _answers(proxy)
    for _ in range(times - 1):
        again = _answers(proxy)
        seen = {name: one for name, one in seen.items() if name in again and again[name].token == one.token}
    state = engine.read(engine.codec.dump_state, system.root)
    return Look(engine.executed, engine.read(digest, system.root), state, seen)


def changing(proxy: object) -> str:
    """The first question that changes the state when it is asked; empty if none does."""
    system = system_of(proxy)
    before = digest(system.root)
    for name in questions(system.root):
        outcome_of(lambda name=name: _ask(proxy, name))  # type: ignore[misc]
        if digest(system.root) != before:
            return name
    return ""


def _answers(proxy: object) -> dict[str, Told]:
    return {name: outcome_of(lambda name=name: _ask(proxy, name)) for name in questions(system_of(proxy).root)}  # type: ignore[misc]


def lost_in_storing(system: System, state: bytes) -> tuple[str, ...]:
    """What differs between the domain object and itself stored and read back, as a snapshot would have it. `state`: it, stored."""
    return tuple(map(str, system.engine.read(difference, system.root, loaded(system.engine.codec, state), SHOWN)))


def loaded(codec: Codec, state: bytes) -> Any:
    """The domain object again."""
    return codec.load_state(io.BytesIO(state))[0]


def questions(root: object) -> list[str]:
    """Public attributes and properties; queries that need no argument, with "()" behind their name; special methods of the domain's own that read."""
    kind = type(root)
    found = [name for name in getattr(root, "__dict__", ()) if not name.startswith("_") and member_of(kind, name) is None]
    for name in dir(kind):
        member = member_of(kind, name)
        if name in SPECIALS:
            if member is not None and member is not member_of(object, name):
                found.append(f"{name}()")
        elif name.startswith("_") or isinstance(member, staticmethod | classmethod):
            continue
        elif isinstance(member, property):
            found.append(name)
        elif "readonly" in marks_of(member) and _needs_nothing(getattr(root, name)):
            found.append(f"{name}()")
    return found


def _needs_nothing(method: Any) -> bool:
    try:
        inspect.signature(method).bind()
    except (TypeError, ValueError):
        return False
    return True


def _ask(proxy: Any, question: str) -> object:
    name = question.removesuffix("()")
    if name == question:
        return getattr(proxy, name)
    if name.startswith("__"):
        special = getattr(type(proxy), name)
        return special(proxy)
    return getattr(proxy, name)()
