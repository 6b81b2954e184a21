"""The page stands alone, reads well, and nothing a client's data says can do anything in it."""

import base64
import html.parser
import io
import json
import re

import nbformat
import pytest
from fontTools.pens.boundsPen import BoundsPen
from fontTools.ttLib import TTFont

from crmlib.period import Period
from crmlib.workbook import glyphs, report
from crmlib.workbook.execution import Failure
from crmlib.workbook.kernels import ROOT

Q4 = Period.parse("2024-Q4")
VOID = {"meta", "br", "hr", "img", "col"}


class Page(html.parser.HTMLParser):
    """What a browser would find: elements, their attributes, and the text."""

    def __init__(self, text: str):
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        assert self.open == [], "an element is never closed"

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def section(*cells, step="03-classification"):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Why?"), *cells])
    return report.section(step, notebook)


def cell(source="1", tags=(), **data):
    made = nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)}, execution_count=7)
    metadata = data.pop("metadata", {})
    bundle = {name.replace("_", "/"): value for name, value in data.items()}
    made.outputs = [nbformat.v4.new_output("display_data", data=bundle, metadata=metadata)]
    return made


@pytest.fixture
def page(home):
    client = home.client("tiny", shown="A & B <Ltd>")
    folder = home.hand_over(client, Q4) / "notebooks"
    wide = cell(
        text_html='<table class="exhibit"><tr><th scope="col">n</th><td class="n">1</td></tr></table>'
    )
    link = nbformat.v4.new_markdown_cell(
        "# What are they worth?\n\n## How much?\n\nSee [classes](03-classification.ipynb), "
        "[the plan](plan.ipynb), [a paper](https://example.org/a)."
    )
    picture = cell(image_png="iVBORw0KGgo=\n", metadata={"image/png": {"alt": 'A "rising" line'}})
    made = nbformat.v4.new_notebook(cells=[link, wide, picture])
    nbformat.write(made, folder / "04-visualisation.ipynb")
    return report.page(client, Q4, folder, incomplete=False)


def test_the_page_runs_no_script_and_asks_nobody(page):
    found = Page(page)
    names = {name for name, _ in found.elements}
    assert names.isdisjoint(
        {"script", "iframe", "object", "embed", "link", "form", "base", "svg", "audio", "video"}
    )
    policy = [a["content"] for a in found.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]
    assert all(a["src"].startswith("data:image/png;base64,") for a in found.all("img"))
    assert not re.search(r"url\(|@import", page)
    assert not any(name.startswith("on") for _, attributes in found.elements for name in attributes)


def test_every_picture_says_what_it_shows(page):
    assert [a["alt"] for a in Page(page).all("img")] == ['A "rising" line']


def test_the_summary_comes_first_and_the_contents_lead_to_every_section(page):
    found = Page(page)
    steps = ["12-summary", "01-collection", "02-cleaning", "03-classification", "04-visualisation"]
    assert [a["id"] for a in found.all("section")] == [
        *steps,
        "05-analysis-performance",
        "06-analysis-satisfaction",
        "07-analysis-value",
        "08-analysis-churn",
        "09-analysis-preferences",
        "10-analysis-relationships",
    ]
    ids = [a["id"] for _, a in found.elements if "id" in a]
    assert len(ids) == len(set(ids))
    inner = [a["href"][1:] for a in found.all("a") if a["href"].startswith("#")]
    assert set(inner) <= set(ids) and set(steps) <= set(inner)
    assert len(found.all("h1")) == 1 and "A & B <Ltd> · 2024-Q4" in found.text


def test_the_code_of_each_cell_is_one_click_away_without_a_script(page):
    found = Page(page)
    cells = [a for a in found.all("details") if a.get("class") == "code"]
    assert len(cells) == found.text.count("How this was computed") >= 2


def test_code_is_shown_as_text_and_parameters_are_not():
    made = nbformat.v4.new_notebook(
        cells=[cell("x = '<script>alert(1)</script>'"), cell("client = 'acme'", tags=["parameters"])]
    )
    body = report.section("03-classification", made, code="Code").body
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in body
    assert "<script" not in body and "acme" not in body


def test_every_question_can_be_led_to(page):
    assert '<h3 id="04-visualisation-1">How much?</h3>' in page
    assert '<a href="#04-visualisation-1">How much?</a>' in page


def test_links_between_notebooks_lead_to_sections_and_none_is_broken(page):
    assert '<a href="#03-classification">classes</a>' in page
    assert "ipynb" not in page and "the plan" in page
    assert '<a href="https://example.org/a">a paper</a>' in page


def test_a_wide_table_scrolls_in_a_box_of_its_own(page):
    assert '<div class="scroll" tabindex="0"><table class="exhibit">' in page
    assert "</table></div>" in page


def test_a_table_is_called_by_its_caption_and_a_row_by_its_first_word():
    rows = '<tr><td class="t">High</td><td class="n">139</td></tr><tr><td class="n">7</td><td class="t">x</td></tr>'
    table = f'<table class="exhibit"><caption>By &lt;tier&gt;</caption><tbody>{rows}</tbody></table>'
    body = section(cell(text_html=table)).body
    box = Page(body).all("div")[0]
    assert (box["role"], box["aria-label"]) == ("group", "By <tier>")
    assert '<th class="t" scope="row">High</th><td class="n">139</td>' in body
    assert '<td class="n">7</td><td class="t">x</td>' in body


@pytest.mark.parametrize(
    ("columns", "size"), [(7, ""), (8, " many"), (11, " most"), (14, " dense"), (15, " all")]
)
def test_a_table_of_many_columns_is_printed_smaller(columns, size):
    head = "".join(f'<th scope="col">{number}</th>' for number in range(columns))
    body = section(cell(text_html=f"<table><thead><tr>{head}</tr></thead></table>")).body
    assert f'<div class="scroll{size}" tabindex="0">' in body


