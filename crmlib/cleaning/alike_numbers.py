"""Customer numbers that look like another's: `007.0` beside `007`, a Cyrillic `С` for a Latin `C`.

Nobody can know whether two such numbers are one customer, so they are kept apart, and told: a spreadsheet that
made numbers of codes, or a keyboard in another language, counts customers twice in silence.
"""

import re

import pandas as pd

from crmlib.cleaning.outcome import Cleaned
from crmlib.cleaning.same_person import sales

# Cyrillic and Greek capitals that a reader cannot tell from Latin ones. Source: Unicode Technical Standard 39,
# confusables, the capitals that are whole-script confusable with Latin.
LATIN = str.maketrans("АВЕКМНОРСТУХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEKMHOPCTYXIJSABEZHIKMNOPTYX")
_NO_PART = re.compile(r"(?<=\d)\.0+$")
_SIGNS = re.compile(r"[\s\-‐‑–—_/.·]+")
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


# Each names a way in which two numbers may differ, and takes it away; in an order in which each finds its own.
WAYS = {
    "capitals": str.upper,
    "other_script": lambda number: number.translate(LATIN),
    "decimal_part": lambda number: _NO_PART.sub("", number),
    "separators": lambda number: _SIGNS.sub("", number),
    "leading_zeros": lambda number: _ZEROS.sub("", number),
}


def bare(number: str, *, but: str = "") -> str:
    """A number without all in which two that look alike may differ (`but` one of `WAYS`).

    >>> bare("007.0"), bare("c-007"), bare("С007"), bare("C070"), bare("C070", but="leading_zeros")
    ('7', 'C7', 'C7', 'C70', 'C070')
    """
    for way, without in WAYS.items():
        number = number if way == but else without(number)
    return number


def differences(one: str, other: str) -> str:
    """The ways in which two numbers of one bare form differ, by name.

    >>> differences("007", "7.0"), differences("c007", "C007"), differences("C007", "С007")
    ('decimal_part, leading_zeros', 'capitals', 'other_script')
    """
    return ", ".join(way for way in WAYS if bare(one, but=way) != bare(other, but=way))


def alike(found: dict[str, Cleaned]) -> pd.DataFrame:
    """Customer numbers that look like another's, after those of one customer were made one.

    Returns
    -------
    customer_id, other_id, differ_by (names of `WAYS`), listed (which of both the customer table has: both,
    the first, the other, neither), lines, money (sales of the other, smallest unit); most money first.
    """
    listed, every = _numbers(found)
    keyed = pd.DataFrame({"number": sorted(every)}).astype({"number": "str"})
    keyed["bare"] = [bare(number) for number in keyed["number"]]
    groups = keyed[keyed.duplicated("bare", keep=False)]
    # The number that the customer table has, and of two the shorter, is the one that others look like.
    ranked = groups.assign(
        unlisted=[number not in listed for number in groups["number"]], size=groups["number"].str.len()
    ).sort_values(["bare", "unlisted", "size", "number"])
    first = ranked.groupby("bare")["number"].transform("first")
    pairs = ranked.assign(customer_id=first)[ranked["number"] != first]
    return _told(pairs, listed, found)


def _told(pairs: pd.DataFrame, listed: set[str], found: dict[str, Cleaned]) -> pd.DataFrame:
    numbers = list(zip(pairs["customer_id"], pairs["number"], strict=True))
    table = pd.DataFrame(numbers, columns=["customer_id", "other_id"])
    table["differ_by"] = [differences(*pair) for pair in numbers]
    words = {(True, True): "both", (True, False): "the_first", (False, True): "the_other"}
    table["listed"] = [words.get((a in listed, b in listed), "neither") for a, b in numbers]
    sold = sales(found["transactions"], set(table["other_id"])) if "transactions" in found else None
    for column in ("lines", "money"):
        known = {} if sold is None else sold[column].to_dict()
        table[column] = pd.Series([known.get(number, 0) for number in table["other_id"]], dtype="int64")
    order = ["money", "customer_id", "other_id"]
    return table.sort_values(order, ascending=[False, True, True], ignore_index=True)


def _numbers(found: dict[str, Cleaned]) -> tuple[set[str], set[str]]:
    """Numbers of the customer table, and of every table."""
    asked = "SELECT DISTINCT customer_id FROM kept WHERE customer_id IS NOT NULL"
    of = {
        name: {number for (number,) in part.asked(asked)}
        for name, part in found.items()
        if "customer_id" in part.columns
    }
    return of.get("customers", set()), set().union(*of.values())
