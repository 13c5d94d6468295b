"""The test system is a word that grows by a letter a call, so that a value shows its whole history."""

from __future__ import annotations

from typing import Any

from coopy import abort_exception, clock, random, readonly, unlocked


class Word:
    """Grows; the letters of a raised call stay, those of an aborted one do not."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.kept: list[Any] = []

    def add(self, letter: str) -> str:
        self.text += letter
        return self.text

    def add_many(self, first: str, *rest: str, sep: str = "", upper: bool = False) -> str:
        self.text += sep.join((first, *rest)).upper() if upper else sep.join((first, *rest))
        return self.text

    def keep(self, thing: Any) -> int:
        self.kept.append(thing)
        return len(self.kept)

    def keep_and_show(self, thing: Any) -> list[Any]:
        self.kept.append(thing)
        return self.kept

    def stamp(self) -> tuple[Any, ...]:
        seen = (clock.now(), clock.utcnow(), clock.today(), clock.time_ns(), random.random(), str(random.uuid4()))
        self.kept.append(seen)
        return seen

    def add_and_raise(self, letter: str) -> None:
        self.text += letter
        raise ValueError(letter)

    def keep_and_raise(self, thing: Any) -> None:
        self.kept.append(thing)
        raise ValueError(thing)

    @abort_exception
    def add_or_abort(self, letter: str, fail: bool) -> str:
        self.text += letter
        if fail:
            raise ValueError(letter)
        return self.text

    @unlocked
    def add_unlocked(self, letter: str) -> str:
        self.text += letter
        return self.text

    @readonly
    def read(self) -> str:
        return self.text

    def __len__(self) -> int:
        return len(self.text)
