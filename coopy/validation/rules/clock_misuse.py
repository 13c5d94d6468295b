"""CPY206, clock-misuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coopy.kinds import WHILE_READ
from coopy.validation.rules.rule import Rule

if TYPE_CHECKING:
    from coopy.validation.link.analysis import Reached


class _Misuse(Rule, frozen=True):
    """Where nothing is given, or nothing that is recorded."""

    def message(self, fact: Reached) -> str:
        """As Rule says."""
        if fact.name.endswith(WHILE_READ):
            return f"{fact.name} gives what no record holds: `__setstate__` and `@upgrade` run at each opening, and before an action has its time."
        return super().message(fact)

    def remedy(self, fact: Reached) -> str:
        """As Rule says."""
        if fact.name.endswith(WHILE_READ):
            return "Make it from the state that was stored, or have an action set it."
        return super().remedy(fact)


RULE = _Misuse(
    code="CPY206",
    category="clock-misuse",
    title="does not work",
    why="coopy gives `_clock` and `_random` to the domain object itself, after it was made and at each opening, if its class has room for them; they are no state.",
    fix="Write `from coopy import clock, random` and use these, which work everywhere.",
    severity="error",
    bad=(
        """\
class Domain:
    def act(self, clock):
        self._clock = clock  # bad
""",
        """\
class Domain:
    def act(self):
        self.source = self._random  # bad
""",
        """\
class Page:
    def __init__(self):
        self.made = self._clock.now()  # bad


class Domain:
    def act(self):
        self.page = Page()
""",
        """\
class Domain:
    __slots__ = ("at",)

    def act(self):
        self.at = self._clock.now()  # bad
""",
        """\
class Domain:
    def __init__(self):
        self.reset()

    def reset(self):
        self.since = self._clock.now()  # bad
""",
        """\
from coopy import clock, upgrade


class Page:
    @upgrade(from_=1)
    @staticmethod
    def _with_day(state):
        return {**state, "day": clock.today()}  # bad


class Domain:
    def act(self, page: Page):
        self.page = page
""",
        """\
from coopy import random


class Domain:
    def act(self):
        self.text = ""

    def __setstate__(self, state):
        self.__dict__.update(state)
        self.token = random.token_hex()  # bad
""",
    ),
    good=(
        """\
from coopy import clock


class Page:
    def __init__(self, made):
        self.made = made
        self.seen = clock.now()


class Domain:
    def __init__(self):
        self.since = clock.now()

    def act(self):
        now = self._clock
        self.page = Page(now.now())
        self.number = self._random.randint(1, 6)
""",
        """\
class Base:
    def now(self):
        return self._clock.now()


class Domain(Base):
    __slots__ = ("at",)

    def act(self):
        self.at = self.now()
""",
        """\
class Ticker:
    def __init__(self):
        self._clock = 0

    def tick(self):
        self._clock += 1
        return self._clock


class Domain:
    def __init__(self):
        self.ticker = Ticker()

    def act(self):
        return self.ticker.tick()
""",
        """\
from coopy import clock, upgrade


class Page:
    def __init__(self):
        self.day = clock.today()

    @upgrade(from_=1)
    @staticmethod
    def _with_tags(state):
        return {**state, "tags": sorted(set(state["text"].split()))}


class Domain:
    def act(self):
        self.page = Page()
""",
    ),
)
