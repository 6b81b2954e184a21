"""What changed and why: a measure's change split into parts that close exactly.

A measure is a total (sales) or a ratio of two totals (mean satisfaction, retention, success rate, cost of
a new customer). Its units are customers, or whatever it counts, each in one group. Of the change between
two periods

- *new* is what units brought that had no weight before, *lost* what units took with them that have none now,
- of the units with weight in both, *mix* is that weight moved between groups of different rates, *rate* that
  rates within groups changed, and of a total *volume* that the weight as a whole changed.

Effects are taken at the mean of both periods, so that none depends on which period is called the base
(Bennet's indicator: the exact counterpart of Laspeyres' and Paasche's, without a joint term). All arithmetic
is in fractions; money is brought to whole units by largest remainders. The parts therefore close to the
change itself: what is left over is not small but zero.
"""

from fractions import Fraction

import numpy as np
import pandas as pd

from crmlib.analysis import intervals
from crmlib.errors import SchemaError

PARTS = ("volume", "mix", "rate", "new", "lost")
NOBODY = Fraction(0)


def fractions(before: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame | None:
    """`ratio` before it is brought to floats: every cell the exact fraction, closing to zero."""
    sums = _sums(before, now)
    v0, v1, w0, w1 = (_all(sums, c) for c in ("v0", "v1", "w0", "w1"))
    if w0 <= 0 or w1 <= 0:
        return None
    lost, new = (tuple(_all(sums, f"{c}_{fate}") for c in "vw") for fate in ("lost", "new"))
    stay0, stay1 = (v0 - lost[0], w0 - lost[1]), (v1 - new[0], w1 - new[1])
    # Where nobody stayed, newcomers and leavers are both held against the middle between the periods.
    middle = (Fraction(v0, w0) + Fraction(v1, w1)) / 2
    k0, k1 = (Fraction(v, w) if w else middle for v, w in (stay0, stay1))
    rows = []
    for row in sums.itertuples(index=False):
        mix, rate = _of_those_who_stay(row, stay0[1], stay1[1], (k0 + k1) / 2)
        came = (int(row.v_new) - k1 * int(row.w_new)) / w1
        went = -(int(row.v_lost) - k0 * int(row.w_lost)) / w0
        rows.append((row.group, mix, rate, came, went))
    return _closed(_table(rows, ("mix", "rate", "new", "lost")), Fraction(v1, w1) - Fraction(v0, w0))


def ratio(before: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame | None:
    """The change of Σ value ÷ Σ weight, by group and part.

    Parameters
    ----------
    before, now : unit, group, value and weight (whole numbers); a row per unit and group. Who has weight in
        both periods has stayed, or what the column `stays` says, of rows with weight

    Returns
    -------
    group, mix, rate, new, lost, change (their sum), the largest change first, as floats of exact fractions;
    None where either period has no weight, and so no ratio.

    >>> before = pd.DataFrame({"unit": ["a", "b"], "group": ["x", "y"], "value": [1, 0], "weight": [1, 1]})
    >>> now = pd.DataFrame({"unit": ["a", "b", "c"], "group": ["x", "y", "y"], "value": [1, 1, 0], "weight": 1})
    >>> ratio(before, now)[["group", "rate", "new"]].round(4).values.tolist()
    [['y', 0.5, -0.3333], ['x', 0.0, 0.0]]
    """
    found = fractions(before, now)
    return None if found is None else found.astype(dict.fromkeys(found.columns[1:], float))


def per_head(before: pd.DataFrame, now: pd.DataFrame, *, heads: tuple[int, int]) -> pd.DataFrame | None:
    """The change of Σ value ÷ heads, where the heads belong to all groups together.

    So it is with the cost of winning a customer where nobody knows which channel won whom.

    Parameters
    ----------
    before, now : group, value (whole numbers); a row per group
    heads : of both periods

    Returns
    -------
    group, volume (as many heads more or fewer share what was spent), rate (more or less spent by groups of
    both periods), new and lost (groups that spent in one alone), change; exact fractions. None without heads.

    >>> before, now = (pd.DataFrame({"group": ["x"], "value": [spent]}) for spent in (100, 150))
    >>> per_head(before, now, heads=(10, 15)).iloc[0, 1:].map(float).round(4).tolist()
    [-4.1667, 4.1667, 0.0, 0.0, 0.0]
    """
    if min(heads) <= 0:
        return None
    sums = [part.groupby("group")["value"].sum() for part in (before, now)]
    then, today = (Fraction(1, n) for n in heads)
    rows = []
    for group in sums[0].index.union(sums[1].index):
        v0, v1 = (int(part.get(group, 0)) for part in sums)
        spent = (v1 - v0) * (then + today) / 2
        fate = [spent if is_it else NOBODY for is_it in (v0 and v1, v1 and not v0, v0 and not v1)]
        rows.append((group, (today - then) * Fraction(v0 + v1, 2), *fate))
    whole = int(sums[1].sum()) * today - int(sums[0].sum()) * then
    return _closed(_table(rows, ("volume", "rate", "new", "lost")), whole)


def total(before: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """The change of Σ value, by group and part, in whole units of the value.

    Parameters
    ----------
    before, now : unit, group, value (money in the smallest unit), weight (what it is paid for: orders or
        pieces; not below 0); a row per unit and group. A unit with a row in both periods has stayed, or what
        the column `stays` says, of rows with weight.

    Returns
    -------
    group, volume, mix, rate, new, lost, change; whole numbers whose sum is the change to the last unit.

    >>> before = pd.DataFrame({"unit": ["a", "b"], "group": "x", "value": [100, 50], "weight": [2, 1]})
    >>> now = pd.DataFrame({"unit": ["a", "c"], "group": "x", "value": [240, 30], "weight": [4, 1]})
    >>> total(before, now)[["volume", "mix", "rate", "new", "lost", "change"]].values.tolist()
    [[110, 0, 30, 30, -50, 120]]
    """
    stayed = set(before["unit"]) & set(now["unit"])
    sums = _sums(before, now, stayed)
    w0, w1 = (_all(sums, c) - _all(sums, f"{c[0]}_{fate}") for c, fate in (("w0", "lost"), ("w1", "new")))
    v0, v1 = (_all(sums, c) - _all(sums, f"{c[0]}_{fate}") for c, fate in (("v0", "lost"), ("v1", "new")))
    known = [Fraction(v, w) for v, w in ((v0, w0), (v1, w1)) if w]
    middle = sum(known, NOBODY) / max(len(known), 1)
    rows = []
    for row in sums.itertuples(index=False):
        mix, rate, volume = _of_total(row, w0, w1, middle)
        rows.append((row.group, volume, mix, rate, Fraction(int(row.v_new)), -Fraction(int(row.v_lost))))
    found = _whole(_table(rows, PARTS))
    return _closed(found, _all(sums, "v1") - _all(sums, "v0")).astype(
        dict.fromkeys(found.columns[1:], "int64")
    )


def stays(before: pd.DataFrame, now: pd.DataFrame, stayed: set | None = None) -> list[pd.Series]:
    """Which rows of both periods are of units that stayed: `stayed`, else as their column says, else by weight."""
    sides = (before, now)
    if "stays" in before.columns:
        stay = [part["stays"].astype(bool) & (part["weight"] > 0) for part in sides]
        # A side without anyone who stayed has no rate to hold the other side's against: then nobody has.
        return [part & all(side.any() for side in stay) for part in stay]
    if stayed is None:
        stayed = set.intersection(*(set(part.loc[part["weight"] > 0, "unit"]) for part in sides))
    return [part["unit"].isin(stayed) for part in sides]


def _sums(before: pd.DataFrame, now: pd.DataFrame, stayed: set | None = None) -> pd.DataFrame:
    """Values and weights by group: of everyone before and now, of those who left, of those who came."""
    sides, held = (before, now), stays(before, now, stayed)
    codes, groups = pd.factorize(pd.concat([side["group"] for side in sides]), sort=True)
    at = np.split(codes, [len(before)])
    sums = {"group": groups}
    for rows, stay, code, nth, fate in zip(sides, held, at, "01", ("lost", "new"), strict=True):
        for column in ("value", "weight"):
            whole = rows[column].to_numpy("int64")
            for name, part in ((nth, whole), (f"_{fate}", np.where(stay, 0, whole))):
                # Whole numbers stay whole: a group that only one period has is 0 in the other.
                summed = np.zeros(len(groups), "int64")
                np.add.at(summed, code, part)
                sums[f"{column[0]}{name}"] = summed
    return pd.DataFrame(sums)


def _all(sums: pd.DataFrame, column: str) -> int:
    return int(sums[column].sum())


def _rates(row) -> tuple[int, int, Fraction, Fraction]:
    """Of a group's units that stayed: weight and rate before and now; a rate it lacks is that of the other."""
    w0, w1 = int(row.w0 - row.w_lost), int(row.w1 - row.w_new)
    v0, v1 = int(row.v0 - row.v_lost), int(row.v1 - row.v_new)
    if not w0 and not w1:
        return 0, 0, NOBODY, NOBODY
    r0 = Fraction(v0, w0) if w0 else Fraction(v1, w1)
    return w0, w1, r0, Fraction(v1, w1) if w1 else r0


def _of_those_who_stay(row, all0: int, all1: int, middle: Fraction) -> tuple[Fraction, Fraction]:
    """A group's part in mix and rate of a ratio among the units that stayed."""
    w0, w1, r0, r1 = _rates(row)
    s0, s1 = Fraction(w0, all0 or 1), Fraction(w1, all1 or 1)
    # A group adds to the mix by how far its rate lies from that of all: shares move between groups.
    return (s1 - s0) * ((r0 + r1) / 2 - middle), (r1 - r0) * (s0 + s1) / 2


def _of_total(row, all0: int, all1: int, middle: Fraction) -> tuple[Fraction, Fraction, Fraction]:
    """A group's part in mix, rate and volume of a total among the units that stayed."""
    w0, w1, r0, r1 = _rates(row)
    if not all0 or not all1:  # nothing was paid for in one of the periods: there is no rate to hold apart
        return NOBODY, Fraction(int(row.v1 - row.v_new) - int(row.v0 - row.v_lost)), NOBODY
    mean_weight, s0, s1 = Fraction(all0 + all1, 2), Fraction(w0, all0), Fraction(w1, all1)
    mix = mean_weight * (s1 - s0) * ((r0 + r1) / 2 - middle)
    rate = mean_weight * (r1 - r0) * (s0 + s1) / 2
    # What a group has without any weight (a return on no order) is neither price nor volume of anything.
    bare = sum(
        Fraction(int(v - v_fate)) * sign
        for v, v_fate, w, sign in ((row.v1, row.v_new, w1, 1), (row.v0, row.v_lost, w0, -1))
        if not w
    )
    volume = (all1 - all0) * (s0 * r0 + s1 * r1) / 2
    return mix, rate + bare, volume


def _table(rows: list[tuple], parts: tuple[str, ...]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["group", *parts], dtype=object)
    table["change"] = [sum(row[1:], NOBODY) for row in rows]
    size = table["change"].map(abs)
    order = sorted(range(len(table)), key=lambda at: (-size[at], str(table["group"][at])))
    return table.iloc[order].reset_index(drop=True)


def _whole(table: pd.DataFrame) -> pd.DataFrame:
    """Fractions as whole numbers with the same sum: each rounded down, the rest to the largest remainders."""
    parts = [c for c in table.columns if c not in ("group", "change")]
    cells = [(at, c, table.at[at, c]) for at in table.index for c in parts]
    floors = [(at, c, value // 1, value - value // 1) for at, c, value in cells]
    short = int(sum((rest for *_, rest in floors), NOBODY))
    ranked = sorted(floors, key=lambda cell: -cell[3])
    whole = table.copy()
    for nth, (at, c, floor, _) in enumerate(ranked):
        whole.at[at, c] = int(floor) + (nth < short)
    whole["change"] = [int(sum(row)) for row in whole[parts].itertuples(index=False)]
    return whole


def _closed(table: pd.DataFrame, change: Fraction | int) -> pd.DataFrame:
    """The table, if its parts are the change to the last unit; `SchemaError` if not."""
    residual = change - sum(table["change"], NOBODY)
    if residual:
        raise SchemaError(f"The parts of a change do not close: {residual} of {change} is left over.")
    return table


def beyond_chance(before: pd.DataFrame, now: pd.DataFrame) -> dict:
    """The change of identified sales between two periods, and whether it is larger than chance alone makes it.

    Customers are taken as independent of each other; what one of them bought in both periods may hang together
    in any way (`intervals.change_of_total`). Season, prices and the firm's own doings are not chance: they are
    what a change beyond it may come from.

    Parameters
    ----------
    before, now : `classification.facts.activity` of both periods

    Returns
    -------
    moved, money (its size), low, high (of the change, smallest unit), beyond (None where too few customers
    changed what they buy), n (customers who did)
    """
    found = intervals.change_of_total(*(part.set_index("customer_id")["gross"] for part in (now, before)))
    bounds = {"low": found.get("low"), "high": found.get("high")}
    moved = int(now["gross"].sum()) - int(before["gross"].sum())
    return {"moved": moved, "money": abs(moved), "beyond": intervals.told(found), "n": found["n"]} | bounds
