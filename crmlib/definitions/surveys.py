"""Measures of what customers answered."""

from crmlib.definitions.measure import measures

SURVEYS = [
    *measures(
        "surveys",
        ("satisfaction.mean", "score", "Satisfaction", "mean of the period's answers on 0–100, all aspects"),
        (
            "satisfaction.mean.raw",
            "score",
            "Satisfaction, as asked",
            "mean of the period's answers on the scale as asked",
        ),
        ("satisfaction.{aspect}", "score", "Satisfaction by aspect", "mean of the period's answers on 0–100"),
        (
            "satisfaction.{aspect}.raw",
            "score",
            "Satisfaction by aspect, as asked",
            "mean on the scale as asked",
        ),
        (
            "nps.score",
            "score",
            "Net promoter score",
            "100 × (share of 9–10 − share of 0–6) of the 0–10 answers",
        ),
    ),
]
