"""Which classes pass when something is unpickled, under which names, and in which version their objects are.

Classes of the domain's own packages, found by name and through classes only; a fixed list of standard value types; what `allow` names. Never
functions. A name that nothing has today is looked up among the old ones (renames.py); what it leads to must pass like any other.
"""

from __future__ import annotations

import array
import builtins
import collections
import datetime
import decimal
import importlib
import pathlib
import pickle
import random
import re
import sys
import types
import uuid
from typing import TYPE_CHECKING, Any

from coopy.decorators import CLAIMS
from coopy.error import UpgradeError, UsageError
from coopy.kinds import INJECTED
from coopy.renames import NO_NAMES
from coopy.shapes import INTACT, OlderError, has_steps, newer, shape_of, upgraded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from coopy.renames import Names
    from coopy.shapes import Shape

    Versions = tuple[tuple[str, int], ...]

__all__ = ["TOOLS", "Classes", "lets_nothing_through", "resolve"]

_VALUES: tuple[type, ...] = (
    bool, bytearray, bytes, complex, dict, float, frozenset, int, list, object, range, set, slice, str, tuple,
    array.array, collections.ChainMap, collections.Counter, collections.OrderedDict, collections.UserDict, collections.UserList,
    collections.UserString, collections.defaultdict, collections.deque, datetime.date, datetime.datetime, datetime.time, datetime.timedelta,
    datetime.timezone, decimal.Decimal, random.Random, types.SimpleNamespace, uuid.SafeUUID, uuid.UUID,
    *(one for one in vars(builtins).values() if isinstance(one, type) and issubclass(one, BaseException)),
)  # fmt: skip
_PATHS = ("PurePath", "PurePosixPath", "PureWindowsPath", "Path", "PosixPath", "WindowsPath")

TOOLS = frozenset((module, name) for module, _, name in (one.rpartition(".") for one in INJECTED.values()))  # what a domain object is given

STANDARD: dict[tuple[str, str], type] = {
    **{(one.__module__, one.__qualname__): one for one in _VALUES},
    **{(module, name): getattr(pathlib, name) for module in ("pathlib", "pathlib._local") for name in _PATHS},  # 3.13 moved them
}
LATER = frozenset((  # standard as well: whoever has none of them need not load their modules
    ("fractions", "Fraction"), ("zoneinfo", "ZoneInfo"),
    *(("ipaddress", f"IPv{version}{what}") for version in (4, 6) for what in ("Address", "Interface", "Network")),
))  # fmt: skip


class Classes:
    """Those of one domain.

    `packages`: names of the domain's own top-level packages. `allow`: "module:Name" or "package", each also let through; UsageError otherwise.
    `names`: where old names lead. `marks`: what coopy's own names in a pickle stand for.
    """

    def __init__(
        self, packages: tuple[str, ...], allow: Iterable[str], names: Names = NO_NAMES, marks: Mapping[tuple[str, str], Any] | None = None
    ) -> None:
        allowed = tuple(allow)
        for name in allowed:
            if not all(part.isidentifier() for part in re.split(r"[.:]", name)) or name.count(":") > 1:
                raise UsageError(f'allow={name!r} is not "module:Name" or "package".', option="allow")
        self._packages = frozenset((*packages, *(name for name in allowed if ":" not in name)))
        self._allowed = {tuple(name.split(":")) for name in allowed if ":" in name}
        self.names = names
        self._known: dict[tuple[str, str], Any] = {**STANDARD, **(marks or {})}
        self._translated = False  # whether an old name or an old shape was met
        self._versioned: dict[tuple[str, str], type] = {}  # classes whose objects carry versions
        self._shapes: dict[type, Shape | None] = {}

    def find(self, module: str, name: str) -> Any:
        """The class of this name, if it is let through. Raises UnpicklingError, UpgradeError, and OlderError where its objects carry versions."""
        known = self._known.get((module, name))
        if known is None:
            self.find_any(module, name)
            known = self._known.get((module, name))
            if known is None:
                raise OlderError
        return known

    def find_stored(self, module: str, name: str) -> Any:
        """As `find`, in a state: a copy of the domain object in it has coopy's clock and random numbers."""
        return resolve(module, name) if (module, name) in TOOLS else self.find(module, name)

    def find_any(self, module: str, name: str) -> Any:
        """The same, whether its objects carry versions or not."""
        known = self._known.get((module, name)) or self._versioned.get((module, name))
        if known is None:
            known = self._today(module, name)
            (self._known if self.shape(known) is None else self._versioned)[module, name] = known
        return known

    def passes(self, name: str) -> bool:
        """Whether "module:Class" or a module may be let through at all."""
        return name.partition(":")[0].partition(".")[0] in self._packages or tuple(name.split(":")) in self._allowed

    def has_former(self, modules: Collection[str]) -> bool:
        """Whether there were other names or shapes: some were met, or something says so of the classes in these modules of today's."""
        return self._translated or bool(self.names.extra) or any(CLAIMS in vars(one) or has_steps(one) for one in _classes_in(modules))

    def _today(self, module: str, name: str) -> type:
        """What has this name, or what the trail of names leads to from there. Raises as if there were no other than the first."""
        reason: Exception | None = None
        for one in self.names.trail(f"{module}:{name}"):
            try:
                found = self._let_through(*one.split(":"))
            except (pickle.UnpicklingError, UpgradeError) as error:
                reason = reason or error
            else:
                self._translated = self._translated or reason is not None
                return found
        assert reason is not None
        raise reason

    def _let_through(self, module: str, name: str) -> type:
        if (module, name) in TOOLS:
            raise pickle.UnpicklingError(
                "it leads to the domain object or to a copy of it, which has coopy's clock. Pass what is needed of it instead."
            )
        if (module, name) in LATER:
            importlib.import_module(module)  # waits where another thread is loading it at the moment
        elif not self.passes(f"{module}:{name}"):
            raise pickle.UnpicklingError(
                f'{module}.{name} is not let through: only the domain\'s own classes and standard values are. Pass allow=("{module}:{name}",) if it is safe.'
            )
        return resolve(module, name)

    # --- versions ----------------------------------------------------------------------------------------------------

    def shape(self, kind: type) -> Shape | None:
        """The shape of a class whose objects carry versions, else None."""
        if kind not in self._shapes:
            self._shapes[kind] = shape_of(kind)
        return self._shapes[kind]

    def today(self, inst: Any, stored: Versions, state: Any) -> Any:
        """The state of an old object as pickle is to build it."""
        shape = self.shape(type(inst))
        assert shape is not None
        self._translated = True
        owners, versions = [owner for owner, _ in shape.versions], {}
        for name, version in stored:
            versions.update({one: version for one in self.names.trail(name) if one in owners})
        return upgraded(shape, versions, state)

    def check_versions(self, kind: type, stored: Versions) -> bool:
        """Whether objects with these versions are of today's. Raises UpgradeError for a class that has no versions any more."""
        shape = self.shape(kind)
        if shape is None:
            raise newer(*stored[-1], 1)
        return stored == shape.versions


