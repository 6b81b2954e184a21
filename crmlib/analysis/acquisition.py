"""What it costs to win a customer (K03), in all, by channel and over time.

Costs of a period stand beside the customers whose first order lies in it. How many come is partly chance, so the
cost of a new customer carries an interval, and from few customers it is not told at all. Channels of advertising
and channels of sale need not be one list: a cost by channel is set against customers only where they are.
"""

from typing import Any

import narwhals as nw
import pandas as pd
from scipy import stats

from crmlib.analysis import intervals
from crmlib.analysis.kpis import Figures
from crmlib.classification.facts import in_memory
from crmlib.classification.habits import first_channel
from crmlib.classification.lifetime import WON
from crmlib.period import Period

# New customers; below it the interval reaches from less than three fifths of the cost to twice the cost.
ENOUGH = 10
PERIODS = 6
UNKNOWN = "unknown"
NOT_SUPPLIED, NO_LINES = "not supplied", "no order lines"
NOBODY, FEW = "nobody was won in the period", "too few"
APART = "the channels of costs are not those of orders"
CHANNELS = ["channel", "amount", "share", "amount_before", "change", "won", "cost_each"]
CHANNELS += ["cost_each_low", "cost_each_high"]
OVER_TIME = ["period", "amount", "won", "cost_each", "cost_each_low", "cost_each_high"]
UNITS = {"period": "text", "won": "count", "amount_before": "money"}
UNITS |= dict.fromkeys(("cost_each", "cost_each_low", "cost_each_high"), "money")


def each(cost: int, people: int) -> dict:
    """Cost ÷ customers as `intervals.each` has it: value, low, high, n; refused below `ENOUGH` customers.

    >>> {name: round(part, 1) for name, part in each(1000, 10).items()}
    {'value': 100.0, 'low': 59.0, 'high': 184.3, 'n': 10}
    """
    if people < ENOUGH:
        return {"value": None, "n": int(people), "why": FEW if people else NOBODY}
    return intervals.each(cost, int(people))


def won(facts: pd.DataFrame, transactions: Any) -> pd.DataFrame:
    """When and through which channel customers were won.

    Parameters
    ----------
    facts : `classification.facts.facts`
    transactions : the order lines that they were taken from

    Returns
    -------
    customer_id, first_day, channel (of the lines of the first day, where they name one and the same)
    """
    lines = nw.from_native(transactions).lazy()
    sold = lines.filter(nw.col("known"), nw.col("kind") == "sale")
    through = in_memory(first_channel(sold)).rename(columns={"won_channel": "channel"})
    came = facts[["customer_id", "first_day"]]
    return came.merge(through, on="customer_id", how="left", validate="one_to_one")


def during(costs: pd.DataFrame | None, span: Period, kind: str = WON) -> pd.DataFrame | None:
    """Costs of a kind that are dated in a period; None where the client supplies no costs."""
    if costs is None:
        return None
    return costs[(costs["kind"] == kind) & costs["cost_day"].between(*span.day_range)]


def total(costs: pd.DataFrame | None, span: Period, kind: str = WON) -> dict:
    """The cost of a kind in a period, and of how many rows; None with its reason where it is not known.

    A period in which no cost is dated has no cost that anybody knows of: None, not 0.
    """
    rows = during(costs, span, kind)
    if rows is None:
        return {"value": None, "n": 0, "why": NOT_SUPPLIED}
    if len(rows):
        return {"value": int(rows["amount"].sum()), "n": len(rows)}
    every = costs[costs["kind"] == kind]
    if len(every) and every["cost_day"].isna().all():
        return {"value": None, "n": 0, "why": "the costs name no day"}
    return {"value": None, "n": 0, "why": "no such cost in the period"}


def figures(costs: pd.DataFrame | None, won: pd.DataFrame | None, span: Period) -> Figures:
    """Cost of winning customers and cost of a new customer, in all and by channel.

    Parameters
    ----------
    costs : by as_of, in the columns of `tables.COSTS`; None where not supplied
    won : as `won` returns it; None where there are no order lines
    """
    spent = total(costs, span)
    found = {"acquisition.amount": spent, "cac.amount": _each(spent, came(won, span))}
    rows = during(costs, span)
    if rows is None or not len(rows):
        return found
    alike = same_channels(costs, won)
    new = _by_channel(won, span) if alike else {}
    for channel, group in _named(rows).groupby("channel"):
        part = {"value": int(group["amount"].sum()), "n": len(group)}
        found[f"acquisition.amount.{channel}"] = part
        refused = {"value": None, "n": 0, "why": APART if won is not None else NO_LINES}
        found[f"cac.amount.{channel}"] = _each(part, int(new.get(channel, 0))) if alike else refused
    return found


def _each(spent: dict, people: int | None) -> dict:
    """Cost of a new customer; the reason of a cost that is not known goes first."""
    if spent["value"] is None:
        return {"value": None, "n": people or 0, "why": spent["why"]}
    if people is None:
        return {"value": None, "n": 0, "why": NO_LINES}
    return each(spent["value"], people)


def came(won: pd.DataFrame | None, span: Period) -> int | None:
    """How many customers were won in a period; None where there are no order lines."""
    return None if won is None else int(won["first_day"].between(*span.day_range).sum())


