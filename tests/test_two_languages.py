"""One run, two reports: the same figures, and in neither a word of the other's language."""

import datetime as dt
import html
import json
import re
from collections import Counter

import pytest
from openpyxl import load_workbook
from runs import ROOT

from crmlib import client as clients

REPORT = "reports/demo/2024-Q4"
LARGEST = 3_000_000
DAY = re.compile(r"(\d{1,2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec) (\d{4})")
TAG = (("万", 10_000), ("亿", 100_000_000), ("K", 1_000), ("M", 1_000_000), ("B", 1_000_000_000))


@pytest.fixture(scope="module")
def published(demo_run):
    return demo_run / REPORT


@pytest.fixture(scope="module")
def pages(published):
    """The English page and the Chinese one."""
    return [(published / name).read_text("utf-8") for name in ("report.html", "report.zh.html")]


def cells(page):
    """What stands in each cell of each table."""
    tables = re.findall(r'<table class="exhibit">(.*?)</table>', page, re.DOTALL)
    return [[html.unescape(c) for c in re.findall(r"<td[^>]*>(.*?)</td>", t, re.DOTALL)] for t in tables]


def findings(page):
    """Each finding's anchor, whether it is good or bad news, and its sentence."""
    told = re.findall(r'<(?:p|li) class="([^"]*)" id="(finding-[^"]+)">(.*?)</(?:p|li)>', page, re.DOTALL)
    return {anchor: (form, html.unescape(re.sub("<[^>]+>", "", sentence))) for form, anchor, sentence in told}


def numbers(text):
    """Every number of a text as it is meant: days as days, 7.1万 as 71,000."""
    text = DAY.sub(lambda d: f"{d[3]}年{_month(d[2])}月{d[1]}日", text)
    days = re.findall(r"(\d{4})年(\d{1,2})月(\d{1,2})日", text)
    rest = re.sub(r"\d{4}年\d{1,2}月\d{1,2}日", " ", text)
    scale = dict(TAG)
    found = re.findall(r"([-+<>−]*)(?:CN¥|¥)?(\d[\d,]*(?:\.\d+)?)(万|亿|[KMB](?![A-Za-z]))?", rest)
    amounts = [
        (sign, round(float(digits.replace(",", "")) * scale.get(tag, 1), 6)) for sign, digits, tag in found
    ]
    return Counter([*days, *amounts])


def _month(name):
    return dt.datetime.strptime(name[:3], "%b").month


def test_both_pages_show_the_same_figures_cell_by_cell(pages):
    english, chinese = map(cells, pages)
    assert len(english) == len(chinese) >= 100
    assert sum(map(len, english)) >= 3000
    for ours, theirs in zip(english, chinese, strict=True):
        assert list(map(numbers, ours)) == list(map(numbers, theirs))


def test_every_finding_is_told_in_both_languages_with_the_same_numbers(pages):
    english, chinese = map(findings, pages)
    assert english.keys() == chinese.keys()
    assert len(english) >= 60
    for anchor, (form, sentence) in english.items():
        assert chinese[anchor][0] == form
        assert chinese[anchor][1] != sentence, anchor
        assert numbers(chinese[anchor][1]) == numbers(sentence), anchor


def test_both_workbooks_hold_the_same_numbers_in_the_same_cells(published):
    names = ("exhibits.xlsx", "exhibits.zh.xlsx")
    english, chinese = (load_workbook(published / name, read_only=True) for name in names)
    # The first sheet and the last, contents and limits, are called in the language.
    assert english.sheetnames[1:-1] == chinese.sheetnames[1:-1]
    counted = 0
    for name, other in zip(english.sheetnames[1:], chinese.sheetnames[1:], strict=True):
        for ours, theirs in zip(english[name].values, chinese[other].values, strict=True):
            numeric = [
                [v if isinstance(v, (int, float, dt.datetime)) else None for v in row]
                for row in (ours, theirs)
            ]
            assert numeric[0] == numeric[1], name
            counted += sum(value is not None for value in numeric[0])
    assert counted >= 5000


def test_each_page_says_its_language_and_leads_to_the_other(pages):
    english, chinese = pages
    assert english.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert chinese.startswith('<!DOCTYPE html>\n<html lang="zh-Hans">')
    assert '<a href="report.zh.html" hreflang="zh-Hans" lang="zh-Hans">中文</a>' in english
    assert '<a href="report.html" hreflang="en" lang="en">English</a>' in chinese


def test_the_graph_s_page_leads_back_to_the_report_in_its_language(published):
    for name, back in (("relations.html", "report.html"), ("relations.zh.html", "report.zh.html")):
        assert f'<a href="{back}">' in (published / name).read_text("utf-8")


def test_neither_page_is_too_large_to_send(published):
    for name in ("report.html", "report.zh.html"):
        assert (published / name).stat().st_size <= LARGEST, name


def pictures(page):
    """Each picture and what it is said to show."""
    found = re.findall(r"<img\b[^>]*>", page)
    return [
        (
            re.search(r'src="data:image/png;base64,([^"]+)"', p)[1],
            html.unescape(re.search(r'alt="([^"]+)"', p)[1]),
        )
        for p in found
    ]


