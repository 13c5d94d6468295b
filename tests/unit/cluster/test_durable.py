"""Servers are asked at once whether they sync, and one that is silent is waited for only while something may depend on it."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from coopy.cluster import durable
from coopy.cluster.addresses import Addresses, Server
from coopy.error import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def says(name: str, *, syncs: bool = True, early: bool = False, has_none: bool = False) -> Iterator[Server]:
    """One that answers. `early`: it was asked before its JetStream had begun; `has_none`: it never does."""
    config = {"config": {"sync_always": syncs}}
    answers = {
        "/varz": {"version": "2.14.1", "server_name": name, "jetstream": {} if early or has_none else config},
        "/jsz": {"disabled": True} if has_none else config,
    }

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answers[self.path]).encode())

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield Server("", "127.0.0.1", 1, server.server_port, {})
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def silent() -> Iterator[Server]:
    """One that is frozen: the kernel takes the connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        yield Server("", "127.0.0.1", port, port, {})


async def there(_: Server) -> bool:
    """It greets whoever comes."""
    return True


def prove(addresses: Addresses, peers: list[str] | None) -> None:
    """On a loop of its own."""
    asyncio.run(durable.prove(addresses, peers))


@pytest.fixture
def addresses() -> Iterator[Addresses]:
    """Two frozen ones, and one that says that it syncs, and is `c`."""
    with ExitStack() as stack:
        yield Addresses((stack.enter_context(silent()), stack.enter_context(silent()), stack.enter_context(says("c"))), ())


def test_what_a_server_says_for_ever_of_when_it_was_asked_too_early_does_not_count() -> None:
    """Nodes that lost it ask a server that is about to come back, and it goes on to say then that it has no JetStream."""
    with says("a", early=True) as early, says("b", early=True, syncs=False) as lazy, says("c", has_none=True) as none:
        prove(Addresses((early,), ()), ["a"])
        with pytest.raises(ClusterError, match="does not sync every write"):
            prove(Addresses((lazy,), ()), ["b"])
        with pytest.raises(ClusterError, match="its JetStream does not run"):
            prove(Addresses((none,), ()), ["c"])


def test_a_silent_server_that_keeps_nothing_is_not_waited_for_for_long(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that keep the stream have spoken."""
    monkeypatch.setattr(durable, "_greets", there)
    monkeypatch.setattr(durable, "PATIENCE", 600.0)
    prove(addresses, ["c"])


def test_a_silent_server_that_keeps_the_stream_may_be_gone(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not there for clients either."""
    monkeypatch.setattr(durable, "PATIENCE", 0.1)
    monkeypatch.setattr(durable, "GREETING", 0.1)
    with pytest.raises(durable.AwayError, match="its stream is kept by b, too, and no proof came from"):
        prove(addresses, ["b"])  # and not c, which may be too slow for such a patience
    with pytest.raises(durable.AwayError, match="not all of them said so"):
        prove(addresses, None)


def test_a_server_that_does_not_sync_is_refused_wherever_it_stands_in_the_addresses() -> None:
    """Also where it keeps nothing yet."""
    with says("a") as one, says("b", syncs=False) as two, pytest.raises(ClusterError, match="it does not sync every write"):
        prove(Addresses((two, one), ()), ["a"])
