"""A client's delivery, collected: every table's files as one text table, and an account of each file."""

import datetime as dt
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from crmlib import tables
from crmlib.client import Client, shown
from crmlib.collection import values
from crmlib.collection.files import ROW, TextTable, text_table
from crmlib.collection.headers import names_people, nearest, tidy
from crmlib.errors import SourceError
from crmlib.mapping import Source, Surveys
from crmlib.period import day_number, day_of

FILE = "_file"
NO_END = 100_000  # days since 1970: later than any date that is read
NEEDS = {
    "customers": ({"customer_id"},),
    "transactions": ({"ordered_at", "amount"}, {"ordered_at", "price"}),
    "surveys": ({"customer_id", "answered_day"},),
}
CUSTOMER_COLUMNS = [c.name for c in tables.CUSTOMERS.columns if not c.name.startswith(("source_", "as_from"))]
LINE_COLUMNS = [
    *("customer_id", "order_id", "ordered_at", "product_id", "product", "product_group", "channel", "region"),
    *("quantity", "price", "amount", "profit"),
]
DATED = {"transactions": "ordered_at", "surveys": "answered_day"}


@dataclass(frozen=True)
class Collected:
    """One table of a delivery, as it came.

    The file at `path` holds every source column as text, `_file` and `_row`; `broken` the records that
    did not fit their header (file, sheet, row, reason, raw); `files` the account of each file.
    """

    table: str
    path: Path
    broken: pd.DataFrame
    files: pd.DataFrame
    personal: frozenset[str] = frozenset()  # headers that are mapped to personal columns

    @property
    def records(self) -> int:
        """Records delivered."""
        return pq.read_metadata(self.path).num_rows + len(self.broken)

    @property
    def headers(self) -> list[str]:
        """Headers of the source, without `_file` and `_row`."""
        return [name for name in pq.read_schema(self.path).names if name not in (FILE, ROW)]

    @cached_property
    def rows(self) -> pa.Table:
        """Every record, in memory: for tables that are small."""
        return pq.read_table(self.path)

    def delivered(self, engine: duckdb.DuckDBPyConnection) -> None:
        """Name the records `delivered` in an engine; they are read as they are needed."""
        engine.execute(
            f"CREATE OR REPLACE TEMP VIEW delivered AS FROM read_parquet({values.literal(str(self.path))})"
        )


def paths(client: Client, source: Source, table: str) -> list[Path]:
    """The files of a table, globs resolved, in order of name."""
    found: list[Path] = []
    for pattern in source.files:
        if Path(pattern).is_absolute():
            found.append(Path(pattern))
            continue
        plain = client.raw / pattern
        try:
            # A file's own name first: `orders [2].csv` is one, and a pattern that finds nothing.
            inside = [plain] if pattern and plain.is_file() else client.raw.glob(pattern)
            # Excel's lock files lie beside open workbooks.
            inside = sorted(p for p in inside if p.is_file() and not p.name.startswith("~$"))
        except (ValueError, NotImplementedError) as problem:
            raise SourceError(
                f"{shown(client.config)}: tables.{table}.files holds {pattern!r}, which is no file name or "
                f"pattern: {problem}. Write it like orders.csv or 2024-*.csv."
            ) from None
        if not inside:
            there = sorted(p.name for p in client.raw.glob("*")) if client.raw.is_dir() else []
            raise SourceError(
                f"{table}: {shown(client.raw / pattern)} does not exist (named in {shown(client.config)}). "
                f"{shown(client.raw)} holds: {', '.join(there) or 'nothing'}. "
                f"Put the file there or mend tables.{table}.files."
            )
        found += inside
    return list(dict.fromkeys(found))


def mapped(source: Source) -> dict[str, str]:
    """Canonical name → tidied header, answers of a survey included."""
    columns = {column: tidy(header) for column, header in source.columns.items()}
    if isinstance(source, Surveys):
        columns |= {f"answer:{aspect}": tidy(answer.column) for aspect, answer in source.answers.items()}
    return columns


def collected(client: Client, table: str, folder: Path | None = None) -> Collected:
    """A table's files, read as text into `folder` (the process's own, unless said)."""
    source = client.tables.named()[table]
    _check_mapping(client, source, table)
    read = [_file(client, source, table, path) for path in paths(client, source, table)]
    kept, twice = _once(read)
    named = _named(client, kept)
    path = (folder or tables.spill()) / f"{table}.parquet"
    tables.write_batches(_batches(named), _schema(kept), path)
    broken = pd.DataFrame(
        [(name, f.sheet, b.row, b.reason, b.raw) for name, f in named.items() for b in f.broken],
        columns=BROKEN,
    )
    return Collected(table, path, broken, _account(table, named, twice), personal(source, path))


