"""What will be asked for: order lines to come, by product group and customer type (M05).

Every series is foretold by itself and in whole lines, so that groups and the total are sums of what is shown. The
way is chosen on the past: at several days in turn the ways foretell what came next, and the one with the least error,
scaled by that of last year's same season (MASE), is used for all. How often intervals held what came is measured at the
same days, and they are widened where that was too seldom.
Source: Hyndman & Koehler (2006), International Journal of Forecasting 22, 679–688 (MASE); Assimakopoulos & Nikolopoulos
(2000), ibid. 16, 521–530 (Theta).
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import stats

from crmlib.analysis import forecasts
from crmlib.analysis.demanded import Demanded
from crmlib.analysis.forecasts import WAYS
from crmlib.analysis.intervals import LEVEL

ORIGINS = 4  # ends of the past from which each way is tried; each costs two fits a series
ALL = "all"  # of every group, or of every kind
TOLD = [
    "product_group",
    "customer_type",
    "step",
    "lines_expected",
    "lines_expected_low",
    "lines_expected_high",
]
TRIED = ["way", "mase", "forecasts", "chosen"]
COVERED = ["level", "forecasts", "held_share", "widened", "held_after"]
LEVELS = ("each_series", "each_group", "in_all")
NOTHING = pd.DataFrame


@dataclass(frozen=True)
class Demand:
    """What is foretold (`TOLD`), how the ways did (`TRIED`), how often intervals held (`COVERED`), what is left out.

    `refused`: product_group, customer_type, lines and why a series is not estimable. `why` nothing is.
    """

    told: pd.DataFrame = field(default_factory=lambda: NOTHING(columns=TOLD))
    tried: pd.DataFrame = field(default_factory=lambda: NOTHING(columns=TRIED))
    covered: pd.DataFrame = field(default_factory=lambda: NOTHING(columns=COVERED))
    refused: pd.DataFrame = field(
        default_factory=lambda: NOTHING(columns=["product_group", "customer_type", "lines", "why"])
    )
    way: str = ""
    why: str = ""

    def total(self) -> pd.DataFrame:
        """The total alone, step by step."""
        every = (self.told["product_group"] == ALL) & (self.told["customer_type"] == ALL)
        return self.told[every].reset_index(drop=True)


def demand(past: Demanded, *, ahead: int, extra: dict[tuple, int] | None = None) -> Demand:
    """Order lines expected in each step ahead, series by series, group by group, in all.

    Parameters
    ----------
    past : order lines by step, as `demanded.demanded` counts them
    ahead : steps to foretell
    extra : lines to add to a series (product_group, customer_type) over all steps, because customers said so

    Returns
    -------
    A `Demand`. Expected lines are whole; of a sum they are the sum of its parts, exactly. Its interval is not: what
    one series falls short of another may exceed.
    """
    why = {key: forecasts.refusal(values, season=past.season) for key, values in past.series.items()}
    able = {key: values for key, values in past.series.items() if not why[key]}
    refused = [(*key, int(past.series[key].sum()), reason) for key, reason in why.items() if reason]
    left = pd.DataFrame(refused, columns=["product_group", "customer_type", "lines", "why"])
    if not able:
        reason = past.why or (left["why"].mode()[0] if len(left) else "no_order_lines")
        return Demand(refused=left, why=reason)
    trials = _trials(able, past, ahead)
    tried = _scored(trials)
    way = str(tried.loc[tried["chosen"], "way"].iloc[0]) if len(tried) else "combined"
    factors, covered = _covered(trials, way)
    parts = [
        _of(key, values, past, way=way, ahead=ahead, extra=(extra or {}).get(key, 0))
        for key, values in able.items()
    ]
    return Demand(_summed(parts, factors), tried, covered, left, way)


def _of(key, values, past: Demanded, *, way: str, ahead: int, extra: int) -> pd.DataFrame:
    """One series foretold: whole lines and their standard error."""
    told = forecasts.foretold(values, ahead=ahead, season=past.season)
    step = np.arange(1, ahead + 1)
    # Whole lines added step by step, so that their sum is the number given.
    more = np.diff(np.floor(np.arange(ahead + 1) * extra / ahead + 1e-9)).astype(int)
    expected = np.floor(told[way] + 0.5).astype(int) + more
    content = {"product_group": key[0], "customer_type": key[1], "step": step, "lines_expected": expected}
    return pd.DataFrame(content | {"variance": told["error"] ** 2})


def _summed(parts: list[pd.DataFrame], factors: dict[str, float]) -> pd.DataFrame:
    """Series, sums by group, and the total, each with its interval."""
    series = pd.concat(parts, ignore_index=True)
    group = series.groupby(["product_group", "step"], as_index=False)[["lines_expected", "variance"]].sum()
    total = series.groupby("step", as_index=False)[["lines_expected", "variance"]].sum()
    levels = [
        ("in_all", total.assign(product_group=ALL, customer_type=ALL)),
        ("each_group", group.assign(customer_type=ALL)),
        ("each_series", series),
    ]
    whole = pd.concat([rows.assign(factor=factors[level]) for level, rows in levels], ignore_index=True)
    reach = stats.norm.ppf((1 + LEVEL) / 2) * whole["variance"] ** 0.5 * whole["factor"]
    low = (whole["lines_expected"] - reach).clip(lower=0)
    return whole.assign(lines_expected_low=low, lines_expected_high=whole["lines_expected"] + reach)[TOLD]


def _trials(able: dict[tuple, np.ndarray], past: Demanded, ahead: int) -> pd.DataFrame:
    """Every way at every origin: product_group, customer_type, origin, step, came, scale, error, and a column a way.

    An origin leaves a series at least as long as it must be to be foretold at all.
    """
    rows = []
    for (group, kind), values in able.items():
        for back in range(ORIGINS):
            cut = len(values) - ahead - back
            if cut < forecasts.LEAST or forecasts.refusal(values[:cut], season=past.season):
                continue
            told = forecasts.foretold(values[:cut], ahead=ahead, season=past.season)
            scale = forecasts.scale(values[:cut], season=past.season)
            place = {"product_group": group, "customer_type": kind, "origin": back}
            for at in range(ahead):
                ways = {way: told[way][at] for way in WAYS}
                rows.append(
                    place
                    | ways
                    | {"step": at, "came": values[cut + at], "scale": scale, "error": told["error"][at]}
                )
    return pd.DataFrame(rows)


def _scored(trials: pd.DataFrame) -> pd.DataFrame:
    """The mean scaled error of each way over all series, origins and steps; the least is chosen, the simplest of equals."""
    if trials.empty:
        return pd.DataFrame(columns=TRIED)
    mase = [float(((trials[way] - trials["came"]).abs() / trials["scale"]).mean()) for way in WAYS]
    table = pd.DataFrame({"way": WAYS, "mase": mase, "forecasts": len(trials)})
    return table.assign(chosen=table.index == table["mase"].round(6).idxmin())


def _covered(trials: pd.DataFrame, way: str) -> tuple[dict[str, float], pd.DataFrame]:
    """How much wider intervals must be at each level, and how often they held before and after.

    The factor is the 90 % point of how many half-widths what came lay off, never below 1. How often the wider ones
    hold is asked of each origin with the factor of all others.
    """
    if trials.empty:
        return dict.fromkeys(LEVELS, 1.0), pd.DataFrame(columns=COVERED)
    half = stats.norm.ppf((1 + LEVEL) / 2)
    told = trials.assign(strayed=trials[way].round() - trials["came"], variance=trials["error"] ** 2)
    keys = dict(zip(LEVELS, (["product_group", "customer_type"], ["product_group"], []), strict=True))
    factors, rows = {}, []
    for level in LEVELS:
        sums = told.groupby([*keys[level], "origin", "step"], as_index=False)[["strayed", "variance"]].sum()
        off = (sums["strayed"].abs() / (half * sums["variance"] ** 0.5)).to_numpy()
        factors[level] = _factor(off)
        others = [_factor(off[sums["origin"] != origin]) for origin in sums["origin"]]
        rows.append((level, len(off), (off <= 1).mean(), factors[level], (off <= np.array(others)).mean()))
    return factors, pd.DataFrame(rows, columns=COVERED)


def _factor(off: np.ndarray) -> float:
    """The 90 % point of how far values lay off, with one more that lies beyond all seen."""
    if not len(off):
        return 1.0
    place = min(int(np.ceil(LEVEL * (len(off) + 1))), len(off)) - 1
    return max(float(np.sort(off)[place]), 1.0)
