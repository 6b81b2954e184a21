"""How dear association rules are at a million baskets, beside the package they are known from.

    python bench/baskets.py [folder with mlxtend]

The package (mlxtend) is no part of this project: install it into a folder of its own, without what it leans on, as
in `uv pip install --target FOLDER --no-deps mlxtend`, and name the folder. Without it ours is measured alone. Data:
the Groceries baskets in ../shared/data, drawn again with replacement.
"""

import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from crmlib.analysis import association, itemsets

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT.parent / "shared" / "data" / "groceries" / "groceries.csv"
BASKETS, SUPPORT, CONFIDENCE, ROUNDS = 1_000_000, 0.01, 0.5, 3
WANTED = 8.0


def drawn(count: int) -> itemsets.Baskets:
    """So many baskets, each one of the file's."""
    lists = [line.split(",") for line in FILE.read_text("utf-8").splitlines()]
    of = itemsets.of_lists(lists)
    begin = np.searchsorted(of.basket, np.arange(of.n + 1))
    picked = np.random.default_rng(1).integers(0, of.n, count)
    size = np.diff(begin)[picked]
    basket = np.repeat(np.arange(count), size)
    within = np.arange(len(basket)) - np.repeat(np.cumsum(size) - size, size)
    return itemsets.Baskets(of.names, basket, of.item[begin[picked][basket] + within], count)


def marked(of: itemsets.Baskets) -> pd.DataFrame:
    """The same as mlxtend wants it: a column of truth for each product."""
    held = np.zeros((of.n, len(of.names)), dtype=bool)
    held[of.basket, of.item] = True
    return pd.DataFrame(held, columns=list(of.names))


def ours(of: itemsets.Baskets) -> int:
    """Rules from pairs of numbers, packing into bits and tests of chance included."""
    return len(association.rules(itemsets.frequent(of, support=SUPPORT), confidence=CONFIDENCE))


def theirs(table: pd.DataFrame, way: str) -> int:
    """Rules by mlxtend from its own table, one product after the arrow."""
    from mlxtend import frequent_patterns

    sets = getattr(frequent_patterns, way)(table, min_support=SUPPORT)
    rules = frequent_patterns.association_rules(sets, metric="confidence", min_threshold=CONFIDENCE)
    return int((rules["consequents"].map(len) == 1).sum())


def least(way, *given) -> tuple[float, int]:
    """The least seconds of CPU of some rounds, and the number of rules."""
    best = np.inf
    for _ in range(ROUNDS):
        began = time.process_time()
        rules = way(*given)
        best = min(best, time.process_time() - began)
    return best, rules


def main() -> None:
    """Seconds of CPU, and how many times as many the package takes."""
    warnings.simplefilter("ignore")
    if not FILE.is_file():
        raise SystemExit(f"{FILE} is not here: see the README of ../shared/data")
    of = drawn(BASKETS)
    took, rules = least(ours, of)
    print(f"{of.n:,} baskets, support {SUPPORT}: ours {took:.3f} s CPU, {rules} rules", flush=True)
    if sys.argv[1:]:
        sys.path.append(sys.argv[1])
        table = marked(of)
        for way in ("fpgrowth", "apriori"):
            other, found = least(theirs, table, way)
            print(
                f"mlxtend {way} {other:.3f} s = {other / took:.1f} × ours (at least {WANTED}), {found} rules",
                flush=True,
            )


if __name__ == "__main__":
    main()
