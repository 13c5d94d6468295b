from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, Optional

from coopy import Replica, System, View, init_system, readonly


class Dose(NamedTuple):
    drug: str
    grams: float


@dataclass
class Patient:
    name: str
    born: date
    doses: list[Dose] = field(default_factory=list)
    doctor: Optional[Patient] = None


class Clinic:
    def __init__(self) -> None:
        self.patients: dict[str, Patient] = {}
        self.waiting: list[Patient] = []
        self.rooms: dict[int, set[str]] = {}
        self.head: Patient | None = None

    def admit(self, patient: Patient, *, room: int = 0) -> None:
        self.patients[patient.name] = patient
        self.rooms.setdefault(room, set()).add(patient.name)

    def refer(self, *patients: Patient) -> int:
        self.waiting.extend(patients)
        return len(self.waiting)

    def give(self, name: str, dose: Dose) -> None:
        self.patients[name].doses.append(dose)

    def give_all(self, name: str, doses: Sequence[Dose]) -> None:
        self.patients[name].doses.extend(doses)

    def ban(self, names: Iterable[str], when: date) -> None:
        for name in names:
            self.patients.pop(name, None)

    @readonly
    def find(self, name: str) -> Patient | None:
        return self.patients.get(name)

    @readonly
    def oldest(self) -> Patient:
        return min(self.patients.values(), key=lambda patient: patient.born)

    @readonly
    def compare(self, one: Patient, other: Patient) -> bool:
        return one.born < other.born


clinic = init_system(Clinic())
old = clinic.oldest()
clinic.admit(old)  # E: coopy-alias
clinic.admit(patient=clinic.oldest(), room=3)  # E: coopy-alias
clinic.refer(Patient("New", date(2000, 1, 1)), old)  # E: coopy-alias
clinic.give("Ann", old.doses[0])
clinic.give("Ann", Dose(old.doses[0].drug, 2.0))
clinic.give_all("Ann", old.doses)  # E: coopy-alias
clinic.give_all("Ann", old.doses[:2])
clinic.give_all("Ann", tuple(old.doses))
clinic.give_all("Ann", [dose._replace(grams=1) for dose in old.doses])
clinic.ban(clinic.rooms[3], old.born)  # E: coopy-alias
clinic.ban(sorted(clinic.rooms[3]), old.born)
clinic.ban(clinic.rooms[3] | {"x"}, old.born)
clinic.ban({*clinic.rooms[3]}, old.born)
clinic.ban((old.name, "x"), old.born)
clinic.admit(dataclasses.replace(old, name="Twin"))
clinic.admit(copy.deepcopy(old), room=len(clinic.rooms))
print(clinic.compare(old, clinic.oldest()))


def transfer(source: System[Clinic], target: System[Clinic], mirror: Replica[Clinic]) -> None:
    patient = source.find("Ann")
    if patient is None:
        return
    target.admit(patient)  # E: coopy-alias
    target.admit(copy.deepcopy(patient))
    seen = mirror.find("Bob")
    if seen:
        target.refer(seen)  # E: coopy-alias
        target.give(seen.name, Dose("x", 1))
    if source.head is not None:
        target.admit(source.head)  # E: coopy-alias
    for name, kept in source.patients.items():
        target.give(name, Dose("water", 3))
        target.refer(kept)  # E: coopy-alias
    patient = Patient("Local", date(2020, 1, 1))
    target.admit(patient)


def viewed(clinic: System[Clinic], patient: View[Patient], own: Patient, also: Clinic) -> None:
    clinic.admit(patient)  # E: coopy-alias
    clinic.admit(own)
    also.admit(patient)
    clinic.give(patient.name, patient.doses[-1])
    doctor = patient.doctor
    if doctor is not None:
        clinic.refer(own, doctor)  # E: coopy-alias
    print(clinic.compare(patient, own), sum(dose.grams for dose in patient.doses))
