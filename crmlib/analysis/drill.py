"""Which segment a change comes from: the one that moved apart from all others, if any did by more than chance.

Every group of every attribute on hand is held against all others together: of a ratio, how far its rate
moved beyond theirs; of a total, how far its sum lies from what it would be, had it grown as theirs. What
counts is the distance in standard errors, so that a small segment needs a large move and a large one a
small move. The segment is named only where so large a distance is rarer than 5 % among all groups that were
tried together (Bonferroni): among a hundred groups one would always seem to have moved. Within it the other
attributes are tried in the same way, once.

Attributes are of customers or lines themselves. A class made of what the measure counts (a tier by spend, a
behaviour by silence) would find itself: who spent most then spends less now in any two periods.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from crmlib.analysis import chance, change
from crmlib.analysis.intervals import ENOUGH
from crmlib.analysis.tally import UNKNOWN, Tally
from crmlib.language.words import WORDS

FAMILY = 0.05  # how often anything at all is named where nothing moved apart
MOST_GROUPS = 40  # an attribute of more is a list of names, not a kind of customer
MATTER = "aspect"  # what answers are about
NOT_ATTRIBUTES = {"unit", "value", "weight", "stays", "returned", "group"}
COLUMNS = ["attribute", "group", "n_then", "n", "then", "today", "rest_then", "rest_today", "apart", "odds"]


@dataclass(frozen=True)
class Level:
    """One step down: what was tried, and the segment found.

    Parameters
    ----------
    tried : as `segments` returns it, of every attribute, the farthest apart first
    found : attribute and group of the segment; None where none moved apart by more than chance
    within : attribute and group of which the segment is a part, where that alone did not move apart
    """

    tried: pd.DataFrame
    found: tuple[str, str] | None
    within: tuple[str, str] | None = None


@dataclass(frozen=True)
class Drilled:
    """The way down to the segment that carries a change, one level or two; `why` there is nothing to drill."""

    levels: tuple[Level, ...]
    tried: int = 0
    why: str | None = None

    @property
    def found(self) -> list[Level]:
        """The levels at which a segment moved apart."""
        return [level for level in self.levels if level.found]

    @property
    def path(self) -> list[tuple[str, str]]:
        """Attribute and group, from the whole down to the segment."""
        steps = [step for level in self.found for step in (level.within, level.found)]
        return [step for step in steps if step]


def drill(tally: Tally) -> Drilled:
    """The segment that moved apart from all others, and within it the next.

    Answers on several matters are tried matter by matter, too, where no segment of all together moved apart.
    """
    if tally.why:
        return Drilled((), why=tally.why)
    sides = tally.cells or tally.sides
    attributes = [c for c in sides[0].columns if c not in NOT_ATTRIBUTES and c in sides[1].columns]
    if not attributes or tally.heads is not None:
        return Drilled((), why=WORDS["untold_no_attribute"])
    matters = sorted(set(sides[0][MATTER]) & set(sides[1][MATTER])) if MATTER in attributes else []
    # Where there are two ways to be found, each has half of what chance is allowed.
    allowed = FAMILY / 2 if len(matters) > 1 else FAMILY
    first = _level(sides, attributes, additive=tally.additive, allowed=allowed)
    if first.found is not None:
        attribute, group = first.found
        within = tuple(side[side[attribute] == group] for side in sides)
        rest = [name for name in attributes if name != attribute]
        second = _level(within, rest, additive=tally.additive, allowed=FAMILY)
        return Drilled((first, second), len(first.tried))
    if len(matters) < 2:
        return Drilled((first,), len(first.tried))
    rest = [name for name in attributes if name != MATTER]
    parts = {m: tuple(side[side[MATTER] == m] for side in sides) for m in matters}
    by_matter = {m: _level(part, rest, additive=False, allowed=allowed) for m, part in parts.items()}
    many = sum(len(level.tried) for level in by_matter.values())
    matter = min(matters, key=lambda m: by_matter[m].tried["odds"].min() if len(by_matter[m].tried) else 2)
    tried = by_matter[matter].tried
    found = _sure(tried, many, allowed)
    return Drilled((first, Level(tried, found, (MATTER, matter))), len(first.tried) + many)


def _level(sides: tuple, attributes: list[str], *, additive: bool, allowed: float) -> Level:
    """Every segment of these rows, the farthest apart first, and that one where it lies beyond chance."""
    tried = [segments(*sides, attribute, additive=additive) for attribute in attributes]
    known = [part for part in tried if len(part)]
    table = pd.concat(known, ignore_index=True) if known else pd.DataFrame(columns=COLUMNS)
    # Of two groups alike, as a type and the product only it buys, the attribute named first is taken.
    far = table.sort_values("odds", key=_size, kind="stable", ignore_index=True)
    return Level(far, _sure(far, len(far), allowed))


def _sure(tried: pd.DataFrame, many: int, allowed: float) -> tuple[str, str] | None:
    if not len(tried) or tried["odds"].iloc[0] * many > allowed:
        return None
    return tried["attribute"].iloc[0], tried["group"].iloc[0]


def segments(
    before: pd.DataFrame, now: pd.DataFrame, attribute: str, *, additive: bool = False
) -> pd.DataFrame:
    """Every group of an attribute held against all others.

    Parameters
    ----------
    before, now : unit, value, weight, the attribute; a unit may have several rows
    additive : the measure is Σ value, else Σ value ÷ Σ weight

    Returns
    -------
    attribute, group, n_then and n (units), then and today (the group's measure), rest_then and rest_today (of
    all others), apart (how far it moved beyond them, in standard errors), odds (of as much by chance, for one
    group looked at alone). Groups and rests of fewer than `ENOUGH` units in a period, the unknown, and
    attributes of more than `MOST_GROUPS` groups are left out.
    """
    sides = [side.assign(group=side[attribute].astype("str")) for side in (before, now)]
    groups = sorted(set().union(*(side["group"] for side in sides)) - {UNKNOWN})
    if not 1 < len(groups) + any((side["group"] == UNKNOWN).any() for side in sides) <= MOST_GROUPS:
        return pd.DataFrame(columns=COLUMNS)
    held = _of_totals(sides) if additive else _of_ratios(sides)
    rows = []
    for group in groups:
        told = held(group)
        if told is not None:
            rows.append((attribute, group, *told))
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_ratios(sides: list[pd.DataFrame]) -> Callable[[str], tuple | None]:
    """A group's rate against that of all others, by the spread of their units."""
    told = []
    for side in sides:
        unit = pd.factorize(side["unit"])[0]
        value, weight = (side[c].to_numpy(float) for c in ("value", "weight"))
        told.append((side["group"].to_numpy(), value, weight, unit, chance.spread(value, weight, unit)))

    def held(group: str) -> tuple | None:
        parts = []
        for of, value, weight, unit, spread in told:
            for which in (of == group, of != group):
                parts.append(chance.rate(value[which], weight[which], unit[which], spread=spread))
        # Here then, the rest then, here now, the rest now.
        units, rates, variances = zip(*parts, strict=True)
        if min(units) < ENOUGH:
            return None
        error = np.sqrt(sum(variances))
        moved = (rates[2] - rates[0]) - (rates[3] - rates[1])
        apart = moved / error if error > 0 else 0.0
        freedom = units[0] + units[2] - 2 + chance.BORROWED
        return units[0], units[2], rates[0], rates[2], rates[1], rates[3], float(apart), _odds(apart, freedom)

    return held


