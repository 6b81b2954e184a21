"""Files as firms send them: a small order list, spoilt in one way and written in another.

A `Fault` says what it does to the rows and what must become of each; a `Form` says how rows are
written to a file. Every fault crossed with every form is a fixture whose right answer is known
before anything is read: it is typed here, not computed.
"""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

HEADER = ["order", "customer", "day", "product", "pieces", "price"]
CONFIG = """\
name: Acme
currency: CNY
decimals: 2
timezone: Asia/Shanghai
delivered_on: 2025-01-06
tables:
  transactions:
    files: ["{file}"]
    columns: {{order_id: order, customer_id: customer, ordered_at: day, product: product, quantity: pieces, price: price}}
    returns: {{order_id_starts_with: TH}}
"""


@dataclass(frozen=True)
class Row:
    """Cells as sent; what must stand in the clean table, or why the row must not be there."""

    cells: tuple[str, ...]
    clean: tuple | None
    reason: str | None = None


def row(order: str, customer: str, day: str, product: str, pieces: str, price: str) -> Row:
    """A row without fault: what is sent is what is kept."""
    clean = (order, customer, f"{day} 00:00:00", product, Decimal(pieces), Decimal(price))
    return Row((order, customer, day, product, pieces, price), clean)


ROWS = [
    row("A1", "c1", "2024-03-05", "红茶, 大包", "2", "10.50"),
    row("A1", "c1", "2024-03-05", 'Tea "Earl"', "1", "3.00"),
    row("A2", "c2", "2024-03-13", "㐀𠮷 雅集", "12", "0.10"),
    row("A3", "李四", "2024-04-14", "a;b|c\td", "1", "100.00"),
    row("A4", "c3", "2024-05-21", "plain", "3", "7.25"),
    row("A5", "c1", "2024-06-30", "naïve café", "1", "1234.50"),
    row("TH1", "c2", "2024-07-01", "红茶, 大包", "-1", "10.50"),
    row("A6", "c4", "2024-12-31", "last", "5", "20.00"),
]


@dataclass(frozen=True)
class Fault:
    """What is wrong with the rows, by the number of the catalogue."""

    name: str
    rows: list[Row]
    only: str = ""  # "delimited": no other kind of file can hold it


def changed(
    place: int, column: str, sent: str, kept: object = None, *, reason: str | None = None
) -> list[Row]:
    """The rows with one cell sent differently: kept as `kept`, or the row set aside for a reason."""
    rows, at = list(ROWS), HEADER.index(column)
    cells = tuple(sent if n == at else cell for n, cell in enumerate(rows[place].cells))
    clean = rows[place].clean
    if kept is not None:
        clean = tuple(kept if n == at else value for n, value in enumerate(clean))
    rows[place] = Row(cells, None if reason else clean, reason)
    return rows


def with_row(new: Row, place: int = 4) -> list[Row]:
    return [*ROWS[:place], new, *ROWS[place:]]


def gone(cells: tuple, reason: str) -> Row:
    return Row(cells, None, reason)


