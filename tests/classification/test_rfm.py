"""RFM: fifths of the list, equal customers equal, and a name for every score."""

import itertools

import builders
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlib.classification import rfm
from crmlib.rules import RfmRule


def customers(rows: list[tuple[int, int, int]]) -> pd.DataFrame:
    return builders.facts(*({"recency_days": r, "orders": f, "gross": m} for r, f, m in rows))


def test_every_one_of_125_scores_has_exactly_one_name():
    scores = list(itertools.product(range(1, 6), repeat=3))
    names = [rfm.segment(*score) for score in scores]
    assert len(names) == 125
    assert set(names) == set(rfm.NAMES)
    assert all(isinstance(name, str) and name not in ("", "other", rfm.TOO_FEW) for name in names)
    assert len(rfm.NAMES) == 10


def test_every_class_has_a_word_a_reader_knows():
    from crmlib.language import WORDS

    assert {*rfm.NAMES, rfm.TOO_FEW, "not_graded", "high", "active", "dormant", "churned"} <= set(WORDS)


@pytest.mark.parametrize(
    ("score", "name"),
    [
        ((5, 5, 5), "champion"),
        ((5, 4, 3), "champion"),  # 3.5 goes up to 4
        ((5, 1, 1), "newcomer"),
        ((4, 3, 3), "loyal"),
        ((3, 1, 1), "fading"),
        ((2, 5, 5), "must_not_lose"),
        ((1, 1, 1), "lost"),
        ((1, 5, 2), "must_not_lose"),  # 3.5 goes up to 4
    ],
)
def test_a_score_has_the_name_a_reader_expects(score, name):
    assert rfm.segment(*score) == name


def test_the_most_recent_most_frequent_and_largest_have_five_points():
    # ten customers, each a little longer silent, with fewer orders and less money
    rows = [(10 * n, 20 - n, 1000 - n) for n in range(10)]
    scores = rfm.rfm(customers(rows), RfmRule(at_least=10))
    for column in ("recency_score", "frequency_score", "monetary_score"):
        assert scores[column].tolist() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert scores["segment"].iloc[0] == "champion"
    assert scores["segment"].iloc[-1] == "lost"


def test_equal_customers_share_a_score_however_many_they_are():
    # Seven of ten ordered once: ranks 1–7, their middle is 3.5 of 10, so the second fifth.
    rows = [(n, 1, 100 + n) for n in range(7)] + [(7, 2, 1), (8, 3, 2), (9, 4, 3)]
    scores = rfm.rfm(customers(rows), RfmRule(at_least=10))
    assert scores["frequency_score"].tolist() == [2, 2, 2, 2, 2, 2, 2, 4, 5, 5]


def test_fifths_need_thirty_customers_thirds_ten_and_below_that_nobody_is_scored():
    rows = [(n, n, n) for n in range(1, 31)]
    found = {size: rfm.rfm(customers(rows[:size]), RfmRule()) for size in (0, 1, 2, 5, 9, 10, 29, 30)}
    levels = {size: set(scores["score_levels"]) for size, scores in found.items()}
    assert levels == {0: set(), 1: {0}, 2: {0}, 5: {0}, 9: {0}, 10: {3}, 29: {3}, 30: {5}}
    assert set(found[9]["segment"]) == {"too_few"}
    assert set(found[9]["recency_score"]) == {0}
    assert set(found[29]["recency_score"]) == {1, 2, 3}
    assert set(found[29]["segment"]) <= set(rfm.FEWER_NAMES)
    assert set(found[30]["recency_score"]) == {1, 2, 3, 4, 5}


def test_the_thirds_of_a_short_list_have_the_names_a_reader_expects():
    # twelve customers, four in each third of R; F and M run against R, so that the quiet are the large
    found = rfm.rfm(customers([(n, n, 10 * n) for n in range(1, 13)]), RfmRule())
    assert found["recency_score"].tolist() == [3] * 4 + [2] * 4 + [1] * 4
    assert found["segment"].tolist() == ["recent"] * 4 + ["middling"] * 4 + ["quiet_but_large"] * 4
    along = rfm.rfm(customers([(n, 13 - n, 100 - n) for n in range(1, 13)]), RfmRule())
    assert along["segment"].tolist() == ["best"] * 4 + ["middling"] * 4 + ["quiet"] * 4


def test_every_one_of_27_scores_by_thirds_has_exactly_one_name():
    named = [rfm.segment(*score, levels=3) for score in itertools.product(range(1, 4), repeat=3)]
    assert len(named) == 27
    assert {*named, rfm.ALIKE} == set(rfm.FEWER_NAMES)
    assert not set(rfm.NAMES) & set(rfm.FEWER_NAMES)


