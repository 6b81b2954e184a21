"""What makes customers content or loyal: how much each aspect explains of an answer (key drivers, M10).

Aspects of one survey go together, so that a regression's coefficients say little of any one of them. Two
methods share out what all aspects together explain (R²), and sum to it exactly:

- Johnson's relative weights (2000): through the uncorrelated variables that lie nearest to the aspects;
- Shapley's R² (Lindeman, Merenda and Gold 1980): an aspect's mean gain over every order in which aspects
  can enter.

An aspect that explains nothing still gets a little of both by chance. The interval of a weight is therefore
of what it explains *beyond an aspect of mere chance* drawn beside it (Tonidandel, LeBreton and Johnson 2009).

Neither method can tell a driver from an aspect that only goes with one: both share out what aspects explain
together, so that each gets its part. Whether an aspect moves the answer *on its own* is told by its slope
beside the others, whose interval covers zero for an aspect that does not; the intervals of all aspects
hold together (Bonferroni). `docs/decisions/0024`.
"""

import itertools
import math
from collections.abc import Collection

import numpy as np
import pandas as pd
from scipy import stats

from crmlib.classification.classes import percent

MOST = 10  # aspects: Shapley asks every subset of them
DRAWS, LEVEL = 1000, 0.90
A_PLACE = 10  # answers for each aspect, and no fewer than LEAST in all
LEAST = 50
EASY, SHAPLEY_DRAWS = 6, 200
SHOWN = {"aspect": "word", "weight": "share", "weight_low": "share", "weight_high": "share"}
SHOWN |= {"shapley": "share", "shapley_low": "share", "shapley_high": "share"}
SHOWN |= {"own": "number", "own_low": "number", "own_high": "number"}
SHOWN |= {"performance": "score", "quadrant": "word"}


def needed(aspects: int) -> int:
    """How many whole answers it takes to weigh so many aspects.

    >>> needed(4), needed(8)
    (50, 80)
    """
    return max(LEAST, A_PLACE * aspects)


def forms(answers: pd.DataFrame, target: str) -> tuple[pd.DataFrame, pd.Series]:
    """Aspects and target of every form that answers all of them, 0–100, in an order of their own.

    Parameters
    ----------
    answers : in the columns of `tables.SURVEYS`, one row per answer
    target : the aspect to explain; an aspect without any variance explains nothing and is left out
    """
    whole = _whole(answers)
    if target not in whole:
        return pd.DataFrame(index=whole.index), pd.Series(dtype=float)
    return _varied(whole.drop(columns=target)), whole[target]


def coming_back(answers: pd.DataFrame, bought: Collection[str]) -> tuple[pd.DataFrame, pd.Series]:
    """Aspects of every whole form, recommending left out, and whether its customer bought afterwards (1 or 0).

    Parameters
    ----------
    answers : of a period, in the columns of `tables.SURVEYS`
    bought : who bought in the period after it
    """
    whole = _whole(answers[answers["aspect"] != "recommend"])
    customers = whole.index.get_level_values("customer_id")
    return _varied(whole), pd.Series(customers.isin(list(bought)).astype(float), index=whole.index)


def _whole(answers: pd.DataFrame) -> pd.DataFrame:
    """Forms that answer every aspect of the survey, an aspect a column, 0–100."""
    scored = answers.assign(percent=percent(answers))
    wide = scored.pivot_table(
        "percent", ["source_file", "source_row", "customer_id"], "aspect", aggfunc="mean"
    )
    return wide.dropna().sort_index()


def _varied(aspects: pd.DataFrame) -> pd.DataFrame:
    return aspects.loc[:, aspects.nunique() > 1]


def relative_weights(correlations: np.ndarray) -> np.ndarray:
    """Johnson's relative weights from correlation matrices, the target last: shape (…, aspects).

    >>> relative_weights(np.array([[1, 0, 0.6], [0, 1, 0.3], [0.6, 0.3, 1]])).round(2).tolist()
    [0.36, 0.09]
    """
    among, to_target = correlations[..., :-1, :-1], correlations[..., :-1, -1]
    values, vectors = np.linalg.eigh(among)
    kept = values > 1e-10  # an aspect that others repeat exactly adds no direction of its own
    root = np.sqrt(np.where(kept, values, 0))
    inverse = np.where(kept, 1 / np.where(kept, root, 1), 0)
    towards = vectors.swapaxes(-1, -2)
    link = (vectors * root[..., None, :]) @ towards
    slopes = (vectors * inverse[..., None, :]) @ towards @ to_target[..., None]
    return (link**2 @ slopes**2)[..., 0]


