"""What makes customers content or loyal: how much each aspect explains of an answer (key drivers, M10).

Aspects of one survey go together, so that a regression's coefficients say little of any one of them. Two
methods share out what all aspects together explain (R²), and sum to it exactly:

- Johnson's relative weights (2000): through the uncorrelated variables that lie nearest to the aspects;
- Shapley's R² (Lindeman, Merenda and Gold 1980): an aspect's mean gain over every order in which aspects
  can enter.

An aspect that explains nothing still gets a little of both by chance. Its interval is therefore of what it
explains *beyond an aspect of mere chance* drawn beside it (Tonidandel, LeBreton and Johnson 2009): where the
interval covers zero, it is not told from chance.
"""

import itertools
import math

import numpy as np
import pandas as pd

MOST = 10  # aspects: Shapley asks every subset of them
DRAWS, LEVEL = 1000, 0.90
A_PLACE = 10  # answers for each aspect, and no fewer than LEAST in all
LEAST = 50
SHOWN = {"aspect": "word", "weight": "share", "weight_low": "share", "weight_high": "share"}
SHOWN |= {"shapley": "share", "performance": "score", "quadrant": "word"}


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
    scored = answers.assign(
        percent=(answers["score"] - answers["low"]) / (answers["high"] - answers["low"]) * 100
    )
    wide = scored.pivot_table(
        "percent", ["source_file", "source_row", "customer_id"], "aspect", aggfunc="mean"
    )
    whole = wide.dropna().sort_index()
    if target not in whole:
        return pd.DataFrame(index=whole.index), pd.Series(dtype=float)
    others = whole.drop(columns=target)
    return others.loc[:, others.nunique() > 1], whole[target]


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


def drivers(answers: pd.DataFrame, target: str, *, seed: int = 0) -> pd.DataFrame | None:
    """What each aspect explains of the target, and how content customers are with it.

    Parameters
    ----------
    answers : in the columns of `tables.SURVEYS`
    target : the aspect to explain, as `recommend` or `overall`

    Returns
    -------
    aspect; weight (Johnson's, 0–1, summing to R²) with its 90 % interval beyond chance, drawn by whole
    customers; shapley; performance (mean, 0–100); told (whether the interval lies above zero); the heaviest
    first. None where there are fewer forms than `needed`, no variance in the target, or too many aspects.
    """
    aspects, explained = forms(answers, target)
    if not 0 < aspects.shape[1] <= MOST or len(aspects) < needed(aspects.shape[1]) or explained.nunique() < 2:
        return None
    columns = np.column_stack([aspects.to_numpy(), explained.to_numpy()])
    whole = np.corrcoef(columns, rowvar=False)
    low, high = _beyond_chance(columns, aspects.index.get_level_values("customer_id"), seed)
    table = pd.DataFrame(
        {
            "aspect": aspects.columns,
            "weight": relative_weights(whole),
            "weight_low": low,
            "weight_high": high,
            "shapley": shapley(whole),
            "performance": aspects.mean().to_numpy(),
            "told": low > 0,
        }
    )
    return table.sort_values(["weight", "aspect"], ascending=[False, True], ignore_index=True)


def _beyond_chance(columns: np.ndarray, customers: pd.Index, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Interval of each aspect's weight less that of an aspect of mere chance beside it.

    Customers are drawn whole: the forms of one customer are no independent witnesses.
    """
    rng = np.random.default_rng(seed)
    code, names = pd.factorize(customers, sort=True)
    order = np.argsort(code, kind="stable")
    starts, counts = np.unique(code[order], return_index=True)[1], np.bincount(code)
    tail = (1 - LEVEL) / 2
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
        weights = relative_weights(filled)
        found.append(weights[:-1] - weights[-1])
    low, high = np.quantile(found, [tail, 1 - tail], axis=0)
    return low, high


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


def shown(table: pd.DataFrame | None) -> pd.DataFrame:
    """The table of `quadrants` as a reader sees it, in the units of `SHOWN`; no rows where there is none."""
    return pd.DataFrame(columns=list(SHOWN)) if table is None else table[list(SHOWN)]


def heaviest(table: pd.DataFrame | None, forms: int, aspects: int) -> dict:
    """What sentences tell of the drivers: the heaviest aspect told from chance, and what all explain.

    Returns
    -------
    n (whole forms), needed, explained (R²), told (how many aspects are told from chance), first, its share of what
    is explained, its performance; `right` names aspects that weigh much and please little
    """
    values: dict = {"n": forms, "needed": needed(aspects), "told": 0, "explained": 0.0}
    values |= {"first": "", "share": 0.0, "performance": 0.0, "right": []}
    if table is None:
        return values
    sure, whole = table[table["told"]], float(table["weight"].sum())
    values |= {"explained": whole, "told": len(sure)}
    if len(sure):
        top = sure.iloc[0]
        values |= {
            "first": top["aspect"],
            "share": float(top["weight"]) / whole,
            "performance": top["performance"],
        }
        values["right"] = sure.loc[sure["quadrant"] == "put_right", "aspect"].tolist() or ["nothing"]
    return values
