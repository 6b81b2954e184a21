"""Facts per customer: when, how often, how much. Everything later is computed from these.

The functions are lazy: they take order lines on any engine of `EXACT` and ask it for one row per
customer, so that lines never enter memory. An engine is asked for whole numbers alone (days, pieces,
amounts in the smallest unit and their sums), which come out alike whatever the order of rows or the
number of threads; what is no whole number is worked out from them here.
"""

from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from crmlib import tables
from crmlib.classification import stated
from crmlib.client import Client
from crmlib.errors import Refused
from crmlib.period import Period

DAYS_A_YEAR = 365.25
THOUSANDTHS = 1000  # pieces are summed as whole thousandths: sums of fractions hang on the order of rows
# Engines whose answers are held equal by a test. An Arrow table has no engine of its own that orders
# rows within a group; DuckDB reads it where it lies.
EXACT = {
    nw.Implementation.DUCKDB: "DuckDB relations",
    nw.Implementation.POLARS: "Polars frames (eager or lazy)",
    nw.Implementation.PANDAS: "pandas frames",
    nw.Implementation.PYSPARK: "PySpark DataFrames",
    nw.Implementation.PYARROW: "Arrow tables",
}
QUARTERS = ("q1", "q2", "q3", "q4")
SUMS = (
    "gross",
    "thousandths",
    "returned",
    "profit",
    "profit_lines",
    "profit_on",
    "discounted",
    "discount_on",
)


def lines(transactions: Any) -> nw.LazyFrame:
    """Order lines as a lazy table on an exact engine.

    Raises
    ------
    Refused : the engine is approximate, or nobody has proved that it is not
    """
    try:
        table = nw.from_native(transactions)
    except TypeError:
        table = None
    if table is None or table.implementation not in EXACT:
        kind = type(transactions)
        raise Refused(
            f"Facts are not taken from a {kind.__module__.split('.')[0]} {kind.__name__}: its engine is not proved "
            f"exact here. Exact are {', '.join(EXACT.values())}. Convert it first, for instance with to_arrow(), "
            "to_pandas() or compute(), or write it to Parquet and read that with DuckDB."
        )
    if table.implementation is nw.Implementation.PYARROW:
        table = nw.from_native(tables.engine().from_arrow(transactions))
    return table.lazy()


def known_lines(transactions: Any, *, first_day: int | None = None, last_day: int) -> nw.LazyFrame:
    """Lines of known customers, up to a day and perhaps from a day."""
    known = lines(transactions).filter(nw.col("known"), nw.col("order_day") <= last_day)
    return known if first_day is None else known.filter(nw.col("order_day") >= first_day)


def orders(transactions: Any, *, first_day: int | None = None, last_day: int) -> nw.LazyFrame:
    """One row per customer and order number: day and month of its first sale, and whole sums of its lines.

    An order that stretches over midnight belongs to its first day; one that stretches over the end
    of a period counts in both, as its lines' sales do. `order_day` is empty where nothing was sold.
    """
    known = known_lines(transactions, first_day=first_day, last_day=last_day)
    sold, profit, discount = nw.col("kind") == "sale", nw.col("profit"), nw.col("discount")
    # Rounded by floor, which every engine does alike; casts and round() differ at the half.
    thousandths = (nw.col("quantity") * THOUSANDTHS + 0.5).floor().cast(nw.Int64)
    amount = nw.col("amount")
    return (
        known.with_columns(
            nw.when(sold).then(nw.col("order_day")).alias("order_day"),
            nw.when(sold).then(nw.col("order_month")).alias("order_month"),
            nw.when(sold).then(amount).otherwise(0).alias("gross"),
            nw.when(sold).then(thousandths).otherwise(0).alias("thousandths"),
            nw.when(profit.is_null()).then(0).otherwise(amount).alias("profit_on"),
            nw.when(sold, discount > 0).then(amount).otherwise(0).alias("discounted"),
            nw.when(sold, ~discount.is_null()).then(amount).otherwise(0).alias("discount_on"),
        )
        .group_by("customer_id", "order_id")
        .agg(
            nw.col("order_day", "order_month").min(),
            profit.count().alias("profit_lines"),
            nw.col(*(name for name in SUMS if name != "profit_lines")).sum(),
        )
    )


def customers(transactions: Any, *, first_day: int | None = None, last_day: int) -> nw.LazyFrame:
    """One row per known customer with any line, all of it whole numbers.

    Returns
    -------
    customer_id, first_day and last_day of an order (empty where nothing was sold), orders, order_days,
    squares (of the days between order days), gross, q1–q4 (gross by quarter of the year), thousandths
    (of pieces), returned, profit, profit_lines, profit_on, discounted, discount_on
    """
    days = (
        orders(transactions, first_day=first_day, last_day=last_day)
        .group_by("customer_id", "order_day")
        .agg(
            nw.col("order_month").min(),
            nw.len().alias("that_day"),
            nw.col(*SUMS).sum(),
        )
        .with_columns(nw.col("order_day").shift(1).over("customer_id", order_by="order_day").alias("before"))
    )
    gap, month = nw.col("order_day") - nw.col("before"), nw.col("order_month") % 12
    return (
        days.with_columns(
            (gap * gap).alias("squares"),
            nw.when(~nw.col("order_day").is_null()).then(nw.col("that_day")).otherwise(0).alias("orders"),
            *(
                nw.when((month >= 3 * n) & (month < 3 * n + 3)).then(nw.col("gross")).otherwise(0).alias(name)
                for n, name in enumerate(QUARTERS)
            ),
        )
        .group_by("customer_id")
        .agg(
            nw.col("order_day").min().alias("first_day"),
            nw.col("order_day").max().alias("last_day"),
            nw.col("order_day").count().alias("order_days"),
            nw.col("orders", "squares", *SUMS, *QUARTERS).sum(),
        )
    )


