"""The common call, as lines of the functions that a proxy is made of: "buffered", plain atoms, a mapped segment with room, nothing pending.

What they do is Engine.call, Codec.encode, Framer.frame, Journal.append and Executor.execute one after the other, without their frames:
those cost more than the work. Whatever is not common goes to Engine.call, which says what happens and why; both must stay the same, and
a test holds them side by side. (Measured: 1.9 against 3.0 us.)
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any
from zlib import crc32

import msgspec

from coopy.action import Outcome
from coopy.clock import moment
from coopy.codec import ATOMS, MSGPACK
from coopy.engine.engine import BUSY, LEFTOVER, OPEN
from coopy.engine.execute import PLAIN
from coopy.header import SECTOR
from coopy.journal.frame import HEADER_SIZE, MAGIC, TAGGED, word_of
from coopy.journal.journal import MAX_DURABLE_BACK

if TYPE_CHECKING:
    from coopy.engine.engine import Engine

__all__ = ["common_lines", "common_names"]

FIELDS = struct.Struct("<IIQIhHQ16s").pack
FRAME = struct.Struct("<3sI48s").pack  # behind the first byte, which is stored last

LINES = """
if $moment() is None{plain}:
    try:
        $payload = $encode(({name!r}, {arguments}))
    except $not_packed:
        return $call({name!r}, ({arguments}), $none)
    $size, $result, $error = $len($payload), None, None
    with $lock:
        $start = $journal.end
        $end = $start + $HEADER_SIZE + $size
        $time = $engine.wall() // 1000
        if $time <= $journal.time_us:
            $time = $journal.time_us + 1
        $window, $utc_offset, $lsn = $journal.window, $engine.utc_offset, $journal.lsn + 1
        $back = $lsn - $journal.durable
        if (
            $engine.gate is $OPEN and $window is not None and $end <= $journal.capacity and $start < $journal.limit and $size < $SECTOR
            and $time < $engine.zone_ends and $lsn - $journal.known == 1 and $back <= $MAX_DURABLE_BACK
            and not ($journal.controls or $journal.dirty or $beside.flights)
        ):
            $engine.gate = $BUSY
            try:
                $epoch, $hasher = $journal.epoch, $new_hash()
                $hasher.update($TAGGED($journal.tag, $word, $size, $epoch, $lsn, $utc_offset, 1, $time))
                $hasher.update($payload)
                $tag = $hasher.digest()
                $fields = $FIELDS($size, $epoch, $lsn, $back, $utc_offset, 1, $time, $tag)
                $journal.dirty = $end
                $window[$start + 1 : $end] = $FRAME($rest_of_word, $crc32($fields, $start_crc), $fields) + $payload
                $window[$start] = $first_byte
                # Stores only from here on, the LSN first: it says that this action happens.
                $journal.lsn, $journal.time_us, $journal.tag, $journal.action_tag, $journal.end, $journal.dirty = $lsn, $time, $tag, $tag, $end, 0
                $now.lsn, $now.time_us, $now.utc_offset = $lsn, $time, $utc_offset
                try:
                    $result = $executor.run($methods[{name!r}], {arguments})
                    if $type($result) not in $PLAIN:
                        $result = $executor.run($executor.settle, $result)
                except $in_doubt:
                    raise
                except $Exception as $caught:
                    $error = $caught
                if $error is not None or $now.tainted or $len($executor.context) != 1:
                    $result = $executor.ended({name!r}, $result, $error)
                    if $type($result) is $Outcome:
                        $engine.conclude($lsn, $result)
                $engine.executed = $journal.known = $lsn
                $engine.gate = $OPEN
            except $BaseException:
                if $engine.gate is $BUSY:
                    $engine.gate = $LEFTOVER
                raise
            if $type($result) is not $Outcome:
                return $result
    if $type($result) is $Outcome:
        raise $result.error
return $call({name!r}, ({arguments}), $none)
"""


def common_lines(name: str, arguments: list[str]) -> list[str]:
    """The body of a method's function: the short way for the common call, `Engine.call` for all others."""
    plain = "".join(f" and $type({one}) in $ATOMS" for one in arguments)
    text = LINES.format(name=name, arguments="".join(f"{one}, " for one in arguments), plain=plain)
    return re.sub(r"\$(\w+)", r"_coopy_\1", text).strip().splitlines()


def common_names(engine: Engine) -> dict[str, Any]:
    """What the names in the lines stand for. All begin with `_coopy_`, out of the way of a method's parameters."""
    journal, executor, word = engine.journal, engine.executor, word_of(MSGPACK, 0)
    names: dict[str, Any] = {
        "ATOMS": ATOMS, "BUSY": BUSY, "BaseException": BaseException, "Exception": Exception, "FIELDS": FIELDS, "FRAME": FRAME,
        "HEADER_SIZE": HEADER_SIZE, "LEFTOVER": LEFTOVER, "MAX_DURABLE_BACK": MAX_DURABLE_BACK, "OPEN": OPEN, "Outcome": Outcome, "PLAIN": PLAIN,
        "SECTOR": SECTOR, "TAGGED": TAGGED, "beside": engine.beside, "call": engine.call, "crc32": crc32, "encode": msgspec.msgpack.Encoder().encode,
        "engine": engine, "executor": executor, "first_byte": MAGIC[0], "in_doubt": (MemoryError, RecursionError), "journal": journal, "len": len,
        "lock": engine.lock, "methods": executor.methods, "moment": moment.get, "new_hash": journal.framer.hasher.copy,
        "not_packed": (UnicodeEncodeError, OverflowError), "now": executor.moment, "rest_of_word": word[1:], "start_crc": journal.framer.crcs[word],
        "type": type, "word": word,
    }  # fmt: skip
    return {f"_coopy_{name}": value for name, value in names.items()}
