"""Delimited text as a text table: delimiter and header found, records read a part at a time."""

from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterator
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from crmlib.collection import encodings, records
from crmlib.collection.asked import Asked
from crmlib.collection.encodings import Mark, Text
from crmlib.collection.headers import tidy
from crmlib.collection.headings import TITLE_ROWS, Heading, columns, heading
from crmlib.collection.records import Clean, Dialect, Doubtful, Piece
from crmlib.collection.texttable import Repair, TextTable, balanced, raw, settled
from crmlib.errors import SourceError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blank"}
HEAD = 1024**2  # bytes in which delimiter and header are looked for
SAMPLE = 200  # records


def delimited(text: Text, asked: Asked) -> TextTable:
    """A text file of records, a line or more each.

    Parameters
    ----------
    text : the file after its first reading
    asked : its expected headers; delimiter and header row, found unless said

    Raises
    ------
    SourceError : empty, no header, two headers, columns named twice
    """
    delimiter, header_row = asked.delimiter, asked.header_row
    head, _ = _head(text)
    if not head.strip(b" \t\r\n\x00"):
        raise SourceError(f"{text.name} is empty. Ask for the file again.")
    if delimiter in ('"', "\r", "\n"):
        raise SourceError(f"{text.name}: {delimiter!r} cannot part cells. Mend `delimiter` in client.yml.")
    chosen = delimiter or _delimiter(head, asked.expected, text.name)
    pieces = _first(head, Dialect(chosen), SAMPLE + (header_row or 0))
    rows = [[cell.decode("utf-8", "replace") for cell in piece.cells] for piece in pieces]
    header = heading(rows, asked.expected, header_row, name=text.name)
    first = header.titles + header.depth
    body = [row for row in rows[first:] if any(cell.strip() for cell in row)]
    header, extra, notes = _fitted(header, body)
    width = len(header.cells) + extra
    dialect = Dialect(chosen, width, _numbered(body, width), text.name)
    start = sum(piece.lines for piece in pieces[:first]), pieces[first - 1].end
    read = partial(_batches, text, dialect, start, first)
    return TextTable(
        path=asked.path,
        name=text.name,
        form=f"{text.form}, {DELIMITERS.get(chosen, chosen)}",
        titles=header.titles,
        fingerprint=text.fingerprint,
        heading=header,
        columns=columns(header, partial(_look, text, dialect, start), name=text.name),
        read=read,
        expected=asked.expected,
        found=_notes(text, chosen) + notes,
    )


def _notes(text: Text, delimiter: str) -> list[tuple[str, str]]:
    notes = []
    if text.encoding != "utf-8" or text.mark:
        notes.append(("encoding", text.form + (" with mark" if text.mark else "")))
    if text.mixed:
        notes.append(("mixed-encodings", text.form))
    if delimiter != ",":
        notes.append(("delimiter", DELIMITERS.get(delimiter, delimiter)))
    return notes


def _head(text: Text) -> tuple[bytes, list[Mark]]:
    """The first part of a file, whole lines; and which of them were in another encoding."""
    data, marks = b"", []
    parts = encodings.blocks(text)
    while len(data) < HEAD and (part := next(parts, None)):
        data, marks = data + part[0], marks + part[1]
    parts.close()
    return data[: 2 * HEAD], marks


def _first(head: bytes, dialect: Dialect, most: int) -> list[Piece]:
    """The first records, as well as they can be told; a line that is none by itself is one alone."""
    pieces: list[Piece] = []
    place = 0
    while place < len(head) and len(pieces) < most:
        found = records.record(head, place, dialect, True)
        if not isinstance(found, Piece):
            end = records.LINE.match(head, place).end()
            found = Piece(place, end, head[place:end].rstrip(b"\r\n").split(dialect.mark))
        pieces.append(found)
        place = found.end
    return pieces


def _delimiter(head: bytes, expected: frozenset[str], name: str) -> str:
    """The delimiter under which the first rows show most expected headers, then agree on their width."""

    def fit(delimiter: str) -> tuple[int, float, int]:
        rows = [piece.cells for piece in _first(head, Dialect(delimiter, name=name), 50)]
        texts = [{tidy(cell.decode("utf-8", "replace")) for cell in row} for row in rows[:TITLE_ROWS]]
        known = [len(expected & cells) for cells in texts]
        widths = Counter(len(row) for row in rows if any(cell.strip() for cell in row))
        width, often = max(widths.items(), key=lambda item: (item[0] > 1, item[1]), default=(1, 0))
        if max(known, default=0):
            width = len(rows[known.index(max(known))])
            often = widths[width]
        agreed = often / widths.total() if width > 1 else 0
        # A blank parts the words of any sentence: it is taken only where nothing else parts cells.
        if delimiter == " ":
            agreed = agreed / 2 if agreed == 1 else 0
        return max(known, default=0), round(agreed, 2), width if agreed else 0

    return max(DELIMITERS, key=fit)


