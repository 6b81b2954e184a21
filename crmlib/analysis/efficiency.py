"""What sales cost (K08): sales and profit for a unit of cost, cost of an order, cost of serving a customer.

Cost is that of winning and of serving customers, as far as each is supplied; a part that nobody supplies is
left out and never counted as nothing. All are ratios of totals of the period: nothing in them is estimated,
apart from the mean over the customers whom costs name.
"""

from collections.abc import Iterable
from typing import Any

import narwhals as nw
import pandas as pd

from crmlib.analysis import acquisition, intervals
from crmlib.analysis.kpis import Figures
from crmlib.classification.facts import in_memory, known_lines
from crmlib.classification.lifetime import SERVED, WON
from crmlib.period import Period

DEALINGS = ("enquiry", "complaint", "after_sales", "contact")
FEW = "too few"
SHOWN = ("acquisition.amount", "service.amount", "cost.amount", "cost.to_sales", "efficiency.sales")
SHOWN += ("efficiency.profit", "cost.an_order", "service.mean", "service.named.mean", "efficiency.contact")
UNKNOWN = "unknown"
LINES = ["class", "level", "orders", "gross", "net", "mean_order", "earned", "profit_margin"]
LINES += ["share_of_sales", "share_of_profit"]
UNITS = {"earned": "money", "profit_margin": "share", "share_of_profit": "share", "level": "word"}


def figures(
    costs: pd.DataFrame | None, results: Figures, *, interactions: pd.DataFrame | None, span: Period
) -> Figures:
    """Costs of a period, and what was sold and earned for them.

    Parameters
    ----------
    costs : by as_of, in the columns of `tables.COSTS`; None where not supplied
    results : the period's `sales.net`, `profit.amount`, `orders.count`, `customers.active`
    interactions : by as_of, in the columns of `tables.INTERACTIONS`; None where not supplied
    """
    won, served = (acquisition.total(costs, span, kind) for kind in (WON, SERVED))
    cost, net = _sum(won, served), results["sales.net"]
    profit, orders = results["profit.amount"], results["orders.count"]
    return {
        "service.amount": served,
        "cost.amount": cost,
        "cost.to_sales": _ratio(cost, net, "nothing was sold"),
        "efficiency.sales": _ratio(net, cost, "nothing was spent"),
        "efficiency.profit": _ratio(profit, cost, "nothing was spent"),
        "cost.an_order": _ratio(cost, orders, "no orders in the period"),
        "service.mean": _ratio(served, results["customers.active"], "nobody bought in the period"),
        "service.named.mean": _named(costs, span),
        "efficiency.contact": _ratio(net, dealings(interactions, span), "nobody was in touch"),
    }


def _sum(*parts: dict) -> dict:
    """The parts that are known; where none is, the reason of the first."""
    known = [part for part in parts if part["value"] is not None]
    if not known:
        return parts[0]
    return {"value": sum(part["value"] for part in known), "n": sum(part["n"] for part in known)}


def _ratio(part: dict, whole: dict, nothing: str) -> dict:
    """One total ÷ another; what is not known, or not above 0 beneath, has its reason."""
    for one in (part, whole):
        if one["value"] is None:
            return {"value": None, "n": 0, "why": one["why"]}
    if whole["value"] <= 0:
        return {"value": None, "n": int(whole["n"]), "why": nothing}
    return {"value": part["value"] / whole["value"], "n": int(whole["n"])}


def _named(costs: pd.DataFrame | None, span: Period) -> dict:
    """Mean cost of serving over the known customers whom costs of the period name."""
    rows = acquisition.during(costs, span, SERVED)
    if rows is None:
        return {"value": None, "n": 0, "why": acquisition.NOT_SUPPLIED}
    sums = rows[rows["known"] & rows["customer_id"].notna()].groupby("customer_id")["amount"].sum()
    if not len(sums):
        return {"value": None, "n": 0, "why": "no cost of serving names a customer"}
    return intervals.mean(sums.astype(float))


