"""Are the odds of goals what they say? Stated odds beside how often the target was then reached.

KPIs are simulated whose way of going on is known: walks, levels, trends, with and without a season. The past is shown
to `goals.probability`, the future is kept back; the target lies anywhere near the last value. Of goals given 30 %,
three in ten should be reached. Beside it the simplest odds: past changes drawn again, season and level unknown.
Run: python bench/odds.py [series of each kind]
"""

import datetime as dt
import sys
from collections.abc import Callable, Sequence

import numpy as np

from crmlib.analysis import goals
from crmlib.goals import Goal
from crmlib.period import Period

AHEAD = (1, 2, 4)
LENGTHS = (9, 13, 17)  # quarters of history
NOISE, SEASON = 0.05, np.array([0.15, -0.10, -0.08, 0.03])
BINS = np.array([0.2, 0.4, 0.6, 0.8])


def _autoregressive(noise: np.ndarray) -> np.ndarray:
    path = np.zeros(len(noise))
    for at in range(1, len(noise)):
        path[at] = 0.5 * path[at - 1] + noise[at]
    return path


KINDS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "walk": lambda noise, time: noise.cumsum(),
    "walk with drift": lambda noise, time: (noise + 0.03).cumsum(),
    "level": lambda noise, time: noise,
    "trend": lambda noise, time: 0.03 * time + noise,
    "season": lambda noise, time: SEASON[time % 4] + noise,
    "season and trend": lambda noise, time: SEASON[time % 4] + 0.02 * time + noise,
    "season and walk": lambda noise, time: SEASON[time % 4] + noise.cumsum(),
    "halfway back to its level": lambda noise, time: _autoregressive(noise),
}


def quarters(many: int) -> list[Period]:
    """So many quarters, the first of 2015 being the first."""
    return [Period.parse(f"{2015 + n // 4}-Q{n % 4 + 1}") for n in range(many)]


def simulated(kind: str, length: int, chance: np.random.Generator) -> tuple[list[float], np.ndarray]:
    """A past of this length, and the four values that follow it."""
    many = length + max(AHEAD)
    values = 100 * np.exp(KINDS[kind](chance.normal(0, NOISE, many), np.arange(many)))
    return values[:length].tolist(), values[length:]


def ours(past: Sequence[float], target: float, ahead: int, *, gone: int = 0) -> float:
    """The odds as a report states them; of a total so many of whose quarters are gone, or of a value."""
    spans = quarters(len(past) + ahead)
    kpi, start = ("sales.identified", spans[len(past) - gone].start) if gone else ("orders.mean", None)
    goal = Goal(name="g", kpi=kpi, target=target, by=spans[-1].as_of, start=start)
    known = [(one.start, one.as_of, value) for one, value in zip(spans, past, strict=False)]
    return goals.probability(goal, {goal.kpi: known}, as_of=known[-1][1])


def drawn_again(past: Sequence[float], target: float, ahead: int) -> float:
    """Changes of the past, drawn again from the last value on."""
    steps = np.diff(np.log(past))
    drawn = np.random.default_rng(0).choice(steps, (2000, ahead)).sum(axis=1)
    unsure = 1 / (len(past) + 1)
    return float(np.clip((past[-1] * np.exp(drawn) >= target).mean(), unsure, 1 - unsure))


def measured(kind: str, length: int, series: int, seed: int = 1) -> dict[str, np.ndarray]:
    """Stated odds and what came (1 reached, 0 not), a row each, by method."""
    chance = np.random.default_rng(seed)
    rows: dict[str, list[tuple[float, bool]]] = {
        "ours": [],
        "ours, of a total": [],
        "changes drawn again": [],
    }
    for _ in range(series):
        past, later = simulated(kind, length, chance)
        for ahead in AHEAD:
            target = past[-1] * np.exp(chance.normal(0, 0.1))
            came = later[ahead - 1] >= target
            rows["ours"].append((ours(past, target, ahead), came))
            rows["changes drawn again"].append((drawn_again(past, target, ahead), came))
        # A year's total, half of it gone.
        total = sum(past[-2:]) + 2 * past[-1] * np.exp(chance.normal(0, 0.1))
        came = sum(past[-2:]) + later[:2].sum() >= total
        rows["ours, of a total"].append((ours(past, total, 2, gone=2), came))
    return {method: np.array(pairs, float) for method, pairs in rows.items()}


def calibration(rows: np.ndarray) -> tuple[float, float, list[tuple[float, float, int]]]:
    """Brier score, mean distance of stated from realised, and stated, realised, goals of each fifth.

    >>> brier, apart, fifths = calibration(np.array([[0.9, 1], [0.9, 1], [0.9, 0], [0.1, 0]]))
    >>> round(brier, 2), round(apart, 2), len(fifths)
    (0.21, 0.2, 2)
    """
    stated, came = rows.T
    bins = np.digitize(stated, BINS)
    fifths = [
        (float(stated[bins == n].mean()), float(came[bins == n].mean()), int((bins == n).sum()))
        for n in sorted(set(bins))
    ]
    apart = sum(many * abs(said - real) for said, real, many in fifths) / len(rows)
    return float(((stated - came) ** 2).mean()), apart, fifths


def main(series: int) -> None:
    """The table, by kind and length of the past, and over all kinds."""
    start = dt.datetime.now()
    print(f"{'past':>4} {'goes on as a':26} {'odds':20} {'Brier':>6} {'apart':>6}  stated/reached by fifths")
    for length in LENGTHS:
        every: dict[str, list[np.ndarray]] = {}
        for kind in [*KINDS, "all"]:
            found = (
                measured(kind, length, series)
                if kind != "all"
                else {method: np.concatenate(parts) for method, parts in every.items()}
            )
            for method, rows in found.items():
                every.setdefault(method, []).append(rows)
                brier, apart, fifths = calibration(rows)
                told = " ".join(f"{said:.2f}/{real:.2f}" for said, real, _ in fifths)
                print(f"{length:4} {kind:26} {method:20} {brier:6.3f} {apart:6.3f}  {told}", flush=True)
    print(f"{(dt.datetime.now() - start).seconds} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
