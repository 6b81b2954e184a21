"""Models of leaving, tuned and tried alike: logistic regression, decision tree, neural network, boosted trees (M06-M08).

What is learnt from and what is tried on never meet. With order lines the newest cut-off is kept aside for the trial, as
it will be in use; with totals alone, a quarter of the customers. The others go in five parts, stratified by outcome,
all cases of a customer in one part; each model is tuned by grid search over these, filling gaps, scaling and
coding words learnt anew within each. The measure is the log loss, which punishes sure words that were wrong. Of all
models the simplest within one standard error of the best is chosen (Breiman and others 1984, Classification and
Regression Trees, section 3.4.3). Classes are never weighed: that would spoil every probability.
"""

import warnings
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ParameterGrid, StratifiedGroupKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from crmlib.analysis import leaving
from crmlib.analysis.leakage import auc
from crmlib.analysis.leaving import Cases
from crmlib.retention import ChurnRule

FOLDS = 5
ASIDE = 0.25  # of customers, where there is one cut-off
RARE = 20  # cases of a word; rarer ones are taken together
LONG_TAIL = 3.0  # a number that is never negative and so skewed is learnt by its logarithm
# The simplest first: what one coefficient an input says, then a picture of few questions, then what nobody can read.
GRIDS = {
    "logistic": {"C": [0.003, 0.03, 0.3, 3.0]},
    "tree": {"max_depth": [3, 5], "min_samples_leaf": [20, 60]},
    "network": {"hidden_layer_sizes": [(4,), (12,)], "alpha": [0.1, 3.0]},
    "boosting": {"max_leaf_nodes": [3, 8], "learning_rate": [0.05, 0.15]},
}
TREES = ("tree", "boosting")


@dataclass(frozen=True)
class Tuned:
    """One kind of model after the grid search: its parameters, its log loss and AUC in each part."""

    kind: str
    parameters: dict
    losses: np.ndarray
    aucs: np.ndarray
    out_of_fold: np.ndarray
    why: str = ""


@dataclass(frozen=True)
class Learnt:
    """What was learnt: every kind as tuned, the one chosen, and how each did on the trial.

    Parameters
    ----------
    cases : with the inputs that were used
    train, trial : rows of the cases
    told : kind → probabilities of the trial
    later : newest first, (cut-off, kind → probabilities, left) of every cut-off foretold from those before it
    model : the chosen kind, fitted to all cases
    older : the same, fitted to all but the trial
    """

    cases: Cases
    train: np.ndarray
    trial: np.ndarray
    tuned: dict[str, Tuned] = field(default_factory=dict)
    told: dict[str, np.ndarray] = field(default_factory=dict)
    later: list[tuple[int, dict[str, np.ndarray], np.ndarray]] = field(default_factory=list)
    chosen: str = ""
    model: Pipeline | None = None
    older: Pipeline | None = None
    why: str = ""

    @property
    def outcome(self) -> np.ndarray:
        """Who left of the trial."""
        return self.cases.table["left"].to_numpy(bool)[self.trial]

    @property
    def trial_rows(self) -> pd.DataFrame:
        """The cases of the trial."""
        return leaving.part(self.cases, self.trial)


def nothing(cases: Cases, why: str) -> Learnt:
    """Nothing learnt, and the reason."""
    none = np.zeros(len(cases.table), bool)
    return Learnt(cases, none, none, why=why)


def apart(cases: Cases) -> tuple[np.ndarray, np.ndarray]:
    """Rows to learn from and rows to try on: the newest cut-off, else a quarter of customers by a hash."""
    days = cases.table["cut_off"].to_numpy()
    if len(cases.cut_offs) > 1:
        trial = days == cases.cut_offs[-1]
    else:
        trial = np.array([leaving.mark(id) / 2**32 < ASIDE for id in cases.table["customer_id"]])
    return ~trial, trial


