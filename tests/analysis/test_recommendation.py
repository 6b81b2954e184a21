"""Promoters, passives, detractors: by class, over time and afterwards, worked out by hand."""

import pandas as pd
import pytest
from builders import answers

from crmlib.analysis import recommendation
from crmlib.period import Period
from crmlib.rules import Classes, TierRule, TierWeights

Q3, Q4 = Period.parse("2024-Q3"), Period.parse("2024-Q4")


def said(scores: list[float], date: str = "2024-10-15"):
    return answers(*((f"c{n}", date, "recommend", score) for n, score in enumerate(scores)))


def people(count: int, **levels) -> pd.DataFrame:
    table = pd.DataFrame({"customer_id": [f"c{n}" for n in range(count)]})
    for name in recommendation.DIMENSIONS:
        table[name] = levels.get(name, ["not_supplied"] * count)
    return table


def test_nine_promotes_eight_is_passive_and_six_detracts():
    now = recommendation.asked(said([9, 10, 8, 7, 6, 0, 9, 9, 9, 8]), Q4)
    table = recommendation.kinds(now, now.head(0))
    assert table[["word", "answers", "share"]].values.tolist() == [
        ["promoter", 5, 0.5],
        ["passive", 3, 0.3],
        ["detractor", 2, 0.2],
    ]
    assert table["share_before"].isna().all()
    assert recommendation.kind_figures(table)["recommend.passive.share"]["n"] == 10


def test_an_answer_on_another_scale_is_no_recommendation():
    table = said([4] * 12)
    table["high"] = 5.0
    assert recommendation.asked(table, Q4).empty
    assert recommendation.kinds(recommendation.asked(table, Q4), recommendation.asked(None, Q3)).empty


def test_a_class_is_held_against_all_others_and_a_ruled_one_is_not():
    # firms 30 for and 10 against: 50; persons 10 for and 30 against: −50
    scores = [9] * 30 + [3] * 10 + [9] * 10 + [3] * 30
    kinds = ["enterprise"] * 40 + ["personal"] * 40
    judged = people(80, customer_type=kinds, tier=["high"] * 40 + ["low"] * 40)
    table = recommendation.by_class(recommendation.asked(said(scores), Q4), judged, ruled=("tier",))
    assert table[["class", "level", "nps", "against"]].values.tolist() == [
        ["customer_type", "personal", -50, "below"],
        ["customer_type", "enterprise", 50, "above"],
        ["tier", "high", 50, "by_rule"],
        ["tier", "low", -50, "by_rule"],
    ]
    told = recommendation.lead(table)
    assert (told["above"], told["below"]) == (
        [["customer_type", "enterprise"]],
        [["customer_type", "personal"]],
    )
    assert (told["most"], told["least"], told["apart"]) == (50, -50, True)
    figures = recommendation.figures(table)
    assert figures["nps.score.customer_type.personal"]["value"] == -50
    assert figures["nps.score.customer_type.personal"]["n"] == 40


def test_a_class_of_nine_has_no_score():
    judged = people(49, customer_type=["enterprise"] * 9 + ["personal"] * 40)
    table = recommendation.by_class(recommendation.asked(said([9] * 9 + [5] * 40), Q4), judged)
    assert table.set_index("level")["nps"].isna().to_dict() == {"personal": False, "enterprise": True}
    assert recommendation.figures(table)["nps.score.customer_type.enterprise"]["why"] == "too few"
    assert recommendation.lead(table)["known"] == 1


def test_a_tier_looks_at_recommending_where_loyalty_weighs_in_it():
    assert recommendation.by_rule(Classes()) == ("tier",)
    spend = TierWeights(frequency=0, spend=1, loyalty=0, lifetime=0)
    assert recommendation.by_rule(Classes(tier=TierRule(weights=spend))) == ()


def test_a_customer_is_what_the_last_answer_says_and_either_bought_afterwards_or_not():
    scores = [9] * 12 + [2] * 11
    then = answers(
        *((f"c{n}", "2024-08-01", "recommend", score) for n, score in enumerate(scores)),
        ("c0", "2024-09-01", "recommend", 8),
    )
    bought = {f"c{n}" for n in range(1, 12)} | {"c12"}
    table = recommendation.afterwards(recommendation.asked(then, Q3), bought)
    assert table[["word", "customers", "bought"]].values.tolist() == [
        ["promoter", 11, 11],
        ["passive", 1, 0],
        ["detractor", 11, 1],
    ]
    assert table["bought_share"].isna().tolist() == [False, True, False]
    told = recommendation.loyal(table)
    assert told["n"] == 11
    assert told["more"] == pytest.approx(10 / 11)
    assert told["low"] > 0
    assert recommendation.back_figures(table)["recommend.passive.bought"]["value"] is None


def test_without_answers_nobody_came_back_or_stayed_away():
    table = recommendation.afterwards(recommendation.asked(None, Q3), {"c1"})
    assert table.empty
    assert recommendation.loyal(table)["n"] == 0
    assert (
        recommendation.lead(recommendation.by_class(recommendation.asked(None, Q4), people(3)))["known"] == 0
    )
