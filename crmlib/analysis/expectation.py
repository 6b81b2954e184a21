"""What customers expect of the service, against what they say they got (F04).

The expectation comes from the needs survey, the experience from the satisfaction survey of the same
customer; both are brought to 0–100 by the ends of their own scales.
"""

import numpy as np
import pandas as pd
from scipy import stats

from crmlib.analysis import intervals
from crmlib.analysis.satisfaction import NOT_TOLD
from crmlib.classification.classes import percent
from crmlib.classification.profiles import in_order

ASPECTS = ("service", "after_sales")
UNRATED = "nobody_rated"  # why nothing is told where the needs survey is at hand
DAYS = 365  # so far back an answer still tells of the service as it is: each season once
COLUMNS = ["class", "level", "expected", "experienced", "gap", "gap_low", "gap_high", "n", "against"]
SIDES = {1: "gets_more", -1: "gets_less", 0: "not_told"}
UNITS = dict.fromkeys(("expected", "experienced", "gap", "gap_low", "gap_high"), "score")
UNITS |= {"against": "word", "aspect": "word"}


def expected(needs: pd.DataFrame | None, scale: tuple[float, float]) -> tuple[pd.Series, str]:
    """What each known customer last said to expect of the service, 0–100 by customer_id; else why nobody knows.

    The reason is a word: no_needs_survey, nobody_told, outside_scale.

    >>> rows = pd.DataFrame({"customer_id": ["a"], "known": True, "asked_day": 1, "service_expectation": [9.0]})
    >>> expected(rows.assign(source_file="f", source_row=2), (1, 5))[1]
    'outside_scale'
    """
    nothing = pd.Series(dtype=float)
    if needs is None:
        return nothing, "no_needs_survey"
    said = needs[needs["known"] & needs["service_expectation"].notna() & needs["customer_id"].notna()]
    if said.empty:
        return nothing, "nobody_told"
    low, high = scale
    # One answer beyond an end says that the ends are not those of this scale.
    if not said["service_expectation"].between(low, high).all():
        return nothing, "outside_scale"
    ordered = said.sort_values(["asked_day", "source_file", "source_row"], na_position="first")
    newest = ordered.groupby("customer_id")["service_expectation"].last()
    return (newest - low) / (high - low) * 100, ""


def experienced(answers: pd.DataFrame | None, *, as_of: int) -> pd.DataFrame:
    """Each known customer's mean of a year's answers on service and on after-sales, 0–100, a column each."""
    if answers is None:
        return pd.DataFrame(columns=list(ASPECTS), dtype=float)
    recent = answers["known"] & answers["answered_day"].between(as_of - DAYS + 1, as_of)
    said = answers[recent & answers["aspect"].isin(ASPECTS)]
    wide = percent(said).groupby([said["customer_id"], said["aspect"]]).mean().unstack()
    return wide.reindex(columns=list(ASPECTS)).astype(float)


def gaps(wished: pd.Series, got: pd.DataFrame, judged: pd.DataFrame, dimension: str) -> pd.DataFrame:
    """Experience less expectation of the same customers, by class, for service and after-sales.

    Parameters
    ----------
    wished, got : as `expected` and `experienced` return them
    judged : in the columns of `tables.CLASSES`
    dimension : the class by which customers are grouped

    Returns
    -------
    class (the aspect), level, expected, experienced, gap with an interval that holds for all rows together in
    90 % of surveys (Bonferroni; empty where all differ alike), n (customers),
    against: gets_more than expected, gets_less, or not_told; groups below ten are left out
    """
    level = judged.set_index("customer_id")[dimension]
    rows = []
    for aspect in ASPECTS:
        both = pd.DataFrame({"expected": wished, "got": got[aspect], "level": level}).dropna()
        both = both[~both["level"].isin(NOT_TOLD)]
        for name in in_order(set(both["level"])):
            mine = both[both["level"] == name]
            if len(mine) >= intervals.ENOUGH:
                rows.append((aspect, name, mine["expected"].mean(), mine["got"].mean(), mine))
    return _with_bounds(rows)


def _with_bounds(rows: list[tuple]) -> pd.DataFrame:
    told = []
    for aspect, name, wanted, got, mine in rows:
        each = mine["got"] - mine["expected"]
        gap, error = each.mean(), each.std(ddof=1) / np.sqrt(len(each))
        # Of answers that do not differ nobody knows how far they would.
        reach = stats.t.ppf(1 - 0.05 / len(rows), len(each) - 1) * (error if error > 0 else np.nan)
        side = int(gap - reach > 0) - int(gap + reach < 0)
        told.append((aspect, name, wanted, got, gap, gap - reach, gap + reach, len(each), SIDES[side]))
    return pd.DataFrame(told, columns=COLUMNS)


def figures(table: pd.DataFrame) -> dict[str, dict]:
    """The gaps by id: `expectation.gap.{aspect}.{level}`; none where none could be told."""
    return {
        f"expectation.gap.{row[1]}.{row.level}": {
            "value": row.gap,
            "low": row.gap_low,
            "high": row.gap_high,
            "n": row.n,
        }
        for row in table.itertuples()
    }


def counted(wished: pd.Series, got: pd.DataFrame) -> int:
    """How many customers told both what they expect and what they got."""
    return int(got.dropna(how="all").index.isin(wished.index).sum())


def worst(table: pd.DataFrame) -> dict:
    """The group that gets least of what it expects, of those told from chance if there are any.

    Returns
    -------
    known (groups), aspect, level, expected, experienced, low, high (of the gap), customers, short (whether it gets
    less by more than chance)
    """
    values = {"known": len(table), "aspect": "", "level": "", "expected": 0.0, "experienced": 0.0}
    values |= {"low": 0.0, "high": 0.0, "short": False, "customers": 0}
    if len(table):
        short = table["against"] == "gets_less"
        row = table.assign(short=short).sort_values(["short", "gap"], ascending=[False, True]).iloc[0]
        values |= {"aspect": row["class"], "level": row["level"], "expected": row["expected"]}
        values |= {"experienced": row["experienced"], "short": bool(row["short"])}
        values |= {"low": row["gap_low"], "high": row["gap_high"], "customers": int(row["n"])}
    return values
