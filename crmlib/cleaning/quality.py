"""The quality of what was collected, scored apart: accuracy, completeness, timeliness; never one number.

*Accuracy* is the share of filled cells that can be read and can be true: numbers and dates that are
none, dates after the delivery, answers off their scale, an end before its beginning, numbers of
customers nobody knows, amounts that are not quantity × price, and regions that are not their city's
count against it. *Completeness* is the share of cells that are filled; `N/A` and its like are not.
*Timeliness* falls from 1 to 0 with the age of the newest record (`fresh_days` to `stale_days`); where
records say when they were last updated it is at most the share updated within `updated_within_days`.
All are computed by DuckDB over the files, before cleaning and after it, with the same definitions.
"""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import duckdb
import pandas as pd
import pyarrow as pa

from crmlib import tables
from crmlib.cleaning.dependencies import AGREEMENT, SMALLEST
from crmlib.cleaning.order_cells import UNITS
from crmlib.cleaning.transactions import Cleaned
from crmlib.client import Client
from crmlib.collection import readings, values
from crmlib.collection.sources import Collected, mapped
from crmlib.contracts import DAY
from crmlib.mapping import Source, Surveys
from crmlib.period import day_number
from crmlib.rules import Quality

MEASURES = ("accuracy", "completeness", "timeliness")
SCORES = ["table", "field", "cells", "filled", "records", *MEASURES, "why"]
# The day that tells how new a record is: of the first of these that the table has.
RECORDED = (
    *("updated_day", "ordered_at", "answered_day", "said_day", "opened_at", "asked_day", "cost_day"),
    *("applied_day", "taken_day", "began_day", "since_day", "opened_day"),
)
BEGINNING = {
    "updated_day": "opened_day",
    "last_day": "first_day",
    "ended_day": "began_day",
    "decided_day": "applied_day",
    "answered_at": "opened_at",
    "resolved_at": "opened_at",
}
KNOWN = {"customer_id": "known", "other_id": "other_known"}
PLACE = ("city", "region")
NEVER_NEGATIVE = {"price", "orders", "tenure_months", "term_months", "reach", "engagement", "conversions"}
UNREADABLE = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x{fffd}]"  # control signs; what a decoder could not tell


class Cell(NamedTuple):
    """A field as SQL: the value, and whether the cell holds anything."""

    value: str
    filled: str


def delivered(
    collected: Collected, client: Client, *, delivered_on: dt.date, customers: Collected | None = None
) -> pd.DataFrame:
    """The scores of a table as it came.

    Parameters
    ----------
    collected : the table as text
    customers : the customer table as it came, where one is supplied: who is known

    Returns
    -------
    `SCORES`: a row for the table (field empty) and one a mapped field; cells, filled cells, records;
    accuracy, completeness, timeliness from 0 to 1, empty where there is nothing to score; and why
    timeliness is empty ("no date").
    """
    source = client.tables.named()[collected.table]
    engine = tables.engine()
    collected.delivered(engine)
    contract = tables.ALL[collected.table]
    headers = {column: f"delivered.{values.name(header)}" for column, header in mapped(source).items()}
    form, found = readings.said(client, collected.table), {}
    for column, header in mapped(source).items():
        if read := _reading(engine, column, header, _form(contract, column), form):
            found[column] = read
    cells = {
        (field := column.removeprefix("answer:")): _as_read(found[column], _form(contract, column))
        if column in found
        else _as_text(field, header, _form(contract, column))
        for column, header in headers.items()
    }
    known = {}
    if customers is not None and collected is not customers:
        header = values.name(mapped(client.tables.customers)["customer_id"])
        listed = f"SELECT {values.text(header)} FROM read_parquet({values.literal(str(customers.path))})"
        known = {
            flag: f"{values.text(headers[who])} IN ({listed})" for who, flag in KNOWN.items() if who in cells
        }
    fields = _scored(engine, cells, known, f"delivered {readings.joins(found.values())}")
    return _scores(engine, fields, client, table=collected.table, day=delivered_on, cent=0.01)


