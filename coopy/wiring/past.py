"""A past state: its proxy, and what can be done with it beside asking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from coopy.engine.past import look_back
from coopy.error import UsageError
from coopy.proxy import make_proxy
from coopy.wiring.systems import register_past

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.clock import Moment
    from coopy.engine.history import History
    from coopy.engine.past import Past

__all__ = ["PastOperations", "past_proxy"]


class PastOperations:
    """What the proxy of a past state offers beside the domain's own names."""

    def __init__(self, past: Past) -> None:
        self._past = past

    def take_snapshot(self) -> NoReturn:
        """Raises UsageError."""
        self.refuse()

    def close(self) -> None:
        """Let the memory of it go."""
        self._past.close()

    def basedir_abspath(self) -> list[str]:
        """The absolute path of the system's directory, in a list."""
        return [self._past.history.archive.directory]

    def refuse(self) -> NoReturn:
        """Raises UsageError: it is not a running system."""
        lsn = self._past.history.last
        what = f"This is the state as it was at LSN {lsn}, not a running system: it has lsn, digest(), changes(), at() and close()."
        raise UsageError(f"{what} Ask the system itself.", lsn=lsn)


def past_proxy(directory: str, ask: Callable[[], History], lsn: int, adopt: Callable[[object, Moment], None], on_divergence: str) -> Any:
    """The proxy of the state behind an action. Raises as `look_back` says."""
    past = look_back(directory, ask, lsn, adopt, on_divergence)
    proxy = make_proxy(past.engine, PastOperations(past))
    register_past(proxy, past)
    return proxy
