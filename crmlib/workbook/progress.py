"""What a run tells while it works: a bar on a terminal, plain lines elsewhere; always on stderr."""

import sys
import threading
import time
from types import TracebackType
from typing import Self

import rich.console
import rich.progress


class Progress:
    """One line of notebooks for each client and period."""

    def __init__(self) -> None:
        self._console = rich.console.Console(stderr=True, highlight=False, markup=False)
        self._bars: rich.progress.Progress | None = None
        self._tasks: dict[str, rich.progress.TaskID] = {}
        self._counts: dict[str, list[int]] = {}
        self._begun = time.monotonic()
        self._guard = threading.Lock()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bars = rich.progress.Progress(
                rich.progress.TextColumn("{task.description}", markup=False),
                rich.progress.BarColumn(),
                rich.progress.MofNCompleteColumn(),
                rich.progress.TextColumn("{task.fields[step]}", markup=False),
                rich.progress.TimeElapsedColumn(),
                console=self._console,
            )
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars:
            self._bars.stop()

    def expect(self, label: str, steps: int) -> None:
        """So many steps are to come under this label."""
        with self._guard:
            self._counts[label] = [0, steps]
            if self._bars:
                self._tasks[label] = self._bars.add_task(label, total=steps, step="")

    def begun(self, label: str, step: str) -> None:
        """A step has begun."""
        with self._guard:
            if self._bars:
                self._bars.update(self._tasks[label], step=step)

    def ended(self, label: str, step: str, seconds: float) -> None:
        """A step has ended well."""
        with self._guard:
            count = self._counts[label]
            count[0] += 1
            if self._bars:
                done = "" if count[0] == count[1] else step
                self._bars.update(self._tasks[label], advance=1, step=done)
            else:
                line = f"{label}  {count[0]}/{count[1]}  {step}  {seconds:.1f} s"
                print(line, file=sys.stderr, flush=True)

    def say(self, line: str) -> None:
        """A line above the bars."""
        if self._bars:
            self._bars.console.print(line, soft_wrap=True)
        else:
            print(line, file=sys.stderr, flush=True)
