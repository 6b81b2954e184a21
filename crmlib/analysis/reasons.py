"""What a model of leaving goes by: over all customers, along one input, and for each customer (M08).

One way for every kind of model. *Importance* is how much worse the trial is foretold when one input is shuffled among its
customers (Breiman 2001, Machine Learning 45, 5-32). *Dependence* is the mean probability were every customer alike in one
input (Friedman 2001, Annals of Statistics 29, 1189-1232). A customer's *reason* is how much lower the probability would be
with one input as it usually is. None of them says what would happen if somebody changed it.
"""

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from crmlib.analysis import learning
from crmlib.analysis.leakage import auc
from crmlib.analysis.learning import Learnt
from crmlib.analysis.leaving import Cases

SHUFFLES = 5
MOST = 3  # reasons told of a customer
PLAIN_SHARE = 0.2  # of the largest reason; less is no reason
POINTS = 8
IMPORTANCE = ["input", "importance", "importance_low", "importance_high"]
IMPORTANCE_UNITS = {"input": "word"} | dict.fromkeys(IMPORTANCE[1:], "number")
DEPENDENCE = ["input", "at", "chance_to_leave"]
DEPENDENCE_UNITS = {"input": "word", "at": "number", "chance_to_leave": "share"}


def importance(found: Learnt) -> pd.DataFrame:
    """How much of the AUC hangs on each input, the most first.

    Returns
    -------
    input, importance (AUC lost when it is shuffled among the trial's customers), with the 90 % interval of the mean over shuffles
    """
    if found.older is None:
        return pd.DataFrame(columns=IMPORTANCE)
    rows, left, rng = found.trial_rows, found.outcome, np.random.default_rng(0)
    whole = auc(learning.probability(found.older, rows), left)
    orders = [rng.permutation(len(rows)) for _ in range(SHUFFLES)]
    told = []
    for name in found.cases.inputs:
        mixed = pd.concat([rows.assign(**{name: rows[name].to_numpy()[order]}) for order in orders])
        parts = np.split(learning.probability(found.older, mixed), SHUFFLES)
        lost = np.array([whole - auc(part, left) for part in parts])
        margin = 2.132 * lost.std(ddof=1) / np.sqrt(SHUFFLES)  # Student's t of four degrees
        told.append((name, lost.mean(), lost.mean() - margin, lost.mean() + margin))
    table = pd.DataFrame(told, columns=IMPORTANCE)
    return table.sort_values(["importance", "input"], ascending=[False, True], ignore_index=True)


def dependence(found: Learnt, inputs: list[str]) -> pd.DataFrame:
    """The mean probability of the trial were everybody alike in one input.

    Returns
    -------
    input, at (numbers: quantiles from the 5th to the 95th of a hundred, or of the different values where nearly all are
    alike; words as they are), chance_to_leave; rows of each input by `at`
    """
    if found.older is None:
        return pd.DataFrame(columns=DEPENDENCE)
    rows, parts = found.trial_rows, []
    for name in inputs:
        known = rows[name].dropna()
        if name in found.cases.numbers:
            points = np.unique(np.quantile(known, np.linspace(0.05, 0.95, POINTS)))
            if len(points) < POINTS / 2:  # nearly all are alike: the others are looked at by themselves
                points = np.unique(np.quantile(known.unique(), np.linspace(0, 0.95, POINTS)))
        else:
            points = sorted(known.value_counts().index[:POINTS])
        many = pd.concat([rows.assign(**{name: point}) for point in points])
        told = learning.probability(found.older, many).reshape(len(points), len(rows)).mean(axis=1)
        parts.append(pd.DataFrame({"input": name, "at": points, "chance_to_leave": told}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=DEPENDENCE)


def typical(cases: Cases) -> dict[str, float | str]:
    """What each input usually is: the middle value, or the most frequent word (of equals the first by name).

    Of a word that is mostly empty, and of a number that hardly anybody has, that is nothing: None.
    """
    usual: dict[str, float | str] = {name: float(cases.table[name].median()) for name in cases.numbers}
    for name in cases.words:
        counts = cases.table[name].value_counts(dropna=False)
        usual[name] = min((word for word in counts.index[counts == counts.max()]), key=str)
    return usual


def reasons(cases: Cases, model: Pipeline, rows: pd.DataFrame) -> pd.DataFrame:
    """How much of each customer's probability each input brings: a column an input, rows as they stand.

    Positive where the probability would be lower if the input were as it usually is.
    """
    told, usual = learning.probability(model, rows), typical(cases)
    columns = {}
    for name in cases.inputs:
        alike = rows.assign(**{name: usual[name]})
        if name in cases.words:
            alike[name] = alike[name].astype(object)
        columns[name] = told - learning.probability(model, alike)
    return pd.DataFrame(columns, index=rows.index)


def in_words(cases: Cases, parts: pd.DataFrame, rows: pd.DataFrame) -> list[str]:
    """The largest reasons of each customer as codes, comma between: `longest_wait.higher`, or `Contract: Two Year` of a
    column of the client's own; empty where none raises the probability."""
    usual, told = typical(cases), []
    for place in range(len(rows)):
        one = parts.iloc[place]
        largest = (
            one[one > max(PLAIN_SHARE * one.max(), 1e-6)]
            .sort_values(ascending=False, kind="stable")
            .head(MOST)
        )
        told.append(
            ",".join(_code(cases, name, rows[name].iloc[place], usual[name]) for name in largest.index)
        )
    return told


def _code(cases: Cases, name: str, value: object, usual: object) -> str:
    missing = value is None or pd.isna(value)
    if cases.source == "transactions":
        if missing:
            return f"{name}.missing"
        if name in cases.numbers:
            return f"{name}.{'higher' if pd.isna(usual) or float(value) > float(usual) else 'lower'}"
        return name
    # A column of the client's own is shown as it came; a comma would part it in two.
    text = "–" if missing else f"{float(value):g}" if name in cases.numbers else str(value)
    return f"{name}: {text}".replace(",", " ")
