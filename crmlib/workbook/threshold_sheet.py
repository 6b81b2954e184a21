"""The limits of the rules as a sheet that may be edited: written into a workbook, read back cell by cell.

The first line of the table names its columns in words that no language changes; by them it is found again,
whatever the sheet is called. A cell that cannot be taken is told by its address.
"""

import datetime as dt
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from crmlib.classification.thresholds import Threshold, Value, faults, thresholds, with_values
from crmlib.collection import sheets
from crmlib.collection.corrections import cut
from crmlib.errors import ConfigError, SourceError
from crmlib.language import WORDS, Language
from crmlib.rules import Classes
from crmlib.workbook import sheet_look

KEY, VALUE = "key", "value"
COLUMNS = (KEY, "meaning", VALUE, "allowed", "default")
WIDTHS = (44, 56, 14, 30, 14)
HEADER = 3  # the line of the table's heading, counted from 0
LOOKED = 50  # lines among which the heading is looked for
SMALL = 1e-9  # a number that is just not the end itself
NAME = "Thresholds"


@dataclass(frozen=True)
class Cell:
    """One limit as a workbook has it: where its value stands, its key, its value."""

    address: str
    key: str
    value: Value


def write(sheet: Any, rules: Classes, language: Language, formats: dict) -> None:
    """Every limit: its key, what it means, its value with a check of what is typed, what it may be."""
    sheet.write_string(0, 0, language.text("Limits that decide the classes"), formats["title"])
    how = language.text(
        "Change the column value and nothing else; then: crm thresholds CLIENT FILE.xlsx shows what would change, "
        "with --save it writes client.yml."
    )
    sheet.write_string(1, 0, cut(how), formats["about"])
    for column, (name, width) in enumerate(zip(COLUMNS, WIDTHS, strict=True)):
        sheet.write_string(HEADER, column, name, formats["heading"])
        sheet.set_column(column, column, width)
    found = thresholds(rules)
    for row, one in enumerate(found, HEADER + 1):
        sheet.write_string(row, 0, one.key)
        sheet.write_string(row, 1, cut(meaning(one, language)))
        for column, value in ((2, one.value), (4, one.default)):
            if value is not None:
                sheet.write_number(row, column, value, formats["input"] if column == 2 else None)
            elif column == 2:
                sheet.write_blank(row, column, None, formats["input"])
        sheet.write_string(row, 3, allowed(one, language))
        sheet.data_validation(row, 2, row, 2, _check(one, language))
    sheet.autofilter(HEADER, 0, HEADER + len(found), len(COLUMNS) - 1)
    sheet.freeze_panes(HEADER + 1, 1)
    sheet_look.printed(sheet, heading=HEADER)


def meaning(one: Threshold, language: Language) -> str:
    """What a limit is, from its rule down.

    >>> meaning(Threshold("classes.tier.weights.spend", 1, 1), Language("en", "EUR"))
    'Tier · Weight · Spend'
    """
    return " · ".join(language.show(word, "word") for word in one.words)


def allowed(one: Threshold, language: Language) -> str:
    """What a limit may be.

    >>> allowed(Threshold("x", 1, 1, low=0, high=1, above=True, whole=True), Language("en", "EUR"))
    'above 0, up to 1, whole'
    """
    parts = []
    if one.low is not None:
        least = {"least": one.low}
        from_there = language.text("from {least:number}", **least)
        parts.append(language.text("above {least:number}", **least) if one.above else from_there)
    if one.high is not None:
        most = {"most": one.high}
        up_to_there = language.text("up to {most:number}", **most)
        parts.append(language.text("below {most:number}", **most) if one.below else up_to_there)
    parts += [language.text("whole")] if one.whole else []
    parts += [language.text("empty: by share")] if one.default is None else []
    return ", ".join(parts) or language.text("any number")


def _check(one: Threshold, language: Language) -> dict[str, Any]:
    """What a spreadsheet refuses to take in the cell."""
    least = -1e12 if one.low is None else one.low + SMALL * one.above
    most = 1e12 if one.high is None else one.high - SMALL * one.below
    kind = "integer" if one.whole else "decimal"
    if one.whole:
        least, most = int(max(least, -(2**31))), int(min(most, 2**31 - 1))
    return {
        "validate": kind,
        "criteria": "between",
        "minimum": least,
        "maximum": most,
        "ignore_blank": True,
        "error_title": one.key[:32],
        "error_message": allowed(one, language)[:255],
    }


