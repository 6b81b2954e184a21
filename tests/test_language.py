"""What a reader reads: figures as the language writes them."""

import datetime as dt
import math

import pytest

from crmlib.language import Language

ENGLISH = Language("en", "CNY")


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