BROKEN = ["source_file", "sheet", "source_row", "reason", "raw"]


def _schema(files: list[TextTable]) -> pa.Schema:
    """The headers of all files, each under the spelling of the first that has it: `Note` is `note`."""
    first: dict[str, str] = {}
    for file in files:
        for header in file.headers:
            first.setdefault(header.casefold(), header)
    return pa.schema(
        [(header, pa.string()) for header in first.values()] + [(ROW, pa.int64()), (FILE, pa.string())]
    )


def _batches(named: dict[str, TextTable]) -> Iterator[pa.RecordBatch]:
    """Every file's records under one header; empty text where a file lacks an optional column."""
    schema = _schema(list(named.values()))
    for name, file in named.items():
        spelt = {header.casefold(): header for header in file.headers}
        for batch in file.batches():
            empty = pa.array([""] * batch.num_rows, pa.string())
            yield pa.record_batch(
                [
                    batch[spelt[header.casefold()]].fill_null("") if header.casefold() in spelt else empty
                    for header in schema.names[:-2]
                ]
                + [batch[ROW], pa.array([name] * batch.num_rows, pa.string())],
                schema=schema,
            )


def personal(source: Source, path: Path) -> frozenset[str]:
    """Headers whose cells name people, mapped or not: of these not even a sum is shown."""
    named = tables.CUSTOMERS.personal
    mapped_to = {tidy(header) for column, header in source.columns.items() if column in named}
    return frozenset(mapped_to | {header for header in pq.read_schema(path).names if names_people(header)})


def from_text(table: str, rows: pd.DataFrame, file: str = "memory") -> Collected:
    """A delivery that is already in memory as text, its first record being row 2 of `file`."""
    content = pa.table({tidy(c): pa.array(rows[c].astype(object), pa.string()) for c in rows.columns})
    content = content.append_column(ROW, pa.array(range(2, len(rows) + 2), pa.int64()))
    content = content.append_column(FILE, pa.array([file] * len(rows), pa.string()))
    path = Path(tempfile.mkdtemp(dir=tables.spill())) / f"{table}.parquet"
    account = pd.DataFrame({"file": [file], "sheet": [""]})
    return Collected(table, tables.write_arrow(content, path), pd.DataFrame(columns=BROKEN), account)


def mappable(table: str) -> list[str]:
    """The columns a client may map for a table.

    Order lines may carry what is known of the customer (name, region …) where no customer table
    is supplied.
    """
    return {
        "customers": CUSTOMER_COLUMNS,
        "transactions": list(dict.fromkeys([*LINE_COLUMNS, *CUSTOMER_COLUMNS])),
        "surveys": ["customer_id", "answered_day"],
    }[table]


def _check_mapping(client: Client, source: Source, table: str) -> None:
    """The mapping names known columns and everything the table needs."""
    where, known = shown(client.config), mappable(table)
    for column in source.columns:
        if column not in known:
            near = nearest(column, known)
            hint = f" Did you mean {near}?" if near else ""
            raise SourceError(f"{where}: tables.{table}.columns.{column} is no column of {table}.{hint}")
    try:
        tables.engine().sql(f"SELECT {values.moment(values.literal(''), source.date_format)}").fetchall()
    except duckdb.Error:
        raise SourceError(
            f"{where}: tables.{table}.date_format {source.date_format!r} is no form of a date. "
            'Write it like "%d/%m/%Y".'
        ) from None
    if not any(need <= set(source.columns) for need in NEEDS[table]):
        need = " or ".join(" and ".join(sorted(need)) for need in NEEDS[table])
        raise SourceError(
            f"{where}: tables.{table}.columns needs {need}; it has {', '.join(source.columns) or 'nothing'}."
        )


def _file(client: Client, source: Source, table: str, path: Path) -> TextTable:
    columns = mapped(source)
    found = text_table(
        path,
        expected=set(columns.values()),
        sheet=source.sheet,
        delimiter=source.delimiter,
        encoding=source.encoding,
        header_row=source.header_row,
    )
    for column, header in columns.items():
        if header not in found.headers:
            near = nearest(header, found.headers)
            hint = f" Did you mean {near!r}?" if near else ""
            raise SourceError(
                f"{shown(path)} has no column {header!r}, which {shown(client.config)} maps to "
                f"tables.{table}.{column}. It has: {', '.join(found.headers)}.{hint}"
            )
    return found


