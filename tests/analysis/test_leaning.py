"""How answers lean: parts and balance by hand."""

import builders
import pandas as pd
import pytest

from crmlib.analysis import leaning, recommendation
from crmlib.period import Period
from crmlib.rules import SatisfactionRule

Q3, Q4 = Period.parse("2024-Q3"), Period.parse("2024-Q4")


def test_answers_are_parted_at_the_cuts_of_the_rule():
    # scores 1…5 are 0, 25, 50, 75, 100: below 40 dissatisfied, from 60 on satisfied
    rows = [(f"c{n}", "2024-10-01", "service", 1 + n % 5) for n in range(10)]
    rows += [(f"c{n}", "2024-10-01", "recommend", 10) for n in range(10)]
    found = leaning.aspects(builders.answers(*rows), (Q4, Q3), SatisfactionRule())
    assert found[["group", *leaning.CONTENT, "score", "n"]].values.tolist() == [
        ["service", 0.4, 0.2, 0.4, 50.0, 10]
    ]
    assert leaning.aspects(None, (Q4, Q3), SatisfactionRule()).empty


def test_the_balance_of_recommending_is_the_net_promoter_score():
    scores = [10] * 6 + [7] * 2 + [0] * 2
    rows = [(f"c{n}", "2024-10-01", "recommend", score) for n, score in enumerate(scores)]
    now = recommendation.asked(builders.answers(*rows), Q4)
    found = leaning.recommended(now, pd.Series({f"c{n}": "high" for n in range(10)}))
    assert found[["group", *leaning.RECOMMEND, "balance", "n"]].values.tolist() == [
        ["high", 0.2, 0.2, 0.6, 40.0, 10]
    ]


def test_classes_stand_in_their_order_and_who_has_none_or_too_few_is_left_out():
    rows = [(f"c{n}", "2024-10-01", "recommend", 9) for n in range(35)]
    kinds = ["low"] * 10 + ["high"] * 10 + ["not_graded"] * 10 + ["medium"] * 5
    now = recommendation.asked(builders.answers(*rows), Q4)
    found = leaning.recommended(now, pd.Series({f"c{n}": kind for n, kind in enumerate(kinds)}))
    assert found["group"].tolist() == ["high", "low"]


def said(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "known", "tone"])


def test_speakers_nobody_knows_are_a_group_of_their_own_and_each_counts_alone():
    rows = [(None, False, "positive")] * 6 + [(None, False, "negative")] * 4 + [("c1", True, "negative")]
    found = leaning.told(said(*rows), pd.Series({"c1": "high"}))
    assert found[["group", *leaning.TONES, "balance", "n"]].values.tolist() == [
        ["unknown", 0.4, 0.0, 0.6, 20.0, 10]
    ]


def test_ten_reviews_of_one_customer_are_one_person():
    rows = [("c1", True, "positive")] * 12
    assert leaning.told(said(*rows), pd.Series({"c1": "high"})).empty


def test_nothing_said_is_nothing():
    assert leaning.told(said().astype({"known": bool}), pd.Series(dtype=object)).empty


@pytest.mark.parametrize(("low", "apart"), [(-60.0, True), (10.0, False)])
def test_groups_are_apart_only_beyond_chance(low, apart):
    table = pd.DataFrame(
        {
            "group": ["high", "low", "unknown"],
            "balance": [30.0, low, -99.0],
            "balance_low": [10.0, low - 20, -100],
            "balance_high": [50.0, low + 20, -90],
        }
    )
    # two groups are one pair: 30 − low against √(20² + 20²) = 28.3
    found = leaning.apart(table)
    assert (found["groups"], found["first"], found["last"]) == (2, ["high"], ["low"])
    assert found["apart"] is apart
    assert leaning.apart(table.head(1))["groups"] == 1
