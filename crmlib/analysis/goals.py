"""Are we on target? Each goal held against five criteria, its plan, its KPI's own history, its sub-goals."""

import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from crmlib.goals import Goal
from crmlib.measures import measure

# KPIs that add up over periods; every other one is as it stands at the end of a period.
SUMS = ("sales.", "profit.amount", "customers.new", "orders.count")
CHANGES = 6  # changes of a KPI from one period to the next, below which a history tells no odds
DRAWS = 10_000
CRITERIA = ("specific", "measurable", "attainable", "relevant", "time_bound")
History = Mapping[str, Sequence[tuple[dt.date, dt.date, float]]]


def adds_up(kpi: str) -> bool:
    """Whether a KPI's values of several periods make one of the whole time.

    >>> adds_up("sales.identified"), adds_up("retention.rate")
    (True, False)
    """
    return kpi.startswith(SUMS)


def linted(goals: Mapping[str, Goal], history: History, *, as_of: dt.date) -> pd.DataFrame:
    """Every goal against every criterion.

    Parameters
    ----------
    goals : by key, as in `client.yml`
    history : KPI → (first day, last day, value in main units) of its periods up to as_of, oldest first;
        a KPI that cannot be computed is absent

    Returns
    -------
    goal, criterion, met (True, False; None where too little is known), why
    """
    rows = []
    for key, goal in goals.items():
        known = [value for *_, value in history.get(goal.kpi, ())]
        told = {
            "specific": (bool(goal.owner), "" if goal.owner else "no_owner"),
            "measurable": (bool(known), "" if known else "not_computed"),
            "attainable": _attainable(goal, history, as_of=as_of),
            "relevant": (
                bool(goal.parent or goal.serves),
                "" if goal.parent or goal.serves else "serves_nothing",
            ),
            "time_bound": (goal.by > as_of, "" if goal.by > as_of else "day_is_past"),
        }
        rows += [(key, criterion, *told[criterion]) for criterion in CRITERIA]
    return pd.DataFrame(rows, columns=["goal", "criterion", "met", "why"]).astype({"met": object})


def _attainable(goal: Goal, history: History, *, as_of: dt.date) -> tuple[bool | None, str]:
    """Whether history or a competitor has shown that much: odds of one in ten, or a benchmark."""
    better = np.greater_equal if goal.direction == "up" else np.less_equal
    if any(better(value, goal.target) for value in goal.benchmarks.values()):
        return True, "benchmark_reached_it"
    odds = probability(goal, history, as_of=as_of)
    if odds is None:
        return None, "history_too_short"
    # The least that odds can be is what no draw reached: a history says no smaller number.
    least = 1 / (len(history[goal.kpi]) + 1)
    return (True, "") if odds >= 0.1 and odds > least else (False, "beyond_its_history")


def probability(goal: Goal, history: History, *, as_of: dt.date, seed: int = 0) -> float | None:
    """How likely the goal is, if its KPI goes on changing from period to period as it did.

    The periods still to come are drawn from the changes of those that were, relative ones where all values
    are above zero. No history of n changes can be surer than n + 1 to 1. None below `CHANGES` changes.
    """
    periods = history.get(goal.kpi, ())
    values = np.array([value for *_, value in periods], float)
    if len(values) and goal.by <= as_of:
        return float(_reached(goal, np.array([actual(goal, history, as_of=as_of)]))[0])
    if len(values) <= CHANGES:
        return None
    length = (periods[-1][1] - periods[-1][0]).days + 1
    ahead = max(round((goal.by - as_of).days / length), 1)
    relative = bool((values > 0).all())
    steps = np.diff(np.log(values) if relative else values)
    drawn = np.random.default_rng(seed).choice(steps, (DRAWS, ahead)).cumsum(axis=1)
    paths = values[-1] * np.exp(drawn) if relative else values[-1] + drawn
    ends = paths[:, -1]
    # Without a start a total is that of one period, the last before its day.
    if adds_up(goal.kpi) and goal.start is not None:
        ends = paths.sum(axis=1) + (actual(goal, history, as_of=as_of) or 0.0)
    unsure = 1 / (len(steps) + 2)
    return float(np.clip(_reached(goal, ends).mean(), unsure, 1 - unsure))


def _reached(goal: Goal, values: np.ndarray) -> np.ndarray:
    return values >= goal.target if goal.direction == "up" else values <= goal.target


def actual(goal: Goal, history: History, *, as_of: dt.date) -> float | None:
    """What has been reached: a total since the start of the goal, else the newest value; None where unknown."""
    seen = [period for period in history.get(goal.kpi, ()) if period[1] <= min(as_of, goal.by)]
    if not adds_up(goal.kpi):
        return float(seen[-1][2]) if seen else None
    since = [value for first, _, value in seen if goal.start is None or first >= goal.start]
    # A total without a start is of the newest period.
    since = since[-1:] if goal.start is None else since
    return float(sum(since)) if since else None


def planned(goal: Goal, history: History, *, as_of: dt.date) -> float | None:
    """Where a straight line from the start to the target stands today; the target where no start is given."""
    if goal.start is None:
        return goal.target
    done = min(max((as_of - goal.start).days + 1, 0) / ((goal.by - goal.start).days + 1), 1.0)
    if adds_up(goal.kpi):
        return goal.target * done
    before = [value for _, last, value in history.get(goal.kpi, ()) if last < goal.start]
    return None if not before else before[-1] + (goal.target - before[-1]) * done


