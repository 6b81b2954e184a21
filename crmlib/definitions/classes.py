"""Measures of classes, groups, tiers and lifetime value."""

from crmlib.definitions.measure import measures

CLASSES = [
    *measures(
        "tiers",
        (
            "tier.regraded.customers",
            "count",
            "Customers with another tier than given",
            "customers whose computed tier is not the one the firm gave them",
        ),
    ),
    *measures(
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
    *measures(
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
]
