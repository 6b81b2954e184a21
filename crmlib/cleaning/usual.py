"""Usual prices: those that stand far outside what a product's prices are.

A price list has few prices, on however many lines they stand: each is counted and judged once.
"""

import duckdb
import numpy as np
import pyarrow as pa

THING = "coalesce(product_id, product)"
# Far outside: five robust standard deviations and at least tenfold, on the logarithm of the price.
SPREADS, TENFOLD, ROBUST, LINES_TO_JUDGE = 5, 1, 1.4826, 30


def abnormal_prices(engine: duckdb.DuckDBPyConnection) -> pa.Table:
    """The prices in `lines` that are far outside the usual.

    They are compared within their product where enough lines tell of it, else among all; where these are
    too few as well, none is abnormal.

    Returns
    -------
    thing (of which product; may be null), paid (the price, as in `lines`).
    """
    each = engine.sql(
        f"SELECT thing, paid, log10(CAST(paid AS DOUBLE)) AS size, n FROM (SELECT {THING} AS thing, paid,"
        " count(*) AS n FROM lines WHERE NOT copied AND paid IS NOT NULL GROUP BY ALL)"
    ).to_arrow_table()
    codes = each["thing"].combine_chunks().dictionary_encode().indices.fill_null(-1).to_numpy()
    sizes, counts = each["size"].to_numpy(), each["n"].to_numpy()
    if counts.sum() < LINES_TO_JUDGE:
        return each.select(["thing", "paid"]).slice(0, 0)
    own = _usual(codes, sizes, counts)
    among_all = _usual(np.zeros_like(codes), sizes, counts)
    enough = (own[2] >= LINES_TO_JUDGE) & (codes >= 0)
    middles, spreads = (np.where(enough, own[n], among_all[n]) for n in (0, 1))
    far = np.abs(sizes - middles) > np.maximum(TENFOLD, SPREADS * ROBUST * spreads)
    return each.select(["thing", "paid"]).filter(pa.array(far))


def _usual(
    groups: np.ndarray, values: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each value: its group's median, the median distance from that, and how many values the group has."""
    named, medians, lines = middle(groups, values, counts)
    place = np.searchsorted(named, groups)
    away = middle(groups, np.abs(values - medians[place]), counts)[1]
    return medians[place], away[place], lines[place]


def middle(
    groups: np.ndarray, values: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The median of each group's values, each of which occurs so often.

    Returns
    -------
    The groups, rising; their medians (between the two middle values where their number is even); their numbers.

    Examples
    --------
    >>> named, medians, lines = middle(np.array([0, 0, 1]), np.array([9.0, 1.0, 5.0]), np.array([1, 2, 4]))
    >>> medians.tolist(), lines.tolist()
    ([1.0, 5.0], [3, 4])
    """
    order = np.lexsort((values, groups))
    groups, values, upto = groups[order], values[order], np.cumsum(counts[order])
    named, first = np.unique(groups, return_index=True)
    before = np.append(0, upto)[first]
    lines = np.diff(np.append(before, upto[-1]))
    low, high = (
        values[np.searchsorted(upto, before + place)] for place in ((lines + 1) // 2, lines // 2 + 1)
    )
    return named, low + (high - low) / 2, lines
