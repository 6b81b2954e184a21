"""Order lines: what is a sale, a return, a gift; what is set aside, and why.

A line with quantity and price above 0 is a sale. A return is a line on a return document. A
negative quantity at price 0 off such a document is a stock correction, a negative price a
bookkeeping entry; both are set aside. Price 0 is a gift unless the client says `zero_price:
purchase`. Lines are judged by DuckDB, so that they need not fit into memory.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from crmlib import tables
from crmlib.cleaning.ledger import ledger
from crmlib.cleaning.order_cells import cells, digits, typed, valued
from crmlib.cleaning.outcome import AT_ONCE, MISFITS, Cleaned, aside, misfit_fates, stored
from crmlib.cleaning.usual import THING, abnormal_prices
from crmlib.client import Client
from crmlib.collection import readings, values
from crmlib.collection.files import ROW
from crmlib.collection.headers import tidy
from crmlib.collection.readings import Reading
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
# What is unusual about a line that stays. Words come as numbers, which is quicker than to spell them on every line.
MARKS = {
    "abnormal-price": "abnormal",
    "unknown-customer": "customer_id IS NULL",
    "orphan-customer": "customer_id IS NOT NULL AND NOT known",
    "zero-quantity": "quantity = 0",
    "amount-differs": "differs",
}
WORDS = {
    "kind": ["return", "sale", "gift"],
    "flags": [",".join(m for n, m in enumerate(MARKS) if code >> n & 1) for code in range(2 ** len(MARKS))],
}
FEW = 500  # rows for each that is cut out
GONE = pa.schema(
    [
        *((name, pa.string()) for name in ("reason", "column", "source_file")),
        *((name, pa.int64()) for name in ("source_row", "money")),
    ]
)


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
    engine = tables.engine(workers=1)
    collected.delivered(engine)
    found = cells(engine, source, readings.said(client, collected.table))
    short = digits(engine, found, client.decimals)
    lines = valued(*typed(engine, collected, source, found, short), client.decimals, short)
    engine.execute(f"CREATE TEMP VIEW lines AS {lines}")
    _refuse_unreadable_dates(engine, source, found["ordered_at"])
    _judge(engine, client, delivered_on=delivered_on, known=known)
    rows, parted = _parted(engine, _told(engine, source))
    parted.refuse_finer(client.decimals)
    return Cleaned(
        rows,
        aside(parted.quarantined(), collected),
        ledger(pd.concat([parted.fates(), misfit_fates(collected)]), "transactions", STEPS),
        repaired=readings.repairs(engine, collected.table, found.values()),
    )


def _judge(
    engine: duckdb.DuckDBPyConnection, client: Client, *, delivered_on: dt.date, known: set[str] | None
) -> None:
    """Names `judged` the typed lines with amount, price, what is unusual, and the reason why one leaves."""
    engine.register("listed", pa.table({"id": pa.array(sorted(known or ()), pa.string())}))
    strange = abnormal_prices(engine)
    engine.register("strange", strange)
    if strange.num_rows:
        marked = f"""SELECT lines.*, strange.paid IS NOT NULL AS abnormal FROM lines
          LEFT JOIN strange ON strange.paid = lines.paid AND strange.thing IS NOT DISTINCT FROM {THING}"""
    else:
        marked = "SELECT *, false AS abnormal FROM lines"
    listed = " AND customer_id IN (SELECT id FROM listed)" if known is not None else ""
    said = {
        "delivered_on": day_number(delivered_on),
        "quarantine_abnormal": str(client.abnormal == "quarantine").lower(),
    }
    reasons = " ".join(f"WHEN {test.format(**said)} THEN '{reason}'" for reason, test in DEFECTS.items())
    engine.execute(
        f"CREATE TEMP VIEW judged AS SELECT *, customer_id IS NOT NULL{listed} AS known, CASE {reasons} END AS reason"
        f" FROM ({marked})"
    )


def _told(engine: duckdb.DuckDBPyConnection, source: Transactions) -> str:
    """Every line in the columns of `tables.TRANSACTIONS`, why it leaves and what is at fault, as SQL."""
    zero_price = source.zero_price
    sold = "amount >= 0 AND quantity > 0" if zero_price == "purchase" else "amount > 0 AND quantity > 0"
    flags = " + ".join(f"CASE WHEN {test} THEN {2**n} ELSE 0 END" for n, test in enumerate(MARKS.values()))
    basket = _baskets(engine)
    return f"""
    SELECT line_id, customer_id, known,
      {"coalesce(order_id, '@' || CAST(coalesce(first, line_id) AS VARCHAR))" if basket else "order_id"} AS order_id,
      date_trunc('second', ordered_at) AS ordered_at, order_day,
      year(ordered_at) * 12 + month(ordered_at) - 1 AS order_month,
      product_id, product, product_group, channel, region,
      quantity, price, amount, profit, discount,
      CAST(CASE WHEN on_return AND amount <= 0 THEN 0 WHEN {sold} THEN 1 ELSE 2 END AS UTINYINT) AS kind,
      CASE WHEN on_return THEN -abs(amount) ELSE 0 END AS returned,
      CAST({flags} AS UTINYINT) AS flags,
      {FILE} AS source_file, {ROW} AS source_row, reason, {_fault(source)} AS "column", finer
    FROM judged {basket}"""


def _baskets(engine: duckdb.DuckDBPyConnection) -> str:
    """The join to `baskets`, the orders of lines that have no order number; nothing where every line has one."""
    (named,) = engine.sql("SELECT count(*) = 0 FROM lines WHERE order_id IS NULL").fetchall()[0]
    if named:
        return ""
    # Without an order number, a customer's lines of one day are the order, named by the first of
    # them: a customer's own number must not stand in a column that is not masked.
    engine.execute(
        "CREATE TEMP TABLE baskets AS SELECT customer_id AS of_customer, order_day AS of_day, min(line_id) AS first"
        " FROM judged WHERE reason IS NULL AND order_id IS NULL AND customer_id IS NOT NULL GROUP BY ALL"
    )
    return "LEFT JOIN baskets ON order_id IS NULL AND customer_id = of_customer AND order_day = of_day"


@dataclass
class _Parted:
    """What is known of the lines once all have been parted into those that stay and those that leave."""

    rows: Counter = field(default_factory=Counter)  # by reason; None: they stay
    money: Counter = field(default_factory=Counter)
    gone: list[pa.RecordBatch] = field(default_factory=list)
    finer: list[pa.Table] = field(default_factory=list)
    last: int = 0
    rising: bool = True  # whether they came in order

    def staying(self, parts: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
        """The lines that stay, a part at a time; of the others only what is told of them is kept."""
        for part in filter(len, parts):
            numbers = part["line_id"].to_numpy()
            self.rising &= bool((np.diff(numbers, prepend=self.last) > 0).all())
            self.last = int(numbers[-1])
            each = pa.table([part["reason"], part["amount"]], ["reason", "money"]).group_by("reason")
            for told in each.aggregate([([], "count_all"), ("money", "sum")]).to_pylist():
                self.rows[told["reason"]] += told["count_all"]
                self.money[told["reason"]] += told["money_sum"] or 0
            # Exact duplicates are merged, not set aside.
            aside = pc.not_equal(part["reason"], "exact-duplicate")
            left = part.select([*GONE.names[:-1], "amount"]).filter(aside).columns
            self.gone.append(pa.record_batch([*left[:-1], pc.fill_null(left[-1], 0)], schema=GONE))
            rows = _where(_spelt(part), part["reason"].is_null())
            if pc.any(rows["finer"]).as_py():
                self.finer.append(rows.select(["source_file", "source_row"]).filter(rows["finer"]))
            yield rows

    def fates(self) -> pd.DataFrame:
        """Lines and their money by reason."""
        reasons = list(self.rows)
        return pd.DataFrame(
            {
                "reason": pd.Series(reasons, dtype=object),
                "rows": [self.rows[reason] for reason in reasons],
                "money": [self.money[reason] for reason in reasons],
            }
        )

    def quarantined(self) -> pd.DataFrame:
        """Lines set aside: where they stand, why they leave, their worth and the column at fault."""
        return pa.Table.from_batches(self.gone, GONE).to_pandas()

    def refuse_finer(self, decimals: int) -> None:
        """Money finer than the client keeps would be rounded away in silence."""
        if not self.finer:
            return
        first = self.finer[0].slice(0, 1).to_pylist()[0]
        raise SchemaError(
            f"transactions: {sum(part.num_rows for part in self.finer):,} lines (the first in {first['source_file']}, "
            f"row {first['source_row']}) hold money finer than {decimals} decimals. "
            + (
                f"Say decimals: {decimals + 1} in client.yml, or more."
                if decimals < 6
                else "That is the most that is kept; round them in the source."
            )
        )


def _spelt(rows: pa.RecordBatch) -> pa.RecordBatch:
    """The rows with words for their numbers."""
    for name, words in WORDS.items():
        spelt = pa.DictionaryArray.from_arrays(rows[name], pa.array(words))
        rows = rows.set_column(rows.schema.get_field_index(name), name, spelt)
    return rows


def _where(rows: pa.RecordBatch, holds: pa.Array) -> pa.Table:
    """The rows of which something holds; where it mostly does, what lies between the others, uncopied."""
    others = np.flatnonzero(~holds.to_numpy(zero_copy_only=False))
    whole = pa.Table.from_batches([rows])
    if len(others) * FEW > len(holds):
        return whole.filter(holds)
    pieces = zip([0, *others + 1], [*others, len(holds)], strict=True)
    return pa.concat_tables(whole.slice(first, end - first) for first, end in pieces)


def _parted(engine: duckdb.DuckDBPyConnection, query: str) -> tuple[Path, _Parted]:
    """The lines that stay, in order, as a file; and what is known of all."""
    for order in ("", " ORDER BY line_id"):  # mostly they come in order: to sort them all would be dear
        parted = _Parted()
        rows = stored(parted.staying(engine.sql(query + order).to_arrow_reader(AT_ONCE)), tables.TRANSACTIONS)
        if parted.rising:
            break
    return rows, parted


def _refuse_unreadable_dates(engine: duckdb.DuckDBPyConnection, source: Transactions, date: Reading) -> None:
    """Dates that mostly cannot be read are a question of form, not of single bad rows."""
    if not date.odd:
        return
    given, unread = engine.sql(
        "SELECT count(*), count(*) FILTER (date_bad) FROM lines WHERE ordered_at IS NOT NULL OR date_bad"
    ).fetchall()[0]
    if given and unread > given / 2:
        raise SourceError(
            f"transactions: {unread:,} of {given:,} dates in column {source.columns['ordered_at']!r} cannot be read. "
            "Year-first dates are read as they are; for any other form say date_format in client.yml, "
            'as in date_format: "%d/%m/%Y".'
        )


def _fault(source: Transactions) -> str:
    """The header of the column at fault, as SQL over `judged`."""
    headers = {column: values.literal(tidy(header)) for column, header in source.columns.items()}
    faults = " ".join(
        f"WHEN reason = '{reason}' AND ({test}) THEN {headers[column]}"
        for reason, tests in FAULTS.items()
        for column, test in tests
        if column in headers
    )
    return f"CASE WHEN reason IS NULL THEN '' {faults} ELSE '' END"
