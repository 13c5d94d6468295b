"""The common call and the general one, side by side: what they write, answer and leave is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from coopy import control, init_system
from coopy.journal.frame import HEADER_SIZE
from coopy.journal.segment import Head, Scan, records
from coopy.wiring.systems import _systems
from tests.words import Word

if TYPE_CHECKING:
    from pathlib import Path


def test_both_ways_write_the_same_record(tmp_path: Path) -> None:
    """All fields of the header but those that count (LSN, time, tag), and the payload."""
    word = init_system(Word(), tmp_path / "w", durability="buffered", sync_interval=3600)
    engine, archive = _systems[type(word)].engine, _systems[type(word)].archive

    def common(name: str, *args: object) -> object:
        return getattr(word, name)(*args)

    def general(name: str, *args: object) -> object:
        return engine.call(name, args, {})

    for way in (common, general, common):
        way("add", "a")
        with pytest.raises(ValueError, match="b"):
            way("add_and_raise", "b")
        with pytest.raises(ValueError, match="c"):
            way("add_or_abort", "c", True)
    assert word.text == "ab" * 3
    assert engine.executed == engine.journal.known == engine.journal.lsn == 9
    control(word).close()
    segment = archive.segment(archive.manifest.segments[0])
    start = Scan(Head(0, 0, 0, segment.about.previous_tag, b""), segment.start)
    kept = list(records(segment.data, archive.framer, start, segment.path))
    assert [lsn for lsn, *_ in kept] == list(range(1, 10))
    shown = [headers(segment.data, segment.start)[start : start + 3] for start in (0, 3, 6)]
    assert shown[0] == shown[1] == shown[2]
    assert [record[4] for record in kept[:3]] == [record[4] for record in kept[3:6]]
    with control(init_system(Word, tmp_path / "w")) as again:
        assert again.text == "ab" * 3


def headers(data: bytes, offset: int) -> list[tuple[Any, ...]]:
    """Word, length, epoch, distance of durable from the first record, zone and executed back of each call."""
    found = []
    while data[offset : offset + 2] == b"cp":
        length = int.from_bytes(data[offset + 8 : offset + 12], "little")
        lsn, back = int.from_bytes(data[offset + 16 : offset + 24], "little"), int.from_bytes(data[offset + 24 : offset + 28], "little")
        if data[offset + 2] <= 2:
            found.append((data[offset : offset + 4], length, data[offset + 12 : offset + 16], lsn - back, data[offset + 28 : offset + 32]))
        offset += HEADER_SIZE + length
    return found
