"""One delivered file as a table of text: nothing is converted, nothing is lost.

Every record keeps its row; records that do not fit the header are kept apart with the reason.
Encodings are tried strictly and in this order: a byte-order mark, UTF-8, GB18030. Nothing is ever
read as Latin-1, which never fails and so proves nothing.
"""

import codecs
import csv
import datetime as dt
import gzip
import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
from python_calamine import CalamineError, CalamineWorkbook

from crmlib.client import shown
from crmlib.collection.headers import nearest, tidy
from crmlib.errors import SourceError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
TITLE_ROWS = 20  # a header stands within the first rows, below titles
MOST_BYTES = 8 * 1024**3  # of one file, unpacked
MOST_RATIO = 200  # unpacked to packed; beyond it, a bomb
ROW = "_row"
RESERVED = {ROW, "_file"}  # what collection adds to every table


@dataclass(frozen=True)
class Broken:
    """A record that does not fit its file's header."""

    row: int
    reason: str
    raw: str


@dataclass(frozen=True)
class Repair:
    """A cell whose text was changed on reading, and by which rule."""

    row: int
    column: str
    old: str
    new: str
    rule: str


@dataclass(frozen=True)
class TextTable:
    """A file's records as text, `_row` telling where each stood."""

    path: Path
    rows: pa.Table
    broken: list[Broken]
    form: str  # encoding and delimiter, or the sheet's name
    titles: int  # rows above the header
    fingerprint: str
    sheet: str = ""  # of a workbook
    repairs: list[Repair] = field(default_factory=list)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The records, a part at a time; `broken` and `repairs` are whole once they have been read."""
        return iter(self.rows.to_batches(max_chunksize=200_000))

    @property
    def records(self) -> int:
        """Records delivered, those that do not fit included."""
        return self.rows.num_rows + len(self.broken)

    @property
    def headers(self) -> list[str]:
        """The header, tidied, without `_row`."""
        return [name for name in self.rows.column_names if name != ROW]


def text_table(
    path: Path, *, expected: set[str], sheet: str | None = None, delimiter: str | None = None
) -> TextTable:
    """A delivered file as text.

    Parameters
    ----------
    path : CSV or TSV (also gzipped), xlsx or xls
    expected : headers that tell the header row from titles above it; empty: the first row is it
    sheet : of a workbook; the first visible one unless said
    delimiter : of a CSV; found from the header unless said

    Raises
    ------
    SourceError : no such file, not readable as text, no header, columns named twice
    """
    if not path.is_file():
        raise SourceError(f"{shown(path)} does not exist. Put the file there or mend `files` in client.yml.")
    fingerprint = hashlib.sha256(path.read_bytes()).hexdigest()
    with path.open("rb") as file:
        start = file.read(8)
    expected = {tidy(name) for name in expected}
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return _workbook(path, expected, sheet, fingerprint)
    try:
        return _delimited(path, expected, delimiter, fingerprint)
    except csv.Error as problem:
        raise SourceError(
            f"{shown(path)} cannot be read as delimited text: {problem}. "
            "A quotation mark may have been opened and never closed; mend it or ask for the file again."
        ) from None


def _delimited(path: Path, expected: set[str], delimiter: str | None, fingerprint: str) -> TextTable:
    text, encoding = _text(path)
    if not text.strip():
        raise SourceError(f"{shown(path)} is empty. Ask for the file again.")
    delimiter = delimiter or _delimiter(text, expected)
    titles, header = _header_row(_records(text, delimiter), expected, path)
    _check_header(header, path)
    body = _without_first(text, titles, delimiter)
    broken: list[Broken] = []

    def aside(row: arrow_csv.InvalidRow) -> str:
        reason = "extra-cell" if row.actual_columns > row.expected_columns else "missing-cell"
        broken.append(Broken(row.number + titles, reason, row.text))
        return "skip"

    try:
        rows = arrow_csv.read_csv(
            io.BytesIO(body.encode()),
            # One thread: only then does Arrow tell the number of a record that does not fit.
            read_options=arrow_csv.ReadOptions(
                column_names=header, skip_rows_after_names=1, use_threads=False
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                invalid_row_handler=aside,
                ignore_empty_lines=False,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as problem:
        raise SourceError(f"{shown(path)} cannot be read as delimited text: {problem}.") from None
    numbers = _numbers(rows.num_rows, titles + 2, {b.row for b in broken})
    rows, blank = _without_blank(rows.append_column(ROW, pa.array(numbers, pa.int64())))
    broken = [b for b in broken if b.raw.strip()]
    form = f"{encoding.upper()}, {DELIMITERS.get(delimiter, delimiter)}"
    form += f", {blank} blank" if blank else ""
    return TextTable(path, rows, broken, form, titles, fingerprint)


def _numbers(count: int, first: int, taken: set[int]) -> list[int]:
    """Row numbers of the records that fit: those not taken by the ones that do not."""
    if not taken:
        return list(range(first, first + count))
    return [row for row in range(first, first + count + len(taken)) if row not in taken][:count]


def _without_blank(rows: pa.Table) -> tuple[pa.Table, int]:
    """The rows that hold anything, and how many held nothing."""
    full = None
    for name in rows.column_names:
        if name != ROW:
            some = pc.not_equal(pc.utf8_trim_whitespace(rows[name]), "")
            full = some if full is None else pc.or_(full, some)
    kept = rows.filter(full)
    return kept, rows.num_rows - kept.num_rows


def _text(path: Path) -> tuple[str, str]:
    """A file's text and the encoding it was in."""
    data = path.read_bytes()
    if data.startswith(b"\x1f\x8b"):
        data = _unpacked(path, len(data))
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return _decoded(data, (encoding,), path)
    # UTF-8 first: GB18030 accepts much of it and would return other characters.
    return _decoded(data, ("utf-8", "gb18030"), path)


