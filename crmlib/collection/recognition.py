"""What a column is: by its header, and by what stands in its cells.

A `Profile` says which share of a column's cells are dates, numbers, telephones …; `candidates` weighs
that against the names of `vocabulary`, and says how sure it is and why. Reasons hold counts, never cells.
"""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property, lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from crmlib import tables
from crmlib.collection.headers import joined, known_as, plain, tidy
from crmlib.collection.values import NOTHING
from crmlib.collection.vocabulary import ALIASES, NO, NOT_PAID, PROVINCES, VAGUE, YES

CELLS = 1_000  # different cells of a column that are looked at one by one
SURE = 50  # per cent, from which a guess is written down
_YEAR_FIRST = re.compile(r"(19|20)\d\d([-/.年])(0?[1-9]|1[0-2])[-/.月](0?[1-9]|[12]\d|3[01])日?([ T].*)?")
_COMPACT = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_DAY_OR_MONTH_FIRST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.]((?:19|20)?\d\d)([ T].*)?")
_NAMED_MONTH = re.compile(
    r"\d{1,2}[- ][A-Za-z]{3,9}[- ,]+\d{2,4}.*|[A-Za-z]{3,9} \d{1,2},? \d{4}.*|[A-Za-z]{3}[- ]\d{4}"
)
_MONTH = re.compile(r"(19|20)\d\d[-/.年](0?[1-9]|1[0-2])月?")
_NUMBER = re.compile(
    r"\(?[-+]?\s*(?:[A-Z]{3}|R\$|US\$|[¥￥$€£₹])?\s*[-+]?(\d+|\d{1,3}([,. ']\d{3})+)?([.,]\d+)?"
    r"([eE][-+]?\d{1,2})?\s*(?:%|[A-Z]{3}|[次元分件个万亿千百名人笔天月年¥€£$]+)?\)?"
)
_COMMA_DECIMAL = re.compile(r"[^\d]*(\d{1,3}(\.\d{3})+,\d+|\d+,(\d{1,2}|\d{4,}))[^\d]*")
_SHARE = re.compile(r"0?\.\d+|[01](\.0+)?|\d{1,2}(\.\d+)?%|100%|[1-9]\.?\d?折")
_PHONE = re.compile(r"(\+?\d{1,3}[- ]?)?(1[3-9]\d{9}|0\d{2,3}[- ]?\d{7,8}|\(?\d{3}\)?[- .]\d{3}[- .]\d{4})")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
_GENDERS = frozenset(["男", "女", "m", "f", "male", "female", "未知", "unknown", "other", "其他"])


