"""One cell as a moment in the client's own time: read as it surely is, or not at all."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlib.collection import moments

DAY = dt.datetime(2024, 3, 5)
HALF_PAST_TWO = dt.datetime(2024, 3, 5, 14, 30)


@pytest.mark.parametrize(
    ("cell", "moment", "rule"),
    [
        ("2024-03-05", DAY, ""),
        ("2024-3-5", DAY, ""),
        ("2024-03-05 14:30", HALF_PAST_TWO, ""),
        ("2024-03-05T14:30:00", HALF_PAST_TWO, ""),
        ("2024-03-05 14:30:00.000", HALF_PAST_TWO, ""),
        ("２０２４-０３-０５", DAY, "width"),
        ("2024/3/5", DAY, "year-first"),
        ("2024.3.5", DAY, "year-first"),
        ("2024年3月5日", DAY, "year-first"),
        ("2024 年 3 月 5 日", DAY, "year-first"),
        ("2024年3月5日 14时30分", HALF_PAST_TWO, "year-first"),
        ("2024年3月5日 下午2:30", HALF_PAST_TWO, "year-first"),
        ("20240305", DAY, "year-first"),
        ("20240305143000", HALF_PAST_TWO, "year-first"),
        ("2024/3/5 2:30 PM", HALF_PAST_TWO, "year-first"),
        ("45356", DAY, "excel-serial"),  # never a day of 1970
        ("45356.0", DAY, "excel-serial"),
        ("45356.604166666664", HALF_PAST_TWO, "excel-serial"),
        ("2024-02-29", dt.datetime(2024, 2, 29), ""),
    ],
)
def test_a_date_with_its_year_first_is_that_date(cell, moment, rule):
    assert moments.moment_of(cell) == (moment, rule)


@pytest.mark.parametrize(
    "cell",
    [
        *("2024-02-30", "2023-02-29", "2024-13-05", "20241301", "2024年2月30日", "2024-04-31"),
        *(
            "2024-03-05 24:00",
            "2024-03-05 25:00",
            "2024-03-05 12:60",
            "2024-03-05 13:00 PM",
            "2024-03-05 0:30 AM",
        ),
        *("2024-03/05", "2024-3", "2024", "3/5/24", "31日", "待定", "", "19999", "60001", "1709600000"),
        *("1899-05-05", "2200-01-01", "0202-03-05", "2024-03-05 14:30 later", "2" * 70),
    ],
)
def test_a_day_that_does_not_exist_or_might_be_another_is_no_date(cell):
    assert moments.moment_of(cell) is None


@pytest.mark.parametrize(
    "cell",
    [
        *("0001-01-01", "9999-12-31", "9999-12-31 23:59:59", "1900-01-01", "1900-01-01 00:00:00", "1900/1/0"),
        *("0000-00-00", "0000-00-00 00:00:00", "1899-12-30", "31/12/9999", "99991231", "1753-01-01"),
    ],
)
def test_what_systems_write_for_no_date_is_no_date_and_no_fault(cell):
    assert moments.moment_of(cell) == (None, "no-date")


def test_day_or_month_first_needs_the_columns_word():
    assert moments.moment_of("03/04/2024") is None
    assert moments.moment_of("03/04/2024", order="dmy") == (dt.datetime(2024, 4, 3), "day-first")
    assert moments.moment_of("03.04.2024", order="dmy") == (dt.datetime(2024, 4, 3), "day-first")
    assert moments.moment_of("03/04/2024", order="mdy") == (dt.datetime(2024, 3, 4), "month-first")
    assert moments.moment_of("13/04/2024", order="mdy") is None
    assert moments.moment_of("04/13/2024 8:05", order="mdy") == (
        dt.datetime(2024, 4, 13, 8, 5),
        "month-first",
    )


def test_a_moment_with_an_offset_is_told_in_the_clients_zone():
    # half past midnight in Shanghai is half past four in the afternoon before in Greenwich
    assert moments.moment_of("2024-03-05T00:30:00+08:00") == (dt.datetime(2024, 3, 4, 16, 30), "zone")
    assert moments.moment_of("2024-03-04T16:30:00Z", zone="Asia/Shanghai") == (
        dt.datetime(2024, 3, 5, 0, 30),
        "zone",
    )
    assert moments.moment_of("2024-03-05 00:30+08:00", zone="Asia/Shanghai") == (
        dt.datetime(2024, 3, 5, 0, 30),
        "zone",
    )
    assert moments.moment_of("2024-03-05 00:30-0530") == (dt.datetime(2024, 3, 5, 6, 0), "zone")
    assert moments.moment_of("2024-07-05T12:00Z", zone="Europe/London") == (
        dt.datetime(2024, 7, 5, 13),
        "zone",
    )


def test_an_hour_that_the_clocks_skip_is_none_and_midnight_is_a_day():
    london = {"zone": "Europe/London"}
    assert moments.moment_of("2024-03-31 01:30", **london) is None
    assert moments.moment_of("2024-03-31 00:59", **london) == (dt.datetime(2024, 3, 31, 0, 59), "")
    assert moments.moment_of("2024-03-31 02:00", **london) == (dt.datetime(2024, 3, 31, 2), "")
    # São Paulo's clocks skipped the midnight that began this day
    assert moments.moment_of("2018-11-04", zone="America/Sao_Paulo") == (dt.datetime(2018, 11, 4), "")
    assert moments.moment_of("2018-11-04 00:30", zone="America/Sao_Paulo") is None


def test_beside_the_clients_own_form_only_true_dates_of_a_workbook_are_read():
    form = {"date_format": "%d/%m/%Y"}
    assert moments.moment_of("2024-03-05", **form) == (DAY, "")
    assert moments.moment_of("45356", **form) == (DAY, "excel-serial")
    assert moments.moment_of("01/01/1900", **form) == (None, "no-date")
    assert moments.moment_of("04/13/2024", **form) is None
    assert moments.moment_of("20240305", **form) is None
    assert moments.moment_of("2024-25-03", date_format="%Y-%d-%m") is None


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("13/04/2024", "dmy"),
        ("13.04.2024 8:00", "dmy"),
        ("04/13/2024", "mdy"),
        ("4-13-2024", "mdy"),
        ("03/04/2024", "either"),
        ("04/04/2024", None),  # the same day either way
        ("13/13/2024", None),
        ("0/4/2024", None),
        ("2024-03-05", None),
        ("31/12/9999", None),
    ],
)
def test_a_short_date_tells_which_comes_first(cell, told):
    assert moments.order_told(cell) == told


@settings(max_examples=200)
@given(
    st.datetimes(dt.datetime(1900, 1, 2), dt.datetime(2199, 12, 31)).map(lambda t: t.replace(microsecond=0))
)
def test_however_a_moment_is_written_it_is_that_moment(moment):
    for form in (
        "%Y-%m-%d %H:%M:%S",
        "%Y/%m/%d %H:%M:%S",
        "%Y年%m月%d日 %H:%M:%S",
        "%Y%m%d%H%M%S",
        "%Y-%m-%dT%H:%M:%SZ",
    ):
        assert moments.moment_of(moment.strftime(form))[0] == moment
    assert moments.moment_of(moment.strftime("%d/%m/%Y %H:%M:%S"), order="dmy")[0] == moment
    assert moments.moment_of(moment.strftime("%m/%d/%Y %H:%M:%S"), order="mdy")[0] == moment


@settings(max_examples=300)
@given(st.text(alphabet="0123456789-/.: 年月日TZ+", max_size=25))
def test_no_text_makes_the_calendar_stumble(text):
    for order in (None, "dmy", "mdy"):
        moments.moment_of(text, order=order, zone="Asia/Shanghai")
    moments.order_told(text)
