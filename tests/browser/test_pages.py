"""What a run publishes, opened in a real browser: it asks nobody, fits every width, and anybody can read it."""

import shutil

import pytest
from browsing import look, picture, until
from pypdf import PdfReader

from crmlib.workbook import printing

RUN = "reports/demo/2024-Q4"
# Tables, figures and cards that stick out of the sheet, where nothing can scroll.
CUT = """() => [...document.querySelectorAll('table, img, .cards, .finding, pre, nav')]
  .filter(e => e.offsetParent && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map(e => e.querySelector('caption')?.innerText || e.alt || e.outerHTML.slice(0, 99))"""
# A graph is there once its script has drawn it.
DRAWN = "!document.getElementById('graph') || 'ready' in document.documentElement.dataset"
SHEET = 688  # pixels of an A4 page between its margins
LOOKS = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]


def pages(home):
    """Every page of the run, and the list of all runs."""
    found = sorted((home / RUN).glob("*.html"))
    assert home / RUN / "report.html" in found
    return [*found, home / "reports" / "index.html"]


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_a_page_asks_nobody_complains_of_nothing_fits_its_width_and_has_no_grave_fault(
    chromium, demo_run, width, scheme
):
    wrong = {}
    for path in pages(demo_run):
        with look(chromium, path.as_uri(), width=width, scheme=scheme) as seen:
            assert until(lambda seen=seen: seen.page.evaluate(DRAWN)), (
                f"the graph of {path.name} was never drawn"
            )
            picture(seen, demo_run / RUN, f"{path.stem}-{width}-{scheme}")
            found = {
                "asked outside": seen.outside,
                "asked for other files": [
                    url for url in seen.asked if url.startswith("file:") and url != path.as_uri()
                ],
                "too wide": seen.too_wide(),
                "accessibility": seen.grave(),
                "complaints": seen.complaints,
            }
        wrong |= {(path.name, what): faults for what, faults in found.items() if faults}
    assert wrong == {}


def test_the_contents_stay_beside_what_is_read_and_lead_there(chromium, demo_run):
    page = (demo_run / RUN / "report.html").as_uri()
    with look(chromium, page) as seen:
        before = seen.page.locator("body > nav").bounding_box()
        seen.page.locator('body > nav a[href="#03-classification"]').click()
        assert (
            seen.page.evaluate("document.getElementById('03-classification').getBoundingClientRect().top")
            < 99
        )
        after = seen.page.locator("body > nav").bounding_box()
        assert before["x"] == after["x"] and 0 <= after["y"] < 99
        assert after["x"] + after["width"] < seen.page.locator("main").bounding_box()["x"]
        picture(seen, demo_run / RUN, "report-contents")


def test_a_sentence_of_the_summary_leads_to_its_evidence_which_is_marked(chromium, demo_run):
    with look(chromium, (demo_run / RUN / "report.html").as_uri()) as seen:
        link = seen.page.locator("ul.answer a").first
        target = link.get_attribute("href")
        link.click()
        evidence = seen.page.locator(f'[id="{target[1:]}"]')
        assert evidence.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
        assert 0 <= evidence.bounding_box()["y"] < 900


def test_a_reader_with_a_keyboard_goes_past_the_contents_with_one_key(chromium, demo_run):
    with look(chromium, (demo_run / RUN / "report.html").as_uri()) as seen:
        seen.page.keyboard.press("Tab")
        skip = seen.page.locator(":focus")
        assert (skip.inner_text(), skip.bounding_box()["x"] >= 0) == ("Go to the summary", True)
        seen.page.keyboard.press("Enter")
        assert seen.page.url.endswith("#12-summary")


def test_code_is_one_click_away_and_shut_before(chromium, demo_run):
    with look(chromium, (demo_run / RUN / "report.html").as_uri()) as seen:
        code = seen.page.locator("details.code").first
        assert not code.locator("pre").is_visible()
        code.locator("summary").click()
        assert code.locator("pre").is_visible()


def test_a_wide_table_scrolls_by_keyboard_inside_its_box(chromium, demo_run):
    with look(chromium, (demo_run / RUN / "report.html").as_uri(), width=390) as seen:
        boxes = seen.page.locator(".scroll")
        wide = boxes.evaluate_all("all => all.findIndex(e => e.scrollWidth > e.clientWidth)")
        assert wide >= 0, "no table is wider than a telephone"
        box = boxes.nth(wide)
        box.focus()
        seen.page.keyboard.press("ArrowRight")
        # The page's own rules let nobody wait inside it for something to become true.
        assert until(lambda: box.evaluate("e => e.scrollLeft") > 0)


def test_on_paper_nothing_sticks_out_of_the_sheet(chromium, demo_run):
    for path in pages(demo_run):
        with look(chromium, path.as_uri(), width=SHEET, scheme="dark") as seen:
            seen.page.emulate_media(media="print")
            assert seen.page.evaluate(CUT) == [], path.name
            # Ink on white, whatever the screen's colours are.
            assert (
                seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
            )
            picture(seen, demo_run / RUN, f"{path.stem}-print")


@pytest.mark.parametrize("name", ["report.html", "report.zh.html"])
def test_the_pdf_has_a_title_numbered_pages_and_links(chromium, demo_run, tmp_path, name):
    page = tmp_path / name
    shutil.copy(demo_run / RUN / name, page)
    pdf = PdfReader(printing.printed(page, printing.browser()))
    assert pdf.metadata.title == "云澜城市银行 · 2024-Q4"
    total = len(pdf.pages)
    texts = [sheet.extract_text() for sheet in pdf.pages]
    assert all(f"{number} / {total}" in text for number, text in enumerate(texts, 1))
    assert not any("file://" in text for text in texts)
    links = [
        note.get_object()["/Dest"]
        for sheet in pdf.pages
        for note in sheet.get("/Annots") or []
        if "/Dest" in note.get_object()
    ]
    assert {"/12-summary", "/03-classification"} <= set(links) <= set(pdf.named_destinations)
    assert pdf.outline[0]["/Title"] == pdf.metadata.title
    # A4, and no sheet is empty.
    assert {tuple(round(float(side)) for side in sheet.mediabox[2:]) for sheet in pdf.pages} <= {
        (595, 842),
        (842, 595),
    }
    assert all(len(text.strip()) > 20 or sheet.images for text, sheet in zip(texts, pdf.pages, strict=True))
