"""Workbooks for a spreadsheet: real numbers with formats; text from data is text, never a formula."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter

from crmlib.client import Client
from crmlib.collection import corrections
from crmlib.exhibits import WORDED, fields, heading
from crmlib.language import Language
from crmlib.measures import measure
from crmlib.period import Period
from crmlib.sentences import About
from crmlib.workbook import sheet_look, threshold_sheet
from crmlib.workbook.sheet_look import Pictures

NEVER_GUESSED = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
LAST_ROW = 1_048_576
FORMATS = {
    "count": "#,##0",
    "share": "0.0%",
    "days": "#,##0.0",
    "score": "#,##0.0",
    "number": "#,##0.00",
    "date": "yyyy-mm-dd",
    "change": "+0.0%;-0.0%;0.0%",
    "score change": "+0.0;-0.0;0.0",
    "points": "+0.0%;-0.0%;0.0%",
    "shift": "+0.0;-0.0;0.0",
}
CHINESE = {"date": 'yyyy"年"m"月"d"日"'}


def exhibits(
    path: Path,
    books: Sequence[dict],
    language: Language,
    *,
    client: Client,
    period: Period,
    pictures: Pictures | None = None,
) -> Path:
    """A sheet for each exhibit of these books with its picture, a list of contents first, the limits last."""
    shown = pictures or Pictures()
    found = [(book["step"], exhibit) for book in books for exhibit in book["exhibits"]]
    contents = language.text("Contents")
    # The sheet of limits is found again by its columns; an exhibit of its name takes another one.
    *names, limits = sheet_names(
        [contents, *(exhibit["id"] for _, exhibit in found), language.text(threshold_sheet.NAME)]
    )
    with _workbook(path, dt.datetime.combine(period.as_of, dt.time())) as book:
        formats = _formats(book, client.decimals, language) | sheet_look.money_formats(book, client.currency)
        _contents(book.add_worksheet(names[0]), names[1:], found, language, formats)
        for name, (step, exhibit) in zip(names[1:], found, strict=True):
            sheet = book.add_worksheet(name)
            widths = _exhibit(sheet, exhibit, language, formats)
            rows, picture = len(exhibit["rows"]), shown.of(step, exhibit["id"])
            sheet_look.pictured(sheet, picture, heading=3, rows=rows, widths=widths)
        threshold_sheet.write(book.add_worksheet(limits), client.classes, language, formats)
    return path


def quarantine(
    path: Path,
    rows: pd.DataFrame,
    language: Language,
    *,
    client: Client,
    headers: Mapping[str, list[str]] | None = None,
) -> Path:
    """The rows set aside, to be corrected and sent back: a sheet a table, a column for each header.

    Parameters
    ----------
    rows : in the columns of `tables.QUARANTINE`
    headers : of each table; taken from the rows themselves unless given
    """
    with _workbook(path, dt.datetime(2000, 1, 1), lean=True) as book:
        formats = _formats(book, client.decimals)
        if rows.empty:
            book.add_worksheet(sheet_names([language.text("Set aside")])[0]).write_string(
                0, 0, language.text("No row was set aside.")
            )
            return path
        groups = list(rows.groupby("table", sort=True))
        # The sheets of tables are found again by their names.
        *names, first = sheet_names([*(table for table, _ in groups), language.text("How to correct")])
        _how_to_correct(book.add_worksheet(first), language, formats)
        for name, (table, group) in zip(names, groups, strict=True):
            lines = corrections.sheet(group, (headers or {}).get(table, []))
            _set_aside(book.add_worksheet(name), lines, language, formats)
    return path


def at_risk(
    path: Path, rows: pd.DataFrame, people: pd.DataFrame, language: Language, *, client: Client
) -> Path:
    """Customers at risk with their names and numbers, for whoever is to call them: who would be missed most first.

    Parameters
    ----------
    rows : in the columns of `tables.AT_RISK`
    people : customer_id, name and contact
    """
    units = {"chance_to_leave": "share", "left_low": "share", "left_high": "share", "worth": "money"}
    units |= {"expected_loss": "money", "expected_gain": "money", "ask": "word", "reasons": "tags"}
    told = rows.merge(people[["customer_id", "name", "contact"]], on="customer_id", how="left")
    told = told[["customer_id", "name", "contact", *units]]
    names = {"customer_id": "Customer number"} | {name: heading(name) for name in told.columns[1:]}
    scale = 10**client.decimals
    with _workbook(path, dt.datetime(2000, 1, 1)) as book:
        formats = _formats(book, client.decimals)
        sheet = book.add_worksheet(sheet_names([language.text(heading("at_risk"))])[0])
        for number, column in enumerate(told.columns):
            _heading(sheet, 0, number, language.text(names[column]), formats)
            sheet.set_column(number, number, 22)
            unit = units.get(column, "text")
            for row, value in enumerate(told[column], 1):
                value = None if pd.isna(value) else value / scale if unit == "money" else value
                _cell(sheet, row, number, value, unit, language, formats)
        sheet.freeze_panes(1, 2)
    return path


def sheet_names(wanted: Iterable[str]) -> list[str]:
    """Names a spreadsheet accepts: at most 31 signs, none of them forbidden, no two alike.

    >>> sheet_names(["a/b", "A:B", "History", ""])
    ['a-b', 'A-B 2', 'History-', 'sheet']
    """
    taken: set[str] = set()
    names = []
    for name in wanted:
        name = re.sub(r"[\[\]:*?/\\\x00-\x1f]", "-", name).strip().strip("'")[:31] or "sheet"
        name = f"{name}-" if name.lower() == "history" else name
        base, number = name, 1
        while name.lower() in taken:
            number += 1
            name = f"{base[: 30 - len(str(number))]} {number}"
        taken.add(name.lower())
        names.append(name)
    return names


def _workbook(path: Path, made: dt.datetime, *, lean: bool = False) -> xlsxwriter.Workbook:
    """An empty workbook; its date is given, so that the same content gives the same bytes."""
    book = xlsxwriter.Workbook(str(path), NEVER_GUESSED | {"constant_memory": lean})
    book.set_properties({"created": made})
    return book


def _formats(book: xlsxwriter.Workbook, decimals: int, language: Language | None = None) -> dict[str, Any]:
    money = {"money": "#,##0" + ("." + "0" * decimals if decimals else "")}
    money |= CHINESE if language and language.tag.startswith("zh") else {}
    shapes = {unit: {"num_format": shape} for unit, shape in (FORMATS | money).items()}
    shapes |= {
        "title": {"bold": True, "font_size": 13},
        "about": {"italic": True, "font_color": "#555555"},
        "heading": {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"},
        "text": {},
        "input": {"bg_color": "#FFF8E1", "border": 1, "border_color": "#BBBBBB"},
        "link": {"font_color": "#0b57d0", "underline": 1},
    }
    return {name: book.add_format(shape) for name, shape in shapes.items()}


def _contents(sheet: Any, names: list[str], found: list, language: Language, formats: dict) -> None:
    for column, word in enumerate(
        (language.text("Sheet"), language.text("Title"), language.text("Notebook"))
    ):
        sheet.write_string(0, column, word, formats["heading"])
    for row, (name, (step, exhibit)) in enumerate(zip(names, found, strict=True), 1):
        target = "internal:'" + name.replace("'", "''") + "'!A1"
        sheet.write_url(row, 0, target, formats["link"], name)
        sheet.write_string(row, 1, corrections.cut(language.text(exhibit["title"])))
        sheet.write_string(row, 2, step)
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 70)
    sheet.set_column(2, 2, 28)
    sheet.freeze_panes(1, 0)


def _exhibit(sheet: Any, exhibit: dict, language: Language, formats: dict) -> list[int]:
    """Title, the table, and what a reader must know to trust it; the widths of its columns."""
    widths = []
    columns, rows = exhibit["columns"], exhibit["rows"][: LAST_ROW - 8]
    sheet.write_string(0, 0, corrections.cut(language.text(exhibit["title"])), formats["title"])
    sheet.write_string(1, 0, corrections.cut(About.read(exhibit["about"]).told(language)), formats["about"])
    for number, column in enumerate(columns):
        word = language.heading(column["heading"])
        _heading(sheet, 3, number, word, formats)
        widest = max((_width(row[number]) for row in rows[:500]), default=0)
        widths.append(min(max(widest, _width(word), 8) + 2, 48))
        sheet.set_column(number, number, widths[-1])
    units = [_of_column(column["unit"], number, rows, language) for number, column in enumerate(columns)]
    for at, (row, own) in enumerate(zip(rows, exhibit["row_units"], strict=False), 4):
        for number, (unit, value) in enumerate(zip(units, row, strict=True)):
            told = _unit(unit, own)
            # Where rows differ in their units each amount has its own.
            told = sheet_look.money_unit([value], language.code) if told == "money" != unit else told
            _cell(sheet, at, number, value, told, language, formats)
    if not rows:
        sheet.write_string(4, 0, language.text(exhibit["nothing"]))
    if columns:
        sheet.autofilter(3, 0, 3 + len(rows), len(columns) - 1)
    sheet.freeze_panes(4, 0)
    sheet_look.printed(sheet, heading=3)
    return widths


def _of_column(unit: str, number: int, rows: list, language: Language) -> str:
    """A column's unit; of money with the size in which it is shown."""
    return sheet_look.money_unit((row[number] for row in rows), language.code) if unit == "money" else unit


