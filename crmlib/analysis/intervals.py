"""Intervals: how far an estimate may lie from what it estimates. All are 90 % intervals.

What a period's orders came to is known to the last unit. Its interval answers another question: how far
chance alone moved the figure, chance being who happened to come and how much each happened to bring.

- Of a *share* or a *mean*, the customers there are stand for all customers of their kind.
- Of a *count* or a *total*, the period stands for all periods like it: customers come independently of
  each other, each with whatever they bring. The interval holds what such a period brings on average. It is
  not a forecast: the next period is moved by its own chance too, and by all that changes.

Customers are independent of each other; lines, orders and answers of one customer may hang together in any
way. What nobody has seen no interval can hold: each counts on one more customer like the most extreme one,
and on more than one where amounts are spread widely (`unseen`).

`bench/intervals.py` draws clients whose truth is known and prints how often each kind holds it. What would
hold it less often than promised is refused: "too few".
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

LEVEL = 0.9
ENOUGH = 10  # respondents, on a scale whose ends are known
MANY = 50  # customers, where nobody knows how large an amount can be: of 50, one kind in twenty is seen
TOO_FEW = "too few"
ALIKE = "all alike"  # without any variance nobody can say how far chance moves a mean
Figure = dict[str, float | int | str | None]


def share(count: int, total: int) -> Figure:
    """A share with its interval: Wilson's with the correction for continuity. Returns value, low, high, n.

    Without the correction a 90 % interval holds small shares as rarely as 80 times in a hundred; with it, at
    least 90 times, at every share and every total.
    Source: Newcombe (1998), Statistics in Medicine 17, 857–872, method 4, after Wilson (1927).

    >>> {name: round(part, 4) for name, part in share(50, 100).items()}
    {'value': 0.5, 'low': 0.414, 'high': 0.586, 'n': 100}
    """
    if not total:
        return {"value": None, "n": 0}
    bounds = stats.binomtest(int(count), int(total)).proportion_ci(LEVEL, method="wilsoncc")
    return {"value": count / total, "low": float(bounds.low), "high": float(bounds.high), "n": int(total)}


def count(number: int) -> Figure:
    """How many came, each independently of the others: value, low, high, n (the number itself).

    The exact interval of the mean of a Poisson process. Where they come out of a fixed list of customers it is
    wider than it need be; where they come in parties it is too narrow: then the party is what counts (`total`).
    Source: Garwood (1936), Biometrika 28, 437–442.

    >>> {name: round(part, 3) for name, part in count(10).items()}
    {'value': 10, 'low': 5.425, 'high': 16.962, 'n': 10}
    """
    low = stats.chi2.ppf(_tail(), 2 * number) / 2 if number else 0.0
    high = stats.chi2.ppf(1 - _tail(), 2 * number + 2) / 2
    return {"value": int(number), "low": float(low), "high": float(high), "n": int(number)}


def each(cost: float, number: int) -> Figure:
    """A cost over how many came for it: value, low, high, n (how many came).

    The cost was decided and is certain, how many came is a `count`; whatever one of them costs on average lies
    between the cost over the most and over the fewest of its interval.

    >>> {name: round(part, 3) for name, part in each(1000, 10).items()}
    {'value': 100.0, 'low': 58.955, 'high': 184.318, 'n': 10}
    """
    if not number:
        return {"value": None, "n": 0, "why": "nobody came"}
    came = count(number)
    return {"value": cost / number, "low": cost / came["high"], "high": cost / came["low"], "n": int(number)}


def total(amounts: pd.Series | np.ndarray) -> Figure:
    """A sum over customers who came independently, each with an amount: value, low, high, n.

    Parameters
    ----------
    amounts : a number a customer, of either sign; who brought 0 has not come

    Returns
    -------
    n counts the customers who came. Below `MANY` of them the sum has no interval, but a `why`.

    >>> {name: round(part, 1) for name, part in total(np.full(60, 5)).items()}
    {'value': 300.0, 'n': 60, 'low': 239.3, 'high': 371.9}
    >>> {name: round(part, 1) for name, part in count(60).items()}  # five times this
    {'value': 60, 'low': 47.9, 'high': 74.4, 'n': 60}
    """
    brought = np.sort(np.asarray(amounts, dtype=float))  # sums of floats hang on the order of rows
    found = {"value": float(brought.sum()), "n": int(np.count_nonzero(brought))}
    if not found["n"]:
        return found | {"why": TOO_FEW}
    return found | _between(*total_bounds(brought))


def total_bounds(amounts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Low and high of sums along the last axis (a customer each); nan where fewer than `MANY` came.

    The gamma interval of a weighted sum of Poisson counts, with one more customer as large as the largest seen
    on the upper side, or more of them (`unseen`); where all bring the same it is that of a `count`. What comes in
    and what goes out (returns, losses) are two such sums, independent of each other, and their difference's
    interval comes from theirs.
    Source: Fay and Feuer (1997), Statistics in Medicine 16, 791–801; Zou and Donner (2008), Statistics in
    Medicine 27, 1693–1702 (of the difference).
    """
    number = np.count_nonzero(amounts, axis=-1)
    more = unseen(spread(amounts), number)
    came, went = np.maximum(amounts, 0), np.maximum(-amounts, 0)
    plus, minus = came.sum(-1), went.sum(-1)
    (plus_low, plus_high), (minus_low, minus_high) = (_weighted(part, more) for part in (came, went))
    value = plus - minus
    low = value - np.hypot(plus - plus_low, minus_high - minus)
    high = value + np.hypot(plus_high - plus, minus - minus_low)
    return np.where(number >= MANY, low, np.nan), np.where(number >= MANY, high, np.nan)


