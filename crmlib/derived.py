"""What each table about customers promises that the workbook makes itself: facts, classes, the 360° view."""

import dataclasses

import pyarrow as pa

from crmlib.contract import COUNT, DAY, MONEY, NUMBER, TEXT, Table
from crmlib.contract import columns as _columns

FACTS = Table(
    "facts",
    "03-classification",
    _columns(
        ("customer_id", TEXT, "the customer", True, True),
        ("first_day", DAY, "day of the first order"),
        ("last_day", DAY, "day of the last order"),
        ("orders", COUNT, "orders with a sale"),
        ("order_days", COUNT, "days with an order"),
        ("items", NUMBER, "pieces sold, to a thousandth; what was taken back is not subtracted"),
        ("gross", MONEY, "sales"),
        ("returned", MONEY, "returns, negative"),
        ("net", MONEY, "sales and returns"),
        ("profit", MONEY, "profit of sales and returns; empty where not supplied"),
        ("recency_days", COUNT, "days from the last order to as_of"),
        ("tenure_days", COUNT, "days from the first order to as_of"),
        ("gap_days", NUMBER, "mean days between order days; empty with one order day"),
        ("gap_spread", NUMBER, "standard deviation of the days between order days; empty below two gaps"),
        ("orders_a_year", NUMBER, "orders per 365.25 days of tenure, counting at least one year"),
        ("discount_share", NUMBER, "of sales whose discount is known, 0–1 by amount sold at one; else empty"),
        ("products", COUNT, "different products bought; empty where none is named"),
        ("product_groups", COUNT, "different product groups bought; empty where none is named"),
        ("peak_quarter_share", NUMBER, "of sales, 0–1 in the strongest quarter of the year; from a year on"),
    ),
)

CLASSES = Table(
    "classes",
    "03-classification",
    _columns(
        ("customer_id", TEXT, "the customer", True, True),
        ("recency_score", pa.int8(), "1–5, 5 for the most recent; 0 where too few to score"),
        ("frequency_score", pa.int8(), "1–5"),
        ("monetary_score", pa.int8(), "1–5"),
        ("segment", TEXT, "RFM segment (X18)"),
        ("value", TEXT, "high, medium, low (X01)"),
        ("behaviour", TEXT, "active, dormant, churned (X02)"),
        ("behaviour_fixed", TEXT, "the same by fixed days for everyone"),
        ("abc", TEXT, "A, B, C (X05)"),
        ("frequency", TEXT, "high, medium, low"),
        ("activity", TEXT, "high, medium, low"),
        ("loyalty", TEXT, "high, medium, low"),
        ("satisfaction", TEXT, "satisfied, neutral, dissatisfied (X04); not_graded where nobody asked"),
        ("tier", TEXT, "high, medium, low (X16)"),
        ("tier_points", NUMBER, "1–3, the weighted mean behind the tier"),
        ("score_levels", pa.int8(), "levels of the RFM scores: 5, 3, 1 (all alike), 0 (too few)"),
        ("scorecard", TEXT, "high, medium, low of weighted satisfaction and loyalty (X10)"),
        ("scorecard_points", NUMBER, "0–100, the weighted mean behind the scorecard"),
        (
            "scorecard_known",
            NUMBER,
            "share of the weights whose part is known, 0–1; parts known of nobody left out",
        ),
        ("need", TEXT, "price_sensitive, quality_seeking, personalised, or as stated; not_known (X03)"),
        ("need_source", TEXT, "stated, derived or not_known"),
        ("lifetime_value", MONEY, "net sales − known costs of winning and serving (X09); else empty"),
        ("served", TEXT, "at_a_loss, with_profit, not_supplied"),
        ("potential", TEXT, "signs of a potential high-value customer, comma between (X15)"),
        ("customer_type", TEXT, "personal, enterprise, large_enterprise, unknown or not_supplied (X06)"),
        ("scale", TEXT, "as delivered, unknown or not_supplied (X07)"),
        ("credit_grade", TEXT, "as delivered, unknown or not_supplied (X07)"),
        ("industry", TEXT, "as delivered, unknown or not_supplied (X07)"),
        ("region", TEXT, "as delivered, unknown or not_supplied (X07)"),
        ("habit_group", TEXT, "product group of more than half of purchases, mixed, or not_supplied (X07)"),
        ("habit_channel", TEXT, "channel of more than half of order lines, mixed, or not_supplied (X07)"),
        ("habit_season", TEXT, "q1–q4 of more than half of order lines, all_year, or unknown (X07)"),
        ("tags", TEXT, "free tags (X12), comma between; empty where none holds"),
        ("cluster", TEXT, "group_1, group_2 … of customers alike (X08), or not_grouped"),
    ),
)

