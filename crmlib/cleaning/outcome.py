"""What cleaning makes of a delivered table: rows kept, rows set aside, cells repaired, and the account."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from crmlib import tables
from crmlib.collection import values
from crmlib.collection.files import ROW
from crmlib.collection.sources import FILE, Collected

# Records that a file itself shows to be none, or none that can be read.
MISFITS = (
    *("corrected", "unknown-row", "undecodable", "oversized-cell", "stray-quote", "other-delimiter"),
    *("not-json", "repeated-key", "extra-cell", "missing-cell", "hidden-row", "uncomputed-formula"),
    *("error-cell", "repeated-header", "not-a-record", "digits-lost"),
)
AT_ONCE = 100_000  # rows handed on at a time


@dataclass(frozen=True)
class Cleaned:
    """A table cleaned: what was kept, what was set aside, the account of both.

    `rows` and `repaired` are tables, or Parquet files of this process where rows need not fit into memory;
    both in their contract's columns.
    """

    rows: pa.Table | Path
    quarantine: pd.DataFrame
    ledger: pd.DataFrame
    forms: int = 0  # of a survey: forms kept, each with several answers
    repaired: pa.Table | Path | None = None
    people: pa.Table | None = None  # what a table of totals tells of customers, as `tables.CUSTOMERS`

    @cached_property
    def kept(self) -> pa.Table:
        """What was kept, in memory: for tables that are small."""
        return self.rows if isinstance(self.rows, pa.Table) else _whole_seconds(pq.read_table(self.rows))

    @cached_property
    def count(self) -> int:
        """Rows kept."""
        return self.rows.num_rows if isinstance(self.rows, pa.Table) else pq.read_metadata(self.rows).num_rows

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return self.rows.column_names if isinstance(self.rows, pa.Table) else pq.read_schema(self.rows).names

    def batches(self) -> Iterator[pa.RecordBatch]:
        """What was kept, a part at a time, for `tables.write_batches`."""
        return (_whole_seconds(batch) for batch in _batches(self.rows))

    def named(self, engine: duckdb.DuckDBPyConnection, name: str = "kept") -> None:
        """Name what was kept in an engine; it is read as it is needed."""
        if isinstance(self.rows, pa.Table):
            engine.register(name, self.rows)
        else:
            engine.execute(
                f"CREATE OR REPLACE TEMP VIEW {name} AS FROM read_parquet({values.literal(str(self.rows))})"
            )

    def asked(self, query: str) -> list[tuple]:
        """The answer to a question in SQL over `kept`."""
        engine = tables.engine(workers=1)
        self.named(engine)
        return engine.sql(query).fetchall()

    @property
    def repairs(self) -> pa.Table:
        """Cells that were not read as they stand, in the columns of `tables.REPAIRS`, in memory."""
        return pa.Table.from_batches(self.repair_batches(), tables.REPAIRS.schema)

    def repair_batches(self) -> Iterator[pa.RecordBatch]:
        """The same, a part at a time."""
        parts = () if self.repaired is None else _batches(self.repaired)
        return (pa.record_batch(part.columns, schema=tables.REPAIRS.schema) for part in parts)


def _batches(rows: pa.Table | Path) -> Iterator[pa.RecordBatch]:
    if isinstance(rows, pa.Table):
        return iter(rows.to_batches(AT_ONCE))
    return pq.ParquetFile(rows).iter_batches(AT_ONCE)


def _whole_seconds(rows):
    """The rows with their moments as promised: Parquet itself keeps no whole seconds."""
    seconds = pa.timestamp("s")
    fields = [f.with_type(seconds) if pa.types.is_timestamp(f.type) else f for f in rows.schema]
    return rows.cast(pa.schema(fields))


def stored(parts: Iterable[pa.RecordBatch | pa.Table], table: tables.Table) -> Path:
    """Rows in order, in whatever parts they come, as a file of this process in the table's columns."""
    return tables.write_batches(_even(parts, table.schema), table.schema, tables.scratch())


def _even(parts: Iterable[pa.RecordBatch | pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
    """The same rows in parts of one length."""
    held, count = [], 0
    for part in parts:
        rows = part if isinstance(part, pa.Table) else pa.Table.from_batches([part])
        rows = rows.select(schema.names).cast(tables.coded(schema, rows.schema))
        while count + rows.num_rows >= AT_ONCE:
            yield pa.concat_tables([*held, rows.slice(0, AT_ONCE - count)])
            held, count, rows = [], 0, rows.slice(AT_ONCE - count)
        held, count = [*held, rows], count + rows.num_rows
    if count:
        yield pa.concat_tables(held)


def misfit_fates(collected: Collected) -> pd.DataFrame:
    """Records that did not fit their header or were corrected, counted by reason.

    Money is known of corrected rows alone: of a record that fits no header it cannot be read.
    """
    broken = collected.broken.assign(money=collected.broken.get("money", 0))
    counts = broken.groupby("reason")["money"].agg(rows="size", money="sum").reset_index()
    return counts.astype({"rows": "int64", "money": "int64"})


def aside(judged: pd.DataFrame, collected: Collected) -> pd.DataFrame:
    """Quarantine lines for rows named by file and row, with their raw text.

    `judged` has source_file, source_row, reason and money, and may have column (the header of the cell at
    fault).
    """
    engine = tables.engine(workers=1)
    collected.delivered(engine)
    told = [c for c in ("source_file", "source_row", "reason", "money", "column") if c in judged]
    engine.register("judged", judged[told])
    originals = collected.headers
    pairs = ", ".join(f"{values.literal(c)}, d.{values.name(c)}" for c in originals)
    rows = engine.sql(
        f"SELECT j.*, CAST(json_object({pairs}) AS VARCHAR) AS raw FROM judged j "
        f"JOIN delivered d ON d.{FILE} = j.source_file AND d.{ROW} = j.source_row"
    ).df()
    sheets = dict(zip(collected.files["file"], collected.files["sheet"], strict=True))
    rows["sheet"] = rows["source_file"].map(sheets).fillna("")
    misfits = collected.broken[collected.broken["reason"] != "corrected"].assign(money=0)
    both = pd.concat([rows, misfits]).assign(table=collected.table)
    both["column"] = both["column"].fillna("") if "column" in both else ""
    ordered = both.sort_values(["source_file", "source_row", "reason"], ignore_index=True)
    return ordered[tables.QUARANTINE.schema.names].astype({"money": "int64", "source_row": "int64"})
