"""Why a measure moved (B03)."""

from crmlib.definitions.measure import Measure

# Of the customers who bought in both periods, and of the others.
CHANGES = [
    Measure(f"change.{{measure}}.{part}", "money", f"Change by {words}", formula, "transactions")
    for part, words, formula in (
        ("volume", "volume", "of customers of both periods: the change of orders × the mean order of both"),
        ("mix", "mix", "of the same: orders moved between groups of dearer and cheaper orders"),
        (
            "rate",
            "rate",
            "of the same: within groups, the change of the mean order × the mean number of orders",
        ),
        ("new", "customers who came", "what those bought who had not bought in the previous period"),
        ("lost", "customers who left", "what those bought then who did not buy in this period, negative"),
        ("residual", "nothing known", "the change − all parts; always 0"),
    )
]
