"""Lifetime value as asked: revenue less cost, each part known or not supplied."""

import builders
import pandas as pd
import pytest
from builders import day

from crmlib import tables
from crmlib.classification import classes, lifetime
from crmlib.classification.beside import Beside
from crmlib.rules import Classes, Cuts, LifetimeRule, ValueRule


def costs(*rows: tuple) -> pd.DataFrame:
    """Costs from (customer or None, day or None, kind, channel, amount); the customer 'stranger' is unknown."""
    full = [
        dict.fromkeys(tables.COSTS.schema.names)
        | {"customer_id": who, "known": who not in (None, "stranger"), "kind": kind, "channel": channel}
        | {"cost_day": None if on is None else day(on), "amount": amount}
        for who, on, kind, channel, amount in rows
    ]
    return pd.DataFrame(full, columns=tables.COSTS.schema.names)


def bought(**first: str) -> pd.DataFrame:
    """Customers with the day of their first order; each brought 1,000 net and 300 profit."""
    return builders.facts(
        *({"customer_id": who, "first_day": day(on), "net": 1000, "profit": 300} for who, on in first.items())
    )


def test_months_are_those_of_order_lines():
    days = pd.Series([day("2024-01-31"), day("2024-02-01"), day("2023-12-31")])
    assert lifetime.month(days).tolist() == [2024 * 12, 2024 * 12 + 1, 2023 * 12 + 11]


def test_revenue_less_the_months_share_of_winning_and_ones_own_serving():
    known = bought(a="2024-01-05", b="2024-01-30", c="2024-02-01", d="2024-03-01")
    spent = costs(
        (None, "2024-01-01", "acquisition", "ads", 101),  # two won in January: 50.5 each, half up 51
        (None, "2024-02-01", "acquisition", "ads", 40),
        ("c", "2024-05-01", "serve", None, 10),
        ("c", None, "serve", None, 5),  # without a day it belongs to any period
        ("stranger", "2024-05-01", "serve", None, 999),
        ("d", "2024-05-01", "rent", None, 999),  # neither winning nor serving
    )
    found = lifetime.lifetime(known, spent).set_index("customer_id")
    assert found["acquisition"].astype(object).where(found["acquisition"].notna(), None).tolist() == [
        51,
        51,
        40,
        None,
    ]
    assert found["acquisition_from"].tolist() == ["month", "month", "month", "not_supplied"]
    assert found["service"].fillna(-1).tolist() == [-1, -1, 15, -1]
    assert found["lifetime_value"].fillna(-1).tolist() == [949, 949, 945, -1]
    assert found["served"].tolist() == ["not_supplied"] * 2 + ["with_profit"] + ["not_supplied"]
    parts = lifetime.parts(found.reset_index()).set_index("part")["amount"]
    # of a, b, c: 3,000 − 142 − 15
    assert parts.to_dict() == {
        "net": 3000,
        "cost_of_winning": -142,
        "cost_of_serving": -15,
        "lifetime_value": 2843,
    }
    # 101 + 40 spent, 102 + 40 laid: rounding half up lays one unit too many
    assert lifetime.unplaced(spent, found.reset_index()) == -1


def test_a_cost_that_names_the_customer_goes_before_his_share():
    known = bought(a="2024-01-05", b="2024-01-30")
    spent = costs(
        (None, "2024-01-01", "acquisition", "ads", 100), ("b", "2024-01-02", "acquisition", None, 7)
    )
    found = lifetime.lifetime(known, spent)
    assert found[["acquisition", "acquisition_from"]].values.tolist() == [[50, "month"], [7, "named"]]


def test_by_channel_only_where_the_costs_channels_are_those_customers_come_through():
    known = bought(a="2024-01-05", b="2024-01-30", c="2024-01-30")
    habits = pd.DataFrame({"customer_id": ["a", "b", "c"], "won_channel": ["web", "web", "shop"]})
    spent = costs(
        (None, "2024-01-01", "acquisition", "web", 100), (None, "2024-01-01", "acquisition", "shop", 9)
    )
    found = lifetime.lifetime(known, spent, habits)
    assert found["acquisition"].tolist() == [50, 50, 9]
    assert set(found["acquisition_from"]) == {"month_and_channel"}
    ads = costs(
        (None, "2024-01-01", "acquisition", "web", 100), (None, "2024-01-01", "acquisition", "ads", 200)
    )
    assert lifetime.lifetime(known, ads, habits)["acquisition"].tolist() == [100, 100, 100]


def test_without_costs_there_is_no_lifetime_value_and_no_zero():
    found = lifetime.lifetime(bought(a="2024-01-05"), None)
    assert found[["acquisition", "service", "lifetime_value", "loss"]].isna().all(axis=None)
    assert found["served"].tolist() == ["not_supplied"]
    figures = lifetime.figures(found)
    assert [figure["value"] for figure in figures.values()] == [None] * 4
    assert all(figure["why"] for figure in figures.values())


@pytest.mark.parametrize(
    ("profit", "served", "loss"),
    [
        (300, "with_profit", 0),  # cost what they earned: no loss
        (299, "at_a_loss", 1),
        (-50, "at_a_loss", 300),  # a loss of their own is not counted twice
        (None, "with_profit", 0),  # nobody tells the profit: 1,000 net
    ],
)
def test_served_at_a_loss_is_serving_that_costs_more_than_all_orders_earned(profit, served, loss):
    known = builders.facts({"first_day": day("2024-01-05"), "net": 1000, "profit": profit})
    found = lifetime.lifetime(known, costs(("c1", "2024-05-01", "serve", None, 300)))
    assert found[["served", "loss"]].values.tolist() == [[served, loss]]


def test_the_tier_takes_lifetime_value_where_costs_are_supplied_and_else_the_profit():
    rules = Classes(
        value=ValueRule(spend=Cuts(high=100, medium=50), profit=Cuts(high=20, medium=10)),
        lifetime=LifetimeRule(cuts=Cuts(high=90, medium=60)),
    )
    known = builders.facts({"net": 10000, "profit": 500}, {"net": 10000, "profit": 5000})
    marks = (pd.Series(["low", "low"]), pd.Series(["low", "low"]))
    parts = classes.tier_parts(known, *marks, rules, 2)
    assert parts["lifetime"].tolist() == ["low", "high"]
    costly = pd.Series([9500, 5000], dtype="Int64")
    parts = classes.tier_parts(known, *marks, rules, 2, lifetime=costly)
    assert parts["lifetime"].tolist() == ["high", "low"]
    # Costs that name nobody are no costs: the whole list goes by profit.
    nothing = tables.COSTS.schema.empty_table().to_pandas()
    ids, said = known[["customer_id"]], {"decimals": 2}
    judged = classes.classes(known, ids, None, rules, **said, beside=Beside(costs=nothing))
    alone = classes.classes(known, ids, None, rules, **said)
    assert judged["tier_points"].tolist() == alone["tier_points"].tolist()
    assert judged["tier_points"].nunique() == 2
