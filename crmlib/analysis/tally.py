"""What a measure is made of, unit by unit, in two periods: the tables that a change is split over.

A tally holds, for the period before and for this one, a row per unit (a customer, a respondent, an
application, a channel) with its value and weight in whole numbers, so that the measure is Σ value or
Σ value ÷ Σ weight exactly, and what is known of the unit. Who *stays* is meant differently by each:

- of sales, profit and the mean order, who bought in both periods; of answers, who answered in both;
- of retention, who was a customer before the period he is to come back from. Of the others, who were won
  in it, it is told apart how much they pull the rate: of all who could be lost then and came back, all were
  there then, so that "who was there in both" would tell of nothing but itself;
- of decided applications, products that were decided on in both: hardly anybody applies twice.
"""

from dataclasses import dataclass, field
from fractions import Fraction

import pandas as pd

from crmlib.language.words import WORDS

ATTRIBUTES = ("customer_type", "region", "industry", "scale", "credit_grade")
UNKNOWN = "unknown"
ROW = ["unit", "value", "weight"]


@dataclass(frozen=True)
class Tally:
    """A measure of two periods, unit by unit.

    Parameters
    ----------
    id : of the measure
    before, now : unit, value, weight; stays where who stays is not told by weight in both; attributes
    parts : part → the word of `language.words` for what it means of this measure
    of : what is counted, in the plural; `source` : the table it is taken from
    additive : the measure is Σ value, not Σ value ÷ Σ weight
    sampled : another such period might have come out otherwise by chance, so that parts have intervals
    heads : of both periods, where all groups share them
    cells : the same by attributes of lines (unit, value, weight, attributes), for drilling alone
    untold : part → why it cannot be told
    why : why there is nothing to tell
    """

    id: str
    before: pd.DataFrame
    now: pd.DataFrame
    parts: dict[str, str]
    of: str
    source: str
    additive: bool = False
    sampled: bool = False
    heads: tuple[int, int] | None = None
    cells: tuple[pd.DataFrame, pd.DataFrame] | None = None
    untold: dict[str, str] = field(default_factory=dict)
    why: str | None = None

    @property
    def sides(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Both tables, the earlier one first."""
        return self.before, self.now

    @property
    def values(self) -> tuple[Fraction | None, Fraction | None]:
        """The measure in both periods, exactly; None where there is none."""
        return tuple(map(self._value, self.sides, self.heads or (None, None)))

    def _value(self, rows: pd.DataFrame, heads: int | None) -> Fraction | None:
        weight = int(rows["weight"].sum()) if heads is None else heads
        if self.additive:
            return Fraction(int(rows["value"].sum()))
        return Fraction(int(rows["value"].sum()), weight) if weight > 0 else None


def known(rows: pd.DataFrame, customers: pd.DataFrame) -> pd.DataFrame:
    """The rows with what is known of their customers, as far as it is known of any; rows keep what they have."""
    people = customers.drop_duplicates("customer_id").set_index("customer_id")
    told = {
        name: rows["unit"].map(people[name]).astype(object).fillna(UNKNOWN).astype("str")
        for name in ATTRIBUTES
        if name in people and people[name].notna().any() and name not in rows
    }
    return rows.assign(**told).reset_index(drop=True)


def nothing(id: str, parts: dict[str, str], of: str, source: str) -> Tally:
    """A tally of which there is nothing to tell."""
    empty = pd.DataFrame({"unit": [], "value": [], "weight": []}).astype(
        {"value": "int64", "weight": "int64"}
    )
    return Tally(id, empty, empty, parts, of, source, why=WORDS["untold_not_supplied"])
