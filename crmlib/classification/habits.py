"""What customers usually do (X07): what they buy, where, when in the year, at which price, how broadly.

Lazy functions of order lines, as in `classification.facts`: only a row per customer comes into memory.
All sums are of whole numbers, so that neither the order of rows nor the engine decides anything.
"""

from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa

from crmlib import tables
from crmlib.classification.facts import in_memory, known_lines
from crmlib.rules import NeedRule

MIXED = "mixed"
COLUMNS = ["customer_id", "breadth", "paid", "usual", "habit_group", "habit_channel", "habit_season"]
COLUMNS += ["won_channel"]


def sold(transactions: Any, *, first_day: int | None = None, last_day: int) -> nw.LazyFrame:
    """Sale lines of known customers with `item` (the product) and `kind_of` (its group), as far as named.

    Where only one of the two is supplied it stands for both.
    """
    if isinstance(transactions, pa.Table):
        transactions = tables.engine().from_arrow(transactions)  # Arrow's own median is approximate
    lines = known_lines(transactions, first_day=first_day, last_day=last_day).filter(nw.col("kind") == "sale")
    return lines.with_columns(
        nw.coalesce("product_id", "product", "product_group").alias("item"),
        nw.coalesce("product_group", "product_id", "product").alias("kind_of"),
    )


def habits(transactions: Any, rule: NeedRule, *, as_of: int) -> pd.DataFrame:
    """Habits of every customer with a sale by `as_of`, over all history.

    Returns
    -------
    customer_id, breadth (different product groups, or products where nobody names groups), paid and usual
    (money paid for products with a usual price, and what that price would have come to), habit_group,
    habit_channel, habit_season (the one that holds more than half, else `mixed` or `all_year`; empty where
    not supplied), won_channel (of the first day's lines, where it is one).
    """
    lines = sold(transactions, last_day=as_of)
    parts = [
        breadth(lines),
        priced(lines, rule),
        main(lines, "kind_of", weight=nw.col("amount")).rename({"kind_of": "habit_group"}),
        main(lines, "channel", weight=nw.lit(1)).rename({"channel": "habit_channel"}),
        season(lines, rule),
        first_channel(lines),
    ]
    everyone = in_memory(lines.select("customer_id").unique())
    for part in parts:
        everyone = everyone.merge(in_memory(part), on="customer_id", how="left", validate="one_to_one")
    return everyone[COLUMNS].sort_values("customer_id", ignore_index=True)


def breadth(lines: nw.LazyFrame) -> nw.LazyFrame:
    """How many different product groups each customer bought: customer_id, breadth."""
    different = lines.filter(~nw.col("kind_of").is_null()).select("customer_id", "kind_of").unique()
    return different.group_by("customer_id").agg(nw.len().alias("breadth"))


def priced(lines: nw.LazyFrame, rule: NeedRule) -> nw.LazyFrame:
    """What each customer paid, and what the usual prices would have come to: customer_id, paid, usual.

    The usual price of a product is the middle one of its lines; the middle, because one large buyer or
    one slip of the pen moves a mean. Products with few lines have none and are left out.
    """
    bought = lines.filter(~nw.col("item").is_null(), nw.col("quantity") > 0, nw.col("price") > 0)
    usual = bought.group_by("item").agg(nw.col("price").median().alias("middle"), nw.len().alias("lines"))
    usual = usual.filter(nw.col("lines") >= rule.price_lines)
    # Whole units of money for each line: their sum is the same in any order.
    # Half up by hand, because engines round a half differently.
    would = (nw.col("middle") * nw.col("quantity") + 0.5).floor().cast(nw.Int64).alias("usual")
    joined = bought.join(usual, on="item", how="inner").with_columns(would)
    return joined.group_by("customer_id").agg(nw.col("amount").sum().alias("paid"), nw.col("usual").sum())


def main(lines: nw.LazyFrame, column: str, *, weight: nw.Expr) -> nw.LazyFrame:
    """The value that holds more than half of a customer's weight, else `mixed`: customer_id, `column`.

    More than half, so that there is never a tie to break. Customers of whom nothing is named have no row.
    """
    named = lines.filter(~nw.col(column).is_null()).with_columns(weight.alias("weight"))
    parts = named.group_by("customer_id", column).agg(nw.col("weight").sum().alias("part"))
    most = 2 * nw.col("part") > nw.col("part").sum().over("customer_id")
    held = parts.with_columns(nw.when(most).then(nw.col(column)).alias(column))
    # At most one value is left of each customer, so that the largest is that one.
    return (
        held.group_by("customer_id").agg(nw.col(column).max()).with_columns(nw.col(column).fill_null(MIXED))
    )


def season(lines: nw.LazyFrame, rule: NeedRule) -> nw.LazyFrame:
    """The quarter of the year with more than half of a customer's lines: customer_id, habit_season.

    Only of customers with orders in two calendar years: whoever came last month has bought in one quarter
    and has no season.
    """
    quarter, year = nw.col("order_month") % 12 // 3 + 1, nw.col("order_month") // 12
    counts = (
        lines.with_columns(quarter.cast(nw.Int64).cast(nw.String).alias("quarter"), year.alias("year"))
        .group_by("customer_id", "quarter", "year")
        .agg(nw.len().alias("lines"))
    )
    since, until = (getattr(nw.col("year"), end)().over("customer_id") for end in ("min", "max"))
    told = counts.with_columns(
        (until - since).alias("years"), nw.col("lines").sum().over("customer_id").alias("all")
    )
    told = told.filter(nw.col("years") > 0, nw.col("all") >= rule.orders)
    found = main(told, "quarter", weight=nw.col("lines"))
    name = nw.col("quarter")
    named = nw.when(name == MIXED).then(nw.lit("all_year")).otherwise(nw.concat_str(nw.lit("q"), name))
    return found.select("customer_id", named.alias("habit_season"))


def first_channel(lines: nw.LazyFrame) -> nw.LazyFrame:
    """The channel of each customer's first day, where all its lines name the same: customer_id, won_channel."""
    began = lines.group_by("customer_id").agg(nw.col("order_day").min().alias("began"))
    first = lines.join(began, on="customer_id", how="inner").filter(nw.col("order_day") == nw.col("began"))
    ends = first.group_by("customer_id").agg(
        nw.col("channel").min().alias("won_channel"), nw.col("channel").max().alias("other")
    )
    return ends.filter(nw.col("won_channel") == nw.col("other")).select("customer_id", "won_channel")


def recent(transactions: Any, *, first_day: int, last_day: int) -> pd.DataFrame:
    """What each customer bought in a stretch of days: customer_id, orders, gross, net, breadth.

    Only customers who bought in it.
    """
    lines = sold(transactions, first_day=first_day, last_day=last_day)
    orders = lines.select("customer_id", "order_id").unique().group_by("customer_id")
    money = lines.group_by("customer_id").agg(nw.col("amount").sum().alias("gross"))
    every = known_lines(transactions, first_day=first_day, last_day=last_day)
    back = every.group_by("customer_id").agg(nw.col("returned").sum())
    rows = in_memory(money.join(orders.agg(nw.len().alias("orders")), on="customer_id", how="inner"))
    for part in (back, breadth(lines)):
        rows = rows.merge(in_memory(part), on="customer_id", how="left", validate="one_to_one")
    rows["net"] = rows["gross"] + rows["returned"]
    return rows[["customer_id", "orders", "gross", "net", "breadth"]].sort_values(
        "customer_id", ignore_index=True
    )
