"""The measures of a period, worked out by hand."""

import builders
import pandas as pd
import pytest
from builders import day, lines

from crmlib.analysis import breakdown, change, intervals, kpis
from crmlib.classification import facts
from crmlib.period import Period

Q3, Q4 = Period.parse("2024-Q3"), Period.parse("2024-Q4")
ORDERS = lines(
    {"customer": "c1", "day": "2024-07-01", "amount": 1000, "order": "A1", "channel": "shop"},
    {"customer": "c1", "day": "2024-10-01", "amount": 2000, "order": "A2", "channel": "shop", "profit": 600},
    {"customer": "c1", "day": "2024-12-31", "amount": 500, "order": "A3", "channel": "web"},
    {"customer": "c2", "day": "2024-09-30", "amount": 300, "order": "A4", "channel": "web"},
    {"customer": "c3", "day": "2024-10-01", "amount": 700, "order": "A5"},
    {"customer": "c3", "day": "2024-10-09", "amount": -200, "order": "TH1", "profit": -60},
    {
        "customer": None,
        "day": "2024-11-01",
        "amount": 9000,
        "order": "A6",
        "flags": "abnormal-price,unknown-customer",
    },
    {"customer": None, "day": "2024-11-02", "amount": -100, "order": "TH2"},
    {"customer": "c2", "day": "2024-11-03", "amount": 0, "order": "A7"},
    {"customer": "c4", "day": "2025-01-01", "amount": 800, "order": "A8"},
)


def values(figures: dict) -> dict:
    return {id: parts["value"] for id, parts in figures.items()}


def test_sales_of_a_quarter_known_and_unknown_gross_and_net():
    found = kpis.sales(ORDERS, Q4)
    assert values(found) == {
        "sales.all": 12200,  # 2000 + 500 + 700 + 9000
        "sales.identified": 3200,
        "sales.unidentified": 9000,
        "sales.unidentified.rows": 1,
        "sales.lines": 3,
        "sales.returns": -300,
        "sales.returns.identified": -200,
        "sales.net": 3000,
        "sales.abnormal": 9000,
        "sales.abnormal.rows": 1,
        "sales.all.without_abnormal": 3200,
    }
    assert {
        id: parts["n"]
        for id, parts in found.items()
        if id in ("sales.all", "sales.returns", "sales.identified")
    } == {"sales.all": 4, "sales.returns": 2, "sales.identified": 3}


def test_a_quarter_before_the_first_line_has_no_sales_that_anybody_knows_of():
    found = kpis.sales(ORDERS, Period.parse("2020-Q1"))
    assert {(part["value"], part["why"]) for part in found.values()} == {(None, "before the data begins")}


def test_a_quarter_after_the_last_line_sold_nothing():
    assert set(values(kpis.sales(ORDERS, Period.parse("2030-Q1"))).values()) == {0}


def test_a_positive_line_named_as_returned_is_a_sale_and_a_return():
    found = kpis.sales(lines({"customer": "c1", "day": "2024-10-01", "amount": 1000, "returned": -1000}), Q4)
    assert (
        found["sales.identified"]["value"],
        found["sales.returns"]["value"],
        found["sales.net"]["value"],
    ) == (
        *(1000, -1000),
        0,
    )


def people():
    known = facts.facts(ORDERS, as_of=Q4.day_range[1])
    return known, facts.activity(ORDERS, Q4), facts.activity(ORDERS, Q3)


def test_customers_orders_retention_and_repurchase_of_a_quarter():
    found = kpis.customers(*people(), Q4) | kpis.orders(ORDERS, Q4)
    assert values(found) == {
        "customers.active": 2,  # c1, c3
        "customers.new": 1,  # c3
        "customers.total": 3,  # c4 comes tomorrow
        "customers.one_order": 2,  # c2, c3
        "orders.count": 3,
        "orders.mean": pytest.approx(3200 / 3),
        "retention.rate": 0.5,  # of c1 and c2, c1
        "repurchase.rate": 0.5,  # c1 of c1 and c3
    }
    assert (found["retention.rate"]["n"], found["orders.mean"]["n"]) == (2, 3)


def test_a_first_period_has_nobody_to_retain_and_says_so():
    known, now, before = people()
    found = kpis.customers(known, now, before.head(0), Q4)
    assert found["retention.rate"] == {"value": None, "n": 0, "why": "nobody bought in the previous period"}


