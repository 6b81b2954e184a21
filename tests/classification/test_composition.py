"""What value is made of, and how sales pile up."""

import builders
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlib.classification import classes, composition
from crmlib.rules import AbcRule, Shares


def test_sales_are_split_by_whether_the_customer_was_held_before():
    known = builders.facts({"first_day": 99}, {"first_day": 100}, {"first_day": 5}, {"first_day": 5})
    judged = pd.DataFrame({"customer_id": ["c1", "c2", "c3", "c4"], "tier": ["high", "high", "low", "low"]})
    activity = pd.DataFrame({"customer_id": ["c1", "c2", "c3", "c4"], "gross": [70, 20, 9, 0]})
    found = composition.composition(activity, known, judged, column="tier", first_day=100)
    # first order on the period's first day: won in it; c4 bought nothing
    assert found.values.tolist() == [["high", 2, 70, 20, 90, 90 / 99], ["low", 1, 9, 0, 9, 9 / 99]]
    assert composition.whole(found) == {
        "retained": 79,
        "acquired": 20,
        "gross": 99,
        "share": 79 / 99,
        "customers": 3,
    }
    nothing = composition.composition(activity.head(0), known, judged, column="tier", first_day=100)
    assert composition.whole(nothing)["gross"] == 0


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 10**15), st.sampled_from("xyz")), min_size=1))
def test_the_two_parts_are_the_whole_to_the_last_unit(rows):
    ids = [f"c{n}" for n in range(len(rows))]
    known = pd.DataFrame({"customer_id": ids, "first_day": [row[0] for row in rows]})
    activity = pd.DataFrame({"customer_id": ids, "gross": [row[1] for row in rows]})
    judged = pd.DataFrame({"customer_id": ids, "tier": [row[2] for row in rows]})
    found = composition.composition(activity, known, judged, column="tier", first_day=100)
    assert (found["retained"] + found["acquired"]).tolist() == found["gross"].tolist()
    assert found["gross"].sum() == sum(row[1] for row in rows)


def test_the_curve_ends_whole_and_equal_customers_are_one_step():
    known = builders.facts({"gross": 50}, {"gross": 25}, {"gross": 25}, {"gross": 0})
    assert composition.curve(known, AbcRule()).values.tolist() == [[0.25, 0.5], [0.75, 1.0]]
    assert composition.curve(known.head(0), AbcRule()).empty
    assert composition.curve(builders.facts({"gross": -5}), AbcRule()).empty
    many = builders.facts(*({"gross": n} for n in range(1, 1001)))
    long = composition.curve(many, AbcRule())
    assert len(long) <= 203
    # where one grade ends and the next begins is always a point of the curve
    ends = {grade: (classes.abc(many, AbcRule()) == grade).sum() for grade in "AB"}
    assert {ends["A"] / 1000, (ends["A"] + ends["B"]) / 1000} <= set(long["share_of_customers"])
    assert long.iloc[-1].tolist() == [1, pytest.approx(1)]


def test_the_cut_points_are_where_each_grade_ends():
    known = builders.facts({"gross": 80}, {"gross": 15}, {"gross": 5})
    rule = AbcRule(shares=Shares(first=0.8, second=0.95), at_least=1)
    found = composition.cut_points(known, classes.abc(known, rule), rule)
    assert found.values.tolist() == [
        ["A", 0, 1, 80, pytest.approx(1 / 3)],
        ["B", 0.8, 1, 15, pytest.approx(1 / 3)],
        ["C", 0.95, 1, 5, pytest.approx(1 / 3)],
    ]
    few = AbcRule()
    assert composition.cut_points(known, classes.abc(known, few), few).empty
