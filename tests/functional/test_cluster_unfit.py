"""Servers that are not as they must be, or are none: whoever opens a node reads which, what is wrong, and what to do. One that becomes so later is noticed."""

from __future__ import annotations

import math
import socket
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coopy import init_system, linearizable
from coopy.cluster import connection, durable, link, watching
from coopy.cluster.local import LocalServers
from coopy.error import ClusterError
from tests.cut import Way
from tests.functional.test_cluster_bad_days import LONG, counts, follower, wait_until
from tests.lone import Lone, peers_of
from tests.servers import Cluster, cluster, level, servers
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coopy.cluster.local import LocalServer

__all__ = ["cluster", "servers"]


@contextmanager
def stranger(says: bytes, hears: int = 0) -> Iterator[int]:
    """Somebody who listens, and says this to whoever comes, when so many bytes were heard at most; gives the port."""
    held = list[socket.socket]()

    def greet() -> None:
        with suppress(OSError):
            while True:
                held.append(listener.accept()[0])
                with suppress(OSError):
                    if hears:
                        held[-1].recv(hears)
                    held[-1].sendall(says)
                    if hears:
                        held[-1].shutdown(socket.SHUT_WR)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for one in held:
                one.close()


@pytest.mark.parametrize(
    ("says", "said"),
    [
        (b"", "nothing was heard in"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "expecting INFO"),
        (b"220 mail.example ESMTP\r\n", "expecting INFO"),
        (b"x" * 300_000, "what listens there is no NATS server"),
        (b"INFO \xff\xfe\r\n", "json parse error"),
        (b"INFO []\r\n", "what listens there is no NATS server"),
        (b'INFO {"connect_urls": 5}\r\n', "what listens there is no NATS server"),
        (b"INFO {}\r\n-ERR 'maximum connections exceeded'\r\n", "maximum connections exceeded"),
    ],
)
def test_what_is_no_server_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: bytes, said: str) -> None:
    """Whatever listens at that address, and whatever it says."""
    monkeypatch.setattr(link, "CONNECT", 0.1)
    monkeypatch.setattr(connection, "ATTEMPT", LONG if says else 0.5)
    with stranger(says) as port, pytest.raises(ClusterError, match=r"No server of .* answers as it should.*Nothing was changed") as caught:
        init_system(Word, tmp_path / "node", cluster=f"nats://wiki:a-secret@127.0.0.1:{port}", validation="off")
    assert said in str(caught.value)
    assert "a-secret" not in str(caught.value)


def test_a_server_that_is_replaced_by_something_else_is_found_again_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node goes on looking, whatever it hears there."""
    monkeypatch.setattr(connection, "ATTEMPT", LONG)  # it hears it all, and behind the last of it nothing
    with Lone(tmp_path) as lone:
        node = lone.node()
        node.add("a")
        lone.stop()
        with socket.create_server(("127.0.0.1", lone.port)) as listener:
            listener.settimeout(60)
            for says in (b"INFO []\r\n", b"y" * 300_000):
                accepted, _ = listener.accept()
                with accepted, suppress(OSError):
                    accepted.sendall(says)
            wait_until(lambda: "what listens there is no NATS server" in peers_of(node).problem)
        lone.start()
        assert node.add("b") == "ab"


def test_a_server_without_jetstream_and_one_without_others_are_named(tmp_path: Path) -> None:
    """At once; and what to set there, or to ask for."""
    with Lone(tmp_path) as lone:
        with pytest.raises(
            ClusterError, match=r"replicas > 1 not supported.*Nothing was changed. 3 servers.*assume_durable=True lets one do"
        ):
            lone.node(assume_durable=False)
        lone.stop()
        config = tmp_path / "server.conf"
        config.write_text(config.read_text().replace("jetstream {", "ping_interval: 120 #"))
        lone.start()
        for assume_durable in (False, True):
            with pytest.raises(ClusterError, match=r"No server of .* has JetStream.*Nothing was changed. Set `jetstream"):
                lone.node(assume_durable=assume_durable)


def test_a_server_that_takes_small_messages_only_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that cannot be sent would be tried for ever, with all calls in it. It is told at once."""
    monkeypatch.setattr(link, "CONNECT", math.inf)
    with Lone(tmp_path, "max_payload: 64KB") as lone:
        with pytest.raises(ClusterError, match=r"takes messages of 65,536 bytes, and 525,312 are needed \(`max_payload: 1MB`\)"):
            lone.node()
        lone.reload("")
        assert lone.node().keep("x" * 500_000) == 1


def test_an_account_with_limits_refuses_what_is_beyond_them(tmp_path: Path) -> None:
    """A call that finds no room did not happen, and its caller hears it at once; later ones do, when there is room."""
    account = 'accounts {{ A {{ users: [ {{ user: wiki, password: "p" }} ]\n{} }} }}'
    with Lone(tmp_path, account.format("")) as lone:
        with pytest.raises(
            ClusterError, match=r"refused STREAM\.NAMES: JetStream not enabled for account. Nothing was changed. Have an admin"
        ):
            lone.node("wiki:p@")
        lone.restart(account.format("jetstream: { max_file: 60KB, max_mem: 1MB }"))
        node = lone.node("wiki:p@")
        with pytest.raises(
            ClusterError, match=r"refused the call: resource limits exceeded for account. It did not happen. Make room there"
        ):
            node.keep("x" * 100_000)
        lone.restart(account.format("jetstream: { max_file: 600KB, max_mem: 1MB }"))
        assert node.keep("y") == 1


