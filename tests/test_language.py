"""What a reader reads: figures as the language writes them."""

import ast
import datetime as dt
import io
import math
import re
import string
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from crmlib import exhibits, language
from crmlib.language import Language, catalogues, extraction
from crmlib.language.words import TWO_SENSES
from crmlib.visualisation.theme import drawable

ROOT = Path(__file__).resolve().parent.parent
ENGLISH = Language("en", "CNY")
CHINESE = Language("zh", "CNY")


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (1234567, "count", "1,234,567"),
        (0.4529, "share", "45.3%"),
        (0, "share", "0.0%"),
        (0.0004, "share", "<0.1%"),
        (1, "share", "100.0%"),
        (999.5, "money", "CN¥999.50"),
        (0, "money", "CN¥0"),
        (1234.56, "money", "CN¥1,235"),
        (-1234.56, "money", "-CN¥1,235"),
        (6881363.57, "short_money", "CN¥6.9M"),
        (12.5, "days", "12.5"),
        (64.25, "score", "64.2"),
        (0.125, "number", "0.125"),
        (dt.date(2024, 12, 31), "date", "31 Dec 2024"),
        ("champion", "word", "Champion"),
        ("广东省", "word", "广东省"),
        (None, "money", "—"),
        (math.nan, "share", "—"),
        ("as it came", "text", "as it came"),
    ],
)
def test_a_figure_is_written_as_an_english_reader_expects(value, unit, shown):
    assert ENGLISH.show(value, unit) == shown


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.05, "share", "+5.0 points"),
        (-0.012, "share", "-1.2 points"),
        (0.05, "money", "+5.0%"),
        (-0.25, "count", "-25.0%"),
        (-2.04, "score", "-2.0"),
        (None, "money", "—"),
    ],
)
def test_a_change_carries_its_sign(value, unit, shown):
    assert ENGLISH.change(value, unit) == shown


def test_a_sentence_names_the_unit_of_each_place():
    said = ENGLISH.text("{n:count} of {name} paid {m:money}", n=1200, name="{n}", m=12.3)
    assert said == "1,200 of {n} paid CN¥12.30"


def test_a_text_without_places_keeps_its_braces():
    assert ENGLISH.text("in {braces}") == "in {braces}"
    assert ENGLISH.text("") == ""


def test_a_loss_too_small_to_show_is_not_told_as_a_gain():
    # A margin of −0.01 % once read "<0.1%", which any reader takes for a small profit.
    assert ENGLISH.show(-0.0001, "share") != ENGLISH.show(0.0001, "share")


@pytest.mark.parametrize("unit", ["days", "score", "number", "money", "short_money"])
def test_a_number_beyond_all_bounds_is_written_by_its_power_of_ten(unit):
    # Intervals of a model that the data hardly tell apart reach that far; the report once failed on one.
    assert "2.5E31" in Language("en", "CNY").show(2.5e31, unit)


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (1234567, "count", "1,234,567"),
        (0.4529, "share", "45.3%"),
        (999.5, "money", "¥999.50"),
        (1234.56, "money", "¥1,235"),
        (-1234.56, "money", "-¥1,235"),
        (2219.19, "short_money", "¥2,219"),  # four digits are no ten thousands; it once had all its decimals
        (71234, "short_money", "¥7.1万"),
        (6881363.57, "short_money", "¥688.1万"),
        (123456789, "short_money", "¥1.2亿"),
        (-6881363.57, "short_money", "-¥688.1万"),
        (2041234, "near_money", "¥204.12万"),
        (dt.date(2024, 12, 31), "date", "2024年12月31日"),
        (["high", "low"], "words", "高、低"),
        ("money+recency", "joint", "金额 + 近度"),
        ("广东省", "word", "广东省"),
        ("GB18030, comma", "form", "GB18030、逗号"),
        ("sheet 业务明细", "form", "工作表 业务明细"),
        ("surveys, classes", "sources", "调查问卷、分类"),
        (None, "money", "—"),
    ],
)
def test_a_figure_is_written_as_a_chinese_reader_expects(value, unit, shown):
    assert CHINESE.show(value, unit) == shown


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [(0.05, "share", "+5.0个百分点"), (-0.25, "count", "-25.0%"), (-2.04, "score", "-2.0")],
)
def test_a_change_in_chinese_carries_its_sign_and_its_word(value, unit, shown):
    assert CHINESE.change(value, unit) == shown


def test_a_client_s_own_words_are_never_translated():
    own = Language("zh", "CNY", {"high": "VIP"})
    assert (own.show("high", "word"), own.show("Customers", "name")) == ("VIP", "Customers")


