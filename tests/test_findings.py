"""Sentences and figures: only what the data make true, and nobody's name."""

import json

import pandas as pd
import pytest
from builders import CONFIG, made

from crmlib import findings, measures
from crmlib.collection.sources import CUSTOMER_COLUMNS
from crmlib.errors import MissingStep, SchemaError
from crmlib.exhibits import HEADINGS
from crmlib.language import EVERY
from crmlib.measures import ALL, UNITS, measure
from crmlib.period import Period
from crmlib.sentences import About, Said
from crmlib.visualisation import charts

ABOUT = About((Said("n = 1"),))
QUARTER = Period.parse("2024-Q4")
FORMS = {
    "yes": "{n:count} grew.",
    "no": "None of {n:count} grew.",
    "few": "Only {n:count}.",
    "absent": "Not supplied.",
}


@pytest.fixture
def book(acme):
    return findings.Book("05-analysis-performance", acme, QUARTER)


@pytest.fixture
def exhibit(book):
    """An exhibit with everything it must say, and what the test is about."""

    def shown(table: pd.DataFrame, title: str = "Places", **more):
        return book.exhibit(
            "shown", table, **({"title": title, "about": ABOUT, "serves": "sales.all"} | more)
        )

    return shown


@pytest.mark.parametrize(
    ("when", "n", "form", "sentence"),
    [
        (True, 40, "yes", "40 grew."),
        (False, 40, "no", "None of 40 grew."),
        (True, 29, "few", "Only 29."),
        (False, 30, "no", "None of 30 grew."),
        (None, 0, "absent", "Not supplied."),
    ],
)
def test_the_data_choose_which_sentence_is_said(book, when, n, form, sentence):
    found = book.say("growth", when=when, n=n, at_least=30, **FORMS)
    assert (found.form, found.sentence, repr(found)) == (form, sentence, sentence)


def test_a_form_that_has_no_sentence_is_a_mistake_of_the_notebook(book):
    with pytest.raises(ValueError, match="finding growth has no sentence for the form 'absent'"):
        book.say("growth", when=None, yes="y", no="n")


def test_a_finding_shows_text_from_data_as_text(book):
    found = book.say("place", {"region": "<b>江苏</b> & co"}, when=True, yes="{region} grew.", no="no")
    assert (
        found._repr_html_()
        == '<p class="finding yes" id="finding-place">&lt;b&gt;江苏&lt;/b&gt; &amp; co grew.</p>'
    )
    assert "<b>" not in book.answer()._repr_html_()


def test_a_figure_without_a_definition_is_refused(book):
    with pytest.raises(KeyError, match=r"sales\.magic has no definition in crmlib\.measures"):
        book.figure("sales.magic", 1)


def test_a_figure_without_a_value_must_say_why(book):
    with pytest.raises(ValueError, match=r"retention\.rate has neither a value nor a reason"):
        book.figure("retention.rate", None)
    book.figure("retention.rate", float("nan"), n=0, why="nobody bought in the previous period")
    assert book.figures["retention.rate"]["value"] is None
    assert book.figures["retention.rate"]["why"] == "nobody bought in the previous period"


@pytest.mark.parametrize(
    ("decimals", "smallest", "main"),
    [
        (3, 8887208894, 8887208.894),
        (2, 1, 0.01),
        (2, -14060180, -140601.80),
        (0, 5, 5.0),
        (2, 10**15 + 1, 10000000000000.01),
    ],
)
def test_money_is_exact_to_the_last_decimal(home, decimals, smallest, main):
    firm = made(home, CONFIG.replace("decimals: 2", f"decimals: {decimals}"))
    book = findings.Book("05-analysis-performance", firm, QUARTER)
    book.figure("sales.all", smallest, n=1)
    assert book.figures["sales.all"]["value"] == main
    assert json.dumps(book.figures["sales.all"]["value"]) == repr(main)


def test_a_figure_carries_its_unit_interval_and_number(book):
    book.figure("retention.rate", 0.5, n=10, low=0.27, high=0.73, previous=0.4)
    found = book.figures["retention.rate"]
    assert {k: found[k] for k in ("value", "unit", "low", "high", "n", "previous")} == {
        "value": 0.5,
        "unit": "share",
        "low": 0.27,
        "high": 0.73,
        "n": 10,
        "previous": 0.4,
    }
    assert found["formula"] == "active in this and the previous period ÷ active in the previous"


def test_customer_numbers_are_masked_wherever_they_are_shown(exhibit):
    shown = exhibit(pd.DataFrame({"customer_id": ["000123"], "orders": [3]}), title="Best")
    assert shown.table["customer_id"][0].startswith("C-")
    assert "000123" not in shown.html() + shown.plain() + json.dumps(shown.record())


@pytest.mark.parametrize("column", ["name", "contact", "raw"])
def test_a_table_with_names_is_refused(exhibit, book, column):
    with pytest.raises(SchemaError) as refused:
        exhibit(pd.DataFrame({column: ["张三"]}), title="Best")
    assert str(refused.value) == f"exhibit shown would show personal data in clear: {column}"
    assert book.exhibits == []


