"""What each table promises: columns, types, units; and how tables are kept on disk.

Money is a whole number of the smallest unit a client keeps (`decimals` in `client.yml`); a day is
a whole number of days since 1970-01-01, because every engine computes with those alike. Tables
are written in one atomic step with page checksums and a fingerprint, and checked against their
contract and fingerprint when read.
"""

import atexit
import dataclasses
import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from crmlib.errors import MissingStep, SchemaError

MONEY = pa.int64()
DAY = pa.int32()


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


def _columns(*rows: tuple) -> tuple[Column, ...]:
    return tuple(Column(*row) for row in rows)


TEXT, FLAG, NUMBER, COUNT = pa.string(), pa.bool_(), pa.float64(), pa.int64()

CUSTOMERS = Table(
    "customers",
    "02-cleaning",
    _columns(
        ("customer_id", TEXT, "the firm's own number for the customer", True, True),
        ("name", TEXT, "person or company", False, True),
        ("contact", TEXT, "telephone or e-mail", False, True),
        ("customer_type", TEXT, "personal, enterprise or large_enterprise (X06)"),
        ("industry", TEXT, "as delivered"),
        ("region", TEXT, "province or region, as delivered"),
        ("city", TEXT, "as delivered"),
        ("gender", TEXT, "as delivered"),
        ("birth_year", pa.int32(), "year of birth"),
        ("scale", TEXT, "business scale, as delivered"),
        ("credit_grade", TEXT, "as delivered"),
        ("opened_day", DAY, "day the relationship began, as delivered"),
        ("need", TEXT, "price_sensitive, quality_seeking or personalised, as stated (X03)"),
        ("updated_day", DAY, "day the record was last changed; decides between conflicting records"),
        ("as_from_day", DAY, "first day this version was seen on an order line; empty for a delivered table"),
        ("source_file", TEXT, "file it came from"),
        ("source_row", COUNT, "row in that file, the header being row 1 of a plain file"),
    ),
)

TRANSACTIONS = Table(
    "transactions",
    "02-cleaning",
    _columns(
        ("line_id", COUNT, "number of the line in the delivery"),
        ("customer_id", TEXT, "as delivered; empty where none was given", False, True),
        ("known", FLAG, "the customer is known: named, and listed where a customer table is supplied"),
        ("order_id", TEXT, "one basket; its lines share it"),
        ("ordered_at", pa.timestamp("s"), "in the client's time zone", True),
        ("order_day", DAY, "day of the order"),
        ("order_month", pa.int32(), "year × 12 + month − 1"),
        ("product_id", TEXT, "as delivered"),
        ("product", TEXT, "as delivered"),
        ("product_group", TEXT, "as delivered"),
        ("channel", TEXT, "as delivered"),
        ("region", TEXT, "where the line says it went, as delivered; empty where only the customer has one"),
        ("quantity", NUMBER, "pieces, negative on a return"),
        ("price", MONEY, "of one piece, in the smallest unit"),
        ("amount", MONEY, "quantity × price unless supplied"),
        ("profit", MONEY, "of the line; empty where not supplied"),
        ("kind", TEXT, "sale, return or gift"),
        ("returned", MONEY, "what the line takes back: 0, or a negative amount"),
        ("flags", TEXT, "what is unusual about a line that was kept, comma between"),
        ("source_file", TEXT, "file it came from"),
        ("source_row", COUNT, "row in that file"),
    ),
)

SURVEYS = Table(
    "surveys",
    "02-cleaning",
    _columns(
        ("customer_id", TEXT, "who answered", True, True),
        ("known", FLAG, "the customer is known"),
        ("answered_day", DAY, "day of the answer", True),
        ("aspect", TEXT, "product, service, after_sales, brand, overall or recommend"),
        ("score", NUMBER, "on the scale as asked"),
        ("low", NUMBER, "worst end of the scale"),
        ("high", NUMBER, "best end of the scale"),
        ("source_file", TEXT, "file it came from"),
        ("source_row", COUNT, "row in that file"),
    ),
)

