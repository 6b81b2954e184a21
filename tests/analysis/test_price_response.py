"""Who looks at the price, and whether less is bought for more."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlib.analysis import preferences_told, price_response


def lines(rows):
    names = ["customer_id", "kind", "item", "price", "quantity", "discount", "lines"]
    return pd.DataFrame(rows, columns=names).astype({"price": float, "quantity": float, "discount": float})


def shop(*, sensitive=20, others=20, each=20, seed=1):
    rng, rows = np.random.default_rng(seed), []
    for number in range(sensitive + others):
        chance = 0.8 if number < sensitive else 0.1
        for _ in range(each):
            off = 0.1 if rng.uniform() < chance else 0.0
            rows.append((f"c{number:02d}", "personal", "tea", 100 * (1 - off), 1 + rng.integers(3), off, 1))
    return lines(rows)


def test_who_mostly_buys_below_the_list_price_responds_to_it():
    found = price_response.at_discount(shop(), at_least=10).set_index("customer_id")["response"]
    assert (found[[f"c{n:02d}" for n in range(20)]] == "price_sensitive").all()
    assert (found[[f"c{n:02d}" for n in range(20, 40)]] == "pays_list_price").all()


def test_one_line_below_the_list_price_is_no_habit():
    one = lines([("x", "personal", "tea", 90, 1, 0.1, 1)])
    found = price_response.at_discount(pd.concat([shop(), one]), at_least=10).set_index("customer_id")
    assert found.loc["x", "response"] == "not_told"
    assert found.loc["x", "share"] < 0.9  # drawn towards all others


def test_shares_hold_the_truth_nine_times_in_ten():
    held, rng = [], np.random.default_rng(2)
    truth = rng.beta(2, 3, 600)
    rows = [
        (f"c{n:03d}", "personal", "tea", 100, 1, 0.1, k) for n, k in enumerate(rng.binomial(12, truth)) if k
    ]
    bought = {row[0]: row[6] for row in rows}
    rows += [
        (f"c{n:03d}", "personal", "tea", 100, 1, 0.0, 12 - bought.get(f"c{n:03d}", 0))
        for n in range(600)
        if bought.get(f"c{n:03d}", 0) < 12
    ]
    found = price_response.at_discount(lines(rows), at_least=10).set_index("customer_id")
    held = [
        (found.loc[f"c{n:03d}", "share_low"] <= truth[n] <= found.loc[f"c{n:03d}", "share_high"])
        for n in range(600)
    ]
    assert 0.87 <= np.mean(held) <= 0.93


@pytest.mark.parametrize("off", [0.0, 0.1, None])
def test_where_discounts_tell_nobody_apart_nobody_is_told(off):
    rows = lines([(f"c{n}", "personal", "tea", 100, 1, off, 5) for n in range(40)])
    assert price_response.at_discount(rows, at_least=10).empty


def test_an_elasticity_is_that_of_the_same_product_and_customer():
    # Rich customers buy dear things and many of them; each of them buys half as much at twice the price.
    rows = [
        (f"c{n:02d}", "personal", item, price * factor, 8 * (n + 1) / factor, 0.0, 1)
        for n in range(30)
        for item, price in (("tea", 10.0 * (n + 1)), ("wine", 100.0 * (n + 1)))
        for factor in (1, 2, 4)
    ]
    found = price_response.elasticities(lines(rows), pd.Series(dtype=object), at_least=10)
    assert found.loc[0, "elasticity"] == pytest.approx(-1)
    assert preferences_told.pricing(found)["moved"] == pytest.approx(1 / 1.1 - 1)


def test_an_elasticity_agrees_with_least_squares_on_differences():
    rng = np.random.default_rng(3)
    rows = []
    for n in range(200):  # two lines a customer: the slope within is that of their differences
        one, two = rng.normal(0, 0.3, 2)
        for x in (one, two):
            rows.append(
                (f"c{n:03d}", "personal", "tea", np.exp(x), np.exp(-0.7 * x + rng.normal(0, 0.2)), 0.0, 1)
            )
    table = lines(rows)
    x, y = (np.diff(np.log(table[name]).to_numpy().reshape(-1, 2)).ravel() for name in ("price", "quantity"))
    slope = (x * y).sum() / (x * x).sum()
    row = price_response.elasticities(table, pd.Series(dtype=object), at_least=10).iloc[0]
    assert row["elasticity"] == pytest.approx(slope)
    # of independent differences: White's standard error
    error = np.sqrt((x**2 * (y - slope * x) ** 2).sum() * 200 / 199) / (x * x).sum()
    reach = stats.t.ppf(0.95, 199) * error
    assert (row["elasticity_low"], row["elasticity_high"]) == pytest.approx((slope - reach, slope + reach))


def test_what_is_always_one_piece_is_refused_in_words():
    rows = lines([(f"c{n}", "personal", "tea", 100 + day, 1, 0.0, 1) for n in range(40) for day in (1, 2)])
    found = price_response.elasticities(rows, pd.Series(dtype=object), at_least=10)
    assert found["why"].tolist() == ["nothing_varies"]
    assert preferences_told.pricing(found)["value"] is None


def test_customers_with_one_price_are_too_few():
    rows = lines([(f"c{n}", "personal", "tea", 100, n + 1, 0.0, 1) for n in range(40)])
    assert price_response.elasticities(rows, pd.Series(dtype=object), at_least=10)["why"].tolist() == [
        "too_few_varied"
    ]


def test_behaviour_and_words_are_held_beside_each_other():
    each = pd.DataFrame(
        {
            "customer_id": list("abcde"),
            "response": [
                "price_sensitive",
                "price_sensitive",
                "pays_list_price",
                "pays_list_price",
                "not_told",
            ],
        }
    )
    classes = pd.DataFrame(
        {
            "customer_id": list("abcde"),
            "need": [
                "price_sensitive",
                "quality_seeking",
                "personalised",
                "price_sensitive",
                "price_sensitive",
            ],
            "need_source": "stated",
        }
    )
    table, agreed = price_response.beside_stated(each, classes)
    # a and c agree, b and d do not, of e it is not told
    assert (agreed["n"], agreed["agree"]) == (4, 2)
    assert table.set_index("need")["customers"].to_dict() == {
        "personalised": 1,
        "price_sensitive": 3,
        "quality_seeking": 1,
    }
