"""Order lines: what is a sale, a return, a gift; what is set aside, and why.

A line with quantity and price above 0 is a sale. A return is a line on a return document. A
negative quantity at price 0 off such a document is a stock correction, a negative price a
bookkeeping entry; both are set aside. Price 0 is a gift unless the client says `zero_price:
purchase`. Lines are judged by DuckDB, so that they need not fit into memory.
"""

import datetime as dt
from collections.abc import Iterable, Iterator

import duckdb
import pandas as pd
import pyarrow as pa

from crmlib import tables
from crmlib.cleaning.ledger import ledger
from crmlib.cleaning.order_cells import cells, digits, named, typed, valued
from crmlib.cleaning.outcome import AT_ONCE, MISFITS, Cleaned, aside, in_order, misfit_fates, stored
from crmlib.client import Client
from crmlib.collection import readings, values
from crmlib.collection.files import ROW
from crmlib.collection.headers import tidy
from crmlib.collection.sources import FILE, Collected
from crmlib.errors import SchemaError, SourceError
from crmlib.mapping import Transactions
from crmlib.period import day_number

# In the order they are looked for: a row leaves at the first defect it shows.
DEFECTS = {
    "not-a-record": "is_total",
    "exact-duplicate": "copied",
    "digits-lost": "id_lost",
    "missing-date": "ordered_at IS NULL AND NOT date_bad",
    "unreadable-date": "date_bad",
    "future-date": "order_day > {delivered_on}",
    "unreadable-number": "quantity_bad OR price_bad OR amount_bad OR profit_bad OR too_large",
    "missing-number": "quantity IS NULL OR amount_sign IS NULL",
    "bookkeeping-entry": "(price_sign < 0 OR (amount_sign < 0 AND quantity > 0)) AND NOT on_return",
    "zero-quantity": "quantity = 0 AND amount_sign <> 0",
    "stock-correction": "quantity < 0 AND amount_sign = 0 AND NOT on_return",
    "unmarked-return": "quantity < 0 AND NOT on_return",
    "abnormal": "abnormal AND {quarantine_abnormal}",
}
# Of each reason, the columns that may be at fault, each with the test that it is.
_DATE, _PIECES = (("ordered_at", "true"),), (("quantity", "true"),)
FAULTS = {
    "digits-lost": (("customer_id", "customer_lost"), ("order_id", "true")),
    **dict.fromkeys(("missing-date", "unreadable-date", "future-date"), _DATE),
    "unreadable-number": (
        *((column, f"{column}_bad") for column in ("quantity", "price", "amount", "profit")),
        *(("amount", "true"), ("price", "true")),
    ),
    "missing-number": (("quantity", "quantity IS NULL"), ("amount", "true"), ("price", "true")),
    "bookkeeping-entry": (("price", "price_sign < 0"), ("amount", "true")),
    **dict.fromkeys(("zero-quantity", "stock-correction", "unmarked-return"), _PIECES),
    "abnormal": (("price", "true"), ("amount", "true")),
}
STEPS = list(dict.fromkeys([*MISFITS, *DEFECTS]))
PART = 500_000  # lines taken at a time
# Far outside: five robust standard deviations and at least tenfold, on the logarithm of the price.
SPREADS, TENFOLD, ROBUST, LINES_TO_JUDGE = 5, 1, 1.4826, 30


