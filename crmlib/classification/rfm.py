"""Recency, frequency, monetary value: scores 1–5 and a name for every score (X18).

A score is a fifth of the list of customers: 5 for the most recent, the most frequent, the largest.
Equal customers share a score, and the order of rows never decides. R and the mean of F and M
together name the segment; all 25 pairs are spelt out, so none falls into "other".
"""

import numpy as np
import pandas as pd

from crmlib.rules import RfmRule

TOO_FEW = "too_few"
NOT_SUPPLIED = "not_supplied"
# Rows: R from 5 (just bought) to 1 (long ago). Columns: frequency and money from 1 to 5.
SEGMENTS = {
    5: ("newcomer", "promising", "loyal", "champion", "champion"),
    4: ("newcomer", "promising", "loyal", "loyal", "champion"),
    3: ("fading", "needs_attention", "needs_attention", "loyal", "loyal"),
    2: ("hibernating", "hibernating", "at_risk", "at_risk", "must_not_lose"),
    1: ("lost", "lost", "at_risk", "must_not_lose", "must_not_lose"),
}
NAMES = tuple(dict.fromkeys(name for row in SEGMENTS.values() for name in row))


def segment(recency: int, frequency: int, monetary: int) -> str:
    """The segment of three scores.

    >>> segment(5, 5, 5), segment(1, 5, 4), segment(5, 1, 1)
    ('champion', 'must_not_lose', 'newcomer')
    """
    # Halves go up: a customer strong in one of the two is not treated as the weaker.
    return SEGMENTS[recency][(frequency + monetary + 1) // 2 - 1]


def fifths(values: pd.Series) -> pd.Series:
    """Scores 1–5 by rank, the largest value 5; equal values share the score of their mean rank.

    A value that is not known has score 0 and takes part in no rank.

    >>> fifths(pd.Series([10, 20, 30, 40, 50])).tolist()
    [1, 2, 3, 4, 5]
    >>> fifths(pd.Series([7, 7, 7, 7, 7])).tolist()
    [3, 3, 3, 3, 3]
    >>> fifths(pd.Series([None, 20.0])).tolist()
    [0, 3]
    """
    middle = (values.rank(method="average") - 0.5) / max(values.notna().sum(), 1)
    return (np.floor(middle * 5).clip(0, 4) + 1).fillna(0).astype("int64")


def rfm(facts: pd.DataFrame, rule: RfmRule) -> pd.DataFrame:
    """Scores and segment of every customer.

    Parameters
    ----------
    facts : customer_id, recency_days, orders, gross (gross sales of all history)
    rule : from how many customers on scores mean anything

    Returns
    -------
    customer_id, recency_score, frequency_score, monetary_score (1–5; 0 where too few customers),
    segment (a name of `NAMES`; `too_few`; `not_supplied` where recency, frequency or money is not known).
    """
    if len(facts) < rule.at_least:
        nothing = dict.fromkeys(("recency_score", "frequency_score", "monetary_score"), 0)
        return facts[["customer_id"]].assign(**nothing, segment=TOO_FEW)
    scores = facts[["customer_id"]].assign(
        recency_score=fifths(-facts["recency_days"]),
        frequency_score=fifths(facts["orders"]),
        monetary_score=fifths(facts["gross"]),
    )
    points = scores[["recency_score", "frequency_score", "monetary_score"]]
    names = [segment(*three) if all(three) else NOT_SUPPLIED for three in points.itertuples(index=False)]
    return scores.assign(segment=names)


def segments(classes: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """One row a segment: customers, their share, their gross sales and share of those, mean recency."""
    joined = classes[["customer_id", "segment"]].merge(facts, on="customer_id", validate="one_to_one")
    grouped = joined.groupby("segment")
    order = [name for name in (*NAMES, TOO_FEW, NOT_SUPPLIED) if name in grouped.groups]
    table = grouped.agg(
        customers=("customer_id", "size"), gross=("gross", "sum"), recency_days=("recency_days", "mean")
    ).loc[order]
    return table.assign(
        share=table["customers"] / len(joined), share_of_sales=table["gross"] / max(joined["gross"].sum(), 1)
    ).reset_index()[["segment", "customers", "share", "gross", "share_of_sales", "recency_days"]]


def champions(segments: pd.DataFrame) -> dict[str, float]:
    """Of the best segment: customers, their share, their share of sales; 0 where it is empty.

    `told` is False where it is not known of any customer when, how often and for how much they bought.
    """
    best = segments[segments["segment"] == "champion"]
    return {
        "told": not len(segments) or bool((segments["segment"] != NOT_SUPPLIED).any()),
        "customers": int(best["customers"].sum()),
        "share": float(best["share"].sum()),
        "sales": float(best["share_of_sales"].sum()),
    }
