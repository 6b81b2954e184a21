"""Tallies of what customers bought: sales, mean order, profit, retention, and price × volume."""

from math import lcm
from typing import Any

import narwhals as nw
import pandas as pd

from crmlib.analysis.tally import ROW, UNKNOWN, Tally, known
from crmlib.classification.facts import THOUSANDTHS, in_memory, known_lines
from crmlib.language.words import WORDS
from crmlib.period import Period

BOUGHT = {
    "volume": "change_volume",
    "mix": "change_mix",
    "rate": "change_rate",
    "new": "change_new",
    "lost": "change_lost",
}
PROFIT = BOUGHT | {"rate": "profit_rate"}
MEAN = {part: word for part, word in BOUGHT.items() if part != "volume"}
MARGIN = MEAN | {"rate": "margin_rate"}


def _bought(activity: pd.DataFrame, customers: pd.DataFrame, value: str, weight: str) -> pd.DataFrame:
    rows = activity.dropna(subset=[value])
    counted = {"value": rows[value].astype("int64"), "weight": rows[weight].astype("int64")}
    return known(pd.DataFrame({"unit": rows["customer_id"]} | counted), customers)


def sales(
    now: pd.DataFrame, before: pd.DataFrame, customers: pd.DataFrame, cells: tuple | None = None
) -> Tally:
    """Identified sales by customer: value is what they paid, weight their orders.

    Parameters
    ----------
    now, before : as `classification.facts.activity` returns them
    cells : the same by what lines say of themselves, as `lines` returns them, this period first
    """
    sides = [_bought(part[part["orders"] > 0], customers, "gross", "orders") for part in (before, now)]
    why = None if len(sides[0]) else WORDS["untold_nobody_then"]
    told = {"additive": True, "cells": None if cells is None else (cells[1], cells[0]), "why": why}
    return Tally("sales.identified", *sides, BOUGHT, "customers", "transactions", **told)


def profit(now: pd.DataFrame, before: pd.DataFrame, customers: pd.DataFrame) -> Tally:
    """Profit by customer as far as it is known; weight is orders."""
    sides = [_bought(part, customers, "profit", "orders") for part in (before, now)]
    why = None if all(map(len, sides)) else WORDS["untold_not_supplied"]
    return Tally("profit.amount", *sides, PROFIT, "customers", "transactions", additive=True, why=why)


def margin(now: pd.DataFrame, before: pd.DataFrame, customers: pd.DataFrame) -> Tally:
    """Profit by customer on the sales, less returns, whose profit is known."""
    sides = [_bought(part, customers, "profit", "profit_on") for part in (before, now)]
    why = None if all(map(len, sides)) else WORDS["untold_not_supplied"]
    if why is None and not all(side["weight"].sum() > 0 for side in sides):
        why = WORDS["untold_no_profit"]
    return Tally("profit.margin", *sides, MARGIN, "customers", "transactions", why=why)


