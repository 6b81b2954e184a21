"""Exploring without a browser: each question asked as a function, and by widgets set as a hand would set them."""

import subprocess
import sys
from functools import partial

import builders
import pandas as pd
import pytest
from conftest import _rows

from crmlib import tables
from crmlib.analysis import history, tallies
from crmlib.analysis.tally import Tally
from crmlib.classification import facts
from crmlib.cleaning import delivery as cleaning
from crmlib.errors import Refused
from crmlib.findings import Book
from crmlib.period import Period
from crmlib.workbook import explore, questions

Q4 = Period.parse("2024-Q4")
# Five customers: two tiers, two regions; net sales in the smallest unit.
TIERS = ["high", "high", "low", "low", "low"]
REGIONS = ["华东", "华北", "华东", "华东", "unknown"]
NETS = [90_000, 70_000, 500, 400, 300]


@pytest.fixture
def client(home):
    made = home.client("tiny")
    ids = [f"k{n}" for n in range(1, 6)]
    judged = _rows(tables.CLASSES, 5) | {"customer_id": ids, "tier": TIERS, "region": REGIONS}
    known = _rows(tables.FACTS, 5) | {"customer_id": ids, "net": NETS}
    tables.write(pd.DataFrame(judged), made.built(Q4), tables.CLASSES)
    tables.write(pd.DataFrame(known), made.built(Q4), tables.FACTS)
    bought = [
        ("k3", "2024-10-05", 200),
        ("k1", "2024-11-05", 1000),
        ("k3", "2024-11-07", 50),
        ("k2", "2024-09-01", 9),
    ]
    lines = [dict(zip(("customer", "day", "amount"), line, strict=True)) for line in bought]
    tables.write(builders.lines(*lines), made.delivery, tables.TRANSACTIONS)
    ledger = _rows(tables.LEDGER, 1) | {"table": ["transactions"], "step": ["all"], "rows_in": [4]}
    tables.write(pd.DataFrame(ledger), made.delivery, tables.LEDGER)
    return made


def book(client, step="03-classification"):
    return Book(step, client, Q4)


def crossed(made, **chosen):
    usual = {"client": "tiny", "period": "2024-Q4", "by": "tier", "attribute": "region", "shown": "customers"}
    return questions.crossed(book(made), **usual | chosen)


def test_a_class_crossed_with_an_attribute_counts_every_customer_once(client):
    found = crossed(client).table
    assert list(found.columns) == ["region", "high", "low"]
    assert found.values.tolist() == [["华东", 1, 2], ["unknown", 0, 1], ["华北", 1, 0]]


def test_shares_are_of_the_row(client):
    found = crossed(client, shown="share").table
    assert found.values.tolist() == [["华东", 1 / 3, 2 / 3], ["unknown", 0, 1], ["华北", 1, 0]]
    assert crossed(client, shown="share").chart.png.startswith(b"\x89PNG")


def test_another_clients_classes_are_its_own_and_a_period_that_never_ran_says_so(client, home):
    home.client("other")
    assert len(crossed(client, client="other", by="tier").table) == 0
    with pytest.raises(Refused, match=r"Run notebook 03"):
        crossed(client, period="2023-Q1")
    with pytest.raises(Refused, match="two different things"):
        crossed(client, attribute="tier")


def test_rows_set_aside_are_told_by_file_and_line_and_never_by_their_cells(client):
    aside = _rows(tables.QUARANTINE, 3) | {
        "table": ["transactions", "transactions", "surveys"],
        "reason": ["missing-id", "unreadable-date", "missing-id"],
        "money": [1010, 2020, None],
        "source_file": ["orders.csv", "orders.csv", "answers.csv"],
        "source_row": [3, 4, 9],
        "raw": ['{"name": "Zhang San"}'] * 3,
    }

    def asked(**chosen):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cleaning, "quarantine", lambda _cleaned: pd.DataFrame(aside))
            return questions.set_aside(book(client, "02-cleaning"), {}, **chosen)

    found = asked(table="transactions", reason="missing-id")
    assert found.table["source_row"].tolist() == [3]
    assert found.table["money"].tolist() == [10.1]
    assert len(asked(table="all", reason="missing-id").table) == 2
    assert "None." in asked(table="surveys", reason="unreadable-date").html()
    assert "Zhang" not in asked(table="all", reason="all").html()


