"""Notebooks in real kernels: what is published, what is said, what is left when something breaks."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from filelock import FileLock

from crmlib.workbook.cli import main


def crm(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_one_client_fails_and_the_other_is_published(home):
    home.client("good")
    home.client("bad")
    home.notebook("01-collection", "if client == 'bad':\n    1 / 0", home.ending("01-collection"))
    one_thread = (
        "import os\nassert os.environ['OMP_NUM_THREADS'] == os.environ['OPENBLAS_NUM_THREADS'] == '1'"
    )
    home.notebook("02-cleaning", one_thread, home.ending("02-cleaning"))
    result = crm("run", "bad", "good")
    assert result.exit_code == 1, result.output
    assert "1 of 2 clients failed:" in result.stderr
    assert "bad, notebook 01-collection, cell [3]: ZeroDivisionError: division by zero" in result.stderr
    assert "Traceback" not in result.output
    folder = home.root / "reports" / "good" / "2024-Q4"
    assert result.stdout.strip().endswith("reports/good/2024-Q4/report.html")
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    steps = (
        "01-collection",
        "02-cleaning",
        "03-classification",
        "04-visualisation",
        "05-analysis-performance",
        "06-analysis-satisfaction",
        "07-analysis-value",
        "08-analysis-churn",
        "09-analysis-preferences",
        "10-analysis-relationships",
    )
    tables = ("customers", "transactions", "quarantine", "ledger", "facts", "classes")
    assert found == {
        "report.html",
        "relations.html",
        "exhibits.xlsx",
        "results.json",
        "manifest.json",
        "internal/tiers.xlsx",
        "internal/quarantine.xlsx",
        *(f"notebooks/{step}.ipynb" for step in (*steps, "12-summary")),
        *(f"tables/{table}.parquet" for table in tables),
    }
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert set(manifest["seconds"]) == {*steps, "12-summary"}
    executed = (folder / "notebooks" / "03-classification.ipynb").read_text("utf-8")
    assert str(home.root) not in executed, "a published notebook names the folders of the machine"
    assert [path.name for path in (home.root / "reports" / "good").iterdir()] == ["2024-Q4"]
    kept = home.root / "data" / "bad" / "built" / "failed" / "delivery" / "01-collection.ipynb"
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_refusal_inside_a_notebook_comes_out_in_its_own_words(home):
    home.client("tiny")
    refusal = (
        "from crmlib.errors import SourceError\n"
        "raise SourceError(\"orders.csv has no column 'amount'.\\nIt has: id, day.\")"
    )
    home.notebook("01-collection", refusal)
    result = crm("run", "tiny", "--period", "2024-Q4")
    assert result.exit_code == 2
    assert result.stderr == "Error: orders.csv has no column 'amount'.\nIt has: id, day.\n"


def test_a_notebook_whose_process_is_killed_is_a_failure_that_names_the_cell(home):
    client = home.client("tiny")
    last_good = client.folder.parents[1] / "reports" / "tiny" / "2024-Q4"
    last_good.mkdir(parents=True)
    (last_good / "report.html").write_text("last good")
    home.notebook("01-collection", "import os, signal", "os.kill(os.getpid(), signal.SIGKILL)")
    result = crm("run", "tiny", "--period", "2024-Q4")
    assert result.exit_code == 1
    assert "tiny, notebook 01-collection, cell [4]: the notebook's process was killed" in result.stderr
    assert (last_good / "report.html").read_text() == "last good"


def test_a_notebook_that_ends_early_without_an_error_is_no_success(home):
    home.client("tiny")
    home.notebook("01-collection", "import sys\nsys.exit(0)", home.ending("01-collection"))
    result = crm("run", "tiny", "--period", "2024-Q4")
    assert result.exit_code == 1
    assert "ended without writing data/tiny/built/delivery/books/01-collection.json" in result.stderr


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_kernels_and_leaves_the_last_good_report(home, signum):
    home.client("tiny")
    last_good = home.root / "reports" / "tiny" / "2024-Q4"
    last_good.mkdir(parents=True)
    (last_good / "report.html").write_text("last good")
    started = home.root / "started"
    sleep = f"import os, time\nopen({str(started)!r}, 'w').write(str(os.getpid()))\ntime.sleep(120)"
    home.notebook("01-collection", sleep)
    # As a shell's `&` or cron starts it: with SIGINT ignored.
    runner = subprocess.Popen(
        [sys.executable, "-c", _LAUNCH, str(home.notebooks), "run", "tiny"],
        stderr=subprocess.PIPE,
        text=True,
    )
    kernel = int(_content(started))
    runner.send_signal(signum)
    _, said = runner.communicate(timeout=30)
    assert runner.returncode == 128 + signum
    assert said == f"Stopped by {signum.name}; reports already published stand as they were.\n"
    assert not _alive(kernel)
    assert (last_good / "report.html").read_text() == "last good"
    assert [path.name for path in last_good.parent.iterdir()] == ["2024-Q4"]
    with FileLock(home.root / "data" / "tiny" / "built" / ".lock", timeout=0):
        pass


def test_a_second_run_of_a_client_says_who_is_at_work(home):
    home.client("tiny")
    built = home.root / "data" / "tiny" / "built"
    (built / ".lock.pid").write_text("4711")
    with FileLock(built / ".lock"):
        result = crm("run", "tiny")
    assert result.exit_code == 75
    assert result.stderr == "Error: tiny is already running (pid 4711). Wait for it to end, or stop it.\n"


def test_a_reports_folder_that_cannot_be_written_is_told_before_any_notebook_runs(home):
    home.client("tiny")
    (home.root / "reports").write_text("a file where a folder should be")
    result = crm("run", "tiny")
    assert result.exit_code == 2
    assert f"Reports cannot be written to {home.root / 'reports' / 'tiny'}" in result.stderr


_LAUNCH = """
import pathlib, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
from crmlib.workbook import cli, execution
execution.NOTEBOOKS = pathlib.Path(sys.argv.pop(1))
cli.main()
"""


def _content(path: Path) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if path.is_file() and path.read_text():
            return path.read_text()
        time.sleep(0.05)
    raise AssertionError(f"{path} was never written")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
