"""The goal of classifying comes first (X11): it selects the standard by which customers are told apart."""

from dataclasses import dataclass

import pandas as pd

from crmlib.classification.classes import counts
from crmlib.classification.grades import LEVELS, NOT_GRADED

ORDERS = {
    "satisfaction": ("satisfied", "neutral", "dissatisfied"),
    "scorecard": LEVELS,
    "loyalty": LEVELS,
    "activity": LEVELS,
    "behaviour": ("active", "dormant", "churned"),
}


@dataclass(frozen=True)
class Standard:
    """The class that a goal is managed by, and why, as a text of the catalogue."""

    column: str
    why: str


STANDARDS = {
    "raise_satisfaction": (
        Standard(
            column="satisfaction",
            why="The goal is to raise satisfaction, so customers are told apart by what they answered last.",
        ),
        Standard(
            column="scorecard",
            why="The goal is to raise satisfaction, but nobody was asked: the scorecard stands in its place.",
        ),
    ),
    "raise_loyalty": (
        Standard(
            column="scorecard",
            why="The goal is to raise loyalty, so customers are told apart by the scorecard of satisfaction and loyalty.",
        ),
        Standard(
            column="loyalty",
            why="The goal is to raise loyalty, but nobody was asked, so there is no scorecard: repurchase and tenure alone tell customers apart.",
        ),
    ),
    "lower_churn": (
        Standard(
            column="behaviour",
            why="The goal is to lower churn, so customers are told apart by how long they have been silent.",
        ),
        Standard(
            column="activity",
            why="The goal is to lower churn, but nobody knows when customers last bought: activity as stated tells them apart.",
        ),
    ),
}


def standard(classes: pd.DataFrame, goal: str) -> Standard:
    """The class that heads the account: the goal's own where anybody has it, else the next best.

    >>> standard(pd.DataFrame({"scorecard": ["not_graded"], "loyalty": ["high"]}), "raise_loyalty").column
    'loyalty'
    """
    for chosen in STANDARDS[goal]:
        told = classes[chosen.column]
        if (told.notna() & (told != NOT_GRADED)).any():
            return chosen
    return STANDARDS[goal][0]


def by_standard(classes: pd.DataFrame, chosen: Standard) -> pd.DataFrame:
    """Customers by the class of the goal: level, customers, share; who has none is `not_graded`."""
    column = chosen.column
    told = classes[[column]].astype(object).fillna(NOT_GRADED)
    return counts(told, column, (*ORDERS[column], NOT_GRADED)).rename(columns={column: "level"})


def weakest(table: pd.DataFrame, chosen: Standard) -> dict[str, float]:
    """Of customers by the goal's class: how many stand in the worst one, of how many who have a class."""
    worst = ORDERS[chosen.column][-1]
    graded = table[table["level"] != NOT_GRADED]
    total = int(graded["customers"].sum())
    there = int(graded.loc[graded["level"] == worst, "customers"].sum())
    return {"level": worst, "customers": there, "graded": total, "share": there / max(total, 1)}