def test_a_period_without_orders_has_no_mean_order():
    known, now, before = people()
    none = kpis.orders(ORDERS, Period.parse("2030-Q1"))
    assert none["orders.mean"] == {"value": None, "n": 0, "why": "no orders in the period"}
    found = kpis.customers(known, now.head(0), before, Q4)
    assert found["repurchase.rate"]["value"] is None
    assert found["retention.rate"]["value"] == 0


def states(**customers: str) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": list(customers), "behaviour": list(customers.values())})


def test_churn_counts_those_who_were_there_to_lose():
    before = states(a="active", b="dormant", c="churned", d="active")
    now = states(a="active", b="churned", c="churned", d="churned", e="churned")  # e is new, and already gone
    found = kpis.churn(now, before)
    assert values(found) == {"churn.customers": 4, "churn.rate": pytest.approx(2 / 3)}
    assert found["churn.rate"]["n"] == 3


def test_a_customer_who_came_back_is_not_churned():
    assert kpis.churn(states(a="active"), states(a="churned"))["churn.rate"]["value"] is None
    assert (
        kpis.churn(states(a="active", b="active"), states(a="churned", b="active"))["churn.rate"]["value"]
        == 0
    )


def test_profit_is_of_sales_and_returns_and_its_margin_of_those_whose_profit_is_known():
    found = kpis.profit(facts.activity(ORDERS, Q4))
    # 600 on a sale of 2000 and −60 on a return of 200; of the other lines no profit is known: 540 ÷ 1800
    assert values(found) == {"profit.amount": 540, "profit.margin": pytest.approx(0.3)}


def test_a_margin_is_of_the_lines_whose_profit_is_known():
    # Two lines of 1000, of one the profit is known: 500 of 1000, not of 2000.
    known = {"customer": "c1", "day": "2024-10-01", "amount": 1000, "profit": 500, "order": "A1"}
    silent = {"customer": "c1", "day": "2024-10-02", "amount": 1000, "order": "A2"}
    found = kpis.profit(facts.activity(lines(known, silent), Q4))
    assert found["profit.margin"]["value"] == 0.5


def test_lines_of_two_customers_on_one_number_are_one_order():
    shared = [{"customer": c, "day": "2024-10-01", "amount": 1000, "order": "A1"} for c in ("c1", "c2")]
    assert values(kpis.orders(lines(*shared), Q4)) == {"orders.count": 1, "orders.mean": 2000}


def test_a_firm_that_sends_no_profit_has_none_and_not_zero():
    found = kpis.profit(facts.activity(ORDERS, Q3))
    assert found["profit.amount"] == {"value": None, "n": 0, "why": "not supplied"}


def test_a_quarter_of_returns_has_a_loss_but_no_margin():
    back = lines({"customer": "c1", "day": "2024-10-01", "amount": -500, "profit": -50})
    found = kpis.profit(facts.activity(back, Q4))
    assert found["profit.amount"]["value"] == -50
    assert found["profit.margin"] == {"value": None, "n": 1, "why": "no sales with a known profit"}


def test_rfm_means_are_over_everyone_who_ever_bought():
    found = kpis.rfm(people()[0])
    # recency 0, 92 (October, November, December), 91; orders 3, 1, 1; gross 3500, 300, 700
    assert values(found) == {
        "rfm.recency.mean": 61,
        "rfm.frequency.mean": pytest.approx(5 / 3),
        "rfm.monetary.mean": 1500,
    }


def test_before_anybody_bought_there_is_no_mean():
    found = kpis.rfm(people()[0].head(0))
    assert found["rfm.monetary.mean"] == {"value": None, "n": 0, "why": "no customer has bought yet"}


def test_sales_by_region_leave_nobody_out():
    listed = pd.DataFrame({"customer_id": ["c1", "c3", "c9"], "region": ["江苏省", None, "江苏省"]})
    now = facts.activity(ORDERS, Q4)
    assert breakdown.by_attribute(now, listed, "region").values.tolist() == [
        ["江苏省", 1, 2, 2500],
        ["unknown", 1, 1, 700],
    ]
    assert breakdown.by_attribute(now, listed.assign(region=None), "region").empty


def test_sales_by_channel_are_those_of_known_customers():
    assert breakdown.by_line(ORDERS, Q4, "channel").values.tolist() == [
        ["shop", 1, 2000],
        ["unknown", 1, 700],
        ["web", 1, 500],
    ]
    assert breakdown.by_line(ORDERS, Q4, "product_group").empty


