"""Pairs of products bought together more or less than chance would have it: complements and substitutes (M01).

A basket with one product cannot say what goes with what, and a firm does not buy what a person does. So chance
here means: baskets of the same sizes, from the same kinds of customer, filled so that every product is bought as
often as it was, and otherwise at random. Without that every pair of an assortment that people buy one at a time
would seem to shun each other, and every pair that only firms can buy to attract.

The chance to find two products in a basket of so many is exact where a kind of customer is offered few products
(conditional Bernoulli sampling), and Hájek's approximation where it is offered many.
Source: Chen, Dempster & Liu (1994), Biometrika 81, 457–469; Hájek (1964), Annals of Mathematical Statistics 35, 1491–1523.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse, stats

from crmlib.analysis.intervals import LEVEL
from crmlib.analysis.itemsets import Baskets, chosen, joined, packed

FEW_PRODUCTS = 24  # up to which chances are exact
ROUNDS, CLOSE = 100, 1e-4
EXPECTED = 5  # baskets: of fewer nobody can say that there are too few
MOST_PRODUCTS = 400  # pairs of the most bought ones are looked at
AT_ONCE = 2048  # baskets whose straying is held in memory
COLUMNS = [
    "product",
    "other",
    "both_baskets",
    "chance_alone",
    "times_chance",
    "times_chance_low",
    "times_chance_high",
    "p",
    "q",
    "verdict",
]
MORE, LESS, NEITHER = "complements", "substitutes", "by_chance"


@dataclass(frozen=True)
class Chances:
    """Of one kind of customer: the sizes of baskets, how many have each, and the chance of each product and pair.

    `single` is sizes × products; `product` the numbers of these products; `whole` the baskets that hold every one of
    them, where nothing is left to chance; `pair` is None where there are many.
    """

    sizes: np.ndarray
    many: np.ndarray
    product: np.ndarray
    single: np.ndarray
    whole: int = 0
    pair: np.ndarray | None = None

    def expected(self, at: np.ndarray) -> np.ndarray:
        """Baskets in which chance would bring each two of these products together (by their places here)."""
        if self.pair is not None:
            return np.tensordot(self.many, self.pair[:, at][:, :, at], axes=1) + self.whole
        single, shared = self.single[:, at], self.shared(at)
        return self.whole + (single.T * self.many) @ single - (shared.T * self.many) @ shared

    def spread(self, at: np.ndarray) -> np.ndarray:
        """The variance of those numbers, with every product bought as often as it was: as of a hypergeometric."""
        loose = self.single[:, at] * (1 - self.single[:, at])
        return (loose.T * self.many) @ loose

    def shared(self, at: np.ndarray) -> np.ndarray:
        """By size, numbers whose product is what the chance of two falls short of that of each (Hájek)."""
        loose = self.single * (1 - self.single)
        return loose[:, at] / np.sqrt(np.maximum(loose.sum(axis=1), 1e-12))[:, None]


def symmetric(weights: np.ndarray, most: int) -> np.ndarray:
    """Elementary symmetric functions of each row of weights: sums of all products of 0, 1, … `most` of them.

    >>> symmetric(np.array([[1.0, 2.0, 3.0]]), 3).tolist()
    [[1.0, 6.0, 11.0, 6.0]]
    """
    found = np.zeros((len(weights), most + 1))
    found[:, 0] = 1
    for column in weights.T:
        found[:, 1:] += found[:, :-1] * column[:, None]
    return found


def exactly(weights: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The chances of each product and each two in a basket of each size, where sets weigh as their products do.

    >>> single, pair = exactly(np.array([1.0, 1.0, 1.0, 1.0]), np.array([2]))
    >>> single[0].tolist(), round(float(pair[0, 0, 1]), 4)
    ([0.5, 0.5, 0.5, 0.5], 0.1667)
    """
    n, most = len(weights), int(sizes.max())
    one, other = np.triu_indices(n)
    left = np.repeat(weights[None, :], len(one), axis=0)
    rows = np.arange(len(one))
    left[rows, one] = left[rows, other] = 0  # all but the two; on the diagonal all but the one
    without, whole = symmetric(left, most), symmetric(weights[None, :], most)[0, sizes]
    pair = np.zeros((len(sizes), n, n))
    same = one == other
    first = weights[one[same]] * without[same][:, sizes - 1].T / whole[:, None]
    both = (weights[one] * weights[other] * without[:, np.maximum(sizes - 2, 0)].T) / whole[:, None]
    both[sizes < 2] = 0
    pair[:, one, other] = pair[:, other, one] = both
    pair[:, np.arange(n), np.arange(n)] = first
    return first, pair


