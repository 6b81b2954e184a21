"""A client's delivery, collected: every table's files as one text table, and an account of each file."""

import dataclasses
import datetime as dt
import itertools
import json
import tempfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from crmlib import tables
from crmlib.client import Client, shown
from crmlib.collection import databases, joins, readings, union, values
from crmlib.collection.files import ROW, TextTable, text_table
from crmlib.collection.headers import names_people, nearest, tidy
from crmlib.collection.readings import FILE
from crmlib.errors import SourceError
from crmlib.mapping import Delivered, Source, Surveys, Transactions
from crmlib.period import day_number, day_of

NO_END = 100_000  # days since 1970: later than any date that is read
NEEDS = {
    "customers": ({"customer_id"},),
    "transactions": ({"ordered_at", "amount"}, {"ordered_at", "price"}),
    "surveys": ({"customer_id", "answered_day"},),
    "snapshot": ({"customer_id"},),
    "tiers": ({"customer_id"}, {"name"}),
    "needs": ({"need"}, {"product_preference"}, {"price_sensitivity"}, {"service_expectation"}),
    "feedback": ({"said_day", "text"}, {"said_day", "rating"}, {"said_day", "topic"}),
    "interactions": ({"opened_at"},),
    "relations": ({"customer_id", "other_id"},),
    "costs": ({"amount"},),
    "campaigns": ({"campaign"},),
    "market": ({"asked_day", "question", "answer"},),
    "applications": ({"applied_day", "decision"},),
}
# What cleaning adds to what was delivered.
ADDED = {"known", "other_known", "opened_day", "source_file", "source_row"}
CUSTOMER_COLUMNS = [c.name for c in tables.CUSTOMERS.columns if not c.name.startswith(("source_", "as_from"))]
LINE_COLUMNS = [
    *("customer_id", "order_id", "ordered_at", "product_id", "product", "product_group", "channel", "region"),
    *("quantity", "price", "amount", "profit", "discount"),
]
COLLECTED = "collected"  # the folder of text, in the delivery's own
PARTS = ("-misfits", "-files", "-repairs")  # what is kept beside a table's text
DATED = tables.DAYS | {"transactions": "ordered_at", "interactions": "opened_at", "snapshot": "taken_day"}


@dataclass(frozen=True)
class Collected:
    """One table of a delivery, as it came.

    The file at `path` holds every source column as text, `_file` and `_row`; `broken` the records that
    did not fit their header (file, sheet, row, reason, raw); `files` the account of each file; `repairs`
    the cells whose text was changed on reading (file, row, column, old, new, rule).
    """

    table: str
    path: Path
    broken: pd.DataFrame
    files: pd.DataFrame
    personal: frozenset[str] = frozenset()  # headers that are mapped to personal columns
    repairs: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=union.REPAIRED))

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


def place(client: Client, name: str, folder: Path | None = None) -> Path:
    """Where a table or a source stands as text."""
    prefix = "source-" if name in client.sources else ""
    return (folder or client.delivery / COLLECTED) / f"{prefix}{name}.parquet"


def key(client: Client, name: str) -> str:
    """Where `client.yml` speaks of a table or a source: tables.surveys, sources.items."""
    return f"{'sources' if name in client.sources else 'tables'}.{name}"


def paths(client: Client, source: Delivered, table: str) -> list[Path]:
    """The files of a table or a source, globs resolved, in order of name."""
    where = table if table == "corrections" else f"{key(client, table)}.files"
    found: list[Path] = []
    for pattern in source.files:
        plain = client.raw / pattern  # an absolute path stands for itself
        absolute = Path(pattern).is_absolute()
        if absolute and (plain.is_file() or not set(plain.name) & set("*?[")):
            found.append(plain)
            continue
        try:
            # A file's own name first: `orders [2].csv` is one, and a pattern that finds nothing.
            folder, within = (plain.parent, plain.name) if absolute else (client.raw, pattern)
            inside = [plain] if pattern and plain.is_file() else folder.glob(within)
            # Excel's lock files lie beside open workbooks.
            inside = sorted(p for p in inside if p.is_file() and not p.name.startswith("~$"))
        except (ValueError, NotImplementedError) as problem:
            raise SourceError(
                f"{shown(client.config)}: {where} holds {pattern!r}, which is no file name or "
                f"pattern: {problem}. Write it like orders.csv or 2024-*.csv."
            ) from None
        if not inside:
            there = sorted(p.name for p in client.raw.glob("*")) if client.raw.is_dir() else []
            raise SourceError(
                f"{table}: {shown(client.raw / pattern)} does not exist (named in {shown(client.config)}). "
                f"{shown(client.raw)} holds: {', '.join(there) or 'nothing'}. "
                f"Put the file there or mend {where}."
            )
        found += inside
    return list(dict.fromkeys(found))


def corrections(client: Client) -> list[Path]:
    """Workbooks of rows that came back corrected."""
    named = client.corrections
    return paths(client, Delivered(files=named), "corrections") if named else []