def _of_totals(sides: list[pd.DataFrame]) -> Callable[[str], tuple | None]:
    """A group's sum against what it would be, had it grown as that of all others."""
    everyone = pd.unique(pd.concat([side["unit"] for side in sides]))
    told = []
    for side in sides:
        unit = pd.Index(everyone).get_indexer(side["unit"])
        told.append((side["group"].to_numpy(), side["value"].to_numpy(float), unit))

    def held(group: str) -> tuple | None:
        here, rest = (
            [
                np.bincount(unit[which], value[which], len(everyone))
                for of, value, unit in told
                for which in [(of == group) == inside]
            ]
            for inside in (True, False)
        )
        units = [int((part != 0).sum()) for part in (*here, *rest)]
        if min(units) < ENOUGH or rest[0].sum() <= 0:
            return None
        growth = rest[1].sum() / rest[0].sum()
        strayed, noise = zip(*(_strayed(*part, growth) for part in (here, rest)), strict=True)
        error = np.sqrt(noise[0][0] + (here[0].sum() / rest[0].sum()) ** 2 * noise[1][0])
        apart = strayed[0] / error if error > 0 else 0.0
        sums = [float(part.sum()) for part in (*here, *rest)]
        odds = _odds(apart, min(count for _, count in noise) - 1)
        return *units[:2], *sums, float(apart), odds

    return held


def _strayed(then: np.ndarray, now: np.ndarray, growth: float) -> tuple[float, tuple[float, int]]:
    """How far units lie from a growth, in all; how far chance alone may move that, squared; how many they are."""
    there = (then != 0) | (now != 0)
    each = (now - growth * then)[there]
    n = len(each)
    return float(each.sum()), (float(((each - each.mean()) ** 2).sum() * n / max(n - 1, 1)), n)


def _size(odds: pd.Series) -> pd.Series:
    return np.log10(odds.astype(float).clip(lower=1e-300)).round(3)


def _odds(apart: float, freedom: int) -> float:
    return float(2 * stats.t.sf(abs(apart), freedom))


def shown(tally: Tally, drilled: Drilled) -> pd.DataFrame:
    """The groups of the attribute that holds the segment farthest apart: what a reader looks at.

    Returns
    -------
    the attribute, n (units), then, today, moved (what the group adds to the change of the whole, or of
    the aspect it was found in), strayed (how far it moved beyond all others, in standard errors); the farthest
    first
    """
    columns = ["group", "n", "then", "today", "moved", "strayed"]
    if not drilled.levels or not len(drilled.levels[0].tried):
        return pd.DataFrame(columns=columns)
    level = next((level for level in drilled.levels if level.found), drilled.levels[0])
    attribute = level.tried["attribute"].iloc[0]
    sides = [side.assign(group=side[attribute]) for side in tally.cells or tally.sides]
    if level.within:
        sides = [side[side[level.within[0]] == level.within[1]] for side in sides]
    if tally.additive:
        sums = [side.groupby("group")["value"].sum() for side in sides]
        moved = sums[1].sub(sums[0], fill_value=0).astype("int64")
    else:
        moved = change.ratio(*sides).set_index("group")["change"]
    table = level.tried[level.tried["attribute"] == attribute]
    told = table.assign(moved=table["group"].map(moved), strayed=table["apart"])
    return told[columns].reset_index(drop=True).rename(columns={"group": attribute})
