"""Customers by when they began, and what became of them month by month: no model, fixed days alone.

Lazy as `crmlib.classification.facts` is: an engine is asked for counts and whole sums over all
customers, so that neither lines nor customers enter memory.
"""

import itertools
from typing import Any, Literal

import narwhals as nw
import numpy as np
import pandas as pd

from crmlib import tables
from crmlib.classification.facts import in_memory, orders, source
from crmlib.client import Client
from crmlib.period import day_of
from crmlib.rules import BehaviourRule

MONTHS = {"month": 1, "quarter": 3}
ACTIVE_STATES = ("new", "returning", "reactivated")
SILENT_STATES = ("quiet", "dormant", "churned")
STATES = (*ACTIVE_STATES, *SILENT_STATES)


def cohorts(transactions: Any, *, as_of: int, by: Literal["month", "quarter"] = "month") -> pd.DataFrame:
    """Customers by the month or quarter of their first order, and how many bought in each one since.

    Parameters
    ----------
    transactions : order lines in the columns of `tables.TRANSACTIONS`, on an engine of `facts.EXACT`
    as_of : day number; later lines are not seen

    Returns
    -------
    cohort (first month of the cohort's month or quarter, year × 12 + month − 1), since (months or
    quarters since, from 0), size (customers of the cohort), customers (those who bought), share
    (customers ÷ size, 0–1), gross (their sales, smallest unit), complete (the month or quarter was
    over by as_of). A period in which nobody bought is there with 0; one after as_of is not there.
    An order belongs to the day of its first line.

    Raises
    ------
    Refused : an engine that is not exact
    """
    step, start = MONTHS[by], _month(as_of)
    bought = _bought(transactions, as_of=as_of)
    per = bought.group_by("customer_id", "order_month").agg(nw.col("gross").sum())
    began = nw.col("order_month").min().over("customer_id").alias("began")
    # The remainder taken off, not a division: a quotient is a fraction on some engines.
    periods = [(nw.col(c) - nw.col(c) % step).alias(c) for c in ("began", "order_month")]
    mine = per.with_columns(began).with_columns(*periods)
    mine = mine.group_by("customer_id", "began", "order_month").agg(nw.col("gross").sum())
    counted = in_memory(
        mine.group_by("began", "order_month").agg(nw.len().alias("customers"), nw.col("gross").sum())
    ).astype("int64")
    since = (counted["order_month"] - counted["began"]) // step
    found = counted.assign(since=since).set_index(["began", "since"])[["customers", "gross"]]
    whole = [(c, n) for c in sorted(set(counted["began"])) for n in range((start - c) // step + 1)]
    grid = pd.MultiIndex.from_tuples(whole, names=["cohort", "since"])
    table = found.rename_axis(["cohort", "since"]).reindex(grid, fill_value=0).reset_index()
    size = table["cohort"].map(table[table["since"] == 0].set_index("cohort")["customers"])
    end = _last_day(table["cohort"] + table["since"] * step + step - 1)
    table = table.assign(size=size, share=table["customers"] / size, complete=end <= as_of)
    return table[["cohort", "since", "size", "customers", "share", "gross", "complete"]]


def monthly_states(transactions: Any, *, as_of: int, rule: BehaviourRule) -> pd.DataFrame:
    """What every customer was in each month since the first order: six states by fixed days, no model.

    A customer who bought in the month is

    - `new`: the first order ever lies in it;
    - `reactivated`: the month's first order came more than `active_days` after the order before;
    - `returning`: otherwise.

    One who bought before, but not in the month, is at its end

    - `quiet`: silent for at most `active_days`;
    - `dormant`: longer, but for at most `dormant_days`;
    - `churned`: longer still.

    Parameters
    ----------
    transactions : order lines in the columns of `tables.TRANSACTIONS`, on an engine of `facts.EXACT`
    as_of : day number; later lines are not seen, and the last month ends with it
    rule : its `active_days` and `dormant_days`; own rhythms are not looked at

    Returns
    -------
    month (year × 12 + month − 1), new, returning, reactivated, quiet, dormant, churned (customers, each
    in one of the six), total (their sum: everyone with an order so far), complete (the month was over
    by as_of); every month from the first order to as_of.

    Raises
    ------
    Refused : an engine that is not exact
    """
    stays = in_memory(_stays(transactions, as_of=as_of, rule=rule))
    if stays.empty:
        return pd.DataFrame(columns=["month", *STATES, "total", "complete"]).astype("int64")
    whole = ["order_month", "last_day", "came", "customers"]  # pandas, the engine, may have made them floats
    stays = stays.astype(dict.fromkeys(whole, "int64"))
    months = np.arange(stays["order_month"].min(), _month(as_of) + 1)
    counts = _coming(stays, months) | _silence(stays, months, as_of=as_of, rule=rule)
    table = pd.DataFrame({"month": months} | counts)
    return table.assign(total=table[list(STATES)].sum(axis=1), complete=_last_day(months) <= as_of)


def _coming(stays: pd.DataFrame, months: np.ndarray) -> dict[str, np.ndarray]:
    """Customers with an order in each month, by how they came."""
    place = (stays["order_month"] - months[0]).to_numpy()
    counts = {state: np.zeros(len(months), dtype=np.int64) for state in ACTIVE_STATES}
    for code, state in enumerate(ACTIVE_STATES):
        chosen = (stays["came"] == code).to_numpy()
        np.add.at(counts[state], place[chosen], stays["customers"].to_numpy()[chosen])
    return counts


def _silence(
    stays: pd.DataFrame, months: np.ndarray, *, as_of: int, rule: BehaviourRule
) -> dict[str, np.ndarray]:
    """Customers without an order in each month, by how long they were silent at its end.

    Silence reaches from the month after an order to the one before the next, or to the last. Its
    months part at two places: where the end of the month lies beyond each of the rule's days.
    """
    begin = (stays["order_month"] - months[0]).to_numpy() + 1
    end = stays["next_month"].fillna(months[-1] + 1).to_numpy(np.int64) - months[0]
    ends, last = np.minimum(_last_day(months), as_of), stays["last_day"].to_numpy(np.int64)
    parts = [
        np.searchsorted(ends, last + days, side="right") for days in (rule.active_days, rule.dormant_days)
    ]
    bounds = [begin, *(np.clip(part, begin, end) for part in parts), end]
    counts = {}
    for state, (since, until) in zip(SILENT_STATES, itertools.pairwise(bounds), strict=True):
        change = np.zeros(len(months) + 1, dtype=np.int64)
        np.add.at(change, since, stays["customers"].to_numpy())
        np.subtract.at(change, until, stays["customers"].to_numpy())
        counts[state] = change.cumsum()[:-1]
    return counts


def order_lines(client: Client, *, as_of: int) -> Any:
    """A client's order lines by a day; none where it supplies none."""
    if source(client) != tables.TRANSACTIONS.name:
        return tables.TRANSACTIONS.schema.empty_table()
    return tables.relation(client.delivery, tables.TRANSACTIONS, until=as_of)


def stayed(cohorts: pd.DataFrame, *, by: Literal["month", "quarter"], most: int = 8) -> pd.DataFrame:
    """The newest cohorts side by side: cohort, and who bought in each period since (1, 2 …; 0–1).

    A cohort's name holds its number of customers: `2024-Q1 · 132`. Periods that are not over are left
    out; a cell is empty where none is over yet.
    """
    over = cohorts[cohorts["complete"] & (cohorts["since"] > 0) & (cohorts["since"] <= most)]
    newest = sorted(set(over["cohort"]))[-most:]
    over = over[over["cohort"].isin(newest)]
    size = over.drop_duplicates("cohort").set_index("cohort")["size"]
    wide = over.pivot(index="cohort", columns="since", values="share").rename(columns=str)
    names = [
        f"{c // 12}-Q{c % 12 // 3 + 1}" if by == "quarter" else f"{c // 12}-{c % 12 + 1:02d}" for c in newest
    ]
    named = [f"{name} · {size[c]:,}" for name, c in zip(names, newest, strict=True)]
    wide.insert(0, "cohort", pd.Series(named, index=wide.index, dtype=object))
    return wide.reset_index(drop=True).rename_axis(columns=None)


def again(cohorts: pd.DataFrame) -> dict[str, float] | None:
    """Of the two newest cohorts with a whole period since: share who bought in that first one, and customers."""
    first = cohorts[(cohorts["since"] == 1) & cohorts["complete"]].tail(2)
    if len(first) < 2:
        return None
    before, now = first["share"]
    return {"share": float(now), "before": float(before), "customers": int(first["size"].min())}


def newest_months(states: pd.DataFrame, most: int = 13) -> pd.DataFrame:
    """The newest months that are over: month (2024-01) and customers in each state."""
    over = states[states["complete"].astype(bool)].tail(most).reset_index(drop=True)
    names = pd.Series([f"{m // 12}-{m % 12 + 1:02d}" for m in over["month"]], dtype=object)
    return over.assign(month=names)[["month", *STATES]]


def _bought(transactions: Any, *, as_of: int) -> nw.LazyFrame:
    """One row per order with a sale: customer_id, order_day, order_month, gross."""
    return orders(transactions, last_day=as_of).filter(~nw.col("order_day").is_null())


def _stays(transactions: Any, *, as_of: int, rule: BehaviourRule) -> nw.LazyFrame:
    """Customers by month with an order, its last order day, the next month with one, and how they came.

    `came` is the place of a state in `ACTIVE_STATES`.
    """
    mine = _bought(transactions, as_of=as_of).group_by("customer_id", "order_month")
    months = mine.agg(
        nw.col("order_day").min().alias("first_day"), nw.col("order_day").max().alias("last_day")
    ).with_columns(
        nw.col("last_day").shift(1).over("customer_id", order_by="order_month").alias("before"),
        nw.col("order_month").shift(-1).over("customer_id", order_by="order_month").alias("next_month"),
    )
    before = nw.col("before")
    came = (
        nw.when(before.is_null())
        .then(nw.lit(0))
        .otherwise(nw.when(nw.col("first_day") - before > rule.active_days).then(2).otherwise(1))
    )
    months = months.with_columns(came.alias("came"))
    return months.group_by("order_month", "last_day", "next_month", "came").agg(nw.len().alias("customers"))


def _month(day: int) -> int:
    date = day_of(day)
    return date.year * 12 + date.month - 1


def _last_day(months: Any) -> np.ndarray:
    """The last day of months (year × 12 + month − 1), as day numbers."""
    following = (np.asarray(months, dtype=np.int64) + 1 - 1970 * 12).astype("datetime64[M]")
    return following.astype("datetime64[D]").astype(np.int64) - 1
