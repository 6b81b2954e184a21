"""Where a measure may go from here: paths of the periods to come, drawn from what its own past supports.

Several ways of going on are fitted to the past: staying about a level, a trend, the same with a season (once two
years are known), a walk from the last value, a walk with drift, a walk with a season. Each is given the weight
that its fit deserves for the number of things it had to learn, and the paths are drawn from all of them: nobody has
to choose, and what the past cannot tell apart stays uncertain.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

Period = tuple[dt.date, dt.date, float]
DRAWS = 10_000
DAYS_A_YEAR = 365.25
LEAST_FREE = 3  # values beyond what a way learns; fewer say nothing of how far it errs


@dataclass(frozen=True)
class _Way:
    """A way of going on: what was seen (rows of `seen` explain `told`), what is to come, and how well it fits."""

    seen: np.ndarray
    told: np.ndarray
    ahead: np.ndarray
    walks: bool

    @property
    def free(self) -> int:
        """Values beyond those that the way learns from."""
        return self.seen.shape[0] - self.seen.shape[1]

    def fitted(self) -> tuple[np.ndarray, float]:
        """What it learns, and the square of what it leaves."""
        learnt = np.linalg.lstsq(self.seen, self.told, rcond=None)[0]
        left = self.told - self.seen @ learnt
        return learnt, max(float(left @ left), 1e-18)

    def score(self) -> float:
        """Its Bayesian information criterion for each value, the less the better.

        The criterion that is corrected for small samples (Hurvich & Tsai 1989) lets no season be seen in two
        years, and erred more on every simulated KPI with one (`bench/odds.py`).
        Source: Schwarz (1978), "Estimating the dimension of a model", Annals of Statistics 6, 461–464.
        """
        many, learnt = self.seen.shape[0], self.seen.shape[1] + 1
        return float(np.log(self.fitted()[1] / many) + learnt * np.log(many) / many)

    def paths(self, chance: np.random.Generator, draws: int, last: float) -> np.ndarray:
        """Draws × periods to come; what was learnt is as uncertain as the past leaves it."""
        learnt, left = self.fitted()
        spread = np.sqrt(left / chance.chisquare(self.free, draws))[:, None]
        doubt = np.linalg.pinv(self.seen.T @ self.seen)
        # A symmetric root also where a column is nearly told by the others.
        size, way = np.linalg.eigh(doubt)
        root = way * np.sqrt(np.clip(size, 0, None))
        drawn = learnt + chance.standard_normal((draws, len(learnt))) @ root.T * spread
        steps = drawn @ self.ahead.T + chance.standard_normal((draws, len(self.ahead))) * spread
        return last + steps.cumsum(axis=1) if self.walks else steps


def paths(
    values: Sequence[float], *, places: Sequence[int], ahead: int, seasons: int = 0, seed: int = 0
) -> np.ndarray:
    """Values of the periods to come.

    Parameters
    ----------
    values : of the periods known, oldest first; where all are above zero, they move by factors
    places : the number of each period in its row of periods; a gap is a period without a value
    ahead : how many periods to come
    seasons : periods a year, 0 where there is no season to look for

    Returns
    -------
    `DRAWS` rows of `ahead` values.

    Examples
    --------
    What never moved stays.

    >>> paths([5.0] * 8, places=range(8), ahead=2).round(3)[0].tolist()
    [5.0, 5.0]
    """
    known = np.asarray(values, float)
    relative = bool((known > 0).all())
    scale = np.log(known) if relative else known
    ways = [
        way
        for way in _ways(scale, np.asarray(places, int), ahead, seasons)
        if way.free >= LEAST_FREE and (way.seen.sum(axis=0) != 0).all()
    ]
    scores = np.array([way.score() for way in ways])
    # Held against each other over as many values as all of them explain.
    weight = np.exp(-0.5 * (len(known) - 1) * (scores - scores.min()))
    chance = np.random.default_rng(seed)
    counts = chance.multinomial(DRAWS, weight / weight.sum())
    drawn = [w.paths(chance, n, float(scale[-1])) for w, n in zip(ways, counts, strict=True) if n]
    gone = np.concatenate(drawn)
    return np.exp(gone) if relative else gone


def onward(periods: Sequence[Period], *, ahead: int, seed: int = 0) -> np.ndarray:
    """The same of a KPI whose periods have dates: first day, last day, value, oldest first."""
    days, first = length(periods), periods[0][0]
    season = round(first.timetuple().tm_yday / days)
    places = [round((start - first).days / days) + season for start, *_ in periods]
    values = [value for *_, value in periods]
    return paths(values, places=places, ahead=ahead, seasons=_seasons(days), seed=seed)


def length(periods: Sequence[Period]) -> float:
    """Days of a period: those of all of them hardly differ."""
    return float(np.mean([(last - first).days + 1 for first, last, _ in periods]))


def _seasons(days: float) -> int:
    """Periods a year: 4 of quarters, 12 of months; 0 where periods do not share a year out."""
    return next((n for n in (4, 12) if abs(DAYS_A_YEAR / n - days) < 2), 0)


def _ways(values: np.ndarray, places: np.ndarray, ahead: int, seasons: int) -> Iterator[_Way]:
    """Every way of going on that the past is long enough for."""
    time = np.arange(places[0], places[-1] + ahead + 1)
    one, line = np.ones((len(time), 1)), (time - time[0])[:, None].astype(float)
    seen = places - places[0]
    levels, steps = [one, np.hstack([one, line])], [np.zeros((len(time), 0)), one]
    if seasons and places[-1] - places[0] >= 2 * seasons:
        year = np.eye(seasons)[time % seasons]
        if (year[seen].sum(axis=0) >= 2).all():
            levels += [year, np.hstack([year, line])]
            steps.append(year)
    for design in levels:
        yield _Way(design[seen], values, design[-ahead:], walks=False)
    gap = np.sqrt(np.diff(places))  # a step over two periods is two steps in one
    for design in steps:
        gone = np.diff(design.cumsum(axis=0)[seen], axis=0)
        yield _Way(gone / gap[:, None], np.diff(values) / gap, design[-ahead:], walks=True)
