"""What JetStream says to a question: that it cannot do it now is no refusal, and it is asked again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from coopy.cluster.addresses import read_addresses
from coopy.cluster.link import Link, LostError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def link() -> Iterator[Link]:
    """One that is not open."""
    one = Link(read_addresses("nats://wiki:secret@a"), None)
    yield one
    one.close()


def error(number: int, why: str) -> bytes:
    """As JetStream says it."""
    return json.dumps({"type": "x", "error": {"code": 500, "err_code": number, "description": why}}).encode()


@pytest.mark.parametrize("number", [10008, 10009, 10118, 10119])
def test_what_cannot_be_done_now_may_be_in_a_while(link: Link, number: int) -> None:
    """As after an election, when not all servers know of it."""
    with pytest.raises(LostError, match="cannot do it now: JetStream system temporarily unavailable, says"):
        link.answer(error(number, "JetStream system temporarily unavailable, says secret"), "STREAM.INFO.x")


def test_what_is_refused_is_so_for_good(link: Link) -> None:
    """It says which question that was, and why."""
    with pytest.raises(RefusedError, match=r"refused STREAM.INFO.x: stream not found") as caught:
        link.answer(error(10059, "stream not found"), "STREAM.INFO.x")
    assert (caught.value.code, caught.value.why) == (10059, "stream not found")
    for garbage in (b"", b"3", b"{"):
        with pytest.raises(LostError, match="cannot be read"):
            link.answer(garbage, "STREAM.INFO.x")
    assert link.answer(b'{"seq": 1}', "x") == {"seq": 1}
