"""Which ids join the exports of a delivery: values of one column that are the key of another file."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import pyarrow.compute as pc

from crmlib import tables
from crmlib.collection.headers import known_as
from crmlib.collection.recognition import IDS, Guess, Profile, candidates, named, profile
from crmlib.collection.samples import Export
from crmlib.collection.vocabulary import ALIASES

MOST_VALUES = 2_000_000
CONTAINED = 0.9  # of the values on one side, where the headers differ
NAMED = 0.5  # the same, where the headers agree
FEWEST = 20  # different values that prove anything by themselves


@dataclass(frozen=True)
class Link:
    """A column whose values are found in another export's key: many rows here, at most one there."""

    child: str  # export
    column: str  # header there
    parent: str  # export in which every key stands once
    key: str  # header there
    share: float  # of the child's different values that the parent has
    sure: bool  # both exports were read whole


class Look:
    """One export with its columns' profiles and values, each worked out once."""

    def __init__(self, export: Export) -> None:
        self.export = export
        self._values: dict[str, frozenset[str]] = {}
        self._candidates: dict[tuple[str, str], list[Guess]] = {}

    @cached_property
    def profiles(self) -> dict[str, Profile]:
        """Header → what its cells are."""
        return {name: profile(self.export.rows[name]) for name in self.export.headers}

    @cached_property
    def keys(self) -> list[str]:
        """Headers under which no value stands twice and no cell is empty."""
        return [
            name
            for name, about in self.profiles.items()
            if about.unique and about.filled == about.rows and about.dates < 0.5 and about.length <= 60
        ]

    def candidates(self, table: str, column: str) -> list[Guess]:
        """Headers that may hold a column, the surest first."""
        if (table, column) not in self._candidates:
            self._candidates[table, column] = candidates(table, column, self.profiles)
        return self._candidates[table, column]

    def values(self, header: str) -> frozenset[str]:
        """The different values of a column."""
        if header not in self._values:
            told = pc.unique(self.profiles[header].text)
            self._values[header] = frozenset(told.slice(0, MOST_VALUES).to_pylist())
        return self._values[header]


def links(looks: Mapping[str, Look]) -> list[Link]:
    """Every link from a column of one export to a key of another, the fullest first."""
    found = []
    for parent in looks.values():
        for key in parent.keys:
            for child in looks.values():
                if child is not parent:
                    found += _to(parent, key, child)
    return sorted(found, key=lambda link: (link.child, link.parent, -link.share, link.column))


def _to(parent: Look, key: str, child: Look) -> list[Link]:
    """Links from the columns of a child to one key of a parent."""
    found = []
    for column, about in child.profiles.items():
        agreed = same_name(column, key)
        if not about.filled or not (agreed or _alike(about, parent.profiles[key])):
            continue
        ours, theirs = child.values(column), parent.values(key)
        common = len(ours & theirs)
        share = common / len(ours)
        enough = max(share, common / len(theirs)) >= (NAMED if agreed else CONTAINED)
        if enough and (agreed or (common >= FEWEST and share >= CONTAINED)):
            sure = parent.export.whole and child.export.whole
            found.append(Link(child.export.name, column, parent.export.name, key, share, sure))
    return found


@lru_cache(maxsize=100_000)
def same_name(one: str, other: str) -> bool:
    """Whether two headers name the same number of the same thing.

    >>> same_name("CustomerID", "客户编号"), same_name("zip_code", "Zip Code"), same_name("id", "price")
    (True, True, False)
    """
    if known_as(one) == known_as(other):
        return known_as(one) not in ("id", "count", "日期", "date")
    return any(
        named(one, table, column) > 0.9 and named(other, table, column) > 0.9
        for column in IDS
        for table in ("transactions", "applications", "relations")
        if column in ALIASES[table]
    )


def _alike(one: Profile, other: Profile) -> bool:
    """Whether two columns look like the same kind of number of things; small counts look like anything."""
    same = one.shape[0] == other.shape[0] or (one.shape[1] < 0.6 and abs(one.length - other.length) < 1)
    counted = one.numbers > 0.9 and min(one.high, other.high) < 1000
    enough = min(one.distinct, other.distinct) >= FEWEST and not counted
    return same and enough and min(one.identifying, other.identifying) >= 0.8


def paths(base: str, found: Iterable[Link], *, deepest: int = 3) -> dict[str, list[Link]]:
    """For each export that a base reaches from key to key, the links that lead there, the shortest way.

    Every step goes to a key, so that no row of the base is ever doubled.
    """
    reached: dict[str, list[Link]] = {base: []}
    for _ in range(deepest):
        step: dict[str, list[Link]] = {}
        for link in found:
            if link.child in reached and link.parent not in reached:
                known = step.get(link.parent)
                if known is None or link.share > known[-1].share:
                    step[link.parent] = [*reached[link.child], link]
        reached |= step
    return reached


def spelt(name: str) -> str:
    """A name as SQL takes it, quoted only where it must be.

    >>> spelt("order_items"), spelt("订单"), spelt("order"), spelt("Customer ID")
    ('order_items', '"订单"', '"order"', '"Customer ID"')
    """
    plain = re.fullmatch(r"[a-z_][a-z0-9_]*", name) and name not in _reserved()
    return name if plain else '"' + name.replace('"', '""') + '"'


@lru_cache(maxsize=1)
def _reserved() -> frozenset[str]:
    found = tables.engine().sql(
        "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'"
    )
    return frozenset(name for (name,) in found.fetchall())
