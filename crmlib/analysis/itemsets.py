"""Which products stand in one basket, counted exactly: Eclat over packed bits.

Each product is a row of bits, one bit a basket. Baskets that hold several products are counted by joining
their rows and counting the ones, so every count is a whole number and nothing hangs on rounding.
Source: Zaki (2000), IEEE Transactions on Knowledge and Data Engineering 12, 372–390.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd

MOST = 250_000  # sets beyond which a list of them tells nobody anything, and memory runs out
TOO_MANY = "too_many_sets"
BITS = 64
AT_ONCE = 1 << 18  # words of bits joined at a time: what the processor keeps near


@dataclass(frozen=True)
class Baskets:
    """Who bought what together: `item` of `basket` by number, each pair once, and the products' names.

    `n` counts all baskets, also those of which no product is named here.
    """

    names: tuple[str, ...]
    basket: np.ndarray
    item: np.ndarray
    n: int

    @property
    def counts(self) -> np.ndarray:
        """Baskets that hold each product."""
        return np.bincount(self.item, minlength=len(self.names))

    @property
    def sizes(self) -> np.ndarray:
        """Different products in each basket."""
        return np.bincount(self.basket, minlength=self.n)


@dataclass(frozen=True)
class Itemsets:
    """Sets of products (numbers, rising) and the baskets that hold all of each; `why` none are told."""

    names: tuple[str, ...]
    counts: dict[tuple[int, ...], int]
    n: int
    least: int
    why: str = ""


def baskets(pairs: pd.DataFrame) -> Baskets:
    """Baskets from rows of basket and item; a product twice in a basket is there once.

    >>> found = baskets(pd.DataFrame({"basket": [7, 7, 7, 9], "item": ["tea", "milk", "tea", "tea"]}))
    >>> found.names, found.counts.tolist(), found.n
    (('milk', 'tea'), [1, 2], 2)
    """
    basket, whole = pd.factorize(pairs["basket"])
    item, names = pd.factorize(pairs["item"], sort=True)
    # One number for a pair: a product of a basket counts once.
    single = np.unique(basket.astype(np.int64) * max(len(names), 1) + item)
    basket, item = np.divmod(single, max(len(names), 1))
    return Baskets(tuple(map(str, names)), basket, item, len(whole))


def chosen(of: Baskets, kept: np.ndarray) -> Baskets:
    """The baskets for which `kept` is true, numbered anew; products keep their numbers."""
    number = np.cumsum(kept) - 1
    rows = kept[of.basket]
    return Baskets(of.names, number[of.basket[rows]], of.item[rows], int(kept.sum()))


def least_count(share: float, n: int) -> int:
    """The fewest baskets that are at least so large a share of `n`, in whole numbers.

    >>> least_count(0.001, 9835), least_count(0.1, 10), least_count(0.07, 100)
    (10, 1, 7)
    """
    exact = Fraction(str(share)) * n
    return max(-(-exact.numerator // exact.denominator), 1)


def packed(of: Baskets, items: np.ndarray) -> np.ndarray:
    """A row of bits for each of these products, 64 baskets to a word."""
    rows = np.zeros((len(items), -(-of.n // BITS)), dtype=np.uint64)
    place = np.full(len(of.names), -1)
    place[items] = np.arange(len(items))
    row = place[of.item]
    held = row >= 0
    row, basket = row[held], of.basket[held]
    # Sixteen bits are sorted digit by digit, several times faster.
    row = row.astype(np.int16 if len(items) < 1 << 15 else np.int64)
    order = np.argsort(row, kind="stable")
    ends = np.searchsorted(row[order], np.arange(len(items) + 1))
    basket = basket[order]
    for number in range(len(items)):
        marks = np.zeros(rows.shape[1] * BITS, dtype=bool)
        marks[basket[ends[number] : ends[number + 1]]] = True
        rows[number] = np.packbits(marks, bitorder="little").view(np.uint64)
    return rows


def joined(row: np.ndarray, others: np.ndarray) -> np.ndarray:
    """In how many baskets a row of bits and each of the others are both set."""
    width = max(AT_ONCE // max(len(row), 1), 1)
    found = np.empty(len(others), dtype=np.int64)
    for start in range(0, len(others), width):
        both = np.bitwise_count(row & others[start : start + width])
        found[start : start + width] = both.sum(axis=1, dtype=np.int64)
    return found


def frequent(of: Baskets, *, support: float, longest: int | None = None) -> Itemsets:
    """Every set of products that at least a share of baskets holds, with how many do.

    Parameters
    ----------
    support : least share of baskets, 0–1; compared in whole baskets
    longest : products a set has at most; None for all

    Returns
    -------
    Sets in no order that means anything; no set, and `why`, where there are more than `MOST`.

    >>> three = pd.DataFrame({"basket": [1, 1, 2, 2, 3], "item": ["tea", "milk", "tea", "milk", "tea"]})
    >>> frequent(baskets(three), support=0.6).counts
    {(0,): 2, (1,): 3, (0, 1): 2}
    """
    least = least_count(support, of.n)
    single = of.counts
    items = np.flatnonzero(single >= least)
    items = items[np.argsort(single[items], kind="stable")]  # rare ones first: their branches end soonest
    counts: dict[tuple[int, ...], int] = {(int(i),): int(single[i]) for i in sorted(items)}
    if longest == 1 or len(items) < 2:
        return Itemsets(of.names, counts, of.n, least)
    bits = packed(of, items)
    # A branch: its products so far, the products that may follow, and what each of these shares with them.
    branches: list[tuple] = [((), bits, items)]
    while branches:
        begun, rows, follow = branches.pop()
        for at in range(len(follow) - 1):
            own, rest = rows[at], rows[at + 1 :]
            found = joined(own, rest)
            kept = np.flatnonzero(found >= least)
            here = (*begun, int(follow[at]))
            for place in kept:
                counts[tuple(sorted((*here, int(follow[at + 1 + place]))))] = int(found[place])
            if len(counts) > MOST:
                return Itemsets(of.names, {}, of.n, least, TOO_MANY)
            if len(kept) > 1 and (longest is None or len(here) + 1 < longest):
                branches.append((here, own & rest[kept], follow[at + 1 + kept]))
    return Itemsets(of.names, counts, of.n, least)


def of_lists(lists: Iterable[Iterable[str]]) -> Baskets:
    """Baskets from lists of what is in each.

    >>> of_lists([["tea", "milk"], ["tea"]]).counts.tolist()
    [1, 2]
    """
    rows = [(number, item) for number, basket in enumerate(lists) for item in basket]
    return baskets(pd.DataFrame(rows, columns=["basket", "item"]))
