"""How customers buy: gaps, amounts, weekdays and seasons, worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from builders import day, lines

from crmlib.analysis import buying
from crmlib.classification import cohorts
from crmlib.period import Period
from crmlib.rules import BehaviourRule

AS_OF, RULE, Q4 = day("2024-12-31"), BehaviourRule(), Period.parse("2024-Q4")
NONE = lines()


def bought(*days: str, customer: str = "a") -> list[dict]:
    return [{"customer": customer, "day": at, "amount": 100} for at in days]


def test_gaps_lie_between_days_of_one_customer_and_the_last_silence_is_none():
    # a: 15, 75 and 90 days (31 days of October, 30 of November…); b has one order; c 181 days
    rows = bought("2024-01-01", "2024-01-16", "2024-03-31", "2024-06-29")
    rows += bought("2024-02-01", customer="b") + bought("2024-01-01", "2024-06-30", customer="c")
    found = buying.gaps(lines(*rows), as_of=AS_OF, rule=RULE)
    held = found[found["gaps"] > 0]
    assert held[["over_days", "to_days", "gaps", "share"]].values.tolist() == [
        [0, 15, 1, 0.25],  # fifteen days end the first band
        [60, 75, 1, 0.25],
        [75, 90, 1, 0.25],
        [180, 195, 1, 0.25],
    ]
    assert {90, 180} <= set(found["over_days"])  # both limits part bands
    assert buying.longer(found, 90) == {"share": 0.25, "n": 4, "days": 90}


def test_two_orders_of_one_day_have_no_gap_and_what_lies_after_the_day_is_not_seen():
    rows = [{"customer": "a", "day": "2024-01-01", "amount": 5, "order": n} for n in ("A1", "A2")]
    rows += bought("2025-01-01")
    assert buying.gaps(lines(*rows), as_of=AS_OF, rule=RULE).empty
    assert buying.gaps(NONE, as_of=AS_OF, rule=RULE).empty
    assert buying.longer(buying.gaps(NONE, as_of=AS_OF, rule=RULE), 90)["n"] == 0


@pytest.mark.parametrize(("active", "dormant"), [(90, 180), (30, 400), (1, 2), (7, 8), (100, 150)])
def test_bands_of_days_rise_and_both_limits_part_them(active, dormant):
    rule = BehaviourRule(active_days=active, dormant_days=dormant)
    found = buying.gaps(lines(*bought("2020-01-01", "2020-01-02", "2023-12-31")), as_of=AS_OF, rule=rule)
    edges = found["over_days"].tolist()
    assert edges == sorted(set(edges)) and {active, dormant} <= set(edges)
    assert found["to_days"].tolist()[:-1] == edges[1:]
    assert found["gaps"].sum() == 2


def test_orders_are_counted_by_what_they_came_to_in_bands_of_one_two_five():
    orders = [("A1", 199), ("A2", 200), ("A3", 500), ("A4", 4000)]
    rows = [{"customer": "a", "day": "2024-10-05", "amount": sum_, "order": n} for n, sum_ in orders]
    rows += [{"customer": "a", "day": "2024-10-05", "amount": 1, "order": "A3"}]  # a second line of it
    rows += [{"customer": "a", "day": "2024-09-30", "amount": 9, "order": "before"}]
    found = buying.amounts(lines(*rows), Q4)
    assert found[["from_amount", "to_amount", "orders", "gross"]].values.tolist() == [
        [100, 200, 1, 199],
        [200, 500, 1, 200],
        [500, 1000, 1, 501],
        [1000, 2000, 0, 0],
        [2000, 5000, 1, 4000],
    ]
    assert found["share"].sum() == 1 and found["share_of_sales"].sum() == 1
    # a quarter of the orders at most: the one of 4,000, which is 4000 of 4900
    assert buying.large(found, 0.25) == {"amount": 1000, "share": 0.25, "sales": 4000 / 4900, "n": 4}
    assert buying.amounts(NONE, Q4).empty


def test_there_are_at_most_a_dozen_bands_and_the_lowest_are_joined():
    rows = [{"customer": "a", "day": "2024-10-05", "amount": 10**n, "order": str(n)} for n in range(10)]
    found = buying.amounts(lines(*rows), Q4)
    assert len(found) <= 12
    assert found["orders"].sum() == 10
    assert found["from_amount"].iloc[0] == 0
    assert (found["from_amount"].iloc[1:].to_numpy() == found["to_amount"].iloc[:-1].to_numpy()).all()


def test_weekdays_are_held_against_how_often_they_came():
    # 1 January 1970 was a Thursday; 7 October 2024 a Monday, 13 October a Sunday
    rows = bought("2024-10-07", "2024-10-14") + bought("2024-10-13", customer="b")
    found = buying.weekdays(lines(*rows), Q4)
    assert found["weekday"].tolist()[::6] == ["monday", "sunday"]
    assert found["orders"].tolist() == [2, 0, 0, 0, 0, 0, 1]
    # of 92 days, 13 were Mondays (Tuesday and Wednesday came 14 times in October to December 2024): 2 ÷ (13/92 × 3)
    assert found["index"].iloc[0] == pytest.approx(2 / (13 / 92 * 3))
    assert found.columns.tolist() == ["weekday", "orders", "share", "index"]  # midnight is no hour


def test_hours_are_told_where_orders_have_them():
    rows = bought("2024-10-07 08:59", "2024-10-14 09:00") + bought("2024-10-13 23:59", customer="b")
    found = buying.weekdays(lines(*rows), Q4)
    assert found.loc[0, ["h06_09", "h09_12", "h20_24"]].tolist() == [1, 1, 0]
    assert found.loc[6, "h20_24"] == 1
    assert buying.hours(found)["h09_12"] == "count"
    assert found[list(buying.hours(found))].to_numpy().sum() == 3


def test_evenly_spread_orders_are_not_called_uneven_and_a_planted_day_is():
    even = pd.DataFrame({"weekday": buying.WEEKDAYS, "orders": [100] * 7, "index": [1.0] * 7})
    assert not buying.uneven(even, "weekday")["uneven"]
    odd = even.assign(orders=[170, *[100] * 5, 30], index=[1.7, *[1.0] * 5, 0.3])
    told = buying.uneven(odd, "weekday")
    assert (told["uneven"], told["names"], told["least_names"]) == (True, ["monday"], ["sunday"])
    assert (round(told["most"], 2), round(told["least"], 2)) == (0.7, 0.7)
    assert buying.uneven(even.head(0), "weekday")["n"] == 0


def test_chance_alone_makes_weekdays_uneven_about_as_often_as_promised():
    # 5 % of weeks drawn from an even one may be called uneven; the tenth above the mean makes it fewer.
    random = np.random.default_rng(11)
    called = 0
    for _ in range(400):
        many = random.multinomial(700, [1 / 7] * 7)
        week = pd.DataFrame({"weekday": buying.WEEKDAYS, "orders": many, "index": many / 100})
        called += buying.uneven(week, "weekday")["uneven"]
    assert called / 400 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_a_month_of_the_year_is_held_against_its_days():
    days = pd.date_range("2023-01-01", "2024-12-31")  # one order every day of two years
    rows = [{"customer": "a", "day": str(at.date()), "amount": 1} for at in days]
    found = buying.seasons(lines(*rows), Q4)
    assert found["orders"].tolist()[:3] == [62, 57, 62]  # 28 + 29 days of February
    assert found["index"].to_numpy() == pytest.approx(np.ones(12))
    assert buying.seasons(lines(*rows[-300:]), Q4).empty  # no whole year


def test_who_buys_lately_is_held_against_a_year_before():
    months = [f"2023-{n:02d}" for n in range(9, 13)] + [f"2024-{n:02d}" for n in range(1, 13)]
    states = pd.DataFrame({"month": months, **dict.fromkeys(cohorts.STATES, 0)})
    states["returning"] = [100] * 13 + [40] * 3
    states.loc[15, ["churned", "quiet", "new"]] = [30, 20, 10]
    told = buying.lately(states)
    # 40 a month (and ten new in the last) against 100: 300 − 130 > 1.645 × √430
    assert told == {
        "months": 16,
        "active": 130 / 3,
        "before": 100,
        "new": 10 / 3,
        "away": 0.3,
        "fewer": True,
    }
    assert buying.lately(states.head(0))["months"] == 0


def test_of_newcomers_the_first_and_the_fourth_quarter_are_of_the_same_customers():
    begun = pd.DataFrame(
        {
            "cohort": [0, 0, 0, 3],
            "since": [0, 1, 4, 1],
            "size": [10, 10, 10, 99],
            "customers": [10, 6, 4, 99],
            "complete": True,
        }
    )
    assert buying.steady(begun) == {"cohorts": 1, "customers": 10, "first": 0.6, "share": 0.4}
    assert buying.steady(begun.head(0)) == {"cohorts": 0, "customers": 0, "first": 0.0, "share": 0.0}
