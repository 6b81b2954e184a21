"""How good foretold leaving is: accuracy, recall, F1, AUC, Brier, lift, calibration, each with its interval (M08, B05).

Intervals draw the trial's customers again, outcomes and probabilities together: they hold which customers happened to be
there, not that another season may be unlike this one.
"""

import numpy as np
import pandas as pd

from crmlib.analysis import intervals, learning
from crmlib.analysis.estimation import LEVEL
from crmlib.analysis.leakage import auc
from crmlib.analysis.learning import Learnt
from crmlib.language import WORDS

PLAYS = 200
TOP = 0.1
GROUPS = 10
METRICS = ("auc", "accuracy", "recall", "precision", "f1", "brier", "lift", "log_loss")
KINDS = [
    "kind",
    "auc",
    "auc_low",
    "auc_high",
    "log_loss",
    "brier",
    "accuracy",
    "recall",
    "f1",
    "lift",
    "tuned_loss",
]
KINDS += ["tuned_error", "choice"]
KIND_UNITS = {"kind": "word", "choice": "word"} | dict.fromkeys(KINDS[1:4], "number")
KIND_UNITS |= dict.fromkeys(("log_loss", "brier", "f1", "lift", "tuned_loss", "tuned_error"), "number")
KIND_UNITS |= {"accuracy": "share", "recall": "share"}
CALIBRATION = [
    "risk_group",
    "customers",
    "chance_to_leave",
    "left_share",
    "left_share_low",
    "left_share_high",
]
CALIBRATION_UNITS = {
    "risk_group": "count",
    "chance_to_leave": "share",
    "left_share": "share",
    "left_share_low": "share",
    "left_share_high": "share",
}
LATER = ["cut_off", "customers", "left"]


def metrics(told: np.ndarray, left: np.ndarray, *, cut: float = 0.5) -> dict[str, float]:
    """Every measure of probabilities held against what came; `cut` is where one counts as leaving.

    Returns
    -------
    auc, accuracy, recall, precision, f1, brier, lift (of the tenth of the highest probabilities; of probabilities that tie at its
    edge each counts in part), log_loss

    Examples
    --------
    Four customers, of whom the two likeliest left; a half is no leaving:

    >>> found = metrics(np.array([0.9, 0.6, 0.4, 0.1]), np.array([True, True, False, False]))
    >>> found["auc"], found["accuracy"], found["recall"], round(found["brier"], 3)
    (1.0, 1.0, 1.0, 0.085)
    """
    yes = told > cut
    hit, called, all_left = int((yes & left).sum()), int(yes.sum()), int(left.sum())
    return {
        "auc": auc(told, left),
        "accuracy": float((yes == left).mean()),
        "recall": hit / all_left,
        "precision": hit / called if called else np.nan,
        "f1": 2 * hit / (called + all_left),
        "brier": float(((told - left) ** 2).mean()),
        "lift": top_share(told, left) / float(left.mean()),
        "log_loss": learning.log_loss(told, left),
    }


def top_share(told: np.ndarray, left: np.ndarray, top: float = TOP) -> float:
    """The share that left of the part with the highest probabilities; whoever ties at its edge counts in part.

    >>> top_share(np.array([0.9, 0.5, 0.5, 0.1]), np.array([True, True, False, False]), top=0.5)
    0.75
    """
    many = max(round(top * len(told)), 1)
    edge = np.sort(told)[-many]
    above, at = told > edge, told == edge
    return float((left[above].sum() + (many - above.sum()) * left[at].mean()) / many)


def intervals_of(told: np.ndarray, left: np.ndarray, *, cut: float = 0.5) -> dict[str, tuple[float, float]]:
    """The 90 % interval of every measure, customers drawn again."""
    rng, found = np.random.default_rng(0), []
    for _ in range(PLAYS):
        drawn = rng.integers(0, len(told), len(told))
        if 0 < left[drawn].sum() < len(drawn):
            found.append(metrics(told[drawn], left[drawn], cut=cut))
    low, high = np.nanquantile(
        pd.DataFrame(found)[list(METRICS)].to_numpy(), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0
    )
    return {name: (float(low[n]), float(high[n])) for n, name in enumerate(METRICS)}


def compared(found: Learnt) -> pd.DataFrame:
    """Every kind of model on the trial, the simplest first.

    Returns
    -------
    kind, auc with its interval, log_loss, brier, accuracy, recall, f1 (at .5), lift; tuned_loss and tuned_error (log loss
    over the stratified parts and its standard error); choice (`chosen`, `best`, `within_error`, `worse`, `not_converged`)
    """
    if not found.chosen:
        return pd.DataFrame(columns=KINDS)
    best = learning.best_of(found.tuned)
    bar = found.tuned[best].losses.mean() + learning.standard_error(found.tuned[best].losses)
    rows = []
    for kind, tuned in found.tuned.items():
        if tuned.why:
            rows.append({"kind": kind, "choice": tuned.why})
            continue
        told = found.told[kind]
        low, high = intervals_of(told, found.outcome)["auc"]
        loss = tuned.losses.mean()
        verdict = (
            "chosen"
            if kind == found.chosen
            else "best"
            if kind == best
            else "within_error"
            if loss <= bar
            else "worse"
        )
        own = {"kind": kind, "auc_low": low, "auc_high": high, "choice": verdict}
        error = learning.standard_error(tuned.losses)
        rows.append(own | metrics(told, found.outcome) | {"tuned_loss": loss, "tuned_error": error})
    return pd.DataFrame(rows).reindex(columns=KINDS)


