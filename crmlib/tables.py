"""How tables are kept on disk and read again, each held to its contract (`crmlib.contracts`).

Tables are written in one atomic step with page checksums and a fingerprint, and checked against
their contract and fingerprint when read.
"""

import atexit
import hashlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from crmlib import as_of
from crmlib.contract import Column, Table  # noqa: F401
from crmlib.contracts import (  # noqa: F401 — reached as tables.CUSTOMERS: one door for contract and storage
    ALL,
    APPLICATIONS,
    AT_RISK,
    CAMPAIGNS,
    CLASSES,
    CLASSES_BEFORE,
    COSTS,
    CROSS_SALES,
    CUSTOMERS,
    DAYS,
    DEMAND,
    FACTS,
    FEEDBACK,
    INTERACTIONS,
    LEDGER,
    MARKET,
    NEEDS,
    PREDICTED,
    PROPOSED,
    QUARANTINE,
    RELATIONS,
    REPAIRS,
    SNAPSHOT,
    SURVEYS,
    TIERS,
    TRANSACTIONS,
    VIEW,
)
from crmlib.errors import MissingStep, SchemaError


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


def write(content: pa.Table | pd.DataFrame | Path, folder: Path, table: Table) -> Path:
    """The content, checked and written whole as `folder/<table>.parquet`, with its fingerprint.

    A file of this process, for rows that need not fit into memory, is copied as it is.
    """
    path = folder / f"{table.name}.parquet"
    if not isinstance(content, Path):
        return write_arrow(conform(content, table), path)
    conform(pq.read_schema(content).empty_table(), table)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file, content.open("rb") as source:
            shutil.copyfileobj(source, file, 1 << 20)
        return _named(Path(temporary), path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_arrow(content: pa.Table, path: Path) -> Path:
    """An Arrow table written in one atomic step, its fingerprint beside it."""
    sink = pa.BufferOutputStream()
    pq.write_table(content, sink, compression="zstd", write_page_checksum=True)
    data = sink.getvalue().to_pybytes()
    replace(path, data)
    replace(path.with_suffix(".sha256"), hashlib.sha256(data).hexdigest().encode())
    return path


def write_batches(batches: Iterable[pa.RecordBatch | pa.Table], schema: pa.Schema, path: Path) -> Path:
    """The same for parts that need not fit into memory together; the file is closed before it is named.

    Such files are large and read many times: they are packed the quick way, not the small one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    os.close(handle)
    try:
        texts = [field.name for field in schema if pa.types.is_string(field.type)]
        whole = [f.name for f in schema if pa.types.is_integer(f.type) or pa.types.is_timestamp(f.type)]
        batches = iter(batches)
        first = list(itertools.islice(batches, 1))
        kept = coded(schema, first[0].schema) if first else schema
        with pq.ParquetWriter(
            temporary,
            kept,
            store_schema=kept == schema,  # the file keeps texts, however they came
            compression="snappy",
            write_page_checksum=True,
            # Numbers mostly differ from row to row, and mostly little: so they are smaller and sooner read.
            use_dictionary=texts or False,
            column_encoding=dict.fromkeys(whole, "DELTA_BINARY_PACKED"),
            write_statistics=[field.name for field in schema if field.name not in texts] or False,
        ) as out:
            for batch in itertools.chain(first, batches):
                out.write(batch.cast(kept))
        return _named(Path(temporary), path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def coded(schema: pa.Schema, came: pa.Schema) -> pa.Schema:
    """A schema, but with texts numbered (a dictionary of them, and a number a row) where they come so."""
    types = [came.field(field.name).type for field in schema]
    return pa.schema(
        [
            field.with_type(type) if pa.types.is_dictionary(type) else field
            for field, type in zip(schema, types, strict=True)
        ]
    )


def _named(temporary: Path, path: Path) -> Path:
    """A finished file under its name, its fingerprint beside it."""
    with temporary.open("rb") as file:
        mark = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    replace(path.with_suffix(".sha256"), mark.encode())
    return path


def put(written: Path, path: Path) -> Path:
    """A table that this process has written already, at its place and with its fingerprint."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as out, written.open("rb") as content:
            shutil.copyfileobj(content, out, 1024**2)
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    replace(path.with_suffix(".sha256"), written.with_suffix(".sha256").read_bytes())
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
    """The same as a pandas table; with `until`, as it was known on that day (`crmlib.as_of`)."""
    rows = arrow(folder, table)
    return (rows if until is None else as_of.known(rows, table, until)).to_pandas()


def supplied(folder: Path, table: Table, until: int | None = None) -> pd.DataFrame | None:
    """The same for an optional table: None where the client does not supply it."""
    return frame(folder, table, until) if delivered(folder, table) else None


def delivered(folder: Path, table: Table) -> bool:
    """Whether the client supplies a table.

    The ledger tells: it has a part for every table that was delivered, so that a file left from an
    earlier delivery is never taken for a part of this one.
    """
    return table.name in set(frame(folder, LEDGER)["table"])


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


def relation(folder: Path, table: Table, until: int | None = None) -> duckdb.DuckDBPyRelation:
    """A table as a lazy DuckDB relation; with `until`, as it was known on that day (`crmlib.as_of`).

    Steps 03 onward pass their `as_of` here, so that nothing after it can be seen.
    """
    path = verified(folder / f"{table.name}.parquet", table.step)
    rows = engine().read_parquet(str(path))
    return rows if until is None else as_of.lazily(rows, table, until)


@lru_cache(maxsize=1)
def spill() -> Path:
    """A folder of this process, closed to others, for what does not fit into memory."""
    folder = Path(tempfile.mkdtemp(prefix="crm-spill-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def scratch() -> Path:
    """A Parquet file of this process, still empty, for what does not fit into memory."""
    handle, path = tempfile.mkstemp(dir=spill(), prefix="rows-", suffix=".parquet")
    os.close(handle)
    return Path(path)


def engine(*, alone: bool = False, workers: int | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB session with temporary tables of its own: bounded memory, spilling to the system's temporary folder.

    Sessions share one database of this process, because building one takes longer than most questions. What
    a session sets for the whole database, or creates without TEMP, needs one that stands `alone`. One of the
    `workers` hands rows on in the order in which they stand, and spends less than two do together; unless
    said, there are as many as the machine has.
    """
    memory = os.environ.get("CRM_MEMORY", "1GB")
    return _database(memory, workers) if alone else _common(memory, workers).cursor()


@lru_cache(maxsize=2)
def _common(memory: str, workers: int | None) -> duckdb.DuckDBPyConnection:
    return _database(memory, workers)


def _database(memory: str, workers: int | None) -> duckdb.DuckDBPyConnection:
    settings: Mapping[str, str] = {
        "memory_limit": memory,
        "temp_directory": tempfile.mkdtemp(dir=spill()),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        **({"threads": str(workers)} if workers else {}),
    }
    return duckdb.connect(":memory:", config=dict(settings))
