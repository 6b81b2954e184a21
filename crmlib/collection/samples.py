"""A first look at exports nobody has described yet: their sheets, header rows and a sample of their records."""

import codecs
import csv
import gzip
import io
import itertools
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from python_calamine import CalamineError, CalamineWorkbook

from crmlib.client import shown
from crmlib.collection import encodings
from crmlib.collection.delimited import DELIMITERS
from crmlib.collection.files import ROW, text_table
from crmlib.collection.headers import known_as, tidy
from crmlib.collection.headings import TITLE_ROWS
from crmlib.collection.vocabulary import ALIASES
from crmlib.errors import Refused, SourceError
from crmlib.mapping import Tables

SUFFIXES = {
    *(".csv", ".tsv", ".txt", ".xlsx", ".xls", ".xlsm", ".xlsb", ".parquet", ".jsonl", ".ndjson"),
    *(".gz", ".zip"),
}
MOST_FILES = 500
LARGE = 64 * 1024**2  # beyond it a file is sampled, not read
HEAD = 16 * 1024**2
PIECES, PIECE = 8, 512 * 1024
MOST_ROWS = 50_000
KNOWN = frozenset(
    known_as(name) for table in ALIASES.values() for column in table for name in (column, *table[column])
)
VALUE = re.compile(r"[-+¥￥$€£]?\d[\d,.\s:/\-T年月日%]*[次元万亿]?|[^@\s]+@[^@\s]+\.\w+")


@dataclass(frozen=True)
class Export:
    """A file, or a sheet of a workbook: its header and a sample of its records, as text."""

    name: str  # as SQL may call it
    paths: tuple[Path, ...]  # several where they share a header
    rows: pa.Table
    whole: bool  # the sample is everything
    sheet: str | None = None  # of a workbook with several, or with a hidden one before it
    titles: int = 0  # rows above the header
    records: int | None = None  # None where only a part was read
    parts: tuple["Export", ...] = ()  # sheets of one header, which are one table together

    @property
    def headers(self) -> list[str]:
        """The header, tidied."""
        return self.rows.column_names

    @property
    def place(self) -> str:
        """The file, and its sheet, as a reader knows it."""
        return f"{shown(self.paths[0])}{f', sheet {self.sheet}' if self.sheet else ''}"


def different(rows: pa.Table) -> int:
    """How many different rows there are; by the places of columns, since Arrow takes the name `.a` for a path.

    >>> different(pa.table({".a": ["x", "x", "y"], "": ["1", "1", "1"]}))
    2
    """
    places = [str(place) for place in range(rows.num_columns)]
    return rows.rename_columns(places).group_by(places).aggregate([]).num_rows


def exports(files: Iterable[Path], progress: Callable[[Path], None] = lambda path: None) -> list[Export]:
    """Every export among files and folders, files of one header together, each with a name of its own.

    Raises
    ------
    Refused : no data file among them, a file that cannot be read or has no header
    """
    found = []
    for path in _listed(files):
        progress(path)
        found += _looked_at(path)
    if not found:
        raise Refused(f"No data file among: {', '.join(str(file) for file in files)}.")
    return _named(_together(found))


def _listed(files: Iterable[Path]) -> list[Path]:
    """The files, those inside folders included; what is hidden, locked or no table is left out there."""
    found: list[Path] = []
    for path in files:
        if path.is_dir():
            inside = (p for p in sorted(path.rglob("*")) if p.is_file() and p.suffix.lower() in SUFFIXES)
            found += [p for p in inside if not p.name.startswith((".", "~$"))]
        elif path.is_file():
            found.append(path)
        else:
            raise Refused(f"{path} does not exist.")
    found = list(dict.fromkeys(path.resolve() for path in found))
    if len(found) > MOST_FILES:
        raise Refused(f"{len(found)} files are more than {MOST_FILES}; name those that matter.")
    return found