def headers(client: Client) -> dict[str, list[str]]:
    """The headers of every collected table."""
    found = {name: place(client, name) for name in client.tables.named()}
    return {
        name: [header for header in pq.read_schema(path).names if header not in (FILE, ROW)]
        for name, path in found.items()
        if path.is_file()
    }


def mapped(source: Delivered) -> dict[str, str]:
    """Canonical name → tidied header, answers of a survey and the mark of returns included; else nothing."""
    columns = {column: tidy(header) for column, header in getattr(source, "columns", {}).items()}
    if isinstance(source, Surveys):
        columns |= {f"answer:{aspect}": tidy(answer.column) for aspect, answer in source.answers.items()}
    if isinstance(source, Transactions) and source.returns and source.returns.column:
        columns["returns"] = tidy(source.returns.column)
    return columns


def named(client: Client, folder: Path | None = None) -> dict[str, Collected]:
    """Every one of `sources:` by its name, read as text into `folder`, whether a table needs it or not."""
    personal = {
        tidy(header)
        for table in client.tables.named().values()
        for column, header in table.columns.items()
        if table.sql and column in tables.CUSTOMERS.personal
    }
    found = {}
    for name, source in client.sources.items():
        read = _delivered(client, source, name, place(client, name, folder))
        found[name] = dataclasses.replace(
            read, personal=frozenset(h for h in read.headers if h in personal or names_people(h))
        )
    return found


def collected(
    client: Client, table: str, folder: Path | None = None, parts: dict[str, Collected] | None = None
) -> Collected:
    """A table as text, read into `folder` (the process's own, unless said).

    A table with `sql:` is answered from `parts`, the named sources, which are read unless given.
    """
    source = client.tables.named()[table]
    _check_mapping(client, source, table)
    folder = folder or tables.spill()
    path = folder / f"{table}.parquet"
    if source.sql:
        found = _joined(client, table, named(client, folder) if parts is None else parts, path)
    else:
        found = _delivered(client, source, table, path)
    return dataclasses.replace(found, personal=personal(source, path, table))


def _delivered(client: Client, source: Delivered, name: str, path: Path) -> Collected:
    """Files, or what a database answers, as text at `path`."""
    if source.database:
        return _answered(client, source, name, path)
    read = [_file(client, source, name, file) for file in paths(client, source, name)]
    kept, twice = union.once(read)
    known = union.named(kept, client.raw)
    tables.write_batches(union.parts(known), union.schema(kept), path)
    account = union.account(name, known, twice)
    return Collected(name, path, union.broken(known), account, repairs=union.repaired(known))


def _answered(client: Client, source: Delivered, name: str, path: Path) -> Collected:
    """What a database answers, as text at `path`; its fingerprint is that of the text."""
    where = f"{shown(client.config)}: {key(client, name)}"
    form = databases.answer(source, path, where=where, raw=client.raw, timezone=client.timezone)
    rows, mark = pq.read_metadata(path).num_rows, path.with_suffix(".sha256").read_text()
    account = [(name, source.database, form, "", 0, rows, 0, "used", "", mark)]
    found = Collected(
        name, path, pd.DataFrame(columns=union.BROKEN), pd.DataFrame(account, columns=union.ACCOUNT)
    )
    _check_headers(client, source, name, found.headers, f"{where}.query selects no column")
    return found


def _joined(client: Client, table: str, parts: dict[str, Collected], path: Path) -> Collected:
    """A table's `sql:`, answered; records of its sources that fit no header are this table's to tell of."""
    source = client.tables.named()[table]
    where = f"{shown(client.config)}: tables.{table}.sql"
    joins.answer(source.sql, {name: part.path for name, part in parts.items()}, path, where=where)
    used = joins.named(source.sql, parts)
    before = " ".join(
        other.sql or ""
        for other in itertools.takewhile(lambda s: s is not source, client.tables.named().values())
    )
    told = set(joins.named(before, parts))
    first = [parts[name] for name in used if name not in told]
    files = [parts[name].files for name in used]
    found = Collected(
        table,
        path,
        pd.concat([pd.DataFrame(columns=union.BROKEN), *(part.broken for part in first)]),
        pd.concat([pd.DataFrame(columns=union.ACCOUNT), *files], ignore_index=True),
        repairs=pd.concat([pd.DataFrame(columns=union.REPAIRED), *(part.repairs for part in first)]),
    )
    _check_headers(client, source, table, found.headers, f"{where} selects no column")
    return found


def personal(source: Source, path: Path, table: str) -> frozenset[str]:
    """Headers whose cells name people, mapped or not: of these not even a sum is shown."""
    named = tables.CUSTOMERS.personal | tables.ALL[table].personal
    mapped_to = {tidy(header) for column, header in source.columns.items() if column in named}
    return frozenset(mapped_to | {header for header in pq.read_schema(path).names if names_people(header)})


