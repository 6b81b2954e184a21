"""Workbooks as they look and print: real numbers under Chinese myriads, the picture beside, pages set up."""

import base64
import re
import zipfile

import nbformat
import openpyxl
import pandas as pd
import pytest
from conftest import EXHIBIT, PNG

from crmlib.exhibits import Exhibit
from crmlib.language import Language
from crmlib.period import Period
from crmlib.workbook import excel, pictures
from crmlib.workbook.sheet_look import Picture, Pictures

Q4 = Period.parse("2024-Q4")
PICTURE = Picture(base64.b64decode(PNG), "Sales by month. October: 1,235")
WIDE = EXHIBIT | {"columns": EXHIBIT["columns"] * 4, "rows": [row * 4 for row in EXHIBIT["rows"]]}


def sheet(client, exhibit=EXHIBIT, *, code="en", shown=None):
    path = client.folder / "exhibits.xlsx"
    books = [{"step": "05-analysis-performance", "exhibits": [exhibit]}]
    excel.exhibits(path, books, Language(code, "CNY"), client=client, period=Q4, pictures=shown)
    return openpyxl.load_workbook(path)["sales.by_month"]


def amounts(*values, unit="money", own="text"):
    column = {"name": "sales", "heading": "Sales", "unit": unit}
    return EXHIBIT | {"columns": [column], "rows": [[v] for v in values], "row_units": [own] * len(values)}


def as_shown(value: float, form: str) -> str:
    """What a spreadsheet shows, by the rules of its formats: a comma behind the digits divides by a thousand,
    a sign after a backslash, and one in quotes, is only written."""
    digits, unit = re.fullmatch(r'([0\\.]+,*)"(.*)"', form).groups()
    places, commas = digits.rstrip(","), digits.count(",")
    literal = places.split("\\.")[1]
    whole = str(round(abs(value) / 1000**commas)).rjust(len(literal) + 1, "0")
    return f"{'-' if value < 0 else ''}{whole[: -len(literal)]}.{whole[-len(literal) :]}{unit}"


@pytest.mark.parametrize(
    ("largest", "value", "shown"),
    [
        (123_456.78, 123_456.78, "12.3万元"),
        (123_456.78, 600, "0.1万元"),
        (123_456.78, 0, "0.0万元"),
        (-5_000_000, -5_000_000, "-500.0万元"),
        (99_999_999, 99_999_999, "10000.0万元"),
        (100_000_000, 100_000_000, "1.00亿元"),
        (2_345_678_901.5, 1_234_567, "0.01亿元"),
    ],
)
def test_a_chinese_reader_sees_myriads_and_the_cell_keeps_every_cent(home, largest, value, shown):
    cells = sheet(home.client("tiny"), amounts(largest, value), code="zh")
    cell = cells["A6"]
    assert cell.value == value
    assert as_shown(value, cell.number_format) == shown
    assert cells["A5"].number_format == cell.number_format, "a column has one unit"


def test_small_amounts_and_other_languages_are_not_shortened(home):
    client = home.client("tiny")
    assert sheet(client, amounts(9_999.5), code="zh")["A5"].number_format == "#,##0.00"
    assert sheet(client, amounts(123_456.0), code="en")["A5"].number_format == "#,##0.00"


def test_where_rows_differ_in_their_units_each_amount_has_its_own(home):
    exhibit = amounts(123_456.0, 0.25, unit="row")
    exhibit["row_units"] = ["money", "share"]
    cells = sheet(home.client("tiny"), exhibit, code="zh")
    assert as_shown(123_456, cells["A5"].number_format) == "12.3万元"
    assert cells["A6"].number_format == "0.0%"


@pytest.mark.parametrize(("exhibit", "at"), [(EXHIBIT, "F4"), (WIDE, "A9")])
def test_the_picture_stands_beside_its_table_or_beneath_a_wide_one(home, exhibit, at):
    # Four columns: the picture begins one column off, in the line of the heading. A wide table ends in line 6.
    cells = sheet(
        home.client("tiny"), exhibit, shown=Pictures({("05-analysis-performance", "sales.by_month"): PICTURE})
    )
    (image,) = cells._images
    anchor = image.anchor._from
    assert f"{openpyxl.utils.get_column_letter(anchor.col + 1)}{anchor.row + 1}" == at


def test_a_picture_says_in_words_what_it_shows(home):
    client = home.client("tiny")
    sheet(client, shown=Pictures({("05-analysis-performance", "sales.by_month"): PICTURE}))
    with zipfile.ZipFile(client.folder / "exhibits.xlsx") as archive:
        assert 'descr="Sales by month. October: 1,235"' in archive.read("xl/drawings/drawing1.xml").decode()


def test_pictures_that_would_make_the_file_too_large_are_left_out(home):
    shown = Pictures({("05-analysis-performance", "sales.by_month"): PICTURE}, room=len(PICTURE.png) - 1)
    assert sheet(home.client("tiny"), shown=shown)._images == []


def test_a_sheet_prints_across_one_page_with_its_heading_on_each(home):
    cells = sheet(home.client("tiny"))
    assert cells.page_setup.orientation == "landscape"
    page = cells.page_setup
    assert (int(page.paperSize), page.fitToHeight) == (9, 0)  # A4, as many pages down as it takes
    assert page.fitToWidth in (None, 1)  # one page across, which a file need not say
    assert cells.sheet_properties.pageSetUpPr.fitToPage
    assert cells.print_title_rows == "$4:$4"
    assert cells.freeze_panes == "A5"


def test_the_pictures_of_a_run_are_found_by_their_exhibits(tmp_path, monkeypatch):
    new, outputs = nbformat.v4, []

    def shown(data, *, raw, metadata=None):
        assert raw
        outputs.append(new.new_output("display_data", data=data, metadata=metadata or {}))

    monkeypatch.setattr("IPython.display.display", shown)
    table = pd.DataFrame({"sales": [1]})
    Exhibit("sales", "Sales", table, Language("en", "CNY"), chart=PICTURE)._ipython_display_()
    shown({"image/png": PNG}, raw=True)  # a picture of no exhibit
    cell = new.new_code_cell("exhibit", outputs=outputs)
    nbformat.write(new.new_notebook(cells=[cell]), tmp_path / "05-x.ipynb")
    assert pictures.pictures(tmp_path, Language("en", "EUR")).by_exhibit == {("05-x", "sales"): PICTURE}
