"""Whether a model of leaving is still good: its age, how far customers have moved, how the last one has done (M09).

The population stability index compares the shares of classes of one column then and now: Σ (now − then) × ln(now ÷ then).
By custom .1 is worth a look and .25 a change. Chance alone moves it by about (classes − 1) × (1/n + 1/m), and
a column has moved only beyond what chance does in 95 of 100 cases (Yurdakul and Naranjo 2020, Journal of Risk Model
Validation 14(4), 89-100).
"""

import numpy as np
import pandas as pd
from scipy import stats

from crmlib.analysis import judging, learning, leaving
from crmlib.analysis.evidence import Evidence
from crmlib.analysis.leakage import auc
from crmlib.analysis.learning import Learnt
from crmlib.language import WORDS
from crmlib.retention import ChurnRule
from crmlib.rules import BehaviourRule

CLASSES = 10
LOOK, CHANGED = 0.1, 0.25
SCORE = "chance_to_leave"
DRIFT = ["input", "psi", "chance", "state"]
UNITS = {"input": "word", "psi": "number", "chance": "number", "state": "word"}


def psi(then: pd.Series, now: pd.Series, *, number: bool) -> tuple[float, float]:
    """The index of one column, and what chance alone does in 95 of 100 cases.

    A number is put into tenths of what it was then, a word into those that were there then and all others; what is empty is
    a class of its own. Half a customer is added to each class, so that an empty one has a logarithm.

    Examples
    --------
    Shares of .6 and .4 that become .4 and .6: 2 × .2 × ln 1.5.

    >>> then, now = (pd.Series(["a"] * n + ["b"] * (10_000 - n)) for n in (6_000, 4_000))
    >>> round(psi(then, now, number=False)[0], 3)
    0.162
    """
    if number:
        edges = (
            np.unique(np.quantile(then.dropna(), np.linspace(0, 1, CLASSES + 1)[1:-1]))
            if then.notna().any()
            else []
        )
        codes = [
            np.where(part.isna(), -1, np.searchsorted(edges, part.fillna(0.0), side="left"))
            for part in (then, now)
        ]
    else:
        known = {word: place for place, word in enumerate(sorted(then.dropna().unique(), key=str))}
        codes = [
            part.map(known).astype(float).fillna(-2).mask(part.isna(), -1).to_numpy() for part in (then, now)
        ]
    every = np.unique(np.concatenate(codes))
    shares = [
        (np.array([(part == code).sum() for code in every]) + 0.5) / (len(part) + 0.5 * len(every))
        for part in codes
    ]
    index = float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())
    chance = stats.chi2.ppf(0.95, max(len(every) - 1, 1)) * (1 / len(then) + 1 / len(now))
    return index, float(chance)


def drift(found: Learnt) -> pd.DataFrame:
    """How far customers of today are from those the model was last tried on, the furthest first.

    Returns
    -------
    input (`chance_to_leave` is the model's own word), psi, chance (what it is by chance in 95 of 100 cases), state (`steady`,
    `look`, `changed`); no rows for totals, which have one day
    """
    if not found.chosen or len(found.cases.cut_offs) < 2:
        return pd.DataFrame(columns=DRIFT)
    then, now = found.trial_rows, found.cases.current
    rows = [
        (name, *psi(then[name], now[name], number=name in found.cases.numbers)) for name in found.cases.inputs
    ]
    told = (pd.Series(learning.probability(found.older, part)) for part in (then, now))
    rows.append((SCORE, *psi(*told, number=True)))
    table = pd.DataFrame(rows, columns=DRIFT[:-1])
    beyond = table["psi"] > table["chance"]
    table["state"] = np.select(
        [beyond & (table["psi"] >= CHANGED), beyond & (table["psi"] >= LOOK)], ["changed", "look"], "steady"
    )
    return table.sort_values(["psi", "input"], ascending=[False, True], ignore_index=True)


def last_model(
    found: Learnt, known: Evidence, rule: ChurnRule, behaviour: BehaviourRule, *, then: int, now: int
) -> dict:
    """How the model as it could be made at the end of the last period has done on what came since.

    It is made again from cases whose outcome was known then, tells the customers there were, and is held against who is
    churned now: only part of its horizon has passed.

    Returns
    -------
    n, left, days (since), auc with low and high, top (share that left of the tenth likeliest), others (of all others); why
    """
    empty = {
        "n": 0,
        "left": 0,
        "days": now - then,
        "auc": 0.0,
        "low": 0.0,
        "high": 0.0,
        "top": 0.0,
        "others": 0.0,
    }
    if not found.chosen:
        return empty | {"why": found.why}
    if found.cases.source != "transactions":
        return empty | {"why": "one_day"}
    rows = found.cases.table
    past = (rows["cut_off"] + found.cases.gap + found.cases.horizon <= then).to_numpy()
    outcome = rows["left"].to_numpy(bool)[past]
    if min(outcome.sum(), (~outcome).sum()) < rule.events:
        return empty | {"why": "short_history"}
    best = found.tuned[found.chosen].parameters
    model = learning.fitted(found.cases, found.chosen, best, rows=past)
    there = leaving.hashed(
        leaving.there(known, behaviour, day=then, ahead=now - then).reindex(
            columns=[*leaving.PLAIN, *found.cases.inputs]
        )
    )
    left = (there["customer_id"].map(known.behaviour(now, behaviour)) == "churned").to_numpy()
    if not 0 < left.sum() < len(left):
        return empty | {"n": len(left), "left": int(left.sum()), "why": "one_class"}
    told = learning.probability(model, there)
    low, high = judging.intervals_of(told, left)["auc"]
    top = judging.top_share(told, left)
    many = max(round(judging.TOP * len(left)), 1)
    others = (left.sum() - top * many) / (len(left) - many)
    told = {"auc": auc(told, left), "low": low, "high": high, "top": top, "others": float(others)}
    return {"n": len(left), "left": int(left.sum()), "days": now - then, **told, "why": ""}


def figures(found: Learnt, moved: pd.DataFrame, last: dict, *, as_of: int) -> dict[str, dict]:
    """The model's age, how far its word has drifted, and how the last one has done."""
    ids = ("churn.model.age", "churn.model.drift", "churn.last_model.auc")
    if not found.chosen:
        return {id: {"value": None, "why": WORDS.get(found.why, found.why)} for id in ids}
    if not len(moved):
        return {id: {"value": None, "why": WORDS["one_day"]} for id in ids}
    age = as_of - found.cases.cut_offs[-1]
    own = float(moved.loc[moved["input"] == SCORE, "psi"].iloc[0])
    did = {"value": last["auc"], "low": last["low"], "high": last["high"], "n": last["n"]}
    did = did if not last["why"] else {"value": None, "why": WORDS.get(last["why"], last["why"])}
    return {
        ids[0]: {"value": age, "n": len(found.cases.table)},
        ids[1]: {"value": own, "n": len(found.cases.current)},
        ids[2]: did,
    }
