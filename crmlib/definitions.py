"""Every measure the workbook can print: id, unit, label, formula, source. Found by id in `crmlib.measures`."""

from dataclasses import dataclass

UNITS = ("count", "money", "share", "days", "score", "number")


@dataclass(frozen=True)
class Measure:
    """What a figure is: its unit, its name, how it is computed, from which table."""

    id: str
    unit: str
    label: str
    formula: str
    source: str


def _measures(source: str, *rows: tuple[str, str, str, str]) -> list[Measure]:
    return [Measure(*row, source) for row in rows]


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

# Why a total moved (B03), of the customers who bought in both periods and of the others.
_CHANGE = [
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

ALL = [
    *_measures(
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
    *_CHANGE,
    *_measures(
        "transactions",
        ("sales.all", "money", "All sales", "sum of positive lines of the period, customer known or not"),
        ("sales.identified", "money", "Identified sales", "sum of positive lines of known customers"),
        ("sales.unidentified", "money", "Sales without a known customer", "all sales − identified sales"),
        (
            "sales.unidentified.rows",
            "count",
            "Lines without a known customer",
            "positive lines without a known customer",
        ),
        ("sales.lines", "count", "Lines sold", "positive lines of known customers"),
        ("sales.returns", "money", "Returns", "sum of what the period's lines take back; negative"),
        ("sales.returns.identified", "money", "Returns of known customers", "the same for known customers"),
        ("sales.net", "money", "Net sales", "identified sales + returns of known customers"),
        (
            "sales.abnormal",
            "money",
            "Abnormal sales",
            "positive lines far outside the usual prices, included in all sales",
        ),
        ("sales.abnormal.rows", "count", "Abnormal lines", "positive lines far outside the usual prices"),
        (
            "sales.all.without_abnormal",
            "money",
            "All sales without abnormal lines",
            "all sales − abnormal sales",
        ),
        (
            "sales.identified.{dimension}.{value}",
            "money",
            "Identified sales by group",
            "identified sales of the group",
        ),
        ("orders.count", "count", "Orders", "orders of the period with a sale by known customers"),
        ("orders.mean", "money", "Mean order", "identified sales ÷ orders"),
        ("customers.active", "count", "Active customers", "known customers who bought in the period"),
        (
            "customers.new",
            "count",
            "New customers",
            "known customers whose first purchase ever lies in the period",
        ),
        ("customers.total", "count", "Customers so far", "known customers who ever bought by as_of"),
        (
            "customers.one_order",
            "count",
            "One-order customers",
            "customers whose first order by as_of is their only one",
        ),
        (
            "retention.rate",
            "share",
            "Retention",
            "active in this and the previous period ÷ active in the previous",
        ),
        (
            "repurchase.rate",
            "share",
            "Repurchase",
            "active customers with at least two orders in the period ÷ active",
        ),
        (
            "churn.rate",
            "share",
            "Churn",
            "churned at as_of but not at the previous as_of ÷ not churned at the previous",
        ),
        (
            "churn.customers",
            "count",
            "Churned customers",
            "customers whose silence at as_of exceeds the churn limit",
        ),
        ("profit.amount", "money", "Profit", "sum of line profit of known customers"),
        ("profit.margin", "share", "Profit margin", "profit ÷ sales, less returns, whose profit is known"),
        (
            "rfm.recency.mean",
            "days",
            "Mean recency",
            "calendar days from the last order to as_of, mean over customers",
        ),
        ("rfm.frequency.mean", "number", "Mean frequency", "orders by as_of, mean over customers"),
        (
            "rfm.monetary.mean",
            "money",
            "Mean monetary value",
            "gross identified sales by as_of, mean over customers",
        ),
    ),
    *_measures(
        "snapshot",
        ("totals.customers", "count", "Customers with totals", "customers of the snapshot or the tier table"),
        ("totals.orders", "count", "Orders so far", "orders so far, as stated, summed over customers"),
        ("totals.spend", "money", "Spend so far", "spend so far, as stated, summed over customers"),
        ("totals.profit", "money", "Profit so far", "profit so far, as stated, summed over customers"),
        (
            "totals.lifetime_value",
            "money",
            "Lifetime value as stated",
            "the firm's own estimate, summed over customers",
        ),
    ),
    *_measures(
        "tiers",
        (
            "tier.regraded.customers",
            "count",
            "Customers with another tier than given",
            "customers whose computed tier is not the one the firm gave them",
        ),
    ),
    *_measures(
        "classes",
        (
            "tier.{level}.customers",
            "count",
            "Customers in the tier",
            "customers whose combined tier (X16) is this",
        ),
        (
            "tier.{level}.share",
            "share",
            "Share of customers in the tier",
            "customers in the tier ÷ customers with a tier",
        ),
        (
            "tier.moved.customers",
            "count",
            "Customers whose tier moved",
            "customers of both dates whose own facts, by today's rules and the amounts needed then, changed their tier",
        ),
        ("tier.moved.rose", "count", "Rose to a higher tier", "of these, to a higher tier"),
        ("tier.moved.fell", "count", "Fell to a lower tier", "of these, to a lower tier"),
        (
            "tier.moved.rule.customers",
            "count",
            "Regraded by a changed rule",
            "customers whose facts of the previous date have another tier by today's rules than by those of then",
        ),
        (
            "tier.moved.cut.customers",
            "count",
            "Moved by where the others stand",
            "customers whose unchanged facts have another tier because the amount needed, set by shares, moved",
        ),
        (
            "tier.moved.{cause}.customers",
            "count",
            "Customers whose tier this moved",
            "of the customers whose own facts moved their tier, those moved by this alone or with others",
        ),
        (
            "tiering.{level}.bought",
            "share",
            "Bought again, by the tier given before",
            "customers of the previous period's tier who bought in this one ÷ customers of that tier",
        ),
        (
            "tiering.{level}.churned",
            "share",
            "Churned since, by the tier given before",
            "customers of the previous period's tier who churned since ÷ those of them who had not churned then",
        ),
        (
            "behaviour.{state}.customers",
            "count",
            "Customers by behaviour",
            "customers active, dormant or churned (X02)",
        ),
        (
            "segment.{segment}.customers",
            "count",
            "Customers in the segment",
            "customers in the RFM segment (X18)",
        ),
        (
            "cluster.count",
            "count",
            "Groups alike",
            "groups that clustering finds clear and steady (X08); 0 where it finds none",
        ),
        (
            "cluster.{group}.customers",
            "count",
            "Customers in the group",
            "customers in the group found by clustering",
        ),
        (
            "cluster.silhouette",
            "number",
            "Clearness of groups",
            "mean silhouette: how much nearer to the own group than to the next, -1 to 1",
        ),
        (
            "cluster.stability",
            "number",
            "Steadiness of groups",
            "mean adjusted Rand index of the groups that two halves of the customers give, 1 = the same",
        ),
        (
            "profile.{class}.{level}.customers",
            "count",
            "Customers described",
            "customers of the class, held against all other customers with a class",
        ),
        ("abc.{grade}.customers", "count", "Customers by ABC grade", "customers of grade A, B or C (X05)"),
        ("need.{need}.customers", "count", "Customers by need", "customers in the need group (X03)"),
        (
            "need.agreement",
            "share",
            "Stated and derived need agree",
            "customers whose purchases tell the need they stated ÷ customers of whom both are known",
        ),
        (
            "scorecard.{level}.customers",
            "count",
            "Customers by scorecard",
            "customers whose weighted points for satisfaction and loyalty (X10) are in this class",
        ),
        (
            "potential.customers",
            "count",
            "Potential high-value customers",
            "customers outside the high tier who show signs enough of it (X15)",
        ),
        ("tag.{tag}.customers", "count", "Customers with the tag", "customers of whom its condition is true"),
    ),
    *_measures(
        "costs",
        (
            "lifetime.amount",
            "money",
            "Lifetime value",
            "net sales so far − known costs of winning and serving, of customers with a known cost (X09)",
        ),
        ("lifetime.acquisition", "money", "Cost of winning", "cost of winning laid on customers, by as_of"),
        ("lifetime.service", "money", "Cost of serving", "cost of serving that names customers, by as_of"),
        (
            "served.at_a_loss.customers",
            "count",
            "Customers served at a loss",
            "customers whose cost of serving exceeds all that their orders earned (profit, else net sales)",
        ),
    ),
    *_measures(
        "transactions",
        (
            "value.retained",
            "money",
            "Value of retention",
            "sales of the period by customers whose first order lies before it (X13)",
        ),
        (
            "value.acquired",
            "money",
            "Value of acquisition",
            "sales of the period by customers whose first order lies in it (X13)",
        ),
    ),
    *_measures(
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
