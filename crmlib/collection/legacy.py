"""A second reading of a legacy xls: hidden rows and columns and error cells, which the first does not tell.

The file is a compound file (a small file system); its stream `Workbook` is a list of records, each a
kind, a length and its content ([MS-CFB] and [MS-XLS] are the public descriptions).
"""

import struct
from collections.abc import Iterator

from crmlib.collection.sheets import Sheet

FREE = 0xFFFFFFFA  # sector numbers from here on are marks, not sectors
MOST_COLUMNS = 256  # of any sheet
SMALL = 4096  # streams below this lie in the small stream
ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
SHEET, ROW, COLUMNS, ERROR, FORMULA, END, LOCKED = 0x85, 0x208, 0x7D, 0x205, 0x06, 0x0A, 0x2F
MANY = {0xBD, 0xBE}  # several cells in one record
CELLS = {0x203, 0x27E, 0xFD, 0x204, 0xD6, ERROR, FORMULA, *MANY}


class UnreadableError(ValueError):
    """Not a compound file with a workbook in it, or a damaged one."""


def stream(data: bytes, *names: str) -> bytes:
    """The first of these streams that a compound file holds.

    Raises
    ------
    UnreadableError : damaged, or none of them is there
    """
    try:
        size = {9: 512, 12: 4096}[struct.unpack_from("<H", data, 30)[0]]
        sectors = _table(data, size)
        entries = {name: rest for name, *rest in _entries(_chain(data, sectors, size, _at(data, 48)))}
        found = next((entries[name] for name in names if name in entries), None)
        if found is None:
            raise UnreadableError
        start, length = found
        if length >= SMALL:
            return _chain(data, sectors, size, start)[:length]
        small = _chain(data, sectors, size, entries["Root Entry"][0])
        table = _chain(data, sectors, size, _at(data, 60))
        numbers = struct.unpack(f"<{len(table) // 4}I", table)
        return _chain(small, numbers, 64, start, before=0)[:length]
    except (struct.error, IndexError, KeyError, UnicodeDecodeError, OverflowError):
        raise UnreadableError from None


def _at(data: bytes, place: int) -> int:
    return struct.unpack_from("<I", data, place)[0]


def _table(data: bytes, size: int) -> list[int]:
    """For each sector the next one of its chain."""
    listed = list(struct.unpack_from("<109I", data, 76))
    more = _at(data, 68)
    while more < FREE and len(listed) * size < len(data) + 109 * size:
        numbers = struct.unpack_from(f"<{size // 4}I", data, (more + 1) * size)
        listed += numbers[:-1]
        more = numbers[-1]
    table: list[int] = []
    for sector in listed:
        if sector < FREE:
            table += struct.unpack_from(f"<{size // 4}I", data, (sector + 1) * size)
    return table


def _chain(data: bytes, table, size: int, sector: int, before: int = 1) -> bytes:
    parts = []
    while sector < FREE:
        parts.append(data[(sector + before) * size : (sector + before + 1) * size])
        if len(parts) > len(table):
            raise UnreadableError
        sector = table[sector]
    return b"".join(parts)


def _entries(folder: bytes) -> Iterator[tuple[str, int, int]]:
    """Name, first sector and length of each entry."""
    for place in range(0, len(folder) - 127, 128):
        length = struct.unpack_from("<H", folder, place + 64)[0]
        if 2 <= length <= 64:
            name = folder[place : place + length - 2].decode("utf-16-le")
            yield name, _at(folder, place + 116), _at(folder, place + 120)


def sheets(data: bytes) -> list[Sheet] | None:
    """What the sheets' records say beside their cells, in order; None where a password hides them.

    Raises
    ------
    UnreadableError : damaged
    """
    book = stream(data, "Workbook", "Book")
    starts = []
    for kind, content in _records(book, 0):
        if kind == LOCKED:
            return None
        if kind == SHEET:
            starts.append(_at(content, 0))
    try:
        return [_sheet(book, start) for start in starts]
    except (struct.error, IndexError):
        raise UnreadableError from None


def _records(book: bytes, place: int) -> Iterator[tuple[int, bytes]]:
    while place + 4 <= len(book):
        kind, length = struct.unpack_from("<HH", book, place)
        yield kind, book[place + 4 : place + 4 + length]
        if kind == END:
            return
        place += 4 + length
    raise UnreadableError


def _sheet(book: bytes, start: int) -> Sheet:
    found = Sheet()
    for kind, content in _records(book, start):
        if kind == ROW and struct.unpack_from("<H", content, 12)[0] & 0x20:
            found.hidden_rows.add(struct.unpack_from("<H", content)[0] + 1)
        elif kind == COLUMNS and struct.unpack_from("<H", content, 8)[0] & 1:
            first, last = struct.unpack_from("<HH", content)
            found.hidden_columns |= set(range(first + 1, last + 2))
        elif kind in CELLS:
            row, column = struct.unpack_from("<HH", content)
            if kind != 0xBE:  # cells that have a form and no content
                found.last = max(found.last, row + 1)
                found.widest = max(found.widest, column + 1)
            if code := _error(kind, content):
                found.errors.setdefault(row + 1, {})[column + 1] = code
    if found.widest > MOST_COLUMNS:
        raise UnreadableError
    return found


def _error(kind: int, content: bytes) -> str:
    if kind == ERROR and content[7]:
        return ERRORS.get(content[6], "#ERROR")
    if kind == FORMULA and content[12:14] == b"\xff\xff" and content[6] == 2:
        return ERRORS.get(content[8], "#ERROR")
    return ""