def _decoded(data: bytes, encodings: tuple[str, ...], path: Path) -> tuple[str, str]:
    for encoding in encodings:
        try:
            return data.decode(encoding), encoding.removesuffix("-sig")
        except UnicodeDecodeError as problem:
            place = problem.start
    line = data.count(b"\n", 0, place) + 1
    raise SourceError(
        f"{shown(path)}, line {line}: not text in {' or '.join(encodings)} (byte {place}). Save it as UTF-8."
    )


def _unpacked(path: Path, packed: int) -> bytes:
    """A gzip's content, refused where it is cut short or far larger than it may be."""
    limit = min(MOST_BYTES, max(packed * MOST_RATIO, 1024**2))
    try:
        with gzip.open(path) as file:
            data = file.read(limit + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise SourceError(f"{shown(path)} is incomplete or damaged (gzip). Ask for the file again.") from None
    if len(data) > limit:
        raise SourceError(f"{shown(path)} unpacks to more than {limit:,} bytes; that is no honest export.")
    return data


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text[: 1024**2], newline=""), delimiter=delimiter)


def _delimiter(text: str, expected: set[str]) -> str:
    """The delimiter under which the first rows show most of the expected headers, then most columns."""

    def fit(delimiter: str) -> tuple[int, int]:
        rows = [row for row, _ in zip(_records(text, delimiter), range(TITLE_ROWS), strict=False)]
        known = max((len(expected & {tidy(cell) for cell in row}) for row in rows), default=0)
        return known, len(rows[0])

    return max(DELIMITERS, key=fit)


def _header_row(records: Iterator[list[str]], expected: set[str], path: Path) -> tuple[int, list[str]]:
    """How many rows stand above the header, and the header: the row with most expected names."""
    rows = [[tidy(cell) for cell in row] for row, _ in zip(records, range(TITLE_ROWS), strict=False)]
    if not expected:
        return 0, rows[0]
    known = [len(expected.intersection(row)) for row in rows]
    if not max(known):
        raise SourceError(_no_header(path, rows, expected))
    return known.index(max(known)), rows[known.index(max(known))]


def _no_header(path: Path, rows: list[list[str]], expected: set[str]) -> str:
    first = next((row for row in rows if any(row)), [])
    # A file without a header begins with a record, and a record may name a person.
    named = not any(sign.isdigit() or sign == "@" for cell in first for sign in cell)
    told = ", ".join(filter(None, first[:12])) if named else f"{len(first)} cells that look like a record"
    wanted = sorted(expected)
    near = {name: nearest(name, first) for name in wanted}
    hints = [f"{name} → {found}" for name, found in near.items() if found]
    hint = f" Perhaps: {', '.join(hints)}." if hints else ""
    return (
        f"{shown(path)} has none of the mapped columns ({', '.join(wanted)}). "
        f"Its first row: {told}.{hint} Mend `columns` in client.yml."
    )