def shapley(correlations: np.ndarray) -> np.ndarray:
    """Shapley's shares of R² from correlation matrices, the target last: shape (…, aspects).

    >>> shapley(np.array([[1, 0, 0.6], [0, 1, 0.3], [0.6, 0.3, 1]])).round(2).tolist()
    [0.36, 0.09]
    """
    size = correlations.shape[-1] - 1
    explained = {
        chosen: _r_squared(correlations, chosen)
        for count in range(size + 1)
        for chosen in itertools.combinations(range(size), count)
    }
    shares = np.zeros((*correlations.shape[:-2], size))
    for chosen, before in explained.items():
        for aspect in set(range(size)) - set(chosen):
            # So many of all orders have just these aspects before this one.
            orders = math.factorial(len(chosen)) * math.factorial(size - len(chosen) - 1)
            gain = explained[tuple(sorted((*chosen, aspect)))] - before
            shares[..., aspect] += gain * orders / math.factorial(size)
    return shares


def _r_squared(correlations: np.ndarray, chosen: tuple[int, ...]) -> np.ndarray:
    if not chosen:
        return np.zeros(correlations.shape[:-2])
    among = correlations[..., np.ix_(chosen, chosen)[0], np.ix_(chosen, chosen)[1]]
    to_target = correlations[..., list(chosen), -1]
    return (to_target[..., None, :] @ np.linalg.pinv(among, hermitian=True) @ to_target[..., None])[..., 0, 0]


def slopes(correlations: np.ndarray) -> np.ndarray:
    """What the target moves for each aspect, the others held equal, in standard deviations of both.

    >>> slopes(np.array([[1, 0, 0.6], [0, 1, 0.3], [0.6, 0.3, 1]])).round(2).tolist()
    [0.6, 0.3]
    """
    among, to_target = correlations[..., :-1, :-1], correlations[..., :-1, -1]
    return (np.linalg.pinv(among, hermitian=True) @ to_target[..., None])[..., 0]


def drivers(answers: pd.DataFrame, target: str, *, seed: int = 0) -> pd.DataFrame | None:
    """What each aspect explains of the target, as `weighed` returns it.

    Parameters
    ----------
    answers : in the columns of `tables.SURVEYS`
    target : the aspect to explain, as `recommend` or `overall`
    """
    return weighed(*forms(answers, target), seed=seed)


def weighed(aspects: pd.DataFrame, explained: pd.Series, *, seed: int = 0) -> pd.DataFrame | None:
    """What each aspect explains of an answer, and how content customers are with it.

    Parameters
    ----------
    aspects, explained : as `forms` or `coming_back` return them

    Returns
    -------
    aspect; weight (Johnson's, 0–1, summing to R²) with its 90 % interval beyond chance, drawn by whole
    customers; shapley with its 90 % interval; own (`slopes`) with intervals that hold for all aspects together
    in 90 % of surveys; performance (mean, 0–100); told (whether the own interval lies above zero); the heaviest
    first. None where fewer customers than `needed` answered, too few of the rarer of two answers, no
    variance in
    the target, or too many aspects.
    """
    size = aspects.shape[1]
    persons = aspects.index.get_level_values("customer_id").nunique() if size else 0
    if not 0 < size <= MOST or persons < needed(size) or explained.nunique() < 2:
        return None
    # Of a yes or no the rarer one tells: ten of it for each aspect (Peduzzi et al. 1996).
    if explained.nunique() == 2 and explained.value_counts().min() < A_PLACE * size:
        return None
    columns = np.column_stack([aspects.to_numpy(), explained.to_numpy()])
    whole = np.corrcoef(columns, rowvar=False)
    table = pd.DataFrame(
        {
            "aspect": aspects.columns,
            "weight": relative_weights(whole),
            "shapley": shapley(whole),
            "own": slopes(whole),
            "performance": aspects.mean().to_numpy(),
        }
    ).assign(**_intervals(columns, aspects.index.get_level_values("customer_id"), seed))
    table["told"] = table["own_low"] > 0
    return table.sort_values(["weight", "aspect"], ascending=[False, True], ignore_index=True)


