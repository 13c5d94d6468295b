from __future__ import annotations

import asyncio
from typing import Optional

from coopy import System, init_system, readonly


class Channel:
    def __init__(self, name: str = "") -> None:
        self.name = name
        self.songs: list[str] = []
        self.volume = 3

    def play(self, song: str) -> int:
        self.songs.append(song)
        return len(self.songs)

    @readonly
    def last(self) -> str:
        return self.songs[-1]


channel = init_system(Channel("one"), "one")
backup = channel
backup.volume = 4  # E: coopy-set
first = second = channel
first.name = "a"  # E: coopy-set
second.name = "b"  # E: coopy-set
spare = Channel("plain")
spare.volume = 5
spare.songs.append("x")
channel, spare = spare, channel
channel.volume = 1
spare.volume = 2  # E: coopy-set


class Studio:
    channel: Channel
    live: System[Channel]
    maybe: Optional[System[Channel]] = None

    def __init__(self, given: Channel, live: System[Channel]) -> None:
        self.channel = given
        self.live = live
        self.kept = init_system(given)
        self.kept.volume = 3  # E: coopy-set
        self.channel.volume = 3

    def use(self) -> None:
        self.channel.songs.clear()
        self.live.songs.clear()  # E: coopy-mutate
        kept = self.kept
        kept.songs.clear()  # E: coopy-mutate
        kept = Channel()
        kept.songs.clear()
        if self.maybe:
            self.maybe.volume = 0  # E: coopy-set
        if (maybe := self.maybe) is not None:
            maybe.volume = 0  # E: coopy-set

    @property
    def main(self) -> System[Channel]:
        return self.live

    @property
    def plain(self) -> Channel:
        return self.live


studio = Studio(Channel(), init_system(Channel))
studio.main.volume = 7  # E: coopy-set
studio.plain.volume = 7
studio.main.songs[0] = "x"  # E: coopy-mutate
studio.channel = Channel("new")
studio.live = init_system(Channel("new"))
studio.maybe = None


async def listen(channel: System[Channel]) -> str:
    await asyncio.sleep(0)
    channel.volume = 3  # E: coopy-set
    song = channel.last()
    song += "!"
    channel = await tune("x")
    channel.volume = 4  # E: coopy-set
    other = await own("y")
    other.volume = 5
    other.songs.append(song)
    return song


async def tune(name: str) -> System[Channel]:
    return init_system(Channel(name), name)


async def own(name: str) -> Channel:
    return Channel(name)


def numbered(channels: dict[int, System[Channel]], plain: dict[int, Channel]) -> None:
    for number, channel in channels.items():
        channel.volume = number  # E: coopy-set
    for number, channel in plain.items():
        channel.volume = number
    for channel in (Channel("a"), Channel("b")):
        channel.songs.append("c")
    channels[3].volume = 3  # E: coopy-set
    plain[3].volume = 3
    for channel in list(channels.values()):
        channel.volume = 0  # E: coopy-set
