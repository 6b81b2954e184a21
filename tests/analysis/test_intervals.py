"""Intervals: held to published values and to what they promise."""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlib.analysis import intervals

BENCH = Path(__file__).resolve().parent.parent.parent / "bench" / "intervals.py"


@pytest.fixture(scope="module")
def bench():
    """The clients whose truth is known."""
    spec = importlib.util.spec_from_file_location("bench_intervals", BENCH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [
        # Newcombe (1998), Statistics in Medicine 17, 857–872, table I, method 4 (Wilson, corrected), 95 %
        (81, 263, 0.2535, 0.3682),
        (15, 148, 0.0598, 0.1644),
        (0, 20, 0.0000, 0.2005),
        (1, 29, 0.0018, 0.1963),
    ],
)
def test_a_share_lies_where_published_intervals_say(monkeypatch, count, total, low, high):
    monkeypatch.setattr(intervals, "LEVEL", 0.95)
    found = intervals.share(count, total)
    assert (round(found["low"], 4), round(found["high"], 4)) == (low, high)


def test_a_share_of_nobody_has_no_value():
    assert intervals.share(0, 0) == {"value": None, "n": 0}


@pytest.mark.parametrize("size", [1, 2, 5, 10, 33, 60])
def test_at_every_share_and_total_the_truth_is_held_ninety_times_in_a_hundred(size):
    # Exactly, by the binomial's own probabilities, on a fine grid; Wilson's uncorrected falls to 80 in a hundred.
    told = [intervals.share(count, size) for count in range(size + 1)]
    for truth in np.linspace(0.001, 0.999, 999):
        held = [
            math.comb(size, n) * truth**n * (1 - truth) ** (size - n)
            for n, one in enumerate(told)
            if one["low"] <= truth <= one["high"]
        ]
        assert sum(held) >= 0.9


@pytest.mark.parametrize(
    ("number", "low", "high"),
    [
        # Garwood's 95 % intervals as Ulm (1990), Am. J. Epidemiol. 131, 373–375, and many tables print them
        (0, 0.000, 3.689),
        (1, 0.025, 5.572),
        (10, 4.795, 18.390),
        (100, 81.364, 121.627),
    ],
)
def test_a_count_lies_where_published_intervals_say(monkeypatch, number, low, high):
    monkeypatch.setattr(intervals, "LEVEL", 0.95)
    found = intervals.count(number)
    assert (round(found["low"], 3), round(found["high"], 3)) == (low, high)


def test_a_new_customer_may_cost_what_the_fewest_and_the_most_of_them_would_have_cost():
    # Ten customers for 1000 at 90 %: of as many as 16.962 (half of chi-square 22 at .95, 33.924) and as few as 5.425
    found = intervals.each(1000, 10)
    assert found["value"] == 100
    assert (found["low"], found["high"]) == pytest.approx((1000 / 16.962, 1000 / 5.4254), rel=1e-4)
    assert intervals.each(1000, 0) == {"value": None, "n": 0, "why": "nobody came"}


def test_where_all_customers_bring_the_same_a_total_is_as_certain_as_their_number():
    total, number = intervals.total(pd.Series([250] * 80)), intervals.count(80)
    assert [total[end] for end in ("value", "low", "high")] == pytest.approx(
        [250 * number[end] for end in ("value", "low", "high")]
    )


def test_a_total_of_two_sizes_by_hand():
    # 60 bring 1 and 20 bring 3: sum 120, squares 240. The larger half are 20 of 1 and 20 of 3: ln²3 ÷ 2 = 0.603474;
    # times √(50 ÷ 80): 0.477088, so 1.477088 more of 3: 124.431265 and 253.293794.
    found = intervals.total(np.repeat([1, 3], [60, 20]))
    low = 240 / 240 * stats.chi2.ppf(0.05, 2 * 120**2 / 240)
    high = 253.293794 / (2 * 124.431265) * stats.chi2.ppf(0.95, 2 * 124.431265**2 / 253.293794)
    assert (found["low"], found["high"]) == pytest.approx((low, high), rel=1e-6)


def test_what_goes_out_widens_a_net_total_as_a_sum_of_its_own():
    # 60 bring 10, 60 take 5 away: 600 less 300, whose intervals are ten and five times that of a count of 60.
    found, number = intervals.total(np.repeat([10, -5], [60, 60])), intervals.count(60)
    # The larger half of 120 sizes are 60 of 10: no spread
    down, up = 60 - number["low"], number["high"] - 60
    assert found["value"] == 300
    assert found["low"] == pytest.approx(300 - math.hypot(10 * down, 5 * up))
    assert found["high"] == pytest.approx(300 + math.hypot(10 * up, 5 * down))