def _unit(unit: str, own: str) -> str:
    """A cell's unit, where rows of one column differ in theirs."""
    if unit == "row":
        return own
    return "score change" if (unit, own) == ("change", "score") else unit


def _cell(
    sheet: Any, row: int, column: int, value: Any, unit: str, language: Language, formats: dict
) -> None:
    """A value as what it is: a number stays a number, a date a date, the rest is text."""
    if value is None:
        return
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        sheet.write_number(row, column, value, formats.get(unit))
    elif unit == "date" and (day := _day(value)):
        sheet.write_datetime(row, column, day, formats["date"])
    else:
        text = language.text(measure(value).label) if unit == "measure" else str(value)
        text = language.show(value, unit) if unit in WORDED else text
        text = fields(text, language) if unit == "fields" else text
        sheet.write_string(row, column, corrections.cut(text))


def _how_to_correct(sheet: Any, language: Language, formats: dict) -> None:
    sheet.set_column(0, 0, 100)
    how = (
        language.text(
            "Correct a row in its own columns, right of row_mark, and change nothing left of them; leave "
            "what you cannot correct as it is."
        ),
        language.text(
            "Save this workbook in the client's raw folder and name it in client.yml under corrections: at the next "
            "run every row that you changed takes the place of the delivered one, and the others stay set aside."
        ),
    )
    for row, sentence in enumerate(how):
        sheet.write_string(row, 0, sentence, formats["heading"])


