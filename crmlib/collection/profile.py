"""What a delivery was like, and what is unlike the last one: rows, filled shares, middle values, ids.

A profile holds figures only: headers, counts, shares, middle values to three digits, first and last day.
No cell of a delivery can be read from it. It is kept in `data/<client>/deliveries/`, which no recipe
deletes, because the next delivery is held against it.
"""

import datetime as dt
import hashlib
import json
import math
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from crmlib import tables
from crmlib.client import Client
from crmlib.collection import readings, values
from crmlib.collection.headers import names_people
from crmlib.collection.readings import Form
from crmlib.collection.sources import Collected, mapped, span
from crmlib.errors import SourceError
from crmlib.rules import Quality

COLUMNS = ["table", "header", "finding", "last", "now", "change"]
# In the order in which they are told: what makes every number wrong comes first.
FINDINGS = (
    *("same-files", "vanished-table", "new-table", "vanished-column", "new-column", "unit-change"),
    *("zeros-lost", "history-cut", "nothing-newer", "rows-fewer", "rows-more", "emptier", "fuller", "rows"),
)
UNITS = {
    **dict.fromkeys(("rows", "rows-fewer", "rows-more", "zeros-lost"), "count"),
    **dict.fromkeys(("emptier", "fuller"), "share"),
    **dict.fromkeys(("history-cut", "nothing-newer"), "date"),
}
CHANCE = 3.29  # standard errors: one in a thousand by chance alone
FEWEST = 5  # numbers, before a middle one is kept: of fewer it would be a cell
FACTORS = (100, 10_000, 1 / 100, 1 / 10_000)  # 元, 分 and 万元
LEADING_ZERO = "'0[0-9].*'"
IDS = {"customer_id", "order_id", "product_id", "other_id", "application_id"}


def profile(collection: dict[str, Collected], client: Client, *, delivered_on: dt.date) -> dict[str, Any]:
    """The figures of a delivery.

    Returns
    -------
    delivered_on, fingerprint (of all files) and tables: by name records, files (sha256), first_day,
    last_day and columns: by header filled (share), records, distinct (about), median (of numbers, three
    digits), and of ids shortest, longest and zeros (share that begins with 0). The order of rows and of
    files changes nothing.
    """
    found = {name: _table(part, client) for name, part in sorted(collection.items())}
    marks = sorted({mark for table in found.values() for mark in table["files"]})
    whole = hashlib.sha256("\n".join(marks).encode()).hexdigest()
    return {"delivered_on": delivered_on.isoformat(), "fingerprint": whole, "tables": found}


def _table(collected: Collected, client: Client) -> dict[str, Any]:
    source = client.tables.named()[collected.table]
    ids = {header for column, header in mapped(source).items() if column in IDS}
    days = {header for column, header in mapped(source).items() if column.endswith(("_day", "_at"))}
    form = readings.said(client, collected.table)
    numbers = [
        h for h in collected.headers if h not in ids | days | collected.personal and not names_people(h)
    ]
    reach = span(client, collected)
    first, last = (day.isoformat() for day in reach) if reach else (None, None)
    marks = collected.files.get("sha256", [])
    return {
        "records": collected.records,
        "files": sorted(set(marks)),
        "first_day": first,
        "last_day": last,
        "columns": {
            header: _column(collected, header, is_id=header in ids, form=form if header in numbers else None)
            for header in collected.headers
        },
    }


def _column(collected: Collected, header: str, *, is_id: bool, form: Form | None) -> dict[str, Any]:
    """The figures of a column; `form` is how numbers are read, if it may hold any."""
    column, engine = values.name(header), tables.engine()
    collected.delivered(engine)
    records, distinct = engine.sql(
        f"SELECT count(*), approx_count_distinct({column}) FROM delivered"
    ).fetchall()[0]
    # A text that stands often is read once.
    often = distinct < records / 10
    each = f"SELECT {column} AS cell, {'count(*)' if often else '1'} AS times FROM delivered"
    engine.execute(f"CREATE TEMP VIEW cells AS {each} {'GROUP BY ALL' if often else ''}")
    text, given = values.text("cell"), values.given("cell")
    digits = f"{given} AND regexp_matches(cell, '[0-9０-９]')"
    filled, digital, shortest, longest, zeros = engine.sql(
        f"SELECT {_rows(given)}, {_rows(digits)}, min(length({text})), "
        f"max(length({text})), {_rows(f'{text} SIMILAR TO {LEADING_ZERO}')} FROM cells"
    ).fetchall()[0]
    found = {"records": records, "filled": filled / records if records else None, "distinct": distinct}
    if is_id:
        return found | {"shortest": shortest, "longest": longest, "zeros": zeros / max(filled, 1)}
    fewest = max(FEWEST, 0.9 * filled)
    # Texts without a digit are no numbers, and need not be read as such.
    middle = _middle(engine, header, form, fewest) if form and digital >= fewest else None
    return found if middle is None else found | {"median": middle}


