"""The account of a delivery: what came, how far it reaches, how fresh and how full it is."""

import datetime as dt

import pandas as pd

from crmlib import tables
from crmlib.client import Client
from crmlib.collection import readings, values
from crmlib.collection.sources import Collected, mapped, span
from crmlib.errors import SourceError


def delivered(collected: Collected, client: Client | None = None) -> dict[str, dict]:
    """Rows, and sum and mean of each numeric column, as they came: "is it all there?"

    Of a named source also how many of its rows repeat another in every column. Ids as in
    `crmlib.measures`. A column counts as numeric where nine in ten of the cells that hold anything are
    numbers; `n` says how many were summed. A column whose decimal sign is open, or that holds money of
    another currency than the client's, is none.
    """
    source, engine = collected.table, tables.engine()
    collected.delivered(engine)
    form = readings.said(client, source) if client else readings.Form(source)
    figures: dict[str, dict] = {
        f"delivered.{source}.rows": {"value": collected.records, "n": collected.records}
    }
    if source not in tables.ALL:  # of a table the ledger tells
        columns = ", ".join(map(values.name, collected.headers))
        ((copies,),) = engine.sql(
            f"SELECT (SELECT count(*) FROM delivered) - (SELECT count(*) FROM (SELECT DISTINCT {columns} FROM delivered))"
        ).fetchall()
        figures[f"delivered.{source}.duplicates"] = {"value": copies, "n": collected.records}
    for header in collected.headers:
        if header in collected.personal:
            continue
        try:
            read = readings.number(engine, header, form, units=values.ANY if client else values.COUNTS)
        except SourceError:
            continue
        filled, numeric, total = engine.sql(
            f"SELECT count(*) FILTER (number IS NOT NULL OR bad), count(number), sum(CAST(number AS DECIMAL(38,9)))"
            f" FROM (SELECT {read.value} AS number, {read.bad} AS bad FROM delivered {readings.joins([read])})"
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
    parts = pd.concat([found.files for found in collection.values()], ignore_index=True)
    # A named source stands behind every table whose query names it.
    return parts.drop_duplicates(ignore_index=True)


def notes(files: pd.DataFrame) -> pd.DataFrame:
    """What was found about files as a whole and mended: table, file, note, detail."""
    rows = [
        (file.table, file.file, *note.split(": ", 1))
        for file in files.itertuples()
        for note in file.notes.split("; ")
        if note
    ]
    return pd.DataFrame(rows, columns=["table", "file", "note", "detail"])


def fit(files: pd.DataFrame) -> dict[str, int]:
    """Records, and how many do not fit their header."""
    return {"misfits": int(files["misfits"].sum()), "records": int(files["records"].sum())}


def fields(collection: dict[str, Collected], client: Client) -> pd.DataFrame:
    """Every mapped column and how much of it is filled: table, column, header, filled (share)."""
    rows = []
    for table, found in collection.items():
        for column, header in mapped(client.tables.named()[table]).items():
            cells = tables.engine().read_parquet(str(found.path))
            filled, total = cells.aggregate(
                f"count({values.text(values.name(header))}), count(*)"
            ).fetchall()[0]
            share = filled / total if total else None
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
    """How far order lines reach: last day, days before the delivery, day of the delivery.

    Without order lines there is no last day.
    """
    lines = reach[reach["table"] == "transactions"]
    last, days = (next(iter(lines[column]), None) for column in ("last_date", "days_old"))
    return {"last": last, "days": days, "on": delivered_on}


def absent(client: Client) -> list[str]:
    """Tables that the client does not supply."""
    return [name for name in type(client.tables).model_fields if name not in client.tables.named()]
