"""The chain for many clients and periods: notebooks side by side, each period published when done.

For each client 01 and 02 run once; for each period 03, then those between, then 12, which reads
them all. What fails takes nothing else with it.
"""

import os
import secrets
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from crmlib import client as clients
from crmlib import findings
from crmlib.classification import stated
from crmlib.client import Client
from crmlib.collection import sources
from crmlib.errors import Refused
from crmlib.period import Period
from crmlib.workbook import exchange, execution
from crmlib.workbook.execution import Failure
from crmlib.workbook.kernels import Kernel
from crmlib.workbook.progress import Progress
from crmlib.workbook.schedule import Job, Schedule

COLLECT, CLEAN = findings.DELIVERY_STEPS
FIRST, *BETWEEN, LAST = findings.STEPS[2:]
PUBLISHING = "publishing"
BUSY = 75  # EX_TEMPFAIL: the same command may succeed later
LEAST_FREE = 200_000_000  # bytes; a report of the demo takes 10 MB, spilling tables more
STOP_SECONDS = 20
Then = Callable[[], list[Job]] | None


class Interrupted(BaseException):
    """SIGINT or SIGTERM has come."""

    def __init__(self, signum: int):
        super().__init__(signum)
        self.signum = signum


class Running(Refused):
    """Another run of this client has not ended."""


@dataclass(frozen=True)
class Trouble:
    """A client (and period) that failed, for the closing summary."""

    client: str
    period: str
    problem: Exception

    @property
    def refused(self) -> bool:
        """The message is meant for the user as it stands."""
        return getattr(self.problem, "refused", isinstance(self.problem, Refused))

    def __str__(self) -> str:
        problem = self.problem
        where = problem.where() if isinstance(problem, Failure) else ""
        said = problem.message if isinstance(problem, Failure) else str(problem)
        if not isinstance(problem, (Failure, Refused)):
            said = f"{type(problem).__name__}: {problem}"
        place = ", ".join(part for part in (f"{self.client} {self.period}".strip(), where) if part)
        return f"{place}: {said}"


@dataclass
class Batch:
    """Clients × periods to run, and what became of them."""

    names: list[str]
    periods: list[Period]
    jobs: int = 2
    browser: Path | None = None  # prints each report to PDF, if named
    progress: Progress = field(default_factory=Progress)
    published: list[Path] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)

    def run(self) -> int:
        """Everything that can be run is; the exit status."""
        for step in findings.STEPS:
            execution.notebook(step)
        loaded = list(self._loaded())
        with _signals():
            chains: list[Chain] = []
            try:
                chains = list(self._opened(loaded))
                with self.progress:
                    jobs = [job for chain in chains for job in chain.delivery_jobs()]
                    Schedule(jobs, self.jobs).perform()
            except Interrupted as stop:
                return self._stopped(stop)
            finally:
                for chain in chains:
                    chain.close()
        return self._status()

    def _loaded(self) -> Iterator[Client]:
        """Clients whose configuration stands; the others are troubles before anything starts."""
        for name in self.names:
            try:
                yield clients.load(name)
            except Refused as problem:
                self.trouble(name, "", problem)

    def _opened(self, loaded: Iterable[Client]) -> Iterator["Chain"]:
        for client in loaded:
            try:
                chain = Chain(client, self.periods, self)
            except (Refused, OSError) as problem:
                self.trouble(client.id, "", problem)
            else:
                yield chain

    def trouble(self, client: str, period: str, problem: Exception) -> None:
        """Noted for the closing summary."""
        self.troubles.append(Trouble(client, period, problem))

    def _stopped(self, stop: Interrupted) -> int:
        Kernel.stop_all()
        deadline = time.monotonic() + STOP_SECONDS
        for thread in threading.enumerate():
            if thread.name.startswith("crm"):
                thread.join(max(0.0, deadline - time.monotonic()))
        name = signal.Signals(stop.signum).name
        self.progress.say(f"Stopped by {name}; reports already published stand as they were.")
        return 128 + stop.signum

    def _status(self) -> int:
        if not self.troubles:
            return 0
        if len(self.names) == 1:
            for trouble in self.troubles:
                own_words = trouble.refused and len(self.periods) < 2
                self.progress.say(f"Error: {trouble.problem if own_words else trouble}")
            busy = all(isinstance(trouble.problem, Running) for trouble in self.troubles)
            refused = all(trouble.refused for trouble in self.troubles)
            return BUSY if busy else 2 if refused else 1
        failed = len({trouble.client for trouble in self.troubles})
        self.progress.say(f"{failed} of {len(self.names)} clients failed:")
        for trouble in self.troubles:
            self.progress.say(f"  {trouble}")
        busy = failed == len(self.names) and all(isinstance(t.problem, Running) for t in self.troubles)
        return BUSY if busy else 1


