"""How far chance alone may move the parts of a change, and a segment away from all others."""

import numpy as np
import pandas as pd
from scipy import stats

from crmlib.analysis import change
from crmlib.analysis.intervals import ENOUGH, LEVEL

RATIO = ("mix", "rate", "new", "lost")
# A segment's spread is a weighted mean of its own and that of all: of ten alike answers nobody may conclude
# that the eleventh will be alike (Smyth 2004, Stat. Appl. Genet. Mol. Biol. 3(1), "moderated t").
BORROWED = 10
NOISE = 1e-12  # of floats


def part_intervals(before: pd.DataFrame, now: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """The 90 % interval of each part of a ratio's change, by leaving out one unit at a time.

    The jackknife knows that a unit of both periods resembles itself. It depends on no order and no dice.
    Source: Efron & Tibshirani (1993), An Introduction to the Bootstrap, ch. 11.

    Parameters
    ----------
    before, now : as `change.ratio` takes them

    Returns
    -------
    part → low, high; `change` is the whole. Nothing where a period has fewer than `ENOUGH` units, or fewer than
    as many stayed (though not nobody): of two who stayed an interval would cover six times in ten. Nor where units
    stand in several groups.
    """
    sides = list(zip((before, now), change.stays(before, now), strict=True))
    stayed = min(part.loc[stay, "unit"].nunique() for part, stay in sides)
    there = min(part.loc[part["weight"] > 0, "unit"].nunique() for part, _ in sides)
    if there < ENOUGH or 0 < stayed < ENOUGH:
        return {}
    alike = _alike(before, now)
    if alike is None:
        return {}
    units, groups = alike["units"].to_numpy(float), pd.factorize(alike["group"])[0]
    columns = {c: alike[c].to_numpy(float) for c in SIDES}
    sums = {c: np.bincount(groups, column * units) for c, column in columns.items()}
    without = {c: np.tile(sums[c], (len(alike), 1)) for c in SIDES}
    for c, column in columns.items():
        without[c][np.arange(len(alike)), groups] -= column
    found, left = _parts(sums), _parts(without)
    n = units.sum()
    bounds = {}
    for part, value in found.items():
        mean = (left[part] * units).sum() / n
        error = np.sqrt((n - 1) / n * ((left[part] - mean) ** 2 * units).sum())
        reach = stats.t.ppf((1 + LEVEL) / 2, (stayed or there) - 1) * error
        # What is the same without any of them, as a shift where nothing shifted, is known to the last digit.
        reach, value = (0.0 if abs(number) < NOISE else number for number in (reach, value))
        if np.isfinite(reach):
            bounds[part] = (float(value - reach), float(value + reach))
    return bounds


SIDES = ("v0", "w0", "v0_alone", "w0_alone", "v1", "w1", "v1_alone", "w1_alone")


def _alike(before: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame | None:
    """Units that are alike in all, and how many: group, `SIDES`, units; None where a unit has several groups."""
    parts = []
    for rows, stay, nth in zip((before, now), change.stays(before, now), "01", strict=True):
        alone = ~stay
        told = {f"{c[0]}{nth}": rows[c] for c in ("value", "weight")}
        told |= {f"{c[0]}{nth}_alone": rows[c].where(alone, 0) for c in ("value", "weight")}
        parts.append(rows[["unit", "group"]].assign(**told).groupby(["unit", "group"]).sum())
    both = pd.concat(parts, axis=1).fillna(0).reset_index()
    if both["unit"].duplicated().any():
        return None
    return both.groupby(["group", *SIDES]).size().reset_index(name="units")


def _parts(sums: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The parts of `change.ratio` in floats, of many tables at once: groups along the last axis."""
    with np.errstate(divide="ignore", invalid="ignore"):
        whole = {c: sums[c].sum(-1) for c in SIDES}
        s0, s1 = ({c: sums[f"{c}{n}"] - sums[f"{c}{n}_alone"] for c in "vw"} for n in "01")
        middle = (whole["v0"] / whole["w0"] + whole["v1"] / whole["w1"]) / 2
        stay = [{c: side[c].sum(-1) for c in "vw"} for side in (s0, s1)]
        k0, k1 = (np.where(side["w"] > 0, side["v"] / side["w"], middle) for side in stay)
        r0, r1 = s0["v"] / s0["w"], s1["v"] / s1["w"]
        r0, r1 = np.where(s0["w"] > 0, r0, r1), np.where(s1["w"] > 0, r1, r0)
        share0, share1 = (
            side["w"] / np.where(all_["w"] > 0, all_["w"], 1)[..., None]
            for side, all_ in zip((s0, s1), stay, strict=True)
        )
        there = (s0["w"] > 0) | (s1["w"] > 0)
        mix = (share1 - share0) * ((r0 + r1) / 2 - ((k0 + k1) / 2)[..., None])
        rate = (r1 - r0) * (share0 + share1) / 2
        found = {
            "mix": np.where(there, mix, 0).sum(-1),
            "rate": np.where(there, rate, 0).sum(-1),
            "new": (whole["v1_alone"] - k1 * whole["w1_alone"]) / whole["w1"],
            "lost": -(whole["v0_alone"] - k0 * whole["w0_alone"]) / whole["w0"],
        }
    return found | {"change": sum(found.values())}


def rate(
    value: np.ndarray, weight: np.ndarray, unit: np.ndarray, *, spread: float
) -> tuple[int, float, float]:
    """Of a segment: units with weight, its rate, and how far chance alone may move that, squared.

    Parameters
    ----------
    value, weight : of its rows; `unit` : whole numbers that say whose they are. Answers of one unit count as
        one (Cochran 1977, §9A)
    spread : of all units about the rate of all, squared; with `BORROWED` units' weight in the segment's own

    >>> units, share, variance = rate(*(np.array(c) for c in ([1, 0], [1, 1], [0, 1])), spread=0.25)
    >>> units, share, round(variance, 6)  # (10 × 0.25 + 0.5) / 11 = 0.272727, twice that ÷ 2²
    (2, 0.5, 0.136364)
    """
    v, w = (np.bincount(unit, side) for side in (value, weight))
    v, w = v[w > 0], w[w > 0]
    if not len(w):
        return 0, float("nan"), float("nan")
    found = v.sum() / w.sum()
    own = ((v - found * w) ** 2).sum()
    per_unit = (BORROWED * spread + own) / (BORROWED + len(w) - 1)
    return len(w), float(found), float(len(w) * per_unit / w.sum() ** 2)


def spread(value: np.ndarray, weight: np.ndarray, unit: np.ndarray) -> float:
    """The spread of all units about the rate of all, squared: what a segment's own is moderated by."""
    v, w = (np.bincount(unit, side) for side in (value, weight))
    v, w = v[w > 0], w[w > 0]
    if len(w) < 2:
        return 0.0
    return float(((v - v.sum() / w.sum() * w) ** 2).sum() / (len(w) - 1))
