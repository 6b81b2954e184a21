"""How customers buy: how long between orders, for how much, on which days and when in the year (V01, V02).

Lazy as `crmlib.classification.facts` is: an engine is asked for whole counts and sums by band, so that lines do not
enter memory.
"""

import datetime as dt
import itertools
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from scipy import stats

from crmlib.classification.facts import in_memory, known_lines, orders
from crmlib.period import Period
from crmlib.rules import BehaviourRule

STEPS = 6  # columns of a histogram up to the first of two limits
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = tuple(f"month_{n}" for n in range(1, 13))
HOURS = (0, 6, 9, 12, 14, 17, 20, 24)  # night, early, morning, midday, afternoon, evening, late
GAPS = ["over_days", "to_days", "gaps", "share"]
AMOUNTS = ["from_amount", "to_amount", "orders", "share", "gross", "share_of_sales"]
UNITS = {"over_days": "count", "to_days": "count", "gaps": "count", "index": "share", "years": "count"}
UNITS |= {"from_amount": "money", "to_amount": "money", "weekday": "word", "season": "word"}


# How these tables are drawn.
GAPS_DRAWN = {"low": "over_days", "high": "to_days", "size": "gaps", "axis": "days_between"}
SEASONS_DRAWN = {"label": "season", "size": "index", "level": 1.0}
STATES_DRAWN = {
    "x": "month",
    "above": ("returning", "reactivated", "new"),
    "below": ("quiet", "dormant", "churned"),
}
AMOUNTS_DRAWN = {"low": "from_amount", "high": "to_amount", "size": "orders", "axis": "order_amount"}


def gaps(transactions: Any, *, as_of: int, rule: BehaviourRule) -> pd.DataFrame:
    """Days between two order days of one customer, all history.

    Parameters
    ----------
    transactions : order lines in the columns of `tables.TRANSACTIONS`, on an engine of `facts.EXACT`
    as_of : day number; later lines are not seen
    rule : its `active_days` and `dormant_days`, at both of which a band ends

    Returns
    -------
    over_days (does not belong to the band) and to_days (does; the last has no end), gaps (how many), share (0–1). The silence
    since the last order is no gap: nobody knows how long it will be.
    """
    days = orders(transactions, last_day=as_of).filter(~nw.col("order_day").is_null())
    once = days.group_by("customer_id", "order_day").agg(nw.len().alias("that_day"))
    before = nw.col("order_day").shift(1).over("customer_id", order_by="order_day")
    apart = once.with_columns((nw.col("order_day") - before).alias("gap")).filter(~nw.col("gap").is_null())
    counted = in_memory(apart.group_by("gap").agg(nw.len().alias("gaps")))
    if counted.empty:
        return pd.DataFrame(columns=GAPS)
    edges = _day_edges(rule)
    band = np.searchsorted(edges, counted["gap"].to_numpy(dtype="int64"), side="left")
    many = np.bincount(band, weights=counted["gaps"].to_numpy(), minlength=len(edges) + 1).astype("int64")
    table = pd.DataFrame(
        {
            "over_days": [0, *edges],
            "to_days": pd.array([*edges, None], dtype="Int64"),
            "gaps": many,
            "share": many / many.sum(),
        }
    )
    last = int(np.flatnonzero(many).max())
    least = int(np.searchsorted(edges, rule.dormant_days)) + 1  # both limits can be seen
    return table.head(max(last, least) + 1)


def _day_edges(rule: BehaviourRule) -> list[int]:
    """Last days of bands: the first limit in `STEPS` parts, the second in parts about as wide, and half as far again."""
    first = np.linspace(0, rule.active_days, STEPS + 1)[1:]
    width = rule.active_days / STEPS
    between = rule.dormant_days - rule.active_days
    second = np.linspace(rule.active_days, rule.dormant_days, max(min(round(between / width), 12), 1) + 1)[1:]
    beyond = rule.dormant_days + width * np.arange(1, STEPS + 1)
    return sorted({round(edge) for edge in (*first, *second, *beyond) if round(edge) >= 1})


