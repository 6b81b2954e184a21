"""Did it work? A KPI after something was done, held against where its own past would have led (K06).

A plain before and after calls every season and every trend an effect. Here the periods before are carried on as
goals' odds are (`crmlib.analysis.odds`), about a level or a trend, with the season or as a walk, and what came is an
effect only where it lies outside nine tenths of where they lead. What else happened at the time is not told apart.
"""

import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from crmlib.analysis import odds
from crmlib.analysis.goals import CHANGES, History
from crmlib.goals import Undertaking
from crmlib.measures import measure

LEVEL = 0.9
COLUMNS = [
    *("undertaking", "kpi", "began_on", "periods_since", "value", "expected", "expected_low"),
    *("expected_high", "outcome", "unit"),
]
UNITS = {"kpi": "measure", "began_on": "date", "periods_since": "count", "outcome": "word"}
UNITS |= dict.fromkeys(("value", "expected", "expected_low", "expected_high"), "row")


def effects(undertakings: Mapping[str, Undertaking], history: History, *, seed: int = 0) -> pd.DataFrame:
    """Each undertaking by its KPI's newest period.

    Parameters
    ----------
    undertakings : as in `client.yml`
    history : KPI → (first day, last day, value in main units) of its periods, oldest first

    Returns
    -------
    undertaking (its name), kpi, began_on, periods_since (whole ones after that day), value (of the newest), expected (the
    middle of where the periods before would have led by then), expected_low, expected_high (90 %), outcome (better, worse,
    within_chance; too_early without a whole period since, history_too_short before, not_computed), unit
    """
    rows = [_told(one, history.get(one.kpi, ()), seed) for one in undertakings.values()]
    return pd.DataFrame(rows, columns=COLUMNS)


def _told(one: Undertaking, periods: Sequence[odds.Period], seed: int) -> tuple:
    before = [period for period in periods if period[1] < one.day]
    # The period in which it was begun belongs to neither side.
    since = [period for period in periods if period[0] >= one.day]
    head = (one.name, one.kpi, one.day, len(since))
    unit = measure(one.kpi).unit
    why = (
        ("not_computed" if not periods else None)
        or ("too_early" if not since else None)
        or ("history_too_short" if len(before) <= CHANGES else None)
    )
    if why:
        newest = float(since[-1][2]) if since else None
        return (*head, newest, None, None, None, why, unit)
    value, ends = float(since[-1][2]), _led_to(before, since[-1][0], seed)
    low, middle, high = np.quantile(ends, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2])
    better = value > high if one.direction == "up" else value < low
    worse = value < low if one.direction == "up" else value > high
    word = "better" if better else "worse" if worse else "within_chance"
    return (*head, value, float(middle), float(low), float(high), word, unit)


def _led_to(before: Sequence[odds.Period], day: dt.date, seed: int) -> np.ndarray:
    """Values of the period that begins on a day, drawn from where the periods before lead."""
    ahead = round((day - before[-1][0]).days / odds.length(before))
    return odds.onward(before, ahead=max(ahead, 1), seed=seed)[:, -1]


def counted(table: pd.DataFrame) -> dict:
    """Undertakings in all, told (of which an effect can be judged), better and worse (by name)."""
    told = table[table["outcome"].isin(["better", "worse", "within_chance"])]
    named = {way: told.loc[told["outcome"] == way, "undertaking"].tolist() for way in ("better", "worse")}
    return {"undertakings": len(table), "told": len(told)} | named
