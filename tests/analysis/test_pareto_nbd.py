"""The older model of how customers buy: its published figures, its likelihood by 2F1, and what it is held against."""

import numpy as np
import pandas as pd
import pytest
from test_bgnbd import calibration

from crmlib.analysis import pareto_nbd, prediction
from crmlib.outlook import Outlook

mpmath = pytest.importorskip("mpmath")


@pytest.fixture(scope="module")
def sample(shared):
    return calibration(shared / "data" / "cdnow" / "cdnow_sample.csv")


# Fader, Hardie and Lee (2005), Marketing Science 24, Table 2.
def test_the_sample_of_cdnow_has_the_published_parameters(sample):
    found = pareto_nbd.fit(sample)
    assert found.values == pytest.approx([0.553, 10.578, 0.606, 11.669], abs=1e-3)
    assert found.loglik == pytest.approx(-9594.98, abs=0.05)


@pytest.mark.parametrize(
    "case", [(0.55, 10.6, 0.61, 11.7, 2, 30, 39), (3, 2, 0.4, 9, 0, 0, 5), (2, 9, 4, 3, 25, 30, 60)]
)
def test_the_likelihood_is_that_of_the_closed_form(case):
    mpmath.mp.dps = 60
    r, alpha, s, beta, x, t, whole = map(mpmath.mpf, map(float, case))
    larger, apart = max(alpha, beta), abs(alpha - beta)
    second = s + 1 if alpha >= beta else r + x
    total = r + s + x

    def part(y):
        return mpmath.hyp2f1(total, second, total + 1, apart / (larger + y)) / (larger + y) ** total

    left = s / total * (part(t) - part(whole))
    still = 1 / ((alpha + whole) ** (r + x) * (beta + whole) ** s)
    log = mpmath.log(mpmath.gamma(r + x) / mpmath.gamma(r) * alpha**r * beta**s * (still + left))
    told = pareto_nbd.log_likelihood(np.array(case[:4]), *(np.array([part]) for part in case[4:]))
    assert float(abs(told[0] / log - 1)) < 1e-8


def test_on_cdnow_leaving_after_a_purchase_is_likelier_than_at_any_time(sample):
    # -9,582.4 against -9,595.0, as published
    people = sample.reset_index().assign(first_spend=0)
    told = pareto_nbd.compared(prediction.model(people, Outlook(), decimals=0), people)
    assert told["as_likely"] is True
    assert told["ours"] - told["other"] == pytest.approx(12.55, abs=0.06)


def test_what_cannot_be_fitted_is_not_compared():
    once = pd.DataFrame({"repeats": [0] * 200, "active_days": [0] * 200, "tenure_days": range(1, 201)})
    assert pareto_nbd.fit(once).why == "all_one_time"
    assert pareto_nbd.compared(prediction.nothing("no_order_lines"), None)["as_likely"] is None
