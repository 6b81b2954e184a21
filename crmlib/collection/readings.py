"""How the columns of a delivered table are read: decided once, from the whole column.

Plain cells (`-12.50`, `2024-03-05 14:30`) are read by the database. Of the others each distinct text is
read once by `values` and `moments`, a part at a time, into a file that is joined back: a clean column
costs one look, and a column without a single plain cell needs no memory. The decimal sign, and whether
day or month comes first, follow what the column's cells tell, unless `client.yml` says them.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from crmlib import tables
from crmlib.collection import moments, values
from crmlib.collection.files import FILE, ROW
from crmlib.collection.form import Form, said  # noqa: F401 — reached as readings.said
from crmlib.collection.headers import tidy
from crmlib.errors import SourceError
from crmlib.period import day_number

POINT, WHOLE = r"-?(\d{1,18}(\.\d+)?|\.\d+)", r"-?\d{1,18}"
SHARE, NONE_OR_ALL = r"0?\.\d+|1\.0+|[01]", "[01]"  # what is a plain number but no share is looked at
EITHER = r"-?[1-9]\d{0,2}\.\d{3}"
ISO = r"(19|20|21)\d\d-\d\d-\d\d([ T]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?)?"
WITHIN = f"told >= TIMESTAMP '{moments.FIRST}' AND told < TIMESTAMP '{moments.END}'"
YEAR = re.compile("(?:19|20)[0-9]{2}")
NUMBER, MOMENT, TEXT = pa.decimal128(28, 9), pa.timestamp("us"), pa.string()
GROUPED = 30  # cells like 54,492 from which a habit is read
SURE = 9  # cells that tell of one form, for each that tells of the other
AT_ONCE = 100_000  # texts read at a time


@dataclass(frozen=True)
class Reading:
    """How one column is read: SQL over `delivered` joined with the cells that are not plain."""

    header: str
    plain: str  # the cell's value where it is plain
    reason: str  # why a row is set aside whose cell cannot be read
    odd: Path | None = None  # text, value, new, rule (NULL: unreadable) of each text that is not plain
    optional: bool = False  # an unreadable cell becomes empty, and its row stays
    whole: bool = False  # every cell is known to be plain or empty

    @property
    def alias(self) -> str:
        """The odd cells' name in SQL."""
        return values.name(self.odd.stem) if self.odd else ""

    @property
    def value(self) -> str:
        """The cell's value; NULL where it holds nothing, or nothing readable."""
        return self._either(self.plain, f"{self.alias}.value")

    @property
    def empty(self) -> str:
        """Whether the cell has no value and holds nothing that cannot be read."""
        if self.whole and not self.odd:
            return f"{_column(self.header)} = ''"
        return f"({self.value} IS NULL AND NOT {self.bad})"

    def as_type(self, type: str) -> str:
        """The same as another type of number, read from the text itself: quicker than to convert the value."""
        return self._either(
            f"try_cast({_column(self.header)} AS {type})", f"try_cast({self.alias}.value AS {type})"
        )

    def _either(self, plain: str, odd: str) -> str:
        return f"CASE WHEN {self.alias}.text IS NULL THEN {plain} ELSE {odd} END" if self.odd else plain

    @property
    def bad(self) -> str:
        """Whether the cell holds something that cannot be read."""
        return f"({self.alias}.text IS NOT NULL AND {self.alias}.rule IS NULL)" if self.odd else "false"


def number(
    engine: duckdb.DuckDBPyConnection, header: str, form: Form, *, units=values.ANY, optional: bool = False
) -> Reading:
    """A column of numbers, exact to nine decimals.

    Raises
    ------
    SourceError : the column leaves open which sign is the decimal one, or holds another currency
    """
    column, header = _column(header), tidy(header)
    point, whole = (SHARE, NONE_OR_ALL) if units.share else (POINT, WHOLE)
    odd = _texts(engine, column, f"regexp_full_match(text, '{point}')", few=True)
    sign, sure = (form.decimal, True) if form.decimal else _decimal(engine, header, odd, form)
    if sign != "." or not sure:
        odd = _texts(engine, column, f"regexp_full_match(text, '{whole}')", few=True)

    def read(text: str) -> tuple[Decimal, str, str] | None:
        found = values.number_of(text, decimal=sign, units=units, currency=form.currency, sure=sure)
        if found is None:
            if units.money and form.currency and values.foreign(text, form.currency):
                raise _foreign(engine, header, text, form)
            return None
        return found[0], format(found[0].normalize(values.EXACT), "f"), found[1]

    plain = f"try_cast({column} AS {values.NUMBER})"
    return Reading(header, plain, "unreadable-number", _read(odd, read, NUMBER), optional)


