"""How every file of a data directory begins: what it is, of which version, of which system, and a check over all of that.

    offset  size  field
         0     8  magic: what the file is (SEGMENT, SNAPSHOT, MANIFEST, HWM)
         8     2  major version; a reader refuses a newer one
        10     2  minor version; a reader ignores what a newer one added to the body
        12     4  flags; bit 0: signed with a key. A reader refuses flags it does not know
        16     4  length of the body in bytes
        20     4  CRC-32 of everything else, the check left out: tells damage from a wrong key
        24    16  check: BLAKE2b-128 of everything before the CRC and the body, keyed when signed
        40        body: a MessagePack map, then zeros up to a multiple of 512 bytes

All integers are little-endian. Nothing is decoded before version, flags, CRC and check have passed, in this order. Pure: bytes in, bytes out.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import TypeVar

import msgspec

from coopy.error import AuthenticationError, CorruptionError, FormatError

__all__ = ["HWM", "MANIFEST", "SECTOR", "SEGMENT", "SNAPSHOT", "Identity", "derive_key", "pack", "unpack"]

SEGMENT, SNAPSHOT, MANIFEST, HWM = b"coopyJRN", b"coopySNP", b"coopyMAN", b"coopyHWM"
MAJOR, MINOR = 1, 0
SECTOR = 512
SIGNED = 1
MAX_BODY = 16 << 20  # far above any real one; keeps a damaged length from asking for memory
PREFIX = struct.Struct("<8sHHIII16s")
CHECK_AT = 24

Body = TypeVar("Body", bound=msgspec.Struct)


class Identity(msgspec.Struct, frozen=True, array_like=True):
    """Whose files these are: the system's id (16 bytes), the secret that seeds its random numbers (32), its class "module:Name"."""

    system: bytes
    secret: bytes
    domain: str


def derive_key(signing_key: bytes | None) -> bytes:
    """The 32 bytes that key every check, from a key of any length; empty (unkeyed BLAKE2b) without one."""
    return hashlib.blake2b(signing_key, digest_size=32, person=b"coopy signing").digest() if signing_key else b""


def pack(magic: bytes, body: msgspec.Struct, key: bytes) -> bytes:
    """The header's bytes, a multiple of 512."""
    content = msgspec.msgpack.encode(body)
    front = struct.pack("<8sHHII", magic, MAJOR, MINOR, SIGNED if key else 0, len(content))
    data = front + struct.pack("<I", zlib.crc32(front + content)) + _check(front, content, key) + content
    return data + bytes(-len(data) % SECTOR)


def unpack(data: bytes, magic: bytes, kind: type[Body], key: bytes, path: str) -> tuple[Body, int]:
    """The body, and the offset where the header ends.

    Raises FormatError (another program's or a newer file), CorruptionError (damage), AuthenticationError (wrong or missing key). A check that does
    not match is damage where there is no key, which could be another one.
    """
    if len(data) < PREFIX.size:
        raise CorruptionError(f"{path} is cut off: {len(data)} bytes, a header has {PREFIX.size} and more.", path=path, offset=0)
    found, major, minor, flags, length, crc, check = PREFIX.unpack_from(data)
    if found != magic:
        what = f"{path} does not begin like a file of coopy: expected {magic!r}, found {found!r}."
        raise CorruptionError(what, path=path, offset=0)
    content = data[PREFIX.size : PREFIX.size + min(length, MAX_BODY)]
    intact = len(content) == length and zlib.crc32(data[:20] + content) == crc
    if major > MAJOR or flags & ~SIGNED:
        _refuse_newer(path, f"{major}.{minor}", flags, intact=intact)
    if not intact:
        raise CorruptionError(f"The header of {path} is damaged at offset 0: its CRC does not match.", path=path, offset=0)
    _authenticate(path, signed=bool(flags & SIGNED), valid=check == _check(data[:20], content, key), keyed=bool(key))
    end = PREFIX.size + len(content) + -(PREFIX.size + len(content)) % SECTOR
    if len(data) < end:
        raise CorruptionError(f"{path} is cut off: {len(data)} bytes, its header has {end}.", path=path, offset=len(data))
    try:
        return msgspec.msgpack.decode(content, type=kind), end
    except msgspec.MsgspecError as error:
        raise CorruptionError(f"The header of {path} cannot be read: {error}.", path=path, offset=PREFIX.size) from error


def _check(front: bytes, content: bytes, key: bytes) -> bytes:
    return hashlib.blake2b(front + content, digest_size=16, key=key).digest()


def _refuse_newer(path: str, version: str, flags: int, *, intact: bool) -> None:
    if not intact and not version.startswith(f"{MAJOR}."):
        what = f"The header of {path} is damaged, or of a newer form: it says version {version} and its CRC does not match."
        raise CorruptionError(what, path=path, offset=8)
    if not intact:
        raise CorruptionError(f"The header of {path} is damaged at offset 0: its CRC does not match.", path=path, offset=0)
    what = f"{path} has format {version} (flags {flags:#x}); this coopy reads up to {MAJOR}.{MINOR}. Open it with a newer coopy."
    raise FormatError(what, path=path, version=version, offset=8)


def _authenticate(path: str, *, signed: bool, valid: bool, keyed: bool) -> None:
    if signed and not keyed:
        raise AuthenticationError(
            f"{path} is signed: pass the signing_key it was written with. Nothing was read beyond its header.", path=path
        )
    if keyed and not signed:
        what = f"{path} is not signed, and a signing_key was given: nothing unsigned is read. Open it without a key if you trust it."
        raise AuthenticationError(what, path=path)
    if not valid and not keyed:
        raise CorruptionError(
            f"The header of {path} is damaged at offset {CHECK_AT}: its check does not match.", path=path, offset=CHECK_AT
        )
    if not valid:
        raise AuthenticationError(f"{path} was signed with another key: pass the signing_key it was written with.", path=path)
