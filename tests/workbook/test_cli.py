"""At the command line every refusal is one message, every mistake status 2."""

import json
import sys
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner, Result

from crmlib.findings import STEPS
from crmlib.workbook import runner
from crmlib.workbook.cli import main


def crm(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("run", "nobody"),
            "Error: No client 'nobody': data/nobody/client.yml does not exist. Clients: tiny.",
        ),
        (("run", "../etc"), "Error: Client '../etc' is not a usable name."),
        (
            ("run", "tiny", "--period", "2024-Q5"),
            "Error: Period '2024-Q5' is not a period. Write it as 2024,",
        ),
        (("run", "tiny", "--period", ""), "Error: Period '' is not a period."),
        (("run", "tiny", "--period", "2024-Q4", "--period", "now"), "Error: Period 'now' is not a period."),
        (("run", "tiny", "--perod", "2024-Q4"), "No such option"),
        (("run", "tiny", "--jobs", "0"), "--jobs"),
        (("run",), "Missing argument"),
        (("check", "nobody"), "Error: No client 'nobody'"),
        (("lab", "tiny", "--period", "soon", "--copies-only"), "Error: Period 'soon' is not a period."),
        (("new", "tiny", "orders.csv"), "Error: data/tiny/client.yml exists already and is left as it is."),
        (("new", "fresh", "nowhere.csv"), "Error: nowhere.csv does not exist."),
        (("config", "nobody"), "Error: No client 'nobody'"),
        (("thresholds", "nobody", "limits.xlsx"), "Error: No client 'nobody'"),
        (("thresholds", "tiny", "nowhere.xlsx"), "Error: nowhere.xlsx does not exist."),
        (("thresholds", "tiny", "limits.xlsx", "--period", "soon"), "Error: Period 'soon' is not a period."),
        (("thresholds", "tiny"), "Missing argument"),
        (("fly",), "No such command"),
    ],
)
def test_bad_input_is_told_in_one_message_with_status_2(home, monkeypatch, arguments, said):
    home.client("tiny")
    monkeypatch.setattr(runner.execution, "execute", _never)
    result = crm(*arguments)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_a_wrong_key_in_one_of_two_clients_stops_only_that_one(home, monkeypatch):
    home.client("good")
    broken = home.client("broken").config
    broken.write_text(broken.read_text().replace("currency", "curency"), "utf-8")
    ran = []
    monkeypatch.setattr(runner.Chain, "_execute", lambda self, step, period: ran.append(self.client.id))
    monkeypatch.setattr(runner.Chain, "_publish", lambda *_: None)
    result = crm("run", "broken", "good", "--period", "2024-Q4")
    assert result.exit_code == 1
    assert set(ran) == {"good"}
    assert (
        "1 of 2 clients failed:\n  broken: data/broken/client.yml, line 2: curency is not a known key"
        in result.stderr
    )
    assert "data/broken/client.yml, line 2: curency is not a known key; did you mean" in result.stderr


def test_clients_and_periods_named_twice_run_once(home, monkeypatch):
    home.client("tiny")
    ran = []
    monkeypatch.setattr(runner.Chain, "_execute", lambda self, step, period: ran.append(step))
    monkeypatch.setattr(runner.Chain, "_publish", lambda *_: None)
    result = crm("run", "tiny", "tiny", "--period", "2024-Q4", "--period", "2024-Q4")
    assert result.exit_code == 0, result.output
    assert sorted(ran) == sorted(set(ran))


def test_without_a_period_the_newest_complete_one_is_run(home, monkeypatch):
    home.client("tiny")
    ran = []
    monkeypatch.setattr(
        runner.Chain, "_execute", lambda self, step, period: ran.append(period and period.name)
    )
    monkeypatch.setattr(runner.Chain, "_publish", lambda *_: None)
    assert crm("run", "tiny").exit_code == 0
    assert ran == [None, None, *["2024-Q4"] * (len(STEPS) - 2)]


def test_the_list_shows_each_client(home):
    assert "No client yet" in crm("list").stdout
    home.client("tiny")
    assert crm("list").stdout == "tiny: nothing published yet\n"


def test_every_setting_can_be_read_as_yaml(home):
    home.client("tiny")
    assert "unit: quarter" in crm("config", "tiny").stdout
    assert "currency: (required)" in crm("config").stdout


def test_checking_reads_the_files_and_runs_nothing(home, monkeypatch):
    client = home.client("tiny")
    monkeypatch.setattr(runner.execution, "execute", _never)
    result = crm("check", "tiny")
    assert result.exit_code == 0, result.output
    assert "transactions: orders.csv" in result.stdout and "2024-Q4" in result.stdout
    (client.raw / "orders.csv").unlink()
    result = crm("check", "tiny")
    assert result.exit_code == 2
    assert "orders.csv does not exist" in result.stderr