def nearly(
    weights: np.ndarray, factors: np.ndarray, sizes: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same chances of each product where there are many: odds of its weight times one factor a size.

    The factors (logarithms) are mended by one step of Newton's, for the caller comes again with better weights.
    Returns the chances, the factors, and how many products a basket would hold.
    """
    for _ in range(2):
        single = 1 / (1 + np.exp(-(np.log(weights)[None, :] + factors[:, None])))
        held = single.sum(axis=1)
        step = (sizes - held) / np.maximum((single * (1 - single)).sum(axis=1), 1e-9)
        factors = factors + np.clip(step, -1, 1)
    return single, factors, held


def chances(of: Baskets) -> Chances | None:
    """The chances under which every product is bought as often as it was; None where nothing is left to chance.

    A product in every basket, or baskets that hold all there is, leave nothing.
    """
    sizes, many = np.unique(of.sizes, return_counts=True)
    counts = of.counts
    product = np.flatnonzero(counts)
    inside = sizes < len(product)
    sizes, many = sizes[inside & (sizes > 0)], many[inside & (sizes > 0)]
    if len(product) < 3 or not len(sizes):
        return None
    whole = int((of.sizes >= len(product)).sum())
    # A product of these alone gets a weight next to nothing.
    wanted = np.maximum(counts[product] - whole, 1e-6)
    weights = wanted / wanted.mean()
    exact, pair, held = len(product) <= FEW_PRODUCTS, None, sizes
    factors = np.log(sizes / len(product))
    for _ in range(ROUNDS):
        if exact:
            single, pair = exactly(weights, sizes)
        else:
            single, factors, held = nearly(weights, factors, sizes)
        told = many @ single
        if max(np.abs(told / wanted - 1).max(), np.abs(held / sizes - 1).max()) < CLOSE:
            break
        weights = weights * (wanted / told)
        weights /= np.exp(np.log(weights).mean())
    return Chances(sizes, many, product, single, whole, pair)


def pairs(of: Baskets, *, kinds: np.ndarray, whose: np.ndarray, rate: float = 0.05) -> pd.DataFrame:
    """Every two products that chance would bring together often enough to judge, the surest first.

    Parameters
    ----------
    kinds : the kind of customer of each basket: chance is reckoned within each
    whose : a number of the customer of each basket; baskets of one customer, who is of one kind, may hang together in
        any way
    rate : of pairs told, the share that may be chance (Benjamini & Hochberg)

    Returns
    -------
    product and other; together (baskets with both); chance_alone (baskets expected); times_chance (the one over the other) with its 90 % interval;
    p (two-sided) and q; verdict: complements, substitutes or by_chance
    """
    telling = of.sizes >= 2
    of, kinds, whose = chosen(of, telling), kinds[telling], whose[telling]
    looked = np.sort(np.argsort(-of.counts, kind="stable")[:MOST_PRODUCTS])
    expected, drawn, strayed = np.zeros((3, len(looked), len(looked)))
    for kind in np.unique(kinds):
        mine = chosen(of, kinds == kind)
        product = np.flatnonzero(mine.counts)
        at = np.flatnonzero(np.isin(product, looked))
        here = np.ix_(*[np.searchsorted(looked, product[at])] * 2)
        part = chances(mine)
        if part is None:  # each of these baskets holds all there is
            expected[here] += mine.n
            continue
        expected[here] += part.expected(at)
        drawn[here] += part.spread(at)
        strayed[here] += _by_customer(mine, part, at, whose=whose[kinds == kind])
    one, other = np.triu_indices(len(looked), 1)
    spread = np.maximum(drawn, strayed)[one, other]
    enough = (expected[one, other] >= EXPECTED) & (spread > 0)
    one, other = one[enough], other[enough]
    if not len(one):
        return pd.DataFrame(columns=COLUMNS)
    bits = packed(of, looked)
    # `one` rises, so the parts stand in its order
    both = np.concatenate([joined(bits[a], bits[other[one == a]]) for a in np.unique(one)])
    return _judged(of, (looked[one], looked[other]), both, expected[one, other], spread[enough], rate=rate)


def _judged(of, which, together, chance, spread, *, rate: float) -> pd.DataFrame:
    p = _p(together, chance, spread)
    q = stats.false_discovery_control(p)
    ratio, low, high = _ratio(together, chance, spread)
    names = np.array(of.names, dtype=object)
    verdict = np.where(q > rate, NEITHER, np.where(together > chance, MORE, LESS))
    content = (*(names[part] for part in which), together, chance, ratio, low, high, p, q, verdict)
    table = pd.DataFrame(dict(zip(COLUMNS, content, strict=True)))
    return table.sort_values(["p", "product", "other"], ignore_index=True)


def _p(together: np.ndarray, chance: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Two-sided, by the normal approximation with half a basket for continuity, which fewer baskets need."""
    strayed = np.maximum(np.abs(together - chance) - 0.5, 0) / np.sqrt(spread)
    return np.clip(2 * stats.norm.sf(strayed), 0, 1)


def _ratio(together, chance, spread) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Found ÷ expected with its interval, of the same variance and with the same half a basket as the test."""
    reach = stats.norm.ppf((1 + LEVEL) / 2) * np.sqrt(spread) + 0.5
    return together / chance, np.maximum(together - reach, 0) / chance, (together + reach) / chance


def _by_customer(of: Baskets, part: Chances, at: np.ndarray, *, whose: np.ndarray) -> np.ndarray:
    """The variance of each pair's count, taking a customer's baskets as one piece: products × products.

    What each product alone strays by is given (counts of products are as they were), so a basket strays by the
    product of what its two stray by, less what that is by chance.
    """
    column = np.full(len(of.names), -1)
    column[part.product[at]] = np.arange(len(at))
    rows = column[of.item] >= 0
    held = sparse.csr_matrix((np.ones(rows.sum()), (of.basket[rows], column[of.item[rows]])), (of.n, len(at)))
    size = np.searchsorted(part.sizes, of.sizes)
    loose = np.flatnonzero(of.sizes < len(part.product))  # whole baskets cannot stray
    loose = loose[np.argsort(whose[loose], kind="stable")]
    if part.pair is not None:
        apart = held[loose].toarray() - part.single[size[loose]][:, at]
        by_chance = part.pair - part.single[:, :, None] * part.single[:, None, :]
        return _of_few(apart, by_chance[:, at][:, :, at], size[loose], whose=whose[loose])
    many = np.bincount(whose)[whose[loose]]
    found = np.zeros((len(at), len(at)))
    single, shared = part.single[:, at], part.shared(at)
    for alone, rows in ((True, loose[many == 1]), (False, loose[many > 1])):
        for batch in _batches(rows, whose[rows]):
            apart = np.stack([held[batch].toarray() - single[size[batch]], shared[size[batch]]], axis=1)
            found += _of_single(apart) if alone else _of_several(apart, whose[batch])
    return found


def _of_few(apart: np.ndarray, by_chance: np.ndarray, size: np.ndarray, *, whose: np.ndarray) -> np.ndarray:
    """Pair by pair, where products are few."""
    found = np.zeros((apart.shape[1],) * 2)
    for one, other in zip(*np.triu_indices(len(found), 1), strict=True):
        strayed = apart[:, one] * apart[:, other] - by_chance[size, one, other]
        found[one, other] = found[other, one] = (np.bincount(whose, strayed) ** 2).sum()
    return found


def _batches(rows: np.ndarray, whose: np.ndarray) -> list[np.ndarray]:
    """Rows in the order of their customers, so many at once that memory holds them, no customer in two batches."""
    begin = np.flatnonzero(np.diff(whose, prepend=-1))
    return np.split(rows, begin[np.flatnonzero(np.diff(begin // AT_ONCE)) + 1]) if len(rows) else []


def _of_single(apart: np.ndarray) -> np.ndarray:
    """Squares summed over customers of one basket each: (ab + cd)² is a²b² + 2 abcd + c²d², each a product of sums."""
    left, shared = apart[:, 0], apart[:, 1]
    parts = ((1, left * left), (2, left * shared), (1, shared * shared))
    return sum(times * (part.T @ part) for times, part in parts)


def _of_several(apart: np.ndarray, whose: np.ndarray) -> np.ndarray:
    """Squares summed over customers of several baskets, one customer after the other."""
    found = np.zeros((apart.shape[2],) * 2)
    for mine in np.split(apart, np.flatnonzero(np.diff(whose)) + 1):
        flat = mine.reshape(-1, apart.shape[2])
        strayed = flat.T @ flat
        found += np.multiply(strayed, strayed, out=strayed)
    return found
