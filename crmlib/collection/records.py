"""Delimited bytes cut into records, and records that a stray quotation mark swallowed found again.

Nearly every part of a file is clean: each quotation mark opens or closes a cell where one may. That
is proved for megabytes at once, and such a part is handed on whole, with the number of its records.
Where it is not so, records are read one by one, as RFC 4180 has them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from crmlib.errors import SourceError

MOST_CELL = 128 * 1024  # bytes; a larger cell is no cell but a fault, or another file
MOST_RECORD = 64 * 1024**2
SLICE = 64 * 1024
LF, CR, QUOTE = 10, 13, 34
LINE = re.compile(rb"[^\r\n]*+(?:\r\n|\r|\n|\Z)")


@dataclass(frozen=True)
class Dialect:
    """How a file parts its cells, and what is known of its columns."""

    delimiter: str
    width: int = 0  # cells a record should have
    numbered: frozenset[int] = frozenset()  # columns whose cells hold a digit, wherever they hold anything
    name: str = ""  # of the file, for messages

    @cached_property
    def mark(self) -> bytes:
        """The delimiter in UTF-8."""
        return self.delimiter.encode()

    @cached_property
    def quoted(self) -> re.Pattern:
        """A cell in quotation marks, up to what may follow it."""
        after = re.escape(self.mark)
        return re.compile(rb'"((?:[^"]++|"")*+)"(?=' + after + rb"|[\r\n]|\Z)")

    @cached_property
    def bare(self) -> re.Pattern:
        """A cell without quotation marks around it."""
        if len(self.mark) == 1:
            return re.compile(rb"[^\r\n" + re.escape(self.mark) + rb"]*+")
        return re.compile(rb"(?:(?!" + re.escape(self.mark) + rb")[^\r\n])*+")


CLOSED = re.compile(rb'"(?:[^"]++|"")*+"')


@dataclass(frozen=True)
class Piece:
    """One record, or one line that is none: where it stands in the bytes and what it holds."""

    start: int
    end: int
    cells: list[bytes] = field(default_factory=list)
    reason: str = ""  # why it is no record
    lines: int = 1  # physical lines
    loose: bool = False  # a quotation mark within a cell that has none around it


@dataclass(frozen=True)
class Clean:
    """A part of a file in which every quotation mark stands where one may."""

    data: bytes
    ends: np.ndarray  # where each record ends
    lines: int


@dataclass(frozen=True)
class Doubtful:
    """A part of a file read record by record."""

    data: bytes
    pieces: list[Piece]
    at: int = 0  # of its first byte in the file

    @property
    def lines(self) -> int:
        """Physical lines."""
        return sum(piece.lines for piece in self.pieces)


class Unclosed(Exception):
    """A quotation mark that is never closed, and the line that opened it."""


def parts(
    blocks: Iterator[tuple[bytes, list]], dialect: Dialect, *, at: int, first: int
) -> Iterator[Clean | Doubtful]:
    """A body, block by block, in parts that end with a record.

    Parameters
    ----------
    blocks : the file as UTF-8 from the body's first byte on, with the places of lines in another encoding
    at : how many bytes stood before the body
    first : the number of the body's first line

    Raises
    ------
    SourceError : a quotation mark is opened and never closed
    """
    data, whole, marked = b"", False, []
    careful, line = SLICE, first
    while not whole:
        block, marks = next(blocks, (None, []))
        whole, data = block is None, data + (block or b"")
        marked = [place for place in marked if place >= at] + [mark.at for mark in marks]
        done = 0
        while done < len(data):
            rest = data[done:] if done else data
            try:
                part = _part(rest, dialect, whole, [place - at - done for place in marked], careful)
            except Unclosed as opened:
                raise _unclosed(dialect, line + _lines(rest, 0, opened.args[0] + 1) - 1) from None
            if part is None:
                break
            if isinstance(part, Doubtful):
                careful *= 2  # a file full of stray marks is read record by record in few turns
                part = Doubtful(rest[: part.pieces[-1].end], part.pieces, at + done)
            yield part
            line += part.lines
            done += len(part.data)
        data, at = data[done:], at + done
        if len(data) > MOST_RECORD:
            raise _unclosed(dialect, line)


def _unclosed(dialect: Dialect, line: int) -> SourceError:
    return SourceError(
        f"{dialect.name}, line {line}: a quotation mark is opened and never closed; all that follows would be "
        'one cell. Close it or double it (""), or ask for the file again.'
    )


def _part(
    data: bytes, dialect: Dialect, whole: bool, marked: list[int], careful: int
) -> Clean | Doubtful | None:
    """The next part of what has been read; None where more must be read first."""
    doubtful = len(dialect.mark) > 1 or any(0 <= place < len(data) for place in marked)
    if not doubtful:
        ends, lines = clean(data, dialect, whole)
        if len(ends):
            return Clean(data[: ends[-1]], ends, lines)
    else:
        careful = len(data)
    pieces = careful_pieces(data, dialect, whole, careful)
    return Doubtful(data, pieces) if pieces else None


def clean(data: bytes, dialect: Dialect, whole: bool) -> tuple[np.ndarray, int]:
    """Where the records end, up to the first that is not beyond doubt; and the lines up to there.

    Counting quotation marks is right only if each opens a cell (after a delimiter or a line end) or
    closes one (before them), or is doubled inside one: that is checked of every mark.
    """
    signs = np.frombuffer(data, np.uint8)
    ends = _line_ends(data, signs, whole)
    if QUOTE not in data:
        records, limit = ends, len(data)
    else:
        marks = np.flatnonzero(signs == QUOTE)
        limit = _flaw(signs, marks, dialect, whole)
        inside = np.searchsorted(marks, ends - 1) % 2 == 1
        records = ends[~inside & (ends <= limit)]
    if whole and limit == len(data) and (not len(records) or records[-1] < len(data)):
        records = np.append(records, len(data))
    records = records[: _oversized(records)]
    records = records[: _swallowing(data, ends, records, dialect)]
    last = records[-1] if len(records) else 0
    lines = int(np.searchsorted(ends, last, side="right"))
    return records, lines + int(last == len(data) and last > 0 and data[-1] not in (LF, CR))


def _line_ends(data: bytes, signs: np.ndarray, whole: bool) -> np.ndarray:
    ends = np.flatnonzero(signs == LF) + 1
    if CR not in data:
        return ends
    returns = np.flatnonzero(signs == CR)
    after = np.append(signs[1:], 0 if whole else LF)[returns]  # the last one's other half may yet come
    return np.sort(np.concatenate([ends, returns[after != LF] + 1]))


def _flaw(signs: np.ndarray, marks: np.ndarray, dialect: Dialect, whole: bool) -> int:
    """The first quotation mark that neither opens nor closes a cell where it may; the length if none."""
    around = np.zeros(256, bool)
    around[[LF, CR, dialect.mark[0]]] = True
    opening, closing = marks[0::2], marks[1::2]
    before = around[signs[opening - 1]] | (opening == 0)
    doubled = closing[: len(opening) - 1] == opening[1:] - 1
    before[1:] |= doubled
    after = closing + 1
    behind = around[signs[np.minimum(after, len(signs) - 1)]] | (after == len(signs))
    behind[: len(doubled)] |= doubled
    flaws = np.concatenate([opening[~before], closing[~behind]])
    if whole and len(opening) > len(closing):
        flaws = np.append(flaws, opening[-1])
    return int(flaws.min()) if len(flaws) else len(signs)


def _oversized(records: np.ndarray) -> int:
    """How many records stand before the first that may hold too large a cell."""
    large = np.flatnonzero(np.diff(records, prepend=0) > MOST_CELL)
    return int(large[0]) if len(large) else len(records)


def _swallowing(data: bytes, ends: np.ndarray, records: np.ndarray, dialect: Dialect) -> int:
    """How many records stand before the first that looks like several in one pair of marks."""
    if not len(records) or np.searchsorted(ends, records[-1], side="right") <= len(records):
        return len(records)
    inner = np.setdiff1d(ends[ends < records[-1]], records, assume_unique=True)
    for place in np.unique(np.searchsorted(records, inner)):
        start = int(records[place - 1]) if place else 0
        if swallowed(data[start : int(records[place])], dialect):
            return int(place)
    return len(records)


def swallowed(record: bytes, dialect: Dialect) -> bool:
    """Whether a record of several lines is rather several records, between two stray marks.

    Every line alone has all its cells, and those of numbered columns hold digits.
    """
    lines = LINE.findall(record.rstrip(b"\r\n"))[:-1]
    if not dialect.numbered or dialect.width < 2 or len(lines) * dialect.width < 6 or len(lines) < 2:
        return False
    for line in lines:
        cells = line.rstrip(b"\r\n").replace(b'"', b"").split(dialect.mark)
        numbers = [cells[place] for place in dialect.numbered if place < len(cells) and cells[place].strip()]
        if len(cells) != dialect.width or not numbers or not all(re.search(rb"\d", n) for n in numbers):
            return False
    return True


def record(data: bytes, start: int, dialect: Dialect, whole: bool) -> Piece | int | None:
    """The record that begins here; the place of the mark that spoils it; None if more must be read.

    A mark that is never closed spoils its record where it was opened: the place is `start` - 1.
    """
    cells, place, loose = [], start, False
    while True:
        if data[place : place + 1] == b'"':
            cell = dialect.quoted.match(data, place)
            if cell is None:
                closed = CLOSED.match(data, place)
                return closed.end() if closed else start - 1 if whole else None
            cells.append(cell[1].replace(b'""', b'"'))
        else:
            cell = dialect.bare.match(data, place)
            cells.append(cell[0])
            loose = loose or b'"' in cell[0]
        place = cell.end()
        if data.startswith(dialect.mark, place):
            place += len(dialect.mark)
            continue
        end = _end(data, place, whole)
        return Piece(start, end, cells, "", _lines(data, start, end), loose) if end else None


def _end(data: bytes, place: int, whole: bool) -> int | None:
    """Where a record's line end is over; None if it may not all be there yet."""
    if data.startswith(b"\r\n", place):
        return place + 2
    if not whole and place >= len(data) - 1 and data[place : place + 1] != b"\n":
        return None
    return min(place + 1, len(data))


