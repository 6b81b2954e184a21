"""How the mix of customers moves (K13): the share of each level of a class, and its change since the previous period.

Both dates are judged by today's rules, so that a change is one of customers and not of standards. Shares are of
the customers of whom the class is known.
"""

from collections.abc import Sequence

import pandas as pd

from crmlib.analysis import intervals
from crmlib.analysis.kpis import Figures

CLASSES = ("tier", "value", "behaviour", "satisfaction", "need", "customer_type", "scale")
UNTOLD = ("not_supplied", "not_graded", "not_known", "not_grouped", "unknown")
ORDER = ("high", "medium", "low", "A", "B", "C", "active", "dormant", "churned")
ORDER += ("satisfied", "neutral", "dissatisfied", "personal", "enterprise", "large_enterprise")
COLUMNS = ["class", "level", "customers", "share", "share_low", "share_high", "customers_before"]
COLUMNS += ["share_before", "change"]
# A change of less than a point of the mix is not worth a sentence.
POINT = 0.01
UNITS = {"customers_before": "count", "share_before": "share", "level": "word"}


def mix(judged: pd.DataFrame, before: pd.DataFrame, names: Sequence[str] = CLASSES) -> pd.DataFrame:
    """Customers and their share by class and level, now and at the previous as_of.

    Parameters
    ----------
    judged, before : classes at `as_of` and at the previous `as_of`; without rows nothing is known of then

    Returns
    -------
    class, level, customers, share (0–1, of those of whom it is known) with its 90 % Wilson interval,
    customers_before, share_before (both empty where nothing is known of then), change (of the share), unit
    ("share": what the change is of). A class that nobody has has no rows.
    """
    parts = [_mix(judged, before, name) for name in names]
    filled = [part for part in parts if len(part)]
    table = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=COLUMNS)
    return table.assign(unit="share")


def _mix(judged: pd.DataFrame, before: pd.DataFrame, name: str) -> pd.DataFrame:
    now, then = (part[name][~part[name].isin(UNTOLD)].value_counts() for part in (judged, before))
    if not now.sum():
        return pd.DataFrame(columns=COLUMNS)
    known = int(then.sum()) > 0
    every = set(now.index) | set(then.index)
    # Classes have an order; names of the client stand by their number of customers.
    levels = [level for level in ORDER if level in every]
    levels += sorted(every - set(levels), key=lambda level: (-now.get(level, 0), level))
    rows = []
    for level in levels:
        held, total = int(now.get(level, 0)), int(now.sum())
        share = intervals.share(held, total)
        earlier = int(then.get(level, 0)) / int(then.sum()) if known else None
        part = [share[key] for key in ("value", "low", "high")]
        moved = held / total - earlier if known else None
        rows.append((name, level, held, *part, int(then.get(level, 0)) if known else None, earlier, moved))
    table = pd.DataFrame(rows, columns=COLUMNS)
    shares = ["share", "share_low", "share_high", "share_before", "change"]
    return table.astype(dict.fromkeys(shares, float) | {"customers_before": "Int64"})


def figures(table: pd.DataFrame) -> Figures:
    """The rows of `mix` as figures; the tiers' shares have an id of their own (`tier.{level}.share`)."""
    rows = table[table["class"] != "tier"].to_dict("records")
    sums = table.groupby("class")["customers"].sum().to_dict()
    return {
        f"mix.{row['class']}.{row['level']}": {
            "value": row["share"],
            "low": row["share_low"],
            "high": row["share_high"],
            "n": sums[row["class"]],
        }
        for row in rows
    }


def shift(table: pd.DataFrame) -> dict:
    """The level whose share moved most, and how much of a class changed its place in the mix.

    Returns
    -------
    class and level (as words), share, before, size (of the change), rose, moved (whether by `POINT` at least;
    None where nothing is known of then), customers
    """
    told = table.dropna(subset=["change"])
    if not len(told):
        nothing = dict.fromkeys(("share", "before", "size", "rose", "moved"))
        return nothing | {"class": [], "level": [], "customers": int(table["customers"].sum())}
    row = told.loc[told["change"].abs().idxmax()]
    return {
        "class": [row["class"]],
        "level": [row["level"]],
        "share": float(row["share"]),
        "before": float(row["share_before"]),
        "size": abs(float(row["change"])),
        "rose": bool(row["change"] > 0),
        "moved": bool(abs(row["change"]) >= POINT),
        "customers": int(table.loc[table["class"] == row["class"], "customers"].sum()),
    }
