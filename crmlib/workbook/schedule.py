"""Work with needs: what can run now runs now, side by side, and one failure stops only what needs it."""

import heapq
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Job:
    """One piece of work; it may return further jobs, known only once it is done.

    >>> Job("sum", lambda: None, needs=frozenset({"data"})).id
    'sum'
    """

    id: Hashable
    work: Callable[[], Iterable["Job"] | None]
    needs: frozenset = field(default_factory=frozenset)


class Schedule:
    """Jobs in the order they were added: of several that could start, the earliest does.

    So the first period of a batch is published before the last one is begun.
    """

    def __init__(self, jobs: Iterable[Job], workers: int):
        self.workers = workers
        self.failed: dict[Hashable, Exception] = {}
        self.done: set[Hashable] = set()
        self._waiting: list[Job] = []
        self._ready: list[tuple[int, Job]] = []
        self._order: dict[Hashable, int] = {}
        self._add(jobs)

    def perform(self) -> dict[Hashable, Exception]:
        """Every job that can be done is done; the failures by job."""
        running: dict[Future, Job] = {}
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="crm")
        try:
            while self._ready or running:
                while self._ready and len(running) < self.workers:
                    job = heapq.heappop(self._ready)[1]
                    running[pool.submit(job.work)] = job
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    self._finish(running.pop(future), future)
            pool.shutdown()
        except BaseException:
            # A signal: whoever catches it ends the kernels, which ends the threads.
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return self.failed

    def _add(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            if job.id in self._order:
                raise ValueError(f"job {job.id!r} is there twice")
            self._order[job.id] = len(self._order)
            self._waiting.append(job)
        self._release()

    def _release(self) -> None:
        """Jobs whose needs are all met become ready."""
        still = []
        for job in self._waiting:
            if job.needs <= self.done:
                heapq.heappush(self._ready, (self._order[job.id], job))
            else:
                still.append(job)
        self._waiting = still

    def _finish(self, job: Job, future: Future) -> None:
        problem = future.exception()
        if problem is None:
            self.done.add(job.id)
            self._add(future.result() or ())
        elif isinstance(problem, Exception):
            self.failed[job.id] = problem
        else:
            raise problem
