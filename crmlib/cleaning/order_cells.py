"""Order lines typed: each source cell as a number, a moment or an id, before anything is judged."""

import unicodedata

import duckdb
import numpy as np
import pyarrow as pa

from crmlib.collection import readings, values
from crmlib.collection.files import ROW
from crmlib.collection.headers import tidy
from crmlib.collection.readings import Form, Reading
from crmlib.collection.sources import FILE, LINE_COLUMNS, Collected
from crmlib.errors import SourceError
from crmlib.mapping import Transactions

TOTAL_WORDS = ("合计", "小计", "总计", "合計", "小計", "總計", "total", "subtotal", "grand total", "sum")
NUMBERS = {"quantity": values.COUNTS, "price": values.MONEY, "amount": values.MONEY, "profit": values.MONEY}
UNITS = NUMBERS | {"discount": values.SHARE}
IDS = ("customer_id", "order_id")
# Quantities and prices to six decimals: their product is exact. An amount of more than a trillion does
# not fit a whole number of the smallest unit at every number of decimals.
# Twenty digits make DuckDB multiply in 128 bits: in 64 a product beyond nine million is an error.
FACTOR, MOST = "DECIMAL(18,6)", "1e12"
FACTORS = {"quantity": "DECIMAL(20,6)"}
# Where the cells of all number columns together are short, their products fit 64 bits, which is far quicker.
SHORT, MOST_WHOLE, MOST_DECIMALS = 18, 12, 6
FEW = 50  # rows for each that must be compared whole


def cells(engine: duckdb.DuckDBPyConnection, source: Transactions, form: Form) -> dict[str, Reading]:
    """How each mapped id, number and moment of `delivered` is read.

    Raises
    ------
    SourceError : two currencies, or a column that leaves its form open
    """
    _refuse_other_currencies(engine, source, form)
    found: dict[str, Reading] = {}
    for column, header in source.columns.items():
        if column in NUMBERS:
            found[column] = readings.number(engine, header, form, units=NUMBERS[column])
        elif column == "discount":
            # A line whose discount nobody can read is still a sale: the cell is emptied and told.
            found[column] = readings.number(engine, header, form, units=UNITS[column], optional=True)
        elif column in IDS:
            found[column] = readings.identifier(engine, header, few=True)
        elif column == "ordered_at":
            found[column] = readings.moment(engine, header, form)
    return found


def typed(
    engine: duckdb.DuckDBPyConnection,
    collected: Collected,
    source: Transactions,
    found: dict[str, Reading],
    short: dict[str, tuple[int, int]] | None = None,
) -> tuple[dict[str, str], str]:
    """Source columns as canonical columns, with what is needed to judge them, as SQL: each by its name; whence."""
    texts = [c for c in LINE_COLUMNS if c not in (*NUMBERS, *IDS, "ordered_at", "discount")]
    date = found["ordered_at"]
    customer_lost, order_lost = (found[c].bad if c in found else "false" for c in IDS)
    apart = {"is_total": _totals(engine, collected, date)}
    if source.exact_duplicates == "merge":
        apart["copied"] = _copies(engine, collected, source)
    place, files = _places(engine)
    columns = {
        **place,
        **{c: _text(engine, source, c) for c in texts},
        **{c: found[c].value if c in found else _ABSENT for c in IDS},
        **{name: sql for c in NUMBERS for name, sql in _number(found, c, short).items()},
        "discount": f"CAST({found['discount'].value if 'discount' in found else 'NULL'} AS DOUBLE)",
        "ordered_at": date.value,
        "order_day": readings.day(date),
        "date_bad": date.bad,
        "on_return": _on_return(engine, source, found),
        "customer_lost": customer_lost,
        "id_lost": order_lost if customer_lost == "false" else f"{customer_lost} OR {order_lost}",
        **{name: f"{name}.row IS NOT NULL" if apart.get(name) else "false" for name in APART},
    }
    marked = " ".join(
        f"LEFT JOIN {name} ON {name}.file = {place[FILE]} AND {name}.row = delivered.{ROW}"
        for name, found_any in apart.items()
        if found_any
    )
    return columns, f"delivered {files} {marked} {readings.joins(found.values())}"