def test_an_exhibit_shows_text_from_data_as_text(exhibit):
    evil = "<script>alert(1)</script>"
    shown = exhibit(pd.DataFrame({"region": [evil], evil: ["x"]}), title="Places", about=About((Said(evil),)))
    assert "<script" not in shown.html()
    assert "&lt;script&gt;" in shown.html()


def test_an_exhibit_shows_money_in_main_units_and_leaves_the_table_alone(exhibit):
    table = pd.DataFrame({"region": ["A", "B"], "gross": [123456, None]})
    shown = exhibit(table, title="Places", units={"gross": "money"})
    assert shown.record()["rows"] == [["A", 1234.56], ["B", None]]
    assert "CN¥1,235" in shown.html()
    assert "—" in shown.html()
    assert table["gross"][0] == 123456


def test_rows_of_different_units_are_each_written_in_their_own(exhibit):
    table = pd.DataFrame(
        {"id": ["sales.all", "retention.rate"], "unit": ["money", "share"], "value": [50000, 0.25]}
    )
    shown = exhibit(table, title="Mixed", units={"id": "measure", "value": "row"})
    assert shown.table["value"].tolist() == [500, 0.25]
    assert "CN¥500.00" in shown.html()
    assert "25.0%" in shown.html()


def test_an_exhibit_with_a_missing_whole_number_shows_a_dash(exhibit):
    table = pd.DataFrame({"region": ["A"], "n": pd.array([None], "Int64")})
    shown = exhibit(table, title="Places", units={"n": "count"})
    assert "—" in shown.html()
    assert shown.record()["rows"] == [["A", None]]


def test_a_long_table_is_cut_on_the_page_and_whole_in_the_book(exhibit):
    shown = exhibit(pd.DataFrame({"x": [f"r{n}" for n in range(25)]}), title="Long")
    assert "r19" in shown.html()
    assert "r20" not in shown.html()
    assert "and 5 more rows in exhibits.xlsx" in shown.html()
    assert len(shown.record()["rows"]) == 25


def test_an_empty_table_is_said_to_be_empty(exhibit):
    shown = exhibit(pd.DataFrame({"x": []}), title="Places & more")
    assert shown.html() == (
        '<p class="finding absent">Places &amp; more. Nothing to show: not supplied, or too few.</p>'
    )


def test_what_was_looked_for_and_not_found_is_none_and_not_absent(exhibit):
    shown = exhibit(pd.DataFrame({"x": []}), title="Notes on files", sought=True)
    assert shown.html() == '<p class="finding no">Notes on files. None.</p>'
    assert shown.plain() == "Notes on files. None."
    assert shown.record()["nothing"] == "None."


def test_fields_of_a_customer_are_named_in_words(exhibit):
    pairs = pd.DataFrame({"field": ["customer_type"], "same": ["name, birth_year"], "near": [""]})
    shown = exhibit(pairs, title="Pairs", units={"x": "text"})
    assert shown.plain().splitlines()[2] == "Customer type | Name, Year of birth | "
    assert shown.record()["columns"][1] == {"name": "same", "heading": "Agree in", "unit": "fields"}


def test_every_field_that_customers_can_differ_in_has_a_word_of_the_catalogue():
    assert set(CUSTOMER_COLUMNS) - {"updated_day"} <= set(HEADINGS)


def test_the_summary_tells_the_same_sentences_again(book, acme):
    book.say("day", {"day": QUARTER.as_of, "m": 1250}, when=True, yes="By {day:date}: {m:money}.", no="no")
    book.save()
    again = findings.findings(acme, QUARTER, "05-analysis-performance")
    assert [f.sentence for f in again] == ["By 31 Dec 2024: CN¥12.50."]


def test_a_step_that_has_not_run_is_named(acme):
    with pytest.raises(MissingStep) as refused:
        findings.read("03-classification", acme, QUARTER)
    assert str(refused.value) == (
        "03-classification has not run for this client and period. Run notebook 03-classification first."
    )


def test_the_same_book_saved_twice_is_the_same_bytes(book):
    book.figure("sales.all", 100, n=1)
    assert book.save().read_bytes() == book.save().read_bytes()


@pytest.mark.parametrize(
    ("unit", "value", "previous", "moved"),
    [
        ("money", 110, 100, 0.1),
        ("money", 50, -100, 1.5),  # from a loss of 100 to a gain of 50: up by 1.5 of its size
        ("share", 0.5, 0.25, 0.25),
        ("score", 60, 65, -5),
        ("count", 5, 0, None),
        ("count", None, 5, None),
        ("count", 5, None, None),
    ],
)
def test_growth_is_relative_but_shares_and_scores_move_by_points(unit, value, previous, moved):
    assert measures.change(unit, value, previous) == moved


def test_every_measure_has_one_id_and_a_known_unit():
    ids = [known.id for known in ALL]
    assert len(ids) == len(set(ids))
    assert {known.unit for known in ALL} <= set(UNITS)


