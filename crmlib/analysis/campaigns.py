"""What campaigns reached, stirred and brought (K14, K15), by platform, as the platforms themselves count.

A campaign belongs to the period in which it began. People seen by two campaigns are counted twice, and whether
they would have bought without one is not known: conversions are what a platform claims.
"""

import pandas as pd

from crmlib.analysis import acquisition, intervals
from crmlib.analysis.kpis import Figures
from crmlib.period import Period

UNKNOWN, NOT_SUPPLIED = "unknown", "not supplied"
SUMS = ("reach", "engagement", "conversions", "cost")
COLUMNS = ["channel", "campaigns", *SUMS, "engaged", "converted", "conversion_cost", "reach_before", "change"]
UNITS = dict.fromkeys(("campaigns", "reach", "engagement", "conversions", "reach_before"), "count")
UNITS |= {"cost": "money", "conversion_cost": "money", "engaged": "share", "converted": "share"}


def during(campaigns: pd.DataFrame | None, span: Period) -> pd.DataFrame | None:
    """Campaigns that began in a period; None where not supplied."""
    return None if campaigns is None else campaigns[campaigns["began_day"].between(*span.day_range)]


def figures(campaigns: pd.DataFrame | None, span: Period) -> Figures:
    """Reach, engagement, conversions and cost of a period's campaigns, and what one conversion cost."""
    now = during(campaigns, span)
    if now is None or not len(now):
        why = NOT_SUPPLIED if now is None else "no campaign began in the period"
        ids = [f"campaigns.{name}" for name in (*SUMS, "engaged", "converted", "conversion.cost")]
        return {id: {"value": None, "n": 0, "why": why} for id in ids}
    found = {f"campaigns.{name}": _sum(now[name]) for name in SUMS}
    for name, part, whole in (("engaged", "engagement", "reach"), ("converted", "conversions", "engagement")):
        found[f"campaigns.{name}"] = _share(now, part, whole)
    both = now.dropna(subset=["conversions", "cost"])
    each = acquisition.each(int(both["cost"].sum()), int(both["conversions"].sum()))
    told = each if each["value"] is not None or len(both) else each | {"why": NOT_SUPPLIED}
    return found | {"campaigns.conversion.cost": told}


def _sum(values: pd.Series) -> dict:
    known = values.dropna()
    if not len(known):
        return {"value": None, "n": 0, "why": NOT_SUPPLIED}
    return {"value": int(known.sum()), "n": len(known)}


def _share(now: pd.DataFrame, part: str, whole: str) -> dict:
    """One count ÷ another, of campaigns that tell both; a part that exceeds its whole is no share."""
    both = now.dropna(subset=[part, whole])
    over, under = int(both[part].sum()), int(both[whole].sum())
    if not under:
        return {"value": None, "n": 0, "why": NOT_SUPPLIED}
    if over > under:
        why = "more engagement than reach" if whole == "reach" else "more conversions than engagement"
        return {"value": None, "n": under, "why": why}
    return intervals.share(over, under)


def by_channel(campaigns: pd.DataFrame | None, span: Period) -> pd.DataFrame:
    """A period's campaigns by platform, the widest reach first.

    Returns
    -------
    channel ("unknown" where none is named), campaigns, reach, engagement, conversions, cost (each empty where not
    supplied), engaged (engagement ÷ reach), converted (conversions ÷ engagement), conversion_cost (cost ÷ conversions;
    empty below `acquisition.ENOUGH`), reach_before (in the previous period), change (of the reach)
    """
    now, before = during(campaigns, span), during(campaigns, span.previous())
    if now is None or not len(now):
        return pd.DataFrame(columns=COLUMNS)
    now, before = (
        part.assign(channel=part["channel"].astype(object).fillna(UNKNOWN)) for part in (now, before)
    )
    then = before.groupby("channel")["reach"].sum(min_count=1)
    rows = []
    for channel, group in now.groupby("channel"):
        sums = [_sum(group[name])["value"] for name in SUMS]
        engaged, converted = (
            _share(group, *pair)["value"] for pair in (("engagement", "reach"), ("conversions", "engagement"))
        )
        both = group.dropna(subset=["conversions", "cost"])
        each = acquisition.each(int(both["cost"].sum()), int(both["conversions"].sum()))["value"]
        rows.append((channel, len(group), *sums, engaged, converted, each, then.get(channel), None))
    table = pd.DataFrame(rows, columns=COLUMNS)
    table = table.astype(dict.fromkeys((*SUMS, "reach_before"), "Int64"))
    table = table.astype(dict.fromkeys(("engaged", "converted", "conversion_cost"), float))
    earlier = table["reach_before"].astype("Float64").astype(float)
    reached = table["reach"].astype("Float64").astype(float)
    table["change"] = (reached - earlier) / earlier.where(earlier > 0)
    return table.sort_values(["reach", "channel"], ascending=[False, True], ignore_index=True)


def moved(table: pd.DataFrame) -> dict:
    """The platforms whose reach grew and fell most since the previous period.

    Returns
    -------
    grew and fell (names; empty where none did), growth, fall (sizes), platforms (with a previous period)
    """
    told = table.dropna(subset=["change"])
    found = {"grew": [], "fell": [], "growth": None, "fall": None, "platforms": len(told)}
    if not len(told):
        return found
    best, worst = told.loc[told["change"].idxmax()], told.loc[told["change"].idxmin()]
    if best["change"] > 0:
        found |= {"grew": [best["channel"]], "growth": float(best["change"])}
    if worst["change"] < 0:
        found |= {"fell": [worst["channel"]], "fall": -float(worst["change"])}
    return found