def _fitted(header: Heading, body: list[list[str]]) -> tuple[Heading, int, list[tuple[str, str]]]:
    """The header at its records' width, and how many empty cells each record has beyond it.

    A delimiter at the end of every record, or of the header alone, makes a column of nothing.
    """
    widths = Counter(len(row) for row in body).most_common(1)
    names = len(header.cells)
    width, often = widths[0] if widths else (names, 0)
    if often * 2 <= len(body):
        return header, 0, []
    empty = sum(len(row) == width and not any(cell.strip() for cell in row[names:]) for row in body)
    if width > names and empty * 2 > len(body):
        return header, width - names, [("trailing-delimiter", str(width - names))]
    if width < names and not any(header.cells[width:]):
        shorter = Heading(header.titles, header.cells[:width], header.raw[:width], header.depth)
        return shorter, 0, [("trailing-delimiter-header", str(names - width))]
    return header, 0, []


def _numbered(body: list[list[str]], width: int) -> frozenset[int]:
    """Columns whose cells hold a digit wherever they hold anything, but for one in ten: of three at least."""
    whole = [row for row in body if len(row) == width]
    found = set()
    for place in range(width if len(whole) >= 3 else 0):
        filled = [row[place] for row in whole if row[place].strip()]
        numbers = sum(any(sign.isdigit() for sign in cell) for cell in filled)
        if filled and numbers * 10 >= len(filled) * 9:
            found.add(place)
    return frozenset(found)


def _body(text: Text, start: int) -> Iterator[tuple[bytes, list[Mark]]]:
    """The file's blocks from a place on."""
    done = 0
    for block, marks in encodings.blocks(text):
        yield block[max(start - done, 0) :], [mark for mark in marks if mark.at >= start]
        done += len(block)


def _look(text: Text, dialect: Dialect, start: tuple[int, int]) -> Iterator[list[pa.Array]]:
    """The records that fit, as columns, for a first look at which hold anything."""
    lines, at = start
    for part in records.parts(_body(text, at), dialect, at=at, first=lines + 1):
        cells, _, _ = _clean(part, dialect) if isinstance(part, Clean) else _fitting(part, dialect)
        yield cells


def _batches(
    text: Text, dialect: Dialect, start: tuple[int, int], row: int, table: TextTable
) -> Iterator[pa.RecordBatch]:
    """The records below the header, a part at a time; every line of the file is accounted for."""
    lines, at = start
    marks: list[Mark] = []
    blocks = ((block, marks.extend(new) or new) for block, new in _body(text, at))
    for part in records.parts(blocks, dialect, at=at, first=lines + 1):
        if isinstance(part, Clean):
            cells, places, misfits = _clean(part, dialect)
            count = len(part.ends)
        else:
            here = [mark for mark in marks if part.at <= mark.at < part.at + len(part.data)]
            cells, places, misfits = _fitting(part, dialect, here)
            _repaired(table, part, here, row)
            count = len(part.pieces)
        for place, reason, line in misfits:
            _aside(table, row + place + 1, reason, line, dialect)
        cells, places = _untrailed(table, cells, places, row, dialect)
        yield settled(table, cells, places + row + 1, mark=_writable(dialect), dirty=_dirty(part.data))
        row, lines = row + count, lines + part.lines
    balanced(table, text.lines, lines, "lines")


def _dirty(data: bytes) -> bool:
    """Whether control characters other than line ends and tabs are there."""
    signs = np.frombuffer(data, np.uint8)
    meant = np.count_nonzero(signs == 10) + sum(data.count(sign) for sign in (b"\r", b"\t") if sign in data)
    return b"\x7f" in data or np.count_nonzero(signs < 32) != meant


def _writable(dialect: Dialect) -> str:
    return dialect.delimiter if len(dialect.mark) == 1 else ","


