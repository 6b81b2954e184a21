"""What a contract is: a table's columns, their types, units and meanings.

Money is a whole number of the smallest unit a client keeps (`decimals` in `client.yml`); a day is
a whole number of days since 1970-01-01, because every engine computes with those alike.
"""

from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

MONEY = pa.int64()
DAY = pa.int32()
TEXT, FLAG, NUMBER, COUNT = pa.string(), pa.bool_(), pa.float64(), pa.int64()


@dataclass(frozen=True)
class Column:
    """One column: its type on disk, what it means, and whether it names a person."""

    name: str
    type: pa.DataType
    meaning: str
    required: bool = False  # a client must map it
    personal: bool = False  # masked before anything shows it


@dataclass(frozen=True)
class Table:
    """A table's promise."""

    name: str
    step: str  # the notebook that writes it
    columns: tuple[Column, ...]

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns as Arrow knows them."""
        return pa.schema([(column.name, column.type) for column in self.columns])

    @cached_property
    def personal(self) -> frozenset[str]:
        """Columns that may stand in clear under `internal/` only."""
        return frozenset(column.name for column in self.columns if column.personal)

    def column(self, name: str) -> Column | None:
        """The column of this name, if promised."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True)
class NotYet:
    """A cell that is told from a day of its row on, and what it says before: nothing, unless a word is given."""

    since: str  # the column of that day or moment
    before: str | None = None


def columns(*rows: tuple) -> tuple[Column, ...]:
    """Columns from (name, type, meaning, required, personal); the last two may be left out."""
    return tuple(Column(*row) for row in rows)
