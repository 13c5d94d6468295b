"""What a server denies concerns who waits for it, and counts until it is permitted."""

from __future__ import annotations

import asyncio

from coopy.cluster.denials import Denials

CALLS = "nats: 'permissions violation for publish to \"coopy.word.calls\"'"
INBOX = "nats: 'permissions violation for subscription to \"_inbox.a.*\"'"


def test_a_message_that_was_denied_is_so_until_one_arrives() -> None:
    """Rights can change, and the servers do not say so."""
    denials = Denials()
    assert not denials.hear("nats: stale connection")
    assert denials.hear(CALLS)
    assert (denials.denies("coopy.Word.calls"), denials.denies("coopy.word.due")) == (True, False)
    denials.permit("coopy.word.calls")
    assert not denials.denies("coopy.word.calls")
    assert denials.hear(CALLS)
    assert denials.denies("coopy.word.calls")


def test_which_messages_were_denied_is_known_when_all_others_were_answered() -> None:
    """Denials do not say which message they are of; one to another subject is another matter."""
    denials = Denials()
    for _ in range(3):
        denials.sent("coopy.Word.calls")
    assert not denials.denied_the_rest("coopy.Word.calls")
    denials.hear(CALLS)
    denials.hear(CALLS.replace("calls", "due"))
    assert not denials.denied_the_rest("coopy.Word.calls")  # of two it is not known yet which it was
    denials.answered("coopy.Word.calls")
    assert not denials.denied_the_rest("coopy.Word.calls")
    denials.hear(CALLS)
    assert denials.denied_the_rest("coopy.Word.calls")


def test_who_waits_is_told_of_what_concerns_it() -> None:
    """And of a subscription in any case, also where that was denied before: no answer comes."""

    async def wait() -> None:
        denials = Denials()
        with denials.watch({"word.calls": "coopy.word.>"}) as calls, denials.watch({"word.due": "coopy.word.due"}) as due:
            denials.hear(CALLS)
            assert (await calls, due.done(), denials.deaf) == ("publish to coopy.word.>", False, False)
            denials.hear(INBOX)
            assert (await due, denials.deaf) == ("subscribe to _INBOX.>", True)
        with denials.watch({}) as later:
            assert await later == "subscribe to _INBOX.>"

    asyncio.run(wait())
