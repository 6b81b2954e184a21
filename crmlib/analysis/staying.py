"""How long contracts last: the survival curve of clients whose customers say when they leave.

Where customers have a contract it is known who has left and how long each has stayed; of those still there
it is known only that they stay longer (censored). The curve is Kaplan and Meier's (1958), J. Am. Stat.
Assoc. 53, 457-481, its interval by the exponential Greenwood formula.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from crmlib.analysis.estimation import LEVEL
from crmlib.language import WORDS
from crmlib.outlook import DAYS_A_MONTH, Outlook

MARKS = (1, 3, 6, 12, 24, 36, 48, 60, 72)  # months told in the table
ENDED = 10  # contracts that ended; a curve of fewer is a guess
PLAYS = 200
UNITS = {"months": "count", "staying": "share", "staying_low": "share", "staying_high": "share"}


@dataclass(frozen=True)
class Staying:
    """A survival curve at every month at which somebody left; `why` where there is none.

    Parameters
    ----------
    table : months, staying, staying_low, staying_high, at_risk (customers known to have stayed so long)
    customers, ended : how many it rests on
    """

    table: pd.DataFrame
    customers: int = 0
    ended: int = 0
    why: str = ""


def staying(totals: pd.DataFrame | None) -> Staying:
    """How long the contracts of a snapshot last.

    Parameters
    ----------
    totals : tenure_months and churned of each customer, as `stated.totals` gives them; None where no
        snapshot is supplied

    Examples
    --------
    Of four, one leaves after a month, two are still there after two, one leaves after three:

    >>> four = pd.DataFrame({"tenure_months": [1.0, 2, 2, 3], "churned": [True, False, False, True]})
    >>> _curve(four)["staying"].tolist()
    [0.75, 0.0]
    """
    empty = pd.DataFrame(columns=[*UNITS, "at_risk"])
    if totals is None or not {"tenure_months", "churned"} <= set(totals.columns):
        return Staying(empty, why="not_supplied")
    rows = totals[totals["tenure_months"].notna() & totals["churned"].notna()]
    if rows.empty:
        return Staying(empty, why="not_supplied")
    ended = int(rows["churned"].astype(bool).sum())
    if ended < ENDED or len(rows) - ended < 1:
        return Staying(empty, len(rows), ended, "few_endings")
    return Staying(_curve(rows), len(rows), ended)


def _curve(rows: pd.DataFrame) -> pd.DataFrame:
    months, gone = rows["tenure_months"].to_numpy(float), rows["churned"].astype(bool).to_numpy()
    curve = stats.ecdf(stats.CensoredData(uncensored=months[gone], right=months[~gone])).sf
    # At all and at none the formula has no interval, and it warns: there the cell stays empty.
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        span = curve.confidence_interval(LEVEL, method="log-log")
    leaves = np.isin(curve.quantiles, months[gone])
    return pd.DataFrame(
        {
            "months": curve.quantiles,
            "staying": curve.probabilities,
            "staying_low": span.low.probabilities,
            "staying_high": span.high.probabilities,
            "at_risk": len(months) - np.searchsorted(np.sort(months), curve.quantiles),
        }
    )[leaves].reset_index(drop=True)


def at(found: Staying, months: np.ndarray) -> np.ndarray:
    """The share that lasts so many months; empty beyond the longest that is known."""
    if found.table.empty:
        return np.full(len(months), np.nan)
    told = np.concatenate([[1.0], found.table["staying"]])
    places = np.searchsorted(found.table["months"], months, side="right")
    return told[places]


def marked(found: Staying) -> pd.DataFrame:
    """The curve at the months of `MARKS`, as far as somebody has stayed so long."""
    if found.table.empty:
        return found.table
    places = np.searchsorted(found.table["months"], MARKS, side="right") - 1
    known = [(month, place) for month, place in zip(MARKS, places, strict=True) if place >= 0]
    rows = found.table.iloc[[place for _, place in known]].reset_index(drop=True)
    return rows.assign(months=[month for month, _ in known]).drop(columns="at_risk")


def contracts(found: Staying, totals: pd.DataFrame | None, rule: Outlook) -> pd.DataFrame:
    """What running contracts are expected to bring within the horizon.

    Returns
    -------
    customer_id, months (expected, of the horizon; beyond the longest tenure known nobody is seen to leave),
    value (smallest unit: the mean payment a month so far × those months, each discounted)
    """
    if found.why or totals is None:
        return pd.DataFrame(columns=["customer_id", "months", "value"])
    there = _running(totals)
    lasts, worth = _lasts(found, there, rule), _discounts(rule)
    value = there["spend"].to_numpy(float) / there["tenure_months"].to_numpy(float) * (lasts @ worth)
    told = {"customer_id": there["customer_id"], "months": lasts.sum(axis=1), "value": value}
    return pd.DataFrame(told).reset_index(drop=True)


def _running(totals: pd.DataFrame) -> pd.DataFrame:
    """Contracts not ended, of which payments and months so far are known."""
    known = totals["spend"].notna() & (totals["tenure_months"] > 0)
    return totals[totals["churned"].eq(False) & known]


def _lasts(found: Staying, there: pd.DataFrame, rule: Outlook) -> np.ndarray:
    """The chance of each running contract to last to the end of each month of the horizon."""
    so_long = there["tenure_months"].to_numpy(float)
    ahead = np.arange(1, rule.horizon_months + 1)
    base = at(found, so_long)
    later = at(found, (so_long[:, None] + ahead).ravel()).reshape(len(there), -1)
    return later / np.where(base > 0, base, np.nan)[:, None]


def _discounts(rule: Outlook) -> np.ndarray:
    """What money of each month of the horizon is worth today."""
    return (1 + rule.discount) ** (-np.arange(1, rule.horizon_months + 1) * DAYS_A_MONTH / 365.25)


def may_bring(found: Staying, totals: pd.DataFrame | None, rule: Outlook, *, seed: int = 0) -> list[float]:
    """The 90 % interval of what running contracts bring: low, high; empty where nothing is told.

    Played out: the curve is that of customers drawn again, and each contract lasts as long as chance lets it.
    """
    if found.why or totals is None:
        return []
    rng, there, worth = np.random.default_rng(seed), _running(totals), np.cumsum(_discounts(rule))
    monthly = there["spend"].to_numpy(float) / there["tenure_months"].to_numpy(float)
    rows = totals[totals["tenure_months"].notna() & totals["churned"].notna()]
    sums = []
    for _ in range(PLAYS):
        curve = Staying(_curve(rows.iloc[rng.integers(0, len(rows), len(rows))]))
        lasts = np.nan_to_num(_lasts(curve, there, rule))
        months = (rng.random(len(there))[:, None] < lasts).sum(axis=1)
        sums.append(monthly @ np.concatenate([[0.0], worth])[months])
    return [float(bound) for bound in np.quantile(sums, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])]


def figures(found: Staying, worth: pd.DataFrame, span: list[float]) -> dict[str, dict]:
    """The curve at a year and two, and what running contracts are worth; with the reason where not told."""
    if found.why:
        return {"value.contracts.amount": {"value": None, "why": WORDS.get(found.why, found.why)}}
    rows = marked(found)
    told = {
        f"value.staying.{int(row['months'])}": {
            "value": float(row["staying"]),
            "low": float(row["staying_low"]),
            "high": float(row["staying_high"]),
            "n": found.customers,
        }
        for _, row in rows.iterrows()
    }
    total = {"value": float(worth["value"].sum()), "low": span[0], "high": span[1], "n": len(worth)}
    return told | {"value.contracts.amount": total}


def told(found: Staying, worth: pd.DataFrame, span: list[float]) -> dict:
    """What sentences tell of contracts: year and two (the shares that last so long), ended, running, value with
    its interval."""
    year, two = (float(share) for share in at(found, np.array([12.0, 24.0])))
    known = len(found.table) > 0
    return {
        "year": year if known else 0.0,
        "two": two if known else 0.0,
        "ended": found.ended,
        "running": len(worth),
        "value": float(worth["value"].sum()),
        "low": span[0] if span else 0.0,
        "high": span[1] if span else 0.0,
    }