def _lines(data: bytes, start: int, end: int) -> int:
    if data.find(b"\n", start, end - 1) < 0 and data.find(b"\r", start, end - 1) < 0:
        return 1
    return max(len(LINE.findall(data[start:end].removesuffix(b"\n").removesuffix(b"\r"))) - 1, 1)


def careful_pieces(data: bytes, dialect: Dialect, whole: bool, limit: int) -> list[Piece]:
    """Records one by one, up to about `limit` bytes; none where more must be read first."""
    pieces: list[Piece] = []
    place = 0
    while place < min(len(data), limit):
        found = record(data, place, dialect, whole)
        if isinstance(found, Piece) and found.lines > 1 and swallowed(data[place : found.end], dialect):
            more = _apart(data, found, dialect)
        elif isinstance(found, Piece):
            more = [_sized(found)]
        elif found is None:
            break
        else:
            more = _found_again(data, place, found, dialect, whole)
            if more is None:
                break
        pieces += more
        place = more[-1].end
    return pieces


def _sized(found: Piece) -> Piece:
    large = any(len(cell) > MOST_CELL for cell in found.cells)
    return Piece(found.start, found.end, [], "oversized-cell", found.lines) if large else found


def _line(data: bytes, start: int, reason: str = "stray-quote") -> Piece:
    return Piece(start, LINE.match(data, start).end(), [], reason)


