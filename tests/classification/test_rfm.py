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


def test_one_customer_too_few_is_not_scored():
    rows = [(n, n, n) for n in range(1, 30)]
    scores = rfm.rfm(customers(rows), RfmRule())
    assert set(scores["segment"]) == {"too_few"}
    assert set(scores["recency_score"]) == {0}
    assert set(rfm.rfm(customers([*rows, (30, 30, 30)]), RfmRule())["recency_score"]) == {1, 2, 3, 4, 5}


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