def moment(engine: duckdb.DuckDBPyConnection, header: str, form: Form, *, optional: bool = False) -> Reading:
    """A column of moments, in the client's own time.

    Raises
    ------
    SourceError : the column leaves open whether day or month comes first
    """
    column, header = _column(header), tidy(header)
    told, plain = _plainly(column, form)
    first, last, whole = _looked(engine, column, form)
    # Where all are spelt year first, the day is told by how they begin.
    begun = (
        "NOT starts_with(text, '{}')" if whole and not form.date_format else "CAST(told AS DATE) <> DATE '{}'"
    )
    careful = [begun.format(day) for day in sorted(_skipped(form, first, last))]
    tests = careful if whole else [plain, *careful]
    odd = _texts(engine, column, " AND ".join(tests), told=told) if tests else None
    order, sure = _order(engine, header, odd, form)

    def read(text: str) -> tuple[dt.datetime | None, str, str] | None:
        found = moments.moment_of(text, order=order, zone=form.zone, date_format=form.date_format, sure=sure)
        return found and (found[0], found[0].isoformat(" ") if found[0] else "", found[1])

    return Reading(header, told, "unreadable-date", _read(odd, read, MOMENT), optional, whole)


def days(engine: duckdb.DuckDBPyConnection, header: str, form: Form, newest: int) -> tuple[int, int] | None:
    """First and last day of a column up to the newest that may be; None where it has none."""
    first, last, whole = _looked(engine, _column(header), form)
    # Mostly one look tells; else it needs every cell that is not plain.
    sure = whole and first and not {first.date(), last.date()} & _skipped(form, first, last)
    if sure and day_number(last.date()) <= newest:
        return day_number(first.date()), day_number(last.date())
    when = moment(engine, header, form)
    told = engine.sql(
        f"SELECT min(day), max(day) FROM (SELECT {day(when)} AS day FROM delivered {joins([when])})"
        f" WHERE day <= {newest}"
    ).fetchall()[0]
    return None if told[0] is None else told


def _looked(
    engine: duckdb.DuckDBPyConnection, column: str, form: Form
) -> tuple[dt.datetime | None, dt.datetime | None, bool]:
    """First and last moment that the database itself reads, and whether every cell that is not empty is plain."""
    told, plain = _plainly(column, form)
    return engine.sql(
        f"SELECT min(told) FILTER ({WITHIN}), max(told) FILTER ({WITHIN}),"
        f" coalesce(bool_and(text = '' OR coalesce({plain}, false)), true)"
        # Lines share their order's date: each is looked at once.
        f" FROM (SELECT {column} AS text, {told} AS told FROM delivered GROUP BY {column})"
    ).fetchall()[0]


def _plainly(column: str, form: Form) -> tuple[str, str]:
    """What the database makes of a cell, and whether that is beyond doubt; the second of a `text` and its `told`."""
    if form.date_format:
        return f"try_strptime(trim({column}, {values.BLANKS}), {values.literal(form.date_format)})", WITHIN
    # Most columns are spelt as the database itself would: that is told quicker than by a pattern.
    spelt = f"CASE WHEN CAST(told AS VARCHAR) = text THEN true ELSE regexp_full_match(text, '{ISO}') END"
    return f"try_cast({column} AS TIMESTAMP)", f"{WITHIN} AND {spelt}"


def identifier(
    engine: duckdb.DuckDBPyConnection, header: str, *, optional: bool = False, few: bool = False
) -> Reading:
    """A column of ids or telephones, trimmed and in one width; `digits-lost` where a spreadsheet cut it.

    They are `few` where each mostly stands on several lines.
    """
    column, header = _column(header), tidy(header)
    plain = f"{values.bare('text')} AND NOT contains(lower(text), 'e+')"
    odd = _texts(engine, column, plain, "text <> ''", few=few)

    def read(text: str) -> tuple[str, str, str] | None:
        found = values.id_of(text)
        return found and (found[0] or None, *found)

    return Reading(header, f"nullif({column}, '')", "digits-lost", _read(odd, read, TEXT), optional)


def year(engine: duckdb.DuckDBPyConnection, header: str, *, optional: bool = False) -> Reading:
    """A column of years, or of whole dates of which the year alone is kept."""
    column, header = _column(header), tidy(header)
    odd = _texts(engine, column, f"regexp_full_match(text, '{YEAR.pattern}')")

    def read(text: str) -> tuple[int, str, str] | None:
        found = YEAR.search(text.translate(values.NARROW))
        return found and (int(found[0]), found[0], "year")

    plain = f"try_cast({column} AS INTEGER)"
    return Reading(header, plain, "unreadable-number", _read(odd, read, pa.int32()), optional)


