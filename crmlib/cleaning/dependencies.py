"""Columns that decide others, found in the data: a city lies in one region, a product in one group.

A dependency is believed where nearly every group of equal cells agrees on the other column, and far
better than chance. Rows that contradict it are outvoted, never repaired.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

SMALLEST = 3  # rows of a group that can outvote one of their own
AGREEMENT = 0.9  # of all rows in such groups
HELD = 0.95  # of the groups: four fifths of their rows agree
MAJORITY = 0.8
LIFT = 0.65  # what the dependency leaves unexplained, at most, of what the commonest value does
GROUPS = 5  # fewer groups are a coincidence
SAMPLE = 100_000  # rows that dependencies are looked for in


@dataclass(frozen=True)
class Coded:
    """A text column as its sorted different values, and which of them every row holds (−1: empty)."""

    name: str
    values: np.ndarray  # object, sorted
    codes: np.ndarray  # int32, one a row

    @property
    def counts(self) -> np.ndarray:
        """Rows that hold each value."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.values))

    @property
    def filled(self) -> int:
        """Rows that hold any."""
        return int((self.codes >= 0).sum())


@dataclass(frozen=True)
class Vote:
    """What the dependencies say of one column's cells, a row each."""

    against: np.ndarray  # how many dependencies contradict the cell
    support: np.ndarray  # how many confirm it
    usual: np.ndarray  # code of the value that a contradicting one expects; −1 where none does
    by: np.ndarray  # place of that one's deciding column; −1 where none

    @property
    def outvoted(self) -> np.ndarray:
        """Rows with more voices against than for their cell."""
        return self.against > self.support


def votes(columns: Sequence[Coded]) -> dict[str, Vote]:
    """What every dependency found says of the cells it decides, by column."""
    found: dict[str, Vote] = {}
    for place, deciding in enumerate(columns):
        if not _can_decide(deciding):
            continue
        sample = _whole_groups(deciding)
        for decided in columns:
            if decided is deciding or len(decided.values) < 2:
                continue
            if not holds(deciding.codes[sample], decided.codes[sample]):
                continue
            usual, sure = _majority(deciding.codes, decided.codes, len(deciding.values))
            vote = found.setdefault(decided.name, _silent(len(decided.codes)))
            against = sure & (usual != decided.codes)
            vote.against[against] += 1
            vote.support[sure & (usual == decided.codes)] += 1
            vote.usual[against], vote.by[against] = usual[against], place
    return found


def _silent(rows: int) -> Vote:
    return Vote(*(np.full(rows, start, np.int32) for start in (0, 0, -1, -1)))


def _can_decide(column: Coded) -> bool:
    """Whether enough values repeat: a number that no two rows share decides everything and nothing."""
    counts = column.counts
    return int((counts >= SMALLEST).sum()) >= GROUPS and 2 * int(counts[counts >= SMALLEST].sum()) >= len(
        column.codes
    )


def _whole_groups(column: Coded) -> np.ndarray:
    """Rows of about `SAMPLE`, groups never torn, chosen by their value and not by their place."""
    rows = column.codes >= 0
    if int(rows.sum()) <= SAMPLE:
        return rows
    order = np.argsort(pd.util.hash_array(column.values), kind="stable")
    chosen = np.zeros(len(column.values), bool)
    chosen[order[: int(np.searchsorted(np.cumsum(column.counts[order]), SAMPLE)) + 1]] = True
    return rows & chosen[column.codes]


def holds(deciding: np.ndarray, decided: np.ndarray) -> bool:
    """Whether equal cells of one column have equal cells of another, but for single exceptions.

    >>> city = np.repeat(np.arange(6), 4)
    >>> region = city // 2
    >>> region[0] = 2
    >>> bool(holds(city, region)), bool(holds(city, np.tile([0, 1], 12)))
    (True, False)
    """
    pairs = _pairs(deciding, decided)
    groups = pairs.groupby("deciding")["rows"].agg(["sum", "max"])
    groups = groups[groups["sum"] >= SMALLEST]
    if len(groups) < GROUPS:
        return False
    rows = pairs[pairs["deciding"].isin(groups.index)]
    total = int(rows["rows"].sum())
    missed = 1 - groups["max"].sum() / total
    by_chance = 1 - rows.groupby("decided")["rows"].sum().max() / total
    held = (groups["max"] >= np.minimum(MAJORITY * groups["sum"], groups["sum"] - 1)).mean()
    return missed <= 1 - AGREEMENT and missed <= LIFT * by_chance and held >= HELD


def _pairs(deciding: np.ndarray, decided: np.ndarray) -> pd.DataFrame:
    """Rows of each pair of values: deciding, decided, rows."""
    both = deciding >= 0
    width = int(decided.max(initial=0)) + 2
    keys, rows = np.unique(deciding[both].astype(np.int64) * width + decided[both] + 1, return_counts=True)
    return pd.DataFrame({"deciding": keys // width, "decided": keys % width - 1, "rows": rows})


def _majority(deciding: np.ndarray, decided: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each row: the usual value of its group, and whether the group is sure of it."""
    pairs = _pairs(deciding, decided)
    total = pairs.groupby("deciding")["rows"].sum()
    # The fuller value first; of two that are equally full neither is a majority, so order says nothing.
    first = pairs.sort_values(["rows", "decided"], ascending=[False, True]).drop_duplicates("deciding")
    usual, sure = np.full(size + 1, -1, np.int64), np.zeros(size + 1, bool)
    at = first["deciding"].to_numpy()
    usual[at] = first["decided"].to_numpy()
    share = first["rows"].to_numpy() / total.loc[at].to_numpy()
    sure[at] = (first["rows"].to_numpy() >= SMALLEST) & (share >= MAJORITY) & (usual[at] >= 0)
    return usual[deciding], sure[deciding]
