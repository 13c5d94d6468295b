from __future__ import annotations

from collections.abc import Iterable

import attrs
from attrs import define, field, frozen, mutable, validators

from coopy import System, View, init_system, readonly


@frozen
class Grade:
    subject: str
    points: int = field(validator=validators.ge(0))


@define
class Pupil:
    name: str
    grades: list[Grade] = field(factory=list)
    mentor: Pupil | None = None

    @property
    def average(self) -> float:
        return sum(grade.points for grade in self.grades) / len(self.grades)


@mutable
class School:
    pupils: dict[str, Pupil] = field(factory=dict)
    years: int = 0
    log: list[str] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self.log.append("founded")

    @log.validator
    def _check(self, attribute: attrs.Attribute[list[str]], value: list[str]) -> None:
        assert attribute.name and value is not None

    def enrol(self, pupil: Pupil) -> None:
        self.pupils[pupil.name] = pupil
        self.log.append(pupil.name)

    def grade(self, name: str, grade: Grade) -> None:
        self.pupils[name].grades.append(grade)

    def grade_all(self, grades: Iterable[tuple[str, Grade]]) -> None:
        for name, grade in grades:
            self.grade(name, grade)

    @readonly
    def best(self) -> Pupil:
        ordered = sorted(self.pupils.values(), key=lambda pupil: pupil.average)
        ordered.reverse()
        return ordered[0]

    @readonly
    def evolved(self) -> School:
        school = attrs.evolve(self, years=self.years + 1)
        school.years += 1
        return school


school = init_system(School())
school.enrol(Pupil("Ann"))
school.enrol(attrs.evolve(school.best(), name="Bob"))
school.grade("Ann", Grade("maths", 3))
school.grade("Bob", school.best().grades[0])
school.grade_all([("Ann", Grade("art", 2))])
best = school.best()
best.name = "x"  # E: coopy-mutate
best.grades.clear()  # E: coopy-mutate
if best.mentor:
    best.mentor.name = "y"  # E: coopy-mutate
school.enrol(best)  # E: coopy-alias
school.years += 1  # E: coopy-set
copied = attrs.evolve(best)
copied.name = "copied"
copied.grades = []
data = attrs.asdict(best)
data["name"] = "dict"
own = Pupil("own", mentor=None)
own.grades.append(Grade("x", 3))
own.mentor = Pupil("deep")
own.mentor.name = "deeper"
school.evolved().years = 3


def show(pupil: View[Pupil], school: System[School]) -> float:
    pupil.grades.append(Grade("x", 1))  # E: coopy-mutate
    school.grade(pupil.name, Grade("y", 2))
    return pupil.average


reveal_type(school.best().grades)  # R: list[Grade]
reveal_type(attrs.evolve(best))  # R: Pupil
