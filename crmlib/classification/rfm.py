"""Recency, frequency, monetary value: scores and a name for every score (X18).

A score is a fifth of the list of customers: 5 for the most recent, the most frequent, the largest.
Equal customers share a score, and the order of rows never decides. R and the mean of F and M
together name the segment; all 25 pairs are spelt out, so none falls into "other".

A short list, or one so tied that fifths part it no better, is scored by thirds (1–3) with fewer
names, also spelt out; customers who are all alike are one group; of very few nobody is scored.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from crmlib.rules import RfmRule

TOO_FEW = "too_few"
NOT_SUPPLIED = "not_supplied"
ALIKE = "alike"
# Rows: R from 5 (just bought) to 1 (long ago). Columns: frequency and money from 1 to 5.
SEGMENTS = {
    5: ("newcomer", "promising", "loyal", "champion", "champion"),
    4: ("newcomer", "promising", "loyal", "loyal", "champion"),
    3: ("fading", "needs_attention", "needs_attention", "loyal", "loyal"),
    2: ("hibernating", "hibernating", "at_risk", "at_risk", "must_not_lose"),
    1: ("lost", "lost", "at_risk", "must_not_lose", "must_not_lose"),
}
# The same by thirds: five names, because a list of ten bears no more.
THIRDS = {
    3: ("recent", "recent", "best"),
    2: ("middling", "middling", "best"),
    1: ("quiet", "quiet", "quiet_but_large"),
}
NAMES = tuple(dict.fromkeys(name for row in SEGMENTS.values() for name in row))
FEWER_NAMES = ("best", "recent", "middling", "quiet_but_large", "quiet", ALIKE)
MEASURES = {"recency": "recency_days", "frequency": "orders", "monetary": "gross"}
SCORES = [f"{measure}_score" for measure in MEASURES]
# Fewer different scores than this, and fifths say no more than thirds do.
LEAST_SPREAD = 3


def segment(recency: int, frequency: int, monetary: int, *, levels: int = 5) -> str:
    """The segment of three scores, by fifths or by thirds.

    >>> segment(5, 5, 5), segment(1, 5, 4), segment(5, 1, 1)
    ('champion', 'must_not_lose', 'newcomer')
    >>> segment(3, 3, 3, levels=3), segment(1, 1, 2, levels=3)
    ('best', 'quiet')
    """
    if levels == 1:
        return ALIKE
    named = SEGMENTS if levels == 5 else THIRDS
    # Halves go up: a customer strong in one of the two is not treated as the weaker.
    return named[recency][(frequency + monetary + 1) // 2 - 1]


def fifths(values: pd.Series, levels: int = 5) -> pd.Series:
    """Scores 1–5 by rank, the largest value 5; equal values share the score of their mean rank.

    A value that is not known has score 0 and takes part in no rank. With `levels` 3, thirds.

    >>> fifths(pd.Series([10, 20, 30, 40, 50])).tolist()
    [1, 2, 3, 4, 5]
    >>> fifths(pd.Series([7, 7, 7, 7, 7])).tolist()
    [3, 3, 3, 3, 3]
    >>> fifths(pd.Series([None, 20.0])).tolist()
    [0, 3]
    """
    middle = (values.rank(method="average") - 0.5) / max(values.notna().sum(), 1)
    return (np.floor(middle * levels).clip(0, levels - 1) + 1).fillna(0).astype("int64")


def rfm(facts: pd.DataFrame, rule: RfmRule) -> pd.DataFrame:
    """Scores and segment of every customer.

    Parameters
    ----------
    facts : customer_id, recency_days, orders, gross (gross sales of all history)
    rule : from how many customers on scores mean anything

    Returns
    -------
    customer_id, recency_score, frequency_score, monetary_score (1 to `score_levels`; 0 where too few
    customers), segment (a name of `NAMES` or `FEWER_NAMES`; `too_few`; `not_supplied` where recency,
    frequency or money is not known), score_levels (5, 3; 1 where all are alike and stand in the middle
    of five; 0 where too few).
    """
    levels = score_levels(facts, rule)
    if not levels:
        nothing = dict.fromkeys(SCORES, 0)
        return facts[["customer_id"]].assign(**nothing, segment=TOO_FEW, score_levels=0)
    scores = _scores(facts, 3 if levels == 3 else 5)
    threes = scores.itertuples(index=False)
    names = [segment(*three, levels=levels) if all(three) else NOT_SUPPLIED for three in threes]
    return facts[["customer_id"]].assign(**scores, segment=names, score_levels=levels)


def score_levels(facts: pd.DataFrame, rule: RfmRule) -> int:
    """How many levels the list bears: 5, 3, 1 where all customers are alike, 0 where they are too few."""
    told = facts[list(MEASURES.values())].notna().all(axis=1)
    size = int(told.sum()) or len(facts)
    if size < min(rule.at_least, rule.thirds_from):
        return 0
    spread = _scores(facts[told], 5).nunique() if told.any() else pd.Series([LEAST_SPREAD])
    if (spread == 1).all():
        return 1
    return 5 if size >= rule.at_least and (spread >= LEAST_SPREAD).all() else 3


def _scores(facts: pd.DataFrame, levels: int) -> pd.DataFrame:
    best = {"recency_score": -facts["recency_days"]}
    best |= {"frequency_score": facts["orders"], "monetary_score": facts["gross"]}
    return pd.DataFrame({name: fifths(values, levels) for name, values in best.items()})


def thresholds(scores: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """What each score stands for in this list: the range of values that have it.

    Parameters
    ----------
    scores, facts : a row per customer, in the same order

    Returns
    -------
    measure (recency_days, orders, gross), rfm_score (the best first), least, most, customers,
    unit (of least and most). No rows where nobody is scored.
    """
    units = {"recency_days": "days", "orders": "count", "gross": "money"}
    parts = []
    for measure, column in MEASURES.items():
        points = scores[f"{measure}_score"]
        values = facts[column][points > 0].groupby(points[points > 0])
        ranges = values.agg(["min", "max", "size"]).sort_index(ascending=False).rename_axis("rfm_score")
        ranges = ranges.reset_index().set_axis(["rfm_score", "least", "most", "customers"], axis=1)
        parts.append(ranges.assign(measure=column, unit=units[column]))
    columns = ["measure", "rfm_score", "least", "most", "customers", "unit"]
    return pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)[columns]


def scale(scores: pd.DataFrame) -> dict[str, float]:
    """How the list is scored: levels, customers, and whether anybody is known well enough to be (`told`)."""
    told = scores[scores["segment"] != NOT_SUPPLIED]
    return {
        "levels": int(scores["score_levels"].max()) if len(scores) else 0,
        "customers": len(told),
        "told": len(told) > 0 or not len(scores),
    }


def names(levels: int = 5) -> pd.DataFrame:
    """The whole map from scores to segments: `recency_points`, then a column per mean of frequency and money.

    No rows where nobody is scored, or all are alike.

    >>> names(3).iloc[0, 1:].tolist()
    ['recent', 'recent', 'best']
    """
    named: Mapping[int, tuple[str, ...]] = SEGMENTS if levels == 5 else THIRDS
    rows = [(recency, *row) for recency, row in named.items() if levels >= 3]
    return pd.DataFrame(rows, columns=["recency_points", *(f"points_{n + 1}" for n in range(len(named)))])


def segments(classes: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """One row a segment: customers, their share, their gross sales and share of those, mean recency."""
    joined = classes[["customer_id", "segment"]].merge(facts, on="customer_id", validate="one_to_one")
    grouped = joined.groupby("segment")
    order = [n for n in (*NAMES, *FEWER_NAMES, TOO_FEW, NOT_SUPPLIED) if n in grouped.groups]
    table = grouped.agg(
        customers=("customer_id", "size"), gross=("gross", "sum"), recency_days=("recency_days", "mean")
    ).loc[order]
    return table.assign(
        share=table["customers"] / len(joined), share_of_sales=table["gross"] / max(joined["gross"].sum(), 1)
    ).reset_index()[["segment", "customers", "share", "gross", "share_of_sales", "recency_days"]]


def champions(segments: pd.DataFrame) -> dict[str, float]:
    """Of the best segment: customers, their share, their share of sales; 0 where it is empty.

    `told` is False where it is not known of any customer when, how often and for how much they bought;
    `segment` is `best` where the list is scored by thirds.
    """
    found = set(segments["segment"])
    name = "best" if found & set(FEWER_NAMES) else "champion"
    best = segments[segments["segment"] == name]
    return {
        "told": not len(segments) or bool((segments["segment"] != NOT_SUPPLIED).any()),
        "segment": name,
        "customers": int(best["customers"].sum()),
        "share": float(best["share"].sum()),
        "sales": float(best["share_of_sales"].sum()),
    }
