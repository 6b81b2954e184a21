"""Facts per customer: when, how often, how much. Everything later is computed from these.

The functions are lazy: they take order lines on any engine that Narwhals speaks (a DuckDB
relation, a Polars frame, pandas) and return the same kind, so that lines never enter memory, only
one row per customer does. Amounts are whole numbers of the smallest unit, hence exact in any order.
"""

from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa

from crmlib import tables
from crmlib.classification import stated
from crmlib.client import Client
from crmlib.period import Period

DAYS_A_YEAR = 365.25


def known_lines(transactions: Any, *, first_day: int | None = None, last_day: int) -> nw.LazyFrame:
    """Lines of known customers, up to a day and perhaps from a day."""
    lines = nw.from_native(transactions).lazy()
    lines = lines.filter(nw.col("known"), nw.col("order_day") <= last_day)
    return lines if first_day is None else lines.filter(nw.col("order_day") >= first_day)


def orders(transactions: Any, *, first_day: int | None = None, last_day: int) -> nw.LazyFrame:
    """One row per order with a sale: customer_id, order_id, order_day, gross.

    An order that stretches over midnight belongs to its first day; one that stretches over the end
    of a period counts in both, as its lines' sales do.
    """
    lines = known_lines(transactions, first_day=first_day, last_day=last_day)
    return (
        lines.filter(nw.col("kind") == "sale")
        .group_by("customer_id", "order_id")
        .agg(nw.col("order_day").min(), nw.col("amount").sum().alias("gross"))
    )


def purchases(transactions: Any, *, first_day: int | None = None, last_day: int) -> nw.LazyFrame:
    """One row per customer: orders, first and last day, gross sales, days with an order."""
    bought = orders(transactions, first_day=first_day, last_day=last_day)
    days = bought.group_by("customer_id", "order_day").agg(nw.len().alias("that_day"))
    return (
        bought.group_by("customer_id")
        .agg(
            nw.col("order_day").min().alias("first_day"),
            nw.col("order_day").max().alias("last_day"),
            nw.len().alias("orders"),
            nw.col("gross").sum(),
        )
        .join(days.group_by("customer_id").agg(nw.len().alias("order_days")), on="customer_id", how="inner")
    )


def money(transactions: Any, *, first_day: int | None = None, last_day: int) -> nw.LazyFrame:
    """One row per customer with any line: what was taken back, profit, and the amounts it was made on."""
    made_on = nw.when(nw.col("profit").is_null()).then(0).otherwise(nw.col("amount")).alias("profit_on")
    lines = known_lines(transactions, first_day=first_day, last_day=last_day).with_columns(made_on)
    return lines.group_by("customer_id").agg(
        nw.col("returned").sum(),
        nw.col("profit").sum(),
        nw.col("profit").count().alias("profit_lines"),
        nw.col("profit_on").sum(),
    )


def facts(transactions: Any, *, as_of: int) -> pd.DataFrame:
    """Facts of every customer with a sale by `as_of`, over all history.

    Parameters
    ----------
    transactions : order lines in the columns of `tables.TRANSACTIONS`, on any engine
    as_of : day number; later lines are not seen

    Returns
    -------
    The columns of `tables.FACTS`, by customer_id: `recency_days` runs from the last order to
    `as_of`, `gap_days` is the mean distance of order days, `net` is `gross` and `returned`.
    """
    bought = purchases(transactions, last_day=as_of)
    rows = collected(bought.join(money(transactions, last_day=as_of), on="customer_id", how="left"))
    tenure = as_of - rows["first_day"]
    between = (rows["order_days"] - 1).where(rows["order_days"] > 1)
    return rows.assign(
        net=rows["gross"] + rows["returned"],
        # An engine's sum over nothing may be 0; a profit that nobody supplied is not 0.
        profit=rows["profit"].astype("Int64").where(rows["profit_lines"] > 0),
        recency_days=as_of - rows["last_day"],
        tenure_days=tenure,
        gap_days=(rows["last_day"] - rows["first_day"]) / between,
        orders_a_year=rows["orders"] / tenure.clip(lower=DAYS_A_YEAR) * DAYS_A_YEAR,
    )[tables.FACTS.schema.names]


