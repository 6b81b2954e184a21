"""Cells that are probably wrong, found without being told what is right. Flagged, never repaired.

Every kind of error is one rule about a column's different values and how often each occurs, so that
a million rows cost little more than a thousand; the order of rows never matters. What no rule can
tell (a wrong value that looks like any other) stays unseen.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from rapidfuzz import process
from rapidfuzz.distance import OSA, Levenshtein  # OSA: letters that changed places are one slip

from crmlib import tables
from crmlib.cleaning.dependencies import Coded, Vote, votes
from crmlib.client import Client
from crmlib.collection.sources import Collected, mapped

KINDS = ("missing", "placeholder", "typo", "pattern", "unit", "outlier", "dependency", "two-fields")
# What people write where there is nothing, and never where there is something.
PLACEHOLDERS = frozenset(
    [
        "-",
        "--",
        "---",
        ".",
        "?",
        "??",
        "n/a",
        "#n/a",
        "n.a.",
        "nan",
        "nil",
        "\\n",
        "unknown",
        "tbd",
        "tba",
        "xxx",
        "空",
        "未知",
        "不详",
        "不詳",
        "待定",
        "暂无",
        "暫無",
    ]
)
NONE = frozenset(["na", "none", "null", "无", "無"])  # also an answer, or a name
NUMBER = r"[-+]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?"
WITH_UNIT = rf"{NUMBER}\s*([^\W\d_]\D*|[%‰°]\D*|)"
CODE = 4  # digits: shorter numbers are rather quantities
FILLED = 0.9  # from this share on, an empty cell is an exception
ALL = 0.9  # of a column: the rest are exceptions
USUAL, RARE = 0.05, 0.01  # of a column's cells: a form is one of its own, or an exception
HAS_DIGITS = 0.1  # of a column's cells: below, its forms are those of words and tell nothing
SIMILAR = 0.75  # of two spellings: what they share
ALIKE = 0.6  # and what the words share that differ
OFTENER = 5  # how many times oftener the right spelling stands
MOST_VALUES = 20_000  # different values of a column that spellings are compared of
NAMES = 0.5  # different values per cell: a column of names or free text repeats nothing
CATEGORY = 0.2  # different values per cell: below, they are a list of choices
TO_JUDGE = 30  # amounts, before one of them can be far outside


JUDGED = ("customers", "transactions")  # whose attributes of customers and products
SUSPICIOUS = ["table", "header", "kind", "cells", "share", "example", "evidence"]


class Kind(NamedTuple):
    """Suspicious values of one column: their codes, why, and what speaks for it."""

    kind: str
    codes: np.ndarray
    evidence: list[str]


def cells(table: pa.Table, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Cells of a text table that are probably wrong.

    Parameters
    ----------
    table : columns of text, empty cells empty text or null
    columns : those to judge; all unless said

    Returns
    -------
    row (from 0), column, kind (one of `KINDS`), evidence; a cell once, under the first kind that
    names it, in the order of rows and columns.

    Examples
    --------
    >>> cities = pa.table({"city": ["Hamburg"] * 9 + ["Hambxrg"]})
    >>> cells(cities)[["row", "column", "kind"]].values.tolist()
    [[9, 'city', 'typo']]
    """
    names = list(columns if columns is not None else table.column_names)
    found = _judged([_coded(name, table[name]) for name in names])
    at = found["column"].map({name: at for at, name in enumerate(names)})
    return found.assign(at=at).sort_values(["row", "at"]).drop(columns="at").reset_index(drop=True)


def suspicious(delivery: Mapping[str, Collected], client: Client) -> pd.DataFrame:
    """How many cells of customers' and products' attributes are probably wrong, by column and kind.

    Columns that name or number people are not judged.

    Returns
    -------
    table, header, kind (one of `KINDS`), cells, share (of the table's rows), example (its first sign, then
    digits as 0 and letters as ·: a shifted row may hold a name where a city belongs) and evidence of that
    example; by table, header and kind.
    """
    found = []
    for name in JUDGED:
        part = delivery.get(name)
        headers = _attributes(part, client) if part is not None else []
        if not headers:
            continue
        rows = pq.read_table(part.path, columns=headers, read_dictionary=headers)
        coded = {header: _coded(header, rows[header]) for header in headers}
        for (header, kind), each in _judged(list(coded.values())).groupby(["column", "kind"], sort=True):
            first = (
                each.assign(value=_texts(coded[header], each["row"]))
                .sort_values(["value", "evidence"])
                .iloc[0]
            )
            share = len(each) / rows.num_rows
            found.append((name, header, kind, len(each), share, _masked(first["value"]), first["evidence"]))
    return pd.DataFrame(found, columns=SUSPICIOUS)