def test_every_picture_is_drawn_again_with_words_of_its_page(pages):
    english, chinese = map(pictures, pages)
    assert len(english) == len(chinese) >= 40
    for (ours, alt), (theirs, other) in zip(english, chinese, strict=True):
        assert ours != theirs, alt
        assert re.search("[\u4e00-\u9fff]", other), other
        # Short money is cut at other places: 3.6M is 359.5万. How many numbers there are is the same.
        assert numbers(other).total() == numbers(alt).total(), (alt, other)


def test_published_notebooks_tell_only_their_own_language(published):
    for path in (published / "notebooks").glob("*.ipynb"):
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            assert not any("crmlib" in output.get("metadata", {}) for output in cell.get("outputs", [])), path


# What may stand in Latin letters in a Chinese report, and why.
LATIN = (
    r"\S+\.(?:csv|xlsx|jsonl|ya?ml|parquet|json|html)",  # names of files
    r"C-[0-9a-f]{6,}|[0-9a-f]{8,}",  # masked numbers and fingerprints
    r"[A-Za-z]\w*(?:[._-][A-Za-z0-9_]+)+",  # ids, sheets, columns and keys of client.yml, notebooks
    r"GB18030|UTF-8|CSV|SQL|JSON|Excel",  # forms of files
    r"RFM|NPS|KPI|ABC|SMART|P\(alive\)|BG/NBD|Pareto/NBD|Gamma-Gamma|Kaplan-Meier|Shapley",  # of the trade
    r"AUC|Brier|F1|PSI|MASE|Theta|PageRank|Louvain|Fisher",  # and of its models
    r"crm thresholds CLIENT FILE\.xlsx|--save",  # a command, as it is typed
    r"value(?= 列)",  # the column of limits that may be changed
    r"\d\d(?:-[a-z]+)+",  # notebooks
    r"A{1,3}|B{1,3}|C{1,3}|Q[1-4]",  # grades, classes and quarters
    r"(?:served|orders) [=≤] ?\w*",  # conditions of tags, as client.yml has them
)
ALLOWED = re.compile("|".join(f"(?<![A-Za-z])(?:{form})(?![A-Za-z])" for form in LATIN))
# Columns whose cells are not ours: headers as they were delivered, columns of our tables, parameters of models.
CODES = {"column", "header", "parameter", "source_column", "tag", "condition", "example"}
# By which the sheet of limits is found again when it comes back.
LIMITS = {"key", "meaning", "value", "allowed", "default"}


def latin(text, own):
    """Runs of Latin letters that are neither the client's own nor of the trade."""
    for name in own:
        text = text.replace(name, " ")
    return re.findall(r"[A-Za-z][A-Za-z'-]+(?: [A-Za-z][A-Za-z'-]*)*", ALLOWED.sub(" ", text))


@pytest.fixture(scope="module")
def own():
    """The client's own words, the longest first: names of goals and undertakings, and who owns them."""
    client = clients.settings(ROOT / "data" / "demo" / "client.yml")
    words = {text for goal in client.goals.values() for text in (goal.name, goal.owner, goal.supervisor)}
    words |= {undertaking.name for undertaking in client.undertakings.values()}
    return sorted(filter(None, words), key=len, reverse=True)


@pytest.fixture(scope="module")
def codes(demo_run):
    """Every cell that holds a code: whatever stands in one of `CODES`."""
    found = set()
    for path in (demo_run / "data/demo/built").rglob("books/*.json"):
        for exhibit in json.loads(path.read_text("utf-8"))["exhibits"]:
            places = [n for n, column in enumerate(exhibit["columns"]) if column["name"] in CODES]
            found |= {str(row[place]) for row in exhibit["rows"] for place in places}
    return found


def test_no_english_is_left_on_the_chinese_page(pages, own, codes):
    page = re.sub(
        r"<style>.*?</style>|<details class=\"code\">.*?</details>|<code>.*?</code>",
        " ",
        pages[1],
        flags=re.DOTALL,
    )
    page = re.sub(r'<nav class="languages".*?</nav>', " ", page, flags=re.DOTALL)
    described = re.findall(r'alt="([^"]*)"', page)
    shown = [html.unescape(text).strip() for text in (*re.split(r"<[^>]+>", page), *described)]
    assert len(shown) > 5000
    left = {word: text for text in shown if text not in codes for word in latin(text, own)}
    assert left == {}


def test_no_english_is_left_in_the_chinese_workbook(published, own, codes):
    book = load_workbook(published / "exhibits.zh.xlsx", read_only=True)
    left = {}
    for sheet in book.sheetnames:
        for row in book[sheet].values:
            cells = [
                cell
                for cell in row
                if isinstance(cell, str) and cell not in {*codes, *book.sheetnames, *LIMITS}
            ]
            left |= {word: (sheet, cell) for cell in cells for word in latin(cell, own)}
    assert left == {}