def restart(own: LocalServers, server: LocalServer, config: str) -> None:
    """It comes back with another configuration."""
    server.stop()
    Path(server._config).write_text(config)
    server.start()
    own.wait_ready()


def test_a_server_that_does_not_sync_is_refused_also_when_it_is_so_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of three, which comes back with another configuration: calls are refused until it is set right, queries go on, and nothing has to be opened again.

    Where it is gone, they go on without it, until it is back.
    """
    monkeypatch.setattr(watching, "EVERY", 0.1)
    with LocalServers(tmp_path / "servers") as own:
        made = Cluster(own, tmp_path)
        one, two = made.node(1), made.node(2)
        one.add("a")
        second = follower(own, made.name)
        good = Path(second._config).read_text()
        wrong = f"acknowledges may be lost: 127.0.0.1:{second.port}: it does not sync every write .`jetstream . sync_interval: always"
        restart(own, second, good.replace(", sync_interval: always", ""))
        for node in (one, two):
            wait_until(lambda node=node: "does not sync" in counts(node).problem)  # type: ignore[misc]
            with pytest.raises(ClusterError, match=f"{wrong}.*The call was not sent, and did not happen.*are taken again then"):
                node.add("b")
            with linearizable(node):
                assert node.text == "a"
        with pytest.raises(ClusterError, match=wrong):
            made.node(3)
        second.kill()
        for node in (one, two):
            wait_until(lambda node=node: counts(node).problem == "")  # type: ignore[misc]
        assert two.add("b") == "ab"
        restart(own, second, good.replace(", sync_interval: always", ""))
        wait_until(lambda: "does not sync" in counts(one).problem)
        restart(own, second, good)
        for node in (one, two):
            wait_until(lambda node=node: counts(node).problem == "")  # type: ignore[misc]
        assert one.add("c") == "abc"
        level(one, two)
        made.close()


def test_a_server_whose_jetstream_does_not_run_is_no_reason_to_refuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It acknowledges nothing, and the two others keep the stream: as where it is about to begin or to end, or its disk is full."""
    monkeypatch.setattr(watching, "EVERY", 0.1)
    with LocalServers(tmp_path / "servers") as own:
        made = Cluster(own, tmp_path)
        one = made.node(1)
        one.add("a")
        third = follower(own, made.name)
        restart(own, third, Path(third._config).read_text().replace("jetstream {", "ping_interval: 120 #"))
        two = made.node(2)
        assert two.add("b") == "ab"
        assert one.add("c") == "abc"
        assert counts(one).problem == ""
        made.close()


def test_a_server_that_is_too_old_is_refused_also_when_it_is_so_later(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a downgrade; here all are, by what is asked of them."""
    monkeypatch.setattr(watching, "EVERY", 0.1)
    one = cluster.node(1)
    one.add("a")
    monkeypatch.setattr(durable, "OLDEST", (99, 1))
    wait_until(lambda: "it is version 2." in counts(one).problem)
    with pytest.raises(ClusterError, match=r"it is version 2\.\S+ and 99\.1 or newer is needed.*did not happen"):
        one.add("b")
    with pytest.raises(ClusterError, match=r"99\.1 or newer is needed.*The node was not opened. Set that right, and restart that server"):
        cluster.node(2)
    monkeypatch.setattr(durable, "OLDEST", (2, 14))
    wait_until(lambda: counts(one).problem == "")
    assert one.add("c") == "ac"


def test_a_server_that_was_wrong_and_says_nothing_any_more_is_so_still(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there for clients, and may be as it was: calls are refused until it says otherwise."""
    judged, judge = list[durable.Judged](), durable.judge

    async def seen(*given: Any) -> durable.Judged:
        judged.append(await judge(*given))
        return judged[-1]

    monkeypatch.setattr(watching, "judge", seen)
    monkeypatch.setattr(watching, "EVERY", 0.1)
    server = cluster.servers.servers[0]
    with Way(server.monitor) as way:
        one = cluster.node(1, cluster=cluster.servers.urls.replace(f"monitor={server.monitor}", f"monitor={way.port}"))
        one.add("a")
        with monkeypatch.context() as newer:
            newer.setattr(durable, "OLDEST", (99, 1))
            wait_until(lambda: f":{server.port}: it is version 2." in counts(one).problem)  # the others may have been asked a moment before
            way.cut()
        wait_until(lambda: any(each.silent and not each.wrong for each in judged[:-1]))  # the last one may not be noted yet
        with pytest.raises(ClusterError, match=r"it is version 2\.\S+ and 99\.1 or newer is needed.*did not happen"):
            one.add("b")
        way.mend()
        wait_until(lambda: counts(one).problem == "")
        assert one.add("c") == "ac"


def test_a_monitoring_port_of_something_else_proves_nothing(cluster: Cluster) -> None:
    """It says something, or nothing, and is named."""
    server = cluster.servers.servers[0]
    for says in (b"HTTP/1.1 200 OK\r\n\r\nhello", b'HTTP/1.1 200 OK\r\n\r\n{"version": 5}', b"SSH-2.0-x\r\n", b"\xff" * 2_000_000):
        with stranger(says, 1000) as monitor:
            urls = cluster.servers.urls.replace(f"monitor={server.monitor}", f"monitor={monitor}")
            with pytest.raises(
                ClusterError, match=rf"It is not proven.*no proof came from .*{monitor}/varz is no server's.*The node was not opened"
            ):
                cluster.node(1, cluster=urls)
    assert not [*cluster.folder.glob("node1/*.log")]