def _apart(data: bytes, several: Piece, dialect: Dialect) -> list[Piece]:
    """Lines that were swallowed between two stray marks: those with a mark set aside, the others read."""
    pieces, place = [], several.start
    while place < several.end:
        line = _line(data, place)
        text = data[place : line.end]
        cells = text.rstrip(b"\r\n").split(dialect.mark)
        pieces.append(line if b'"' in text else Piece(place, line.end, cells))
        place = line.end
    return pieces


def _found_again(data: bytes, start: int, flaw: int, dialect: Dialect, whole: bool) -> list[Piece] | None:
    """The line with a stray mark, and the records that it swallowed; None if more must be read first.

    They are taken for records only if each has all its cells and no mark of its own out of place;
    otherwise every line up to the flaw is set aside.
    """
    if flaw < start:
        raise Unclosed(start)
    pieces = [_line(data, start)]
    place, safe = pieces[0].end, True
    while place < len(data):
        found = record(data, place, dialect, whole)
        if found is None:
            return None
        swallowed_here = place <= flaw
        if isinstance(found, Piece):
            if not swallowed_here and not found.loose:
                break
            blank = not any(cell.strip() for cell in found.cells)
            safe = safe and (blank or len(found.cells) == dialect.width) and not found.loose
            pieces.append(_sized(found))
        elif found < place and not swallowed_here:
            break
        elif found < place:
            raise Unclosed(place)
        elif not swallowed_here:
            break
        else:
            pieces.append(_line(data, place))
            flaw = max(flaw, found)
        place = pieces[-1].end
    if place == len(data) and not whole:
        return None
    return pieces if safe else _each_line(data, start, place)


def _each_line(data: bytes, start: int, end: int) -> list[Piece]:
    pieces = []
    while start < end:
        pieces.append(_line(data, start))
        start = pieces[-1].end
    return pieces