def test_a_measure_by_group_is_that_groups_own_sum_or_rate():
    columns = ["unit", "value", "weight", "region"]
    then = pd.DataFrame([("a", 10, 1, "east"), ("b", 30, 2, "west")], columns=columns)
    now = pd.DataFrame([("a", 12, 3, "east"), ("c", 8, 1, "east"), ("d", 5, 1, "north")], columns=columns)
    total = Tally("sales.identified", then, now, {}, "customers", "transactions", additive=True)
    # East has two customers now (12 + 8), north one, west none any more.
    assert questions.breakdown(total, "region").values.tolist() == [
        ["east", 2, 10, 20],
        ["north", 1, 0, 5],
        ["west", 0, 30, 0],
    ]
    rate = questions.breakdown(Tally("orders.mean", then, now, {}, "customers", "transactions"), "region")
    assert rate["today"].tolist()[:2] == [20 / 4, 5]
    assert rate["today"].isna().tolist() == [False, False, True], "of nobody there is no mean"


def test_a_measure_is_told_over_time_by_group_and_drilled(client):
    days = [(month, day) for month in ("2024-07", "2024-08", "2024-10", "2024-11") for day in range(1, 21)]
    lines = [{"customer": f"k{day}", "day": f"{month}-{day:02d}", "amount": 100 * day} for month, day in days]
    orders = builders.lines(*lines)
    tables.write(orders, client.delivery, tables.TRANSACTIONS)
    people = pd.DataFrame({"customer_id": [f"k{n}" for n in range(1, 21)]})
    people["region"] = ["华东" if n % 2 else "华北" for n in range(1, 21)]
    now, then = (facts.activity(orders, part) for part in (Q4, Q4.previous()))
    counted = {"sales.identified": lambda: tallies.sales(now, then, people)}
    past = history.past(client, Q4, periods=2)
    asked = partial(questions.performance, book(client, "05-analysis-performance"), past, counted)
    over_time, by_group, parts, apart = asked(kpi="sales.identified", dimension="region")
    # Each day n buys 100 n twice a quarter: 2 × 100 × 210 = 42,000 in the smallest unit, of odd days 20,000.
    assert over_time.table["value"].tolist() == [420.0, 420.0]
    found = by_group.table[["region", "then", "today"]].values.tolist()
    assert sorted(found) == [["华东", 200.0, 200.0], ["华北", 220.0, 220.0]]
    assert parts.table["moved"].tolist() == [0, 0]
    assert set(apart.table.columns) >= {"n", "then", "today"}
    with pytest.raises(Refused, match="not supplied"):
        asked(kpi="sales.identified", dimension="industry")


def test_content_by_group_takes_the_aspect_chosen(client):
    rows = [(f"k{n}", f"2024-11-{d:02d}", "service", 1 + n % 5) for n in range(1, 6) for d in range(1, 4)]
    answers = builders.answers(*rows, ("k1", "2024-11-01", "recommend", 10))
    judged = pd.DataFrame({"customer_id": [f"k{n}" for n in range(1, 6)], "tier": TIERS})
    asked = partial(questions.content, book(client, "06-analysis-satisfaction"), answers, judged)
    assert asked(aspect="service", group="tier").table["n"].sum() == 15
    assert asked(aspect="all", group="tier").table["n"].sum() == 15, (
        "recommending is no aspect of satisfaction"
    )
    none = partial(questions.content, book(client, "06-analysis-satisfaction"), None, judged)
    assert len(none(aspect="all", group="tier").table) == 0


