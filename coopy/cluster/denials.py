"""What a server does not let this user do. It says so apart from any answer, and at once: whoever waits for what was denied need not wait any longer.

    -ERR 'Permissions Violation for Publish to "$JS.API.STREAM.INFO.coopy-wiki"'
    -ERR 'Permissions Violation for Subscription to "_INBOX.Yk2.*"'

The client gives it in lower case. A message that was denied went nowhere; where a subscription was denied, no answer comes by it: all answers come by one.

Which message of those to one subject was denied it does not say, and rights can change between two. But each is denied or answered: once as many denials
and answers have come as messages went there, those without an answer were denied.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from coopy.logs import logger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Denials"]

log = logger("cluster")
_DENIED = re.compile(r'permissions violation for (publish|subscription) to "([^"]*)"')
ANSWERS = "subscribe to _INBOX.>"


class Denials:
    """Of one connection. All of it belongs to the link's thread."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[str], Mapping[str, str]] = {}
        self._heard = set[str]()
        self._open = Counter[str]()  # by subject: messages that went there, less answers and denials
        self._deaf = False

    def hear(self, text: str) -> bool:
        """What a server minds; whether it is a denial. Those whom it concerns are told."""
        found = _DENIED.search(text.lower())
        if found is None:
            return False
        if found[0] not in self._heard:
            self._heard.add(found[0])
            log.warning("The servers of the cluster do not let this user do what a node does: %s", found[0])
        self._open[found[2]] -= found[1] == "publish"
        self._deaf = self._deaf or found[1] == "subscription"
        for future, concerns in self._waiting.items():
            what = self._denied(concerns, found[2])
            if what and not future.done():
                future.set_result(what)
        return True

    @contextmanager
    def watch(self, concerns: Mapping[str, str]) -> Iterator[asyncio.Future[str]]:
        """A future that becomes what this user would have to be permitted, should a subject be denied that holds one of `concerns`.

        `concerns`: a part of a subject, and the subject to be permitted for it.
        """
        future = asyncio.get_running_loop().create_future()
        if self._deaf:
            future.set_result(ANSWERS)
        self._waiting[future] = concerns
        try:
            yield future
        finally:
            del self._waiting[future]
            future.cancel()

    @property
    def deaf(self) -> bool:
        """Whether a subscription was denied: what comes by it comes only with another connection."""
        return self._deaf

    def denies(self, subject: str) -> bool:
        """Whether a message to it was denied, and none has arrived since."""
        return _publish_to(subject) in self._heard

    def sent(self, subject: str) -> None:
        """A message goes there, of which will be told when it is answered."""
        self._open[subject.lower()] += 1

    def answered(self, subject: str) -> None:
        """One of them was, whatever was said. Also one that did not go, after all."""
        self._open[subject.lower()] -= 1

    def denied_the_rest(self, subject: str) -> bool:
        """Whether all of them that were not answered were denied."""
        return self.denies(subject) and not self._open[subject.lower()]

    def permit(self, subject: str) -> None:
        """A message to it has arrived: rights can change."""
        self._heard.discard(_publish_to(subject))

    def _denied(self, concerns: Mapping[str, str], subject: str) -> str:
        if self._deaf:
            return ANSWERS
        return next((f"publish to {whole}" for part, whole in concerns.items() if part.lower() in subject), "")


def _publish_to(subject: str) -> str:
    return f'permissions violation for publish to "{subject.lower()}"'
