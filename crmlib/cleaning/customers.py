"""Customers: one row each, the newest word on every field winning."""

from dataclasses import dataclass

import duckdb
import pandas as pd
import pyarrow as pa

from crmlib import tables
from crmlib.cleaning import normal
from crmlib.cleaning.ledger import ledger
from crmlib.cleaning.outcome import MISFITS, Cleaned, aside, misfit_fates
from crmlib.cleaning.same_person import Matches, same_person
from crmlib.cleaning.words import one_word
from crmlib.client import Client
from crmlib.collection import readings, values
from crmlib.collection.files import ROW
from crmlib.collection.headers import tidy
from crmlib.collection.readings import Form, Reading
from crmlib.collection.sources import CUSTOMER_COLUMNS, FILE, Collected

STEPS = list(
    dict.fromkeys([*MISFITS, "exact-duplicate", "digits-lost", "missing-id", "same-customer", "same-person"])
)
WORDS = {
    "customer_type": {
        "personal": ("个人客户", "个人", "個人客戶", "personal", "individual"),
        "enterprise": ("企业客户", "企业", "企業客戶", "enterprise", "business", "corporate"),
        "large_enterprise": (
            "大型企业客户",
            "大型企业",
            "大型企業客戶",
            "large enterprise",
            "large_enterprise",
        ),
    },
    "need": {
        "price_sensitive": (
            "价格敏感型",
            "價格敏感型",
            "price sensitive",
            "price_sensitive",
            "price-sensitive",
        ),
        "quality_seeking": (
            "品质追求型",
            "品質追求型",
            "quality seeking",
            "quality_seeking",
            "quality-seeking",
        ),
        "personalised": ("个性化需求", "個性化需求", "personalised", "personalized"),
    },
}


@dataclass(frozen=True, kw_only=True)
class CleanedCustomers(Cleaned):
    """Customers cleaned, and which of their numbers are one person's or firm's."""

    matches: Matches


def customers(collected: Collected, client: Client) -> CleanedCustomers:
    """One row per customer; exact copies, older versions and further numbers of one customer merged.

    Where rows of one customer differ, each field takes its newest value that is not empty
    (`updated_day`, then the place in the file), but the relationship began on its first day;
    `conflicts` lists the fields on which rows of one number differed.

    Returns
    -------
    `kept` in the columns of `tables.CUSTOMERS`; `matches` says which number stands for which.
    """
    source = client.tables.customers
    engine = tables.engine()
    collected.delivered(engine)
    found = cells(engine, source.columns, readings.said(client, "customers"))
    parts = [attribute(column, source.columns, found) for column in CUSTOMER_COLUMNS]
    originals = ", ".join(f"delivered.{values.name(c)}" for c in collected.headers)
    typed = engine.sql(
        f"SELECT {', '.join(parts)}, {found['customer_id'].bad} AS lost, {FILE} AS source_file, {ROW} AS source_row, "
        f"row_number() OVER (PARTITION BY {originals} ORDER BY {FILE}, {ROW}) AS copy "
        f"FROM delivered {readings.joins(found.values())} ORDER BY {FILE}, {ROW}"
    ).df()
    reason = pd.Series(None, index=typed.index, dtype=object)
    reason[typed["customer_id"].isna()] = "missing-id"
    reason[typed["lost"]] = "digits-lost"
    if source.exact_duplicates == "merge":
        reason[typed["copy"] > 1] = "exact-duplicate"
    named = typed[reason.isna()]
    each = newest(named, "updated_day")
    country = normal.country(client.timezone, client.currency)
    matches = same_person(each, client.same_person, country=country)
    kept = _under_one_number(named, matches.merged)
    reason[named.index[named["customer_id"].isin(matches.merged)]] = "same-person"
    reason[named.index[named.duplicated("customer_id")]] = "same-customer"
    fates = reason.fillna("").value_counts().rename_axis("reason").reset_index(name="rows")
    fates = fates.assign(reason=fates["reason"].replace("", None), money=0)
    unnamed = typed.assign(reason=reason, money=0, column=found["customer_id"].header)
    return CleanedCustomers(
        _conform(kept),
        aside(unnamed[reason.isin(["missing-id", "digits-lost"])], collected),
        ledger(pd.concat([fates, misfit_fates(collected)]), "customers", STEPS),
        repaired=readings.repairs(engine, "customers", found.values()),
        matches=matches,
    )


