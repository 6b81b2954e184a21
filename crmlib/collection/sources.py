"""A client's delivery, collected: every table's files as one text table, and an account of each file."""

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from crmlib import tables
from crmlib.client import Client, Source, Surveys, shown
from crmlib.collection import values
from crmlib.collection.files import ROW, TextTable, text_table
from crmlib.collection.headers import names_people, nearest, tidy
from crmlib.errors import SourceError
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

    `rows` holds every source column as text, `_file` and `_row`; `broken` the records that did not
    fit their header (file, row, reason, raw); `files` the account of each file.
    """

    table: str
    rows: pa.Table
    broken: pd.DataFrame
    files: pd.DataFrame
    personal: frozenset[str] = frozenset()  # headers that are mapped to personal columns

    @property
    def records(self) -> int:
        """Records delivered."""
        return self.rows.num_rows + len(self.broken)


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


def collected(client: Client, table: str) -> Collected:
    """A table's files, read as text."""
    source = client.tables.named()[table]
    _check_mapping(client, source, table)
    read = [_file(client, source, table, path) for path in paths(client, source, table)]
    kept, twice = _once(read)
    named = _named(client, kept)
    rows = pa.concat_tables(
        [
            _alike(f.rows, kept).append_column(FILE, pa.array([name] * f.rows.num_rows, pa.string()))
            for name, f in named.items()
        ],
        promote_options="default",
    )
    broken = pd.DataFrame(
        [(name, b.row, b.reason, b.raw) for name, f in named.items() for b in f.broken],
        columns=["source_file", "source_row", "reason", "raw"],
    )
    return Collected(table, _filled(rows), broken, _account(table, named, twice), personal(source, rows))


def personal(source: Source, rows: pa.Table) -> frozenset[str]:
    """Headers whose cells name people, mapped or not: of these not even a sum is shown."""
    named = tables.CUSTOMERS.personal
    mapped_to = {tidy(header) for column, header in source.columns.items() if column in named}
    return frozenset(mapped_to | {header for header in rows.column_names if names_people(header)})


def from_text(table: str, rows: pd.DataFrame, file: str = "memory") -> Collected:
    """A delivery that is already in memory as text, its first record being row 2 of `file`."""
    content = pa.table({tidy(c): pa.array(rows[c].astype(object), pa.string()) for c in rows.columns})
    content = content.append_column(ROW, pa.array(range(2, len(rows) + 2), pa.int64()))
    content = content.append_column(FILE, pa.array([file] * len(rows), pa.string()))
    nothing = pd.DataFrame(columns=["source_file", "source_row", "reason", "raw"])
    return Collected(table, content, nothing, pd.DataFrame())


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
    found = text_table(path, expected=set(columns.values()), sheet=source.sheet, delimiter=source.delimiter)
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


def _alike(rows: pa.Table, files: list[TextTable]) -> pa.Table:
    """The rows under the headers of the first file that has them: one file's `Note` is another's `note`."""
    first: dict[str, str] = {}
    for file in files:
        for header in file.headers:
            first.setdefault(header.casefold(), header)
    return rows.rename_columns([first.get(name.casefold(), name) for name in rows.column_names])


def _filled(rows: pa.Table) -> pa.Table:
    """Empty text where one of several files lacks an optional column."""
    filled = {
        name: rows[name].fill_null("") if rows[name].type == pa.string() else rows[name]
        for name in rows.column_names
    }
    return pa.table(filled)


