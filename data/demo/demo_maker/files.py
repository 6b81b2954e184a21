"""The tables in the forms that clients send: GB18030 CSV, Excel with merged headers, UTF-8 CSV."""

import csv
import io
import json
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import xlsxwriter

BANK = "云澜城市银行（虚构）"
EXPORT_NOTE = "业务明细导出　期间：2022-01-01 至 2024-12-31　导出日期：2025-01-06　金额单位：元"
GROUPS = [("单据", 0, 2), ("产品", 3, 4), ("金额", 6, 9)]
CHANNEL_COLUMN, HEADER_ROW = 5, 3
NUMBERS = ("数量", "单价", "折扣", "利润")
NOTES = [
    "说明",
    "1. 本表由业务系统导出，一行为一笔业务明细，同一单据号可有多行。",
    "2. 单据号以 TH 开头的为冲正单据，数量与利润为负。",
    "3. 单价为 0 的为赠送或减免。",
    "4. 金额单位为人民币元。",
    "5. 折扣为标价的减让比例，0.1 即九折；单价为折后实收单价。",
]


def csv_text(table: pd.DataFrame, line_end: str) -> str:
    """A table as CSV with its header, quoted only where it must be."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator=line_end)
    rows.writerow(table.columns)
    rows.writerows(table.itertuples(index=False, name=None))
    return out.getvalue()


def as_date(text: str) -> date | None:
    """The date of ISO text that names a real day; None for anything else."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date() if len(text) == 10 else None
    except ValueError:
        return None


def as_number(text: str) -> float | None:
    """The number a cell holds; None for text and blanks."""
    try:
        return float(text)
    except ValueError:
        return None


def headers(book: xlsxwriter.Workbook, sheet, *, columns: list[str]) -> None:
    """Title rows, then two header rows with merged group names."""
    title = book.add_format({"bold": True, "font_size": 14, "align": "center"})
    head = book.add_format({"bold": True, "align": "center", "valign": "vcenter", "border": 1})
    sheet.merge_range(0, 0, 0, len(columns) - 1, BANK, title)
    sheet.write_string(1, 0, EXPORT_NOTE)
    for name, first, last in GROUPS:
        sheet.merge_range(HEADER_ROW, first, HEADER_ROW, last, name, head)
    for at, name in enumerate(columns):
        if at == CHANNEL_COLUMN:
            sheet.merge_range(HEADER_ROW, at, HEADER_ROW + 1, at, name, head)
        else:
            sheet.write_string(HEADER_ROW + 1, at, name, head)


def order_book(path: Path, table: pd.DataFrame) -> None:
    """The order lines as a workbook: real dates and numbers, text where they are neither."""
    book = xlsxwriter.Workbook(path)
    # the moment of writing would make every run's file differ
    book.set_properties({"created": datetime(2025, 1, 6)})
    sheet, notes = book.add_worksheet("业务明细"), book.add_worksheet("说明")
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    money = book.add_format({"num_format": "0.00"})
    headers(book, sheet, columns=list(table.columns))
    sheet.set_column(0, len(table.columns) - 1, 13)
    for at, name in enumerate(table.columns):
        for row, text in enumerate(table[name], start=HEADER_ROW + 2):
            if name == "业务日期" and (found := as_date(text)):
                sheet.write_datetime(row, at, found, day)
            elif name in NUMBERS and (number := as_number(text)) is not None:
                sheet.write_number(row, at, number, None if name == "数量" else money)
            elif text:
                sheet.write_string(row, at, text)
    for row, text in enumerate(NOTES):
        notes.write_string(row, 0, text)
    book.close()


def truth_text(truth: dict) -> str:
    """The truths as JSON with a line for each entry of each section, so that a diff reads well."""
    sections = []
    for name, content in truth.items():
        if not isinstance(content, dict):
            sections.append(f"{json.dumps(name)}: {json.dumps(content)}")
            continue
        entries = ",\n".join(
            f"  {json.dumps(key, ensure_ascii=False)}: {json.dumps(value, ensure_ascii=False)}"
            for key, value in content.items()
        )
        sections.append(f"{json.dumps(name)}: {{\n{entries}\n}}")
    return "{\n" + ",\n".join(sections) + "\n}\n"


def write_all(folder: Path, delivered: dict[str, pd.DataFrame], *, truth: dict) -> list[Path]:
    """Write every file of the demo and return the paths."""
    raw = folder / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    paths = [raw / "customers.csv", raw / "orders.xlsx", raw / "satisfaction.csv"]
    paths[0].write_bytes(csv_text(delivered["customers"], "\r\n").encode("gb18030"))
    order_book(paths[1], delivered["orders"])
    paths[2].write_bytes(csv_text(delivered["survey"], "\n").encode("utf-8"))
    paths.append(folder / "truth.json")
    paths[-1].write_bytes(truth_text(truth).encode("utf-8"))
    return paths