class Chain:
    """One client's run: it holds the client's lock from the first notebook to the last report."""

    def __init__(self, client: Client, periods: Sequence[Period], batch: Batch):
        self.client, self.batch = client, batch
        self.periods = list(periods)
        if client.delivered_on:
            self._refuse_what_is_to_come()
        self.seconds: dict[tuple[str, str], float] = {}
        self._lock = _locked(client)
        self._reports = client.home / "reports" / client.id
        try:
            _writable(self._reports)
            exchange.recovered(self._reports)
            shutil.rmtree(client.folder / "built" / "failed", ignore_errors=True)
            self.staging = self._reports / f"{exchange.STAGING}{os.getpid()}-{secrets.token_hex(4)}"
            self.staging.mkdir(mode=0o700)  # failed notebooks lie here until the run ends
        except BaseException:
            self._lock.release()
            raise

    def close(self) -> None:
        """Nothing of the run is left but what it published."""
        shutil.rmtree(self.staging, ignore_errors=True)
        self._lock.release()

    def delivery_jobs(self) -> list[Job]:
        """01, then 02, which knows what is to follow once it is done."""
        self.batch.progress.expect(self.client.id, 2)
        return [
            self._job(COLLECT, None, needs=()),
            self._job(CLEAN, None, needs=(COLLECT,), then=self._period_jobs),
        ]

    def _period_jobs(self) -> list[Job]:
        """03, those between, 12 and the publishing, for every period asked for."""
        if not self.periods:
            day = sources.delivered_on(self.client)
            self.periods = [stated.newest_period(self.client, day)]
        self._refuse_what_is_to_come()
        jobs = []
        for period in self.periods:
            self.batch.progress.expect(self._label(period), len(findings.STEPS) - 1)
            jobs.append(self._job(FIRST, period, needs=()))
            jobs += [self._job(step, period, needs=(FIRST,)) for step in BETWEEN]
            jobs.append(self._job(LAST, period, needs=(FIRST, *BETWEEN)))
            id = (self.client.id, period.name, PUBLISHING)
            needs = frozenset({(self.client.id, period.name, LAST)})
            jobs.append(Job(id, partial(self._guarded, PUBLISHING, period, self._publish), needs))
        return jobs

    def _refuse_what_is_to_come(self) -> None:
        day = sources.delivered_on(self.client)
        late = [period.name for period in self.periods if period.start > day]
        if late:
            raise Refused(
                f"{self.client.id} was delivered on {day}, before {', '.join(late)} begins: "
                "nothing of it can be known. Choose an earlier period, or mend delivered_on in client.yml."
            )

    def _job(self, step: str, period: Period | None, *, needs: tuple, then: Then = None) -> Job:
        place = period.name if period else ""
        return Job(
            (self.client.id, place, step),
            partial(self._guarded, step, period, self._execute, then),
            frozenset((self.client.id, place, need) for need in needs),
        )

    def _guarded(
        self, step: str, period: Period | None, work: Callable[..., None], then: Then = None
    ) -> list[Job] | None:
        """The step done, told and timed; its trouble noted before it stops what follows."""
        label, progress, began = self._label(period), self.batch.progress, time.monotonic()
        progress.begun(label, step)
        try:
            work(step, period)
            more = then() if then else None
        except Exception as problem:
            self.batch.trouble(self.client.id, period.name if period else "", problem)
            raise
        self.seconds[label, step] = time.monotonic() - began
        progress.ended(label, step, time.monotonic() - began)
        return more

    def _execute(self, step: str, period: Period | None) -> None:
        output = self._folder(period) / "notebooks" / f"{step}.ipynb"
        try:
            execution.execute(step, self.client, period, output)
        except Failure as problem:
            if not Kernel.stopping() and (kept := execution.kept_failure(output, self.client, period)):
                problem.message += "" if problem.refused else f"\n    The notebook as it failed: {kept}"
            raise

    def _publish(self, step: str, period: Period) -> None:
        from crmlib.workbook import publish, runs  # nbconvert and xlsxwriter, only when something is done

        folder = self._folder(period)
        for delivered in findings.DELIVERY_STEPS:
            shutil.copyfile(
                self._folder(None) / "notebooks" / f"{delivered}.ipynb",
                folder / "notebooks" / f"{delivered}.ipynb",
            )
        labels = (self.client.id, self._label(period))
        taken = {step: s for (label, step), s in list(self.seconds.items()) if label in labels}
        try:
            place = publish.publish(publish.Run(self.client, period, folder, taken, self.batch.browser))
            runs.write_index()
        except OSError as problem:
            raise Failure(f"the report could not be written: {problem}") from problem
        self.batch.published.append(place / "report.html")

    def _folder(self, period: Period | None) -> Path:
        return self.staging / (period.name if period else "delivery")

    def _label(self, period: Period | None) -> str:
        return f"{self.client.id} {period.name}" if period else self.client.id


def _locked(client: Client) -> FileLock:
    """The client's lock, held; the system frees it however this process ends."""
    folder = client.folder / "built"
    folder.mkdir(parents=True, exist_ok=True)
    lock, holder = FileLock(folder / ".lock"), folder / ".lock.pid"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        pid = holder.read_text().strip() if holder.is_file() else "unknown"
        raise Running(
            f"{client.id} is already running (pid {pid}). Wait for it to end, or stop it."
        ) from None
    holder.write_text(str(os.getpid()))
    # What a killed run left half written; nobody else writes while this lock is held.
    for left in folder.rglob(".*.tmp"):
        left.unlink(missing_ok=True)
    return lock


def _writable(reports: Path) -> None:
    """Known before any notebook runs: the report can be written, and there is room for it."""
    probe = reports / f"{exchange.STAGING}probe"
    try:
        reports.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"probe")
        probe.unlink()
    except OSError as problem:
        message = f"Reports cannot be written to {reports}: {problem.strerror}. Make the folder writable."
        raise Refused(message) from None
    free = shutil.disk_usage(reports).free
    if free < LEAST_FREE:
        message = f"Only {free / 1e6:.0f} MB are free at {reports}; a run needs {LEAST_FREE / 1e6:.0f} MB."
        raise Refused(message)


@contextmanager
def _signals() -> Iterator[None]:
    """SIGINT and SIGTERM end the run in order, even where the caller had them ignored."""

    def stop(signum: int, frame: object) -> None:
        for one in before:
            signal.signal(one, signal.SIG_IGN)  # one is enough: the second must not cut the tidying
        raise Interrupted(signum)

    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {one: signal.signal(one, stop) for one in (signal.SIGINT, signal.SIGTERM)}
    Kernel.allow()
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
