"""A restorer for whoever only reads: into memory of its own, beside whoever writes, without a lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.engine.execute import Executor
from coopy.engine.restore import Restorer

if TYPE_CHECKING:
    from collections.abc import Callable

    from coopy.clock import Moment
    from coopy.codec import Codec
    from coopy.engine.archive import Archive

__all__ = ["reading_restorer"]


def reading_restorer(archive: Archive, codec: Codec, adopt: Callable[[object, Moment], None], on_divergence: str = "stop") -> Restorer:
    """Restores into a domain object of its own. What the validator has proved of today's methods is of no use to it."""
    secret, former, mark = archive.identity.secret, codec.names.methods, memoryview(bytearray(24)).cast("Q")
    restorer = Restorer(archive, codec, mark, lambda root: Executor(root, secret, {}, former), on_divergence)
    restorer.adopt = adopt
    return restorer
