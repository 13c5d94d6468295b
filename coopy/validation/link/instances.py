"""isinstance, where the classes of the program alone decide it: a branch for what cannot come is not followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.validation.link.values import ClassValue, Object, Pack

if TYPE_CHECKING:
    from coopy.validation.link.classes import Classes
    from coopy.validation.link.scopes import ClassInfo
    from coopy.validation.link.values import Values

_NO_HOOKS = frozenset(("builtins.object", "typing.Generic"))  # bases outside the program that leave isinstance as it is


def is_instance(linker: Classes, values: Values, kinds: Values) -> bool | None:
    """Whether values are instances of whichever of some classes; None where it may be either."""
    asked = [one for kind in kinds for one in (frozenset[object]().union(*kind.items) if isinstance(kind, Pack) else (kind,))]
    classes = [one.cls for one in asked if isinstance(one, ClassValue)]
    objects = [one for one in values if isinstance(one, Object)]
    if not objects or len(objects) < len(values) or len(kinds) > 1:
        return None
    derived = [any(linker.is_subclass(one.cls, cls) for cls in classes) for one in objects]
    if all(derived):
        return True
    closed = all(not one.open and one.cls.known for one in objects)
    plain = len(classes) == len(asked) and all(_is_plain(linker, cls) for cls in classes)
    return False if closed and plain and not any(derived) else None


def _is_plain(linker: Classes, cls: ClassInfo) -> bool:
    """Whether only a class that derives from this one has instances of it."""
    order = linker.order(cls)
    return cls.known and all(one in _NO_HOOKS for one in order if isinstance(one, str)) and not linker.metaclasses(cls)
