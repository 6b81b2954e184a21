"""Odds are what they say: paths against closed forms, and stated odds against what then came."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from crmlib.analysis import odds


@pytest.fixture(scope="module")
def bench():
    path = Path(__file__).resolve().parents[2] / "bench" / "odds.py"
    spec = importlib.util.spec_from_file_location("bench_odds", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_straight_line_goes_on_as_regression_says():
    # Errors in turn +1, −1, −1, +1 …: a line fits them, and scipy's prediction of its next point is the oracle.
    time, errors = np.arange(16.0), np.array([1, -1, -1, 1] * 4)
    values = -50 + 4 * time + errors  # through zero, so that they move by amounts
    fitted = stats.linregress(time, values)
    left = values - fitted.intercept - fitted.slope * time
    spread = np.sqrt((left @ left) / 14 * (1 + 1 / 16 + (16 - 7.5) ** 2 / ((time - 7.5) @ (time - 7.5))))
    drawn = odds.paths(values, places=range(16), ahead=1)[:, 0]
    assert np.median(drawn) == pytest.approx(fitted.intercept + 16 * fitted.slope, abs=0.1)
    low, high = np.quantile(drawn, [0.05, 0.95])
    reach = stats.t.ppf(0.95, 14) * spread
    assert (high - low) / 2 == pytest.approx(reach, rel=0.1)


def test_a_walk_spreads_as_the_root_of_its_steps():
    chance = np.random.default_rng(3)
    values = chance.normal(0, 1, 60).cumsum()
    drawn = odds.paths(values, places=range(60), ahead=9)
    near, far = (np.subtract(*np.quantile(drawn[:, at], [0.75, 0.25])) for at in (0, 8))
    assert far / near == pytest.approx(3, rel=0.25)


def test_the_same_past_has_the_same_odds():
    past = [100, 104, 99, 101, 98, 103, 102, 100.0]
    first, again = (odds.paths(past, places=range(8), ahead=3, seasons=4) for _ in range(2))
    assert (first == again).all()


@pytest.mark.parametrize("kind", ["walk", "level", "trend", "season", "season and walk"])
def test_stated_odds_are_near_what_then_comes(bench, kind):
    # 100 series, 300 goals: the mean over fifths errs by about .04 where odds are perfect.
    rows = bench.measured(kind, 13, 100, seed=7)
    brier, apart, _ = bench.calibration(rows["ours"])
    assert apart < 0.12
    assert brier < bench.calibration(rows["changes drawn again"])[0] + 0.02
    if kind.startswith("season"):  # whose next quarter is not the like of this one
        assert brier < 0.5 * bench.calibration(rows["changes drawn again"])[0]
