"""Whether groups differ: against a published interval and by hand."""

import pandas as pd
import pytest

from crmlib.analysis import apart, intervals


def test_the_difference_of_two_shares_is_newcombes(monkeypatch):
    # Newcombe (1998), Statistics in Medicine 17, 873–890, table II, method 10, example (a), 95 %
    monkeypatch.setattr(intervals, "LEVEL", 0.95)
    assert apart.difference(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    # example (c): 9 of 10 against 3 of 10
    assert apart.difference(9, 10, 3, 10) == pytest.approx((0.1705, 0.8090), abs=5e-5)


def test_many_comparisons_need_more_than_one():
    near, far = apart.difference(30, 100, 20, 100), apart.difference(30, 100, 20, 100, comparisons=10)
    assert far[0] < near[0] < near[1] < far[1]


def counts(*rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["class", "level", "hit", "all"])


def test_a_group_is_held_against_all_others_of_its_own_class():
    table = counts(
        ("tier", "high", 40, 50),
        ("tier", "low", 10, 50),
        ("type", "firm", 25, 50),
        ("type", "person", 25, 50),
    )
    found = apart.shares(table, count="hit", of="all")
    assert found["against"].tolist() == ["above", "below", "not_told", "not_told"]
    assert found["share"].tolist() == [0.8, 0.2, 0.5, 0.5]
    assert apart.ends(found) == {"above": [["tier", "high"]], "below": [["tier", "low"]]}


def test_nine_customers_are_too_few_to_stand_apart():
    found = apart.shares(counts(("tier", "high", 9, 9), ("tier", "low", 0, 90)), count="hit", of="all")
    assert found["share"].isna().tolist() == [True, False]
    assert found["against"].tolist() == ["not_told", "not_told"]  # the others are nine, too


def test_classes_may_stand_in_any_order():
    mixed = counts(("a", "x", 40, 50), ("b", "u", 25, 50), ("a", "y", 10, 50), ("b", "v", 25, 50))
    found = apart.shares(mixed, count="hit", of="all").set_index("level")
    assert found["share"].to_dict() == {"x": 0.8, "u": 0.5, "y": 0.2, "v": 0.5}
    assert found["against"].to_dict() == {"x": "above", "u": "not_told", "y": "below", "v": "not_told"}
