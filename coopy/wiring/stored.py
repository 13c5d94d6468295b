"""The domain object that a directory holds, as a plain object: for whoever begins another system with it, or leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

from coopy.classes import Classes
from coopy.engine.opening import domain_name
from coopy.engine.recorded import existing
from coopy.error import UsageError
from coopy.header import derive_key
from coopy.proxy import check_class
from coopy.wiring.arriving import load_root
from coopy.wiring.earlier import state_at
from coopy.wiring.opening import directory_of, names_of, packages_of
from coopy.wiring.options import Options, check_options
from coopy.wiring.subject import Subject

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

__all__ = ["restore"]

T = TypeVar("T")


def restore(
    domain: type[T],
    basedir: str | os.PathLike[str],
    *,
    allow: Iterable[str] = (),
    renames: Mapping[str, str] | None = None,
    signing_key: bytes | None = None,
    on_divergence: Literal["stop", "warn"] = "stop",
) -> T:
    """The object that a directory holds, behind its last action: a plain one, of this class, that nothing records.

    `basedir`: of any system, replica or node, that is closed, or open in any process; nothing of it is changed, and of a cluster nobody is asked. The
    options are those of `init_system`, which takes what this gives: another system begins with it, in another directory, in a cluster or without one. It
    is another system: LSNs are counted anew, and keys of `once` and tokens of the one before mean nothing there.

    Raises UsageError for a directory that holds no system, or another class's, and what an opening raises for one that is damaged.
    """
    if not isinstance(domain, type):
        raise UsageError(f"restore takes a class and its directory, not {domain!r}.")
    given: Any = {"renames": renames, "on_divergence": on_divergence}
    allowed = check_options(Options(allow=allow, signing_key=signing_key, **given))
    check_class(domain)
    names = names_of(domain, renames, Classes(packages_of(domain), allowed))
    subject = Subject(directory_of(basedir), domain_name(domain), derive_key(signing_key), allowed, names)
    existing(subject.place, "restore")
    _, state = state_at(subject, None, on_divergence, lambda _done, _all: None)
    root, _ = load_root(subject, state)
    assert isinstance(root, domain)
    return root
