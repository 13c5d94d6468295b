"""Damage is named, never passed over: every truncation and a flipped bit in every byte of every file, and files that are missing, swapped or foreign."""

from __future__ import annotations

import random
import re
import struct
import zlib
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from coopy import control, init_system
from coopy.cli import main
from coopy.disk.fake import FakeDisk
from coopy.error import AuthenticationError, CoopyError, CorruptionError, FormatError, UsageError
from coopy.journal.frame import MAGIC, Framer, Kind, salt_of, word_of
from coopy.journal.segment import segment_name
from coopy.manifest import read_manifest
from coopy.wiring import Options, open_proxy
from tests.crash.points import bytes_of
from tests.crash.test_power_cut import Run, letters
from tests.words import Word

DIRECTORY = "/data/w"
KEY = b"a key of the test"
STRIDE = 40  # every 40th byte, beside those at the edges; `make faults` takes every byte


def small_system(*, close: bool, key: bytes | None = None) -> FakeDisk:
    """Two snapshots, two segments, a raised and an aborted call; closed or just left."""
    disk = FakeDisk()
    run = Run(disk, "sync")
    run.word = open_proxy(Word, DIRECTORY, Options(signing_key=key, sync_interval=3600), disk)
    run.add(3)
    run.fail_twice()
    run.word.take_snapshot()
    run.add(3)
    if close:
        run.word.close()
    run.abandon()
    return disk.kill()


def look(disk: FakeDisk, key: bytes | None = None) -> str:
    """Open, read, let go."""
    run = Run(disk, "sync")
    run.word = open_proxy(Word, DIRECTORY, Options(signing_key=key, sync_interval=3600), disk)
    try:
        return str(run.word.text)
    finally:
        run.abandon()


def files(disk: FakeDisk) -> list[str]:
    return [name for name in disk.entries(DIRECTORY) if name not in {"LOCK", "quarantine"}]


def change(disk: FakeDisk, name: str, offset: int, value: int) -> FakeDisk:
    copy = disk.kill()
    file = copy.open(f"{DIRECTORY}/{name}")
    file.write(offset, bytes([value]))
    file.close()
    return copy


def starts(data: bytes) -> list[int]:
    """Where the records of a segment begin."""
    return [one.start() for one in re.finditer(re.escape(MAGIC), data)]


def flip_bits(close: bool, key: bytes | None, stride: int, seed: int) -> int:
    """Flip one bit in every so many bytes of each file, open, compare. Gives how many openings were refused."""
    disk, dice, named = small_system(close=close, key=key), random.Random(seed), 0
    for name in files(disk):
        data = disk.read(f"{DIRECTORY}/{name}")
        for offset in bytes_of(data, starts(data), stride, dice):
            damaged = change(disk, name, offset, data[offset] ^ 1 << dice.randrange(8))
            try:
                assert look(damaged, key) == letters(6), f"{name} at {offset}"
            except CoopyError as error:
                named += 1
                assert name.removesuffix(".tmp") in str(error) or "path" in vars(error), str(error)
    return named


@pytest.mark.parametrize("key", [None, KEY])
@pytest.mark.parametrize("close", [True, False])
def test_a_flipped_bit_in_any_byte_is_named_or_does_not_matter(close: bool, key: bytes | None) -> None:
    """Either opening stops with an error that names the file, or the state is the whole one (a spare copy served, or padding was hit)."""
    assert flip_bits(close, key, STRIDE, seed=7) > 20


def cut_off(close: bool, stride: int, seed: int) -> int:
    """Truncate each file at every so many bytes, open, compare. Gives how many cases there were."""
    disk, dice, cases = small_system(close=close), random.Random(seed), 0
    for name in files(disk):
        data = disk.read(f"{DIRECTORY}/{name}")
        for size in bytes_of(data, starts(data), stride, dice):
            cases += 1
            copy = disk.kill()
            file = copy.open(f"{DIRECTORY}/{name}")
            file.truncate(size)
            file.close()
            try:
                text = look(copy)
            except CoopyError:
                continue
            assert text == letters(len(text)), f"{name} cut at {size}"
            assert not close or text == letters(6), f"{name} cut at {size}"
    return cases


@pytest.mark.parametrize("close", [True, False])
def test_a_file_cut_off_at_any_byte_is_named_or_leaves_a_beginning(close: bool) -> None:
    """A cleanly closed directory opens whole or not at all; one that was just left may lose a record that was never known to be durable."""
    assert cut_off(close, STRIDE, seed=7) > 100


@pytest.mark.parametrize("name", ["MANIFEST", "HWM", "journal-00000000000000000006.log", "snapshot-00000000000000000005.snap"])
def test_a_missing_file_is_named(name: str) -> None:
    """Nothing is made up for what is not there."""
    disk = small_system(close=True)
    name = next((one for one in files(disk) if one[:9] == name[:9] and one >= name), name)
    disk.unlink(f"{DIRECTORY}/{name}")
    with pytest.raises(CorruptionError, match=name):
        look(disk)


def test_the_snapshot_before_serves_where_the_newest_is_damaged(caplog: pytest.LogCaptureFixture) -> None:
    """Loudly."""
    disk = small_system(close=True)
    newest = max(name for name in files(disk) if name.startswith("snapshot-"))
    damaged = change(disk, newest, 700, 0xFF)
    assert look(damaged) == letters(6)
    assert newest in caplog.text


