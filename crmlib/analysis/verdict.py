"""Whom to ask to stay: the threshold that earns most, the customers at risk, and what their leaving would cost (M08).

A contact costs the same for everyone; of those who would leave, `save_rate` stay, and who stays goes on as in
the year before. Contacting pays where probability × save rate × value of a kept customer is more than the contact.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlib.analysis import judging, learning, reasons
from crmlib.analysis.estimation import LEVEL
from crmlib.analysis.learning import Learnt
from crmlib.language import WORDS
from crmlib.retention import ChurnRule

PLAYS = 400
CURVE = ["share_asked", "threshold", "gain"]
CURVE_UNITS = {"share_asked": "share", "threshold": "share", "gain": "money"}
RISK = [
    "customer_id",
    "chance_to_leave",
    "left_low",
    "left_high",
    "worth",
    "expected_loss",
    "expected_gain",
    "ask",
    "reasons",
]
UNITS = {
    "chance_to_leave": "share",
    "left_low": "share",
    "left_high": "share",
    "worth": "money",
    "expected_loss": "money",
}
UNITS |= {"expected_gain": "money", "ask": "word", "reasons": "tags"}


@dataclass(frozen=True)
class Terms:
    """What a contact costs and what it may keep, in the smallest unit of money.

    `margin` is None where no profit is known: a kept customer then counts by sales.
    """

    cost: float
    save_rate: float
    years: float
    margin: float | None
    assumed: bool
    budget: float | None = None

    def kept(self, rows: pd.DataFrame) -> np.ndarray:
        """What each customer is worth if kept; 0 where that is not known, or less than nothing."""
        each = rows["worth"].astype(float).fillna(0.0).clip(lower=0).to_numpy()
        return each * self.years * (1.0 if self.margin is None else max(self.margin, 0.0))


def terms(found: Learnt, rule: ChurnRule, *, decimals: int, margin: float | None) -> Terms:
    """The rule in the smallest unit; a cost that nobody has said is a share of what the middle customer is worth."""
    plain = Terms(0.0, rule.save_rate, rule.kept_years, margin, rule.contact_cost is None)
    if rule.contact_cost is not None:
        cost = rule.contact_cost * 10**decimals
    else:
        worth = plain.kept(found.cases.table) if len(found.cases.table) else np.zeros(1)
        known = worth[worth > 0]
        cost = rule.contact_share * float(np.median(known)) / rule.kept_years if len(known) else 0.0
    budget = None if rule.budget is None else rule.budget * 10**decimals
    return Terms(float(round(cost)), rule.save_rate, rule.kept_years, margin, plain.assumed, budget)


def gain(told: np.ndarray, left: np.ndarray, kept: np.ndarray, *, threshold: float, terms: Terms) -> float:
    """What contacting from a probability on would have brought: kept value × save rate − contacts.

    Whoever is expected to bring less than the contact costs is left alone, as in `risks`.

    >>> some = Terms(cost=10, save_rate=0.5, years=1, margin=None, assumed=False)
    >>> gain(np.array([0.9, 0.2]), np.array([True, False]), np.array([100, 100]), threshold=0.5, terms=some)
    40.0
    """
    asked = (told >= threshold) & (told * terms.save_rate * kept > terms.cost)
    return float((terms.save_rate * left * kept - terms.cost)[asked].sum())


def curve(told: np.ndarray, left: np.ndarray, kept: np.ndarray, *, terms: Terms) -> pd.DataFrame:
    """The gain at each threshold: share_asked (of customers, likeliest first), threshold, gain (smallest unit)."""
    points = np.unique(np.quantile(told, np.linspace(0, 1, 51)))[::-1]
    rows = [
        (float((told >= at).mean()), float(at), gain(told, left, kept, threshold=at, terms=terms))
        for at in points
    ]
    return pd.DataFrame(rows, columns=CURVE)


@dataclass(frozen=True)
class Threshold:
    """The probability from which contacting earned most among the cases learnt from, tried on those kept aside.

    Parameters
    ----------
    at : the threshold; None where no contact pays
    table : the trial's curve, as `curve` gives it
    gain, low, high : on the trial, with the 90 % interval of customers drawn again; everybody : if all were contacted
    """

    at: float | None
    table: pd.DataFrame
    contacted: int = 0
    customers: int = 0
    gain: float = 0.0
    low: float = 0.0
    high: float = 0.0
    everybody: float = 0.0
    why: str = ""


def threshold(found: Learnt, terms: Terms) -> Threshold:
    """The threshold chosen on cases foretold out of fold, and what it brings in the trial, which had no part in it."""
    if not found.chosen:
        return Threshold(None, pd.DataFrame(columns=CURVE), why=found.why)
    past, left = found.cases.table[found.train], found.cases.table["left"].to_numpy(bool)[found.train]
    tuned = found.tuned[found.chosen].out_of_fold
    best = curve(tuned, left, terms.kept(past), terms=terms)
    best = best.loc[best["gain"].idxmax()]
    told, kept = found.told[found.chosen], terms.kept(found.trial_rows)
    table = curve(told, found.outcome, kept, terms=terms)
    everybody = float((terms.save_rate * found.outcome * kept - terms.cost).sum())
    if best["gain"] <= 0:
        return Threshold(None, table, customers=len(told), everybody=everybody)
    at = float(best["threshold"])
    asked = (told >= at) & (told * terms.save_rate * kept > terms.cost)
    each = asked * (terms.save_rate * found.outcome * kept - terms.cost)
    rng = np.random.default_rng(0)
    drawn = [each[rng.integers(0, len(each), len(each))].sum() for _ in range(PLAYS)]
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Threshold(
        at, table, int(asked.sum()), len(told), float(each.sum()), float(low), float(high), everybody
    )


def risks(found: Learnt, chosen: Threshold, terms: Terms) -> pd.DataFrame:
    """Every customer still there, who would be missed most first.

    Returns
    -------
    customer_id; chance_to_leave (probability, within the horizon); left_low, left_high (90 % interval of the share that left among
    the trial's customers of like probability); worth (sales of the year before); expected_loss (probability × value of a kept
    customer); expected_gain (of a contact, after its cost); ask (yes, no); reasons (codes). Money in the smallest unit
    """
    if not found.chosen:
        return pd.DataFrame(columns=RISK)
    rows = found.cases.current.reset_index(drop=True)
    told = current(found)
    kept = terms.kept(rows)
    bounds = judging.calibration(found)
    group = _groups(found, told)
    parts = reasons.reasons(found.cases, found.model, rows)
    gained = told * terms.save_rate * kept - terms.cost
    asked = (gained > 0) & (told >= chosen.at) if chosen.at is not None else np.zeros(len(rows), bool)
    table = pd.DataFrame(
        {
            "customer_id": rows["customer_id"],
            "chance_to_leave": told,
            "left_low": bounds["left_share_low"].to_numpy()[group],
            "left_high": bounds["left_share_high"].to_numpy()[group],
            "worth": rows["worth"].astype(float),
            "expected_loss": told * kept,
            "expected_gain": gained,
            "ask": np.where(_paid(asked, gained, terms), "yes", "no"),
            "reasons": reasons.in_words(found.cases, parts, rows),
        }
    )
    return table.sort_values(["expected_loss", "customer_id"], ascending=[False, True], ignore_index=True)


def _paid(asked: np.ndarray, gained: np.ndarray, terms: Terms) -> np.ndarray:
    """Of those to ask as many as the budget pays for, who gains most first; who gains alike is asked alike."""
    if terms.budget is None or terms.cost <= 0 or not asked.any():
        return asked
    most = int(terms.budget // terms.cost)
    if most >= asked.sum():
        return asked
    edge = np.sort(gained[asked])[::-1][most]
    return asked & (gained > edge)


def current(found: Learnt) -> np.ndarray:
    """The probability of each customer still there.

    With totals these customers are cases too, all of them ones who stayed: each is told by a model that has not seen them.
    """
    rows = found.cases.current
    if found.cases.source != "snapshot":
        return learning.probability(found.model, rows)
    tuned = found.tuned[found.chosen]
    whole = np.full(len(found.cases.table), np.nan)
    whole[found.train], whole[found.trial] = tuned.out_of_fold, found.told[found.chosen]
    return pd.Series(whole, index=found.cases.table["customer_id"]).reindex(rows["customer_id"]).to_numpy()


def _groups(found: Learnt, told: np.ndarray) -> np.ndarray:
    """The place of each probability among the trial's groups."""
    trial = np.sort(found.told[found.chosen])
    place = np.searchsorted(trial, told, side="left") / len(trial)
    return np.minimum((place * judging.GROUPS).astype(int), len(judging.calibration(found)) - 1)


