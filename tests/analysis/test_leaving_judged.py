"""Models of leaving held to what came: measures by hand and by scikit-learn, the choice, the threshold, reasons, renewal."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from test_leaving import made

from crmlib.analysis import judging, leakage, learning, leaving, reasons, renewal, verdict
from crmlib.analysis import leaving_told as told
from crmlib.analysis.learning import Tuned
from crmlib.analysis.verdict import Terms
from crmlib.retention import ChurnRule

RULE = ChurnRule()


@pytest.fixture(scope="module")
def learnt():
    return learning.learnt(made(), RULE, kinds=("logistic", "tree"))


def test_measures_are_those_of_another_library():
    rng = np.random.default_rng(2)
    p = np.round(rng.random(500), 2)  # with ties
    left = rng.random(500) < p
    found = judging.metrics(p, left)
    assert found["auc"] == pytest.approx(metrics.roc_auc_score(left, p))
    assert found["brier"] == pytest.approx(metrics.brier_score_loss(left, p))
    assert found["f1"] == pytest.approx(metrics.f1_score(left, p > 0.5))
    assert found["recall"] == pytest.approx(metrics.recall_score(left, p > 0.5))
    assert found["precision"] == pytest.approx(metrics.precision_score(left, p > 0.5))
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(left, p > 0.5))
    inside = np.clip(p, 0.01, 0.99)
    assert learning.log_loss(inside, left) == pytest.approx(metrics.log_loss(left, inside))


def test_the_lift_of_a_tie_does_not_hang_on_who_stands_first():
    p, left = np.array([0.9] + [0.5] * 9), np.array([True, True] + [False] * 8)
    # The likeliest fifth: the first, and one of nine alike of whom one left. (1 + 1/9) ÷ 2
    assert judging.top_share(p, left, top=0.2) == pytest.approx((1 + 1 / 9) / 2)
    assert judging.top_share(p, left[[0, *range(9, 0, -1)]], top=0.2) == pytest.approx((1 + 1 / 9) / 2)


def parts(*losses: float) -> Tuned:
    return Tuned("", {}, np.array(losses), np.array(losses), np.empty(0))


def test_the_simplest_model_within_one_standard_error_of_the_best_is_chosen():
    # Boosting: mean .40, standard error .1 ÷ √2 ÷ √2 = .05 of two parts .35 and .45.
    best = parts(0.35, 0.45)
    assert learning.standard_error(best.losses) == pytest.approx(0.05)
    assert (
        learning.choice({"logistic": parts(0.44, 0.44), "tree": parts(0.41, 0.41), "boosting": best})
        == "logistic"
    )
    assert (
        learning.choice({"logistic": parts(0.46, 0.46), "tree": parts(0.44, 0.44), "boosting": best})
        == "tree"
    )
    assert learning.choice({"logistic": parts(0.46, 0.46), "boosting": best}) == "boosting"
    failed = Tuned("logistic", {}, best.losses, best.losses, np.empty(0), "not_converged")
    assert learning.choice({"logistic": failed, "boosting": best}) == "boosting"
    assert learning.choice({"logistic": failed}) == ""


def test_a_model_that_does_not_converge_says_so_and_the_others_go_on(monkeypatch):
    plain = learning._model

    def stopped(kind, parameters):
        model = plain(kind, parameters)
        return model.set_params(max_iter=1) if kind == "logistic" else model

    monkeypatch.setattr(learning, "_model", stopped)
    found = learning.learnt(made(), RULE, kinds=("logistic", "tree"))
    assert (found.chosen, found.tuned["logistic"].why) == ("tree", "not_converged")
    row = judging.compared(found).set_index("kind").loc["logistic"]
    assert row["choice"] == "not_converged" and pd.isna(row["auc"])
    alone = learning.learnt(made(), RULE, kinds=("logistic",))
    assert (alone.chosen, alone.why) == ("", "not_converged")
    assert judging.figures(alone)["churn.model.auc"] == {
        "value": None,
        "why": "Not estimable: it did not converge",
    }


def test_nobody_is_learnt_from_and_tried_on(learnt):
    ids = learnt.cases.table["customer_id"]
    assert not set(ids[learnt.train]) & set(ids[learnt.trial])
    assert len(ids) == learnt.train.sum() + learnt.trial.sum()
    # a quarter by a hash: 1,200 × .25, give or take three standard deviations of 15
    assert abs(learnt.trial.sum() - 300) < 45


def test_cases_of_several_days_are_tried_on_the_newest_and_told_from_older_ones_alone():
    found = made()
    days = np.where(
        np.arange(len(found.table)) % 3 == 0, 30, np.where(np.arange(len(found.table)) % 3 == 1, 20, 10)
    )
    table = leaving.hashed(found.table.assign(cut_off=days))
    cases = leaving.Cases(
        table, found.current.assign(cut_off=40), found.numbers, found.words, source="transactions"
    )
    learnt = learning.learnt(cases, RULE, kinds=("logistic",))
    assert set(table["cut_off"][learnt.trial]) == {30}
    assert [day for day, _, _ in learnt.later] == [30, 20]
    # Outcomes of the trial turned round change nothing of what is told of it, nor of how models were tuned.
    turned = table.assign(left=np.where(table["cut_off"] == 30, ~table["left"], table["left"]).astype(bool))
    again = learning.learnt(
        leaving.Cases(turned, cases.current, cases.numbers, cases.words, source="transactions"),
        RULE,
        kinds=("logistic",),
    )
    assert (again.told["logistic"] == learnt.told["logistic"]).all()
    assert again.tuned["logistic"].parameters == learnt.tuned["logistic"].parameters
    moved = renewal.drift(learnt)
    assert set(moved["input"]) == {"wait", "noise", "place", renewal.SCORE}
    figures = renewal.figures(
        learnt, moved, {"why": "short_history", "auc": 0.0, "low": 0.0, "high": 0.0, "n": 0}, as_of=40
    )
    assert figures["churn.model.age"]["value"] == 10


def test_probabilities_hold_what_came(learnt):
    # Of short waits one in ten leaves, of long ones six in ten.
    rows, p = learnt.trial_rows, learnt.told[learnt.chosen]
    long = (rows["wait"] > 100).to_numpy()
    assert p[~long].mean() == pytest.approx(0.1, abs=0.04)
    assert p[long].mean() == pytest.approx(0.6, abs=0.1)
    assert judging.in_the_large(learnt)["holds"]
    table = judging.calibration(learnt)
    assert table["customers"].sum() == len(rows)
    low, high = judging.intervals_of(p, learnt.outcome)["auc"]
    assert low < leakage.auc(p, learnt.outcome) < high


def test_the_threshold_is_where_a_contact_pays_for_itself(learnt):
    # 10,000 kept at one in ten is 1,000 a leaver: a contact of 300 pays from a probability of .3 on.
    terms = verdict.terms(learnt, ChurnRule(contact_cost=3), decimals=2, margin=None)
    assert (terms.cost, terms.assumed) == (300, False)
    found = verdict.threshold(learnt, terms)
    table = verdict.risks(learnt, found, terms)
    asked = table["ask"] == "yes"
    assert table.loc[asked, "chance_to_leave"].min() > 0.3
    assert table.loc[asked, "expected_gain"].min() > 0
    assert found.low < found.gain < found.high
    # By hand: every long wait of the trial is asked, six in ten of them leave.
    long = (learnt.trial_rows["wait"] > 100).to_numpy()
    assert found.contacted == long.sum()
    assert found.gain == pytest.approx(1000 * learnt.outcome[long].sum() - 300 * long.sum())
    dear = verdict.threshold(learnt, Terms(5000, 0.1, 1, None, False))
    assert (dear.at, dear.contacted) == (None, 0)
    assert verdict.figures(learnt, dear, table, terms)["churn.threshold"]["why"] == "no contact pays"


def test_a_cost_nobody_said_is_a_fiftieth_of_what_the_middle_customer_is_worth(learnt):
    terms = verdict.terms(learnt, RULE, decimals=2, margin=0.5)
    assert (terms.cost, terms.assumed) == (100, True)  # 10,000 × .5 × .02


def test_a_budget_pays_for_whom_it_gains_most_by(learnt):
    terms = verdict.terms(learnt, ChurnRule(contact_cost=3, budget=9), decimals=2, margin=None)
    table = verdict.risks(learnt, verdict.threshold(learnt, terms), terms)
    # At most three contacts; who would gain as much as the first left out is left out too.
    assert 0 < (table["ask"] == "yes").sum() <= 3
    some = pd.DataFrame(
        {"customer_id": list("abc"), "chance_to_leave": [0.9, 0.5, 0.2], "expected_gain": [5.0, 9.0, 1.0]}
    )
    assert verdict.contacted(some, threshold=0.4, budget=None, cost=10)["customer_id"].tolist() == ["b", "a"]
    assert verdict.contacted(some, threshold=0.4, budget=19, cost=10)["customer_id"].tolist() == ["b"]


def test_the_cause_is_named_and_noise_is_not(learnt):
    table = reasons.importance(learnt).set_index("input")
    assert table.index[0] == "wait" and table.loc["wait", "importance_low"] > 0.1
    assert abs(table.loc["noise", "importance"]) < 0.03
    line = reasons.dependence(learnt, ["wait"]).set_index("at")["chance_to_leave"]
    assert line.iloc[0] < 0.2 and line.iloc[-1] > 0.5


def test_a_reason_is_the_difference_to_a_customer_who_is_as_usual_in_that_one_thing(learnt):
    rows = learnt.cases.current.reset_index(drop=True)
    own = reasons.reasons(learnt.cases, learnt.model, rows)
    usual = rows.assign(wait=learnt.cases.table["wait"].median())
    expected = learning.probability(learnt.model, rows) - learning.probability(learnt.model, usual)
    assert own["wait"].to_numpy() == pytest.approx(expected)
    place = int(rows["wait"].argmax())
    assert reasons.in_words(learnt.cases, own, rows)[place].startswith(f"wait: {rows['wait'][place]:g}")


def test_a_reason_with_a_comma_stays_one_reason(learnt):
    assert reasons._code(learnt.cases, "place", "north, by the sea", "south") == "place: north  by the sea"


def test_a_column_that_has_not_moved_is_steady_and_one_that_has_is_told():
    rng = np.random.default_rng(0)
    then = pd.Series(rng.normal(0, 1, 1000))
    alike, chance = renewal.psi(then, pd.Series(rng.normal(0, 1, 1000)), number=True)
    moved, _ = renewal.psi(then, pd.Series(rng.normal(1, 1, 1000)), number=True)
    assert alike < chance < 0.1 < 0.25 < moved
    # By hand: .5 and .5 become .8 and .2: .3 × ln 1.6 − .3 × ln .4, nearly (half a customer is added to each).
    words = [pd.Series(["a"] * n + ["b"] * (10_000 - n)) for n in (5_000, 8_000)]
    assert renewal.psi(*words, number=False)[0] == pytest.approx(
        0.3 * np.log(1.6) - 0.3 * np.log(0.4), abs=1e-3
    )
    # What nobody had then is a class of its own.
    assert renewal.psi(pd.Series([1.0, 2] * 50), pd.Series([np.nan, 2] * 50), number=True)[0] > 0.25


def test_where_nothing_can_be_learnt_every_table_is_empty_and_every_figure_has_its_reason():
    none = learning.learnt(leaving.nothing("not_supplied"), RULE)
    terms = verdict.terms(none, RULE, decimals=2, margin=None)
    chosen = verdict.threshold(none, terms)
    table = verdict.risks(none, chosen, terms)
    moved = renewal.drift(none)
    did = renewal.last_model(none, None, RULE, None, then=0, now=90)
    shown = (
        judging.compared(none),
        judging.calibration(none),
        judging.gains(none),
        judging.over_time(none),
        table,
        moved,
    )
    assert all(part.empty for part in (*shown, reasons.importance(none), reasons.dependence(none, [])))
    figures = (
        judging.figures(none)
        | verdict.figures(none, chosen, table, terms)
        | renewal.figures(none, moved, did, as_of=0)
    )
    assert {(part["value"], part["why"]) for part in figures.values()} == {(None, "Not supplied")}
    assert told.card(none, [], chosen, as_of=0).empty
