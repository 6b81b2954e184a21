"""Facts per customer, worked out by hand; on every engine the same."""

import builders
import pandas as pd
import polars
import pytest
from builders import day, lines
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlib import tables
from crmlib.classification import facts
from crmlib.period import Period

AS_OF = day("2024-12-31")


def known(*rows: dict) -> pd.DataFrame:
    return facts.facts(lines(*rows), as_of=AS_OF)


def test_two_lines_of_one_basket_are_one_order():
    row = known(
        {"customer": "c1", "day": "2024-10-01", "amount": 1000, "order": "A1"},
        {"customer": "c1", "day": "2024-10-01", "amount": 500, "order": "A1"},
        {"customer": "c1", "day": "2024-10-11", "amount": 200, "order": "A2"},
        {"customer": "c1", "day": "2024-10-31", "amount": 300, "order": "A3"},
    ).iloc[0]
    assert (row["orders"], row["order_days"], row["gross"]) == (3, 3, 2000)
    assert (row["first_day"], row["last_day"]) == (day("2024-10-01"), day("2024-10-31"))
    assert row["recency_days"] == 61  # 30 days of November and 31 of December
    assert row["tenure_days"] == 91
    assert row["gap_days"] == 15  # 30 days between three order days, two gaps
    assert row["orders_a_year"] == 3  # a first year that is not over counts as a whole one


def test_orders_a_year_are_spread_over_the_whole_time():
    row = known(
        {"customer": "c1", "day": "2022-12-31", "amount": 1, "order": "A1"},
        {"customer": "c1", "day": "2024-12-31", "amount": 1, "order": "A2"},
        {"customer": "c1", "day": "2024-12-31", "amount": 1, "order": "A3"},
    ).iloc[0]
    # 731 days (2024 has a 29 February) of tenure: 3 ÷ 731 × 365.25
    assert row["orders_a_year"] == pytest.approx(1.498974, abs=1e-6)
    assert (row["recency_days"], row["gap_days"], row["order_days"]) == (0, 731, 2)


def test_an_order_over_midnight_belongs_to_its_first_day():
    row = known(
        {"customer": "c1", "day": "2024-10-01 23:50", "amount": 1, "order": "A1"},
        {"customer": "c1", "day": "2024-10-02 00:10", "amount": 1, "order": "A1"},
    ).iloc[0]
    assert (row["orders"], row["order_days"], row["first_day"], row["last_day"]) == (
        *(1, 1),
        *(day("2024-10-01"), day("2024-10-01")),
    )
    assert pd.isna(row["gap_days"])


def test_a_return_larger_than_the_purchase_leaves_less_than_nothing():
    row = known(
        {"customer": "c1", "day": "2024-10-01", "amount": 1000},
        {"customer": "c1", "day": "2024-10-05", "amount": -1500},
    ).iloc[0]
    assert (row["gross"], row["returned"], row["net"], row["orders"]) == (1000, -1500, -500, 1)
    assert row["last_day"] == day("2024-10-01")  # taking back is no order


def test_a_sale_named_as_returned_counts_once_on_each_side():
    row = known({"customer": "c1", "day": "2024-10-01", "amount": 1000, "returned": -1000}).iloc[0]
    assert (row["gross"], row["returned"], row["net"], row["orders"]) == (1000, -1000, 0, 1)


def test_who_never_bought_is_no_customer_yet():
    rows = known(
        {"customer": "only-returns", "day": "2024-10-01", "amount": -5},
        {"customer": "only-gifts", "day": "2024-10-01", "amount": 0},
        {"customer": None, "day": "2024-10-01", "amount": 100},
        {"customer": "orphan", "day": "2024-10-01", "amount": 100, "known": False},
        {"customer": "tomorrow", "day": "2025-01-01", "amount": 100},
        {"customer": "today", "day": "2024-12-31 23:59", "amount": 100},
    )
    assert rows["customer_id"].tolist() == ["today"]


def test_profit_that_nobody_supplied_is_not_nothing():
    rows = known(
        {"customer": "c1", "day": "2024-10-01", "amount": 1000},
        {"customer": "c2", "day": "2024-10-01", "amount": 1000, "profit": 0},
        {"customer": "c3", "day": "2024-10-01", "amount": 1000, "profit": 300},
        {"customer": "c3", "day": "2024-10-02", "amount": -500, "profit": -150},
    )
    assert rows["profit"].isna().tolist() == [True, False, False]
    assert rows["profit"].tolist()[1:] == [0, 150]


def test_without_customers_there_is_an_empty_table_with_every_column():
    rows = known()
    assert len(rows) == 0
    assert list(rows.columns) == tables.FACTS.schema.names
    tables.conform(rows, tables.FACTS)


def test_a_period_shows_what_was_done_in_it():
    rows = facts.activity(
        lines(
            {"customer": "c1", "day": "2024-09-30", "amount": 1, "order": "A0"},
            {"customer": "c1", "day": "2024-10-01", "amount": 700, "order": "A1"},
            {"customer": "c1", "day": "2024-12-31", "amount": 300, "order": "A2"},
            {"customer": "c2", "day": "2024-11-01", "amount": -50, "order": "TH1"},
            {"customer": "c3", "day": "2025-01-01", "amount": 9, "order": "A3"},
        ),
        Period.parse("2024-Q4"),
    )
    assert rows.drop(columns="profit").values.tolist() == [["c1", 2, 1000, 0, 0], ["c2", 0, 0, -50, 0]]


