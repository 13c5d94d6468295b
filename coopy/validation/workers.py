"""Worker processes that parse: files that the cache does not know are shared out, and come back as summaries or problems.

A file that ends its worker is a problem that names it, and the others are parsed all the same. Results do not depend on the number of
workers: they are taken in by path.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from coopy.validation import summary as s
from coopy.validation.cache import Cache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from coopy.validation.source import Sources

WORTHWHILE = 300_000  # bytes; less is parsed sooner than a process starts
SHARE = 8  # files that a worker takes at once


def load(sources: Sources, jobs: int, progress: Callable[[int, int], None]) -> None:
    """Summaries of all files, by as many processes as `jobs` says (0: as many as there are processors)."""
    missing = [path for path in sources.files if not sources.cached(path)]
    jobs = min(jobs or len(os.sched_getaffinity(0)), len(missing) // SHARE)
    done = len(sources.files) - len(missing)
    if jobs > 1 and sum(sources.size(path) for path in missing) > WORTHWHILE:
        shares = [missing[start : start + SHARE] for start in range(0, len(missing), SHARE)]
        for share in _parallel(sources, shares, jobs):
            done += len(share)
            progress(done, len(sources.files))
    for path in missing:
        sources.summary(path)
        done += 1
        progress(min(done, len(sources.files)), len(sources.files))


def _parallel(sources: Sources, shares: list[list[str]], jobs: int) -> Iterable[list[str]]:
    """Parse shares of files; those of a pool that broke are left to be parsed one by one."""
    safe = threading.active_count() == 1 and "fork" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("fork" if safe else "spawn")
    folder = None if sources.cache.folder is None else str(sources.cache.folder.parent)
    left: list[list[str]] = []
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        waiting = [(share, pool.submit(parse, folder, share)) for share in shares]
        for share, future in waiting:
            try:
                _take(sources, future.result())
            except BrokenProcessPool:
                left.append(share)
            else:
                yield share
    for path in (path for share in left for path in share):
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            try:
                _take(sources, pool.submit(parse, folder, [path]).result())
            except BrokenProcessPool:
                sources.take(path, s.Problem(path, 1, 1, "it ended the process that parsed it"))
        yield [path]


def _take(sources: Sources, results: tuple[list[tuple[str, bytes]], list[str]]) -> None:
    for path, data in results[0]:
        sources.take(path, s.decode_result(data))
    sources.cache.notes += [note for note in results[1] if note not in sources.cache.notes]


def parse(folder: str | None, paths: list[str]) -> tuple[list[tuple[str, bytes]], list[str]]:
    """In a worker: the encoded summary or problem of each file, and what the cache had to say."""
    cache = Cache(folder)
    return [(path, s.encode_result(cache.summary(path))) for path in paths], cache.notes