def standing(goals: Mapping[str, Goal], history: History, *, as_of: dt.date) -> pd.DataFrame:
    """Each goal beside its plan.

    Returns
    -------
    goal, name, parent, kpi, unit, actual, plan, target, short (of the target, 0 or more), probability, status
    (attained, on_plan, behind, missed; not_begun, not_computed, no_plan), by, owner, supervisor, benchmark (the best of
    the competitors)
    """
    rows = []
    for key, goal in goals.items():
        now, plan = (part(goal, history, as_of=as_of) for part in (actual, planned))
        way = 1 if goal.direction == "up" else -1
        short = None if now is None else max((goal.target - now) * way, 0.0)
        rival = max(goal.benchmarks.values(), key=lambda v: v * way) if goal.benchmarks else None
        odds = probability(goal, history, as_of=as_of)
        facts = (key, goal.name, goal.parent, goal.kpi, measure(goal.kpi).unit, now, plan, goal.target, short)
        status = _status(goal, now, plan, way, as_of)
        rows.append((*facts, odds, status, goal.by, goal.owner, goal.supervisor, rival))
    names = ["goal", "name", "parent", "kpi", "unit", "actual", "plan", "target", "short", "probability"]
    names += ["status", "by", "owner", "supervisor", "benchmark"]
    return pd.DataFrame(rows, columns=names)


def _status(goal: Goal, now: float | None, plan: float | None, way: int, as_of: dt.date) -> str:
    if goal.start is not None and goal.start > as_of:
        return "not_begun"
    if now is None:
        return "not_computed"
    # What may still grow beyond a ceiling is not attained before its day.
    sure = goal.by <= as_of or (way == 1 and adds_up(goal.kpi))
    if sure and (goal.target - now) * way <= 0:
        return "attained"
    if goal.by <= as_of:
        return "missed"
    if plan is None:
        return "no_plan"
    return "on_plan" if (plan - now) * way <= 0 else "behind"


def driver(table: pd.DataFrame, key: str) -> str | None:
    """The sub-goal that drives a miss: of those behind, directly or further down, the one that lacks most of its target.

    Sub-goals of one KPI's kind are held by what they lack in the parent's own unit, others by the share of
    their target that they lack. None where no sub-goal is behind.
    """
    below, front = [], [key]
    while front:
        front = table.loc[table["parent"].isin(front), "goal"].tolist()
        below += front
    late = table[table["goal"].isin(below) & table["status"].isin(["behind", "missed"])]
    ends = late[~late["goal"].isin(late["parent"])]  # the miss lies where nothing beneath explains it
    if ends.empty:
        return None
    lacking = ends["short"] / ends["target"].abs().replace(0, np.nan)
    return str(ends.loc[lacking.fillna(0).idxmax(), "goal"])


UNITS = {
    "kpi": "measure",
    "actual": "row",
    "plan": "row",
    "target": "row",
    "benchmark": "row",
    "odds": "share",
}
UNITS |= {"status": "word", "by": "date", "criterion": "word", "met": "word", "why": "word", "driver": "text"}


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Standing as a reader sees it, with the sub-goal that drives each miss; in the units of `UNITS`."""
    names = table.set_index("goal")["name"]
    missed = table["status"].isin(["behind", "missed"])
    driven = [
        names.get(driver(table, key), "") if m else "" for key, m in zip(table["goal"], missed, strict=True)
    ]
    columns = ["name", "kpi", "actual", "plan", "target", "odds", "status", "driver", "by"]
    columns += ["owner", "supervisor", "benchmark", "unit"]
    told = table.assign(driver=driven, odds=table["probability"])
    return told[columns].rename(columns={"name": "goal"})


def lacking(table: pd.DataFrame, goals: Mapping[str, Goal]) -> pd.DataFrame:
    """What `linted` found wanting, or could not tell: goal, criterion, met, why."""
    wanting = table[table["met"].ne(True)]
    met = wanting["met"].map(lambda met: "not_known" if met is None else "not_met")
    return wanting.assign(goal=wanting["goal"].map(lambda key: goals[key].name), met=met).reset_index(
        drop=True
    )


def counted(table: pd.DataFrame) -> dict:
    """Goals by how they stand: goals, known (of which that can be said), well (attained or on plan), behind, likely.

    `likely`: with odds of one half at least. `worst` is the name of the goal furthest from its odds.
    """
    known = table[table["status"].isin(["attained", "on_plan", "behind", "missed"])]
    odds = known["probability"].astype(float)
    worst = known.loc[odds.idxmin()] if odds.notna().any() else None
    return {
        "goals": len(table),
        "known": len(known),
        "well": int(known["status"].isin(["attained", "on_plan"]).sum()),
        "behind": int(known["status"].isin(["behind", "missed"]).sum()),
        "likely": int((odds >= 0.5).sum()),
        "worst": "" if worst is None else worst["name"],
        "odds": None if worst is None else float(worst["probability"]),
    }