def dealings(interactions: pd.DataFrame | None, span: Period) -> dict:
    """How often known customers were in touch in a period: enquiries, complaints, after-sales and contacts."""
    if interactions is None:
        return {"value": None, "n": 0, "why": acquisition.NOT_SUPPLIED}
    now = interactions["opened_day"].between(*span.day_range)
    count = int((now & interactions["known"] & interactions["kind"].isin(DEALINGS)).sum())
    return {"value": count, "n": count}


def by_line(transactions: Any, span: Period, column: str) -> pd.DataFrame:
    """What each channel or product group sold and earned in a period (K08, K09), of known customers' lines.

    Returns
    -------
    class (the column), level ("unknown" where empty), orders (numbers with a sale; one that runs through two
    levels counts in both), gross, net (less returns), mean_order (gross ÷ orders), earned (profit of sales and returns; empty where
    not supplied), profit_margin (÷ sales, less returns, whose profit is known), share_of_sales, share_of_profit (empty
    where the whole is not above 0); largest sales first. No rows where the column is empty throughout.
    """
    first, last = span.day_range
    sold, profit, amount = nw.col("kind") == "sale", nw.col("profit"), nw.col("amount")
    per_order = (
        known_lines(transactions, first_day=first, last_day=last)
        .with_columns(
            nw.when(sold).then(1).otherwise(0).alias("sold"),
            nw.when(sold).then(amount).otherwise(0).alias("gross"),
            nw.when(profit.is_null()).then(0).otherwise(amount).alias("profit_on"),
        )
        .group_by(column, "order_id")
        .agg(
            nw.col("sold").max(),
            profit.count().alias("profit_lines"),
            nw.col("gross", "returned", "profit", "profit_on").sum(),
        )
    )
    sums = per_order.group_by(column).agg(
        nw.col("sold").sum().alias("orders"),
        nw.col("gross", "returned", "profit", "profit_on", "profit_lines").sum(),
    )
    table = in_memory(sums)
    if not len(table) or table[column].isna().all():
        return pd.DataFrame(columns=LINES)
    return shared(table.rename(columns={column: "level"}).assign(**{"class": column}))[LINES]


def by_lines(transactions: Any, span: Period, columns: Iterable[str]) -> pd.DataFrame:
    """The tables of `by_line` for several columns in one."""
    parts = [by_line(transactions, span, column) for column in columns]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=LINES)


def shared(table: pd.DataFrame) -> pd.DataFrame:
    """Sums of groups with what each is of the whole.

    Parameters
    ----------
    table : level, orders, gross, returned, profit, profit_on, profit_lines

    Returns
    -------
    The same with net, mean_order, earned (the profit; empty where no line tells it), profit_margin, share_of_sales and
    share_of_profit; largest sales first.
    """
    told = table["profit_lines"].fillna(0) > 0
    profit = table["profit"].astype("Float64").astype("Int64").where(told)
    on = table["profit_on"].astype(float).where(told & (table["profit_on"].astype(float) > 0))
    gross, whole = int(table["gross"].sum()), int(profit.sum())
    orders = table["orders"].astype(float)
    found = table.assign(
        level=table["level"].astype(object).fillna(UNKNOWN),
        orders=table["orders"].astype("int64"),
        gross=table["gross"].astype("int64"),
        net=(table["gross"] + table["returned"]).astype("int64"),
        mean_order=table["gross"].astype(float) / orders.where(orders > 0),
        earned=profit,
        profit_margin=profit.astype("Float64").astype(float) / on,
        share_of_sales=table["gross"].astype(float) / max(gross, 1),
        share_of_profit=profit.astype("Float64").astype(float) / (whole if whole > 0 else float("nan")),
    )
    return found.sort_values(["gross", "level"], ascending=[False, True], ignore_index=True)


def moved(now: Figures, before: Figures) -> dict:
    """What was sold for a unit of cost, now and before, and what part of the sales cost took.

    Returns
    -------
    value, before (net sales ÷ cost), share (cost ÷ net sales), cost, better (None where one is not known)
    """
    value, earlier = now["efficiency.sales"]["value"], before["efficiency.sales"]["value"]
    told = value is not None and earlier is not None
    return {
        "value": value,
        "before": earlier,
        "share": now["cost.to_sales"]["value"],
        "cost": now["cost.amount"]["value"],
        "better": value >= earlier if told else None,
    }
