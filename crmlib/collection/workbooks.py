"""Workbooks (xlsx, legacy xls) as text tables: the sheet that is meant, its cells in canonical text."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice, repeat
from pathlib import Path

import numpy as np
import pyarrow as pa
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from crmlib.collection import encodings, legacy, sheets
from crmlib.collection.asked import Asked, fingerprint
from crmlib.collection.headers import tidy
from crmlib.collection.headings import TITLE_ROWS, columns, heading
from crmlib.collection.texttable import TextTable, balanced, raw, settled
from crmlib.errors import SourceError

PART = 20_000  # rows
Beside = Callable[[list[str], str], sheets.Sheet]  # from all sheets' names and one of them
EXACT = 10**15  # a number of more digits is no longer what was typed
HEAD = TITLE_ROWS + 2


@dataclass
class Page:
    """One sheet: its cells, and what its XML says beside them."""

    name: str
    sheet: CalamineSheet
    beside: sheets.Sheet
    place: str  # file and sheet, for messages

    def rows(self) -> Iterator[list[object]]:
        """Every row from the first, at one width; those that hold only formulas without values too."""
        start = self.sheet.start[1] if self.sheet.start else 0
        read = ([""] * start + row for row in self.sheet.iter_rows()) if self.sheet.start else iter(())
        missing = max(self.beside.last - self.height, 0)
        return chain(read, repeat([""] * self.width, missing))

    @property
    def height(self) -> int:
        """Rows that hold a value, and those above them."""
        return self.sheet.end[0] + 1 if self.sheet.end else 0

    @property
    def width(self) -> int:
        """Columns likewise."""
        return self.sheet.end[1] + 1 if self.sheet.end else 1


def workbook(asked: Asked) -> TextTable:
    """An xlsx as text.

    Raises
    ------
    SourceError : damaged, protected, no sheet with the headers or several
    """
    parts = sheets.checked(asked.file, name=asked.name)

    def beside(names: list[str], name: str) -> sheets.Sheet:
        # A sheet with one cell far off would fill the memory: it is refused before it is opened.
        return sheets.sheet(asked.file, parts[name], name=f"{asked.name}, sheet {name}")

    return _table(asked, beside)


def old_workbook(asked: Asked) -> TextTable:
    """An xls as text; an xlsx behind a password looks like one."""
    data = asked.file.read_bytes()
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise _protected(asked.name)
    if not any(stream.encode("utf-16-le") in data for stream in ("Workbook", "Book")):
        raise SourceError(f"{asked.name} is an Office file, but no workbook. Save the table as xlsx.")
    try:
        found = legacy.sheets(data)
    except legacy.UnreadableError:
        raise sheets.damaged(asked.name) from None
    if found is None:
        raise _protected(asked.name)
    return _table(asked, lambda names, name: found[names.index(name)])


def _protected(name: str) -> SourceError:
    return SourceError(
        f"{name} is protected by a password. Open it in Excel, take the password off and save it as xlsx."
    )


def _table(asked: Asked, beside: Beside) -> TextTable:
    mark = fingerprint(asked.file)
    try:
        book = CalamineWorkbook.from_path(str(asked.file))
        page, notes = _chosen(book, asked, beside)
        first = [
            [text(value) for value in row] for row in islice(page.rows(), HEAD + (asked.header_row or 0))
        ]
    except PasswordError:
        raise _protected(asked.name) from None
    except (CalamineError, OSError):
        raise sheets.damaged(asked.name) from None
    except BaseException as problem:
        # The reader's own library gives up in this way on some damaged files.
        if type(problem).__name__ == "PanicException":
            raise sheets.damaged(asked.name) from None
        raise
    if not any(any(row) for row in first):
        raise SourceError(f"{page.place} is empty. Ask for the file again.")
    header = heading(first, asked.expected, asked.header_row, name=page.place)
    start = header.titles + header.depth
    return TextTable(
        path=asked.path,
        name=page.place,
        form=f"sheet {page.name}",
        titles=header.titles,
        fingerprint=mark,
        heading=header,
        columns=columns(header, lambda: (cells for cells, _, _ in _parts(page, start)), name=page.place),
        read=partial(_batches, page, start, asked.file, mark),
        sheet=page.name,
        expected=asked.expected,
        found=notes,
    )


def _chosen(book: CalamineWorkbook, asked: Asked, beside: Beside) -> tuple[Page, list[tuple[str, str]]]:
    """The sheet that is meant: named, or the visible one that has the most expected headers."""
    data = [s for s in book.sheets_metadata if s.typ == SheetTypeEnum.WorkSheet]
    names = [s.name for s in data]
    visible = [s.name for s in data if s.visible == SheetVisibleEnum.Visible]
    notes = []
    if hidden := [name for name in names if name not in visible]:
        notes.append(("hidden-sheets", ", ".join(hidden)))
    if asked.sheet is not None:
        if asked.sheet not in names:
            raise SourceError(f"{asked.name} has no sheet {asked.sheet!r}. It has: {', '.join(names)}.")
        page = _page(book, asked, beside, asked.sheet)
    elif not visible:
        raise SourceError(f"{asked.name} shows no sheet. Name the one that is meant (`sheet` in client.yml).")
    else:
        pages = [_page(book, asked, beside, name) for name in visible]
        page = _best(pages, asked)
        if len(names) > 1:
            notes.append(("sheet-chosen", page.name))
    if shown := sorted(column for column in page.beside.hidden_columns if column <= page.width):
        notes.append(("hidden-columns", ", ".join(map(sheets.letters, shown))))
    return page, notes


def _page(book: CalamineWorkbook, asked: Asked, beside: Beside, name: str) -> Page:
    told = beside(book.sheet_names, name)
    return Page(name, book.get_sheet_by_name(name), told, f"{asked.name}, sheet {name}")


def _best(pages: list[Page], asked: Asked) -> Page:
    """The page whose first rows show the most expected headers; the first that holds anything unless any do."""
    fits = []
    for page in pages:
        head = [{tidy(text(value)) for value in row} for row in islice(page.rows(), TITLE_ROWS)]
        fits.append(max((len(asked.expected & cells) for cells in head), default=0))
    best = [page for page, fit in zip(pages, fits, strict=True) if fit == max(fits)]
    if max(fits) == 0:
        return next((page for page in pages if page.height), pages[0])
    if len(best) > 1:
        raise SourceError(
            f"{asked.name} has the mapped columns in several sheets: {', '.join(page.name for page in best)}. "
            "Say which one is meant (`sheet` in client.yml), or deliver them apart."
        )
    return best[0]


Part = tuple[list[pa.Array], np.ndarray, list[list[object]]]


def _parts(page: Page, start: int) -> Iterator[Part]:
    """Rows below the header as text columns, their numbers, and their values as they are."""
    numbered = enumerate(page.rows(), 1)
    for _ in islice(numbered, start):
        pass
    while True:
        taken = list(islice(numbered, PART))
        values = [row for _, row in taken]
        cells = [pa.array([text(row[at]) for row in values], pa.string()) for at in range(page.width)]
        yield cells, np.array([number for number, _ in taken], np.int64), values
        if len(taken) < PART:
            return


def _batches(page: Page, start: int, file: Path, mark: str, table: TextTable) -> Iterator[pa.RecordBatch]:
    read = min(start, page.height)
    for cells, rows, values in _parts(page, start):
        keep = np.ones(len(rows), bool)
        for place, (number, row) in enumerate(zip(rows.tolist(), values, strict=True)):
            if reason := _doubt(page.beside, number, row):
                keep[place] = False
                table.aside(number, reason, raw(_told(page.beside, number, row)))
        chosen = pa.array(keep)
        yield settled(table, [column.filter(chosen) for column in cells], rows[keep])
        read += len(rows)
    never = page.beside.uncomputed
    last = next((row for row in range(page.beside.last, 0, -1) if row not in never), 0)
    balanced(table, max(last, start), read - sum(row > max(last, start) for row in never), "rows")
    if fingerprint(file) != mark:
        raise encodings.changed(table.name)


def _doubt(beside: sheets.Sheet, number: int, row: list[object]) -> str:
    """Why a row is set aside; empty if it is not."""
    if number in beside.hidden_rows and any(value != "" for value in row):
        return "hidden-row"
    if number in beside.errors:
        return "error-cell"
    if number in beside.uncomputed:
        return "uncomputed-formula"
    lost = any(isinstance(value, float) and abs(value) >= EXACT for value in row)
    return "digits-lost" if lost else ""


def _told(beside: sheets.Sheet, number: int, row: list[object]) -> list[str]:
    """A row's cells with its errors and formulas in their places."""
    cells = [text(value) for value in row]
    for column, said in (beside.errors.get(number, {}) | beside.uncomputed.get(number, {})).items():
        cells += [""] * (column - len(cells))
        cells[column - 1] = said
    return cells


def text(value: object) -> str:
    """A value of a workbook or a Parquet file as a careful reader would write it.

    >>> text(0.1 + 0.2), text(13800138000.0), text(True), text(dt.datetime(2024, 3, 5))
    ('0.3', '13800138000', 'TRUE', '2024-03-05')
    """
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        # 15 digits are what Excel itself keeps: 0.1 + 0.2 was typed as 0.3.
        return str(int(value)) if value.is_integer() and abs(value) < EXACT else f"{value:.15g}"
    if isinstance(value, dt.datetime):
        if value.time() == dt.time() and value.tzinfo is None:
            return value.date().isoformat()
        return value.isoformat(" ", "auto" if value.microsecond else "seconds")
    if isinstance(value, dt.timedelta):
        minutes, seconds = divmod(int(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return "" if value is None else str(value)