def _check_header(header: list[str], path: Path) -> None:
    """Every column named, none twice: DuckDB takes `Price` and `price` for one."""
    taken = {name.casefold() for name in header if name}
    for place, name in enumerate(header):
        if not name or name.casefold() in RESERVED:
            number = next(n for n in count(place + 1) if f"column {n}" not in taken)
            header[place] = f"column {number}"
            taken.add(header[place])
    folded = [name.casefold() for name in header]
    twice = sorted({name for name in header if folded.count(name.casefold()) > 1})
    if twice:
        raise SourceError(f"{shown(path)} names a column twice: {', '.join(twice)}. Rename one of them.")


def _without_first(text: str, titles: int, delimiter: str) -> str:
    """The text from its header on."""
    if not titles:
        return text
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    for _ in range(titles):
        next(reader)
    lines = io.StringIO(text, newline="")
    for _ in range(reader.line_num):
        lines.readline()
    return lines.read()


def _workbook(path: Path, expected: set[str], sheet: str | None, fingerprint: str) -> TextTable:
    try:
        if zipfile.is_zipfile(path):
            _refuse_bomb(path)
        book = CalamineWorkbook.from_path(str(path))
    except (CalamineError, zipfile.BadZipFile, OSError) as problem:
        raise SourceError(
            f"{shown(path)} cannot be read as a workbook: {problem}. Save it as xlsx again."
        ) from None
    visible = [s.name for s in book.sheets_metadata if str(s.visible).endswith("Visible")]
    name = sheet or (visible[0] if visible else None)
    if name not in book.sheet_names:
        raise SourceError(f"{shown(path)} has no sheet {name!r}. It has: {', '.join(book.sheet_names)}.")
    page = book.get_sheet_by_name(name)
    grid = [[_cell(value) for value in row] for row in page.to_python(skip_empty_area=False)]
    if not grid:
        raise SourceError(f"{shown(path)}, sheet {name}: empty.")
    titles, header, depth = _sheet_header(grid, expected, path)
    _check_header(header, path)
    first = titles + depth
    numbered = [(place + 1, row) for place, row in enumerate(grid) if place >= first and any(row)]
    columns = {name: pa.array([row[i] for _, row in numbered], pa.string()) for i, name in enumerate(header)}
    columns[ROW] = pa.array([place for place, _ in numbered], pa.int64())
    return TextTable(path, pa.table(columns), [], f"sheet {name}", titles, fingerprint, name)


def _refuse_bomb(path: Path) -> None:
    with zipfile.ZipFile(path) as packed:
        size = sum(entry.file_size for entry in packed.infolist())
    if size > MOST_BYTES or size > max(path.stat().st_size * MOST_RATIO, 64 * 1024**2):
        raise SourceError(f"{shown(path)} unpacks to {size:,} bytes; that is no honest export.")


def _sheet_header(grid: list[list[str]], expected: set[str], path: Path) -> tuple[int, list[str], int]:
    """Rows above the header, the header, and how many rows it takes (two where cells are merged).

    A merged header has groups above the names; a name that spans both rows stands in the upper.
    """
    titles, header = _header_row(iter(grid), expected, path)
    below = [tidy(cell) for cell in grid[titles + 1]] if titles + 1 < len(grid) else []
    if expected & set(below) - set(header):
        return titles, [under or over for over, under in zip(header, below, strict=True)], 2
    above = [tidy(cell) for cell in grid[titles - 1]] if titles else []
    if any(not name for name in header) and expected.intersection(above):
        return titles - 1, [under or over for over, under in zip(above, header, strict=True)], 2
    return titles, header, 1


def _cell(value: object) -> str:
    """A workbook's cell as a careful reader would write it."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        # 15 digits are what Excel itself keeps: 0.1 + 0.2 was typed as 0.3.
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ", "seconds")
    return str(value)
