"""The panel of measures: what each is held against, and what is better or worse than a year ago."""

import math

import pytest

from crmlib.analysis import panel
from crmlib.analysis.history import Past, Told
from crmlib.period import Period


def past(*figures: dict, name: str = "2024-Q4", whole: int = 99) -> Past:
    """Periods with these figures, the last one being `name`; the newest `whole` of them are covered whole."""
    spans = [Period.parse(name)]
    while len(spans) < len(figures):
        spans.insert(0, spans[0].previous())
    told = [
        Told(
            span,
            {id: value if isinstance(value, dict) else {"value": value} for id, value in one.items()},
            n,
            n,
            n,
        )
        for span, one, n in zip(
            spans, figures, [len(figures) - n <= whole for n in range(len(figures))], strict=True
        )
    ]
    year = next((one for one in told if one.span == spans[-1].last_year()), None)
    return Past(tuple(told), year, 2)


SALES = [{"sales.all": amount, "profit.margin": 0.2} for amount in (800, 1000, 900, 950, 1100)]


def test_a_measure_stands_beside_the_period_before_and_the_year_before():
    table = panel.panel(past(*SALES), ["sales.all"], {"sales.all": 20.0, "nps.score": 3})
    row = table.iloc[0]
    assert (row["value"], row["previous"], row["last_year"]) == (1100, 950, 800)
    assert row["change"] == pytest.approx(150 / 950)
    assert row["change_last_year"] == pytest.approx(0.375)
    assert row["benchmark"] == 2000  # given in main units, shown with the others from the smallest
    assert row["trend"] == "▁▆▃▅█"  # (1000 − 800) ÷ 300 × 7 = 4.7, of 900 2.3, of 950 3.5


def test_a_period_that_the_data_covers_in_part_is_none_to_compare_with():
    row = panel.panel(past(*SALES, whole=1), ["sales.all"]).iloc[0]
    assert row["value"] == 1100
    assert row[["previous", "change", "last_year", "change_last_year"]].isna().all()
    assert row["trend"] == "····▄"
    assert "benchmark" not in panel.panel(past(*SALES), ["sales.all"])


def test_no_more_than_six_periods_are_drawn_and_each_is_a_column():
    table = panel.periods(past(*({"sales.all": n} for n in range(9))), ["sales.all", "nps.score"])
    names = ["2023-Q3", "2023-Q4", "2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"]
    assert list(table.columns[2:8]) == names
    assert table.loc[0, names].tolist() == [3, 4, 5, 6, 7, 8]
    assert table.loc[0, ["last_year", "moved", "moved_on_last_year"]].tolist() == [4, "kpi_rose", "kpi_rose"]
    assert table["id"].tolist() == ["sales.all"]  # a measure that nobody knows has no line


def share(value: float, reach: float) -> dict:
    return {"value": value, "low": value - reach, "high": value + reach, "n": 100}


def test_a_share_is_worse_only_beyond_chance_and_a_total_beyond_a_twentieth():
    then = {"retention.rate": share(0.60, 0.03), "repurchase.rate": share(0.5, 0.03), "sales.all": 1000}
    now = {"retention.rate": share(0.57, 0.03), "repurchase.rate": share(0.4, 0.03), "sales.all": 1049}
    found = panel.against(past(then, {}, {}, {}, now), list(then))
    # Reach of a difference: √(.03² + .03²) = .0424, of two measures together × 1.96 ÷ 1.645: .0505.
    assert math.isclose(0.0424, math.hypot(0.03, 0.03), abs_tol=1e-4)
    assert [part["fact"] for part in found["worse"]] == ["Repurchase"]
    assert found["better"] == []
    assert (found["last_year"], found["told"]) == ("2023-Q4", 3)


def test_a_few_more_customers_are_chance_and_many_more_are_not():
    # √(106 + 116) = 14.9, times 1.645: ten more are chance; √(100 + 160) = 16.1, times 1.645: sixty are not.
    few = panel.against(past({"customers.new": 106}, {}, {}, {}, {"customers.new": 116}), ["customers.new"])
    many = panel.against(past({"customers.new": 100}, {}, {}, {}, {"customers.new": 160}), ["customers.new"])
    assert few["better"] == []
    assert [part["inside"] for part in many["better"]] == [160]


def test_less_churn_is_better_and_more_returns_are_worse():
    then = {"churn.rate": share(0.2, 0.01), "sales.returns": -100, "customers.total": 50}
    now = {"churn.rate": share(0.1, 0.01), "sales.returns": -200, "customers.total": 90}
    found = panel.against(past(then, {}, {}, {}, now), list(then))
    assert [part["fact"] for part in found["better"]] == ["Churn"]  # customers so far can only grow
    assert found["worse"] == [
        {"fact": "Returns", "word": None, "unit": "money", "inside": -2.0, "others": -1.0}
    ]


def test_without_a_year_before_nothing_is_better_or_worse():
    found = panel.against(past({"sales.all": 1000}, {"sales.all": 9}), ["sales.all"])
    assert found == {"last_year": "", "told": 0, "better": [], "worse": [], "least": 0.05}
    assert panel.panel(past({"sales.all": None}), ["sales.all"])["trend"].tolist() == [""]


def test_a_measure_that_cannot_be_had_says_why():
    figures = {"sales.all": 5, "nps.score": {"value": None, "n": 0, "why": "not supplied"}}
    table = panel.panel(past(figures), list(figures))
    assert table["why"].tolist() == [None, "not supplied"]
    assert "why" not in panel.panel(past(figures), ["sales.all"])