def _places(engine: duckdb.DuckDBPyConnection) -> tuple[dict[str, str], str]:
    """Where a line stood and its number in the delivery, as columns, and the join they need.

    Files follow each other in order of name; most deliveries are one.
    """
    files = engine.sql(f"SELECT {FILE}, min({ROW}) FROM delivered GROUP BY {FILE} LIMIT 2").fetchall()
    place = {FILE: f"delivered.{FILE}", ROW: f"delivered.{ROW}"}
    if len(files) == 1:
        ((file, first),) = files
        return {**place, FILE: values.literal(file), "line_id": f"delivered.{ROW} - {first - 1}"}, ""
    return (
        {**place, "line_id": f"delivered.{ROW} + start"},
        f"JOIN ({_STARTS}) AS files ON files.file = delivered.{FILE}",
    )


def digits(
    engine: duckdb.DuckDBPyConnection, found: dict[str, Reading], decimals: int
) -> dict[str, tuple[int, int]] | None:
    """Digits before and behind the point that hold every cell of each number; None where they are too many to be quick.

    Too many are those whose products do not fit 64 bits in the smallest unit, and cells that are not plain.
    """
    taken = [c for c in NUMBERS if c in found]
    # With amount and price both, or without a price, one is worked out from the other by division.
    if "amount" in taken or "price" not in taken or any(found[c].odd for c in taken):
        return None
    told = [_widths(engine, found[c]) for c in taken]
    short = dict(zip(taken, told, strict=True))
    short.setdefault("quantity", (1, 0))
    (before, behind), (price_before, price_behind) = short["quantity"], short["price"]
    short["amount"] = before + price_before, behind + price_behind
    fits = all(
        whole <= MOST_WHOLE and part <= MOST_DECIMALS and whole + part + decimals + 1 <= SHORT
        for whole, part in short.values()
    )
    return short if fits else None


def _widths(engine: duckdb.DuckDBPyConnection, number: Reading) -> tuple[int, int]:
    """The most digits that a column's cells have before and behind the point."""
    dot = "instr(text, '.')"
    return engine.sql(
        f"SELECT coalesce(max(CASE WHEN {dot} > 0 THEN {dot} - 1 ELSE strlen(text) END), 0),"
        f" coalesce(max(CASE WHEN {dot} > 0 THEN strlen(text) - {dot} ELSE 0 END), 0)"
        f" FROM (SELECT DISTINCT delivered.{values.name(number.header)} AS text FROM delivered)"
    ).fetchall()[0]


def valued(
    columns: dict[str, str], origin: str, decimals: int, short: dict[str, tuple[int, int]] | None = None
) -> str:
    """Typed lines with price, amount and profit as whole numbers of the smallest unit, as SQL.

    A line's amount is quantity × price unless supplied, its price amount ÷ quantity unless supplied; both are
    worked out exactly (12 × 0.1 is 1.2 here), once, and what follows computes with whole numbers.
    """
    worked, scaled, told = _quickly(decimals, short) if short else _safely(decimals)
    told |= {
        "quantity": "CAST(quantity_given AS DOUBLE)",
        "price_sign": "CAST(sign(price_exact) AS TINYINT)",
        "amount_sign": "CAST(sign(amount_exact) AS TINYINT)",
        "paid": "CASE WHEN quantity_given > 0 AND price_exact > 0 THEN price_exact END",
    }
    return f"""
    WITH priced AS (SELECT *, {worked} FROM (SELECT {named(columns)} FROM {origin})),
    scaled AS (SELECT *, {named(scaled)} FROM priced)
    SELECT *, {named(told)} FROM scaled"""


def named(columns: dict[str, str]) -> str:
    """Columns by their names, as SQL.

    >>> named({"a": "1", "b": "a + 1"})
    '1 AS a, a + 1 AS b'
    """
    return ", ".join(f"{sql} AS {name}" for name, sql in columns.items())


_EXACT = {"price": "price_exact", "amount": "amount_exact", "profit": "profit_given"}
# A price that was worked out may be finer: the amount is what counts.
_GIVEN = ("price_given", "amount_exact", "profit_given")


