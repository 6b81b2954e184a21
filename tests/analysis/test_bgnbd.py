"""How often customers buy: published figures, 60-digit arithmetic, and what cannot be told."""

import numpy as np
import pandas as pd
import pytest
from lives import lives

from crmlib.analysis import bgnbd

mpmath = pytest.importorskip("mpmath")
LAST = pd.Timestamp("1997-09-30")


def calibration(path) -> pd.DataFrame:
    """CDNOW up to the last day of the published calibration: a day with several purchases is one."""
    rows = pd.read_csv(path, dtype={"customer_id": str}, parse_dates=["date"])
    days = rows[rows["date"] <= LAST].groupby(["customer_id", "date"], as_index=False)["amount"].sum()
    each = days.sort_values("date", kind="stable").groupby("customer_id")
    first, last = each["date"].min(), each["date"].max()
    told = {
        "repeats": each.size() - 1,
        "active_days": (last - first).dt.days,
        "tenure_days": (LAST - first).dt.days,
        "repeat_spend": each["amount"].sum() - each["amount"].first(),
    }
    later = rows[rows["date"] > LAST].drop_duplicates(["customer_id", "date"]).groupby("customer_id").size()
    return pd.DataFrame(told).assign(came=later).fillna({"came": 0})


@pytest.fixture(scope="module")
def sample(shared):
    return calibration(shared / "data" / "cdnow" / "cdnow_sample.csv")


@pytest.fixture(scope="module")
def whole(shared):
    return calibration(shared / "data" / "cdnow" / "cdnow_master.csv")


@pytest.fixture(scope="module")
def fitted(sample):
    return bgnbd.fit(sample)


def foretold(found, people, weeks):
    repeats = people["repeats"].to_numpy()
    times = (people[c].to_numpy() / 7 for c in ("active_days", "tenure_days"))
    return float(bgnbd.expected(found.values, repeats, *times, weeks).sum())


# Fader, Hardie and Lee (2005), Marketing Science 24, Table 2.
@pytest.mark.parametrize("name, value", [("r", 0.243), ("alpha", 4.414), ("a", 0.793), ("b", 2.426)])
def test_the_sample_of_cdnow_has_the_published_parameters(fitted, name, value):
    assert fitted.values[fitted.names.index(name)] == pytest.approx(value, abs=1e-3)


def test_the_sample_of_cdnow_has_the_published_likelihood(fitted):
    assert fitted.loglik == pytest.approx(-9582.4, abs=0.05)
    assert fitted.loglik == pytest.approx(-9582.429, abs=1e-3)


def test_all_of_cdnow_has_the_likelihood_that_two_others_give(whole):
    assert bgnbd.fit(whole).loglik == pytest.approx(-95368.444, abs=0.01)


def test_intervals_on_the_log_scale_are_those_of_a_full_posterior_nearly(fitted):
    # counted elsewhere by Laplace; a full posterior gave .52–1.15 and 1.45–3.94
    assert fitted.interval("a") == pytest.approx((0.54, 1.17), abs=0.006)
    assert fitted.interval("b") == pytest.approx((1.50, 3.91), abs=0.006)


def test_a_customer_of_two_repeats_is_expected_to_make_as_many_as_published(fitted):
    told = bgnbd.expected(fitted.values, np.array([2]), np.array([30.43]), np.array([38.86]), 39.0)
    assert told[0] == pytest.approx(1.226, abs=1e-3)


def test_a_new_customer_is_expected_to_make_as_many_as_published(fitted):
    weeks = np.array([0.1429, 1, 3, 31.8571, 32, 78])
    published = [0.0078, 0.0532, 0.1506, 1.0405, 1.0437, 1.8576]
    assert bgnbd.bought(fitted.values, weeks) == pytest.approx(published, abs=1e-3)


def test_the_plain_model_foretells_an_eighth_too_few_purchases_of_cdnow(fitted, sample, whole):
    assert (round(foretold(fitted, sample, 39.0)), sample["came"].sum()) == (1653, 1882)
    assert (round(foretold(bgnbd.fit(whole), whole, 39.0)), whole["came"].sum()) == (16874, 19684)


