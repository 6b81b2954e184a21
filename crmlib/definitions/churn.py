"""Measures of who is leaving (M03, M06-M09)."""

from crmlib.definitions.measure import measures

CHURN = [
    *measures(
        "transactions",
        (
            "churn.model.cases",
            "count",
            "Cases learnt from",
            "customers on days in the past whose outcome is known",
        ),
        (
            "churn.model.auc",
            "number",
            "AUC of the churn model",
            "chance that of two customers kept aside, one who left and one who stayed, the one who left was foretold "
            "the higher probability; .5 is a guess",
        ),
        (
            "churn.model.accuracy",
            "share",
            "Accuracy of the churn model",
            "share of customers kept aside rightly called at a probability of one half",
        ),
        (
            "churn.model.recall",
            "share",
            "Recall of the churn model",
            "of those who left, called so at one half",
        ),
        (
            "churn.model.precision",
            "share",
            "Precision of the churn model",
            "of those called so at one half, left",
        ),
        ("churn.model.f1", "number", "F1 of the churn model", "2 ÷ (1 ÷ precision + 1 ÷ recall)"),
        (
            "churn.model.brier",
            "number",
            "Brier score of the churn model",
            "mean of (probability − outcome)², outcome 1 for who left",
        ),
        (
            "churn.model.lift",
            "number",
            "Lift of the churn model",
            "share that left of the tenth likeliest to leave ÷ share that left of all",
        ),
        (
            "churn.model.log_loss",
            "number",
            "Log loss of the churn model",
            "mean of −log of the probability given to what came",
        ),
        (
            "churn.model.calibration",
            "number",
            "Calibration of the churn model",
            "customers foretold to leave ÷ customers who left; the interval is what chance allows if every "
            "probability is right",
        ),
        ("churn.model.age", "days", "Age of the churn model", "days from its newest cut-off to as_of"),
        (
            "churn.model.drift",
            "number",
            "Drift of the churn model",
            "population stability index of its probabilities, customers of the newest cut-off and of as_of",
        ),
        (
            "churn.last_model.auc",
            "number",
            "AUC of the last period's churn model",
            "the model as it could be made at the end of the previous period, on who has churned since",
        ),
        (
            "churn.threshold",
            "share",
            "Threshold of contact",
            "probability from which contacting earns most, chosen on customers foretold out of fold",
        ),
        (
            "churn.contact.gain",
            "money",
            "Gain of contacting",
            "of customers kept aside from the threshold on: save rate × value of those who left − cost of each contact",
        ),
        (
            "churn.contact.customers",
            "count",
            "Customers to contact",
            "still there, from the threshold on, and worth more than the contact costs",
        ),
        (
            "churn.expected",
            "number",
            "Customers expected to leave",
            "sum of the probabilities of leaving of customers still there",
        ),
        (
            "churn.expected.loss",
            "money",
            "Expected loss by leaving",
            "sum over customers still there of probability × value of a kept customer (profit of a year; sales where "
            "no profit is known)",
        ),
    ),
]
