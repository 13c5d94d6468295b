"""A poll: the domain of the service. Plain Python that knows neither HTTP nor asyncio."""

from __future__ import annotations

from coopy import readonly

__all__ = ["Poll"]


class Poll:
    """Votes by choice."""

    def __init__(self) -> None:
        self.choices: dict[str, int] = {}

    def offer(self, choice: str) -> None:
        """Let people vote for this. A choice that is there already raises ValueError."""
        if choice in self.choices:
            raise ValueError(f"There is {choice!r} already.")
        self.choices[choice] = 0

    def vote(self, choice: str) -> int:
        """Count one vote. Gives how many there are for this choice; one that was never offered raises KeyError."""
        self.choices[choice] += 1
        return self.choices[choice]

    @readonly
    def results(self) -> dict[str, int]:
        """Votes by choice."""
        return dict(self.choices)
