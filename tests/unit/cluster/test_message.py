"""What stands in the shared journal: read as it was written, and nothing else passes."""

from __future__ import annotations

import pytest

from coopy.cluster.message import KINDS, MAX_SIZE, Announced, Calls, Claim, Digest, Due, Genesis, Join, Seal, Sealed, keyed, seal, unseal
from coopy.error import ClusterError

KEY = keyed(b"s" * 32, b"")
NODE = b"n" * 16
MESSAGES: list[Sealed] = [
    Genesis(b"y" * 16, b"s" * 32, "wiki:Wiki", "a snapshot", b"d" * 32, 1234),
    Genesis(b"y" * 16, b"s" * 32, "wiki:Wiki", "", b"", 0, 2, "yesterday"),
    Join(NODE, "wiki:Wiki", [("wiki:Wiki", 3)], b"source"),
    Calls(NODE, 7, 3, 1_700_000_000_000_000, 60, [(2, b"plain"), (4, b"pickle"), (5, b"")]),
    Calls(NODE, 1, 0, 1, -720, []),
    Announced(8, "a snapshot", b"d" * 32, 1234, "the one before", 5678),
    Claim(NODE, "a snapshot", 1),
    Due(b"m" * 16, [NODE, b"o" * 16]),
    Digest(NODE, b"m" * 16, 8, b"d" * 32, b"f" * 32),
    Seal(2, "today"),
]


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_is_read_as_it_was_written(message: Sealed) -> None:
    """Each kind of them."""
    assert unseal(seal(message, KEY), KEY) == message


def test_every_kind_is_tried() -> None:
    """Here."""
    assert {type(one) for one in MESSAGES} == {*KINDS.values()}


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_that_was_cut_or_that_goes_on_is_refused(message: Sealed) -> None:
    """At any byte."""
    data = seal(message, KEY)
    for size in range(len(data)):
        with pytest.raises(ClusterError):
            unseal(data[:size], KEY)
    with pytest.raises(ClusterError, match="check does not match"):
        unseal(data + b"\0", KEY)


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_with_any_bit_flipped_is_refused(message: Sealed) -> None:
    """Wherever it is."""
    data = seal(message, KEY)
    for bit in range(8 * len(data)):
        wrong = bytearray(data)
        wrong[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ClusterError):
            unseal(bytes(wrong), KEY)


def test_a_message_of_another_system_or_key_is_refused() -> None:
    """And so is one that is longer than any, before it is looked at."""
    data = seal(MESSAGES[3], KEY)
    for other in (keyed(b"t" * 32, b""), keyed(b"s" * 32, b"k" * 32), keyed(b"", b"")):
        with pytest.raises(ClusterError, match="of another system, or signed with another key"):
            unseal(data, other)
    with pytest.raises(ClusterError, match="more than any that coopy writes"):
        unseal(data + bytes(MAX_SIZE), KEY)
    with pytest.raises(ClusterError, match="no message of coopy's"):
        unseal(b"somebody else's", KEY)


@pytest.mark.parametrize(
    "message",
    [
        Calls(b"short", 1, 0, 1, 0, []), Calls(NODE, 0, 0, 1, 0, []), Calls(NODE, 1, 1, 1, 0, []), Calls(NODE, 1, -1, 1, 0, []),
        Calls(NODE, 1, 0, 0, 0, []), Calls(NODE, 1, 0, 1 << 62, 0, []), Calls(NODE, 1, 0, 1, 40_000, []), Calls(NODE, 1, 0, 1, 0, [(0, b"")]),
        Calls(NODE, 1, 0, 1, 0, [(6, b"")]), Join(b"", "d", [], b""), Genesis(b"y" * 16, b"", "d", "s", b"", 1), Announced(1, "s", b"", -1, "", 1),
        Genesis(b"y" * 16, b"s" * 32, "d", "s", b"", 1, 0), Genesis(b"y" * 16, b"s" * 32, "d", "", b"", 1), Genesis(b"y" * 16, b"s" * 32, "d", "", b"", 0, 2),
        Genesis(b"y" * 16, b"s" * 32, "d", "s", b"", 1, 2, "t"), Genesis(b"y" * 16, b"s" * 32, "d", "s", b"", 1, 1, "t"), Seal(1, "t"), Seal(2, ""),
        Announced(1, "s", b"", 1, "", -1), Claim(NODE, "", 0), Claim(b"", "", 1),
        Due(b"m" * 16, []), Due(b"m" * 16, [b"short"]), Due(b"", [NODE]), Due(b"m" * 16, [NODE] * 5000), Digest(NODE, b"m" * 16, 8, b"d", b""),
        Digest(NODE, b"m" * 16, -1, b"d" * 32, b""), Digest(NODE, b"", 1, b"d" * 32, b""),
    ],
)  # fmt: skip
def test_a_message_that_somebody_with_the_key_made_wrongly_is_refused(message: Sealed) -> None:
    """Values that none of coopy's has."""
    with pytest.raises(ClusterError, match="none of coopy's"):
        unseal(seal(message, KEY), KEY)