def marks(rule: BehaviourRule) -> dict:
    """The limits of the rule, as a chart of `gaps` draws them."""
    return {"marks": {"dormant_from": rule.active_days, "churned_from": rule.dormant_days}}


def longer(table: pd.DataFrame, days: int) -> dict:
    """Share of gaps longer than so many days, which must end a band: share, n."""
    n = int(table["gaps"].sum())
    beyond = int(table.loc[table["over_days"] >= days, "gaps"].sum())
    return {"share": beyond / max(n, 1), "n": n, "days": days}


def amounts(transactions: Any, span: Period) -> pd.DataFrame:
    """Orders of a period by what they came to, in bands that grow as 1, 2, 5, 10.

    Returns
    -------
    from_amount (belongs to the band) and to_amount (does not), smallest unit; orders, share, gross, share_of_sales
    (0–1). Orders that came to nothing are in the band from 0; no rows without orders.
    """
    first, last = span.day_range
    placed = orders(transactions, first_day=first, last_day=last).filter(~nw.col("order_day").is_null())
    ends = in_memory(placed.select(nw.col("gross").min().alias("least"), nw.col("gross").max().alias("most")))
    if ends.empty or ends["most"].isna().any():
        return pd.DataFrame(columns=AMOUNTS)
    edges = _amount_edges(max(int(ends["least"][0]), 0), int(ends["most"][0]))
    band = sum((nw.when(nw.col("gross") >= edge).then(1).otherwise(0) for edge in edges[1:-1]), nw.lit(0))
    held = in_memory(
        placed.with_columns(band.alias("band"))
        .group_by("band")
        .agg(nw.len().alias("orders"), nw.col("gross").sum())
    )
    table = held.set_index("band").reindex(range(len(edges) - 1), fill_value=0).astype("int64")
    table = table.assign(from_amount=edges[:-1], to_amount=edges[1:]).reset_index(drop=True)
    table = table.assign(
        share=table["orders"] / max(int(table["orders"].sum()), 1),
        share_of_sales=table["gross"] / max(int(table["gross"].sum()), 1),
    )
    return table[AMOUNTS]


def _amount_edges(least: int, most: int) -> list[int]:
    """Edges 1, 2, 5 × powers of ten around two amounts; at most a dozen bands, the lowest ones joined.

    >>> _amount_edges(150, 4_000)
    [100, 200, 500, 1000, 2000, 5000]
    >>> _amount_edges(0, 3)
    [0, 1, 2, 5]
    """
    round_ones = [step * 10**power for power in range(len(str(most)) + 1) for step in (1, 2, 5)]
    above = next(edge for edge in round_ones if edge > most)
    below = max((edge for edge in round_ones if edge <= least), default=0)
    inside = [edge for edge in round_ones if below < edge < above]
    kept = inside[-11:]
    return [below if len(kept) == len(inside) else 0, *kept, above]


def large(table: pd.DataFrame, part: float = 0.1) -> dict:
    """The lowest edge from which on orders are at most such a part of all: amount, share, sales (their share), n."""
    n = int(table["orders"].sum())
    values = {"amount": 0, "share": 0.0, "sales": 0.0, "n": n}
    for place in range(1, len(table)):
        upper = table.iloc[place:]
        if 0 < upper["orders"].sum() <= part * n:
            sums = {"share": float(upper["share"].sum()), "sales": float(upper["share_of_sales"].sum())}
            return values | {"amount": int(upper["from_amount"].iloc[0])} | sums
    return values