def _once(read: list[TextTable]) -> tuple[list[TextTable], list[TextTable]]:
    """Files apart from those delivered twice, under whatever name."""
    kept: dict[str, TextTable] = {}
    twice = []
    for file in read:
        if file.fingerprint in kept:
            twice.append(file)
        else:
            kept[file.fingerprint] = file
    return list(kept.values()), twice


def _named(client: Client, files: list[TextTable]) -> dict[str, TextTable]:
    """Files by the name under which their rows are known: two branches may both send an orders.csv."""
    named: dict[str, TextTable] = {}
    for file in files:
        inside = file.path.is_relative_to(client.raw)
        name = file.path.relative_to(client.raw).as_posix() if inside else file.path.name
        taken = sum(known == name or known.startswith(f"{name} (") for known in named)
        named[f"{name} ({taken + 1})" if taken else name] = file
    return named


def _account(table: str, kept: dict[str, TextTable], twice: list[TextTable]) -> pd.DataFrame:
    """One line a file: what it is, how many records, what was found in it."""
    return pd.DataFrame(
        [
            {
                "table": table,
                "file": name,
                "form": file.form,
                "sheet": file.sheet,
                "title_rows": file.titles,
                "records": file.records if used else 0,
                "misfits": len(file.broken) if used else 0,
                "use": "used" if used else "delivered twice",
                "sha256": file.fingerprint,
            }
            for used, files in ((True, kept.items()), (False, [(f.path.name, f) for f in twice]))
            for name, file in files
        ]
    )


def span(client: Client, collected: Collected) -> tuple[dt.date, dt.date] | None:
    """First and last day of a dated table; None where it has no dates."""
    if collected.table not in DATED:
        return None
    source = client.tables.named()[collected.table]
    header = values.name(tidy(source.columns[DATED[collected.table]]))
    # After the delivery lies no true date.
    newest = day_number(client.delivered_on) if client.delivered_on else NO_END
    first, last = (
        tables.engine()
        .read_parquet(str(collected.path))
        .project(f"{values.day(header, source.date_format)} AS day")
        .filter(f"day <= {newest}")
        .aggregate("min(day), max(day)")
        .fetchall()[0]
    )
    return None if first is None else (day_of(first), day_of(last))


def delivery(client: Client) -> dict[str, Collected]:
    """Everything a client delivers, table by table, read into `built/delivery/collected/`."""
    return {name: collected(client, name, _folder(client)) for name in client.tables.named()}


def _folder(client: Client) -> Path:
    return client.delivery / "collected"


def write(client: Client, collection: dict[str, Collected]) -> Path:
    """What did not fit, and the day the delivery was handed over, under `built/delivery/`."""
    for name, found in collection.items():
        misfits = pa.Table.from_pandas(found.broken, preserve_index=False)
        tables.write_arrow(misfits, _folder(client) / f"{name}-misfits.parquet")
        account = pa.Table.from_pandas(found.files, preserve_index=False)
        tables.write_arrow(account, _folder(client) / f"{name}-files.parquet")
    spans = [s for s in (span(client, found) for found in collection.values()) if s]
    if client.delivered_on is None and not spans:
        raise SourceError(f"{shown(client.config)}: no table has a readable date; say delivered_on.")
    newest = client.delivered_on or max(last for _, last in spans)
    return tables.replace(
        client.delivery / "delivery.json", json.dumps({"delivered_on": newest.isoformat()}).encode()
    )


def as_collected(client: Client) -> dict[str, Collected]:
    """The delivery as step 01 collected it."""
    return {name: _read(client, name) for name in client.tables.named()}


def _read(client: Client, table: str) -> Collected:
    paths = [_folder(client) / f"{table}{part}.parquet" for part in ("", "-misfits", "-files")]
    rows, broken, files = (tables.verified(path, "01-collection") for path in paths)
    return Collected(table, rows, pd.read_parquet(broken), pd.read_parquet(files))


def delivered_on(client: Client) -> dt.date:
    """The day the files were handed over: from `client.yml`, else the newest date in the data."""
    if client.delivered_on:
        return client.delivered_on
    path = client.delivery / "delivery.json"
    if not path.is_file():
        raise tables.MissingStep("The delivery has not been collected. Run notebook 01-collection first.")
    return dt.date.fromisoformat(json.loads(path.read_text("utf-8"))["delivered_on"])