def _attributes(collected: Collected, client: Client) -> list[str]:
    """Mapped headers of text that describe a customer or a product."""
    texts = {
        c.name for t in (tables.CUSTOMERS, tables.TRANSACTIONS) for c in t.columns if c.type == pa.string()
    }
    wanted = texts - tables.CUSTOMERS.personal - {"order_id"}
    source = client.tables.named()[collected.table]
    headers = [header for column, header in mapped(source).items() if column in wanted]
    return [header for header in dict.fromkeys(headers) if header not in collected.personal]


def _texts(column: Coded, rows: pd.Series) -> list[str]:
    return [str(column.values[code]) if code >= 0 else "" for code in column.codes[rows.to_numpy()]]


def _masked(value: str) -> str:
    """The look of a cell, not its content.

    >>> _masked("12.0 oz."), _masked("")
    ('10.0 ··.', '')
    """
    return value[:1] + re.sub(r"[^\W\d_]", "·", re.sub(r"\d", "0", value[1:]))


def _judged(coded: Sequence[Coded]) -> pd.DataFrame:
    """Every suspicious cell once, in no order."""
    voted = votes(coded)
    parts = [_column_cells(column, coded, voted.get(column.name)) for column in coded] + _two_fields(coded)
    if not parts:
        return _none("")
    found = pd.concat(parts, ignore_index=True)
    rank = found["kind"].map({kind: at for at, kind in enumerate(KINDS)})
    found = found.assign(rank=rank).sort_values(["row", "column", "rank"], kind="stable")
    return found.drop_duplicates(["row", "column"]).drop(columns="rank")


def _coded(name: str, cells: pa.ChunkedArray) -> Coded:
    """A column's different texts, trimmed and sorted; only they are ever looked at."""
    whole = cells.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):  # no rows
        whole = pa.array([], cells.type)
    encoded = whole if pa.types.is_dictionary(whole.type) else whole.dictionary_encode()
    texts = [text.strip() if text else "" for text in encoded.dictionary.to_pylist()]
    values = np.array(sorted(set(texts) - {""}), dtype=object)
    place = {text: at for at, text in enumerate(values)}
    rank = np.array([*(place.get(text, -1) for text in texts), -1], np.int32)
    return Coded(name, values, rank[encoded.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)])


def _column_cells(column: Coded, columns: Sequence[Coded], vote: Vote | None) -> pd.DataFrame:
    """What speaks against one column's cells."""
    parts = []
    empty = column.codes < 0
    if 0 < empty.sum() <= (1 - FILLED) * len(empty):
        parts.append(
            _found(column, np.flatnonzero(empty), "missing", f"{empty.sum():,} of {len(empty):,} are empty")
        )
    confirmed = np.zeros(len(column.values), np.int64)
    if vote is not None:
        calm = (vote.support > vote.against) & ~empty
        confirmed = np.bincount(column.codes[calm], minlength=len(column.values))
        rows = np.flatnonzero(vote.outvoted)
        says = [
            f"{columns[by].name} says {column.values[usual]}"
            for by, usual in zip(vote.by[rows], vote.usual[rows], strict=True)
        ]
        parts.append(_found(column, rows, "dependency", says))
    for kind in _kinds(column, confirmed):
        why = np.full(len(column.values) + 1, None, object)
        why[kind.codes] = kind.evidence
        rows = np.flatnonzero(np.isin(column.codes, kind.codes))
        parts.append(_found(column, rows, kind.kind, list(why[column.codes[rows]])))
    return pd.concat(parts, ignore_index=True) if parts else _none(column.name)


def _none(column: str) -> pd.DataFrame:
    return pd.DataFrame({"row": np.array([], int), "column": column, "kind": "", "evidence": ""})


