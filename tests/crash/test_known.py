"""What was checked once is known by its digest: faster to restore, and no way around any check."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec
import pytest

from coopy.disk.fake import FakeDisk
from coopy.error import AuthenticationError, CorruptionError
from coopy.header import derive_key
from coopy.journal.frame import HEADER_SIZE, Framer, salt_of
from coopy.journal.segment import read_header, segment_name
from coopy.manifest import Listed, read_manifest, write_manifest
from coopy.wiring import Options, open_proxy
from tests.crash.test_power_cut import Run, letters
from tests.words import Word

DIRECTORY = "/data/w"
FIRST = f"{DIRECTORY}/{segment_name(1)}"
KEY = b"a key of the test"
KEYS = [None, KEY]


class Story:
    """A word on a fake disk that is opened, written to, and closed or just left."""

    def __init__(self, key: bytes | None = None, durability: Any = "sync") -> None:
        self.disk, self.key, self.durability = FakeDisk(), key, durability
        self.run = Run(self.disk, durability)

    def open(self) -> None:
        options = Options(durability=self.durability, signing_key=self.key, sync_interval=3600)
        self.run.word = open_proxy(Word, DIRECTORY, options, self.disk)

    def close(self) -> None:
        self.run.word.close()
        self.run.abandon()

    def kill(self) -> None:
        self.run.abandon()
        self.disk = self.run.disk = self.disk.kill()

    def text(self) -> str:
        """What a restart gives. It leaves the disk as it was."""
        kept, self.disk = self.disk, self.disk.kill()
        try:
            self.open()
            return str(self.run.word.text)
        finally:
            self.run.abandon()
            self.disk = kept

    def damage(self) -> Any:
        """The error that stops a restart."""
        with pytest.raises(CorruptionError) as caught:
            self.text()
        return caught.value

    def listed(self) -> tuple[Listed, ...]:
        manifest = read_manifest(self.disk, DIRECTORY, derive_key(self.key))
        assert manifest is not None
        return manifest.segments

    def list_first(self, key: bytes, **fields: Any) -> None:
        """Write a manifest that says something else of the first segment."""
        manifest = read_manifest(self.disk, DIRECTORY, derive_key(self.key))
        assert manifest is not None
        first, *others = manifest.segments
        changed = msgspec.structs.replace(manifest, segments=(msgspec.structs.replace(first, **fields), *others))
        write_manifest(self.disk, DIRECTORY, changed, key)

    def flip(self, offset: int) -> None:
        data = self.disk.read(FIRST)
        file = self.disk.open(FIRST)
        file.write(offset, bytes([data[offset] ^ 0x20]))
        file.close()

    def payload_of(self, lsn: int) -> int:
        """Where the payload of an action ends."""
        data = self.disk.read(FIRST)
        about, offset = read_header(data, derive_key(self.key), FIRST, None)
        framer = Framer(salt_of(about.identity.system), derive_key(self.key))
        while (frame := framer.header(data, offset)) is not None:
            offset += HEADER_SIZE + frame.length
            if frame.lsn == lsn and frame.kind in {1, 2}:
                return offset - 1
        raise AssertionError(lsn)


def closed(key: bytes | None = None, durability: Any = "sync") -> Story:
    """Five letters, with every kind of record between them."""
    story = Story(key, durability)
    story.open()
    story.run.add(3)
    story.run.fail_twice()
    story.run.word.keep({"pickled": [1], "zeros": bytes(600)})
    story.run.add(2)
    story.close()
    return story


@pytest.mark.parametrize("durability", ["sync", "buffered"])
@pytest.mark.parametrize("key", KEYS)
def test_a_closed_journal_is_known_as_a_whole(key: bytes | None, durability: Any) -> None:
    """The digest is of the file as it is, and a restart gives the same state by it."""
    story = closed(key, durability)
    data = story.disk.read(FIRST)
    assert [(one.size, one.digest) for one in story.listed()] == [(len(data), sha256(data).digest())]
    assert story.text() == letters(5)


def test_known_bytes_are_not_checked_one_by_one() -> None:
    """Whoever can write an unsigned directory can make them known: a changed letter passes, as it would with new tags."""
    story = closed()
    story.flip(story.payload_of(1))
    story.list_first(b"", digest=sha256(story.disk.read(FIRST)).digest())
    assert story.text() == "A" + letters(5)[1:]


@pytest.mark.parametrize("key", KEYS)
def test_a_digest_that_does_not_match_is_no_error(key: bytes | None) -> None:
    """Each record is checked, and holds. The next opening knows the bytes again."""
    story = closed(key)
    story.list_first(derive_key(key), digest=bytes(32))
    assert story.text() == letters(5)
    story.list_first(derive_key(key), size=1 << 40)
    assert story.text() == letters(5)
    story.open()
    story.kill()
    assert story.listed()[0].size > 0
    assert story.listed()[0].digest == sha256(story.disk.read(FIRST)[: story.listed()[0].size]).digest()


@pytest.mark.parametrize("key", KEYS)
def test_damage_in_known_bytes_is_named(key: bytes | None) -> None:
    """File, offset and LSN, as if nothing had been known."""
    story = closed(key)
    place = story.payload_of(2)
    story.flip(place)
    named = story.damage()
    assert (named.path, named.lsn) == (FIRST, 2)
    assert named.offset < place < named.offset + 100


def test_a_forged_digest_is_worthless_under_a_key() -> None:
    """What says that bytes are known is signed itself."""
    story = closed(KEY)
    story.flip(story.payload_of(1))
    story.list_first(derive_key(b"another key"), digest=sha256(story.disk.read(FIRST)).digest())
    with pytest.raises(AuthenticationError):
        story.text()


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("durability", ["sync", "buffered"])
def test_what_others_change_before_the_end_does_not_become_known(
    key: bytes | None, durability: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The digest is of bytes whose tags were checked, never of whatever the file holds when it is closed."""
    story = Story(key, durability)
    story.open()
    story.run.add(5)
    story.flip(story.payload_of(2))
    story.close()
    assert "damaged" in caplog.text
    assert story.listed()[0].size < story.payload_of(1) + 100
    assert story.damage().lsn == 2


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("durability", ["sync", "buffered"])
def test_a_known_beginning_goes_on_with_records_that_are_checked(key: bytes | None, durability: Any) -> None:
    """Closed, opened, written to, killed: all of it is there; and damage behind the known beginning is named as ever."""
    story = closed(key, durability)
    story.open()
    story.run.add(3)
    story.kill()
    assert 0 < story.listed()[0].size < story.payload_of(9)
    assert story.text() == letters(8)
    story.flip(story.payload_of(10))
    assert story.damage().lsn == 10


def test_a_second_end_makes_all_of_it_known() -> None:
    """Also where the first one's records are not read again."""
    story = closed()
    for count in (2, 0, 1):
        story.open()
        story.run.add(count)
        story.close()
    data = story.disk.read(FIRST)
    assert [(one.size, one.digest) for one in story.listed()] == [(len(data), sha256(data).digest())]
    assert story.text() == letters(8)


def test_sealed_segments_are_known_after_the_next_opening() -> None:
    """It checked them."""
    story = Story()
    options = Options(sync_interval=3600, segment_bytes=4096)
    story.run.word = open_proxy(Word, DIRECTORY, options, story.disk)
    story.run.add(100)
    story.kill()
    assert len(story.listed()) == 2
    assert all(one.size <= 512 for one in story.listed())
    assert story.text() == letters(100)
    story.open()
    story.kill()
    for one in story.listed():
        data = story.disk.read(f"{DIRECTORY}/{segment_name(one.first_lsn)}")
        assert one.digest == sha256(data[: one.size]).digest()
        assert one.size > 512
    assert story.text() == letters(100)
