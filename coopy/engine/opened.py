"""From a directory to a running system: its state, from its own files or from elsewhere, an engine that suits its part, and all of it together.

Whose directory is opened as what is judged here, before anything of it is changed. What is done with files, opening.py says.
"""

from __future__ import annotations

import io
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import msgspec

from coopy.codec import ENDLESS, Codec, why
from coopy.engine.commit import SharedEngine
from coopy.engine.common import common_names
from coopy.engine.confirmed import ConfirmedEngine
from coopy.engine.engine import Engine
from coopy.engine.execute import Executor
from coopy.engine.opening import Place, create, open_archive, open_journal, restore_all, told
from coopy.engine.prune import sweep
from coopy.engine.restore import Replayed, Restorer
from coopy.engine.restored import Restored, restored
from coopy.engine.system import Origin, Settings, System
from coopy.error import CorruptionError, NotSerializableError, UsageError
from coopy.logs import logger
from coopy.manifest import NAME as MANIFEST
from coopy.manifest import read_manifest

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.clock import Moment
    from coopy.disk import Lock
    from coopy.engine.archive import Archive

__all__ = ["open_system"]

log = logger()


def open_system(  # noqa: PLR0913 - what it is opened with, and who hears of it
    place: Place,
    initial: Callable[[], object],
    adopt: Callable[[object, Moment], None],
    packages: tuple[str, ...],
    settings: Settings,
    origin: Origin | None = None,
    made: list[System] | None = None,
) -> System:
    """Open the system in a directory, or create it with the state that `initial()` gives. `adopt(root, moment)` completes a loaded domain object.

    With an `origin` it is a replica, whose engine follows, or a node: its state comes from there. `initial` is called where nothing has begun yet.
    `made` has the system as soon as it runs: whoever is interrupted before it has the result closes what is there.

    Raises what is wrong with the directory, the state or the settings; then nothing is locked and nothing was changed.
    """
    codec, disk = Codec(packages, settings.allow, place.names), place.disk
    with told(place.directory):
        begun = disk.exists(place.path(MANIFEST))
    state = None if begun or origin is not None else _dump(codec, initial)
    with ExitStack() as undo:
        with told(place.directory):
            if not disk.exists(place.directory):
                disk.make_directories(place.directory)
            disk.check_directory(place.directory)
            lock = disk.lock(place.directory)
            undo.callback(lock.release)
            archive = open_archive(place)
        if archive is None and origin is not None:
            archive = _fetched(place, codec, initial, origin)
        elif archive is None:
            _refuse_half_replaced(place)
            state = state or _dump(codec, initial)
            with told(place.directory):
                create(place, state, settings.compression)
                archive = open_archive(place)
        assert archive is not None
        _check_whose(archive, origin)
        restorer, replayed, found = _restored(archive, codec, lock, place, settings, adopt)
        if origin is not None and _is_left_behind(restorer, origin):
            archive = _fetched(place, codec, initial, origin)
            restorer, replayed, found = _restored(archive, codec, lock, place, settings, adopt)
            log.warning(
                "%s: what it held is in quarantine/, for what follows on it is gone. It goes on with a snapshot of others'.",
                place.directory,
            )
        sweep(archive)
        engine = _make_engine(archive, restorer, replayed, settings, origin)
        undo.callback(engine.journal.release)
        system = System(archive, restorer, engine, lock, settings)
        system.restored = msgspec.structs.replace(found, torn=replayed.torn)
        engine.memory, engine.common, engine.name = system, common_names(engine), place.directory
        if made is not None:
            made.append(system)
        undo.pop_all()
        log.info("%s: %s", place.directory, system.restored)
    return system


def _fetched(place: Place, codec: Codec, initial: Callable[[], object], origin: Origin) -> Archive:
    """The directory with a state from elsewhere."""
    with told(place.directory):
        origin.fetch(place, lambda beside: _dump(codec, initial, beside))
        archive = open_archive(place)
    assert archive is not None
    return archive


def _restorer(archive: Archive, codec: Codec, lock: Lock, place: Place, settings: Settings) -> Restorer:
    secret, old = archive.identity.secret, place.names.methods
    restorer = Restorer(archive, codec, lock.cells, lambda root: Executor(root, secret, settings.free, old), settings.on_divergence)
    restorer.on_progress = settings.on_progress
    return restorer


def _restored(
    archive: Archive, codec: Codec, lock: Lock, place: Place, settings: Settings, adopt: Callable[[object, Moment], None]
) -> tuple[Restorer, Replayed, Restored]:
    archive.source = settings.source
    restorer = _restorer(archive, codec, lock, place, settings)
    restorer.adopt = adopt
    begun = time.monotonic()
    replayed = restore_all(restorer, lock)
    restorer.on_progress = None
    return restorer, replayed, restored(archive, restorer, replayed, time.monotonic() - begun)