def _found(column: Coded, rows: np.ndarray, kind: str, evidence: str | list[str]) -> pd.DataFrame:
    return pd.DataFrame({"row": rows, "column": column.name, "kind": kind, "evidence": evidence})


def _kinds(column: Coded, confirmed: np.ndarray) -> Iterator[Kind]:
    if not len(column.values):
        return
    counts, numbers = column.counts, _numbers(column.values)
    numeric = counts[~np.isnan(numbers)].sum() >= ALL * counts.sum()
    yield _placeholders(column)
    yield _typos(column, confirmed, np.isnan(numbers))
    yield _patterns(column, np.isnan(numbers) if numeric else np.ones(len(numbers), bool))
    if not _all_codes(column):
        yield _units(column)
        if numeric:
            yield _outliers(column, numbers)


def _odd(kind: str, odd: np.ndarray, evidence: str) -> Kind:
    return Kind(kind, np.flatnonzero(odd), [evidence] * int(odd.sum()))


def _numbers(values: np.ndarray) -> np.ndarray:
    """Values as numbers; not a number where they are none."""
    plain = pd.Series(values, dtype=object).str.fullmatch(NUMBER).to_numpy(bool)
    return np.array([float(v.replace(",", "")) if n else np.nan for v, n in zip(values, plain, strict=True)])


def _all_codes(column: Coded) -> bool:
    """Whether numbers are codes: nearly all of one length, and too long to be quantities."""
    lengths = pd.Series([len(m[0]) if (m := re.match(r"\d+", value)) else 0 for value in column.values])
    shares = pd.Series(column.counts).groupby(lengths).sum() / column.filled
    return shares.idxmax() >= CODE and shares.max() >= ALL


def _placeholders(column: Coded) -> Kind:
    folded = [value.casefold() for value in column.values]
    sure = np.isin(folded, list(PLACEHOLDERS))
    # Where it is an exception among choices that repeat, "None" is no answer and nobody's name.
    exception = column.counts <= (1 - FILLED) * column.filled
    perhaps = np.isin(folded, list(NONE)) & exception & (len(folded) <= NAMES * column.filled)
    return _odd("placeholder", sure | perhaps, "stands for nothing")


def _typos(column: Coded, confirmed: np.ndarray, words: np.ndarray) -> Kind:
    """Rare spellings that nearly are a much more frequent one."""
    counts, values = column.counts, column.values
    codes, evidence = [], []
    often = np.flatnonzero((counts >= OFTENER) & words)
    seldom = np.flatnonzero((counts * OFTENER <= counts.max()) & (confirmed * 2 <= counts) & words)
    if len(values) > min(MOST_VALUES, NAMES * column.filled) or not len(often) or not len(seldom):
        return Kind("typo", np.array([], int), [])
    near = process.cdist(
        values[seldom], values[often], scorer=OSA.normalized_similarity, score_cutoff=SIMILAR
    )
    for row, code in enumerate(seldom):
        close = np.flatnonzero(near[row])
        close = close[counts[often[close]] >= OFTENER * counts[code]]
        for other in close[np.lexsort((often[close], -near[row][close]))]:
            if _slip(values[code], values[often[other]]):
                codes.append(code)
                evidence.append(f"{values[often[other]]} stands {counts[often[other]]} times")
                break
    return Kind("typo", np.array(codes, int), evidence)


def _slip(seldom: str, often: str) -> bool:
    """Whether two spellings may be one: other digits are another number, another character another word.

    >>> _slip("pn-xb", "pn-5b"), _slip("pn-4b", "pn-5b"), _slip("湖北分公司", "湖南分公司")
    (True, False, False)
    >>> _slip("Asher Brewing Company", "Anchor Brewing Company"), _slip("acutexcare", "acute care")
    (False, True)
    """
    for edit in Levenshtein.editops(seldom, often):
        signs = [seldom[edit.src_pos]] if edit.tag != "insert" else []
        signs += [often[edit.dest_pos]] if edit.tag != "delete" else []
        letters = sum(sign.isalpha() for sign in signs)
        if any(sign.isdigit() for sign in signs) and not letters:
            return False
        if len(signs) == 2 and letters == 2 and not any(sign.isascii() for sign in signs):
            return False
    if OSA.distance(seldom, often) == 1 and len(often) > 3:
        return True
    left, right = _differing(seldom.split(), often.split())
    return OSA.normalized_similarity(left, right) >= ALIKE


