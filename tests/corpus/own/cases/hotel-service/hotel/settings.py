from dataclasses import dataclass, field
from .ids import IdSource, Random, Sequential


@dataclass
class Settings:
    ids: IdSource = field(default_factory=Random)
    currency: str = "EUR"


def default() -> Settings:
    return Settings()


def testing() -> Settings:
    return Settings(ids=Sequential())
