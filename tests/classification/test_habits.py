"""What customers usually do, held against a hand's count and against SQL."""

import pandas as pd
import polars as pl
from builders import day, lines

from crmlib.classification import habits
from crmlib.rules import NeedRule

AS_OF = day("2024-12-31")


def line(customer: str, on: str, amount: int, **more) -> dict:
    return {"customer": customer, "day": on, "amount": amount} | more


def told(*rows: dict, **rule) -> pd.DataFrame:
    settings = NeedRule(**({"price_lines": 2, "orders": 2} | rule))
    return habits.habits(lines(*rows), settings, as_of=AS_OF).set_index("customer_id")


def test_what_holds_more_than_half_is_the_habit_and_half_is_not():
    found = told(
        line("a", "2024-01-01", 60, product_group="loan", channel="web"),
        line("a", "2024-02-01", 40, product_group="card", channel="shop"),
        line("b", "2024-01-01", 50, product_group="loan", channel="web"),
        line("b", "2024-02-01", 50, product_group="card", channel="web"),
        line("c", "2024-01-01", 5),
    )
    assert found["habit_group"].fillna("").astype(object).tolist() == [
        "loan",
        "mixed",
        "",
    ]
    assert found.loc[["a", "b"], "habit_channel"].tolist() == ["mixed", "web"]
    assert found["habit_channel"].isna().tolist() == [False, False, True]
    assert found["breadth"].fillna(0).tolist() == [2, 2, 0]


def test_the_usual_price_is_the_middle_one_of_a_products_lines():
    # tea: prices 10, 10, 40 → 10; cup: one line only, so no usual price
    found = told(
        line("a", "2024-01-01", 30, product="tea", price=10, quantity=3.0),
        line("b", "2024-01-02", 10, product="tea", price=10),
        line("c", "2024-01-03", 40, product="tea", price=40),
        line("c", "2024-01-03", 99, product="cup", price=99),
    )
    assert found[["paid", "usual"]].values.tolist() == [[30, 30], [10, 10], [40, 10]]


def test_a_season_needs_orders_in_two_years():
    found = told(
        *(line("a", f"{y}-11-0{n}", 5) for y in (2023, 2024) for n in (1, 2)),
        *(line("b", f"2024-11-0{n}", 5) for n in (1, 2, 3)),
        line("c", "2023-02-01", 5),
        line("c", "2024-05-01", 5),
    )
    assert found["habit_season"].fillna("").astype(object).to_dict() == {
        "a": "q4",
        "b": "",
        "c": "all_year",
    }


def test_a_customer_is_won_through_the_channel_of_the_first_day_if_it_is_one():
    found = told(
        line("a", "2024-01-01", 5, channel="web"),
        line("a", "2024-02-01", 5, channel="shop"),
        line("b", "2024-01-01", 5, channel="web", order="B1"),
        line("b", "2024-01-01", 5, channel="shop", order="B2"),
    )
    assert found["won_channel"].fillna("").astype(object).to_dict() == {
        "a": "web",
        "b": "",
    }


def test_returns_gifts_strangers_and_later_lines_make_no_habit():
    found = told(
        line("a", "2024-01-01", 5, product_group="loan"),
        line("a", "2024-02-01", -50, product_group="card"),
        line("a", "2024-03-01", 0, product_group="fee"),
        line("a", "2025-01-01", 500, product_group="late"),
        line("z", "2024-01-01", 5, known=False),
    )
    assert found.index.tolist() == ["a"]
    assert found.loc["a", ["breadth", "habit_group"]].tolist() == [1, "loan"]


def test_what_was_bought_of_late_counts_the_days_at_both_ends():
    table = lines(
        line("a", "2024-01-01", 100, order="A1", product_group="x"),
        line("a", "2024-01-01", 50, order="A1", product_group="y"),
        line("a", "2024-06-30", 10, order="A2", product_group="x"),
        line("a", "2024-06-30", -30, order="R1"),
        line("a", "2024-07-01", 7, order="A3", product_group="z"),
        line("a", "2023-12-31", 7, order="A0", product_group="z"),
        line("b", "2024-03-01", -5, order="R2"),
    )
    found = habits.recent(table, first_day=day("2024-01-01"), last_day=day("2024-06-30"))
    assert found.values.tolist() == [["a", 2, 160, 130, 2]]


def test_duckdb_polars_and_pandas_tell_the_same_habits():
    # Three hundred lines by a plain rule, so that every part of a habit occurs.
    table = lines(
        *(
            line(f"c{n * n % 11}", f"202{2 + n % 3}-{1 + n * 5 % 12:02d}-10", 1 + n * 37 % 900)
            | {
                "channel": "ab"[(n * n % 11 + (n % 5 == 0)) % 2],
                "product": "xyz"[n * 3 % 10 % 3],
                "order": f"o{n}",
            }
            for n in range(300)
        )
    )
    usual = habits.habits(table, NeedRule(), as_of=AS_OF)
    assert usual["habit_channel"].nunique() > 1
    for other in (table.to_pandas(), pl.from_arrow(table)):
        found = habits.habits(other, NeedRule(), as_of=AS_OF)
        pd.testing.assert_frame_equal(found, usual, check_dtype=False)
