"""The common call and the common query, as lines of the functions that a proxy is made of.

    call     "buffered", plain atoms, a mapped segment with room, nothing pending, no `@unlocked` action in flight: what Engine.call, Codec.encode, Framer.frame,
             Journal.append and Executor.execute do one after the other, without their frames, which cost more than the work
    query    Engine.read without its frame

While the gate is OPEN all outcomes are known, and "durable back" fits into its field: what is before a segment is durable when it begins, and
none holds four thousand million records (wiring/options.py).

Whatever is not common goes to Engine.call and Engine.read, which say what happens and why; both ways must stay the same, and a test
holds them side by side. (Measured: a call 1.9 against 3.0 us, a query 0.3 against 0.5.)

`with $lock`, up to where it says that it is free, becomes a `try` (a `with` costs 0.09 us more): `acquire` is the first call inside of it and `release` the
first of its handler, and CPython looks for signals only after a call. So an interrupt finds the lock either taken and inside of the
`try`, or not taken: then it came while the lock was waited for, `release` refuses, and there is nothing to release.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any
from zlib import crc32

import msgspec

from coopy.action import Outcome
from coopy.clock import moment
from coopy.codec import ATOMS, MSGPACK
from coopy.engine.execute import IN_DOUBT, PLAIN
from coopy.engine.gate import BUSY, LEFTOVER, OPEN
from coopy.engine.tools import CHANCE, CLOCK
from coopy.header import SECTOR
from coopy.journal.frame import HEADER_SIZE, MAGIC, TAGGED, word_of

if TYPE_CHECKING:
    from coopy.engine.engine import Engine

__all__ = ["common_call", "common_names", "common_query"]

FIELDS = struct.Struct("<IIQIhHQ16s").pack
FRAME = struct.Struct("<3sI48s")  # behind the first byte, which is stored last
NOTHING = object()  # no result: it was not common

QUERY = """
$result = $nothing
if $moment() is None:
    with $lock:
        if $engine.gate is $OPEN:
            $engine.gate = $BUSY
            try:
                $result = $bound({passed})
                if $type($result) not in $PLAIN:
                    $result = $settle($result)
            finally:
                $engine.gate = $engine.final or $OPEN
    # $lock is free
    if $result is not $nothing:
        return $result
return $read($bound, {passed})
"""

CALL = """
if $moment() is None{plain}:
    try:
        $payload = $encode(({name!r}, {arguments}))
    except $not_packed:
        return $call({name!r}, ({arguments}), $none)
    $size, $result, $error = $len($payload), $nothing, None
    with $lock:
        if $engine.gate is $OPEN:
            $engine.gate = $BUSY
            try:
                $start, $utc_offset, $lsn = $journal.end, $engine.utc_offset, $journal.lsn + 1
                $end = $start + $HEADER_SIZE + $size
                $time = $engine.wall() // 1000
                if $time <= $journal.time_us:
                    $time = $journal.time_us + 1
                if $end <= $journal.room and not $journal.dirty and $size < $SECTOR and $time < $engine.zone_ends:
                    $window, $epoch, $hasher = $journal.window, $journal.epoch, $new_hash()
                    $hasher.update($TAGGED($journal.tag, $word, $size, $epoch, $lsn, $utc_offset, 1, $time))
                    $hasher.update($payload)
                    $tag = $hasher.digest()
                    $fields = $FIELDS($size, $epoch, $lsn, $lsn - $journal.durable, $utc_offset, 1, $time, $tag)
                    $journal.dirty = $end
                    $put_frame($window, $start + 1, $rest_of_word, $crc32($fields, $start_crc), $fields)
                    $window[$start + $HEADER_SIZE : $end] = $payload
                    $window[$start] = $first_byte
                    # Stores only from here on, the LSN first: it says that this action happens.
                    $journal.lsn = $lsn
                    $journal.tag = $journal.action_tag = $tag
                    $journal.time_us = $now.time_us = $time
                    $journal.end, $journal.dirty = $end, 0
                    $now.lsn, $now.utc_offset = $lsn, $utc_offset
                    try:
                        $result = $executor.run($bound, {arguments})
                        if $type($result) not in $PLAIN:
                            $result = $executor.run($settle, $result)
                    except $in_doubt:
                        raise
                    except $Exception as $caught:
                        $error = $caught
                    $held = $holder.__dict__
                    if $error is not None or $now.tainted or $len($executor.context) != 1 or not $shown($held) or $CLOCK not in $held or $CHANCE not in $held:
                        $result = $executor.ended({name!r}, $result, $error)
                        if $type($result) is $Outcome:
                            $engine.conclude($lsn, $result)
                    $engine.executed = $journal.known = $lsn
                $engine.gate = $engine.final or $OPEN
            except $BaseException:
                if $engine.gate is $BUSY:
                    $engine.gate = $LEFTOVER
                    $executor.ask()
                raise
    # $lock is free
    if $type($result) is $Outcome:
        try:
            raise $result.error
        finally:
            $result = $error = None
    if $result is not $nothing:
        return $result
