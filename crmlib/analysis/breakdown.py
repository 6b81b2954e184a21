"""Sales of a period by group: an attribute of the customer, or what an order line says of itself."""

from typing import Any

import narwhals as nw
import pandas as pd

from crmlib.analysis.kpis import Figures
from crmlib.classification.facts import in_memory
from crmlib.period import Period


def by_attribute(now: pd.DataFrame, customers: pd.DataFrame, attribute: str) -> pd.DataFrame:
    """Identified sales of a period by an attribute of the customer.

    Returns
    -------
    attribute ("unknown" where empty), customers (active), orders, gross; largest first. No rows
    where the attribute is empty for everyone: it was not supplied.
    """
    known = now.merge(
        customers[["customer_id", attribute]], on="customer_id", how="left", validate="one_to_one"
    )
    bought = known[(known["orders"] > 0) & known[attribute].notna().any()]
    table = (
        bought.assign(**{attribute: bought[attribute].astype("str").fillna("unknown")})
        .groupby(attribute)
        .agg(customers=("customer_id", "size"), orders=("orders", "sum"), gross=("gross", "sum"))
    )
    return table.reset_index().sort_values(["gross", attribute], ascending=[False, True], ignore_index=True)


def by_line(transactions: Any, span: Period, column: str) -> pd.DataFrame:
    """Identified sales of a period by what a line says of itself (product group, channel …).

    Returns
    -------
    column ("unknown" where empty), lines, gross; largest first. No rows where the column is empty
    throughout: it was not supplied.
    """
    first, last = span.day_range
    lines = nw.from_native(transactions).lazy()
    sold = lines.filter(
        nw.col("known"), nw.col("kind") == "sale", nw.col("order_day") >= first, nw.col("order_day") <= last
    )
    table = in_memory(
        sold.group_by(column).agg(nw.len().alias("lines"), nw.col("amount").sum().alias("gross"))
    )
    if table[column].isna().all():
        table = table.head(0)
    table = table.assign(**{column: table[column].astype("str").fillna("unknown")})
    return table.sort_values(["gross", column], ascending=[False, True], ignore_index=True)


def by_region(transactions: Any, span: Period, now: pd.DataFrame, customers: pd.DataFrame) -> pd.DataFrame:
    """Identified sales by region: of the line where lines name one, else of the customer.

    Parameters
    ----------
    now : `classification.facts.activity` of the period
    customers : a row a customer, with region

    Returns
    -------
    As `by_line` or `by_attribute`: a customer who bought in two regions counts in both only there.
    """
    of_lines = by_line(transactions, span, "region")
    return of_lines if len(of_lines) else by_attribute(now, customers, "region")


def groups_beside(now: pd.DataFrame, before: pd.DataFrame, dimension: str) -> pd.DataFrame:
    """The rows of `by_attribute` with the previous period's sales and the difference beside them.

    A group that sold nothing this time keeps its row.
    """
    then = before[[dimension, "gross"]].rename(columns={"gross": "gross_before"})
    both = now.merge(then, on=dimension, how="outer").fillna(
        {"gross": 0, "gross_before": 0, "customers": 0, "orders": 0, "lines": 0}
    )
    counted = [c for c in ("customers", "orders", "lines", "gross", "gross_before") if c in both.columns]
    both = both.astype(dict.fromkeys(counted, "int64")).assign(
        difference=lambda t: t["gross"] - t["gross_before"]
    )
    return both.sort_values(["gross", dimension], ascending=[False, True], ignore_index=True)


def grouped(table: pd.DataFrame, dimension: str) -> Figures:
    """The rows of `by_attribute` or `by_line` as figures."""
    counted = "lines" if "lines" in table.columns else "customers"
    return {
        f"sales.identified.{dimension}.{row[dimension]}": {"value": int(row["gross"]), "n": int(row[counted])}
        for row in table.to_dict("records")
    }


def part(table: pd.DataFrame) -> dict:
    """The first group of `by_line` or `by_attribute`: its name, and its share of sales."""
    share = table["gross"].head(1).sum() / max(int(table["gross"].sum()), 1)
    return {"names": table.iloc[:, 0].head(1).tolist(), "share": float(share)}


def shift(table: pd.DataFrame) -> dict:
    """The group of `groups_beside` whose sales moved most, and by how much."""
    first = table.reindex(table["difference"].abs().sort_values(ascending=False, kind="stable").index).head(1)
    moved = int(first["difference"].sum())
    return {"names": first.iloc[:, 0].tolist(), "moved": moved, "money": abs(moved)}
