"""Measures of what customers will be worth (M04)."""

from crmlib.definitions.measure import measures

VALUE = [
    *measures(
        "transactions",
        (
            "value.bgnbd.{parameter}",
            "number",
            "BG/NBD model of purchases",
            "r, alpha (weeks), a, b at the greatest likelihood of days with an order, and that likelihood's "
            "logarithm (loglik), whose interval is what parameters within the 90 % region reach",
        ),
        (
            "value.buying.{parameter}",
            "number",
            "Model of purchases with one chance to leave",
            "the same where chances to leave are not told apart: r, alpha (weeks), odds (of leaving after a purchase)",
        ),
        (
            "value.gamma_gamma.{parameter}",
            "number",
            "Gamma-Gamma model of amounts",
            "p, q, gamma (main units of money) at the greatest likelihood of the mean amounts of repeat orders; loglik",
        ),
        (
            "value.gamma_gamma.{kind}.{parameter}",
            "number",
            "Gamma-Gamma model of a kind of customer",
            "the same over customers of one type",
        ),
        (
            "value.amount",
            "money",
            "Predicted value",
            "gross sales that customers so far are expected to bring within the horizon, each purchase "
            "discounted by the time until it; the interval holds what may come",
        ),
        ("value.profit", "money", "Predicted profit", "predicted value × profit margin of the period"),
        (
            "value.purchases",
            "number",
            "Predicted purchases",
            "days with an order that customers so far are expected to have within the horizon",
        ),
        (
            "value.alive.share",
            "share",
            "Still there",
            "mean P(alive) of customers with two purchases or more; of a one-time buyer it is 1 by construction",
        ),
        (
            "value.tier.{level}.amount",
            "money",
            "Predicted value of the tier",
            "predicted value of the tier's customers",
        ),
        (
            "value.backtest.foreseen",
            "number",
            "Purchases foretold for the hold-out",
            "purchases foretold at the cut for the days since",
        ),
        (
            "value.backtest.came",
            "count",
            "Purchases of the hold-out",
            "purchases since the cut of customers known then",
        ),
        ("value.backtest.off", "share", "Error of the hold-out", "foretold ÷ came − 1"),
        (
            "value.backtest.sales_foreseen",
            "money",
            "Sales foretold for the hold-out",
            "gross sales foretold at the cut for the days since",
        ),
        (
            "value.backtest.sales_came",
            "money",
            "Sales of the hold-out",
            "gross sales since the cut of customers known then",
        ),
        (
            "value.backtest.correction",
            "number",
            "Correction learnt before the hold-out",
            "factor on purchases that came nearer on every stretch inside the calibration; 1 where none did",
        ),
    ),
    *measures(
        "snapshot",
        (
            "value.staying.{months}",
            "share",
            "Contracts that last",
            "share of contracts that last so many months, those still running counted as far as they are known "
            "(Kaplan-Meier)",
        ),
        (
            "value.contracts.amount",
            "money",
            "Predicted value of running contracts",
            "mean payment a month of each × months it is expected to last within the horizon, discounted",
        ),
    ),
]
