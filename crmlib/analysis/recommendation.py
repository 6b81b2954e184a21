"""Who would recommend us and who warns of us: scores by class, and what promoters do afterwards."""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from crmlib.analysis import apart, intervals
from crmlib.analysis.satisfaction import NOT_TOLD, during, nps
from crmlib.classification.profiles import in_order
from crmlib.period import Period
from crmlib.rules import Classes

KINDS = ("promoter", "passive", "detractor")  # 9–10, 7–8, 0–6
DIMENSIONS = ("customer_type", "tier", "value")
SCORES = ["class", "level", "nps", "nps_low", "nps_high", "n", "against"]
KIND_COLUMNS = ["word", "answers", "share", "share_low", "share_high", "share_before"]
AFTERWARDS = ["word", "customers", "bought", "bought_share", "bought_share_low", "bought_share_high"]
UNITS = {"answers": "count", "share_before": "share", "bought": "count", "against": "word"}
UNITS |= dict.fromkeys(("nps", "nps_low", "nps_high"), "score")


def asked(answers: pd.DataFrame | None, span: Period) -> pd.DataFrame:
    """Answers of a period to the question of recommending, where it was asked on 0–10: with their `kind`."""
    if answers is None:
        return pd.DataFrame(columns=["customer_id", "kind", "aspect", "low", "high", "score"])
    said = during(answers, span)
    said = said[(said["aspect"] == "recommend") & (said["low"] == 0) & (said["high"] == 10)]
    return said.assign(kind=_kind(said["score"]))


def _kind(score: pd.Series) -> pd.Series:
    named = np.select([score >= 9, score >= 7], KINDS[:2], KINDS[2])
    return pd.Series(named, index=score.index, dtype="str")