def over_time(found: Learnt) -> pd.DataFrame:
    """Each cut-off foretold from those before it, oldest first: cut_off (day number), customers, left, and the AUC of each
    kind under its name; no rows where there is one cut-off."""
    rows = [
        {"cut_off": day, "customers": len(left), "left": int(left.sum())}
        | {kind: auc(p, left) for kind, p in told.items()}
        for day, told, left in reversed(found.later)
    ]
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=LATER)


def calibration(found: Learnt, *, groups: int = GROUPS) -> pd.DataFrame:
    """The trial in groups of equal size by their probability, the lowest first.

    Returns
    -------
    risk_group (1 the lowest), customers, chance_to_leave (mean), left_share with its 90 % interval
    """
    if not found.chosen:
        return pd.DataFrame(columns=CALIBRATION)
    told, left = found.told[found.chosen], found.outcome
    place = (pd.Series(told).rank(method="average") - 0.5) / len(told)
    group = np.minimum((place * groups).astype(int) + 1, groups).to_numpy()
    rows = []
    for number in np.unique(group):
        here = group == number
        share = intervals.share(int(left[here].sum()), int(here.sum()))
        rows.append(
            (
                int(number),
                int(here.sum()),
                float(told[here].mean()),
                share["value"],
                share["low"],
                share["high"],
            )
        )
    return pd.DataFrame(rows, columns=CALIBRATION)


def in_the_large(found: Learnt) -> dict[str, float | bool]:
    """Whether as many left as were foretold: foreseen and came (customers), low and high (90 % of what chance allows: each leaves or
    not by their own probability, and the share that left of those learnt from is known so far only), holds, error (mean distance of group shares from their probabilities)."""
    if not found.chosen:
        return {"foreseen": 0.0, "came": 0, "low": 0.0, "high": 0.0, "holds": False, "error": 0.0}
    told, left = found.told[found.chosen], found.outcome
    past = found.cases.table["left"].to_numpy(bool)[found.train]
    level = len(told) ** 2 * past.mean() * (1 - past.mean()) / len(past)
    spread = 1.645 * float(np.sqrt((told * (1 - told)).sum() + level))
    foreseen, came, table = float(told.sum()), int(left.sum()), calibration(found)
    error = (
        (table["chance_to_leave"] - table["left_share"]).abs() @ table["customers"] / table["customers"].sum()
    )
    bounds = {"low": max(foreseen - spread, 0.0), "high": foreseen + spread}
    holds = bounds["low"] <= came <= bounds["high"]
    return {"foreseen": foreseen, "came": came, **bounds, "holds": holds, "error": float(error)}


def gains(found: Learnt) -> pd.DataFrame:
    """Leavers reached by going from the highest probability down: share_asked, share_of_left."""
    if not found.chosen:
        return pd.DataFrame(columns=["share_asked", "share_of_left"])
    told, left = found.told[found.chosen], found.outcome
    steps = np.arange(1, 51) / 50
    reached = [
        top_share(told, left, top=step) * max(round(step * len(left)), 1) / left.sum() for step in steps
    ]
    return pd.DataFrame({"share_asked": steps, "share_of_left": reached})


def figures(found: Learnt) -> dict[str, dict]:
    """The chosen model on the trial as figures, each with its interval; with the reason where there is none."""
    ids = [f"churn.model.{name}" for name in METRICS] + ["churn.model.calibration", "churn.model.cases"]
    if not found.chosen:
        return {id: {"value": None, "why": WORDS.get(found.why, found.why)} for id in ids}
    told, left = found.told[found.chosen], found.outcome
    values, bounds = metrics(told, left), intervals_of(told, left)
    made = {}
    for name in METRICS:
        low, high = bounds[name]
        known = {"value": values[name], "low": low, "high": high, "n": len(left)}
        made[f"churn.model.{name}"] = (
            known
            if not np.isnan(values[name])
            else {"value": None, "n": len(left), "why": "nobody is likelier to leave than to stay"}
        )
    whole = in_the_large(found)
    ratio = {"value": whole["foreseen"] / whole["came"], "n": len(left)}
    ratio |= {"low": whole["low"] / whole["came"], "high": whole["high"] / whole["came"]}
    cases = {"value": len(found.cases.table), "n": len(found.cases.table)}
    return made | {"churn.model.calibration": ratio, "churn.model.cases": cases}