def resolve(module: str, name: str) -> type:
    """Step by step through classes, never through what a module happens to have imported."""
    if "<locals>" in name:
        what = f"{module}.{name} was defined inside of a function, where a restart cannot find it by name."
        raise pickle.UnpicklingError(f"{what} Define it at the top of its module.")
    try:
        found: Any = sys.modules.get(module) or importlib.import_module(module)
    except SystemExit as error:  # a script, not a module
        raise pickle.UnpicklingError(f"{module} cannot be imported: it ends the program.") from error
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module}.".startswith(f"{error.name}."):
            raise _missing(module, name) from error
        raise
    for part in name.split("."):
        if part not in vars(found):
            raise _missing(module, name)
        found = vars(found).get(part)
        if not isinstance(found, type):
            raise pickle.UnpicklingError(f"{module}.{name} is not a class: functions and values are never let through.")
    if (found.__module__, found.__qualname__) != (module, name):
        raise pickle.UnpicklingError(
            f"{module}.{name} is really {found.__module__}.{found.__qualname__}: it is let through by its own name only. Was it called so, mark it: @was."
        )
    kind: type = found
    return kind


def lets_nothing_through(name: str) -> str:
    """Why a name in `allow` lets nothing through, as far as that shows without importing anything; empty where it may."""
    module, _, path = name.partition(":")
    if module not in sys.modules:
        import importlib.util

        top = module.partition(".")[0]
        return "" if top in sys.modules or importlib.util.find_spec(top) else f"there is no module {top}."
    try:
        if path:
            resolve(module, path)
    except UpgradeError:
        return f"there is no class {path} in {module}."
    except pickle.UnpicklingError as error:
        return str(error)
    return ""


def _classes_in(modules: Collection[str]) -> dict[type, None]:
    """The classes that these modules define, and those inside of them."""
    found: dict[type, None] = {}
    waiting = [one for module in modules for one in vars(sys.modules[module]).values()]
    for one in waiting:  # grows meanwhile
        if isinstance(one, type) and one.__module__ in modules and one not in found:
            found[one] = None
            waiting += vars(one).values()
    return found


def _missing(module: str, name: str) -> Exception:
    """Why there is no such class: it is gone, or this was never the name of one."""
    parts = f"{module}.{name}".split(".")
    if not all(map(str.isidentifier, parts)) or any(part.startswith("__") for part in parts[1:]):  # the first may be `__main__`
        return pickle.UnpicklingError(f"{module}.{name} is not a class: functions and values are never let through.")
    what = f"Something of class {module}.{name} is stored, and there is no such class any more. {INTACT}"
    ways = f'Say what it is called today, by @was("{module}:{name}") on that class or renames=; or keep the class as long as something of it is stored'
    return UpgradeError(f"{what} {ways}; or open with the code that wrote it.", name=f"{module}:{name}", version=0, lsn=0)
