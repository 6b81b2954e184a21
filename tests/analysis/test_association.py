"""Rules: published counts, and what chance alone would make of them."""

import pandas as pd
import pytest
from scipy import stats

from crmlib.analysis import association, itemsets

# golden rows: support, confidence, rules, by length
PUBLISHED = [
    (0.001, 0.5, 5668, {2: 11, 3: 1461, 4: 3211, 5: 939, 6: 46}),
    (0.001, 0.6, 2918, None),
    (0.001, 0.8, 410, {3: 29, 4: 229, 5: 140, 6: 12}),
    (0.006, 0.25, 463, {2: 150, 3: 297, 4: 16}),
    (0.01, 0.5, 15, None),
]
SETS = {0.001: 13492, 0.006: 747, 0.01: 333}


@pytest.fixture(scope="module")
def groceries(shared):
    text = (shared / "data" / "groceries" / "groceries.csv").read_text("utf-8")
    return itemsets.of_lists(line.split(",") for line in text.splitlines())


@pytest.fixture(scope="module")
def frequent(groceries):
    return {support: itemsets.frequent(groceries, support=support) for support in SETS}


def test_the_groceries_are_those_of_the_papers(groceries):
    assert (groceries.n, len(groceries.names), len(groceries.item)) == (9835, 169, 43367)


@pytest.mark.parametrize(("support", "number"), SETS.items())
def test_the_groceries_have_as_many_sets_as_counted_elsewhere(frequent, support, number):
    assert len(frequent[support].counts) == number


def test_sets_of_the_groceries_by_size(frequent):
    sizes = pd.Series([len(products) for products in frequent[0.01].counts]).value_counts()
    assert sizes.sort_index().tolist() == [88, 213, 32]


@pytest.mark.parametrize(("support", "confidence", "number", "lengths"), PUBLISHED)
def test_the_groceries_have_as_many_rules_as_published(frequent, support, confidence, number, lengths):
    found = association.rules(frequent[support], confidence=confidence)
    assert len(found) == number
    if lengths:
        assert found["length"].value_counts().sort_index().to_dict() == lengths


def test_rules_at_exactly_the_least_confidence_are_told(frequent):
    found = association.rules(frequent[0.001], confidence=0.8)
    # golden: a comparison of floating numbers loses four of them
    assert (found["both_baskets"] * 5 == found["given_baskets"] * 4).sum() == 39


def test_support_confidence_and_lift_of_a_small_shop():
    lists = [["tea", "milk"]] * 6 + [["tea"]] * 2 + [["milk"]] * 4 + [["cake"]] * 8
    found = association.rules(itemsets.frequent(itemsets.of_lists(lists), support=0.1), confidence=0.1)
    row = found[(found["given_items"] == "tea") & (found["then_item"] == "milk")].iloc[0]
    # 20 baskets: tea 8, milk 10, both 6; 6 ÷ 20, 6 ÷ 8, (6 × 20) ÷ (8 × 10)
    assert (row["support"], row["confidence"], row["lift"]) == (0.3, 0.75, 1.5)
    table = [[6, 2], [4, 8]]
    assert row["p"] == pytest.approx(stats.fisher_exact(table, alternative="greater").pvalue, rel=1e-9)


def test_lifts_interval_holds_the_truth_nine_times_in_ten():
    rng_rows = stats.multinomial(400, [0.12, 0.18, 0.28, 0.42]).rvs(4000, random_state=1)  # lift is 1
    both, one, other = (pd.Series(rng_rows[:, c]) for c in range(3))
    told = association.lift(both, both + one, both + other, n=400)
    held = ((told["lift_low"] <= 1) & (told["lift_high"] >= 1)).mean()
    assert 0.885 <= held <= 0.915


def test_of_products_bought_at_random_hardly_any_rule_is_beyond_chance():
    import numpy as np

    told = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        held = rng.uniform(size=(600, 12)) < 0.25
        basket, item = np.nonzero(held)
        of = itemsets.baskets(pd.DataFrame({"basket": basket, "item": item.astype(str)}))
        found = association.rules(itemsets.frequent(of, support=0.01, longest=2), confidence=0.01)
        told += bool((found["q"] <= association.RATE).any())
    assert told <= 4  # a run tells a rule of chance in at most one case of twenty, give or take


def test_a_longer_rule_that_is_no_surer_is_left_out():
    lists = [["tea", "milk", "cake"]] * 10 + [["tea", "milk"]] * 10 + [["cake"]] * 20 + [["ham"]] * 20
    found = association.rules(itemsets.frequent(itemsets.of_lists(lists), support=0.1), confidence=0.5)
    told = association.telling(found)
    assert "cake + tea" in found["given_items"].tolist()
    # tea alone says milk for certain: cake beside it adds nothing
    assert told["given_items"].tolist().count("cake + tea") == 0
    assert ("tea", "milk") in set(zip(told["given_items"], told["then_item"], strict=True))


def test_one_product_makes_no_rule():
    found = association.rules(
        itemsets.frequent(itemsets.of_lists([["tea"]] * 50), support=0.01), confidence=0.1
    )
    assert found.empty
    assert association.telling(found).empty
