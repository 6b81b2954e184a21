"""Rows that were set aside and came back corrected: the quarantine's own workbook as a source.

A run publishes `internal/quarantine.xlsx`, a sheet for each table. The client corrects rows in it and
sends it back; named under `corrections:` in `client.yml`, it replaces rows of the delivery. The
delivered row leaves with the reason `corrected`, the corrected one comes in as a row of the workbook.
"""

import csv
import dataclasses
import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from python_calamine import CalamineError, CalamineWorkbook

from crmlib import tables
from crmlib.client import Client, shown
from crmlib.collection import readings, sources, union, values
from crmlib.collection.files import ROW, text_table
from crmlib.collection.joins import BATCH, FILE
from crmlib.collection.readings import Form, Reading
from crmlib.collection.sources import Collected
from crmlib.errors import SourceError

FIXED = ("reason", "source_file", "sheet", "source_row", "row_mark")  # before a sheet's own columns
LONGEST_CELL = 32_767
CORRECTED, UNKNOWN, MISFIT = "corrected", "unknown-row", "extra-cell"
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
MONEY = ("amount", "spend", "cost")  # what a row is worth, where no quantity and price tell it

BROKEN = [*union.BROKEN, "money"]
Place = tuple[str, int]  # file and row


@dataclasses.dataclass(frozen=True)
class Correction:
    """A corrected row: what it replaces, its cells, and its own row in the workbook."""

    place: Place
    cells: dict[str, str]
    row: int
    reason: str = ""  # why it cannot be used


def sheet(rows: pd.DataFrame, headers: Iterable[str]) -> pd.DataFrame:
    """A table's quarantine as it is sent out for correction: one line a row, everything text.

    Parameters
    ----------
    rows : lines of one table, in the columns of `tables.QUARANTINE`
    headers : the table's own headers

    Returns
    -------
    The columns of `FIXED`, then a column for each header; `reason` is a list of (reason, header of the cell
    at fault), because a row may have several. A record that did not fit its header is split as far as
    possible.
    """
    parts, rows = [], rows.fillna({"sheet": "", "column": ""})
    for (file, tab, row), lines in rows.groupby(
        ["source_file", "sheet", "source_row"], sort=True, dropna=False
    ):
        cells = split(lines["raw"].iloc[0], list(headers))
        reasons = list(zip(lines["reason"], lines["column"], strict=True))
        named = _names([*headers, *cells])
        parts.append(
            dict(zip(FIXED, (reasons, file, tab, row, mark(cells)), strict=True))
            | {named[header]: told(text) for header, text in cells.items()}
        )
    known = _names(headers).values()
    columns = dict.fromkeys([*FIXED, *known, *(name for part in parts for name in part)])
    return pd.DataFrame(parts, columns=list(columns))


def split(raw: object, headers: list[str]) -> dict[str, str]:
    """A row's cells by header: of a record that fits no header, as they stand in its line.

    >>> split('{"id": "A1", "day": ""}', ["id", "day"])
    {'id': 'A1', 'day': ''}
    >>> split("A1;2024-10-01;x", ["id", "day"])
    {'id': 'A1', 'day': '2024-10-01', 'extra 1': 'x'}
    """
    try:
        found = json.loads(str(raw))
    except ValueError:
        found = None
    if isinstance(found, dict):
        return {str(header): "" if text is None else str(text) for header, text in found.items()}
    text = "" if raw is None or raw is pd.NA else str(raw)
    try:
        cells = max((next(csv.reader([text], delimiter=sign), []) for sign in ",;\t|"), key=len)
    except csv.Error:
        cells = [text]
    extra = [f"extra {n + 1}" for n in range(len(cells) - len(headers))]
    return dict(zip([*headers, *extra], cells, strict=False))


