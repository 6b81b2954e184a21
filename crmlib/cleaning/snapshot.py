"""Customer snapshots: totals of each customer at one date, as telecom and bank exports hold them.

Also what every table of totals has in common (`cleaning.tier_table` is the other one): cells are
typed, rows are judged, rows of one customer become one.
"""

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from crmlib import tables
from crmlib.cleaning.customers import attribute
from crmlib.cleaning.ledger import ledger
from crmlib.cleaning.transactions import MISFITS, MOST, TOTAL_WORDS, Cleaned, aside, misfit_fates
from crmlib.cleaning.words import MARKS, worded
from crmlib.client import Client
from crmlib.collection import values
from crmlib.collection.files import ROW
from crmlib.collection.headers import tidy
from crmlib.collection.sources import CUSTOMER_COLUMNS, FILE, Collected
from crmlib.errors import SchemaError
from crmlib.mapping import Source
from crmlib.period import day_number

MONEYS, COUNTS, NUMBERS = (
    ("spend", "profit", "lifetime_value"),
    ("orders",),
    ("tenure_months", "satisfaction"),
)
STEPS = [
    *(*MISFITS, "not-a-record", "exact-duplicate", "missing-id", "unreadable-date", "future-date"),
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
    rows = typed(collected, source, tables.SNAPSHOT, decimals=client.decimals)
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
        repairs=repairs,
        people=people(kept, collected, source, as_from=kept["taken_day"]),
    )


def typed(collected: Collected, source: Source, table: tables.Table, *, decimals: int) -> pd.DataFrame:
    """Every record with the columns of a table of totals, text trimmed, money in the smallest unit.

    Returns
    -------
    The table's columns (empty where not mapped), source_file, source_row, copy (of how many alike
    this is which), is_total, and for each number and day `<column>_bad`: the cell holds something
    that is none.
    """
    engine = tables.engine()
    collected.delivered(engine)
    own = [c.name for c in table.columns if c.name not in ("known", "source_file", "source_row")]
    headers = {c: values.name(tidy(h)) for c, h in source.columns.items() if c in own}
    parts = [part for c in own for part in _cell(c, headers, source, decimals)]
    originals = [values.name(c) for c in collected.headers]
    numbers = [f"{values.measured(headers[c])} AS read_{c}" for c in headers if is_number(c, source)]
    found = engine.sql(
        f"WITH read AS (SELECT {', '.join(['*', *numbers])} FROM delivered) "
        f"SELECT {', '.join(parts)}, {_is_total(source, originals)} AS is_total, {FILE} AS source_file, "
        f"{ROW} AS source_row, row_number() OVER (PARTITION BY {', '.join(originals)} ORDER BY {FILE}, {ROW}) "
        f"AS copy FROM read ORDER BY {FILE}, {ROW}"
    ).to_arrow_table()
    rows = found.to_pandas(types_mapper=NULLABLE.get)
    _refuse_finer_money(rows, source, decimals)
    return rows


def _cell(column: str, headers: dict[str, str], source: Source, decimals: int) -> list[str]:
    """A column as SQL, and whether its cell holds something unreadable."""
    header = headers.get(column)
    if column.endswith("_day"):
        day = values.day(header, source.date_format) if header else "NULL"
        return [f"CAST({day} AS INTEGER) AS {column}", _bad(header, day, column)]
    if is_number(column, source):
        number = f"read_{column}" if header else f"CAST(NULL AS {values.NUMBER})"
        # Too large for a whole number of the smallest unit; a count has no parts and is not below 0.
        fits = f"abs({number}) < {MOST}" + (
            f" AND {number} >= 0" if column not in (*MONEYS, "satisfaction") else ""
        )
        fits += f" AND {number} = floor({number})" if column in COUNTS else ""
        good = f"CASE WHEN {fits} THEN {number} END"
        if column in MONEYS:
            fine = f"{good} <> round({good}, {decimals}) AS {column}_fine"
            whole = f"CAST(round({good} * {10**decimals}) AS BIGINT) AS {column}"
            return [whole, fine, _bad(header, good, column)]
        form = "BIGINT" if column in COUNTS else "DOUBLE"
        return [f"CAST({good} AS {form}) AS {column}", _bad(header, good, column)]
    return [f"{values.text(header) if header else 'CAST(NULL AS VARCHAR)'} AS {column}"]


def is_number(column: str, source: Source) -> bool:
    """Whether a column holds numbers: a score of satisfaction does, on its scale; without one it is a word."""
    if column == "satisfaction":
        return getattr(source, "satisfaction_scale", None) is not None
    return column in (*MONEYS, *COUNTS, *NUMBERS)


def _bad(header: str | None, readable: str, column: str) -> str:
    return f"{f'{values.given(header)} AND ({readable}) IS NULL' if header else 'false'} AS {column}_bad"


def _is_total(source: Source, originals: list[str]) -> str:
    """A line of totals begins with the word, and none of its other words says anything."""
    words = f"({', '.join(map(values.literal, TOTAL_WORDS))})"
    first = f"lower(coalesce({', '.join(map(values.text, originals))}))"
    told = {c: values.name(tidy(h)) for c, h in source.columns.items()}
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


def people(kept: pd.DataFrame, collected: Collected, source: Source, *, as_from: pd.Series) -> pa.Table:
    """What a table of totals tells of its customers, in the columns of `tables.CUSTOMERS`."""
    engine = tables.engine()
    collected.delivered(engine)
    mapped = {c: h for c, h in source.columns.items() if c in CUSTOMER_COLUMNS and c != "customer_id"}
    fields = [c for c in CUSTOMER_COLUMNS if c != "customer_id"]
    parts = ", ".join(attribute(c, mapped, source.date_format) for c in fields)
    places = ["customer_id", "source_file", "source_row"]
    engine.register("kept", kept[places].assign(as_from_day=as_from.astype("Int32")))
    rows = engine.sql(
        f"SELECT kept.*, told.* EXCLUDE ({FILE}, {ROW}) FROM kept JOIN "
        f"(SELECT {parts}, {FILE}, {ROW} FROM delivered) told ON {FILE} = source_file AND {ROW} = source_row "
        "ORDER BY customer_id, as_from_day"
    )
    return tables.conform(rows.to_arrow_table(), tables.CUSTOMERS)