def _under_one_number(rows: pd.DataFrame, merged: dict[str, str]) -> pd.DataFrame:
    """One row per customer, further numbers of a customer among its rows."""
    whose = rows.assign(customer_id=rows["customer_id"].replace(merged))
    began = whose[rows["customer_id"].isin(merged.keys() | set(merged.values()))].groupby("customer_id")
    kept = newest(whose, "updated_day").set_index("customer_id")
    kept["opened_day"] = began["opened_day"].min().reindex(kept.index).combine_first(kept["opened_day"])
    return kept.reset_index()


def newest(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """One row per customer: of each field the newest value that is not empty."""
    place = ["source_file", "source_row"]
    ordered = rows.sort_values([by, *place], na_position="first", kind="stable")
    # GroupBy.last skips empty values, which is the survivorship rule itself.
    return ordered.groupby("customer_id", sort=True).last().reset_index()


def conflicts(collected: Collected, client: Client) -> pd.DataFrame:
    """Fields on which rows of one customer number differ.

    Returns
    -------
    customer_id, field, versions (how many different values). The values stay in the source.
    """
    engine, columns = tables.engine(), client.tables.customers.columns
    collected.delivered(engine)
    customer = readings.identifier(engine, columns["customer_id"])
    texts = "".join(
        f", {values.text('delivered.' + values.name(tidy(header)))} AS {column}"
        for column, header in columns.items()
        if column != "customer_id"
    )
    rows = engine.sql(
        f"SELECT {customer.value} AS customer_id{texts} FROM delivered {readings.joins([customer])}"
        " WHERE customer_id IS NOT NULL"
    ).df()
    versions = rows.groupby("customer_id").nunique().drop(columns="updated_day", errors="ignore")
    long = versions.reset_index().melt("customer_id", var_name="field", value_name="versions")
    return long[long["versions"] > 1].sort_values(["customer_id", "field"], ignore_index=True)


def from_lines(lines: Cleaned, collected: Collected, client: Client) -> pa.Table:
    """Customers as their order lines tell of them, where no customer table is supplied.

    Parameters
    ----------
    lines : order lines that were kept
    collected : the order lines as delivered, whose mapping may name columns of customers

    Returns
    -------
    The columns of `tables.CUSTOMERS`, a row for every change: of each field the newest value by
    `as_from_day` that is not empty, so that no period sees what was only said later.
    """
    source = client.tables.transactions
    told = {column: header for column, header in source.columns.items() if column in CUSTOMER_COLUMNS}
    fields = [c for c in CUSTOMER_COLUMNS if c not in ("customer_id", "updated_day")]
    engine = tables.engine(workers=1)
    lines.named(engine)
    collected.delivered(engine)
    changing = [field for field in fields if field in told]  # of the others no line tells anything
    # What is empty is no word: arg_max passes it over, last_value is told to.
    last = "".join(f", arg_max({f}, moment) AS {f}" for f in changing)
    so_far = "".join(f", last_value({f} IGNORE NULLS) OVER so_far AS {f}" for f in changing)
    state = f"struct_pack({', '.join(f'{f} := {f}' for f in changing or ['customer_id'])})"
    shown = ", ".join(f if f in changing else f"{_absent(f)} AS {f}" for f in fields)
    # Within the engine, and first brought to one row a customer and day: order lines need not fit into memory.
    rows = engine.sql(f"""
        WITH days AS (
          SELECT customer_id, order_day{last},
            arg_max(source_file, moment) AS source_file, arg_max(source_row, moment) AS source_row
          FROM ({_told(engine, told, readings.said(client, "transactions"))}) GROUP BY customer_id, order_day),
        states AS (
          SELECT customer_id, order_day{so_far}, source_file, source_row FROM days
          WINDOW so_far AS (PARTITION BY customer_id ORDER BY order_day ROWS UNBOUNDED PRECEDING)),
        changes AS (
          SELECT *, {state} AS state, lag({state}) OVER (PARTITION BY customer_id ORDER BY order_day) AS state_before
          FROM states)
        SELECT customer_id, {shown}, order_day AS updated_day, order_day AS as_from_day,
          source_file, source_row
        FROM changes WHERE state_before IS NULL OR state IS DISTINCT FROM state_before
        ORDER BY customer_id, order_day""")
    return tables.conform(rows.to_arrow_table(), tables.CUSTOMERS)


def _told(engine: duckdb.DuckDBPyConnection, told: dict[str, str], form: Form) -> str:
    """Kept lines of named customers with what they tell; `moment` orders the lines of one day."""
    line = (
        "SELECT kept.customer_id, order_day, kept.source_file, kept.source_row,"
        " CAST(epoch(ordered_at) - order_day * 86400 AS BIGINT) * 1099511627776 + line_id AS moment"
    )
    # What the line itself keeps need not be looked up where it was delivered.
    others = {column: header for column, header in told.items() if column not in ("customer_id", "region")}
    region = ", kept.region" if "region" in told else ""
    if not others:
        return f"{line}{region} FROM kept WHERE kept.customer_id IS NOT NULL"
    found = cells(engine, others, form)
    return (
        f"{line}{region}, {', '.join(attribute(c, others, found) for c in others)} FROM delivered"
        f" JOIN kept ON {FILE} = kept.source_file AND {ROW} = kept.source_row {readings.joins(found.values())}"
        " WHERE kept.customer_id IS NOT NULL"
    )


def completed(base: pa.Table, told: list[pa.Table], *, add: bool) -> pa.Table:
    """Customers with empty fields filled by other tables that tell of them, the newest word first.

    Parameters
    ----------
    base : in the columns of `tables.CUSTOMERS`, a row for every version of a customer
    told : further tables in the same columns
    add : customers that only they name are added, as they were told of
    """
    rows = base.to_pandas(types_mapper=NULLABLE)
    more = pd.concat([part.to_pandas(types_mapper=NULLABLE) for part in told], ignore_index=True)
    fields = [c for c in CUSTOMER_COLUMNS if c not in ("customer_id", "updated_day")]
    ordered = more.sort_values(["customer_id", "as_from_day"], na_position="first", kind="stable")
    newest_word = ordered.groupby("customer_id")[fields].last()
    if len(rows):
        found = newest_word.reindex(rows["customer_id"]).set_axis(rows.index)
        rows = rows.assign(
            **{field: rows[field].where(rows[field].notna(), found[field]) for field in fields}
        )
    new = more[~more["customer_id"].isin(rows["customer_id"])] if add else more.head(0)
    return tables.conform(
        pd.concat([rows, new], ignore_index=True) if len(rows) else new.reset_index(drop=True),
        tables.CUSTOMERS,
    )


NULLABLE = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int32Dtype()}.get


