"""Order lines: what is a sale, a return, a gift; what is set aside, and why.

A line with quantity and price above 0 is a sale. A return is a line on a return document. A
negative quantity at price 0 off such a document is a stock correction, a negative price a
bookkeeping entry; both are set aside. Price 0 is a gift unless the client says `zero_price:
purchase`. Lines are judged by DuckDB, so that they need not fit into memory.
"""

from dataclasses import dataclass

import duckdb
import pandas as pd
import pyarrow as pa

from crmlib import tables
from crmlib.cleaning.ledger import ledger
from crmlib.client import Client
from crmlib.collection import values
from crmlib.collection.files import ROW
from crmlib.collection.headers import tidy
from crmlib.collection.sources import FILE, LINE_COLUMNS, Collected
from crmlib.errors import SchemaError, SourceError
from crmlib.mapping import Transactions
from crmlib.period import day_number

TOTAL_WORDS = ("合计", "小计", "总计", "合計", "小計", "總計", "total", "subtotal", "grand total", "sum")
MISFITS = ("corrected", "unknown-row", "extra-cell", "missing-cell")
# In the order they are looked for: a row leaves at the first defect it shows.
DEFECTS = {
    "not-a-record": "is_total",
    "exact-duplicate": "copy > 1",
    "missing-date": "NOT date_given",
    "unreadable-date": "ordered_at IS NULL",
    "future-date": "order_day > $delivered_on",
    "unreadable-number": "quantity_bad OR price_bad OR amount_bad OR profit_bad OR too_large",
    "missing-number": "quantity IS NULL OR amount IS NULL",
    "bookkeeping-entry": "(price < 0 OR (amount < 0 AND quantity > 0)) AND NOT on_return",
    "zero-quantity": "quantity = 0 AND amount <> 0",
    "stock-correction": "quantity < 0 AND amount = 0 AND NOT on_return",
    "unmarked-return": "quantity < 0 AND NOT on_return",
    "abnormal": "abnormal AND $quarantine_abnormal",
}
STEPS = [*MISFITS, *DEFECTS]
# Quantities and prices to six decimals: their product is exact. An amount of more than a trillion does
# not fit a whole number of the smallest unit at every number of decimals.
FACTOR, MOST = "DECIMAL(18,6)", "1e12"
# Far outside: five robust standard deviations and at least tenfold, on the logarithm of the price.
SPREADS, TENFOLD, ROBUST, LINES_TO_JUDGE = 5, 1, 1.4826, 30


@dataclass(frozen=True)
class Cleaned:
    """A table cleaned: what was kept, what was set aside, the account of both."""

    kept: pa.Table
    quarantine: pd.DataFrame
    ledger: pd.DataFrame
    forms: int = 0  # of a survey: forms kept, each with several answers
    repairs: pd.DataFrame | None = None  # cells read otherwise than they stand, as `tables.REPAIRS`
    people: pa.Table | None = None  # what a table of totals tells of customers, as `tables.CUSTOMERS`


