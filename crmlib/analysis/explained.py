"""A measure's change as it is told: its parts as figures, as steps of a waterfall, and by group."""

from dataclasses import dataclass, field, replace
from fractions import Fraction

import pandas as pd

from crmlib.analysis import chance, change
from crmlib.analysis.tally import ATTRIBUTES, Tally
from crmlib.language.words import WORDS
from crmlib.measures import measure

# How a change and a measure of each unit are written in tables.
WRITTEN = {"share": ("points", "share"), "score": ("shift", "score"), "money": ("money", "money")}


@dataclass(frozen=True)
class Explained:
    """A change and its parts.

    Parameters
    ----------
    tally : what it was split from
    by : the attribute whose groups the mix is of
    parts : group, a column a part, change; whole units of money of a total, exact fractions of a ratio
    intervals : part → low, high; none where the measure is counted whole
    why : why there is nothing to tell
    """

    tally: Tally
    by: str
    parts: pd.DataFrame
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    why: str | None = None

    @property
    def id(self) -> str:
        """Of the measure."""
        return self.tally.id

    @property
    def name(self) -> str:
        """What the measure is called: a word, or a text of the catalogue."""
        aspect = self.id.replace(".", "_")
        named = aspect.startswith("satisfaction_") and aspect in WORDS
        return aspect if named else measure(f"change.{self.id}.residual").label.split(": ")[0]

    @property
    def unit(self) -> str:
        """Of the measure: money, share or score."""
        return measure(f"change.{self.id}.residual").unit

    @property
    def n(self) -> int:
        """Units of either period, of each once."""
        if self.tally.heads is not None:
            return sum(self.tally.heads)
        return len(set().union(*(side["unit"] for side in self.tally.sides)))

    @property
    def sums(self) -> dict[str, int | Fraction]:
        """Each part over all groups, exactly, in the order of the waterfall."""
        kept = [part for part in self.tally.parts if part not in self.tally.untold]
        return {part: sum(self.parts[part].tolist(), 0) for part in kept}

    @property
    def units(self) -> dict[str, str]:
        """Column → unit, of the tables that `steps` and `grouped` return."""
        moved, level = WRITTEN[self.unit]
        words = dict.fromkeys([*self.tally.parts.values(), "moved"], moved)
        words |= dict.fromkeys(("moved_low", "moved_high"), moved)
        return words | {"aspect": "word", "so_far": level, "then": level, "today": level}


def explained(tally: Tally, by: str) -> Explained:
    """The change of a tally's measure in parts that close exactly, its mix being of the groups of `by`.

    Where nobody knows that attribute the first one known stands in for it. What cannot be told apart is left
    untold: a shift where all are of one kind, what those did who stayed where nobody has.
    """
    none = pd.DataFrame(columns=["group", *tally.parts, "change"])
    if tally.why:
        return Explained(tally, by, none, why=tally.why)
    known = [by, *ATTRIBUTES]
    by = next((name for name in known if all(name in side for side in tally.sides)), by)
    before, now = (side.assign(group=side.get(by, "all")) for side in tally.sides)
    if tally.heads is not None:
        parts = change.per_head(before, now, heads=tally.heads)
    elif tally.additive:
        parts = change.total(before, now)
    else:
        parts = change.fractions(before, now)
    if parts is None:
        return Explained(tally, by, none, why=WORDS["untold_no_weight"])
    if "returns" in tally.parts:
        parts = _with_returns(parts, before, now)
    intervals = chance.part_intervals(before, now) if tally.sampled else {}
    told = replace(tally, untold=_untold(tally, before, now) | tally.untold)
    return Explained(told, by, parts, intervals)


