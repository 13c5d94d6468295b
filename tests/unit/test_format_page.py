"""docs/format.md shows what is written: its worked example is computed here, byte by byte."""

from __future__ import annotations

import pickle
import struct
import zlib
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec
import pytest

from coopy import control, header, init_system
from coopy.digest import digest
from coopy.digest.dump import Dump
from coopy.journal.frame import Framer, Kind, genesis_tag, salt_of, stored
from coopy.journal.segment import SegmentHeader
from tests.words import Word

PAGE = Path(__file__).parents[2] / "docs" / "format.md"
IDENTITY = header.Identity(bytes(range(16)), bytes(range(32)), "wiki:Wiki")
TIME = 1_767_225_600_000_000  # 2026-01-01 00:00:00 UTC


def example() -> str:
    """The hexadecimal dump of a segment with three records: a call, a second that raises, and the RAISED record."""
    tag = genesis_tag(IDENTITY.system, b"")
    framer = Framer(salt_of(IDENTITY.system), b"")
    data = header.pack(header.SEGMENT, SegmentHeader(IDENTITY, 1, tag), b"")
    for number, call in enumerate((("create_page", "Home", "Welcome"), ("delete_page", "Nowhere")), 1):
        word, payload = stored(Kind.MSGPACK, msgspec.msgpack.encode(call))
        frame, tag = framer.frame(word, payload, number, 1, 1, 60, 1, TIME + number, tag)
        data += frame
    word, payload = stored(Kind.RAISED, msgspec.msgpack.encode((2, "builtins.KeyError")))
    frame, _ = framer.frame(word, payload, 2, 1, 1, 0, 0, TIME + 2, tag)
    return "\n".join(line for line in dumped(data + frame) if line)


def dumped(data: bytes) -> list[str]:
    """Sixteen bytes a line: offset, hexadecimal, text. Lines of zeros are left out."""
    lines = []
    for start in range(0, len(data), 16):
        part = data[start : start + 16]
        text = "".join(chr(one) if 32 <= one < 127 else "." for one in part)
        lines.append(f"{start:05d}  {part.hex(' '):47}  {text}" if part.strip(b"\0") else "")
    return lines


def test_the_pages_example_is_what_is_written() -> None:
    """Where this fails, the format changed: that takes a new version, or the page is wrong."""
    assert example() in PAGE.read_text()


def state() -> Wiki:
    """The state whose dump the page shows."""
    home = Page("Home", Decimal("1.10"), {"b", "a"}, ((1, 2.5), ()))
    wiki = Wiki({"Home": home}, [home, Page("Start", None, set(), (7, "x"))])
    wiki.watched = {wiki.recent[1], home, "all"}
    return wiki


class Wiki:
    """Its module is to be the page's."""

    __module__ = "wiki"

    def __init__(self, pages: dict[str, Page], recent: list[Page]) -> None:
        self.pages, self.recent = pages, recent
        self.watched: set[Any] = set()


class Page:
    """The same."""

    __module__ = "wiki"

    def __init__(self, title: str, price: Decimal | None, tags: set[str], places: tuple[Any, ...]) -> None:
        self.title, self.price, self.tags, self.places = title, price, tags, places


def dump_of(root: object) -> str:
    """A line for each record."""
    data = bytearray()
    Dump().write(root, data.extend)
    lines, unpacker = [], bytes(data)
    while unpacker:
        size = next(size for size in range(1, len(unpacker) + 1) if is_whole(unpacker[:size]))
        lines.append(unpacker[:size].hex())
        unpacker = unpacker[size:]
    return "\n".join(lines)


def is_whole(data: bytes) -> bool:
    """Whether these bytes are one value."""
    try:
        msgspec.msgpack.decode(data)
    except msgspec.DecodeError:
        return False
    return True


def test_the_pages_dump_is_what_is_hashed() -> None:
    """Record by record, and its hash is the digest. Where this fails, equal states of two versions have two digests, or the page is wrong."""
    page = PAGE.read_text()
    lines = dump_of(state()).split("\n")
    assert "\n".join(lines) in page
    hashed = blake2b(bytes.fromhex("".join(lines)), digest_size=32).hexdigest()
    assert hashed == digest(state())
    assert hashed in page


def body_of(data: bytes, magic: bytes, key: bytes) -> tuple[Any, int]:
    """As the page says it of every file: the body, and where it ends."""
    assert data[:12] == magic + bytes((1, 0, 0, 0))
    flags, length, crc = struct.unpack_from("<III", data, 12)
    checked = data[:20] + data[40 : 40 + length]
    assert (flags, crc, data[24:40]) == (bool(key), crc32(checked), blake2b(checked, digest_size=16, key=key).digest())
    return msgspec.msgpack.decode(data[40 : 40 + length]), -(-(40 + length) // 512) * 512


def read_by_the_page(directory: Path, signing_key: bytes | None) -> list[tuple[int, int, Any]]:
    """Type, LSN and content of each record, by what the page says alone: none of coopy's own functions."""
    key = blake2b(signing_key, digest_size=32, person=b"coopy signing").digest() if signing_key else b""
    manifest, _ = body_of((directory / "MANIFEST").read_bytes(), b"coopyMAN", key)
    system = manifest["identity"][0]
    tag, told = blake2b(system, digest_size=16, key=key).digest(), []
    for first, before, *_ in manifest["segments"]:
        data = (directory / f"journal-{first:020}.log").read_bytes()
        about, at = body_of(data, b"coopyJRN", key)
        assert about == [manifest["identity"], first, before]
        assert before == tag
        while at < len(data) and data[at]:
            head, length = data[at : at + 56], int.from_bytes(data[at + 8 : at + 12], "little")
            payload, at = data[at + 56 : at + 56 + length], at + 56 + length
            assert int.from_bytes(head[4:8], "little") == crc32(head[:4] + head[8:], crc32(system))
            tag = blake2b(tag + head[:4] + head[8:24] + head[28:40] + payload, digest_size=16, key=key).digest()
            assert tag == head[40:]
            kind, packed = head[2], zlib.decompress(payload) if head[3] else payload
            content = pickle.loads(packed)[0] if kind == 2 else msgspec.msgpack.decode(packed)
            told.append((kind, int.from_bytes(head[16:24], "little"), content))
    assert manifest["closed"] == told[-1][1]
    return told


@pytest.mark.parametrize("signing_key", [None, b"a key"])
def test_a_reader_made_from_the_page_alone_reads_what_is_written(tmp_path: Path, signing_key: bytes | None) -> None:
    """All kinds of records that a system of its own writes, in two segments."""
    word = init_system(Labelled(), tmp_path / "w", signing_key=signing_key, validation="off")
    word.add("a")
    with pytest.raises(ValueError, match="b"):
        word.add_and_raise("b")
    control(word).take_snapshot()
    word.label = ["c"]
    word.add("\0" * 600)
    found = control(word).digest()
    control(word).close()
    raised = [2, "builtins.ValueError"]
    assert read_by_the_page(tmp_path / "w", signing_key) == [
        (5, 0, 1), (1, 1, ["add", "a"]), (1, 2, ["add_and_raise", "b"]), (3, 2, raised), (8, 2, 3),
        (2, 3, "label="), (1, 4, ["add", "\0" * 600]), (6, 4, [4, found]), (7, 4, 4),
    ]  # fmt: skip


class Labelled(Word):
    """With a property that can be set."""

    @property
    def label(self) -> list[str]:
        return [self.text]

    @label.setter
    def label(self, label: list[str]) -> None:
        self.text = label[0]


if __name__ == "__main__":
    print(example())
    print(dump_of(state()))
    print(digest(state()))
