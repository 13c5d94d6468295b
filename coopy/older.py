"""A pickle that holds objects of older versions -> objects of today's.

CPython's fast reader cannot be asked to stop where an object gets its state. This one is pickle's own, written in Python: the same opcodes
and the same rules about who passes, and slow (some 40 us an object). It reads what the fast one gave up with OlderError.
"""

from __future__ import annotations

import copyreg
import pickle
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from coopy.classes import TOOLS, resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.classes import Classes

    Versions = tuple[tuple[str, int], ...]

__all__ = ["Mark", "OldUnpickler", "root_of"]

MARKS = "coopy.codec"  # the module of the marks in a pickle


def root_of(kind: type, args: tuple[Any, ...], into: Any) -> Any:
    """The domain object itself, without its contents: a new one, or `into`."""
    if into is None:
        return kind.__new__(kind, *args)
    if type(into) is not kind:
        into.__class__ = kind  # an action gave it another one since
    return into


class Mark:
    """What a name of coopy's own in a pickle stands for: something to call, which a pickle cannot change."""

    __slots__ = ("_work",)

    def __init__(self, work: Callable[..., Any]) -> None:
        self._work = work

    def __call__(self, *args: Any) -> Any:
        """Do it."""
        return self._work(*args)

    def __setstate__(self, _state: object) -> None:
        raise pickle.UnpicklingError("a mark of coopy's has no state.")


class _OldMaker:
    """Makes objects that carry versions. `kind`, `stored`: of which class, which versions."""

    def __init__(self, kind: type, stored: Versions, due: dict[int, Any]) -> None:
        self.kind, self.stored, self._due = kind, stored, due

    def __call__(self, *args: Any) -> Any:
        return self.take(self.kind.__new__(self.kind, *args))

    def take(self, inst: Any) -> Any:
        """This object is one of them."""
        self._due[id(inst)] = inst, self.stored
        return inst


class OldUnpickler(pickle._Unpickler):  # noqa: SLF001 - pickle's own reader in Python: the same, and slow
    """Reads what the fast one does, and has the state of each old object made today's before the object gets it.

    `_due`: by id, the object and its versions, for all objects of classes with versions until they have their state.
    """

    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)  # noqa: SLF001 - as above

    def __init__(self, source: Any, classes: Classes, into: Any = None, *, state: bool) -> None:
        super().__init__(source)
        copyreg._extension_cache.clear()  # type: ignore[attr-defined]  # noqa: SLF001 - as in _Unpickler
        self._classes, self._into = classes, into
        self._due: dict[int, tuple[Any, Versions]] = {}
        self._marks: dict[tuple[str, str], Any] = {(MARKS, "_Dated"): Mark(self._make_dated)}
        if state:
            self._marks[MARKS, "_Root"] = Mark(self._make_root)
            self._marks |= {one: resolve(*one) for one in TOOLS}

    def load(self) -> Any:
        """As pickle.Unpickler.load."""
        value = super().load()
        for inst, stored in [*self._due.values()]:  # those that were pickled without a state
            self.stack = [inst, self._classes.today(inst, stored, None)]
            pickle._Unpickler.load_build(self)  # type: ignore[attr-defined]  # noqa: SLF001 - as above
        return value

    def find_class(self, module: str, name: str) -> Any:
        """As pickle.Unpickler.find_class."""
        return self._marks.get((module, name)) or self._classes.find_any(module, name)

    def persistent_load(self, pid: Any) -> Any:
        """As in _Unpickler."""
        raise pickle.UnpicklingError(f"a persistent id ({pid!r}) is never let through.")

    def _make_dated(self, module: str, name: str, stored: Versions) -> _OldMaker:
        kind = self._classes.find_any(module, name)
        self._classes.check_versions(kind, stored)
        return _OldMaker(kind, stored, self._due)

    def _make_root(self, made: Any, *args: Any) -> Any:
        maker = made if isinstance(made, _OldMaker) else _OldMaker(made, (), self._due)
        inst = root_of(maker.kind, args, self._into)
        return inst if self._classes.shape(maker.kind) is None else maker.take(inst)

    def _note_made(self) -> None:
        """An object was made by the bare name of its class."""
        inst = self.stack[-1]
        if self._classes.shape(type(inst)) is not None:
            self._due[id(inst)] = inst, ()

    def _load_newobj(self) -> None:
        pickle._Unpickler.load_newobj(self)  # type: ignore[attr-defined]  # noqa: SLF001 - as above
        self._note_made()

    def _load_newobj_ex(self) -> None:
        pickle._Unpickler.load_newobj_ex(self)  # type: ignore[attr-defined]  # noqa: SLF001 - as above
        self._note_made()

    def _load_build(self) -> None:
        if isinstance(self.stack[-2], type | Enum):
            raise pickle.UnpicklingError("a class, or a member of an enumeration, is given a state: no pickle of coopy's does that.")
        found = self._due.pop(id(self.stack[-2]), None)
        if found is not None:
            self.stack[-1] = self._classes.today(*found, self.stack[-1])
        pickle._Unpickler.load_build(self)  # type: ignore[attr-defined]  # noqa: SLF001 - as above

    dispatch[pickle.NEWOBJ[0]] = _load_newobj
    dispatch[pickle.NEWOBJ_EX[0]] = _load_newobj_ex
    dispatch[pickle.BUILD[0]] = _load_build
