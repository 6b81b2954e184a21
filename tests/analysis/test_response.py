"""Who answered against who is a customer, and means weighted like the customers: by hand and by drawing again."""

import numpy as np
import pandas as pd
import pytest
from builders import answers
from scipy import stats

from crmlib.analysis import intervals, response
from crmlib.period import Period

Q4 = Period.parse("2024-Q4")


def judged(**levels: dict[str, int]) -> pd.DataFrame:
    """Customers c0, c1 … with so many of each level, alike in every class that is not named."""
    count = max(sum(many.values()) for many in levels.values())
    table = pd.DataFrame({"customer_id": [f"c{n}" for n in range(count)]})
    for name in {*response.DIMENSIONS, *response.WEIGHED}:
        many = levels.get(name, {"not_supplied": count})
        table[name] = [level for level, size in many.items() for _ in range(size)]
    return table


def said(scores: dict[int, float], aspect: str = "service"):
    return answers(*((f"c{n}", "2024-11-01", aspect, score) for n, score in scores.items()))


def test_response_is_the_share_of_customers_who_answered_class_by_class():
    people = judged(customer_type={"personal": 30, "enterprise": 10})
    table = response.shares(people, {f"c{n}" for n in [*range(6), *range(30, 39)]} | {"stranger"})
    assert table[["class", "level", "customers", "answered"]].values.tolist() == [
        ["customer_type", "personal", 30, 6],
        ["customer_type", "enterprise", 10, 9],
    ]
    assert table["against"].tolist() == ["below", "above"]
    rate = response.figures(people, {"c0", "c1"}, table)
    assert rate["response.rate"]["value"] == 2 / 40
    assert rate["response.rate.customer_type.enterprise"]["value"] == 0.9
    assert response.told(table, rate)["above"] == [["customer_type", "enterprise"]]


def test_where_nobody_answered_there_is_no_response():
    people = judged(customer_type={"personal": 40})
    assert response.answered(None, Q4) == set()
    assert response.shares(people, set()).empty
    assert response.figures(people, set(), response.shares(people, set())) == {
        "response.rate": {"value": None, "n": 40, "why": "not supplied"}
    }


def test_a_class_that_answers_more_often_weighs_no_more_than_among_customers():
    # 30 of type A, 10 of B; ten of each answer, A with 1 (0 of 100), B with 5 (100): 50 as answered,
    # 0.75 × 0 + 0.25 × 100 = 25 among customers
    people = judged(customer_type={"personal": 30, "enterprise": 10})
    table = response.reweighted(
        said(dict.fromkeys(range(10), 1) | dict.fromkeys(range(30, 40), 5)), Q4, people
    )
    assert table["class"].tolist() == ["as_answered", "customer_type"]
    assert table["score"].tolist() == [50, 25]
    row = table.iloc[1]
    # each of 20 persons pulls the raw mean by 50 ÷ 20; √(20 × 2.5² × 20 ÷ 19) = 11.471, t₁₈ = 1.734
    assert (row["move"], row["move_high"]) == (-25, pytest.approx(-25 + 1.734064 * 11.470787, abs=1e-3))
    told = response.bias(table)
    assert (told["first"], told["real"], told["score"], told["raw"]) == ("customer_type", True, 25, 50)


def test_a_level_with_nine_respondents_forbids_the_weighing_and_is_named():
    people = judged(customer_type={"personal": 30, "enterprise": 10}, region={"north": 20, "south": 20})
    scores = {n: 3 + n % 2 for n in [*range(18), *range(30, 39)]}
    table = response.reweighted(said(scores), Q4, people).set_index("class")
    assert table.loc["customer_type", "thin"] == "enterprise"
    assert pd.isna(table.loc["customer_type", "score"])
    assert table.loc["region", "thin"] == "south"
    told = response.bias(table.reset_index())
    assert (told["told"], told["refused"]) == (0, ["customer_type", "region"])
    assert response.weighted_figures(table.reset_index())["satisfaction.weighted.region"]["value"] is None


def test_where_all_answer_alike_nothing_moves():
    people = judged(customer_type={"personal": 20, "enterprise": 20})
    table = response.reweighted(said({n: 1 + n % 5 for n in range(40)}), Q4, people)
    assert table["score"].tolist() == pytest.approx([50, 50])
    told = response.bias(table)
    assert not told["real"] and told["move"] == pytest.approx(0)


def test_without_a_survey_or_with_one_answer_nothing_is_weighed():
    people = judged(customer_type={"personal": 40})
    for none in (None, said({}), said({0: 4}), said(dict.fromkeys(range(12), 9), "recommend")):
        assert response.reweighted(none, Q4, people).empty
        assert response.bias(response.reweighted(none, Q4, people))["told"] == 0


def test_intervals_are_as_wide_as_surveys_drawn_again_say():
    rng = np.random.default_rng(7)
    people = judged(customer_type={"personal": 600, "enterprise": 400})
    chosen = np.r_[rng.choice(600, 60, replace=False), 600 + rng.choice(400, 120, replace=False)]
    level = people["customer_type"].to_numpy()[chosen]
    score = np.clip(np.round(rng.normal(np.where(level == "personal", 3.2, 4.0), 0.9)), 1, 5)
    table = response.reweighted(said(dict(zip(chosen, score, strict=True))), Q4, people)
    row = table.iloc[1]
    drawn = []
    for _ in range(2000):
        at = rng.integers(0, 180, 180)
        means = [((score[at][level[at] == name]) - 1).mean() * 25 for name in ("personal", "enterprise")]
        weighted = 0.6 * means[0] + 0.4 * means[1]
        drawn.append((weighted, weighted - (score[at] - 1).mean() * 25))
    reach = stats.t.ppf((1 + intervals.LEVEL) / 2, 178) * np.std(drawn, axis=0)
    # 2,000 draws tell a standard error to 1.6 %
    assert row["score_high"] - row["score"] == pytest.approx(reach[0], rel=0.06)
    assert row["move_high"] - row["move"] == pytest.approx(reach[1], rel=0.06)