@pytest.mark.parametrize(
    ("id", "meant"),
    [
        ("sales.identified.region.华东.一", "sales.identified.{dimension}.{value}"),
        # so a raw score is labelled and explained as one on 0–100.
        ("satisfaction.product.raw", "satisfaction.{aspect}.raw"),
        ("satisfaction.mean.raw", "satisfaction.mean.raw"),
        ("satisfaction.product", "satisfaction.{aspect}"),
        ("tier.high.share", "tier.{level}.share"),
        ("ledger.transactions.money_in", "ledger.{table}.money_in"),
        ("delivered.transactions.Unit.Price.sum", "delivered.{source}.{column}.sum"),
    ],
)
def test_a_figure_finds_its_own_meaning(id, meant):
    assert measure(id).id == meant


def test_of_many_months_the_newest_are_shown(exhibit):
    months = [f"{2023 + n // 12}-{n % 12 + 1:02d}" for n in range(24)]
    page = exhibit(pd.DataFrame({"month": months}), title="Months").html()
    assert "2024-12" in page
    assert "2023-04" not in page


def test_what_goes_to_excel_knows_its_units_and_not_only_those_named_by_hand(exhibit):
    table = pd.DataFrame({"id": ["sales.all"], "unit": ["money"], "value": [1.5], "share": [0.5], "x": ["y"]})
    units = {column["name"]: column["unit"] for column in exhibit(table, title="T").record()["columns"]}
    assert units == {"id": "measure", "value": "row", "share": "share", "x": "text"}


@pytest.fixture
def bilingual(home, monkeypatch):
    """The book of a client whose report is published in two languages."""
    monkeypatch.setenv(EVERY, "1")
    firm = made(home, CONFIG + "languages: [en, zh]\n")
    return findings.Book("05-analysis-performance", firm, QUARTER)


def test_an_output_of_a_published_run_tells_the_same_in_the_further_language(bilingual):
    found = bilingual.say("d", {"day": QUARTER.as_of}, when=True, yes="as of {day:date}", no="n")
    bundle, metadata = found._repr_mimebundle_()
    assert bundle["text/plain"] == "as of 31 Dec 2024"
    assert metadata["crmlib"]["zh"]["text/plain"] == "截至2024年12月31日"


def test_a_note_an_answer_and_a_file_written_are_told_in_both(bilingual):
    bilingual.say("d", {"day": QUARTER.as_of}, when=True, yes="as of {day:date}", no="n")
    for shown in (bilingual.note("as of {day:date}", day=QUARTER.as_of), bilingual.answer()):
        bundle, metadata = shown._repr_mimebundle_()
        assert "31 Dec 2024" in bundle["text/html"]
        assert "截至2024年12月31日" in metadata["crmlib"]["zh"]["text/html"]


def test_a_notebook_run_by_hand_tells_its_own_language_alone(book):
    found = book.say("d", {"day": QUARTER.as_of}, when=True, yes="as of {day:date}", no="n")
    assert found._repr_mimebundle_()[1] == {}


def test_a_picture_is_drawn_again_from_the_same_table_with_other_words(bilingual):
    drawn = []

    def draw(table, *, heading, show, **drawing):
        levels, value = table["level"].tolist(), show("customers", 3)
        drawn.append((drawing["title"], drawing["about"], heading("customers"), levels, value))
        return charts.bars(table, heading=heading, show=show, **drawing)

    table = pd.DataFrame({"level": ["high"], "customers": [3]})
    told = {"title": "Customers by tier", "about": bilingual.about(3, "customers", "classes")}
    of = {"serves": "tier.{level}.customers", "draw": draw, "label": "level", "size": "customers"}
    shown = bilingual.exhibit("t", table, **told, **of)
    other = shown.told_in(bilingual.language.further[0])
    assert drawn == [
        (
            "Customers by tier",
            "n = 3 customers · as of 31 Dec 2024 · source: classes",
            "Customers",
            ["High"],
            "3",
        ),
        ("各分级的客户", "n = 3 位客户 · 截至2024年12月31日 · 来源：分类", "客户数", ["高"], "3"),
    ]
    said = (shown.chart.alt, other.chart.alt)
    assert said == ("Customers by tier. Customers: High: 3", "各分级的客户。客户数：高：3")


def test_a_book_is_the_same_whatever_language_its_reader_reads(home):
    books = []
    for code in ("en", "zh"):
        firm = made(home, CONFIG + f"languages: [{code}]\n")
        book = findings.Book("05-analysis-performance", firm, QUARTER)
        table = pd.DataFrame({"region": ["A"], "gross": [123456]})
        book.exhibit(
            "s", table, title="Sales by region", about=book.about(1, "customers", "classes"), serves="x"
        )
        book.exhibit(
            "none", table.head(0), title="Sales by region", about=book.about(0, "rows", "x"), serves="x"
        )
        book.say("d", {"day": QUARTER.as_of}, when=True, yes="as of {day:date}", no="n")
        books.append(book.save().read_bytes())
    assert books[0] == books[1]
