"""Whether a group differs from all others by more than chance: shares of one held against the rest's."""

import numpy as np
import pandas as pd
from scipy import stats

from crmlib.analysis import intervals

SIDES = {1: "above", -1: "below", 0: "not_told"}


def difference(
    count: int, total: int, others: int, of_others: int, *, comparisons: int = 1
) -> tuple[float, float]:
    """Interval of a share less another one, wide enough for so many comparisons together (Bonferroni).

    Newcombe's method 10, from the Wilson intervals of both. Source: Newcombe (1998), Statistics in Medicine
    17, 873–890.

    >>> [round(bound, 4) for bound in difference(56, 70, 48, 80)]
    [0.0766, 0.3136]
    """
    first, second = (_wilson(*pair, comparisons) for pair in ((count, total), (others, of_others)))
    middle = count / total - others / of_others
    low = middle - np.hypot(count / total - first[0], second[1] - others / of_others)
    high = middle + np.hypot(first[1] - count / total, others / of_others - second[0])
    return float(low), float(high)


def _wilson(count: int, total: int, comparisons: int) -> tuple[float, float]:
    level = 1 - (1 - intervals.LEVEL) / comparisons
    bounds = stats.binomtest(int(count), int(total)).proportion_ci(level, method="wilson")
    return float(bounds.low), float(bounds.high)


def shares(counts: pd.DataFrame, *, count: str, of: str) -> pd.DataFrame:
    """Each group's share, and whether it lies above or below that of all other groups of its class.

    Parameters
    ----------
    counts : class, level, and two columns of whole numbers: `count` of them among `of` them

    Returns
    -------
    The table with share, share_low, share_high (Wilson, 90 %; empty in groups below ten) and against: above or
    below the others, or not_told; a group is not told where it or the others hold fewer than ten.
    """
    rows = {}
    for _, part in counts.groupby("class", sort=False):
        many, whole = int(part[count].sum()), int(part[of].sum())
        for at, own, total in zip(part.index, part[count].astype(int), part[of].astype(int), strict=True):
            told = total >= intervals.ENOUGH
            found = intervals.share(own, total) if told else {}
            side = 0
            if told and whole - total >= intervals.ENOUGH:
                bounds = difference(own, total, many - own, whole - total, comparisons=len(part))
                side = int(bounds[0] > 0) - int(bounds[1] < 0)
            rows[at] = (found.get("value"), found.get("low"), found.get("high"), SIDES[side])
    names = ["share", "share_low", "share_high", "against"]
    told = pd.DataFrame.from_dict(rows, orient="index", columns=names).reindex(counts.index)
    kinds = dict.fromkeys(names[:3], float) | {"against": "str"}
    return counts.assign(**{name: told[name].astype(kinds[name]) for name in names})


def ends(table: pd.DataFrame) -> dict[str, list[list[str]]]:
    """Levels that lie above all others of their class, and below, each with its class: `above`, `below`."""
    return {
        side: table.loc[table["against"] == side, ["class", "level"]].values.tolist()
        for side in ("above", "below")
    }
