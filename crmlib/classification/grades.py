"""How a number becomes a class: by given cuts or by cumulative share; and how several classes make points.

Cuts are the client's amounts where `client.yml` gives them; otherwise classes go by cumulative
share, and only where the list is long enough. Equal customers share a class.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from crmlib.rules import Cuts, Shares

LEVELS = ("high", "medium", "low")
POINTS = {"high": 3, "medium": 2, "low": 1}
NOT_GRADED = "not_graded"
HALVES = Cuts(high=2.5, medium=1.5)


class Kept:
    """Gradings by the rule that made them: what a changed rule does not touch is not graded again.

    >>> kept = Kept()
    >>> [kept.once("spend", rule, lambda: print("graded") or rule) for rule in (1, 1, 2)]
    graded
    graded
    [1, 1, 2]
    """

    def __init__(self) -> None:
        self._found: dict[str, tuple[Any, Any]] = {}

    def once(self, part: str, rule: Any, made: Callable[[], Any]) -> Any:
        """A part by this rule: as it was, or made now; the newest of each part is kept."""
        if part not in self._found or self._found[part][0] != rule:
            self._found[part] = (rule, made())
        return self._found[part][1]


def by_cuts(values: pd.Series, cuts: Cuts) -> pd.Series:
    """High, medium or low by two amounts; a value on a cut is in the upper class, an empty one in none.

    >>> by_cuts(pd.Series([10.0, 5.0, 4.9, None]), Cuts(high=10, medium=5)).tolist()
    ['high', 'medium', 'low', 'not_graded']
    """
    named = np.select([values >= cuts.high, values >= cuts.medium, values.notna()], LEVELS, NOT_GRADED)
    return pd.Series(named, index=values.index, dtype="str")


def by_share(values: pd.Series, shares: Shares, names: tuple[str, str, str] = LEVELS) -> pd.Series:
    """Three classes by cumulative share, the largest first.

    A customer's class is set by how much of the total lies *above* his value, so that equal
    customers share a class and the largest is always in the first. Nothing and less than nothing
    belong to the last.

    >>> by_share(pd.Series([50, 30, 10, 10]), Shares(first=0.5, second=0.8)).tolist()
    ['high', 'medium', 'low', 'low']
    """
    amounts = values.fillna(0).clip(lower=0)
    total = amounts.sum()
    of_value = amounts.groupby(amounts).sum().sort_index(ascending=False)
    above = amounts.map(of_value.cumsum() - of_value) / (total or 1)
    # Shares of exact sums may miss a cut by the last bit: 0.8 must not fall short of 0.8.
    first, second = shares.first - 1e-12, shares.second - 1e-12
    named = np.select(
        [(amounts > 0) & (above < first), (amounts > 0) & (above < second)], names[:2], names[2]
    )
    return pd.Series(named, index=values.index, dtype="str").where(values.notna(), NOT_GRADED)


def graded(values: pd.Series, cuts: Cuts | None, shares: Shares, at_least: int) -> pd.Series:
    """High, medium, low by the client's cuts, else by share; not graded where the list is too short."""
    if cuts is not None:
        return by_cuts(values, cuts)
    if values.notna().sum() < at_least:
        return pd.Series(NOT_GRADED, index=values.index, dtype="str")
    return by_share(values, shares)


def mean_points(parts: Mapping[str, pd.Series], weights: Mapping[str, float] | None = None) -> pd.Series:
    """Weighted mean of the points (3, 2, 1) of several gradings; a part not graded is left out.

    >>> parts = {"spend": pd.Series(["high", "low"]), "profit": pd.Series(["medium", "not_graded"])}
    >>> mean_points(parts).tolist()
    [2.5, 1.0]
    """
    points = pd.DataFrame({name: part.map(POINTS).astype(float) for name, part in parts.items()})
    weight = pd.Series({name: (weights or {}).get(name, 1.0) for name in parts})
    known = points.notna().mul(weight)
    mean = points.mul(weight).sum(axis=1) / known.sum(axis=1).replace(0, np.nan)
    # Weights such as 0.1 leave a last bit: 2.4999999999999996 is 2.5.
    return mean.round(12)
