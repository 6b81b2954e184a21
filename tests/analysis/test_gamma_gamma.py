"""What customers spend an order: published figures, and amounts of which nothing can be told."""

import numpy as np
import pandas as pd
import pytest
from lives import lives
from test_bgnbd import calibration

from crmlib.analysis import gamma_gamma

mpmath = pytest.importorskip("mpmath")


@pytest.fixture(scope="module")
def sample(shared):
    return calibration(shared / "data" / "cdnow" / "cdnow_sample.csv")


# Fader and Hardie (2013), The Gamma-Gamma Model of Monetary Value.
def test_cdnows_repeat_buyers_have_the_published_parameters(sample):
    found = gamma_gamma.fit(sample)
    assert found.customers == 946
    assert found.values == pytest.approx([6.25, 3.74, 15.44], abs=0.01)
    assert found.loglik == pytest.approx(-4055.92, abs=0.01)


def test_the_first_customers_are_expected_to_spend_as_published(sample):
    found = gamma_gamma.fit(sample)
    told = gamma_gamma.spend(found.values, sample["repeats"].to_numpy(), sample["repeat_spend"].to_numpy())
    assert told[:3] == pytest.approx([24.65, 18.91, 35.17], abs=0.1)


def test_cents_or_dollars_are_one_fit(sample):
    dollars = gamma_gamma.fit(sample)
    cents = gamma_gamma.fit(sample.assign(repeat_spend=sample["repeat_spend"] * 100))
    assert cents.values / dollars.values == pytest.approx([1, 1, 100], rel=1e-6)


@pytest.mark.parametrize(
    "case", [(6.25, 3.74, 15.44, 1, 29.0), (0.3, 1.2, 900.0, 3_000, 0.02), (40.0, 800.0, 1e6, 7, 1e5)]
)
def test_the_likelihood_holds_to_eight_digits(case):
    mpmath.mp.dps = 60
    p, q, gamma, x, mean = map(mpmath.mpf, map(float, case))
    density = mpmath.gamma(p * x + q) / mpmath.gamma(p * x) / mpmath.gamma(q) * gamma**q
    density *= mean ** (p * x - 1) * x ** (p * x) / (gamma + mean * x) ** (p * x + q)
    told = gamma_gamma.log_likelihood(np.array(case[:3]), np.array([case[3]]), np.array([case[4]]))[0]
    assert float(abs(told / mpmath.log(density) - 1)) < 1e-8


def test_gradient_and_second_derivatives_are_those_of_the_likelihood():
    x, mean, logs, step = np.array([1.0, 3, 40]), np.array([0.4, 2.2, 1.1]), np.log([3.0, 2.5, 0.7]), 1e-5
    _, slope, bend = gamma_gamma.derivatives(logs, x, mean)
    sides = [
        [gamma_gamma.derivatives(logs + sign * s, x, mean) for sign in (1, -1)] for s in np.eye(3) * step
    ]
    assert slope == pytest.approx([(up[0] - down[0]) / step / 2 for up, down in sides], rel=1e-6)
    assert bend == pytest.approx(
        np.array([(up[1] - down[1]) / step / 2 for up, down in sides]), rel=1e-5, abs=1e-6
    )


def test_amounts_without_a_mean_are_refused_not_told_as_negative():
    # with q = 0.8 the mean over customers does not exist; the formula would give a negative amount
    people = lives(6_000, seed=2, buying=(1.0, 4.0, 0.5, 3.0), amounts=(6.0, 0.8, 15.0))
    assert gamma_gamma.fit(people).why == "spend_without_mean"


@pytest.mark.parametrize("spend", [0, -500])
def test_repeat_orders_for_nothing_or_less_tell_of_no_amount(spend):
    people = pd.DataFrame({"repeats": [2] * 200, "repeat_spend": [spend] * 200})
    assert gamma_gamma.fit(people).why == "no_repeat_spend"


def test_customers_who_paid_nothing_are_left_out_and_expected_to_spend_like_all():
    people = lives(3_000, seed=4, buying=(1.0, 4.0, 0.5, 3.0))
    free = pd.concat([people, people.head(50).assign(repeats=3, repeat_spend=0)], ignore_index=True)
    one, other = gamma_gamma.fit(people), gamma_gamma.fit(free)
    assert other.values == pytest.approx(one.values, rel=1e-6)
    told = gamma_gamma.spend(one.values, np.array([3, 0]), np.array([0.0, 0.0]))
    assert told[0] == told[1] > 0


def test_everybody_spending_the_same_has_no_spread_to_fit():
    people = pd.DataFrame({"repeats": [2, 3] * 100, "repeat_spend": [2000, 3000] * 100})
    assert gamma_gamma.fit(people).why in ("not_converged", "weakly_identified")


def test_who_buys_oftener_spending_more_is_told():
    people = pd.DataFrame({"repeats": range(1, 61), "repeat_spend": [n * n for n in range(1, 61)]})
    found = gamma_gamma.independence(people)
    assert found["apart"] is True
    assert found["value"] == pytest.approx(1)
