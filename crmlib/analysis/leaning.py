"""How answers lean: against us, in the middle, for us, group by group, with the balance of both sides (V03, V04).

One table for three questions: how content customers are with each aspect, who would recommend us, and what
is said of us to others. Parts of a group sum to one.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from crmlib.analysis import intervals, satisfaction
from crmlib.classification.answered import percent
from crmlib.classification.profiles import NO_CLASS, in_order
from crmlib.period import Period
from crmlib.rules import SatisfactionRule

CONTENT = ("dissatisfied", "neutral", "satisfied")
RECOMMEND = ("detractor", "passive", "promoter")
TONES = ("tone_against", "tone_neutral", "tone_for")
# How the tables of this module are drawn.
DRAWN = {"label": "group", "parts": CONTENT, "value": "score"}
BALANCED = {"label": "group", "value": "balance", "ends": (-100, 100)}
BALANCE = ["balance", "balance_low", "balance_high"]
UNITS = dict.fromkeys((*CONTENT, *RECOMMEND, *TONES), "share") | dict.fromkeys(BALANCE, "score")


def leaning(said: pd.DataFrame, words: Sequence[str]) -> pd.DataFrame:
    """Each group's parts, and its balance.

    Parameters
    ----------
    said : a row an answer: customer_id (empty where nobody knows who), group, side (-1 against us, 0, 1 for us)
    words : what the three sides are called, against us first

    Returns
    -------
    group, a share (0–1) for each of `words`, balance (100 × for us − against us, −100…100) with its 90 %
    interval, n; groups in which fewer than ten persons answered are left out. Answers of one person hang
    together, those of unknown people stand for themselves.

    >>> said = pd.DataFrame({"customer_id": [str(n) for n in range(10)], "group": "a", "side": [1] * 6 + [0] + [-1] * 3})
    >>> leaning(said, RECOMMEND).drop(columns=["balance_low", "balance_high"]).values.tolist()
    [['a', 0.3, 0.1, 0.6, 30.0, 10]]
    """
    rows = []
    known = said[said["group"].notna() & ~said["group"].isin(NO_CLASS)]
    who = known["customer_id"].astype(object)
    alone = pd.Series([f"\0{n}" for n in range(len(known))], index=known.index, dtype=object)
    who = who.where(who.notna(), alone)
    for name in in_order(set(known["group"])):
        mine = known["group"] == name
        side = known.loc[mine, "side"]
        found = intervals.clustered_mean(100.0 * side, who[mine], ends=(-100, 100))
        if found["value"] is not None:
            parts = [float((side == way).mean()) for way in (-1, 0, 1)]
            rows.append((name, *parts, found["value"], found["low"], found["high"], len(side)))
    columns = ["group", *words, *BALANCE, "n"]
    kinds = dict.fromkeys(columns, float) | {"group": "str", "n": "int64"}
    return pd.DataFrame(rows, columns=columns).astype(kinds)


def aspects(
    answers: pd.DataFrame | None, spans: tuple[Period, Period], rule: SatisfactionRule
) -> pd.DataFrame:
    """Scores of aspects with the parts of their answers that are dissatisfied, neutral and satisfied.

    Parameters
    ----------
    answers : in the columns of `tables.SURVEYS`; None where no survey is supplied
    spans : the period, and the one before
    rule : where dissatisfied ends and satisfied begins, as for customers (X04)

    Returns
    -------
    group (the aspect), dissatisfied, neutral, satisfied (shares of the answers), and the columns of
    `satisfaction.compared`: score, score_low, score_high, n, score_before, margin
    """
    scores = satisfaction.compared(
        *(satisfaction.aspects(satisfaction.satisfaction(answers, span)) for span in spans)
    )
    if answers is None or scores.empty:
        parts = pd.DataFrame(columns=["group", *CONTENT]).astype(dict.fromkeys(CONTENT, float))
    else:
        said = satisfaction.during(answers, spans[0])
        score = percent(said)
        side = np.select([score >= rule.satisfied, score < rule.dissatisfied], [1, -1], 0)
        parts = pd.DataFrame({word: side == way for word, way in zip(CONTENT, (-1, 0, 1), strict=True)})
        parts = parts.groupby(said["aspect"].to_numpy()).mean().rename_axis("group").reset_index()
    table = scores.merge(parts, on="group", how="left", validate="one_to_one")
    return table[["group", *CONTENT, *(c for c in scores.columns if c != "group")]]


def recommended(now: pd.DataFrame, group: pd.Series) -> pd.DataFrame:
    """Detractors, passives and promoters by class: `leaning`, its balance the net promoter score.

    Parameters
    ----------
    now : answers on recommending, as `recommendation.asked` returns them
    group : the class by customer_id
    """
    sides = {"detractor": -1, "passive": 0, "promoter": 1}
    said = now[["customer_id"]].assign(group=now["customer_id"].map(group), side=now["kind"].map(sides))
    return leaning(said, RECOMMEND)


def told(now: pd.DataFrame, group: pd.Series) -> pd.DataFrame:
    """Word of mouth by class of who speaks; what nobody knows the speaker of is the group "unknown".

    Parameters
    ----------
    now : reviews and mentions of a period, as `voices.to_others` and `voices.within` return them
    group : the class by customer_id
    """
    sides = {"negative": -1, "neutral": 0, "positive": 1}
    known = now["known"].fillna(False).astype(bool)
    who = now["customer_id"].where(known)
    named = who.map(group).astype(object)
    said = pd.DataFrame(
        {"customer_id": who, "group": named.where(named.notna(), "unknown"), "side": now["tone"].map(sides)}
    )
    return leaning(said, TONES)


def apart(table: pd.DataFrame) -> dict:
    """The groups with the best and the worst balance, and whether they lie apart by more than chance.

    Returns
    -------
    groups (how many have a balance), first and last (names), most and least (balance), apart: the interval of the
    difference of both, wide enough for all pairs of groups, leaves out zero. "unknown" is not compared.
    """
    known = table[table["group"] != "unknown"].sort_values(["balance", "group"], ignore_index=True)
    values = {"groups": len(known), "first": [], "last": [], "most": 0.0, "least": 0.0, "apart": False}
    if len(known) < 2:
        return values
    worst, best = known.iloc[0], known.iloc[-1]
    reach = np.hypot(best["balance"] - best["balance_low"], worst["balance_high"] - worst["balance"])
    pairs = len(known) * (len(known) - 1) / 2
    wider = _wider(pairs)
    return values | {
        "first": [best["group"]],
        "last": [worst["group"]],
        "most": float(best["balance"]),
        "least": float(worst["balance"]),
        "apart": bool(best["balance"] - worst["balance"] > wider * reach),
    }


def _wider(pairs: float) -> float:
    """By how much a 90 % interval widens to hold for so many differences together (Bonferroni)."""
    return float(stats.norm.ppf(1 - 0.05 / pairs) / stats.norm.ppf(0.95))