def _rows(test: str) -> str:
    return f"CAST(coalesce(sum(times) FILTER ({test}), 0) AS BIGINT)"


def _middle(engine: duckdb.DuckDBPyConnection, header: str, form: Form, fewest: float) -> float | None:
    """The median of a column's numbers, to three digits: as a cell it would name an amount.

    None of fewer than so many numbers, or where it is open which sign is the decimal one.
    """
    try:
        read = readings.number(engine, header, form)
    except SourceError:
        return None
    low, high, numeric = engine.sql(f"""
        WITH numbers AS (SELECT CAST({read.value} AS DOUBLE) AS number, count(*) AS times
                         FROM delivered {readings.joins([read])} GROUP BY ALL),
        places AS (SELECT number, times, sum(times) OVER (ORDER BY number) AS upto, sum(times) OVER () AS total
                   FROM numbers WHERE number IS NOT NULL)
        SELECT min(number) FILTER (2 * upto >= total), min(number) FILTER (2 * upto > total),
          coalesce(sum(times), 0) FROM places
        """).fetchall()[0]
    return float(f"{(low + high) / 2:.3g}") if numeric >= fewest else None


def kept(client: Client, now: dict[str, Any]) -> Path:
    """A profile written beside those of earlier deliveries; the same delivery again replaces its own."""
    name = f"{now['delivered_on']}-{now['fingerprint'][:12]}.json"
    others = [record for path, record in _all(client) if path.name != name]
    mine = [record["place"] for path, record in _all(client) if path.name == name]
    # The place among the deliveries of one day is that of their first coming.
    place = mine[0] if mine else 1 + max((record["place"] for record in others), default=0)
    content = json.dumps(now | {"place": place}, ensure_ascii=False, sort_keys=True, indent=1)
    return tables.replace(_folder(client) / name, content.encode())


def last(client: Client, now: dict[str, Any]) -> dict[str, Any] | None:
    """The newest delivery before this one; None where there is none.

    Handed over on another day, the very same files are a delivery of their own; collected again, they
    are the one that is held against the one before it.
    """
    records = [record for _, record in _all(client)]
    own = {"delivered_on": now["delivered_on"], "fingerprint": now["fingerprint"]}
    place = next((r["place"] for r in records if own.items() <= r.items()), math.inf)
    earlier = [r for r in records if _moment(r) < (now["delivered_on"], place)]
    return max(earlier, key=_moment, default=None)


def _moment(record: dict[str, Any]) -> tuple[str, float]:
    return record["delivered_on"], record["place"]


def _folder(client: Client) -> Path:
    return client.folder / "deliveries"


def _all(client: Client) -> list[tuple[Path, dict[str, Any]]]:
    """Every profile that is kept and whole."""
    found = []
    for path in sorted(_folder(client).glob("*.json")):
        try:
            record = json.loads(path.read_text("utf-8"))
            _moment(record), record["tables"], record["fingerprint"]
        except (ValueError, KeyError, TypeError):
            continue  # edited by hand: no reason to stop a delivery, which is compared with the others
        found.append((path, record))
    return found


def compared(now: dict[str, Any], last: dict[str, Any] | None, rule: Quality) -> pd.DataFrame:
    """What is unlike the last delivery.

    Parameters
    ----------
    now, last : profiles; `last` None for a first delivery
    rule : from when on a difference is worth a word

    Returns
    -------
    table, header (empty: the whole table), finding (one of `FINDINGS`), last, now (of ids whose zeros were
    lost their shortest length), change (now ÷ last − 1; of filled shares now − last), unit of last and now. Every table has a line for its rows, whatever they are; empty for a
    first delivery; one line `same-files` where nothing differs at all.
    """
    if last is None:
        return pd.DataFrame(columns=[*COLUMNS, "unit"])
    if now["fingerprint"] == last["fingerprint"]:
        return pd.DataFrame([("", "", "same-files", None, None, None, "number")], columns=[*COLUMNS, "unit"])
    lines = _coming_and_going("", "", "table", now["tables"], last["tables"])
    for table in sorted(set(now["tables"]) & set(last["tables"])):
        lines += _of_table(table, now["tables"][table], last["tables"][table], rule)
    lines.sort(key=lambda line: (FINDINGS.index(line[2]), line[0], line[1]))
    found = pd.DataFrame(lines, columns=COLUMNS).astype({"last": object, "now": object})
    return found.assign(unit=[UNITS.get(finding, "number") for finding in found["finding"]])


