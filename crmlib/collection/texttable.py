"""A file's records as text, read a part at a time, with what was repaired and what was set aside.

Whatever the format, the last checks are the same: control characters are taken out, blank rows
counted, and rows that are no records (a header again, a total) set aside.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crmlib.collection.headers import tidy
from crmlib.collection.headings import ROW, Columns, Heading, is_header, second_header
from crmlib.errors import SourceError

MOST_CELL = 128 * 1024
MOST_RAW = 32_000  # characters of a row that is set aside: what a workbook's cell can hold
CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
TOTALS = ("合计", "总计", "小计", "总和", "grand total", "subtotal", "sub-total", "sub total", "total")
SAID = [
    form + colon
    for word in TOTALS
    for form in {word, word.capitalize(), word.title(), word.upper(), " ".join(word) if word > "一" else word}
    for colon in ("", ":", "：")
]
NUMBER = re.compile(r"[-+(¥$€£]*[\d.,\s]*\d[\d.,\s]*[)%元]*")


@dataclass(frozen=True)
class Broken:
    """A record that is none of this table's, kept as it came."""

    row: int
    reason: str
    raw: str


@dataclass(frozen=True)
class Repair:
    """A cell (or, without a column, a whole line) whose text was changed on reading, and by which rule."""

    row: int
    column: str
    old: str
    new: str
    rule: str


