"""From a class, or an instance of it, and a directory to a proxy."""

from __future__ import annotations

import inspect
import os
import sys
import typing
import weakref
from _thread import LockType, allocate_lock, start_new_thread
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coopy.classes import Classes, lets_nothing_through
from coopy.disk import RealDisk
from coopy.engine.opened import open_system
from coopy.engine.opening import Place, domain_name
from coopy.engine.system import Settings, System
from coopy.engine.tools import equip
from coopy.error import CoopyError, UsageError
from coopy.fingerprint import fingerprint
from coopy.fresh import is_fresh
from coopy.header import derive_key
from coopy.logs import logger
from coopy.project import project_at
from coopy.proxy import check_class, make_proxy
from coopy.renames import gather
from coopy.shapes import shape_of
from coopy.wiring.helper import Helper
from coopy.wiring.operations import Operations
from coopy.wiring.options import Options, check_options
from coopy.wiring.peers import also_where_left_behind, join, node_of, origin_of, replica_of
from coopy.wiring.systems import is_proxy, register

if TYPE_CHECKING:
    from coopy.clock import Moment
    from coopy.disk import Disk
    from coopy.renames import Names

__all__ = ["adopt", "directory_of", "names_of", "open_proxy", "packages_of"]

log = logger()
FOREVER = -1.0
PATIENCE = 1.0  # seconds that a finalizer waits for the closing; a thread that still runs in the system may keep it for longer


def open_proxy(obj: Any, basedir: str | os.PathLike[str] | None, options: Options, disk: Disk | None = None) -> Any:
    """Open or create the system of a class or an instance in a directory, and give its proxy. Raises as `init_system` says."""
    allow = check_options(options)
    for name in allow:
        if why := lets_nothing_through(name):
            log.warning("allow=%r lets nothing through: %s", name, why)
    obj = _without_parameters(obj)
    kind = _class_of(obj)
    if is_fresh():
        what = "init_system was called as a process beside the one that runs looked for its classes, by running a script or importing a module again."
        ways = 'Have a script do its work under `if __name__ == "__main__":` only, and open no system while a module is imported that has domain classes.'
        raise UsageError(f"{what} Nothing was opened. {ways}")
    check_class(kind)
    directory = directory_of(basedir if basedir is not None else kind.__name__.lower() + ("-replica" if options.replication else ""))
    replica = replica_of(options, kind)
    free = _validate(kind, options)
    classes = Classes(packages_of(kind), allow)
    names = names_of(kind, options.renames, classes)
    source = fingerprint(kind, classes.passes)
    settings = Settings(
        durability=options.durability, sync_interval=options.sync_interval, snapshot_time=options.snapshot_time,
        keep_snapshots=options.keep_snapshots, auto_prune=options.auto_prune, segment_bytes=options.segment_bytes,
        compression=options.compression or "", allow=allow, on_divergence=options.on_divergence, on_progress=options.on_progress,
        free=free, source=source, confirmed=options.min_acks > 0,
    )  # fmt: skip
    place = Place(disk or RealDisk(), directory, derive_key(options.signing_key), domain_name(kind), names)
    made: list[System] = []

    def begin() -> System:
        node = node_of(options, kind, source)
        with ExitStack() as undo:
            if node is not None:
                undo.callback(node.stop)
                node.connect()
            system = open_system(
                place,
                lambda: _initial(obj),
                lambda root, moment: adopt(root, kind, moment),
                packages_of(kind),
                settings,
                origin_of(replica, node),
                made,
            )
            undo.pop_all()
        if disk is None:
            system.snapshots.helper = Helper(packages_of(kind), names, settings)
        join(system, options, replica, node)
        return system

    try:
        system = begin() if options.cluster is None else also_where_left_behind(begin)
        proxy = make_proxy(system.engine, Operations(system))
        register(proxy, system, lambda directory, disk: open_proxy(kind, directory, options, disk))
        weakref.finalize(proxy, _let_go, system)
    except BaseException:  # an interrupt, too: nobody would hold it, and its directory would stay locked as long as this process lives
        for one in made:
            _let_go(one, FOREVER)
        raise
    return proxy