def transactions(
    collected: Collected, client: Client, *, delivered_on: dt.date, known: set[str] | None = None
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
    `kept` in the columns of `tables.TRANSACTIONS`, `quarantine` in those of `tables.QUARANTINE`; both
    the lines kept and the cells repaired stand in files, so that they need not fit into memory.
    """
    source = client.tables.transactions
    engine = tables.engine()
    collected.delivered(engine)
    found = cells(engine, source, readings.form(client, collected.table))
    short = digits(engine, found, client.decimals)
    lines, same = valued(*typed(engine, collected, source, found, short), client.decimals, short)
    engine.execute(f"CREATE TEMP TABLE differing AS {lines}")
    engine.execute(f"CREATE TEMP VIEW lines AS SELECT *, {named(same)} FROM differing")
    _refuse_unreadable_dates(engine, source)
    _judge(engine, client, delivered_on=delivered_on, known=known)
    _leave(engine, source)
    fates = _fates(engine, client.decimals)
    return Cleaned(
        stored(_kept(engine, source.zero_price), tables.TRANSACTIONS),
        _quarantined(engine, collected),
        ledger(pd.concat([fates, misfit_fates(collected)]), "transactions", STEPS),
        repaired=readings.repairs(engine, collected.table, found.values()),
    )


def _judge(
    engine: duckdb.DuckDBPyConnection, client: Client, *, delivered_on: dt.date, known: set[str] | None
) -> None:
    """Names `judged` the typed lines with amount, price, what is unusual, and the reason why one leaves."""
    engine.register("listed", pa.table({"id": pa.array(sorted(known or ()), pa.string())}))
    for name, query in USUAL.items():
        engine.execute(f"CREATE TEMP TABLE {name} AS {query}")
    listed = " AND customer_id IN (SELECT id FROM listed)" if known is not None else ""
    said = {
        "delivered_on": day_number(delivered_on),
        "quarantine_abnormal": str(client.abnormal == "quarantine").lower(),
    }
    reasons = " ".join(f"WHEN {test.format(**said)} THEN '{reason}'" for reason, test in DEFECTS.items())
    engine.execute(
        f"CREATE TEMP VIEW judged AS SELECT *, customer_id IS NOT NULL{listed} AS known, CASE {reasons} END AS reason"
        f" FROM ({MARKED})"
    )


# Prices are compared within their product where it has enough lines, else among all.
THING = "coalesce(product_id, product)"
USUAL = {
    "usual": f"SELECT {THING} AS thing, median(size) AS middle, mad(size) AS spread FROM lines"
    f" WHERE NOT copied AND thing IS NOT NULL GROUP BY thing HAVING count(size) >= {LINES_TO_JUDGE}",
    "overall": "SELECT median(size) AS middle, mad(size) AS spread, count(size) AS lines FROM lines WHERE NOT copied",
}
MARKED = f"""
SELECT lines.*,
  coalesce(overall.lines >= {LINES_TO_JUDGE} AND abs(size - coalesce(usual.middle, overall.middle))
    > greatest({TENFOLD}, {SPREADS * ROBUST} * coalesce(usual.spread, overall.spread)), false) AS abnormal
FROM lines LEFT JOIN usual ON thing = {THING} CROSS JOIN overall
"""


def _kept(
    engine: duckdb.DuckDBPyConnection, zero_price: str
) -> Iterator[pa.Table] | Iterable[pa.RecordBatch]:
    """The lines that stay, in the columns of `tables.TRANSACTIONS` and in order, a part at a time."""
    sold = "amount >= 0 AND quantity > 0" if zero_price == "purchase" else "amount > 0 AND quantity > 0"
    marks = {
        "abnormal-price": "abnormal",
        "unknown-customer": "customer_id IS NULL",
        "orphan-customer": "customer_id IS NOT NULL AND NOT known",
        "zero-quantity": "quantity = 0",
        "amount-differs": "differs",
    }
    flags = ", ".join(f"CASE WHEN {test} THEN '{mark}' END" for mark, test in marks.items())
    basket = _baskets(engine)
    query = f"""
    SELECT line_id, customer_id, known,
      {"coalesce(order_id, '@' || CAST(coalesce(first, line_id) AS VARCHAR))" if basket else "order_id"} AS order_id,
      date_trunc('second', ordered_at) AS ordered_at, order_day,
      year(ordered_at) * 12 + month(ordered_at) - 1 AS order_month,
      product_id, product, product_group, channel, region,
      quantity, price, amount, profit, discount,
      CASE WHEN on_return AND amount <= 0 THEN 'return' WHEN {sold} THEN 'sale' ELSE 'gift' END AS kind,
      CASE WHEN on_return THEN -abs(amount) ELSE 0 END AS returned,
      concat_ws(',', {flags}) AS flags,
      {FILE} AS source_file, {ROW} AS source_row
    FROM judged {basket} WHERE reason IS NULL"""
    if basket:  # for each part all baskets would be looked through
        return engine.sql(f"{query} ORDER BY line_id").to_arrow_reader(AT_ONCE)
    # Joined lines come nearly in order: to put that right part by part costs less than to sort them all.
    last = engine.sql("SELECT coalesce(max(line_id), 0) FROM lines").fetchall()[0][0]
    return (
        in_order(
            engine.sql(f"{query} AND line_id BETWEEN {first} AND {first + PART - 1}").to_arrow_table(),
            "line_id",
        )
        for first in range(1, last + 1, PART)
    )


def _baskets(engine: duckdb.DuckDBPyConnection) -> str:
    """The join to `baskets`, the orders of lines that have no order number; nothing where every line has one."""
    # Without an order number, a customer's lines of one day are the order, named by the first of
    # them: a customer's own number must not stand in a column that is not masked.
    unnamed = "reason IS NULL AND order_id IS NULL"
    engine.execute(
        "CREATE TEMP TABLE baskets AS SELECT customer_id AS of_customer, order_day AS of_day, min(line_id) AS first"
        f" FROM judged WHERE {unnamed} AND customer_id IS NOT NULL GROUP BY ALL"
    )
    (named,) = engine.sql(f"SELECT count(*) = 0 FROM judged WHERE {unnamed}").fetchall()[0]
    return (
        ""
        if named
        else "LEFT JOIN baskets ON order_id IS NULL AND customer_id = of_customer AND order_day = of_day"
    )


def _fates(engine: duckdb.DuckDBPyConnection, decimals: int) -> pd.DataFrame:
    """Lines and their money by reason; `SchemaError` where money is finer than the client keeps it."""
    left = engine.sql(
        "SELECT reason, count(*) AS rows, CAST(sum(money) AS BIGINT) AS money FROM gone GROUP BY reason"
    )
    rows, money, finer, first = engine.sql(
        "SELECT count(*), CAST(sum(coalesce(amount, 0)) AS BIGINT), count(*) FILTER (finer),"
        " min(line_id) FILTER (finer) FROM lines ANTI JOIN gone USING (line_id)"
    ).fetchall()[0]
    if finer:
        file, row = engine.sql(f"SELECT {FILE}, {ROW} FROM lines WHERE line_id = {first}").fetchall()[0]
        raise SchemaError(
            f"transactions: {finer:,} lines (the first in {file}, row {row}) hold money finer "
            f"than {decimals} decimals. "
            + (
                f"Say decimals: {decimals + 1} in client.yml, or more."
                if decimals < 6
                else "That is the most that is kept; round them in the source."
            )
        )
    stay = pd.DataFrame({"reason": [None], "rows": [rows], "money": [money]}) if rows else None
    return pd.concat([left.df(), stay])


def _refuse_unreadable_dates(engine: duckdb.DuckDBPyConnection, source: Transactions) -> None:
    """Dates that mostly cannot be read are a question of form, not of single bad rows."""
    given, unread = engine.sql(
        "SELECT count(*), count(*) FILTER (date_bad) FROM lines WHERE ordered_at IS NOT NULL OR date_bad"
    ).fetchall()[0]
    if given and unread > given / 2:
        raise SourceError(
            f"transactions: {unread:,} of {given:,} dates in column {source.columns['ordered_at']!r} cannot be read. "
            "Year-first dates are read as they are; for any other form say date_format in client.yml, "
            'as in date_format: "%d/%m/%Y".'
        )


def _leave(engine: duckdb.DuckDBPyConnection, source: Transactions) -> None:
    """Names `gone` the lines that leave: where they stand, why they leave, their worth and the column at fault."""
    headers = {column: values.literal(tidy(header)) for column, header in source.columns.items()}
    faults = " ".join(
        f"WHEN reason = '{reason}' AND ({test}) THEN {headers[column]}"
        for reason, tests in FAULTS.items()
        for column, test in tests
        if column in headers
    )
    engine.execute(
        f"CREATE TEMP TABLE gone AS SELECT line_id, {FILE} AS source_file, {ROW} AS source_row, reason,"
        f" coalesce(amount, 0) AS money, CASE {faults} ELSE '' END AS \"column\" FROM judged WHERE reason IS NOT NULL"
    )


def _quarantined(engine: duckdb.DuckDBPyConnection, collected: Collected) -> pd.DataFrame:
    """Rows set aside, whole and with their reason; duplicates are merged, not set aside."""
    judged = engine.sql("SELECT * EXCLUDE (line_id) FROM gone WHERE reason <> 'exact-duplicate'").df()
    return aside(judged, collected)