@dataclass(frozen=True)
class Profile:
    """A column by its cells; shares are of the cells that hold anything, 0–1."""

    rows: int
    filled: int
    distinct: int
    cells: Counter  # different cells that were looked at: how often each
    text: pa.ChunkedArray | None = None

    def share(self, pattern: re.Pattern) -> float:
        """The share of cells of this form."""
        return self._part(lambda cell: pattern.fullmatch(cell) is not None)

    def _part(self, true) -> float:
        told = self.cells.total()
        return sum(often for cell, often in self.cells.items() if true(cell)) / told if told else 0.0

    @cached_property
    def date_form(self) -> tuple[str, float]:
        """The commonest form of date (year, compact, numeric, named, month) and its share."""
        forms = {"year": _YEAR_FIRST, "compact": _COMPACT, "numeric": _DAY_OR_MONTH_FIRST}
        forms |= {"named": _NAMED_MONTH, "month": _MONTH}
        shares = {name: self.share(form) for name, form in forms.items()}
        best = max(shares, key=shares.get)
        return best, shares[best]

    @cached_property
    def dates(self) -> float:
        """Cells that are dates."""
        return self.date_form[1]

    @cached_property
    def numbers(self) -> float:
        """Cells that are numbers, with a sign of currency or a unit or without."""
        return self._part(lambda cell: any(map(str.isdigit, cell)) and _NUMBER.fullmatch(cell) is not None)

    @cached_property
    def values(self) -> list[tuple[float, int]]:
        """The numbers, and how often each."""
        found = []
        for cell, often in self.cells.items():
            bare = re.sub(r"[^\d.,eE+-]", "", cell)
            bare = bare.replace(".", "").replace(",", ".") if _COMMA_DECIMAL.fullmatch(cell) else bare
            try:
                found.append((float(bare.replace(",", "")), often))
            except ValueError:
                continue
        return found

    @cached_property
    def integers(self) -> float:
        """Numbers that are whole, among all cells."""
        whole = sum(often for value, often in self.values if value == int(value))
        return whole / self.cells.total() if self.values else 0.0

    @cached_property
    def low(self) -> float:
        """The smallest number; 0 where there is none."""
        return min((value for value, _ in self.values), default=0.0)

    @cached_property
    def high(self) -> float:
        """The largest number."""
        return max((value for value, _ in self.values), default=0.0)

    @cached_property
    def contacts(self) -> float:
        """Telephones and e-mail addresses."""
        return self.share(_PHONE) + self.share(_EMAIL)

    @cached_property
    def provinces(self) -> float:
        """Cells that begin with a Chinese province."""
        return self._part(lambda cell: cell[:2] in PROVINCES or cell[:3] in PROVINCES)

    @cached_property
    def genders(self) -> float:
        """Cells that name a gender, where two or more are named."""
        said = {cell.lower() for cell in self.cells} if self.distinct <= 6 else set()
        return float(len(said & _GENDERS) >= 2 and said <= _GENDERS)

    @cached_property
    def comma_decimals(self) -> float:
        """Numbers that can only be read with a comma as the decimal sign."""
        return self.share(_COMMA_DECIMAL)

    @cached_property
    def flags(self) -> float:
        """Cells that say yes or no."""
        said = {*YES, *NO}
        return self._part(lambda cell: cell.lower() in said) if self.distinct <= 6 else 0.0

    @cached_property
    def unique(self) -> bool:
        """No value twice."""
        return 1 < self.filled == self.distinct

    @cached_property
    def length(self) -> float:
        """Mean number of characters."""
        told = self.cells.total()
        return sum(len(c) * n for c, n in self.cells.items()) / told if told else 0.0

    @cached_property
    def shape(self) -> tuple[str, float]:
        """The commonest pattern of digits and letters, and its share."""
        shapes: Counter = Counter()
        for cell, often in self.cells.items():
            shapes[re.sub(r"[^\W\d_]+", "a", re.sub(r"\d", "9", cell))] += often
        return (
            (shapes.most_common(1)[0][0], shapes.most_common(1)[0][1] / shapes.total()) if shapes else ("", 0)
        )

    @cached_property
    def identifying(self) -> float:
        """How much the cells look like numbers of things: not dates, not money, not words, many different."""
        if self.distinct < 2 or self.dates > 0.5 or self.length > 40:
            return 0.0
        if self.numbers > 0.9:
            whole = self.integers > 0.99 and self.low >= 0
            return (0.8 if self.high >= 1000 or self.unique else 0.3) if whole else 0.0
        if not self._part(lambda cell: any(map(str.isdigit, cell))) > 0.8:
            return 0.0
        return 0.9 if self._part(lambda cell: " " not in cell.strip()) > 0.9 else 0.4