@pytest.mark.parametrize("size", [0, 1, 49])
def test_below_fifty_customers_a_total_and_a_mean_have_no_interval(size):
    amounts = np.arange(1.0, size + 1)
    assert intervals.total(amounts) == {"value": amounts.sum(), "n": size, "why": "too few"}
    mean = {"value": amounts.mean(), "why": "too few"} if size else {"value": None, "why": "nobody"}
    assert intervals.mean(amounts) == mean | {"n": size}


def test_who_brought_nothing_has_not_come():
    assert intervals.total(np.r_[np.ones(49), np.zeros(100)])["why"] == "too few"


def test_a_mean_without_any_variance_has_no_interval_rather_than_a_point():
    assert intervals.mean(np.full(60, 3)) == {"value": 3, "n": 60, "why": "all alike"}
    assert intervals.ratio(np.full(60, 6), np.full(60, 2))["why"] == "all alike"


def test_a_mean_of_two_sizes_by_hand():
    # Each 0 or 2, 50 of each: mean 1, all of them 1 away. The larger half of what is not 0 are equal: one more on
    # either side, at 2 and at 0; √(101 × 100 ÷ 99) = 10.100505 and t(99; 0.95) = 1.660391, over 101 customers.
    found = intervals.mean(np.repeat([0, 2], 50))
    reach = (1 + 1.660391 * 10.100505) / 101
    assert (found["low"], found["high"]) == pytest.approx((1 - reach, 1 + reach), rel=1e-6)


def test_what_may_be_nothing_is_not_divided_by():
    # Sales less returns of 60 customers, 30 of +10 and 30 of −9: 30 in all, of which chance makes ±120 or so
    sold = np.repeat([10.0, -9.0], 30)
    assert intervals.ratio(sold * 0.3 + np.arange(60) / 100, sold)["why"] == "too few"
    assert intervals.ratio(sold, -np.abs(sold)) == {"value": None, "n": 60, "why": "nothing to divide by"}


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_customers_decides_nothing_to_the_last_bit(seed):
    chance = np.random.default_rng(seed)
    amounts, orders = chance.lognormal(0, 1, 80), chance.integers(1, 5, 80)
    mixed = chance.permutation(80)
    assert intervals.total(amounts) == intervals.total(amounts[mixed])
    assert intervals.ratio(amounts, orders) == intervals.ratio(amounts[mixed], orders[mixed])


def test_in_another_currency_an_interval_is_as_many_times_as_large():
    amounts = np.random.default_rng(1).lognormal(0, 1, 80)
    for kind in (intervals.total, intervals.mean):
        once, often = kind(amounts), kind(amounts * 100)
        ends = ("value", "low", "high")
        assert [often[end] for end in ends] == pytest.approx([100 * once[end] for end in ends])


def test_on_a_known_scale_one_more_may_answer_with_either_end():
    # Ten persons, 1 … 10 on a scale from 0 to 11: mean 5.5, squares 82.5. One more 5.5 above or below: √((82.5 +
    # 30.25) × 10 ÷ 9) = 11.192755; t(9; 0.95) = 1.833113; eleven persons then.
    found = intervals.clustered_mean(pd.Series(range(1, 11), dtype=float), pd.Series(range(10)), ends=(0, 11))
    assert found["value"] == 5.5
    assert found["high"] - 5.5 == pytest.approx((5.5 + 1.833113 * 11.192755) / 11, abs=1e-5)
    assert found["low"] + found["high"] == pytest.approx(11)
    assert found["n"] == 10


def test_persons_who_all_answer_alike_are_not_certain():
    found = intervals.clustered_mean(pd.Series([5.0] * 10), pd.Series(range(10)), ends=(1, 5))
    assert (found["value"], found["high"]) == (5, 5)
    assert 3 < found["low"] < 5


def test_a_person_who_answers_ten_times_is_still_one_person():
    once = intervals.clustered_mean(pd.Series(range(1, 11), dtype=float), pd.Series(range(10)), ends=(0, 11))
    values = pd.Series(list(range(1, 11)) * 10, dtype=float)
    often = intervals.clustered_mean(values, pd.Series(list(range(10)) * 10), ends=(0, 11))
    assert often["n"] == 100
    assert often["low"] == pytest.approx(once["low"])


