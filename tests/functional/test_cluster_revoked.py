"""Who was let in is let in no more: passwords, permissions and certificates that end while a node runs. When they are renewed it goes on by itself."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest

from coopy import control
from coopy.cluster import connection, link
from coopy.error import AuthenticationError, ClusterError, UnconfirmedError
from tests.functional.test_cluster_bad_days import LONG, impatient, told_once_sent, wait_until
from tests.lone import Lone, peers_of, problem_of
from tests.unit.replication.test_transport import make_certificate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSWORD = "a-secret,/?#%password"
WRITTEN = "wiki:a-secret%2C%2F%3F%23%25password@"
AUTHORITY = """\
[ca]
default_ca = one
[one]
database = index
rand_serial = yes
new_certs_dir = .
default_md = sha256
policy = any
[any]
commonName = supplied
[names]
subjectAltName = DNS:localhost
"""


def users(password: str = PASSWORD, permissions: str = "") -> str:
    """A configuration with one user."""
    return f'authorization {{ timeout: {LONG}, users: [ {{ user: wiki, password: "{password}", permissions: {{ {permissions} }} }} ] }}'


@pytest.fixture(autouse=True)
def heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that stands still is waited for: else that nothing was heard of it would be told, in the place of what it says."""
    monkeypatch.setattr(connection, "ATTEMPT", LONG)


@pytest.fixture
def lone(tmp_path: Path) -> Iterator[Lone]:
    """A server that lets in who knows the password."""
    with Lone(tmp_path, users()) as one:
        yield one


def test_a_user_whose_password_was_changed_is_told_and_goes_on_with_the_old_one_again(lone: Lone) -> None:
    """What is not sent did not happen. The password may hold any character, and nobody reads it."""
    node = lone.node(WRITTEN)
    node.add("a")
    lone.reload(users("another"))
    wait_until(lambda: "Authorization Violation" in problem_of(node))
    impatient(node, 0.3)
    with pytest.raises(ClusterError, match=r"The call was not sent.*Authorization Violation.*It did not happen") as caught:
        node.add("b")
    assert "secret" not in str(caught.value)
    with pytest.raises(AuthenticationError, match=r"accepts the user, password or certificate.*Authorization Violation"):
        lone.node(WRITTEN, number=2)
    lone.reload(users())
    impatient(node, LONG)
    assert node.add("c") == "ac"
    assert problem_of(node) == ""


def test_one_that_lets_nobody_in_does_not_speak_for_the_others(lone: Lone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server with another configuration, and one that is only about to begin: what is looked for is one that can be used."""
    monkeypatch.setattr(link, "CONNECT", LONG)
    lone.reload(users("another"))
    (tmp_path / "late").mkdir()
    late, opened = Lone(tmp_path / "late"), list[Any]()
    addresses = f"nats://{WRITTEN}127.0.0.1:{lone.port},nats://127.0.0.1:{late.port}"
    thread = threading.Thread(target=lambda: opened.append(late.node(cluster=addresses)))
    with socket.create_server(("127.0.0.1", late.port)) as listener:
        listener.settimeout(LONG)
        thread.start()
        for _ in range(3):  # by then the other has been asked, too
            listener.accept()[0].close()
    with late:
        thread.join()
        assert opened[0].add("a") == "a"


def test_a_permission_to_publish_that_is_revoked_is_named_and_when_it_is_back_all_goes_on(lone: Lone) -> None:
    """What may not be sent did not happen."""
    node = lone.node(WRITTEN)
    node.add("a")
    lone.reload(users(permissions='publish: { deny: "coopy.>" }'))
    impatient(node, LONG)
    with pytest.raises(ClusterError, match=r"not let this user publish to coopy\.word\.1\.calls\. .*did not happen"):
        node.add("b")
    lone.reload(users())
    control(node).barrier()
    assert node.add("c") == "ac"
    wait_until(lambda: problem_of(node) == "")


def test_a_permission_to_hear_answers_that_is_revoked_is_named_and_when_it_is_back_all_goes_on(lone: Lone) -> None:
    """The servers end a subscription for good: the node makes other connections, with which it is no better until one is answered. What was sent happens once."""
    node = lone.node(WRITTEN)
    node.add("a")
    denied, found = "violation for subscription to ._inbox", list[str]()

    async def note() -> None:
        found.append(problem_of(node))

    peers_of(node).link.reconnected.insert(0, note)  # before anything is asked on the new connection
    lone.reload(users(permissions='subscribe: { deny: "_INBOX.>" }'))
    wait_until(lambda: len(found) >= 2)
    assert all(re.search(denied, one) for one in found), found
    told = told_once_sent(node, lambda: node.add("b"), 0.3)
    assert isinstance(told, UnconfirmedError)
    assert re.search(denied, str(told)), told
    lone.reload(users())
    control(node).barrier()
    assert node.add("c") == "abc"
    wait_until(lambda: problem_of(node) == "")


def test_a_certificate_that_expired_is_named_and_a_renewed_one_is_taken(tmp_path: Path) -> None:
    """A connection that is there goes on; another one is made only to who has a valid one."""
    names = ("first", "expired", "renewed")
    for name in names:
        (tmp_path / name).mkdir()
        (make_expired if name == "expired" else make_certificate)(tmp_path / name, "localhost")
    trusting = ssl.create_default_context()
    for name in names:
        trusting.load_verify_locations(tmp_path / name / "crt")
    tls = {name: f'tls {{ timeout: {LONG}, cert_file: "{tmp_path}/{name}/crt", key_file: "{tmp_path}/{name}/key" }}' for name in names}
    with Lone(tmp_path, tls["first"]) as lone:
        node = lone.node(cluster=f"tls://localhost:{lone.port}", tls=trusting)
        node.add("a")
        lone.reload(tls["expired"])
        assert node.add("b") == "ab"
        lone.stop()
        lone.start()
        wait_until(lambda: "certificate has expired" in problem_of(node))
        impatient(node, 0.3)
        with pytest.raises(ClusterError, match=r"was not sent.*certificate has expired"):
            node.add("c")
        lone.reload(tls["renewed"])
        impatient(node, LONG)
        assert node.add("d") == "abd"


def make_expired(folder: Path, name: str) -> None:
    """A certificate of a day that is over."""
    (folder / "authority").write_text(AUTHORITY)
    (folder / "index").touch()
    request = [
        "req",
        "-new",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-subj",
        "/CN=expired",
        "-keyout",
        "key",
    ]
    sign = ["ca", "-batch", "-selfsign", "-config", "authority", "-keyfile", "key", "-in", "request", "-out", "crt", "-notext"]
    days = ["-extensions", "names", "-startdate", "20200101000000Z", "-enddate", "20200102000000Z"]
    assert name in AUTHORITY
    for command in ([*request, "-out", "request"], [*sign, *days]):
        subprocess.run(["openssl", *command], check=True, capture_output=True, cwd=folder)