def _weighted(sizes: np.ndarray, more: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The gamma interval of Σ size, with `more` customers of the largest size on the upper side."""
    mean, variance, largest = sizes.sum(-1), (sizes**2).sum(-1), sizes.max(-1, initial=0)
    up, up_variance = mean + more * largest, variance + more * largest**2
    with np.errstate(invalid="ignore", divide="ignore"):  # where nobody brought anything
        low = variance / (2 * mean) * stats.chi2.ppf(_tail(), 2 * mean**2 / variance)
        high = up_variance / (2 * up) * stats.chi2.ppf(1 - _tail(), 2 * up**2 / up_variance)
    return np.where(mean > 0, low, 0.0), np.where(up > 0, high, 0.0)


def spread(amounts: np.ndarray) -> np.ndarray:
    """How far large amounts lie above the middle one, along the last axis: 0 where they are equal.

    The mean of ln² (size ÷ middle size) over the larger half of all sizes but 0: about σ² of log-normal amounts.
    Logarithms keep one giant from deciding it: a sample that lacks its giants by chance looks hardly less spread.

    >>> float(spread(np.array([0, 1, 1, np.e, np.e])).round(3)), float(spread(np.array([7, 7, 7])))
    (0.0, 0.0)
    >>> float(spread(np.array([1, 1, 1, 1, np.e**2])).round(3))  # of 1, 1 and e²: 2² ÷ 3
    1.333
    """
    sizes = np.sort(np.abs(np.asarray(amounts, dtype=float)), axis=-1)
    half = (np.count_nonzero(sizes, axis=-1) + 1) // 2
    first = sizes.shape[-1] - np.maximum(half, 1)[..., None]
    middle = np.take_along_axis(sizes, first, axis=-1)
    above = (np.arange(sizes.shape[-1]) >= first) & (sizes > 0)
    logs = np.log(np.where(above, sizes, 1.0)) - np.log(np.where(middle > 0, middle, 1.0))
    return (np.where(above, logs, 0.0) ** 2).sum(-1) / np.maximum(half, 1)


def unseen(spread: np.ndarray, number: np.ndarray | int) -> np.ndarray:
    """How many more customers like the most extreme one an interval counts on.

    One where all are equal, as published; more the wider amounts are spread, and fewer again the more customers
    were seen. Nobody has published the second part: it is what holds the truth where the first does not, with
    log-normal amounts from 50 customers up (`bench/intervals.py`).

    >>> [float(unseen(np.array(s), n)) for s, n in ((0, 50), (4, 50), (4, 800))]
    [1.0, 5.0, 2.0]
    """
    return 1 + spread * np.sqrt(MANY / np.maximum(number, MANY))


def mean(values: pd.Series | np.ndarray) -> Figure:
    """A mean over customers, of whatever size: value, low, high, n; as `ratio`, every customer once."""
    known = np.asarray(values, dtype=float)
    return ratio(known, np.ones(len(known)))


def ratio(tops: pd.Series | np.ndarray, bottoms: pd.Series | np.ndarray) -> Figure:
    """Σ top ÷ Σ bottom over customers, as sales over orders or profit over sales: value, low, high, n.

    Parameters
    ----------
    tops, bottoms : a number each customer, in the same order; what is over orders of one customer hangs together

    Returns
    -------
    n counts customers. No interval, but a `why`, below `MANY` customers, where all are alike, and where the
    bottom's own chance reaches down to 0. Without anything below the line there is no value.
    """
    upper, lower = np.asarray(tops, dtype=float), np.asarray(bottoms, dtype=float)
    order = np.lexsort((lower, upper))  # as in `total`
    upper, lower = upper[order], lower[order]
    if lower.sum() <= 0:
        return {"value": None, "n": len(upper), "why": "nothing to divide by" if len(upper) else "nobody"}
    found = {"value": float(upper.sum() / lower.sum()), "n": len(upper)}
    if len(upper) >= MANY and (upper * lower.sum() == lower * upper.sum()).all():
        return found | {"why": ALIKE}
    return found | _between(*ratio_bounds(upper, lower))


def ratio_bounds(
    tops: np.ndarray, bottoms: np.ndarray, *, ends: tuple[float, float] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Low and high of Σ top ÷ Σ bottom along the last axis (a customer each); nan where it cannot be told: too few
    customers (`MANY`, on a scale `ENOUGH`), or a bottom that chance alone could bring down to 0.

    The ratio's variance over customers, with Student's t, after one more customer has been added on either side:
    as far off as the farthest seen, or more of them (`unseen`); or, on a scale whose `ends` are known, one who
    answers as often as others do and only with that end.
    Source: Cochran (1977), Sampling Techniques, 3rd ed., §2.11 and §9A, of the variance; that the bottom must be
    told from 0: Fieller (1954), J. R. Stat. Soc. B 16, 175–185. The one more is that of `total_bounds`.
    """
    size, weight = tops.shape[-1], bottoms.sum(-1)
    value, usual = tops.sum(-1) / weight, weight / size
    apart = tops - value[..., None] * bottoms
    if ends is None:
        more = unseen(np.maximum(spread(tops), spread(bottoms)), size)
        below, above = -apart.min(-1), apart.max(-1)
    else:
        more, below, above = np.ones_like(value), usual * (value - ends[0]), usual * (ends[1] - value)
    unbiased, t = size / max(size - 1, 1), stats.t.ppf(1 - _tail(), size - 1)
    squares = (apart**2).sum(-1)

    def reach(step: np.ndarray) -> np.ndarray:
        error = np.sqrt((squares + more * step**2) * unbiased)
        return (more * step + t * error) / (weight + more * usual)

    low, high = value - reach(below), value + reach(above)
    if ends is not None:
        low, high = np.maximum(low, ends[0]), np.minimum(high, ends[1])
    chance = t * np.sqrt(((bottoms - usual[..., None]) ** 2).sum(-1) * unbiased)
    told = (weight > chance) & (size >= (MANY if ends is None else ENOUGH))
    return np.where(told, low, np.nan), np.where(told, high, np.nan)


def clustered_mean(
    values: pd.Series, cluster: pd.Series, *, ends: tuple[float, float] | None = None
) -> Figure:
    """A mean whose interval knows that answers of one person resemble each other.

    Parameters
    ----------
    values : a number an answer
    cluster : whose answer it is
    ends : the least and the most that can be answered. With them `ENOUGH` persons suffice, and answers that are
        all alike have an interval too: the next person may answer with either end. Without them it takes `MANY`

    Returns
    -------
    value, low, high, n (values, not persons); value None and a `why` where there are too few persons.
    """
    per = values.groupby(cluster, sort=True).agg(["sum", "size"])
    if len(per) < (MANY if ends is None else ENOUGH):
        why = TOO_FEW if len(per) else "no answers in the period"
        return {"value": None, "n": len(values), "why": why}
    if ends is None:
        return ratio(per["sum"], per["size"]) | {"n": len(values)}
    sums, sizes = (per[name].to_numpy(dtype=float) for name in ("sum", "size"))
    found = {"value": float(sums.sum() / sizes.sum()), "n": len(values)}
    return found | _between(*ratio_bounds(sums, sizes, ends=ends))


def difference(now: Mapping, before: Mapping) -> Figure:
    """What lies between two figures of independent customers, as of two samples: value, low, high, n.

    Where the same customers stand in both, what they have in common moves both alike and the interval is wider
    than it need be; of totals `change_of_total` knows it.
    Source: Zou and Donner (2008), Statistics in Medicine 27, 1693–1702.

    >>> a, b = {"value": 10, "low": 7, "high": 14, "n": 60}, {"value": 4, "low": 1, "high": 7, "n": 50}
    >>> difference(a, b)  # 6 − √(3² + 3²) and 6 + √(4² + 3²)
    {'value': 6, 'n': 50, 'low': 1.7573593128807152, 'high': 11.0}
    """
    fewer = min(now.get("n") or 0, before.get("n") or 0)
    if now.get("value") is None or before.get("value") is None:
        return {"value": None, "n": fewer, "why": TOO_FEW}
    found = {"value": now["value"] - before["value"], "n": fewer}
    if now.get("low") is None or before.get("low") is None:
        return found | {"why": TOO_FEW}
    down = np.hypot(now["value"] - now["low"], before["high"] - before["value"])
    up = np.hypot(now["high"] - now["value"], before["value"] - before["low"])
    return found | {"low": float(found["value"] - down), "high": float(found["value"] + up)}


def change_of_total(now: pd.Series, before: pd.Series) -> Figure:
    """How far a total moved between two periods, and by chance: value, low, high, n.

    What each customer brought more or less than before is one amount, so that the two periods of a customer may
    hang together in any way; customers are independent of each other. Who brought the same as before has not moved.

    Parameters
    ----------
    now, before : amounts by customer; who is missing brought 0

    >>> change_of_total(pd.Series({"a": 5, "b": 2}), pd.Series({"a": 5, "c": 4}))
    {'value': -2.0, 'n': 2, 'why': 'too few'}
    """
    return total(now.astype(float).sub(before.astype(float), fill_value=0))


def told(found: Mapping) -> bool | None:
    """Whether a difference is told from none: its interval lies on one side of 0. None without an interval."""
    if found.get("low") is None:
        return None
    return bool(found["low"] > 0 or found["high"] < 0)


def _tail() -> float:
    return (1 - LEVEL) / 2


def _between(low: np.ndarray, high: np.ndarray) -> Figure:
    """Bounds as parts of a figure, or why there are none."""
    return {"why": TOO_FEW} if np.isnan(low) else {"low": float(low), "high": float(high)}
