"""Customer snapshots: totals of each customer at one date, as telecom and bank exports hold them.

Also what every table of totals has in common (`cleaning.tier_table` is the other one): cells are
typed, rows are judged, rows of one customer become one.
"""

from collections.abc import Sequence

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from crmlib import tables
from crmlib.cleaning import customers
from crmlib.cleaning.ledger import ledger
from crmlib.cleaning.order_cells import TOTAL_WORDS
from crmlib.cleaning.outcome import MISFITS, Cleaned, aside, misfit_fates
from crmlib.cleaning.records import MOST
from crmlib.cleaning.words import MARKS, worded
from crmlib.client import Client
from crmlib.collection import readings, values
from crmlib.collection.files import ROW
from crmlib.collection.headers import tidy
from crmlib.collection.readings import FILE, Reading
from crmlib.collection.sources import CUSTOMER_COLUMNS, Collected
from crmlib.errors import SchemaError
from crmlib.mapping import Source
from crmlib.period import day_number

MONEYS, COUNTS, NUMBERS = (
    ("spend", "profit", "lifetime_value"),
    ("orders",),
    ("tenure_months", "satisfaction"),
)
STEPS = [
    *(*MISFITS, "exact-duplicate", "missing-id", "unreadable-date", "future-date"),
    *("unreadable-number", "out-of-scale", "same-customer"),
]
NULLABLE = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int32Dtype(), pa.bool_(): pd.BooleanDtype()}


def snapshot(collected: Collected, client: Client, *, delivered_on, known: set[str] | None) -> Cleaned:
    """One row per customer and day of the totals.

    Rows of one customer and day that differ are merged field by field, the later row of the files
    winning. A snapshot without a day belongs to any period.

    Parameters
    ----------
    known : numbers of the customer table; None where none is supplied

    Returns
    -------
    `kept` in the columns of `tables.SNAPSHOT`, `people` in those of `tables.CUSTOMERS`.
    """
    source = client.tables.snapshot
    rows, read = typed(collected, client, tables.SNAPSHOT)
    rows, repairs = worded(rows, {"churned": MARKS}, source.columns, "snapshot")
    rows["churned"] = rows["churned"].map({"yes": True, "no": False}).astype("boolean")
    rows["known"] = rows["customer_id"].isin(known) if known is not None else True
    judge(rows, source, delivered_on=day_number(delivered_on), scale=source.satisfaction_scale)
    keys = ["customer_id", "taken_day"]
    kept = newest(rows[rows["reason"].isna()], keys)
    rows.loc[superseded(rows, keys), "reason"] = "same-customer"
    return Cleaned(
        tables.conform(kept, tables.SNAPSHOT),
        set_aside(rows, collected),
        ledger(pd.concat([fates(rows, kept), misfit_fates(collected)]), "snapshot", STEPS),
        repaired=together(read, repairs),
        people=people(kept, collected, client, "snapshot", as_from=kept["taken_day"]),
    )


def typed(collected: Collected, client: Client, table: tables.Table) -> tuple[pd.DataFrame, pa.Table]:
    """Every record with the columns of a table of totals, text trimmed, money in the smallest unit.

    Returns
    -------
    The table's columns (empty where not mapped), source_file, source_row, copy (of how many alike
    this is which), is_total, and for each column that is read `<column>_bad`: the cell holds something
    that is none. And the cells that were not read as they stand, as `tables.REPAIRS`.
    """
    source, engine = client.tables.named()[table.name], tables.engine()
    collected.delivered(engine)
    own = [c.name for c in table.columns if c.name not in ("known", "source_file", "source_row")]
    headers = {c: f"delivered.{values.name(tidy(h))}" for c, h in source.columns.items() if c in own}
    found = _readings(engine, client, table.name, list(headers))
    parts = [part for c in own for part in _cell(c, headers.get(c), found.get(c), source, client.decimals)]
    originals = [f"delivered.{values.name(c)}" for c in collected.headers]
    read = engine.sql(
        f"SELECT {', '.join(parts)}, {_is_total(source, originals)} AS is_total, {FILE} AS source_file, "
        f"{ROW} AS source_row, row_number() OVER (PARTITION BY {', '.join(originals)} ORDER BY {FILE}, {ROW}) "
        f"AS copy FROM delivered {readings.joins(found.values())} ORDER BY {FILE}, {ROW}"
    ).to_arrow_table()
    rows = read.to_pandas(types_mapper=NULLABLE.get)
    _refuse_finer_money(rows, source, client.decimals)
    path = readings.repairs(engine, table.name, found.values())
    read = tables.REPAIRS.schema.empty_table() if path is None else pq.read_table(path)
    return rows, tables.conform(read, tables.REPAIRS)


