"""Intervals: held to published values and to what they promise."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlib.analysis import intervals


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [
        # Newcombe (1998), Statistics in Medicine 17, 857–872, table I, method 3 (Wilson), 95 %
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_a_share_lies_where_wilsons_published_intervals_say(monkeypatch, count, total, low, high):
    monkeypatch.setattr(intervals, "LEVEL", 0.95)
    found = intervals.share(count, total)
    assert (round(found["low"], 4), round(found["high"], 4)) == (low, high)


def test_a_share_of_nobody_has_no_value():
    assert intervals.share(0, 0) == {"value": None, "n": 0}


def test_without_repeated_answers_a_mean_has_students_interval():
    # ten persons, 1 … 10: mean 5.5, standard error √(82.5 ÷ 9 ÷ 10) = 0.957427; t(9; 0.95) = 1.833113
    found = intervals.clustered_mean(pd.Series(range(1, 11), dtype=float), pd.Series(range(10)))
    assert found["value"] == 5.5
    assert found["high"] - 5.5 == pytest.approx(1.833113 * 0.957427, abs=1e-5)
    assert found["low"] + found["high"] == pytest.approx(11)
    assert found["n"] == 10


def test_a_person_who_answers_ten_times_is_still_one_person():
    once = intervals.clustered_mean(pd.Series(range(1, 11), dtype=float), pd.Series(range(10)))
    values = pd.Series(list(range(1, 11)) * 10, dtype=float)
    often = intervals.clustered_mean(values, pd.Series(list(range(10)) * 10))
    assert often["n"] == 100
    assert often["low"] == pytest.approx(once["low"])


@pytest.mark.parametrize(("persons", "why"), [(9, "too few"), (0, "no answers in the period")])
def test_below_ten_persons_nothing_is_said(persons, why):
    found = intervals.clustered_mean(pd.Series(range(persons), dtype=float), pd.Series(range(persons)))
    assert found == {"value": None, "n": persons, "why": why}


def test_a_ninety_per_cent_interval_of_a_share_holds_the_truth_about_nine_times_in_ten():
    chance = np.random.default_rng(1)
    hits = 0
    for count in chance.binomial(60, 0.3, 2000):
        found = intervals.share(count, 60)
        hits += found["low"] <= 0.3 <= found["high"]
    # 2,000 draws: standard error 0.7 points; Wilson itself is off by up to 2 points at n = 60
    assert hits / 2000 == pytest.approx(0.9, abs=0.03)


def test_a_ninety_per_cent_interval_of_a_mean_holds_the_truth_although_answers_cluster():
    chance = np.random.default_rng(2)
    hits, naive = 0, 0
    for _ in range(400):
        sizes = chance.integers(1, 5, 30)
        person = np.repeat(np.arange(30), sizes)
        score = pd.Series(3 + chance.normal(0, 1, 30)[person] + chance.normal(0, 0.3, len(person)))
        found = intervals.clustered_mean(score, pd.Series(person))
        hits += found["low"] <= 3 <= found["high"]
        reach = stats.norm.ppf(0.95) * score.std() / np.sqrt(len(score))
        naive += abs(score.mean() - 3) <= reach
    # 400 draws: standard error 1.5 points, three of them allowed; the naive interval falls far short
    assert hits / 400 == pytest.approx(0.9, abs=0.045)
    assert naive / 400 < 0.8
