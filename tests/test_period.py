"""Periods: which days a name covers, and which period came before."""

import datetime as dt

import pytest

from crmlib.errors import ConfigError
from crmlib.period import Period, day_number, day_of


@pytest.mark.parametrize(
    ("name", "start", "as_of", "before"),
    [
        ("2024", "2024-01-01", "2024-12-31", "2023"),
        ("2024-Q1", "2024-01-01", "2024-03-31", "2023-Q4"),
        ("2024-Q2", "2024-04-01", "2024-06-30", "2024-Q1"),
        ("2024-Q4", "2024-10-01", "2024-12-31", "2024-Q3"),
        ("2024-02", "2024-02-01", "2024-02-29", "2024-01"),  # a leap year
        ("2023-02", "2023-02-01", "2023-02-28", "2023-01"),
        ("2100-02", "2100-02-01", "2100-02-28", "2100-01"),  # a century that is none
        ("2024-01", "2024-01-01", "2024-01-31", "2023-12"),
        # 374 days: 2010-12-01 … 2011-12-09, so 2009-11-22 … 2010-11-30
        ("2010-12-01_2011-12-09", "2010-12-01", "2011-12-09", "2009-11-22_2010-11-30"),
        ("2024-03-01_2024-03-01", "2024-03-01", "2024-03-01", "2024-02-29_2024-02-29"),
    ],
)
def test_a_reader_names_a_period_and_gets_its_first_and_last_day_and_the_one_before(
    name, start, as_of, before
):
    period = Period.parse(name)
    assert (period.start.isoformat(), period.as_of.isoformat()) == (start, as_of)
    assert (period.name, period.previous().name) == (name, before)


FORMS = "Write it as 2024, 2024-Q4, 2024-12, or two dates like 2024-01-01_2024-03-31."


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("2024-Q5", f"Period '2024-Q5' is not a period. {FORMS}"),
        ("2024-13", f"Period '2024-13' is not a period. {FORMS}"),
        ("2024-00", f"Period '2024-00' is not a period. {FORMS}"),
        ("", f"Period '' is not a period. {FORMS}"),
        ("last quarter", f"Period 'last quarter' is not a period. {FORMS}"),
        ("2024-Q4\n", f"Period '2024-Q4\\n' is not a period. {FORMS}"),
        ("２０２４", f"Period '２０２４' is not a period. {FORMS}"),
        ("../2024", f"Period '../2024' is not a period. {FORMS}"),
        (None, f"Period None is not a period. {FORMS}"),
        (True, f"Period True is not a period. {FORMS}"),
        (20.24, f"Period 20.24 is not a period. {FORMS}"),
        ("0001", f"Period '0001': the year must lie between 1900 and 2200. {FORMS}"),
        (
            "2024-03-31_2024-01-01",
            f"Period '2024-03-31_2024-01-01': the second date lies before the first. {FORMS}",
        ),
    ],
)
def test_a_period_that_is_none_is_refused_in_one_sentence(name, message):
    with pytest.raises(ConfigError) as refused:
        Period.parse(name)
    assert str(refused.value) == message


def test_a_day_that_does_not_exist_begins_no_period():
    with pytest.raises(ConfigError) as refused:
        Period.parse("2024-02-30_2024-03-31")
    assert str(refused.value).startswith("Period '2024-02-30_2024-03-31': day is out of range")
    assert str(refused.value).endswith(FORMS)


def test_before_the_first_year_there_is_no_period_to_compare_with():
    with pytest.raises(ConfigError) as refused:
        Period.parse("1900").previous()
    assert str(refused.value) == "Period '1900' has no period before it."


@pytest.mark.parametrize(
    ("name", "year_before"),
    [
        ("2024", "2023"),
        ("2024-Q4", "2023-Q4"),
        ("2024-12", "2023-12"),
        ("2024-02", "2023-02"),
        ("2025-02", "2024-02"),
        ("2024-03-05_2024-04-10", "2023-03-05_2023-04-10"),
        ("2010-12-01_2011-12-09", "2009-12-01_2010-12-09"),  # longer than a year: the two overlap
        ("2024-01-01_2024-02-29", "2023-01-01_2023-02-28"),  # no 29 February a year before
        ("2024-02-29_2024-02-29", "2023-02-28_2023-02-28"),
        ("2025-02-28_2025-03-01", "2024-02-28_2024-03-01"),  # the same days; a leap day lies among them
    ],
)
def test_a_period_has_the_same_period_a_year_before(name, year_before):
    assert Period.parse(name).last_year().name == year_before


def test_before_the_first_year_there_is_no_year_before():
    with pytest.raises(ConfigError) as refused:
        Period.parse("1900-Q4").last_year()
    assert str(refused.value) == "Period '1900-Q4' has no period a year before it."


@pytest.mark.parametrize(
    ("delivered", "unit", "name"),
    [
        ("2025-01-06", "quarter", "2024-Q4"),
        ("2024-12-31", "quarter", "2024-Q4"),  # the last day itself completes it
        ("2024-12-30", "quarter", "2024-Q3"),
        ("2024-12-30", "month", "2024-11"),
        ("2024-12-30", "year", "2023"),
        ("2024-02-29", "month", "2024-02"),
        ("2024-02-28", "month", "2024-01"),
    ],
)
def test_without_a_period_the_newest_complete_one_is_taken(delivered, unit, name):
    assert Period.newest_complete(dt.date.fromisoformat(delivered), unit).name == name


def test_days_are_counted_from_1970():
    assert day_number(dt.date(2024, 12, 31)) == 20088  # 55 years of 365 days and 14 leap days, less 1
    assert day_of(20088) == dt.date(2024, 12, 31)


def test_a_year_that_papermill_made_a_number_is_still_a_year():
    assert Period.parse(2024) == Period.parse("2024")