def _conform(rows: pd.DataFrame) -> pa.Table:
    return tables.conform(rows.assign(as_from_day=None), tables.CUSTOMERS)


DAYS = ("opened_day", "updated_day")


def cells(engine: duckdb.DuckDBPyConnection, columns: dict[str, str], form: Form) -> dict[str, Reading]:
    """How ids, telephones, days and years of `delivered` are read; one that cannot be is emptied, not its row."""
    found: dict[str, Reading] = {}
    for column, header in columns.items():
        if column in DAYS:
            found[column] = readings.moment(engine, header, form, optional=True)
        elif column == "birth_year":
            found[column] = readings.year(engine, header, optional=True)
        elif column in ("customer_id", "contact"):
            found[column] = readings.identifier(engine, header, optional=column == "contact")
    return found


def _absent(column: str) -> str:
    return f"CAST(NULL AS {'INTEGER' if column in (*DAYS, 'birth_year') else 'VARCHAR'})"


def attribute(column: str, mapping: dict[str, str], found: dict[str, Reading]) -> str:
    """A canonical column as SQL over the source."""
    if column not in mapping:
        return f"{_absent(column)} AS {column}"
    if column in DAYS:
        return f"{readings.day(found[column])} AS {column}"
    if column in found:
        return f"{found[column].value} AS {column}"
    text = values.text(f"delivered.{values.name(tidy(mapping[column]))}")
    return f"{one_word(text, WORDS[column]) if column in WORDS else text} AS {column}"


def differing(delivery: dict[str, Collected], client: Client) -> pd.DataFrame:
    """How many customers have rows that differ, by field: field, customers."""
    if "customers" not in delivery:
        return pd.DataFrame({"field": [], "customers": []})
    found = conflicts(delivery["customers"], client)
    return found.groupby("field").size().rename("customers").reset_index()
