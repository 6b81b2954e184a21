"""Purchases as the models of customer value see them: a day with an order is one purchase.

Orders of one day are one, as in the published analyses: nobody decides twice a day whether to come again.
Order lines never enter memory; a row per customer does.
"""

from typing import Any

import narwhals as nw
import pandas as pd

from crmlib.classification.facts import in_memory, orders

EVERY = "every"  # the kind of a customer of whom none is known
COLUMNS = ["customer_id", "first_day", "repeats", "active_days", "tenure_days", "first_spend", "repeat_spend"]


def days(transactions: Any, *, as_of: int) -> nw.LazyFrame:
    """One row per known customer and day with a sale: customer_id, order_day, spend (gross), first_day."""
    sold = orders(transactions, last_day=as_of).filter(~nw.col("order_day").is_null())
    return (
        sold.group_by("customer_id", "order_day")
        .agg(nw.col("gross").sum().alias("spend"))
        .with_columns(nw.col("order_day").min().over("customer_id").alias("first_day"))
    )


def purchases(transactions: Any, *, as_of: int) -> pd.DataFrame:
    """What each customer with a sale by `as_of` did, over all history.

    Parameters
    ----------
    transactions : order lines in the columns of `tables.TRANSACTIONS`, on an exact engine
    as_of : day number; later lines are not seen

    Returns
    -------
    customer_id; first_day; repeats (days with an order after the first); active_days (from the first to the
    last of them); tenure_days (from the first to as_of); first_spend and repeat_spend (gross sales, smallest
    unit, of the first day and of all later ones)
    """
    first = nw.col("order_day") == nw.col("first_day")
    rows = in_memory(
        days(transactions, as_of=as_of)
        .with_columns(
            nw.when(first).then(nw.col("spend")).otherwise(0).alias("first_spend"),
            nw.when(first).then(0).otherwise(nw.col("spend")).alias("repeat_spend"),
        )
        .group_by("customer_id")
        .agg(
            nw.col("first_day").min(),
            nw.col("order_day").max().alias("last_day"),
            nw.len().alias("days"),
            nw.col("first_spend", "repeat_spend").sum(),
        )
    )
    whole = rows.astype(dict.fromkeys(rows.columns.drop("customer_id"), "int64"))
    told = whole.assign(
        repeats=whole["days"] - 1,
        active_days=whole["last_day"] - whole["first_day"],
        tenure_days=as_of - whole["first_day"],
    )
    return told.sort_values("customer_id", ignore_index=True)[COLUMNS]


def daily(transactions: Any, *, as_of: int, first_by: int) -> pd.DataFrame:
    """Repeat purchases a day of the customers who first came by a day: order_day, purchases, by day."""
    again = (nw.col("order_day") > nw.col("first_day")) & (nw.col("first_day") <= first_by)
    rows = in_memory(
        days(transactions, as_of=as_of).filter(again).group_by("order_day").agg(nw.len().alias("purchases"))
    )
    return rows.astype("int64").sort_values("order_day", ignore_index=True)


def with_kinds(people: pd.DataFrame, customers: pd.DataFrame) -> pd.DataFrame:
    """The same with `kind`: each customer's type, `every` of whom none is known; without it where nobody has one.

    Parameters
    ----------
    customers : customer_id, customer_type
    """
    told = customers.dropna(subset=["customer_type"]).set_index("customer_id")["customer_type"]
    if told.empty:
        return people
    return people.assign(kind=people["customer_id"].map(told).fillna(EVERY).astype("str"))