def same_channels(costs: pd.DataFrame | None, won: pd.DataFrame | None) -> bool:
    """Whether every cost of winning names a channel, and each of these is one that customers came through."""
    if costs is None or won is None:
        return False
    channels = costs.loc[costs["kind"] == WON, "channel"]
    return len(channels) > 0 and channels.notna().all() and set(channels) <= set(won["channel"].dropna())


def _by_channel(won: pd.DataFrame, span: Period) -> dict[str, int]:
    new = won[won["first_day"].between(*span.day_range)]
    return new["channel"].dropna().value_counts().to_dict()


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(channel=rows["channel"].astype(object).fillna(UNKNOWN))


def channels(costs: pd.DataFrame | None, won: pd.DataFrame | None, span: Period) -> pd.DataFrame:
    """Cost of winning by channel, beside the previous period, the dearest first.

    Returns
    -------
    channel ("unknown" where none is named), amount, share (of the cost of the period), amount_before, change
    (growth; empty where there was no cost), and, only where the channels are those customers came through,
    won (new customers), cost_each and its 90 % interval (empty below `ENOUGH` customers). No rows where no
    cost of winning is dated in the period.
    """
    now, before = during(costs, span), during(costs, span.previous())
    if now is None or not len(now):
        return pd.DataFrame(columns=CHANNELS[:5])
    sums, then = (_named(part).groupby("channel")["amount"].sum() for part in (now, before))
    names = sums.index.union(then.index)
    table = pd.DataFrame({"channel": names, "amount": sums.reindex(names, fill_value=0).to_numpy()})
    table["share"] = table["amount"] / max(int(table["amount"].sum()), 1)
    table["amount_before"] = table["channel"].map(then).astype("Int64")
    earlier = table["amount_before"].astype(float)
    table["change"] = (table["amount"] - earlier) / earlier.where(earlier > 0)
    if same_channels(costs, won):
        new = _by_channel(won, span)
        table["won"] = table["channel"].map(new).fillna(0).astype("int64")
        told = [each(row.amount, row.won) for row in table.itertuples(index=False)]
        for name, key in (("cost_each", "value"), ("cost_each_low", "low"), ("cost_each_high", "high")):
            table[name] = pd.Series([part.get(key) for part in told], dtype=float)
    return table.sort_values(["amount", "channel"], ascending=[False, True], ignore_index=True)


def over_time(
    costs: pd.DataFrame | None, won: pd.DataFrame | None, span: Period, *, periods: int = PERIODS
) -> pd.DataFrame:
    """The cost of a new customer in this period and those before it, oldest first.

    A period that began before the first order is left out: who is new in it is not known. So is one without
    a dated cost of winning.

    Returns
    -------
    period, amount, won, cost_each and its 90 % interval (empty below `ENOUGH` new customers)
    """
    if costs is None or won is None or not len(won):
        return pd.DataFrame(columns=OVER_TIME)
    began, spans = won["first_day"].min(), [span]
    while len(spans) < periods:
        spans.append(spans[-1].previous())
    rows = []
    for part in reversed(spans):
        spent, people = total(costs, part)["value"], came(won, part)
        if spent is not None and part.day_range[0] >= began:
            told = each(spent, people)
            rows.append((part.name, spent, people, *(told.get(key) for key in ("value", "low", "high"))))
    table = pd.DataFrame(rows, columns=OVER_TIME)
    return table.astype(dict.fromkeys(OVER_TIME[3:], float))


def dearer(now: Figures, before: Figures) -> dict:
    """Whether a new customer cost more than in the previous period, beyond chance.

    Given the costs of both periods, and if a customer cost the same in both, new customers would divide between
    them as the costs do: an exact binomial test, at 90 %.

    Returns
    -------
    value, low, high, before, size (of the growth), grew (whether it rose at all), apart (beyond chance), known
    (whether a cost is dated in the period and order lines tell who was new), least (new customers of the
    smaller period; 0 where one of the two costs is not told, and then size, grew and apart are None)
    """
    one, other = now["cac.amount"], before["cac.amount"]
    told = {name: one.get(name) for name in ("value", "low", "high")} | {"before": other.get("value")}
    told |= {"known": one["value"] is not None or one["why"] in (FEW, NOBODY)}
    if one["value"] is None or other["value"] is None:
        return told | {"least": 0, "size": None, "grew": None, "apart": None}
    growth = (one["value"] - other["value"]) / other["value"] if other["value"] else None
    spent = [part["acquisition.amount"]["value"] for part in (now, before)]
    part = spent[0] / sum(spent) if sum(spent) else 0.5
    odds = stats.binomtest(one["n"], one["n"] + other["n"], part).pvalue
    size = None if growth is None else abs(growth)
    told |= {"least": min(one["n"], other["n"]), "size": size, "grew": one["value"] > other["value"]}
    return told | {"apart": bool(odds < 1 - intervals.LEVEL)}


def largest(table: pd.DataFrame) -> dict:
    """Of the channels with a name, the one that took most: its name, its share, the money, and of how many."""
    named = table[(table["channel"] != UNKNOWN) & (table["amount"] > 0)]
    first = named.head(1)
    return {
        "names": first["channel"].tolist(),
        "share": float(first["share"].sum()),
        "money": int(first["amount"].sum()),
        "channels": len(named),
    }
