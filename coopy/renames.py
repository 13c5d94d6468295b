"""Old names -> today's: of classes and whole modules, wherever something is stored under them, and of the domain class's actions.

What is stored says "module:Class" and the name of an action. Where today's program has no such thing, what it says of its past leads on:
`@was` on the class or method, `renames=` of init_system, `[tool.coopy.renames]` of the project. An old name is a key and nothing more: what it
leads to must be let through like any other name.

    "old.module:Old" = "new.module:New"        a class, and the classes inside of it
    "old.module" = "new.module"                a module or package, and what lies in it
    "module:Class.old" = "new"                 an action of the domain class

All of it is looked up on a miss only, and checked before anything is opened.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from coopy.decorators import CLAIMANTS, CLAIMS, claims_of, marks_of
from coopy.error import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["NO_NAMES", "Names", "gather"]


class Names(msgspec.Struct, frozen=True):
    """What leads from old names to today's. `methods`: of the domain class, also to private ones; `extra`: "module:Class" and "module" as they were given."""

    methods: dict[str, str] = {}
    extra: dict[str, str] = {}

    def trail(self, name: str) -> Iterator[str]:
        """A class's name "module:Class", then what it leads to, step by step. Each rule leads on once, so there is an end."""
        used: set[str] = set()
        following: str | None = name
        while following is not None:
            yield following
            following = self._step(following, used)

    def lead(self, name: str, to: str) -> bool:
        """Whether a class that was called `name` is called `to` today."""
        return to in self.trail(name)

    def modules_behind(self, module: str) -> Iterator[str]:
        """What a module's name leads to, step by step; each once."""
        seen = {module}
        while (module := self.extra.get(module, module)) not in seen:
            seen.add(module)
            yield module

    def same_error(self, recorded: str | None, got: str) -> bool:
        """Whether an exception's type, named "module.Class", is the recorded one, which may have had another name."""
        if recorded is None or recorded == got:
            return recorded == got
        parts = recorded.split(".")
        splits = (f"{'.'.join(parts[:at])}:{'.'.join(parts[at:])}" for at in range(1, len(parts)))
        return any(one.replace(":", ".") == got for name in splits for one in self.trail(name))

    def _step(self, name: str, used: set[str]) -> str | None:
        module, _, qualname = name.partition(":")
        parts, claims = qualname.split("."), claims_now()
        for count in range(len(parts), 0, -1):
            head = f"{module}:{'.'.join(parts[:count])}"
            target = self.extra.get(head) or next(iter(claims.get(head, ())), None)
            if target is not None and head not in used:
                used.add(head)
                return ".".join((target, *parts[count:]))
        package = module
        while package:
            if package in self.extra and package not in used:
                used.add(package)
                return f"{self.extra[package]}{module[len(package) :]}:{qualname}"
            package = package.rpartition(".")[0]
        return None


NO_NAMES = Names()


def claims_now() -> dict[str, list[str]]:
    """What `@was` says on the classes that there are now: by old name, who claims it."""
    found: dict[str, list[str]] = {}
    for module, qualname in CLAIMANTS:
        kind = live_class(module, qualname)
        for old in () if kind is None else vars(kind).get(CLAIMS, ()):
            found.setdefault(old, []).append(f"{module}:{qualname}")
    return found


def live_class(module: str, qualname: str) -> type | None:
    """The class that has this name now, if its module is loaded."""
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        found = getattr(found, "__dict__", {}).get(part)
    return found if isinstance(found, type) and (found.__module__, found.__qualname__) == (module, qualname) else None


# --- before anything is opened ---------------------------------------------------------------------------------------


def gather(kind: type, given: Any, project: Any, passes: Callable[[str], bool], find: Callable[[str, str], type]) -> Names:
    """Everything that leads to today's names, for a domain class. `given`: what `renames=` says, `project`: what the project's settings say.

    `passes`: whether a module or class may be let through at all; `find` gives a class that is, or raises. Raises UsageError for what cannot
    be, naming both sides of a contradiction.
    """
    ours, methods = _sorted_out(kind, _checked(given, "renames"), "renames", all_apply=True)
    theirs, more = _sorted_out(kind, _checked(project, "[tool.coopy.renames]"), "[tool.coopy.renames]", all_apply=False)
    theirs = {old: new for old, new in theirs.items() if passes(new)}  # the rest is another domain's
    names = Names(_methods(kind, {**more, **methods}), {**theirs, **ours})
    for old in names.extra:
        where = "renames" if old in ours else "[tool.coopy.renames]"
        _check_target(old, names, where, passes, find)
    _check_claims(names, passes)
    return names


def _checked(given: Any, where: str) -> dict[str, str]:
    if not isinstance(given, Mapping):
        raise UsageError(f"{where}={given!r} is not possible: it maps old names to today's.", option="renames")
    for old, new in given.items():
        if not (isinstance(old, str) and isinstance(new, str) and _is_name(old) and _is_name(new) and old != new):
            what = f"{where}: {old!r} -> {new!r} is not possible"
            raise UsageError(
                f'{what}: it is "old.module:Old" -> "new.module:New", "old.module" -> "new.module" or "module:Class.old" -> "new".',
                option="renames",
            )
    return dict(given)


def _is_name(text: str) -> bool:
    return text.count(":") <= 1 and all(part.isidentifier() for part in text.removesuffix("=").replace(":", ".").split("."))