def mark(cells: Mapping[str, str]) -> str:
    """A short fingerprint of a row, by which another row in its place is told from it."""
    filled = sorted((header, told(text)) for header, text in cells.items() if told(text))
    return hashlib.sha256(json.dumps(filled).encode()).hexdigest()[:12]


def told(text: str) -> str:
    """A text as a cell of a workbook keeps it."""
    return cut(CONTROL.sub("", str(text)).replace("\r\n", "\n").replace("\r", "\n").strip())


def cut(text: str) -> str:
    """A text that a workbook's cell can hold: of a longer one the beginning, and how long it is.

    >>> cut("a" * 40_000)[-23:], len(cut("a" * 40_000)), cut("a")
    ('aa… (40,000 characters)', 32767, 'a')
    """
    note = f"… ({len(text):,} characters)"
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - len(note)] + note


def cut_off(rows: pd.DataFrame) -> pd.DataFrame:
    """The lines of a quarantine that a workbook cannot show whole, because a cell is longer than its cells.

    Parameters
    ----------
    rows : in the columns of `tables.QUARANTINE`
    """
    long = rows[rows["raw"].str.len() > LONGEST_CELL]
    return long[[max(map(len, split(raw, []).values()), default=0) > LONGEST_CELL for raw in long["raw"]]]


def _names(headers: Iterable[str]) -> dict[str, str]:
    """Header → its name in a sheet, where `FIXED` names are taken."""
    return {h: f"{h} (delivered)" if h.casefold() in FIXED else h for h in headers}


def applied(collection: dict[str, Collected], client: Client) -> dict[str, Collected]:
    """The delivery with its corrections, in the order `client.yml` names them.

    A row that the client left as it was stays as it was. A correction that fits no delivered row is a
    record set aside as `unknown-row`.

    Raises
    ------
    SourceError : no such workbook, no sheet named after a table, one row corrected in two ways
    """
    found, done = dict(collection), {}
    for name in collection:
        for old in (_place(client, name), _place(client, name).with_suffix(".sha256")):
            old.unlink(missing_ok=True)
    for path in sources.corrections(client):
        for table, rows in _sheets(path, list(found)).items():
            found[table] = _corrected(found[table], rows, client, path, done)
    return found


def _place(client: Client, table: str) -> Path:
    return sources.place(client, f"{table}-corrected")


def _sheets(path: Path, known: list[str]) -> dict[str, pa.Table]:
    """The rows of every sheet that is named after a table."""
    try:
        names = CalamineWorkbook.from_path(str(path)).sheet_names
    except (CalamineError, OSError) as problem:
        raise SourceError(
            f"{shown(path)} cannot be read as a workbook: {problem}. Send the quarantine back as xlsx."
        ) from None
    found = {}
    for table in (name for name in names if name in known):
        sheet = text_table(path, expected=set(FIXED), sheet=table)
        lacking = [column for column in FIXED[1:4] if column not in sheet.headers]
        if lacking:
            raise SourceError(
                f"{shown(path)}, sheet {table}: no column {', '.join(lacking)}. They tell which row is corrected: "
                "correct the workbook that a run writes as internal/quarantine.xlsx."
            )
        found[table] = pa.Table.from_batches(list(sheet.batches()))
    if not found:
        raise SourceError(
            f"{shown(path)} has no sheet named after a table ({', '.join(known)}). It has: {', '.join(names)}."
        )
    return found


def _corrected(
    found: Collected, rows: pa.Table, client: Client, path: Path, done: dict[tuple, tuple]
) -> Collected:
    """One table with the corrections of one workbook; `done` tells of those before it."""
    name = path.relative_to(client.raw).as_posix() if path.is_relative_to(client.raw) else path.name
    before = _delivered(found, rows)
    before |= {place: came for (table, place), (_, _, came) in done.items() if table == found.table}
    corrections = []
    for row in rows.to_pylist():
        correction = _correction(row, found.headers, before)
        if correction is None:
            continue
        key, told_in = (found.table, correction.place), f"{name}, row {correction.row}"
        if correction.reason == UNKNOWN:
            corrections.append(correction)
        elif key not in done:
            done[key] = (correction.cells, told_in, before[correction.place])
            corrections.append(correction)
        elif done[key][0] != correction.cells:
            raise SourceError(
                f"{shown(path)}, sheet {found.table}, row {correction.row}: row {correction.place[1]} of "
                f"{correction.place[0]} is corrected in another way in {done[key][1]}. Keep one of the two."
            )
    return _replaced(found, corrections, client, path, name) if corrections else found