def _readings(
    engine: duckdb.DuckDBPyConnection, client: Client, table: str, columns: list[str]
) -> dict[str, Reading]:
    """How numbers, days and ids are read."""
    source, form, found = client.tables.named()[table], readings.said(client, table), {}
    for column in columns:
        header = source.columns[column]
        if column.endswith("_day"):
            found[column] = readings.moment(engine, header, form)
        elif is_number(column, source):
            found[column] = readings.number(engine, header, form)
        elif column in ("customer_id", "contact"):
            found[column] = readings.identifier(engine, header, optional=column == "contact")
    return found


def together(read: pa.Table, worded: pd.DataFrame | None) -> pa.Table:
    """Cells repaired by reading, and by the lists of words."""
    if worded is None or worded.empty:
        return read
    both = pa.concat_tables([read, tables.conform(worded, tables.REPAIRS)])
    return both.sort_by([("source_file", "ascending"), ("source_row", "ascending"), ("column", "ascending")])


def _cell(
    column: str, header: str | None, reading: Reading | None, source: Source, decimals: int
) -> list[str]:
    """A column as SQL, and whether its cell holds something unreadable."""
    if column.endswith("_day"):
        day = readings.day(reading) if reading else "NULL"
        return [
            f"CAST({day} AS INTEGER) AS {column}",
            f"{reading.bad if reading else 'false'} AS {column}_bad",
        ]
    if is_number(column, source):
        return _number(column, reading, decimals)
    if reading:
        return [f"{reading.value} AS {column}"] + (
            [f"{reading.bad} AS lost"] if column == "customer_id" else []
        )
    return [f"{values.text(header) if header else 'CAST(NULL AS VARCHAR)'} AS {column}"]


def _number(column: str, reading: Reading | None, decimals: int) -> list[str]:
    number = reading.value if reading else f"CAST(NULL AS {values.NUMBER})"
    # Too large for a whole number of the smallest unit; a count has no parts and is not below 0.
    fits = f"abs({number}) < {MOST}" + (
        f" AND {number} >= 0" if column not in (*MONEYS, "satisfaction") else ""
    )
    fits += f" AND {number} = floor({number})" if column in COUNTS else ""
    good = f"CASE WHEN {fits} THEN {number} END"
    bad = (
        f"({reading.bad} OR coalesce(NOT ({fits}), false)) AS {column}_bad"
        if reading
        else f"false AS {column}_bad"
    )
    if column in MONEYS:
        fine = f"{good} <> round({good}, {decimals}) AS {column}_fine"
        return [f"CAST(round({good} * {10**decimals}) AS BIGINT) AS {column}", fine, bad]
    return [f"CAST({good} AS {'BIGINT' if column in COUNTS else 'DOUBLE'}) AS {column}", bad]


def is_number(column: str, source: Source) -> bool:
    """Whether a column holds numbers: a score of satisfaction does, on its scale; without one it is a word."""
    if column == "satisfaction":
        return getattr(source, "satisfaction_scale", None) is not None
    return column in (*MONEYS, *COUNTS, *NUMBERS)


def _is_total(source: Source, originals: list[str]) -> str:
    """A line of totals begins with the word, and none of its other words says anything."""
    words = f"({', '.join(map(values.literal, TOTAL_WORDS))})"
    first = f"lower(coalesce({', '.join(map(values.text, originals))}))"
    told = {c: f"delivered.{values.name(tidy(h))}" for c, h in source.columns.items()}
    texts = [h for c, h in told.items() if c not in (*MONEYS, *COUNTS, *NUMBERS)]
    silent = " AND ".join(f"coalesce(lower({values.text(h)}) IN {words}, true)" for h in texts)
    return f"coalesce({first} IN {words}, false) AND {silent or 'true'}"


def _refuse_finer_money(rows: pd.DataFrame, source: Source, decimals: int) -> None:
    """Money finer than the client keeps would be rounded away in silence."""
    for column in [c for c in MONEYS if f"{c}_fine" in rows]:
        finer = rows[rows[f"{column}_fine"].fillna(False)]
        if len(finer):
            more = (
                f"Say decimals: {decimals + 1} in client.yml, or more."
                if decimals < 6
                else "That is the most that is kept; round them in the source."
            )
            raise SchemaError(
                f"{finer['source_file'].iloc[0]}, row {finer['source_row'].iloc[0]}, column "
                f"{source.columns[column]!r}: money finer than {decimals} decimals ({len(finer):,} such rows). {more}"
            )