VIEW = Table(
    "customer_view",
    "02-cleaning",
    _columns(
        ("customer_id", TEXT, "the customer", True, True),
        ("customer_type", TEXT, "personal, enterprise or large_enterprise (X06)"),
        ("region", TEXT, "province or region, as delivered"),
        ("sources", COUNT, "kinds of record that tell of the customer, the customer table left out"),
        ("orders", COUNT, "orders with a sale"),
        ("net", MONEY, "sales and returns"),
        ("last_order_day", DAY, "day of the last order"),
        ("answers", COUNT, "answers to satisfaction surveys"),
        ("last_score", NUMBER, "mean of the latest form, 0–100, recommendation left out"),
        ("needs", COUNT, "answers to needs surveys"),
        ("need", TEXT, "as stated last, in a needs survey or else in the customer table (X03)"),
        ("feedback", COUNT, "interviews, reviews and other feedback"),
        ("last_feedback_day", DAY, "day of the last one"),
        ("interactions", COUNT, "service records and posts"),
        ("open_interactions", COUNT, "enquiries, complaints, after-sales not yet resolved"),
        ("complaints", COUNT, "complaints among feedback and interactions"),
        ("relations", COUNT, "ties to other customers, in either direction"),
        ("applications", COUNT, "applications for loans and project finance"),
        ("approved", COUNT, "of these"),
        ("declined", COUNT, "of these"),
        ("pending", COUNT, "of these"),
        ("cost_to_serve", MONEY, "costs of serving that name the customer"),
    ),
)

# The same customers at the previous as_of, judged by today's rules.
CLASSES_BEFORE = dataclasses.replace(CLASSES, name="classes_before")

PREDICTED = Table(
    "predicted",
    "07-analysis-value",
    _columns(
        ("customer_id", TEXT, "the customer", True, True),
        ("orders", COUNT, "days with an order so far"),
        ("so_far", MONEY, "their gross sales"),
        ("alive", NUMBER, "probability to buy still, 0-1; 1 for who came once, by construction"),
        ("purchases", NUMBER, "expected within the horizon"),
        ("order_value", NUMBER, "expected of an order, smallest unit"),
        ("predicted", NUMBER, "discounted sales expected within the horizon, smallest unit"),
        ("predicted_low", NUMBER, "90 % of what may come lies above the lower twentieth"),
        ("predicted_high", NUMBER, "and below the upper one"),
        ("predicted_profit", NUMBER, "predicted × margin; empty where no profit is known"),
    ),
)

AT_RISK = Table(
    "at_risk",
    "08-analysis-churn",
    _columns(
        ("customer_id", TEXT, "the customer, still there", True, True),
        ("chance_to_leave", NUMBER, "probability to be churned when the horizon ends, 0-1"),
        ("left_low", NUMBER, "share that left of customers of like probability, lower end of 90 %"),
        ("left_high", NUMBER, "and upper end"),
        ("worth", NUMBER, "sales of the year before, smallest unit; empty where not known"),
        ("expected_loss", NUMBER, "probability × value of a kept customer, smallest unit"),
        ("expected_gain", NUMBER, "of asking the customer to stay, after what that costs, smallest unit"),
        ("ask", TEXT, "yes, no"),
        ("reasons", TEXT, "codes of what raises the probability most, comma between"),
    ),
)

PROPOSED = Table(
    "proposed",
    "09-analysis-preferences",
    _columns(
        ("customer_id", TEXT, "the customer", True, True),
        ("place", COUNT, "1 for the first proposal"),
        ("item", TEXT, "the product"),
        ("way", TEXT, "popular, own_habit, item_to_item or by_rules: how it was found"),
    ),
)

CROSS_SALES = Table(
    "cross_sales",
    "09-analysis-preferences",
    _columns(
        ("customer_id", TEXT, "the customer", True, True),
        ("has", TEXT, "a product bought"),
        ("lacks", TEXT, "what goes with it and was never bought"),
        ("times", COUNT, "days with the product bought"),
        ("times_chance", NUMBER, "orders with both ÷ orders that chance would bring"),
    ),
)

DEMAND = Table(
    "demand",
    "09-analysis-preferences",
    _columns(
        ("product_group", TEXT, "the group, or all; all_others where there are many", True),
        ("customer_type", TEXT, "the type, or all", True),
        ("step", COUNT, "months or weeks ahead"),
        ("from_day", DAY, "first day of it"),
        ("lines_expected", COUNT, "order lines"),
        ("lines_expected_low", NUMBER, "90 % of what may come lies above the lower twentieth"),
        ("lines_expected_high", NUMBER, "and below the upper one"),
    ),
)
