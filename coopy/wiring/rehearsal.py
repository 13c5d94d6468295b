"""Would today's code open this directory? The opening is tried in a fresh process that loads the code as it lies on disk, and nothing is written.

    here      name the class, start the process, hand on what it says
    there     class -> validator -> names -> what is kept -> restore as an opening would -> is the state to be stored again

It reads beside whoever writes the directory. Outcomes that differ are collected where an opening would stop, so that all are seen at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from coopy.codec import Codec
from coopy.digest import digest
from coopy.disk import RealDisk
from coopy.engine.archive import high_water_of
from coopy.engine.opening import Place, domain_name, prove_end
from coopy.engine.reading import ReadingRestorer, unpruned
from coopy.engine.recorded import existing
from coopy.engine.restore import Bounds
from coopy.engine.restored import changed_code, former_until
from coopy.engine.uninterrupted import Worker
from coopy.engine.unlisted import as_opened
from coopy.error import CoopyError, CorruptionError, UsageError
from coopy.fingerprint import fingerprint
from coopy.fresh import Fresh, Surroundings, pack, unpack
from coopy.header import derive_key
from coopy.proxy import check_class
from coopy.wiring.opening import adopt, directory_of, names_of, packages_of
from coopy.wiring.options import Options, check_options
from coopy.wiring.subject import Subject

if TYPE_CHECKING:
    import os

    from coopy.engine.archive import Archive
    from coopy.engine.restore import Replayed

__all__ = ["Divergence", "Rehearsal", "rehearse", "rehearse_there"]

SHOWN = 5  # divergences in a text
KEPT = 1000  # and in a report


class Divergence(msgspec.Struct, frozen=True):
    """An action that ends otherwise than it did."""

    lsn: int
    method: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"LSN {self.lsn}: {self.method}() was expected to {self.expected}, but it {self.got}"


class Rehearsal(msgspec.Struct, frozen=True):
    """What an opening with today's code would come to. `safe` says whether it would be as if nothing had changed; `str()` tells all.

    `base`, `lsn`: the snapshot it begins with and the last action; `passed_over`: what is wrong with newer snapshots;
    `problem`: what would stop it, whatever the options, empty if nothing would;
    `divergences`: the first thousand actions that end otherwise than was recorded, which stop an opening with on_divergence="stop";
    `compared`: the LSNs whose state could be compared with a digest in the journal, up to the first that `differs` (0: none does);
    `translated`: whether that digest is of former names or shapes, so that the state is meant to differ; `changed`: as in `control(x).restored`.
    """

    directory: str
    domain: str
    base: int = 0
    lsn: int = 0
    seconds: float = 0.0
    problem: str = ""
    divergences: tuple[Divergence, ...] = ()
    compared: tuple[int, ...] = ()
    differs: int = 0
    translated: bool = False
    changed: tuple[str, ...] | None = None
    passed_over: tuple[str, ...] = ()

    @property
    def safe(self) -> bool:
        """Whether an opening would succeed and give what the recorded run gave."""
        return not self.problem and not self.divergences and (not self.differs or self.translated)

    def __str__(self) -> str:
        lines = [f"{self.directory} can {'' if self.safe else 'NOT '}be opened safely with {self.domain} as it is today."]
        lines.append(f"Replayed {max(self.lsn - self.base, 0)} actions behind the snapshot at LSN {self.base} in {self.seconds:.2f} s.")
        if self.changed is not None:
            lines.append(f"Code changed since the last opening: {', '.join(self.changed) or 'none'}.")
        lines += [f"A damaged snapshot is passed over: {one}" for one in self.passed_over]
        if self.problem:
            lines.append(self.problem)
        lines += map(str, self.divergences[:SHOWN])
        if len(self.divergences) > SHOWN:
            lines.append(f"... and {len(self.divergences) - SHOWN} more.")
        if self.differs:
            why = "as it may where shapes have changed" if self.translated else "the code does otherwise than it did"
            lines.append(f"The state after LSN {self.differs} is not the recorded one: {why}.")
        elif self.compared:
            lines.append(f"The state is the recorded one at LSN {', '.join(map(str, self.compared))}.")
        if self.divergences or (self.differs and not self.translated):
            lines.append("The way out: open it with the code that wrote it, take a snapshot, then go on with the new code.")
        return "\n".join(lines)


class Task(msgspec.Struct, frozen=True):
    """What is rehearsed, with today's class, and the options that matter."""

    subject: Subject
    renames: dict[str, str]
    validation: str


# --- here ------------------------------------------------------------------------------------------------------------


