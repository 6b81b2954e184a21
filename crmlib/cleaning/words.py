"""Cells that hold a word of a short list (高/中/低, 满意, Yes), in Chinese of either script and English."""

import unicodedata
from collections.abc import Mapping
from functools import lru_cache

import pandas as pd
from opencc import OpenCC

from crmlib import tables
from crmlib.collection.headers import tidy
from crmlib.collection.values import literal

Words = Mapping[str, tuple[str, ...]]

LEVELS: Words = {
    "high": ("高", "较高", "很高", "high", "h"),
    "medium": ("中", "中等", "一般", "medium", "middle", "mid", "m"),
    "low": ("低", "较低", "很低", "low", "l"),
}
CONTENT: Words = {
    "satisfied": ("满意", "非常满意", "很满意", "satisfied", "very satisfied"),
    "neutral": ("中立", "一般", "neutral"),
    "dissatisfied": ("不满意", "不满", "非常不满意", "很不满意", "dissatisfied", "unsatisfied"),
}
TIERS: Words = {
    level: (*LEVELS[level], f"{sign}价值客户", f"{sign}价值", f"{level} value", f"{level}-value customer")
    for level, sign in (("high", "高"), ("medium", "中"), ("low", "低"))
}
# Whether a customer has left.
MARKS: Words = {
    "yes": ("yes", "y", "true", "t", "1", "1.0", "是", "已流失", "流失", "churned", "left", "exited"),
    "no": (
        *("no", "n", "false", "f", "0", "0.0", "否", "未流失", "在网", "stayed", "joined"),
        *("active", "existing customer", "existing"),
    ),
}
NOTHING = ("", "-", "--", "n/a", "null", r"\n", "无", "空", "未知", "unknown")


@lru_cache(maxsize=1)
def _simplified() -> OpenCC:
    return OpenCC("t2s")


def bare(cell: str) -> str:
    """A cell for comparing: half-width, small letters, simplified characters, single blanks.

    >>> bare(" 高價值　客戶"), bare("Ｙｅｓ")
    ('高价值 客户', 'yes')
    """
    text = " ".join(unicodedata.normalize("NFKC", cell).lower().split())
    return _simplified().convert(text)


def meaning(cell: str, words: Words) -> str | None:
    """Which word of the list a cell holds; None where none.

    >>> meaning("高價值客戶", TIERS), meaning("M", LEVELS), meaning("特高", LEVELS)
    ('high', 'medium', None)
    """
    found = bare(cell)
    return next((name for name, forms in words.items() if found in forms), None)


def one_word(column: str, words: Words) -> str:
    """SQL: a text in its one word where it is one of the list, else as delivered."""
    cases = " ".join(
        f"WHEN lower({column}) IN ({', '.join(map(literal, said))}) THEN {literal(word)}"
        for word, said in words.items()
    )
    return f"CASE {cases} ELSE {column} END"


def worded(
    rows: pd.DataFrame, lists: Mapping[str, Words], headers: Mapping[str, str], table: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows with every listed column as one of its words, and the cells that hold none of them.

    Such a cell is emptied, never guessed; its row stays.

    Returns
    -------
    the rows; the repairs in the columns of `tables.REPAIRS`, rule "unknown-word"
    """
    read, repairs = rows.copy(), []
    for column in (c for c in lists if c in headers):
        cells = rows[column].astype(object).where(rows[column].notna(), None)
        found = {cell: meaning(cell, lists[column]) for cell in cells.dropna().unique()}
        read[column] = cells.map(found).astype(object).where(cells.notna(), None)
        strange = [cell for cell, word in found.items() if word is None and bare(cell) not in NOTHING]
        at = rows[cells.isin(strange)]
        told = at[["source_file", "source_row"]].assign(column=tidy(headers[column]), old=cells[at.index])
        repairs.append(told.assign(table=table, rule="unknown-word", new=""))
    empty = pd.DataFrame(columns=tables.REPAIRS.schema.names)
    found = [part for part in repairs if len(part)]
    every = pd.concat(found, ignore_index=True)[empty.columns] if found else empty
    return read, every
