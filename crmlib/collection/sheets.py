"""A second reading of an xlsx's own XML: what the first reader does not tell.

Formulas that were never computed, error cells, hidden rows, columns and sheets; and how far a sheet
reaches, so that two readers must agree. Entities are refused: a few lines of them swell to gigabytes.
"""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

from defusedxml import DefusedXmlException, ElementTree

from crmlib.errors import SourceError

STEP = 4 * 1024**2
MOST_ROW = 64 * 1024**2
MOST_ROWS, MOST_COLUMNS = 2**20, 2**14  # of any sheet
MOST_CELLS = 2**26  # of the rectangle that a sheet spans
ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?row\s*>)", re.S)
CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c\s*>)", re.S)
VALUE = re.compile(rb"<(?:\w+:)?v\b[^>]*>([^<]+)</")
FORMULA = re.compile(rb"<(?:\w+:)?f\b[^>]*?(?:/>|>([^<]*)</)")
DOUBT = re.compile(rb"<(?:\w+:)?f[\s/>]|\bt\s*=\s*[\"']e[\"']")
CONTENT = re.compile(rb"<(?:\w+:)?(?:v|is|f)[\s/>]")
COLUMN = re.compile(rb"<(?:\w+:)?col\b([^>]*)>")
ATTRIBUTE = re.compile(rb"([\w:]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
TRUE = (b"1", b"true")


@dataclass
class Sheet:
    """What a sheet's XML says beside its cells' values; rows and columns begin with 1."""

    last: int = 0  # the last row that holds anything
    widest: int = 0  # the last column
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    errors: dict[int, dict[int, str]] = field(default_factory=dict)
    uncomputed: dict[int, dict[int, str]] = field(default_factory=dict)  # formulas without a value


def checked(path: Path, *, name: str) -> dict[str, str]:
    """The parts of a workbook's sheets by the sheets' names, after every part was found sound.

    Raises
    ------
    SourceError : damaged, or with XML that declares entities
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:
                raise zipfile.BadZipFile
            for part in archive.namelist():
                if part.endswith((".xml", ".rels")):
                    with archive.open(part) as file:
                        next(iter(ElementTree.iterparse(file, events=("start",), forbid_dtd=True)), None)
            return _parts(archive)
    except DefusedXmlException:
        raise SourceError(
            f"{name} declares XML entities, which no spreadsheet program writes. It is not opened."
        ) from None
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        ElementTree.ParseError,
        KeyError,
        OSError,
        EOFError,
        ValueError,
    ):
        raise damaged(name) from None
    except Exception as problem:  # zlib.error has no common base with the others
        if type(problem).__module__ == "zlib" or isinstance(problem, NotImplementedError | RuntimeError):
            raise damaged(name) from None
        raise


def damaged(name: str) -> SourceError:
    """The refusal of a workbook that is not whole."""
    return SourceError(f"{name} is incomplete or damaged (workbook). Save it as xlsx again.")


def _parts(archive: zipfile.ZipFile) -> dict[str, str]:
    main = next((n for n in archive.namelist() if n.lower().endswith("xl/workbook.xml")), "xl/workbook.xml")
    folder, _, file = main.rpartition("/")
    relations = ElementTree.fromstring(archive.read(f"{folder}/_rels/{file}.rels"), forbid_dtd=True)
    targets = {relation.get("Id"): relation.get("Target") for relation in relations}
    parts = {}
    for element in ElementTree.fromstring(archive.read(main), forbid_dtd=True).iter():
        if element.tag.rpartition("}")[2] == "sheet":
            id = next((value for key, value in element.attrib.items() if key.endswith("}id")), None)
            target = targets.get(id) or ""
            parts[element.get("name", "")] = target[1:] if target.startswith("/") else f"{folder}/{target}"
    return parts


def sheet(path: Path, part: str, *, name: str) -> Sheet:
    """What one sheet's XML says; `name` is the file's and the sheet's, for messages.

    Raises
    ------
    SourceError : it spans far more cells than it holds
    """
    found = Sheet()
    try:
        with zipfile.ZipFile(path) as archive, archive.open(part) as file:
            for number, attributes, content in _rows(file, found, name):
                _noted(found, number, attributes, content)
    except (ValueError, KeyError):  # a number that is none, a part that is not there
        raise damaged(name) from None
    if found.last > MOST_ROWS or found.widest > MOST_COLUMNS:
        raise damaged(name)
    if found.last * found.widest > MOST_CELLS:
        raise SourceError(
            f"{name} spans {found.last:,} rows and {found.widest:,} columns. A cell far off holds something: "
            "clear what stands beside the table and save it again, or deliver it as CSV."
        )
    return found


def _rows(file, found: Sheet, name: str) -> Iterator[tuple[int, dict[bytes, bytes], bytes]]:
    rest, number, begun = b"", 0, False
    while block := file.read(STEP):
        data, place = rest + block, 0
        for match in ROW.finditer(data):
            if not begun:
                found.hidden_columns, begun = _hidden_columns(data[: match.start()]), True
            attributes = _attributes(match[1])
            number = int(attributes.get(b"r", number + 1))
            yield number, attributes, match[2] or b""
            place = match.end()
        rest = data[place:]
        if len(rest) > MOST_ROW:
            raise damaged(name)


def _attributes(text: bytes) -> dict[bytes, bytes]:
    return {name: one or other for name, one, other in ATTRIBUTE.findall(text)}


def _hidden_columns(head: bytes) -> set[int]:
    hidden: set[int] = set()
    for match in COLUMN.finditer(head):
        attributes = _attributes(match[1])
        if attributes.get(b"hidden") in TRUE:
            last = min(int(attributes[b"max"]), MOST_COLUMNS)
            hidden |= set(range(int(attributes[b"min"]), last + 1))
    return hidden


def _noted(found: Sheet, number: int, attributes: dict[bytes, bytes], content: bytes) -> None:
    if not CONTENT.search(content):
        return
    found.last = max(found.last, number)
    last = content.rfind(b' r="')
    if last >= 0:
        found.widest = max(found.widest, _column(content[last + 4 : last + 14]))
    if attributes.get(b"hidden") in TRUE:
        found.hidden_rows.add(number)
    if not DOUBT.search(content):
        return
    place = 0
    for match in CELL.finditer(content):
        about, inside = _attributes(match[1]), match[2] or b""
        place = _column(about[b"r"]) if b"r" in about else place + 1
        value, formula = VALUE.search(inside), FORMULA.search(inside)
        if about.get(b"t") == b"e":
            found.errors.setdefault(number, {})[place] = value[1].decode() if value else "#ERROR"
        elif formula and not value and about.get(b"t") != b"str":
            said = unescape((formula[1] or b"").decode("utf-8", "backslashreplace"))
            found.uncomputed.setdefault(number, {})[place] = f"={said}"


def _column(reference: bytes) -> int:
    """The number of a cell's column.

    >>> _column(b"A1"), _column(b"AA10")
    (1, 27)
    """
    number = 0
    for sign in reference:
        if not 65 <= sign <= 90:
            break
        number = number * 26 + sign - 64
    return number


def letters(column: int) -> str:
    """The letters of a column's number.

    >>> letters(1), letters(27)
    ('A', 'AA')
    """
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text
