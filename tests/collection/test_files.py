"""One delivered file as text: every record keeps its row, whatever wrote the file."""

import codecs
import gzip

import pytest
import xlsxwriter
from readings import numbers, records, refusal

from crmlib.collection.files import text_table

NAMES = "客户,城市\r\n㐀𠮷商行,广州市\r\nNA,None\r\n"  # U+3400 and U+20BB7: four bytes each in GB18030


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (NAMES.encode(), "UTF-8, comma"),
        (codecs.BOM_UTF8 + NAMES.encode(), "UTF-8, comma"),
        (NAMES.encode("utf-16"), "UTF-16, comma"),
        (codecs.BOM_UTF16_BE + NAMES.encode("utf-16-be"), "UTF-16, comma"),
        (NAMES.encode("gb18030"), "GB18030, comma"),
        (gzip.compress(NAMES.encode("gb18030")), "GB18030, comma"),
    ],
    ids=["utf-8", "bom", "utf-16-le", "utf-16-be", "gb18030", "gb18030-gz"],
)
def test_rare_names_arrive_whole_from_every_encoding(file, content, form):
    found = text_table(file(content), expected={"客户"})
    assert found.form == form
    assert found.headers == ["客户", "城市"]
    assert records(found) == [["㐀𠮷商行", "广州市"], ["NA", "None"]]
    assert numbers(found) == [2, 3]


def test_a_file_in_no_known_encoding_is_refused_with_its_line(file):
    rows = b"c2,Orl\xe9ans\n" * 4
    assert refusal(file(b"customer,city\nc1,Paris\n" + rows)) == (
        "f.csv is not text in UTF-8 or GB18030: 4 of its 6 lines cannot be read as either, line 3 first. "
        "Save it as UTF-8, or say `encoding` in client.yml."
    )


def test_a_gzip_that_was_cut_short_is_not_taken_for_the_whole(file):
    packed = gzip.compress(b"customer,city\n" + b"c1,Paris\n" * 10_000)
    path = file(packed[:-20], "f.csv.gz")
    assert refusal(path) == "f.csv.gz is incomplete or damaged (gzip). Ask for the file again."


def test_a_gzip_that_swells_beyond_reason_is_refused(file):
    path = file(gzip.compress(b"a,b\n" + b"0" * 30_000_000), "f.csv.gz")
    assert refusal(path).endswith("bytes; that is no honest export.")


