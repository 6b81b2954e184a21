"""The customer 360° view (D01): one row a customer over every source, and how far the sources reach.

What a source does not tell is empty; what it tells of nobody is 0. Computed in DuckDB, so that order
lines need not fit into memory. It is of the whole delivery: a period's steps must not read it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import duckdb
import pandas as pd
import pyarrow as pa

from crmlib import tables
from crmlib.cleaning.outcome import Cleaned
from crmlib.collection import values

Part = Cleaned | pa.Table | Path


class Told(NamedTuple):
    """A column of the view: the source that tells it, of which rows, and how they are brought together."""

    source: str
    sql: str  # over a customer's rows
    zero: bool = True  # 0 where the source holds nothing of the customer; else empty
    speaks: str = "true"  # some row must be so, or the source says nothing of this column at all


# A source's rows as they are counted, each with customer_id and known.
ROWS = {
    "transactions": (
        "SELECT customer_id, known, bool_or(kind = 'sale') AS sold, min(order_day) FILTER (kind = 'sale') AS day, "
        "sum(CASE kind WHEN 'sale' THEN amount ELSE 0 END + returned) AS net "
        "FROM transactions GROUP BY customer_id, known, order_id"
    ),
    "surveys": (
        "SELECT *, (score - low) / (high - low) * 100 AS percent, aspect <> 'recommend' AND answered_day = "
        "max(answered_day) FILTER (aspect <> 'recommend') OVER (PARTITION BY customer_id) AS latest FROM surveys"
    ),
    "needs": "FROM needs",
    "feedback": "FROM feedback",
    "interactions": "SELECT *, coalesce(kind, '') NOT IN ('post', 'mention', 'contact') AS asked FROM interactions",
    "relations": (
        "SELECT customer_id, known FROM relations UNION ALL SELECT other_id, other_known FROM relations"
    ),
    "applications": "FROM applications",
    "costs": "FROM costs",
}
PLACE = "(source_file, source_row)"
COLUMNS = {
    "orders": Told("transactions", "count(*) FILTER (sold)"),
    "net": Told("transactions", "sum(net)"),
    "last_order_day": Told("transactions", "max(day)", False),
    "answers": Told("surveys", "count(*)"),
    # Rounded, because the order in which an engine adds would show in the last digit.
    "last_score": Told("surveys", "round(avg(percent) FILTER (latest), 9)", False),
    "needs": Told("needs", "count(*)"),
    "stated": Told("needs", f"arg_max(need, (asked_day, {PLACE})) FILTER (need IS NOT NULL)", False),
    "feedback": Told("feedback", "count(*)"),
    "last_feedback_day": Told("feedback", "max(said_day)", False),
    "complained": Told("feedback", "count(*) FILTER (kind = 'complaint')", True, "kind IS NOT NULL"),
    "interactions": Told("interactions", "count(*)"),
    "open_interactions": Told(
        "interactions", "count(*) FILTER (asked AND resolved_at IS NULL)", True, "resolved_at IS NOT NULL"
    ),
    "complaints": Told("interactions", "count(*) FILTER (kind = 'complaint')", True, "kind IS NOT NULL"),
    "relations": Told("relations", "count(*)"),
    "applications": Told("applications", "count(*)"),
    "approved": Told("applications", "count(*) FILTER (decision = 'approved')"),
    "declined": Told("applications", "count(*) FILTER (decision = 'declined')"),
    "pending": Told("applications", "count(*) FILTER (decision = 'pending')"),
    "cost_to_serve": Told("costs", "sum(amount) FILTER (kind = 'serve')", True, "kind = 'serve' AND known"),
}
# Told by two sources: what is shown, from the columns above.
TOGETHER = {
    "need": "coalesce(stated, base.need)",
    "complaints": "CASE WHEN coalesce(complaints, complained) IS NOT NULL "
    "THEN coalesce(complaints, 0) + coalesce(complained, 0) END",
}


def view(found: Mapping[str, Part]) -> pa.Table:
    """One row a customer over all sources.

    Parameters
    ----------
    found : tables by name, as cleaned, in memory, or as Parquet files; `customers` is needed, every other
        table may be absent

    Returns
    -------
    The columns of `tables.VIEW`, by customer_id. Counts and money are 0 where a source holds nothing of the
    customer, and empty where the source is not supplied or nowhere says such a thing.
    """
    engine = _engine(found)
    columns = _told(engine, found)
    sources = sorted({told.source for told in columns.values()})
    joins = " ".join(
        f"LEFT JOIN ({_grouped(source, columns)}) AS {source} USING (customer_id)" for source in sources
    )
    shown = ", ".join(
        f"{_shown(name, columns[name]) if name in columns else 'NULL'} AS {name}" for name in COLUMNS
    )
    seen = " + ".join(f"CAST({source}.seen IS NOT NULL AS BIGINT)" for source in sources) or "0"
    promised = ", ".join(f"{TOGETHER.get(c, c)} AS {c}" for c in tables.VIEW.schema.names)
    rows = engine.sql(
        f"WITH base AS ({BASE}), facts AS (SELECT customer_id, {shown}, {seen} AS sources FROM base {joins}) "
        f"SELECT {promised} FROM base JOIN facts USING (customer_id) ORDER BY customer_id"
    )
    return tables.conform(rows.to_arrow_table(), tables.VIEW)


# Customers known from order lines alone have a row for every change; the newest counts.
BASE = (
    "SELECT customer_id, customer_type, region, need FROM customers QUALIFY "
    "row_number() OVER (PARTITION BY customer_id ORDER BY as_from_day DESC NULLS LAST) = 1"
)


def coverage(found: Mapping[str, Part]) -> pd.DataFrame:
    """How far each source reaches among the customers; a source that is not supplied has no figures.

    Returns
    -------
    table, records, customers (with at least one record), share (of all customers), strangers (records of
    customers whom nobody knows; of relations, with such an end), nameless (records that name nobody).
    """
    engine = _engine(found)
    everyone = engine.sql("SELECT count(DISTINCT customer_id) FROM customers").fetchall()[0][0]
    lines = []
    for source, rows in ROWS.items():
        if source not in found:
            lines.append((source, None, None, None, None, None))
            continue
        known = "known AND other_known" if source == "relations" else "known"
        records, strangers, nameless = engine.sql(
            f"SELECT count(*), count(*) FILTER (NOT ({known}) AND customer_id IS NOT NULL), "
            f"count(*) FILTER (customer_id IS NULL) FROM {source}"
        ).fetchall()[0]
        reached = engine.sql(f"SELECT count(DISTINCT customer_id) FILTER (known) FROM ({rows})").fetchall()[
            0
        ][0]
        share = reached / everyone if everyone else None
        lines.append((source, records, reached, share, strangers, nameless))
    table = pd.DataFrame(lines, columns=["table", "records", "customers", "share", "strangers", "nameless"])
    counts = ["records", "customers", "strangers", "nameless"]
    return table.astype(dict.fromkeys(counts, "Int64") | {"share": float})


def reach(covered: pd.DataFrame) -> dict[str, float]:
    """Of a coverage: sources supplied, records of customers whom nobody knows, and all records."""
    return {
        "sources": int(covered["records"].notna().sum()),
        "strangers": int(covered["strangers"].sum()),
        "records": int(covered["records"].sum()),
    }


def _engine(found: Mapping[str, Part]) -> duckdb.DuckDBPyConnection:
    """An engine that knows every table by its name."""
    engine = tables.engine()
    for name, part in found.items():
        if isinstance(part, Path):
            engine.execute(f"CREATE TEMP VIEW {name} AS FROM read_parquet({values.literal(str(part))})")
        else:
            engine.register(name, part.kept if isinstance(part, Cleaned) else part)
    return engine


def _told(engine: duckdb.DuckDBPyConnection, found: Mapping[str, Part]) -> dict[str, Told]:
    """The columns that the sources of this client tell: supplied, naming customers, and saying such a thing."""
    return {
        name: told
        for name, told in COLUMNS.items()
        if told.source in found
        and engine.sql(
            f"SELECT count(*) = 0 OR (bool_or(customer_id IS NOT NULL) AND bool_or(coalesce({told.speaks}, false))) "
            f"FROM ({ROWS[told.source]})"
        ).fetchall()[0][0]
    }


def _grouped(source: str, columns: Mapping[str, Told]) -> str:
    """SQL: what a source tells of each known customer."""
    parts = "".join(f", {told.sql} AS {name}" for name, told in columns.items() if told.source == source)
    return f"SELECT customer_id, true AS seen{parts} FROM ({ROWS[source]}) WHERE known GROUP BY customer_id"


def _shown(name: str, told: Told) -> str:
    return f"coalesce({told.source}.{name}, 0)" if told.zero else f"{told.source}.{name}"