def cleaned(kept: pa.Table | Path, table: str, client: Client, *, delivered_on: dt.date) -> pd.DataFrame:
    """The same scores of a cleaned table, over the fields that were mapped."""
    source = client.tables.named()[table]
    engine = tables.engine()
    if isinstance(kept, Path):
        engine.read_parquet(str(kept)).create_view("kept")
    else:
        engine.register("kept", kept)
    contract = tables.ALL[table]
    cells = {c: _as_typed(c, _form(contract, c)) for c in mapped(source) if contract.column(c) is not None}
    rows = "kept"
    if isinstance(source, Surveys):
        rows = f"({_forms(source)})"
        cells |= {aspect: _as_typed(aspect, "number") for aspect in source.answers}
    known = {flag: flag for who, flag in KNOWN.items() if who in cells and contract.column(flag) is not None}
    fields = _scored(engine, cells, known, rows)
    return _scores(engine, fields, client, table=table, day=delivered_on, cent=10**client.decimals / 100)


def _scored(
    engine: duckdb.DuckDBPyConnection, cells: Mapping[str, Cell], known: Mapping[str, str], rows: str
) -> dict[str, Cell]:
    """A table `scored` with every field under its own name, from wherever it came; what is asked of it."""
    fields = {field: Cell(values.name(field), values.name(f"{field} filled")) for field in cells}
    parts = [
        f"{cells[f].value} AS {own.value}, {cells[f].filled} AS {own.filled}" for f, own in fields.items()
    ]
    # Where nobody is listed, everybody is known.
    parts += [f"{known.get(flag, 'true')} AS {flag}" for flag in KNOWN.values()]
    # A table: of a view DuckDB would read every cell anew in each of the many counts.
    engine.execute(f"CREATE TEMP TABLE scored AS SELECT {', '.join(parts)} FROM {rows}")
    return fields


def _forms(source: Surveys) -> str:
    """Answers, which are kept a row each, as the forms they were asked on."""
    answers = ", ".join(
        f"any_value(score) FILTER (aspect = {values.literal(aspect)}) AS {values.name(aspect)}"
        for aspect in source.answers
    )
    return (
        f"SELECT any_value(customer_id) AS customer_id, any_value(known) AS known, "
        f"any_value(answered_day) AS answered_day, {answers} FROM kept GROUP BY source_file, source_row"
    )


def _form(contract: tables.Table, column: str) -> str:
    """What a column holds: day, number, name or text."""
    promised = contract.column(column)
    if column.startswith("answer:"):
        return "number"
    if promised is None or pa.types.is_string(promised.type) or pa.types.is_boolean(promised.type):
        return "name" if promised is not None and promised.personal else "text"
    if column == "birth_year":
        return "year"
    return "day" if promised.type == DAY or pa.types.is_timestamp(promised.type) else "number"


def _reading(
    engine: duckdb.DuckDBPyConnection, column: str, header: str, form: str, said: readings.Form
) -> readings.Reading | None:
    """How cleaning reads a column's numbers, days and years; None of text."""
    if form == "day":
        return readings.moment(engine, header, said)
    if form == "number":
        units = values.POINTS if column.startswith("answer:") else values.ANY
        units = UNITS.get(column, units) if said.table == "transactions" else units
        return readings.number(engine, header, said, units=units)
    return readings.year(engine, header) if form == "year" else None


def _as_read(reading: readings.Reading, form: str) -> Cell:
    """A delivered column as it is read; what systems write where there is no date fills no cell."""
    value = {"day": readings.day(reading), "number": f"CAST({reading.value} AS DOUBLE)"}
    return Cell(value.get(form, reading.value), f"({reading.value} IS NOT NULL OR {reading.bad})")


def _as_text(field: str, header: str, form: str) -> Cell:
    """A delivered column; people may be called NA, so that a name is empty only where nothing stands."""
    given = f"{values.text(header)} IS NOT NULL" if form == "name" else values.given(header)
    return Cell(_words(field, values.text(header)), given)


def _as_typed(field: str, form: str) -> Cell:
    """A cleaned column; days as day numbers."""
    column = values.name(field)
    if field.endswith("_at"):
        return Cell(f"date_diff('day', DATE '1970-01-01', CAST({column} AS DATE))", f"{column} IS NOT NULL")
    if form not in ("text", "name"):
        return Cell(column, f"{column} IS NOT NULL")
    words = f"CAST({column} AS VARCHAR)"
    given = f"{words} IS NOT NULL" if form == "name" else values.given(words)
    return Cell(_words(field, words), given)


