"""Intervals: how far an estimate may lie from what it estimates. All are 90 % intervals."""

import numpy as np
import pandas as pd
from scipy import stats

LEVEL = 0.9
ENOUGH = 10  # respondents; below it a mean's interval promises more than it keeps


def share(count: int, total: int) -> dict[str, float | int | None]:
    """A share with its Wilson interval: value, low, high, n.

    Source: Wilson (1927), J. Am. Stat. Assoc. 22, 209–212.

    >>> {name: round(part, 4) for name, part in share(50, 100).items()}
    {'value': 0.5, 'low': 0.4188, 'high': 0.5812, 'n': 100}
    """
    if not total:
        return {"value": None, "n": 0}
    bounds = stats.binomtest(int(count), int(total)).proportion_ci(LEVEL, method="wilson")
    return {"value": count / total, "low": float(bounds.low), "high": float(bounds.high), "n": int(total)}


def clustered_mean(values: pd.Series, cluster: pd.Series) -> dict[str, float | int | None]:
    """A mean whose interval knows that answers of one person resemble each other.

    The ratio estimator's variance over persons, with Student's t for the number of persons.
    Source: Cochran (1977), Sampling Techniques, 3rd ed., §2.11 and §9A.

    Returns
    -------
    value, low, high, n (values, not persons); value None and a `why` below `ENOUGH` persons.
    """
    per = values.groupby(cluster).agg(["sum", "size"])
    persons = len(per)
    if persons < ENOUGH:
        why = "too few" if persons else "no answers in the period"
        return {"value": None, "n": len(values), "why": why}
    mean = per["sum"].sum() / per["size"].sum()
    residual = per["sum"] - mean * per["size"]
    error = np.sqrt((residual**2).sum() / (persons - 1) / persons) / per["size"].mean()
    reach = stats.t.ppf((1 + LEVEL) / 2, persons - 1) * error
    return {"value": mean, "low": mean - reach, "high": mean + reach, "n": len(values)}
