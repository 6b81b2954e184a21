"""What was asked for so far: order lines by product group, customer type and month or week, whole ones only."""

from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from crmlib.analysis.bought import kinds, named
from crmlib.classification.facts import in_memory
from crmlib.period import day_number, day_of
from crmlib.preferences import MONTHS_A_YEAR, WEEKS_A_YEAR

MOST_SERIES = 24  # the largest; all others together are one more
OTHERS = "all_others"
A_WEEK = 7
FIRST_DAYS = 3  # a first month that begins later is no whole one


@dataclass(frozen=True)
class Demanded:
    """Order lines of each series (product_group, customer_type) by step, the oldest first; `last` the newest step.

    `season` is the number of steps a year; `by` week or month. `why` there are none.
    """

    series: dict[tuple[str, str], np.ndarray]
    season: int
    by: str
    last: int
    why: str = ""
    shift: int = 0

    @property
    def lines(self) -> int:
        """All order lines counted."""
        return int(sum(values.sum() for values in self.series.values()))

    def began(self, steps_on: int) -> Any:
        """The first day of a step after the newest whole one."""
        step = self.last + steps_on
        if self.by == "month":
            return pd.Timestamp(step // 12, step % 12 + 1, 1).date()
        return day_of(step * A_WEEK + self.shift)


def demanded(transactions: Any, customers: pd.DataFrame, *, as_of: int, by: str) -> Demanded:
    """Order lines sold in whole months or weeks up to `as_of`; a week ends on its weekday.

    Parameters
    ----------
    transactions : order lines in the columns of `tables.TRANSACTIONS`, on an exact engine
    customers : customer_id, customer_type
    by : week or month
    """
    sold = named(transactions, as_of=as_of).filter(nw.col("kind") == "sale")
    who = nw.when(nw.col("known")).then(nw.col("customer_id")).alias("customer_id")
    shift = (as_of + 1) % A_WEEK
    step = nw.col("order_month") if by == "month" else (nw.col("order_day") - shift) // A_WEEK
    rows = in_memory(
        sold.with_columns(who, step.alias("step"))
        .group_by("customer_id", "group", "step")
        .agg(nw.len().alias("lines"), nw.col("order_day").min().alias("day"))
    )
    season = MONTHS_A_YEAR if by == "month" else WEEKS_A_YEAR
    if rows.empty:
        return Demanded({}, season, by, 0, "no_order_lines")
    first, last = _whole(int(rows["day"].min()), as_of, by, shift)
    rows = rows.assign(kind=kinds(rows["customer_id"], customers))
    table = rows.pivot_table(
        index="step", columns=["group", "kind"], values="lines", aggfunc="sum", fill_value=0
    )
    table = table.reindex(np.arange(first, last + 1), fill_value=0)
    if table.empty:
        return Demanded({}, season, by, last, "few_points")
    return Demanded(_largest(table), season, by, last, shift=shift)


def _whole(first_day: int, as_of: int, by: str, shift: int) -> tuple[int, int]:
    """The first and the last whole step."""
    if by == "week":
        return (first_day - shift + A_WEEK - 1) // A_WEEK, (as_of + 1 - shift) // A_WEEK - 1
    begin, after = pd.Timestamp(day_of(first_day)), pd.Timestamp(day_of(as_of + 1))
    first = begin.year * 12 + begin.month - 1 + (begin.day > FIRST_DAYS)
    return first, after.year * 12 + after.month - 2


def _largest(table: pd.DataFrame) -> dict[tuple[str, str], np.ndarray]:
    """The largest series under their names, all others as one."""
    order = table.sum().sort_index().sort_values(ascending=False, kind="stable").index
    found = {tuple(map(str, key)): table[key].to_numpy(dtype=float) for key in sorted(order[:MOST_SERIES])}
    if len(order) > MOST_SERIES:
        found[(OTHERS, OTHERS)] = table[order[MOST_SERIES:]].sum(axis=1).to_numpy(dtype=float)
    return found


def day_numbers(past: Demanded, steps: pd.Series) -> pd.Series:
    """The number of the first day of each step ahead."""
    days = {step: day_number(past.began(int(step))) for step in steps.unique()}
    return steps.map(days).astype("int64")
