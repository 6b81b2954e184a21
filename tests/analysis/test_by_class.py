"""Measures by class, type, region and channel: by hand; a class is the one from before the period."""

import builders
import pandas as pd
import pytest
from builders import day

from crmlib.analysis import by_class
from crmlib.period import Period
from crmlib.rules import BehaviourRule

Q4 = Period.parse("2024-Q4")


def activity(**orders: int) -> pd.DataFrame:
    """Customers with so many orders of 100, each with a profit of 10."""
    rows = [(who, n, 100 * n, 0, 10 * n, 100 * n) for who, n in orders.items()]
    table = pd.DataFrame(rows, columns=["customer_id", "orders", "gross", "returned", "profit", "profit_on"])
    return table.astype({"profit": "Int64"})


def judged(*rows: tuple) -> pd.DataFrame:
    """Classes from (customer, tier, behaviour, behaviour by fixed days, type)."""
    columns = ["customer_id", "tier", "behaviour", "behaviour_fixed", "customer_type"]
    return pd.DataFrame(rows, columns=columns).assign(region="not_supplied", habit_channel="not_supplied")


@pytest.fixture
def rates(monkeypatch):
    """Six customers, told from two up: `h` rose from low to high by buying, `n` is new."""
    monkeypatch.setattr(by_class, "ENOUGH", 2)
    before = judged(
        ("a", "high", "active", "active", "personal"),
        ("b", "high", "dormant", "churned", "personal"),
        ("c", "low", "active", "active", "enterprise"),
        ("d", "low", "churned", "churned", "enterprise"),
        ("h", "low", "active", "dormant", "personal"),
    )
    now = judged(
        ("a", "high", "active", "active", "personal"),
        ("b", "low", "churned", "churned", "personal"),
        ("c", "low", "churned", "churned", "enterprise"),
        ("d", "low", "churned", "churned", "enterprise"),
        ("h", "high", "active", "active", "personal"),
        ("n", "low", "active", "active", "personal"),
    )
    return by_class.rates(activity(a=1, h=3, n=1), activity(a=1, b=1, c=2, h=1), now, before)


def test_who_came_back_is_asked_of_the_class_before_and_who_is_new_stands_apart(rates):
    tier = rates[rates["class"] == "tier"].set_index("level")
    assert list(tier.index) == ["high", "low", "new"]
    # high then: a and b bought, a came again. low then: c and h, and h came again, though high now.
    assert tier["buyers_before"].tolist() == [2, 2, 0]
    assert tier["retention"].tolist()[:2] == [0.5, 0.5]
    assert tier["active"].tolist() == [1, 1, 1]
    assert tier["repurchase"].isna().all()  # of one customer each
    # not churned then: a, b of high; c, h of low
    assert tier["held_before"].tolist() == [2, 2, 0]
    assert tier["churn"].tolist()[:2] == [0.5, 0.5]
    assert tier["held_before_fixed"].tolist() == [1, 2, 0]
    assert tier["fixed"].tolist()[1] == 0.5


def test_attributes_without_dates_are_as_delivered_and_what_is_not_supplied_has_no_rows(rates):
    assert set(rates["class"]) == {"tier", "customer_type"}
    types = rates[rates["class"] == "customer_type"].set_index("level")
    assert types.loc["personal", ["buyers_before", "retention", "active"]].tolist() == [3, 2 / 3, 3]
    assert types.loc["personal", "repurchase"] == pytest.approx(1 / 3)
    figures = by_class.figures(rates)
    assert figures["retention.rate.customer_type.personal"]["value"] == pytest.approx(2 / 3)
    assert figures["retention.rate.customer_type.enterprise"] == {"value": None, "why": "too few", "n": 1}
    assert "retention.rate.tier.new" not in figures
    # who is new could not leave, and has no row where it is told who left
    assert by_class.told(rates, by_class.LEFT)["level"].tolist() == ["high", "low", "personal", "enterprise"]
    assert "new" in set(by_class.told(rates, by_class.CAME)["level"])


def test_below_ten_customers_a_share_is_refused():
    people = [f"c{n}" for n in range(19)]
    rows = [
        (who, "high" if n < 10 else "low", "active", "active", "personal") for n, who in enumerate(people)
    ]
    bought = activity(**dict.fromkeys(people, 1))
    table = by_class.rates(bought, bought, judged(*rows), judged(*rows), ["tier"]).set_index("level")
    assert table["buyers_before"].tolist() == [10, 9]
    assert table["retention"].isna().tolist() == [False, True]
    assert by_class.apart(table.reset_index(), "tier")["apart"] is None
    assert by_class.rates(bought, bought, judged(), judged(), ["tier"]).empty