def day(reading: Reading) -> str:
    """The day number (days since 1970-01-01) of a moment, as SQL."""
    return f"date_diff('day', DATE '1970-01-01', CAST({reading.value} AS DATE))"


def joins(readings: Iterable[Reading]) -> str:
    """The joins to `delivered` that bring the cells which are not plain."""
    parts = {
        r.alias: f"LEFT JOIN read_parquet({values.literal(str(r.odd))}) AS {r.alias}"
        f" ON {_column(r.header)} = {r.alias}.text"
        for r in readings
        if r.odd
    }
    return " ".join(parts.values())


def repairs(engine: duckdb.DuckDBPyConnection, table: str, readings: Iterable[Reading]) -> Path | None:
    """Every cell that was not read as it stands, as a file in the columns of `tables.REPAIRS`; None without any."""
    parts = [
        f'SELECT {values.literal(table)} AS "table", coalesce({r.alias}.rule, {values.literal(r.reason)}) AS rule,'
        f' {FILE} AS source_file, {ROW} AS source_row, {values.literal(r.header)} AS "column",'
        f" {_column(r.header)} AS old, coalesce({r.alias}.new, '') AS new FROM delivered"
        f" JOIN read_parquet({values.literal(str(r.odd))}) AS {r.alias} ON {_column(r.header)} = {r.alias}.text"
        f" WHERE {r.alias}.rule <> ''" + (f" OR {r.alias}.rule IS NULL" if r.optional else "")
        for r in {r.alias: r for r in readings if r.odd}.values()
    ]
    if not parts:
        return None
    query = f'{" UNION ALL ".join(parts)} ORDER BY source_file, source_row, "column"'
    return _file(engine, query)


def _column(header: str) -> str:
    return f"delivered.{values.name(tidy(header))}"


def _file(engine: duckdb.DuckDBPyConnection, query: str) -> Path | None:
    """The answer to a query as a file of this process; None where it is empty."""
    path = tables.scratch()
    copied = engine.execute(f"COPY ({query}) TO {values.literal(str(path))} (FORMAT parquet)")
    (count,) = copied.fetchall()[0]
    if count:
        return path
    path.unlink()
    return None


def _texts(
    engine: duckdb.DuckDBPyConnection,
    column: str,
    plain: str,
    holds: str | None = None,
    *,
    told: str = "NULL",
    few: bool = False,
) -> Path | None:
    """Each text of a column that holds something and is not plain, and how many cells hold it.

    `plain` and `holds` speak of the cell as `text`, and as `told` of what the database makes of it: worked out once.
    Where texts are `few`, as prices are, they are counted before they are looked at.
    """
    number, by = ("count(*)", f" GROUP BY {column}") if few else ("1", "")
    cells = f"SELECT {column} AS text, {told} AS told, {number} AS n FROM delivered{by}"
    return _file(
        engine,
        f"SELECT text, CAST(sum(n) AS BIGINT) AS cells FROM ({cells}) WHERE ({plain}) IS NOT TRUE GROUP BY text"
        # Only of the few texts that are not plain is asked whether they hold anything: what hangs on a count is asked last.
        f" HAVING CASE WHEN count(*) > 0 THEN {holds or values.given('text')} END",
    )


def _parts(texts: Path | None) -> Iterable[pa.RecordBatch]:
    return pq.ParquetFile(texts).iter_batches(AT_ONCE) if texts else ()


def _read(texts: Path | None, read: Callable, type: pa.DataType) -> Path | None:
    """The texts as read: text, value, new (the value as text), rule; of an unreadable one the text alone."""
    if texts is None:
        return None
    path = tables.scratch()
    schema = pa.schema([("text", TEXT), ("value", type), ("new", TEXT), ("rule", TEXT)])
    with pq.ParquetWriter(path, schema) as out:
        for part in _parts(texts):
            said = part["text"].to_pylist()
            found = [read(text) or (None, None, None) for text in said]
            columns = [pa.array([cell[n] for cell in found], schema.types[n + 1]) for n in range(3)]
            out.write_batch(pa.record_batch([part["text"], *columns], schema=schema))
    texts.unlink()
    return path


def _told(texts: Path | None, tells: Callable[[str], str | None]) -> tuple[Counter, dict[str, str]]:
    """Cells by the form they tell of, and the first text of each form."""
    cells, first = Counter(), {}
    for part in _parts(texts):
        for text, count in zip(part["text"].to_pylist(), part["cells"].to_pylist(), strict=True):
            if form := tells(text):
                cells[form] += count
                first[form] = min(text, first.get(form, text))
    return cells, first


