from __future__ import annotations

from dataclasses import dataclass, field

from coopy import Replica, System, View, init_system, readonly


@dataclass
class Letter:
    text: str
    stamps: list[int] = field(default_factory=list)


class Post:
    def __init__(self) -> None:
        self.letters: dict[int, Letter] = {}
        self.open = True

    def send(self, letter: Letter) -> None:
        self.letters[len(self.letters)] = letter

    @readonly
    def find(self, number: int) -> Letter | None:
        return self.letters.get(number)


def guard(post: System[Post] | None) -> None:
    if not post:
        return
    post.open = False  # E: coopy-set
    letter = post.find(3)
    if not letter:
        raise KeyError(3)
    letter.text = "x"  # E: coopy-mutate
    post.send(letter)  # E: coopy-alias


def asserted(post: System[Post]) -> None:
    letter = post.find(3)
    assert letter
    letter.stamps.append(3)  # E: coopy-mutate
    post.send(letter)  # E: coopy-alias


def skipped(post: System[Post], numbers: list[int]) -> None:
    for number in numbers:
        letter = post.find(number)
        if not letter:
            continue
        letter.text = "x"  # E: coopy-mutate
    for number in numbers:
        own = Letter("x") if number else None
        if not own:
            continue
        own.text = "y"


def viewed(letter: View[Letter] | None, replica: Replica[Post] | None) -> str:
    if not letter or not replica:
        return ""
    letter.text = "x"  # E: coopy-mutate
    replica.send(Letter("y"))  # E: coopy-replica
    return letter.text


def plain(letter: Letter | None, post: Post | None) -> str:
    if not letter or not post:
        return ""
    letter.text = "x"
    post.open = False
    post.send(letter)
    return letter.text


init_system(Post()).send(Letter("x"))
