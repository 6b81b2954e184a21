"""How often customers buy, and whether they still do: the BG/NBD model.

While alive a customer buys at random at a rate of their own; after each purchase they may leave for good,
with a chance of their own. Rates differ between customers as a gamma distribution (r, alpha), chances as
a beta distribution (a, b). Who bought once has had one chance to leave that nobody can see, which the model
takes as not used: a one-time buyer's P(alive) is 1 by construction.

Source: Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24, 275-284.

Every sum of Γ(z + x) ÷ Γ(z) is taken term by term over the whole numbers below x: so nothing large is
subtracted from nothing less, with three purchases or three thousand.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import special

from crmlib.analysis.estimation import Estimate, estimate

NAMES = ("r", "alpha", "a", "b")
WEEK = 7.0
NODES = 0.25  # distance of the places where an integrand is asked, on a scale where it is smooth
TAIL = 27.0  # e to minus this is nothing beside 1e-8
CHUNK = 2_000_000  # cells of a block of places by customers
ALIKE = np.log(1e6)  # logarithm of b where all leave with one chance: a and b without end, their ratio kept
NEVER = -575.0  # logarithm of a where nobody leaves: as near to nothing as a number comes
# How chances to leave may differ: names, fixed logarithms, and which of r, alpha, a, b each name moves.
LEAVING = {
    "own": (NAMES, np.zeros(4), np.eye(4)),
    "one": (("r", "alpha", "odds"), np.array([0.0, 0.0, ALIKE, ALIKE]), np.eye(4)[:, :3]),
    "none": (("r", "alpha"), np.array([0.0, 0.0, NEVER, ALIKE]), np.eye(4)[:, :2]),
}
ODDS = np.array([0.0, 0.0, -2.0, 0.0])  # of leaving, to begin with where there is one for all
STARTS = ((0.5, 0.5, 2.0), (2.0, 0.3, 3.0), (0.2, 1.0, 1.0), (1.0, 0.05, 1.0))


def merged(people: pd.DataFrame) -> pd.DataFrame:
    """Customers alike in repeats, active_days and tenure_days as one row: those three, and `customers`.

    >>> merged(pd.DataFrame({"repeats": [0, 0], "active_days": [0, 0], "tenure_days": [9, 9]})).values.tolist()
    [[0, 0, 9, 2]]
    """
    columns = ["repeats", "active_days", "tenure_days"]
    x, active, tenure = (people[c].to_numpy(np.int64) for c in columns)
    longest = int(tenure.max(initial=0)) + 1
    code = (x * longest + active) * longest + tenure
    kept, many = np.unique(code, return_counts=True)
    rest, tenure = np.divmod(kept, longest)
    x, active = np.divmod(rest, longest)
    return pd.DataFrame(dict(zip([*columns, "customers"], (x, active, tenure, many), strict=True)))


def log_likelihood(
    parameters: np.ndarray, repeats: np.ndarray, active: np.ndarray, tenure: np.ndarray
) -> np.ndarray:
    """The log-likelihood of each customer.

    Parameters
    ----------
    parameters : r, alpha, a, b
    repeats, active, tenure : purchases after the first; from the first to the last; from the first to now
    """
    r, alpha, a, b = parameters
    steps = np.arange(int(repeats.max(initial=0)))
    rates = _below(np.log(r + steps), repeats)
    stayed = _below(-np.log1p(a / (b + steps)), repeats)
    # A purchase scales the density by 1 ÷ (alpha + T); waiting costs r times the logarithm.
    waited = r * np.log1p(tenure / alpha) + repeats * np.log(alpha + tenure)
    return rates + stayed - waited + np.logaddexp(0, _left(parameters, repeats, active, tenure))


def _below(terms: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """For each count the sum of so many first terms."""
    return np.concatenate([[0.0], np.cumsum(terms)])[counts]


def _left(parameters: np.ndarray, repeats: np.ndarray, active: np.ndarray, tenure: np.ndarray) -> np.ndarray:
    """Logarithm of the odds of having left after the last purchase; minus infinity for one-time buyers."""
    r, alpha, a, b = parameters
    again = repeats > 0
    silence = (r + repeats) * np.log1p((tenure - active) / (alpha + active))
    odds = np.log(a) - np.log(b + np.maximum(repeats, 1) - 1) + silence
    return np.where(again, odds, -np.inf)


def alive(parameters: np.ndarray, repeats: np.ndarray, active: np.ndarray, tenure: np.ndarray) -> np.ndarray:
    """The probability that a customer still buys; 1 for a one-time buyer by construction.

    >>> two = np.array([0, 2]), np.array([0.0, 30.43]), np.array([38.86, 38.86])
    >>> alive(np.array([0.243, 4.414, 0.793, 2.426]), *two).round(3).tolist()
    [1.0, 0.727]
    """
    return special.expit(-_left(parameters, repeats, active, tenure))


def derivatives(logs: np.ndarray, rows: pd.DataFrame, scale: float) -> tuple[float, np.ndarray, np.ndarray]:
    """Log-likelihood of all customers, its gradient and second derivatives by the parameters' logarithms.

    Parameters
    ----------
    logs : logarithms of r, alpha, a, b, alpha in units of `scale` days
    rows : as `merged` gives them
    """
    theta = np.exp(logs)
    r, alpha, _, b = theta
    x, many = rows["repeats"].to_numpy(), rows["customers"].to_numpy()
    active, tenure = rows["active_days"].to_numpy() / scale, rows["tenure_days"].to_numpy() / scale
    value = many @ log_likelihood(theta, x, active, tenure)
    gone = special.expit(_left(theta, x, active, tenure)) * many
    slope, bend = _rising(theta, x, many)
    whole, part = 1 / (alpha + tenure), 1 / (alpha + active)
    last = b / (b + np.maximum(x, 1) - 1)
    # How the logarithm of the odds of having left moves with each parameter's logarithm.
    moves = np.empty((4, len(rows)))
    moves[0] = r * np.log1p((tenure - active) / (alpha + active))
    moves[1] = alpha * (r + x) * (whole - part)
    moves[2], moves[3] = 1.0, -last
    once = moves @ gone
    slope[0] -= many @ np.log1p(tenure / alpha)
    slope[1] = r * many.sum() / alpha - many @ ((r + x) * whole)
    bend[0, 1] = bend[1, 0] = many.sum() / alpha - many @ whole + gone @ (whole - part)
    bend[1, 1] = many @ ((r + x) * whole**2) - r * many.sum() / alpha**2
    bend[1, 1] -= gone @ ((r + x) * (whole**2 - part**2))
    first = theta * slope + once
    # By its own logarithm the odds' logarithm moves evenly with a, so that a has no second part.
    second = theta * bend * theta[:, None] + np.diag(theta * slope + once * [1, 1, 0, 1])
    second[3, 3] += gone @ last**2
    return float(value), first, second + (moves * (gone * (1 - gone / many))) @ moves.T


def _rising(theta: np.ndarray, x: np.ndarray, many: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and second derivatives of the sums over the whole numbers below x."""
    r, _, a, b = theta
    steps = np.arange(int(x.max(initial=0)))
    # So many customers have each term in their sum.
    having = np.bincount(x, weights=many, minlength=len(steps) + 1)[:0:-1].cumsum()[::-1]
    rate, kept, all_ = (having / (z + steps) for z in (r, b, a + b))
    rate_2, kept_2, all_2 = (having @ (z + steps) ** -2.0 for z in (r, b, a + b))
    sums = np.array([rate.sum(), 0.0, -all_.sum(), kept.sum() - all_.sum()])
    bends = np.zeros((4, 4))
    bends[0, 0] = -rate_2
    bends[2:, 2:] = all_2
    bends[3, 3] -= kept_2
    return sums, bends