def from_text(table: str, rows: pd.DataFrame, file: str = "memory") -> Collected:
    """A delivery that is already in memory as text, its first record being row 2 of `file`."""
    content = pa.table({tidy(c): pa.array(rows[c].astype(object), pa.string()) for c in rows.columns})
    content = content.append_column(ROW, pa.array(range(2, len(rows) + 2), pa.int64()))
    content = content.append_column(FILE, pa.array([file] * len(rows), pa.string()))
    path = Path(tempfile.mkdtemp(dir=tables.spill())) / f"{table}.parquet"
    broken, files = pd.DataFrame(columns=union.BROKEN), pd.DataFrame({"file": [file], "sheet": [""]})
    return Collected(table, tables.write_arrow(content, path), broken, files)


def mappable(table: str) -> list[str]:
    """The columns a client may map for a table.

    Order lines may carry what is known of the customer (name, region …) where no customer table
    is supplied, and their currency, which is only checked.
    """
    special = {
        "customers": CUSTOMER_COLUMNS,
        "transactions": list(dict.fromkeys([*LINE_COLUMNS, "currency", *CUSTOMER_COLUMNS])),
        "surveys": ["customer_id", "answered_day"],
        "snapshot": _with_attributes(tables.SNAPSHOT),
        "tiers": _with_attributes(tables.TIERS),
    }
    return special.get(table) or [c.name for c in tables.ALL[table].columns if c.name not in ADDED]


def _with_attributes(table: tables.Table) -> list[str]:
    """A table's own columns, and what else may be told of its customers."""
    own = [column.name for column in table.columns if column.name not in ADDED]
    return list(dict.fromkeys([*own, *CUSTOMER_COLUMNS]))


def _check_mapping(client: Client, source: Source, table: str) -> None:
    """The mapping names known columns and everything the table needs."""
    where, known = shown(client.config), mappable(table)
    for column in source.columns:
        if column not in known:
            near = nearest(column, known)
            hint = f" Did you mean {near}?" if near else ""
            raise SourceError(f"{where}: tables.{table}.columns.{column} is no column of {table}.{hint}")
    try:
        tables.engine(workers=1).sql(
            f"SELECT try_strptime('', {values.literal(source.date_format or '%Y')})"
        ).fetchall()
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


def _file(client: Client, source: Delivered, table: str, path: Path) -> TextTable:
    columns = mapped(source)
    found = text_table(
        path,
        expected=set(columns.values()),
        sheet=source.sheet,
        delimiter=source.delimiter,
        encoding=source.encoding,
        header_row=source.header_row,
    )
    _check_headers(client, source, table, found.headers, f"{shown(path)} has no column")
    return found


def _check_headers(client: Client, source: Delivered, table: str, headers: list[str], lacking: str) -> None:
    """Every mapped header is there."""
    for column, header in mapped(source).items():
        if header not in headers:
            near = nearest(header, headers)
            hint = f" Did you mean {near!r}?" if near else ""
            raise SourceError(
                f"{lacking} {header!r}, which {shown(client.config)} maps to "
                f"tables.{table}.{column}. It has: {', '.join(headers)}.{hint}"
            )


def span(client: Client, collected: Collected) -> tuple[dt.date, dt.date] | None:
    """First and last day of a dated table; None where it has no dates."""
    source, engine = client.tables.named()[collected.table], tables.engine(workers=1)
    column = DATED.get(collected.table)
    if column not in source.columns:
        return None
    collected.delivered(engine)
    # After the delivery lies no true date.
    newest = day_number(client.delivered_on) if client.delivered_on else NO_END
    days = readings.days(engine, source.columns[column], readings.said(client, collected.table), newest)
    return days and (day_of(days[0]), day_of(days[1]))


def delivery(client: Client, parts: dict[str, Collected] | None = None) -> dict[str, Collected]:
    """Everything a client delivers, table by table, read into `built/delivery/collected/`.

    `parts` are the named sources, if they have been read already (`named`).
    """
    parts = named(client) if parts is None else parts
    return {
        name: collected(client, name, client.delivery / COLLECTED, parts) for name in client.tables.named()
    }


def write(client: Client, collection: dict[str, Collected]) -> Path:
    """What did not fit, and the day the delivery was handed over, under `built/delivery/`."""
    for name, found in collection.items():
        for part, rows in zip(PARTS, (found.broken, found.files, found.repairs), strict=True):
            content = pa.Table.from_pandas(rows, preserve_index=False)
            tables.write_arrow(content, client.delivery / COLLECTED / f"{name}{part}.parquet")
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
    paths = [client.delivery / COLLECTED / f"{table}{part}.parquet" for part in ("", *PARTS)]
    corrected = place(client, f"{table}-corrected")
    if client.corrections and corrected.is_file():
        paths[0] = corrected
    rows, *beside = (tables.verified(path, "01-collection") for path in paths)
    broken, files, repairs = (pq.ParquetFile(path).read().to_pandas() for path in beside)
    return Collected(table, rows, broken, files, repairs=repairs)


def delivered_on(client: Client) -> dt.date:
    """The day the files were handed over: from `client.yml`, else the newest date in the data."""
    if client.delivered_on:
        return client.delivered_on
    path = client.delivery / "delivery.json"
    if not path.is_file():
        raise tables.MissingStep("The delivery has not been collected. Run notebook 01-collection first.")
    return dt.date.fromisoformat(json.loads(path.read_text("utf-8"))["delivered_on"])
