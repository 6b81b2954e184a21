"""The scorecard: points that a reader can add up."""

import builders
import pandas as pd
import pytest
from builders import answers
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlib.classification import classes, scorecard
from crmlib.rules import Classes, LoyaltyWeights, SatisfactionWeights, ScorecardRule

RULES = Classes()


def points(known: pd.DataFrame, said: pd.DataFrame | None, rules: Classes = RULES) -> pd.DataFrame:
    return scorecard.points(known, said, classes.recommended(known, said), rules)


def test_every_part_has_points_from_nothing_to_a_hundred():
    known = builders.facts({"orders": 4, "tenure_days": 365}, {"orders": 1, "tenure_days": 1000})
    said = answers(
        ("c1", "2024-01-01", "product", 1),  # an older form
        ("c1", "2024-06-01", "product", 4),
        ("c1", "2024-06-01", "service", 5),
        ("c1", "2024-06-01", "recommend", 7),
    )
    found = points(known, said)
    assert found.loc[0].dropna().to_dict() == {
        "satisfaction_product": 75,
        "satisfaction_service": 100,
        "loyalty_product": 100,  # four orders: high
        "loyalty_service": 50,  # a year: medium
        "loyalty_brand": 70,
    }
    assert found.loc[1].dropna().to_dict() == {"loyalty_product": 0, "loyalty_service": 100}


def test_missing_parts_are_re_weighted_and_the_contributions_add_up():
    rules = Classes(
        scorecard=ScorecardRule(
            satisfaction=SatisfactionWeights(product=2, service=1, after_sales=0, brand=1),
            loyalty=LoyaltyWeights(product=1, service=0, brand=3),
        )
    )
    known = builders.facts({"orders": 2, "tenure_days": 0})
    said = answers(("c1", "2024-06-01", "product", 5), ("c1", "2024-06-01", "recommend", 8))
    # product 100 × 2, buys again 50 × 1, recommends 80 × 3; service and brand unknown: 490 ÷ 6
    card = scorecard.card(known["customer_id"], points(known, said, rules), rules.scorecard)
    told = card.set_index("part")
    assert told.loc["satisfaction_product", ["weight_share", "contribution"]].tolist() == pytest.approx(
        [2 / 6, 200 / 6]
    )
    assert told.loc["loyalty_brand", "contribution"] == pytest.approx(240 / 6)
    assert told.loc["satisfaction_brand", ["weight", "weight_share", "contribution"]].tolist() == [1, 0, 0]
    found = scorecard.scored(points(known, said, rules), rules.scorecard)
    assert found["scorecard_points"].tolist() == pytest.approx([490 / 6])
    assert card["contribution"].sum() == pytest.approx(490 / 6)
    assert found["scorecard"].tolist() == ["high"]
    assert found["scorecard_known"].tolist() == [1]  # nobody was asked about service and brand


@pytest.mark.parametrize(
    ("score", "grade"), [(75, "high"), (74.99, "medium"), (50, "medium"), (49.99, "low")]
)
def test_points_on_a_cut_belong_to_the_upper_class(score, grade):
    table = pd.DataFrame([dict.fromkeys(scorecard.weights(RULES.scorecard).index, score)])
    assert scorecard.scored(table, RULES.scorecard)["scorecard"].tolist() == [grade]


def test_who_was_never_asked_has_no_card_rather_than_one_of_habits_alone():
    known = builders.facts({"orders": 9, "tenure_days": 900})
    found = scorecard.scored(points(known, None), RULES.scorecard)
    assert found["scorecard"].tolist() == ["not_graded"]
    assert found["scorecard_points"].isna().all()
    assert scorecard.card(known["customer_id"], points(known, None), RULES.scorecard).empty
    judged = pd.DataFrame({"scorecard": found["scorecard"]})
    assert scorecard.figures(judged)["scorecard.high.customers"]["value"] is None


def test_an_answer_over_all_counts_only_where_no_aspect_was_answered():
    known = builders.facts({"orders": 1}, {"orders": 1})
    said = answers(
        ("c1", "2024-06-01", "overall", 1),
        ("c1", "2024-06-01", "product", 5),
        ("c2", "2024-06-01", "overall", 1),
    )
    found = points(known, said)
    assert found["satisfaction_overall"].fillna(-1).tolist() == [-1, 0]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(st.one_of(st.none(), st.floats(0, 100)), min_size=8, max_size=8), min_size=1, max_size=12
    ),
    st.lists(st.floats(0.1, 9), min_size=8, max_size=8),
    st.randoms(use_true_random=False),
)
def test_whatever_is_known_contributions_add_up_and_no_order_of_rows_decides(rows, weights, chance):
    rule = ScorecardRule(
        satisfaction=SatisfactionWeights(
            **dict(zip(SatisfactionWeights.model_fields, weights[:5], strict=True))
        ),
        loyalty=LoyaltyWeights(**dict(zip(LoyaltyWeights.model_fields, weights[5:], strict=True))),
    )
    table = pd.DataFrame(rows, columns=scorecard.weights(rule).index, dtype=float)
    ids = pd.Series([f"c{n}" for n in range(len(table))])
    found = scorecard.scored(table, rule)
    summed = scorecard.card(ids, table, rule).groupby("customer_id")["contribution"].sum()
    has = found["scorecard_points"].notna()
    assert summed.reindex(ids[has]).tolist() == pytest.approx(found["scorecard_points"][has].tolist())
    assert (found["scorecard"] == "not_graded").tolist() == (~has).tolist()
    order = list(table.index)
    chance.shuffle(order)
    pd.testing.assert_frame_equal(scorecard.scored(table.loc[order], rule).sort_index(), found)
