"""A queue of jobs: a worker leases one, does it and says so. A worker that dies says nothing, and its job is given to the next when the lease is over.

    >>> from coopy import control, init_system
    >>> queue = init_system(JobQueue, "data/jobs")
    >>> number = queue.put("resize cat.png")
    >>> queue.lease("worker 1") == (number, "resize cat.png")
    True
    >>> queue.lease("worker 2") is None
    True

The queue's process may be killed at any time. Jobs and leases are there when it comes back:

    >>> control(queue).close()
    >>> queue = init_system(JobQueue, "data/jobs")
    >>> queue.lease("worker 2") is None
    True
    >>> queue.done(number, "worker 1")
    >>> queue.counts()
    {'waiting': 0, 'leased': 0, 'given up': 0}
    >>> control(queue).close()

Of coopy it shows the clock. "Is the lease over?" is asked inside of an action, and `coopy.clock` answers with the action's own time, the same in every replay:
what was leased to whom does not depend on when the queue is restarted. What raises here does so before it changes anything, so that nothing has to be put back.
For workers on other machines, serve the queue as docs/client-server.md says: all its values are plain.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush

from coopy import clock, random, readonly

__all__ = ["Job", "JobQueue", "LeaseLost"]

MOST_TRIES = 5


class LeaseLost(Exception):  # noqa: N818 - what a worker hears
    """The job is done already, or somebody else's by now: do not count on what you did."""


@dataclass
class Job:
    """What is to be done; nobody gets it before `due` (seconds since 1970: local time is turned back every autumn)."""

    payload: str
    due: float
    worker: str = ""
    tries: int = 0


class JobQueue:
    """Jobs by number; `order` has the next one first, and entries of jobs that have another time by now, which are passed over."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.order: list[tuple[float, str]] = []
        self.given_up: dict[str, str] = {}

    def put(self, payload: str, delay: float = 0) -> str:
        """Have something done, not before so many seconds; gives the job's number."""
        number = random.token_hex(8)
        self.jobs[number] = Job(payload, clock.time() + delay)
        self._line_up(number)
        return number

    def lease(self, worker: str, seconds: float = 60) -> tuple[str, str] | None:
        """Number and payload of the next job, for so long; None if nothing is due. After five leases that ended with nothing a job is given up."""
        now = clock.time()
        while self.order and self.order[0][0] <= now:
            due, number = heappop(self.order)
            job = self.jobs.get(number)
            if job is None or job.due != due:
                continue
            if job.tries == MOST_TRIES:
                self.given_up[number] = self.jobs.pop(number).payload
                continue
            job.worker, job.tries, job.due = worker, job.tries + 1, now + seconds
            self._line_up(number)
            return number, job.payload
        return None

    def done(self, number: str, worker: str) -> None:
        """The job is done. Raises LeaseLost if it is not this worker's."""
        self._check(number, worker)
        del self.jobs[number]

    def extend(self, number: str, worker: str, seconds: float = 60) -> None:
        """It takes longer: lease it for so many seconds from now on. Raises LeaseLost if it is not this worker's."""
        self._check(number, worker)
        self.jobs[number].due = clock.time() + seconds
        self._line_up(number)

    @readonly
    def counts(self) -> dict[str, int]:
        """How many jobs wait, are leased, and were given up."""
        now = clock.time()
        leased = sum(job.worker != "" and job.due > now for job in self.jobs.values())
        return {"waiting": len(self.jobs) - leased, "leased": leased, "given up": len(self.given_up)}

    def _line_up(self, number: str) -> None:
        heappush(self.order, (self.jobs[number].due, number))

    def _check(self, number: str, worker: str) -> None:
        if number not in self.jobs or self.jobs[number].worker != worker:
            raise LeaseLost(f"Job {number} is not {worker}'s.")
