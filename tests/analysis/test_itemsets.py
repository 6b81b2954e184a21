"""Baskets are counted to the last one, whatever the way."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from crmlib.analysis import itemsets


def counted(lists, *, least):
    """Every set of products by looking into every basket."""
    names = sorted({item for basket in lists for item in basket})
    found = {}
    for size in range(1, len(names) + 1):
        for products in combinations(range(len(names)), size):
            held = sum({names[p] for p in products} <= set(basket) for basket in lists)
            if held >= least:
                found[products] = held
    return found


def test_a_set_counts_in_each_basket_that_holds_all_of_it():
    lists = [["tea", "milk", "cake"], ["tea", "milk"], ["tea"], ["cake", "milk"]]
    found = itemsets.frequent(itemsets.of_lists(lists), support=0.5)
    assert found.names == ("cake", "milk", "tea")
    # cake 2, milk 3, tea 3; cake and milk 2, milk and tea 2; cake and tea only once, all three only once
    assert found.counts == {(0,): 2, (1,): 3, (2,): 3, (0, 1): 2, (1, 2): 2}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("baskets", [1, 63, 64, 65, 200])
def test_bits_count_as_looking_into_every_basket_does(seed, baskets):
    rng = np.random.default_rng(seed)
    held = rng.uniform(size=(baskets, 7)) < rng.uniform(0.1, 0.9, 7)
    lists = [[f"p{i}" for i in np.flatnonzero(row)] for row in held]
    of = itemsets.of_lists(lists)
    of = itemsets.Baskets(of.names, of.basket, of.item, of.n)
    least = itemsets.least_count(0.05, of.n)
    assert itemsets.frequent(of, support=0.05).counts == counted([b for b in lists if b], least=least)


def test_two_lines_of_one_product_in_a_basket_are_one():
    rows = pd.DataFrame({"basket": [1, 1, 1, 2], "item": ["tea", "tea", "milk", "tea"]})
    found = itemsets.frequent(itemsets.baskets(rows), support=0.01)
    assert found.counts == {(0,): 1, (1,): 2, (0, 1): 1}


def test_a_share_that_falls_on_a_whole_number_of_baskets_needs_no_more():
    # 0.07 × 100 is 7.000000000000001 in floating numbers
    assert itemsets.least_count(0.07, 100) == 7
    assert itemsets.least_count(0.0001, 100) == 1


def test_the_order_of_rows_decides_nothing():
    rng = np.random.default_rng(3)
    rows = pd.DataFrame({"basket": rng.integers(0, 90, 400), "item": rng.choice(list("abcdef"), 400)})
    one, other = (
        itemsets.frequent(itemsets.baskets(r), support=0.1)
        for r in (rows, rows.sample(frac=1, random_state=1))
    )
    assert one.counts == other.counts


def test_sets_are_no_longer_than_asked_for():
    found = itemsets.frequent(itemsets.of_lists([["a", "b", "c"]] * 4), support=0.5, longest=2)
    assert {len(products) for products in found.counts} == {1, 2}


def test_too_many_sets_are_refused_in_words():
    basket = [f"p{i}" for i in range(20)]  # 2^20 sets, every one in every basket
    found = itemsets.frequent(itemsets.of_lists([basket] * 3), support=0.5)
    assert (found.counts, found.why) == ({}, "too_many_sets")


def test_no_basket_has_no_set():
    found = itemsets.frequent(itemsets.of_lists([]), support=0.1)
    assert (found.counts, found.n) == ({}, 0)


def test_baskets_that_are_left_out_are_out_of_every_count():
    of = itemsets.of_lists([["tea", "milk"], ["tea"], ["milk"]])
    kept = itemsets.chosen(of, np.array([True, False, True]))
    assert (kept.n, kept.counts.tolist()) == (2, [2, 1])
