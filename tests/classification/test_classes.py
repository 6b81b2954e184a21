"""Classes by rule, at their boundaries."""

import builders
import pandas as pd
import pytest
from builders import answers

from crmlib.classification import classes
from crmlib.rules import (
    AbcRule,
    BehaviourRule,
    Classes,
    Cuts,
    LoyaltyRule,
    SatisfactionRule,
    Shares,
    TierWeights,
    ValueRule,
)

A, D, C = "active", "dormant", "churned"


@pytest.mark.parametrize(
    ("orders", "gap", "silence", "own", "fixed"),
    [
        # ten days between orders: two gaps are 20 days, four are 40
        (4, 10, 0, A, A),
        (4, 10, 20, A, A),
        (4, 10, 21, D, A),
        (4, 10, 40, D, A),
        (4, 10, 41, C, A),
        # a customer of once a year is not gone after half a year
        (5, 365, 181, A, C),
        (5, 365, 731, D, C),
        (5, 365, 1461, C, C),
        # fewer than four orders: the fixed days of everyone
        (3, 10, 90, A, A),
        (3, 10, 91, D, D),
        (3, 10, 180, D, D),
        (3, 10, 181, C, C),
        (1, None, 90, A, A),
        (1, None, 181, C, C),
        # many orders, all on one day: no rhythm to go by
        (9, None, 91, D, D),
    ],
)
def test_silence_is_judged_by_the_customers_own_rhythm(orders, gap, silence, own, fixed):
    row = builders.facts({"orders": orders, "gap_days": gap, "recency_days": silence})
    assert classes.behaviour(row, BehaviourRule()).values.tolist() == [[own, fixed]]


def test_a_client_may_set_its_own_limits_of_silence():
    row = builders.facts({"orders": 4, "gap_days": 10.0, "recency_days": 31})
    rule = BehaviourRule(own_rhythm_from=5, active_days=30, dormant_days=31)
    assert classes.behaviour(row, rule)["behaviour"].tolist() == [D]
    assert classes.behaviour(row, BehaviourRule(active_gaps=1, dormant_gaps=3.1))["behaviour"].tolist() == [D]
    assert classes.behaviour(row, BehaviourRule(active_gaps=1, dormant_gaps=3))["behaviour"].tolist() == [C]


def test_a_value_on_a_cut_belongs_to_the_upper_class():
    found = classes.by_cuts(pd.Series([100.0, 99.99, 50.0, 49.99, -1.0, None]), Cuts(high=100, medium=50))
    assert found.tolist() == ["high", "medium", "medium", "low", "low", "not_graded"]


@pytest.mark.parametrize(
    ("amounts", "grades"),
    [
        # above each: 0, 50, 80, 90 of 100
        ([50, 30, 10, 10], "HMLL"),
        # equal customers share a class although half of them would begin beyond the cut
        ([25, 25, 25, 25], "HHHH"),
        # one giant: he is high, and what begins at 90 % is low
        ([90, 5, 5], "HLL"),
        # 30, 30, 20, 20: above 0, 0, 60, 60
        ([20, 30, 20, 30], "MHMH"),
        # nothing, and less than nothing, is low
        ([10, 0, -5], "HLL"),
        ([0, 0], "LL"),
        ([7], "H"),
    ],
)
def test_classes_by_share_begin_with_the_largest_and_treat_equals_equally(amounts, grades):
    found = classes.by_share(pd.Series(amounts), Shares(first=0.5, second=0.8))
    assert [grade[0].upper() for grade in found] == list(grades)


def test_a_share_that_ends_exactly_on_a_cut_is_not_lost_to_rounding():
    # 0.7 + 0.1 is 0.7999999999999999 in binary; the third begins at 80 % and is C's neighbour B
    found = classes.by_share(pd.Series([0.7, 0.1, 0.2]), Shares(first=0.7, second=0.9))
    assert found.tolist() == ["high", "low", "medium"]  # above: 0, 0.9, 0.7
    tenths = classes.by_share(pd.Series([0.1] * 7 + [0.05, 0.25]), Shares(first=0.25, second=0.95))
    assert tenths.tolist() == ["medium"] * 7 + ["low", "high"]


def test_abc_is_by_share_of_purchases_and_only_in_a_list_long_enough():
    # 30 customers: one of 71, nine of 1, twenty of 1: 100 in all; above the ones stands 71 %
    table = builders.facts({"gross": 71}, *({"gross": 1} for _ in range(29)))
    assert classes.abc(table, AbcRule()).value_counts().to_dict() == {"A": 30}
    table = builders.facts({"gross": 85}, {"gross": 11}, *({"gross": 0} for _ in range(28)))
    assert classes.abc(table, AbcRule()).value_counts().to_dict() == {"C": 28, "A": 1, "B": 1}
    assert set(classes.abc(table.head(29), AbcRule())) == {"not_graded"}


def test_value_is_the_mean_of_the_points_that_are_known():
    rule = ValueRule(
        orders=Cuts(high=10, medium=5), spend=Cuts(high=100, medium=50), profit=Cuts(high=20, medium=10)
    )
    table = builders.facts(
        {"orders": 10, "net": 10000, "profit": 1000},  # 3, 3, 2: 2.67
        {"orders": 10, "net": 9999, "profit": None},  # 3, 2: 2.5, and halfway is up
        {"orders": 5, "net": 4999, "profit": 0},  # 2, 1, 1: 1.33
        {"orders": 5, "net": 4999, "profit": None},  # 2, 1: 1.5
    )
    assert classes.value(table, rule, 2).tolist() == ["high", "high", "low", "medium"]