def test_checking_says_what_goals_lack_before_anything_runs(home):
    client = home.client("tiny")
    goals = """
goals:
  all: {name: All, kpi: sales.identified, target: 100, by: 2025-12-31, owner: Li, supervisor: Wu, serves: growth}
  north: {name: North, kpi: sales.identified.region.N, target: 60, by: 2025-12-31, parent: all, owner: An, supervisor: Li}
  liked: {name: Liked, kpi: nps.score, target: 5, by: 2020-12-31}
"""
    client.config.write_text(client.config.read_text("utf-8") + goals, "utf-8")
    lines = [line for line in crm("check", "tiny").stdout.splitlines() if line.startswith("  goals")]
    assert lines == [
        "  goals.liked: nobody owns it",
        "  goals.liked: nobody supervises it",
        "  goals.liked: it names neither a parent nor what it serves",
        "  goals.liked: its day is past (2020-12-31)",
        "  goals.liked: its KPI is computed from a table that is not supplied (surveys)",
        "  goals.all: sub-goals do not make the whole (60 of 100)",
    ]


def test_a_copy_that_was_changed_is_never_overwritten(home):
    folder = home.client("tiny").folder / "lab"
    assert crm("lab", "tiny", "--copies-only").exit_code == 0
    changed, run_only = folder / "03-classification.ipynb", folder / "04-visualisation.ipynb"
    _edit(changed, lambda cells: cells.append(nbformat.v4.new_code_cell("mine = 1")))
    _edit(run_only, lambda cells: cells[1].update(execution_count=3))
    result = crm("lab", "tiny", "--period", "2024-Q3", "--copies-only")
    assert "Left as you changed them: 03-classification.ipynb." in result.stderr
    assert nbformat.read(changed, as_version=4).cells[-1].source == "mine = 1"
    parameters = nbformat.read(run_only, as_version=4).cells[1].source
    assert (
        parameters
        == 'client: str = "tiny"  # a folder under data/\nperiod: str = "2024-Q3"  # what to report on'
    )


def test_jupyterlab_starts_in_the_copies_without_news(home, monkeypatch):
    home.client("tiny")
    monkeypatch.chdir(home.root)  # put back afterwards: the command goes to the copies
    started = []

    def become(_program: str, command: list[str]) -> None:
        started.append((command, Path.cwd()))
        raise SystemExit(0)

    monkeypatch.setattr("os.execv", become)
    assert crm("lab", "tiny", "--", "--no-browser").exit_code == 0
    ((command, folder),) = started
    assert command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert "--LabApp.news_url=None" in command and command[-1] == "--no-browser"
    assert folder == home.root / "data" / "tiny" / "lab"


def test_a_new_client_names_its_file_and_marks_what_it_could_not_tell(home, tmp_path):
    file = tmp_path / "orders: 2024.csv"
    file.write_text("订单编号,订单日期,客户编号,金额,备注 #1\n1,2024-01-01,7,10,x\n", "gb18030")
    result = crm("new", "acme", str(file))
    assert result.exit_code == 0, result.output
    text = (home.root / "data" / "acme" / "client.yml").read_text("utf-8")
    assert f"files: [{json.dumps(str(file))}]" in text
    assert "ordered_at: 订单日期  # 94 %: by its name; 100% dates" in text
    assert "currency: CNY  # 80 %: the headers are Chinese" in text and '# Not used: "备注 #1"' in text
    assert len(text.splitlines()) <= 40
    assert crm("new", "acme", str(file)).exit_code == 2
    assert "transactions: orders: 2024.csv; 4 columns, 94–94 % sure" in result.stdout
    assert "data/acme/client.yml written; 0 TODO to answer. Then: crm check acme" in result.stdout
    assert crm("check", "acme").exit_code == 0


def test_a_copied_file_lies_under_raw(home, tmp_path):
    file = tmp_path / "orders.csv"
    file.write_text("InvoiceNo,InvoiceDate,CustomerID,Amount\n1,2024-01-01,7,10\n", "utf-8")
    assert crm("new", "acme", str(file), "--copy").exit_code == 0
    assert (home.root / "data" / "acme" / "raw" / "orders.csv").read_bytes() == file.read_bytes()


def _never(*_args: object) -> None:
    raise AssertionError("a notebook was started")


def _edit(path, change) -> None:
    notebook = nbformat.read(path, as_version=4)
    change(notebook.cells)
    nbformat.write(notebook, path)
