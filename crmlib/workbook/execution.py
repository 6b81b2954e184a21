"""One notebook, executed for one client and period, and the proof that it did its work."""

import json
import logging
import os
import re
from decimal import Decimal
from pathlib import Path

import nbformat

from crmlib import findings, tables
from crmlib.client import Client, shown
from crmlib.errors import Refused
from crmlib.period import Period
from crmlib.workbook.kernels import ROOT, Kernel

NOTEBOOKS = ROOT / "notebooks"
START_SECONDS = 300  # a busy machine was seen to take 25
CELL_SECONDS = 1800
REFUSALS = {"Refused", "ConfigError", "SourceError", "SchemaError", "MissingStep"}
FATES = ("kept", "merged", "quarantined")
_COLOUR = re.compile("\x1b\\[[0-9;]*[A-Za-z]")


class Failure(Exception):
    """A run that broke: which notebook, which cell, what it said.

    `refused` where the message is a `Refused`'s own, meant for the user.
    """

    def __init__(self, message: str, *, step: str = "", cell: int | None = None, refused: bool = False):
        super().__init__(message)
        self.message, self.step, self.cell, self.refused = message, step, cell, refused

    def where(self) -> str:
        """Notebook and cell, as far as they are known."""
        parts = [f"notebook {self.step}" if self.step else "", f"cell [{self.cell}]" if self.cell else ""]
        return ", ".join(part for part in parts if part)