NAUGHTY = [
    *("=1+1", "+A1", "-2+3", "@SUM(A1)", "<script>alert(1)</script>", "$$\\foo$", "../../etc/passwd"),
    *("‮drow‬", "👩‍👩‍👧", "'; DROP TABLE x; --", "NULL", "None", "NA", "nan", "#N/A text", "{{7*7}}", "％ｎ"),
]
FAULTS = [
    Fault("nothing wrong", ROWS),
    Fault("58 an exact copy", with_row(Row(ROWS[3].cells, None, "exact-duplicate"))),
    Fault(
        "19 an extra cell in the middle", with_row(gone((*ROWS[4].cells, "more"), "extra-cell")), "delimited"
    ),
    Fault(
        "19 an extra cell in the first row",
        with_row(gone((*ROWS[4].cells, "more"), "extra-cell"), 0),
        "delimited",
    ),
    Fault(
        "20 an extra cell in the last row",
        with_row(gone((*ROWS[4].cells, "more"), "extra-cell"), 8),
        "delimited",
    ),
    Fault("21 a short row", with_row(gone(ROWS[4].cells[:3], "missing-cell")), "delimited"),
    Fault("32 the header again", with_row(gone(tuple(HEADER), "repeated-header"))),
    Fault("32 a line of totals", with_row(gone(("合计", "", "", "", "24", "1385.85"), "not-a-record"), 8)),
    Fault("43 full-width digits", changed(4, "pieces", "３", Decimal(3))),
    Fault("43 full-width money", changed(4, "price", "￥７．２５", Decimal("7.25"))),
    Fault("44 pieces with their unit", changed(4, "pieces", "3件", Decimal(3))),
    Fault("44 money with its unit", changed(4, "price", "7.25元", Decimal("7.25"))),
    Fault("44 money in ten thousands", changed(4, "price", "3.2万", Decimal(32000))),
    Fault("44 money with its sign and groups", changed(5, "price", "¥1,234.50", Decimal("1234.50"))),
    Fault("44 a unit that nobody knows", changed(4, "pieces", "3xyz", reason="unreadable-number")),
    Fault("46 infinity", changed(4, "price", "inf", reason="unreadable-number")),
    Fault("46 not a number", changed(4, "price", "nan", reason="unreadable-number")),
    Fault("46 digits with underscores", changed(4, "price", "1_000", reason="unreadable-number")),
    Fault("46 hexadecimal", changed(4, "pieces", "0x1F", reason="unreadable-number")),
    Fault("47 a token for nothing", changed(4, "price", "无", reason="missing-number")),
    Fault("47 a customer called NA", changed(4, "customer", "NA", "NA")),
    Fault("47 a customer called None", changed(4, "customer", "None", "None")),
    Fault("48 a negative quantity that nothing marks", changed(4, "pieces", "-3", reason="unmarked-return")),
    Fault("49 a gift", changed(4, "price", "0", Decimal(0))),
    Fault("54 a Chinese date", changed(4, "day", "2024年5月21日", "2024-05-21 00:00:00")),
    Fault("54 a date with points", changed(4, "day", "2024.5.21", "2024-05-21 00:00:00")),
    Fault("54 a date without signs", changed(4, "day", "20240521", "2024-05-21 00:00:00")),
    Fault("39 a serial among dates", changed(4, "day", "45433", "2024-05-21 00:00:00")),
    Fault("55 a date with its offset", changed(4, "day", "2024-05-21T20:30:00Z", "2024-05-22 04:30:00")),
    Fault("56 a date after the delivery", changed(4, "day", "2025-02-01", reason="future-date")),
    Fault("56 the end of time", changed(4, "day", "9999-12-31", reason="missing-date")),
    Fault("56 the year one", changed(4, "day", "0001-01-01", reason="missing-date")),
    Fault("57 the thirtieth of February", changed(4, "day", "2024-02-30", reason="unreadable-date")),
    Fault("57 hour twenty-four", changed(4, "day", "2024-05-21 24:00", reason="unreadable-date")),
    Fault("57 no date at all", changed(4, "day", "", reason="missing-date")),
    Fault("62 an id among blanks", changed(4, "customer", "  c3　", "c3")),
    Fault("62 an id in full width", changed(4, "customer", "ｃ３", "c3")),
    Fault("62 an id with a decimal stays apart", changed(4, "customer", "007.0", "007.0")),
    Fault("41 leading zeros stay", changed(4, "customer", "007", "007")),
    Fault("40 digits that are lost", changed(4, "customer", "1.38E+10", reason="digits-lost")),
    Fault("63 nobody's order", changed(4, "customer", "", "")),
    Fault("24 a cell of two lines", changed(4, "product", "two\nlines", "two\nlines")),
    Fault("6 a control sign", changed(4, "product", "a\x0bb", "ab"), "delimited"),
    Fault("6 a NUL", changed(4, "product", "a\x00b", "ab"), "delimited"),
    Fault(
        "16 a cell that is far too long",
        changed(4, "product", "x" * 200_000, reason="oversized-cell"),
        "delimited",
    ),
    Fault(
        "64 products with names that are code",
        [*ROWS, *(row(f"N{n}", "c9", "2024-08-01", text, "1", "1.00") for n, text in enumerate(NAUGHTY))],
    ),
]


@dataclass(frozen=True)
class Form:
    """A way to write rows to a file."""

    name: str
    suffix: str
    written: Callable[[list[Row]], bytes]
    kind: str = "delimited"