def _set_aside(sheet: Any, lines: pd.DataFrame, language: Language, formats: dict) -> None:
    for number, header in enumerate(lines.columns):
        sheet.set_column(number, number, 26 if number < 2 else 16)
        _heading(sheet, 0, number, header, formats)
    last = min(len(lines), LAST_ROW - 1)
    for at, (reasons, file, tab, line, *texts) in enumerate(lines.head(last).itertuples(index=False), 1):
        words = [(language.show(str(reason), "word"), header) for reason, header in reasons]
        why = language.text("; ").join(
            f"{reason}: {header}" if header else reason for reason, header in words
        )
        sheet.write_string(at, 0, corrections.cut(why))
        sheet.write_string(at, 1, corrections.cut(str(file)))
        if tab:
            sheet.write_string(at, 2, corrections.cut(str(tab)))
        sheet.write_number(at, 3, int(line))
        for number, text in enumerate(texts, 4):
            if isinstance(text, str) and text:
                sheet.write_string(at, number, text)
    sheet.autofilter(0, 0, last, len(lines.columns) - 1)
    sheet.freeze_panes(1, len(corrections.FIXED))


def _heading(sheet: Any, row: int, column: int, text: str, formats: dict) -> None:
    sheet.write_string(row, column, corrections.cut(text), formats["heading"])


def _day(value: Any) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(str(value)).replace(tzinfo=None)
    except ValueError:
        return None


def _width(value: Any) -> int:
    """Columns a text takes; a Chinese character takes two."""
    return sum(2 if ord(sign) > 0x2E7F else 1 for sign in str(value))
