"""Old shapes -> today's: what `@upgrade` makes of the state of an object that an older version of its class wrote.

A class's version is one more than the highest `from_` among its own steps. Objects carry the versions of all classes of theirs that have
steps, base classes as well; one that carries none was written before there were any: version 1. Pure: states in, states out.
"""

from __future__ import annotations

import copyreg
from typing import TYPE_CHECKING, Any

import msgspec

from coopy.decorators import VERSION
from coopy.error import UpgradeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Step = Callable[[Any], Any]

__all__ = ["OlderError", "Shape", "has_steps", "shape_of", "upgraded"]

INTACT = "Nothing was changed, the files are good."


class Shape(msgspec.Struct, frozen=True):
    """A class whose stored states may be old. `versions`: what its objects carry, for each class that has steps; `steps`: of these, by version."""

    kind: type
    versions: tuple[tuple[str, int], ...]
    steps: tuple[dict[int, Step], ...]

    @property
    def name(self) -> str:
        """As files name it."""
        return _name(self.kind)


class OlderError(Exception):
    """Objects of an older version are in a pickle: it is to be read by older.OldUnpickler. Never leaves the codec."""


def shape_of(kind: type) -> Shape | None:
    """The shape of a class, None if neither it nor a base has steps. Raises UsageError where they do not follow one another."""
    found = [(one, steps) for one in kind.__mro__[-2::-1] if (steps := dict(_steps(one)))]
    if not found:
        return None
    versions = tuple((_name(one), max(steps) + 1) for one, steps in found)
    return Shape(kind, versions, tuple(steps for _, steps in found))


def has_steps(kind: type) -> bool:
    """Whether a class itself has steps, be they right or wrong."""
    return any(map(_from, vars(kind).values()))


def _from(member: Any) -> int:
    """Of which version this takes the state; 0 if it is no step."""
    version: int = getattr(getattr(member, "__func__", member), VERSION, 0)
    return version


def _steps(kind: type) -> Iterator[tuple[int, Step]]:
    seen: dict[int, str] = {}
    for name, member in vars(kind).items():
        version = _from(member)
        if version:
            if not isinstance(member, staticmethod | classmethod):
                raise UsageError(f"{kind.__qualname__}.{name} is @upgrade(from_={version}) and sees no object: make it a @staticmethod.")
            if version in seen:
                raise UsageError(f"{kind.__qualname__}.{seen[version]} and .{name} are both @upgrade(from_={version}). Keep one.")
            seen[version] = name
            yield version, member.__get__(None, kind)
    if seen and set(range(min(seen), max(seen) + 1)) != seen.keys():
        missing = min(set(range(min(seen), max(seen))) - seen.keys())
        raise UsageError(f"{kind.__qualname__} has no @upgrade(from_={missing}), though it has one of a version before. Write it.")


def upgraded(shape: Shape, stored: Mapping[str, int], state: Any) -> Any:
    """Today's state, as pickle builds an object of it. `stored`: the versions that the object carries. Raises UpgradeError."""
    plain = getattr(shape.kind, "__getstate__", None) is getattr(object, "__getstate__", None)
    state = _by_name(state) if plain else state
    for (owner, version), steps in zip(shape.versions, shape.steps, strict=True):
        have = stored.get(owner, 1)
        if have > version:
            raise newer(owner, have, version)
        for step in range(have, version):
            state = _taken(shape, owner, step, steps, state, plain=plain)
    return _built(shape.kind, state) if plain else state


def newer(owner: str, have: int, version: int) -> UpgradeError:
    """An object of a version that this program does not know."""
    what = f"An object of {owner} is stored in version {have}, and this program's class is of version {version}. {INTACT}"
    return UpgradeError(
        f"{what} Open it with the newer program; the last @upgrade of a class stays for good.", name=owner, version=have, lsn=0
    )


def _taken(shape: Shape, owner: str, version: int, steps: dict[int, Step], state: Any, *, plain: bool) -> Any:
    step = steps.get(version)
    if step is None:
        what = f"An object of {owner} is stored in version {version}, and there is no @upgrade(from_={version}). {INTACT}"
        raise UpgradeError(f"{what} Write one, or open it with the code that has it.", name=owner, version=version, lsn=0)
    try:
        state = step(state)
    except MemoryError:
        raise
    except Exception as error:
        what = f"@upgrade(from_={version}) of {owner} raised {type(error).__name__}: {error}, for the state of a {shape.name}. {INTACT}"
        raise UpgradeError(
            f"{what} Correct it and open again, or open with the code before.", name=owner, version=version, lsn=0
        ) from error
    if plain and not isinstance(state, dict):
        what = f"@upgrade(from_={version}) of {owner} gave a {type(state).__name__}, not a dictionary of attributes. {INTACT}"
        raise UpgradeError(f"{what} Have it return the state.", name=owner, version=version, lsn=0)
    return state


def _by_name(state: Any) -> dict[str, Any]:
    """A state as pickle writes it by default (nothing, attributes, or attributes and slots), as one dictionary."""
    parts = state if isinstance(state, tuple) else (state,)
    return {name: value for part in parts for name, value in (part or {}).items()}


def _built(kind: type, state: dict[str, Any]) -> Any:
    """The same back again, for today's slots."""
    slots = copyreg._slotnames(kind)  # type: ignore[attr-defined]  # noqa: SLF001 - the names under which pickle writes them
    if not slots:
        return state
    return {name: one for name, one in state.items() if name not in slots} or None, {
        name: one for name, one in state.items() if name in slots
    }


def _name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"