def _decimal(
    engine: duckdb.DuckDBPyConnection, header: str, odd: Path | None, form: Form
) -> tuple[str, bool]:
    """The column's decimal sign, and whether cells that either sign explains may follow it."""
    cells, first = _told(odd, values.decimal_told)
    column = _column(header)
    either = f"regexp_full_match({column}, '{EITHER}')"
    pointed = f"FROM delivered WHERE contains({column}, '.') AND regexp_full_match({column}, '{POINT}')"
    # Most columns tell at their first price: then nothing is counted.
    if (
        not cells[","]
        and not cells["either"]
        and (cells["."] or engine.sql(f"SELECT 1 {pointed} AND NOT {either} LIMIT 1").fetchall())
    ):
        return ".", True
    surely, open_, example = engine.sql(
        f"SELECT count(*) FILTER (NOT {either}), count(*) FILTER ({either}), min({column}) FILTER ({either}) {pointed}"
    ).fetchall()[0]
    cells += Counter({".": surely, "either": open_})
    point, comma = cells["."], cells[","]
    if not comma and not cells["either"]:
        return ".", True
    if not point and not comma and not open_ and _grouped(engine, column, cells["either"]):
        return ".", True
    if point == comma:
        text = first.get("either", example) or first[","]
        raise SourceError(
            f"{form.table}: {_place(engine, header, text)} holds {text!r}, and the column does not tell whether its "
            f'decimal sign is a point or a comma. Say decimal: "." or decimal: "," under tables.{form.table} '
            f"in {form.config}."
        )
    return ("." if point > comma else ","), max(point, comma) >= SURE * min(point, comma)


def _grouped(engine: duckdb.DuckDBPyConnection, column: str, cells: int) -> bool:
    """Whether commas can only stand between thousands, though each alone (`54,492`) might be a decimal one.

    Many cells have one, no number from 1,000 up lacks it, and smaller whole numbers do: as decimals they would
    all have three digits, and none be whole.
    """
    if cells < GROUPED:
        return False
    small, large = engine.sql(
        f"SELECT count(*) FILTER (length(ltrim({column}, '-')) < 4), count(*) FILTER (length(ltrim({column}, '-')) >= 4)"
        f" FROM delivered WHERE regexp_full_match({column}, '{WHOLE}')"
    ).fetchall()[0]
    return small > 0 and not large


def _order(
    engine: duckdb.DuckDBPyConnection, header: str, odd: Path | None, form: Form
) -> tuple[str | None, bool]:
    """Whether the column's short dates begin with the day or the month, and whether open ones may follow."""
    if form.date_format:
        return None, True
    if form.day_first is not None:
        return ("dmy" if form.day_first else "mdy"), True
    cells, first = _told(odd, moments.order_told)
    day, month = cells["dmy"], cells["mdy"]
    if day == month and (day or cells["either"]):
        text = first.get("either") or first["dmy"]
        raise SourceError(
            f"{form.table}: {_place(engine, header, text)} holds {text!r}, and the column does not tell whether day "
            f"or month comes first. Say day_first: true or day_first: false under tables.{form.table} in "
            f"{form.config}."
        )
    order = "dmy" if day > month else "mdy" if month > day else None
    return order, max(day, month) >= SURE * min(day, month)


def _skipped(form: Form, first: dt.datetime | None, last: dt.datetime | None) -> set[dt.date]:
    """Days on which the zone's clocks skip something, in the years of two moments: they are read with care."""
    gaps = moments.skipped(form.zone, first.year, last.year) if first and form.zone != "UTC" else ()
    return {begin.date() for begin, _ in gaps}


def _place(engine: duckdb.DuckDBPyConnection, header: str, text: str) -> str:
    """The first cell that holds a text: file, row, column."""
    file, row = engine.execute(
        f"SELECT {FILE}, {ROW} FROM delivered WHERE {_column(header)} = ? ORDER BY {FILE}, {ROW} LIMIT 1",
        [text],
    ).fetchall()[0]
    return f"{file}, row {row}, column {header!r}"


def _foreign(engine: duckdb.DuckDBPyConnection, header: str, text: str, form: Form) -> SourceError:
    return SourceError(
        f"{form.table}: {_place(engine, header, text)} holds {text!r}, but the client's currency is {form.currency}, and "
        f"two currencies are never summed. Deliver each currency as a client of its own, or mend currency in {form.config}."
    )