def test_pieces_are_summed_exactly_and_what_came_back_is_not_subtracted():
    row = known(
        *({"customer": "c1", "day": "2024-10-01", "amount": 10, "quantity": 0.1} for _ in range(10)),
        {"customer": "c1", "day": "2024-10-02", "amount": 10, "quantity": 2.0},
        {"customer": "c1", "day": "2024-10-03", "amount": -10, "quantity": -2.0},
        {"customer": "c1", "day": "2024-10-04", "amount": 0, "quantity": 5.0},
    ).iloc[0]
    assert row["items"] == 3  # ten tenths are 0.9999999999999999 as a float sum; a gift is no sale


def test_a_discount_counts_by_amount_among_sales_whose_discount_is_known():
    rows = known(
        {"customer": "c1", "day": "2024-10-01", "amount": 300, "discount": 0.2},
        {"customer": "c1", "day": "2024-10-01", "amount": 100, "discount": 0.0},
        {"customer": "c1", "day": "2024-10-01", "amount": 600},
        {"customer": "c1", "day": "2024-10-01", "amount": -300, "discount": 0.2},
        {"customer": "c2", "day": "2024-10-01", "amount": 300},
        {"customer": "c3", "day": "2024-10-01", "amount": 300, "discount": 0.0},
    )
    assert rows["discount_share"].tolist()[::2] == [0.75, 0]  # 300 of 400
    assert pd.isna(rows["discount_share"][1])  # nobody said


def test_the_spread_of_gaps_is_their_standard_deviation():
    rows = known(
        *({"customer": "c1", "day": day, "amount": 1} for day in ("2024-10-01", "2024-10-11", "2024-11-10")),
        *({"customer": "c2", "day": day, "amount": 1} for day in ("2024-10-01", "2024-10-02")),
        *({"customer": "c3", "day": f"2024-10-0{n}", "amount": 1} for n in range(1, 10)),
    )
    # gaps of 10 and 30 days: mean 20, deviations 10 and 10, √((100 + 100) ÷ 1) = 14.1421…; one gap has no spread
    assert rows["gap_spread"][0] == pytest.approx(200**0.5, rel=1e-15)
    assert pd.isna(rows["gap_spread"][1])
    assert rows["gap_spread"][2] == 0


def test_products_are_counted_once_and_none_that_has_no_name():
    rows = known(
        {"customer": "c1", "day": "2024-10-01", "amount": 1, "product_id": "1", "product": "tea"},
        {"customer": "c1", "day": "2024-10-02", "amount": 1, "product_id": "1", "product": "tea, green"},
        {"customer": "c1", "day": "2024-10-02", "amount": 1, "product": "cups", "product_group": "china"},
        {"customer": "c1", "day": "2024-10-02", "amount": 1, "product_group": "china"},
        {"customer": "c1", "day": "2024-10-03", "amount": -1, "product": "pots", "product_group": "iron"},
        {"customer": "c2", "day": "2024-10-01", "amount": 1},
    )
    # a number names a product before its words do; what was taken back was bought on another line
    assert rows["products"].tolist() == [2, pd.NA]
    assert rows["product_groups"].tolist() == [1, pd.NA]


def test_the_strongest_quarter_is_one_of_the_years_four_and_known_from_a_year_on():
    rows = known(
        {"customer": "c1", "day": "2022-12-20", "amount": 300, "order": "1"},
        {"customer": "c1", "day": "2023-11-30", "amount": 300, "order": "2"},
        {"customer": "c1", "day": "2024-02-01", "amount": 200, "order": "3"},
        {"customer": "c1", "day": "2024-02-02", "amount": -200, "order": "4"},
        {"customer": "c2", "day": "2024-01-01", "amount": 5},
        {"customer": "c3", "day": "2023-12-31", "amount": 5},
    )
    # 300 and 300 in two fourth quarters of 800 in all; 2024 has 366 days, so 365 days are not a year
    assert rows["peak_quarter_share"][0] == 0.75
    assert pd.isna(rows["peak_quarter_share"][1])
    assert rows["peak_quarter_share"][2] == 1


BOUGHT = st.lists(
    st.tuples(
        *(st.sampled_from("abcd"), st.integers(1, 28), st.integers(-300, 900), st.sampled_from("123")),
        *(st.booleans(), st.one_of(st.none(), st.integers(-50, 50))),
        *(st.sampled_from([None, 0.0, 0.1, 0.5]), st.sampled_from([None, "x", "y", "z"])),
    ),
    max_size=20,
)


def typed(rows) -> list[dict]:
    return [
        {
            "customer": who,
            "day": f"2024-10-{date:02d}",
            "amount": amount,
            "order": f"{who}{order}",
            "known": listed,
            "profit": profit,
            "discount": discount,
            "product": product,
            "quantity": amount / 16,
        }
        for who, date, amount, order, listed, profit, discount, product in rows
    ]


@settings(max_examples=25, deadline=None)
@given(BOUGHT, st.randoms(use_true_random=False))
def test_every_engine_and_every_order_of_rows_tells_the_same_of_a_customer(rows, chance):
    table = lines(*typed(rows))
    mixed = typed(rows)
    chance.shuffle(mixed)
    engine = tables.engine()
    engine.register("typed", table)
    views = [engine.table("typed"), table.to_pandas(), lines(*mixed), polars.from_arrow(table)]
    told = [tables.conform(facts.facts(view, as_of=AS_OF), tables.FACTS) for view in (table, *views)]
    assert all(other.equals(told[0]) for other in told[1:])


def test_a_customer_in_figures_is_least_median_and_most():
    rows = builders.facts(
        {"orders": 1, "gross": 100}, {"orders": 2, "gross": 500}, {"orders": 9, "gross": 900}
    )
    table = facts.summary(rows).set_index("fact")
    assert table.loc["orders", ["least", "median", "most"]].tolist() == [1, 2, 9]
    assert table.loc["gross", ["least", "median", "most", "unit"]].tolist() == [100, 500, 900, "money"]
    assert facts.summary(rows.head(0)).empty