def _delivered(found: Collected, rows: pa.Table) -> dict[Place, dict[str, str]]:
    """The cells of the rows that a workbook speaks of, as delivered."""
    engine = tables.engine()
    found.delivered(engine)
    engine.register("spoken", rows.select(["source_file", "source_row"]))
    headers = found.headers
    columns = ", ".join(values.name(header) for header in headers)
    listed = engine.sql(
        f"SELECT DISTINCT {FILE}, {ROW}, {columns} FROM delivered JOIN spoken"
        f" ON {FILE} = source_file AND {ROW} = TRY_CAST(source_row AS BIGINT)"
    ).fetchall()
    misfits = zip(
        found.broken["source_file"],
        found.broken["source_row"],
        found.broken["raw"],
        found.broken["reason"],
        strict=True,
    )
    return {
        (file, int(row)): split(raw, headers) for file, row, raw, reason in misfits if reason != CORRECTED
    } | {(file, row): dict(zip(headers, cells, strict=True)) for file, row, *cells in listed}


def _correction(row: dict, headers: list[str], before: dict[Place, dict[str, str]]) -> Correction | None:
    """What a line of a workbook says; None where it leaves its row as it was."""
    number = row.get("source_row") or ""
    place = (row.get("source_file") or "", int(number) if number.isdecimal() else -1)
    came = before.get(place)
    names = {written: header for header, written in _names([*headers, *(came or {})]).items()}
    own = {names.get(c, c): text or "" for c, text in row.items() if c not in (*FIXED, ROW)}
    marked = row.get("row_mark") or ""
    if came is None or (marked and marked != mark(came)):
        return Correction((*place, row[ROW]), own, row[ROW], UNKNOWN) if any(own.values()) else None
    # A cell that says the same is left as delivered, with whatever a workbook cannot keep.
    cells = {h: came.get(h, "") if told(came.get(h, "")) == told(text) else text for h, text in own.items()}
    if all(text == came.get(header, "") for header, text in cells.items()):
        return None
    missing = {header: text for header, text in came.items() if header not in cells}
    whole = missing | cells
    extra = any(told(text) for header, text in whole.items() if header not in headers)
    return Correction(place, whole, row[ROW], MISFIT if extra else "")


def _replaced(
    found: Collected, corrections: list[Correction], client: Client, path: Path, name: str
) -> Collected:
    """The table without the rows that were corrected, and with what they became."""
    replaced = {c.place for c in corrections if c.reason != UNKNOWN}
    gone = _gone(found, sorted(replaced), client)
    places = set(zip(gone["source_file"], gone["source_row"], strict=True))
    new = [
        {h: c.cells.get(h, "") for h in found.headers} | {ROW: c.row, FILE: name}
        for c in corrections
        if not c.reason
    ]
    schema = pq.read_schema(found.path)
    # Beside the delivered rows, not in their place: what came is still to be summed as it came.
    place = _place(client, found.table)
    stay = _rows(found.path, places)
    batches = itertools.chain(stay, [pa.RecordBatch.from_pylist(new, schema=schema)])
    written = tables.write_batches(batches, schema, place)
    broken = found.broken.assign(money=found.broken.get("money", 0))
    was = [p in replaced for p in zip(broken["source_file"], broken["source_row"], strict=True)]
    broken.loc[was, "reason"] = CORRECTED
    unusable = pd.DataFrame(
        [
            (name, found.table, c.row, c.reason, json.dumps(c.cells, ensure_ascii=False), 0)
            for c in corrections
            if c.reason
        ],
        columns=BROKEN,
    )
    parts = [part for part in (broken, gone, unusable) if len(part)]
    line = (found.table, name, f"sheet {found.table}", found.table, 0, len(corrections), len(unusable))
    mark = hashlib.sha256(path.read_bytes()).hexdigest()
    files = pd.DataFrame([(*line, "correction", "", mark)], columns=union.ACCOUNT)
    return dataclasses.replace(
        found,
        path=written,
        broken=pd.concat(parts, ignore_index=True),
        files=pd.concat([found.files, files], ignore_index=True),
    )