def _words(field: str, text: str) -> str:
    """A text, or only whether it can be read where no other field is held against it: ten million fit."""
    readable = f"CASE WHEN NOT regexp_matches({text}, {values.literal(UNREADABLE)}) THEN {text} END"
    return readable if field in PLACE else f"nullif({readable} IS NOT NULL, false)"


def _scores(
    engine: duckdb.DuckDBPyConnection,
    fields: Mapping[str, Cell],
    client: Client,
    *,
    table: str,
    day: dt.date,
    cent: float,
) -> pd.DataFrame:
    source = client.tables.named()[table]
    tests = {field: _tests(field, fields, source, day, cent) for field in fields}
    join = _usual_region(engine, fields)
    if join:
        tests["region"].append("coalesce(region_there = region, true)")
    parts = ["count(*)"]
    for field, cell in fields.items():
        possible = " AND ".join([f"{cell.value} IS NOT NULL", *tests[field]])
        parts.append(f"count(*) FILTER ({cell.filled})")
        parts.append(f"count(*) FILTER ({cell.filled} AND coalesce({possible}, false))")
    records, *rest = engine.sql(f"SELECT {', '.join(parts)} FROM scored {join}").fetchall()[0]
    found = pd.DataFrame(
        [(table, f, records, *rest[2 * at : 2 * at + 2], records) for at, f in enumerate(fields)],
        columns=["table", "field", "cells", "filled", "possible", "records"],
    )
    whole = {"table": table, "field": "", **found[["cells", "filled", "possible"]].sum(), "records": records}
    timely = _timeliness(engine, fields, day, client.quality)
    return _shares(pd.concat([pd.DataFrame([whole]), found], ignore_index=True), timely)


def _tests(field: str, cells: Mapping[str, Cell], source: Source, day: dt.date, cent: float) -> list[str]:
    """What must hold of a readable cell of this field, as SQL."""
    value, tests = cells[field].value, []
    if field.endswith(("_day", "_at")):
        tests.append(f"{value} <= {day_number(day)}")
    elif field == "birth_year":
        tests.append(f"{value} BETWEEN 1900 AND {day.year}")
    elif field in NEVER_NEGATIVE:
        tests.append(f"{value} >= 0")
    elif isinstance(source, Surveys) and field in source.answers:
        low, high = source.answers[field].scale
        tests.append(f"{value} BETWEEN {low} AND {high}")
    if field in BEGINNING and BEGINNING[field] in cells:
        tests.append(f"coalesce({value} >= {cells[BEGINNING[field]].value}, true)")
    if field == "amount" and {"quantity", "price"} <= set(cells):
        price = cells["price"].value
        tests.append(f"coalesce(abs({value} - {cells['quantity'].value} * {price}) < {cent}, true)")
    if field in KNOWN:
        tests.append(KNOWN[field])
    return tests


def _usual_region(engine: duckdb.DuckDBPyConnection, cells: Mapping[str, Cell]) -> str:
    """A join to each city's usual region, where cities mostly have one."""
    if not set(PLACE) <= set(cells):
        return ""
    city, region = cells["city"].value, cells["region"].value
    engine.execute(f"""
        CREATE TEMP TABLE usual AS
        WITH pairs AS (SELECT {city} AS city, {region} AS region, count(*) AS rows FROM scored
                       WHERE {cells["city"].filled} AND {cells["region"].filled} GROUP BY ALL)
        SELECT city AS of_city, arg_max(region, rows) AS region_there, max(rows) AS agree, sum(rows) AS rows
        FROM pairs GROUP BY city HAVING sum(rows) >= {SMALLEST} AND max(rows) * 2 > sum(rows)""")
    agree, rows = engine.sql("SELECT sum(agree), sum(rows) FROM usual").fetchall()[0]
    believed = rows and agree >= AGREEMENT * float(rows)
    return f"LEFT JOIN usual ON of_city = {city}" if believed else ""