def test_a_region_that_sold_nothing_this_time_keeps_its_row():
    now = pd.DataFrame({"region": ["A", "B"], "customers": [1, 1], "orders": [1, 2], "gross": [100, 300]})
    then = pd.DataFrame({"region": ["B", "C"], "customers": [1, 1], "orders": [1, 1], "gross": [50, 70]})
    assert breakdown.groups_beside(now, then, "region").values.tolist() == [
        ["B", 1, 2, 300, 50, 250],
        ["A", 1, 1, 100, 0, 100],
        ["C", 0, 0, 0, 70, -70],
    ]


def test_groups_become_figures_under_their_names():
    table = pd.DataFrame({"channel": ["web", "shop"], "lines": [3, 1], "gross": [500, 20]})
    assert breakdown.grouped(table, "channel") == {
        "sales.identified.channel.web": {"value": 500, "n": 3},
        "sales.identified.channel.shop": {"value": 20, "n": 1},
    }


def test_the_previous_period_stands_beside_this_one():
    now = {
        "sales.all": {"value": 110, "n": 2},
        "retention.rate": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 9},
    }
    before = {"sales.all": {"value": 100}, "retention.rate": {"value": 0.25}}
    table = kpis.beside(now, before, ["sales.all", "retention.rate"])
    assert table[["id", "unit", "value", "previous", "change", "n"]].values.tolist() == [
        ["sales.all", "money", 110, 100, 0.1, 2],
        ["retention.rate", "share", 0.5, 0.25, 0.25, 9],
    ]


def test_each_class_is_counted_and_tiers_are_shares_of_the_graded():
    judged = pd.DataFrame(
        {
            "tier": ["high", "low", "low", "not_graded"],
            "behaviour": ["active", "active", "churned", "dormant"],
            "behaviour_fixed": ["active", "active", "churned", "dormant"],
            "segment": ["champion", "lost", "lost", "loyal"],
        }
    )
    found = values(kpis.classed(judged))
    assert found["tier.high.customers"] == 1
    assert found["tier.medium.customers"] == 0
    assert found["tier.low.share"] == pytest.approx(2 / 3)
    assert found["behaviour.active.customers"] == 2
    assert found["segment.lost.customers"] == 2


def test_an_order_over_midnight_counts_in_each_quarter_it_has_lines_in_and_once_in_all():
    # A quarter's orders are those with a line in it, as its sales are its lines.
    table = lines(
        {"customer": "c1", "day": "2024-09-30 23:55", "amount": 100, "order": "A1"},
        {"customer": "c1", "day": "2024-10-01 00:05", "amount": 100, "order": "A1"},
    )
    orders = [int(facts.activity(table, period)["orders"].sum()) for period in (Q3, Q4)]
    assert orders == [1, 1]
    assert facts.facts(table, as_of=day("2024-12-31"))["orders"].tolist() == [1]
    assert builders.day("2024-10-01") == Q4.day_range[0]


def test_a_measure_whose_source_is_absent_says_so_in_its_row():
    now = {"sales.all": {"value": 110, "n": 2}, "cac.amount": {"value": None, "n": 0, "why": "not supplied"}}
    table = kpis.beside(now, {}, list(now))
    assert table[["id", "why"]].fillna("").values.tolist() == [
        ["sales.all", ""],
        ["cac.amount", "not supplied"],
    ]
    assert "why" not in kpis.beside(now, {}, ["sales.all"])


def crowd(size: int, *, day: str = "2024-10-01", first: int = 0) -> list[dict]:
    """Customers who each buy twice for 100, with a profit of 30, and send 50 back."""
    rows: list[dict] = []
    for n in range(first, first + size):
        who = {"customer": f"c{n:03}", "day": day}
        rows += [who | {"amount": 100, "order": f"A{n}-{nth}", "profit": 30} for nth in range(2)]
        rows.append(who | {"amount": -50, "order": f"TH{n}", "profit": 0})
    return rows


def ends(figure: dict) -> list[float]:
    return [figure["low"], figure["high"]]


