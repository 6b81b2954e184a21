"""The panel of whom to ask: its sentence follows the sliders, with no front end to show it."""

import pandas as pd
import pytest
from builders import made

from crmlib import findings
from crmlib.analysis.verdict import Terms
from crmlib.period import Period
from crmlib.workbook.contacts import Contacts

TABLE = pd.DataFrame(
    {
        "customer_id": list("abc"),
        "chance_to_leave": [0.9, 0.5, 0.2],
        "expected_gain": [500.0, 900.0, 100.0],
        "expected_loss": [9000.0, 20000.0, 2000.0],
    }
)


@pytest.fixture
def book(tmp_path, monkeypatch):
    monkeypatch.setenv("CRM_HOME", str(tmp_path))
    return findings.Book("08-analysis-churn", made(tmp_path), Period.parse("2024-Q4"))


def test_the_panel_says_whom_a_threshold_and_a_budget_reach(book):
    panel = Contacts(book, TABLE, Terms(1000, 0.1, 1, None, False), threshold=0.4)
    # Two from .4 on at ten yuan each; they gain 5 and 9 yuan after that, and may take 90 and 200 with them.
    assert panel.said.value.startswith("2 customers from 40.0% on; contacts cost CN¥20.00")
    assert "CN¥14.00" in panel.said.value and "CN¥290.00" in panel.said.value
    panel.budget.value = 10
    assert panel.said.value.startswith("1 customers from 40.0% on; contacts cost CN¥10.00")
    panel.threshold.value = 0.95
    assert panel.said.value.startswith("0 customers")


def test_without_anybody_at_risk_the_panel_stands_and_says_so(book):
    panel = Contacts(book, TABLE.head(0), Terms(0, 0.1, 1, None, True), threshold=None)
    assert panel.said.value.startswith("0 customers from 50.0% on")