def learnt(cases: Cases, rule: ChurnRule, *, kinds: tuple[str, ...] = tuple(GRIDS)) -> Learnt:
    """Every kind of model tuned, tried, and the simplest good one fitted to all cases.

    Parameters
    ----------
    cases : as `leaving` gives them, suspected inputs left out
    kinds : of `GRIDS`, the simplest first
    """
    why = leaving.estimable(cases, rule)
    if why:
        return nothing(cases, why)
    train, trial = apart(cases)
    outcome = cases.table["left"].to_numpy(bool)
    if (
        min(np.bincount(outcome[train], minlength=2).min(), np.bincount(outcome[trial], minlength=2).min())
        < FOLDS
    ):
        return nothing(cases, "few_events")
    rows = leaving.part(cases, train)
    tuned = tune(rows, cases, kinds)
    fit = {kind: found for kind, found in tuned.items() if not found.why}
    if not fit:
        return Learnt(cases, train, trial, tuned, why="not_converged")
    later = _later(cases, fit) if len(cases.cut_offs) > 1 else []
    chosen = choice(tuned)
    older, model = (
        fitted(cases, chosen, fit[chosen].parameters, rows=part) for part in (train, train | trial)
    )
    told = (
        later[0][1]
        if later
        else {
            kind: probability(fitted(cases, kind, found.parameters, rows=train), leaving.part(cases, trial))
            for kind, found in fit.items()
        }
    )
    return Learnt(cases, train, trial, tuned, told, later, chosen, model, older)


def _later(cases: Cases, fit: dict[str, Tuned]) -> list[tuple[int, dict[str, np.ndarray], np.ndarray]]:
    """Every cut-off after the first foretold from those before it, the newest first."""
    days, outcome = cases.table["cut_off"].to_numpy(), cases.table["left"].to_numpy(bool)
    found = []
    for day in cases.cut_offs[:0:-1]:
        past, now = days < day, days == day
        if len(np.unique(outcome[past])) < 2 or len(np.unique(outcome[now])) < 2:
            continue
        rows = leaving.part(cases, now)
        told = {
            kind: probability(fitted(cases, kind, one.parameters, rows=past), rows)
            for kind, one in fit.items()
        }
        found.append((day, told, outcome[now]))
    return found


def tune(rows: pd.DataFrame, cases: Cases, kinds: tuple[str, ...]) -> dict[str, Tuned]:
    """The grid search of each kind over stratified parts; a kind that does not converge says so.

    Returns
    -------
    kind → Tuned; of parameters with equal loss the first of the grid, which is the plainest
    """
    outcome = rows["left"].to_numpy(bool)
    folds = StratifiedGroupKFold(FOLDS).split(rows, outcome, groups=rows["customer_id"])
    parts = [Part(rows.iloc[past], rows.iloc[now], now, cases) for past, now in folds]
    found = {}
    for kind in kinds:
        tries = [_tried(kind, parameters, parts, outcome) for parameters in ParameterGrid(GRIDS[kind])]
        well = [one for one in tries if not one.why]
        means = [one.losses.mean() for one in well]
        found[kind] = well[int(np.argmin(np.round(means, 12)))] if well else tries[0]
    return found


@dataclass(frozen=True)
class Part:
    """One part kept apart from the others; what prepares its inputs is learnt from the others, once a preparation."""

    past: pd.DataFrame
    now: pd.DataFrame
    places: np.ndarray
    cases: Cases

    @cached_property
    def plain(self) -> tuple[np.ndarray, np.ndarray]:
        """Inputs for trees."""
        return self._prepared("tree")

    @cached_property
    def scaled(self) -> tuple[np.ndarray, np.ndarray]:
        """Inputs for the other kinds."""
        return self._prepared("logistic")

    def _prepared(self, kind: str) -> tuple[np.ndarray, np.ndarray]:
        inputs = preparation(self.cases, kind, rows=self.past)
        return inputs.fit_transform(self.past), inputs.transform(self.now)


def _tried(kind: str, parameters: dict, parts: list[Part], outcome: np.ndarray) -> Tuned:
    told, converged = np.zeros(len(outcome)), True
    losses, aucs = np.zeros(len(parts)), np.zeros(len(parts))
    for number, part in enumerate(parts):
        before, here = part.plain if kind in TREES else part.scaled
        model, well = _fit(_model(kind, parameters), before, part.past["left"].to_numpy(bool))
        converged &= well
        now = part.places
        told[now] = model.predict_proba(here)[:, 1]
        losses[number], aucs[number] = log_loss(told[now], outcome[now]), auc(told[now], outcome[now])
    return Tuned(kind, parameters, losses, aucs, told, "" if converged else "not_converged")


