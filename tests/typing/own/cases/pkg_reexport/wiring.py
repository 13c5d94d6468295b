from __future__ import annotations

from . import aliases as a
from . import deps
from .aliases import MaybeRoom, PlainRoom, RoomReplica, RoomSystem, Rooms
from .deps import init_system, launch
from .domain import Message, Room

room = init_system(Room(), "data")
second = launch(Room)
third = deps.init_system(Room())
rooms: Rooms = {"a": room}
own = Room()


def get_room() -> RoomSystem:
    return room


def find(name: str) -> MaybeRoom:
    return rooms.get(name)


def plain() -> PlainRoom:
    return room


def untyped() -> Room:
    return Room()