def judge(rows: pd.DataFrame, source: Source, *, delivered_on: int | None = None, scale=None) -> None:
    """`reason` and `column` (the header at fault) of every row; the first defect in the order of STEPS."""
    reason = pd.Series(None, index=rows.index, dtype=object)
    column = pd.Series("", index=rows.index, dtype=object)
    days = [c for c in rows.columns if c.endswith("_day")]
    bad = [c.removesuffix("_bad") for c in rows.columns if c.endswith("_bad")]
    defects: list[tuple[str, pd.Series, str]] = []
    if scale is not None:
        out = ~rows["satisfaction"].between(*scale) & rows["satisfaction"].notna()
        defects.append(("out-of-scale", out, "satisfaction"))
    defects += [("unreadable-number", rows[f"{c}_bad"], c) for c in bad if c not in days]
    if delivered_on is not None:
        defects += [("future-date", rows[c] > delivered_on, c) for c in days]
    defects += [("unreadable-date", rows[f"{c}_bad"], c) for c in bad if c in days]
    defects.append(("missing-id", rows["customer_id"].isna(), "customer_id"))
    if "lost" in rows:
        defects.append(("digits-lost", rows["lost"], "customer_id"))
    if source.exact_duplicates == "merge":
        defects.append(("exact-duplicate", rows["copy"] > 1, ""))
    defects.append(("not-a-record", rows["is_total"], ""))
    for name, which, at in defects:
        chosen = which.fillna(False).astype(bool)
        reason[chosen], column[chosen] = name, tidy(source.columns.get(at, ""))
    rows["reason"], rows["column"] = reason, column


def newest(rows: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """One row per key: of each field the last value in the files that is not empty, and the last place."""
    ordered = rows.sort_values(["source_file", "source_row"], kind="stable")
    # GroupBy.last skips empty values, which is the survivorship rule; a place is never empty.
    return ordered.groupby(list(keys), dropna=False, sort=True).last().reset_index()


def superseded(rows: pd.DataFrame, keys: Sequence[str]) -> pd.Index:
    """Rows that a later row of the same key replaces."""
    good = rows[rows["reason"].isna()].sort_values(["source_file", "source_row"], kind="stable")
    return good.index[good.duplicated(list(keys), keep="last")]


def fates(rows: pd.DataFrame, kept: pd.DataFrame) -> pd.DataFrame:
    """Rows and spend by reason; what a merged row adds is what its customer's one row does not hold."""
    spend = rows["spend"].fillna(0)
    counts = rows.assign(money=spend, reason=rows["reason"].fillna("")).groupby("reason")["money"]
    found = counts.agg(["size", "sum"]).set_axis(["rows", "money"], axis=1).astype("int64")
    stays = int(kept["spend"].sum()) if len(kept) else 0
    if "same-customer" in found.index:
        found.loc["same-customer", "money"] += found.loc["", "money"] - stays
        found.loc["", "money"] = stays
    found = found.reset_index()
    return found.assign(reason=found["reason"].replace("", None))


def set_aside(rows: pd.DataFrame, collected: Collected) -> pd.DataFrame:
    """The quarantine of a table of totals, with what each row was worth."""
    out = rows[rows["reason"].notna() & ~rows["reason"].isin(["exact-duplicate", "same-customer"])]
    return aside(out.assign(money=out["spend"].fillna(0).astype("int64")), collected)


def people(
    kept: pd.DataFrame, collected: Collected, client: Client, table: str, *, as_from: pd.Series
) -> pa.Table:
    """What a table of totals tells of its customers, in the columns of `tables.CUSTOMERS`."""
    engine = tables.engine()
    collected.delivered(engine)
    source = client.tables.named()[table]
    mapped = {c: h for c, h in source.columns.items() if c in CUSTOMER_COLUMNS and c != "customer_id"}
    found = customers.cells(engine, mapped, readings.said(client, table))
    fields = [c for c in CUSTOMER_COLUMNS if c != "customer_id"]
    parts = ", ".join(customers.attribute(c, mapped, found) for c in fields)
    places = ["customer_id", "source_file", "source_row"]
    engine.register("kept", kept[places].assign(as_from_day=as_from.astype("Int32")))
    rows = engine.sql(
        f"SELECT kept.*, told.* EXCLUDE ({FILE}, {ROW}) FROM kept JOIN "
        f"(SELECT {parts}, {FILE}, {ROW} FROM delivered {readings.joins(found.values())}) told ON {FILE} = source_file AND {ROW} = source_row "
        "ORDER BY customer_id, as_from_day"
    )
    return tables.conform(rows.to_arrow_table(), tables.CUSTOMERS)