def kinds(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Promoters, passives and detractors of a period, and their share in the previous one.

    Parameters
    ----------
    now, before : as `asked` returns them

    Returns
    -------
    word, answers, share with its 90 % interval (Wilson), share_before; no rows below ten answers
    """
    rows = []
    if len(now) >= intervals.ENOUGH:
        for name in KINDS:
            found = intervals.share(int((now["kind"] == name).sum()), len(now))
            then = (before["kind"] == name).mean() if len(before) >= intervals.ENOUGH else None
            count = int((now["kind"] == name).sum())
            rows.append((name, count, found["value"], found["low"], found["high"], then))
    return pd.DataFrame(rows, columns=KIND_COLUMNS).astype({"share_before": float})


def kind_figures(table: pd.DataFrame) -> dict[str, dict]:
    """The shares of `kinds` by id: `recommend.{kind}.share`; none where there are too few answers."""
    n = int(table["answers"].sum())
    return {
        f"recommend.{row.word}.share": {
            "value": row.share,
            "low": row.share_low,
            "high": row.share_high,
            "n": n,
        }
        for row in table.itertuples()
    }


def by_rule(rules: Classes) -> tuple[str, ...]:
    """Classes whose own rule looks at recommending: the tier, where loyalty weighs in it."""
    return ("tier",) if rules.tier.weights.loyalty else ()


def by_class(
    now: pd.DataFrame,
    judged: pd.DataFrame,
    dimensions: Sequence[str] = DIMENSIONS,
    *,
    ruled: Sequence[str] = (),
) -> pd.DataFrame:
    """The net promoter score of each class, and whether it lies apart from that of all others.

    Parameters
    ----------
    now : as `asked` returns it
    judged : in the columns of `tables.CLASSES`
    ruled : classes that look at recommending themselves, as `by_rule` names them; these are not told apart

    Returns
    -------
    class, level, nps (−100…100) with its 90 % interval (empty below ten answers), n, against: above
    or below all others, not_told, or by_rule; the reach of the difference is wide enough for all classes
    of a dimension.
    """
    rows = []
    for name in dimensions:
        level = now["customer_id"].map(judged.set_index("customer_id")[name])
        levels = in_order(set(level.dropna()) - set(NOT_TOLD))
        for one in levels:
            mine, others = nps(now[level == one]), nps(now[level.isin(levels) & (level != one)])
            side = "by_rule" if name in ruled else apart.SIDES[_side(mine, others, len(levels))]
            rows.append((name, one, mine["value"], mine.get("low"), mine.get("high"), mine["n"], side))
    kinds = dict.fromkeys(("nps", "nps_low", "nps_high"), float)
    return pd.DataFrame(rows, columns=SCORES).astype(kinds)


def _side(mine: dict, others: dict, groups: int) -> int:
    """1 above, -1 below, 0 not told; a score's whole reach is taken, before it is cut at the scale's end."""
    if mine["value"] is None or others["value"] is None:
        return 0
    reach = [max(part["high"] - part["value"], part["value"] - part["low"]) for part in (mine, others)]
    wider = stats.norm.ppf(1 - 0.05 / groups) / stats.norm.ppf(0.95)
    gap = mine["value"] - others["value"]
    return int(np.sign(gap)) if abs(gap) > np.hypot(*reach) * wider else 0


def figures(table: pd.DataFrame) -> dict[str, dict]:
    """The scores of `by_class` by id: `nps.score.{dimension}.{value}`."""
    found = {}
    for row in table.to_dict("records"):
        parts = {"value": None, "n": row["n"], "why": "too few"}
        if not pd.isna(row["nps"]):
            parts = {"value": row["nps"], "low": row["nps_low"], "high": row["nps_high"], "n": row["n"]}
        found[f"nps.score.{row['class']}.{row['level']}"] = parts
    return found


def lead(table: pd.DataFrame) -> dict:
    """Classes that lie apart from all others, and the highest and the lowest score of any.

    Returns
    -------
    known (classes with a score), apart (whether any is told from the others), above, below (names); first, last
    (level) and most, least (score) of the classes that do not differ by their own rule
    """
    known = table.dropna(subset=["nps"]).sort_values(["nps", "class", "level"], ignore_index=True)
    values = {"known": len(known), "first": "", "last": "", "most": 0.0, "least": 0.0}
    values |= apart.ends(known) | {"apart": bool(known["against"].isin(["above", "below"]).any())}
    known = known[known["against"] != "by_rule"]
    if len(known):
        top, bottom = known.iloc[-1], known.iloc[0]
        values |= {
            "first": top["level"],
            "most": top["nps"],
            "last": bottom["level"],
            "least": bottom["nps"],
        }
    return values


def afterwards(then: pd.DataFrame, bought: Collection[str]) -> pd.DataFrame:
    """What became of those who answered in a period: how many bought in the next one.

    Parameters
    ----------
    then : answers of the previous period, as `asked` returns them; a customer is what the last answer says
    bought : who bought in this period

    Returns
    -------
    word (promoter, passive, detractor), customers, bought, bought_share with its 90 % interval
    """
    last = then.sort_values(["answered_day", "source_file", "source_row"]) if len(then) else then
    newest = last.drop_duplicates("customer_id", keep="last")
    rows = []
    for name in KINDS if len(newest) else ():
        mine = newest.loc[newest["kind"] == name, "customer_id"]
        count = int(mine.isin(list(bought)).sum())
        found = intervals.share(count, len(mine)) if len(mine) >= intervals.ENOUGH else {}
        rows.append((name, len(mine), count, found.get("value"), found.get("low"), found.get("high")))
    shares = dict.fromkeys(AFTERWARDS[3:], float)
    return pd.DataFrame(rows, columns=AFTERWARDS).astype(shares)


def back_figures(table: pd.DataFrame) -> dict[str, dict]:
    """The shares of `afterwards` by id: `recommend.{kind}.bought`."""
    found = {}
    for row in table.itertuples():
        parts = {"value": None, "n": row.customers, "why": "too few"}
        if not pd.isna(row.bought_share):
            bounds = {"low": row.bought_share_low, "high": row.bought_share_high}
            parts = {"value": row.bought_share, "n": row.customers} | bounds
        found[f"recommend.{row.word}.bought"] = parts
    return found


def loyal(table: pd.DataFrame) -> dict:
    """Whether promoters came back oftener than detractors: n (the fewer of both), more, low, high, both shares."""
    values = {"n": 0, "more": 0.0, "low": 0.0, "high": 0.0, "promoters": 0.0, "detractors": 0.0}
    if not len(table):
        return values
    known = table.set_index("word")
    ours, theirs = (known.loc[name] for name in ("promoter", "detractor"))
    values["n"] = int(min(ours["customers"], theirs["customers"]))
    if values["n"] >= intervals.ENOUGH:
        low, high = apart.difference(
            int(ours["bought"]), int(ours["customers"]), int(theirs["bought"]), int(theirs["customers"])
        )
        values |= {"promoters": ours["bought_share"], "detractors": theirs["bought_share"]}
        values |= {"more": ours["bought_share"] - theirs["bought_share"], "low": low, "high": high}
    return values
