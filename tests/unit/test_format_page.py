"""docs/format.md shows what is written: its worked example is computed here, byte by byte."""

from __future__ import annotations

from pathlib import Path

import msgspec

from coopy import header
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


if __name__ == "__main__":
    print(example())
