"""Rows 10, 13–15 and 35–42 of the catalogue: what a workbook shows, hides, and never computed."""

import datetime as dt
import io
import random
import re
import struct
import zipfile

import openpyxl
import pytest
import xlsxwriter
from readings import aside, numbers, records, refusal

from crmlib.collection.files import text_table
from crmlib.errors import SourceError

EXPECTED = {"order", "day", "price"}


@pytest.fixture
def book(file):
    """Writes a workbook filled by `fill(book, page)` and returns where."""

    def write(fill, name="f.xlsx", **options):
        sink = io.BytesIO()
        with xlsxwriter.Workbook(sink, options) as made:
            fill(made, made.add_worksheet("orders"))
        return file(sink.getvalue(), name)

    return write


def rows(page, *content):
    for place, row in enumerate(content):
        page.write_row(place, 0, row)


def edited(path, member: str, old: str, new: str) -> None:
    """A workbook with one of its parts changed by hand."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert old.encode() in parts[member]
    parts[member] = parts[member].replace(old.encode(), new.encode())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


SHEET = "xl/worksheets/sheet1.xml"


def test_titles_merged_over_the_table_are_passed_over(book):
    def fill(made, page):
        page.merge_range(0, 0, 0, 2, "Sales of Acme")
        page.write_row(2, 0, ["order", "day", "price"])
        page.write_row(3, 0, ["A1", "2024-10-01", 9.9])

    found = text_table(book(fill), expected=EXPECTED)
    assert (found.titles, found.headers) == (2, ["order", "day", "price"])
    assert (records(found), numbers(found)) == ([["A1", "2024-10-01", "9.9"]], [4])


def test_a_table_that_begins_in_the_middle_of_its_sheet_is_whole(book):
    def fill(made, page):
        page.write_row(4, 3, ["order", "day"])
        page.write_row(5, 3, ["A1", "1"])
        page.write_row(7, 3, ["A2", "2"])

    found = text_table(book(fill), expected=EXPECTED)
    assert (found.headers, records(found), numbers(found)) == (
        ["order", "day"],
        [["A1", "1"], ["A2", "2"]],
        [6, 8],
    )


def test_the_sheet_that_has_the_headers_is_read_and_named(book):
    def fill(made, page):
        rows(page, ["Notes"], ["ask Li"])
        rows(made.add_worksheet("data"), ["order", "day"], ["A1", "1"])
        hidden = made.add_worksheet("old")
        rows(hidden, ["order", "day", "price"], ["Z9", "9", "9"])
        hidden.hide()

    path = book(fill)
    found = text_table(path, expected=EXPECTED)
    assert (found.sheet, records(found)) == ("data", [["A1", "1"]])
    assert found.notes == [("hidden-sheets", "old"), ("sheet-chosen", "data")]
    assert records(text_table(path, expected=EXPECTED, sheet="old")) == [["Z9", "9", "9"]]


def test_two_sheets_with_the_headers_are_refused_until_one_is_named(book):
    def fill(made, page):
        rows(page, ["order", "day"], ["A1", "1"])
        rows(made.add_worksheet("more"), ["order", "day"], ["A2", "2"])

    path = book(fill)
    assert refusal(path, expected=EXPECTED) == (
        "f.xlsx has the mapped columns in several sheets: orders, more. Say which one is meant (`sheet` in "
        "client.yml), or deliver them apart."
    )
    assert records(text_table(path, expected=EXPECTED, sheet="more")) == [["A2", "2"]]
    assert refusal(path, sheet="nix") == "f.xlsx has no sheet 'nix'. It has: orders, more."


def test_hidden_rows_are_set_aside_and_hidden_columns_are_told(book):
    def fill(made, page):
        rows(page, ["order", "day", "price"], ["A1", "1", 1], ["A2", "2", 2], ["A3", "3", 3])
        page.set_row(2, None, None, {"hidden": True})
        page.set_column(1, 1, None, None, {"hidden": True})

    found = text_table(book(fill), expected=EXPECTED)
    assert records(found) == [["A1", "1", "1"], ["A3", "3", "3"]]
    assert aside(found) == [(3, "hidden-row", "A2,2,2")]
    assert found.notes == [("hidden-columns", "B")]


def test_a_formula_that_was_never_computed_is_set_aside(file):
    made = openpyxl.Workbook()
    for row in (["order", "price"], ["A1", 1], ["A2", '=IF(1<2,"x",2)'], ["A3", 3], ["A4", "=SUM(B2:B4)"]):
        made.active.append(row)
    sink = io.BytesIO()
    made.save(sink)
    found = text_table(file(sink.getvalue()), expected=EXPECTED)
    assert records(found) == [["A1", "1"], ["A3", "3"]]
    assert aside(found) == [
        (3, "uncomputed-formula", 'A2,"=IF(1<2,""x"",2)"'),
        (5, "uncomputed-formula", "A4,=SUM(B2:B4)"),
    ]


def test_rows_of_formulas_alone_at_the_end_of_a_sheet_are_not_lost(file):
    made = openpyxl.Workbook()
    for row in (["order", "price"], ["A1", 1], ["=A2", "=B2"], ["=A3", "=B3"]):
        made.active.append(row)
    sink = io.BytesIO()
    made.save(sink)
    found = text_table(file(sink.getvalue()), expected=EXPECTED)
    assert aside(found) == [(3, "uncomputed-formula", "=A2,=B2"), (4, "uncomputed-formula", "=A3,=B3")]


def test_a_formula_with_its_value_is_its_value_even_an_empty_one(book):
    def fill(made, page):
        rows(page, ["order", "price"], ["A1"], ["A2", 2])
        page.write_formula(1, 1, "=1+1", None, 2)

    path = book(fill)
    assert records(text_table(path, expected=EXPECTED)) == [["A1", "2"], ["A2", "2"]]
    edited(path, SHEET, '<c r="B2"><f>1+1</f><v>2</v></c>', '<c r="B2" t="str"><f>1+1</f><v></v></c>')
    assert records(text_table(path, expected=EXPECTED)) == [["A1", ""], ["A2", "2"]]


@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?"])
def test_an_error_cell_is_set_aside_with_its_error(book, error):
    def fill(made, page):
        rows(page, ["order", "price"], ["A1", 1], ["A2"], ["A3", 3])
        page.write_formula(2, 1, "=X1", None, error)

    found = text_table(book(fill), expected=EXPECTED)
    assert (records(found), aside(found)) == ([["A1", "1"], ["A3", "3"]], [(3, "error-cell", f"A2,{error}")])


@pytest.mark.parametrize("epoch", [False, True], ids=["1900", "1904"])
def test_dates_are_iso_under_either_epoch_and_numbers_stay_numbers(book, epoch):
    def fill(made, page):
        date = made.add_format({"num_format": "yyyy-mm-dd"})
        rows(page, ["order", "day"], ["A1"], ["A2"], ["A3", 45356], ["A4", "5 March 2024"], ["A5"], ["A6"])
        page.write_datetime(1, 1, dt.datetime(2024, 3, 5), date)
        page.write_datetime(2, 1, dt.datetime(2024, 3, 5, 12, 30, 15), date)
        page.write_datetime(5, 1, dt.time(8, 5), made.add_format({"num_format": "hh:mm"}))
        page.write_number(6, 1, 1.5, made.add_format({"num_format": "[h]:mm"}))

    found = text_table(book(fill, date_1904=epoch), expected=EXPECTED)
    assert [row[1] for row in records(found)] == [
        "2024-03-05", "2024-03-05 12:30:15", "45356", "5 March 2024", "08:05:00", "36:00:00",
    ]  # fmt: skip


def test_ids_and_telephones_keep_their_digits_or_are_set_aside(book):
    def fill(made, page):
        rows(page, ["order", "price"], [13800138000, 1], [123456789012345, 2], [123456789012345678, 3])
        page.write_string(4, 0, "1.38E+10")
        page.write_string(5, 0, "007")
        page.write_string(6, 0, "123456789012345678")
        page.write_boolean(7, 0, True)
        page.write_number(8, 0, 0.1 + 0.2)
        page.write_string(9, 0, "=1+1")

    found = text_table(book(fill), expected=EXPECTED)
    assert [row[0] for row in records(found)] == [
        "13800138000", "123456789012345", "1.38E+10", "007", "123456789012345678", "TRUE", "0.3", "=1+1",
    ]  # fmt: skip
    assert [row[:2] for row in aside(found)] == [(4, "digits-lost")]


def test_a_nameless_empty_column_between_others_is_left_out(book):
    def fill(made, page):
        rows(page, ["order", "", "price"], ["A1", "", 1], ["A2", None, 2])

    found = text_table(book(fill), expected=EXPECTED)
    assert (found.headers, records(found)) == (["order", "price"], [["A1", "1"], ["A2", "2"]])


def test_headers_that_come_again_and_totals_are_no_records(book):
    def fill(made, page):
        rows(page, ["order", "price"], ["A1", 1], [], ["order", "price"], ["A2", 2], ["合计", 3])

    found = text_table(book(fill), expected=EXPECTED)
    assert (records(found), numbers(found)) == ([["A1", "1"], ["A2", "2"]], [2, 5])
    assert aside(found) == [(4, "repeated-header", "order,price"), (6, "not-a-record", "合计,3")]
    assert found.notes == [("blank-rows", "1")]


def test_two_tables_in_one_sheet_are_refused(book):
    def fill(made, page):
        rows(page, ["order", "price"], *[[f"A{n}", n] for n in range(40)], [], ["price", "day"], [1, "2"])

    assert refusal(book(fill), expected=EXPECTED).startswith(
        "f.xlsx, sheet orders holds two headers that differ, in rows 1 and 43"
    )


def test_a_cell_far_off_does_not_fill_the_memory(book):
    def fill(made, page):
        rows(page, ["order", "price"], ["A1", 1])
        page.write(1_048_575, 16_383, "x")

    assert refusal(book(fill), expected=EXPECTED) == (
        "f.xlsx, sheet orders spans 1,048,576 rows and 16,384 columns. A cell far off holds something: clear "
        "what stands beside the table and save it again, or deliver it as CSV."
    )


def simple(made, page):
    rows(page, ["order", "price"], *[[f"A{n}", n] for n in range(30)])


@pytest.mark.parametrize("member", [SHEET, "xl/sharedStrings.xml", "xl/workbook.xml", "xl/styles.xml"])
def test_xml_that_declares_entities_is_not_opened(book, member):
    path = book(simple)
    laughs = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    with zipfile.ZipFile(path) as archive:
        head = archive.read(member).split(b"?>")[0].decode() + "?>"
    edited(path, member, head, head + " " * 70_000 + laughs)
    assert refusal(path, expected=EXPECTED) == (
        "f.xlsx declares XML entities, which no spreadsheet program writes. It is not opened."
    )


def test_single_quotes_and_words_for_truth_are_understood(book):
    def fill(made, page):
        rows(page, ["order", "price"], ["A1", 1], ["A2"], ["A3", 3])
        page.write_formula(2, 1, "=X1", None, "#N/A")
        page.set_row(3, None, None, {"hidden": True})

    path = book(fill)
    edited(path, SHEET, ' t="e"', " t='e'")
    edited(path, SHEET, ' hidden="1"', " hidden='true'")
    found = text_table(path, expected=EXPECTED)
    assert [row[:2] for row in aside(found)] == [(3, "error-cell"), (4, "hidden-row")]


@pytest.mark.parametrize("part", [0.5, 0.9, 0.99])
def test_a_workbook_cut_short_is_refused(book, part):
    path = book(simple)
    path.write_bytes(path.read_bytes()[: int(part * path.stat().st_size)])
    assert refusal(path) == "f.xlsx is incomplete or damaged (zip). Ask for the file again."


def test_every_flipped_bit_in_a_workbook_is_noticed_or_harmless(book):
    path, dice = book(simple), random.Random(5)
    content = path.read_bytes()
    truth = [[f"A{n}", str(n)] for n in range(30)]
    for _ in range(150):
        broken = bytearray(content)
        broken[dice.randrange(len(broken))] ^= 1 << dice.randrange(8)
        path.write_bytes(bytes(broken))
        try:
            assert records(text_table(path, expected=EXPECTED)) == truth
        except SourceError as refused:
            assert str(refused).startswith("f.xlsx")


def test_a_workbook_changed_while_it_is_read_is_refused(book):
    path = book(simple)
    found = text_table(path, expected=EXPECTED)
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(SourceError, match="changed while it was read"):
        list(found.batches())


def test_an_empty_sheet_is_refused_and_a_header_alone_is_accepted(book):
    assert refusal(book(lambda made, page: None)) == "f.xlsx, sheet orders is empty. Ask for the file again."
    found = text_table(book(lambda made, page: rows(page, ["order", "day"])), expected=EXPECTED)
    assert (found.headers, found.records) == (["order", "day"], 0)


def test_a_long_cell_keeps_its_whole_text(book):
    found = text_table(book(lambda made, page: rows(page, ["order"], ["x" * 32_767])), expected=EXPECTED)
    assert len(records(found)[0][0]) == 32_767


def test_the_chinese_superstore_is_read_from_its_legacy_workbook(shared):
    [path] = (shared / "data" / "superstore_cn").iterdir()
    found = text_table(path, expected={"订单 Id", "订单日期", "客户名称", "数量"})
    assert (found.sheet, found.records, found.rows.num_rows) == ("订单", 10_000, 10_000)
    assert found.notes == [("sheet-chosen", "订单")]


def record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def label(row: int, column: int, text: str) -> bytes:
    return record(0x204, struct.pack("<HHHHB", row, column, 0, len(text), 0) + text.encode("latin-1"))


def number(row: int, column: int, value: float) -> bytes:
    return record(0x203, struct.pack("<HHHd", row, column, 0, value))


def old_workbook(*cells: bytes, globals: bytes = b"") -> bytes:
    """A legacy xls of one sheet, written by hand after [MS-CFB] and [MS-XLS]."""
    begin = record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0))
    page = (
        record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0)) + b"".join(cells) + record(0x0A, b"")
    )
    name = struct.pack("<BB", 6, 0) + b"orders"
    at = len(begin) + len(globals) + 4 + 6 + len(name) + 4
    book = begin + globals + record(0x85, struct.pack("<IBB", at, 0, 0) + name) + record(0x0A, b"") + page
    book = book.ljust(-(-max(len(book), 4096) // 512) * 512, b"\0")
    count = len(book) // 512
    ends, none = 0xFFFFFFFE, 0xFFFFFFFF

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = name.encode("utf-16-le") + b"\0\0"
        head = text.ljust(64, b"\0") + struct.pack(
            "<HBBIII", len(text) * bool(name), kind, 1, none, none, child
        )
        return head + bytes(36) + struct.pack("<IQ", start, size)

    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    head += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, ends, 0, ends, 0) + struct.pack(
        "<109I", 0, *[none] * 108
    )
    table = [0xFFFFFFFD, ends, *range(3, count + 2), ends]
    folder = entry("Root Entry", 5, 1, ends, 0) + entry("Workbook", 2, none, 2, len(book))
    folder += entry("", 0, none, 0, 0) * 2
    return head + struct.pack(f"<{len(table)}I", *table).ljust(512, b"\xff") + folder + book


HEADER = label(0, 0, "order") + label(0, 1, "price")


def test_a_legacy_workbook_tells_its_errors_and_what_it_hides(file):
    cells = [HEADER]
    for row in range(1, 6):
        cells += [label(row, 0, f"A{row}")]
    cells += [number(1, 1, 1.5), number(2, 1, 2), number(3, 1, 3), number(5, 1, 123456789012345678)]
    cells += [record(0x205, struct.pack("<HHHBB", 4, 1, 0, 42, 1))]
    cells += [record(0x208, struct.pack("<HHHHHHHH", 2, 0, 2, 255, 0, 0, 0x20, 0))]
    cells += [record(0x7D, struct.pack("<HHHHHH", 1, 1, 9, 0, 1, 0))]
    found = text_table(file(old_workbook(*cells), "f.xls"), expected=EXPECTED)
    assert (found.headers, records(found)) == (["order", "price"], [["A1", "1.5"], ["A3", "3"]])
    assert aside(found) == [
        (3, "hidden-row", "A2,2"), (5, "error-cell", "A4,#N/A"), (6, "digits-lost", "A5,1.23456789012346e+17"),
    ]  # fmt: skip
    assert found.notes == [("hidden-columns", "B")]


def test_a_legacy_workbook_behind_a_password_is_refused(file):
    content = old_workbook(HEADER, globals=record(0x2F, bytes(54)))
    assert refusal(file(content, "f.xls")) == (
        "f.xls is protected by a password. Open it in Excel, take the password off and save it as xlsx."
    )


def test_every_cut_of_a_legacy_workbook_is_refused(file):
    content = old_workbook(HEADER, *[label(n, 0, f"A{n}") for n in range(1, 400)])
    assert len(records(text_table(file(content), expected=EXPECTED))) == 399
    for part in (0.2, 0.5, 0.8):
        said = refusal(file(content[: int(part * len(content))]), expected=EXPECTED)
        assert said.startswith("f.csv is ")


def test_a_legacy_workbook_damaged_anyhow_is_read_or_refused_in_one_message(file):
    content, dice = old_workbook(HEADER, *[label(n, 0, f"A{n}") for n in range(1, 40)]), random.Random(5)
    for _ in range(300):
        broken = bytearray(content)
        for _ in range(dice.choice([1, 5, 30])):
            broken[dice.choice([dice.randrange(1536), dice.randrange(len(broken))])] = dice.randrange(256)
        try:
            assert text_table(file(bytes(broken)), expected=EXPECTED).records >= 0
        except SourceError as refused:
            assert str(refused).startswith("f.csv")


def test_names_with_prefixes_are_understood(book):
    def fill(made, page):
        rows(page, ["order", "price"], ["A1", 1], ["A2"], ["A3", 3])
        page.write_formula(2, 1, "=X1", None, "#N/A")
        page.set_row(3, None, None, {"hidden": True})

    path = book(fill)
    with zipfile.ZipFile(path) as archive:
        text = archive.read(SHEET).decode()
    head, _, body = text.partition("?>")
    prefixed = re.sub(r"<(/?)(?=[a-zA-Z])", r"<\1x:", body).replace("xmlns=", "xmlns:x=")
    edited(path, SHEET, text, f"{head}?>{prefixed}")
    found = text_table(path, expected=EXPECTED)
    assert [row[:2] for row in aside(found)] == [(3, "error-cell"), (4, "hidden-row")]
    assert records(found) == [["A1", "1"]]