def notebook(step: str) -> Path:
    """A step's notebook, if it is there and takes the two parameters; `Refused` otherwise.

    Papermill itself only warns about an unknown parameter, and runs with the notebook's own.
    """
    path = NOTEBOOKS / f"{step}.ipynb"
    try:
        cells = nbformat.read(path, as_version=4).cells
    except FileNotFoundError:
        raise Refused(f"{path} is not there. Restore the folder notebooks/ from the project.") from None
    except (OSError, ValueError, nbformat.ValidationError) as problem:
        raise Refused(f"{path} cannot be read as a notebook: {_line(problem)}.") from None
    given = [cell.source for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    for name in ("client", "period"):
        if not any(re.search(rf"^{name}\b\s*(:|=)", source, re.MULTILINE) for source in given):
            raise Refused(f"{path} has no parameter {name!r} in a cell tagged 'parameters'.")
    return path


def execute(step: str, client: Client, period: Period | None, output: Path) -> None:
    """The notebook executed to `output`; `Failure` unless it wrote its book in this very run."""
    book = book_path(step, client, period)
    before = _identity(book)
    # 01 and 02 take a period and ignore it; a papermill user's notebooks all look alike.
    parameters = {"client": client.id, "period": period.name} if period else {"client": client.id}
    _run(step, parameters, output)
    output.with_suffix(".source.ipynb").unlink(missing_ok=True)
    _without_paths(output, step)
    if _identity(book) in (None, before):
        raise Failure(f"ended without writing {shown(book)}, so it did not reach its end", step=step)


def book_path(step: str, client: Client, period: Period | None) -> Path:
    """Where a step's book is written."""
    folder = client.delivery if step in findings.DELIVERY_STEPS else client.built(period)
    return folder / "books" / f"{step}.json"


def _run(step: str, parameters: dict[str, str], output: Path) -> None:
    import papermill  # costs half a second that `crm list` need not pay
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    # What goes wrong is told once, by this runner.
    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    cell = _CellCount()
    output.parent.mkdir(parents=True, exist_ok=True)
    try:
        papermill.execute_notebook(
            _for_batch(notebook(step), output),
            output,
            parameters=parameters,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            request_save_on_cell_execute=False,
            start_timeout=START_SECONDS,
            execution_timeout=CELL_SECONDS,
            kernel_manager_class=Kernel,
            on_cell_start=cell.started,
        )
    except PapermillExecutionError as problem:
        raise _said(problem, step) from None
    except DeadKernelError:
        message = "the notebook's process was killed; the usual reason is too little memory"
        raise Failure(message, step=step, cell=cell.number) from None
    except CellTimeoutError:
        message = f"the cell took longer than {CELL_SECONDS} seconds"
        raise Failure(message, step=step, cell=cell.number) from None
    except (RuntimeError, OSError) as problem:
        raise Failure(_line(problem), step=step, cell=cell.number) from None


def _for_batch(path: Path, output: Path) -> Path:
    """A notebook without the cells that an analyst plays with, beside its output."""
    content = nbformat.read(path, as_version=4)
    content.cells = [cell for cell in content.cells if "explore" not in cell.metadata.get("tags", [])]
    source = output.with_suffix(".source.ipynb")
    source.write_text(nbformat.writes(content), "utf-8")
    return source


class _CellCount:
    """Counts code cells as they start, since a dead kernel cannot say where it was."""

    def __init__(self) -> None:
        self.number = 0

    def started(self, cell: nbformat.NotebookNode, cell_index: int) -> None:
        """A cell begins; empty ones get no number from the kernel either."""
        self.number += cell.cell_type == "code" and bool(cell.source.strip())


def _said(problem: Exception, step: str) -> Failure:
    """An error inside a notebook: a refusal in its own words, anything else with its name."""
    refused = problem.ename in REFUSALS
    said = _COLOUR.sub("", problem.evalue).strip()
    message = said if refused else f"{problem.ename}: {said}" if said else problem.ename
    return Failure(message, step=step, cell=problem.exec_count, refused=refused)


def _line(problem: BaseException) -> str:
    text = _COLOUR.sub("", str(problem)).strip()
    return text.splitlines()[0] if text else type(problem).__name__


def _identity(path: Path) -> tuple[int, int] | None:
    """Tells a file from its successor: every book is a new file, whatever the clock says."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def _without_paths(output: Path, step: str) -> None:
    """The executed notebook without the folders of the machine it ran on."""
    content = nbformat.read(output, as_version=4)
    about = content.metadata.get("papermill", {})
    about.update(input_path=f"notebooks/{step}.ipynb", output_path=f"{step}.ipynb", environment_variables={})
    output.write_text(nbformat.writes(content), "utf-8")


def check_balance(client: Client, period: Period) -> None:
    """in = kept + merged + set aside, in rows and money, for every table; `Failure` otherwise."""
    figures = {id: part["value"] for id, part in findings.figures(client, period).items()}
    names = {id.split(".")[1] for id in figures if id.startswith("ledger.")}
    if not names & {"transactions", "snapshot", "tiers"}:
        raise Failure("no ledger of transactions shows where the delivered rows went", step="02-cleaning")
    for table in sorted(names):
        for what in ("rows", "money"):
            known = [figures.get(f"ledger.{table}.{what}_{fate}") for fate in ("in", *FATES)]
            if what == "money" and all(value is None for value in known):
                continue
            if None in known or _exact(known[0]) != sum(map(_exact, known[1:])):
                given, *parts = ("?" if value is None else str(value) for value in known)
                accounted = " + ".join(f"{part} {fate}" for part, fate in zip(parts, FATES, strict=True))
                message = f"the ledger of {table} does not balance in {what}: {given} in, but {accounted}"
                raise Failure(message, step="02-cleaning")


def _exact(value: float) -> Decimal:
    # The shortest decimal of a figure is the amount itself; sums of floats would be off by 1e-10.
    return Decimal(str(value))


def kept_failure(output: Path, client: Client, period: Period | None) -> Path | None:
    """A failed notebook, kept for its owner to look into; its place, if there is one."""
    if not output.is_file():
        return None
    place = client.folder / "built" / "failed" / (period.name if period else "delivery") / output.name
    tables.replace(place, output.read_bytes())
    os.chmod(place, 0o600)
    return place


def results(client: Client, period: Period) -> bytes:
    """`results.json`: the same input gives the same bytes."""
    content = findings.figures(client, period)
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
    return f"{text}\n".encode()
