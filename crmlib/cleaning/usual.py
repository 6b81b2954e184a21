"""Usual prices: each product's middle price and how far its prices stray, both on their logarithm.

A price list has few prices, on however many lines they stand: each is counted once, and the middle is
taken of the counts.
"""

import duckdb
import numpy as np
import pyarrow as pa

THING = "coalesce(product_id, product)"
LINES_TO_JUDGE = 30


def usual_prices(engine: duckdb.DuckDBPyConnection) -> None:
    """Names `usual` each product's prices, where enough of `lines` tell of them, and `overall` those of all lines.

    Both have middle and spread (median, and median distance from it, of the logarithm); `usual` has thing,
    `overall` has lines (how many tell).
    """
    each = engine.sql(
        f"SELECT thing, log10(CAST(paid AS DOUBLE)) AS size, n FROM (SELECT {THING} AS thing, paid, count(*) AS n"
        " FROM lines WHERE NOT copied AND paid IS NOT NULL GROUP BY ALL)"
    ).to_arrow_table()
    things = each["thing"].combine_chunks().dictionary_encode()
    codes = things.indices.fill_null(-1).to_numpy()
    sizes, counts = each["size"].to_numpy(), each["n"].to_numpy()
    named, middles, spreads, lines = _spread(codes, sizes, counts)
    enough = (lines >= LINES_TO_JUDGE) & (named >= 0)
    usual = {
        "thing": things.dictionary.take(pa.array(named[enough])),
        "middle": middles[enough],
        "spread": spreads[enough],
    }
    engine.register("usual", pa.table(usual))
    _, *overall = _spread(np.zeros(len(codes), int), sizes, counts)
    middles, spreads, lines = (part.tolist() or [0] for part in overall)  # where no price is told, of no line
    engine.register("overall", pa.table({"middle": middles, "spread": spreads, "lines": lines}))


def _spread(
    groups: np.ndarray, values: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Each group, its middle value, the middle distance from that, and how many values it has."""
    named, middles, lines = middle(groups, values, counts)
    away = np.abs(values - middles[np.searchsorted(named, groups)])
    return named, middles, middle(groups, away, counts)[1], lines


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
    lines = np.diff(np.append(before, upto[-1:] if len(upto) else []))
    low, high = (
        values[np.searchsorted(upto, before + place)] for place in ((lines + 1) // 2, lines // 2 + 1)
    )
    return named, low + (high - low) / 2, lines