SOURCES = (tables.TRANSACTIONS, tables.SNAPSHOT, tables.TIERS)


def source(client: Client) -> str:
    """The table that facts are taken from: order lines, else a customer snapshot, else a tier table."""
    return next(table.name for table in SOURCES if tables.delivered(client.delivery, table))


def known(client: Client, *, as_of: int, dated: bool = False) -> pd.DataFrame:
    """Facts of every customer from whatever the client supplies, in the columns of `tables.FACTS`.

    Parameters
    ----------
    as_of : day number; what is dated later is not seen
    dated : leave out totals without a day, which belong to any period but not to two of them
    """
    if source(client) != tables.TRANSACTIONS.name:
        return stated.facts(client, as_of=as_of, dated=dated)
    return facts(tables.relation(client.delivery, tables.TRANSACTIONS, until=as_of), as_of=as_of)


def comparable(client: Client, *, as_of: int) -> bool:
    """Whether anything is known of a day before: totals without a day cannot be held against themselves."""
    return source(client) == tables.TRANSACTIONS.name or len(known(client, as_of=as_of, dated=True)) > 0


def activity(transactions: Any, span: Period) -> pd.DataFrame:
    """What each customer did within a period.

    Returns
    -------
    customer_id, orders, gross, returned, profit (empty where not supplied), profit_on (amounts of the
    lines whose profit is known); a row for every known customer with a line in the period, `orders` 0
    where only something was taken back.
    """
    first, last = span.day_range
    bought = purchases(transactions, first_day=first, last_day=last)
    moved = money(transactions, first_day=first, last_day=last)
    rows = collected(moved.join(bought, on="customer_id", how="left"))
    return rows.assign(
        orders=rows["orders"].fillna(0).astype("int64"),
        gross=rows["gross"].fillna(0).astype("int64"),
        profit=rows["profit"].astype("Int64").where(rows["profit_lines"] > 0),
    )[["customer_id", "orders", "gross", "returned", "profit", "profit_on"]]


def in_memory(lazy: nw.LazyFrame) -> pd.DataFrame:
    """A small lazy table as pandas; sums that an engine widened are whole numbers again."""
    rows = lazy.collect("pyarrow").to_native()
    whole = pa.schema(
        [pa.field(f.name, pa.int64()) if pa.types.is_decimal(f.type) else f for f in rows.schema]
    )
    return rows.cast(whole).to_pandas()


def collected(lazy: nw.LazyFrame) -> pd.DataFrame:
    """Per-customer rows brought into memory, always in the same order."""
    rows = in_memory(lazy)
    counts = {c: "int64" for c in ("first_day", "last_day", "orders", "order_days") if not rows[c].hasnans}
    sums = {c: "int64" for c in ("gross", "returned", "profit_lines", "profit_on") if not rows[c].hasnans}
    return rows.astype(counts | sums).sort_values("customer_id", ignore_index=True)


def summary(facts: pd.DataFrame) -> pd.DataFrame:
    """A customer in figures: fact, least, median, most, and the unit of each row."""
    units = {
        "orders": "count",
        "gross": "money",
        "returned": "money",
        "recency_days": "days",
        "gap_days": "days",
    }
    told = [fact for fact in units if facts[fact].notna().any()]  # what nobody supplies is no row
    known = facts[told].agg(["min", "median", "max"]).T if told else pd.DataFrame()
    if known.empty:
        return pd.DataFrame({"fact": [], "least": [], "median": [], "most": [], "unit": []})
    table = known.set_axis(["least", "median", "most"], axis=1).rename_axis("fact").reset_index()
    return table.assign(unit=table["fact"].map(units))
