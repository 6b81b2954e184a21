"""Every published run, read from what lies on disk; and the page that lists them."""

import json
from pathlib import Path

from crmlib import tables
from crmlib.client import home


def published(client: str | None = None) -> list[dict]:
    """The manifest and results of every published run, by client, the newest period first."""
    found = [run for path in (home() / "reports").glob(f"{client or '*'}/*/") if (run := _run(path))]
    found.sort(key=lambda run: (run["as_of"], run["start"]), reverse=True)
    return sorted(found, key=lambda run: run["client"])


def _run(folder: Path) -> dict | None:
    """One run; None where the folder holds none, or is being built."""
    if folder.name.startswith("."):
        return None
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        results = json.loads((folder / "results.json").read_text("utf-8"))
        _ = [
            manifest[name]
            for name in ("client", "name", "period", "start", "as_of", "incomplete", "currency")
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return None  # put away this moment, or not ours
    return manifest | {"results": results, "folder": f"{folder.parent.name}/{folder.name}"}


def write_index() -> Path:
    """`reports/index.html`: every run with its headline figures, written anew in one step."""
    from filelock import FileLock  # runs of two clients may end together

    from crmlib.workbook import report

    reports = home() / "reports"
    with FileLock(reports / ".index.lock"):
        page = tables.replace(reports / "index.html", report.index(published()).encode())
        page.chmod(0o644)  # it names no person, and a web server may show it
    return page
