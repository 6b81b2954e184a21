"""A tiny client and notebooks that only hand over their books: the shell is under test, not the chain."""

import json
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from crmlib import client as clients
from crmlib import findings, tables
from crmlib.period import Period, day_number
from crmlib.workbook import execution

CONFIG = """\
name: {name}
currency: CNY
decimals: 2
languages: {languages}
delivered_on: 2025-01-06
tables:
  customers:
    files: [customers.csv]
    columns: {{customer_id: id, name: name}}
  transactions:
    files: [orders.csv]
    columns: {{ordered_at: day, amount: amount, customer_id: id}}
"""
# One white point.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg=="
PARAMETERS = 'client: str = "demo"  # a folder under data/\nperiod: str = "2024-Q4"  # what to report on'
BOOK = """\
import os, pathlib, shutil
home = pathlib.Path(os.environ["CRM_HOME"])
built = home / "data" / client / "built" / ("delivery" if "{step}" < "03" else period) / "books"
built.mkdir(parents=True, exist_ok=True)
shutil.copyfile(home / "books" / "{step}.json", built / "new.json")
os.replace(built / "new.json", built / "{step}.json")
"""
SHOWN = f"""\
from IPython.display import display
about = {{"image/png": {{"alt": "A rising line"}}}}
display({{"image/png": "{PNG}", "text/plain": "a chart"}}, raw=True, metadata=about)
display({{"text/html": "<p class='finding yes'>Sales rose.</p>", "text/plain": "Sales rose."}}, raw=True)
"""


def figure(value: float | None, unit: str) -> dict:
    return {
        "value": value,
        "unit": unit,
        "low": None,
        "high": None,
        "n": 3,
        "label": "",
        "formula": "",
        "source": "",
    }


LEDGER = {
    f"ledger.transactions.{what}_{fate}": figure(value, unit)
    for what, unit, values in (("rows", "count", (4, 2, 1, 1)), ("money", "money", (40.3, 20.1, 10.1, 10.1)))
    for fate, value in zip(("in", "kept", "merged", "quarantined"), values, strict=True)
}
EXHIBIT = {
    "id": "sales.by_month",
    "title": "Sales by month",
    "about": [["n = {n:count} {of:phrase}", {"n": 3, "of": "customers"}]],
    "serves": "",
    "columns": [
        {"name": "month", "heading": "Month", "unit": "date"},
        {"name": "sales", "heading": "Sales", "unit": "money"},
        {"name": "share_of_sales", "heading": "Share of sales", "unit": "share"},
        {"name": "region", "heading": "Region", "unit": "text"},
    ],
    "rows": [["2024-10-01", 1234.56, 0.25, "=HYPERLINK(1)"], ["2024-11-01", None, 0.75, "0012"]],
    "row_units": ["text", "text"],
}


@dataclass
class Home:
    """A folder with data/ and reports/, and notebooks that can be made to misbehave."""

    root: Path
    notebooks: Path

    def client(self, name: str, **about: str) -> clients.Client:
        folder = self.root / "data" / name
        (folder / "raw").mkdir(parents=True)
        config = CONFIG.format(name=about.get("shown", "Tiny"), languages=about.get("languages", "[en]"))
        (folder / "client.yml").write_text(config + about.get("more", ""), "utf-8")
        (folder / "raw" / "calls.csv").write_text("id,on,done\n1,2024-12-30,\n", "utf-8")
        (folder / "raw" / "orders.csv").write_text("id,day,amount\n1,2024-10-01,10\n", "utf-8")
        (folder / "raw" / "customers.csv").write_text("id,name\n1,Zhang San\n", "utf-8")
        found = clients.load(name)
        _tables(found)
        for period in ("2024-Q3", "2024-Q4", "2025-Q1"):
            _period_tables(found, Period.parse(period))
        return found

    def notebook(self, step: str, *cells: str, markdown: str = "") -> None:
        new = nbformat.v4
        first = new.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
        made = [new.new_markdown_cell(markdown or f"# Is {step} right?\n\n## How much?"), first]
        made += [new.new_code_cell(source) for source in cells]
        notebook = new.new_notebook(cells=made)
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.notebooks / f"{step}.ipynb")

    def ending(self, step: str) -> str:
        """The cell with which a notebook hands over its book."""
        return BOOK.format(step=step)

    def book(self, step: str, **content: object) -> None:
        whole = {"step": step, "figures": {}, "findings": [], "exhibits": []} | content
        path = self.root / "books" / f"{step}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(whole), "utf-8")

    def hand_over(self, client: clients.Client, period: Period) -> Path:
        """What executed notebooks leave behind, without executing any."""
        staging = client.report(period).parent / ".staging-test" / period.name
        (staging / "notebooks").mkdir(parents=True)
        for step in findings.STEPS:
            target = execution.book_path(step, client, period)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((self.root / "books" / f"{step}.json").read_bytes())
            notebook = nbformat.read(self.notebooks / f"{step}.ipynb", as_version=4)
            nbformat.write(notebook, staging / "notebooks" / f"{step}.ipynb")
        return staging


def _tables(client: clients.Client) -> None:
    days = [day_number(Period.parse(month).start) for month in ("2024-09", "2024-10", "2025-01")]
    lines = _rows(tables.TRANSACTIONS, 3) | {
        "customer_id": ["1", "1", "2"],
        "ordered_at": pd.to_datetime(["2024-09-01", "2024-10-01", "2025-01-01"]).astype("datetime64[s]"),
        "order_day": days,
        "amount": [1000, 1010, 2010],
    }
    people = _rows(tables.CUSTOMERS, 2) | {"customer_id": ["1", "2"], "name": ["Zhang San", None]}
    aside = _rows(tables.QUARANTINE, 1) | {
        "table": ["transactions"],
        "reason": ["=no date"],
        "money": [1010],
        "source_file": ["orders.csv"],
        "source_row": [3],
        "raw": ['{"id": "=1+1", "day": "someday", "amount": "0010"}'],
    }
    ledger = _rows(tables.LEDGER, 1) | {"table": ["transactions"], "step": ["all"], "rows_in": [4]}
    for table, content in (
        (tables.TRANSACTIONS, lines),
        (tables.CUSTOMERS, people),
        (tables.QUARANTINE, aside),
        (tables.LEDGER, ledger),
    ):
        tables.write(pd.DataFrame(content), client.delivery, table)


def _period_tables(client: clients.Client, period: Period) -> None:
    folder = client.built(period)
    tables.write(pd.DataFrame(_rows(tables.FACTS, 1) | {"customer_id": ["1"]}), folder, tables.FACTS)
    tables.write(pd.DataFrame(_rows(tables.CLASSES, 1) | {"customer_id": ["1"]}), folder, tables.CLASSES)
    (folder / "tiers.xlsx").write_bytes(b"tiers")


def _rows(table: tables.Table, rows: int) -> dict:
    return {name: [None] * rows for name in table.schema.names}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An empty home with well-behaved notebooks."""
    root = tmp_path / "home"
    (root / "data").mkdir(parents=True)
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    monkeypatch.setenv("CRM_HOME", str(root))
    monkeypatch.setattr(execution, "NOTEBOOKS", notebooks)
    made = Home(root, notebooks)
    for step in findings.STEPS:
        shown = (SHOWN,) if step > "03" else ()
        made.notebook(step, made.ending(step), *shown)
        made.book(step)
    made.book("02-cleaning", figures=LEDGER)
    sales = {"sales.identified": figure(1234.5, "money"), "retention.rate": figure(0.5, "share")}
    made.book("05-analysis-performance", figures=sales, exhibits=[EXHIBIT])
    return made
