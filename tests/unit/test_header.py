"""The first bytes of every file: nothing of them is believed before it was checked."""

from __future__ import annotations

import struct
import zlib

import msgspec
import pytest

from coopy import header
from coopy.error import AuthenticationError, CoopyError, CorruptionError, FormatError
from coopy.header import HWM, MANIFEST, PREFIX, SECTOR, SEGMENT, SNAPSHOT, Identity, derive_key, pack, unpack


class Body(msgspec.Struct, frozen=True):
    word: str
    number: int = 0


class Longer(msgspec.Struct, frozen=True):
    word: str
    number: int = 0
    later: str = ""


KEYS = [b"", derive_key(b"k")]


def read(data: bytes, key: bytes = b"", magic: bytes = SEGMENT) -> tuple[Body, int]:
    return unpack(data, magic, Body, key, "a file")


def resealed(data: bytes, at: int, new: bytes) -> bytes:
    """Changed, and its CRC made right again."""
    data = data[:at] + new + data[at + len(new) :]
    length = struct.unpack_from("<I", data, 16)[0]
    crc = zlib.crc32(data[:20] + data[PREFIX.size : PREFIX.size + length])
    return data[:20] + struct.pack("<I", crc) + data[24:]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("size", [0, 1, 400, 470, 471, 472, 1000, 70_000])
def test_a_header_comes_back_and_fills_whole_sectors(key: bytes, size: int) -> None:
    """And what follows it in the file begins at its end."""
    body = Body("a" * size, 7)
    data = pack(SEGMENT, body, key)
    assert len(data) % SECTOR == 0
    assert read(data, key) == read(data + b"frames", key) == (body, len(data))


@pytest.mark.parametrize("key", KEYS)
def test_a_flipped_bit_is_found(key: bytes) -> None:
    """Every bit, but for the padding, which is no part of the header."""
    data = pack(SEGMENT, Body("abc"), key)
    end = PREFIX.size + struct.unpack_from("<I", data, 16)[0]
    for bit in range(end * 8):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CoopyError, match="a file"):
            read(bytes(damaged), key)


@pytest.mark.parametrize("key", KEYS)
def test_a_header_cut_off_anywhere_is_named(key: bytes) -> None:
    """In the padding, too: the sector was not written."""
    data = pack(SEGMENT, Body("abc"), key)
    for size in range(len(data)):
        with pytest.raises(CorruptionError) as caught:
            read(data[:size], key)
        assert caught.value.path == "a file"


def test_every_file_says_what_it_is() -> None:
    """One is not taken for another."""
    kinds = [SEGMENT, SNAPSHOT, MANIFEST, HWM]
    assert len(set(kinds)) == 4
    for kind in kinds[1:]:
        with pytest.raises(CorruptionError, match="does not begin like"):
            read(pack(kind, Body("a"), b""))


@pytest.mark.parametrize(("at", "new"), [(8, b"\x02\0"), (8, b"\xff\xff"), (12, b"\x02\0\0\0"), (12, b"\0\0\0\x80")])
def test_a_newer_major_version_or_an_unknown_flag_is_refused_by_name(at: int, new: bytes) -> None:
    """Before the check and the body are looked at; where the CRC does not hold it is damage."""
    data = pack(SEGMENT, Body("a"), b"")
    with pytest.raises(FormatError, match="newer coopy") as caught:
        read(resealed(data, at, new))
    assert caught.value.version == ("1.0" if at == 12 else f"{struct.unpack('<H', new)[0]}.0")
    with pytest.raises(CorruptionError, match="damaged") as damaged:
        read(data[:at] + new + data[at + len(new) :])
    assert type(damaged.value) is CorruptionError


def test_a_newer_minor_version_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it added to the body is passed over, and what an older one lacks has its default."""
    monkeypatch.setattr(header, "MINOR", 1)
    assert read(pack(SEGMENT, Longer("a", 1, "later"), b""))[0] == Body("a", 1)
    monkeypatch.undo()
    assert unpack(pack(SEGMENT, Body("a"), b""), SEGMENT, Longer, b"", "a file")[0] == Longer("a")


@pytest.mark.parametrize(
    ("written", "given", "why"), [(b"", b"k", "not signed"), (b"k", b"", "is signed"), (b"k", b"l", "another key")]
)  # fmt: skip
def test_only_the_right_key_reads(written: bytes, given: bytes, why: str) -> None:
    """With a key nothing unsigned, without one nothing signed."""
    data = pack(SEGMENT, Body("a"), derive_key(written))
    with pytest.raises(AuthenticationError, match=why):
        read(data, derive_key(given))


def test_a_stripped_signature_is_no_way_around() -> None:
    """The flag taken away and the CRC mended: nothing is read, with a key or without."""
    data = resealed(pack(SEGMENT, Body("a"), derive_key(b"k")), 12, b"\0\0\0\0")
    with pytest.raises(AuthenticationError):
        read(data, derive_key(b"k"))
    with pytest.raises(CorruptionError):
        read(data)


@pytest.mark.parametrize("at", range(24, 40))
def test_a_damaged_check_of_what_nobody_signed_is_damage(at: int) -> None:
    """No key would read it: none is asked for."""
    data = pack(SEGMENT, Body("a"), b"")
    with pytest.raises(CorruptionError, match="damaged at offset 24") as caught:
        read(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    assert caught.value.offset == 24


def test_keys_of_any_length_are_derived() -> None:
    """32 bytes, all different; no key is no key."""
    made = {derive_key(key) for key in (b"a", b"b", b"a" * 1000, b"\0", b"\0\0")}
    assert (len(made), {len(key) for key in made}) == (5, {32})
    assert derive_key(None) == derive_key(b"") == b""


@pytest.mark.parametrize("length", [2**32 - 1, header.MAX_BODY + 1, 10_000])
def test_a_length_that_cannot_be_asks_for_no_memory(length: int) -> None:
    """It is damage."""
    data = pack(SEGMENT, Body("a"), b"")
    with pytest.raises(CorruptionError):
        read(data[:16] + struct.pack("<I", length) + data[20:])


def test_a_body_of_another_shape_is_corruption() -> None:
    """Well checked, but not what belongs there."""
    with pytest.raises(CorruptionError, match="cannot be read"):
        read(pack(SEGMENT, Identity(b"", b"", ""), b""))
