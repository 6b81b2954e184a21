"""Tallies of finance: what winning a customer cost, and how many applications were approved."""

from typing import Any

import pandas as pd

from crmlib.analysis.tally import ROW, UNKNOWN, Tally, known, nothing
from crmlib.classification import habits
from crmlib.classification.facts import in_memory
from crmlib.language.words import WORDS
from crmlib.period import Period

DECIDED = {"mix": "decided_mix", "rate": "decided_rate", "new": "decided_new", "lost": "decided_lost"}


def success(
    applications: pd.DataFrame | None, spans: tuple[Period, Period], customers: pd.DataFrame
) -> Tally:
    """Applications decided in a period: value 1 if approved, weight 1; their own product and grade.

    Parameters
    ----------
    applications : in the columns of `tables.APPLICATIONS`; None where not supplied
    """
    if applications is None:
        return nothing("finance.success_rate", DECIDED, "decided applications", "applications")
    decided = applications[applications["decision"].isin(["approved", "declined"])]
    # Where no application names the day of its decision, the day it was made stands for it.
    day = decided["applied_day"] if decided["decided_day"].isna().all() else decided["decided_day"]
    sides = []
    for span in spans[::-1]:
        rows = decided[day.between(*span.day_range)]
        own = {
            name: rows[name].astype(object).fillna(UNKNOWN).astype("str")
            for name in ("product", "credit_grade", "purpose")
            if decided[name].notna().any()
        }
        told = known(pd.DataFrame({"unit": rows["customer_id"]} | own), customers)
        counted = {"value": (rows["decision"] == "approved").astype("int64").to_numpy(), "weight": 1}
        place = rows["source_file"].astype("str") + " " + rows["source_row"].astype("str")
        sides.append(told.assign(**counted, unit=place.to_numpy()))
    if "product" in sides[0]:
        both = set(sides[0]["product"]) & set(sides[1]["product"])
        sides = [side.assign(stays=side["product"].isin(both)) for side in sides]
    else:
        sides = [side.assign(stays=True) for side in sides]
    why = None if all(map(len, sides)) else WORDS["untold_undecided"]
    told = {"sampled": True, "why": why}
    return Tally("finance.success_rate", *sides, DECIDED, "decided applications", "applications", **told)


ENOUGH = 10  # new customers; below it a cost of each says more of chance than of cost
SPENT = {"rate": "spent_rate", "new": "spent_new", "lost": "spent_lost"}


def acquisition(
    costs: pd.DataFrame | None,
    spans: tuple[Period, Period],
    won: tuple[int, int],
    through: tuple[pd.DataFrame, pd.DataFrame] | None = None,
) -> Tally:
    """Cost of winning customers by channel, on the customers won.

    Where every channel of costs is one that customers are won through, each channel has its own customers,
    and their number may shift between dear and cheap channels. Else all channels share the customers won, as
    `classification.lifetime` lays their costs: then more or fewer of them is a part of its own, and a shift
    cannot be told.

    Parameters
    ----------
    costs : in the columns of `tables.COSTS`; None where not supplied
    spans : this period and the one before
    won : new customers of this period and of the one before
    through : channel, won (customers won through it), of the same; channel empty where it is not one
    """
    id, of = "cac.amount", "new customers"
    spent = None if costs is None else costs[costs["kind"] == "acquisition"]
    if spent is None or not len(spent):
        return nothing(id, SPENT, of, "costs")
    sides = [_spent(spent[spent["cost_day"].between(*span.day_range)]) for span in spans[::-1]]
    why = None if min(won) > 0 else WORDS["untold_nobody_won"]
    if why is None and min(won) < ENOUGH:
        why = WORDS["untold_few_won"]
    if why is None and not all(side["value"].sum() for side in sides):
        why = WORDS["untold_no_cost"]
    channels = set().union(*(side["channel"] for side in sides))
    if (
        through is None
        or UNKNOWN in channels
        or not channels <= set().union(*(t["channel"] for t in through))
    ):
        parts = {"volume": "spent_volume"} | SPENT
        told = {"heads": (won[1], won[0]), "untold": {"mix": WORDS["untold_unplaced"]}, "why": why}
        return Tally(id, *sides, parts, of, "costs", **told)
    sides = [_met(side, people) for side, people in zip(sides, through[::-1], strict=True)]
    return Tally(id, *sides, {"mix": "won_mix"} | {p: f"won_{p}" for p in SPENT}, of, "costs", why=why)


def _spent(rows: pd.DataFrame) -> pd.DataFrame:
    channel = rows["channel"].astype(object).fillna(UNKNOWN).astype("str")
    spent = rows["amount"].groupby(channel.rename("channel")).sum().astype("int64").reset_index(name="value")
    return spent.assign(unit=spent["channel"], weight=0)[[*ROW, "channel"]]


def _met(side: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Cost and customers won by channel; a channel that only one of the two names has 0 of the other."""
    won = (
        people.assign(channel=people["channel"].astype(object).fillna(UNKNOWN))
        .groupby("channel")["won"]
        .sum()
    )
    spent = side.set_index("channel")["value"]
    both = pd.concat({"value": spent, "weight": won}, axis=1).fillna(0).astype("int64").rename_axis("channel")
    rows = both.reset_index()
    return rows.assign(unit=rows["channel"])[[*ROW, "channel"]]


def won(facts: pd.DataFrame, span: Period) -> int:
    """How many customers a period won: those whose first order ever lies in it."""
    return int(facts["first_day"].between(*span.day_range).sum())


def won_through(
    transactions: Any, facts: pd.DataFrame, spans: tuple[Period, Period]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Customers won in each period by the channel of their first day: channel (empty where not one), won."""
    sold = habits.sold(transactions, last_day=spans[0].day_range[1])
    first = in_memory(habits.first_channel(sold)).set_index("customer_id")["won_channel"]
    people = facts[["customer_id", "first_day"]]
    sides = []
    for span in spans:
        new = people[people["first_day"].between(*span.day_range)]
        channel = new["customer_id"].map(first).astype(object).rename("channel")
        sides.append(channel.groupby(channel, dropna=False).size().reset_index(name="won"))
    return tuple(sides)