def fit(people: pd.DataFrame, *, leaving: str = "own", unit: float = WEEK, seed: int = 0) -> Estimate:
    """The parameters of a client's customers, in units of `unit` days, with what the data allow beside.

    Parameters
    ----------
    people : repeats, active_days and tenure_days of each customer, as `purchases.purchases` gives them
    leaving : whether chances to leave are each customer's `own`, `one` for all, or there are `none`

    Returns
    -------
    Parameters of the names in `LEAVING`, or why there are none: `all_one_time`, `not_converged`,
    `weakly_identified`. Times are scaled by their mean while fitting, so that no unit is better than another.
    """
    names, base, chosen = LEAVING[leaving]
    if not (people["repeats"] > 0).any():
        return Estimate(names, customers=len(people), why="all_one_time")
    rows = merged(people)
    many = rows["customers"].to_numpy()
    scale = float(many @ rows["tenure_days"]) / many.sum()
    rate = many @ rows["repeats"] / many.sum()  # purchases in a mean tenure
    width = len(names)

    def reduced(logs: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        value, slope, bend = derivatives(base + chosen @ logs, rows, scale)
        return value, chosen.T @ slope, chosen.T @ bend @ chosen

    found = estimate(
        reduced,
        lambda sets: _many(base + sets @ chosen.T, rows, scale),
        [np.log([r, r / rate, *(a, b)])[:width] + ODDS[:width] * (leaving == "one") for r, a, b in STARTS],
        names=names,
        customers=len(people),
        seed=seed,
    )
    if found.why:
        return found
    stretched = np.array([0.0, np.log(scale / unit), 0.0, 0.0])[:width]
    loglik = found.loglik - float(many @ rows["repeats"]) * stretched[1]
    return replace(found, logs=found.logs + stretched, draws=found.draws + stretched, loglik=loglik)


def whole(logs: np.ndarray, leaving: str) -> np.ndarray:
    """r, alpha, a and b from the logarithms that a fit of this kind gives; sets of them row by row."""
    _, base, chosen = LEAVING[leaving]
    return np.exp(base + logs @ chosen.T)


def _many(sets: np.ndarray, rows: pd.DataFrame, scale: float) -> np.ndarray:
    x, many = rows["repeats"].to_numpy(), rows["customers"].to_numpy()
    active, tenure = rows["active_days"].to_numpy() / scale, rows["tenure_days"].to_numpy() / scale
    with np.errstate(all="ignore"):
        return np.array([many @ log_likelihood(np.exp(logs), x, active, tenure) for logs in sets])


def bought(parameters: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """Purchases that a new customer is expected to make after the first, within times `ahead`.

    >>> bought(np.array([0.243, 4.414, 0.793, 2.426]), np.array([1.0, 39.0])).round(2).tolist()
    [0.05, 1.2]
    """
    ahead = np.asarray(ahead, float)
    nobody = np.zeros(len(ahead))
    return _expected(parameters, nobody.astype(int), nobody, ahead)


def expected(
    parameters: np.ndarray, repeats: np.ndarray, active: np.ndarray, tenure: np.ndarray, ahead: float
) -> np.ndarray:
    """Purchases that each customer is expected to make in the time `ahead`.

    >>> one = np.array([2]), np.array([30.43]), np.array([38.86])
    >>> expected(np.array([0.243, 4.414, 0.793, 2.426]), *one, 39.0).round(2).tolist()
    [1.23]
    """
    if_alive = _expected(parameters, repeats, tenure, np.full(len(repeats), float(ahead)))
    return if_alive * alive(parameters, repeats, active, tenure)


def _expected(parameters: np.ndarray, x: np.ndarray, tenure: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """Purchases in the time ahead of customers who are alive.

    Of a customer who leaves with chance p they are (1 - (1 + p z)^-R) ÷ p, where R = r + x and
    z = ahead ÷ (alpha + tenure); p is beta distributed (a, B = b + x). Its mean is taken over the logit of
    p, evenly spaced: there the integrand is smooth and falls off on both sides, so that the sum is right to
    the last digits. Two simple functions that are alike at the ends, and whose means are known, are taken
    off first, so that it falls off fast however small a or b are. The closed form with 2F1 loses
    all digits where a nears 1 or x is large.
    """
    r, alpha, a, b = parameters
    big_r, big_b, z = r + x, b + x, ahead / (alpha + tenure)
    width, left, right = _places(a, big_b, big_r * z / 2)
    found = np.empty(len(x))
    count = np.ceil((right - left) / width).astype(int) + 1
    order = np.argsort(count, kind="stable")  # rows of like length in one block
    at = 0
    while at < len(order):
        size = max(1, CHUNK // int(count[order[min(at + 1000, len(order) - 1)]]))
        part = order[at : at + min(size, 1000)]
        grid = left[part, None] + width[part, None] * np.arange(count[part].max())
        found[part] = _mean(grid, width[part], a=a, big_b=big_b[part], big_r=big_r[part], z=z[part])
        at += len(part)
    return found


def _places(a: float, big_b: np.ndarray, steep: np.ndarray) -> tuple[np.ndarray, ...]:
    """Distance, least and greatest of the logits at which an integrand is asked."""
    # What a or b below 1 add to the spread lies where the integrand has fallen off.
    far, near = np.maximum(a, 1.0), np.maximum(big_b, 1.0)
    spread = np.sqrt(special.polygamma(1, far) + special.polygamma(1, near))
    width = np.minimum(NODES, spread / 1.5)
    middle = np.log(far / near)
    left, right = middle - 8 * spread - TAIL / (1 + a), middle + 8 * spread + TAIL / (1 + big_b)
    # Where chances are spread so wide that the bend lies within them; steep sides never reach it.
    bent = -np.log(np.maximum(steep, 1.0)) - TAIL / (1 + a)
    return width, np.where(a < 40, np.minimum(left, bent), left), right


def _mean(
    grid: np.ndarray, width: np.ndarray, *, a: float, big_b: np.ndarray, big_r: np.ndarray, z: np.ndarray
) -> np.ndarray:
    big_b, big_r, z, width = (part[:, None] for part in (big_b, big_r, z, width))
    p, kept = special.expit(grid), special.expit(-grid)
    rate, power = big_r * z, np.maximum((big_r + 1) * z / 2, 1.0)
    end = -np.expm1(-big_r * np.log1p(z))
    level = _climb(big_b, a) - special.gammaln(a)  # minus the logarithm of the beta function
    with np.errstate(divide="ignore", under="ignore"):
        every = -np.expm1(-big_r * np.log1p(p * z)) / np.where(p > 0, p, 1.0)
        weight = np.exp(a * special.log_expit(grid) + big_b * special.log_expit(-grid) + level)
        start = rate * np.exp(power * np.log(np.maximum(kept, 1e-320)))
    rest = np.where(p > 0, every, rate) - start - end * p**2
    # The means of both: of (1 - p)^power, and of p².
    mean_start = np.exp(_climb(big_b, a) - _climb(big_b + power, a))
    mean_end = a * (a + 1) / ((a + big_b) * (a + big_b + 1))
    return (rate * mean_start + end * mean_end)[:, 0] + (width * rest * weight).sum(axis=1)


def _climb(z: np.ndarray, by: float) -> np.ndarray:
    """ln Γ(z + by) - ln Γ(z), to the last digits also where both are large.

    By Stirling's series from 30 on: there its fourth term is below 1e-13.

    >>> float(np.expm1(_climb(np.array([1e8]), 1.0)[0] - np.log(1e8))).__abs__() < 1e-14
    True
    """
    y = np.maximum(z, 30.0)
    series = [1 / 12, -1 / 360, 1 / 1260]
    small = sum(c * ((y + by) ** -k - y**-k) for c, k in zip(series, (1.0, 3.0, 5.0), strict=True))
    far = (y - 0.5) * np.log1p(by / y) + by * (np.log(y + by) - 1) + small
    return np.where(z < 30, special.gammaln(z + by) - special.gammaln(z), far)