def _untold(tally: Tally, before: pd.DataFrame, now: pd.DataFrame) -> dict[str, str]:
    """The parts that nobody can tell apart, and why."""
    if tally.heads is not None:
        return {}
    both = set(before["unit"]) & set(now["unit"]) if tally.additive else None
    if not any(stay.any() for stay in change.stays(before, now, both)):
        return {p: WORDS["untold_nobody_stayed"] for p in tally.parts if p not in ("new", "lost", "returns")}
    if len(set(before["group"]) | set(now["group"])) < 2:
        return {"mix": WORDS["untold_one_kind"]}
    return {}


def _with_returns(parts: pd.DataFrame, before: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Price × volume: what was taken back is a part of its own, by group."""
    back = [side.groupby("group")["returned"].sum() for side in (before, now)]
    moved = back[1].sub(back[0], fill_value=0).astype("int64")
    told = parts.rename(columns={"rate": "price"}).drop(columns="change")
    told = told.assign(returns=told["group"].map(moved).astype("int64"))
    told["change"] = told.drop(columns="group").sum(axis=1)
    order = told["change"].abs().sort_values(ascending=False, kind="stable").index
    return told.loc[order].reset_index(drop=True)


def ends(found: Explained) -> tuple[int | Fraction, int | Fraction]:
    """The measure then and now, exactly; of price × volume with what was taken back."""
    then, now = found.tally.values
    if "returns" in found.tally.parts:
        then, now = (
            v + int(s["returned"].sum()) for v, s in zip((then, now), found.tally.sides, strict=True)
        )
    return then, now


def residual(found: Explained) -> int | Fraction:
    """What the parts leave of the change: exactly 0."""
    then, now = ends(found)
    return now - then - sum(found.sums.values())


def figures(found: Explained) -> dict[str, dict]:
    """Each part by its id, `change.{measure}.{part}`, with its interval where it has one; and the residual."""
    parts = [*found.tally.parts, *(p for p in found.tally.untold if p not in found.tally.parts)]
    if found.why:
        told = {part: {"value": None, "n": 0, "why": found.why} for part in (*parts, "residual")}
    else:
        sums = found.sums | {"residual": residual(found)}
        told = {part: {"value": _plain(value), "n": found.n} for part, value in sums.items()}
        for part in told.keys() & found.intervals.keys():
            told[part] |= dict(zip(("low", "high"), found.intervals[part], strict=True))
        told |= {part: {"value": None, "n": 0, "why": why} for part, why in found.tally.untold.items()}
    return {f"change.{found.id}.{part}": figure for part, figure in told.items()}


def steps(found: Explained, names: tuple[str, str]) -> pd.DataFrame:
    """From the measure then to the measure now.

    Returns
    -------
    part (at both ends the period's name, between them the word of the part), moved (empty at the ends), where
    it has one its interval (moved_low, moved_high), so_far (the measure after it; at the ends the measure
    itself); no rows without a change to tell
    """
    bounds = ["moved_low", "moved_high"] if found.intervals else []
    columns = ["part", "moved", *bounds, "so_far"]
    if found.why:
        return pd.DataFrame(columns=columns)
    so_far, now = ends(found)
    empty = [None] * len(bounds)
    rows = [(names[0], None, *empty, _plain(so_far))]
    for part, moved in found.sums.items():
        so_far += moved
        reach = found.intervals.get(part, (None, None)) if bounds else ()
        rows.append((found.tally.parts[part], _plain(moved), *reach, _plain(so_far)))
    return pd.DataFrame([*rows, (names[1], None, *empty, _plain(now))], columns=columns)


def grouped(found: Explained, most: int = 20) -> pd.DataFrame:
    """The parts of each group: the attribute, a column a part under its word, moved; the largest change first."""
    kept = [part for part in found.tally.parts if part not in found.tally.untold]
    table = found.parts.head(most)[["group", *kept, "change"]]
    told = table.assign(**{c: [_plain(v) for v in table[c]] for c in (*kept, "change")})
    return told.rename(columns=found.tally.parts | {"change": "moved", "group": found.by})


def _plain(value: int | Fraction) -> int | float:
    """An exact number as a figure has it: whole where it is, else the nearest float."""
    return int(value) if value == int(value) else float(value)
