from __future__ import annotations

import pkg_reexport.wiring
from pkg_reexport import aliases, wiring as w
from pkg_reexport.aliases import PlainRoom, RoomReplica, RoomSystem

from .domain import Message
from .wiring import find, get_room, own, plain, room, rooms, second, third, untyped

room.topic = "x"  # E: coopy-set
second.topic = "x"  # E: coopy-set
third.topic = "x"  # E: coopy-set
w.room.topic = "y"  # E: coopy-set
pkg_reexport.wiring.room.topic = "z"  # E: coopy-set
rooms["a"].topic = "x"  # E: coopy-set
rooms["b"] = w.own
get_room().topic = "x"  # E: coopy-set
if (found := find("x")) is not None:
    found.topic = "x"  # E: coopy-set
own.topic = "x"
own.messages.append(Message("a", "b"))
plain().topic = "x"
untyped().topic = "x"
untyped().messages.clear()
room.post("a", "b").likes.add("x")  # E: coopy-mutate
room.post("a", "b")
texts = room.texts()
texts.append("x")
for message in room.messages:
    message.likes.add("x")  # E: coopy-mutate
room.close()  # P: attr-defined
reveal_type(room.last())  # R: Message | None


def use(one: RoomSystem, two: RoomReplica, three: aliases.RoomSystem, four: PlainRoom, five: aliases.MaybeRoom, six: aliases.Messages) -> None:
    one.topic = "x"  # E: coopy-set
    two.post("x", "y")  # E: coopy-replica
    two.last()
    three.topic = "x"  # E: coopy-set
    four.topic = "x"
    four.messages.clear()
    if five:
        five.topic = "x"  # E: coopy-set
    six.append(Message("a", "b"))
    six[0].text = "x"