def _quickly(decimals: int, short: dict[str, tuple[int, int]]) -> tuple[str, dict[str, str], dict[str, str]]:
    """Amount and price, both in the smallest unit, and what is odd about them: for numbers that fit 64 bits."""
    unit = 10**decimals
    scaled = {name: f"CAST(round({x} * {unit}) AS BIGINT)" for name, x in _EXACT.items()}
    finer = " OR ".join(f"{x} * {unit} <> round({x} * {unit})" for x in _GIVEN)
    may = any(part > decimals for _, part in short.values())
    return (
        "quantity_given * price_given AS amount_exact, price_given AS price_exact",
        scaled,
        {"finer": f"coalesce({finer}, false)" if may else "false", "differs": "false", "too_large": "false"},
    )


def _safely(decimals: int) -> tuple[str, dict[str, str], dict[str, str]]:
    """The same for all others."""
    unit = 10**decimals
    # The quick way by floats, wherever it proves exact; the slow one for what is left.
    scaled = {
        name: f"CASE WHEN CAST({quick} AS DECIMAL(38,9)) = {x} * {unit} THEN {quick}"
        f" ELSE TRY_CAST(round({x} * {unit}) AS BIGINT) END"
        for name, x in _EXACT.items()
        for quick in (f"TRY_CAST(round(CAST({x} AS DOUBLE) * {unit}) AS BIGINT)",)
    }
    whole = dict(zip(_GIVEN, _EXACT, strict=True))
    finer = " OR ".join(f"CAST({name} AS DECIMAL(38,9)) <> {x} * {unit}" for x, name in whole.items())
    return (
        _WORKED,
        scaled,
        {"finer": f"coalesce({finer}, false)", "differs": _DIFFERS, "too_large": _TOO_LARGE},
    )


_WORKED = f"""
coalesce(amount_given, TRY_CAST(quantity_factor * price_factor AS {values.NUMBER})) AS amount_exact,
coalesce(price_given, TRY_CAST(CAST(amount_given AS DOUBLE) / nullif(CAST(quantity_given AS DOUBLE), 0)
  AS {values.NUMBER})) AS price_exact"""
_DIFFERS = "coalesce(abs(amount_given - quantity_factor * price_factor) >= 0.01, false)"
_TOO_LARGE = f"""(coalesce(greatest(abs(amount_exact), abs(price_exact), abs(profit_given)) >= {MOST}, false)
  OR (amount_exact IS NULL AND quantity_given IS NOT NULL AND price_given IS NOT NULL))"""
APART = ("is_total", "copied")  # few rows, found apart: a test of every row would cost more than all else
_ABSENT = "CAST(NULL AS VARCHAR)"
# A line's number in the delivery: files follow each other in order of name.
_STARTS = f"""
SELECT {FILE} AS file, coalesce(sum(max({ROW}) - min({ROW}) + 1) OVER (
    ORDER BY {FILE} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::BIGINT - min({ROW}) + 1 AS start
FROM delivered GROUP BY {FILE}
"""


def _text(engine: duckdb.DuckDBPyConnection, source: Transactions, column: str) -> str:
    if column not in source.columns:
        return _ABSENT
    cell = f"delivered.{values.name(tidy(source.columns[column]))}"
    # Mostly no cell is empty or has anything to trim: asked of each text once, not of each line.
    some = engine.sql(f"SELECT 1 FROM delivered WHERE NOT ({values.bare(cell)}) LIMIT 1").fetchall()
    return values.text(cell) if some else cell


def _number(
    found: dict[str, Reading], column: str, short: dict[str, tuple[int, int]] | None
) -> dict[str, str]:
    """A number as delivered, the same as a factor, and whether a cell held something that is none."""
    number_type, as_factor = values.NUMBER, FACTORS.get(column, FACTOR)
    if short:
        whole, part = short.get(column, (1, 0))
        number_type = as_factor = f"DECIMAL({max(whole + part, 1)},{part})"
    if column in found:
        value = found[column].as_type
        number, factor, bad = value(number_type), value(as_factor), found[column].bad
    else:
        number = factor = "1" if column == "quantity" else "NULL"
        bad = "false"
    return {
        f"{column}_given": f"CAST({number} AS {number_type})",
        f"{column}_factor": f"CAST({factor} AS {as_factor})",
        f"{column}_bad": bad,
    }