FIGURES = {
    "tier.high.customers": {
        "value": 2,
        "unit": "count",
        "low": None,
        "high": None,
        "n": 5,
        "label": "Customers in the tier",
        "formula": "counted",
        "source": "classes",
    }
}
FIGURES["retention.rate"] = FIGURES["tier.high.customers"] | {
    "unit": "share",
    "value": 0.5,
    "label": "Retention",
}
FIGURES["sales.identified"] = FIGURES["tier.high.customers"] | {"unit": "money", "value": 12.5}


def test_a_figure_leads_to_its_formula_and_the_customers_it_counts(client):
    asked = partial(questions.explain, book(client, "12-summary"), FIGURES)
    what, who = asked(id="tier.high.customers")
    assert what.table[["figure_id", "value", "n", "formula"]].values.tolist() == [
        ["tier.high.customers", 2, 5, "counted"]
    ]
    assert len(who.table) == 2
    assert who.table["net"].tolist() == [900.0, 700.0]
    assert not set(who.table["customer_id"]) & {"k1", "k2"}, "numbers are masked"
    assert len(asked(id="retention.rate")) == 1, "a rate is not counted customer by customer from classes"


def test_sales_lead_to_who_bought_in_the_period(client):
    found = questions.behind(book(client, "12-summary"), "sales.identified")
    # 10.00 of k1; 2.00 and 0.50 of k3; k2 bought before the period.
    assert found.values.tolist() == [["k1", "high", 1000], ["k3", "low", 250]]


def test_a_figure_that_is_not_there_names_the_nearest(client):
    with pytest.raises(Refused, match=r"No figure tier\.hihg\.customers\. Near: tier\.high\.customers"):
        questions.explain(book(client, "12-summary"), FIGURES, id="tier.hihg.customers")


def explorer(made, question, **choices):
    return explore.Explorer(book(made), question, choices)


def test_nothing_is_asked_before_somebody_chooses(client, capsys):
    asked = []

    def question(**chosen):
        asked.append(chosen)
        raise Refused("too early")

    made = explorer(client, question, by=["tier", "abc"], months=explore.Range(1, 12, 1, 6))
    assert asked == []
    made.controls["by"].value = "abc"
    made.controls["months"].value = 7
    assert asked == [{"by": "abc", "months": 6}, {"by": "abc", "months": 7}]
    made.button.click()
    assert asked[-1] == {"by": "abc", "months": 7}


def test_choices_show_the_exhibits_that_the_function_gives(client):
    question = partial(questions.crossed, book(client))
    made = explorer(
        client,
        question,
        client=explore.those("tiny"),
        period=explore.periods("tiny", "2024-Q4"),
        by=("tier",),
        attribute=("region", "tier"),
        shown=questions.AMOUNTS,
    )
    (shown,) = made.answer(**made.chosen)
    assert shown.table.equals(crossed(client).table)
    assert made.answer(**made.chosen | {"attribute": "tier"}) == "Choose two different things to cross."
    assert [c.description for c in made.controls.values()] == [
        "Client",
        "Period",
        "By",
        "Attribute",
        "Show as",
    ]
    assert "crm-explore" in made.box._dom_classes


def test_a_long_list_is_typed_and_a_short_one_chosen(client):
    made = explorer(client, lambda **_: [], few=["a", "b"], many=[f"id.{n}" for n in range(500)])
    assert type(made.controls["few"]).__name__ == "Dropdown"
    assert type(made.controls["many"]).__name__ == "Combobox"


def test_what_is_asked_aside_is_no_part_of_the_notebooks_book(client):
    mine = book(client)
    questions.crossed(mine, client="tiny", period="2024-Q4", by="tier", attribute="region", shown="customers")
    assert mine.exhibits == []


def test_a_batch_that_leaves_exploring_out_loads_no_widgets():
    steps = "findings, summary, client"
    code = f"from crmlib import {steps}; import sys; assert not {{'ipywidgets', 'crmlib.workbook'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