def _aside(table: TextTable, row: int, reason: str, line: str, dialect: Dialect) -> None:
    if reason in ("extra-cell", "missing-cell"):
        # A line of nothing is a blank row of any width.
        if not line.strip(" \t\r\n" + dialect.delimiter):
            table.blank += 1
            return
        others = [mark for mark in ",;\t|" if mark != dialect.delimiter]
        if any(line.count(mark) == len(table.heading.cells) - 1 > 0 for mark in others):
            reason = "other-delimiter"
    table.aside(row, reason, line)


Found = tuple[list[pa.Array], np.ndarray, list[tuple[int, str, str]]]


def _clean(part: Clean, dialect: Dialect) -> Found:
    """A clean part's columns, the places of its records in it, and those that do not fit.

    Arrow counts for itself: it must find as many records as were cut.
    """
    misfits: list[tuple[int, str, str]] = []
    names = [str(place) for place in range(dialect.width)]

    def aside(found: arrow_csv.InvalidRow) -> str:
        reason = "extra-cell" if found.actual_columns > found.expected_columns else "missing-cell"
        misfits.append((found.number - 1, reason, found.text))
        return "skip"

    try:
        rows = arrow_csv.read_csv(
            # Arrow takes a mark at the start for the file's own; here it is a cell's.
            pa.BufferReader(BOM_UTF8 + part.data if part.data.startswith(BOM_UTF8) else part.data),
            # One thread and one block: only then does Arrow tell the number of a record that does not fit.
            read_options=arrow_csv.ReadOptions(
                column_names=names, use_threads=False, block_size=len(part.data) + 8
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=dialect.delimiter,
                newlines_in_values=True,
                invalid_row_handler=aside,
                ignore_empty_lines=False,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=False
            ),
        )
    except pa.ArrowInvalid:
        raise SourceError(f"{dialect.name} cannot be read as delimited text. Save it again as CSV.") from None
    if rows.num_rows + len(misfits) != len(part.ends):
        raise SourceError(
            f"{dialect.name}: {len(part.ends):,} records were cut and {rows.num_rows + len(misfits):,} read. "
            "Its quotation marks cannot be told; save it again as CSV."
        )
    places = np.delete(np.arange(len(part.ends)), [place for place, _, _ in misfits])
    return [_whole(column) for column in rows.columns], places, misfits


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)


def _fitting(part: Doubtful, dialect: Dialect, marks: list[Mark] = ()) -> Found:
    """The same of a part that was read record by record."""
    lost = [mark.at - part.at for mark in marks if mark.kind == "undecodable"]
    misfits, places, kept = [], [], []
    for place, piece in enumerate(part.pieces):
        width = len(piece.cells)
        reason = piece.reason
        if any(piece.start <= at < piece.end for at in lost):
            reason = "undecodable"
        elif not reason and width != dialect.width:
            reason = "extra-cell" if width > dialect.width else "missing-cell"
        if reason:
            misfits.append((place, reason, part.data[piece.start : piece.end].decode().rstrip("\r\n")))
        else:
            places.append(place)
            kept.append(piece.cells)
    cells = [
        pa.array([row[at] for row in kept], pa.binary()).cast(pa.string()) for at in range(dialect.width)
    ]
    return cells, np.array(places, np.int64), misfits


def _repaired(table: TextTable, part: Doubtful, marks: list[Mark], row: int) -> None:
    """The lines that were read in another encoding than their file's."""
    for mark in marks:
        if mark.kind == "undecodable":
            continue
        at = mark.at - part.at
        place = next(n for n, piece in enumerate(part.pieces) if piece.start <= at < piece.end)
        line = records.LINE.match(part.data, at)[0].decode().rstrip("\r\n")
        table.repairs.append(Repair(row + place + 1, "", mark.old, line, f"read-as-{mark.kind}"))


def _untrailed(
    table: TextTable, cells: list[pa.Array], places: np.ndarray, row: int, dialect: Dialect
) -> tuple[list[pa.Array], np.ndarray]:
    """Records without the empty cells that every one of them has beyond the header."""
    names = len(table.heading.cells)
    if len(cells) == names or not len(places):
        return cells[:names], places
    full = np.zeros(len(places), bool)
    for column in cells[names:]:
        full |= np.array([bool(cell.strip()) for cell in column.to_pylist()])
    for at in np.flatnonzero(full):
        line = raw([column[int(at)].as_py() for column in cells], _writable(dialect))
        table.aside(row + int(places[at]) + 1, "extra-cell", line)
    keep = pa.array(~full)
    return [column.filter(keep) for column in cells[:names]], places[~full]