def _coming_and_going(table: str, header: str, what: str, now: dict, last: dict) -> list[tuple]:
    """Names that are only in one of two deliveries, whatever their case."""
    both = {name.casefold() for name in now} & {name.casefold() for name in last}
    lines = []
    for finding, names in (("new", now), ("vanished", last)):
        for name in names:
            if name.casefold() not in both:
                place = (name, "") if what == "table" else (table, name)
                lines.append((*place, f"{finding}-{what}", None, None, None))
    return lines


def _of_table(table: str, now: dict, last: dict, rule: Quality) -> list[tuple]:
    lines = _coming_and_going(table, "", "column", now["columns"], last["columns"])
    change = _ratio(now["records"], last["records"])
    finding = "rows"
    if change is not None:
        finding = (
            "rows-fewer" if change < -rule.rows_fewer else "rows-more" if change > rule.rows_more else "rows"
        )
    lines.append((table, "", finding, last["records"], now["records"], change))
    if now["first_day"] and last["first_day"]:
        if now["first_day"] > last["first_day"]:
            lines.append((table, "", "history-cut", *_days(last["first_day"], now["first_day"]), None))
        if now["last_day"] <= last["last_day"]:
            lines.append((table, "", "nothing-newer", *_days(last["last_day"], now["last_day"]), None))
    before = {header.casefold(): column for header, column in last["columns"].items()}
    for header, column in now["columns"].items():
        if header.casefold() in before:
            found = _of_column(column, before[header.casefold()], rule)
            lines += [(table, header, *line) for line in found]
    return lines


def _days(*days: str) -> list[dt.date]:
    return [dt.date.fromisoformat(day) for day in days]


def _ratio(now: float, last: float) -> float | None:
    return now / last - 1 if last else None


def _of_column(now: dict, last: dict, rule: Quality) -> list[tuple]:
    lines = []
    middle, before = now.get("median"), last.get("median")
    times = middle / before if middle and before else 1
    if any(abs(times / factor - 1) <= rule.unit_tolerance for factor in FACTORS):
        lines.append(("unit-change", before, middle, times - 1))
    # Ids of one length that began with 0 have been through a spreadsheet where none does any more.
    if last.get("zeros") and now.get("zeros") == 0 and (now["shortest"] or 0) < last["shortest"]:
        lines.append(("zeros-lost", last["shortest"], now["shortest"], None))
    if beyond_chance(now, last) and abs(now["filled"] - last["filled"]) >= rule.filled_less:
        less = now["filled"] < last["filled"]
        difference = now["filled"] - last["filled"]
        lines.append(("emptier" if less else "fuller", last["filled"], now["filled"], difference))
    return lines


def beyond_chance(now: dict, last: dict) -> bool:
    """Whether two filled shares differ by more than one in a thousand would by chance (two proportions).

    >>> beyond_chance({"filled": 0.9, "records": 1000}, {"filled": 0.8, "records": 1000})
    True
    >>> beyond_chance({"filled": 0.9, "records": 20}, {"filled": 0.8, "records": 20})
    False
    """
    n, m = now["records"], last["records"]
    if not n or not m:
        return False
    pooled = (now["filled"] * n + last["filled"] * m) / (n + m)
    error = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return abs(now["filled"] - last["filled"]) > CHANCE * error


def concerns(found: pd.DataFrame) -> dict[str, Any]:
    """What a reader must ask about: how many findings beside the rows, and the columns whose unit changed."""
    asked = found[~found["finding"].isin(["rows"])]
    units = found.loc[found["finding"] == "unit-change"]
    return {
        "findings": len(asked),
        "units": [f"{line.table}.{line.header}" for line in units.itertuples()],
        "same": bool((found["finding"] == "same-files").any()),
    }