def delimited(
    rows: list[Row],
    *,
    delimiter: str = ",",
    end: str = "\n",
    encoding: str = "utf-8",
    quoting: int = csv.QUOTE_MINIMAL,
    header: list[str] | None = None,
    trailing: bool = False,
    blank: bool = False,
    titles: tuple[str, ...] = (),
    order: list[int] | None = None,
) -> bytes:
    """The rows as delimited text."""
    out = io.StringIO(newline="")
    out.write("".join(title + end for title in titles))
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting)
    order = order or list(range(len(HEADER)))
    writer.writerow([(header or HEADER)[n] for n in order])
    for number, one in enumerate(rows):
        cells = [one.cells[n] for n in order if n < len(one.cells)] + list(one.cells[len(HEADER) :])
        writer.writerow([*cells, ""] if trailing else cells)
        if blank and number % 3 == 0:
            out.write(end)
    text = out.getvalue()
    return text.encode(encoding)


def zipped(rows: list[Row]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("orders.csv", delimited(rows))
    return out.getvalue()


def workbook(rows: list[Row], *, titles: int = 0) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for number in range(titles):
        sheet.append([f"Report {number}"])
    sheet.append(HEADER)
    for one in rows:
        sheet.append(one.cells)
        for cell in sheet[sheet.max_row]:
            # What begins with = is text here: a firm's system wrote it, nobody computed it.
            cell.data_type = "s"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def json_lines(rows: list[Row]) -> bytes:
    return "".join(
        json.dumps(dict(zip(HEADER, one.cells, strict=True)), ensure_ascii=False) + "\n" for one in rows
    ).encode()


def parquet(rows: list[Row]) -> bytes:
    columns = {name: pa.array([one.cells[n] for one in rows]) for n, name in enumerate(HEADER)}
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


FORMS = [
    Form("plain", "csv", delimited),
    Form("1 BOM", "csv", partial(delimited, encoding="utf-8-sig")),
    Form("2 UTF-16 with tabs", "txt", partial(delimited, encoding="utf-16", delimiter="\t")),
    Form("3 GB18030", "csv", partial(delimited, encoding="gb18030")),
    Form(
        "3 GB18030, semicolons, CRLF",
        "csv",
        partial(delimited, encoding="gb18030", delimiter=";", end="\r\n"),
    ),
    Form("25 semicolons", "csv", partial(delimited, delimiter=";")),
    Form("25 tabs", "tsv", partial(delimited, delimiter="\t")),
    Form("25 bars", "csv", partial(delimited, delimiter="|")),
    Form("27 CRLF", "csv", partial(delimited, end="\r\n")),
    # Quoted throughout: between CRs this writer would leave a line feed bare.
    Form("27 CR", "csv", partial(delimited, end="\r", quoting=csv.QUOTE_ALL)),
    Form("24 everything quoted", "csv", partial(delimited, quoting=csv.QUOTE_ALL)),
    Form("18 trailing delimiter", "csv", partial(delimited, trailing=True)),
    Form("33 blank lines", "csv", partial(delimited, blank=True)),
    Form("31 titles", "csv", partial(delimited, titles=("Orders of Acme", "", "printed on 2025-01-06"))),
    Form(
        "34 header as people write it",
        "csv",
        partial(
            delimited, header=["order ", "ｃｕｓｔｏｍｅｒ", "day\u200b", " product", "pieces", "price\u3000"]
        ),
    ),
    Form("columns in another order", "csv", partial(delimited, order=[5, 4, 3, 2, 1, 0])),
    Form("gzip", "csv.gz", lambda rows: gzip.compress(delimited(rows), mtime=0)),
    Form("zip", "zip", zipped),
    Form("12 a workbook called csv", "csv", workbook, "workbook"),
    Form("xlsx", "xlsx", workbook, "workbook"),
    Form("35 xlsx with titles", "xlsx", partial(workbook, titles=2), "workbook"),
    Form("JSON lines", "jsonl", json_lines, "records"),
    Form("Parquet", "parquet", parquet, "records"),
]


def crossed(*, every: bool) -> list[tuple[Fault, Form]]:
    """Every fault in every form that can hold it; or every second of these, and all in the plain form."""
    # With a delimiter at the end of every row one cell too many is no fault, nor is a short row one
    # where columns stand in another order. A line of totals begins with its word.
    odd = {"18 trailing delimiter", "columns in another order"}
    pairs = []
    for number, fault in enumerate(FAULTS):
        for place, form in enumerate(FORMS):
            cells = fault.name[:2] in ("19", "20", "21") and form.name in odd
            total = "totals" in fault.name and form.name == "columns in another order"
            if cells or total or (fault.only and fault.only != form.kind):
                continue
            if every or not number or not place or (number + place) % 2 == 0:
                pairs.append((fault, form))
    return pairs
