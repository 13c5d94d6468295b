"""The state as it was behind one action, in memory of its own: it answers queries, beside the system that goes on.

It is restored from the snapshots and the journal that are kept, by the same restorer and executor, with nothing locked and nothing written. Its
time stands still: inside of its queries the clock gives the time of that action. `lock` guards the domain object; `close` empties it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NoReturn

from coopy.clock import offset_minutes, running
from coopy.digest import digest
from coopy.disk import UnreadableError
from coopy.engine.execute import PLAIN
from coopy.engine.opening import told, unreadable
from coopy.engine.reading import ReadingRestorer, unpruned
from coopy.engine.restore import Bounds
from coopy.engine.uninterrupted import Worker
from coopy.error import ClosedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.clock import Moment
    from coopy.engine.execute import Executor
    from coopy.engine.history import History

__all__ = ["Past", "PastEngine", "look_back"]


class PastEngine:
    """What a proxy of a past state leads to: queries run, everything else is refused."""

    short_way = False

    def __init__(self, executor: Executor, lsn: int) -> None:
        self.common: dict[str, Any] = {}  # queries have no short way
        self.executor, self.lsn = executor, lsn
        self.lock = threading.RLock()
        self.closed = False

    def call(self, method: str, _args: tuple[object, ...], _kwargs: dict[str, object]) -> NoReturn:
        """Raises UsageError."""
        self.check_writable(f"{method}()")

    call_beside = call

    def check_writable(self, what: str) -> NoReturn:
        """Raises UsageError."""
        self._refuse_nested()
        where = f"{what} changes the state, and this is the state as it was at LSN {self.lsn}: nothing was recorded."
        raise UsageError(f"{where} Call it on the system itself.", lsn=self.lsn)

    def make_anew(self) -> NoReturn:
        """Raises UsageError: nobody sets anything here."""
        self.check_writable("Setting an attribute")

    def read(self, function: Callable[..., object], /, *args: object, **kwargs: object) -> Any:
        """Execute a query at the time of the action, with nothing of its caller's context. Raises ClosedError."""
        self._refuse_nested()
        with self.lock:
            if self.closed:
                raise ClosedError(f"The state as it was at LSN {self.lsn} was closed: ask for it again by at({self.lsn}).")
            return self.executor.context.copy().run(self._read, function, args, kwargs)

    read_beside = read

    def _refuse_nested(self) -> None:
        """An action that uses it is to be undone, even if it swallows this error."""
        now = running()
        if now is not None:
            now.tainted = True
            raise UsageError(
                "A past state was used inside of an action, or of a query of its own: a restart has none to use.", lsn=self.lsn
            )

    def _read(self, function: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object]) -> object:
        result = function(*args, **kwargs)
        return result if type(result) in PLAIN else self.executor.settle(result)


class Past:
    """A past state as a whole. `history`: of the system, up to there; `adopt`, `on_divergence`: as the system restores."""

    def __init__(self, history: History, executor: Executor, adopt: Callable[[object, Moment], None], on_divergence: str) -> None:
        self.history, self.adopt, self.on_divergence = history, adopt, on_divergence
        self.engine = PastEngine(executor, history.last)

    def digest(self) -> str:
        """The digest of the state as it was."""
        text: str = self.engine.read(digest, self.engine.executor.root)
        return text

    def close(self) -> None:
        """Let its memory go, whoever still holds the proxy. Again: nothing."""
        with self.engine.lock:
            if not self.engine.closed:
                self.engine.closed = True
                self.history.codec.empty(self.engine.executor.root)


def look_back(directory: str, ask: Callable[[], History], lsn: int, adopt: Callable[[object, Moment], None], on_divergence: str) -> Past:
    """The state behind an action. Raises UsageError where it cannot be made from what is kept, and what a restore raises."""
    with told(directory, done="read", again="ask again"):
        return unpruned(directory, lambda: _looked_back(ask(), lsn, adopt, on_divergence))


def _looked_back(history: History, lsn: int, adopt: Callable[[object, Moment], None], on_divergence: str) -> Past:
    history.check_state(lsn)
    return _restored(history, lsn, adopt, on_divergence)


def _restored(history: History, lsn: int, adopt: Callable[[object, Moment], None], on_divergence: str) -> Past:
    archive, said = history.archive, history.said
    restorer = ReadingRestorer(archive, history.codec, adopt, on_divergence)
    bounds = Bounds(lsn, frozenset(said.skipped), said.raised, min(said.known, lsn))
    try:
        replayed = Worker().run(lambda: restorer.restore(bounds), restorer.cancel)
    except UnreadableError as error:
        raise unreadable(archive, error) from error
    executor = restorer.executor
    assert executor is not None
    if replayed.base.lsn == lsn:  # a snapshot says when, not where
        executor.moment.utc_offset = offset_minutes(executor.moment.time_us)
    executor.moment.lsn = lsn
    return Past(history.until(lsn), executor, adopt, on_divergence)
