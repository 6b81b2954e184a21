"""The tree of goals: who answers for which, do the parts make the whole, and what a reader can say before any data."""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping

import pandas as pd

from crmlib.analysis.goals import adds_up
from crmlib.goals import Goal
from crmlib.measures import measure

BEHIND = ("behind", "missed")
# What a total is the sum of, besides its own groups and its own stretches of time.
PARTS = {
    "sales.all": {"sales.identified", "sales.unidentified"},
    "sales.net": {"sales.identified", "sales.returns.identified"},
    "sales.identified": {"value.retained", "value.acquired"},
}
GROUPS = "sales.identified."
UNITS = {
    "odds": "share",
    "status": "word",
    "by": "date",
    "target": "row",
    "sub_goals": "row",
    "nobodys": "row",
}
UNITS |= {"divided": "word", "together": "word"}


def answering(standing: pd.DataFrame) -> pd.DataFrame:
    """Who answers for which goals, supervisor by supervisor (P08).

    Parameters
    ----------
    standing : as `analysis.goals.standing` returns it

    Returns
    -------
    supervisor, owner (empty where nobody is named), goal (its name), status, odds, by; what nobody supervises last
    """
    named = standing.assign(
        goal=standing["name"],
        odds=standing["probability"],
        supervisor=standing["supervisor"].replace("", None),
        owner=standing["owner"].replace("", None),
    )
    ordered = named.sort_values(["supervisor", "owner"], kind="stable", na_position="last", ignore_index=True)
    return ordered[["supervisor", "owner", "goal", "status", "odds", "by"]]


def answered(table: pd.DataFrame) -> dict:
    """Of `answering`: goals, open (without owner or supervisor), names (of those)."""
    nobody = table[table["supervisor"].isna() | table["owner"].isna()]
    return {"goals": len(table), "open": len(nobody), "names": nobody["goal"].tolist()}


def most_behind(table: pd.DataFrame) -> dict:
    """Of `answering`: the supervisor with most goals behind, how many, of how many behind in all, and their names.

    `known` counts the goals of which it can be told how they stand.
    """
    late = table[table["status"].isin(BEHIND) & table["supervisor"].notna()]
    counts = late["supervisor"].value_counts(sort=False).sort_values(ascending=False, kind="stable")
    first = counts.index[0] if len(counts) else ""
    behind = table["status"].isin(BEHIND)
    known = behind | table["status"].isin(["attained", "on_plan"])
    names = late.loc[late["supervisor"] == first, "goal"].tolist()
    return {
        "first": first,
        "late": len(names),
        "names": names,
        "behind": int(behind.sum()),
        "known": int(known.sum()),
    }


def uncomputed(standing: pd.DataFrame) -> dict:
    """Goals whose KPI no period can compute: goals, names."""
    none = standing[standing["status"] == "not_computed"]
    return {"goals": len(standing), "names": none["name"].tolist()}


def parts(goals: Mapping[str, Goal]) -> pd.DataFrame:
    """Goals whose sub-goals ought to make the whole, and by how much they do not.

    Sub-goals make a whole where their KPIs are groups of the parent's by one dimension
    (`sales.identified.region.…` of `sales.identified`), or what it is the sum of (`PARTS`), each over the parent's own
    days; or where they are of the parent's KPI, a total, and share its days out among them.

    Returns
    -------
    goal (its name), divided (by_group, by_part, by_time), target, sub_goals (the sum of their targets), nobodys
    (what of the target is no sub-goal's; below 0 where they promise more), together (parts_equal, _short, _more), unit
    """
    rows = [row for _, row in _sums(goals)]
    return pd.DataFrame(
        rows, columns=["goal", "divided", "target", "sub_goals", "nobodys", "together", "unit"]
    )


def _sums(goals: Mapping[str, Goal]) -> Iterator[tuple[str, tuple]]:
    """The rows of `parts`, each with its goal's key: two goals may have one name."""
    for key, goal in goals.items():
        below = [other for other in goals.values() if other.parent == key]
        for divided, those in _divided(goal, below):
            whole = sum(other.target for other in those)
            left = goal.target - whole
            # Targets are typed by hand: what a rounding of the last digit leaves is nobody's gap.
            equal = abs(left) <= 1e-9 * max(abs(goal.target), abs(whole))
            how = "parts_equal" if equal else "parts_short" if left > 0 else "parts_more"
            unit = measure(goal.kpi).unit
            yield key, (goal.name, divided, goal.target, whole, 0.0 if equal else left, how, unit)


def _divided(goal: Goal, below: list[Goal]) -> list[tuple[str, list[Goal]]]:
    """The sub-goals that ought to make the whole, by the way in which they divide it."""
    same = [other for other in below if (other.start, other.by) == (goal.start, goal.by)]
    found: dict[tuple[str, str], list[Goal]] = {}
    for other in same:
        if goal.kpi + "." == GROUPS and other.kpi.startswith(GROUPS):
            found.setdefault(("by_group", other.kpi.split(".")[2]), []).append(other)
        elif other.kpi in PARTS.get(goal.kpi, ()):
            found.setdefault(("by_part", ""), []).append(other)
    stretches = sorted(
        (other for other in below if other.kpi == goal.kpi and other.start), key=lambda g: g.start
    )
    if len(stretches) > 1 and goal.start and adds_up(goal.kpi) and _share_out(goal, stretches):
        found["by_time", ""] = stretches
    return [(how, those) for (how, _), those in found.items()]


def _share_out(goal: Goal, stretches: list[Goal]) -> bool:
    """Whether goals follow each other from the first day of a goal to its last."""
    starts = [*(other.start for other in stretches), goal.by + dt.timedelta(days=1)]
    ends = [goal.start, *(other.by + dt.timedelta(days=1) for other in stretches)]
    return starts == ends


def undivided(table: pd.DataFrame) -> dict:
    """Of `parts`: wholes, and those whose parts do not make them, for a sentence: parts against target each."""
    wrong = table[table["together"] != "parts_equal"]
    sides = zip(wrong["goal"], wrong["unit"], wrong["sub_goals"], wrong["target"], strict=True)
    told = [{"fact": g, "word": None, "unit": u, "inside": p, "others": t} for g, u, p, t in sides]
    return {"wholes": len(table), "wrong": told}


def beforehand(
    goals: Mapping[str, Goal], *, supplied: Collection[str], as_of: dt.date
) -> list[tuple[str, str, str]]:
    """What is wanting in goals as they are written, before anything is computed: goal's key, why, detail.

    Parameters
    ----------
    supplied : names of the tables that the client delivers
    """
    found = []
    for key, goal in goals.items():
        source = measure(goal.kpi).source
        wanting = {
            "no_owner": not goal.owner,
            "no_supervisor": not goal.supervisor,
            "serves_nothing": not (goal.parent or goal.serves),
            "day_is_past": goal.by <= as_of,
            "source_not_supplied": source in SOURCES and source not in supplied,
        }
        told = {"source_not_supplied": source, "day_is_past": goal.by.isoformat()}
        found += [(key, why, told.get(why, "")) for why, wants in wanting.items() if wants]
    for key, (_, _, target, whole, _, how, _) in _sums(goals):
        if how != "parts_equal":
            found.append((key, how, f"{whole:,.10g} of {target:,.10g}"))
    return found


SOURCES = ("transactions", "surveys", "snapshot", "applications", "costs", "needs", "campaigns")