def weekdays(transactions: Any, span: Period) -> pd.DataFrame:
    """Orders of a period by weekday and time of day.

    Returns
    -------
    weekday, orders, share, index (orders a day over the mean of all days, 1 as many as on any other), and, where
    lines tell the hour, a column for each time of day (`h00_06` …) with its orders. An order is where its first line
    is; every weekday has a row, also one without orders. No rows without orders.
    """
    first, last = span.day_range
    lines = known_lines(transactions, first_day=first, last_day=last).filter(nw.col("kind") == "sale")
    began = lines.group_by("customer_id", "order_id").agg(
        nw.col("ordered_at").min(), nw.col("order_day").min()
    )
    day, hour = (nw.col("order_day") + 3) % 7, nw.col("ordered_at").dt.hour().cast(nw.Int64)
    minute = nw.col("ordered_at").dt.minute().cast(nw.Int64)
    # 1 January 1970, day 0, was a Thursday: the fourth day of a week.
    began = began.with_columns(day.alias("weekday"), hour.alias("hour"), minute.alias("minute"))
    counted = in_memory(began.group_by("weekday", "hour", "minute").agg(nw.len().alias("orders")))
    if counted.empty:
        return pd.DataFrame(columns=["weekday", "orders", "share", "index"])
    many = counted.groupby("weekday")["orders"].sum().reindex(range(7), fill_value=0).astype("int64")
    there = _of_each(first, last)
    expected = there / max(there.sum(), 1) * many.sum()
    table = pd.DataFrame(
        {"weekday": WEEKDAYS, "orders": many.to_numpy(), "share": many.to_numpy() / many.sum()}
    )
    table = table.assign(index=np.where(expected > 0, many.to_numpy() / np.maximum(expected, 1e-12), np.nan))
    if (counted["hour"] + counted["minute"]).sum() == 0:
        return table  # days alone: midnight is no time at which anybody buys
    counted = counted.assign(block=np.searchsorted(HOURS, counted["hour"], side="right") - 1)
    grid = counted.pivot_table(index="weekday", columns="block", values="orders", aggfunc="sum")
    grid = grid.reindex(index=range(7), columns=range(len(HOURS) - 1)).fillna(0).astype("int64")
    names = [f"h{begin:02d}_{end:02d}" for begin, end in itertools.pairwise(HOURS)]
    return table.join(grid.set_axis(names, axis=1))


def hours(table: pd.DataFrame) -> dict[str, str]:
    """Units of the times of day in a table of `weekdays`: counts all."""
    return {name: "count" for name in table.columns if name[:1] == "h" and name[1:3].isdigit()}


def _of_each(first: int, last: int) -> np.ndarray:
    """How many Mondays, Tuesdays … lie in a stretch of days."""
    return np.bincount((np.arange(first, last + 1) + 3) % 7, minlength=7)


def uneven(table: pd.DataFrame, name: str) -> dict:
    """Whether orders come oftener on some days than chance would have it, and the best and worst of them.

    Parameters
    ----------
    table : name, orders, index, as `weekdays` and `seasons` return it

    Returns
    -------
    n, names and least_names (one each), most and least (index), uneven: Pearson's χ² over expected numbers tells
    them apart at 5 %, and the best lies at least a tenth above the mean, since of many orders any trifle is told.
    """
    n = int(table["orders"].sum())
    values = {"n": n, "names": [], "least_names": [], "most": 0.0, "least": 0.0, "uneven": False}
    known = table[table["index"].notna() & ((table["index"] > 0) | (table["orders"] == 0))]
    if n == 0 or len(known) < 2:
        return values
    # What was expected is what came over its index; of a day without orders, the mean of the others.
    expected = (known["orders"] / known["index"].where(known["index"] > 0)).astype(float)
    expected = expected.fillna(expected.mean())
    chance = stats.chisquare(known["orders"], expected * known["orders"].sum() / expected.sum()).pvalue
    ordered = known.sort_values("index", kind="stable")
    best, worst = ordered.iloc[-1], ordered.iloc[0]
    return values | {
        "names": [best[name]],
        "least_names": [worst[name]],
        "most": float(best["index"] - 1),
        "least": float(1 - worst["index"]),
        "uneven": bool(chance < 0.05 and best["index"] >= 1.1),
    }