QUARANTINE = Table(
    "quarantine",
    "02-cleaning",
    _columns(
        ("table", TEXT, "the table the row was meant for"),
        ("reason", TEXT, "why it was set aside"),
        ("money", MONEY, "what the row was worth, as far as its amount could be read"),
        ("source_file", TEXT, "file it came from"),
        ("source_row", COUNT, "row in that file"),
        ("raw", TEXT, "the row as delivered, JSON of header: text", False, True),
    ),
)

LEDGER = Table(
    "ledger",
    "02-cleaning",
    _columns(
        ("table", TEXT, "the table"),
        ("step", TEXT, "what the step looked for, in order"),
        ("rows_in", COUNT, "rows"),
        ("rows_kept", COUNT, "rows"),
        ("rows_merged", COUNT, "rows that said nothing new"),
        ("rows_quarantined", COUNT, "rows set aside with a reason"),
        ("money_in", MONEY, "smallest unit"),
        ("money_kept", MONEY, "smallest unit"),
        ("money_merged", MONEY, "smallest unit"),
        ("money_quarantined", MONEY, "smallest unit"),
    ),
)

FACTS = Table(
    "facts",
    "03-classification",
    _columns(
        ("customer_id", TEXT, "the customer", True, True),
        ("first_day", DAY, "day of the first order"),
        ("last_day", DAY, "day of the last order"),
        ("orders", COUNT, "orders with a sale"),
        ("order_days", COUNT, "days with an order"),
        ("gross", MONEY, "sales"),
        ("returned", MONEY, "returns, negative"),
        ("net", MONEY, "sales and returns"),
        ("profit", MONEY, "profit of sales and returns; empty where not supplied"),
        ("recency_days", COUNT, "days from the last order to as_of"),
        ("tenure_days", COUNT, "days from the first order to as_of"),
        ("gap_days", NUMBER, "mean days between order days; empty with one order day"),
        ("orders_a_year", NUMBER, "orders per 365.25 days of tenure, counting at least one year"),
    ),
)

CLASSES = Table(
    "classes",
    "03-classification",
    _columns(
        ("customer_id", TEXT, "the customer", True, True),
        ("recency_score", pa.int8(), "1–5, 5 for the most recent; 0 where too few to score"),
        ("frequency_score", pa.int8(), "1–5"),
        ("monetary_score", pa.int8(), "1–5"),
        ("segment", TEXT, "RFM segment (X18)"),
        ("value", TEXT, "high, medium, low (X01)"),
        ("behaviour", TEXT, "active, dormant, churned (X02)"),
        ("behaviour_fixed", TEXT, "the same by fixed days for everyone"),
        ("abc", TEXT, "A, B, C (X05)"),
        ("frequency", TEXT, "high, medium, low"),
        ("activity", TEXT, "high, medium, low"),
        ("loyalty", TEXT, "high, medium, low"),
        ("satisfaction", TEXT, "satisfied, neutral, dissatisfied (X04)"),
        ("tier", TEXT, "high, medium, low (X16)"),
        ("tier_points", NUMBER, "1–3, the weighted mean behind the tier"),
    ),
)

# The same customers at the previous as_of, judged by today's rules.
CLASSES_BEFORE = dataclasses.replace(CLASSES, name="classes_before")

ALL = {
    table.name: table
    for table in (
        *(CUSTOMERS, TRANSACTIONS, SURVEYS, QUARANTINE, LEDGER),
        *(FACTS, CLASSES, CLASSES_BEFORE),
    )
}


def conform(content: pa.Table | pd.DataFrame, table: Table) -> pa.Table:
    """The content with exactly the promised columns, in order and type; `SchemaError` otherwise."""
    names = content.column_names if isinstance(content, pa.Table) else list(content.columns)
    missing = [column.name for column in table.columns if column.name not in names]
    if missing:
        raise SchemaError(
            f"{table.name} lacks {', '.join(missing)} "
            f"({'; '.join(table.column(name).meaning for name in missing)}). "
            f"It has: {', '.join(names)}."
        )
    if isinstance(content, pd.DataFrame):
        return pa.Table.from_pandas(
            content[table.schema.names], schema=table.schema, preserve_index=False
        ).replace_schema_metadata(None)
    return content.select(table.schema.names).cast(table.schema).replace_schema_metadata(None)