def mean_order(
    now: pd.DataFrame,
    before: pd.DataFrame,
    customers: pd.DataFrame,
    shared: tuple[pd.DataFrame, pd.DataFrame] | None = None,
) -> Tally:
    """Sales by customer on orders. An order of several customers counts as one: each has a share of it.

    Parameters
    ----------
    shared : as `order_shares` returns it of this period and the one before; None where no order has several
    """
    sides = [_bought(part[part["orders"] > 0], customers, "gross", "orders") for part in (before, now)]
    if shared is not None:
        scale = lcm(*(int(n) for part in shared for n in part["customers"].unique()))
        held = [
            (part["orders"] * (scale // part["customers"])).groupby(part["customer_id"]).sum()
            for part in shared[::-1]
        ]
        sides = [
            side.assign(value=side["value"] * scale, weight=side["unit"].map(share).astype("int64"))
            for side, share in zip(sides, held, strict=True)
        ]
    why = None if all(map(len, sides)) else WORDS["untold_no_buyer"]
    return Tally("orders.mean", *sides, MEAN, "customers", "transactions", why=why)


def order_shares(transactions: Any, spans: tuple[Period, Period]) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Orders of both periods by how many customers share their number: customer_id, customers, orders.

    None where no order has several customers.
    """
    parts = []
    for span in spans:
        first, last = span.day_range
        lines = known_lines(transactions, first_day=first, last_day=last).filter(nw.col("kind") == "sale")
        pairs = lines.group_by("customer_id", "order_id").agg(nw.len().alias("lines"))
        many = pairs.group_by("order_id").agg(nw.len().alias("customers"))
        both = pairs.join(many, on="order_id", how="inner")
        parts.append(in_memory(both.group_by("customer_id", "customers").agg(nw.len().alias("orders"))))
    return tuple(parts) if any((part["customers"] > 1).any() for part in parts) else None


def lines(
    transactions: Any, spans: tuple[Period, Period], customers: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Identified sales of both periods by customer and what lines say of themselves.

    Returns
    -------
    unit, value (sales), weight (lines), channel, product_group and region as far as they are supplied, and what
    is known of customers
    """
    return tuple(_lines(transactions, span, customers) for span in spans)


def _lines(transactions: Any, span: Period, customers: pd.DataFrame) -> pd.DataFrame:
    first, last = span.day_range
    sold = known_lines(transactions, first_day=first, last_day=last).filter(nw.col("kind") == "sale")
    keys = ["customer_id", "channel", "product_group", "region"]
    rows = in_memory(sold.group_by(keys).agg(nw.len().alias("weight"), nw.col("amount").sum().alias("value")))
    rows = rows.rename(columns={"customer_id": "unit"}).sort_values(["unit", *keys[1:]], ignore_index=True)
    named = [key for key in keys[1:] if rows[key].notna().any()]
    told = {key: rows[key].astype(object).fillna(UNKNOWN).astype("str") for key in named}
    return known(rows[ROW].assign(**told), customers)


RETENTION = {
    "mix": "retention_mix",
    "rate": "retention_rate",
    "new": "retention_new",
    "lost": "retention_lost",
}


def retention(
    activities: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame],
    facts: pd.DataFrame,
    customers: pd.DataFrame,
    spans: tuple[Period, Period],
) -> Tally:
    """Who bought in the period before, and whether they bought again: value 1 or 0, weight 1.

    Parameters
    ----------
    activities : as `classification.facts.activity` returns them, of this period, the one before and the one
        before that
    facts : customer_id, first_day
    spans : this period and the one before
    """
    buyers = [part.loc[part["orders"] > 0, "customer_id"] for part in activities]
    first = facts.set_index("customer_id")["first_day"]
    sides = []
    for nth, back in ((2, spans[1].previous()), (1, spans[1])):
        held, again = buyers[nth], buyers[nth - 1]
        rows = {"unit": held, "value": held.isin(set(again)).astype("int64"), "weight": 1}
        stays = (held.map(first) < back.day_range[0]).fillna(False).astype(bool)
        sides.append(known(pd.DataFrame(rows | {"stays": stays}), customers))
    why = None if all(map(len, sides)) else WORDS["untold_nobody_to_keep"]
    untold = {}
    if why is None and not sides[0]["stays"].any():
        # The data begins with the period: of its buyers nobody can tell who was new.
        sides = [side.assign(stays=True) for side in sides]
        untold = dict.fromkeys(("new", "lost"), WORDS["untold_newcomers"])
    told = {"sampled": True, "untold": untold, "why": why}
    return Tally("retention.rate", *sides, RETENTION, "customers", "transactions", **told)


PRICED = {
    "volume": "priced_volume",
    "mix": "priced_mix",
    "price": "priced_price",
    "new": "priced_new",
    "lost": "priced_lost",
    "returns": "priced_returns",
}


def priced(transactions: Any, spans: tuple[Period, Period]) -> Tally:
    """Net sales of known customers by product: value is sales, weight thousandths of pieces, returned apart.

    Parameters
    ----------
    spans : this period and the one before
    """
    sides = [_pieces(transactions, span) for span in spans[::-1]]
    sold = [side[side["value"] > 0] for side in sides]
    why = None if all(map(len, sold)) else WORDS["untold_nothing_sold"]
    if why is None and any((side["product"] == UNKNOWN).all() for side in sold):
        why = WORDS["untold_no_product"]
    if why is None and any((side["unweighed"] > 0).any() for side in sold):
        why = WORDS["untold_no_pieces"]
    both = set(sold[0].loc[sold[0]["weight"] > 0, "unit"]) & set(sold[1].loc[sold[1]["weight"] > 0, "unit"])
    kept = [side.assign(stays=side["unit"].isin(both)).drop(columns="unweighed") for side in sides]
    return Tally("sales.net", *kept, PRICED, "sold products", "transactions", additive=True, why=why)


def _pieces(transactions: Any, span: Period) -> pd.DataFrame:
    """A row a product: unit, value, weight, returned, unweighed (lines without pieces), product, product_group."""
    first, last = span.day_range
    known = known_lines(transactions, first_day=first, last_day=last)
    item = nw.coalesce("product_id", "product", "product_group")
    group = nw.coalesce("product_group", "product_id", "product")
    sold = nw.col("kind") == "sale"
    pieces = (nw.col("quantity") * THOUSANDTHS + 0.5).floor().cast(nw.Int64)
    rows = in_memory(
        known.with_columns(
            item.alias("item"),
            group.alias("kind_of"),
            nw.when(sold).then(nw.col("amount")).otherwise(0).alias("value"),
            nw.when(sold, ~nw.col("quantity").is_null()).then(pieces).otherwise(0).alias("weight"),
            nw.when(sold, nw.col("quantity").is_null()).then(1).otherwise(0).alias("unweighed"),
        )
        .group_by("item", "kind_of")
        .agg(nw.col("value", "weight", "returned", "unweighed").sum())
    )
    rows = rows.astype(dict.fromkeys(("value", "weight", "returned", "unweighed"), "int64"))
    named = {name: rows[c].astype(object).fillna(UNKNOWN).astype("str") for name, c in _NAMED.items()}
    # One product in two groups is one product: it goes by the group of most of its sales.
    table = rows.assign(**named).sort_values(["value", "product_group"], ascending=[False, True])
    sums = table.groupby("unit")[["value", "weight", "returned", "unweighed"]].sum()
    firsts = table.drop_duplicates("unit").set_index("unit")["product_group"]
    return sums.assign(product_group=firsts).reset_index().assign(product=lambda t: t["unit"])


_NAMED = {"unit": "item", "product_group": "kind_of"}