def _on_return(engine: duckdb.DuckDBPyConnection, source: Transactions, found: dict[str, Reading]) -> str:
    """Whether a line stands on a return document, or its mark says so."""
    returns = source.returns
    if returns is None or (returns.column is None and "order_id" not in found):
        return "false"
    if returns.column is None:
        return f"coalesce(starts_with({found['order_id'].value}, {values.literal(returns.order_id_starts_with)}), false)"
    mark = f"delivered.{values.name(tidy(returns.column))}"
    if not returns.values:
        return values.given(mark)
    # Few words mark a return; which spellings of them occur is asked once.
    meant = {_word(value) for value in returns.values}
    said = engine.sql(f"SELECT DISTINCT {mark} AS said FROM delivered").to_arrow_reader(100_000)
    spelt = [text for part in said for text in part["said"].to_pylist() if _word(text) in meant]
    return values.among(mark, sorted(spelt)) if spelt else "false"


def _word(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip(values.BLANK).casefold()


def _totals(engine: duckdb.DuckDBPyConnection, collected: Collected, date: Reading) -> bool:
    """Names `is_total` the lines of totals, which begin with the word and have no date; whether there are any."""
    originals = [f"delivered.{values.name(header)}" for header in collected.headers]
    first = f"lower(coalesce({', '.join(values.text(c) for c in originals)}))"
    return _rows(
        engine,
        "is_total",
        f"SELECT {FILE} AS file, {ROW} AS row FROM delivered {readings.joins([date])}"
        f" WHERE {date.empty} AND {values.among(first, TOTAL_WORDS)}",
    )


def _copies(engine: duckdb.DuckDBPyConnection, collected: Collected, source: Transactions) -> bool:
    """Names `copied` the later ones of rows that agree in every source column; whether there are any.

    Rows are compared whole only where their hashes agree: few are, so that little is sorted.
    """
    originals = ", ".join(values.name(header) for header in collected.headers)
    mark, again = _again(engine, source, originals)
    engine.register("again", pa.table({"mark": again}))
    return _rows(
        engine,
        "copied",
        f"""
        SELECT {FILE} AS file, {ROW} AS row FROM (
          SELECT {FILE}, {ROW}, row_number() OVER (PARTITION BY {originals} ORDER BY {FILE}, {ROW}) AS copy
          FROM delivered WHERE {mark} IN (SELECT mark FROM again))
        WHERE copy > 1""",
    )


def _again(engine: duckdb.DuckDBPyConnection, source: Transactions, originals: str) -> tuple[str, np.ndarray]:
    """A hash of rows, as SQL, and its values that rows share: of few columns, if these tell most rows apart."""
    told = [values.name(tidy(source.columns[c])) for c in ("order_id", "product_id") if c in source.columns]
    for hashed in dict.fromkeys([", ".join(told) if len(told) == 2 else originals, originals]):
        mark = f"CAST(hash({hashed}) >> 32 AS UINTEGER)"  # half a hash: four bytes a row
        marks = engine.sql(f"SELECT {mark} AS mark FROM delivered").fetchnumpy()["mark"]
        marks.sort()
        again = np.unique(marks[1:][marks[1:] == marks[:-1]])
        if len(again) * FEW < len(marks):
            break
    return mark, again


def _rows(engine: duckdb.DuckDBPyConnection, name: str, query: str) -> bool:
    engine.execute(f"CREATE TEMP TABLE {name} AS {query}")
    return engine.sql(f"SELECT count(*) > 0 FROM {name}").fetchall()[0][0]


def _refuse_other_currencies(engine: duckdb.DuckDBPyConnection, source: Transactions, form: Form) -> None:
    """A currency column is only checked: every line must be in the client's own."""
    if "currency" not in source.columns:
        return
    header = tidy(source.columns["currency"])
    column = values.name(header)
    said = engine.sql(
        f"SELECT {column}, min({FILE}), arg_min({ROW}, ({FILE}, {ROW})), count(*) FROM delivered"
        f" WHERE {values.given(column)} GROUP BY {column} ORDER BY ALL LIMIT 1000"
    ).fetchall()
    for text, file, row, lines in said:
        if form.currency not in values.currency_of(text):
            raise SourceError(
                f"{form.table}: column {header!r} holds {text!r} on {lines:,} lines (the first in {file}, row {row}), "
                f"but the client's currency is {form.currency}, and two currencies are never summed. Deliver each "
                f"currency as a client of its own, or mend currency in {form.config}."
            )
