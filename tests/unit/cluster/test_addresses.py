"""What `cluster=` may be, and that no password is ever shown."""

from __future__ import annotations

from typing import Any

import pytest

from coopy.cluster.addresses import read_addresses
from coopy.error import UsageError


def test_addresses_are_read_with_what_they_leave_out() -> None:
    """Ports, where to ask, credentials."""
    found = read_addresses("nats://one, two:99,tls://u:p@three:1?monitor=2&credentials=/a/file,nats://[::1]:5")
    assert [one.url for one in found.servers] == ["nats://one:4222", "nats://two:99", "tls://three:1", "nats://[::1]:5"]
    assert [(one.host, one.monitor, one.login) for one in found.servers][1:3] == [
        ("two", 8222, {}),
        ("three", 2, {"user": "u", "password": "p"}),
    ]
    assert str(found) == "one:4222, two:99, three:1, [::1]:5"
    assert (found.credentials, found.secrets) == ("/a/file", ("p",))


def test_a_password_may_hold_any_character() -> None:
    """Written as in any address; it is hidden as it is written and as it is."""
    found = read_addresses("nats://u%40:a%2Cb%2Fc%3Fd%23e%25f@one,nats://to%2Cken@two,nats://u:a@b@three")
    assert [one.login for one in found.servers] == [
        {"user": "u@", "password": "a,b/c?d#e%f"},
        {"token": "to,ken"},
        {"user": "u", "password": "a@b"},
    ]
    assert found.hide("a%2Cb%2Fc%3Fd%23e%25f or a,b/c?d#e%f or to,ken") == "*** or *** or ***"


def test_what_was_given_to_get_in_is_hidden_in_any_text() -> None:
    """A password, and a token, which stands alone."""
    found = read_addresses("nats://me:topsecret@one,nats://atoken@two")
    assert found.hide("cannot reach nats://me:topsecret@one with atoken") == "cannot reach nats://me:***@one with ***"
    assert found.hide(ValueError()) == "ValueError"
    assert "topsecret" not in str(found)


@pytest.mark.parametrize(
    "wrong",
    [
        None, 1, "", " ", ",", "nats://", "http://topsecret@a", "nats://u:topsecret@a:0x1", "nats://u:topsecret@a:99999", "nats://u:topsecret@a/b",
        "nats://u:topsecret@a?monitor=x", "nats://u:topsecret@a?monitor=0", "nats://u:topsecret@a?other=1", "nats://u:topsecret@a#b", ["nats://a"],
        "nats://u:topsecret@[a", b"nats://a",
    ],
)  # fmt: skip
def test_what_is_no_address_is_named_by_its_place(wrong: Any) -> None:
    """Not by itself: there may be a password in it."""
    with pytest.raises(UsageError, match="cluster=") as caught:
        read_addresses(wrong)
    assert "topsecret" not in str(caught.value)