return $call({name!r}, ({arguments}), $none)
"""

LOCK = """
    try:
        $acquire()
"""
FREE = """
    except $BaseException:
        try:
            $release()
        except $RuntimeError:
            pass
        raise
    $release()
"""


def common_call(name: str, arguments: list[str]) -> list[str]:
    """The body of an action's function: the short way for the common call, `Engine.call` for all others."""
    plain = "".join(f" and _coopy_type({one}) in _coopy_ATOMS" for one in arguments)
    return CALL_LINES.format(name=name, arguments="".join(f"{one}, " for one in arguments), plain=plain).splitlines()


def common_query(passed: str) -> list[str]:
    """The body of a query's function. `passed`: how its parameters are passed on, as written between parentheses."""
    return QUERY_LINES.format(passed=passed).splitlines()


def _named(text: str) -> str:
    """The lines with the names that they run with. Before anything is filled in: a method's own name may hold a `$`."""
    return text.replace("\n    with $lock:\n", LOCK).replace("\n    # $lock is free\n", FREE).replace("$", "_coopy_").strip()


CALL_LINES, QUERY_LINES = _named(CALL), _named(QUERY)


def common_names(engine: Engine) -> dict[str, Any]:
    """What the names in the lines stand for. All begin with `_coopy_`, out of the way of a method's parameters."""
    journal, executor, word = engine.journal, engine.executor, word_of(MSGPACK, 0)
    names: dict[str, Any] = {
        "ATOMS": ATOMS, "BUSY": BUSY, "BaseException": BaseException, "CHANCE": CHANCE, "CLOCK": CLOCK,
        "Exception": Exception, "FIELDS": FIELDS, "HEADER_SIZE": HEADER_SIZE,
        "LEFTOVER": LEFTOVER, "OPEN": OPEN, "Outcome": Outcome, "PLAIN": PLAIN, "RuntimeError": RuntimeError,
        "SECTOR": SECTOR, "TAGGED": TAGGED, "acquire": engine.lock.acquire, "call": engine.call, "crc32": crc32,
        "encode": msgspec.msgpack.Encoder().encode, "engine": engine, "executor": executor, "first_byte": MAGIC[0], "holder": executor.holder,
        "in_doubt": IN_DOUBT, "journal": journal, "len": len, "moment": moment.get, "new_hash": journal.framer.hasher.copy,
        "not_packed": (UnicodeEncodeError, OverflowError), "nothing": NOTHING, "now": executor.moment, "put_frame": journal.pack_into(FRAME),
        "read": engine.read, "release": engine.lock.release, "rest_of_word": word[1:], "settle": executor.settle,
        "shown": executor.names.issuperset, "start_crc": journal.framer.crcs[word], "type": type, "word": word,
    }  # fmt: skip
    return {f"_coopy_{name}": value for name, value in names.items()}
