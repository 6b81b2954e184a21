"""One series foretold: last year's same season, exponential smoothing, Theta, and the mean of the three."""

import warnings

import numpy as np
from statsmodels.tools.sm_exceptions import ConvergenceWarning
from statsmodels.tsa.exponential_smoothing.ets import ETSModel
from statsmodels.tsa.forecasting.theta import ThetaModel

WAYS = ("seasonal_naive", "ets", "theta", "combined")
LEAST = 12  # steps; of eight points no way says more than their mean
MOST_ZEROS = 0.5


def refusal(values: np.ndarray, *, season: int) -> str:
    """Why a series is not estimable; empty where it is.

    >>> refusal(np.arange(8.0), season=12), refusal(np.full(30, 4.0), season=12)
    ('few_points', 'constant_series')
    >>> refusal(np.array([0.0, 0.0, 3.0] * 10), season=12), refusal(np.arange(30.0), season=12)
    ('mostly_nothing', '')
    """
    if len(values) < LEAST:
        return "few_points"
    if np.ptp(values) == 0:
        return "constant_series"
    if (values == 0).mean() > MOST_ZEROS:
        return "mostly_nothing"  # demand that comes in fits and starts has no season and no level to smooth
    return ""


def cycle(values: np.ndarray, *, season: int) -> int:
    """The steps of a year where two of them are known, else 1: no season.

    >>> cycle(np.zeros(24), season=12), cycle(np.zeros(23), season=12)
    (12, 1)
    """
    return season if len(values) >= 2 * season else 1


def scale(values: np.ndarray, *, season: int) -> float:
    """The mean error of last year's same season (or the last value) inside the series; 1 where it never errs."""
    lag = cycle(values, season=season)
    return float(np.abs(values[lag:] - values[:-lag]).mean()) or 1.0


def foretold(values: np.ndarray, *, ahead: int, season: int) -> dict[str, np.ndarray]:
    """What each way says of the next steps, never below 0, and `error`, the standard error of a step.

    >>> told = foretold(np.tile([10.0, 20, 30, 40], 6), ahead=2, season=4)
    >>> told["seasonal_naive"].tolist(), np.round(told["combined"], 1).tolist()
    ([10.0, 20.0], [10.0, 20.0])
    """
    lag = cycle(values, season=season)
    naive = values[len(values) - lag + np.arange(ahead) % lag].astype(float)
    if lag > 1 and (values[lag:] == values[:-lag]).all():
        # A season that repeats to the last digit leaves the fits no error to go by: they divide by nothing.
        return dict.fromkeys(WAYS, naive) | {"error": np.zeros(ahead)}
    smoothed, error = _ets(values.astype(float), ahead, lag)
    told = {"seasonal_naive": naive, "ets": smoothed, "theta": _theta(values.astype(float), ahead, lag)}
    told = {way: np.maximum(path, 0) for way, path in told.items()}
    return told | {"combined": np.mean(list(told.values()), axis=0), "error": error}


def _ets(values: np.ndarray, ahead: int, lag: int) -> tuple[np.ndarray, np.ndarray]:
    """Exponential smoothing with additive error and season, with a damped trend where that is likelier (AICc)."""
    best = None
    for trend in (None, "add"):
        model = ETSModel(
            values,
            error="add",
            trend=trend,
            damped_trend=trend is not None,
            seasonal="add" if lag > 1 else None,
            seasonal_periods=lag if lag > 1 else None,
            initialization_method="heuristic",
        )
        with warnings.catch_warnings():  # where it stops short it is judged by its errors like any other
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted = model.fit(disp=False)
        if best is None or fitted.aicc < best.aicc:
            best = fitted
    path = np.asarray(best.forecast(ahead), dtype=float)
    # What the fit has learnt by heart is no certainty: each parameter takes one residual.
    free = max(len(values) - 2 - (lag if lag > 1 else 0), 2)
    spread = np.sqrt(float((np.asarray(best.resid) ** 2).sum()) / free)
    # Counts stray with the root of what is expected, so in season by more; and further on by more.
    rises = np.sqrt(np.maximum(path, 0.5) / max(values.mean(), 0.5))
    return path, spread * rises * np.sqrt(1 + np.arange(ahead) * float(best.smoothing_level) ** 2)


def _theta(values: np.ndarray, ahead: int, lag: int) -> np.ndarray:
    model = ThetaModel(values, period=lag, deseasonalize=lag > 1, method="additive")
    return np.asarray(model.fit().forecast(ahead), dtype=float)