def directory_of(basedir: Any) -> str:
    """The absolute path of a directory. Raises UsageError for what is none."""
    if not isinstance(basedir, str | os.PathLike) or not isinstance(os.fspath(basedir), str):
        raise UsageError(f"basedir={basedir!r} is not possible: it is a string or a path.", option="basedir")
    if not os.fspath(basedir):
        what = "basedir='' is not possible: it would be the working directory, as of a setting that is not set"
        raise UsageError(f"{what}. Leave it out for a directory of the class's name, or say '.'. Nothing was changed.", option="basedir")
    if "\0" in os.fspath(basedir):
        raise UsageError(f"basedir={basedir!r} is not possible: no path holds a NUL. Nothing was changed.", option="basedir")
    try:
        return str(Path(basedir).expanduser().absolute())
    except RuntimeError as error:  # of a user who has none
        raise UsageError(f"basedir={basedir!r} is not possible: {error} Nothing was changed.", option="basedir") from error
    except FileNotFoundError as error:
        what = f"basedir={basedir!r} leads from the working directory, which was deleted. Nothing was changed."
        raise UsageError(f"{what} Go to one that is there, or say the whole path.", option="basedir") from error


def _without_parameters(obj: Any) -> Any:
    """The class itself, where it was written as `Box[int]`."""
    return typing.get_origin(obj) or obj


def _class_of(obj: Any) -> type:
    if is_proxy(obj):
        raise UsageError(
            "init_system was given a proxy: it stands for a system that is open already. Use it as it is, or close it and open its directory."
        )
    kind: type = obj if isinstance(obj, type) else type(obj)
    if kind.__module__ == "builtins" or kind.__flags__ & 1 << 9 == 0:
        raise UsageError(f"init_system takes a class of your own or an instance of one, not {obj!r}.")
    return kind


def _validate(kind: type, options: Options) -> dict[str, dict[str, str]]:
    """Have the validator look at a class before anything is opened or created; what it proved for the executor. Raises PrevalentError."""
    if options.validation == "off":
        return {}
    from coopy.validation.wrap import check

    return check(kind, options.validation, options.allow, level=5)


def packages_of(kind: type) -> tuple[str, ...]:
    """The domain's own top-level packages, whose classes may be unpickled."""
    return (kind.__module__.partition(".")[0],)


def names_of(kind: type, given: Any, classes: Classes) -> Names:
    """Where former names of the domain's classes and actions lead. Raises UsageError for what cannot be, before anything is opened."""
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    project = project_at(Path(file).absolute().parent) if isinstance(file, str) else None
    shape_of(kind)
    return gather(kind, given or {}, project.settings.get("renames", {}) if project else {}, classes.passes, classes.find_any)


def _initial(obj: Any) -> object:
    if not isinstance(obj, type):
        return obj
    try:
        inspect.signature(obj).bind()
    except TypeError as error:
        raise UsageError(
            f"{obj.__qualname__} cannot be made without arguments ({error}): pass an instance, init_system({obj.__name__}(...))."
        ) from error
    except ValueError:
        pass  # no signature to ask
    if inspect.isabstract(obj) or getattr(obj, "_is_protocol", False):
        raise UsageError(f"{obj.__qualname__} is abstract: pass a class that can be instantiated, or an instance.")
    made = obj()
    if type(made) is not obj:
        what = f"{obj.__qualname__}() makes a {type(made).__module__}.{type(made).__qualname__}, which is another class"
        raise UsageError(f"{what}. Pass that one, or an instance. Nothing was changed.")
    return made


def adopt(root: object, kind: type, moment: Moment) -> None:
    """Give a loaded domain object its clock and random numbers, unless its class has no room for them or defines them itself."""
    if type(root) is not kind:
        what = f"The directory holds a {type(root).__module__}.{type(root).__qualname__}, not a {kind.__module__}.{kind.__qualname__}. Nothing was changed."
        raise UsageError(f"{what} Open it with that class, or choose another directory.")
    equip(root, moment)


def _let_go(system: System, patience: float = PATIENCE) -> None:
    """Nobody holds the proxy any more, or ever did, or the interpreter ends: close.

    On a thread of its own: a finalizer may run anywhere, also inside of an action of another system, or while this thread leads a batch; and
    another interrupt does not leave it half closed.
    """
    ended = allocate_lock()
    ended.acquire()
    try:
        start_new_thread(_close, (system, ended))
    except RuntimeError:  # the interpreter ends: no new threads
        _close(system, ended)
    ended.acquire(timeout=patience)


def _close(system: System, ended: LockType) -> None:
    try:
        system.close()
    except CoopyError as error:
        log.warning("%s was not closed: %s", system.archive.directory, error)
    finally:
        ended.release()
