"""One delivered file as a table of text: nothing is converted, nothing is lost.

What a file is, its first bytes tell, never its name. Every record keeps its row; records that do
not fit are kept apart with the reason, and what was repaired is written down.
"""

import re
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from crmlib.client import shown
from crmlib.collection import columnar, encodings, jsonlines, packed, workbooks
from crmlib.collection.asked import Asked, fingerprint
from crmlib.collection.delimited import delimited
from crmlib.collection.headers import tidy
from crmlib.collection.headings import ROW  # noqa: F401 — the door of reading: files.ROW
from crmlib.collection.texttable import Broken, Repair, TextTable  # noqa: F401
from crmlib.errors import SourceError

JSON_LINE = re.compile(rb"\s*\{")
JSON_LIST = re.compile(rb"\s*\[\s*\{")
PAGE = re.compile(
    rb"\s*<(?:!doctype|html|head|meta|table|body|style|div|\?xml|\w+:?workbook)|mime-version:", re.I
)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
OLD = (
    b"\t\x00\x04\x00",
    b"\t\x02\x06\x00",
    b"\t\x04\x06\x00",
    b"\t\x08\x06\x00",
    b"\t\x08\x08\x00",
    b"\t\x08\x10\x00",
)
STRANGERS = (
    (b"%PDF", "a PDF. Ask for the table itself, as CSV or xlsx"),
    (b"7z\xbc\xaf", "a 7z archive. Unpack it, or pack it as zip"),
    (b"Rar!", "a RAR archive. Unpack it, or pack it as zip"),
    (b"BZh", "packed with bzip2. Unpack it, or pack it as gz"),
    (b"\xfd7zXZ", "packed with xz. Unpack it, or pack it as gz"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd. Unpack it, or pack it as gz"),
    (b"SQLite format 3\x00", "an SQLite database. Name it under `database` in client.yml, with a `query`"),
    (b"Obj\x01", "an Avro file. Save it as Parquet or CSV"),
    (b"ORC", "an ORC file. Save it as Parquet or CSV"),
    (b"\x89PNG", "a picture. Ask for the table itself"),
    (b"\xff\xd8\xff", "a picture. Ask for the table itself"),
    *((mark, "a workbook of Excel 5 or older. Save it as xlsx") for mark in OLD),
)


def text_table(
    path: Path,
    *,
    expected: set[str],
    sheet: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    header_row: int | None = None,
) -> TextTable:
    """A delivered file as text.

    Parameters
    ----------
    path : CSV or TSV, xlsx or xls, Parquet, JSON lines; any of them packed as gz or zip
    expected : headers that tell the header row from titles above it, and the sheet that is meant;
        empty: the first row is the header
    sheet : of a workbook, or the file meant in a zip; the first visible one that has the headers unless said
    delimiter : of delimited text; found from the first records unless said
    encoding : utf-8, utf-16 or gb18030; found unless said
    header_row : where the header stands (1-based), if it cannot be told

    Raises
    ------
    SourceError : no such file, not readable, no header or two, columns named twice
    """
    if not path.is_file():
        raise SourceError(f"{shown(path)} does not exist. Put the file there or mend `files` in client.yml.")
    known = frozenset(tidy(name) for name in expected)
    return _read(Asked(path, shown(path), path, known, sheet, delimiter, encoding, header_row))


def _read(asked: Asked, depth: int = 0) -> TextTable:
    with asked.file.open("rb") as file:
        start = file.read(4096)
    if start.startswith((packed.GZIP, packed.ZIP, packed.EMPTY_ZIP)) and depth > 2:
        raise SourceError(f"{asked.name} is packed again and again; that is no honest export.")
    if start.startswith(packed.GZIP):
        return _unpacked(asked, lambda: packed.unpacked_gzip(asked.file, name=asked.name), asked.name, depth)
    if start.startswith((packed.ZIP, packed.EMPTY_ZIP)):
        return _zipped(asked, depth)
    for mark, what in STRANGERS:
        if start.startswith(mark):
            raise SourceError(f"{asked.name} is {what}.")
    if start.startswith(OLE):
        return workbooks.old_workbook(asked)
    if start.startswith(b"PAR1"):
        return columnar.parquet(asked)
    return _text(asked, start)


def _text(asked: Asked, start: bytes) -> TextTable:
    if PAGE.match(start.removeprefix(b"\xef\xbb\xbf")):
        raise SourceError(
            f"{asked.name} is a web page or XML, whatever its name says. Open it in Excel and save it as xlsx, "
            "or ask for CSV."
        )
    text = encodings.text(asked.file, name=asked.name, stated=asked.encoding)
    begin = next(encodings.blocks(text), (b"", []))[0][:4096]
    if JSON_LIST.match(begin):
        raise SourceError(
            f"{asked.name} is one JSON list. Save it as JSON lines (one object on each line) or as CSV."
        )
    if JSON_LINE.match(begin) and jsonlines.is_object(begin):
        return jsonlines.json_lines(text, asked)
    return delimited(text, asked)


def _unpacked(asked: Asked, unpack: Callable[[], Path], name: str, depth: int) -> TextTable:
    """What a packed file holds; the file must be the same after unpacking as before."""
    before = fingerprint(asked.file)
    file = unpack()
    if fingerprint(asked.file) != before:
        raise encodings.changed(asked.name)
    try:
        table = _read(replace(asked, file=file, name=name), depth + 1)
    except SourceError:
        file.unlink(missing_ok=True)
        raise
    weakref.finalize(table, file.unlink, missing_ok=True)
    table.path, table.fingerprint = asked.path, before
    return table


def _zipped(asked: Asked, depth: int) -> TextTable:
    inside = packed.members(asked.file, name=asked.name)
    names = {member.filename for member in inside}
    if "xl/workbook.bin" in names:
        raise SourceError(f"{asked.name} is a binary workbook (xlsb). Open it in Excel and save it as xlsx.")
    if "mimetype" in names and "content.xml" in names:
        raise SourceError(f"{asked.name} is an OpenDocument file. Save it as xlsx.")
    if any(name.startswith(("word/", "ppt/")) for name in names):
        raise SourceError(f"{asked.name} is a document or slides, not a workbook. Ask for the table itself.")
    if "[Content_Types].xml" in names:
        return workbooks.workbook(asked)
    member = packed.chosen(asked.file, inside, asked.sheet, name=asked.name)
    named = asked.sheet in (member.filename, Path(member.filename).name)
    name = f"{asked.name} ({member.filename})"
    table = _unpacked(
        replace(asked, sheet=None if named else asked.sheet),
        lambda: packed.unpacked_member(asked.file, member, name=name), name, depth,
    )  # fmt: skip
    table.found.append(("member", member.filename))
    if named and not table.sheet:
        table.sheet = asked.sheet
    return table
