"""Records and their bytes."""

from __future__ import annotations

import random
import zlib

import pytest

from coopy.error import NotSerializableError
from coopy.journal import frame
from coopy.journal.frame import COMPRESSED, HEADER_SIZE, MAX_PAYLOAD, Framer, Kind, genesis_tag, original, salt_of, stored, word_of

SYSTEM = b"a system's id 16"
TAG = genesis_tag(SYSTEM, b"")


def framed(framer: Framer, payload: bytes, kind: int = Kind.MSGPACK) -> tuple[bytes, bytes]:
    return framer.frame(word_of(kind, 0), payload, 7, 3, 2, -120, 1, 1_700_000_000_000_000, TAG)


def test_a_frame_is_read_as_it_was_written() -> None:
    """Every field comes back, the payload behind them, and the tag is the one that was given."""
    framer = Framer(salt_of(SYSTEM), b"")
    data, tag = framed(framer, b"abc")
    found = framer.header(b"xx" + data, 2)
    assert found is not None
    assert (found.kind, found.flags, found.length, found.epoch, found.lsn) == (Kind.MSGPACK, 0, 3, 3, 7)
    assert (found.durable_back, found.utc_offset, found.executed_back, found.time_us) == (2, -120, 1, 1_700_000_000_000_000)
    assert found.tag == tag == framer.tag(data, 0, 3, TAG)
    assert data[HEADER_SIZE:] == b"abc"


def test_a_header_with_any_bit_flipped_is_none() -> None:
    """The CRC covers every byte of it."""
    framer = Framer(salt_of(SYSTEM), b"")
    data, _ = framed(framer, b"abc")
    for bit in range(HEADER_SIZE * 8):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        assert framer.header(bytes(damaged), 0) is None


def test_a_header_of_another_system_or_cut_off_is_none() -> None:
    """The CRC starts from the system's own salt."""
    data, _ = framed(Framer(salt_of(SYSTEM), b""), b"abc")
    assert Framer(salt_of(b"another system's"), b"").header(data, 0) is None
    assert Framer(salt_of(SYSTEM), b"").header(data[: HEADER_SIZE - 1], 0) is None


def test_the_tag_binds_content_history_and_key() -> None:
    """Another payload, predecessor or key gives another tag; durable back does not: it is about one copy on one disk."""
    framer, keyed = Framer(salt_of(SYSTEM), b""), Framer(salt_of(SYSTEM), b"k" * 32)
    data, tag = framed(framer, b"abc")
    assert framed(framer, b"abd")[1] != tag
    assert framed(keyed, b"abc")[1] != tag
    assert framer.tag(data, 0, 3, bytes(16)) != tag
    assert framer.frame(data[:4], b"abc", 7, 3, 0, -120, 1, 1_700_000_000_000_000, TAG)[1] == tag
    assert framer.frame(data[:4], b"abc", 8, 3, 2, -120, 1, 1_700_000_000_000_000, TAG)[1] != tag


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 100_000])
def test_a_payload_never_holds_a_sector_of_zeros(size: int) -> None:
    """So that zeros on disk always mean "never written"; it comes back whole."""
    dice = random.Random(size)
    for payload in (bytes(size), b"a" * size, dice.randbytes(size), dice.randbytes(9) + bytes(size)):
        word, kept = stored(Kind.PICKLE, payload)
        assert bytes(512) not in kept
        assert original(word[3], kept) == payload
        assert word[3] == (COMPRESSED if bytes(512) in payload else 0)


def test_a_call_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is written, saying how much too large."""
    monkeypatch.setattr(frame, "MAX_PAYLOAD", 600)
    assert stored(Kind.MSGPACK, b"a" * 600)[1] == b"a" * 600
    with pytest.raises(NotSerializableError, match="601 bytes"):
        stored(Kind.MSGPACK, b"a" * 601)
    assert MAX_PAYLOAD == 256 << 20


def test_what_inflates_beyond_the_limit_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bomb is not inflated; neither is a stream that does not end."""
    monkeypatch.setattr(frame, "MAX_PAYLOAD", 1000)
    for bad in (zlib.compress(bytes(1001)), zlib.compress(b"abc")[:-1]):
        with pytest.raises(zlib.error):
            original(COMPRESSED, bad)