def _differing(seldom: list[str], often: list[str]) -> tuple[str, str]:
    """What differs of two phrases: words both share would make any two firms alike."""
    if len(seldom) == len(often):
        pairs = [(a, b) for a, b in zip(seldom, often, strict=True) if a != b]
        return " ".join(a for a, _ in pairs), " ".join(b for _, b in pairs)
    while seldom and often and seldom[0] == often[0]:
        seldom, often = seldom[1:], often[1:]
    while seldom and often and seldom[-1] == often[-1]:
        seldom, often = seldom[:-1], often[:-1]
    return " ".join(seldom), " ".join(often)


def _form(value: str) -> str:
    """A cell's form: runs of digits and of letters, and every other sign as it is."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "0", unicodedata.normalize("NFKC", value)))


def _patterns(column: Coded, judged: np.ndarray) -> Kind:
    """Cells of a rare form, in a column of numbers or codes where few forms are nearly all."""
    forms = pd.Series([_form(value) for value in column.values])
    shares = pd.Series(column.counts).groupby(forms).sum() / column.filled
    usual = shares[shares >= USUAL].sort_values(ascending=False)
    coded = usual.sum() >= ALL and usual[["0" in form for form in usual.index]].sum() >= HAS_DIGITS
    odd = judged & forms.isin(shares.index[shares <= RARE]).to_numpy() & coded
    return _odd("pattern", odd, f"most cells look like {' or '.join(usual.index[:3])}")


def _units(column: Coded) -> Kind:
    """Numbers whose unit is written in more than one way, or here and not there."""
    counts = column.counts
    parts = [re.fullmatch(WITH_UNIT, value) for value in column.values]
    number = np.array([part is not None for part in parts])
    units = pd.Series([part[1] if part else None for part in parts])
    shares = pd.Series(counts).groupby(units).sum() / max(counts[number].sum(), 1)
    several = units.groupby(units).size() > 1  # a unit goes with several numbers; a street has its own
    if counts[number].sum() < ALL * counts.sum() or len(shares) < 2 or shares[several].sum() < ALL:
        return Kind("unit", np.array([], int), [])
    # Where one way of writing is not nearly all, only a bare number can be added up as it stands.
    usual = shares.idxmax() if shares.max() >= ALL else ""
    odd = number & ~units.isin(["", usual]).to_numpy()
    return _odd("unit", odd, f"{len(shares)} ways of writing the unit")


def _outliers(column: Coded, numbers: np.ndarray) -> Kind:
    """Amounts at least ten times, and five robust standard deviations, from the middle one."""
    with np.errstate(invalid="ignore", divide="ignore"):
        sizes = np.where(numbers > 0, np.log10(numbers), np.nan)
    each = np.repeat(sizes, column.counts)
    each = each[~np.isnan(each)]
    if len(each) < TO_JUDGE:
        return Kind("outlier", np.array([], int), [])
    middle = np.median(each)
    spread = 1.4826 * np.median(np.abs(each - middle))
    far = (sizes - middle) / max(1, 5 * spread)
    # Whole numbers may count from 1 on, and then the first are small for no fault of theirs.
    low = far < -1 if (numbers[~np.isnan(numbers)] % 1).any() else False
    return _odd("outlier", (far > 1) | low, f"the middle is {10**middle:,.4g}")


def _two_fields(columns: Sequence[Coded]) -> list[pd.DataFrame]:
    """Cells that end in what belongs to another column, which is empty there."""
    parts = []
    for other in columns:
        empty = other.codes < 0
        if not empty.any() or len(other.values) > CATEGORY * other.filled:
            continue
        known = {v for v, n in zip(other.values, other.counts, strict=True) if n >= OFTENER and v.isalpha()}
        for column in columns:
            if column is other:
                continue
            here = np.unique(column.codes[empty & (column.codes >= 0)])
            ending = [c for c in here if len(w := column.values[c].rsplit(None, 1)) == 2 and w[1] in known]
            rows = np.flatnonzero(empty & np.isin(column.codes, ending))
            parts.append(_found(column, rows, "two-fields", f"ends in what belongs to {other.name}"))
    return parts
