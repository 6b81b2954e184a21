"""What sales cost: ratios of totals by hand, and parts that nobody supplies."""

import builders
import pandas as pd
import pytest
from builders import day

from crmlib import tables
from crmlib.analysis import efficiency
from crmlib.period import Period

Q4 = Period.parse("2024-Q4")
RESULTS = {
    "sales.net": {"value": 9000, "n": 30},
    "profit.amount": {"value": 1800, "n": 20},
    "orders.count": {"value": 15, "n": 15},
    "customers.active": {"value": 20, "n": 20},
}


def costs(*rows: tuple) -> pd.DataFrame:
    """Costs of the quarter from (kind, customer or None, amount); the customer 'stranger' is unknown."""
    full = [
        dict.fromkeys(tables.COSTS.schema.names)
        | {"kind": kind, "customer_id": who, "known": who not in (None, "stranger")}
        | {"cost_day": day("2024-10-01"), "amount": amount}
        for kind, who, amount in rows
    ]
    return tables.conform(pd.DataFrame(full, columns=tables.COSTS.schema.names), tables.COSTS).to_pandas()


def told(spent: pd.DataFrame | None, results: dict = RESULTS, contacts: pd.DataFrame | None = None) -> dict:
    return efficiency.figures(spent, results, interactions=contacts, span=Q4)


def test_sales_profit_and_orders_for_what_winning_and_serving_cost():
    found = told(
        costs(("acquisition", None, 400), ("serve", "a", 150), ("serve", "stranger", 50), ("rent", None, 999))
    )
    values = {id: figure["value"] for id, figure in found.items() if figure["value"] is not None}
    assert values == {
        "service.amount": 200,
        "cost.amount": 600,
        "cost.to_sales": pytest.approx(1 / 15),
        "efficiency.sales": 15,
        "efficiency.profit": 3,
        "cost.an_order": 40,
        "service.mean": 10,
        "service.named.mean": 150,  # of one customer: a fact, without an interval
    }
    assert found["service.named.mean"]["why"] == "too few"


def test_a_part_that_nobody_supplies_is_left_out_and_never_counted_as_nothing():
    found = told(costs(("acquisition", None, 300)))
    assert (found["cost.amount"]["value"], found["efficiency.sales"]["value"]) == (300, 30)
    assert found["service.amount"]["value"] is None
    assert found["service.mean"]["why"] == "no such cost in the period"
    nothing = told(None)
    assert {figure["value"] for figure in nothing.values()} == {None}
    assert {figure["why"] for figure in nothing.values()} == {"not supplied"}


def test_where_nothing_was_sold_or_is_known_of_sales_no_ratio_is_made_up():
    spent = costs(("serve", "a", 10))
    unsold = told(
        spent, RESULTS | {"sales.net": {"value": -50, "n": 1}, "orders.count": {"value": 0, "n": 0}}
    )
    assert unsold["cost.to_sales"]["why"] == "nothing was sold"
    assert unsold["cost.an_order"]["why"] == "no orders in the period"
    assert unsold["efficiency.sales"]["value"] == -5
    unknown = {id: {"value": None, "n": 0, "why": "no order lines"} for id in RESULTS}
    found = told(spent, unknown)
    assert found["efficiency.profit"] == {"value": None, "n": 0, "why": "no order lines"}
    assert efficiency.moved(found, found)["better"] is None


def test_the_mean_cost_of_those_whom_costs_name_has_an_interval():
    rows = [("serve", f"c{n}", 100) for n in range(60)] + [("serve", "c0", 300), ("serve", None, 9999)]
    figure = told(costs(*rows))["service.named.mean"]
    assert (figure["value"], figure["n"]) == (105, 60)
    # By hand: one 400 and 59 of 100, s = √(300² ÷ 60) = 38.73, t(59) at 95 % = 1.671; upwards the next may be as large.
    assert 105 < 105 + 1.671 * 38.73 / 60**0.5 < figure["high"] < 105 + 3 * 1.671 * 38.73 / 60**0.5
    assert 100 - 1.671 * 38.73 / 60**0.5 < figure["low"] < 105


def test_contacts_are_those_of_known_customers_with_the_firm():
    kinds = ["enquiry", "complaint", "after_sales", "contact", "post", "mention"]
    contacts = pd.DataFrame({"kind": kinds, "known": True, "opened_day": day("2024-11-01")})
    strange = contacts.assign(known=False)
    late = contacts.assign(opened_day=day("2025-01-01"))
    every = pd.concat([contacts, strange, late], ignore_index=True)
    assert told(None, contacts=every)["efficiency.contact"]["value"] == 9000 / 4
    assert told(None, contacts=every.head(0))["efficiency.contact"]["why"] == "nobody was in touch"


def test_each_channel_with_its_orders_sales_returns_and_profit():
    lines = builders.lines(
        {"customer": "a", "day": "2024-10-01", "amount": 600, "channel": "shop", "profit": 60, "order": "1"},
        {"customer": "a", "day": "2024-10-01", "amount": 300, "channel": "web", "profit": 90, "order": "1"},
        {"customer": "b", "day": "2024-10-02", "amount": 100, "channel": "web", "profit": 30, "order": "2"},
        {
            "customer": "b",
            "day": "2024-10-03",
            "amount": -100,
            "channel": "shop",
            "profit": -10,
            "order": "R",
        },
        {"customer": "b", "day": "2024-10-04", "amount": 50, "channel": None, "order": "3"},
        {"customer": None, "day": "2024-10-02", "amount": 999, "channel": "web", "profit": 1, "order": "4"},
        {"customer": "b", "day": "2025-10-02", "amount": 999, "channel": "web", "profit": 1, "order": "5"},
    )
    table = efficiency.by_line(lines, Q4, "channel").astype(object)
    assert table.where(table.notna(), None).drop(columns="class").values.tolist() == [
        ["shop", 1, 600, 500, 600.0, 50, 0.1, 600 / 1050, 50 / 170],
        ["web", 2, 400, 400, 200.0, 120, 0.3, 400 / 1050, 120 / 170],
        ["unknown", 1, 50, 50, 50.0, None, None, 50 / 1050, None],
    ]
    assert efficiency.by_line(lines, Q4, "product_group").empty
    assert efficiency.by_line(lines, Period.parse("2020"), "channel").empty
