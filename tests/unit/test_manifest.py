"""The list of what belongs to a directory: replaced as a whole, missed when it is gone."""

from __future__ import annotations

import errno
import random

import pytest

from coopy.disk.fake import FakeDisk, PowerCut
from coopy.error import AuthenticationError, CorruptionError
from coopy.header import Identity, derive_key
from coopy.manifest import Listed, Manifest, is_own, read_manifest, write_manifest

WHO = Identity(b"i" * 16, b"s" * 32, "words:Word")
OLD = Manifest(WHO, 1, (Listed(1, b"t" * 16),), (0,))
NEW = Manifest(WHO, 2, (Listed(1, b"t" * 16), Listed(8, b"u" * 16)), (0, 7), closed=9, skips=(3, 4))


def fresh() -> FakeDisk:
    disk = FakeDisk()
    disk.make_directories("/w")
    return disk


@pytest.mark.parametrize("key", [b"", derive_key(b"k")])
def test_a_manifest_comes_back(key: bytes) -> None:
    """All of it; none is None."""
    disk = fresh()
    assert read_manifest(disk, "/w", key) is None
    for manifest in (OLD, NEW, OLD):
        write_manifest(disk, "/w", manifest, key)
        assert read_manifest(disk, "/w", key) == manifest
    assert disk.entries("/w") == ["MANIFEST"]


def test_a_crash_at_any_call_leaves_the_old_one_or_the_new_one() -> None:
    """Never a part, never none; and once writing has returned, the new one."""
    calls = 0
    for nth in range(1, 100):
        disk = fresh()
        write_manifest(disk, "/w", OLD, b"")
        before = len(disk.calls)
        disk.crash_at(before + nth)
        try:
            write_manifest(disk, "/w", NEW, b"")
        except PowerCut:
            calls += 1
        for seed in range(20):
            found = read_manifest(disk.crash(random.Random(seed)), "/w", b"")
            assert found in ([NEW] if calls < nth else [OLD, NEW])
        if calls < nth:
            break
    assert calls > 3


def test_a_failure_at_any_call_leaves_the_old_one_or_the_new_one() -> None:
    """And what was begun is not in the way of the next."""
    failed = 0
    for nth in range(1, 100):
        disk = fresh()
        write_manifest(disk, "/w", OLD, b"")
        disk.fail(len(disk.calls) + nth, errno.EIO)
        try:
            write_manifest(disk, "/w", NEW, b"")
        except OSError:
            failed += 1
            assert read_manifest(disk, "/w", b"") in (OLD, NEW)
            write_manifest(disk, "/w", NEW, b"")
        if failed < nth:
            break
        assert read_manifest(disk, "/w", b"") == NEW
    assert failed > 3


def test_a_damaged_manifest_is_named() -> None:
    """Empty, cut off, changed, or of another key."""
    disk = fresh()
    write_manifest(disk, "/w", NEW, b"")
    data = disk.read("/w/MANIFEST")
    for damaged in (b"", data[:100], data[:60] + b"x" + data[61:], data[:-1]):
        other = fresh()
        other.create("/w/MANIFEST").write(0, damaged)
        with pytest.raises(CorruptionError, match="/w/MANIFEST"):
            read_manifest(other, "/w", b"")
    with pytest.raises(AuthenticationError):
        read_manifest(disk, "/w", derive_key(b"k"))


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("MANIFEST", True), ("LOCK", True), ("HWM", True), ("quarantine", True), ("MANIFEST.tmp", True), (".hidden", True), ("lost+found", True),
        (f"journal-{1:020d}.log", True), (f"snapshot-{1:020d}.snap", True), (f"snapshot-{1:020d}.snap.tmp", True), ("manifest", False), ("MANIFEST.tmp.tmp", False),
        ("journal-1.log", False), (f"journal-{1:020d}.snap", False), (f"journal-{-1:020d}.log", False), (f"journal-{1:020d}.log\n", False), ("x", False),
        (f"journal-{1:020d}.log".replace("1", "\u0661"), False), ("", False),
    ],
)  # fmt: skip
def test_only_exact_names_are_coopys_own(name: str, own: bool) -> None:
    """Hidden files and what a file system keeps for itself may lie beside them."""
    assert is_own(name) is own
