"""Servers that ask who is there: certificates, passwords, tokens. Whoever is not let in reads why, and never a secret."""

from __future__ import annotations

import math
import re
import socket
import ssl
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coopy import control, init_system
from coopy.cluster import beginnings, connection, durable, link, store, stream
from coopy.cluster.local import LocalServers, free_ports, server_program
from coopy.error import AuthenticationError, ClusterError, CoopyError, UsageError
from tests.functional.test_cluster import kept
from tests.functional.test_cluster_bad_days import LONG, counts, impatient, wait_until
from tests.functional.test_replication_bad_days import run_coopy
from tests.unit.replication.test_transport import certificate, make_certificate, trusting
from tests.words import Word

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["certificate"]
PASSWORD, TOKEN = "a-secret-password", "a-secret-token"
PATIENCE = 30.0


@contextmanager
def server(folder: Path, more: str) -> Iterator[int]:
    """One that runs with this in its configuration; gives its port."""
    (port,) = free_ports(1)
    config = folder / "server.conf"
    config.write_text(f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "{folder}/kept", sync_interval: always }}\n{more}\n')
    process = subprocess.Popen([server_program(), "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + PATIENCE
        while not listens(port):
            assert process.poll() is None
            assert time.monotonic() < deadline
        yield port
    finally:
        process.terminate()
        process.wait()


def listens(port: int) -> bool:
    """Whether somebody is there."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def node(folder: Path, address: str, **options: Any) -> Any:
    """Open one, on a single server."""
    return init_system(Word, folder / "node", cluster=address, assume_durable=True, validation="off", **options)


def refused(folder: Path, address: str, **options: Any) -> CoopyError:
    """Why one is not let in; it says so without a secret, and has changed nothing."""
    with pytest.raises(CoopyError) as caught:
        node(folder, address, **options)
    for secret in (PASSWORD, TOKEN, "not-the-"):
        assert secret not in str(caught.value)
    assert not (folder / "node" / "MANIFEST").exists()
    return caught.value


def test_a_node_over_tls_with_a_certificate_and_a_password(certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of both has to be right. What is not will not be the next time: it is told at once."""
    monkeypatch.setattr(link, "CONNECT", math.inf)
    for name in ("known", "unknown"):
        (tmp_path / name).mkdir()
        make_certificate(tmp_path / name, name)
    tls = f'tls {{ timeout: {LONG}, cert_file: "{certificate}/crt", key_file: "{certificate}/key", ca_file: "{tmp_path}/known/crt", verify: true }}'
    with server(tmp_path, f'{tls}\nauthorization {{ user: wiki, password: "{PASSWORD}" }}') as port:
        good, address = trusting(certificate), f"tls://wiki:{PASSWORD}@localhost:{port}"
        good.load_cert_chain(tmp_path / "known" / "crt", tmp_path / "known" / "key")
        assert "certificate verify failed" in str(refused(tmp_path, address, tls=ssl.create_default_context()))
        assert isinstance(refused(tmp_path, address, tls=trusting(certificate)), ClusterError | AuthenticationError)
        other = trusting(certificate)
        other.load_cert_chain(tmp_path / "unknown" / "crt", tmp_path / "unknown" / "key")
        assert isinstance(refused(tmp_path, address, tls=other), ClusterError | AuthenticationError)
        assert isinstance(refused(tmp_path, address), ClusterError)
        assert isinstance(refused(tmp_path, f"tls://wiki:not-the-password@localhost:{port}", tls=good), AuthenticationError)
        assert isinstance(refused(tmp_path, f"tls://localhost:{port}", tls=good), AuthenticationError)
        word = node(tmp_path, address, tls=good)
        assert word.add("a") == "a"
        assert PASSWORD not in repr(control(word).stats())
        control(word).close()
        own = ("--tls-cert", tmp_path / "known" / "crt", "--tls-key", tmp_path / "known" / "key")
        told = run_coopy("cluster", "prune", "word", "--cluster", address, "--tls-ca", certificate / "crt", *own)
        assert (told.exit_code, "coopy-word@1 is the only stream" in told.output, PASSWORD in told.output) == (2, True, False)
        assert run_coopy("cluster", "prune", "word", "--cluster", address, *own[2:]).exit_code == 2


def test_servers_that_are_asked_whether_they_sync_have_nothing_to_complain_of(
    certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would stand in their logs every half minute, for each node."""
    monkeypatch.setattr(connection, "ATTEMPT", LONG)  # nobody gives up in the middle
    monkeypatch.setattr(durable, "PATIENCE", LONG)
    own = LocalServers(tmp_path / "servers")
    for one in own.servers:
        with Path(one._config).open("a") as config:
            config.write(f'tls {{ timeout: {LONG}, cert_file: "{certificate}/crt", key_file: "{certificate}/key" }}\n')
    with own:
        urls = own.urls.replace("nats://", "tls://").replace("@127.0.0.1:", "@localhost:")
        with control(init_system(Word, tmp_path / "node", cluster=urls, tls=trusting(certificate), validation="off")) as word:
            assert word.add("a") == "a"
    logs = [(own.directory / f"{one.name}.log").read_text() for one in own.servers]
    assert not [line for log in logs for line in log.splitlines() if "TLS handshake error" in line]


@pytest.mark.parametrize(("scheme", "with_tls"), [("tls", False), ("nats", True)])
def test_who_says_that_no_encryption_is_needed_hears_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, with_tls: bool
) -> None:
    """What a server says of that it says in the clear, where anybody may stand between. It is told at once; so by a real server that has none."""
    monkeypatch.setattr(link, "CONNECT", LONG)
    monkeypatch.setattr(connection, "ATTEMPT", LONG)
    heard, options = list[bytes](), {"tls": ssl.create_default_context()} if with_tls else {}

    def pretend() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(
                b'INFO {"server_id":"x","version":"2.14.0","max_payload":1048576,"auth_required":true,"tls_required":false}\r\n'
            )
            while piece := connection.recv(4096):
                heard.append(piece)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        other = threading.Thread(target=pretend)
        other.start()
        error = refused(tmp_path, f"{scheme}://wiki:{PASSWORD}@127.0.0.1:{listener.getsockname()[1]}", **options)
        other.join()
    assert "offers no TLS, which tls:// or tls= asks for; no user, password or token was sent there" in str(error)
    assert PASSWORD.encode() not in b"".join(heard)
    with server(tmp_path, f'authorization {{ user: wiki, password: "{PASSWORD}" }}') as port:
        assert "offers no TLS" in str(refused(tmp_path, f"{scheme}://wiki:{PASSWORD}@127.0.0.1:{port}", **options))


def test_a_node_with_a_token(tmp_path: Path) -> None:
    """In the place of a user."""
    with server(tmp_path, f'authorization {{ token: "{TOKEN}" }}') as port:
        assert isinstance(refused(tmp_path, f"nats://not-the-token@127.0.0.1:{port}"), AuthenticationError)
        word = node(tmp_path, f"nats://{TOKEN}@127.0.0.1:{port}")
        assert word.add("a") == "a"
        control(word).close()


@pytest.mark.parametrize(
    ("permissions", "told"),
    [
        ('publish: "other.>"', "publish to $JS.API.STREAM.NAMES"),
        ('publish: "$JS.API.>"', "publish to $O.coopy-word.>"),
        ('publish: ["$JS.API.STREAM.NAMES", "$JS.API.STREAM.*.coopy-word@1"]', "publish to $JS.API.STREAM.CREATE.OBJ_coopy-word"),
        ('publish: ["$JS.API.>", "$O.coopy-word.>"]', "publish to coopy.word.1.genesis"),
        ('publish: ">", subscribe: "other.>"', "subscribe to _INBOX.>"),
    ],
)
def test_a_user_that_may_not_do_what_a_node_does_is_told_what_to_permit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, permissions: str, told: str
) -> None:
    """The server lets it in, and keeps it from the stream: that it says at once, and nothing is waited for."""
    for room in (link, store, beginnings, stream):
        monkeypatch.setattr(room, "PATIENCE", math.inf, raising=False)
    for room in (link, store):
        monkeypatch.setattr(room, "ANSWER", LONG)
    with server(tmp_path, users(permissions)) as port:
        error = refused(tmp_path, f"nats://wiki:{PASSWORD}@127.0.0.1:{port}")
        assert isinstance(error, ClusterError)
        assert f"does not let this user {told}." in str(error)


def test_a_caller_is_told_that_the_servers_do_not_let_its_node_call(tmp_path: Path) -> None:
    """Where all else is permitted. Nothing is waited for, and the call did not happen: so with each of some at once, and with a barrier."""
    with server(tmp_path, users('publish: { allow: ">", deny: "coopy.word.*.calls" }')) as port:
        word = node(tmp_path, f"nats://wiki:{PASSWORD}@127.0.0.1:{port}")
        impatient(word, LONG)
        with ThreadPoolExecutor() as callers:
            for told in [callers.submit(word.add, "a") for _ in range(20)]:
                with pytest.raises(
                    ClusterError, match=r"not let this user publish to coopy\.word\.1\.calls\. .*did not happen.*administrator"
                ):
                    told.result()
        with pytest.raises(ClusterError, match="not let this user publish"):
            control(word).barrier()
        assert (word.text, counts(word).refused > 1, counts(word).under_way) == ("", True, 0)
        control(word).close()


def test_what_the_page_permits_is_all_that_a_node_does(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It begins, calls, compares, and sends snapshots, of which old ones go."""
    page = (Path(__file__).parents[2] / "docs" / "cluster.md").read_text()
    permissions = re.search(r"permissions: \{\n(.*?) \} \}\n", page, re.DOTALL)
    assert permissions is not None
    with server(tmp_path, users(permissions[1].replace("wiki", "word"))) as port:
        word = node(tmp_path, f"nats://wiki:{PASSWORD}@127.0.0.1:{port}")
        for _ in range(4):
            word.add("a")
            control(word).share_snapshot()
        assert control(word).compare().nodes == 1
        assert len(kept(word)) == 3
        control(word).close()
    assert not [one.message for one in caplog.records if one.name == "coopy.cluster"]


def users(permissions: str) -> str:
    """One, that may do this."""
    return f'authorization {{ users: [{{ user: wiki, password: "{PASSWORD}", permissions: {{ {permissions} }} }}] }}'


def test_a_credentials_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """Before any server is asked."""
    address = f"nats://127.0.0.1:1?credentials={tmp_path}/wiki.creds"
    assert isinstance(refused(tmp_path, address), UsageError)


def test_a_server_that_ends_a_connection_over_tls_is_not_complained_of_by_others(
    certificate: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Python's asyncio would say, on the standard error of who has set up no logs, that the client does not close as TLS does."""
    with server(tmp_path, f'tls {{ timeout: {LONG}, cert_file: "{certificate}/crt", key_file: "{certificate}/key" }}') as port:
        word = node(tmp_path, f"tls://localhost:{port}", tls=trusting(certificate))
        assert word.add("a") == "a"
    wait_until(lambda: not counts(word).connected)
    control(word).close()
    assert [one.getMessage() for one in caplog.records if one.name == "asyncio"] == []
