"""How tests look at a delivered file that was read: its records, numbers, what was set aside, refusals."""

from pathlib import Path

import pytest

from crmlib.collection.files import ROW, TextTable, text_table
from crmlib.errors import SourceError


def records(found: TextTable) -> list[list[str]]:
    """Its records as rows of text."""
    columns = [found.rows[name].to_pylist() for name in found.headers]
    return [list(row) for row in zip(*columns, strict=True)]


def numbers(found: TextTable) -> list[int]:
    """Where its records stood."""
    return found.rows[ROW].to_pylist()


def aside(found: TextTable) -> list[tuple[int, str, str]]:
    """What was set aside: row, reason, as delivered."""
    assert found.records == found.rows.num_rows + len(found.broken)
    return [(broken.row, broken.reason, broken.raw) for broken in found.broken]


def repairs(found: TextTable) -> list[tuple]:
    """What was repaired: row, column, old, new, rule."""
    assert found.records >= 0
    return [(r.row, r.column, r.old, r.new, r.rule) for r in found.repairs]


def refusal(path: Path, **how) -> str:
    """The one message under which a file is refused, now or while it is read."""
    with pytest.raises(SourceError) as refused:
        list(text_table(path, expected=how.pop("expected", set()), **how).batches())
    return str(refused.value)
