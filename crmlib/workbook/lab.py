"""Working copies: notebooks a client's analyst may change and save, without ever committing data.

They lie under `data/<client>/lab/`, ignored by git. A copy that was changed is never overwritten;
one that was only run is, once the notebook it was made from has a newer version.
"""

import copy
import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat

from crmlib import findings, tables
from crmlib import language as languages
from crmlib.client import Client
from crmlib.collection import sources
from crmlib.errors import Refused
from crmlib.period import Period
from crmlib.workbook import execution

RECORD = ".copies.json"


@dataclass(frozen=True)
class Copies:
    """The working copies of one client: which were made now, which were left as their owner has them."""

    folder: Path
    made: list[str]
    kept: list[str]


def copies(client: Client, period: Period | None) -> Copies:
    """A copy of every notebook, its parameters set; those the user changed stay as they are."""
    folder = client.folder / "lab"
    record = _record(folder)
    made, kept = [], []
    for step in findings.STEPS:
        path = folder / f"{step}.ipynb"
        fresh = _copy(step, client, period)
        if path.exists() and _mark(path) not in (record.get(step), _content(fresh)):
            kept.append(path.name)
            continue
        if not path.exists() or _mark(path) != _content(fresh):
            tables.replace(path, nbformat.writes(fresh).encode())
            made.append(path.name)
        record[step] = _content(fresh)
    tables.replace(folder / RECORD, json.dumps(record, indent=1).encode())
    return Copies(folder, made, kept)


def period_of(client: Client, name: str | None) -> Period | None:
    """The period asked for, else the newest complete one, else what the notebooks themselves say."""
    if name is not None:
        return Period.parse(name)
    try:
        return Period.newest_complete(sources.delivered_on(client), client.unit)
    except Refused:
        return None


def start(folder: Path, arguments: tuple[str, ...]) -> int:
    """JupyterLab in this folder, its news and its search for updates off; its exit status.

    Where the system can, this process becomes JupyterLab's: a signal to stop reaches it.
    """
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        # Settings that ask nobody about news and look for no update; the user's own still win.
        f"--LabApp.app_settings_dir={Path(__file__).parent / 'templates' / 'lab'}",
        f"--ServerApp.root_dir={folder}",
        # Root is what a container's user is; the token still guards the door.
        *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
        *arguments,
    ]
    os.chdir(folder)
    if os.name == "posix":
        os.execv(command[0], command)
    return subprocess.call(command)


def _copy(step: str, client: Client, period: Period | None) -> nbformat.NotebookNode:
    """The notebook for this client, in its first language, without the demo's outputs."""
    found = copy.deepcopy(nbformat.read(execution.notebook(step), as_version=4))
    language = languages.of(client)
    for cell in found.cells:
        if cell.cell_type == "markdown":
            cell.source = language.text(cell.source)
        if cell.cell_type != "code":
            continue
        cell.outputs, cell.execution_count = [], None
        if "parameters" in cell.metadata.get("tags", []):
            cell.source = _set(cell.source, "client", client.id)
            cell.source = _set(cell.source, "period", period.name) if period else cell.source
    return found


def _set(source: str, name: str, value: str) -> str:
    """A parameter's line with another value; its comment stays."""
    line = re.compile(rf"""^({name}\b[^=\n]*=\s*)("[^"\n]*"|'[^'\n]*'|None)""", re.MULTILINE)
    return line.sub(lambda found: f"{found[1]}{json.dumps(value)}", source, count=1)


def _content(notebook: nbformat.NotebookNode) -> str:
    """What a person writes in a notebook, as a fingerprint: running it changes nothing here."""
    cells = [(cell.cell_type, cell.source, cell.metadata.get("tags", [])) for cell in notebook.cells]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def _mark(path: Path) -> str | None:
    try:
        return _content(nbformat.read(path, as_version=4))
    except (OSError, ValueError, nbformat.ValidationError):
        return "unreadable"  # something a person is in the middle of; not ours to replace


def _record(folder: Path) -> dict[str, str]:
    try:
        found = json.loads((folder / RECORD).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