def rehearse(
    basedir: str | os.PathLike[str],
    domain: type | str,
    *,
    allow: Iterable[str] = (),
    renames: Mapping[str, str] | None = None,
    signing_key: bytes | None = None,
    validation: Literal["strict", "off"] = "strict",
) -> Rehearsal:
    """Try to open a directory with the code that lies on disk now, before it is opened for writing. Changes nothing.

    `basedir`: of a system that is closed, or open in any process. `domain`: today's class, or its name "module:Class"; it is loaded anew in a
    process of its own, so that it need not be the code that runs here. The options are those of `init_system`.

    Raises UsageError for a directory that holds no system, a class that cannot be found there, and for wrong options; CorruptionError, FormatError
    and AuthenticationError where the directory cannot be read at all. What else would stop an opening is in what it gives.
    """
    options = Options(allow=allow, signing_key=signing_key, renames=renames, validation=validation)
    allowed, name = check_options(options), domain_name(domain) if isinstance(domain, type) else str(domain)
    if name.count(":") != 1 or not all(part.isidentifier() for part in name.replace(":", ".").split(".")):
        raise UsageError(
            f'domain={domain!r} is not possible: it is a class that can be imported, or its name "module:Class".', option="domain"
        )
    if renames is not None and not isinstance(renames, Mapping):
        raise UsageError(f"renames={renames!r} is not possible: it maps old names to today's.", option="renames")
    subject = Subject(directory_of(basedir), name, derive_key(signing_key), allowed)
    task = pack(Task(subject, dict(renames or {}), validation))
    try:
        found = [*Fresh(f"{__name__}:rehearse_there", task, Surroundings(), script=subject.in_script)]
    except OSError as error:
        what = f"The process that was to rehearse {subject.directory} could not be started: {error}. Nothing was changed."
        raise UsageError(f"{what} Make that possible, and try it again.", path=subject.directory) from error
    return unpack(found[-1], Rehearsal)


# --- there -----------------------------------------------------------------------------------------------------------


def rehearse_there(task: bytes, tell: Callable[[bytes], object]) -> None:
    """Do a Task, and tell its Rehearsal."""
    wanted = unpack(task, Task)
    kind = _class_of(wanted.subject.domain)
    tell(pack(unpruned(wanted.subject.directory, lambda: _rehearsed(wanted, kind))))


def _class_of(domain: str) -> type:
    module, _, name = domain.partition(":")
    try:
        kind: type = Codec((module.partition(".")[0],)).classes.find_any(module, name)
    except Exception as error:
        reason = error.__cause__ or error
        what = f"The class {domain} cannot be had in a fresh process: {type(reason).__name__}: {str(reason).removesuffix('.')}"
        raise UsageError(f"{what}. Nothing was changed.", option="domain") from error
    return kind


def _rehearsed(wanted: Task, kind: type) -> Rehearsal:
    """Before the directory is looked at, what is wrong with the code alone."""
    subject, problem = wanted.subject, ""
    codec = Codec(packages_of(kind), subject.allow)
    try:
        check_class(kind)
        if wanted.validation != "off":
            from coopy.validation.wrap import check

            check(kind, "strict", subject.allow, level=1)
        codec = Codec(packages_of(kind), subject.allow, names_of(kind, wanted.renames, codec.classes))
    except CoopyError as error:
        problem = str(error)
    archive = existing(Place(RealDisk(), subject.directory, subject.key, "" if problem else subject.domain, codec.names), "rehearse")
    archive.source = fingerprint(kind, codec.classes.passes)
    changed = changed_code(archive.manifest.code, archive.source)
    report = Rehearsal(subject.directory, subject.domain, problem=problem, changed=changed)
    if problem:
        return report
    try:
        archive = as_opened(archive)
    except CorruptionError as error:
        return msgspec.structs.replace(report, problem=str(error), lsn=error.lsn)
    return _Stage(archive, codec, kind, report).perform()


class _Stage(ReadingRestorer):
    """A restore that goes on where outcomes differ, and takes notes."""

    def __init__(self, archive: Archive, codec: Codec, kind: type, report: Rehearsal) -> None:
        super().__init__(archive, codec, lambda root, moment: adopt(root, kind, moment), "warn")
        self.report = report
        self._noted: dict[int, Divergence] = {}
        self._recorded = archive.digests(archive.from_snapshot(archive.manifest.snapshots[-1]))
        self._seen: dict[int, str] = {}
        self.visit = self._look

    def perform(self) -> Rehearsal:
        """Restore as an opening would; what came out."""
        begun_at, proven = time.monotonic(), high_water_of(self.archive)  # before the segments are read, to which somebody may be adding
        values: dict[str, Any] = {"base": self.archive.manifest.snapshots[-1]}
        try:
            replayed: Replayed = Worker().run(lambda: self.restore(Bounds(marks=tuple(sorted(self._recorded)))), self.cancel)
            assert replayed.found is not None
            assert replayed.segment is not None
            assert self.executor is not None
            values.update(base=replayed.base.lsn, lsn=replayed.found.head.lsn)
            prove_end(self.archive, replayed.segment, replayed.found, proven)
            # A system that cannot take a snapshot any more is not well.
            self.codec.store_state(self.executor.root, self.executor.keys.values(), lambda dump: dump(len))
        except CoopyError as error:
            values.update(problem=str(error), lsn=getattr(error, "lsn", 0))
        former = former_until(self.archive, self.codec.classes)
        differ = sorted((lsn <= former, lsn) for lsn, found in self._seen.items() if found != self._recorded[lsn])
        translated, wrong = differ[0] if differ else (False, 0)  # one of today's says more
        compared = tuple(lsn for lsn in sorted(self._seen) if not wrong or lsn <= wrong)
        return msgspec.structs.replace(
            self.report, seconds=time.monotonic() - begun_at, divergences=tuple(self._noted[lsn] for lsn in sorted(self._noted)),
            compared=compared, differs=wrong, translated=translated, passed_over=tuple(self.passed_over), **values,
        )  # fmt: skip

    def diverged(self, lsn: int, method: str, expected: str, got: str) -> None:
        """As Restorer.diverged; nothing stops."""
        if len(self._noted) < KEPT:
            self._noted[lsn] = Divergence(lsn, method, expected, got)

    def _look(self, lsn: int, root: object) -> None:
        self._seen[lsn] = digest(root)
