"""How often customers buy, by the older model: Pareto/NBD, in which they may leave at any time.

BG/NBD lets a customer leave after a purchase alone; here the time until they leave is exponential with a
rate of its own for each customer (gamma: s, beta), whether they buy or not. It is fitted to hold BG/NBD against:
where the older model is likelier by far, customers leave otherwise than after a purchase.

Source: Schmittlein, Morrison and Colombo (1987), Management Science 33, 1-24; likelihood as in Fader and Hardie
(2005), A Note on Deriving the Pareto/NBD Model. Its integral over the unseen time of leaving is taken by the
places of Gauss and Legendre on a logarithmic scale of time, not by 2F1, which fails for many purchases.
"""

import numpy as np
import pandas as pd
from scipy import optimize, special

from crmlib.analysis import bgnbd
from crmlib.analysis.estimation import FAR, Estimate
from crmlib.analysis.prediction import Model

NAMES = ("r", "alpha", "s", "beta")
PLACES, WEIGHTS = np.polynomial.legendre.leggauss(48)
STARTS = ((0.5, 0.5), (1.0, 1.0))
MOST = 20_000  # different histories; the older model is dear, and more of them would say the same
NEARLY = 3.0  # of log-likelihood: twenty to one, from which evidence is strong (Kass and Raftery 1995)
GROUND = 1e-3  # slope of the log-likelihood at a top, for each customer


def log_likelihood(
    parameters: np.ndarray, repeats: np.ndarray, active: np.ndarray, tenure: np.ndarray
) -> np.ndarray:
    """The log-likelihood of each customer.

    Parameters
    ----------
    parameters : r, alpha, s, beta
    repeats, active, tenure : purchases after the first; from the first to the last; from the first to now

    Examples
    --------
    Who came once and is seen for no time has said nothing:

    >>> log_likelihood(np.ones(4), np.array([0]), np.array([0.0]), np.array([0.0])).round(12).tolist()
    [0.0]
    """
    r, alpha, s, beta = parameters
    nearer = min(alpha, beta)
    begin, end = np.log(nearer + active), np.log(nearer + tenure)
    half = (end - begin) / 2
    at = half[:, None] * (PLACES + 1) + begin[:, None]
    time = np.exp(at) - nearer
    # Left at this time: s (alpha + y)^-(r + x) (beta + y)^-(s + 1) dy, with beta^s outside, y on its logarithm.
    falls = at - (r + repeats)[:, None] * np.log(alpha + time) - (s + 1) * np.log(beta + time)
    with np.errstate(divide="ignore"):
        gone = special.logsumexp(falls, b=WEIGHTS, axis=1) + np.log(half) + np.log(s)
    still = -(r + repeats) * np.log(alpha + tenure) - s * np.log(beta + tenure)
    rises = special.gammaln(r + repeats) - special.gammaln(r)
    return rises + r * np.log(alpha) + s * np.log(beta) + np.logaddexp(still, gone)


def fit(people: pd.DataFrame, *, unit: float = bgnbd.WEEK) -> Estimate:
    """The parameters of a client's customers, in units of `unit` days, without intervals.

    Parameters
    ----------
    people : repeats, active_days and tenure_days of each customer

    Returns
    -------
    `r`, `alpha`, `s`, `beta` (alpha and beta in units); or why there are none: `all_one_time`, `not_converged`
    """
    if not (people["repeats"] > 0).any():
        return Estimate(NAMES, customers=len(people), why="all_one_time")
    rows = bgnbd.merged(people)
    many, x = rows["customers"].to_numpy(), rows["repeats"].to_numpy()
    scale = float(many @ rows["tenure_days"]) / many.sum()
    active, tenure = rows["active_days"].to_numpy() / scale, rows["tenure_days"].to_numpy() / scale
    rate = many @ x / many.sum()

    def cost(logs: np.ndarray) -> float:
        if np.abs(logs).max() > FAR:
            return np.inf
        return -float(many @ log_likelihood(np.exp(logs), x, active, tenure)) / many.sum()

    for r, s in STARTS:
        found = optimize.minimize(cost, np.log([r, r / rate, s, 1.0]), method="BFGS")
        if np.isfinite(found.fun) and np.abs(found.jac).max() < GROUND and np.abs(found.x).max() < FAR / 2:
            stretched = np.array([0.0, 1.0, 0.0, 1.0]) * np.log(scale / unit)
            loglik = -found.fun * many.sum() - float(many @ x) * np.log(scale / unit)
            return Estimate(NAMES, found.x + stretched, loglik=loglik, customers=len(people))
    return Estimate(NAMES, customers=len(people), why="not_converged")


def compared(model: Model, people: pd.DataFrame | None) -> dict:
    """What sentences tell of both models: ours and other (log-likelihoods), as_likely, n, why.

    `as_likely`: ours is no less likely than the older one, by more than chance; None where not tried.
    """
    values = {"ours": 0.0, "other": 0.0, "as_likely": None, "why": model.why or "nothing"}
    if model.why or people is None:
        return values
    if len(bgnbd.merged(people)) > MOST:
        return values | {"why": "many_histories"}
    found = fit(people)
    if found.why:
        return values | {"why": found.why}
    told = {"ours": model.buying.loglik, "other": found.loglik}
    return values | told | {"as_likely": bool(model.buying.loglik >= found.loglik - NEARLY)}
