"""What a node says beside its calls, until it has heard it itself: what came behind the seal of a stream was never said, and is said again in the next.

All of it belongs to the link's thread, but for `heard` and `check`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.error import ClusterError
from coopy.logs import logger

if TYPE_CHECKING:
    from coopy.cluster.beginnings import Beginnings

__all__ = ["Saying"]

log = logger("cluster")


class Saying:
    """Of one opening of a node."""

    def __init__(self, here: Beginnings) -> None:
        self._stream = here.stream
        self._unheard = dict[str, tuple[str, bytes]]()
        self._unsaid = dict[str, ClusterError]()  # why what came behind a seal could not be said again

    async def say(self, what: str, data: bytes, tag: str) -> None:
        """Put a message of one kind into the stream that is taken from. `tag`: its own. Raises ClusterError where that is not possible for long."""
        self._unheard[tag] = (what, data)
        stream = self._stream
        try:
            await stream.put_surely(what, data, tag)
        except ClusterError:
            if stream is self._stream:  # else it is said again already
                self.heard(tag)
                raise

    def heard(self, tag: str) -> None:
        """It was taken, or need not be said any more. Any thread may call it."""
        self._unheard.pop(tag, None)

    def check(self, tag: str) -> None:
        """Will it be heard? Raises ClusterError where it came behind a seal, and could not be said again. Any thread may call it."""
        error = self._unsaid.get(tag)
        if error is not None:
            raise error

    def move(self, there: Beginnings) -> None:
        """The stream was sealed, and what was not heard until then is behind that."""
        self._stream = there.stream
        for tag, (what, data) in [*self._unheard.items()]:
            there.stream.link.start(self._say_again(what, data, tag))

    async def _say_again(self, what: str, data: bytes, tag: str) -> None:
        try:
            await self.say(what, data, tag)
        except ClusterError as error:
            self._unsaid[tag] = error
            log.warning("What this node said (%s) came behind the seal of a stream, and could not be said again: %s", what, error)
