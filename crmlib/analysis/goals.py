"""Are we on target? Each goal held against five criteria, its plan, its KPI's own history, its sub-goals."""

import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from crmlib.analysis import odds
from crmlib.goals import Goal
from crmlib.measures import measure

# KPIs that add up over periods; every other one is as it stands at the end of a period.
SUMS = ("sales.", "profit.amount", "customers.new", "orders.count")
CHANGES = 6  # changes of a KPI from one period to the next, below which a history tells no odds
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
    """Whether history or a competitor has shown that much: reached before, odds of one in ten, or a benchmark."""
    better = np.greater_equal if goal.direction == "up" else np.less_equal
    if any(better(value, goal.target) for value in goal.benchmarks.values()):
        return True, "benchmark_reached_it"
    if any(known is not None and better(known, goal.target) for known in usual(goal, history)):
        return True, "history_reached_it"
    odds = probability(goal, history, as_of=as_of)
    if odds is None:
        return None, "history_too_short"
    # The least that odds can be is what no draw reached: a history says no smaller number.
    least = 1 / (len(history[goal.kpi]) + 1)
    return (True, "") if odds >= 0.1 and odds > least else (False, "beyond_its_history")


def probability(goal: Goal, history: History, *, as_of: dt.date, seed: int = 0) -> float | None:
    """How likely the goal is, if its KPI goes on as it did: about its level or trend, with its season, or as a walk.

    How it went is told by `crmlib.analysis.odds`. No history of n changes can be surer than n + 1 to 1. None below
    `CHANGES` changes.
    """
    periods = history.get(goal.kpi, ())
    values = np.array([value for *_, value in periods], float)
    if len(values) and goal.by <= as_of:
        return float(_reached(goal, np.array([actual(goal, history, as_of=as_of)]))[0])
    if len(values) <= CHANGES:
        return None
    ahead = max(round((goal.by - as_of).days / odds.length(periods)), 1)
    drawn = odds.onward(periods, ahead=ahead, seed=seed)
    ends = drawn[:, -1]
    # Without a start a total is that of one period, the last before its day.
    if adds_up(goal.kpi) and goal.start is not None:
        ends = drawn.sum(axis=1) + (actual(goal, history, as_of=as_of) or 0.0)
    unsure = 1 / (len(values) + 1)
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
    the competitors), usual_low, usual_high (what its KPI has been: of a total, over as long as the goal lasts)
    """
    rows = []
    for key, goal in goals.items():
        now, plan = (part(goal, history, as_of=as_of) for part in (actual, planned))
        way = 1 if goal.direction == "up" else -1
        short = None if now is None else max((goal.target - now) * way, 0.0)
        rival = best(goal)[1] if goal.benchmarks else None
        odds = probability(goal, history, as_of=as_of)
        facts = (key, goal.name, goal.parent, goal.kpi, measure(goal.kpi).unit, now, plan, goal.target, short)
        status = _status(goal, now, plan, way, as_of)
        rows.append(
            (*facts, odds, status, goal.by, goal.owner, goal.supervisor, rival, *usual(goal, history))
        )
    names = ["goal", "name", "parent", "kpi", "unit", "actual", "plan", "target", "short", "probability"]
    names += ["status", "by", "owner", "supervisor", "benchmark", "usual_low", "usual_high"]
    return pd.DataFrame(rows, columns=names)


def best(goal: Goal) -> tuple[str, float]:
    """The competitor that does best by a goal's KPI, and how well."""
    way = 1 if goal.direction == "up" else -1
    name = max(goal.benchmarks, key=lambda rival: goal.benchmarks[rival] * way)
    return name, goal.benchmarks[name]


def benchmarked(goals: Mapping[str, Goal]) -> dict[str, float]:
    """KPI → the best competitor's value, of the KPIs whose goals name competitors; in main units."""
    named = [goal for goal in goals.values() if goal.benchmarks]
    everybody: dict[str, Goal] = {}
    for goal in named:
        first = everybody.setdefault(goal.kpi, goal)
        everybody[goal.kpi] = first.model_copy(update={"benchmarks": first.benchmarks | goal.benchmarks})
    return {kpi: best(goal)[1] for kpi, goal in everybody.items()}


def usual(goal: Goal, history: History) -> tuple[float | None, float | None]:
    """Least and most of what a goal's KPI has been: of a total with a start, over as many periods as it lasts.

    None where the history is shorter than that.
    """
    periods = history.get(goal.kpi, ())
    values = [value for *_, value in periods]
    if adds_up(goal.kpi) and goal.start is not None and periods:
        many = max(round(((goal.by - goal.start).days + 1) / odds.length(periods)), 1)
        values = [sum(values[n : n + many]) for n in range(len(values) - many + 1)]
    return (min(values), max(values)) if values else (None, None)


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
    "usual_low": "row",
    "usual_high": "row",
    "benchmark": "row",
    "odds": "share",
}
UNITS |= {"status": "word", "by": "date", "criterion": "word", "met": "word", "why": "word", "driver": "text"}


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Standing as a reader sees it, with the sub-goal that drives each miss; in the units of `UNITS`.

    Who answers for a goal stands in `crmlib.analysis.answering`.
    """
    names = table.set_index("goal")["name"]
    missed = table["status"].isin(["behind", "missed"])
    driven = [
        names.get(driver(table, key), "") if m else "" for key, m in zip(table["goal"], missed, strict=True)
    ]
    columns = ["name", "kpi", "actual", "plan", "target", "odds", "status", "driver", "by"]
    columns += ["benchmark", "usual_low", "usual_high", "unit"]
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