def test_without_order_lines_nobody_is_said_to_have_bought_nothing():
    rows = judged(*((f"c{n}", "high", "active", "active", "x") for n in range(12)))
    table = by_class.rates(activity(), activity(), rows, rows, ["tier"])
    assert by_class.told(table, by_class.CAME).empty
    assert by_class.told(table, by_class.LEFT)["held_before"].tolist() == [12]


def test_groups_differ_where_their_intervals_part():
    people = {level: [f"{level}{n}" for n in range(50)] for level in ("high", "low")}
    rows = [(who, level, "active", "active", "x") for level, mine in people.items() for who in mine]
    then = activity(**dict.fromkeys([who for mine in people.values() for who in mine], 1))
    now = activity(**dict.fromkeys(people["high"][:45] + people["low"][:10], 1))
    table = by_class.rates(now, then, judged(*rows), judged(*rows), ["tier"])
    told = by_class.apart(table, "tier")
    assert (told["apart"], told["best"], told["worst"], told["least"]) == (True, ["high"], ["low"], 50)
    assert (told["best_share"], told["worst_share"]) == (0.9, 0.2)


def test_profit_is_told_by_the_class_at_the_end_with_margin_and_share():
    now = judged(("a", "high", "", "", "x"), ("b", "low", "", "", "x"), ("c", "low", "", "", "x"))
    bought = activity(a=6, b=2, c=1)
    bought.loc[2, ["returned", "profit", "profit_on"]] = [-80, -60, 20]
    table = by_class.contribution(bought, now, ["tier", "region"])
    shown = table.drop(columns="class").values.tolist()
    assert shown == [
        ["high", 1, 6, 600, 600, 100.0, 60, 0.1, 600 / 900, 3.0],
        ["low", 2, 3, 300, 220, 100.0, -40, pytest.approx(-40 / 220), 300 / 900, -2.0],
    ]
    ends = by_class.ends(table)
    assert (ends["names"], ends["least"], ends["losing"], ends["lost"]) == (["high"], ["low"], ["low"], 40)
    unknown = by_class.contribution(bought.assign(profit=pd.array([None] * 3, "Int64")), now, ["tier"])
    assert unknown["earned"].isna().all()
    assert by_class.ends(unknown)["groups"] == 0
    assert by_class.earned(unknown)["profit.amount.tier.high"] == {
        "value": None,
        "why": "not supplied",
        "n": 1,
    }


def test_churn_by_each_definition_in_use():
    rule = BehaviourRule()
    # seldom: every 200 days, silent for 250, churned by 180 fixed days but not by four of its own gaps
    seldom = {"orders": 5, "order_days": 5, "gap_days": 200.0}
    then = builders.facts(
        {"recency_days": 150, **seldom}, {"recency_days": 20, "orders": 1}, {"recency_days": 300}
    )
    now = builders.facts(
        {"recency_days": 250, **seldom}, {"recency_days": 120, "orders": 1}, {"recency_days": 400}, {}
    )
    said = pd.DataFrame(
        {"customer_id": ["c1", "c2", "c3", "elsewhere"], "churned": [False, True, None, True]}
    )
    table = by_class.definitions(now, then, rule, said, said.assign(churned=[False, False, None, False]))
    told = table[["definition", "customers", "churned", "held_before", "lost"]].values.tolist()
    assert told == [["by_rhythm", 4, 1, 2, 0], ["by_days", 4, 2, 2, 1], ["by_mark", 2, 1, 2, 1]]
    assert table["rate"].isna().all()  # of two customers
    figures = by_class.churned(table)
    assert figures["churn.fixed.customers"] == {"value": 2, "n": 4}
    assert figures["churn.fixed.rate"] == {"value": None, "why": "too few", "n": 2}
    unmarked = by_class.churned(by_class.definitions(now, then, rule))
    assert unmarked["churn.flagged.customers"] == {"value": None, "n": 0, "why": "not supplied"}


def test_a_mark_without_a_day_is_of_no_two_dates():
    now = builders.facts(*({"recency_days": 5} for _ in range(12)))
    said = pd.DataFrame({"customer_id": [f"c{n}" for n in range(1, 13)], "churned": True})
    table = by_class.definitions(now, now.head(0), BehaviourRule(), said, said).set_index("definition")
    assert table.loc["by_mark", ["customers", "churned", "held_before"]].tolist() == [12, 12, 0]
    assert pd.isna(table.loc["by_mark", "rate"])


def test_days_of_the_hand_table_lie_in_the_quarter():
    assert Q4.day_range == (day("2024-10-01"), day("2024-12-31"))