@pytest.mark.parametrize(
    ("code", "shown"),
    [("zh", "满意度"), ("zh-CN", "满意度"), ("zh-Hans", "满意度"), ("zh-TW", "滿意度"), ("zh-HK", "滿意度")],
)
def test_chinese_is_written_in_the_characters_of_its_reader(code, shown):
    assert Language(code, "CNY").show("satisfaction", "word") == shown


@pytest.mark.parametrize(
    ("code", "day"), [("zh-TW", "2024年12月31日"), ("en-GB", "31 Dec 2024"), ("en-US", "31 Dec 2024")]
)
def test_a_territory_writes_dates_as_its_language_does(code, day):
    assert Language(code, "CNY").show(dt.date(2024, 12, 31), "date") == day


def test_one_english_word_that_has_two_senses_is_two_chinese_words():
    # "Lost" names a class of customers, and at the head of a column those who left.
    assert CHINESE.show("lost", "word") != CHINESE.heading("Lost")
    assert ENGLISH.show("lost", "word") == ENGLISH.heading("Lost") == "Lost"


def template():
    return [m for m in read_po(io.BytesIO(extraction.messages(ROOT))) if m.id]


def catalogue(code):
    path = catalogues.LOCALES / code / "LC_MESSAGES" / catalogues.DOMAIN
    return read_po(io.BytesIO(path.read_bytes()), locale=code)


def places(text):
    """The places of a text with their units; how often each stands."""
    return Counter((name, unit) for _, name, unit, _ in string.Formatter().parse(text) if name is not None)


def is_sentence(text):
    """A text whose places are filled: others may have braces of their own, as code in prose has."""
    return all(name.isidentifier() for name, _ in places(text))


FURTHER = [code for code in catalogues.known() if code != catalogues.ENGLISH]


@pytest.mark.parametrize("code", FURTHER)
def test_no_text_is_left_untranslated(code):
    found = {(m.context, m.id): m for m in catalogue(code) if m.id}
    lacking = [
        (m.context, m.id)
        for m in template()
        if (m.context, m.id) not in found or not found[m.context, m.id].string or found[m.context, m.id].fuzzy
    ]
    assert lacking == []


@pytest.mark.parametrize("code", FURTHER)
def test_a_translation_has_the_places_of_its_text_each_in_its_unit(code):
    wrong = []
    for m in catalogue(code):
        if m.id and m.string and "{" in m.id and "`" not in m.id and places(m.id) != places(m.string):
            wrong.append((m.id, m.string))
    assert wrong == []


@pytest.mark.parametrize("code", FURTHER)
def test_a_catalogue_has_the_texts_of_today_and_no_others(code):
    path = catalogues.LOCALES / code / "LC_MESSAGES" / catalogues.DOMAIN
    assert {(m.context, m.id) for m in catalogue(code)} == {
        (None, ""),
        *((m.context, m.id) for m in template()),
    }
    assert b"#~" not in path.read_bytes()


def test_every_text_that_a_call_takes_is_one_that_a_translator_can_find():
    """A text put together where it is told is found by nobody."""
    # What collection and cleaning put together is SQL, and the reasons of guesses in client.yml, which is English.
    paths = [p for p in (ROOT / "crmlib").rglob("*.py") if p.parent.name not in ("collection", "cleaning")]
    assert len(paths) > 50
    faults = []
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            taken = [*extraction._said(node), *extraction._named(node)]
            put_together = [place for place in taken if isinstance(place, ast.JoinedStr)]
            if any(re.search("[A-Za-z]{2}", str(part.value)) for p in put_together for part in _letters(p)):
                faults.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert faults == []


def _letters(text):
    return [part for part in text.values if isinstance(part, ast.Constant)]


def test_every_heading_with_two_senses_is_the_heading_of_a_column():
    from crmlib.headings import HEADINGS
    from crmlib.language import WORDS

    assert set(TWO_SENSES) <= {*HEADINGS.values(), *WORDS.values()}


def test_columns_that_the_library_shows_are_called_by_a_text_of_the_catalogue():
    texts = {m.id for m in template()}
    unnamed = {column for column in exhibits.UNITS if exhibits.heading(column) not in texts}
    assert unnamed == set()


def test_the_further_languages_are_told_only_where_a_run_is_published(acme, monkeypatch):
    assert language.of(acme).further == ()
    monkeypatch.setenv(language.EVERY, "1")
    acme.settings.languages.append("zh")
    assert [other.code for other in language.of(acme).further] == ["zh"]


@pytest.mark.parametrize("code", FURTHER)
def test_every_translation_can_be_drawn_in_a_figure(code):
    undrawn = {sign for m in catalogue(code) for sign in str(m.string) if drawable(sign) != sign.strip()}
    assert undrawn == set()
