from __future__ import annotations

import re
from dataclasses import dataclass, field

from coopy import System, init_system, readonly


@dataclass
class Job:
    name: str
    state: str = "new"
    log: list[str] = field(default_factory=list)


class Scheduler:
    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.queue: list[str] = []

    def submit(self, name: str) -> None:
        self.jobs[name] = Job(name)

    @readonly
    def find(self, name: str) -> Job | None:
        return self.jobs.get(name)

    @readonly
    def count(self) -> int:
        if (job := self.jobs.get("x")) is None:
            job = Job("x")
            job.state = "missing"
        if (own := Job("y")).name:
            own.state = "y"
        return len(self.jobs)

    @readonly
    def drafts(self, own: list[Job]) -> list[Job]:
        if job := self.jobs.get("x"):
            print(job.name)
        if job := (own[0] if own else None):
            job.state = "draft"
            job.log.append("x")
        return [job for job in own if job.name]


def walrus_if(system: System[Scheduler], own: dict[str, Job]) -> None:
    if job := system.find("x"):
        print(job.name)
    elif job := own.get("x"):
        job.state = "own"
        job.log.append("x")
    if (job := own.get("y")) is not None:
        job.state = "own"


def walrus_while(system: System[Scheduler], own: list[Job]) -> None:
    while (job := system.find("x")) is not None:
        print(job.name)
    while job := (own.pop() if own else None):
        job.state = "done"


def walrus_comprehension(system: System[Scheduler], own: dict[str, Job]) -> list[str]:
    names = [job.name for name in system.queue if (job := system.find(name))]
    if match := re.match("x", "y"):
        names.append(match.group())
    if (job := own.get("x")) is not None:
        job.state = "own"
    return names


def walrus_system(flag: bool) -> None:
    if (s := init_system(Scheduler())) is not None:
        s.submit("x")
    if s := Scheduler():
        s.queue = []
        s.queue.append("x")


def walrus_then_assign(system: System[Scheduler]) -> None:
    if (job := system.find("x")) is None:
        job = Job("x")
        job.state = "fresh"
        job.log.append("x")
    print(job)


def assign_then_walrus(system: System[Scheduler], own: dict[str, Job]) -> None:
    job = system.find("x")
    print(job)
    if job := own.get("x"):
        job.state = "own"
        job.log.append("x")


def except_as(system: System[Scheduler]) -> None:
    job = None
    try:
        job = system.find("x")
    except KeyError as error:
        error.args = ()
    job = Job("x")
    job.state = "x"


def deleted(system: System[Scheduler]) -> None:
    job = system.find("x")
    del job
    job = Job("x")
    job.state = "x"


def matched(system: System[Scheduler], own: Job | None) -> None:
    job = system.find("x")
    print(job)
    match own:
        case Job(name=name) as job:
            job.state = name
            job.log.append(name)
        case None:
            job = Job("y")
            job.state = "y"


def with_rebound(system: System[Scheduler], path: str) -> None:
    queue = system.queue
    print(queue)
    with open(path) as handle:
        queue = handle.readlines()
        queue.append("x")
    for queue in [["a"], ["b"]]:
        queue.append("x")


def attribute_walrus(system: System[Scheduler]) -> None:
    class Local:
        job: Job | None = None

    local = Local()
    local.job = system.find("x")
    print(local.job)
    local.job = Job("x")
    local.job.state = "x"


def in_default(job: Job = Job("x")) -> None:
    job.state = "x"


def lambdas(system: System[Scheduler]) -> None:
    jobs = sorted(system.jobs.values(), key=lambda job: job.name)
    print(jobs)
    make = lambda job: setattr(job, "state", "x")
    print(make)


def comprehension_scope(system: System[Scheduler], own: list[Job]) -> None:
    names = [job.name for job in system.jobs.values()]
    [job.log.append("x") for job in own]  # E: func-returns-value
    print(names, {job.name: job.log.clear() for job in own})  # E: func-returns-value
    job = Job("x")
    print([job for job in system.jobs.values()])
    job.state = "x"
