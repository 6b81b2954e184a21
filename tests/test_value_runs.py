"""CDNOW as a user runs it: the published parameters out of `results.json`, and the hold-out told."""

import pytest
from runs import CRM, client_of, command, results

FIRST, BOTH = "1997-01-01_1997-09-30", "1997-10-01_1998-06-30"


@pytest.fixture(scope="module")
def home(tmp_path_factory, shared):
    """A home where CDNOW has been run for the published calibration, and for what came after it."""
    home = tmp_path_factory.mktemp("cdnow")
    raw = client_of(home, "cdnow") / "raw" / "cdnow_sample.csv"
    raw.symlink_to(shared / "data" / "cdnow" / "cdnow_sample.csv")
    done = command(home, CRM, "run", "cdnow", "--period", FIRST, "--period", BOTH)
    assert done.returncode == 0, done.stderr
    return home


# Fader, Hardie and Lee (2005), Table 2; Fader and Hardie (2013).
PUBLISHED = {
    "value.bgnbd.r": (0.243, 1e-3),
    "value.bgnbd.alpha": (4.414, 1e-3),
    "value.bgnbd.a": (0.793, 1e-3),
    "value.bgnbd.b": (2.426, 1e-3),
    "value.bgnbd.loglik": (-9582.4, 0.05),
    "value.gamma_gamma.p": (6.25, 0.01),
    "value.gamma_gamma.q": (3.74, 0.01),
    "value.gamma_gamma.gamma": (15.44, 0.01),
    "value.gamma_gamma.loglik": (-4055.92, 0.01),
}


@pytest.mark.slow
@pytest.mark.parametrize("id", PUBLISHED)
def test_the_calibration_gives_the_published_figure_with_its_interval(home, id):
    figure, (value, apart) = results(home, "cdnow", FIRST)[id], PUBLISHED[id]
    assert figure["value"] == pytest.approx(value, abs=apart)
    assert figure["low"] < figure["high"]
    assert figure["low"] <= figure["value"] <= figure["high"]
    assert figure["n"] == (946 if "gamma_gamma" in id else 2357)


@pytest.mark.slow
def test_the_hold_out_tells_how_far_the_plain_model_was_off(home):
    found = results(home, "cdnow", BOTH)
    assert round(found["value.backtest.foreseen"]["value"]) == 1653
    assert found["value.backtest.came"]["value"] == 1882
    assert found["value.backtest.off"]["value"] == pytest.approx(1653.4 / 1882 - 1, abs=1e-3)
    # nothing beat the plain model on the stretches before the hold-out
    assert found["value.backtest.correction"]["value"] == 1


@pytest.mark.slow
def test_a_purchase_for_nothing_is_one_and_equal_rows_are_kept(home):
    found = results(home, "cdnow", BOTH)
    # the sample's own counts: 6,919 purchases, none set aside
    assert found["ledger.transactions.rows_kept"]["value"] == 6919
