"""How customers are spread."""

import builders
import pandas as pd
import pytest
from builders import lines

from crmlib.analysis import distribution
from crmlib.period import Period


def test_customers_by_city_are_counted_largest_first_and_the_rest_joined():
    table = pd.DataFrame({"city": ["A"] * 3 + ["B"] * 2 + ["C", "D", None]})
    assert distribution.by(table, "city").values.tolist() == [
        *[["A", 3, 0.375], ["B", 2, 0.25], ["C", 1, 0.125], ["D", 1, 0.125], ["unknown", 1, 0.125]]
    ]
    assert distribution.by(table, "city", most=3).values.tolist() == [
        *[["A", 3, 0.375], ["B", 2, 0.25], ["other", 3, 0.375]]
    ]
    assert distribution.by(pd.DataFrame({"city": [None, None]}), "city").empty


def test_ages_are_by_band_and_impossible_ones_are_unknown():
    born = pd.DataFrame({"birth_year": [2006, 2007, 1995, 1994, 1954, 1900, 2030, None]})
    # in 2024: 18, 17, 29, 30, 70; 124 and −6 are no ages
    assert distribution.ages(born, 2024).values.tolist() == [
        *[["under 18", 1, 0.2], ["18–29", 2, 0.4], ["30–39", 1, 0.2], ["70 and over", 1, 0.2]]
    ]
    assert distribution.ages(born.head(0), 2024).empty


def test_customers_by_number_of_orders_end_in_many():
    table = builders.facts(*({"orders": n} for n in (1, 1, 2, 3, 7)))
    assert distribution.order_counts(table, most=3).values.tolist() == [
        ["1", 2, 0.4],
        ["2", 1, 0.2],
        ["3+", 2, 0.4],
    ]


def test_two_attributes_are_crossed_without_those_who_lack_one():
    table = pd.DataFrame({"tier": ["low", "high", "low", None], "type": ["a", "b", "a", "b"]})
    found = distribution.crossed(table, "tier", "type", order=("high", "low"))
    assert list(found.columns) == ["tier", "a", "b"]
    assert found.values.tolist() == [["high", 0, 1], ["low", 2, 0]]


ORDERS = lines(
    {"customer": "c1", "day": "2024-10-01", "amount": 100, "order": "A1"},
    {"customer": "c1", "day": "2024-10-31", "amount": 50, "order": "A1"},
    {"customer": "c2", "day": "2024-12-31", "amount": 70, "order": "A2"},
    {"customer": "c2", "day": "2024-12-30", "amount": -70, "order": "TH1"},
    {"customer": None, "day": "2024-12-30", "amount": 999, "order": "A3"},
)


def test_a_month_without_sales_is_shown_as_zero():
    assert distribution.monthly(ORDERS, Period.parse("2024-Q4")).values.tolist() == [
        *[["2024-10", 150, 1, 1], ["2024-11", 0, 0, 0], ["2024-12", 70, 1, 1]]
    ]
    assert distribution.monthly(ORDERS, Period.parse("2024-12"), months=1)["month"].tolist() == ["2024-12"]
    assert distribution.monthly(ORDERS, Period.parse("2023")).empty


def test_the_best_half_of_customers_make_most_of_sales():
    table = builders.facts({"gross": 10}, {"gross": 60}, {"gross": 10}, {"gross": 20})
    curve = distribution.pareto(table, steps=4)
    assert curve.values.tolist() == [[1, 0.25, 0.6], [2, 0.5, 0.8], [3, 0.75, 0.9], [4, 1, 1]]
    assert distribution.top_share(table, 0.5) == 0.8
    assert distribution.top_share(table, 0.26) == 0.8  # rounded up to two
    assert distribution.top_share(table.assign(gross=0)) is None
    assert distribution.pareto(table.head(0)).empty


def test_seven_in_a_hundred_customers_are_seven_and_not_eight():
    table = builders.facts(*({"gross": 1} for _ in range(100)))
    assert distribution.top_share(table, 0.07) == pytest.approx(0.07)  # 0.07 × 100 is 7.000000000000001


def test_ages_by_gender_hold_everybody_whose_year_is_known_and_no_gap_between_bands():
    people = pd.DataFrame(
        {
            "birth_year": [2000, 1999, 1960, 1961, 1962, None, 1700],
            "gender": ["男", "Ms", "F", "x", None, "男", "男"],
        }
    )
    found = distribution.ages_by_gender(people, 2024)
    # 24, 25; 64, 63, 62: nobody from 30 to 59, which is told as nobody; 324 is no age
    assert found[["age", "male", "female", "unknown", "customers"]].values.tolist() == [
        ["18–29", 1, 1, 0, 2],
        ["30–39", 0, 0, 0, 0],
        ["40–49", 0, 0, 0, 0],
        ["50–59", 0, 0, 0, 0],
        ["60–69", 0, 1, 2, 3],
    ]
    assert found["share"].sum() == 1
    told = distribution.largest_band(found)
    assert (told["n"], told["names"], told["share"], told["known"]) == (5, ["60–69"], 0.6, 3)
    assert told["women"] == pytest.approx(2 / 3)
    nobody = distribution.ages_by_gender(people.assign(birth_year=None), 2024)
    assert nobody.empty and distribution.largest_band(nobody)["n"] == 0


def test_everybody_may_be_shown_without_others():
    table = pd.DataFrame({"city": [f"c{n:02d}" for n in range(30)]})
    assert len(distribution.by(table, "city", most=None)) == 30
    assert distribution.by(table, "city")["city"].iloc[-1] == "other"


def test_a_year_of_sales_is_set_against_the_one_before():
    months = pd.DataFrame({"gross": [7, *[10] * 12, *[9] * 12]})
    assert distribution.yearly(months)["gross"] == 108
    assert distribution.yearly(months)["more"] == pytest.approx(-0.1)
    assert distribution.yearly(months)["change"] == pytest.approx(0.1)
    assert distribution.yearly(months.head(12))["more"] == 0  # nothing to set it against