def _timeliness(
    engine: duckdb.DuckDBPyConnection, cells: Mapping[str, Cell], day: dt.date, rule: Quality
) -> dict[str, float | None]:
    """By field of a date, and under "" of the whole table."""
    dated = next((column for column in RECORDED if column in cells), None)
    if dated is None:
        return {"": None}
    today, value = day_number(day), cells[dated].value
    newest, recent, records = engine.sql(
        f"SELECT max({value}) FILTER ({value} <= {today}), "
        f"count(*) FILTER ({value} BETWEEN {today - rule.updated_within_days} AND {today}), count(*) FROM scored"
    ).fetchall()[0]
    if newest is None:
        return {"": None}
    score = freshness(today - newest, rule)
    if dated == "updated_day":
        score = min(score, recent / records)
    return {"": score, dated: score}


def freshness(age: int, rule: Quality) -> float:
    """1 while the newest record is at most `fresh_days` old, 0 from `stale_days` on, a straight line between.

    >>> rule = Quality(fresh_days=30, stale_days=130)
    >>> freshness(10, rule), freshness(80, rule), freshness(500, rule)
    (1.0, 0.5, 0.0)
    """
    return float(min(max((rule.stale_days - age) / (rule.stale_days - rule.fresh_days), 0), 1))


def _shares(found: pd.DataFrame, timely: Mapping[str, float | None]) -> pd.DataFrame:
    counts = found[["cells", "filled", "possible"]].astype("Float64")
    scored = found.assign(
        accuracy=(counts["possible"] / counts["filled"].replace(0, pd.NA)).astype(float),
        completeness=(counts["filled"] / counts["cells"].replace(0, pd.NA)).astype(float),
        timeliness=[timely.get(field) for field in found["field"]],
    ).astype({"timeliness": float})
    undated = (scored["field"] == "") & scored["timeliness"].isna()
    return scored.assign(why=undated.map({True: "no date", False: ""}))[SCORES]


def figures(scores: pd.DataFrame, stage: str) -> dict[str, dict]:
    """The scores under their ids; `stage` is "before" or "after" (cleaning)."""
    counts = {"accuracy": "filled", "completeness": "cells", "timeliness": "records"}
    found = {}
    for line in scores.to_dict("records"):
        place = ".".join(part for part in (line["table"], line["field"]) if part)
        absent = "no rows" if not line["cells"] else "nothing filled"
        for score, count in counts.items():
            if not pd.isna(line[score]):
                figure = {"value": line[score], "n": int(line[count])}
            elif line["field"]:
                continue
            else:
                why = line["why"] if score == "timeliness" else absent
                figure = {"value": None, "n": int(line[count]), "why": why}
            found[f"quality.{place}.{score}.{stage}"] = figure
    return found


def compared(before: pd.DataFrame, after: pd.DataFrame, *, fields: bool = False) -> pd.DataFrame:
    """Scores before and after cleaning side by side: table, (field,) three scores of each stage.

    One row a table, or with `fields` one a field.
    """
    key = ["table", "field"]
    both = before[[*key, *MEASURES]].merge(
        after[[*key, *MEASURES]], on=key, how="left", suffixes=("_before", "")
    )
    order = [*key, *(f"{measure}{stage}" for measure in MEASURES for stage in ("_before", ""))]
    chosen = both[(both["field"] != "") == fields][order].reset_index(drop=True)
    return chosen if fields else chosen.drop(columns="field")


def both(
    delivery: Mapping[str, Collected], kept: Mapping[str, Cleaned], client: Client, *, delivered_on: dt.date
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The scores of a whole delivery before cleaning and after it."""
    listed = delivery.get("customers")
    before = [
        delivered(part, client, delivered_on=delivered_on, customers=listed) for part in delivery.values()
    ]
    after = [
        cleaned(kept[name].kept, name, client, delivered_on=delivered_on) for name in delivery if name in kept
    ]
    return pd.concat(before, ignore_index=True), pd.concat(after, ignore_index=True)


def doubtful(scores: pd.DataFrame) -> dict[str, object]:
    """The table with the least accuracy, its filled cells and how many cannot be read or cannot be true.

    Counts, because 99.99 % would be shown as all; `table` None where nothing is filled.
    """
    whole = scores[(scores["field"] == "") & scores["accuracy"].notna()].sort_values(["accuracy", "table"])
    if whole.empty:
        return {"table": None, "filled": 0, "wrong": 0}
    line = whole.iloc[0]
    wrong = int(line["filled"]) - round(line["accuracy"] * int(line["filled"]))
    return {"table": line["table"], "filled": int(line["filled"]), "wrong": wrong}