def read(path: Path, rules: Classes) -> tuple[Classes, list[Cell]]:
    """The rules with the values of a workbook, and the cells they came from.

    Raises
    ------
    SourceError : no workbook, damaged, or without such a sheet
    ConfigError : cells that cannot be taken, each by its address
    """
    page, rows, beside = _table(path)
    start, columns = _heading(rows)
    known = {one.key: one for one in thresholds(rules)}
    cells, wrong = [], []
    for number, row in enumerate(rows[start + 1 :], start + 2):
        key, value = (row[columns[name]] if columns[name] < len(row) else "" for name in (KEY, VALUE))
        address = f"{sheets.letters(columns[VALUE] + 1)}{number}"
        if not str(key).strip() and value == "":
            continue
        said = _wrong(key, value, known, {cell.key for cell in cells}) or _beside(
            beside, number, columns[VALUE]
        )
        if said:
            wrong.append(f"{page}, {address}: {said}")
        else:
            cells.append(Cell(address, str(key).strip(), None if value == "" else _number(value)))
    if wrong:
        raise ConfigError("\n".join(wrong))
    try:
        return with_values(rules, {cell.key: cell.value for cell in cells}), cells
    except ValidationError as problem:
        raise ConfigError("\n".join(_contradictions(problem, cells, page))) from None


def _table(path: Path) -> tuple[str, list[list[Any]], sheets.Sheet]:
    """The sheet of limits: how to call it in messages, its cells, and what its XML says beside them."""
    if not path.is_file():
        raise SourceError(f"{path.name} does not exist.")
    parts = sheets.checked(path, name=path.name)
    try:
        book = CalamineWorkbook.from_path(str(path))
        for name in book.sheet_names:
            place = f"{path.name}, sheet {name}"
            beside = sheets.sheet(path, parts[name], name=place)
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            if any(True for _ in _headings(rows)):
                return place, rows, beside
    except PasswordError:
        raise SourceError(
            f"{path.name} is protected by a password. Take it off and save it as xlsx."
        ) from None
    except (CalamineError, OSError, KeyError):
        raise sheets.damaged(path.name) from None
    raise SourceError(
        f"{path.name} has no sheet with the columns key and value. Take the sheet {NAME} of exhibits.xlsx."
    )


def _headings(rows: list[list[Any]]) -> Iterator[tuple[int, dict[str, int]]]:
    for number, row in enumerate(rows[:LOOKED]):
        names = [str(cell).strip().lower() for cell in row]
        if KEY in names and VALUE in names:
            yield number, {KEY: names.index(KEY), VALUE: names.index(VALUE)}


def _heading(rows: list[list[Any]]) -> tuple[int, dict[str, int]]:
    return next(_headings(rows))


def _wrong(key: Any, value: Any, known: dict[str, Threshold], seen: set[str]) -> str:
    """What is wrong with a line, for itself; empty where nothing is."""
    name = str(key).strip()
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        return f"{name or 'an empty key'} is not a known key" + (
            f"; did you mean {near[0]}?" if near else "."
        )
    if name in seen:
        return f"{name} stands here a second time."
    if isinstance(value, bool):
        return f"{name} must be a number, found {str(value).upper()}."
    if isinstance(value, dt.date | dt.time | dt.timedelta):
        return f"{name} must be a number, found the date or time {value}."
    if isinstance(value, str) and value:
        return f"{name} must be a number, found the text {value[:40]!r}."
    return ""


def _beside(beside: sheets.Sheet, row: int, column: int) -> str:
    """What the reader of values does not tell: a formula nobody computed, an error."""
    formula = beside.uncomputed.get(row, {}).get(column + 1)
    if formula:
        return f"holds the formula {formula[:40]} without a value. Open the file in Excel and save it."
    error = beside.errors.get(row, {}).get(column + 1)
    return f"holds the error {error}." if error else ""


def _number(value: float) -> float | int:
    """A workbook has no whole numbers of its own; nor does 0.1 + 0.2 mean more than 0.3."""
    number = round(float(value), 9)
    return int(number) if number == int(number) else number


def _contradictions(problem: ValidationError, cells: list[Cell], page: str) -> Iterator[str]:
    for fault in faults(problem):
        where = [cell.address for cell in cells if fault.concerns(cell.key)]
        yield f"{page}, {', '.join(where) or 'no cell'}: {fault.key}: {WORDS[fault.why]}"