def transactions(
    collected: Collected, client: Client, *, delivered_on, known: set[str] | None = None
) -> Cleaned:
    """Order lines with one meaning each.

    Parameters
    ----------
    collected : the delivery's order lines as text
    client : its mapping and rules
    delivered_on : a date after it is in the future
    known : numbers of the customer table; None where no such table is supplied

    Returns
    -------
    `kept` in the columns of `tables.TRANSACTIONS`, `quarantine` in those of `tables.QUARANTINE`.
    """
    source = client.tables.transactions
    engine = tables.engine()
    collected.delivered(engine)
    engine.register("known", pa.table({"id": pa.array(sorted(known or ()), pa.string())}))
    engine.execute(f"CREATE TEMP TABLE typed AS {_typed(collected, source, known is not None)}")
    _refuse_unreadable_dates(engine, source)
    engine.execute(f"CREATE TEMP TABLE marked AS {MARKED}")
    reasons = " ".join(f"WHEN {test} THEN '{reason}'" for reason, test in DEFECTS.items())
    engine.execute(
        f"CREATE TEMP TABLE judged AS SELECT *, CASE {reasons} END AS reason FROM marked",
        {"delivered_on": day_number(delivered_on), "quarantine_abnormal": client.abnormal == "quarantine"},
    )
    _refuse_finer_money(engine, client.decimals)
    scale = f"CAST(round({{}} * {10**client.decimals}) AS BIGINT)"
    kept = engine.sql(_kept(scale, source.zero_price)).to_arrow_table()
    fates = engine.sql(
        f"SELECT reason, count(*) AS rows, CAST(sum(coalesce({scale.format('amount')}, 0)) AS BIGINT) AS money"
        " FROM judged GROUP BY reason"
    ).df()
    return Cleaned(
        tables.conform(kept, tables.TRANSACTIONS),
        quarantined(engine, collected, scale),
        ledger(pd.concat([fates, misfit_fates(collected)]), "transactions", STEPS),
    )


def misfit_fates(collected: Collected) -> pd.DataFrame:
    """Records that did not fit their header or were corrected, counted by reason.

    Money is known of corrected rows alone: of a record that fits no header it cannot be read.
    """
    broken = collected.broken.assign(money=collected.broken.get("money", 0))
    counts = broken.groupby("reason")["money"].agg(rows="size", money="sum").reset_index()
    return counts.astype({"rows": "int64", "money": "int64"})


def _typed(collected: Collected, source: Transactions, has_customers: bool) -> str:
    """Source columns as canonical columns, with what is needed to judge them."""
    headers = {column: values.name(tidy(header)) for column, header in source.columns.items()}
    originals = [values.name(c) for c in collected.headers]
    texts = [f"{_text(headers, c)} AS {c}" for c in LINE_COLUMNS if c not in (*NUMBERS, "ordered_at")]
    numbers = [part for c in NUMBERS for part in _number(headers, c)]
    date = headers["ordered_at"]
    prefix = source.returns.order_id_starts_with if source.returns else None
    order = headers.get("order_id")
    on_return = (
        f"coalesce(starts_with(trim({order}), {values.literal(prefix)}), false)"
        if prefix and order
        else "false"
    )
    customer = _text(headers, "customer_id")
    listed = f"AND {customer} IN (SELECT id FROM known)" if has_customers else ""
    copies = (
        f"row_number() OVER (PARTITION BY {', '.join(originals)} ORDER BY {FILE}, {ROW})"
        if source.exact_duplicates == "merge"
        else "1"
    )
    # A line of totals begins with the word, and has neither a date nor a customer.
    first = f"lower(coalesce({', '.join(values.text(c) for c in originals)}))"
    total = f"{first} IN ({', '.join(map(values.literal, TOTAL_WORDS))}) AND NOT {values.given(date)}"
    return (
        f"SELECT {FILE}, {ROW}, {', '.join(texts + numbers)}, "
        f"{values.given(date)} AS date_given, {values.moment(date, source.date_format)} AS ordered_at, "
        f"{values.day(date, source.date_format)} AS order_day, "
        f"{on_return} AS on_return, coalesce({customer} IS NOT NULL {listed}, false) AS known, "
        f"{copies} AS copy, coalesce({total}, false) AS is_total FROM delivered"
    )


NUMBERS = ("quantity", "price", "amount", "profit")


def _text(headers: dict[str, str], column: str) -> str:
    return values.text(headers[column]) if column in headers else "CAST(NULL AS VARCHAR)"


def _number(headers: dict[str, str], column: str) -> list[str]:
    """A number as delivered, and whether a cell held something that is none."""
    if column not in headers:
        absent = "1" if column == "quantity" else "NULL"
        return [f"CAST({absent} AS {values.NUMBER}) AS {column}_given", f"false AS {column}_bad"]
    number, given = values.number(headers[column]), values.given(headers[column])
    return [f"{number} AS {column}_given", f"({given} AND {number} IS NULL) AS {column}_bad"]


