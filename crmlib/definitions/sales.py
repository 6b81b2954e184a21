"""Measures of sales, orders and customers of a period, and of totals that stand in for order lines."""

from crmlib.definitions.measure import measures

SALES = [
    *measures(
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
    *measures(
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
    *measures(
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
]
