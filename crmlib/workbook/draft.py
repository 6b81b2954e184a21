"""A first `client.yml` for one file with plain headers: what could be told, and TODO for the rest."""

import csv
import io
import json
import os
import shutil
from pathlib import Path

from crmlib import client as clients
from crmlib import tables
from crmlib.collection import headers
from crmlib.errors import Refused

SHEETS = {".xlsx", ".xls", ".xlsm", ".ods"}
DELIMITERS = ",;\t|"
HEAD = 1 << 16
NEEDED = {
    "transactions": ("ordered_at", "amount", "price", "quantity"),
    "customers": ("customer_id",),
    "surveys": ("customer_id", "answered_day"),
}
ASPECTS = ("product", "service", "after_sales", "brand", "overall", "recommend")


def write(name: str, file: Path, *, copy: bool) -> Path:
    """`data/<name>/client.yml` for this file; an existing one is never touched."""
    folder = clients.home() / "data" / clients.checked_name(name)
    config = folder / "client.yml"
    if config.exists():
        raise Refused(f"{clients.shown(config)} exists already and is left as it is. Change it by hand.")
    found = header_row(file)
    table = headers.table_of(found)
    text = _text(name, file.name if copy else str(file.resolve()), found, table)
    folder.mkdir(parents=True, exist_ok=True)
    if copy:
        _copied(file, folder / "raw" / file.name)
    try:
        # Exclusive: two commands at once cannot overwrite each other's file.
        with open(os.open(config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise Refused(f"{clients.shown(config)} exists already and is left as it is.") from None
    return config


def header_row(file: Path) -> list[str]:
    """The headers in a file's first row; `Refused` where there is none to read."""
    try:
        with file.open("rb") as opened:
            head = opened.read(HEAD)
    except OSError as problem:
        raise Refused(f"{file} cannot be read: {problem.strerror}.") from None
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise Refused(f"{file} is empty.")
    is_sheet = file.suffix.lower() in SHEETS or head[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
    row = _sheet_row(file) if is_sheet else _text_row(file, head)
    row = [headers.tidy(cell) for cell in row if headers.tidy(cell)]
    if len(row) < 2:
        raise Refused(
            f"{file}: its first row holds {len(row)} header(s): {', '.join(row) or 'none'}. "
            "This command needs a file whose first row names its columns."
        )
    return row


def _sheet_row(file: Path) -> list[str]:
    import python_calamine

    try:
        with python_calamine.load_workbook(str(file)) as book:
            rows = book.get_sheet_by_index(0).iter_rows()
            return [str(cell) for cell in next(iter(rows), [])]
    except (python_calamine.CalamineError, OSError, ValueError) as problem:
        raise Refused(f"{file} cannot be read as a workbook: {problem}.") from None


def _text_row(file: Path, head: bytes) -> list[str]:
    for encoding in ("utf-16",) if head[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030"):
        try:
            # The first line whole: a cut within the file's head may fall inside a character.
            line = head.decode(encoding, "ignore").splitlines()[0] if encoding == "utf-16" else ""
            line = line or head.splitlines()[0].decode(encoding)
        except (UnicodeDecodeError, IndexError):
            continue
        delimiter = max(DELIMITERS, key=line.count)
        return next(csv.reader(io.StringIO(line), delimiter=delimiter), [])
    raise Refused(f"{file} is neither UTF-8 nor GB18030 text. Save it as UTF-8.")


def _copied(file: Path, place: Path) -> None:
    if place.exists():
        raise Refused(f"{clients.shown(place)} exists already; nothing was copied.")
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, place)


def _text(name: str, file: str, found: list[str], table: str | None) -> str:
    """The file's text: every guess with its reason beside it, TODO where nothing could be told."""
    lines = [
        f"# Written by `crm new {name}`. Check each guess, answer each TODO, then: crm check {name}",
        f"name: {json.dumps(name)}",
        "currency: TODO  # three letters, such as CNY, EUR or USD",
        "timezone: UTC  # TODO: where the client does business, such as Asia/Shanghai",
        "languages: [en]",
        "tables:",
    ]
    if table is None:
        lines.append("  # TODO: what this file holds could not be told; orders were assumed.")
    lines += _table(table or "transactions", file, found)
    if table in ("customers", "surveys"):
        lines += [
            "  transactions:",
            "    files: [TODO]  # order lines are needed",
            "    columns: {ordered_at: TODO}",
        ]
    return "\n".join(lines) + "\n"


def _table(table: str, file: str, found: list[str]) -> list[str]:
    guessed = headers.guess(found, table)
    lines = [f"  {table}:", f"    files: [{_quoted(file)}]", "    columns:"]
    answers = [column for column in guessed if table == "surveys" and column in ASPECTS]
    for column, header in guessed.items():
        if column not in answers:
            why = "the same name" if headers.plain(header) == headers.plain(column) else "by its name"
            lines.append(f"      {column}: {_quoted(header)}  # guessed {why}: {_meaning(table, column)}")
    lines += [f"      {column}: TODO  # {_meaning(table, column)}" for column in _missing(table, guessed)]
    if table == "surveys":
        lines.append("    answers:" if answers else "    answers: TODO  # a question's column and scale")
        lines += [
            f"      {aspect}: {{column: {_quoted(guessed[aspect])}, scale: [1, 5]}}  # TODO: the scale's ends"
            for aspect in answers
        ]
    unused = [header for header in found if header not in guessed.values()]
    if unused:
        lines.append(f"    # Not used: {', '.join(_quoted(header) for header in unused)}")
    return lines


def _missing(table: str, guessed: dict[str, str]) -> list[str]:
    """Columns without which the table says nothing."""
    needed = [column for column in NEEDED[table] if column not in guessed]
    if "amount" in guessed or "price" in guessed:
        # Either is enough: an amount, or a price to multiply with.
        needed = [column for column in needed if column not in ("amount", "price", "quantity")]
    return needed


def _meaning(table: str, column: str) -> str:
    found = tables.ALL[table].column(column)
    return found.meaning if found else "a question"


def _quoted(text: str) -> str:
    """A text as YAML takes it, whatever signs it holds."""
    return json.dumps(text, ensure_ascii=False)
