"""One customer under several numbers: found by what is known of them, merged only on strong grounds.

Two numbers are merged where their match is at least as likely as `same_person.merge_from` of `client.yml`
*and* they agree in the contact, or in the whole name and two more fields. A likely pair without such
grounds, or one that differs in name, gender, year of birth or branch, is a candidate: listed, never merged.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from crmlib import tables
from crmlib.cleaning import likeness, normal
from crmlib.cleaning.likeness import DIFFERENT, LIKE, NEAR, SAME, closeness
from crmlib.cleaning.outcome import AT_ONCE, Cleaned, stored
from crmlib.collection import values
from crmlib.rules import SamePerson

FIELDS = {
    "name": "name",
    "contact": "id",
    "birth_year": "year",
    "gender": "word",
    "city": "place",
    "industry": "word",
    "customer_type": "word",
}
BLOCKS = [
    *(("contact",), ("name",), ("name", "city"), ("name", "birth_year")),
    *(("initial", "birth_year", "city"), ("initial", "industry", "city")),
]
OTHERS = ["birth_year", "gender", "city", "industry"]  # two of them stand beside an equal name
NEVER = ["gender", "birth_year", "marks"]  # fields that do not change in a life
ALIKE = 0.8  # closeness below which two names within a group differ
PAIRS = ["left", "right", "probability", "same", "near", "different", "fate"]


@dataclass(frozen=True)
class Matches:
    """What was found: every likely pair, and which number goes under which.

    `pairs` has left, right, probability, same, near, different (fields, comma between) and fate
    ("merged" or "candidate"); `merged` leads from a number to the one its customer is kept under.
    """

    pairs: pd.DataFrame
    merged: dict[str, str]

    @property
    def candidates(self) -> pd.DataFrame:
        """Pairs that may be one customer and were left apart."""
        return self.pairs[self.pairs["fate"] == "candidate"].reset_index(drop=True)

    @property
    def groups(self) -> dict[str, list[str]]:
        """Every number kept for several, and all numbers of its customer, its own among them."""
        numbers: dict[str, list[str]] = {}
        for other, kept in sorted(self.merged.items()):
            numbers.setdefault(kept, [kept]).append(other)
        return numbers


NONE = Matches(pd.DataFrame(columns=PAIRS), {})


def same_person(
    customers: pa.Table | pd.DataFrame, rule: SamePerson, *, country: str | None = None
) -> Matches:
    """Customers that stand under several numbers.

    Parameters
    ----------
    customers : the columns of `tables.CUSTOMERS`, a row for each number
    rule : from which probability pairs are merged, or listed
    country : where telephone numbers without a country code are (ISO 3166); see `normal.country`

    Returns
    -------
    Matches; of a merged group the number opened first stays, then the smallest.
    """
    rows = customers.to_pandas() if isinstance(customers, pa.Table) else customers
    if len(rows) < 2:
        return NONE
    table = forms(rows, country)
    likely = likeness.pairs(table, FIELDS, key="customer_id", blocks=BLOCKS)
    likely = likely[likely["probability"] >= rule.list_from].reset_index(drop=True)
    told = likely.assign(marks=_marks(table, likely))
    sure = (told["probability"] >= rule.merge_from) & _grounds(told)
    merged = _survivors(_whole(told[sure], table), rows)
    one = _under(merged, told["left"]) == _under(merged, told["right"])
    fate = np.where(one, "merged", "candidate")
    return Matches(told.assign(**_words(told), fate=fate)[PAIRS], merged)


def forms(customers: pd.DataFrame, country: str | None) -> pd.DataFrame:
    """Normal forms of what is known of customers, a row each; empty where unknown.

    `marks` tells houses of one firm apart, `initial` is the first character of the name.
    """
    table = pd.DataFrame({"customer_id": customers["customer_id"].astype(object)})
    name = normal.name(customers["name"])
    table["name"], table["initial"] = name, name.str[:1]
    table["marks"] = normal.marks(customers["name"])
    table["contact"] = normal.contact(customers["contact"], country)
    table["gender"] = normal.gender(customers["gender"])
    town = customers["city"].where(customers["city"].notna(), customers["region"])
    table["city"] = normal.place(town)
    for column in ("industry", "customer_type"):
        table[column] = normal.text(customers[column])
    return table.assign(birth_year=pd.to_numeric(customers["birth_year"]).astype("Int32"))


def _marks(table: pd.DataFrame, likely: pd.DataFrame) -> pd.Series:
    """Whether two names mark the same house of a firm."""
    mark = table.set_index("customer_id")["marks"]
    alike = likely["left"].map(mark).to_numpy() == likely["right"].map(mark).to_numpy()
    return pd.Series(np.where(alike, SAME, DIFFERENT), index=likely.index)


def _grounds(told: pd.DataFrame) -> pd.Series:
    """Pairs with enough in common to be merged, and nothing that forbids it."""
    others = (told[OTHERS] == SAME).sum(axis=1)
    by_contact = (told["contact"] == SAME) & (told["name"].isin([SAME, NEAR]) | (others >= 2))
    by_name = (told["name"] == SAME) & (others >= 2)
    forbidden = told["name"].isin([LIKE, DIFFERENT]) | (told[NEVER] == DIFFERENT).any(axis=1)
    return (by_contact | by_name) & ~forbidden


def _whole(sure: pd.DataFrame, table: pd.DataFrame) -> list[list[str]]:
    """Groups held together by sure pairs, within which nobody differs from anybody.

    So two persons are never joined by a third who resembles both.
    """
    known = table.set_index("customer_id")
    groups = []
    for group in connected(sure):
        folk = known.loc[group]
        born = folk["birth_year"].dropna()
        names = sorted(set(folk["name"].dropna()))
        first, second = pa.array(names * len(names)), pa.array(np.repeat(names, len(names)))
        differ = folk["gender"].nunique() > 1 or folk["marks"].nunique() > 1
        apart = len(born) and born.max() - born.min() > 1
        unlike = min(closeness(first, second).to_pylist(), default=1) < ALIKE
        # Two slips of one name are unlike each other; who has one telephone is told by that.
        one_contact = folk["contact"].notna().all() and folk["contact"].nunique() == 1
        if not (differ or apart or (unlike and not one_contact)):
            groups.append(group)
    return groups


def connected(pairs: pd.DataFrame) -> list[list[str]]:
    """Groups of numbers joined by pairs, each group and the list of them in order.

    >>> connected(pd.DataFrame({"left": ["a", "b", "x"], "right": ["b", "c", "y"]}))
    [['a', 'b', 'c'], ['x', 'y']]
    """
    root: dict[str, str] = {}

    def top(number: str) -> str:
        while root.setdefault(number, number) != number:
            root[number] = root[root[number]]
            number = root[number]
        return number

    for left, right in zip(pairs["left"], pairs["right"], strict=True):
        first, second = sorted((top(left), top(right)))
        root[second] = first
    groups: dict[str, list[str]] = {}
    for number in sorted(root):
        groups.setdefault(top(number), []).append(number)
    return list(groups.values())


def _survivors(groups: list[list[str]], customers: pd.DataFrame) -> dict[str, str]:
    """Number → the number that stays: opened first, then the smallest."""
    opened = dict(zip(customers["customer_id"], customers["opened_day"], strict=True))
    merged = {}
    for group in groups:
        kept = min(group, key=lambda n: (pd.isna(opened[n]), 0 if pd.isna(opened[n]) else opened[n], n))
        merged |= {number: kept for number in group if number != kept}
    return dict(sorted(merged.items()))


def _under(merged: dict[str, str], numbers: pd.Series) -> np.ndarray:
    """The numbers under which customers are kept."""
    return np.array([merged.get(number, number) for number in numbers], dtype=object)


def _words(told: pd.DataFrame) -> dict[str, list[str]]:
    """The fields that are the same, nearly the same and different, as words."""
    return {
        word: [
            ",".join(field for field, found in zip(FIELDS, row, strict=True) if found in answers)
            for row in told[list(FIELDS)].itertuples(index=False)
        ]
        for word, answers in (("same", {SAME}), ("near", {NEAR, LIKE}), ("different", {DIFFERENT}))
    }


def united(part: Cleaned, table: tables.Table, merged: dict[str, str]) -> Cleaned:
    """A cleaned table with each customer under one number.

    A basket that cleaning made of a customer's lines of one day, because no order number was delivered,
    is made again: what one customer bought on one day under two numbers is one order.
    """
    names = table.schema.names
    numbers = [column for column in ("customer_id", "other_id") if column in names]
    if not merged or not numbers:
        return part
    engine = tables.engine()
    part.named(engine, "rows")
    engine.register("merged", pa.table({"old": list(merged), "new": list(merged.values())}))
    changed = {n: f"coalesce((SELECT new FROM merged WHERE old = rows.{n}), rows.{n})" for n in numbers}
    if {"order_id", "line_id", "order_day"} <= set(names):
        made = "'@' || CAST(min(line_id) OVER (PARTITION BY {}, order_day) AS VARCHAR)"
        changed["order_id"] = (
            f"CASE WHEN customer_id IS NOT NULL AND order_id = {made.format('rows.customer_id')} "
            f"THEN {made.format(changed['customer_id'])} ELSE order_id END"
        )
    columns = ", ".join(f"{changed.get(c, values.name(c))} AS {values.name(c)}" for c in names)
    if "line_id" in names:
        lines = stored(
            engine.sql(f"SELECT {columns} FROM rows ORDER BY line_id").to_arrow_reader(AT_ONCE), table
        )
        return dataclasses.replace(part, rows=lines)
    engine.register("rows", part.kept.append_column("_place", pa.array(range(part.count))))
    again = engine.sql(f"SELECT {columns} FROM rows ORDER BY _place").to_arrow_table()
    return dataclasses.replace(part, rows=again.cast(part.kept.schema))


def merged_numbers(matches: Matches, lines: Cleaned) -> pd.DataFrame:
    """Each customer that stood under several numbers, its evidence and its sales: see `delivery.merged_numbers`.

    `lines` are clean order lines, already under the numbers that were kept.
    """
    pairs = matches.pairs[matches.pairs["fate"] == "merged"]
    told = dict(list(pairs.groupby(_under(matches.merged, pairs["left"])))) if len(pairs) else {}
    sold = sales(lines, set(matches.groups)).to_dict("index")
    rows = [
        {
            "customer_id": kept,
            "numbers": len(matches.groups[kept]),
            "probability": part["probability"].min(),
            "agreeing": _fields(",".join([*part["same"], *part["near"]])),
            **sold.get(kept, {"lines": 0, "money": 0}),
        }
        for kept, part in sorted(told.items())
    ]
    return pd.DataFrame(rows, columns=["customer_id", "numbers", "probability", "agreeing", "lines", "money"])


def candidates(matches: Matches, lines: Cleaned) -> pd.DataFrame:
    """Pairs that were left apart, the likeliest first, and the sales of both: see `delivery.candidates`."""
    pairs = matches.candidates
    # Of a merged customer the number that was kept: a candidate is a question about customers.
    first, second = (_under(matches.merged, pairs[end]) for end in ("left", "right"))
    sold = sales(lines, {*first, *second})["money"].to_dict()
    worth = [sold.get(a, 0) + sold.get(b, 0) for a, b in zip(first, second, strict=True)]
    shown = pairs.assign(customer_id=first, other_id=second, money=np.array(worth, dtype="int64"))
    told = shown.assign(**{answer: shown[answer].map(_fields) for answer in ("same", "near", "different")})
    told = told.sort_values(["probability", "customer_id", "other_id"], ascending=[False, True, True])
    columns = ["customer_id", "other_id", "probability", "same", "near", "different", "money"]
    return told[columns].drop_duplicates(["customer_id", "other_id"], ignore_index=True)


def _fields(words: str) -> str:
    """Each field once, in the order of `FIELDS`.

    >>> _fields("contact,name,,contact")
    'name, contact'
    """
    said = set(words.split(","))
    return ", ".join(field for field in FIELDS if field in said)


def sales(lines: Cleaned, numbers: set[str]) -> pd.DataFrame:
    """Lines and sales of some customers, by number: lines, money."""
    engine = tables.engine()
    lines.named(engine, "lines")
    engine.register("asked", pa.table({"number": pa.array(sorted(numbers), pa.string())}))
    return (
        engine.sql(
            "SELECT customer_id, count(*) AS lines, CAST(coalesce(sum(amount) FILTER (kind = 'sale'), 0) AS BIGINT) "
            "AS money FROM lines SEMI JOIN asked ON customer_id = number GROUP BY customer_id"
        )
        .df()
        .set_index("customer_id")
    )
