"""Days of the demo's history, numbered from 0, and the clock by which its customers buy.

The clock runs faster on busy days. Rhythms are drawn in clock time and then read off as calendar
days, which gives weekdays and seasons their weight and leaves each customer's rhythm regular.
"""

import numpy as np
import pandas as pd

START, END = np.datetime64("2022-01-01"), np.datetime64("2024-12-31")
DELIVERED = np.datetime64("2025-01-06")
COUNT = int((END - START).astype(int)) + 1
LAST_QUARTER = int((np.datetime64("2024-10-01") - START).astype(int))

WEEKDAY = np.array([1.12, 1.10, 1.08, 1.08, 1.12, 0.70, 0.56])
MONTH = np.array([1.00, 0.93, 1.02, 0.99, 0.99, 1.02, 0.98, 0.98, 1.01, 0.97, 1.03, 1.08])


def _clock() -> np.ndarray:
    """Clock time at the end of each day; one unit is one average day."""
    dates = pd.date_range(START, END)
    weight = WEEKDAY[dates.day_of_week] * MONTH[dates.month - 1]
    return np.cumsum(weight / weight.mean())


CLOCK = _clock()


def day_of(times: np.ndarray) -> np.ndarray:
    """Day number in which each clock time falls."""
    return np.searchsorted(CLOCK, times)


def time_of(day: np.ndarray) -> np.ndarray:
    """Clock time at noon of each day."""
    return CLOCK[day] - np.diff(CLOCK, prepend=0.0)[day] / 2


def iso(day: np.ndarray) -> np.ndarray:
    """Day numbers as ISO text."""
    return (START + np.asarray(day).astype("timedelta64[D]")).astype(str).astype(object)


def spread(rng: np.random.Generator, day: np.ndarray, count: int) -> np.ndarray:
    """Positions of `count` rows spread over the whole history, the last in its last quarter."""
    by_day = np.argsort(day, kind="stable")
    edges = np.linspace(0, len(day), count + 1).astype(int)
    low, high = edges[:-1].copy(), edges[1:]
    low[-1] = max(low[-1], np.searchsorted(day[by_day], LAST_QUARTER))
    return by_day[rng.integers(low, high)]