@dataclass
class TextTable:
    """A file's records as text, `_row` telling where each stood.

    Headers, form and titles are known at once. `broken`, `repairs` and `records` are whole once
    `batches()` has been read to its end.
    """

    path: Path
    form: str  # encoding and delimiter, or the sheet's name
    titles: int  # rows above the header
    fingerprint: str
    heading: Heading
    columns: Columns
    read: Callable[["TextTable"], Iterator[pa.RecordBatch]]
    name: str = ""  # as messages call it
    sheet: str = ""  # of a workbook, or the member of an archive that was asked for
    expected: frozenset[str] = frozenset()
    found: list[tuple[str, str]] = field(default_factory=list)  # notes that were known at once
    broken: list[Broken] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)
    blank: int = 0
    _kept: int = -1

    @property
    def headers(self) -> list[str]:
        """The header, tidied, without `_row`."""
        return self.columns.names

    @cached_property
    def schema(self) -> pa.Schema:
        """Of every batch: a text column for each header, and `_row`."""
        return pa.schema([(name, pa.string()) for name in self.headers] + [(ROW, pa.int64())])

    @property
    def notes(self) -> list[tuple[str, str]]:
        """What was found about the file as a whole: (code, value)."""
        late = [("blank-rows", str(self.blank))] if self.blank else []
        return [*self.found, *self.columns.notes, *late]

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The records, a part at a time.

        Raises
        ------
        SourceError : the file changed meanwhile, or its records do not add up
        """
        self.broken.clear()
        self.repairs.clear()
        self.blank, kept = 0, 0
        for batch in self.read(self):
            kept += batch.num_rows
            yield batch
        self.broken.sort(key=lambda broken: broken.row)
        self.repairs.sort(key=lambda repair: repair.row)
        self._kept = kept

    @cached_property
    def rows(self) -> pa.Table:
        """Every record, in memory: for files that are small."""
        return pa.Table.from_batches(list(self.batches()), self.schema)

    @property
    def records(self) -> int:
        """Records delivered, those set aside included."""
        if self._kept < 0:
            for _ in self.batches():
                pass
        return self._kept + len(self.broken)

    def aside(self, row: int, reason: str, raw: str) -> None:
        """Set a record aside."""
        cut = f"{raw[:MOST_RAW]}… ({len(raw):,} characters)" if len(raw) > MOST_RAW else raw
        self.broken.append(Broken(row, reason, cut))


def settled(
    table: TextTable, cells: list[pa.Array], rows: np.ndarray, *, mark: str = ",", dirty: bool = True
) -> pa.RecordBatch:
    """Records after their last checks, as a batch of the table's kept columns and `_row`.

    Parameters
    ----------
    table : where repairs and rows set aside are written down
    cells : a text column for each column delivered
    rows : where each record stood
    mark : the delimiter under which a row that is set aside is kept
    dirty : whether control characters may be among them
    """
    if dirty:
        cells = [_without_control(table, cells, place, rows) for place in range(len(cells))]
    keep = _filled(cells, len(rows))
    table.blank += int(len(rows) - keep.sum())
    for place, reason in _no_records(table, cells, rows):
        if keep[place]:
            keep[place] = False
            table.aside(int(rows[place]), reason, raw([column[place].as_py() for column in cells], mark))
    kept = [cells[place] for place in table.columns.places]
    if not keep.all():
        chosen = pa.array(keep)
        kept, rows = [column.filter(chosen) for column in kept], rows[keep]
    return pa.record_batch([*kept, pa.array(rows, pa.int64())], schema=table.schema)


def raw(cells: list[str], mark: str = ",") -> str:
    """A row as one line of text."""
    sink = io.StringIO()
    csv.writer(sink, delimiter=mark, lineterminator="").writerow(cells)
    return sink.getvalue()


def _without_control(table: TextTable, cells: list[pa.Array], place: int, rows: np.ndarray) -> pa.Array:
    """A column without control characters, each change written down with the old text escaped."""
    column = cells[place]
    hit = pc.match_substring_regex(column, CONTROL)
    if not pc.any(hit).as_py():
        return column
    clean = pc.replace_substring_regex(column, CONTROL, "")
    if place in table.columns.places:
        header = table.headers[table.columns.places.index(place)]
        for at in np.flatnonzero(hit.to_numpy(zero_copy_only=False)):
            old = re.sub(CONTROL, lambda sign: f"\\x{ord(sign[0]):02x}", column[at].as_py())
            table.repairs.append(Repair(int(rows[at]), header, old, clean[at].as_py(), "control-characters"))
    return clean


def _filled(cells: list[pa.Array], count: int) -> np.ndarray:
    """Which rows hold anything but blanks."""
    full = np.zeros(count, bool)
    for column in cells:
        # The first column that is full throughout settles it, and mostly that is the first.
        some = pc.greater(pc.binary_length(pc.utf8_ltrim_whitespace(column)), 0)
        full |= some.to_numpy(zero_copy_only=False)
        if full.all():
            break
    return full


def _no_records(table: TextTable, cells: list[pa.Array], rows: np.ndarray) -> Iterator[tuple[int, str]]:
    """Rows that repeat the header, or sum up those above.

    Raises
    ------
    SourceError : a header that differs, so that another table follows
    """
    header = table.heading.cells
    names = table.expected | {cell for cell in table.heading.raw if cell} | set(filter(None, header))
    said = pa.array(sorted(names | set(SAID)), pa.string())
    for place in _wordy(cells, said):
        row = [tidy(column[place].as_py()) for column in cells]
        if row[: len(header)] == header and any(row):
            yield place, "repeated-header"
        elif is_header(row, names):
            raise second_header(table.name, table.titles + 1, int(rows[place]))
        elif _sums_up(row):
            yield place, "not-a-record"


def _wordy(cells: list[pa.Array], said: pa.Array) -> list[int]:
    """Rows that say one of these words in their first two cells, or in the first that holds anything."""
    places: set[int] = set()
    open_ = None  # rows whose cells have all been empty so far
    for at, column in enumerate(cells):
        if open_ is not None and not len(open_) and at > 1:
            break
        taken = column if at < 2 else column.take(pa.array(open_))
        hits = np.flatnonzero(pc.is_in(taken, said).to_numpy(zero_copy_only=False))
        places |= set((hits if at < 2 else open_[hits]).tolist())
        empty = pc.equal(pc.binary_length(column if at == 0 else column.take(pa.array(open_))), 0)
        still = np.flatnonzero(empty.to_numpy(zero_copy_only=False))
        open_ = still if at == 0 else open_[still]
    return sorted(places)


def _sums_up(row: list[str]) -> bool:
    """Whether a row says that it is a total: a word for it, figures, and nothing else.

    A firm may be called Total: its row is a total's only if cells stay empty. The Chinese words name
    no one.
    """
    filled = [cell for cell in row if cell]
    word = filled[0].casefold().rstrip(":") if filled else ""
    if not {word, word.replace(" ", "")} & set(TOTALS) or not all(
        NUMBER.fullmatch(cell) for cell in filled[1:]
    ):
        return False
    return word != "total" or len(filled) < len(row)


def oversized(cells: list[str]) -> bool:
    """Whether a cell of a row is too large to be one."""
    return any(len(cell) > MOST_CELL for cell in cells)


def balanced(table: TextTable, counted: int, read: int, what: str) -> None:
    """Two counts of one file agree, or it is refused: nothing is lost in silence."""
    if counted != read:
        raise SourceError(
            f"{table.name}: {counted:,} {what} were counted and {read:,} read. It may be damaged, or quoted in "
            "a way that cannot be told; save it again as CSV in UTF-8 or as xlsx."
        )