def contacted(table: pd.DataFrame, *, threshold: float, budget: float | None, cost: float) -> pd.DataFrame:
    """Whom a threshold and a budget would have contacted, who gains most first.

    Parameters
    ----------
    table : as `risks` gives it
    budget, cost : smallest unit; a budget of None is none

    Returns
    -------
    the rows of `table` from the threshold on, as many as the budget pays for
    """
    asked = table[table["chance_to_leave"] >= threshold]
    asked = asked.sort_values(["expected_gain", "customer_id"], ascending=[False, True], ignore_index=True)
    most = len(asked) if budget is None or cost <= 0 else int(budget // cost)
    return asked.head(most)


def figures(found: Learnt, chosen: Threshold, table: pd.DataFrame, terms: Terms) -> dict[str, dict]:
    """The threshold, what it brought in the trial, how many are expected to leave and what that would cost."""
    ids = ("threshold", "contact.gain", "contact.customers", "expected", "expected.loss")
    if not found.chosen:
        return {f"churn.{id}": {"value": None, "why": WORDS.get(found.why, found.why)} for id in ids}
    pays = {"value": chosen.at, "n": chosen.customers}
    brings = {"value": chosen.gain, "low": chosen.low, "high": chosen.high, "n": chosen.customers}
    if chosen.at is None:
        pays = brings = {"value": None, "n": chosen.customers, "why": "no contact pays"}
    told, loss = table["chance_to_leave"].to_numpy(), table["expected_loss"].to_numpy()
    rng = np.random.default_rng(0)
    each = np.divide(loss, told, out=np.zeros(len(told)), where=told > 0)
    plays = [rng.random(len(told)) < told for _ in range(PLAYS)]
    ends = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    many, money = (np.quantile(part, ends) for part in ([p.sum() for p in plays], [p @ each for p in plays]))
    return {
        "churn.threshold": pays,
        "churn.contact.gain": brings,
        "churn.contact.customers": {"value": int((table["ask"] == "yes").sum()), "n": len(table)},
        "churn.expected": {
            "value": float(told.sum()),
            "low": float(many[0]),
            "high": float(many[1]),
            "n": len(table),
        },
        "churn.expected.loss": {
            "value": float(loss.sum()),
            "low": float(money[0]),
            "high": float(money[1]),
            "n": len(table),
        },
    }


def share_asked(chosen: Threshold) -> float | None:
    """The share of the trial from the threshold on; None where no contact pays."""
    if chosen.at is None or chosen.table.empty:
        return None
    return float(chosen.table.loc[chosen.table["threshold"] >= chosen.at, "share_asked"].max())


def written(table: pd.DataFrame) -> pd.DataFrame:
    """The table as `tables.AT_RISK` keeps it."""
    numbers = dict.fromkeys(RISK[1:7], float)
    return table.astype({"customer_id": "str", "ask": "str", "reasons": "str"} | numbers)
