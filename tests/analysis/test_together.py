"""Complements and substitutes: chance is that of the same kinds of customer and sizes of order."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from crmlib.analysis import itemsets, together


def of(lists):
    return itemsets.of_lists(lists)


def judged(lists, kinds=None, whose=None):
    found = of(lists)
    kinds = np.zeros(found.n, dtype=int) if kinds is None else np.array(kinds)
    return together.pairs(found, kinds=kinds, whose=np.arange(found.n) if whose is None else np.array(whose))


def verdict(table, one, other):
    rows = table.set_index(["product", "other"])["verdict"]
    return rows[(one, other)]


def test_chances_are_those_of_every_possible_basket():
    weights, size = np.array([1.0, 2.0, 3.0, 0.5, 4.0]), 3
    sets = list(combinations(range(5), size))
    weigh = np.array([weights[list(chosen)].prod() for chosen in sets])
    held = np.array([[p in chosen for p in range(5)] for chosen in sets], dtype=float)
    single, pair = together.exactly(weights, np.array([size]))
    assert single[0] == pytest.approx(weigh @ held / weigh.sum())
    assert pair[0] == pytest.approx((held.T * weigh) @ held / weigh.sum())


def test_many_products_are_reckoned_nearly_as_few_are():
    weights = np.exp(np.random.default_rng(1).normal(0, 0.5, 20))
    sizes = np.array([2, 4])
    exact, pair = together.exactly(weights, sizes)
    # By weights of their own the approximation must meet the same share of every product.
    near = together.nearly(weights, sizes)
    assert np.abs(near - exact).max() < 0.02
    loose = near * (1 - near)
    told = (
        near[:, :, None] * near[:, None, :]
        - loose[:, :, None] * loose[:, None, :] / loose.sum(axis=1)[:, None, None]
    )
    off = ~np.eye(20, dtype=bool)
    assert np.abs(told[:, off] - pair[:, off]).max() < 0.01


def test_an_assortment_bought_one_at_a_time_does_not_shun_itself():
    rng = np.random.default_rng(2)
    lists = [[str(p)] for p in rng.integers(0, 5, 2000)]
    lists += [[str(p) for p in rng.choice(5, 2, replace=False)] for _ in range(300)]
    # Of all 2,300 orders two products meet far less often than their shares would have it.
    assert set(judged(lists)["verdict"]) == {"by_chance"}


def test_what_only_firms_can_buy_does_not_go_together_for_that():
    rng = np.random.default_rng(3)
    people = [[f"p{i}" for i in rng.choice(4, 2, replace=False)] for _ in range(2400)]
    firms = [[f"f{i}" for i in rng.choice(4, 2, replace=False)] for _ in range(600)]
    apart = judged(people + firms, kinds=[0] * 2400 + [1] * 600)
    assert set(apart["verdict"]) == {"by_chance"}
    mixed = judged(people + firms)
    assert verdict(mixed, "f0", "f1") == "complements"


def test_what_is_bought_together_and_what_replaces_each_other_is_told_apart():
    rng = np.random.default_rng(4)
    lists = []
    for _ in range(1500):
        pick = [str(p) for p in rng.choice(list("abcdefgh"), 3, replace=False)]
        if "a" in pick and rng.uniform() < 0.5:
            pick = ["a", "b", *[p for p in pick if p not in "ab"][:1]]  # a brings b
        if "c" in pick and "d" in pick and rng.uniform() < 0.8:
            pick.remove("d")  # c does without d
        lists.append(pick)
    found = judged(lists)
    assert verdict(found, "a", "b") == "complements"
    assert verdict(found, "c", "d") == "substitutes"


def test_one_customer_who_always_buys_the_same_is_one_piece_of_evidence():
    rng = np.random.default_rng(5)
    lists = [[str(p) for p in rng.choice(list("abcdef"), 2, replace=False)] for _ in range(600)]
    faithful = [["a", "b"]] * 60
    every = judged(lists + faithful)
    assert verdict(every, "a", "b") == "complements"
    once = judged(lists + faithful, whose=[*range(600), *[600] * 60])
    assert verdict(once, "a", "b") == "by_chance"


def test_orders_that_hold_all_there_is_say_nothing():
    table = judged([["a", "b", "c"]] * 50 + [["a", "b"]] * 20 + [["b", "c"]] * 20 + [["a", "c"]] * 20)
    assert set(table["verdict"]) == {"by_chance"}
    assert table["times_chance"].tolist() == pytest.approx([1, 1, 1], abs=1e-4)


@pytest.mark.parametrize("lists", [[], [["a"]] * 40, [["a", "b"]] * 40, [["a"], ["b"]] * 40])
def test_without_a_choice_no_pair_is_judged(lists):
    assert judged(lists).empty


def test_pairs_of_chance_are_seldom_told():
    told, runs = 0, 40
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        weights = rng.dirichlet(np.full(8, 5.0))
        lists = [
            [str(p) for p in rng.choice(8, size, replace=False, p=weights)]
            for size in rng.integers(1, 4, 500)
        ]
        told += bool((judged(lists)["verdict"] != "by_chance").any())
    assert told <= 6  # one run in twenty wanted; 6 of 40 would come by chance once in a hundred times


def test_the_table_says_what_it_promises():
    table = judged([["a", "b"]] * 20 + [["a", "c"]] * 20 + [["b", "c"]] * 20)
    assert table.columns.tolist() == together.COLUMNS
    assert isinstance(table, pd.DataFrame)