def test_of_sixty_customers_who_buy_alike_everything_is_as_uncertain_as_their_number():
    orders = lines(*crowd(60))
    now = facts.activity(orders, Q4)
    known = facts.facts(orders, as_of=Q4.day_range[1])
    told = kpis.sales(orders, Q4) | kpis.orders(orders, Q4) | kpis.profit(now)
    told |= kpis.customers(known, now, now.head(0), Q4)
    number = ends(intervals.count(60))  # 47.85 to 74.39
    # Two orders of one customer hang together: the interval is twice that of 60 customers, not that of 120 orders.
    for id, each in {
        "customers.active": 1,
        "customers.new": 1,
        "orders.count": 2,
        "sales.lines": 2,
        "sales.identified": 200,
        "profit.amount": 60,
    }.items():
        assert told[id]["value"] == 60 * each
        assert ends(told[id]) == pytest.approx([each * end for end in number]), id
    assert ends(told["sales.returns.identified"]) == pytest.approx([-50 * end for end in reversed(number)])
    # What comes back hangs together with what was bought: 150 of each customer remain.
    assert ends(told["sales.net"]) == pytest.approx([150 * end for end in number])
    # Every order is 100, every margin 60 ÷ 150: nothing varies, and nobody can say how far chance goes.
    for id, value in (("orders.mean", 100), ("profit.margin", 0.4)):
        assert told[id]["value"] == pytest.approx(value)
        assert ("low" in told[id], told[id]["why"]) == (False, "all alike")


def test_of_49_customers_totals_and_means_stand_without_an_interval():
    orders = lines(*crowd(49))
    told = kpis.sales(orders, Q4) | kpis.orders(orders, Q4) | kpis.profit(facts.activity(orders, Q4))
    told |= kpis.rfm(facts.facts(orders, as_of=Q4.day_range[1]))
    for id in (
        "sales.identified",
        "sales.net",
        "orders.count",
        "orders.mean",
        "profit.amount",
        "profit.margin",
    ):
        assert (told[id]["value"] is None, "low" in told[id], told[id]["why"]) == (False, False, "too few"), (
            id
        )
    assert told["rfm.monetary.mean"] == {"value": 200, "why": "too few", "n": 49}


def test_of_what_stands_at_a_date_and_of_lines_of_nobody_no_chance_is_told():
    orders = lines(*crowd(60), {"customer": None, "day": "2024-10-02", "amount": 900})
    known, now = facts.facts(orders, as_of=Q4.day_range[1]), facts.activity(orders, Q4)
    told = kpis.sales(orders, Q4) | kpis.customers(known, now, now.head(0), Q4)
    for id in ("sales.all", "sales.unidentified", "customers.total", "customers.one_order"):
        assert "low" not in told[id]


def test_means_over_customers_hold_what_lies_around_them():
    orders = lines(
        *({"customer": f"c{n:03}", "day": f"2024-10-{n % 31 + 1:02}", "amount": 100 + n} for n in range(62))
    )
    told = kpis.rfm(facts.facts(orders, as_of=Q4.day_range[1]))
    # Recency: two customers on each day of October, 61 to 91 days; mean 76, deviation √(Σ15² … 0 … 15² ÷ 31) = 8.94
    # Student's reach is 1.67 × 8.94 ÷ √62; one more on either side, 15 days off, makes it a fifth wider at most.
    low, high = ends(told["rfm.recency.mean"])
    assert told["rfm.recency.mean"]["value"] == 76
    assert 76 - low == pytest.approx(high - 76) == pytest.approx(1.67 * 8.944 / 62**0.5, rel=0.2)
    assert told["rfm.frequency.mean"]["why"] == "all alike"


def test_a_change_of_sales_is_told_from_chance_by_customers_who_changed():
    # The same sixty buy alike in both quarters, and sixty more come: only they have moved, 200 each.
    then, now = crowd(60, day="2024-07-01"), crowd(120)
    table = lines(*(row | {"order": f"{row['order']}@{row['day']}"} for row in then + now))
    before, today = (facts.activity(table, span) for span in (Q3, Q4))
    found = change.beyond_chance(before, today)
    assert (found["moved"], found["money"], found["n"], found["beyond"]) == (12000, 12000, 60, True)
    assert [found["low"], found["high"]] == pytest.approx([200 * end for end in ends(intervals.count(60))])
    same = change.beyond_chance(today, today)
    assert (same["moved"], same["n"], same["beyond"], same["low"]) == (0, 0, None, None)


def test_a_change_that_as_many_who_came_as_left_would_make_is_no_more_than_chance():
    table = lines(*crowd(60, day="2024-07-01"), *crowd(64, first=60))
    before, today = (facts.activity(table, span) for span in (Q3, Q4))
    assert change.beyond_chance(before, today)["beyond"] is False