def test_days_weeks_and_years_are_one_fit_in_three_units(sample, fitted):
    days, years = bgnbd.fit(sample, unit=1.0), bgnbd.fit(sample, unit=365.25)
    assert days.values / fitted.values == pytest.approx([1, 7, 1, 1], rel=1e-6)
    assert years.values[[0, 2, 3]] == pytest.approx(fitted.values[[0, 2, 3]], rel=1e-6)
    # each of so many repeat purchases has its density per day, not per week
    assert fitted.loglik - days.loglik == pytest.approx(sample["repeats"].sum() * np.log(7), rel=1e-9)


def exact(parameters, repeats, active, tenure, ahead):
    """Log-likelihood and expected purchases by their textbook forms, in as many digits as they need."""
    before = None
    for digits in (80, 160, 320, 640):
        mpmath.mp.dps = digits
        r, alpha, a, b, t, whole, h = map(mpmath.mpf, map(float, (*parameters, active, tenure, ahead)))
        nudge = mpmath.mpf(10) ** -(digits // 3)  # off the poles of a closed form whose limit is finite
        a, b = a + (nudge if a == 1 else 0), b + (nudge if a + b + repeats == 1 else 0)
        x = repeats
        kept = mpmath.beta(a, b + x) / mpmath.beta(a, b) / (alpha + whole) ** (r + x)
        left = 0 if x == 0 else mpmath.beta(a + 1, b + x - 1) / mpmath.beta(a, b) / (alpha + t) ** (r + x)
        log = mpmath.log(mpmath.gamma(r + x) * alpha**r / mpmath.gamma(r) * (kept + left))
        z = h / (alpha + whole + h)
        closed = 1 - ((alpha + whole) / (alpha + whole + h)) ** (r + x) * mpmath.hyp2f1(
            r + x, b + x, a + b + x - 1, z, maxterms=10**6
        )
        mean = (a + b + x - 1) / (a - 1) * closed * kept / (kept + left)
        if before is not None and abs(mean / before - 1) < 1e-12:
            return log, mean
        before = mean
    raise AssertionError("the closed form needs more digits")


# Off the grid that the code was made on: every place where such code has broken, alone and together.
GRID = [
    # r, alpha, a, b, repeats, active, tenure, ahead
    (0.25, 4.0, 0.8, 2.5, 0, 0, 0.004, 13),
    (0.25, 4.0, 0.8, 2.5, 0, 0, 4_000, 13),
    (0.25, 4.0, 0.8, 2.5, 1, 0.002, 0.005, 52),
    (0.7, 9.0, 0.55, 3.1, 171, 51, 52, 26),
    (0.7, 9.0, 0.55, 3.1, 900, 101, 104, 26),
    (2.2, 11.0, 1.7, 40.0, 3_000, 4_990, 5_000, 52),
    (2.2, 11.0, 1.0, 40.0, 3_000, 4_990, 5_000, 5_000),
    (0.4, 2.0, 1.0, 0.6, 0, 0, 30, 30),
    (0.4, 2.0, 1.0, 0.6, 5, 20, 30, 30),
    (0.4, 2.0, 1 + 1e-7, 0.6, 5, 20, 30, 30),
    (0.4, 2.0, 1 - 1e-9, 1.9, 12, 29, 30, 300),
    (0.9, 3.0, 0.21, 0.33, 0, 0, 77, 20),
    (0.9, 3.0, 0.21, 0.33, 4, 70, 77, 2_000),
    (0.9, 3.0, 0.05, 0.02, 2, 70, 77, 20),
    (0.9, 3.0, 0.4, 0.6, 0, 0, 77, 20),
    (1.3, 7.0, 8_000.0, 90_000.0, 0, 0, 50, 50),
    (1.3, 7.0, 8_000.0, 700.0, 2, 49.9, 50, 50),
    (1.3, 7.0, 8_000.0, 20_000.0, 40, 49, 50, 5),
    (1.3, 7.0, 2e-5, 3.0, 6, 40, 50, 50_000),
    (45.0, 0.3, 3.3, 0.9, 1, 3_999, 4_000, 0.01),
    (45.0, 300.0, 33.0, 0.2, 60, 399, 400, 7),
    (0.02, 0.05, 0.3, 0.3, 1, 0.01, 0.5, 10_000),
]


@pytest.mark.parametrize("case", GRID, ids=lambda case: "-".join(f"{part:g}" for part in case))
def test_likelihood_and_expectation_hold_to_eight_digits_wherever_such_code_breaks(case):
    parameters, (repeats, active, tenure, ahead) = np.array(case[:4]), case[4:]
    one = np.array([repeats]), np.array([float(active)]), np.array([float(tenure)])
    log, mean = exact(case[:4], repeats, active, tenure, ahead)
    assert float(abs(bgnbd.log_likelihood(parameters, *one)[0] / log - 1)) < 1e-8
    assert float(abs(bgnbd.expected(parameters, *one, ahead)[0] / mean - 1)) < 1e-8


def test_gradient_and_second_derivatives_are_those_of_the_likelihood():
    people = pd.DataFrame(
        {"repeats": [0, 1, 4, 60], "active_days": [0, 9, 80, 200], "tenure_days": [5, 30, 90, 210]}
    )
    rows, logs, step = bgnbd.merged(people), np.log([0.6, 0.4, 0.9, 2.2]), 1e-5
    _, slope, bend = bgnbd.derivatives(logs, rows, 100.0)
    sides = [
        (bgnbd.derivatives(logs + s, rows, 100.0), bgnbd.derivatives(logs - s, rows, 100.0))
        for s in np.eye(4) * step
    ]
    assert slope == pytest.approx([(up[0] - down[0]) / step / 2 for up, down in sides], rel=1e-6)
    assert bend == pytest.approx(
        np.array([(up[1] - down[1]) / step / 2 for up, down in sides]), rel=1e-5, abs=1e-6
    )


def test_customers_alike_are_merged_and_nothing_else_changes():
    people = lives(600, seed=3)
    twice = pd.concat([people, people.iloc[::-1]], ignore_index=True)
    assert bgnbd.merged(people)["customers"].sum() == 600
    assert len(bgnbd.merged(twice)) == len(bgnbd.merged(people))
    assert bgnbd.fit(twice).values == pytest.approx(bgnbd.fit(people).values, rel=1e-5)


def test_a_one_time_buyers_p_alive_is_1_by_construction():
    silent = bgnbd.alive(np.array([0.2, 4, 0.8, 2.4]), np.array([0]), np.array([0.0]), np.array([5_000.0]))
    assert silent.tolist() == [1.0]


def test_where_all_came_once_nothing_is_told():
    once = pd.DataFrame({"repeats": [0] * 300, "active_days": [0] * 300, "tenure_days": range(1, 301)})
    found = bgnbd.fit(once)
    assert (found.why, len(found.values)) == ("all_one_time", 0)


def test_where_nobody_leaves_chances_to_leave_are_not_made_up():
    # 400 customers of many rhythms who all buy to the last day: the smaller a chance to leave, the likelier.
    repeats = np.random.default_rng(0).negative_binomial(3, 0.1, 400) + 1
    steady = pd.DataFrame({"repeats": repeats, "active_days": 363, "tenure_days": 364})
    assert bgnbd.fit(steady).why in ("not_converged", "weakly_identified")
    nobody = bgnbd.fit(steady, leaving="none")
    assert nobody.why == ""
    told = bgnbd.alive(bgnbd.whole(nobody.logs, "none"), repeats, np.full(400, 1.0), np.full(400, 52.0))
    assert (told == 1).all()


def test_customers_of_one_rhythm_have_no_spread_of_rhythms_to_fit():
    repeats = np.random.default_rng(0).poisson(40, 400) + 1
    alike = pd.DataFrame({"repeats": repeats, "active_days": 363, "tenure_days": 364})
    assert bgnbd.fit(alike, leaving="none").why in ("not_converged", "weakly_identified")


def test_parameters_of_customers_who_lived_by_them_are_found_again():
    # 20,000 lives: each true value lies within three standard deviations of the estimate
    found = bgnbd.fit(lives(20_000, seed=8))
    assert np.abs(found.logs - np.log([0.243, 4.414, 0.793, 2.426])).max() < 3 * found.spread.max()
    assert (np.abs(found.logs - np.log([0.243, 4.414, 0.793, 2.426])) < 3.5 * found.spread).all()


def test_few_customers_have_intervals_as_wide_as_the_hill_itself():
    # Of 450 customers the interval of b is no longer symmetrical on the log scale: its upper arm is longer.
    found = bgnbd.fit(lives(450, seed=5))
    low, high = (np.log(bound) for bound in found.interval("b"))
    assert high - found.logs[3] > found.logs[3] - low
