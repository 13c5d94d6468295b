from . import views
from .animals import Animal, Zoo
from .views import zoo_system as zoo


def test_zoo() -> None:
    plain = Zoo()
    plain.add(Animal("x"))
    plain.get("x").meals.append("y")
    plain.day = 3
    plain._count()
    views.zoo_system.day = 3  # E: coopy-set
    zoo.get("x").meals.append("z")  # E: coopy-mutate
    zoo.feed("x", "y")
    with zoo as opened:  # P: attr-defined
        opened.day = 2  # E: coopy-set
    views.page("x").strip()
    zoo.take_snapshot()  # P: attr-defined
