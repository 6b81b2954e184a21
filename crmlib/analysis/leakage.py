"""Inputs that know the outcome: written down after a customer had left, they tell everything and foretell nothing.

A column is suspected where it alone orders who left before who stayed almost without fault, where it is filled for those
who left and hardly for anybody else, or where its name speaks of leaving. Only columns without a date can be
suspected: what is taken from dated rows ends at the cut-off by construction.
"""

import re

import numpy as np
import pandas as pd
from scipy import stats

from crmlib.analysis.leaving import Cases
from crmlib.retention import ChurnRule

COLUMNS = ["input", "sign", "auc", "filled_left", "filled_stayed"]
UNITS = {"input": "word", "sign": "word", "auc": "number", "filled_left": "share", "filled_stayed": "share"}
LEVEL_OF = 10  # customers; rarer words are taken together, or each would tell its one customer
SELDOM = 0.05  # filled among those who stayed
NAMES = re.compile(
    r"churn|attrition|cancel|terminat|closed?[ _]?(date|day|reason)|exit|(leave|leaving|left)\b|customer[ _]?status"
    r"|流失|离网|销户|注销|退订|离开|客户状态",
    re.IGNORECASE,
)


def suspected(found: Cases, rule: ChurnRule) -> pd.DataFrame:
    """Inputs that seem to know the outcome, the surest first.

    Returns
    -------
    input; sign (`tells_outcome`, `filled_when_left` or `named_so`); auc of the column alone, .5-1;
    filled_left, filled_stayed (shares of those who left and stayed for whom it is filled)
    """
    rows = []
    left = found.table["left"].to_numpy(bool) if len(found.table) else np.zeros(0, bool)
    for name in found.undated if left.any() and not left.all() else ():
        filled = found.table[name].notna()
        shares = float(filled[left].mean()), float(filled[~left].mean())
        alone = auc(order(found.table[name], left, number=name in found.numbers), left)
        sign = _sign(name, alone, *shares, bar=rule.suspicious)
        if sign and name not in rule.trusted:
            rows.append((name, sign, alone, *shares))
    told = pd.DataFrame(rows, columns=COLUMNS)
    return told.sort_values(["auc", "input"], ascending=[False, True], ignore_index=True)


def _sign(name: str, alone: float, filled_left: float, filled_stayed: float, *, bar: float) -> str:
    if filled_left >= 0.5 and filled_stayed <= SELDOM:
        return "filled_when_left"
    if alone >= bar:
        return "tells_outcome"
    return "named_so" if NAMES.search(name) else ""


def order(column: pd.Series, left: np.ndarray, *, number: bool) -> np.ndarray:
    """A column as scores by which leaving may rise: a number as it is (or turned), a word by the share that left.

    Where a number is empty it stands at the end that tells more.
    """
    if not number:
        words = column.astype(object).where(column.notna(), "")
        words = words.where(words.map(words.value_counts()) >= LEVEL_OF, "")
        return words.map(pd.Series(left, index=column.index).groupby(words).mean()).to_numpy(float)
    value = column.to_numpy(float)
    tries = [np.where(np.isnan(value), end, sign * value) for sign in (1, -1) for end in (-np.inf, np.inf)]
    return max(tries, key=lambda scores: auc(scores, left))


def auc(scores: np.ndarray, left: np.ndarray) -> float:
    """The chance that of two customers the one who left has the higher score; ties count half.

    >>> auc(np.array([1, 2, 3, 4]), np.array([False, False, True, True]))
    1.0
    >>> auc(np.array([1, 1, 1, 1]), np.array([False, False, True, True]))
    0.5
    """
    many, few = int(left.sum()), int((~left).sum())
    ranks = stats.rankdata(scores)[left].sum()
    return float((ranks - many * (many + 1) / 2) / (many * few))