@pytest.mark.parametrize(("persons", "why"), [(9, "too few"), (0, "no answers in the period")])
def test_below_ten_persons_nothing_is_said(persons, why):
    answers = pd.Series(range(persons), dtype=float)
    found = intervals.clustered_mean(answers, pd.Series(range(persons)), ends=(0, 10))
    assert found == {"value": None, "n": persons, "why": why}


def test_without_the_ends_of_the_scale_it_takes_fifty_persons():
    answers = pd.Series(range(50), dtype=float)
    assert intervals.clustered_mean(answers[:49], answers[:49])["why"] == "too few"
    assert intervals.clustered_mean(answers, answers)["low"] < 24.5


def test_a_change_of_a_total_knows_who_was_there_in_both_periods():
    # Sixty customers of very different size buy the same again, but for 60 new ones of 10: nobody else moved.
    same = pd.Series(np.geomspace(10, 1e6, 60), index=[f"c{n}" for n in range(60)])
    new = pd.Series(10.0, index=[f"n{n}" for n in range(60)])
    found, number = intervals.change_of_total(pd.concat([same, new]), same), intervals.count(60)
    assert (found["value"], found["n"]) == (600, 60)
    assert found["low"] == pytest.approx(10 * number["low"])
    assert intervals.told(found) is True
    assert intervals.told(intervals.change_of_total(same, same)) is None  # nobody moved
    # As two samples nobody could tell it.
    assert (
        intervals.told(intervals.difference(*(intervals.total(t) for t in (pd.concat([same, new]), same))))
        is False
    )


def test_what_has_no_interval_is_told_from_nothing():
    known = {"value": 10, "low": 7, "high": 14, "n": 60}
    assert intervals.difference(known, {"value": 4, "n": 3}) == {"value": 6, "n": 3, "why": "too few"}
    assert intervals.difference(known, {"value": None, "n": 0})["value"] is None
    assert intervals.told(intervals.difference(known, {"value": None})) is None


KINDS = ["share", "count", "cost of each", "total", "change of total", "mean", "mean order", "profit margin"]
KINDS += ["survey mean", "net promoter score", "two survey means", "two shares"]


@pytest.mark.parametrize("kind", KINDS)
def test_nine_intervals_in_ten_hold_the_truth_of_simulated_clients(bench, kind):
    # The bench's clients, fewer of them, at the least size that is given and a larger one. 600 clients: standard
    # error 1.2 to 1.4 points, three of them allowed.
    asked = 0
    for shape, draw, sizes in [(s, d, z) for k, s, d, z, _ in bench.kinds() if k == kind]:
        for size in sizes:
            if size not in (10, 50, 100):
                continue
            covers, refused, _, _ = bench.row(f"{kind}: {shape}", draw, size, 600, 1)
            if refused < bench.MOSTLY:
                asked += 1
                assert not bench.short(covers, refused, 600), (shape, size, covers)
    assert asked >= 2


@pytest.mark.parametrize("kind", ["share", "total", "mean", "survey mean"])
def test_intervals_that_promise_less_are_found_out(bench, kind, monkeypatch):
    monkeypatch.setattr(intervals, "LEVEL", 0.8)
    found = []
    for shape, draw in [(s, d) for k, s, d, *_ in bench.kinds() if k == kind]:
        covers, refused, *_ = bench.row(f"{kind}: {shape}", draw, 300, 600, 1)
        found.append(bench.short(covers, refused, 600))
    assert any(found)


def test_what_would_not_hold_is_refused(bench):
    # One in twenty brings forty times as much: of thirty customers, one client in five has none of them.
    draw = bench.totals(bench.AMOUNTS["one in twenty x 40"])
    _, refused, *_ = bench.row("refused", draw, 30, 600, 1)
    assert refused > 0.99


def test_the_naive_interval_of_clustered_answers_falls_short():
    # Thirty persons with one to four answers each, alike in themselves: as 75 independent answers they promise too much.
    chance = np.random.default_rng(2)
    naive = 0
    for _ in range(400):
        person = np.repeat(np.arange(30), chance.integers(1, 5, 30))
        score = 3 + chance.normal(0, 1, 30)[person] + chance.normal(0, 0.3, len(person))
        naive += abs(score.mean() - 3) <= stats.norm.ppf(0.95) * score.std() / np.sqrt(len(score))
    assert naive / 400 < 0.8
