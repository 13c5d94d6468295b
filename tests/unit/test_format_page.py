"""docs/format.md shows what is written: its worked example is computed here, byte by byte."""

from __future__ import annotations

from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from coopy import header
from coopy.digest import digest
from coopy.digest.dump import Dump
from coopy.journal.frame import Framer, Kind, genesis_tag, salt_of, stored
from coopy.journal.segment import SegmentHeader

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


if __name__ == "__main__":
    print(example())
    print(dump_of(state()))
    print(digest(state()))