def _sorted_out(kind: type, given: dict[str, str], where: str, *, all_apply: bool) -> tuple[dict[str, str], dict[str, str]]:
    """Classes and modules; and actions of the domain class."""
    names, methods = {}, {}
    only_names = Names({}, {old: new for old, new in given.items() if (":" in old) is (":" in new)})
    own = {f"{one.__module__}:{one.__qualname__}" for one in kind.__mro__}
    for old, new in given.items():
        if (":" in old) is (":" in new):
            names[old] = new
            continue
        owner, _, action = old.rpartition(".")
        if ":" not in old or ":" not in owner or "." in new:
            raise UsageError(f"{where}: {old!r} -> {new!r} is not possible: one is a class and the other a module.", option="renames")
        if own.isdisjoint(only_names.trail(owner)):
            if all_apply:
                what = f"{where}: {old!r} -> {new!r}: {owner} is neither {kind.__module__}:{kind.__qualname__} nor a former name of it"
                raise UsageError(f"{what}. Only actions of the domain class are recorded.", option="renames")
            continue
        if getattr(kind, new.removesuffix("="), None) is None:
            raise UsageError(f"{where}: {old!r} -> {new!r}: {kind.__qualname__} has no {new}.", option="renames")
        methods[action] = new
    return names, methods


def _check_target(old: str, names: Names, where: str, passes: Callable[[str], bool], find: Callable[[str, str], type]) -> None:
    new = names.extra[old]
    if not passes(new):
        what = f"{where}: {old!r} -> {new!r}: {new} is not let through, a rename changes nothing about that"
        raise UsageError(f"{what}. Pass it with allow= as well, if it is safe.", option="renames")
    if ":" in new:
        reasons = [_reason(lambda one=one: find(*one.split(":"))) for one in names.trail(new)]  # type: ignore[misc]
    else:
        reasons = [_reason(lambda one=one: importlib.import_module(one)) for one in (new, *names.modules_behind(new))]  # type: ignore[misc]
    if None not in reasons:
        raise UsageError(f"{where}: {old!r} -> {new!r}: there is no {new} ({reasons[0]}).", option="renames") from reasons[0]
    if ":" in old and live_class(*old.split(":")) is not None:
        raise UsageError(f"{where}: {old!r} -> {new!r}: {old} is still a class, too. {_BOTH}", option="renames")


def _reason(work: Callable[[], object]) -> Exception | None:
    """Why something cannot be had, if it cannot."""
    try:
        work()
    except Exception as error:  # noqa: BLE001 - a module may raise anything when it is imported; whoever asks raises it
        return error
    return None


def _check_claims(names: Names, passes: Callable[[str], bool]) -> None:
    for old, claimants in claims_now().items():
        own = [one for one in claimants if passes(one)]
        if old in names.extra and own:
            own = list(dict.fromkeys((names.extra[old], *own)))
        if own and live_class(*old.split(":")) is not None:
            own = [old, *own]
        if len(own) > 1:
            raise UsageError(f"Two classes claim the name {old}: {' and '.join(own)}. {_BOTH}", option="renames")


_BOTH = "What is stored under it can be of one class only. Nothing was opened or changed."


# --- actions ---------------------------------------------------------------------------------------------------------


def _methods(kind: type, given: dict[str, str]) -> dict[str, str]:
    """By former name: the member of the domain class that runs its recorded calls."""
    claims: dict[str, dict[str, None]] = {old: {new: None} for old, new in given.items()}
    for name in dir(kind):
        for old, new in _claims_at(kind, name):
            claims.setdefault(old, {})[new] = None
    for old, members in claims.items():
        _check_action(kind, old, list(members))
    return {old: next(iter(members)) for old, members in claims.items()}


def _claims_at(kind: type, name: str) -> Iterator[tuple[str, str]]:
    """Old and today's names of a member, wherever in the bases it was marked."""
    for base in kind.__mro__[:-1]:  # `object` was never marked
        member = vars(base).get(name)
        if isinstance(member, property):
            for old in {*claims_of(member.fget), *claims_of(member.fset)}:
                yield f"{old.removesuffix('=')}=", f"{name}="
            for old in claims_of(member.fset):
                yield old, f"{name}="
        elif member is not None and not isinstance(member, type):
            for old in claims_of(member):
                yield old, name


def _check_action(kind: type, old: str, members: list[str]) -> None:
    def shown(name: str) -> str:
        return f"{kind.__qualname__}.{name.removesuffix('=')}"

    if len(members) > 1:
        raise UsageError(f"Two methods claim to have been {old}: {' and '.join(map(shown, members))}. {_ONE}", method=old)
    name = members[0]
    today = getattr(kind, old.removesuffix("="), None)
    if name == old:
        raise UsageError(f"{shown(name)} is said to have been {old}, which it is. Take that away.", method=old)
    if today is None:
        return
    if not name.startswith("_") or name.startswith("__"):
        what = f"{shown(name)} is said to have been {old}, and {kind.__qualname__} has a method {old} today"
        raise UsageError(f"{what}. {_ONE} For calls that its parameters do not take any more, mark a private method.", method=old)
    if ("abort_exception" in marks_of(today)) is not ("abort_exception" in marks_of(getattr(kind, name))):
        raise UsageError(f"{shown(name)} runs old calls of {shown(old)}: both are @abort_exception, or neither.", method=old)


_ONE = "A recorded call can be of one method only. Nothing was opened or changed."