def seasons(transactions: Any, span: Period, years: int = 3) -> pd.DataFrame:
    """Orders by month of the year, of the last whole years up to the period's end, at most so many.

    Returns
    -------
    season (month_1 …), orders, share, index (orders a day over the mean, so that February is not small for its days
    alone). No rows below one whole year of orders.
    """
    end = span.as_of.year * 12 + span.as_of.month - 1
    whole = (span.as_of + dt.timedelta(days=1)).day == 1
    last = end if whole else end - 1
    lines = known_lines(transactions, last_day=span.day_range[1]).filter(
        nw.col("kind") == "sale", nw.col("order_month") <= last
    )
    began = lines.group_by("customer_id", "order_id").agg(nw.col("order_month").min())
    counted = in_memory(began.group_by("order_month").agg(nw.len().alias("orders"))).astype("int64")
    if counted.empty:
        return pd.DataFrame(columns=["season", "orders", "share", "index"])
    reach = min((last - int(counted["order_month"].min()) + 1) // 12, years)
    used = counted[counted["order_month"] > last - 12 * reach]
    if not reach or used.empty:
        return pd.DataFrame(columns=["season", "orders", "share", "index"])
    many = used.groupby(used["order_month"] % 12)["orders"].sum().reindex(range(12), fill_value=0)
    days = np.zeros(12)
    for month in range(last - 12 * reach + 1, last + 1):
        days[month % 12] += _days_in(month)
    table = pd.DataFrame({"season": MONTHS, "orders": many.to_numpy(), "share": many.to_numpy() / many.sum()})
    return table.assign(index=many.to_numpy() / (days / days.sum() * many.sum()))


def steady(begun: pd.DataFrame) -> dict:
    """Of newcomers with four whole quarters since: who bought in the first of them, and who in the fourth.

    Parameters
    ----------
    begun : as `cohorts.cohorts` returns it by quarter

    Returns
    -------
    cohorts, customers (in them), first and share (of these customers, 0–1)
    """
    late = begun[(begun["since"] == 4) & begun["complete"].astype(bool)]
    early = begun[(begun["since"] == 1) & begun["cohort"].isin(late["cohort"])]
    many = int(late["size"].sum())
    first, share = (int(part["customers"].sum()) / max(many, 1) for part in (early, late))
    return {"cohorts": len(late), "customers": many, "first": first, "share": share}


def everyone(states: pd.DataFrame) -> int:
    """How many customers the last month of `cohorts.newest_months` holds."""
    return int(states.drop(columns="month").tail(1).to_numpy().sum())


def lately(states: pd.DataFrame) -> dict:
    """Who bought in the last three months, against the same three a year before.

    Parameters
    ----------
    states : as `cohorts.newest_months` returns it, fifteen months or more

    Returns
    -------
    months (there are), active and before (customers a month, mean), new and away (mean of those won, and of those
    dormant or churned at the last month's end, a share of all), fewer: by more than chance, both counts taken as
    those of customers who come independently of each other
    """
    came = states[["new", "returning", "reactivated"]].sum(axis=1).astype("int64")
    now, then = int(came.tail(3).sum()), int(came.iloc[:-12].tail(3).sum())
    last = states.tail(1)
    away = int(last[["dormant", "churned"]].to_numpy().sum())
    return {
        "months": len(states),
        "active": now / 3,
        "before": then / 3,
        "new": int(states["new"].tail(3).sum()) / 3,
        "away": away / max(everyone(states), 1),
        "fewer": bool(then - now > stats.norm.ppf(0.95) * np.sqrt(then + now)),
    }


def _days_in(month: int) -> int:
    """Days of a month (year × 12 + month − 1).

    >>> _days_in(2024 * 12 + 1)
    29
    """
    starts = (dt.date(m // 12, m % 12 + 1, 1) for m in (month, month + 1))
    first, following = starts
    return (following - first).days
