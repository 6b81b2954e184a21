"""A table as it was known on a day: no row of a later day, and in no row a word that was only said later.

The days, and the columns that are told later than their row, stand in `crmlib.contracts`.
"""

import datetime as dt

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from crmlib.contract import Table
from crmlib.contracts import DAYS, NOT_YET

EPOCH = dt.date(1970, 1, 1)
# Customers known from their order lines alone have a row for every change.
SEEN = DAYS | {"customers": "as_from_day"}


def known(rows: pa.Table, table: Table, until: int) -> pa.Table:
    """Rows up to a day, as they stood on it; a row without a day belongs to every day.

    Parameters
    ----------
    rows : in the columns of `table`, or some of them
    until : days since 1970-01-01, that day counted whole

    Examples
    --------
    >>> from crmlib.contracts import APPLICATIONS
    >>> two = pa.table({"applied_day": [5, 9], "decided_day": [8, 9], "decision": ["approved", "declined"]})
    >>> known(two, APPLICATIONS, 7).to_pylist()
    [{'applied_day': 5, 'decided_day': None, 'decision': 'pending'}]
    """
    day = SEEN.get(table.name)
    if day:
        rows = rows.filter(pc.or_kleene(pc.is_null(rows[day]), pc.less_equal(rows[day], until)))
    cells = {}
    for column, told in NOT_YET.get(table.name, {}).items():
        later = pc.fill_null(_after(rows[told.since], until), False)
        before = pa.scalar(told.before, rows.schema.field(column).type)
        cells[column] = pc.if_else(later, before, rows[column])
    for column, content in cells.items():
        rows = rows.set_column(
            rows.schema.get_field_index(column), rows.schema.field(column), content.cast(rows[column].type)
        )
    return rows


def _after(days: pa.ChunkedArray, until: int) -> pa.ChunkedArray:
    if not pa.types.is_timestamp(days.type):
        return pc.greater(days, until)
    return pc.greater_equal(days.cast(pa.timestamp("s")), pa.scalar(_next(until), pa.timestamp("s")))


def _next(until: int) -> dt.datetime:
    """The first moment after a day."""
    return dt.datetime.combine(EPOCH, dt.time()) + dt.timedelta(days=until + 1)


def lazily(rows: duckdb.DuckDBPyRelation, table: Table, until: int) -> duckdb.DuckDBPyRelation:
    """The same of a lazy DuckDB relation."""
    day = SEEN.get(table.name)
    if day:
        rows = rows.filter(f"{day} <= {int(until)} OR {day} IS NULL")
    changed = []
    for column, told in NOT_YET.get(table.name, {}).items():
        moment = pa.types.is_timestamp(table.column(told.since).type)
        limit = f"TIMESTAMP '{_next(until)}'" if moment else f"{int(until) + 1}"
        before = f"'{told.before}'" if told.before else "NULL"
        changed.append(f"CASE WHEN {told.since} >= {limit} THEN {before} ELSE {column} END AS {column}")
    return rows.project(f"* REPLACE ({', '.join(changed)})") if changed else rows
