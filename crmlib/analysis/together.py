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
from scipy import stats

from crmlib.analysis.intervals import LEVEL
from crmlib.analysis.itemsets import Baskets, chosen, joined, packed

FEW_PRODUCTS = 24  # up to which chances are exact
ROUNDS, CLOSE = 400, 1e-7
EXPECTED = 5  # baskets: of fewer nobody can say that there are too few
MOST_PRODUCTS = 800  # pairs of the most bought ones are looked at
LOOKED_INTO = 2000  # pairs whose customers are looked at one by one
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

    def expected(self) -> np.ndarray:
        """Baskets in which chance would bring each two products together: products × products."""
        if self.pair is not None:
            return np.tensordot(self.many, self.pair, axes=1) + self.whole
        loose, spread = self._loose()
        return (
            self.whole + (self.single.T * self.many) @ self.single - (loose.T * (self.many / spread)) @ loose
        )

    def of(self, one: int, other: int) -> np.ndarray:
        """The chance of two products, by size."""
        if self.pair is not None:
            return self.pair[:, one, other]
        loose, spread = self._loose()
        return self.single[:, one] * self.single[:, other] - loose[:, one] * loose[:, other] / spread

    def spread(self) -> np.ndarray:
        """The variance of those numbers, with every product bought as often as it was: as of a hypergeometric."""
        loose = self.single * (1 - self.single)
        return (loose.T * self.many) @ loose

    def _loose(self) -> tuple[np.ndarray, np.ndarray]:
        loose = self.single * (1 - self.single)
        return loose, np.maximum(loose.sum(axis=1), 1e-12)


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


def nearly(weights: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The same chances of each product where there are many: odds of its weight times one factor a size."""
    low, high = np.full(len(sizes), -60.0), np.full(len(sizes), 60.0)
    log = np.log(weights)[None, :]
    for _ in range(60):
        middle = (low + high) / 2
        total = (1 / (1 + np.exp(-(log + middle[:, None])))).sum(axis=1)
        low, high = np.where(total < sizes, middle, low), np.where(total < sizes, high, middle)
    return 1 / (1 + np.exp(-(log + middle[:, None])))


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
    exact = len(product) <= FEW_PRODUCTS
    for _ in range(ROUNDS):
        single, pair = exactly(weights, sizes) if exact else (nearly(weights, sizes), None)
        told = many @ single
        if np.abs(told / wanted - 1).max() < CLOSE:
            break
        weights = weights * (wanted / told)
        weights /= np.exp(np.log(weights).mean())
    return Chances(sizes, many, product, single, whole, pair)


def pairs(of: Baskets, *, kinds: np.ndarray, whose: np.ndarray, rate: float = 0.05) -> pd.DataFrame:
    """Every two products that chance would bring together often enough to judge, the surest first.

    Parameters
    ----------
    kinds : the kind of customer of each basket: chance is reckoned within each
    whose : a number of the customer of each basket; baskets of one customer may hang together in any way
    rate : of pairs told, the share that may be chance (Benjamini & Hochberg)

    Returns
    -------
    product and other; together (baskets with both); chance_alone (baskets expected); times_chance (the one over the other) with its 90 % interval;
    p (two-sided) and q; verdict: complements, substitutes or by_chance
    """
    telling = of.sizes >= 2
    of, kinds, whose = chosen(of, telling), kinds[telling], whose[telling]
    looked = np.sort(np.argsort(-of.counts, kind="stable")[:MOST_PRODUCTS])
    expected, parts = np.zeros((2, len(of.names), len(of.names))), {}
    for kind in np.unique(kinds):
        part = chances(chosen(of, kinds == kind))
        if part is not None:
            expected[0][np.ix_(part.product, part.product)] += part.expected()
            expected[1][np.ix_(part.product, part.product)] += part.spread()
            parts[kind] = part
    one, other = (looked[side] for side in np.triu_indices(len(looked), 1))
    enough = expected[0, one, other] >= EXPECTED
    one, other = one[enough], other[enough]
    if not len(one):
        return pd.DataFrame(columns=COLUMNS)
    bits = packed(of, looked)
    place = np.searchsorted(looked, np.arange(len(of.names)))
    together = np.concatenate(
        [joined(bits[place[a]], bits[place[other[one == a]]]) for a in np.unique(one)]
    )  # `one` rises, so the parts stand in its order
    return _judged(
        of, (one, other), together, expected[:, one, other], parts, kinds=kinds, whose=whose, rate=rate
    )


def _judged(of, which, together, chance, parts, *, kinds, whose, rate) -> pd.DataFrame:
    one, other = which
    chance, spread = chance
    spread = spread.copy()
    p = _p(together, chance, spread)
    screened = np.argsort(p, kind="stable")[:LOOKED_INTO]
    screened = screened[p[screened] <= rate]
    for at in screened:
        found = _by_customer(of, (one[at], other[at]), parts, kinds=kinds, whose=whose)
        spread[at] = max(spread[at], found)
    p = _p(together, chance, spread)
    q = stats.false_discovery_control(p)
    ratio, low, high = _ratio(together, chance, spread)
    names = np.array(of.names, dtype=object)
    verdict = np.where(q > rate, NEITHER, np.where(together > chance, MORE, LESS))
    content = (names[one], names[other], together, chance, ratio, low, high, p, q, verdict)
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


def _by_customer(of: Baskets, pair: tuple, parts: dict, *, kinds, whose) -> float:
    """The variance of a pair's count, taking a customer's baskets as one piece."""
    held = [np.bincount(of.basket[of.item == product], minlength=of.n) for product in pair]
    strayed = (held[0] * held[1]).astype(float)
    sizes = of.sizes
    for kind, part in parts.items():
        at = np.searchsorted(part.product, pair)
        if (at < len(part.product)).all() and (part.product[at] == pair).all():
            chance = np.ones((3, int(max(sizes.max(), part.sizes.max())) + 1))  # whole baskets hold both
            chance[:, part.sizes] = part.of(*at), *part.single[:, at].T
            mine = kinds == kind
            both, *single = chance[:, sizes[mine]]
            # What each product alone strays by is given: counts of products are as they were.
            apart = np.prod([held[side][mine] - single[side] for side in (0, 1)], axis=0)
            strayed[mine] = apart - (both - single[0] * single[1])
    each = np.bincount(whose, strayed)
    return float((each**2).sum())