def test_customers_all_alike_are_one_named_group_and_one_product_bought_once_is_parted_by_thirds():
    alike = rfm.rfm(customers([(5, 1, 100)] * 40), RfmRule())
    assert set(alike["segment"]) == {"alike"}
    assert set(alike["score_levels"]) == {1}
    # one order each, at one price: only recency tells them apart
    once = rfm.rfm(customers([(n, 1, 100) for n in range(40)]), RfmRule())
    assert set(once["score_levels"]) == {3}
    assert set(once["frequency_score"]) == {2}
    assert set(once["segment"]) == {"recent", "middling", "quiet"}


def test_negative_money_is_ranked_like_any_other():
    rows = [(n, n, -100 + n) for n in range(30)]
    found = rfm.rfm(customers(rows), RfmRule())
    assert found["monetary_score"].tolist() == sorted(found["monetary_score"])
    assert set(found["score_levels"]) == {5}


def test_thresholds_show_the_range_each_score_stands_for():
    table = customers([(n, n, 100 * n) for n in range(1, 31)])
    shown = rfm.thresholds(rfm.rfm(table, RfmRule()), table)
    recency = shown[shown["measure"] == "recency_days"]
    assert recency[["rfm_score", "least", "most", "customers"]].values.tolist() == [
        [5, 1, 6, 6],
        [4, 7, 12, 6],
        [3, 13, 18, 6],
        [2, 19, 24, 6],
        [1, 25, 30, 6],
    ]
    money = shown[shown["measure"] == "gross"].set_index("rfm_score")
    assert money.loc[5, ["least", "most"]].tolist() == [2500, 3000]
    assert shown["customers"].sum() == 90
    nobody = table.head(3)
    assert rfm.thresholds(rfm.rfm(nobody, RfmRule()), nobody).empty


def test_how_a_list_is_scored_is_told_and_what_is_not_known_is_not_called_varied():
    rows = [(n, n, n) for n in range(1, 41)]
    assert rfm.scale(rfm.rfm(customers(rows), RfmRule())) == {"levels": 5, "customers": 40, "told": True}
    assert rfm.scale(rfm.rfm(customers(rows[:9]), RfmRule())) == {"levels": 0, "customers": 9, "told": True}
    undated = customers(rows).assign(recency_days=float("nan"))
    assert not rfm.scale(rfm.rfm(undated, RfmRule()))["told"]
    assert rfm.scale(rfm.rfm(customers([]), RfmRule())) == {"levels": 0, "customers": 0, "told": True}
    assert rfm.names(0).empty


def test_the_map_that_is_shown_is_the_map_that_names():
    shown = rfm.names().set_index("recency_points")
    for recency, mean in itertools.product(range(1, 6), repeat=2):
        assert shown.loc[recency, f"points_{mean}"] == rfm.segment(recency, mean, mean)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 4), st.integers(0, 5)), min_size=5, max_size=40),
    st.randoms(use_true_random=False),
)
def test_neither_the_order_of_rows_nor_a_number_decides_a_score(rows, chance):
    table = customers(rows)
    before = table.copy()
    scores = rfm.rfm(table, RfmRule(at_least=5)).set_index("customer_id")
    pd.testing.assert_frame_equal(table, before)
    mixed = table.sample(frac=1, random_state=chance.randrange(1000)).reset_index(drop=True)
    again = rfm.rfm(mixed, RfmRule(at_least=5)).set_index("customer_id").loc[scores.index]
    pd.testing.assert_frame_equal(scores, again)
    alike = table.groupby(["recency_days", "orders", "gross"])["customer_id"].agg(list)
    for ids in alike:
        assert len(scores.loc[ids].drop_duplicates()) == 1
    ordered = table.assign(score=scores["monetary_score"].to_numpy()).sort_values("gross")["score"]
    assert ordered.is_monotonic_increasing


def test_segments_add_up_to_all_customers_and_all_sales():
    rows = [(n, n % 5 + 1, 100 * n) for n in range(1, 41)]
    table = customers(rows)
    shown = rfm.segments(rfm.rfm(table, RfmRule()), table)
    assert shown["customers"].sum() == 40
    assert shown["gross"].sum() == 82000  # 100 × 40 × 41 ÷ 2
    assert shown["share"].sum() == pytest.approx(1)
    assert shown["share_of_sales"].sum() == pytest.approx(1)