def test_the_head_of_the_page_shows_figures_with_what_changed(home, monkeypatch):
    known = {
        "sales.identified": {"value": 1100.0, "previous": 1000.0, "unit": "money"},
        "retention.rate": {"value": None, "unit": "share"},
        "churn.rate": {"value": 0.07, "previous": 0.09, "unit": "share"},
        "nps.score": {"value": 4.0, "unit": "score"},
    }
    monkeypatch.setattr(report.findings, "figures", lambda client, period: known)
    client = home.client("tiny", shown="Tiny")
    page = report.page(client, Q4, home.hand_over(client, Q4) / "notebooks", incomplete=False)
    cards = page[page.index('<dl class="cards">') : page.index("</dl>")]
    # One figure is unknown and gets no card; one has nothing before it and tells no change.
    assert re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", cards) == [
        ("Identified sales", "CN¥1,100"),
        ("Churn", "7.0%"),
        ("Net promoter score", "4.0"),
    ]
    moved = re.findall(r'<dd class="moved">(.*?) <span>(.*?)</span></dd>', cards)
    assert moved == [("+10.0%", "2024-Q3: CN¥1,000"), ("-2.0 points", "2024-Q3: 9.0%")]


def test_who_comes_by_keyboard_can_go_to_the_summary_at_once(page):
    first = Page(page).all("a")[0]
    assert first == {"class": "skip", "href": "#12-summary"}


def test_a_picture_without_alternative_text_fails_the_run():
    with pytest.raises(Failure, match="no alternative text") as problem:
        section(cell(image_png="iVBORw0KGgo="))
    assert problem.value.where() == "notebook 03-classification, cell [7]"


def test_chinese_text_brings_its_own_glyphs_and_english_text_none(home):
    pages = []
    for name, shown in (("english", "Acme"), ("chinese", "安徽银行")):
        client = home.client(name, shown=shown)
        pages.append(report.page(client, Q4, home.hand_over(client, Q4) / "notebooks", incomplete=False))
    assert "@font-face" not in pages[0] and "font-src" not in pages[0]
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:"
    assert Page(pages[1]).all("meta")[1]["content"] == policy
    assert re.findall(r"url\((.{15})", pages[1]) == ["data:font/woff;"]


def test_the_blocks_of_a_line_in_a_table_are_of_one_font():
    rule = glyphs.face("Sales ▁▂▃▄▅▆▇█ ·")
    font = TTFont(io.BytesIO(base64.b64decode(re.search(r"base64,([^)]+)\)", rule)[1])))
    assert {chr(sign) for sign in font.getBestCmap()} == set("▁▂▃▄▅▆▇█")
    # They stand on one foot, each higher than the one before it.
    drawn = font.getGlyphSet()
    tops, feet = [], []
    for sign in "▁▂▃▄▅▆▇█":
        pen = BoundsPen(drawn)
        drawn[font.getBestCmap()[ord(sign)]].draw(pen)
        feet.append(pen.bounds[1])
        tops.append(pen.bounds[3])
    assert len(set(feet)) == 1
    assert tops == sorted(set(tops))


@pytest.mark.parametrize("tag", ["parameters", "injected-parameters", "session", "setup", "explore"])
def test_cells_for_the_machine_or_the_analyst_are_left_out(tag):
    assert "secret" not in section(cell(text_plain="secret", tags=[tag])).body


def test_code_warnings_and_widgets_are_left_out_and_printed_text_stays():
    made = cell("secret = 1", **{"text_plain": "IntSlider()", "application_vnd.jupyter.widget-view+json": {}})
    for name, text in (("stderr", "a warning"), ("stdout", "4 <rows>")):
        made.outputs.append(nbformat.v4.new_output("stream", name=name, text=text))
    body = section(made).body
    assert "<pre>4 &lt;rows&gt;</pre>" in body
    assert not any(text in body for text in ("secret", "IntSlider", "warning"))


ATTACKS = (
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    '<a href="javascript:alert(1)">x</a>',
    "<iframe src=https://example.org></iframe>",
    '<p style="background:url(https://example.org)" onclick="alert(1)">x</p>',
    "<svg onload=alert(1)><style>@import 'https://example.org'</style></svg>",
    "<style>body{background:url(//example.org)}</style>",
    '<form action="https://example.org"><button>x</button></form>',
    "</section></main><h1>Fake</h1>",
    "<table><tr><td><math><mtext></table><mglyph><style><img src=x onerror=alert(1)>",
)


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("kind", ["text_html", "text_markdown", "text_plain", "prose"])
def test_html_from_data_is_inert(attack, kind):
    hostile = nbformat.v4.new_markdown_cell(attack) if kind == "prose" else cell(**{kind: attack})
    _inert(section(hostile).body)


def test_naughty_strings_are_inert():
    corpus = ROOT.parent / "shared" / "corpora" / "blns" / "blns.json"
    if not corpus.is_file():
        pytest.skip("the corpus of naughty strings is not here")
    strings = json.loads(corpus.read_text("utf-8"))
    cells = [cell(**{kind: text}) for text in strings for kind in ("text_html", "text_plain")]
    _inert(section(*cells).body)


def _inert(body: str) -> None:
    found = Page(body)
    allowed = {*report._BLOCKS, *report._INLINE, *report._HEADINGS, "div", "a"}
    assert {name for name, _ in found.elements} <= allowed
    for _, attributes in found.elements:
        assert set(attributes) <= {"class", "scope", "href", "id", "colspan", "rowspan", "tabindex"}
        assert (attributes.get("href") or "#").startswith(("#", "https://", "http://", "mailto:"))
