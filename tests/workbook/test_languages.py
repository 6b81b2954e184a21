"""What is published and what an analyst opens, in the languages of the client."""

import json

import nbformat
import pytest
from openpyxl import load_workbook

from crmlib import client as clients
from crmlib.language import Language
from crmlib.period import Period
from crmlib.workbook import excel, lab, panel, publish, report, runs

Q4 = Period.parse("2024-Q4")
HEADING, TRANSLATED = "## How are we doing?", "## 我们的状况如何？"


def published(home, client, period=Q4):
    return publish.publish(publish.Run(client, period, home.hand_over(client, period)))


def told(**languages):
    """A cell whose output is told in English and, as metadata, in further languages."""
    cell = nbformat.v4.new_code_cell("x", execution_count=1)
    bundles = {code: {"text/html": f"<p>{text}</p>", "text/plain": text} for code, text in languages.items()}
    metadata = {"crmlib": {code: bundle for code, bundle in bundles.items() if code != "en"}}
    cell.outputs = [nbformat.v4.new_output("display_data", data=bundles["en"], metadata=metadata)]
    return cell


def section(cell, code):
    language = Language(code, "CNY", first=code == "en")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(HEADING), cell])
    return report.section("12-summary", notebook, language=language)


def test_a_page_takes_from_an_output_what_it_tells_in_the_page_s_language():
    cell = told(en="Sales rose.", zh="销售额上升。")
    english, chinese = (section(cell, code) for code in ("en", "zh"))
    assert "Sales rose." in english.body and "销售额上升" not in english.body
    assert "销售额上升。" in chinese.body and "Sales" not in chinese.body
    assert [part.headings[0][1] for part in (english, chinese)] == [HEADING[3:], TRANSLATED[3:]]


def test_a_picture_on_the_further_page_has_that_language_s_description():
    cell = told(en="x")
    picture = {"image/png": "iVBORw0KGgo=", "text/plain": "上升的线"}
    cell.outputs[0].data = {"image/png": "AAAA", "text/plain": "A line"}
    cell.outputs[0].metadata = {"image/png": {"alt": "A line"}, "crmlib": {"zh": picture}}
    assert 'alt="上升的线"' in section(cell, "zh").body
    assert 'alt="A line"' in section(cell, "en").body


def test_what_was_told_in_the_first_language_alone_is_on_every_page():
    assert "My own remark" in section(told(en="My own remark"), "zh").body


def test_text_from_data_is_inert_in_the_further_language_too():
    assert "<script" not in section(told(en="x", zh="<script>alert(1)</script>"), "zh").body


def test_a_client_of_two_languages_gets_a_report_and_a_workbook_of_each(home):
    place = published(home, home.client("tiny", languages="[zh, en]"))
    first, further = ((place / name).read_text("utf-8") for name in ("report.html", "report.en.html"))
    assert '<html lang="zh-Hans">' in first and '<html lang="en">' in further
    assert 'href="report.en.html"' in first and 'href="report.html"' in further
    sheets = [load_workbook(place / name).sheetnames[0] for name in ("exhibits.xlsx", "exhibits.en.xlsx")]
    assert sheets == ["目录", "Contents"]
    assert json.loads((place / "manifest.json").read_text("utf-8"))["languages"] == ["zh", "en"]


def test_the_results_are_the_same_whatever_the_language(home):
    places = [published(home, home.client(name, languages=f"[{name}]")) for name in ("en", "zh")]
    assert places[0].joinpath("results.json").read_bytes() == places[1].joinpath("results.json").read_bytes()


def test_a_client_of_one_language_is_led_to_no_other(home):
    place = published(home, home.client("tiny"))
    assert "hreflang" not in (place / "report.html").read_text("utf-8")
    assert sorted(path.name for path in place.glob("*.html")) == ["relations.html", "report.html"]


@pytest.mark.parametrize(
    ("amount", "form"),
    [
        (-123_456_789.0, '0\\.00,,"亿元"'),
        (100_000_000, '0\\.00,,"亿元"'),
        (71_234.5, '0\\.0,"万元"'),
        (9_999.99, "#,##0.00"),
    ],
)
def test_chinese_excel_shows_large_money_in_ten_thousands_and_keeps_it_whole(home, amount, form):
    client = home.client("tiny")
    exhibit = {
        "id": "sales",
        "title": "Sales by month",
        "about": [],
        "columns": [{"name": "gross", "heading": "Sales", "unit": "money"}],
        "rows": [[amount]],
        "row_units": ["text"],
    }
    books = [{"step": "s", "exhibits": [exhibit]}]
    path = home.root / "zh.xlsx"
    excel.exhibits(path, books, Language("zh", "CNY"), client=client, period=Q4)
    cell = load_workbook(path)["sales"]["A5"]
    assert (cell.value, cell.number_format) == (amount, form)


@pytest.mark.parametrize(
    ("codes", "language", "heading"), [("zh", "zh-Hans", "客户单位"), ("en zh", "en", "Client")]
)
def test_the_index_is_in_the_language_that_all_clients_read_first(home, codes, language, heading):
    for number, code in enumerate(codes.split()):
        published(home, home.client(f"c{number}", languages=f"[{code}]"))
    page = runs.write_index().read_text("utf-8")
    assert f'<html lang="{language}">' in page
    assert f'<th scope="col">{heading}</th>' in page


def test_the_index_leads_to_the_report_in_each_language(home):
    published(home, home.client("tiny", languages="[en, zh]"))
    page = runs.write_index().read_text("utf-8")
    assert '<a href="tiny/2024-Q4/report.zh.html" hreflang="zh-Hans" lang="zh-Hans">中文</a>' in page


def test_working_copies_have_their_prose_in_the_client_s_first_language(home):
    home.notebook("12-summary", "1", markdown=HEADING)
    client = home.client("tiny", languages="[zh, en]")
    folder = lab.copies(client, Q4).folder
    prose = nbformat.read(folder / "12-summary.ipynb", as_version=4).cells[0]
    assert prose.source == TRANSLATED
    assert lab.copies(client, Q4).made == []


def test_the_panel_speaks_the_language_of_a_client_that_has_one(home):
    home.client("tiny", languages="[zh]")
    labels = [button.description for button in panel.mapping("tiny").children[2].children]
    assert labels == ["查看文件", "保存", "撤销"]
    assert clients.load("tiny").languages == ["zh"]
