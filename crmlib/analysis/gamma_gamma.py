"""How much customers spend an order: the Gamma-Gamma model.

The amounts of a customer's orders scatter around a mean of their own as a gamma distribution of shape p;
its scale differs between customers as another gamma distribution (q, gamma). How much somebody spends is
taken to say nothing of how often they buy: `independence` measures whether that holds.

Source: Fader and Hardie (2013), The Gamma-Gamma Model of Monetary Value.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import special

from crmlib.analysis.estimation import LEVEL, Estimate, estimate

NAMES = ("p", "q", "gamma")
STARTS = ((3.0, 3.0), (10.0, 2.0), (1.0, 5.0), (30.0, 3.0))


def telling(people: pd.DataFrame) -> pd.DataFrame:
    """Customers whose repeat orders tell of their spending: repeats, mean (of those orders).

    Who never came again tells nothing, and a mean of nothing or less is none that a gamma distribution has.
    """
    again = people[(people["repeats"] > 0) & (people["repeat_spend"] > 0)]
    return pd.DataFrame({"repeats": again["repeats"], "mean": again["repeat_spend"] / again["repeats"]})


def log_likelihood(parameters: np.ndarray, repeats: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """The log-likelihood of each customer's mean amount over so many orders."""
    p, q, gamma = parameters
    shape, total = p * repeats, repeats * mean
    shares = shape * -np.log1p(gamma / total) + q * -np.log1p(total / gamma)
    # Few different numbers of orders: the dear function is asked once for each.
    counts, back = np.unique(repeats, return_inverse=True)
    return shares - np.log(mean) - special.betaln(p * counts, q)[back]


def derivatives(logs: np.ndarray, x: np.ndarray, mean: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Log-likelihood of all customers, its gradient and second derivatives by the parameters' logarithms."""
    theta = np.exp(logs)
    p, q, gamma = theta
    total, shape = x * mean, p * x
    both = gamma + total
    joint, own = special.digamma(shape + q), special.digamma(shape)
    slope = np.array(
        [
            (x * (joint - own - np.log1p(gamma / total))).sum(),
            (joint - special.digamma(q) - np.log1p(total / gamma)).sum(),
            (q / gamma - (shape + q) / both).sum(),
        ]
    )
    joint, own = special.polygamma(1, shape + q), special.polygamma(1, shape)
    bend = np.zeros((3, 3))
    bend[0, 0] = (x**2 * (joint - own)).sum()
    bend[0, 1] = bend[1, 0] = (x * joint).sum()
    bend[0, 2] = bend[2, 0] = -(x / both).sum()
    bend[1, 1] = (joint - special.polygamma(1, q)).sum()
    bend[1, 2] = bend[2, 1] = (1 / gamma - 1 / both).sum()
    bend[2, 2] = ((shape + q) / both**2).sum() - len(x) * q / gamma**2
    value = float(log_likelihood(theta, x, mean).sum())
    return value, theta * slope, theta * bend * theta[:, None] + np.diag(theta * slope)


def fit(people: pd.DataFrame, *, seed: int = 0) -> Estimate:
    """The parameters of a client's customers; gamma is in the money of `repeat_spend`.

    Parameters
    ----------
    people : repeats and repeat_spend of each customer

    Returns
    -------
    `p`, `q`, `gamma`; or why there are none: `no_repeat_spend`, `not_converged`, `weakly_identified`,
    `spend_without_mean` (q ≤ 1, or its interval reaches there: the mean over customers does not exist)
    """
    told = telling(people)
    if len(told) < 2:
        return Estimate(NAMES, customers=len(told), why="no_repeat_spend")
    x, mean = told["repeats"].to_numpy(float), told["mean"].to_numpy(float)
    scale = float(np.exp(np.log(mean).mean()))  # the fit sees amounts around 1, whatever the currency
    mean = mean / scale
    starts = [np.log([p, q, max(q - 1, 0.5) / p]) for p, q in STARTS]
    found = estimate(
        lambda logs: derivatives(logs, x, mean),
        lambda sets: _many(sets, x, mean),
        starts,
        names=NAMES,
        customers=len(told),
        seed=seed,
    )
    if found.why:
        return found
    if found.interval("q")[0] <= 1:
        return Estimate(NAMES, customers=len(told), why="spend_without_mean")
    stretched = np.array([0.0, 0.0, np.log(scale)])
    loglik = found.loglik - len(told) * stretched[2]
    draws = found.draws[found.draws[:, 1] > 0]  # where q > 1, as in all that is told
    return replace(found, logs=found.logs + stretched, draws=draws + stretched, loglik=loglik)


def _many(sets: np.ndarray, x: np.ndarray, mean: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.array([log_likelihood(np.exp(logs), x, mean).sum() for logs in sets])


def spend(parameters: np.ndarray, repeats: np.ndarray, repeat_spend: np.ndarray) -> np.ndarray:
    """What each customer is expected to spend an order: between their own mean and that of all.

    Who never came again, or only for nothing, is expected to spend what customers do on average.

    >>> both = spend(np.array([6.25, 3.74, 15.44]), np.array([0, 2]), np.array([0.0, 44.69]))
    >>> both.round(1).tolist()
    [35.2, 24.7]
    """
    p, q, gamma = parameters
    told = np.where(repeat_spend > 0, repeats, 0)
    return p * (gamma + np.where(told > 0, repeat_spend, 0.0)) / (p * told + q - 1)


def independence(people: pd.DataFrame) -> dict[str, float | int | bool | None]:
    """Whether who buys oftener spends more an order: rank correlation with its interval, n, apart.

    `apart` where the interval excludes no connection (Fisher's z, Fieller, Hartley and Pearson 1957).
    """
    told = telling(people)
    if len(told) < 10 or told["repeats"].nunique() < 2 or told["mean"].nunique() < 2:
        return {"value": None, "low": None, "high": None, "n": len(told), "apart": None}
    rank = float(told.rank().corr().iloc[0, 1])
    reach = special.ndtri((1 + LEVEL) / 2) * np.sqrt(1.06 / (len(told) - 3))
    low, high = np.tanh(np.arctanh(np.clip(rank, -0.999999, 0.999999)) + np.array([-reach, reach]))
    apart = bool(low > 0 or high < 0)
    return {"value": rank, "low": float(low), "high": float(high), "n": len(told), "apart": apart}
