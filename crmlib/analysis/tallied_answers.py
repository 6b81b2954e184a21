"""Tallies of what customers answered: satisfaction by aspect, and recommending."""

from fractions import Fraction
from math import lcm
from typing import Any

import pandas as pd

from crmlib.analysis.satisfaction import during
from crmlib.analysis.tally import Tally, known, nothing
from crmlib.language.words import WORDS
from crmlib.period import Period

# Scores are whole numbers of this part of a point at most: finer ones would not fit into whole numbers.
FINEST = 10**6
ANSWERED = {"mix": "answered_mix", "rate": "answered_rate", "new": "answered_new", "lost": "answered_lost"}


def satisfaction(
    answers: pd.DataFrame | None,
    spans: tuple[Period, Period],
    customers: pd.DataFrame,
    aspect: str | None = None,
) -> Tally:
    """Points of 0–100 of each respondent and aspect, and how many answers they are of.

    Parameters
    ----------
    answers : in the columns of `tables.SURVEYS`; None where no survey is supplied
    spans : this period and the one before
    aspect : of this aspect alone, else of all but recommending
    """
    id = f"satisfaction.{aspect or 'mean'}"
    if answers is None:
        return nothing(id, ANSWERED, "answers", "surveys")
    rated = answers[answers["aspect"] == aspect if aspect else answers["aspect"] != "recommend"]
    sides, why = _answered([during(rated, span) for span in spans[::-1]], customers, _points)
    return Tally(id, *sides, ANSWERED, "answers", "surveys", sampled=True, why=why)


def nps(answers: pd.DataFrame | None, spans: tuple[Period, Period], customers: pd.DataFrame) -> Tally:
    """100 for each promoter (9–10), −100 for each detractor (0–6), by respondent."""
    if answers is None:
        return nothing("nps.score", ANSWERED, "answers", "surveys")
    asked = answers[answers["aspect"] == "recommend"]
    sides, why = _answered([during(asked, span) for span in spans[::-1]], customers, _promoters)
    if why is None and not all((asked["low"] == 0) & (asked["high"] == 10)):
        why = WORDS["untold_other_scale"]
    return Tally("nps.score", *sides, ANSWERED, "answers", "surveys", sampled=True, why=why)


def _points(answers: pd.DataFrame) -> list[Fraction]:
    """Each answer's points of 100, exactly: a score of few decimals or of a mean of few is what it was meant as."""
    told = {}
    for row in answers[["score", "low", "high"]].drop_duplicates().itertuples(index=False):
        score, low, high = (Fraction(float(end)).limit_denominator(1000) for end in row)
        told[row.score, row.low, row.high] = 100 * (score - low) / (high - low)
    keys = zip(answers["score"], answers["low"], answers["high"], strict=True)
    return [told[key] for key in keys]


def _promoters(answers: pd.DataFrame) -> list[Fraction]:
    score = answers["score"]
    return [
        Fraction(100 * (int(for_us) - int(against)))
        for for_us, against in zip(score >= 9, score <= 6, strict=True)
    ]


def _answered(parts: list[pd.DataFrame], customers: pd.DataFrame, points: Any) -> tuple[list, str | None]:
    """Both periods' answers as rows of respondent and aspect, value and weight on one common denominator."""
    told = [points(part) for part in parts]
    whole = lcm(1, *{point.denominator for side in told for point in side})
    if whole > FINEST:
        whole = FINEST
    sides = []
    for part, side in zip(parts, told, strict=True):
        rows = pd.DataFrame({"unit": part["customer_id"], "aspect": part["aspect"]})
        rows = rows.assign(value=[round(point * whole) for point in side], weight=whole)
        rows = rows.astype({"value": "int64", "weight": "int64"})
        sides.append(known(rows.groupby(["unit", "aspect"], as_index=False).sum(), customers))
    return sides, None if all(map(len, sides)) else WORDS["untold_nobody_answered"]