@pytest.mark.parametrize(("mark", "word"), [(",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "bar")])
def test_the_delimiter_is_found(file, mark, word):
    rows = [["order", "day", "what"], ["A1", "2024-10-01", "tea, green; loose"]]
    text = "\n".join(mark.join(f'"{cell}"' for cell in row) for row in rows)
    found = text_table(file(text), expected={"order", "day"})
    assert found.form == f"UTF-8, {word}"
    assert records(found) == [["A1", "2024-10-01", "tea, green; loose"]]


def test_titles_above_the_header_are_no_records_and_rows_keep_their_numbers(file):
    text = "Sales of Acme\n\nas of 2024,\norder,day\nA1,2024-10-01\n\nA2,2024-10-02\n"
    found = text_table(file(text), expected={"order", "day"})
    assert found.titles == 3
    assert records(found) == [["A1", "2024-10-01"], ["A2", "2024-10-02"]]
    assert numbers(found) == [5, 7]


def test_rows_that_do_not_fit_are_kept_apart_with_reason_and_number(file):
    text = "order,day\nA1,1\nA2\nA3,3\nA4,4,extra\n\n,\nA7,7\n"
    found = text_table(file(text), expected={"order"})
    assert records(found) == [["A1", "1"], ["A3", "3"], ["A7", "7"]]
    assert numbers(found) == [2, 4, 8]
    assert [(b.row, b.reason, b.raw) for b in found.broken] == [
        (3, "missing-cell", "A2"),
        (5, "extra-cell", "A4,4,extra"),
    ]
    assert found.records == 5


def test_a_misfit_below_titles_has_its_own_row_number(file):
    text = "Title\n\norder,day\nA1,1\nA2\nA3,3\n"
    found = text_table(file(text), expected={"order"})
    assert numbers(found) == [4, 6]
    assert [(b.row, b.reason) for b in found.broken] == [(5, "missing-cell")]


def test_blank_lines_are_no_customers(file):
    found = text_table(file("customer,city\n\nc1,Ulm\n  ,\n\n"), expected={"customer"})
    assert records(found) == [["c1", "Ulm"]]
    assert found.records == 1


def test_a_remark_over_two_lines_is_one_record(file):
    found = text_table(file('customer,said\nc1,"queue\ntoo long"\nc2,"say ""yes"""\n'), expected={"customer"})
    assert records(found) == [["c1", "queue\ntoo long"], ["c2", 'say "yes"']]
    assert numbers(found) == [2, 3]


def test_zeros_before_a_number_and_customers_called_na_stay_as_they_came(file):
    found = text_table(file("id,name\n000123,NA\n1e5,None\n007,null\n"), expected={"id"})
    assert records(found) == [["000123", "NA"], ["1e5", "None"], ["007", "null"]]


def test_a_header_with_odd_blanks_is_the_header_that_was_meant(file):
    found = text_table(file("\u200b客户\u3000编号 ,Ｃity\nc1,Ulm\n"), expected={"客户 编号"})
    assert found.headers == ["客户 编号", "City"]


def test_columns_without_a_name_get_one(file):
    found = text_table(file("id,,_row\n1,2,3\n"), expected={"id"})
    assert found.headers == ["id", "column 2", "column 3"]


def test_a_missing_file_is_named(home):
    assert refusal(home / "data" / "x.csv") == (
        "data/x.csv does not exist. Put the file there or mend `files` in client.yml."
    )


@pytest.mark.parametrize("content", ["", " \n\n\t\n", codecs.BOM_UTF8])
def test_an_empty_file_is_refused(file, content):
    assert refusal(file(content)) == "f.csv is empty. Ask for the file again."


def test_a_column_named_twice_is_refused(file):
    assert refusal(file("id,day,id\n1,2,3\n")) == "f.csv names a column twice: id. Rename one of them."


def test_a_file_with_none_of_the_mapped_columns_shows_what_it_has(file):
    said = refusal(file("Order-No,Date\nA1,2024-10-01\n"), expected={"order no", "day"})
    assert said == (
        "f.csv has no known header: none of the mapped columns (day, order no) is in its first 2 rows. "
        "It begins with row 1: Order-No, Date; row 2: 2 cells. Perhaps: day → Date, order no → Order-No. "
        "Mend `columns` in client.yml, or say `header_row`."
    )


def test_a_quote_that_is_never_closed_is_one_message_and_no_traceback(file):
    # 200 KB behind an open quote: Python's csv refuses cells above 128 KB with an error of its own.
    path = file('customer,city\nc1,"Ulm\n' + "c2,Bonn\n" * 25_000)
    assert refusal(path, expected={"customer"}) == (
        "f.csv, line 2: a quotation mark is opened and never closed; all that follows would be one cell. "
        'Close it or double it (""), or ask for the file again.'
    )


def sheet(home, fill, name="f.xlsx"):
    """A workbook with one page filled by `fill(page, book)`."""
    path = home / name
    with xlsxwriter.Workbook(path) as book:
        fill(book.add_worksheet("明细"), book)
        book.add_worksheet("notes").write(0, 0, "not this one")
    return path


def two_level(page, book):
    page.merge_range(0, 0, 0, 4, "Sales of Acme")
    page.merge_range(2, 0, 3, 0, "order")
    page.merge_range(2, 1, 3, 1, "day")
    page.merge_range(2, 2, 2, 4, "money")
    for place, name in enumerate(["pieces", "price", "profit"], start=2):
        page.write(3, place, name)
    date = book.add_format({"num_format": "yyyy-mm-dd"})
    for row, (order, pieces, price) in enumerate([("A1", 2, 10.5), ("A2", 1, 0.1 + 0.2)], start=4):
        page.write(row, 0, order)
        page.write(row, 1, 45566, date)  # Excel's number of 2024-10-01
        page.write_row(row, 2, [pieces, price, True])
    page.write(7, 0, "A3")


def test_a_header_merged_over_two_rows_names_every_column_once(home):
    found = text_table(sheet(home, two_level), expected={"order", "day", "pieces", "price"})
    assert found.headers == ["order", "day", "pieces", "price", "profit"]
    assert found.titles == 2
    assert records(found) == [
        ["A1", "2024-10-01", "2", "10.5", "TRUE"],
        ["A2", "2024-10-01", "1", "0.3", "TRUE"],
        ["A3", "", "", "", ""],
    ]
    assert numbers(found) == [5, 6, 8]
    assert found.form == "sheet 明细"


def test_a_time_of_day_is_kept_and_text_that_looks_like_a_formula_is_text(home):
    def fill(page, book):
        page.write_row(0, 0, ["order", "day"])
        page.write_string(1, 0, "=1+1")
        page.write(1, 1, 45566.5, book.add_format({"num_format": "yyyy-mm-dd hh:mm"}))

    assert records(text_table(sheet(home, fill), expected={"order"})) == [["=1+1", "2024-10-01 12:00:00"]]


def test_a_sheet_that_is_not_there_is_answered_with_those_that_are(home):
    path = sheet(home, two_level)
    assert refusal(path, sheet="Orders") == "f.xlsx has no sheet 'Orders'. It has: 明细, notes."


def test_a_workbook_that_was_cut_short_is_refused(home):
    path = sheet(home, two_level)
    path.write_bytes(path.read_bytes()[:-200])
    assert refusal(path) == "f.xlsx is incomplete or damaged (zip). Ask for the file again."


def test_a_nameless_column_never_takes_a_name_that_is_there(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text("order,column 2,\nA1,x,y\n", "utf-8")
    assert text_table(path, expected={"order"}).headers == ["order", "column 2", "column 3"]
    path.write_text("order,,column 2\nA1,x,y\n", "utf-8")
    assert text_table(path, expected={"order"}).headers == ["order", "column 3", "column 2"]