def test_spend_is_net_of_returns():
    table = builders.facts({"orders": 1, "gross": 20000, "returned": -15000, "net": 5000})
    rule = ValueRule(orders=Cuts(high=9, medium=1), spend=Cuts(high=100, medium=50))
    assert classes.value(table, rule, 2).tolist() == ["medium"]


@pytest.mark.parametrize(
    ("given", "mood"),
    [
        ([("service", 4), ("product", 3)], "satisfied"),  # 75 and 50: 62.5
        ([("service", 3)], "neutral"),
        ([("service", 3.4)], "satisfied"),  # exactly 60
        ([("service", 2.6)], "neutral"),  # exactly 40
        ([("service", 2.5)], "dissatisfied"),
        ([("service", 1), ("recommend", 10)], "dissatisfied"),  # recommendation is no satisfaction
    ],
)
def test_a_customers_mood_is_the_mean_of_the_latest_form(given, mood):
    said = answers(("c1", "2024-01-01", "service", 5), *(("c1", "2024-10-01", *pair) for pair in given))
    assert classes.satisfaction(said, SatisfactionRule()).to_dict() == {"c1": mood}


def test_a_customer_recommends_as_he_said_last():
    said = answers(
        ("c1", "2024-10-01", "recommend", 9),
        ("c1", "2024-01-01", "recommend", 2),
        ("c2", "2024-01-01", "service", 5),
    )
    assert classes.recommendation(said).to_dict() == {"c1": 9}


def test_loyalty_is_repurchase_tenure_and_recommendation_where_known():
    table = builders.facts({"orders": 4, "tenure_days": 365}, {"orders": 1, "tenure_days": 730})
    points = classes.loyalty(table, pd.Series([9.0, None]), Classes(loyalty=LoyaltyRule()))
    # 3, 2, 3 → 8/3; 1, 3 → 2
    assert points.tolist() == pytest.approx([8 / 3, 2])


def test_the_tier_is_the_weighted_mean_of_what_is_known():
    rules = Classes(value=ValueRule(spend=Cuts(high=100, medium=50), profit=Cuts(high=20, medium=10)))
    table = builders.facts(
        {"net": 10000, "profit": 500},  # spend 3, lifetime 1
        {"net": 5000, "profit": None},  # spend 2, lifetime unknown
    )
    frequency, loyal = pd.Series(["medium", "low"]), pd.Series(["high", "high"])
    # (2 + 3 + 3 + 1) ÷ 4 and (1 + 2 + 3) ÷ 3
    assert classes.tier_points(table, frequency, loyal, rules, 2).tolist() == [2.25, 2]
    heavy = rules.model_copy(
        update={
            "tier": rules.tier.model_copy(update={"weights": TierWeights(frequency=0, spend=3, loyalty=1)})
        }
    )
    # (3·3 + 3 + 1) ÷ 5 and (3·2 + 3) ÷ 4
    assert classes.tier_points(table, frequency, loyal, heavy, 2).tolist() == [2.6, 2.25]


def test_without_a_graded_amount_habits_alone_make_no_tier():
    table = builders.facts({"net": 10000})
    points = classes.tier_points(table, pd.Series(["high"]), pd.Series(["high"]), Classes(), 2)
    assert points.isna().all()


def test_a_short_list_without_cuts_is_not_graded():
    values = pd.Series([1.0] * 29)
    assert set(classes.graded(values, None, Shares(), 30)) == {"not_graded"}
    assert set(classes.graded(pd.Series([1.0] * 30), None, Shares(), 30)) == {"high"}
    assert set(classes.graded(values, Cuts(high=2, medium=1), Shares(), 30)) == {"medium"}


def test_classes_never_change_what_they_judge():
    from crmlib.classification import rfm

    table = builders.facts(*({"orders": n, "gross": n, "net": n, "gap_days": 5.0} for n in range(1, 31)))
    before = table.copy()
    rules = Classes()
    found = classes.classes(table, rfm.rfm(table, rules.rfm), None, rules, decimals=2)
    pd.testing.assert_frame_equal(table, before)
    assert set(found["tier"]) <= {"high", "medium", "low"}
    assert set(found["satisfaction"]) == {"not_graded"}


def test_levels_show_how_much_of_sales_each_class_makes():
    table = builders.facts({"gross": 900}, {"gross": 100})
    judged = pd.DataFrame(
        {"customer_id": ["c1", "c2"], "value": ["high", "low"], "abc": ["A", "B"], "tier": ["low", "low"]}
    )
    assert classes.levels(judged, table).values.tolist() == [
        ["value", "high", 1, 0.5, 900, 0.9],
        ["value", "low", 1, 0.5, 100, 0.1],
        ["abc", "A", 1, 0.5, 900, 0.9],
        ["abc", "B", 1, 0.5, 100, 0.1],
        ["tier", "low", 2, 1.0, 1000, 1.0],
    ]


def test_activity_and_satisfaction_weigh_in_the_tier_only_where_the_client_says_so():
    # Spend low (1) alone is graded by cuts; loyalty low (1). With activity high weighing 4: (1+1+4*3)/6 = 2.333;
    # with satisfaction dissatisfied weighing 2 as well: (1+1+12+2)/8 = 2.
    table = builders.facts({"net": 100, "orders": 1, "tenure_days": 0})
    grades = {"activity": pd.Series(["high"]), "satisfaction": pd.Series(["dissatisfied"])}
    low, none = pd.Series(["low"]), pd.Series(["not_graded"])
    cuts = {"value": {"spend": {"high": 10, "medium": 5}}}
    points = []
    for weights in ({}, {"activity": 4}, {"activity": 4, "satisfaction": 2}):
        rules = Classes.model_validate(cuts | {"tier": {"weights": weights}})
        points.append(classes.tier_points(table, none, low, rules, 2, habits=grades).item())
    assert points == [1, pytest.approx(7 / 3), 2]
