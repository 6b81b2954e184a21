"""When things happen to whom: days and hours that agree with who was a customer by then."""

import numpy as np
import pandas as pd

from . import days

MINUTES = 24 * 60
# The files are of the morning of this day: what was not done by then is not in them.
CUT = int((days.DELIVERED - days.START).astype(int)) * MINUTES


def met(rng: np.random.Generator, lines: pd.DataFrame, count: int, *, later: int = 12) -> pd.DataFrame:
    """Customers and days, drawn from what was sold, some days later: customer, day; in order of day."""
    at = rng.choice(len(lines), size=count, replace=False)
    made = lines[["customer", "day"]].iloc[at].reset_index(drop=True)
    made["day"] = np.minimum(made["day"] + rng.integers(0, later, count), days.COUNT - 1)
    return made.sort_values(["day", "customer"], kind="stable", ignore_index=True)


def office_hours(rng: np.random.Generator, day: np.ndarray) -> np.ndarray:
    """Minutes since the beginning, at an hour between 8:30 and 19:00."""
    return np.asarray(day) * MINUTES + rng.integers(510, 1140, len(day))


def stamp(minutes: np.ndarray) -> list[str]:
    """Minutes as `2024-03-05 09:30`; empty where the files were made before."""
    begin = days.START.astype("datetime64[m]")
    return [
        str(begin + np.timedelta64(int(m), "m")).replace("T", " ") if m < CUT else ""
        for m in np.asarray(minutes)
    ]


def slashed(day: np.ndarray) -> list[str]:
    """Days as `2024/03/05`."""
    return [text.replace("-", "/") for text in days.iso(day)]


def chinese(day: np.ndarray) -> list[str]:
    """Days as `2024年3月5日`."""
    return [f"{int(y)}年{int(m)}月{int(d)}日" for y, m, d in (text.split("-") for text in days.iso(day))]


def quarter(day: np.ndarray) -> np.ndarray:
    """Days as `2024-Q3`."""
    dates = pd.PeriodIndex(pd.to_datetime(days.iso(day)), freq="Q")
    return np.array([f"{p.year}-Q{p.quarter}" for p in dates], dtype=object)