def choice(tuned: dict[str, Tuned]) -> str:
    """The simplest kind whose mean log loss lies within one standard error of the best; "" where none converged.

    >>> parts = {"logistic": [0.42, 0.44], "boosting": [0.40, 0.44], "network": [0.60, 0.62]}
    >>> choice({k: Tuned(k, {}, np.array(v), np.array(v), np.empty(0)) for k, v in parts.items()})
    'logistic'
    """
    fit = {kind: tuned[kind] for kind in GRIDS if kind in tuned and not tuned[kind].why}
    if not fit:
        return ""
    best = fit[best_of(tuned)]
    bar = best.losses.mean() + standard_error(best.losses)
    return next(kind for kind, found in fit.items() if found.losses.mean() <= bar)


def best_of(tuned: dict[str, Tuned]) -> str:
    """The kind of the lowest mean log loss; "" where none converged."""
    fit = {kind: found.losses.mean() for kind, found in tuned.items() if not found.why}
    return min(fit, key=fit.get) if fit else ""


def standard_error(losses: np.ndarray) -> float:
    """Of a mean over parts."""
    return float(np.std(losses, ddof=1) / np.sqrt(len(losses)))


def log_loss(told: np.ndarray, left: np.ndarray) -> float:
    """Mean of −log of the probability given to what came.

    >>> round(log_loss(np.array([0.5, 0.5]), np.array([True, False])), 4)
    0.6931
    """
    sure = np.clip(told, 1e-12, 1 - 1e-12)
    return float(-np.where(left, np.log(sure), np.log1p(-sure)).mean())


def fitted(cases: Cases, kind: str, parameters: dict, *, rows: np.ndarray) -> Pipeline:
    """One kind of model fitted to some of the cases."""
    part = leaving.part(cases, rows)
    made = Pipeline([("inputs", preparation(cases, kind, rows=part)), ("model", _model(kind, parameters))])
    return _fit(made, part, part["left"].to_numpy(bool))[0]


def probability(model: Pipeline, rows: pd.DataFrame) -> np.ndarray:
    """The probability of leaving of each row."""
    if not len(rows):
        return np.zeros(0)
    return model.predict_proba(rows)[:, 1]


def _fit(model: Any, inputs: Any, left: np.ndarray) -> tuple[Any, bool]:
    """The model fitted, and whether it converged."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model.fit(inputs, left)
    return model, not any(issubclass(one.category, ConvergenceWarning) for one in said)


def preparation(cases: Cases, kind: str, *, rows: pd.DataFrame) -> ColumnTransformer:
    """Inputs as a kind of model takes them; fitted together with it, so that both learn from the same rows.

    Trees take numbers as they are, gaps too; the others fill gaps by the middle value, mark them, and scale.
    """
    words = list(cases.words)
    plain = [name for name in cases.numbers if rows[name].notna().any()]
    code = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=RARE, sparse_output=False)
    parts = [("words", make_pipeline(FunctionTransformer(_blanks), code), words)] if words else []
    if kind in TREES:
        return ColumnTransformer([("numbers", "passthrough", plain), *parts])
    tails = [name for name in plain if _long(rows[name])]
    others = [name for name in plain if name not in tails]
    steps = (SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    logged = make_pipeline(FunctionTransformer(np.log1p), *steps)
    return ColumnTransformer([("tails", logged, tails), ("numbers", make_pipeline(*steps), others), *parts])


def _blanks(rows: pd.DataFrame) -> np.ndarray:
    """Words, and an empty one where there is none."""
    return rows.astype(object).where(rows.notna(), "").to_numpy()


def _long(column: pd.Series) -> bool:
    known = column.dropna()
    return len(known) > 2 and bool(known.min() >= 0) and float(known.skew()) > LONG_TAIL


def _model(kind: str, parameters: dict) -> object:
    """A model of a kind; all chance in it is drawn from one seed."""
    if kind == "logistic":
        return LogisticRegression(max_iter=300, **parameters)
    if kind == "tree":
        return DecisionTreeClassifier(random_state=0, **parameters)
    if kind == "network":
        stops = {"early_stopping": True, "n_iter_no_change": 6, "max_iter": 200}
        return MLPClassifier(random_state=0, batch_size=256, learning_rate_init=0.01, **stops, **parameters)
    return HistGradientBoostingClassifier(
        random_state=0, max_iter=50, min_samples_leaf=20, early_stopping=False, **parameters
    )
