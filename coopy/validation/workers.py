"""Worker processes that parse what the cache does not know, ahead of who asks: the linker follows calls meanwhile, and waits for a file it needs.

    who asks                    a thread for each worker            worker
    result(path): waits         hands out shares of files,     <->  parses them
    until it is there           takes in what comes back

Results do not depend on the number of workers, nor on who is faster: who asks for a file gets its summary, whenever it came. A file that ends
its worker is a problem that names it, and the others are parsed all the same.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections import deque
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any, Self

from coopy.validation import summary as s
from coopy.validation.ahead import in_order
from coopy.validation.cache import Cache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from multiprocessing.connection import Connection

    from coopy.validation.source import Sources

WORTHWHILE = 300_000  # bytes; less is parsed sooner than a process starts
SHARE = 8  # files that a worker takes at once
LARGE = 15_000  # bytes, with which a share is full: who waits for a file waits for two shares before it
AHEAD = 2  # shares that a worker has, one to go on with while what it made of the other is taken in
KINDER = 5  # how much a worker yields to the process that links: all wait for that one in the end


@contextmanager
def parsed_ahead(sources: Sources, jobs: int, domains: Iterable[str], progress: Callable[[int, int], None]) -> Iterator[None]:
    """Meanwhile as many processes as `jobs` says (0: as many as there are processors) parse, first what `domains` need.

    Afterwards every file has a summary or a problem. One process, or little to parse: all is parsed before.
    """
    missing = [path for path in sources.files if not sources.cached(path)]
    jobs = min(jobs or len(os.sched_getaffinity(0)), len(missing) // SHARE)
    if jobs < 2 or sum(map(sources.size, missing)) <= WORTHWHILE:  # noqa: PLR2004 - one is this one
        for done, path in enumerate(sources.files, 1):
            sources.summary(path)
            progress(done, len(sources.files))
        yield
        return
    with _Crew(sources, missing, jobs, progress) as crew:
        crew.hand_out(in_order(sources, missing, domains))
        yield
        for path in sources.files:
            sources.summary(path)


class _Worker:
    """A process and this end of its pipe."""

    def __init__(self, context: Any, folder: str | None, inherited: Iterable[_Worker]) -> None:
        self.pipe, theirs = context.Pipe()
        forked = context.get_start_method() == "fork"
        if not forked:
            resource_tracker.ensure_running()  # which lets interrupts through when it begins: not below
        held = [self.pipe, *(one.pipe for one in inherited)] if forked else []
        self.process = context.Process(target=_work, args=(folder, theirs, held), daemon=True)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # until the worker ignores it
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()

    def ask(self, paths: list[str]) -> None:
        """Hand it a share."""
        self.pipe.send(paths)

    def answer(self) -> tuple[list[tuple[str, bytes]], list[str]]:
        """What it made of the first share that is not answered. Raises EOFError if it has ended, and what it raised."""
        answer = self.pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]

    def end(self) -> None:
        """End it, whatever it does."""
        self.process.terminate()
        self.process.join()
        self.pipe.close()


class _Crew:
    """The workers, as long as it is entered. Its lock guards what is left, what came back, and which workers there are."""

    def __init__(self, sources: Sources, paths: list[str], jobs: int, progress: Callable[[int, int], None]) -> None:
        self._sources, self._progress = sources, progress
        self._folder = None if sources.cache.folder is None else str(sources.cache.folder.parent)
        self._changed = threading.Condition()
        self._awaited = set(paths)
        self._left: set[str] = set()  # not handed out yet
        self._queue: deque[str] = deque()  # those, in order, and perhaps others
        self._results: dict[str, s.Problem | bytes] = {}
        self._notes: set[str] = set()
        self._failure: Exception | None = None
        self._closed = False
        safe = threading.active_count() == 1 and "fork" in multiprocessing.get_all_start_methods()
        context = multiprocessing.get_context("fork" if safe else "spawn")
        self._workers: list[_Worker] = []
        for _ in range(jobs):
            self._workers.append(_Worker(context, self._folder, self._workers))
        self._threads = [threading.Thread(target=self._serve, args=(one,), daemon=True) for one in self._workers]

    def __enter__(self) -> Self:
        self._sources.parse = self.result
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._sources.parse = self._sources.cache.summary
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            for one in self._workers:
                one.process.terminate()
        for thread in self._threads:
            thread.join()
        known = self._sources.cache.notes
        known += sorted(self._notes.difference(known))
        self._progress(len(self._sources.files), len(self._sources.files))  # also where it was not: a bar ends

    def hand_out(self, paths: list[str]) -> None:
        """From now on they are parsed, in this order."""
        with self._changed:
            self._queue.extend(paths)
            self._left.update(paths)
            self._changed.notify_all()

    def result(self, path: str) -> s.Module | s.Problem:
        """The summary or the problem of a file, as soon as it is there; it is parsed next if none has begun it."""
        if path not in self._awaited:
            return self._sources.cache.summary(path)
        with self._changed:
            if path in self._left:
                self._queue.appendleft(path)
            self._tell()
            while path not in self._results and self._failure is None:
                self._changed.wait()
                self._tell()
            if self._failure is not None:
                raise self._failure
            self._awaited.discard(path)
            found = self._results.pop(path)
        return s.decode_result(found) if isinstance(found, bytes) else found

    def _tell(self) -> None:
        count = len(self._sources.files)
        self._progress(count - len(self._awaited) + len(self._results), count)

    # in the thread of a worker

    def _serve(self, worker: _Worker | None) -> None:
        try:
            while worker is not None:
                worker = self._feed(worker)
        except Exception as error:  # noqa: BLE001 - raised again by who asks
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _feed(self, worker: _Worker) -> _Worker | None:
        """Hand out shares, and take in what comes of them, until all ends; or until this worker does: the one in its place."""
        given: deque[list[str]] = deque()
        try:
            while self._fill(worker, given):
                self._take(*worker.answer())
                given.popleft()
        except (EOFError, OSError):
            return self._one_by_one(worker, given)
        worker.end()
        return None

    def _fill(self, worker: _Worker, given: deque[list[str]]) -> bool:
        """Hand out as many shares as a worker should have; False if all has ended."""
        with self._changed:
            self._changed.wait_for(lambda: given or self._left or self._closed)
            if self._closed:
                return False
            new = [self._share() for _ in range(AHEAD - len(given)) if self._left]
        given.extend(new)
        for one in new:
            worker.ask(one)
        return True

    def _share(self) -> list[str]:
        """The next files, together not too much for who waits for one of them."""
        share: list[str] = []
        size = 0
        while self._left and len(share) < SHARE and size < LARGE:
            path = self._queue.popleft()
            if path in self._left:
                self._left.discard(path)
                share.append(path)
                size += self._sources.size(path)
        return share

    def _take(self, results: list[tuple[str, bytes]], notes: list[str]) -> None:
        with self._changed:
            self._results.update(results)
            self._notes.update(notes)
            self._changed.notify_all()

    def _one_by_one(self, ended: _Worker, given: deque[list[str]]) -> _Worker | None:
        """A file has ended its worker: each of the share is parsed by a worker that is lost with nothing else; others are left for later."""
        suspected, *others = given
        with self._changed:
            for path in (path for share in others for path in share):
                self._left.add(path)
                self._queue.appendleft(path)
            self._changed.notify_all()
        worker = self._instead(ended)
        for path in suspected:
            if worker is None:
                return None
            try:
                worker.ask([path])
                self._take(*worker.answer())
            except (EOFError, OSError):
                with self._changed:
                    self._results[path] = s.Problem(path, 1, 1, "it ended the process that parsed it")
                    self._changed.notify_all()
                worker = self._instead(worker)
        return worker

    def _instead(self, ended: _Worker) -> _Worker | None:
        """A worker in the place of one that has ended; none if that was because all has."""
        ended.end()
        with self._changed:
            if self._closed:
                return None
            self._workers.remove(ended)
            self._workers.append(_Worker(multiprocessing.get_context("spawn"), self._folder, ()))
            return self._workers[-1]


def _work(folder: str | None, pipe: Connection, inherited: list[Connection]) -> None:
    """The life of a worker: it ends with the process that started it, whose interrupts are not its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for one in inherited:
        one.close()
    os.nice(KINDER)
    from coopy.validation import extract  # noqa: F401 - while the other process looks which files come first

    cache = Cache(folder)
    while True:
        try:
            paths = pipe.recv()
        except EOFError:
            return
        pipe.send(_parse(cache, paths))


def _parse(cache: Cache, paths: list[str]) -> Any:
    """The encoded summary or problem of each file, and what the cache had to say; what was raised if something was."""
    try:
        return [(path, s.encode_result(cache.summary(path))) for path in paths], cache.notes
    except Exception as error:  # noqa: BLE001 - raised again in the process that asked
        error.add_note(traceback.format_exc())
        return error