def write(content: pa.Table | pd.DataFrame, folder: Path, table: Table) -> Path:
    """The content, checked and written whole as `folder/<table>.parquet`, with its fingerprint."""
    return write_arrow(conform(content, table), folder / f"{table.name}.parquet")


def write_arrow(content: pa.Table, path: Path) -> Path:
    """An Arrow table written in one atomic step, its fingerprint beside it."""
    sink = pa.BufferOutputStream()
    pq.write_table(content, sink, compression="zstd", write_page_checksum=True)
    data = sink.getvalue().to_pybytes()
    replace(path, data)
    replace(path.with_suffix(".sha256"), hashlib.sha256(data).hexdigest().encode())
    return path


def replace(path: Path, data: bytes) -> Path:
    """A file with this content: the old one stands until the new one is safely on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def verified(path: Path, step: str) -> Path:
    """The path, if its file is there and still the one that was written."""
    if not path.is_file():
        raise MissingStep(
            f"{path.name} is not there yet: {step} writes it. Run notebook {step} for this client first."
        )
    mark = path.with_suffix(".sha256")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not mark.is_file() or mark.read_text() != found:
        raise SchemaError(
            f"{path.name} is not the file that {step} wrote (its fingerprint differs): "
            f"damaged or changed by hand. Run notebook {step} again; built/ can be deleted at any time."
        )
    return path


def arrow(folder: Path, table: Table) -> pa.Table:
    """A table as written, checked; `MissingStep` names the notebook to run first."""
    content = pq.read_table(
        verified(folder / f"{table.name}.parquet", table.step), page_checksum_verification=True
    )
    return conform(content, table)


def frame(folder: Path, table: Table, until: int | None = None) -> pd.DataFrame:
    """The same as a pandas table; with `until`, dated rows up to that day only."""
    rows = arrow(folder, table).to_pandas()
    day = _day_column(table)
    return rows[rows[day] <= until].reset_index(drop=True) if until is not None and day else rows


def supplied(folder: Path, table: Table, until: int | None = None) -> pd.DataFrame | None:
    """The same for an optional table: None where the client does not supply it.

    The ledger tells: it has a part for every table that was delivered, so that a file left from an
    earlier delivery is never taken for a part of this one.
    """
    delivered = set(frame(folder, LEDGER)["table"])
    return frame(folder, table, until) if table.name in delivered else None


def customers(folder: Path, until: int) -> pd.DataFrame:
    """Customers as they were known on a day, one row each.

    A delivered customer table carries no dates: it is as delivered. Customers known from their order
    lines alone have a row for every change, and of these the newest by that day is taken.
    """
    rows = frame(folder, CUSTOMERS)
    seen = rows[rows["as_from_day"].isna() | (rows["as_from_day"] <= until)]
    return seen.sort_values(["customer_id", "as_from_day"], kind="stable").drop_duplicates(
        "customer_id", keep="last", ignore_index=True
    )


def _day_column(table: Table) -> str | None:
    return next((c.name for c in table.columns if c.name in ("order_day", "answered_day")), None)


def relation(folder: Path, table: Table, until: int | None = None) -> duckdb.DuckDBPyRelation:
    """A table as a lazy DuckDB relation; with `until`, dated rows up to that day only.

    Steps 03 onward pass their `as_of` here, so that nothing after it can be seen.
    """
    path = verified(folder / f"{table.name}.parquet", table.step)
    rows = engine().read_parquet(str(path))
    day = _day_column(table)
    return rows.filter(f"{day} <= {int(until)}") if until is not None and day else rows


@lru_cache(maxsize=1)
def _spill() -> Path:
    """A folder of this process, closed to others, for what does not fit into memory."""
    folder = Path(tempfile.mkdtemp(prefix="crm-spill-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def engine() -> duckdb.DuckDBPyConnection:
    """A DuckDB of its own: bounded memory, spilling to the system's temporary folder."""
    settings: Mapping[str, str] = {
        "memory_limit": os.environ.get("CRM_MEMORY", "4GB"),
        "temp_directory": str(_spill()),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    return duckdb.connect(":memory:", config=dict(settings))
