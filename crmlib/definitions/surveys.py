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
        (
            "nps.score.{dimension}.{value}",
            "score",
            "Net promoter score by class",
            "the same of the answers of one class of customers; from ten answers on",
        ),
        (
            "recommend.{kind}.share",
            "share",
            "Promoters, passives, detractors",
            "answers of 9–10 (promoter), 7–8 (passive), 0–6 (detractor) ÷ answers on 0–10",
        ),
        (
            "recommend.{kind}.bought",
            "share",
            "Bought after recommending",
            "of the customers whose last answer of the previous period made them this kind, those who bought in this one",
        ),
        (
            "response.rate",
            "share",
            "Response",
            "customers who answered in the period ÷ customers with a sale by as_of",
        ),
        ("response.rate.{class}.{level}", "share", "Response by class", "the same of one class of customers"),
        (
            "satisfaction.weighted.{class}",
            "score",
            "Satisfaction, weighted like the customers",
            "mean of the period's answers on 0–100 in each level of the class, weighted by its share of customers; "
            "refused where a level has fewer than ten respondents",
        ),
        (
            "driver.{answer}.{aspect}",
            "share",
            "What an aspect explains",
            "Johnson's relative weight of the aspect: its part of R², how much all aspects explain of recommend or "
            "of coming back (bought in the period after); interval beyond an aspect of chance",
        ),
        (
            "expectation.gap.{aspect}.{level}",
            "score",
            "Experience less expectation",
            "mean, over customers of whom both are known, of their answers on the aspect in the year up to as_of less "
            "the service they last said to expect, both on 0–100",
        ),
    ),
    *measures(
        "classes",
        (
            "content.{level}.customers",
            "count",
            "Customers by satisfaction",
            "customers satisfied, neutral or dissatisfied by their latest form (X04)",
        ),
        (
            "content.{level}.share",
            "share",
            "Share of customers by satisfaction",
            "the same ÷ customers with a satisfaction class",
        ),
        (
            "content.{level}.net",
            "money",
            "Net sales by satisfaction",
            "net sales so far of the same customers",
        ),
    ),
    *measures(
        "feedback and interactions",
        (
            "word_of_mouth.{tone}",
            "share",
            "Word of mouth",
            "reviews and mentions of this tone ÷ reviews and mentions with a tone: stated sentiment, else 4–5 and "
            "1–2 stars where all ratings lie on 1–5",
        ),
        (
            "complaints.count",
            "count",
            "Complaints",
            "complaints of the period among feedback and interactions",
        ),
        (
            "complaints.{wait}.hours",
            "number",
            "Hours a complaint waits",
            "median hours from the opening of the period's complaints to the first answer (answer) or the end (end); "
            "open ones count as longer than all closed ones",
        ),
    ),
]
