"""Did it work? What is an effect, what chance, season or trend would have done, and what cannot be said yet."""

import datetime as dt
import itertools

import numpy as np
import pandas as pd
import pytest

from crmlib.analysis import effect
from crmlib.goals import Undertaking

KPI = "retention.rate"
STARTS = [dt.date(2021 + n // 4, 3 * (n % 4) + 1, 1) for n in range(17)]
QUARTERS = [(first, after - dt.timedelta(1)) for first, after in itertools.pairwise(STARTS)]


def told(values, *, day=dt.date(2024, 1, 1), **given) -> dict:
    """What is said of something begun on a day, by these values of the newest quarters."""
    days = QUARTERS[len(QUARTERS) - len(values) :]
    past = {KPI: [(*pair, float(value)) for pair, value in zip(days, values, strict=True)]}
    one = Undertaking(name="Visits", day=day, kpi=KPI, **given)
    return effect.effects({"visits": one}, past).to_dict("records")[0]


NEAR = [0.60, 0.61, 0.59, 0.60, 0.62, 0.60, 0.59, 0.61, 0.60, 0.61, 0.59, 0.60]  # 2021 to 2023


def test_what_jumps_out_of_its_past_is_an_effect():
    found = told([*NEAR, 0.70, 0.71, 0.70, 0.72])
    assert (found["outcome"], found["value"], found["periods_since"]) == ("better", 0.72, 4)
    assert found["expected"] == pytest.approx(0.60, abs=0.02)
    assert told([*NEAR, 0.50, 0.49, 0.50, 0.48])["outcome"] == "worse"


def test_of_what_is_to_become_less_less_is_better():
    assert told([*NEAR, 0.50, 0.49, 0.50, 0.48], direction="down")["outcome"] == "better"


def test_what_goes_on_as_before_is_chance():
    assert told([*NEAR, 0.60, 0.61, 0.60, 0.61])["outcome"] == "within_chance"


def test_a_season_and_a_trend_are_no_effect():
    # A fifth more in every fourth quarter, two in a hundred more with every quarter: a plain before and after would
    # see both. What is above zero moves by factors.
    noise = [1, -2, 0, 2, -1, 1, -1, 0, 2, -2, 1, 0, -1, 1, 0, 1]
    values = [50 * 1.02**n * (1.2 if n % 4 == 3 else 1) * (1 + noise[n] / 200) for n in range(16)]
    found = told(values)
    assert found["outcome"] == "within_chance"
    assert found["value"] - np.mean(values[:12]) > 15


def test_the_period_in_which_it_began_belongs_to_neither_side():
    found = told([*NEAR, 9.0, 0.60, 0.61, 0.60], day=dt.date(2024, 2, 15))
    assert (found["outcome"], found["periods_since"]) == ("within_chance", 3)


@pytest.mark.parametrize(
    ("values", "day", "why"),
    [
        (NEAR, dt.date(2024, 12, 1), "too_early"),
        (NEAR[:8], dt.date(2024, 1, 1), "history_too_short"),
        ([], dt.date(2024, 1, 1), "not_computed"),
    ],
)
def test_what_cannot_be_judged_says_why(values, day, why):
    found = told(values, day=day)
    assert found["outcome"] == why
    assert pd.isna(found["expected"])


def test_of_undertakings_without_effect_about_one_in_ten_seems_to_have_one():
    # Nine tenths are promised; of 200 levels without an effect, at most 32 may miss (chance of more: 1 in 200).
    chance = np.random.default_rng(5)
    missed = sum(
        told(0.6 + 0.02 * chance.standard_normal(16))["outcome"] != "within_chance" for _ in range(200)
    )
    assert 3 <= missed <= 32


def test_nothing_undertaken_is_nothing_told():
    table = effect.effects({}, {})
    assert effect.counted(table) == {"undertakings": 0, "told": 0, "better": [], "worse": []}


def test_a_measure_that_nobody_knows_is_refused():
    with pytest.raises(ValueError, match=r"'happiness' is no id of GLOSSARY\.md"):
        Undertaking(name="x", day=dt.date(2024, 1, 1), kpi="happiness")
