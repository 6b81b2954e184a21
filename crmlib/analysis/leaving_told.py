"""What sentences tell of leaving: how many left, which model was chosen and why, what it goes by, whom to ask to stay."""

import numpy as np
import pandas as pd

from crmlib.analysis import judging, learning, leaving, renewal
from crmlib.analysis.learning import Learnt
from crmlib.analysis.leaving import Cases
from crmlib.analysis.verdict import Terms, Threshold
from crmlib.period import day_of
from crmlib.retention import ChurnRule

CARD = ["fact", "figure", "unit"]
# What a firm can do something about, of the inputs taken from dated tables.
OWN_DOING = (
    "score",
    "score_change",
    "recommend",
    "contacts_year",
    "complaints_year",
    "longest_wait",
    "open_cases",
)


def sizes(found: Cases, rule: ChurnRule) -> dict:
    """How many left or stayed, whichever are fewer, and how many a sentence needs: n, at_least, why."""
    stayed = len(found.table) - found.left
    why = leaving.estimable(found, rule)
    return {"n": min(found.left, stayed), "at_least": rule.events, "why": why or "nothing"}


def estimable(why: str, holds: bool) -> bool | None:
    """What a sentence hangs on: None where it is not estimable; too few are told by their number."""
    return bool(holds) if why in ("", "nothing", "few_events") else None


def rate(found: Cases) -> dict:
    """How many left since the newest cut-off, beside all before: day, customers, left, share, low, high, before, more
    (beyond both intervals), days."""
    table = leaving.by_cut_off(found) if len(found.table) else pd.DataFrame()
    told = {"customers": 0, "left": 0, "share": 0.0, "low": 0.0, "high": 0.0, "before": 0.0, "more": False}
    told |= {"days": found.gap + found.horizon, "day": day_of(0)}
    if not len(table):
        return told
    last, past = table.iloc[-1], table.iloc[:-1]
    told |= {"customers": int(last["customers"]), "left": int(last["left"]), "share": last["left_share"]}
    told |= {
        "low": last["left_share_low"],
        "high": last["left_share_high"],
        "day": day_of(int(last["cut_off"])),
    }
    if len(past):
        before = past["left"].sum() / past["customers"].sum()
        told |= {"before": float(before), "more": bool(last["left_share_low"] > before)}
    return told


def chosen(found: Learnt) -> dict:
    """Which model was chosen and why: kind, best, loss, best_loss, error, and whether the simplest of all did."""
    if not found.chosen:
        none = {
            "kind": "nothing",
            "best": "nothing",
            "loss": 0.0,
            "best_loss": 0.0,
            "error": 0.0,
            "same": False,
        }
        return none | {"tried": 0}
    best = found.tuned[learning.best_of(found.tuned)]
    own = found.tuned[found.chosen]
    return {
        "kind": own.kind,
        "best": best.kind,
        "loss": float(own.losses.mean()),
        "best_loss": float(best.losses.mean()),
        "error": learning.standard_error(best.losses),
        "same": own.kind == best.kind,
        "tried": len([one for one in found.tuned.values() if not one.why]),
    }


def quality(found: Learnt) -> dict:
    """How good it is: auc, low, high, accuracy, majority (right by calling nobody a leaver), top (share that left of the
    tenth likeliest), share (that left of all), lift, tells (better than chance)."""
    names = ("auc", "low", "high", "accuracy", "majority", "top", "share", "lift")
    if not found.chosen:
        return dict.fromkeys(names, 0.0) | {"tells": False, "customers": 0}
    told, left = found.told[found.chosen], found.outcome
    values, (low, high) = judging.metrics(told, left), judging.intervals_of(told, left)["auc"]
    share = float(left.mean())
    return {
        "auc": values["auc"],
        "low": low,
        "high": high,
        "accuracy": values["accuracy"],
        "majority": max(share, 1 - share),
        "top": judging.top_share(told, left),
        "share": share,
        "lift": values["lift"],
        "tells": low > 0.5,
        "customers": len(left),
    }