def profile(column: pa.ChunkedArray) -> Profile:
    """What a column of text holds."""
    text = pc.utf8_trim_whitespace(pc.fill_null(column, ""))
    full = text.filter(pc.invert(pc.is_in(text, pa.array(NOTHING))))
    counted = pc.value_counts(full)
    cells = counted
    if len(counted) > CELLS:
        # By value, not by place: the order of the rows decides nothing.
        order = pc.array_sort_indices(pc.struct_field(counted, "values"))
        cells = counted.take(order[:: len(counted) // CELLS])
    cells = Counter({str(cell["values"]): cell["counts"].as_py() for cell in cells})
    return Profile(len(text), len(full), len(counted), cells, full)


IDS = ("customer_id", "order_id", "product_id", "application_id", "other_id")
KINDS = {
    **dict.fromkeys(IDS, "id"),
    "contact": "contact",
    "birth_year": "year",
    "gender": "gender",
    "returned": "mark",
    "discount": "share",
    "name": "name",
    **dict.fromkeys(("product", "service", "after_sales", "brand", "overall", "recommend"), "number"),
    **dict.fromkeys(("text", "comment"), "words"),
}
TEXTS = {"product"}  # names that are numbers only among a survey's questions


def kind_of(table: str, column: str) -> str:
    """What the cells of a column must be: id, date, number, count, flag, category …"""
    if column in KINDS and not (column in TEXTS and table != "surveys"):
        return KINDS[column]
    promised = tables.ALL[table].column(column)
    if promised is None:
        return "category"
    if promised.type == pa.int32() or pa.types.is_timestamp(promised.type):
        return "date"
    if pa.types.is_boolean(promised.type):
        return "flag"
    return "number" if promised.type in (pa.int64(), pa.float64()) else "category"


def fit(kind: str, found: Profile) -> float:
    """How well cells fit what a column must be, 0–1; an empty column fits half."""
    if not found.filled:
        return 0.5
    words = 1 - max(found.dates, found.numbers if found.distinct > 20 else 0)
    whole = found.integers if found.high - found.low < 1e6 else 0
    fits = {
        "id": 0.3 if found.dates > 0.8 or (found.numbers > 0.9 and found.integers < 0.9) else 1.0,
        "date": max(found.dates, 0.8 * _serials(found)),
        "number": found.numbers if found.dates < 0.9 else 0.2,
        "count": whole,
        "share": found.share(_SHARE),  # a discount in money is none of ours
        "flag": max(found.flags, 1.0 if found.distinct == 2 else 0.0),
        "mark": max(found.flags, 1.0 if found.distinct <= 3 else 0.0),
        "year": found.integers if found.low >= 1900 and found.high <= 2030 else 0.0,
        "contact": 1.0 if found.contacts > 0.5 else 0.6 if found.dates < 0.5 else 0.2,
        "gender": 1.0 if found.distinct <= 4 else 0.3,
        "name": max(words, 0.3),
        "words": max(words, 0.2),
        "category": 0.25 if found.dates > 0.9 or (found.numbers > 0.9 and found.integers < 0.9) else 1.0,
    }
    return fits[kind]


def _serials(found: Profile) -> float:
    """Excel's day numbers."""
    return found.integers if 20_000 <= found.low <= found.high <= 60_000 else 0.0


@lru_cache(maxsize=100_000)
def named(header: str, table: str, column: str) -> float:
    """How plainly a header names a column: 1 its own name, .5 and less by a part of it, 0 not at all.

    >>> named("Customer_ID", "transactions", "customer_id"), named("colour", "transactions", "price")
    (1.0, 0.0)
    """
    form, bare, words = _forms(header)
    whole, parts, ends = _spoken(table, column)
    sure = whole.get(form) or whole.get(bare)
    if sure or any(word in f"{words} {form}" for word in NOT_PAID):
        return sure or 0.0
    # A header's last words: `review score` is a score, 实际销售额 an amount.
    part = form.endswith(ends) or any(words.endswith(part) for part in parts)
    return 0.7 if part else 0.0


@lru_cache(maxsize=10_000)
def _forms(header: str) -> tuple[str, str, str]:
    """A header as it is compared: whole, without what stands in brackets, and as words."""
    return known_as(header), known_as(re.sub(r"[(\[].*?[)\]]", "", tidy(header))), plain(header)


@lru_cache
def _spoken(table: str, column: str) -> tuple[dict[str, float], tuple[str, ...], tuple[str, ...]]:
    """How plainly each name of a column names it; the ends of a header, English and Chinese, that do half."""
    aliases = ALIASES[table][column]
    whole = {
        known_as(alias): (0.9 if alias in VAGUE else 0.97) - 0.0001 * place
        for place, alias in reversed(list(enumerate(aliases)))
    }
    whole[joined(column)] = 0.98 if plain(column) in VAGUE else 1.0
    parts = tuple(f" {plain(alias)}" for alias in aliases if alias.isascii())
    ends = tuple(known_as(alias) for alias in aliases if not alias.isascii() and len(known_as(alias)) > 1)
    return whole, parts, ends


@dataclass(frozen=True)
class Guess:
    """A column of ours, the header that probably holds it, how sure that is (per cent), and why."""

    column: str
    header: str
    confidence: int
    reason: str


def candidates(table: str, column: str, profiles: dict[str, Profile]) -> list[Guess]:
    """Headers that may hold a column, the surest first; by their cells alone only where these are plain."""
    kind, found = kind_of(table, column), []
    for header, about in profiles.items():
        name, fits = named(header, table, column), fit(kind, about)
        if name:
            sure = name * (0.2 + 0.8 * fits) if fits < 0.95 else name
            how = "by its name" if name > 0.8 else "by a part of its name"
            found.append(
                (sure, Guess(column, header, round(100 * sure - 2.5), f"{how}; {told(kind, about)}"))
            )
        elif alone := _alone(column, about):
            found.append(
                (alone, Guess(column, header, round(100 * alone), f"by its cells: {told(kind, about)}"))
            )
    return [guess for _, guess in sorted(found, key=lambda pair: -pair[0])]


def _alone(column: str, about: Profile) -> float:
    """How sure cells alone make it that they are a column's: telephones, provinces and genders are plain."""
    if not about.filled:
        return 0.0
    plain = {"contact": about.contacts > 0.8, "gender": about.genders == 1, "region": about.provinces > 0.8}
    return 0.65 if plain.get(column) else 0.0


def told(kind: str, about: Profile) -> str:
    """What was found in a column's cells, in counts."""
    if not about.filled:
        return "empty"
    if kind == "date":
        return f"{about.dates:.0%} dates"
    if kind in ("number", "count", "share", "year"):
        return f"{about.numbers:.0%} numbers"
    return f"{about.distinct:,} different values" if about.distinct > 1 else "one value"
