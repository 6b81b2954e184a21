"""Every measure's one meaning: id, unit, label, formula, source.

`results.json`, the glossary, the report and the tests use these ids and no others. An id may hold
places in braces (`sales.identified.{dimension}.{value}`), filled when a figure is recorded.
"""

import re
from functools import lru_cache

from crmlib.definitions import ALL, UNITS, Measure  # noqa: F401 — one door for what a measure is


@lru_cache(maxsize=4096)
def measure(id: str) -> Measure:
    """The measure of a figure's id; a figure without a definition is refused.

    >>> measure("sales.identified.region.华东").label
    'Identified sales by group'
    >>> measure("sales.identified").unit
    'money'
    """
    for known in ALL:
        if known.id == id:
            return known
    # The pattern that says most comes first: satisfaction.{aspect}.raw before satisfaction.{aspect}.
    for known in sorted(ALL, key=lambda known: -len(re.sub(r"\{\w+\}", "", known.id))):
        if "{" in known.id and re.fullmatch(_pattern(known.id), id, re.DOTALL):
            return known
    raise KeyError(f"{id} has no definition in crmlib.measures")


def _pattern(id: str) -> str:
    """An id with places as a regular expression; only the last place may hold dots."""
    *first, last = re.split(r"\{\w+\}", id)
    return "[^.]+".join(map(re.escape, first)) + ".+" + re.escape(last)


def change(unit: str, value: float | None, previous: float | None) -> float | None:
    """From one period to the next: the difference of shares and scores, the growth of all else.

    >>> change("share", 0.5, 0.25), change("money", 110, 100), change("money", 110, None)
    (0.25, 0.1, None)
    """
    if value is None or previous is None:
        return None
    if unit in ("share", "score"):
        return value - previous
    return (value - previous) / abs(previous) if previous else None