def pays(chosen: Threshold, terms: Terms, table: pd.DataFrame) -> dict:
    """What asking from the threshold on brings: at, contacted, customers, gain, low, high, everybody, asked (now), cost."""
    return {
        "at": chosen.at or 0.0,
        "contacted": chosen.contacted,
        "customers": chosen.customers,
        "gain": chosen.gain,
        "low": chosen.low,
        "high": chosen.high,
        "everybody": chosen.everybody,
        "asked": int((table["ask"] == "yes").sum()) if len(table) else 0,
        "cost": terms.cost,
        "save": terms.save_rate,
        "pays": chosen.at is not None and chosen.low > 0,
    }


def causes(importance: pd.DataFrame) -> dict:
    """What the model goes by: first (the three inputs of most importance, beyond chance), share (of all importance),
    doing (the first of what the firm can do something about; empty where none is beyond chance)."""
    known = importance[importance["importance_low"] > 0] if len(importance) else importance
    whole = float(known["importance"].sum()) if len(known) else 0.0
    first = known["input"].head(3).tolist()
    doing = [name for name in known["input"] if name in OWN_DOING][:1]
    share = float(known["importance"].head(3).sum() / whole) if whole else 0.0
    lost = float(known.loc[known["input"].isin(doing), "importance"].sum())
    return {"first": first, "share": share, "doing": doing, "lost": lost}


def at_risk(table: pd.DataFrame, figures: dict[str, dict]) -> dict:
    """How many are expected to leave and what it costs: customers, expected with its interval, loss with its interval, ten
    (share of the loss that the ten customers of the largest bring)."""
    told = {"customers": len(table), "ten": 0.0}
    for name, id in (("expected", "churn.expected"), ("loss", "churn.expected.loss")):
        found = figures.get(id, {})
        told |= {
            name + end: found.get(part) or 0.0
            for end, part in (("", "value"), ("_low", "low"), ("_high", "high"))
        }
    if len(table) and told["loss"] > 0:
        told["ten"] = float(table["expected_loss"].head(10).sum() / told["loss"])
    return told


def moved(table: pd.DataFrame) -> dict:
    """Which inputs have moved: changed, look (names), score (the index of the model's own word), age_known."""
    if not len(table):
        return {"changed": [], "look": [], "score": 0.0, "known": False}
    by = {state: table.loc[table["state"] == state, "input"].tolist() for state in ("changed", "look")}
    own = float(table.loc[table["input"] == renewal.SCORE, "psi"].iloc[0])
    return by | {"score": own, "known": True}


def named(values: dict) -> dict:
    """The names in `moved`, of which there may be none: changed_names, look_names."""
    return {f"{state}_names": values[state] or ["nothing"] for state in ("changed", "look")}


def card(found: Learnt, left_out: list[str], chosen: Threshold, *, as_of: int) -> pd.DataFrame:
    """The model on one card: what it is, what it was learnt from, how good it is, and how old.

    Returns
    -------
    fact, figure, unit (of the row)
    """
    if not found.chosen:
        return pd.DataFrame(columns=CARD)
    cases, told = found.cases, quality(found)
    days = cases.cut_offs
    rows = [
        ("model", found.chosen, "word"),
        ("cases", len(cases.table), "count"),
        ("left", cases.left, "count"),
    ]
    rows += [("inputs", len(cases.inputs), "count"), ("trial", len(found.outcome), "count")]
    if cases.source == "transactions":
        rows += [("learnt_from", day_of(days[0]), "date"), ("learnt_to", day_of(days[-1]), "date")]
        rows += [("days_to_act", cases.gap, "count"), ("horizon_days", cases.horizon, "count")]
        rows += [("age_days", as_of - days[-1], "count")]
    rows += [
        ("auc", told["auc"], "number"),
        ("auc_low", told["low"], "number"),
        ("auc_high", told["high"], "number"),
    ]
    rows += [("brier", judging.metrics(found.told[found.chosen], found.outcome)["brier"], "number")]
    rows += [("calibration_error", judging.in_the_large(found)["error"], "share")]
    rows += [("threshold", np.nan if chosen.at is None else chosen.at, "share")]
    if left_out:
        rows.append(("left_out", ",".join(name.replace(",", " ") for name in left_out), "tags"))
    if cases.constant:
        rows.append(("alike_for_all", ",".join(name.replace(",", " ") for name in cases.constant), "tags"))
    return pd.DataFrame(rows, columns=CARD)