def _looked_at(path: Path) -> list[Export]:
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        raise SourceError(f"{shown(path)} is empty. Ask for the file again.")
    if start.startswith(b"PAR1"):
        return [_parquet(path)]
    if start.startswith(b"\xd0\xcf\x11\xe0") or (start.startswith(b"PK\x03\x04") and _is_workbook(path)):
        return _workbook(path)
    if start.startswith(b"PK\x03\x04") or _is_json(path):
        table = text_table(path, expected=set())
        return [_export(path, table.rows.drop_columns([ROW]), table.records)]
    return [_delimited(path)]


def _export(path: Path, rows: pa.Table, records: int | None, **about: object) -> Export:
    return Export(path.stem, (path,), rows, records is not None, records=records, **about)


def _is_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as packed:
            return any(name.startswith(("xl/", "content.xml")) for name in packed.namelist())
    except zipfile.BadZipFile:
        raise SourceError(f"{shown(path)} is incomplete or damaged. Ask for the file again.") from None


def _is_json(path: Path) -> bool:
    try:
        first = _start(path, 1024**2)[0].lstrip()
    except SourceError:
        return False
    return first.startswith("{") and _parsed(first.splitlines()[0])


def _parsed(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _parquet(path: Path) -> Export:
    """A Parquet file; of a large one some row groups, spread."""
    try:
        file = pq.ParquetFile(path)
        groups = range(file.num_row_groups)
        large = file.metadata.num_rows > 20 * MOST_ROWS
        chosen = list(groups)[:: max(1, len(groups) // PIECES)] if large else list(groups)
        rows = file.read_row_groups(chosen) if not large else _some(file, chosen)
    except (pa.ArrowException, OSError) as problem:
        raise SourceError(f"{shown(path)} cannot be read as Parquet: {problem}.") from None
    columns = {}
    for name in rows.column_names:
        try:
            columns[tidy(name)] = pc.fill_null(pc.cast(rows[name], pa.string()), "")
        except pa.ArrowNotImplementedError:
            columns[tidy(name)] = pa.array([""] * rows.num_rows)  # a nested column is no cell
    return _export(path, pa.table(columns), None if large else rows.num_rows)


def _some(file: pq.ParquetFile, groups: list[int]) -> pa.Table:
    parts = [next(file.iter_batches(MOST_ROWS // len(groups), row_groups=[group])) for group in groups]
    return pa.Table.from_batches(parts)


def _workbook(path: Path) -> list[Export]:
    """The sheets of a workbook that hold a table; those that hold none are passed over."""
    try:
        book = CalamineWorkbook.from_path(str(path))
    except (CalamineError, OSError) as problem:
        raise SourceError(
            f"{shown(path)} cannot be read as a workbook: {problem}. Save it as xlsx again."
        ) from None
    visible = [sheet.name for sheet in book.sheets_metadata if str(sheet.visible).endswith("Visible")]
    found = []
    for name in visible:
        grid = book.get_sheet_by_name(name).to_python(skip_empty_area=False, nrows=TITLE_ROWS * 3)
        grid = [[tidy(cell) for cell in row] for row in grid]
        header = _header(grid)
        if header is None:
            continue
        wanted = {name for name in grid[header] if name}
        if header and "" in grid[header]:
            # Merged cells: a name that spans two header rows stands in the upper one.
            wanted |= {cell for cell in grid[header - 1] if known_as(cell) in KNOWN}
        table = text_table(path, expected=wanted, sheet=name)
        rows = table.rows.drop_columns([ROW])
        sheet = name if len(visible) > 1 or book.sheet_names[0] != name else None
        found.append(_export(path, rows, table.records, sheet=sheet, titles=table.titles))
    if not found:
        raise SourceError(
            f"{shown(path)}: no sheet has a row that names columns. Sheets: {', '.join(visible)}."
        )
    return found


def _delimited(path: Path) -> Export:
    text, encoding, whole = _start(path, HEAD)
    if not text.strip("\ufeff \r\n\t"):
        raise SourceError(f"{shown(path)} is empty. Ask for the file again.")
    delimiter, grid = max((_grid(text, sign) for sign in DELIMITERS), key=_fit)
    header = _header(grid)
    if header is None:
        raise SourceError(
            f"{shown(path)} has no row that names its columns: its first row has {len(grid[0])} cells that look "
            "like a record. Put a header above it."
        )
    if whole or path.stat().st_size <= LARGE // (8 if path.suffix == ".gz" else 1):
        wanted = {name for name in grid[header] if name}
        table = text_table(path, expected=wanted, delimiter=delimiter)
        return _export(path, table.rows.drop_columns([ROW]), table.records, titles=table.titles)
    return _export(path, _sampled(path, text, encoding, delimiter, header), None, titles=header)


def _start(path: Path, size: int) -> tuple[str, str, bool]:
    """A text file's first part, its encoding, and whether it is the whole."""
    packed = path.open("rb").read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            data = file.read(size + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise SourceError(f"{shown(path)} is incomplete or damaged (gzip). Ask for the file again.") from None
    whole = len(data) <= size
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if utf16 else ("utf-8-sig", "gb18030"):
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(data, whole)
        except UnicodeDecodeError:
            continue
        # Of a line that is cut off the last cell would be taken for a whole one.
        return text if whole else text[: text.rfind("\n") + 1] or text, encoding, whole
    raise SourceError(f"{shown(path)} is not text in UTF-8, UTF-16 or GB18030. Save it as UTF-8.")


def _records(text: str, delimiter: str, most: int) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            rows.append(row)
            if len(rows) >= most:
                break
    except csv.Error:
        pass  # what can be read is enough for a look; reading the file tells what is wrong with it
    return rows


def _grid(text: str, delimiter: str) -> tuple[str, list[list[str]]]:
    rows = _records(text[: 1024**2], delimiter, TITLE_ROWS * 3)
    return delimiter, [[tidy(cell) for cell in row] for row in rows] or [[]]


def _fit(candidate: tuple[str, list[list[str]]]) -> tuple:
    """How well a delimiter fits: known names in a row, then rows of the same width, then their width."""
    grid = candidate[1]
    widths = [len(row) for row in grid if any(row)]
    usual = max(set(widths), key=widths.count, default=1)
    known = max((_known(row) for row in grid[:TITLE_ROWS]), default=0)
    return known, usual > 1, widths.count(usual) / max(len(widths), 1), usual


def _known(row: list[str]) -> int:
    return sum(known_as(cell) in KNOWN for cell in row if cell)


def _header(grid: list[list[str]]) -> int | None:
    """The row that names the columns: most known names among the first rows, else the first full row of words."""
    top = grid[:TITLE_ROWS]
    known = [_known(row) for row in top]
    if known and max(known) >= 2:
        return known.index(max(known))
    widths = [sum(map(bool, row)) for row in grid if any(row)]
    usual = max(set(widths), key=widths.count, default=0)
    for place, row in enumerate(top):
        cells = [cell for cell in row if cell]
        if len(cells) >= max(2, usual - 1) and _names(cells) and not _repeated(row, grid[place + 1 :]):
            return place
    return None


def _names(cells: list[str]) -> bool:
    """Whether cells can be names of columns: different words, few of them values (years may be names)."""
    values = sum(VALUE.fullmatch(cell) is not None for cell in cells)
    years = sum(re.fullmatch(r"(19|20)\d\d", cell) is not None for cell in cells)
    return len({cell.casefold() for cell in cells}) == len(cells) and values == years < len(cells)


def _repeated(row: list[str], below: list[list[str]]) -> bool:
    """Whether a cell stands again in its own column: then it is a value, and the row a record."""
    return any(cell and any(len(r) > i and r[i] == cell for r in below) for i, cell in enumerate(row))


def _sampled(path: Path, text: str, encoding: str, delimiter: str, header: int) -> pa.Table:
    """Records of a large file: its first ones, and some from places spread over the rest."""
    rows = _records(text, delimiter, header + 1 + MOST_ROWS)
    names = [tidy(cell) or f"column {n}" for n, cell in enumerate(rows[header], 1)]
    kept = [row for row in rows[header + 1 :] if len(row) == len(names)]
    for piece in _pieces(path, encoding):
        kept += [row for row in _records(piece, delimiter, MOST_ROWS) if len(row) == len(names)]
    return pa.table({name: pa.array([row[i] for row in kept]) for i, name in enumerate(names)})


def _pieces(path: Path, encoding: str) -> list[str]:
    """Whole lines from places spread over a plain text file; a line in no known encoding is passed over."""
    found = []
    with path.open("rb") as file:
        if file.read(2) in (b"\x1f\x8b", codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return []
        size = path.stat().st_size
        for part in range(1, PIECES + 1):
            file.seek(min(size * part // PIECES, size - PIECE))
            lines = file.read(PIECE).split(b"\n")[1:-1]
            kinds = [encodings.reading(line, encoding) for line in lines]
            told = zip(lines, kinds, strict=True)
            found.append("\n".join(line.decode(kind) for line, kind in told if kind != "undecodable"))
    return found


def _together(found: list[Export]) -> list[Export]:
    """Files of one header as one export (months of one table), sheets of one header as parts of one."""
    kept: dict[tuple, Export] = {}
    for export in found:
        folder = export.paths[0] if export.sheet else export.paths[0].parent
        key = (folder, export.sheet, *(name.casefold() for name in export.headers))
        kept[key] = _united(kept[key], export) if key in kept else export
    books: dict[tuple, Export] = {}
    for (folder, _, *names), export in kept.items():
        key = (folder, export.sheet is not None, *names)
        if key in books:
            parts = books[key].parts or (books[key],)
            export = replace(_united(books[key], export), parts=(*parts, export))
        books[key] = export
    return list(books.values())


def _united(one: Export, other: Export) -> Export:
    rows = pa.concat_tables([one.rows, other.rows.rename_columns(one.headers)])
    records = None if None in (one.records, other.records) else one.records + other.records
    paths = tuple(dict.fromkeys((*one.paths, *other.paths)))
    return replace(one, paths=paths, rows=rows, whole=one.whole and other.whole, records=records)


def _named(found: list[Export]) -> list[Export]:
    """Short names, each its own and no table's: what most file names share is left out."""
    stems = [_stem(export) for export in found]
    words = [[w for w in re.split(r"[\W_]+", stem) if w] or ["data"] for stem in stems]
    if len(words) > 1:
        shared = _common(words)
        words = [[w for w in parts if w not in shared] or parts for parts in words]
    taken = set(Tables.model_fields)
    named = []
    for parts, export in zip(words, found, strict=True):
        name = "_".join(parts).lower()
        name = name if name[0].isalpha() else f"t_{name}"
        name = next(n for n in _variants(name) if n not in taken)
        taken.add(name)
        pieces = tuple(replace(part, name=f"{name}_{n}") for n, part in enumerate(export.parts, 1))
        named.append(replace(export, name=name, parts=pieces))
    return named


def _stem(export: Export) -> str:
    """What a file or sheet calls itself; of many files the first one's name without its number."""
    if export.sheet and not export.parts:
        return export.sheet
    stem = re.sub(r"\.(csv|tsv|txt|jsonl)$", "", export.paths[0].stem, flags=re.IGNORECASE)
    return re.sub(r"[\W_\d]+$", "", stem) or stem if len(export.paths) > 1 else stem


def _variants(name: str) -> Iterator[str]:
    yield from (name, f"{name}_file")
    yield from (f"{name}_{number}" for number in itertools.count(2))


def _common(words: list[list[str]]) -> set[str]:
    """Words that most names share, such as the system's."""
    return {w for parts in words for w in parts if sum(w in p for p in words) > max(0.6 * len(words), 1)}
