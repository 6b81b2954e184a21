"""Estimates by maximum likelihood: the way up, how sure they are, and when there are none.

Parameters are positive, and are sought by their logarithms: so no step leaves what is allowed, and an
interval that is symmetrical there never reaches below zero. A likelihood gives its value, gradient and
second derivatives by formula; the way up is Newton's, damped where the likelihood is not yet a hill.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy import special, stats

from crmlib.language import WORDS

LEVEL = 0.9
STEPS, HALVINGS = 60, 20
FLAT = 1e-9  # units of log-likelihood still to be gained: the top is reached
LEVEL_GROUND = 0.1  # gained by a parameter's e-fold: where no way leads to more, the hill has an edge, no top
FAR = 25.0  # logarithms from the start: a parameter on its way to nothing or without end
SPREAD = 2.0  # standard deviation of a logarithm; beyond it an interval spans a factor of 700
SMALL = 500  # customers; below, the top of the hill is not round enough to be taken for its whole
PROPOSED, DRAWS = 2000, 1000
LEAST_EFFECTIVE = 100  # of the proposed: fewer carry all the weight where the hill has no shape to speak of
Derivatives = Callable[[np.ndarray], tuple[float, np.ndarray, np.ndarray]]
Many = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Estimate:
    """Parameters and how sure they are; `why` says why there are none.

    Parameters
    ----------
    names : of the parameters
    logs : their logarithms at the top of the likelihood
    draws : logarithms of parameters that the data allow as well, one set a row
    spread : standard deviations of the logarithms; empty where intervals are taken from the draws
    loglik : log-likelihood at the top, in the caller's units
    customers : how many it rests on
    """

    names: tuple[str, ...]
    logs: np.ndarray = field(default_factory=lambda: np.empty(0))
    draws: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    spread: np.ndarray = field(default_factory=lambda: np.empty(0))
    loglik: float = np.nan
    customers: int = 0
    why: str = ""

    @property
    def values(self) -> np.ndarray:
        """The parameters."""
        return np.exp(self.logs)

    def interval(self, name: str) -> tuple[float, float]:
        """The 90 % interval of a parameter."""
        place, tail = self.names.index(name), (1 - LEVEL) / 2
        if len(self.spread):
            reach = stats.norm.ppf(1 - tail) * self.spread[place]
            return float(np.exp(self.logs[place] - reach)), float(np.exp(self.logs[place] + reach))
        low, high = np.exp(np.quantile(self.draws[:, place], [tail, 1 - tail]))
        return float(low), float(high)

    def figures(self, prefix: str) -> dict[str, dict]:
        """Every parameter and the log-likelihood as figures: value, low, high, n; else the reason.

        The log-likelihood's interval holds what parameters within the 90 % region reach.
        """
        if self.why:
            none = {"value": None, "n": self.customers, "why": WORDS.get(self.why, self.why)}
            return {f"{prefix}.{name}": none for name in (*self.names, "loglik")}
        found = {}
        for name, value in zip(self.names, self.values, strict=True):
            low, high = self.interval(name)
            found[f"{prefix}.{name}"] = {"value": float(value), "low": low, "high": high, "n": self.customers}
        least = self.loglik - float(stats.chi2.ppf(LEVEL, len(self.names))) / 2
        top = {"value": self.loglik, "low": least, "high": self.loglik, "n": self.customers}
        return found | {f"{prefix}.loglik": top}


def top(derivatives: Derivatives, start: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Where a log-likelihood is highest, and its information (minus second derivatives) there.

    The information is None where no top is found: the way leads on without end.

    >>> hill = lambda x: (-float(x @ x), -2 * x, -2 * np.eye(len(x)))
    >>> [part.round(6).tolist() for part in top(hill, np.array([3.0]))]
    [[0.0], [[2.0]]]
    """
    here = np.asarray(start, float)
    value, slope, bend = derivatives(here)
    for _ in range(STEPS):
        if not (np.isfinite(value) and np.isfinite(bend).all()):
            return here, None
        strength, ways = np.linalg.eigh(-bend)
        along = ways.T @ slope
        steep = np.maximum(np.abs(strength), 1e-9 * max(np.abs(strength).max(), 1e-300))
        if (strength > 0).all() and along @ (along / steep) < FLAT:
            return here, -bend
        step = ways @ (along / steep)
        step *= min(1.0, 2.0 / max(np.abs(step).max(), 1e-300))
        for _ in range(HALVINGS):
            after = derivatives(here + step)
            # A step that only rounding hinders is taken as it is.
            if after[0] >= value + 1e-4 * (slope @ step) - 1e-12 * abs(value):
                break
            step /= 2
        else:
            break  # no step leads up, though the hill is not flat: there is no top here
        here, (value, slope, bend) = here + step, after
        if np.abs(here - start).max() > FAR:
            break
    return here, None


def draws(
    here: np.ndarray, information: np.ndarray, likelihoods: Many | None, *, seed: int
) -> tuple[np.ndarray, float]:
    """Sets of parameters that the data allow, and of how many proposed ones they were in effect chosen.

    Laplace: a normal hill of the same bend. With `likelihoods`, which tells the log-likelihood of many sets,
    wider proposals are weighed by it: the hill as it is.
    """
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(np.linalg.inv(information))
    size = len(here)
    if likelihoods is None:
        return here + rng.standard_normal((DRAWS, size)) @ root.T, float(DRAWS)
    freedom = 5
    wide = np.sqrt(freedom / rng.chisquare(freedom, (PROPOSED, 1)))
    away = rng.standard_normal((PROPOSED, size)) * wide
    proposed = here + away @ root.T
    logged = likelihoods(proposed) + (freedom + size) / 2 * np.log1p((away**2).sum(axis=1) / freedom)
    weight = special.softmax(np.where(np.isfinite(logged), logged, -np.inf))
    # Evenly spaced places along the weights: no set comes oftener than its weight says.
    places = (np.arange(DRAWS) + rng.random()) / DRAWS
    chosen = np.minimum(np.searchsorted(np.cumsum(weight), places), PROPOSED - 1)
    return proposed[chosen], float(1 / (weight**2).sum())


def estimate(
    derivatives: Derivatives,
    likelihoods: Many,
    starts: list[np.ndarray],
    *,
    names: tuple[str, ...],
    customers: int,
    seed: int = 0,
) -> Estimate:
    """The estimate from the first start that leads to a top; with the reason where none does.

    Source of the intervals: Tierney & Kadane (1986), J. Am. Stat. Assoc. 81, 82-86.
    """
    for start in starts:
        here, information = top(derivatives, start)
        if information is not None:
            break
    else:
        value, slope, _ = derivatives(here)
        flat = np.isfinite(value) and np.abs(slope).max() < LEVEL_GROUND
        why = "weakly_identified" if flat else "not_converged"
        return Estimate(names, customers=customers, why=why)
    spread = np.sqrt(np.diag(np.linalg.inv(information)))
    if not np.isfinite(spread).all() or spread.max() > SPREAD:
        return Estimate(names, customers=customers, why="weakly_identified")
    small = customers < SMALL
    drawn, effective = draws(here, information, likelihoods if small else None, seed=seed)
    if effective < LEAST_EFFECTIVE:
        return Estimate(names, customers=customers, why="weakly_identified")
    value = derivatives(here)[0]
    return Estimate(names, here, drawn, np.empty(0) if small else spread, value, customers)
