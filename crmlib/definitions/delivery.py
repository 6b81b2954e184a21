"""Measures of what was delivered, of the ledger and of quality."""

from crmlib.definitions.measure import Measure, measures

_LEDGER = [
    Measure(
        f"ledger.{{table}}.{what}_{fate}",
        unit,
        f"Ledger: {what} {word}",
        f"{what} of the table {word} by cleaning; in = kept + merged + set aside",
        "ledger",
    )
    for what, unit in (("rows", "count"), ("money", "money"))
    for fate, word in (
        ("in", "delivered"),
        ("kept", "kept"),
        ("merged", "merged"),
        ("quarantined", "set aside"),
    )
]

# The share that each score of quality is (D10), before cleaning and after it, never merged into one.
_QUALITY = [
    Measure(
        f"quality.{{table}}{field}.{score}.{stage}",
        "share",
        f"{score.capitalize()}{of} {stage} cleaning",
        formula,
        "delivery",
    )
    for score, formula in (
        (
            "accuracy",
            "filled cells that can be read and can be true (in scale, in time, customer known, amount = "
            "quantity × price, region that of the city) ÷ filled cells",
        ),
        ("completeness", "filled cells ÷ cells; N/A, - and the like are not filled"),
        (
            "timeliness",
            "(stale_days − age of the newest record) ÷ (stale_days − fresh_days), within 0 and 1; at most "
            "the share of records updated within updated_within_days, where they say when",
        ),
    )
    for stage in ("before", "after")
    for field, of in (("", ""), (".{field}", " of a field"))
]


DELIVERY = [
    *measures(
        "delivery",
        ("delivered.{source}.rows", "count", "Rows delivered", "records as they came, before cleaning"),
        (
            "delivered.{source}.duplicates",
            "count",
            "Duplicate rows delivered",
            "rows of a named source that repeat another of its rows in every column",
        ),
        (
            "delivered.{source}.{column}.sum",
            "number",
            "Sum as delivered",
            "sum of a numeric column as it came",
        ),
        (
            "delivered.{source}.{column}.mean",
            "number",
            "Mean as delivered",
            "mean of a numeric column as it came",
        ),
    ),
    *_LEDGER,
    *_QUALITY,
]