def _gone(found: Collected, places: list[Place], client: Client) -> pd.DataFrame:
    """Delivered rows that were corrected, and their exact copies: the columns of `broken`, and money."""
    engine = tables.engine()
    found.delivered(engine)
    engine.register(
        "places",
        pa.table(
            {
                FILE: pa.array([p[0] for p in places], pa.string()),
                ROW: pa.array([p[1] for p in places], pa.int64()),
            }
        ),
    )
    source = client.tables.named()[found.table]
    headers = [f"delivered.{values.name(header)}" for header in found.headers]
    worth, read = _worth(engine, source.columns, readings.said(client, found.table))
    content = f"({', '.join(headers)})"
    same = f"{content} IN (SELECT {content} FROM delivered SEMI JOIN places USING ({FILE}, {ROW}))"
    if source.exact_duplicates == "keep":
        same = f"({FILE}, {ROW}) IN (SELECT ({FILE}, {ROW}) FROM places)"
    pairs = ", ".join(f"{values.literal(h)}, delivered.{values.name(h)}" for h in found.headers)
    rows = engine.sql(
        f"SELECT {FILE} AS source_file, {ROW} AS source_row, CAST(json_object({pairs}) AS VARCHAR) AS raw, "
        f"coalesce(TRY_CAST(round(({worth}) * {10**client.decimals}) AS BIGINT), 0) AS money "
        f"FROM delivered {readings.joins(read)} WHERE {same} ORDER BY {FILE}, {ROW}"
    ).df()
    sheets = dict(zip(found.files["file"], found.files["sheet"], strict=True))
    rows = rows.assign(sheet=rows["source_file"].map(sheets).fillna(""), reason=CORRECTED)
    return rows[BROKEN]


def _worth(
    engine: duckdb.DuckDBPyConnection, columns: Mapping[str, str], form: Form
) -> tuple[str, list[Reading]]:
    """What a row is worth, as SQL, as far as its cells are numbers; and how those are read."""
    units = dict.fromkeys((*MONEY, "price"), values.MONEY) | {"quantity": values.COUNTS}
    read = {c: readings.number(engine, columns[c], form, units=of) for c, of in units.items() if c in columns}
    number = {c: reading.value for c, reading in read.items()}
    worth = [number[c] for c in MONEY if c in number]
    if "price" in number:
        parts = [f"TRY_CAST({number[c]} AS DECIMAL(18,6))" for c in ("quantity", "price") if c in number]
        worth.append(f"TRY_CAST({' * '.join(parts)} AS {values.NUMBER})")
    return f"coalesce({', '.join(worth)}, 0)" if worth else "0", list(read.values())


def _rows(path: Path, gone: set[Place]) -> Iterator[pa.RecordBatch]:
    """The rows that stay."""
    numbers = pa.array(sorted({row for _, row in gone}), pa.int64())
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH):
            if pc.any(pc.is_in(batch[ROW], numbers)).as_py():
                places = zip(batch[FILE].to_pylist(), batch[ROW].to_pylist(), strict=True)
                batch = batch.filter(pa.array([place not in gone for place in places]))
            yield batch
