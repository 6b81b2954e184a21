"""What customers answered: how content they are (X04), and whether they would recommend."""

import numpy as np
import pandas as pd

from crmlib.rules import SatisfactionRule


def satisfaction(answers: pd.DataFrame, rule: SatisfactionRule) -> pd.Series:
    """Satisfied, neutral, dissatisfied (X04) by the mean of a customer's latest form, 0–100.

    Parameters
    ----------
    answers : known customers' answers by as_of in the columns of `tables.SURVEYS`

    Returns
    -------
    The class by customer_id; customers who never answered are absent.
    """
    newest = latest(answers)
    score = percent(newest).groupby(newest["customer_id"]).mean()
    named = np.select(
        [score >= rule.satisfied, score < rule.dissatisfied], ["satisfied", "dissatisfied"], "neutral"
    )
    return pd.Series(named, index=score.index, dtype="str")


def latest(answers: pd.DataFrame) -> pd.DataFrame:
    """The answers of each customer's latest form, recommendation left out."""
    rated = answers[answers["aspect"] != "recommend"]
    return rated[rated["answered_day"] == rated.groupby("customer_id")["answered_day"].transform("max")]


def percent(answers: pd.DataFrame) -> pd.Series:
    """Answers on 0–100, 0 and 100 being the ends of their scale."""
    return (answers["score"] - answers["low"]) / (answers["high"] - answers["low"]) * 100


def recommendation(answers: pd.DataFrame) -> pd.Series:
    """Each customer's latest willingness to recommend, 0–10, by customer_id."""
    asked = answers[answers["aspect"] == "recommend"].sort_values(
        ["answered_day", "source_file", "source_row"]
    )
    return (percent(asked) / 10).groupby(asked["customer_id"]).last()
