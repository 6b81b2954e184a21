"""The KPI panel: each measure beside the previous period, the same one a year ago, and its last six periods."""

import math
from collections.abc import Mapping, Sequence

import pandas as pd
from scipy import stats

from crmlib.analysis.history import Past, Told
from crmlib.measures import change, measure

SHOWN = 6  # periods of a sparkline
BLOCKS = "▁▂▃▄▅▆▇█"
ABSENT = "·"
KPIS = (
    *("sales.all", "sales.identified", "sales.returns", "sales.net", "profit.amount", "profit.margin"),
    *("customers.active", "customers.new", "customers.total", "orders.count", "orders.mean"),
    *("retention.rate", "repurchase.rate", "churn.rate", "satisfaction.mean", "nps.score"),
    *("finance.success_rate", "cac.amount"),
)
LESS_IS_BETTER = ("churn.rate", "churn.customers", "cac.amount")
ALWAYS_MORE = ("customers.total",)  # a number so far only grows
LEAST = 0.05  # a total is no estimate, yet moves a little every year: less is not told
UNITS = {"last_year": "row", "change_last_year": "change", "benchmark": "row", "trend": "text", "why": "word"}
WORDS_OF = {"moved": "word", "moved_on_last_year": "word"}


def panel(
    past: Past, ids: Sequence[str] = KPIS, benchmarks: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """Measures with what they are to be held against; money in the smallest unit.

    Parameters
    ----------
    benchmarks : measure → the best competitor's value in main units, as `goals.benchmarked` gives it

    Returns
    -------
    id, unit, value, value_low, value_high (90 %), previous, change, last_year, change_last_year (of shares and
    scores the difference, else relative), benchmark (only where one is known), trend (the last six periods as
    blocks from their lowest to their highest), n, why (only where a measure has no value). A period that the data
    does not cover whole is no period to compare with: empty.
    """
    rows = [_row(past, id) for id in ids if id in past.now.figures]
    columns = ["id", "unit", "value", "value_low", "value_high", "previous", "change", "last_year"]
    table = pd.DataFrame(rows, columns=[*columns, "change_last_year", "trend", "n"])
    missing = table["value"].isna()
    if missing.any():
        whys = [past.now.figures[id].get("why") for id in table["id"]]
        table["why"] = pd.Series(whys, index=table.index, dtype=object).where(missing, None)
    named = set(table["id"])
    known = {id: _smallest(id, rival, past) for id, rival in (benchmarks or {}).items() if id in named}
    if known:
        best = [known.get(id) for id in table["id"]]
        table.insert(len(columns) + 1, "benchmark", pd.Series(best, index=table.index, dtype=object))
    return table


def _row(past: Past, id: str) -> tuple:
    figure, unit = past.now.figures[id], measure(id).unit
    value = figure.get("value")
    others = [_value(told, id) for told in (past.before, past.last_year)]
    changes = [change(unit, value, other) for other in others]
    bounds = (figure.get("low"), figure.get("high"))
    held = (others[0], changes[0], others[1], changes[1])
    return (
        id,
        unit,
        value,
        *bounds,
        *held,
        blocks([_value(told, id) for told in six(past)]),
        figure.get("n"),
    )


def _value(told: Told | None, id: str) -> float | None:
    return None if told is None else told.figure(id).get("value")


def _smallest(id: str, value: float, past: Past) -> float:
    return round(value * 10**past.decimals) if measure(id).unit == "money" else value


def six(past: Past) -> tuple[Told, ...]:
    """The newest six periods, oldest first."""
    return past.periods[-SHOWN:]


def blocks(values: Sequence[float | None]) -> str:
    """Values as blocks, from the lowest to the highest of them; a dot where there is none.

    >>> blocks([1, 2, None, 8]), blocks([3, 3])
    ('▁▂·█', '▄▄')
    """
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, reach = min(known), max(known) - min(known)
    top = len(BLOCKS) - 1
    places = [None if v is None else round((v - low) / reach * top) if reach else 3 for v in values]
    return "".join(ABSENT if place is None else BLOCKS[place] for place in places)


def periods(past: Past, ids: Sequence[str] = KPIS) -> pd.DataFrame:
    """Measures over their last six periods, as `visualisation.panels.sparklines` draws them.

    Returns
    -------
    id, unit, a column a period (its name, oldest first), last_year, value_low, value_high, moved and
    moved_on_last_year (kpi_rose, kpi_fell, kpi_held; empty where there is nothing to compare with); only measures known now or
    before
    """
    rows = []
    for id in ids:
        values = [_value(told, id) for told in six(past)[:-1]] + [past.now.figures.get(id, {}).get("value")]
        others = [_value(told, id) for told in (past.before, past.last_year)]
        now = past.now.figures.get(id, {})
        moved = [_way(values[-1], other) for other in others]
        if any(value is not None for value in values):
            rows.append((id, measure(id).unit, *values, others[1], now.get("low"), now.get("high"), *moved))
    sides = ["last_year", "value_low", "value_high", "moved", "moved_on_last_year"]
    return pd.DataFrame(rows, columns=["id", "unit", *names(past), *sides])


def units(past: Past) -> dict[str, str]:
    """Units of the columns of `periods`."""
    return dict.fromkeys(names(past), "row") | UNITS | WORDS_OF


def _way(value: float | None, other: float | None) -> str | None:
    if value is None or other is None:
        return None
    return "kpi_rose" if value > other else "kpi_fell" if value < other else "kpi_held"


def against(past: Past, ids: Sequence[str] = KPIS) -> dict:
    """What is better and what is worse than a year ago, the largest moves first.

    A measure with an interval counts only beyond chance: further than the 90 % reach of the difference, wide enough
    for all of them together (Bonferroni). So does a number of customers or orders, as a difference of two Poisson
    counts. What is no estimate counts from `LEAST` on.

    Returns
    -------
    last_year (the period's name, or "" where there is none), told (measures known in both), better, worse (as the unit
    `traits` of a sentence takes them), least
    """
    year = past.last_year
    pairs = [
        (id, past.now.figures.get(id, {}), {} if year is None else year.figure(id))
        for id in ids
        if id not in ALWAYS_MORE
    ]
    both = [pair for pair in pairs if pair[1].get("value") is not None and pair[2].get("value") is not None]
    many = sum(now.get("low") is not None or measure(id).unit == "count" for id, now, _ in both)
    better, worse = [], []
    for id, now, then in both:
        way = -1 if id in LESS_IS_BETTER else 1
        size = _size(id, now, then, many)
        if size:
            side = better if (now["value"] - then["value"]) * way > 0 else worse
            side.append((size, _trait(id, now["value"], then["value"], past)))
    sorted_ = [[trait for _, trait in sorted(s, key=lambda m: -m[0])] for s in (better, worse)]
    return {
        "last_year": year_before(past),
        "told": len(both),
        "better": sorted_[0],
        "worse": sorted_[1],
        "least": LEAST,
    }


def _size(id: str, now: Mapping, then: Mapping, many: int) -> float:
    """How far a measure moved, in reaches of chance or in `LEAST`s; 0 where that is not far enough."""
    moved, unit = now["value"] - then["value"], measure(id).unit
    wider = stats.norm.ppf(1 - 0.05 / max(many, 1))
    # Of shares and scores without an interval the difference, of all else the growth.
    size = abs(change(unit, now["value"], then["value"]) or 0) / LEAST
    if now.get("low") is not None and then.get("low") is not None:
        near, far = ("high", "low") if moved < 0 else ("low", "high")
        reach = math.hypot(now[near] - now["value"], then[far] - then["value"]) * wider / stats.norm.ppf(0.95)
        size = abs(moved) / reach if reach else math.inf if moved else 0.0
    elif unit == "count":
        size = min(size, abs(moved) / (math.sqrt(now["value"] + then["value"]) * wider or 1.0))
    return size if size > 1 else 0.0


def _trait(id: str, now: float, then: float, past: Past) -> dict:
    unit = measure(id).unit
    scale = 10**past.decimals if unit == "money" else 1
    return {
        "fact": measure(id).label,
        "word": None,
        "unit": unit,
        "inside": now / scale,
        "others": then / scale,
    }


def names(past: Past) -> list[str]:
    """The newest six periods by their names, oldest first: the columns of `periods`."""
    return [told.span.name for told in six(past)]


def year_before(past: Past) -> str:
    """The name of the same period a year before; empty where there is none."""
    return "" if past.last_year is None else past.last_year.span.name
