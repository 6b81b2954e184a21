"""Does it spread? Customers whom a dissatisfied influencer reaches, against comparable others.

An influencer *turned* on the day of the first of those forms, unbroken up to the latest, that were all dissatisfied.
Looked at are the customers they influence directly by a tie that stood on that day, and who ordered within the window
before it: how many of them ordered again within as long a window after it. Compared are all other customers who
ordered within the same window before, of the same type and with as many orders in it (1, 2, 3 or more), weighted like
those reached. Customers whom any dissatisfied influencer reaches are nobody's comparison.

What is told is a difference between groups that nobody drew by lot: who is tied to whom is no accident, and whatever
else befell the customers of one influencer in those days is in it as well.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from crmlib.analysis import apart
from crmlib.analysis.relation_risk import dissatisfied
from crmlib.analysis.relations import Graph
from crmlib.classification import facts as lines
from crmlib.classification.answered import percent
from crmlib.period import day_of

MOST_ORDERS = 3  # before the day, from which on customers count as alike
COLUMNS = [
    "customer_id",
    "turned",
    "n",
    "again",
    "others_again",
    "fewer",
    "fewer_low",
    "fewer_high",
    "spreads",
]
UNITS = {
    "turned": "date",
    "n": "count",
    "again": "share",
    "others_again": "share",
    "spreads": "word",
    **dict.fromkeys(("fewer", "fewer_low", "fewer_high"), "points"),
}


@dataclass(frozen=True)
class Spread:
    """What became of those whom dissatisfied influencers reach.

    Parameters
    ----------
    table : a row an influencer with customers enough, the largest fall first: customer_id, turned (day), n (customers
        looked at), again and others_again (share that ordered again), fewer (their difference) with its interval (wide
        enough for all influencers looked at together), spreads (fewer_came, more_came, not_told)
    whole : the same for all of them together, in one row; None where there are none
    sad : dissatisfied influencers
    early : of these, turned too lately for the window to be over
    few : of these, reaching too few customers who had ordered
    why : why nobody can be looked at, or nothing
    """

    table: pd.DataFrame
    whole: pd.Series | None
    sad: int = 0
    early: int = 0
    few: int = 0
    why: str = ""


def turned(answers: pd.DataFrame, *, dissatisfied: float) -> pd.Series:
    """The day each customer became dissatisfied, and has been since; days since 1970-01-01 by customer_id.

    Parameters
    ----------
    answers : in the columns of `tables.SURVEYS`
    dissatisfied : the mean of a form, 0–100, below which it is dissatisfied

    Examples
    --------
    >>> forms = {"customer_id": "a", "aspect": "service", "low": 1, "high": 5}
    >>> said = pd.DataFrame([forms | {"answered_day": d, "score": s} for d, s in ((1, 1), (2, 5), (3, 2), (4, 1))])
    >>> turned(said, dissatisfied=40).to_dict()
    {'a': 3}
    """
    rated = answers[answers["aspect"] != "recommend"]
    forms = (
        percent(rated)
        .groupby([rated["customer_id"], rated["answered_day"]])
        .mean()
        .rename("score")
        .reset_index()
    )
    forms["content"] = forms["score"] >= dissatisfied
    last = forms[forms["content"]].groupby("customer_id")["answered_day"].max()
    since = forms[forms["answered_day"] > forms["customer_id"].map(last).fillna(-np.inf)]
    return since.groupby("customer_id")["answered_day"].min().astype(int)


def spread(
    graph: Graph, answers: pd.DataFrame | None, transactions: Any, *, dissatisfied_below: float, as_of: int
) -> Spread:
    """What became of those whom each dissatisfied influencer reaches, against comparable others.

    Parameters
    ----------
    answers : survey answers by as_of; None where nobody was asked
    transactions : order lines; None where there are none
    dissatisfied_below : as the client's rule of satisfaction has it, 0–100
    """
    nothing = pd.DataFrame(columns=COLUMNS)
    if graph.why == "not_supplied" or answers is None or transactions is None:
        return Spread(nothing, None, why="not_supplied")
    if not len(graph):
        return Spread(nothing, None)
    days = turned(answers, dissatisfied=dissatisfied_below)
    sad = dissatisfied(graph)
    known = {place: int(days[graph.ids[place]]) for place in sad if graph.ids[place] in days.index}
    early = [place for place, day in known.items() if day + graph.rule.window_days > as_of]
    near = {place: _reached(graph, place, day) for place, day in known.items()}
    touched = set().union(*(graph.ids.iloc[sorted(places)] for places in near.values())) if near else set()
    looked, counts = [], []
    for place, day in known.items():
        # Fewer ties than customers asked for: no need to look into the orders.
        if place in early or len(near[place]) < graph.rule.at_least:
            continue
        cells = _cells(graph, near[place], touched, _windows(transactions, day, graph.rule.window_days))
        if cells["n"].sum() >= graph.rule.at_least:
            looked.append((graph.ids[place], day_of(day)))
            counts.append(cells)
    few = len(sad) - len(early) - len(looked)
    rows = [(*who, *_difference(cells, len(counts))) for who, cells in zip(looked, counts, strict=True)]
    table = pd.DataFrame(rows, columns=COLUMNS) if rows else nothing
    table = table.sort_values(["fewer", "customer_id"], ignore_index=True)
    whole = pd.Series(_difference(pd.concat(counts), 1), index=COLUMNS[2:]) if counts else None
    return Spread(table, whole, len(sad), len(early), few)


def _reached(graph: Graph, place: int, day: int) -> set[int]:
    """Whom a customer influenced directly on a day."""
    stood = graph.ties[graph.ties["since_day"] <= day]
    one = stood[stood["kind"].isin(graph.rule.one_way) & (stood["source"] == place)]
    both = stood[stood["kind"].isin(graph.rule.both_ways)]
    mutual = {*both.loc[both["source"] == place, "target"], *both.loc[both["target"] == place, "source"]}
    return {int(other) for other in {*one["target"], *mutual}} - {place}


def _windows(transactions: Any, day: int, window: int) -> pd.DataFrame:
    """Who ordered in the window before a day: customer_id, orders (1 to `MOST_ORDERS`), again (ordered after it)."""
    spans = ((day - window, day - 1), (day, day + window - 1))
    before, after = (
        lines.in_memory(
            lines.customers(transactions, first_day=first, last_day=last).select("customer_id", "orders")
        )
        for first, last in spans
    )
    before = before[before["orders"] > 0].reset_index(drop=True)
    came = set(after.loc[after["orders"] > 0, "customer_id"])
    return before.assign(
        orders=before["orders"].clip(upper=MOST_ORDERS).astype(int), again=before["customer_id"].isin(came)
    )


def _cells(graph: Graph, near: set[int], touched: set[str], windows: pd.DataFrame) -> pd.DataFrame:
    """Counts by type and orders before: n and kept of those reached, others and others_kept of the rest."""
    reached = windows["customer_id"].isin(graph.ids.iloc[sorted(near)])
    free = ~windows["customer_id"].isin(touched)
    kinds = graph.everybody["customer_type"].reindex(windows["customer_id"]).fillna("unknown").to_numpy()
    counted = windows.assign(
        kind=kinds,
        n=reached.astype(int),
        kept=(reached & windows["again"]).astype(int),
        others=free.astype(int),
        others_kept=(free & windows["again"]).astype(int),
    )
    cells = counted.groupby(["kind", "orders"])[["n", "kept", "others", "others_kept"]].sum()
    # Where nobody is comparable nothing is compared.
    return cells[(cells["n"] > 0) & (cells["others"] > 0)]


def _difference(cells: pd.DataFrame, comparisons: int) -> tuple:
    """n, again, others_again (shares), fewer (their difference) with its interval, and whether it is one beyond chance.

    The others' share is weighted like those reached; in the interval it weighs as many customers as would tell it as
    surely.
    """
    n, kept = int(cells["n"].sum()), int(cells["kept"].sum())
    weight = cells["n"] / n
    each = cells["others_kept"] / cells["others"]
    share = float((weight * each).sum())
    # Half a customer more on either side: a share of 0 or 1 is not known beyond doubt.
    safe = (cells["others_kept"] + 0.5) / (cells["others"] + 1)
    doubt = float((weight**2 * safe * (1 - safe) / cells["others"]).sum())
    alike = max(round(share * (1 - share) / doubt), 1) if 0 < share < 1 else int(cells["others"].sum())
    low, high = apart.difference(kept, n, round(share * alike), alike, comparisons=max(comparisons, 1))
    verdict = "fewer_came" if high < 0 else "more_came" if low > 0 else "not_told"
    return n, kept / n, share, kept / n - share, low, high, verdict


def figures(found: Spread) -> dict[str, dict]:
    """The difference over all influencers with customers enough; no value where nobody has."""
    if found.whole is None:
        why = (
            "no survey, no order lines or no relations"
            if found.why
            else "too few customers reached by a dissatisfied influencer"
        )
        return {"influence.effect": {"value": None, "why": why}}
    whole = found.whole
    return {
        "influence.effect": {
            "value": float(whole["fewer"]),
            "low": float(whole["fewer_low"]),
            "high": float(whole["fewer_high"]),
            "n": int(whole["n"]),
        }
    }


def told(found: Spread) -> dict:
    """What a sentence says: of how many, how many came again, how many of comparable others, and the first influencer."""
    rows = found.table
    row = rows.iloc[0] if len(rows) else dict.fromkeys(COLUMNS, 0) | {"spreads": "not_told", "turned": None}
    falls = int((rows["spreads"] == "fewer_came").sum()) if len(rows) else 0
    counts = {"n": len(rows), "sad": found.sad, "early": found.early, "fell": falls, "few": found.few}
    return counts | {
        "reached": int(row["n"]),
        "again": float(row["again"]),
        "others": float(row["others_again"]),
        "fewer": float(row["fewer"]),
        "low": float(row["fewer_low"]),
        "high": float(row["fewer_high"]),
        "turned": row["turned"],
    }