def breadth(transactions: Any, column: str, *, last_day: int) -> nw.LazyFrame:
    """One row per known customer who bought anything named: customer_id, and how many different (`products`)."""
    named = {"products": nw.coalesce("product_id", "product"), "product_groups": nw.col("product_group")}
    bought = known_lines(transactions, last_day=last_day).filter(nw.col("kind") == "sale")
    kinds = bought.select("customer_id", named[column].alias("named")).filter(~nw.col("named").is_null())
    # Grouped twice: distinct counts are kept in memory by some engines, groups are not.
    once = kinds.group_by("customer_id", "named").agg(nw.len().alias("lines"))
    return once.group_by("customer_id").agg(nw.len().alias(column))


def facts(transactions: Any, *, as_of: int) -> pd.DataFrame:
    """Facts of every customer with a sale by `as_of`, over all history.

    Parameters
    ----------
    transactions : order lines in the columns of `tables.TRANSACTIONS`, on an engine of `EXACT`
    as_of : day number; later lines are not seen

    Returns
    -------
    The columns of `tables.FACTS`, by customer_id: `recency_days` runs from the last order to
    `as_of`, `gap_days` is the mean distance of order days, `net` is `gross` and `returned`. The
    strongest quarter is one of the year's four, its sales of all years together: an even buyer has
    0.25, a buyer of Christmas presents 1.

    Raises
    ------
    Refused : an engine that is not exact
    """
    told = lines(transactions)
    found = customers(told, last_day=as_of).filter(nw.col("orders") > 0)
    for column in ("products", "product_groups"):
        wide = breadth(told, column, last_day=as_of)
        found = found.join(wide, on="customer_id", how="left")
    rows = collected(found)
    tenure, gaps = as_of - rows["first_day"], rows["order_days"] - 1
    span = rows["last_day"] - rows["first_day"]
    spread = gaps * rows["squares"] - span * span  # n Σg² − (Σg)², whole and never below 0
    return rows.assign(
        net=rows["gross"] + rows["returned"],
        items=rows["thousandths"] / THOUSANDTHS,
        recency_days=as_of - rows["last_day"],
        tenure_days=tenure,
        gap_days=span / gaps.where(gaps > 0),
        gap_spread=np.sqrt(spread / (gaps * (gaps - 1)).where(gaps > 1)),
        orders_a_year=rows["orders"] / tenure.clip(lower=DAYS_A_YEAR) * DAYS_A_YEAR,
        discount_share=rows["discounted"] / rows["discount_on"].where(rows["discount_on"] > 0),
        peak_quarter_share=rows[list(QUARTERS)].max(axis=1)
        / rows["gross"].where((tenure >= DAYS_A_YEAR) & (rows["gross"] > 0)),
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
    columns = ["customer_id", "orders", "gross", "returned", "profit", "profit_lines", "profit_on"]
    rows = collected(customers(transactions, first_day=first, last_day=last).select(columns))
    return rows.drop(columns="profit_lines")


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
    # An engine's sum over nothing may be empty or 0: over no gap it is 0, a profit that nobody supplied is not.
    whole = {"orders", "order_days", "squares", *QUARTERS, *SUMS} - {"profit"}
    rows = rows.assign(**{name: rows[name].fillna(0).astype("int64") for name in whole if name in rows})
    rows["profit"] = rows["profit"].astype("Int64").where(rows["profit_lines"] > 0)
    counts = [name for name in ("products", "product_groups") if name in rows]
    days = [name for name in ("first_day", "last_day") if name in rows]
    kinds = dict.fromkeys(counts, "Int64") | dict.fromkeys(days, "int64")
    return rows.astype(kinds).sort_values("customer_id", ignore_index=True)


def summary(facts: pd.DataFrame) -> pd.DataFrame:
    """A customer in figures: fact, least, median, most, and the unit of each row."""
    units = {
        "orders": "count",
        "items": "number",
        "products": "count",
        "gross": "money",
        "returned": "money",
        "recency_days": "days",
        "gap_days": "days",
        "discount_share": "share",
        "peak_quarter_share": "share",
    }
    told = [fact for fact in units if facts[fact].notna().any()]  # what nobody supplies is no row
    known = facts[told].agg(["min", "median", "max"]).T if told else pd.DataFrame()
    if known.empty:
        return pd.DataFrame({"fact": [], "least": [], "median": [], "most": [], "unit": []})
    table = known.set_axis(["least", "median", "most"], axis=1).rename_axis("fact").reset_index()
    return table.assign(unit=table["fact"].map(units))
