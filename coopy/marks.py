"""What a parameter or attribute is, for the type checker: aliases that cost nothing and that every checker reads as the domain's own type."""

from __future__ import annotations

from typing import Annotated, TypeVar

__all__ = ["Mark", "Replica", "System", "View"]

T = TypeVar("T")


class Mark:
    """What an `Annotated` alias of coopy carries."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"coopy.{self.name}"


System = Annotated[T, Mark("System")]
"""`System[Wiki]`: the proxy of a Wiki."""

Replica = Annotated[T, Mark("Replica")]
"""`Replica[Wiki]`: a proxy that only answers queries."""

View = Annotated[T, Mark("View")]
"""`View[Page]`: something reached through a proxy."""