# A line's amount is quantity × price unless supplied, its price amount ÷ quantity unless supplied.
# Products of exact decimals: 12 × 0.1 is 1.2 here. Prices are compared within their product where
# it has enough lines, else among all.
MARKED = f"""
WITH priced AS (
  SELECT *, quantity_given AS quantity,
    coalesce(amount_given,
      TRY_CAST(TRY_CAST(quantity_given AS {FACTOR}) * TRY_CAST(price_given AS {FACTOR})
           AS {values.NUMBER})) AS amount,
    coalesce(price_given, TRY_CAST(CAST(amount_given AS DOUBLE) / nullif(CAST(quantity_given AS DOUBLE), 0)
           AS {values.NUMBER})) AS price,
    coalesce(product_id, product) AS thing
  FROM typed),
logs AS (
  SELECT thing, log10(CAST(price AS DOUBLE)) AS size FROM priced
  WHERE price > 0 AND quantity > 0 AND copy = 1),
usual AS (
  SELECT thing, median(size) AS middle, mad(size) AS spread FROM logs
  WHERE thing IS NOT NULL GROUP BY thing HAVING count(*) >= {LINES_TO_JUDGE}),
overall AS (SELECT median(size) AS middle, mad(size) AS spread, count(*) AS lines FROM logs)
SELECT priced.*,
  coalesce(greatest(abs(amount), abs(price), abs(profit_given)) >= {MOST}, false)
    OR (amount IS NULL AND quantity_given IS NOT NULL AND price_given IS NOT NULL) AS too_large,
  coalesce(price > 0 AND quantity > 0 AND overall.lines >= {LINES_TO_JUDGE}
    AND abs(log10(CAST(CASE WHEN price > 0 THEN price END AS DOUBLE)) - coalesce(usual.middle, overall.middle))
      > greatest({TENFOLD}, {SPREADS * ROBUST} * coalesce(usual.spread, overall.spread)), false) AS abnormal
FROM priced LEFT JOIN usual USING (thing) CROSS JOIN overall
"""


def _kept(scale: str, zero_price: str) -> str:
    """The lines that stay, in the columns of `tables.TRANSACTIONS`."""
    sold = "amount >= 0 AND quantity > 0" if zero_price == "purchase" else "amount > 0 AND quantity > 0"
    marks = {
        "abnormal-price": "abnormal",
        "unknown-customer": "customer_id IS NULL",
        "orphan-customer": "customer_id IS NOT NULL AND NOT known",
        "zero-quantity": "quantity = 0",
        "amount-differs": f"abs(amount_given - quantity * TRY_CAST(price_given AS {FACTOR})) >= 0.01",
    }
    flags = ", ".join(f"CASE WHEN {test} THEN '{mark}' END" for mark, test in marks.items())
    # Without an order number, a customer's lines of one day are the order, named by the first of
    # them: a customer's own number must not stand in a column that is not masked.
    basket = "customer_id, CASE WHEN customer_id IS NULL THEN line_id END, order_day"
    return f"""
    WITH lines AS (
      SELECT *, row_number() OVER (ORDER BY {FILE}, {ROW}) AS line_id FROM judged WHERE reason IS NULL)
    SELECT line_id, customer_id, known,
      coalesce(order_id, '@' || CAST(min(line_id) OVER (PARTITION BY {basket}) AS VARCHAR)) AS order_id,
      date_trunc('second', ordered_at) AS ordered_at, order_day,
      year(ordered_at) * 12 + month(ordered_at) - 1 AS order_month,
      product_id, product, product_group, channel, region,
      CAST(quantity AS DOUBLE) AS quantity,
      {scale.format("price")} AS price, {scale.format("amount")} AS amount,
      {scale.format("profit_given")} AS profit,
      CASE WHEN on_return AND amount <= 0 THEN 'return' WHEN {sold} THEN 'sale' ELSE 'gift' END AS kind,
      CASE WHEN on_return THEN -abs({scale.format("amount")}) ELSE 0 END AS returned,
      concat_ws(',', {flags}) AS flags,
      {FILE} AS source_file, {ROW} AS source_row
    FROM lines ORDER BY line_id
    """