def _intervals(columns: np.ndarray, customers: pd.Index, seed: int) -> dict[str, np.ndarray]:
    """Lower and upper bound of weight (less that of an aspect of mere chance), Shapley's share and slope.

    A slope's bounds are its own ± Student's t standard errors as drawn: quantiles of few draws would lie too
    near, since all aspects together leave each but a small part of what may be missed.
    """
    drawn = _drawn(columns, customers, seed)
    size, persons = drawn.shape[-1] - 2, customers.nunique()
    beside = relative_weights(drawn)
    real = [*range(size), size + 1]  # without the aspect of chance
    own = drawn[:, real][:, :, real]
    few = own[
        : SHAPLEY_DRAWS if size > EASY else None
    ]  # every subset of many aspects, asked a thousand times
    tail, free = (1 - LEVEL) / 2, persons - size - 1
    bounds = {}
    for name, values in {"weight": beside[:, :-1] - beside[:, -1:], "shapley": shapley(few)}.items():
        bounds[f"{name}_low"], bounds[f"{name}_high"] = np.quantile(values, [tail, 1 - tail], axis=0)
    middle = slopes(np.corrcoef(columns, rowvar=False))
    error = slopes(own).std(axis=0) * np.sqrt(persons / free)
    reach = stats.t.ppf(1 - tail / size, free) * error
    return bounds | {"own_low": middle - reach, "own_high": middle + reach}


def _drawn(columns: np.ndarray, customers: pd.Index, seed: int) -> np.ndarray:
    """Correlations of surveys drawn again, an aspect of mere chance before the target: (draws, …, …).

    Customers are drawn whole: the forms of one customer are no independent witnesses.
    """
    rng = np.random.default_rng(seed)
    code, names = pd.factorize(customers, sort=True)
    order = np.argsort(code, kind="stable")
    starts, counts = np.unique(code[order], return_index=True)[1], np.bincount(code)
    found = []
    for _ in range(DRAWS):
        drawn = rng.integers(0, len(names), len(names))
        lengths = counts[drawn]
        rows = order[
            np.repeat(starts[drawn] - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
        ]
        chance = rng.standard_normal(len(rows))
        beside = np.column_stack([columns[rows, :-1], chance, columns[rows, -1]])
        with np.errstate(invalid="ignore", divide="ignore"):
            correlations = np.corrcoef(beside, rowvar=False)
        # In a draw where an aspect does not vary it explains nothing.
        np.fill_diagonal(filled := np.nan_to_num(correlations), 1)
        found.append(filled)
    return np.array(found)


def quadrants(table: pd.DataFrame) -> pd.DataFrame:
    """Each aspect's place by importance and performance, each against the middle of all aspects.

    Returns
    -------
    the table with `quadrant`: put_right (weighs much, pleases little), keep (much, well), watch (little,
    little), leave (little, well); not_told where it is not told from chance.
    """
    heavy = table["weight"] >= table["weight"].mean()
    good = table["performance"] >= table["performance"].mean()
    named = np.select([heavy & ~good, heavy & good, ~heavy & ~good], ["put_right", "keep", "watch"], "leave")
    return table.assign(quadrant=np.where(table["told"], named, "not_told"))


def figures(table: pd.DataFrame | None, answer: str) -> dict[str, dict]:
    """Each aspect's weight by id, `driver.{answer}.{aspect}`, with its interval beyond chance; none without a table."""
    if table is None:
        return {}
    return {
        f"driver.{answer}.{row.aspect}": {"value": row.weight, "low": row.weight_low, "high": row.weight_high}
        for row in table.itertuples()
    }


def shown(table: pd.DataFrame | None) -> pd.DataFrame:
    """The table of `quadrants` as a reader sees it, in the units of `SHOWN`; no rows where there is none."""
    return pd.DataFrame(columns=list(SHOWN)) if table is None else table[list(SHOWN)]


def heaviest(table: pd.DataFrame | None, forms: int, aspects: int) -> dict:
    """What sentences tell of the drivers: the heaviest aspect told from chance, and what all explain.

    Returns
    -------
    n (whole forms), needed, explained (R²), told (how many aspects are told from chance), first, its share of what
    is explained, its performance; `right` names aspects that weigh much and please little, `light` those that
    are not told from chance on their own
    """
    values: dict = {"n": forms, "needed": needed(aspects), "told": 0, "explained": 0.0}
    values |= {"first": "", "share": 0.0, "performance": 0.0, "right": [], "light": []}
    if table is None:
        return values
    sure, whole = table[table["told"]], float(table["weight"].sum())
    values |= {"explained": whole, "told": len(sure)}
    values["light"] = table.loc[~table["told"], "aspect"].tolist() or ["nothing"]
    if len(sure):
        top = sure.iloc[0]
        values |= {
            "first": top["aspect"],
            "share": float(top["weight"]) / whole,
            "performance": top["performance"],
        }
        values["right"] = sure.loc[sure["quadrant"] == "put_right", "aspect"].tolist() or ["nothing"]
    return values