def _account(table: str, kept: dict[str, TextTable], twice: list[TextTable]) -> pd.DataFrame:
    """One line a file: what it is, how many records, what was found in it."""
    return pd.DataFrame(
        [
            {
                "table": table,
                "file": name,
                "form": file.form,
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


def delivered(collected: Collected) -> dict[str, dict]:
    """Rows, and sum and mean of each numeric column, as they came: "is it all there?"

    Ids as in `crmlib.measures`. A column counts as numeric where nine in ten of the cells that hold
    anything are plainly numbers; `n` says how many were summed.
    """
    source = collected.table
    figures: dict[str, dict] = {
        f"delivered.{source}.rows": {"value": collected.records, "n": collected.records}
    }
    rows = tables.engine().from_arrow(collected.rows)
    for header in collected.rows.column_names:
        if header in (FILE, ROW, *collected.personal):
            continue
        column = values.name(header)
        filled, numeric, total = rows.aggregate(
            f"count(*) FILTER ({values.given(column)}), count({values.number(column)}),"
            f" sum(CAST({values.number(column)} AS DECIMAL(38,9)))"
        ).fetchall()[0]
        # The sum of a single cell would be the cell.
        if numeric >= 2 and numeric >= 0.9 * filled:
            about = {"n": numeric}
            figures[f"delivered.{source}.{header}.sum"] = {"value": float(total), **about}
            figures[f"delivered.{source}.{header}.mean"] = {"value": float(total / numeric), **about}
    return figures


def totals(delivered: dict[str, dict]) -> pd.DataFrame:
    """The figures of `delivered` as a table: table, header, what (rows, sum, mean), figure, n."""
    rows = []
    for id, parts in delivered.items():
        _, table, rest = id.split(".", 2)
        column, _, what = rest.rpartition(".")
        rows.append((table, column, what, parts["value"], parts["n"]))
    return pd.DataFrame(rows, columns=["table", "header", "what", "figure", "n"])


def files(collection: dict[str, Collected]) -> pd.DataFrame:
    """The account of every file: table, file, form, title_rows, records, misfits, use, sha256."""
    return pd.concat([found.files for found in collection.values()], ignore_index=True)


def fit(files: pd.DataFrame) -> dict[str, int]:
    """Records, and how many do not fit their header."""
    return {"misfits": int(files["misfits"].sum()), "records": int(files["records"].sum())}


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
        .from_arrow(collected.rows)
        .project(f"{values.day(header, source.date_format)} AS day")
        .filter(f"day <= {newest}")
        .aggregate("min(day), max(day)")
        .fetchall()[0]
    )
    return None if first is None else (day_of(first), day_of(last))


def delivery(client: Client) -> dict[str, Collected]:
    """Everything a client delivers, table by table."""
    return {name: collected(client, name) for name in client.tables.named()}


def write(client: Client, collection: dict[str, Collected]) -> Path:
    """The delivery as collected, and the day it was handed over, under `built/delivery/`."""
    folder = client.delivery / "collected"
    for name, found in collection.items():
        tables.write_arrow(found.rows, folder / f"{name}.parquet")
        tables.write_arrow(
            pa.Table.from_pandas(found.broken, preserve_index=False), folder / f"{name}-misfits.parquet"
        )
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
    folder, step = client.delivery / "collected", "01-collection"
    rows = pq.read_table(tables.verified(folder / f"{table}.parquet", step))
    broken = pq.read_table(tables.verified(folder / f"{table}-misfits.parquet", step)).to_pandas()
    return Collected(table, rows, broken, pd.DataFrame())


def delivered_on(client: Client) -> dt.date:
    """The day the files were handed over: from `client.yml`, else the newest date in the data."""
    if client.delivered_on:
        return client.delivered_on
    path = client.delivery / "delivery.json"
    if not path.is_file():
        raise tables.MissingStep("The delivery has not been collected. Run notebook 01-collection first.")
    return dt.date.fromisoformat(json.loads(path.read_text("utf-8"))["delivered_on"])


def fields(collection: dict[str, Collected], client: Client) -> pd.DataFrame:
    """Every mapped column and how much of it is filled: table, column, header, filled (share)."""
    rows = []
    for table, found in collection.items():
        for column, header in mapped(client.tables.named()[table]).items():
            filled = pc.sum(pc.not_equal(pc.utf8_trim_whitespace(found.rows[header]), "")).as_py() or 0
            share = filled / found.rows.num_rows if found.rows.num_rows else None
            rows.append((table, column.removeprefix("answer:"), header, share))
    return pd.DataFrame(rows, columns=["table", "column", "header", "filled"])


def spans(collection: dict[str, Collected], client: Client, delivered_on: dt.date) -> pd.DataFrame:
    """How far each dated table reaches: table, records, first_date, last_date, days_old at delivery."""
    rows = []
    for table, found in collection.items():
        reach = span(client, found)
        first, last = reach or (None, None)
        age = (delivered_on - last).days if last else None
        rows.append((table, found.records, first, last, age))
    return pd.DataFrame(rows, columns=["table", "records", "first_date", "last_date", "days_old"])


def freshness(reach: pd.DataFrame, delivered_on: dt.date) -> dict:
    """How far order lines reach: last day, days before the delivery, day of the delivery."""
    lines = reach.set_index("table").loc["transactions"]
    return {"last": lines["last_date"], "days": lines["days_old"], "on": delivered_on}


def absent(client: Client) -> list[str]:
    """Tables that the client does not supply."""
    return [name for name in type(client.tables).model_fields if name not in client.tables.named()]
