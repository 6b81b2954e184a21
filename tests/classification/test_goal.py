"""The goal of classifying selects the standard."""

import pandas as pd
import pytest

from crmlib.classification import goal

CLASSES = pd.DataFrame(
    {
        "satisfaction": ["satisfied", "dissatisfied", None],
        "scorecard": ["high", "not_graded", "low"],
        "loyalty": ["high", "low", "low"],
        "behaviour": ["active", "churned", "churned"],
        "activity": ["high", "low", "low"],
    }
)
NOBODY_ASKED = CLASSES.assign(satisfaction=None, scorecard="not_graded")


@pytest.mark.parametrize(
    ("aim", "asked", "unasked"),
    [
        ("raise_satisfaction", "satisfaction", "satisfaction"),
        ("raise_loyalty", "scorecard", "loyalty"),
        ("lower_churn", "behaviour", "behaviour"),
    ],
)
def test_each_goal_has_its_standard_and_the_next_best_where_nobody_was_asked(aim, asked, unasked):
    assert goal.standard(CLASSES, aim).column == asked
    assert goal.standard(NOBODY_ASKED, aim).column == unasked
    assert goal.standard(CLASSES, aim).why.startswith("The goal is to ")


def test_satisfaction_as_stated_without_a_survey_still_has_a_scorecards_place():
    scored = NOBODY_ASKED.assign(scorecard="high")
    assert goal.standard(scored, "raise_satisfaction").column == "scorecard"


def test_a_tier_table_without_dates_is_managed_by_the_activity_it_states():
    undated = CLASSES.assign(behaviour="not_graded")
    assert goal.standard(undated, "lower_churn").column == "activity"


def test_customers_without_the_class_are_counted_and_named():
    chosen = goal.standard(CLASSES, "raise_satisfaction")
    table = goal.by_standard(CLASSES, chosen)
    assert table[["level", "customers"]].values.tolist() == [
        ["satisfied", 1],
        ["dissatisfied", 1],
        ["not_graded", 1],
    ]
    assert goal.weakest(table, chosen) == {
        "level": "dissatisfied",
        "customers": 1,
        "graded": 2,
        "share": 0.5,
    }
