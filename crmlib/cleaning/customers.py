"""Customers: one row each, the newest word on every field winning."""

import pandas as pd
import pyarrow as pa

from crmlib import tables
from crmlib.cleaning.ledger import ledger
from crmlib.cleaning.transactions import MISFITS, Cleaned, aside, misfit_fates
from crmlib.client import Client
from crmlib.collection import values
from crmlib.collection.files import ROW
from crmlib.collection.headers import tidy
from crmlib.collection.sources import CUSTOMER_COLUMNS, FILE, Collected

STEPS = [*MISFITS, "exact-duplicate", "missing-id", "same-customer"]
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


def customers(collected: Collected, client: Client) -> Cleaned:
    """One row per customer number; exact copies and older versions merged.

    Where rows of one number differ, each field takes its newest value that is not empty
    (`updated_day`, then the place in the file); `conflicts` lists the fields that differed.

    Returns
    -------
    `kept` in the columns of `tables.CUSTOMERS`.
    """
    source = client.tables.customers
    engine = tables.engine()
    collected.delivered(engine)
    parts = [attribute(column, source.columns, source.date_format) for column in CUSTOMER_COLUMNS]
    originals = ", ".join(values.name(c) for c in collected.headers)
    typed = engine.sql(
        f"SELECT {', '.join(parts)}, {FILE} AS source_file, {ROW} AS source_row, "
        f"row_number() OVER (PARTITION BY {originals} ORDER BY {FILE}, {ROW}) AS copy "
        f"FROM delivered ORDER BY {FILE}, {ROW}"
    ).df()
    reason = pd.Series(None, index=typed.index, dtype=object)
    reason[typed["customer_id"].isna()] = "missing-id"
    if source.exact_duplicates == "merge":
        reason[typed["copy"] > 1] = "exact-duplicate"
    named = typed[reason.isna()]
    kept = newest(named, "updated_day")
    reason[named.index[named.duplicated("customer_id")]] = "same-customer"
    fates = reason.fillna("").value_counts().rename_axis("reason").reset_index(name="rows")
    fates = fates.assign(reason=fates["reason"].replace("", None), money=0)
    unnamed = typed.assign(reason=reason, money=0)[reason == "missing-id"]
    return Cleaned(
        _conform(kept),
        aside(unnamed, collected),
        ledger(pd.concat([fates, misfit_fates(collected)]), "customers", STEPS),
    )


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
    columns = {c: tidy(h) for c, h in client.tables.customers.columns.items()}
    rows = pd.DataFrame(
        {c: collected.rows[h].to_pandas().str.strip().replace("", None) for c, h in columns.items()}
    ).dropna(subset=["customer_id"])
    versions = rows.groupby("customer_id").nunique().drop(columns="updated_day", errors="ignore")
    long = versions.reset_index().melt("customer_id", var_name="field", value_name="versions")
    return long[long["versions"] > 1].sort_values(["customer_id", "field"], ignore_index=True)


def from_lines(lines: pa.Table, collected: Collected, client: Client) -> pa.Table:
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
    parts = [attribute(c, told, source.date_format) for c in ("customer_id", *fields)]
    so_far = ", ".join(f"last_value({field} IGNORE NULLS) OVER so_far AS {field}" for field in fields)
    state = f"struct_pack({', '.join(f'{field} := {field}' for field in fields)})"
    engine = tables.engine()
    engine.register("lines", lines)
    collected.delivered(engine)
    # Within the engine, so that order lines need not fit into memory.
    rows = engine.sql(f"""
        WITH told AS (SELECT {", ".join(parts)}, {FILE}, {ROW} FROM delivered),
        dated AS (
          SELECT told.*, order_day, ordered_at, source_file, source_row FROM told
          JOIN lines ON {FILE} = source_file AND {ROW} = source_row WHERE told.customer_id IS NOT NULL),
        states AS (
          SELECT customer_id, {so_far}, order_day, source_file, source_row,
            row_number() OVER (PARTITION BY customer_id, order_day
                               ORDER BY ordered_at DESC, source_file DESC, source_row DESC) AS from_last
          FROM dated
          WINDOW so_far AS (PARTITION BY customer_id ORDER BY ordered_at, source_file, source_row
                            ROWS UNBOUNDED PRECEDING)),
        days AS (
          SELECT *, {state} AS state,
            lag({state}) OVER (PARTITION BY customer_id ORDER BY order_day) AS state_before
          FROM states WHERE from_last = 1)
        SELECT customer_id, {", ".join(fields)}, order_day AS updated_day, order_day AS as_from_day,
          source_file, source_row
        FROM days WHERE state_before IS NULL OR state <> state_before OR state IS DISTINCT FROM state_before
        ORDER BY customer_id, order_day""")
    return tables.conform(rows.to_arrow_table(), tables.CUSTOMERS)


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


def attribute(column: str, mapping: dict[str, str], date_format: str | None) -> str:
    """A canonical column as SQL over the source."""
    if column not in mapping:
        return f"CAST(NULL AS {'INTEGER' if column in NUMERIC else 'VARCHAR'}) AS {column}"
    header = values.name(tidy(mapping[column]))
    if column.endswith("_day"):
        return f"{values.day(header, date_format)} AS {column}"
    if column == "birth_year":
        # A whole date of birth is common too; its year is all that is kept.
        return f"TRY_CAST(nullif(regexp_extract({header}, '(19|20)\\d{{2}}'), '') AS INTEGER) AS {column}"
    if column in WORDS:
        cases = " ".join(
            f"WHEN lower({values.text(header)}) IN ({', '.join(map(values.literal, words))}) THEN '{word}'"
            for word, words in WORDS[column].items()
        )
        return f"CASE {cases} ELSE {values.text(header)} END AS {column}"
    return f"{values.text(header)} AS {column}"


NUMERIC = {"opened_day", "updated_day", "birth_year"}


def differing(delivery: dict[str, Collected], client: Client) -> pd.DataFrame:
    """How many customers have rows that differ, by field: field, customers."""
    if "customers" not in delivery:
        return pd.DataFrame({"field": [], "customers": []})
    found = conflicts(delivery["customers"], client)
    return found.groupby("field").size().rename("customers").reset_index()