def _is_left_behind(restorer: Restorer, origin: Origin) -> bool:
    """Whether a node's directory needs another state: what follows on its own is gone."""
    progress = restorer.executor.keys.progress if restorer.executor is not None else None
    return origin.left_behind is not None and progress is not None and origin.left_behind(restorer.archive.identity.system, progress.last)


def _refuse_half_replaced(place: Place) -> None:
    """A replica's state goes to quarantine before a snapshot takes its place. Where that was cut off, nothing new may begin there; nor with a node's."""
    begun = read_manifest(place.disk, place.directory, place.key)
    if begun is not None and begun.stream:
        what = f"{place.directory} was about to become the directory of a node, of the cluster whose stream is {begun.stream}. Nothing was changed"
        raise UsageError(f"{what}. Open it with cluster=...: it goes on; or choose another directory.", path=place.directory)
    if begun is not None and begun.follows:
        what = f"{place.directory} is the directory of a replica whose state was being replaced by its primary's. Nothing was changed"
        raise UsageError(f"{what}. Open it with replication=True: it goes on; what it had is in quarantine/.", path=place.directory)


def _check_whose(archive: Archive, origin: Origin | None) -> None:
    """Raises UsageError where a directory is opened as something that it is not."""
    directory, manifest, stream = archive.directory, archive.manifest, origin.stream if origin is not None else ""
    if manifest.follows and (origin is None or stream):
        what = (
            f"{directory} is the directory of a replica, or of a primary that was fenced: actions of its own would make it another history"
        )
        raise UsageError(
            f"{what}. Nothing was changed. Open it with replication=True, and promote it there: control(replica).promote().", path=directory
        )
    if manifest.stream == stream:
        return
    if manifest.stream:
        what = f"{directory} is a node's directory, of the cluster whose stream is {manifest.stream}. Nothing was changed"
        raise UsageError(f"{what}. Open it with cluster=... and the name that it had, or choose another directory.", path=directory)
    what = f"{directory} holds a system of its own, which is no node's. Nothing was changed"
    raise UsageError(f"{what}. Choose an empty directory for the node: it takes its state from the cluster.", path=directory)


def _make_engine(archive: Archive, restorer: Restorer, replayed: Replayed, settings: Settings, origin: Origin | None) -> Engine:
    """The engine, with the journal open where it ends. A replica's syncs what it copies; the order of a node's makes its actions durable."""
    executor, codec, buffered = restorer.executor, restorer.codec, settings.durability == "buffered"
    assert executor is not None
    with told(archive.directory):
        if origin is not None and origin.stream:
            from coopy.engine.ordered import OrderedEngine

            ordered = OrderedEngine(
                executor, open_journal(archive, replayed, segment_bytes=settings.segment_bytes, mapped=True), codec, time.time_ns
            )
            assert executor.keys.progress is not None
            ordered.begin(executor.keys.progress)
            return ordered
        if origin is None:
            journal = open_journal(archive, replayed, segment_bytes=settings.segment_bytes, mapped=buffered)
            kind = Engine if buffered else ConfirmedEngine if settings.confirmed else SharedEngine
            return kind(executor, journal, codec, time.time_ns)
        from coopy.engine.following import FollowingEngine, open_copied_journal

        following = FollowingEngine(executor, open_copied_journal(archive, replayed, settings.segment_bytes), codec, time.time_ns)
    following.begin(origin.primary, archive, restorer, replayed.base.lsn)
    return following


def _dump(codec: Codec, initial: Callable[[], object], beside: object = None) -> bytes:
    """The initial state as snapshot 0 holds it. Raises NotSerializableError for what could not be read back, UsageError for what cannot be copied."""
    root = initial()
    data = codec.dump_state(root, beside)
    try:
        copy, _ = codec.load_state(io.BytesIO(data))
    except CorruptionError as error:
        reason = why(error.__cause__ or error)
        what = f"The state of {type(root).__qualname__} could not be read back, so nothing was created: {reason}"
        remedy = "" if reason == ENDLESS else " Objects are made anew by __new__ with what __getnewargs__ says."
        raise NotSerializableError(what + remedy, method="", where="the state") from error
    if copy is root:
        what = f"{type(root).__qualname__}.__new__ gives the same object again, but the system must run on a copy of its own. Nothing was created."
        raise UsageError(f"{what} Let __new__ make a new object.")
    return data