def _refuse_unreadable_dates(engine: duckdb.DuckDBPyConnection, source: Transactions) -> None:
    """Dates that mostly cannot be read are a question of form, not of single bad rows."""
    given, unread = engine.sql(
        "SELECT count(*), count(*) FILTER (ordered_at IS NULL) FROM typed WHERE date_given"
    ).fetchall()[0]
    if given and unread > given / 2:
        raise SourceError(
            f"transactions: {unread:,} of {given:,} dates in column {source.columns['ordered_at']!r} cannot be read. "
            "Year-first dates are read as they are; for any other form say date_format in client.yml, "
            'as in date_format: "%d/%m/%Y".'
        )


def _refuse_finer_money(engine: duckdb.DuckDBPyConnection, decimals: int) -> None:
    """Money finer than the client keeps would be rounded away in silence."""
    finer = " OR ".join(f"{c} <> round({c}, {decimals})" for c in ("price_given", "amount", "profit_given"))
    rows, file, row = engine.sql(
        f"SELECT count(*), min({FILE}), min({ROW}) FROM judged WHERE reason IS NULL AND ({finer})"
    ).fetchall()[0]
    if rows:
        raise SchemaError(
            f"transactions: {rows:,} lines (the first in {file}, row {row}) hold money finer than "
            f"{decimals} decimals. "
            + (
                f"Say decimals: {decimals + 1} in client.yml, or more."
                if decimals < 6
                else "That is the most that is kept; round them in the source."
            )
        )


def quarantined(engine: duckdb.DuckDBPyConnection, collected: Collected, scale: str) -> pd.DataFrame:
    """Rows set aside, whole and with their reason; duplicates are merged, not set aside."""
    judged = engine.sql(
        f"SELECT {FILE} AS source_file, {ROW} AS source_row, reason, coalesce({scale.format('amount')}, 0) AS money"
        " FROM judged WHERE reason IS NOT NULL AND reason <> 'exact-duplicate'"
    ).df()
    return aside(judged, collected)


def aside(judged: pd.DataFrame, collected: Collected) -> pd.DataFrame:
    """Quarantine lines for rows named by file and row, with their raw text.

    `judged` has source_file, source_row, reason and money, and may have column (the header of the cell at
    fault).
    """
    engine = tables.engine()
    collected.delivered(engine)
    told = [c for c in ("source_file", "source_row", "reason", "money", "column") if c in judged]
    engine.register("judged", judged[told])
    originals = collected.headers
    pairs = ", ".join(f"{values.literal(c)}, d.{values.name(c)}" for c in originals)
    rows = engine.sql(
        f"SELECT j.*, CAST(json_object({pairs}) AS VARCHAR) AS raw FROM judged j "
        f"JOIN delivered d ON d.{FILE} = j.source_file AND d.{ROW} = j.source_row"
    ).df()
    sheets = dict(zip(collected.files["file"], collected.files["sheet"], strict=True))
    rows["sheet"] = rows["source_file"].map(sheets).fillna("")
    misfits = collected.broken[collected.broken["reason"] != "corrected"].assign(money=0)
    both = pd.concat([rows, misfits]).assign(table=collected.table)
    both["column"] = both["column"].fillna("") if "column" in both else ""
    ordered = both.sort_values(["source_file", "source_row", "reason"], ignore_index=True)
    return ordered[tables.QUARANTINE.schema.names].astype({"money": "int64", "source_row": "int64"})