def test_a_segment_of_another_system_is_refused() -> None:
    """Its name is right, its identity is not."""
    disk, other = small_system(close=True), small_system(close=True)
    name = max(name for name in files(disk) if name.startswith("journal-"))
    file = disk.open(f"{DIRECTORY}/{name}")
    file.truncate(0)
    file.write(0, other.read(f"{DIRECTORY}/{name}"))
    file.close()
    with pytest.raises(CorruptionError, match="another system"):
        look(disk)


def test_foreign_files_and_old_directories_are_refused_by_name() -> None:
    """A file that is not coopy's, and a directory of coopy 0.7."""
    disk = small_system(close=True)
    disk.create(f"{DIRECTORY}/notes.txt").close()
    with pytest.raises(UsageError, match=r"notes\.txt"):
        look(disk)
    old = FakeDisk()
    old.make_directories(DIRECTORY)
    old.create(f"{DIRECTORY}/coopy.json").close()
    with pytest.raises(FormatError, match=r"0\.7"):
        look(old)


@pytest.mark.parametrize(("written", "read"), [(None, KEY), (KEY, None), (KEY, b"another key")])
def test_the_wrong_signing_key_opens_nothing(written: bytes | None, read: bytes | None) -> None:
    """Nothing unsigned is read with a key, nothing signed without or with another."""
    with pytest.raises(AuthenticationError):
        look(small_system(close=True, key=written), read)


@pytest.mark.parametrize("name", ["MANIFEST", "journal-", "snapshot-"])
def test_a_newer_format_is_refused_by_its_version(name: str) -> None:
    """The error says which version, before anything of it is decoded."""
    disk = small_system(close=True)
    newest = max(one for one in files(disk) if one.startswith(name))
    path = f"{DIRECTORY}/{newest}"
    data = bytearray(disk.read(path))
    data[8] = 2
    seal(data)
    file = disk.open(path)
    file.write(0, bytes(data))
    file.close()
    with pytest.raises(FormatError, match=r"2\.0"):
        look(disk)


def seal(data: bytearray) -> None:
    """Make the header's CRC right again."""
    length = struct.unpack_from("<I", data, 16)[0]
    data[20:24] = struct.pack("<I", zlib.crc32(bytes(data[:20]) + bytes(data[40 : 40 + length])))


def test_repair_rebuilds_a_lost_manifest(tmp_path: Any) -> None:
    """The one way out that the error names, tried as an operator would."""
    with control(init_system(Word, tmp_path / "w")) as word:
        word.add("a")
        control(word).take_snapshot()
        word.add("b")
    (tmp_path / "w" / "MANIFEST").unlink()
    with pytest.raises(CorruptionError, match="repair --manifest"):
        init_system(Word, tmp_path / "w")
    assert CliRunner().invoke(main, ["check", str(tmp_path / "w")]).exit_code == 1
    ran = CliRunner().invoke(main, ["repair", "--yes", "--manifest", str(tmp_path / "w")])
    assert ran.exit_code == 0, ran.output
    assert CliRunner().invoke(main, ["check", str(tmp_path / "w")]).exit_code == 0
    assert "tests.words:Word" in CliRunner().invoke(main, ["status", str(tmp_path / "w")]).output
    with control(init_system(Word, tmp_path / "w")) as word:
        assert word.text == "ab"


def test_what_a_torn_tail_says_of_an_action_does_not_count() -> None:
    """Given a record that a crash tore, and behind it one that would leave out an action long done: nobody vouches for it, the action counts."""
    disk = FakeDisk()
    run = Run(disk, "sync")
    run.word = open_proxy(Word, DIRECTORY, Options(sync_interval=3600), disk)
    run.add(3)
    run.abandon()
    disk = disk.kill()
    manifest = read_manifest(disk, DIRECTORY, b"")
    assert manifest is not None
    framer, path = Framer(salt_of(manifest.identity.system), b""), f"{DIRECTORY}/{segment_name(1)}"
    end = len(disk.read(path).rstrip(b"\0"))
    torn, tag = framer.frame(word_of(Kind.MSGPACK, 0), msgspec.msgpack.encode(("add", "x" * 2000)), 4, 1, 1, 0, 1, 1 << 60, bytes(16))
    skip, _ = framer.frame(word_of(Kind.SKIP, 0), msgspec.msgpack.encode((2, "builtins.ValueError")), 4, 1, 1, 0, 1, 1 << 60, tag)
    file = disk.open(path)
    file.write(end, torn[:400] + bytes(1200) + torn[1600:] + skip)
    file.close()
    assert look(disk) == letters(3)


def test_a_torn_word_about_an_action_blames_nobody() -> None:
    """Given the word that an action raised, torn by a crash in the name of the exception, the action counts as one whose outcome is unknown."""
    disk = FakeDisk()
    run = Run(disk, "sync")
    run.word = open_proxy(Word, DIRECTORY, Options(sync_interval=3600), disk)
    run.add(3)
    with pytest.raises(ValueError, match="d"):
        run.word.add_and_raise("d")
    run.abandon()
    disk = disk.kill()
    manifest = read_manifest(disk, DIRECTORY, b"")
    assert manifest is not None
    framer, path = Framer(salt_of(manifest.identity.system), b""), f"{DIRECTORY}/{segment_name(1)}"
    end = len(disk.read(path).rstrip(b"\0"))
    said = msgspec.msgpack.encode((4, "some.package.Error" * 60))
    word, _ = framer.frame(word_of(Kind.RAISED, 0), said, 4, 1, 1, 0, 1, 1 << 60, bytes(16))
    torn = (end // 512 + 2) * 512 - end  # the sector behind the first whole one within it never came
    file = disk.open(path)
    file.write(end, word[:torn] + bytes(512) + word[torn + 512 :])
    file.close()
    assert look(disk) == letters(3) + "d"
