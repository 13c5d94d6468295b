from typing import Optional, TypeAlias

from .deps import Replica, System
from .domain import Message, Room

RoomSystem = System[Room]
RoomReplica: TypeAlias = Replica[Room]
MaybeRoom = Optional[System[Room]]
Rooms = dict[str, System[Room]]
PlainRoom = Room
Messages = list[Message]
