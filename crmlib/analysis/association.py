"""What goes with what: rules "who buys these buys that too", each with what chance alone would make of it (M01).

A rule's *support* is the share of all baskets that hold all of it, its *confidence* the share of the baskets with
what stands before the arrow that hold what stands after it too, its *lift* how many times oftener they do than
baskets at large. Counts are whole numbers and compared as such: a rule at exactly the least confidence is one.
Source: Agrawal, Imieliński & Swami (1993), SIGMOD, 207–216.
"""

from fractions import Fraction

import numpy as np
import pandas as pd
from scipy import stats

from crmlib.analysis.intervals import LEVEL
from crmlib.analysis.itemsets import Itemsets

COLUMNS = [
    "given_items",
    "then_item",
    "length",
    "both_baskets",
    "given_baskets",
    "then_baskets",
    "support",
    "confidence",
]
COLUMNS += ["lift", "lift_low", "lift_high", "p", "q"]
AND = " + "
RATE = 0.05  # of rules told as beyond chance, so many may be chance (Benjamini & Hochberg)


def candidates(sets: Itemsets) -> pd.DataFrame:
    """Every rule with one product after the arrow, before its confidence is looked at, by numbers.

    Returns
    -------
    given_items (tuple of numbers), then_item (number), together, given_baskets, then_baskets (baskets)
    """
    rows = []
    for products, together in sets.counts.items():
        if len(products) < 2:
            continue
        for at, then in enumerate(products):
            given = products[:at] + products[at + 1 :]
            rows.append((given, then, together, sets.counts[given], sets.counts[(then,)]))
    return pd.DataFrame(
        rows, columns=["given_items", "then_item", "both_baskets", "given_baskets", "then_baskets"]
    )


def rules(sets: Itemsets, *, confidence: float) -> pd.DataFrame:
    """Rules of at least so much confidence, the surest first.

    Parameters
    ----------
    sets : as `itemsets.frequent` finds them
    confidence : least share, 0–1; compared in whole baskets

    Returns
    -------
    given_items and then_item (products), length (products in all), together, given_baskets, then_baskets (baskets), support and
    confidence (0–1), lift with its 90 % interval, p (that chance alone brings so many together: one-sided, Fisher)
    and q (the share of chance among all rules as far out as this: Benjamini & Hochberg, over every rule of these
    sets, whatever its confidence).
    """
    every = candidates(sets)
    if every.empty:
        return pd.DataFrame(columns=COLUMNS)
    both, given, then = (every[name].to_numpy() for name in ("both_baskets", "given_baskets", "then_baskets"))
    every["p"] = stats.hypergeom.sf(both - 1, sets.n, given, then)
    every["q"] = stats.false_discovery_control(every["p"].clip(0, 1))
    least = Fraction(str(confidence))
    kept = every[both * least.denominator >= given * least.numerator].reset_index(drop=True)
    names = np.array(sets.names, dtype=object)
    kept["length"] = kept["given_items"].map(len) + 1
    kept["support"] = kept["both_baskets"] / sets.n
    kept["confidence"] = kept["both_baskets"] / kept["given_baskets"]
    kept = kept.assign(**lift(kept["both_baskets"], kept["given_baskets"], kept["then_baskets"], n=sets.n))
    kept["given_items"] = [AND.join(names[list(products)]) for products in kept["given_items"]]
    kept["then_item"] = names[kept["then_item"].to_numpy(dtype=int)] if len(kept) else []
    # Rules alike in everything come in the order of their names, never of rows.
    order = kept.sort_values(
        ["confidence", "both_baskets", "length", "given_items", "then_item"],
        ascending=[False, False, True, True, True],
    )
    return order.reset_index(drop=True)[COLUMNS]


def lift(together: pd.Series, given: pd.Series, then: pd.Series, *, n: int) -> dict[str, pd.Series]:
    """How many times oftener than at large, with its 90 % interval (on its logarithm, baskets drawn at random).

    The variance of log lift is 1/together − 1/given − 1/then + (2 lift − 1)/n, by the delta method on the four
    cells of given and then.

    >>> one = pd.Series([30])
    >>> {name: round(float(part.iloc[0]), 3) for name, part in lift(one, one + 10, one + 20, n=100).items()}
    {'lift': 1.5, 'lift_low': 1.291, 'lift_high': 1.743}
    """
    together, given, then = (part.astype(float) for part in (together, given, then))
    value = together * n / (given * then)
    spread = (1 / together - 1 / given - 1 / then + (2 * value - 1) / n).clip(lower=0) ** 0.5
    reach = np.exp(stats.norm.ppf((1 + LEVEL) / 2) * spread)
    return {"lift": value, "lift_low": value / reach, "lift_high": value * reach}


def telling(found: pd.DataFrame, *, rate: float = RATE) -> pd.DataFrame:
    """Rules beyond chance that no shorter rule makes needless: one with less before the arrow and as much confidence.

    >>> rows = [("a", "c", 8, 10), ("a + b", "c", 4, 5), ("b", "c", 1, 5)]
    >>> made = pd.DataFrame(rows, columns=["given_items", "then_item", "both_baskets", "given_baskets"])
    >>> telling(made.assign(q=0.01, lift=2.0))["given_items"].tolist()
    ['a', 'b']
    """
    beyond = found[(found["q"] <= rate) & (found["lift"] > 1)]
    known: dict[str, list[tuple[frozenset, Fraction]]] = {}
    kept = []
    sets = [frozenset(text.split(AND)) for text in beyond["given_items"]]
    for at in sorted(range(len(beyond)), key=lambda row: len(sets[row])):
        row = beyond.iloc[at]
        sure = Fraction(int(row["both_baskets"]), int(row["given_baskets"]))
        shorter = known.setdefault(row["then_item"], [])
        if not any(other < sets[at] and told >= sure for other, told in shorter):
            kept.append(at)
        shorter.append((sets[at], sure))
    return beyond.iloc[sorted(kept)].reset_index(drop=True)
