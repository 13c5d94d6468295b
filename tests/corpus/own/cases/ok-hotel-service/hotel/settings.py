from dataclasses import dataclass, field
from .ids import Random, Sequential


@dataclass
class Settings:
    ids: Sequential = field(default_factory=Sequential)
    currency: str = "EUR"


class Live(Settings):
    pass


def default() -> Settings:
    return Settings()


def live():
    return Live(ids=Random())
